"""Checks of the wider toolbox never deny data that were drawn."""

import inspect
import math
from collections import Counter
from fractions import Fraction
from itertools import combinations
from statistics import mean, median, variance

import pytest
from drawn import (
    Cases,
    exact_median,
    group,
    hold,
    is_p,
    maybe,
    near,
    real,
    rule,
    text,
    values,
    whole,
    within,
)  # fmt: skip
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, f, fisher_exact, kruskal, norm, t, ttest_ind_from_stats

from whichdata.checks import CHECKS, toolbox
from whichdata.printed import Printed

cases = Cases()
OURS = sorted(name for name, f in CHECKS.items() if inspect.getmodule(f) is toolbox)


@pytest.mark.parametrize("name", OURS)
@given(data=st.data())
def test_what_was_drawn_is_never_called_impossible(name, data):
    hold(cases[name], name, data)


# Means and standard deviations of whole numbers


def printed_mean(draw, answers, rounding, factor=1, decimals=None):
    places = whole(draw, 0, 3) if decimals is None else decimals
    return text(draw, factor * Fraction(sum(answers), len(answers)), places, rounding)


def printed_sd(draw, answers, decimals, rounding):
    """A text the SD is printed as under the rule: told by the squares of its interval's ends, which are exact."""
    square = variance([Fraction(v) for v in answers])
    near_root = math.isqrt(math.floor(square * 100**decimals))
    texts = {text(draw, Fraction(k, 10**decimals), decimals) for k in (near_root, near_root + 1)}

    def prints(candidate):
        i = Printed.parse(candidate).interval(rounding)
        above = i.lower < 0 or i.lower**2 < square or (i.lower**2 == square and i.lower_closed)
        return above and (square < i.upper**2 or (square == i.upper**2 and i.upper_closed))

    return draw(st.sampled_from(sorted(filter(prints, texts))))


def answers_of(draw, items):
    """Whole answers of n people to some items."""
    n = whole(draw, 1, 12)
    return n, values(draw, -3, 7, n * items, n * items)


@cases.of
def grim(draw):
    items, percent, rounding = whole(draw, 1, 3), maybe(draw), rule(draw)
    n, answers = answers_of(draw, items)
    x = printed_mean(draw, answers, rounding, 100 if percent else 1)
    inputs = {"x": x, "n": n, "items": items, "percent": percent, "rounding": rounding}
    return inputs, lambda found: found["consistent"] and sum(answers) in found["possible_sums"]


@cases.of
def grim_batch(draw):
    rounding = rule(draw)
    samples = [answers_of(draw, 1)[1] for _ in range(whole(draw, 1, 3))]
    means = [printed_mean(draw, sample, rounding) for sample in samples]
    inputs = {"x": means, "n": [len(s) for s in samples], "rounding": rounding}
    return inputs, lambda found: found["consistent"] == [True] * len(samples)


@cases.of
def grim_closest(draw):
    items, rounding = whole(draw, 1, 3), rule(draw)
    n, answers = answers_of(draw, items)
    x = printed_mean(draw, answers, rounding)
    return {"x": x, "n": n, "items": items, "rounding": rounding}, lambda found: x in found["closest"]


@cases.of
def grim_probability(draw):
    n, answers = answers_of(draw, 1)
    decimals = whole(draw, 0, 2)
    # The share of all printable means between two whole numbers that no sum prints.
    steps = 10**decimals
    reached = {math.floor(Fraction(k, n) * steps + Fraction(1, 2)) % steps for k in range(n)}

    def judge(found):
        return (
            0 <= found["probability"] < 1
            and near(1 - found["probability"], min(1, n / steps))
            and (n > steps or len(reached) == n)
        )

    return {"x": printed_mean(draw, answers, "up", decimals=decimals), "n": n}, judge


@cases.of
def grim_total_n(draw):
    rounding = rule(draw)
    (n1, first), (n2, second) = answers_of(draw, 1), answers_of(draw, 1)
    inputs = {"x1": printed_mean(draw, first, rounding), "x2": printed_mean(draw, second, rounding)}
    inputs |= {"total_n": n1 + n2, "rounding": rounding}
    if maybe(draw):
        inputs["n1_range"] = [whole(draw, 1, n1), whole(draw, n1, n1 + n2 - 1)]
    return inputs, lambda found: [n1, n2] in found["both_consistent_(n1,n2)"]


