"""The evidence pages hold every row of their tables, and every mention of a table leads to them."""

import csv
import re
from types import SimpleNamespace

import pytest
from browser import browsed
from bs4 import BeautifulSoup

from lib import ROOT, records
from lib.book import marks, studies
from lib.evidence import appraisal, evidence
from lib.house import parts
from pages import ABSENT, SITE

built = pytest.mark.skipif(not (SITE / "index.html").is_file(), reason=ABSENT)
SLUGS = records.slugs()
SPOKEN = re.compile(r"evidence tables?|tables? of evidence|our (?:own )?tables?", re.IGNORECASE)


def unlinked(text: str) -> list[str]:
    """Sentences of a page that speak of the evidence tables and lead nowhere."""
    text = re.sub(r'<svg.*?</svg>|<details class="code.*?</details>', "◻", text, flags=re.DOTALL)  # most of a page
    body = BeautifulSoup(text, "lxml").find("article")
    for element in body.select("a, code, pre, h1, h2, h3, h4, summary, .cite-box, .Z3988"):
        element.replace_with("◻")
    words = " ".join(body.get_text().split())
    return [words[max(0, m.start() - 40) : m.end() + 40] for m in SPOKEN.finditer(words)]


@built
def test_no_page_speaks_of_the_evidence_without_a_link():
    said = {
        page: found
        for page in parts.pages()
        if not page.startswith(studies.PAGE)
        for found in [unlinked((SITE / f"{page}.html").read_text("utf-8"))]
        if found
    }
    assert not said


def test_a_mention_without_a_link_is_seen():
    page = "<article><p>{}</p></article>"
    assert unlinked(page.format("nothing in our\ntable")) and unlinked(
        page.format("the evidence table of this chapter")
    )
    assert not unlinked(page.format(studies.linked("nothing in our\ntable, or <b>Our evidence table</b>", "e.html")))


@pytest.mark.parametrize(
    "kept",
    [
        "<a>our table</a>", "<h2>Our tables</h2>", "<code>our table</code>", '<svg aria-label="our table"></svg>',
        "our tablet", "hour table", "the table of contents", "<!-- our table -->",
    ],
)  # fmt: skip
def test_what_is_no_mention_is_left_alone(kept):
    assert studies.linked(kept, "e.html") == kept


def test_a_mention_after_a_link_is_linked():
    assert studies.linked("<a>x</a> in our table", "e.html").endswith(
        'in <a class="to-evidence" href="e.html">our table</a>'
    )


def test_a_page_leads_to_its_own_evidence_else_to_all_of_it():
    known = ["pages/evidence", "pages/evidence-a"]
    found = [studies.of_chapter(f"chapters/{slug}", known) for slug in ("a", "b")] + [studies.of_chapter("index", [])]
    assert found == ["pages/evidence-a", "pages/evidence", ""]


def test_every_chapter_with_a_table_has_a_page():
    tables = {path.stem for path in (ROOT / "data" / "evidence").glob("*.csv")}
    assert {f"{studies.PAGE}-{slug}" for slug in tables} <= set(parts.pages())


