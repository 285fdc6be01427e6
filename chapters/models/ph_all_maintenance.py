"""Two groups that differ only in how patients came to be in them: selection by prognosis and by waiting, simulated; and
what hazard ratios two groups can have of which only some times are known.

Times run from one start (say, of maintenance) in any one unit. The hazard of a patient is constant but differs between
patients, log-normally: λ exp(σz), z standard normal, which gives the pooled curve a long tail without a cured fraction.
Simulators take a ``numpy.random.Generator``; the last axis of an array is patients, the axis before it repetitions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.optimize import brentq
from scipy.special import ndtri
from scipy.stats import chi2

from chapters.models.monte_carlo import median_with_error
from lib.review import Impossible
from whichdata.given import check_choice, check_number
from whichdata.orders import PartlyKnown
from whichdata.survival import QUANTILE_CONVENTIONS

_NODES, _WEIGHTS = hermegauss(80)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
EARLY = ("control", "excluded")


@dataclass(frozen=True)
class Frailty:
    """Constant hazards ``rate`` × exp(``spread`` × z) with z standard normal between patients."""

    rate: float
    spread: float

    def __post_init__(self):
        check_number("rate", self.rate, above=0)
        check_number("spread", self.spread, least=0)

    def survival(self, t) -> np.ndarray:
        """Share without the event at ``t``: the mean of exp(−rate t exp(spread z)), by Gauss–Hermite quadrature."""
        t = np.asarray(t, float)
        return np.exp(-self.rate * t[..., None] * np.exp(self.spread * _NODES)) @ _WEIGHTS

    def draw(self, rng, z) -> np.ndarray:
        """Times to the event of patients whose prognosis is ``z`` (high: early)."""
        return rng.standard_exponential(np.shape(z)) / (self.rate * np.exp(self.spread * z))

    @classmethod
    def through(cls, early: tuple[float, float], late: tuple[float, float]) -> Frailty:
        """The one that passes through two points (time, share without the event).

        ValueError unless time rises and survival falls between the two less than under one constant hazard.
        """
        (t1, s1), (t2, s2) = early, late
        for t, s in (early, late):
            check_number("time", t, above=0)
            check_number("survival", s, above=0, below=1)
        if not (t1 < t2 and s2 < s1):
            raise Impossible(f"survival must fall from {s1:g} at {t1:g} to the later point, not to {s2:g} at {t2:g}")
        if math.log(s2) / math.log(s1) >= t2 / t1:
            raise Impossible("survival falls faster than under one constant hazard between the points: no spread fits")

        def rate(spread: float) -> float:
            return math.exp(brentq(lambda x: float(cls(math.exp(x), spread).survival(t1)) - s1, -60, 60))

        spread = brentq(lambda x: float(cls(rate(x), x).survival(t2)) - s2, 1e-9, 8)
        return cls(rate(spread), spread)


class Allocation(NamedTuple):
    """How patients come to be treated.

    ``share`` would be, if they can · ``insight``, the correlation (0 to 1) between prognosis and what decides (0: as
    good as random) · ``waiting``, how long after the start treatment begins; those with the event before are counted
    as ``early`` says.
    """

    share: float
    insight: float = 0.0
    waiting: float = 0.0
    early: str = "control"


class Cohorts(NamedTuple):
    """Times and flags (repetitions, patients), the treated first; ``treated`` (patients,)."""

    time: np.ndarray
    event: np.ndarray
    treated: np.ndarray


def cohorts(
    rng, repetitions: int, treated: int, control: int, hazards: Frailty, allocation: Allocation, follow_up
) -> Cohorts:
    """Draw studies of fixed size in which the treatment does nothing.

    Candidates arrive one by one and are filed as treated or control until both groups are full. ``follow_up``: the
    shortest and longest time after which a patient is censored, uniform between. ValueError on an allocation that
    cannot be, or one under which the groups do not fill.
    """
    share = check_number("share", allocation.share, above=0, below=1)
    insight = check_number("insight", allocation.insight, least=0, most=1)
    waiting = check_number("waiting", allocation.waiting, least=0)
    check_choice("early", allocation.early, EARLY)
    low, high = follow_up
    if not 0 < low <= high:
        raise ValueError(f"follow-up from {low} to {high}: give the shortest, then the longest, both above 0")
    pool = 6 * math.ceil(treated / share + control / (1 - share))
    z = rng.standard_normal((repetitions, pool))
    seen = insight * z + math.sqrt(1 - insight**2) * rng.standard_normal(z.shape)
    time = hazards.draw(rng, z)
    chosen = seen <= ndtri(share)
    in_time = time > waiting
    first = _first(time, chosen & in_time, treated)
    second = _first(time, ~chosen | ~in_time if allocation.early == "control" else ~chosen, control)
    time = np.concatenate([first, second], axis=1)
    censored = rng.uniform(low, high, time.shape)
    return Cohorts(np.minimum(time, censored), time <= censored, np.repeat([True, False], [treated, control]))


def _first(values: np.ndarray, kept: np.ndarray, n: int) -> np.ndarray:
    """The first ``n`` kept values of each row, in order of arrival."""
    if kept.sum(axis=1).min() < n:
        raise Impossible("too few candidates reach a group: wait less, or treat a share nearer the groups' sizes")
    order = np.argsort(~kept, axis=1, kind="stable")[:, :n]
    return np.take_along_axis(values, order, axis=1)


class LogRanks(NamedTuple):
    """Log-rank of the treated against the others, one of each row: ``o_minus_e`` and its ``variance``, and the events
    ``observed`` in the treated and in the others, (repetitions, 2).
    """

    o_minus_e: np.ndarray
    variance: np.ndarray
    observed: np.ndarray

    @property
    def z(self) -> np.ndarray:
        """Negative where the treated have fewer events than expected; 0 where nothing is compared."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.variance > 0, self.o_minus_e / np.sqrt(self.variance), 0.0)

    @property
    def peto(self) -> np.ndarray:
        """The logarithm of Peto's hazard ratio, (O − E)/V."""
        return self.o_minus_e / self.variance

    @property
    def observed_to_expected(self) -> np.ndarray:
        """The logarithm of (O₁/E₁)/(O₂/E₂), the ratio of events observed to expected."""
        expected = self.observed - np.stack([self.o_minus_e, -self.o_minus_e], axis=-1)
        ratio = np.log(self.observed / expected)
        return ratio[..., 0] - ratio[..., 1]


