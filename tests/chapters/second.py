"""What a second computation needs: figures as reported and as shown, and textbook formulas written anew.

Nothing here, nor in the tests that use it, calls ``whichdata``, ``chapters.models`` or the statistics of ``lib``: a
mistake there would otherwise be made twice.
"""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from functools import lru_cache

import numpy as np
from scipy import stats

from lib import ROOT, records
from lib.house import executed

_NUMBER = re.compile(r"([-−]?\d+(?:,\d{3})*(?:\.\d+)?)( million)?")
_SPELLED = {"none": 0, "one": 1, "two": 2, "both": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
            "nine": 9}  # fmt: skip
_LEVEL = re.compile(r"\b95% (?:CI|credible interval)\b")
Z = stats.norm.isf(0.025)


@lru_cache
def reported(ref: str) -> float:
    """A figure as a source reports it, by its reference (``CML-37/percentage``)."""
    slug = next(s for s in records.slugs() if records.record(s).source.prefix == ref[:3])
    return float(records.record(slug).figure(ref).value)


@lru_cache
def evidence(slug: str) -> dict[str, dict[str, str]]:
    """The rows of a chapter's evidence table, by id."""
    with (ROOT / "data" / "evidence" / f"{slug}.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


@lru_cache
def _bound(slug: str) -> dict[str, dict]:
    return executed.bound(slug)


@lru_cache
def shown(slug: str, name: str) -> list[Decimal]:
    """The numbers that stand on the page for a bound value, as printed there, in digits or in words, but for the level
    of a 95% interval; of a typed value without its unit.
    """
    bound = _bound(slug)
    assert name in bound, f"chapters/{slug}.ipynb binds no {name!r}: name it anew where its figure is recomputed"
    said = _LEVEL.sub("", bound[name].get("bare", bound[name]["text"]))
    said = re.sub(r"[a-z]+", lambda word: str(_SPELLED.get(word[0], word[0])), said)
    return [Decimal(n.replace(",", "").replace("−", "-")).scaleb(6 if million else 0)
            for n, million in _NUMBER.findall(said)]  # fmt: skip


def rounds_to(value: float, printed: Decimal, slack: float = 0.0) -> bool:
    """Is ``printed`` what ``value`` rounds to, or within ``slack`` of that?"""
    unit = Decimal(1).scaleb(printed.as_tuple().exponent)
    return abs(value - float(printed)) <= float(unit) / 2 + slack + 1e-9


def round_to(values, printed: list[Decimal]) -> bool:
    """Are these, one by one, the numbers printed?"""
    return len(values) == len(printed) and all(map(rounds_to, values, printed))


def clopper_pearson(count: int, n: int) -> tuple[float, float]:
    """The exact 95% interval of a share, by the two binomial equations solved for it."""
    test = stats.binomtest(count, n).proportion_ci(0.95, "exact")
    return test.low, test.high


def wilson(count: int, n: int) -> tuple[float, float]:
    """The 95% score interval of a share: the roots of (p̂ − p)² = z² p (1 − p) / n."""
    p = count / n
    roots = np.roots([1 + Z**2 / n, -(2 * p + Z**2 / n), p**2])
    return min(roots), max(roots)


def kaplan_meier(times, events) -> list[tuple[float, float, float]]:
    """(time, survival, Greenwood's sum) after each event; events come before censoring at one time."""
    survival, greenwood, steps = 1.0, 0.0, []
    for t in sorted({t for t, e in zip(times, events) if e}):
        at_risk = sum(x >= t for x in times)
        died = sum(x == t and e for x, e in zip(times, events))
        survival *= 1 - died / at_risk
        greenwood += died / (at_risk * (at_risk - died)) if at_risk > died else np.inf
        steps.append((t, survival, greenwood))
    return steps


def power(hazard_ratio: float, events: float, share: float = 0.5) -> float:
    """The power of a two-sided 5% log-rank test: the normal statistic has mean log(HR) √(events · share · (1 − share))."""
    return float(stats.norm.sf(Z - abs(np.log(hazard_ratio)) * np.sqrt(events * share * (1 - share))))


def ratio_seen(events: float, share: float = 0.5) -> float:
    """The hazard ratio above 1 that such a test sees with a power of 80%."""
    return float(np.exp((Z + stats.norm.ppf(0.8)) / np.sqrt(events * share * (1 - share))))
