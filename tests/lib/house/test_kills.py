"""Killed at any moment, nothing half stands: the next run completes to the same bytes. Twenty kills of each command."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from lib import ROOT
from tests.lib.house.test_execute import CHAPTER, executed  # noqa: F401  (a fixture)

pytestmark = pytest.mark.slow
KILLS = 20


@pytest.fixture(scope="module")
def book(executed, tmp_path_factory):  # noqa: F811
    """The small book with its tags, and make to build it in the environment of this one."""
    top = shutil.copytree(executed, tmp_path_factory.mktemp("killed") / "book")
    shutil.copy(ROOT / "Makefile", top)
    made(top, "-m", "lib", "tags", program=sys.executable)
    return top


def started(top, *args, program="make"):
    env = {k: v for k, v in os.environ.items() if k != "MAKEFLAGS"}
    env |= {"PYTHONPATH": str(top), "SOURCE_DATE_EPOCH": "1800000000"}
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen([program, *args], cwd=top, env=env, start_new_session=True, **pipe)


def made(top, *args, **program):
    """Run to the end: what was said, and the seconds it took."""
    start, ran = time.monotonic(), started(top, *args, **program)
    said = ran.communicate()[0]
    assert ran.returncode == 0, said
    return said, time.monotonic() - start


def digest(folder):
    """The names and bytes of every file in a folder; "" where there is none."""
    if not folder.exists():
        return ""
    whole = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        whole.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return whole.hexdigest()


def killed(top, target, changed, result):
    """Kill ``make target`` at random moments, each time after a change of a text, and complete it."""
    chance, args, texts = random.Random(2026), (f"PYTHON={sys.executable}", target), [changed.read_text("utf-8")]
    texts.append(texts[0].replace("One ", "Just one ", 1))
    wanted, seconds = {}, 0.0
    for text in texts:
        changed.write_text(text, "utf-8")
        seconds = made(top, *args)[1]
        wanted[text] = result()
    assert len(set(wanted.values())) == 2
    struck = 0
    for n in range(1, KILLS + 1):
        changed.write_text(texts[n % 2], "utf-8")
        ran = started(top, *args)
        time.sleep(chance.uniform(0.05, 0.9) * seconds)
        struck += ran.poll() is None
        print(f"{target}: kill {n} of {KILLS}", flush=True)
        with suppress(ProcessLookupError):  # it was done already
            os.killpg(ran.pid, chance.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT]))
        ran.communicate()
        assert result() in {"", *wanted.values()}, f"kill {n}: something half stands"
        said = made(top, *args)[0]
        assert result() == wanted[texts[n % 2]], f"kill {n}: {said}"
        assert not list(top.rglob("*.part"))
    print(f"{target}: {struck} of {KILLS} struck at work, {KILLS} of {KILLS} complete on the next run")
    assert struck > KILLS / 2


def test_book_completes_after_every_kill(book):
    killed(book, "book", book / "index.md", lambda: digest(book / "_build" / "html"))


def test_run_completes_after_every_kill(book):
    half = book / "chapters" / "cml-stopping.md"
    head, _, _ = CHAPTER.partition("One check")
    half.write_text(f"{head}One cell.\n\n```{{code-cell}} ipython3\nlist(range(1000))\n```\n", "utf-8")
    killed(book, "run", half, lambda: hashlib.sha256(half.with_suffix(".ipynb").read_bytes()).hexdigest())


@pytest.fixture(scope="module")
def ready(book, tmp_path_factory):
    """The small book as a commit that is fit to be released, with what ``make edition`` runs but tests and print."""
    top = shutil.copytree(book, tmp_path_factory.mktemp("edition") / "book", symlinks=True)
    half = top / "chapters" / "cml-stopping.md"
    half.write_text(CHAPTER, "utf-8")
    half.with_suffix(".ipynb").unlink(missing_ok=True)
    shutil.copy(ROOT / ".gitignore", top)
    with (top / ".gitignore").open("a") as file:
        file.write("\n.venv\n")
    makefile = (top / "Makefile").read_text("utf-8")
    for old, new in (("@$(LIB) test", "@true"), ("$(LIB) print", "$(LIB) site")):
        assert makefile.count(old) == 1
        makefile = makefile.replace(old, new)
    (top / "Makefile").write_text(makefile, "utf-8")
    (top / "CHANGELOG.md").write_text("# Changes\n\n## 1.0\n", "utf-8")
    (top / "registry" / "verdicts.csv").write_text("id,verdict\n", "utf-8")
    python = ROOT / ".venv" / "bin" / "python"
    for args in (["run"], ["tags"], ["verdicts", "--accept"], ["cff"]):
        made(top, "-m", "lib", *args, program=python)
    git = ["-c", "user.name=A", "-c", "user.email=a@b.example"]
    for args in (["init", "-q"], ["add", "-A"], [*git, "commit", "-qm", "One"]):
        made(top, *args, program="git")
    return top


def entries(top):
    """The editions of the registry, each whole and of the archive that it names; its text by file."""
    found = {}
    for path in (top / "registry" / "editions").glob("*.json"):
        entry = json.loads(path.read_text("utf-8"))
        archive = (top / "dist" / entry["archive"]).read_bytes()
        assert hashlib.sha256(archive).hexdigest() == entry["sha256"] and len(entry["commit"]) == 40
        found[path.name] = path.read_text("utf-8")
    return found


def again(top):
    """As before any release: the commit, and no archive."""
    made(top, "reset", "-q", "--hard", program="git")
    made(top, "clean", "-qfdx", "registry", "dist", program="git")


STEPS = ".venv/bin/python -m lib edition 1.0 && .venv/bin/python -m lib edition 1.0 --freeze"


def test_an_edition_completes_after_every_kill(ready):
    """Killed while it enters, freezes and releases: nothing half is released, and the same commands complete it."""
    made(ready, "-m", "lib", "edition", "1.0", program=ROOT / ".venv" / "bin" / "python")
    made(ready, "site", "CITABLE_EDITION=1.0")
    again(ready)
    chance, seconds = random.Random(2026), made(ready, "-c", STEPS, program="bash")[1]
    wanted, struck = (entries(ready), digest(ready / "dist"), (ready / "CITATION.cff").read_text()), 0
    assert list(wanted[0]) == ["1.0.json"] and "version: '1.0'" in wanted[2]
    for n in range(1, KILLS + 1):
        again(ready)
        ran = started(ready, "-c", STEPS, program="bash")
        time.sleep(chance.uniform(0.05, 0.99) * seconds)
        struck += ran.poll() is None
        with suppress(ProcessLookupError):
            os.killpg(ran.pid, chance.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT]))
        ran.communicate()
        print(f"edition: kill {n} of {KILLS}", flush=True)
        if entries(ready):  # released, and whole
            assert entries(ready) == wanted[0], f"kill {n}"
            continue
        said = made(ready, "-c", STEPS, program="bash")[0]
        found = (entries(ready), digest(ready / "dist"), (ready / "CITATION.cff").read_text())
        assert found == wanted, f"kill {n}: {said}"
    print(f"edition: {struck} of {KILLS} struck at work")
    assert struck > KILLS / 2


@pytest.mark.parametrize("part", [0.3, 0.8])
def test_the_whole_command_completes_after_a_kill(ready, part):
    """Tests and builds in it as well; what it asks for it asks of the commit, not of what it left itself."""
    again(ready)
    args = ("edition", "VERSION=1.0")
    seconds = made(ready, *args)[1]
    assert list(entries(ready)) == ["1.0.json"]
    again(ready)
    ran = started(ready, *args)
    time.sleep(part * seconds)
    os.killpg(ran.pid, signal.SIGKILL)
    ran.communicate()
    assert entries(ready) == {}
    made(ready, *args)
    assert list(entries(ready)) == ["1.0.json"]
    said = started(ready, *args).communicate()[0]
    assert "edition 1.0 exists: an edition never changes" in said
