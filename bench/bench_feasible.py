"""Feasible sets: exact counting against brute force, growth with the number of patients, and peak memory.

Figures are those of made-up patients whose times are evenly spread quantiles, so every set asked about is not empty.
"""

import math
import resource
import statistics
import time
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations_with_replacement

import numpy as np

from whichdata.feasible import FeasibleSet
from whichdata.printed import Printed, printings
from whichdata.ranks import reachable
from whichdata.summaries import Events, KMMedian, Median, Range, Summary, SurvivalAt
from whichdata.survival import kaplan_meier

MONTHS = 60
SIZES = (8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)


def timed(run: Callable):
    """What it gives, and the seconds it took."""
    begin = time.perf_counter()
    value = run()
    return value, time.perf_counter() - begin


def patients(n: int, last: int) -> tuple[list[int], list[int]]:
    """Event times by exponential quantiles with a median of half the grid, censoring evenly over its second half."""
    died = [-math.log(1 - (k + 0.5) / n) / math.log(2) * last / 2 for k in range(n)]
    lost = [last * (0.3 + 0.7 * ((k * 7) % n + 0.5) / n) for k in range(n)]
    time = [max(1, min(last, round(min(d, c)))) for d, c in zip(died, lost)]
    return time, [int(d <= c) for d, c in zip(died, lost)]


def printed_survival(n: int, last: int, shares: tuple[float, ...]) -> dict[str, Summary]:
    curve = kaplan_meier(*patients(n, last))
    months = [round(last * share) for share in shares]
    return {f"survival at {m}": SurvivalAt(m, printings(100 * curve.at(m), 0)[0]) for m in months}


def brute_force(n: int, last: int, figures: dict[str, Summary]) -> int:
    """Every multiset of (time, status), its curve in fractions."""
    cells = [(t, e) for t in range(1, last + 1) for e in (1, 0)]
    windows = {s.time: Printed.parse(s.printed).interval().scaled(Fraction(1, 100)) for s in figures.values()}
    found = 0
    for data in combinations_with_replacement(cells, n):
        left, top, bottom, at = n, 1, 1, 0
        fits = True
        for t, window in windows.items():
            while at < n and data[at][0] <= t:
                if data[at][1]:
                    top, bottom = top * (left - 1), bottom * left
                left, at = left - 1, at + 1
            if Fraction(top, bottom) not in window:
                fits = False
                break
        found += fits
    return found


def bench_against_brute_force() -> None:
    print("Kaplan-Meier feasible count on 5 times, two printed percentages: exact count against brute force")
    print(f"  {'n':>3} {'data sets':>10} {'of':>10} {'count, s':>10} {'brute, s':>10} {'times':>8}")
    for n in (8, 10, 12):
        figures = printed_survival(n, 5, (0.4, 0.8))
        count, fast = timed(lambda: FeasibleSet(n, range(1, 6), figures).count())
        same, slow = timed(lambda: brute_force(n, 5, figures))
        assert count == same, (count, same)
        print(f"  {n:3} {count:10,} {math.comb(9 + n, n):10,} {fast:10.4f} {slow:10.2f} {slow / fast:8,.0f}")


def four_figures(n: int) -> dict[str, dict[str, Summary]]:
    """Four printed figures of three kinds of report."""
    times, event = patients(n, MONTHS)
    curve = kaplan_meier(times, event)
    median = KMMedian(curve.median() or "NR")
    follow_up = Median("all", printings(statistics.median(map(Fraction, times)), 0)[0])
    two = printed_survival(n, MONTHS, (0.2, 0.5))
    return {
        "four percentages": printed_survival(n, MONTHS, (0.2, 0.4, 0.6, 0.8)),
        "two percentages, median, events": two | {"median": median, "events": Events(sum(event))},
        "percentage, median, range, follow-up": printed_survival(n, MONTHS, (0.5,))
        | {"median": median, "range": Range("all", min(times), max(times)), "follow-up": follow_up},
    }


def bench_growth() -> None:
    print(f"\nGrowth on a grid of {MONTHS} months with four printed figures (seconds; sets counted exactly)")
    names = list(four_figures(8))
    spent = {name: [] for name in names}
    print(f"  {'n':>3} " + " ".join(f"{name:>38}" for name in names))
    for n in SIZES:
        row = []
        for name, figures in four_figures(n).items():
            count, seconds = timed(lambda: FeasibleSet(n, range(1, MONTHS + 1), figures).count())
            assert count > 0
            spent[name].append(seconds)
            row.append(f"{seconds:>18.3f} s, {count:.1e} sets".rjust(38))
        print(f"  {n:3} " + " ".join(row))
    for name in names:
        power = np.polyfit(np.log(SIZES), np.log(spent[name]), 1)[0]
        print(f"  {name}: time grows as n^{power:.1f}; n = 20 in {spent[name][SIZES.index(20)]:.2f} s")


def naive_ties(n1: int, n2: int) -> set[tuple[tuple[int, ...], int]]:
    """(tie groups above one, 2U) over every tie structure and every way to share its groups between two samples."""
    found = set()

    def share(sizes: tuple[int, ...], left: int, below: int, u2: int, at: int) -> None:
        if at == len(sizes):
            if left == 0:
                found.add((tuple(sorted(t for t in sizes if t > 1)), u2))
            return
        for a in range(min(left, sizes[at]) + 1):
            b = sizes[at] - a
            share(sizes, left - a, below + b, u2 + 2 * a * below + a * b, at + 1)

    for cuts in range(1 << (n1 + n2 - 1)):
        sizes, run = [], 1
        for k in range(n1 + n2 - 1):
            if cuts >> k & 1:
                sizes, run = [*sizes, run], 1
            else:
                run += 1
        share((*sizes, run), n1, 0, 0, 0)
    return found


def bench_ties() -> None:
    print("\nMann-Whitney: which U can occur with which ties, search against naive enumeration")
    print(f"  {'n1, n2':>7} {'pairs':>8} {'search, s':>10} {'naive, s':>10} {'times':>8}")
    for n1, n2 in ((4, 4), (5, 5), (6, 5), (6, 6)):
        reachable.cache_clear()
        ours, fast = timed(lambda: reachable(n1, n2, by_sum=False))
        naive, slow = timed(lambda: naive_ties(n1, n2))
        pairs = {(ties, u) for ties, bits in ours.items() for u in range(2 * n1 * n2 + 1) if bits >> u & 1}
        assert pairs == naive
        print(f"  {f'{n1}, {n2}':>7} {len(pairs):8,} {fast:10.4f} {slow:10.2f} {slow / fast:8,.0f}")


if __name__ == "__main__":
    bench_against_brute_force()
    bench_growth()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nPeak memory so far, libraries included: {peak:,.0f} MB")
    bench_ties()
