"""From notebook outputs to the page: tables, checks and figures become nodes with labels, numbers and captions."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from lib.figures import BAND, FIGURE, INK, QUIET, RECOMPUTED, REPORTED, RULE, VERDICT

log = logging.getLogger(__name__)

INKS = {INK: "ink", QUIET: "quiet", RULE: "rule", REPORTED: "reported", RECOMPUTED: "recomputed", BAND: "band"} | {
    colour: word for word, colour in VERDICT.items()
}
_OPENING = re.compile(r'<div class="(book-table|check)" data-label="([^"]+)" data-title="([^"]*)">')


class BookTable(nodes.General, nodes.Element):
    """A table of the book: ``title`` and, inside, its HTML."""


class Check(nodes.General, nodes.Element):
    """The verdict on one claim, as HTML."""


class NotebookOutputs(SphinxTransform):
    """Give the outputs of a chapter their labels, before Sphinx collects labels and images."""

    default_priority = 500  # after the explicit targets (260), before doctree-read (880)

    def apply(self, **kwargs):
        for raw in list(self.document.findall(nodes.raw)):
            opening = _OPENING.match(raw.astext())
            if opening:
                self._label(raw, *opening.groups())
        figures = _figures(Path(self.env.doc2path(self.env.docname)))
        for figure in list(self.document.findall(nodes.figure)):
            image = figure.next_node(nodes.image)
            name = next(iter(figure.get("names", [])), None)
            if image is not None and name in figures:
                alt = image.get("alt", "")
                if not alt or re.search(r"\.(svg|png|jpe?g)$", alt):
                    log.warning("figure %s has no alt text: write mystnb.image.alt in its cell", name, location=figure, type="book", subtype="alt")
                wide, entry = figures.pop(name)
                figure.insert(0, nodes.raw("", f'<p class="figure-title">{html.escape(entry["title"])}</p>', format="html"))
                image.replace_self(nodes.raw("", _inline(name, alt, wide, entry), format="html"))
        for name in figures:
            log.warning("figure %s: give its cell mystnb.figure.name and caption, and mystnb.image.alt", name or "without a label",
                        location=self.env.docname, type="book", subtype="alt")  # fmt: skip

    def _label(self, raw: nodes.raw, kind: str, label: str, title: str):
        node = (BookTable if kind == "book-table" else Check)("", title=html.unescape(title))
        node["names"].append(label)
        node += nodes.raw("", raw.astext(), format="html")
        raw.replace_self(node)
        self.document.note_explicit_target(node, node)


def _figures(notebook: Path) -> dict[str | None, tuple[str, dict]]:
    """The figures of an executed notebook by label: the wide SVG and what came with it."""
    if notebook.suffix != ".ipynb":
        return {}
    found = {}
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        name = cell["metadata"].get("mystnb", {}).get("figure", {}).get("name")
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if FIGURE in data:
                found[name] = ("".join(data["image/svg+xml"]), data[FIGURE])
            elif any(k.startswith("image/") for k in data):
                log.warning("an image that lib.figures did not draw", location=str(notebook), type="book", subtype="figure")
    return found


def _inline(label: str, alt: str, wide: str, entry: dict) -> str:
    """Both widths in the page, inks as variables of the page, ids made unique on it."""
    parts = []
    for width, svg in (("wide", wide), ("narrow", entry["narrow"])):
        for colour, name in INKS.items():
            svg = svg.replace(colour, f"var(--{name})")
        svg = re.sub(r"""font: ([\d.]+px) [^;"]*""", r"font: \1 var(--sans)", svg)
        svg = re.sub(r"""font: (bold|\d+) ([\d.]+px) [^;"]*""", r"font: \1 \2 var(--sans)", svg)
        svg = re.sub(r'\bid="g(\d+)"', rf'id="{label}-{width[0]}\1"', svg)
        svg = re.sub(r'(url\(|href=")#g(\d+)', rf"\g<1>#{label}-{width[0]}\2", svg)
        width_px, height_px = (float(x) for x in re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups())
        opening = f'<svg class="drawing {width}" viewBox="0 0 {width_px:g} {height_px:g}" role="img" aria-label="{html.escape(alt, quote=True)}">'
        parts.append(re.sub(r"^<svg[^>]*>", opening, svg.strip()))
    if entry["note"]:
        parts.append(f'<p class="figure-note">{html.escape(entry["note"])}</p>')
    return "".join(parts)


def visit_table(self, node):
    self.body.append(self.starttag(node, "figure", CLASS="table-figure"))
    self.body.append('<figcaption class="table-caption">')
    self.add_fignumber(node)
    self.body.append(f'<span class="caption-text">{html.escape(node["title"])}</span>')
    self.add_permalink_ref(node, "Link to this table")
    self.body.append('</figcaption><div class="scroll">')


def depart_table(self, node):
    self.body.append("</div></figure>")


def visit_check(self, node):
    self.body.append(self.starttag(node, "div", CLASS="check-box"))


def depart_check(self, node):
    self.body.append("</div>")


def setup(app):
    app.add_enumerable_node(BookTable, "table", lambda node: node["title"], html=(visit_table, depart_table))
    app.add_node(Check, html=(visit_check, depart_check))
    app.add_transform(NotebookOutputs)
