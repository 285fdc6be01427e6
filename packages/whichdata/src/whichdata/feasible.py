"""Feasible sets: every data set of one group that could have printed the given summaries.

A data set is a multiset of (time, status) on a grid of times. A figure given as text is what was printed and stands
for all values that print so under its rounding rule; a figure given as a number is exact. The set says whether it is
empty (and which summaries clash), how large it is, and what else its members could have printed.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np

from whichdata.given import check_count
from whichdata.lattice import Bound, Lattice, choose, large
from whichdata.printed import Interval
from whichdata.summaries import MOST_PATIENTS, AtRisk, DataSet, Grid, Summary, SurvivalAt
from whichdata.survival import Time, exact_time, kaplan_meier


class Clash(NamedTuple):
    """Names of summaries that cannot hold together. Without any one of them the rest can; ``smallest`` says that no
    smaller set clashes (else only that this one cannot be thinned)."""

    names: tuple[str, ...]
    smallest: bool


class FeasibleSet:
    """All data sets of ``n`` patients on a grid of ``times`` that print every one of the ``summaries``.

    ``summaries`` is a mapping from names (as they should appear in a clash) to summaries. ValueError for an n below 1,
    an empty grid, or a search that is too large. How the sets are counted stands in :mod:`whichdata.lattice`;
    the answers are derived here from counts of narrowed sets.
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
        for (t, a), (u, b) in pairwise(rows):
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

    def sample(self, k: int, rng: np.random.Generator | int) -> list[DataSet]:
        """``k`` data sets, each drawn with equal probability from the set. ValueError if it is empty."""
        return [self._data(x) for x in self.sample_arrays(k, rng)]

    def sample_arrays(self, k: int, rng: np.random.Generator | int) -> np.ndarray:
        """The same as counts: (k, n_times, 2) of events and censorings at each time of the grid."""
        if not self.count():
            raise ValueError("the set is empty: no data set prints these summaries (see clash)")
        rng = np.random.default_rng(rng)
        chosen = [choose(self._counts, rng) for _ in range(k)]
        drawn = {i: iter(self._lattices[i].sample(chosen.count(i), rng)) for i in set(chosen)}
        return np.array([next(drawn[i]) for i in chosen]).reshape(k, len(self.times), 2)

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
            size = f"{'about ' if total >= 10**9 else ''}{large(total)}"
            raise ValueError(
                f"the set holds {size} data sets, more than the limit of {limit:,}; narrow it with further "
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

    def _any_member(self) -> DataSet | None:
        """Some data set, found without counting; not a typical one."""
        return next((self._data(x) for lattice in self._lattices for x in lattice.paths()), None)

    def _member(self) -> DataSet:
        data = self._any_member()
        if data is None:
            raise ValueError("the set is empty: no data set prints these summaries (see clash)")
        return data


def curve_can_be(n: int, values: Interval, censoring: bool) -> bool:
    """Can a Kaplan–Meier value of ``n`` patients lie in ``values``, whatever the times?

    Derived here: without censoring it is a count over n. With censoring it is a product of steps (m − 1)/m over any
    ranks m up to n: large steps are taken first while the product stays above the interval's lower end; where that
    misses, every product is looked at. ValueError if n is below 1 or the products are too many.
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
