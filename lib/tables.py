"""How a table looks: caption above, units in the header, figures aligned on the decimal, a note beneath."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from numbers import Real
from typing import NamedTuple

import pandas as pd
from IPython.display import display

from lib import TABLE, canonical
from lib.evidence import certainty
from lib.values import Value, opening
from lib.words import number

UNSEEN = 'aria-hidden="true" style="visibility:hidden"'
"""What hides the digits that only align a column, in a notebook too, which has no style sheet."""
_NUMBER = re.compile(r"[−-]?[\d,]*\.?\d+")
_PHONE = 45  # characters of a table's type that stand side by side on a phone, by measurement
_READABLE = 14  # a column of words narrower than this breaks them all
_SHORT = 14  # what fits a third of a phone's width
# What no line can break must fit a phone of 375 px in the widest type a machine may fall back to, DejaVu Sans: in a
# table its letters take 7.8 px on average and its digits 8.8, say 8.4 between them, and a tenth more where bold.
_WIDE, _BOLD = 8.4, 1.1
# In px, by book.css: the room of a table there, a third of it, the gap between columns, the least of a row's heading.
_ROOM, _THIRD, _GAP, _HEAD = 335, 103, 12, 83


def table(
    frame: pd.DataFrame,
    label: str,
    caption: str,
    note: str = "",
    units: Mapping[str, str] | None = None,
    reported: Iterable[str] = (),
    recomputed: Iterable[str] = (),
    strong: Iterable[int] = (),
    why: Mapping[str, str] | None = None,
    cells: Mapping[tuple[int, str], str] | None = None,
) -> None:
    """Show ``frame`` as a table of the book; its first column heads the rows.

    ``label`` is the permanent address (``tab-…``) · ``units`` by column · ``reported``, ``recomputed``: columns in
    those colours; ``cells``: the colour of one cell, by row and column, ``""`` for none · ``strong``: positions of the rows
    that matter · ``why``: the reasons for a certainty, by row, folded below. A table too wide for a phone is marked ``stacks``:
    there each row becomes a block whose figures carry their column's name.

    Raises
    ------
    ValueError
        The label is no address, or the frame is empty.
    """
    if not re.fullmatch(r"tab-[a-z0-9-]+", label):
        raise ValueError(f"{label!r}: a table's label is tab- and lower-case words joined by hyphens")
    if frame.empty:
        raise ValueError(f"{label}: the table has no rows")
    units = units or {}
    kind = {c: "reported" for c in reported} | {c: "recomputed" for c in recomputed}
    texts = [[_cell(v) for v in row] for row in frame.itertuples(index=False)]
    places = [max((_decimals(row[i]) for row in texts), default=0) for i in range(len(frame.columns))]
    numeric = [
        all(_is_figure(row[i]) for row in texts) and any(_NUMBER.fullmatch(row[i]) for row in texts)
        for i in range(len(frame.columns))
    ]

    coloured = cells or {}
    strong, measured = set(strong), (list(frame.columns), units, texts, numeric)
    stacks = _width(*measured) > _PHONE or _widest(*measured, strong) > _ROOM
    long = [stacks and not numeric[i] and any(len(row[i]) > _SHORT for row in texts) for i in range(len(frame.columns))]

    short = [i for i in range(1, len(long)) if not long[i]]
    wide = any(_WIDE * _word(row[i]) > _THIRD for row in texts for i in short)
    abreast = "two" if stacks and (wide or len(short) in (2, 4)) else ""  # else three, none left over
    if why:
        abreast, long = "two findings", [False] * len(long)

    def named(i: int, role: str) -> str:
        if not stacks:
            return ""
        column = frame.columns[i]
        unit = f", {units[column]}" if column in units else ""
        return f' role="{role}" data-head="{html.escape(column + unit)}"'

    def head(i: int, column: str) -> str:
        unit = f' <span class="unit">{html.escape(units[column])}</span>' if column in units else ""
        role = ' role="columnheader"' if stacks else ""
        return f'<th scope="col"{role}{_class("num" if numeric[i] else "", kind.get(column, ""))}>{html.escape(column)}{unit}</th>'

    def body(n: int, row: list[str]) -> str:
        cells = []
        for i, text in enumerate(row):
            shown = html.escape(text) + (_pad(text, places[i]) if numeric[i] else "")
            if i == 0:
                cells.append(
                    f'<th scope="row"{named(i, "rowheader")}{_class("num" if numeric[i] else "")}>{shown}</th>'
                )
            else:
                origin = coloured.get((n, frame.columns[i]), kind.get(frame.columns[i], ""))
                look = _class("num" if numeric[i] else "", "long" if long[i] else "", origin)
                cells.append(f"<td{named(i, 'cell')}{look}>{shown}</td>")
        return f"<tr{row_role}{_class('strong' if n in strong else '')}>{''.join(cells)}</tr>"

    # A row drawn as a block loses its meaning for a screen reader unless the roles are written out.
    row_role, part_role, table_role = (f' role="{r}"' if stacks else "" for r in ("row", "rowgroup", "table"))
    columns = "".join(head(i, c) for i, c in enumerate(frame.columns))
    rows = "".join(body(n, r) for n, r in enumerate(texts))
    foot = f'<p class="table-note">{html.escape(note)}</p>' if note else ""
    if why:
        reasons = "".join(f"<p><b>{html.escape(row)}:</b> {html.escape(reason)}</p>" for row, reason in why.items())
        foot += f'<details class="table-note"><summary>Why this certainty</summary>{reasons}</details>'
    page = (
        f'<div{_class("book-table", "stacks" if stacks else "", abreast)} data-label="{label}">'
        f"<table{table_role}><caption>{html.escape(caption)}</caption><thead{part_role}><tr{row_role}>{columns}</tr></thead>"
        f"<tbody{part_role}>{rows}</tbody></table>{foot}</div>"
    )
    data = {"label": label, "caption": caption, "columns": list(frame.columns), "units": dict(units), "rows": texts}
    data["note"] = " ".join([note, *(f"{row}: {reason}" for row, reason in (why or {}).items())]).strip()
    display({TABLE: canonical(data), "text/html": page, "text/plain": frame.to_string(index=False)}, raw=True)


MOST_FINDINGS = 5


class Finding(NamedTuple):
    """A row of a summary of findings.

    ``outcome``: its key in ``data/certainty.csv`` · ``n``: how many people it rests on, a count · ``treated``, ``control``,
    ``difference``: what was found with, without and between them, each a value; an estimate brings its interval ·
    ``lacking``: why the row has no interval, where it has none · ``says``: the outcome in words, by default those of the
    judgements on its certainty.
    """

    outcome: str
    n: Value
    treated: Value | None = None
    control: Value | None = None
    difference: Value | None = None
    lacking: str = ""
    says: str = ""


def findings(
    slug: str, rows: Sequence[Finding], label: str, caption: str, note: str = "",
    heads: tuple[str, str] = ("with interferon", "without"),
) -> None:  # fmt: skip
    """Show the summary of findings of a chapter: at most five outcomes, each with its certainty and how many it rests on.

    Shares and differences of shares stand per 100 people. The interval is that of the difference or, where no groups are
    compared, of the one group. What the source reports, what is recomputed and what other work reports differ in colour.
    The word for the certainty is computed (``lib.evidence.certainty``); the reasons fold below the table.

    Raises
    ------
    ValueError
        Too many rows, a row without an interval and without a reason, an outcome without a judgement, or a cell that is
        no value.
    """
    if not 1 <= len(rows) <= MOST_FINDINGS:
        raise ValueError(
            f"{label}: a summary of findings has one to {MOST_FINDINGS} rows, not {len(rows)}: keep those that decide"
        )
    judged, cells, why, kinds, origins = certainty(slug), [], {}, set(), []
    for row in rows:
        if row.outcome not in judged:
            raise ValueError(
                f"{label}: no outcome {row.outcome!r} in data/certainty.csv: name one of {', '.join(judged)}"
            )
        sides = (row.treated, row.control, row.difference)
        if not all(isinstance(v, Value) for v in (row.n, *filter(lambda v: v is not None, sides))) or not any(sides):
            raise ValueError(f"{label}: {row.outcome}: give n and what was found as values of lib.values")
        compared = row.difference or (row.treated and row.control)
        spread = next((v for v in ((row.difference,) if compared else sides) if v and v.ends), None)
        if not spread and not row.lacking:
            raise ValueError(
                f"{label}: {row.outcome} has no interval: give {'the difference as ' if compared else ''}an estimate, or say in lacking why it has none"
            )
        outcome, interval = opening(row.says or judged[row.outcome].outcome), row.lacking
        if spread:
            interval = f"{spread.ends[1].bare} to {spread.ends[2].bare}"
            kinds.add(spread.interval)
        cells.append(
            (
                outcome,
                *map(_found, sides),
                interval,
                judged[row.outcome].word,
                f"{row.n.number:,}" if row.n.kind == "count" else row.n.bare,
            )
        )
        why[outcome] = judged[row.outcome].why
        origins.append([*(v.origin if v else "" for v in sides), spread.ends[1].origin if spread else ""])
    if len(kinds) > 1:
        raise ValueError(f"{label}: intervals of one kind can stand in one column, not {' and '.join(sorted(kinds))}")
    ratio = any(row.difference and row.difference.ends and not row.difference.ends[0].unit for row in rows)
    effect = "effect" if ratio else "difference"
    columns = ["outcome", *heads, effect, *(kinds or ["interval"]), "certainty", "n"]
    coloured = {(n, column): kind for n, row in enumerate(origins) for column, kind in zip(columns[1:], row)}
    shown = pd.DataFrame(cells, columns=columns)
    empty = [c for c in (*heads, effect) if (shown[c] == _found(None)).all()]
    table(shown.drop(columns=empty), label, caption, note, why=why, cells=coloured)


def _found(value: Value | None) -> str:
    """What was found in a group or between two, in a cell: a share as so many per 100, a ratio with its name."""
    if value is None:
        return "–"
    point = value.ends[0] if value.ends else value
    if point.unit in ("%", "percentage points"):
        return f"{point.bare} per 100"
    if value.ends and not point.unit:
        return f"{value.unit} {point}"
    return point.bare if point.kind == "count" else str(point)


def _width(columns: list[str], units: Mapping[str, str], texts: list[list[str]], numeric: list[bool]) -> int:
    """The least number of characters at which a table can be read, two of them between columns."""

    def column(i: int) -> int:
        cells = [row[i] for row in texts]
        inside = max(map(len, cells)) if numeric[i] else max(*map(_word, cells), min(_READABLE, max(map(len, cells))))
        return max(inside, _word(columns[i]), _word(units.get(columns[i], "")))

    return sum(column(i) + 2 for i in range(len(columns))) - 2


def _widest(
    columns: list[str], units: Mapping[str, str], texts: list[list[str]], numeric: list[bool], strong: set[int]
) -> float:
    """The px a table takes on a phone in the widest type when no word is broken."""

    def column(i: int) -> float:
        cells = (_word(row[i]) * (_BOLD if n in strong else 1) for n, row in enumerate(texts))
        inside = _WIDE * max(*cells, _word(columns[i]), _word(units.get(columns[i], "")))
        return inside if i or numeric[0] else max(inside, _HEAD)

    return sum(column(i) + _GAP for i in range(len(columns))) - _GAP


def _word(text: str) -> int:
    """The characters of the longest part that no line can break."""
    return max(map(len, re.split(r"[ –-]", text)))


def _cell(value) -> str:
    if isinstance(value, str):
        return value
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (Real, Fraction)) or hasattr(value, "dtype"):
        return number(value)
    return str(value)


def _is_figure(text: str) -> bool:
    return text == "–" or bool(_NUMBER.fullmatch(text))


def _decimals(text: str) -> int:
    return len(text.partition(".")[2]) if _NUMBER.fullmatch(text) else 0


def _pad(text: str, places: int) -> str:
    """Invisible digits that put the decimal points of a column under one another."""
    lacking = places - _decimals(text)
    if text == "–" or lacking <= 0:
        return ""
    point = "." if "." not in text else ""
    return f'<span class="pad" {UNSEEN}>{point}{"0" * lacking}</span>'


def _class(*names: str) -> str:
    kept = " ".join(n for n in names if n)
    return f' class="{kept}"' if kept else ""
