"""Sampling, apart from the chapters: ``python3 -m lib sample NAME`` fills ``data/draws/``; chapters only read it.

A chain is chaotic in its last bit, so its draws are made once, thinned, rounded and committed with seed, versions and a
stamp. The long runs (virtual cohorts under rival hypotheses, simulation-based calibration) append one fit after the
other to their files: a run that was stopped goes on where it ended, and what is missing is simply not counted.
"""

from __future__ import annotations

import ast
import csv
import hashlib
import inspect
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from chapters.models.mpn_stem_cells import model as stem_cells
from chapters.models.mpn_stem_cells.model import ASSUMED, Cohort, Design, Population, Rates
from lib import ROOT, records, write

DRAWS = ROOT / "data" / "draws"
MODELS, LOCK = ("model.py", "sampler.py"), "requirements-models.txt"
PACKAGES = ("numpyro", "jax", "numpy", "scipy")
SEED = 20260
COHORTS, CALIBRATIONS = 30, 200
CHAINS, KEPT, THINNED = 4, 500, 400
SHORT_KEPT = 300
PILOTS, PILOT = 2, 150
"""Chains before each fit that show the sampler the posterior's shape, and the draws of each."""
WARMUP = 150
"""Draws of every chain, pilots too, that only set the length of its steps."""
RANK_DRAWS = 19
"""Thinned draws that a truth is ranked among in calibration: so far apart that they hardly remember one another."""


class SampleError(RuntimeError):
    """Sampling that cannot start; one line that says what to do."""


class Truth(NamedTuple):
    """One hypothesis about the drug: what virtual cohorts are drawn from."""

    population: Population
    rates: Rates = ASSUMED


# Hypotheses of ours, in round numbers. The first is the source's own reading: stem cells leave quiescence two and three
# times as fast and exhaust, homozygous ones more, heterozygous ones more on the higher dose.
_READING = Population(
    exit=(np.log(2), np.log(3)), balance=(-0.2, -0.42), dose=(-0.15, 0.0), progeny=1.0, exit_sd=0.3, balance_sd=0.1,
    ratio=(-0.5, -0.5), ratio_sd=1.0, colonies=60.0, blood_sd=0.04,
)  # fmt: skip
_RATE = tuple(float(v) for v in stem_cells.depletion_rate(np.exp(_READING.exit), np.tanh(_READING.balance)))
_KILL = _READING._replace(exit=(0.0, 0.0), progeny=0.0)
HYPOTHESES = {
    "exit and exhaustion": Truth(_READING),
    "exit alone": Truth(_READING._replace(balance=(0.0, 0.0), dose=(0.0, 0.0))),
    "kill active": Truth(_KILL),
    "kill all": Truth(_READING._replace(exit=(0.0, 0.0), balance=(0.0, 0.0), dose=(0.0, 0.0), death=_RATE)),
    "no difference": Truth(_READING._replace(exit=(np.log(2.5),) * 2, balance=(-0.3, -0.3), dose=(0.0, 0.0))),
    "kill active, other rates": Truth(_KILL, ASSUMED._replace(exit=2 * ASSUMED.exit, rest=2 * ASSUMED.rest)),
}
HOM_SHARE = 2 / 3
"""Share of the virtual patients with a homozygous clone; ours, for the source gives no numbers by genotype."""

NAMES = (
    "exit het", "exit hom", "balance het", "balance hom", "dose het", "dose hom", "ratio het", "ratio hom", "progeny",
    "exit sd", "balance sd", "ratio sd", "colonies", "blood sd",
)  # fmt: skip
RATES = ("rate het", "rate hom", "rate gap")
GENOTYPES = ("het", "hom")


def study() -> dict[str, int]:
    """The shape of the study as its record gives it: patients, measurements of both kinds, years."""
    record = records.record("mpn-stem-cells")
    roles = {
        "patients": "MSC-05/enrolled",
        "colonies": "MSC-08/progenitors",
        "blood": "MSC-09/mature",
        "years": "MSC-06/low",
    }
    return {name: int(record.figure(ref).value) for name, ref in roles.items()}


