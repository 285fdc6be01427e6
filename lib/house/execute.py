"""Chapters as pairs: the text half is edited, the executed half is made from it, stamped, and never edited.

A stamp names everything an execution used (the text half, the record, the modules of ``lib``, the data files, the lock)
with a hash of each, and of the tables that all reviews share with that of its own rows; a chapter is stale when one of them has changed. Faults of a pair are *missing*, *cut short* (no
whole notebook), *hollow* (never executed), *drifted* (its inputs are not those of the text half), *stale*, or *edited*:
the notebook was changed instead of the text half, and is never made anew until that is settled. A chapter that *stopped*
because its record allows no more is none of these: it is whole as far as it can go, and fit to be read, not to be
released.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory

# The kernels inherit these: the same run gives the same bytes, whatever the machine's cores and hash seed.
os.environ.update(
    PYTHONHASHSEED="0",
    PYTHONUTF8="1",
    OMP_NUM_THREADS="1",
    OPENBLAS_NUM_THREADS="1",
    TZ="UTC",
    LC_ALL="C.UTF-8",
    COLUMNS="80",
    PYTHONWARNINGS="error::FutureWarning",
)
# What Windows lacks and tornado makes good for.
warnings.filterwarnings("ignore", "Proactor event loop", RuntimeWarning)
os.environ.pop("JPY_SESSION_NAME", None)  # nobody watches these, from wherever they are started

import jupytext  # noqa: E402
import nbformat  # noqa: E402
from nbclient import NotebookClient  # noqa: E402
from nbclient.exceptions import CellExecutionError  # noqa: E402

from lib import PATHS, ROOT, write  # noqa: E402
from lib.house import executed  # noqa: E402

# Chapters import this folder's modules, whatever other checkout the environment may know.
os.environ["PYTHONPATH"] = os.pathsep.join([*PATHS, *filter(None, [os.environ.get("PYTHONPATH")])])

CHAPTERS = ROOT / "chapters"
LOCKS = ("requirements.txt",)
USED = ("lib/", "chapters/", "packages/whichdata/", "data/", "seeds/")
NEVER = ("lib/book/",)
"""Folders whose modules and files a chapter may use, and those that never make it stale."""
SHARED = ("data/appraisal.csv", "data/bias.csv", "data/certainty.csv")
"""Tables of judgements whose first column says of which review a row is: the review of another is not hung on it."""
CELL_SECONDS = 300
LAST = "synthesis"
"""The chapter executed after the others: it reads their ledgers."""
MYST = {"extension": ".md", "format_name": "myst"}
READING = "reading_copy"
"""What marks a notebook made to be read, in its metadata."""

_WATCH = """
import sys as _sys
_opened = set()
_sys.addaudithook(lambda event, args: _opened.add(str(args[0])) if event == "open" and isinstance(args[0], (str, __import__("os").PathLike)) else None)
"""
_REPORT = """
import json as _json
print(_json.dumps({"modules": sorted(str(getattr(m, "__file__", None) or "") for m in _sys.modules.values()),
                   "opened": sorted(p for p in _opened if "site-packages" not in p and not p.endswith(".pyc"))}))
