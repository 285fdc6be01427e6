"""Sabotage: a small executed chapter is spoiled in each way that matters, and refused for the right reason."""

import base64
import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from lib import LEDGER, ROOT, records
from lib.__main__ import main
from lib.house import execute, release
from sphinx_citable.registry import RegistryError
from tests.lib.small import HEAD

pytestmark = pytest.mark.slow
CHAPTER = (
    HEAD
    + """
(cml-stopping)=
# A small chapter

One check and one figure.

```{code-cell} ipython3
# Judge one claim
import pandas as pd
from lib.figures import figure
from lib.review import Review
review = Review("cml-stopping")
_ = review.judge("CML-23", "sum", "a sum", enrolled=review.value("CML-33/analysed") + review.value("CML-32/excluded"))
```

```{code-cell} ipython3
:tags: [hide-input]

# Draw a line
points = [1, 2, 3]
figure(lambda ax: ax.plot(points, points), title="It rises", data=pd.DataFrame({"x": points}), height=2,
       label="fig-cml-line", caption="A line.", alt="A rising line")
```

```{code-cell} ipython3
# Draw another line
figure(lambda ax: ax.plot(points, points[::-1]), title="It falls", data=pd.DataFrame({"x": points}), height=2,
       label="fig-cml-fall", caption="Another line.", alt="A falling line")
```
"""
)
SAID = re.compile(r"cml-stopping: ([\w ]+): ")


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A copy of the code with one small chapter, executed."""
    top = tmp_path_factory.mktemp("gate")
    for name in ("lib", "packages", "seeds", "data", "_static"):
        shutil.copytree(ROOT / name, top / name, ignore=shutil.ignore_patterns("__pycache__", "draws"))
    for name in ("_config.yml", "requirements.txt", "jupytext.toml", "CITATION.cff", "LICENSE", "LICENSE-text"):
        shutil.copy(ROOT / name, top / name)
    (top / "chapters").mkdir()
    (top / "chapters" / "cml-stopping.md").write_text(CHAPTER)
    (top / "index.md").write_text("(front)=\n# Small book\n\nOne chapter.\n")
    (top / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters:\n  - file: chapters/cml-stopping.ipynb\n")
    (top / "registry").mkdir()
    (top / "registry" / "tags.csv").write_text("tag,label,kind,state,note\n")
    ran = command(top, "-m", "lib", "run")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return top


@pytest.fixture
def book(executed, tmp_path, monkeypatch):
    """A copy to spoil, which ``lib.house.execute`` takes for the project."""
    top = tmp_path / "book"
    shutil.copytree(executed, top)
    monkeypatch.setattr(execute, "ROOT", top)
    monkeypatch.setattr(execute, "CHAPTERS", top / "chapters")
    return top


def command(top, *args):
    env = os.environ | {"PYTHONPATH": str(top), "SOURCE_DATE_EPOCH": "1800000000"}
    return subprocess.run([sys.executable, *args], cwd=top, env=env, capture_output=True, text=True)


def text_half(book):
    return book / "chapters" / "cml-stopping.md"


def spoil(book, change):
    """Change the executed half by a function of its JSON."""
    path = book / "chapters" / "cml-stopping.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    change(notebook)
    path.write_text(json.dumps(notebook), "utf-8")


def reasons(book):
    """The kinds of fault the gate finds, and what it says."""
    said = execute.faults(text_half(book))
    return {m[1] for line in said if (m := SAID.match(line))}, " ".join(said)


def code_cells(notebook):
    return [c for c in notebook["cells"] if c["cell_type"] == "code"]


def test_an_honest_chapter_passes(book):
    assert execute.faults(text_half(book)) == []


def test_a_chapter_whose_record_allows_no_more_stops_in_order(book, monkeypatch):
    why, half = "1 and 1 are not 3", text_half(book)
    half.write_text(half.read_text().replace("points = [1, 2, 3]", f'review.require(1 + 1 == 3, "{why}")'))
    ran = command(book, "-m", "lib", "run")
    assert ran.returncode == 0 and f"cml-stopping: stopped: {why};" in ran.stdout, ran.stdout + ran.stderr
    made = half.with_suffix(".ipynb")
    cells = code_cells(json.loads(made.read_text("utf-8")))
    assert "Traceback" not in made.read_text("utf-8")
    assert {o["output_type"] for cell in cells for o in cell["outputs"]} == {"display_data"}
    rows = [o["data"][LEDGER] for cell in cells for o in cell["outputs"] if LEDGER in o["data"]]
    assert sorted(row["id"] for row in rows) == sorted(c.id for c in records.record("cml-stopping").claims)
    assert sum(why in row["reason"] for row in rows) > 20 and rows[0]["verdict_figures"] == "reproduced"
    assert execute.faults(half) == []
    assert execute.stopped(half) == [f"cml-stopping: stopped: {why}; mend seeds/cml-stopping.yml"]
    monkeypatch.setattr(release, "REGISTRY", SimpleNamespace(editions=list, check_version=str))
    with pytest.raises(RegistryError, match=f"stopped: {why}"):
        release.open_edition("1.0")


def test_drifted_text_half(book):
    half = text_half(book)
    half.write_text(half.read_text().replace('"a sum"', '"another sum"'))
    kinds, said = reasons(book)
    assert kinds == {"drifted", "stale"} and "cell 2" in said


def edit(notebook):
    code_cells(notebook)[1]["source"] = "points = [1, 2, 4]"
    mine = {"cell_type": "code", "id": "4f0c-mine", "metadata": {"scrolled": True}, "source": "precious = 42"}
    notebook["cells"].append(mine | {"outputs": [], "execution_count": None})


def said(capsys, *args):
    """The exit code of a command, and its lines."""
    code = main(list(args))
    out = capsys.readouterr()
    return code, out.out.splitlines(), out.err.splitlines()


def test_an_edited_notebook_is_never_made_anew_and_take_keeps_the_edit(book, capsys):
    half, made = text_half(book), text_half(book).with_suffix(".ipynb")
    stood = half.read_text()
    spoil(book, edit)
    kept = made.read_bytes()
    for force in ([], ["--force"]):
        code, out, errors = said(capsys, "run", *force)
        assert code == 2 and not out and len(errors) == 1
        assert "edited" in errors[0] and "`python3 -m lib take cml-stopping`" in errors[0]
        assert made.read_bytes() == kept and half.read_text() == stood
    code, out, errors = said(capsys, "take", "cml-stopping")
    assert code == 0 and len(out) == 1 and not errors
    text = half.read_text()
    assert "precious = 42" in text and "points = [1, 2, 4]" in text and "(cml-stopping)=" in text
    assert "scrolled" not in text and "stamp" not in text, "only what an author writes"
    assert reasons(book)[0] == {"hollow", "stale"}
    again = command(book, "-m", "lib", "run")
    assert again.returncode == 0 and execute.faults(half) == [], again.stderr
    assert "nothing was edited" in said(capsys, "take", "cml-stopping")[1][0]


def test_an_edit_of_both_halves_loses_neither(book, capsys):
    half = text_half(book)
    spoil(book, edit)
    half.write_text(half.read_text().replace("One check and one figure.", "Two lines."))
    assert reasons(book)[0] == {"edited"}
    code, out, _ = said(capsys, "take", "cml-stopping")
    assert code == 0 and "_build/set-aside/cml-stopping.md" in out[0]
    assert "Two lines." in (book / "_build" / "set-aside" / "cml-stopping.md").read_text()
    assert "precious = 42" in half.read_text()


def test_what_is_saved_while_a_chapter_runs_is_not_lost(book, monkeypatch, capsys):
    half, made = text_half(book), text_half(book).with_suffix(".ipynb")
    whole = made.read_text("utf-8")

    def saves(half):
        spoil(book, edit)
        return whole

    monkeypatch.setattr(execute, "execute", saves)
    with pytest.raises(execute.ChapterError, match="saved while it ran"):
        execute.run([half], force=True)
    assert "precious = 42" in made.read_text("utf-8")


def test_a_text_half_edited_while_it_runs_is_drifted_not_edited(book):
    half = text_half(book)
    more = 'open("cml-stopping.md", "a").write("\\n\\nMore words.\\n")'
    half.write_text(half.read_text().replace("points = [1, 2, 3]", f"points = [1, 2, 3]; _ = {more}"))
    half.with_suffix(".ipynb").write_text(execute.execute(half), "utf-8")
    assert "More words." in half.read_text() and reasons(book)[0] == {"drifted", "stale"}


def test_a_tag_edited_in_the_notebook(book):
    spoil(book, lambda notebook: code_cells(notebook)[1]["metadata"].pop("tags"))
    assert reasons(book)[0] == {"edited"}


def test_a_reading_copy_is_neither_made_anew_nor_taken(book, capsys):
    def copied(notebook):
        notebook["metadata"][execute.READING] = "cml-stopping"
        notebook["cells"][0]["source"] = "# A small chapter"

    spoil(book, copied)
    assert reasons(book)[0] == {"edited"}
    for command in ("take", "run"):
        code, out, errors = said(capsys, command, "cml-stopping")
        assert code == 2 and not out and len(errors) == 1 and "reading copy" in errors[0]


@pytest.mark.parametrize("left", [0.0, 0.9])
def test_a_notebook_cut_short_is_named_and_made_anew(book, left):
    made = text_half(book).with_suffix(".ipynb")
    whole = made.read_bytes()
    made.write_bytes(whole[: int(left * len(whole))])
    assert reasons(book)[0] == {"cut short"}
    other = command(book, "-m", "lib", "ledger")
    assert other.returncode == 2 and "chapters/cml-stopping.ipynb is cut short" in other.stderr, other.stderr
    assert other.stderr.count("\n") == 1
    ran = command(book, "-m", "lib", "run")
    assert ran.returncode == 0 and "executing cml-stopping: cut short" in ran.stdout, ran.stderr
    assert made.read_bytes() == whole


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "No space left"), (errno.EROFS, "Read-only")])
def test_a_full_disk_or_a_read_only_folder_is_one_line_and_leaves_the_notebook(
    book, monkeypatch, capsys, number, words
):
    half, made = text_half(book), text_half(book).with_suffix(".ipynb")
    stood = made.read_bytes()
    monkeypatch.setattr(execute, "execute", lambda half: "{}")

    def full(*args):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    assert main(["run", "--force"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith(f"{made}: {words}"), said
    assert made.read_bytes() == stood and [p.name for p in half.parent.iterdir() if "part" in p.name] == []


def test_ctrl_c_is_one_line_and_leaves_no_kernel(book):
    half = text_half(book)
    mark = book / "kernel"
    busy = f"import os, pathlib, time; pathlib.Path({str(mark)!r}).write_text(str(os.getpid())); time.sleep(60)"
    half.write_text(half.read_text().replace("points = [1, 2, 3]", busy))
    stood = half.with_suffix(".ipynb").read_bytes()
    env = os.environ | {"PYTHONPATH": str(book)}
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}  # though these tests run unheard
    args = [sys.executable, "-m", "lib", "run"]
    ran = subprocess.Popen(args, cwd=book, env=env, stderr=subprocess.PIPE, text=True, **heard)
    deadline = time.monotonic() + 60
    while not (mark.is_file() and mark.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    ran.send_signal(signal.SIGINT)
    said = ran.communicate(timeout=20)[1]
    assert ran.returncode == 130 and said.count("\n") == 1 and said.startswith("interrupted"), said
    assert half.with_suffix(".ipynb").read_bytes() == stood
    while os.path.exists(f"/proc/{mark.read_text()}/cmdline") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{mark.read_text()}/cmdline")


def test_plumbing_is_folded_in_the_notebook_and_a_reader_may_unfold_it(book):
    notebook = json.loads((book / "chapters" / "cml-stopping.ipynb").read_text("utf-8"))
    folded = [c["metadata"].get("jupyter") for c in code_cells(notebook)]
    assert folded == [None, {"source_hidden": True}, None] and "source_hidden" not in text_half(book).read_text()

    def unfolded(notebook):
        code_cells(notebook)[1]["metadata"]["jupyter"] = {"source_hidden": False, "outputs_hidden": True}

    spoil(book, unfolded)
    assert execute.faults(text_half(book)) == []


def test_hollow_never_executed(book):
    def emptied(notebook):
        for cell in code_cells(notebook):
            cell |= {"outputs": [], "execution_count": None}

    spoil(book, emptied)
    kinds, said = reasons(book)
    assert kinds == {"hollow"} and "never executed" in said


def test_hollow_executed_out_of_order(book):
    def again(notebook):
        code_cells(notebook)[1]["execution_count"] = 5

    spoil(book, again)
    kinds, said = reasons(book)
    assert kinds == {"hollow"} and "in order" in said


def test_hollow_without_stamp(book):
    spoil(book, lambda notebook: notebook["metadata"].pop("stamp"))
    kinds, said = reasons(book)
    assert kinds == {"hollow"} and "no stamp" in said


USED = {"seeds/cml-stopping.yml": "", "lib/review.py": "", "lib/figures.py": "", "requirements.txt": "",
        "data/appraisal.csv": "CML-23,a,context,,,,,,,,,why"}  # fmt: skip
UNUSED = {"seeds/mpn-interferon.yml": "", "lib/book/site.py": "", "registry/tags.csv": "", "_static/book.css": "",
          "data/appraisal.csv": "CMX-23,a,context,,,,,,,,,why"}  # fmt: skip


@pytest.mark.parametrize("used", USED)
def test_stale_when_something_used_changed(book, used):
    with (book / used).open("a", encoding="utf-8") as file:
        file.write(f"{USED[used]}\n")
    kinds, said = reasons(book)
    assert kinds == {"stale"} and used in said


@pytest.mark.parametrize("unused", UNUSED)
def test_fresh_when_something_else_changed(book, unused):
    with (book / unused).open("a", encoding="utf-8") as file:
        file.write(f"{UNUSED[unused]}\n")
    assert execute.faults(text_half(book)) == []


def test_missing_notebook(book):
    (book / "chapters" / "cml-stopping.ipynb").unlink()
    assert reasons(book)[0] == {"missing"}


def redrawn(page, change):
    """A figure's HTML whose drawing has been changed."""
    start, _, rest = page.partition("base64,")
    drawing, quote, end = rest.partition('"')
    changed = change(base64.b64decode(drawing).decode())
    return f"{start}base64,{base64.b64encode(changed.encode()).decode()}{quote}{end}"


