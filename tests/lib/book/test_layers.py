"""The three layers of a chapter: the answer first, the rest on request, the audit trail folded and never lost."""

from __future__ import annotations

import re
from functools import cache

import pytest
from bs4 import BeautifulSoup

from browser import needed, until
from lib import ROOT
from lib.book import outputs
from lib.evidence import reach
from lib.house import executed, parts, prose
from pages import SITE

pytestmark = needed
CHAPTERS = [page for page in parts.pages() if page.startswith("chapters/")]
ACCUSING = {"discrepant", "overstated", "does-not-follow"}


@cache
def soup(page: str) -> BeautifulSoup:
    return BeautifulSoup((SITE / f"{page}.html").read_text("utf-8"), "html.parser")


def layered() -> list[str]:
    """The chapters that have their layers."""
    return [page for page in CHAPTERS if "{short-version}" in (ROOT / f"{page}.md").read_text("utf-8")]


@pytest.mark.parametrize("page", CHAPTERS)
def test_every_chapter_says_what_it_is_not_and_how_far_its_search_reaches(page):
    (caution,) = soup(page).select(".safety")
    assert "Do not stop or change a treatment" in caution.text and reach(page.rpartition("/")[2]) in caution.text


@pytest.mark.parametrize("page", layered())
def test_a_short_version_is_whole_and_short(page):
    short = soup(page).select_one("section.short-version")
    for part in (
        ".answer",
        ".safety",
        ".for-patients",
        ".for-clinicians",
        ".table-figure",
        "figure.drawn",
        ".full-review",
    ):
        assert len(short.select(part)) == 1, part
    assert len(short.select(".table-figure tbody tr")) <= 5
    read = BeautifulSoup(str(short), "html.parser")
    for unread in read.select(
        "svg, details, button, table, .full-review, .rerun-line, .actions, .section-number, .headerlink"
    ):
        unread.extract()
    assert len(re.findall(r"\S*\w\S*", read.get_text(" "))) <= 350
    assert re.fullmatch(r"Full review, \d+ minutes", short.select_one(".full-review span").text)


@pytest.mark.parametrize(("width", "height", "screens"), [(1280, 800, 1), (375, 812, 1.5)])
@pytest.mark.parametrize("page", layered())
def test_the_answer_stands_on_the_first_screen(reader, page, width, height, screens):
    opened = reader(width=width, height=height).open(f"{page}.html")
    for part in (".answer", ".safety"):
        box = opened.locator(f".short-version {part}").bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= height * screens, part
    if width < 400:  # a finding of one group stands before its interval, and what was not found is left out
        for cells in opened.locator(".findings tbody tr").all():
            seen = [c for c in cells.locator("td").all() if c.is_visible()]
            told = [(c.get_attribute("data-head"), c.inner_text().split("\n")[-1].strip()) for c in seen]
            assert len(told) > 2 and "–" not in dict(told).values(), told
        ends = "s => [s, ...s.querySelectorAll('text')].map(e => e.getBoundingClientRect().bottom)"
        bottom, *words = opened.locator(".short-version svg.drawing").evaluate(ends)
        assert bottom - max(words) < 14, "a blank strip below the picture"


@pytest.mark.parametrize("width", [320, 1280])
def test_the_switch_hides_the_review_and_is_remembered(reader, width):
    page = layered()[0]
    opened = reader(width=width).open(f"{page}.html")
    review = opened.locator("article > section > section:not(.short-version)")
    assert review.first.is_visible()
    opened.get_by_role("button", name="Show the short version only").press("Enter")
    opened.reload()
    assert not any(section.is_visible() for section in review.all())
    inner = review.nth(2).get_attribute("id")
    opened.evaluate(f"location.hash = '{inner}'")
    until(opened, f"document.getElementById('{inner}').offsetParent")
    opened.reload()  # the address leads into the review still
    assert review.first.is_visible()
    opened.goto(opened.url.partition("#")[0])
    opened.get_by_role("button", name="Show the full review").click()
    assert review.first.is_visible()


