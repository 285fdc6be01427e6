"""Checks of the wider toolbox: means and standard deviations, categorical tests, duplicates."""

import numpy as np
from scipy.stats import kendalltau, kruskal

from whichdata import design, effects, estimates, fragility, recompute, tables2x2, whole_numbers
from whichdata.checks import check
from whichdata.given import check_alpha, check_count, check_list, check_number, check_pair, read_number
from whichdata.printed import Interval

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
def grim(x: str, n, items=1, percent=False, rounding="up_or_down"):
    """Can the mean of n whole-number answers be reported as this (GRIM)?

    Example: x=5.18 n=14 items=2
    """
    sums = whole_numbers.possible_sums(x, n, items, percent, rounding)
    return {"consistent": len(sums) > 0, "possible_sums": list(sums)}, f"sums of whole answers; rounding {rounding}"


@check
def grim_batch(x: list[str], n, items=1, percent=False, rounding="up_or_down"):
    """Which of several reported means of whole numbers are possible (GRIM)?

    Example: 'x=[5.90, 5.71, 3.50]' n=40
    """
    x = check_list("x", x)
    sizes = n if isinstance(n, list) else [n] * len(x)
    if len(sizes) != len(x):
        raise ValueError(f"{len(x)} means but {len(sizes)} group sizes; give one size, or one for each")
    consistent = [len(whole_numbers.possible_sums(m, k, items, percent, rounding)) > 0 for m, k in zip(x, sizes)]
    return {"consistent": consistent}, f"sums of whole answers; rounding {rounding}"


@check
def grim_closest(x: str, n, items=1, rounding="up_or_down"):
    """Which possible means lie nearest to a reported one?

    Example: x=5.19 n=28
    """
    return {"closest": whole_numbers.closest_means(x, n, items, rounding)}, "nearest printed value; two if equally near"


@check
def grim_probability(x: str, n, items=1, percent=False):
    """How likely is an arbitrary mean with these decimals to be impossible at this sample size?

    Example: x=5.30 n=90
    """
    return {
        "probability": whole_numbers.grim_probability(x, n, items, percent)
    }, "1 − n × items / 10^decimals, at least 0"


@check
def grim_total_n(x1: str, x2: str, total_n, n1_range=None, items=1, rounding="up_or_down"):
    """Which two group sizes that add up to a total allow both reported means?

    Example: x1=4.71 x2=5.3 total_n=40
    """
    total_n = check_count("total_n", total_n, 2, 200_000)
    first, last = (1, total_n - 1) if n1_range is None else check_pair("n1_range", n1_range)
    first, last = check_count("n1", first, least=1), check_count("n1", last, most=total_n - 1)
    both = [
        [n1, total_n - n1]
        for n1 in range(first, last + 1)
        if whole_numbers.possible_sums(x1, n1, items, rounding=rounding)
        and whole_numbers.possible_sums(x2, total_n - n1, items, rounding=rounding)
    ]
    return {"both_consistent_(n1,n2)": both}, f"x1 with n1 and x2 with n2; rounding {rounding}"


@check
def grimmer(x: str, sd: str, n, items=1, scale=None, rounding="up_or_down"):
    """Can n whole-number answers have this mean and this SD (GRIMMER)?

    Example: x=3.44 sd=2.47 n=18
    """
    pairs = whole_numbers.possible_sums_of_squares(x, sd, n, items, scale, rounding)
    convention = "totals over items; sample SD; every pair is that of some whole numbers"
    return {"consistent": bool(pairs), "possible_(sum,sum_of_squares)": pairs}, f"{convention}; rounding {rounding}"


@check
def min_sd_integer(mean: str, n, rounding="up_or_down"):
    """What is the smallest SD that n whole numbers with this mean can have?

    Example: mean=1.2 n=57
    """
    return {"min_sd": whole_numbers.least_sd(mean, n, rounding)}, "over all sums that print the mean; sample SD"


@check
def bounded_integer_datasets(mean_interval, sd_interval, n, scale):
    """How many samples on a bounded whole-number scale have mean and SD in these intervals?

    Example: 'mean_interval=[3.45, 3.55]' 'sd_interval=[0.52, 0.62]' n=20 'scale=[0, 7]'
    """
    mean, sd = (_closed(name, ends) for name, ends in (("mean_interval", mean_interval), ("sd_interval", sd_interval)))
    return {
        "count": whole_numbers.count_bounded_datasets(mean, sd, n, scale)
    }, "multisets; both intervals with their ends"


