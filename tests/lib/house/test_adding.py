"""A review is begun from a text, audited, and walked to green in a book of its own, with the example of the tutorial."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from pathlib import Path

import nbformat
import pytest
import yaml

from lib import ROOT, pictures, records, review, tables
from lib.house import adding, audit, census, execute, roles
from tests.lib.small import HEAD

EXAMPLE = ROOT / "pages" / "example"
NAME = "bedtime-song"

# The draft ----------------------------------------------------------------------------------------------------------


def told(sentence: str) -> list[tuple]:
    """What is guessed of each numeral: as printed, its unit and role, or why it is no figure."""
    return [(g.printed, g.reason) if g.reason else (g.printed, g.unit, g.role) for g in adding.guesses(sentence)]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Nine of 12 patients (75%) answered.", [("Nine", "patients", ""), ("12", "patients", ""), ("75", "%", "")]),
        ("HR 1.84 (95% CI 1.39-2.44, p < 0.001)", [("1.84", "hazard ratio", ""), ("95", "%", "ci-level"), ("1.39", "hazard ratio", "ci-low"), ("2.44", "hazard ratio", "ci-high"), ("< 0.001", "p", "")]),
        ("a median of 26 months (range 3–110)", [("26", "months", "median"), ("3", "months", "low"), ("110", "months", "high")]),
        ("the mean was 18.4 weeks (SD 7.1)", [("18.4", "weeks", "mean"), ("7.1", "weeks", "sd")]),
        ("the mean score at 12 weeks was 3.4 (SD 2.1)", [("12", "weeks", ""), ("3.4", "points", "mean"), ("2.1", "points", "sd")]),
        ("at week 12 the mean was 8.4 kg (SD 5.2) in 118 patients (mean difference −1.7, 95% CI −3.1 to -0.3)", [("12", "weeks", ""), ("8.4", "kg", "mean"), ("5.2", "kg", "sd"), ("118", "patients", "n"), ("−1.7", "kg", "difference"), ("95", "%", "ci-level"), ("−3.1", "kg", "ci-low"), ("-0.3", "kg", "ci-high")]),
        ("Of 246 women, assigned 1:1, 124 sang; 201 (82%) slept", [("246", "women", ""), ("1", "parts", ""), ("1", "parts", ""), ("124", "women", ""), ("201", "women", ""), ("82", "%", "")]),
        ("a power to detect 20 percentage points", [("20", "percentage points", "")]),
        ("within 2 weeks by 1.2 points (95% CI 0.3 to 2.1)", [("2", "weeks", ""), ("1.2", "points", ""), ("95", "%", "ci-level"), ("0.3", "points", "ci-low"), ("2.1", "points", "ci-high")]),
        ("CD8 cells and new T2 lesions in 2019", [("8", "identifier"), ("2", "identifier"), ("2019", "date")]),
        ("once or both, 400 mg daily, twenty-five deaths", [("once", "grammar"), ("both", "grammar"), ("400", "mg/day", ""), ("twenty-five", "deaths", "")]),
        ("about 7 of them", [("7", "", "")]),
        ("the first fall came after 12.7 (SD 3.3) seconds", [("first", "grammar"), ("12.7", "seconds", "mean"), ("3.3", "seconds", "sd"), ("seconds", "grammar")]),
        ("mean age was 76.8 (SD 5.4) years and 77.1 (SD 5.6) years", [("76.8", "years", "mean"), ("5.4", "years", "sd"), ("77.1", "years", "mean"), ("5.6", "years", "sd")]),
        ("a difference of -0.6 seconds (95% CI -1.3 to 0.1)", [("-0.6", "seconds", "difference"), ("seconds", "grammar"), ("95", "%", "ci-level"), ("-1.3", "seconds", "ci-low"), ("0.1", "seconds", "ci-high")]),
    ],
)  # fmt: skip
def test_a_numeral_is_guessed_or_asked_for(sentence, expected):
    assert told(sentence) == expected


def test_a_draft_gives_each_sentence_a_claim_and_each_numeral_a_place(tmp_path):
    """Of a text with the traps: abbreviations, decimals, a number in a name, numerals that repeat."""
    text = "Dr. A gave 2.5 mg vs. 5 mg to 7 of 9 patients (78%), i.e. most. CD8 fell. Was 9 too few?\n\nSeven relapsed, p=0.04.\n"
    draft = adding.draft(text.encode(), "small", "SML", "small.txt")
    (tmp_path / "small.yml").write_text(yaml.safe_dump(draft))
    record = records.load(tmp_path / "small.yml")
    spoken = [text.split("\n\n")[c.at.par - 1].rstrip("\n")[c.at.start : c.at.end] for c in record.claims]
    wanted = [
        "Dr. A gave 2.5 mg vs. 5 mg to",
        "7 of 9 patients",
        "78%), i.e. most.",
        "CD8 fell.",
        "Was 9 too few?",
        "Seven relapsed, p=",
        "0.04.",
    ]
    assert " | ".join(spoken).replace("Dr. | A", "Dr. A") == " | ".join(wanted)
    found = census.census(record, text)
    assert found.faults == [] and found.unaccounted == []
    assert [r.of for c in record.claims for r in c.relations if r.kind == "percentage-of"], "seven of nine is a share"


def test_what_can_be_recomputed_is_drafted_apart_from_what_cannot():
    """Counts, their share, a p value and an estimate with its interval, as a reader parts them by hand."""
    text = """Of 80 patients, 26 of 37 patients (70%) answered to A, 17 of 37 patients (46%) to B (p = 0.04) within 2 years.
The hazard ratio was 1.72 (95% CI 1.05 to 2.81, p = 0.03).

