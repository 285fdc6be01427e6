"""Survival checks as others call them: one line of JSON in, one out."""

import json
import math

import pytest
from test_checks_counts import examples

from whichdata import lattice
from whichdata.checks import CHECKS, answer
from whichdata.checks import survival as module

MINE = sorted(name for name, function in CHECKS.items() if function.__module__ == module.__name__)


def ask(check, **inputs):
    return answer(json.dumps({"check": check, "inputs": inputs}))


def result(check, **inputs):
    got = ask(check, **inputs)
    assert "error" not in got, got
    return got["result"]


def close(got, expected):
    if isinstance(expected, dict):
        return isinstance(got, dict) and got.keys() == expected.keys() and all(close(got[k], expected[k]) for k in got)
    if isinstance(expected, list):
        return len(got) == len(expected) and all(map(close, got, expected))
    if isinstance(expected, (bool, str)) or expected is None:
        return got == expected
    return math.isclose(got, expected, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("example", examples(MINE), ids=lambda e: e["check"])
def test_examples_are_answered_as_expected(example):
    got = answer(json.dumps(example))
    assert close(got["result"], example["expected"]), got
    assert got["convention"]


def test_every_survival_check_is_there():
    assert set(MINE) == {
        "hr_from_logrank", "logrank_permutation_exact", "logrank_feasible_set", "km_granularity", "km_feasible_count",
        "km_median_conventions", "km_reconstruction_exact", "km_reconstruction_guyot", "rmst_se",
    }  # fmt: skip


# -- counting ---------------------------------------------------------------------------------------------------------


def test_count_of_unrestricted_sets_is_that_of_multisets():
    got = result("km_feasible_count", n=5, times="integers 1..6")
    assert got["n_datasets"] == math.comb(5 + 12 - 1, 5)
    # d events and 5 − d censorings, each a multiset of six times
    assert got["by_events"] == {str(d): math.comb(5 + d, d) * math.comb(10 - d, 5 - d) for d in range(6)}


def test_a_median_not_reached_is_few_events_or_early_losses():
    got = result("km_feasible_count", n=3, times="integers 1..2", median="NR", censoring=False)
    assert got["n_datasets"] == 0
    got = result("km_feasible_count", n=3, times=[1, 2], median="NR")
    # S stays above a half: no event; one event of three or, of two left, none; counted by hand
    assert got["by_events"] == {"0": 4, "1": 4}


def test_median_conventions_differ_where_the_curve_runs_at_a_half():
    inputs = dict(n=2, times="integers 1..4", censoring=False)
    by_convention = {
        c: result("km_feasible_count", **inputs, median=2, median_convention=c)["n_datasets"]
        for c in ("first time with S<=1/2", "r_midpoint", "first time with S<1/2")
    }
    # two deaths: the first is at 2; their middle is 2; the last is at 2
    assert by_convention == {"first time with S<=1/2": 3, "r_midpoint": 2, "first time with S<1/2": 2}


def test_rounding_decides():
    inputs = dict(n=8, times="integers 1..3", survival_percent_at={"1": "12"}, censoring=False)
    assert result("km_feasible_count", **inputs)["consistent"]  # 1/8 = 12.5%
    assert result("km_feasible_count", **inputs, rounding="even")["consistent"]
    assert not result("km_feasible_count", **inputs, rounding="up")["consistent"]
    assert not result("km_granularity", n=8, percent="12", rounding="up")["consistent"]
    assert result("km_granularity", n=8, percent="12", rounding="trunc")["consistent"]


def test_a_rising_curve_is_printed_by_nobody():
    got = result("km_feasible_count", n=6, times="integers 1..6", survival_percent_at={"2": "50", "4": "67"})
    assert got == {"n_datasets": 0, "by_events": {}, "consistent": False}


def test_the_question_about_twelve_patients():
    inputs = dict(n=12, times="integers 0..27", event_times=[1, 3, 6], survival_percent_at={"6": "74"})
    assert result("km_feasible_count", **inputs)["consistent"]
    assert not result("km_feasible_count", **inputs | {"survival_percent_at": {"1": "74"}})["consistent"]
    assert not result("km_granularity", n=12, percent="74")["consistent"]
    assert result("km_granularity", n=12, percent="74", censoring_before=True)["consistent"]


def test_large_groups():
    got = result("km_feasible_count", n=500, times="integers 1..12", survival_percent_at={"6": "70"}, censoring=False)
    # 348 to 352 of 500 alive after 6; both halves are multisets
    ways = sum(math.comb(500 - k + 5, 5) * math.comb(k + 5, 5) for k in range(348, 353))
    assert got["n_datasets"] == ways
    assert result("km_granularity", n=300, percent="33.33", censoring_before=True)["consistent"]


def test_a_search_too_large_says_how_large_and_what_would_narrow_it(monkeypatch):
    monkeypatch.setattr(lattice, "STATE_LIMIT", 10_000)
    got = ask("km_feasible_count", n=300, times="integers 1..60", survival_percent_at={"12": "50"})
    assert "more than 10^12 states for 300 patients" in got["error"] and "narrow it" in got["error"]


# -- two groups -------------------------------------------------------------------------------------------------------


def test_pairs_with_more_figures():
    arm = dict(n=4, median=3, min=1, max=5)
    got = result("logrank_feasible_set", arm1=arm, arm2=arm, times="integers 1..5", logrank_p="1.0")
    assert got["n_pairs"] == got["n_arm1"] ** 2 > 0
    assert got["max_p"] == 1 and got["pairs_compatible_with_p"] >= got["n_arm1"]
    apart = result("logrank_feasible_set", arm1=arm, arm2=arm | {"events": 0}, times="integers 1..5", logrank_p="ns")
    assert apart["n_arm2"] == apart["n_pairs"] == apart["pairs_compatible_with_p"] == 0


def test_too_many_pairs_are_drawn_and_said_to_be():
    arms = dict(arm1={"n": 8, "median": 3}, arm2={"n": 9, "median": "6"})
    got = ask("logrank_feasible_set", **arms, times="integers 1..12", logrank_p="0.04")
    assert got["result"]["exact"] is False and got["result"]["pairs_compatible_with_p"] is None
    assert "uniform draws (seed" in got["convention"]
    assert ask("logrank_feasible_set", **arms, times="integers 1..12", logrank_p="0.04") == got


def test_direction_turns_every_effect():
    time, event, group = [1, 2, 3, 4, 5, 6, 7], [1, 1, 0, 1, 1, 0, 1], list("ababbaa")
    second = result("hr_from_logrank", time=time, event=event, group=group)
    first = result("hr_from_logrank", time=time, event=event, group=group, direction="first level versus second")
    assert math.isclose(first["peto_hr"] * second["peto_hr"], 1)
    assert math.isclose(first["cox_efron_hr"] * second["cox_efron_hr"], 1)
    assert first["o_minus_e"] == -second["o_minus_e"]
    assert math.isclose(first["peto_ci95"][0] * second["peto_ci95"][1], 1)
    for kind in ("approx_from_p_events_equal_alloc", "approx_v_from_numbers_randomised"):
        assert math.isclose(first[kind]["hr"] * second[kind]["hr"], 1)


def test_totals_alone_give_the_approximations():
    got = result("hr_from_logrank", events_by_arm=[7, 5], n_by_arm=[13, 13], logrank_p=0.075, favours="first")
    assert set(got) == {
        "approx_from_p_events_equal_alloc", "approx_v_from_events_by_arm", "approx_v_from_numbers_randomised",
    }  # fmt: skip
    # Tierney and others' worked p-value of 0.075 is z = 1.78; the variances are theirs of 7 and 5 events of 13 and 13
    assert [round(v["v"], 4) for v in got.values()] == [3, 2.9167, 3]
    assert all(round(math.log(v["hr"]) * math.sqrt(v["v"]), 2) == 1.78 for v in got.values())


# -- reconstruction ---------------------------------------------------------------------------------------------------


def test_iterative_reconstruction_answers_with_patients():
    curve = [[0, "1"], [2, "0.75"], [4, "0.5"], [6, "0.25"]]
    got = result("km_reconstruction_guyot", curve=curve, number_at_risk={"0": 4, "4": 3}, total_events=3)
    assert got == {"time": [2, 4, 6, 6], "event": [1, 1, 1, 0]}


def test_several_reconstructions_are_counted():
    got = result("km_reconstruction_exact", n=4, curve_steps=[[5, "0.67"]], number_at_risk={"0": 4})
    assert got["unique"] and got["at_risk_before_each_event"] == {"5": 3}
    got = result("km_reconstruction_exact", n=4, curve_steps=[[5, "50%"]])
    assert not got["unique"] and got["n_solutions"] == 2  # 1 of 2 or 2 of 4


# -- bad input --------------------------------------------------------------------------------------------------------

COUNT, TIMES = "km_feasible_count", "integers 1..6"


@pytest.mark.parametrize(
    ("check", "inputs", "says"),
    [
        (COUNT, dict(n=0, times=TIMES), "at least 1"),
        (COUNT, dict(n=-4, times=TIMES), "at least 1"),
        (COUNT, dict(n=4, times="1 to 6"), "integers 1..12"),
        (COUNT, dict(n=4, times="integers 1..9999999"), "too fine"),
        (COUNT, dict(n=4, times=TIMES, events=5), "at most 4"),
        (COUNT, dict(n=4, times=TIMES, survival_percent_at={"3": "104"}), "outside 0 to 100"),
        (COUNT, dict(n=4, times=TIMES, survival_percent_at={"3": 50}), "in quotes"),
        (COUNT, dict(n=4, times=TIMES, survival_percent_at={"3": "half-ish"}), "no printed number"),
        (COUNT, dict(n=4, times=TIMES, survival_percent_at=["50"]), "object from times"),
        (COUNT, dict(n=4, times=TIMES, number_at_risk_at={"2": 2, "3": 3}), "never rise"),
        (COUNT, dict(n=4, times=TIMES, number_at_risk_at={"2": 5}), "at most 4"),
        (COUNT, dict(n=4, times=TIMES, median_convention="mean"), "median convention"),
        (COUNT, dict(n=4, times=TIMES, rounding="half"), "no rounding rule"),
        (COUNT, dict(n=4, times=TIMES, medain=3), "medain"),
        ("km_granularity", dict(n=0, percent="50"), "at least 1"),
        ("km_granularity", dict(n=5, percent="150"), "outside 0 to 100"),
        ("km_median_conventions", dict(time=[1, 2], event=[1]), "one flag for each time"),
        ("km_median_conventions", dict(time=[], event=[]), "no patients"),
        ("rmst_se", dict(time=[1, 2], event=[1, 0], tau=[0]), "above 0"),
        ("rmst_se", dict(time=[1, None], event=[1, 0], tau=[1]), "not a time"),
        ("hr_from_logrank", dict(time=[1, 2], event=[1, 0], group=["a", "a"]), "two groups"),
        ("hr_from_logrank", dict(logrank_p=0.3), "give time, event and group"),
        ("hr_from_logrank", dict(events_by_arm=[14, 5], n_by_arm=[13, 13], logrank_p=0.3), "cannot be"),
        ("hr_from_logrank", dict(events_by_arm=[7, 5], n_by_arm=[13, 13], logrank_p="<0.3"), "bound"),
        ("hr_from_logrank", dict(time=[1, 2], event=[1, 1], group=["a", "b"], events_by_arm=[2, 0]), "the data have"),
        ("logrank_permutation_exact", dict(time1=[1], event1=[1], time2=[], event2=[]), "at least one patient"),
        ("logrank_feasible_set", dict(arm1={"n": 3}, arm2={"median": 3}, times=TIMES), "arm2 takes n"),
        ("km_reconstruction_exact", dict(n=4, curve_steps=[[5, "66"]]), "0 to 1, or a per cent sign"),
        ("km_reconstruction_exact", dict(n=4, curve_steps=[[5, "0.5"]], events=5), "cannot be"),
        ("km_reconstruction_exact", dict(n=4, curve_steps=[5]), "list of points"),
        ("km_reconstruction_guyot", dict(curve=[[1, "0.5"]], number_at_risk=[4]), "object from times"),
        ("km_median_conventions", dict(time=3, event=[1]), "give a list"),
        ("hr_from_logrank", dict(time=[1, 2], event=[1, 1], group=["a", 1]), "all texts or all numbers"),
        ("hr_from_logrank", dict(time=[1, 2], event=[1, 1], group=["a", "b"], direction=2), "direction begins"),
        ("km_reconstruction_guyot", dict(curve=[[1, "0.5"], [2, "0.6"]], number_at_risk={"0": 4}), "never rises"),
        ("km_reconstruction_guyot", dict(curve=[[1, "0.5"]], number_at_risk={"0": 4, "1": 5}), "never rise"),
    ],
)
def test_bad_input_gives_one_clear_line(check, inputs, says):
    got = ask(check, **inputs)
    assert says in got["error"] and "\n" not in got["error"]
    assert not got["error"].startswith(("TypeError", "KeyError", "AttributeError", "IndexError"))
