"""Counts and percentages of small groups.

Possible counts, denominators and tables are exact: by definition a count prints a percentage if 100 × count / n lies in
the interval of what was printed.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from whichdata.given import (
    MOST_COUNTS,
    MOST_OUTCOMES,
    check_count,
    check_group,
    check_list,
    read_percentage,
    read_share,
)
from whichdata.printed import Interval, Printed, percentage

MOST_TABLES = 10_000


# Percentages --------------------------------------------------------------------------------------------------------


def possible_counts(percent: str | Printed, n, rounding: str = "up_or_down") -> range:
    """The counts among ``n`` that by definition print as ``percent`` (empty if none does)."""
    n = check_count("n", n, least=1)
    return read_percentage(percent).interval(rounding).scaled(Fraction(n, 100)).integers(0, n)


def count_prints(count, n, percent: str | Printed, rounding: str = "up_or_down") -> bool:
    """Would ``count`` of ``n`` be printed as ``percent``? By definition, in exact arithmetic."""
    count, n = check_group(count, n)
    return read_percentage(percent).prints(percentage(count, n), rounding)


def possible_denominators(
    percents: str | Printed | Sequence[str | Printed], n_max, rounding: str = "up_or_down"
) -> list[int]:
    """Group sizes to ``n_max`` at which every one of ``percents`` (one, or several of the same group) has a count.

    By definition, each size tried in turn.
    """
    if isinstance(percents, (str, Printed)):
        percents = [percents]
    n_max = check_count("n_max", n_max, least=1, most=MOST_COUNTS)
    shares = [read_share(p, rounding) for p in check_list("percents", percents)]
    if not shares:
        raise ValueError("no percentages: give at least one")
    return [n for n in range(1, n_max + 1) if all(_holds_a_count(share, n) for share in shares)]


def _holds_a_count(share: Interval, n: int) -> bool:
    """Is some k/n in ``share``? In whole numbers, for this is asked of every n."""
    (a, b), (c, d) = share.lower.as_integer_ratio(), share.upper.as_integer_ratio()
    least = -(-a * n // b) if share.lower_closed else a * n // b + 1
    most = c * n // d if share.upper_closed else -(-c * n // d) - 1
    return least <= most


def tables_printing(n1, percent1, n2, percent2, rounding: str = "up_or_down") -> Iterator[list[list[int]]]:
    """Every 2×2 table of two groups (rows; events, then none) whose percentages print as given, by definition.

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


# Proportions --------------------------------------------------------------------------------------------------------


def proportion_intervals(count, n, level: float = 0.95) -> dict[str, tuple[float, float]]:
    """Confidence intervals of the proportion ``count``/``n`` by name [BrownCaiDasGupta2001].

    ``clopper_pearson`` exact · ``wilson`` score · ``wilson_cc`` score with continuity correction [Newcombe1998] (R's
    ``prop.test`` drops it where exactly half were counted) · ``jeffreys_unadjusted`` Beta(½, ½) posterior, not widened
    at 0 and n · ``agresti_coull``, cut at 0 and 1.
    """
    count, n = check_group(count, n)
    test = binomtest(count, n)
    found = {
        "clopper_pearson": proportion_confint(count, n, 1 - level, "beta"),
        "wilson": test.proportion_ci(level, "wilson"),
        "wilson_cc": test.proportion_ci(level, "wilsoncc"),
        "jeffreys_unadjusted": proportion_confint(count, n, 1 - level, "jeffreys"),
        "agresti_coull": proportion_confint(count, n, 1 - level, "agresti_coull"),
    }
    return {name: (float(low), float(high)) for name, (low, high) in found.items()}
