"""The ledger page: every claim of every source in one table, complete without scripts; its drawing, files and codebook."""

from __future__ import annotations

import csv
import html
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from lib import records, review, verdicts
from lib.book import marks, references
from lib.house import executed
from lib.house.prose import pages, rows
from lib.verdicts import LATER, NOTHING, main_verdict, summary
from lib.words import WITHHELD
from sphinx_citable import citable


def _values(words: Iterable[str]) -> str:
    return ", ".join(f"`{w}`" for w in words)


CLAIM = {
    "id": "number of the claim, permanent: the prefix of its source and a number; the row is linked as `ledger.html#cml-37`",
    "source": "the source that makes the claim, by the name of its chapter's address",
    "kind": f"what is claimed: of figures {_values(records.FIGURE_KINDS)}; drawn from them {_values(records.ARGUED)}; "
    f"with nothing to check {_values(records.PLAIN)}",
    "says": "the claim in one sentence of ours",
    "reported": "its figures as the source printed them, with units, separated by semicolons; one a row in ledger-figures.csv",
    "recomputed": "what data consistent with the source give for them, in words; empty where nothing could be computed",
    "verdict_figures": f"gravest verdict on its figures: {_values(verdicts.FIGURES)} or {_values([NOTHING])}; empty where it has none",
    "verdict_conclusion": f"verdict on what it concludes: {_values(verdicts.CONCLUSIONS)} or {_values([NOTHING])}; empty where it "
    "concludes nothing",
    "reason": "why, in words",
    "severity": "share of other values that the weakest of its checks would have refused, 0 to 1; empty where none was made",
    "clash": "claims that cannot all be true share this name; else empty",
    "evidence": "rows of the chapter's evidence table that speak of it, by their ids, separated by spaces",
    "section": "label of the section in which it is checked",
    "tag": "permanent tag of the claim: `t/TAG/` is its page",
    "url": "address of its check, from the top of the site",
}
"""The fields of a claim that ``ledger.csv`` and ``ledger.json`` share, with what they mean."""
LATER_CSV = {
    "later": f"verdict of later evidence: {_values(LATER)}; empty for opinions and accounts",
    "deciding": "the row of the evidence table that decides it; empty where none does",
    "rule": "how it decides it, in words",
}
ONLY_JSON = {
    "at": "its place in the text of the source: `par`, the paragraph; `start` and `end`, characters within it",
    "figures": "a list of its judged figures, each with the fields `role` to `readings` of ledger-figures.csv; `reported` with "
    "its unit",
    "later": "verdict of later evidence, with `verdict`, `deciding` and `rule` as in ledger.csv; null for opinions and accounts",
}
FIGURE = {
    "id": "number of the claim",
    "source": "the source that makes the claim, by the name of its chapter's address",
    "role": "the part that the figure plays in its claim; with the number it names the figure",
    "reported": "the figure as the source printed it, without its unit; empty for details of a private person",
    "relation": "`=`, or how the figure bounds a value: `<`, `>`, `<=`, `>=`; `ns` where the source says no more than that a "
    "test was not significant",
    "value": "the same as a number, that of a bound where it is one; empty for `ns` and for details of a private person",
    "unit": "its unit; `p` is a p value, `year` a calendar year",
    "recomputed": "what data consistent with the source give, in words with the unit; empty where nothing could be computed",
    "verdict": f"{_values(verdicts.FIGURES)}; {_values([NOTHING])} where the claim only cites, dates, defines or tells",
    "check": f"what was recomputed: {_values(verdicts.CHECKS)}; empty where nothing was",
    "severity": "share of other values that the check would have refused, 0 to 1",
    "convention": "the rule or variant by which it was recomputed",
    "readings": "conventions or readings under which the figure comes out, separated by ` | `, where several were tried",
    "tag": "permanent tag of the claim",
    "url": "address of its check, from the top of the site",
}
"""The columns of ``ledger-figures.csv``, with what they mean."""
FILES = {
    "ledger.csv": ("One row a claim, in the order of the sources.", CLAIM | LATER_CSV),
    "ledger-figures.csv": ("One row a reported figure, of every claim: the long form, for analysis.", FIGURE),
    "ledger.json": (
        "`edition`, the edition of the book; `sources`, the citation of each source; `claims`, a list with the same as "
        "ledger.csv and in full:",
        CLAIM | ONLY_JSON,
    ),
}
"""What can be downloaded: each file with what it holds, and its columns or fields with their meaning."""


class Ledger(nodes.General, nodes.Element):
    """The table of all claims; written when pages know one another's addresses."""


class Codebook(SphinxDirective):
    """``{codebook} ledger.csv``: what the file holds, and its columns with their values and meaning."""

    required_arguments = 1

    def run(self):
        holds, columns = FILES[self.arguments[0]]
        lines = "".join(f"<dt><code>{name}</code></dt><dd>{codes(said)}</dd>" for name, said in columns.items())
        return [nodes.raw("", f'<p>{codes(holds)}</p><dl class="codebook">{lines}</dl>', format="html")]


