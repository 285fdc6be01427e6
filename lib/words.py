"""A value as a word of a sentence: numbers, spreads, units, rounding rules."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from fractions import Fraction
from numbers import Real

from whichdata.printed import ROUNDINGS, Interval

RATIOS = ("hazard ratio", "odds ratio", "risk ratio", "rate ratio", "ratio")
NAMED_BEFORE = {"p": "p = "} | {name: f"{name} " for name in RATIOS}
"""Units that are names rather than units: they stand before their figure."""
WITHHELD = "personal detail"
"""The unit of a figure about a private person: counted, never shown."""


def with_unit(text: str, unit: str) -> str:
    """A figure as read in a sentence: "74%", "1 relapse", "May 2009", "p = 0.09"; a private person's is not shown."""
    if unit == WITHHELD:
        return "(a personal detail, not shown)"
    if unit in NAMED_BEFORE:
        name = NAMED_BEFORE[unit]
        return name.removesuffix("= ") + text if text[:1] in "<>≤≥" else name + text
    if not unit or unit == "%":
        return text + unit
    if calendar := re.fullmatch(r"year(?: \((\w+)\))?", unit):
        return f"{calendar[1]} {text}" if calendar[1] else text
    return f"{text} {singular(unit) if text.lower() in ('1', 'one') else unit}"


def singular(unit: str) -> str:
    """The unit of one: "patient", "negative test", "loss of response"; its first plural is the noun counted."""
    parts = unit.split(" ")
    for n, word in enumerate(parts):
        if word.islower() and word.endswith("s") and not word.endswith(("ss", "us", "is", "series")):
            end = {"ies": "y", "ses": "ss" if word.endswith("sses") else "se", "xes": "x"}.get(word[-3:])
            parts[n] = word[:-1] if end is None else f"{word[:-3]}{end}".replace("sss", "ss")
            break
    return " ".join(parts)


def number(value: Real, unit: str = "") -> str:
    """``value`` for reading: at most four significant digits, with its unit; below 0.0001 as a bound."""
    return with_unit(_digits(value, unit), unit)


def to_digits(value: Real, digits: int = 2) -> float:
    """A value rounded to so many significant digits."""
    return float(f"{float(value):.{digits}g}")


def with_error(value: Real, error: Real, unit: str = "", places: int | None = None) -> str:
    """A simulated value ± its Monte Carlo error, both to the first digit of the error or to ``places`` decimals."""
    places = error_places(error) if places is None else places
    return f"{value:.{places}f}\u00a0±\u00a0{error:.{places}f}{unit}"


def error_places(error: Real) -> int:
    """The decimals that show the first digit of an error above 0, once the error is rounded to that digit."""
    return max(0, -math.floor(math.log10(to_digits(error, 1))))


def _digits(value: Real, unit: str) -> str:
    x = float(value)
    if math.isinf(x) or math.isnan(x):
        return "∞" if x > 0 else "−∞" if x < 0 else "undefined"
    if x == int(x) and abs(x) < 1e6:
        text = f"{int(x)}" if unit.split(" ")[0] == "year" else f"{int(x):,}"  # a calendar year
    elif abs(x) >= 1e3:
        text = f"{float(f'{x:.4g}'):,.0f}"
    elif x and abs(x) < 1e-4:
        text = "< 0.0001" if x > 0 else "> -0.0001"
    else:
        text = f"{x:.4g}"
    return text.replace("-", "−")


def spread(values: Iterable[Real | Interval], unit: str = "") -> str:
    """A set of values for reading: the only one, a short list, or the least to the greatest; how many, if all are
    exact. With an interval among them: from the least to the greatest end.
    """
    values = list(values)
    if any(isinstance(v, Interval) for v in values):
        low, high = (
            pick(getattr(v, end) if isinstance(v, Interval) else v for v in values)
            for pick, end in ((min, "lower"), (max, "upper"))
        )
        if math.isinf(high):
            return "any value" if math.isinf(low) else f"{number(low, unit)} or more"
        return (
            f"{number(high, unit)} or less"
            if math.isinf(low)
            else with_unit(" to ".join(dict.fromkeys(_digits(x, unit) for x in (low, high))), unit)
        )
    distinct = sorted({Fraction(v) if isinstance(v, (int, Fraction)) else float(v) for v in values})
    texts = list(dict.fromkeys(_digits(v, unit) for v in distinct))
    if not texts:
        return "no admissible value"
    if len(texts) <= 3:
        return with_unit(" or ".join(texts), unit)
    counted = f" ({len(texts)} values)" if all(isinstance(v, Fraction) for v in distinct) else ""
    return with_unit(f"{texts[0]} to {texts[-1]}", unit) + counted


_ROUNDING_WORDS = {
    "up_or_down": "rounding to the nearest", "up": "rounding halves up", "down": "rounding halves down",
    "even": "rounding halves to even", "floor": "rounding down", "ceiling": "rounding up",
    "trunc": "cutting digits off",
}  # fmt: skip


def rounding_in_words(rules: Iterable[str]) -> str:
    """Rounding rules as a reader would name them: "rounding down or cutting digits off"."""
    rules = set(rules)
    nearest = rules & {"up", "down", "even"}
    rules -= nearest if len(nearest) == 3 else {"up_or_down"} if nearest else set()
    words = [_ROUNDING_WORDS[r] for r in ROUNDINGS if r in rules]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def sentences(texts: Iterable[str]) -> str:
    """Clauses as sentences, one after the other."""
    return " ".join(t if t[-1] in ".?!" else f"{t}." for t in (t.strip() for t in texts) if t)


_WORDS = "no one two three four five six seven eight nine".split()


def counted(n: int) -> str:
    """A small count in a sentence: words below ten, digits from there on."""
    return _WORDS[n] if n < len(_WORDS) else f"{n:,}"
