"""The Mann–Whitney test under every convention, and the data sets that could have printed its summaries.

U counts the pairs in which a value of group 1 exceeds one of group 2, ties for half (R's W). A *tie structure* is the
sizes of the groups of equal values, from the lowest value up; ``(1, 1, …)`` is no ties. Null distributions are exact:
whole numbers of ways, given the tie structure.

Two-sided conventions: ``exact_doubled`` doubles the smaller tail, ``mid_p_doubled`` the smaller
mid-p tail, both without ties only · ``exact_conditional`` sums all deviations from the mean at least as large, given
the ties · ``asymptotic_cc`` and ``asymptotic_no_cc`` the normal with tie-corrected variance, with and without the
continuity correction of ½.
"""

import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from numbers import Real
from typing import NamedTuple

from scipy.special import ndtr, ndtri

from whichdata.given import MOST_COUNTS, check_list, given_interval
from whichdata.printed import Interval, Printed
from whichdata.rank_nulls import STEP_LIMIT, NullDistribution, P, check_sizes, exact_is_affordable, null_distribution

COMPOSITION_LIMIT = 14  # n1 + n2 up to which every tie structure is tried, and the number tried beyond
SAMPLED_STRUCTURES = 1_000
SAMPLED_LIMIT = 40  # n1 + n2 up to which any are tried


def tie_sum(ties: Iterable[int]) -> int:
    """Σ(t³ − t) over the groups of ties, the quantity that corrects the variance [Lehmann1975]."""
    return sum(t**3 - t for t in ties)


def asymptotic_p(n1: int, n2: int, u2: int, tied: int, continuity: bool, greater: bool = False) -> float | None:
    """p of 2U = ``u2`` by the normal with the variance corrected for Σ(t³ − t) = ``tied`` [Lehmann1975].

    Two-sided, or that group 1 is ``greater``. None if all values are tied (no variance).
    """
    size = n1 + n2
    variance = Fraction(n1 * n2, 12) * (size + 1 - Fraction(tied, size * (size - 1)))
    if not variance:
        return None
    deviation = Fraction(u2 - n1 * n2, 2)
    if greater:
        return float(ndtr(-(float(deviation) - continuity / 2) / math.sqrt(variance)))
    deviation = max(abs(deviation) - Fraction(int(continuity), 2), 0)
    return float(2 * ndtr(-float(deviation) / math.sqrt(variance)))


def p_by_convention(n1: int, n2: int, u2: int, ties: tuple[int, ...] | None = None) -> dict[str, P]:
    """Every two-sided p of 2U = ``u2`` given a tie structure [MannWhitney1947]; None where a convention does not apply.

    The exact conventions give fractions; beyond ``PRODUCT_LIMIT`` they are None too.
    """
    tied = 0 if ties is None else tie_sum(ties)
    exact = null_distribution(n1, n2, ties) if exact_is_affordable(n1, n2, ties) else None
    return {
        "exact_doubled": exact.doubled(u2) if exact and not tied else None,
        "exact_conditional": exact.conditional(u2) if exact else None,
        "mid_p_doubled": exact.mid_doubled(u2) if exact and not tied else None,
        "asymptotic_cc": asymptotic_p(n1, n2, u2, tied, continuity=True),
        "asymptotic_no_cc": asymptotic_p(n1, n2, u2, tied, continuity=False),
    }


class MannWhitney(NamedTuple):
    """A test of two groups: ``u`` of the first, ``ties`` its tie structure, p that the first is ``greater`` (exact
    given the ties, and by the normal without correction), and the two-sided p ``by_convention``."""

    u: Fraction
    ties: tuple[int, ...]
    exact_greater: Fraction | None
    asymptotic_greater_no_cc: float | None
    by_convention: dict[str, P]


