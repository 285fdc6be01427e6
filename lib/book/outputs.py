"""From notebook outputs to the page: code folds, tables, checks and figures become nodes with labels and captions."""

from __future__ import annotations

import csv
import html
import json
import re
import zlib
from collections import Counter
from itertools import groupby
from pathlib import Path

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from lib import BOUND, FIGURE, LEDGER, ROOT, TABLE
from lib.book.marks import PAGE, afar, claim_uri, typeset
from lib.book.references import in_full, mentions
from lib.figures import BAND, INK, QUIET, RECOMPUTED, REPORTED, RULE, SCALE, VERDICT, drawing, picture_names
from lib.house import executed
from lib.house.parts import pages
from lib.review import check_html
from lib.tables import UNSEEN
from lib.values import count, opening
from lib.verdicts import NOTHING, heads
from sphinx_citable.marks import mark

log = logging.getLogger(__name__)

INKS = {INK: "ink", QUIET: "quiet", RULE: "rule", REPORTED: "reported", RECOMPUTED: "recomputed", BAND: "band"} | {
    colour: word for word, colour in VERDICT.items()
}
_VERBATIM = re.compile(r"`([^`]+)`")
_PLACE = re.compile(r"⟦(table|check) ([a-z0-9-]+)⟧")
_CLAIM = re.compile(r"(<[^>]*>)|\b([A-Z]{3}-\d{2,3})\b(?!/)")
"""A tag, to be left alone, or the number of a claim."""
_UNSTYLED = re.compile(r'<span class="(?:n[a-z]?|p|o|w|bp|vm|kn|fm)">([^<]*)</span>')
"""Words of a program that the style sheet leaves in ink: most of the weight of highlighted code."""
_ALIKE = re.compile(
    r'<use href="(#[^"]+)" x="[^"]*" y="[^"]*"( style="[^"]*")/>(?:<use href="\1" x="[^"]*" y="[^"]*"\2/>)+'
)
"""Marks of one shape and look, which can be given to all of them at once."""
_LOOKS = {"c": "c1 cm cs sd", "k": "kc kd ow", "s": "s1 s2 sa se si", "m": "mi mf il"}
"""One class for the words of a program that the style sheet sets alike."""
_LOOK = {kind: look for look, kinds in _LOOKS.items() for kind in kinds.split()}
_CAPTION = re.compile(r"<caption>.*?</caption>")
_LINE = re.compile(r'<text [^>]* y="([\d.]+)"')
_DASH = re.compile(r'<td( role="cell" data-head="[^"]*")( class="num")?>–<')


def prepare(app, docname, source):
    """Reduce the outputs of a notebook to what its page shows, before it is read.

    A table or check becomes a place where ``NotebookOutputs`` puts it; bound values and the verdicts that calls return
    are for the machine. The notebook reader makes a figure of a cell by its metadata, and everything in that cell part
    of the figure: what else the cell shows stands in a cell of its own.
    """
    if not app.env.doc2path(docname).endswith(".ipynb"):
        return
    notebook = json.loads(source[0])
    if why := executed.stopped(notebook):
        log.warning("stopped: %s; what follows is not computed", why, location=docname, type="book", subtype="stopped")
    cells, step = [], 0
    for cell in notebook["cells"]:
        cells.append(cell)
        if cell["cell_type"] != "code":
            continue
        cell["metadata"]["step"], step = step, step + 1
        drawn = [o["data"][FIGURE] for o in cell["outputs"] if FIGURE in o.get("data", {})]
        shown = [o for o in map(_reduced, cell["outputs"]) if o]
        cell["outputs"] = shown
        if drawn:
            entry, *others = drawn
            for other in others:
                _warn(docname, "figure %s is not the first of its cell: give it a cell of its own", other["label"])
            named = {"name": entry["label"], "caption": entry["caption"]}
            cell["metadata"]["mystnb"] = {"figure": named, "image": {"alt": entry["alt"]}}
            cell["outputs"] = [o for o in shown if "image/svg+xml" in o.get("data", {})][:1]
            rest = [o for o in shown if o not in cell["outputs"]]
            if rest:
                apart = {
                    "id": cell["id"] + "-rest",
                    "metadata": {"tags": ["remove-input"]},
                    "source": [],
                    "outputs": rest,
                }
                cells.append(cell | apart)
    notebook["cells"] = cells
    source[0] = json.dumps(notebook)


