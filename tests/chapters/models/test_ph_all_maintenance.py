"""Simulated cohorts against closed forms, and the row-wise statistics against the exact ones."""

import math
from fractions import Fraction
from itertools import combinations, combinations_with_replacement

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr, ndtri
from scipy.stats import norm
from statsmodels.duration.hazard_regression import PHReg

from chapters.models.monte_carlo import median_with_error
from chapters.models.ph_all_maintenance import (
    Allocation,
    Cohorts,
    Frailty,
    Like,
    at_ends,
    cohorts,
    coxes,
    extremes,
    holds,
    log_ranks,
    medians,
    possible_times,
    proportionality,
    restricted_means,
    shares_alike,
    without_effect,
)
from whichdata.compare import cox_hr, log_rank
from whichdata.orders import PartlyKnown, orders
from whichdata.printed import Interval
from whichdata.survival import kaplan_meier

NEVER_CENSORED = (1e9, 1e9)


def by_integral(hazards: Frailty, t: float) -> float:
    def slice_(z):
        return math.exp(-hazards.rate * t * math.exp(hazards.spread * z)) * norm.pdf(z)

    return quad(slice_, -12, 12, epsabs=1e-12)[0]


@pytest.mark.parametrize("spread", [0.0, 0.5, 2.0])
def test_survival_is_the_mean_over_patients(spread):
    hazards = Frailty(0.8, spread)
    for t in (0.0, 0.3, 2.0, 9.0):
        assert hazards.survival(t) == pytest.approx(by_integral(hazards, t), abs=2e-5)


def test_without_spread_the_hazard_is_constant():
    assert Frailty(0.5, 0).survival(np.array([0.0, 2.0])) == pytest.approx([1, math.exp(-1)])


def test_through_passes_through_both_points():
    hazards = Frailty.through((0.75, 0.5), (7.0, 1 / 6))
    assert hazards.survival(np.array([0.75, 7.0])) == pytest.approx([0.5, 1 / 6], abs=1e-9)


@pytest.mark.parametrize(
    "points, says",
    [
        (((1, 0.5), (2, 0.2)), "faster than under one constant hazard"),
        (((1, 0.5), (0.5, 0.2)), "must fall"),
        (((1, 0.5), (2, 0.0)), "survival"),
        (((0, 0.5), (2, 0.3)), "time"),
    ],
)
def test_through_refuses_what_no_spread_fits(points, says):
    with pytest.raises(ValueError, match=says):
        Frailty.through(*points)


def mean_and_error(values) -> tuple[float, float]:
    return values.mean(), values.std() / math.sqrt(values.size)


def test_waiting_adds_itself_to_the_mean_of_the_treated():
    """A constant hazard forgets: those alive at w live w + 1/λ on average."""
    hazards, wait = Frailty(0.7, 0), 0.4
    drawn = cohorts(np.random.default_rng(1), 2000, 19, 12, hazards, Allocation(0.6, 0, wait), NEVER_CENSORED)
    mean, error = mean_and_error(drawn.time[:, drawn.treated])
    assert mean == pytest.approx(wait + 1 / 0.7, abs=4 * error)
    assert drawn.time[:, drawn.treated].min() > wait


@pytest.mark.parametrize("early", ["control", "excluded"])
def test_early_events_fall_to_the_controls_or_to_nobody(early):
    hazards, wait, share = Frailty(0.7, 0), 0.4, 0.6
    drawn = cohorts(np.random.default_rng(2), 4000, 19, 12, hazards, Allocation(share, 0, wait, early), NEVER_CENSORED)
    found, error = mean_and_error(drawn.time[:, ~drawn.treated] <= wait)
    before = 1 - math.exp(-0.7 * wait)
    expected = before / (1 - share + share * before) if early == "control" else before
    assert found == pytest.approx(expected, abs=4 * error)


