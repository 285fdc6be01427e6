"""What `diff` and `rerun` say of a re-executed notebook: every planted move, one line each, and nothing else."""

import copy
import json
import subprocess

import pytest

from lib import BOUND, FIGURE, LEDGER, ROOT, TABLE
from lib.__main__ import main
from lib.house import execute, executed, rerun

CHAPTER = "cml-stopping"


@pytest.fixture(scope="module")
def committed():
    return json.loads((ROOT / "chapters" / f"{CHAPTER}.ipynb").read_text("utf-8"))


@pytest.fixture
def copied(committed, tmp_path):
    """A reader's copy to spoil: ``copied(change)`` saves it changed, under another name, and gives the path."""

    def save(change=lambda notebook: None):
        notebook = copy.deepcopy(committed)
        change(notebook)
        path = tmp_path / "mine (1).ipynb"
        path.write_text(json.dumps(notebook), "utf-8")
        return path

    return save


def entries(notebook, mime):
    return [o["data"][mime] for c in notebook["cells"] for o in c.get("outputs", []) if mime in o["data"]]


def said(capsys, *args):
    code = main([str(a) for a in args])
    out = capsys.readouterr()
    return code, out.out.splitlines(), out.err.splitlines()


def test_an_unmoved_copy(copied, capsys):
    assert said(capsys, "diff", copied()) == (0, ["no printed figure moved"], [])


def test_every_kind_of_figure_that_moved(copied, capsys):
    was = {}

    def change(notebook):
        value = entries(notebook, BOUND)[0]
        was["name"] = next(iter(value))
        was["text"] = value[was["name"]]["text"]
        value[was["name"]] = {"value": 1, "text": "12345"}
        row = entries(notebook, LEDGER)[0]
        was.update({"id": row["id"].lower(), "verdict": row["verdict_figures"], "recomputed": row["recomputed"]})
        row |= {"verdict_figures": "moved", "recomputed": "54321"}
        table = entries(notebook, TABLE)[0]
        was.update({"table": table["label"], "column": table["columns"][1], "cell": table["rows"][1][1]})
        table["rows"][1][1] = "99.9"
        table["rows"][0][1] = "88.8"
        was["first"] = table["columns"][1]
        figure = entries(notebook, FIGURE)[0]
        was.update({"point": figure["rows"][0][-1], "axis": figure["columns"][-1], "title": figure["title"]})
        figure["rows"][0][-1] = -77
        figure["title"] = "Another finding"

    code, lines, errors = said(capsys, "diff", copied(change))
    assert code == 1 and not errors and len(lines) == 6, "one line for each value, table or figure, and their number"
    assert lines[5] == "moved: 1 verdict, 2 values, 1 table, 1 figure"
    assert sum(line.partition("/")[2].startswith(f"{was['table']}: 2 entries, first row 1, ") for line in lines) == 1
    code, lines, errors = said(capsys, "diff", "--rows", copied(change))
    assert code == 1 and not errors and len(lines) == 8, "one line for each row"
    ends = {line.partition("/")[2] for line in lines[:7]}
    assert f"{was['name']}: {was['text']} → 12345" in ends
    assert f"{was['id']} verdict_figures: {was['verdict']} → moved" in ends
    assert f"{was['id']} recomputed: {was['recomputed']} → 54321" in ends
    assert f"{was['table']} row 2, {was['column']}: {was['cell']} → 99.9" in ends
    assert any(e.endswith(f"row 1, {was['axis']}: {was['point']} → -77") for e in ends)
    title = next(e for e in ends if e.endswith("→ Another finding"))
    assert title.startswith("fig-") and f"title: {was['title']}"[:60] in title
    sections = {line.partition("/")[0] for line in lines[:7]}
    labels = (ROOT / "chapters" / f"{CHAPTER}.md").read_text("utf-8")
    assert all(f"({s})=\n" in labels for s in sections)


def test_rows_that_came_or_went(copied, capsys):
    def change(notebook):
        entries(notebook, TABLE)[0]["rows"].pop()
        entries(notebook, BOUND)[0]["extra-value"] = {"value": 1, "text": "one more"}

    code, lines, _ = said(capsys, "diff", "--rows", copied(change))
    assert code == 1 and any(line.endswith("/extra-value: absent → one more") for line in lines)
    assert any("row" in line and line.endswith("→ absent") for line in lines)


def test_style_alone_is_no_move(copied, capsys):
    def change(notebook):
        for cell in notebook["cells"]:
            for output in cell.get("outputs", []):
                if FIGURE in output["data"]:
                    output["data"]["text/html"] = "<figure></figure>"
                    output["data"][FIGURE]["narrow"] = "<svg/>"
        notebook["metadata"].pop("stamp")

    assert said(capsys, "diff", copied(change))[:2] == (0, ["no printed figure moved"])


