"""Means, SDs and medians of small samples: brute force over all data, R, published values."""

import json
import math
from collections import Counter
from fractions import Fraction
from itertools import combinations_with_replacement
from pathlib import Path
from statistics import mean, median, variance

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from whichdata import estimates, median_range, whole_numbers
from whichdata.printed import ROUNDINGS, Interval, Printed, printings

R = json.loads((Path(__file__).parent / "oracles" / "counts.json").read_text())

roundings = st.sampled_from(ROUNDINGS)
samples = st.lists(st.integers(0, 7), min_size=2, max_size=8)


def printed_sd(values, decimals, rounding):
    """The texts an SD may be printed as, from its exact square."""
    var = variance([Fraction(v) for v in values])
    near = math.isqrt(math.floor(var * 100**decimals))
    texts = {t for k in (near, near + 1) for t in printings(Fraction(k, 10**decimals), decimals)}
    return [t for t in sorted(texts) if var in whole_numbers.squared(Printed.parse(t).interval(rounding))]


# Medians


@given(samples, st.integers(0, 2), roundings, st.data())
def test_a_median_of_data_is_possible(values, decimals, rounding, data):
    text = data.draw(st.sampled_from(printings(Fraction(median(values)), decimals, rounding)))
    assert median_range.median_possible(text, len(values), "integer", rounding)


@pytest.mark.parametrize(
    "median, n, data, possible",
    [("7", 9, "integer", True), ("7.5", 9, "integer", False), ("7.5", 10, "integer", True),
     ("7.3", 10, "integer", False), ("7.3", 9, "continuous", True), ("7", 10, "integer", True)],
)  # fmt: skip
def test_medians_of_whole_numbers(median, n, data, possible):
    assert median_range.median_possible(median, n, data) == possible


# Bounds from median and range


def all_with(n, low, middle, high):
    pool = combinations_with_replacement(range(low, high + 1), n)
    return [s for s in pool if s[0] == low and s[-1] == high and median(s) == middle]


@given(st.integers(1, 6), st.integers(0, 3), st.integers(0, 5), st.data())
def test_bounds_of_whole_numbers_by_listing_them(n, low, width, data):
    high = low + width
    middle = data.draw(st.integers(2 * low, 2 * high)) / 2
    found = median_range.bounds_from_median_range(n, low, middle, high)
    listed = all_with(n, low, middle, high)
    assert found.n_datasets == len(listed)
    if not listed:
        assert found.mean is found.sd is None
        return
    means = [mean(map(Fraction, s)) for s in listed]
    assert found.mean == (float(min(means)), float(max(means)))
    if n > 1:
        squares = [variance(map(Fraction, s)) for s in listed]
        assert found.sd == pytest.approx((math.sqrt(min(squares)), math.sqrt(max(squares))), rel=1e-12)


@given(st.integers(2, 9), st.floats(-5, 5), st.floats(0, 10), st.floats(0, 1))
def test_bounds_of_continuous_data(n, low, width, share):
    if n == 2:
        share = 0.5
    low, middle, high = round(low, 2), round(low + share * width, 2), round(low + width, 2)
    assume(low <= middle <= high and (n > 2 or math.isclose(2 * middle, low + high)))
    found = median_range.bounds_from_median_range(n, low, middle, high, "continuous")
    if n == 2 and found.sd is None:
        return  # rounding has moved the median off the midpoint
    # Free values as shares of their room, and the distance d of the middle two of an even number from the median.
    below = above = (n - 3) // 2 if n > 2 else 0

    def values(theta):
        """One sample a row of ``theta`` (d, then the free values)."""
        d = theta[:, :1] * (min(middle - low, high - middle) if n % 2 == 0 and n > 2 else 0)
        left, right, ones = middle - d, middle + d, np.ones_like(d)
        core = [middle * ones] if n % 2 else [left, right] if n > 2 else []
        free = theta[:, 1:]
        lower, upper = low + free[:, :below] * (left - low), right + free[:, below:] * (high - right)
        return np.hstack([low * ones, high * ones, *core, lower, upper])

    k = 1 + below + above
    rng = np.random.default_rng(0)
    some = values(np.vstack([rng.random((20, k)), rng.integers(0, 2, (20, k))]))
    assert found.mean[0] - 1e-9 <= some.mean(1).min() and some.mean(1).max() <= found.mean[1] + 1e-9
    assert found.sd[0] - 1e-9 <= some.std(1, ddof=1).min() and some.std(1, ddof=1).max() <= found.sd[1] + 1e-9
    # About any centre two middle values scatter least at d = 0; what is left is a least-squares problem in a box.
    origin, units = values(np.zeros((1, k)))[0], values(np.eye(k)[1:])
    least = origin
    if len(units) and (origin != units).any():
        steps = (units - origin).T
        fit = lsq_linear(steps - steps.mean(0), origin.mean() - origin, bounds=(0, 1), method="bvls")
        least = origin + steps @ fit.x
    assert found.sd[0] == pytest.approx(least.std(ddof=1), rel=1e-6, abs=1e-6)
    corners = values(np.array(list(np.ndindex(*(2,) * k)), dtype=float))
    assert found.sd[1] == pytest.approx(corners.std(1, ddof=1).max(), rel=1e-9, abs=1e-9)
    assert found.mean == pytest.approx((corners.mean(1).min(), corners.mean(1).max()), rel=1e-9, abs=1e-9)