@cases.of
def grimmer(draw):
    items, rounding, n = whole(draw, 1, 2), rule(draw), whole(draw, 2, 9)
    answers = values(draw, 0, 6, n * items, n * items)
    totals = [sum(answers[k::n]) for k in range(n)]
    means = [Fraction(total, items) for total in totals]
    inputs = {
        "x": printed_mean(draw, means, rounding, decimals=whole(draw, 0, 2)),
        "sd": printed_sd(draw, means, whole(draw, 0, 2), rounding),
        "n": n, "items": items, "rounding": rounding,
    }  # fmt: skip
    if maybe(draw):
        inputs["scale"] = [min(answers) - 1, max(answers) + whole(draw, 0, 2)]
    pair = [sum(totals), sum(total**2 for total in totals)]
    return inputs, lambda found: found["consistent"] and pair in found["possible_(sum,sum_of_squares)"]


def several(draw, low, high, most=9):
    return values(draw, low, high, 2, most)


@cases.of
def min_sd_integer(draw):
    sample, rounding = several(draw, -4, 9), rule(draw)
    inputs = {"mean": printed_mean(draw, sample, rounding), "n": len(sample), "rounding": rounding}
    return inputs, lambda found: within(0, found["min_sd"], math.sqrt(variance(map(Fraction, sample))))


@cases.of
def bounded_integer_datasets(draw):
    sample = several(draw, 0, 5, 7)
    middle, spread = mean(map(Fraction, sample)), math.sqrt(variance(map(Fraction, sample)))
    inputs = {
        "mean_interval": [str(math.floor(middle)), str(math.ceil(middle))],
        "sd_interval": [str(math.floor(spread * 10) / 10), str((math.floor(spread * 10) + 1) / 10)],
        "n": len(sample),
        "scale": [min(sample) - whole(draw, 0, 2), max(sample) + whole(draw, 1, 2)],
    }
    return inputs, lambda found: found["count"] >= 1


@cases.of
def sd_limits_bounded(draw):
    sample, rounding, decimals = several(draw, 0, 5), rule(draw), whole(draw, 0, 3)
    scale = [min(sample) - 1 - whole(draw, 0, 2), max(sample) + 1]  # room for a mean rounded past its own end
    printed = printed_mean(draw, sample, rounding)
    half_up = math.floor(math.sqrt(variance(map(Fraction, sample))) * 10**decimals + 0.5) / 10**decimals
    inputs = {"n": len(sample), "mean": printed, "scale": scale, "sd_decimals": decimals, "rounding": rounding}
    return inputs, lambda found: within(found["min_sd"], half_up, found["max_sd"])


@cases.of
def debit(draw):
    sample, rounding = several(draw, 0, 1, 40), rule(draw)
    inputs = {"x": printed_mean(draw, sample, rounding), "n": len(sample), "rounding": rounding}
    return inputs | {"sd": printed_sd(draw, sample, whole(draw, 0, 3), rounding)}, lambda found: found["consistent"]


@cases.of
def sd_binary(draw):
    sample = several(draw, 0, 1, 60)
    moments = math.sqrt(variance(map(Fraction, sample))), float(mean(map(Fraction, sample)))
    inputs = {"n0": sample.count(0), "n1": sample.count(1)}
    return inputs, lambda found: near(found["sd"], moments[0]) and near(found["mean"], moments[1])


# Tests and effects

TESTS = {
    "t": lambda x, df1, df2: 2 * t.sf(abs(x), df2),
    "Z": lambda x, df1, df2: 2 * norm.sf(abs(x)),
    "F": lambda x, df1, df2: f.sf(abs(x), df1, df2),
    "Chi2": lambda x, df1, df2: chi2.sf(abs(x), df1),
}


@cases.of
def p_value_recomputation(draw):
    test, decimals, places = draw(st.sampled_from(sorted(TESTS))), whole(draw, 1, 3), whole(draw, 2, 4)
    exact, df1, df2 = real(draw, 0.001, 6), whole(draw, 1, 4), whole(draw, 3, 60)
    p = float(TESTS[test](exact, df1, df2))
    statistic = text(draw, exact, decimals, "up")
    inputs = {"test": test, "statistic": statistic, "df1": df1, "df2": df2}
    relation = draw(st.sampled_from(["=", "ns"] if p >= 0.05 else ["=", "<"]))
    if relation == "=":
        inputs |= {"p": text(draw, p, places, "up"), "p_decimals": places, "p_zero_is_error": False}
    elif relation == "<":
        bounds = [b for b in ("0.05", "0.01", "0.001") if p < float(b)]
        inputs |= {"p": draw(st.sampled_from(bounds)), "p_relation": "<"}
    else:
        inputs["p_relation"] = "ns"
    return inputs, lambda found: not found["error"] and not found["decision_error"]