"""


class ChapterError(RuntimeError):
    """A chapter that cannot be executed; the message names chapter, cell and error."""


def chapters() -> list[Path]:
    """The text halves, the synthesis last."""
    found = [p for p in CHAPTERS.glob("*.md") if "format_name: myst" in p.read_text("utf-8")[:600]]
    return sorted(found, key=lambda p: (p.stem == LAST, p.stem))


def chapter(name: str) -> Path:
    """The text half of one chapter.

    Raises
    ------
    ChapterError
        There is none of that name.
    """
    path = CHAPTERS / f"{name}.md"
    if path not in chapters():
        raise ChapterError(f"no chapter {name!r}; there are {', '.join(p.stem for p in chapters())}")
    return path


def inputs(text_half: Path) -> nbformat.NotebookNode:
    """The notebook of a text half before execution, with cell ids made from the content."""
    nb = jupytext.read(text_half)
    seen: dict[str, int] = {}
    for cell in nb.cells:
        digest = _id(cell)
        seen[digest] = seen.get(digest, 0) + 1
        cell["id"] = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
        if "hide-input" in cell.metadata.get("tags", []):
            cell.metadata["jupyter"] = {"source_hidden": True}  # folds it where tags do not, as in JupyterLab
    nb.metadata.get("jupytext", {}).pop("main_language", None)
    return nb


def _id(cell: nbformat.NotebookNode) -> str:
    return hashlib.sha256((cell.cell_type + cell.source).encode()).hexdigest()[:8]


def digest(name: str, by: str = "") -> str:
    """A short hash of what a stamp names: a file's bytes, an executed notebook's ledger outputs, or of a table that
    reviews share the rows of the one that used it, ``by``.
    """
    path = ROOT / name
    if not path.is_file():
        return "absent"
    if name in SHARED and (ROOT / "seeds" / f"{by}.yml").is_file():
        with path.open(encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file)
        # Not by lib.records: a broken record of another source is said elsewhere, and is no reason to stop here.
        prefix = re.search(r"\bprefix: *(\w+)", (ROOT / "seeds" / f"{by}.yml").read_text("utf-8"))
        own = re.compile(rf"{by}|{prefix[1]}-\d+")
        kept = [head, *(row for row in rows if row and own.fullmatch(row[0]))]
        return hashlib.sha256(json.dumps(kept).encode()).hexdigest()[:16]
    if path.suffix == ".ipynb":
        try:
            cells = executed.read(path)["cells"]
        except executed.NotExecuted:
            return "cut short"
        data = [o.get("data", {}) for c in cells for o in c.get("outputs", [])]
        results = [{k: v for k, v in d.items() if k.startswith("application/vnd.")} for d in data]
        return hashlib.sha256(json.dumps(results, sort_keys=True).encode()).hexdigest()[:16]
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def used(report: dict, text_half: Path) -> list[str]:
    """What an execution used, as paths from the top, in order (contract C6)."""
    names = {text_half.relative_to(ROOT).as_posix(), *LOCKS}
    for name in [*report["modules"], *report["opened"]]:
        if not name:
            continue
        path = Path(os.path.normpath(CHAPTERS / name))
        if not path.is_relative_to(ROOT) or not path.is_file():
            continue
        part = path.relative_to(ROOT)
        ours = part.as_posix()
        if ours.startswith(USED) and not ours.startswith(NEVER) and part.suffix != ".pyc":
            names.add(ours)
    return sorted(names)


_at_work: dict = {}
"""The kernels at work, by the folders of their sockets."""


def _run_cells(client: NotebookClient, text_half: Path) -> nbformat.NotebookNode:
    """Execute a notebook's cells in the kernel of ``client``; the cell that reports what they used."""
    nb = client.nb
    hidden = nbformat.v4.new_code_cell(_WATCH)
    nb.cells.append(hidden)
    client.execute_cell(hidden, len(nb.cells) - 1, store_history=False)
    nb.cells.pop()
    for index, cell in enumerate(nb.cells):
        try:
            client.execute_cell(cell, index)
        except CellExecutionError as error:
            raise ChapterError(f"{place(text_half, index)}: {error.ename}: {error.evalue}\n{cell.source}") from None
        except TimeoutError:
            raise ChapterError(f"{place(text_half, index)}: took longer than {CELL_SECONDS} s") from None
        if executed.stopped({"cells": [cell]}):
            break
    report = nbformat.v4.new_code_cell(_REPORT)
    nb.cells.append(report)
    client.execute_cell(report, len(nb.cells) - 1, store_history=False)
    nb.cells.pop()
    return report


def place(text_half: Path, index: int) -> str:
    """Where cell ``index``, from 0, of a text half begins: its file and line."""
    text, at = text_half.read_text("utf-8"), 0
    for cell in jupytext.read(text_half).cells[: index + 1]:
        at = max(text.find(cell.source, at), at)
        start, at = at, at + len(cell.source)
    return f"{text_half.relative_to(ROOT).as_posix()}:{text.count(chr(10), 0, start) + 1}"


def execute(text_half: Path) -> str:
    """Run a text half from its first cell; the executed notebook as text, stamped.

    Raises
    ------
    ChapterError
        A cell failed or took longer than the limit.
    """
    half = text_half.relative_to(ROOT).as_posix()
    begun, nb = digest(half), inputs(text_half)
    client = NotebookClient(
        nb, timeout=CELL_SECONDS, kernel_name="python3", record_timing=False, coalesce_streams=True,
        resources={"metadata": {"path": str(CHAPTERS)}}, extra_arguments=["--IPKernelApp.log_level=ERROR"],
        allow_error_names=["Impossible"],  # lib.review has closed the ledger
    )  # fmt: skip
    kernel = client.create_kernel_manager()
    with TemporaryDirectory() as folder:
        # Sockets with names of their own: two kernels cannot clash over a port. A name has some 100 bytes at most.
        if os.name == "posix" and len(os.fsencode(folder)) < 80:
            kernel.transport, kernel.ip = "ipc", f"{folder}/kernel"
        kernel.connection_file = f"{folder}/kernel.json"
        with client.setup_kernel():
            _at_work[folder] = kernel.provisioner.process
            report = _run_cells(client, text_half)
        del _at_work[folder]
    names = used(json.loads(report.outputs[0]["text"]), text_half)
    noisy = [i for i, c in enumerate(nb.cells) for o in c.get("outputs", []) if o.get("name") == "stderr"]
    if noisy:
        raise ChapterError(f"{place(text_half, noisy[0])}: writes to stderr (a warning?); mend what it complains of")
    nb.metadata["language_info"] = {"name": "python"}
    nb.metadata["stamp"] = {name: begun if name == half else digest(name, text_half.stem) for name in names}
    return nbformat.writes(nb) + "\n"


