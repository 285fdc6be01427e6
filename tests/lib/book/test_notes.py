"""What a value, claim, work or term says of itself: beside its line, or in a sheet, by mouse, keys and touch."""

import json
import re
from pathlib import Path

import pytest
from browser import needed, until
from test_accessibility import OPTIONS

from lib.book.glossary import explained
from lib.review import shown
from pages import SITE

pytestmark = needed
MARKS = "article .tipped, article .recomputed[data-of]"
PHONES, WIDER = (320, 375, 414), (600, 900, 1100, 1280, 1440, 1920)
CUT = """([selector, step]) => {
  document.querySelectorAll(`details:has(${selector.replaceAll('article ', '')})`).forEach(d => d.open = true);
  const note = document.querySelector('#note'), cut = [];
  const said = m => [m.href, m.dataset.of, m.dataset.step, m.dataset.note].join(), all = [...document.querySelectorAll(selector)];
  const seen = [...new Map(all.map(m => [said(m), m])).values()].filter((m, n) => n % step === 0);
  for (const mark of seen) {
    mark.dispatchEvent(new PointerEvent('click', {bubbles: true, cancelable: true, detail: 1, pointerType: 'touch'}));
    const box = note.getBoundingClientRect(), own = mark.getBoundingClientRect(), words = note.querySelector('.note-says').textContent;
    const inside = box.width > 150 && box.left >= 0 && box.right <= document.documentElement.clientWidth && box.top >= 0 && box.bottom <= innerHeight;
    const whole = note.scrollWidth <= note.clientWidth && (note.scrollHeight <= note.clientHeight || getComputedStyle(note).overflowY === 'auto');
    const apart = box.left >= own.right || box.top >= own.bottom - 1;
    const go = note.querySelector('.note-go'), leads = !mark.href || go && go.href === mark.href;
    if (!inside || !whole || !apart || !leads || words.length < 12) cut.push([mark.textContent, words.slice(0, 60), inside, whole, apart, leads]);
  }
  return [seen.length, cut];
}"""


"""Each note of a page once, at the last mark that has it."""


def chapters():
    return sorted(p.relative_to(SITE).as_posix() for p in (SITE / "chapters").glob("*.html"))


def claims():
    return {c["id"]: c for c in json.loads((SITE / "ledger.json").read_text("utf-8"))["claims"]}


def one(page, kind):
    """The first mark of a kind, and its note."""
    mark = page.locator(kind).first
    mark.evaluate("e => { for (; e; e = e.parentElement) if (e.tagName === 'DETAILS') e.open = true; }")
    return mark, page.locator("#note")


def test_no_note_of_any_mark_is_cut_off_on_a_phone(reader):
    here, all_seen = reader(width="phone", has_touch=True), 0
    for name in chapters():
        page = here.open(name)
        for width in PHONES:
            page.set_viewport_size({"width": width, "height": 620})
            seen, cut = page.evaluate(CUT, [MARKS if width == 320 else "article .tipped", 1])
            assert not cut, f"{name} at {width}"
            all_seen += seen
    assert all_seen > 2000


def test_no_note_is_cut_off_at_any_width_nor_in_a_low_window(reader):
    here = reader()
    for name in chapters()[::2]:
        page = here.open(name)
        for width in WIDER:
            page.set_viewport_size({"width": width, "height": 420 if width == 1440 else 900})
            _, cut = page.evaluate(CUT, [MARKS, 23])
            assert not cut, f"{name} at {width}"


def test_a_mouse_shows_the_note_in_the_margin_and_reaches_it(reader):
    page = reader().open("chapters/cml-stopping.html")
    mark, note = one(page, "#cml-says > p a.reported[href='#cml-37']")
    mark.hover()
    note.wait_for()
    line, box, text = mark.bounding_box(), note.bounding_box(), page.locator("main").bounding_box()
    assert box["x"] >= text["x"] + text["width"], "beside the text, not on it"
    assert box["y"] <= line["y"] + line["height"] <= box["y"] + box["height"] + 8, "at the height of its line"
    note.hover()
    page.wait_for_timeout(1500)
    assert note.is_visible(), "it stays while the pointer is on it"
    other, _ = one(page, "a.cited")
    other.hover()
    note.get_by_text(re.compile(r"^Reference \d")).wait_for()
    assert page.locator(".noted").count() == 1 and page.locator(".note:visible").count() == 1
    page.mouse.move(3, 450)
    note.wait_for(state="hidden")
    mark.click()
    assert page.url.endswith("#cml-37"), "a click follows the link"


