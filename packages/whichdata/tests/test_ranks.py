"""Mann–Whitney: R, scipy, brute force over all rank assignments and all data sets."""

import json
import math
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, combinations_with_replacement, product
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, rankdata

from whichdata import rank_nulls, rank_sets, ranks
from whichdata.printed import ROUNDINGS, Printed, printings
from whichdata.rank_sets import Group

R = json.loads((Path(__file__).parent / "oracles" / "counts.json").read_text())

roundings = st.sampled_from(ROUNDINGS)
values = st.lists(st.integers(0, 9), min_size=1, max_size=5)


@lru_cache(maxsize=None)
def all_u(x: tuple, y: tuple) -> tuple[Fraction, list[Fraction]]:
    """U of x, and U of every way to choose a group of that size from the pooled values."""
    pooled = [Fraction(r).limit_denominator(2) for r in rankdata(x + y)]
    base = Fraction(len(x) * (len(x) + 1), 2)
    chosen = [sum(c) - base for c in combinations(pooled, len(x))]
    return sum(pooled[: len(x)]) - base, chosen


def exact_by_hand(x: tuple, y: tuple) -> dict[str, Fraction]:
    u, chosen = all_u(x, y)
    mean, total = Fraction(len(x) * len(y), 2), len(chosen)
    low, high = sum(v <= u for v in chosen), sum(v >= u for v in chosen)
    same = Fraction(sum(v == u for v in chosen), 2)
    return {
        "exact_doubled": min(Fraction(1), Fraction(2 * min(low, high), total)),
        "exact_conditional": Fraction(sum(abs(v - mean) >= abs(u - mean) for v in chosen), total),
        "mid_p_doubled": Fraction(2 * min(low - same, high - same), total),
        "greater": Fraction(high, total),
    }


# One test


@pytest.mark.parametrize("case", R["ranks"], ids=lambda c: f"{len(c['x'])} against {len(c['y'])}")
def test_data_as_in_r(case):
    found = ranks.mann_whitney(case["x"], case["y"])
    assert float(found.u) == case["w"]
    assert found.by_convention["asymptotic_cc"] == pytest.approx(case["cc"], rel=1e-9)
    assert found.by_convention["asymptotic_no_cc"] == pytest.approx(case["no_cc"], rel=1e-9)
    assert found.asymptotic_greater_no_cc == pytest.approx(case["greater_no_cc"], rel=1e-9)
    if case["exact"] is not None:
        for name in ("exact_doubled", "exact_conditional"):
            assert found.by_convention[name] == pytest.approx(case["exact"], rel=1e-9)
        assert found.exact_greater == pytest.approx(case["exact_greater"], rel=1e-9)


@pytest.mark.parametrize("case", R["null_u"], ids=lambda c: f"{c['n1']} against {c['n2']}")
def test_null_distribution_as_in_r(case):
    null = rank_nulls.null_distribution(case["n1"], case["n2"])
    found = [float(null.doubled(2 * int(u))) for u in case["u"]]
    assert found == pytest.approx(case["doubled"], rel=1e-9)


@given(values, values)
def test_exact_p_by_choosing_every_group(x, y):
    x, y = tuple(sorted(x)), tuple(sorted(y))
    found, by_hand = ranks.mann_whitney(x, y), exact_by_hand(x, y)
    assert found.u == all_u(x, y)[0]
    assert found.exact_greater == by_hand["greater"]
    assert found.by_convention["exact_conditional"] == by_hand["exact_conditional"]
    tied = len(set(x + y)) < len(x + y)
    for name in ("exact_doubled", "mid_p_doubled"):
        assert found.by_convention[name] == (None if tied else by_hand[name])


@given(values, values)
def test_asymptotic_p_as_in_scipy(x, y):
    found = ranks.mann_whitney(x, y).by_convention
    if len(set(x + y)) == 1:
        assert found["asymptotic_cc"] is found["asymptotic_no_cc"] is None
        return
    for name, continuity in (("asymptotic_cc", True), ("asymptotic_no_cc", False)):
        p = mannwhitneyu(x, y, method="asymptotic", use_continuity=continuity).pvalue
        assert found[name] == pytest.approx(p, rel=1e-9)


