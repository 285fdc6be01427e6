"""Verdicts follow from values, words from directions, and figures read as a sentence would print them."""

import copy
import json
import re
from fractions import Fraction

import pytest
from lxml import html

import lib
from lib import ROOT, evidence, records, review, words
from lib.house import executed
from whichdata.printed import Interval


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
    assert chapter.judge("PHA-31", "share", "counts", percentage=Fraction(100 * 2, 12)) == "compatible"
    chapter.leave("PHA-31", "the other counts")
    printed, told = chapter["PHA-31"].figure("percentage").printed, chapter.rows["PHA-31"].reason
    assert f"only rounding down or cutting digits off would print {printed}%" in told


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


def test_one_row_a_claim_shown_when_the_last_is_answered(opened):
    opened.judge("CML-23", "sum", "a sum", enrolled=15)
    assert opened.rows["CML-23"].verdict_figures == "reproduced" and opened.rows["CML-23"].severity > 0.9
    with pytest.raises(review.ReviewError, match="CML-23 is judged already"):
        opened.judge("CML-23", "sum", "again", enrolled=15)
    opened.judge("CML-34", "estimate", "three follow-ups", median=23)
    assert "CML-34" not in opened.rows
    opened.leave("CML-34", "the follow-up of each patient")
    row = opened.rows["CML-34"]
    assert row.verdict_figures == "not-checkable" and [f["verdict"] for f in row.figures].count("reproduced") == 1
    assert "To check this we would need the follow-up of each patient." in row.reason


def test_a_check_that_almost_anything_would_pass_is_none(opened):
    assert (
        opened.judge("CML-37", "estimate", "any curve", percentage=Interval(Fraction(0), Fraction(100)))
        == "not-checkable"
    )
    assert "admits almost anything" in opened.rows["CML-37"].reason


def test_figures_are_judged_and_conclusions_concluded(opened):
    conclusion = next(c for c in opened.record.claims if c.kind == "conclusion")
    figured = next(c for c in opened.record.claims if c.kind in records.FIGURE_KINDS and c.figures)
    plain = next(c for c in opened.record.claims if c.kind in records.PLAIN)
    with pytest.raises(review.ReviewError, match="draws no conclusion"):
        opened.conclude(figured.id, [True], "x")
    with pytest.raises(review.ReviewError, match="no statement about figures"):
        opened.test(conclusion.id, [True], "x")
    with pytest.raises(review.ReviewError, match="nothing to check"):
        opened.leave(plain.id, "x")
    if not conclusion.figures:
        assert opened.conclude(conclusion.id, [False, True], "so", fault="unlike groups compared") == "overstated"
        assert opened.rows[conclusion.id].reason == "so. Unlike groups compared."


def test_settling_asks_for_what_is_open_and_a_clash_has_two_members(opened):
    with pytest.raises(review.ReviewError, match=r"lacks .*: judge, restate, test, conclude or leave it"):
        opened.settle()


def test_what_is_reported_may_leave_nothing_to_compute_and_every_claim_has_its_verdict(monkeypatch):
    emitted = []
    monkeypatch.setattr(review, "display", lambda data, raw: emitted.append(data))
    opened = review.Review("cml-stopping")
    opened._impossible = {("CML-37", "percentage"): "no share is above 100%"}
    opened.judge("CML-23", "sum", "a sum", enrolled=15)
    opened.judge("CML-34", "estimate", "three follow-ups", median=23)
    opened.require(True, "nothing")
    with pytest.raises(review.Impossible, match="^1 and 1 are not 3$") as caught:
        opened.require(False, "1 and 1 are not 3")
    opened.stop(str(caught.value))
    assert emitted[1][lib.STOPPED] == {"why": "1 and 1 are not 3"} and "1 and 1 are not 3" in emitted[1]["text/plain"]
    assert [data[lib.LEDGER]["id"] for data in emitted if lib.LEDGER in data] == list(opened.rows)
    assert sorted(opened.rows) == sorted(claim.id for claim in opened.record.claims)
    rows = opened.rows
    assert rows["CML-23"].verdict_figures == "reproduced" and "1 and 1" not in rows["CML-23"].reason
    assert rows["CML-34"].verdict_figures == "not-checkable" and rows["CML-34"].figures[0]["verdict"] == "reproduced"
    assert "This cannot be computed from what is reported: 1 and 1 are not 3." in rows["CML-34"].reason
    assert rows["CML-37"].verdict_figures == "discrepant" and "no share is above 100%" in rows["CML-37"].reason
    said = {row.verdict_conclusion for row in rows.values() if row.kind in records.ARGUED}
    assert said == {"not-checkable"}
    assert {row.verdict_figures for row in rows.values() if row.kind in records.PLAIN} == {"nothing-to-check"}


