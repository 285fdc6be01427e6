"""The wider toolbox of checks, as seen from outside: one JSON object a line."""

import inspect
import json
from pathlib import Path

import pytest
from test_checks_counts import ask, differences, examples

from whichdata.checks import CHECKS, answer, toolbox

OURS = sorted(name for name, f in CHECKS.items() if inspect.getmodule(f) is toolbox)
R = json.loads((Path(__file__).parent / "oracles" / "counts.json").read_text())

# Two examples come from an R package that optimises, or draws at random: as near as its own runs are to each other.
LOOSE = {"mean_sd_from_median_range_qe": 1e-4, "mean_sd_from_median_range_bc": 0.02}


@pytest.mark.parametrize("example", examples(OURS), ids=lambda e: e["check"])
def test_examples(example):
    found = answer(json.dumps(example))
    assert "result" in found, found
    if example["check"] in LOOSE:
        assert found["result"] == pytest.approx(example["expected"], rel=LOOSE[example["check"]])
    else:
        assert differences(example["expected"], found["result"]) == []


BY_HAND = [
    ("grim", {"x": "3.45", "n": 20}, {"consistent": True, "possible_sums": [69]}),
    ("grim", {"x": "3.46", "n": 20}, {"consistent": False, "possible_sums": []}),
    ("grim", {"x": "32.1", "n": 28, "percent": True}, {"consistent": True, "possible_sums": [9]}),
    ("grim", {"x": "-0.5", "n": 2}, {"consistent": True, "possible_sums": [-1]}),
    ("grim_batch", {"x": ["3.45", "3.5"], "n": [20, 2]}, {"consistent": [True, True]}),
    ("grim_closest", {"x": "3.5", "n": 1}, {"closest": ["3.0", "4.0"]}),
    ("grim_closest", {"x": "3.45", "n": 20}, {"closest": ["3.45"]}),
    ("grim_probability", {"x": "5.3", "n": 90}, {"probability": 0.0}),
    ("grim_total_n", {"x1": "0.50", "x2": "0.33", "total_n": 5}, {"both_consistent_(n1,n2)": [[2, 3]]}),
    ("grimmer", {"x": "2.0", "sd": "0.0", "n": 5}, {"consistent": True, "possible_(sum,sum_of_squares)": [[10, 20]]}),
    ("grimmer", {"x": "2.5", "sd": "0.5", "n": 4, "scale": [2, 3]},
     {"consistent": False, "possible_(sum,sum_of_squares)": []}),
    ("min_sd_integer", {"mean": "1.50", "n": 2}, {"min_sd": 0.5**0.5}),
    ("min_sd_integer", {"mean": "1.25", "n": 3}, {"min_sd": None}),
    ("bounded_integer_datasets", {"mean_interval": ["1", "1"], "sd_interval": ["0", "9"], "n": 2, "scale": [0, 2]},
     {"count": 2}),
    ("sd_limits_bounded", {"n": 2, "mean": "1.0", "scale": [0, 2], "sd_decimals": 3}, {"min_sd": 0.0, "max_sd": 1.414}),
    ("debit", {"x": "0.5", "sd": "0.51", "n": 20}, {"consistent": True}),
    ("sd_binary", {"n0": 1, "n1": 1}, {"sd": 0.5**0.5, "mean": 0.5}),
    ("t_test_from_summary", {"m1": "1", "sd1": "0", "n1": 5, "m2": "2", "sd2": "0", "n2": 5},
     {"p_at_printed_values": {"student": None, "welch": None}}),
    ("e_value", {"estimate": 2, "measure": "RR"}, {"point": 2 + 2**0.5, "ci_limit": None}),
    ("fragility_index", {"events1": 0, "n1": 9, "events2": 0, "n2": 9},
     {"p": 1.0, "walsh_index": 0, "p_after": 1.0, "minimal_any_change": 0, "fragility_quotient": 0.0}),
    ("reverse_fragility_index", {"events1": 1, "n1": 2, "events2": 1, "n2": 2}, {"p": 1.0, "minimal_any_change": None}),
    ("mcnemar", {"table": [[5, 0], [0, 7]]}, {"statistic_cc": None, "p": None}),
    ("mcnemar", {"table": [[5, 3], [3, 7]]}, {"statistic_cc": 0.0, "p": 1.0}),
    ("kruskal_wallis", {"groups": [[1, 1], [1]]}, {"H": None, "p": None}),
    ("kendall", {"x": [1, 2, 3], "y": [3, 2, 1]}, {"T": 0, "p_exact": 1 / 3, "tau": -1.0}),
    ("kendall", {"x": [1, 1, 1], "y": [3, 2, 1]}, {"T": 0, "p_exact": None, "tau": None}),
    ("mean_sd_from_quartiles", {"q1": 3, "median": 3, "q3": 3, "n": 1},
     {"wan_mean": 3.0, "luo_mean": 3.0, "wan_sd": None}),
    ("mean_sd_from_median_range", {"min": 3, "median": 3, "max": 3, "n": 1},
     {"hozo_mean": 3.0, "luo_mean": 3.0, "wan_sd": None}),
    ("wan_xi", {"n": 1}, {"xi_table": 0.0, "xi": 0.0, "approx_2q": 0.0}),
    ("duplicates", {"columns": {"a": ["1", None, "2"], "b": ["1", "1", "3"]}},
     {"frequency": {"1": 3}, "duplicated_flags": {"a": [True, False, False], "b": [True, True, False]},
      "column_pair_overlap": {"a-b": 1}}),
]  # fmt: skip