def seeded(*key: int) -> np.random.Generator:
    """A generator of its own for each cohort, whatever was drawn before."""
    return np.random.default_rng([SEED, *key])


def plan() -> Design:
    """The design of every virtual cohort: the study's own shape, spent as evenly as it goes."""
    s = study()
    return stem_cells.design(s["patients"], s["colonies"], s["blood"], s["years"], HOM_SHARE, seeded(0))


def cohort(hypothesis: str, number: int) -> Cohort:
    """Virtual cohort ``number`` (from 0) of a hypothesis; the headline fit is to number 0 of the first."""
    truth = HYPOTHESES[hypothesis]
    rng = seeded(1, list(HYPOTHESES).index(hypothesis), number)
    return stem_cells.draw_cohort(truth.population, plan(), rng, truth.rates)[0]


def fitted(entry: dict) -> Cohort:
    """The virtual cohort that a stored headline fit was made to: that of ``cohort`` as long as the record stands."""
    shape, rng = entry["study"], seeded(1, 0, 0)
    design = stem_cells.design(*shape.values(), HOM_SHARE, seeded(0))
    return stem_cells.draw_cohort(HYPOTHESES["exit and exhaustion"].population, design, rng)[0]


def flat(population: Population) -> np.ndarray:
    """The values of a population in the order of ``NAMES``."""
    p = population
    return np.array(
        [*p.exit, *p.balance, *p.dose, *p.ratio, p.progeny, p.exit_sd, p.balance_sd, p.ratio_sd, p.colonies, p.blood_sd]
    )


def with_rates(values: np.ndarray, rates: Rates = ASSUMED) -> np.ndarray:
    """The values of ``NAMES`` (last axis) and after them those of ``RATES``: loss of the clone per year in both
    genotypes, and their gap.
    """
    exit, balance = (values[..., [NAMES.index(f"{part} {g}") for g in GENOTYPES]] for part in ("exit", "balance"))
    rate = stem_cells.depletion_rate(np.exp(exit), np.tanh(balance), 0.0, rates)
    return np.concatenate([values, rate, rate[..., 1:] - rate[..., :1]], -1)


def truth_values(truth: Truth) -> dict[str, float]:
    """What a fit to this hypothesis should find, by ``NAMES`` and ``RATES``."""
    values = dict(zip(NAMES + RATES, with_rates(flat(truth.population), truth.rates).tolist()))
    het, hom = truth.population.death
    return values | {name: values[name] + death for name, death in zip(RATES, (het, hom, hom - het))}


# Fits --------------------------------------------------------------------------------------------------------------


def engine():
    """The module that samples; jax is told of this machine's use before it is first imported.

    Raises
    ------
    SampleError
        The sampler is not installed.
    """
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
    try:
        from chapters.models.mpn_stem_cells import sampler
    except ModuleNotFoundError as error:
        raise SampleError(f"{error.name} is missing: add the sampler with `python3 -m lib setup --models`") from None
    return sampler


class Fit(NamedTuple):
    """Draws (chains, draws, parameters) of the flat vector in natural units, divergences, steps of each draw."""

    values: np.ndarray
    divergent: int
    steps: float

    @property
    def population(self) -> np.ndarray:
        """The draws of ``NAMES``, which come before the patients' own values (chains, draws, values)."""
        return self.values[..., : len(NAMES)]


