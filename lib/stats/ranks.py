"""The Mann–Whitney test under every convention, and the data sets that could have printed its summaries.

U counts the pairs in which a value of group 1 exceeds one of group 2, ties for half (R's W). A *tie structure* is the
sizes of the groups of equal values, from the lowest value up; ``(1, 1, …)`` is no ties. Null distributions are exact:
whole numbers of ways, given the tie structure.

Two-sided conventions (``CONVENTIONS``): ``exact_doubled`` doubles the smaller tail, ``mid_p_doubled`` the smaller
mid-p tail, both without ties only · ``exact_conditional`` sums all deviations from the mean at least as large, given
the ties · ``asymptotic_cc`` and ``asymptotic_no_cc`` the normal with tie-corrected variance, with and without the
continuity correction of ½.
"""

import math
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import groupby
from numbers import Real
from typing import NamedTuple

from scipy.special import ndtr, ndtri

from lib.reported import Interval, Printed, given_interval
from lib.stats.counts import MOST_COUNTS, check_count, check_list

CONVENTIONS = ("exact_doubled", "exact_conditional", "mid_p_doubled", "asymptotic_cc", "asymptotic_no_cc")
PRODUCT_LIMIT = {"tied": 10_000, "untied": 40_000}  # n1 × n2 up to which exact distributions are worked out
COMPOSITION_LIMIT = 14  # n1 + n2 up to which every tie structure is tried, and the number tried beyond
SAMPLED_STRUCTURES = 1_000
SAMPLED_LIMIT = 40  # n1 + n2 up to which any are tried
MOST_IN_GROUP = 100_000
STEP_LIMIT = 30_000_000
MOST_MIDDLES = 1_000_000  # pairs of middle values × patients, each pair a way of its own to meet a median

P = Fraction | float | None  # exact where the convention is, None where it does not apply


# One test -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NullDistribution:
    """The distribution of U over all ways to choose group 1, given the tie structure ``ties``.

    ``ways[u2]``: the number of choices with 2U = u2, for u2 = 0 … 2 n1 n2.
    """

    n1: int
    n2: int
    ties: tuple[int, ...]
    ways: tuple[int, ...]

    @cached_property
    def total(self) -> int:
        return math.comb(self.n1 + self.n2, self.n1)

    @cached_property
    def _at_most(self) -> list[int]:
        sums, running = [], 0
        for ways in self.ways:
            running += ways
            sums.append(running)
        return sums

    def less(self, u2: int) -> Fraction:
        """P(2U ≤ u2)."""
        return Fraction(self._at_most[u2], self.total)

    def greater(self, u2: int) -> Fraction:
        """P(2U ≥ u2)."""
        return Fraction(self.total - self._at_most[u2] + self.ways[u2], self.total)

    def doubled(self, u2: int) -> Fraction:
        """Twice the smaller tail, at most 1."""
        return min(Fraction(1), 2 * min(self.less(u2), self.greater(u2)))

    def mid_doubled(self, u2: int) -> Fraction:
        """Twice the smaller tail with the observed value counted by half."""
        half = Fraction(self.ways[u2], 2 * self.total)
        return 2 * min(self.less(u2) - half, self.greater(u2) - half)

    def conditional(self, u2: int) -> Fraction:
        """P(|U − mean| ≥ |u − mean|)."""
        mean = self.n1 * self.n2  # of 2U
        deviation = abs(u2 - mean)
        if not deviation:
            return Fraction(1)
        return self.less(mean - deviation) + self.greater(mean + deviation)


def check_sizes(n1, n2) -> tuple[int, int]:
    """Two group sizes from 1 to ``MOST_IN_GROUP``, or ValueError."""
    return check_count("n1", n1, 1, MOST_IN_GROUP), check_count("n2", n2, 1, MOST_IN_GROUP)


