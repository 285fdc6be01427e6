"""A printed number is an interval: what was printed, and which values could have been printed so.

``Printed.parse("2.50")`` keeps the text and its decimals, for ``"2.50"`` is not ``2.5``. Everything is exact
(:class:`fractions.Fraction`); a rounding rule is always an argument.

Rounding rules, by definition, for a printed value v with last decimal place u:

=============  ==================================================================================================
up_or_down     v − u/2 ≤ x ≤ v + u/2: halves may have gone either way (the default: it never excludes what a
               finer rule admits)
up             v − u/2 ≤ x < v + u/2: halves go up, towards plus infinity
down           v − u/2 < x ≤ v + u/2: halves go down
even           halves go to the even last digit: both ends belong to an even v, neither to an odd one
floor          v ≤ x < v + u
ceiling        v − u < x ≤ v
trunc          digits cut off: floor above zero, ceiling below, and −u < x < u for zero
=============  ==================================================================================================
"""

import math
import numbers
import re
from dataclasses import dataclass
from fractions import Fraction

ROUNDINGS = ("up_or_down", "up", "down", "even", "floor", "ceiling", "trunc")

Number = int | float | Fraction


def exact(value: Number) -> Fraction | float:
    """``value`` as the fraction that it is by definition; infinities stay floats. ValueError if NaN or no number."""
    if isinstance(value, (bool, str)) or not isinstance(value, numbers.Real):
        raise ValueError(f"{value!r} is not a number")
    if isinstance(value, (int, Fraction)):
        return Fraction(value)
    if math.isnan(value):
        raise ValueError("NaN is not a value; leave the figure out instead")
    return float(value) if math.isinf(value) else Fraction(value.item() if hasattr(value, "item") else value)


def check_rounding(rounding: str) -> None:
    """ValueError if ``rounding`` is no rule of this module."""
    if not isinstance(rounding, str) or rounding not in ROUNDINGS:
        raise ValueError(f"no rounding rule named {rounding!r}; known: {', '.join(ROUNDINGS)}")


@dataclass(frozen=True)
class Interval:
    """The values from ``lower`` to ``upper`` (fractions, or infinite floats), each end inside or not.

    Intersection, sum and multiples are those of sets of numbers, by definition.
    """

    lower: Fraction | float
    upper: Fraction | float
    lower_closed: bool = True
    upper_closed: bool = True

    def __contains__(self, value: Number) -> bool:
        x = exact(value)
        above = x > self.lower or (self.lower_closed and x == self.lower)
        return above and (x < self.upper or (self.upper_closed and x == self.upper))

    @property
    def empty(self) -> bool:
        """No value lies in it."""
        if self.lower == self.upper:
            return not (self.lower_closed and self.upper_closed)
        return self.lower > self.upper

    def intersection(self, other: "Interval") -> "Interval":
        """The values in both (an empty interval if none)."""
        lower, upper = max(self.lower, other.lower), min(self.upper, other.upper)
        return Interval(
            lower,
            upper,
            all(i.lower_closed for i in (self, other) if i.lower == lower),
            all(i.upper_closed for i in (self, other) if i.upper == upper),
        )

    def __add__(self, other: "Interval") -> "Interval":
        """Every sum of a value here and a value there."""
        return Interval(
            self.lower + other.lower,
            self.upper + other.upper,
            self.lower_closed and other.lower_closed,
            self.upper_closed and other.upper_closed,
        )

    def scaled(self, factor: Number) -> "Interval":
        """Every value times ``factor`` (not zero)."""
        k = exact(factor)
        ends = [(self.lower * k, self.lower_closed), (self.upper * k, self.upper_closed)]
        (lower, lower_closed), (upper, upper_closed) = ends if k > 0 else ends[::-1]
        return Interval(lower, upper, lower_closed, upper_closed)

    def integers(self, least: float = -math.inf, most: float = math.inf) -> range:
        """The whole numbers of the interval that are at least ``least`` and at most ``most``.

        Where the interval has no end, the limit on that side must be given.
        """
        low, high = least, most
        if self.lower > -math.inf:
            low = max(low, math.ceil(self.lower) if self.lower_closed else math.floor(self.lower) + 1)
        if self.upper < math.inf:
            high = min(high, math.floor(self.upper) if self.upper_closed else math.ceil(self.upper) - 1)
        return range(low, max(low, high + 1))


