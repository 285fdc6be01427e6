"""Pooling held against the definitions of its parts, a plain t test, and a binomial mixture fitted by quadrature."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import binom, norm, t, ttest_1samp
from statsmodels.stats.meta_analysis import combine_effects

from chapters.models.pooling import pool_proportions

COUNTS, SIZES = [79, 12, 55, 8], [333, 82, 164, 95]
pairs = st.tuples(st.integers(0, 60), st.integers(0, 60)).filter(lambda p: sum(p) > 0)
studies = st.lists(pairs, min_size=3, max_size=8)


def test_tau_makes_the_weighted_squares_equal_their_degrees_of_freedom():
    pooled = pool_proportions(COUNTS, SIZES)
    y = logit(np.divide(COUNTS, SIZES))
    v = 1 / np.array(COUNTS) + 1 / np.subtract(SIZES, COUNTS)
    w = 1 / (v + pooled.tau**2)
    mean = (w * y).sum() / w.sum()
    assert (w * (y - mean) ** 2).sum() == pytest.approx(len(COUNTS) - 1, rel=1e-6)
    assert pooled.mean == pytest.approx(expit(mean), rel=1e-9)


def test_studies_of_equal_variance_give_the_plain_t_interval():
    # p and 1 - p have the same variance on the logit scale, so all weights are equal and Hartung-Knapp is Student's t.
    counts, sizes = [20, 80, 20, 80, 20], [100] * 5
    pooled = pool_proportions(counts, sizes)
    plain = ttest_1samp(logit(np.divide(counts, sizes)), 0).confidence_interval()
    assert (logit(pooled.low), logit(pooled.high)) == pytest.approx((plain.low, plain.high), rel=1e-6)


def test_studies_that_agree_are_pooled_as_one():
    pooled = pool_proportions([10, 20, 40], [50, 100, 200])
    assert pooled.tau == 0 and pooled.mean == pytest.approx(0.2) and pooled.q == pytest.approx(0, abs=1e-12)
    assert pooled.low < 0.2 < pooled.high


def test_as_statsmodels_where_the_studies_vary():
    y = logit(np.divide(COUNTS, SIZES))
    fit = combine_effects(y, 1 / np.array(COUNTS) + 1 / np.subtract(SIZES, COUNTS), method_re="iterated", atol=1e-12)
    pooled = pool_proportions(COUNTS, SIZES)
    assert (pooled.tau**2, pooled.q) == pytest.approx((fit.tau2, fit.q), rel=1e-6)
    half = t.ppf(0.975, 3) * np.sqrt(fit.var_hksj_re)
    assert pooled.low == pytest.approx(expit(fit.mean_effect_re - half), rel=1e-6)


def test_near_a_binomial_mixture_fitted_without_logit_variances():
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)

    def loss(parameters):
        mu, tau = parameters[0], np.exp(parameters[1])
        each = binom.pmf(np.array(COUNTS)[:, None], np.array(SIZES)[:, None], expit(mu + tau * nodes))
        return -np.log(each @ weights / np.sqrt(2 * np.pi)).sum()

    best = minimize(loss, [-1.3, -0.7], method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9})
    assert pool_proportions(COUNTS, SIZES).mean == pytest.approx(expit(best.x[0]), abs=0.01)


def test_prediction_covers_the_next_study_as_often_as_it_says():
    rng = np.random.default_rng(5)
    k, tau, held, runs = 6, 0.6, 0, 600
    for _ in range(runs):
        truth = expit(rng.normal(-1.2, tau, k + 1))
        pooled = pool_proportions(rng.binomial(300, truth[:k]), [300] * k)
        held += pooled.next_low <= truth[k] <= pooled.next_high
    error = norm.isf(0.001) * np.sqrt(0.95 * 0.05 / runs)
    assert held / runs > 0.95 - error - 0.01


@given(studies)
def test_intervals_nest_and_mirror(pairs):
    counts, sizes = [a for a, _ in pairs], [a + b for a, b in pairs]
    one = pool_proportions(counts, sizes)
    assert 0 <= one.next_low <= one.low <= one.mean <= one.high <= one.next_high <= 1
    other = pool_proportions([b for _, b in pairs], sizes)
    assert other.mean == pytest.approx(1 - one.mean, abs=1e-6)
    assert other.next_low == pytest.approx(1 - one.next_high, abs=1e-6)


@pytest.mark.parametrize("counts, sizes", [([1, 2], [5, 6]), ([1, 2, 3], [5, 6]), ([1, 2, 9], [5, 6, 7])])
def test_what_cannot_be_pooled_is_refused(counts, sizes):
    with pytest.raises(ValueError):
        pool_proportions(counts, sizes)
