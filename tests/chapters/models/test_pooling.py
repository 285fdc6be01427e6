"""Pooling held against metafor's published results, R, statsmodels, a plain t test and exact likelihoods."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import fisher_exact, nchypergeom_fisher, norm, t, ttest_1samp
from statsmodels.stats.meta_analysis import combine_effects

from chapters.models.pooling import pool, pool_proportions, pool_shares, pool_sparse

COUNTS, SIZES = [79, 12, 55, 8], [333, 82, 164, 95]
TABLES = [(12, 82, 9, 80), (56, 164, 5, 38), (8, 95, 3, 76)]
# The 19 experiments on teacher expectancy (Raudenbush 1985); that these are the data shows in their Q, 35.8295.
EXPECTANCY = [.03, .12, -.14, 1.18, .26, -.06, -.02, -.32, .27, .80, .54, .18, -.02, .23, -.18, -.06, .30, .07, -.07]  # fmt: skip
VARIANCES = [.0156, .0216, .0279, .1391, .1362, .0106, .0106, .0484, .0269, .0630, .0912, .0497, .0835, .0841, .0253, .0279,
             .0193, .0088, .0303]  # fmt: skip
CATHETERS = [(0, 116, 3, 117), (1, 44, 3, 35), (2, 208, 9, 195), (0, 130, 7, 136), (5, 151, 6, 157), (1, 98, 4, 139),
             (1, 174, 3, 177), (1, 74, 2, 39), (1, 97, 19, 103), (1, 113, 2, 122), (0, 66, 7, 64), (0, 70, 1, 58),
             (3, 188, 5, 175), (6, 187, 11, 180), (0, 118, 0, 105), (0, 252, 1, 262), (1, 345, 3, 362), (4, 64, 1, 69)]  # fmt: skip
pairs = st.tuples(st.integers(1, 60), st.integers(1, 60))
studies = st.lists(pairs, min_size=3, max_size=8)


def test_as_metafor_publishes_for_restricted_likelihood():
    # tests/testthat/test_analysis_example_raudenbush1985.r of metafor, held there against Raudenbush 1985, pages 83 to 86
    pooled = pool(EXPECTANCY, np.sqrt(VARIANCES))
    assert pooled.q == pytest.approx(35.8295, abs=5e-5)
    assert pooled.tau**2 == pytest.approx(0.0188, abs=5e-5)
    assert pooled.mean == pytest.approx(0.0837, abs=5e-5)
    usual = 1 / np.sqrt((1 / (np.array(VARIANCES) + pooled.tau**2)).sum())
    assert pooled.mean / usual == pytest.approx(1.6208, abs=5e-5)


R = """
y <- c({y}); v <- c({v}); k <- length(y)
loglik <- function(tau2) {{ w <- 1 / (v + tau2); m <- sum(w * y) / sum(w)
  -0.5 * (sum(log(v + tau2)) + log(sum(w)) + sum(w * (y - m)^2)) }}
tau2 <- optimize(loglik, c(0, 2), maximum = TRUE, tol = 1e-12)$maximum
fit <- summary(lm(y ~ 1, weights = 1 / (v + tau2)))
error <- fit$coefficients[2] / fit$sigma * max(1, fit$sigma)
mean <- fit$coefficients[1]
times <- qt(0.975, k - 1)
cat(sprintf("[%.10f, %.10f, %.10f, %.10f, %.10f]", tau2, mean, mean - times * error, mean + times * error,
            mean + times * sqrt(tau2 + error^2)))
"""


def shares(counts, sizes):
    """Logits of shares with their binomial errors."""
    return logit(np.divide(counts, sizes)), np.sqrt(1 / np.array(counts) + 1 / np.subtract(sizes, counts))


def log_odds(tables):
    """Log odds ratios with Woolf's errors."""
    a, n, c, m = np.array(tables, float).T
    return np.log(a * (m - c) / ((n - a) * c)), np.sqrt(1 / a + 1 / (n - a) + 1 / c + 1 / (m - c))