def never_run(notebook):
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}


def of_another_book(notebook):
    notebook["cells"][0]["source"] = "(another-book)=\n# Another book\n"


@pytest.mark.parametrize(
    ("change", "words"), [(never_run, "never executed"), (of_another_book, "another-book names no chapter here")]
)
def test_notebooks_that_cannot_be_compared(copied, capsys, change, words):
    code, out, errors = said(capsys, "diff", copied(change))
    assert code == 2 and not out and len(errors) == 1 and words in errors[0]


OTHERS = [
    None, b"", b"# A text", b"[1, 2]", b'{"cells": 3}', b'{"cells": [{"source": ""}]}', b'{"cells": []}', b"\xff\xfe",
]  # fmt: skip


@pytest.mark.parametrize("text", OTHERS)
def test_what_is_no_notebook(tmp_path, capsys, text):
    path = tmp_path / "some.ipynb"
    if text is not None:
        path.write_bytes(text)
    code, out, errors = said(capsys, "diff", path)
    assert code == 2 and not out and len(errors) == 1 and str(path) in errors[0] and "notebook" in errors[0]


@pytest.fixture
def folder(committed, tmp_path, monkeypatch):
    """A folder of one chapter that ``lib`` takes for the project."""
    chapters = tmp_path / "book" / "chapters"
    chapters.mkdir(parents=True)
    (chapters / f"{CHAPTER}.ipynb").write_text(json.dumps(committed), "utf-8")
    (chapters / f"{CHAPTER}.md").write_text((ROOT / "chapters" / f"{CHAPTER}.md").read_text("utf-8"), "utf-8")
    for module in (execute, executed, rerun):
        monkeypatch.setattr(module, "ROOT", chapters.parent)
    monkeypatch.setattr(execute, "CHAPTERS", chapters)
    monkeypatch.setattr(rerun, "AGAIN", chapters.parent / "_build" / "again")
    return chapters


def shifted(committed):
    notebook = copy.deepcopy(committed)
    entries(notebook, LEDGER)[0]["verdict_figures"] = "moved"
    return notebook


def test_the_notebook_of_the_folder_is_held_against_git(committed, folder, capsys):
    here = folder / f"{CHAPTER}.ipynb"
    code, _, errors = said(capsys, "diff", here)
    assert code == 2 and len(errors) == 1 and "rerun" in errors[0]
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for args in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "Add"]):
        subprocess.run(["git", *args], cwd=folder.parent, check=True)
    assert said(capsys, "diff", here)[:2] == (0, ["no printed figure moved"])
    here.write_text(json.dumps(shifted(committed)), "utf-8")
    code, lines, _ = said(capsys, "diff", here)
    assert code == 1 and len(lines) == 2 and lines[0].endswith("→ moved")


def test_rerun_tells_the_same_bytes_from_moved_figures(committed, folder, capsys, monkeypatch):
    here = folder / f"{CHAPTER}.ipynb"
    monkeypatch.setattr(execute, "execute", lambda half: here.read_text("utf-8"))
    code, lines, _ = said(capsys, "rerun")
    assert code == 0 and len(lines) == 1 and "byte for byte" in lines[0] and not rerun.AGAIN.exists()
    monkeypatch.setattr(execute, "execute", lambda half: json.dumps(committed, indent=7))
    code, lines, _ = said(capsys, "rerun", CHAPTER)
    assert code == 0 and len(lines) == 1 and "no printed figure moved, other bytes did" in lines[0]
    monkeypatch.setattr(execute, "execute", lambda half: json.dumps(shifted(committed)))
    code, lines, _ = said(capsys, "rerun")
    assert code == 1 and "1 verdict moved" in lines[0] and lines[1].endswith("→ moved")
    assert json.loads((rerun.AGAIN / here.name).read_text("utf-8")) == shifted(committed)
    assert json.loads(here.read_text("utf-8")) == committed


def test_run_ends_by_saying_what_moved(committed, folder, capsys, monkeypatch):
    here = folder / f"{CHAPTER}.ipynb"
    monkeypatch.setattr("lib.__main__.ROOT", folder.parent)
    monkeypatch.setattr(execute, "execute", lambda half: json.dumps(shifted(committed)))
    code, lines, _ = said(capsys, "run", "--force")
    assert code == 0 and lines[-1].startswith("moved: 1 verdict (") and f"chapters/{CHAPTER}.ipynb" in lines[-1]
    assert json.loads(here.read_text("utf-8")) == shifted(committed)
    assert said(capsys, "run", "--force")[1][-1] == "moved: nothing"