@pytest.mark.parametrize("page", layered())
def test_the_audit_trail_folds_with_its_tag_and_is_complete(page):
    folded, labels = soup(page).select("section.audit"), {part.label for part in parts.parts()}
    assert folded
    for section in folded:
        (fold,) = section.find_all("details", class_="audit", recursive=False)
        assert "open" not in fold.attrs and section.find(re.compile("^h[2-4]$"), recursive=False).select_one(
            ".cite-mark"
        )
        inside = [child.name for child in section.children if child.name and child.name != "span"]
        assert len(inside) == 2 and inside[1] == "details"
        assert section["id"] in labels


def test_what_leads_into_the_audit_trail_opens_it(reader):
    page = layered()[0]
    section = soup(page).select_one("section.audit")
    inner = section.select_one("figure[id], .check-item[id]")["id"]
    for target in (section["id"], inner):
        opened = reader().open(f"{page}.html#{target}")
        assert opened.locator(f"#{target}").is_visible()
        assert opened.locator("details.audit[open]").count() == 1


def test_without_script_both_layers_show_and_folds_open_by_hand(reader):
    opened = reader(java_script_enabled=False).open(f"{layered()[0]}.html")
    assert opened.locator("article > section > section").last.is_visible()
    opened.locator("details.audit > summary").first.click(position={"x": 8, "y": 20})
    assert opened.locator("details.audit").first.locator("p:visible").count()


def test_on_paper_both_layers_show_and_nothing_is_folded(reader):
    opened = reader().open(f"{layered()[0]}.html")
    opened.get_by_role("button", name="Show the short version only").click()
    opened.emulate_media(media="print")
    opened.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.locator("details.audit:not([open])").count() == 0
    assert opened.locator("article > section > section").last.is_visible()


@pytest.mark.parametrize("page", layered())
def test_no_accusing_verdict_stands_in_the_audit_trail_alone(page):
    """A claim judged discrepant, overstated or not to follow has its check, or a mention, outside the audit trail."""
    shown = BeautifulSoup(str(soup(page).article), "html.parser")
    for hidden in shown.select("section.audit"):
        hidden.extract()
    ids = {element["id"] for element in shown.select(".check-item")}
    mentioned = {a["href"].partition("#")[2] for a in shown.select("a[href]")}
    rows = prose.of_source(page.rpartition("/")[2])
    accused = {r["id"].lower() for r in rows if ACCUSING & {r["verdict_figures"], r["verdict_conclusion"]}}
    assert not accused - ids - mentioned


@pytest.mark.parametrize("page", CHAPTERS)
def test_what_shows_is_numbered_without_a_gap_and_the_audit_trail_apart(page):
    """Figures and tables outside the audit trail are 1, 2, 3, …; those that it folds, A1, A2, A3, …"""
    series = {}
    for caption in soup(page).select("figcaption .caption-number"):
        kind, number = re.fullmatch(r"(Fig\.|Table) ([\w.]+)", caption.text.strip()).groups()
        folded = caption.find_parent("section", class_="audit") is not None
        series.setdefault((kind, folded), []).append(number.rpartition(".")[2])
    for (kind, folded), numbers in series.items():
        assert numbers == [f"{'A' * folded}{n + 1}" for n in range(len(numbers))], kind


@pytest.mark.parametrize("page", CHAPTERS)
def test_code_folds_never_follow_one_another_and_no_code_is_lost(page):
    folds = soup(page).select("details.code")
    for fold in folds:
        cell = fold.find_parent(class_="cell") or fold
        after = cell.find_next_sibling()
        alone = all(child.name == "details" for child in cell.children if child.name)
        assert not (
            alone and after and after.name != "section" and (after.find("details", class_="code", recursive=False))
        )
    notebook = executed.read(ROOT / f"{page}.ipynb")
    kept = [
        c for c in notebook["cells"] if c["cell_type"] == "code" and "remove-input" not in c["metadata"].get("tags", [])
    ]
    assert sum(len(fold.select("div.highlight")) for fold in folds) == len(kept)


@pytest.mark.parametrize("page", CHAPTERS)
def test_runs_of_quiet_checks_are_one_line(page):
    quiet = {row["id"].lower() for row in prose.ledger() if outputs.quiet(row)}
    for checks in soup(page).select("ul.checks"):
        found = {item["id"] for item in checks.select(".check-item")}
        if checks.find_parent("details", class_="plain"):
            assert found <= quiet and len(found) > 1
        else:
            assert len(found & quiet) < 2


