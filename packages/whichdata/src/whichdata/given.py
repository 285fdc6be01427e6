"""What callers give, read and refused in one place: counts, numbers, lists, printed texts.

Every reader takes a name for its message and raises ``ValueError`` with one line that says what to give instead. They
compute nothing: what a value stands for is so by definition.
"""

import math
from fractions import Fraction
from itertools import pairwise
from numbers import Real

from whichdata.printed import Interval, Number, Printed, exact


def given_interval(value: Number | str, rounding: str = "up_or_down") -> Interval:
    """A printed text as the interval it stands for by definition, a plain number as itself alone.

    A float is read as the decimal it prints as, so that 0.1 is a tenth.
    """
    if isinstance(value, str):
        return Printed.parse(value).interval(rounding)
    number = exact(value)
    if isinstance(number, float):
        raise ValueError(f"{value!r} is not finite; leave the figure out instead")
    if isinstance(value, float):
        number = Fraction(str(float(value)))
    return Interval(number, number)


PROBABILITIES = Interval(Fraction(0), Fraction(1))
MOST_OUTCOMES = 30_000_000  # tables looked at in one search
MOST_COUNTS = 1_000_000
MOST_PATIENTS = 10_000_000


def check_count(name: str, value, least: int = 0, most: int | None = None) -> int:
    """``value`` as a whole number from ``least`` to ``most``. ValueError naming ``name`` otherwise."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError(f"{name} is {value!r}: give a whole number")
    if not math.isfinite(value) or value != int(value):
        raise ValueError(f"{name} is {value}: give a whole number")
    count = int(value)
    if count < least:
        raise ValueError(f"{name} is {count}: it must be at least {least}")
    if most is not None and count > most:
        raise ValueError(f"{name} is {count}: it must be at most {most}")
    return count


def check_list(name: str, value) -> list:
    """``value`` as a list. ValueError naming ``name`` if it is a text, a number, or nothing."""
    if isinstance(value, (str, dict)) or not hasattr(value, "__len__"):
        raise ValueError(f"{name} is {value!r}: give a list")
    return list(value)


def check_group(count, n, most: int = MOST_PATIENTS) -> tuple[int, int]:
    """A count among ``n`` patients: 0 ≤ count ≤ n and 1 ≤ n ≤ ``most``, or ValueError."""
    n = check_count("n", n, least=1, most=most)
    count = check_count("count", count)
    if count > n:
        raise ValueError(f"a count of {count} among {n}: there are more events than patients")
    return count, n


def read_percentage(text: str | Printed) -> Printed:
    """A printed percentage of a whole: 0 to 100. ValueError outside."""
    printed = text if isinstance(text, Printed) else Printed.parse(text)
    if printed.value is None:
        raise ValueError(f"{printed.text!r} is no percentage")
    if not 0 <= printed.value <= 100:
        raise ValueError(f"a percentage of {printed.text} is outside 0 to 100; is it a ratio or a change?")
    return printed


def read_share(text: str | Printed, rounding: str = "up_or_down") -> Interval:
    """The proportions from 0 to 1 that by definition print as the percentage ``text`` (empty if none does).

    ValueError as :func:`read_percentage`.
    """
    return read_percentage(text).interval(rounding).scaled(Fraction(1, 100)).intersection(PROBABILITIES)


def check_alpha(alpha) -> float:
    """A significance level between 0 and 1, or ValueError."""
    if isinstance(alpha, bool) or not isinstance(alpha, Real) or not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha!r}: give a number between 0 and 1")
    return float(alpha)


def check_number(name: str, value, least=-math.inf, most=math.inf, above=-math.inf, below=math.inf) -> float:
    """``value`` as a finite float within the bounds given. ValueError naming ``name`` otherwise (text and NaN too)."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError(f"{name} is {value!r}: give a number")
    x = float(value)
    if not math.isfinite(x):
        raise ValueError(f"{name} is {x:g}: give a finite number, or leave it out")
    if not (least <= x <= most and above < x < below):
        bounds = {"at least": least, "above": above, "at most": most, "below": below}
        limits = " and ".join(f"{word} {bound:g}" for word, bound in bounds.items() if math.isfinite(bound))
        raise ValueError(f"{name} is {x:g}: it must be {limits}")
    return x


def check_pair(name: str, value) -> list:
    """``value`` as a list of two. ValueError naming ``name`` otherwise."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise ValueError(f"{name} is [lower, upper], not {value!r}")
    return list(value)


def check_rising(rounding: str = "up_or_down", **values: Number | str) -> list[Interval]:
    """``values`` by name as :func:`given_interval` reads them. ValueError if one lies wholly above the next."""
    intervals = [given_interval(value, rounding) for value in values.values()]
    for ((name, value), interval), ((above, higher), bound) in pairwise(zip(values.items(), intervals, strict=True)):
        if interval.lower > bound.upper:
            raise ValueError(f"the {name} {value} is above the {above} {higher}")
    return intervals


def check_choice(name: str, value, known: tuple) -> None:
    """ValueError if ``value`` is not one of ``known``."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"no {name} named {value!r}; known: {', '.join(known)}")


def read_value(name: str, text: str | Printed) -> Printed:
    """A printed value that is no bound, or ValueError."""
    printed = text if isinstance(text, Printed) else Printed.parse(text)
    if printed.relation != "=":
        raise ValueError(f"the {name} {printed.text!r} is a bound, not a value; give the printed number")
    return printed


def read_number(value: Number | str) -> Printed:
    """A value that may be a printed text or a plain number, but no bound; or ValueError."""
    if not isinstance(value, str):
        check_number("a value", value)
    return read_value("value", str(value))
