"""Activity and disability in multiple sclerosis: what would a count of new lesions predict, on a drug and off it?

Each :class:`Structure` says how new lesions, a drug and disability hang together. Two of its settings are fitted, so that the
untreated worsen as often as assumed and the drug lowers the odds of worsening as it did in a randomised trial; the
rest follows without simulation, by summing over people. Times are in years, from the start of treatment; rates and
hazards are per year. Axes of arrays, as far as they have them: people, lesions counted, times.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binom, chi2, gamma, nbinom, norm, poisson

from whichdata.given import check_number


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


# A printed interval -----------------------------------------------------------------------------------------------------


def smaller_group(variance: float, total: float) -> float:
    """The events d of the smaller of two groups with ``total`` events, from the ``variance`` of the log ratio of their
    rates: 1/d + 1/(total − d) = variance; half of all if so few events give a greater variance."""
    return (total - math.sqrt(max(total**2 - 4 * total / variance, 0))) / 2


def score_and_likelihood(ratio: float, error: float, total: float) -> tuple[float, float]:
    """Two-sided p of the score and of the likelihood-ratio test that two groups have one constant hazard.

    Their estimated ``ratio`` of hazards has the standard ``error`` on the log scale, and they have ``total`` events
    (no fewer than 4/error²). With d events in the smaller group and its part a of the time at risk, z = (d − ta)/√(ta(1 − a))
    and Λ = 2(d log(d/ta) + (t − d) log((t − d)/(t − ta))).
    """
    few = smaller_group(error**2, total)
    at_risk = few / ratio / (few / ratio + total - few)
    expected = total * at_risk
    likelihood = 2 * (few * math.log(few / expected) + (total - few) * math.log((total - few) / (total - expected)))
    z = abs(few - expected) / math.sqrt(expected * (1 - at_risk))
    return float(2 * norm.sf(z)), float(chi2.sf(likelihood, 1))


# People and their lesions ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setting:
    """What all structures share.

    ``lesions``: new lesions a year without treatment, on average · ``spread``: squared coefficient of variation of
    people's lasting rates (gamma) · ``fleeting``: the same of how a year differs from the next in one person ·
    ``responders``: share of the treated in whom the drug works; it leaves them so much of their lesions that the mean
    falls by ``cut`` · ``odds``: ratio of the odds of worsening, treated to untreated, at ``trial`` years · ``risk`` of
    worsening without treatment by ``horizon`` · ``relapses`` a year without treatment, which fall by ``relapse_cut``.
    """

    spread: float
    responders: float
    cut: float
    odds: float
    relapse_cut: float
    risk: float = 0.3
    lesions: float = 5.0
    fleeting: float = 0.5
    relapses: float = 1.0
    trial: float = 2.0
    horizon: float = 3.0


class People(NamedTuple):
    """Kinds of people in an arm: ``severity`` (their lasting lesion rate over the mean, untreated), what the drug leaves
    of it (``left``), and their ``weight``, summing to 1."""

    severity: np.ndarray
    left: np.ndarray
    weight: np.ndarray


SEVERITIES = 40


def people(setting: Setting, treated: bool) -> People:
    """An arm as ``SEVERITIES`` equal slices of the gamma distribution, each divided into responders and others if treated.

    Raises
    ------
    ValueError
        Too few responders: the drug would have to leave them less than no lesions.
    """
    slices = (np.arange(SEVERITIES) + 0.5) / SEVERITIES
    severity = gamma.ppf(slices, 1 / setting.spread, scale=setting.spread)
    severity /= severity.mean()
    if not treated:
        return People(severity, np.ones(SEVERITIES), np.full(SEVERITIES, 1 / SEVERITIES))
    share, left = setting.responders, 1 - setting.cut / setting.responders
    if left < 0:
        raise ValueError(f"with {share:.0%} responders lesions cannot fall by {setting.cut:.0%}")
    left, weight = np.repeat([left, 1.0], SEVERITIES), np.repeat([share, 1 - share], SEVERITIES) / SEVERITIES
    return People(np.tile(severity, 2), left, weight)


# How lesions may do harm ----------------------------------------------------------------------------------------------


class Course(NamedTuple):
    """What becomes of people: ``trial(people, t)``, the probability not to be worse ``t`` years after the start; and
    ``counted(people, n, t)``, the same at 1 + ``t`` years in those with ``n`` lesions in the first year."""

    trial: Callable
    counted: Callable


def hidden_process(setting: Setting, scale: float, shape: float, common: bool) -> Course:
    """Lesions do nothing. A process beside them has the hazard ``scale``, of which the drug leaves ``shape`` in those in
    whom it works; ``common``: people's severity drives it too."""

    def hazard(who: People):
        works = np.where(who.left < 1, shape, 1.0)
        return scale * works * (who.severity if common else 1.0)

    return _memoryless(hazard)