class Coxes(NamedTuple):
    """Cox's log hazard ratio of the treated against the others, one of each row, and its standard error (from the
    information). Infinite where the likelihood has no maximum, NaN where nothing is compared.
    """

    log_hr: np.ndarray
    se: np.ndarray


class _Risks(NamedTuple):
    """Rows sorted by time, events first: what happened, to whom, and how many of either group were at risk."""

    event: np.ndarray
    treated: np.ndarray
    at_risk: np.ndarray
    treated_at_risk: np.ndarray


def _risks(time, event, treated) -> _Risks:
    time, event, treated = np.broadcast_arrays(time, event, treated)
    order = np.lexsort((~event.astype(bool), time), axis=-1)
    time, event, treated = (np.take_along_axis(np.asarray(a), order, -1) for a in (time, event, treated))
    event, treated = event.astype(bool), treated.astype(bool)
    if np.any((np.diff(time, axis=-1) == 0) & event[..., 1:] & event[..., :-1]):
        raise ValueError("two events at one time: use whichdata.compare, which knows ties")
    at_risk = np.arange(time.shape[-1], 0, -1)
    return _Risks(event, treated, at_risk, np.flip(np.cumsum(np.flip(treated, -1), axis=-1), -1))


def log_ranks(time, event, treated) -> LogRanks:
    """The log-rank of every row of ``time`` and ``event`` (repetitions, patients), for times without tied events."""
    event, treated, at_risk, treated_at_risk = _risks(time, event, treated)
    share = treated_at_risk / at_risk
    observed = np.stack([np.sum(event & treated, axis=-1), np.sum(event & ~treated, axis=-1)], axis=-1)
    return LogRanks(np.sum(event * (treated - share), axis=-1), np.sum(event * share * (1 - share), axis=-1), observed)


