"""The evidence pages: for each chapter every row of its table of published figures, study by study; and the way there.

A page is a file ``pages/evidence-<slug>.md`` with a heading and the directive ``{evidence} <slug>``, listed in
``_toc.yml``. Wherever a page speaks of "our evidence table" these words lead to it.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from lib import ROOT, records
from lib.book import marks, references
from lib.book.outputs import to_claims
from lib.evidence import appraisal, last_searched, says
from lib.values import count
from lib.words import with_unit

PAGE = "pages/evidence"
"""The page of all tables; that of a chapter is named ``<PAGE>-<slug>``."""
LAST = "identity of the source"
"""The topic for which few readers come."""
_SPOKEN = re.compile(
    r"(?:\b(?:our|the|its|every)\s+)?\bevidence\s+tables?\b(?:\s+of\s+this\s+chapter)?|\b(?:a\s+)?tables?\s+of\s+evidence\b|\bour\s+tables?\b",
    re.IGNORECASE,
)
"""How pages speak of the tables."""
_PIECES = re.compile(r"(<!--.*?-->|<[^>]*>)", re.DOTALL)
_APART = re.compile(r"<(/?)(?:a|button|code|h[1-6]|pre|summary|svg|title)\b")
"""Elements in which no link may stand, or none helps."""


def of_chapter(docname: str, known) -> str:
    """The page of the evidence behind a page, of those ``known``: of its chapter, else that of all; "" if none."""
    own = f"{PAGE}-{docname.rpartition('/')[2]}"
    return next((page for page in (own, PAGE) if page in known), "")


def linked(body: str, uri: str) -> str:
    """HTML of a page in which each mention of the tables leads to ``uri``."""
    inside, out = 0, []
    for piece in _PIECES.split(body):
        if apart := _APART.match(piece):
            inside += -1 if apart[1] else 1
        elif not inside and not piece.startswith("<"):
            piece = _SPOKEN.sub(lambda m: f'<a class="to-evidence" href="{html.escape(uri)}">{m[0]}</a>', piece)
        out.append(piece)
    return "".join(out)


class Studies(nodes.raw):
    """The rows of a chapter's table as HTML, with the keys of works in brackets and the numbers of claims bare."""


class Evidence(SphinxDirective):
    """``{evidence} slug``: the published figures that a chapter uses, study by study."""

    required_arguments = 1

    def run(self):
        slug = self.arguments[0]
        try:
            return [Studies("", shown(slug), format="html")]
        except (ValueError, KeyError) as error:
            raise self.error(f"{{evidence}} {slug}: {error}") from None


def shown(slug: str) -> str:
    """The page's content: what it holds and since when, its topics, and a table for each."""
    table = marks.evidence(slug)
    topics = sorted(dict.fromkeys(table["topic"]), key=LAST.__eq__)
    by_topic = {topic: table[table["topic"] == topic] for topic in topics}
    spoken = _spoken(slug, table)
    studies = count(table["study"].nunique(), "studies and documents")
    held = f"The table holds {count(len(table), 'figures and statements')} of {studies}, as published; last searched {last_searched()}."
    head = (
        f"<p>{'No other work stands in the table.' if table.empty else held}</p>"
        f'<p class="actions"><a href="../downloads/{name(slug)}" download>data</a></p>'
    )
    topics = "".join(f'<li><a href="#{_id(t)}">{_topic(t)}</a></li>' for t in by_topic)
    tables = "".join(_table(topic, rows, spoken) for topic, rows in by_topic.items())
    return f'{head}<ul class="topics" aria-label="Topics">{topics}</ul>{tables}'


def entries(slug: str) -> Iterator[tuple[str, str, str]]:
    """The address of each row on its page, what it is of, and what it says, for the search."""
    for key, row in marks.evidence(slug).iterrows():
        words = (_figure(row), *(row[c] for c in ("time_horizon", "arm", "population", "note")))
        said = "; ".join(x for x in words if x and "://" not in x)  # nobody searches for an address
        yield f"ev-{key}", *(html.unescape(_words(x)) for x in (f"{row['quantity']}, {row['study']}", said))


def name(slug: str) -> str:
    """The file of a table among the downloads."""
    return f"evidence-{slug}.csv"


def _spoken(slug: str, table: pd.DataFrame) -> dict[str, list[str]]:
    """What each row says of which claims, by the id of the row."""
    prefix, found = records.record(slug).source.prefix, defaultdict(list)
    for judged in appraisal():
        if judged["claim"].startswith(prefix):
            role, row = judged["role"], judged["evidence"]
            word = says(judged, table.loc[row]) if role == "speaks" else role
            found[row].append(f"{judged['claim']}: {word}")
    return found


def _id(topic: str) -> str:
    return "topic-" + nodes.make_id(topic)


def _topic(topic: str) -> str:
    return marks.typeset(topic[0].upper() + topic[1:] if topic[1:2].islower() else topic)


COLUMNS = ("What was measured", "Figure", "Time", "Speaks to")


