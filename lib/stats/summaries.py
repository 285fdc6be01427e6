"""Means, standard deviations and medians of small samples: which data could have printed them.

Integer data are counted exactly. Standard deviations are sample ones (n − 1); they are compared as squares, so that no
square root is ever rounded on the way to a verdict.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy.integrate import quad
from scipy.optimize import minimize, minimize_scalar
from scipy.special import betaincinv, gammaincinv, log_ndtr, ndtr, ndtri
from scipy.special import gamma as gamma_function

from lib.reported import Interval, Printed, check_rounding, given_interval, printings
from lib.stats.counts import MOST_COUNTS, MOST_PATIENTS, check_count, check_list
from lib.stats.effects import check_number
from lib.stats.ranks import Group, OrderBounds, count_datasets

MOST_PAIRS = 20_000
MOST_CELLS = 1_000_000_000


def check_n_of_sd(n) -> int:
    """``n`` of at least 2, without which there is no standard deviation, or ValueError."""
    return check_count("n", n, 2, MOST_PATIENTS)


def check_scale(scale) -> tuple[int, int]:
    """The least and the largest answer of a scale, whole numbers in rising order, or ValueError."""
    if len(check_list("the scale", scale)) != 2:
        raise ValueError(f"a scale is [least, largest], not {scale!r}")
    low, high = (check_count("an end of the scale", v, -MOST_PAIRS, MOST_PAIRS) for v in scale)
    if low >= high:
        raise ValueError(f"the scale {low} to {high} does not rise")
    return low, high


def squared(interval: Interval) -> Interval:
    """The squares of the values of ``interval`` that are not negative."""
    low, closed = (0, True) if interval.lower < 0 else (interval.lower, interval.lower_closed)
    return Interval(Fraction(low) ** 2, interval.upper**2, closed, interval.upper_closed)


def read_value(name: str, text: str | Printed) -> Printed:
    """A printed value that is no bound, or ValueError."""
    printed = text if isinstance(text, Printed) else Printed.parse(text)
    if printed.relation != "=":
        raise ValueError(f"the {name} {printed.text!r} is a bound, not a value; give the printed number")
    return printed


# Medians ------------------------------------------------------------------------------------------------------------


def median_possible(median: str | Printed, n, data: str = "integer", rounding: str = "up_or_down") -> bool:
    """Can ``n`` values of ``data`` ("integer" or "continuous") have a median that prints so?

    Whole numbers have a whole median if n is odd, a whole or a half one if it is even.
    """
    n = check_count("n", n, least=1)
    printed = read_value("median", median)
    check_rounding(rounding)
    if data == "continuous":
        return True
    if data != "integer":
        raise ValueError(f"no data named {data!r}; known: integer, continuous")
    steps = 1 if n % 2 else 2
    return len(_integers(printed.interval(rounding).scaled(steps))) > 0


def _integers(interval: Interval) -> range:
    return interval.integers(math.floor(interval.lower), math.ceil(interval.upper))


class SummaryBounds(NamedTuple):
    """Hard bounds from median and range: ``n_datasets`` (None: endlessly many), and the least and largest ``mean``
    and ``sd`` (None if there is no data set; sd None if n is 1)."""

    n_datasets: int | None
    mean: tuple[float, float] | None
    sd: tuple[float, float] | None


def bounds_from_median_range(
    n, minimum, median, maximum, data: str = "integer", rounding: str = "up_or_down"
) -> SummaryBounds:
    """Which mean and SD can ``n`` values have, given minimum, median and maximum (numbers, or printed texts)?

    Exact for "integer" data and for "continuous" ones (whose bounds may only be approached where a rounding interval
    is open). ValueError if the three contradict their order.
    """
    n = check_count("n", n, least=1)
    for name, value in (("min", minimum), ("median", median), ("max", maximum)):
        if isinstance(value, str):
            read_value(name, value)
    group = Group(n, minimum, median, maximum)
    if data == "integer":
        found = [(count_datasets(b), *_moments(b)) for b in group.bounds(rounding=rounding)]
        return _summary_bounds(sum(f[0] for f in found), n, [f[1:] for f in found])
    if data != "continuous":
        raise ValueError(f"no data named {data!r}; known: integer, continuous")
    low, middle, high = (given_interval(v, rounding) for v in (minimum, median, maximum))
    group.bounds(unit=_FINE, rounding=rounding)  # for its checks of order
    return _summary_bounds(None, n, list(_continuous_moments(n, low, middle, high)))


_FINE = Fraction(10**9)  # a unit so coarse that listing is quick; only the checks matter


class _Moments(NamedTuple):
    """Extremes over a set of data: sums, and n Σx² − (Σx)² (that is n (n − 1) times the variance)."""

    least_sum: Fraction
    most_sum: Fraction
    least_spread: Fraction
    most_spread: Fraction


def _summary_bounds(n_datasets: int | None, n: int, moments: list) -> SummaryBounds:
    if not moments:
        return SummaryBounds(0, None, None)
    sums = min(m[0] for m in moments), max(m[1] for m in moments)
    spreads = min(m[2] for m in moments), max(m[3] for m in moments)
    sd = tuple(math.sqrt(Fraction(s, n * (n - 1))) for s in spreads) if n > 1 else None
    return SummaryBounds(n_datasets, tuple(float(Fraction(s, n)) for s in sums), sd)


def _moments(bounds: OrderBounds) -> _Moments:
    boxes = list(zip(bounds.lows, bounds.highs))
    least, most = sum(bounds.lows), sum(bounds.highs)
    # For a centre c every value is the whole number nearest c that its bounds allow, so one whole q serves them all;
    # the spread is convex in q, and the best q lies beside the best real centre.
    centre = _least_spread_centre([(Fraction(a), Fraction(b)) for a, b in boxes])
    nearest = (math.floor(centre), math.ceil(centre))
    least_spread = min(_spread([min(max(q, a), b) for a, b in boxes]) for q in nearest)
    return _Moments(least, most, least_spread, _most_spread(Counter(boxes)))


def _spread(values: Sequence) -> Fraction | int:
    return len(values) * sum(v * v for v in values) - sum(values) ** 2


def _least_spread_centre(boxes: list[tuple[Fraction, Fraction]]) -> Fraction:
    """The c that is the mean of all values put as near to c as their boxes allow (they are then least spread)."""

    def excess(c: Fraction) -> Fraction:  # rises with c, by straight pieces between the ends of boxes
        return sum(((c - b if c > b else c - a if c < a else Fraction(0)) * k for (a, b), k in counted), Fraction(0))

    counted = list(Counter(boxes).items())
    ends = sorted({e for box in boxes for e in box})
    left = max((e for e in ends if excess(e) <= 0), default=ends[0])
    right = min((e for e in ends if excess(e) >= 0), default=ends[-1])
    at_left, at_right = excess(left), excess(right)
    return left if at_left == at_right else left - at_left * (right - left) / (at_right - at_left)


def _most_spread(boxes: Mapping) -> Fraction | int:
    """The largest n Σx² − (Σx)² of values in ``boxes`` ({(low, high): how many}): a corner, found type by type.

    With all other values settled the spread is a concave parabola in the number of a type put at its high end, so the
    last type needs only the whole numbers beside the vertex.
    """
    n = sum(boxes.values())
    fixed = [(a, k) for (a, b), k in boxes.items() if a == b]
    free = sorted(((a, b, k) for (a, b), k in boxes.items() if a < b), key=lambda f: f[2])
    base_sum = sum(a * k for a, k in fixed) + sum(a * k for a, _, k in free)
    base_squares = sum(a * a * k for a, k in fixed) + sum(a * a * k for a, _, k in free)
    best = None
    *outer, last = free or [(0, 0, 0)]
    for highs in product(*(range(k + 1) for *_, k in outer)):
        total = base_sum + sum((b - a) * h for (a, b, _), h in zip(outer, highs))
        squares = base_squares + sum((b * b - a * a) * h for (a, b, _), h in zip(outer, highs))
        a, b, k = last
        step, square_step = b - a, b * b - a * a
        vertex = Fraction(n * square_step - 2 * total * step, 2 * step**2) if step else 0
        for h in {min(max(math.floor(vertex) + i, 0), k) for i in (0, 1)}:
            spread = n * (squares + square_step * h) - (total + step * h) ** 2
            best = spread if best is None else max(best, spread)
    return best


def _continuous_moments(n: int, low: Interval, middle: Interval, high: Interval) -> Iterator[_Moments]:
    """The extremes at every corner of what minimum a, median m and maximum b may be together.

    Of an even number the two middle values are m ± d, with d from 0 to where one of them meets a or b. A corner has
    each of a, m, b at an end of its interval, at another one of them, or where m lies halfway.
    """
    if n == 1:
        shared = low.intersection(middle).intersection(high)
        if not shared.empty:
            yield _Moments(shared.lower, shared.upper, Fraction(0), Fraction(0))
        return
    corners = list(_corners(low, middle, high))
    if n == 2:
        corners = [(a, m, b) for a, m, b in corners if 2 * m == a + b]
        touching = not low.intersection(middle).intersection(high).empty
        least = Fraction(0) if touching else min(((b - a) ** 2 for a, _, b in corners), default=None)
    else:
        least = _least_spread_of_box(n, low, middle, high)
    free_below, free_above = ((n - 3) // 2, (n - 3) // 2) if n % 2 else ((n - 4) // 2, (n - 4) // 2)
    for a, m, b in corners:
        if n == 2:
            yield _corner([(a, 1), (b, 1)], [], least)
        elif n % 2:
            yield _corner([(a, 1), (m, 1), (b, 1)], [(a, m, free_below), (m, b, free_above)], least)
        else:
            for d in {Fraction(0), min(m - a, b - m)}:
                ends = [(a, 1), (m - d, 1), (m + d, 1), (b, 1)]
                yield _corner(ends, [(a, m - d, free_below), (m + d, b, free_above)], least)


def _corners(low: Interval, middle: Interval, high: Interval) -> Iterator[tuple[Fraction, Fraction, Fraction]]:
    of_a, of_m, of_b = ({i.lower, i.upper} for i in (low, middle, high))
    ends = of_a | of_m | of_b
    # The ends are taken as reached, for the bounds are those of the closed box.
    box_a, box_m, box_b = (Interval(i.lower, i.upper) for i in (low, middle, high))
    some_a = [a for a in ends | {2 * m - b for m in of_m for b in of_b} if a in box_a]
    some_b = [b for b in ends | {2 * m - a for m in of_m for a in of_a} if b in box_b]
    some_m = [m for m in ends | {Fraction(a + b) / 2 for a in of_a for b in of_b} if m in box_m]
    yield from ((a, m, b) for a in some_a for m in some_m for b in some_b if a <= m <= b)


def _corner(fixed: list, free: list, least: Fraction) -> _Moments:
    free = [f for f in free if f[2] > 0]
    base = sum(v * k for v, k in fixed)
    boxes: Counter = Counter()
    for v, k in fixed:
        boxes[v, v] += k
    for a, b, k in free:
        boxes[a, b] += k
    return _Moments(
        base + sum(a * k for a, _, k in free), base + sum(b * k for _, b, k in free), least, _most_spread(boxes)
    )


def _least_spread_of_box(n: int, low: Interval, middle: Interval, high: Interval) -> Fraction:
    """The least n Σx² − (Σx)² of more than two values: all as near to one centre as their intervals allow."""
    between = (n - 3) // 2 if n % 2 else (n - 4) // 2
    boxes = [(low.lower, low.upper), (high.lower, high.upper)]
    boxes += [(middle.lower, middle.upper)] * (1 if n % 2 else 2)
    boxes += [(low.lower, middle.upper)] * between + [(middle.lower, high.upper)] * between
    boxes = [(Fraction(a), Fraction(b)) for a, b in boxes]
    centre = _least_spread_centre(boxes)
    return _spread([min(max(centre, a), b) for a, b in boxes])


# Means of integers (GRIM) -------------------------------------------------------------------------------------------


def possible_sums(mean: str | Printed, n, items=1, percent: bool = False, rounding: str = "up_or_down") -> range:
    """The sums of ``n`` × ``items`` whole answers whose mean prints so (as 100 × the mean if ``percent``)."""
    size = check_count("n", n, least=1) * check_count("items", items, least=1)
    interval = read_value("mean", mean).interval(rounding).scaled(Fraction(size, 100 if percent else 1))
    sums = _integers(interval)
    if sums.stop - sums.start > MOST_COUNTS:
        raise ValueError(f"{sums.stop - sums.start} sums print this mean: give it with more decimals")
    return sums


def closest_means(mean: str | Printed, n, items=1, rounding: str = "up_or_down") -> list[str]:
    """The printed means nearest to ``mean`` that whole answers can have, with its decimals: one, or two as near."""
    size = check_count("n", n, least=1) * check_count("items", items, least=1)
    printed = read_value("mean", mean)
    near = math.floor(printed.value * size)
    texts = {t for s in range(near - 2, near + 4) for t in printings(Fraction(s, size), printed.decimals, rounding)}
    distances = {t: abs(Printed.parse(t).value - printed.value) for t in texts}
    nearest = min(distances.values())
    return sorted((t for t in texts if distances[t] == nearest), key=lambda t: Printed.parse(t).value)


def grim_probability(mean: str | Printed, n, items=1, percent: bool = False) -> float:
    """How likely a made-up mean with these decimals is to be impossible: 1 − n × items / 10^decimals, at least 0."""
    size = check_count("n", n, least=1) * check_count("items", items, least=1)
    places = read_value("mean", mean).decimals + (2 if percent else 0)
    return float(max(Fraction(0), 1 - Fraction(size) / Fraction(10) ** places))


# Means and SDs of integers (GRIMMER) --------------------------------------------------------------------------------


def possible_sums_of_squares(
    mean: str | Printed, sd: str | Printed, n, items=1, scale=None, rounding: str = "up_or_down"
) -> list[tuple[int, int]]:
    """Every (Σ, Σ²) of the totals of ``n`` people over ``items`` whole answers that prints this mean and SD.

    Each pair is checked to belong to whole numbers (within ``scale`` = [least, largest answer], if given): Σ² has the
    parity of Σ, is at least that of the evenest split, and is reached by some split. ValueError if there are more than
    ``MOST_PAIRS`` to check.
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
        squares[total] = [q for q in _integers(admitted) if (q - total) % 2 == 0]
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
    """The smallest SD of ``n`` whole numbers whose mean prints so; None if no sum does."""
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
    """The SDs that ``n`` whole answers on ``scale`` can have with a mean that prints so, over all sums that do."""
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
        for q in _integers(Interval((variance.lower + total**2) / n, (variance.upper + total**2) / n,
                                    variance.lower_closed, variance.upper_closed))
        if 0 <= q <= most
    )  # fmt: skip


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
    """Mean and SD of ``n0`` zeros and ``n1`` ones."""
    n0, n1 = check_count("n0", n0), check_count("n1", n1)
    n = check_n_of_sd(n0 + n1)
    return n1 / n, math.sqrt(Fraction(n0 * n1, n * (n - 1)))


