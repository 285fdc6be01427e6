"""The registry keeps its promises: tags are append-only and complete, and no verdict moves unnoticed."""

import csv
import subprocess

import pytest

from lib import ROOT
from lib.house import accepted, parts
from sphinx_citable.registry import broken_promises


def test_every_label_has_its_tag():
    tags = {row["label"] for row in parts.REGISTRY.tags()}
    lacking = [item.label for item in parts.parts() if item.label not in tags]
    assert not lacking, f"run `python -m lib tags`: {', '.join(lacking)}"


def test_what_was_released_is_kept():
    assert broken_promises(parts.REGISTRY.tags(), parts.REGISTRY.editions()) == []


def test_no_verdict_moved():
    moved = accepted.moved()
    assert not moved, "verdicts moved (python -m lib verdicts --accept records them):\n" + "\n".join(moved)


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
