"""The small shared library of *Interferon, Recomputed*."""

from __future__ import annotations

import json
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATHS = (str(ROOT), *(str(ROOT / "packages" / name / "src") for name in ("whichdata", "sphinx-citable")))
"""Where Python finds the book's own modules: ``lib``, ``chapters.models`` and the two packages."""

BOUND, LEDGER, TABLE, FIGURE, STOPPED = (
    f"application/vnd.{kind}+json" for kind in ("bound", "ledger", "table", "figure", "stopped")
)
"""The outputs of our own that a chapter emits, by MIME type: named here, so that who reads them back loads no plots."""


def canonical(value):
    """``value`` as every writer of JSON leaves it, a browser too: each whole number without a point, nought unsigned."""
    return parsed(json.dumps(value))


def parsed(text: str):
    """What a text of JSON holds, its numbers canonical: 80.0 is 80."""
    return json.loads(text, parse_float=_number)


def _number(text: str) -> float | int:
    x = float(text)
    return int(x) if x.is_integer() else x


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all: into one beside it, which then takes its name.

    Raises
    ------
    OSError
        A full disk, a folder that may not be written; it names ``path``, which stays as it was.
    """
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException as error:
        if beside.exists():
            beside.unlink()
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
