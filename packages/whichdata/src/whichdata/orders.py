"""How extreme a log-rank comparison can be when only some times of two groups are known.

The log-rank depends on the order of the times alone. An *order* is a merging of both groups' events and losses that
some times within all bounds give, no two of them equal (patients counted to the day; for ties see ``pairs``).
Every step of an order adds to O − E and to V what depends only on who is left, so sums are walked with their convex
hulls: a part of an order that lies inside the hull of its rivals never leads to a vertex of the last hull.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from whichdata.given import check_count
from whichdata.printed import Interval
from whichdata.survival import QUANTILE_CONVENTIONS

ANY = Interval(Fraction(0), math.inf)
FEW = 60  # points that are faster carried on than thinned to their hull
HALF = Fraction(1, 2)
_PASSED, _AT_HALF = Fraction(-1), Fraction(-2)


@dataclass(frozen=True)
class PartlyKnown:
    """A group with ``events`` and ``losses`` (censored) at unknown times, and others censored at times in ``censored``.

    ``first``, ``last``: where the shortest and longest of the unknown times lie · ``median``: where the Kaplan–Meier
    median lies (None: anywhere), by ``convention`` ``le``, ``midpoint`` or ``lt`` as in
    :meth:`whichdata.survival.KaplanMeier.quantile`. A midpoint is that of a run which later falls; only its two ends
    are bounded. ValueError on counts, bounds or a convention that cannot be. What may follow what is derived here, in
    :meth:`_steps`, from the definition of the median.
    """

    events: int
    losses: int = 0
    censored: tuple[Interval, ...] = ()
    first: Interval = ANY
    last: Interval = ANY
    median: Interval | None = None
    convention: str = "le"

    def __post_init__(self):
        check_count("events", self.events, least=1)
        check_count("losses", self.losses)
        if self.convention not in QUANTILE_CONVENTIONS:
            raise ValueError(f"no convention named {self.convention!r}; known: {', '.join(QUANTILE_CONVENTIONS)}")
        ends = [(i.lower, i.upper) for i in self.censored]
        if sorted(ends) != ends or any(i.empty for i in (*self.censored, self.first, self.last)):
            raise ValueError("give the known censored times in order, and no empty interval")

    @property
    def n(self) -> int:
        """All patients of the group."""
        return self.events + self.losses + len(self.censored)

    @property
    def _start(self) -> tuple:
        return 0, 0, 0, _PASSED if self.median is None else Fraction(1)

    def _steps(self, state: tuple) -> Iterator[tuple[Fraction | float, Fraction | float, bool, tuple]]:
        """What may come next: its lowest and highest time, whether it is an event, and the state after it."""
        events, losses, known, curve = state
        at_risk = self.n - events - losses - known
        if known < len(self.censored):
            yield self.censored[known].lower, self.censored[known].upper, False, (events, losses, known + 1, curve)
        inside = ANY
        if events + losses == 0:
            inside = inside.intersection(self.first)
        if events + losses + 1 == self.events + self.losses:
            inside = inside.intersection(self.last)
        upper = min(inside.upper, self.last.upper)
        if losses < self.losses:
            yield inside.lower, upper, False, (events, losses + 1, known, curve)
        if events < self.events:
            low, high, after = self._after_event(curve, at_risk)
            yield max(low, inside.lower), min(high, upper), True, (events + 1, losses, known, after)

    def _after_event(self, curve: Fraction, at_risk: int) -> tuple[Fraction | float, Fraction | float, Fraction]:
        """Bounds that the median puts on an event, and the curve after it (``_PASSED`` once the median is settled)."""
        if curve == _PASSED:
            return 0, math.inf, _PASSED
        if curve == _AT_HALF:
            # the other end of a flat run whose middle is the median
            return self.median.lower, 2 * self.median.upper, _PASSED
        fallen = curve * Fraction(at_risk - 1, at_risk)
        if fallen > HALF or (fallen == HALF and self.convention == "lt"):
            return 0, self.median.upper, fallen
        if fallen == HALF and self.convention == "midpoint":
            return 0, self.median.upper, _AT_HALF
        return self.median.lower, self.median.upper, _PASSED


class Orders(NamedTuple):
    """All orders of two groups: their number, and the hull (vertices, 2) of (O − E, V) of the first group.

    ``count`` 0: no times satisfy the bounds; there is no hull then.
    """

    count: int
    hull: np.ndarray

    @property
    def z(self) -> tuple[float, float]:
        """The least and greatest (O − E)/√V. Negative: the first group has fewer events than expected.

        Exact where the two differ in sign; of two of one sign the farther from 0 is exact, the nearer may be exceeded.
        """
        z = self.hull[:, 0] / np.sqrt(self.hull[:, 1])
        return float(z.min()), float(z.max())

    @property
    def hr(self) -> tuple[float, float]:
        """The least and greatest Peto hazard ratio exp((O − E)/V) of the first group against the second, exact."""
        ratio = self.hull[:, 0] / self.hull[:, 1]
        return math.exp(ratio.min()), math.exp(ratio.max())

    def hr_where(self, z_from: float, z_to: float) -> tuple[float, float] | None:
        """Bounds of Peto's ratio over the orders with z between the two (both of one sign), None if there is none.

        No such order lies outside; as z takes finitely many values, the very ends need not be reached.
        """
        if not 0 < z_from * z_to:
            raise ValueError(f"z from {z_from:g} to {z_to:g} includes no difference; give two of one sign")
        low, high = sorted((z_from, z_to))
        ratios = [a / v for a, v in self.hull if low <= a / math.sqrt(v) <= high]
        for z in (low, high):
            ratios += [z / math.sqrt(v) for v in self._variances_at(z)]
        return (math.exp(min(ratios)), math.exp(max(ratios))) if ratios else None

    def _variances_at(self, z: float) -> Iterator[float]:
        """Where the edges of the hull meet O − E = z √V."""
        for (a, v), (b, w) in zip(self.hull, np.roll(self.hull, -1, axis=0)):
            # (a + s (b − a))² = z² (v + s (w − v)) for s from 0 to 1
            roots = np.roots([(b - a) ** 2, 2 * a * (b - a) - z**2 * (w - v), a**2 - z**2 * v])
            for s in roots[np.isreal(roots)].real:
                if 0 <= s <= 1 and (a + s * (b - a)) * z > 0:
                    yield v + s * (w - v)


def orders(first: PartlyKnown, second: PartlyKnown) -> Orders:
    """Count the orders of two groups and bound what their log-rank can be, for the first group. Derived here:

    times that rise through a sequence of intervals exist exactly if the greatest lower bound so far never exceeds the
    next upper bound, so a state is who is left in each group and that bound. One event among r at risk, r₁ of them in
    the first group, adds [Mantel1966] 1 − r₁/r or −r₁/r to O − E and r₁/r (1 − r₁/r) to V, whatever came before; so a
    partial sum inside the hull of its rivals stays inside it and is dropped.
    """
    one, two = _Nodes(first), _Nodes(second)
    if one.start is None or two.start is None:
        return Orders(0, np.zeros((0, 2)))
    layer = {(one.start, two.start, Fraction(0)): (1, np.zeros((1, 2)))}
    for _ in range(first.n + second.n):
        grown: dict = {}
        for (a, b, low), (count, sums) in layer.items():
            share = one.left[a] / (one.left[a] + two.left[b])
            for mine, moves in ((0, two.moves[b]), (1, one.moves[a])):
                for earliest, latest, event, after in moves:
                    now = max(low, earliest)
                    if now > latest:
                        continue
                    key = (after, b, now) if mine else (a, after, now)
                    step = np.array([mine - share, share * (1 - share)]) * event
                    grown.setdefault(key, []).append((count, sums + step))
        layer = {}
        for key, ways in grown.items():
            sums = ways[0][1] if len(ways) == 1 else np.concatenate([s for _, s in ways])
            layer[key] = sum(c for c, _ in ways), _hull(sums) if len(sums) > FEW else sums
    if not layer:
        return Orders(0, np.zeros((0, 2)))
    return Orders(sum(c for c, _ in layer.values()), _hull(np.concatenate([s for _, s in layer.values()])))


class _Nodes:
    """The states of a group, those with the same future as one: numbers left, and moves (low, high, event, node)."""

    def __init__(self, group: PartlyKnown):
        self.left: list[int] = []
        self.moves: list[tuple] = []
        self._known: dict = {}
        self._group = group
        self._of: dict = {}
        self.start = self._node(group._start)

    def _node(self, state: tuple) -> int | None:
        """The node of a state; None if it can never be finished."""
        if state not in self._of:
            left = self._group.n - sum(state[:3])
            moves = [(*step, self._node(after)) for *step, after in self._group._steps(state)]
            moves = tuple(m for m in moves if m[3] is not None)
            if moves or (left == 0 and state[3] == _PASSED):
                key = left, moves
                if key not in self._known:
                    self._known[key] = len(self.left)
                    self.left.append(left)
                    self.moves.append(moves)
                self._of[state] = self._known[key]
            else:
                self._of[state] = None
        return self._of[state]


def _hull(points: np.ndarray) -> np.ndarray:
    """The vertices of the convex hull, anticlockwise (monotone chain [Andrew1979])."""
    points = points[np.lexsort((points[:, 1], points[:, 0]))]
    points = points[np.concatenate([[True], np.any(np.diff(points, axis=0) != 0, axis=1)])]
    if len(points) < 3:
        return points

    def chain(rows) -> list:
        kept: list = []
        for x, y in rows:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], (x, y)) <= 0:
                kept.pop()
            kept.append((x, y))
        return kept[:-1]

    rows = points.tolist()
    return np.array(chain(rows) + chain(rows[::-1]))


def _turn(o: tuple, a: tuple, b: tuple) -> float:
    return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])
