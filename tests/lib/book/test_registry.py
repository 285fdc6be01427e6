"""The registry keeps its promises: tags are append-only and complete, and no verdict moves unnoticed."""

import csv
import subprocess

import pytest

from lib import ROOT, registry


def test_every_label_has_its_tag():
    tags = registry.tag_of()
    lacking = [item.label for item in registry.parts() if item.label not in tags]
    assert not lacking, f"run `python -m lib tags`: {', '.join(lacking)}"


def test_no_verdict_moved():
    moved = registry.verdicts_moved()
    assert not moved, "verdicts moved (python -m lib verdicts --accept records them):\n" + "\n".join(moved)


def test_registry_is_append_only():
    """What the first commit of a tag said of it, the registry still says: the committed file is a prefix of today's."""
    shown = subprocess.run(["git", "show", "HEAD:registry/tags.csv"], cwd=ROOT, capture_output=True, text=True)
    if shown.returncode:
        pytest.skip("no committed registry: this is not a git checkout")
    keep, now = (
        [row[:3] for row in csv.reader(text.splitlines())] for text in (shown.stdout, registry.TAGS.read_text("utf-8"))
    )
    assert now[: len(keep)] == keep


@pytest.mark.parametrize(
    "row, says",
    [
        ("ABCD,some-label,section,live,", "no tag"),
        ("2345,some-label,chapter,live,", "label and kind"),
        ("2345,,section,live,", "label and kind"),
        ("2345,a,section,live,\n2345,b,section,live,", "stands twice"),
        ("2345,a,section,live,\n6789,a,section,live,", "stands twice"),
    ],
)
def test_a_spoilt_registry_is_refused(tmp_path, row, says):
    path = tmp_path / "tags.csv"
    path.write_text(",".join(registry.COLUMNS) + "\n" + row + "\n")
    with pytest.raises(registry.RegistryError, match=says):
        registry.read(path)


def test_a_tag_comes_from_the_label_and_steps_aside():
    first = registry.tag_for("cml-stopping", set())
    assert len(first) == 4 and set(first) <= set(registry.ALPHABET)
    assert registry.tag_for("cml-stopping", set()) == first
    assert registry.tag_for("cml-stopping", {first}) != first
