"""A figure that a source might have printed otherwise moves what the chapter says of it, and stops no chapter.

A few changes at every run of the tests, of figures that late cells are the first to read; all of them by
``python tests/chapters/changed.py SLUG ...``, as the weekly workflow does.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from lib import records
from tests.chapters.changed import Change, changed, changes

LINE = re.compile(
    r"(?P<figure>\S+) printed .*?: (?P<word>noticed|moved|same|stopped|refused|slow|crashed)(?P<said>: .*)?"
)
MOVES = {"CML-15/limit", "CML-17/confirmations", "CML-40/p"}
"""Figures of which one more in the last place changes a verdict or a value; others of their claims may not."""


def test_a_changed_figure_gives_a_verdict_and_no_traceback() -> None:
    """In a process of its own, for the sweep draws and displays nothing."""
    claims = sorted({figure.partition("/")[0] for figure in MOVES}) + ["CML-42"]
    command = [
        sys.executable,
        str(Path(__file__).parent / "changed.py"),
        "cml-stopping",
        "--how",
        "one up",
        "--only",
        *claims,
    ]
    run = subprocess.run(command, capture_output=True, text=True)
    found = [m.groupdict() for m in map(LINE.match, run.stdout.splitlines()) if m]
    record = records.record("cml-stopping")
    assert len(found) == sum(len(record[c].figures) for c in claims), run.stderr[-2000:]
    assert [f for f in found if f["word"] in ("crashed", "slow")] == []
    assert MOVES <= {f["figure"] for f in found if f["word"] in ("noticed", "moved")}


def test_a_figure_that_leaves_nothing_to_compute_stops_the_chapter_in_order() -> None:
    """Of chapters whose earliest cells cannot do without the figures; each claim then has a verdict."""
    stops = ["MSB-34", "MSB-38/ci-low", "MSB-46", "PHA-18", "PHA-27/ongoing"]
    slugs = ["ms-interferon-beta", "ph-all-maintenance"]
    command = [sys.executable, str(Path(__file__).parent / "changed.py"), *slugs, "--stops", "--how", "zero", "--only"]
    run = subprocess.run([*command, *stops], capture_output=True, text=True)
    found = [m.groupdict() for m in map(LINE.match, run.stdout.splitlines()) if m]
    assert [f["word"] for f in found] == ["stopped"] * len(stops), run.stdout + run.stderr[-2000:]
    assert all(f["said"].removeprefix(": ") for f in found)


def test_changes_are_of_judged_figures_and_differ_from_what_is_printed() -> None:
    record = records.record("cml-stopping")
    every = list(changes(record))
    assert len(every) > 200 and not {c.claim for c in every} & {c.id for c in record.claims if c.kind in records.PLAIN}
    assert all(record[c.claim].figure(c.role).value.value != changed_value(record, c) for c in every)


def changed_value(record, change: Change):
    return changed(record, change)[change.claim].figure(change.role).value.value
