"""Citations: a record for each part of the book, and one for the work that a page is about, in four formats.

The record is CSL-JSON; a CSL processor makes the Vancouver text, pybtex the BibTeX, rispy the RIS.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
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


SET = {"site_url": "", "citable_abstract": "", "citable_license": [], "citable_publisher": "", "citable_editors": "",
       "citable_funder": "", "citable_doi": "", "citable_orcid": {}}  # fmt: skip
"""What a configuration may say of the book, with what each is where it does not."""


@dataclass(frozen=True)
class Book:
    """What every citation derives from; ``authors``, ``editors`` and ``funder`` separated by ";".

    ``edition`` is the version of a released edition, or "draft of …" with its commit, as far as they are known; ``date``
    its day and ``built`` that of the build, "" where unknown; ``root`` the page by which the whole book is cited; ``doi``
    is of the book as a whole and ``orcid`` by name; ``license`` has address, name and description.
    """

    title: str
    authors: str
    edition: str = "draft"
    date: str = ""
    site_url: str = ""
    repository: str = ""
    built: str = ""
    root: str = "index.html"
    language: str = "en"
    publisher: str = ""
    editors: str = ""
    funder: str = ""
    doi: str = ""
    orcid: dict[str, str] = field(default_factory=dict)
    license: tuple[str, ...] = ()
    abstract: str = ""

    @classmethod
    def of(cls, config, folder: Path) -> Book:
        """The book in ``folder`` as the Sphinx configuration states it: a draft, until ``holding`` knows an edition."""
        repository = (config.html_theme_options or {}).get("repository_url", "")
        words, day = draft(folder)
        given = {name.partition("_")[2]: getattr(config, name) for name in SET if name.startswith("citable_")}
        return cls(
            config.project, config.author, words, day, config.site_url.rstrip("/"), repository, day,
            f"{config.root_doc}.html", config.language or "en", **given,
        )  # fmt: skip

    @property
    def slug(self) -> str:
        """The book's title as a name of files and records."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")

    @property
    def year(self) -> str:
        """That of the edition or draft; "" where unknown."""
        return self.date[:4]

    def names(self, given: str | None = None) -> list[dict]:
        """The authors, or other names as ``given``, in CSL form: "Family, Given" a person, a name without comma a group."""
        names = []
        for name in filter(None, (n.strip() for n in (self.authors if given is None else given).split(";"))):
            family, comma, given = name.partition(",")
            names.append({"family": family.strip(), "given": given.strip()} if comma else {"literal": name})
        return names

    def holding(self, part: dict) -> Book:
        """The book as it last held a part in this state: an edition, or the draft where none does."""
        return replace(self, edition=part["edition"], date=part["date"]) if part["edition"] else self

    def whole(self, part: dict) -> bool:
        """Whether a part is the book itself."""
        return part["page"] == self.root and not part["chapter"]

    def kind(self, part: dict) -> str:
        """What a part is, as its citation calls it."""
        return "book" if self.whole(part) else part["kind"]

    def cited(self, part: dict) -> str:
        """The title that a part is cited by: of the chapter it stands in, its own, then its kind and tag."""
        own = self.title if self.whole(part) else part["title"].rstrip(".")
        chapter = f"{part['chapter']}: " if part["chapter"] not in ("", self.title) else ""
        return f"{chapter}{own} [{self.kind(part).capitalize()} {part['tag']}]"

    def address(self, tag: str) -> str:
        """The permanent address of a tag; "" while the book has no address."""
        return f"{self.site_url}/t/{tag}/" if self.site_url else ""


