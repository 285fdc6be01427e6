"""Checks on survival data and feasible sets never deny data that were drawn."""

import inspect
import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from drawn import (
    Cases,
    at,
    curve,
    hold,
    is_p,
    maybe,
    near,
    p_text,
    patients,
    rule,
    some_of,
    text,
    whole,
    within,
)  # fmt: skip
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import CensoredData, logrank

from whichdata.checks import CHECKS, survival
from whichdata.printed import printings

cases = Cases()
OURS = sorted(name for name, f in CHECKS.items() if inspect.getmodule(f) is survival)
MEDIANS = {  # a name the checks know: does the curve count as down to a half when it is, or only below it?
    "first time with S<=1/2": lambda s: s <= Fraction(1, 2),
    "first time with S<1/2": lambda s: s < Fraction(1, 2),
}


@pytest.mark.parametrize("name", OURS)
@given(data=st.data())
def test_what_was_drawn_is_never_called_impossible(name, data):
    hold(cases[name], name, data)


def columns(rows):
    return [t for t, _ in rows], [e for _, e in rows]


def log_rank_p(first, second) -> float:
    """By scipy; 1 where nothing is compared."""
    samples = [
        CensoredData(uncensored=[t for t, e in rows if e], right=[t for t, e in rows if not e])
        for rows in (first, second)
    ]
    with np.errstate(all="ignore"):
        p = float(logrank(*samples).pvalue)
    return 1.0 if math.isnan(p) else min(p, 1.0)


def summaries(draw, rows, last, rounding, convention):
    """Whichever summaries of the patients are printed, in the words of the checks."""
    steps, (time, event) = curve(rows), columns(rows)
    down = MEDIANS[convention]
    reached = next((t for t, s in sorted(steps.items()) if down(s)), None)
    landmarks = sorted(draw(st.sets(st.integers(1, last), max_size=2)))
    printed = {
        "survival_percent_at": {str(t): text(draw, 100 * at(steps, t), whole(draw, 0, 1), rounding) for t in landmarks},
        "number_at_risk_at": {str(t): sum(u >= t for u in time) for t in landmarks},
        "median": "NR" if reached is None else draw(st.sampled_from([reached, str(reached)])),
        "events": sum(event),
        "event_times": [t for t, e in rows if e],
        "min": min(time),
        "max": text(draw, max(time), 0, rounding),
    }
    return some_of(draw, printed)


@cases.of
def km_feasible_count(draw):
    last, rounding, convention = whole(draw, 1, 9), rule(draw), draw(st.sampled_from(sorted(MEDIANS)))
    rows = patients(draw, last, 1, 7)
    nobody_lost = all(e for _, e in rows)
    inputs = summaries(draw, rows, last, rounding, convention)
    inputs |= {"n": len(rows), "times": f"integers 1..{last}", "rounding": rounding, "median_convention": convention}
    inputs["censoring"] = not nobody_lost or maybe(draw)
    deaths = str(sum(e for _, e in rows))
    return inputs, lambda found: found["consistent"] and found["by_events"].get(deaths, 0) >= 1


@cases.of
def logrank_feasible_set(draw):
    last, rounding, convention = whole(draw, 1, 4), rule(draw), draw(st.sampled_from(sorted(MEDIANS)))
    arms = [patients(draw, last, 1, 3) for _ in range(2)]
    p = log_rank_p(*arms)
    inputs = {"times": f"integers 1..{last}", "rounding": rounding, "median_convention": convention}
    for name, rows in zip(("arm1", "arm2"), arms):
        inputs[name] = summaries(draw, rows, last, rounding, convention) | {"n": len(rows)}
    asked = maybe(draw)
    if asked:
        inputs["logrank_p"] = p_text(draw, p, whole(draw, 2, 3), rounding)

    def judge(found):
        return within(found["min_p"], p, found["max_p"]) and (not asked or found["pairs_compatible_with_p"] >= 1)

    return inputs, judge


@cases.of
def km_granularity(draw):
    last, rounding = whole(draw, 1, 9), rule(draw)
    rows = patients(draw, last, 1, 12)
    t = whole(draw, 1, last)
    percent = text(draw, 100 * at(curve(rows), t), whole(draw, 0, 1), rounding)
    nobody_lost = all(e or u >= t for u, e in rows)
    inputs = {"n": len(rows), "percent": percent, "rounding": rounding}
    return inputs | {"censoring_before": not nobody_lost or maybe(draw)}, lambda found: found["consistent"]


@cases.of
def km_median_conventions(draw):
    rows = patients(draw, 12, 1, 12)
    steps = sorted(curve(rows).items())

    def judge(found):
        first, last = (
            next((t for t, s in steps if down(s)), "NR")
            for down in (MEDIANS["first time with S<=1/2"], MEDIANS["first time with S<1/2"])
        )
        middle = first if first == last or last == "NR" else (first + last) / 2
        return found == {"first_time_S_le_half": first, "first_time_S_lt_half": last, "r_midpoint": middle}

    time, event = columns(rows)
    return {"time": time, "event": event}, judge


