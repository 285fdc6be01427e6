"""Inflammation and blood cancer: the published Cancitis model, solved in full, reduced, and by formula.

Six states (cells; days; inflammation in the units of the article): stem cells x0 and mature cells x1 of the normal
clone, y0 and y1 of the mutated one, dead cells a, inflammation s. Equations and default values: Andersen2017, as
curated in BioModels (BIOMD0000000852).

    x0' = (rx px s - dx0 - ax - rm s) x0             px = 1 / (1 + (cxx x0 + cxy y0)^2)
    y0' = (ry py s - dy0 - ay) y0 + rm s x0          py = 1 / (1 + (cyx x0 + cyy y0)^2)
    x1' = ax Ax x0 - dx1 x1                          y1' = ay Ay y0 - dy1 y1
    a'  = dx0 x0 + dx1 x1 + dy0 y0 + dy1 y1 - ea a s
    s'  = rs a - es s + I

Mature cells, dead cells and s settle within days, stem cells move over years: with the fast four at their balance two
equations remain, which can be solved for many parameter sets at once (:func:`solve_reduced`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

YEAR = 365.25
"""Days in a year."""

Schedule = Sequence[tuple[float, float]]
"""Steps of a stimulus: (year from which it holds, value), the first at year 0, years rising."""


class Cancitis(NamedTuple):
    """Rates per day; numbers or arrays that broadcast. The defaults are those of the curated model."""

    rx: ArrayLike = 8.7e-4
    ry: ArrayLike = 1.3e-3
    ax: ArrayLike = 1.1e-5
    ay: ArrayLike = 1.1e-5
    Ax: ArrayLike = 4.7e13
    Ay: ArrayLike = 4.7e13
    dx0: ArrayLike = 2e-3
    dy0: ArrayLike = 2e-3
    dx1: ArrayLike = 129.0
    dy1: ArrayLike = 129.0
    cxx: ArrayLike = 7.5e-5
    cxy: ArrayLike = 7.5e-5
    cyx: ArrayLike = 7.5e-5
    cyy: ArrayLike = 7.5e-5
    es: ArrayLike = 2.0
    rs: ArrayLike = 3e-4
    ea: ArrayLike = 2e9
    rm: ArrayLike = 2e-8
    I: ArrayLike = 7.0  # noqa: E741  (the article's name)


PUBLISHED = Cancitis()
PUBLISHED_START = (1.01e4, 3.84e10, 0.0, 0.0, 699.0, 3.61)
"""The initial state of the curated model: x0, x1, y0, y1, a, s."""


class Cells(NamedTuple):
    """A course: ``years`` (n,), the six states and the mutated share of mature cells, each (n, ...)."""

    years: np.ndarray
    x0: np.ndarray
    x1: np.ndarray
    y0: np.ndarray
    y1: np.ndarray
    a: np.ndarray
    s: np.ndarray

    @property
    def burden(self) -> np.ndarray:
        """The share of mature cells that are mutated (the article's allele burden)."""
        return self.y1 / (self.x1 + self.y1)

    @property
    def count(self) -> np.ndarray:
        """All mature cells."""
        return self.x1 + self.y1


class Balance(NamedTuple):
    """A steady state of one clone alone: stem cells, mature cells, dead cells, inflammation (0 cells if it died)."""

    stem: float
    mature: float
    dead: float
    level: float


def level(debris: ArrayLike, stimulus: ArrayLike, rs: ArrayLike, es: ArrayLike, ea: ArrayLike) -> np.ndarray:
    """Inflammation s at which dead cells and s both stand still, given ``debris`` cells dying per day.

    The positive root of es s^2 - I s - rs D / ea = 0.
    """
    return (stimulus + np.sqrt(np.square(stimulus) + 4 * np.multiply(es, rs) * debris / ea)) / np.multiply(2, es)


def least_level(p: Cancitis = PUBLISHED) -> tuple[float, float]:
    """The inflammation below which the normal, and the mutated, clone dies out however much room it has.

    A stem cell with an empty niche renews at r s and is lost at d + a, so s must exceed (d + a) / r. (The normal clone
    also loses rm s to mutation, so r counts less rm.)
    """
    return (p.dx0 + p.ax) / (p.rx - p.rm), (p.dy0 + p.ay) / p.ry


def healthy(p: Cancitis = PUBLISHED) -> Balance:
    """The steady state without mutated cells: where renewal, crowded and inflamed, equals loss."""
    return _alone(p, p.rx, p.rm, p.dx0 + p.ax, p.cxx, p.ax * p.Ax, p.dx1, p.dx0)


def takeover(p: Cancitis = PUBLISHED) -> Balance:
    """The steady state that is left when the mutated clone has crowded the normal one out."""
    return _alone(p, p.ry, 0.0, p.dy0 + p.ay, p.cyy, p.ay * p.Ay, p.dy1, p.dy0)


def _alone(p, renewal, mutation, loss, crowding, made, mature_death, stem_death) -> Balance:
    """The largest stem cell number that stands still. Above it crowding wins: s grows slower than its square root."""

    def at(stem):
        return float(level((stem_death + made) * stem, p.I, p.rs, p.es, p.ea))

    def net(stem):
        return (renewal / (1 + (crowding * stem) ** 2) - mutation) * at(stem) - loss

    grid = np.append(0.0, np.geomspace(1.0, 1e9, 400))
    signs = np.array([net(x) > 0 for x in grid])
    if not signs.any():
        return Balance(0.0, 0.0, 0.0, at(0.0))
    last = int(np.flatnonzero(signs)[-1])
    stem = brentq(net, grid[last], grid[last + 1], xtol=1e-9, rtol=1e-13)
    s = at(stem)
    return Balance(stem, made * stem / mature_death, (stem_death + made) * stem / (p.ea * s), s)


def invasion_rate(p: Cancitis = PUBLISHED) -> float:
    """Growth per year of a small mutated clone among normal cells in balance.

    In balance the normal clone's renewal equals its loss, whatever the stimulus: with equal niches and no mutation
    px s = (dx0 + ax) / rx, so that the clone grows at (ry / rx)(dx0 + ax) - (dy0 + ay). Inflammation has dropped out.
    Mutation adds its share of s, computed here and not left out.
    """
    b = healthy(p)
    if b.stem == 0:
        room = b.level
    else:
        room = b.level / (1 + (p.cyx * b.stem) ** 2)
    return float((p.ry * room - p.dy0 - p.ay) * YEAR)


def slopes(p: Cancitis = PUBLISHED) -> tuple[float, float]:
    """The steepest and the flattest rise per year of ln(y0 / x0), with equal niches and no further mutation.

    While the normal cells do not increase px s <= (dx0 + ax) / rx, while the mutated ones do not decrease py s >=
    (dy0 + ay) / ry; the rise is ry py s - rx px s - (dy0 + ay) + (dx0 + ax), so it lies between the two values.
    """
    lost_x, lost_y = p.dx0 + p.ax, p.dy0 + p.ay
    return float((p.ry / p.rx * lost_x - lost_y) * YEAR), float((lost_x - p.rx / p.ry * lost_y) * YEAR)


def rates(state: ArrayLike, p: Cancitis, stimulus: float) -> list[float]:
    """The right-hand side of the full model, per day."""
    x0, x1, y0, y1, a, s = state
    px, py = 1 / (1 + (p.cxx * x0 + p.cxy * y0) ** 2), 1 / (1 + (p.cyx * x0 + p.cyy * y0) ** 2)
    return [
        (p.rx * px * s - p.dx0 - p.ax - p.rm * s) * x0,
        p.ax * p.Ax * x0 - p.dx1 * x1,
        (p.ry * py * s - p.dy0 - p.ay) * y0 + p.rm * s * x0,
        p.ay * p.Ay * y0 - p.dy1 * y1,
        p.dx0 * x0 + p.dx1 * x1 + p.dy0 * y0 + p.dy1 * y1 - p.ea * a * s,
        p.rs * a - p.es * s + stimulus,
    ]


def check_years(years: ArrayLike) -> np.ndarray:
    """Years as floats from 0 on, rising. ValueError otherwise."""
    years = np.asarray(years, float)
    if years.ndim != 1 or len(years) < 2 or years[0] != 0 or not (np.diff(years) > 0).all():
        raise ValueError("years must be a list that starts at 0 and rises")
    return years


def check_schedule(schedule: Schedule) -> list[tuple[float, float]]:
    """A schedule that starts at year 0 and rises. ValueError otherwise."""
    steps = [(float(year), value) for year, value in schedule]
    if not steps or steps[0][0] != 0 or any(b[0] <= a[0] for a, b in zip(steps, steps[1:])):
        raise ValueError("a schedule is a list of (year, value) that starts at year 0, with rising years")
    return steps


def solve(
    years: ArrayLike, p: Cancitis = PUBLISHED, start: Sequence[float] = PUBLISHED_START,
    schedule: Schedule | None = None, method: str = "BDF", rtol: float = 1e-8, atol: float = 1e-8,
) -> Cells:  # fmt: skip
    """The full model at ``years`` from ``start`` (six states), with the stimulus by steps (by default p.I throughout).

    Every step of the schedule is its own integration, so that the solver never steps over a jump. (LSODA starts each
    as if it were not stiff, and after a jump that can take for ever.)
    """
    years = check_years(years)
    steps = check_schedule(schedule or [(0, p.I)])
    first = np.asarray(start, float)
    states = run_in_steps(lambda t, z, value: rates(z, p, value), years, first, steps, method, rtol, atol)
    return Cells(years, *states.T)


def run_in_steps(
    rhs: Callable, years: np.ndarray, start: np.ndarray, steps: list[tuple[float, float]], method: str, rtol: float,
    atol: float,
) -> np.ndarray:  # fmt: skip
    """States (n, d) at ``years`` of rhs(t, state, value), value changing by steps; RuntimeError if a solver stops."""
    out = np.empty((len(years), len(start)))
    out[0], now = start, start
    ends = [year for year, _ in steps[1:]] + [max(years[-1], steps[-1][0])]
    for (begin, value), end in zip(steps, ends):
        end = min(end, years[-1])
        if begin >= end:
            break
        inside = (years > begin) & (years <= end)
        at = np.unique(np.append(years[inside], end))
        span = (begin * YEAR, end * YEAR)
        run = solve_ivp(rhs, span, now, method=method, t_eval=at * YEAR, args=(value,), rtol=rtol, atol=atol)
        if not run.success:
            raise RuntimeError(f"the solver stopped at year {run.t[-1] / YEAR:.3g}: {run.message}")
        out[inside] = run.y.T[np.isin(at, years[inside])]
        now = run.y[:, -1]
    return out


def solve_reduced(
    years: ArrayLike, p: Cancitis = PUBLISHED, x0: ArrayLike | None = None, y0: ArrayLike = 0.0,
    schedule: Schedule | None = None, step: float = 0.25,
) -> Cells:  # fmt: skip
    """The two slow equations for many parameter sets at once: fields of ``p`` are numbers or arrays of one shape.

    Classical Runge–Kutta of fourth order, in steps of at most ``step`` years that end on every asked year and every
    change of the stimulus; the stimulus values may be arrays as well. ``x0`` is by default the healthy balance of the
    first parameter set's kind (numbers only). Mature cells, dead cells and inflammation follow from the stem cells.
    """
    years = check_years(years)
    steps = check_schedule(schedule or [(0, p.I)])
    if x0 is None:
        x0 = healthy(p).stem
    shape = np.broadcast_shapes(*(np.shape(v) for v in (*p, x0, y0, *(v for _, v in steps))))
    now = np.array([np.broadcast_to(x0, shape), np.broadcast_to(y0, shape)], float)
    dead_x, dead_y = np.multiply(p.ax, p.Ax) + p.dx0, np.multiply(p.ay, p.Ay) + p.dy0
    lost_x, lost_y = np.add(p.dx0, p.ax), np.add(p.dy0, p.ay)

    def slow(state, stimulus):
        x, y = state
        s = level(dead_x * x + dead_y * y, stimulus, p.rs, p.es, p.ea)
        new = p.rm * s
        px, py = 1 / (1 + (p.cxx * x + p.cxy * y) ** 2), 1 / (1 + (p.cyx * x + p.cyy * y) ** 2)
        return np.array([((p.rx * px - p.rm) * s - lost_x) * x, (p.ry * py * s - lost_y) * y + new * x])

    kept = march(slow, now, years, steps, step)
    x, y = kept[:, 0], kept[:, 1]
    stimulus = np.array([np.broadcast_to(value_at(steps, year), shape) for year in years])
    s = level(dead_x * x + dead_y * y, stimulus, p.rs, p.es, p.ea)
    x1, y1 = np.multiply(p.ax, p.Ax) * x / p.dx1, np.multiply(p.ay, p.Ay) * y / p.dy1
    return Cells(years, x, x1, y, y1, (dead_x * x + dead_y * y) / (p.ea * s), s)


def value_at(steps: list[tuple[float, float]], year: float):
    """The value of a schedule at ``year``; at a change, the new one."""
    return [value for begin, value in steps if begin <= year][-1]


def march(
    rhs: Callable, start: np.ndarray, years: np.ndarray, steps: list[tuple[float, float]], step: float
) -> np.ndarray:
    """States (n, ...) at ``years`` of rhs(state, value), per day, by RK4 in equal steps of at most ``step`` years."""
    if not step > 0:
        raise ValueError(f"the step is {step:g}: it must be above 0 years")
    stops = np.unique(np.concatenate([years, [year for year, _ in steps if year < years[-1]]]))
    out = np.empty((len(years), *start.shape))
    out[0], now, at = start, start, 1
    for begin, end in zip(stops, stops[1:]):
        value, n = value_at(steps, begin), int(np.ceil((end - begin) / step - 1e-9))
        h = (end - begin) / n * YEAR
        for _ in range(n):
            k1 = rhs(now, value)
            k2 = rhs(now + h / 2 * k1, value)
            k3 = rhs(now + h / 2 * k2, value)
            k4 = rhs(now + h * k3, value)
            now = now + h / 6 * (k1 + 2 * (k2 + k3) + k4)
        if end == years[at]:
            out[at] = now
            at += 1
    return out


def years_to(course: Cells, burden: float) -> np.ndarray:
    """When the mutated share first reaches ``burden``, linear in its logit between the years; NaN if it does not."""
    if not 0 < burden < 1:
        raise ValueError(f"a burden of {burden:g} is no share between 0 and 1")
    share = np.clip(course.burden, 1e-300, 1 - 1e-16)
    logit = np.log(share / (1 - share)).reshape(len(course.years), -1)
    target = np.log(burden / (1 - burden))
    found = np.full(logit.shape[1], np.nan)
    for i, column in enumerate(logit.T):
        above = np.flatnonzero(column >= target)
        if len(above) and above[0] == 0:
            found[i] = course.years[0]
        elif len(above):
            j = above[0]
            part = (target - column[j - 1]) / (column[j] - column[j - 1])
            found[i] = course.years[j - 1] + part * (course.years[j] - course.years[j - 1])
    return found.reshape(course.burden.shape[1:])
