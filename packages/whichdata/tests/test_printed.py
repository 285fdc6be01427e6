"""A printed number is an interval: reading, rounding rules and membership."""

import decimal
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whichdata.printed import ROUNDINGS, Interval, Printed, decimal_text, percentage, printings

DECIMAL_RULES = {
    "even": decimal.ROUND_HALF_EVEN,
    "floor": decimal.ROUND_FLOOR,
    "ceiling": decimal.ROUND_CEILING,
    "trunc": decimal.ROUND_DOWN,
}

exact_decimals = st.decimals(-1000, 1000, allow_nan=False, places=4)


def rounded(value: decimal.Decimal, decimals: int, rule: str) -> decimal.Decimal:
    step = decimal.Decimal(1).scaleb(-decimals)
    if rule in ("up", "down"):  # towards plus infinity and minus infinity at a half
        away, toward = decimal.ROUND_HALF_UP, decimal.ROUND_HALF_DOWN
        positive = value >= 0
        return value.quantize(step, rounding=away if (rule == "up") == positive else toward)
    return value.quantize(step, rounding=DECIMAL_RULES[rule])


@given(exact_decimals, st.integers(0, 3), st.sampled_from([r for r in ROUNDINGS if r != "up_or_down"]))
def test_a_value_prints_as_the_decimal_module_rounds_it(value, decimals, rule):
    text = str(abs(rounded(value, decimals, rule)) * (-1 if rounded(value, decimals, rule) < 0 else 1))
    assert printings(Fraction(value), decimals, rule) == (text,)
    assert Printed.parse(text).prints(Fraction(value), rule)


@given(exact_decimals, st.integers(0, 3), st.sampled_from(ROUNDINGS))
def test_membership_and_printing_agree(value, decimals, rule):
    texts = printings(Fraction(value), decimals, rule)
    assert texts
    unit = Fraction(10) ** -decimals
    for text in texts:
        assert Printed.parse(text).prints(Fraction(value), rule)
        for neighbour in (Printed.parse(text).value - unit, Printed.parse(text).value + unit):
            neighbour_text = decimal_text(neighbour, decimals)
            assert (neighbour_text in texts) == Printed.parse(neighbour_text).prints(Fraction(value), rule)


@given(exact_decimals, st.integers(0, 3))
def test_the_default_rule_admits_what_any_half_rule_admits(value, decimals):
    narrow = {t for rule in ("up", "down", "even") for t in printings(Fraction(value), decimals, rule)}
    assert narrow == set(printings(Fraction(value), decimals, "up_or_down"))


@pytest.mark.parametrize(
    "text, relation, value, decimals",
    [
        ("2.50", "=", Fraction(5, 2), 2),
        ("1,280", "=", 1280, 0),
        ("1,280,000.5", "=", Fraction(2560001, 2), 1),
        ("−5.2", "=", Fraction(-26, 5), 1),
        ("–5", "=", -5, 0),
        ("0·56", "=", Fraction(14, 25), 2),
        (".04", "=", Fraction(1, 25), 2),
        ("p < 0.001", "<", Fraction(1, 1000), 3),
        ("P=.03", "=", Fraction(3, 100), 2),
        ("log-rank p = 0.03", "=", Fraction(3, 100), 2),
        ("≥ 90%", ">=", 90, 0),
        ("> 5", ">", 5, 0),
        ("2.1e-8", "=", Fraction(21, 10**9), 9),
        ("2.1 × 10−8", "=", Fraction(21, 10**9), 9),
        ("2e3", "=", 2000, -3),
        ("Fifteen", "=", 15, 0),
        ("twenty-five", "=", 25, 0),
        ("one hundred and six", "=", 106, 0),
        ("two thousand five hundred", "=", 2500, 0),
        ("three hundred thousand", "=", 300_000, 0),
        ("both", "=", 2, 0),
        ("twice", "=", 2, 0),
        ("third", "=", 3, 0),
        ("none", "=", 0, 0),
        ("half", "=", Fraction(1, 2), None),
        ("ns", "ns", None, None),
        ("p = n.s.", "ns", None, None),
        ("not significant", "ns", None, None),
    ],
)
def test_reading(text, relation, value, decimals):
    printed = Printed.parse(text)
    assert (printed.text, printed.relation, printed.value, printed.decimals) == (text, relation, value, decimals)


