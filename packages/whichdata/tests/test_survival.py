"""Survival of one and two groups against R's survival package, SciPy, brute force and published remarks."""

import json
import math
import shutil
import subprocess
from fractions import Fraction
from itertools import combinations, combinations_with_replacement
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from whichdata import reconstruct
from whichdata.compare import cox_hr, log_rank, log_rank_permutation
from whichdata.printed import Interval, Printed
from whichdata.reconstruct import exact_reconstruction, guyot
from whichdata.survival import INTERVAL_KINDS, kaplan_meier

ORACLES = Path(__file__).parent / "oracles"
ORACLE = json.loads((ORACLES / "survival.json").read_text())
CASES = ORACLE["cases"]

patients = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 1)), min_size=1, max_size=12)
both_groups = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=8
).filter(lambda rows: len({g for *_, g in rows}) == 2)


def columns(rows):
    return [list(column) for column in zip(*rows)]


def at_risk(rows, t):
    return sum(x >= t for x, _ in rows)


def as_list(value):
    return value if isinstance(value, list) else [value]


def same(ours, theirs):
    """Equal to the 12 digits the oracle keeps; None is R's NA."""
    if theirs is None or ours is None:
        return ours is None and theirs is None
    return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-10)


# -- R's survival ---------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("Rscript"), reason="no R: install it (Debian: apt-get install r-base-core)")
def test_reference_values_are_what_r_makes():
    script = ORACLES / "survival.R"
    remade = subprocess.run(["Rscript", str(script)], capture_output=True, text=True)
    if "there is no package called" in remade.stderr:
        pytest.skip("no package survival of R: install it (Debian: apt-get install r-cran-survival)")
    remade = json.loads(remade.stdout)["cases"]
    assert remade.keys() == CASES.keys()

    def check(new, old, where):
        if isinstance(old, dict):
            assert new.keys() == old.keys(), where
            for key in old:
                check(new[key], old[key], f"{where} {key}")
        elif isinstance(old, list):
            assert len(new) == len(old), where
            for a, b in zip(new, old):
                check(a, b, where)
        # an infinite estimate is wherever R's iteration stopped
        elif not (" cox_" in where and old is not None and abs(old) > 8):
            assert (new is None) == (old is None) and (old is None or math.isclose(new, old, rel_tol=1e-6)), where

    check(remade, CASES, "")


def groups_of(name):
    data = CASES[name]["data"]
    first = [i for i, g in enumerate(data["group"]) if g == 1]
    yield CASES[name]["all"], data["time"], data["event"]
    yield CASES[name]["first"], [data["time"][i] for i in first], [data["event"][i] for i in first]


@pytest.mark.parametrize("name", CASES)
def test_curve_agrees_with_r(name):
    for theirs, time, event in groups_of(name):
        curve = kaplan_meier(time, event)
        assert [float(t) for t in curve.times] == as_list(theirs["time"])
        assert list(curve.at_risk) == as_list(theirs["at_risk"])
        assert list(curve.events) == as_list(theirs["events"])
        assert all(map(same, map(float, curve.survival), as_list(theirs["survival"])))
        for t, se in zip(curve.times, as_list(theirs["std_err"])):
            variance = curve.variance(t)
            assert same(None if variance is None else math.sqrt(variance), se)


@pytest.mark.parametrize("kind", INTERVAL_KINDS)
@pytest.mark.parametrize("name", CASES)
def test_limits_agree_with_r(name, kind):
    for theirs, time, event in groups_of(name):
        curve = kaplan_meier(time, event)
        for t, low, high in zip(curve.times, as_list(theirs[f"lower_{kind}"]), as_list(theirs[f"upper_{kind}"])):
            if curve.at(t) == 1:
                assert curve.interval(t, kind) == (1, 1)
            elif low is None:
                assert curve.interval(t, kind) is None
            else:
                ours = curve.interval(t, kind)
                assert same(ours[0], low) and same(ours[1], high), (name, kind, t)


