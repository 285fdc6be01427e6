"""Exact sums over people against simulated cohorts, closed forms and limits."""

import math

import numpy as np
import pytest
from scipy import stats

from chapters.models.ms_interferon_beta import (
    STRUCTURES,
    Setting,
    arm,
    at_risk,
    explained,
    fit,
    lesions_stopped,
    more_active,
    odds_ratio,
    people,
    ratio,
    risk_among_retained,
    score_and_likelihood,
    smaller_group,
    with_relapse,
)  # fmt: skip

FAR = 4.5
"""Standard errors beyond which a simulated figure counts as wrong: about one false alarm in 150,000."""
ALL = STRUCTURES
HIDDEN, COMMON, *HITS, CEILING, DELAYED = ALL
PLACE = Setting(spread=0.3, responders=0.7, cut=0.61, odds=0.69, relapse_cut=0.36)


def rng(seed=20160615):
    return np.random.default_rng(seed)


# Selection ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before, after", [(0.05, 0.6), (0.3, 0.3), (0.2, 0.02)])
def test_the_risk_among_the_retained_is_that_of_a_simulated_cohort(before, after):
    n, h, required, horizon = 400_000, 0.15, 2.0, 3.0
    r = rng()
    fails = r.exponential(1 / h, n)
    leaves = r.exponential(1 / before, n)
    late = leaves > fails
    leaves[late] = fails[late] + r.exponential(1 / after, late.sum())
    kept = leaves >= required
    # Among the admitted the risk to the end of the horizon: failures seen before, and then the hazard itself.
    by_required = (fails[kept] <= required).mean()
    expected = by_required + (1 - by_required) * -math.expm1(-h * (horizon - required))
    assert abs(risk_among_retained(h, before, after, required, horizon) - expected) < FAR * 0.5 / math.sqrt(kept.sum())


def test_no_selection_no_bias():
    truth = -math.expm1(-0.2 * 3)
    assert risk_among_retained(0.2, 0.3, 0.3, 2, 3) == pytest.approx(truth)
    assert risk_among_retained(0.2, 0.1, 5.0, 0, 3) == pytest.approx(truth)
    assert risk_among_retained(0.2, 0.1, 0.3, 2, 3) == pytest.approx(risk_among_retained(0.2, 0.1, 0.3 + 1e-9, 2, 3))
    with pytest.raises(ValueError, match="before the required"):
        risk_among_retained(0.2, 0.1, 0.1, 3, 2)


# A printed interval -------------------------------------------------------------------------------------------------


def test_the_tests_of_two_groups_are_those_of_poisson_counts():
    few, many, time = 15, 300, (40.0, 1400.0)
    ratio_, error = few / time[0] / (many / time[1]), math.sqrt(1 / few + 1 / many)
    assert smaller_group(error**2, few + many) == pytest.approx(few)
    both = (few + many) / sum(time)
    apart, one = (sum(stats.poisson.logpmf((few, many), rates)) for rates in ((few, many), np.multiply(time, both)))
    score, likelihood = score_and_likelihood(ratio_, error, few + many)
    assert likelihood == pytest.approx(stats.chi2.sf(2 * (apart - one), 1), rel=1e-6)
    split = few / (few + many)
    p0 = time[0] / sum(time)
    z = (split - p0) / math.sqrt(p0 * (1 - p0) / (few + many))
    assert score == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-6)


# Structures ---------------------------------------------------------------------------------------------------------


def simulated(structure, scale, shape, treated, n=400_000, seed=7):
    """The same arm drawn person by person: lesions of the first year, and the time of worsening from the start."""
    s, r = PLACE, rng(seed)
    severity = r.gamma(1 / s.spread, s.spread, n)
    works = treated & (r.random(n) < s.responders)
    left = np.where(works, 1 - s.cut / s.responders, 1.0)
    rate = s.lesions * severity * left
    counted = r.poisson(rate * r.gamma(1 / s.fleeting, s.fleeting, n))
    if structure.harm == "nothing":
        hazard = scale * np.where(works, shape, 1.0) * (severity if structure is COMMON else 1.0)
        return counted, r.exponential(1 / hazard)
    if structure is CEILING:
        y = severity * left
        return counted, r.exponential(1 / (scale * y * (1 + shape) / (1 + shape * y)))
    if structure is DELAYED:
        return counted, first_delayed(r, scale, shape, severity, rate, counted)
    hits = structure.course.keywords["hits"]
    each = hits * scale * shape / s.lesions
    when = np.full(n, np.inf)
    early = r.binomial(counted, each)
    lacking = hits - early
    here = lacking > 0
    when[here] = 1 + r.gamma(lacking[here]) / (each * rate[here])
    when[~here] = 0.5  # within the first year; when in it does not matter
    return counted, np.minimum(when, r.exponential(1 / (scale * (1 - shape)), n))


