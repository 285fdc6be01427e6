"""The sampler against PyMC's NUTS on the same model and data, and model solves per second against solve_ivp.

PyMC is not among the book's locks. To measure its half, give the bench an environment of its own:

    uv venv .venv-bench && uv pip install -p .venv-bench -r requirements.txt -r requirements-models.txt pymc
    PYTHONPATH=. .venv-bench/bin/python bench/bench_sampler.py

As many draws are kept as in the headline fit. Ours counts all that comes before them, the search for the mode and the
pilot chains; PyMC's warm-up has the length at which it did best of 150, 300, 500 and 1000. Effective samples: the least
of the 14 population values (bulk, rank-normalised) a second; once with compiling and the search for a start, and once
without compiling, as in the long runs, where hundreds of fits share one compilation. Neither half finds code compiled
by an earlier run: PyMC's store of it begins empty. Both halves must find the same posterior: the means of the 14 values
are compared in units of their Monte Carlo error.
"""

import atexit
import os
import shutil
import tempfile
import time
import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.integrate import solve_ivp

from chapters.models.mpn_stem_cells import draws as samples
from chapters.models.mpn_stem_cells import model as stem_cells
from chapters.models.mpn_stem_cells.model import ASSUMED

MANY, FEW = 5000, 20
RUNS = 3
TUNE = 500
VISITS = np.linspace(0, 5, 9)


def solves() -> None:
    """Courses of nine visits a second: the closed form on many effects at once against solve_ivp one by one."""
    rng = np.random.default_rng(1)
    fold, balance = np.exp(rng.normal(0.7, 0.4, MANY)), np.tanh(rng.normal(-0.3, 0.2, MANY))
    begun = time.perf_counter()
    exact = stem_cells.course(VISITS, fold[:, None], balance[:, None])
    many = MANY / (time.perf_counter() - begun)

    def integrated(f: float, d: float) -> np.ndarray:
        r, exit, loss = ASSUMED, ASSUMED.exit * f, -ASSUMED.divide * d

        def slope(_, n):
            return [
                r.rest * n[1] - exit * n[0], exit * n[0] - (r.rest + loss) * n[1],
                r.divide * (1 - d) * n[1] - r.progenitor * n[2], r.progenitor * n[2] - r.mature * n[3],
            ]  # fmt: skip

        start = [r.rest / r.exit, 1, r.divide / r.progenitor, r.divide / r.mature]
        return solve_ivp(slope, (0, 5), start, method="LSODA", t_eval=VISITS).y[3] / start[3]

    begun = time.perf_counter()
    found = [integrated(fold[i], balance[i]) for i in range(FEW)]
    one = FEW / (time.perf_counter() - begun)
    error = max(abs(found[i] - exact.mature[i]).max() for i in range(FEW))
    print(f"stem cells: {many:,.0f} solves/s in closed form, {one:,.0f} by solve_ivp LSODA: {many / one:,.0f} times")
    print(f"  the error of LSODA at its defaults: {error:.0e}")


class Half(NamedTuple):
    """One sampler's half: effective samples a second with and without compiling, and the summary of its draws."""

    whole: float
    compiled: float
    table: pd.DataFrame


