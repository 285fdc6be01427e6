"""Checks on rounding, counts, effects, ranks and design."""

import math
from fractions import Fraction

from scipy.stats import binomtest

from whichdata import design, effects, median_range, proportions, rank_nulls, rank_sets, ranks, tables2x2
from whichdata.checks import check
from whichdata.given import MOST_COUNTS, check_group, check_list, check_number, check_pair, given_interval
from whichdata.printed import Printed, check_rounding, decimal_text

BY_RULE = {
    "up_or_down": "half a unit either side, both ends in",
    "up": "halves rounded up",
    "down": "halves rounded down",
    "even": "halves rounded to even",
    "floor": "rounded down",
    "ceiling": "rounded up",
    "trunc": "digits cut off",
}


def _rule(rounding: str) -> str:
    check_rounding(rounding)
    return f"rounding {rounding}: {BY_RULE.get(rounding, rounding)}"


def fields(case: dict, required: tuple, optional: dict, name: str) -> dict:
    """The values of ``case`` by key, with defaults. ValueError for a key that is missing or unknown."""
    if not isinstance(case, dict):
        raise ValueError(f"{name} is an object with {', '.join((*required, *optional))}")
    missing = [k for k in required if k not in case]
    unknown = [k for k in case if k not in required and k not in optional]
    if missing or unknown:
        wrong = f"lacks {', '.join(missing)}" if missing else f"has no use for {', '.join(unknown)}"
        raise ValueError(f"{name} {wrong}; it takes {', '.join((*required, *optional))}")
    return optional | case


# Rounding and counts ------------------------------------------------------------------------------------------------


@check
def rounding_interval(printed: str, rounding="up_or_down"):
    """Which values are rounded to this printed number?

    Example: printed=8.2 rounding=floor
    """
    value = Printed.parse(printed)
    interval = value.interval(rounding)
    result = {
        "lower": _exact_text(interval.lower, value),
        "upper": _exact_text(interval.upper, value),
        "lower_closed": interval.lower_closed,
        "upper_closed": interval.upper_closed,
    }
    return result, _rule(rounding)


def _exact_text(bound, printed: Printed) -> str | None:
    """A bound with the decimals printed, or one more where it lies between; None if there is none."""
    if isinstance(bound, float):
        return None
    places = printed.decimals or 0
    while (bound * Fraction(10) ** places).denominator != 1:
        places += 1
    return decimal_text(bound, places)


@check
def count_percent(count, n, percent: str, rounding="up_or_down"):
    """Would this count out of n patients be reported as this percentage?

    Example: count=7 n=12 percent=58
    """
    return {"consistent": proportions.count_prints(count, n, percent, rounding)}, _rule(rounding)


@check
def percent_to_counts(percent: str, n, rounding="up_or_down"):
    """Which counts out of n patients are reported as this percentage?

    Example: percent=58 n=12
    """
    possible = proportions.possible_counts(percent, n, rounding)
    number = possible.stop - possible.start
    if number > MOST_COUNTS:
        raise ValueError(f"{number} counts of {n} print {percent} %: give the percentage with more decimals")
    return {"possible_counts": list(possible)}, _rule(rounding)


@check
def percent_to_denominators(percent: str | list[str], n_max, rounding="up_or_down"):
    """At which group sizes does some count give this percentage (or each of several)?

    Example: percent=57 n_max=12
    """
    return {"possible_n": proportions.possible_denominators(percent, n_max, rounding)}, _rule(rounding)


@check
def median_granularity(median: str, n, data="integer", rounding="up_or_down"):
    """Can n values have this median?

    Example: median=7.5 n=9
    """
    consistent = median_range.median_possible(median, n, data, rounding)
    return {"consistent": consistent}, f"{data} data, median of an even number midway; {_rule(rounding)}"


@check
def contingency_2x2_all_methods(table):
    """What is the p value of a 2×2 table by each of the usual tests?

    Example: 'table=[[7, 5], [2, 10]]'
    """
    convention = (
        "two-sided; fisher_midp doubles the smaller one-sided mid-p, fisher_midp_sas takes half the observed "
        "probability off the minlike sum; null where a margin is empty"
    )
    return tables2x2.tests_2x2(table)._asdict(), convention