@pytest.mark.parametrize("name", CASES)
def test_medians_quantiles_and_restricted_means_agree_with_r(name):
    for theirs, time, event in groups_of(name):
        curve = kaplan_meier(time, event)
        assert same(curve.median("midpoint"), theirs["median"]), name
        for p, r in zip(("0.25", "0.5", "0.75"), theirs["quantiles"]):
            ours = curve.quantile(Fraction(p), "midpoint")
            if curve.survival[-1] == 1 - Fraction(p):  # R's quantiles take the last observation for the end of the run
                ours = (ours + curve.times[-1]) / 2
            assert same(ours, r), (name, p)
        for tau, mean, se in zip(theirs["taus"], theirs["rmst"], theirs["rmst_se"]):
            ours = curve.rmst(tau)
            assert same(float(ours.mean), mean) and same(ours.se, se), (name, tau)


@pytest.mark.parametrize("name", CASES)
def test_log_rank_agrees_with_r(name):
    data, theirs = CASES[name]["data"], CASES[name]["compared"]
    test = log_rank(data["time"], data["event"], data["group"])
    assert list(test.observed) == theirs["observed"]
    assert all(map(same, map(float, test.expected), theirs["expected"]))
    assert same(float(test.variance), theirs["variance"])
    assert same(float(test.chi_squared), theirs["chi_squared"])


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("name", CASES)
def test_cox_agrees_with_r(name, ties):
    data, log_hr = CASES[name]["data"], CASES[name]["compared"][f"cox_{ties}"]
    ours = cox_hr(data["time"], data["event"], data["group"], ties)
    if abs(log_hr) > 8:
        assert ours == (math.inf if log_hr > 0 else 0)
    else:
        assert math.isclose(math.log(ours), log_hr, rel_tol=1e-7, abs_tol=1e-8)


def test_cox_knows_an_infinite_ratio():
    separated = [1, 2, 3, 4], [1, 1, 1, 1], [1, 1, 2, 2]
    for ties in ("efron", "breslow"):
        assert cox_hr(*separated, ties) == 0
        assert cox_hr(*separated[:2], [2, 2, 1, 1], ties) == math.inf


# -- SciPy and brute force --------------------------------------------------------------------------------------------


@given(patients)
def test_curve_agrees_with_scipy(rows):
    time, event = columns(rows)
    curve = kaplan_meier(time, event)
    fit = stats.ecdf(stats.CensoredData.right_censored(time, [not e for e in event])).sf
    assert np.allclose(fit.evaluate([float(t) for t in curve.times]), [float(s) for s in curve.survival])


@given(both_groups)
def test_log_rank_agrees_with_scipy(rows):
    time, event, group = columns(rows)
    test = log_rank(time, event, group)
    if not test.variance:
        assert test.p == 1
        return
    parts = [
        stats.CensoredData.right_censored(
            [t for t, k in zip(time, group) if k == g], [not e for e, k in zip(event, group) if k == g]
        )
        for g in (0, 1)
    ]
    theirs = stats.logrank(*parts)
    assert math.isclose(test.p, theirs.pvalue, abs_tol=1e-9)
    assert math.isclose(float(test.chi_squared), theirs.statistic**2, abs_tol=1e-9)


@given(both_groups)
def test_permutation_agrees_with_every_relabelling(rows):
    time, event, group = columns(rows)
    observed = log_rank(time, event, group).o_minus_e
    every = [
        log_rank(time, event, [0 if i in first else 1 for i in range(len(rows))]).o_minus_e
        for first in map(set, combinations(range(len(rows)), group.count(0)))
    ]
    found = log_rank_permutation(time, event, group)
    assert found.n_permutations == len(every)
    assert found.n_as_extreme == sum(abs(x) >= abs(observed) for x in every)
    assert found.o_minus_e_first == -observed


