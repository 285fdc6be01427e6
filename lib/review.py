"""The chapter's workbench: open a source, check its claims, bind values to prose, read the ledger back.

A verdict is computed from the values that the admissible data give, never typed. Every check emits one
``application/vnd.ledger+json`` output; the committed notebooks are the only place where verdicts live.
"""

from __future__ import annotations

import html
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from functools import cache
from numbers import Real
from pathlib import Path
from typing import NamedTuple

from IPython import get_ipython
from IPython.display import display

from lib import BOUND, LEDGER, STOPPED, canonical, records, relations, verdicts
from lib.evidence import Known, later_evidence, none_found
from lib.values import Value, count
from lib.verdicts import Given
from lib.words import NAMED_BEFORE, counted, number, rounding_in_words, sentences, spread, to_digits, with_unit
from whichdata.printed import Printed


class ReviewError(ValueError):
    """A check that cannot be made; one line that says what to do."""


class Impossible(ReviewError):
    """Reported figures that contradict one another, or leave nothing to compute with, in one line.

    A chapter that meets it, by ``Review.require`` or from its model, stops in order (``Review.stop``).
    """


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
    verdict_figures: str | None
    verdict_conclusion: str | None
    reason: str
    figures: list[dict]
    severity: float | None
    clash: str | None
    later: dict | None
    evidence: list[str]


@dataclass
class _Open:
    """A claim being judged: its figures by role so far, and what is said of its conclusion."""

    figures: dict[str, dict] = field(default_factory=dict)
    recomputed: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    conclusion: str | None = None
    words: str | None = None
    clash: str | None = None


class _Said(str):
    """A verdict as the last value of a cell, which shows nothing: its row stands above already."""

    def _ipython_display_(self) -> None:
        pass