def _reduced(output: dict) -> dict | None:
    data = output.get("data", {})
    if BOUND in data:
        return None
    for mime, kind, label in ((TABLE, "table", "label"), (LEDGER, "check", "id")):
        if mime in data:
            return output | {"data": {"text/plain": f"⟦{kind} {data[mime][label].lower()}⟧"}}
    return output | {"data": {"image/svg+xml": "<svg/>"}} if FIGURE in data else output


class Code(nodes.General, nodes.Element):
    """The source of cells that follow one another, behind one line; a block for each cell, with what it does as its
    ``caption``, its ``label``, and whether it is ``work`` that could change a conclusion.
    """


class BookTable(nodes.General, nodes.Element):
    """A table of the book: ``title`` and, inside, its HTML."""


class Drawing(nodes.raw):
    """A figure of the book with its note, as HTML."""


class Check(nodes.General, nodes.Element):
    """The verdict on one claim, its ``row`` of the ledger; ``quiet`` is what all it tells is, "" where it tells more."""


class Checks(nodes.General, nodes.Element):
    """Checks that follow one another; ``folded`` where each of several tells nothing beyond its kind."""


class NotebookOutputs(SphinxTransform):
    """Give the cells of a chapter their shape and labels, before Sphinx collects labels and images."""

    default_priority = 500  # after the explicit targets (260), before doctree-read (880)

    def apply(self, **kwargs):
        self.made = _Made(Path(self.env.doc2path(self.env.docname)))
        cells = list(self.document.findall(_element("cell_code")))
        for cell in cells:
            self._outputs(cell)
            self._source(cell)
        for cell, following in zip(cells, cells[1:]):
            self._merge(cell, following)

    def _merge(self, cell: nodes.container, following: nodes.container):
        """Let a cell that shows nothing share the fold of the one after it."""
        code, after = (next((n for n in c.children if isinstance(n, Code)), None) for c in (cell, following))
        shown = [n for n in cell.children if n is not code and n.children]
        if code and after and not shown and cell.next_node(descend=False, siblings=True) is following:
            after[:0] = code.children
            cell.parent.remove(cell)

    def _source(self, cell: nodes.container):
        cell.attributes.pop("hide_mode", None)  # the fold is ours, not the notebook reader's
        source = next((n for n in cell.children if n.get("nb_element") == "cell_code_source"), None)
        block = source.next_node(nodes.literal_block) if source else None
        if block is None:
            return
        text = block.astext().lstrip("\n")
        first, _, rest = text.partition("\n")
        if first.startswith("#") and rest.strip():
            text = rest.strip("\n")
            block.rawsource, block.children = text, []
            block += nodes.Text(text)
        shown = (n for kind in (nodes.figure, BookTable) for n in cell.findall(kind))
        label = next((n["names"][0] for n in shown if n["names"]), None)
        tags = cell.get("cell_metadata", {}).get("tags", [])
        caption = first.lstrip("# ").rstrip() if first.startswith("#") else "Code"
        block["caption"], block["work"] = caption, "hide-input" not in tags
        block["label"] = f"{label}-code" if label else ""
        block["step"] = cell.get("cell_metadata", {}).get("step")
        source.replace_self(Code("", block))

    def _outputs(self, cell: nodes.container):
        out = next((n for n in cell.children if n.get("nb_element") == "cell_code_output"), None)
        if out is None:
            return
        shown = [self._shown(child) for child in out.children]
        out.children = []
        for is_check, group in groupby(shown, lambda node: isinstance(node, Check)):
            found = list(group)
            if not is_check:
                out.extend(found)
                continue
            folded = [check for check in found if check["quiet"]]
            if len(folded) < 2:
                folded = []
            standing = [check for check in found if check not in folded]
            out.extend(Checks("", *checks, folded=checks is folded) for checks in (standing, folded) if checks)

    def _shown(self, child: nodes.Node) -> nodes.Node:
        """What stands on the page for one output."""
        place = _PLACE.fullmatch(child.astext().strip())
        if place:
            return self._labelled(*place.groups())
        for figure in child.findall(nodes.figure):
            self._figure(figure)
        return child

    def _labelled(self, kind: str, label: str) -> nodes.Element:
        if kind == "check":
            row = self.made.checks[label]
            node = Check("", quiet=quiet(row), row=row)
        else:
            page, entry = self.made.tables[label]
            node = BookTable("", title=entry["caption"], data=self._download(label))
            node += nodes.raw("", page, format="html")
        node["names"].append(label)
        self.document.note_explicit_target(node, node)
        return node

    def _figure(self, figure: nodes.figure):
        image = figure.next_node(nodes.image)
        name = next(iter(figure.get("names", [])), None)
        if image is None or name not in self.made.figures:
            return
        wide, entry = self.made.figures.pop(name)
        figure.insert(0, nodes.raw("", f'<p class="figure-title">{typeset(entry["title"])}</p>', format="html"))
        image.replace_self(Drawing("", inline(entry, {"wide": wide, "narrow": entry["narrow"]}), format="html"))
        figure["classes"].append("drawn")
        if legend := next(figure.findall(nodes.caption), None):
            legend += nodes.raw("", _actions(self._download(name), f"{name}-code"), format="html")

    def _download(self, label: str) -> str:
        return "../" * self.env.docname.count("/") + f"data/{label}.csv"


