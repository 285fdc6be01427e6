"""Null distributions of the rank-sum statistic, exact, with any ties."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

from whichdata.given import check_count

PRODUCT_LIMIT = {"tied": 10_000, "untied": 40_000}  # n1 × n2 up to which exact distributions are worked out
MOST_IN_GROUP = 100_000
STEP_LIMIT = 30_000_000

P = Fraction | float | None  # exact where the convention is, None where it does not apply


@dataclass(frozen=True)
class NullDistribution:
    """The distribution of U [MannWhitney1947] over all ways to choose group 1, given the tie structure ``ties``; its
    tails by definition, as each method says.

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
    """Two group sizes, by definition whole from 1 to ``MOST_IN_GROUP``. ValueError otherwise."""
    return check_count("n1", n1, 1, MOST_IN_GROUP), check_count("n2", n2, 1, MOST_IN_GROUP)


@lru_cache(maxsize=40_000)
def null_distribution(n1: int, n2: int, ties: tuple[int, ...] | None = None) -> NullDistribution:
    """The exact null distribution of U for a tie structure (None: no ties): with ties value by value, as the shift
    algorithm [StreitbergRoehmel1986], without them from the Gaussian binomial coefficient [GaussianBinomial], whose
    coefficients count inversions, as U does.

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
        every_whole_u = unpack(_gaussian_binomial(n1, n2, bits), bits, n1 * n2 + 1)
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
    return NullDistribution(n1, n2, ties, tuple(unpack(packed, bits, 2 * n1 * n2 + 1)))


def exact_is_affordable(n1: int, n2: int, ties: tuple[int, ...] | None = None) -> bool:
    """Are the groups small enough for an exact distribution, by definition of ``PRODUCT_LIMIT``?"""
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


def unpack(packed: int, bits: int, length: int) -> list[int]:
    """The ``length`` coefficients of ``bits`` each in ``packed``, by definition lowest first."""
    if length <= 64:
        mask = (1 << bits) - 1
        return [(packed >> (k * bits)) & mask for k in range(length)]
    half = length // 2  # halving keeps the shifts of a long number cheap
    low = packed & ((1 << (half * bits)) - 1)
    return unpack(low, bits, half) + unpack(packed >> (half * bits), bits, length - half)
