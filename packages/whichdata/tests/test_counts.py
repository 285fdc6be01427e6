"""Counts, percentages and 2×2 tables, against R, scipy and brute force."""

import json
import math
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom, nchypergeom_fisher

from whichdata import fragility, proportions, tables2x2
from whichdata.printed import ROUNDINGS, Printed, percentage, printings

R = json.loads((Path(__file__).parent / "oracles" / "counts.json").read_text())

roundings = st.sampled_from(ROUNDINGS)
groups = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
small_tables = st.lists(st.integers(0, 12), min_size=4, max_size=4).filter(any).map(lambda x: [x[:2], x[2:]])


def close(value, expected, rel=1e-9):
    if expected is None:
        return value is None or not math.isfinite(value)
    return value == pytest.approx(expected, rel=rel, abs=1e-14)


# Percentages: whatever was counted and however it was printed, it is never called impossible


@given(groups, st.integers(0, 3), roundings, st.data())
def test_what_was_counted_is_possible(group, decimals, rounding, data):
    count, n = group
    text = data.draw(st.sampled_from(printings(percentage(count, n), decimals, rounding)))
    if Printed.parse(text).value > 100:  # the ceiling of 99.5… never exceeds 100
        raise AssertionError(text)
    assert proportions.count_prints(count, n, text, rounding)
    assert count in proportions.possible_counts(text, n, rounding)
    assert n in proportions.possible_denominators(text, n + 3, rounding)


@given(st.integers(0, 100), st.integers(1, 60), roundings)
def test_possible_counts_are_those_that_print_so(percent, n, rounding):
    by_hand = [k for k in range(n + 1) if str(percent) in printings(percentage(k, n), 0, rounding)]
    assert list(proportions.possible_counts(str(percent), n, rounding)) == by_hand


@given(st.lists(st.integers(0, 100), min_size=1, max_size=3), roundings)
def test_denominators_serve_every_percentage(percents, rounding):
    texts = [str(p) for p in percents]
    found = proportions.possible_denominators(texts, 25, rounding)
    assert found == [n for n in range(1, 26) if all(proportions.possible_counts(t, n, rounding) for t in texts)]


@given(groups, st.sampled_from(["<", ">", "<=", ">="]), st.integers(0, 100))
def test_percentages_given_as_bounds(group, relation, bound):
    count, n = group
    value = Fraction(100 * count, n)
    holds = {"<": value < bound, ">": value > bound, "<=": value <= bound, ">=": value >= bound}[relation]
    assert proportions.count_prints(count, n, f"{relation} {bound}%") == holds


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: proportions.count_prints(1, 0, "50"), "at least 1"),
        (lambda: proportions.count_prints(-1, 5, "50"), "at least 0"),
        (lambda: proportions.count_prints(6, 5, "50"), "more events than patients"),
        (lambda: proportions.possible_counts("101", 5), "outside 0 to 100"),
        (lambda: proportions.possible_counts("-1", 5), "outside 0 to 100"),
        (lambda: proportions.possible_counts("ns", 5), "no percentage"),
        (lambda: proportions.possible_counts("50", 5.5), "whole number"),
        (lambda: proportions.possible_counts("50", float("nan")), "whole number"),
        (lambda: proportions.possible_counts("50", "5"), "whole number"),
        (lambda: proportions.possible_denominators("50", 10**9), "at most"),
        (lambda: proportions.possible_denominators(50, 9), "give a list"),
        (lambda: tables2x2.tests_2x2([[10**9, 1], [1, 1]]), "at most"),
        (lambda: fragility.fragility(1, 10**6, 2, 10), "at most"),
        (lambda: fragility.fragility(1, 10, 2, 10, alpha=2), "between 0 and 1"),
        (lambda: proportions.tables_printing(10**5, "50", 10**5, "50"), "1001 × 1001 = 1002001 tables.*too many"),
        (lambda: tables2x2.tests_2x2([[0, 0], [0, 0]]), "empty"),
        (lambda: tables2x2.tests_2x2([[1, 2, 3], [4, 5, 6]]), "2×2"),
        (lambda: tables2x2.tests_2x2([[1, -2], [4, 5]]), "at least 0"),
        (lambda: tables2x2.odds_ratio([[1, 2], [4, 5]], solver="best"), "no solver"),
        (lambda: tables2x2.mantel_haenszel([[[1, 0], [0, 0]]]), "two patients"),
        (lambda: fragility.fragility(1, 10, 2, 10, test="t"), "no test"),
    ],
)
def test_bad_input_gives_one_clear_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


# Tests of a 2×2 table