def quiet(row: dict) -> str:
    """What a check may share with its neighbours, so that a run of such is folded to one line; "" for one that stands."""
    if row["later"] and row["later"]["deciding"]:
        return ""
    if row["verdict_figures"] == NOTHING:
        return "with nothing to check: definitions, citations, background, dates, opinions or accounts"
    if row["verdict_conclusion"] or row["clash"]:
        return ""
    if row["verdict_figures"] == "restated":
        return "that repeat a figure of another"
    return "whose counts add up" if row["verdict_figures"] == "reproduced" and heads(row) else ""


class _Made:
    """What an executed notebook made, by label: figures and tables, each with its data, and checks."""

    def __init__(self, notebook: Path):
        shown = (
            list(executed.pieces(executed.read(notebook))) if notebook.suffix == ".ipynb" and notebook.is_file() else []
        )
        by_kind = {
            kind: [o for p in shown for o in p.outputs if o.kind == kind] for kind in ("figure", "table", "claim")
        }
        self.figures = {o.label: (drawing("".join(o.data["text/html"])), o.entry) for o in by_kind["figure"]}
        self.tables = {o.label: (_bare("".join(o.data["text/html"])), o.entry) for o in by_kind["table"]}
        self.checks = {o.label: o.entry for o in by_kind["claim"]}
        for label, row in self.checks.items():
            others = [r["id"] for r in self.checks.values() if row["clash"] and r["clash"] == row["clash"] and r != row]
            if others:
                self.checks[label] = row | {"clash": f"{row['clash']}; with {', '.join(others)}"}
        for output in (o for p in shown if p.cell for o in p.cell["outputs"]):
            data = output.get("data", {})
            if FIGURE not in data and any(k.startswith("image/") for k in data):
                _warn(str(notebook), "an image that lib.figures did not draw")


def _bare(table: str) -> str:
    """A table without what a notebook shows, and the page says and styles its own way; a cell of nothing is one that a
    phone leaves out.
    """
    table = _DASH.sub(lambda m: f'<td{m[1]} class="{"num " if m[2] else ""}none">–<', _CAPTION.sub("", table, count=1))
    return table.replace(UNSEEN, 'aria-hidden="true"')


def _element(kind: str):
    return lambda node: isinstance(node, nodes.container) and node.get("nb_element") == kind


def _warn(location, text: str, *args):
    log.warning(text, *args, location=location, type="book", subtype="alt")


