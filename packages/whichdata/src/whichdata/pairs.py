"""Feasible sets of two groups: what the log-rank p and the hazard ratio between them can be.

The pairs of a data set from each group's own feasible set; a p-value printed for the comparison picks among them.
The log-rank stands here once more than in ``compare``, whose exact fractions would take hours over millions of pairs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

import numpy as np
from scipy.special import erfc

from whichdata.compare import log_rank
from whichdata.feasible import FeasibleSet
from whichdata.printed import Interval
from whichdata.summaries import DataSet

BATCH = 400_000  # pairs compared at once
MOST_LISTED = 200_000  # data sets of one group that are listed


class PValues(NamedTuple):
    """Log-rank p over the pairs of two feasible sets.

    ``exact``: every pair was compared. Otherwise ``evaluated`` pairs were drawn, all with equal probability: ``low``
    and ``high`` are then an inner range. ``share`` of the evaluated pairs print the p asked about (None if none was
    asked), with Monte Carlo standard error ``share_se`` (0 when exact); ``compatible`` counts them.
    """

    exact: bool
    evaluated: int
    low: float
    high: float
    compatible: int | None
    share: float | None
    share_se: float | None


@dataclass(frozen=True)
class TwoGroups:
    """Two feasible sets on one grid of times; the pairs are, by definition, all of one with all of the other.
    ValueError if the grids differ."""

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
        limit: int = 20_000_000,
        draws: int = 20_000,
        rng: np.random.Generator | int = 0,
    ) -> PValues:
        """The asymptotic log-rank p [Mantel1966] of every pair, and how many lie in ``printed``.

        Beyond ``limit`` pairs (or 200,000 data sets of one group) ``draws`` pairs are drawn with ``rng``.
        Where nothing can be compared (at no event are both groups at risk with someone left over) p counts as 1.
        ValueError if a set is empty.
        """
        a, b = self.first.count(), self.second.count()
        if not a * b:
            raise ValueError(f"no pair: the {'second' if a else 'first'} group's figures cannot hold together")
        is_exact = a * b <= limit and max(a, b) <= MOST_LISTED
        if is_exact:
            batches = _all_pairs(self.first.arrays(a), self.second.arrays(b))
        else:
            rng = np.random.default_rng(rng)
            batches = [chi_squared(self.first.sample_arrays(draws, rng), self.second.sample_arrays(draws, rng))]
        evaluated, least, most, compatible = 0, np.inf, 0.0, 0
        for batch in batches:
            evaluated += batch.size
            least, most = min(least, batch.min()), max(most, batch.max())
            if printed is not None:
                p = _p(batch)
                above = p >= float(printed.lower) if printed.lower_closed else p > float(printed.lower)
                below = p <= float(printed.upper) if printed.upper_closed else p < float(printed.upper)
                compatible += int((above & below).sum())
        low, high = (float(_p(x)) for x in (most, least))
        if printed is None:
            return PValues(is_exact, evaluated, low, high, None, None, None)
        share = compatible / evaluated
        se = 0.0 if is_exact else sqrt(share * (1 - share) / evaluated)
        return PValues(is_exact, evaluated, low, high, compatible, share, se)


def compared(first: DataSet, second: DataSet):
    """The log-rank comparison [Mantel1966] of two data sets, exact (effects: second against first)."""
    group = [0] * len(first.time) + [1] * len(second.time)
    return log_rank(first.time + second.time, first.event + second.event, group)


def chi_squared(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Log-rank chi-squared [Mantel1966], row against row: (rows,) from groups given as counts (rows, n_times, 2) of
    events and censorings."""
    terms = _terms(first[..., 0], _at_risk(first), second[..., 0], _at_risk(second))
    return _ratio(*(term.sum(axis=-1) for term in terms))


def _all_pairs(first: np.ndarray, second: np.ndarray) -> Iterator[np.ndarray]:
    """:func:`chi_squared` of every row of the first with every row of the second, in batches.

    At one time a group is its events and number at risk, of which there are few: their terms are looked up.
    """
    groups = [np.stack([x[..., 0], _at_risk(x)], axis=-1) for x in (first, second)]
    looked_up = []
    for t in np.flatnonzero(first[..., 0].any(axis=0) | second[..., 0].any(axis=0)):
        (u, i), (v, j) = (np.unique(g[:, t], axis=0, return_inverse=True) for g in groups)
        tables = _terms(u[:, None, 0], u[:, None, 1], v[None, :, 0], v[None, :, 1])
        looked_up.append((i.reshape(-1), j.reshape(-1), tables))
    rows = max(1, BATCH // len(second))
    for begin in range(0, len(first), rows):
        some = slice(begin, begin + rows)
        sums = np.zeros((2, len(first[some]), len(second)))
        for i, j, tables in looked_up:
            for total, table in zip(sums, tables):
                total += table[i[some]][:, j]
        yield _ratio(*sums)


def _at_risk(counts: np.ndarray) -> np.ndarray:
    return np.cumsum(counts.sum(axis=-1)[..., ::-1], axis=-1)[..., ::-1]


def _terms(d1, r1, d2, r2) -> tuple[np.ndarray, np.ndarray]:
    """What one time adds to O − E of the second group and to its variance."""
    d, r = d1 + d2, np.maximum(r1 + r2, 1)
    return d2 - d * r2 / r, d * r1 * r2 * (r - d) / (r * r * np.maximum(r - 1, 1))


def _ratio(difference: np.ndarray, variance: np.ndarray) -> np.ndarray:
    # the terms of the variance are exactly zero where nothing is compared, so is their sum
    return np.divide(difference**2, variance, out=np.zeros_like(variance), where=variance > 0)


def _p(chi_squared):
    """The upper tail with one degree of freedom, as erfc: the same as SciPy's chi-squared, many times faster."""
    return erfc(np.sqrt(chi_squared / 2))
