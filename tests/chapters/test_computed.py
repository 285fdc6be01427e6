"""A verdict is computed: what a chapter hands to a check is named in its code, never written as a constant."""

import ast
from collections.abc import Iterator
from pathlib import Path

import jupytext
import pytest

from lib import ROOT

CHAPTERS = sorted(p for p in (ROOT / "chapters").glob("*.md") if "Review(" in p.read_text("utf-8"))
NOT_DATA = {"n", "clash", "fault", "universal"}


def typed(source: str) -> Iterator[str]:
    """Checks whose data hold no name. No outcome at all is an answer if a fault says why none can be had."""
    for node in ast.walk(ast.parse(source)):
        if not (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and ast.unparse(node.func.value) == "review"
        ):
            continue
        given = {key.arg: key.value for key in node.keywords}
        if node.func.attr == "judge":
            data = [value for key, value in given.items() if key not in NOT_DATA]
        elif node.func.attr in ("test", "conclude"):
            data = [given.get("outcomes") or node.args[1]]
        else:
            continue
        if "fault" in given and ast.unparse(data[0]) == "[]":
            continue
        yield from (ast.unparse(node) for value in data if not any(isinstance(n, ast.Name) for n in ast.walk(value)))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_no_verdict_is_typed(path: Path) -> None:
    code = [cell.source for cell in jupytext.read(path).cells if cell.cell_type == "code"]
    assert sum("review." in source for source in code) > 2, "the chapter's checks were not found"
    assert [call for source in code for call in typed(source)] == []


@pytest.mark.parametrize(
    "call",
    [
        "review.judge('A-1', 'sum', 'how', n=12, left=[9, 10])",
        "review.judge('A-1', 'estimate', 'how', low=low, high=0.9)",
        "review.test('A-1', True, 'found')",
        "review.test('A-1', [1 < 2], f'found {x}')",
        "review.conclude('A-1', [False, True], 'found', fault='why')",
        "review.conclude('A-1', [], 'found')",
    ],
)
def test_a_typed_verdict_is_noticed(call: str) -> None:
    assert list(typed(call)) == [ast.unparse(ast.parse(call))]
