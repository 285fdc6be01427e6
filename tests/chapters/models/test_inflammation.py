"""The Cancitis model against its published statements, closed forms, and another solver on equations written anew."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from chapters.models.mpn_interferon.inflammation import (
    PUBLISHED,
    YEAR,
    Cancitis,
    Cells,
    healthy,
    invasion_rate,
    least_level,
    level,
    rates,
    slopes,
    solve,
    solve_reduced,
    takeover,
    years_to,
)  # fmt: skip

YEARS = np.linspace(0, 50, 201)


def flows(t, z):
    """The published model again, as flows between pools instead of rates of states."""
    x0, x1, y0, y1, a, s = z
    room = 1 / (1 + (7.5e-5 * (x0 + y0)) ** 2)
    born_x, born_y, mutate = 8.7e-4 * room * s * x0, 1.3e-3 * room * s * y0, 2e-8 * s * x0
    leave_x, leave_y = 1.1e-5 * x0, 1.1e-5 * y0
    dead_x0, dead_y0, dead_x1, dead_y1 = 2e-3 * x0, 2e-3 * y0, 129 * x1, 129 * y1
    return [born_x - leave_x - dead_x0 - mutate, 4.7e13 * leave_x - dead_x1, born_y - leave_y - dead_y0 + mutate,
            4.7e13 * leave_y - dead_y1, dead_x0 + dead_x1 + dead_y0 + dead_y1 - 2e9 * a * s,
            3e-4 * a - 2 * s + 7]  # fmt: skip


def at_balance(p=PUBLISHED, mutated=0.0):
    b = healthy(p)
    return (b.stem, b.mature, mutated, 0.0, b.dead, b.level)


def test_full_course_is_that_of_another_solver():
    mine = solve(YEARS)
    start = (1.01e4, 3.84e10, 0, 0, 699, 3.61)
    other = solve_ivp(flows, (0, 50 * YEAR), start, method="Radau", t_eval=YEARS * YEAR, rtol=1e-10, atol=1e-8)
    assert mine.burden == pytest.approx(other.y[3] / (other.y[1] + other.y[3]), abs=1e-6)
    for one, two in zip(mine[1:], other.y):
        assert one[1:] == pytest.approx(two[1:], rel=1e-5)


def test_what_the_article_says_of_the_healthy_state():
    b = healthy()
    assert round(b.level, 2) == 3.61 and round(b.stem, -4) == 1e4 and round(b.dead, -2) == 700
    assert b.dead == pytest.approx((2e-3 * b.stem + 129 * b.mature) / (2e9 * b.level))


@pytest.mark.parametrize("balance, mutated", [(healthy, False), (takeover, True)])
def test_balances_stand_still(balance, mutated):
    p = PUBLISHED._replace(rm=0.0)
    b = balance(p)
    cells = (0.0, 0.0, b.stem, b.mature) if mutated else (b.stem, b.mature, 0.0, 0.0)
    moves = np.array(rates((*cells, b.dead, b.level), p, p.I))
    turnover = np.array([b.stem * 2e-3, b.mature * 129, b.stem * 2e-3, b.mature * 129, b.mature * 129, b.level * 2])
    assert np.abs(moves / turnover).max() < 1e-9


def test_the_course_ends_in_the_takeover_balance():
    last = solve([0, 200], method="BDF")
    b = takeover()
    end = (last.y0[-1], last.y1[-1], last.a[-1], last.s[-1])
    assert end == pytest.approx((b.stem, b.mature, b.dead, b.level), rel=1e-5)


@given(st.floats(0, 1e15), st.floats(0.1, 50), st.floats(1e-5, 1e-2), st.floats(0.1, 100), st.floats(1e6, 1e12))
def test_level_is_the_positive_root(debris, stimulus, rs, es, ea):
    s = float(level(debris, stimulus, rs, es, ea))
    assert s > 0 and rs * debris / (ea * s) + stimulus == pytest.approx(es * s, rel=1e-9)


def test_invasion_rate_is_the_slope_of_the_mutated_stem_cells_at_the_balance():
    p = PUBLISHED._replace(rm=0.0, cyx=6e-5, ry=1.4e-3)
    state = np.array(at_balance(p))
    nudged = state + np.array([0, 0, 1e-3, 0, 0, 0])
    slope = (rates(nudged, p, p.I)[2] - rates(state, p, p.I)[2]) / 1e-3
    assert invasion_rate(p) == pytest.approx(slope * YEAR, rel=1e-6)


def test_the_clone_grows_as_fast_whatever_the_stimulus():
    quiet, loud = (PUBLISHED._replace(rm=0.0, I=value) for value in (6.0, 28.0))
    assert healthy(loud).level > 2 * healthy(quiet).level
    assert invasion_rate(quiet) == pytest.approx(invasion_rate(loud), rel=1e-9)
    assert invasion_rate(quiet) == pytest.approx((1.3 / 0.87 - 1) * 2.011e-3 * YEAR, rel=1e-9)


def test_below_its_least_level_a_clone_dies_out():
    normal, mutated = least_level()
    assert healthy(PUBLISHED._replace(rs=0.0, I=normal * 2 * 0.999)).stem == 0
    assert healthy(PUBLISHED._replace(rs=0.0, I=normal * 2 * 1.01)).stem > 0
    assert takeover(PUBLISHED._replace(rs=0.0, I=mutated * 2 * 0.999)).stem == 0
    assert takeover(PUBLISHED._replace(rs=0.0, I=mutated * 2 * 1.01)).stem > 0


def test_slopes_bound_the_rise_of_the_clone():
    p = PUBLISHED._replace(rm=0.0)
    course = solve(YEARS, p, at_balance(p, mutated=1.0))
    steepest, flattest = slopes(p)
    rise = np.diff(np.log(course.y0 / course.x0)) / np.diff(YEARS)
    assert flattest * 0.999 < rise.min() < rise.max() < steepest * 1.001
    assert (np.diff(rise) < 1e-6).all()


def test_reduced_course_is_the_full_one():
    full, reduced = solve(YEARS, start=at_balance()), solve_reduced(YEARS)
    assert reduced.burden == pytest.approx(full.burden, abs=1e-5)
    for one, two in zip(reduced, full):
        assert one[1:] == pytest.approx(two[1:], rel=1e-4)


def test_reduced_course_follows_a_changing_stimulus():
    schedule = [(0, 7.0), (10.1, 14.0), (30, 5.0)]
    full = solve(YEARS, start=at_balance(), schedule=schedule)
    assert solve_reduced(YEARS, schedule=schedule).burden == pytest.approx(full.burden, abs=1e-4)


def test_many_at_once_are_as_one_by_one():
    ry = np.array([1.1e-3, 1.3e-3, 1.6e-3])
    together = solve_reduced(YEARS, Cancitis(ry=ry), x0=healthy().stem)
    for i, value in enumerate(ry):
        assert together.burden[:, i] == pytest.approx(solve_reduced(YEARS, Cancitis(ry=value)).burden, rel=1e-12)


def test_a_step_to_the_same_stimulus_changes_nothing():
    assert solve(YEARS, schedule=[(0, 7.0), (12.3, 7.0)]).burden == pytest.approx(solve(YEARS).burden, abs=1e-7)


def test_years_to_a_share_of_a_logistic_course():
    years = np.linspace(0, 40, 9)
    odds = np.exp(0.4 * (years - 25))
    course = Cells(years, odds, np.ones(9), odds, odds, odds, odds)
    assert float(years_to(course, 0.33)) == pytest.approx(25 + np.log(0.33 / 0.67) / 0.4)
    assert np.isnan(years_to(course, 0.9999))


BAD = [([1, 2], None), ([0], None), ([0, 2, 1], None), ([0, 1], [(1, 7.0)]), ([0, 1], [(0, 7.0), (0, 8.0)])]


@pytest.mark.parametrize("years, schedule", BAD)
def test_bad_years_and_schedules_are_refused(years, schedule):
    with pytest.raises(ValueError, match="year"):
        solve(years, schedule=schedule)
    with pytest.raises(ValueError, match="year"):
        solve_reduced(years, schedule=schedule)
