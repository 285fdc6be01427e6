"""The front page: a card for each source, with the question, answer and picture of its chapter.

Nothing on a card is written a second time: question and answer are those of the chapter's short version.
"""

from __future__ import annotations

import html

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from lib.book import marks
from lib.book.cards import answer
from lib.book.outputs import inline
from lib.house import executed, prose


class Card(nodes.General, nodes.Element):
    """One source (``slug``) around the ``question`` and answer of its chapter."""


class CardsDirective(SphinxDirective):
    """``{sources}``: a card for each source whose chapter stands in the book."""

    def run(self):
        return [nodes.container("", *map(self.card, prose.pages()), classes=["cards"])]

    def card(self, slug: str) -> Card:
        asked, answered = prose.answer(slug)
        told = nodes.container("", *self.parse_text_to_nodes(answered), classes=["answer"])
        card = Card("", told, slug=slug, question=asked)
        entry = answer(executed.chapter(slug))
        if entry and entry.get("kind"):
            drawn = inline(entry | {"note": ""}, {"": entry["narrow"]})
            title = f'<p class="figure-title">{marks.typeset(entry["title"])}</p>'
            card += nodes.raw("", f'<div class="pictured">{title}{drawn}</div>', format="html")
        return card


def visit_card(self, node):
    e, page = html.escape, prose.pages()[node["slug"]]
    uri = self.builder.get_relative_uri(self.builder.current_docname, page)
    self.body.append(
        f'<div class="card"><p class="eyebrow">{e(dict(executed.contents()).get(page, ""))}</p>'
        f'<p class="card-title"><a href="{e(uri)}">{marks.typeset(node["question"])}</a></p>'
    )


def depart_card(self, node):
    citation = html.escape(marks.citation_line(prose.record(node["slug"]).source))
    self.body.append(f'<p class="citation">The source: {citation}</p></div>')


def setup(app):
    app.add_directive("sources", CardsDirective)
    app.add_node(Card, html=(visit_card, depart_card))