Conclusion: A is better. It should be given.
"""
    found = adding.draft(text.encode(), "small", "SML", "small.txt")
    parted = [(c["kind"], [f["printed"] for f in c.get("figures", ())]) for c in found["claims"]]
    assert parted == [
        ("count", ["80"]), ("count", ["26", "37"]), ("percentage", ["70"]), ("count", ["17", "37"]), ("percentage", ["46"]), ("p-value", ["0.04"]),
        ("duration", ["2"]), ("estimate", ["1.72", "1.05", "2.81", "0.03"]), ("conclusion", []), ("conclusion", []),
    ]  # fmt: skip
    one = {c["id"]: c for c in found["claims"]}
    assert one["SML-03"]["relations"][0]["of"] == ["SML-02/patients", "SML-02/of"]
    assert one["SML-06"]["rests_on"] == ["SML-03", "SML-05"], "the p value is of the two shares"
    assert one["SML-09"]["rests_on"] == ["SML-06", "SML-08"] and one["SML-09"]["predicate"] == "TODO"
    assert [(n["printed"], n["reason"]) for n in found["not_claims"]] == [("95", "furniture")]


def test_totals_ranges_ages_and_times_are_drafted_as_a_reader_would():
    """A total apart from its parts, which it can be held against; a middle within its ends; a time that repeats another no claim."""
    text = """Of 74 children, 37 sang and 37 read for 12 weeks. The median age was 4 years (range 2 to 6) and the ratio at week 12
was 1.7 points (95% CI 1.1 to 2.8).
"""
    found = adding.draft(text.encode(), "small", "SML", "small.txt")
    parted = [(c["kind"], [f["printed"] for f in c.get("figures", ())]) for c in found["claims"]]
    assert parted == [("count", ["74"]), ("count", ["37", "37"]), ("duration", ["12"]), ("characteristic", ["4", "2", "6"]), ("estimate", ["1.7", "1.1", "2.8"])]  # fmt: skip
    held = [(r["kind"], r["role"], r["of"]) for c in found["claims"] for r in c.get("relations", ())]
    assert held == [
        ("sum-of", "children", ["SML-02/children", "SML-02/children-2"]),
        ("within", "median", ["SML-04/low", "SML-04/high"]),
        ("within", "points", ["SML-05/ci-low", "SML-05/ci-high"]),
    ]
    assert [(n["printed"], n["reason"]) for n in found["not_claims"]] == [("12", "duplicate"), ("95", "furniture")]


def shares_of(text: str) -> dict[str, list[str]]:
    """What the draft of a text states the shares in it to be of, each figure as printed."""
    claims = adding.draft(text.encode(), "x", "XXX", "x.txt")["claims"]
    printed = {f"{c['id']}/{f['role']}": f["printed"] for c in claims for f in c.get("figures", ())}
    stated = [
        (c["figures"][0]["printed"], r["of"])
        for c in claims
        for r in c.get("relations", ())
        if r["kind"] == "percentage-of"
    ]
    return {share: [printed[ref] for ref in of] for share, of in stated}


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        # by hand: 71/124 = 57.3 and 71/122 = 58.2; 52/122 = 42.6 and 52/124 = 41.9; 21/122 = 17.2 and 21/124 = 16.9
        ("It was seen in 71 (57%) and 52 (43%) patients; harm in 21 (17.2%).", {"57": ["71", "124"], "43": ["52", "122"], "17.2": ["21", "122"]}),
        # 9/124 = 7.3 and 9/122 = 7.4 both print as 7; 9 of 246 is 3.7
        ("Nine patients (7%) left.", {}),
        # 38/124 = 30.6 and 38/122 = 31.1: 35 is neither
        ("It was seen in 71 (57%), harm in 38 (35%) of them.", {"57": ["71", "124"]}),
        ("It was seen in 71 (57%) and 52 (43%) patients, harm in 38 (35%) of them.", {"57": ["71", "124"], "43": ["52", "122"]}),
        # as people write a share of counts: each names its whole, or its part alone; 17/31 = 54.8, 9/29 = 31.0, 157/246 = 63.8
        ("It was seen in 52 of 97 (54%), in 32/95 (34%), 55% (17/31), 31% (9 of 29) and 64% (n = 157).",
         {"54": ["52", "97"], "34": ["32", "95"], "55": ["17", "31"], "31": ["9", "29"], "64": ["157", "246"]}),
        # of two groups the one that the share beside it was not of, where none gives it: 17/122 is 13.9
        ("Nine (7.3%) and 17 (18.5%) patients left.", {"7.3": ["Nine", "124"]}),
        ("It was seen in 71 (57%) and 52 (43%). Harm came to 9 (7.3%) and 17 (18.5%) patients.", {"57": ["71", "124"], "43": ["52", "122"], "7.3": ["9", "124"], "18.5": ["17", "122"]}),
        ("The ratio was 1.59 (95% CI 1.14 to 2.23) at 120/80 mm Hg.", {}),
    ],
)  # fmt: skip
def test_a_share_beside_its_count_is_of_the_only_group_that_gives_it(results, expected):
    text = f"A trial\n\nOf 246 patients 124 had the drug and 122 had none. {results}"
    assert shares_of(text) == expected


def test_a_sum_is_drafted_also_where_it_nearly_holds_and_a_ratio_rests_on_the_shares_that_give_it():
    """97 + 98 + 95 is 290; 52/97 over 32/95 is 1.591, and 1.24 is 41/98 over 32/95."""
    text = """A trial

