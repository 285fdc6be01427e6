"""The summaries that papers print of survival times, as conditions on a data set: curve, counts, times, medians.

Each is turned into bounds for the search by definition: "the third smallest time lies from 4 to 6" is "at most two
times before 4, at least three up to 6".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, Protocol

from whichdata.given import check_count, given_interval
from whichdata.lattice import Bound, Constraint, FlatMiddle, MiddlePair, Window
from whichdata.printed import Interval, Number, Printed
from whichdata.survival import QUANTILE_CONVENTIONS, Time, exact_time

NOT_REACHED = "NR"
STATUSES = ("all", "events", "censored")
HALF = Fraction(1, 2)
MOST_PATIENTS = 2_000


class DataSet(NamedTuple):
    """One member: parallel times and flags (1 event, 0 censored), sorted, events first."""

    time: tuple[Fraction, ...]
    event: tuple[int, ...]


def reading(value: str | Number | Interval, rounding: str = "up_or_down") -> Interval:
    """The values a figure stands for, by definition: text as printed, numbers exactly, intervals as they are."""
    return value if isinstance(value, Interval) else given_interval(value, rounding)


class Grid:
    """``n`` patients, the times they can have, and, where a summary needs it, the number of events. What is asked of it
    is counted by definition."""

    def __init__(self, n: int, times: Sequence[Fraction], events: int | None = None):
        self.n, self.times, self.events = n, times, events

    def before(self, t: Fraction) -> int:
        """How many grid times lie before t."""
        return sum(x < t for x in self.times)

    def through(self, t: Fraction) -> int:
        """How many grid times are at most t."""
        return sum(x <= t for x in self.times)

    def around(self, values: Interval) -> tuple[int, int]:
        """How many grid times lie below ``values``, and how many below or inside."""
        low = sum(x < values.lower or (x == values.lower and not values.lower_closed) for x in self.times)
        high = sum(x < values.upper or (x == values.upper and values.upper_closed) for x in self.times)
        return low, high

    def size(self, of: str) -> int:
        """How many patients have the status."""
        return {"all": self.n, "events": self.events, "censored": self.n - (self.events or 0)}[of]

    def passed(self, of: str, position: int, low: int, high: int) -> Bound:
        """Between ``low`` and ``high`` patients with the status have a time within the first ``position`` columns."""
        if of == "all":
            return Bound(position, "at_risk", self.n - high, self.n - low)
        return Bound(position, of, low, high)

    def ordered(self, of: str, i: int, values: Interval) -> list[Constraint]:
        """The ``i``-th smallest time of those with the status lies in ``values``."""
        low, high = self.around(values)
        return [self.passed(of, low, 0, i - 1), self.passed(of, high, i, self.n)]


class Summary(Protocol):
    """What a paper printed, as bounds for the search; ``needs_total``: do they depend on the number of events?"""

    @property
    def needs_total(self) -> bool: ...

    def constraints(self, grid: Grid) -> list[Constraint]: ...


@dataclass(frozen=True)
class SurvivalAt:
    """The Kaplan–Meier value at ``time``, events at that time included [KaplanMeier1958]; ``unit`` "percent" or
    "proportion". ValueError for another unit, or a value printed outside 0 to 100 percent."""

    time: Time
    printed: str | Number | Interval
    unit: str = "percent"
    rounding: str = "up_or_down"
    needs_total = False

    def __post_init__(self):
        if self.unit not in ("percent", "proportion"):
            raise ValueError(f"survival is given in percent or as a proportion, not {self.unit!r}")
        values = self.values
        if isinstance(self.printed, (str, int, float, Fraction)) and (values.lower > 1 or values.upper < 0):
            raise ValueError(f"survival of {self.printed} {self.unit} is outside 0 to 100 percent")

    @property
    def values(self) -> Interval:
        per_cent = self.unit == "percent" or (isinstance(self.printed, str) and Printed.parse(self.printed).percent)
        return reading(self.printed, self.rounding).scaled(Fraction(1, 100) if per_cent else 1)

    def constraints(self, grid: Grid) -> list[Constraint]:
        return [Window(grid.through(exact_time(self.time)), self.values)]


@dataclass(frozen=True)
class AtRisk:
    """The number at risk at ``time``, by definition of patients with that time or a later one."""

    time: Time
    count: int
    needs_total = False

    def constraints(self, grid: Grid) -> list[Constraint]:
        check_count("the number at risk", self.count, most=grid.n)
        return [Bound(grid.before(exact_time(self.time)), "at_risk", self.count, self.count)]


@dataclass(frozen=True)
class Events:
    """The number of events from ``low`` to ``high`` (``high`` None: exactly ``low``), by definition up to and including
    ``by`` (None: in all)."""

    low: int
    high: int | None = None
    by: Time | None = None
    needs_total = False

    def constraints(self, grid: Grid) -> list[Constraint]:
        high = self.low if self.high is None else self.high
        check_count("the number of events", self.low, most=grid.n)
        position = len(grid.times) if self.by is None else grid.through(exact_time(self.by))
        return [Bound(position, "events", self.low, high)]


@dataclass(frozen=True)
class EventTimes:
    """All events, each time as printed or exact; by definition there are no others."""

    times: tuple[str | Number, ...]
    rounding: str = "up_or_down"
    needs_total = False

    @property
    def values(self) -> list[Interval]:
        return sorted((reading(t, self.rounding) for t in self.times), key=lambda v: (v.lower, v.upper))

    def constraints(self, grid: Grid) -> list[Constraint]:
        count = len(self.times)
        check_count("the number of event times", count, most=grid.n)
        bounds = [b for i, v in enumerate(self.values, 1) for b in grid.ordered("events", i, v)]
        return [*bounds, Bound(len(grid.times), "events", count, count)]


@dataclass(frozen=True)
class NoCensoring:
    """Nobody is censored, or nobody with a time before ``before``, by definition not at it."""

    before: Time | None = None
    needs_total = False

    def constraints(self, grid: Grid) -> list[Constraint]:
        position = len(grid.times) if self.before is None else grid.before(exact_time(self.before))
        return [Bound(position, "censored", 0, 0)]


@dataclass(frozen=True)
class KMMedian:
    """The Kaplan–Meier median (or the time at which survival reaches ``level``), or "NR" for not reached.

    ``convention``: ``le``, ``lt`` or ``midpoint`` by definition as in :meth:`whichdata.survival.KaplanMeier.quantile`.
    ValueError for another.
    """

    printed: str | Number | Interval
    convention: str = "le"
    level: Fraction = HALF
    rounding: str = "up_or_down"
    needs_total = False

    def __post_init__(self):
        if self.convention not in QUANTILE_CONVENTIONS:
            raise ValueError(
                f"no median convention named {self.convention!r}; known: {', '.join(QUANTILE_CONVENTIONS)}"
            )

    def constraints(self, grid: Grid) -> list[Constraint]:
        if self.printed == NOT_REACHED:
            return [Window(len(grid.times), _above(self.level, self.convention == "lt"))]
        values = reading(self.printed, self.rounding)
        low, high = grid.around(values)
        windows = [
            Window(low, _above(self.level, self.convention != "le")),
            Window(high, _upto(self.level, self.convention != "lt")),
        ]
        return [*windows, FlatMiddle(self.level, values)] if self.convention == "midpoint" else windows


@dataclass(frozen=True)
class Range:
    """The smallest and largest time of all patients, those with an event, or those censored (by definition
    an empty group has neither); either may be None. ValueError for another status."""

    of: str
    lowest: str | Number | Interval | None = None
    highest: str | Number | Interval | None = None
    rounding: str = "up_or_down"

    def __post_init__(self):
        _check_status(self.of)

    @property
    def needs_total(self) -> bool:
        return self.of != "all"

    def constraints(self, grid: Grid) -> list[Constraint]:
        size = grid.size(self.of)
        ends = [(1, self.lowest), (size, self.highest)]
        if not size:
            return [_NEVER]
        return [b for i, v in ends if v is not None for b in grid.ordered(self.of, i, reading(v, self.rounding))]


@dataclass(frozen=True)
class Within:
    """Every time of all patients, those with an event, or those censored lies from ``earliest`` to ``latest``,
    by definition both included. ValueError for another status."""

    of: str
    earliest: Time | None = None
    latest: Time | None = None

    def __post_init__(self):
        _check_status(self.of)

    @property
    def needs_total(self) -> bool:
        return self.of != "all" and self.latest is not None

    def constraints(self, grid: Grid) -> list[Constraint]:
        bounds = []
        if self.earliest is not None:
            bounds.append(grid.passed(self.of, grid.before(exact_time(self.earliest)), 0, 0))
        if self.latest is not None:
            size = grid.size(self.of)
            bounds.append(grid.passed(self.of, grid.through(exact_time(self.latest)), size, size))
        return bounds


@dataclass(frozen=True)
class Median:
    """The plain median of the times of all patients, those with an event, or those censored.

    ``convention`` for an even number, by definition: the ``average`` of the middle two, or the ``low`` or ``high`` one.
    ValueError for another, or another status.
    """

    of: str
    printed: str | Number | Interval
    convention: str = "average"
    rounding: str = "up_or_down"

    def __post_init__(self):
        _check_status(self.of)
        if self.convention not in ("average", "low", "high"):
            raise ValueError(f"no convention named {self.convention!r}; known: average, low, high")

    @property
    def needs_total(self) -> bool:
        return self.of != "all"

    def constraints(self, grid: Grid) -> list[Constraint]:
        size, values = grid.size(self.of), reading(self.printed, self.rounding)
        if not size:
            return [_NEVER]
        low, high = (size + 1) // 2, size // 2 + 1
        if low == high or self.convention != "average":
            return grid.ordered(self.of, high if self.convention == "high" else low, values)
        below, through = grid.around(values)
        return [
            grid.passed(self.of, through, low, grid.n),
            grid.passed(self.of, below, 0, low),
            MiddlePair("at_risk" if self.of == "all" else self.of, low, values),
        ]


# a bound nobody meets: before the first column somebody has already left
_NEVER = Bound(0, "at_risk", 0, 0)


def _above(level: Fraction, closed: bool = True) -> Interval:
    return Interval(level, math.inf, closed, True)


def _upto(level: Fraction, closed: bool = True) -> Interval:
    return Interval(-math.inf, level, True, closed)


def _check_status(of: str) -> None:
    if of not in STATUSES:
        raise ValueError(f"times are those of {', '.join(STATUSES)}, not of {of!r}")
