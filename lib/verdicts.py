"""How a claim is judged (contract C3): do its figures hold, does its conclusion follow, and could the check have failed.

Nothing here knows a source. A figure is held against every value that the admissible data give it; a conclusion is a
predicate over them. Later evidence is the third question, and stands in ``lib.evidence``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from numbers import Real
from typing import NamedTuple

import numpy as np

from lib.records import COUNTED, Figure, Record
from whichdata.printed import ROUNDINGS, Interval, Printed, percentage, printings

FIGURES = {"reproduced": "●", "compatible": "◐", "discrepant": "▲", "not-checkable": "○", "restated": "·"}
CONCLUSIONS = {"follows": "●", "overstated": "▲", "does-not-follow": "✕", "not-checkable": "○"}
NOTHING = "nothing-to-check"
LATER = {"supported": "●", "mixed": "◐", "against": "▲", "inconclusive": "○", "superseded": "↻", "none-found": "·"}
MARKS = FIGURES | CONCLUSIONS | {NOTHING: "·"}
"""The words of each of the three questions, each with its shape."""

CHECKS = ("sum", "share", "estimate", "test")
"""What a check recomputes: a sum or a share of head counts, an estimate, or a test. Summaries count sums apart."""
FAULTS = (
    "interval includes no effect",
    "absence of evidence taken for evidence of absence",
    "unlike groups compared",
    "significant here and not there, no test of the difference",
    "predictor part of the outcome",
    "groups formed by what happened later",
    "generalised beyond those studied",
)
"""Why a conclusion is overstated: what it rests on cannot show it, or shows it only in part."""
GRAVITY = ("restated", "reproduced", "compatible", "not-checkable", "discrepant")
LEAST_SEVERITY = 0.05
"""A check that would have refused fewer of the other values is none."""
MOST_ALTERNATIVES, SAMPLED = 100_000, 200
TELLING = 3
"""Figures that must tell one rounding rule from another before a source is taken to keep it."""

Value = Real | Interval
Given = Value | Iterable[Value] | Mapping[str, Value | Iterable[Value]]
"""The values that admissible data give a figure: one, several, an interval, or such by convention or reading."""


class Grade(NamedTuple):
    """The verdict on one figure; ``by`` names the conventions or readings that give it, of ``of`` tried; ``rules`` the
    rounding rules under which alone it comes out; ``severity`` the share of other values the check would have refused.
    """

    verdict: str
    by: tuple[str, ...]
    of: int
    rules: tuple[str, ...]
    severity: float | None


def named(given: Given) -> dict[str, list[Value]]:
    """What a check was given, by the name of its convention or reading ("" for the only one)."""

    def several(values) -> list[Value]:
        return [values] if isinstance(values, (Real, Interval)) else list(values)

    if isinstance(given, Mapping):
        return {name: several(values) for name, values in given.items()}
    return {"": several(given)}


def grade(figure: Figure, given: Given, rule: str = "up_or_down", n: int | None = None) -> Grade:
    """Hold a printed figure against every value that admissible data give it.

    *Reproduced* if every value under every convention and reading prints as reported, *compatible* if some do and
    others do not, or if only one rounding rule would print it and the source is not known to keep another; *discrepant*
    if none does. Their union counts, never their hull. ``rule`` is the source's, "up_or_down" where it keeps none that
    can be told; ``n`` the size of the group of which the figure is a count.
    """
    by_name = named(given)
    every = [v for values in by_name.values() for v in values]
    could = severity(figure, every, rule, n)
    if figure.impossible:
        return Grade("discrepant", (), len(by_name), (), could)
    some = tuple(name for name, values in by_name.items() if any(_prints(figure.value, v, rule) for v in values))
    if every and all(_always(figure.value, v, rule) for v in every):
        return Grade("reproduced", some, len(by_name), (), could)
    if some:
        return Grade("compatible", some, len(by_name), (), could)
    if rule == "up_or_down":
        rules = tuple(r for r in ROUNDINGS if any(_prints(figure.value, v, r) for v in every))
        return Grade("compatible" if rules else "discrepant", (), len(by_name), rules, could)
    return Grade("discrepant", (), len(by_name), (), could)


def _prints(printed: Printed, value: Value, rule: str) -> bool:
    """May ``value``, or some value of an interval, be printed so?"""
    if isinstance(value, Interval):
        return not printed.interval(rule).intersection(value).empty
    return printed.prints(value, rule)


def _always(printed: Printed, value: Value, rule: str) -> bool:
    """Is ``value``, or every value of an interval, printed so?"""
    if not isinstance(value, Interval):
        return printed.prints(value, rule)
    return value.intersection(printed.interval(rule)) == value


def severity(figure: Figure, values: Iterable[Value], rule: str = "up_or_down", n: int | None = None) -> float | None:
    """The share of the values that could have been printed in a figure's place which the check would have refused.

    The alternatives have the figure's decimals: percentages of a whole from 0 to 100, p from 0 to 1, counts from 0 to
    ``n``, anything else from half the reported value to twice it. Beyond ``MOST_ALTERNATIVES`` only ``SAMPLED`` evenly
    spaced ones are tried. None for an inequality, a date or a word.
    """
    printed = figure.value
    if printed.relation != "=" or printed.value is None or printed.decimals is None or figure.unit.startswith("year ("):
        return None
    vague = printed.text.endswith("s") and not any(c.isdigit() for c in printed.text)  # thousands are not 1000
    if figure.unit in ("year", "phase") or vague:
        return None
    unit = Fraction(10) ** -printed.decimals
    low, high = _range(figure, n)
    first, last = math.ceil(low / unit), math.floor(high / unit)
    total = last - first + 1
    if total < 2:
        return None
    values = list(values)
    if any(isinstance(v, Interval) for v in values) or total > MOST_ALTERNATIVES:
        step = max(1, total // SAMPLED) if total > 2000 else 1
        tried = range(first, last + 1, step)
        boxes = (Printed.parse(_text(k, printed.decimals)) for k in tried)
        kept = sum(any(_prints(box, v, rule) for v in values) for box in boxes)
        return 1 - kept / len(tried)
    reached = {
        Fraction(text) / unit for v in values if math.isfinite(v) for text in printings(v, printed.decimals, rule)
    }
    return 1 - sum(first <= k <= last for k in reached) / total


def _range(figure: Figure, n: int | None) -> tuple[Fraction, Fraction]:
    if figure.is_share:
        return Fraction(0), Fraction(100)
    if figure.unit == "p":
        return Fraction(0), Fraction(1)
    if n is not None and figure.unit in COUNTED:
        return Fraction(0), Fraction(n)
    ends = sorted((figure.value.value / 2, figure.value.value * 2))
    return ends[0], ends[1]


def _text(k: int, decimals: int) -> str:
    if decimals <= 0:
        return str(k * 10**-decimals)
    digits = str(abs(k)).rjust(decimals + 1, "0")
    return f"{'-' * (k < 0)}{digits[:-decimals]}.{digits[-decimals:]}"


def source_rule(record: Record) -> str:
    """The rounding rule that a source keeps, told by its percentages of counts that it prints: the one under which most
    of them come out, if at least ``TELLING`` come out under some rules and not under others, and no rule of another
    kind does as well; else "up_or_down".
    """
    told = []
    for claim in record.claims:
        for relation in claim.relations:
            if relation.kind == "percentage-of":
                part, whole = (record.figure(ref).value for ref in relation.of)
                figure = record.entry(f"{claim.id}/{relation.role}" if relation.role else claim.id)
                finer = [r for r in ROUNDINGS[1:] if figure.value.prints(percentage(int(part), int(whole)), r)]
                if 0 < len(finer) < len(ROUNDINGS) - 1:
                    told.append(finer)
    kept = {r: sum(r in rules for rules in told) for r in ROUNDINGS[1:]}
    best = [r for r in kept if kept[r] == max(kept.values())]
    ways = {"nearest" if r in ("up", "down", "even") else "up" if r == "ceiling" else "cut" for r in best}
    return best[0] if len(told) >= TELLING and len(ways) == 1 else "up_or_down"


def gravest(verdicts: Iterable[str]) -> str:
    """The verdict of a claim from those on its figures."""
    return max(verdicts, key=GRAVITY.index)


Outcomes = bool | Iterable[bool] | Mapping[str, bool]
"""Whether a predicate holds: once, for each admissible data set, or by reading."""


def held(outcomes: Outcomes) -> list[bool]:
    """Outcomes as truth values; ValueError if one is something else, which would pass for true."""
    several = outcomes.values() if isinstance(outcomes, Mapping) else outcomes
    found = list(several) if isinstance(several, Iterable) and not isinstance(several, str) else [several]
    for one in found:
        if not isinstance(one, bool | np.bool_):
            raise ValueError(f"an outcome is true or false, and {one!r} is neither: give a comparison, as in low > 1")
    return [bool(one) for one in found]


def conclusion(outcomes: Outcomes, universal: bool = False, fault: str | None = None) -> str:
    """Does a conclusion follow, by whether its predicate holds?

    *Does not follow* if it holds for none, or if it is a ``universal`` statement and fails for one; *overstated* if it
    fails for some, or if a ``fault`` of design means that what it rests on cannot show it; else *follows*.

    Raises
    ------
    ValueError
        There are no outcomes and no fault, the fault is none of ``FAULTS``, or an outcome is no truth value.
    """
    found = held(outcomes)
    if fault is not None and fault not in FAULTS:
        raise ValueError(f"no fault named {fault!r}; there are {'; '.join(FAULTS)}")
    if not found and not fault:
        raise ValueError("no outcomes: give the predicate's, or leave the conclusion for want of what is missing")
    if found and (not any(found) or (universal and not all(found))):
        return "does-not-follow"
    return "overstated" if fault or not all(found) else "follows"


def heads(row: Mapping) -> bool:
    """Is all that a row of the ledger recomputes sums and shares of head counts, which summaries count apart?"""
    checks = [figure["check"] for figure in row["figures"] if figure["check"]]
    return bool(checks) and all(check in ("sum", "share") for check in checks)


def summary(rows: Iterable[Mapping]) -> dict[str, dict[str, int]]:
    """How many rows have each verdict, by question: ``figures`` (sums and shares of head counts apart, as ``counts``),
    ``conclusions`` and ``later``.
    """
    found = {"figures": dict.fromkeys(FIGURES, 0), "counts": {"add up": 0, "do not": 0}}
    found |= {"conclusions": dict.fromkeys(CONCLUSIONS, 0), "later": dict.fromkeys(LATER, 0)}
    for row in rows:
        verdict = row["verdict_figures"]
        if verdict in FIGURES and heads(row):
            found["counts"]["add up" if verdict == "reproduced" else "do not"] += 1
        if verdict in FIGURES and not (heads(row) and verdict == "reproduced"):
            found["figures"][verdict] += 1
        if row["verdict_conclusion"] in CONCLUSIONS:
            found["conclusions"][row["verdict_conclusion"]] += 1
        if row["later"]:
            found["later"][row["later"]["verdict"]] += 1
    return found


def main_verdict(row: Mapping) -> str:
    """The verdict that a claim is known by: on its conclusion where it draws one, else on its figures."""
    return row["verdict_conclusion"] or row["verdict_figures"]