Of 512 persons 291 were randomised: 97 to calls, 98 to texts and 95 to nothing. Control was reached by 52 of 97 (54%), 41 of 98 (42%) and 32/95 (34%).
Against nothing, the relative risk was 1.59 (95% CI 1.14 to 2.23; P = 0.007) for calls and 1.24 (95% CI 0.86 to 1.79; P = 0.20) for texts.
Pressure fell by a mean of 14.8 (SD 15.2) and 8.1 (SD 15.6) mm Hg, and the difference between calls and nothing at all was 6.7 mm Hg (95% CI 2.3 to 11.1).
Median use was 88% (IQR 71 to 96), 83% (IQR 64 to 93) and 74% (IQR 52 to 89). In 268 person-years 23 patients were admitted (8.6 per 100 person-years).
"""
    claims = adding.draft(text.encode(), "x", "XXX", "x.txt")["claims"]
    stands = {tuple(f["printed"] for f in c.get("figures", ())): c for c in claims}
    (added,) = stands["512", "291"]["relations"]
    assert (added["kind"], len(added["of"])) == ("sum-of", 3)
    share = {p: stands[p,]["id"] for p in ("54", "42", "34")}
    assert stands["1.59", "1.14", "2.23", "0.007"]["rests_on"] == [share["54"], share["34"]]
    assert stands["1.24", "0.86", "1.79", "0.20"]["rests_on"] == [share["42"], share["34"]]
    assert [f["unit"] for f in stands["1.24", "0.86", "1.79", "0.20"]["figures"]] == ["risk ratio"] * 3 + ["p"]
    assert {
        f["unit"] for p in (("14.8", "15.2"), ("8.1", "15.6"), ("6.7", "2.3", "11.1")) for f in stands[p]["figures"]
    } == {"mm Hg"}
    for of in (("88", "71", "96"), ("83", "64", "93"), ("74", "52", "89")):
        assert [f["role"] for f in stands[of]["figures"]] == ["median", "q1", "q3"] and stands[of]["relations"][0][
            "role"
        ] == "median"
    assert stands["268",]["figures"][0]["unit"] == "person-years" and stands["23",]["kind"] == "count"


def test_a_misprinted_share_is_of_the_size_that_all_before_it_were_of():
    """38 of 206 is 18.4%."""
    text = "A trial\n\nOf 412 patients 206 went to each group. It was seen in 74 (35.9%) and 95 (46.1%). Harm came to 31 (15.0%) and 38 (20.4%)."
    assert shares_of(text)["20.4"] == ["38", "206"]


def test_a_small_total_may_miss_its_parts_by_two_behind_a_bracket():
    def added(text: str) -> list[str]:
        claims = adding.draft(f"A trial\n\n{text}".encode(), "x", "XXX", "x.txt")["claims"]
        return [r["kind"] for c in claims for r in c.get("relations", ())]

    assert added("Eleven patients were lost (5 in one group and 7 in the other).") == ["sum-of"]
    assert added("Of 11 patients 5 were lost in one group and 7 in the other.") == []
    assert added("Eleven patients were lost (5 in one group and 2 in the other).") == []


def test_means_with_their_group_and_the_difference_that_rests_on_them():
    text = "Mean intake was 612 mL (SD 214) in 100 children v. 541 ± 231 mL in 96 children (difference 71 mL [95% CI 8–134], p=0.03)."
    claims = adding.draft(f"A trial\n\n{text}".encode(), "x", "XXX", "x.txt")["claims"]
    (one, two, difference) = claims[1:]
    assert [[f["role"] for f in c["figures"]] for c in (one, two)] == [["mean", "sd", "n"]] * 2
    assert difference["rests_on"] == [one["id"], two["id"]] and difference["relations"][0]["role"] == "difference"
    assert {f["unit"] for c in claims[1:] for f in c["figures"]} == {"mL", "children", "p"}


def test_people_of_a_text_have_one_unit_the_word_it_says_most():
    text = "In 40 men, 20 participants to each group, 3 (15%) participants and 9 women left."
    claims = adding.draft(text.encode(), "x", "XXX", "x.txt")["claims"]
    units = {f["unit"] for c in claims for f in c["figures"]} - {"%"}
    assert units == {"participants"}


def test_nothing_of_the_text_enters_the_draft_but_its_title_and_figures():
    raw = (EXAMPLE / f"{NAME}.txt").read_bytes()
    runs = {three for line in raw.decode().splitlines() for three in re.findall(r"(?=\b(\w+ \w+ \w+)\b)", line)}
    drafted = adding.draft(raw, NAME, "SNG", f"{NAME}.txt")
    assert drafted["source"].pop("title") == raw.decode().splitlines()[0]
    draft = yaml.safe_dump(drafted, width=10_000)
    assert len(runs) > 100 and not [three for three in runs if three in draft]


def test_claims_are_numbered_as_they_stand_and_never_once_they_can_be_cited(tmp_path, monkeypatch):
    monkeypatch.setattr(adding, "ROOT", tmp_path)
    monkeypatch.setattr(adding.REGISTRY, "tags", lambda: [{"label": "sml-03"}])
    for folder in ("seeds", "chapters"):
        (tmp_path / folder).mkdir()
    of, half = tmp_path / "seeds" / "small.yml", tmp_path / "chapters" / "small.md"
    of.write_text("claims:\n  - id: SML-01\n  - id: SML-90\n    of: [SML-02/part]\n  - id: SML-02\n")
    half.write_text("{claim}`SML-02`, OTH-02 and SML-90\n")
    assert adding.renumber("small") == {"SML-90": "SML-02", "SML-02": "SML-03"}
    assert re.findall(r"SML-\d+", of.read_text()) == ["SML-01", "SML-02", "SML-03", "SML-03"]
    assert half.read_text() == "{claim}`SML-03`, OTH-02 and SML-02\n"
    before = of.read_text()
    with pytest.raises(ValueError, match="1 claims have tags, SML-03"):
        adding.renumber("small")
    of.write_text(before.replace("id: SML-03", "id: SML-02"))
    with pytest.raises(ValueError, match="SML-02: twice"):
        adding.renumber("small")


def test_words_are_located(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("One two\nthree.\n\nA two three, a two three.\n")
    assert adding.locate(path, ["two three", "four"]) == {
        "two three": ["at: {par: 1, start: 4, end: 13}", "at: {par: 2, start: 2, end: 11}", "at: {par: 2, start: 15, end: 24}"],
        "four": [],
    }  # fmt: skip


def test_every_field_of_a_record_is_explained_and_no_other():
    from lib.book import adding as page

    wanted = {f"{model}.{field}" for model, of in page.MODELS.items() for field in of.model_fields}
    assert adding.meanings().keys() - {"toc.caption", "certainty.csv"} == wanted


# The audit ----------------------------------------------------------------------------------------------------------


def record(*claims: dict) -> records.Record:
    """A record of claims with these figures and relations."""
    made = [
        {"id": f"SML-{n:02d}", "at": {"par": 1, "start": n, "end": n + 1}, "kind": "count", "says": "x"} | c
        for n, c in enumerate(claims, 1)
    ]
    source = {"slug": "small", "prefix": "SML", "file": "s.txt", "kind": "letter", "rounding": "up_or_down"}
    return records.Record.model_validate({"source": source, "text": census.fingerprint(b"x"), "claims": made})


def figures(*given: str) -> list[dict]:
    return [dict(zip(("printed", "unit", "role"), f.split("|"))) for f in given]


def said(*claims: dict) -> list[tuple[bool, str]]:
    return [(f.odds, f.says) for f in audit.audit(record(*claims))]


def share(n: int, part: int, of: int, percent: str) -> dict:
    relation = {"kind": "percentage-of", "role": "share", "of": [f"SML-{n:02d}/part", f"SML-{n:02d}/of"]}
    given = figures(f"{part}|patients|part", f"{of}|patients|of", f"{percent}|%|share")
    return {"kind": "percentage", "figures": given, "relations": [relation]}


WAYS = (ROUND_HALF_UP, ROUND_HALF_DOWN, ROUND_HALF_EVEN)


def printed_as(count: int, n: int, way: str) -> str:
    return str((Decimal(100 * count) / n).quantize(Decimal(1), way))


@pytest.mark.parametrize("percent", ["16", "45", "58", "74", "78", "94"])
def test_a_share_is_held_against_every_count_as_decimals_round(percent):
    """Truth by Python's decimals: which counts of each whole print so."""
    wholes = [12, 37, 55, 74]
    counts = [{"figures": figures(f"{n}|patients|n")} for n in wholes]
    ((_, words),) = said({"kind": "percentage", "figures": figures(f"{percent}|%|share")}, *counts)
    for n, part in zip(sorted(wholes, reverse=True), words.partition(": ")[2].split("; ")):
        near = [k for k in range(n + 1) if any(printed_as(k, n, way) == percent for way in WAYS)]
        odd = [k for k in range(n + 1) if percent in (printed_as(k, n, ROUND_FLOOR), printed_as(k, n, ROUND_CEILING))]
        if near:
            assert part.startswith(f"{', '.join(map(str, near))} of {n} ")
        else:
            assert (part.startswith("no count of") if not odd else "only rounding" in part) and f"of {n} " in part


