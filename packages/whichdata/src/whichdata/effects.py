"""Effect estimates, their intervals and their p values: each from the others, over everything the rounding admits.

Scales: a ``"difference"`` is compared with 0, a ``"ratio"`` with 1 on the log scale. p values are two-sided unless
``sides`` says otherwise. Floats throughout: logarithms and normal quantiles are not rational; comparisons that can be
made exactly (is an estimate the geometric middle of its interval?) are.
"""

import math
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from scipy.special import ndtr, ndtri

from whichdata.given import PROBABILITIES, check_choice, check_number, read_share, read_value
from whichdata.printed import Interval, Printed

SCALES = ("ratio", "difference")
METHODS = ("exact_normal", "altman_bland")


def two_sided_p(z: float) -> float:
    """Two-sided normal p of the statistic ``z``, 2 Φ(−abs z) by definition, without loss far out in the tail."""
    return float(2 * ndtr(-abs(z)))


def z_from_p(p: float, sides: int = 2) -> float:
    """The normal statistic whose tail is ``p / sides`` by definition: halve p before the inverse, never z after it.

    0 < p ≤ 1, or ValueError; p = 1 two-sided is z = 0.
    """
    if sides not in (1, 2):
        raise ValueError(f"a test has 1 or 2 sides, not {sides!r}")
    p = check_number("p", p, above=0, most=1)
    return float(-ndtri(p / sides)) + 0.0  # no negative zero


def _z_of_level(level) -> float:
    """How many standard errors a two-sided interval of this level reaches to either side."""
    return z_from_p(1 - check_number("level", level, above=0, below=1))


def _on_scale(value: float, scale: str) -> float:
    return math.log(value) if scale == "ratio" else value


def _check_effect(name: str, value, scale: str) -> float:
    check_choice("scale", scale, SCALES)
    return check_number(name, value, above=0 if scale == "ratio" else -math.inf)


class PFromInterval(NamedTuple):
    """A p value from an estimate and its confidence interval: ``se`` on the scale compared, ``z`` unsigned."""

    z: float
    se: float
    p: float


def p_from_interval(
    estimate, lower, upper, scale: str = "ratio", method: str = "exact_normal", level: float = 0.95
) -> PFromInterval:
    """p from an estimate and its symmetric interval (symmetric on the log scale for a ratio).

    ``exact_normal``: SE = width / (2 z), p from the normal. ``altman_bland``: their printed recipe, SE = width / 3.92
    and p = exp(−0.717 z − 0.416 z²), for 95 % intervals [AltmanBland2011p]. ValueError if the interval does not hold
    the estimate or has no width.
    """
    check_choice("method", method, METHODS)
    if scale == "ratio" and lower == 0:
        raise ValueError(
            "a lower limit of 0 has no logarithm; where 0.00 was printed, give the printed texts to effect_box "
            "(ratio_ci_p_consistency), which goes through all they stand for"
        )
    estimate, lower, upper = (
        _check_effect(name, value, scale)
        for name, value in (("estimate", estimate), ("lower limit", lower), ("upper limit", upper))
    )
    if not lower <= estimate <= upper:
        raise ValueError(f"the interval {lower:g} to {upper:g} does not hold its estimate {estimate:g}")
    if lower == upper:
        raise ValueError(f"the interval {lower:g} to {upper:g} has no width, so no standard error")
    if method == "altman_bland" and level != 0.95:
        raise ValueError("the Altman–Bland recipe is for 95 % intervals; use exact_normal")
    multiplier = 1.96 if method == "altman_bland" else _z_of_level(level)
    se = (_on_scale(upper, scale) - _on_scale(lower, scale)) / (2 * multiplier)
    z = abs(_on_scale(estimate, scale)) / se
    p = math.exp(-0.717 * z - 0.416 * z**2) if method == "altman_bland" else two_sided_p(z)
    return PFromInterval(float(z), float(se), p)


class IntervalFromP(NamedTuple):
    """A confidence interval from an estimate and its p value; ``se`` is on the log scale for a ratio."""

    z: float
    se: float
    lower: float
    upper: float


def interval_from_p(
    estimate, p, scale: str = "difference", method: str = "exact_normal", level: float = 0.95
) -> IntervalFromP:
    """The interval that an estimate and its two-sided p imply.

    ``altman_bland``: z = −0.862 + √(0.743 − 2.404 ln p) and 1.96 [AltmanBland2011ci]. ValueError where p and the
    estimate leave no finite standard error (p = 1, or no effect at all).
    """
    check_choice("method", method, METHODS)
    estimate = _check_effect("estimate", estimate, scale)
    p = check_number("p", p, above=0, below=1)
    effect = _on_scale(estimate, scale)
    if effect == 0:
        raise ValueError(f"an estimate of {estimate:g} is no effect: its p is 1 whatever the standard error")
    if method == "altman_bland":
        if level != 0.95:
            raise ValueError("the Altman–Bland recipe is for 95 % intervals; use exact_normal")
        z, multiplier = -0.862 + math.sqrt(0.743 - 2.404 * math.log(p)), 1.96
    else:
        z, multiplier = z_from_p(p), _z_of_level(level)
    if z <= 0:
        raise ValueError(f"p = {p:g} is too close to 1 to give a standard error by {method}")
    se = abs(effect / z)
    low, high = effect - multiplier * se, effect + multiplier * se
    if scale == "ratio":
        low, high = math.exp(low), math.exp(high)
    return IntervalFromP(float(z), float(se), float(low), float(high))


