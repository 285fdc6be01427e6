"""The book's own environment, ``.venv``: made, mended, filled from the locks and entered, with the standard library alone.

Whatever Python starts a command, even one too old for the book, it gets this far and then runs in the environment. uv makes
it where uv works, the venv module and pip where not. A file in it for each set of requirements holds the hash of the lock
that was installed; a changed lock installs again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from lib import PATHS, ROOT

OLDEST, NEWEST = (3, 11), (3, 14)
"""The Pythons for which every package of the book's lock has wheels on Linux, macOS and Windows; ``lock`` tries each."""
RANGE = "{}.{} to {}.{}".format(*OLDEST, *NEWEST)
SETS = {
    "book": ("requirements", "Setting up the book's environment in .venv (about 10 s with uv, 60 s with pip)"),
    "dev": ("requirements-dev", "Adding what the tests need (about 10 s)"),
    "lab": ("requirements-lab", "Adding JupyterLab (about 10 s)"),
    "models": ("requirements-models", "Adding the sampler (about 60 s)"),
}
VENV = ROOT / ".venv"
SETTINGS = {"PYTHONUTF8": "1", "PYTHONHASHSEED": "0", "JUPYTER_PLATFORM_DIRS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""What every command runs with: one encoding and order anywhere, and small linear algebra without threads that wait."""
_PATH_FILE = "interferon_recomputed.pth"


class SetUpError(RuntimeError):
    """An environment that cannot be made; one line that says what to do."""


def note_paths() -> None:
    """Write into the running environment where the book's modules are, from there: the folder may move with it."""
    here = sysconfig.get_path("purelib")
    Path(here, _PATH_FILE).write_bytes("\n".join([*(os.path.relpath(p, here) for p in PATHS), ""]).encode())


def enter(sets: list, argv: list) -> None:
    """Go on in the book's environment with ``sets`` installed; from another Python by running the command anew there.

    Who started the environment's own Python is taken to know what is installed in it of the set ``book``.

    Raises
    ------
    SetUpError
        No fit Python, no venv module, or a package that does not install.
    """
    os.environ.update(SETTINGS)
    if sys.prefix != sys.base_prefix and Path(sysconfig.get_path("purelib"), _PATH_FILE).is_file():
        fill(Path(sys.prefix), sets)
        return
    command = [str(made(sets)), "-m", "lib", *argv]
    sys.stdout.flush()
    if os.name == "nt":  # there exec ends the command before its work is done
        sys.exit(subprocess.call(command))
    os.execv(command[0], command)


def made(sets: list) -> Path:
    """The Python of ``.venv``, made or mended if need be, with ``sets`` installed."""
    if (VENV / ".book").is_file() and not _runs(VENV, "-c", "import nbclient"):
        print("The environment in .venv does not run any more (its Python is gone, or packages are): making it anew.")
        shutil.rmtree(VENV)
    wanted = ["book", *sets]
    fill(VENV, wanted)
    fill(VENV, wanted)  # what was there, where pip has made an environment anew that uv made without it
    return _python(VENV)


def fill(home: Path, sets: list) -> None:
    """Install into the environment at ``home`` what of ``sets`` is not there as the locks have it."""
    for name in sets:
        lock, says = ROOT / f"{SETS[name][0]}.txt", SETS[name][1]
        if not lock.is_file():
            raise SetUpError(f"{lock.name} is missing: this needs the whole book")
        mark, wanted = home / f".{name}", hashlib.sha256(lock.read_bytes()).hexdigest()
        if mark.is_file() and mark.read_text("utf-8") == wanted:
            continue
        print(f"{says} ...", flush=True)
        if not (_with_uv(home, lock) or _with_pip(home, lock)):
            raise SetUpError(f"{lock.name} could not be installed, for the reason above")
        if name == "book":
            code = "from lib.house import environment; environment.note_paths()"
            subprocess.run([str(_python(home)), "-c", code], cwd=ROOT, check=True)
        mark.write_bytes(wanted.encode())


def _python(home: Path) -> Path:
    return home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _runs(home: Path, *args: str) -> bool:
    """Whether the environment's Python does this without fault."""
    return _did(True, str(_python(home)), *args)


def _did(silent: bool, *command: str) -> bool:
    try:
        return not subprocess.run(command, cwd=ROOT, capture_output=silent).returncode
    except OSError:
        return False


def _with_uv(home: Path, lock: Path) -> bool:
    """Install with uv; whether it did. A uv that does not work is none."""
    uv = shutil.which("uv")
    if not uv or not _did(True, uv, "--version"):
        return False
    if not _runs(home, "-c", ""):
        fit = sys.executable if _fits() else ">={}.{},<{}.{}".format(*OLDEST, NEWEST[0], NEWEST[1] + 1)
        if not _did(False, uv, "venv", "--quiet", "--python", fit, str(home)):
            return False
    python = str(_python(home))
    return _did(False, uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", str(lock))


def _with_pip(home: Path, lock: Path) -> bool:
    """Install with pip, into an environment made by the running Python unless there is one with pip; whether it did."""
    if not _runs(home, "-m", "pip", "--version"):
        if home == Path(sys.prefix):
            raise SetUpError(f"{home} has no pip: start the command with another Python, or install uv")
        if not _fits():
            this = "{}.{}".format(*sys.version_info)
            raise SetUpError(
                f"Python {RANGE} is needed, and this is {this}: start the command with one of these, or install uv"
            )
        shutil.rmtree(home, ignore_errors=True)
        for part in ("venv", "ensurepip"):
            if not _did(True, sys.executable, "-c", f"import {part}"):
                raise SetUpError(
                    "Python's venv module is missing (Debian: apt-get install python3-venv); or install uv"
                )
        if not _did(False, sys.executable, "-m", "venv", str(home)):
            return False
    quiet = ("--quiet", "--disable-pip-version-check")
    return _did(False, str(_python(home)), "-m", "pip", "install", *quiet, "--require-hashes", "-r", str(lock))


def _fits() -> bool:
    return OLDEST <= sys.version_info[:2] <= NEWEST


def lock(upgrade: bool) -> None:
    """Write the locks from what the book asks for, and try that its own has wheels wherever the book is to run.

    Raises
    ------
    SetUpError
        No uv, requirements that do not go together, a package without a wheel, or a lock that names a place of its own.
    """
    common = [
        "--universal",
        "--python-version",
        "{}.{}".format(*OLDEST),
        "--fork-strategy",
        "fewest",
        "--generate-hashes",
    ]
    common += ["--no-annotate", "--no-header", "--quiet", *(["--upgrade"] if upgrade else [])]
    for name, _ in SETS.values():
        if not _did(False, "uv", "pip", "compile", *common, f"{name}.in", "-o", f"{name}.txt"):
            raise SetUpError(f"{name}.in could not be locked: uv is needed, and what it says above mended")
        text = (ROOT / f"{name}.txt").read_text("utf-8")
        if any(place in text for place in ("file:", "index-url", "--find-links")):
            raise SetUpError(f"{name}.txt names a place of this machine")
    for minor in range(OLDEST[1], NEWEST[1] + 1):
        for system in ("linux", "macos", "windows"):
            on = ["--python-version", f"3.{minor}", "--python-platform", system, "--only-binary", ":all:", "--quiet"]
            if not _did(False, "uv", "pip", "compile", *on, "requirements.txt", "-o", os.devnull):
                raise SetUpError(f"requirements.txt lacks a wheel for Python 3.{minor} on {system}")