@check
def odds_ratio(table):
    """What is the odds ratio of a 2×2 table, with its exact 95% confidence interval?

    Example: 'table=[[7, 5], [2, 10]]'
    """
    found = tables2x2.odds_ratio(table, solver="r")
    result = {
        "conditional_mle": found.conditional_mle,
        "exact_ci95": [found.lower, found.upper],
        "sample_or": found.sample,
    }
    return result, "conditional on the margins, to the tolerance of R's fisher.test; null: infinite or undefined"


@check
def two_proportions_feasible(n1, percent1: str, n2, percent2: str, rounding="up_or_down"):
    """Which counts lie behind two reported percentages, and what is p for each pair?

    Example: n1=24 percent1=58 n2=24 percent2=29
    """
    methods = {"pearson": "pearson", "yates": "yates", "fisher": "fisher_minlike"}
    result = {name: [] for name in methods}
    for table in proportions.tables_printing(n1, percent1, n2, percent2, rounding):
        tests = tables2x2.tests_2x2(table)
        for name, field in methods.items():
            result[name].append({"counts": [table[0][0], table[1][0]], "p": getattr(tests, field)})
    return result, f"every pair of counts that prints the percentages; two-sided p; {_rule(rounding)}"


@check
def proportion_ci95(count, n):
    """What is the 95% confidence interval of a proportion by each of the usual methods?

    Example: count=3 n=12
    """
    intervals = proportions.proportion_intervals(count, n)
    return {k: list(v) for k, v in intervals.items()}, "two-sided 95 %; wilson_cc by Newcombe's formula"


@check
def binom_test(count, n, p0=0.5):
    """What is the exact p value of a count out of n against the proportion p0?

    Example: count=9 n=12 p0=0.5
    """
    count, n = check_group(count, n)
    p0 = check_number("p0", p0, least=0, most=1)
    test = binomtest(count, n, p0)
    interval = proportions.proportion_intervals(count, n)["clopper_pearson"]
    return {"p": test.pvalue, "clopper_pearson": list(interval)}, "two-sided: sums counts no likelier; 95 % interval"


# Ranks --------------------------------------------------------------------------------------------------------------


@check
def mann_whitney(x, y):
    """What is the p value of the Mann–Whitney test of two samples by each convention?

    Example: 'x=[0.8, 0.83, 1.89, 1.04]' 'y=[1.15, 0.88, 0.9]'
    """
    test = ranks.mann_whitney(x, y)
    result = {
        "W": int(test.u) if test.u.denominator == 1 else float(test.u),
        "exact_greater": test.exact_greater,
        "asymptotic_greater_no_cc": test.asymptotic_greater_no_cc,
        "exact_two_sided": test.by_convention["exact_conditional"],
        "asymptotic_two_sided_cc": test.by_convention["asymptotic_cc"],
        "asymptotic_two_sided_no_cc": test.by_convention["asymptotic_no_cc"],
    }
    tied = max(test.ties) > 1
    given = "given the ties, deviations from the mean at least as large" if tied else "no ties"
    return result, f"W counts pairs x > y, ties for half; exact: {given}; normal with tie-corrected variance"


@check
def mann_whitney_p_from_u(n1, n2, U, ties=False):
    """What is the p value of a reported Mann–Whitney U by each convention?

    Example: n1=8 n2=8 U=13
    """
    n1, n2 = rank_nulls.check_sizes(n1, n2)
    if not ranks.u_possible(n1, n2, U, ties=ties):
        kind = "whole or half" if ties else "whole (halves need ties)"
        raise ValueError(f"U = {U} cannot occur: it is {kind}, from 0 to {n1 * n2}")
    u2 = given_interval(U).scaled(2).integers(0, 2 * n1 * n2)
    if len(u2) > 1 and not ties:
        u2 = range(u2.start + u2.start % 2, u2.stop, 2)
    if len(u2) != 1:
        raise ValueError(f"U = {U} stands for more than one value; give it as a plain number")
    result = ranks.p_by_convention(n1, n2, u2[0])
    names = ("exact_doubled", "asymptotic_cc", "asymptotic_no_cc", "mid_p_doubled")
    if ties:
        result |= {"exact_doubled": None, "mid_p_doubled": None}
        convention = "ties of unknown sizes: no exact p; normal with the variance without ties, the largest p possible"
    else:
        convention = "two-sided, no ties"
        if result["exact_doubled"] is None:
            convention += f"; exact and mid-p left out: n1 n2 = {n1 * n2} is too large"
    return {name: result[name] for name in names}, convention


