"""Citations: one record for a part of the book and one for the work it is about, in four formats.

The record is CSL-JSON; a CSL processor makes the Vancouver text, pybtex the BibTeX, rispy the RIS.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, wraps
from pathlib import Path

import rispy
from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle, formatter
from citeproc.source.json import CiteProcJSON
from pybtex.database import BibliographyData, Entry, Person
from pybtex.database.output.bibtex import Writer

STYLE = Path(__file__).with_name("vancouver.csl")
HASH = 8
"""Hexadecimal digits of each hash in a citation, the fewest that ``verify`` takes."""


@dataclass(frozen=True)
class Book:
    """What every citation derives from, as the configuration states it; ``authors`` separated by ";"."""

    title: str
    authors: str
    edition: str
    year: str
    site_url: str
    repository: str

    @classmethod
    def of(cls, config) -> Book:
        """The book as the Sphinx configuration states it."""
        repository = (config.html_theme_options or {}).get("repository_url", "")
        edition = config.edition or config.release
        return cls(config.project, config.author, edition, config.edition_year, config.site_url.rstrip("/"), repository)

    @property
    def slug(self) -> str:
        """The book's title as a name of files and records."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")

    def names(self) -> list[dict]:
        """The authors in CSL form: "Family, Given" a person, a name without comma a group; ";" between them."""
        names = []
        for name in filter(None, (n.strip() for n in self.authors.split(";"))):
            family, comma, given = name.partition(",")
            names.append({"family": family.strip(), "given": given.strip()} if comma else {"literal": name})
        return names

    def holding(self, part: dict) -> Book:
        """The book as it was when it last held a part: of one that is gone, its last edition."""
        return replace(self, edition=part["edition"], year=part["date"][:4]) if "edition" in part else self

    def address(self, tag: str) -> str:
        """The permanent address of a tag; "" while the book has no address."""
        return f"{self.site_url}/t/{tag}/" if self.site_url else ""


def title(part: dict) -> str:
    """The title that a part is cited by, which names the chapter that it stands in."""
    return f"{part['chapter']}: {part['title']}" if part["chapter"] else part["title"]


def hashes(part: dict) -> list[str]:
    """The hashes of a part in a citation: of its text, and of its results where it prints any."""
    return [part[key][:HASH] for key in ("sha256_text", "sha256_results") if part[key]]


def part_item(book: Book, part: dict) -> dict:
    """CSL-JSON of one part of the book; its note holds the hashes by which a later reader verifies it."""
    item = {
        "id": f"{book.slug}-{part['tag']}",
        "type": "chapter",
        "title": title(part),
        "author": book.names(),
        "container-title": book.title,
        "edition": book.edition,
        "number": part["tag"],
        "URL": book.address(part["tag"]),
        "note": ", ".join(map(" ".join, zip(("text", "results"), hashes(part)))),
    }
    if book.year:
        item["issued"] = {"date-parts": [[int(book.year)]]}
    return {k: v for k, v in item.items() if v}


@cache
def _style() -> CitationStylesStyle:
    return CitationStylesStyle(str(STYLE), validate=False)


def lines(items: list[dict]) -> list[str]:
    """Each record as one line of Vancouver text."""
    return [_line(json.dumps(item, sort_keys=True)) for item in items]


def _once(form: Callable[[list[dict]], str]) -> Callable[[list[dict]], str]:
    """A format that writes the same records once: they stand on a tag's page and again on the page they are of."""
    kept: dict[str, str] = {}

    @wraps(form)
    def once(items: list[dict]) -> str:
        key = json.dumps(items)
        if key not in kept:
            kept[key] = form(items)
        return kept[key]

    return once


@_once
def vancouver(items: list[dict]) -> str:
    """The records as Vancouver (NLM) text, an empty line between them."""
    return "\n\n".join(lines(items)) + "\n"


@cache
def _line(record: str) -> str:
    """One record, which is printed on its tag's page and again on the page it stands on."""
    item = json.loads(record)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the processor names every CSL field it does not print
        shelf = CitationStylesBibliography(_style(), CiteProcJSON([item]), formatter.plain)
        shelf.register(Citation([CitationItem(item["id"])]))
        line = str(shelf.bibliography()[0])
    return re.sub(
        r"([.?!])\.+|(?<=/)\.$", r"\1", " ".join(line.split())
    )  # no stop doubled, none after an address that ends in /