@built
@pytest.mark.parametrize("slug", SLUGS)
def test_a_page_shows_every_row_as_published(slug):
    page = BeautifulSoup((SITE / f"{studies.PAGE}-{slug}.html").read_text("utf-8"), "lxml")
    with (ROOT / "data" / "evidence" / f"{slug}.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    shown = {tr["id"].removeprefix("ev-"): tr for tr in page.select("tr[id]")}
    topics = [a.text.lower() for a in page.select(".topics a")]
    assert studies.LAST not in topics[:-1], "few readers come for it"
    assert shown.keys() == rows.keys()
    judged = {(j["evidence"], j["claim"]) for j in appraisal() if j["evidence"] in rows}
    for key, row in rows.items():
        tr, head = shown[key], shown[key].find_parent("tbody").select_one(".study")
        said = tr.text.replace("≥", ">=").replace("≤", "<=")
        for column in ("ci_low", "ci_high", "numerator", "denominator", "time_horizon", "p_value"):
            assert row[column] in said, (key, column)
        assert row["unit"] == "p value" or typed(row["value"]) in typed(said), key
        assert typed(row["study"]) in typed(head.text)
        read = {a["href"] for a in [*tr.select("a"), *head.select("a")]}
        assert {p.partition(" ")[0] for p in row["verified_in"].split("; ")} <= read, key
        assert f"#ref-{row['reference'].lower()}" in {a["href"] for a in head.select("a.cited")}, key
        claims = {a.text: a["href"] for a in tr.select("a.to-claim")}
        assert claims.keys() == {claim for row_id, claim in judged if row_id == key and in_book(claim, slug)}, key
        assert all(href.endswith(f"#{claim.lower()}") for claim, href in claims.items())
    assert ("No other work stands in the table." if evidence(slug).empty else "last searched") in page.article.text
    data = SITE / "downloads" / studies.name(slug)
    assert data.read_bytes() == (ROOT / "data" / "evidence" / f"{slug}.csv").read_bytes()
    assert page.select_one(f'a[download][href="../downloads/{studies.name(slug)}"]')


def typed(words: str) -> str:
    """Words without what typesetting changes."""
    return re.sub(r"[‘’“”\"']", "", words.replace(">=", "≥").replace("<=", "≤"))


def in_book(claim: str, slug: str) -> bool:
    return claim.startswith(records.record(slug).source.prefix)


def test_a_row_says_what_its_study_does_not():
    row = {"value": "", "unit": "", "numerator": "3", "denominator": "12", "ci_low": "", "ci_high": "", "p_value": ""}
    assert studies._figure(row) == "3 of 12"
    assert studies._figure(row | {"value": "25", "unit": "%", "ci_low": "5", "ci_high": "57", "p_value": "<0.05"}) == (
        "25% (95% CI 5 to 57, 3/12, p <0.05)"
    )
    assert studies._addresses("https://www.x.org/a?b=1&c=2 field d; https://y.org/") == (
        '<a href="https://www.x.org/a?b=1&amp;c=2">x.org</a> field d, <a href="https://y.org/">y.org</a>'
    )


@pytest.mark.parametrize("slug", SLUGS)
def test_a_source_card_names_its_source_and_what_was_not_read(slug):
    source = records.record(slug).source
    assert source.title or source.begins
    line = marks.citation_line(source)
    assert (source.title or f"Begins “{source.begins}”") in line
    said = marks.besides(source)
    assert bool(source.fuller_report) == ("Read it before you rely on this page" in said)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, ""),
        ({"fuller_report": "JISAS2014"}, "A fuller report of the same study exists and was not reviewed: "),
        ({"fuller_report": "s"}, "Only the abstract was reviewed."),
        ({"discusses": "Sormani2016", "fuller_report": "Sormani2016"}, 'About: <a href="https://doi.org/10.1212/'),
    ],
)
def test_the_card_tells_which_report_was_not_read(fields, words):
    source = SimpleNamespace(**({"slug": "s", "discusses": None, "fuller_report": None} | fields))
    said = marks.besides(source)
    assert words in said and bool(said) == bool(fields)


@built
@browsed
def test_a_page_of_evidence_stacks_on_a_phone_and_works_by_keyboard(reader):
    page = reader(width="phone").open(f"{studies.PAGE}-ms-interferon-beta.html")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    row = page.locator("tr[id]").filter(has=page.locator("td:nth-child(4) a")).first
    boxes = [row.locator("th, td").nth(n).bounding_box() for n in range(2)]
    assert boxes[1]["y"] >= boxes[0]["y"] + boxes[0]["height"] - 1, "a row is a block"
    page.locator(".topics a").nth(3).focus()
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash.startsWith('#topic-')")
    claim = row.locator("td a").first
    claim.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/chapters/ms-interferon-beta.html#msb-*")