def three_to_the_right(svg):
    line = re.search(r'd="M [\d.]+ [\d.]+ L ([\d.]+) [^"]*"[^>]*stroke: #1f77b4', svg)
    return svg[: line.start(1)] + f"{float(line[1]) + 3:g}" + svg[line.end(1) :]


def test_moved_point_fails_its_cell_and_no_other(book):
    def moved(notebook):
        (output,) = code_cells(notebook)[1]["outputs"]
        output["data"]["text/html"] = redrawn("".join(output["data"]["text/html"]), three_to_the_right)

    spoil(book, moved)
    assert execute.faults(text_half(book)) == [], "pair and stamp cannot see it: only execution can"
    ran = command(book, "-m", "pytest", "--nbval", "--nbval-current-env", "-p", "no:cacheprovider", "-rA", "chapters")
    outcome = {cell: word for word, cell in re.findall(r"^(PASSED|FAILED) \S+::(Cell \d+)", ran.stdout, re.MULTILINE)}
    assert ran.returncode == 1, ran.stdout[-2000:]
    assert outcome == {"Cell 0": "PASSED", "Cell 1": "FAILED", "Cell 2": "PASSED"}, ran.stdout[-2000:]


def test_the_second_figure_of_a_cell_fails_the_build(book):
    def joined(notebook):
        line, fall = code_cells(notebook)[1:]
        line["outputs"] += fall["outputs"]
        notebook["cells"].remove(fall)

    spoil(book, joined)
    command(book, "-m", "lib", "tags")
    tool = os.path.join(os.path.dirname(sys.executable), "jupyter-book")
    ran = command(book, tool, "build", ".", "-W", "-n", "--keep-going")
    log = ran.stdout + ran.stderr
    warned = re.findall(r"WARNING: figure (\S+) is not the first of its cell", log)
    assert ran.returncode != 0 and warned == ["fig-cml-fall"], log[-3000:]


