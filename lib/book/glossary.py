"""Abbreviations: written once on the glossary page, expanded wherever a section first uses them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from functools import cache

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

from lib import ROOT
from lib.book.marks import ToClaim, ToWork
from lib.book.references import Mention

PAGE = "pages/glossary"
_BLOCK = re.compile(r"^```\{abbreviations\}\n(.*?)^```", re.MULTILINE | re.DOTALL)
_APART = (
    nodes.title, nodes.reference, pending_xref, nodes.literal, nodes.FixedTextElement, nodes.term, nodes.math, nodes.raw, ToClaim, ToWork, Mention,
)  # fmt: skip


@cache
def abbreviations() -> dict[str, str]:
    """What each abbreviation stands for, as the glossary page says; empty where the book has none.

    Raises
    ------
    ValueError
        A line that is not an abbreviation, a bar and its words.
    """
    page = ROOT / f"{PAGE}.md"
    found = _BLOCK.search(page.read_text("utf-8")) if page.is_file() else None
    words = {}
    for line in (found[1] if found else "").splitlines():
        short, bar, long = (x.strip() for x in line.partition("|"))
        if not (short and bar and long):
            raise ValueError(f"{PAGE}.md: {line!r}: write an abbreviation, | and what it stands for")
        words[short] = long
    return words


def whole_words(words: Iterable[str]) -> re.Pattern:
    """A pattern for any of ``words`` standing alone: not in a longer name, an id (CML-07) or a finer grade (MR4.5)."""
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(r"(?<![\w\u2011-])(" + "|".join(map(re.escape, longest_first)) + r")(?![\w\u2011-]|\.\d)")


def anchor(short: str) -> str:
    """The id of an abbreviation on the glossary page."""
    return "abbr-" + re.sub(r"[^a-z0-9]+", "-", short.lower()).strip("-")


class Abbreviations(SphinxDirective):
    """The list of abbreviations, one a line: ``CML | chronic myeloid leukaemia``."""

    has_content = True

    def run(self):
        e = html.escape
        items = (f'<dt id="{anchor(s)}">{e(s)}</dt><dd>{e(w)}</dd>' for s, w in abbreviations().items())
        return [nodes.raw("", f'<dl class="abbreviations">{"".join(items)}</dl>', format="html")]


class Short(nodes.Inline, nodes.TextElement):
    """An abbreviation that leads to the glossary and tells its words to who hears the page, and in a note."""


def visit_short(self, node):
    uri = self.builder.get_relative_uri(self.builder.current_docname, PAGE)
    self.body.append(f'<a class="abbr tipped" href="{uri}#{anchor(node.astext())}">')


def depart_short(self, node):
    self.body.append(f'<span class="hidden"> {html.escape(node["words"])}</span></a>')


class Expand(SphinxTransform):
    """Turn the first use of each abbreviation in a section of the second level into a link to the glossary."""

    default_priority = 700  # after roles and outputs have become nodes

    def apply(self, **kwargs):
        words = abbreviations()
        if not words or self.env.docname == PAGE:
            return
        pattern = whole_words(words)
        for section in self.document.findall(nodes.section):
            if isinstance(section.parent, nodes.section) and section.parent.parent is self.document:
                self._section(section, pattern, words)

    def _section(self, section: nodes.section, pattern: re.Pattern, words: dict[str, str]):
        seen: set[str] = set()
        for text in list(section.findall(nodes.Text)):
            if any(isinstance(parent, _APART) for parent in _ancestors(text)):
                continue
            parts, at = [], 0
            for match in pattern.finditer(text):
                if match[0] in seen:
                    continue
                seen.add(match[0])
                parts += [nodes.Text(text[at : match.start()]), Short("", match[0], words=words[match[0]])]
                at = match.end()
            if parts:
                text.parent.replace(text, [*parts, nodes.Text(text[at:])])


def _ancestors(node: nodes.Node):
    while node.parent is not None:
        node = node.parent
        yield node


def setup(app):
    app.add_directive("abbreviations", Abbreviations)
    app.add_node(Short, html=(visit_short, depart_short))
    app.add_transform(Expand)
