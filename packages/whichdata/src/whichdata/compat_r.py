"""The stopping rule of R's ``uniroot``: only for figures that were printed from R and are to be found again."""

import math
import sys
from collections.abc import Callable


def root_of_r(function: Callable[[float], float], target: float) -> float:
    """The ψ in 0 to ∞ at which the monotone ``function`` is ``target``, as ``fisher.test`` finds it [RFisherTest].

    On t = ψ up to 1, on t = 1/ψ above, by Brent's method [Brent1973] to R's default tolerance of 1.2e-4 on t.
    """
    at_one = function(1.0)
    if at_one == target:
        return 1.0
    rising = function(math.inf) > function(0.0)
    if (at_one > target) == rising:
        return _brent_of_r(lambda x: function(x) - target, 0.0, 1.0)
    return 1 / _brent_of_r(lambda x: function(1 / x) - target, sys.float_info.epsilon, 1.0)


def _brent_of_r(function: Callable[[float], float], a: float, b: float) -> float:
    """Brent's zero of ``function`` between ``a`` and ``b`` with the default stopping rule of R's ``uniroot``.

    b is the best point, a the one before it, c the other side of the zero. scipy's brentq takes slightly other steps
    and stops elsewhere within the same tolerance.
    """
    tolerance = sys.float_info.epsilon**0.25
    fa, fb = function(a), function(b)
    if fa == 0:
        return a
    c, fc = a, fa
    while True:
        previous = b - a
        if abs(fc) < abs(fb):
            a, b, c = b, c, b
            fa, fb, fc = fb, fc, fb
        least_step = 2 * sys.float_info.epsilon * abs(b) + tolerance / 2
        step = (c - b) / 2
        if abs(step) <= least_step or fb == 0:
            return b
        if abs(previous) >= least_step and abs(fa) > abs(fb):
            p, q = _interpolated(a, b, c, fa, fb, fc)
            if p < 0.75 * (c - b) * q - abs(least_step * q) / 2 and p < abs(previous * q / 2):
                step = p / q
        if abs(step) < least_step:
            step = math.copysign(least_step, step)
        a, fa = b, fb
        b += step
        fb = function(b)
        if (fb > 0) == (fc > 0):
            c, fc = a, fa


def _interpolated(a, b, c, fa, fb, fc) -> tuple[float, float]:
    """Brent's step p/q with p ≥ 0: linear through two points, inverse quadratic through three."""
    t1 = fb / fa
    if a == c:
        p, q = (c - b) * t1, 1 - t1
    else:
        q, t1, t2 = fa / fc, fb / fc, fb / fa
        p = t2 * ((c - b) * q * (q - t1) - (b - a) * (t1 - 1))
        q = (q - 1) * (t1 - 1) * (t2 - 1)
    return (p, -q) if p > 0 else (-p, q)
