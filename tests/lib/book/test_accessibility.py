"""axe-core finds nothing on any page of the contents, nor on one tag page of each kind, in any theme and width."""

import json
from pathlib import Path

import pytest
from browser import WIDTHS, names, needed

from pages import SITE

pytestmark = needed
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"], "preload": False}
BY_WIDTH = ["target-size", "scrollable-region-focusable", "hidden-content", "region", "button-name", "link-name"]
"""Rules whose findings hang on the room there is, and those of the parts that only a phone shows."""
OTHERS = {
    "desk": {"rules": {"color-contrast": {"enabled": False}}},
    "phone": {"runOnly": {"type": "rule", "values": BY_WIDTH}},
}
ONE_OF_EACH = (
    "index.html",
    "chapters/cml-stopping.html",
    "pages/ledger.html",
    "pages/evidence-cml-stopping.html",
    "search.html",
)
PALE = """() => {
  const parts = c => { const n = c.match(/[\\d.]+/g).map(Number); return [...n.slice(0, 3).map(x => c.startsWith('color(') ? 255 * x : x), n[3] ?? 1]; };
  const over = ([r, g, b, a], under) => [r, g, b].map((x, i) => a * x + (1 - a) * under[i]);
  const light = c => c.map(x => (x /= 255) <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4).reduce((sum, x, i) => sum + x * [.2126, .7152, .0722][i], 0);
  const ground = e => e ? over(parts(getComputedStyle(e).backgroundColor), ground(e.parentElement)) : [255, 255, 255];
  const seen = e => e ? getComputedStyle(e).opacity * seen(e.parentElement) : 1;
  const found = new Set();
  let read = 0;
  for (const e of document.body.querySelectorAll('*:not(svg *, math *)')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    const style = getComputedStyle(e), size = parseFloat(style.fontSize), under = ground(e), ink = parts(style.color);
    ink[3] *= seen(e);
    const [high, low] = [light(over(ink, under)), light(under)].sort((a, b) => b - a), ratio = (high + .05) / (low + .05);
    read += 1;
    if (ratio < (size >= 24 || size >= 18.66 && style.fontWeight >= 700 ? 3 : 4.5)) found.add(`${e.tagName}.${e.className}: ${ratio.toFixed(2)}`);
  }
  return [read, [...found]];
}"""
"""How many elements with words of their own are seen, and those too pale for WCAG 2.2, 1.4.3: the contrast of the text with
the grounds it lies in. axe, which also asks what overlaps what, takes most of its time for this.
"""


def tag_pages():
    kinds = {r["kind"]: r["tag"] for r in json.loads((SITE / "sections.json").read_text("utf-8"))}
    return [f"t/{tag}/index.html" for tag in kinds.values()]


@pytest.fixture(scope="module")
def axe():
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing(reader, axe, width):
    """Every rule on a page of each template in both themes, which differ in their inks alone; on every other page all but
    contrast at a desk, and on a phone what hangs on its width. All text of every page is held against its ground in both.
    """
    here = reader(width=width, bypass_csp=True)
    found = []
    for name in [*names(), *tag_pages()]:
        page = here.open(name)
        page.evaluate(axe)
        template = name.startswith("t/") or name in ONE_OF_EACH
        options = OPTIONS if template else OPTIONS | OTHERS[width]
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            read, pale = page.evaluate(PALE)
            assert read > 9
            found += [f"{name}: {theme}: too pale: {x}" for x in pale]
            if theme == "dark" and not template:
                continue
            for v in page.evaluate("options => axe.run(document, options)", options)["violations"]:
                found += [f"{name}: {theme}: {v['id']} ({v['impact']}): {n['html'][:160]}" for n in v["nodes"]]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        (":root { --quiet: #8d8d8d !important }", "P.eyebrow"),
        ("main { opacity: .4 }", "H1."),
        ("article { background: rgb(60 60 60 / .8) }", "H1."),
    ],
)
def test_pale_words_are_seen(reader, spoilt, said):
    page = reader(bypass_csp=True).open("pages/about.html")
    page.add_style_tag(content=spoilt)
    assert any(x.startswith(said) for x in page.evaluate(PALE)[1])