def mann_whitney(x: Sequence, y: Sequence) -> MannWhitney:
    """The test of the values ``x`` against ``y`` [MannWhitney1947]. ValueError if a group is empty or a value is no
    number."""
    for name, group in (("x", x), ("y", y)):
        if not check_list(f"group {name}", group):
            raise ValueError(f"group {name} is empty")
        for value in group:
            if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
                raise ValueError(f"{value!r} in group {name} is not a number; leave it out")
    in_x, in_y = Counter(x), Counter(y)
    u2, y_below, ties = 0, 0, []
    for value in sorted(set(in_x) | set(in_y)):
        a, b = in_x[value], in_y[value]
        u2 += a * (2 * y_below + b)
        y_below += b
        ties.append(a + b)
    n1, n2, ties = len(x), len(y), tuple(ties)
    return MannWhitney(
        Fraction(u2, 2),
        ties,
        null_distribution(n1, n2, ties).greater(u2) if exact_is_affordable(n1, n2, ties) else None,
        asymptotic_p(n1, n2, u2, tie_sum(ties), continuity=False, greater=True),
        p_by_convention(n1, n2, u2, ties),
    )


def u_possible(n1, n2, u, ties: bool = True, rounding: str = "up_or_down") -> bool:
    """Can ``u`` (number or printed text) occur? By definition from 0 to n1 × n2, in halves if ``ties``, else whole."""
    n1, n2 = check_sizes(n1, n2)
    admitted = given_interval(u, rounding)
    steps = 2 if ties else 1
    return len(admitted.scaled(steps).integers(0, steps * n1 * n2)) > 0


def least_exact_p(n1, n2) -> Fraction:
    """The smallest exact two-sided p without ties: 2 / C(n1 + n2, n1), at most 1. Derived here: one of the choices of
    group 1 gives U = 0 and one U = n1 × n2."""
    n1, n2 = check_sizes(n1, n2)
    return min(Fraction(1), Fraction(2, math.comb(n1 + n2, n1)))


def tie_structures(size: int) -> Iterator[tuple[int, ...]]:
    """Every tie structure of ``size`` values, by definition a composition of it, one of each mirrored pair (mirrors
    have the same p values)."""
    for cuts in range(1 << (size - 1)):
        sizes, run = [], 1
        for k in range(size - 1):
            if cuts >> k & 1:
                sizes.append(run)
                run = 1
            else:
                run += 1
        structure = (*sizes, run)
        if structure <= structure[::-1]:
            yield structure


@lru_cache(maxsize=64)
def reachable(n1: int, n2: int, by_sum: bool = True) -> dict:
    """Which 2U can occur with which ties: {Σ(t³ − t): set of bits, bit u2 set if 2U = u2 can occur}.

    ``by_sum`` False: the keys are the sizes of the tie groups above one, in increasing order. ValueError before the
    search if there are too many. Derived here: values are placed from the lowest up; a of group 1 and b of group 2
    that tie, above j of group 2, add 2 a j + a b to 2U.
    """
    if not _ties_listable(n1, n2):
        raise ValueError(
            f"{about_steps(_listing_steps(n1, n2))} steps to list the ties of {n1 + n2} values, more than "
            f"{STEP_LIMIT:.0e}: exclude ties, or give the data"
        )

    def extend(key, tied: int):
        if by_sum:
            return key + tied**3 - tied
        return tuple(sorted((*key, tied))) if tied > 1 else key

    cells: dict = {(0, 0): {(0 if by_sum else ()): 1}}
    for i in range(n1 + 1):
        for j in range(n2 + 1):
            for key, bits in cells.get((i, j), {}).items():
                for a in range(n1 - i + 1):
                    for b in range(n2 - j + 1):
                        if a + b:
                            grown, target = extend(key, a + b), cells.setdefault((i + a, j + b), {})
                            target[grown] = target.get(grown, 0) | bits << (2 * a * j + a * b)
    return cells[n1, n2]


def _listing_steps(n1: int, n2: int) -> int:
    return n1 * (n1 + 1) * n2 * (n2 + 1) // 4 * partitions(n1 + n2)


def about_steps(steps: float) -> str:
    """A number of steps for reading, by definition to two digits."""
    return f"about {steps:.1e}" if steps < 1e100 else "more than 1e+100"


