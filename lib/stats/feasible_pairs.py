"""Feasible sets of two groups: what the log-rank p and the hazard ratio between them can be.

The pairs of a data set from each group's own feasible set; a p-value printed for the comparison picks among them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc

from lib.reported import Interval, Number
from lib.stats.feasible import DataSet, Extremes, FeasibleSet, extremes, generator, large, nudge, pushed
from lib.stats.survival_compare import log_rank

# entries of the working arrays of one batch of pairs
BATCH = 4_000_000


class PValues(NamedTuple):
    """Log-rank p over the pairs of two feasible sets.

    ``exact``: every pair was compared. Otherwise ``evaluated`` pairs were drawn, all with equal probability: ``low`` and
    ``high`` are then an inner range. ``share`` of the evaluated pairs print the p asked about (None if none was
    asked), with Monte Carlo standard error ``share_se`` (0 when exact); ``compatible`` counts them.
    """

    n_first: int
    n_second: int
    n_pairs: int
    exact: bool
    evaluated: int
    low: float
    high: float
    compatible: int | None
    share: float | None
    share_se: float | None


@dataclass(frozen=True)
class TwoGroups:
    """Two feasible sets on one grid of times. ValueError if the grids differ."""

    first: FeasibleSet
    second: FeasibleSet

    def __post_init__(self):
        if self.first.times != self.second.times:
            raise ValueError("both groups need the same grid of times")

    @property
    def n_pairs(self) -> int:
        return self.first.count() * self.second.count()

    def sample(self, k: int, rng: np.random.Generator | int) -> list[tuple[DataSet, DataSet]]:
        """``k`` pairs, each drawn with equal probability."""
        rng = np.random.default_rng(rng)
        return list(zip(self.first.sample(k, rng), self.second.sample(k, rng)))

    def log_rank_p(
        self,
        printed: Interval | None = None,
        limit: int = 5_000_000,
        draws: int = 20_000,
        rng: np.random.Generator | int | None = None,
    ) -> PValues:
        """The asymptotic log-rank p of every pair, and how many lie in ``printed``.

        Beyond ``limit`` pairs ``rng`` is needed and ``draws`` pairs are drawn. Where nothing can be compared (at no
        event are both groups at risk with someone left over) p counts as 1. ValueError if a set is empty.
        """
        a, b = self.first.count(), self.second.count()
        if not a * b:
            raise ValueError(f"no pair: the {'second' if a else 'first'} group's figures cannot hold together")
        is_exact = a * b <= limit
        if is_exact:
            batches = _all_pairs(self.first.arrays(a), self.second.arrays(b))
        else:
            rng = generator(rng, f"{large(a * b)} pairs", limit)
            batches = _drawn_pairs(_counts(self.first, draws, rng), _counts(self.second, draws, rng))
        p = np.concatenate([log_rank_p_values(*batch).ravel() for batch in batches])
        compatible = share = se = None
        if printed is not None:
            above = p >= printed.lower if printed.lower_closed else p > printed.lower
            compatible = int((above & (p <= printed.upper if printed.upper_closed else p < printed.upper)).sum())
            share = compatible / len(p)
            se = 0.0 if is_exact else sqrt(share * (1 - share) / len(p))
        return PValues(a, b, a * b, is_exact, len(p), float(p.min()), float(p.max()), compatible, share, se)

    def range_of(
        self,
        function: Callable[[DataSet, DataSet], Number | None],
        limit: int = 100_000,
        draws: int = 1_000,
        rng: np.random.Generator | int | None = None,
    ) -> Extremes:
        """Least and greatest value of ``function`` of a pair; exact up to ``limit`` pairs, beyond it (needs ``rng``)
        an inner range, as in :meth:`FeasibleSet.range_of`."""

        def of(pair: tuple[DataSet, DataSet]) -> Number | None:
            return function(*pair)

        if self.n_pairs <= limit:
            firsts, seconds = self.first.enumerate(limit), self.second.enumerate(limit)
            return extremes([(x, y) for x in firsts for y in seconds], of, True, "every pair")
        rng = generator(rng, f"{large(self.n_pairs)} pairs", limit)
        found = extremes(self.sample(draws, rng), of, False, "")

        def near(pair: tuple[DataSet, DataSet]) -> tuple[DataSet, DataSet] | None:
            which = int(rng.integers(2))
            changed = nudge((self.first, self.second)[which], pair[which], rng)
            return None if changed is None else (changed, pair[1]) if which == 0 else (pair[0], changed)

        return pushed(found, of, near, draws)


def compared(first: DataSet, second: DataSet):
    """The log-rank comparison of two data sets (effects: second against first)."""
    group = [0] * len(first.time) + [1] * len(second.time)
    return log_rank(first.time + second.time, first.event + second.event, group)


def log_rank_p_values(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Asymptotic two-sided p for groups given as counts (…, n_times, 2) of events and censorings, broadcast."""
    d1, d2 = first[..., 0], second[..., 0]
    r1, r2 = (np.cumsum(x.sum(axis=-1)[..., ::-1], axis=-1)[..., ::-1] for x in (first, second))
    d, r = d1 + d2, r1 + r2
    some = np.maximum(r, 1)
    difference = (d2 - d * r2 / some).sum(axis=-1)
    # a term is exactly zero where nothing is compared, so the variance is exactly zero only if all are
    variance = (d * r1 * r2 * (r - d) / (some * some * np.maximum(r - 1, 1))).sum(axis=-1)
    chi_squared = np.divide(difference**2, variance, out=np.zeros_like(variance), where=variance > 0)
    return chdtrc(1, chi_squared)


def _counts(feasible: FeasibleSet, k: int, rng: np.random.Generator) -> np.ndarray:
    place = {t: i for i, t in enumerate(feasible.times)}
    counts = np.zeros((k, len(feasible.times), 2), dtype=int)
    for row, data in zip(counts, feasible.sample(k, rng)):
        for t, e in zip(*data):
            row[place[t], 1 - e] += 1
    return counts


def _all_pairs(first: np.ndarray, second: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    rows = max(1, BATCH // (second.shape[0] * second.shape[1]))
    width = max(1, BATCH // second.shape[1])
    for i in range(0, len(first), rows):
        for j in range(0, len(second), width):
            yield first[i : i + rows, None], second[None, j : j + width]


def _drawn_pairs(first: np.ndarray, second: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    rows = max(1, BATCH // first.shape[1])
    for i in range(0, len(first), rows):
        yield first[i : i + rows], second[i : i + rows]