@given(st.lists(st.integers(1, 3), min_size=2, max_size=4), st.data())
def test_null_distribution_counts_every_choice(ties, data):
    size = sum(ties)
    n1 = data.draw(st.integers(1, size - 1))
    pooled = tuple(v for v, t in enumerate(ties) for _ in range(t))
    null = rank_nulls.null_distribution(n1, size - n1, tuple(ties))
    assert sum(null.ways) == math.comb(size, n1)
    _, chosen = all_u(pooled[:n1], pooled[n1:])
    assert [chosen.count(Fraction(u2, 2)) for u2 in range(len(null.ways))] == list(null.ways)


def test_large_groups_are_left_to_the_normal():
    found = ranks.p_by_convention(400, 400, 150_000)
    assert found["exact_doubled"] is None and found["asymptotic_cc"] > 0
    with pytest.raises(ValueError, match="too large"):
        rank_nulls.null_distribution(400, 400)


# What group sizes allow


@lru_cache(maxsize=None)
def everything(n1: int, n2: int) -> list[tuple[bool, Fraction, dict]]:
    """Every ordering with ties of two groups: whether tied, U, and p by convention (from first principles)."""
    found = []
    for pattern in set(product(range(n1 + n2), repeat=n1 + n2)):
        x, y = tuple(sorted(pattern[:n1])), tuple(sorted(pattern[n1:]))
        if x + y == pattern and set(pattern) == set(range(len(set(pattern)))):
            tied, by_hand = len(set(pattern)) < n1 + n2, exact_by_hand(x, y)
            p = {"exact_conditional": by_hand["exact_conditional"]}
            if not tied:
                p |= {k: by_hand[k] for k in ("exact_doubled", "mid_p_doubled")}
            if len(set(pattern)) > 1:
                for name, continuity in (("asymptotic_cc", True), ("asymptotic_no_cc", False)):
                    p[name] = mannwhitneyu(x, y, method="asymptotic", use_continuity=continuity).pvalue
            found.append((tied, all_u(x, y)[0], p))
    return found


@pytest.mark.parametrize("sizes", [(1, 1), (2, 3), (1, 4)])
@pytest.mark.parametrize("ties", [True, False])
def test_possible_p_are_those_of_some_ordering(sizes, ties):
    cases = [(u, p) for tied, u, ps in everything(*sizes) if ties or not tied for p in ps.values()]
    us = {u for u, _ in cases}
    for text in [f"{k / 100:.2f}" for k in range(0, 101, 4)] + ["0.1", "0.2", "0.33", "0.67", "< 0.1"]:
        printed = Printed.parse(text)
        assert ranks.p_possible(text, *sizes, ties=ties) == any(printed.prints(p) for _, p in cases)
        for u in sorted(us):
            wanted = {u, sizes[0] * sizes[1] - u}
            expected = any(printed.prints(p) for v, p in cases if v in wanted)
            assert ranks.p_possible(text, *sizes, u=float(u), ties=ties) == expected
    for u2 in range(-2, 2 * sizes[0] * sizes[1] + 3):
        assert ranks.u_possible(*sizes, u2 / 2, ties=ties) == (Fraction(u2, 2) in us)


@pytest.mark.parametrize("sizes", [(2, 2), (2, 3)])
def test_ways_to_print_lists_them_all(sizes):
    n1, n2 = sizes
    for text in ("1.00", "0.50", "0.33", "0.2", "0.1", "0.24", "< 0.15"):
        found = list(ranks.ways_to_print(text, n1, n2))
        printed = Printed.parse(text)
        expected = {
            (name, min(u, n1 * n2 - u))
            for _, u, ps in everything(*sizes)
            for name, p in ps.items()
            if printed.prints(p)
        }
        assert {(m.convention, m.u) for m in found} == expected
        assert all(printed.prints(m.p) for m in found)


@given(values, values, st.integers(2, 4), roundings, st.data())
def test_no_p_computed_from_data_is_called_impossible(x, y, decimals, rounding, data):
    found = ranks.mann_whitney(x, y)
    name = data.draw(st.sampled_from([k for k, p in found.by_convention.items() if p is not None]))
    text = data.draw(st.sampled_from(printings(found.by_convention[name], decimals, rounding)))
    tied = max(found.ties) > 1
    assert ranks.p_possible(text, len(x), len(y), ties=tied, rounding=rounding)
    assert ranks.p_possible(text, len(x), len(y), u=float(found.u), ties=tied, rounding=rounding)
    assert ranks.u_possible(len(x), len(y), float(found.u), ties=tied)
    assert found.by_convention["exact_conditional"] >= ranks.least_exact_p(len(x), len(y)) or tied


