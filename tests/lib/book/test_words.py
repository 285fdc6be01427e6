"""The small makers of the page: type, drawings and their weight, citations in one line, folds, and abbreviations."""

import re
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pytest
from docutils import nodes
from lxml.html import fromstring

from lib import ROOT, figures, records, review
from lib.book import glossary, ledger, marks, outputs
from lib.house import prose


@pytest.mark.parametrize(
    ("words", "typed"),
    [
        ("1 years; 12 patients", "1 year; 12 patients"),
        ("21 years and 0.1 years", "21 years and 0.1 years"),
        ('the group\'s "best"', "the group’s “best”"),
        ("p < 0.05 & more", "p &lt; 0.05 &amp; more"),
    ],
)
def test_typeset(words, typed):
    assert marks.typeset(words) == typed


def drawn(svg):
    """What a drawing shows: its texts, how many strokes, and which inks."""
    tree = ET.fromstring(svg)
    tags = [e.tag.rpartition("}")[2] for e in tree.iter()]
    return [e.text.strip() for e in tree.iter() if e.tag.endswith("text") and e.text], tags.count("use")


def test_a_light_drawing_shows_what_the_heavy_one_shows():
    def draw(ax):
        ax.plot([0, 1, 2], [3, 1, 2], "o", color=figures.REPORTED)
        ax.fill_between([0, 1], [0, 1], color=figures.BAND)
        ax.set_ylabel("share, %")

    with plt.rc_context(figures.STYLE):
        heavy = figures._render(draw, 1, (4, 3), stacked=False)
    light = outputs.light(heavy, "fig-x-w")
    assert drawn(light) == drawn(heavy) and "share, %" in drawn(light)[0]
    assert len(light) < len(heavy)
    ids = re.findall(r' id="([^"]+)"', light)
    referred = re.findall(r'(?:url\(|href=")#([^")]+)', light)
    assert set(referred) == set(ids) and all(i.startswith("fig-x-w") for i in ids) and len(set(ids)) == len(ids)
    assert "var(--reported)" in light and "var(--band)" in light and figures.REPORTED not in light
    assert "DejaVu" not in light and "<style" not in light


def test_a_waffle_has_one_shape_for_each_claim():
    counts = {"reproduced": 5, "discrepant": 1, "not-checkable": 13}
    drawing = marks.waffle({**counts, "restated": 0}, "Figures")
    paths = re.findall(r'<path class="([\w-]+)" d="([^"]+)"', drawing)
    found = {v: [tuple(map(int, xy)) for xy in re.findall(r"M(\d+) (\d+)", d)] for v, d in paths}
    assert {v: len(places) for v, places in found.items()} == counts
    places = [xy for all_ in found.values() for xy in all_]
    assert len(set(places)) == len(places), "no shape hides another"
    width, height = (float(x) for x in re.search(r'viewBox="-1 -1 (\d+) (\d+)"', drawing).groups())
    assert max(x for x, _ in places) + 9 < width and max(y for _, y in places) + 9 < height
    assert 'aria-label="Figures: 5 reproduced, 1 discrepant, 13 not checkable"' in drawing


def test_a_citation_keeps_its_own_stops():
    source = records.record("ms-interferon-beta").source
    line = marks.citation_line(source.model_copy(update={"title": "Does it work?", "authors": ["A. Author"]}))
    assert line.startswith("A. Author. Does it work? ") and ".." not in line and line.endswith(".")


def test_what_a_page_reads_of_a_notebook():
    row = {"id": "CML-07"}
    figure = {figures.FIGURE: {}, "text/html": "<figure></figure>", "text/plain": "x"}
    assert outputs._reduced({"data": {review.BOUND: {}, "text/html": "<p>a = 1</p>"}}) is None
    check = {review.LEDGER: row, "text/html": "x"}
    assert outputs._reduced({"data": check})["data"] == {"text/plain": "⟦check cml-07⟧"}
    assert outputs._reduced({"data": figure})["data"] == {"image/svg+xml": "<svg/>"}
    assert outputs._reduced({"data": {"text/plain": "12"}})["data"] == {"text/plain": "12"}


def paragraph(text):
    section = nodes.section()
    section += nodes.paragraph("", text)
    return section


def expanded(section, words):
    glossary.Expand._section(None, section, glossary.whole_words(words), words)
    return [n.astext() for n in section.findall(glossary.Short)]


def test_an_abbreviation_is_expanded_once_and_only_as_a_word():
    words = {"CML": "chronic myeloid leukaemia", "MR4": "a depth"}
    section = paragraph("In CML, and CML again; not in CML-37, not in MR4.5 nor XCML.")
    before = section.astext()
    assert expanded(section, words) == ["CML"] and section.astext() == before