def test_a_count_beside_its_share_tells_the_whole_or_that_there_is_none():
    """55 (78%) of at most 74: by decimals no whole rounds to it, and only 70 is cut off to it."""
    brute = [n for n in range(55, 75) if any(printed_as(55, n, way) == "78" for way in WAYS)]
    cut = [n for n in range(55, 75) if printed_as(55, n, ROUND_FLOOR) == "78"]
    assert (brute, cut) == ([], [70])
    claims = (
        {"kind": "percentage", "figures": figures("55|patients|part", "78|%|share")},
        {"figures": figures("74|patients|n")},
    )
    (odds, words), _ = said(*claims)
    assert odds and "no whole up to 74 rounded to the nearest; of 70, only rounding down or cutting digits off" in words


def test_a_count_just_before_a_share_is_its_part():
    """Seven (15%) of two groups of 48: 7 of 48 is 14.6."""
    seven = {"figures": figures("Seven|patients|part"), "at": {"par": 2, "start": 0, "end": 14}}
    share = {"kind": "percentage", "figures": figures("15|%|share"), "at": {"par": 2, "start": 16, "end": 19}}
    found = audit.audit(record({"figures": figures("48|patients|each")}, seven, share))
    assert [f.says for f in found] == ["15% beside 7: 7 of 46, 47, 48"] and "percentage(7, 48)" in found[0].call


def test_a_share_of_no_size_that_the_source_gives_is_at_odds_and_its_size_left_open():
    """17 is 18.5% of 92 alone, and the groups are 105 and 103."""
    seventeen = {"figures": figures("17|patients|part"), "at": {"par": 2, "start": 0, "end": 2}}
    share = {"kind": "percentage", "figures": figures("18.5|%|share"), "at": {"par": 2, "start": 4, "end": 9}}
    (found,) = audit.audit(record({"figures": figures("105|patients|a", "103|patients|b")}, seventeen, share))
    assert found.odds and found.says == "18.5% beside 17: 17 of 92, no size that the source gives"
    assert "percentage(17, N)" in found.call