@lru_cache(maxsize=40_000)
def null_distribution(n1: int, n2: int, ties: tuple[int, ...] | None = None) -> NullDistribution:
    """The exact null distribution of U for a tie structure (None: no ties).

    ValueError if the sizes do not match, or the groups are too large (``PRODUCT_LIMIT``).
    """
    size = n1 + n2
    ties = (1,) * size if ties is None else ties
    if sum(ties) != size or min(ties) < 1:
        raise ValueError(f"the tie structure {ties} does not hold {size} values")
    if not exact_is_affordable(n1, n2, ties):
        raise ValueError(f"n1 × n2 = {n1 * n2} is too large for an exact distribution: use the asymptotic conventions")
    # A polynomial in 2U is one whole number with `bits` per coefficient; shifting it left multiplies by the variable.
    bits = math.comb(size, n1).bit_length() + 1
    if max(ties) == 1:
        every_whole_u = _unpack(_gaussian_binomial(n1, n2, bits), bits, n1 * n2 + 1)
        return NullDistribution(n1, n2, ties, tuple(ways for c in every_whole_u for ways in (c, 0))[:-1])
    chosen = [1] + [0] * n1
    below = 0
    for tied in ties:
        rank = 2 * below + tied + 1  # twice the midrank
        for k in range(min(n1, below + tied), 0, -1):
            for take in range(1, min(tied, k) + 1):
                if chosen[k - take]:
                    chosen[k] += (chosen[k - take] * math.comb(tied, take)) << (take * rank * bits)
        below += tied
    packed = chosen[n1] >> (n1 * (n1 + 1) * bits)
    return NullDistribution(n1, n2, ties, tuple(_unpack(packed, bits, 2 * n1 * n2 + 1)))


def exact_is_affordable(n1: int, n2: int, ties: tuple[int, ...] | None = None) -> bool:
    """Are the groups small enough for an exact distribution?"""
    return n1 * n2 <= PRODUCT_LIMIT["tied" if ties and max(ties) > 1 else "untied"]


def _gaussian_binomial(n1: int, n2: int, bits: int) -> int:
    """Π (1 − q^(n2 + i)) / (1 − q^i), i = 1 … n1: the ways to each U without ties, packed.

    Division is by 1/(1 − q^i) = Π (1 + q^(i 2^k)). Negative coefficients on the way borrow from their neighbours and
    are made good at the end: the arithmetic is modulo the length of the whole polynomial.
    """
    degree = n1 * n2
    mask = (1 << (bits * (degree + 1))) - 1
    packed = 1
    for i in range(1, n1 + 1):
        packed -= packed << ((n2 + i) * bits)
        shift = i
        while shift <= degree:
            packed = (packed + (packed << (shift * bits))) & mask
            shift *= 2
    return packed & mask


def _unpack(packed: int, bits: int, length: int) -> list[int]:
    """The ``length`` coefficients of ``bits`` each in ``packed``, lowest first."""
    if length <= 64:
        mask = (1 << bits) - 1
        return [(packed >> (k * bits)) & mask for k in range(length)]
    half = length // 2  # halving keeps the shifts of a long number cheap
    low = packed & ((1 << (half * bits)) - 1)
    return _unpack(low, bits, half) + _unpack(packed >> (half * bits), bits, length - half)


def tie_sum(ties: Iterable[int]) -> int:
    """Σ(t³ − t) over the groups of ties, the quantity that corrects the variance."""
    return sum(t**3 - t for t in ties)


def asymptotic_p(n1: int, n2: int, u2: int, tied: int, continuity: bool, greater: bool = False) -> float | None:
    """p of 2U = ``u2`` by the normal with the variance corrected for Σ(t³ − t) = ``tied``.

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
    """Every two-sided p of 2U = ``u2`` given a tie structure; None where a convention does not apply.

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
    """The test of the values ``x`` against ``y``. ValueError if a group is empty or a value is no number."""
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


# What group sizes allow ---------------------------------------------------------------------------------------------