def test_full_insight_gives_the_better_share_to_treatment():
    """With insight 1 the treated are those with z below the share's quantile; survival is that part's integral."""
    hazards, share, t = Frailty(0.7, 1.5), 0.6, 1.0
    drawn = cohorts(np.random.default_rng(3), 4000, 19, 12, hazards, Allocation(share, 1.0), NEVER_CENSORED)
    found, error = mean_and_error(drawn.time[:, drawn.treated] > t)
    cut = ndtri(share)
    expected = quad(lambda z: math.exp(-0.7 * t * math.exp(1.5 * z)) * norm.pdf(z), -12, cut)[0] / ndtr(cut)
    assert found == pytest.approx(expected, abs=4 * error)


def test_without_selection_groups_differ_by_chance_only():
    drawn = cohorts(np.random.default_rng(4), 8000, 19, 12, Frailty(0.7, 2), Allocation(0.6), (6.0, 10.0))
    z = log_ranks(*drawn).z
    mean, error = mean_and_error(z)
    assert mean == pytest.approx(0, abs=4 * error)
    rejected = np.mean(np.abs(z) > 1.96)
    assert rejected == pytest.approx(0.05, abs=0.015)


def test_follow_up_ends_where_it_should():
    drawn = cohorts(np.random.default_rng(5), 500, 19, 12, Frailty(0.01, 0), Allocation(0.6), (6.0, 10.0))
    censored = drawn.time[~drawn.event]
    assert censored.size and censored.min() >= 6 and drawn.time.max() <= 10


def test_rows_agree_with_the_exact_statistics():
    drawn: Cohorts = cohorts(np.random.default_rng(6), 25, 9, 7, Frailty(0.3, 1), Allocation(0.5, 0.5), (1.0, 4.0))
    rows, middle = log_ranks(*drawn), medians(drawn.time, drawn.event)
    for i, (time, event) in enumerate(zip(drawn.time, drawn.event)):
        exact = log_rank(time, event.astype(int), drawn.treated)
        assert rows.o_minus_e[i] == pytest.approx(float(exact.o_minus_e), abs=1e-9)
        assert rows.variance[i] == pytest.approx(float(exact.variance), abs=1e-9)
        assert rows.peto[i] == pytest.approx(math.log(exact.peto_hr), abs=1e-9)
        ratio = [float(o / e) for o, e in zip(exact.observed, exact.expected)]
        assert rows.observed_to_expected[i] == pytest.approx(math.log(ratio[1] / ratio[0]), abs=1e-9)
        median = kaplan_meier(time, event.astype(int)).median()
        assert middle[i] == pytest.approx(math.inf if median is None else float(median))


def test_cox_of_rows_is_that_of_two_other_implementations():
    drawn = cohorts(np.random.default_rng(11), 40, 19, 12, Frailty(0.7, 1.5), Allocation(0.6, 0.3, 0.3), (6.5, 10.4))
    found = coxes(*drawn)
    for i, (time, event) in enumerate(zip(drawn.time, drawn.event)):
        assert found.log_hr[i] == pytest.approx(math.log(cox_hr(time, event.astype(int), drawn.treated)), abs=1e-9)
        theirs = PHReg(time, drawn.treated.astype(float), status=event.astype(int), ties="efron").fit()
        assert found.log_hr[i] == pytest.approx(theirs.params[0], abs=1e-5)
        assert found.se[i] == pytest.approx(theirs.bse[0], rel=1e-4)


def test_cox_without_a_maximum_is_infinite():
    times, event = np.arange(1.0, 5.0)[None], np.ones((1, 4))
    for treated, says in (([1, 1, 0, 0], math.inf), ([0, 0, 1, 1], -math.inf)):
        found = coxes(times, event, np.array(treated))
        assert found.log_hr[0] == says and cox_hr(times[0], [1] * 4, treated) == math.exp(says)
        assert found.se[0] == math.inf
    assert math.isnan(coxes(times, np.zeros((1, 4)), np.array([0, 1, 0, 1])).log_hr[0])


