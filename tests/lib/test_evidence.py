"""What later work says of a claim follows from the intervals of its rows; a missed significance refutes nothing."""

import csv
import re

import pytest

from lib import ROOT, evidence, records
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
    return evidence._combined(appraised, table, "cml-stopping")


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
    assert (
        combined(monkeypatch, *rows)["rule"]
        == "S2 [R2]: q; against it, S1 [R1]: q; three figures of equally rigorous design"
    )


@pytest.mark.parametrize(
    ("unit", "quantity", "told"),
    [
        ("hazard ratio", "risk", "S [R]: risk, hazard ratio 2.0 (95% CI 1.1 to 3.4), estimator not named"),
        (
            "hazard ratio",
            "risk (multiple Cox)",
            "S [R]: risk (multiple Cox), hazard ratio 2.0 (95% CI 1.1 to 3.4), Cox regression",
        ),
        ("odds ratio", "risk", "S [R]: risk, odds ratio 2.0 (95% CI 1.1 to 3.4)"),
    ],
)
def test_a_hazard_ratio_of_other_work_says_whether_its_estimator_is_named(unit, quantity, told):
    row = ROW | {
        "study": "S",
        "reference": "R",
        "quantity": quantity,
        "value": "2.0",
        "unit": unit,
        "ci_low": "1.1",
        "ci_high": "3.4",
    }
    assert evidence._figure(judged(), row) == told


def test_every_row_of_the_appraisal_stands_in_a_table_and_speaks_by_rule():
    spoken = {claim for slug in records.slugs() for claim in evidence.later_evidence(slug)}
    known = {claim.id: claim for slug in records.slugs() for claim in records.record(slug).claims}
    assert spoken <= known.keys()
    assert not [c for c in spoken if known[c].kind in records.PERSONAL], "opinions and accounts have no evidence"
    assert len({(r["claim"], r["evidence"]) for r in evidence.appraisal()}) == len(evidence.appraisal())


def test_none_found_names_the_day_of_the_search_and_is_not_said_of_an_empty_table(monkeypatch):
    assert evidence.none_found("cml-stopping")["rule"].startswith("none in our tables, last searched ")
    empty = evidence.evidence("cml-stopping").iloc[:0]
    monkeypatch.setattr(evidence, "evidence", lambda slug: empty)
    assert evidence.none_found("cml-stopping") is None
    assert evidence.reach("cml-stopping") == "No other work in our tables."


CHAPTERS = records.slugs()


def certain(start: str, steps=(0, 0, 0, 0, 0), upgrade: int = 0) -> str:
    """The word for a start and a step on each domain."""
    judgements = [("start", start), *zip(evidence.LOWERED_FOR, map(str, steps))]
    rows = [{"says": "relapse", "domain": d, "judgement": j, "reason": "why"} for d, j in judgements]
    if upgrade:
        rows.append({"says": "relapse", "domain": "upgrade", "judgement": str(upgrade), "reason": "why"})
    return evidence._certainty("here", rows).word


@pytest.mark.parametrize(
    "start, steps, upgrade, word",  # as the GRADE tables have it: four plus signs high, one very low
    [
        ("randomised", (0, 0, 0, 0, 0), 0, "high"),
        ("randomised", (-1, 0, 0, 0, 0), 0, "moderate"),
        ("randomised", (-1, 0, 0, -1, 0), 0, "low"),
        ("randomised", (0, 0, 0, -2, 0), 0, "low"),
        ("randomised", (-2, 0, 0, -1, 0), 0, "very low"),
        ("randomised", (-2, -2, -2, -2, -2), 0, "very low"),
        ("other", (0, 0, 0, 0, 0), 0, "low"),
        ("other", (-1, 0, 0, 0, 0), 0, "very low"),
        ("other", (0, 0, 0, 0, 0), 1, "moderate"),
        ("other", (0, 0, 0, 0, 0), 2, "high"),
        ("other", (-1, 0, 0, 0, 0), 1, "low"),
        ("randomised", (0, 0, 0, 0, 0), 2, "high"),
    ],
)
def test_certainty_is_computed_from_start_and_steps(start, steps, upgrade, word):
    assert certain(start, steps, upgrade) == word