def test_without_a_margin_a_pointer_passes_and_a_click_shows_the_sheet(reader):
    page = reader().open("chapters/cml-stopping.html")
    page.set_viewport_size({"width": 1000, "height": 700})
    mark, note = one(page, "a.reported[href='#cml-37']")
    mark.hover()
    page.wait_for_timeout(300)
    assert not note.is_visible()
    mark.click()
    assert note.is_visible() and "#" not in page.url
    box = note.bounding_box()
    assert (box["x"], box["y"] + box["height"]) == (0, 700)
    page.mouse.click(3, 3)
    assert not note.is_visible()


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_focus_shows_it_escape_closes_it_and_enter_follows(reader, width):
    page = reader(width=width).open("chapters/cml-stopping.html")
    mark, note = one(page, "a.reported[href='#cml-37']")
    page.keyboard.press("Tab")  # from here on focus is the keyboard's
    mark.focus()
    assert note.is_visible() and mark.get_attribute("aria-describedby") == "note-says"
    page.keyboard.press("Escape")
    assert not note.is_visible() and mark.get_attribute("aria-describedby") is None
    assert mark.evaluate("e => e === document.activeElement")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.noted')") and note.is_visible(), (
        "the next mark, its own note"
    )
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert page.url.endswith("#cml-37") and not note.is_visible()


def test_a_tap_opens_the_sheet_and_its_button_or_a_tap_beside_it_closes_it(reader):
    page = reader(width="phone", has_touch=True).open("chapters/cml-stopping.html")
    mark, note = one(page, "a.reported[href='#cml-37']")
    mark.tap()
    assert note.is_visible() and "#" not in page.url
    close = note.get_by_role("button", name="Close the note")
    go = note.get_by_role("link", name="Go to the check")
    for target in (close, go):
        assert min(target.bounding_box()[side] for side in ("width", "height")) >= 44
    assert go.bounding_box()["y"] + 44 <= 900, "seen without scrolling"
    assert page.evaluate("document.querySelector('#note').contains(document.activeElement)")
    close.tap()
    assert not note.is_visible() and mark.evaluate("e => e === document.activeElement")
    mark.tap()
    page.keyboard.press("Tab")
    assert close.evaluate("e => e === document.activeElement")
    page.keyboard.press("Shift+Tab")
    assert not note.is_visible() and mark.evaluate("e => e === document.activeElement"), "never lost"
    mark.tap()
    page.touchscreen.tap(5, 300)
    assert not note.is_visible()
    mark.tap()
    go.tap()
    page.wait_for_url("**#cml-37")
    assert not note.is_visible()


def test_back_closes_the_sheet_and_leaves_the_reader_where_he_was(reader):
    page = reader(width="phone", has_touch=True).open("chapters/cml-stopping.html")
    mark, note = one(page, "a.reported[href='#cml-37']")
    here, place = page.url, "Math.round(scrollY)"
    mark.tap()
    page.evaluate("scrollBy(0, 40)")
    at = page.evaluate(place)
    page.go_back()
    note.wait_for(state="hidden")
    assert (page.url, page.evaluate(place)) == (here, at)
    for close in (
        lambda: note.get_by_role("button").tap(),
        lambda: page.touchscreen.tap(5, 300),
        lambda: page.keyboard.press("Escape"),
    ):
        mark.tap()
        note.wait_for()
        before = page.evaluate("history.length")
        close()
        until(page, "history.state === null")
        assert not note.is_visible() and page.evaluate("history.length") == before
    mark.tap()
    at = page.evaluate(place)
    note.get_by_role("link", name="Go to the check").tap()
    page.wait_for_url("**#cml-37")
    page.go_back()
    until(page, f"location.href === '{here}' && Math.abs(scrollY - {at}) < 200")
    assert not note.is_visible()
    page.go_forward()
    page.wait_for_url("**#cml-37")
    mark, note = one(page, "a.reported[href='#cml-33']")
    mark.tap()
    page.reload()
    assert page.evaluate("history.state") is None and not page.locator("#note").is_visible()


def test_a_second_tap_follows_the_link(reader):
    page = reader(width="phone", has_touch=True).open("chapters/cml-stopping.html")
    mark, _ = one(page, "a.reported[href='#cml-33']")
    mark.tap()
    assert "#" not in page.url
    mark.tap()
    page.wait_for_url("**#cml-33")


