"""Every usual test of a 2×2 table, its odds ratio, and tables in strata or pairs.

Tables are ``[[a, b], [c, d]]``: rows the groups, columns event and no event.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2, chi2_contingency, norm
from statsmodels.stats import contingency_tables

from whichdata.compat_r import root_of_r
from whichdata.given import MOST_PATIENTS, check_count, check_list

# Tests of a 2×2 table -----------------------------------------------------------------------------------------------


class Tests2x2(NamedTuple):
    """Two-sided p of a 2×2 table by every usual test; None where a test is undefined (an empty margin).

    ``pearson`` χ² · ``yates`` χ² with continuity correction · ``likelihood_ratio`` G² · ``n_minus_1`` Pearson
    × (N − 1)/N · ``fisher_minlike`` sums the tables no likelier · ``fisher_central`` doubles the smaller tail ·
    ``fisher_midp`` doubles the smaller one-sided mid-p · ``fisher_midp_sas`` takes half the observed table's
    probability off the minlike sum · ``wald_unpooled_z`` the difference of proportions over its unpooled SE. The two
    names of Fisher's test are those of [Fay2010]; all but G² and Wald's are compared in [Campbell2007].
    """

    pearson: float | None
    yates: float | None
    likelihood_ratio: float | None
    n_minus_1: float | None
    fisher_minlike: float
    fisher_central: float
    fisher_midp: float
    fisher_midp_sas: float
    wald_unpooled_z: float | None


def check_table(table) -> tuple[int, int, int, int]:
    """The four counts of ``table``, or ValueError; a table needs at least one patient."""
    rows = [check_list("a row of the table", row) for row in check_list("the table", table)]
    if [len(row) for row in rows] != [2, 2]:
        raise ValueError("a 2×2 table is [[a, b], [c, d]]")
    cells = tuple(check_count("a cell of the table", x, most=MOST_PATIENTS) for row in rows for x in row)
    if not sum(cells):
        raise ValueError("the table is empty: all four counts are 0")
    return cells


def tests_2x2(table) -> Tests2x2:
    """Every test of :class:`Tests2x2` for ``table`` = ``[[a, b], [c, d]]`` [Campbell2007] [Fay2010]."""
    a, b, c, d = check_table(table)
    return Tests2x2(*chi_squares(a, b, c, d), *fisher(a, b, c, d), _wald(a, b, c, d))


def chi_squares(a: int, b: int, c: int, d: int) -> tuple[float | None, ...]:
    """The first four p of :class:`Tests2x2` [Campbell2007]."""
    n, table = a + b + c + d, [[a, b], [c, d]]
    if not (a + b) * (c + d) * (a + c) * (b + d):
        return None, None, None, None
    pearson = chi2_contingency(table, correction=False)
    yates = chi2_contingency(table, correction=True)
    likelihood_ratio = chi2_contingency(table, correction=False, lambda_="log-likelihood")
    n_minus_1 = chi2.sf(pearson.statistic * (n - 1) / n, 1)
    return float(pearson.pvalue), float(yates.pvalue), float(likelihood_ratio.pvalue), float(n_minus_1)


def _hypergeometric(a: int, b: int, c: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """The values the first cell may take given the margins, and the logs of their weights (largest 0)."""
    least, most = max(0, a - d), min(a + b, a + c)
    return np.arange(least, most + 1), log_weights(least, most, a + b, c + d, a + c)


def log_weights(least: int, most: int, n1: int, n2: int, events: int) -> np.ndarray:
    """Logs of the hypergeometric weights (largest 0) of ``least`` to ``most`` events among the first ``n1``.

    Derived here: from k to k + 1 the weight C(n1, k) C(n2, events − k) grows by the factor
    (n1 − k)(events − k) / ((k + 1)(n2 − events + k + 1)). (``scipy.stats.hypergeom.pmf`` takes two thousand times as
    long for arms of ten thousand.)
    """
    k = np.arange(least, most, dtype=float)
    # Ratios of neighbours add up without the cancellation that factorials of large counts would bring.
    steps = np.log((n1 - k) * (events - k)) - np.log((k + 1) * (n2 - events + k + 1))
    log_weight = np.concatenate([[0.0], np.cumsum(steps, dtype=np.longdouble)])
    return (log_weight - log_weight.max()).astype(float)


def fisher(a: int, b: int, c: int, d: int) -> tuple[float, float, float, float]:
    """The four p by the hypergeometric distribution of :class:`Tests2x2` [Fay2010] [Campbell2007]."""
    support, log_weight = _hypergeometric(a, b, c, d)
    weight = np.exp(log_weight)
    probability = weight / weight.sum()
    observed = float(probability[support == a][0])
    # The tolerance makes equally likely tables equal in floating point, as R's fisher.test does.
    minlike = min(1.0, float(probability[probability <= observed * (1 + 1e-7)].sum()))
    tail = float(min(probability[support <= a].sum(), probability[support >= a].sum()))
    return minlike, min(1.0, 2 * tail), min(1.0, 2 * (tail - observed / 2)), minlike - observed / 2


def _wald(a: int, b: int, c: int, d: int) -> float | None:
    n1, n2 = a + b, c + d
    if not n1 or not n2:
        return None
    if a * b == c * d == 0:  # no variance
        return None if a * d == b * c else 0.0
    return float(2 * norm.sf(abs(a / n1 - c / n2) / math.sqrt(a * b / n1**3 + c * d / n2**3)))


# Odds ratio ---------------------------------------------------------------------------------------------------------


class OddsRatio(NamedTuple):
    """``sample`` odds ratio ad/bc, ``conditional_mle``, and the exact interval; infinite ends are ``math.inf``,
    None is undefined."""

    sample: float | None
    conditional_mle: float | None
    lower: float | None
    upper: float | None


def odds_ratio(table, level: float = 0.95, solver: str = "exact") -> OddsRatio:
    """The odds ratio of ``[[a, b], [c, d]]``, given its margins [RFisherTest].

    The first cell then has Fisher's non-central hypergeometric distribution.
    ``solver="r"`` stops where R's ``fisher.test`` stops (its root finder works to 1.2e-4 on t or 1/t in 0 to 1), so
    that figures printed from R are found again; ``"exact"`` goes on to machine precision (scipy's ``odds_ratio`` stops
    at 1e-13 on ψ itself, and takes ten times as long).
    """
    a, b, c, d = check_table(table)
    if solver not in ("exact", "r"):
        raise ValueError(f"no solver named {solver!r}; known: exact, r")
    sample = None if a * d == b * c == 0 else (a * d / (b * c) if b * c else math.inf)
    support, log_weight = _hypergeometric(a, b, c, d)
    least, most = int(support[0]), int(support[-1])
    if least == most:  # a margin is empty: every odds ratio is as good as any other
        return OddsRatio(sample, None, 0.0, math.inf)

    def probabilities(psi: float) -> np.ndarray:
        if psi in (0, math.inf):
            return (support == (least if psi == 0 else most)).astype(float)
        log = log_weight + support * math.log(psi)
        weight = np.exp(log - log.max())
        return weight / weight.sum()

    def mean(psi: float) -> float:
        return float(support @ probabilities(psi))

    def below(psi: float) -> float:
        return float(probabilities(psi)[support <= a].sum())

    def above(psi: float) -> float:
        return float(probabilities(psi)[support >= a].sum())

    tail = (1 - level) / 2
    root = root_of_r if solver == "r" else _root
    return OddsRatio(
        sample,
        0.0 if a == least else math.inf if a == most else root(mean, a),
        0.0 if a == least else root(above, tail),
        math.inf if a == most else root(below, tail),
    )


def _root(function: Callable[[float], float], target: float) -> float:
    """The ψ in 0 to ∞ at which the monotone ``function`` is ``target``, to machine precision (searched on ln ψ)."""
    return math.exp(brentq(lambda x: function(math.exp(x)) - target, -700, 700, xtol=1e-14, rtol=1e-14))


# Strata and pairs ---------------------------------------------------------------------------------------------------


class MantelHaenszel(NamedTuple):
    """The test over strata (with continuity correction), and the common odds ratio with its interval; None where
    undefined."""

    statistic: float | None
    p: float | None
    common_or: float | None
    lower: float | None
    upper: float | None


def mantel_haenszel(tables: Sequence, level: float = 0.95) -> MantelHaenszel:
    """Cochran–Mantel–Haenszel test of 2×2 ``tables``, one for each stratum, as R's [RMantelhaenTest].

    The correction of ½ is left out where the deviation is smaller than that; the interval uses the variance of
    [RobinsBreslowGreenland1986]. Strata of fewer than two patients are left out.
    """
    strata = [check_table(table) for table in check_list("the tables", tables)]
    strata = [s for s in strata if sum(s) > 1]
    if not strata:
        raise ValueError("no stratum has two patients")
    pooled = contingency_tables.StratifiedTable([[[a, b], [c, d]] for a, b, c, d in strata])
    statistic = p = lower = upper = None
    if any((a + b) * (c + d) * (a + c) * (b + d) for a, b, c, d in strata):
        # In fractions, for at exactly ½ the correction takes away all there is.
        deviation = sum(a - Fraction((a + b) * (a + c), a + b + c + d) for a, b, c, d in strata)
        statistic = float(pooled.test_null_odds(correction=abs(deviation) >= Fraction(1, 2)).statistic)
        p = float(chi2.sf(statistic, 1))  # statsmodels' own p is 1 − cdf: 0 below 1e-16
    along, across = any(a * d for a, _, _, d in strata), any(b * c for _, b, c, _ in strata)
    if along and across:
        ratio = float(pooled.oddsratio_pooled)
        lower, upper = map(float, pooled.oddsratio_pooled_confint(1 - level))
    else:
        ratio = math.inf if along else 0.0 if across else None
    return MantelHaenszel(statistic, p, ratio, lower, upper)


def mcnemar(table) -> tuple[float | None, float | None]:
    """McNemar's χ² with continuity correction and its p, of the paired ``[[a, b], [c, d]]``; None, None if b = c = 0.

    (|b − c| − 1)² / (b + c), without the correction where b = c, as R's ``mcnemar.test`` [RMcnemarTest].
    """
    _, b, c, _ = check_table(table)
    if b + c == 0:
        return None, None
    test = contingency_tables.mcnemar(table, exact=False, correction=b != c)
    return float(test.statistic), float(test.pvalue)
