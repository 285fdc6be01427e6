"""Counts and percentages of small groups, and every usual test of a 2×2 table.

Possible counts, denominators and tables are exact: a count prints a percentage if 100 × count / n lies in the
interval of what was printed. Tables are ``[[a, b], [c, d]]``: rows the groups, columns event and no event.
"""

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import product
from numbers import Real
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtrc, xlogy
from scipy.stats import beta, chi2, norm

from lib.reported import Interval, Printed, percentage

MOST_TABLES = 10_000
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


# Percentages --------------------------------------------------------------------------------------------------------


def possible_counts(percent: str | Printed, n, rounding: str = "up_or_down") -> range:
    """The counts among ``n`` that print as ``percent`` (empty if none does)."""
    n = check_count("n", n, least=1)
    return read_percentage(percent).interval(rounding).scaled(Fraction(n, 100)).integers(0, n)


def count_prints(count, n, percent: str | Printed, rounding: str = "up_or_down") -> bool:
    """Would ``count`` of ``n`` be printed as ``percent``?"""
    count, n = check_group(count, n)
    return read_percentage(percent).prints(percentage(count, n), rounding)


def possible_denominators(
    percents: str | Printed | Sequence[str | Printed], n_max, rounding: str = "up_or_down"
) -> list[int]:
    """Group sizes to ``n_max`` at which every one of ``percents`` (one, or several of the same group) has a count."""
    if isinstance(percents, (str, Printed)):
        percents = [percents]
    n_max = check_count("n_max", n_max, least=1, most=MOST_COUNTS)
    printed = [read_percentage(p) for p in check_list("percents", percents)]
    if not printed:
        raise ValueError("no percentages: give at least one")
    shares = [p.interval(rounding).intersection(_WHOLE).scaled(Fraction(1, 100)) for p in printed]
    return [n for n in range(1, n_max + 1) if all(_holds_a_count(share, n) for share in shares)]


_WHOLE = Interval(Fraction(0), Fraction(100))


