"""What a text looks like without its words: for each paragraph its length and its numerals with their places.

With it the census runs where the texts are not; none of a source's prose is in it.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from lib import records
from lib.house import census

SIGN = re.compile(r"[<>≤≥]\s?$|(?<=[\s(])[-−–]$")
"""A sign that belongs to the numeral after it."""


def text(source: str) -> str:
    """The skeleton of a text, as CSV: a row for each numeral, and one with no numeral for each paragraph's length.

    A sign before a numeral that may be part of the printed figure goes with it.
    """
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(("par", "start", "printed"))
    found = census.numerals(source)
    for par, paragraph in enumerate(census.paragraphs(source), 1):
        for n in (n for n in found if n.par == par):
            sign = SIGN.search(paragraph[: n.start])
            rows.writerow((par, n.start - (len(sign[0]) if sign else 0), (sign[0] if sign else "") + n.printed))
        rows.writerow((par, len(paragraph), ""))
    return out.getvalue()


def path(slug: str) -> Path:
    """Where the skeleton of a source's text stands, beside its record."""
    return records.SEEDS / f"{slug}.csv"


def blanked(slug: str) -> str:
    """The text of a source as its skeleton has it, every other character a dot."""
    paragraphs = [""]
    with path(slug).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            start = int(row["start"])
            paragraphs[-1] += "·" * (start - len(paragraphs[-1])) + row["printed"]
            if not row["printed"]:
                paragraphs.append("")
    return "\n\n".join(paragraphs[:-1])


def faults(slug: str) -> list[str]:
    """What is wrong with a record held against the skeleton of its text, a line each."""
    if not path(slug).is_file():
        return [f"seeds/{slug}.csv: missing: `python3 -m lib skeleton {slug} FOLDER` makes it from the text"]
    found = census.census(records.record(slug), blanked(slug))
    loose = [f"{slug}.yml: unaccounted: {n.printed!r}, paragraph {n.par}, characters {n.start}–{n.end}: give it to a claim or to not_claims"
             for n in found.unaccounted]  # fmt: skip
    return found.faults + loose
