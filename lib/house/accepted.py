"""The verdicts last accepted, so that none moves unnoticed."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from datetime import UTC, datetime

from lib import ROOT, write
from lib.house import executed
from lib.review import shown

ACCEPTED = ROOT / "registry" / "verdicts.csv"
CHANGES = ROOT / "registry" / "changes.csv"
"""How accepted verdicts moved: append-only, a row for each claim that was judged before and is judged otherwise."""


def today() -> str:
    """The day on which something enters the registry: that of ``SOURCE_DATE_EPOCH``, else this one."""
    moment = int(os.environ.get("SOURCE_DATE_EPOCH", "0")) or None
    return (datetime.fromtimestamp(moment, UTC) if moment else datetime.now(UTC)).date().isoformat()


def now() -> dict[str, str]:
    """The verdicts on every claim, on its figures, its conclusion and by later evidence, from the executed notebooks."""
    return {
        row["id"]: " / ".join([*shown(row), *([row["later"]["verdict"]] if row["later"] else [])])
        for row in executed.ledger()
    }


def before() -> dict[str, str]:
    """The verdicts last accepted."""
    with ACCEPTED.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row["verdict"] for row in csv.DictReader(file)}


def moved() -> list[tuple[str, str, str]]:
    """How the verdicts differ from those last accepted: each claim with the verdict before and now, "" for none."""
    then, held = before(), now()
    return [
        (claim, then.get(claim, ""), held.get(claim, ""))
        for claim in sorted(then.keys() | held.keys())
        if then.get(claim) != held.get(claim)
    ]


def changes() -> list[dict[str, str]]:
    """The rows of ``registry/changes.csv``, oldest first: date, claim, from, to; none where there is no such file."""
    if not CHANGES.is_file():
        return []
    with CHANGES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def accept() -> None:
    """Record the verdicts of the executed notebooks as the accepted ones, and how those that were accepted before moved."""
    last = {row["claim"]: (row["from"], row["to"]) for row in changes()}  # entered, if this was cut short
    rows = [(today(), claim, then, to) for claim, then, to in moved() if then and to and last.get(claim) != (then, to)]
    if rows:
        stood = CHANGES.read_text("utf-8") if CHANGES.is_file() else _csv([("date", "claim", "from", "to")])
        write(CHANGES, stood + _csv(rows))
    write(ACCEPTED, _csv([("id", "verdict"), *sorted(now().items())]))


def _csv(rows: Iterable[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
