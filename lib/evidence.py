"""Published figures beside the sources: the tables of ``data/`` and what they say of a claim."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from lib import ROOT, records
from lib.values import count
from lib.words import with_unit
from whichdata.proportions import proportion_intervals


class EvidenceError(ValueError):
    """A table of evidence that cannot be used; one line that says what to do."""


class Known(str):
    """A figure of the evidence table, as printed there: neither reported by the source nor computed here.

    ``row`` is the id of its row. What is computed from it is no longer one; say so where it is only worded anew, as in
    ``Known(f"{count} of {size}", row=count.row)``.
    """

    def __new__(cls, text: str, row: str):
        made = super().__new__(cls, text)
        made.row = row
        return made

    def __getnewargs__(self):  # how it is copied
        return str(self), self.row


def evidence(slug: str) -> pd.DataFrame:
    """The published figures a chapter uses for context (``data/evidence/<slug>.csv``), by id; every cell ``Known``,
    as printed. ``reference`` is the key of the publication's record in ``data/references.bib``, or the slug of a source.
    """
    path = _path(slug)
    if not path.is_file():
        raise EvidenceError(f"no evidence table data/evidence/{slug}.csv")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    bare = table.loc[(table["reference"] == "") | (table["verified_in"] == ""), "id"]
    if len(bare) or table["id"].duplicated().any():
        raise EvidenceError(
            f"data/evidence/{slug}.csv: every row has one id, under reference the key of its record in data/references.bib, "
            f"and where it was read; see {', '.join(bare) or 'the ids'}"
        )
    rows = table["id"]
    return pd.DataFrame(
        {c: pd.Series([Known(v, i) for v, i in zip(table[c], rows)], dtype=object) for c in table if c != "id"}
    ).set_index(rows)


APPRAISAL = [
    "claim", "evidence", "role", "contrast", "direction", "no_effect", "better", "size", "margin_low", "margin_high",
    "says", "reason",
]  # fmt: skip
"""Columns of ``data/appraisal.csv``: which row of evidence bears on which claim, and what the claim says of its contrast.

