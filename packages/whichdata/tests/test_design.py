"""Power and sample size, against R and against simulation-free identities."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whichdata import design

R = json.loads((Path(__file__).parent / "oracles" / "counts.json").read_text())

ratios = st.floats(0.1, 10).filter(lambda x: abs(math.log(x)) > 0.05)
powers, alphas, shares = st.floats(0.3, 0.99), st.floats(0.001, 0.2), st.floats(0.1, 0.9)


@pytest.mark.parametrize("case", R["events"], ids=lambda c: f"{c['hr']:g}")
def test_events_as_in_r(case):
    found = design.schoenfeld_events(case["hr"], case["power"], case["alpha"], case["alloc"])
    assert found == pytest.approx(case["events"], rel=1e-9)


@given(ratios, powers, alphas, shares)
def test_events_power_and_detectable_ratio_lead_back_to_each_other(hr, power, alpha, alloc):
    events = design.schoenfeld_events(hr, power, alpha, alloc)
    assert design.schoenfeld_power(hr, events, alpha, alloc) == pytest.approx(power, rel=1e-9)
    assert design.detectable_hr(events, power, alpha, alloc) == pytest.approx(max(hr, 1 / hr), rel=1e-9)
    assert events == pytest.approx(design.schoenfeld_events(1 / hr, power, alpha, 1 - alloc), rel=1e-9)


@pytest.mark.parametrize("case", R["power_prop"], ids=lambda c: f"{c['p1']:g} or {c['p2']:g}")
def test_two_proportions_as_in_r(case):
    power = design.power_two_proportions(case["n"], case["p1"], case["p2"], case["alpha"])
    assert power == pytest.approx(case["power"], rel=1e-9)


@given(st.integers(5, 300), st.integers(5, 300), st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_unequal_groups_lie_between_the_equal_ones(n1, n2, p1, p2):
    low, high = (design.power_two_proportions(n, p1, p2) for n in sorted((n1, n2)))
    mixed = design.power_two_proportions(n1, p1, p2, n2=n2)
    mirrored = design.power_two_proportions(n2, p2, p1, n2=n1)
    assert mixed == pytest.approx(mirrored, rel=1e-9)
    if n1 == n2:
        assert low == mixed == high


@pytest.mark.parametrize("case", R["power_t"], ids=lambda c: str(c["n"]))
def test_t_test_as_in_r(case):
    found = design.power_t_test(case["n"], case["delta"], case["sd"])
    assert found == pytest.approx(case["power"], rel=1e-9)
    once = design.power_t_test(case["n"], case["delta"], case["sd"], samples=1)
    assert once == pytest.approx(case["one_sample"], rel=1e-9)


def test_certainties():
    assert design.power_two_proportions(10, 0, 1) == 1
    assert design.power_two_proportions(10, 0, 0) is None
    assert design.power_two_proportions(50, 0.5, 0.5) == pytest.approx(0.025)
    assert design.schoenfeld_power(0.5, 0) == pytest.approx(0.025)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: design.schoenfeld_events(1), "no effect"),
        (lambda: design.schoenfeld_events(-0.5), "above 0"),
        (lambda: design.schoenfeld_events(0.5, power=1), "below 1"),
        (lambda: design.schoenfeld_events(0.5, alpha=0), "above 0"),
        (lambda: design.schoenfeld_events(0.5, alloc=1), "below 1"),
        (lambda: design.schoenfeld_power(0.5, -3), "at least 0"),
        (lambda: design.schoenfeld_power(float("nan"), 3), "finite"),
        (lambda: design.power_two_proportions(0, 0.5, 0.6), "above 0"),
        (lambda: design.power_two_proportions(10, 0.5, 1.6), "at most 1"),
        (lambda: design.power_t_test(1, 1), "above 1"),
        (lambda: design.power_t_test(10, 1, 0), "above 0"),
        (lambda: design.power_t_test(10, 1, samples=3), "samples"),
    ],
)
def test_bad_input_gives_one_clear_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("delta", [15.8, 20, 200])
def test_a_difference_far_from_none_is_always_seen(delta):
    assert design.power_t_test(3, delta) == pytest.approx(1)