def git(folder: Path, *args: str) -> str:
    """What git says of the book in ``folder``; "" where it is in no repository."""
    try:
        return subprocess.run(["git", *args], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def draft(folder: Path) -> tuple[str, str]:
    """What the book in ``folder`` is between editions, and its day: from ``SOURCE_DATE_EPOCH`` and git, not the clock."""
    moment, _, commit = git(folder, "log", "-1", "--format=%ct %H", "--", ".").partition(" ")
    moment = os.environ.get("SOURCE_DATE_EPOCH") or moment
    day = datetime.fromtimestamp(int(moment), UTC).date().isoformat() if moment else ""
    later = " and later changes" if commit and git(folder, "status", "--porcelain", "-uno", ".") else ""
    return "draft" + (f" of {day}" if day else "") + (f", commit {commit[:10]}{later}" if commit else ""), day


def hashes(part: dict) -> list[str]:
    """The hashes of a part in a citation: of its text, and of its results where it prints any."""
    return [part[key][:HASH] for key in ("sha256_text", "sha256_results") if part[key]]


def part_item(book: Book, part: dict) -> dict:
    """CSL-JSON of one part of the book in its present state: of the last edition that holds it so, or of the draft.

    Its address leads to the tag's page and, as its note, holds the hashes by which a later reader verifies it.
    """
    book, whole, state = book.holding(part), book.whole(part), hashes(part)
    item = {
        "id": f"{book.slug}-{part['tag']}",
        "type": "book" if whole else "chapter",
        "title": book.cited(part),
        "author": book.names(),
        "container-title": "" if whole else book.title,
        "edition": book.edition,
        "publisher": book.publisher,
        "number": part["tag"],
        "language": book.language,
        "issued": _dated(book.date),
        "accessed": _dated(max(book.built, book.date)),
        "URL": book.site_url and f"{book.address(part['tag'])}#{'.'.join(state)}",
        "DOI": book.doi if whole else "",  # of a part it would lead to the book, and styles print it instead of the tag
        "note": ", ".join(map(" ".join, zip(("text", "results"), state))),
    }
    return {k: v for k, v in item.items() if v}


def _dated(day: str) -> dict | None:
    return {"date-parts": [list(map(int, day.split("-")))]} if day else None


def sorted_name(name: dict) -> str:
    """A name of CSL-JSON as lists sort it: "Family, Given", a group as it is."""
    return name.get("literal") or ", ".join(name[k] for k in ("family", "given") if k in name)


def iso(date: dict, between: str = "-") -> str:
    """A date of CSL-JSON in digits, as far as it is known."""
    return between.join(f"{n:02}" for n in date["date-parts"][0])


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
    for key, words in (("edition", "Edition " if item.get("edition", "")[:1].isdigit() else ""), ("note", "")):
        if said := words + item.get(key, ""):
            item[key] = said[0].upper() + said[1:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the processor names every CSL field it does not print
        shelf = CitationStylesBibliography(_style(), CiteProcJSON([item]), formatter.plain)
        shelf.register(Citation([CitationItem(item["id"])]))
        line = str(shelf.bibliography()[0])
    line = re.sub(r"([.?!])\.+", r"\1", " ".join(line.split()))  # no stop doubled, and none after an address
    return line.removesuffix(".") if "URL" in item else line


_BIBTEX = {
    "title": "title",
    "container-title": "journal",
    "edition": "edition",
    "publisher": "publisher",
    "volume": "volume",
    "issue": "number",
    "page": "pages",
    "DOI": "doi",
    "URL": "url",
    "note": "note",
}
_ENTRIES = {
    "chapter": ("inbook", "booktitle"),
    "book": ("book", ""),
    "article-journal": ("article", "journal"),
}
"""The BibTeX entry of each CSL type, and how it calls what contains the work."""
_BABEL = {"en": "english", "de": "ngerman", "fr": "french", "es": "spanish", "it": "italian", "nl": "dutch"}


@_once
def bibtex(items: list[dict]) -> str:
    """The records as BibTeX."""
    entries = {}
    for item in items:
        kind, holder = _ENTRIES.get(item["type"], ("misc", "howpublished"))
        names = _BIBTEX | {"container-title": holder}
        fields = [(names[k], item[k]) for k in names if k in item]
        if kind == "inbook":  # of which older styles print no booktitle
            fields = [(k, f"In {item['container-title']}; {v}" if k == "note" else v) for k, v in fields]
        if "issued" in item:
            fields.append(("year", str(item["issued"]["date-parts"][0][0])))
        if "accessed" in item and "URL" in item:
            fields.append(("urldate", iso(item["accessed"])))
        if language := _BABEL.get(item.get("language", "")):
            fields.append(("langid", language))
        entry = Entry(kind, fields=[(k, _braced(v) if k in ("title", "booktitle") else v) for k, v in fields])
        for name in item.get("author", []):
            literal = "others" if name.get("literal") == "et al." else "{" + name.get("literal", "") + "}"
            person = (
                Person(last=literal) if "literal" in name else Person(first=name.get("given", ""), last=name["family"])
            )
            entry.add_person(person, "author")
        if not entry.persons:  # what a style sorts and labels it by
            entry.fields["key"] = item["id"]
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
_RIS = {
    "title": "title",
    "edition": "edition",
    "publisher": "publisher",
    "volume": "volume",
    "issue": "number",
    "DOI": "doi",
    "language": "language",
    "genre": "type_of_work",
}


@_once
def ris(items: list[dict]) -> str:
    """The records as RIS."""
    rows = []
    for item in items:
        kind = _RIS_KINDS.get(item["type"], "GEN")
        row = {"type_of_reference": kind, "id": item["id"]} | {
            ours: item[csl] for csl, ours in _RIS.items() if csl in item
        }
        row["authors"] = list(map(sorted_name, item.get("author", [])))
        if held := item.get("container-title"):  # of a book by both names, for readers know one or the other
            row |= {"secondary_title": held, "book_title": held} if kind == "CHAP" else {"journal_name": held}
        if "page" in item:
            row["start_page"], _, end = item["page"].replace("–", "-").partition("-")
            row |= {"end_page": end} if end else {}
        row |= {"section": item["number"]} if "number" in item else {}
        row |= {"notes": [item["note"]]} if "note" in item else {}
        if "issued" in item:
            row["year"] = str(item["issued"]["date-parts"][0][0])
            row |= {"date": iso(item["issued"], "/")} if item["issued"]["date-parts"][0][1:] else {}
        if "URL" in item:
            row["urls"] = [item["URL"]]
        if "accessed" in item:
            row["access_date"] = iso(item["accessed"], "/")
        rows.append(row)
    return rispy.dumps(rows, implementation=_Uncounted)


class _Uncounted(rispy.RisWriter):
    """RIS as its definition has it: a record begins with its type, not with a count."""

    DEFAULT_MAPPING = rispy.config.TAG_KEY_MAPPING | {"BT": "book_title"}

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


def source(item: dict, file: str) -> str:
    """The file, below ``t/``, in which the work that a page is about stands alone: once, whatever part is cited."""
    return f"source/{item['id']}{file.removeprefix('cite')}"