``role``: speaks, supersedes (its figures were read) or context · ``direction`` that the claim takes: benefit, harm, none
or level · ``no_effect``: the value of no effect on the row's scale (1 for ratios, 0 for differences) · ``better``: below
or above it · ``size``: the effect or level claimed, if one is stated · ``margin_low``, ``margin_high``: for *none* the
margin within which an effect counts as none, for *level* the widest interval that can still support the level (its
ends) · ``says``: what a row without an interval says, judged by a reader: supports, opposes or inconclusive.
"""
ROLES = ("speaks", "supersedes", "context")
DIRECTIONS = ("benefit", "harm", "none", "level")
SAID = ("supports", "opposes", "inconclusive")
DESIGNS = (
    ("randomised", "meta-analysis of randomised", "placebo"),
    ("cohort", "case-control", "registry", "population-based", "retrospective comparison", "systematic review"),
    ("single-arm", "single arm", "series", "letter", "congress abstract", "trial"),
)
"""Words in the design of a row, the most rigorous first; a row is of the first group of which it has a word."""
CERTAIN = ("very low", "low", "moderate", "high")
STARTS = {"randomised": CERTAIN.index("high"), "prognosis": CERTAIN.index("high"), "other": CERTAIN.index("low")}
LOWERED_FOR = ("risk of bias", "inconsistency", "indirectness", "imprecision", "publication bias")
ROB2 = (
    "randomisation process", "deviations from intended interventions", "missing outcome data",
    "measurement of the outcome", "selection of the reported result",
)  # fmt: skip
ROBINS_I = (
    "confounding", "selection of participants", "classification of interventions",
    "deviations from intended interventions", "missing data", "measurement of outcomes",
    "selection of the reported result",
)  # fmt: skip
TOOLS = {
    "RoB 2": (ROB2, ("low", "some concerns", "high")),
    "ROBINS-I": (ROBINS_I, ("low", "moderate", "serious", "critical")),
}
"""The domains of a tool for the risk of bias, and its judgements from the least risk to the most."""
NO_INFORMATION = "no information"


def appraisal() -> list[dict]:
    """The rows of ``data/appraisal.csv``.

    Raises
    ------
    EvidenceError
        Columns, a role, a direction or a word that are none of those known.
    """
    path = ROOT / "data" / "appraisal.csv"
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    if reader.fieldnames != APPRAISAL:
        raise EvidenceError(f"data/appraisal.csv: columns are {', '.join(APPRAISAL)}")
    for row in rows:
        for column, known in (("role", ROLES), ("direction", ("", *DIRECTIONS)), ("says", ("", *SAID))):
            if row[column] not in known:
                where = f"data/appraisal.csv: {row['claim']}, {row['evidence']}"
                raise EvidenceError(f"{where}: {column} {row[column]!r}; use one of {', '.join(filter(None, known))}")
    return rows


def interval(row: Mapping[str, str]) -> tuple[float, float] | None:
    """The 95% interval of a row of evidence: as printed, or exact (Clopper and Pearson) from its counts; else None."""
    if row["ci_low"] and row["ci_high"]:
        return float(row["ci_low"]), float(row["ci_high"])
    if row["numerator"] and row["denominator"]:
        low, high = proportion_intervals(int(row["numerator"]), int(row["denominator"]))["clopper_pearson"]
        return (100 * low, 100 * high) if row["unit"] == "%" or not row["unit"] else (low, high)
    return None


def says(judged: Mapping[str, str], row: Mapping[str, str]) -> str:
    """What a row of evidence says of a claim: supports, opposes or inconclusive (contract C3, section 3).

    Computed from the row's interval where it has one; a row that is not significant never opposes a benefit by itself.

    Raises
    ------
    EvidenceError
        Neither an interval nor a reader's word, or a word that its interval refutes.
    """
    found, where = interval(row), f"data/appraisal.csv: {judged['claim']}, {judged['evidence']}"
    if not judged["direction"]:
        raise EvidenceError(f"{where}: a row that speaks says of what: direction is {', '.join(DIRECTIONS)}")
    if found is None:
        if not judged["says"]:
            raise EvidenceError(f"{where}: the row has no interval, so a reader's word must stand under says")
        return judged["says"]
    low, high = found
    match judged["direction"]:
        case "none":
            within = float(judged["margin_low"]) <= low and high <= float(judged["margin_high"])
            no_effect = float(judged["no_effect"])
            word = "opposes" if not low <= no_effect <= high else "supports" if within else "inconclusive"
        case "level":
            size, widest = float(judged["size"]), float(judged["margin_high"]) - float(judged["margin_low"])
            held = low <= size <= high
            word = "opposes" if not held else "supports" if high - low <= widest else "inconclusive"
        case direction:
            below = (judged["better"] == "below") == (direction == "benefit")  # is the claimed side below no effect?
            no_effect, size = float(judged["no_effect"]), judged["size"]
            right = high < no_effect if below else low > no_effect
            wrong = low > no_effect if below else high < no_effect
            refuted = bool(size) and not low <= float(size) <= high
            word = "opposes" if wrong or refuted else "supports" if right else "inconclusive"
    if judged["says"] and judged["says"] != word:
        raise EvidenceError(f"{where}: {judged['says']!r} is typed, and the interval {low:g} to {high:g} is {word}")
    return word


def rigour(judged: Mapping[str, str], row: Mapping[str, str]) -> int:
    """The rank of a row's design among ``DESIGNS``, 0 the most rigorous.

    Who has a predictor is not randomised, so a trial in which one was measured ranks as a cohort where the contrast
    names it a predictor.
    """
    design = row["design"].lower().replace("non-randomised", "cohort")
    rank = next((n for n, words in enumerate(DESIGNS) if any(w in design for w in words)), len(DESIGNS))
    return max(rank, 1) if "predictor" in judged["contrast"] else rank


def later_evidence(slug: str) -> dict[str, tuple[dict, list[str]]]:
    """What later work says of each claim of a source that any row speaks to: the verdict with the row that decides and
    the rule by which it does, and the ids of all its rows.
    """
    prefix = records.record(slug).source.prefix
    by_claim: dict[str, list[dict]] = {}
    for judged in appraisal():
        if judged["claim"].startswith(prefix):
            by_claim.setdefault(judged["claim"], []).append(judged)
    if not by_claim:
        return {}
    table = evidence(slug)
    lacking = [r for rows in by_claim.values() for r in rows if r["evidence"] not in table.index]
    if lacking:
        where = f"data/appraisal.csv: {lacking[0]['claim']}"
        raise EvidenceError(f"{where}: no row {lacking[0]['evidence']} in data/evidence/{slug}.csv")
    return {claim: (_combined(rows, table, slug), [r["evidence"] for r in rows]) for claim, rows in by_claim.items()}


def _combined(rows: list[dict], table: pd.DataFrame, slug: str) -> dict:
    superseding = [r for r in rows if r["role"] == "supersedes"]
    if superseding:
        return _told("superseded", superseding[:1], table, "a later report of the same study")
    speaking = [(r, says(r, table.loc[r["evidence"]])) for r in rows if r["role"] == "speaks"]
    if not speaking:
        return none_found(slug)
    ranks = [rigour(r, table.loc[r["evidence"]]) for r, _ in speaking]
    top = [pair for pair, rank in zip(speaking, ranks) if rank == min(ranks)]
    words = {word for _, word in top} - {"inconclusive"}
    verdict = (
        {"supports": "supported", "opposes": "against"}[words.pop()]
        if len(words) == 1
        else "mixed"
        if words
        else "inconclusive"
    )
    deciding = {word: r for r, word in reversed(top)}  # the first row of each word
    decided = [deciding[w] for w in ("supports", "opposes") if w in deciding] or [top[0][0]]
    among = f"{count(len(top), 'figures', len(speaking))} have the most rigorous design" if len(speaking) > len(top) else (
        "the only figure that speaks to it" if len(top) == 1 else f"{count(len(top), 'figures')} of equally rigorous design"
    )  # fmt: skip
    return _told(verdict, decided, table, among)


def _told(verdict: str, decided: list[dict], table: pd.DataFrame, rule: str) -> dict:
    """A verdict with the figures that decide, as printed: one, or where rows disagree one for and one against."""
    shown = "; against it, ".join(_figure(judged, table.loc[judged["evidence"]]) for judged in decided)
    return {"verdict": verdict, "deciding": decided[0]["evidence"], "rule": f"{shown}; {rule}"}


def _figure(judged: Mapping[str, str], row: Mapping[str, str]) -> str:
    size = row["numerator"] or row["denominator"]
    if row["numerator"] and row["denominator"]:
        size = count(row["numerator"], "", of=row["denominator"]).bare
    figure = with_unit(row["value"], row["unit"]) if row["value"] and row["unit"] != "text" else size
    limits = f" (95% CI {row['ci_low']} to {row['ci_high']})" if row["ci_low"] else ""
    if figure and "hazard ratio" in row["unit"]:
        limits += ", Cox regression" if "Cox" in row["quantity"] else ", estimator not named"
    told = f"{row['study']} [{row['reference']}]: {judged['contrast'] or row['quantity']}"
    return told + (f", {figure}{limits}" if figure else "")


def none_found(slug: str) -> dict | None:
    """No row of the source's table speaks to a claim, with the day of the last search; None if the table has no row at all,
    for nothing says then that anybody searched.
    """
    if _bare(slug):
        return None
    return {"verdict": "none-found", "deciding": "", "rule": f"none in our tables, last searched {last_searched()}"}


def reach(page: str) -> str:
    """How far the tables behind a page reach: the day of the last search."""
    return "No other work in our tables." if _bare(page) else f"Last searched: {last_searched()}."


def _bare(page: str) -> bool:
    """Whether a source has no row of other work: whether anybody searched for some, the day of the search does not tell."""
    return (records.SEEDS / f"{page}.yml").is_file() and (not _path(page).is_file() or evidence(page).empty)


def _path(slug: str) -> Path:
    return ROOT / "data" / "evidence" / f"{slug}.csv"


def last_searched() -> str:
    """The day of the last search, as a reader writes it: "28 November 2026"."""
    return in_full(searched())


def searched() -> date:
    """The day of the last search (``data/search.csv``)."""
    with (ROOT / "data" / "search.csv").open(encoding="utf-8", newline="") as file:
        return date.fromisoformat(next(csv.DictReader(file))["date"])


def in_full(day: date) -> str:
    """A day as a reader writes it."""
    return f"{day.day} {day:%B} {day.year}"


class Certainty(NamedTuple):
    """How certain the evidence on an outcome is: the outcome in words, one of ``CERTAIN``, and what lowers or raises it."""

    outcome: str
    word: str
    why: str


def certainty(slug: str) -> dict[str, Certainty]:
    """The certainty of the evidence on each outcome of a chapter, from our judgements in ``data/certainty.csv``.

    Randomised evidence starts high, so does evidence on prognosis (Foroutan2020), other low, as in GRADE; each of ``LOWERED_FOR`` takes away 0, 1 or 2
    steps, and an upgrade adds 1 or 2.

    Raises
    ------
    EvidenceError
        An outcome without exactly one judgement, with its reason, on its start and on each domain.
    """
    outcomes: dict[str, list[dict]] = {}
    for row in _judged("certainty", slug):
        outcomes.setdefault(row["outcome"], []).append(row)
    return {name: _certainty(f"data/certainty.csv: {slug}, {name}", rows) for name, rows in outcomes.items()}


def _certainty(where: str, rows: list[dict]) -> Certainty:
    steps = {row["domain"]: row["judgement"] for row in rows}
    expected = {"start": tuple(STARTS), **dict.fromkeys(LOWERED_FOR, ("0", "-1", "-2")), "upgrade": ("1", "2")}
    lacking = [d for d in expected if d not in steps and d != "upgrade"]
    wrong = [d for d, step in steps.items() if step not in expected.get(d, ())]
    if lacking or wrong or len(steps) < len(rows):
        raise EvidenceError(
            f"{where}: one judgement on start and each domain; see {', '.join(lacking + wrong) or 'what stands twice'}"
        )
    level = STARTS[steps.pop("start")] + sum(map(int, steps.values()))
    why = [
        f"{r['domain'].capitalize()} ({int(r['judgement']):+d}): {r['reason']}".replace("-", "−", 1)
        for r in rows
        if steps.get(r["domain"], "0") != "0"
    ]
    return Certainty(
        rows[0]["says"], CERTAIN[min(max(level, 0), len(CERTAIN) - 1)], " ".join(why) or "Nothing lowers it."
    )


def bias(slug: str, tool: str) -> pd.DataFrame:
    """The risk of bias of the studies of a chapter by a tool: a row per domain and the overall judgement, a column per study.

    The judgements of ``data/bias.csv`` are ours, each cell "judgement: reason"; the overall one is computed.

    Raises
    ------
    EvidenceError
        A study without exactly one judgement of the tool, with its reason, on each domain.
    """
    domains, scale = TOOLS[tool]
    studies: dict[str, list[dict]] = {}
    for row in _judged("bias", slug):
        if row["tool"] == tool:
            studies.setdefault(row["study"], []).append(row)
    for study, rows in studies.items():
        if tuple(r["domain"] for r in rows) != domains or not {r["judgement"] for r in rows} <= {
            *scale,
            NO_INFORMATION,
        }:
            raise EvidenceError(
                f"data/bias.csv: {slug}, {study}: one judgement of {tool} on each domain, in its order: {', '.join(domains)}"
            )
    table = {
        study: [f"{r['judgement']}: {r['reason']}" for r in rows] + [overall_bias(tool, [r["judgement"] for r in rows])]
        for study, rows in studies.items()
    }
    return pd.DataFrame({"domain": [*domains, "overall"], **table})


def overall_bias(tool: str, judgements: list[str]) -> str:
    """The gravest judgement on any domain; in ROBINS-I no information, if a domain has none and no other is serious."""
    scale = TOOLS[tool][1]
    gravest = max((j for j in judgements if j != NO_INFORMATION), key=scale.index, default=NO_INFORMATION)
    return NO_INFORMATION if NO_INFORMATION in judgements and gravest not in scale[2:] else gravest


def _judged(name: str, slug: str) -> list[dict]:
    """The rows of a table of judgements on a chapter, each with its reason."""
    with (ROOT / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["chapter"] == slug]
    bare = [row for row in rows if not row["reason"]]
    if bare or not rows:
        raise EvidenceError(
            f"data/{name}.csv: {slug}: " + (f"{bare[0]['domain']} needs a reason" if bare else "no row")
        )
    return rows