class Fitter:
    """Fits cohorts of one design one after the other; chains run side by side, two at a time.

    The normal approximation at the mode gives pilot chains their coordinates, and their draws, which are then thrown
    away, mend these for the chains that count. The sampler is compiled at the first fit, while the mode is searched.
    """

    def __init__(self, chains: int, kept: int):
        self.bayes = engine()
        self.chains, self.kept = chains, kept
        self.chain = None

    def __call__(self, data: Cohort, seed: int) -> Fit:
        import jax

        arrays = self.bayes.as_arrays(data)
        size = len(self.bayes.starts(arrays)[0])
        starts = np.random.default_rng([SEED, 9, seed]).standard_normal((PILOTS + self.chains, size))

        def compiled():
            sampler = self.bayes.sampler(WARMUP, max(PILOT, self.kept))
            return sampler.lower(jax.random.PRNGKey(0), starts[0], arrays, self.bayes.plain(size), 0).compile()

        def run(k: int, shape, length: int):
            found = self.chain(jax.random.PRNGKey(100 * seed + k), starts[k], arrays, shape, length)
            return [np.asarray(part)[:length] for part in found]

        with ThreadPoolExecutor(2) as pool:
            waiting = None if self.chain else pool.submit(compiled)
            shape = self.bayes.laplace(arrays)
            self.chain = self.chain or waiting.result()
            pilots = list(pool.map(lambda k: run(k, shape, PILOT)[0], range(PILOTS)))
            shape = self.bayes.stretch(np.concatenate(pilots), shape)
            found = list(pool.map(lambda k: run(PILOTS + k, shape, self.kept), range(self.chains)))
        y, diverging, steps = (np.stack(part) for part in zip(*found))
        return Fit(self.bayes.natural(y, shape), int(diverging.sum()), float(steps.mean()))


def quality(values: np.ndarray) -> pd.DataFrame:
    """Mean, spread, quantiles, split R-hat, bulk and tail effective sizes and Monte Carlo error of draws (chains,
    draws, k).

    R-hat and effective sizes are those of arviz, rank-normalised [Vehtari2019].
    """
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # arviz announces its own future at import
        import arviz as az

        data = az.convert_to_dataset({"v": values})
        found = {
            "rhat": az.rhat(data), "ess bulk": az.ess(data), "ess tail": az.ess(data, method="tail"), "mcse": az.mcse(data),
        }  # fmt: skip
    frame = pd.DataFrame({k: v["v"].values for k, v in found.items()})
    every = values.reshape(-1, values.shape[-1])
    low, middle, high = np.quantile(every, [0.025, 0.5, 0.975], axis=0)
    summary = pd.DataFrame(
        {"mean": every.mean(0), "sd": every.std(0, ddof=1), "low": low, "median": middle, "high": high}
    )
    return pd.concat([summary, frame], axis=1)


# Runs --------------------------------------------------------------------------------------------------------------


def patient_columns(patients: int) -> list[str]:
    """Names of the patients' own values in the order of the flat vector: departures in exit and balance, then the
    starts.
    """
    return [
        f"{part} {i}"
        for parts in (("exit", "balance"), ("start het", "start hom"))
        for i in range(patients)
        for part in parts
    ]


