"""The registry keeps its promises: tags are append-only and complete, and no verdict moves unnoticed."""

import csv
import subprocess

import pytest

from lib import ROOT
from lib.__main__ import main
from lib.house import accepted, parts
from sphinx_citable.registry import broken_promises


def test_every_label_has_its_tag():
    tags = {row["label"] for row in parts.REGISTRY.tags()}
    lacking = [item.label for item in parts.parts() if item.label not in tags]
    assert not lacking, f"run `python3 -m lib tags`: {', '.join(lacking)}"


def test_what_was_released_is_kept():
    assert broken_promises(parts.REGISTRY.tags(), parts.REGISTRY.editions()) == []


def test_no_verdict_moved():
    moved = accepted.moved()
    assert not moved, "verdicts moved (python3 -m lib verdicts --accept records them):\n" + "\n".join(moved)


def test_registry_is_append_only():
    """What the first commit of a tag said of it, the registry still says: the committed file is a prefix of today's."""
    shown = subprocess.run(["git", "show", "HEAD:registry/tags.csv"], cwd=ROOT, capture_output=True, text=True)
    if shown.returncode:
        pytest.skip("no committed registry: this is not a git checkout")
    keep, now = (
        [row[:3] for row in csv.reader(text.splitlines())]
        for text in (shown.stdout, parts.REGISTRY.tags_csv.read_text("utf-8"))
    )
    assert now[: len(keep)] == keep


@pytest.mark.parametrize(
    ("known", "rows", "lines"),
    [
        ("results changed (a, b)", [], ["2222: results changed (a, b)"]),
        ("results changed (a, b, c, table d)", [], ["2222: results changed (4 results)", "  a", "  b", "  c", "  table d"]),
        ("results changed (no edition holds it; it now prints a, b, c, d)", [], [
            "2222: results changed (no edition holds it; it now prints 4 results)"]),
        ("results changed (no edition holds it; it now prints a, b, c, d)", ["--rows"], [
            "2222: results changed (no edition holds it; it now prints 4 results)", "  a", "  b", "  c", "  d"]),
    ],
)  # fmt: skip
def test_verify_gives_a_line_to_each_of_many_results(monkeypatch, capsys, known, rows, lines):
    monkeypatch.setattr(parts, "sections", list)
    monkeypatch.setattr(parts.REGISTRY, "verify", lambda *_: known)
    assert main(["verify", "2222", "12345678", *rows]) == 1
    assert capsys.readouterr().out.splitlines() == lines
