"""Patients from a printed curve: the iterative reconstruction everybody uses, and the exact one for small groups."""

import bisect
import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice, pairwise
from typing import NamedTuple

import numpy as np

from whichdata.given import check_count
from whichdata.printed import Interval
from whichdata.survival import Time, exact_time

STATE_LIMIT = 1_000_000
STEP_LIMIT = 2_000_000
FORECAST_MARGIN = 3  # the forecast counts ways that lead to the same state apart


class Guyot(NamedTuple):
    """One data set: parallel times and flags (1 event, 0 censored), sorted, events first."""

    time: tuple[float, ...]
    event: tuple[int, ...]


def guyot(
    curve: Sequence[tuple[Time, Fraction]], number_at_risk: Mapping[Time, int], total_events: int | None = None
) -> Guyot:
    """One data set near a read-off curve, by the algorithm of [Guyot2012].

    ``curve`` is (time, S) with S from 0 to 1; ``number_at_risk`` must start at time 0. Between two numbers at risk the
    censorings are spread evenly and their number adjusted until the next number at risk is met; after the last number
    at risk, censoring goes on at the average pace, or so that ``total_events`` comes out. It is an approximation: it
    need not print the curve it was given. ValueError on a rising curve or rising numbers at risk.
    """
    times, survival = _checked_curve(curve)
    risk_times, risk = checked_at_risk(number_at_risk)
    if risk_times[0] != 0:
        raise ValueError("the number at risk at time 0 is needed")
    if total_events is not None and not 0 <= total_events <= risk[0]:
        raise ValueError(f"{total_events} events of {risk[0]} patients cannot be")
    times, survival = _with_points_at(times, survival, [t for t in risk_times if t <= times[-1]])
    inside = [i for i, t in enumerate(risk_times) if t <= times[-1]]
    starts = [bisect.bisect_left(times, risk_times[i]) for i in inside]
    return _Guyot([float(t) for t in times], [float(s) for s in survival], starts, [risk[i] for i in inside]).run(
        total_events
    )


class _Guyot:
    """The state of the iteration; arrays run over curve points, ``starts`` are the points of the numbers at risk."""

    def __init__(self, times: list[float], survival: list[float], starts: list[int], risk: list[int]):
        self.times, self.survival, self.starts, self.risk = times, survival, starts, risk
        self.at_risk = [risk[0]] * (len(times) + 1)
        self.events = [0] * len(times)
        self.censored = [0] * len(times)
        self.fitted = [1.0] * len(times)

    def run(self, total_events: int | None) -> Guyot:
        last_event, losses = 0, []
        for i in range(len(self.starts) - 1):
            last_event, count = self._meet_next_at_risk(i, last_event)
            losses.append(count)
        self._after_last_at_risk(last_event, losses, total_events)
        return self._patients()

    def _meet_next_at_risk(self, i: int, last_event: int) -> tuple[int, int]:
        """Fit between two numbers at risk; returns the point of the last event and the number censored."""
        begin, end = self.starts[i], self.starts[i + 1]
        target = self.risk[i + 1]
        carried = self.survival[end] / self.survival[begin] if self.survival[begin] else 0.0
        count = max(0, round(self.risk[i] * carried - target))
        tried = set()
        while True:
            tried.add(count)
            self._spread(count, begin, end)
            last = self._walk(begin, end, self.risk[i], last_event)
            surplus = self.at_risk[end] - target
            better = count + surplus
            # with too few left and no censoring to take back, the published procedure keeps what it last placed
            if surplus == 0 or better <= 0 > surplus or max(0, better) in tried:
                break
            count = max(0, better)
        self.risk[i + 1] = min(target, self.at_risk[end])
        return last, better

    def _after_last_at_risk(self, last_event: int, losses: list[int], total_events: int | None) -> None:
        begin, end = self.starts[-1], len(self.times) - 1
        before = sum(self.events[:begin])
        if total_events is not None and losses and before >= total_events:
            self.at_risk[begin:] = [self.risk[-1]] * (len(self.at_risk) - begin)
            return
        count = 0
        if losses:
            pace = (self.times[end] - self.times[begin]) / (self.times[begin - 1] - self.times[0] or 1.0)
            count = min(max(0, round(sum(losses) * pace)), self.risk[-1])
        tried = set()
        while True:
            tried.add(count)
            self._spread(count, begin, end)
            self._walk(begin, end + 1, self.risk[-1], last_event)
            if total_events is None:
                return
            better = min(max(0, count + before + sum(self.events[begin:]) - total_events), self.risk[-1])
            if better in tried:
                return
            count = better

    def _spread(self, count: int, begin: int, end: int) -> None:
        """Put ``count`` censorings evenly between the points ``begin`` and ``end``."""
        self.censored[begin : end + 1] = [0] * (end + 1 - begin)
        if end == begin:
            return
        width = (self.times[end] - self.times[begin]) / (count + 1)
        for j in range(1, count + 1):
            point = bisect.bisect_left(self.times, self.times[begin] + j * width, begin + 1, end) - 1
            self.censored[point] += 1

    def _walk(self, begin: int, end: int, at_risk: int, last_event: int) -> int:
        """Events at the points from ``begin`` to before ``end`` that bring the fitted curve nearest to the one read."""
        self.at_risk[begin] = at_risk
        for k in range(begin, end):
            left, height = self.at_risk[k], self.fitted[last_event]
            self.events[k] = 0 if k == 0 or height == 0 else max(0, round(left * (1 - self.survival[k] / height)))
            self.fitted[k] = height * (1 - self.events[k] / left) if left else height
            self.censored[k] = min(self.censored[k], left - self.events[k])
            self.at_risk[k + 1] = left - self.events[k] - self.censored[k]
            if self.events[k]:
                last_event = k
        return last_event

    def _patients(self) -> Guyot:
        rows = []
        for k, t in enumerate(self.times):
            rows += [(t, 1)] * self.events[k]
            if k + 1 < len(self.times):
                rows += [((t + self.times[k + 1]) / 2, 0)] * self.censored[k]
        rows += [(self.times[-1], 0)] * (self.risk[0] - len(rows))
        rows.sort(key=lambda row: (row[0], -row[1]))
        return Guyot(tuple(t for t, _ in rows), tuple(e for _, e in rows))


