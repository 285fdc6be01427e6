"""Records held against the texts they are of: is every numeral of a text accounted for?"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from lib.records import Locator, Record

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million"
).split()
_OTHERS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth once twice single both half quarter double none"
).split()
LOOSE = frozenset([*_OTHERS, "one"])
"""Number words that mostly count nothing."""
_PLURALS = [w[:-1] + "ies" if w.endswith("y") else w + "es" if w.endswith("x") else w + "s" for w in _UNITS] + [
    "halves",
    "quarters",
    "doubles",
    "singles",
    "thirds",
    "fourths",
    "fifths",
    "sixths",
    "sevenths",
    "eighths",
    "ninths",
    "tenths",
    "seconds",
    "firsts",
]

NUMERAL = re.compile(
    r"[0-9]+(?:[.,][0-9]+)*|(?<![^\W\d_])(?:"
    + "|".join(sorted(_UNITS + _OTHERS + _PLURALS, key=len, reverse=True))
    + r")(?![^\W\d_])",
    re.IGNORECASE,
)
"""A numeral: digits with inner points or commas anywhere (in names and DOIs too), or a number word standing alone."""


def paragraphs(text: str) -> list[str]:
    """Runs of non-blank lines, in order."""
    return ["\n".join(lines) for filled, lines in groupby(text.split("\n"), lambda line: bool(line.strip())) if filled]


def fingerprint(raw: bytes) -> dict:
    """The fingerprint of a source text: sha256, bytes, and eight hexadecimal digits for each paragraph."""
    parts = paragraphs(raw.decode("utf-8"))
    short = [hashlib.sha256(p.encode()).hexdigest()[:8] for p in parts]
    return {"sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw), "paragraphs": short}


@dataclass(frozen=True)
class Numeral:
    """A numeral found in a text: where it stands and the characters themselves."""

    par: int
    start: int
    end: int
    printed: str


def numerals(text: str) -> list[Numeral]:
    """Every numeral of ``text`` in reading order."""
    return [
        Numeral(n, m.start(), m.end(), m.group())
        for n, p in enumerate(paragraphs(text), 1)
        for m in NUMERAL.finditer(p)
    ]


def _text_of(rec: Record, folder: Path) -> bytes:
    path = folder / rec.source.file
    if not path.is_file():
        raise FileNotFoundError(
            f"no text {rec.source.file} in {folder}: put the source texts there, or name their folder"
        )
    return path.read_bytes()


def verify(rec: Record, folder: Path) -> list[str]:
    """Faults of a record held against its text in ``folder``; empty if it holds.

    Raises
    ------
    FileNotFoundError
        The text is not in ``folder``.
    """
    name = f"{rec.source.slug}.yml"
    raw = _text_of(rec, folder)
    try:
        now = fingerprint(raw)
    except UnicodeDecodeError as error:
        return [f"{name}: source.file: {rec.source.file} is not UTF-8 at byte {error.start}; save it as UTF-8"]
    faults = []
    for field, value in now.items():
        stated = getattr(rec.text, field)
        if stated != value:
            if field == "paragraphs":
                at = next(
                    (i for i, (a, b) in enumerate(zip(stated, value), 1) if a != b), min(len(stated), len(value)) + 1
                )
                faults.append(
                    f"{name}: text.paragraphs: paragraph {at} differs from the record; expected {len(value)} paragraphs as in the text"
                )
            else:
                faults.append(f"{name}: text.{field}: {stated} in the record, {value} in the text")
    return faults + census(rec, raw.decode("utf-8")).faults


@dataclass(frozen=True)
class Census:
    """What became of every numeral of a text: ``rows`` of (numeral, owner, use), and the faults found on the way."""

    rows: list[tuple[Numeral, str, str]]
    unaccounted: list[Numeral]
    faults: list[str]


def census(rec: Record, text: str) -> Census:
    """Match the figures and non-claims of a record with the numerals of its text.

    The figures of a claim are looked for from left to right inside the claim's span; a figure uses every numeral in it.
    """
    parts = paragraphs(text)
    found = numerals(text)
    owner: dict[tuple[int, int], tuple[str, str]] = {}
    faults: list[str] = []
    name = f"{rec.source.slug}.yml"

    def use(par: int, start: int, end: int, who: str, what: str):
        inside = [n for n in found if n.par == par and n.start < end and n.end > start]
        if not inside:
            faults.append(f"{name}: {who}: {what}: no numeral at paragraph {par}, characters {start}–{end}")
        for n in inside:
            if n.start < start or n.end > end:
                faults.append(
                    f"{name}: {who}: {what}: covers only part of the numeral {n.printed!r} at {n.start}–{n.end}"
                )
            elif (n.par, n.start) in owner:
                faults.append(
                    f"{name}: {who}: {what}: the numeral {n.printed!r} in paragraph {n.par} at {n.start} is used twice; "
                    f"{owner[n.par, n.start][0]} has it already"
                )
            else:
                owner[n.par, n.start] = (who, what)

    def span(at: Locator, who: str) -> str | None:
        if at.par > len(parts):
            faults.append(f"{name}: {who}: at.par: paragraph {at.par}; the text has {len(parts)}")
            return None
        if at.end > len(parts[at.par - 1]):
            faults.append(f"{name}: {who}: at.end: character {at.end}; paragraph {at.par} has {len(parts[at.par - 1])}")
            return None
        return parts[at.par - 1][at.start : at.end]

    for claim in rec.claims:
        inside = span(claim.at, claim.id)
        if inside is None:
            continue
        position = 0
        for figure in claim.figures:
            hit = _stands(figure.printed, inside, position)
            if hit < 0:
                faults.append(
                    f"{name}: {claim.id}: figures.{figure.role}: {figure.printed!r} expected in {claim.at}, after character {claim.at.start + position}"
                )
                continue
            position = hit + len(figure.printed)
            use(claim.at.par, claim.at.start + hit, claim.at.start + position, claim.id, figure.role)
    for n, other in enumerate(rec.not_claims):
        who = f"not_claims[{n}]"
        inside = span(other.at, who)
        if inside is not None and inside != other.printed:
            faults.append(
                f"{name}: {who}: printed: {other.printed!r} in the record, {inside!r} in the text at {other.at}"
            )
        elif inside is not None:
            use(other.at.par, other.at.start, other.at.end, who, other.reason)
    rows = [(n, *owner[n.par, n.start]) for n in found if (n.par, n.start) in owner]
    return Census(rows, [n for n in found if (n.par, n.start) not in owner], faults)


def _stands(printed: str, text: str, start: int) -> int:
    """Where ``printed`` stands in ``text`` from ``start`` on, not as a piece of a longer number or word; −1 if
    nowhere.
    """
    before = r"(?<![^\W_])" if printed[0].isalpha() else r"(?<![0-9])(?<![0-9][.,])"
    after = r"(?![^\W_])" if printed[-1].isalpha() else r"(?![0-9]|[.,][0-9])"
    pattern = re.compile(before + re.escape(printed) + after)
    match = pattern.search(text, start)
    return match.start() if match else -1