def _closed(name: str, ends) -> Interval:
    low, high = (read_number(v).value for v in check_pair(name, ends))
    if low > high:
        raise ValueError(f"{name} ends below its start")
    return Interval(low, high)


@check
def sd_limits_bounded(n, mean: str, scale, sd_decimals=2, rounding="up_or_down"):
    """Which SDs are possible for answers on a bounded whole-number scale with this mean?

    Example: n=5 mean=4.2 'scale=[1, 7]'
    """
    found = whole_numbers.sd_limits(mean, n, scale, sd_decimals, rounding)
    return {"min_sd": found.least, "max_sd": found.largest}, "over all sums that print the mean; sample SD, rounded"


@check
def debit(x: str, sd: str, n, rounding="up_or_down"):
    """Can n zeros and ones have this mean and this SD (DEBIT)?

    Example: x=0.35 sd=0.48 n=100
    """
    ones = whole_numbers.binary_counts(x, sd, n, rounding)
    return {"consistent": bool(ones)}, f"some count of ones prints both mean and sample SD; rounding {rounding}"


@check
def sd_binary(n0, n1):
    """What are the mean and the SD of n0 zeros and n1 ones?

    Example: n0=127 n1=153
    """
    mean, sd = whole_numbers.binary_mean_sd(n0, n1)
    return {"sd": sd, "mean": mean}, "sample SD (n − 1)"


# Tests and effects --------------------------------------------------------------------------------------------------


@check
def p_value_recomputation(
    test,
    statistic: str,
    text=None,
    statistic_relation="=",
    df1=None,
    df2=None,
    p_relation="=",
    p: str | None = None,
    p_decimals=None,
    statistic_decimals=None,
    all_tests_one_tailed=False,
    use_one_tailed_if_text_says_so=False,
    text_says_one_tailed=False,
    alpha=0.05,
    p_zero_is_error=True,
    p_equal_alpha_is_significant=True,
):
    """Does a reported p value follow from its test statistic and degrees of freedom?

    Example: test=t statistic=2.20 df2=28 p=0.04
    """
    printed, printed_p = read_number(statistic), None if p is None else read_number(p)
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
        *(None if df is None else float(read_number(df).value) for df in (df1, df2)),
        statistic_relation=statistic_relation,
        alpha=check_alpha(alpha),
        one_tailed=all_tests_one_tailed,
        or_one_tailed=use_one_tailed_if_text_says_so and text_says_one_tailed,
        zero_is_error=p_zero_is_error,
        alpha_is_significant=p_equal_alpha_is_significant,
    )
    result = {"computed_p": found.p, "error": found.error, "decision_error": found.decision_error}
    return result, "half a unit of the statistic either side; rules of statcheck"


@check
def t_test_from_summary(m1, sd1, n1, m2, sd2, n2):
    """What is the p value of a t test from reported means, SDs and sample sizes?

    Example: m1=10.30 sd1=3.12 n1=50 m2=8.71 sd2=2.80 n2=48
    """
    values = [float(read_number(v).value) for v in (m1, sd1, m2, sd2)]
    tests = recompute.t_tests(values[0], values[1], n1, values[2], values[3], n2)
    return {"p_at_printed_values": tests._asdict()}, "two-sided; null where both SDs are 0"


@check
def e_value(estimate, ci95=None, measure="RR", rare=True):
    """How strong would unmeasured confounding have to be to explain an estimate (E-value)?

    Example: estimate=1.30 'ci95=[0.90, 1.88]' measure=RR
    """
    lower, upper = (None, None) if ci95 is None else check_pair("ci95", ci95)
    found = effects.e_value(estimate, lower, upper, measure, rare)
    taken = "" if measure == "RR" else "; outcome rare: taken as a risk ratio" if rare else "; outcome common"
    return {"point": found.point, "ci_limit": found.limit}, f"{measure}, limit nearer to 1{taken}"


@check
def fragility_index(events1, n1, events2, n2, alpha=0.05, test="fisher"):
    """How few patients with another outcome would make a significant result non-significant?

    Example: events1=1 n1=100 events2=9 n2=100
    """
    found = fragility.fragility(events1, n1, events2, n2, alpha, test)
    quotient = None if found.walsh_index is None else found.walsh_index / (n1 + n2)
    result = found._asdict() | {"fragility_quotient": quotient}
    return result, f"significant: p < {alpha:g} by {test}; Walsh: non-events to events in the arm with fewer events"