def binary_counts(mean: str | Printed, sd: str | Printed, n, rounding: str = "up_or_down") -> list[int]:
    """The numbers of ones among ``n`` zeros and ones whose mean and SD print so (DEBIT: none, inconsistent)."""
    n = check_n_of_sd(n)
    mean, sd = read_value("mean", mean), read_value("SD", sd)
    if not 0 <= mean.value <= 1:
        raise ValueError(f"a mean of {mean.text} is outside 0 to 1: the data are not zeros and ones")
    ones = mean.interval(rounding).scaled(n).integers(0, n)
    variance = squared(sd.interval(rounding)).scaled(n * (n - 1))
    return [k for k in ones if k * (n - k) in variance]


# Estimates, not bounds ----------------------------------------------------------------------------------------------


def range_in_sds(n) -> float:
    """ξ(n): the expected range of ``n`` normal values in SDs (Wan2014, from whose table it is rounded)."""
    n = check_count("n", n, least=1)

    # E(range) = ∫ 1 − Φⁿ − (1 − Φ)ⁿ, twice the half above zero.
    def outside(x: float) -> float:
        return -math.expm1(n * float(log_ndtr(x))) - math.exp(n * float(log_ndtr(-x)))

    half = sum(quad(outside, a, b, epsabs=1e-13, limit=200)[0] for a, b in ((0, 3), (3, 6), (6, 9), (9, 40)))
    return max(2 * half, 0.0)