def report(name: str, seconds: float, runs: list[tuple[float, np.ndarray, int]]) -> Half:
    """``seconds`` of the first run with compiling; of each run the seconds without it, draws and divergences."""
    tables = [samples.quality(values) for _, values, _ in runs]
    least = [table["ess bulk"].min() for table in tables]
    rates = sorted(size / alone for size, (alone, _, _) in zip(least, runs))
    length = f"{samples.CHAINS} chains of {samples.KEPT}"
    alone = ", ".join(f"{x:.0f}" for x, _, _ in runs)
    print(f"{name}: {length} in {seconds:.0f} s, compiled {alone} s")
    print(f"  effective samples/s: {least[0] / seconds:.1f}, compiled {', '.join(f'{r:.1f}' for r in rates)}")
    worst, divergent = max(table["rhat"].max() for table in tables), sum(d for _, _, d in runs)
    sizes = ", ".join(f"{x:.0f}" for x in least)
    print(f"  least effective size {sizes}, worst R-hat {worst:.3f}, {divergent} divergences", flush=True)
    return Half(least[0] / seconds, rates[len(rates) // 2], tables[0])


def ours(data: stem_cells.Cohort) -> Half:
    fit = samples.Fitter(samples.CHAINS, samples.KEPT)
    took, runs = [], []
    for seed in (0, *range(RUNS)):  # the first compiles
        begun = time.perf_counter()
        got = fit(data, seed)
        took.append(time.perf_counter() - begun)
        runs.append((took[-1], got.values[..., :14], got.divergent))
    return report("ours (numpyro)", took[0], runs[1:])


def compare(a: Half, b: Half) -> None:
    """The ratio of the rates, and how far apart the means lie."""
    apart = (a.table["mean"] - b.table["mean"]).abs() / np.hypot(a.table["mcse"], b.table["mcse"])
    name = samples.NAMES[int(apart.argmax())]
    print(f"means differ by at most {apart.max():.1f} Monte Carlo errors ({name}), in the median {apart.median():.1f}")
    ratio = f"{a.compiled / b.compiled:.1f} times compiled, {a.whole / b.whole:.1f} times with compiling"
    print(f"ours over PyMC's NUTS: {ratio}")


def pymc_model(data: stem_cells.Cohort):
    """The same densities written in PyMC's own words."""
    import pymc as pm
    import pytensor.tensor as pt

    from chapters.models.mpn_stem_cells.sampler import PRIOR

    plan, r = data.design, ASSUMED
    t, hom = plan.t[:, None, :], plan.hom.astype(float)
    there = np.stack([np.ones_like(hom), np.ones_like(hom), hom], -1)[..., None] > 0
    ei, em = np.exp(-r.progenitor * t), np.exp(-r.mature * t)
    blend = r.mature * (ei - em) / (r.mature - r.progenitor)
    counts = np.moveaxis(data.counts, 2, 1).astype(float)
    with pm.Model() as model:
        pair = {k: pm.Normal(k, *PRIOR[k], shape=2) for k in ("exit", "balance", "dose", "ratio")}
        progeny = pm.Uniform("progeny", 0, 1)
        spread = {k: pm.LogNormal(k, *PRIOR[k]) for k in ("exit_sd", "balance_sd", "ratio_sd", "colonies", "blood_sd")}
        z = pm.Normal("z", 0, 1, shape=(len(hom), 2))
        start = pm.Normal("start", pair["ratio"], spread["ratio_sd"], shape=(len(hom), 2))
        fold = pt.exp(pair["exit"] + spread["exit_sd"] * z[:, :1])
        balance = pt.tanh(pair["balance"] + pair["dose"] * plan.dose[:, None] + spread["balance_sd"] * z[:, 1:])
        exit, loss = r.exit * fold, -r.divide * balance
        total = exit + r.rest + loss
        root = pt.sqrt((exit - r.rest - loss) ** 2 + 4 * exit * r.rest)
        slow, fast = -2 * exit * loss / (total + root), -(total + root) / 2
        slope = exit * r.rest / r.exit - r.rest - loss
        young, old = ei, em + blend
        for weight, rate in (((slope - fast) / root, slow), ((slow - slope) / root, fast)):
            part = ((1 - progeny * balance) * r.progenitor * weight / (rate + r.progenitor))[..., None]
            wave = pt.exp(rate[..., None] * t)
            young = young + part * (wave - ei)
            old = old + part * (r.mature / (rate[..., None] + r.mature) * (wave - em) - blend)
        size = (pt.exp(start) * pt.stack([pt.ones_like(start[:, 0]), pt.as_tensor(hom)], axis=1))[..., None]
        young, old = size * young, size * old
        mass = pt.concatenate([pt.ones_like(young[:, :1]), young], axis=1)
        kappa = spread["colonies"]
        alpha = pt.where(there, kappa * mass / mass.sum(axis=1, keepdims=True), 1.0)
        colonies = (pt.gammaln(counts + alpha) - pt.gammaln(alpha)).sum(axis=1)
        colonies = colonies + pt.gammaln(kappa) - pt.gammaln(kappa + plan.n)
        angle = pt.arcsin(pt.sqrt((old[:, 0] / 2 + old[:, 1]) / (1 + old.sum(axis=1))))
        blood = -(((data.blood - angle) / spread["blood_sd"]) ** 2) / 2 - pt.log(spread["blood_sd"])
        pm.Potential("data", pt.where(plan.seen, colonies + blood, 0.0).sum())
    return model


def pymc_nuts(data: stem_cells.Cohort) -> Half:
    """PyMC's own NUTS from its own start."""
    import pymc as pm

    length = {"draws": samples.KEPT, "tune": TUNE, "chains": samples.CHAINS}
    took, runs = [], []
    with pymc_model(data):
        for seed in range(1, RUNS + 1):
            begun = time.perf_counter()
            trace = pm.sample(**length, cores=2, random_seed=seed, progressbar=False, nuts_sampler="pymc")
            took.append(time.perf_counter() - begun)
            post = trace.posterior
            pairs = [post[k].values for k in ("exit", "balance", "dose", "ratio")]
            single = ("progeny", "exit_sd", "balance_sd", "ratio_sd", "colonies", "blood_sd")
            values = np.concatenate([*pairs, *(post[k].values[..., None] for k in single)], -1)
            divergent = int(trace.sample_stats["diverging"].sum())
            runs.append((post.attrs["sampling_time"], values, divergent))
    return report("PyMC's NUTS", took[0], runs)


def main() -> None:
    solves()
    data = samples.cohort("exit and exhaustion", 0)
    try:
        fast = ours(data)
    except samples.SampleError as missing:
        print(f"sampler: skipped, {missing}")
        return
    empty = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, empty)  # before the import: PyMC still reads its store when it ends
    os.environ["PYTENSOR_FLAGS"] = f"base_compiledir={empty}"
    try:
        import pymc  # noqa: F401
    except ModuleNotFoundError:
        print("PyMC's NUTS: skipped, it is not installed; the head of bench/bench_sampler.py says how to add it")
        return
    compare(fast, pymc_nuts(data))


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        main()
