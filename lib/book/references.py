"""One record for each publication, and on every page that mentions any the numbered list of them."""

from __future__ import annotations

import csv
import html
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from docutils import nodes
from pybtex.database import Entry, Person, parse_file
from sphinx.util import logging

from lib import ROOT, records
from lib.book import marks

log = logging.getLogger(__name__)

FILE = ROOT / "data" / "references.bib"
NAMED = 6
"""Authors named before "et al"."""
_KEY = re.compile(r"\[((?=[A-Za-z])[\w-]+)\]")
"""A word in square brackets."""
_IN_HTML = re.compile(rf"(<[^>]*>)|{_KEY.pattern}")
"""A tag, to be left alone, or such a word."""
_KEYLIKE = re.compile(r"[A-Z]\w*\d{4}\w*")


class Work(NamedTuple):
    """A publication as far as it is known, in the fields of a source's citation."""

    authors: list[str]
    title: str
    container: str
    year: str
    volume: str
    issue: str
    pages: str
    doi: str
    url: str
    begins: str = ""


@cache
def works() -> dict[str, Work | records.Citation]:
    """Every publication by its key: those of ``data/references.bib``, and the sources under review by their slugs."""
    read = parse_file(FILE, "bibtex").entries
    return {key: _work(entry) for key, entry in read.items()} | {s: marks.record(s).source for s in records.slugs()}


def _work(entry: Entry) -> Work:
    def field(*names: str) -> str:
        text = next((entry.fields[n] for n in names if n in entry.fields), "")
        return re.sub(r"[{}]", "", text).replace("--", "–")

    people = [_named(p) for p in entry.persons.get("author", [])]
    more = people[-1:] == ["others"] or len(people) > NAMED
    named = [p for p in people if p != "others"][:NAMED] + ["et al"] * more
    return Work(
        [", ".join(named)] if named else [], field("title"), field("journal", "howpublished"), field("year"),
        field("volume"), field("number"), field("pages"), entry.fields.get("doi", ""), entry.fields.get("url", ""),
    )  # fmt: skip


def _named(person: Person) -> str:
    """Family name and initials: "Altman DG", "Prchal JT"."""
    given = [part for name in [*person.first_names, *person.middle_names] for part in name.split("-")]
    family = " ".join([*person.prelast_names, *person.last_names]).strip("{}")
    return f"{family} {''.join(g[0] for g in given)}".rstrip()