def range_in_sds_approximate(n) -> float:
    """2 Φ⁻¹((n − 0.375)/(n + 0.25)), the approximation of ξ(n) (Wan2014)."""
    n = check_count("n", n, least=1)
    return 2 * float(ndtri((n - 0.375) / (n + 0.25)))


def _check_rising(**values) -> list[float]:
    numbers = [check_number(name, value) for name, value in values.items()]
    for (a, x), (b, y) in zip(list(zip(values, numbers)), list(zip(values, numbers))[1:]):
        if x > y:
            raise ValueError(f"the {a} {x:g} is above the {b} {y:g}")
    return numbers


class RangeEstimates(NamedTuple):
    """Estimates from minimum, median and maximum: Hozo's and Luo's mean, Wan's SD."""

    hozo_mean: float
    luo_mean: float
    wan_sd: float | None


def estimates_from_range(minimum, median, maximum, n) -> RangeEstimates:
    """(a + 2m + b)/4; w (a + b)/2 + (1 − w) m with w = 4/(4 + n^0.75) (Luo2018); (b − a)/ξ(n) by its approximation
    (Wan2014). The SD is None for n = 1."""
    n = check_count("n", n, least=1)
    a, m, b = _check_rising(min=minimum, median=median, max=maximum)
    weight = 4 / (4 + n**0.75)
    sd = (b - a) / range_in_sds_approximate(n) if n > 1 else None
    return RangeEstimates((a + 2 * m + b) / 4, weight * (a + b) / 2 + (1 - weight) * m, sd)