def ceiling(setting: Setting, scale: float, shape: float) -> Course:
    """Lesions do all the harm, to a ceiling: at y times the mean lesion rate the hazard is scale · y(1 + shape)/(1 + shape · y)."""

    def hazard(who: People):
        y = who.severity * who.left
        return scale * y * (1 + shape) / (1 + shape * y)

    return _memoryless(hazard)


def _memoryless(hazard: Callable) -> Course:
    """A constant hazard for each person, whatever was counted."""

    def counted(who, n, t):
        one = np.exp(-hazard(who)[:, None, None] * (1 + t))
        return np.broadcast_to(one, (len(who.weight), len(n), len(t)))

    return Course(lambda who, t: np.exp(-hazard(who) * t), counted)


def several_hits(setting: Setting, scale: float, shape: float, hits: int) -> Course:
    """A lesion hits something that matters with one probability, worsening takes ``hits`` of them, those of the first year
    included; a process that the drug leaves alone has the hazard scale · (1 − shape). Hits come at hits · scale · shape
    a year on average, so that ``shape`` is near the part of worsening that lesions do."""
    each, beside = min(hits * scale * shape / setting.lesions, 1.0), scale * (1 - shape)

    def rate(who: People):
        return each * setting.lesions * who.severity * who.left

    def counted(who, n, t):
        before = binom.pmf(np.arange(hits), n[:, None], each)
        lacking = hits - np.arange(hits)[:, None]
        later = poisson.cdf(lacking - 1, rate(who)[:, None, None] * t)
        return np.exp(-beside * (1 + t)) * np.einsum("nj,pjt->pnt", before, later)

    return Course(lambda who, t: np.exp(-beside * t) * poisson.cdf(hits - 1, rate(who) * t), counted)


def delayed(setting: Setting, scale: float, shape: float) -> Course:
    """Lesions do all the harm, and late: each leads to worsening with one probability, after a time that is exponential with
    the mean ``shape``; ``scale`` is the untreated mean hazard. Lesions came at the untreated rate before treatment."""
    each = scale / setting.lesions

    def passed(t):
        return shape * -np.expm1(-t / shape)

    def trial(who: People, t):
        return np.exp(-scale * who.severity * (t - (1 - who.left) * (t - passed(t))))

    def counted(who, n, t):
        old = scale * who.severity * passed(1 + t)[:, None]  # lesions from before treatment, by time and person
        fresh = scale * who.severity * who.left * (t - passed(t))[:, None]
        waiting = passed(1.0)  # part of the first year's lesions that have done no harm by its end
        of_counted = each * n * (1 - waiting * np.exp(-t / shape)[:, None])
        return np.exp(-(old + fresh).T[:, None, :] - of_counted.T[None])

    return Course(trial, counted)


class Structure(NamedTuple):
    """``harm`` that lesions do: nothing, part or all · ``course(setting, scale, shape)`` · ``bounds`` between which the
    shape is fitted · ``shape``: what it is, in words."""

    name: str
    harm: str
    course: Callable
    bounds: tuple[float, float]
    shape: str


_PROCESS = "left of the process by the drug"
STRUCTURES = (
    Structure("shared response", "nothing", partial(hidden_process, common=False), (0.0, 1.0), _PROCESS),
    Structure("shared response and severity", "nothing", partial(hidden_process, common=True), (0.0, 1.0), _PROCESS),
    *(
        Structure(name, "part", partial(several_hits, hits=k), (0.001, 1.0), "near the part done by lesions")
        for k, name in ((1, "one hit"), (3, "three hits"), (8, "eight hits"))
    ),
    Structure("a ceiling", "all", ceiling, (0.0, 1000.0), "saturation at the mean rate"),
    Structure("delayed harm", "all", delayed, (0.01, 50.0), "mean delay in years"),
)
"""The structures of the chapter."""


class Fitted(NamedTuple):
    """A structure in a setting: its two fitted settings and the course they give."""

    structure: Structure
    setting: Setting
    scale: float
    shape: float
    course: Course


def odds_ratio(setting: Setting, course: Course) -> float:
    """The ratio of the odds of worsening at the end of the trial, treated to untreated."""
    return _odds_ratio(setting, course, people(setting, True), people(setting, False))


