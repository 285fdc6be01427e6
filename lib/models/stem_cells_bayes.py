"""The hierarchical model over patients, genotypes and dose, and its sampler (numpyro).

Only the sampling step imports this module: chapters read the draws it left. The curves are the closed form of
``stem_cells.course`` (without death, which the fitted model leaves out), so that a gradient costs well under a
millisecond. Chains cannot change places: g, b, a, di and dm are fixed, and the slow eigenvalue is first by its formula.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from numpyro.infer.hmc import hmc
from scipy.optimize import minimize

from lib.models.stem_cells import ASSUMED, Cohort, Population

jax.config.update("jax_enable_x64", True)

PRIOR = {
    "exit": (0.0, 1.0),
    "balance": (0.0, 0.5),
    "dose": (0.0, 0.3),
    "exit_sd": (np.log(0.3), 0.4),
    "balance_sd": (np.log(0.1), 0.4),
    "ratio": (-0.5, 1.0),
    "ratio_sd": (0.0, 0.4),
    "colonies": (np.log(50.0), 0.7),
    "blood_sd": (np.log(0.04), 0.3),
}
"""Priors, ours: mean and spread of normals, and of the log for spreads and noise. None leans towards a mechanism: no
effect is the middle of each, and the share of progeny is uniform."""

NAMES = ("exit", "balance", "dose", "progeny", "exit_sd", "balance_sd", "ratio", "ratio_sd", "colonies", "blood_sd")


def draw_prior(rng: np.random.Generator) -> Population:
    """A population from the prior, for calibration."""
    pair = {k: tuple(rng.normal(*PRIOR[k], size=2)) for k in ("exit", "balance", "dose", "ratio")}
    logs = {k: float(np.exp(rng.normal(*PRIOR[k]))) for k in _LOGS}
    return Population(progeny=rng.uniform(), **pair, **logs)


def curves(t, fold, balance, progeny):
    """Progenitors and mature cells relative to the start; ``t`` (patients, visits), effects (patients, 2)."""
    r = ASSUMED
    exit, loss = r.exit * fold, -r.divide * balance
    total = exit + r.rest + loss
    root = jnp.sqrt((exit - r.rest - loss) ** 2 + 4 * exit * r.rest)
    slow, fast = -2 * exit * loss / (total + root), -(total + root) / 2
    slope = exit * r.rest / r.exit - r.rest - loss
    weight = jnp.stack([(slope - fast) / root, (slow - slope) / root], -1)
    rate = jnp.stack([slow, fast], -1)
    di, dm = r.progenitor, r.mature
    # Times run along the last axis from here: (patients, genotypes, exponentials, visits).
    wave = jnp.exp(rate[..., None] * t[:, None, None, :])
    ei, em = jnp.exp(-di * t)[:, None, :], jnp.exp(-dm * t)[:, None, :]
    part = (1 - progeny * balance)[..., None] * di * weight / (rate + di)
    late = part * dm / (rate + dm)
    progenitors = ei + jnp.sum(part[..., None] * (wave - ei[:, :, None]), 2)
    blend = dm * (ei - em) / (dm - di)
    mature = em + blend + jnp.sum(late[..., None] * (wave - em[:, :, None]) - part[..., None] * blend[:, :, None], 2)
    return progenitors, mature


def log_gamma(a):
    """Log of the gamma function for positive ``a``: Stirling's series six steps up, several times faster than XLA's
    own.
    """
    steps = a * (a + 1) * (a + 2) * (a + 3) * (a + 4) * (a + 5)
    b = a + 6
    series = 1 / (12 * b) * (1 - 1 / (30 * b * b) * (1 - 2 / (7 * b * b) * (1 - 3 / (4 * b * b))))
    return (b - 0.5) * jnp.log(b) - b + 0.5 * jnp.log(2 * jnp.pi) + series - jnp.log(steps)


def log_likelihood(cohort, exit, balance, ratio, progeny, colonies, blood_sd):
    """Log probability of colonies (Dirichlet-multinomial, without its constant) and blood (normal on the angular
    scale).
    """
    plan = cohort.design
    progenitors, mature = curves(plan.t, jnp.exp(exit), jnp.tanh(balance), progeny)
    size = jnp.exp(ratio) * jnp.stack([jnp.ones_like(ratio[:, 0]), plan.hom], -1)
    young, old = size[..., None] * progenitors, size[..., None] * mature
    mass = jnp.concatenate([jnp.ones_like(young[:, :1]), young], 1)
    share = mass / mass.sum(1, keepdims=True)
    # A genotype that the patient does not have has no colonies; any positive weight then cancels.
    there = jnp.stack([jnp.ones_like(plan.hom), jnp.ones_like(plan.hom), plan.hom], -1)[..., None] > 0
    weight = jnp.where(there, colonies * share, 1.0)
    counts = jnp.moveaxis(cohort.counts, 2, 1)
    found = jnp.sum(log_gamma(counts + weight) - log_gamma(weight), 1)
    total = log_gamma(colonies) - log_gamma(colonies + plan.n)
    frequency = (old[:, 0] / 2 + old[:, 1]) / (1 + old.sum(1))
    miss = (cohort.blood - jnp.arcsin(jnp.sqrt(frequency))) / blood_sd
    return jnp.sum(jnp.where(plan.seen, found + total - miss**2 / 2 - jnp.log(blood_sd), 0.0))


# The posterior lives on one flat vector of reals: a sampler's own work grows with the number of arrays, not their length.
# First the population (pairs, then a normal score and logs), then each patient's departures z and start.

_PAIRS = ("exit", "balance", "dose", "ratio")
_LOGS = ("exit_sd", "balance_sd", "ratio_sd", "colonies", "blood_sd")
_POPULATION = 2 * len(_PAIRS) + 1 + len(_LOGS)


def unpack(x, patients: int) -> dict:
    """The named parts of one flat vector; z and the log ratios at the start are (patients, 2)."""
    parts = {name: x[2 * i : 2 * i + 2] for i, name in enumerate(_PAIRS)}
    parts["progeny"] = ndtr(x[8])
    parts |= {name: jnp.exp(x[9 + i]) for i, name in enumerate(_LOGS)}
    own, start = x[_POPULATION:].reshape(2, patients, 2)
    return parts | {"own": own, "start": start}


def log_posterior(x, cohort):
    """Log density of the flat vector given a cohort, up to a constant, in these coordinates."""
    p = unpack(x, cohort.design.t.shape[0])
    prior = sum(_normal(p[name], *PRIOR[name]) for name in _PAIRS)
    prior += _normal(x[8], 0.0, 1.0)  # a normal score is a uniform share
    prior += sum(_normal(jnp.log(p[name]), *PRIOR[name]) for name in _LOGS)
    spread = jnp.stack([p["exit_sd"], p["balance_sd"]])
    prior += _normal(p["own"], 0.0, spread) + _normal(p["start"], p["ratio"], p["ratio_sd"])
    exit = p["exit"] + p["own"][:, :1]
    balance = p["balance"] + p["dose"] * cohort.design.dose[:, None] + p["own"][:, 1:]
    return prior + log_likelihood(cohort, exit, balance, p["start"], p["progeny"], p["colonies"], p["blood_sd"])


def _normal(x, mean, sd):
    return jnp.sum(-(((x - mean) / sd) ** 2) / 2 - jnp.log(sd) + 0 * x)


def starts(cohort: Cohort) -> list[np.ndarray]:
    """Flat vectors from which the search for the mode begins: slow and fast waking in each genotype, the rest in the
    middle of the prior, but for the patients' own starts, which their first colonies show.

    The posterior can have several modes (a clone that sleeps and grows looks much like one that wakes), and from starts
    far from the data the search can end where the starts of all patients collapse onto one.
    """
    plan, first = cohort.design, np.asarray(cohort.counts)[:, 0] + 0.5
    own = np.log(first[:, 1:] / first[:, :1])
    own[np.asarray(plan.hom) == 0, 1] = PRIOR["ratio"][0]
    rest = [
        *np.zeros(4),
        *np.full(2, PRIOR["ratio"][0]),
        0.0,
        *(PRIOR[name][0] for name in _LOGS),
        *np.zeros(own.size),
        *own.ravel(),
    ]
    return [np.array([het, hom, *rest]) for het in (-1.0, 1.0) for hom in (-1.0, 1.0)]


def as_arrays(cohort: Cohort) -> Cohort:
    """The cohort as the sampler takes it: floating arrays of jax, with logicals left for masks."""
    plan = cohort.design
    wide = plan._replace(
        **{k: jnp.asarray(getattr(plan, k), float) for k in ("t", "n", "dose", "hom")}, seen=jnp.asarray(plan.seen)
    )
    return Cohort(wide, jnp.asarray(cohort.counts, float), jnp.asarray(cohort.blood, float))


_SPREADS = slice(9, 12)


def _objective(rest, spreads, cohort):
    return -log_posterior(_join(rest, spreads), cohort)


def _join(rest, spreads):
    return jnp.concatenate([rest[: _SPREADS.start], spreads, rest[_SPREADS.start :]])


_value_and_gradient = jax.jit(jax.value_and_grad(_objective))
_hessian = jax.jit(jax.hessian(lambda x, cohort: -log_posterior(x, cohort)))


def _climb(x, cohort):
    """The mode nearest to ``x`` with its spreads held, and the negative log density there."""
    spreads = x[_SPREADS]
    found = minimize(
        lambda v: tuple(np.asarray(u) for u in _value_and_gradient(v, spreads, cohort)), np.delete(x, _SPREADS),
        jac=True, method="L-BFGS-B", options={"maxiter": 1000},
    )  # fmt: skip
    return np.asarray(_join(found.x, spreads)), found.fun


def laplace(cohort: Cohort, rounds: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """A centre and a factor L of the covariance there (about L L'): the shape in which the sampler moves.

    The joint mode would be misleading, for departures shrink and their spread swells together; so the spreads between
    patients are raised or lowered to the mean square of the departures (rounds of expectation and maximisation).
    Of several modes the one of most mass by its normal approximation is taken.
    This sets where a chain begins and the scale of its steps; the draws come from the posterior itself whatever its
    shape.
    """
    hills = {round(float(value), 1): x for x, value in (_climb(x, cohort) for x in starts(cohort))}
    return max((_shape(x, cohort, rounds) for x in hills.values()), key=lambda found: found[0])[1:]


def _shape(x, cohort, rounds: int):
    """Log mass, centre and factor of the normal approximation about the mode ``x``, its spreads adapted."""
    patients = cohort.design.t.shape[0]
    own, first = (slice(_POPULATION + 2 * patients * k, _POPULATION + 2 * patients * (k + 1)) for k in range(2))
    for _ in range(rounds):
        x, value = _climb(x, cohort)
        values, vectors = np.linalg.eigh(np.asarray(_hessian(x, cohort)))
        factor = np.linalg.cholesky((vectors / np.clip(values, 1e-1, None)) @ vectors.T)
        variance = (factor**2).sum(1)
        square = (x[own] ** 2 + variance[own]).reshape(patients, 2).mean(0)
        apart = ((x[first].reshape(patients, 2) - x[6:8]) ** 2 + variance[first].reshape(patients, 2)).mean()
        found = np.log(np.diag(factor)).sum() - value, x, factor
        x = np.concatenate([x[: _SPREADS.start], np.log([*square, apart]) / 2, x[_SPREADS.stop :]])
    return found


def sampler(warmup: int, draws: int, target: float = 0.8):
    """One chain of NUTS [HoffmanGelman2014] as one compiled function of key, first point, cohort, centre and factor.

    Compiled as a whole it serves every cohort of one shape; numpyro's own front end would compile parts of it anew each
    time. It moves in the coordinates y of x = centre + factor y, and gives the draws of y, which diverged, and the
    steps.
    """
    begin, move = hmc(
        potential_fn_gen=lambda cohort, centre, factor: lambda y: -log_posterior(centre + factor @ y, cohort),
        algo="NUTS",
    )

    def chain(key, first, cohort, centre, factor):
        data = (cohort, centre, factor)
        state = begin(first, warmup, target_accept_prob=target, max_tree_depth=7, model_args=data, rng_key=key)

        def step(state, _):
            state = move(state, data)
            return state, (state.z, state.diverging, state.num_steps)

        _, (y, diverging, steps) = jax.lax.scan(step, state, None, length=warmup + draws)
        return y[warmup:], diverging[warmup:], steps[warmup:]

    return jax.jit(chain)


def natural(x: np.ndarray) -> np.ndarray:
    """Draws of the flat vector (last axis) with share of progeny, spreads and noise in natural units, the rest as it
    is.
    """
    x = np.array(x)
    x[..., 8] = np.asarray(ndtr(x[..., 8]))
    x[..., 9:_POPULATION] = np.exp(x[..., 9:_POPULATION])
    return x