def test_a_stated_share_is_held_against_its_parts_and_the_rule_is_counted():
    cut = record(share(1, 2, 3, "66"), share(2, 7, 9, "77"), share(3, 5, 6, "83"), share(4, 5, 9, "55"))
    assert [f.odds for f in audit.audit(cut) if "%" in f.says] == [True, True, False, True]
    kept, shares, rule = audit.rounding(cut)
    assert (kept["up"], kept["trunc"], shares, rule) == (1, 4, 4, "floor")


def test_a_rule_that_another_does_as_well_as_is_not_taken():
    """26 of 37 is 70.3, 17 of 37 is 45.9 and 4 of 37 is 10.8: printed 70, 45 and 11, two by each of two ways."""
    kept, shares, rule = audit.rounding(records.load(EXAMPLE / f"{NAME}.yml"))
    assert kept == {"up": 2, "down": 2, "even": 2, "floor": 2, "ceiling": 1, "trunc": 2}
    assert (shares, rule) == (3, "up_or_down")


@pytest.mark.parametrize(
    ("given", "odds", "words"),
    [
        # MS relapse of a published abstract, p by hand: ln 1.84 / ((ln 2.44 − ln 1.39) / 3.92) = 4.25
        (["1.84|hazard ratio|hr", "1.39|hazard ratio|ci-low", "2.44|hazard ratio|ci-high", "< 0.001|p|p"], False, "the middle"),
        (["1.84|hazard ratio|hr", "1.39|hazard ratio|ci-low", "2.44|hazard ratio|ci-high", "0.04|p|p"], True, "printed 0.04"),
        (["2.20|hazard ratio|hr", "1.39|hazard ratio|ci-low", "2.44|hazard ratio|ci-high"], True, "not the middle"),
        # statcheck's own example: t(28) = 2.20 is p = 0.036
        (["2.20|t|t", "28|df|df", "0.04|p|p"], False, "p 0.0362"),
        (["2.20|t|t", "28|df|df", "0.02|p|p"], True, "p 0.0362"),
        # the first example of GRIM: 5.19 of 28 whole numbers, and 5.18 = 145/28
        (["28|patients|n", "5.19|points|mean"], False, "no mean of whole numbers (GRIM)"),
        (["28|patients|n", "5.18|points|mean"], False, ": a mean of whole numbers"),
        # of five whole numbers with the mean 2.40, 12/5, the least spread is that of 2, 2, 2, 3, 3: √0.3
        (["5|patients|n", "2.40|points|mean", "0.3|points|sd"], False, "at least 0.5477, printed 0.3"),
        (["12|patients|n", "30|months|median", "6|months|low", "27|months|high"], True, ""),
    ],
)  # fmt: skip
def test_estimates_p_values_means_and_medians(given, odds, words):
    claim = {"kind": "estimate", "figures": figures(*given)}
    found = said(claim)
    assert any(o == odds and words in w for o, w in found), found


def test_a_sum_that_is_nearly_a_count_is_said_and_once_stated_judged():
    """412 randomised; 21 and 17 left and 371 stayed, which make 409."""
    randomised, parts = figures("412|patients|all"), figures("21|patients|a", "17|patients|b", "371|patients|stayed")
    (near,) = audit.audit(record({"figures": randomised}, {"figures": parts}))
    assert not near.odds and not near.call and "state {kind: sum-of, role: all, of: [SML-02/a, SML-02/b, SML-02/stayed]}" in near.says  # fmt: skip
    relation = {"kind": "sum-of", "role": "all", "of": ["SML-02/a", "SML-02/b", "SML-02/stayed"], "finding": "3 lack"}
    (fails,) = audit.audit(record({"figures": randomised, "relations": [relation]}, {"figures": parts}))
    assert fails.odds and "3 lack" in fails.says and fails.call.count("int(review.value(") == 3
    assert not audit.audit(
        record({"figures": randomised}, {"figures": figures("21|patients|a", "371|patients|stayed")})
    )


@pytest.mark.parametrize(
    ("unit", "fault"),
    [
        ("patients", ""), ("points", ""), ("risk ratio", ""), ("infants", "is not in data/counted.txt"),
        ("relative risk", "would be checked as a difference: write one of hazard ratio"), ("incidence rate ratio", "as a difference"),
    ],
)  # fmt: skip
def test_a_unit_that_would_be_read_as_another_is_named(unit, fault):
    found = adding.odd_units(record({"figures": figures(f"2|{unit}|x")}))
    assert len(found) == bool(fault) and all(fault in line and line.startswith("small.yml: SML-01") for line in found)


def test_a_share_is_of_the_group_that_is_named_and_a_median_in_percent_of_none():
    """Of three groups the one with the role; 84 to 96% are quartiles, which no count gives."""
    sizes = {"figures": figures("97|patients|calls", "98|patients|texts", "95|patients|none")}
    of_calls = {
        "kind": "percentage",
        "figures": figures("54|%|share"),
        "relations": [{"kind": "same-patients", "of": ["SML-01/none"]}],
    }
    use = {"kind": "percentage", "figures": figures("88|%|median", "84|%|q1", "96|%|q3")}
    (found,) = audit.audit(record(sizes, of_calls, use))
    of_low_risk = of_calls | {"figures": figures("54|%|low-risk")}
    assert [f.says for f in audit.audit(record(sizes, of_low_risk))] == [found.says]
    assert found.says == "54%: 51 of 95 (SML-01)" and "percentage(k, 95)" in found.call


def test_the_p_of_a_ratio_of_risks_is_held_to_its_interval_by_wald_too():
    """52/97 over 32/95: ln 1.5915 over √(1/52 − 1/97 + 1/32 − 1/95) is z = 2.70, p = 0.0069, as printed, where chi-squared gives 0.0056."""
    ratio = {
        "kind": "estimate",
        "figures": figures("1.59|risk ratio|rr", "0.007|p|p"),
        "rests_on": ["SML-01", "SML-02"],
    }
    found = [
        f
        for f in audit.audit(record(share(1, 52, 97, "54"), share(2, 32, 95, "34"), ratio))
        if f.says.startswith("p 0.007")
    ]
    assert [(f.odds, f.says.partition(": ")[2]) for f in found] == [(False, "wald")]
    assert "log_riskratio_pvalue()" in found[0].call


