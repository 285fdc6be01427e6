"""Pooling studies that differ: the mean study, and the next one.

Random effects on a scale where the estimates are about normal: the variance between studies by restricted maximum
likelihood, the interval of the mean by Hartung and Knapp, and a prediction interval for a further study with k - 1
degrees of freedom, as metafor gives with ``test="knha"`` (Viechtbauer2018). Odds ratios of sparse events by the
binomial-normal model instead, conditional on each table's margins (StijnenHamza2010). statsmodels' ``combine_effects``
has neither the restricted likelihood nor a prediction interval; the tests hold what both compute against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, gammaln, logit, logsumexp
from scipy.stats import chi2, norm, t

from whichdata.given import check_group

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
AT_LEAST = 3  # two studies do not show how studies vary


class Pooled(NamedTuple):
    """What studies give together, on the scale of their estimates, but for ``k``, their number, and ``q`` with its p.

    ``mean`` with ``low``, ``high``: the mean study · ``next_low``, ``next_high``: where a further study would lie ·
    ``tau``: the standard deviation between studies.
    """

    k: int
    mean: float
    low: float
    high: float
    next_low: float
    next_high: float
    tau: float
    q: float
    q_p: float

    def on(self, scale) -> Pooled:
        """The mean and its intervals on another scale, by an increasing function (``numpy.exp`` for log ratios)."""
        return self._replace(**{f: float(scale(getattr(self, f))) for f in self._fields[1:6]})


def pool(estimates: Sequence[float], errors: Sequence[float], level: float = 0.95) -> Pooled:
    """Pool ``estimates`` with their standard ``errors`` by random effects.

    The Hartung–Knapp variance is never taken smaller than the usual one: studies which happen to agree give no false
    precision.

    Raises
    ------
    ValueError
        Fewer than three studies (two are shown side by side), or an error that is not above 0.
    """
    y, v = np.asarray(estimates, float), np.asarray(errors, float) ** 2
    k = len(y)
    if k != len(v) or k < AT_LEAST or not (v > 0).all():
        raise ValueError(f"give at least {AT_LEAST} estimates, each with its standard error, not {k} and {len(v)}")

    def around(tau2: float) -> tuple[float, float, float]:
        """Mean, its variance, and the weighted squares about it."""
        w = 1 / (v + tau2)
        mean = float(w @ y / w.sum())
        return mean, float(1 / w.sum()), float(w @ (y - mean) ** 2)

    def deviance(tau2: float) -> float:
        """Minus twice the restricted log likelihood, up to a constant."""
        _, variance, squares = around(tau2)
        return float(np.log(v + tau2).sum()) - np.log(variance) + squares

    q = around(0.0)[2]
    # In the root of tau2, where the likelihood is smooth at 0; no variance between studies exceeds their range squared.
    found = minimize_scalar(
        lambda s: deviance(s**2), bounds=(0, float(np.ptp(y)) + 1e-9), method="bounded", options={"xatol": 1e-10}
    )
    tau2 = float(found.x) ** 2 if found.fun < deviance(0.0) - 1e-12 else 0.0
    mean, usual, squares = around(tau2)
    variance = usual * max(squares / (k - 1), 1.0)
    times = t.ppf((1 + level) / 2, k - 1)
    half, reach = times * np.sqrt(variance), times * np.sqrt(tau2 + variance)
    ends = (float(mean + d) for d in (0, -half, half, -reach, reach))
    return Pooled(k, *ends, float(np.sqrt(tau2)), q, float(chi2.sf(q, k - 1)))


def pool_shares(
    shares: Sequence[float], intervals: Sequence[tuple[float, float] | None], sizes: Sequence[float]
) -> Pooled:
    """Pool shares, from 0 to 1, on the logit scale; ``mean`` and intervals are shares again.

    A share's error is a quarter of its 95% interval's width on the logit scale (by 1.96), or without an ``interval``
    that of a binomial share of ``sizes`` people.

    Raises
    ------
    ValueError
        As ``pool``; or a share of none or all, which has no place on this scale.
    """
    if any(not 0 < p < 1 for p in shares):
        raise ValueError("a share of none or all cannot be pooled on the logit scale")
    errors = [
        np.ptp(logit(ends)) / (2 * norm.ppf(0.975)) if ends else 1 / np.sqrt(n * p * (1 - p))
        for p, ends, n in zip(shares, intervals, sizes, strict=True)
    ]
    return pool(logit(shares), errors).on(expit)


def pool_proportions(counts: Sequence[int], sizes: Sequence[int]) -> Pooled:
    """Pool ``counts`` of ``sizes`` as shares.

    Raises
    ------
    ValueError
        As ``pool_shares``, or a count above its size.
    """
    groups = [check_group(count, n) for count, n in zip(counts, sizes, strict=True)]
    return pool_shares([count / n for count, n in groups], [None] * len(groups), sizes)


class CommonOdds(NamedTuple):
    """An odds ratio over studies with its 95% interval by profile likelihood, and ``tau``, the spread of log ratios."""

    mean: float
    low: float
    high: float
    tau: float


def pool_sparse(tables: Sequence[tuple[int, int, int, int]]) -> CommonOdds:
    """Pool odds ratios of 2 × 2 tables, each ``(events, size, events of the others, their size)``, however sparse.

    The exact distribution of a table given its margins is the noncentral hypergeometric; log odds ratios vary
    normally between studies. Nothing is added to a cell.
    """
    lattice = []
    for a, n, c, m in tables:
        check_group(a, n), check_group(c, m)
        x = np.arange(max(0, a + c - m), min(n, a + c) + 1)
        ways = -gammaln(x + 1) - gammaln(n - x + 1) - gammaln(a + c - x + 1) - gammaln(m - a - c + x + 1)
        lattice.append((a, x, ways))

    def loss(mean: float, tau: float) -> float:
        effects = mean + tau * _NODES
        total = 0.0
        for a, x, ways in lattice:
            given = ways[x == a] + a * effects - logsumexp(ways[:, None] + np.outer(x, effects), axis=0)
            total -= logsumexp(given, b=_WEIGHTS / _WEIGHTS.sum())
        return total

    def profile(mean: float) -> float:
        return min(loss(mean, 0.0), minimize_scalar(lambda s: loss(mean, s), bounds=(0, 5), method="bounded").fun)

    best = minimize(
        lambda p: loss(p[0], abs(p[1])), [0.5, 0.3], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10}
    )
    mean, tau = float(best.x[0]), abs(float(best.x[1]))
    if loss(mean, 0.0) <= best.fun + 1e-9:
        tau = 0.0
    allowed = best.fun + chi2.ppf(0.95, 1) / 2
    ends = []
    for sign in (-1, 1):
        inside, outside = mean, mean + sign
        while profile(outside) < allowed:
            inside, outside = outside, outside + sign
        for _ in range(40):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if profile(middle) < allowed else (inside, middle)
        ends.append(outside)
    return CommonOdds(*(float(np.exp(x)) for x in (mean, *ends)), tau)
