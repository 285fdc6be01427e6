# Reference values for packages/whichdata/tests/test_survival.py from R's survival package.
# Rscript packages/whichdata/tests/oracles/survival.R > packages/whichdata/tests/oracles/survival.json
suppressMessages(library(survival))
options(warn = -1)  # coxph warns where the hazard ratio is infinite; those cases are wanted

json <- function(x) {
  if (is.null(x)) return("null")
  if (is.list(x)) return(paste0("{", paste(sprintf('"%s": %s', names(x), sapply(x, json)), collapse = ", "), "}"))
  if (is.character(x)) return(paste0('"', x, '"'))
  text <- ifelse(is.finite(x), formatC(x, digits = 12, format = "g"), "null")
  if (length(x) == 1) trimws(text) else paste0("[", paste(trimws(text), collapse = ", "), "]")
}

kinds <- c("plain", "log", "log-log", "logit", "arcsin")

one_group <- function(time, status, taus) {
  fits <- lapply(setNames(kinds, kinds), function(k) survfit(Surv(time, status) ~ 1, conf.type = k))
  fit <- fits[["log"]]
  out <- list(time = fit$time, at_risk = fit$n.risk, events = fit$n.event, survival = fit$surv,
              std_err = fit$std.err * fit$surv)
  for (k in kinds) {
    out[[paste0("lower_", k)]] <- fits[[k]]$lower
    out[[paste0("upper_", k)]] <- fits[[k]]$upper
  }
  out$median <- unname(summary(fit)$table["median"])
  out$quantiles <- unname(quantile(fit, c(0.25, 0.5, 0.75), conf.int = FALSE))
  out$taus <- taus
  restricted <- sapply(taus, function(tau) summary(fit, rmean = tau)$table[c("rmean", "se(rmean)")])
  out$rmst <- unname(restricted[1, ])
  out$rmst_se <- unname(restricted[2, ])
  out
}

two_groups <- function(time, status, group) {
  test <- survdiff(Surv(time, status) ~ group)
  out <- list(observed = test$obs, expected = test$exp, variance = test$var[2, 2], chi_squared = test$chisq)
  for (ties in c("efron", "breslow")) {
    fit <- coxph(Surv(time, status) ~ as.numeric(factor(group)), ties = ties,
                 control = coxph.control(eps = 1e-12, iter.max = 60))
    out[[paste0("cox_", ties)]] <- unname(coef(fit))
  }
  out
}

case <- function(time, status, group, taus) {
  list(data = list(time = time, event = status, group = as.numeric(factor(group))),
       all = one_group(time, status, taus),
       first = one_group(time[as.numeric(factor(group)) == 1], status[as.numeric(factor(group)) == 1], taus),
       compared = two_groups(time, status, group))
}

set.seed(20)
tied <- function(n, most) list(time = sample(most, n, replace = TRUE), event = rbinom(n, 1, 0.6), group = rep(1:2, length.out = n))
small <- lapply(1:12, function(i) tied(6 + 2 * i, 3 + i))
cases <- list(
  aml = with(aml, case(time, status, x, c(12, 24, 36))),
  ovarian = with(ovarian, case(futime, fustat, rx, c(180, 365, 900))),
  veteran = with(veteran, case(time, status, trt, c(30, 180, 400))),
  flat_end = case(c(1, 2, 3, 4), c(1, 1, 0, 0), c(1, 2, 1, 2), c(2, 10)),
  flat_run = case(c(1, 2, 3, 4, 5, 6), c(1, 1, 1, 0, 0, 1), c(1, 2, 2, 1, 1, 2), c(2, 6)),
  one_of_ten = case(c(1, 3, 3, 4, 1, 2, 3, 4, 4, 2), c(1, 0, 0, 0, 1, 0, 1, 0, 1, 1), c(2, rep(1, 9)), c(2, 4))
)
for (i in seq_along(small)) cases[[paste0("tied_", i)]] <- with(small[[i]], case(time, event, group, c(2, 4.5, max(time))))
version <- list(survival = as.character(packageVersion("survival")), cases = cases)
cat(json(version), "\n", sep = "")