@settings(max_examples=50)
@given(data=st.data())
def test_a_p_of_exactly_the_level_may_be_drawn(data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "real", lambda *_: 1.959963984540054)
        patch.setitem(globals(), "TESTS", {"Z": lambda *_: 0.05})  # what it gives but for the last digit of a float
        hold(p_value_recomputation, "p_value_recomputation", data)


@cases.of
def t_test_from_summary(draw):
    x, y = several(draw, 0, 9), several(draw, 0, 9)
    moments = [
        m for s in (x, y) for m in (float(mean(map(Fraction, s))), math.sqrt(variance(map(Fraction, s))), len(s))
    ]
    flat = len(set(x)) == len(set(y)) == 1

    def judge(found):
        p = found["p_at_printed_values"]
        if flat:
            return p["student"] is p["welch"] is None
        tests = {"student": True, "welch": False}
        return all(near(p[name], ttest_ind_from_stats(*moments, equal_var=e).pvalue) for name, e in tests.items())

    return dict(zip(("m1", "sd1", "n1", "m2", "sd2", "n2"), moments)), judge


@cases.of
def e_value(draw):
    low, middle, high = sorted(real(draw, 0.1, 8) for _ in range(3))
    measure, rare = draw(st.sampled_from(["RR", "OR", "HR"])), maybe(draw)
    inputs = {"estimate": middle, "measure": measure, "rare": rare}
    if maybe(draw):
        inputs["ci95"] = [low, high]
    clear = low > 1 or high < 1

    def judge(found):
        limit = found["ci_limit"]
        return found["point"] >= 1 and (limit is None or (1 <= limit <= found["point"] and (limit > 1) == clear))

    return inputs, judge


def two_arms(draw, most=10):
    (a, n1), (c, n2) = group(draw, most), group(draw, most)
    return {"events1": a, "n1": n1, "events2": c, "n2": n2}, fisher_exact([[a, n1 - a], [c, n2 - c]]).pvalue


@cases.of
def fragility_index(draw):
    inputs, p = two_arms(draw)

    def judge(found):
        fewest, walsh = found["minimal_any_change"], found["walsh_index"]
        return (
            near(found["p"], p)
            and (fewest == walsh == 0 if p >= 0.05 else fewest is None or fewest >= 1)
            and (walsh is None or (fewest <= walsh and found["p_after"] >= 0.05))
        )

    return inputs, judge


@cases.of
def reverse_fragility_index(draw):
    inputs, p = two_arms(draw)

    def judge(found):
        return near(found["p"], p) and (found["minimal_any_change"] == 0) == (p < 0.05)

    return inputs, judge


@cases.of
def power_t_test(draw):
    n, delta, sd = whole(draw, 2, 200), real(draw, 0, 3), real(draw, 0.2, 3)

    def judge(found):
        # Between the normal test with the SD known, which knows more, and half the level.
        known = norm.sf(norm.isf(0.025) - delta / sd * math.sqrt(n / 2))
        return within(0.025, found["power"], max(known, 0.025) + 1e-6)

    return {"n_per_group": n, "delta": delta, "sd": sd}, judge


@cases.of
def mantel_haenszel(draw):
    strata = []
    for _ in range(whole(draw, 1, 4)):
        (a, n1), (c, n2) = group(draw, 12), group(draw, 12)
        strata.append([[a, n1 - a], [c, n2 - c]])

    def judge(found):
        ratio, ends = found["common_or"], found["ci95"]
        along, across = (sum(Fraction(x[0][i] * x[1][1 - i], sum(map(sum, x))) for x in strata) for i in (0, 1))
        undefined = not across
        return (
            (found["p"] is None or is_p(found["p"]))
            and (ratio is None if undefined else near(ratio, along / across))
            and (ends is None or within(ends[0], ratio, ends[1]))
        )

    return {"table": strata}, judge


@cases.of
def mcnemar(draw):
    a, b, c, d = (whole(draw, 0, 30) for _ in range(4))
    assume(a + b + c + d)

    def judge(found):
        if b + c == 0:
            return found["p"] is None
        return near(found["p"], chi2.sf(max(abs(b - c) - 1, 0) ** 2 / (b + c), 1))

    return {"table": [[a, b], [c, d]]}, judge


