"""Checks on rounding, counts, ranks, effects and design never deny data that were drawn."""

import inspect
import math
from fractions import Fraction
from statistics import mean, variance

import pytest
from drawn import (
    Cases,
    exact_median,
    group,
    hold,
    is_p,
    maybe,
    near,
    p_text,
    real,
    rule,
    text,
    values,
    whole,
    within,
)  # fmt: skip
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binomtest, fisher_exact, mannwhitneyu, norm

from whichdata.checks import CHECKS, counts, survival, toolbox

cases = Cases()
OURS = sorted(name for name, f in CHECKS.items() if inspect.getmodule(f) is counts)


def test_every_check_stands_in_a_module_whose_checks_are_drawn_for():
    assert {inspect.getmodule(f) for f in CHECKS.values()} == {counts, survival, toolbox}


@pytest.mark.parametrize("name", OURS)
@given(data=st.data())
def test_what_was_drawn_is_never_called_impossible(name, data):
    hold(cases[name], name, data)


# Rounding and counts


@cases.of
def rounding_interval(draw):
    value, rounding = Fraction(whole(draw, -3000, 3000), 100 * whole(draw, 1, 7)), rule(draw)
    inputs = {"printed": text(draw, value, whole(draw, 0, 3), rounding), "rounding": rounding}

    def judge(found):
        low, high = Fraction(found["lower"]), Fraction(found["upper"])
        return (low < value or (low == value and found["lower_closed"])) and (
            value < high or (value == high and found["upper_closed"])
        )

    return inputs, judge


def percentage(draw):
    """A count among n, its percentage as printed, and the rounding."""
    (count, n), rounding = group(draw, 300), rule(draw)
    percent = text(draw, Fraction(100 * count, n), whole(draw, 0, 2), rounding)
    return count, n, {"percent": percent, "rounding": rounding}


@cases.of
def count_percent(draw):
    count, n, printed = percentage(draw)
    return printed | {"count": count, "n": n}, lambda found: found["consistent"]


@cases.of
def percent_to_counts(draw):
    count, n, printed = percentage(draw)
    return printed | {"n": n}, lambda found: count in found["possible_counts"]


@cases.of
def percent_to_denominators(draw):
    _, n, printed = percentage(draw)
    return printed | {"n_max": n + whole(draw, 0, 20)}, lambda found: n in found["possible_n"]


@cases.of
def median_granularity(draw):
    numbers, rounding = values(draw, -20, 20, 1, 9), rule(draw)
    continuous = maybe(draw)
    middle = exact_median(numbers) / (7 if continuous else 1)
    inputs = {"median": text(draw, middle, whole(draw, 0, 2), rounding), "n": len(numbers), "rounding": rounding}
    return inputs | {"data": "continuous" if continuous else "integer"}, lambda found: found["consistent"]


def table(draw, most=12):
    (a, n1), (c, n2) = group(draw, most), group(draw, most)
    return [[a, n1 - a], [c, n2 - c]]


@cases.of
def contingency_2x2_all_methods(draw):
    drawn = table(draw)
    (a, b), (c, d) = drawn
    settled = not ((a + c) and (b + d))

    def judge(found):
        undefined = {name for name, p in found.items() if p is None}
        chi_squares = {"pearson", "yates", "likelihood_ratio", "n_minus_1"}
        fisher = found["fisher_minlike"]
        return (
            undefined >= (chi_squares if settled else set())
            and undefined <= chi_squares | {"wald_unpooled_z"}
            and all(is_p(p) for p in found.values() if p is not None)
            and near(fisher, fisher_exact(drawn).pvalue)
            and found["fisher_midp_sas"] <= fisher
            and found["fisher_midp"] <= found["fisher_central"]
        )

    return {"table": drawn}, judge


