"""The citable parts of the book, from its executed notebooks and pages, and the registry that keeps their tags."""

from __future__ import annotations

import re

from lib import ROOT
from lib.house import executed, prose
from lib.words import to_digits
from sphinx_citable.registry import Part, Registry

REGISTRY = Registry(ROOT / "registry", ("section", "figure", "table", "claim"), "python3 -m lib")


def pages() -> list[str]:
    """The pages of the book in reading order, without suffix."""
    return [page for page, _ in executed.contents()]


def parts() -> list[Part]:
    """Everything labelled in the book, in reading order."""
    return [part for page in pages() for part in _parts(page)]


def sections() -> list[dict]:
    """One row for each part of the book as it stands (contract C5), as ``Registry.sections`` makes them."""
    return REGISTRY.sections(parts())


def _parts(page: str) -> list[Part]:
    notebook, tagged = ROOT / f"{page}.ipynb", {}
    if notebook.is_file():
        made = executed.read(notebook)
        pieces = executed.pieces(made)
        if executed.stopped(made):
            tagged = {row["label"]: row["kind"] for row in REGISTRY.tags() if row["kind"] in ("figure", "table")}
    else:
        pieces = executed.markdown((ROOT / f"{page}.md").read_text("utf-8"))
    found: list[Part] = []
    open_: list[Part] = []  # the section we are in and those around it
    for piece in pieces:
        if piece.heading:
            label, level, title = piece.heading
            open_ = [s for s in open_ if s.level < level]
            open_.append(Part(label, "section", title, page, level, open_[-1].label if open_ else "", ""))
            found.append(open_[-1])
        words, results = (piece.text, {}) if piece.cell else prose.printed(piece.tokens, page)
        for output in piece.outputs:
            if part := _shown(output, piece, page, open_[-1].label if open_ else ""):
                found.append(part)
                results |= part.results
        for label in re.findall(r'"([\w-]+)"', piece.text if tagged and piece.cell else ""):
            # What the chapter stopped before keeps its tag.
            if label in tagged.keys() - {part.label for part in found}:
                within = open_[-1].label if open_ else ""
                found.append(Part(label, tagged[label], prose.NOT_COMPUTED, page, 7, within, piece.text))
        for section in open_:
            section.text += "\n" + words
            section.results |= results
    return found


def _shown(output: executed.Output, piece: executed.Piece, page: str, within: str) -> Part | None:
    """The figure, table or claim that an output shows; None for values bound to prose, which prints them elsewhere."""
    label, entry = output.label, output.entry
    if output.kind == "bound":
        return None
    if output.kind == "figure":
        said = [entry.get(key) for key in ("title", "caption", "note", "choices", "told")]
        drawn = {f"figure {label}": [*said, entry["columns"], [list(map(_printed, row)) for row in entry["rows"]]]}
        return Part(label, "figure", entry["title"], page, 7, within, piece.text, drawn)
    if output.kind == "table":
        cells = {f"table {label}": [entry[key] for key in ("caption", "columns", "units", "rows", "note")]}
        return Part(label, "table", entry["caption"], page, 7, within, piece.text, cells)
    title = f"{entry['id']}: {entry['says']}"
    return Part(label, "claim", title, page, 7, within, entry["says"], {entry["id"]: entry})


def _printed(value):
    """A number of a figure's data to the four digits that are the same on every machine (contract C6)."""
    return value if value is None or isinstance(value, (str, bool)) else to_digits(value, 4)