def test_beyond_listing_the_verdict_is_possible_or_an_error_but_never_impossible():
    with pytest.raises(ValueError, match="tie structures"):
        ranks.p_possible("0.99999991", 7, 8)
    assert not ranks.p_possible("0.99999991", 7, 8, ties=False)


# Data sets that print the summaries


def datasets(n, low, middle, high) -> list[tuple]:
    """All multisets with these summaries, one by one."""
    pool = combinations_with_replacement(range(int(low), int(high) + 1), n)
    return [s for s in pool if s[0] == low and s[-1] == high and median(s) == middle]


groups = st.lists(st.integers(0, 5), min_size=1, max_size=4).map(sorted)


@given(groups, groups, st.integers(1, 3), roundings)
def test_feasible_pairs_are_all_pairs_that_print_the_summaries(x, y, decimals, rounding):
    first, second = ((len(g), g[0], median(g), g[-1]) for g in (x, y))
    p = ranks.mann_whitney(x, y).by_convention["exact_conditional"]
    text = printings(p, decimals, rounding)[0]
    found = rank_sets.feasible_ranks(Group(*first), Group(*second), text, rounding=rounding)
    pairs = list(product(datasets(*first), datasets(*second)))
    assert (found.n_group1, found.n_group2) == (len(datasets(*first)), len(datasets(*second)))
    assert found.n_pairs == len(pairs)
    printing = set()
    for name, spread in found.by_convention.items():
        by_pair = {pair: ranks.mann_whitney(*pair).by_convention[name] for pair in pairs}
        ps = [v for v in by_pair.values() if v is not None]
        assert (spread.min_p, spread.max_p) == (min(ps, default=None), max(ps, default=None))
        hits = {pair for pair, v in by_pair.items() if v is not None and Printed.parse(text).prints(v, rounding)}
        assert spread.n_printing == len(hits)
        if spread.witness is None:
            assert not hits
        else:
            assert tuple(tuple(int(v) for v in g) for g in spread.witness) in hits
        printing |= hits
    assert found.n_printing == len(printing) >= 1


@given(groups, groups, st.integers(0, 1), roundings, st.data())
def test_the_data_behind_printed_summaries_are_among_those_counted(x, y, decimals, rounding, data):
    def printed(value):
        return data.draw(st.sampled_from(printings(Fraction(value), decimals, rounding)))

    described = [Group(len(g), printed(g[0]), printed(median(g)), printed(g[-1])) for g in (x, y)]
    for group, values in zip(described, (x, y)):
        within = [
            b for b in group.bounds(rounding=rounding)
            if all(low <= v <= high for low, v, high in zip(b.lows, values, b.highs))
        ]  # fmt: skip
        assert len(within) == 1  # counted, and counted once
    p = ranks.mann_whitney(x, y).by_convention["exact_conditional"]
    text = data.draw(st.sampled_from(printings(p, 3, rounding)))
    found = rank_sets.feasible_ranks(*described, text, rounding=rounding)
    assert found.by_convention["exact_conditional"].n_printing >= 1


@given(groups, groups)
def test_raw_values_on_one_side(x, y):
    known = Group(len(x), values=tuple(x))
    found = rank_sets.feasible_ranks(known, Group(len(y), y[0], median(y), y[-1]))
    pairs = [(tuple(x), other) for other in datasets(len(y), y[0], median(y), y[-1])]
    assert (found.n_group1, found.n_pairs) == (1, len(pairs))
    ps = [ranks.mann_whitney(*pair).by_convention["exact_conditional"] for pair in pairs]
    assert found.by_convention["exact_conditional"][:3] == (min(ps), max(ps), None)


