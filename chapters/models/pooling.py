"""Pooling proportions over studies that differ: the mean study, and the next one.

Logits with their binomial variances, the variance between studies by Paule and Mandel, the interval of the mean by
Hartung and Knapp, and a prediction interval for a further study with k - 2 degrees of freedom (HigginsThompson2009).
Where the studies vary, the estimates are those of statsmodels' ``combine_effects``; where they agree better than by
chance that function may carry a negative variance into the mean, and it gives no prediction interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import chi2, t

from whichdata.given import check_group


class Pooled(NamedTuple):
    """Proportions, from 0 to 1, but for ``tau`` (logit scale), ``q`` with its p, and ``k``, the number of studies.

    ``mean`` with ``low``, ``high``: the middling study · ``next_low``, ``next_high``: where a further study would lie.
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


def pool_proportions(counts: Sequence[int], sizes: Sequence[int], level: float = 0.95) -> Pooled:
    """Pool ``counts`` of ``sizes`` by random effects on the logit scale.

    A study with none or all gets a half added to events and to others; the rest are left as they are. The Hartung–Knapp
    variance is never taken smaller than the usual one: studies which happen to agree give no false precision.

    Raises
    ------
    ValueError
        Fewer than three studies (no prediction interval), or a count above its size.
    """
    if len(counts) != len(sizes) or len(counts) < 3:
        raise ValueError(f"give at least 3 counts, each with its size, not {len(counts)} and {len(sizes)}")
    groups = np.array([check_group(count, n) for count, n in zip(counts, sizes)], float)
    yes, no = groups[:, 0], groups[:, 1] - groups[:, 0]
    edge = (yes == 0) | (no == 0)
    yes, no = yes + edge / 2, no + edge / 2
    k = len(counts)
    y, v = logit(yes / (yes + no)), 1 / yes + 1 / no

    def around(tau2: float) -> tuple[float, float, float]:
        """Mean, its variance, and the weighted squares about it."""
        w = 1 / (v + tau2)
        mean = float(w @ y / w.sum())
        return mean, float(1 / w.sum()), float(w @ (y - mean) ** 2)

    q = around(0.0)[2]
    # Paule and Mandel: the variance at which the weighted squares equal their degrees of freedom (they fall with it).
    tau2 = 0.0 if q <= k - 1 else brentq(lambda x: around(x)[2] - (k - 1), 0.0, float(np.ptp(y)) ** 2 * k, xtol=1e-12)
    mean, usual, squares = around(tau2)
    variance = usual * max(squares / (k - 1), 1.0)
    half = t.ppf((1 + level) / 2, k - 1) * np.sqrt(variance)
    reach = t.ppf((1 + level) / 2, k - 2) * np.sqrt(tau2 + variance)
    ends = (float(expit(mean + d)) for d in (0, -half, half, -reach, reach))
    return Pooled(k, *ends, float(np.sqrt(tau2)), q, float(chi2.sf(q, k - 1)))
