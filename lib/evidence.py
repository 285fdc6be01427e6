"""Published figures beside the sources: the tables of ``data/`` and what they say of a claim."""

from __future__ import annotations

import csv
from collections.abc import Iterable

import pandas as pd

from lib import ROOT

DIRECTIONS = ("supports", "against", "supersedes", "context")
EXTERNAL = ("supported", "contested", "not-supported", "superseded", "none-found")


class EvidenceError(ValueError):
    """A table of evidence that cannot be used; one line that says what to do."""


class Known(str):
    """A figure of the evidence table, as printed there: neither reported by the source nor computed here.

    ``row`` is the id of its row. What is computed from it is no longer one; say so where it is only worded anew, as in
    ``Known(f"{count} of {size}", row=count.row)``.
    """

    def __new__(cls, text: str, row: str):
        made = super().__new__(cls, text)
        made.row = row
        return made

    def __getnewargs__(self):  # how it is copied
        return str(self), self.row


def evidence(slug: str) -> pd.DataFrame:
    """The published figures a chapter uses for context (``data/evidence/<slug>.csv``), by id; every cell ``Known``,
    as printed.
    """
    path = ROOT / "data" / "evidence" / f"{slug}.csv"
    if not path.is_file():
        raise EvidenceError(f"no evidence table data/evidence/{slug}.csv")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    bare = table.loc[(table["citation"] == "") | (table["verified_in"] == ""), "id"]
    if len(bare) or table["id"].duplicated().any():
        raise EvidenceError(
            f"data/evidence/{slug}.csv: every row has one id, a citation and where it was read; see {', '.join(bare) or 'the ids'}"
        )
    rows = table["id"]
    return pd.DataFrame(
        {c: pd.Series([Known(v, i) for v, i in zip(table[c], rows)], dtype=object) for c in table if c != "id"}
    ).set_index(rows)


def appraisal() -> list[dict]:
    """The rows of ``data/appraisal.csv``: which evidence speaks to which claim, in which direction, and why.

    Raises
    ------
    EvidenceError
        A direction that is none of ``DIRECTIONS``.
    """
    path = ROOT / "data" / "appraisal.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["direction"] not in DIRECTIONS:
            raise EvidenceError(
                f"data/appraisal.csv: {row['claim']}: direction {row['direction']!r}; use one of {', '.join(DIRECTIONS)}"
            )
    return rows


def external(directions: Iterable[str]) -> str:
    """The word for later evidence: superseded if any row supersedes; else by whether rows support, speak against, or
    both.
    """
    said = set(directions) - {"context"}
    if "supersedes" in said:
        return "superseded"
    if said == {"supports"}:
        return "supported"
    if said == {"against"}:
        return "not-supported"
    return "contested" if said else "none-found"