class QuartileEstimates(NamedTuple):
    """Estimates from the quartiles: Wan's and Luo's mean, Wan's SD."""

    wan_mean: float
    luo_mean: float
    wan_sd: float | None


def estimates_from_quartiles(q1, median, q3, n) -> QuartileEstimates:
    """(q1 + m + q3)/3; w (q1 + q3)/2 + (1 − w) m with w = 0.7 + 0.39/n (Luo2018);
    (q3 − q1)/(2 Φ⁻¹((0.75 n − 0.125)/(n + 0.25))) (Wan2014). The SD is None for n = 1."""
    n = check_count("n", n, least=1)
    a, m, b = _check_rising(q1=q1, median=median, q3=q3)
    weight = 0.7 + 0.39 / n
    sd = (b - a) / (2 * float(ndtri((0.75 * n - 0.125) / (n + 0.25)))) if n > 1 else None
    return QuartileEstimates((a + m + b) / 3, weight * (a + b) / 2 + (1 - weight) * m, sd)


def mean_from_five_numbers(minimum, q1, median, q3, maximum, n) -> float:
    """w₁ (a + b)/2 + w₂ (q1 + q3)/2 + (1 − w₁ − w₂) m, w₁ = 2.2/(2.2 + n^0.75), w₂ = 0.7 − 0.72/n^0.55 (Luo2018)."""
    n = check_count("n", n, least=1)
    a, low, m, high, b = _check_rising(min=minimum, q1=q1, median=median, q3=q3, max=maximum)
    outer, inner = 2.2 / (2.2 + n**0.75), 0.7 - 0.72 / n**0.55
    return outer * (a + b) / 2 + inner * (low + high) / 2 + (1 - outer - inner) * m


