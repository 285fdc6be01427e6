"""The book's own type: light, renamed, loaded from beside the page, and with a glyph for whatever a page says."""

import re
import time
from html import unescape
from urllib.parse import urlsplit

import pytest
from browser import browsed, until
from fontTools.ttLib import TTFont

from lib import ROOT
from pages import ABSENT, SITE

FACES = sorted((ROOT / "_static" / "fonts").glob("*.woff2"))
# Set in the reader's own type: formulas in the browser's for mathematics, programs in the machine's for code.
_OTHERWISE = re.compile(r"<(script|style|math|pre|code)\b.*?</\1>", re.DOTALL)
UNCUT = {
    "\n": "a space to HTML",
    "\u2060": "the word joiner has no shape",
    "ᵢ": "an index in one figure, which neither family draws",
    "ρ": "a letter of code and formulas, shown on a page of its own in the machine's type",
    "ℓ": "as above",
    "ₘ": "an index in one figure, which neither family draws",
}

FIRST = {
    f"{face}.woff2" for face in ("serif-regular", "serif-semibold", "serif-italic", "sans-regular", "sans-semibold")
}
SHIFTS = """window.shifts = [];
new PerformanceObserver(list => list.getEntries().forEach(e => shifts.push([e.value, e.sources.map(s => s.node?.nodeName).join(" ")])))
  .observe({type: "layout-shift", buffered: true});"""

built = pytest.mark.skipif(not (SITE / "index.html").is_file(), reason=ABSENT)


def drawn() -> set[str]:
    """What every face draws, with what book.css gives the serif from the sans."""
    sheet = (ROOT / "_static" / "book.css").read_text("utf-8")
    ranges = re.search(r"unicode-range: ([^;]+);", sheet)[1].replace("U+", "").split(", ")
    lent = {chr(c) for a, _, b in (r.partition("-") for r in ranges) for c in range(int(a, 16), int(b, 16) + 1)}
    has = {face.stem: set(map(chr, TTFont(face).getBestCmap())) for face in FACES}
    lent &= has["sans-regular"]
    return set.intersection(*(glyphs | (lent if name.startswith("serif") else set()) for name, glyphs in has.items()))


def undrawn(page: str, drawn: set[str]) -> set[str]:
    """Characters of a page's text, drawings too, that the faces do not hold and nothing excuses."""
    return set(unescape(re.sub(r"<[^>]+>", "", _OTHERWISE.sub("", page)))) - drawn - UNCUT.keys()


def test_faces_are_light_and_renamed():
    assert len(FACES) == 5 and sum(face.stat().st_size for face in FACES) <= 90_000
    for face in FACES:
        names = {record.nameID: record.toUnicode() for record in TTFont(face)["name"].names}
        assert "Reserved Font Name" in names[0] and "Open Font License" in names[13], face.name
        assert not [n for n in (1, 3, 4, 6) if "Source" in names[n]], face.name


@built
def test_every_character_of_every_page_is_drawn():
    has = drawn()
    pages = {page: page.read_text("utf-8") for page in SITE.rglob("*.html")}
    outside = {
        page.relative_to(SITE).as_posix(): found for page, text in pages.items() if (found := undrawn(text, has))
    }
    assert not outside, f"cut the faces anew (_static/fonts/make.py) or say why not: {outside}"
    said = "".join(pages.values())
    assert not [mark for mark in UNCUT if mark not in said], "no page needs the excuse"


def test_a_character_outside_is_seen():
    has = drawn()
    assert undrawn("<p>a ☂ b<code>☂</code></p>", has) == {"☂"} and not undrawn("<p>10⁻⁹ ≥ ½ &rarr; é</p>", has)


@built
@browsed
def test_text_is_set_in_it(reader):
    page = reader().open("chapters/methods.html")
    until(page, "document.fonts.status === 'loaded'")
    faces = "[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family.replaceAll('\"', ''))"
    assert {"Recomputed Serif", "Recomputed Sans"} <= set(page.evaluate(faces))
    size, lead, line = page.evaluate("""() => {
      const long = [...document.querySelectorAll('article section > p')].filter(p => p.textContent.length > 300);
      const style = getComputedStyle(long[0]), lead = parseFloat(style.lineHeight);
      const lines = long.reduce((n, p) => n + Math.round(p.offsetHeight / lead) - .5, 0);  // the last is half full
      return [parseFloat(style.fontSize), lead, long.reduce((n, p) => n + p.textContent.length, 0) / lines];
    }""")
    assert 18 <= size <= 19 and lead / size == pytest.approx(1.55, abs=0.01) and 62 <= line <= 68


@built
@browsed
@pytest.mark.parametrize("name", ["index", "pages/patients", "chapters/ms-interferon-beta"])
def test_nothing_moves_when_it_arrives(chromium, name):
    """The style sheet, without which nothing shows, is kept back until the faces of a first screen have come. A page that
    asks for them only when it is laid out keeps waiting, and fails."""
    context = chromium.new_context(viewport={"width": 412, "height": 823}, is_mobile=True, has_touch=True)
    page, sheets, fetched = context.new_page(), [], set()

    def answer(route):
        file = SITE / urlsplit(route.request.url).path[1:]
        if file.name == "book.css":
            sheets.append((route, file))
        else:
            route.fulfill(path=file)
            fetched.add(file.name)

    context.route("**/*", answer)
    page.add_init_script(SHIFTS)
    page.goto(f"http://book.invalid/{name}.html", wait_until="commit")
    end = time.monotonic() + 20
    while not (sheets and fetched >= FIRST):
        assert time.monotonic() < end, f"not asked for before the style sheet came: {FIRST - fetched}"
        page.wait_for_timeout(50)
    page.wait_for_timeout(700)  # what has come is also to be read
    for route, file in sheets:
        route.fulfill(path=file)
    page.wait_for_load_state("load")
    page.wait_for_timeout(300)
    moved = page.evaluate("shifts")
    context.close()
    assert sum(shift for shift, _ in moved) < 0.02, moved