def _actions(data: str, code: str) -> str:
    links = [f'<a href="{data}" download>data</a>' if data else "", f'<a href="#{code}">code</a>']
    return f'<span class="actions">{" ".join(x for x in links if x)}</span>'


def inline(entry: dict, drawings: dict[str, str]) -> str:
    """A figure's ``drawings`` in the page, by width ("" for one that fits any), inks as variables of the page, ids made
    unique on it.
    """
    label, parts = entry["label"], []
    for width, svg in drawings.items():
        *corner, height = re.search(r'viewBox="([^"]+)"', svg)[1].split()
        if entry.get("kind") == "icons":  # what they mean stands last, above a blank strip
            height = max(float(y) for y in _LINE.findall(svg)) + 6
        said = html.escape(entry["alt"], quote=True)
        kind = f"drawing {width}".strip()
        opening = f'<svg class="{kind}" viewBox="{" ".join(corner)} {height}" role="img" aria-label="{said}">'
        parts.append(re.sub(r"^<svg[^>]*>", opening, light(svg, f"{_short(label)}{width[:1]}")))
    if entry["note"]:
        parts.append(f'<p class="figure-note">{typeset(entry["note"])}</p>')
    return _stepped(label, entry, "".join(parts)) if "choices" in entry else "".join(parts)


def _short(label: str) -> str:
    """Letters and digits instead of a label, where it stands hundreds of times."""
    return f"d{zlib.crc32(label.encode()) % 36**4:x}"


def _stepped(label: str, entry: dict, drawings: str) -> str:
    """The drawings of a stepper beneath its radio buttons and the finding of the picture they choose.

    Without a style sheet the first picture stands alone with its finding, as the drawings' own attributes have it.
    """
    names = picture_names([len(options) for _, *options in entry["choices"]])
    chosen = names[entry["first"]].split()
    fields = []
    for key, (what, *options) in zip("abc", entry["choices"]):
        buttons = (
            f'<label><input type="radio" name="{label}-{key}" value="{key}{n}"{" checked" if f"{key}{n}" in chosen else ""}>'
            f" <span>{typeset(option)}</span></label>"
            for n, option in enumerate(options)
        )
        scale = ' class="scale"' if len(options) >= SCALE else ""
        fields.append(
            f'<fieldset{scale}><legend>{typeset(what)}</legend><div class="options">{"".join(buttons)}</div></fieldset>'
        )
    lines = (
        f'<p class="state {name}"{"" if n == entry["first"] else " hidden"}>{typeset(finding)}<span class="hidden"> {typeset(seen)}</span></p>'
        for n, (name, (finding, seen)) in enumerate(zip(names, entry["told"]))
    )
    one_of = f'<p class="figure-note">This is one of {count(len(names), "pictures")}; the table of its data holds all of them.</p>'
    return (
        f'<div class="stepper"><div class="choices">{"".join(fields)}</div>'
        f'<div class="findings" aria-live="polite">{"".join(lines)}</div>{drawings}{one_of}</div>'
    )