@pytest.mark.parametrize("case", R["tables"], ids=lambda c: str(c["table"]))
def test_tables_as_in_r(case):
    found = tables2x2.tests_2x2(case["table"])
    assert close(found.pearson, case["pearson"])
    assert close(found.yates, case["yates"])
    assert close(found.fisher_minlike, case["fisher"])
    # R gives 0 for the odds ratio of a table with an empty margin, where every ratio fits as well: here undefined.
    ratio = tables2x2.odds_ratio(case["table"], solver="r")
    if min(map(sum, case["table"])) and min(map(sum, zip(*case["table"]))):
        assert close(ratio.conditional_mle, case["or"])
    assert close(ratio.lower, case["or_ci"][0]) and close(ratio.upper, case["or_ci"][1])
    statistic, p = tables2x2.mcnemar(case["table"])
    assert close(statistic, case["mcnemar"]) and close(p, case["mcnemar_p"])


@given(small_tables)
def test_fisher_by_counting_tables(table):
    (a, b), (c, d) = table
    support = range(max(0, a - d), min(a + b, a + c) + 1)
    weights = {k: math.comb(a + b, k) * math.comb(c + d, a + c - k) for k in support}
    total, observed = sum(weights.values()), weights[a]
    low = Fraction(sum(w for k, w in weights.items() if k <= a), total)
    high = Fraction(sum(w for k, w in weights.items() if k >= a), total)
    minlike = Fraction(sum(w for w in weights.values() if w <= observed), total)
    found = tables2x2.tests_2x2(table)
    assert close(found.fisher_minlike, float(minlike))
    assert close(found.fisher_central, float(min(1, 2 * min(low, high))))
    assert close(found.fisher_midp, float(min(1, 2 * min(low, high) - Fraction(observed, total))))
    assert close(found.fisher_midp_sas, float(minlike - Fraction(observed, 2 * total)))


@given(small_tables)
def test_p_values_do_not_mind_which_way_the_table_is_turned(table):
    found, turned = tables2x2.tests_2x2(table), tables2x2.tests_2x2(table[::-1])
    assert all(close(x, y) for x, y in zip(found, turned))
    across = tables2x2.tests_2x2([list(r) for r in zip(*table)])
    assert all(close(x, y) for x, y in zip(found[:-1], across[:-1]))  # the Wald test compares rows


@given(small_tables)
def test_the_exact_odds_ratio_interval_has_the_tails_it_should(table):
    (a, b), (c, d) = table
    found = tables2x2.odds_ratio(table)
    support = (max(0, a - d), min(a + b, a + c))

    def distribution(psi):
        return nchypergeom_fisher(a + b + c + d, a + b, a + c, psi)

    if support[0] == support[1]:
        assert found[1:] == (None, 0.0, math.inf)
        return
    if a > support[0]:
        assert distribution(found.lower).sf(a - 1) == pytest.approx(0.025, rel=1e-6)
    if a < support[1]:
        assert distribution(found.upper).cdf(a) == pytest.approx(0.025, rel=1e-6)
    if support[0] < a < support[1]:
        # Summed here: scipy's own mean is not a number where the ratio is within rounding error of 1.
        chances = distribution(found.conditional_mle).pmf(range(support[0], support[1] + 1))
        mean = sum(k * chance for k, chance in enumerate(chances, support[0]))
        assert mean == pytest.approx(a, rel=1e-6)


def test_wald_test_by_hand():
    # 30 of 50 against 20 of 50: a difference of 0.2 with SE √(0.24/50 + 0.24/50).
    z = 0.2 / math.sqrt(2 * 0.24 / 50)
    assert close(tables2x2.tests_2x2([[30, 20], [20, 30]]).wald_unpooled_z, math.erfc(z / math.sqrt(2)))


@given(groups, groups, st.integers(0, 1), roundings, st.data())
def test_the_table_behind_two_percentages_is_among_those_listed(first, second, decimals, rounding, data):
    (a, n1), (c, n2) = first, second
    texts = [data.draw(st.sampled_from(printings(percentage(*g), decimals, rounding))) for g in (first, second)]
    assert [[a, n1 - a], [c, n2 - c]] in list(proportions.tables_printing(n1, texts[0], n2, texts[1], rounding))


# Proportions, strata


@pytest.mark.parametrize("case", R["proportions"], ids=lambda c: f"{c['count']}/{c['n']}")
def test_proportions_as_in_r(case):
    found = proportions.proportion_intervals(case["count"], case["n"])
    for name, key in (("clopper_pearson", "exact"), ("wilson", "wilson"), ("wilson_cc", "wilson_cc")):
        assert found[name] == pytest.approx(case[key], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    "count, n, wilson, wilson_cc",
    # Table I of Newcombe1998, methods 3 and 4.
    [
        (81, 263, (0.2553, 0.3662), (0.2535, 0.3682)),
        (15, 148, (0.0624, 0.1605), (0.0598, 0.1644)),
        (0, 20, (0.0, 0.1611), (0.0, 0.2005)),
        (1, 29, (0.0061, 0.1718), (0.0018, 0.1963)),
    ],
)
def test_score_intervals_as_published(count, n, wilson, wilson_cc):
    found = proportions.proportion_intervals(count, n)
    assert found["wilson"] == pytest.approx(wilson, abs=5.1e-5)
    assert found["wilson_cc"] == pytest.approx(wilson_cc, abs=5.1e-5)


