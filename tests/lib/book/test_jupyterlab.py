"""What a reader does with a chapter in JupyterLab, in a real browser: open it, run all, save, close. Nothing may move."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from browser import browsed

from lib import ROOT
from lib.house import execute

NO_LAB = "no JupyterLab: `python3 -m lib setup --lab` adds it"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not find_spec("jupyterlab"), reason=NO_LAB), browsed]
STATE = r"""
from lib.house import execute, parts
from sphinx_citable.registry import sha256_results, sha256_text
print([(p.label, sha256_text(p), sha256_results(p)) for p in parts.parts()])
print(*(fault for half in execute.chapters() for fault in execute.faults(half)), sep="\n")
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The book as it stands, committed in a folder of its own."""
    top = tmp_path_factory.mktemp("lab") / "it's ü"
    shutil.copytree(ROOT, top, ignore=shutil.ignore_patterns(".*", "_build", "dist", "__pycache__"))
    for name in (".gitattributes", ".gitignore"):
        shutil.copy(ROOT / name, top)
    us = ("-c", "user.name=us", "-c", "user.email=us@book.example")
    for args in (("init", "-q"), ("add", "-A"), (*us, "commit", "-q", "-m", "All")):
        subprocess.run(["git", *args], cwd=top, check=True)
    return top


def python(book, *args):
    env = os.environ | {"PYTHONPATH": str(book)}
    return subprocess.run([sys.executable, *args], cwd=book, env=env, capture_output=True, text=True)


@pytest.fixture(scope="module")
def lab(book, tmp_path_factory):
    """The address of JupyterLab on the book, for a user who never used it."""
    home = tmp_path_factory.mktemp("home")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "PYTEST"))}
    env |= {"PYTHONPATH": str(book), "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home), "JUPYTER_TOKEN": "x"}
    (home / "jupyter_server_config.json").write_text('{"ServerApp": {"allow_root": true, "open_browser": false}}')
    with (home / "log").open("wb") as log:
        args = [sys.executable, "-m", "lib", "lab"]
        server = subprocess.Popen(args, cwd=book, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        until = time.monotonic() + 120
        while not (found := re.search(r"(http://localhost:\d+/)lab\?token=", (home / "log").read_text("utf-8"))):
            assert server.poll() is None and time.monotonic() < until, (home / "log").read_text("utf-8")
            time.sleep(0.2)
        yield found[1]
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def kernels(lab):
    """The states of the kernels that a page is connected to; none while one starts, when the server may not know."""
    try:
        with urlopen(f"{lab}api/kernels?token=x") as answer:
            return [kernel["execution_state"] for kernel in json.load(answer) if kernel["connections"]]
    except HTTPError:
        return []


def until(page, holds):
    end = time.monotonic() + 900
    while not holds():
        assert time.monotonic() < end, "never"
        page.wait_for_timeout(200)


def opened(chromium, lab, name):
    """A page of JupyterLab with a notebook in it, whose kernel waits; before that, a run is asked for in vain."""
    page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{lab}lab/tree/{name}?token=x&reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=120_000)
    until(page, lambda: kernels(lab) == ["idle"])
    page.locator(".jp-Notebook .jp-Cell").first.click()
    return page


def run_all_and_save(page, lab, path):
    """Run every cell of a fresh kernel, and save until no cell is waiting."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator("[data-command='runmenu:run-all']").click()
    until(page, lambda: "busy" in kernels(lab))

    def done():
        page.keyboard.press("Control+s")
        page.wait_for_timeout(2000)
        cells = json.loads(path.read_text("utf-8"))["cells"]
        return all(c.get("execution_count") for c in cells if c["cell_type"] == "code" and "".join(c["source"]).strip())

    until(page, lambda: kernels(lab) == ["idle"] and done())


@pytest.mark.parametrize("slug", [half.stem for half in execute.chapters()])
def test_who_runs_all_cells_and_saves_changes_nothing(chromium, lab, book, slug):
    before = python(book, "-c", STATE).stdout
    assert before.startswith("[(") and f"\n{slug}: " not in before, before[-2000:]
    text, notebook = (book / "chapters" / f"{slug}{suffix}" for suffix in (".md", ".ipynb"))
    stood = text.read_bytes(), notebook.read_bytes()
    page = opened(chromium, lab, notebook.name)
    run_all_and_save(page, lab, notebook)
    page.context.close()
    assert text.read_bytes() == stood[0] and notebook.read_bytes() != stood[1], "it was saved, the text half as it was"
    diff = python(book, "-m", "lib", "diff", f"chapters/{slug}.ipynb")
    assert (diff.returncode, diff.stdout) == (0, "no printed figure moved\n"), diff.stdout + diff.stderr
    assert python(book, "-c", STATE).stdout == before