def first_delayed(r, scale, shape, severity, rate, counted):
    """The first harm of lesions that each bring it after an exponential time: old ones, those counted, and later ones."""
    each, n = scale / PLACE.lesions, len(rate)
    when = np.full(n, np.inf)
    for k in range(n // 50_000):
        rows = slice(50_000 * k, 50_000 * (k + 1))
        old = r.poisson(each * PLACE.lesions * severity[rows] * shape)  # waiting at the start, in equilibrium
        new = r.binomial(counted[rows], each)
        later = r.poisson(each * rate[rows] * 3)
        for number, begins in ((old, (0, 0)), (new, (0, 1)), (later, (1, 4))):
            for _ in range(number.max()):
                has = number > 0
                number = number - has
                t = r.uniform(*begins, has.size) + r.exponential(shape, has.size)
                when[rows] = np.where(has, np.minimum(when[rows], t), when[rows])
    return when


@pytest.mark.parametrize("structure", ALL, ids=lambda s: s.name)
@pytest.mark.parametrize("treated", [False, True])
def test_an_arm_is_that_of_people_drawn_one_by_one(structure, treated):
    found = fit(structure, PLACE)
    ours = arm(found, treated)
    counted, when = simulated(structure, found.scale, found.shape, treated)
    here = when > 1
    n = len(when)
    # 40 slices of severity stand for a continuum: a little slack beside the Monte Carlo error
    assert ours.part.sum() == pytest.approx(here.mean(), abs=FAR * 0.5 / math.sqrt(n) + 0.003)
    for least in (1, 3, 6):
        many = (counted >= least) & here
        assert ours.part[least:].sum() == pytest.approx(many.mean(), abs=FAR * 0.5 / math.sqrt(n) + 0.004)
        worse = many & (when <= 4)
        assert ours.events[least:].sum() == pytest.approx(worse.mean(), abs=FAR * 0.5 / math.sqrt(n) + 0.004)
        time = np.where(many, np.minimum(when, 4) - 1, 0).mean()
        assert ours.time[least:].sum() == pytest.approx(time, abs=0.015)


@pytest.mark.parametrize("structure", ALL, ids=lambda s: s.name)
def test_what_is_fitted_holds(structure):
    found = fit(structure, PLACE)
    untreated = people(PLACE, False)
    assert odds_ratio(PLACE, found.course) == pytest.approx(PLACE.odds, abs=1e-4)
    assert 1 - untreated.weight @ found.course.trial(untreated, PLACE.horizon) == pytest.approx(PLACE.risk, abs=1e-6)


def test_the_drug_lowers_the_mean_of_lesions_and_of_relapses_as_the_trial_says():
    treated, untreated = people(PLACE, True), people(PLACE, False)
    mean = [p.weight @ (p.severity * p.left) for p in (treated, untreated)]
    assert mean[0] / mean[1] == pytest.approx(1 - PLACE.cut)
    assert untreated.severity.var() == pytest.approx(PLACE.spread, rel=0.1)  # the tails of the last slices are cut
    # relapses: lesions that bring one, and others, at so small a rate that one is a relapse at most
    rare = Setting(0.3, 0.7, 0.61, 0.69, 0.36, relapses=1e-4)
    share = with_relapse(rare, 200)
    counts = np.arange(200)
    expected = 0.36 / 0.61 * 1e-4 / rare.lesions * counts + (1 - 0.36 / 0.61) * 1e-4
    assert share == pytest.approx(expected, rel=1e-2)


def test_too_few_responders_are_refused_and_what_cannot_be_fitted_is_none():
    with pytest.raises(ValueError, match="cannot fall"):
        people(Setting(0.3, 0.5, 0.61, 0.69, 0.36), True)
    assert (
        fit(CEILING, Setting(0.3, 0.61, 0.61, 0.69, 0.36)) is None
    )  # no lesion in those in whom it works: too great an effect


def test_lesions_that_do_nothing_predict_nothing_without_treatment_and_nothing_follows_from_stopping_them():
    found = fit(HIDDEN, PLACE)
    off = arm(found, False)
    assert ratio(off, more_active(off.part)) == pytest.approx(1)
    assert lesions_stopped(found) == 1 and lesions_stopped(fit(CEILING, PLACE)) == pytest.approx(0, abs=1e-6)


def test_where_all_respond_alike_a_hidden_process_leaves_lesions_silent_on_the_drug():
    found = fit(HIDDEN, Setting(0.3, 1.0, 0.61, 0.69, 0.36))
    on = arm(found, True)
    assert ratio(on, more_active(on.part)) == pytest.approx(1)
    assert explained(on, arm(found, False)) == pytest.approx(0, abs=0.01)


def test_one_hit_alone_lowers_the_odds_about_as_lesions():
    scale, course = at_risk(HITS[0], PLACE, 1.0)
    who = people(PLACE, True)
    hazard = scale * who.severity * who.left
    risk = [1 - who.weight @ np.exp(-2 * hazard), 1 - np.exp(-2 * scale * people(PLACE, False).severity).mean()]
    assert odds_ratio(PLACE, course) == pytest.approx(risk[0] / (1 - risk[0]) / (risk[1] / (1 - risk[1])), rel=1e-6)


def test_the_more_active_half_is_half_and_the_higher():
    part = np.array([0.3, 0.3, 0.4])
    share = more_active(part)
    assert share == pytest.approx([0, 1 / 3, 1]) and share @ part == pytest.approx(0.5)
