"""Execute a chapter anew, apart from its committed notebook, and say which printed figures moved between the two."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from lib import ROOT, parsed, write
from lib.house import execute, executed

AGAIN = ROOT / "_build" / "again"
_LONGEST = 90


class DiffError(ValueError):
    """Two notebooks that cannot be compared; one line that says what to do."""


def read(path: Path) -> dict:
    """A notebook as it stands in a file.

    Raises
    ------
    DiffError
        There is no such file, or it is no notebook.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise DiffError(f"{path}: no such file, or none of text: name an executed notebook (.ipynb)") from None
    return _notebook(text, str(path))


def _notebook(text: str, name: str) -> dict:
    try:
        notebook = parsed(text)
        cells = [(c["cell_type"], c["metadata"], c["source"]) for c in notebook["cells"]]
    except (ValueError, TypeError, KeyError):
        raise DiffError(f"{name}: not a notebook: name an executed notebook (.ipynb)") from None
    if not cells:
        raise DiffError(f"{name}: a notebook without cells: name an executed chapter")
    return notebook


class Move(NamedTuple):
    """A verdict, value, table or figure that moved: its ``kind``, one ``line`` on it, and one for each of its rows."""

    kind: str
    line: str
    rows: list[str]


def printed(notebook: dict) -> dict[tuple[str, str, str], tuple[str, str]]:
    """Every printed figure of an executed notebook, in order: (kind, label, what) → (its section, as printed).

    Bound values, the reported and recomputed figures and verdicts of claims, the cells of tables, and the titles, notes
    and data of figures.
    """
    found: dict[tuple[str, str, str], tuple[str, str]] = {}
    section = ""
    for piece in executed.pieces(notebook):
        section = piece.heading.label if piece.heading else section
        for output in piece.outputs:
            found |= {key: (section, text) for key, text in _printed(output)}
    return found


def _printed(output: executed.Output):
    """What one output prints, as ((kind, label, what), text)."""
    kind, label, entry = output.kind, output.label, output.entry
    if kind == "bound":
        yield from ((("value", key, ""), value["text"]) for key, value in entry.items())
    if kind == "claim":
        yield from ((("value", label, what), entry[what] or "–") for what in ("reported", "recomputed"))
        asked = ("verdict_figures", "verdict_conclusion")
        yield from ((("verdict", label, what), entry[what] or "–") for what in asked)
        yield ("verdict", label, "later"), entry["later"]["verdict"] if entry["later"] else "–"
    if kind == "figure":
        yield from (((kind, label, what), entry[what]) for what in ("title", "note"))
    if kind in ("table", "figure"):
        for n, row in enumerate(entry["rows"], 1):
            for column, value in zip(entry["columns"], row):
                yield (kind, label, f"row {n}, {column}"), "–" if value is None else str(value)


def moved(before: dict, after: dict) -> list[Move]:
    """What differs between the printed figures of two executed notebooks, and from what to what."""
    old, new = printed(before), printed(after)
    found: dict[tuple, Move] = {}
    for key in dict.fromkeys([*old, *new]):
        (section, was), (_, now) = old.get(key, new.get(key)), new.get(key, old.get(key))
        was, now = was if key in old else "absent", now if key in new else "absent"
        if was != now:
            kind, label, what = key
            place = f"{section}/{label}"
            line = f"{place}{f' {what}' if what else ''}: {_short(was)} → {_short(now)}"
            one = (kind, label) if kind in ("table", "figure") else key  # a table or figure moves as one
            rows = [*found[one].rows, line] if one in found else [line]
            found[one] = Move(kind, f"{place}: {len(rows)} entries, first {rows[0][len(place) + 1 :]}", rows)
    return [m if len(m.rows) > 1 else m._replace(line=m.rows[0]) for m in found.values()]


def counted(moves: Iterable[Move]) -> str:
    """How many of each kind moved, as "2 verdicts, 1 table"; "" for none."""
    of = Counter(move.kind for move in moves)
    kinds = ("verdict", "value", "table", "figure")
    return ", ".join(f"{of[kind]} {kind}{'s' * (of[kind] > 1)}" for kind in kinds if of[kind])


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def slug(notebook: dict, name: str) -> str:
    """The chapter a notebook executes, which the label of its first heading names, or that it is a reading copy of.

    Raises
    ------
    DiffError
        It executes none of the chapters here, or was never executed.
    """
    heading = next((piece.heading.label for piece in executed.pieces(notebook) if piece.heading), "")
    label = notebook.get("metadata", {}).get(execute.READING, heading)
    known = [p.stem for p in execute.chapters()]
    if label not in known:
        raise DiffError(f"{name}: {label or 'its first heading'} names no chapter here; there are {', '.join(known)}")
    code = [c for c in notebook["cells"] if c["cell_type"] == "code" and "".join(c["source"]).strip()]
    bare = sum(c.get("execution_count") is None for c in code)
    if bare and not executed.stopped(notebook):
        raise DiffError(f"{name}: {bare} of {len(code)} cells were never executed: run them all and save the notebook")
    return label


def committed(slug: str, given: Path) -> dict:
    """The notebook of a chapter as committed: the file of this folder, or git's where that file itself is ``given``.

    Raises
    ------
    DiffError
        There is none to compare with.
    """
    path = ROOT / "chapters" / f"{slug}.ipynb"
    if given.resolve() != path.resolve():
        return read(path)
    text = executed.at_head(slug)
    if text is None:
        raise DiffError(
            f"{given} is the one to compare with, and git knows no other: run `python3 -m lib rerun {slug}`"
        )
    return _notebook(text, path.name)


def diff(path: Path) -> list[Move]:
    """What moved between the committed notebook of a chapter and a re-executed one.

    Raises
    ------
    DiffError
        Not a notebook, of no chapter here, never executed, or nothing committed to compare with.
    """
    notebook = read(path)
    return moved(committed(slug(notebook, str(path)), path), notebook)


def rerun(text_half: Path) -> list[Move]:
    """Execute a chapter into ``_build/again/`` and say how it went; returns what moved.

    Raises
    ------
    execute.ChapterError
        A cell failed.
    DiffError
        There is no notebook to compare with.
    """
    shipped = text_half.with_suffix(".ipynb")
    before = read(shipped)
    start = time.monotonic()
    text = execute.execute(text_half)
    seconds = f"executed in {time.monotonic() - start:.0f} s"
    if text == shipped.read_text("utf-8"):
        print(f"{text_half.stem}: {seconds}; the same notebook, byte for byte", flush=True)
        return []
    AGAIN.mkdir(parents=True, exist_ok=True)
    apart = AGAIN / shipped.name
    write(apart, text)
    moves = moved(before, parsed(text))
    said = f"{counted(moves)} moved" if moves else "no printed figure moved, other bytes did"
    print(f"{text_half.stem}: {seconds}; {said} (see {apart.relative_to(ROOT)})", flush=True)
    return moves
