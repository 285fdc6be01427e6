"""The sampler against numpyro's own NUTS on a plain model of the same posterior, and model solves per second against solve_ivp.

    .venv/bin/python bench/bench_sampler.py

The plain model has named sites and a plate of patients, and the likelihood of the sampler. Its warm-up has the length at
which it did best of those tried. As many draws are kept as in the headline fit, and both halves run their chains side
by side on the cores there are. Effective samples: the least of the population's values (bulk, rank-normalised) a second;
once with compiling and the search for a start, and once without compiling, as in the long runs, where hundreds of fits
share one compilation (numpyro's own front end compiles in every run, so its second rate counts that too). Both halves
must find the same posterior: the means are compared in units of their Monte Carlo error.
"""

import os
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
RUNS = 1
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


def report(name: str, runs: list[tuple[float, np.ndarray, int]]) -> Half:
    """Of each run, the first with compiling, the seconds, draws and divergences."""
    tables = [samples.quality(values) for _, values, _ in runs]
    sizes = [table["ess bulk"].min() for table in tables]
    whole, *compiled = [size / seconds for size, (seconds, _, _) in zip(sizes, runs)]
    length = f"{samples.CHAINS} chains of {samples.KEPT}"
    print(f"{name}: {length} in {runs[0][0]:.0f} s, compiled {', '.join(f'{s:.0f}' for s, _, _ in runs[1:])} s")
    print(f"  effective samples/s: {whole:.1f}, compiled {', '.join(f'{r:.1f}' for r in compiled)}")
    worst, divergent = max(table["rhat"].max() for table in tables), sum(d for _, _, d in runs)
    least = ", ".join(f"{x:.0f}" for x in sizes)
    print(f"  least effective size {least}, worst R-hat {worst:.3f}, {divergent} divergences", flush=True)
    return Half(whole, float(np.median(compiled)), tables[0])


def ours(data: stem_cells.Cohort) -> Half:
    fit, runs = samples.Fitter(samples.CHAINS, samples.KEPT), []
    for seed in range(1 + RUNS):
        begun = time.perf_counter()
        got = fit(data, seed)
        runs.append((time.perf_counter() - begun, got.population, got.divergent))
    return report("ours (numpyro)", runs)


SITES = ("exit", "balance", "dose", "ratio", "progeny", "exit_sd", "balance_sd", "ratio_sd", "colonies", "blood_sd")
"""Of the plain model, in the order of ``samples.NAMES``."""


def plain(data: stem_cells.Cohort) -> None:
    """The same posterior in numpyro's own words: departures in exit and balance as normal scores, starts as they are."""
    import numpyro
    from numpyro.distributions import LogNormal, Normal, Uniform

    from chapters.models.mpn_stem_cells.sampler import PRIOR, log_likelihood

    plan = data.design
    exit, balance, dose, ratio = (
        numpyro.sample(name, Normal(*PRIOR[name]).expand([2]).to_event(1)) for name in SITES[:4]
    )
    progeny = numpyro.sample("progeny", Uniform())
    exit_sd, balance_sd, ratio_sd, colonies, blood_sd = (
        numpyro.sample(name, LogNormal(*PRIOR[name])) for name in SITES[5:]
    )
    with numpyro.plate("patients", len(plan.dose)):
        own_exit, own_balance = (numpyro.sample(name, Normal()) for name in ("own exit", "own balance"))
        start = numpyro.sample("start", Normal(ratio, ratio_sd).to_event(1))
    exit = exit + exit_sd * own_exit[:, None]
    balance = balance + dose * plan.dose[:, None] + balance_sd * own_balance[:, None]
    numpyro.factor("data", log_likelihood(data, exit, balance, start, progeny, colonies, blood_sd))


def numpyro_nuts(data: stem_cells.Cohort) -> Half:
    """numpyro's own front end, the population's values with a dense mass matrix."""
    import jax
    from numpyro.infer import MCMC, NUTS

    arrays, runs = samples.engine().as_arrays(data), []
    chains = MCMC(
        NUTS(plain, dense_mass=[SITES]), num_warmup=TUNE, num_samples=samples.KEPT, num_chains=samples.CHAINS,
        chain_method="parallel", progress_bar=False, jit_model_args=True,
    )  # fmt: skip
    for seed in range(1 + RUNS):
        begun = time.perf_counter()
        chains.run(jax.random.PRNGKey(seed), arrays)
        drawn = chains.get_samples(group_by_chain=True)
        values = np.concatenate([np.asarray(drawn[k]).reshape(samples.CHAINS, samples.KEPT, -1) for k in SITES], -1)
        runs.append((time.perf_counter() - begun, values, int(chains.get_extra_fields()["diverging"].sum())))
    return report("numpyro's NUTS", runs)


def compare(a: Half, b: Half) -> None:
    """The ratio of the rates, and how far apart the means lie."""
    apart = (a.table["mean"] - b.table["mean"]).abs() / np.hypot(a.table["mcse"], b.table["mcse"])
    name = samples.NAMES[int(apart.argmax())]
    print(f"means differ by at most {apart.max():.1f} Monte Carlo errors ({name}), in the median {apart.median():.1f}")
    ratio = f"{a.compiled / b.compiled:.1f} times compiled, {a.whole / b.whole:.1f} times with compiling"
    print(f"ours over numpyro's NUTS: {ratio}")


def main() -> None:
    solves()
    # numpyro gives each chain a device of its own; ours knows nothing of it.
    os.environ["XLA_FLAGS"] = (
        f"--xla_cpu_multi_thread_eigen=false --xla_force_host_platform_device_count={samples.CHAINS}"
    )
    data = samples.cohort("exit and exhaustion", 0)
    try:
        samples.engine()
    except samples.SampleError as missing:
        print(f"sampler: skipped, {missing}")
        return
    compare(ours(data), numpyro_nuts(data))


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        main()