class Review:
    """A source under review. Every claim gets one row of the ledger; ``settle`` closes the ledger of the chapter.

    A claim's row is shown when the last thing asked of it is answered: each of its figures, and its conclusion if it is
    a finding or a conclusion. A chapter says with ``require`` what the rest of it cannot do without; where a record
    cannot give it, the chapter ends there, without a traceback, and every claim still has its verdict.
    """

    def __init__(self, slug: str):
        self.record = records.record(slug)
        self.rounding = verdicts.source_rule(self.record)
        self.rows: dict[str, Row] = {}
        self._open: dict[str, _Open] = {}
        self._impossible = relations.impossible(self.record)
        self._later, self._none = later_evidence(slug), none_found(slug)
        if shell := get_ipython():
            shell.set_custom_exc((Impossible,), lambda _, kind, stop, *rest, **named: self.stop(str(stop)))

    def __getitem__(self, claim_id: str) -> records.Claim:
        return self.record[claim_id]

    def figure(self, ref: str) -> Printed:
        """The printed figure ``CML-07/role``, or the only one of ``CML-07``."""
        return self.record.figure(ref)

    def value(self, ref: str) -> Fraction:
        """The printed figure as an exact number, for counts and other figures that rounding did not touch."""
        return self.figure(ref).value

    def counts(self, ref: str) -> tuple[int, int]:
        """The part and the whole of the share ``CML-37``, or ``CML-37/percentage``, as its claim relates them."""
        return self.record.counts(ref)

    def require(self, holds: bool, why: str) -> None:
        """Stop the chapter unless ``holds``; ``why`` names the claims and goes on from "cannot be computed: …".

        Judge first what can be judged. Require what the rest has no meaning without, never what is merely unlikely.
        """
        if not holds:
            raise Impossible(why)

    def judge(
        self, claim_id: str, check: str, convention: str, n: int | None = None, clash: str | None = None, **roles: Given
    ) -> str:
        """Hold figures of a claim against every value the admissible data give them.

        ``check`` says what is recomputed: a ``sum`` or a ``share`` of head counts, an ``estimate`` or a ``test`` ·
        ``convention`` how, in words · ``n`` the size of the group of which the figures are counts · ``roles`` maps a
        figure's role (``_`` for ``-``) to one value, several, an ``Interval``, or a mapping of such by convention or
        reading; no value at all means that no data admit the figure. Returns the gravest verdict.
        """
        if check not in verdicts.CHECKS:
            raise ReviewError(f"{claim_id}: no check named {check!r}; there are {', '.join(verdicts.CHECKS)}")
        claim = self[claim_id]
        if not roles:
            raise ReviewError(f"{claim_id}: name at least one figure, as {claim.figures[0].role}=value")
        found = []
        for key, given in roles.items():
            figure = claim.figure(key.replace("_", "-"))
            by_name = verdicts.named(given)
            result = verdicts.grade(figure, by_name, self.rounding, n)
            values = [v for part in by_name.values() for v in part]
            why = self._impossible.get((claim_id, figure.role))
            verdict, text = "discrepant" if why else result.verdict, spread(values, figure.unit)
            notes = [convention]
            if result.by and result.of > 1 and verdict == "compatible":
                notes.append(f"under {counted(len(result.by))} of {counted(result.of)}: {', '.join(result.by)}")
            if result.rules:
                notes.append(
                    f"only {rounding_in_words(result.rules)} would print {with_unit(figure.printed, figure.unit)}"
                )
            if why:
                notes.append(why)
            if verdict != "discrepant" and result.severity is not None and result.severity < verdicts.LEAST_SEVERITY:
                verdict = "not-checkable"
                notes.append("what is reported admits almost anything")
            entry = {"recomputed": text, "verdict": verdict, "check": check, "severity": result.severity}
            entry |= {"convention": "; ".join(notes), "readings": list(result.by) if result.of > 1 else []}
            self._enter(claim, figure.role, entry, text)
            found.append(verdict)
        self._advance(claim, clash)
        return _Said(verdicts.gravest(found))

    def restate(self, claim_id: str, clash: str | None = None, **roles: str) -> str:
        """Hold figures of a claim against the same numbers where they stand elsewhere in the text.

        ``roles`` maps a role to the reference of another claim's figure, ``CML-34/low``. Nothing is computed: the
        figures are *restated* if the two can stand for one value, *discrepant* if they cannot.
        """
        claim, found = self[claim_id], []
        for key, ref in roles.items():
            figure, other = claim.figure(key.replace("_", "-")), self.record.entry(ref)
            if ref.partition("/")[0] == claim_id:
                raise ReviewError(f"{claim_id}: {ref} is its own figure; name where it stands elsewhere")
            agrees = relations.agree(figure, other, self.rounding)
            entry = {
                "recomputed": "",
                "verdict": "restated" if agrees else "discrepant",
                "check": None,
                "severity": None,
            }
            spelt = other.unit in records.COUNTED and other.printed.isdigit()
            said = count(other.printed, other.unit) if spelt else with_unit(other.printed, other.unit)
            where = f"{ref.partition('/')[0]} reports {said}"
            self._enter(claim, figure.role, entry | {"convention": where, "readings": []}, "")
            found.append(entry["verdict"])
        self._advance(claim, clash)
        return _Said(verdicts.gravest(found))

    def test(self, claim_id: str, outcomes: verdicts.Outcomes, found: str, clash: str | None = None) -> str:
        """Judge what a claim says of the source's own study in words: true for all admissible data, for some, for none.

        ``outcomes`` is one truth value, several, or a mapping of such by reading.
        """
        claim = self[claim_id]
        if claim.kind not in records.FIGURE_KINDS:
            raise ReviewError(f"{claim_id}: a {claim.kind} is no statement about figures: conclude it, or leave it")
        held = verdicts.held(outcomes)
        verdict = "reproduced" if held and all(held) else "compatible" if any(held) else "discrepant"
        state = self._state(claim)
        state.words = verdict
        state.reasons.append(found)
        self._advance(claim, clash)
        return _Said(verdict)

    def conclude(
        self,
        claim_id: str,
        outcomes: verdicts.Outcomes,
        found: str,
        universal: bool = False,
        fault: str | None = None,
        clash: str | None = None,
    ) -> str:
        """Judge a finding or conclusion by its predicate over the admissible data (see ``verdicts.conclusion``).

        ``outcomes`` is one truth value, several, or a mapping of such by reading; ``[]`` where no data of the source can
        decide it · ``found`` says in words what was found, with its numbers; ``fault`` why what it rests on cannot show it, which
        outweighs a predicate that holds, not one that never does.
        """
        claim = self[claim_id]
        if claim.kind not in records.ARGUED:
            raise ReviewError(f"{claim_id}: a {claim.kind} draws no conclusion: judge or test it")
        state = self._state(claim)
        state.conclusion = verdicts.conclusion(outcomes, universal, fault)
        state.reasons += [
            found,
            *([f"{fault[0].upper()}{fault[1:]}"] if fault and state.conclusion == "overstated" else []),
        ]
        self._advance(claim, clash)
        return _Said(state.conclusion)

    def leave(self, claim_id: str, missing: str, *roles: str, clash: str | None = None) -> str:
        """Leave figures of a claim unchecked for want of inputs; without ``roles`` all that is still open of it.

        ``missing`` completes "To check this we would need …".
        """
        return self._leave(self[claim_id], f"To check this we would need {missing}", *roles, clash=clash)

    def _leave(self, claim: records.Claim, why: str, *roles: str, clash: str | None = None) -> str:
        """Leave figures unchecked for a reason; one that no data could print is discrepant all the same."""
        state, found = self._state(claim), ["not-checkable"]
        rest = [f.role for f in claim.figures if f.role not in state.figures]
        for role in roles or rest:
            fault = self._impossible.get((claim.id, role), "")
            found.append("discrepant" if fault else "not-checkable")
            entry = {"recomputed": "", "verdict": found[-1], "check": None, "severity": None}
            self._enter(claim, role, entry | {"convention": fault, "readings": []}, "")
        if not roles:
            if claim.kind in records.ARGUED and state.conclusion is None:
                state.conclusion = "not-checkable"
            elif not claim.figures and state.words is None:
                state.words = "not-checkable"
        state.reasons.append(why)
        self._advance(claim, clash)
        return _Said(verdicts.gravest(found))

    def settle(self) -> None:
        """Enter the claims with nothing to check; refuse if any other is not judged, or a clash has one member."""
        for claim in self._asked():
            lacking = ", ".join(self._lacking(claim)) or "its verdict"
            raise ReviewError(f"{claim.id} ({claim.kind}) lacks {lacking}: judge, restate, test, conclude or leave it")
        self._enter_plain()
        clashes: dict[str, list[str]] = {}
        for row in self.rows.values():
            clashes.setdefault(row.clash or "", []).append(row.id)
        alone = [f"{name} ({ids[0]})" for name, ids in clashes.items() if name and len(ids) < 2]
        if alone:
            raise ReviewError(f"a clash has two members or more: {', '.join(alone)}")

    def stop(self, why: str) -> None:
        """End the chapter where its record allows no more: what is not judged yet cannot be, and says why."""
        said = f"The chapter stops here, for what is reported allows no more: {why}."
        display({STOPPED: {"why": why}, "text/html": f"<p>{html.escape(said)}</p>", "text/plain": said}, raw=True)
        for claim in self._asked():
            self._leave(claim, f"This cannot be computed from what is reported: {why}")
        self._enter_plain()

    def _asked(self) -> list[records.Claim]:
        """The claims that want a verdict and have none."""
        return [c for c in self.record.claims if c.id not in self.rows and c.kind not in records.PLAIN]

    def _enter_plain(self) -> None:
        for claim in self.record.claims:
            if claim.kind in records.PLAIN and claim.id not in self.rows:
                self._show(claim, _Open())

    def _state(self, claim: records.Claim) -> _Open:
        if claim.id in self.rows:
            raise ReviewError(f"{claim.id} is judged already: one row a claim")
        if claim.kind in records.PLAIN:
            raise ReviewError(f"{claim.id}: a {claim.kind} has nothing to check; settle() enters it")
        return self._open.setdefault(claim.id, _Open())

    def _enter(self, claim: records.Claim, role: str, entry: dict, text: str) -> None:
        state, figure = self._state(claim), claim.figure(role)
        if role in state.figures:
            raise ReviewError(f"{claim.id}/{role} is judged already")
        state.figures[role] = {"role": role, "reported": with_unit(figure.printed, figure.unit)} | entry
        if text:
            alone = len(claim.figures) == 1 or figure.unit in NAMED_BEFORE
            state.recomputed.append(text if alone else f"{role.replace('-', ' ')}: {text}")

    def _lacking(self, claim: records.Claim) -> list[str]:
        """What is still to be asked of a claim: roles of figures, its conclusion, or what it says in words."""
        state = self._open.get(claim.id, _Open())
        lacking = [f.role for f in claim.figures if f.role not in state.figures]
        if claim.kind in records.ARGUED and state.conclusion is None:
            lacking.append("a conclusion")
        if claim.kind in records.FIGURE_KINDS and not claim.figures and state.words is None:
            lacking.append("what it says")
        return lacking

    def _advance(self, claim: records.Claim, clash: str | None) -> None:
        state = self._state(claim)
        state.clash = clash or state.clash
        if not self._lacking(claim):
            self._show(claim, state)

    def _show(self, claim: records.Claim, state: _Open) -> None:
        plain = claim.kind in records.PLAIN
        entries = [state.figures[f.role] for f in claim.figures if f.role in state.figures]
        severities = [e["severity"] for e in entries if e["severity"] is not None]
        of_figures = verdicts.gravest(e["verdict"] for e in entries) if entries else state.words
        said: dict[str, list[str]] = {}
        for entry in entries:
            said.setdefault(entry["convention"], []).append(entry["role"].replace("-", " "))
        notes = [
            text if len(roles) == len(entries) else f"{', '.join(roles)}: {text}"
            for text, roles in said.items()
            if text
        ]
        later, spoken = self._later.get(claim.id, (None, []))
        row = Row(
            id=claim.id, source=self.record.source.slug, at=claim.at.model_dump(), kind=claim.kind, says=claim.says,
            reported=claim.reported, recomputed="; ".join(state.recomputed),
            verdict_figures=verdicts.NOTHING if plain else of_figures,
            verdict_conclusion=verdicts.NOTHING if plain else state.conclusion,
            reason=sentences([*notes, *state.reasons]), figures=entries, severity=min(severities, default=None),
            clash=state.clash, later=None if claim.kind in records.PERSONAL else later or self._none, evidence=spoken,
        )  # fmt: skip
        self.rows[claim.id] = row
        entry = canonical(asdict(row))
        display({LEDGER: entry, "text/html": check_html(entry), "text/plain": row_text(entry)}, raw=True)