@given(st.lists(st.integers(0, 40), min_size=2, max_size=7), st.integers(0, 1), roundings,
       st.sampled_from(["integer", "continuous"]), st.data())  # fmt: skip
def test_mean_and_sd_of_data_lie_within_the_bounds_of_their_prints(tenths, decimals, rounding, kind, data):
    values = sorted(Fraction(t, 10 if kind == "continuous" else 1) for t in tenths)

    def text(value):
        return data.draw(st.sampled_from(printings(value, decimals, rounding)))

    described = text(values[0]), text(median(values)), text(values[-1])
    found = median_range.bounds_from_median_range(len(values), *described, kind, rounding)
    assert found.mean[0] - 1e-9 <= float(mean(values)) <= found.mean[1] + 1e-9
    sd = math.sqrt(variance(values))
    assert found.sd[0] - 1e-9 <= sd <= found.sd[1] + 1e-9


# GRIM and GRIMMER


@given(samples, st.integers(1, 3), st.integers(0, 3), st.booleans(), roundings, st.data())
def test_a_mean_of_answers_is_possible(values, items, decimals, percent, rounding, data):
    assume(len(values) % items == 0)
    n, exact = len(values) // items, mean(map(Fraction, values)) * (100 if percent else 1)
    text = data.draw(st.sampled_from(printings(exact, decimals, rounding)))
    assert sum(values) in whole_numbers.possible_sums(text, n, items, percent, rounding)
    if not percent:
        assert text in whole_numbers.closest_means(text, n, items, rounding)


@given(st.integers(1, 12), st.integers(0, 300), roundings)
def test_possible_sums_and_nearest_means_by_hand(n, hundredths, rounding):
    text = f"{hundredths / 100:.2f}"
    prints = {s: printings(Fraction(s, n), 2, rounding) for s in range(-n, 4 * n)}
    assert list(whole_numbers.possible_sums(text, n, rounding=rounding)) == [s for s in prints if text in prints[s]]
    distance = {t: abs(Fraction(t) - Fraction(text)) for ts in prints.values() for t in ts}
    nearest = sorted((t for t in distance if distance[t] == min(distance.values())), key=Fraction)
    assert whole_numbers.closest_means(text, n, rounding=rounding) == nearest


@given(st.integers(1, 120), st.integers(1, 2))
def test_share_of_impossible_means_by_listing_decimals(n, items):
    size = n * items
    reached = {t for s in range(size) for t in printings(Fraction(s, size), 2, "floor")}
    assert whole_numbers.grim_probability("3.45", n, items) == pytest.approx(1 - len(reached) / 100)


@given(samples, st.integers(1, 2), st.integers(0, 2), st.integers(0, 2), roundings, st.booleans(), st.data())
def test_a_mean_and_sd_of_answers_are_possible(totals, items, decimals, sd_decimals, rounding, bounded, data):
    n = len(totals)
    values = [Fraction(t, items) for t in totals]
    text = data.draw(st.sampled_from(printings(mean(values), decimals, rounding)))
    sd_text = data.draw(st.sampled_from(printed_sd(values, sd_decimals, rounding)))
    scale = [0, 7] if bounded else None
    found = whole_numbers.possible_sums_of_squares(text, sd_text, n, items, scale, rounding)
    assert (sum(totals), sum(t * t for t in totals)) in found