def _holds_a_count(share: Interval, n: int) -> bool:
    """Is some k/n in ``share``? In whole numbers, for this is asked of every n."""
    (a, b), (c, d) = share.lower.as_integer_ratio(), share.upper.as_integer_ratio()
    low, high = -(-a * n // b), c * n // d
    low += not share.lower_closed and low * b == a * n
    high -= not share.upper_closed and high * d == c * n
    return low <= high


class Parts(NamedTuple):
    """Ways to fill a whole with parts: ``n_ways`` tuples of counts, one of them ``witness`` (None if there is none)."""

    n_ways: int
    witness: tuple[int, ...] | None


def fill_whole(parts: Sequence[Sequence[int]], whole, exhaustive: bool = True) -> Parts:
    """How many choices of one count from each of ``parts`` add up to ``whole`` (or to at most it).

    ``parts``: for each part the counts it may be, as :func:`possible_counts` gives. Parts exclude one another;
    ``exhaustive``: together they are the whole.
    """
    whole = check_count("whole", whole)
    ways = [{0: 1}]
    for part in parts:
        grown: dict[int, int] = {}
        for total, count_of_ways in ways[-1].items():
            for count in part:
                if total + count <= whole:
                    grown[total + count] = grown.get(total + count, 0) + count_of_ways
        ways.append(grown)
    ends = [t for t in ways[-1] if t == whole or not exhaustive]
    if not ends:
        return Parts(0, None)
    total, witness = max(ends), []
    for part, before in zip(reversed(parts), reversed(ways[:-1])):
        count = next(c for c in part if total - c in before)
        witness.append(count)
        total -= count
    return Parts(sum(ways[-1][t] for t in ends), tuple(reversed(witness)))


def tables_printing(n1, percent1, n2, percent2, rounding: str = "up_or_down") -> Iterator[list[list[int]]]:
    """Every 2×2 table of two groups whose event percentages print as given.

    ValueError before the search if there are more than ``MOST_TABLES``, or too many for their size (a test looks at
    every table with the same margins).
    """
    counts1, counts2 = possible_counts(percent1, n1, rounding), possible_counts(percent2, n2, rounding)
    first, second = (r.stop - r.start for r in (counts1, counts2))
    if first * second > MOST_TABLES or first * second * min(n1, n2) > MOST_OUTCOMES:
        raise ValueError(
            f"{first} × {second} = {first * second} tables of {n1} and {n2} patients print these percentages, too many "
            "to try: give a count, or percentages with more decimals"
        )
    return ([[a, n1 - a], [c, n2 - c]] for a, c in product(counts1, counts2))


# Tests of a 2×2 table -----------------------------------------------------------------------------------------------


class Tests2x2(NamedTuple):
    """Two-sided p of a 2×2 table by every usual test; None where a test is undefined (an empty margin).

    ``pearson`` χ² · ``yates`` χ² with continuity correction · ``likelihood_ratio`` G² · ``n_minus_1`` Pearson
    × (N − 1)/N · ``fisher_minlike`` sums the tables no likelier · ``fisher_central`` doubles the smaller tail ·
    ``fisher_midp`` doubles the smaller one-sided mid-p · ``fisher_midp_sas`` takes half the observed table's
    probability off the minlike sum · ``wald_unpooled_z`` the difference of proportions over its unpooled SE.
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
    """Every test of :class:`Tests2x2` for ``table`` = ``[[a, b], [c, d]]``."""
    a, b, c, d = check_table(table)
    return Tests2x2(*_chi_squares(a, b, c, d), *_fisher(a, b, c, d), _wald(a, b, c, d))


def _chi_squares(a: int, b: int, c: int, d: int) -> tuple[float | None, ...]:
    n, margins = a + b + c + d, (a + b) * (c + d) * (a + c) * (b + d)
    if not margins:
        return None, None, None, None
    cross = abs(a * d - b * c)
    # Whole numbers to the last step: the correction never exceeds the deviation itself.
    pearson = Fraction(n * cross**2, margins)
    yates = Fraction(n * max(Fraction(0), cross - Fraction(n, 2)) ** 2, margins)
    observed = np.array([a, b, c, d], dtype=float)
    expected = np.array([(a + b) * (a + c), (a + b) * (b + d), (c + d) * (a + c), (c + d) * (b + d)], dtype=float) / n
    g2 = 2 * float(np.sum(xlogy(observed, observed / expected)))
    return tuple(float(chi2.sf(float(x), 1)) for x in (pearson, yates, max(g2, 0.0), pearson * Fraction(n - 1, n)))


def _hypergeometric(a: int, b: int, c: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """The values the first cell may take given the margins, and the logs of their weights (largest 0)."""
    least, most = max(0, a - d), min(a + b, a + c)
    return np.arange(least, most + 1), _log_weights(least, most, a + b, c + d, a + c)


def _log_weights(least: int, most: int, n1: int, n2: int, events: int) -> np.ndarray:
    """Logs of the hypergeometric weights (largest 0) of ``least`` to ``most`` events among the first ``n1``."""
    k = np.arange(least, most, dtype=float)
    # Ratios of neighbours add up without the cancellation that factorials of large counts would bring.
    steps = np.log((n1 - k) * (events - k)) - np.log((k + 1) * (n2 - events + k + 1))
    log_weight = np.concatenate([[0.0], np.cumsum(steps, dtype=np.longdouble)])
    return (log_weight - log_weight.max()).astype(float)


def _fisher(a: int, b: int, c: int, d: int) -> tuple[float, float, float, float]:
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
    variance = Fraction(a * b, n1**3) + Fraction(c * d, n2**3)
    difference = abs(Fraction(a, n1) - Fraction(c, n2))
    if not variance:
        return None if not difference else 0.0
    return float(2 * norm.sf(float(difference) / math.sqrt(variance)))


# Odds ratio ---------------------------------------------------------------------------------------------------------


class OddsRatio(NamedTuple):
    """``sample`` odds ratio ad/bc, ``conditional_mle``, and the exact interval; infinite ends are ``math.inf``,
    None is undefined."""

    sample: float | None
    conditional_mle: float | None
    lower: float | None
    upper: float | None


def odds_ratio(table, level: float = 0.95, solver: str = "exact") -> OddsRatio:
    """The odds ratio of ``[[a, b], [c, d]]``, given its margins (the non-central hypergeometric distribution).

    ``solver="r"`` stops where R's ``fisher.test`` stops (its root finder works to 1.2e-4 on t or 1/t in 0 to 1), so
    that figures printed from R are found again; ``"exact"`` goes on to machine precision.
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
        log = log_weight + support * math.log(psi)
        weight = np.exp(log - log.max())
        return weight / weight.sum()

    def mean(psi: float) -> float:
        if psi in (0, math.inf):
            return float(least if psi == 0 else most)
        return float(support @ probabilities(psi))

    def below(psi: float) -> float:
        if psi in (0, math.inf):
            return float(psi == 0 or a == most)
        return float(probabilities(psi)[support <= a].sum())

    def above(psi: float) -> float:
        if psi in (0, math.inf):
            return float(psi == math.inf or a == least)
        return float(probabilities(psi)[support >= a].sum())

    tail = (1 - level) / 2
    root = _root_of_r if solver == "r" else _root
    return OddsRatio(
        sample,
        0.0 if a == least else math.inf if a == most else root(mean, a),
        0.0 if a == least else root(above, tail),
        math.inf if a == most else root(below, tail),
    )


def _root(function: Callable[[float], float], target: float) -> float:
    """The ψ in 0 to ∞ at which the monotone ``function`` is ``target``, to machine precision (searched on ln ψ)."""
    return math.exp(brentq(lambda x: function(math.exp(x)) - target, -700, 700, xtol=1e-14, rtol=1e-14))


def _root_of_r(function: Callable[[float], float], target: float) -> float:
    """As :func:`_root`, but found as ``fisher.test`` does: on t = ψ up to 1, on t = 1/ψ above, to R's tolerance."""
    at_one = function(1.0)
    if at_one == target:
        return 1.0
    rising = function(math.inf) > function(0.0)
    if (at_one > target) == rising:
        return _brent_of_r(lambda x: function(x) - target, 0.0, 1.0)
    return 1 / _brent_of_r(lambda x: function(1 / x) - target, sys.float_info.epsilon, 1.0)


def _brent_of_r(function: Callable[[float], float], a: float, b: float) -> float:
    """Brent's zero of ``function`` between ``a`` and ``b`` with the default stopping rule of R's ``uniroot``.

    b is the best point, a the one before it, c the other side of the zero. scipy's brentq takes slightly other steps
    and stops elsewhere within the same tolerance.
    """
    tolerance = sys.float_info.epsilon**0.25
    fa, fb = function(a), function(b)
    if fa == 0:
        return a
    c, fc = a, fa
    while True:
        previous = b - a
        if abs(fc) < abs(fb):
            a, b, c = b, c, b
            fa, fb, fc = fb, fc, fb
        least_step = 2 * sys.float_info.epsilon * abs(b) + tolerance / 2
        step = (c - b) / 2
        if abs(step) <= least_step or fb == 0:
            return b
        if abs(previous) >= least_step and abs(fa) > abs(fb):
            p, q = _interpolated(a, b, c, fa, fb, fc)
            if p < 0.75 * (c - b) * q - abs(least_step * q) / 2 and p < abs(previous * q / 2):
                step = p / q
        if abs(step) < least_step:
            step = math.copysign(least_step, step)
        a, fa = b, fb
        b += step
        fb = function(b)
        if (fb > 0) == (fc > 0):
            c, fc = a, fa


def _interpolated(a, b, c, fa, fb, fc) -> tuple[float, float]:
    """Brent's step p/q with p ≥ 0: linear through two points, inverse quadratic through three."""
    t1 = fb / fa
    if a == c:
        p, q = (c - b) * t1, 1 - t1
    else:
        q, t1, t2 = fa / fc, fb / fc, fb / fa
        p = t2 * ((c - b) * q * (q - t1) - (b - a) * (t1 - 1))
        q = (q - 1) * (t1 - 1) * (t2 - 1)
    return (p, -q) if p > 0 else (-p, q)


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
    """Cochran–Mantel–Haenszel test of 2×2 ``tables``, one for each stratum, as R's ``mantelhaen.test``.

    The correction of ½ is left out where the deviation is smaller than that; the interval uses the variance of
    Robins, Breslow and Greenland. Strata of fewer than two patients are left out.
    """
    strata = [check_table(table) for table in check_list("the tables", tables)]
    strata = [s for s in strata if sum(s) > 1]
    if not strata:
        raise ValueError("no stratum has two patients")
    deviation = variance = Fraction(0)
    for a, b, c, d in strata:
        n = a + b + c + d
        deviation += a - Fraction((a + b) * (a + c), n)
        variance += Fraction((a + b) * (c + d) * (a + c) * (b + d), n**2 * (n - 1))
    statistic = p = None
    if variance:
        size = abs(deviation)
        statistic = float((size - (Fraction(1, 2) if size >= Fraction(1, 2) else 0)) ** 2 / variance)
        p = float(chi2.sf(statistic, 1))
    return MantelHaenszel(statistic, p, *_common_odds_ratio(strata, level))


def _common_odds_ratio(strata: list, level: float) -> tuple[float | None, float | None, float | None]:
    # For each stratum: the two diagonal products and the two diagonal sums, over its size.
    rows = [tuple(Fraction(x, a + b + c + d) for x in (a * d, b * c, a + d, b + c)) for a, b, c, d in strata]
    along, across = sum(r[0] for r in rows), sum(r[1] for r in rows)
    if not along or not across:
        return (None if along == across else 0.0 if not along else math.inf), None, None
    variance = (
        sum(r * p for r, _, p, _ in rows) / (2 * along**2)
        + sum(r * q + s * p for r, s, p, q in rows) / (2 * along * across)
        + sum(s * q for _, s, _, q in rows) / (2 * across**2)
    )
    ratio = along / across
    margin = float(norm.isf((1 - level) / 2)) * math.sqrt(variance)
    return float(ratio), math.exp(math.log(ratio) - margin), math.exp(math.log(ratio) + margin)


def mcnemar(table) -> tuple[float | None, float | None]:
    """McNemar's χ² with continuity correction and its p, of the paired ``[[a, b], [c, d]]``; None, None if b = c = 0.

    (|b − c| − 1)² / (b + c), without the correction where b = c, as R's ``mcnemar.test``.
    """
    _, b, c, _ = check_table(table)
    if b + c == 0:
        return None, None
    statistic = max(abs(b - c) - 1, 0) ** 2 / (b + c)
    return statistic, float(chi2.sf(statistic, 1))


# Proportions --------------------------------------------------------------------------------------------------------


def proportion_intervals(count, n, level: float = 0.95) -> dict[str, tuple[float, float]]:
    """Confidence intervals of the proportion ``count``/``n`` by name.

    ``clopper_pearson`` exact · ``wilson`` score · ``wilson_cc`` score with continuity correction (Newcombe1998; R's
    ``prop.test`` drops it where exactly half were counted) ·
    ``jeffreys_unadjusted`` Beta(½, ½) posterior, not widened at 0 and n · ``agresti_coull``, cut at 0 and 1.
    """
    count, n = check_group(count, n)
    tail = (1 - level) / 2
    z = float(norm.isf(tail))
    centre = (count + z**2 / 2) / (n + z**2)
    half_width = z * math.sqrt(centre * (1 - centre) / (n + z**2))
    return {
        "clopper_pearson": (
            float(beta.ppf(tail, count, n - count + 1)) if count else 0.0,
            float(beta.isf(tail, count + 1, n - count)) if count < n else 1.0,
        ),
        "wilson": _score_interval(count, n, z, 0),
        "wilson_cc": _score_interval(count, n, z, 1),
        "jeffreys_unadjusted": (
            float(beta.ppf(tail, count + 0.5, n - count + 0.5)),
            float(beta.isf(tail, count + 0.5, n - count + 0.5)),
        ),
        "agresti_coull": (max(0.0, centre - half_width), min(1.0, centre + half_width)),
    }


def _score_interval(count: int, n: int, z: float, correction: int) -> tuple[float, float]:
    """Wilson's interval; ``correction`` 1 moves each end out as if half a patient more or fewer had been counted."""

    def end(sign: int) -> float:
        shifted = count + sign * correction / 2
        root = z * math.sqrt(max(z**2 / 4 + shifted * (n - shifted) / n, 0.0))
        return (shifted + z**2 / 2 + sign * root) / (n + z**2)

    return (max(end(-1), 0.0) if count else 0.0), (min(end(1), 1.0) if count < n else 1.0)


# Fragility ----------------------------------------------------------------------------------------------------------

SIGNIFICANCE_TESTS = {
    "fisher": lambda *cells: _fisher(*cells)[0],
    "fisher_central": lambda *cells: _fisher(*cells)[1],
    "pearson": lambda *cells: _chi_squares(*cells)[0],
    "chisq": lambda *cells: _chi_squares(*cells)[0],
    "yates": lambda *cells: _chi_squares(*cells)[1],
}
MOST_IN_ARM = 50_000
LEAST_LEVEL = 1e-25  # levels below which no table is too unlikely to be looked at


class Fragility(NamedTuple):
    """``p`` of the table as it is; ``walsh_index`` the outcomes changed by Walsh's rule and ``p_after`` them (None if
    the rule never gets there); ``minimal_any_change`` the fewest outcomes that must change, in either arm and
    direction, to cross the level (None if none does)."""

    p: float
    walsh_index: int | None
    p_after: float | None
    minimal_any_change: int | None


def check_alpha(alpha) -> float:
    """A significance level between 0 and 1, or ValueError."""
    if isinstance(alpha, bool) or not isinstance(alpha, Real) or not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha!r}: give a number between 0 and 1")
    return float(alpha)