@check
def mann_whitney_granularity(n1, n2, U=None, p: str | None = None, ties=True, rounding="up_or_down"):
    """Can the Mann–Whitney test of two groups of these sizes give this p value?

    Example: n1=8 n2=8 p=0.017 ties=false
    """
    if p is None:
        possible = True if U is None else ranks.u_possible(n1, n2, U, ties, rounding)
        rank_nulls.check_sizes(n1, n2)
    else:
        possible = ranks.p_possible(p, n1, n2, U, ties, rounding)
    allowed = "every tie structure" if ties else "no ties"
    convention = f"union of exact, mid-p and normal conventions, {allowed}, two-sided"
    return {"consistent": possible}, f"{convention}; {_rule(rounding)}"


@check
def mann_whitney_u_possible(n1, n2, U, ties=True):
    """Can the Mann–Whitney U of two groups of these sizes take this value?

    Example: n1=10 n2=12 U=30
    """
    possible = ranks.u_possible(n1, n2, U, ties)
    return {"possible": possible}, "0 to n1 n2, in halves with ties" if ties else "0 to n1 n2, whole: no ties"


@check
def mann_whitney_min_p(n1, n2):
    """What is the smallest exact Mann–Whitney p value that two groups of these sizes can give?

    Example: n1=4 n2=5
    """
    return {"exact_two_sided_min": ranks.least_exact_p(n1, n2)}, "no ties: complete separation, both tails"


@check
def mann_whitney_feasible_set(group1, group2, data="integer", p: str | None = None, rounding="up_or_down"):
    """Which Mann–Whitney p values are possible given the median and range of each group?

    Example: 'group1={"n": 5, "min": 3, "median": 11, "max": 20}' 'group2={"n": 4, "min": 1, "max": 12}' p=0.04
    """
    if data != "integer":
        raise ValueError(f"data {data!r} have endlessly many data sets; take a whole unit and data 'integer'")
    found = rank_sets.feasible_ranks(_group("group1", group1), _group("group2", group2), p, rounding=rounding)
    result = {"n_group1": found.n_group1, "n_group2": found.n_group2, "n_pairs": found.n_pairs}
    for name, spread in found.by_convention.items():
        result[name] = {
            "min_p": spread and spread.min_p,
            "max_p": spread and spread.max_p,
            "pairs_compatible_with_p": spread and spread.n_printing,
        }
    left_out = [name for name, spread in found.by_convention.items() if spread is None]
    note = f"; {', '.join(left_out)} left out: too many tie structures" if left_out else ""
    return result, f"whole numbers, counted exactly; two-sided, given the ties{note}; {_rule(rounding)}"


def _group(name: str, case: dict) -> rank_sets.Group:
    if isinstance(case, dict) and "values" in case:
        values = fields(case, ("values",), {"n": None}, name)
        check_list(f"values of {name}", values["values"])
        if values["n"] not in (None, len(values["values"])):
            raise ValueError(f"{name} has {len(values['values'])} values, not n = {values['n']}")
        return rank_sets.Group(len(values["values"]), values=tuple(values["values"]))
    given = fields(case, ("n", "min", "max"), {"median": None}, name)
    return rank_sets.Group(given["n"], given["min"], given["median"], given["max"])


# Effects ------------------------------------------------------------------------------------------------------------