@given(st.integers(2, 5), st.integers(0, 40), st.integers(0, 40), roundings)
def test_pairs_of_sums_by_listing_all_answers(n, mean_tenths, sd_tenths, rounding):
    text, sd_text = f"{mean_tenths / 10:.1f}", f"{sd_tenths / 10:.1f}"
    listed = set()
    for s in combinations_with_replacement(range(5), n):
        if Printed.parse(text).prints(mean(map(Fraction, s)), rounding):
            if variance(map(Fraction, s)) in whole_numbers.squared(Printed.parse(sd_text).interval(rounding)):
                listed.add((sum(s), sum(v * v for v in s)))
    found = whole_numbers.possible_sums_of_squares(text, sd_text, n, 1, [0, 4], rounding)
    assert set(found) == listed and len(found) == len(listed)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7])
def test_which_sums_of_squares_whole_numbers_have(n):
    pairs = {(sum(v), sum(x * x for x in v)) for v in combinations_with_replacement(range(-5, 6), n)}
    for total in range(-6, 7):
        for squares in range(36):  # no number beyond 5 has a square below 36
            assert whole_numbers._is_sum_of_squares(n, total, squares) == ((total, squares) in pairs)


def test_from_nine_numbers_on_every_sum_of_squares_of_the_parity():
    # What the shortcut claims, listed: nine numbers near zero reach each Σ² from the evenest split on.
    reach = {(0, 0)}
    for _ in range(9):
        reach = {(s + x, q + x * x) for s, q in reach for x in range(-5, 6) if q + x * x <= 30 and abs(s + x) <= 20}
    for rest in range(9):
        assert {q for s, q in reach if s == rest} == set(range(rest, 31, 2))


