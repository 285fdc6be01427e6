"""Checks on survival data and feasible sets."""

import math
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction

from whichdata.checks import check
from whichdata.compare import cox_hr, log_rank, log_rank_permutation
from whichdata.effects import logrank_variances, z_from_p
from whichdata.feasible import FeasibleSet, curve_can_be
from whichdata.given import (
    MOST_COUNTS,
    check_choice,
    check_count,
    check_list,
    check_number,
    read_percentage,
    read_value,
)
from whichdata.pairs import TwoGroups
from whichdata.printed import Interval, Printed, check_rounding
from whichdata.reconstruct import exact_reconstruction, guyot
from whichdata.summaries import NOT_REACHED, AtRisk, Events, EventTimes, KMMedian, NoCensoring, Range, SurvivalAt
from whichdata.survival import exact_time, kaplan_meier

MEDIAN_CONVENTIONS = {
    "first time with S<=1/2": "le",
    "first_time_S_le_half": "le",
    "first time with S<1/2": "lt",
    "first_time_S_lt_half": "lt",
    "r_midpoint": "midpoint",
    "R midpoint": "midpoint",
}
DEFAULT_MEDIAN = "first time with S<=1/2"
# What may be printed of one group, beside its size.
FIGURES = ("survival_percent_at", "median", "events", "number_at_risk_at", "event_times", "min", "max")
APPROXIMATIONS = {
    "equal_alloc": "approx_from_p_events_equal_alloc",
    "events_by_arm": "approx_v_from_events_by_arm",
    "numbers_randomised": "approx_v_from_numbers_randomised",
}
CURVE = "right-continuous Kaplan-Meier curve, events before censorings at equal times"
SEED, DRAWS = 1, 5_000
DRAWN_PATIENTS = 400_000  # in all pairs drawn; fewer pairs of larger groups
DRAWN_TIMES = 4_000_000  # times of the grid in all pairs drawn


@check
def hr_from_logrank(
    time=None,
    event=None,
    group=None,
    events_by_arm=None,
    n_by_arm=None,
    logrank_p=None,
    direction="second level versus first",
    favours="second",
):
    """Which hazard ratio does a log-rank test imply, by Peto's method and its approximations?

    Peto's hazard ratio, its approximations from totals and p [Tierney2007], and Cox [Cox1972] with Efron's ties. Without ``time``, ``event``
    and ``group`` only the approximations, towards the group that ``favours`` names.

    Example: 'events_by_arm=[7, 5]' 'n_by_arm=[13, 13]' logrank_p=0.30
    """
    second = _second_versus_first(direction)
    turn = 1 if second else -1
    check_choice("group that p favours", favours, ("first", "second"))
    result = {}
    if time is not None:
        test = log_rank(time, event or [], group or [])
        events_by_arm, n_by_arm = _counted(test.observed, group, events_by_arm, n_by_arm)
        logrank_p = test.p if logrank_p is None else logrank_p
        favours = "second" if test.o_minus_e < 0 else "first"
        result = {
            "o_minus_e": turn * test.o_minus_e,
            "variance": test.variance,
            "peto_hr": test.peto_hr**turn,
            "peto_ci95": sorted(limit**turn for limit in test.peto_interval()),
        }
    if events_by_arm is None or n_by_arm is None or logrank_p is None:
        raise ValueError("give time, event and group, or events_by_arm, n_by_arm and logrank_p")
    z = turn * z_from_p(_p_value(logrank_p)) * (-1 if favours == "second" else 1)
    events_by_arm, n_by_arm = _pair("events_by_arm", events_by_arm), _pair("n_by_arm", n_by_arm)
    for kind, v in logrank_variances(events_by_arm=events_by_arm, n_by_arm=n_by_arm).items():
        result[APPROXIMATIONS[kind]] = {"v": v, "hr": math.exp(z / math.sqrt(v)) if v else None}
    if time is not None:
        hr = cox_hr(time, event, group)
        result["cox_efron_hr"] = hr**turn if hr or second else math.inf
    return result, (
        f"effects are {'second against first' if second else 'first against second'} level; unweighted log-rank; "
        "Peto's exp((O-E)/V); approximations by V = d/4, d1 d2/d, d n1 n2/N^2; Cox with Efron's ties (null: infinite)"
    )