def light(svg: str, prefix: str) -> str:
    """An SVG for a page: inks and type left to the page, ids of its own."""
    for colour, name in INKS.items():
        svg = svg.replace(colour, f"var(--{name})")
    svg = re.sub(r"<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)  # it would reach every drawing on the page
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    svg = re.sub(r"""font: ((?:bold|\d+) )?([\d.]+px) [^;"]*""", r"font: \1\2 var(--sans)", svg)
    svg = re.sub(r' id="g(\d+)"', rf' id="{prefix}\1"', svg)
    svg = re.sub(r'(url\(|href=")#g(\d+)', rf"\g<1>#{prefix}\2", svg)
    svg = _ALIKE.sub(lambda m: f"<g{m[2]}>{m[0].replace(m[2], '')}</g>", svg)
    return svg.replace("<defs></defs>", "")


def visit_code(self, node):
    first, *more = node.children
    kind = "code work" if any(block["work"] for block in node.children) else "code"
    said = _captioned(first) + (f" (and {count(len(more), 'further steps')})" if more else "")
    self.body.append(f'<details class="{kind}"><summary>{said}</summary>')
    for block in node.children:
        source = self.highlighter.highlight_block(block.astext(), "python", location=block)
        source = _UNSTYLED.sub(r"\1", source).replace("<span></span>", "")
        source = re.sub(r'<span class="(\w+)">', lambda m: f'<span class="{_LOOK.get(m[1], m[1])}">', source)
        source = source.replace('</span><span class="s">', "")
        name = f' id="{block["label"]}"' if block["label"] else ""
        caption = f'<p class="code-caption">{_captioned(block)}</p>' if more else ""
        self.body.append(f'<div data-step="{block["step"]}"{name}>{caption}{source}</div>')
    self.body.append("</details>")
    raise nodes.SkipNode


def _captioned(block: nodes.literal_block) -> str:
    return _VERBATIM.sub(r"<code>\1</code>", typeset(block["caption"]))


def visit_table(self, node):
    for page in node.findall(nodes.raw):
        page[:] = [nodes.Text(mentions(self, to_claims(self.builder, page.astext())))]
    self.body.append(self.starttag(node, "figure", CLASS="table-figure"))
    self.body.append('<figcaption class="table-caption">')
    self.add_fignumber(node)
    self.body.append(f'<span class="caption-text">{typeset(node["title"])}</span>')
    self.add_permalink_ref(node, "Link to this table")
    self.body.append('</figcaption><div class="scroll">')


def to_claims(builder, text: str) -> str:
    """HTML of a table in which the number of each claim leads to its check."""
    return _CLAIM.sub(lambda m: m[1] or _to_claim(builder, m[2]), text)


def _to_claim(builder, claim: str) -> str:
    """The number of a claim in a table, leading to its check."""
    uri = claim_uri(builder, claim.lower())
    return f'<a class="to-claim tipped" href="{html.escape(uri)}"{afar(claim, uri)}>{claim}</a>' if uri else claim


def depart_table(self, node):
    label = node["ids"][0]
    self.body.append(f"</div>{_actions(node['data'], f'{label}-code')}</figure>")


def visit_check(self, node):
    self.body.append(
        self.starttag(node, "li", CLASS="check-item", **{"data-par": node["row"]["at"]["par"]})
        + mentions(self, check_html(node["row"], PAGE, mark(node)))
        + "</li>"
    )
    raise nodes.SkipNode


def visit_drawing(self, node):
    self.body.append(mentions(self, node.astext()))
    raise nodes.SkipNode


def visit_checks(self, node):
    if node["folded"]:
        kinds = Counter(check["quiet"] for check in node.children)
        said = typeset(opening("; ".join(f"{count(n, 'claims')} {kind}" for kind, n in kinds.items())))
        self.body.append(f'<details class="plain"><summary>{said}</summary>')
    self.body.append('<ul class="checks">')


def depart_checks(self, node):
    self.body.append("</ul>" + ("</details>" if node["folded"] else ""))


def write_data(app):
    """Write what each figure draws and each table holds as ``data/<label>.csv``."""
    folder = Path(app.outdir) / "data"
    folder.mkdir(exist_ok=True)
    for page in pages():
        made = _Made(ROOT / f"{page}.ipynb")
        for label, (_, entry) in [*made.figures.items(), *made.tables.items()]:
            with (folder / f"{label}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                units = entry.get("units", {})
                writer.writerow(f"{c} ({units[c]})" if c in units else c for c in entry["columns"])
                writer.writerows([in_full(x) if isinstance(x, str) else x for x in row] for row in entry["rows"])


def setup(app):
    app.add_enumerable_node(BookTable, "table", lambda node: node["title"], html=(visit_table, depart_table))
    app.add_node(Drawing, html=(visit_drawing, None))
    app.add_node(Check, html=(visit_check, None))
    app.add_node(Checks, html=(visit_checks, depart_checks))
    app.add_node(Code, html=(visit_code, None))
    app.add_transform(NotebookOutputs)
    app.connect("source-read", prepare)