class EffectBox(NamedTuple):
    """What an estimate printed with its interval admits.

    ``p`` at the printed values (None where the lower limit of a ratio is printed as zero: any value down to zero may
    stand behind it, so ``p_highest`` is 1 and ``middle_lowest`` 0, both approached) · ``p_lowest``, ``p_highest`` over
    the corners of the rounding box · ``middle`` of the interval (geometric for a ratio) and its range · ``central``:
    may the estimate be that middle? · ``asymmetry`` at the printed values, (upper − estimate) / (estimate − lower) on
    the scale compared, 1 if symmetric; None if the estimate is the lower limit, or that is zero on a log scale.
    """

    p: float | None
    p_lowest: float
    p_highest: float
    middle: float
    middle_lowest: float
    middle_highest: float
    central: bool
    asymmetry: float | None

    def may_print(self, p: str | Printed, rounding: str = "up_or_down") -> bool:
        """Can the p value printed as ``p`` come from inside the box? Derived here: p is continuous on it."""
        printed = p if isinstance(p, Printed) else Printed.parse(p)
        admitted = printed.interval(rounding)
        return not admitted.intersection(Interval(Fraction(self.p_lowest), Fraction(self.p_highest))).empty


def _z_of(effect: float, low: float, high: float, multiplier: float) -> float:
    width = high - low
    if width == math.inf:
        return 0.0
    return abs(effect) * 2 * multiplier / width if width > 0 else math.inf


def effect_box(
    estimate: str, lower: str, upper: str, scale: str = "ratio", rounding: str = "up_or_down", level: float = 0.95
) -> EffectBox:
    """Hold a printed estimate against its printed interval: p and symmetry over every value the rounding admits.

    Derived here: abs(z) = 2 z_level abs(estimate) / width on the scale compared, so the extremes of p lie at corners of
    the box: the estimate farthest from no effect with the narrowest interval, and nearest with the widest; where the
    estimate may be no effect, p reaches 1. The lower limit of a ratio may be printed as zero ("0.00"). ValueError if no
    admissible values put the estimate inside its interval.
    """
    check_choice("scale", scale, SCALES)
    printed = [_printed_effect(name, text, scale) for name, text in
               (("estimate", estimate), ("lower limit", lower), ("upper limit", upper))]  # fmt: skip
    e, low, high = (p.interval(rounding) for p in printed)
    if scale == "ratio" and low.upper <= 0:
        raise ValueError(f"under {rounding} a lower limit of {lower} is not above 0, as a ratio is; take another rule")
    if high.upper <= low.lower or e.upper < low.lower or e.lower > high.upper:
        raise ValueError(f"the interval {lower} to {upper} does not hold its estimate {estimate}")
    multiplier = _z_of_level(level)

    def at(bound) -> float:
        if bound <= 0 and scale == "ratio":
            return -math.inf
        return _on_scale(float(bound), scale)

    def p_of(effect, interval_low, interval_high) -> float:
        return two_sided_p(_z_of(at(effect), at(interval_low), at(interval_high), multiplier))

    corners = product((e.lower, e.upper), (low.lower, low.upper), (high.lower, high.upper))
    corner_p = [p_of(*corner) for corner in corners]
    if at(e.lower) <= 0 <= at(e.upper):
        corner_p.append(1.0)
    values = [p.value for p in printed]
    endless = scale == "ratio" and values[1] == 0
    middle = _geometric_mean(values[1], values[2]) if scale == "ratio" else float(values[1] + values[2]) / 2
    from_low, from_high = at(values[0]) - at(values[1]), at(values[2]) - at(values[0])
    return EffectBox(
        None if endless else p_of(*values),
        min(corner_p),
        max(corner_p),
        middle,
        *_middles(low, high, scale),
        _may_be_middle(e, low, high, scale),
        from_high / from_low if 0 < from_low < math.inf else None,
    )