@check
def logrank_permutation_exact(time1, event1, time2, event2):
    """What is the exact permutation p value of a log-rank test?

    Every relabelling of the pooled data, by |O − E| at least as large as observed.

    Example: 'time1=[3, 5, 7]' 'event1=[1, 1, 0]' 'time2=[1, 2, 2, 4]' 'event2=[1, 1, 1, 0]'
    """
    time1, event1, time2, event2 = (
        check_list(name, values)
        for name, values in (("time1", time1), ("event1", event1), ("time2", time2), ("event2", event2))
    )
    time, event = time1 + time2, event1 + event2
    if len(time1) != len(event1) or len(time2) != len(event2):
        raise ValueError("each group needs one event flag for each time")
    if not time1 or not time2:
        raise ValueError("both groups need at least one patient")
    group = [1] * len(time1) + [2] * len(time2)
    permuted, test = log_rank_permutation(time, event, group), log_rank(time, event, group)
    return {
        "observed_O_minus_E_group1": permuted.o_minus_e_first,
        "n_permutations": permuted.n_permutations,
        "n_as_extreme": permuted.n_as_extreme,
        "p": permuted.p,
        "asymptotic_chisq": test.chi_squared,
        "asymptotic_p": test.p,
    }, "two-sided by |O-E| over all relabellings (exact arithmetic); asymptotic: chi-squared with 1 degree of freedom"


