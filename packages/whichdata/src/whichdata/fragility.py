"""How few outcomes carry a significant difference between two arms, or would make one."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc

from whichdata.given import MOST_OUTCOMES, check_alpha, check_group
from whichdata.tables2x2 import chi_squares, fisher, log_weights

SIGNIFICANCE_TESTS = {
    "fisher": lambda *cells: fisher(*cells)[0],
    "fisher_central": lambda *cells: fisher(*cells)[1],
    "pearson": lambda *cells: chi_squares(*cells)[0],
    "chisq": lambda *cells: chi_squares(*cells)[0],
    "yates": lambda *cells: chi_squares(*cells)[1],
}
MOST_IN_ARM = 50_000
LEAST_LEVEL = 1e-25  # levels below which no table is too unlikely to be looked at


class Fragility(NamedTuple):
    """``p`` of the table as it is; ``walsh_index`` the outcomes changed by Walsh's rule and ``p_after`` them (None if
    the rule never gets there); ``minimal_any_change`` the fewest outcomes that must change, in either arm and
    direction, to cross the level (None if none does)."""

    p: float
    walsh_index: int | None
    p_after: float | None
    minimal_any_change: int | None


def _p_by(test: str) -> Callable[[int, int, int, int], float]:
    if not isinstance(test, str) or test not in SIGNIFICANCE_TESTS:
        raise ValueError(f"no test named {test!r}; known: {', '.join(SIGNIFICANCE_TESTS)}")

    def p(events1: int, n1: int, events2: int, n2: int) -> float:
        value = SIGNIFICANCE_TESTS[test](events1, n1 - events1, events2, n2 - events2)
        return 1.0 if value is None else value  # no events, or nothing but events, in both arms: no difference

    return p


def fragility(events1, n1, events2, n2, alpha: float = 0.05, test: str = "fisher") -> Fragility:
    """How many outcomes carry a significant difference (p < ``alpha``) [Walsh2014]; all zero if it is not significant.

    Walsh's rule turns non-events into events in the arm with fewer events, one by one, until p ≥ ``alpha``; where
    that arm already has the higher risk this only widens the difference, and the index is None. Equal counts: the arm
    with the lower risk. ValueError before the search if it is too large (``MOST_OUTCOMES``).
    """
    (events1, n1), (events2, n2) = (check_group(*arm, MOST_IN_ARM) for arm in ((events1, n1), (events2, n2)))
    search = _ChangedOutcomes((events1, n1), (events2, n2), check_alpha(alpha), _p_by(test), test, significant=False)
    p = search.p(events1, events2)
    if p >= search.alpha:
        return Fragility(p, 0, p, 0)
    few, many = sorted(((events1, n1), (events2, n2)), key=lambda arm: (arm[0], Fraction(*arm)))
    # By Walsh's rule no more is needed than brings the arm to the other's risk; one that is there already has no index.
    most = math.ceil(Fraction(*many) * few[1]) - few[0]
    search.check_size(max(most, 0))
    index = p_after = None
    if most > 0:
        by_rule = _ChangedOutcomes(few, many, search.alpha, search.p_of, test, significant=False)
        index = next((k for k in range(1, few[1] - few[0] + 1) if by_rule.reached(few[0] + k, many[0])), None)
        p_after = None if index is None else by_rule.p(few[0] + index, many[0])
    return Fragility(p, index, p_after, search.fewest())


def reverse_fragility(events1, n1, events2, n2, alpha: float = 0.05, test: str = "fisher") -> tuple[float, int | None]:
    """p, and the fewest outcomes that must change, in either arm and direction, to make p < ``alpha``.

    By definition, found by looking through the tables from the nearest outwards. ValueError before the search if it is
    too large (``MOST_OUTCOMES``).
    """
    (events1, n1), (events2, n2) = (check_group(*arm, MOST_IN_ARM) for arm in ((events1, n1), (events2, n2)))
    search = _ChangedOutcomes((events1, n1), (events2, n2), check_alpha(alpha), _p_by(test), test, significant=True)
    p = search.p(events1, events2)
    if p < search.alpha:
        return p, 0
    search.check_size()
    return p, search.fewest()


class _ChangedOutcomes:
    """The search for the nearest table on the other side of the level.

    All tables with the same number of events in all share their margins, so their p come from one distribution. The
    totals are looked through from that of the table outwards; j events more or fewer are at least j changes.
    """

    def __init__(self, arm1: tuple[int, int], arm2: tuple[int, int], alpha: float, p_of, test: str, significant: bool):
        (self.events1, self.n1), (self.events2, self.n2) = arm1, arm2
        self.alpha, self.p_of, self.test, self.significant = alpha, p_of, test, significant

    def p(self, x: int, y: int) -> float:
        return self.p_of(x, self.n1, y, self.n2)

    def _is_reached(self, p):
        return p < self.alpha if self.significant else p >= self.alpha

    def reached(self, x: int, y: int) -> bool:
        """Is the table with ``x`` and ``y`` events on the other side of the level?"""
        xs, p = self._p_of_total(x + y)
        at = x - int(xs[0])
        return self._is_reached(p[at] if 0 <= at < len(xs) else 0.0)

    def enough(self) -> int:
        """A number of changes that is certainly enough, found by halving in one arm; all outcomes where none is."""
        x, y, n1, n2 = self.events1, self.events2, self.n1, self.n2
        if self.significant:  # as far as each arm goes
            ends = [(0, y), (n1, y), (x, 0), (x, n2)]
        else:  # to where both arms have the same risk
            ends = [(round(Fraction(n1 * y, n2)), y), (x, round(Fraction(n2 * x, n1)))]
        most = max(x, n1 - x) + max(y, n2 - y)
        for end in ends:
            too_few, found = 0, abs(end[0] - x) + abs(end[1] - y)
            if not found or not self.reached(*end):
                continue
            dx, dy = (end[0] - x) // found, (end[1] - y) // found
            while found - too_few > 1:
                middle = (found + too_few) // 2
                if self.reached(x + dx * middle, y + dy * middle):
                    found = middle
                else:
                    too_few = middle
            most = min(most, found)
        return most

    def check_size(self, further: int = 0) -> None:
        """ValueError if the totals to look through, and ``further`` ones, hold too many tables."""
        size = self.n1 + self.n2
        widest = min(self.n1, self.n2, 2 * self._reach(size // 2))
        most = self.enough()
        outcomes = (2 * most + further) * (widest + 1)
        if outcomes > MOST_OUTCOMES:
            raise ValueError(
                f"up to {most:,} outcomes must change in groups of {self.n1:,} and {self.n2:,}: about {outcomes:.1e} "
                f"tables to look at, more than {MOST_OUTCOMES:.0e}; give smaller groups, or an alpha nearer to p"
            )

    def fewest(self) -> int | None:
        """The fewest changes to a table that is reached; None if there is none."""
        x, y, best = self.events1, self.events2, math.inf
        for j in range(self.n1 + self.n2 + 1):
            if j >= best:
                break
            for total in {x + y - j, x + y + j}:
                if 0 <= total <= self.n1 + self.n2:
                    best = min(best, self._fewest_to_total(total))
        return None if best == math.inf else best

    def _fewest_to_total(self, total: int) -> int | float:
        least, most = max(0, total - self.n2), min(self.n1, total)
        xs, p = self._p_of_total(total)
        found = xs[self._is_reached(p)]
        if self.significant:  # beyond the tables looked at every one is reached
            if xs[0] > least:
                found = np.append(found, max(least, min(self.events1, xs[0] - 1)))
            if xs[-1] < most:
                found = np.append(found, min(most, max(self.events1, xs[-1] + 1)))
        changes = np.abs(found - self.events1) + np.abs(total - found - self.events2)
        return int(changes.min()) if len(changes) else math.inf

    def _reach(self, total: int) -> int:
        """Tables farther than this from the mean of the hypergeometric distribution have p below 1e-30, as
        Bernstein's inequality gives for twelve SDs and forty."""
        size = self.n1 + self.n2
        if self.alpha < LEAST_LEVEL:
            return size
        return math.ceil(12 * math.sqrt(self.n1 * self.n2 * total * (size - total) / (size**2 * max(size - 1, 1)))) + 40

    def _p_of_total(self, total: int) -> tuple[np.ndarray, np.ndarray]:
        """The events of the first arm and p of every table with ``total`` events that is near enough the mean."""
        n1, n2 = self.n1, self.n2
        mean, reach = n1 * total // (n1 + n2), self._reach(total)
        xs = np.arange(max(0, total - n2, mean - reach), min(n1, total, mean + reach + 1) + 1)
        if not 0 < total < n1 + n2:
            return xs, np.ones(len(xs))
        if self.test in ("fisher", "fisher_central"):
            log_weight = log_weights(xs[0], xs[-1], n1, n2, total)
            weight = np.exp(log_weight)
            probability = weight / weight.sum()
            if self.test == "fisher":
                order = np.argsort(probability)
                rising = probability[order]
                p = np.cumsum(rising)[np.searchsorted(rising, probability * (1 + 1e-7), side="right") - 1]
            else:
                p = 2 * np.minimum(np.cumsum(probability), np.cumsum(probability[::-1])[::-1])
        else:
            cross = np.abs(xs * float(n2) - n1 * (total - xs).astype(float))
            if self.test == "yates":
                cross = np.maximum(cross - (n1 + n2) / 2, 0)
            margins = float(n1 * n2) * total * (n1 + n2 - total)
            p = chdtrc(1, (n1 + n2) * cross**2 / margins)
        # Where the last digits of floats could decide, the test itself does.
        for i in np.flatnonzero(np.abs(p - self.alpha) < 1e-9 * self.alpha):
            p[i] = self.p(int(xs[i]), total - int(xs[i]))
        return xs, p