def symmetric_ends(
    estimate: str, lower: str, upper: str, scale: str = "ratio", rounding: str = "up_or_down"
) -> tuple[Interval, Interval]:
    """The limits of an interval symmetric around its estimate: each from the printed estimate and the other limit.

    Derived here: e²/upper and e²/lower for a ratio, 2e − upper and 2e − lower for a difference, over every value that
    the rounding admits. ValueError where the lower limit of a ratio is printed as zero, which leaves the upper open.
    """
    check_choice("scale", scale, SCALES)
    printed = [_printed_effect(name, text, scale) for name, text in
               (("estimate", estimate), ("lower limit", lower), ("upper limit", upper))]  # fmt: skip
    e, low, high = (p.interval(rounding) for p in printed)
    if scale == "difference":
        return tuple(Interval(2 * e.lower - end.upper, 2 * e.upper - end.lower) for end in (high, low))
    if low.lower <= 0:
        raise ValueError(
            f"a lower limit of {lower} of a ratio may stand for any value down to zero: no upper limit follows"
        )
    return tuple(Interval(e.lower**2 / end.upper, e.upper**2 / end.lower) for end in (high, low))


def _printed_effect(name: str, text: str, scale: str) -> Printed:
    printed = read_value(name, text)
    if scale == "ratio" and printed.value == 0 and printed.decimals and name != "lower limit":
        raise ValueError(
            f"the {name} {text} of a ratio stands for any value down to zero, whose logarithm has no bound: give it "
            "with more decimals, or say whether the scale is 'difference'"
        )
    if scale == "ratio" and (printed.value < 0 or printed.value == 0 and not printed.decimals):
        raise ValueError(f"the {name} {text} of a ratio must be above 0; is the scale 'difference'?")
    return printed


def _geometric_mean(a: Fraction, b: Fraction) -> float:
    """√(a b); each root on its own, for the product may be too large for a float."""
    return math.sqrt(max(a, 0)) * math.sqrt(b)


def _middles(low: Interval, high: Interval, scale: str) -> tuple[float, float]:
    ends = (low.lower, high.lower), (low.upper, high.upper)
    if scale == "ratio":
        return tuple(_geometric_mean(a, b) for a, b in ends)
    return tuple(float(a + b) / 2 for a, b in ends)


def _may_be_middle(e: Interval, low: Interval, high: Interval, scale: str) -> bool:
    # Compared as squares for a ratio, as doubles for a difference: exactly, with the open ends respected.
    if scale == "ratio":
        middle = Interval(
            max(low.lower, 0) * high.lower,
            low.upper * high.upper,
            low.lower_closed and high.lower_closed,
            low.upper_closed and high.upper_closed,
        )
        estimate = Interval(max(e.lower, 0) ** 2, e.upper**2, e.lower_closed, e.upper_closed)
    else:
        middle, estimate = low + high, e.scaled(2)
    return not middle.intersection(estimate).empty


# Hazard ratios ------------------------------------------------------------------------------------------------------


def logrank_variances(events=None, events_by_arm=None, n_by_arm=None) -> dict[str, float]:
    """The approximate variance of the log-rank O − E by every rule the printed numbers allow.

    ``equal_alloc`` d/4 · ``events_by_arm`` d₁d₂/d · ``numbers_randomised`` d n₁n₂/N² [Tierney2007].
    ``events``: all events d, else the sum of ``events_by_arm``.
    """
    if events_by_arm is not None:
        d1, d2 = (check_number("events", d, least=0) for d in events_by_arm)
        if events is not None and events != d1 + d2:
            raise ValueError(f"{events} events in all, but {d1:g} and {d2:g} by arm")
        events = d1 + d2
    d = check_number("events", events, above=0)
    variances = {"equal_alloc": d / 4}
    if events_by_arm is not None:
        variances["events_by_arm"] = d1 * d2 / d
    if n_by_arm is not None:
        n1, n2 = (check_number("n", n, above=0) for n in n_by_arm)
        if d > n1 + n2:
            raise ValueError(f"{d:g} events among {n1 + n2:g} patients: there are more events than patients")
        if events_by_arm is not None and (d1 > n1 or d2 > n2):
            raise ValueError(f"{d1:g} and {d2:g} events of {n1:g} and {n2:g} patients by arm cannot be")
        variances["numbers_randomised"] = d * n1 * n2 / (n1 + n2) ** 2
    return variances


def hr_from_printed_p(
    p: str, events=None, events_by_arm=None, n_by_arm=None, lower_hazard: bool = True, rounding: str = "up_or_down"
) -> dict[str, tuple[float, float]]:
    """The range of the hazard ratio, by approximation, over every p that prints as ``p`` ("0.03", "< 0.001", "ns").

    ln HR = ± z/√V [Tierney2007]; z falls as p rises, so the ends of p give those of the ratio.

    An end that the print leaves open (p down to 0) is 0 or infinity; p = 1 is a hazard ratio of 1.
    """
    admitted = Printed.parse(p).interval(rounding).intersection(PROBABILITIES)
    if admitted.empty:
        raise ValueError(f"{p!r} is no p value between 0 and 1")
    ends = [z_from_p(x) if x > 0 else math.inf for x in (float(admitted.upper), float(admitted.lower))]
    sign = -1 if lower_hazard else 1
    variances = logrank_variances(events, events_by_arm, n_by_arm)
    return {name: tuple(sorted(_exp(sign * z / math.sqrt(v)) for z in ends)) for name, v in variances.items() if v > 0}


