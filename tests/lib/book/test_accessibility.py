"""axe-core finds nothing on any page of the contents, nor on one tag page of each kind, in any theme and width."""

import json
from pathlib import Path

import pytest
from browser import WIDTHS, names, needed

from pages import SITE

pytestmark = needed
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"], "preload": False}


def tag_pages():
    kinds = {r["kind"]: r["tag"] for r in json.loads((SITE / "sections.json").read_text("utf-8"))}
    return [f"t/{tag}/index.html" for tag in kinds.values()]


@pytest.fixture(scope="module")
def axe():
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing(reader, axe, width, theme):
    here = reader(width=width, theme=theme, bypass_csp=True)
    found = []
    for name in [*names(), *tag_pages()]:
        page = here.open(name)
        page.evaluate(axe)
        said = page.evaluate("options => axe.run(document, options)", OPTIONS)
        for v in said["violations"]:
            found += [f"{name}: {v['id']} ({v['impact']}): {n['html'][:160]}" for n in v["nodes"]]
    assert not found, "\n".join(found)
