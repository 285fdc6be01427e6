"""The small shared library of *Interferon, Recomputed*."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATHS = (str(ROOT), *(str(ROOT / "packages" / name / "src") for name in ("whichdata", "sphinx-citable")))
"""Where Python finds the book's own modules: ``lib``, ``chapters.models`` and the two packages."""

BOUND, LEDGER, TABLE, FIGURE = (f"application/vnd.{kind}+json" for kind in ("bound", "ledger", "table", "figure"))
"""The outputs of our own that a chapter emits, by MIME type: named here, so that who reads them back loads no plots."""
