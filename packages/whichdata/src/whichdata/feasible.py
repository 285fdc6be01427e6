"""Feasible sets: every data set of one group that could have printed the given summaries.

A data set is a multiset of (time, status) on a grid of times. A figure given as text is what was printed and stands
for all values that print so under its rounding rule; a figure given as a number is exact. The set says whether it is
empty (and which summaries clash), how large it is, and what else its members could have printed.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

import numpy as np

from whichdata.given import check_count
from whichdata.lattice import Bound, Lattice, choose, large
from whichdata.printed import Interval, Number
from whichdata.summaries import (
    HALF,
    MOST_PATIENTS,
    NOT_REACHED,
    AtRisk,
    DataSet,
    Grid,
    Summary,
    SurvivalAt,
    _above,
    _upto,
)
from whichdata.survival import Time, exact_time, kaplan_meier


class Clash(NamedTuple):
    """Names of summaries that cannot hold together. Without any one of them the rest can; ``smallest`` says that no
    smaller set clashes (else only that this one cannot be thinned)."""

    names: tuple[str, ...]
    smallest: bool


class Extremes(NamedTuple):
    """Least and greatest value over a set, with members that give them.

    ``exact``: every member was looked at. Else ``how`` says what was done: the true range is at least this wide.
    ``evaluated`` members were looked at, ``undefined`` of them had no value.
    """

    low: float
    high: float
    exact: bool
    how: str
    evaluated: int
    undefined: int
    low_witness: object
    high_witness: object


class FeasibleSet:
    """All data sets of ``n`` patients on a grid of ``times`` that print every one of the ``summaries``.

    ``summaries`` is a mapping from names (as they should appear in a clash) to summaries. ValueError for an n below 1,
    an empty grid, or a search that is too large.
    """

    def __init__(self, n: int, times: Iterable[Time], summaries: Mapping[str, Summary]):
        self.n, self.summaries = check_count("the number of patients", n, least=1), dict(summaries)
        self.times = sorted({exact_time(t) for t in times})
        if not self.times:
            raise ValueError("the grid has no times")
        if self.n > MOST_PATIENTS:
            raise ValueError(f"{self.n:,} patients are more than the {MOST_PATIENTS:,} that can be searched exactly")
        self._check_at_risk()

    def _check_at_risk(self) -> None:
        rows = sorted((exact_time(s.time), s.count) for s in self.summaries.values() if isinstance(s, AtRisk))
        for (t, a), (u, b) in zip(rows, rows[1:]):
            if b > a:
                raise ValueError(f"numbers at risk never rise, but {a} at {t} becomes {b} at {u}")

    @cached_property
    def _lattices(self) -> list[Lattice]:
        return self._build()

    def _build(self, track_events: bool = False, split: Sequence[int] = ()) -> list[Lattice]:
        """One search, or one for each number of events where a summary counts from the end."""
        summaries = list(self.summaries.values())
        totals: Iterable[int | None] = [None]
        if any(s.needs_total for s in summaries):
            totals = range(self.n + 1)
            fixed = [b for s in summaries if not s.needs_total for b in s.constraints(Grid(self.n, self.times))]
            for b in fixed:
                if isinstance(b, Bound) and b.quantity == "events":
                    last = b.position == len(self.times)
                    totals = [e for e in totals if b.low <= e and (e <= b.high or not last)]
        lattices = []
        for total in totals:
            grid = Grid(self.n, self.times, total)
            constraints = [c for s in summaries for c in s.constraints(grid)]
            if total is not None:
                constraints.append(Bound(len(self.times), "events", total, total))
            lattice = Lattice(self.n, self.times, constraints, track_events, split)
            if lattice.possible:
                lattices.append(lattice)
        return lattices

    def adding(self, **summaries: Summary) -> "FeasibleSet":
        """The set with further summaries."""
        return FeasibleSet(self.n, self.times, {**self.summaries, **summaries})

    def only(self, names: Iterable[str]) -> "FeasibleSet":
        """The set under some of its summaries."""
        return FeasibleSet(self.n, self.times, {name: self.summaries[name] for name in names})

    @cached_property
    def _counts(self) -> list[int]:
        return [lattice.count() for lattice in self._lattices]

    def count(self) -> int:
        """How many data sets."""
        return sum(self._counts)

    @cached_property
    def is_empty(self) -> bool:
        """No data set prints all the summaries."""
        return not any(lattice.any() for lattice in self._lattices)

    def counts_by(self, quantity: str, time: Time | None = None) -> dict[int, int]:
        """How many data sets have each number of patients ``at_risk`` at ``time`` (time ≥ it), or of ``events`` or
        ``censored`` up to and including it (None: in all)."""
        if quantity not in ("at_risk", "events", "censored"):
            raise ValueError(f"counted are at_risk, events or censored, not {quantity!r}")
        grid, t = Grid(self.n, self.times), None if time is None else exact_time(time)
        position = len(self.times) if t is None else grid.before(t) if quantity == "at_risk" else grid.through(t)
        if position == 0:
            total = self.count()
            return {self.n if quantity == "at_risk" else 0: total} if total else {}
        counts: dict[int, int] = {}
        for lattice in self._build(quantity != "at_risk", (position,)):
            for value, count in lattice.counts_by(quantity, position).items():
                counts[value] = counts.get(value, 0) + count
        return dict(sorted(counts.items()))

    def by_events(self) -> dict[int, int]:
        """How many data sets have each number of events."""
        return self.counts_by("events")

    def contains(self, data: DataSet) -> bool:
        """Does this data set belong to the set? Looked up summary by summary, without the search."""
        return (
            len(data.time) == self.n
            and set(data.time) <= set(self.times)
            and all(s.holds(data) for s in self.summaries.values())
        )

    def sample(self, k: int, rng: np.random.Generator | int) -> list[DataSet]:
        """``k`` data sets, each drawn with equal probability from the set. ValueError if it is empty."""
        if not self.count():
            raise ValueError("the set is empty: no data set prints these summaries (see clash)")
        rng = np.random.default_rng(rng)
        chosen = [choose(self._counts, rng) for _ in range(k)]
        drawn = {i: iter(self._lattices[i].sample(chosen.count(i), rng)) for i in set(chosen)}
        return [self._data(next(drawn[i])) for i in chosen]

    def witness(self) -> DataSet | None:
        """One data set, always the same; None if there is none."""
        return self.sample(1, 0)[0] if self.count() else None

    def enumerate(self, limit: int = 100_000) -> list[DataSet]:
        """Every data set. ValueError, before it starts, if they are more than ``limit``."""
        return [self._data(x) for x in self.arrays(limit)]

    def arrays(self, limit: int = 100_000) -> np.ndarray:
        """Every data set as counts: (count, n_times, 2) of events and censorings at each time of the grid."""
        total = self.count()
        if total > limit:
            raise ValueError(
                f"the set holds {about(total)} data sets, more than the limit of {limit:,}; narrow it with further "
                "figures (events, numbers at risk, ranges, a coarser grid), or draw from it with sample"
            )
        found = [x for lattice in self._lattices for x in lattice.paths()]
        return np.array(found, dtype=int).reshape(-1, len(self.times), 2)

    def _data(self, columns: np.ndarray) -> DataSet:
        time, event = [], []
        for t, (d, c) in zip(self.times, columns.tolist()):
            time += [t] * (d + c)
            event += [1] * d + [0] * c
        return DataSet(tuple(time), tuple(event))

    def clash(self) -> Clash | None:
        """A smallest set of summaries that cannot hold together; None if all can.

        Found by leaving out one summary after another; then all smaller sets are tried while they are at most 500.
        """
        if not self.is_empty:
            return None
        names = list(self.summaries)
        for name in list(names):
            rest = [other for other in names if other != name]
            if self.only(rest).is_empty:
                names = rest
        sizes = [math.comb(len(self.summaries), k) for k in range(1, len(names))]
        for k in range(1, len(names)):
            if sum(sizes[:k]) > 500:
                return Clash(tuple(names), False)
            for some in combinations(self.summaries, k):
                if self.only(some).is_empty:
                    return Clash(some, True)
        return Clash(tuple(names), True)

    def survival_range(self, time: Time) -> tuple[Fraction, Fraction]:
        """Least and greatest Kaplan–Meier value at ``time`` over the set, both attained."""
        return self._lowest_survival(time, 1), self._lowest_survival(time, -1)

    def _lowest_survival(self, time: Time, sign: int) -> Fraction:
        """The extreme value towards 0 (``sign`` 1) or 1 (−1), by halving: each try either finds a better member or
        shows that none lies in that half."""
        best = kaplan_meier(*self._member()).at(time)
        barren = Fraction(0) if sign > 0 else Fraction(1)
        while best != barren:
            middle = (best + barren) / 2
            if abs(best - barren) < Fraction(1, 1000):
                beyond = Interval(Fraction(0), best, True, False) if sign > 0 else Interval(best, Fraction(1), False)
            else:
                beyond = Interval(Fraction(0), middle) if sign > 0 else Interval(middle, Fraction(1))
            data = self.adding(_beyond=SurvivalAt(time, beyond, "proportion"))._any_member()
            if data is not None:
                best = kaplan_meier(*data).at(time)
            elif abs(best - barren) < Fraction(1, 1000):
                break
            else:
                barren = middle
        return best

    def quantile_range(self, level: Fraction = HALF, convention: str = "le") -> tuple[Fraction | str, Fraction | str]:
        """Earliest and latest time at which survival reaches ``level`` (``le``: is at most, ``lt``: is below) over the
        set; "NR" for not reached, which counts as latest."""
        self._member()
        reached, not_yet = (
            (_upto(level, True), _above(level, False)) if convention == "le" else (_upto(level, False), _above(level))
        )

        def possible(position: int, values: Interval) -> bool:
            return not self.adding(_then=SurvivalAt(self.times[position], values, "proportion")).is_empty

        earliest = _first(len(self.times), lambda i: possible(i, reached))
        still = _first(len(self.times), lambda i: not possible(i, not_yet))
        return tuple(self.times[i] if i < len(self.times) else NOT_REACHED for i in (earliest, still))

    def _any_member(self) -> DataSet | None:
        """Some data set, found without counting; not a typical one."""
        return next((self._data(x) for lattice in self._lattices for x in lattice.paths()), None)

    def _member(self) -> DataSet:
        data = self._any_member()
        if data is None:
            raise ValueError("the set is empty: no data set prints these summaries (see clash)")
        return data

    def range_of(
        self,
        function: Callable[[DataSet], Number | None],
        limit: int = 100_000,
        draws: int = 1_000,
        rng: np.random.Generator | int | None = None,
    ) -> Extremes:
        """Least and greatest value of ``function`` (None: undefined) over the set.

        Exact by listing up to ``limit`` members. A larger set needs ``rng``: ``draws`` members are drawn and the best
        improved by small changes that stay in the set; then the range found is an inner one.
        """
        if self.count() <= limit:
            return extremes(self.enumerate(limit), function, True, "every member")
        rng = generator(rng, f"{about(self.count())} data sets", limit)
        found = extremes(self.sample(draws, rng), function, False, "")
        return pushed(found, function, lambda x: nudge(self, x, rng), draws)


def curve_can_be(n: int, values: Interval, censoring: bool) -> bool:
    """Can a Kaplan–Meier value of ``n`` patients lie in ``values``, whatever the times?

    Without censoring it is a count over n. With censoring it is a product of steps (m − 1)/m over any ranks m up to n:
    large steps are taken first while the product stays above the interval's lower end; where that misses, every
    product is looked at. ValueError if n is below 1 or the products are too many.
    """
    n = check_count("the number of patients", n, least=1)
    if not censoring:
        scaled = values.scaled(n)
        return len(scaled.integers(0, n)) > 0
    product = Fraction(1)
    for m in range(1, n + 1):
        after = product * Fraction(m - 1, m)
        product = after if after in values or after > values.lower else product
    return (
        product in values
        or not FeasibleSet(n, range(1, n + 1), {"value": SurvivalAt(n, values, "proportion")}).is_empty
    )


def nudge(feasible: FeasibleSet, data: DataSet, rng: np.random.Generator) -> DataSet | None:
    """A random member near ``data``: one or two patients with another time or status. None if it is no member."""
    rows = list(zip(*data))
    for i in rng.permutation(len(rows))[: rng.integers(1, 3)]:
        t, e = rows[i]
        place = feasible.times.index(t) + int(rng.integers(-3, 4))
        t = feasible.times[min(max(place, 0), len(feasible.times) - 1)]
        rows[i] = (t, e if rng.random() < 0.7 else 1 - e)
    rows.sort(key=lambda row: (row[0], -row[1]))
    near = DataSet(*map(tuple, zip(*rows)))
    return near if feasible.contains(near) else None


def extremes(members: Sequence, function: Callable, is_exact: bool, how: str) -> Extremes:
    values = [(v, x) for x in members if (v := function(x)) is not None]
    if not values:
        raise ValueError("the function has no value on any member" if members else "the set is empty (see clash)")
    low, high = min(values, key=lambda v: v[0]), max(values, key=lambda v: v[0])
    return Extremes(low[0], high[0], is_exact, how, len(members), len(members) - len(values), low[1], high[1])


def pushed(found: Extremes, function: Callable, neighbour: Callable, tries: int) -> Extremes:
    """Both ends of ``found`` pushed outwards by ``tries`` small changes each."""
    ends, undefined, evaluated = [], found.undefined, found.evaluated
    for sign, value, member in ((1, found.low, found.low_witness), (-1, found.high, found.high_witness)):
        for _ in range(tries):
            near = neighbour(member)
            if near is None:
                continue
            v = function(near)
            evaluated += 1
            undefined += v is None
            # ties are taken, so that the walk does not stop on a plateau
            if v is not None and sign * v <= sign * value:
                value, member = v, near
        ends.append((value, member))
    how = f"{found.evaluated} uniform draws, then {tries} small changes from each end: at least this wide"
    return found._replace(
        low=ends[0][0],
        high=ends[1][0],
        low_witness=ends[0][1],
        high_witness=ends[1][1],
        how=how,
        evaluated=evaluated,
        undefined=undefined,
    )


def generator(rng: np.random.Generator | int | None, size: str, limit: int) -> np.random.Generator:
    if rng is None:
        raise ValueError(
            f"{size} are more than the limit of {limit:,} to look at one by one; narrow the set with further figures "
            "or give a seed to search it by drawing"
        )
    return np.random.default_rng(rng)


def _first(size: int, holds: Callable[[int], bool]) -> int:
    """The first index at which a condition that stays true once true holds; ``size`` if none."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def about(count: int) -> str:
    return large(count) if count < 10**9 else f"about {large(count)}"