@check
def ratio_ci_p_consistency(estimate: str, ci95: list[str], p: str | None = None, rounding="up_or_down"):
    """Do a reported ratio, its 95% confidence interval and its p value agree?

    Example: estimate=0.56 'ci95=[0.46, 0.69]' 'p=<0.001'
    """
    box = effects.effect_box(estimate, *check_pair("ci95", ci95), scale="ratio", rounding=rounding)
    result = {
        "p_at_printed_values": box.p,
        "p_interval": [box.p_lowest, box.p_highest],
        "log_midpoint": box.middle,
        "log_midpoint_interval": [box.middle_lowest, box.middle_highest],
        "estimate_at_log_midpoint": box.central,
    }
    if p is not None:
        result["p_consistent"] = box.may_print(p, rounding)
    convention = f"two-sided normal on the log scale, over the corners of the rounding box; {_rule(rounding)}"
    if box.p is None:
        convention += "; a lower limit printed as zero may be any value down to it: p nears 1, the midpoint 0"
    return result, convention


@check
def p_from_ci(estimate, ci95, scale="ratio", method="exact_normal"):
    """Which p value do an estimate and its 95% confidence interval imply?

    Example: estimate=0.81 'ci95=[0.70, 0.94]' scale=ratio
    """
    found = effects.p_from_interval(estimate, *check_pair("ci95", ci95), scale=scale, method=method)
    return {"z": found.z, "p": found.p}, f"{method} on the {_scale_name(scale)}, z without sign, two-sided"


@check
def ci_from_p(estimate, p, scale="difference", method="exact_normal"):
    """Which 95% confidence interval do an estimate and its p value imply?

    Example: estimate=17 p=0.032 scale=difference
    """
    found = effects.interval_from_p(estimate, p, scale=scale, method=method)
    result = {"z": found.z, "se": found.se, "ci95": [found.lower, found.upper]}
    return result, f"{method} on the {_scale_name(scale)}, where the SE is; two-sided p"


def _scale_name(scale: str) -> str:
    return "log scale" if scale == "ratio" else "scale printed"


@check
def z_from_p(p, sides=2):
    """Which normal statistic z belongs to this p value?

    Example: p=0.075
    """
    return {"z": effects.z_from_p(p, sides)}, "normal quantile of 1 − p/2" if sides == 2 else "normal quantile of 1 − p"


# Design -------------------------------------------------------------------------------------------------------------


@check
def cox_events_needed(cases):
    """How many events does a trial need to detect a given hazard ratio?

    Example: 'cases=[{"hr": 0.7, "power": 0.9}]'
    """
    planned = [fields(c, ("hr",), {"alpha": 0.05, "power": 0.8, "alloc": 0.5}, "a case") for c in _cases(cases)]
    events = [design.schoenfeld_events(c["hr"], c["power"], c["alpha"], c["alloc"]) for c in planned]
    return {"events": events, "events_ceiling": [math.ceil(e) for e in events]}, "Schoenfeld, two-sided alpha"


@check
def cox_power(cases):
    """What power to detect a given hazard ratio does a number of events provide?

    Example: 'cases=[{"hr": 0.6, "events": 100}]'
    """
    planned = [fields(c, ("hr", "events"), {"alpha": 0.05, "alloc": 0.5}, "a case") for c in _cases(cases)]
    power = [design.schoenfeld_power(c["hr"], c["events"], c["alpha"], c["alloc"]) for c in planned]
    return {"power": power}, "Schoenfeld, two-sided alpha, the tail of the effect alone"


def _cases(cases) -> list:
    if not isinstance(cases, list) or not cases:
        raise ValueError("cases is a list with at least one case")
    return cases


@check
def power_two_proportions(n_per_group, p1, p2, alpha=0.05):
    """What power does a comparison of two proportions have?

    Example: n_per_group=50 p1=0.5 p2=0.75
    """
    power = design.power_two_proportions(n_per_group, p1, p2, alpha)
    convention = "normal, pooled variance under no difference; the tail of the effect alone (strict = FALSE)"
    return {"power": power}, convention


@check
def mean_sd_bounds_from_median_range(n, min: str, max: str, median: str, data="integer", rounding="up_or_down"):
    """Which means and SDs are possible given sample size, median and range?

    Example: n=5 min=0 median=3 max=8
    """
    found = median_range.bounds_from_median_range(n, min, median, max, data, rounding)
    return found._asdict(), f"{data} data; sample SD (n − 1); n_datasets null: endlessly many"
