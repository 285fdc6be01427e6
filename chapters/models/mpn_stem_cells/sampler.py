"""The hierarchical model over patients, genotypes and dose, and its sampler (numpyro).

Only the sampling step imports this module: chapters read the draws it left. The curves are the closed form of
``stem_cells.course`` (without death, which the fitted model leaves out), so that a gradient costs well under a
millisecond. Chains cannot change places: g, b, a, di and dm are fixed, and the slow eigenvalue is first by its formula.

The rule was to sample a plain numpyro model with named sites and a plate of patients (``bench/bench_sampler.py``) by
numpyro's own front end, unless that loses more than half of the effective samples a second in one run. It loses four
fifths: of four chains of 500 draws, compiling and search for a start included, the least effective number over the
population's values was 1105 after 64 s of processor time here (17 a second) and 702 after 196 s there (3.6 a second,
population's values with a dense mass matrix, warm-up 500); on one machine, which other work kept busy, so that the
times are the processor's and not the clock's. The means agreed. Places in the flat vector are known by number here
alone; others go by the names of ``draws``.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from numpyro.infer.hmc import hmc
from scipy.optimize import approx_fprime, minimize

from chapters.models.mpn_stem_cells.model import ASSUMED, Cohort, Population

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


class Shape(NamedTuple):
    """The coordinates y in which the sampler moves: u = centre + factor y, and from u the flat vector.

    A patient's departure (in exit, in balance, of the start from the genotype's mean) is u times (spread / ``spreads``)
    to the power 1 - ``centring``: 1 leaves it as it is, 0 divides it by the spread between patients. Where the data say
    much about a patient the first mixes well and the second badly, where little the other way round
    [Papaspiliopoulos2007]; so ``centring`` (4 patients,) is the data's share of what is known of each departure.
    ``spreads`` (3,) are the logs of the three spreads at which nothing changes.
    """

    centre: np.ndarray
    factor: np.ndarray
    centring: np.ndarray
    spreads: np.ndarray


def _each(spreads, patients: int):
    """For every departure the value of the three that belongs to it, in the order of the flat vector."""
    return jnp.concatenate([jnp.tile(spreads[:2], patients), jnp.repeat(spreads[2], 2 * patients)])


def place(y, shape: Shape):
    """The flat vector at ``y``, and the log of the factor by which a small volume grows on the way from u."""
    u = shape.centre + shape.factor @ y
    patients = shape.centring.size // 4
    swell = (1 - shape.centring) * _each(u[_SPREADS] - shape.spreads, patients)
    mean = jnp.concatenate([jnp.zeros(2 * patients), jnp.tile(u[6:8], patients)])
    return jnp.concatenate([u[:_POPULATION], mean + (u[_POPULATION:] - mean) * jnp.exp(swell)]), swell.sum()


def potential(y, cohort, shape: Shape):
    """Negative log posterior density of the sampler's coordinates, up to a constant."""
    x, growth = place(y, shape)
    return -log_posterior(x, cohort) - growth


_value_and_gradient = jax.jit(jax.value_and_grad(potential))


def plain(size: int) -> Shape:
    """Coordinates that are the flat vector itself."""
    return Shape(np.zeros(size), np.eye(size), np.ones(size - _POPULATION), np.zeros(3))


def _climb(x, cohort):
    """The mode nearest to ``x`` with its spreads held, and the negative log density there."""
    itself = plain(len(x))

    def value_and_gradient(rest):
        value, gradient = _value_and_gradient(_join(rest, x[_SPREADS]), cohort, itself)
        return np.asarray(value), np.delete(gradient, _SPREADS)

    found = minimize(value_and_gradient, np.delete(x, _SPREADS), jac=True, method="L-BFGS-B", options={"maxiter": 1000})
    return _join(found.x, x[_SPREADS]), found.fun


def _join(rest, spreads):
    return np.concatenate([rest[: _SPREADS.start], spreads, rest[_SPREADS.start :]])


def _curvature(cohort, shape: Shape) -> np.ndarray:
    """Second derivatives of the potential at y = 0, by differences of its gradient: they only set a scale."""
    found = approx_fprime(
        np.zeros(len(shape.centre)), lambda y: np.asarray(_value_and_gradient(y, cohort, shape)[1]), 1e-5
    )
    return (found + found.T) / 2


def _inverse_factor(curvature: np.ndarray) -> np.ndarray:
    """L with L L' the inverse of ``curvature``, flat and falling directions taken as wide, not as endless."""
    values, vectors = np.linalg.eigh(curvature)
    return np.linalg.cholesky((vectors / np.clip(values, 1e-1, None)) @ vectors.T)