def test_a_per_cent_sign_is_kept():
    assert Printed.parse("58%") == Printed("58%", "=", Fraction(58), 0, percent=True)
    assert Printed.parse("58 per cent").percent and not Printed.parse("58").percent


@pytest.mark.parametrize(
    "text, hint",
    [
        ("", "empty"),
        ("NaN", "leave the figure out"),
        ("0,05", "comma"),
        ("26–79", "two numbers"),
        ("12 of 14", "two numbers"),
        ("hundredish", "no printed number"),
        ("five two", "no printed number"),
        ("twenty and", "no printed number"),
        ("inf", "no printed number"),
        ("-", "no printed number"),
        (2.5, "in quotes"),
        (None, "in quotes"),
    ],
)
def test_what_is_no_number_is_refused_in_one_line(text, hint):
    with pytest.raises(ValueError, match=hint) as caught:
        Printed.parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text, rounding, expected",
    [
        ("8.2", "floor", Interval(Fraction("8.2"), Fraction("8.3"), True, False)),
        ("8.2", "ceiling", Interval(Fraction("8.1"), Fraction("8.2"), False, True)),
        ("8.2", "up", Interval(Fraction("8.15"), Fraction("8.25"), True, False)),
        ("8.2", "down", Interval(Fraction("8.15"), Fraction("8.25"), False, True)),
        ("8.2", "even", Interval(Fraction("8.15"), Fraction("8.25"), True, True)),
        ("8.3", "even", Interval(Fraction("8.25"), Fraction("8.35"), False, False)),
        ("-8.2", "trunc", Interval(Fraction("-8.3"), Fraction("-8.2"), False, True)),
        ("0.0", "trunc", Interval(Fraction("-0.1"), Fraction("0.1"), False, False)),
        ("2e3", "up_or_down", Interval(Fraction(1500), Fraction(2500))),
        ("half", "floor", Interval(Fraction(1, 2), Fraction(1, 2))),
        ("< 0.001", "up", Interval(-math.inf, Fraction(1, 1000), True, False)),
        (">= 3", "up", Interval(Fraction(3), math.inf, True, True)),
        ("ns", "up", Interval(Fraction(1, 20), math.inf, False, True)),
    ],
)
def test_intervals(text, rounding, expected):
    assert Printed.parse(text).interval(rounding) == expected


ends = st.fractions(-5, 5, max_denominator=4)
intervals = st.builds(
    lambda a, b, c, d: Interval(min(a, b), max(a, b), c, d),
    ends | st.just(-math.inf),
    ends | st.just(math.inf),
    st.booleans(),
    st.booleans(),
)


@given(intervals, intervals, ends)
def test_intersection_is_both(a, b, x):
    both = a.intersection(b)
    assert (x in both) == (x in a and x in b)
    if both.empty:
        assert x not in both


@given(intervals, intervals, ends)
def test_a_sum_lies_between_the_sums_of_ends(a, b, x):
    total = a + b
    if a.empty or b.empty or not all(map(math.isfinite, (a.lower, a.upper, b.lower, b.upper))):
        return
    # x is a sum of one from each exactly if x − a and b share a value.
    mirrored = Interval(x - a.upper, x - a.lower, a.upper_closed, a.lower_closed)
    assert (x in total) == (not mirrored.intersection(b).empty)


@given(intervals, ends.filter(bool), ends)
def test_scaling_moves_every_value(interval, factor, x):
    assert (x in interval) == (x * factor in interval.scaled(factor))


@given(intervals, st.integers(-6, 6), st.integers(-6, 6))
def test_integers_are_those_inside(interval, least, most):
    assert list(interval.integers(least, most)) == [k for k in range(least, most + 1) if k in interval]


def test_bad_values_and_rules_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        float("nan") in Printed.parse("1").interval()
    with pytest.raises(ValueError, match="no rounding rule"):
        Printed.parse("1").interval("nearest")
    with pytest.raises(ValueError, match="denominator"):
        percentage(1, 0)


def test_percentages_are_exact():
    assert percentage(7, 12) == Fraction(175, 3)
