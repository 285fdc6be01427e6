"""Solves per second of the inflammation and dose models: many at once by their slow equations, against solve_ivp.

LSODA with its default tolerances is the rival that finishes; RK45, the default method, is stopped after a while and its
way in that time is told. Errors are against the full stiff solution at tight tolerances.
"""

import time
import warnings
from collections.abc import Callable

import numpy as np
from scipy.integrate import solve_ivp

from chapters.models.mpn_interferon import dosing, inflammation
from chapters.models.mpn_interferon.inflammation import YEAR

MANY, FEW, PATIENCE = 2000, 12, 3.0  # solves together, solves one by one, seconds given to RK45


def seconds(run: Callable, times: int = 3) -> float:
    """The least time of a few runs."""
    best = np.inf
    for _ in range(times):
        begin = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - begin)
    return best


def rk45_share(rhs: Callable, end: float, start: tuple) -> float:
    """How far the default method comes within the patience, as a share of the way."""
    begin, reached = time.perf_counter(), 0.0

    def watched(t, z):
        nonlocal reached
        reached = max(reached, t)
        if time.perf_counter() - begin > PATIENCE:
            raise TimeoutError
        return rhs(t, z)

    try:
        solve_ivp(watched, (0, end), start)
    except TimeoutError:
        return reached / end
    return 1.0


def report(name: str, one: float, many: float, way: float, error: float, rival_error: float) -> None:
    fast, slow = MANY / many, 1 / one
    print(f"{name}: {fast:,.0f} solves/s at once, {slow:,.0f} by solve_ivp LSODA: {fast / slow:,.0f} times")
    print(f"  largest error of the mutated share: {error:.1e} (LSODA at its defaults {rival_error:.1e})")
    print(f"  RK45 came {way:.1e} of the way in {PATIENCE:.0f} s")


def bench_inflammation() -> None:
    years, p = np.array([0.0, 10, 20, 30, 40]), inflammation.PUBLISHED
    b = inflammation.healthy()
    start = (b.stem, b.mature, 0.0, 0.0, b.dead, b.level)
    ry = np.linspace(1.2e-3, 1.5e-3, MANY)

    def rhs(t, z):
        return inflammation.rates(z, p, p.I)

    def rival():
        return solve_ivp(rhs, (0, 40 * YEAR), start, method="LSODA", t_eval=years * YEAR)

    truth = inflammation.solve(years, p, start, method="Radau", rtol=1e-10)
    mine = inflammation.solve_reduced(years)
    other = rival().y
    many = seconds(lambda: inflammation.solve_reduced(years, inflammation.Cancitis(ry=ry), x0=b.stem))
    one, way = seconds(lambda: [rival() for _ in range(FEW)]) / FEW, rk45_share(rhs, 40 * YEAR, start)
    error, rival_error = (np.abs(b - truth.burden).max() for b in (mine.burden, other[3] / (other[1] + other[3])))
    report("inflammation, 40 years", one, many, way, error, rival_error)


def bench_dosing() -> None:
    years, dose = np.array([0.0, 1, 2, 5]), dosing.USUAL_DOSE
    start = dosing.state_at(dosing.untreated(), 0.5)
    rho = np.linspace(0.02, 0.6, MANY)
    factors = (float(dosing.renewal_left(dose, 0.2)), 1 + 0.2 * dose)

    def rhs(t, z):
        return dosing.rates(z, dosing.PUBLISHED, *factors)

    def rival():
        return solve_ivp(rhs, (0, 5 * YEAR), start, method="LSODA", t_eval=years * YEAR)

    drug = {"rho": 0.2, "delta": 0.2, "doses": [(0, dose)]}
    truth = dosing.solve(years, start=start, method="Radau", rtol=1e-10, **drug)
    mine = dosing.solve_reduced(years, start=start, **drug)
    other = rival().y
    many = seconds(lambda: dosing.solve_reduced(years, start=start, rho=rho, delta=0.2, doses=[(0, dose)]))
    one, way = seconds(lambda: [rival() for _ in range(FEW)]) / FEW, rk45_share(rhs, 5 * YEAR, tuple(start))
    error, rival_error = (np.abs(b - truth.burden).max() for b in (mine.burden, other[5] / (other[2] + other[5])))
    report("dose, 5 years", one, many, way, error, rival_error)


if __name__ == "__main__":
    warnings.simplefilter("ignore", RuntimeWarning)  # RK45 overflows on its way
    bench_inflammation()
    bench_dosing()
