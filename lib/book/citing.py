"""What the book tells sphinx_citable: its parts, what each says, and the source that each chapter reviews."""

from __future__ import annotations

import html
from pathlib import PurePosixPath

from lib import ROOT, records, words
from lib.book import marks, outputs, references, search
from lib.house import executed, prose
from lib.house.parts import parts
from lib.review import check_html

FEW_ROWS, FEW_COLUMNS, OPENING = 14, 6, 420
"""What of a table or of a figure's data a tag page shows, and how many characters of a section."""


def original(app, docname: str) -> dict | None:
    """CSL-JSON of the source that a page reviews; what is not known of it is said in words, in the title and in the note."""
    slug = PurePosixPath(docname).name
    if slug not in records.slugs():
        return None
    source = records.record(slug).source
    item = {
        "id": source.slug,
        "type": "article-journal" if source.volume else "webpage",
        "title": source.title
        or (f"{source.begins} [rest of the title not known]" if source.begins else "[title not known]"),
        "author": [author.csl for author in source.authors],
        "genre": source.kind,
        "note": source.unknown and f"not known of this {source.kind}: {source.not_known}",
        "container-title": source.container,
        "volume": source.volume,
        "issue": source.issue,
        "page": source.pages,
        "DOI": source.doi,
        "URL": source.url,
    }
    if source.year:
        item["issued"] = {"date-parts": [[source.year]]}
    return {k: v for k, v in item.items() if v}


def shown(app, row: dict) -> str:
    """What a part says, as HTML: the verdict on a claim with its reasons, a drawing, the data of a figure or table, or how
    a section begins.
    """
    if row["kind"] == "claim":
        found, _ = prose.verdict(row["label"].upper())
        told = check_html(found, marks.PAGE._replace(name="")).replace(
            f'<p class="check-says">{marks.typeset(found["says"])}</p>', ""
        )
        return references.leading(told, f"../../{row['page']}")  # the title of the page says it
    if row["kind"] == "section":
        said = search.words_of(app, row["page"]).get(row["label"], "")
        opening = said if len(said) <= OPENING else said[: said.rindex(" ", 0, OPENING)] + " …"
        return f"<p>{html.escape(opening, quote=False)}</p>" if opening else ""
    notebook = executed.read(ROOT / row["page"].replace(".html", ".ipynb"))
    entry = next(o.entry for o in executed.outputs(notebook, row["kind"]) if o.label == row["label"])
    file = f'<p class="q"><a href="../../data/{row["label"]}.csv" download>{row["label"]}.csv</a>, the data</p>'
    drawing = outputs.inline(entry | {"note": ""}, {"": entry["narrow"]}) if row["kind"] == "figure" else ""
    told = "".join(f"<p>{_set(entry[k])}</p>" for k in ("caption", "note") if entry.get(k) and entry[k] != row["title"])
    return drawing + told + _table(entry) + file


def _table(entry: dict) -> str:
    """The data of a figure or table, if they are few."""
    if len(entry["rows"]) > FEW_ROWS or len(entry["columns"]) > FEW_COLUMNS:
        return ""
    units = entry.get("units", {})
    heads = "".join(
        f'<th scope="col">{_set(c)}{f", {_set(units[c])}" if c in units else ""}</th>' for c in entry["columns"]
    )
    body = "".join(
        f'<tr><th scope="row">{_cell(first)}</th>{"".join(f"<td>{_cell(x)}</td>" for x in rest)}</tr>'
        for first, *rest in entry["rows"]
    )
    return f'<div class="scroll" tabindex="0" role="region" aria-label="Its data"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(value) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    return _set(value if isinstance(value, str) else words.number(value))


def _set(text: str) -> str:
    return marks.typeset(references.in_full(text))


def setup(app):
    app.connect("citable-shown", shown)
    app.connect("citable-parts", lambda app: parts())
    app.connect("citable-original", original)