@cases.of
def km_reconstruction_exact(draw):
    last, rounding = whole(draw, 2, 8), rule(draw)
    rows = patients(draw, last, 1, 8)
    steps = curve(rows)
    assume(steps)
    inputs = {
        "n": len(rows),
        "curve_steps": [[t, text(draw, s, whole(draw, 2, 3), rounding)] for t, s in steps.items()],
        "rounding": rounding,
    }
    some = draw(st.sets(st.integers(0, last), max_size=3))
    inputs |= some_of(draw, {
        "events": sum(e for _, e in rows),
        "number_at_risk": {str(t): sum(u >= t for u, _ in rows) for t in some},
    })  # fmt: skip
    deaths = {str(t): sum(e for u, e in rows if u == t) for t in steps}
    return inputs, lambda found: found["events_at"] == deaths if found["unique"] else found["n_solutions"] > 1


@cases.of
def km_reconstruction_guyot(draw):
    last = whole(draw, 2, 15)
    rows = patients(draw, last, 2, 20)
    steps = curve(rows)
    points = [[0, "1"], *([t, printings(at(steps, t), 3)[0]] for t in range(1, last + 1))]
    every = whole(draw, 1, 6)
    numbers = {str(t): sum(u >= t for u, _ in rows) for t in range(0, last, every)}
    inputs = {"curve": points, "number_at_risk": numbers}
    if maybe(draw):
        inputs["total_events"] = sum(e for _, e in rows)

    def judge(found):
        # An approximation: all patients are there, flagged, in order and within the curve's times.
        time, event = found["time"], found["event"]
        return (
            len(time) == len(event) == len(rows) and set(event) <= {0, 1}
            and time == sorted(time) and 0 <= time[0] and time[-1] <= last
        )  # fmt: skip

    return inputs, judge


@cases.of
def rmst_se(draw):
    rows, taus = patients(draw, 12, 1, 12), draw(st.lists(st.integers(1, 15), min_size=1, max_size=3))
    steps, (time, event) = curve(rows), columns(rows)

    def judge(found):
        areas = [sum(at(steps, t) for t in range(tau)) for tau in taus]  # the curve only falls at whole times
        return all(map(near, found["rmst"], map(float, areas))) and all(
            se >= 0 and (se > 0 or not any(steps.get(t, 0) > 0 for t in range(tau)))
            for se, tau in zip(found["se"], taus)
        )

    return {"time": time, "event": event, "tau": taus}, judge


def two_arms(draw, last=8, most=6):
    return patients(draw, last, 1, most), patients(draw, last, 1, most)


@cases.of
def hr_from_logrank(draw):
    first, second = two_arms(draw, most=9)
    p = log_rank_p(first, second)
    (t1, e1), (t2, e2) = columns(first), columns(second)
    # Both groups are at risk at some event that leaves somebody over, or there is nothing to estimate.
    both = [t for t, e in (*first, *second) if e and max(t1) >= t and max(t2) >= t]
    assume(any(sum((u, e) == (t, 1) for u, e in (*first, *second)) < sum(u >= t for u in t1 + t2) for t in both))
    inputs = {"time": t1 + t2, "event": e1 + e2, "group": ["a"] * len(t1) + ["b"] * len(t2)}
    inputs |= some_of(draw, {"events_by_arm": [sum(e1), sum(e2)], "n_by_arm": [len(t1), len(t2)]})

    def judge(found):
        low, high = found["peto_ci95"]
        sides = {found[name]["hr"] < 1 for name in found if name.startswith("approx") and found[name]["hr"]}
        chi_squared = found["o_minus_e"] ** 2 / found["variance"]
        return (
            near(math.erfc(math.sqrt(chi_squared / 2)), p, 1e-7)
            and low <= found["peto_hr"] <= high
            and (abs(found["o_minus_e"]) < 1e-9 or sides <= {found["o_minus_e"] < 0})
        )

    return inputs, judge


@cases.of
def logrank_permutation_exact(draw):
    first, second = two_arms(draw, most=4)
    (t1, e1), (t2, e2) = columns(first), columns(second)
    pooled = [*first, *second]

    def excess(chosen):
        """O − E of the patients chosen."""
        total = Fraction(0)
        for t in {t for t, e in pooled if e}:
            at_risk = [i for i, (u, _) in enumerate(pooled) if u >= t]
            deaths = [i for i, row in enumerate(pooled) if row == (t, 1)]
            total += len(chosen & set(deaths)) - Fraction(len(deaths) * len(chosen & set(at_risk)), len(at_risk))
        return abs(total)

    def judge(found):
        observed = excess(set(range(len(first))))
        extreme = sum(excess(set(some)) >= observed for some in combinations(range(len(pooled)), len(first)))
        return (
            found["n_as_extreme"] == extreme >= 1
            and near(found["p"], extreme / found["n_permutations"])
            and is_p(found["asymptotic_p"])
        )

    return {"time1": t1, "event1": e1, "time2": t2, "event2": e2}, judge
