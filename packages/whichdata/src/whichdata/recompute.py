"""p values from printed test statistics and from printed means, over all that rounding admits."""

import math
from typing import NamedTuple

from scipy.stats import chi2, f, norm, t, ttest_ind_from_stats

from whichdata.given import check_choice, check_number

TESTS = ("t", "F", "Z", "r", "Chi2", "Q", "Qb", "Qw")


def p_of_statistic(
    test: str, statistic: float, df1: float | None = None, df2: float | None = None, tails: int = 2
) -> float:
    """p of a test statistic: t and r on ``df2``, F on ``df1`` and ``df2``, χ² and Q on ``df1``, Z on none.

    By definition the tail of its distribution. Where a test has one number of degrees of freedom it may stand in either
    place. ``tails`` applies to t, Z and r; F, χ² and Q have one. ValueError if degrees of freedom are missing.
    """
    name = str(test).lower()
    if name not in map(str.lower, TESTS):
        raise ValueError(f"no test named {test!r}; known: {', '.join(TESTS)}")
    if name == "z":
        return float(norm.sf(abs(statistic)) * tails)
    one = df2 if name in ("t", "r") else df1
    one = one if one is not None else df1 if df1 is not None else df2
    degrees = [check_number("degrees of freedom", df, above=0) for df in ((df1, df2) if name == "f" else (one,))]
    if name == "f":
        return float(f.sf(statistic, *degrees))
    if name in ("t", "r"):
        value = abs(statistic) if name == "t" else _t_of_correlation(statistic, degrees[0])
        return float(t.sf(value, degrees[0]) * tails)
    return float(chi2.sf(statistic, degrees[0]))


def _t_of_correlation(r: float, df: float) -> float:
    if not -1 <= r <= 1:
        raise ValueError(f"a correlation of {r:g} is outside −1 to 1")
    return math.inf if abs(r) == 1 else abs(r) / math.sqrt((1 - r**2) / df)


class Recomputed(NamedTuple):
    """``p`` recomputed from a printed statistic; whether the printed p is an ``error``, and whether it falls on the
    other side of the level (``decision_error``)."""

    p: float
    error: bool
    decision_error: bool


class ReportedP(NamedTuple):
    """A printed p: its ``relation`` ("=", "<", ">" or "ns"), ``value`` (None for "ns") and ``decimals``."""

    relation: str
    value: float | None
    decimals: int

    def as_bound(self, alpha: float) -> tuple[str, float]:
        """Relation and value, "ns" read as "> alpha" by definition."""
        return (">", alpha) if self.relation == "ns" else (self.relation, self.value)


def recompute_p(
    test: str,
    statistic: float,
    decimals: int,
    reported: ReportedP,
    df1: float | None = None,
    df2: float | None = None,
    statistic_relation: str = "=",
    alpha: float = 0.05,
    one_tailed: bool = False,
    or_one_tailed: bool = False,
    zero_is_error: bool = True,
    alpha_is_significant: bool = True,
) -> Recomputed:
    """Hold a printed p against its test statistic, by the rules of statcheck [Nuijten2016].

    The statistic stands for half a unit of its last decimal either side, which gives a range of p. A printed "= p" is
    an error outside the rounded range, "< p" below its low end, "> p" above its high end; a statistic printed as a
    bound leaves the range open on one side. ``or_one_tailed``: an error that a one-tailed test would clear is cleared.
    Unlike statcheck, a statistic that rounding may have brought to either side of zero counts as zero where that
    gives the larger p.
    """
    check_choice("relation", statistic_relation, ("=", "<", ">"))
    relation, value = reported.as_bound(alpha)
    check_choice("relation", relation, ("=", "<", ">"))
    value = check_number("the printed p", value, least=0, most=1)
    tails = 1 if one_tailed else 2
    half = 0.5 * 10.0**-decimals
    size = -1 if statistic < 0 else 1

    def p_of(x: float, tails: int) -> float:
        # A correlation printed as 1.00 stands for nothing above 1.
        x = min(max(x, -1.0), 1.0) if test == "r" and abs(statistic) <= 1 else x
        return p_of_statistic(test, x, df1, df2, tails)

    def judge(tails: int) -> Recomputed:
        computed = p_of(statistic, tails)
        # Rounding reaches no farther towards zero than zero itself, where p is largest.
        high, low = p_of(size * max(abs(statistic) - half, 0.0), tails), p_of(statistic + size * half, tails)
        error = zero_is_error and value <= 0
        error = error or _p_is_error(relation, value, statistic_relation, low, high, reported.decimals)
        sides = relation, value, statistic_relation, computed, alpha, alpha_is_significant
        return Recomputed(computed, error, error and _decision_differs(*sides))

    found = judge(tails)
    if or_one_tailed and not one_tailed and found.error:
        once = judge(1)
        return found if once.error else once
    return found


def _p_is_error(relation: str, value: float, of_statistic: str, low: float, high: float, decimals: int) -> bool:
    """Is the printed p outside the range ``low`` to ``high`` that the statistic gives, open where it is a bound?"""
    if of_statistic == "<":  # a smaller statistic: any p from `high` up
        low, high = high, math.inf
    elif of_statistic == ">":
        low, high = -math.inf, low
    if relation == "=":
        return value > _rounded(high, decimals) or value < _rounded(low, decimals)
    return value < low if relation == "<" else value > high


def _rounded(x: float, decimals: int) -> float:
    return round(x, decimals) if math.isfinite(x) else x


def _decision_differs(relation, value, of_statistic, computed, alpha, alpha_is_significant) -> bool:
    """Do the printed and the recomputed p fall on different sides of ``alpha``? Bounds that leave the side open do
    not count."""

    def significant(p: float) -> bool:
        return p <= alpha if alpha_is_significant else p < alpha

    if of_statistic == "<" and relation == ">" or of_statistic == ">" and relation == "<":
        return False
    if relation == "<":
        claimed = value <= alpha
    elif relation == ">":
        claimed = not value >= alpha
    else:
        claimed = significant(value)
    if of_statistic == "<":  # p is above the computed one
        return claimed and computed >= alpha
    if of_statistic == ">":
        return not claimed and computed <= alpha
    if relation == "=":
        return claimed != significant(computed)
    return claimed and not significant(computed) if relation == "<" else not claimed and significant(computed)


class TTests(NamedTuple):
    """Two-sided p of a two-sample t test, with equal variances and with Welch's; None where both SDs are 0."""

    student: float | None
    welch: float | None


def t_tests(mean1, sd1, n1: int, mean2, sd2, n2: int) -> TTests:
    """Student's and Welch's t test of two means, by definition, from their SDs and group sizes.

    ValueError for groups of fewer than two.
    """
    mean1, mean2 = check_number("mean", mean1), check_number("mean", mean2)
    # The fourth powers in Welch's degrees of freedom must stay within what a float holds.
    sd1, sd2 = check_number("SD", sd1, least=0, most=1e75), check_number("SD", sd2, least=0, most=1e75)
    n1, n2 = check_number("n", n1, least=2), check_number("n", n2, least=2)
    if sd1**4 == sd2**4 == 0:
        return TTests(None, None)
    given = (mean1, sd1, n1, mean2, sd2, n2)
    return TTests(*(float(ttest_ind_from_stats(*given, equal_var=equal).pvalue) for equal in (True, False)))
