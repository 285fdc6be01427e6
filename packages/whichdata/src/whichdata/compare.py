"""Two groups' survival compared: log-rank, Peto's hazard ratio and its approximations, Cox with named ties.

Groups are told apart by a label; the first is the smaller label in sorted order and effects are second against first,
so a negative O − E or log hazard ratio says that the second group has fewer events than expected.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc, ndtri

from whichdata.given import check_list
from whichdata.survival import Time, check_data

TIES = ("efron", "breslow", "exact")
PERMUTATION_LIMIT = 40


class RiskTable(NamedTuple):
    """At each time with an event, both groups: ``events`` and ``at_risk``, each (n_times, 2) whole numbers."""

    events: np.ndarray
    at_risk: np.ndarray


def two_groups(time: Sequence[Time], event: Sequence[int], group: Sequence) -> tuple[list, list, list[int]]:
    """Times, flags and group 0 or 1, validated. ValueError unless there are exactly two labels."""
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


def risk_table(time: Sequence[Time], event: Sequence[int], group: Sequence) -> RiskTable:
    """Events and numbers at risk by group at each time with an event."""
    time, event, group = two_groups(time, event, group)
    distinct = sorted({t for t, e in zip(time, event) if e})
    deaths = Counter((t, g) for t, e, g in zip(time, event, group) if e)
    events = [[deaths[t, g] for g in (0, 1)] for t in distinct]
    times = [sorted(t for t, k in zip(time, group) if k == g) for g in (0, 1)]
    at_risk = [[len(of) - bisect_left(of, t) for of in times] for t in distinct]
    return RiskTable(np.array(events, dtype=int).reshape(-1, 2), np.array(at_risk, dtype=int).reshape(-1, 2))


@dataclass(frozen=True)
class LogRank:
    """Log-rank of two groups, exact: events observed and expected in each, O − E and its hypergeometric variance.

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
    """The unweighted log-rank comparison of two groups."""
    table = risk_table(time, event, group)
    expected, variance = Fraction(0), Fraction(0)
    for (d1, d2), (r1, r2) in zip(table.events.tolist(), table.at_risk.tolist()):
        d, r = d1 + d2, r1 + r2
        expected += Fraction(d * r2, r)
        if r > 1:
            variance += Fraction(d * r1 * r2 * (r - d), r * r * (r - 1))
    observed = tuple(int(x) for x in table.events.sum(axis=0))
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

    O − E of a group is the sum of its patients' scores (flag minus pooled Nelson–Aalen hazard), which relabelling does
    not change; sums over all subsets are counted by meeting in the middle. ValueError above 40 patients.
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


def approximate_variances(events: tuple[int, int], n: tuple[int, int]) -> dict[str, Fraction]:
    """Variances of O − E when only totals are printed (Tierney2007): d/4 for equal arms, d₁d₂/d from the events
    of each arm, d n₁n₂/N² from the numbers randomised. ValueError on counts that cannot be."""
    (d1, d2), (n1, n2) = events, n
    if min(n1, n2) < 1 or min(d1, d2) < 0 or d1 > n1 or d2 > n2:
        raise ValueError(f"{d1} and {d2} events of {n1} and {n2} patients cannot be; counts are 0 to the arm's size")
    d = d1 + d2
    if d == 0:
        raise ValueError("no events, so no hazard ratio")
    return {
        "equal_allocation": Fraction(d, 4),
        "events_by_arm": Fraction(d1 * d2, d),
        "numbers_randomised": Fraction(d * n1 * n2, (n1 + n2) ** 2),
    }


def hr_from_p(p: float, variance: Fraction, sign: int) -> float:
    """The hazard ratio exp(± z / √V) of a two-sided log-rank ``p``; ``sign`` −1 favours the second group."""
    if not 0 < p <= 1:
        raise ValueError(f"a p-value lies above 0 and up to 1, not {p}")
    if not variance:
        raise ValueError("no hazard ratio from p where one arm has no events")
    return math.exp(sign * -float(ndtri(p / 2)) / math.sqrt(variance))


@dataclass(frozen=True)
class CoxFit:
    """Cox's hazard ratio of the second group against the first under named ties.

    ``log_hr`` is −inf or inf, and ``se`` None, where the likelihood has no maximum (one group has every event that is
    in doubt). ``likelihood_ratio`` and ``score`` are chi-squared statistics with one degree of freedom.
    """

    ties: str
    log_hr: float
    se: float | None
    likelihood_ratio: float
    score: float

    @property
    def hr(self) -> float:
        return math.exp(self.log_hr) if self.log_hr < 700 else math.inf

    @property
    def p_wald(self) -> float | None:
        return None if self.se is None else float(chdtrc(1, (self.log_hr / self.se) ** 2))

    @property
    def p_likelihood_ratio(self) -> float:
        return float(chdtrc(1, self.likelihood_ratio))

    @property
    def p_score(self) -> float:
        return float(chdtrc(1, self.score))

    def interval(self, level: float = 0.95) -> tuple[float, float] | None:
        """Wald limits of the hazard ratio; None where the estimate is infinite or zero."""
        if self.se is None:
            return None
        half = float(ndtri(0.5 + level / 2)) * self.se
        return math.exp(self.log_hr - half), math.exp(self.log_hr + half)


