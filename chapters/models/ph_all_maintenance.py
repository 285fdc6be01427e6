"""Two groups that differ only in how patients came to be in them: selection by prognosis and by waiting, simulated.

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

from chapters.models.monte_carlo import median_with_error
from whichdata.given import check_choice, check_number

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
            raise ValueError(f"survival must fall from {s1:g} at {t1:g} to the later point, not to {s2:g} at {t2:g}")
        if math.log(s2) / math.log(s1) >= t2 / t1:
            raise ValueError("survival falls faster than under one constant hazard between the points: no spread fits")

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
        raise ValueError("too few candidates reach a group: wait less, or treat a share nearer the groups' sizes")
    order = np.argsort(~kept, axis=1, kind="stable")[:, :n]
    return np.take_along_axis(values, order, axis=1)


class LogRanks(NamedTuple):
    """Log-rank of the treated against the others, one of each row: ``o_minus_e`` and its ``variance``."""

    o_minus_e: np.ndarray
    variance: np.ndarray

    @property
    def z(self) -> np.ndarray:
        """Negative where the treated have fewer events than expected; 0 where nothing is compared."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.variance > 0, self.o_minus_e / np.sqrt(self.variance), 0.0)

    @property
    def log_hr(self) -> np.ndarray:
        """Peto's (O − E)/V."""
        return self.o_minus_e / self.variance


def log_ranks(time, event, treated) -> LogRanks:
    """The log-rank of every row of ``time`` and ``event`` (repetitions, patients), for times without tied events."""
    time, event, treated = np.broadcast_arrays(time, event, treated)
    order = np.lexsort((~event.astype(bool), time), axis=-1)
    time, event, treated = (np.take_along_axis(np.asarray(a), order, -1) for a in (time, event, treated))
    event, treated = event.astype(bool), treated.astype(bool)
    if np.any((np.diff(time, axis=-1) == 0) & event[..., 1:] & event[..., :-1]):
        raise ValueError("two events at one time: use whichdata.compare.log_rank, which knows ties")
    at_risk = np.arange(time.shape[-1], 0, -1)
    share = np.flip(np.cumsum(np.flip(treated, -1), axis=-1), -1) / at_risk
    return LogRanks(np.sum(event * (treated - share), axis=-1), np.sum(event * share * (1 - share), axis=-1))


def medians(time, event) -> np.ndarray:
    """The Kaplan–Meier median of every row, first time with S ≤ 1/2; infinite where not reached."""
    order = np.lexsort((~np.asarray(event, bool), time), axis=-1)
    time, event = (np.take_along_axis(np.asarray(a), order, -1) for a in (time, event))
    at_risk = np.arange(time.shape[-1], 0, -1)
    # The tolerance stands for exact fractions: a product of such ratios that is not 1/2 is farther from it.
    reached = np.cumprod(1 - event / at_risk, axis=-1) <= 0.5 + 1e-12
    first = np.take_along_axis(time, reached.argmax(axis=-1)[..., None], -1)[..., 0]
    return np.where(reached.any(axis=-1), first, np.inf)


def without_effect(
    rng, treated: int, control: int, rate: float, spread: float, insight: float, waiting: float, early: str,
    shortest: float, longest: float, z: float = -1.959963984540054, ratio: float = 2.0, repetitions: int = 3000,
) -> dict:  # fmt: skip
    """What many studies print in which the treatment does nothing but patients are selected for it.

    Hazards are ``Frailty(rate, spread)``; ``insight``, ``waiting`` and ``early`` as in :class:`Allocation`, whose share
    is that of the group sizes; follow-up from ``shortest`` to ``longest``. The result holds the median of Peto's hazard
    ratio with its Monte Carlo error (``hazard_ratio``, ``hazard_ratio_se``) and the shares of studies whose log-rank
    statistic is at most ``z`` (``as_extreme_p``) and whose ratio of medians is at least ``ratio`` (``as_large_ratio``).
    """
    allocation = Allocation(treated / (treated + control), insight, waiting, early)
    drawn = cohorts(rng, repetitions, treated, control, Frailty(rate, spread), allocation, (shortest, longest))
    tested = log_ranks(*drawn)
    first, second = (medians(drawn.time[:, group], drawn.event[:, group]) for group in (drawn.treated, ~drawn.treated))
    log_hr, error = median_with_error(tested.log_hr)
    return {
        "hazard_ratio": math.exp(log_hr), "hazard_ratio_se": math.exp(log_hr) * error,
        "as_extreme_p": float(np.mean(tested.z <= z)),
        "as_large_ratio": float(np.mean((first >= ratio * second) & np.isfinite(second))),
    }  # fmt: skip