@given(st.integers(2, 30), st.integers(0, 500), roundings)
def test_least_sd_and_limits_by_hand(n, hundredths, rounding):
    text = f"{hundredths / 100:.2f}"
    sums = whole_numbers.possible_sums(text, n, rounding=rounding)

    def spread(values):
        return variance([Fraction(v) for v in values])

    evenest = [spread([s // n + (i < s % n) for i in range(n)]) for s in sums]
    least = whole_numbers.least_sd(text, n, rounding)
    assert least == (pytest.approx(math.sqrt(min(evenest)), rel=1e-12) if evenest else None)
    limits = whole_numbers.sd_limits(text, n, [0, 5], 3, rounding)
    inside = [s for s in sums if 0 <= s <= 5 * n]
    if not inside:
        assert limits == (None, None)
        return
    widest = max(spread([5] * (s // 5) + ([s % 5] if s % 5 else []) + [0] * (n - s // 5 - (s % 5 > 0))) for s in inside)
    assert abs(limits.largest - Fraction(math.sqrt(widest))) <= Fraction(1, 2000) + Fraction(1, 10**9)
    assert limits.largest in {Fraction(round(math.sqrt(widest) * 1000), 1000)}


@given(st.integers(2, 5), st.integers(0, 4))
def test_no_data_beat_the_widest(n, total_share):
    for total in range(0, 4 * n + 1, 1 + total_share):
        most = max(variance(map(Fraction, s)) for s in combinations_with_replacement(range(5), n) if sum(s) == total)
        assert whole_numbers._widest_spread(n, total, 4) == most * n * (n - 1)


widths = st.integers(0, 10)


@given(st.integers(2, 6), st.integers(1, 4), st.integers(0, 40), st.integers(0, 20), widths, widths)
def test_counting_bounded_samples_by_listing_them(n, top, low_mean, low_sd, mean_width, sd_width):
    means = Interval(Fraction(low_mean, 10), Fraction(low_mean + mean_width, 10))
    sds = Interval(Fraction(low_sd, 10), Fraction(low_sd + sd_width, 10))
    listed = sum(
        mean(map(Fraction, s)) in means and variance(map(Fraction, s)) in whole_numbers.squared(sds)
        for s in combinations_with_replacement(range(top + 1), n)
    )
    assert whole_numbers.count_bounded_datasets(means, sds, n, [0, top]) == listed


# Binary data


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 3), st.integers(0, 3), roundings, st.data())
def test_zeros_and_ones_are_possible(n0, n1, decimals, sd_decimals, rounding, data):
    assume(n0 + n1 >= 2)
    values = [0] * n0 + [1] * n1
    text = data.draw(st.sampled_from(printings(mean(map(Fraction, values)), decimals, rounding)))
    sd_text = data.draw(st.sampled_from(printed_sd(values, sd_decimals, rounding)))
    assert n1 in whole_numbers.binary_counts(text, sd_text, n0 + n1, rounding)
    exact_mean, exact_sd = whole_numbers.binary_mean_sd(n0, n1)
    assert exact_mean == pytest.approx(float(np.mean(values)))
    assert exact_sd == pytest.approx(float(np.std(values, ddof=1)))


def test_binary_data_that_cannot_be():
    assert whole_numbers.binary_counts("0.50", "0.40", 20) == []
    assert whole_numbers.binary_counts("0.53", "0.51", 20) == []  # no count of 20 prints 0.53


# Estimates


@pytest.mark.parametrize("case", R["xi"], ids=lambda c: str(c["n"]))
def test_expected_range_as_integrated_by_r(case):
    assert estimates.range_in_sds(case["n"]) == pytest.approx(case["xi"], rel=1e-9)


@pytest.mark.parametrize("n, table", [(2, 1.128), (5, 2.326), (10, 3.078), (25, 3.931), (50, 4.498)])
def test_expected_range_as_tabled(n, table):
    assert round(estimates.range_in_sds(n), 3) == table  # Wan2014, Table 1
    assert estimates.range_in_sds(10 * n) > estimates.range_in_sds(n)
    # Its approximation is meant for larger groups.
    assert n < 10 or estimates.range_in_sds_approximate(n) == pytest.approx(table, rel=0.005)


def test_expected_range_of_one_value_is_nothing():
    assert estimates.range_in_sds(1) == estimates.range_in_sds_approximate(1) == 0


@given(st.floats(-100, 100), st.floats(0.1, 50), st.integers(3, 1000))
def test_symmetric_summaries_give_their_middle_as_mean(middle, half, n):
    quarter = half / 2
    by_range = estimates.estimates_from_range(middle - half, middle, middle + half, n)
    by_quartiles = estimates.estimates_from_quartiles(middle - quarter, middle, middle + quarter, n)
    five = estimates.mean_from_five_numbers(middle - half, middle - quarter, middle, middle + quarter, middle + half, n)
    for found in (by_range.hozo_mean, by_range.luo_mean, by_quartiles.wan_mean, by_quartiles.luo_mean, five):
        assert found == pytest.approx(middle, abs=1e-9)


def test_estimates_of_normal_samples_are_right_on_average():
    # Unbiased for normal data by construction: hold that against 4,000 simulated samples of 30.
    rng = np.random.default_rng(1)
    x = np.sort(rng.normal(10, 3, (4000, 30)), axis=1)
    q1, q2, q3 = np.quantile(x, [0.25, 0.5, 0.75], axis=1)
    by_range = [estimates.estimates_from_range(a, m, b, 30) for a, m, b in zip(x[:, 0], q2, x[:, -1])]
    by_quartiles = [estimates.estimates_from_quartiles(a, m, b, 30) for a, m, b in zip(q1, q2, q3)]
    assert np.mean([e.luo_mean for e in by_range]) == pytest.approx(10, abs=0.05)
    assert np.mean([e.wan_sd for e in by_range]) == pytest.approx(3, abs=0.05)
    assert np.mean([e.luo_mean for e in by_quartiles]) == pytest.approx(10, abs=0.05)
    assert np.mean([e.wan_sd for e in by_quartiles]) == pytest.approx(3, abs=0.15)


def test_quantile_estimates_as_in_the_documentation_of_their_package():
    found = estimates.quantile_estimates(2, 4, 9, 100)  # McGrath2020, estmeansd
    assert (found.mean, found.sd) == pytest.approx((4.347284, 1.502171), abs=1e-4)


def test_quantile_estimates_keep_to_the_normal_below_zero():
    found = estimates.quantile_estimates(-2, 4, 9, 10)
    assert found.through == "normal" and found.mean == pytest.approx(11 / 3, abs=1e-4)


@pytest.mark.parametrize("low, middle, high, n", [(2, 4, 9, 100), (2, 6, 9, 50), (1, 10, 20, 30), (3, 5, 7, 12)])
def test_box_cox_estimates_against_simulation(low, middle, high, n):
    found = estimates.box_cox_estimates(low, middle, high, n)
    power = float(found.through.split()[1])
    assert power >= 0
    values = np.array([low, middle, high], dtype=float)
    if power > 0:  # the power makes the ends equally far from the middle
        a, b, c = values**power
        assert (c - b) == pytest.approx(b - a, rel=1e-3)
    moved = np.log(values) if power < 1e-8 else (values**power - 1) / power
    start = estimates.estimates_from_range(*moved, n)
    draws = np.random.default_rng(2).normal(start.luo_mean, start.wan_sd, 400_000)
    if power < 1e-8:
        back = np.exp(draws)
    else:
        kept = draws[(draws >= -1 / power) & (draws <= 2 * start.luo_mean + 1 / power)]
        back = (kept * power + 1) ** (1 / power)
    assert found.mean == pytest.approx(back.mean(), abs=5 * back.std() / math.sqrt(len(back)))
    assert found.sd == pytest.approx(back.std(), rel=0.01)


def test_box_cox_estimates_near_the_simulated_ones_of_their_package():
    # McGrath2020's package simulates some 1,100 values: its documentation prints 4.21 and 1.34 for this case.
    found = estimates.box_cox_estimates(2, 4, 9, 100)
    assert found.mean == pytest.approx(4.210971, abs=0.16) and found.sd == pytest.approx(1.337348, abs=0.15)


# Repeated values


cells = st.lists(st.sampled_from(["1", "2", "3", None]), max_size=5)


@given(st.dictionaries(st.sampled_from("abcd"), cells, min_size=1))
def test_repeated_values_by_counting(columns):
    found = whole_numbers.duplicates(columns)
    every = Counter(v for column in columns.values() for v in column if v)
    assert found.frequency == {v: k for v, k in every.items() if k > 1}
    assert list(found.frequency.values()) == sorted(found.frequency.values(), reverse=True)
    for name, column in columns.items():
        assert found.flags[name] == [every[v] > 1 for v in column]
    for (a, b), shared in found.overlap.items():
        assert shared == len([v for v in columns[a] if v and v in columns[b]])
    assert len(found.overlap) == math.comb(len(columns), 2)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: median_range.median_possible("7", 0), "at least 1"),
        (lambda: median_range.median_possible("7", 5, "ordinal"), "no data named"),
        (lambda: median_range.median_possible("< 7", 5), "bound"),
        (lambda: median_range.bounds_from_median_range(5, 0, 9, 8), "above the max"),
        (lambda: median_range.bounds_from_median_range(5, 0, 9, 8, "continuous"), "above the max"),
        (lambda: median_range.bounds_from_median_range(0, 0, 3, 8), "at least 1"),
        (lambda: median_range.bounds_from_median_range(5, 0, float("nan"), 8), "NaN"),
        (lambda: whole_numbers.possible_sums("5.18", 0), "at least 1"),
        (lambda: whole_numbers.possible_sums("<5", 10), "bound"),
        (lambda: whole_numbers.possible_sums_of_squares("3", "1", 1), "at least 2"),
        (lambda: whole_numbers.possible_sums_of_squares("3", "1", 10, scale=[5, 1]), "does not rise"),
        (lambda: whole_numbers.possible_sums_of_squares("3", "100", 10_000), "more decimals"),
        (lambda: whole_numbers.sd_limits("8", 5, [1, 7], 2), "outside the scale"),
        (lambda: whole_numbers.binary_counts("1.5", "0.5", 20), "zeros and ones"),
        (lambda: whole_numbers.binary_mean_sd(0, 1), "at least 2"),
        (
            lambda: whole_numbers.count_bounded_datasets(Interval(3, 4), Interval(1, 2), 9000, [0, 90]),
            "narrow the scale",
        ),
        (lambda: estimates.estimates_from_range(2, 14, 9, 100), "median 14 is above the max 9"),
        (lambda: estimates.estimates_from_range(2, 4, 9, 0), "at least 1"),
        (lambda: estimates.box_cox_estimates(0, 4, 9, 10), "positive"),
        (lambda: estimates.box_cox_estimates(4, 4, 9, 10), "differ"),
        (lambda: estimates.range_in_sds(0), "at least 1"),
        (lambda: whole_numbers.duplicates({}), "no columns"),
    ],
)
def test_bad_input_gives_one_clear_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