@pytest.mark.skipif(not shutil.which("Rscript"), reason="no R: install it (Debian: apt-get install r-base-core)")
@pytest.mark.parametrize(
    "y, errors",
    [
        shares(COUNTS, SIZES),
        log_odds(TABLES),  # who stops interferon and hydroxyurea, in the chapter on myeloproliferative neoplasms
        # major response without interferon, in the chapter on stopping: ENDURE, EURO-SKI, STIM213, STOP 2G-TKI
        (
            logit([0.59, 0.50, 0.676, 0.6333]),
            np.array([
                (logit(0.68) - logit(0.49)) / 2 / 1.959964,
                (755 * 0.50 * 0.50) ** -0.5,
                (68 * 0.676 * 0.324) ** -0.5,
                (logit(0.7553) - logit(0.5114)) / 2 / 1.959964,
            ]),
        ),
    ],
)  # fmt: skip
def test_as_r_computes_from_the_definitions(y, errors):
    # Hartung and Knapp's interval is that of weighted least squares with the scale estimated, which is R's lm; here the
    # scale is never taken below 1.
    script = R.format(y=", ".join(map(repr, y.tolist())), v=", ".join(map(repr, (errors**2).tolist())))
    done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=True)
    pooled = pool(y, errors)
    given = [pooled.tau**2, pooled.mean, pooled.low, pooled.high, pooled.next_high]
    assert given == pytest.approx(json.loads(done.stdout), abs=1e-5)


def test_as_statsmodels_at_the_same_variance_between_studies():
    # statsmodels finds another variance (Paule and Mandel); from there on both must agree.
    y, v = np.array(EXPECTANCY), np.array(VARIANCES)
    pooled = pool(y, np.sqrt(v))
    fit = combine_effects(y, v + pooled.tau**2, method_re="dl")
    half = t.ppf(0.975, len(y) - 1) * np.sqrt(fit.var_hksj_fe)
    assert (pooled.mean, pooled.high - pooled.mean) == pytest.approx((fit.mean_effect_fe, half), rel=1e-7)


def test_studies_of_equal_variance_give_the_plain_t_interval():
    # p and 1 - p have the same variance on the logit scale, so all weights are equal and Hartung-Knapp is Student's t.
    counts, sizes = [20, 80, 20, 80, 20], [100] * 5
    pooled = pool_proportions(counts, sizes)
    plain = ttest_1samp(logit(np.divide(counts, sizes)), 0).confidence_interval()
    assert (logit(pooled.low), logit(pooled.high)) == pytest.approx((plain.low, plain.high), rel=1e-6)


def test_studies_that_agree_are_pooled_as_one():
    pooled = pool_proportions([10, 20, 40], [50, 100, 200])
    assert pooled.tau == 0 and pooled.mean == pytest.approx(0.2) and pooled.q == pytest.approx(0, abs=1e-12)
    usual = 1 / np.sqrt(350 * 0.2 * 0.8)
    assert logit(pooled.high) - logit(0.2) == pytest.approx(t.ppf(0.975, 2) * usual, rel=1e-6)


def test_an_interval_and_a_size_that_mean_the_same_error_weigh_the_same():
    p, n = 0.6, 100
    half = norm.ppf(0.975) / np.sqrt(n * p * (1 - p))
    interval = (expit(logit(p) - half), expit(logit(p) + half))
    by_size = pool_shares([p, 0.5, 0.7], [None] * 3, [n, 80, 90])
    by_interval = pool_shares([p, 0.5, 0.7], [interval, None, None], [1, 80, 90])
    # About its least value a sum of squares is flat: to no more than half a number's digits the two searches agree.
    assert by_interval == pytest.approx(by_size, rel=1e-6)


def test_prediction_covers_the_next_study_as_often_as_it_says():
    rng = np.random.default_rng(5)
    k, tau, held, runs = 6, 0.6, 0, 600
    for _ in range(runs):
        truth = expit(rng.normal(-1.2, tau, k + 1))
        pooled = pool_proportions(rng.binomial(300, truth[:k]), [300] * k)
        held += pooled.next_low <= truth[k] <= pooled.next_high
    error = norm.isf(0.001) * np.sqrt(0.95 * 0.05 / runs)
    assert abs(held / runs - 0.95) < error + 0.01


