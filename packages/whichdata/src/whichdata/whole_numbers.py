"""Means and SDs of whole numbers: which sums and sums of squares print them (GRIM, GRIMMER, DEBIT)."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

from whichdata.given import MOST_COUNTS, MOST_PATIENTS, check_count, check_list, check_pair, read_value
from whichdata.printed import Interval, Printed, printings

MOST_PAIRS = 20_000
MOST_CELLS = 1_000_000_000


def check_n_of_sd(n) -> int:
    """``n`` of at least 2, without which there is no standard deviation, or ValueError."""
    return check_count("n", n, 2, MOST_PATIENTS)


def check_scale(scale) -> tuple[int, int]:
    """The least and the largest answer of a scale, whole numbers in rising order, or ValueError."""
    ends = check_pair("the scale", scale)
    low, high = (check_count("an end of the scale", v, -MOST_PAIRS, MOST_PAIRS) for v in ends)
    if low >= high:
        raise ValueError(f"the scale {low} to {high} does not rise")
    return low, high


def squared(interval: Interval) -> Interval:
    """The squares of the values of ``interval`` that are not negative, by definition."""
    low, closed = (0, True) if interval.lower < 0 else (interval.lower, interval.lower_closed)
    return Interval(Fraction(low) ** 2, interval.upper**2, closed, interval.upper_closed)


# Means of integers (GRIM) -------------------------------------------------------------------------------------------


def possible_sums(mean: str | Printed, n, items=1, percent: bool = False, rounding: str = "up_or_down") -> range:
    """The sums of ``n`` × ``items`` whole answers whose mean prints so (as 100 × the mean if ``percent``)
    [BrownHeathers2017]."""
    size = check_count("n", n, least=1) * check_count("items", items, least=1)
    interval = read_value("mean", mean).interval(rounding).scaled(Fraction(size, 100 if percent else 1))
    sums = interval.integers()
    if sums.stop - sums.start > MOST_COUNTS:
        raise ValueError(f"{sums.stop - sums.start} sums print this mean: give it with more decimals")
    return sums


def closest_means(mean: str | Printed, n, items=1, rounding: str = "up_or_down") -> list[str]:
    """The printed means nearest to ``mean`` that whole answers can have, with its decimals: one, or two as near.

    By definition, the neighbouring sums tried in turn.
    """
    size = check_count("n", n, least=1) * check_count("items", items, least=1)
    printed = read_value("mean", mean)
    near = math.floor(printed.value * size)
    texts = {t for s in range(near - 2, near + 4) for t in printings(Fraction(s, size), printed.decimals, rounding)}
    distances = {t: abs(Printed.parse(t).value - printed.value) for t in texts}
    nearest = min(distances.values())
    return sorted((t for t in texts if distances[t] == nearest), key=lambda t: Printed.parse(t).value)


def grim_probability(mean: str | Printed, n, items=1, percent: bool = False) -> float:
    """How likely a made-up mean with these decimals is to be impossible: 1 − n × items / 10^decimals, at least 0.

    Derived here: of the 10^decimals values printed from one whole number to the next, the n × items sums reach as many
    as there are of them. The test is that of [BrownHeathers2017].
    """
    size = check_count("n", n, least=1) * check_count("items", items, least=1)
    places = read_value("mean", mean).decimals + (2 if percent else 0)
    return float(max(Fraction(0), 1 - Fraction(size) / Fraction(10) ** places))


# Means and SDs of integers (GRIMMER) --------------------------------------------------------------------------------


def possible_sums_of_squares(
    mean: str | Printed, sd: str | Printed, n, items=1, scale=None, rounding: str = "up_or_down"
) -> list[tuple[int, int]]:
    """Every (Σ, Σ²) of the totals of ``n`` people over ``items`` whole answers that prints this mean and SD
    [Anaya2016] [Allard2018].

    Each pair is checked to belong to whole numbers (within ``scale`` = [least, largest answer], if given): Σ² has the
    parity of Σ, is at least that of the evenest split, and is reached by some split (derived here, in the comments
    below). ValueError if there are more than ``MOST_PAIRS`` to check.
    """
    n, items = check_n_of_sd(n), check_count("items", items, least=1)
    variance = squared(read_value("SD", sd).interval(rounding)).scaled(items**2 * (n - 1))
    sums = possible_sums(mean, n, items, rounding=rounding)
    width = math.ceil(variance.upper - variance.lower) + 1
    if len(sums) * width > MOST_PAIRS:
        raise ValueError(
            f"about {len(sums) * width} pairs of sums print this mean and SD, more than {MOST_PAIRS}: "
            "give them with more decimals"
        )
    ends = None if scale is None else tuple(items * e for e in check_scale(scale))
    if ends is not None and n * (ends[1] - ends[0]) > MOST_COUNTS:
        raise ValueError(f"{n} values on {ends[1] - ends[0] + 1} steps of a scale are too many to try; leave scale out")
    squares = {}
    for total in sums:
        admitted = variance + Interval(Fraction(total**2, n), Fraction(total**2, n))
        squares[total] = [q for q in admitted.integers() if (q - total) % 2 == 0]
    reached = _reached_freely(n, squares) if ends is None else _reached_within(n, squares, *ends)
    return [(total, q) for total in sums for q in reached[total]]


def _reached_freely(n: int, squares: dict[int, list[int]]) -> dict[int, list[int]]:
    """Which of ``squares`` {Σ: [Σ², …]} are those of n whole numbers. Parity is settled already."""
    reached = {}
    for total, candidates in squares.items():
        # Shifted so that the numbers scatter about zero: y = x − ⌊mean⌋ adds up to `rest`, Σy² ≥ rest.
        shift, rest = divmod(total, n)
        shifted = [(q - 2 * shift * total + n * shift**2, q) for q in candidates]
        # Take pairs of equal numbers (u, u) to (u + a, u − a): each adds 2a². Nine numbers split evenly hold four such
        # pairs, and four squares make every whole number (Lagrange): from nine on, every Σ² of the parity is reached.
        reached[total] = [q for y, q in shifted if y >= rest and (n >= 9 or _is_sum_of_squares(n, rest, y))]
    return reached


def _reached_within(n: int, squares: dict[int, list[int]], low: int, high: int) -> dict[int, list[int]]:
    """Which of ``squares`` {Σ: [Σ², …]} are those of n whole numbers from ``low`` to ``high``."""
    if not any(squares.values()):
        return squares
    shift = (min(squares) + max(squares)) // (2 * n)
    rests = {total: total - n * shift for total in squares}

    def shifted(total: int, q: int) -> int:
        return q - 2 * shift * total + n * shift**2

    most = max(shifted(t, q) for t, candidates in squares.items() for q in candidates)
    found = _squares_within(n, min(rests.values()), max(rests.values()), low - shift, high - shift, most)
    return {
        t: [q for q in candidates if shifted(t, q) >= 0 and found.get(rests[t], 0) >> shifted(t, q) & 1]
        for t, candidates in squares.items()
    }


@lru_cache(maxsize=100_000)
def _is_sum_of_squares(k: int, total: int, squares: int) -> bool:
    """Are there ``k`` whole numbers with this sum and this sum of squares?"""
    slack = k * squares - total**2
    if slack < 0 or (squares - total) % 2:
        return False
    if k == 1:
        return slack == 0
    if k == 2:  # (x − y)² = 2 Σ² − (Σ)²
        return math.isqrt(slack) ** 2 == slack
    if k == 4:
        # x₁ … x₄ turn by ±1 sums into Σ, a, b, c with Σ² + a² + b² + c² = 4 (sum of squares), all of one parity: for
        # an odd Σ the rest is 3 mod 8, always three squares; for an even one a quarter of it must be three squares.
        return total % 2 == 1 or _is_three_squares(slack // 4)
    # One number x leaves (k − 1)(squares − x²) ≥ (total − x)², that is |k x − total| ≤ √((k − 1) slack).
    reach = math.isqrt((k - 1) * slack)
    around = range(-((reach - total) // k), (total + reach) // k + 1)
    return any(
        _is_sum_of_squares(k - 1, total - x, squares - x * x) for x in sorted(around, key=lambda x: abs(k * x - total))
    )


def _is_three_squares(number: int) -> bool:
    """Legendre: all but 4^a (8 b + 7)."""
    while number and number % 4 == 0:
        number //= 4
    return number % 8 != 7


def _squares_within(n: int, least: int, largest: int, low: int, high: int, most: int) -> dict[int, int]:
    """{Σ: bits of the Σ² up to ``most``} of n whole numbers from ``low`` to ``high``, Σ from ``least`` to ``largest``.

    Numbers can always be ordered so that their partial sums keep within the width of the scale of the straight line
    to their sum; only partial sums that near to such a line are followed.
    """
    mask = (1 << (most + 1)) - 1
    steps = [x for x in range(low, high + 1) if x * x <= most]
    slack = high - low + (largest - least) + 1
    rows = {0: 1}
    for k in range(1, n + 1):
        line = k * (least + largest) // (2 * n)
        grown: dict[int, int] = {}
        for s, bits in rows.items():
            for x in steps:
                if abs(s + x - line) <= slack:
                    grown[s + x] = grown.get(s + x, 0) | (bits << (x * x)) & mask
        rows = grown
    return rows


def least_sd(mean: str | Printed, n, rounding: str = "up_or_down") -> float | None:
    """The smallest SD of ``n`` whole numbers whose mean prints so; None if no sum does.

    Derived here: numbers of a given sum scatter least where no two differ by more than 1.
    """
    n = check_n_of_sd(n)
    spreads = [_even_spread(n, total) for total in possible_sums(mean, n, rounding=rounding)]
    return math.sqrt(Fraction(min(spreads), n * (n - 1))) if spreads else None


def _even_spread(n: int, total: int) -> int:
    rest = total % n
    return rest * (n - rest)


class SdLimits(NamedTuple):
    """The least and the largest SD, rounded to the printed decimals; None if no sum prints the mean."""

    least: Fraction | None
    largest: Fraction | None


def sd_limits(mean: str | Printed, n, scale, sd_decimals: int, rounding: str = "up_or_down") -> SdLimits:
    """The SDs that ``n`` whole answers on ``scale`` can have with a mean that prints so, over all sums that do.

    Derived here: the least as in :func:`least_sd`; the largest with all answers but one at an end of the scale, for two
    between its ends could be moved apart.
    """
    n, (low, high) = check_n_of_sd(n), check_scale(scale)
    decimals = check_count("sd_decimals", sd_decimals, 0, 15)
    printed = read_value("mean", mean)
    if not low <= printed.value <= high:
        raise ValueError(f"a mean of {printed.text} is outside the scale {low} to {high}")
    sums = [s for s in possible_sums(printed, n, rounding=rounding) if n * low <= s <= n * high]
    if not sums:
        return SdLimits(None, None)
    most = max(_widest_spread(n, s - n * low, high - low) for s in sums)
    return SdLimits(
        _rounded_root(Fraction(min(_even_spread(n, s) for s in sums), n * (n - 1)), decimals),
        _rounded_root(Fraction(most, n * (n - 1)), decimals),
    )


def _widest_spread(n: int, total: int, width: int) -> int:
    """The largest n Σz² − (Σz)² of n whole numbers from 0 to ``width`` adding up to ``total``: all at the ends but
    one."""
    at_top, rest = divmod(total, width)
    return n * (at_top * width**2 + rest**2) - total**2


def _rounded_root(square: Fraction, decimals: int) -> Fraction:
    """√square rounded half up to ``decimals``, without rounding before."""
    scaled = square * 4 * Fraction(100) ** decimals  # (2 × 10^decimals √square)²
    return Fraction((math.isqrt(math.floor(scaled)) + 1) // 2, 10**decimals)


def count_bounded_datasets(mean: Interval, sd: Interval, n, scale) -> int:
    """The number of samples (multisets) of ``n`` whole answers on ``scale`` with mean and SD in the intervals.

    Derived here: multisets counted by Σ and Σ², one value of the scale after another; n Σ² − (Σ)² = n (n − 1) SD².

    ValueError before the search if it is too large.
    """
    n, (low, high) = check_n_of_sd(n), check_scale(scale)
    variance = squared(sd).scaled(n * (n - 1))  # of n Σ² − (Σ)²
    sums = mean.scaled(n).integers(n * low, n * high)
    if not sums or variance.empty:
        return 0
    shift = round(Fraction(sums[0] + sums[-1], 2 * n))
    values = range(low - shift, high - shift + 1)
    totals = range(sums[0] - n * shift, sums[-1] - n * shift + 1)
    most = math.floor((variance.upper + max(totals[0] ** 2, totals[-1] ** 2)) / n)
    widest = min(math.isqrt(n * most) + 1, n * max(abs(values[0]), abs(values[-1])))
    bits = math.comb(n + len(values) - 1, n).bit_length()
    cells = n * (2 * widest + 1) * len(values) * (most + 1) * bits // 64
    if cells > MOST_CELLS:
        raise ValueError(
            f"about {cells:.1e} steps for {n} values from {low} to {high}, more than {MOST_CELLS:.0e}: "
            "narrow the scale or the SD, or give fewer values"
        )
    packed = _count_by_sums(n, values, most, bits)
    mask = (1 << bits) - 1
    return sum(
        packed.get(total, 0) >> (q * bits) & mask
        for total in totals
        for q in (variance + Interval(total**2, total**2)).scaled(Fraction(1, n)).integers(0, most)
    )


def _count_by_sums(n: int, values: range, most: int, bits: int) -> dict[int, int]:
    """{Σ: ways by Σ², packed} of multisets of ``n`` of ``values``, Σ² up to ``most``."""
    mask = (1 << ((most + 1) * bits)) - 1
    rows: list[dict[int, int]] = [{0: 1}] + [{} for _ in range(n)]
    for x in values:
        if x * x <= most:
            for m in range(1, n + 1):  # m rises, so a value may be taken again and again
                row = rows[m]
                for s, packed in rows[m - 1].items():
                    moved = (packed << (x * x * bits)) & mask
                    if moved:
                        row[s + x] = row.get(s + x, 0) + moved
    return rows[n]


# Binary data (DEBIT) ------------------------------------------------------------------------------------------------


def binary_mean_sd(n0, n1) -> tuple[float, float]:
    """Mean and SD of ``n0`` zeros and ``n1`` ones: √(n0 n1 / (n (n − 1))) [HeathersBrown2019]."""
    n0, n1 = check_count("n0", n0), check_count("n1", n1)
    n = check_n_of_sd(n0 + n1)
    return n1 / n, math.sqrt(Fraction(n0 * n1, n * (n - 1)))


def binary_counts(mean: str | Printed, sd: str | Printed, n, rounding: str = "up_or_down") -> list[int]:
    """The numbers of ones among ``n`` zeros and ones whose mean and SD print so (none: inconsistent)
    [HeathersBrown2019]."""
    n = check_n_of_sd(n)
    mean, sd = read_value("mean", mean), read_value("SD", sd)
    if not 0 <= mean.value <= 1:
        raise ValueError(f"a mean of {mean.text} is outside 0 to 1: the data are not zeros and ones")
    ones = mean.interval(rounding).scaled(n).integers(0, n)
    variance = squared(sd.interval(rounding)).scaled(n * (n - 1))
    return [k for k in ones if k * (n - k) in variance]


# Repeated values ----------------------------------------------------------------------------------------------------


class Duplicates(NamedTuple):
    """``frequency`` of every value that occurs more than once, most often first · ``flags``: for each column, is the
    value found anywhere else? · ``overlap``: for each pair of columns, how many values of the first are in the
    second."""

    frequency: dict
    flags: dict[str, list[bool]]
    overlap: dict[tuple[str, str], int]


def duplicates(columns: Mapping[str, Sequence]) -> Duplicates:
    """Values that by definition occur more than once in a table, compared as printed; None is a missing value."""
    if not isinstance(columns, Mapping) or not columns:
        raise ValueError("no columns to compare: give {name: [values]}")
    columns = {name: check_list(f"column {name}", column) for name, column in columns.items()}
    pairs = combinations(columns, 2)
    unreadable = [v for column in columns.values() for v in column if not isinstance(v, (str, int, float, type(None)))]
    if unreadable:
        raise ValueError(f"{unreadable[0]!r} is no single value; give texts or numbers")
    counts = Counter(v for column in columns.values() for v in column if v is not None)
    return Duplicates(
        {v: k for v, k in counts.most_common() if k > 1},
        {name: [counts[v] > 1 for v in column] for name, column in columns.items()},
        {(a, b): len([v for v in columns[a] if v is not None and v in set(columns[b])]) for a, b in pairs},
    )
