# Reference values for whichdata, from base R alone.
# Rscript packages/whichdata/tests/oracles/counts.R > packages/whichdata/tests/oracles/counts.json

number <- function(x) ifelse(is.finite(x), sprintf("%.17g", x), "null")
json <- function(x) {
  if (is.list(x)) {
    body <- vapply(x, json, "")
    if (is.null(names(x))) return(paste0("[", paste(body, collapse = ", "), "]"))
    return(paste0("{", paste0('"', names(x), '": ', body, collapse = ", "), "}"))
  }
  if (is.matrix(x)) return(json(lapply(seq_len(nrow(x)), function(i) x[i, ])))
  if (is.character(x)) return(paste0('"', x, '"'))
  if (length(x) == 1 && is.null(attr(x, "list"))) return(number(x))
  paste0("[", paste(number(x), collapse = ", "), "]")
}
many <- function(x) structure(as.numeric(x), list = TRUE)
quiet <- suppressWarnings

cells <- list(c(7, 5, 2, 10), c(1, 9, 8, 2), c(0, 5, 3, 4), c(12, 0, 6, 9), c(5, 0, 0, 7), c(3, 3, 3, 3), c(2, 23, 9, 21),
              c(40, 60, 55, 45), c(300, 700, 250, 750), c(1, 1, 1, 1), c(4, 1, 0, 2), c(17, 83, 27, 173), c(0, 0, 3, 4),
              c(10, 2, 3, 15), c(45, 1, 30, 12), c(2, 3, 4, 91))
tables <- lapply(cells, function(x) {
  m <- matrix(x, 2, byrow = TRUE)
  f <- fisher.test(m)
  mc <- mcnemar.test(m)
  list(table = m, pearson = quiet(chisq.test(m, correct = FALSE)$p.value), yates = quiet(chisq.test(m)$p.value),
       fisher = f$p.value, or = unname(f$estimate), or_ci = many(f$conf.int),
       mcnemar = unname(mc$statistic), mcnemar_p = mc$p.value)
})

groups <- list(c(0, 4), c(1, 4), c(3, 3), c(7, 12), c(14, 24), c(81, 263), c(15, 148), c(0, 20), c(1, 29), c(682, 925))
proportions <- lapply(groups, function(g) {
  b <- binom.test(g[1], g[2], 0.3)
  list(count = g[1], n = g[2], exact = many(b$conf.int), binom_p = b$p.value,
       wilson = many(quiet(prop.test(g[1], g[2], correct = FALSE)$conf.int)),
       wilson_cc = many(quiet(prop.test(g[1], g[2])$conf.int)))
})

samples <- list(
  list(x = c(0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46), y = c(1.15, 0.88, 0.9, 0.74, 1.21)),
  list(x = c(1, 2, 3), y = c(4, 5, 6, 7)), list(x = c(5, 9, 12, 3, 7, 1), y = c(2, 4, 6, 8, 10)),
  list(x = c(1, 2, 2, 3), y = c(2, 3, 5)), list(x = c(0, 9, 14), y = c(26, 28, 28, 30, 31, 31, 31, 31, 79)),
  list(x = c(3, 3, 3, 4, 8, 8), y = c(3, 5, 8, 9, 9, 9, 12)))
ranks <- lapply(samples, function(s) {
  test <- function(...) quiet(wilcox.test(s$x, s$y, ...))
  tied <- anyDuplicated(c(s$x, s$y)) > 0
  list(x = many(s$x), y = many(s$y), w = unname(test()$statistic),
       exact = if (tied) NA else test(exact = TRUE)$p.value,
       exact_greater = if (tied) NA else test(exact = TRUE, alternative = "greater")$p.value,
       cc = test(exact = FALSE)$p.value, no_cc = test(exact = FALSE, correct = FALSE)$p.value,
       greater_no_cc = test(exact = FALSE, correct = FALSE, alternative = "greater")$p.value)
})
null_u <- lapply(list(c(8, 8), c(3, 9), c(5, 7), c(20, 30)), function(n) {
  u <- seq(0, floor(prod(n) / 2), length.out = 6) %/% 1
  list(n1 = n[1], n2 = n[2], u = many(u), doubled = many(pmin(1, 2 * pwilcox(u, n[1], n[2]))))
})

power_prop <- lapply(list(c(50, 0.5, 0.75, 0.05), c(20, 0.1, 0.4, 0.01), c(200, 0.41, 0.5, 0.05)), function(a) {
  need <- power.prop.test(p1 = a[2], p2 = a[3], sig.level = a[4], power = 0.9, tol = 1e-12)$n
  list(n = a[1], p1 = a[2], p2 = a[3], alpha = a[4],
       power = power.prop.test(a[1], a[2], a[3], a[4])$power, n_for_90 = need)
})
power_t <- lapply(list(c(20, 1, 1), c(12, 0.5, 1.3), c(50, 2, 6)), function(a)
  list(n = a[1], delta = a[2], sd = a[3], power = power.t.test(a[1], a[2], a[3])$power,
       one_sample = power.t.test(a[1], a[2], a[3], type = "one.sample")$power))

