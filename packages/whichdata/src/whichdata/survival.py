"""Survival of one group, exactly: the Kaplan–Meier curve and everything read from it.

Counts are whole numbers and times rational, so the curve, its Greenwood variance, its quantiles and its area are
fractions; floats appear only behind a square root, a logarithm or a normal quantile.

Conventions: the curve is right-continuous and includes the events at t; events come before censorings at equal times;
at risk at t are all with time ≥ t; after the last observation the curve is carried on at its last value.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from numbers import Real
from typing import NamedTuple

from scipy.special import ndtri

from whichdata.given import check_list

INTERVAL_KINDS = ("plain", "log", "log-log", "logit", "arcsin")
QUANTILE_CONVENTIONS = ("le", "midpoint", "lt")

MOST_PATIENTS = 10_000

Time = int | float | Fraction


def exact_time(value) -> Fraction:
    """A time as a fraction, for a float by definition the decimal it prints as, so that 0.1 is a tenth.

    ValueError if it is no number, not finite, or negative.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError(f"{value!r} is not a time; give numbers of at least 0")
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value!r} is not a time; leave the patient out or give the time")
        value = str(value)
    time = Fraction(value)
    if time < 0:
        raise ValueError(f"a time of {time} is before time zero; times are at least 0")
    return time


def check_data(time: Sequence, event: Sequence) -> tuple[list[Fraction], list[int]]:
    """``time`` and ``event`` (by definition 0 censored, 1 event), checked and exact. ValueError says what is wrong."""
    time, event = check_list("time", time), check_list("event", event)
    if not time:
        raise ValueError("no patients: time is empty")
    if len(time) > MOST_PATIENTS:
        raise ValueError(f"{len(time):,} patients are too many for exact fractions (at most {MOST_PATIENTS:,})")
    if len(time) != len(event):
        raise ValueError(f"{len(time)} times but {len(event)} event flags; give one flag for each time")
    wrong = [e for e in event if e not in (0, 1)]
    if wrong:
        raise ValueError(f"an event flag is 0 (censored) or 1 (event), not {wrong[0]!r}")
    return [exact_time(t) for t in time], [int(e) for e in event]


class Rmst(NamedTuple):
    """Restricted mean survival time to ``tau``: area (exact), its variance (exact), and whether tau lies beyond the
    last observation while the curve is above zero (then the curve is carried on flat, as R's ``survfit`` does)."""

    tau: Fraction
    mean: Fraction
    variance: Fraction
    beyond_follow_up: bool

    @property
    def se(self) -> float:
        return math.sqrt(self.variance)


