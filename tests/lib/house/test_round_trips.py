"""What a front end writes back is what stands there: numbers as a browser leaves them, text halves as jupytext does."""

import json
import shutil
from math import inf

import jupytext
import nbformat
import pytest

from lib import BOUND, FIGURE, LEDGER, ROOT, TABLE, canonical, parsed
from lib.house import execute, executed, parts, prose, rerun
from sphinx_citable.registry import sha256_results, sha256_text

HALVES = execute.chapters()
MYST = {"extension": ".md", "format_name": "myst"}


def ids(path):
    return path.stem


def by_a_browser(value):
    """JSON as JavaScript has it, where 80.0 and 80 are one number, and so are nought and minus nought."""
    return rewritten(value, lambda x: int(x) if x == int(x) else x)


def by_python(value):
    """JSON as Python has it where every number was computed: 80 is 80.0."""
    return rewritten(value, float)


def rewritten(value, number):
    if isinstance(value, dict):
        return {k: rewritten(v, number) for k, v in value.items()}
    if isinstance(value, list):
        return [rewritten(v, number) for v in value]
    plain = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < inf
    return number(value) if plain else value


def saved(path, by):
    """Write a notebook anew with the numbers of its own outputs as ``by`` leaves them; how many differ in writing."""
    notebook = json.loads(path.read_text("utf-8"))
    before = json.dumps(notebook)
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            for mime in {BOUND, FIGURE, LEDGER, TABLE} & output.get("data", {}).keys():
                output["data"][mime] = by(output["data"][mime])
    path.write_text(json.dumps(notebook), "utf-8")
    return before != json.dumps(notebook)


@pytest.fixture
def book(tmp_path, monkeypatch):
    """The book with notebooks of its own, which the house takes for the project."""
    for path in ROOT.iterdir():
        if path.name != "chapters" and not path.name.startswith("."):
            (tmp_path / path.name).symlink_to(path)
    shutil.copytree(ROOT / "chapters", tmp_path / "chapters")
    for module in (execute, executed, parts, rerun):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(execute, "CHAPTERS", tmp_path / "chapters")
    for name in ("bound", "ledger"):
        monkeypatch.setattr(prose, name, getattr(executed, name))
    return tmp_path


def state():
    """Everything that may not hang on who saved a notebook: hashes of every part, and what the gate says."""
    hashes = {p.label: (sha256_text(p), sha256_results(p), p.results) for p in parts.parts()}
    return hashes, [fault for half in execute.chapters() for fault in execute.faults(half)]


@pytest.mark.parametrize("by", [by_a_browser, by_python])
def test_who_saves_a_notebook_moves_no_hash_no_stamp_and_no_figure(book, by):
    before = state()
    rewrote = 0
    for path in sorted((book / "chapters").glob("*.ipynb")):
        was = execute.digest(f"chapters/{path.name}")
        rewrote += saved(path, by)
        assert execute.digest(f"chapters/{path.name}") == was
        assert rerun.moved(rerun.read(ROOT / "chapters" / path.name), rerun.read(path)) == []
    assert rewrote == (0 if by is by_a_browser else len(HALVES)), "what is committed is as a browser writes it"
    assert state() == before


@pytest.mark.parametrize(
    ("given", "left"),
    [(80.0, "80"), (-0.0, "0"), (0.5, "0.5"), (1e-7, "1e-07"), ({"a": [True, 3.0]}, '{"a": [true, 3]}')],
)
def test_one_form_for_each_number(given, left):
    assert json.dumps(canonical(given)) == left == json.dumps(parsed(json.dumps(given)))


@pytest.mark.parametrize("half", HALVES, ids=ids)
def test_a_text_half_stands_as_jupytext_writes_it(half):
    """From either half: JupyterLab opens no pair whose halves differ in this, and writes the text half so.

    After an edit, ``jupytext --to md:myst chapters/NAME.md`` brings it there.
    """
    text = half.read_text("utf-8")
    assert jupytext.writes(jupytext.reads(text, MYST), MYST) == text
    notebook = nbformat.read(half.with_suffix(".ipynb"), as_version=4)
    shown = {"name": "python3", "language": "python", "display_name": "Python 3 (ipykernel)"}
    assert notebook.metadata["kernelspec"] == shown, "what the kernel of JupyterLab says of itself"
    if not any(": drifted" in fault for fault in execute.faults(half)):
        assert jupytext.writes(notebook, MYST) == text
