"""The executed notebooks read back: the only reader of what chapters emitted."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import yaml
from markdown_it import MarkdownIt
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin
from mdit_py_plugins.myst_role import myst_role_plugin

from lib import BOUND, FIGURE, LEDGER, ROOT, STOPPED, TABLE, parsed, records

parse = MarkdownIt("commonmark").use(myst_block_plugin).use(colon_fence_plugin).use(myst_role_plugin).parse
"""Markdown as tokens: that of the prose, or of a directive's content."""


class NotExecuted(ValueError):
    """A notebook that is not there to be read, or not fit to; one line that says what to do."""


class Heading(NamedTuple):
    """A labelled heading: its label, its depth from 1, and its words."""

    label: str
    level: int
    title: str


class Output(NamedTuple):
    """What a cell shows, of a kind of our own: ``bound``, ``claim``, ``table`` or ``figure``.

    ``label`` names the claim, table or figure ("" for bound values);
    ``entry`` is what it holds for machines, ``data`` the whole output by MIME type.
    """

    kind: str
    label: str
    entry: dict
    data: dict


class Piece(NamedTuple):
    """A stretch of a chapter in reading order: Markdown up to the next labelled heading, or one code cell.

    ``tokens`` is the Markdown as parsed and ``heading`` what it begins with, if it begins with one; ``cell`` the code
    cell, and ``outputs`` those of our own kinds that it shows.
    """

    text: str
    heading: Heading | None = None
    tokens: tuple = ()
    cell: dict | None = None
    outputs: tuple[Output, ...] = ()


def read(path: Path) -> dict:
    """An executed notebook, parsed once for each state of its file.

    Raises
    ------
    NotExecuted
        The file holds no whole notebook.
    """
    now = path.stat()
    return _parsed(path, now.st_mtime_ns, now.st_size)


@lru_cache(maxsize=32)
def _parsed(path: Path, changed: int, size: int) -> dict:
    try:
        notebook = parsed(path.read_text("utf-8"))
        _ = [cell["source"] for cell in notebook["cells"]]
    except (ValueError, TypeError, KeyError):
        name = f"{path.parent.name}/{path.name}"
        raise NotExecuted(f"{name} is cut short: run `python3 -m lib chapter {path.stem}`") from None
    return notebook


def pieces(notebook: dict) -> Iterator[Piece]:
    """A notebook in reading order, cut at its labelled headings and its code cells."""
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            yield from markdown(text)
        else:
            yield Piece(text, cell=cell, outputs=tuple(_outputs(cell)))


@lru_cache(maxsize=4096)
def markdown(text: str) -> tuple[Piece, ...]:
    """Markdown cut at its labelled headings; those in code or directives do not count."""
    tokens = parse(text)
    lines = text.splitlines(keepends=True)
    found = [
        (n, target.map[0], Heading(target.content, int(heading.tag[1]), words.content.strip()))
        for n, (target, heading, words) in enumerate(zip(tokens, tokens[1:], tokens[2:]))
        if target.type == "myst_target" and heading.type == "heading_open" and target.level == 0
    ]
    edges = [(0, 0, None), *found, (len(tokens), len(lines), None)]
    return tuple(
        Piece("".join(lines[start:end]), heading, tuple(tokens[first:last]))
        for (first, start, heading), (last, end, _) in zip(edges, edges[1:])
        if end > start
    )


def _outputs(cell: dict) -> Iterator[Output]:
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if BOUND in data:
            yield Output("bound", "", data[BOUND], data)
        if FIGURE in data:
            yield Output("figure", data[FIGURE]["label"], data[FIGURE], data)
        if TABLE in data:
            yield Output("table", data[TABLE]["label"], data[TABLE], data)
        if LEDGER in data:
            yield Output("claim", data[LEDGER]["id"].lower(), data[LEDGER], data)


def outputs(notebook: dict, kind: str) -> list[Output]:
    """Every output of one kind, in order."""
    return [o for piece in pieces(notebook) for o in piece.outputs if o.kind == kind]


def stopped(notebook: dict) -> str:
    """Why a chapter stopped before its end: what its record cannot give; "" if it ran through."""
    data = (output.get("data", {}) for cell in notebook["cells"] for output in cell.get("outputs", []))
    return next((d[STOPPED]["why"] for d in data if STOPPED in d), "")


def chapter(slug: str) -> dict:
    """The committed notebook of a chapter.

    Raises
    ------
    NotExecuted
        The chapter has no executed notebook.
    """
    path = ROOT / "chapters" / f"{slug}.ipynb"
    if not path.is_file():
        raise NotExecuted(f"chapters/{slug}.ipynb is missing: run `python3 -m lib chapter {slug}`")
    return read(path)


def at_head(slug: str) -> str | None:
    """The notebook of a chapter as git's last commit has it; None where there is no git, or none of it there."""
    command = ["git", "show", f"HEAD:./{slug}.ipynb"]
    try:
        shown = subprocess.run(command, cwd=ROOT / "chapters", capture_output=True)
    except OSError:
        return None
    return None if shown.returncode else shown.stdout.decode()


def committed_values(slug: str) -> dict[str, str]:
    """What the committed notebook of a chapter prints for the values that it binds, by name; empty where there is none."""
    path = ROOT / "chapters" / f"{slug}.ipynb"
    if not path.is_file():
        return {}
    found = outputs(parsed(at_head(slug) or path.read_text("utf-8")), "bound")
    return {name: value["text"] for output in found for name, value in output.entry.items()}


def ledger() -> list[dict]:
    """All checks of all chapters that stand, in the order of the sources."""
    standing = (slug for slug in records.slugs() if (ROOT / "chapters" / f"{slug}.ipynb").is_file())
    return [o.entry for slug in standing for o in outputs(chapter(slug), "claim")]


def bound(slug: str) -> dict[str, dict]:
    """The values a chapter binds to prose, by name, each with the ``step`` that binds it: which code cell, from 0."""
    values: dict[str, dict] = {}
    cells = [piece for piece in pieces(chapter(slug)) if piece.cell]
    for step, output in ((n, o) for n, piece in enumerate(cells) for o in piece.outputs if o.kind == "bound"):
        twice = values.keys() & output.entry.keys()
        if twice:
            raise NotExecuted(f"chapters/{slug}.ipynb binds {', '.join(sorted(twice))} twice; a name has one value")
        values |= {name: value | {"step": step} for name, value in output.entry.items()}
    return values


def contents() -> list[tuple[str, str]]:
    """The pages of the book in reading order, as ``_toc.yml`` names them, without suffix; and the part of each."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    found = [(toc["root"], "")]

    def walk(entries: list, part: str):
        for entry in entries:
            if "file" in entry:
                found.append((entry["file"].removesuffix(".ipynb").removesuffix(".md"), part))
            for key in ("chapters", "sections"):
                walk(entry.get(key, []), part)

    for part in toc.get("parts", [toc]):
        walk(part.get("chapters", []), part.get("caption", ""))
    return found