@cases.of
def odds_ratio(draw):
    drawn = table(draw)

    def judge(found):
        low, high = (math.inf if x is None else x for x in found["exact_ci95"])
        estimates = [found["conditional_mle"], found["sample_or"]]
        # Both estimates are inside, to the tolerance at which R stops; infinite ones are null, as is an upper end.
        return all(e is None or low <= e * 1.001 and e <= high * 1.001 for e in estimates)

    return {"table": drawn}, judge


@cases.of
def two_proportions_feasible(draw):
    (a, n1), (c, n2), rounding = group(draw), group(draw), rule(draw)
    decimals = whole(draw, 0, 1)
    inputs = {"n1": n1, "n2": n2, "rounding": rounding}
    inputs["percent1"] = text(draw, Fraction(100 * a, n1), decimals, rounding)
    inputs["percent2"] = text(draw, Fraction(100 * c, n2), decimals, rounding)
    expected = fisher_exact([[a, n1 - a], [c, n2 - c]]).pvalue

    def judge(found):
        p = {method: [row["p"] for row in rows if row["counts"] == [a, c]] for method, rows in found.items()}
        return all(len(x) == 1 for x in p.values()) and near(p["fisher"][0], expected)

    return inputs, judge


@cases.of
def proportion_ci95(draw):
    count, n = group(draw, 300)

    def judge(found):
        held = {name: within(low, count / n, high) for name, (low, high) in found.items()}
        return all(held[name] or (name == "jeffreys_unadjusted" and count in (0, n)) for name in held)

    return {"count": count, "n": n}, judge


@cases.of
def binom_test(draw):
    (count, n), p0 = group(draw, 60), whole(draw, 0, 20) / 20
    expected = binomtest(count, n, p0).proportion_ci()

    def judge(found):
        low, high = found["clopper_pearson"]
        return is_p(found["p"]) and low <= count / n <= high and near(low, expected.low) and near(high, expected.high)

    return {"count": count, "n": n, "p0": p0}, judge


# Ranks


def two_samples(draw, most=5, top=8):
    x, y = values(draw, 0, top, 1, most), values(draw, 0, top, 1, most)
    return x, y, Fraction(sum(2 * (a > b) + (a == b) for a in x for b in y), 2)


def untied(draw, most=6):
    both = draw(st.lists(st.integers(0, 99), min_size=2, max_size=2 * most, unique=True))
    split = whole(draw, 1, len(both) - 1)
    return both[:split], both[split:]


@cases.of
def mann_whitney(draw):
    x, y, u = two_samples(draw)

    def judge(found):
        return found["W"] == u and all(is_p(p) for name, p in found.items() if name != "W" and p is not None)

    return {"x": x, "y": y}, judge


@cases.of
def mann_whitney_p_from_u(draw):
    x, y = untied(draw)
    test = mannwhitneyu(x, y, method="exact")
    inputs = {"n1": len(x), "n2": len(y), "U": float(test.statistic), "ties": maybe(draw)}

    def judge(found):
        exact = found["exact_doubled"]
        return inputs["ties"] if exact is None else near(exact, test.pvalue)

    return inputs, judge


@cases.of
def mann_whitney_granularity(draw):
    x, y, u = two_samples(draw, 4, 6)
    rounding, tied = rule(draw), len({*x, *y}) < len(x) + len(y)
    assume(len({*x, *y}) > 1)
    ways = [{"method": "asymptotic", "use_continuity": True}, {"method": "asymptotic", "use_continuity": False}]
    way = draw(st.sampled_from(ways if tied else [*ways, {"method": "exact"}]))
    p = min(1.0, float(mannwhitneyu(x, y, **way).pvalue))
    if way["method"] == "exact":
        p = Fraction(p).limit_denominator(1000)  # one of C(8, 4) ways at most, without the float's last digit
    inputs = {"n1": len(x), "n2": len(y), "p": p_text(draw, p, whole(draw, 2, 4), rounding), "rounding": rounding}
    if maybe(draw):
        inputs["U"] = draw(st.sampled_from([float(u), len(x) * len(y) - float(u)]))
    return inputs | {"ties": tied or maybe(draw)}, lambda found: found["consistent"]