def laplace(cohort: Cohort, rounds: int = 2) -> Shape:
    """The normal approximation at a mode, as coordinates of unit variance.

    The joint mode would be misleading, for departures shrink and their spread swells together; so the spreads between
    patients are raised or lowered to the mean square of the departures (rounds of expectation and maximisation).
    Of several modes the one of most mass by its normal approximation is taken.
    This sets where a chain begins and the scale of its steps; the draws come from the posterior itself whatever its
    shape.
    """
    hills = {round(float(value), 1): x for x, value in (_climb(x, cohort) for x in starts(cohort))}
    x, curvature = max((_adapted(x, cohort, rounds) for x in hills.values()), key=lambda found: found[0])[1:]
    patients = (len(x) - _POPULATION) // 4
    prior = np.exp(-2 * np.asarray(_each(x[_SPREADS], patients)))
    centring = np.clip(1 - prior / np.diag(curvature)[_POPULATION:], 0, 1)
    shape = Shape(x, np.eye(len(x)), centring, x[_SPREADS])
    return shape._replace(factor=_inverse_factor(_curvature(cohort, shape)))


def _adapted(x, cohort, rounds: int):
    """Log mass, place and curvature of the mode ``x``, its spreads adapted."""
    patients = cohort.design.t.shape[0]
    own, first = (slice(_POPULATION + 2 * patients * k, _POPULATION + 2 * patients * (k + 1)) for k in range(2))
    for _ in range(rounds):
        x, value = _climb(x, cohort)
        curvature = _curvature(cohort, plain(len(x))._replace(centre=x))
        factor = _inverse_factor(curvature)
        variance = (factor**2).sum(1)
        square = (x[own] ** 2 + variance[own]).reshape(patients, 2).mean(0)
        apart = ((x[first].reshape(patients, 2) - x[6:8]) ** 2 + variance[first].reshape(patients, 2)).mean()
        found = np.log(np.diag(factor)).sum() - value, x, curvature
        x = np.concatenate([x[: _SPREADS.start], np.log([*square, apart]) / 2, x[_SPREADS.stop :]])
    return found


def stretch(y: np.ndarray, shape: Shape) -> Shape:
    """Coordinates mended by pilot draws ``y`` (draws, d) made in them.

    The posterior is skewed: its mean lies off its mode, and in a few directions, the share of progeny above all, it is
    several times wider than its curvature at the mode says. The centre moves to the mean of the draws; where the draws
    vary more than a quarter beyond what as many independent ones of unit variance could, the edge (1 + sqrt(d / draws))²
    [BaikSilverstein2004], the factor is stretched to their spread. The rest, which so few draws cannot tell from noise,
    stays.
    """
    draws, size = y.shape
    variances, directions = np.linalg.eigh(np.cov(y.T))
    wide = variances > 1.25 * (1 + np.sqrt(size / draws)) ** 2
    found = directions[:, wide]
    wider = (shape.factor @ found * (np.sqrt(variances[wide]) - 1)) @ found.T
    return shape._replace(centre=shape.centre + shape.factor @ y.mean(0), factor=shape.factor + wider)


def sampler(warmup: int, draws: int):
    """One chain of NUTS [HoffmanGelman2014] as one compiled function of key, first point, cohort, shape and length.

    Compiled as a whole it serves every cohort of one shape and chains of every length up to ``draws``; numpyro's own
    front end would compile parts of it anew each time. Its warm-up sets the length of a step and no scales: those are
    the shape's. It gives the draws of y, which diverged, and the steps of each; beyond the length they are zero.
    """
    begin, move = hmc(potential_fn_gen=lambda cohort, shape: lambda y: potential(y, cohort, shape), algo="NUTS")

    def chain(key, first, cohort, shape, length):
        data = (cohort, shape)
        fixed = {"max_tree_depth": 7, "adapt_mass_matrix": False}
        state = begin(first, warmup, model_args=data, rng_key=key, **fixed)

        def step(i, found):
            state, kept = found
            state = move(state, data)
            new = state.z, state.diverging, state.num_steps
            return state, tuple(old.at[i].set(value) for old, value in zip(kept, new))

        longest = warmup + draws
        empty = jnp.zeros((longest, first.size)), jnp.zeros(longest, bool), jnp.zeros(longest, int)
        found = jax.lax.fori_loop(0, warmup + length, step, (state, empty))[1]
        return tuple(part[warmup:] for part in found)

    return jax.jit(chain)


def natural(y: np.ndarray, shape: Shape) -> np.ndarray:
    """Draws of ``y`` (last axis) as flat vectors, with share of progeny, spreads and noise in natural units."""
    x = np.array(jax.vmap(lambda one: place(one, shape)[0])(y.reshape(-1, y.shape[-1]))).reshape(y.shape)
    x[..., 8] = np.asarray(ndtr(x[..., 8]))
    x[..., 9:_POPULATION] = np.exp(x[..., 9:_POPULATION])
    return x
