"""Two groups' survival compared: log-rank, exact and by relabelling, with Peto's hazard ratio, and Cox's.

Groups are told apart by a label; the first is the smaller label in sorted order and effects are second against first,
so a negative O − E or log hazard ratio says that the second group has fewer events than expected.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtrc, ndtri

from whichdata.given import check_list
from whichdata.survival import Time, check_data

TIES = ("efron", "breslow")
PERMUTATION_LIMIT = 40


def two_groups(time: Sequence[Time], event: Sequence[int], group: Sequence) -> tuple[list, list, list[int]]:
    """Times, flags and group, by definition 0 for the smaller label and 1. ValueError unless there are exactly two."""
    time, event = check_data(time, event)
    group = check_list("group", group)
    if len(group) != len(time):
        raise ValueError(f"{len(time)} times but {len(group)} group labels; give one label for each time")
    try:
        labels = sorted(set(group))
    except TypeError:
        raise ValueError("group labels are all texts or all numbers") from None
    if len(labels) != 2:
        raise ValueError(f"two groups are compared; the labels are {labels}")
    return time, event, [labels.index(g) for g in group]


@dataclass(frozen=True)
class LogRank:
    """Log-rank of two groups [Mantel1966], exact: events observed and expected in each, O − E and its hypergeometric
    variance; Peto's hazard ratio and its interval as in [Tierney2007].

    ``o_minus_e`` is that of the second group. Without any time at which both groups are at risk the variance is 0:
    nothing is compared, and chi-squared is 0.
    """

    observed: tuple[int, int]
    expected: tuple[Fraction, Fraction]
    variance: Fraction

    @property
    def o_minus_e(self) -> Fraction:
        return self.observed[1] - self.expected[1]

    @property
    def chi_squared(self) -> Fraction:
        return self.o_minus_e**2 / self.variance if self.variance else Fraction(0)

    @property
    def p(self) -> float:
        """Asymptotic, two-sided, one degree of freedom."""
        return float(chdtrc(1, float(self.chi_squared)))

    @property
    def peto_hr(self) -> float:
        """exp((O − E) / V). ValueError where V is 0."""
        return math.exp(self._peto_log_hr())

    def peto_interval(self, level: float = 0.95) -> tuple[float, float]:
        """exp((O − E) / V ± z / √V)."""
        log_hr, half = self._peto_log_hr(), float(ndtri(0.5 + level / 2)) / math.sqrt(self.variance)
        return math.exp(log_hr - half), math.exp(log_hr + half)

    def _peto_log_hr(self) -> float:
        if not self.variance:
            raise ValueError("no hazard ratio: at no event are both groups at risk with someone left over")
        return float(self.o_minus_e / self.variance)


def log_rank(time: Sequence[Time], event: Sequence[int], group: Sequence) -> LogRank:
    """The unweighted log-rank comparison of two groups [Mantel1966]. ValueError unless there are exactly two labels."""
    time, event, group = two_groups(time, event, group)
    deaths = Counter((t, g) for t, e, g in zip(time, event, group) if e)
    times = [sorted(t for t, k in zip(time, group) if k == g) for g in (0, 1)]
    expected, variance = Fraction(0), Fraction(0)
    for t in {t for t, _ in deaths}:
        d = deaths[t, 0] + deaths[t, 1]
        r1, r2 = (len(of) - bisect_left(of, t) for of in times)
        r = r1 + r2
        expected += Fraction(d * r2, r)
        if r > 1:
            variance += Fraction(d * r1 * r2 * (r - d), r * r * (r - 1))
    observed = tuple(sum(e for e, k in zip(event, group) if k == g) for g in (0, 1))
    return LogRank(observed, (sum(observed) - expected, expected), variance)


class Permutation(NamedTuple):
    """The exact permutation test: O − E of the first group, how many relabellings, and how many are as extreme."""

    o_minus_e_first: Fraction
    n_permutations: int
    n_as_extreme: int

    @property
    def p(self) -> Fraction:
        return Fraction(self.n_as_extreme, self.n_permutations)


def log_rank_permutation(time: Sequence[Time], event: Sequence[int], group: Sequence) -> Permutation:
    """All relabellings of the pooled data counted by |O − E| at least as large as observed, exactly.

    O − E of a group is the sum of its patients' scores (flag minus pooled Nelson–Aalen hazard) [CoinSurvTest], which
    relabelling does not change; how sums over all subsets are counted, by meeting in the middle, is derived here.
    ValueError above 40 patients.
    """
    time, event, group = two_groups(time, event, group)
    n, n1 = len(time), group.count(0)
    if n > PERMUTATION_LIMIT:
        raise ValueError(
            f"{math.comb(n, n1):.3g} relabellings of {n} patients are too many to count exactly (at most "
            f"{PERMUTATION_LIMIT} patients); use the asymptotic p"
        )
    hazard, steps = Fraction(0), {}
    for t in sorted(set(time)):
        deaths = sum(e for x, e in zip(time, event) if x == t)
        hazard += Fraction(deaths, sum(x >= t for x in time))
        steps[t] = hazard
    scores = [e - steps[t] for t, e in zip(time, event)]
    scale = math.lcm(*(s.denominator for s in scores))
    whole = [int(s * scale) for s in scores]
    observed = sum(s for s, g in zip(whole, group) if g == 0)
    left, right = _subset_sums(whole[: n // 2]), _subset_sums(whole[n // 2 :])
    extreme = 0
    for size, sums in left.items():
        other = right.get(n1 - size)
        if other is not None:
            # |a + b| ≥ |o|: b ≤ −|o| − a or b ≥ |o| − a; both at once only if o is 0, when every relabelling counts
            low = np.searchsorted(other, -abs(observed) - sums, side="right")
            high = len(other) - np.searchsorted(other, abs(observed) - sums, side="left")
            extreme += int((low + high).sum()) if observed else len(sums) * len(other)
    return Permutation(Fraction(observed, scale), math.comb(n, n1), extreme)


def _subset_sums(values: list[int]) -> dict[int, np.ndarray]:
    """The sums of all subsets by size, sorted; int64 holds them for up to 40 patients."""
    sums = {0: np.zeros(1, dtype=np.int64)}
    for v in values:
        bigger = {k + 1: s + v for k, s in sums.items()}
        sums = {
            k: np.concatenate([part[k] for part in (sums, bigger) if k in part]) for k in sums.keys() | bigger.keys()
        }
    return {k: np.sort(s) for k, s in sums.items()}


def cox_hr(time: Sequence[Time], event: Sequence[int], group: Sequence, ties: str = "efron") -> float:
    """Cox's hazard ratio [Cox1972] of the second group against the first, ``ties`` by ``efron`` [H2oTies] or
    ``breslow`` [Breslow1974].

    0 or infinite where the partial likelihood has no maximum: one group has every event at which both are at risk.
    ValueError where there is no such event.
    """
    if ties not in TIES:
        raise ValueError(f"no rule for ties named {ties!r}; known: {', '.join(TIES)}")
    time, event, group = two_groups(time, event, group)
    both_until = min(max(t for t, g in zip(time, group) if g == k) for k in (0, 1))
    having_it = {g for t, e, g in zip(time, event, group) if e and t <= both_until}
    if not having_it:
        raise ValueError("no hazard ratio: at no event are both groups at risk")
    if len(having_it) == 1:
        return math.inf if 1 in having_it else 0.0
    # imported here, for it brings pandas along: a second that nobody else should wait
    from statsmodels.duration.hazard_regression import PHReg

    rank = {t: i for i, t in enumerate(sorted(set(time)))}  # equal times stay equal, whatever floats make of them
    model = PHReg([rank[t] for t in time], np.array(group, dtype=float), status=np.array(event), ties=ties)
    # PHReg's own Newton steps run away from 0 where the ratio is large and a group small; its score only falls
    return math.exp(brentq(lambda log_hr: model.score(np.array([log_hr]))[0], -50, 50, xtol=1e-13))