t_tests <- lapply(list(list(c(3, 5, 4, 6, 8), c(2, 1, 4, 3)), list(c(10.1, 12.4, 9.9), c(14, 15, 13.5, 20.2))), function(s)
  list(m1 = mean(s[[1]]), sd1 = sd(s[[1]]), n1 = length(s[[1]]), m2 = mean(s[[2]]), sd2 = sd(s[[2]]), n2 = length(s[[2]]),
       student = t.test(s[[1]], s[[2]], var.equal = TRUE)$p.value, welch = t.test(s[[1]], s[[2]])$p.value))
statistics <- list(list(test = "t", value = 2.2, df1 = NA, df2 = 28, p = 2 * pt(-2.2, 28)),
                   list(test = "F", value = 3.1, df1 = 2, df2 = 30, p = pf(3.1, 2, 30, lower.tail = FALSE)),
                   list(test = "Chi2", value = 5.4, df1 = 3, df2 = NA, p = pchisq(5.4, 3, lower.tail = FALSE)),
                   list(test = "Z", value = -1.7, df1 = NA, df2 = NA, p = 2 * pnorm(-1.7)),
                   list(test = "r", value = 0.4, df1 = NA, df2 = 20, p = 2 * pt(-0.4 / sqrt((1 - 0.16) / 20), 20)))

events <- lapply(list(c(0.7, 0.8, 0.05, 0.5), c(0.5, 0.9, 0.01, 0.5), c(1.6, 0.8, 0.05, 1 / 3)), function(a) {
  need <- (qnorm(1 - a[3] / 2) + qnorm(a[2]))^2 / (a[4] * (1 - a[4]) * log(a[1])^2)
  list(hr = a[1], power = a[2], alpha = a[3], alloc = a[4], events = need)
})

m <- mantelhaen.test(UCBAdmissions)
rabbits <- array(c(0, 0, 6, 5, 3, 0, 3, 6, 6, 2, 0, 4, 5, 6, 1, 0, 2, 5, 0, 0), c(2, 2, 5))
r <- mantelhaen.test(rabbits)
strata <- list(list(tables = lapply(1:6, function(k) t(matrix(UCBAdmissions[, , k], 2))), statistic = unname(m$statistic),
                    p = m$p.value, or = unname(m$estimate), ci = many(m$conf.int)),
               list(tables = lapply(1:5, function(k) t(rabbits[, , k])), statistic = unname(r$statistic), p = r$p.value,
                    or = unname(r$estimate), ci = many(r$conf.int)))
k <- kruskal.test(list(c(2.9, 3, 2.5, 2.6, 3.2), c(3.8, 2.7, 4, 2.4), c(2.8, 3.4, 3.7, 2.2, 2)))
kt <- kruskal.test(list(c(1, 2, 2), c(2, 3, 5, 5), c(7, 8)))
kx <- c(44.4, 45.9, 41.9, 53.3, 44.7, 44.1, 50.7, 45.2, 60.1)
ky <- c(2.6, 3.1, 2.5, 5, 3.6, 4, 5.2, 2.8, 3.8)
kc <- cor.test(kx, ky, method = "kendall")
kruskal <- list(list(groups = list(many(c(2.9, 3, 2.5, 2.6, 3.2)), many(c(3.8, 2.7, 4, 2.4)), many(c(2.8, 3.4, 3.7, 2.2, 2))),
                     h = unname(k$statistic), p = k$p.value),
                list(groups = list(many(c(1, 2, 2)), many(c(2, 3, 5, 5)), many(c(7, 8))), h = unname(kt$statistic), p = kt$p.value))
kendall <- list(x = many(kx), y = many(ky), t = unname(kc$statistic), p = kc$p.value, tau = unname(kc$estimate))

# The expected range of n normal values, by the same integral as tables of it, with R's integrator.
xi <- lapply(c(2, 5, 10, 25, 50), function(n)
  list(n = n, xi = integrate(function(x) 1 - pnorm(x)^n - pnorm(-x)^n, -12, 12, rel.tol = 1e-12)$value))

cat(json(list(r = R.version.string, tables = tables, proportions = proportions, ranks = ranks, null_u = null_u,
              power_prop = power_prop, power_t = power_t, events = events, t_tests = t_tests, statistics = statistics, strata = strata,
              kruskal = kruskal, kendall = kendall, xi = xi)), "\n")
