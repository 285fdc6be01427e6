"""The citable parts of any Sphinx book, from its doctrees: labelled sections, figures and tables."""

from __future__ import annotations

from collections.abc import Iterator

from docutils import nodes
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from sphinx_citable.registry import LABEL, Part

log = logging.getLogger(__name__)


class ExplicitIdFirst(SphinxTransform):
    """Make the explicit target (sec-x)= the section's first id: permalink, contents and search use the first."""

    default_priority = 600  # after PropagateTargets (260); at doctree-read (880) contents and numbers go wrong

    def apply(self, **kwargs):
        for section in self.document.findall(nodes.section):
            explicit = _explicit(self.document, section)
            if explicit:
                section["ids"] = [explicit[0]] + [i for i in section["ids"] if i != explicit[0]]
            elif self.config.citable_labels_required:
                title = section.next_node(nodes.title).astext()
                wanted = "section %r has no label: write (sec-…)= above it"
                log.warning(wanted, title, location=section, type="citable", subtype="label")


def _explicit(document: nodes.document, node: nodes.Element) -> list[str]:
    """The ids that an author gave a node, not those made from its title."""
    found = (document.nameids.get(n) for n in node.get("names", []) if document.nametypes.get(n))
    return [i for i in found if i in node["ids"]]


def parts_of(document: nodes.document, docname: str) -> list[Part]:
    """The labelled parts of one document, in reading order; a label that is no lower-case word is no promise."""
    return list(_within(document, document, docname, 0, ""))


def _within(document, node: nodes.Element, docname: str, level: int, around: str) -> Iterator[Part]:
    for child in node.children:
        if not isinstance(child, nodes.Element):
            continue
        inner, depth = around, level + 1 if isinstance(child, nodes.section) else level
        label = next((i for i in _explicit(document, child) if LABEL.fullmatch(i)), "")
        kind, titled, rank = _KINDS.get(type(child), ("", None, 0))
        if label and kind:
            title = next((" ".join(t.astext().split()) for t in child.findall(titled)), label)
            results = _results(document, child)
            yield Part(label, kind, title, docname, rank or depth, around, _words(child), results)
            inner = label if kind == "section" else around
        yield from _within(document, child, docname, depth, inner)


_KINDS = {
    nodes.section: ("section", nodes.title, 0),
    nodes.figure: ("figure", nodes.caption, 7),
    nodes.table: ("table", nodes.title, 7),
}
"""What can be cited: its kind, what holds its title, and its level where that is not the depth of its section."""


def _words(node: nodes.Element) -> str:
    """The words of a part; what its tables print are results, not words."""
    return " ".join(t.astext() for t in node.findall(nodes.Text) if not _inside(t, nodes.tgroup))


def _inside(node: nodes.Node, kind: type) -> bool:
    return node is not None and (isinstance(node, kind) or _inside(node.parent, kind))


def _results(document: nodes.document, node: nodes.Element) -> dict:
    """What a part prints: the cells of its tables, row by row."""
    tables = {next(iter(_explicit(document, t)), n): t for n, t in enumerate(node.findall(nodes.table), 1)}
    return {
        f"table {label}": [[entry.astext() for entry in row.findall(nodes.entry)] for row in table.findall(nodes.row)]
        for label, table in tables.items()
    }


def reading_order(env: BuildEnvironment) -> list[str]:
    """The documents as the contents list them, then any others by name."""
    found: dict[str, None] = {}

    def walk(docname: str) -> None:
        if docname not in found:
            found[docname] = None
            for inner in env.toctree_includes.get(docname, []):
                walk(inner)

    walk(env.config.root_doc)
    return [*found, *sorted(env.all_docs.keys() - found.keys())]