@check
def reverse_fragility_index(events1, n1, events2, n2, alpha=0.05, test="fisher"):
    """How few patients with another outcome would make a non-significant result significant?

    Example: events1=9 n1=50 events2=14 n2=50
    """
    p, fewest = fragility.reverse_fragility(events1, n1, events2, n2, alpha, test)
    return {"p": p, "minimal_any_change": fewest}, f"significant: p < {alpha:g} by {test}; any outcome may change"


@check
def power_t_test(n_per_group, delta, sd=1, alpha=0.05):
    """What power does a two-sample t test have?

    Example: n_per_group=20 delta=1 sd=1
    """
    power = design.power_t_test(n_per_group, delta, sd, alpha)
    return {"power": power}, "two groups, non-central t, the tail of the effect alone (strict = FALSE)"


@check
def mantel_haenszel(table):
    """What are the Mantel–Haenszel test and common odds ratio of 2×2 tables in strata?

    Example: 'table=[[[512, 89], [313, 19]], [[353, 17], [207, 8]]]'
    """
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
    """What is the p value of the Kruskal–Wallis test of several samples?

    Example: 'groups=[[2.9, 3.0, 2.5], [3.8, 2.7, 4.0], [2.8, 3.4, 3.7]]'
    """
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
    """What is the p value of McNemar's test of paired proportions?

    Example: 'table=[[794, 150], [86, 570]]'
    """
    statistic, p = tables2x2.mcnemar(table)
    return {"statistic_cc": statistic, "p": p}, "continuity correction of 1; null where nothing is discordant"


@check
def kendall(x, y):
    """What are Kendall's τ and its p value for two variables?

    Example: 'x=[44.4, 45.9, 41.9, 53.3]' 'y=[2.6, 3.1, 2.5, 5.0]'
    """
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
    """What is the expected range of n normal values, in SDs?

    Example: n=5
    """
    exact = estimates.range_in_sds(n)
    table = round(exact, 3) if n <= 50 else None
    approximate = estimates.range_in_sds_approximate(n)
    result = {"xi_table": table, "xi": exact, "approx_2q": approximate}
    return result, "expected range in SDs of a normal; table to n = 50"


@check
def mean_sd_from_median_range(min, median, max, n):
    """Which mean and SD are estimated from median and range (Hozo, Luo, Wan)?

    Example: min=2 median=4 max=9 n=100
    """
    return estimates.estimates_from_range(min, median, max, n)._asdict(), "Hozo's mean, Luo's mean, Wan's SD"


@check
def mean_sd_from_quartiles(q1, median, q3, n):
    """Which mean and SD are estimated from median and quartiles (Wan, Luo)?

    Example: q1=5 median=8 q3=15 n=40
    """
    return estimates.estimates_from_quartiles(q1, median, q3, n)._asdict(), "Wan's mean and SD, Luo's mean"


@check
def mean_from_five_numbers(min, q1, median, q3, max, n):
    """Which mean is estimated from range, quartiles and median (Luo)?

    Example: min=1 q1=5 median=8 q3=15 max=40 n=40
    """
    return {"luo_mean": estimates.mean_from_five_numbers(min, q1, median, q3, max, n)}, "Luo's mean"


@check
def mean_sd_from_median_range_qe(min, median, max, n):
    """Which mean and SD are estimated from median and range by quantile estimation?

    Example: min=2 median=4 max=9 n=100
    """
    found = estimates.quantile_estimates(min, median, max, n)
    return {"mean": found.mean, "sd": found.sd}, f"quantile estimation, best of five families: {found.through}; ± 1e-3"


@check
def mean_sd_from_median_range_bc(min, median, max, n):
    """Which mean and SD are estimated from median and range by the Box–Cox method?

    Example: min=2 median=4 max=9 n=100
    """
    found = estimates.box_cox_estimates(min, median, max, n)
    return {"mean": found.mean, "sd": found.sd}, f"Box–Cox, {found.through}, back by integration (not by simulation)"


# Repeated values ----------------------------------------------------------------------------------------------------


@check
def duplicates(columns: dict[str, list[str]]):
    """Which values are repeated within and between the columns of a table?

    Example: 'columns={"snout": [4.73, 8.13, 4.22, 4.22], "tail": [6.88, 7.33, 5.17, 8.13]}'
    """
    found = whole_numbers.duplicates(columns)
    result = {
        "frequency": found.frequency,
        "duplicated_flags": found.flags,
        "column_pair_overlap": {f"{a}-{b}": k for (a, b), k in found.overlap.items()},
    }
    return result, "values compared as printed; overlap: values of the first column found in the second"
