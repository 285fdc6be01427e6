"""Values on their way into a sentence: each knows its unit, its digits and its plural.

A chapter binds them (``lib.review.bind``), and ``{found}`name unit``` prints them; in brackets, ``{found}`name (unit)```,
the unit is understood and only the figure is printed. A role whose unit is not that of its value is refused.

A figure is given as a number, which is rounded by the rules of its kind, or as text: one that a source or other work
reported, kept as it stands. What is ``Known`` keeps the row of evidence it was read in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real

from lib.words import NAMED_BEFORE, counted, number, singular, to_digits, with_error, with_unit

Figure = Real | str
MILLION = 1_000_000


class WordsError(ValueError):
    """A value that has no words; one line that says what to do."""


@dataclass(frozen=True)
class Value:
    """A figure in words: ``bare`` without its unit, ``str()`` with it.

    ``kind``: count, share, span, list, estimate, simulated, time, p, measure or words · ``number`` for data, "" where there is
    none · ``unit``: what is counted or measured, or the estimator · ``row``: of the evidence that reports it, or "" ·
    ``ends``: of an estimate, the value and the two ends of its ``interval``, each with its own unit · ``given``: whether it
    was given as text, as the source or other work reports it.
    """

    kind: str
    number: float | str
    unit: str
    bare: str
    whole: str
    row: str = ""
    ends: tuple[Value, ...] = ()
    interval: str = ""
    given: bool = False

    @property
    def origin(self) -> str:
        """``reported`` by the source, ``recomputed`` here, or nothing if other work reports it or it is no figure."""
        if self.row or self.kind == "words":
            return ""
        return "reported" if self.given else "recomputed"

    def __str__(self) -> str:
        return self.whole


def count(n: int | str, unit: str, of: int | str | None = None) -> Value:
    """So many things: "nine patients", "one patient", "no patients"; of a whole "both patients", "all 12 patients",
    "none of the 12 patients", "nine of 12 patients". ``unit`` in the plural. What a source reports may be impossible,
    so less than none and more than the whole are printed as they are.

    Raises
    ------
    WordsError
        No whole number.
    """
    size, whole = _integer(n), None if of is None else _integer(of)
    if whole is None:
        bare = _so_many(size) if size else "none"
        said = with_unit("no" if not size else bare, unit)
    elif not size and whole:
        bare = f"none of the {_so_many(whole)}"
        said = f"{bare} {unit if whole > 1 else singular(unit)}"
    elif size == whole > 1:
        bare = "both" if whole == 2 else f"all {_so_many(whole)}"
        said = with_unit(bare, unit)
    else:
        bare = f"{_so_many(size)} of {_so_many(whole)}"
        said = f"{bare} {unit if whole != 1 else singular(unit)}"
    return Value("count", size, unit, bare, said, _row(n), given=isinstance(n, str))


def share(x: Figure, decimals: int = 0) -> Value:
    """A proportion from 0 to 1 as a percentage, whole unless the argument turns on ``decimals`` or it would round to 0
    or 100; a reported one is given as text, in per cent.
    """
    if isinstance(x, str):
        return Value("share", _float(x), "%", str(x), f"{x}%", _row(x), given=True)
    percent = 100 * float(x)
    bare = f"{percent:.{decimals}f}"
    if float(bare) in (0, 100) and 0 < percent < 100:
        near = to_digits(min(percent, 100 - percent), 1)
        bare = f"{near if percent < 50 else 100 - near:.{_places(near)}f}"
    return Value("share", to_digits(percent, 6), "%", bare, f"{bare}%", "")


def time(x: Figure, unit: str) -> Value:
    """A length of time: "28 days", "1 month", "3.5 months"; whole, or two significant digits."""
    return _plain("time", x, unit)


def measure(x: Figure, unit: str) -> Value:
    """A quantity with its unit: "0.5 µg", "10 percentage points", "hazard ratio 0.55"; ratios to two decimals, whole
    numbers as they are, others to two significant digits, from a million on in millions.
    """
    return _plain("measure", x, unit)


def p_value(p: Figure, test: str = "") -> Value:
    """A p value to two significant digits, named by its ``test``: "exact Mann–Whitney p = 0.0091"; its unit is "p",
    after the test.
    """
    unit = f"{test} p".strip()
    if isinstance(p, str):
        bare, value = p, _float(p)
    else:
        if not 0 <= p <= 1:
            raise WordsError(f"{float(p):g} is no p value: it lies from 0 to 1")
        value = to_digits(p, 6)
        bare = "< 0.0001" if p < 0.0001 else f"{to_digits(p):.{_places(to_digits(p), 2)}f}"
    said = f"{unit} {bare}" if bare[0] in "<>≤≥" else f"{unit} = {bare}"
    return Value("p", value, unit, bare, said, _row(p), given=isinstance(p, str))


def span(low: Value, high: Value) -> Value:
    """From one value to another of the same unit: "26 to 28 months", "39% to 53%", "one or two patients"; one value
    where both read alike.

    Raises
    ------
    WordsError
        The two have different units.
    """
    if low.unit != high.unit:
        raise WordsError(f"no span from {low} to {high}: one unit, not {low.unit} and {high.unit}")
    if low.bare == high.bare:
        return low
    if low.unit == "%":
        bare = whole = f"{low} to {high}"
    else:
        joint = "or" if low.kind == "count" and high.number == low.number + 1 else "to"
        bare = f"{low.bare} {joint} {high.bare}"
        whole = with_unit(bare, low.unit)
    return Value("span", bare, low.unit, bare, whole, low.row if low.row == high.row else "")


def listed(values: Iterable[Value], unit: str, joint: str = "or", none: str = "none") -> Value:
    """Values side by side: "10 or 11 patients", "nine men and six women"; ``none`` if there are none of them.

    ``unit`` is what all of them are of, and then stands once; or what the list is called, if each has its own.
    """
    values = list(values)
    common = all(v.unit == unit for v in values)
    texts = [v.bare if common and unit != "%" else str(v) for v in values]
    bare = f" {joint} ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]])) or none
    printed = with_unit(bare, unit) if values and common and unit != "%" else bare
    return Value("list", bare, unit, bare, printed, values[0].row if len({v.row for v in values}) == 1 else "")


def estimate(
    value: Figure | Value, low: Figure | Value, high: Figure | Value, name: str, interval: str = "95% CI"
) -> Value:
    """An estimate with its interval, named by its estimator: "Cox hazard ratio 1.02 (95% CI 0.68 to 1.55)".

    Numbers, reported ones too, are ratios and stand with two decimals; other values bring their own unit.
    """
    if isinstance(value, Value):
        ends = value, low, high
        limits = f"{low} to {high}" if low.unit == "%" else f"{low.bare} to {high.bare}"
        bare, size, row, given = f"{value} ({interval} {limits})", value.number, value.row, value.given
    else:
        given = isinstance(value, str)
        ends = tuple(
            Value("measure", float(x), "", text := f"{float(x):.2f}".replace("-", "−"), text, _row(x), given=given)
            for x in (value, low, high)
        )
        bare = f"{ends[0]} ({interval} {ends[1]} to {ends[2]})"
        size, row = to_digits(float(value), 6), _row(value)
    return Value("estimate", size, name, bare, f"{name} {bare}", row, ends, interval, given)


def simulated(value: Real, error: Real, unit: str) -> Value:
    """A simulated value with its Monte Carlo error, to the first digit of the error: "41 ± 2%"."""
    bare = with_error(value, error)
    return Value("simulated", to_digits(value, 6), unit, bare, with_unit(bare, unit))


def words(text: str, unit: str = "") -> Value:
    """Words that are computed: a date, a name, a list. ``unit`` says what they name, and is never printed.

    Raises
    ------
    WordsError
        Digits that are no date: a number has a kind of its own.
    """
    if re.search(r"\d", re.sub(r"\b(?:[12]\d{3}|\d{1,2} (?=[A-Z]))", "", text)):
        raise WordsError(f"{text!r} holds a number: give it as a count, share, time, measure, estimate or p value")
    return Value("words", text, unit, text, text, _row(text))


_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def opening(text: str) -> str:
    """``text`` as a sentence begins with it: a capital letter, and a whole number below 100 in words."""
    if text.startswith(("p ", "p-")):  # a symbol keeps its case
        return text
    if spelled := re.match(r"[1-9]\d(?![\d.,%]|[ \u00a0]?[–±×]| to )", text):
        n = int(spelled[0])
        tens, ones = _TENS[n // 10 - 2], counted(n % 10) if n % 10 else ""
        word = _TEENS[n - 10] if n < 20 else "-".join(filter(None, (tens, ones)))
        text = word + text[2:]
    return text[:1].upper() + text[1:]


def _so_many(n: int) -> str:
    return (
        f"{n:,}".replace("-", "−")
        if n < 0
        else counted(n)
        if n < MILLION
        else f"{to_digits(n / MILLION, 2):,g} million"
    )


def _integer(n: int | str) -> int:
    if isinstance(n, str):
        n = n.replace(",", "")
    if float(n) != int(float(n)):
        raise WordsError(f"{n} is no count: a whole number is needed")
    return int(float(n))


def _plain(kind: str, x: Figure, unit: str) -> Value:
    if unit in NAMED_BEFORE:  # ratios
        bare = f"{float(x):.2f}"
    elif isinstance(x, str):
        bare = str(x)
    elif abs(x) >= MILLION:
        bare = _so_many(round(x))
    else:
        bare = number(round(x) if abs(x) >= 10 else to_digits(x)).replace("-", "−")
    size = _float(x) if isinstance(x, str) else to_digits(x, 6)
    return Value(kind, size, unit, bare, with_unit(bare, unit), _row(x), given=isinstance(x, str))


def _places(x: float, digits: int = 1) -> int:
    """Decimals that show so many significant digits of ``x``, already rounded to them."""
    return max(0, digits - 1 - int(f"{x:e}".partition("e")[2]))


def _float(text: str) -> float | str:
    try:
        return float(text.replace(",", "").replace("−", "-"))
    except ValueError:
        return text


def _row(given) -> str:
    return getattr(given, "row", "")