@pytest.mark.parametrize(
    "spoil",
    [
        lambda r: r.pop(),
        lambda r: r.append(r[0]),
        lambda r: r[1].update(judgement="-3"),
        lambda r: r[0].update(judgement="-1"),
    ],
)
def test_a_certainty_that_is_not_judged_through_is_refused(spoil):
    judgements = [("start", "other"), *((d, "0") for d in evidence.LOWERED_FOR)]
    rows = [{"says": "relapse", "domain": d, "judgement": j, "reason": "why"} for d, j in judgements]
    spoil(rows)
    with pytest.raises(EvidenceError, match="here: one judgement on start and each domain"):
        evidence._certainty("here", rows)


def test_every_chapter_has_its_certainties_with_what_lowers_them():
    for slug in CHAPTERS:
        found = evidence.certainty(slug)
        assert 1 <= len(found) <= 7  # as many as a GRADE summary of findings may have
        for name, outcome in found.items():
            steps = [r for r in evidence._judged("certainty", slug) if r["outcome"] == name and r["domain"] != "start"]
            assert all(r["reason"] in outcome.why for r in steps if r["judgement"] != "0")
            assert {r["says"] for r in steps} == {outcome.outcome}


def test_no_chapter_types_a_certainty():
    typed = re.compile(r"certainty[^.\n]{0,40}?: (?:very low|low|moderate|high)\b", re.IGNORECASE)
    for slug in CHAPTERS:
        assert not typed.findall((ROOT / "chapters" / f"{slug}.md").read_text("utf-8")), slug


@pytest.mark.parametrize(
    "tool, judgements, overall",
    [
        ("RoB 2", ["low"] * 5, "low"),
        ("RoB 2", ["low", "some concerns", "low", "low", "low"], "some concerns"),
        ("RoB 2", ["some concerns", "low", "high", "low", "low"], "high"),
        ("ROBINS-I", ["low"] * 7, "low"),
        ("ROBINS-I", ["low"] * 6 + ["moderate"], "moderate"),
        ("ROBINS-I", ["serious", "moderate", "low", "no information", "low", "low", "low"], "serious"),
        ("ROBINS-I", ["critical", "serious", "low", "low", "low", "low", "low"], "critical"),
        ("ROBINS-I", ["moderate", "no information", "low", "low", "low", "low", "low"], "no information"),
        ("ROBINS-I", ["no information"] * 7, "no information"),
    ],
)
def test_the_overall_risk_of_bias_is_the_tool_s(tool, judgements, overall):
    assert evidence.overall_bias(tool, judgements) == overall


def test_every_study_is_judged_on_every_domain():
    with (ROOT / "data" / "bias.csv").open(encoding="utf-8", newline="") as file:
        judged = {(row["chapter"], row["study"]) for row in csv.DictReader(file)}
    shown = {
        (slug, tool): evidence.bias(slug, tool) for slug in {slug for slug, _ in judged} for tool in evidence.TOOLS
    }
    assert {(slug, study) for (slug, _), frame in shown.items() for study in frame.columns[1:]} == judged
    for (_, tool), frame in shown.items():
        assert tuple(frame.domain) == (*evidence.TOOLS[tool][0], "overall")


def test_a_domain_left_out_is_named(monkeypatch):
    rows = [r for r in evidence._judged("bias", "cml-stopping") if r["domain"] != "missing outcome data"]
    monkeypatch.setattr(evidence, "_judged", lambda name, slug: rows)
    with pytest.raises(EvidenceError, match="cml-stopping, ENDURE: one judgement of RoB 2 on each domain"):
        evidence.bias("cml-stopping", "RoB 2")
