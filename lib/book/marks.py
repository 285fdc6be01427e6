"""Words on the page that are bound to records and results: reported and recomputed figures, verdicts, the source card."""

from __future__ import annotations

import html
from collections import Counter
from pathlib import PurePosixPath

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.addnodes import pending_xref
from sphinx.util.docutils import SphinxDirective, SphinxRole

from lib import review, sources
from lib.reported import Printed


def _words(printed: Printed) -> str:
    """A printed figure for a sentence: digits even where the source spelt the number out."""
    if any(c.isdigit() for c in printed.text):
        return printed.text
    return f"{float(printed.value):g}" if printed.value is not None else printed.text


def slug_of(prefix: str) -> str:
    """The source whose claims begin with ``prefix``."""
    for slug in sources.slugs():
        if sources.record(slug).source.prefix == prefix:
            return slug
    raise sources.SourceError(f"no source has claims named {prefix}-…")


class Role(SphinxRole):
    """A role whose faults are build warnings with their place, not tracebacks."""

    def run(self):
        try:
            return [self.make()], []
        except (ValueError, KeyError) as error:
            return [], [self.inliner.reporter.error(f"{self.name} {self.text!r}: {error}", line=self.lineno)]

    def link(self, claim_id: str, *children: nodes.Node) -> nodes.Node:
        """A reference to the check of a claim, wherever it stands."""
        ref = pending_xref("", refdomain="std", reftype="ref", reftarget=claim_id.lower(), refexplicit=True, refwarn=True, refdoc=self.env.docname)
        ref += nodes.inline("", "", *children, classes=["std", "std-ref"])
        return ref


class Reported(Role):
    """``{reported}`CML-37/percentage```: the figure as printed, leading to its claim."""

    def make(self):
        ref, _, role = self.text.partition("/")
        record = sources.record(slug_of(ref.partition("-")[0]))
        printed = record.figure(self.text)
        figure = next(f for f in record[ref].figures if f.role == role or not role)
        unit = "%" if figure.unit == "%" else ""
        return self.link(ref, nodes.inline("", _words(printed) + unit, classes=["reported"]))


class Found(Role):
    """``{found}`name```: a value this chapter computed (``{found}`slug:name``` for another's)."""

    def make(self):
        slug, _, name = self.text.rpartition(":")
        slug = slug or PurePosixPath(self.env.docname).name
        values = review.bound(slug)
        if name not in values:
            raise KeyError(f"chapters/{slug} binds no {name}; it binds {', '.join(sorted(values))}")
        self.env.note_dependency(f"chapters/{slug}.ipynb")
        return nodes.inline("", values[name]["text"], classes=["recomputed"])


class Verdict(Role):
    """``{verdict}`CML-37```: the lozenge of a claim, leading to its check."""

    def make(self):
        row = next((r for r in review.ledger() if r["id"] == self.text), None)
        if row is None:
            raise KeyError(f"no chapter judges {self.text}")
        mark = nodes.inline("", f"{review.MARKS[row['verdict']]} {row['verdict']}", classes=["verdict", f"verdict-{row['verdict']}"])
        return self.link(self.text, mark)


class Claim(Role):
    """``{claim}`CML-37```: a link to the check of a claim."""

    def make(self):
        return self.link(self.text, nodes.Text(self.text))


def bar(counts: Counter) -> str:
    """Five counts as one bar of shapes, each with its word."""
    parts = []
    for verdict, mark in review.MARKS.items():
        n = counts[verdict]
        shapes = f'<span class="shapes" aria-hidden="true">{mark * n}</span>' if n else ""
        parts.append(f'<li class="verdict-{verdict}{"" if n else " empty"}">{shapes}<span class="count">{n}</span> {verdict}</li>')
    return f'<ul class="verdict-bar" aria-label="Verdicts">{"".join(parts)}</ul>'


def citation_line(source: sources.Citation) -> str:
    """A source in one line, as far as it is known."""
    where = " ".join(x for x in (source.container, str(source.year or "")) if x)
    if source.volume:
        where += f";{source.volume}" + (f"({source.issue})" if source.issue else "") + (f":{source.pages}" if source.pages else "")
    parts = ["; ".join(source.authors), source.title, where]
    return ". ".join(p.rstrip(".") for p in parts if p) + "."


class SourceCard(SphinxDirective):
    """``{source-card} slug``: what is reviewed, its verdict counts, and what could not be checked."""

    required_arguments = 1
    option_spec = {"design": directives.unchanged}

    def run(self):
        slug = self.arguments[0]
        record = sources.record(slug)
        rows = [r for r in review.ledger() if r["source"] == slug]
        self.env.note_dependency(f"chapters/{slug}.ipynb")
        unchecked = Counter(r["reason"] for r in rows if r["verdict"] == "unchecked")
        e = html.escape
        out = [f'<div class="source-card"><p class="citation">{e(citation_line(record.source))}</p>']
        if "design" in self.options:
            out.append(f'<p class="design">{e(self.options["design"])}</p>')
        out.append(bar(Counter(r["verdict"] for r in rows)))
        if unchecked:
            words = ", ".join(f"{n} {reason}" for reason, n in unchecked.most_common())
            out.append(f'<p class="card-note">{len(rows)} claims. Unchecked: {e(words)}.</p>')
        if record.source.unknown:
            out.append(f'<p class="card-note">Not known of this source: {e(", ".join(record.source.unknown))}.</p>')
        return [nodes.raw("", "".join(out) + "</div>", format="html")]


def setup(app):
    app.add_role("reported", Reported())
    app.add_role("found", Found())
    app.add_role("verdict", Verdict())
    app.add_role("claim", Claim())
    app.add_directive("source-card", SourceCard)