def _table(topic: str, rows: pd.DataFrame, spoken: Mapping[str, list[str]]) -> str:
    heads = "".join(f'<th scope="col" role="columnheader">{c}</th>' for c in COLUMNS)
    studies = "".join(
        _study(study, rows.loc[list(ids)], spoken) for study, ids in groupby(rows.index, rows["study"].__getitem__)
    )
    return (
        f'<h2 id="{_id(topic)}">{_topic(topic)}</h2><div class="scroll"><div class="book-table stacks studies">'
        f'<table role="table" aria-label="{_topic(topic)}"><thead role="rowgroup"><tr role="row">{heads}</tr></thead>'
        f"{studies}</table></div></div>"
    )


def _study(study: str, rows: pd.DataFrame, spoken: Mapping[str, list[str]]) -> str:
    """The rows of one study beneath its name, design and people, its references and where it was read: what most of
    its rows say. A row that says something else says so itself.
    """
    most = {c: next(iter(rows.loc[rows[c] != "", c].mode()), "") for c in _ABOUT}
    if rows["arm"].nunique() > 1:
        most["arm"] = ""
    keys = " ".join(f"[{key}]" for key in dict.fromkeys(rows["reference"]))
    dated = "" if most["year"] in study else most["year"]
    told = ", ".join(_words(x) for x in (dated, most["design"], most["population"], most["arm"]) if x)
    read = f"; read at {_addresses(most['verified_in'])}"
    head = (
        f'<tr role="row" class="study"><th scope="rowgroup" role="rowheader" colspan="{len(COLUMNS)}">'
        f'{_words(study)} {keys} <span class="about">{told}{read}</span></th></tr>'
    )
    body = "".join(_row(key, row, most, spoken.get(key, [])) for key, row in rows.iterrows())
    return f'<tbody role="rowgroup">{head}{body}</tbody>'


_ABOUT = ("year", "design", "population", "arm", "verified_in")
"""Columns that say of what study a figure is, and where it was read."""


def _row(key: str, row: Mapping[str, str], most: Mapping[str, str], spoken: list[str]) -> str:
    about = [row[c] for c in ("arm", "population", "design", "year") if row[c] not in ("", most[c])]
    notes = [_words(x) for x in (", ".join(about), row["note"]) if x]
    if row["verified_in"] != most["verified_in"]:
        notes.append(f"read at {_addresses(row['verified_in'])}")
    note = f' <span class="about">{"; ".join(notes)}</span>' if notes else ""
    figure, time = _words(_figure(row)), _words(row["time_horizon"])
    cells = (f'<span class="known">{figure}</span>' if figure else "", time, "<br>".join(spoken))
    kinds = (' class="long"' if row["unit"] == "text" else "", "", "")
    rest = "".join(
        f'<td role="cell" data-head="{head}"{kind}>{cell}</td>' for head, kind, cell in zip(COLUMNS[1:], kinds, cells)
    )
    what = f'<th scope="row" role="rowheader">{_words(row["quantity"])}{note}</th>'
    return f'<tr role="row" id="ev-{key}">{what}{rest}</tr>'


def _figure(row: Mapping[str, str]) -> str:
    """A row's figure as published: its value with unit, interval, counts and p value, as far as the row has them."""
    value = row["value"] if row["unit"] in ("", "text") or not row["value"] else with_unit(row["value"], row["unit"])
    value = "" if row["unit"] == "p value" else value.replace(" %", "%")  # a p value stands in its own column too
    size = "/".join(filter(None, (row["numerator"], row["denominator"]))) if value else ""
    if not value and row["denominator"]:
        value = f"{row['numerator']} of {row['denominator']}" if row["numerator"] else f"of {row['denominator']}"
    limits = f"95% CI {row['ci_low']} to {row['ci_high']}" if row["ci_low"] else ""
    inside = ", ".join(filter(None, (limits, size, with_unit(row["p_value"], "p") if row["p_value"] else "")))
    return f"{value} ({inside})" if value and inside else value or inside


def _words(text: str) -> str:
    """Words of the table as HTML."""
    return marks.typeset(text.replace(">=", "≥").replace("<=", "≤"))


def _addresses(read: str) -> str:
    """Where a row was read: each address as a link that shows its host, with the words that follow it."""
    shown_links = []
    for place in read.split("; "):
        address, _, words = place.partition(" ")
        host = urlsplit(address).netloc.removeprefix("www.")
        link = f'<a href="{html.escape(address)}">{html.escape(host)}</a>'
        shown_links.append(f"{link} {marks.typeset(words)}".strip())
    return ", ".join(shown_links)


def visit_studies(self, node):
    self.body.append(references.mentions(self, to_claims(self.builder, node.astext())))
    raise nodes.SkipNode


def page_context(app, pagename, template, context, doctree):
    page = of_chapter(pagename, app.env.all_docs)
    if page and doctree is not None and not pagename.startswith(PAGE):
        context["body"] = linked(context["body"], app.builder.get_relative_uri(pagename, page))


def write(app):
    """Write the tables that have a page beside the bundles."""
    folder = Path(app.outdir) / "downloads"
    for path in sorted((ROOT / "data" / "evidence").glob("*.csv")):
        if f"{PAGE}-{path.stem}" in app.env.all_docs:
            (folder / name(path.stem)).write_bytes(path.read_bytes())


def setup(app):
    app.add_directive("evidence", Evidence)
    app.add_node(Studies, html=(visit_studies, None))
    app.connect("html-page-context", page_context, priority=400)  # before the boxes of citations are added
