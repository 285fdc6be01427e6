"""Mean and SD estimated from a median with a range or quartiles: estimates, not bounds."""

import math
from typing import NamedTuple

import numpy as np
from scipy.integrate import quad
from scipy.optimize import minimize, minimize_scalar
from scipy.special import betaincinv, boxcox, gammaincinv, log_ndtr, ndtr, ndtri
from scipy.special import gamma as gamma_function
from scipy.stats import beta, gamma, lognorm, norm, weibull_min

from whichdata.given import check_count, check_number, check_rising


def range_in_sds(n) -> float:
    """ξ(n): the expected range of ``n`` normal values in SDs [Wan2014] (whose table has it rounded)."""
    n = check_count("n", n, least=1)

    # E(range) = ∫ 1 − Φⁿ − (1 − Φ)ⁿ, twice the half above zero.
    def outside(x: float) -> float:
        return -math.expm1(n * float(log_ndtr(x))) - math.exp(n * float(log_ndtr(-x)))

    half = sum(quad(outside, a, b, epsabs=1e-13, limit=200)[0] for a, b in ((0, 3), (3, 6), (6, 9), (9, 40)))
    return max(2 * half, 0.0)


def range_in_sds_approximate(n) -> float:
    """2 Φ⁻¹((n − 0.375)/(n + 0.25)), the approximation of ξ(n) [Wan2014]."""
    n = check_count("n", n, least=1)
    return 2 * float(ndtri((n - 0.375) / (n + 0.25)))


def _check_rising(**values) -> list[float]:
    numbers = [check_number(name, value) for name, value in values.items()]
    check_rising(**values)
    return numbers


class RangeEstimates(NamedTuple):
    """Estimates from minimum, median and maximum: Hozo's and Luo's mean, Wan's SD."""

    hozo_mean: float
    luo_mean: float
    wan_sd: float | None


def estimates_from_range(minimum, median, maximum, n) -> RangeEstimates:
    """(a + 2m + b)/4 [Hozo2005]; w (a + b)/2 + (1 − w) m with w = 4/(4 + n^0.75) [Luo2018]; (b − a)/ξ(n) by its
    approximation [Wan2014]. The SD is None for n = 1."""
    n = check_count("n", n, least=1)
    a, m, b = _check_rising(min=minimum, median=median, max=maximum)
    weight = 4 / (4 + n**0.75)
    sd = (b - a) / range_in_sds_approximate(n) if n > 1 else None
    return RangeEstimates((a + 2 * m + b) / 4, weight * (a + b) / 2 + (1 - weight) * m, sd)


class QuartileEstimates(NamedTuple):
    """Estimates from the quartiles: Wan's and Luo's mean, Wan's SD."""

    wan_mean: float
    luo_mean: float
    wan_sd: float | None


def estimates_from_quartiles(q1, median, q3, n) -> QuartileEstimates:
    """(q1 + m + q3)/3 [Wan2014]; w (q1 + q3)/2 + (1 − w) m with w = 0.7 + 0.39/n [Luo2018];
    (q3 − q1)/(2 Φ⁻¹((0.75 n − 0.125)/(n + 0.25))) [Wan2014]. The SD is None for n = 1."""
    n = check_count("n", n, least=1)
    a, m, b = _check_rising(q1=q1, median=median, q3=q3)
    weight = 0.7 + 0.39 / n
    sd = (b - a) / (2 * float(ndtri((0.75 * n - 0.125) / (n + 0.25)))) if n > 1 else None
    return QuartileEstimates((a + m + b) / 3, weight * (a + b) / 2 + (1 - weight) * m, sd)


def mean_from_five_numbers(minimum, q1, median, q3, maximum, n) -> float:
    """w₁ (a + b)/2 + w₂ (q1 + q3)/2 + (1 − w₁ − w₂) m, w₁ = 2.2/(2.2 + n^0.75), w₂ = 0.7 − 0.72/n^0.55 [Luo2018]."""
    n = check_count("n", n, least=1)
    a, low, m, high, b = _check_rising(min=minimum, q1=q1, median=median, q3=q3, max=maximum)
    outer, inner = 2.2 / (2.2 + n**0.75), 0.7 - 0.72 / n**0.55
    return outer * (a + b) / 2 + inner * (low + high) / 2 + (1 - outer - inner) * m


class MeanSd(NamedTuple):
    """An estimated mean and SD, and what they were estimated through."""

    mean: float
    sd: float
    through: str


