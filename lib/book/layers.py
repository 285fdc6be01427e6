"""The three layers of a chapter: the short version, the review, and the audit trail that folds.

A directive under a heading says what its section is; the cells of the section stay where they are in the text half.
"""

from __future__ import annotations

import math
import re
from collections import Counter

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

from lib import evidence
from lib.book.outputs import BookTable, Check, Code, Drawing

WORDS_A_MINUTE = 240
"""A round figure of ours for silent reading."""
SAFETY = "Do not stop or change a treatment because of this page. Talk to the doctor who treats you; this is not medical advice."

CAUTIOUS = ("index", "pages/patients")
"""Pages besides the chapters that a patient may read for advice."""

_WIDE = re.compile(r'<svg class="drawing wide".*?</svg>', re.DOTALL)


class Layer(nodes.Element):
    """Says of which ``kind`` its section is, until ``Layers`` has marked the section."""


class ShortVersion(SphinxDirective):
    """``{short-version}`` under a heading: its section answers on the first screen."""

    def run(self):
        return [Layer("", kind="short-version")]


class Audit(SphinxDirective):
    """``{audit}`` under a heading: its section folds, complete and citable."""

    def run(self):
        return [Layer("", kind="audit")]


class Part(SphinxDirective):
    """``{answer}``, ``{for-patients}`` or ``{for-clinicians}``: a part of the short version."""

    has_content = True

    def run(self):
        self.assert_has_content()
        part = nodes.container("", classes=[self.name])
        if self.name != "answer":
            part += nodes.paragraph("", self.name.replace("-", " ").capitalize(), classes=["part-name"])
        self.state.nested_parse(self.content, self.content_offset, part)
        return [part]


class Layers(SphinxTransform):
    """Mark the sections, and say on every chapter what it is not and how far its search reaches."""

    default_priority = 510  # after the outputs of the notebook have their shape (500)

    def apply(self, **kwargs):
        for layer in list(self.document.findall(Layer)):
            section = layer.parent
            if not isinstance(section, nodes.section):
                self.document.reporter.error(f"{{{layer['kind']}}} stands under a heading of its own", line=layer.line)
                continue
            section["classes"].append(layer["kind"])
            section.remove(layer)
        if not self.env.docname.startswith("chapters/") and self.env.docname not in CAUTIOUS:
            return
        caution = nodes.container("", nodes.paragraph("", SAFETY), classes=["safety"])
        caution += nodes.paragraph("", evidence.reach(self.env.docname.rpartition("/")[2]), classes=["searched"])
        short = next((s for s in self.document.findall(nodes.section) if "short-version" in s["classes"]), None)
        if short is None:
            top = self.document.next_node(nodes.section)
            top.insert(top.first_child_matching_class(nodes.paragraph) + 1, caution)
            return
        answer = next((n for n in short.children if "answer" in n.get("classes", ())), None)
        if answer is None:
            self.document.reporter.error("a short version has an {answer}", line=short.line)
            return
        short.insert(short.index(answer) + 1, caution)
        for drawing in short.findall(Drawing):  # beside the answer there is room for the narrow one at any width
            drawing[:] = [nodes.Text(_WIDE.sub("", drawing.astext()).replace('"drawing narrow"', '"drawing"'))]
        folds = list(short.findall(Code))
        for fold in folds:
            fold.parent.remove(fold)
        if folds:  # the code of what stands on the first screen waits at its end
            short += Code("", *(block for fold in folds for block in fold.children))


def resolved(app, doctree, docname):
    """Fold the audit trail, and say after the short version how long the review takes."""
    for section in doctree.findall(nodes.section):
        if "audit" in section["classes"]:
            title = section.index(next(n for n in section.children if isinstance(n, nodes.title)))
            section.insert(title + 1, _raw('<details class="audit"><summary>Audit trail</summary>'))
            section += _raw("</details>")
        if "short-version" in section["classes"]:
            rest = [s for s in section.parent.children if isinstance(s, nodes.section) and s is not section]
            minutes = math.ceil(sum(map(_visible_words, rest)) / WORDS_A_MINUTE)
            section += _raw(f'<p class="full-review"><span>Full review, {minutes} minutes</span></p>')


def number_apart(app, env):
    """Number what the audit trail folds apart, A1, A2, …, so that it leaves no gap in the numbers that show.

    Called once Sphinx has numbered figures and tables, in the order in which they stand; labels and tags know no number.
    """
    so_many = Counter()
    for docname, kinds in env.toc_fignumbers.items():
        trail = [s for s in env.get_doctree(docname).findall(nodes.section) if "audit" in s["classes"]]
        folded = {name for s in trail for node in s.findall(nodes.Element) for name in node.get("ids", ())}
        for kind, numbers in kinds.items():
            for name, (*chapter, _) in numbers.items():
                series = kind, *chapter, name in folded
                so_many[series] += 1
                numbers[name] = (*chapter, f"A{so_many[series]}" if name in folded else so_many[series])
    return []


def _visible_words(node: nodes.Node) -> int:
    """The words of prose, captions and claims that show before anything is unfolded."""
    if isinstance(node, (Code, BookTable, nodes.raw)) or "audit" in getattr(node, "attributes", {}).get("classes", ()):
        return 0
    if isinstance(node, Check):
        return len(node["row"]["says"].split())
    if isinstance(node, nodes.TextElement):
        return len(node.astext().split())
    return sum(map(_visible_words, node.children))


def _raw(text: str) -> nodes.raw:
    return nodes.raw("", text, format="html")


def setup(app):
    app.add_directive("short-version", ShortVersion)
    app.add_directive("audit", Audit)
    for part in ("answer", "for-patients", "for-clinicians"):
        app.add_directive(part, Part)
    app.add_transform(Layers)
    app.connect("doctree-resolved", resolved)
    app.connect("env-get-updated", number_apart, priority=900)  # after the numbers are given (500)