@given(groups)
def test_intervals_hold_their_proportion(group):
    count, n = group
    for name, (low, high) in proportions.proportion_intervals(count, n).items():
        assert 0 <= low <= high <= 1
        if name != "jeffreys_unadjusted":  # which at 0 and n ends short of it
            assert low - 1e-12 <= count / n <= high + 1e-12


@pytest.mark.parametrize("case", R["strata"])
def test_strata_as_in_r(case):
    found = tables2x2.mantel_haenszel(case["tables"])
    assert close(found.statistic, case["statistic"]) and close(found.p, case["p"])
    assert close(found.common_or, case["or"])
    assert (found.lower, found.upper) == pytest.approx(case["ci"], rel=1e-9)


# Fragility


@lru_cache(maxsize=None)
def p_of_table(test, a, b, c, d):
    value = getattr(tables2x2.tests_2x2([[a, b], [c, d]]), {"fisher": "fisher_minlike"}.get(test, test))
    return 1.0 if value is None else value


arms = st.integers(1, 5).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(arms, arms, st.sampled_from(["fisher", "pearson", "yates"]), st.sampled_from([0.05, 0.2]))
def test_fewest_changes_by_trying_every_table(first, second, test, alpha):
    (e1, n1), (e2, n2) = first, second

    def p(x, y):
        return p_of_table(test, x, n1 - x, y, n2 - y)

    distance = {(x, y): abs(x - e1) + abs(y - e2) for x in range(n1 + 1) for y in range(n2 + 1)}
    found = fragility.fragility(e1, n1, e2, n2, alpha, test)
    assert close(found.p, p(e1, e2))
    if found.p >= alpha:
        assert (found.walsh_index, found.minimal_any_change) == (0, 0)
        _, fewest = fragility.reverse_fragility(e1, n1, e2, n2, alpha, test)
        assert fewest == min((d for (x, y), d in distance.items() if p(x, y) < alpha), default=None)
    else:
        assert found.minimal_any_change == min(d for (x, y), d in distance.items() if p(x, y) >= alpha)
        if found.walsh_index is not None:
            assert found.minimal_any_change <= found.walsh_index and found.p_after >= alpha


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_p_of_one_total_are_those_of_the_tests(n1, n2, data):
    """The tables of one total, worked out together, against the tests of each table."""
    total, test = data.draw(st.integers(0, n1 + n2)), data.draw(st.sampled_from(list(fragility.SIGNIFICANCE_TESTS)))
    search = fragility._ChangedOutcomes((0, n1), (0, n2), 0.05, fragility._p_by(test), test, significant=True)
    xs, p = search._p_of_total(total)
    assert list(xs) == list(range(max(0, total - n2), min(n1, total) + 1))
    one = {"fisher": "fisher_minlike", "chisq": "pearson"}.get(test, test)
    for x, found in zip(xs.tolist(), p):
        assert math.isclose(min(1, found), p_of_table(one, x, n1 - x, total - x, n2 - total + x), rel_tol=1e-6)


def test_tables_far_from_the_mean_need_no_look():
    """Twelve SDs and forty out, the p left unlooked at are below 1e-30, by SciPy's tails."""
    search = fragility._ChangedOutcomes(
        (0, 2000), (0, 2000), 0.05, fragility._p_by("fisher"), "fisher", significant=True
    )
    for total in (1, 30, 400, 2000):
        xs, _ = search._p_of_total(total)
        tails = hypergeom.cdf(xs[0] - 1, 4000, total, 2000), hypergeom.sf(xs[-1], 4000, total, 2000)
        assert max(tails) < 1e-30 and len(xs) < 900


def test_large_trials_have_a_fragility_index():
    # by hand: equal arms of 5,000 with nobody and everybody; each event given to the first arm counts once
    found = fragility.fragility(0, 5_000, 5_000, 5_000)
    assert p_of_table("fisher", found.walsh_index, 5_000 - found.walsh_index, 5_000, 0) >= 0.05
    assert p_of_table("fisher", found.walsh_index - 1, 5_001 - found.walsh_index, 5_000, 0) < 0.05
    assert fragility.reverse_fragility(0, 50_000, 50_000, 50_000) == (0.0, 0)
