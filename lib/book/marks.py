"""Words on the page that are bound to records and results: reported and recomputed figures, verdicts, source cards."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from functools import cache

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.utils.smartquotes import smartyPants
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from lib import evidence, records, review
from lib.house import prose
from lib.house.prose import record
from lib.values import count, opening
from lib.verdicts import LATER, MARKS, summary
from lib.words import counted

log = logging.getLogger(__name__)

evidence = cache(evidence.evidence)

_ONE = re.compile(rf"(?<![\w.,–-])(1 (?:{'|'.join(u[:-1] for u in sorted([*records.DAYS, *records.COUNTED]))}))s\b")


def typeset(text: str) -> str:
    """Words of code as HTML of the page: curly quotes, and one year, not 1 years."""
    return html.escape(_ONE.sub(r"\1", smartyPants(text, "q", "en")), quote=False)


class Role(SphinxRole):
    """A role whose faults are build warnings with their place, not tracebacks."""

    def run(self):
        try:
            return [self.make()], []
        except (ValueError, KeyError) as error:
            return [], [self.inliner.reporter.error(f"{self.name} {self.text!r}: {error}", line=self.lineno)]

    def link(self, claim_id: str, *children: nodes.Node, kind="") -> nodes.Node:
        """A link to the check of a claim, wherever it stands."""
        record(prose.slug_of(claim_id))[claim_id]
        return ToClaim("", "", *children, label=claim_id.lower(), classes=kind.split())

    def placed(self, text: str) -> nodes.Text:
        """``text`` as it stands here: as a sentence begins, if it begins one."""
        within = self.inliner.parent
        before = within.astext().rstrip() if isinstance(within, nodes.paragraph) else "…"
        return nodes.Text(opening(text) if not before or before[-1] in ".?!" else text)


class ToClaim(nodes.Inline, nodes.TextElement):
    """A link to the check of a claim, by its ``label``."""


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
    kind = " ".join(["tipped", *node["classes"]])
    self.body.append(f'<a class="{kind}" href="{html.escape(uri)}"{afar(node["label"].upper(), uri)}>')


def depart_to_claim(self, node):
    self.body.append("</a>")


def afar(claim: str, uri: str) -> str:
    """What a note says of a claim whose check stands on another page, as attributes of the link that leads to it.

    Of a claim on the page itself a script takes the note from its check: written at each link it would weigh too much.
    """
    if uri.startswith("#"):
        return ""
    row = prose.verdict(claim)[0]
    words = [*review.shown(row), *([f"later-{row['later']['verdict']}"] if row["later"] else [])]
    values = "; ".join(f"{kind} {row[kind]}" for kind in ("reported", "recomputed") if row[kind])
    said = typeset(f"{row['says']} {opening(values)}." if values else row["says"]).replace('"', "&quot;")
    return f' data-par="{row["at"]["par"]}" data-verdicts="{" ".join(words)}" data-note="{said}"'


class Reported(Role):
    """``{reported}`CML-37/percentage```: the figure as printed, leading to its claim."""

    def make(self):
        ref = self.text.partition("/")[0]
        return self.link(ref, self.placed(prose.reported(self.text)), kind="reported")


class ToWork(nodes.Inline, nodes.TextElement):
    """A figure of another work, by ``key``, leading to its entry in the references of the page."""


class Recomputed(nodes.inline):
    """A value of ours, by the ``name`` that the code binds it to, in which ``step``; of another chapter as ``slug:name``."""


def visit_recomputed(self, node):
    self.body.append(f'<span class="recomputed" data-of="{node["name"]}" data-step="{node["step"]}">')


def depart_recomputed(self, node):
    self.body.append("</span>")


class Found(Role):
    """``{found}`name unit```: a value this chapter computed or quotes from its evidence, with its unit; ``{found}`name
    (unit)``` where the sentence itself names the unit, ``{found}`slug:name unit``` for a value of another chapter.
    """

    def make(self):
        slug, name, value, text = prose.found(self.text, self.env.docname)
        self.env.note_dependency(f"chapters/{slug}.ipynb")
        text = self.placed(text)
        if "evidence" not in value:
            if value.get("kind") == "words" or not any(c.isdigit() for c in value["text"]):
                # No figure: a judgement, a name or a count in words.
                return nodes.inline("", "", text, classes=["said"])
            here = slug == self.env.docname.rpartition("/")[2]
            return Recomputed(
                "",
                "",
                text,
                name=name if here else f"{slug}:{name}",
                step=value.get("step", ""),
                classes=["recomputed"],
            )
        return ToWork("", "", text, key=evidence(slug).loc[value["evidence"], "reference"])


class Verdict(Role):
    """``{verdict}`CML-37```: the lozenge of a claim, leading to its check.

    Of a claim that draws a conclusion it is the verdict on that; ``{verdict}`CML-37/figures``` is the one on its figures.
    """

    def make(self):
        row, verdict = prose.verdict(self.text)
        return self.link(row["id"], nodes.Text(verdict.replace("-", " ")), kind=f"verdict verdict-{verdict}")


class Claim(Role):
    """``{claim}`CML-37```: a link to the check of a claim."""

    def make(self):
        return self.link(self.text, nodes.Text(self.text), kind="claim")


PAGE = review.Dress(  # the shapes are drawn by the style sheet
    opening='<div class="check" data-label="{label}">',
    verdict='<span class="verdict verdict-{verdict}">{words}</span>',
    later='<span class="verdict later later-{verdict}"><span class="later-label">later:</span> {words}</span>',
    name='<span class="check-id">{id}</span>',
    pair='<span class="label">{kind}</span> <span class="{kind}">{words}</span>',
    between=" ",
    words=typeset,
)
"""How checks look on a page of the book."""


class Mark(Role):
    """``{mark}`reproduced```: the lozenge of a verdict that is spoken of, not given."""

    def make(self):
        word, known = self.text.replace(" ", "-"), MARKS | LATER
        if word not in known:
            raise KeyError(f"no verdict of that name; there are {', '.join(known)}")
        kind = f"verdict verdict-{word}" if word in MARKS else f"verdict later-{word}"
        return nodes.inline("", self.text, classes=kind.split())


ROWS, PITCH, SCALE = 4, 11, 1.25
_DISC = "M{x} {y}m0 4.5a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0"
_TRIANGLE = "M{x} {y}m4.5 .3l4.7 8.4h-9.4z"
SHAPES = {
    "reproduced": _DISC,
    "compatible": _DISC + "m4.5-3.3a3.3 3.3 0 0 1 0 6.6z",
    "discrepant": _TRIANGLE,
    "not-checkable": _DISC + "m1.2 0a3.3 3.3 0 1 1 6.6 0a3.3 3.3 0 1 1-6.6 0",
    "restated": "M{x} {y}m3 4.5a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0-3 0",
    "follows": _DISC,
    "overstated": _TRIANGLE,
    "does-not-follow": "M{x} {y}m1.7 .3l2.8 2.8l2.8-2.8l1.4 1.4l-2.8 2.8l2.8 2.8l-1.4 1.4l-2.8-2.8l-2.8 2.8l-1.4-1.4"
    "l2.8-2.8l-2.8-2.8z",
}
"""The shapes in a square of nine, filled by the even-odd rule."""


def waffle(counts: Mapping[str, int], what: str) -> str:
    """Counts of verdicts on ``what`` as one small drawing: a shape a claim, four to a column, a gap between verdicts."""
    paths, column = [], 0
    for verdict, n in counts.items():
        if n:
            places = [((column + i // ROWS) * PITCH, i % ROWS * PITCH) for i in range(n)]
            shapes = "".join(SHAPES[verdict].format(x=x, y=y) for x, y in places)
            paths.append(f'<path class="{verdict}" d="{shapes}"/>')
            column += -(-n // ROWS) + 1
    if not paths:
        return ""
    width, height = max(column - 1, 1) * PITCH + 1, ROWS * PITCH + 1
    return (
        f'<svg class="waffle" viewBox="-1 -1 {width} {height}" width="{width * SCALE:g}" height="{height * SCALE:g}" '
        f'role="img" aria-label="{what}: {in_words(counts)}">{"".join(paths)}</svg>'
    )


def in_words(counts: Mapping[str, int]) -> str:
    """The counts that are not nought, as a list: "3 reproduced, 1 discrepant"."""
    return ", ".join(f"{n} {v.replace('-', ' ')}" for v, n in counts.items() if n) or "none"


def tally(found: Mapping[str, Mapping[str, int]], draws: bool = False) -> str:
    """A summary of verdicts in words, figures and conclusions apart, each word with its shape; drawn too, under its own head."""

    def items(counts: Mapping[str, int]) -> str:
        return "".join(f'<li class="verdict-{v}"><b>{n}</b> {v.replace("-", " ")}</li>' for v, n in counts.items() if n)

    besides = found["counts"]["add up"]
    counts = f'<li class="besides">besides {besides} counts that add up</li>' if besides else ""
    lines = [("Figures", items(found["figures"]) + counts), ("Conclusions", items(found["conclusions"]))]
    return "".join(
        f'<p class="tally-head">{what}</p>{waffle(found[what.lower()], what) if draws else ""}<ul class="tally">{shown}</ul>'
        for what, shown in lines
        if shown
    )


def drawn(found: Mapping[str, Mapping[str, int]]) -> str:
    """A summary of verdicts as two small drawings."""
    return waffle(found["figures"], "Figures") + waffle(found["conclusions"], "Conclusions")


def citation_line(source: records.Citation) -> str:
    """A source in one line, as far as it is known."""
    container, year = source.container or "", str(source.year or "")
    where = f"{container} {year}".strip() if year not in container else container
    if source.volume:
        where += (";" if source.year else " ") + source.volume + (f"({source.issue})" if source.issue else "")
    where += f":{source.pages}" if source.pages else ""
    title = source.title or (f"Begins “{source.begins}”" if source.begins else "")
    parts = ["; ".join(map(str, source.authors)), title, where]
    return " ".join(p if p[-1] in ".?!…" else f"{p}." for p in parts if p)


def address(source: records.Citation) -> str | None:
    """Where a source is found: by its DOI, else at its address; none if neither is known."""
    return f"https://doi.org/{source.doi}" if source.doi else source.url


def besides(source: records.Citation) -> str:
    """What a reader must know of other reports: the work that the source is about, and a fuller one that we did not read."""
    from lib.book.references import works  # it needs this module

    def linked(key: str) -> str:
        line, place = html.escape(citation_line(works()[key]), quote=False), address(works()[key])
        return f'<a href="{html.escape(place)}">{line}</a>' if place else line

    out = f'<p class="citation about-work">About: {linked(source.discusses)}</p>' if source.discusses else ""
    if not source.fuller_report:
        return out
    if source.fuller_report == source.slug:
        unread = "Only the abstract was reviewed. The full paper was not."
    elif source.fuller_report == source.discusses:
        unread = "Of that paper only the abstract, as the source quotes it, was reviewed. The full paper was not."
    else:
        unread = f"A fuller report of the same study exists and was not reviewed: {linked(source.fuller_report)}"
    return f'{out}<p class="fuller-report">{unread} Read it before you rely on this page.</p>'


LEGEND = (
    '<p class="legend"><span class="reported">reported by the source</span> '
    '<span class="recomputed">recomputed here</span> <span class="known">reported by other work</span></p>'
)


class SourceCard(SphinxDirective):
    """``{source-card} slug``: what is reviewed, its verdict counts, and what could not be checked."""

    required_arguments = 1
    option_spec = {"design": directives.unchanged}

    def run(self):
        slug = self.arguments[0]
        source = record(slug).source
        rows = prose.of_source(slug)
        found = summary(rows)
        self.env.note_dependency(f"chapters/{slug}.ipynb")
        e = html.escape
        citation = e(citation_line(source))
        out = ['<div class="source-card"><p class="eyebrow">The source</p>']
        if place := address(source):
            citation = f'<a href="{e(place)}">{citation}</a>'
        out.append(f'<p class="citation">{citation}</p>{besides(source)}')
        if "design" in self.options:
            out.append(f'<p class="design">{e(self.options["design"])}</p>')
        out.append(f'<div class="drawn-counts">{tally(found, draws=True)}</div>')
        notes = [
            f"The source makes {count(len(rows), 'claims')}; {counted(prose.plain(rows))} of them define, cite, give background or an opinion, and have nothing to check. A claim with figures may have a verdict on what it concludes as well."
        ]
        later = [f"{counted(n)} {word}" for word, n in found["later"].items() if n and word != "none-found"]
        notes.append(f"Later evidence: {', '.join(later) or 'none'}.")
        if source.unknown:
            notes.append(f"Not known of this source: {source.not_known}.")
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
    app.add_node(Recomputed, html=(visit_recomputed, depart_recomputed))
