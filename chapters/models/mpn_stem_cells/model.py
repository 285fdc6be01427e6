"""A minimal model of blood stem cells under interferon, and cohorts drawn from it.

This is the book's own minimal model. Its compartments follow the literature on JAK2-mutated stem cells under
interferon; its rates and its statistical part are assumptions of ours, and it is nobody's published fit.

For each genotype, with N1 quiescent and N2 active stem cells, Ni progenitors and Nm mature cells (time in years):

    N1' = -g* N1 + b N2
    N2' =  g* N1 - (b + l) N2                   l = -a D      (D: balance of the divisions, -1 to 1)
    Ni' =  a (1 - p D) N2 - (1 + r) di Ni
    Nm' =  di Ni - dm Nm

Without the drug g* = g, D = 0 and r = 0. The drug multiplies the exit rate (g* = fold g) and shifts the balance to D; a
share p of the stem cells lost that way become progenitors and the rest die. It may kill stem cells, or remove
progenitors, r times as fast as they mature. Amplification between compartments is left out:
it is the same for all genotypes here and cancels in every share.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Rates(NamedTuple):
    """Rates without the drug, per year: exit from and return to quiescence, division of active stem cells, and the
    turnover of progenitors and of mature cells."""

    exit: float
    rest: float
    divide: float
    progenitor: float
    mature: float


ASSUMED = Rates(exit=0.5, rest=1.0, divide=4.0, progenitor=26.0, mature=50.0)
"""Assumptions of ours, not published values: two thirds of the stem cells quiescent, an active one divides every three
months, progenitors turn over in two weeks and mature cells in one."""


class Course(NamedTuple):
    """Cells on treatment, each relative to its own number of active stem cells, progenitors or mature cells at the
    start (quiescent ones relative to the active ones); arrays of the broadcast shape of times and effects."""

    quiescent: np.ndarray
    active: np.ndarray
    progenitors: np.ndarray
    mature: np.ndarray


def eigenvalues(exit: ArrayLike, loss: ArrayLike, rest: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The slow and the fast rate of the stem-cell pair, per year; the slow one always comes first.

    Roots of x^2 + (exit + rest + loss) x + exit loss = 0. They are real, and the slow one is found from their product,
    so that it is exactly 0 when nothing is lost.
    """
    exit, loss, rest = np.asarray(exit, float), np.asarray(loss, float), np.asarray(rest, float)
    total = exit + rest + loss
    root = np.sqrt((exit - rest - loss) ** 2 + 4 * exit * rest)
    return -2 * exit * loss / (total + root), -(total + root) / 2


def course(
    t: ArrayLike,
    fold: ArrayLike,
    balance: ArrayLike,
    progeny: ArrayLike = 1.0,
    death: ArrayLike = 0.0,
    rates: Rates = ASSUMED,
    removal: ArrayLike = 0.0,
) -> Course:
    """The closed form from the untreated equilibrium, with the drug given from time 0.

    Parameters
    ----------
    t : years on treatment, not negative.
    fold : exit rate on the drug over that without it, positive.
    balance : D, between -1 and 1; negative exhausts.
    progeny : p, share of the cells lost through D that become progenitors, 0 to 1.
    death : rate at which the drug kills stem cells, quiescent and active alike, per year.
    rates : the rates without the drug; progenitors, on the drug too, and mature cells must differ in theirs.
    removal : r, how many times as fast as they mature the drug removes progenitors, not negative.

    Raises
    ------
    ValueError
        An argument out of its range.
    """
    t, fold, balance, progeny, death, removal = (
        np.asarray(v, float) for v in (t, fold, balance, progeny, death, removal)
    )
    _refuse(np.any(t < 0), "times on treatment start at 0; leave earlier ones out")
    _refuse(np.any(fold <= 0), "the exit rate is multiplied by a positive fold (1 for no effect)")
    _refuse(np.any(np.abs(balance) > 1), "the balance of divisions lies between -1 and 1")
    _refuse(np.any((progeny < 0) | (progeny > 1)), "the share that becomes progenitors lies between 0 and 1")
    _refuse(np.any(death < 0) or np.any(removal < 0), "a rate of death or removal is not negative")
    _refuse(min(rates) <= 0, "every rate is positive")
    gone, di, dm = (1 + removal) * rates.progenitor, rates.progenitor, rates.mature
    _refuse(np.any(gone == dm), "give progenitors and mature cells different turnover rates")
    exit, loss = rates.exit * fold, -rates.divide * balance
    slow, fast = eigenvalues(exit, loss, rates.rest)
    start = rates.rest / rates.exit
    slope = exit * start - rates.rest - loss
    weights = (slope - fast) / (slow - fast), (slow - slope) / (slow - fast)
    output = 1 - progeny * balance
    shifted = slow - death, fast - death
    active = sum(w * np.exp(x * t) for w, x in zip(weights, shifted))
    # The pair without death obeys n2' = exit n1 - (rest + loss) n2; death multiplies both by the same factor.
    motion = sum(w * (x + rates.rest + loss) * np.exp((x - death) * t) for w, x in zip(weights, (slow, fast)))
    pair = _pair(-gone, -dm, t)
    progenitors = np.exp(-gone * t) + output * di * sum(w * _pair(x, -gone, t) for w, x in zip(weights, shifted))
    mature = (
        np.exp(-dm * t)
        + dm * pair
        + output * di * dm * sum(w * _triple(x, -gone, -dm, t) for w, x in zip(weights, shifted))
    )
    shape = np.broadcast_shapes(*(v.shape for v in (t, fold, balance, progeny, death, removal)))
    return Course(*(np.broadcast_to(v, shape).copy() for v in (motion / exit, active, progenitors, mature)))


