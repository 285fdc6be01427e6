"""The search: the right part among the first three, with its words marked; nothing is fetched; marks on arrival."""

import json

import pytest
from browser import WIDTHS, browsed

from lib import evidence, records
from lib.book import glossary, search, studies
from pages import ABSENT, SITE, read

built = pytest.mark.skipif(not (SITE / "index.html").is_file(), reason=ABSENT)

REPORTED = {  # the queries of a reader who found four of ten, each with the parts that answer it
    "CML-37": {"cml-37"},
    "74%": {"cml-37"},
    "p=0.0142": {"cml-40"},
    "0.0142": {"cml-40"},
    "immortal time": {"fig-pha-bias", "term-immortal-time"},
    "incorporation bias": {"msb-composite", "msb-incorporation", "term-incorporation-bias"},
    "confidence interval": {"term-confidence-interval", "abbr-ci"},
    "hydroxycarbamide": {"mpi-leukaemia", "mpi-02", "abbr-hu"},
    "NEDA": {"term-no-evidence-of-disease-activity"},
    "ROBINS-I": {"abbr-robins-i", "tab-mpi-robins"},
    "hydroxyurea leukaemia": {"mpi-leukaemia"},
    "Kaplan-Meier": {"cml-22", "cml-steps", "term-kaplan-meier-estimate"},
    "ENDURE": {"cml-endure", "tab-cml-endure"},
    "treatment-free remission": {"term-treatment-free-remission"},
    "ET": {"abbr-et"},
    "25C5": {"cml-steps"},
}
OURS = {
    "TFR": {"term-treatment-free-remission"},
    "mmr": {"term-major-molecular-response"},
    "hu leukemia": {"mpi-leukaemia"},
    "cml 37": {"cml-37"},
    "G2HG": {"cml-37"},
    "ledger": {"ledger"},
    "Mann-Whitney": {"cml-ranks", "cml-ranks-print", "fig-cml-p", "tab-cml-limits", "cml-40"},
    "randomized trial ENDURE": {"cml-endure", "tab-cml-endure"},
    "allele burden": {"term-allele-burden", "abbr-vaf", "term-variant-allele-frequency"},
    "number at risk": {"term-number-at-risk"},
    "ledger-figures.csv": {"codebook-figures"},
    "JISAS recruitment period": {"ev-jisas2014-recruitment"},
    "magnims score medium": {"ev-magnims-score-1"},
}


def asked(page, query):
    """The labels that a query finds, in order; the first twenty of them."""
    page.get_by_role("search", name="Search again").get_by_role("searchbox").fill(query)
    page.keyboard.press("Enter")
    found = "[...document.querySelectorAll('#search-results li > a')].map(a => a.hash.slice(1))"
    return page.evaluate(found)


@built
@browsed
@pytest.mark.parametrize("queries", [REPORTED, OURS], ids=["reported", "ours"])
def test_the_right_part_is_among_the_first_three_and_says_why(reader, queries):
    page, missed = reader().open("search.html"), []
    for query, wanted in queries.items():
        found = asked(page, query)
        if not wanted & set(found[:3]):
            missed.append(f"{query}: {', '.join(found[:3]) or 'nothing'}")
        assert len(found) == len(set(found)), f"{query}: a part is listed twice"
        assert page.locator("#search-results li").first.locator(".excerpt").count() == 1, f"{query}: no excerpt"
    assert not missed, "\n".join(missed)


@built
@browsed
def test_short_words_are_whole_words_and_abbreviations_stand_in_capitals(reader):
    page = reader().open("search.html")
    asked(page, "et")
    marks = {mark.removesuffix("s") for mark in page.locator("mark").all_inner_texts()}
    assert not page.locator("#search-results", has_text="EXCEED-ET").count()
    assert "ET" in marks and all(m == "ET" or m.lower().startswith("essential thrombocyth") for m in marks), marks
    assert asked(page, "zzyzx") == [] and "No part" in page.get_by_role("status").inner_text()


@built
@browsed
@pytest.mark.parametrize("width", WIDTHS)
def test_the_box_of_any_page_searches_and_a_hit_names_its_kind(reader, width):
    here = reader(width=width)
    page = here.open("index.html")
    if width == "phone":
        page.get_by_role("button", name="Contents").click()
    page.get_by_role("search").get_by_role("searchbox").fill("74%")
    asks = []
    page.on("request", lambda request: asks.append(request.url.partition("?")[0].rpartition("/")[2]))
    page.keyboard.press("Enter")
    hit = page.locator("#search-results li", has=page.locator(".where", has_text="claim")).first
    hit.wait_for()
    assert hit.locator(".where").is_visible() and "74%" in hit.locator("mark").all_inner_texts()
    assert not [a for a in asks if a.endswith(".html") and a != "search.html"], "a page was fetched that is not shown"
    again = page.get_by_role("search", name="Search again").get_by_role("searchbox")
    assert again.input_value() == "74%"
    again.fill("25C5")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=25C5")
    page.go_back()
    assert again.input_value() == "74%"
    page.go_forward()
    assert "section 25C5" in page.locator("#search-results .where").first.inner_text()