def test_counts_that_add_up_or_stand_twice_and_what_no_call_checks():
    """74 of the first is 37 and 37 of the second; the third repeats 37 beside a count of its own."""
    claims = ["74|patients|all"], ["37|patients|a", "37|patients|b"], ["26|patients|answered", "37|patients|of"]
    found = audit.audit(record(*({"figures": figures(*of)} for of in claims)))
    assert [(f.claim, f.says.partition(";")[0]) for f in found] == [
        ("SML-01", "74 = 37 + 37 (SML-02)"),
        ("SML-03", "37 patients stands in SML-02/a too"),
    ]
    assert found[1].call == 'review.restate("SML-03", of="SML-02/a")'


def test_the_calls_of_an_estimate_judge_all_its_figures_with_the_imports_that_are_printed(monkeypatch):
    """Run as pasted into a chapter."""
    given = ["1.84|hazard ratio|hr", "1.39|hazard ratio|ci-low", "2.44|hazard ratio|ci-high", "< 0.001|p|p"]
    made = record({"kind": "estimate", "figures": figures(*given)})
    monkeypatch.setattr(records, "record", lambda slug: made)
    monkeypatch.setattr(review, "display", lambda *args, **named: None)
    found, own = audit.audit(made), review.Review("small")
    exec("\n".join([*audit.imports(f.call for f in found), *(f.call for f in found)]), {"review": own})
    verdicts = {f["role"]: f["verdict"] for f in own.rows["SML-01"].figures}
    assert verdicts == dict.fromkeys(["hr", "ci-low", "ci-high"], "compatible") | {"p": "reproduced"}


@pytest.mark.parametrize(
    ("given", "odds", "words"),
    [
        # by hand: 71 · 70 / (53 · 52) = 1.803, and (71/124) / (52/122) = 1.343
        (["1.80|odds ratio|odds", "1.09|odds ratio|ci-low", "2.99|odds ratio|ci-high"], False, "odds ratio of 71/124 v 52/122"),
        (["1.80|odds ratio|odds", "1.09|odds ratio|ci-low", "3.00|odds ratio|ci-high"], False, "odds ratio of 71/124 v 52/122: 1.803 1.088 2.989, printed 1.80 1.09 3.00: not by Wald"),
        (["0.55|odds ratio|odds"], False, "odds ratio of 52/122 v 71/124"),
        (["1.34|odds ratio|odds"], True, "odds ratio of"),
        (["1.34|ratio|rr"], False, "ratio of 71/124 v 52/122: 1.343"),
        (["14.6|percentage points|difference"], False, "percentage points of 71/124 v 52/122: 14.64"),
        (["-14.6|percentage points|difference"], False, "percentage points of 52/122 v 71/124: −14.64"),
        (["12|percentage points|difference"], True, "percentage points of 71/124 v 52/122: 14.64"),
        (["1.80|hazard ratio|hr"], False, ""),
    ],
)  # fmt: skip
def test_a_ratio_or_difference_is_held_against_the_counts_it_rests_on(given, odds, words):
    rests = {"kind": "estimate", "figures": figures(*given), "rests_on": ["SML-01", "SML-02"]}
    found = [
        f
        for f in said(share(1, 71, 124, "57"), share(2, 52, 122, "43"), rests)
        if re.match(r"(odds )?ratio of|percentage points of", f[1])
    ]
    assert [f for f in found if words in f[1] and f[0] == odds] if words else not found, found


@pytest.mark.parametrize(("printed", "odds"), [("-1.7", False), ("1.7", False), ("-2.0", True)])
def test_a_difference_is_held_against_the_two_means_it_rests_on(printed, odds):
    """8.4 less 10.1, each rounded, lies between −1.8 and −1.6."""
    low, high = ("-3.1", "-0.3") if printed[0] == "-" else ("0.3", "3.1")
    means = [{"kind": "estimate", "figures": figures(f"{m}|points|mean", f"{n}|patients|n")} for m, n in (("8.4", 118), ("10.1", 115))]  # fmt: skip
    differ = figures(f"{printed}|points|difference", f"{low}|points|ci-low", f"{high}|points|ci-high")
    (found,) = [
        f
        for f in audit.audit(record(*means, {"kind": "estimate", "figures": differ, "rests_on": ["SML-01", "SML-02"]}))
        if "middle" in f.says
    ]
    assert found.odds == odds and "reading(" in found.call