@pytest.mark.parametrize("convention", ["le", "midpoint", "lt"])
def test_medians_of_rows_by_convention(convention):
    rng = np.random.default_rng(12)
    time, event = np.sort(rng.integers(1, 40, (60, 12)) + rng.random((60, 12)), axis=1), rng.random((60, 12)) < 0.7
    time[:20], event[:20] = np.arange(1, 13), True  # an even number of events: the curve rests at one half
    for row, flags, found in zip(time, event, medians(time, event, convention)):
        exact = kaplan_meier(row, flags.astype(int)).quantile(Fraction(1, 2), convention)
        assert found == pytest.approx(math.inf if exact is None else float(exact))


def test_the_median_is_reached_at_exactly_one_half():
    times = np.arange(1.0, 13.0)[None]
    assert medians(times, np.ones((1, 12)))[0] == 6
    assert medians(times, np.repeat([[1, 0]], [5, 7], axis=1))[0] == math.inf


def test_nothing_compared_is_no_difference():
    assert log_ranks(np.array([[1.0, 2.0]]), np.array([[0, 0]]), np.array([1, 0])).z[0] == 0


def test_tied_events_are_refused():
    with pytest.raises(ValueError, match="two events at one time"):
        log_ranks(np.array([[1.0, 1.0, 2.0]]), np.array([[1, 1, 0]]), np.array([1, 0, 0]))


@pytest.mark.parametrize(
    "allocation, follow_up, says",
    [
        (Allocation(1.0), (6, 10), "share"),
        (Allocation(0.5, 1.2), (6, 10), "insight"),
        (Allocation(0.5, 0, -1), (6, 10), "waiting"),
        (Allocation(0.5, early="dropped"), (6, 10), "early"),
        (Allocation(0.5), (10, 6), "follow-up"),
        (Allocation(0.5, 0, 50.0), (60, 60), "too few candidates"),
    ],
)
def test_what_cannot_be_is_refused(allocation, follow_up, says):
    with pytest.raises(ValueError, match=says):
        cohorts(np.random.default_rng(0), 5, 19, 12, Frailty(1, 0), allocation, follow_up)


def test_the_error_of_a_median_is_its_scatter():
    """Against the asymptotic 1/(2 f(m) √n), for a normal and for an exponential."""
    rng = np.random.default_rng(7)
    for draw, density in ((rng.standard_normal, norm.pdf(0)), (rng.standard_exponential, 0.5)):
        errors = [median_with_error(draw(4000))[1] for _ in range(40)]
        assert np.mean(errors) == pytest.approx(1 / (2 * density * math.sqrt(4000)), rel=0.1)


def test_studies_without_selection_show_chance_only():
    rng = np.random.default_rng(8)
    found = without_effect(rng, 40, 40, 0.5, 1.0, 0.0, 0.0, "control", 6, 10, ratio=1.0, repetitions=4000)
    assert found["hazard_ratio"] == pytest.approx(1, abs=4 * found["hazard_ratio_se"])
    assert found["as_extreme_p"] == pytest.approx(0.025, abs=4 * math.sqrt(0.025 * 0.975 / 4000))
    assert found["as_large_ratio"] == pytest.approx(0.5, abs=4 * math.sqrt(0.25 / 4000))


def test_the_printed_error_is_the_scatter_of_repeated_runs():
    runs = [
        without_effect(np.random.default_rng(k), 19, 12, 0.5, 1.5, 0.2, 0.2, "excluded", 6, 10, repetitions=400)
        for k in range(40)
    ]
    scatter = np.std([r["hazard_ratio"] for r in runs], ddof=1)
    assert np.mean([r["hazard_ratio_se"] for r in runs]) == pytest.approx(scatter, rel=0.4)


def test_selection_makes_a_difference_that_is_not_there():
    """Waiting favours the treated, the more so if their early events are filed as the controls'."""
    waits = [
        without_effect(np.random.default_rng(9), 30, 30, 0.7, 0.0, 0.0, wait, early, 6, 10)["hazard_ratio"]
        for wait, early in ((0.0, "excluded"), (0.5, "excluded"), (0.5, "control"))
    ]
    assert waits[0] > waits[1] + 0.1 > waits[2] + 0.2


def between(low, high) -> Interval:
    return Interval(Fraction(low), Fraction(high))