_BIBTEX = {
    "title": "title",
    "container-title": "journal",
    "volume": "volume",
    "issue": "number",
    "page": "pages",
    "DOI": "doi",
    "URL": "url",
}


@_once
def bibtex(items: list[dict]) -> str:
    """The records as BibTeX."""
    entries = {}
    for item in items:
        chapter, journal = item["type"] == "chapter", item["type"] == "article-journal"
        names = {**_BIBTEX, "container-title": "booktitle" if chapter else "journal" if journal else "howpublished"}
        fields = [(names[k], item[k]) for k in names if k in item]
        if chapter:
            fields += [("edition", item["edition"]), ("note", f"Section {item['number']}, {item['note']}")]
        if "issued" in item:
            fields.append(("year", str(item["issued"]["date-parts"][0][0])))
        entry = Entry(
            "incollection" if chapter else "article" if journal else "misc",
            fields=[(k, _braced(v) if k in ("title", "booktitle") else v) for k, v in fields],
        )
        for name in item.get("author", []):
            person = (
                Person(last="{" + name["literal"] + "}")
                if "literal" in name
                else Person(first=name["given"], last=name["family"])
            )
            entry.add_person(person, "author")
        entries[item["id"]] = entry
    return _Braced().to_string(
        BibliographyData(entries)
    )  # named, for a search of all plugins takes longer than the writing


class _Braced(Writer):
    """Every value in braces, whatever it holds; addresses as they are, not escaped for TeX."""

    def quote(self, s):
        self.check_braces(s)
        return "{" + s + "}"

    def _write_field(self, stream, type, value):
        stream.write(f",\n    {type} = {self.quote(value if type in ('url', 'doi') else self._encode(value))}")


def _braced(text: str) -> str:
    """Title text whose capitals BibTeX styles must not lower."""
    return "{" + text.replace("{", "(").replace("}", ")") + "}"


_RIS_KINDS = {
    "chapter": "CHAP",
    "article-journal": "JOUR",
    "webpage": "ELEC",
    "book": "BOOK",
    "report": "RPRT",
    "thesis": "THES",
}
_RIS = {"title": "title", "volume": "volume", "issue": "number", "DOI": "doi"}


@_once
def ris(items: list[dict]) -> str:
    """The records as RIS."""
    rows = []
    for item in items:
        kind = _RIS_KINDS.get(item["type"], "GEN")
        row = {"type_of_reference": kind, "id": item["id"]} | {
            ours: item[csl] for csl, ours in _RIS.items() if csl in item
        }
        row["authors"] = [a.get("literal") or f"{a['family']}, {a['given']}" for a in item.get("author", [])]
        if "container-title" in item:
            row["secondary_title" if kind == "CHAP" else "journal_name"] = item["container-title"]
        if "page" in item:
            row["start_page"], _, end = item["page"].replace("–", "-").partition("-")
            row |= {"end_page": end} if end else {}
        if kind == "CHAP":
            row |= {"edition": item["edition"], "section": item["number"], "notes": [item["note"]]}
        if "issued" in item:
            row["year"] = str(item["issued"]["date-parts"][0][0])
        if "URL" in item:
            row["urls"] = [item["URL"]]
        rows.append(row)
    return rispy.dumps(rows, implementation=_Uncounted)


class _Uncounted(rispy.RisWriter):
    """RIS as its definition has it: a record begins with its type, not with a count."""

    def set_header(self, count):
        return ""


@_once
def csl_json(items: list[dict]) -> str:
    """The records as CSL-JSON, a field on each line."""
    rows = (
        ",\n".join(f"  {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in item.items()) for item in items
    )
    return "[\n" + ",\n".join(f" {{\n{row}\n }}" for row in rows) + "\n]\n"


FORMATS = (
    ("Vancouver", "cite.txt", vancouver),
    ("BibTeX", "cite.bib", bibtex),
    ("RIS", "cite.ris", ris),
    ("CSL-JSON", "cite.json", csl_json),
)
"""Each format: its name, its file beside the tag's page, and what makes it of the records."""


def records(book: Book, part: dict, original: dict | None) -> list[dict]:
    """The records of a part: itself and, where its page is about another work, that work's."""
    found = [part_item(book.holding(part), part)]
    return [*found, original] if original else found
