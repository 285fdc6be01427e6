"""The search: what each part of the book says, written once for the page that searches it.

The words are those of the built pages, so that what is found is what a reader sees. ``_static/search.js`` ranks them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

from lib import records
from lib.book import glossary, studies
from lib.house import prose
from sphinx_citable import citable

INDEX = "search-index.js"
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
_SILENT = frozenset("script style template svg nav noscript button h1 h2 h3 h4 h5 h6 caption".split())
_UNSAID = frozenset(
    "code cite-boxes cite-mark headerlink actions pad hidden caption-number table-caption figure-title section-number "
    "rerun rerun-line full-review changed references abbreviations check-id check-says cited scroll-hint ledger-tools ledger ledger-picture".split()
)
"""Classes of what is no text of a part: what explains or serves it, what names it, what repeats others."""
_BLOCKS = frozenset("p li dt dd div tr td th figcaption section table ul ol dl blockquote details summary".split())
SHORT = "Short version"
"""The heading of the section that answers a chapter's question."""
_DRAWING = re.compile(r"<svg\b.*?</svg>", re.DOTALL)


class _Said(HTMLParser):
    """The words of each labelled part, without those of the parts in it; ``known`` are the labels."""

    def __init__(self, known: Container[str]):
        super().__init__()
        self.known, self.parts, self.open, self.silent = known, {}, [], 0

    def handle_starttag(self, tag, attrs):
        if tag in _VOID:
            return
        given = dict(attrs)
        label = given.get("id") if given.get("id") in self.known else None
        kinds = set((given.get("class") or "").split())
        hushed = tag in _SILENT or tag != "body" and bool(kinds & _UNSAID) or given.get("aria-hidden") == "true"
        self.open.append((tag, label, hushed))
        self.silent += hushed
        if label:
            self.parts.setdefault(label, [])
        self._add("¶" if tag in _BLOCKS else "")

    def handle_endtag(self, tag):
        if tag in _VOID or tag not in (name for name, *_ in self.open):
            return
        if tag in _BLOCKS:
            self._add("¶")
        while self.open:
            name, _, hushed = self.open.pop()
            self.silent -= hushed
            if name == tag:
                break

    def handle_data(self, data):
        self._add(data.replace("¶", ""))

    def _add(self, text: str):
        label = next((label for _, label, _ in reversed(self.open) if label), None)
        if text and label and not self.silent:
            self.parts[label].append(text)


def said(page: str, known: Container[str]) -> dict[str, str]:
    """What each part of a page says, by label; between its blocks stands a middle dot, or nothing after a full stop."""
    reader = _Said(known)
    reader.feed(_DRAWING.sub("", page))
    return {label: _joined("".join(words)) for label, words in reader.parts.items()}


def _joined(text: str) -> str:
    blocks = [" ".join(b.split()) for b in text.split("¶")]
    out = ""
    for block in filter(None, blocks):
        out += (" " if not out or out[-1] in ".:;?!" else " · ") + block
    return re.sub(r" +(?=[.,;:)])", "", out).strip()


@lru_cache(maxsize=64)
def _of_file(path: Path, changed: int, known: frozenset[str]) -> dict[str, str]:
    return said(path.read_text("utf-8"), known)


def words_of(app, page: str) -> dict[str, str]:
    """What each part of a built page says, by label."""
    path, known = Path(app.outdir) / page, frozenset(r["label"] for r in citable(app).rows if r["page"] == page)
    return _of_file(path, path.stat().st_mtime_ns, known) if path.is_file() else {}


def parts(app) -> dict:
    """The index: ``pages`` (address, title), ``names`` that mean the same, and ``parts``, each with its kind, tag, label,
    place of its page and of the section it stands in, title, reported figures (of a claim), and words.
    """
    rows = [r for r in citable(app).rows if r["state"] == "live"]
    pages = list(dict.fromkeys(r["page"] for r in rows))
    titles = {r["page"]: r["title"] for r in rows if not r["within"]}
    at = {r["label"]: n for n, r in enumerate(rows)}
    reported = {row["id"].lower(): row["reported"] for row in prose.rows()}
    home, found = f"{glossary.PAGE}.html", []
    for r in rows:
        kind, title = "page" if r["kind"] == "section" and not r["within"] else r["kind"], r["title"]
        if kind == "section" and title == SHORT:
            kind, title = "answer", titles[r["page"]]
        text = words_of(app, r["page"]).get(r["label"], "")
        if r["page"] == home and r["within"] or r["page"].startswith(f"{studies.PAGE}-"):
            text = ""  # the entries are parts of their own
        place = pages.index(r["page"]), at.get(r["within"], -1)
        found.append([kind, r["tag"], r["label"], *place, title, reported.get(r["label"], ""), text])
    if home in pages:
        for anchor, name, meaning in glossary.entries():
            found.append(["term", "", anchor, pages.index(home), -1, name, "", meaning])
    for page, slug in ((f"{studies.PAGE}-{slug}.html", slug) for slug in records.slugs()):
        if page in pages:
            for anchor, title, text in studies.entries(slug):
                found.append(["evidence", "", anchor, pages.index(page), -1, title, "", text])
    return {"pages": [[p, titles.get(p, "")] for p in pages], "names": glossary.names(), "parts": found}


def write(app):
    """Write the index beside the script that reads it, which only the search page loads."""
    text = json.dumps(parts(app), ensure_ascii=False, separators=(",", ":"))
    (Path(app.outdir) / "_static" / INDEX).write_text(f"var BOOK = {text};\n", "utf-8", newline="\n")


def ours(app):
    """Sphinx makes no index of its own; the page of the search stays."""
    if app.builder.name == "html":
        app.builder.search = False


def page(app):
    """The page of the search."""
    return [("search", {}, "search.html")] if app.builder.name == "html" else []


def setup(app):
    app.connect("builder-inited", ours)
    app.connect("html-collect-pages", page)
