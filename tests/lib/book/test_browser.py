"""What a reader does in a browser: open from a folder, fold, filter, cite, follow, search, at a desk and on a phone."""

import json
import re

import pytest
from browser import WIDTHS, in_both_types, names, needed, on_paper

from pages import SITE, known_by

pytestmark = needed


def ledger():
    return json.loads((SITE / "ledger.json").read_text("utf-8"))["claims"]


def chapter():
    """The chapter with the most reported figures in its prose: it has code, checks and drawings too."""
    pages = [p for p in names() if p.startswith("chapters/")]
    return max(pages, key=lambda p: (SITE / p).read_text("utf-8").count('class="tipped reported"'))


def sections(kind):
    rows = json.loads((SITE / "sections.json").read_text("utf-8"))
    return [r for r in rows if r["kind"] == kind and r["state"] in ("current", "draft")]


@in_both_types
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_opens_from_a_folder_and_fits(reader, width):
    here = reader(width=width)
    for name in names():
        page = here.open(name)
        wide, seen = page.evaluate("[document.documentElement.scrollWidth, document.getAnimations().length]")
        assert wide <= WIDTHS[width] and seen == 0, name
        assert page.locator("h1").is_visible(), name
        wider = "[...document.querySelectorAll('.scroll')].filter(b => b.scrollWidth > b.clientWidth + 1)"
        cut = page.evaluate(f"{wider}.map(b => b.parentElement.id)")
        assert not cut, f"{name}: tables wider than the page"


def test_theme_is_switched_and_remembered(reader):
    page = reader().open("index.html")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Dark theme").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark
    page.get_by_role("button", name="Light theme").click()
    assert page.evaluate(ground) == light


def test_the_readers_own_theme_is_kept(reader):
    page = reader(theme="dark").open("index.html")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 31)"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_forced_colours_keep_the_shapes_of_the_verdicts(reader, theme):
    page = reader(theme=theme, forced_colors="active").open("pages/ledger.html")
    lost = """() => {
      const ground = getComputedStyle(document.body).backgroundColor;
      return [...document.querySelectorAll('.tally li:not(.besides), .verdict:not(.later-superseded)')].filter(e => {
        const s = getComputedStyle(e, '::before'), filled = ![ground, 'rgba(0, 0, 0, 0)', ground.replace('rgb', 'rgba').replace(')', ', 0)')].includes(s.backgroundColor);
        return !filled && s.backgroundImage === 'none' && !(parseFloat(s.borderTopWidth) && s.borderTopColor !== ground);
      }).map(e => e.textContent);
    }"""
    assert page.locator(".tally li").count() > 3 and page.evaluate(lost) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_code_is_folded_and_one_switch_shows_it_all(reader, width):
    page = reader(width=width).open(chapter())
    cells = page.locator("details.code")
    open_ = page.locator("details.code[open]")
    assert cells.count() > 1 and open_.count() == 0
    assert all(len(words) > 3 for words in cells.locator("summary").all_text_contents())
    cells.first.locator("summary").click()
    assert open_.count() == 1 and cells.first.locator(".highlight").first.is_visible()
    page.get_by_role("button", name="Show all code").click()
    assert open_.count() == cells.count()
    page.reload()
    assert open_.count() == cells.count()
    page.get_by_role("button", name="Fold all code").click()
    assert open_.count() == 0


def test_a_link_into_folded_code_opens_it(reader):
    figure = next(s for s in sections("figure"))
    page = reader().open(figure["page"])
    page.locator(f"figure#{figure['label']} a", has_text="code").first.click()
    page.locator(f"details.code[open] #{figure['label']}-code").wait_for()