def faults(text_half: Path) -> list[str]:
    """What is wrong with a pair, one line each; empty if the executed half is what a run of the text half gave."""
    made = text_half.with_suffix(".ipynb")
    name = text_half.stem
    again = f"run `python3 -m lib chapter {name}`"
    if not made.is_file():
        return [f"{name}: missing: no executed notebook; {again}"]
    try:
        nb = _read(made)
    except executed.NotExecuted:
        return [f"{name}: cut short: no whole notebook; {again}"]
    found = []
    ours, theirs = ([_half(c) for c in half.cells] for half in (nb, inputs(text_half)))
    if ours != theirs:
        at = next((i for i, (a, b) in enumerate(zip(ours, theirs), 1) if a != b), min(len(ours), len(theirs)) + 1)
        if READING in nb.metadata:
            return [f"{name}: edited: a reading copy stands in the notebook's place; move it away, then {again}"]
        if not _text_half_moved(nb, text_half) or any(c.get("id", "").partition("-")[0] != _id(c) for c in nb.cells):
            drop = f"delete chapters/{made.name} to drop it"
            return [f"{name}: edited: cell {at} of the notebook; `python3 -m lib take {name}` keeps it, {drop}"]
        found.append(f"{name}: drifted: cell {at} of the notebook is not that of the text half; {again}")
    code = [c for c in nb.cells if c.cell_type == "code" and c.source.strip()]
    if executed.stopped(nb):
        code = [c for c in code if c.execution_count is not None]
    if any(c.execution_count is None for c in code):
        found.append(f"{name}: hollow: a cell was never executed; {again}")
    elif [c.execution_count for c in code] != list(range(1, len(code) + 1)):
        found.append(f"{name}: hollow: cells were not executed in order from a fresh start; {again}")
    stamp = nb.metadata.get("stamp")
    if not stamp:
        found.append(f"{name}: hollow: the notebook carries no stamp; {again}")
    else:
        moved = [n for n, h in stamp.items() if digest(n, name) != h]
        if name == LAST:  # it reads every ledger: that of a source which is new as well
            stand = (f"chapters/{p.stem}.ipynb" for p in sorted((ROOT / "seeds").glob("*.yml")))
            moved += [n for n in stand if n not in stamp and (ROOT / n).is_file()]
        if not (ROOT / "seeds" / f"{name}.yml").is_file() and any(n.startswith("seeds/") for n in stamp):
            moved += [
                n for p in (ROOT / "seeds").glob("*.yml") if (n := f"seeds/{p.name}") not in stamp
            ]  # it reads all
        if moved:
            found.append(f"{name}: stale: changed since it ran: {', '.join(moved)}; {again}")
    return found


def stopped(text_half: Path) -> list[str]:
    """Why a chapter is not fit to be released though its pair agrees, in one line; empty if it ran through."""
    made = text_half.with_suffix(".ipynb")
    try:
        why = executed.stopped(executed.read(made)) if made.is_file() else ""
    except executed.NotExecuted:
        why = ""
    return [f"{text_half.stem}: stopped: {why}; mend seeds/{text_half.stem}.yml"] if why else []


def _half(cell: nbformat.NotebookNode) -> tuple:
    """What of a cell the text half holds; whether it is folded is the reader's affair."""
    return cell.cell_type, cell.source, cell.metadata.get("tags", [])


def _read(made: Path) -> nbformat.NotebookNode:
    executed.read(made)  # which says so if it is no whole notebook
    return nbformat.read(made, as_version=4)


def _text_half_moved(nb: nbformat.NotebookNode, text_half: Path) -> bool:
    """Whether the text half is another than the notebook was made of."""
    name = text_half.relative_to(ROOT).as_posix()
    return nb.metadata.get("stamp", {}).get(name) != digest(name)


def _saved(text_half: Path) -> int:
    """When the notebook of a text half was last saved; 0 if there is none."""
    made = text_half.with_suffix(".ipynb")
    return made.stat().st_mtime_ns if made.is_file() else 0


def same_code(text_half: Path) -> bool:
    """Whether the executed notebook ran the code that the text half has, so that what it binds is known."""
    made = text_half.with_suffix(".ipynb")
    if not made.is_file():
        return False
    try:
        halves = _read(made), inputs(text_half)
    except executed.NotExecuted:
        return False
    ran, has = ([c.source for c in half.cells if c.cell_type == "code"] for half in halves)
    return ran == has


