"""Checks of the wider toolbox: means and standard deviations, categorical tests, duplicates."""

import numpy as np
from scipy.stats import kendalltau, kruskal

from whichdata import design, effects, estimates, fragility, recompute, tables2x2, whole_numbers
from whichdata.checks import check
from whichdata.given import check_alpha, check_count, check_list, check_number, given_interval, read_value
from whichdata.printed import Interval, Printed

MOST_RANKED = 2_000
# Data sets of R that may be asked for by name: strata of 2×2 tables.
NAMED_TABLES = {
    "UCBAdmissions (R datasets)": [
        [[512, 89], [313, 19]],
        [[353, 17], [207, 8]],
        [[120, 202], [205, 391]],
        [[138, 131], [279, 244]],
        [[53, 94], [138, 299]],
        [[22, 24], [351, 317]],
    ]
}


# Means and standard deviations of whole numbers ---------------------------------------------------------------------


@check
def grim(x, n, items=1, percent=False, rounding="up_or_down"):
    sums = whole_numbers.possible_sums(x, n, items, percent, rounding)
    return {"consistent": len(sums) > 0, "possible_sums": list(sums)}, f"sums of whole answers; rounding {rounding}"


@check
def grim_batch(x, n, items=1, percent=False, rounding="up_or_down"):
    x = check_list("x", x)
    sizes = n if isinstance(n, list) else [n] * len(x)
    if len(sizes) != len(x):
        raise ValueError(f"{len(x)} means but {len(sizes)} group sizes; give one size, or one for each")
    consistent = [len(whole_numbers.possible_sums(m, k, items, percent, rounding)) > 0 for m, k in zip(x, sizes)]
    return {"consistent": consistent}, f"sums of whole answers; rounding {rounding}"


@check
def grim_closest(x, n, items=1, rounding="up_or_down"):
    return {"closest": whole_numbers.closest_means(x, n, items, rounding)}, "nearest printed value; two if equally near"


@check
def grim_probability(x, n, items=1, percent=False):
    return {
        "probability": whole_numbers.grim_probability(x, n, items, percent)
    }, "1 − n × items / 10^decimals, at least 0"


@check
def grim_total_n(x1, x2, total_n, n1_range=None, items=1, rounding="up_or_down"):
    total_n = check_count("total_n", total_n, 2, 200_000)
    first, last = (1, total_n - 1) if n1_range is None else _pair("n1_range", n1_range)
    first, last = check_count("n1", first, least=1), check_count("n1", last, most=total_n - 1)
    both = [
        [n1, total_n - n1]
        for n1 in range(first, last + 1)
        if whole_numbers.possible_sums(x1, n1, items, rounding=rounding)
        and whole_numbers.possible_sums(x2, total_n - n1, items, rounding=rounding)
    ]
    return {"both_consistent_(n1,n2)": both}, f"x1 with n1 and x2 with n2; rounding {rounding}"


@check
def grimmer(x, sd, n, items=1, scale=None, rounding="up_or_down"):
    pairs = whole_numbers.possible_sums_of_squares(x, sd, n, items, scale, rounding)
    convention = "totals over items; sample SD; every pair is that of some whole numbers"
    return {"consistent": bool(pairs), "possible_(sum,sum_of_squares)": pairs}, f"{convention}; rounding {rounding}"


@check
def min_sd_integer(mean, n, rounding="up_or_down"):
    return {"min_sd": whole_numbers.least_sd(mean, n, rounding)}, "over all sums that print the mean; sample SD"


@check
def bounded_integer_datasets(mean_interval, sd_interval, n, scale):
    mean, sd = (_closed(name, ends) for name, ends in (("mean_interval", mean_interval), ("sd_interval", sd_interval)))
    return {
        "count": whole_numbers.count_bounded_datasets(mean, sd, n, scale)
    }, "multisets; both intervals with their ends"


def _pair(name: str, ends) -> list:
    if not isinstance(ends, list) or len(ends) != 2:
        raise ValueError(f"{name} is [lower, upper], not {ends!r}")
    return ends


def _closed(name: str, ends) -> Interval:
    low, high = (_printed(v).value if isinstance(v, str) else given_interval(v).lower for v in _pair(name, ends))
    if low > high:
        raise ValueError(f"{name} ends below its start")
    return Interval(low, high)


@check
def sd_limits_bounded(n, mean, scale, sd_decimals=2, rounding="up_or_down"):
    found = whole_numbers.sd_limits(mean, n, scale, sd_decimals, rounding)
    return {"min_sd": found.least, "max_sd": found.largest}, "over all sums that print the mean; sample SD, rounded"


