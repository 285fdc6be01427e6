"""The checks on counts, effects, ranks and design, as seen from outside: one JSON object a line."""

import inspect
import json
import math
from pathlib import Path

import pytest

from whichdata.checks import CHECKS, answer, counts

EXAMPLES = Path(__file__).with_name("examples.jsonl")
OURS = sorted(name for name, f in CHECKS.items() if inspect.getmodule(f) is counts)


def ask(name: str, **inputs) -> dict:
    return answer(json.dumps({"check": name, "inputs": inputs}))


def differences(expected, found, path="") -> list[str]:
    """Where ``found`` is not ``expected``: numbers to 1e-9, nothing missing, nothing more."""
    if isinstance(expected, dict) and isinstance(found, dict):
        keys = [k for k in (*expected, *found) if k not in expected or k not in found]
        inner = [d for k in expected if k in found for d in differences(expected[k], found[k], f"{path}.{k}")]
        return [f"{path}.{k} on one side only" for k in keys] + inner
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [d for i, (a, b) in enumerate(zip(expected, found)) for d in differences(a, b, f"{path}[{i}]")]
    both_numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in (expected, found))
    same = math.isclose(expected, found, rel_tol=1e-9, abs_tol=1e-15) if both_numbers else expected == found
    return [] if same else [f"{path}: {found!r}, not {expected!r}"]


def examples(names: list[str]) -> list[dict]:
    """One example of each of these checks, with the result expected."""
    return [e for e in map(json.loads, EXAMPLES.read_text().splitlines()) if e["check"] in names]


@pytest.mark.parametrize("example", examples(OURS), ids=lambda e: e["check"])
def test_examples(example):
    found = answer(json.dumps(example))
    assert "result" in found, found
    assert differences(example["expected"], found["result"]) == []


# Answers worked out by hand