@pytest.mark.parametrize("name, inputs, expected", BY_HAND, ids=lambda v: v if isinstance(v, str) else "")
def test_answers_by_hand(name, inputs, expected):
    found = ask(name, **inputs)
    assert "result" in found, found
    assert differences(expected, found["result"]) == []
    assert found["convention"]


def test_named_tables_are_those_of_r():
    (table,) = toolbox.NAMED_TABLES.values()
    assert table == [[list(row) for row in zip(*t)] for t in R["strata"][0]["tables"]]  # R's, rows and columns changed
    assert ask("mantel_haenszel", table=table)["result"]["statistic_cc"] == pytest.approx(R["strata"][0]["statistic"])


@pytest.mark.parametrize("case", R["kruskal"])
def test_kruskal_wallis_as_in_r(case):
    found = ask("kruskal_wallis", groups=case["groups"])["result"]
    assert (found["H"], found["p"]) == pytest.approx((case["h"], case["p"]), rel=1e-9)


def test_kendall_as_in_r():
    case = R["kendall"]
    found = ask("kendall", x=case["x"], y=case["y"])["result"]
    assert (found["T"], found["p_exact"], found["tau"]) == pytest.approx((case["t"], case["p"], case["tau"]), rel=1e-9)


@pytest.mark.parametrize(
    "p, relation, expected", [(".04", "=", (False, False)), (".05", "<", (False, False)), (None, "ns", (True, True))]
)
def test_decimals_are_read_from_the_print_where_they_are_not_given(p, relation, expected):
    found = ask("p_value_recomputation", test="t", statistic="2.20", df2="28", p=p, p_relation=relation)["result"]
    assert (found["error"], found["decision_error"]) == expected


ERRORS = [
    ("grim", {"x": "5.18", "n": 0}, "n is 0"),
    ("grim", {"x": 5.18, "n": 10}, "in quotes"),
    ("grim_batch", {"x": ["1", "2"], "n": [3]}, "group sizes"),
    ("grimmer", {"x": "3", "sd": "1", "n": 1}, "at least 2"),
    ("bounded_integer_datasets", {"mean_interval": ["3", "4"], "sd_interval": ["1", "2"], "n": 9000, "scale": [0, 90]},
     "narrow the scale"),
    ("bounded_integer_datasets", {"mean_interval": ["4", "3"], "sd_interval": ["1", "2"], "n": 9, "scale": [0, 9]},
     "ends below its start"),
    ("sd_limits_bounded", {"n": 5, "mean": "9", "scale": [1, 7]}, "outside the scale"),
    ("debit", {"x": "1.5", "sd": "0.5", "n": 20}, "zeros and ones"),
    ("p_value_recomputation", {"test": "t", "statistic": "2.2", "df2": "28"}, "no p"),
    ("p_value_recomputation", {"test": "W", "statistic": "2.2", "p": "0.5"}, "no test"),
    ("e_value", {"estimate": -1}, "above 0"),
    ("fragility_index", {"events1": 9, "n1": 5, "events2": 1, "n2": 5}, "more events than patients"),
    ("fragility_index", {"events1": 1, "n1": 5, "events2": 1, "n2": 5, "test": "t"}, "no test"),
    ("mantel_haenszel", {"table": "Titanic"}, "no table named"),
    ("kruskal_wallis", {"groups": [[1, 2], []]}, "none of them empty"),
    ("kendall", {"x": [1, 2], "y": [1]}, "equally long"),
    ("wan_xi", {"n": 0}, "at least 1"),
    ("mean_sd_from_median_range", {"min": 2, "median": 14, "max": 9, "n": 10}, "above the max"),
    ("mean_sd_from_median_range_bc", {"min": 0, "median": 4, "max": 9, "n": 10}, "positive"),
    ("duplicates", {"columns": {}}, "no columns"),
]  # fmt: skip


@pytest.mark.parametrize("name, inputs, message", ERRORS, ids=lambda v: v if isinstance(v, str) else "")
def test_bad_input_gives_one_clear_line(name, inputs, message):
    found = ask(name, **inputs)
    assert message in found["error"] and "\n" not in found["error"]
    assert not found["error"].startswith(("TypeError", "KeyError", "IndexError", "AttributeError"))