NAMELESS = {
    "{clami}`CML-23`": "no such role: claim",
    "{reported}`CML-23/enroled`": "CML-23 has no figure 'enroled'",
    "{cite}`Nobody1900`": "no record in data/references.bib of Nobody1900",
    "{reported}`CML-34/low` days, after years": "the sentence does not say months",
    "{found}`enrolled`": "binds no enrolled",
}


def test_a_role_that_names_nothing_is_one_line_with_its_place_before_a_kernel_starts(book):
    half = text_half(book)
    half.write_text(half.read_text().replace("One check and one figure.", "\n".join(NAMELESS)))
    ran = command(book, "-m", "lib", "run")
    assert ran.returncode == 2 and ran.stdout == "", ran.stdout
    first = half.read_text().splitlines().index(next(iter(NAMELESS))) + 1
    for n, (line, (role, says)) in enumerate(zip(ran.stderr.splitlines(), NAMELESS.items(), strict=True), first):
        assert line.startswith(f"chapters/cml-stopping.md:{n}: {role[: role.rindex('`') + 1]}: ") and says in line, line


def test_a_name_that_changed_code_might_bind_is_looked_for_when_it_ran(book):
    half = text_half(book)
    text = half.read_text().replace("points = [1, 2, 3]", "points = [1, 2, 4]")
    half.write_text(text.replace("One check and one figure.", "Some {found}`enrolled`."))
    ran = command(book, "-m", "lib", "run")
    assert ran.returncode == 2 and "executed cml-stopping" in ran.stdout and ran.stderr.count("\n") == 1
    assert ran.stderr.startswith("chapters/cml-stopping.md:15: {found}`enrolled`: "), ran.stderr