def test_ledger_and_chapter_are_complete_without_scripts(reader):
    here = reader(java_script_enabled=False)
    page = here.open("pages/ledger.html")
    assert page.locator("table.ledger tbody tr:visible").count() == len(ledger())
    assert not page.locator("form.ledger-tools").is_visible()
    page = here.open(chapter())
    assert page.locator("nav#contents a:visible").count() > 3
    page.locator("details.code summary").first.click()
    assert page.locator("details.code .highlight").first.is_visible()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_citation_opens_and_its_tag_leads_back(reader, width):
    claim = next(c for c in ledger() if known_by(c) == "compatible")
    page = reader(width=width).open(claim["url"])
    mark = page.locator(f"#{claim['id'].lower()} button.cite-mark")
    mark.focus()
    page.keyboard.press("Enter")
    box = page.locator(f"#cite-{claim['tag']}")
    assert box.is_visible() and claim["tag"] in box.inner_text()
    box.get_by_role("link", name=re.compile("permanent page")).click()
    assert page.url.endswith(f"t/{claim['tag']}/index.html")
    page.locator(f'a[href$="#{claim["id"].lower()}"]').first.click()
    assert page.url.endswith(claim["url"])


def test_keyboard_reaches_what_a_mouse_does(reader):
    page = reader().open(chapter())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null"), "the skip link leads past the contents"
    reached, name = set(), "(e => `${e.tagName}.${e.className.split(' ')[0]}`)(document.activeElement)"
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(name))
    assert {"A.tipped", "SUMMARY.", "BUTTON.cite-mark"} <= reached, reached


def test_a_work_leads_back_to_its_mentions(reader):
    page = reader().open(chapter())
    link = page.locator("article a.cited").first
    entry = page.locator(f"li[id='{link.get_attribute('href')[1:]}']")
    number = entry.evaluate("e => [...e.parentNode.children].indexOf(e) + 1")
    assert link.inner_text() == f"[{number}]"
    entry.locator(".back a").first.click()
    assert page.url.endswith(f"#{entry.get_attribute('id')}-1")
    assert page.locator(":target").get_attribute("href") == link.get_attribute("href")


def test_phone_menu_opens_the_contents(reader):
    page = reader(width="phone").open("index.html")
    contents = page.locator("nav#contents")
    assert not contents.is_visible()
    page.get_by_role("button", name="Contents").click()
    contents.get_by_role("link", name="Ledger").click()
    assert page.url.endswith("pages/ledger.html")


def test_figures_have_a_drawing_for_each_width(reader):
    for width, shown, hidden in (("desk", "wide", "narrow"), ("phone", "narrow", "wide")):
        page = reader(width=width).open(sections("figure")[0]["page"])
        page.evaluate("document.querySelectorAll('details.audit').forEach(d => d.open = true)")
        for drawing in page.locator(f"svg.drawing.{shown}").all():
            assert drawing.is_visible()
            sizes = drawing.evaluate("s => [...s.querySelectorAll('text')].map(t => t.getBoundingClientRect().height)")
            assert sizes and min(sizes) >= 9.5, "small type in a figure"
        assert not any(d.is_visible() for d in page.locator(f"svg.drawing.{hidden}").all())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_paper_nothing_is_folded_but_the_code_unless_it_was_opened(reader, theme):
    page = reader(theme=theme).open(chapter())
    page.get_by_role("button", name="theme").click()
    page.locator("details.code summary").nth(1).click()
    folded = page.locator("details.plain:not([open])")
    before = folded.count()
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details.code .highlight:visible").count() == page.locator("details.code:visible").count() == 1
    assert not page.locator(".side").is_visible() and folded.count() == 0 < before
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert folded.count() == before


@pytest.mark.parametrize(
    ("name", "most", "across"), [("chapters/ms-interferon-beta", 28, False), ("pages/ledger", 45, True)]
)
def test_paper_holds_a_page_with_head_and_number(reader, name, most, across):
    page = reader().open(f"{name}.html")
    title = page.title().partition(" · ")[0]
    said, sizes = on_paper(page.pdf(prefer_css_page_size=True))
    assert len(said) <= most and all((wide > high) == across for wide, high in sizes)
    for n, words in enumerate(said, 1):
        assert "Interferon, Recomputed" in words and title in words and f"{n} / {len(said)}" in words, n
        assert len(words) > 300, f"page {n} is all but empty"
    assert "Clear" not in said[0]