@pytest.mark.parametrize("width", [320, 900, 1280, 1920])
def test_the_contents_of_the_chapter_are_one_action_away(reader, width):
    page = layered()[0]
    opened = reader(width=width).open(f"{page}.html")
    target = opened.locator("#contents .current > ul > li > a").nth(5)
    if not target.is_visible():
        opened.get_by_role("button", name="Contents").click()
    assert target.is_visible()
    target.click()
    section = opened.locator(f"[id='{target.get_attribute('href')[1:]}']")
    assert abs(section.bounding_box()["y"]) < 200
    until(opened, "document.querySelector('#contents [aria-current]')")


def test_the_bar_of_a_phone_names_the_section_and_leads_back_to_the_answer(reader):
    opened = reader(width=375).open(f"{layered()[0]}.html")
    assert not opened.locator(".where").is_visible()
    opened.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
    bar = opened.locator(".where")
    bar.wait_for()
    assert len(bar.locator(".section").inner_text()) > 5
    assert (
        30 < float(opened.evaluate("document.querySelector('.side').style.getPropertyValue('--read')").rstrip("%")) < 70
    )
    bar.locator(".section").click()
    assert opened.locator("#contents [aria-current]").is_visible()
    opened.keyboard.press("Escape")
    bar.get_by_role("link", name="Answer").click()
    assert abs(opened.locator(".short-version").bounding_box()["y"]) < 120


@pytest.mark.parametrize("name", ["pages/ledger", "pages/evidence-cml-stopping", "pages/errata"])
def test_a_page_without_contents_has_the_bar_too(reader, name):
    opened = reader(width=375, height=300).open(f"{name}.html")
    opened.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
    bar = opened.locator(".where")
    bar.wait_for()
    heads = opened.locator("article :is(h1, h2)").evaluate_all(
        "hs => hs.map(h => [h.getBoundingClientRect().top, h.firstChild.data])"
    )
    assert bar.locator(".section").inner_text() == [name for top, name in heads if top < 100][-1]
    bar.get_by_role("link", name="Top").click()
    bar.wait_for(state="hidden")  # once the page has heard that it was scrolled
    assert opened.evaluate("scrollY") < 100


SMALL = """() => {
  document.querySelectorAll('details').forEach(d => d.open = true);
  const inText = e => [...e.parentNode.childNodes].some(n => n.nodeType === 3 && /\\p{L}{2}/u.test(n.data));
  return [...document.querySelectorAll('article :is(a[href], button, summary, .recomputed[data-of])')].filter(e => {
    const box = e.getBoundingClientRect();
    return e.checkVisibility() && Math.min(box.width, box.height) < 24 && (e.textContent.trim().length < 4 || !inText(e));
  }).map(e => `${e.tagName}.${e.className} ${e.textContent.slice(0, 20)}`);
}"""


@pytest.mark.parametrize("name", [*layered(), "pages/ledger", "pages/evidence-cml-stopping"])
def test_a_finger_meets_24_pixels_even_on_a_single_digit(reader, name):
    """Links of four letters and more in running text excepted, as WCAG 2.5.8 does with all in running text."""
    assert reader(width=375, has_touch=True, is_mobile=True).open(f"{name}.html").evaluate(SMALL) == []


@pytest.mark.parametrize("touch", [False, True])
def test_cite_marks_show_when_meant(reader, touch):
    opened = reader(width="phone" if touch else "desk", has_touch=touch, is_mobile=touch).open(f"{layered()[0]}.html")
    mark = opened.locator("article h2 .cite-mark:visible").first
    seen = "m => getComputedStyle(m).opacity"
    assert mark.evaluate(seen) == ("1" if touch else "0")
    if not touch:
        mark.focus()
        assert mark.evaluate(seen) == "1"


def test_what_scrolls_in_a_fold_is_reached_by_keyboard_once_it_is_open(reader):
    """Measured only then: what is folded has no width, and laying it out early holds up the page."""
    opened = reader(width=280).open("chapters/mpn-stem-cells.html")
    unreached = "[...document.querySelectorAll('.scroll, div.math')].filter(b => b.scrollWidth > b.clientWidth && b.tabIndex !== 0).length"
    boxes = "document.querySelectorAll('[tabindex=\"0\"]:is(.scroll, div.math)').length"
    before = opened.evaluate(boxes)
    opened.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    until(opened, f"{boxes} > {before} && {unreached} === 0")
