"""Orders against brute force: every merging tried, its times found by linear programming, its log-rank exactly."""

import math
from fractions import Fraction
from itertools import combinations, permutations

import numpy as np
import pytest
from scipy.optimize import linprog

from whichdata.compare import log_rank
from whichdata.orders import ANY, PartlyKnown, orders
from whichdata.printed import Interval
from whichdata.survival import kaplan_meier


def between(low, high) -> Interval:
    return Interval(Fraction(low), Fraction(high))


def sequences(group: PartlyKnown):
    """The group's own orders, as (event flag, interval): unknown events and losses alike, known censorings in order."""
    free = "e" * group.events + "l" * group.losses
    for kinds in sorted(set(permutations(free + "k" * len(group.censored)))):
        known = iter(group.censored)
        steps = [[k == "e", next(known) if k == "k" else ANY] for k in kinds]
        unknown = [i for i, k in enumerate(kinds) if k != "k"]
        steps[unknown[0]][1] = steps[unknown[0]][1].intersection(group.first)
        steps[unknown[-1]][1] = steps[unknown[-1]][1].intersection(group.last)
        yield steps


def feasible(steps, medians) -> bool:
    """Is there a rising row of times within the bounds? ``medians``: (positions averaged, interval)."""
    n = len(steps)
    rows, limits = [], []
    for i in range(n - 1):
        row = np.zeros(n)
        row[i], row[i + 1] = 1, -1
        rows.append(row)
        limits.append(0)
    for positions, inside in medians:
        row = np.zeros(n)
        row[list(positions)] = 1 / len(positions)
        rows += [row, -row]
        limits += [float(inside.upper), -float(inside.lower)]
    bounds = [(float(i.lower), None if i.upper == math.inf else float(i.upper)) for _, i in steps]
    return linprog(np.zeros(n), A_ub=np.array(rows), b_ub=np.array(limits), bounds=bounds).status == 0


def median_positions(flags, convention) -> tuple | None:
    """Which of the group's patients, in order, the median names."""
    curve = kaplan_meier(range(1, len(flags) + 1), [int(f) for f in flags])
    if convention != "midpoint":
        rank = curve.median(convention)
        return None if rank is None else (int(rank) - 1,)
    first, after = curve.median("le"), curve.median("lt")
    return None if after is None else tuple(sorted({int(first) - 1, int(after) - 1}))


def brute_force(one: PartlyKnown, two: PartlyKnown) -> list[tuple[Fraction, Fraction]]:
    found = []
    for a in sequences(one):
        for b in sequences(two):
            for places in combinations(range(one.n + two.n), one.n):
                others = [i for i in range(one.n + two.n) if i not in places]
                steps = [None] * (one.n + two.n)
                medians, possible = [], True
                for group, own, where in ((one, a, places), (two, b, others)):
                    for i, step in zip(where, own):
                        steps[i] = step
                    if group.median is not None:
                        named = median_positions([flag for flag, _ in own], group.convention)
                        possible &= named is not None
                        medians.append(([where[k] for k in named or ()], group.median))
                if possible and feasible(steps, medians):
                    flags = [int(flag) for flag, _ in steps]
                    test = log_rank(range(1, len(steps) + 1), flags, [int(i in others) for i in range(len(steps))])
                    found.append((-test.o_minus_e, test.variance))
    return found


CASES = [
    (PartlyKnown(3), PartlyKnown(2)),
    (
        PartlyKnown(3, 0, (between(8, 9),), between(1, 2), between(6, 7), between(3, 4)),
        PartlyKnown(2, 0, (between(5, 6),), between(0, 1), ANY, between(2, 3)),
    ),
    (
        PartlyKnown(2, 1, (between(8, 9),), between(1, 2), ANY, between(3, 4)),
        PartlyKnown(2, 1, (), ANY, between(5, 6), between(2, 3), "lt"),
    ),
    (
        PartlyKnown(4, 0, (), between(1, 2), between(9, 10), between(4, 5), "midpoint"),
        PartlyKnown(2, 0, (between(3, 7),), ANY, ANY, between(4, 5), "le"),
    ),
]


@pytest.mark.parametrize("one, two", CASES)
def test_every_order_and_no_other(one, two):
    found, brute = orders(one, two), brute_force(one, two)
    assert found.count == len(brute)
    z = [float(a) / math.sqrt(v) for a, v in brute]
    assert found.z[0] == pytest.approx(min(z)) or min(z) > 0
    assert found.z[1] == pytest.approx(max(z)) or max(z) < 0
    ratios = [math.exp(a / v) for a, v in brute]
    assert found.hr == pytest.approx((min(ratios), max(ratios)))


def test_ratios_at_a_given_z_hold_every_such_order():
    one, two = CASES[2]
    found, brute = orders(one, two), brute_force(one, two)
    z = sorted(float(a) / math.sqrt(v) for a, v in brute)
    for low, high in ((z[0], z[0] / 2), (z[0] / 2, -0.01)):
        bounds = found.hr_where(low, high)
        inside = [math.exp(a / v) for a, v in brute if low <= float(a) / math.sqrt(v) <= high]
        assert inside and bounds[0] <= min(inside) + 1e-12 and max(inside) <= bounds[1] + 1e-12
    assert found.hr_where(10, 11) is None
    with pytest.raises(ValueError, match="one sign"):
        found.hr_where(-1, 1)


def test_without_bounds_every_merging_is_an_order():
    assert orders(PartlyKnown(6), PartlyKnown(5)).count == math.comb(11, 5)


@pytest.mark.parametrize(
    "one",
    [
        PartlyKnown(2, 0, (between(1, 2), between(1, 2)), between(3, 4), ANY, between(2, 3)),
        PartlyKnown(2, 0, (), between(3, 4), between(1, 2)),
        PartlyKnown(1, 3, (), ANY, ANY, between(1, 2)),
    ],
)
def test_bounds_that_nobody_meets_leave_no_order(one):
    # the third: with losses first the curve still falls to 0 at the last patient, so only that order is left
    count = orders(one, PartlyKnown(1)).count
    assert count == len(brute_force(one, PartlyKnown(1)))


@pytest.mark.parametrize(
    "bad, says",
    [
        (dict(events=0), "events"),
        (dict(events=2, convention="mean"), "convention"),
        (dict(events=2, censored=(between(3, 4), between(1, 2))), "in order"),
        (dict(events=2, first=between(4, 3)), "empty"),
    ],
)
def test_what_cannot_be_is_refused(bad, says):
    with pytest.raises(ValueError, match=says):
        PartlyKnown(**bad)