class ExactReconstruction(NamedTuple):
    """All (at risk, events) sequences at the steps that print everything given; the first ``solutions``, in order."""

    times: tuple[Fraction, ...]
    n_solutions: int
    solutions: tuple[tuple[tuple[int, int], ...], ...]

    @property
    def unique(self) -> bool:
        return self.n_solutions == 1


def exact_reconstruction(
    n: int,
    steps: Sequence[tuple[Time, Interval]],
    number_at_risk: Mapping[Time, int] | None = None,
    total_events: int | None = None,
    limit: int = 100,
) -> ExactReconstruction:
    """Every way to place whole numbers of events at the steps of a curve, and at risk before them.

    ``steps``: (time, values of S just after it that print as read); events happen at these times only, at least one at
    each; censoring anywhere. ``number_at_risk``: {time: patients with time ≥ it}. At most ``limit`` solutions are
    listed, all are counted. ValueError on input that cannot be, or a search that looks too large (:func:`forecast`),
    or turns out to be. Derived here: with r at risk before a step and k left after its events, S falls by k/r, and what
    can follow depends on the step, k, S and the events so far alone.
    """
    if n < 1:
        raise ValueError(f"{n} patients: at least 1 is needed")
    if total_events is not None and not 0 <= total_events <= n:
        raise ValueError(f"{total_events} events of {n} patients cannot be")
    steps = sorted((exact_time(t), window) for t, window in steps)
    times = [t for t, _ in steps]
    if not times or len(set(times)) < len(times):
        raise ValueError("give each step of the curve once, at least one")
    rows = list(zip(*checked_at_risk(number_at_risk))) if number_at_risk else []
    if rows and rows[0][1] > n:
        raise ValueError(f"{rows[0][1]} at risk of {n} patients cannot be")
    if any(t == 0 and r != n for t, r in rows):
        raise ValueError(f"all {n} patients are at risk at time 0, not {rows[0][1]}")
    # numbers at risk never rise: a row bounds those at risk at every step before it from below, after it from above
    bounds = [(max([1, *(r for u, r in rows if u >= t)]), min([n, *(r for u, r in rows if u <= t)])) for t in times]
    left_least = [max((r for u, r in rows if u > t), default=0) for t in times]
    windows = [window for _, window in steps]
    enough = FORECAST_MARGIN * STEP_LIMIT
    if forecast(n, windows, bounds, left_least, enough) > enough:
        raise ValueError(_too_large(n, f"more than {enough:,}"))
    placements = _Placements(n, windows, bounds, left_least, total_events)
    total = placements.ways(0, n, Fraction(1), 0)
    found = islice(placements.listed(0, n, Fraction(1), 0), limit) if total else ()
    return ExactReconstruction(tuple(times), total, tuple(found))


