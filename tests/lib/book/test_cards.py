"""The image beside a link: made and named where the site's address is set and nowhere else, from the page's own picture."""

import io
import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from sphinx.application import Sphinx

from lib import FIGURE, figures
from lib.book import cards
from lib.pictures import icons
from lib.values import share

CONFIGURATION = """
from docutils.parsers.rst import Directive

class Mark(Directive):
    def run(self):
        return []

project = "A Book"
extensions = ["myst_nb", "lib.book.cards"]
nb_execution_mode = "off"
site_url = {address!r}
suppress_warnings = ["mystnb.unknown_mime_type"]

def setup(app):
    app.add_config_value("site_url", "", "env")
    app.add_directive("short-version", Mark)
"""


def figure(monkeypatch, label, percent):
    """An icon array as a cell's output."""
    emitted = []
    monkeypatch.setattr(figures, "display", lambda data, raw: emitted.append(data))
    icons({"all": share(percent / 100)}, "well", f"{percent} of 100 are well", label, "People.")
    return emitted[0]


def notebook(*cells):
    """A chapter: text as given, and a code cell for each output."""
    made = [
        nbformat.v4.new_markdown_cell(c, id=f"c{n}")
        if isinstance(c, str)
        else nbformat.v4.new_code_cell("", id=f"c{n}", outputs=[nbformat.v4.new_output("display_data", c)])
        for n, c in enumerate(cells)
    ]
    return nbformat.v4.new_notebook(cells=made)


@pytest.fixture
def chapter(monkeypatch):
    first, answer, last = (figure(monkeypatch, f"fig-{n}", p) for n, p in (("a", 10), ("b", 56), ("c", 90)))
    return notebook(
        "# A question", first, "(short)=\n## In short\n\n```{short-version}\n```", answer, "(rest)=\n## The rest", last
    )


def build(folder: Path, chapter: dict, address: str) -> Path:
    """The site of a book of one chapter at an address, or at none."""
    source, out = folder / "source", folder / "out"
    source.mkdir(parents=True)
    (source / "conf.py").write_text(CONFIGURATION.format(address=address), "utf-8")
    (source / "index.ipynb").write_text(json.dumps(chapter), "utf-8")
    app = Sphinx(source, source, out, folder / "trees", "html", status=None, warning=io.StringIO())
    app.build()
    return out


def test_the_picture_of_the_short_version_is_named_and_the_same_twice(tmp_path, chapter):
    pages = [build(tmp_path / name, chapter, "https://book.example/") for name in ("one", "two")]
    images = [(out / "cards" / "index.png").read_bytes() for out in pages]
    assert images[0] == images[1]
    assert plt.imread(io.BytesIO(images[0])).shape[:2] == (630, 1200)
    tags = dict(
        re.findall(r'<meta property="(og:[\w:]+)" content="([^"]*)">', (pages[0] / "index.html").read_text("utf-8"))
    )
    assert tags["og:image"] == "https://book.example/cards/index.png"
    assert tags["og:image:alt"] == "People, well: all, 56 of 100."
    assert '<meta name="twitter:card" content="summary_large_image">' in (pages[0] / "index.html").read_text("utf-8")


def test_without_an_address_there_is_neither_image_nor_tag(tmp_path, chapter):
    out = build(tmp_path, chapter, "")
    assert not (out / "cards").exists()
    assert "og:" not in (out / "index.html").read_text("utf-8")


def test_the_answer_is_the_first_figure_of_the_short_version_else_of_the_chapter(chapter):
    assert cards.answer(chapter)["label"] == "fig-b"
    without = notebook("# A question", chapter["cells"][3]["outputs"][0]["data"], "(rest)=\n## The rest")
    assert cards.answer(without)["label"] == "fig-b"
    marked_late = notebook(
        "(short)=\n## In short\n\n```{short-version}\n```",
        "(rest)=\n## The rest",
        chapter["cells"][5]["outputs"][0]["data"],
    )
    assert cards.answer(marked_late)["label"] == "fig-c", "a short version without a picture: the first of the chapter"
    assert cards.answer(notebook("# No picture")) is None


def ink(png: bytes) -> int:
    """How many dots of an image have the colour of the people who are filled."""
    dots = (255 * plt.imread(io.BytesIO(png))[..., :3]).round()
    return int((np.abs(dots - 255 * np.array(to_rgb(figures.INK))).sum(axis=-1) < 3).sum())


def test_an_image_shows_the_figures_own_people(monkeypatch):
    few, some, many = (
        ink(cards.card("A Book", "A page", "Why?", figure(monkeypatch, "fig-a", p)[FIGURE])) for p in (10, 35, 60)
    )
    assert (many - some) / (some - few) == pytest.approx(1, rel=0.1), "as many people more, as much ink more"
    assert some - few > 25 * 50


def test_what_no_kind_of_picture_draws_gets_title_and_question(monkeypatch):
    plain = figure(monkeypatch, "fig-a", 10)[FIGURE] | {"kind": "unknown"}
    assert cards.card("A Book", "A page", "Why?", plain) == cards.card("A Book", "A page", "Why?", None)