def test_three_raw_values_against_a_described_group():
    # 0, 9, 14 against nine values, 26 to 79 with median 31: apart, so U = 0 and only ties among the nine move p.
    found = rank_sets.feasible_ranks(Group(3, values=(0, 9, 14)), Group(9, 26, 31, 79), "0.0142")
    assert found.n_group2 == math.comb(6 + 2, 3) * math.comb(49 + 2, 3)  # three below the median, three above
    x, y = found.by_convention["asymptotic_cc"].witness
    assert Printed.parse("0.0142").prints(ranks.mann_whitney(x, y).by_convention["asymptotic_cc"])
    assert found.by_convention["exact_conditional"].n_printing == 0
    assert found.by_convention["asymptotic_no_cc"].n_printing == 0
    ties = {m.ties for m in ranks.ways_to_print("0.0142", 3, 9, u=0)}
    assert {tuple(sorted(t)) for t in ties} == {(2, 4), (2, 2, 2, 3, 3)}


def test_tenths_as_the_unit():
    found = rank_sets.feasible_ranks(
        Group(3, 0.4, 2.2, 9.5), Group(3, "0.1", "0.75", "7.6"), "0.4", unit=Fraction(1, 20), rounding="up_or_down"
    )
    assert found.n_group1 == 1 and found.n_group2 == 3 * 1 * 3  # 0.05, 0.10, 0.15 · 0.75 · 7.55, 7.60, 7.65
    assert found.by_convention["exact_conditional"].min_p == Fraction(7, 10)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=5))
def test_counting_multisets_within_bounds(edges):
    lows, highs = sorted(min(e) for e in edges), sorted(max(e) for e in edges)
    bounds = rank_sets.OrderBounds(tuple(lows), tuple(highs))
    pool = combinations_with_replacement(range(6), len(edges))
    assert rank_sets.count_datasets(bounds) == sum(
        all(low <= v <= high for low, v, high in zip(lows, s, highs)) for s in pool
    )


def test_large_groups_keep_the_asymptotic_conventions():
    found = rank_sets.feasible_ranks(Group(9, 3, 11, 30), Group(9, 1, 6, 22), "0.04")
    assert found.by_convention["exact_conditional"] is None
    x, y = found.by_convention["asymptotic_cc"].witness
    assert Printed.parse("0.04").prints(ranks.mann_whitney(x, y).by_convention["asymptotic_cc"])
    assert (x[0], median(x), x[-1], y[0], median(y), y[-1]) == (3, 11, 30, 1, 6, 22)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: ranks.mann_whitney([], [1]), "empty"),
        (lambda: ranks.mann_whitney([1, float("nan")], [1]), "not a number"),
        (lambda: ranks.mann_whitney([1, "2"], [1]), "not a number"),
        (lambda: ranks.least_exact_p(0, 4), "at least 1"),
        (lambda: ranks.p_possible("1.3", 3, 4), "outside 0 to 1"),
        (lambda: ranks.p_possible("NaN", 3, 4), "no printed number"),
        (lambda: rank_sets.feasible_ranks(Group(0, 1, 2, 3), Group(3, 1, 2, 3)), "at least 1"),
        (lambda: rank_sets.feasible_ranks(Group(3, 1, 5, 3), Group(3, 1, 2, 3)), "median 5 is above the max 3"),
        (lambda: rank_sets.feasible_ranks(Group(3, None, 2, 3), Group(3, 1, 2, 3)), "min and max"),
        (lambda: rank_sets.feasible_ranks(Group(3, 1, 2, "> 3"), Group(3, 1, 2, 3)), "unbounded"),
        (lambda: rank_sets.feasible_ranks(Group(3, 1, 2, float("nan")), Group(3, 1, 2, 3)), "NaN"),
        (lambda: rank_sets.feasible_ranks(Group(0, values=()), Group(3, 1, 2, 3)), "empty"),
        (
            lambda: rank_sets.feasible_ranks(Group(60, 3, 11, 200), Group(60, 1, 6, 120)),
            "steps for groups of 60 and 60",
        ),
        (lambda: ranks.reachable(40, 40), "steps to list the ties of 80"),
    ],
)
def test_bad_input_gives_one_clear_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_median_no_data_can_have_leaves_nothing():
    found = rank_sets.feasible_ranks(Group(5, 3, 11.5, 20), Group(5, 1, 6, 12), "0.04")
    assert (found.n_group1, found.n_pairs, found.n_printing) == (0, 0, 0)
    assert found.by_convention["asymptotic_cc"].witness is None