BY_HAND = [
    ("rounding_interval", {"printed": "12.50"},
     {"lower": "12.495", "upper": "12.505", "lower_closed": True, "upper_closed": True}),
    ("rounding_interval", {"printed": "7", "rounding": "even"},
     {"lower": "6.5", "upper": "7.5", "lower_closed": False, "upper_closed": False}),
    ("rounding_interval", {"printed": "−0.3", "rounding": "trunc"},
     {"lower": "-0.4", "upper": "-0.3", "lower_closed": False, "upper_closed": True}),
    ("rounding_interval", {"printed": "1,280", "rounding": "ceiling"},
     {"lower": "1279", "upper": "1280", "lower_closed": False, "upper_closed": True}),
    ("rounding_interval", {"printed": "< 0.001"},
     {"lower": None, "upper": "0.001", "lower_closed": True, "upper_closed": False}),
    ("count_percent", {"count": 1, "n": 8, "percent": "12", "rounding": "up"}, {"consistent": False}),
    ("count_percent", {"count": 1, "n": 8, "percent": "12", "rounding": "even"}, {"consistent": True}),
    ("count_percent", {"count": 2, "n": 12, "percent": "16", "rounding": "floor"}, {"consistent": True}),
    ("percent_to_counts", {"percent": "12.5", "n": 16}, {"possible_counts": [2]}),
    ("percent_to_counts", {"percent": "50", "n": 7}, {"possible_counts": []}),
    ("percent_to_counts", {"percent": "0", "n": 300}, {"possible_counts": [0, 1]}),
    ("percent_to_denominators", {"percent": "33", "n_max": 10}, {"possible_n": [3, 6, 9]}),
    ("median_granularity", {"median": "7.5", "n": 10, "data": "integer"}, {"consistent": True}),
    ("median_granularity", {"median": "7.5", "n": 9, "data": "integer"}, {"consistent": False}),
    ("median_granularity", {"median": "7.3", "n": 9, "data": "continuous"}, {"consistent": True}),
    ("two_proportions_feasible", {"n1": 3, "percent1": "0", "n2": 4, "percent2": "0"},
     {"pearson": [{"counts": [0, 0], "p": None}], "yates": [{"counts": [0, 0], "p": None}],
      "fisher": [{"counts": [0, 0], "p": 1.0}]}),
    ("mann_whitney", {"x": [1, 2, 3], "y": [4, 5, 6, 7]},
     {"W": 0, "exact_greater": 1.0, "asymptotic_greater_no_cc": 0.5 + math.erf(6 / math.sqrt(8) / math.sqrt(2)) / 2,
      "exact_two_sided": 2 / 35, "asymptotic_two_sided_cc": math.erfc(5.5 / math.sqrt(8) / math.sqrt(2)),
      "asymptotic_two_sided_no_cc": math.erfc(6 / math.sqrt(8) / math.sqrt(2))}),
    ("mann_whitney", {"x": [2, 2], "y": [2]},
     {"W": 1, "exact_greater": 1.0, "asymptotic_greater_no_cc": None, "exact_two_sided": 1.0,
      "asymptotic_two_sided_cc": None, "asymptotic_two_sided_no_cc": None}),
    ("mann_whitney_min_p", {"n1": 3, "n2": 9}, {"exact_two_sided_min": 2 / 220}),
    ("mann_whitney_u_possible", {"n1": 3, "n2": 9, "U": 13.5}, {"possible": True}),
    ("mann_whitney_u_possible", {"n1": 3, "n2": 9, "U": 13.25}, {"possible": False}),
    ("mann_whitney_u_possible", {"n1": 3, "n2": 9, "U": 28}, {"possible": False}),
    ("mann_whitney_granularity", {"n1": 3, "n2": 3, "U": 0, "p": "0.10", "ties": False}, {"consistent": True}),
    ("mann_whitney_granularity", {"n1": 3, "n2": 3, "U": 1, "p": "0.10", "ties": False}, {"consistent": False}),
    ("mann_whitney_granularity", {"n1": 3, "n2": 9, "p": "0.0142", "ties": True}, {"consistent": True}),
    ("mann_whitney_granularity", {"n1": 3, "n2": 9, "p": "0.0142", "ties": False}, {"consistent": False}),
    ("z_from_p", {"p": 0.05, "sides": 1}, {"z": 1.6448536269514722}),
    ("cox_power", {"cases": [{"hr": 2, "events": 0}]}, {"power": [0.025]}),
    ("power_two_proportions", {"n_per_group": 9, "p1": 0, "p2": 0}, {"power": None}),
    ("mean_sd_bounds_from_median_range", {"n": 3, "min": 0, "max": 6, "median": 3},
     {"n_datasets": 1, "mean": [3.0, 3.0], "sd": [3.0, 3.0]}),
    ("mean_sd_bounds_from_median_range", {"n": 3, "min": 0, "max": 6, "median": 3, "data": "continuous"},
     {"n_datasets": None, "mean": [3.0, 3.0], "sd": [3.0, 3.0]}),
    ("mean_sd_bounds_from_median_range", {"n": 5, "min": 0, "max": 8, "median": 3.5},
     {"n_datasets": 0, "mean": None, "sd": None}),
]  # fmt: skip


@pytest.mark.parametrize("name, inputs, expected", BY_HAND, ids=lambda v: v if isinstance(v, str) else "")
def test_answers_by_hand(name, inputs, expected):
    found = ask(name, **inputs)
    assert "result" in found, found
    assert differences(expected, found["result"]) == []
    assert found["convention"]