def _exp(x: float) -> float:
    return math.exp(x) if x < 700 else math.inf


# Risks and hazards --------------------------------------------------------------------------------------------------


def hazard_from_risk(risk, time) -> float:
    """The constant hazard per unit of ``time`` that gives the cumulative ``risk`` (a proportion) by then.

    By definition 1 − risk = exp(−hazard × time).
    """
    risk = check_number("risk", risk, least=0, most=1)
    return -math.log1p(-risk) / check_number("time", time, above=0) if risk < 1 else math.inf


def risk_under_hazard_ratio(risk, hr) -> float:
    """The cumulative risk where the hazard is ``hr`` times that behind ``risk`` at every time: 1 − (1 − risk)^hr.

    By definition of proportional hazards, for the logarithm of survival is then ``hr`` times what it was.
    """
    risk = check_number("risk", risk, least=0, most=1)
    return 1 - (1 - risk) ** check_number("hazard ratio", hr, above=0)


def hazard_ratio_from_risks(risk1, risk2) -> float | None:
    """ln(1 − risk2) / ln(1 − risk1), by definition the hazard ratio of second against first if it is constant.

    None where it is undefined: no risk in the first group, or certainty in both.
    """
    h1, h2 = hazard_from_risk(risk1, 1), hazard_from_risk(risk2, 1)
    if h1 == 0 or h1 == h2 == math.inf:
        return None
    return h2 / h1


def hazard_ratio_of_printed_risks(
    percent1: str, percent2: str, rounding: str = "up_or_down"
) -> tuple[float, float] | None:
    """The range of the hazard ratio, second against first, over all risks that print as the two percentages.

    Derived here: the ratio rises with the second risk and falls with the first, so the extremes are at corners. None if
    undefined throughout.
    """
    box = []
    for text in (percent1, percent2):
        admitted = read_share(text, rounding)
        if admitted.empty:
            raise ValueError(f"{text} is no percentage between 0 and 100")
        box.append((float(admitted.lower), float(admitted.upper)))
    (low1, high1), (low2, high2) = box
    corners = [hazard_ratio_from_risks(a, b) for a, b in ((high1, low2), (low1, high2))]
    if corners[0] is None:
        return None
    return corners[0], math.inf if corners[1] is None else corners[1]


class EValue(NamedTuple):
    """The E-value of an estimate, and of the confidence limit nearer to no effect (1 if the interval holds 1)."""

    point: float
    limit: float | None


def e_value(estimate, lower=None, upper=None, measure: str = "RR", rare: bool = True) -> EValue:
    """How strongly a confounder must be tied to exposure and outcome to explain an effect away [VanderWeele2017].

    RR + √(RR(RR − 1)) with the ratio taken above 1. An odds or hazard ratio counts as a risk ratio where the outcome
    is ``rare``; otherwise √OR, and (1 − ½^√HR)/(1 − ½^√(1/HR)).
    """
    check_choice("measure", measure, ("RR", "OR", "HR"))
    values = [None if v is None else check_number("ratio", v, above=0) for v in (estimate, lower or None, upper)]
    if lower is not None and not check_number("lower limit", lower, least=0):
        values[1] = 0.0  # "0.00": of no matter to the E-value, for the limit nearer to 1 is the other, or 1 lies inside
    if values[0] is None:
        raise ValueError("no estimate: an E-value needs one")
    for low, high in ((values[1], values[0]), (values[0], values[2]), (values[1], values[2])):
        if low is not None and high is not None and low > high:
            raise ValueError(f"the interval {lower} to {upper} does not hold its estimate {estimate}")
    ratios = [_as_risk_ratio(v, measure, rare) if v else v for v in values]
    near = ratios[1] if ratios[0] >= 1 else ratios[2]
    if near is None:
        return EValue(_e_value(ratios[0]), None)
    return EValue(_e_value(ratios[0]), 1.0 if (near <= 1) == (ratios[0] >= 1) else _e_value(near))


def _as_risk_ratio(ratio: float, measure: str, rare: bool) -> float:
    if rare or measure == "RR":
        return ratio
    if measure == "OR":
        return math.sqrt(ratio)
    return (1 - 0.5 ** math.sqrt(ratio)) / (1 - 0.5 ** math.sqrt(1 / ratio))


def _e_value(ratio: float) -> float:
    ratio = max(ratio, 1 / ratio)
    return ratio + math.sqrt(ratio * (ratio - 1))
