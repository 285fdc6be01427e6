"""From notebook outputs to the page: code folds, tables, checks and figures become nodes with labels and captions."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from lib.book.marks import check_html
from lib.figures import BAND, FIGURE, INK, QUIET, RECOMPUTED, REPORTED, RULE, VERDICT
from lib.review import LEDGER, MARKS
from lib.tables import TABLE

log = logging.getLogger(__name__)

INKS = {INK: "ink", QUIET: "quiet", RULE: "rule", REPORTED: "reported", RECOMPUTED: "recomputed", BAND: "band"} | {
    colour: word for word, colour in VERDICT.items()
}
PLAIN = ("definition", "citation", "background", "opinion")
"""Reasons of claims that no computation could touch: a run of them is folded to one line."""
_OPENING = re.compile(r'<div class="(book-table|check)" data-label="([^"]+)" data-title="([^"]*)">')
_NOT_ALT = re.compile(r"\S+\.(?:svg|png|jpe?g|gif)$")


class Code(nodes.General, nodes.Element):
    """The source of a cell behind one line that says what it does; ``open`` where it should be read."""


class BookTable(nodes.General, nodes.Element):
    """A table of the book: ``title`` and, inside, its HTML."""


class Check(nodes.General, nodes.Element):
    """The verdict on one claim, as HTML; ``plain`` for a claim that only defines, cites or gives an opinion."""


class Checks(nodes.General, nodes.Element):
    """Checks that follow one another; ``folded`` where they are all plain."""


class NotebookOutputs(SphinxTransform):
    """Give the cells of a chapter their shape and labels, before Sphinx collects labels and images."""

    default_priority = 500  # after the explicit targets (260), before doctree-read (880)

    def apply(self, **kwargs):
        self.made = _made(Path(self.env.doc2path(self.env.docname)))
        for cell in list(self.document.findall(_element("cell_code"))):
            self._outputs(cell)
            self._source(cell)
        for name in self.made.figures:
            _warn(self.env.docname, "figure %s: give its cell mystnb.figure.name and caption, and mystnb.image.alt", name or "without a label")

    def _source(self, cell: nodes.container):
        cell.attributes.pop("hide_mode", None)  # the fold is ours, not the notebook reader's
        source = next((n for n in cell.children if n.get("nb_element") == "cell_code_source"), None)
        block = source.next_node(nodes.literal_block) if source else None
        if block is None:
            return
        text = block.astext()
        first, _, rest = text.partition("\n")
        if first.startswith("#") and rest.strip():
            text = rest.strip("\n")
            block.rawsource, block.children = text, []
            block += nodes.Text(text)
        label = next((n["names"][0] for kind in (nodes.figure, BookTable) for n in cell.findall(kind) if n["names"]), None)
        tags = cell.get("cell_metadata", {}).get("tags", [])
        caption = first.lstrip("# ").rstrip() if first.startswith("#") else "Code"
        code = Code("", caption=caption, open="hide-input" not in tags, label=f"{label}-code" if label else "")
        code += block
        source.replace_self(code)

    def _outputs(self, cell: nodes.container):
        out = next((n for n in cell.children if n.get("nb_element") == "cell_code_output"), None)
        if out is None:
            return
        shown: list[nodes.Node] = []
        for child in out.children:
            node = self._shown(child)
            if isinstance(node, Check) and shown and isinstance(shown[-1], Checks) and shown[-1]["folded"] == node["plain"]:
                shown[-1] += node
            elif isinstance(node, Check):
                shown.append(Checks("", node, folded=node["plain"]))
            elif node is not None:
                shown.append(node)
        for group in shown:
            if isinstance(group, Checks):
                group["folded"] = group["folded"] and len(group) > 3
        if shown:
            out.children = []
            out.extend(shown)
        else:
            cell.remove(out)

    def _shown(self, child: nodes.Node) -> nodes.Node | None:
        """What stands on the page for one output; None for what only the machine reads."""
        for raw in child.findall(nodes.raw):
            if opening := _OPENING.match(raw.astext()):
                return self._labelled(raw, *opening.groups())
            if raw.astext().startswith("<!--"):
                return None
        if any(isinstance(n, nodes.figure) for n in child.findall()):
            for figure in child.findall(nodes.figure):
                self._figure(figure)
            return child
        # A verdict is shown by its check: the value that the call returns is not shown again.
        return None if child.astext().strip() in {repr(v) for v in MARKS} else child

    def _labelled(self, raw: nodes.raw, kind: str, label: str, title: str) -> nodes.Element:
        page = raw.astext()
        if kind == "check":
            row = self.made.checks[label]
            node, page = Check("", plain=row["reason"] in PLAIN), check_html(row)
        else:
            node = BookTable("", title=html.unescape(title), data=self._download(label) if label in self.made.tables else "")
        node["names"].append(label)
        node += nodes.raw("", page, format="html")
        self.document.note_explicit_target(node, node)
        return node

    def _figure(self, figure: nodes.figure):
        image = figure.next_node(nodes.image)
        name = next(iter(figure.get("names", [])), None)
        if image is None or name not in self.made.figures:
            return
        alt = image.get("alt", "").strip()
        if not alt or _NOT_ALT.fullmatch(alt):
            _warn(figure, "figure %s has no alt text: write mystnb.image.alt in its cell", name)
        wide, entry = self.made.figures.pop(name)
        figure.insert(0, nodes.raw("", f'<p class="figure-title">{html.escape(entry["title"])}</p>', format="html"))
        image.replace_self(nodes.raw("", _inline(name, alt, wide, entry), format="html"))
        figure["classes"].append("drawn")
        if legend := next(figure.findall(nodes.caption), None):
            legend += nodes.raw("", _actions(self._download(name), f"{name}-code"), format="html")

    def _download(self, label: str) -> str:
        return "../" * self.env.docname.count("/") + f"data/{label}.csv"


class _Made:
    """What an executed notebook made, by label: figures (the wide SVG and what came with it), tables, checks."""

    def __init__(self):
        self.figures: dict[str | None, tuple[str, dict]] = {}
        self.tables: dict[str, dict] = {}
        self.checks: dict[str, dict] = {}


def _made(notebook: Path) -> _Made:
    made = _Made()
    if notebook.suffix != ".ipynb":
        return made
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        name = cell["metadata"].get("mystnb", {}).get("figure", {}).get("name")
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if FIGURE in data:
                made.figures[name] = ("".join(data["image/svg+xml"]), data[FIGURE])
            elif any(k.startswith("image/") for k in data):
                _warn(str(notebook), "an image that lib.figures did not draw")
            if TABLE in data:
                made.tables[data[TABLE]["label"]] = data[TABLE]
            if LEDGER in data:
                made.checks[data[LEDGER]["id"].lower()] = data[LEDGER]
    return made


def _element(kind: str):
    return lambda node: isinstance(node, nodes.container) and node.get("nb_element") == kind


def _warn(location, text: str, *args):
    log.warning(text, *args, location=location, type="book", subtype="alt")


def _actions(data: str, code: str) -> str:
    links = [f'<a href="{data}" download>data</a>' if data else "", f'<a href="#{code}">code</a>']
    return f'<span class="actions">{" ".join(x for x in links if x)}</span>'


def _inline(label: str, alt: str, wide: str, entry: dict) -> str:
    """Both widths in the page, inks as variables of the page, ids made unique on it."""
    parts = []
    for width, svg in (("wide", wide), ("narrow", entry["narrow"])):
        box = " ".join(re.search(r'viewBox="([^"]+)"', svg)[1].split())
        opening = f'<svg class="drawing {width}" viewBox="{box}" role="img" aria-label="{html.escape(alt, quote=True)}">'
        parts.append(re.sub(r"^<svg[^>]*>", opening, light(svg, f"{label}-{width[0]}").strip()))
    if entry["note"]:
        parts.append(f'<p class="figure-note">{html.escape(entry["note"])}</p>')
    return "".join(parts)


def light(svg: str, prefix: str) -> str:
    """An SVG for a page: inks and type left to the page, only ids that something refers to, no idle white space."""
    for colour, name in INKS.items():
        svg = svg.replace(colour, f"var(--{name})")
    svg = re.sub(r"<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)  # it would reach every drawing on the page
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    svg = re.sub(r"""font: ((?:bold|\d+) )?([\d.]+px) [^;"]*""", r"font: \1\2 var(--sans)", svg)
    svg = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", svg)
    svg = svg.replace("xlink:href=", "href=")
    svg = re.sub(r'<g id="\w+">\s*<path d="[^"]*" style="fill: none"/>\s*</g>', "", svg)  # grounds without a colour
    referred = set(re.findall(r'(?:url\(|href=")#(\w+)', svg))
    svg = re.sub(r' id="(\w+)"', lambda m: f' id="{prefix}{m[1][1:]}"' if m[1] in referred else "", svg)
    svg = re.sub(r'(url\(|href=")#g(\d+)', rf"\g<1>#{prefix}\2", svg)
    svg = re.sub(r"<defs>\s*</defs>|<g>\s*</g>|<g/>", "", svg)
    return re.sub(r">\s+<", "><", re.sub(r"[ \n]+", " ", svg))