class MeanSd(NamedTuple):
    """An estimated mean and SD, and what they were estimated through."""

    mean: float
    sd: float
    through: str


def quantile_estimates(minimum, median, maximum, n) -> MeanSd:
    """Mean and SD of the distribution (normal, log-normal, gamma, Weibull, beta) whose quantiles at 1/n, ½ and
    1 − 1/n lie nearest to minimum, median and maximum (McGrath2020, method QE).

    By numerical optimisation, good to about four digits. With negative values only the normal is tried; a minimum of
    0 is taken as 0.01.
    """
    n = check_count("n", n, least=3)
    values = np.array(_check_rising(min=minimum, median=median, max=maximum))
    values[values == 0] = 0.01
    probabilities = np.array([1 / n, 0.5, 1 - 1 / n])
    start = estimates_from_range(*values, n)
    fits = {}
    for name, (quantiles, moments, first, bounds) in _families(values, start.luo_mean, start.wan_sd).items():
        # The starting values may lie outside the bounds for a bounded or badly skewed family.
        first = [min(max(x, low), high) for x, (low, high) in zip(first, bounds)]

        def distance(theta, quantiles=quantiles) -> tuple[float, np.ndarray]:
            """The sum of squares, and its slopes by central differences: all five points at once."""
            steps = np.cbrt(np.finfo(float).eps) * np.maximum(np.abs(theta), 1e-3)
            points = theta + np.vstack([np.zeros(2), np.diag(steps), -np.diag(steps)])
            gaps = quantiles(probabilities, points[:, :1], points[:, 1:]) - values
            here, *around = np.nan_to_num((gaps**2).sum(axis=1), nan=1e9, posinf=1e9)
            return float(here), (np.array(around[:2]) - around[2:]) / (2 * steps)

        with np.errstate(all="ignore"):  # a far-off trial value may overflow; it is then merely far off
            options = {"ftol": 1e-13, "gtol": 1e-9, "maxiter": 2000}
            fit = minimize(distance, first, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        fits[name] = (fit.fun, *moments(*fit.x))
    best = min(fits, key=lambda name: fits[name][0])
    return MeanSd(float(fits[best][1]), float(fits[best][2]), best)


def _families(values: np.ndarray, mean: float, sd: float) -> dict:
    """{name: (quantile function, mean and SD, starting values, bounds)} of the families tried by QE."""
    families = {
        "normal": (
            lambda p, mu, sigma: mu + sigma * ndtri(p),
            lambda mu, sigma: (mu, sigma),
            (mean, sd), ((values[0], values[-1]), (1e-3, 50)),
        )
    }  # fmt: skip
    if values[0] <= 0:
        return families
    variation = sd / mean
    shape = (1 / variation) ** 1.086
    families["log-normal"] = (
        lambda p, mu, sigma: np.exp(mu + sigma * ndtri(p)),
        lambda mu, s: (math.exp(mu + s**2 / 2), math.sqrt(math.expm1(s**2)) * math.exp(mu + s**2 / 2)),
        (math.log(mean / math.sqrt(1 + variation**2)), math.sqrt(math.log1p(variation**2))),
        ((math.log(values[0]), math.log(values[-1])), (1e-3, 10)),
    )
    families["gamma"] = (
        lambda p, a, rate: gammaincinv(a, p) / rate,
        lambda a, rate: (a / rate, math.sqrt(a) / rate),
        (1 / variation**2, mean / sd**2), ((1e-3, 100), (1e-3, 100)),
    )  # fmt: skip
    families["weibull"] = (
        lambda p, k, scale: scale * (-np.log1p(-p)) ** (1 / k),
        lambda k, scale: (
            scale * gamma_function(1 + 1 / k),
            scale * math.sqrt(gamma_function(1 + 2 / k) - gamma_function(1 + 1 / k) ** 2),
        ),
        (shape, mean / gamma_function(1 + 1 / shape)), ((1e-3, 100), (1e-3, 100)),
    )  # fmt: skip
    first = mean * (mean * (1 - mean) / sd**2 - 1)
    families["beta"] = (
        lambda p, a, b: betaincinv(a, b, p),
        lambda a, b: (a / (a + b), math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))),
        (first, first * (1 - mean) / mean), ((1e-3, 40), (1e-3, 40)),
    )  # fmt: skip
    return families


