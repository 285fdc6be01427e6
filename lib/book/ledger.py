"""The ledger page: every claim of every source in one table, complete without scripts; its drawing and its download.

Also the front page's cards, which show the same counts source by source.
"""

from __future__ import annotations

import csv
import html
import json
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from lib import records, review
from lib.book import marks, references
from lib.house import executed
from lib.house.prose import of_source, pages, record, rows
from lib.verdicts import LATER, NOTHING, main_verdict, summary
from sphinx_citable import citable

COLUMNS = (
    "id", "source", "kind", "says", "reported", "recomputed", "verdict_figures", "verdict_conclusion", "reason",
    "severity", "clash", "later", "deciding", "rule", "evidence", "section", "tag", "url",
)  # fmt: skip
"""Columns of ``ledger.csv``, a row a claim; the fields of contract C4 but the place in the source text."""
FIGURE_COLUMNS = ("id", "role", "reported", "recomputed", "verdict", "check", "severity", "convention", "readings")
"""Columns of ``ledger-figures.csv``, a row a figure."""


class Ledger(nodes.General, nodes.Element):
    """The table of all claims; written when pages know one another's addresses."""


class Cards(nodes.General, nodes.Element):
    """The sources as cards."""


class Card(nodes.General, nodes.Element):
    """One source (``slug``): its chapter, citation and counts around the answer it holds."""


class LedgerDirective(SphinxDirective):
    """``{ledger}``: the drawing of the counts, the tools and the table."""

    def run(self):
        return [Ledger()]


class CardsDirective(SphinxDirective):
    """``{sources}``: a card for each source whose chapter stands in the book.

    The content is a definition list: the slug of a source, and what its review comes to in a sentence or two.
    """

    has_content = True

    def run(self):
        content = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, content)
        answers = {i[0].astext(): i[-1].children for i in content.findall(nodes.definition_list_item)}
        if set(answers) != set(pages()):
            wanted, got = ", ".join(pages()), ", ".join(answers) or "none"
            raise self.error(f"{{sources}} wants one answer for each of {wanted}; it has {got}")
        return [Cards("", *(Card("", *answers[slug], slug=slug) for slug in pages()))]


_GRAVEST_FIRST = (
    "does-not-follow", "discrepant", "overstated", "compatible", "follows", "reproduced", "restated", "not-checkable",
    NOTHING,
)  # fmt: skip


def _title(builder, page: str) -> str:
    return builder.env.titles[page].astext()


def _choice(name: str, words: dict[str, str], label: str) -> str:
    e = html.escape
    options = "".join(f'<option value="{e(value)}">{e(shown)}</option>' for value, shown in words.items())
    return (
        f'<div><label for="by-{name}">{label}</label><select id="by-{name}" name="{name}">'
        f'<option value="">all</option>{options}</select></div>'
    )


def tools(found: list[dict], names: dict[str, str]) -> str:
    """The form that a script makes work: search, four filters, and how many rows are shown."""

    def present(have, order=()):
        return {w: w.replace("-", " ") for w in (order or sorted(have)) if w in have}

    return (
        '<form class="ledger-tools needs-script" aria-label="Filter the ledger">'
        '<div class="wide"><label for="by-q">Search</label>'
        '<input type="search" id="by-q" name="q" autocomplete="off"></div>'
        + _choice("source", names, "Source")
        + _choice("verdict", present({main_verdict(r) for r in found}, _GRAVEST_FIRST), "Verdict")
        + _choice("kind", present({r["kind"] for r in found}), "Kind")
        + _choice("later", present(set(map(_later, found)), tuple(LATER)), "Later evidence")
        + '<button type="reset">Clear</button><p class="ledger-count" role="status"></p></form>'
    )


def _later(row: dict) -> str:
    return row["later"]["verdict"] if row["later"] else ""


def picture(found: list[dict], names: dict[str, str]) -> str:
    """Counts by source and verdict: for each source its name, its shapes and their number."""
    items = []
    for slug, name in names.items():
        of_source = summary(r for r in found if r["source"] == slug)
        items.append(f"<dt>{html.escape(name)}</dt><dd>{marks.drawn(of_source)}</dd>")
    shapes = f'<dl class="ledger-picture">{"".join(items)}</dl>'
    return f'{shapes}<p class="ledger-total">{len(found)} claims</p>{marks.tally(summary(found))}'


_HEADS = {
    "id": "Claim",
    "says": "What the source says",
    "reported": "Reported",
    "recomputed": "Recomputed",
    "verdict": "Verdict",
    "later": "Later evidence",
}