def test_abbreviations_in_titles_links_and_code_are_left():
    section = nodes.section()
    section += nodes.title("", "CML")
    section += nodes.paragraph("", "", nodes.literal("", "CML"), nodes.reference("", "CML", refuri="#"))
    assert expanded(section, {"CML": "chronic myeloid leukaemia"}) == []


def test_a_term_is_explained_once_on_a_page_in_whatever_form_it_first_stands(monkeypatch):
    monkeypatch.setattr(glossary, "explained", lambda: {"odds ratio": "odds over odds", "ties": "the same value"})
    section = paragraph("Odds ratios, an odds ratio and ties; no odds rationed.")
    section += nodes.title("", "Ties")
    before = section.astext()
    glossary.Expand._terms(None, section)
    found = [(n["name"], n.astext()) for n in section.findall(glossary.Term)]
    assert found == [("odds ratio", "Odds ratios"), ("ties", "ties")] and section.astext() == before


def test_the_terms_of_the_glossary_are_read_with_their_definitions():
    terms = glossary.explained()
    page = (ROOT / f"{glossary.PAGE}.md").read_text("utf-8")
    assert "immortal time" in terms and "claim" not in terms, "words of this book are none"
    assert all(f"\n: {said}\n" in page for said in terms.values())
    assert len(terms) == page.partition("(glossary-terms)=")[2].count("\n: ")


def test_a_ledger_line_escapes_what_it_is_given():
    row = {
        "id": "CML-01", "source": "cml-stopping", "kind": "finding", "says": "a < b", "reported": "<5%",
        "recomputed": "", "verdict_figures": "discrepant", "verdict_conclusion": "does-not-follow", "reason": "<i>",
        "later": {"verdict": "against", "deciding": "a-row", "rule": "a & b"},
    }  # fmt: skip
    line = ledger.line(row, "x.html#cml-01")
    assert "a &lt; b" in line and "&lt;5%" in line and "&lt;i&gt;" in line and "a &amp; b" in line
    assert 'data-verdict="does-not-follow"' in line and "discrepant" in line and 'href="x.html#cml-01"' in line


def role(kind, text, before=""):
    """What a role prints in a paragraph of the CML chapter, after some words."""
    made = kind()
    env = SimpleNamespace(docname="chapters/cml-stopping", note_dependency=lambda name: None)
    document = SimpleNamespace(settings=SimpleNamespace(env=env))
    made.inliner = SimpleNamespace(parent=nodes.paragraph("", before), document=document)
    made.text = text
    return made.make().astext()


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("late-relapses recurrences", "nine of 65 recurrences"),
        ("late-relapses (recurrences)", "nine of 65"),
        ("crude-rate %", "75%"),
        ("cml-stopping:endure-hr hazard ratio", "hazard ratio 1.02 (95% CI 0.68 to 1.55)"),
    ],
)
def test_a_value_is_printed_with_its_unit_or_without(written, printed):
    assert role(marks.Found, written, "we found ") == printed


def test_no_value_of_the_chapter_passes_for_one_of_another_unit():
    values = prose.bound("cml-stopping")
    assert values and all("kind" in v for v in values.values()), "every value says what it is"
    roles = re.findall(r"{found}`([^`:]+)`", (ROOT / "chapters" / "cml-stopping.md").read_text("utf-8"))
    swaps = 0
    for written in set(roles):
        name, _, unit = written.partition(" ")
        for other, value in values.items():
            if value["unit"] != values[name]["unit"]:
                swaps += 1
                with pytest.raises(ValueError, match="write {found}"):
                    role(marks.Found, f"{other} {unit}".rstrip())
    assert swaps > 1000


@pytest.mark.parametrize(
    ("kind", "text", "before", "printed"),
    [
        (marks.Reported, "CML-33", "", "Twelve"),
        (marks.Reported, "CML-33", "Of ", "12"),
        (marks.Reported, "CML-36", "The other ", "nine"),
        (marks.Reported, "CML-35/lost", "It ended. ", "Three"),
        (marks.Reported, "CML-34/low", "for ", "6"),  # months are measured
        (marks.Reported, "CML-37/percentage", "It is ", "74%"),
        (marks.Found, "late-relapses recurrences", "It ended.\n", "Nine of 65 recurrences"),
    ],
)
def test_small_counts_are_words_and_a_sentence_begins_with_one(kind, text, before, printed):
    assert role(kind, text, before) == printed


def test_a_claim_of_the_page_itself_weighs_nothing_and_one_elsewhere_is_told():
    assert marks.afar("CML-37", "#cml-37") == ""
    row = prose.verdict("CML-37")[0]
    link = fromstring(f'<a href="x.html#cml-37"{marks.afar("CML-37", "x.html#cml-37")}>CML-37</a>')
    assert link.get("data-par") == str(row["at"]["par"])
    assert link.get("data-verdicts").split() == [*review.shown(row), f"later-{row['later']['verdict']}"]
    assert row["says"][:40] in link.get("data-note") and row["reported"] in link.get("data-note")