@cases.of
def mann_whitney_u_possible(draw):
    x, y, u = two_samples(draw)
    tied = len({*x, *y}) < len(x) + len(y)
    given_as = draw(st.sampled_from([float(u), text(draw, u, 1)]))
    inputs = {"n1": len(x), "n2": len(y), "U": given_as, "ties": tied or maybe(draw)}
    return inputs, lambda found: found["possible"]


@cases.of
def mann_whitney_min_p(draw):
    x, y = untied(draw)
    p = mannwhitneyu(x, y, method="exact").pvalue
    return {"n1": len(x), "n2": len(y)}, lambda found: found["exact_two_sided_min"] <= p * (1 + 1e-12)


@cases.of
def mann_whitney_feasible_set(draw):
    x, y, _ = two_samples(draw, 4, 7)
    rounding, inputs = rule(draw), {}
    for name, sample in (("group1", x), ("group2", y)):
        if maybe(draw):
            inputs[name] = {"values": sample}
            continue
        inputs[name] = {"n": len(sample), "min": min(sample), "max": max(sample)}
        if maybe(draw):
            decimals = whole(draw, 0, 1)
            inputs[name]["median"] = text(draw, exact_median(sample), decimals, rounding)
    by_convention = {}
    if len({*x, *y}) > 1:
        for name, continuity in (("asymptotic_cc", True), ("asymptotic_no_cc", False)):
            test = mannwhitneyu(x, y, method="asymptotic", use_continuity=continuity)
            by_convention[name] = min(1.0, float(test.pvalue))
    asked = draw(st.sampled_from([None, *by_convention]))
    if asked:
        inputs |= {"p": p_text(draw, by_convention[asked], whole(draw, 2, 3), rounding), "rounding": rounding}
    else:
        inputs["rounding"] = rounding

    def judge(found):
        return (
            found["n_pairs"] >= 1
            and all(within(found[name]["min_p"], p, found[name]["max_p"]) for name, p in by_convention.items())
            and (asked is None or found[asked]["pairs_compatible_with_p"] >= 1)
        )

    return inputs, judge


# Effects


def an_effect(draw, scale):
    """An estimate, its 95 % limits and its p, on the scale printed."""
    effect, se, z = real(draw, -1.5, 1.5), real(draw, 0.05, 0.8), norm.isf(0.025)
    assume(abs(effect) > 1e-3)
    ends = effect, effect - z * se, effect + z * se
    return [math.exp(e) if scale == "ratio" else e for e in ends], 2 * norm.sf(abs(effect) / se), effect / se


@cases.of
def ratio_ci_p_consistency(draw):
    (estimate, low, high), p, _ = an_effect(draw, "ratio")
    rounding, decimals = rule(draw), whole(draw, 2, 3)
    printed = [text(draw, x, decimals, rounding) for x in (estimate, low, high)]
    # a lower limit may be printed as zero
    assume(float(printed[0]) > 0 and 0 <= float(printed[1]) < float(printed[2]))
    inputs = {"estimate": printed[0], "ci95": printed[1:], "rounding": rounding}
    if maybe(draw):
        inputs["p"] = p_text(draw, p, whole(draw, 2, 4), rounding)

    def judge(found):
        return (
            within(found["p_interval"][0], p, found["p_interval"][1])
            and found["estimate_at_log_midpoint"]
            and within(found["log_midpoint_interval"][0], estimate, found["log_midpoint_interval"][1])
            and found.get("p_consistent", True)
        )

    return inputs, judge


@cases.of
def p_from_ci(draw):
    scale = draw(st.sampled_from(["ratio", "difference"]))
    method = draw(st.sampled_from(["exact_normal", "altman_bland"]))
    (estimate, *ends), p, z = an_effect(draw, scale)
    near_enough = 1e-6 if method == "exact_normal" else 0.02  # their recipe is an approximation
    inputs = {"estimate": estimate, "ci95": ends, "scale": scale, "method": method}
    return inputs, lambda found: abs(found["p"] - p) < near_enough and near(found["z"], abs(z), 1e-3)


