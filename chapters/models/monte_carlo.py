"""Monte Carlo errors of what the models of several chapters simulate."""

from __future__ import annotations

import math

import numpy as np


def median_with_error(values) -> tuple[float, float]:
    """The median of simulated values and its Monte Carlo error: half the distance of the quantiles 1/2 ± 1/(2√n).

    Binomially, the number of values below the median has the standard deviation √n/2, whatever their distribution.
    """
    values = np.asarray(values, float)
    half = 0.5 / math.sqrt(values.size)
    low, middle, high = np.quantile(values, [0.5 - half, 0.5, 0.5 + half])
    return float(middle), float(high - low) / 2