def _p_by(test: str) -> Callable[[int, int, int, int], float]:
    if not isinstance(test, str) or test not in SIGNIFICANCE_TESTS:
        raise ValueError(f"no test named {test!r}; known: {', '.join(SIGNIFICANCE_TESTS)}")

    def p(events1: int, n1: int, events2: int, n2: int) -> float:
        value = SIGNIFICANCE_TESTS[test](events1, n1 - events1, events2, n2 - events2)
        return 1.0 if value is None else value  # no events, or nothing but events, in both arms: no difference

    return p


def fragility(events1, n1, events2, n2, alpha: float = 0.05, test: str = "fisher") -> Fragility:
    """How many outcomes carry a significant difference (p < ``alpha``); all zero if it is not significant.

    Walsh's rule turns non-events into events in the arm with fewer events, one by one, until p ≥ ``alpha``; where
    that arm already has the higher risk this only widens the difference, and the index is None. Equal counts: the arm
    with the lower risk. ValueError before the search if it is too large (``MOST_OUTCOMES``).
    """
    (events1, n1), (events2, n2) = (check_group(*arm, MOST_IN_ARM) for arm in ((events1, n1), (events2, n2)))
    search = _ChangedOutcomes((events1, n1), (events2, n2), check_alpha(alpha), _p_by(test), test, significant=False)
    p = search.p(events1, events2)
    if p >= search.alpha:
        return Fragility(p, 0, p, 0)
    few, many = sorted(((events1, n1), (events2, n2)), key=lambda arm: (arm[0], Fraction(*arm)))
    # By Walsh's rule no more is needed than brings the arm to the other's risk; one that is there already has no index.
    most = math.ceil(Fraction(*many) * few[1]) - few[0]
    search.check_size(max(most, 0))
    index = p_after = None
    if most > 0:
        by_rule = _ChangedOutcomes(few, many, search.alpha, search.p_of, test, significant=False)
        index = next((k for k in range(1, few[1] - few[0] + 1) if by_rule.reached(few[0] + k, many[0])), None)
        p_after = None if index is None else by_rule.p(few[0] + index, many[0])
    return Fragility(p, index, p_after, search.fewest())