def _odds_ratio(setting: Setting, course: Course, exposed: People, others: People) -> float:
    risk = [1 - float(who.weight @ course.trial(who, setting.trial)) for who in (exposed, others)]
    return risk[0] / (1 - risk[0]) / (risk[1] / (1 - risk[1]))


def at_risk(structure: Structure, setting: Setting, shape: float) -> tuple[float, Course]:
    """The scale at which the untreated worsen as often as the setting says, with this shape, and the course."""
    who = people(setting, False)

    def excess(scale):
        course = structure.course(setting, scale, shape)
        return 1 - float(who.weight @ course.trial(who, setting.horizon)) - setting.risk

    scale = brentq(excess, 1e-6, 5.0)
    return scale, structure.course(setting, scale, shape)


def fit(structure: Structure, setting: Setting) -> Fitted | None:
    """Fit scale and shape to the untreated risk and to the randomised odds ratio; None if no shape gives it."""

    def excess(shape):
        return odds_ratio(setting, at_risk(structure, setting, shape)[1]) - setting.odds

    low, high = structure.bounds
    if excess(low) * excess(high) > 0:
        return None
    shape = brentq(excess, low, high, xtol=1e-6)
    scale, course = at_risk(structure, setting, shape)
    return Fitted(structure, setting, scale, shape, course)


# What a count of lesions predicts -------------------------------------------------------------------------------------

STEPS = 25


class Arm(NamedTuple):
    """Those not worse at one year, by lesions counted in that year: their part of the arm, and what follows in them over the
    horizon, ``events`` and ``time`` at risk."""

    part: np.ndarray
    events: np.ndarray
    time: np.ndarray


def arm(fitted: Fitted, treated: bool) -> Arm:
    """An arm counted over the first year and followed from its end; all arms of a setting have the same counts."""
    s, who = fitted.setting, people(fitted.setting, treated)
    most = s.lesions * people(s, False).severity.max()
    n = np.arange(math.ceil(most * (1 + 5 * math.sqrt(s.fleeting)) + 20))
    rate = (s.lesions * who.severity * who.left)[:, None]
    k = 1 / s.fleeting
    seen = nbinom.pmf(n, k, k / (k + rate)) * who.weight[:, None]
    t = np.linspace(0, s.horizon, STEPS)
    free = np.einsum("pn,pnt->nt", seen, fitted.course.counted(who, n, t))
    return Arm(free[:, 0], free[:, 0] - free[:, -1], np.trapezoid(free, t, axis=-1))


def more_active(part: np.ndarray) -> np.ndarray:
    """Of each count, how much is in the more active half of an arm: all above the median, none below."""
    above = part.sum() - np.cumsum(part)
    return np.clip((part.sum() / 2 - above) / np.maximum(part, 1e-300), 0, 1)


def with_relapse(setting: Setting, counts: int) -> np.ndarray:
    """Of each count of lesions, the share with a relapse in that year: some lesions bring one, and others come besides,
    in such parts that the drug lowers relapses by ``relapse_cut`` as it lowers lesions by ``cut``."""
    following = setting.relapse_cut / setting.cut
    brings = following * setting.relapses / setting.lesions
    return 1 - (1 - brings) ** np.arange(counts) * math.exp(-(1 - following) * setting.relapses)


def ratio(found: Arm, exposed: np.ndarray) -> float:
    """Events per year in the exposed over the others; ``exposed``: their share of each count."""
    rates = [(found.events @ share) / (found.time @ share) for share in (exposed, 1 - exposed)]
    return float(rates[0] / rates[1])


def explained(treated: Arm, untreated: Arm) -> float:
    """The share of the drug's effect that goes when it is stratified by lesions counted (Freedman's proportion): one less
    the log of the Mantel–Haenszel rate ratio over that of the crude one."""
    time = treated.time + untreated.time
    within = (treated.events * untreated.time / time).sum() / (untreated.events * treated.time / time).sum()
    crude = treated.events.sum() / treated.time.sum() / (untreated.events.sum() / untreated.time.sum())
    return 1 - math.log(within) / math.log(crude)


def lesions_stopped(fitted: Fitted) -> float:
    """The odds ratio of worsening in a trial of a drug that stops all lesions in everyone and does nothing else."""
    untreated = people(fitted.setting, False)
    left = (
        1.0 if fitted.structure.harm == "nothing" else 1e-9
    )  # a process that does not pass through lesions is left alone
    spared = untreated._replace(left=np.full(SEVERITIES, left))
    return _odds_ratio(fitted.setting, fitted.course, spared, untreated)
