"""The pages, built aside: those that stand stay until the new are whole."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys

from lib import PATHS, ROOT

BUILD = ROOT / "_build"
SITE = BUILD / "html"
_MADE_OF = BUILD / "made-of"
_USED = (
    "_config.yml", "_toc.yml", "index.md", "requirements.txt", "jupytext.toml", "CITATION.cff", "LICENSE*", "chapters/*.*", "pages/*", "seeds/*",
    "data/**/*", "registry/**/*", "lib/**/*", "packages/*/src/**/*", "_static/**/*",
)  # fmt: skip
_SHOWN = 40
"""Lines of a failed build that are told; all of them are in the log."""


class BuildError(RuntimeError):
    """Pages that cannot be built; the message gives the warnings."""


def _now() -> str:
    """A hash of everything that the pages are made of, and of the edition that they are built for."""
    found = {p for pattern in _USED for p in ROOT.glob(pattern) if p.is_file() and "__pycache__" not in p.parts}
    whole = hashlib.sha256(os.environ.get("CITABLE_EDITION", "").encode())
    for path in sorted(found):
        whole.update(f"{path.relative_to(ROOT).as_posix()}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def current() -> bool:
    """Whether the pages that stand are made of what is there now."""
    return (SITE / "index.html").is_file() and _MADE_OF.is_file() and _MADE_OF.read_text("utf-8") == _now()


def site() -> None:
    """Build the pages if something that they are made of has changed; always from clean, for only that is repeatable.

    Raises
    ------
    BuildError
        Sphinx warned of something; the pages that stood still stand.
    """
    _dated()
    if current():
        return
    now = _now()
    print("Building the pages (about 10 s) ...", flush=True)
    fresh, log = BUILD / "next", BUILD / "build.log"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    tool = [
        sys.executable,
        "-c",
        "from jupyter_book.cli.main import main; main()",
        "build",
        ".",
        "-W",
        "-n",
        "--keep-going",
    ]
    with log.open("wb") as out:
        command = [*tool, "--path-output", str(fresh)]
        env = os.environ | {"PYTHONPATH": os.pathsep.join(PATHS)}
        failed = subprocess.run(command, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT).returncode
    said = re.sub(r"\x1b\[[0-9;]*m", "", log.read_text("utf-8", "replace")).splitlines()
    if failed:
        last = "The build failed, and the pages stay as they were; the whole log is _build/build.log"
        raise BuildError("\n".join([*_causes(said)[:_SHOWN], last]))
    for line in said:
        if line.startswith("Not set in"):
            print(line, flush=True)
    last = BUILD / "last"
    shutil.rmtree(last, ignore_errors=True)
    if SITE.exists():
        SITE.rename(last)
    (fresh / "_build" / "html").rename(SITE)
    _MADE_OF.write_bytes(now.encode())
    for folder in (last, fresh):
        shutil.rmtree(folder, ignore_errors=True)


def _causes(said: list[str]) -> list[str]:
    """The lines of a failed build that say why: warnings and errors, else what a module of ours refuses."""
    loud = [x for x in said if re.search("WARNING|ERROR|Error", x) and not re.search(r"^ *raise |RuntimeError: *$", x)]
    ours = [x.partition(": ")[2] for x in said if re.match(r"lib\.[\w.]+: ", x)]
    return list(dict.fromkeys(loud or ours))


def _dated() -> None:
    """Give the pages the commit's own time, of which Sphinx prints the year: clean builds are identical."""
    try:
        command = ["git", "log", "-1", "--format=%ct"]
        shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    except OSError:
        shown = ""
    os.environ.setdefault("SOURCE_DATE_EPOCH", shown or "1767225600")