@dataclass(frozen=True)
class Printed:
    """A number as it was printed; which values print so is set by definition, in the rules of this module.

    ``text`` as given · ``relation`` "=", "<", ">", "<=", ">=" or "ns" · ``value`` exact, in the printed unit (58 for
    "58%"; None for "ns") · ``decimals`` of the last place printed (−3 for "2e3"; None where the value is exact, as in
    "half") · ``percent`` whether a per cent sign was printed.
    """

    text: str
    relation: str
    value: Fraction | None
    decimals: int | None
    percent: bool = False

    @classmethod
    def parse(cls, text: str) -> "Printed":
        """Read one printed number: digits or number words, with a relation, a label ("p = ") or a per cent sign.

        ValueError if ``text`` is not a string, or no number, or more than one.
        """
        if not isinstance(text, str):
            raise ValueError(f"{text!r}: a printed number is text, in quotes, for 2.50 is not 2.5")
        tidy = re.sub(r"\s+", " ", text.translate(_TYPOGRAPHY)).strip()
        if _NOT_SIGNIFICANT.fullmatch(tidy):
            return cls(text, "ns", None, None)
        match = _LABEL_AND_RELATION.match(tidy)
        relation = _RELATION_SIGNS[match["relation"]] if match else "="
        body = tidy[match.end() :].strip() if match else tidy
        bare = _PER_CENT.sub("", body)
        percent = bare != body
        found = _digits(bare) or _words(bare)
        if found is None:
            raise ValueError(_why_no_number(text, bare))
        return cls(text, relation, *found, percent)

    @property
    def unit(self) -> Fraction:
        """One in the last place printed (0 where the value is exact)."""
        return Fraction(0) if self.decimals is None else Fraction(10) ** -self.decimals

    def interval(self, rounding: str = "up_or_down", alpha: Number = Fraction(1, 20)) -> Interval:
        """The values that print so. ``alpha`` is the level above which "ns" was written; other figures ignore it.

        After ``<``, ``>``, ``<=``, ``>=`` the printed value is a bound, taken as exact: no rounding is applied.
        """
        check_rounding(rounding)
        match self.relation:
            case "<" | "<=":
                return Interval(-math.inf, self.value, True, self.relation == "<=")
            case ">" | ">=":
                return Interval(self.value, math.inf, self.relation == ">=", True)
            case "ns":
                return Interval(exact(alpha), math.inf, False, True)
        return _rounding_interval(self.value, self.unit, rounding)

    def prints(self, value: Number, rounding: str = "up_or_down") -> bool:
        """Would this exact ``value`` be printed so?"""
        return value in self.interval(rounding)


def _rounding_interval(value: Fraction, unit: Fraction, rounding: str) -> Interval:
    if not unit:
        return Interval(value, value)
    if rounding == "trunc":
        if not value:
            return Interval(-unit, unit, False, False)
        rounding = "floor" if value > 0 else "ceiling"
    if rounding == "floor":
        return Interval(value, value + unit, True, False)
    if rounding == "ceiling":
        return Interval(value - unit, value, False, True)
    is_even = (value / unit) % 2 == 0
    closed = {"up_or_down": (True, True), "up": (True, False), "down": (False, True), "even": (is_even, is_even)}
    return Interval(value - unit / 2, value + unit / 2, *closed[rounding])


def percentage(count: int, n: int) -> Fraction:
    """``count`` of ``n`` as an exact percentage, by definition. ValueError if ``n`` is not positive."""
    if n <= 0:
        raise ValueError(f"a percentage needs a denominator of at least 1, not {n}")
    return Fraction(100 * count, n)


def decimal_text(value: Fraction, decimals: int) -> str:
    """An exact ``value`` with ``decimals`` places, by definition. ValueError if it does not end there."""
    scaled = value * Fraction(10) ** decimals
    if scaled.denominator != 1:
        raise ValueError(f"{value} has more than {decimals} decimals")
    if decimals <= 0:
        return str(int(value))
    digits = str(abs(scaled.numerator)).rjust(decimals + 1, "0")
    return ("-" if scaled < 0 else "") + digits[:-decimals] + "." + digits[-decimals:]


def printings(value: Number, decimals: int, rounding: str = "up_or_down") -> tuple[str, ...]:
    """Every text that by definition ``value`` may be printed as with ``decimals`` places: two at a half under
    "up_or_down"."""
    check_rounding(rounding)
    unit = Fraction(10) ** -decimals
    below = math.floor(exact(value) / unit) * unit
    candidates = (below, below + unit)
    return tuple(decimal_text(v, decimals) for v in candidates if value in _rounding_interval(v, unit, rounding))