def line(row: dict, uri: str) -> str:
    """One claim as a row of the table; what the filters need stands in its data attributes."""
    typeset = marks.typeset
    told = row["later"] if row["later"] and row["later"]["deciding"] else None

    def why(text: str) -> str:
        return f'<span class="why">{references.leading(typeset(text), uri.partition("#")[0])}</span>'

    later = marks.PAGE.evidence(told) + why(told["rule"]) if told else ""
    verdicts = " ".join(marks.PAGE.lozenge(verdict) for verdict in review.shown(row))
    cells = (
        f'<th scope="row"><a href="{html.escape(uri)}">{row["id"]}</a></th>'
        f'<td class="says">{typeset(row["says"])} <span class="kind">{row["kind"]}</span></td>'
        f'<td><span class="reported">{typeset(row["reported"])}</span></td>'
        f'<td><span class="recomputed">{typeset(row["recomputed"])}</span></td>'
        f"<td>{verdicts}{why(row['reason'])}</td><td>{later}</td>"
    )
    data = {"source": row["source"], "verdict": main_verdict(row), "kind": row["kind"], "later": _later(row)}
    told_of = " ".join(f'data-{key}="{value}"' for key, value in data.items())
    return f"<tr {told_of}>{cells}</tr>"


def visit_ledger(self, node):
    here, where = self.builder.current_docname, pages()
    found = rows()
    names = {slug: _title(self.builder, page) for slug, page in where.items()}
    uris = {slug: self.builder.get_relative_uri(here, page) for slug, page in where.items()}
    heads = "".join(f'<th scope="col" data-key="{key}">{words}</th>' for key, words in _HEADS.items())
    gravest = sorted(found, key=lambda r: _GRAVEST_FIRST.index(main_verdict(r)))
    body = "".join(line(r, f"{uris[r['source']]}#{r['id'].lower()}") for r in gravest)
    up = "../" * here.count("/")
    self.body.append(
        f"{picture(found, names)}{tools(found, names)}"
        '<table class="ledger"><caption class="hidden">Every claim with its verdict</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
        f'<p class="actions"><a href="{up}ledger.csv" download>ledger.csv</a> '
        f'<a href="{up}ledger-figures.csv" download>ledger-figures.csv</a> '
        f'<a href="{up}ledger.json" download>ledger.json</a></p>'
    )
    raise nodes.SkipNode


def visit_card(self, node):
    e, slug = html.escape, node["slug"]
    page = pages()[slug]
    uri = self.builder.get_relative_uri(self.builder.current_docname, page)
    self.body.append(
        f'<li class="card"><p class="eyebrow">{e(dict(executed.contents()).get(page, ""))}</p>'
        f'<p class="card-title"><a href="{e(uri)}">{e(_title(self.builder, page))}</a></p>'
    )


def depart_card(self, node):
    found = summary(of_source(node["slug"]))
    citation = html.escape(marks.citation_line(record(node["slug"]).source))
    self.body.append(f'<p class="citation">{citation}</p>{marks.drawn(found)}{marks.tally(found)}</li>')


def _told(row: dict) -> dict:
    """A row with the works it names cited in full, as a file that stands alone must."""
    later = row["later"] and row["later"] | {"rule": references.in_full(row["later"]["rule"])}
    return row | {"reason": references.in_full(row["reason"]), "later": later}


def write(app):
    """Write ``ledger.json`` (contract C4), ``ledger.csv`` and ``ledger-figures.csv``: every claim with its place."""
    out, book = Path(app.outdir), citable(app)
    place = {p["label"]: {"section": p["within"], "tag": p["tag"], "url": p["url"]} for p in book.rows}
    claims = [_told(row) | place[row["id"].lower()] for row in executed.ledger() if row["id"].lower() in place]
    cited = [
        records.record(s).source.model_dump(exclude={"rounding"}) for s in dict.fromkeys(c["source"] for c in claims)
    ]
    told = {"edition": app.config.edition, "sources": cited, "claims": claims}
    text = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    (out / "ledger.json").write_text(text, "utf-8")
    with (out / "ledger.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for c in claims:
            later = c["later"] or {"verdict": "", "deciding": "", "rule": ""}
            told = {"later": later["verdict"], "deciding": later["deciding"], "rule": later["rule"]}
            writer.writerow(c | told | {"evidence": " ".join(c["evidence"])})
    with (out / "ledger-figures.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIGURE_COLUMNS, lineterminator="\n")
        writer.writeheader()
        for c in claims:
            writer.writerows({"id": c["id"]} | f | {"readings": " | ".join(f["readings"])} for f in c["figures"])


def setup(app):
    app.add_directive("ledger", LedgerDirective)
    app.add_directive("sources", CardsDirective)
    app.add_node(Ledger, html=(visit_ledger, None))
    app.add_node(
        Cards, html=tuple(lambda self, _, tag=t: self.body.append(tag) for t in ('<ul class="cards">', "</ul>"))
    )
    app.add_node(Card, html=(visit_card, depart_card))