def bind(**values: Value | Real | str | tuple[Real | str, str]) -> None:
    """Give values to the prose: ``{found}`name unit``` prints what stands here (see ``lib.values``).

    A value of evidence keeps its row: the page shows it as that of another work and leads to it. A bare number, text, or
    pair of value and unit is what chapters bound before there were values; ``{found}`name``` prints it as it stands.
    """
    entries = {}
    for key, given in values.items():
        if isinstance(given, Value):
            entry = {
                "value": given.number,
                "text": str(given),
                "bare": given.bare,
                "kind": given.kind,
                "unit": given.unit,
            } | ({"ends": [to_digits(end.number, 12) for end in given.ends]} if given.ends else {})
            row = given.row
        else:
            value, unit = given if isinstance(given, tuple) else (given, "")
            text = with_unit(value, unit) if isinstance(value, str) else number(value, unit)
            entry = {"value": str(value) if isinstance(value, str) else to_digits(value, 6), "text": text}
            row = value.row if isinstance(value, Known) else ""
        entries[key.replace("_", "-")] = entry | ({"evidence": row} if row else {})
    lines = ["; ".join(f"{k} = {v['text']}" for k, v in entries.items())]
    stood = {k: was for k, was in _committed().items() if k in entries and was != entries[k]["text"]}
    lines += [f"{k}: was {was}, now {entries[k]['text']}" for k, was in stood.items()]
    shown = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    display({BOUND: canonical(entries), "text/html": shown, "text/plain": "\n".join(lines)}, raw=True)