_TYPOGRAPHY = str.maketrans({"−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "·": ".", "∙": "."})
_RELATION_SIGNS = {
    "=": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "≤": "<=", "≥": ">=", "⩽": "<=", "⩾": ">=", "=<": "<=",
    "=>": ">=",
}  # fmt: skip
_LABEL_AND_RELATION = re.compile(r"(?:[A-Za-z][\w.() -]{0,30}?)?\s*(?P<relation><=|>=|=<|=>|[=<>≤≥⩽⩾])\s*")
_NOT_SIGNIFICANT = re.compile(
    r"(?:p\s*[=:]?\s*)?(?:n\.?\s?s\.?|not (?:statistically )?significant|non-?significant)", re.IGNORECASE
)
_PER_CENT = re.compile(r"\s*(?:%|per ?cent)$", re.IGNORECASE)
_DIGITS = re.compile(
    r"(?P<sign>[+-]?) ?(?P<whole>\d{1,3}(?:,\d{3})+|\d*)(?:\.(?P<part>\d*))?"
    r"(?:(?:[eE]| ?[x×*] ?10 ?\^? ?)\(?(?P<power>[+-]?\d{1,3})\)?)?"
)


def _digits(text: str) -> tuple[Fraction, int] | None:
    """The value and decimals of a number in digits, None if ``text`` is not one."""
    match = _DIGITS.fullmatch(text)
    if not match or not (match["whole"] or match["part"]):
        return None
    whole, part, power = match["whole"].replace(",", ""), match["part"] or "", int(match["power"] or 0)
    value = Fraction(int((whole + part) or 0)) / 10 ** len(part) * Fraction(10) ** power
    return (-value if match["sign"] == "-" else value), len(part) - power


_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_SMALL = {w: i for i, w in enumerate(_ONES)} | {w: 20 + 10 * i for i, w in enumerate(_TENS)}
_LARGE = {"hundred": 100, "thousand": 1000, "million": 10**6}
_ALONE = {w: Fraction(i) for i, w in enumerate(_ORDINALS, 1)} | {
    "none": Fraction(0), "no": Fraction(0), "once": Fraction(1), "single": Fraction(1), "twice": Fraction(2),
    "both": Fraction(2), "double": Fraction(2), "half": Fraction(1, 2), "halves": Fraction(1, 2),
    "quarter": Fraction(1, 4), "quarters": Fraction(1, 4), "tens": Fraction(10),
}  # fmt: skip
_ALONE |= {w + "s": Fraction(v) for w, v in _LARGE.items()} | {w[:-1] + "ies": Fraction(_SMALL[w]) for w in _TENS}


def _words(text: str) -> tuple[Fraction, int | None] | None:
    """The value and decimals of a number in words, None if ``text`` is not one."""
    words = re.sub(r"[-,]", " ", text.lower()).split()
    if len(words) == 1 and words[0] in _ALONE:
        value = _ALONE[words[0]]
        return value, (0 if value.denominator == 1 else None)
    value = _cardinal(words)
    return None if value is None else (Fraction(value), 0)


def _cardinal(words: list[str]) -> int | None:
    """The value of cardinal words: twenty-five, one hundred and six; None if they form no number."""
    if words[:1] == ["a"]:
        words = ["one", *words[1:]]
    total, group, previous = 0, 0, None
    for word in words:
        if word == "and":
            if previous not in _LARGE:
                return None
        elif word in _SMALL:
            tens_then_one = previous in _TENS and 0 < _SMALL[word] < 10
            if not (previous is None or previous in _LARGE or previous == "and" or tens_then_one):
                return None
            group += _SMALL[word]
        elif word == "hundred":
            if group > 99:
                return None
            group = (group or 1) * 100
        elif word in _LARGE:
            total += (group or 1) * _LARGE[word]
            group = 0
        else:
            return None
        previous = word
    return total + group if previous not in (None, "and") else None


def _why_no_number(text: str, bare: str) -> str:
    if not text.strip():
        return "an empty text is no printed number"
    if re.fullmatch(r"[+-]?nan", bare, re.IGNORECASE):
        return f"{text!r} is no printed number; leave the figure out instead"
    if re.fullmatch(r"[+-]?\d+,\d+", bare):
        return f"{text!r}: write decimals with a point (a comma only sets off thousands)"
    if len(re.findall(r"\d+(?:\.\d+)?", bare)) == 2:
        return f"{text!r} holds two numbers; give them one by one"
    return f"{text!r} is no printed number; give digits, number words or a relation such as '< 0.001'"
