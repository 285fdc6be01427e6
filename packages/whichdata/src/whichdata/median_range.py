"""Which samples print a median, a least and a greatest value, and the means and SDs they may have."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from whichdata.given import check_choice, check_count, check_rising, read_value
from whichdata.printed import Interval, Printed, check_rounding
from whichdata.rank_nulls import MOST_IN_GROUP
from whichdata.rank_sets import Group, OrderBounds, count_datasets

KINDS = ("integer", "continuous")


def median_possible(median: str | Printed, n, data: str = "integer", rounding: str = "up_or_down") -> bool:
    """Can ``n`` values of ``data`` ("integer" or "continuous") have a median that prints so?

    By definition whole numbers have a whole median if n is odd, a whole or a half one if it is even.
    """
    n = check_count("n", n, least=1)
    printed = read_value("median", median)
    check_rounding(rounding)
    check_choice("data", data, KINDS)
    steps = 1 if n % 2 else 2
    return data == "continuous" or len(printed.interval(rounding).scaled(steps).integers()) > 0


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

    Derived here (in the comments below): exact for "integer" data and for "continuous" ones (whose bounds may only be
    approached where a rounding interval is open). ValueError if the three contradict their order.
    """
    n = check_count("n", n, 1, MOST_IN_GROUP)
    check_choice("data", data, KINDS)
    for name, value in (("min", minimum), ("median", median), ("max", maximum)):
        if isinstance(value, str):
            read_value(name, value)
    if data == "continuous":
        low, middle, high = check_rising(rounding, min=minimum, median=median, max=maximum)
        return _summary_bounds(None, n, list(_continuous_moments(n, low, middle, high)))
    ways = Group(n, minimum, median, maximum).bounds(rounding=rounding)
    return _summary_bounds(sum(map(count_datasets, ways)), n, list(map(_moments, ways)))


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
