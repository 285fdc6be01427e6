"""Grids of simulations: each named sweep is a set of points, each point one seeded simulation.

A point's random numbers depend on the sweep's seed and the point's place in the grid alone, so that one process, many
(joblib) and a cluster (Dask) give the same table. A chapter runs small grids in line, ``sweep(name)``; by hand
``python -m lib sweep NAME --jobs 2``, or ``--scheduler tcp://HOST:8786`` where the workers can import ``lib``.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.models.cohorts import chosen_cutoff, predictor_in_composite, treatment_sorts
from lib.models.trials import without_effect


@dataclass(frozen=True)
class Grid:
    """A simulation of one point, and the values each of its parameters takes."""

    point: Callable[..., dict]
    axes: dict[str, tuple[float | str, ...]]
    seed: int

    def points(self) -> list[dict]:
        """Every combination, the last axis moving fastest."""
        return [dict(zip(self.axes, values)) for values in itertools.product(*self.axes.values())]


SWEEPS = {
    "composite": Grid(
        predictor_in_composite,
        {"patients": (500, 1000, 2000), "worsening": (0.05,), "switch": (0.01,), "worsening_ratio": (1.0, 1.5),
         "switch_ratio": (1.0, 2.0, 4.0, 8.0, 16.0), "marked": (0.05, 0.2)},
        seed=1,
    ),
    "cutoff": Grid(
        chosen_cutoff,
        {"patients": (1000,), "hazard": (0.07,), "true_hr": (1.0, 1.25, 1.5), "offered": (1, 3, 5, 8)},
        seed=2,
    ),
    "sorting": Grid(
        treatment_sorts,
        {"lesions": (6.0,), "spread": (0.05, 0.2, 0.5, 1.0), "fleeting": (0.5,),
         "responders": (0.2, 0.4, 0.6, 0.8), "hit": (0.02,)},
        seed=3,
    ),
    "selection": Grid(
        without_effect,
        {"treated": (10, 20, 50), "control": (12,), "rate": (0.5,), "spread": (0.0, 1.5),
         "insight": (0.0, 0.3, 0.6), "waiting": (0.0, 0.2, 0.4), "early": ("control", "excluded"),
         "shortest": (6.0,), "longest": (10.0,)},
        seed=4,
    ),
}  # fmt: skip
"""Every value here is an assumption of ours, chosen to span what is plausible."""


def solve(name: str, index: int) -> dict:
    """One point of a sweep: its parameters and what the simulation gave."""
    grid = SWEEPS[name]
    parameters = grid.points()[index]
    return parameters | grid.point(np.random.default_rng([grid.seed, index]), **parameters)


def sweep(name: str, jobs: int = 1, scheduler: str | None = None, progress: bool = False) -> pd.DataFrame:
    """Every point of the sweep ``name``, in the order of its grid: one row each.

    ``jobs``: processes on this machine · ``scheduler``: address of a Dask scheduler, which then gets the same points
    instead · ``progress``: count them on standard error.

    Raises
    ------
    ValueError
        No sweep of that name, or fewer than one process.
    RuntimeError
        A package that this way of running needs is missing, or the scheduler does not answer.
    """
    if name not in SWEEPS:
        raise ValueError(f"no sweep named {name!r}; there are {', '.join(SWEEPS)}")
    if jobs < 1:
        raise ValueError(f"{jobs} jobs: give 1 or more")
    tasks = [(name, index) for index in range(len(SWEEPS[name].points()))]
    if scheduler:
        results = _on_cluster(tasks, scheduler)
    elif jobs > 1:
        results = _on_machine(tasks, jobs)
    else:
        results = (solve(*task) for task in tasks)
    rows = []
    for row in results:
        rows.append(row)
        if progress:
            end = "" if len(rows) < len(tasks) else "\n"
            print(f"\r{name}: {len(rows)} of {len(tasks)} points", end=end, file=sys.stderr, flush=True)
    return pd.DataFrame(rows)


def _on_machine(tasks, jobs):
    try:
        from joblib import Parallel, delayed
    except ImportError:
        raise RuntimeError("several jobs need the package joblib (in requirements-dev.txt); or use one job") from None
    return Parallel(n_jobs=jobs, return_as="generator")(delayed(solve)(*task) for task in tasks)


def _on_cluster(tasks, scheduler):
    try:
        from distributed import Client
    except ImportError:
        raise RuntimeError("a Dask scheduler needs the optional package distributed: pip install distributed") from None
    try:
        client = Client(scheduler, timeout=10)
    except (OSError, ValueError) as error:
        why = type(error).__name__
        raise RuntimeError(f"no Dask scheduler answers at {scheduler} ({why}); start one: dask scheduler") from None
    with client:
        # Gathered in the order of the grid, whichever worker finishes first.
        for future in client.map(solve, *zip(*tasks), pure=False):
            yield future.result()