def u_possible(n1, n2, u, ties: bool = True, rounding: str = "up_or_down") -> bool:
    """Can ``u`` (a number, or printed text) occur: from 0 to n1 × n2, in halves with ``ties``, else whole?"""
    n1, n2 = check_sizes(n1, n2)
    admitted = given_interval(u, rounding)
    steps = 2 if ties else 1
    return len(admitted.scaled(steps).integers(0, steps * n1 * n2)) > 0


def least_exact_p(n1, n2) -> Fraction:
    """The smallest exact two-sided p without ties: 2 / C(n1 + n2, n1), at most 1."""
    n1, n2 = check_sizes(n1, n2)
    return min(Fraction(1), Fraction(2, math.comb(n1 + n2, n1)))


def tie_structures(size: int) -> Iterator[tuple[int, ...]]:
    """Every tie structure of ``size`` values, one of each mirrored pair (mirrors have the same p values)."""
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
    search if there are too many.
    """
    if not _ties_listable(n1, n2):
        raise ValueError(
            f"{_about(_listing_steps(n1, n2))} steps to list the ties of {n1 + n2} values, more than "
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
    return n1 * (n1 + 1) * n2 * (n2 + 1) // 4 * _partitions(n1 + n2)


def _about(steps: float) -> str:
    return f"about {steps:.1e}" if steps < 1e100 else "more than 1e+100"


def _ties_listable(n1: int, n2: int) -> bool:
    return _listing_steps(n1, n2) <= STEP_LIMIT


def _partitions(size: int) -> int:
    """The number of ways to cut ``size`` values into tie groups, whatever their order (endless beyond 500)."""
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
    way to those where listing all ties would take too long.
    """
    n1, n2 = check_sizes(n1, n2)
    admitted, wanted = _p_interval(p, rounding), _wanted_u2(n1, n2, u, ties, rounding)
    yield from _without_ties(n1, n2, wanted, admitted)
    if ties:
        for sizes, bits in sorted(reachable(n1, n2, by_sum=False).items()):
            yield from _asymptotic_with_ties(n1, n2, sizes, tie_sum(sizes), bits, wanted, admitted)
        if n1 + n2 > COMPOSITION_LIMIT:
            raise ValueError(_too_many_structures(n1 + n2))
        for structure in tie_structures(n1 + n2):
            yield from _exact_with_ties(null_distribution(n1, n2, structure), wanted, admitted)


def p_possible(p: str | Printed, n1, n2, u=None, ties: bool = True, rounding: str = "up_or_down") -> bool:
    """Does any convention, with any U (or ``u``) and any ties allowed, print ``p``? The union, not its hull.

    ValueError if none of those tried does and there are too many tie structures to try them all.
    """
    n1, n2 = check_sizes(n1, n2)
    admitted, wanted = _p_interval(p, rounding), _wanted_u2(n1, n2, u, ties, rounding)
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


def _p_interval(p: str | Printed, rounding: str) -> Interval:
    printed = p if isinstance(p, Printed) else Printed.parse(p)
    if printed.value is not None and not 0 <= printed.value <= 1:
        raise ValueError(f"p = {printed.text} is outside 0 to 1")
    return printed.interval(rounding)


def _wanted_u2(n1: int, n2: int, u, ties: bool, rounding: str) -> range | None:
    if u is None:
        return None
    halves = given_interval(u, rounding).scaled(2).integers(0, 2 * n1 * n2)
    return halves if ties else range(halves.start + halves.start % 2, halves.stop, 2)


# Data sets that print the summaries ---------------------------------------------------------------------------------


class OrderBounds(NamedTuple):
    """Bounds of each ordered value of a group, in units: lows[k] ≤ x₍k₎ ≤ highs[k], both rising."""

    lows: tuple[int, ...]
    highs: tuple[int, ...]


