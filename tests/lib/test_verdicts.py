"""Verdicts follow from values and intervals, and severity is the share of other values that would have been refused."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib import verdicts
from lib.records import Figure
from lib.verdicts import conclusion, grade, severity
from whichdata.printed import ROUNDINGS, Interval, Printed, percentage, printings


def figure(printed: str, unit: str = "ratio", role: str = "estimate") -> Figure:
    return Figure(printed=printed, unit=unit, role=role)


@given(st.fractions(0, 1000), st.integers(0, 3), st.sampled_from(ROUNDINGS))
def test_what_prints_is_never_called_discrepant(value, decimals, rule):
    for text in printings(value, decimals, rule):
        printed = figure(text)
        assert grade(printed, value, rule).verdict == "reproduced"
        assert grade(printed, [value, value + 10], rule).verdict == "compatible"
        other = grade(printed, value + 10, rule)
        assert other.verdict == ("compatible" if other.rules else "discrepant")
        if rule != "up_or_down":
            assert other.verdict == "discrepant"


def test_a_rule_that_alone_would_print_is_named_and_is_no_fault_where_the_source_keeps_none():
    share = Fraction(200, 12)
    found = grade(figure("16", "%"), share)
    assert found.verdict == "compatible" and set(found.rules) == {"floor", "trunc"}
    assert grade(figure("16", "%"), share, "up").verdict == "discrepant"


def test_conventions_and_readings_count_together_and_are_named():
    found = grade(figure("0.05", "p"), {"exact": 0.049, "normal": [0.12, 0.13], "mid-p": 0.2})
    assert (found.verdict, found.by, found.of) == ("compatible", ("exact",), 3)
    assert grade(figure("0.05", "p"), {"exact": 0.049, "normal": 0.051}).verdict == "reproduced"
    assert grade(figure("0.05", "p"), {"exact": 0.9, "normal": 0.8}).verdict == "discrepant"
    assert grade(figure("0.05", "p"), []).verdict == "discrepant"


def test_an_interval_stands_for_every_value_in_it():
    printed = figure("0.5")
    assert grade(printed, Interval(Fraction(46, 100), Fraction(54, 100))).verdict == "reproduced"
    assert grade(printed, Interval(Fraction(4, 10), Fraction(6, 10))).verdict == "compatible"
    assert grade(printed, Interval(Fraction(6, 10), Fraction(7, 10))).verdict == "discrepant"


def test_an_impossible_figure_gets_a_verdict_and_no_traceback():
    assert grade(figure("174", "%", "percentage"), 174).verdict == "discrepant"
    assert grade(figure("1.4", "p", "p"), 1.4).verdict == "discrepant"


# Severity, held against counting the alternatives one by one


def by_counting(printed: Figure, values, low: Fraction, high: Fraction) -> float:
    unit = Fraction(10) ** -printed.value.decimals
    k, tried, kept = -(-low // unit), 0, 0
    while k * unit <= high:
        near = [v for v in values if abs(v - k * unit) <= unit]  # no rule prints a number a unit away
        text = Printed.parse(verdicts._text(int(k), printed.value.decimals)) if near else None
        kept += any(text.prints(v, "up_or_down") for v in near)
        tried, k = tried + 1, k + 1
    return 1 - kept / tried


values = st.lists(st.fractions(0, 100), min_size=1, max_size=8)


@given(values, st.integers(0, 1))
def test_severity_of_a_percentage_is_the_share_of_others_refused(found, decimals):
    printed = figure(printings(found[0], decimals)[0], "%", "percentage")
    assert severity(printed, found) == pytest.approx(by_counting(printed, found, Fraction(0), Fraction(100)))


@given(values, st.integers(1, 2))
def test_severity_of_anything_else_looks_from_half_to_twice(found, decimals):
    printed = figure(printings(found[0] + 1, decimals)[0])
    value = printed.value.value
    expected = by_counting(printed, found, min(value / 2, value * 2), max(value / 2, value * 2))
    assert severity(printed, found) == pytest.approx(expected)


def test_severity_of_a_count_of_a_known_group_and_of_a_p_value():
    assert severity(figure("9", "patients", "sustained"), [9], n=12) == pytest.approx(12 / 13)
    assert severity(figure("0.07", "p", "p"), [0.07, 0.5]) == pytest.approx(1 - 2 / 101)


def test_severity_over_an_interval():
    wide = Interval(Fraction(0), Fraction(1))
    assert severity(figure("0.07", "p", "p"), [wide]) == 0
    assert severity(figure("0.07", "p", "p"), [Interval(Fraction(6, 100), Fraction(8, 100))]) == pytest.approx(
        1 - 3 / 101
    )


@pytest.mark.parametrize(
    "printed", [figure("<0.05", "p", "p"), figure("2014", "year"), figure("thousands", "patients", "many")]
)
def test_an_inequality_a_date_and_a_word_have_no_severity(printed):
    assert severity(printed, [1]) is None


# Conclusions


@pytest.mark.parametrize(
    "outcomes, options, word",
    [
        ([True, True], {}, "follows"),
        ([True, False], {}, "overstated"),
        ([False, False], {}, "does-not-follow"),
        ([True, False], {"universal": True}, "does-not-follow"),
        ([True], {"fault": "unlike groups compared"}, "overstated"),
        ([], {"fault": "unlike groups compared"}, "overstated"),
        ([False], {"fault": "unlike groups compared"}, "does-not-follow"),
    ],
)
def test_conclusions_by_rule(outcomes, options, word):
    assert conclusion(outcomes, **options) == word


def test_a_conclusion_needs_outcomes_or_a_fault_of_the_list():
    with pytest.raises(ValueError, match="no outcomes"):
        conclusion([])
    with pytest.raises(ValueError, match="no fault named"):
        conclusion([True], fault="because")


def test_outcomes_by_reading_are_their_truth_and_nothing_else_passes_for_it():
    assert conclusion({"by its interval": False, "by its p value": True}) == "overstated"
    assert conclusion({"a": False, "b": np.bool_(False)}) == conclusion(False) == "does-not-follow"
    for untrue in (["no"], {"a": "no"}, "no", [1], [None]):
        with pytest.raises(ValueError, match="is neither"):
            conclusion(untrue)


def test_the_claim_has_the_gravest_verdict_of_its_figures():
    assert verdicts.gravest(["restated", "reproduced"]) == "reproduced"
    assert verdicts.gravest(["reproduced", "not-checkable", "compatible"]) == "not-checkable"
    assert verdicts.gravest(["not-checkable", "discrepant"]) == "discrepant"


class _Told:
    """A record of percentages of counts, each told as printed and its part and whole."""

    def __init__(self, *shares):
        self.shares = {f"X-{n:02}": share for n, share in enumerate(shares)}

    @property
    def claims(self):
        class Relation:
            kind, role = "percentage-of", None

            def __init__(self, of):
                self.of = of

        class Claim:
            def __init__(self, name):
                self.id, self.relations = name, [Relation([f"{name}/part", f"{name}/whole"])]

        return [Claim(name) for name in self.shares]

    def figure(self, ref):
        name, _, role = ref.partition("/")
        return Printed.parse(str(self.shares[name][1 if role == "part" else 2]))

    def entry(self, ref):
        return figure(self.shares[ref][0], "%", "percentage")


def test_a_rounding_rule_is_taken_only_where_three_figures_tell():
    cut = [("16", 2, 12), ("66", 2, 3), ("83", 5, 6)]  # 16.67, 66.67, 83.33: the third tells ceiling alone apart
    assert verdicts.source_rule(_Told(*cut[:2])) == "up_or_down"
    assert verdicts.source_rule(_Told(*cut)) in ("floor", "trunc")
    assert all(percentage(part, whole) > int(text) for text, part, whole in cut)
