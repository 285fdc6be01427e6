"""Numbers in the code of a chapter that no sentence names: each stands in ``constants.csv`` with why it does no harm.

A number counts as named where the page shows it: it stands in what is handed to ``bind``, ``table``, ``figure``,
``stepper`` or a check, or a name is given to it (alone, or in a list of numbers) which one of these uses. By their place
these are left out: 0, 1, 2 and 100; numbers below a millionth (tolerances); indices, and lists 1, 2, 3 that are run
through; the power of a square root; digits and places of rounding; seeds; layout, and functions that draw or tell a
picture; 7 and 12 (days, months); the normal quantiles of a 95% interval, as every page calls its own.
"""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterator
from pathlib import Path

import jupytext

from lib import ROOT

TABLE = Path(__file__).parent / "constants.csv"
PLAIN = {0, 1, 2, 7, 12, 100, 0.025, 0.975, 1.96, 1.959963984540054}
SHOWS = {"bind", "table", "figure", "stepper", "findings", "icons", "timeline", "survival", "forest", "swimmer"}
LAYOUT = {"height", "narrow_height", "panels", "strong", "digits", "columns", "cols"}
PICTURES = ("draw", "frame", "tell")
ROUNDING = {"round": 1, "to_digits": 1, "span": 1, "number": 1, "fixed": 1}
"""Functions whose first arguments, so many of them, are no matter of rounding."""
SEEDED = {"default_rng", "seeded"}


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def shows(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    check = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "review"
    return called(node) in SHOWS or check


def bare(node: ast.AST) -> bool:
    """Nothing but numbers, words and names of constants, alone or listed."""
    plain = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.UnaryOp, ast.USub, ast.Load, ast.BinOp, ast.Div)
    return all(isinstance(n, plain) or (isinstance(n, ast.Name) and n.id.isupper()) for n in ast.walk(node))


def names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def unnamed(tree: ast.Module, shown: set[str]) -> Iterator[tuple[str, float]]:
    """Every number that is not named, with the name it is given or the function it stands in."""

    def visit(node: ast.AST, place: str):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            if node.name.startswith(PICTURES):
                return
            place = node.name
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            given = names(target) or {ast.unparse(target)}
            if given & shown and bare(node.value):
                return
            if place in ("", "page"):
                place = min(given)
        elif shows(node):
            return
        elif isinstance(node, ast.Subscript):
            return (yield from visit(node.value, place))
        elif isinstance(node, ast.comprehension) and ast.unparse(node.iter) == "(1, 2, 3)":
            return
        elif (
            isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and ast.unparse(node.right) in ("0.5", "-0.5")
        ):
            return (yield from visit(node.left, place))
        elif isinstance(node, ast.Call):
            if called(node) in SEEDED:
                return
            for argument in node.args[: ROUNDING.get(called(node))]:
                yield from visit(argument, place)
            for keyword in node.keywords:
                if keyword.arg not in LAYOUT:
                    yield from visit(keyword.value, place)
            return (yield from visit(node.func, place))
        elif isinstance(node, ast.JoinedStr):
            for part in node.values:
                if isinstance(part, ast.FormattedValue):
                    yield from visit(part.value, place)
            return
        elif isinstance(node, ast.Constant):
            number = isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
            if number and node.value not in PLAIN and abs(node.value) > 1e-6:
                yield place or "page", node.value
            return
        for child in ast.iter_child_nodes(node):
            yield from visit(child, place)

    yield from visit(tree, "")


def found() -> dict[tuple[str, str], str]:
    """The numbers that are not named, by file and place, in the order of their size."""
    by_place: dict[tuple[str, str], set] = {}
    for path in sorted([*(ROOT / "chapters").glob("*.md"), *(ROOT / "chapters" / "models").rglob("*.py")]):
        text = path.read_text("utf-8")
        cells = [text] if path.suffix == ".py" else [
            c.source for c in jupytext.reads(text, fmt="md:myst").cells if c.cell_type == "code"
        ]  # fmt: skip
        tree = ast.parse("\n".join(cells))
        shown = set().union(*(names(n) for n in ast.walk(tree) if shows(n)))
        for place, value in unnamed(tree, shown):
            by_place.setdefault((path.relative_to(ROOT / "chapters").as_posix(), place), set()).add(value)
    return {key: " ".join(f"{v:g}" for v in sorted(values)) for key, values in by_place.items()}


def test_every_number_is_named_on_the_page_or_marked_as_harmless() -> None:
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    marked = {(r["file"], r["place"]): r["numbers"] for r in rows}
    now = found()
    new = [f"{f}, {p}: {n}" for (f, p), n in now.items() if marked.get((f, p)) != n]
    gone = [f"{f}, {p}" for f, p in marked if (f, p) not in now]
    assert new == [], "name the number in a sentence (bind), or give its reason in tests/chapters/constants.csv"
    assert gone == [], "no such number any more: take the row out of tests/chapters/constants.csv"
    assert [r["place"] for r in rows if not r["reason"].strip()] == []


def test_a_number_that_no_sentence_names_is_noticed() -> None:
    code = "WEIGHT = 20\nshare = 0.37 * kept\nlevel = 0.025\nx = values[5]\ny = round(share, 4)\nbind(level=level, share=share)"
    tree = ast.parse(code)
    shown = set().union(*(names(n) for n in ast.walk(tree) if shows(n)))
    assert list(unnamed(tree, shown)) == [("WEIGHT", 20), ("share", 0.37)]