def _pair(x, y, t):
    """Divided difference of exp(. t) at two nodes: the convolution of their exponentials."""
    gap = np.abs(x - y) * t
    small = gap < 1e-8
    return t * np.exp(np.maximum(x, y) * t) * np.where(small, 1 - gap / 2, -np.expm1(-gap) / np.where(small, 1, gap))


def _triple(x, y, z, t):
    """Divided difference at three nodes, y and z apart; where x meets y both move to their middle (error of second
    order).
    """
    near = np.abs(x - y) < 1e-5
    middle = np.where(near, (x + y) / 2, y)
    apart = (_pair(x, z, t) - _pair(y, z, t)) / np.where(near, 1, x - y)
    return np.where(near, (t * np.exp(middle * t) - _pair(middle, z, t)) / (middle - z), apart)


def depletion_rate(fold: ArrayLike, balance: ArrayLike, death: ArrayLike = 0.0, rates: Rates = ASSUMED) -> np.ndarray:
    """The rate at which the clone is lost in the long run, per year (negative if it grows)."""
    slow, _ = eigenvalues(rates.exit * np.asarray(fold, float), -rates.divide * np.asarray(balance, float), rates.rest)
    return np.asarray(death, float) - slow


def allele_frequency(het: ArrayLike, hom: ArrayLike) -> np.ndarray:
    """Variant allele frequency of cells of which shares ``het`` and ``hom`` carry one and two mutated alleles."""
    return np.asarray(het, float) / 2 + np.asarray(hom, float)


# Cohorts -----------------------------------------------------------------------------------------------------------


class Population(NamedTuple):
    """What is common to all patients; pairs are (heterozygous, homozygous).

    ``exit`` log fold of the exit rate · ``balance`` atanh of D at the middle dose · ``dose`` its change from the lower
    to the higher dose · ``progeny`` share p · ``exit_sd``, ``balance_sd`` between patients · ``ratio`` mean and
    ``ratio_sd`` spread of the log of mutated over wild-type cells at the start · ``colonies`` concentration of the
    Dirichlet-multinomial · ``blood_sd`` of a blood measurement on the angular scale · ``death`` of all stem cells, per
    year (0 in the fitted model).
    """

    exit: tuple[float, float]
    balance: tuple[float, float]
    dose: tuple[float, float]
    progeny: float
    exit_sd: float
    balance_sd: float
    ratio: tuple[float, float]
    ratio_sd: float
    colonies: float
    blood_sd: float
    death: tuple[float, float] = (0.0, 0.0)


class Design(NamedTuple):
    """Who is measured when. ``t`` (patients, visits) years · ``seen`` which of them took place · ``n`` colonies typed ·
    ``dose`` -1/2 or 1/2 by patient · ``hom`` whether the patient has a homozygous clone."""

    t: np.ndarray
    seen: np.ndarray
    n: np.ndarray
    dose: np.ndarray
    hom: np.ndarray


class Cohort(NamedTuple):
    """A design and what was measured: ``counts`` (patients, visits, 3) of wild-type, heterozygous and homozygous
    colonies; ``blood`` (patients, visits) arcsin of the root of the allele frequency, where its noise is even."""

    design: Design
    counts: np.ndarray
    blood: np.ndarray