@check
def debit(x, sd, n, rounding="up_or_down"):
    ones = whole_numbers.binary_counts(x, sd, n, rounding)
    return {"consistent": bool(ones)}, f"some count of ones prints both mean and sample SD; rounding {rounding}"


@check
def sd_binary(n0, n1):
    mean, sd = whole_numbers.binary_mean_sd(n0, n1)
    return {"sd": sd, "mean": mean}, "sample SD (n − 1)"


# Tests and effects --------------------------------------------------------------------------------------------------


@check
def p_value_recomputation(
    test,
    statistic,
    text=None,
    statistic_relation="=",
    df1=None,
    df2=None,
    p_relation="=",
    p=None,
    p_decimals=None,
    statistic_decimals=None,
    all_tests_one_tailed=False,
    use_one_tailed_if_text_says_so=False,
    text_says_one_tailed=False,
    alpha=0.05,
    p_zero_is_error=True,
    p_equal_alpha_is_significant=True,
):
    printed, printed_p = _printed(statistic), None if p is None else _printed(p)
    if p_relation != "ns" and printed_p is None:
        raise ValueError("no p to hold against the statistic: give p, or p_relation 'ns'")
    decimals = printed.decimals if statistic_decimals is None else statistic_decimals
    p_places = p_decimals if p_decimals is not None else printed_p.decimals if printed_p else 0
    p_places = check_count("p_decimals", p_places, most=300)
    found = recompute.recompute_p(
        test,
        float(printed.value),
        check_count("statistic_decimals", decimals),
        recompute.ReportedP(p_relation, None if printed_p is None else float(printed_p.value), p_places),
        *(None if df is None else float(_printed(df).value) for df in (df1, df2)),
        statistic_relation=statistic_relation,
        alpha=check_alpha(alpha),
        one_tailed=all_tests_one_tailed,
        or_one_tailed=use_one_tailed_if_text_says_so and text_says_one_tailed,
        zero_is_error=p_zero_is_error,
        alpha_is_significant=p_equal_alpha_is_significant,
    )
    result = {"computed_p": found.p, "error": found.error, "decision_error": found.decision_error}
    return result, "half a unit of the statistic either side; rules of statcheck"


def _printed(value) -> Printed:
    """A value that may come as printed text or as a plain number; no bound."""
    if not isinstance(value, str):
        check_number("a value", value)
    return read_value("value", str(value))


@check
def t_test_from_summary(m1, sd1, n1, m2, sd2, n2):
    values = [float(_printed(v).value) for v in (m1, sd1, m2, sd2)]
    tests = recompute.t_tests(values[0], values[1], n1, values[2], values[3], n2)
    return {"p_at_printed_values": tests._asdict()}, "two-sided; null where both SDs are 0"


@check
def e_value(estimate, ci95=None, measure="RR", rare=True):
    lower, upper = (None, None) if ci95 is None else _pair("ci95", ci95)
    found = effects.e_value(estimate, lower, upper, measure, rare)
    taken = "" if measure == "RR" else "; outcome rare: taken as a risk ratio" if rare else "; outcome common"
    return {"point": found.point, "ci_limit": found.limit}, f"{measure}, limit nearer to 1{taken}"


@check
def fragility_index(events1, n1, events2, n2, alpha=0.05, test="fisher"):
    found = fragility.fragility(events1, n1, events2, n2, alpha, test)
    quotient = None if found.walsh_index is None else found.walsh_index / (n1 + n2)
    result = found._asdict() | {"fragility_quotient": quotient}
    return result, f"significant: p < {alpha:g} by {test}; Walsh: non-events to events in the arm with fewer events"


@check
def reverse_fragility_index(events1, n1, events2, n2, alpha=0.05, test="fisher"):
    p, fewest = fragility.reverse_fragility(events1, n1, events2, n2, alpha, test)
    return {"p": p, "minimal_any_change": fewest}, f"significant: p < {alpha:g} by {test}; any outcome may change"


@check
def power_t_test(n_per_group, delta, sd=1, alpha=0.05):
    power = design.power_t_test(n_per_group, delta, sd, alpha)
    return {"power": power}, "two groups, non-central t, the tail of the effect alone (strict = FALSE)"