KNOWN = PartlyKnown(
    6, 2, (between("7.85", "7.95"), between(9, 10)), between("0.35", "0.45"), between(4, 6), between(2, "2.5")
)
HALFWAY = PartlyKnown(
    6, 0, (between("6.2", "6.5"), between("6.6", 7)), between(0, "0.5"), between(0, 6), between(1, "1.2"), "midpoint"
)


@pytest.mark.parametrize("group", [KNOWN, HALFWAY])
def test_possible_times_have_what_is_known(group):
    time, event = possible_times(np.random.default_rng(13), group, 400)
    assert len(time) > 50
    for row, flags in zip(time[:50], event[:50]):
        curve = kaplan_meier(row, flags.astype(int))
        assert float(curve.quantile(Fraction(1, 2), group.convention)) in group.median
        unknown = row[: group.events + group.losses]
        assert min(unknown) in group.first and max(unknown) in group.last
        assert all(t in k for t, k in zip(row[len(unknown) :], group.censored)) and flags.sum() == group.events
    assert not holds(group, time + 3, event).any()


def test_the_search_ends_where_all_orders_do():
    """Three against four patients: every order of their events, Cox by another implementation."""
    first, second, z = PartlyKnown(3), PartlyKnown(4), (-1.6, 1.6)
    found = []
    for places in combinations(range(7), 3):
        group = [int(k in places) for k in range(7)]
        exact = log_rank(range(1, 8), [1] * 7, group)
        if abs(exact.o_minus_e) <= 1.6 * math.sqrt(exact.variance):
            found.append(cox_hr(range(1, 8), [1] * 7, group))
    ends = extremes(np.random.default_rng(14), first, second, "cox", z, rounds=20, size=400)
    assert (ends.low, ends.high) == pytest.approx((min(found), max(found)), rel=1e-6)


def test_the_search_stays_within_exact_bounds_and_reaches_them():
    other = PartlyKnown(6, 0, HALFWAY.censored, HALFWAY.first, HALFWAY.last, HALFWAY.median)
    exact = orders(KNOWN, other)
    free = extremes(np.random.default_rng(15), KNOWN, other, "peto", size=1000)
    assert (free.low, free.high) == pytest.approx(exact.hr, rel=1e-6)
    low, high = exact.hr_where(-1.9, -1.2)
    some = extremes(np.random.default_rng(16), KNOWN, other, "peto", (-1.9, -1.2), size=1000)
    assert low - 1e-9 <= some.low < low * 1.1 and high * 0.9 < some.high <= high + 1e-9
    cox = extremes(np.random.default_rng(16), KNOWN, other, "cox", (-1.9, -1.2), size=1000)
    assert cox.low > some.low and cox.high > some.high  # Peto's ratio lies farther from no effect


def test_a_search_for_nothing_is_refused():
    with pytest.raises(ValueError, match="log-rank statistic asked for"):
        extremes(np.random.default_rng(17), KNOWN, HALFWAY, "cox", (-9, -8), rounds=2, size=50)
    with pytest.raises(ValueError, match="known of each group"):
        never = PartlyKnown(3, 0, (), between(5, 6), between(5, 6), between(1, 2))
        extremes(np.random.default_rng(17), never, HALFWAY, rounds=2, size=50)


def test_the_restricted_mean_is_the_area_under_the_exact_curve():
    rng = np.random.default_rng(31)
    time, event = rng.permuted(np.tile(np.arange(1, 13), (200, 1)), axis=1), rng.random((200, 12)) < 0.7
    for horizon in (4, 7, 20):
        exact = [
            float(kaplan_meier(t.tolist(), e.astype(int).tolist()).rmst(horizon).mean) for t, e in zip(time, event)
        ]
        assert restricted_means(time, event, horizon) == pytest.approx(exact)