@cases.of
def ci_from_p(draw):
    scale = draw(st.sampled_from(["ratio", "difference"]))
    (estimate, *ends), p, z = an_effect(draw, scale)
    assume(0 < p < 0.999)
    inputs = {"estimate": estimate, "p": float(p), "scale": scale}
    return inputs, lambda found: all(near(a, b, 1e-6) for a, b in zip(found["ci95"], ends))


@cases.of
def z_from_p(draw):
    z, sides = real(draw, 0, 8), whole(draw, 1, 2)
    return {"p": float(sides * norm.sf(z)), "sides": sides}, lambda found: near(found["z"], z, 1e-7)


# Design


def planned(draw):
    hr, alpha = draw(st.sampled_from([0.3, 0.5, 0.67, 0.8, 1.25, 2, 4])), draw(st.sampled_from([0.01, 0.05, 0.1]))
    return {"hr": hr, "alpha": alpha, "alloc": real(draw, 0.1, 0.9)}


def power_of(case, events):
    """The normal test of ln HR, whose variance is 1 / (d π (1 − π))."""
    shift = abs(math.log(case["hr"])) * math.sqrt(events * case["alloc"] * (1 - case["alloc"]))
    return norm.sf(norm.isf(case["alpha"] / 2) - shift)


@cases.of
def cox_events_needed(draw):
    all_planned = [planned(draw) | {"power": real(draw, 0.2, 0.99)} for _ in range(whole(draw, 1, 3))]

    def judge(found):
        enough = zip(all_planned, found["events"], found["events_ceiling"])
        return all(near(power_of(c, e), c["power"], 1e-8) and e <= up < e + 1 for c, e, up in enough)

    return {"cases": all_planned}, judge


@cases.of
def cox_power(draw):
    all_planned = [planned(draw) | {"events": whole(draw, 0, 400)} for _ in range(whole(draw, 1, 3))]
    return {"cases": all_planned}, lambda found: all(
        near(power_of(c, c["events"]), p, 1e-8) for c, p in zip(all_planned, found["power"])
    )


@cases.of
def power_two_proportions(draw):
    n, p1, p2 = whole(draw, 2, 300), whole(draw, 0, 20) / 20, whole(draw, 0, 20) / 20

    def judge(found):
        pooled = (p1 + p2) / 2
        null, other = 2 * pooled * (1 - pooled), p1 * (1 - p1) + p2 * (1 - p2)
        if not other:
            return found["power"] in ((None,) if p1 == p2 else (0, 1))
        margin = abs(p1 - p2) * math.sqrt(n) - norm.isf(0.025) * math.sqrt(null)
        return near(found["power"], norm.cdf(margin / math.sqrt(other)), 1e-8)

    return {"n_per_group": n, "p1": p1, "p2": p2}, judge


@cases.of
def mean_sd_bounds_from_median_range(draw):
    tenths, rounding, continuous = values(draw, 0, 40, 1, 8), rule(draw), maybe(draw)
    sample = [Fraction(t, 10 if continuous else 1) for t in tenths]
    decimals = whole(draw, 0, 1)
    summaries = {"min": min(sample), "median": exact_median(sample), "max": max(sample)}
    inputs = {name: text(draw, value, decimals, rounding) for name, value in summaries.items()}
    inputs |= {"n": len(sample), "data": "continuous" if continuous else "integer", "rounding": rounding}

    def judge(found):
        sd = math.sqrt(variance(sample)) if len(sample) > 1 else None
        return (
            found["n_datasets"] != 0
            and within(found["mean"][0], float(mean(sample)), found["mean"][1])
            and (found["sd"] is None if sd is None else within(found["sd"][0], sd, found["sd"][1]))
        )

    return inputs, judge