def box_cox_estimates(minimum, median, maximum, n) -> MeanSd:
    """Mean and SD through the Box–Cox power λ that makes minimum and maximum equally far from the median
    (McGrath2020, method BC): Luo's mean and Wan's SD after the power, then back by integration over the normal,
    cut off where the power has no inverse and symmetrically above.

    Positive values only (ValueError); λ is searched from −2 to 3 and taken as 0 where negative.
    """
    n = check_count("n", n, least=3)
    values = np.array(_check_rising(min=minimum, median=median, max=maximum))
    if values[0] <= 0:
        raise ValueError(f"the minimum {minimum:g} is not positive: the Box–Cox power needs positive values")
    if not values[0] < values[1] < values[2]:
        raise ValueError("minimum, median and maximum must differ for a Box–Cox power")

    def skew(power: float) -> float:
        low, middle, high = _box_cox(values, power)
        return ((high - middle) / (middle - low) - 1) ** 2

    power = max(0.0, float(minimize_scalar(skew, bounds=(-2, 3), method="bounded", options={"xatol": 1e-10}).x))
    estimates = estimates_from_range(*_box_cox(values, power), n)
    mean, sd = _mean_sd_before_power(estimates.luo_mean, estimates.wan_sd, power)
    return MeanSd(mean, sd, f"power {power:.4g}")


