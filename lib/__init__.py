"""The shared code of *Interferon, Recomputed*: tables, statistics, models, records and the book itself."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
