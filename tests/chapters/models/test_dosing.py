"""The dose model against closed forms, bisection, quadrature and another solver on equations written anew."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.stats import norm

from chapters.models.mpn_interferon.dosing import (
    PUBLISHED,
    PUBLISHED_START,
    USUAL_DOSE,
    Blood,
    Course,
    clearing_dose,
    clearing_dose_by_bisection,
    drive,
    healthy,
    least_dose,
    median_effect,
    rates,
    renewal_left,
    share_above,
    solve,
    solve_reduced,
    state_at,
    untreated,
    years_below,
)  # fmt: skip
from chapters.models.mpn_interferon.inflammation import YEAR

YEARS = np.linspace(0, 12, 49)


@pytest.fixture(scope="module")
def natural():
    return untreated()


def flows(t, z, rho, delta, dose):
    """The published model again: each stem cell division counted by its daughters."""
    x0, x1, x2, y0, y1, y2, a, s = z
    stay_x = 0.89 / (1 + 5.6e-6 * x0 + 5.4e-6 * y0) * s / (1 / 7 + s)
    stay_y = 0.97 * (2 - 2 / (1 + np.exp(-rho * dose))) / (1 + 5.2e-6 * x0 + 5.0e-6 * y0) * s / (1 / 14 + s)
    divide_x, divide_y = x0 / 280, y0 * 1.5 / 280
    die_x, die_y = 3.7e-3 * x1, 3.7e-3 * (1 + delta * dose) * y1
    return [divide_x * stay_x - divide_x * (1 - stay_x), 2 * 34 * divide_x * (1 - stay_x) - 0.011 * x1 * 0.11 - die_x,
            2 * 3.2e6 * 0.011 * x1 * 0.555 - x2 / 6.6, divide_y * stay_y - divide_y * (1 - stay_y),
            2 * 34 * divide_y * (1 - stay_y) - 0.0165 * y1 * 0.03 - die_y, 2 * 3.2e6 * 0.0165 * y1 * 0.515 - y2 / 6.6,
            die_x + die_y + (x2 + y2) / 6.6 - 1.2e8 * a * s, 0.086 * a - 72 * s + 2]  # fmt: skip


@pytest.mark.parametrize("effects", [(0.0, 0.0, 0.0), (0.2, 0.25, USUAL_DOSE)])
def test_full_course_is_that_of_another_solver(natural, effects):
    start = state_at(natural, 0.4)
    rho, delta, dose = effects
    mine = solve(YEARS, start=start, rho=rho, delta=delta, doses=[(0, dose)])
    tight = {"method": "Radau", "rtol": 1e-9, "atol": 1e-7}
    other = solve_ivp(flows, (0, 12 * YEAR), start, t_eval=YEARS * YEAR, args=effects, **tight).y
    for one, two in zip(mine[1:], other):
        assert one[1:] == pytest.approx(two[1:], rel=2e-5)


def test_healthy_balance_stands_still_and_is_near_the_published_start():
    b = healthy()
    moves = rates((b.x0, b.x1, b.x2, 0, 0, 0, b.a, b.s), PUBLISHED)
    assert np.abs(np.array(moves)[[0, 1, 2, 6, 7]] / np.array([b.x0, b.x1, b.x2, b.x2, 1])).max() < 1e-8
    assert (b.x0, b.x1, b.x2, b.a, b.s) == pytest.approx((*PUBLISHED_START[:3], *PUBLISHED_START[6:]), rel=0.03)


def test_dose_factor_is_the_published_one():
    dose = np.array([0, 1, 6.4, 40])
    assert renewal_left(dose, 0.3) == pytest.approx(2 - 2 / (1 + np.exp(-0.3 * dose)))
    assert renewal_left(1e9, 1.0) == 0 or renewal_left(1e9, 1.0) < 1e-300


@pytest.mark.parametrize("rho", [0.04, 0.2, 1.0])
def test_least_dose_by_formula_is_that_by_bisection(rho):
    assert float(clearing_dose(rho)) == pytest.approx(clearing_dose_by_bisection(rho), rel=1e-3, abs=2e-4)


def test_least_dose_just_balances_renewal_and_loss():
    assert 1.3 * float(renewal_left(least_dose(1.3, 0.17), 0.17)) == pytest.approx(1)
    assert list(least_dose([0.9, 1.0], 0.2)) == [0, 0] and np.isinf(least_dose(1.3, 0.0))


def test_drive_is_the_growth_of_the_stem_cells():
    b = healthy()
    rate = rates((b.x0, b.x1, b.x2, 50.0, 0, 0, b.a, b.s), PUBLISHED)[3]
    assert rate / 50 == pytest.approx(1.5 / 280 * (float(drive(b.x0, 50.0, b.s)) - 1))


def test_reduced_course_is_the_full_one(natural):
    start, doses = state_at(natural, 0.5), [(0, USUAL_DOSE), (5, 0.0)]
    full = solve(YEARS, start=start, rho=0.2, delta=0.24, doses=doses)
    reduced = solve_reduced(YEARS, start=start, rho=0.2, delta=0.24, doses=doses)
    assert reduced.burden == pytest.approx(full.burden, abs=1e-5)
    # At a jump of the dose s has moved at once in the reduced model and not yet in the full one.
    later = (YEARS > 0) & (YEARS != 5)
    for one, two in zip(reduced, full):
        assert one[later] == pytest.approx(two[later], rel=1e-4)


def test_many_patients_at_once_are_as_one_by_one(natural):
    start, rho, dose = state_at(natural, 0.3), np.array([0.05, 0.2]), np.array([3.0, 9.0])
    together = solve_reduced(YEARS, start=start, rho=rho, delta=0.1, doses=[(0, dose)])
    for i in range(2):
        alone = solve_reduced(YEARS, start=start, rho=rho[i], delta=0.1, doses=[(0, dose[i])])
        assert together.burden[:, i] == pytest.approx(alone.burden, rel=1e-12)


def test_without_an_effect_on_stem_cells_they_are_not_driven_back(natural):
    start = state_at(natural, 0.3)
    treated = solve(YEARS, start=start, rho=0.0, delta=0.5, doses=[(0, USUAL_DOSE)])
    assert treated.burden[4] < 0.2 and treated.stem_burden[-1] > treated.stem_burden[0]


def test_share_and_median_of_the_cut_off_normal():
    whole = quad(lambda x: norm.pdf(x, 0.04, 0.28), 0, 10)[0]
    assert share_above(0.1) == pytest.approx(quad(lambda x: norm.pdf(x, 0.04, 0.28), 0.1, 10)[0] / whole, rel=1e-8)
    assert share_above(median_effect(0.04, 0.28)) == pytest.approx(0.5)


def test_years_below_of_an_exponential_fall():
    years = np.linspace(0, 10, 11)
    course = Course(years, *([np.ones(11)] * 8))
    assert float(years_below(course, np.exp(5 - 0.9 * years), 1.0)[0]) == pytest.approx(5 / 0.9)
    assert np.isnan(years_below(course, np.exp(5 + 0 * years), 1.0)[0])


def test_bad_input_is_refused(natural):
    with pytest.raises(ValueError, match="negative"):
        renewal_left(-1, 0.2)
    with pytest.raises(ValueError, match="days"):
        solve_reduced(YEARS, step=30 / YEAR)
    with pytest.raises(ValueError, match="never reaches"):
        state_at(untreated(10.0), 0.5)
    assert healthy(Blood(px0=0.3)).x0 == 0
