"""Planning: how many events or patients, what power, which effect could have been seen.

Two-sided level ``alpha`` throughout; power counts only the tail on the side of the effect, as R's ``strict = FALSE``.
"""

import math

from scipy.special import ndtr, ndtri
from scipy.stats import nct, t

from whichdata.given import check_number


def _upper(probability: float) -> float:
    return float(-ndtri(probability))


def _check_design(alpha, power=None, alloc=None) -> None:
    check_number("alpha", alpha, above=0, below=1)
    if power is not None:
        check_number("power", power, above=alpha / 2, below=1)
    if alloc is not None:
        check_number("alloc", alloc, above=0, below=1)


def _log_hr(hr) -> float:
    log_hr = math.log(check_number("hazard ratio", hr, above=0))
    if log_hr == 0:
        raise ValueError("a hazard ratio of 1 is no effect: no number of events can show it")
    return log_hr


def schoenfeld_events(hr, power=0.8, alpha=0.05, alloc=0.5) -> float:
    """Events needed to see the hazard ratio ``hr``: (z_α/2 + z_β)² / (π(1 − π) ln² hr) [Schoenfeld1983].

    ``alloc``: π, the share of patients in one arm. Not rounded up.
    """
    _check_design(alpha, power, alloc)
    return (_upper(alpha / 2) + _upper(1 - power)) ** 2 / (alloc * (1 - alloc) * _log_hr(hr) ** 2)


def schoenfeld_power(hr, events, alpha=0.05, alloc=0.5) -> float:
    """Power of the log-rank test to see ``hr`` with ``events`` in all: Φ(|ln hr| √(d π(1 − π)) − z_α/2)
    [Schoenfeld1983]."""
    _check_design(alpha, alloc=alloc)
    log_hr = math.log(check_number("hazard ratio", hr, above=0))
    events = check_number("events", events, least=0)
    return float(ndtr(abs(log_hr) * math.sqrt(events * alloc * (1 - alloc)) - _upper(alpha / 2)))


def detectable_hr(events, power=0.8, alpha=0.05, alloc=0.5) -> float:
    """The hazard ratio above 1 that ``events`` in all show with the ``power`` (its inverse on the other side).

    :func:`schoenfeld_events` solved for it: exp((z_α/2 + z_β) / √(d π(1 − π))) [Schoenfeld1983].
    """
    _check_design(alpha, power, alloc)
    events = check_number("events", events, above=0)
    return math.exp((_upper(alpha / 2) + _upper(1 - power)) / math.sqrt(events * alloc * (1 - alloc)))


def power_two_proportions(n1, p1, p2, alpha=0.05, n2=None) -> float | None:
    """Power of the normal test of two proportions, ``n1`` and ``n2`` patients (``n2`` None: as many).

    The pooled variance under no difference, the separate ones under p1 ≠ p2, as R's ``power.prop.test``
    [RCorePower]. None where
    both proportions are the same certainty, which leaves 0/0.
    """
    _check_design(alpha)
    p1, p2 = (check_number("proportion", p, least=0, most=1) for p in (p1, p2))
    n1 = check_number("n", n1, above=0)
    n2 = n1 if n2 is None else check_number("n", n2, above=0)
    pooled = (n1 * p1 + n2 * p2) / (n1 + n2)
    null = math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    alternative = math.sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)
    margin = abs(p1 - p2) - _upper(alpha / 2) * null
    if alternative == 0:
        return None if margin == 0 else float(margin > 0)
    return float(ndtr(margin / alternative))


def power_t_test(n_per_group, delta, sd=1, alpha=0.05, samples: int = 2) -> float:
    """Power of the t test for a difference ``delta`` of means with standard deviation ``sd`` (non-central t)
    [RCorePower].

    ``samples``: 2 groups of ``n_per_group``, or 1 (one sample, or pairs with the SD of their differences).
    """
    _check_design(alpha)
    n = check_number("n", n_per_group, above=1)
    sd = check_number("SD", sd, above=0)
    if samples not in (1, 2):
        raise ValueError(f"a t test has 1 or 2 samples, not {samples!r}")
    df = samples * (n - 1)
    shift = math.sqrt(n / samples) * abs(check_number("difference", delta)) / sd
    return float(nct.sf(t.isf(alpha / 2, df), df, shift))  # statsmodels takes 1 - cdf, which is NaN far from the null