@built
@browsed
def test_a_query_that_no_part_holds_whole_gets_the_nearest_and_is_told_so(reader):
    page = reader().open("search.html")
    found = asked(page, "ENDURE ropeginterferon zzyzx")
    assert 0 < len(found) <= 5 and "No part of the book holds all" in page.get_by_role("status").inner_text()
    marks = [
        {m.lower() for m in hit.locator("mark").all_inner_texts()} for hit in page.locator("#search-results li").all()
    ]
    assert all({"endure", "ropeginterferon"} <= m for m in marks), "those that hold most of it"
    assert found == asked(page, "ENDURE ropeginterferon")[: len(found)]
    assert "nearest" not in page.get_by_role("status").inner_text()


MARKED = "CSS.highlights.has('found') ? [...CSS.highlights.get('found')].map(r => r.toString().toLowerCase()) : []"


@built
@browsed
def test_the_words_are_marked_on_arrival_until_escape(reader):
    page = reader().open("search.html")
    asked(page, "hydroxycarbamide leukaemia")
    page.locator("#search-results a[href$='#mpi-leukaemia']").click()
    page.get_by_role("button", name="Remove the marks").wait_for()
    assert page.url.endswith("#mpi-leukaemia") and set(page.evaluate(MARKED)) == {"hydroxyurea", "leukaemia"}
    page.keyboard.press("Escape")
    assert page.evaluate(MARKED) == [] and page.get_by_role("button", name="Remove the marks").count() == 0
    page.reload()
    page.get_by_role("button", name="Remove the marks").click()
    assert page.evaluate(MARKED) == []


@built
@browsed
def test_without_scripts_the_search_leads_to_the_ledger_and_no_word_is_marked(reader):
    page = reader(java_script_enabled=False).open("search.html?q=x")
    assert not page.get_by_role("search", name="Search again").is_visible()
    assert page.locator("noscript a", has_text="ledger").is_visible()


@built
def test_only_the_search_page_loads_the_index():
    loads = {
        path.name
        for path, page in ((p, read(p)) for p in SITE.rglob("*.html"))
        if any(search.INDEX in x for x in page.loads)
    }
    assert loads == {"search.html"}
    index = json.loads((SITE / "_static" / search.INDEX).read_text("utf-8").removeprefix("var BOOK = ").rstrip(";\n"))
    tags = {
        row["tag"]
        for row in json.loads((SITE / "sections.json").read_text("utf-8"))
        if row["state"] in ("current", "draft")
    }
    assert tags == {part[1] for part in index["parts"]} - {""}
    rows = [part for part in index["parts"] if part[0] == "evidence"]
    for slug in records.slugs():
        page = read(SITE / f"{studies.PAGE}-{slug}.html")
        of = [part[2] for part in rows if index["pages"][part[3]][0] == f"{studies.PAGE}-{slug}.html"]
        assert bool(of) != evidence.evidence(slug).empty
        assert sorted(of) == sorted(i for i in page.ids if i.startswith("ev-"))
    assert not (SITE / "searchindex.js").exists()


def test_each_word_of_a_page_belongs_to_the_innermost_part():
    page = (
        '<section id="a"><h2>Title</h2><p>One <a class="tipped">two<span class="hidden"> a tip</span></a>.</p>'
        '<figure id="f"><svg><text>drawn</text></svg><table><tr><th>n</th><td>3<br>4</td></tr></table></figure><p>Three</p></section>'
    )
    assert search.said(page, {"a", "f"}) == {"a": "One two. Three", "f": "n · 34"}
    assert search.said(page, {"a"}) == {"a": "One two. n · 34 · Three"}


def test_names_of_one_thing_come_from_the_glossary(monkeypatch):
    monkeypatch.setattr(
        glossary,
        "terms",
        lambda: {"Allele frequency": "A share (of copies) that counts (VAF; also burden).", "Plain": "Word."},
    )
    monkeypatch.setattr(
        glossary,
        "abbreviations",
        lambda: {
            "VAF": "allele frequency",
            "HU": "hydroxyurea (hydroxycarbamide)",
            "CIS": "isolated syndrome, a first attack",
        },
    )
    assert glossary.names() == [
        ["Allele frequency", "VAF", "burden"],
        ["HU", "hydroxyurea", "hydroxycarbamide"],
        ["CIS", "isolated syndrome"],
    ]