def _box_cox(values, power: float):
    return np.log(values) if abs(power) < 1e-8 else (np.sign(values) * np.abs(values) ** power - 1) / power


def _mean_sd_before_power(location: float, scale: float, power: float) -> tuple[float, float]:
    if power <= 1e-2:  # as good as a logarithm
        mean = math.exp(location + scale**2 / 2)
        return mean, math.sqrt(math.expm1(scale**2)) * mean
    low, high = sorted((-1 / power, 2 * location + 1 / power))
    weight = ndtr((high - location) / scale) - ndtr((low - location) / scale)

    def density(x: float) -> float:
        return math.exp(-(((x - location) / scale) ** 2) / 2) / (scale * math.sqrt(2 * math.pi))

    def expected(function) -> float:
        # The normal has no weight worth integrating beyond twelve SDs.
        a, b = max(low, location - 12 * scale), min(high, location + 12 * scale)
        return quad(lambda x: function(max(power * x + 1, 0) ** (1 / power)) * density(x), a, b,
                    points=[location], epsabs=1e-12, limit=200)[0] / weight  # fmt: skip

    mean = expected(lambda v: v)
    return mean, math.sqrt(expected(lambda v: (v - mean) ** 2))


# Repeated values ----------------------------------------------------------------------------------------------------


class Duplicates(NamedTuple):
    """``frequency`` of every value that occurs more than once, most often first · ``flags``: for each column, is the
    value found anywhere else? · ``overlap``: for each pair of columns, how many values of the first are in the
    second."""

    frequency: dict
    flags: dict[str, list[bool]]
    overlap: dict[tuple[str, str], int]


def duplicates(columns: Mapping[str, Sequence]) -> Duplicates:
    """Values that occur more than once in a table, compared as printed; None is a missing value."""
    if not isinstance(columns, Mapping) or not columns:
        raise ValueError("no columns to compare: give {name: [values]}")
    columns = {name: check_list(f"column {name}", column) for name, column in columns.items()}
    unreadable = [v for column in columns.values() for v in column if not isinstance(v, (str, int, float, type(None)))]
    if unreadable:
        raise ValueError(f"{unreadable[0]!r} is no single value; give texts or numbers")
    counts = Counter(v for column in columns.values() for v in column if v is not None)
    names = list(columns)
    return Duplicates(
        {v: k for v, k in counts.most_common() if k > 1},
        {name: [v is not None and counts[v] > 1 for v in column] for name, column in columns.items()},
        {
            (a, b): sum(v is not None and v in set(columns[b]) for v in columns[a])
            for i, a in enumerate(names)
            for b in names[i + 1 :]
        },
    )