def test_a_broken_record_is_one_line_with_its_place_before_a_kernel_starts(book):
    record = book / "seeds" / "cml-stopping.yml"
    text = record.read_text("utf-8")
    at = text.index("CML-23")
    record.write_text(text[:at] + text[at:].replace("kind: ", "knid: ", 1), "utf-8")
    ran = command(book, "-m", "lib", "run")
    line = text.count("\n", 0, at) + 1
    assert ran.returncode == 2 and ran.stdout == ""
    assert all(said.startswith(f"seeds/cml-stopping.yml:{line}: CML-23") for said in ran.stderr.splitlines()), (
        ran.stderr
    )
    assert "knid" in ran.stderr and "Traceback" not in ran.stderr


def test_a_cell_that_fails_is_named_by_its_line(book):
    half = text_half(book)
    half.write_text(half.read_text().replace("points = [1, 2, 3]", "points = prnt(1)"))
    line = half.read_text().splitlines().index("# Draw a line") + 1
    ran = command(book, "-m", "lib", "run")
    assert ran.returncode == 2 and ran.stderr.startswith(f"chapters/cml-stopping.md:{line}: NameError: "), ran.stderr


def test_a_chapter_runs_where_temporary_files_have_long_names(book, tmp_path, monkeypatch):
    """As those of macOS nearly have: the name of a socket has 104 bytes there."""
    (long := tmp_path / ("x" * 100)).mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    ran = command(book, "-m", "lib", "run", "--force")
    assert ran.returncode == 0 and "executed cml-stopping" in ran.stdout, ran.stderr


def test_two_kernels_share_no_port(book, monkeypatch):
    """Sockets with names of their own: the ports of a kernel are taken before it binds them, and two may take the same."""
    half, seen = text_half(book), []
    monkeypatch.setattr(execute, "_run_cells", lambda client, half: seen.append(client.km.get_connection_info()))
    for _ in range(2):
        with pytest.raises(AttributeError):  # there is no report to read
            execute.execute(half)
    assert [info["transport"] for info in seen] == ["ipc", "ipc"] and seen[0]["ip"] != seen[1]["ip"]