def codes(text: str) -> str:
    """Words as HTML, those between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", marks.typeset(text))


class LedgerDirective(SphinxDirective):
    """``{ledger}``: the drawing of the counts, the tools and the table."""

    def run(self):
        return [Ledger()]


_ORDERS = {
    "id": "claim", "says": "words", "reported": "figure reported, by unit", "verdict": "verdict, gravest first", "later": "later evidence",
}  # fmt: skip
"""The columns that have an order."""
_GRAVEST_FIRST = (
    "does-not-follow", "discrepant", "overstated", "compatible", "follows", "reproduced", "restated", "not-checkable",
    NOTHING,
)  # fmt: skip


def _title(builder, page: str) -> str:
    return builder.env.titles[page].astext()


def _choice(name: str, words: dict[str, str], label: str, unset: str = "all") -> str:
    e = html.escape
    options = "".join(f'<option value="{e(value)}">{e(shown)}</option>' for value, shown in words.items())
    return (
        f'<div><label for="by-{name}">{label}</label><select id="by-{name}" name="{name}">'
        f'<option value="">{unset}</option>{options}</select></div>'
    )


def tools(found: list[dict], names: dict[str, str]) -> str:
    """The form that a script makes work: search, four filters, the order, and how many rows are shown."""

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
        + _choice(
            "sort", _ORDERS | {f"-{k}": f"{v}, reversed" for k, v in _ORDERS.items()}, "Order", "what cannot hold first"
        )
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
    figure = next(iter(records.record(row["source"])[row["id"]].figures), None)
    if figure and figure.value.value is not None and figure.unit != WITHHELD:
        data |= {"unit": figure.unit, "value": f"{float(figure.value.value):g}"}
    told_of = " ".join(f'data-{key}="{html.escape(value)}"' for key, value in data.items())
    return f'<tr id="{row["id"].lower()}" {told_of}>{cells}</tr>'


class Downloads(SphinxDirective):
    """``{ledger-files}``: the ledger's files, each with what it is for."""

    def run(self):
        up = "../" * self.env.docname.count("/")
        items = " ".join(f'<a href="{up}{file}" download>{file}</a>' for file in FILES)
        return [nodes.raw("", f'<p class="ledger-files">{items}</p>', format="html")]


def visit_ledger(self, node):
    here, where = self.builder.current_docname, pages()
    found = rows()
    names = {slug: _title(self.builder, page) for slug, page in where.items()}
    uris = {slug: self.builder.get_relative_uri(here, page) for slug, page in where.items()}
    heads = "".join(f'<th scope="col" data-key="{key}">{words}</th>' for key, words in _HEADS.items())
    gravest = sorted(found, key=lambda r: _GRAVEST_FIRST.index(main_verdict(r)))
    body = "".join(line(r, f"{uris[r['source']]}#{r['id'].lower()}") for r in gravest)
    self.body.append(
        f"{picture(found, names)}{tools(found, names)}"
        '<table class="ledger"><caption class="hidden">Every claim with its verdict</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    )
    raise nodes.SkipNode


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
    told = {"edition": book.standing.edition, "sources": cited, "claims": claims}
    text = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    (out / "ledger.json").write_text(text, "utf-8", newline="\n")
    for c in claims:
        if c.keys() != (CLAIM | ONLY_JSON).keys():
            raise ValueError(
                f"{c['id']}: say in lib.book.ledger what {', '.join(c.keys() ^ (CLAIM | ONLY_JSON).keys())} means"
            )
    _table(out / "ledger.csv", (_flat(c) for c in claims))
    _table(out / "ledger-figures.csv", (row for c in claims for row in _figures(c)))


def _table(file: Path, rows: Iterable[dict]):
    """Write rows of exactly the columns that the codebook explains."""
    _, columns = FILES[file.name]
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _flat(claim: dict) -> dict:
    later = claim["later"] or {"verdict": "", "deciding": "", "rule": ""}
    told = {"later": later["verdict"], "deciding": later["deciding"], "rule": later["rule"]}
    return {k: v for k, v in claim.items() if k in CLAIM} | told | {"evidence": " ".join(claim["evidence"])}


def _figures(claim: dict) -> Iterator[dict]:
    """A row for each figure of a claim, also of one with nothing to check."""
    judged = {f["role"]: f for f in claim["figures"]}
    for figure in records.record(claim["source"])[claim["id"]].figures:
        shown = figure.unit != WITHHELD
        found = judged.get(figure.role, {"verdict": NOTHING, "readings": []})
        yield (
            {k: claim[k] for k in ("id", "source", "tag", "url")}
            | found
            | {
                "role": figure.role,
                "reported": figure.printed if shown else "",
                "relation": figure.value.relation if shown else "",
                "value": f"{float(figure.value.value):g}" if shown and figure.value.value is not None else "",
                "unit": figure.unit,
                "readings": " | ".join(found["readings"]),
            }
        )


def scripts(app, pagename, template, context, doctree):
    """The script of the ledger, on its page alone."""
    if doctree is not None and any(doctree.findall(Ledger)):
        context["script_files"] = [*context["script_files"], "_static/ledger.js"]


def setup(app):
    app.add_directive("ledger", LedgerDirective)
    app.add_directive("ledger-files", Downloads)
    app.add_directive("codebook", Codebook)
    app.connect("html-page-context", scripts, priority=950)  # after the site has chosen what every page loads
    app.add_node(Ledger, html=(visit_ledger, None))
