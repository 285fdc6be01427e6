"""Words on the page that are bound to records and results: reported and recomputed figures, verdicts, source cards."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import PurePosixPath

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.utils.smartquotes import smartyPants
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from lib import evidence, records, review
from lib.house import executed
from whichdata.printed import Printed

log = logging.getLogger(__name__)

# A build reads each record and each notebook once, however many words of the prose lead to them.
record = cache(records.record)
bound = cache(executed.bound)
ledger = cache(executed.ledger)
evidence = cache(evidence.evidence)

_ONE = re.compile(rf"(?<![\w.,–-])(1 (?:{'|'.join(u[:-1] for u in sorted([*records.DAYS, *records.COUNTED]))}))s\b")

WHY = {
    "no-inputs": "Cannot be recomputed; missing: {missing}",
    "definition": "A definition: nothing to recompute",
    "citation": "Reports other work: not a result of this source",
    "background": "Background: not a result of this source",
    "opinion": "An opinion: nothing to recompute",
}
"""What the reader is told of a claim that was not checked, by reason."""


def _words(printed: Printed) -> str:
    """A printed figure for a sentence: digits even where the source spelt one number out, unless it left it vague."""
    vague = printed.value is None or printed.text.endswith("s")  # thousands are not 1000
    return printed.text if vague or any(c.isdigit() for c in printed.text) else f"{float(printed.value):g}"


def typeset(text: str) -> str:
    """Words of code as HTML of the page: curly quotes, and one year, not 1 years."""
    return html.escape(_ONE.sub(r"\1", smartyPants(text, "q", "en")), quote=False)


@cache
def slug_of(prefix: str) -> str:
    """The source whose claims begin with ``prefix``."""
    for slug in records.slugs():
        if record(slug).source.prefix == prefix:
            return slug
    raise records.SourceError(f"no source has claims named {prefix}-…")


class Role(SphinxRole):
    """A role whose faults are build warnings with their place, not tracebacks."""

    def run(self):
        try:
            return [self.make()], []
        except (ValueError, KeyError) as error:
            return [], [self.inliner.reporter.error(f"{self.name} {self.text!r}: {error}", line=self.lineno)]

    def link(self, claim_id: str, *children: nodes.Node, kind="", tip="", spoken=False) -> nodes.Node:
        """A link to the check of a claim, wherever it stands, with a sentence shown on hover and focus."""
        record(slug_of(claim_id.partition("-")[0]))[claim_id]
        return ToClaim("", "", *children, label=claim_id.lower(), classes=kind.split(), tip=tip, spoken=spoken)


class ToClaim(nodes.Inline, nodes.TextElement):
    """A link to the check of a claim; ``tip`` is its sentence, ``spoken`` if a screen reader should say it too."""


def claim_uri(builder, label: str) -> str | None:
    """Where the check of a claim stands, from the page being written; none if no page of the book judges it."""
    page, anchor, *_ = builder.env.domaindata["std"]["anonlabels"].get(label, (None, None))
    if page is None:
        return None
    here = builder.current_docname
    return ("" if page == here else builder.get_relative_uri(here, page)) + f"#{anchor}"


def visit_to_claim(self, node):
    uri = claim_uri(self.builder, node["label"])
    if uri is None:
        log.warning("no page of the book judges %s", node["label"].upper(), location=node, type="book", subtype="claim")
        uri = f"#{node['label']}"
    self.body.append(f'<a class="{" ".join(["tipped", *node["classes"]])}" href="{html.escape(uri)}">')


def depart_to_claim(self, node):
    if node["tip"]:
        hidden = "" if node["spoken"] else ' aria-hidden="true"'
        self.body.append(f'<span class="tip"{hidden}> {typeset(node["tip"])}</span>')
    self.body.append("</a>")


class Reported(Role):
    """``{reported}`CML-37/percentage```: the figure as printed, leading to its claim."""

    def make(self):
        ref, _, role = self.text.partition("/")
        read = record(slug_of(ref.partition("-")[0]))
        printed, claim = read.figure(self.text), read[ref]
        figure = next(f for f in claim.figures if f.role == role or not role)
        unit = "%" if figure.unit == "%" else ""
        tip = f"{ref}, paragraph {claim.at.par}. {claim.says}"
        return self.link(ref, nodes.Text(_words(printed) + unit), kind="reported", tip=tip)


class ToWork(nodes.Inline, nodes.TextElement):
    """A link to the work that a figure is quoted from; ``tip`` is its citation."""


def visit_to_work(self, node):
    self.body.append(f'<a class="tipped known" href="{html.escape(node["address"])}">')


class Found(Role):
    """``{found}`name```: a value this chapter computed or quotes from its evidence (``{found}`slug:name``` for
    another's).
    """

    def make(self):
        slug, _, name = self.text.rpartition(":")
        slug = slug or PurePosixPath(self.env.docname).name
        values = bound(slug)
        if name not in values:
            raise KeyError(f"chapters/{slug} binds no {name}; it binds {', '.join(sorted(values))}")
        self.env.note_dependency(f"chapters/{slug}.ipynb")
        text = values[name]["text"]
        if "evidence" not in values[name]:
            return nodes.inline("", text, classes=["recomputed"])
        row = evidence(slug).loc[values[name]["evidence"]]
        place = row["doi_or_url"] or row["verified_in"]
        address = f"https://doi.org/{place}" if place.startswith("10.") else place
        return ToWork("", "", nodes.Text(text), address=address, tip=row["citation"], spoken=False)


class Verdict(Role):
    """``{verdict}`CML-37```: the lozenge of a claim, leading to its check, with one sentence why."""

    def make(self):
        row = next((r for r in ledger() if r["id"] == self.text), None)
        if row is None:
            raise KeyError(f"no chapter judges {self.text}")
        kind = f"verdict verdict-{row['verdict']}"
        return self.link(self.text, nodes.Text(row["verdict"]), kind=kind, tip=f"{self.text}. {why(row)}.", spoken=True)


class Claim(Role):
    """``{claim}`CML-37```: a link to the check of a claim."""

    def make(self):
        return self.link(self.text, nodes.Text(self.text), kind="claim")


def why(row: Mapping) -> str:
    """Why a claim has its verdict, in one sentence without its full stop."""
    text = row["convention"] or WHY[row["reason"]].format(missing=row["missing"])
    clash = f"clash {row['clash']}: " if row["clash"] else ""
    return (clash + text).rstrip(".")


PAGE = review.Dress(
    opening='<div class="check" data-label="{label}">',
    verdict='<span class="verdict verdict-{verdict}">{verdict}</span>',  # its shape is drawn by the style sheet
    says='</p><p class="check-says">{}</p>',
    reported="printed",
    words=typeset,
    why=why,
)
"""How checks look on a page of the book."""


class Mark(Role):
    """``{mark}`reproduced```: the lozenge of a verdict that is spoken of, not given."""

    def make(self):
        if self.text not in review.MARKS:
            raise KeyError(f"no verdict of that name; there are {', '.join(review.MARKS)}")
        return nodes.inline("", self.text, classes=["verdict", f"verdict-{self.text}"])


ROWS, PITCH, SCALE = 4, 11, 1.25
SHAPES = {
    "reproduced": "M{x} {y}m0 4.5a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0",
    "compatible": "M{x} {y}m0 4.5a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0m4.5-3.3a3.3 3.3 0 0 1 0 6.6z",
    "discrepant": "M{x} {y}m4.5 .3l4.7 8.4h-9.4z",
    "contradicted": "M{x} {y}m1.7 .3l2.8 2.8l2.8-2.8l1.4 1.4l-2.8 2.8l2.8 2.8l-1.4 1.4l-2.8-2.8l-2.8 2.8l-1.4-1.4"
    "l2.8-2.8l-2.8-2.8z",
    "unchecked": "M{x} {y}m0 4.5a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0m1.2 0a3.3 3.3 0 1 1 6.6 0a3.3 3.3 0 1 1-6.6 0",
}
"""The five shapes in a square of nine, filled by the even-odd rule."""


def waffle(counts: Mapping[str, int]) -> str:
    """Counts of verdicts as one small drawing: a shape a claim, four to a column, a gap between verdicts."""
    paths, column = [], 0
    for verdict in review.MARKS:
        n = counts.get(verdict, 0)
        if n:
            places = [((column + i // ROWS) * PITCH, i % ROWS * PITCH) for i in range(n)]
            shapes = "".join(SHAPES[verdict].format(x=x, y=y) for x, y in places)
            paths.append(f'<path class="{verdict}" d="{shapes}"/>')
            column += -(-n // ROWS) + 1
    said = ", ".join(f"{counts.get(v, 0)} {v}" for v in review.MARKS)
    width, height = max(column - 1, 1) * PITCH + 1, ROWS * PITCH + 1
    return (
        f'<svg class="waffle" viewBox="-1 -1 {width} {height}" width="{width * SCALE:g}" height="{height * SCALE:g}" '
        f'role="img" aria-label="Verdicts: {said}">{"".join(paths)}</svg>'
    )


def tally(counts: Mapping[str, int]) -> str:
    """Counts of verdicts in words, each with its shape."""
    numbers = {v: counts.get(v, 0) for v in review.MARKS}
    items = (f'<li class="verdict-{v}{"" if n else " empty"}"><b>{n}</b> {v}</li>' for v, n in numbers.items())
    return f'<ul class="tally">{"".join(items)}</ul>'


def citation_line(source: records.Citation) -> str:
    """A source in one line, as far as it is known."""
    where = " ".join(x for x in (source.container, str(source.year or "")) if x)
    if source.volume:
        where += f";{source.volume}"
        where += (f"({source.issue})" if source.issue else "") + (f":{source.pages}" if source.pages else "")
    parts = ["; ".join(source.authors), source.title, where]
    return " ".join(p if p[-1] in ".?!" else f"{p}." for p in parts if p)


LEGEND = (
    '<p class="legend"><span class="reported">printed by the source</span> '
    '<span class="recomputed">recomputed here</span> <span class="known">printed by other work</span></p>'
)


class SourceCard(SphinxDirective):
    """``{source-card} slug``: what is reviewed, its verdict counts, and what could not be checked."""

    required_arguments = 1
    option_spec = {"design": directives.unchanged}

    def run(self):
        slug = self.arguments[0]
        source = record(slug).source
        rows = [r for r in ledger() if r["source"] == slug]
        counts = Counter(r["verdict"] for r in rows)
        self.env.note_dependency(f"chapters/{slug}.ipynb")
        e = html.escape
        address = f"https://doi.org/{source.doi}" if source.doi else source.url
        citation = e(citation_line(source))
        out = ['<div class="source-card"><p class="eyebrow">The source</p>']
        if address:
            citation = f'<a href="{e(address)}">{citation}</a>'
        out.append(f'<p class="citation">{citation}</p>')
        if "design" in self.options:
            out.append(f'<p class="design">{e(self.options["design"])}</p>')
        out.append(f'<div class="drawn-counts">{waffle(counts)}{tally(counts)}</div>')
        notes = [f"{len(rows)} claims."]
        lacking = sum(r["reason"] == "no-inputs" for r in rows)
        if lacking:
            notes.append(f"{lacking} cannot be checked, because the text does not print what a recomputation needs.")
        if source.unknown:
            notes.append(f"Not known of this source: {', '.join(source.unknown).replace('doi', 'DOI')}.")
        out.append(f'<p class="card-note">{e(" ".join(notes))}</p>{LEGEND}')
        return [nodes.raw("", "".join(out) + "</div>", format="html")]


def setup(app):
    app.add_role("reported", Reported())
    app.add_role("found", Found())
    app.add_role("verdict", Verdict())
    app.add_role("claim", Claim())
    app.add_role("mark", Mark())
    app.add_directive("source-card", SourceCard)
    app.add_node(ToClaim, html=(visit_to_claim, depart_to_claim))
    app.add_node(ToWork, html=(visit_to_work, depart_to_claim))