@given(patients)
def test_conventions_of_the_median_are_in_order_and_bracket_a_half(rows):
    curve = kaplan_meier(*columns(rows))
    le, midpoint, lt = (curve.median(c) for c in ("le", "midpoint", "lt"))
    if le is None:
        assert midpoint is None and lt is None and curve.survival[-1] > Fraction(1, 2)
        return

    def before(t):
        return curve.at(t - Fraction(1, 2)) if t else 1  # times are whole

    assert curve.at(le) <= Fraction(1, 2) < before(le)
    assert lt is None or le <= midpoint <= lt
    if lt is not None:
        assert curve.at(lt) < Fraction(1, 2) <= before(lt)
        assert midpoint == (le if curve.at(le) < Fraction(1, 2) else (le + lt) / 2)
    else:
        assert midpoint == le


@given(st.integers(1, 150), st.integers(1, 2000))
def test_the_median_never_depends_on_floats(n, scale):
    """Without censoring the value at k of n events is exactly 1 − k/n, so the median is the half-th order statistic."""
    curve = kaplan_meier([Fraction(k, scale) for k in range(1, n + 1)], [1] * n)
    assert curve.median("le") == Fraction((n + 1) // 2, scale)
    assert curve.median("lt") == Fraction(n // 2 + 1, scale)


@given(patients, st.integers(1, 15))
def test_restricted_mean_is_the_area(rows, tau):
    curve = kaplan_meier(*columns(rows))
    area = sum(curve.at(k) for k in range(tau))  # whole months: the curve is constant between them
    assert curve.rmst(tau).mean == area


# -- reconstruction ---------------------------------------------------------------------------------------------------

MAINTAINED = [(9, "0.909"), (13, "0.818"), (18, "0.716"), (23, "0.614"), (31, "0.491"), (34, "0.368"), (48, "0.184")]
ROWS = {0: 11, 12: 10, 24: 6, 36: 3, 48: 2}


def windows(curve):
    return [(t, Printed.parse(s).interval()) for t, s in curve]


def test_exact_reconstruction_finds_the_maintained_arm():
    data = CASES["aml"]["data"]
    truth = [(t, e) for t, e, g in zip(data["time"], data["event"], data["group"]) if g == 1]
    found = exact_reconstruction(11, windows(MAINTAINED), ROWS, 7)
    assert found.unique
    assert [r for r, _ in found.solutions[0]] == [sum(x >= t for x, _ in truth) for t, _ in MAINTAINED]


def test_iterative_reconstruction_of_the_same_arm_errs():
    """Known of this arm: one event too many, and a median of 34 instead of 31."""
    rows = {t: r for t, r in ROWS.items() if t < 48}
    found = guyot([(t, Fraction(s)) for t, s in MAINTAINED], rows)
    assert sum(found.event) == 8
    assert kaplan_meier(found.time, found.event).median() == 34


few_patients = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 1)), min_size=2, max_size=4)


@given(few_patients, st.integers(1, 4), st.booleans())
def test_exact_reconstruction_is_what_brute_force_finds(rows, row_at, with_total):
    """Every multiset with events at the listed months only; censorings may also fall between."""
    truth = kaplan_meier(*columns(rows))
    months = [int(t) for t, d in zip(truth.times, truth.events) if d]
    if not months:
        return
    n, left = len(rows), at_risk(rows, row_at)
    printed = {t: f"{round(float(truth.at(t)), 1):.1f}" for t in months}
    total = sum(truth.events) if with_total else None
    cells = [(t, 1) for t in months] + [(Fraction(k, 2), 0) for k in range(1, 10)]
    found = set()
    for some in combinations_with_replacement(cells, n):
        if {t for t, e in some if e} != set(months):
            continue
        curve = kaplan_meier(*columns(some))
        steps = {t: (r, d) for t, r, d in zip(curve.times, curve.at_risk, curve.events) if d}
        if (
            at_risk(some, row_at) == left
            and all(Printed.parse(s).prints(curve.at(t)) for t, s in printed.items())
            and total in (None, sum(curve.events))
        ):
            found.add(tuple(steps[t] for t in months))
    ours = exact_reconstruction(n, windows(printed.items()), {0: n, row_at: left}, total)
    assert set(ours.solutions) == found and ours.n_solutions == len(found)


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 1)), min_size=4, max_size=40), st.integers(3, 12))
def test_iterative_reconstruction_meets_what_it_was_given(rows, every):
    truth = kaplan_meier(*columns(rows))
    end = int(truth.times[-1])
    curve = [(t, truth.at(t)) for t in range(end + 1)]
    numbers = {t: at_risk(rows, t) for t in range(0, end + 1, every)}
    found = guyot(curve, numbers, sum(truth.events))
    built = list(zip(found.time, found.event))
    ours = kaplan_meier(found.time, found.event)
    assert len(found.time) == len(rows)
    assert all(t <= end for t in found.time)
    # where the numbers at risk could be met, a fitted value is off by less than one event among those at risk
    if all(at_risk(built, t) == r for t, r in numbers.items()) and sum(found.event) == sum(truth.events):
        for t, r in zip(truth.times, truth.at_risk):
            assert abs(ours.at(t) - truth.at(t)) <= Fraction(3, 2 * min(r, at_risk(built, t) or 1))