def cox_two_groups(time: Sequence[Time], event: Sequence[int], group: Sequence, ties: str = "efron") -> CoxFit:
    """Cox regression on the group alone, by Newton steps on the concave partial likelihood.

    ``ties``: ``efron`` (R's default), ``breslow`` (statsmodels' and SAS' default), ``exact`` (R's: the conditional
    likelihood of discrete times). ValueError where at no event both groups are at risk.
    """
    return cox_from_table(risk_table(time, event, group), ties)


def cox_from_table(table: RiskTable, ties: str = "efron") -> CoxFit:
    """:func:`cox_two_groups` from events and numbers at risk."""
    if ties not in TIES:
        raise ValueError(f"no rule for ties named {ties!r}; known: {', '.join(TIES)}")
    both = (table.at_risk > 0).all(axis=1)
    table = RiskTable(table.events[both], table.at_risk[both])
    if not len(table.events):
        raise ValueError("no hazard ratio: at no event are both groups at risk")
    terms = _exact_terms(table) if ties == "exact" else _weighted_terms(table, ties)
    now = at_zero = terms(0.0)
    if not at_zero.information:
        raise ValueError("no hazard ratio: every event takes all who are at risk")
    score = at_zero.score**2 / at_zero.information
    least, most = _range_of_second(table, ties)
    second = int(table.events[:, 1].sum())
    if second in (least, most):
        # the score never changes sign: the likelihood rises for ever, towards its limit of log 1 per event in doubt
        log_hr = math.inf if second == most else -math.inf
        limit = terms(math.copysign(40.0, log_hr)).log_likelihood
        return CoxFit(ties, log_hr, None, 2 * (limit - at_zero.log_likelihood), score)
    beta = 0.0
    for _ in range(100):
        step = now.score / now.information
        trial = terms(beta + step)
        while trial.log_likelihood < now.log_likelihood - 1e-10 and abs(step) > 1e-12:
            step /= 2
            trial = terms(beta + step)
        beta, now = beta + step, trial
        if abs(step) < 1e-13 * max(1.0, abs(beta)):
            break
    ratio = 2 * (now.log_likelihood - at_zero.log_likelihood)
    return CoxFit(ties, beta, 1 / math.sqrt(now.information), ratio, score)


def _range_of_second(table: RiskTable, ties: str) -> tuple[int, int]:
    """Fewest and most events the second group could have had at these times, in the eyes of the likelihood."""
    d = table.events.sum(axis=1)
    if ties != "exact":  # each event of a tie is drawn on its own from a risk set that holds both groups
        return 0, int(d.sum())
    return int(np.maximum(0, d - table.at_risk[:, 0]).sum()), int(np.minimum(d, table.at_risk[:, 1]).sum())


class _Terms(NamedTuple):
    log_likelihood: float
    score: float
    information: float


def _weighted_terms(table: RiskTable, ties: str) -> Callable[[float], _Terms]:
    """Efron's and Breslow's partial likelihood: each event sees the risk set, under Efron less its share of the tie."""
    d = table.events.sum(axis=1)
    index = np.repeat(np.arange(len(d)), d)
    share = np.concatenate([np.arange(k) / k for k in d]) if ties == "efron" else np.zeros(len(index))
    r1, r2 = (table.at_risk[index, g] - share * table.events[index, g] for g in (0, 1))
    second = int(table.events[:, 1].sum())

    def terms(beta: float) -> _Terms:
        total = r1 + r2 * math.exp(beta)
        p = r2 * math.exp(beta) / total
        return _Terms(beta * second - float(np.log(total).sum()), second - float(p.sum()), float((p * (1 - p)).sum()))

    return terms


def _exact_terms(table: RiskTable) -> Callable[[float], _Terms]:
    """The discrete conditional likelihood: of those at risk, which d have the event (noncentral hypergeometric)."""
    strata = []
    for (d1, d2), (r1, r2) in zip(table.events.tolist(), table.at_risk.tolist()):
        possible = range(max(0, d1 + d2 - r1), min(d1 + d2, r2) + 1)
        ways = [math.log(math.comb(r1, d1 + d2 - k)) + math.log(math.comb(r2, k)) for k in possible]
        strata.append((d2, np.array(possible), np.array(ways)))

    def terms(beta: float) -> _Terms:
        value, score, information = 0.0, 0.0, 0.0
        for d2, k, ways in strata:
            logs = ways + beta * k
            total = float(np.logaddexp.reduce(logs))
            p = np.exp(logs - total)
            mean = float((p * k).sum())
            value += beta * d2 - total
            score += d2 - mean
            information += float((p * (k - mean) ** 2).sum())
        return _Terms(value, score, information)

    return terms
