"""Citable parts: explicit labels become the permalinks, every label has its tag, and the site lists them for machines."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from lib import ROOT, registry, review, sources

log = logging.getLogger(__name__)


class ExplicitIdFirst(SphinxTransform):
    """Make the explicit target (sec-x)= the section's first id: permalink, contents and search use the first."""

    default_priority = 600  # after PropagateTargets (260); at doctree-read (880) contents and numbers go wrong

    def apply(self, **kwargs):
        for section in self.document.findall(nodes.section):
            explicit = [
                self.document.nameids[n]
                for n in section.get("names", [])
                if self.document.nametypes.get(n) and self.document.nameids.get(n) in section["ids"]
            ]
            if explicit:
                section["ids"] = [explicit[0]] + [i for i in section["ids"] if i != explicit[0]]
            else:
                title = section.next_node(nodes.title).astext()
                log.warning("section %r has no label: write (sec-…)= above it", title, location=section, type="book", subtype="label")


def _tagged(app) -> list[dict]:
    """Every label of the book with its tag; a label without one is a warning that says how to get it."""
    tags = registry.tag_of()
    rows = []
    for item in registry.labels():
        if item.label not in tags:
            log.warning("label %s has no tag: run `python -m lib tags`", item.label, type="book", subtype="tag")
            continue
        rows.append({"item": item, "tag": tags[item.label], "url": f"{item.page}.html#{item.label}"})
    return rows


def section_of(page: str) -> dict[str, str]:
    """For each claim judged on a page, the label of the section its check stands in."""
    notebook = ROOT / f"{page}.ipynb"
    if not notebook.is_file():
        return {}
    current, found = "", {}
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            headings = re.findall(r"^\(([a-z0-9-]+)\)=\s*\n+#", "".join(cell["source"]), re.MULTILINE)
            current = headings[-1] if headings else current
        for output in cell.get("outputs", []):
            row = output.get("data", {}).get(review.LEDGER)
            if row:
                found[row["id"]] = current
    return found


def text_hash(page: str, label: str) -> str:
    """SHA-256 of the MyST and code of a section with its subsections, white space collapsed."""
    return hashlib.sha256(" ".join(_part(page, label).split()).encode()).hexdigest()


def _part(page: str, label: str) -> str:
    text = (ROOT / f"{page}.md").read_text("utf-8")
    start = re.search(rf"^\({re.escape(label)}\)=\s*\n+(#+)", text, re.MULTILINE)
    if not start:
        return label
    end = re.search(rf"^\([a-z0-9-]+\)=\s*\n+#{{1,{len(start[1])}}}\s", text[start.end() :], re.MULTILINE)
    return text[start.start() : start.end() + end.start()] if end else text[start.start() :]


def finished(app, exception):
    if exception or app.builder.name != "html":
        return
    out = Path(app.outdir)
    edition = app.config.book_edition
    rows = _tagged(app)
    parts = [
        {"tag": r["tag"], "label": r["item"].label, "kind": r["item"].kind, "title": r["item"].title, "page": r["item"].page + ".html",
         "url": r["url"], "edition": edition, "sha256_text": text_hash(r["item"].page, r["item"].label), "state": "live"}
        for r in rows
    ]  # fmt: skip
    _write(out / "sections.json", parts)
    place = {r["item"].label: r for r in rows}
    where = {claim: section for page in registry.pages() for claim, section in section_of(page).items()}
    claims = []
    for row in review.ledger():
        at = place.get(row["id"].lower())
        if at:
            claims.append(row | {"section": where[row["id"]], "tag": at["tag"], "url": at["url"]})
    cited = [sources.record(s).source.model_dump(exclude={"rounding"}) for s in dict.fromkeys(c["source"] for c in claims)]
    _write(out / "ledger.json", {"edition": edition, "sources": cited, "claims": claims})


def _write(path: Path, data) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")


def setup(app):
    for name in ("book_site_url", "book_repository", "book_edition"):
        app.add_config_value(name, "", "html")
    app.add_transform(ExplicitIdFirst)
    app.connect("build-finished", finished)