@given(studies)
def test_intervals_nest_and_mirror(pairs):
    counts, sizes = [a for a, _ in pairs], [a + b for a, b in pairs]
    one = pool_proportions(counts, sizes)
    assert 0 <= one.next_low <= one.low <= one.mean <= one.high <= one.next_high <= 1
    other = pool_proportions([b for _, b in pairs], sizes)
    assert other.mean == pytest.approx(1 - one.mean, abs=1e-5)
    assert other.next_low == pytest.approx(1 - one.next_high, abs=1e-5)


@pytest.mark.parametrize(
    "counts, sizes", [([1, 2], [5, 6]), ([1, 2, 3], [5, 6]), ([1, 2, 9], [5, 6, 7]), ([0, 2, 3], [5, 6, 7])]
)
def test_what_cannot_be_pooled_is_refused(counts, sizes):
    with pytest.raises(ValueError):
        pool_proportions(counts, sizes)


@pytest.mark.parametrize("table", TABLES)
def test_one_sparse_table_has_the_conditional_estimate(table):
    # Fisher's noncentral hypergeometric: at the maximum the expected count is the one seen.
    a, n, c, m = table
    found = pool_sparse([table])
    root = brentq(lambda x: nchypergeom_fisher.mean(n + m, n, a + c, np.exp(x)) - a, -5, 5)
    assert found.mean == pytest.approx(np.exp(root), rel=1e-4) and found.tau == 0


@pytest.mark.skipif(not shutil.which("Rscript"), reason="no R: install it (Debian: apt-get install r-base-core)")
def test_sparse_tables_that_agree_have_r_s_exact_common_odds_ratio():
    cells = ", ".join(f"{a}, {n - a}, {c}, {m - c}" for a, n, c, m in TABLES)
    script = f"cat(mantelhaen.test(array(c({cells}), c(2, 2, 3)), exact = TRUE)$estimate)"
    done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=True)
    found = pool_sparse(TABLES)
    assert found.tau == 0 and found.mean == pytest.approx(float(done.stdout), rel=1e-4)


def test_sparse_tables_that_differ_as_metafor_publishes():
    # tests/testthat/test_analysis_example_stijnen2010.r of metafor, held there against Stijnen 2010, Table III: the
    # conditional model with exact likelihood for 18 trials of treated catheters (Niel-Weise 2007)
    found = pool_sparse(CATHETERS)
    assert np.log(found.mean) == pytest.approx(-1.353, abs=1e-3)
    assert found.tau == pytest.approx(0.83, abs=5e-3)
    # by profile likelihood, a little further out on the side of few events than the Wald interval published there
    assert found.low == pytest.approx(0.13, abs=0.025) and found.high == pytest.approx(0.51, abs=0.025)


def test_the_ends_of_a_sparse_interval_lose_what_its_level_allows():
    # One table, no variation between studies: Fisher's likelihood alone, two log units below its maximum at the ends.
    a, n, c, m = 8, 95, 3, 76
    found = pool_sparse([(a, n, c, m)])
    loglik = lambda ratio: nchypergeom_fisher.logpmf(a, n + m, n, a + c, ratio)
    assert loglik(found.mean) - loglik(found.low) >= norm.ppf(0.975) ** 2 / 2 - 1e-3
    assert found.low < 1 < found.high and fisher_exact([[a, n - a], [c, m - c]]).pvalue > 0.05


def test_an_empty_cell_needs_no_half():
    tables = [(0, 50, 4, 50), (1, 60, 3, 60), (0, 40, 2, 40)]
    found = pool_sparse(tables)
    assert 0 < found.mean < 0.3 and np.isfinite(found.high)


def test_studies_that_disagree_have_a_spread():
    assert pool_sparse([(40, 100, 10, 100), (10, 100, 40, 100), (20, 100, 20, 100)]).tau > 0.5
