"""What the book tells sphinx_citable: its parts, and the source that each chapter reviews."""

from __future__ import annotations

from pathlib import PurePosixPath

from lib import records
from lib.house.parts import parts


def original(app, docname: str) -> dict | None:
    """CSL-JSON of the source that a page reviews, as far as it is known; an untitled one is named by the beginning of its
    title, if that is known, and by its kind.
    """
    slug = PurePosixPath(docname).name
    if slug not in records.slugs():
        return None
    source = records.record(slug).source
    item = {
        "id": source.slug,
        "type": "article-journal" if source.volume else "webpage",
        "title": source.title or " ".join(filter(None, (source.begins, f"[{source.kind}]"))),
        "author": [{"literal": a} for a in source.authors],
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


def setup(app):
    app.connect("citable-parts", lambda app: parts())
    app.connect("citable-original", original)
