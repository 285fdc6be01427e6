"""What the prose of a page prints: its words, and the values that its roles and directives put among them.

The site shows what stands here, and a section's results hash is taken of it: of a value where it is read, not where a
cell computed it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache

from lib import records
from lib.evidence import evidence
from lib.house import executed
from lib.verdicts import NOTHING, main_verdict, summary
from lib.words import counted
from whichdata.printed import Printed

# A build reads each record and each notebook once, however many words of the prose lead to them.
record = cache(records.record)
bound = cache(executed.bound)
ledger = cache(executed.ledger)

NOT_COMPUTED = "(not computed)"
"""What stands for a value of a chapter that stopped before it."""


class ProseError(ValueError):
    """A role that names nothing; one line that says what there is."""


@cache
def pages() -> dict[str, str]:
    """The page of each source whose chapter stands in the book, in reading order."""
    slugs = set(records.slugs())
    return {page.rpartition("/")[2]: page for page, _ in executed.contents() if page.rpartition("/")[2] in slugs}


def rows() -> list[dict]:
    """The ledger in the reading order of the chapters, of those that stand in the book."""
    return [row for slug in pages() for row in ledger() if row["source"] == slug]


@cache
def answer(slug: str) -> tuple[str, str]:
    """What a chapter asks and answers, as Markdown for another page: its values named by chapter, without its citations."""
    top, within = "", ""
    for token in (t for piece in executed.pieces(executed.chapter(slug)) for t in piece.tokens):
        if token.type == "fence" and token.info.startswith("{answer}"):
            within = token.content
        top = top or (
            token.content if token.type == "inline" and token.level == 1 and token.content.endswith("?") else ""
        )
    within = re.sub(r" ?\{cite\}`[^`]*`", "", within)
    return top, re.sub(r"(\{found\}`)(?![\w-]+:)", rf"\1{slug}:", within)


@cache
def slug_of(claim: str) -> str:
    """The source of a claim, by the prefix of its number."""
    prefix = claim.partition("-")[0]
    for slug in records.slugs():
        if record(slug).source.prefix == prefix:
            return slug
    raise records.SourceError(f"no source has claims named {prefix}-…")


def found(text: str, page: str) -> tuple[str, str, dict, str]:
    """What ``{found}`name unit``` or ``{found}`slug:name unit``` on a page names: the chapter, the name there, its value,
    and what is printed; of ``{found}`name (unit)``` the figure alone.

    Raises
    ------
    ProseError
        The chapter binds no such name, or binds it with another unit.
    """
    named, _, unit = text.partition(" ")
    slug, _, name = named.rpartition(":")
    slug = slug or page.rpartition("/")[2]
    values = bound(slug)
    if name not in values and executed.stopped(executed.chapter(slug)):
        return slug, name, {"text": NOT_COMPUTED}, NOT_COMPUTED
    if name not in values:
        near = ", ".join(get_close_matches(name, values, n=5, cutoff=0.4)) or "nothing of a like name"
        raise ProseError(f"chapters/{slug} binds no {name}; it binds {near}")
    value = values[name]
    understood = unit.startswith("(") and unit.endswith(")")
    if (unit[1:-1] if understood else unit) != value.get("unit", ""):
        raise ProseError(f"chapters/{slug} binds {value['text']}: write {{found}}`{named} {value.get('unit', '')}`")
    return slug, name, value, value["bare"] if understood else value["text"]


def reported(ref: str) -> str:
    """A reported figure as a sentence prints it, ``CML-37/percentage``, or the only one of ``CML-37``."""
    read = record(slug_of(ref))
    unit = read.entry(ref).unit
    return _words(read.figure(ref), unit) + ("%" if unit == "%" else "")


def _words(printed: Printed, unit: str) -> str:
    """A count below ten in words, other numbers in digits even where the source spelt one out, unless it left it vague."""
    spelt = not any(c.isdigit() for c in printed.text)
    if printed.value is None or printed.text.endswith("s"):  # thousands are not 1000
        return printed.text
    if unit in records.COUNTED and (spelt or printed.text.isdigit()) and 0 < printed.value < 10:
        return counted(int(printed.value))
    return f"{float(printed.value):g}" if spelt else printed.text


def verdict(text: str) -> tuple[dict, str]:
    """What ``{verdict}`CML-37``` names: the row of the ledger, and its verdict; ``CML-37/figures`` is that on figures.

    Raises
    ------
    ProseError
        No chapter judges the claim, or it reports no figures.
    """
    claim, _, of = text.partition("/")
    row = next((r for r in ledger() if r["id"] == claim), None)
    if row is None:
        raise ProseError(f"no chapter judges {claim}")
    if of not in ("", "figures"):
        raise ProseError(f"write {claim} or {claim}/figures")
    word = row["verdict_figures"] if of else main_verdict(row)
    if word is None:
        raise ProseError(f"{claim} reports no figures")
    return row, word


def of_source(slug: str) -> list[dict]:
    """The claims of a source as judged."""
    return [row for row in ledger() if row["source"] == slug]


def plain(found: Iterable[Mapping]) -> int:
    """How many claims have nothing to check."""
    return sum(row["verdict_figures"] == NOTHING for row in found)


def printed(tokens: Iterable, page: str) -> tuple[str, dict]:
    """The words of parsed Markdown, each value a dot among them; and the values printed, by name."""
    words: list[str] = []
    results: dict = {}
    _walk(tokens, page, words, results)
    return " ".join(words), results


def _walk(tokens: Iterable, page: str, words: list[str], results: dict) -> None:
    for token in tokens:
        if token.type == "inline":
            words.append("".join(_inline(child, page, results) for child in token.children))
        elif token.type in ("fence", "colon_fence") and token.info.startswith("{"):
            name, _, argument = token.info[1:].partition("}")
            if name in _DIRECTIVES:
                results |= _DIRECTIVES[name](argument.strip())
            content = "\n\n".join(map("\n\n".join, map(answer, pages()))) if name == "sources" else token.content
            _walk(executed.parse(content), page, words, results)
        elif token.type in ("fence", "colon_fence", "code_block", "html_block"):
            words.append(token.content)


def _inline(token, page: str, results: dict) -> str:
    if token.type != "myst_role":
        return " " if token.type in ("softbreak", "hardbreak") else token.content
    name, text = token.meta["name"], token.content
    if name == "found":
        slug, key, _, shown = found(text, page)
        results[key if slug == page.rpartition("/")[2] else f"{slug}:{key}"] = shown
    elif name == "reported":
        results[f"reported {text}"] = reported(text)
    elif name == "verdict":
        results[f"verdict {text}"] = verdict(text)[1]
    else:
        return text
    return "·"


def _counts(slug: str) -> dict:
    """The verdicts of a source that its drawings show and their words repeat."""
    found = summary(of_source(slug))
    return {f"verdicts {slug}": [found["figures"], found["counts"]["add up"], found["conclusions"]]}


def _card(slug: str) -> dict:
    found = of_source(slug)
    return _counts(slug) | {f"claims {slug}": [len(found), plain(found), summary(found)["later"]]}


_DIRECTIVES = {
    "source-card": _card,
    "ledger": lambda _: {row["id"]: row for row in rows()},
    "evidence": lambda slug: {
        f"evidence {slug} {key}": {name: str(cell) for name, cell in row.items() if cell}
        for key, row in evidence(slug).iterrows()
    },
}
"""What the directives print of results besides their content."""
