"""The citable parts of the book, from its executed notebooks and pages, and the registry that keeps their tags."""

from __future__ import annotations

from lib import ROOT
from lib.house import executed
from sphinx_citable.registry import Part, Registry

REGISTRY = Registry(ROOT / "registry", ("section", "figure", "table", "claim"), "python -m lib")


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
    notebook = ROOT / f"{page}.ipynb"
    if notebook.is_file():
        pieces = executed.pieces(executed.read(notebook))
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
        for section in open_:
            section.text += "\n" + piece.text
        for output in piece.outputs:
            part = _shown(output, piece, page, open_[-1].label if open_ else "")
            if part:
                found.append(part)
            for section in open_:
                section.results |= part.results if part else _bound(output)
    return found


def _bound(output: executed.Output) -> dict[str, str]:
    """What values bound to prose print; nothing of a figure without a label."""
    return {name: value["text"] for name, value in output.entry.items()} if output.kind == "bound" else {}


def _shown(output: executed.Output, piece: executed.Piece, page: str, within: str) -> Part | None:
    """The figure, table or claim that an output shows; None for what has no label of its own."""
    label, entry = output.label, output.entry
    if not label:
        return None
    if output.kind == "figure":
        set_up = piece.cell["metadata"].get("mystnb", {})
        text = piece.text + str(set_up.get("figure")) + str(set_up.get("image"))
        drawn = {f"figure {label}": [entry["title"], entry["columns"], entry["rows"]]}
        return Part(label, "figure", entry["title"], page, 7, within, text, drawn)
    if output.kind == "table":
        cells = {f"table {label}": [entry["columns"], entry["rows"]]}
        return Part(label, "table", entry["caption"], page, 7, within, piece.text, cells)
    title = f"{entry['id']}: {entry['says']}"
    return Part(label, "claim", title, page, 7, within, entry["says"], {entry["id"]: entry})