def test_the_cells_of_an_audit_judge_or_leave_every_claim_as_they_stand(monkeypatch):
    """Run as pasted into a chapter, once what follows is said; what is at odds comes out as such."""
    made = record(
        share(1, 71, 124, "57"), share(2, 52, 122, "43"), share(3, 21, 52, "42"),
        {"kind": "estimate", "figures": figures("1.80|odds ratio|odds", "1.09|odds ratio|ci-low", "2.99|odds ratio|ci-high", "0.02|p|p"), "rests_on": ["SML-01", "SML-02"]},
        {"kind": "estimate", "figures": figures("0.55|hazard ratio|hr", "0.29|hazard ratio|ci-low", "1.04|hazard ratio|ci-high", "0.04|p|p"), "rests_on": ["SML-01", "SML-02"]},
        {"kind": "percentage", "figures": figures("31|%|a", "28|%|b")},
        {"kind": "estimate", "figures": figures("1.80|odds ratio|odds", "1.09|odds ratio|ci-low", "3.00|odds ratio|ci-high", "0.02|p|p"), "rests_on": ["SML-01", "SML-02"]},
        {"kind": "conclusion", "predicate": "x", "rests_on": ["SML-04"], "figures": figures("halves|ratio|factor")},
        {"kind": "finding", "predicate": "x", "rests_on": ["SML-04"]},
    )  # fmt: skip
    monkeypatch.setattr(records, "record", lambda slug: made)
    monkeypatch.setattr(review, "display", lambda *args, **named: None)
    shown = []
    monkeypatch.setattr(tables, "findings", lambda slug, rows, *args, **named: shown.extend(rows))
    monkeypatch.setattr(pictures, "icons", lambda groups, *args: shown.append(groups))
    own, cells = review.Review("small"), audit.cells(made, audit.audit(made))
    codes = re.findall(r"```\{code-cell\} ipython3\n:tags: \[hide-input\]\n\n(.*?)```", cells, re.DOTALL)
    assert all(len(code.splitlines()) <= roles.WORK for code in codes[:-1])
    names = {"review": own, "TODO": True, "bind": lambda **bound: None}
    for code in codes:
        exec(code, names)
    own.settle()
    (row, drawn), (shares, difference) = shown, (shown[0][2:4], shown[0][4])
    assert [str(x) for x in shares] == ["57%", "43%"] == [str(x) for x in drawn.values()], row
    assert difference.number == 15, "71 of 124 less 52 of 122 is 14.6"
    rows = [own.rows[f"SML-0{n}"] for n in range(1, 10)]
    assert [row.verdict_figures or row.verdict_conclusion for row in rows] == ["not-checkable", "not-checkable", "discrepant", "compatible", "discrepant", "not-checkable", "compatible", "not-checkable", "follows"]  # fmt: skip


def test_the_same_call_of_several_claims_is_drafted_once(monkeypatch):
    """7, 8 and 9 of 12 are 58, 67 and 75%, and 10 is 83%."""
    counts = {"figures": figures(*(f"{n}|patients|n-{n}" for n in (7, 8, 9, 10, 12)))}
    shares = [
        {"kind": "percentage", "figures": figures(f"{p}|%|share"), "relations": [{"kind": "percentage-of", "of": [f"SML-01/n-{n}", "SML-01/n-12"]}]}
        for n, p in ((7, 58), (8, 67), (9, 75), (10, 80))
    ]  # fmt: skip
    shares[3]["relations"][0]["finding"] = "it is 83"
    made = record(counts, *shares)
    monkeypatch.setattr(records, "record", lambda slug: made)
    monkeypatch.setattr(review, "display", lambda *args, **named: None)
    own, cells = review.Review("small"), audit.cells(made, audit.audit(made))
    assert 'for claim in ("SML-02", "SML-03", "SML-04", "SML-05"):' in cells and cells.count("review.judge(") == 1
    names = {"review": own}
    for code in re.findall(r"```\{code-cell\} ipython3\n:tags: \[hide-input\]\n\n(.*?)```", cells, re.DOTALL):
        exec(code, names)
    own.settle()
    assert [own.rows[f"SML-0{n}"].verdict_figures for n in range(2, 6)] == ["reproduced"] * 3 + ["discrepant"]


def test_what_is_wrong_with_cells_is_said_before_they_run(tmp_path):
    """Of a real chapter with a claim misnumbered, a role misspelt, a cell that is no Python and one too long."""
    text = (ROOT / "chapters" / "cml-stopping.md").read_text("utf-8")
    head = text[: text.index("```{code-cell}")]
    asked = ['review.judge("CML-99", "share", "x", share=1)', 'review.leave("CML-37", "x", "shar")', "x = (", "%time y = 1\n" + "y = 1\n" * roles.WORK]  # fmt: skip
    half = tmp_path / "cml-stopping.md"
    half.write_text(head + "".join(f"```{{code-cell}} ipython3\n{code}\n```\n\n" for code in asked), "utf-8")
    lines = half.read_text("utf-8").splitlines()
    found = list(roles.code(half))
    assert [fit for _, fit in found] == [False, False, False, True]
    for (fault, _), code in zip(found, asked):
        line = int(fault.split(":")[1])
        assert lines[line - 1] == code.split("\n")[0], fault
    assert "no claim CML-99" in found[0][0] and "no figure 'shar'" in found[1][0]


def test_what_chapters_found_is_found():
    """The figures that the chapters on two congress abstracts were written about."""
    found = {
        slug: {(f.claim, f.odds): f.says for f in audit.audit(records.record(slug))}
        for slug in ("cml-stopping", "ph-all-maintenance")
    }
    assert "no count of 12" in found["cml-stopping"]["CML-37", True]
    assert "asymptotic_cc" in found["cml-stopping"]["CML-40", False]
    assert "2 of 12: only rounding down or cutting digits off" in found["ph-all-maintenance"]["PHA-31", True]
    assert ("PHA-24", True) in found["ph-all-maintenance"]


def test_a_chapter_is_formatted_and_nothing_else_of_it_moves(tmp_path):
    half = tmp_path / "x.md"
    head, _ = (adding.TEMPLATES / "chapter.md").read_text("utf-8").split("\n\n", 1)
    half.write_text(head + "\n\nWords,  as they stand.\n\n```{code-cell} ipython3\n# Add\nx=1+ 2\n\n```\n", "utf-8")
    before = half.read_text("utf-8")
    assert execute.formatted(half).startswith("x: formatted; run")
    assert half.read_text("utf-8") == before.replace("x=1+ 2\n", "x = 1 + 2")
    assert execute.formatted(half) == "x: formatted already"
    half.write_text(before.replace("x=1", "x=("), "utf-8")
    with pytest.raises(execute.ChapterError) as refused:
        execute.formatted(half)
    assert "\n" not in str(refused.value) and str(refused.value).startswith("x: ")


