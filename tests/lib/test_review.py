"""Verdicts follow from values, words from directions, and figures read as a sentence would print them."""

import copy
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib import evidence, review, words
from whichdata.printed import ROUNDINGS, Printed, printings


@given(st.fractions(0, 1000), st.integers(0, 3), st.sampled_from(ROUNDINGS))
def test_what_prints_is_never_called_discrepant(value, decimals, rule):
    for text in printings(value, decimals, rule):
        assert review.grade(Printed.parse(text), [value], rule)[0] == "reproduced"
        assert review.grade(Printed.parse(text), [value, value + 10], rule)[0] == "compatible"
        assert review.grade(Printed.parse(text), [value + 10], rule)[0] == "discrepant"


def test_the_rule_that_would_print_is_named():
    verdict, rules = review.grade(Printed.parse("16"), [Fraction(200, 12)], "up_or_down")
    assert verdict == "discrepant" and set(rules) == {"floor", "trunc"}


@pytest.mark.parametrize(
    "rules, said",
    [
        (["floor", "trunc"], "rounding down or cutting digits off"),
        (["up_or_down", "up", "down", "even"], "rounding to the nearest"),
        (["up_or_down", "even"], "rounding halves to even"),
        (["ceiling", "up", "up_or_down", "trunc"], "rounding halves up, rounding up or cutting digits off"),
    ],
)
def test_rounding_rules_read_as_english(rules, said):
    assert words.rounding_in_words(rules) == said


def test_a_figure_that_another_rule_prints_says_which(monkeypatch):
    monkeypatch.setattr(review, "display", lambda *_, **__: None)
    chapter = review.Review("ph-all-maintenance")
    chapter.rounding = "up"
    assert chapter.judge("PHA-31", "counts", percentage=Fraction(100 * 2, 12)) == "discrepant"
    printed = chapter["PHA-31"].figure("percentage").printed
    assert f"only rounding down or cutting digits off would print {printed}%" in chapter.rows["PHA-31"].convention


def test_no_value_at_all_is_discrepant():
    assert review.grade(Printed.parse("1"), [], "even")[0] == "discrepant"


@pytest.mark.parametrize(
    "directions, word",
    [
        ([], "none-found"), (["context"], "none-found"), (["supports", "context"], "supported"),
        (["against"], "not-supported"), (["against", "supports"], "contested"), (["supports", "supersedes"], "superseded"),
    ],
)  # fmt: skip
def test_later_evidence_by_rule(directions, word):
    assert evidence.external(directions) == word


@pytest.mark.parametrize(
    "value, unit, text",
    [
        (74.0741, "%", "74.07%"), (1, "relapses", "1 relapse"), (2, "relapses", "2 relapses"),
        (2014, "year (May)", "May 2014"), (2014, "year", "2014"), (0.09, "p", "p = 0.09"), (0.00001, "p", "p < 0.0001"),
        (-2.5, "months", "−2.5 months"), (84845, "", "84,845"), (3, "personal detail", "(a personal detail, not shown)"),
    ],
)  # fmt: skip
def test_figures_read_as_in_a_sentence(value, unit, text):
    assert words.number(value, unit) == text


@pytest.fixture
def opened(monkeypatch):
    monkeypatch.setattr(review, "display", lambda *args, **kwargs: None)
    return review.Review("cml-stopping")


def test_one_verdict_a_claim(opened):
    opened.judge("CML-23", "a sum", enrolled=15)
    with pytest.raises(review.ReviewError, match="CML-23 has a verdict already"):
        opened.judge("CML-23", "again", enrolled=15)


def test_a_conclusion_that_fails_is_contradicted_and_a_finding_is_not(opened):
    assert opened.test("CML-43", [False, False], "never", "no") == "contradicted"
    assert opened.test("CML-30", [False], "never", "no") == "discrepant"
    assert opened.test("CML-41", [True, False], "sometimes", "both") == "compatible"


def test_settling_asks_for_what_is_open(opened):
    with pytest.raises(review.ReviewError, match="no verdict on CML-05"):
        opened.settle()


def test_unknown_names_are_refused_in_one_line(opened):
    for claim, inputs in (("CML-99", {"a": 1}), ("CML-23", {"wrong": 1}), ("CML-23", {})):
        with pytest.raises(ValueError) as caught:
            opened.judge(claim, "x", **inputs)
        assert "\n" not in str(caught.value) and "CML" in str(caught.value)


def test_a_figure_of_the_evidence_keeps_its_row_until_something_is_computed_from_it(monkeypatch):
    emitted = []
    monkeypatch.setattr(review, "display", lambda data, raw: emitted.append(data))
    known = evidence.evidence("mpn-interferon")
    share = known.loc["daliah-final-stop", "value"]
    review.bind(
        quoted=(share, "%"),
        computed=(100 - float(share), "%"),
        anew=evidence.Known(f"{share} of them", row=share.row),
        words="all",
    )
    bound = emitted[0][review.BOUND]
    rows = {name: entry.get("evidence") for name, entry in bound.items()}
    assert rows == {"quoted": "daliah-final-stop", "computed": None, "anew": "daliah-final-stop", "words": None}
    assert bound["quoted"]["text"] == "65%" and bound["computed"]["text"] == "35%"
    assert copy.deepcopy(share) == share and copy.deepcopy(share).row == "daliah-final-stop"


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        (0.2803, 0.0041, "0.280 ± 0.004"),
        (1.0394, 0.0096, "1.04 ± 0.01"),
        (70.83, 0.71, "70.8 ± 0.7"),
        (412.3, 26, "412 ± 26"),
    ],
)
def test_a_simulated_value_shows_the_first_digit_of_its_error(value, error, shown):
    assert words.with_error(value, error).replace("\u00a0", " ") == shown


@pytest.mark.parametrize(
    ("value", "digits", "rounded"),
    [(0.01246, 2, 0.012), (-1849, 2, -1800), (9.99, 1, 10), (0, 3, 0), (84845, 6, 84845)],
)
def test_significant_digits(value, digits, rounded):
    assert words.to_digits(value, digits) == rounded