def coxes(time, event, treated) -> Coxes:
    """Cox regression on the group of every row, by Newton steps on the partial likelihood, without tied events.

    Steps are cut to 1, which the concave likelihood allows; they have converged long before the last.
    """
    event, treated, at_risk, r1 = _risks(time, event, treated)
    r2 = at_risk - r1
    both = event & (r1 > 0) & (r2 > 0)
    second, doubted = np.sum(both & treated, axis=-1), np.sum(both, axis=-1)
    log_hr = np.zeros(event.shape[:-1])
    for _ in range(60):
        weighted = r1 * np.exp(log_hr)[..., None]
        p = weighted / (weighted + r2)
        score, information = np.sum(both * (treated - p), axis=-1), np.sum(both * p * (1 - p), axis=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            step = np.clip(np.where(information > 0, score / information, 0), -1, 1)
        log_hr = np.clip(log_hr + step, -30, 30)
        if np.all(np.abs(step) < 1e-12):
            break
    with np.errstate(divide="ignore"):
        se = 1 / np.sqrt(information)
    log_hr = np.where(second == doubted, np.inf, np.where(second == 0, -np.inf, log_hr))
    log_hr = np.where(doubted == 0, np.nan, log_hr)
    return Coxes(log_hr, np.where(np.isfinite(log_hr), se, np.inf))


def medians(time, event, convention: str = "le") -> np.ndarray:
    """The Kaplan–Meier median of every row: the first time with S ≤ 1/2 (``le``) or S < 1/2 (``lt``), or where S is 1/2
    halfway between the two (``midpoint``); infinite where not reached.
    """
    check_choice("convention", convention, QUANTILE_CONVENTIONS)
    order = np.lexsort((~np.asarray(event, bool), time), axis=-1)
    time, event = (np.take_along_axis(np.asarray(a), order, -1) for a in (time, event))
    curve = np.cumprod(1 - event / np.arange(time.shape[-1], 0, -1), axis=-1)

    def first(reached: np.ndarray) -> np.ndarray:
        found = np.take_along_axis(time, reached.argmax(axis=-1)[..., None], -1)[..., 0]
        return np.where(reached.any(axis=-1), found, np.inf)

    # The tolerance stands for exact fractions: a product of such ratios that is not 1/2 is farther from it.
    at, below = first(curve <= 0.5 + 1e-12), first(curve < 0.5 - 1e-12)
    return {"le": at, "lt": below, "midpoint": (at + below) / 2}[convention]


def without_effect(
    rng, treated: int, control: int, rate: float, spread: float, insight: float, waiting: float, early: str,
    shortest: float, longest: float, z: float = -1.959963984540054, ratio: float = 2.0, repetitions: int = 3000,
) -> dict:  # fmt: skip
    """What many studies print in which the treatment does nothing but patients are selected for it.

    Hazards are ``Frailty(rate, spread)``; ``insight``, ``waiting`` and ``early`` as in :class:`Allocation`, whose share
    is that of the group sizes; follow-up from ``shortest`` to ``longest``. The result holds the median of Cox's hazard
    ratio with its Monte Carlo error (``hazard_ratio``, ``hazard_ratio_se``), that of Peto's (``peto``), the median of
    the controls' Kaplan–Meier medians, halfway where the curve rests at 1/2 (``control_median``), and the shares of studies whose log-rank statistic is at
    most ``z`` (``as_extreme_p``) and whose ratio of medians is at least ``ratio`` (``as_large_ratio``).
    """
    allocation = Allocation(treated / (treated + control), insight, waiting, early)
    drawn = cohorts(rng, repetitions, treated, control, Frailty(rate, spread), allocation, (shortest, longest))
    tested = log_ranks(*drawn)
    groups = [(drawn.time[:, group], drawn.event[:, group]) for group in (drawn.treated, ~drawn.treated)]
    first, second = (medians(*group) for group in groups)
    log_hr, error = median_with_error(coxes(*drawn).log_hr)
    return {
        "hazard_ratio": math.exp(log_hr), "hazard_ratio_se": math.exp(log_hr) * error,
        "peto": math.exp(np.median(tested.peto)), "control_median": float(np.median(medians(*groups[1], "midpoint"))),
        "as_extreme_p": float(np.mean(tested.z <= z)),
        "as_large_ratio": float(np.mean((first >= ratio * second) & np.isfinite(second))),
    }  # fmt: skip


class Extreme(NamedTuple):
    """The least and greatest value found, with the standard errors of Cox's log hazard ratio there, and how many data
    sets were looked at that have what is known.
    """

    low: float
    high: float
    ses: tuple[float, float]
    looked_at: int


def possible_times(rng, group: PartlyKnown, repetitions: int) -> tuple[np.ndarray, np.ndarray]:
    """Times and flags (rows, patients) with all that is known of a group; at most ``repetitions`` rows.

    The unknown stand first, sorted, those censored at known times last. Rows are spread over what is possible; they
    are no sample of a population.
    """
    size = group.events + group.losses
    event = np.zeros((repetitions, size), bool)
    tilt = rng.uniform(-3, 3, (repetitions, 1)) * np.arange(size) / size  # events rather early, or rather late
    places = np.argsort(rng.random((repetitions, size)) + tilt, axis=-1)[:, : group.events]
    np.put_along_axis(event, places, True, axis=-1)
    low, high = _within(group)
    # crowded towards the beginning or the end of where they may lie, more or less
    spread = rng.uniform(0.001, 0.999, (repetitions, size)) * np.exp(-rng.uniform(0, 5, (repetitions, 1)))
    spread = np.where(rng.random((repetitions, 1)) < 0.5, spread, 1 - spread)
    if group.median is None:
        time = low + (high - low) * spread
    else:  # some before the median, some after it, and one or two that make it; nobody known is censored before it
        at, half = np.arange(size), 0.5 + 1e-12 * (-1 if group.convention == "lt" else 1)
        curve = np.cumprod(1 - event / (group.n - at), axis=-1)
        one = (curve <= half).argmax(axis=-1)[:, None]
        two = one
        if group.convention == "midpoint":
            two = (curve < 0.5 - 1e-12).argmax(axis=-1)[:, None]
        centre = rng.uniform(float(group.median.lower), float(group.median.upper), (repetitions, 1))
        gap = np.where(two > one, rng.uniform(0.02, 1, (repetitions, 1)) ** 3 * (centre - low), 0)
        time = np.where(at < one, low + (centre - gap - low) * spread, centre + gap + (high - centre - gap) * spread)
        time = np.where((at > one) & (at < two), centre + gap * (2 * spread - 1), time)
        time = np.where(at == one, centre - gap, np.where(at == two, centre + gap, time))
    time = np.sort(time, axis=-1)
    if group.first.upper < math.inf:
        time[:, 0] = rng.uniform(low, float(group.first.upper), repetitions)
    if low < group.last.lower:
        time[:, -1] = rng.uniform(float(group.last.lower), high, repetitions)
    late = [rng.uniform(float(k.lower), float(k.upper), (repetitions, 1)) for k in group.censored]
    time = np.concatenate([np.sort(time, axis=-1), *late], axis=-1)
    event = np.concatenate([event, np.zeros((repetitions, len(late)), bool)], axis=-1)
    kept = holds(group, time, event)
    return time[kept], event[kept]


def _within(group: PartlyKnown) -> tuple[float, float]:
    """Where the unknown times lie; without a known end, up to 1 beyond all that is known, which leaves every order."""
    known = [group.first.upper, group.last.lower, *(k.upper for k in group.censored)]
    known += [] if group.median is None else [group.median.upper]
    return float(group.first.lower), float(min(group.last.upper, 1 + max(x for x in known if x < math.inf)))


def holds(group: PartlyKnown, time, event) -> np.ndarray:
    """Has every row (of :func:`possible_times`) what is known of the group?"""
    size = group.events + group.losses
    unknown = time[:, :size]
    ends = ((unknown.min(axis=-1), group.first), (unknown.max(axis=-1), group.last))
    ends += tuple(zip(time[:, size:].T, group.censored))
    kept = event.sum(axis=-1) == group.events
    if group.median is not None:
        ends += ((medians(time, event, group.convention), group.median),)
    for value, known in ends:
        kept &= (value >= float(known.lower)) & (value <= float(known.upper))
    return kept


def _changed(rng, group: PartlyKnown, time, event) -> tuple[np.ndarray, np.ndarray]:
    """Rows near those given: some unknown times moved past a neighbour or two, perhaps two flags exchanged."""
    size, given = group.events + group.losses, (time, event)
    time, event, rows = time.copy(), event.copy(), np.arange(len(time))
    low, high = _within(group)
    for _ in range(rng.integers(1, 6)):
        place = rng.integers(0, size, len(time))
        reach = rng.integers(1, 7)
        a = np.where(place >= reach, time[rows, np.maximum(place - reach, 0)], low)
        b = np.where(place + reach < size, time[rows, np.minimum(place + reach, size - 1)], high)
        time[rows, place] = rng.uniform(a, b)
        if group.losses:
            other = np.where(rng.random(len(time)) < 0.5, place, rng.integers(0, size, len(time)))
            event[rows, place], event[rows, other] = event[rows, other].copy(), event[rows, place].copy()
        order = np.argsort(time[:, :size], axis=-1)
        time[:, :size] = np.take_along_axis(time[:, :size], order, -1)
        event[:, :size] = np.take_along_axis(event[:, :size], order, -1)
    for k, known in enumerate(group.censored):
        moved = rng.uniform(float(known.lower), float(known.upper), len(time))
        time[:, size + k] = np.where(rng.random(len(time)) < 0.3, moved, time[:, size + k])
    kept = holds(group, time, event)[:, None]
    return np.where(kept, time, given[0]), np.where(kept, event, given[1])


def _ratios(statistic: str, time, event, treated) -> np.ndarray:
    """The logarithm of a hazard ratio of every row."""
    if statistic == "cox":
        return coxes(time, event, treated).log_hr
    tested = log_ranks(time, event, treated)
    return tested.peto if statistic == "peto" else tested.observed_to_expected


def extremes(
    rng, first: PartlyKnown, second: PartlyKnown, statistic: str = "cox", z: tuple[float, float] | None = None,
    rounds: int = 60, size: int = 3000,
) -> Extreme:  # fmt: skip
    """A search for the least and greatest hazard ratio of the first group against the second, over untied times.

    ``statistic``: ``cox``, ``peto`` or ``observed_to_expected`` · ``z``: only data whose log-rank statistic lies
    between the two. Data sets are drawn, and those with the most extreme ratios changed and paired anew, round after
    round; the true range is at least as wide. ValueError if no data set is found.
    """
    check_choice("statistic", statistic, ("cox", "peto", "observed_to_expected"))
    treated = np.repeat([True, False], [first.n, second.n])
    pools = [possible_times(rng, group, 20 * size) for group in (first, second)]
    if not all(len(time) for time, _ in pools):
        raise Impossible("no data found that have what is known of each group")

    def drawn() -> tuple[np.ndarray, ...]:
        chosen = [rng.integers(0, len(time), size) for time, _ in pools]
        parts = [[a[rows] for a in pool] for pool, rows in zip(pools, chosen)]
        return tuple(np.concatenate(pair, axis=-1) for pair in zip(*parts))

    def near(best: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        rows, parts = rng.integers(0, len(best[0]), size), []
        for group, columns in ((first, treated), (second, ~treated)):
            mates = rows if rng.random() < 0.5 else rng.integers(0, len(best[0]), size)
            part = [a[mates][:, columns] for a in best]
            parts.append(_changed(rng, group, *part) if rng.random() < 0.8 else part)
        return tuple(np.concatenate(pair, axis=-1) for pair in zip(*parts))

    best: dict[int, tuple[np.ndarray, ...]] = {}
    looked_at = 0
    for turn in range(rounds):
        for sign in (-1, 1):
            old = best.get(sign)
            new = drawn() if old is None or turn % 3 == 2 else near(old)
            tested = log_ranks(*new, treated)
            kept = np.ones(size, bool) if z is None else (tested.z >= min(z)) & (tested.z <= max(z))
            looked_at += int(kept.sum())
            time, event = (a[kept] if old is None else np.concatenate([b, a[kept]]) for a, b in zip(new, old or new))
            if len(time):
                # Rounded, and ties by order: the last bit of a logarithm differs between machines, and a search would go another way.
                value = np.round(sign * _ratios(statistic, time, event, treated), 9)
                top = np.argsort(-np.where(np.isnan(value), -np.inf, value), kind="stable")[: size // 5]
                best[sign] = time[top], event[top]
    if len(best) < 2:
        raise Impossible("no data found that have what is known of each group and the log-rank statistic asked for")
    ends = [[a[:1] for a in best[sign]] for sign in (-1, 1)]
    with np.errstate(over="ignore"):
        low, high = (float(np.exp(_ratios(statistic, *end, treated)[0])) for end in ends)
    return Extreme(low, high, tuple(float(coxes(*end, treated).se[0]) for end in ends), looked_at)


class Like(NamedTuple):
    """What a group must have to be like the one reported, each from a least to a greatest value: its ``first`` event, its
    Kaplan–Meier ``median`` by ``convention``, and how many remain without the event (``ongoing``).
    """

    first: tuple[float, float]
    median: tuple[float, float]
    ongoing: tuple[float, float]
    convention: str = "le"

    def of(self, time, event) -> np.ndarray:
        """Is every row like it? Of the rows that are so by their first event and ongoing alone, the median is looked at."""
        ends = ((np.where(event, time, np.inf).min(axis=-1), self.first), (np.sum(~event, axis=-1), self.ongoing))
        like = np.all([(value >= low) & (value <= high) for value, (low, high) in ends], axis=0)
        middle = medians(time[like], event[like], self.convention)
        like[like] = (middle >= self.median[0]) & (middle <= self.median[1])
        return like


def shares_alike(
    rng, sizes: tuple[int, int], curves, allocations, follow_up, like: tuple[Like, Like], z: tuple[float, float],
    effect: float = 1.0, candidates: int = 300_000,
) -> np.ndarray:  # fmt: skip
    """How often studies come out like the one reported: (allocations, 2), the share of studies and its Monte Carlo error.

    ``sizes``: of the treated and the control group · ``curves``: :class:`Frailty` of the untreated, each of equal weight ·
    ``allocations``: each an :class:`Allocation` · ``like``: the two groups, and ``z`` the log-rank statistic, from the
    least to the greatest · ``effect`` multiplies every treated patient's hazard, from the day treatment begins. The same
    candidates are dealt out under every allocation, so that allocations are compared more exactly than each is known.
    """
    alike, all_ = np.zeros(len(allocations)), np.zeros(len(allocations))
    treated = np.repeat([True, False], sizes)
    for hazards in curves:
        prognosis, other = rng.standard_normal((2, candidates))
        untreated = hazards.draw(rng, prognosis)
        ends = rng.uniform(*follow_up, candidates)
        for k, allocation in enumerate(allocations):
            groups = _dealt(prognosis, other, untreated, allocation, effect)
            n = min(len(group) // size for group, size in zip(groups, sizes))
            rows = [group[: n * size].reshape(n, size) for group, size in zip(groups, sizes)]
            time, event, kept = [], [], np.ones(n, bool)
            for given, size, shape in zip(rows, sizes, like):
                until = ends[: n * size].reshape(n, size)
                time.append(np.minimum(given, until)), event.append(given <= until)
                kept[kept] = shape.of(time[-1][kept], event[-1][kept])
            found = log_ranks(*(np.concatenate([x[kept] for x in part], axis=1) for part in (time, event)), treated).z
            alike[k] += np.sum((found >= z[0]) & (found <= z[1]))
            all_[k] += n
    share = alike / all_
    return np.stack([share, np.sqrt(share * (1 - share) / all_)], axis=1)


def _dealt(prognosis, other, untreated, allocation: Allocation, effect: float) -> tuple[np.ndarray, np.ndarray]:
    """The times of the treated and of the controls among candidates, in order of arrival (see :func:`cohorts`)."""
    chosen = allocation.insight * prognosis + math.sqrt(1 - allocation.insight**2) * other <= ndtri(allocation.share)
    in_time = untreated > allocation.waiting
    first = allocation.waiting + (untreated[chosen & in_time] - allocation.waiting) / effect
    return first, untreated[~chosen | ~in_time if allocation.early == "control" else ~chosen]


def at_ends(group: PartlyKnown) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Times and flags of the data set with the least, and of that with the greatest, time up to any horizon beyond the
    median, of a group with nobody lost and a known median before which nobody is censored.

    From the definition of the median: with n patients it is the time of event ⌈n/2⌉, or the middle of that and the next
    where n is even and the convention ``midpoint``. The events before lie from the first to the median, those after from
    the median to the last; of the middle two only the sum is known, and all others have most room, down or up, where
    the two are one.
    """
    if group.losses or group.median is None:
        raise ValueError("a group with nobody lost and a known median is needed")
    middle = -(-group.n // 2)
    at_middle = 2 if group.convention == "midpoint" and group.n % 2 == 0 else 1
    if not 2 <= middle < middle + at_middle <= group.events:
        raise Impossible("too few remissions ended for the reported median")
    after = group.events - middle + 1 - at_middle
    rows = []
    for end in ("lower", "upper"):
        first, half, last = (float(getattr(known, end)) for known in (group.first, group.median, group.last))
        before = [first] * (middle - 1) if end == "lower" else [first, *[half] * (middle - 2)]
        beyond = [*[half] * (after), last][-after:] if end == "lower" else [last] * after
        unknown = before + [half] * at_middle + ([max(x, half) for x in beyond] if after else [])
        time = np.array([*unknown, *(float(getattr(known, end)) for known in group.censored)])
        rows.append((time, np.arange(time.size) < group.events))
    return tuple(rows)


def restricted_means(time, event, horizon: float) -> np.ndarray:
    """The area under the Kaplan–Meier curve of every row up to ``horizon``: the restricted mean survival time.

    Beyond the longest time of a row its curve is carried on at its last value.
    """
    order = np.lexsort((~np.asarray(event, bool), time), axis=-1)
    time, event = (np.take_along_axis(np.asarray(a), order, -1) for a in (time, event))
    curve = np.cumprod(1 - event / np.arange(time.shape[-1], 0, -1), axis=-1)
    steps = np.diff(np.minimum(time, horizon), axis=-1, prepend=0, append=horizon)
    return np.sum(steps * np.insert(curve, 0, 1, axis=-1), axis=-1)


def proportionality(time, event, treated) -> np.ndarray:
    """p of the score test that the hazard ratio does not change with the rank of time (among all times), of every
    row, without tied events, at Cox's estimate.

    Grambsch PM, Therneau TM. Biometrika 1994;81:515-526; as ``cox.zph`` of R's ``survival`` from version 3 on computes it
    with ``transform="rank"``. NaN where Cox's ratio has no maximum.
    """
    ratio = np.exp(coxes(time, event, treated).log_hr)[..., None]
    event, treated, at_risk, r1 = _risks(time, event, treated)
    rank = np.arange(1, event.shape[-1] + 1)
    with np.errstate(invalid="ignore"):
        expected = r1 * ratio / (r1 * ratio + at_risk - r1)
        variance = event * expected * (1 - expected)
        score = np.sum(event * rank * (treated - expected), axis=-1)
        i0, i1, i2 = (np.sum(variance * rank**k, axis=-1) for k in range(3))
        return chi2.sf(score**2 / (i2 - i1**2 / i0), 1)