def take(text_half: Path) -> str:
    """Write what was edited in a notebook into its text half; says what was done.

    A text half that was edited as well is kept in ``_build/set-aside/``.

    Raises
    ------
    ChapterError
        There is no whole notebook, or it is a reading copy.
    """
    made, name = text_half.with_suffix(".ipynb"), text_half.stem
    if not made.is_file():
        raise ChapterError(f"{name}: no notebook to take from; run `python3 -m lib chapter {name}`")
    nb = _read(made)
    if READING in nb.metadata:
        raise ChapterError(f"{name}: a reading copy is no notebook to take from; edit chapters/{name}.md")
    if not any(": edited: " in fault for fault in faults(text_half)):
        return f"{name}: nothing was edited in the notebook"
    kept = ""
    if _text_half_moved(nb, text_half):
        aside = ROOT / "_build" / "set-aside" / text_half.name
        aside.parent.mkdir(parents=True, exist_ok=True)
        write(aside, text_half.read_text("utf-8"))
        kept = f"; the text half was edited too, and is kept as {aside.relative_to(ROOT).as_posix()}"
    nb.metadata = jupytext.read(text_half).metadata
    write(text_half, jupytext.writes(nb, MYST))
    return f"{name}: chapters/{name}.md has what was edited in the notebook{kept}; run `python3 -m lib chapter {name}`"


def formatted(text_half: Path) -> str:
    """Write the code of a text half as ruff formats a notebook's, and the rest as jupytext does; says what was done.

    Raises
    ------
    ChapterError
        A cell is no Python; where ruff stopped.
    """
    name, nb = text_half.stem, jupytext.read(text_half)
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.ipynb"
        nbformat.write(nb, path)
        command = [sys.executable, "-m", "ruff", "format", "--config", ROOT / "pyproject.toml", path]
        ran = subprocess.run(command, capture_output=True, text=True)
        if ran.returncode:
            raise ChapterError(f"{name}: {ran.stderr.strip().splitlines()[-1].partition(': ')[2]}")
        sources = [cell.source for cell in nbformat.read(path, as_version=4).cells]
    was = text_half.read_text("utf-8")
    text, at = was, 0
    for cell, source in zip(nb.cells, sources):
        if cell.cell_type == "code":
            at = text.index(cell.source, at)
            text = text[:at] + source + text[at + len(cell.source) :]
            at += len(source)
    text = jupytext.writes(jupytext.reads(text, MYST), MYST)  # as JupyterLab would, which opens no other pair
    if text == was:
        return f"{name}: formatted already"
    write(text_half, text)
    return f"{name}: formatted; run `python3 -m lib chapter {name}`"


def run(text_halves: list[Path], force: bool = False, check: Callable = lambda due: None) -> dict[str, dict]:
    """Execute the chapters among ``text_halves`` that need it, two side by side, the synthesis last.

    ``check`` is given those that are due before a kernel starts, and may refuse. Says which and why as it goes. Returns
    the names executed, each with the notebook that stood before ({} for none). An error in one leaves the others'
    results in place; a notebook that was edited is left alone.
    """
    done: dict[str, dict] = {}
    errors: list[str] = []
    for batch in ([p for p in text_halves if p.stem != LAST], [p for p in text_halves if p.stem == LAST]):
        due = {p: why for p in batch if (why := faults(p)) or force}
        edited = {p: why[0] for p, why in due.items() if why and ": edited: " in why[0]}
        errors += edited.values()
        due = {p: [w.split(": ", 1)[1].rsplit("; run", 1)[0] for w in why] for p, why in due.items() if p not in edited}
        if due:
            check(list(due))
        for p, why in due.items():
            print(f"executing {p.stem}: {'; '.join(why) or 'asked for'}", flush=True)
        stood = {p: _saved(p) for p in due}
        pool, start = ThreadPoolExecutor(2), time.monotonic()
        jobs = {pool.submit(execute, p): p for p in due}
        try:
            for job in as_completed(jobs):
                p = jobs[job]
                made = p.with_suffix(".ipynb")
                try:
                    text = job.result()
                except ChapterError as error:
                    errors.append(str(error))
                    continue
                if _saved(p) != stood[p]:
                    errors.append(f"{p.stem}: the notebook was saved while it ran, and is left alone; run again")
                    continue
                absent = due[p] and due[p][0].startswith(("missing", "cut short"))
                done[p.stem] = {} if absent else executed.read(made)
                write(made, text)
                print(f"executed {p.stem}, {time.monotonic() - start:.0f} s", *stopped(p), sep="\n", flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for folder, kernel in _at_work.items():
                kernel.kill()
                shutil.rmtree(folder, ignore_errors=True)
            raise
    if errors:
        raise ChapterError("\n".join(errors))
    if not done:
        print("every executed notebook is up to date", flush=True)
    return done
