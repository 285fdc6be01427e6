"""Counting, drawing and listing every data set of one group that satisfies bounds at chosen times.

A data set is a multiset of (time, status) on a grid of times. Walked column by column (first the events at a time, then
the censorings), it is a path through states: number at risk, events so far, the exact Kaplan–Meier value, and what an
even-numbered median still has to remember. Bounds apply between columns; runs of columns without bounds form a block.

Three things, derived here, keep this small.

- The curve falls by (m − 1)/m whenever an event takes the number at risk from m to m − 1, so its exact value is a
  vector of prime exponents, kept as whole numbers (``CurveKeys``) and compared as fractions where floats are too close.
- Two curve values with the same future (no run of later events brings one inside a window and the other outside) are
  one state. The possible futures from rank m are few when m is small, the possible pasts when m is large.
- Columns of a block are alike, and a used column takes at least one patient: with D the step over one used column, a
  block of T columns is Σ C(T, k) Dᵏ with k up to n, whatever T.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, islice, pairwise

import numpy as np

from whichdata.printed import Interval

STATE_LIMIT = 3_000_000
STEP_LIMIT = 60_000_000  # states × columns of their block that may be used
MERGE_FROM = 32  # states of one rank from which merging pays
MERGED_RANKS = 20  # the highest rank whose possible futures are few enough to list
FORECAST_BINS = 512
QUANTITIES = ("at_risk", "events", "censored")

# logarithms this close are not told apart by floats: such values are compared exactly and never merged
_CLOSE = 1e-9
_ZERO_KEY = 1 << 62
_ENDLESS = 1e12  # states beyond which a forecast need not go on
# what a tracker remembers where it does not remember a column
_WAITING, _SETTLED = 0, -1


@dataclass(frozen=True)
class Bound:
    """After the first ``position`` columns the ``quantity`` lies from ``low`` to ``high``."""

    position: int
    quantity: str
    low: int
    high: int


@dataclass(frozen=True)
class Window:
    """After the first ``position`` columns the survival curve lies in ``values``."""

    position: int
    values: Interval


@dataclass(frozen=True)
class MiddlePair:
    """The mean of the ``k``-th and the next smallest time, of all patients or those with one status, is in ``values``.

    ``quantity``: ``at_risk`` for all patients, ``events`` or ``censored``.
    """

    quantity: str
    k: int
    values: Interval


@dataclass(frozen=True)
class FlatMiddle:
    """The survival curve passes ``level`` at a time in ``values``; where it runs exactly at ``level`` and later falls,
    that is the middle of the run, and where it never falls, its start."""

    level: Fraction
    values: Interval


Constraint = Bound | Window | MiddlePair | FlatMiddle


class CurveKeys:
    """Products of steps (m − 1)/m, m ≤ n, as rows of int64: the exponents of all primes in mixed radix.

    Derived here: an exponent is never farther from 0 than the sum of its steps, each rank falling at most once, so
    digits of that width never run into one another and adding rows multiplies values.
    """

    def __init__(self, n: int):
        factors = [_prime_exponents(m) for m in range(n + 1)]
        powers = {
            m: {p: factors[m - 1].get(p, 0) - factors[m].get(p, 0) for p in factors[m - 1].keys() | factors[m].keys()}
            for m in range(2, n + 1)
        }
        self.n = n
        self._digits: list[tuple[int, int, int, int]] = []  # prime, word, place, largest exponent
        word, place = 0, 1
        for p in sorted({p for v in powers.values() for p in v}):
            most = sum(abs(v.get(p, 0)) for v in powers.values())
            if place * (2 * most + 1) >= _ZERO_KEY:
                word, place = word + 1, 1
            self._digits.append((p, word, place, most))
            place *= 2 * most + 1
        self.words = word + 1
        self.steps = np.zeros((n + 1, self.words), dtype=np.int64)
        self.logs = np.full(n + 1, -math.inf)
        for m, v in powers.items():
            self.logs[m] = math.log1p(-1 / m)
            for p, w, place, _ in self._digits:
                self.steps[m, w] += v.get(p, 0) * place
        self._futures = [np.zeros(1)]

    def step(self, keys: np.ndarray, logs: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray]:
        """Curve values after a fall by (m − 1)/m; after m = 1 the curve is zero."""
        keys, logs = keys + self.steps[m], logs + self.logs[m]
        if m == 1:
            keys[:] = [_ZERO_KEY] + [0] * (self.words - 1)
        return keys, logs

    def value(self, key: np.ndarray) -> Fraction:
        """The curve value of one row."""
        if key[0] == _ZERO_KEY:
            return Fraction(0)
        words, value = [int(k) for k in key], Fraction(1)
        for p, w, _, most in self._digits:
            base = 2 * most + 1
            exponent = (words[w] + most) % base - most
            words[w] = (words[w] - exponent) // base
            value *= Fraction(p) ** exponent
        return value

    def compare(self, keys: np.ndarray, logs: np.ndarray, bound: Fraction | float) -> np.ndarray:
        """−1, 0 or 1 for each value below, at or above ``bound``; exact."""
        if bound <= 0:
            return np.where(keys[:, 0] == _ZERO_KEY, 0 if bound == 0 else 1, 1)
        if math.isinf(bound):
            return np.full(len(keys), -1)
        gap = logs - _log(bound)
        sign = np.sign(gap).astype(int)
        close = np.flatnonzero(np.abs(gap) < _CLOSE)
        if len(close):
            kinds, inverse = np.unique(keys[close], axis=0, return_inverse=True)
            exact = [self.value(k) for k in kinds]
            sign[close] = np.array([(v > bound) - (v < bound) for v in exact])[inverse.reshape(-1)]
        return sign

    def inside(self, keys: np.ndarray, logs: np.ndarray, values: Interval) -> np.ndarray:
        """Which curve values lie in the interval."""
        low, high = self.compare(keys, logs, values.lower), self.compare(keys, logs, values.upper)
        return ((low > 0) | ((low == 0) & values.lower_closed)) & ((high < 0) | ((high == 0) & values.upper_closed))

    def futures(self, rank: int, deepest: float) -> np.ndarray:
        """−log of every product of steps at ranks up to ``rank``, sorted, up to ``deepest``."""
        while len(self._futures) <= rank:
            m = len(self._futures)
            known = self._futures[-1]
            both = known if m == 1 else np.concatenate([known, known - self.logs[m]])
            self._futures.append(np.unique(np.round(both[both <= deepest], 12)))
        return self._futures[rank]


@dataclass
class _States:
    """States of one rank, entry by entry: ``events`` so far, the exact value of the curve as ``keys`` (a row each, see
    :class:`CurveKeys`) with its logarithm in ``logs``, and what each tracker has to remember (``memory``, a row each).

    What no later bound asks about is kept at 0, so that states alike in all the rest are one.
    """

    events: np.ndarray
    keys: np.ndarray
    logs: np.ndarray
    memory: np.ndarray

    @classmethod
    def start(cls, words: int, trackers: int) -> "_States":
        """The one state before the first column."""
        events, keys, memory = (np.zeros(shape, dtype=np.int64) for shape in (1, (1, words), (1, trackers)))
        return cls(events, keys, np.zeros(1), memory)

    @classmethod
    def joined(cls, parts: Sequence["_States"]) -> "_States":
        """All states of the parts, one part after another."""
        return cls(*(np.concatenate(same) for same in zip(*(vars(part).values() for part in parts))))

    def __len__(self) -> int:
        return len(self.events)

    def copy(self) -> "_States":
        return _States(*(column.copy() for column in vars(self).values()))

    def take(self, which: np.ndarray) -> "_States":
        """A copy of the states at the places ``which`` (or where it is true)."""
        return _States(*(column[which] for column in vars(self).values()))

    def distinct(self) -> tuple[np.ndarray, np.ndarray]:
        """The place of the first of each kind of state and, for every state, its kind."""
        return _distinct([self.events, *self.keys.T, *self.memory.T])


class Lattice:
    """All paths of ``n`` patients over a grid of ``times`` that satisfy every constraint: derived here, at the head of the module.

    ``track_events`` keeps the number of events in the state (for :meth:`counts_by`). ``split`` lists further positions
    to count by. ``possible``: has a state lived to the end of the search? ``n_states``: how many the search made.
    ValueError, before the search, if it looks like far more than ``STATE_LIMIT`` states (see :meth:`forecast`), and on
    the way if it comes to more.
    """

    def __init__(
        self,
        n: int,
        times: Sequence[Fraction],
        constraints: Sequence[Constraint],
        track_events: bool = False,
        split: Sequence[int] = (),
    ):
        self.n, self.times = n, list(times)
        bounds = [c for c in constraints if isinstance(c, Bound)]
        self._windows = [c for c in constraints if isinstance(c, Window)]
        self._trackers = [c for c in constraints if isinstance(c, (MiddlePair, FlatMiddle))]
        self._levels = [t.level for t in self._trackers if isinstance(t, FlatMiddle)]
        self._low, self._high = self._monotone(bounds)
        self._events_until = self._last_use_of_events(bounds, track_events)
        self._keys = CurveKeys(n) if self._windows or self._levels else None
        self._deepest = max([-_log(v) for v in self._curve_bounds(0)], default=0.0) + 1e-6
        self._positions = self._boundaries(bounds, split)
        self.blocks: list[_Block] = []
        self.n_states = 0
        contradicted = any((self._low[q] > self._high[q]).any() for q in QUANTITIES)
        if contradicted:
            self.possible = False
        else:
            self._refuse_too_large()
            self.possible = self._search()

    # -- bounds ----------------------------------------------------------------------------------------------------

    def _monotone(self, bounds: list[Bound]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """The lowest and highest of each quantity at every position, as far as the bounds say: numbers at risk fall,
        events and censorings rise, their sum is n."""
        last = len(self.times)
        low = {q: np.zeros(last + 1, dtype=int) for q in QUANTITIES}
        high = {q: np.full(last + 1, self.n) for q in QUANTITIES}
        for b in [*bounds, Bound(0, "at_risk", self.n, self.n), Bound(last, "at_risk", 0, 0)]:
            low[b.quantity][b.position] = max(low[b.quantity][b.position], b.low)
            high[b.quantity][b.position] = min(high[b.quantity][b.position], b.high)
        for _ in range(3):
            for q in QUANTITIES:
                back = q == "at_risk"
                low[q] = np.maximum.accumulate(low[q][::-1])[::-1] if back else np.maximum.accumulate(low[q])
                high[q] = np.minimum.accumulate(high[q]) if back else np.minimum.accumulate(high[q][::-1])[::-1]
            for q in QUANTITIES:
                others = [o for o in QUANTITIES if o != q]
                high[q] = np.minimum(high[q], self.n - sum(low[o] for o in others))
                low[q] = np.maximum(low[q], self.n - sum(high[o] for o in others))
        return low, high

    def _last_use_of_events(self, bounds: list[Bound], track_events: bool) -> int:
        """The last position at which the number of events still decides something (−1: it never does)."""
        if track_events or any(isinstance(t, MiddlePair) and t.quantity != "at_risk" for t in self._trackers):
            return len(self.times)
        return max((b.position for b in bounds if b.quantity != "at_risk"), default=-1)

    def _boundaries(self, bounds: list[Bound], split: Sequence[int]) -> list[int]:
        """The positions between blocks: wherever a bound applies; everywhere if a tracker watches each column."""
        last = len(self.times)
        if self._trackers:
            return list(range(last + 1))
        return sorted({0, last, *split, *(c.position for c in (*bounds, *self._windows))})

    def _curve_bounds(self, position: int) -> list[Fraction]:
        """The finite bounds that values of the curve will still meet from ``position`` on."""
        windows = [w.values for w in self._windows if w.position >= position]
        ends = [end for v in windows for end in (v.lower, v.upper)]
        return [Fraction(end) for end in (*ends, *self._levels) if 0 < end < math.inf]

    def _floor(self, position: int) -> Interval | None:
        """The values the curve may have anywhere before it meets its windows from ``position`` on (it never rises)."""
        lowest = None
        for w in self._windows:
            if w.position >= position and w.values.lower > -math.inf:
                floor = Interval(w.values.lower, math.inf, w.values.lower_closed, True)
                lowest = floor if lowest is None else lowest.intersection(floor)
        return lowest

    # -- the size of the search ------------------------------------------------------------------------------------

    def _refuse_too_large(self) -> None:
        """ValueError where the search is too large to start.

        Curve values that coincide make fewer states than forecast, by less than half at this size.
        """
        states, steps = self.forecast()
        for about, limit, what in ((states, 2 * STATE_LIMIT, "states"), (steps, STEP_LIMIT, "steps")):
            if about > limit:
                size = f"{'about' if about < _ENDLESS else 'more than'} {large(about)}"
                raise ValueError(self._too_large(f"{size} {what}"))

    def _too_large(self, size: str) -> str:
        return (
            f"the search needs {size} for {self.n} patients, too many; narrow it with the number of events, numbers at "
            "risk, no censoring, fewer patients, a coarser grid, or figures with fewer decimals"
        )

    def forecast(self) -> tuple[float, float]:
        """About how many states the search will make at ranks above ``MERGED_RANKS``, without making them, and those
        states times the columns of their block that may be used.

        Below an event or a censoring at every rank lies another curve value, so states are sets of ranks; these are
        counted by number of events and by the logarithm of the curve value in ``FORECAST_BINS`` bins, block by block.
        Ranks up to ``MERGED_RANKS`` are left out.
        """
        start, states, steps = {self.n: np.ones((1, 1))}, 0.0, 0.0
        for begin, end in pairwise(self._positions):
            ranks: dict[int, np.ndarray] = {}
            for r in range(max(start, default=0), max(int(self._low["at_risk"][end]) - 1, MERGED_RANKS), -1):
                ranks[r] = self._forecast_rank(r, end, ranks.get(r + 1), start.get(r))
                found = float(ranks[r].sum())
                states, steps = states + found, steps + found * min(end - begin, r)
                if states > _ENDLESS:
                    return states, steps
            start = {r: after for r, x in ranks.items() if (after := self._forecast_boundary(end, r, x)).any()}
        return states, steps

    def _forecast_rank(self, r: int, end: int, above: np.ndarray | None, start: np.ndarray | None) -> np.ndarray:
        """Expected states (events, bin) of rank ``r`` from those of the rank above and those the block starts with."""
        curve, tracked = self._matters(end), end <= self._events_until
        bins = FORECAST_BINS + 2 if curve else 1  # the last one is for all that lies below every bound
        found = np.zeros((max(len(x) for x in (above, start) if x is not None) + tracked, bins))
        if above is not None:
            by_censoring, by_event = found.copy(), found.copy()
            by_censoring[: len(above)] = above
            fall = min(round(-self._keys.logs[r + 1] / self._bin_width), bins) if curve and r else 0
            moved = slice(int(tracked), int(tracked) + len(above))
            by_event[moved, fall:] = above[:, : bins - fall]
            by_event[moved, -1] += above[:, bins - fall :].sum(axis=1)
            # without a curve the ways to a number of events are one state
            found = by_censoring + by_event if curve else np.maximum(by_censoring, by_event)
            if curve and (floor := self._floor(end)):
                found *= self._share_of_bins(floor)
            if tracked:
                events = np.arange(len(found))
                found[(events > self._high["events"][end]) | (self.n - r - events > self._high["censored"][end])] = 0
        if start is not None:
            found[: len(start), : start.shape[1]] = np.maximum(found[: len(start), : start.shape[1]], start)
        if curve:
            found[:, -1] = np.minimum(found[:, -1], 1)
        used = np.flatnonzero(found.any(axis=1))
        return found[: used[-1] + 1 if len(used) else 1]

    def _forecast_boundary(self, position: int, r: int, found: np.ndarray) -> np.ndarray:
        """The states of rank ``r`` that pass the bounds at ``position``, with what is settled forgotten."""
        found = found.copy()
        if not self._low["at_risk"][position] <= r <= self._high["at_risk"][position]:
            found[:] = 0
        if position <= self._events_until:
            events = np.arange(len(found))
            for q, count in (("events", events), ("censored", self.n - r - events)):
                found[(count < self._low[q][position]) | (count > self._high[q][position])] = 0
        for w in self._windows:
            if w.position == position:
                found *= self._share_of_bins(w.values)
        if position >= self._events_until:
            found = found.sum(axis=0, keepdims=True)
        if not self._matters(position + 1):
            found = (found.sum(axis=1, keepdims=True) > 0).astype(float)
        elif not any(w.position > position for w in self._windows):
            found *= self._share_of_bins(Interval(min(self._levels), math.inf))
        return found

    @property
    def _bin_width(self) -> float:
        return self._deepest / FORECAST_BINS

    def _share_of_bins(self, values: Interval) -> np.ndarray:
        """How much of each bin of −log of the curve lies in ``values``."""
        edges = (np.arange(FORECAST_BINS + 3) - 0.5) * self._bin_width
        edges[0], edges[-1] = -self._bin_width / 2, math.inf
        deepest = math.inf if values.lower <= 0 else -_log(values.lower)
        highest = -math.inf if values.upper >= 1 else math.inf if values.upper <= 0 else -_log(values.upper)
        share = (np.minimum(edges[1:], deepest) - np.maximum(edges[:-1], highest))[:-1] / self._bin_width
        return np.append(np.clip(share, 0, 1), float(deepest == math.inf))

    # -- building the states ---------------------------------------------------------------------------------------

    def _search(self) -> bool:
        """Make the blocks one after another; False where no state is left."""
        start = _States.start(self._keys.words if self._keys else 0, len(self._trackers))
        keep, start = self._at_boundary(0, self.n, start)
        if not keep.all():
            return False
        starts = {self.n: start}
        for begin, end in pairwise(self._positions):
            block = _Block(end - begin, begin)
            self._fill(block, end, starts)
            self.n_states += block.size
            starts = self._leave(block, end)
            if self.blocks:
                self.blocks[-1].enter(block)
            self.blocks.append(block)
            if not starts:
                return False
        return True

    def _fill(self, block: "_Block", end: int, starts: dict[int, _States]) -> None:
        """Every state reachable inside a block, rank by rank, with the maps of one event and one censoring."""
        floor, limits, lowest = self._floor(end), self._curve_bounds(end), int(self._low["at_risk"][end])
        from_above: dict[str, tuple[_States, np.ndarray]] = {}  # way: the states it leads to, and which are allowed
        for r in range(max(starts), lowest - 1, -1):
            sources = [after.take(allowed) for after, allowed in from_above.values()]
            sources = [starts[r], *sources] if r in starts else sources
            states = _States.joined(sources)
            self._merge(r, states, limits, end)
            first, kinds = states.distinct()
            block.states[r], block.counts[r] = states.take(first), len(first)
            block.size += len(first)
            if self.n_states + block.size > STATE_LIMIT:
                raise ValueError(self._too_large(f"more than {STATE_LIMIT:,} states"))
            kinds_of = iter(np.split(kinds, np.cumsum([len(source) for source in sources])))
            if r in starts:
                block.starts[r] = next(kinds_of)
            for way, (_, allowed) in from_above.items():
                block.moves[way][r + 1] = _map(allowed, next(kinds_of))
            if r > lowest:
                states = block.states[r]
                from_above = {"event": self._event(r, states, end, floor), "censoring": self._censoring(r, states, end)}

    def _leave(self, block: "_Block", end: int) -> dict[int, _States]:
        """The states that pass the end of the block, by rank; the block keeps where its own lead and drops them."""
        following = {}
        for r, states in block.states.items():
            keep, after = self._at_boundary(end, r, states)
            kept = after.take(keep)
            first, kinds = kept.distinct()
            block.exits[r] = _map(keep, kinds)
            block.events[r] = states.events.astype(np.int32)
            if len(kept):
                following[r] = kept.take(first)
        block.states.clear()
        return following

    def _event(self, r: int, states: _States, end: int, floor: Interval | None) -> tuple[_States, np.ndarray]:
        """The states after one event from rank ``r``, and which of them are allowed."""
        after = states.copy()
        if end <= self._events_until:
            after.events += 1
        allowed = after.events <= self._high["events"][end]
        if self._matters(end):
            live = self._alive(after, end)
            after.keys[live], after.logs[live] = self._keys.step(after.keys[live], after.logs[live], r)
            if floor:
                allowed &= self._keys.inside(after.keys, after.logs, floor)
        return after, allowed

    def _censoring(self, r: int, states: _States, end: int) -> tuple[_States, np.ndarray]:
        """The states after one censoring from rank ``r`` (they are as before), and which of them are allowed."""
        if end > self._events_until:
            return states, np.ones(len(states), dtype=bool)
        return states, self.n - (r - 1) - states.events <= self._high["censored"][end]

    def _matters(self, position: int) -> bool:
        """Does the value of the curve still decide something at ``position`` or after it?"""
        return bool(self._levels) or any(w.position >= position for w in self._windows)

    def _alive(self, states: _States, position: int) -> np.ndarray:
        """Where the curve value still decides something: not where the flat run is settled, if nothing else does."""
        if any(w.position >= position for w in self._windows):
            return np.ones(len(states), dtype=bool)
        flat = [isinstance(t, FlatMiddle) for t in self._trackers]
        return (states.memory[:, flat] != _SETTLED).any(axis=1)

    def _merge(self, r: int, states: _States, limits: list[Fraction], end: int) -> None:
        """Give all curve values between two neighbouring turning points one representative, in place."""
        if not limits or len(states) < MERGE_FROM:
            return
        # at high ranks only values below every bound are sure to have the same futures: none meets a bound again
        futures = self._keys.futures(r, self._deepest) if r <= MERGED_RANKS else np.zeros(1)
        if len(futures) * len(limits) > 2 * len(states):
            return
        # from s, events that multiply by P meet the bound b where log s = log b − log P
        log, turning = states.logs, np.sort(np.concatenate([_log(b) + futures for b in limits]))
        place = np.searchsorted(turning, log)
        below = np.where(place > 0, log - turning[np.maximum(place, 1) - 1], np.inf)
        above = np.where(place < len(turning), turning[np.minimum(place, len(turning) - 1)] - log, np.inf)
        clear = (below > _CLOSE) & (above > _CLOSE) & np.isfinite(log) & self._alive(states, end)
        if r > MERGED_RANKS:
            clear &= place == 0
        clear = np.flatnonzero(clear)
        if len(clear):
            _, first, inverse = np.unique(place[clear], return_index=True, return_inverse=True)
            chosen = clear[first][inverse]
            states.keys[clear], states.logs[clear] = states.keys[chosen], states.logs[chosen]

    def _at_boundary(self, position: int, r: int, states: _States) -> tuple[np.ndarray, _States]:
        """Which states pass the bounds at ``position``, and all with everything forgotten that is settled."""
        states = states.copy()
        keep = np.full(len(states), self._low["at_risk"][position] <= r <= self._high["at_risk"][position])
        if position <= self._events_until:
            for q in ("events", "censored"):
                count = self._gone(q, r, states)
                keep &= (self._low[q][position] <= count) & (count <= self._high[q][position])
        for w in self._windows:
            if w.position == position:
                keep &= self._keys.inside(states.keys, states.logs, w.values)
        for i, tracker in enumerate(self._trackers):
            if position:
                step = self._pair if isinstance(tracker, MiddlePair) else self._flat
                keep &= step(tracker, position, r, states, states.memory[:, i])
        if position >= self._events_until:
            states.events[:] = 0
        over = ~self._alive(states, position + 1)
        states.keys[over], states.logs[over] = 0, 0
        return keep, states

    def _gone(self, quantity: str, r: int, states: _States) -> np.ndarray:
        """How many have left when ``r`` are at risk: all of them, those with an event, or those censored."""
        gone = self.n - r
        return {"at_risk": np.full(len(states), gone), "events": states.events, "censored": gone - states.events}[
            quantity
        ]

    def _pair(self, tracker: MiddlePair, position: int, r: int, states: _States, memory: np.ndarray) -> np.ndarray:
        """Remember the column of the k-th time until the next one comes; which states are allowed."""
        count = self._gone(tracker.quantity, r, states)
        passed = (count > tracker.k) & (memory != _SETTLED)
        keep = self._settle(tracker.values, position, memory, passed)
        memory[(count == tracker.k) & (memory == _WAITING)] = position
        return keep

    def _flat(self, tracker: FlatMiddle, position: int, r: int, states: _States, memory: np.ndarray) -> np.ndarray:
        """Remember the column from which the curve runs at the level until it falls; which states are allowed."""
        side = self._keys.compare(states.keys, states.logs, tracker.level)
        keep = self._settle(tracker.values, position, memory, (side < 0) & (memory != _SETTLED))
        memory[(side == 0) & (memory == _WAITING)] = position
        if position == len(self.times):
            keep &= memory != _WAITING
            for p in np.unique(memory[memory > 0]):
                keep[memory == p] &= self.times[p - 1] in tracker.values
        return keep

    def _settle(self, values: Interval, position: int, memory: np.ndarray, passed: np.ndarray) -> np.ndarray:
        """Settle those that passed in this column; keep them where the middle of the two times is allowed."""
        keep = np.ones(len(memory), dtype=bool)
        now = self.times[position - 1]
        for m in np.unique(memory[passed]):
            then = now if m == _WAITING else self.times[m - 1]
            keep[passed & (memory == m)] = (then + now) / 2 in values
        memory[passed] = _SETTLED
        return keep

    # -- counting --------------------------------------------------------------------------------------------------

    def count(self) -> int:
        """How many data sets."""
        return int(self._total(self._dtype())) if self.possible else 0

    def any(self) -> bool:
        """Is there one?"""
        return self.possible and bool(self._total(bool))

    def counts_by(self, quantity: str, position: int) -> dict[int, int]:
        """How many data sets have each value of ``quantity`` after ``position`` columns.

        ``position`` must be a boundary (see ``split``); events and censorings need ``track_events``.
        """
        if not self.possible:
            return {}
        dtype = self._dtype()
        # ways to come to each state at the position × ways to go on from there
        r, i = self._start
        at_start = np.zeros(self.blocks[0].counts[r] + 1, dtype=dtype)
        at_start[i] = 1
        ways = {r: at_start}
        for block, following in zip(self.blocks, self._onwards(dtype)):
            ways = block.forwards(ways, dtype)
            if block.begin + block.length == position:
                break
            ways = block.leave_all(ways, following, dtype)
        counts: dict[int, int] = {}
        for r, after in self._exit_values(block, following, dtype).items():
            for way, rest, events in zip(ways[r], after, block.events[r]):
                if number := int(way) * int(rest):
                    value = {"at_risk": r, "events": int(events), "censored": self.n - r - int(events)}[quantity]
                    counts[value] = counts.get(value, 0) + number
        return counts

    @property
    def _start(self) -> tuple[int, int]:
        """The rank and place of the state from which every path starts."""
        return self.n, int(self.blocks[0].starts[self.n][0])

    def _bound(self) -> int:
        return math.comb(2 * len(self.times) + self.n - 1, self.n)

    def _dtype(self):
        return np.int64 if self._bound() < 2**62 else object

    def _total(self, dtype):
        """The number of ways from the start to the end (of ``bool``: is there one?)."""
        first, (r, i) = self.blocks[0], self._start
        return first.at_start(self._exit_values(first, self._onwards(dtype)[0], dtype))[r][i]

    def _onwards(self, dtype) -> list[dict[int, np.ndarray] | None]:
        """For each block the ways to finish from every state of the block after it; None after the last."""
        onwards = [None]
        for block in reversed(self.blocks[1:]):
            onwards.append(block.at_start(self._exit_values(block, onwards[-1], dtype)))
        return onwards[::-1]

    def _exit_values(self, block: "_Block", following: dict | None, dtype) -> dict[int, np.ndarray]:
        """Ways to finish from each state at the end of a block; index −1 is the way that does not exist."""
        at_end = {}
        for r, exits in block.exits.items():
            if following is None:
                at_end[r] = np.array([int(x >= 0) for x in exits], dtype=dtype)
            else:
                at_end[r] = following[r][exits] if r in following else np.zeros(len(exits), dtype=dtype)
        return at_end

    # -- drawing and listing ---------------------------------------------------------------------------------------

    def sample(self, k: int, rng: np.random.Generator) -> np.ndarray:
        """``k`` data sets, each drawn uniformly among all: array (k, n_times, 2) of events and censorings."""
        drawn = np.zeros((k, len(self.times), 2), dtype=int)
        places = [self._start] * k
        dtype = self._dtype()
        for block, following in zip(self.blocks, self._onwards(dtype)):
            levels = list(block.levels(self._exit_values(block, following, dtype)))
            used = []
            for r, i in places:
                weights = [math.comb(block.length, j) * int(level[r][i]) for j, level in enumerate(levels)]
                used.append(choose(weights, rng))
            columns = [np.sort(rng.permutation(block.length)[:j]) for j in used]
            for left in range(max(used), 0, -1):
                step = block.column(levels[left - 1])
                for s in [s for s in range(k) if used[s] >= left]:
                    places[s], d, c = _draw_column(block, step, places[s], rng)
                    drawn[s, block.begin + columns[s][used[s] - left]] = d, c
            places = [block.leave(r, i) for r, i in places]
        return drawn

    def paths(self) -> Iterator[np.ndarray]:
        """Every data set once: arrays (n_times, 2) of events and censorings."""
        if not self.possible:
            return
        values = [self._exit_values(block, v, bool) for block, v in zip(self.blocks, self._onwards(bool))]
        levels = [list(block.levels(v)) for block, v in zip(self.blocks, values)]
        steps = [[block.column(level) for level in ls] for block, ls in zip(self.blocks, levels)]
        found = np.zeros((len(self.times), 2), dtype=int)
        for _ in self._walk(0, self._start, levels, steps, found):
            yield found.copy()

    def _walk(self, b: int, place: tuple[int, int], levels: list, steps: list, found: np.ndarray) -> Iterator[None]:
        """Every way through block ``b`` and those after it, written into ``found``."""
        if b == len(self.blocks):
            yield
            return
        block = self.blocks[b]
        for used, level in enumerate(levels[b]):
            if level[place[0]][place[1]]:
                for columns in combinations(range(block.begin, block.begin + block.length), used):
                    yield from self._walk_columns(b, place, columns, levels, steps, found)

    def _walk_columns(self, b: int, place, columns, levels: list, steps: list, found: np.ndarray) -> Iterator[None]:
        """The same, with the used columns of the block chosen."""
        if not columns:
            yield from self._walk(b + 1, self.blocks[b].leave(*place), levels, steps, found)
            return
        for after, d, c in _columns_from(self.blocks[b], steps[b][len(columns) - 1], place):
            found[columns[0]] = d, c
            yield from self._walk_columns(b, after, columns[1:], levels, steps, found)
        found[columns[0]] = 0, 0


class _Column:
    """Ways to finish around one used column: ``after`` it, with the events done (``censoring``), before it
    (``event``), and how many of those go on with a censoring or an event."""

    def __init__(self, after: dict[int, np.ndarray]):
        self.after, self.censoring, self.event = after, {}, {}
        self.by_censoring, self.by_event, self.used = {}, {}, {}


class _Block:
    """Columns without bounds between them, ``length`` of them from column ``begin`` on, ``size`` states in all.

    By rank: ``counts`` of states · ``starts``, the states that the block can begin with · ``exits``, where each state
    leads at the end of the block · ``events`` so far · ``moves``, where one event or one censoring leads, in the rank
    below. Whatever has an entry for each state has one entry more, the last, for the state that does not exist; as
    −1 is how NumPy names the last entry, a map that leads nowhere says −1.
    """

    def __init__(self, length: int, begin: int):
        self.length, self.begin, self.size = length, begin, 0
        self.states: dict[int, _States] = {}
        self.counts: dict[int, int] = {}
        self.starts: dict[int, np.ndarray] = {}
        self.exits: dict[int, np.ndarray] = {}
        self.events: dict[int, np.ndarray] = {}
        self.moves: dict[str, dict[int, np.ndarray]] = {"event": {}, "censoring": {}}

    def enter(self, following: "_Block") -> None:
        """Point the exits at the states of the next block."""
        for r, exits in self.exits.items():
            if r in following.starts:
                self.exits[r] = np.where(exits >= 0, following.starts[r][exits], np.int32(-1))

    def leave(self, r: int, i: int) -> tuple[int, int]:
        """The state of the next block that state ``i`` of rank ``r`` becomes."""
        return r, int(self.exits[r][i])

    def leave_all(self, ways: dict[int, np.ndarray], following: dict[int, np.ndarray], dtype) -> dict[int, np.ndarray]:
        """Ways to come to the states of the next block (``following``: values of those, for their number)."""
        entered = {r: np.zeros(len(v), dtype=dtype) for r, v in following.items()}
        for r, exits in self.exits.items():
            if r in entered:
                _flow(entered[r], exits, ways[r])
        return entered

    def forwards(self, at_begin: dict[int, np.ndarray], dtype) -> dict[int, np.ndarray]:
        """Ways to come to each state by the end of the block from ways to come to it by its beginning."""
        nowhere = {r: np.zeros(count + 1, dtype=dtype) for r, count in self.counts.items()}
        level = nowhere | at_begin
        total = dict(level)
        for k in range(1, min(self.length, max(self.counts)) + 1):
            level = self._one_column_on(level, nowhere)
            if not any(v.any() for v in level.values()):
                break
            ways = math.comb(self.length, k)
            total = {r: total[r] + ways * level[r] for r in total}
        return total

    def _one_column_on(self, ways: dict[int, np.ndarray], nowhere: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
        """The same after one used column more: :meth:`column` read from its other end."""
        lowest, highest = min(self.counts), max(self.counts)
        by_event, by_censoring = ({r: v.copy() for r, v in nowhere.items()} for _ in range(2))
        on = {}
        for r in range(highest, lowest - 1, -1):
            if r > lowest:
                _flow(by_event[r - 1], self.moves["event"][r], ways[r] + by_event[r])
                _flow(by_censoring[r - 1], self.moves["censoring"][r], ways[r] + by_event[r] + by_censoring[r])
            on[r] = by_event[r] + by_censoring[r]
        return on

    def column(self, after: dict[int, np.ndarray]) -> _Column:
        """One used column: some events, then some censorings, at least one of either."""
        step = _Column(after)
        lowest = min(self.counts)
        for r in range(lowest, max(self.counts) + 1):
            by_censoring = by_event = np.zeros(len(after[r]), dtype=after[r].dtype)
            if r > lowest:
                by_censoring = step.censoring[r - 1][self.moves["censoring"][r]]
                by_event = step.event[r - 1][self.moves["event"][r]]
            step.by_censoring[r], step.by_event[r] = by_censoring, by_event
            step.censoring[r] = after[r] + by_censoring
            step.event[r] = step.censoring[r] + by_event
            step.used[r] = by_censoring + by_event
        return step

    def levels(self, at_end: dict[int, np.ndarray]) -> Iterator[dict[int, np.ndarray]]:
        """Ways to finish with exactly 0, 1, 2 … used columns left in the block, as long as there are any."""
        level = at_end
        yield level
        for _ in range(min(self.length, max(self.counts))):
            level = self.column(level).used
            if not any(v.any() for v in level.values()):
                return
            yield level

    def at_start(self, at_end: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
        """Ways to finish from each state when all columns of the block are still ahead."""
        total = at_end
        for k, level in islice(enumerate(self.levels(at_end)), 1, None):
            ways = math.comb(self.length, k)
            total = {r: total[r] + (level[r] if level[r].dtype == bool else ways * level[r]) for r in total}
        return total


def _flow(into: np.ndarray, targets: np.ndarray, ways: np.ndarray) -> None:
    """Add to each target state the ways that lead to it; those to nowhere are dropped."""
    np.add.at(into, targets, ways)
    into[-1] = 0


def _draw_column(block: _Block, step: _Column, place: tuple[int, int], rng) -> tuple[tuple[int, int], int, int]:
    """A random used column from ``place``: where it leads, its events and its censorings."""
    r, i = place
    d = c = 0
    if _below(int(step.used[r][i]), rng) < int(step.by_event[r][i]):
        go_on = True
        while go_on:
            r, i, d = r - 1, int(block.moves["event"][r][i]), d + 1
            go_on = _below(int(step.event[r][i]), rng) < int(step.by_event[r][i])
        go_on = _below(int(step.censoring[r][i]), rng) < int(step.by_censoring[r][i])
    else:
        go_on = True
    while go_on:
        r, i, c = r - 1, int(block.moves["censoring"][r][i]), c + 1
        go_on = _below(int(step.censoring[r][i]), rng) < int(step.by_censoring[r][i])
    return (r, i), d, c


def _columns_from(block: _Block, step: _Column, place: tuple[int, int]) -> Iterator[tuple[tuple[int, int], int, int]]:
    """Every used column from ``place`` that can be finished."""
    r, i = place
    d = 0
    while True:
        q, j, c = r, i, 0
        while True:
            if (d or c) and step.after[q][j]:
                yield (q, j), d, c
            if not step.by_censoring[q][j]:
                break
            q, j, c = q - 1, int(block.moves["censoring"][q][j]), c + 1
        if not step.by_event[r][i]:
            return
        r, i, d = r - 1, int(block.moves["event"][r][i]), d + 1


def choose(weights: list[int], rng: np.random.Generator) -> int:
    """An index drawn in exact proportion to whole weights, by definition the first where their sum passes the draw."""
    u = _below(sum(weights), rng)
    for i, w in enumerate(weights):
        u -= w
        if u < 0:
            return i
    raise AssertionError("weights do not add up")


def _below(n: int, rng: np.random.Generator) -> int:
    """A whole number from 0 to n − 1, uniform however large n is."""
    if n < 2**62:
        return int(rng.integers(n))
    bits = n.bit_length()
    while True:
        u = int.from_bytes(rng.bytes((bits + 7) // 8), "big") >> (-bits % 8)
        if u < n:
            return u


def _map(allowed: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Where each state leads: those ``allowed`` to the ``targets`` in turn, the others and the last entry nowhere."""
    leads = np.full(len(allowed) + 1, -1, dtype=np.int32)
    leads[np.flatnonzero(allowed)] = targets
    return leads