def reverse_fragility(events1, n1, events2, n2, alpha: float = 0.05, test: str = "fisher") -> tuple[float, int | None]:
    """p, and the fewest outcomes that must change, in either arm and direction, to make p < ``alpha``.

    ValueError before the search if it is too large (``MOST_OUTCOMES``).
    """
    (events1, n1), (events2, n2) = (check_group(*arm, MOST_IN_ARM) for arm in ((events1, n1), (events2, n2)))
    search = _ChangedOutcomes((events1, n1), (events2, n2), check_alpha(alpha), _p_by(test), test, significant=True)
    p = search.p(events1, events2)
    if p < search.alpha:
        return p, 0
    search.check_size()
    return p, search.fewest()


class _ChangedOutcomes:
    """The search for the nearest table on the other side of the level.

    All tables with the same number of events in all share their margins, so their p come from one distribution. The
    totals are looked through from that of the table outwards; j events more or fewer are at least j changes.
    """

    def __init__(self, arm1: tuple[int, int], arm2: tuple[int, int], alpha: float, p_of, test: str, significant: bool):
        (self.events1, self.n1), (self.events2, self.n2) = arm1, arm2
        self.alpha, self.p_of, self.test, self.significant = alpha, p_of, test, significant

    def p(self, x: int, y: int) -> float:
        return self.p_of(x, self.n1, y, self.n2)

    def _is_reached(self, p):
        return p < self.alpha if self.significant else p >= self.alpha

    def reached(self, x: int, y: int) -> bool:
        """Is the table with ``x`` and ``y`` events on the other side of the level?"""
        xs, p = self._p_of_total(x + y)
        at = x - int(xs[0])
        return self._is_reached(p[at] if 0 <= at < len(xs) else 0.0)

    def enough(self) -> int:
        """A number of changes that is certainly enough, found by halving in one arm; all outcomes where none is."""
        x, y, n1, n2 = self.events1, self.events2, self.n1, self.n2
        if self.significant:  # as far as each arm goes
            ends = [(0, y), (n1, y), (x, 0), (x, n2)]
        else:  # to where both arms have the same risk
            ends = [(round(Fraction(n1 * y, n2)), y), (x, round(Fraction(n2 * x, n1)))]
        most = max(x, n1 - x) + max(y, n2 - y)
        for end in ends:
            too_few, found = 0, abs(end[0] - x) + abs(end[1] - y)
            if not found or not self.reached(*end):
                continue
            dx, dy = (end[0] - x) // found, (end[1] - y) // found
            while found - too_few > 1:
                middle = (found + too_few) // 2
                if self.reached(x + dx * middle, y + dy * middle):
                    found = middle
                else:
                    too_few = middle
            most = min(most, found)
        return most

    def check_size(self, further: int = 0) -> None:
        """ValueError if the totals to look through, and ``further`` ones, hold too many tables."""
        size = self.n1 + self.n2
        widest = min(self.n1, self.n2, 2 * self._reach(size // 2))
        most = self.enough()
        outcomes = (2 * most + further) * (widest + 1)
        if outcomes > MOST_OUTCOMES:
            raise ValueError(
                f"up to {most:,} outcomes must change in groups of {self.n1:,} and {self.n2:,}: about {outcomes:.1e} "
                f"tables to look at, more than {MOST_OUTCOMES:.0e}; give smaller groups, or an alpha nearer to p"
            )

    def fewest(self) -> int | None:
        """The fewest changes to a table that is reached; None if there is none."""
        x, y, best = self.events1, self.events2, math.inf
        for j in range(self.n1 + self.n2 + 1):
            if j >= best:
                break
            for total in {x + y - j, x + y + j}:
                if 0 <= total <= self.n1 + self.n2:
                    best = min(best, self._fewest_to_total(total))
        return None if best == math.inf else best

    def _fewest_to_total(self, total: int) -> int | float:
        least, most = max(0, total - self.n2), min(self.n1, total)
        xs, p = self._p_of_total(total)
        found = xs[self._is_reached(p)]
        if self.significant:  # beyond the tables looked at every one is reached
            first, last = int(xs[0]), int(xs[-1])
            beyond = [min(self.events1, first - 1)] * (first > least) + [max(self.events1, last + 1)] * (last < most)
            found = np.concatenate([found, np.clip(beyond, least, most).astype(int)])
        changes = np.abs(found - self.events1) + np.abs(total - found - self.events2)
        return int(changes.min()) if len(changes) else math.inf

    def _reach(self, total: int) -> int:
        """Tables farther than this from the mean of the hypergeometric distribution have p below 1e-30, as
        Bernstein's inequality gives for twelve SDs and forty."""
        size = self.n1 + self.n2
        if self.alpha < LEAST_LEVEL:
            return size
        return math.ceil(12 * math.sqrt(self.n1 * self.n2 * total * (size - total) / (size**2 * max(size - 1, 1)))) + 40

    def _p_of_total(self, total: int) -> tuple[np.ndarray, np.ndarray]:
        """The events of the first arm and p of every table with ``total`` events that is near enough the mean."""
        n1, n2 = self.n1, self.n2
        mean, reach = n1 * total // (n1 + n2), self._reach(total)
        xs = np.arange(max(0, total - n2, mean - reach), min(n1, total, mean + reach + 1) + 1)
        if not 0 < total < n1 + n2:
            return xs, np.ones(len(xs))
        if self.test in ("fisher", "fisher_central"):
            log_weight = _log_weights(xs[0], xs[-1], n1, n2, total)
            weight = np.exp(log_weight)
            probability = weight / weight.sum()
            if self.test == "fisher":
                order = np.argsort(probability)
                rising = probability[order]
                p = np.cumsum(rising)[np.searchsorted(rising, probability * (1 + 1e-7), side="right") - 1]
            else:
                p = 2 * np.minimum(np.cumsum(probability), np.cumsum(probability[::-1])[::-1])
        else:
            cross = np.abs(xs * float(n2) - n1 * (total - xs).astype(float))
            if self.test == "yates":
                cross = np.maximum(cross - (n1 + n2) / 2, 0)
            margins = float(n1 * n2) * total * (n1 + n2 - total)
            p = chdtrc(1, (n1 + n2) * cross**2 / margins)
        # Where the last digits of floats could decide, the test itself does.
        for i in np.flatnonzero(np.abs(p - self.alpha) < 1e-9 * self.alpha):
            p[i] = self.p(int(xs[i]), total - int(xs[i]))
        return xs, p