@check
def logrank_feasible_set(
    arm1,
    arm2,
    times,
    censoring=True,
    median_convention=DEFAULT_MEDIAN,
    logrank_p: str | None = None,
    rounding="up_or_down",
    limit=20_000_000,
):
    """Which log-rank p values are possible given what is reported of each arm?

    All pairs of data sets that print both arms' summaries: the range of p, and how many print the p given.

    Example: 'arm1={"n": 4, "median": 6}' 'arm2={"n": 4, "median": 2}' 'times=integers 1..8' logrank_p=0.03
    """
    printed = None if logrank_p is None else Printed.parse(logrank_p).interval(rounding)
    arms = []
    for name, arm in (("arm1", arm1), ("arm2", arm2)):
        if not isinstance(arm, Mapping):
            raise ValueError(f'{name} is an object such as {{"n": 4, "median": 6}}')
        if "n" not in arm or not set(arm) <= {"n", *FIGURES}:
            raise ValueError(f"{name} takes n and any of {', '.join(FIGURES)}; given: {', '.join(arm)}")
        arms.append(_feasible(arm["n"], times, arm, censoring, median_convention, rounding))
    pairs = TwoGroups(*arms)
    result = {"n_arm1": arms[0].count(), "n_arm2": arms[1].count(), "n_pairs": pairs.n_pairs}
    how = f"{CURVE}; asymptotic two-sided log-rank p (1 where nothing can be compared); median: {median_convention}"
    if not pairs.n_pairs:
        return result | {"min_p": None, "max_p": None, "pairs_compatible_with_p": 0}, how
    affordable = min(DRAWN_PATIENTS // (arms[0].n + arms[1].n), DRAWN_TIMES // len(arms[0].times))
    draws = min(DRAWS, max(100, affordable))
    p = pairs.log_rank_p(printed, limit=check_count("limit", limit), draws=draws, rng=SEED)
    result |= {"min_p": p.low, "max_p": p.high, "pairs_compatible_with_p": p.compatible if p.exact else None}
    if not p.exact:
        result |= {"exact": False, "pairs_drawn": p.evaluated, "share_compatible": p.share, "share_se": p.share_se}
        how += f"; {p.evaluated} uniform draws (seed {SEED}), so the range of p is an inner one"
    return result, how


@check
def km_granularity(n, percent: str, censoring_before=False, rounding="up_or_down"):
    """Can a Kaplan–Meier estimate with n patients be reported as this percentage?

    Example: n=7 percent=60
    """
    values = read_percentage(percent).interval(rounding).scaled(Fraction(1, 100))
    return {"consistent": curve_can_be(n, values, bool(censoring_before))}, (
        f"rounding {rounding}; " + ("censoring before that time allowed" if censoring_before else "a count over n")
    )


@check
def km_feasible_count(
    n,
    times,
    survival_percent_at: dict[str, str] | None = None,
    median: str | None = None,
    events=None,
    number_at_risk_at=None,
    censoring=True,
    median_convention=DEFAULT_MEDIAN,
    event_times: list[str] | None = None,
    min: str | None = None,
    max: str | None = None,
    rounding="up_or_down",
):
    """How many survival data sets are consistent with everything reported of a group?

    All data sets on the grid that print all the figures, and how many of them have each number of events.

    Example: n=12 'times=integers 1..12' 'survival_percent_at={"6": 74}' median=9 events=8
    """
    given = survival_percent_at, median, events, number_at_risk_at, event_times, min, max
    feasible = _feasible(n, times, dict(zip(FIGURES, given)), censoring, median_convention, rounding)
    by_events = feasible.by_events()
    total = sum(by_events.values())
    return {"n_datasets": total, "by_events": by_events, "consistent": total > 0}, (
        f"multisets of (time, status) on the grid; {CURVE}; at risk at t: time >= t; median: {median_convention}; "
        f"rounding {rounding}"
    )


@check
def km_median_conventions(time, event):
    """What is the median survival time by each convention?

    "NR" where the median is not reached.

    Example: 'time=[1, 2, 3, 4]' 'event=[1, 1, 1, 1]'
    """
    curve = kaplan_meier(time, event)
    conventions = {"first_time_S_le_half": "le", "r_midpoint": "midpoint", "first_time_S_lt_half": "lt"}
    found = {name: curve.median(convention) for name, convention in conventions.items()}
    return {name: NOT_REACHED if t is None else t for name, t in found.items()}, (
        "exact fractions; r_midpoint: the middle of a run at exactly 1/2, its start where the curve never falls further"
    )


@check
def km_reconstruction_exact(
    n, curve_steps: list[tuple[float, str]], events=None, number_at_risk=None, note_on_times=None, rounding="up_or_down"
):
    """Which events and numbers at risk lie behind the printed steps of a Kaplan–Meier curve?

    ``unique`` if only one way fits the printed values.

    Example: n=4 'curve_steps=[[2, 0.75], [5, 0.38]]'
    """
    steps = [(_time(t), _proportion(s, rounding)) for t, s in _points("curve_steps", curve_steps)]
    rows = _at_risk_rows(number_at_risk)
    total = None if events is None else check_count("events", events)
    found = exact_reconstruction(check_count("n", n, least=1), steps, rows, total)
    first = found.solutions[0] if found.solutions else ()
    result = {
        "events_at": {_name(t): d for t, (_, d) in zip(found.times, first)},
        "at_risk_before_each_event": {_name(t): r for t, (r, _) in zip(found.times, first)},
        "unique": found.unique,
    }
    if not found.unique:
        result["n_solutions"] = found.n_solutions
    return result, (
        f"events at the listed times only, at least one at each; rounding {rounding}; at risk at t: time >= t"
        + ("" if found.unique or not first else "; the first of the solutions is shown")
    )


@check
def km_reconstruction_guyot(curve: list[tuple[float, str]], number_at_risk, total_events=None):
    """Which individual survival times approximate a digitised Kaplan–Meier curve?

    One data set near a read-off curve, by the iterative algorithm of [Guyot2012].

    Example: 'curve=[[0, 1], [3, 0.80], [6, 0.55]]' 'number_at_risk={"0": 20, "6": 12}'
    """
    points = [(_time(t), _read_off(s)) for t, s in _points("curve", curve)]
    rows = {t: check_count(f"the number at risk at {_name(t)}", r, most=MOST_COUNTS)
            for t, r in _at_risk_rows(number_at_risk).items()}  # fmt: skip
    total = None if total_events is None else check_count("total_events", total_events)
    found = guyot(points, rows, total)
    return {"time": found.time, "event": found.event}, (
        "iterative reconstruction, an approximation: censorings spread evenly between numbers at risk; sorted by time"
    )


@check
def rmst_se(time, event, tau):
    """What is the restricted mean survival time up to tau, with its standard error?

    Example: 'time=[9, 13, 13, 18, 23]' 'event=[1, 1, 0, 1, 1]' tau=12
    """
    curve = kaplan_meier(time, event)
    found = [curve.rmst(t) for t in (tau if isinstance(tau, Sequence) and not isinstance(tau, str) else [tau])]
    beyond = [_name(r.tau) for r in found if r.beyond_follow_up]
    return {"rmst": [r.mean for r in found], "se": [r.se for r in found]}, (
        "area under the Kaplan-Meier curve; variance from Greenwood's terms, without a small-sample factor"
        + (f"; the curve is carried on flat to {', '.join(beyond)}, beyond the last observation" if beyond else "")
    )


def _feasible(n, times, given: Mapping, censoring: bool, convention: str, rounding: str) -> FeasibleSet:
    """The data sets that print the ``given`` figures, by name as in ``FIGURES`` (absent or None: not printed)."""
    check_rounding(rounding)
    if not isinstance(convention, str) or convention not in MEDIAN_CONVENTIONS:
        raise ValueError(f"no median convention named {convention!r}; known: {', '.join(MEDIAN_CONVENTIONS)}")
    n, summaries = check_count("n", n, least=1), {}
    survival, median, events, at_risk, event_times, first, last = (given.get(name) for name in FIGURES)
    for t, percent in _by_time("survival_percent_at", survival).items():
        read_percentage(percent)
        summaries[f"survival at {t}"] = SurvivalAt(_time(t), percent, rounding=rounding)
    for t, count in _by_time("number_at_risk_at", at_risk).items():
        summaries[f"at risk at {t}"] = AtRisk(_time(t), check_count(f"the number at risk at {t}", count, most=n))
    if median is not None:
        summaries["median"] = KMMedian(median, MEDIAN_CONVENTIONS[convention], rounding=rounding)
    if events is not None:
        summaries["events"] = Events(check_count("events", events, most=n))
    if event_times is not None:
        summaries["event times"] = EventTimes(tuple(check_list("event_times", event_times)), rounding)
    if first is not None or last is not None:
        summaries["range"] = Range("all", first, last, rounding)
    if not censoring:
        summaries["no censoring"] = NoCensoring()
    return FeasibleSet(n, _grid(times), summaries)


def _by_time(name: str, given) -> Mapping:
    """Figures by time; none if none are given."""
    if given is not None and not isinstance(given, Mapping):
        raise ValueError(f'{name} is an object from times to figures, such as {{"6": "70"}}')
    return given or {}


def _at_risk_rows(number_at_risk) -> dict[Fraction, int]:
    rows = _by_time("number_at_risk", number_at_risk)
    return {_time(t): check_count("a number at risk", r) for t, r in rows.items()}


def _points(name: str, curve) -> list:
    points = check_list(name, curve)
    if not all(isinstance(point, Sequence) and not isinstance(point, str) and len(point) == 2 for point in points):
        raise ValueError(f'{name} is a list of points [time, "S"], such as [[6, "0.70"]]')
    return points


def _grid(times) -> list[Fraction]:
    if isinstance(times, str):
        match = re.fullmatch(r"integers (\d+) ?\.\. ?(\d+)", times.strip())
        if not match or int(match[1]) > int(match[2]):
            raise ValueError(f'the grid {times!r} is not of the form "integers 1..12"; or give a list of times')
        first, last = int(match[1]), int(match[2])
        if last - first >= 100_000:
            raise ValueError(f"a grid of {last - first + 1:,} times is too fine; at most 100,000")
        return [Fraction(t) for t in range(first, last + 1)]
    return [exact_time(t) for t in check_list("times", times)]


def _time(given) -> Fraction:
    """A time, which as the key of a JSON object comes as text."""
    return exact_time(read_value("time", given).value if isinstance(given, str) else given)


def _name(t: Fraction) -> str:
    return str(t.numerator) if t.denominator == 1 else str(float(t))


def _proportion(text: str, rounding: str) -> Interval:
    printed = Printed.parse(text)
    if printed.value is None or not 0 <= printed.value <= (100 if printed.percent else 1):
        raise ValueError(f"{text!r} is no survival proportion; give 0 to 1, or a per cent sign")
    return printed.interval(rounding).scaled(Fraction(1, 100) if printed.percent else 1)


def _read_off(given) -> Fraction:
    if not isinstance(given, str):
        return exact_time(given)
    printed = read_value("survival", given)
    return printed.value / 100 if printed.percent else printed.value


def _p_value(given) -> float:
    if isinstance(given, str):
        given = float(read_value("p-value", given).value)
    return check_number("logrank_p", given, above=0, most=1)


def _counted(events: tuple[int, int], group, events_by_arm, n_by_arm) -> tuple[list[int], list[int]]:
    """Events and patients of each group in the data; ValueError if those given as well are others."""
    labels = sorted(set(group))
    events, n = list(events), [list(group).count(label) for label in labels]
    for name, given, counted in (("events_by_arm", events_by_arm, events), ("n_by_arm", n_by_arm, n)):
        if given is not None and list(_pair(name, given)) != counted:
            raise ValueError(f"{name} says {given}, but the data have {counted} in the order {labels}")
    return events, n


def _pair(name: str, counts) -> tuple[int, int]:
    if not isinstance(counts, Sequence) or len(counts) != 2:
        raise ValueError(f"{name} is a list of two counts, first level first")
    return tuple(check_count(name, c) for c in counts)


def _second_versus_first(direction: str) -> bool:
    word = isinstance(direction, str) and re.match(r"\s*(first|second)\b", direction)
    if not word:
        raise ValueError('direction begins with "second" (second level versus first) or "first"')
    return word[1] == "second"