def _ties_listable(n1: int, n2: int) -> bool:
    return _listing_steps(n1, n2) <= STEP_LIMIT


def partitions(size: int) -> int:
    """The number of ways to cut ``size`` values into tie groups whatever their order, by definition its partitions
    (endless beyond 500)."""
    if size > 500:
        return math.inf
    counts = [1] + [0] * size
    for part in range(1, size + 1):
        for total in range(part, size + 1):
            counts[total] += counts[total - part]
    return counts[size]


def _bits(bits: int) -> list[int]:
    return [k for k in range(bits.bit_length()) if bits >> k & 1]


class Match(NamedTuple):
    """One way to a p value: the ``convention``, U (of either group: the other is n1 n2 − U), the sizes of the tie
    groups above one (for ``exact_conditional`` the whole structure, whose order matters), and p."""

    convention: str
    u: Fraction
    ties: tuple[int, ...]
    p: Fraction | float


def ways_to_print(p: str | Printed, n1, n2, u=None, ties: bool = True, rounding: str = "up_or_down") -> Iterator[Match]:
    """Every (U, ties, convention) of two groups whose two-sided p prints as ``p``, U up to the mean n1 n2 / 2.

    ``u``: only that U (printed text or a number; None: any). ``ties`` False: only without ties. The conventions
    without ties come first, then the asymptotic ones with ties, then the exact one given the ties. ValueError on the
    way to those where listing all ties would take too long. Derived here by trying all that is possible.
    """
    n1, n2 = check_sizes(n1, n2)
    admitted, wanted = p_interval(p, rounding), _wanted_u2(n1, n2, u, ties, rounding)
    yield from _without_ties(n1, n2, wanted, admitted)
    if ties:
        for sizes, bits in sorted(reachable(n1, n2, by_sum=False).items()):
            yield from _asymptotic_with_ties(n1, n2, sizes, tie_sum(sizes), bits, wanted, admitted)
        if n1 + n2 > COMPOSITION_LIMIT:
            raise ValueError(_too_many_structures(n1 + n2))
        for structure in tie_structures(n1 + n2):
            yield from _exact_with_ties(null_distribution(n1, n2, structure), wanted, admitted)


def p_possible(p: str | Printed, n1, n2, u=None, ties: bool = True, rounding: str = "up_or_down") -> bool:
    """Does any convention, with any U (or ``u``) and any ties allowed, print ``p``? The union, not its hull;
    derived here, as in :func:`ways_to_print`.

    ValueError if none of those tried does and there are too many tie structures to try them all.
    """
    n1, n2 = check_sizes(n1, n2)
    admitted, wanted = p_interval(p, rounding), _wanted_u2(n1, n2, u, ties, rounding)
    if any(True for _ in _without_ties(n1, n2, wanted, admitted)):
        return True
    if not ties or (wanted is not None and not wanted):
        return False
    size = n1 + n2
    asymptotic_done = _ties_listable(n1, n2)
    if asymptotic_done:
        for tied, bits in reachable(n1, n2).items():
            if any(True for _ in _asymptotic_with_ties(n1, n2, (), tied, bits, wanted, admitted)):
                return True
    for structure in tie_structures(size) if size <= COMPOSITION_LIMIT else _some_structures(size):
        exact = null_distribution(n1, n2, structure)
        if any(True for _ in _exact_with_ties(exact, wanted, admitted)):
            return True
        reached = sum(1 << u2 for u2, ways in enumerate(exact.ways) if ways)
        tied = tie_sum(structure)
        if not asymptotic_done and any(
            True for _ in _asymptotic_with_ties(n1, n2, (), tied, reached, wanted, admitted)
        ):
            return True
    if size > COMPOSITION_LIMIT:
        raise ValueError(_too_many_structures(size))
    return False


def _too_many_structures(size: int) -> str:
    return (
        f"{size} values have 2^{size - 1} tie structures, more than the exact test can try (up to {COMPOSITION_LIMIT} "
        "values): exclude ties, or give the data"
    )