@pytest.mark.parametrize("n, ongoing, convention", [(7, 2, "le"), (9, 1, "le"), (8, 2, "midpoint"), (6, 1, "midpoint")])
def test_no_data_set_has_less_or_more_time_than_the_ends(n, ongoing, convention):
    """Every data set on a grid with a first event, a median, a last event and what goes on: the area under its curve."""
    grid, half, horizon = range(1, 9), 4, 9
    late = [9 + k for k in range(ongoing)]
    known = lambda k: Interval(Fraction(k), Fraction(k))
    group = PartlyKnown(
        n - ongoing, 0, tuple(map(known, late)), known(1), Interval(Fraction(4), Fraction(8)), known(half), convention
    )
    areas = []
    for ends in combinations_with_replacement(grid, n - ongoing):
        km = kaplan_meier([*ends, *late], [1] * (n - ongoing) + [0] * ongoing)
        if ends[0] == 1 and ends[-1] >= 4 and km.median(convention) == half:
            areas.append(float(km.rmst(horizon).mean))
    low, high = (float(restricted_means(t[None], e[None], horizon)[0]) for t, e in at_ends(group))
    assert min(areas) == pytest.approx(low) and max(areas) == pytest.approx(high)


def test_proportionality_is_that_of_r():
    """R 4.2.2, survival 3.5-3: cox.zph(coxph(Surv(t, e) ~ g), transform = "rank")."""
    time = [0.5, 1.1, 1.9, 2.4, 3.3, 4.2, 5.1, 6.5, 0.2, 0.9, 1.4, 1.6, 2.2, 3.9, 7.7]
    event = [1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 1]
    assert proportionality(np.array([time]), np.array([event]), np.repeat([1, 0], [8, 7])) == pytest.approx(
        0.2405140368, abs=1e-8
    )


@pytest.mark.parametrize("early", ["control", "excluded"])
def test_shares_of_studies_like_the_one_reported(early):
    """The same studies, drawn by ``cohorts``, each looked at by itself."""
    hazards, follow_up = Frailty(0.5, 1.2), (5.0, 8.0)
    like = Like((0.1, 1.5), (0.8, 4.0), (1, 6)), Like((0, 0.8), (0.3, 2.5), (0, 3), "midpoint")
    allocation = Allocation(0.6, 0.3, 0.2, early)
    share, error = shares_alike(
        np.random.default_rng(1), (9, 6), [hazards], [allocation], follow_up, like, (-2.0, -0.5), candidates=60_000
    )[0]
    drawn = cohorts(np.random.default_rng(2), 4000, 9, 6, hazards, allocation, follow_up)
    alike = 0
    for time, event in zip(drawn.time, drawn.event):
        parts = [(time[group].tolist(), event[group].astype(int).tolist()) for group in (drawn.treated, ~drawn.treated)]
        test = log_rank(time.tolist(), event.astype(int).tolist(), drawn.treated.astype(int).tolist())
        z = float(test.o_minus_e) / math.sqrt(test.variance)
        good = -2.0 <= z <= -0.5
        for (t, e), what in zip(parts, like):
            middle, first = (
                kaplan_meier(t, e).median(what.convention),
                min((x for x, y in zip(t, e) if y), default=math.inf),
            )
            good &= middle is not None and what.median[0] <= middle <= what.median[1]
            good &= what.first[0] <= first <= what.first[1] and what.ongoing[0] <= len(e) - sum(e) <= what.ongoing[1]
        alike += good
    expected = alike / 4000
    assert share == pytest.approx(expected, abs=4 * math.hypot(error, math.sqrt(expected * (1 - expected) / 4000)))


def test_an_effect_lengthens_what_comes_after_treatment_begins():
    """A constant hazard: the treated of an effect of a half wait, then live twice as long; the median is w + ln 2 / (λ/2)."""
    hazards, wait = Frailty(0.7, 0), 0.4
    middle = wait + math.log(2) / 0.35
    like = Like((0, 99), (middle - 0.05, middle + 0.05), (0, 99)), Like((0, 99), (0, 99), (0, 99))
    share = lambda effect: shares_alike(
        np.random.default_rng(3),
        (401, 20),
        [hazards],
        [Allocation(0.95, 0, wait, "excluded")],
        (98, 99),
        like,
        (-99, 99),
        effect,
        400_000,
    )[0, 0]
    assert share(0.5) > 0.2 and share(1.0) == 0
