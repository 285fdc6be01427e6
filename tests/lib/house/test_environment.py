"""The entry point: with the standard library alone, in any folder, under any Python, it gets to where the book can run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lib import ROOT, __main__
from lib.house import building, environment


@pytest.fixture
def book(tmp_path):
    """The entry point in a folder whose name is awkward, with locks that ask for nothing."""
    top = tmp_path / "it's ü"
    for name in ("__init__", "__main__", "house/environment"):
        (top / "lib" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "lib" / f"{name}.py", top / "lib" / f"{name}.py")
    for name in ("requirements", "requirements-dev"):
        (top / f"{name}.txt").write_text("# nothing\n")
    (top / "nbclient.py").touch()  # what tells that an environment is whole
    return top


def command(top, *args, python=sys.base_prefix, path="/usr/bin:/bin", **variables):
    """Start a command with a Python that has no packages of ours."""
    bare = next(p for p in (Path(python, "bin", "python3"), Path(python, "python.exe")) if p.exists())
    env = {"PATH": path, "HOME": str(top), "PYTHONDONTWRITEBYTECODE": "1"} | variables
    return subprocess.run([bare, *args], cwd=top, env=env, capture_output=True, text=True, encoding="utf-8")


def fake(folder, code):
    """A uv that does what ``code`` says; its folder."""
    folder.mkdir()
    (folder / "uv").write_text(f"#!/bin/sh\n{code}\n")
    (folder / "uv").chmod(0o755)
    return str(folder)


def test_help_and_typos_need_no_package(book):
    ran = command(book, "-m", "lib", "--help")
    assert ran.returncode == 0 and "To read and to re-execute:" in ran.stdout and "Exit codes: 0 done" in ran.stdout
    for words in (["nope"], ["chapter", "nope"], ["ledger", "--source", "nope"], ["sample", "nope"]):
        ran = command(book, "-m", "lib", *words)
        assert (ran.returncode, ran.stderr.count("\n")) == (2, 1) and "nope" in ran.stderr and not ran.stdout


@pytest.mark.slow
def test_an_environment_is_made_once_and_again_for_another_lock(book, locale="C"):
    first = command(book, "-m", "lib", "setup", LC_ALL=locale)
    assert first.returncode == 0 and first.stdout.startswith("Setting up"), first.stdout + first.stderr
    assert first.stdout.splitlines()[-1] == f"ready: {book / '.venv'}"
    assert command(book, "-m", "lib", "setup", LC_ALL=locale).stdout.count("\n") == 1
    (book / "requirements.txt").write_text("# still nothing\n")
    assert command(book, "-m", "lib", "setup", LC_ALL=locale).stdout.startswith("Setting up")
    added = command(book, "-m", "lib", "setup", "--dev", LC_ALL=locale)
    assert added.stdout.startswith("Adding what the tests need") and added.returncode == 0


@pytest.mark.slow
def test_a_moved_folder_finds_its_own_modules_and_a_dead_environment_is_made_anew(book):
    assert command(book, "-m", "lib", "setup").returncode == 0
    moved = book.rename(book.with_name("moved"))
    python = environment._python(moved / ".venv")
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    where = subprocess.run(
        [python, "-c", "import lib; print(lib.ROOT)"], env=env, cwd="/", capture_output=True, text=True
    )
    assert where.stdout.strip() == str(moved), where.stderr
    python.unlink()
    python.symlink_to("/nowhere/python3")
    again = command(moved, "-m", "lib", "setup")
    assert again.returncode == 0 and "making it anew" in again.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "does",
    ["echo no such command >&2; exit 127", '[ "$1" = --version ] && exit 0; echo out of order >&2; exit 1'],
    ids=["does not start", "fails at work"],
)
def test_a_broken_uv_is_none(book, tmp_path, does):
    ran = command(book, "-m", "lib", "setup", path=f"{fake(tmp_path / 'uv', does)}:/usr/bin:/bin")
    assert ran.returncode == 0 and "ready: " in ran.stdout, ran.stderr
    assert "uv = " not in (book / ".venv" / "pyvenv.cfg").read_text("utf-8")


@pytest.mark.slow
def test_an_environment_without_pip_is_made_anew_whole_but_never_under_ones_feet(book):
    assert command(book, "-m", "lib", "setup").returncode == 0
    for pip in (book / ".venv").rglob("site-packages/pip"):
        shutil.rmtree(pip)
    inside = command(book, "-m", "lib", "setup", "--dev", python=book / ".venv")
    assert inside.returncode == 2 and "has no pip" in inside.stderr
    assert command(book, "-m", "lib", "setup", "--dev").returncode == 0
    assert (book / ".venv" / ".book").is_file() and (book / ".venv" / ".dev").is_file()


@pytest.mark.parametrize("version", [(3, 9), (3, 10), (3, 15)])
def test_another_python_is_refused_in_one_line(book, version):
    code = f"import sys; sys.version_info = {(*version, 0)}; sys.argv[1:] = ['setup']; import runpy"
    ran = command(book, "-c", f"{code}; runpy.run_module('lib', run_name='__main__')")
    want = f"Python 3.11 to 3.14 is needed, and this is {version[0]}.{version[1]}: "
    assert ran.returncode == 2 and ran.stderr.startswith(want) and ran.stderr.count("\n") == 1


def test_a_missing_venv_module_is_one_line(book):
    (book / "ensurepip.py").write_text("raise ImportError\n")
    ran = command(book, "-m", "lib", "setup")
    assert ran.returncode == 2 and "apt-get install python3-venv" in ran.stderr and ran.stderr.count("\n") == 1


def test_what_says_the_pythons_says_the_same():
    newest = environment.NEWEST[1] + 1
    asked = re.search(r'requires-python = "(.+)"', (ROOT / "pyproject.toml").read_text("utf-8"))[1]
    assert asked == f">=3.{environment.OLDEST[1]},<3.{newest}"
    assert f"Python {environment.RANGE}" in (ROOT / "README.md").read_text("utf-8")


def test_make_is_the_same_command_line():
    """Every target of the Makefile is a command, but the release, which is several."""
    text = (ROOT / "Makefile").read_text("utf-8")
    targets = re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)[1].split()
    helped = __main__.parser().format_help()
    assert [t for t in targets if not re.search(rf"^  {t} +\w", helped, re.MULTILINE)] == []
    contract = ["book", "test", "test-long", "run", "chapter", "lab", "print", "bench", "serve", "clean"]
    assert set(contract) <= set(targets)


@pytest.mark.parametrize(
    "given", ["chapters/cml-stopping.md", "chapters/cml-stopping.ipynb", "cml-stopping.md", "cml-stopping"]
)
def test_a_chapter_is_named_by_its_name_or_its_files(given):
    args = __main__.parser().parse_args(["chapter", given])
    assert args.name == "cml-stopping"
    assert __main__.parser().parse_args(["run", given, "methods"]).names == ["cml-stopping", "methods"]


@pytest.mark.parametrize("path", sorted((ROOT / "lib").rglob("*.py")), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_texts_are_written_in_utf_8_with_one_line_end_on_every_machine(path):
    """Windows writes CRLF and its own encoding unless told: ``lib.write``, bytes, or both named."""
    calls = re.findall(r"\.(?:write_text|read_text|open)\((?:[^()]|\([^()]*\))*\)", path.read_text("utf-8"))
    faults = [c for c in calls if "write_text" in c and not ("utf-8" in c and 'newline="\\n"' in c)]
    faults += [c for c in calls if "read_text" in c and "utf-8" not in c]
    assert faults == []


def test_the_pages_are_built_when_something_they_are_made_of_changed(tmp_path, monkeypatch):
    for name in ("ROOT", "BUILD", "SITE", "_MADE_OF"):
        old = getattr(building, name)
        monkeypatch.setattr(building, name, tmp_path / old.relative_to(ROOT))
    (tmp_path / "chapters").mkdir()
    text = tmp_path / "chapters" / "x.md"
    text.write_text("One.")
    first = building._now()
    assert building._now() == first
    text.touch()
    assert building._now() == first, "a new time is no change"
    text.write_text("Two.")
    assert building._now() != first
    text.unlink()
    assert building._now() != first
    monkeypatch.setenv("CITABLE_EDITION", "1.0")
    assert building._now() != first


def test_a_failed_build_says_why():
    """Lines as Sphinx and a traceback print them."""
    refused = ["Exception occurred:", '    raise NotExecuted(f"{path} is missing: run it")', "lib.house.executed.NotExecuted: x.ipynb is missing: run it",
               "    raise RuntimeError(box) from result", "RuntimeError: "]  # fmt: skip
    assert building._causes(refused) == ["x.ipynb is missing: run it"]
    assert building._causes(["a.md:3: WARNING: no target", *refused]) == ["a.md:3: WARNING: no target"]