class _Placements:
    """Ways to go on from a partial curve: ``i`` steps done, ``left`` patients, curve at ``s``, ``events`` so far."""

    def __init__(self, n: int, windows: list, bounds: list, left_least: list, total_events: int | None):
        self.n, self.windows, self.bounds = n, windows, bounds
        self.left_least, self.total_events = left_least, total_events
        self.memo: dict = {}
        self.tried = 0

    def ways(self, i: int, left: int, s: Fraction, events: int) -> int:
        """How many of them print everything."""
        if i == len(self.windows):
            return int(self.total_events is None or events == self.total_events)
        key = (i, left, s, events if self.total_events is not None else 0)
        if key not in self.memo:
            if len(self.memo) > STATE_LIMIT:
                raise ValueError(_too_large(self.n, f"more than {STATE_LIMIT:,}"))
            self.memo[key] = sum(self.ways(*state) for _, _, state in self._branches(i, left, s, events))
        return self.memo[key]

    def listed(self, i: int, left: int, s: Fraction, events: int) -> Iterator[tuple[tuple[int, int], ...]]:
        """Them, one after another, as (at risk, events) at the steps still to come."""
        if i == len(self.windows):
            yield ()
            return
        for r, d, state in self._branches(i, left, s, events):
            if self.ways(*state):
                for rest in self.listed(*state):
                    yield ((r, d), *rest)

    def _branches(self, i: int, left: int, s: Fraction, events: int) -> Iterator[tuple[int, int, tuple]]:
        least, most = self.bounds[i]
        for r in range(least, min(left, most) + 1):
            # with k of r left the curve is at s k / r
            lefts = self.windows[i].scaled(r / s).integers(self.left_least[i], r - 1) if s else range(0)
            self.tried += 1 + len(lefts)
            if self.tried > STEP_LIMIT:
                raise ValueError(_too_large(self.n, f"more than {STEP_LIMIT:,}"))
            for k in reversed(lefts):
                if self.total_events is None or events + r - k <= self.total_events:
                    yield r, r - k, (i + 1, k, s * Fraction(k, r), events + r - k)


def forecast(
    n: int, windows: Sequence[Interval], bounds: Sequence[tuple[int, int]], left_least: Sequence[int], enough: float
) -> float:
    """About how many steps the exact reconstruction takes, derived here; stops where it passes ``enough``.

    ``bounds``: fewest and most at risk at each step; ``left_least``: fewest left after it. The expected number of
    partial curves for each number of patients left, if the curve may lie anywhere in its window with equal chance.
    """
    expected, before, total = np.zeros(n + 1), (1.0, 1.0), 0.0
    expected[n] = 1.0
    for window, (least, most), fewest in zip(windows, bounds, left_least):
        low, high = max(0.0, float(window.lower)), min(1.0, float(window.upper))
        reach = np.cumsum(expected[::-1])[::-1]  # curves with at least so many left
        after = np.zeros(n + 1)
        for r in range(least, min(most, n) + 1):
            if not reach[r] or before[1] <= 0:
                continue
            last = r - 1 if before[0] <= 0 else min(r - 1, math.floor(r * high / before[0]))
            k = np.arange(max(fewest, math.ceil(r * low / before[1])), last + 1)
            # of the curve values before, those that k left of r bring into the window
            with np.errstate(divide="ignore", invalid="ignore"):
                lowest, highest = np.maximum(before[0], low * r / k), np.minimum(before[1], high * r / k)
            width = before[1] - before[0]
            share = np.clip((highest - lowest) / width, 0, 1) if width > 0 else (highest >= lowest - 1e-12) * 1.0
            share[np.isnan(share)] = 1.0  # nobody left, and zero in the window
            after[k] += reach[r] * share
            total += reach[r] + float((reach[r] * share).sum())
            if total > enough:
                return total
        expected, before = after, (low, high)
    return total


def _too_large(n: int, size: str) -> str:
    return (
        f"{size} ways to place events among {n} patients, too many to try; narrow them with numbers at risk, "
        "events, or figures with more decimals"
    )


def checked_at_risk(number_at_risk: Mapping[Time, int]) -> tuple[list[Fraction], list[int]]:
    """Times and numbers at risk, sorted. ValueError if a number is no count or they rise, which by definition they
    never do."""
    if not number_at_risk:
        raise ValueError("the number at risk at time 0 is needed")
    pairs = sorted((exact_time(t), r) for t, r in number_at_risk.items())
    pairs = [(t, check_count(f"the number at risk at {t}", r)) for t, r in pairs]
    for (t, r), (u, q) in pairwise(pairs):
        if q > r:
            raise ValueError(f"numbers at risk never rise, but {r} at {t} becomes {q} at {u}")
    return [t for t, _ in pairs], [r for _, r in pairs]


def _checked_curve(curve: Sequence[tuple[Time, Fraction]]) -> tuple[list[Fraction], list[Fraction]]:
    points = [(exact_time(t), Fraction(s)) for t, s in curve]
    if not points:
        raise ValueError("the curve has no points")
    if any(not 0 <= s <= 1 for _, s in points):
        raise ValueError("a survival proportion lies from 0 to 1; divide percentages by 100")
    if points[0][0] > 0:
        points.insert(0, (Fraction(0), Fraction(1)))
    for (t, s), (u, r) in pairwise(points):
        if u < t:
            raise ValueError(f"curve times never go back, but {t} is followed by {u}")
        if r > s:
            raise ValueError(f"a survival curve never rises, but {s} at {t} becomes {r} at {u}")
    return [t for t, _ in points], [s for _, s in points]


def _with_points_at(times: list, survival: list, wanted: list) -> tuple[list, list]:
    """The curve with a point wherever two numbers at risk would have none between them."""
    times, survival = list(times), list(survival)
    for t, following in pairwise(wanted):
        k = bisect.bisect_left(times, t)
        if times[k] >= following:
            times.insert(k, t)
            survival.insert(k, survival[k - 1])
    return times, survival