def _distinct(columns: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Of the rows that whole-numbered columns make: the first of each kind and, for every row, its kind."""
    if not len(columns[0]):
        return np.zeros(0, dtype=int), np.zeros(0, dtype=int)
    lows = [int(column.min()) for column in columns]
    spans = [int(column.max()) - low + 1 for column, low in zip(columns, lows)]
    code = np.zeros(len(columns[0]), dtype=np.int64)
    if math.prod(spans) < 2**62:
        for column, low, span in zip(columns, lows, spans):
            if span > 1:
                code = code * span + (column - low)
    else:
        for column in columns:
            _, part = np.unique(column, return_inverse=True)
            _, code = np.unique(code * (int(part.max()) + 1) + part, return_inverse=True)
    _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    return first, inverse.astype(np.int32)


def _prime_exponents(m: int) -> dict[int, int]:
    found, p = {}, 2
    while m > 1:
        while m % p == 0:
            m //= p
            found[p] = found.get(p, 0) + 1
        p += 1
    return found


def large(count: float) -> str:
    """A large number for reading, by definition in full below a thousand million and else as a power of ten."""
    return f"{int(count):,}" if count < 10**9 else f"10^{len(str(int(count))) - 1}"


def _log(value: Fraction | float) -> float:
    value = Fraction(value)
    return math.log(value.numerator) - math.log(value.denominator)
