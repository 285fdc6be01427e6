"""Killed at any moment, nothing half stands: the next run completes to the same bytes. Twenty kills of each command."""

import hashlib
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
