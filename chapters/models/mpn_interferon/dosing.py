"""Interferon by dose: the Danish model of normal and mutated blood cells, its least effective dose, and cohorts of it.

Eight states (cells; days; dose in micrograms a day): stem cells x0, progenitors x1 and mature cells x2 of the normal
clone, y0, y1, y2 of the mutated one, dead cells a, inflammation s. Equations and default values: the public code of the
hierarchical fit (Boklund2025), written anew from the equations; related to Pedersen2021.

    x0' = ax0 (2 qx - 1) x0                                            qx = px0 ux s / (sx0 + s)
    x1' = ax1 (2 px1 - 1) x1 + 2 Ax0 ax0 (1 - qx) x0 - dx1 x1          ux = 1 / (1 + cxx x0 + cxy y0)
    x2' = 2 Ax1 ax1 (1 - px1) x1 - dx2 x2
    y the same with its own values; under dose c    py0 -> py0 2 / (1 + exp(rho c))    dy1 -> dy1 (1 + delta c)
    a'  = dx1 x1 + dy1 y1 + dx2 x2 + dy2 y2 - ea a s       s' = rs a - es s + I

Dead cells and s settle within hours: with these two at their balance six equations remain (:func:`solve_reduced`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import truncnorm

from chapters.models.mpn_interferon.inflammation import (
    YEAR,
    Schedule,
    check_schedule,
    check_years,
    level,
    march,
    run_in_steps,
)


class Blood(NamedTuple):
    """Rates per day; numbers or arrays that broadcast. The defaults are those of the public code."""

    ax0: ArrayLike = 1 / 280
    ay0: ArrayLike = 1.5 / 280
    px0: ArrayLike = 0.89
    py0: ArrayLike = 0.97
    ax1: ArrayLike = 0.011
    ay1: ArrayLike = 0.0165
    px1: ArrayLike = 0.445
    py1: ArrayLike = 0.485
    Ax0: ArrayLike = 34.0
    Ay0: ArrayLike = 34.0
    Ax1: ArrayLike = 3.2e6
    Ay1: ArrayLike = 3.2e6
    dx1: ArrayLike = 3.7e-3
    dy1: ArrayLike = 3.7e-3
    dx2: ArrayLike = 1 / 6.6
    dy2: ArrayLike = 1 / 6.6
    cxx: ArrayLike = 5.6e-6
    cxy: ArrayLike = 5.4e-6
    cyx: ArrayLike = 5.2e-6
    cyy: ArrayLike = 5.0e-6
    es: ArrayLike = 72.0
    rs: ArrayLike = 0.086
    ea: ArrayLike = 1.2e8
    I: ArrayLike = 2.0  # noqa: E741  (the code's name)
    sx0: ArrayLike = 1 / 7
    sy0: ArrayLike = 1 / 14


PUBLISHED = Blood()
PUBLISHED_START = (1e5, 2.5e6, 6.4e11, 1.0, 0.0, 0.0, 810.0, 1.0)
"""The untreated reference course starts here, with one mutated stem cell: x0, x1, x2, y0, y1, y2, a, s."""
RHO, DELTA = (0.04, 0.28), (0.07, 0.31)
"""Location and scale of the effects on stem cells and progenitors, per microgram a day, among the virtual patients of
the public code (normal, cut off below 0)."""
USUAL_DOSE = 45 / 7
"""The initial dose there, micrograms a day: 45 a week."""


class Course(NamedTuple):
    """A course: ``years`` (n,), the eight states, each (n, ...)."""

    years: np.ndarray
    x0: np.ndarray
    x1: np.ndarray
    x2: np.ndarray
    y0: np.ndarray
    y1: np.ndarray
    y2: np.ndarray
    a: np.ndarray
    s: np.ndarray

    @property
    def burden(self) -> np.ndarray:
        """The share of mature cells that are mutated."""
        return self.y2 / (self.x2 + self.y2)

    @property
    def stem_burden(self) -> np.ndarray:
        """The share of stem cells that are mutated."""
        return self.y0 / (self.x0 + self.y0)

    def state(self, index: int) -> np.ndarray:
        """The eight states at one of the years."""
        return np.array([f[index] for f in self[1:]])


def renewal_left(dose: ArrayLike, rho: ArrayLike) -> np.ndarray:
    """The factor by which interferon lowers the renewal of mutated stem cells: 1 without, towards 0 with much.

    ValueError if a dose or an effect is negative.
    """
    dose, rho = np.asarray(dose, float), np.asarray(rho, float)
    if (dose < 0).any() or (rho < 0).any():
        raise ValueError("doses and effects must not be negative")
    return 2 / (1 + np.exp(np.minimum(rho * dose, 700.0)))


def least_dose(drive: ArrayLike, rho: ArrayLike) -> np.ndarray:
    """The dose at which renewal just equals loss, where without the drug it is ``drive`` = 2 py0 uy s / (sy0 + s).

    drive 2 / (1 + exp(rho c)) = 1 gives c = ln(2 drive - 1) / rho; 0 where the clone does not grow without the drug,
    infinite where the drug has no effect.
    """
    drive, rho = np.broadcast_arrays(np.asarray(drive, float), np.asarray(rho, float))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(drive <= 1, 0.0, np.log(np.maximum(2 * drive - 1, 1.0)) / rho)


def drive(x0: ArrayLike, y0: ArrayLike, s: ArrayLike, p: Blood = PUBLISHED) -> np.ndarray:
    """2 py0 uy s / (sy0 + s): above 1 the untreated mutated stem cells increase."""
    return 2 * p.py0 / (1 + np.multiply(p.cyx, x0) + np.multiply(p.cyy, y0)) * s / (np.add(p.sy0, s))


class Balance(NamedTuple):
    """The steady state of the normal clone alone; stem cells 0 if it dies out."""

    x0: float
    x1: float
    x2: float
    a: float
    s: float


def healthy(p: Blood = PUBLISHED) -> Balance:
    """Where renewal of normal stem cells equals loss: 2 px0 ux s / (sx0 + s) = 1, all else following from x0.

    Numbers only. RuntimeError never: if they cannot renew even with an empty niche, the balance is without cells.
    """
    progenitors = 2 * p.Ax0 * p.ax0 / 2 / (p.dx1 - p.ax1 * (2 * p.px1 - 1))
    mature = 2 * p.Ax1 * p.ax1 * (1 - p.px1) / p.dx2 * progenitors
    debris = p.dx1 * progenitors + p.dx2 * mature

    def at(stem):
        return float(level(debris * stem, p.I, p.rs, p.es, p.ea))

    def net(stem):
        return 2 * p.px0 / (1 + p.cxx * stem) * at(stem) / (p.sx0 + at(stem)) - 1

    grid = np.append(0.0, np.geomspace(1.0, 1e9, 200))
    signs = np.array([net(x) > 0 for x in grid])
    if not signs.any():
        return Balance(0.0, 0.0, 0.0, 0.0, at(0.0))
    last = int(np.flatnonzero(signs)[-1])
    x0 = brentq(net, grid[last], grid[last + 1], xtol=1e-9, rtol=1e-13)
    return Balance(x0, progenitors * x0, mature * x0, debris * x0 / (p.ea * at(x0)), at(x0))


def clearing_dose(rho: ArrayLike, p: Blood = PUBLISHED) -> np.ndarray:
    """The least dose at which the last mutated stem cells among normal cells in balance still decrease, by formula."""
    b = healthy(p)
    return least_dose(drive(b.x0, 0.0, b.s, p), rho)


def clearing_dose_by_bisection(rho: float, p: Blood = PUBLISHED, years: float = 5.0, tolerance: float = 1e-4) -> float:
    """The same dose by solving: halve the interval of doses until a few mutated cells neither gain nor lose.

    One mutated stem cell is set among normal cells in balance; RuntimeError if no dose up to 1000 stops it.
    """
    b = healthy(p)
    start = (b.x0, b.x1, b.x2, 1.0, 0.0, 0.0, b.a, b.s)

    def grows(dose):
        return solve([0, years], p, start, rho=rho, delta=0.0, doses=[(0, dose)]).y0[-1] > 1.0

    low, high = 0.0, 1.0
    while grows(high):
        low, high = high, 2 * high
        if high > 1000:
            raise RuntimeError("no dose up to 1000 micrograms a day stops the clone")
    while high - low > tolerance:
        middle = (low + high) / 2
        low, high = (middle, high) if grows(middle) else (low, middle)
    return (low + high) / 2


def share_above(least_rho: float, location: float = RHO[0], scale: float = RHO[1]) -> float:
    """The share of virtual patients whose effect on stem cells is at least ``least_rho`` (normal, cut off below 0)."""
    return float(truncnorm(-location / scale, np.inf, location, scale).sf(least_rho))


def median_effect(location: float, scale: float) -> float:
    """The median of a normal distribution cut off below 0: the effect of a middling virtual patient."""
    return float(truncnorm(-location / scale, np.inf, location, scale).median())


def rates(state: ArrayLike, p: Blood, renewal: float = 1.0, death: float = 1.0) -> list[float]:
    """The right-hand side of the full model, per day; the drug as factors on py0 and dy1."""
    x0, x1, x2, y0, y1, y2, a, s = state
    qx = p.px0 / (1 + p.cxx * x0 + p.cxy * y0) * s / (p.sx0 + s)
    qy = p.py0 * renewal / (1 + p.cyx * x0 + p.cyy * y0) * s / (p.sy0 + s)
    dy1 = p.dy1 * death
    return [
        p.ax0 * (2 * qx - 1) * x0,
        p.ax1 * (2 * p.px1 - 1) * x1 + 2 * p.Ax0 * p.ax0 * (1 - qx) * x0 - p.dx1 * x1,
        2 * p.Ax1 * p.ax1 * (1 - p.px1) * x1 - p.dx2 * x2,
        p.ay0 * (2 * qy - 1) * y0,
        p.ay1 * (2 * p.py1 - 1) * y1 + 2 * p.Ay0 * p.ay0 * (1 - qy) * y0 - dy1 * y1,
        2 * p.Ay1 * p.ay1 * (1 - p.py1) * y1 - p.dy2 * y2,
        p.dx1 * x1 + dy1 * y1 + p.dx2 * x2 + p.dy2 * y2 - p.ea * a * s,
        p.rs * a - p.es * s + p.I,
    ]


def solve(
    years: ArrayLike, p: Blood = PUBLISHED, start: Sequence[float] = PUBLISHED_START, rho: float = 0.0,
    delta: float = 0.0, doses: Schedule = ((0, 0.0),), method: str = "BDF", rtol: float = 1e-8, atol: float = 1e-6,
) -> Course:  # fmt: skip
    """The full model at ``years`` from ``start`` (eight states), with doses by steps (micrograms a day)."""
    years = check_years(years)
    drug = [(year, (float(renewal_left(c, rho)), 1 + delta * c)) for year, c in check_schedule(doses)]
    first = np.asarray(start, float)
    states = run_in_steps(lambda t, z, given: rates(z, p, *given), years, first, drug, method, rtol, atol)
    return Course(years, *states.T)


def solve_reduced(
    years: ArrayLike, p: Blood = PUBLISHED, start: ArrayLike = PUBLISHED_START, rho: ArrayLike = 0.0,
    delta: ArrayLike = 0.0, doses: Schedule = ((0, 0.0),), step: float = 15 / YEAR,
) -> Course:  # fmt: skip
    """The six slow equations for many patients at once: parameters, effects, doses are numbers or arrays of one shape.

    ``start`` is (8,) or (8, ...). Runge–Kutta of fourth order; a step longer than about 18 days is unstable, for mature
    cells live six or seven, and is refused.
    """
    years, doses = check_years(years), check_schedule(doses)
    if not 0 < step * YEAR * float(np.max([np.max(p.dx2), np.max(p.dy2)])) <= 2.7:
        life = 1 / float(np.max(p.dx2))
        raise ValueError(f"a step of {step * YEAR:.3g} days is too long for cells that live {life:.3g}: take up to 15")
    start = np.asarray(start, float)
    shape = np.broadcast_shapes(*(np.shape(v) for v in (*p, rho, delta, *(c for _, c in doses))), start.shape[1:])
    now = np.array([np.broadcast_to(z, shape) for z in start[:6]], float)
    drug = [(year, (renewal_left(c, rho), 1 + np.multiply(delta, c))) for year, c in doses]
    gain_x, gain_y = 2 * p.Ax1 * p.ax1 * (1 - p.px1), 2 * p.Ay1 * p.ay1 * (1 - p.py1)
    own_x, own_y = p.ax1 * (2 * p.px1 - 1), p.ay1 * (2 * p.py1 - 1)

    def inflamed(z, death):
        return level(p.dx1 * z[1] + p.dy1 * death * z[4] + p.dx2 * z[2] + p.dy2 * z[5], p.I, p.rs, p.es, p.ea)

    def slow(z, given):
        renewal, death = given
        s = inflamed(z, death)
        qx = p.px0 / (1 + p.cxx * z[0] + p.cxy * z[3]) * s / (p.sx0 + s)
        qy = p.py0 * renewal / (1 + p.cyx * z[0] + p.cyy * z[3]) * s / (p.sy0 + s)
        out = np.empty_like(z)
        out[0] = p.ax0 * (2 * qx - 1) * z[0]
        out[1] = (own_x - p.dx1) * z[1] + 2 * p.Ax0 * p.ax0 * (1 - qx) * z[0]
        out[2] = gain_x * z[1] - p.dx2 * z[2]
        out[3] = p.ay0 * (2 * qy - 1) * z[3]
        out[4] = (own_y - p.dy1 * death) * z[4] + 2 * p.Ay0 * p.ay0 * (1 - qy) * z[3]
        out[5] = gain_y * z[4] - p.dy2 * z[5]
        return out

    kept = march(slow, now, years, drug, step)
    deaths = np.array([np.broadcast_to([d for b, (_, d) in drug if b <= year][-1], shape) for year in years])
    s = inflamed(np.moveaxis(kept, 1, 0), deaths)
    z = np.moveaxis(kept, 1, 0)
    dead = (p.dx1 * z[1] + p.dy1 * deaths * z[4] + p.dx2 * z[2] + p.dy2 * z[5]) / (p.ea * s)
    return Course(years, *z, dead, s)


def untreated(years: float = 90.0, every: float = 0.05, p: Blood = PUBLISHED) -> Course:
    """The reference course from one mutated stem cell, without treatment, solved in full."""
    return solve(np.arange(0, years + every / 2, every), p)


def state_at(course: Course, burden: float) -> np.ndarray:
    """The eight states where the mutated share of an untreated course first reaches ``burden``, linear between years.

    ValueError if it never does.
    """
    above = np.flatnonzero(course.burden >= burden)
    if not 0 < burden < 1 or not len(above):
        raise ValueError(f"the course never reaches a mutated share of {burden:g}")
    j = above[0]
    if j == 0:
        return course.state(0)
    part = (burden - course.burden[j - 1]) / (course.burden[j] - course.burden[j - 1])
    return course.state(j - 1) + part * (course.state(j) - course.state(j - 1))


def years_below(course: Course, values: ArrayLike, bound: float) -> np.ndarray:
    """When ``values`` of a course first fall to ``bound``, linear in their logarithm between years; NaN if never."""
    values = np.log(np.maximum(np.asarray(values, float).reshape(len(course.years), -1), 1e-300))
    target, found = np.log(bound), np.full(values.shape[1], np.nan)
    for i, column in enumerate(values.T):
        below = np.flatnonzero(column <= target)
        if len(below):
            j = below[0]
            if j == 0:
                found[i] = course.years[0]
                continue
            part = (target - column[j - 1]) / (column[j] - column[j - 1])
            found[i] = course.years[j - 1] + part * (course.years[j] - course.years[j - 1])
    return found


def back_at(years: np.ndarray, values: np.ndarray, end: int, level: float) -> float:
    """The year at which ``values``, below ``level`` at the index ``end``, are back there, linear between ``years``."""
    j = end + int(np.argmax(values[end:] >= level))
    return float(np.interp(level, values[j - 1 : j + 1], years[j - 1 : j + 1]))
