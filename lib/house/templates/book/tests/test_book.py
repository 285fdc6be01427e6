"""What must hold of this book whatever it reviews: pairs agree, records hold, verdicts are accepted, pages are whole."""

import json

from lib import ROOT, records, relations
from lib.__main__ import main
from lib.house import accepted
from lib.house.parts import parts


def test_nothing_is_left_to_do(capsys):
    assert main(["gate"]) == 0, capsys.readouterr().out


def test_a_relation_fails_only_where_its_record_says_so():
    for slug in records.slugs():
        for held in relations.relations(records.record(slug)):
            assert held.holds == (held.relation.finding is None), f"{held.claim}: {held.shows}"


def test_no_verdict_moved():
    assert accepted.moved() == [], "see `python3 -m lib verdicts`; --accept records them"


def test_every_part_has_its_page_and_tag():
    site = ROOT / "_build" / "html"
    rows = {row["label"]: row for row in json.loads((site / "sections.json").read_text("utf-8"))}
    for part in parts():
        assert (site / rows[part.label]["page"]).is_file() and (site / "t" / rows[part.label]["tag"]).is_dir()
