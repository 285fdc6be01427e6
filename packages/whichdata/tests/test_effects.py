"""Estimates, intervals, p values, hazards: published examples, R, and properties of the rounding box."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import norm

from whichdata import effects, recompute
from whichdata.printed import ROUNDINGS, Printed, printings

R = json.loads((Path(__file__).parent / "oracles" / "counts.json").read_text())

roundings = st.sampled_from(ROUNDINGS)


# Estimate, interval, p


@given(st.floats(0.01, 3), st.floats(1e-9, 0.005), st.sampled_from([0, 1, 2, 3]))
def test_a_lower_limit_printed_as_zero_admits_what_it_was(ratio, low, decimals):
    """An estimate midway (on the log scale) of an interval that begins near zero, printed."""
    assume(low < 10.0**-decimals / 2 and ratio > 10.0**-decimals)
    z = math.log(ratio / low) / norm.isf(0.025)  # standard error
    texts = [printings(x, decimals)[0] for x in (ratio, low, ratio**2 / low)]
    if not decimals:
        texts[1] = "0.0"
    box = effects.effect_box(*texts)
    p = 2 * norm.sf(abs(math.log(ratio)) / z)
    assert box.p is None and box.asymmetry is None and box.p_highest == 1 and box.middle_lowest == 0
    assert box.p_lowest * (1 - 1e-9) <= p and box.central and box.middle_highest >= ratio * (1 - 1e-9)


def test_the_least_p_is_that_of_the_narrowest_interval():
    # by hand: the estimate farthest from 1 (0.345), limits 0.005 and 0.895
    box = effects.effect_box("0.35", "0.00", "0.90")
    se = math.log(0.895 / 0.005) / (2 * norm.isf(0.025))
    assert box.p_lowest == pytest.approx(2 * norm.sf(-math.log(0.345) / se))
    assert box.middle_highest == pytest.approx(math.sqrt(0.005 * 0.905)) and not box.central
    assert not box.may_print("0.04") and box.may_print("0.43") and box.may_print("ns")


def test_a_lower_limit_of_zero_is_of_no_matter_to_the_e_value():
    assert effects.e_value(2, 0, 5).limit == 1 and effects.e_value(2, 0, 5, "HR", rare=False).limit == 1
    assert effects.e_value(0.4, 0, 0.8) == effects.e_value(0.4, 0.1, 0.8)


def test_interval_from_p_as_published():
    # AltmanBland2011ci: 17 percentage points with P = 0.032; and a relative risk of 0.30 with P = 0.034.
    found = effects.interval_from_p(17, 0.032, "difference", "altman_bland")
    assert (round(found.z, 3), round(found.se, 2)) == (2.141, 7.94)
    assert (round(found.lower, 1), round(found.upper, 1)) == (1.4, 32.6)
    ratio = effects.interval_from_p(0.30, 0.034, "ratio", "altman_bland")
    assert ratio.z == pytest.approx(2.116569, abs=1e-6) and ratio.se == pytest.approx(0.5688323, abs=1e-7)


@given(st.floats(0.05, 20), st.floats(0.02, 3), st.sampled_from([0.9, 0.95, 0.99]))
def test_p_and_interval_lead_back_to_each_other(ratio, se, level):
    z = norm.isf((1 - level) / 2)
    low, high = (math.exp(math.log(ratio) + s * z * se) for s in (-1, 1))
    found = effects.p_from_interval(ratio, low, high, "ratio", level=level)
    assert found.se == pytest.approx(se, rel=1e-9)
    assume(1e-200 < found.p < 1 - 1e-9)
    back = effects.interval_from_p(ratio, found.p, "ratio", level=level)
    assert (back.lower, back.upper) == pytest.approx((low, high), rel=1e-6)


@given(st.floats(0.001, 0.9))
def test_the_printed_recipe_is_near_the_normal(p):
    by_recipe = effects.interval_from_p(3, p, method="altman_bland")
    assert by_recipe.z == pytest.approx(effects.z_from_p(p), abs=0.02)


def test_z_halves_p_before_the_inverse():
    # The worked example of Tierney2007: a two-sided p of 0.075 is z = 1.78.
    assert round(effects.z_from_p(0.075), 2) == 1.78
    assert effects.z_from_p(0.025, sides=1) == pytest.approx(effects.z_from_p(0.05))
    assert effects.z_from_p(1) == 0


@given(
    st.floats(-1.5, 1.5), st.floats(0.05, 0.8), st.integers(1, 3), st.integers(2, 4), roundings,
    st.sampled_from(effects.SCALES), st.data(),
)  # fmt: skip
def test_what_was_computed_from_data_is_possible(effect, se, decimals, p_decimals, rounding, scale, data):
    z = norm.isf(0.025)
    back = math.exp if scale == "ratio" else float
    values = [back(effect), back(effect - z * se), back(effect + z * se)]
    texts = [data.draw(st.sampled_from(printings(v, decimals, rounding))) for v in values]
    assume(scale == "difference" or all(Printed.parse(t).value > 0 for t in texts))
    p = 2 * norm.sf(abs(effect) / se)
    box = effects.effect_box(*texts, scale=scale, rounding=rounding)
    assert box.p_lowest * (1 - 1e-9) <= p <= box.p_highest * (1 + 1e-9)
    assert box.p_lowest <= box.p <= box.p_highest or rounding in ("floor", "ceiling", "trunc")
    for text in printings(p, p_decimals, rounding):
        assert box.may_print(text, rounding)
    assert box.may_print("< 0.05") or p >= 0.05
    assert box.central
    middle = math.sqrt(values[1] * values[2]) if scale == "ratio" else (values[1] + values[2]) / 2
    assert box.middle_lowest - 1e-12 <= middle <= box.middle_highest + 1e-12


@given(st.integers(20, 400), st.integers(1, 99), st.integers(1, 99), st.data())
def test_the_ends_of_p_are_reached_at_corners_and_nowhere_exceeded(estimate, below, above, data):
    texts = [f"{v / 100:.2f}" for v in (estimate, max(estimate - below, 1), estimate + above)]
    box = effects.effect_box(*texts)
    ends = [[float(e) for e in (i.lower, i.upper)] for i in (Printed.parse(t).interval() for t in texts)]
    inside = [data.draw(st.floats(*e)) for e in ends]
    assume(inside[1] < inside[2])
    z = 2 * norm.isf(0.025) * abs(math.log(inside[0])) / (math.log(inside[2]) - math.log(inside[1]))
    assert box.p_lowest * (1 - 1e-9) - 1e-300 <= 2 * norm.sf(z) <= box.p_highest * (1 + 1e-9)


def test_asymmetry_tells_which_side_is_longer():
    assert effects.effect_box("2", "1", "4").asymmetry == pytest.approx(1)
    assert effects.effect_box("2", "1", "3", scale="difference").asymmetry == pytest.approx(1)
    assert effects.effect_box("2", "1", "5", scale="difference").asymmetry == pytest.approx(3)
    assert not effects.effect_box("2.0", "1.0", "5.0", scale="difference").central
    assert effects.effect_box("1.0", "1.0", "5.0").asymmetry is None


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: effects.effect_box("0.40", "0.46", "0.69"), "does not hold its estimate"),
        (lambda: effects.effect_box("0.5", "0.69", "0.46"), "does not hold its estimate"),
        (lambda: effects.effect_box("-0.5", "0.4", "0.6"), "above 0"),
        (lambda: effects.effect_box("0.5", "0", "0.6"), "above 0"),
        (lambda: effects.effect_box("0.00", "0.00", "0.60"), "any value down to zero, whose logarithm has no bound"),
        (lambda: effects.effect_box("0.50", "0.00", "0.60", rounding="ceiling"), "under ceiling.*not above 0"),
        (lambda: effects.p_from_interval(0.5, 0, 0.6), "has no logarithm; where 0.00 was printed"),
        (lambda: effects.effect_box("0.5", "<0.4", "0.6"), "bound"),
        (lambda: effects.effect_box("0.5", "0.4", "NR"), "no printed number"),
        (lambda: effects.effect_box("0.5", "0.4", "0.6", scale="log"), "no scale"),
        (lambda: effects.p_from_interval(0.4, 0.46, 0.69), "does not hold"),
        (lambda: effects.p_from_interval(0.5, 0.5, 0.5), "no width"),
        (lambda: effects.p_from_interval(float("nan"), 0.4, 0.5), "finite"),
        (lambda: effects.p_from_interval("0.5", 0.4, 0.5), "give a number"),
        (lambda: effects.interval_from_p(1, 0.5, "ratio"), "no effect"),
        (lambda: effects.interval_from_p(2, 1), "below 1"),
        (lambda: effects.interval_from_p(2, 0.5, method="guess"), "no method"),
        (lambda: effects.z_from_p(0), "above 0"),
        (lambda: effects.z_from_p(1.2), "at most 1"),
        (lambda: effects.z_from_p(0.5, sides=3), "sides"),
        (lambda: effects.hr_from_printed_p("0.05", events=30, n_by_arm=(10, 10)), "more events than patients"),
        (lambda: effects.hr_from_printed_p("0.05", events=30, events_by_arm=(10, 10)), "30 events in all"),
        (lambda: effects.hr_from_printed_p("0.05", events=0), "above 0"),
        (lambda: effects.hr_from_printed_p("1.5", 20), "no p value"),
        (lambda: effects.hazard_ratio_of_printed_risks("120", "20"), "percentage"),
        (lambda: effects.risk_under_hazard_ratio(1.2, 1), "at most 1"),
        (lambda: effects.e_value(1.5, 0.3, 0.8), "does not hold"),
        (lambda: effects.e_value(-1), "above 0"),
        (lambda: recompute.t_tests(1, 1, 1, 2, 1, 5), "at least 2"),
        (lambda: recompute.p_of_statistic("F", 3, 2), "degrees of freedom"),
        (lambda: recompute.p_of_statistic("W", 3, 2), "no test"),
        (lambda: recompute.p_of_statistic("r", 1.2, df2=3), "correlation"),
    ],
)
def test_bad_input_gives_one_clear_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@given(st.floats(0.2, 5), st.floats(0.05, 0.9), st.sampled_from(["ratio", "difference"]), roundings)
def test_the_ends_of_a_symmetric_interval_follow_from_its_estimate_and_each_other(estimate, half, scale, rounding):
    exact = [estimate * math.exp(k * half) if scale == "ratio" else estimate + k * half for k in (0, -1, 1)]
    for text in zip(*(printings(x, 3, rounding) for x in exact)):
        for end, admitted in zip(exact[1:], effects.symmetric_ends(*text, scale, rounding)):
            assert admitted.lower <= end + 1e-9 and end - 1e-9 <= admitted.upper


def test_a_lower_limit_printed_as_zero_leaves_the_upper_open():
    with pytest.raises(ValueError, match="no upper limit follows"):
        effects.symmetric_ends("0.50", "0.00", "0.60")


# Hazards


@given(st.floats(0.0005, 0.9995), st.integers(4, 90), roundings, st.integers(2, 3), st.booleans())
def test_the_hazard_ratio_behind_a_printed_p_is_in_its_range(p, events, rounding, decimals, lower_hazard):
    exact = math.exp(norm.isf(p / 2) / math.sqrt(events / 4) * (-1 if lower_hazard else 1))
    for text in printings(p, decimals, rounding):
        low, high = effects.hr_from_printed_p(text, events, lower_hazard=lower_hazard, rounding=rounding)["equal_alloc"]
        assert low * (1 - 1e-9) <= exact <= high * (1 + 1e-9)


def test_open_ended_p_values_leave_the_hazard_ratio_open():
    low, high = effects.hr_from_printed_p("< 0.001", 50)["equal_alloc"]
    assert low == 0 and high == pytest.approx(math.exp(-norm.isf(0.0005) / math.sqrt(12.5)))
    low, high = effects.hr_from_printed_p("ns", 50, lower_hazard=False)["equal_alloc"]
    assert low == 1 and high == pytest.approx(math.exp(norm.isf(0.025) / math.sqrt(12.5)))


def test_an_arm_without_events_gives_no_ratio_from_events_by_arm():
    assert "events_by_arm" not in effects.hr_from_printed_p("0.04", events_by_arm=(0, 9))


@given(st.floats(0.001, 0.999), st.floats(0.05, 20), st.floats(0.1, 100))
def test_risks_and_hazards_lead_back_to_each_other(risk, hr, time):
    assert -math.expm1(-effects.hazard_from_risk(risk, time) * time) == pytest.approx(risk)
    changed = effects.risk_under_hazard_ratio(risk, hr)
    # Under proportional hazards the survival is the power, as the constant-hazard curve shows.
    rate = effects.hazard_from_risk(risk, time) * hr
    assert changed == pytest.approx(-math.expm1(-rate * time), rel=1e-9, abs=1e-12)
    if changed < 1 - 1e-12:
        assert effects.hazard_ratio_from_risks(risk, changed) == pytest.approx(hr, rel=1e-4)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.integers(0, 1), roundings, st.data())
def test_the_hazard_ratio_of_two_risks_is_in_the_range_of_their_prints(r1, r2, decimals, rounding, data):
    texts = [data.draw(st.sampled_from(printings(100 * r, decimals, rounding))) for r in (r1, r2)]
    exact = effects.hazard_ratio_from_risks(r1, r2)
    found = effects.hazard_ratio_of_printed_risks(*texts, rounding=rounding)
    if exact is not None and found is not None:
        assert found[0] * (1 - 1e-9) <= exact <= found[1] * (1 + 1e-9)


# Statistics and E-values


@pytest.mark.parametrize("case", R["statistics"], ids=lambda c: c["test"])
def test_p_of_statistics_as_in_r(case):
    p = recompute.p_of_statistic(case["test"], case["value"], case["df1"], case["df2"])
    assert p == pytest.approx(case["p"], rel=1e-9)


@pytest.mark.parametrize("case", R["t_tests"])
def test_t_tests_as_in_r(case):
    found = recompute.t_tests(*(case[k] for k in ("m1", "sd1", "n1", "m2", "sd2", "n2")))
    assert found.student == pytest.approx(case["student"], rel=1e-9)
    assert found.welch == pytest.approx(case["welch"], rel=1e-9)


tests = st.sampled_from(["t", "F", "Z", "r", "Chi2", "Q"])


@given(tests, st.floats(0.01, 5), st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.integers(3, 60))
def test_a_rightly_computed_p_is_never_an_error(test, value, decimals, p_decimals, df1, df2):
    if test == "r":
        value /= 5.1
    statistic = round(value, decimals)
    p = recompute.p_of_statistic(test, value, df1 if test not in ("t", "r") else None, df2 if test != "Chi2" else None)
    df = (df1 if test not in ("t", "r") else None, df2 if test != "Chi2" else None)
    for reported in (
        recompute.ReportedP("=", round(p, p_decimals), p_decimals),
        recompute.ReportedP("<", min(p * 1.0001 + 1e-9, 1), 9),
        recompute.ReportedP(">", max(p * 0.9999 - 1e-9, 0), 9),
    ):
        found = recompute.recompute_p(test, statistic, decimals, reported, *df, zero_is_error=False)
        assert not found.error and not found.decision_error


@pytest.mark.parametrize(
    "reported, options, expected",
    # t(28) = 2.20 has p = 0.036.
    [
        (("=", 0.04, 2), {}, (False, False)),
        (("=", 0.03, 2), {}, (True, False)),
        (("=", 0.06, 2), {}, (True, True)),
        (("<", 0.05, 2), {}, (False, False)),
        (("<", 0.01, 2), {}, (True, False)),
        (("ns", None, 0), {}, (True, True)),
        (("ns", None, 0), {"alpha": 0.01}, (False, False)),
        (("=", 0.018, 3), {"one_tailed": True}, (False, False)),
        (("=", 0.018, 3), {"or_one_tailed": True}, (False, False)),
        (("=", 0.018, 3), {}, (True, False)),
        (("=", 0.0, 2), {}, (True, False)),
        (("=", 0.05, 2), {"statistic_relation": "<"}, (False, False)),
        (("=", 0.02, 2), {"statistic_relation": "<"}, (True, False)),
        (("=", 0.02, 2), {"statistic_relation": ">"}, (False, False)),
        (("=", 0.06, 2), {"statistic_relation": ">"}, (True, True)),
    ],
)
def test_printed_p_against_statistic(reported, options, expected):
    found = recompute.recompute_p("t", 2.20, 2, recompute.ReportedP(*reported), df2=28, **options)
    assert (found.error, found.decision_error) == expected


@pytest.mark.parametrize(
    "estimate, interval, point, limit",
    # VanderWeele2017 for 3.9 and 0.80, as retold by the R packages episensr and EValue; the others from tipr's.
    [
        (3.9, (1.8, 8.7), 7.26, 3.0),
        (0.80, (0.71, 0.91), 1.81, 1.43),
        (1.3, (0.9, 1.88), 1.92, 1.0),
        (0.9, (None, None), 1.46, None),
    ],
)
def test_e_values_as_published(estimate, interval, point, limit):
    found = effects.e_value(estimate, *interval)
    assert round(found.point, 2) == point
    assert found.limit is None if limit is None else round(found.limit, 2) == limit


@given(st.floats(1.0001, 10), st.sampled_from(["RR", "OR", "HR"]), st.booleans())
def test_e_values_do_not_mind_the_direction(ratio, measure, rare):
    assert effects.e_value(ratio, measure=measure, rare=rare).point == pytest.approx(
        effects.e_value(1 / ratio, measure=measure, rare=rare).point, rel=1e-6
    )


@given(st.floats(1.01, 10))
def test_a_common_outcome_needs_less_confounding(ratio):
    rare = effects.e_value(ratio, measure="HR").point
    assert effects.e_value(ratio, measure="HR", rare=False).point < rare
    assert effects.e_value(ratio, measure="OR", rare=False).point == pytest.approx(
        effects.e_value(math.sqrt(ratio)).point
    )