@cache
def _committed() -> dict[str, str]:
    """What the chapter that a person has open in a notebook bound when it was committed; empty in any other execution,
    whose outputs may not hang on what stood before.
    """
    shell = get_ipython()
    opened = os.environ.get("JPY_SESSION_NAME") or (shell.user_ns.get("__vsc_ipynb_file__", "") if shell else "")
    if not opened:
        return {}
    from lib.house import executed

    return executed.committed_values(Path(opened).stem)


def shown(row: Mapping) -> list[str]:
    """The verdicts a row shows, on its figures and on its conclusion; one word where there is nothing to check."""
    return list(dict.fromkeys(v for v in (row["verdict_figures"], row["verdict_conclusion"]) if v))


class Dress(NamedTuple):
    """How a check looks: a verdict's shape and word, its number, a pair of figures, where it stands, how words are set.

    As it stands, for a notebook, which has no style sheet; a page of the book dresses checks its own way.
    """

    opening: str = '<hr><div class="check" data-label="{label}">'
    verdict: str = '<span class="verdict verdict-{verdict}"><span aria-hidden="true">{mark}</span> {words}</span>'
    later: str = (
        '<span class="verdict later-{verdict}"><span aria-hidden="true">{mark}</span> later evidence: {words}</span>'
    )
    name: str = "<b>{id}</b>"
    pair: str = "<b>{kind}:</b> {words}"
    between: str = "<br>"
    words: Callable[[str], str] = html.escape

    def lozenge(self, verdict: str) -> str:
        """A verdict on figures or a conclusion, as shape and word."""
        return self.verdict.format(verdict=verdict, mark=verdicts.MARKS[verdict], words=verdict.replace("-", " "))

    def evidence(self, later: Mapping) -> str:
        """What later evidence says, as shape and word."""
        verdict = later["verdict"]
        return self.later.format(verdict=verdict, mark=verdicts.LATER[verdict], words=verdict.replace("-", " "))