def _some_structures(size: int) -> Iterator[tuple[int, ...]]:
    """A fixed sample of tie structures, with few ties and with many; none where the exact test is too slow."""
    draw = random.Random(size)
    tried = min(SAMPLED_STRUCTURES, SAMPLED_STRUCTURES * 600 // size**2)
    for k in range(tried if size <= SAMPLED_LIMIT else 0):
        separate = (0.95, 0.85, 0.7, 0.5, 0.25)[k % 5]
        sizes = [1]
        for _ in range(size - 1):
            if draw.random() < separate:
                sizes.append(1)
            else:
                sizes[-1] += 1
        yield tuple(sizes)


def _wants(u2: int, n1: int, n2: int, wanted: range | None) -> bool:
    return wanted is None or u2 in wanted or 2 * n1 * n2 - u2 in wanted


def _asymptotic_with_ties(n1, n2, sizes, tied, bits, wanted, admitted) -> Iterator[Match]:
    for u2 in _bits(bits) if tied else ():
        if u2 <= n1 * n2 and _wants(u2, n1, n2, wanted):
            for name, continuity in (("asymptotic_cc", True), ("asymptotic_no_cc", False)):
                value = asymptotic_p(n1, n2, u2, tied, continuity)
                if value is not None and value in admitted:
                    yield Match(name, Fraction(u2, 2), sizes, value)


def _exact_with_ties(exact: NullDistribution, wanted: range | None, admitted: Interval) -> Iterator[Match]:
    mean = exact.n1 * exact.n2
    for u2, ways in enumerate(exact.ways) if max(exact.ties) > 1 else ():
        if ways and _wants(u2, exact.n1, exact.n2, wanted):
            value = exact.conditional(u2)
            if value in admitted:
                yield Match("exact_conditional", Fraction(min(u2, 2 * mean - u2), 2), exact.ties, value)


def _without_ties(n1: int, n2: int, wanted: range | None, admitted: Interval) -> Iterator[Match]:
    mean = n1 * n2
    few = wanted is not None and len(wanted) < mean
    candidates = {min(u2, 2 * mean - u2) for u2 in wanted} if few else range(0, mean + 1, 2)
    if not few and not exact_is_affordable(n1, n2):
        candidates = _u2_near(n1, n2, admitted)
    if len(candidates) > MOST_COUNTS:
        raise ValueError(f"{len(candidates)} values of U to try for groups of {n1} and {n2}: give U, or the data")
    for u2 in sorted(candidates):
        if u2 % 2 == 0 and _wants(u2, n1, n2, wanted):
            for name, value in p_by_convention(n1, n2, u2).items():
                if value is not None and value in admitted:
                    yield Match(name, Fraction(u2, 2), (), value)


def _u2_near(n1: int, n2: int, admitted: Interval) -> range:
    """The even 2U up to the mean whose asymptotic p without ties may lie in ``admitted``."""
    mean, sd = n1 * n2, math.sqrt(n1 * n2 * (n1 + n2 + 1) / 3)  # of 2U
    lower, upper = (min(max(float(p), 0.0), 1.0) for p in (admitted.lower, admitted.upper))
    # two more on each side for the correction and the last digits of floats
    least = 0 if lower <= 0 else max(0, math.floor(mean + float(ndtri(lower / 2)) * sd) - 4)
    most = min(mean, math.ceil(mean + float(ndtri(upper / 2)) * sd) + 4)
    return range(least + least % 2, most + 1, 2)


def p_interval(p: str | Printed, rounding: str) -> Interval:
    """The values that a printed p stands for, by definition of 0 to 1. ValueError outside."""
    printed = p if isinstance(p, Printed) else Printed.parse(p)
    if printed.value is not None and not 0 <= printed.value <= 1:
        raise ValueError(f"p = {printed.text} is outside 0 to 1")
    return printed.interval(rounding)


def _wanted_u2(n1: int, n2: int, u, ties: bool, rounding: str) -> range | None:
    if u is None:
        return None
    halves = given_interval(u, rounding).scaled(2).integers(0, 2 * n1 * n2)
    return halves if ties else range(halves.start + halves.start % 2, halves.stop, 2)
