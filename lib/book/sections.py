"""Citable parts: explicit labels become the permalinks, every label has its tag, the site lists them for machines."""

from __future__ import annotations

import json
from pathlib import Path

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from lib import editions, records, registry
from lib.book import metadata, tagpages
from lib.house import executed

log = logging.getLogger(__name__)

PUBLISHED = ("tag", "label", "kind", "title", "page", "url", "sha256_text", "sha256_results", "changed", "state")


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
                log.warning(
                    "section %r has no label: write (sec-…)= above it",
                    title,
                    location=section,
                    type="book",
                    subtype="label",
                )


def finished(app, exception):
    if exception or app.builder.name != "html":
        return
    out = Path(app.outdir)
    parts = registry.sections()
    for part in parts:
        if part["tag"] is None:
            log.warning("label %s has no tag: run `python -m lib tags`", part["label"], type="book", subtype="tag")
    tagpages.write(app, parts)
    metadata.write(app, parts)
    editions.arrivals(out, parts)
    (out / "changes.js").write_text(editions.changes_js(parts), "utf-8")
    _write(
        out / "sections.json",
        [{k: p[k] for k in PUBLISHED} | {"edition": p.get("edition", app.config.edition)} for p in parts],
    )
    place = {p["label"]: p for p in parts}
    claims = [
        row
        | {
            "section": place[row["id"].lower()]["within"],
            "tag": place[row["id"].lower()]["tag"],
            "url": place[row["id"].lower()]["url"],
        }
        for row in executed.ledger()
        if row["id"].lower() in place
    ]
    cited = [
        records.record(s).source.model_dump(exclude={"rounding"}) for s in dict.fromkeys(c["source"] for c in claims)
    ]
    _write(out / "ledger.json", {"edition": app.config.edition, "sources": cited, "claims": claims})


def _write(path: Path, data) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")


def setup(app):
    for name in ("site_url", "edition", "edition_year"):
        app.add_config_value(name, "", "html")
    app.add_transform(ExplicitIdFirst)
    app.connect("build-finished", finished)