@dataclass(frozen=True)
class KaplanMeier:
    """The curve [KaplanMeier1958] of ``n`` patients: at each distinct time the number at risk, events, censorings and S
    just after."""

    n: int
    times: tuple[Fraction, ...]
    at_risk: tuple[int, ...]
    events: tuple[int, ...]
    censored: tuple[int, ...]
    survival: tuple[Fraction, ...]

    def at(self, t: Time) -> Fraction:
        """S(t), events at t included."""
        past = [s for time, s in zip(self.times, self.survival) if time <= exact_time(t)]
        return past[-1] if past else Fraction(1)

    @cached_property
    def _hazard_variances(self) -> tuple[Fraction | None, ...]:
        """d / (r (r − d)) at each time; None where all at risk have the event."""
        return tuple(Fraction(d, r * (r - d)) if r > d else None for r, d in zip(self.at_risk, self.events))

    def variance(self, t: Time) -> Fraction | None:
        """Greenwood's variance S(t)² Σ d / (r (r − d)) [Greenwood1926]; None where S(t) = 0 (undefined, as in R)."""
        terms = [v for time, v in zip(self.times, self._hazard_variances) if time <= exact_time(t)]
        return None if None in terms else self.at(t) ** 2 * sum(terms, Fraction(0))

    def interval(self, t: Time, kind: str = "log", level: float = 0.95) -> tuple[float, float] | None:
        """Pointwise limits of S(t), cut at 0 and 1. ``kind`` names the transformation on which the normal limits are
        taken [SasLifetest] (``log`` is R's default). None where S(t) = 0; (1, 1) before the first event."""
        if kind not in INTERVAL_KINDS:
            raise ValueError(f"no interval named {kind!r}; known: {', '.join(INTERVAL_KINDS)}")
        variance = self.variance(t)
        return None if variance is None else _limits(float(self.at(t)), math.sqrt(variance), kind, _z(level))

    def quantile(self, p: Fraction = Fraction(1, 2), convention: str = "le") -> Fraction | None:
        """The time by which a share ``p`` has had the event; None if not reached.

        ``le`` first time with S ≤ 1 − p · ``lt`` first time with S < 1 − p · ``midpoint`` between the two where the
        curve runs exactly at 1 − p and later falls, else ``le`` (R's printed median [RPrintSurvfit]).
        """
        if convention not in QUANTILE_CONVENTIONS:
            raise ValueError(f"no convention named {convention!r}; known: {', '.join(QUANTILE_CONVENTIONS)}")
        level = 1 - Fraction(p)
        first = next((t for t, s in zip(self.times, self.survival) if s <= level), None)
        below = next((t for t, s in zip(self.times, self.survival) if s < level), None)
        if convention == "lt":
            return below
        if convention == "le" or below is None:
            return first
        return (first + below) / 2

    def median(self, convention: str = "le") -> Fraction | None:
        """The median under a named convention (see :meth:`quantile`); None if not reached."""
        return self.quantile(Fraction(1, 2), convention)

    def rmst(self, tau: Time) -> Rmst:
        """Area under the curve from 0 to ``tau`` with the variance Σ A(t)² d / (r (r − d)), A(t) the area from t to
        tau (as R prints it [RPrintSurvfit]). ValueError unless tau is above 0."""
        tau = exact_time(tau)
        if tau == 0:
            raise ValueError("the restricted mean needs a time above 0")
        kept = [i for i, t in enumerate(self.times) if t < tau]
        ends = [self.times[i] for i in kept[1:]] + [tau]
        areas = [self.survival[i] * (end - self.times[i]) for i, end in zip(kept, ends)]
        first = self.times[kept[0]] if kept else tau
        variance, after = Fraction(0), Fraction(0)
        for i, area in zip(reversed(kept), reversed(areas)):
            after += area
            variance += after**2 * (self._hazard_variances[i] or 0)
        return Rmst(tau, first + after, variance, tau > self.times[-1] and self.survival[-1] > 0)


def kaplan_meier(time: Sequence[Time], event: Sequence[int]) -> KaplanMeier:
    """The exact curve [KaplanMeier1958] of parallel lists of times and flags (1 event, 0 censored). ValueError on bad
    data."""
    time, event = check_data(time, event)
    times = sorted(set(time))
    deaths, losses = dict.fromkeys(times, 0), dict.fromkeys(times, 0)
    for t, e in zip(time, event):
        (deaths if e else losses)[t] += 1
    at_risk, survival, left, s = [], [], len(time), Fraction(1)
    for t in times:
        at_risk.append(left)
        s *= Fraction(left - deaths[t], left)
        survival.append(s)
        left -= deaths[t] + losses[t]
    return KaplanMeier(
        len(time),
        tuple(times),
        tuple(at_risk),
        tuple(deaths.values()),
        tuple(losses.values()),
        tuple(survival),
    )


def _z(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"a confidence level lies between 0 and 1, not {level}")
    return float(ndtri(0.5 + level / 2))


def _limits(s: float, se: float, kind: str, z: float) -> tuple[float, float]:
    """Limits of a survival 0 < s ≤ 1 with Greenwood standard error ``se``, on the scale ``kind``."""
    if s == 1:
        return 1.0, 1.0
    if kind == "plain":
        low, high = s - z * se, s + z * se
    elif kind == "log":
        low, high = s * math.exp(-z * se / s), s * math.exp(z * se / s)
    elif kind == "log-log":
        width = z * se / (s * -math.log(s))
        low, high = s ** math.exp(width), s ** math.exp(-width)
    elif kind == "logit":
        odds, width = s / (1 - s), z * se / (s * (1 - s))
        low, high = (1 / (1 + 1 / (odds * math.exp(w))) for w in (-width, width))
    else:
        angle, width = math.asin(math.sqrt(s)), z * se / (2 * math.sqrt(s * (1 - s)))
        low, high = math.sin(max(0, angle - width)) ** 2, math.sin(min(math.pi / 2, angle + width)) ** 2
    return max(0.0, low), min(1.0, high)
