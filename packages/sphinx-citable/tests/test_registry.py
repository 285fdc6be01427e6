"""Tags come from labels, and a spoilt registry is refused in one line."""

import json

import pytest

from sphinx_citable import registry
from sphinx_citable.registry import Part, Registry, RegistryError


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
    (tmp_path / "tags.csv").write_text(",".join(registry.COLUMNS) + "\n" + row + "\n")
    with pytest.raises(RegistryError, match=says):
        Registry(tmp_path).tags()


def test_a_tag_comes_from_the_label_and_steps_aside():
    first = registry.tag_for("cml-stopping", set())
    assert len(first) == 4 and set(first) <= set(registry.ALPHABET)
    assert registry.tag_for("cml-stopping", set()) == first
    assert registry.tag_for("cml-stopping", {first}) != first


def test_the_first_tags_begin_the_file_and_later_ones_are_appended(tmp_path):
    kept = Registry(tmp_path / "registry")
    assert kept.tags() == [] and kept.editions() == []
    (first,) = kept.assign([("one", "section")])
    before = kept.tags_csv.read_text()
    assert kept.assign([("one", "section")]) == []
    (second,) = kept.assign([("one", "section"), ("two", "figure")])
    assert kept.tags_csv.read_text().startswith(before) and [first[1], second[1]] == ["one", "two"]


@pytest.mark.parametrize(("value", "same"), [(80.0, 80), (-0.0, 0), (1e21, 10**21), ([{"a": 3.0}], [{"a": 3}])])
def test_results_have_one_form_for_each_number(value, same):
    ours, theirs = (Part("a", "table", "", "", 7, "", "", {"cell": v}) for v in (value, same))
    assert registry.sha256_results(ours) == registry.sha256_results(theirs)
    other = Part("a", "table", "", "", 7, "", "", {"cell": 80.5})
    assert registry.sha256_results(other) != registry.sha256_results(ours)


def test_each_result_counts_and_none_has_no_hash():
    results = {"a": 1, "b": "two", "c": [3, None]}
    whole = registry.sha256_results(Part("a", "section", "", "", 1, "", "", results))
    for name in results:
        moved = Part("a", "section", "", "", 1, "", "", results | {name: "moved"})
        assert registry.sha256_results(moved) != whole
    assert registry.sha256_results(Part("a", "section", "", "", 1, "", "")) == ""


def test_what_changed_is_said_from_and_to(tmp_path):
    """Through the file of an edition, which keeps values: one number, a field of a record, cells of a table."""
    was = {
        "sum": "7",
        "claim": {"n": 15, "says": "All."},
        "table": [["Ada", 3.4], ["Bea", 3.5]],
        "gone": "1",
        "kept": 80,
    }
    now = {
        "sum": "8",
        "claim": {"says": "All.", "n": 16},
        "table": [["Ada", 3.6], ["Cid", 3.5]],
        "new": "2",
        "kept": 80.0,
    }
    parts = [
        Part("one", "section", "One", "p", 1, "", "words", was),
        Part("two", "section", "Two", "p", 2, "one", "", was),
    ]
    kept = Registry(tmp_path)
    kept.assign((part.label, part.kind) for part in parts)
    held = json.loads(kept.enter(kept.sections(parts), "1.0", "2026-01-01").read_text())
    assert sorted(map(str, held["values"].values())) == sorted(map(str, was.values())), "each value once"
    (tmp_path / "one.zip").write_bytes(b"")
    kept.release("1.0", tmp_path / "one.zip")
    (tag, _), old = (kept.tags()[0][k] for k in ("tag", "label")), kept.sections(parts)[0]
    parts[0].results = now
    said = kept.verify(kept.sections(parts), tag, old["sha256_text"], old["sha256_results"])
    assert said == (
        "results changed (claim n from 15 to 16, gone gone, new new, sum from 7 to 8, table from 3.4 to 3.6 and 1 more)"
        " since edition 1.0"
    )


def test_labels_that_cannot_be_permanent_are_refused():
    one = Part("a-label", "section", "One", "page", 1, "", "")
    with pytest.raises(RegistryError, match="stands twice, on page and other"):
        registry.checked([one, Part("a-label", "section", "Two", "other", 1, "", "")])
    with pytest.raises(RegistryError, match="lower-case words"):
        registry.checked([Part("A label", "section", "One", "page", 1, "", "")])
