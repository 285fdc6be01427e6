"""A search too large says so before it starts: how large, and what would narrow it. Just below, it is answered.

Each case names what the search runs through; where it is refused, that must never have been entered.
"""

import json
import re

import pytest

from whichdata import fragility, lattice, rank_sets, reconstruct, survival, tables2x2
from whichdata.checks import answer, toolbox

MONTHS = "integers 1..60"
FOUR = {"survival_percent_at": {"12": "80", "24": "60", "36": "50", "48": "40"}}
STEPS = [[9, "0.909"], [13, "0.818"], [18, "0.716"], [23, "0.614"], [31, "0.491"], [34, "0.368"], [48, "0.184"]]


class Entered(Exception):
    pass


def never(*_, **__):
    raise Entered


# check, inputs just too large, inputs answered, what is run through, how large, what would narrow it
CASES = [
    ("km_feasible_count", dict(n=45, times=MONTHS, **FOUR), dict(n=30, times=MONTHS, **FOUR),
     (lattice.Lattice, "_fill"), "about 1[0-9],[0-9]{3},[0-9]{3} states for 45 patients", "number of events"),
    ("km_feasible_count", dict(n=100, times=MONTHS, median=30, events=30),
     dict(n=100, times=MONTHS, median=30, events=2),
     (lattice.Lattice, "_fill"), "more than 10.12 states for 100 patients", "fewer decimals"),
    ("km_feasible_count", dict(n=2000, times=MONTHS), dict(n=100, times=MONTHS),
     (lattice.Lattice, "_fill"), "[0-9]{2,3},[0-9]{3},[0-9]{3} steps for 2000 patients", "coarser grid"),
    ("km_feasible_count", dict(n=200, times=MONTHS, median=30, median_convention="r_midpoint"),
     dict(n=20, times=MONTHS, median=30, median_convention="r_midpoint"),
     (lattice.Lattice, "_fill"), "states for 200 patients", "fewer patients"),
    ("km_granularity", dict(n=60, percent="60.123456789012345", censoring_before=True),
     dict(n=24, percent="60.123456789012345", censoring_before=True),
     (lattice.Lattice, "_fill"), "states for 60 patients", "fewer decimals"),
    ("logrank_feasible_set", dict(arm1={"n": 400, "median": 6}, arm2={"n": 400, "median": 2}, times="integers 1..8"),
     dict(arm1={"n": 12, "median": 6}, arm2={"n": 12, "median": 2}, times="integers 1..8"),
     (lattice.Lattice, "_fill"), "states for 400 patients", "number of events"),
    ("km_reconstruction_exact", dict(n=1100, curve_steps=STEPS), dict(n=110, curve_steps=STEPS),
     (reconstruct._Placements, "ways"), "more than 6,000,000 ways to place events among 1100", "decimals"),
    ("fragility_index", dict(events1=0, n1=50_000, events2=50_000, n2=50_000),
     dict(events1=0, n1=3_000, events2=3_000, n2=3_000),
     (fragility._ChangedOutcomes, "fewest"), "up to 49,995 outcomes must change in groups of 50,000", "smaller groups"),
    ("reverse_fragility_index", dict(events1=25_000, n1=50_000, events2=25_000, n2=50_000, alpha=1e-30),
     dict(events1=2_500, n1=5_000, events2=2_500, n2=5_000, alpha=1e-30),
     (fragility._ChangedOutcomes, "fewest"), "outcomes must change in groups of 50,000", "alpha nearer to p"),
    ("two_proportions_feasible", dict(n1=2_000_000, percent1="58.000", n2=2_000_000, percent2="29.000"),
     dict(n1=2_000, percent1="58.0", n2=2_000, percent2="29.0"),
     (tables2x2, "tests_2x2"), "20 × 20 = 400 tables of 2000000 and 2000000|21 × 21 = 441 tables", "more decimals"),
    ("mann_whitney_feasible_set",
     dict(group1=dict(n=10, min=0, median=1000, max=3000), group2=dict(n=10, min=0, median=1000, max=3000)),
     dict(group1=dict(n=4, min=0, median=3, max=9), group2=dict(n=4, min=0, median=3, max=9)),
     (rank_sets._Walk, "__init__"), "pairs of middle values on 3001 values", "narrow the ranges"),
    ("mean_sd_bounds_from_median_range", dict(n=500, min="0e2", median="3e2", max="8e2"),
     dict(n=50, min="0", median="30", max="80"),
     (rank_sets, "_rising"), "pairs of middle values of 500 patients", "coarser unit"),
    ("kendall", dict(x=list(range(2_001)), y=list(range(2_001))), dict(x=list(range(50)), y=list(range(50))),
     (toolbox, "kendalltau"), "2,001 pairs of values", "at most 2,000"),
    ("rmst_se", dict(time=[1] * 10_001, event=[1] * 10_001, tau=5), dict(time=[1] * 999, event=[1] * 999, tau=5),
     (survival, "exact_time"), "10,001 patients are too many for exact fractions", "at most 10,000"),
    ("km_reconstruction_guyot", dict(curve=[[1, 0.5]], number_at_risk={"0": 10**7}),
     dict(curve=[[1, 0.5]], number_at_risk={"0": 10**4}),
     (reconstruct._Guyot, "run"), "number at risk at 0 is 10000000", "at most 1000000"),
]  # fmt: skip


@pytest.mark.parametrize("n", range(20, 31))
def test_four_figures_of_thirty_patients_by_month_are_answered(n):
    found = answer(json.dumps({"check": "km_feasible_count", "inputs": dict(n=n, times=MONTHS, **FOUR)}))
    assert found["result"]["n_datasets"] == sum(found["result"]["by_events"].values())


@pytest.mark.parametrize("check, large, small, inside, size, narrows", CASES, ids=[case[0] for case in CASES])
def test_it_is_refused_before_it_starts_and_answered_below(check, large, small, inside, size, narrows, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(*inside, never)
        refused = answer(json.dumps({"check": check, "inputs": large}))
        with pytest.raises(Entered):  # it is what the search runs through
            answer(json.dumps({"check": check, "inputs": small}))
    assert "\n" not in refused["error"] and narrows in refused["error"]
    assert re.search(size, refused["error"]), refused["error"]
    assert "result" in answer(json.dumps({"check": check, "inputs": small}))