def quantile_estimates(minimum, median, maximum, n) -> MeanSd:
    """Mean and SD of the distribution (normal, log-normal, gamma, Weibull, beta) whose quantiles at 1/n, ½ and
    1 − 1/n lie nearest to minimum, median and maximum [McGrath2020] (method QE).

    By numerical optimisation, good to about four digits. With negative values only the normal is tried; a minimum of
    0 is taken as 0.01.
    """
    n = check_count("n", n, least=3)
    values = np.array(_check_rising(min=minimum, median=median, max=maximum))
    values[values == 0] = 0.01
    probabilities = np.array([1 / n, 0.5, 1 - 1 / n])
    start = estimates_from_range(*values, n)
    fits = []
    for name, (quantiles, distribution, first, bounds) in _families(values, start.luo_mean, start.wan_sd).items():
        # The starting values may lie outside the bounds for a bounded or badly skewed family.
        first = [min(max(x, low), high) for x, (low, high) in zip(first, bounds)]

        def distance(theta, quantiles=quantiles) -> tuple[float, np.ndarray]:
            """The sum of squares, and its slopes by central differences: all five points at once."""
            steps = np.cbrt(np.finfo(float).eps) * np.maximum(np.abs(theta), 1e-3)
            points = theta + np.vstack([np.zeros(2), np.diag(steps), -np.diag(steps)])
            gaps = quantiles(probabilities, points[:, :1], points[:, 1:]) - values
            here, *around = np.nan_to_num((gaps**2).sum(axis=1), nan=1e9, posinf=1e9)
            return float(here), (np.array(around[:2]) - around[2:]) / (2 * steps)

        with np.errstate(all="ignore"):  # a far-off trial value may overflow; it is then merely far off
            options = {"ftol": 1e-13, "gtol": 1e-9, "maxiter": 2000}
            fit = minimize(distance, first, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        fits.append((fit.fun, name, distribution, fit.x))
    _, best, distribution, theta = min(fits, key=lambda fit: fit[0])
    found = distribution(*theta)
    return MeanSd(float(found.mean()), float(found.std()), best)


def _families(values: np.ndarray, mean: float, sd: float) -> dict:
    """{name: (quantile function, distribution, starting values, bounds)} of the families tried by QE."""
    families = {
        "normal": (
            lambda p, mu, sigma: mu + sigma * ndtri(p),
            norm,
            (mean, sd), ((values[0], values[-1]), (1e-3, 50)),
        )
    }  # fmt: skip
    if values[0] <= 0:
        return families
    variation = sd / mean
    shape = (1 / variation) ** 1.086
    families["log-normal"] = (
        lambda p, mu, sigma: np.exp(mu + sigma * ndtri(p)),
        lambda mu, sigma: lognorm(sigma, scale=math.exp(mu)),
        (math.log(mean / math.sqrt(1 + variation**2)), math.sqrt(math.log1p(variation**2))),
        ((math.log(values[0]), math.log(values[-1])), (1e-3, 10)),
    )
    families["gamma"] = (
        lambda p, a, rate: gammaincinv(a, p) / rate,
        lambda a, rate: gamma(a, scale=1 / rate),
        (1 / variation**2, mean / sd**2), ((1e-3, 100), (1e-3, 100)),
    )  # fmt: skip
    families["weibull"] = (
        lambda p, k, scale: scale * (-np.log1p(-p)) ** (1 / k),
        lambda k, scale: weibull_min(k, scale=scale),
        (shape, mean / gamma_function(1 + 1 / shape)), ((1e-3, 100), (1e-3, 100)),
    )  # fmt: skip
    first = mean * (mean * (1 - mean) / sd**2 - 1)
    families["beta"] = (
        lambda p, a, b: betaincinv(a, b, p),
        beta,
        (first, first * (1 - mean) / mean), ((1e-3, 40), (1e-3, 40)),
    )  # fmt: skip
    return families


def box_cox_estimates(minimum, median, maximum, n) -> MeanSd:
    """Mean and SD through the Box–Cox power λ that makes minimum and maximum equally far from the median
    [McGrath2020] (method BC): Luo's mean and Wan's SD after the power, then back by integration over the normal,
    cut off where the power has no inverse and symmetrically above.

    Positive values only (ValueError); λ is searched from −2 to 3 and taken as 0 where negative.
    """
    n = check_count("n", n, least=3)
    values = np.array(_check_rising(min=minimum, median=median, max=maximum))
    if values[0] <= 0:
        raise ValueError(f"the minimum {minimum:g} is not positive: the Box–Cox power needs positive values")
    if not values[0] < values[1] < values[2]:
        raise ValueError("minimum, median and maximum must differ for a Box–Cox power")

    def skew(power: float) -> float:
        low, middle, high = boxcox(values, power)
        return ((high - middle) / (middle - low) - 1) ** 2

    power = max(0.0, float(minimize_scalar(skew, bounds=(-2, 3), method="bounded", options={"xatol": 1e-10}).x))
    estimates = estimates_from_range(*boxcox(values, power), n)
    mean, sd = _mean_sd_before_power(estimates.luo_mean, estimates.wan_sd, power)
    return MeanSd(mean, sd, f"power {power:.4g}")


def _mean_sd_before_power(location: float, scale: float, power: float) -> tuple[float, float]:
    if power <= 1e-2:  # as good as a logarithm
        mean = math.exp(location + scale**2 / 2)
        return mean, math.sqrt(math.expm1(scale**2)) * mean
    low, high = sorted((-1 / power, 2 * location + 1 / power))
    weight = ndtr((high - location) / scale) - ndtr((low - location) / scale)

    def density(x: float) -> float:
        return math.exp(-(((x - location) / scale) ** 2) / 2) / (scale * math.sqrt(2 * math.pi))

    def expected(function) -> float:
        # The normal has no weight worth integrating beyond twelve SDs.
        a, b = max(low, location - 12 * scale), min(high, location + 12 * scale)
        return quad(lambda x: function(max(power * x + 1, 0) ** (1 / power)) * density(x), a, b,
                    points=[location], epsabs=1e-12, limit=200)[0] / weight  # fmt: skip

    mean = expected(lambda v: v)
    return mean, math.sqrt(expected(lambda v: (v - mean) ** 2))
