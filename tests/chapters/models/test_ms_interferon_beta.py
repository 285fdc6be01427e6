"""Cohort simulators against closed forms, brute force and another package's regression."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import integrate, stats

from chapters.models.ms_interferon_beta import (
    OUTCOMES,
    Course,
    Structure,
    arm,
    chosen_cutoff,
    outcome,
    predictor_in_composite,
    rate_ratio,
    risk_among_retained,
    signature,
    stratified_rate_ratio,
    treatment_sorts,
    two_events,
)  # fmt: skip
from whichdata.design import schoenfeld_power

FAR = 4.5
"""Standard errors beyond which a simulated figure counts as wrong: about one false alarm in 150,000."""


def rng(seed=20160615):
    return np.random.default_rng(seed)


def small_cohort(seed, patients=400):
    r = rng(seed)
    exposed = r.random(patients) < 0.3
    time = r.exponential(4, patients)
    return np.minimum(time, 3), time <= 3, exposed, r.integers(0, 4, patients)


# Predictors ---------------------------------------------------------------------------------------------------------


def test_the_rate_ratio_is_that_of_poisson_regression():
    time, event, exposed, _ = small_cohort(1)
    design = sm.add_constant(exposed.astype(float))
    fit = sm.GLM(event.astype(float), design, family=sm.families.Poisson(), offset=np.log(time)).fit()
    ours = rate_ratio(time, event, exposed)
    assert ours.log == pytest.approx(fit.params[1], abs=1e-8)
    assert ours.se == pytest.approx(fit.bse[1], rel=1e-6)


def test_the_score_statistic_is_that_of_the_binomial_split_of_events():
    # Given all events, those of the exposed are binomial with their share of the person-time.
    time, event, exposed, _ = small_cohort(2)
    d1, d, share = (event & exposed).sum(), event.sum(), time[exposed].sum() / time.sum()
    expected = (d1 - stats.binom.mean(d, share)) / stats.binom.std(d, share)
    assert rate_ratio(time, event, exposed).z == pytest.approx(expected)


def test_cohorts_are_compared_one_by_one():
    sets = [small_cohort(seed) for seed in (3, 4, 5)]
    stacked = rate_ratio(*(np.stack(column) for column in list(zip(*sets))[:3]))
    for i, (time, event, exposed, _) in enumerate(sets):
        assert stacked.log[i] == rate_ratio(time, event, exposed).log


def test_a_group_without_events_leaves_no_ratio_but_a_statistic():
    result = rate_ratio(np.ones(6), np.array([1, 1, 1, 0, 0, 0], bool), np.array([0, 0, 0, 1, 1, 1], bool))
    assert result.log == -math.inf and result.z < 0 and math.isfinite(result.z)


def test_the_stratified_ratio_is_the_sum_over_strata():
    time, event, exposed, stratum = small_cohort(6)
    above = below = 0.0
    for s in range(4):
        t1 = sum(t for t, x, k in zip(time, exposed, stratum) if k == s and x)
        t0 = sum(t for t, x, k in zip(time, exposed, stratum) if k == s and not x)
        above += sum(e for e, x, k in zip(event, exposed, stratum) if k == s and x) * t0 / (t1 + t0)
        below += sum(e for e, x, k in zip(event, exposed, stratum) if k == s and not x) * t1 / (t1 + t0)
    assert stratified_rate_ratio(time, event, exposed, stratum) == pytest.approx(above / below)


def test_one_stratum_gives_the_crude_ratio_and_none_with_overlap_is_refused():
    time, event, exposed, _ = small_cohort(7)
    crude = math.exp(rate_ratio(time, event, exposed).log)
    assert stratified_rate_ratio(time, event, exposed, np.zeros(len(time), int)) == pytest.approx(crude)
    with pytest.raises(ValueError, match="undefined"):
        stratified_rate_ratio(time, event, exposed, exposed.astype(int))


# Outcomes -----------------------------------------------------------------------------------------------------------


def test_times_are_exponential_with_their_hazards():
    course = two_events(rng(), 0.3, 0.2, 100_000)
    assert stats.kstest(course.worsening, "expon", args=(0, 1 / 0.3)).pvalue > 1e-4
    assert stats.kstest(course.switch, "expon", args=(0, 1 / 0.2)).pvalue > 1e-4


def test_a_better_drug_after_the_switch_slows_worsening_as_the_closed_form_says():
    h, s, factor, horizon, n = 0.3, 0.5, 0.2, 3.0, 200_000
    seen = outcome(two_events(rng(), h, s, n, after_switch=factor), horizon, OUTCOMES[2]).event.mean()
    # Free of worsening: no switch and none, or a switch at u, free until then at h and after it at factor × h.
    switched, _ = integrate.quad(lambda u: s * math.exp(-s * u - h * u - factor * h * (horizon - u)), 0, horizon)
    free = math.exp(-(h + s) * horizon) + switched
    assert abs(seen - (1 - free)) < FAR * math.sqrt(free * (1 - free) / n)


@pytest.mark.parametrize("kind, rate", [(OUTCOMES[0], 0.5), (OUTCOMES[1], 0.3), (OUTCOMES[2], 0.3)])
def test_each_outcome_recovers_its_hazard(kind, rate):
    followed = outcome(two_events(rng(), 0.3, 0.2, 200_000), 3.0, kind)
    events = followed.event.sum()
    assert abs(events / followed.time.sum() - rate) < FAR * rate / math.sqrt(events)


def test_outcomes_of_single_patients():
    course = Course(np.array([1.0, 2.0, 9.0, 9.0]), np.array([2.0, 1.0, 2.5, 9.0]))
    time, event = zip(*(outcome(course, 3.0, kind) for kind in OUTCOMES))
    assert [list(t) for t in time] == [[1, 1, 2.5, 3], [1, 1, 2.5, 3], [1, 2, 3, 3]]
    assert [list(map(int, e)) for e in event] == [[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 0, 0]]


def test_hazards_of_zero_never_happen_and_below_zero_are_refused():
    assert not outcome(two_events(rng(), 0.0, 0.0, 100), 3.0).event.any()
    with pytest.raises(ValueError, match="hazard is below 0"):
        two_events(rng(), -0.1, 0.2, 5)
    with pytest.raises(ValueError, match="no outcome named"):
        outcome(Course(np.ones(1), np.ones(1)), 3.0, "death")


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


# Structures ---------------------------------------------------------------------------------------------------------


def test_counts_are_negative_binomial():
    n, spread = 200_000, 0.5
    counted = arm(Structure("plain", 4.0, spread=spread, other=0.1), rng(), n, treated=False).counted
    expected = stats.nbinom.pmf(range(30), 1 / spread, 1 / (1 + 4.0 * spread))
    observed = np.bincount(counted, minlength=30)[:30] / n
    assert np.all(np.abs(observed - expected) < FAR * np.sqrt(expected * (1 - expected) / n) + 1e-6)


def test_variation_from_year_to_year_fades_over_years_and_variation_between_people_does_not():
    n = 400_000
    for spread, fleeting in ((0.5, 0.0), (0.0, 0.5)):
        for window in (1.0, 4.0):
            s = Structure("plain", 4.0, spread=spread, fleeting=fleeting, other=0.1)
            rate = arm(s, rng(), n, False, window).counted / window
            expected = 4.0 / window + 16 * spread + 16 * fleeting / window
            assert rate.mean() == pytest.approx(4.0, rel=0.02)
            assert rate.var() == pytest.approx(expected, rel=0.03)


def test_activity_sorts_responders_as_bayes_says():
    # All alike but for response: the rate ratio on treatment follows from who is in the more active half.
    n, horizon = 400_000, 3.0
    s = Structure("plain", 5.0, responders=0.5, left=0.1, other=0.2, other_left=0.3)
    cut = 3
    tails = {rate: stats.poisson.sf(cut, rate) for rate in (5.0, 0.5)}
    hazards = {5.0: 0.2, 0.5: 0.06}

    def rate_in(weights):
        events = sum(w * -math.expm1(-hazards[r] * horizon) for r, w in weights.items())
        return events / sum(w * -math.expm1(-hazards[r] * horizon) / hazards[r] for r, w in weights.items())

    expected = math.log(rate_in(tails) / rate_in({r: 1 - p for r, p in tails.items()}))
    a = arm(s, rng(), n, treated=True)
    followed = outcome(a.course, horizon, OUTCOMES[2])
    got = rate_ratio(followed.time, followed.event, a.counted > cut)
    assert abs(got.log - expected) < FAR * got.se


def test_the_ceiling_bounds_what_lesions_add():
    s = Structure("plain", 50.0, hit=10.0, ceiling=0.2)
    followed = outcome(arm(s, rng(), 100_000, False).course, 3.0, OUTCOMES[2])
    rate = followed.event.sum() / followed.time.sum()
    assert abs(rate - 0.2 / (1 + 0.2 / 500)) < FAR * 0.2 / math.sqrt(followed.event.sum())


def test_switches_follow_what_was_seen_and_only_on_treatment():
    s = Structure("plain", 3.0, other=0.1, switch=0.4, seen=3)
    on, off = arm(s, rng(), 20_000, True), arm(s, rng(), 20_000, False)
    assert np.all(np.isfinite(on.course.switch) == (on.counted >= 3))
    assert not np.isfinite(off.course.switch).any()


def test_lesions_that_cause_nothing_leave_an_untreated_arm_and_a_pure_lesion_drug_without_effect():
    seen = signature(Structure("plain", 8.0, spread=0.2, other=0.2, other_left=0.3), rng(), 100_000)
    for which in (seen.off, seen.off_long, seen.lesion_drug):
        assert abs(which.z) < FAR
    assert seen.drug.z < -20 and seen.on.z > 20


def test_the_randomised_effect_is_that_of_the_mixture_of_hazards():
    s, n, horizon = Structure("plain", 5.0, responders=0.5, left=0.1, hit=0.03), 400_000, 3.0
    got = signature(s, rng(), n, horizon).drug
    hazards = (0.15, 0.015)
    events = [-math.expm1(-h * horizon) for h in hazards]
    treated = sum(events) / sum(e / h for e, h in zip(events, hazards))
    assert abs(got.log - math.log(treated / 0.15)) < FAR * got.se


# Experiments --------------------------------------------------------------------------------------------------------

COHORT = {"patients": 1000, "worsening": 0.055, "switch": 0.008, "marked": 0.2}


def test_a_marker_of_nothing_is_called_a_predictor_one_time_in_twenty():
    row = predictor_in_composite(rng(), switch_ratio=1.0, worsening_ratio=1.0, **COHORT)
    for key in ("composite", "worsening"):
        assert stats.binomtest(round(row[f"{key}_power"] * 400), 400, 0.05).pvalue > 1e-4
        assert row[f"{key}_hr"] == pytest.approx(1, abs=0.03)


def test_the_ratio_of_a_composite_is_that_of_the_summed_hazards():
    row = predictor_in_composite(rng(), switch_ratio=8.0, worsening_ratio=1.0, **COHORT)
    assert row["composite_hr"] == pytest.approx((0.055 + 0.064) / (0.055 + 0.008), rel=0.03)
    assert row["worsening_hr"] == pytest.approx(1, abs=0.03)


def test_a_rescue_that_works_hides_the_marker_from_worsening():
    marker = {"switch_ratio": 20.0, "worsening_ratio": 1.5}
    kept, rescued = (
        predictor_in_composite(rng(), after_switch=f, **marker, **COHORT)["worsening_hr"] for f in (1, 0.3)
    )
    assert kept == pytest.approx(1.5, rel=0.05) and rescued < kept - 0.05


def test_power_is_that_of_the_schoenfeld_formula():
    row = predictor_in_composite(rng(), switch_ratio=1.0, worsening_ratio=1.5, **COHORT | {"switch": 0.0})
    risk = 0.8 * -math.expm1(-0.055 * 3) + 0.2 * -math.expm1(-0.055 * 1.5 * 3)
    expected = schoenfeld_power(1.5, 1000 * risk, alloc=0.2)
    assert abs(row["composite_power"] - expected) < FAR * row["composite_se"] + 0.03  # the formula is approximate


def test_choosing_among_cutoffs_finds_too_much_and_a_fixed_one_does_not():
    fixed, chosen = (chosen_cutoff(rng(), 1000, 0.07, true_hr=1.0, offered=n) for n in (1, 8))
    assert stats.binomtest(round(fixed["significant"] * 400), 400, 0.05).pvalue > 1e-4
    assert stats.binomtest(round(chosen["significant"] * 400), 400, 0.05, alternative="greater").pvalue < 1e-4
    assert fixed["right"] == 1 and chosen["right"] < 0.5


def test_what_passes_the_test_overstates_a_weak_effect():
    assert chosen_cutoff(rng(), 500, 0.07, true_hr=1.25, offered=1)["published"] > 1.4


def test_a_drug_that_works_in_some_makes_lesions_foretell_what_they_always_caused():
    row = treatment_sorts(rng(), lesions=6.0, spread=0.0, fleeting=0.0, responders=0.5, hit=0.02)
    assert abs(math.log(row["off"])) < FAR * row["off_se"]
    assert row["on"] > 3