def visit_code(self, node):
    name = f' id="{node["label"]}"' if node["label"] else ""
    self.body.append(f'<details class="code"{name}{" open" if node["open"] else ""}><summary>{html.escape(node["caption"])}</summary>')


def depart_code(self, node):
    self.body.append("</details>")


def visit_table(self, node):
    self.body.append(self.starttag(node, "figure", CLASS="table-figure"))
    self.body.append('<figcaption class="table-caption">')
    self.add_fignumber(node)
    self.body.append(f'<span class="caption-text">{html.escape(node["title"])}</span>')
    self.add_permalink_ref(node, "Link to this table")
    self.body.append('</figcaption><div class="scroll">')


def depart_table(self, node):
    label = node["names"][0]
    self.body.append(f"</div>{_actions(node['data'], f'{label}-code')}</figure>")


def visit_check(self, node):
    self.body.append(self.starttag(node, "li", CLASS="check-item"))


def depart_check(self, node):
    self.body.append("</li>")


def visit_checks(self, node):
    if node["folded"]:
        self.body.append(f'<details class="plain"><summary>{len(node)} claims that define, cite, give background or an opinion</summary>')
    self.body.append('<ul class="checks">')


def depart_checks(self, node):
    self.body.append("</ul>" + ("</details>" if node["folded"] else ""))


def setup(app):
    app.add_enumerable_node(BookTable, "table", lambda node: node["title"], html=(visit_table, depart_table))
    app.add_node(Check, html=(visit_check, depart_check))
    app.add_node(Checks, html=(visit_checks, depart_checks))
    app.add_node(Code, html=(visit_code, depart_code))
    app.add_transform(NotebookOutputs)