def headline(name: str, say: Callable[[str], None]) -> None:
    """The headline fit: thinned draws of every value, and summaries of the population's."""
    summary = DRAWS / f"{name}-headline.json"
    if summary.is_file() and json.loads(summary.read_text("utf-8"))["stamp"] == stamp():
        say("headline: there already")
        return
    begun = time.monotonic()
    data = cohort("exit and exhaustion", 0)
    fit = Fitter(CHAINS, KEPT)
    got = fit(data, 0)
    everyone, population = quality(got.values), quality(with_rates(got.population))
    thinned = got.values.reshape(-1, got.values.shape[-1])[:: CHAINS * KEPT // THINNED]
    columns = [*NAMES, *patient_columns(data.counts.shape[0])]
    table = pd.DataFrame(thinned, columns=columns).to_csv(index=False, float_format="%.4g", lineterminator="\n")
    write(DRAWS / f"{name}-headline.csv", table)
    worst = {
        "rhat": everyone["rhat"].max(),
        "ess bulk": everyone["ess bulk"].min(),
        "ess tail": everyone["ess tail"].min(),
    }
    rows = population.set_index(pd.Index(NAMES + RATES)).to_dict("index")
    entry = {
        "chains": CHAINS, "warmup": WARMUP, "kept": KEPT, "thinned": len(thinned), "divergent": got.divergent, "parameters": len(everyone), "study": study(),
        "worst of all": {k: float(f"{v:.4g}") for k, v in worst.items()}, "seed": SEED,
        "priors": fit.bayes.PRIOR, "versions": {p: version(p) for p in PACKAGES}, "stamp": stamp(),
        "summary": {p: {k: float(f"{v:.5g}") for k, v in row.items()} for p, row in rows.items()},
    }  # fmt: skip
    write(summary, json.dumps(entry, indent=1, ensure_ascii=False) + "\n")
    say(
        f"headline: {len(everyone)} parameters, worst R-hat {worst['rhat']:.3f}, {got.divergent} divergences, {time.monotonic() - begun:.0f} s"
    )


def cohort_rows(fit: Fitter, hypothesis: str, number: int) -> Iterator[dict]:
    """One virtual cohort fitted: a row for each quantity, with the truth and whether its posterior is sure of a
    sign.
    """
    got = fit(cohort(hypothesis, number), 1000 + number)
    values = with_rates(got.population).reshape(-1, len(NAMES + RATES))
    low, middle, high = np.quantile(values, [0.025, 0.5, 0.975], axis=0)
    # Above nothing, but for the share of progeny: above a half.
    above = (values > np.where(np.array(NAMES + RATES) == "progeny", 0.5, 0.0)).mean(0)
    for i, (quantity, true) in enumerate(truth_values(HYPOTHESES[hypothesis]).items()):
        row = {
            "truth": true,
            "mean": values[:, i].mean(),
            "low": low[i],
            "median": middle[i],
            "high": high[i],
            "above": above[i],
        }
        yield (
            {"hypothesis": hypothesis, "cohort": number, "quantity": quantity}
            | {k: f"{v:.4g}" for k, v in row.items()}
            | {"divergent": got.divergent}
        )


def calibration_rows(fit: Fitter, number: int) -> Iterator[dict]:
    """One truth drawn from the prior, fitted: its rank among the thinned draws, for each quantity [Talts2018]."""
    rng = seeded(2, number)
    population = fit.bayes.draw_prior(rng)
    got = fit(stem_cells.draw_cohort(population, plan(), rng)[0], 5000 + number)
    values = with_rates(got.population).reshape(-1, len(NAMES + RATES))
    few = values[np.linspace(0, len(values) - 1, RANK_DRAWS).round().astype(int)]
    true = with_rates(flat(population))
    ranks = (few < true).sum(0)
    yield {"fit": number, "divergent": got.divergent} | dict(zip(NAMES + RATES, ranks.tolist()))


def long_runs(name: str, say: Callable[[str], None], minutes: float) -> None:
    """Virtual cohorts, one of each hypothesis in turn, then calibration, until all are there or the time is up.

    Raises
    ------
    SampleError
        The files hold runs of other code: they may not be mixed.
    """
    note = DRAWS / f"{name}-runs.json"
    paths = {kind: DRAWS / f"{name}-{kind}.csv" for kind in ("cohorts", "calibration")}
    if any(p.is_file() for p in paths.values()) and (
        not note.is_file() or json.loads(note.read_text("utf-8"))["stamp"] != stamp()
    ):
        raise SampleError(
            f"data/draws/{name}-cohorts.csv and -calibration.csv are of other code: move them away, then run this again"
        )
    entry = {
        "warmup": WARMUP,
        "kept": SHORT_KEPT,
        "seed": SEED,
        "versions": {p: version(p) for p in PACKAGES},
        "stamp": stamp(),
    }
    write(note, json.dumps(entry, indent=1) + "\n")
    end, fit = time.monotonic() + 60 * minutes, None
    for kind, jobs in (
        ("cohorts", [(h, i) for i in range(COHORTS) for h in HYPOTHESES]),
        ("calibration", [(i,) for i in range(CALIBRATIONS)]),
    ):
        rows = list(csv.DictReader(paths[kind].open(encoding="utf-8"))) if paths[kind].is_file() else []
        done = (
            {(r["hypothesis"], int(r["cohort"])) for r in rows}
            if kind == "cohorts"
            else {(int(r["fit"]),) for r in rows}
        )
        make = cohort_rows if kind == "cohorts" else calibration_rows
        for n, job in enumerate(jobs, 1):
            if job in done:
                continue
            if time.monotonic() > end:
                say(f"{kind}: stopped at {n - 1} of {len(jobs)}, the time is up; run it again to go on")
                return
            begun = time.monotonic()
            fit = fit or Fitter(1, SHORT_KEPT)
            append(paths[kind], list(make(fit, *job)))
            say(f"{kind}: {n} of {len(jobs)} ({', '.join(map(str, job))}), {time.monotonic() - begun:.1f} s")
        say(f"{kind}: all {len(jobs)} there")


# The second visit ------------------------------------------------------------------------------------------------

SECOND_VISITS = (4, 3, 1)
"""Months to which the second visit of every patient is moved; where it is not moved it is that of ``plan``."""
SLOWER = ASSUMED._replace(exit=ASSUMED.exit / 2, rest=ASSUMED.rest / 2)
FASTER = ASSUMED._replace(exit=2 * ASSUMED.exit, rest=2 * ASSUMED.rest)
_AWAY = {"exit_sd": 0.4, "balance_sd": 0.4, "ratio_sd": 0.4, "colonies": -0.7, "blood_sd": 0.3}
"""The spread of each prior, of the log, with the sign of what tells less."""


def scattered(population: Population, side: int) -> Population:
    """A population whose starts, spreads and scatter lie by a spread of their priors towards what tells less (1: patients
    differ more, measurements scatter more, clones start smaller) or towards what tells more (-1).
    """
    moved = {k: float(getattr(population, k) * np.exp(side * spread)) for k, spread in _AWAY.items()}
    return population._replace(ratio=tuple(r - side for r in population.ratio), **moved)


VISITS = 30
"""Cohorts of each hypothesis and design."""
SCENARIOS = {
    **{(h, "as assumed", m): Truth(HYPOTHESES[h].population) for m in SECOND_VISITS for h in ("exit and exhaustion", "kill all")},
    ("kill active", "as assumed", 3): HYPOTHESES["kill active"],
    **{("exit and exhaustion", name, 0): Truth(_READING, rates) for name, rates in (("half", SLOWER), ("twice", FASTER))},
    **{(h, "more scatter", 0): Truth(scattered(HYPOTHESES[h].population, 1)) for h in ("exit and exhaustion", "kill all")},
    ("exit and exhaustion", "less scatter", 0): Truth(scattered(_READING, -1)),
}  # fmt: skip
"""What each cohort is drawn from, by hypothesis, what differs from what the fit assumes (untreated exchange of quiescent and
active cells half or twice as fast, or scatter off the centres of the priors), and month of the second visit (0: not moved)."""


def visited(month: float) -> Design:
    """The design of ``plan`` with the second visit moved to ``month``; not moved if it is 0."""
    even = plan()
    t = even.t.copy()
    if month:
        t[:, 1] = month / 12
    return even._replace(t=t)


def visit_rows(fit: Fitter, scenario: tuple[str, str, int], number: int) -> Iterator[dict]:
    """One virtual cohort of ``SCENARIOS`` fitted: a row for each part of the mechanism, with how probable it is."""
    truth, place = SCENARIOS[scenario], list(SCENARIOS).index(scenario)
    data = stem_cells.draw_cohort(truth.population, visited(scenario[2]), seeded(3, place, number), truth.rates)[0]
    got = fit(data, 20_000 + 100 * place + number)
    for name, bound in zip(PARTS, (0, 0, 0, 0, 0.5)):
        held = got.population[..., NAMES.index(name)]
        row = {"mean": held.mean(), "sd": held.std(ddof=1), "above": (held > bound).mean()}
        keys = dict(zip(("hypothesis", "setting", "month", "cohort", "quantity"), (*scenario, number, name)))
        yield keys | {k: f"{v:.4g}" for k, v in row.items()} | {"divergent": got.divergent}


PARTS = ("exit het", "exit hom", "balance het", "balance hom", "progeny")
"""The values of which the three parts of the source's mechanism speak."""


def visits_stamp() -> str:
    """A hash of all that the draws by the second visit depend on but the machine, as ``stamp`` is for the others."""
    seen = hashlib.sha256((stamp() + repr(SCENARIOS)).encode())
    for step in (visited, visit_rows):
        seen.update(bare(inspect.getsource(step)).encode())
    return seen.hexdigest()[:16]


def visit_runs(name: str, say: Callable[[str], None], minutes: float) -> None:
    """Fits by the month of the second visit and by untreated rates, one of each in turn, until all are there or the
    time is up.

    Raises
    ------
    SampleError
        The file holds runs of other code.
    """
    path, note = DRAWS / f"{name}-visits.csv", DRAWS / f"{name}-visits.json"
    own = visits_stamp()
    if path.is_file() and (not note.is_file() or json.loads(note.read_text("utf-8"))["stamp"] != own):
        raise SampleError(f"data/draws/{path.name} is of other code: move it away, then run this again")
    entry = {
        "warmup": WARMUP,
        "kept": SHORT_KEPT,
        "seed": SEED,
        "versions": {p: version(p) for p in PACKAGES},
        "stamp": own,
    }
    write(note, json.dumps(entry, indent=1) + "\n")
    rows = list(csv.DictReader(path.open(encoding="utf-8"))) if path.is_file() else []
    done = {(r["hypothesis"], r["setting"], int(r["month"]), int(r["cohort"])) for r in rows}
    end, fit = time.monotonic() + 60 * minutes, None
    for job in ((s, i) for i in range(VISITS) for s in SCENARIOS):
        if (*job[0], job[1]) in done:
            continue
        if time.monotonic() > end:
            say("visits: stopped, the time is up; run it again to go on")
            return
        begun = time.monotonic()
        fit = fit or Fitter(1, SHORT_KEPT)
        append(path, list(visit_rows(fit, *job)))
        say(f"visits: {', '.join(map(str, job))}, {time.monotonic() - begun:.1f} s")
    say(f"visits: all {VISITS * len(SCENARIOS)} there")


def append(path, rows: list[dict]) -> None:
    """Add the rows of one fit to a CSV file in one write, with a header if it is new."""
    new = not path.is_file()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows(rows)


def stamp() -> str:
    """A hash of all that the draws depend on but the machine: models, fits, hypotheses, settings, the study's shape,
    the lock.

    Of models and fits it takes the code alone, so that a better sentence in a docstring asks for no new run.
    """
    settings = [
        SEED,
        COHORTS,
        CALIBRATIONS,
        CHAINS,
        WARMUP,
        KEPT,
        SHORT_KEPT,
        PILOTS,
        PILOT,
        RANK_DRAWS,
        HOM_SHARE,
    ]
    seen = hashlib.sha256(repr([settings, HYPOTHESES, study()]).encode())
    for model in MODELS:
        seen.update(bare(Path(__file__).with_name(model).read_text("utf-8")).encode())
    for step in (seeded, plan, cohort, with_rates, Fitter, cohort_rows, calibration_rows):
        seen.update(bare(inspect.getsource(step)).encode())
    seen.update((ROOT / LOCK).read_bytes())
    return seen.hexdigest()[:16]


def bare(code: str) -> str:
    """Python code without comments, docstrings and imports: a module that moves has not changed."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [
                n
                for n in body
                if not isinstance(n, (ast.Import, ast.ImportFrom))
                and not (
                    isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant) and isinstance(n.value.value, str)
                )
            ]
    return ast.dump(tree)


RECIPES = {"mpn-stem-cells": (headline, long_runs, visit_runs)}


def sample(name: str, minutes: float, say: Callable[[str], None] = print) -> None:
    """Make what is missing of the draws of ``name``.

    Raises
    ------
    SampleError
        There is no such recipe, or the sampler is not installed.
    """
    if name not in RECIPES:
        raise SampleError(f"no draws named {name!r}; there are {', '.join(RECIPES)}")
    short, *long = RECIPES[name]
    DRAWS.mkdir(parents=True, exist_ok=True)
    short(name, say)
    for runs in long:
        runs(name, say, minutes)


def load(name: str) -> tuple[dict, pd.DataFrame]:
    """Summary and thinned draws of one fit, as committed: ``load("mpn-stem-cells-headline")``."""
    return json.loads((DRAWS / f"{name}.json").read_text("utf-8")), pd.read_csv(DRAWS / f"{name}.csv")