class Individuals(NamedTuple):
    """What is each patient's own, arrays (patients, 2): log fold of exit, atanh of D, log ratio at the start."""

    exit: np.ndarray
    balance: np.ndarray
    ratio: np.ndarray


def design(
    patients: int, colonies: int, blood: int, years: float, hom_share: float, rng: np.random.Generator
) -> Design:
    """A design that spends its measurements as evenly as they go.

    That is kind to most values but not to the share of progeny, which an earlier second visit would tell better.
    Everyone is measured at the start and followed to the end; visits in between are evenly spaced, moved by up to a
    month. The first ``hom_share`` of the patients have a homozygous clone; every other patient gets the higher dose.
    """
    _refuse(not patients <= blood <= colonies, "a design needs a visit for each patient and a colony for each visit")
    visits = _spread(blood, patients)
    _refuse(visits.min() < 2, "a design needs two visits for each patient")
    seen = np.arange(visits.max()) < visits[:, None]
    t = years * np.arange(visits.max()) / (visits[:, None] - 1)
    t = np.where((t > 0) & (t < years), t + rng.uniform(-1 / 12, 1 / 12, t.shape), t)
    n = np.zeros(seen.shape, int)
    n[seen] = _spread(colonies, blood)
    dose = np.where(np.arange(patients) % 2, 0.5, -0.5)
    return Design(np.where(seen, t, 0.0), seen, n, dose, np.arange(patients) < round(hom_share * patients))


def draw_individuals(population: Population, dose: np.ndarray, rng: np.random.Generator) -> Individuals:
    """One draw of every patient's own values. A patient departs from the population alike in both genotypes."""
    size = (len(dose), 1)
    exit = np.asarray(population.exit) + population.exit_sd * rng.standard_normal(size)
    centre = np.asarray(population.balance) + np.asarray(population.dose) * dose[:, None]
    balance = centre + population.balance_sd * rng.standard_normal(size)
    ratio = np.asarray(population.ratio) + population.ratio_sd * rng.standard_normal((len(dose), 2))
    return Individuals(exit, balance, ratio)


def shares(
    t: np.ndarray, hom: np.ndarray, people: Individuals, progeny: float, death: ArrayLike = 0.0, rates: Rates = ASSUMED
) -> tuple[np.ndarray, np.ndarray]:
    """Shares of wild type, heterozygous and homozygous among progenitors and among mature cells: two (patients, visits,
    3).

    Wild-type cells are taken as untouched by the drug: only what happens relative to them shows in shares.
    """
    curve = course(t[:, :, None], np.exp(people.exit)[:, None], np.tanh(people.balance)[:, None], progeny, death, rates)
    size = np.exp(people.ratio)[:, None] * np.stack([np.ones_like(hom), hom], -1)[:, None]
    out = []
    for cells in (curve.progenitors, curve.mature):
        mass = np.concatenate([np.ones_like(t)[:, :, None], size * cells], -1)
        out.append(mass / mass.sum(-1, keepdims=True))
    return out[0], out[1]


def measure(
    plan: Design,
    progenitors: np.ndarray,
    mature: np.ndarray,
    colonies: float,
    blood_sd: float,
    rng: np.random.Generator,
) -> Cohort:
    """What a design would measure of these shares: overdispersed colony counts and noisy blood."""
    weights = rng.standard_gamma(colonies * progenitors)
    counts = rng.multinomial(plan.n, weights / weights.sum(-1, keepdims=True))
    frequency = allele_frequency(mature[..., 1], mature[..., 2])
    angle = np.arcsin(np.sqrt(np.clip(frequency, 0, 1))) + blood_sd * rng.standard_normal(plan.t.shape)
    return Cohort(plan, counts, np.where(plan.seen, angle, 0.0))


def draw_cohort(
    population: Population, plan: Design, rng: np.random.Generator, rates: Rates = ASSUMED
) -> tuple[Cohort, Individuals]:
    """A virtual cohort and the truth behind it."""
    people = draw_individuals(population, plan.dose, rng)
    progenitors, mature = shares(plan.t, plan.hom, people, population.progeny, np.asarray(population.death), rates)
    return measure(plan, progenitors, mature, population.colonies, population.blood_sd, rng), people


def _spread(total: int, parts: int) -> np.ndarray:
    """``total`` things over ``parts`` as evenly as whole numbers allow, the larger parts first."""
    return np.arange(parts) * 0 + total // parts + (np.arange(parts) < total % parts)


def _refuse(fault: bool, message: str) -> None:
    if fault:
        raise ValueError(message)
