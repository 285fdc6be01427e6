"""Data drawn at random and printed: what a check is told of them must never be called impossible.

A *case* of a check draws data, prints some of their summaries, and returns the check's inputs with a judge of its
result: a function that is true unless the result denies the data drawn. Judges compute from the data by definition,
by scipy or by listing, not by ``lib``.
"""

import json
import math
from collections.abc import Callable
from fractions import Fraction
from statistics import median

from hypothesis import strategies as st

from whichdata.checks import answer
from whichdata.printed import ROUNDINGS, printings

Judge = Callable[[dict], bool]
NEAR = 1e-9


class Cases(dict):
    """{check: case}; a case is registered under the name of its function."""

    def of(self, function: Callable) -> Callable:
        self[function.__name__] = function
        return function


def hold(case: Callable, name: str, data) -> None:
    """Draw a case of the check ``name`` and let the check answer it."""
    inputs, judge = case(data.draw)
    found = answer(json.dumps({"check": name, "inputs": inputs}))
    assert "error" not in found, found["error"]
    assert judge(found["result"]), found["result"]


def rule(draw) -> str:
    return draw(st.sampled_from(ROUNDINGS))


def whole(draw, low: int, high: int) -> int:
    return draw(st.integers(low, high))


def real(draw, low: float, high: float) -> float:
    return draw(st.floats(low, high))


def maybe(draw) -> bool:
    return draw(st.booleans())


def text(draw, value, decimals: int, rounding: str = "up_or_down") -> str:
    """One of the texts ``value`` may be printed as."""
    return draw(st.sampled_from(printings(Fraction(value), decimals, rounding)))


def p_text(draw, p: float, decimals: int, rounding: str = "up_or_down") -> str:
    """A p value as papers print it: a number, a bound it respects, or "ns"."""
    bounds = [f"<{b}" for b in ("0.001", "0.01", "0.05") if p < float(b)] + (["ns"] if p > 0.05 else [])
    return draw(st.sampled_from([text(draw, p, decimals, rounding), *bounds]))


def some_of(draw, printed: dict) -> dict:
    """Whichever of the summaries are printed."""
    return {key: value for key, value in printed.items() if maybe(draw)}


def within(low, value, high) -> bool:
    """Is ``value`` from ``low`` to ``high``, up to the last digits of floats?"""
    return low - NEAR * (1 + abs(low)) <= value <= high + NEAR * (1 + abs(high))


def is_p(p) -> bool:
    return within(0, p, 1)


def near(a, b, tolerance: float = NEAR) -> bool:
    return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)


def group(draw, most: int = 40) -> tuple[int, int]:
    """A count among n patients."""
    n = whole(draw, 1, most)
    return whole(draw, 0, n), n


def values(draw, low: int, high: int, least: int, most: int) -> list[int]:
    return draw(st.lists(st.integers(low, high), min_size=least, max_size=most))


def exact_median(numbers) -> Fraction:
    return Fraction(median(map(Fraction, numbers)))


def patients(draw, last: int, least: int, most: int) -> list[tuple[int, int]]:
    """(time from 1 to ``last``, event) of each patient, in order."""
    return sorted(draw(st.lists(st.tuples(st.integers(1, last), st.integers(0, 1)), min_size=least, max_size=most)))


def curve(rows) -> dict[int, Fraction]:
    """{time: S just after} at the times with events, by the product of (1 − events / at risk)."""
    s, found = Fraction(1), {}
    for t in sorted({t for t, e in rows if e}):
        s *= 1 - Fraction(sum(e for u, e in rows if u == t), sum(u >= t for u, _ in rows))
        found[t] = s
    return found


def at(steps: dict[int, Fraction], t: int) -> Fraction:
    return next((s for u, s in sorted(steps.items(), reverse=True) if u <= t), Fraction(1))
