"""The verdicts last accepted, so that none moves unnoticed."""

from __future__ import annotations

import csv

from lib import ROOT
from lib.house import executed
from lib.review import shown

ACCEPTED = ROOT / "registry" / "verdicts.csv"


def now() -> dict[str, str]:
    """The verdicts on every claim, on its figures, its conclusion and by later evidence, from the executed notebooks."""
    return {
        row["id"]: " / ".join([*shown(row), *([row["later"]["verdict"]] if row["later"] else [])])
        for row in executed.ledger()
    }


def moved() -> list[str]:
    """How the verdicts differ from those last accepted, one line a claim."""
    with ACCEPTED.open(encoding="utf-8", newline="") as file:
        before = {row["id"]: row["verdict"] for row in csv.DictReader(file)}
    today = now()
    return [
        f"{claim}: {before.get(claim, 'not judged')} → {today.get(claim, 'not judged')}"
        for claim in sorted(before.keys() | today.keys())
        if before.get(claim) != today.get(claim)
    ]


def accept() -> None:
    """Record the verdicts of the executed notebooks as the accepted ones."""
    with ACCEPTED.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "verdict"])
        writer.writerows(sorted(now().items()))
