"""The chapter's workbench: open a source, check its claims, bind values to prose, read the ledger back.

A verdict is computed from the values that the admissible data give, never typed. Every check emits one
``application/vnd.ledger+json`` output; the committed notebooks are the only place where verdicts live.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from numbers import Real
from typing import NamedTuple

from IPython.display import display

from lib import BOUND, LEDGER, records, relations
from lib.evidence import Known, appraisal, external
from lib.words import NAMED_BEFORE, number, rounding_in_words, spread, to_digits, with_unit
from whichdata.printed import ROUNDINGS, Printed

MARKS = {"reproduced": "●", "compatible": "◐", "discrepant": "▲", "contradicted": "✕", "unchecked": "○"}
"""The five verdicts, mildest first but for *unchecked*, each with its shape."""

REASONS = ("no-inputs", "definition", "citation", "background", "opinion")
_GRAVITY = {"reproduced": 0, "compatible": 1, "discrepant": 2, "contradicted": 3}


class ReviewError(ValueError):
    """A check that cannot be made; one line that says what to do."""


@dataclass(frozen=True)
class Row:
    """One line of the ledger, as a chapter emits it (contract C4; the build adds section, tag and url)."""

    id: str
    source: str
    at: dict
    kind: str
    says: str
    reported: str
    recomputed: str
    verdict: str
    reason: str | None = None
    convention: str | None = None
    clash: str | None = None
    missing: str | None = None
    evidence: list[str] = field(default_factory=list)
    external: str = "none-found"


def grade(printed: Printed, values: Iterable[Real], rounding: str) -> tuple[str, list[str]]:
    """The verdict on one printed figure given every value the admissible data give it.

    Returns the verdict and, where no value prints as reported, the other rounding rules under which one would.
    The values are judged one by one: their union counts, never their hull.
    """
    values = list(values)
    prints = [printed.prints(v, rounding) for v in values]
    if prints and all(prints):
        return "reproduced", []
    if any(prints):
        return "compatible", []
    return "discrepant", [r for r in ROUNDINGS if r != rounding and any(printed.prints(v, r) for v in values)]


class Review:
    """A source under review. Every claim gets one verdict; ``settle`` closes the ledger of the chapter."""

    def __init__(self, slug: str):
        self.record = records.record(slug)
        self.rounding = self.record.source.rounding
        self.rows: dict[str, Row] = {}
        self._impossible = relations.impossible(self.record)
        self._appraisal = appraisal()

    def __getitem__(self, claim_id: str) -> records.Claim:
        return self.record[claim_id]

    def figure(self, ref: str) -> Printed:
        """The printed figure ``CML-07/role``, or the only one of ``CML-07``."""
        return self.record.figure(ref)

    def value(self, ref: str) -> Fraction:
        """The printed figure as an exact number, for counts and other figures that rounding did not touch."""
        return self.figure(ref).value

    def judge(self, claim_id: str, convention: str, **roles: Real | Iterable[Real]) -> str:
        """Hold the figures of a claim against every value the admissible data give them, and show the verdict.

        ``roles`` maps a figure's role (``_`` for ``-``) to one value or all admissible ones; no value at all means that
        no data admit the figure. The claim gets the gravest verdict of its figures.
        """
        claim = self[claim_id]
        if not roles:
            raise ReviewError(f"{claim_id}: name at least one figure, as {claim.figures[0].role}=value")
        found, rules = {}, {}
        verdict, texts = "reproduced", []
        units = {f.role: f.unit for f in claim.figures}
        for key, given in roles.items():
            role = key.replace("_", "-")
            values = [given] if isinstance(given, Real) else list(given)
            one, others = grade(claim[role], values, self.rounding)
            if (claim_id, role) in self._impossible:
                one, others = "discrepant", []
            found[role], rules[role] = one, others
            verdict = max(verdict, one, key=_GRAVITY.__getitem__)
            unit = units[role]
            named = "" if len(claim.figures) == 1 or unit in NAMED_BEFORE else f"{role.replace('-', ' ')}: "
            texts.append(named + spread(values, unit))
        notes = [
            f"only {rounding_in_words(r)} would print {with_unit(claim.figure(role).printed, units[role])}"
            for role, r in rules.items()
            if r
        ]
        notes += [self._impossible[claim_id, role] for role in found if (claim_id, role) in self._impossible]
        if len(found) > 1 and verdict != "reproduced":
            notes.append("; ".join(f"{role.replace('-', ' ')}: {v}" for role, v in found.items() if v != "reproduced"))
        return self._emit(claim, "; ".join(texts), verdict, "; ".join([convention, *notes]))

    def test(self, claim_id: str, outcomes: bool | Iterable[bool], convention: str, found: str) -> str:
        """Judge a claim in words by a predicate over the admissible data: true for all, for some, for none.

        A concluding claim must rest on others in its record, and is contradicted where the predicate fails throughout.
        """
        claim = self[claim_id]
        if claim.kind == "conclusion" and not claim.rests_on:
            raise ReviewError(f"{claim_id}: a conclusion rests on other claims; name them under rests_on in its record")
        held = [outcomes] if isinstance(outcomes, bool) else [bool(o) for o in outcomes]
        if held and all(held):
            verdict = "reproduced"
        elif any(held):
            verdict = "compatible"
        else:
            verdict = "contradicted" if claim.kind == "conclusion" else "discrepant"
        return self._emit(claim, found, verdict, convention)

    def clash(self, name: str, claim_ids: Iterable[str], convention: str, found: str) -> str:
        """Mark the claims of a smallest set that no data can satisfy together: discrepant, sharing the name of the
        clash.
        """
        for claim_id in claim_ids:
            self._emit(self[claim_id], found, "discrepant", convention, clash=name)
        return "discrepant"

    def leave(self, claim_id: str, missing: str) -> str:
        """Leave a claim unchecked for want of inputs, naming what is missing and the verdict it would allow."""
        return self._emit(self[claim_id], "", "unchecked", None, reason="no-inputs", missing=missing)

    def settle(self) -> None:
        """Enter the claims that only define, cite, give background or an opinion; refuse if any other has no
        verdict.
        """
        rest = [c for c in self.record.claims if c.id not in self.rows]
        open_ = [c.id for c in rest if c.kind not in REASONS]
        if open_:
            raise ReviewError(f"no verdict on {', '.join(open_)}: judge, test or leave them before settling")
        for claim in rest:
            self._emit(claim, "", "unchecked", None, reason=claim.kind)

    def counts(self) -> dict[str, int]:
        """How many claims have each verdict so far."""
        return {v: sum(r.verdict == v for r in self.rows.values()) for v in MARKS}

    def _emit(self, claim, recomputed, verdict, convention, reason=None, clash=None, missing=None) -> str:
        if claim.id in self.rows:
            raise ReviewError(f"{claim.id} has a verdict already: one check a claim, so that the ledger has one row")
        spoken = [r for r in self._appraisal if r["claim"] == claim.id]
        row = Row(
            claim.id, self.record.source.slug, claim.at.model_dump(), claim.kind, claim.says, claim.reported, recomputed,
            verdict, reason, convention, clash, missing, [r["evidence"] for r in spoken], external(r["direction"] for r in spoken),
        )  # fmt: skip
        self.rows[claim.id] = row
        entry = asdict(row)
        display({LEDGER: entry, "text/html": check_html(entry), "text/plain": row_text(entry)}, raw=True)
        return verdict


def bind(**values: Real | str | Printed | tuple[Real | str, str]) -> None:
    """Give values to the prose: ``{found}`name``` prints what stands here. A pair is a value and its unit.

    A ``Known`` figure keeps its row: the page shows it as that of another work and leads to it.
    """
    entries = {}
    for key, given in values.items():
        value, unit = given if isinstance(given, tuple) else (given, "")
        text = with_unit(value, unit) if isinstance(value, str) else number(value, unit)
        entry = {"value": str(value) if isinstance(value, str) else to_digits(value, 6), "text": text}
        entries[key.replace("_", "-")] = entry | ({"evidence": value.row} if isinstance(value, Known) else {})
    plain = "; ".join(f"{k} = {v['text']}" for k, v in entries.items())
    display({BOUND: entries, "text/html": "<!-- bound to the prose -->", "text/plain": plain}, raw=True)


def why(row: Mapping) -> str:
    """Why a claim has its verdict, in the words of its check."""
    text = row["convention"] or (f"{row['reason']}: {row['missing']}" if row["missing"] else row["reason"])
    return f"clash {row['clash']}: {text}" if row["clash"] else text


class Dress(NamedTuple):
    """How a check looks: the verdict's shape and word, where its statement stands, and how words are set.

    As it stands, for a notebook, which has no style sheet; a page of the book dresses checks its own way.
    """

    opening: str = '<div class="check" data-label="{label}" data-title="{id}">'
    verdict: str = '<span class="verdict verdict-{verdict}"><span aria-hidden="true">{mark}</span> {verdict}</span>'
    says: str = " {}</p>"
    reported: str = "reported"
    words: Callable[[str], str] = html.escape
    why: Callable[[Mapping], str] = why


NOTEBOOK = Dress()


def check_html(row: Mapping, dress: Dress = NOTEBOOK, cite: str = "") -> str:
    """One check as the reader sees it: verdict, claim, reported beside recomputed, and why in small.

    ``cite`` is what stands beside its number.
    """
    verdict = dress.verdict.format(verdict=row["verdict"], mark=MARKS[row["verdict"]])
    pairs = [
        f'<span class="label">{label}</span> <span class="{kind}">{dress.words(row[kind])}</span>'
        for label, kind in ((dress.reported, "reported"), ("recomputed", "recomputed"))
        if row[kind]
    ]
    return (
        dress.opening.format(label=row["id"].lower(), id=row["id"])
        + f'<p class="check-head">{verdict} <span class="check-id">{row["id"]}</span>{cite}'
        + dress.says.format(dress.words(row["says"]))
        + (f'<p class="check-values">{" ".join(pairs)}</p>' if pairs else "")
        + f'<p class="check-why">{dress.words(dress.why(row))}</p></div>'
    )


def row_text(row: Mapping) -> str:
    """One check on one line of plain text."""
    mark = MARKS[row["verdict"]]
    return f"{mark} {row['verdict']:<12} {row['id']}  reported {row['reported'] or '–'}  recomputed {row['recomputed'] or '–'}"


def ledger() -> list[dict]:
    """All checks of all chapters that stand, read back from the executed notebooks (contract C4)."""
    from lib.house import executed  # only a chapter that reads the others depends on it

    return executed.ledger()
