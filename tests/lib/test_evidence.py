"""What later work says of a claim follows from the intervals of its rows; a missed significance refutes nothing."""

import pytest

from lib import evidence
from lib.evidence import EvidenceError, says

BLANK = dict.fromkeys(evidence.APPRAISAL, "")
ROW = {"ci_low": "", "ci_high": "", "numerator": "", "denominator": "", "unit": "ratio", "design": ""}


def judged(**fields) -> dict:
    return BLANK | {"claim": "CML-01", "evidence": "row", "role": "speaks"} | fields


def ratio(low, high) -> dict:
    return ROW | {"ci_low": str(low), "ci_high": str(high)}


BENEFIT = judged(direction="benefit", no_effect="1", better="below")
HARM = judged(direction="harm", no_effect="1", better="below")
NONE = judged(direction="none", no_effect="1", margin_low="0.8", margin_high="1.25")


@pytest.mark.parametrize(
    "claim, row, word",
    [
        (BENEFIT, ratio(0.5, 0.9), "supports"),
        (BENEFIT, ratio(0.68, 1.55), "inconclusive"),
        (BENEFIT, ratio(1.1, 2), "opposes"),
        (BENEFIT | {"size": "0.3"}, ratio(0.5, 0.9), "opposes"),
        (BENEFIT | {"size": "0.3"}, ratio(0.68, 1.55), "opposes"),
        (BENEFIT | {"better": "above"}, ratio(1.1, 2), "supports"),
        (HARM, ratio(1.1, 2), "supports"),
        (HARM, ratio(0.9, 2), "inconclusive"),
        (HARM, ratio(0.5, 0.9), "opposes"),
        (NONE, ratio(0.9, 1.1), "supports"),
        (NONE, ratio(0.5, 1.1), "inconclusive"),
        (NONE, ratio(1.05, 1.2), "opposes"),
        (NONE, ratio(1.3, 2), "opposes"),
    ],
)
def test_directions_are_computed_from_intervals(claim, row, word):
    assert says(claim, row) == word


def test_a_level_is_supported_only_by_an_interval_narrow_enough():
    level = judged(direction="level", size="41", margin_low="31", margin_high="51")
    assert says(level, ROW | {"ci_low": "35", "ci_high": "47", "unit": "%"}) == "supports"
    assert says(level, ROW | {"ci_low": "20", "ci_high": "60", "unit": "%"}) == "inconclusive"
    assert says(level, ROW | {"ci_low": "45", "ci_high": "60", "unit": "%"}) == "opposes"
    # counts have the exact interval: 9 of 12 is 42.8 to 94.5%
    assert says(level, ROW | {"numerator": "9", "denominator": "12", "unit": "%"}) == "opposes"


def test_a_typed_word_that_the_interval_refutes_is_refused_and_one_is_asked_for_where_there_is_none():
    with pytest.raises(EvidenceError, match="'opposes' is typed, and the interval 0.68 to 1.55 is inconclusive"):
        says(BENEFIT | {"says": "opposes"}, ratio(0.68, 1.55))
    with pytest.raises(EvidenceError, match="a reader's word must stand"):
        says(BENEFIT, ROW)
    assert says(BENEFIT | {"says": "supports"}, ROW) == "supports"
    with pytest.raises(EvidenceError, match="says of what"):
        says(judged(), ratio(1, 2))


def combined(monkeypatch, *rows) -> dict:
    """The verdict from rows of (role, word, design)."""
    import pandas as pd

    appraised = [
        judged(evidence=str(n), role=role, direction="benefit", says=word) for n, (role, word, _) in enumerate(rows)
    ]
    table = pd.DataFrame([ROW | {"design": design, "study": f"S{n}", "reference": f"R{n}", "value": "", "quantity": "q"} for n, (*_, design) in enumerate(rows)],
                         index=[str(n) for n in range(len(rows))])  # fmt: skip
    return evidence._combined(appraised, table)


@pytest.mark.parametrize(
    "rows, verdict, deciding",
    [
        ([("context", "", "randomised")], "none-found", ""),
        ([("speaks", "supports", "cohort")], "supported", "0"),
        ([("speaks", "opposes", "cohort"), ("speaks", "supports", "randomised phase 3")], "supported", "1"),
        ([("speaks", "opposes", "cohort"), ("speaks", "supports", "registry cohort")], "mixed", "1"),
        ([("speaks", "inconclusive", "randomised"), ("speaks", "supports", "cohort")], "inconclusive", "0"),
        ([("speaks", "inconclusive", "cohort"), ("speaks", "opposes", "cohort")], "against", "1"),
        ([("speaks", "supports", "randomised"), ("supersedes", "", "single-arm")], "superseded", "1"),
    ],
)
def test_rows_combine_by_design_and_never_by_number(monkeypatch, rows, verdict, deciding):
    found = combined(monkeypatch, *rows)
    assert (found["verdict"], found["deciding"]) == (verdict, deciding)


def test_where_rows_disagree_one_for_and_one_against_are_shown(monkeypatch):
    rows = [("speaks", "inconclusive", "cohort"), ("speaks", "opposes", "cohort"), ("speaks", "supports", "cohort")]
    assert combined(monkeypatch, *rows)["rule"] == "S2 [R2]: q; against it, S1 [R1]: q; 3 rows of one design"


def test_every_row_of_the_appraisal_stands_in_a_table_and_speaks_by_rule():
    from lib import records

    spoken = {claim for slug in records.slugs() for claim in evidence.later_evidence(slug)}
    known = {claim.id: claim for slug in records.slugs() for claim in records.record(slug).claims}
    assert spoken <= known.keys()
    assert not [c for c in spoken if known[c].kind in records.PERSONAL], "opinions and accounts have no evidence"
    assert len({(r["claim"], r["evidence"]) for r in evidence.appraisal()}) == len(evidence.appraisal())


def test_none_found_names_the_day_of_the_search():
    assert evidence.none_found()["rule"].startswith("none in our tables, last searched ")