NOTEBOOK = Dress()


def check_html(row: Mapping, dress: Dress = NOTEBOOK, cite: str = "") -> str:
    """One check as the reader sees it: the verdicts side by side, claim, reported beside recomputed, and why in small.

    ``cite`` is what stands beside its number.
    """
    marks = [dress.lozenge(verdict) for verdict in shown(row)] + (
        [dress.evidence(row["later"])] if row["later"] else []
    )
    pairs = [
        dress.pair.format(kind=kind, words=dress.words(row[kind])) for kind in ("reported", "recomputed") if row[kind]
    ]
    told = [row["reason"], refused(row)]
    told += [f"Cannot hold together with other claims: {row['clash']}."] if row["clash"] else []
    told += [f"Later evidence: {row['later']['rule']}."] if row["later"] and row["later"]["deciding"] else []
    return (
        dress.opening.format(label=row["id"].lower())
        + f'<p class="check-head">{" ".join(marks)} {dress.name.format(id=row["id"])}{cite}</p>'
        + f'<p class="check-says">{dress.words(row["says"])}</p>'
        + (f'<p class="check-values">{dress.between.join(pairs)}</p>' if pairs else "")
        + "".join(f'<p class="check-why">{dress.words(text)}</p>' for text in told if text)
        + "</div>"
    )


def refused(row: Mapping) -> str:
    """How much the weakest check could have refused, as a sentence; "" where that has no meaning, or another did refuse."""
    if row["severity"] is None or row["verdict_figures"] not in ("reproduced", "compatible", "discrepant"):
        return ""
    if share := math.floor(100 * row["severity"]):
        return f"The check would have refused {share}% of other values."
    return "" if row["verdict_figures"] == "discrepant" else "The check would have refused hardly any other value."


def row_text(row: Mapping) -> str:
    """One check on one line of plain text."""
    marks = ", ".join(f"{verdicts.MARKS[v]} {v}" for v in shown(row))
    later = f", later evidence {row['later']['verdict']}" if row["later"] else ""
    return f"{row['id']}  {marks}{later}; reported {row['reported'] or '–'}, recomputed {row['recomputed'] or '–'}"


def ledger() -> list[dict]:
    """All checks of all chapters that stand, read back from the executed notebooks (contract C4)."""
    from lib.house import executed  # only a chapter that reads the others depends on it

    return executed.ledger()
