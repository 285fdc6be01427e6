"""Execute a chapter anew, apart from its committed notebook, and say which printed figures moved between the two."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from lib import ROOT, parsed
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


def printed(notebook: dict) -> dict[tuple[str, str], tuple[str, str]]:
    """Every printed figure of an executed notebook, in order: (label, what) → (the section it stands in, as printed).

    Bound values, the reported and recomputed figures and verdicts of claims, the cells of tables, and the titles, notes
    and data of figures.
    """
    found: dict[tuple[str, str], tuple[str, str]] = {}
    section = ""
    for piece in executed.pieces(notebook):
        section = piece.heading.label if piece.heading else section
        for output in piece.outputs:
            found |= {key: (section, text) for key, text in _printed(output)}
    return found


def _printed(output: executed.Output):
    """What one output prints, as ((label, what), text)."""
    label, entry = output.label, output.entry
    if output.kind == "bound":
        yield from (((key, ""), value["text"]) for key, value in entry.items())
    if output.kind == "claim":
        asked = ("reported", "recomputed", "verdict_figures", "verdict_conclusion")
        yield from (((label, what), entry[what] or "–") for what in asked)
        yield (label, "later"), entry["later"]["verdict"] if entry["later"] else "–"
    if output.kind == "figure":
        yield from (((label, what), entry[what]) for what in ("title", "note"))
    if output.kind in ("table", "figure"):
        yield from _cells(label, entry)


def _cells(label: str, entry: dict):
    for n, row in enumerate(entry["rows"], 1):
        for column, value in zip(entry["columns"], row):
            yield (label, f"row {n}, {column}"), "–" if value is None else str(value)


def moved(before: dict, after: dict) -> list[str]:
    """The printed figures that differ between two executed notebooks, one line each: where, old → new."""
    old, new = printed(before), printed(after)
    lines = []
    for key in dict.fromkeys([*old, *new]):
        (section, was), (_, now) = old.get(key, new.get(key)), new.get(key, old.get(key))
        was, now = was if key in old else "absent", now if key in new else "absent"
        if was != now:
            label, what = key
            lines.append(f"{section}/{label}{f' {what}' if what else ''}: {_short(was)} → {_short(now)}")
    return lines


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def slug(notebook: dict, name: str) -> str:
    """The chapter a notebook executes, which the label of its first heading names.

    Raises
    ------
    DiffError
        It executes none of the chapters here, or was never executed.
    """
    label = next((piece.heading.label for piece in executed.pieces(notebook) if piece.heading), "")
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
    shown = subprocess.run(["git", "show", f"HEAD:./{path.name}"], cwd=path.parent, capture_output=True)
    if shown.returncode:
        raise DiffError(f"{given} is the one to compare with, and git knows no other: run `python -m lib rerun {slug}`")
    return _notebook(shown.stdout.decode(), path.name)


def diff(path: Path) -> list[str]:
    """The printed figures that moved between the committed notebook of a chapter and a re-executed one, one line each.

    Raises
    ------
    DiffError
        Not a notebook, of no chapter here, never executed, or nothing committed to compare with.
    """
    notebook = read(path)
    return moved(committed(slug(notebook, str(path)), path), notebook)


def rerun(text_half: Path) -> list[str]:
    """Execute a chapter into ``_build/again/`` and say how it went; returns the printed figures that moved.

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
    apart.write_text(text, "utf-8")
    lines = moved(before, parsed(text))
    count = f"{len(lines)} printed figure{'s' * (len(lines) > 1)} moved"
    said = count if lines else "no printed figure moved, other bytes did"
    print(f"{text_half.stem}: {seconds}; {said} (see {apart.relative_to(ROOT)})", flush=True)
    return lines