@dataclass(frozen=True)
class Group:
    """A group known by its summaries, or by its ``values``.

    ``minimum``, ``median``, ``maximum``: plain numbers (exact), printed texts (intervals), or, for the median, None.
    """

    n: int
    minimum: float | str | None = None
    median: float | str | None = None
    maximum: float | str | None = None
    values: tuple | None = None

    def bounds(self, unit: Fraction = Fraction(1), rounding: str = "up_or_down") -> list[OrderBounds]:
        """The disjoint ways to meet the summaries with multiples of ``unit``: one, or with an even n one for each
        pair of middle values. Empty if there is none. ValueError if the summaries contradict their own order."""
        if self.values is not None:
            return self._bounds_of_values(unit, rounding)
        n = check_count("n", self.n, 1, MOST_IN_GROUP)
        if self.minimum is None or self.maximum is None:
            raise ValueError("a group needs its min and max: without them there are endlessly many data sets")
        low, high = (_units(v, unit, rounding) for v in (self.minimum, self.maximum))
        median = None if self.median is None else given_interval(self.median, rounding).scaled(1 / unit)
        _check_order(self, unit, rounding)
        if not low or not high:
            return []
        edges = [[low.start, high.stop - 1] for _ in range(n)]
        edges[0][1] = low.stop - 1
        edges[-1][0] = max(edges[-1][0], high.start)
        if n == 1:
            edges[0] = [max(low.start, high.start), min(low.stop, high.stop) - 1]
        if median is None:
            return [b for b in [_rising(edges)] if b]
        if n % 2:
            middle = median.integers(low.start, high.stop - 1)
            edges[n // 2] = [max(edges[n // 2][0], middle.start), min(edges[n // 2][1], middle.stop - 1)]
            return [b for b in [_rising(edges)] if b]
        return list(self._even(edges, median.scaled(2)))

    def _even(self, edges: list[list[int]], doubled: Interval) -> Iterator[OrderBounds]:
        left, right = self.n // 2 - 1, self.n // 2
        span = edges[left][1] - edges[left][0] + 1
        pairs = span * min(math.floor(doubled.upper - doubled.lower) + 1, edges[right][1] - edges[left][0] + 1)
        if pairs * self.n > MOST_MIDDLES:
            raise ValueError(
                f"up to {pairs:,} pairs of middle values of {self.n} patients, too many to try: narrow the range, or "
                "take a coarser unit"
            )
        for x in range(edges[left][0], edges[left][1] + 1):
            for total in doubled.integers(2 * x, x + edges[right][1]):
                fixed = [list(e) for e in edges]
                fixed[left] = [x, x]
                fixed[right] = [max(total - x, fixed[right][0]), min(total - x, fixed[right][1])]
                bounds = _rising(fixed)
                if bounds:
                    yield bounds

    def _bounds_of_values(self, unit: Fraction, rounding: str) -> list[OrderBounds]:
        ranges = [_units(v, unit, rounding) for v in check_list("values", self.values)]
        if not ranges:
            raise ValueError("the group is empty")
        if not all(ranges):
            return []
        if any(len(r) > 1 for r in ranges):
            raise ValueError("raw values must be exact in the unit; give a finer unit")
        values = tuple(sorted(r.start for r in ranges))
        return [OrderBounds(values, values)]


def _units(value, unit: Fraction, rounding: str) -> range:
    """The whole numbers of units that ``value`` may be."""
    interval = given_interval(value, rounding).scaled(1 / unit)
    if not math.isfinite(interval.lower) or not math.isfinite(interval.upper):
        raise ValueError(f"{value!r} leaves the values unbounded; give a number")
    return interval.integers(math.floor(interval.lower), math.ceil(interval.upper))


def _check_order(group: Group, unit: Fraction, rounding: str) -> None:
    named = [("min", group.minimum), ("median", group.median), ("max", group.maximum)]
    known = [(name, value, given_interval(value, rounding)) for name, value in named if value is not None]
    for (name, value, interval), (above, higher, bound) in zip(known, known[1:]):
        if interval.lower > bound.upper:
            raise ValueError(f"the {name} {value} is above the {above} {higher}")


def _rising(edges: list[list[int]]) -> OrderBounds | None:
    """Bounds made rising (x₍k₎ is at least every low before it, at most every high after it); None if empty."""
    lows, highs = [e[0] for e in edges], [e[1] for e in edges]
    for k in range(1, len(edges)):
        lows[k] = max(lows[k], lows[k - 1])
        highs[-k - 1] = min(highs[-k - 1], highs[-k])
    return OrderBounds(tuple(lows), tuple(highs)) if all(a <= b for a, b in zip(lows, highs)) else None


def count_datasets(bounds: OrderBounds) -> int:
    """The number of multisets of whole numbers within the bounds."""
    blocks = [(edges, len(list(block))) for edges, block in groupby(zip(bounds.lows, bounds.highs))]
    free = [i for i, ((low, high), _) in enumerate(blocks) if low < high]
    if all(j > i + 1 for i, j in zip(free, free[1:])):  # set apart by fixed values, so each block fills on its own
        return math.prod(math.comb(k + high - low, k) for (low, high), k in blocks)
    grid = range(bounds.lows[0], bounds.highs[-1] + 1)
    if len(grid) * len(bounds.lows) > STEP_LIMIT:
        size = f"{len(bounds.lows)} values on a grid of {len(grid)}"
        raise ValueError(f"{size} are too many: narrow the range, or take a coarser unit")
    placed = [1] + [0] * len(bounds.lows)
    for least, most in _placed_range(bounds, grid):
        running, grown = 0, []
        for k, ways in enumerate(placed):
            running += ways
            grown.append(running if least <= k <= most else 0)
        placed = grown
    return placed[-1]


def _placed_range(bounds: OrderBounds, grid: range) -> list[tuple[int, int]]:
    """For each value of the grid, how few and how many of the group may lie at or below it."""
    return [(bisect_right(bounds.highs, v), bisect_right(bounds.lows, v)) for v in grid]


class PRange(NamedTuple):
    """A convention over a feasible set: the range of p, the number of pairs of data sets that print the p asked for
    (None if none was), and one such pair (None if there is none)."""

    min_p: P
    max_p: P
    n_printing: int | None
    witness: tuple[tuple, tuple] | None


class FeasibleRanks(NamedTuple):
    """All pairs of data sets that print two groups' summaries.

    ``n_group1``, ``n_group2``, ``n_pairs``: how many · ``by_convention``: a :class:`PRange` each, None where the
    convention was too large to work out · ``n_printing``: pairs that print p by any convention worked out.
    """

    n_group1: int
    n_group2: int
    n_pairs: int
    by_convention: dict[str, PRange | None]
    n_printing: int | None


FEASIBLE_CONVENTIONS = ("exact_conditional", "asymptotic_cc", "asymptotic_no_cc")


def feasible_ranks(
    group1: Group,
    group2: Group,
    p: str | Printed | None = None,
    unit: Fraction = Fraction(1),
    rounding: str = "up_or_down",
) -> FeasibleRanks:
    """Count the pairs of data sets, multiples of ``unit``, that print the summaries, and range p over them.

    Exact: a walk up the values keeps the number of ways for every (placed, tie structure, U). The exact convention
    needs the order of the ties and is left out (None) where that walk is too long; the asymptotic ones need only
    Σ(t³ − t), and if even that is too long a ValueError says so before the walk starts.
    """
    all1, all2 = group1.bounds(unit, rounding), group2.bounds(unit, rounding)
    n_group1, n_group2 = (sum(map(count_datasets, b)) for b in (all1, all2))
    admitted = None if p is None else _p_interval(p, rounding)
    if not n_group1 * n_group2:
        empty = PRange(None, None, None if p is None else 0, None)
        return FeasibleRanks(n_group1, n_group2, 0, dict.fromkeys(FEASIBLE_CONVENTIONS, empty), empty.n_printing)
    n1, n2 = len(all1[0].lows), len(all2[0].lows)
    _check_walks(all1, all2, n1, n2)
    bits = (n_group1 * n_group2).bit_length() + 1
    walks = [_Walk(b1, b2, bits) for b1 in all1 for b2 in all2]
    ordered = _affordable(walks, n1, n2)
    tallies = [_Tally(n1, n2, admitted, name) for name in FEASIBLE_CONVENTIONS if ordered or name[0] != "e"]
    n_printing = 0
    for walk in walks:
        for key, packed in walk.run(_append if ordered else _add).items():
            ties = _structure(key) if ordered else None
            tied = tie_sum(ties) if ordered else key
            for u2, ways in enumerate(_unpack(packed, bits, 2 * n1 * n2 + 1)):
                if ways:
                    n_printing += ways * any([tally.add(walk, key, ties, tied, u2, ways) for tally in tallies])
    by_convention = {name: None for name in FEASIBLE_CONVENTIONS} | {t.name: t.result(unit) for t in tallies}
    return FeasibleRanks(n_group1, n_group2, n_group1 * n_group2, by_convention, None if p is None else n_printing)


def _check_walks(all1: list[OrderBounds], all2: list[OrderBounds], n1: int, n2: int) -> None:
    """ValueError if the walks are too many to set up: each takes at least one step per value and tie structure."""
    length = all1[0].highs[-1] - all1[0].lows[0] + 1
    steps = len(all1) * len(all2) * length
    if steps * min(_partitions(n1 + n2), 100) > 2 * STEP_LIMIT:
        raise ValueError(
            f"{len(all1)} × {len(all2)} pairs of middle values on {length} values are too many to walk: narrow the "
            "ranges, take a coarser unit, or give one group's values"
        )


def _affordable(walks: list["_Walk"], n1: int, n2: int) -> bool:
    """May the walks keep the order of the ties? ValueError if even without it they are too long."""
    size, length = n1 + n2, max(len(w.grid) for w in walks)
    steps = sum(w.steps() for w in walks)
    structures = 2 ** (size - 1) if length >= size else sum(math.comb(size - 1, k) for k in range(length))
    if steps * structures <= STEP_LIMIT:
        return True
    if steps * _partitions(size) > 2 * STEP_LIMIT:
        raise ValueError(
            f"{_about(steps * _partitions(size))} steps for groups of {n1} and {n2} on {length} values, "
            f"more than {2 * STEP_LIMIT:.0e}: narrow the ranges, take a coarser unit, or give one group's values"
        )
    return False


class _Walk:
    """The walk up the grid of values for one pair of bounds, with its states kept for finding witnesses."""

    def __init__(self, bounds1: OrderBounds, bounds2: OrderBounds, bits: int):
        self.bits = bits
        self.grid = range(min(bounds1.lows[0], bounds2.lows[0]), max(bounds1.highs[-1], bounds2.highs[-1]) + 1)
        if len(self.grid) * (len(bounds1.lows) + len(bounds2.lows)) > MOST_COUNTS:
            length = len(self.grid)
            raise ValueError(f"a grid of {length} values is too long: narrow the ranges, or take a coarser unit")
        self.placed1, self.placed2 = _placed_range(bounds1, self.grid), _placed_range(bounds2, self.grid)
        self.end = len(bounds1.lows), len(bounds2.lows)
        self.states: list[dict] = []

    def steps(self) -> int:
        """How many moves (placed before → placed after, in both groups) the walk makes per tie structure."""

        def moves(placed):
            before = [(0, 0), *placed]
            return [sum(max(hi2 - max(i, lo2) + 1, 0) for i in range(lo, hi + 1))
                    for (lo, hi), (lo2, hi2) in zip(before, placed)]  # fmt: skip

        return sum(a * b for a, b in zip(moves(self.placed1), moves(self.placed2)))

    def _moves(self, i: int, j: int, step: int) -> Iterator[tuple[int, int]]:
        (least1, most1), (least2, most2) = self.placed1[step], self.placed2[step]
        for a in range(max(least1 - i, 0), most1 - i + 1):
            for b in range(max(least2 - j, 0), most2 - j + 1):
                yield a, b

    def run(self, extend: Callable[[int, int], int]) -> dict[int, int]:
        """{tie key: ways by 2U, packed} of all pairs; ``extend(key, t)`` adds t tied values to a key."""
        self.extend = extend
        self.states = [{(0, 0, 0): 1}]
        for step in range(len(self.grid)):
            grown: dict = {}
            for (i, j, key), packed in self.states[-1].items():
                for a, b in self._moves(i, j, step):
                    state = (i + a, j + b, extend(key, a + b) if a + b else key)
                    grown[state] = grown.get(state, 0) + (packed << ((2 * a * j + a * b) * self.bits))
            self.states.append(grown)
        return {key: packed for (i, j, key), packed in self.states[-1].items() if (i, j) == self.end}

    def witness(self, key: int, u2: int) -> tuple[list[int], list[int]]:
        """One pair of data sets that ends with this tie key and 2U."""
        mask = (1 << self.bits) - 1
        x, y, state = [], [], (*self.end, key)
        for step in range(len(self.grid) - 1, -1, -1):
            state, u2, a, b = next(
                ((i, j, before), u2 - 2 * a * j - a * b, a, b)
                for (i, j, before), packed in self.states[step].items()
                for a, b in [(state[0] - i, state[1] - j)]
                if (a, b) in self._moves(i, j, step)
                and (self.extend(before, a + b) if a + b else before) == state[2]
                and u2 >= 2 * a * j + a * b
                and packed >> ((u2 - 2 * a * j - a * b) * self.bits) & mask
            )
            x += [self.grid[step]] * a
            y += [self.grid[step]] * b
        return x[::-1], y[::-1]


def _append(structure: int, tied: int) -> int:
    """A tie structure as bits, one per value, set where a tie group begins; ``tied`` values more."""
    return structure << tied | 1 << (tied - 1)


def _add(total: int, tied: int) -> int:
    return total + tied**3 - tied


def _structure(bits: int) -> tuple[int, ...]:
    return tuple(len(zeros) + 1 for zeros in bin(bits)[3:].split("1"))


class _Tally:
    """One convention's range of p and number of pairs that print it, gathered over a walk."""

    def __init__(self, n1: int, n2: int, admitted: Interval | None, name: str):
        self.n1, self.n2, self.admitted, self.name = n1, n2, admitted, name
        self.least = self.most = self.found = None
        self.n_printing = 0

    def _p(self, ties, tied: int, u2: int):
        if self.name == "exact_conditional":
            return null_distribution(self.n1, self.n2, ties).conditional(u2)
        return asymptotic_p(self.n1, self.n2, u2, tied, continuity=self.name == "asymptotic_cc")

    def add(self, walk: _Walk, key: int, ties, tied: int, u2: int, ways: int) -> bool:
        """Count ``ways`` pairs; does their p print as asked?"""
        p = self._p(ties, tied, u2)
        if p is None:
            return False
        self.least = p if self.least is None else min(self.least, p)
        self.most = p if self.most is None else max(self.most, p)
        if self.admitted is None or p not in self.admitted:
            return False
        self.n_printing += ways
        self.found = self.found or (walk, key, u2)
        return True

    def result(self, unit: Fraction) -> PRange:
        witness = None
        if self.found:
            walk, key, u2 = self.found
            witness = tuple(tuple(v * unit for v in group) for group in walk.witness(key, u2))
        return PRange(self.least, self.most, None if self.admitted is None else self.n_printing, witness)
