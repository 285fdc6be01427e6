"""Cohorts of treated patients: what an outcome is made of, how a predictor is judged, what activity may cause.

Times are in years, hazards per patient-year, constant within a group. Every simulator takes a
``numpy.random.Generator``; the last axis of an array is patients, an axis before it (if any) is cohorts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd

from chapters.models.monte_carlo import median_with_error
from whichdata.given import check_choice, check_number


class RateRatio(NamedTuple):
    """Events per patient-year of the exposed against the others: ``log`` ratio, its ``se``, and the score statistic
    ``z``. ``log`` and ``se`` are infinite or undefined (NaN) where a group has no event; ``z`` never is, if any has."""

    log: np.ndarray
    se: np.ndarray
    z: np.ndarray


def rate_ratio(time, event, exposed) -> RateRatio:
    """Compare event rates between exposed and other patients, along the last axis.

    ``time`` at risk (years), ``event`` and ``exposed`` (booleans) broadcast to one shape. The log ratio is the maximum
    likelihood estimate of the log hazard ratio under constant hazards, its variance 1/d₁ + 1/d₀; ``z`` is the score
    test (d₁ − dT₁/T) / √(d T₁T₀/T²), the log-rank test's counterpart.
    """
    time, event, exposed = np.broadcast_arrays(time, event, exposed)
    d1, t1 = np.sum(event & exposed, axis=-1), np.sum(time * exposed, axis=-1)
    d0, t0 = np.sum(event & ~exposed, axis=-1), np.sum(time * ~exposed, axis=-1)
    share = t1 / (t1 + t0)
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(d1 / t1) - np.log(d0 / t0)
        se = np.sqrt(1 / d1 + 1 / d0)
        z = (d1 - (d1 + d0) * share) / np.sqrt((d1 + d0) * share * (1 - share))
    return RateRatio(log, se, z)


def stratified_rate_ratio(time, event, exposed, stratum) -> float:
    """The Mantel–Haenszel rate ratio Σ d₁T₀/T over Σ d₀T₁/T, of one cohort (all arguments of shape (patients,)).

    ``stratum``: whole numbers from 0. Strata without person-time add nothing. ValueError if no stratum holds both
    an event of the others and time of the exposed.
    """
    stratum, size = np.asarray(stratum), int(np.max(stratum)) + 1
    time, exposed = np.asarray(time, float), np.asarray(exposed, bool)

    def total(weights):
        return np.bincount(stratum, weights=weights, minlength=size)

    t1, t0 = total(time * exposed), total(time * ~exposed)
    d1, d0 = total(np.asarray(event) * exposed), total(np.asarray(event) * ~exposed)
    both = t1 + t0 > 0
    above, below = np.sum((d1 * t0)[both] / (t1 + t0)[both]), np.sum((d0 * t1)[both] / (t1 + t0)[both])
    if below == 0:
        raise ValueError("no stratum has events among the others and time among the exposed: the ratio is undefined")
    return float(above / below)


# A composite outcome ------------------------------------------------------------------------------------------------

OUTCOMES = ("composite", "worsening until switch", "worsening, switched or not")


class Course(NamedTuple):
    """When patients worsen and when they change drug (years from the start of follow-up; may lie beyond its end)."""

    worsening: np.ndarray
    switch: np.ndarray


def two_events(rng, worsening, switch, shape, after_switch: float = 1.0) -> Course:
    """Draw the times of worsening and of a switch, independent given their hazards.

    ``worsening``, ``switch``: hazards that broadcast to ``shape`` (0: never). ``after_switch`` multiplies the hazard of
    worsening from the switch on: below 1 if the new drug works better. ValueError on a hazard below 0.
    """
    if np.min(worsening) < 0 or np.min(switch) < 0:
        raise ValueError("a hazard is below 0: hazards are events per patient-year")
    factor = check_number("after_switch", after_switch, above=0)
    with np.errstate(divide="ignore"):
        worsens = rng.standard_exponential(shape) / worsening
        switches = rng.standard_exponential(shape) / switch
    later = worsens > switches
    worsens[later] = switches[later] + (worsens[later] - switches[later]) / factor
    return Course(worsens, switches)


class Followed(NamedTuple):
    """Time at risk (years) and whether the event was seen."""

    time: np.ndarray
    event: np.ndarray


def outcome(course: Course, horizon: float, kind: str = "composite") -> Followed:
    """What an analysis sees of a course by ``horizon`` under one of ``OUTCOMES``."""
    check_choice("outcome", kind, OUTCOMES)
    first = np.minimum(course.worsening, course.switch)
    if kind == "composite":
        return Followed(np.minimum(first, horizon), first <= horizon)
    if kind == "worsening until switch":
        return Followed(np.minimum(first, horizon), (course.worsening <= course.switch) & (first <= horizon))
    return Followed(np.minimum(course.worsening, horizon), course.worsening <= horizon)


# Who is in the cohort -----------------------------------------------------------------------------------------------


def risk_among_retained(hazard, leaving, leaving_after_failure, required, horizon) -> float:
    """The risk of failure by ``horizon`` in a cohort that admits only people still followed at ``required``.

    Failure has a constant ``hazard``; people leave follow-up at the rate ``leaving`` before failing and
    ``leaving_after_failure`` afterwards. Closed form: with a = hazard + leaving − leaving_after_failure and r =
    required, the admitted who failed before r are h e^(−r·after) (1 − e^(−ar))/a, the others e^(−r(h + leaving)), and
    these remain free of failure to the horizon with e^(−h(horizon − r)).
    """
    h, before, after = (check_number("rate", x, least=0) for x in (hazard, leaving, leaving_after_failure))
    r = check_number("required follow-up", required, least=0)
    if horizon < r:
        raise ValueError(f"the horizon {horizon:g} lies before the required follow-up {r:g}")
    a = h + before - after
    time_weight = r if a == 0 else -math.expm1(-a * r) / a
    failed = h * math.exp(-after * r) * time_weight
    free = math.exp(-(h + before) * r)
    return 1 - free * math.exp(-h * (horizon - r)) / (failed + free)


# What activity may cause --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Structure:
    """How inflammatory activity, treatment and disability hang together in one imagined disease.

    ``lesions``: new lesions a year without treatment, on average · ``spread``: squared coefficient of variation of that
    rate between people (gamma; 0: all alike) · ``fleeting``: the same for how one person's rate varies from year to
    year, without lasting · ``responders``: share of the treated in whom the drug works · ``left``:
    part of the lesion rate it leaves them · ``hit``: hazard of worsening per lesion a year (0: lesions cause nothing) ·
    ``ceiling``: the most that lesions can add to the hazard · ``other``: hazard of a process that does not pass through
    lesions · ``other_left``: part of it the drug leaves in responders · ``shared``: does what drives the lesion rate
    drive that process as well? · ``switch``: hazard of a change of drug, under treatment, after a year with at least
    ``seen`` lesions.
    """

    name: str
    lesions: float
    spread: float = 0.0
    fleeting: float = 0.0
    responders: float = 0.5
    left: float = 0.1
    hit: float = 0.0
    ceiling: float = math.inf
    other: float = 0.0
    other_left: float = 1.0
    shared: bool = False
    switch: float = 0.0
    seen: int = 3

    @property
    def lesions_cause(self) -> bool:
        """Does a lesion make worsening likelier?"""
        return self.hit > 0


class Arm(NamedTuple):
    """One arm, by patient: lesions ``counted`` in the opening period, and the ``course`` after it."""

    counted: np.ndarray
    course: Course


def arm(structure: Structure, rng, patients: int, treated: bool, window: float = 1.0) -> Arm:
    """Draw one arm: lesions are counted over ``window`` years, then worsening and switch are awaited.

    Lesions come as a Poisson process at each person's own rate, times the weather of the years counted; a lesion of the
    opening period does no harm later, so that activity can foretell worsening only through what lasts.
    """
    s = structure
    severity = rng.gamma(1 / s.spread, s.spread, patients) if s.spread else np.ones(patients)
    responds = treated & (rng.random(patients) < s.responders)
    rate = s.lesions * severity * np.where(responds, s.left, 1.0)
    weather = rng.gamma(window / s.fleeting, s.fleeting / window, patients) if s.fleeting else 1.0
    counted = rng.poisson(rate * window * weather)
    by_lesions = s.hit * rate
    by_lesions = by_lesions / (1 + by_lesions / s.ceiling)
    other = s.other * (severity if s.shared else 1.0) * np.where(responds, s.other_left, 1.0)
    switch = np.where(treated & (counted >= s.seen), s.switch, 0.0)
    return Arm(counted, two_events(rng, by_lesions + other, switch, patients))


class Signature(NamedTuple):
    """What one structure looks like in data: the more active half of an arm against the rest, or the treated against
    the untreated.

    ``on``: failure (worsening or switch) on treatment · ``off``: worsening without treatment · ``on_worsening``:
    worsening alone, on treatment · ``off_long``: worsening without treatment, lesions counted for years · ``drug``: the
    randomised effect of the drug on worsening · ``lesion_drug``: that of a drug which stops lesions in everyone and
    does nothing else · ``explained``: share of the drug's effect that goes when the analysis is stratified by lesions
    (Freedman's proportion).
    """

    on: RateRatio
    off: RateRatio
    on_worsening: RateRatio
    off_long: RateRatio
    drug: RateRatio
    lesion_drug: RateRatio
    explained: float


def signature(structure: Structure, rng, patients: int, horizon: float = 3.0, long: float = 5.0) -> Signature:
    """Simulate every comparison of :class:`Signature`; ``patients`` an arm, lesions counted for a year or ``long``."""
    on, off = (arm(structure, rng, patients, treated) for treated in (True, False))
    lasting = arm(structure, rng, patients, False, window=long)
    only_lesions = replace(structure, responders=1.0, other_left=1.0, switch=0.0)
    stopped = arm(only_lesions, rng, patients, True)

    def by_activity(which: Arm, kind: str) -> RateRatio:
        followed = outcome(which.course, horizon, kind)
        return rate_ratio(followed.time, followed.event, which.counted > np.median(which.counted))

    alone = OUTCOMES[2]
    treated = np.repeat([True, False], patients)

    def effect(first: Arm) -> tuple[Followed, RateRatio]:
        parts = [outcome(a.course, horizon, alone) for a in (first, off)]
        both = Followed(*(np.concatenate(column) for column in zip(*parts)))
        return both, rate_ratio(both.time, both.event, treated)

    pooled, drug = effect(on)
    counted = np.concatenate([on.counted, off.counted])
    within = math.log(stratified_rate_ratio(pooled.time, pooled.event, treated, counted))
    return Signature(
        by_activity(on, "composite"), by_activity(off, alone), by_activity(on, alone), by_activity(lasting, alone),
        drug, effect(stopped)[1], 1 - within / float(drug.log),
    )  # fmt: skip


# Experiments of many cohorts ----------------------------------------------------------------------------------------

SIGNIFICANT = 1.959963984540054
"""The normal statistic of a two-sided p of 0.05."""


def _share(hits) -> tuple[float, float]:
    """The share of cohorts that ``hits`` and its Monte Carlo standard error."""
    share = float(np.mean(hits))
    return share, math.sqrt(share * (1 - share) / np.size(hits))


def predictor_in_composite(
    rng, patients: int, worsening: float, switch: float, worsening_ratio: float, switch_ratio: float, marked: float,
    horizon: float = 3.0, cohorts: int = 400, after_switch: float = 1.0,
) -> dict:  # fmt: skip
    """A marker tried against a composite outcome and against worsening alone, in many cohorts of one size.

    ``worsening``, ``switch``: hazards of patients without the marker; the marker multiplies them by ``worsening_ratio``
    and ``switch_ratio`` · ``marked``: share of patients who have it · ``after_switch``: as in :func:`two_events`.
    For each outcome the result holds the median hazard ratio found (``_hr``), the share of cohorts with two-sided
    p ≤ 0.05 (``_power``) and their Monte Carlo errors (``_hr_se``, ``_se``).
    """
    has = rng.random((cohorts, patients)) < marked
    hazards = np.where(has, worsening * worsening_ratio, worsening), np.where(has, switch * switch_ratio, switch)
    course = two_events(rng, *hazards, has.shape, after_switch)
    row = {}
    for key, kind in (("composite", OUTCOMES[0]), ("worsening", OUTCOMES[2])):
        followed = outcome(course, horizon, kind)
        found = rate_ratio(followed.time, followed.event, has)
        power, se = _share(np.abs(found.z) >= SIGNIFICANT)
        log, log_se = median_with_error(found.log)
        row |= {
            f"{key}_hr": math.exp(log), f"{key}_hr_se": math.exp(log) * log_se,
            f"{key}_power": power, f"{key}_se": se,
        }  # fmt: skip
    return row


def chosen_cutoff(
    rng, patients: int, hazard: float, true_hr: float, offered: int, mean: float = 1.0, dispersion: float = 2.0,
    cut: int = 3, horizon: float = 3.0, cohorts: int = 400,
) -> dict:  # fmt: skip
    """A lesion cut-off chosen among several and judged in the same cohort.

    Lesion counts are negative binomial with that ``mean`` and variance mean + dispersion × mean². People with ``cut``
    or more have ``true_hr`` times the ``hazard`` of the others. ``offered``: how many neighbouring cut-offs are tried
    (1: only the true one). ``significant``: share of cohorts whose best cut-off has p ≤ 0.05, with its Monte Carlo
    error ``se`` · ``published``: the median ratio at the best cut-off of those in which lesions look harmful, with its
    error ``published_se`` (both undefined if there is none) · ``right``: how often the best is the true one.
    """
    lesions = rng.negative_binomial(1 / dispersion, 1 / (1 + dispersion * mean), (cohorts, patients))
    awaited = rng.exponential(1 / np.where(lesions >= cut, hazard * true_hr, hazard))
    time, event = np.minimum(awaited, horizon), awaited <= horizon
    first = max(1, cut - offered // 2)
    tried = np.arange(first, first + offered)
    results = [rate_ratio(time, event, lesions >= c) for c in tried]
    z, log = (np.stack([getattr(r, name) for r in results]) for name in ("z", "log"))
    best = np.argmax(np.abs(z), axis=0)[None]
    found = np.abs(np.take_along_axis(z, best, axis=0)[0]) >= SIGNIFICANT
    significant, se = _share(found)
    at_best = np.take_along_axis(log, best, axis=0)[0]
    harmful = at_best[found & (at_best > 0)]
    published, log_se = median_with_error(harmful) if harmful.size else (math.nan, math.nan)
    return {
        "significant": significant, "se": se, "right": float(np.mean(tried[best] == cut)),
        "published": math.exp(published), "published_se": math.exp(published) * log_se,
    }  # fmt: skip


def treatment_sorts(
    rng, lesions: float, spread: float, fleeting: float, responders: float, hit: float, patients: int = 100_000
) -> dict:
    """Lesions as the only cause of disability: the hazard ratio of the more active half, on and off a drug that works
    in some, each with the standard error of its logarithm. Parameters as in :class:`Structure`."""
    structure = Structure("sorted", lesions, spread=spread, fleeting=fleeting, responders=responders, hit=hit)
    found = signature(structure, rng, patients)
    return {
        "on": float(np.exp(found.on.log)), "on_se": float(found.on.se),
        "off": float(np.exp(found.off.log)), "off_se": float(found.off.se),
    }  # fmt: skip


SORTING = {
    "lesions": 6.0,
    "spread": (0.05, 0.2, 0.5, 1.0),
    "fleeting": 0.5,
    "responders": (0.2, 0.4, 0.6, 0.8),
    "hit": 0.02,
}
"""Assumptions of ours: two parameters that vary, to span what is plausible, and three that stay."""


def sorting_grid(seed: int = 3) -> pd.DataFrame:
    """:func:`treatment_sorts` at every point of ``SORTING``, the last parameter moving fastest: one row each.

    A point's random numbers depend on the seed and on its place in the grid alone.
    """
    axes = [values if isinstance(values, tuple) else (values,) for values in SORTING.values()]
    points = [dict(zip(SORTING, values)) for values in product(*axes)]
    return pd.DataFrame(
        point | treatment_sorts(np.random.default_rng([seed, k]), **point) for k, point in enumerate(points)
    )
