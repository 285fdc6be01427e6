"""Pairs of samples that print given summaries, and the p values of the rank-sum test over all of them."""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise
from typing import NamedTuple

from whichdata.given import MOST_COUNTS, check_count, check_list, given_interval
from whichdata.printed import Interval, Printed
from whichdata.rank_nulls import MOST_IN_GROUP, STEP_LIMIT, P, null_distribution, unpack
from whichdata.ranks import about_steps, asymptotic_p, p_interval, partitions, tie_sum

MOST_MIDDLES = 1_000_000  # pairs of middle values × patients, each pair a way of its own to meet a median


class OrderBounds(NamedTuple):
    """Bounds of each ordered value of a group, in units: lows[k] ≤ x₍k₎ ≤ highs[k], both rising."""

    lows: tuple[int, ...]
    highs: tuple[int, ...]


@dataclass(frozen=True)
class Group:
    """A group known by its summaries, or by its ``values``.

    ``minimum``, ``median``, ``maximum``: plain numbers (exact), printed texts (intervals), or, for the median, None.
    By definition the first, the middle (of an even number the mean of the middle two) and the last in order.
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
        named = {"min": self.minimum, "median": self.median, "max": self.maximum}
        read = {name: given_interval(value, rounding) for name, value in named.items() if value is not None}
        for (name, values), (above, bound) in pairwise(read.items()):
            if values.lower > bound.upper:
                raise ValueError(f"the {name} {named[name]} is above the {above} {named[above]}")
        low, high = (_multiples(read[name], unit, named[name]) for name in ("min", "max"))
        median = read["median"].scaled(1 / unit) if "median" in read else None
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
        ranges = [_multiples(given_interval(v, rounding), unit, v) for v in check_list("values", self.values)]
        if not ranges:
            raise ValueError("the group is empty")
        if not all(ranges):
            return []
        if any(len(r) > 1 for r in ranges):
            raise ValueError("raw values must be exact in the unit; give a finer unit")
        values = tuple(sorted(r.start for r in ranges))
        return [OrderBounds(values, values)]


def _multiples(values: Interval, unit: Fraction, given) -> range:
    """The multiples of ``unit`` that lie in the ``values`` of a figure ``given``, as whole numbers of units."""
    values = values.scaled(1 / unit)
    if not math.isfinite(values.lower) or not math.isfinite(values.upper):
        raise ValueError(f"{given!r} leaves the values unbounded; give a number")
    return values.integers(math.floor(values.lower), math.ceil(values.upper))


def _rising(edges: list[list[int]]) -> OrderBounds | None:
    """Bounds made rising (x₍k₎ is at least every low before it, at most every high after it); None if empty."""
    lows, highs = [e[0] for e in edges], [e[1] for e in edges]
    for k in range(1, len(edges)):
        lows[k] = max(lows[k], lows[k - 1])
        highs[-k - 1] = min(highs[-k - 1], highs[-k])
    return OrderBounds(tuple(lows), tuple(highs)) if all(a <= b for a, b in zip(lows, highs)) else None


def count_datasets(bounds: OrderBounds) -> int:
    """The number of multisets of whole numbers within the bounds. Derived here: by blocks of k alike, C(k + high − low,
    k) each, where the blocks lie apart, else value by value. ValueError if that takes too long."""
    blocks = [(edges, len(list(block))) for edges, block in groupby(zip(bounds.lows, bounds.highs))]
    free = [i for i, ((low, high), _) in enumerate(blocks) if low < high]
    if all(j > i + 1 for i, j in pairwise(free)):  # set apart by fixed values, so each block fills on its own
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
NEED_ORDER_OF_TIES = ("exact_conditional",)  # to the others only the sizes of the ties matter


def feasible_ranks(
    group1: Group,
    group2: Group,
    p: str | Printed | None = None,
    unit: Fraction = Fraction(1),
    rounding: str = "up_or_down",
) -> FeasibleRanks:
    """Count the pairs of data sets, multiples of ``unit``, that print the summaries, and range p over them.

    Exact, derived here: a walk up the values keeps the number of ways for every (placed, tie structure, U). The exact
    convention needs the order of the ties and is left out (None) where that walk is too long; the asymptotic ones need
    only Σ(t³ − t), and if even that is too long a ValueError says so before the walk starts.
    """
    all1, all2 = group1.bounds(unit, rounding), group2.bounds(unit, rounding)
    n_group1, n_group2 = (sum(map(count_datasets, b)) for b in (all1, all2))
    admitted = None if p is None else p_interval(p, rounding)
    if not n_group1 * n_group2:
        empty = PRange(None, None, None if p is None else 0, None)
        return FeasibleRanks(n_group1, n_group2, 0, dict.fromkeys(FEASIBLE_CONVENTIONS, empty), empty.n_printing)
    n1, n2 = len(all1[0].lows), len(all2[0].lows)
    _check_walks(all1, all2, n1, n2)
    bits = (n_group1 * n_group2).bit_length() + 1
    walks = [_Walk(b1, b2, bits) for b1 in all1 for b2 in all2]
    ordered = _can_keep_order(walks, n1, n2)
    conventions = [name for name in FEASIBLE_CONVENTIONS if ordered or name not in NEED_ORDER_OF_TIES]
    tallies = [_Tally(n1, n2, admitted, name) for name in conventions]
    n_printing = 0
    for walk in walks:
        for key, packed in walk.run(_append if ordered else _add).items():
            ties = _structure(key) if ordered else None
            tied = tie_sum(ties) if ordered else key
            for u2, ways in enumerate(unpack(packed, bits, 2 * n1 * n2 + 1)):
                if ways:
                    printing = [tally.add(walk, key, ties, tied, u2, ways) for tally in tallies]
                    n_printing += ways if any(printing) else 0
    by_convention = {name: None for name in FEASIBLE_CONVENTIONS} | {t.name: t.result(unit) for t in tallies}
    return FeasibleRanks(n_group1, n_group2, n_group1 * n_group2, by_convention, None if p is None else n_printing)


def _check_walks(all1: list[OrderBounds], all2: list[OrderBounds], n1: int, n2: int) -> None:
    """ValueError if the walks are too many to set up: each takes at least one step per value and tie structure."""
    length = all1[0].highs[-1] - all1[0].lows[0] + 1
    steps = len(all1) * len(all2) * length
    if steps * min(partitions(n1 + n2), 100) > 2 * STEP_LIMIT:
        raise ValueError(
            f"{len(all1)} × {len(all2)} pairs of middle values on {length} values are too many to walk: narrow the "
            "ranges, take a coarser unit, or give one group's values"
        )


def _can_keep_order(walks: list["_Walk"], n1: int, n2: int) -> bool:
    """May the walks keep the order of the ties? ValueError if even without it they are too long."""
    size, length = n1 + n2, max(len(w.grid) for w in walks)
    steps = sum(w.steps() for w in walks)
    structures = 2 ** (size - 1) if length >= size else sum(math.comb(size - 1, k) for k in range(length))
    if steps * structures <= STEP_LIMIT:
        return True
    if steps * partitions(size) > 2 * STEP_LIMIT:
        raise ValueError(
            f"{about_steps(steps * partitions(size))} steps for groups of {n1} and {n2} on {length} values, "
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
                    state = (i + a, j + b, extend(key, a + b))
                    grown[state] = grown.get(state, 0) + (packed << (_added_u2(a, b, j) * self.bits))
            self.states.append(grown)
        return {key: packed for (i, j, key), packed in self.states[-1].items() if (i, j) == self.end}

    def witness(self, key: int, u2: int) -> tuple[list[int], list[int]]:
        """One pair of data sets that ends with this tie key and 2U."""
        x, y, after = [], [], (*self.end, key)
        for step in reversed(range(len(self.grid))):
            before, u2 = self._step_back(step, after, u2)
            x += [self.grid[step]] * (after[0] - before[0])
            y += [self.grid[step]] * (after[1] - before[1])
            after = before
        return x[::-1], y[::-1]

    def _step_back(self, step: int, after: tuple[int, int, int], u2: int) -> tuple[tuple[int, int, int], int]:
        """A state before the step, with a 2U it can have, from which the step leads to ``after`` with 2U = ``u2``."""
        mask = (1 << self.bits) - 1
        for before, packed in self.states[step].items():
            i, j, key = before
            a, b = after[0] - i, after[1] - j
            if (a, b) not in self._moves(i, j, step) or self.extend(key, a + b) != after[2]:
                continue
            u2_before = u2 - _added_u2(a, b, j)
            if u2_before >= 0 and packed >> (u2_before * self.bits) & mask:
                return before, u2_before
        raise AssertionError("no step leads to this state")


def _added_u2(a: int, b: int, below: int) -> int:
    """What ``a`` values of group 1, tied with ``b`` of group 2 and above ``below`` of it, add to 2U."""
    return 2 * a * below + a * b


def _append(structure: int, tied: int) -> int:
    """A tie structure as bits, one per value, set where a tie group begins; ``tied`` values more (none: unchanged)."""
    return structure << tied | (1 << tied) >> 1


def _add(total: int, tied: int) -> int:
    """Σ(t³ − t) with ``tied`` values more."""
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