ERRORS = [
    ("rounding_interval", {"printed": "NaN"}, "no printed number"),
    ("rounding_interval", {"printed": 8.2}, "in quotes"),
    ("rounding_interval", {"printed": "8.2", "rounding": "nearest"}, "no rounding rule"),
    ("count_percent", {"count": 3, "n": 0, "percent": "10"}, "n is 0"),
    ("count_percent", {"count": -3, "n": 4, "percent": "10"}, "count is -3"),
    ("count_percent", {"count": 7, "n": 5, "percent": "100"}, "more events than patients"),
    ("count_percent", {"count": 3, "n": 5, "percent": "120"}, "outside 0 to 100"),
    ("count_percent", {"count": 3, "n": 5, "percent": "NR"}, "no printed number"),
    ("count_percent", {"count": 3, "n": 5}, "percent"),
    ("count_percent", {"count": 3, "n": 5, "percent": "60", "colour": 1}, "colour"),
    ("percent_to_counts", {"percent": "58", "n": 10**9}, "more decimals"),
    ("contingency_2x2_all_methods", {"table": [[1, 2], [-3, 4]]}, "at least 0"),
    ("two_proportions_feasible", {"n1": 10**5, "percent1": "57", "n2": 10**5, "percent2": "29"}, "more decimals"),
    ("proportion_ci95", {"count": 0, "n": 0}, "n is 0"),
    ("binom_test", {"count": 3, "n": 10, "p0": 1.5}, "at most 1"),
    ("mann_whitney", {"x": [], "y": [1]}, "empty"),
    ("mann_whitney", {"x": [1, None], "y": [1]}, "not a number"),
    ("mann_whitney_p_from_u", {"n1": 8, "n2": 8, "U": 65, "ties": False}, "cannot occur"),
    ("mann_whitney_p_from_u", {"n1": 8, "n2": 8, "U": 13.5, "ties": False}, "halves need ties"),
    ("mann_whitney_granularity", {"n1": 8, "n2": 8, "p": "1.7"}, "outside 0 to 1"),
    ("mann_whitney_granularity", {"n1": 30_000, "n2": 30_000, "p": ">0.01"}, "values of U to try"),
    ("percent_to_denominators", {"percent": [], "n_max": 9}, "no percentages"),
    ("mann_whitney_min_p", {"n1": 0, "n2": 5}, "at least 1"),
    ("mann_whitney_feasible_set", {"group1": {"n": 3, "min": 1, "max": 5}, "group2": {"n": 3}}, "lacks min, max"),
    ("mann_whitney_feasible_set",
     {"group1": {"n": 3, "min": 1, "max": 5, "mode": 2}, "group2": {"n": 3, "min": 1, "max": 5}}, "no use for mode"),
    ("mann_whitney_feasible_set",
     {"group1": {"n": 60, "min": 1, "max": 500, "median": 9}, "group2": {"n": 60, "min": 1, "max": 500, "median": 7}},
     "narrow the ranges"),
    ("ratio_ci_p_consistency", {"estimate": "0.40", "ci95": ["0.46", "0.69"]}, "does not hold its estimate"),
    ("ratio_ci_p_consistency", {"estimate": "0.5", "ci95": "0.46-0.69"}, "lower, upper"),
    ("p_from_ci", {"estimate": 0.8, "ci95": [0.9, 0.95], "scale": "ratio", "method": "exact_normal"}, "does not hold"),
    ("p_from_ci", {"estimate": -1, "ci95": [-2, 3], "scale": "ratio", "method": "exact_normal"}, "above 0"),
    ("ci_from_p", {"estimate": 1, "p": 0.2, "scale": "ratio", "method": "exact_normal"}, "no effect"),
    ("z_from_p", {"p": 0}, "above 0"),
    ("cox_events_needed", {"cases": [{"hr": 1}]}, "no effect"),
    ("cox_events_needed", {"cases": []}, "at least one"),
    ("cox_power", {"cases": [{"hr": 0.5}]}, "lacks events"),
    ("mean_sd_bounds_from_median_range", {"n": 5, "min": 0, "max": 8, "median": 9}, "above the max"),
]  # fmt: skip


@pytest.mark.parametrize("name, inputs, message", ERRORS, ids=lambda v: v if isinstance(v, str) else "")
def test_bad_input_gives_one_clear_line(name, inputs, message):
    found = ask(name, **inputs)
    assert message in found["error"] and "\n" not in found["error"]
    assert not found["error"].startswith(("TypeError", "KeyError", "IndexError", "AttributeError"))


def test_nan_in_the_line_is_refused():
    found = answer('{"check": "mann_whitney", "inputs": {"x": [1, NaN], "y": [2]}}')
    assert "not a number" in found["error"]


@pytest.mark.parametrize("u, expected", [(13, 0.0498834498834499), (51, 0.0498834498834499)])
def test_either_u_gives_the_same_p(u, expected):
    found = ask("mann_whitney_p_from_u", n1=8, n2=8, U=u, ties=False)["result"]
    assert found["exact_doubled"] == pytest.approx(expected)


def test_with_ties_of_unknown_sizes_no_exact_p_is_claimed():
    found = ask("mann_whitney_p_from_u", n1=8, n2=8, U=13.5, ties=True)
    assert found["result"]["exact_doubled"] is found["result"]["mid_p_doubled"] is None
    assert "without ties" in found["convention"]


def test_the_printed_p_is_held_against_the_box_where_it_is_given():
    inputs = {"estimate": "1.55", "ci95": ["0.92", "2.60"]}
    assert ask("ratio_ci_p_consistency", **inputs, p="0.10")["result"]["p_consistent"]
    assert not ask("ratio_ci_p_consistency", **inputs, p="0.05")["result"]["p_consistent"]
    assert ask("ratio_ci_p_consistency", **inputs, p="ns")["result"]["p_consistent"]