def test_a_chapter_that_reads_all_records_is_stale_when_one_is_new(tmp_path, monkeypatch):
    monkeypatch.setattr(execute, "ROOT", tmp_path)
    for name in ("seeds", "chapters"):
        (tmp_path / name).mkdir()
    half = tmp_path / "chapters" / "methods.md"
    half.write_text(HEAD + "\nWords.\n", "utf-8")
    (tmp_path / "seeds" / "old.yml").write_text("prefix: OLD\n")
    notebook = execute.inputs(half)
    notebook.metadata["stamp"] = {name: execute.digest(name) for name in ("chapters/methods.md", "seeds/old.yml")}
    nbformat.write(notebook, half.with_suffix(".ipynb"))
    assert execute.faults(half) == []
    (tmp_path / "seeds" / "new.yml").write_text("prefix: NEW\n")
    (fault,) = execute.faults(half)
    assert "stale" in fault and "seeds/new.yml" in fault


# The walk -----------------------------------------------------------------------------------------------------------


class Book:
    """An empty book, and what is asked of it."""

    def __init__(self, top: Path):
        self.top = top
        self.env = os.environ | {"PYTHONPATH": str(top), "SOURCE_DATE_EPOCH": "1800000000"}

    def ran(self, *args, module: str = "lib") -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", module, *map(str, args)]
        return subprocess.run(command, cwd=self.top, env=self.env, capture_output=True, text=True)

    def done(self, *args, module: str = "lib") -> str:
        ran = self.ran(*args, module=module)
        assert ran.returncode == 0, ran.stdout + ran.stderr[-3000:]
        return ran.stdout

    def green(self) -> None:
        """Its pages are built without a warning, and its own tests pass."""
        shutil.rmtree(self.top / "_build", ignore_errors=True)
        command = [Path(sys.executable).with_name("jupyter-book"), "build", ".", "-W", "-n", "--keep-going"]
        ran = subprocess.run(command, cwd=self.top, env=self.env, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr[-3000:]
        self.done("-q", "-n0", module="pytest")

    def say(self, name: str, **words: str) -> None:
        path = self.top / name
        text = path.read_text("utf-8")
        for old, new in words.items():
            assert f"TODO{old}" in text
            text = text.replace(f"TODO{old}", new)
        path.write_text(text, "utf-8")


@pytest.mark.slow
def test_an_empty_book_is_green_and_the_example_is_walked_to_green_in_it(tmp_path):
    top = tmp_path / "My sleep book, été"
    subprocess.run(
        [sys.executable, "-m", "lib", "start", top, "--title", 'Sleep "well"', "--author", "A; B"], cwd=ROOT, check=True
    )
    book = Book(top)
    book.green()
    assert book.ran("start", top, "--title", "x", "--author", "y").returncode == 2, "no folder is written over"

    counted = top / "data" / "counted.txt"
    counted.write_text("children families\nevents\n")
    book.done("new", NAME, "--prefix", "SNG", "--text", EXAMPLE / f"{NAME}.txt")
    assert book.ran("new", NAME, "--prefix", "SNX", "--text", EXAMPLE / f"{NAME}.txt").returncode == 2, (
        "the name is taken"
    )
    left = book.ran("gate").stdout
    for what in (
        f"seeds/{NAME}.yml",
        f"chapters/{NAME}.md",
        "data/certainty.csv",
        "_toc.yml",
        f"pages/evidence-{NAME}.md",
    ):
        assert re.search(rf"(?m)^{re.escape(what)}:\d+.*: TODO: \w", left), left

    shutil.copy(EXAMPLE / f"{NAME}.yml", top / "seeds")
    book.done("verify-sources", EXAMPLE, "--source", NAME)
    book.done("census", EXAMPLE, "--source", NAME)
    assert book.ran("audit", NAME).returncode == 1, "one share of the example is at odds"
    assert f"seeds/{NAME}" not in book.ran("gate").stdout, "the record is filled"
    shutil.copy(EXAMPLE / f"{NAME}.md", top / "chapters")
    book.say("data/certainty.csv", **{": the outcome": "asleep in time", ": why": "Invented, to show the form."})
    book.say("_toc.yml", **{" the topic": "Sleep"})
    book.say(f"pages/evidence-{NAME}.md", **{" the topic": "singing at bedtime"})
    left = book.ran("gate")
    assert left.returncode == 1 and "no executed notebook" in left.stdout and "TODO" not in left.stdout
    book.done("run")
    for step in ("tags", "verdicts --accept"):
        assert f"run `python3 -m lib {step}`" in book.ran("gate").stdout
        book.done(*step.split())
    book.done("gate")
    book.green()
    ledger = {row["id"]: row for row in json.loads((top / "_build" / "html" / "ledger.json").read_text())["claims"]}
    assert (
        ledger["SNG-13"]["verdict_figures"] == "compatible" and ledger["SNG-20"]["verdict_conclusion"] == "overstated"
    )
    page = (top / "_build" / "html" / "chapters" / f"{NAME}.html").read_text("utf-8")
    assert all(
        part in page
        for part in ("short-version", "for-patients", "for-clinicians", 'class="audit"', "tab-sng-findings")
    )
    with (top / "registry" / "tags.csv").open(encoding="utf-8", newline="") as file:
        assert {"sng-20", "sng-cite", "tab-sng-findings"} <= {row["label"] for row in csv.DictReader(file)}