def test_the_counts_of_a_share_are_those_its_claim_relates(opened):
    """Two of 12 with interferon relapsed in the nervous system."""
    assert review.Review("ph-all-maintenance").counts("PHA-31/percentage") == (2, 12)
    with pytest.raises(
        records.SourceError, match=r"CML-23: state what it is a share of.*percentage-of, role: enrolled"
    ):
        opened.counts("CML-23")


def test_unknown_names_are_refused_in_one_line(opened):
    for claim, check, inputs in (("CML-99", "sum", {"a": 1}), ("CML-23", "sum", {"wrong": 1}), ("CML-23", "sum", {}),
                                 ("CML-23", "guess", {"enrolled": 15})):  # fmt: skip
        with pytest.raises(ValueError) as caught:
            opened.judge(claim, check, "x", **inputs)
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


def test_a_check_and_a_bound_value_read_without_a_style_sheet(monkeypatch):
    emitted = []
    monkeypatch.setattr(review, "display", lambda data, raw: emitted.append(data))
    opened = review.Review("cml-stopping")
    opened.judge("CML-23", "sum", "a sum", enrolled=15)
    review.bind(early="one", share=(80.0, "%"))
    check, bound = emitted
    lines = re.sub(r"</p>|<br>", "\n", check["text/html"])
    shown = html.fromstring(lines).text_content().splitlines()
    assert shown[0].endswith("CML-23") and "reproduced" in shown[0]
    assert {"reported: Fifteen patients", "recomputed: 15 patients"} <= set(shown)
    assert html.fromstring(bound["text/html"]).text_content() == "early = one; share = 80%"
    assert json.dumps(bound[review.BOUND]["share"]["value"]) == "80"


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


@pytest.mark.parametrize("session", ["/home/x/chapters/cml-stopping.ipynb", "", "elsewhere.ipynb"])
def test_who_has_a_notebook_open_is_told_which_bound_values_differ_from_those_committed(monkeypatch, session):
    shown = []
    monkeypatch.setattr(review, "display", lambda data, raw: shown.append(data))
    monkeypatch.setenv("JPY_SESSION_NAME", session)
    chapter = ROOT / "chapters" / "cml-stopping.ipynb"
    stood = {"early": "75 %", "late": "9"}
    entry = {name: {"text": text} for name, text in stood.items()}
    output = {"output_type": "display_data", "data": {lib.BOUND: entry}}
    committed = {"cells": [{"cell_type": "code", "source": "", "outputs": [output]}]}
    monkeypatch.setattr(executed, "at_head", lambda slug: json.dumps(committed) if slug == chapter.stem else None)
    review._committed.cache_clear()
    review.bind(early="73 %", late="9", new="1")
    review._committed.cache_clear()
    moved = ["early: was 75 %, now 73 %"] if "cml-stopping" in session else []
    assert shown[0]["text/plain"].split("\n") == ["early = 73 %; late = 9; new = 1", *moved]
    assert [p.text for p in html.fragments_fromstring(shown[0]["text/html"])][1:] == moved