@cases.of
def kruskal_wallis(draw):
    groups = [values(draw, 0, 6, 1, 5) for _ in range(whole(draw, 2, 4))]
    flat = len({v for g in groups for v in g}) == 1
    return {
        "groups": groups
    }, lambda found: found["p"] is None if flat else near(found["p"], kruskal(*groups).pvalue, 1e-6)


@cases.of
def kendall(draw):
    pairs = draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=8))
    x, y = map(list, zip(*pairs))
    concordant = sum((a[0] - b[0]) * (a[1] - b[1]) > 0 for a, b in combinations(pairs, 2))

    def judge(found):
        tau, p = found["tau"], found["p_exact"]
        return (
            found["T"] == concordant and (tau is None or within(-1, tau, 1)) and (p is None or is_p(p))
            and (tau is None) == (len(set(x)) == 1 or len(set(y)) == 1)
        )  # fmt: skip

    return {"x": x, "y": y}, judge


# Means and SDs from medians and ranges


@cases.of
def wan_xi(draw):
    n = whole(draw, 1, 400)

    def judge(found):
        # The expected range of n normal values is below √(2 ln n) doubled, and above its growth from n = 2, 2/√π.
        least = 0 if n == 1 else 2 / math.sqrt(math.pi)
        return within(least, found["xi"], 2 * math.sqrt(2 * math.log(n))) and (
            found["xi_table"] is None if n > 50 else near(found["xi_table"], found["xi"], 5e-4)
        )

    return {"n": n}, judge


def five_numbers(draw, low=-50, high=50, least=1, unlike=False):
    sample = sorted(draw(st.lists(st.integers(low, high), min_size=least, max_size=12)))
    half = sample[: (len(sample) + 1) // 2], sample[len(sample) // 2 :]
    minimum, q1, middle, q3, maximum = (
        float(v) for v in (sample[0], median(half[0]), exact_median(sample), median(half[1]), sample[-1])
    )
    assume(not unlike or minimum < middle < maximum)
    return {"min": minimum, "q1": q1, "median": middle, "q3": q3, "max": maximum, "n": len(sample)}


def lies_inside(low, high, *names):
    """Are the estimated means from ``low`` to ``high``, and the SD at least 0?"""
    return lambda found: (
        all(within(low, found[name], high) for name in names)
        and not any(value is not None and value < 0 for name, value in found.items() if "sd" in name)
    )


@cases.of
def mean_sd_from_median_range(draw):
    five = five_numbers(draw)
    inputs = {name: five[name] for name in ("min", "median", "max", "n")}
    return inputs, lies_inside(five["min"], five["max"], "hozo_mean", "luo_mean")


@cases.of
def mean_sd_from_quartiles(draw):
    five = five_numbers(draw)
    inputs = {name: five[name] for name in ("q1", "median", "q3", "n")}
    # Luo's weight of the quartiles, 0.7 + 0.39/n, passes 1 for n = 1.
    slack = (five["q3"] - five["q1"]) / 10
    return inputs, lies_inside(five["q1"] - slack, five["q3"] + slack, "wan_mean", "luo_mean")


@cases.of
def mean_from_five_numbers(draw):
    five = five_numbers(draw)
    slack = five["max"] - five["min"]  # Luo's weights may turn negative for the smallest n
    return five, lies_inside(five["min"] - slack, five["max"] + slack, "luo_mean")


@cases.of
def mean_sd_from_median_range_qe(draw):
    five = five_numbers(draw, least=3, unlike=True)
    inputs = {name: five[name] for name in ("min", "median", "max", "n")}
    return inputs, lies_inside(-math.inf, math.inf, "mean")


@cases.of
def mean_sd_from_median_range_bc(draw):
    five = five_numbers(draw, low=1, least=3, unlike=True)
    inputs = {name: five[name] for name in ("min", "median", "max", "n")}
    return inputs, lies_inside(0, math.inf, "mean")


# Repeated values


@cases.of
def duplicates(draw):
    cell = st.sampled_from(["1", "2.0", "2", None, "x"])
    columns = {name: draw(st.lists(cell, max_size=4)) for name in ("a", "b")[: whole(draw, 1, 2)]}
    times = Counter(v for column in columns.values() for v in column if v is not None)

    def judge(found):
        repeated = {v: k for v, k in times.items() if k > 1}
        flags = {name: [v in repeated for v in column] for name, column in columns.items()}
        return found["frequency"] == repeated and found["duplicated_flags"] == flags

    return {"columns": columns}, judge
