"""Abbreviations and terms: written once on the glossary page, explained wherever a section or page first uses them."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from functools import cache

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

from lib import ROOT
from lib.book.marks import ToClaim, ToWork
from lib.book.references import Mention

PAGE = "pages/glossary"
_TERM = re.compile(r"^(\S.*)\n: (.+)$", re.MULTILINE)
_BRACKETS = re.compile(r" *\(([^()]*)\)")
_BLOCK = re.compile(r"^```\{abbreviations\}\n(.*?)^```", re.MULTILINE | re.DOTALL)
_APART = (
    nodes.title, nodes.reference, pending_xref, nodes.literal, nodes.FixedTextElement, nodes.term, nodes.math, nodes.raw, ToClaim, ToWork, Mention,
)  # fmt: skip


@cache
def _page() -> str:
    """The glossary page as written; empty where the book has none."""
    page = ROOT / f"{PAGE}.md"
    return page.read_text("utf-8") if page.is_file() else ""


@cache
def abbreviations() -> dict[str, str]:
    """What each abbreviation stands for, as the glossary page says.

    Raises
    ------
    ValueError
        A line that is not an abbreviation, a bar and its words.
    """
    found = _BLOCK.search(_page())
    words = {}
    for line in (found[1] if found else "").splitlines():
        short, bar, long = (x.strip() for x in line.partition("|"))
        if not (short and bar and long):
            raise ValueError(f"{PAGE}.md: {line!r}: write an abbreviation, | and what it stands for")
        words[short] = long
    return words


@cache
def terms() -> dict[str, str]:
    """What each term means, as the glossary page says; what stands in brackets at the end are its other names."""
    return dict(_TERM.findall(_page()))


@cache
def explained() -> dict[str, str]:
    """The statistical and clinical terms, which pages explain where they first use them, in lower case."""
    return {term.lower(): said for term, said in _TERM.findall(_page().partition("(glossary-terms)=")[2])}


def entries() -> list[tuple[str, str, str]]:
    """Each entry of the glossary: its id on the page, its name, and what it says."""
    explained = [(term_anchor(name), name, said) for name, said in terms().items()]
    return explained + [(anchor(short), short, long) for short, long in abbreviations().items()]


def names() -> list[list[str]]:
    """Names of one thing, for the search: a term or an abbreviation with those in brackets.

    "HU | hydroxyurea (hydroxycarbamide)" are three names; "MRD | minimal (measurable) residual disease" are two, for
    only what ends an entry is another name; and of "CIS | clinically isolated syndrome, a first attack" the second ends
    at the comma.
    """
    groups: list[list[str]] = []
    entries = [(name, ". " + said) for name, said in terms().items()] + list(abbreviations().items())
    for name, said in entries:
        *_, other = ["", *_BRACKETS.findall(said)] if re.search(r"\)\.?$", said) else [""]
        own = _BRACKETS.sub("", said).partition(",")[0] if not said.startswith(". ") else ""
        found = [name, own, *(re.sub(r"^also ", "", x.strip()) for x in other.split(";"))]
        found = [x for x in dict.fromkeys(found) if x]
        known = {x.lower() for x in found}
        for group in [g for g in groups if known & {x.lower() for x in g}]:
            groups.remove(group)
            found = group + [x for x in found if x.lower() not in {y.lower() for y in group}]
        groups.append(found)
    groups = [[name for name in group if name.count(" ") < 5] for group in groups]
    return [group for group in groups if len(group) > 1 or " " in group[0]]


def whole_words(words: Iterable[str]) -> re.Pattern:
    """A pattern for any of ``words`` standing alone: not in a longer name, an id (CML-07) or a finer grade (MR4.5)."""
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(r"(?<![\w\u2011-])(" + "|".join(map(re.escape, longest_first)) + r")(?![\w\u2011-]|\.\d)")


def anchor(short: str) -> str:
    """The id of an abbreviation on the glossary page."""
    return "abbr-" + re.sub(r"[^a-z0-9]+", "-", short.lower()).strip("-")


def term_anchor(name: str) -> str:
    """The id of a term on the glossary page."""
    return "term-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


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


class Term(nodes.Inline, nodes.TextElement):
    """A term that leads to the glossary, by its ``name`` there; a note says its definition."""


def visit_term(self, node):
    uri = self.builder.get_relative_uri(self.builder.current_docname, PAGE)
    said = html.escape(explained()[node["name"]])
    self.body.append(f'<a class="term tipped" href="{uri}#{term_anchor(node["name"])}" data-note="{said}">')


def depart_term(self, node):
    self.body.append("</a>")


class Expand(SphinxTransform):
    """Turn the first use of each abbreviation in a section of the second level into a link to the glossary, and the first
    of each term on a page.
    """

    default_priority = 700  # after roles and outputs have become nodes

    def apply(self, **kwargs):
        words = abbreviations()
        if self.env.docname == PAGE:
            for term in self.document.findall(nodes.term):
                term["ids"].append(term_anchor(term.astext()))
            return
        for section in self.document.findall(nodes.section) if words else ():
            if isinstance(section.parent, nodes.section) and section.parent.parent is self.document:
                self._section(section, whole_words(words), words)
        if explained():
            self._terms(self.document)

    def _section(self, section: nodes.section, pattern: re.Pattern, words: dict[str, str]):
        _first(section, pattern, lambda found: Short("", found, words=words[found]))

    def _terms(self, within: nodes.Element):
        named = {spelt: term for term in explained() for spelt in (term, f"{term}s")}
        pattern = re.compile(whole_words(named).pattern, re.IGNORECASE)
        _first(within, pattern, lambda found: Term("", found, name=named[found.lower()]))


def _first(within: nodes.Element, pattern: re.Pattern, made: Callable[[str], nodes.Element]):
    """Put what is ``made`` of them in the place of words that ``pattern`` finds in running text, of the first of a kind."""
    seen: list[dict] = []
    for text in list(within.findall(nodes.Text)):
        if any(isinstance(parent, _APART) for parent in _ancestors(text)):
            continue
        parts, at = [], 0
        for match in pattern.finditer(text):
            node = made(match[0])
            if node.attributes in seen:
                continue
            seen.append(node.attributes)
            parts += [nodes.Text(text[at : match.start()]), node]
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
    app.add_node(Term, html=(visit_term, depart_term))
    app.add_transform(Expand)