def test_the_note_of_a_claim_holds_what_the_ledger_does(reader):
    page = reader().open("chapters/cml-stopping.html")
    mark, note = one(page, "a.reported[href='#cml-37']")
    mark.focus()
    page.keyboard.press("Shift")
    said = " ".join(note.inner_text().split())
    row = claims()["CML-37"]
    verdicts = [v.replace("-", " ") for v in shown(row)]
    for words in [*verdicts, f"later: {row['later']['verdict']}", row["says"], f"reported {row['reported']}"]:
        assert words in said
    assert f"recomputed {row['recomputed']}" in said and f"PARAGRAPH {row['at']['par']}" in said.upper()
    assert "Source: " + " ".join(page.locator(".source-card .citation").inner_text().split()) in said
    deciding = page.locator("#cml-37 .cited").first.get_attribute("href")
    title = page.locator(f"li[id='{deciding[1:]}']").inner_text().split(" mentioned")[0]
    assert " ".join(title.split()) in said


def test_a_claim_judged_elsewhere_says_so_much_too(reader):
    page = reader().open("chapters/synthesis.html")
    mark, note = one(page, "a.to-claim")
    mark.focus()
    said = " ".join(note.inner_text().split())
    row = claims()[mark.inner_text()]
    assert all(v.replace("-", " ") in said for v in shown(row))
    assert note.locator(".verdict::before") and note.locator(".verdict").count() >= len(shown(row))
    assert note.get_by_role("link", name="Go to the check").get_attribute("href").endswith(row["url"])


def test_a_recomputed_value_leads_to_the_code_that_binds_it(reader):
    page = reader(width="phone", has_touch=True).open("chapters/cml-stopping.html")
    mark, note = one(page, "#cml-says ~ section .recomputed[data-step]")
    name = mark.get_attribute("data-of")
    mark.tap()
    note.get_by_role("link", name="Go to the code").tap()
    page.wait_for_url("**#code-*")
    fold = page.locator("details.code:target")
    assert fold.evaluate("d => d.open") and name.replace("-", "_") in fold.text_content()
    page.keyboard.press("Tab")
    mark.focus()
    page.keyboard.press("Enter")
    assert not note.is_visible() and page.url.endswith("#" + fold.get_attribute("id"))


def test_a_work_and_a_term_say_what_they_are(reader):
    page = reader().open("chapters/cml-stopping.html")
    for kind in ("a.cited", "a.known"):
        mark, note = one(page, kind)
        mark.focus()
        entry = page.locator(f"li[id='{mark.get_attribute('href')[1:]}']")
        words = " ".join(entry.inner_text().split(" mentioned")[0].split())
        assert words in " ".join(note.inner_text().split())
        number = entry.evaluate("e => [...e.parentNode.children].indexOf(e) + 1")
        assert re.search(rf"reference {number}$", note.locator(".eyebrow").inner_text(), re.IGNORECASE)
    mark, note = one(page, "a.abbr")
    mark.focus()
    short, _, long = mark.evaluate("e => e.textContent").partition(" ")
    assert f"{short}: {long}" in note.inner_text()
    assert mark.get_attribute("aria-describedby") is None, "a screen reader has the words from the link"
    mark, note = one(page, "a.term")
    mark.focus()
    term = mark.inner_text().lower()
    assert explained()[term] in note.inner_text()
    note.get_by_role("link", name="Go to the glossary").click()
    assert page.locator("dt:target").inner_text().lower() == term


def test_without_script_marks_are_links_and_on_paper_no_note_stands(reader):
    page = reader(java_script_enabled=False).open("chapters/cml-stopping.html")
    assert page.locator("#note").count() == 0
    page.locator("a.reported[href='#cml-37']").first.click()
    assert page.url.endswith("#cml-37")
    page = reader().open("chapters/cml-stopping.html")
    mark, note = one(page, "a.reported")
    mark.focus()
    assert note.is_visible()
    page.emulate_media(media="print")
    assert not note.is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_a_note(reader, theme):
    import axe_playwright_python

    axe = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
    page = reader(theme=theme, bypass_csp=True).open("chapters/cml-stopping.html")
    page.evaluate(axe)
    mark, note = one(page, "#cml-says > p a.reported[href='#cml-37']")
    mark.focus()
    alone = "document.querySelector('article > section').replaceChildren(document.querySelector('h1'), document.querySelector('.noted').closest('p'))"
    page.evaluate(alone)  # the rest of the page has a test of its own, and takes axe its time
    for width in (1280, 375):
        page.set_viewport_size({"width": width, "height": 500})
        until(page, f"document.querySelector('.note').matches('.sheet') === {str(width == 375).lower()}")
        assert note.is_visible()
        said = page.evaluate("options => axe.run(document, options)", OPTIONS)["violations"]
        assert not said, [(v["id"], v["nodes"][0]["html"]) for v in said]