def lacking() -> list[str]:
    """What stands between a row of evidence or a source and the record that it names, a line for each fault."""
    faults = [
        f"seeds/{slug}.yml: {field}: {no_record(key)}"
        for slug in records.slugs()
        for field in ("discusses", "fuller_report")
        if (key := getattr(marks.record(slug).source, field)) and key not in works()
    ]
    for path in sorted((ROOT / "data" / "evidence").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            faults += [
                f"data/evidence/{path.name}: row {row['id']} names no record; data/references.bib has none of the key "
                f"{row['reference']!r}: write one, or name another under reference"
                for row in csv.DictReader(file)
                if row["reference"] not in works()
            ]
    return faults


def alike() -> list[str]:
    """Records of one publication: the same DOI, or the same volume and page of one container."""
    first: dict[tuple, str] = {}
    faults = []
    for key, work in works().items():
        place = (work.container, work.volume, work.pages) if work.volume and work.pages else None
        for mark in filter(None, ((work.doi or "").lower(), place)):
            if first.setdefault(mark, key) != key:
                faults.append(f"data/references.bib: {first[mark]} and {key} are one publication: keep one of them")
    return faults


def anchor(key: str) -> str:
    """The id of a work in the list of a page."""
    return f"ref-{key.lower()}"


def mention(page, key: str, words: str = "") -> str:
    """A mention as HTML: ``words``, else the number in brackets, leading to the work's entry.

    ``page`` is the translator that writes the page; works are numbered as they are first mentioned. A script shows the
    entry beside a mention on hover and focus, and leads from it back: written out each time both would weigh too much.
    """
    seen: list[str] = page.document.attributes.setdefault("mentions", [])
    if key not in seen:
        seen.append(key)
    number = seen.index(key) + 1
    kind = f'known tipped" data-number="{number}' if words else "cited tipped"  # the number is for paper
    shown = html.escape(words or f"[{number}]", quote=False)
    return f'<a class="{kind}" href="#{anchor(key)}">{shown}</a>'


def mentions(page, text: str) -> str:
    """HTML of an output in which each key in square brackets, [Schoenfeld1983], has become a mention."""

    def put(match: re.Match) -> str:
        tag, key = match.groups()
        if tag or key not in works():
            if key and _KEYLIKE.fullmatch(key):
                log.warning("%s", no_record(key), location=page.builder.current_docname, type="book", subtype="work")
            return match[0]
        return mention(page, key)

    return _IN_HTML.sub(put, text)


def leading(text: str, uri: str) -> str:
    """HTML of an output in which each key in square brackets leads to the work's entry on the page at ``uri``."""

    def put(match: re.Match) -> str:
        key = match[2]
        if key not in works():
            return match[0]
        named = re.sub(r"(?<=[a-z])(?=\d{4})", " ", key)
        return f'<a href="{html.escape(uri)}#{anchor(key)}">[{named}]</a>'

    return _IN_HTML.sub(put, text)


def in_full(text: str) -> str:
    """Words of an output, for a file of its own: each key in square brackets has become the citation of its work."""
    return _KEY.sub(lambda m: f"({marks.citation_line(works()[m[1]])})" if m[1] in works() else m[0], text)


def no_record(key: str) -> str:
    """What to do about a key without a record."""
    return f"no record {key!r} in data/references.bib: write one, or correct the key"


class Mention(nodes.Inline, nodes.TextElement):
    """A mention of a work in prose, by ``key``."""


class Cite(marks.Role):
    """``{cite}`Schoenfeld1983```: the number of a work in the list of its page."""

    def make(self):
        if self.text not in works():
            raise KeyError(no_record(self.text))
        return Mention(key=self.text)


class References(nodes.General, nodes.Element):
    """The list of the works that a page mentions, known when the rest of it is written."""


def visit_mention(self, node):
    self.body.append(mention(self, node["key"], node.astext()))
    raise nodes.SkipNode


def visit_references(self, node):
    seen = self.document.get("mentions")
    if seen:
        up = "../" * self.builder.current_docname.count("/")
        items = "".join(map(entry, seen))
        self.body.append(
            '<section class="references" id="references" aria-labelledby="references-head">'
            f'<p class="eyebrow" id="references-head">References</p><ol>{items}</ol>'
            f'<p class="actions"><a href="{up}downloads/{FILE.name}" download>BibTeX</a></p></section>'
        )
    raise nodes.SkipNode


def entry(key: str) -> str:
    """The entry of a work in the list of a page, leading to the work."""
    work = works()[key]
    line, address = html.escape(marks.citation_line(work), quote=False), marks.address(work)
    if address:
        shown = f"doi:{work.doi}" if work.doi else urlsplit(address).netloc.removeprefix("www.")
        line += f' <a href="{html.escape(address)}">{html.escape(shown)}</a>'
    return f'<li id="{anchor(key)}">{line}</li>'


def place(app, doctree, docname):
    """Put the list at the end of the page."""
    top = doctree.next_node(nodes.section)
    if app.builder.format == "html" and top is not None:
        top += References()


def check(app):
    """Say of each row of evidence without a record, and of each publication with two, what to do."""
    for fault in [*lacking(), *alike()]:
        log.warning("%s", fault, type="book", subtype="work")


def write(app):
    """Write the records beside the bundles."""
    folder = Path(app.outdir) / "downloads"
    folder.mkdir(exist_ok=True)
    (folder / FILE.name).write_bytes(FILE.read_bytes())


def setup(app):
    app.add_role("cite", Cite())
    app.add_node(Mention, html=(visit_mention, None))
    app.add_node(marks.ToWork, html=(visit_mention, None))
    app.add_node(References, html=(visit_references, None))
    app.connect("builder-inited", check)
    app.connect("doctree-resolved", place, priority=600)  # below what else stands at the end of a page