@check
def mantel_haenszel(table):
    if isinstance(table, str):
        if table not in NAMED_TABLES:
            known = ", ".join(NAMED_TABLES)
            raise ValueError(f"no table named {table!r}; give a list of 2×2 tables, or one of {known}")
        table = NAMED_TABLES[table]
    found = tables2x2.mantel_haenszel(table)
    result = {
        "statistic_cc": found.statistic,
        "p": found.p,
        "common_or": found.common_or,
        "ci95": None if found.lower is None else [found.lower, found.upper],
    }
    return result, "continuity correction of ½; interval by Robins, Breslow and Greenland"


@check
def kruskal_wallis(groups):
    groups = [check_list("a group", g) for g in check_list("groups", groups)]
    if len(groups) < 2 or not all(groups):
        raise ValueError("Kruskal–Wallis needs at least two groups, none of them empty")
    values = [check_number("a value", v) for group in groups for v in group]
    if len(set(values)) == 1:
        return {"H": None, "p": None}, "undefined: all values are equal"
    statistic, p = kruskal(*groups)
    return {"H": float(statistic), "p": float(p)}, "corrected for ties; χ² with groups − 1 degrees of freedom"


@check
def mcnemar(table):
    statistic, p = tables2x2.mcnemar(table)
    return {"statistic_cc": statistic, "p": p}, "continuity correction of 1; null where nothing is discordant"


@check
def kendall(x, y):
    x, y = check_list("x", x), check_list("y", y)
    if len(x) != len(y) or len(x) < 2:
        raise ValueError(f"Kendall's τ needs two equally long lists of at least 2 values, not {len(x)} and {len(y)}")
    x, y = ([check_number("a value", v) for v in values] for values in (x, y))
    if len(x) > MOST_RANKED:
        raise ValueError(f"{len(x):,} pairs of values are too many for an exact p (at most {MOST_RANKED:,})")
    both = np.array([x, y])
    # signs, not differences: the product of two small differences could vanish
    concordant = int(sum((np.sign(both[:, i, None] - both[:, :i]).prod(axis=0) > 0).sum() for i in range(len(x))))
    tied = len(set(x)) < len(x) or len(set(y)) < len(y)
    if len(set(x)) == 1 or len(set(y)) == 1:
        return {"T": concordant, "p_exact": None, "tau": None}, "undefined: a variable does not vary"
    found = kendalltau(x, y, method="asymptotic" if tied else "exact")
    result = {"T": concordant, "p_exact": None if tied else float(found.pvalue), "tau": float(found.statistic)}
    return result, "τ-b; exact p needs no ties" if tied else "no ties; T counts concordant pairs; two-sided"


# Means and SDs from medians and ranges ------------------------------------------------------------------------------


@check
def wan_xi(n):
    exact = estimates.range_in_sds(n)
    table = round(exact, 3) if n <= 50 else None
    approximate = estimates.range_in_sds_approximate(n)
    result = {"xi_table": table, "xi": exact, "approx_2q": approximate}
    return result, "expected range in SDs of a normal; table to n = 50"


@check
def mean_sd_from_median_range(min, median, max, n):
    return estimates.estimates_from_range(min, median, max, n)._asdict(), "Hozo's mean, Luo's mean, Wan's SD"


@check
def mean_sd_from_quartiles(q1, median, q3, n):
    return estimates.estimates_from_quartiles(q1, median, q3, n)._asdict(), "Wan's mean and SD, Luo's mean"


@check
def mean_from_five_numbers(min, q1, median, q3, max, n):
    return {"luo_mean": estimates.mean_from_five_numbers(min, q1, median, q3, max, n)}, "Luo's mean"


@check
def mean_sd_from_median_range_qe(min, median, max, n):
    found = estimates.quantile_estimates(min, median, max, n)
    return {"mean": found.mean, "sd": found.sd}, f"quantile estimation, best of five families: {found.through}; ± 1e-3"


@check
def mean_sd_from_median_range_bc(min, median, max, n):
    found = estimates.box_cox_estimates(min, median, max, n)
    return {"mean": found.mean, "sd": found.sd}, f"Box–Cox, {found.through}, back by integration (not by simulation)"


# Repeated values ----------------------------------------------------------------------------------------------------


@check
def duplicates(columns):
    found = whole_numbers.duplicates(columns)
    result = {
        "frequency": found.frequency,
        "duplicated_flags": found.flags,
        "column_pair_overlap": {f"{a}-{b}": k for (a, b), k in found.overlap.items()},
    }
    return result, "values compared as printed; overlap: values of the first column found in the second"