def test_iterative_reconstruction_is_exact_on_a_curve_without_censoring():
    rows = [(t, 1) for t in (1, 2, 2, 3, 5, 8, 8, 9)]
    truth = kaplan_meier(*columns(rows))
    found = guyot([(t, truth.at(t)) for t in range(10)], {0: 8, 4: 4, 8: 3})
    assert list(zip(found.time, found.event)) == rows


# -- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: kaplan_meier([], []), "no patients"),
        (lambda: kaplan_meier([1, 2], [1]), "2 times but 1 event flags"),
        (lambda: kaplan_meier([1, 2], [1, 2]), "0 .censored. or 1 .event."),
        (lambda: kaplan_meier([1, math.nan], [1, 1]), "not a time"),
        (lambda: kaplan_meier([1, -2], [1, 1]), "before time zero"),
        (lambda: kaplan_meier([1], [1]).interval(1, "log2"), "no interval named"),
        (lambda: kaplan_meier([1], [1]).interval(0, "log", 95), "confidence level"),
        (lambda: kaplan_meier([1], [1]).median("middle"), "no convention named"),
        (lambda: kaplan_meier([1], [1]).rmst(0), "above 0"),
        (lambda: log_rank([1, 2], [1, 1], ["a", "a"]), "two groups"),
        (lambda: log_rank([1, 2], [1, 1], ["a"]), "2 times but 1 group labels"),
        (lambda: log_rank([1, 1], [1, 1], [1, 2]).peto_hr, "no hazard ratio"),
        (lambda: cox_hr([1, 2], [0, 1], [1, 2]), "no hazard ratio"),
        (lambda: cox_hr([1, 2], [1, 1], [1, 2], "peto"), "no rule for ties"),
        (lambda: log_rank_permutation(range(50), [1] * 50, [1, 2] * 25), "too many to count"),
        (lambda: exact_reconstruction(5, windows(MAINTAINED), {0: 5, 12: 6}), "never rise"),
        (lambda: exact_reconstruction(5, windows(MAINTAINED), None, 6), "cannot be"),
        (lambda: exact_reconstruction(0, windows(MAINTAINED)), "at least 1"),
        (lambda: guyot([(0, 1), (3, Fraction(1, 2)), (5, Fraction(3, 5))], {0: 5}), "never rises"),
        (lambda: guyot([(0, 100), (3, 50)], {0: 5}), "divide percentages"),
        (lambda: guyot([(3, Fraction(1, 2))], {2: 5}), "time 0"),
    ],
)
def test_bad_input_is_refused_with_one_clear_line(call, says):
    with pytest.raises(ValueError, match=says) as refused:
        call()
    assert "\n" not in str(refused.value)


def test_a_reconstruction_too_large_is_refused_with_its_size(monkeypatch):
    """The running limit stands behind the forecast."""
    monkeypatch.setattr(reconstruct, "STEP_LIMIT", 1_000)
    monkeypatch.setattr(reconstruct, "forecast", lambda *_: 0.0)
    steps = [(k, Interval(Fraction(10 - k, 10), Fraction(11 - k, 10))) for k in range(1, 5)]
    with pytest.raises(ValueError, match="more than 1,000 ways to place events among 60 patients"):
        reconstruct.exact_reconstruction(60, steps)
