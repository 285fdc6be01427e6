"""The stem-cell model against an integrator, its limits by algebra, the cohorts it draws against their own rules."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from chapters.models.mpn_stem_cells.model import (
    ASSUMED,
    Individuals,
    Population,
    Rates,
    allele_frequency,
    course,
    depletion_rate,
    design,
    draw_cohort,
    draw_individuals,
    eigenvalues,
    measure,
    shares,
)

CASES = [  # fold, balance, progeny, death, removal
    (3, -0.4, 1, 0, 0), (2, -0.2, 0.3, 0, 0), (1, 0, 1, 0, 0), (5, 0, 1, 0.2, 0), (1, -0.9, 0, 0, 0), (1, 0.3, 1, 0, 0),
    (40, -0.5, 0.5, 0.1, 0), (1, 0, 1, 0, 3), (2, -0.3, 0.5, 0.1, 0.7), (60, -0.4, 1, 0, 2),
]  # fmt: skip


def integrated(t, fold, balance, progeny, death, removal=0, r=ASSUMED):
    """The four equations as the module's docstring states them, integrated numerically; (4, times)."""
    exit, loss = r.exit * fold, -r.divide * balance

    def slope(_, n):
        return [
            -exit * n[0] + r.rest * n[1] - death * n[0],
            exit * n[0] - (r.rest + loss) * n[1] - death * n[1],
            r.divide * (1 - progeny * balance) * n[1] - (1 + removal) * r.progenitor * n[2],
            r.progenitor * n[2] - r.mature * n[3],
        ]

    start = np.array([r.rest / r.exit, 1, r.divide / r.progenitor, r.divide / r.mature])
    columns, n, before = [], start, 0.0
    for now in t:  # to each time on its own: the integrator's interpolation between steps is coarser than its steps
        if now > before:
            n = solve_ivp(slope, (before, now), n, rtol=1e-12, atol=1e-13, method="DOP853").y[:, -1]
        columns.append(n)
        before = now
    return np.array(columns).T / np.array([1, 1, start[2], start[3]])[:, None]


@pytest.mark.parametrize("effect", CASES)
def test_closed_form_agrees_with_integration(effect):
    t = np.array([0, 0.02, 0.1, 0.5, 1, 2.5, 5])
    *drug, removal = effect
    assert np.allclose(course(t, *drug, removal=removal), integrated(t, *effect), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("rate", [-ASSUMED.progenitor, -ASSUMED.mature])
@pytest.mark.parametrize("aside", [0, 1e-9, 1e-6, 3e-5])
def test_equal_rates_are_no_trap(rate, aside):
    fold = brentq(lambda f: eigenvalues(ASSUMED.exit * f, 1.6, ASSUMED.rest)[1] - rate, 1, 200) + aside
    t = np.array([0, 0.05, 0.4, 3])
    assert np.allclose(course(t, fold, -0.4), integrated(t, fold, -0.4, 1, 0), rtol=1e-8, atol=1e-8)


def test_nothing_moves_without_the_drug():
    got = course(np.linspace(0, 10, 9), 1, 0)
    assert np.allclose(got.quiescent, ASSUMED.rest / ASSUMED.exit) and np.allclose(got[1:], 1)


def test_exit_alone_conserves_stem_cells_and_settles():
    fold, t = 3.0, np.linspace(0, 60, 50)
    got = course(t, fold, 0)
    assert np.allclose(got.quiescent + got.active, 1 + ASSUMED.rest / ASSUMED.exit)
    settled = (1 + ASSUMED.rest / ASSUMED.exit) * ASSUMED.exit * fold / (ASSUMED.exit * fold + ASSUMED.rest)
    assert np.allclose([got.active[-1], got.progenitors[-1], got.mature[-1]], settled)


def test_death_of_all_is_a_plain_exponential():
    t = np.linspace(0, 5, 11)
    got = course(t, 1, 0, death=0.7)
    assert np.allclose(got.active, np.exp(-0.7 * t)) and np.allclose(got.quiescent, 2 * np.exp(-0.7 * t))


@given(rate=st.floats(0.01, 2))
def test_death_of_all_has_a_twin_in_exit_and_loss_without_progeny(rate):
    """Waking at g + m and losing m (1 + b/g), none becoming progenitors, draws the very curve of death at m."""
    loss = rate * (1 + ASSUMED.rest / ASSUMED.exit)
    t = np.linspace(0, 5, 8)
    if loss > ASSUMED.divide:
        return
    twin = course(t, 1 + rate / ASSUMED.exit, -loss / ASSUMED.divide, progeny=0)
    assert np.allclose(twin, course(t, 1, 0, death=rate), atol=1e-10)


@given(fold=st.floats(0.05, 50), balance=st.floats(-1, -0.001))
def test_depletion_is_slower_than_exit_and_than_loss(fold, balance):
    rate = depletion_rate(fold, balance)
    assert 0 < rate < min(ASSUMED.exit * fold, -ASSUMED.divide * balance) * (1 + 1e-9)


@given(fold=st.floats(0.05, 50))
def test_without_loss_nothing_is_depleted(fold):
    assert depletion_rate(fold, 0) == 0


def test_limits_of_depletion():
    assert depletion_rate(1e9, -0.25) == pytest.approx(1.0)  # all awake: the loss itself
    eager = Rates(0.5, 1.0, 1e9, 26.0, 50.0)
    assert depletion_rate(3, -1, rates=eager) == pytest.approx(1.5, rel=1e-6)  # lost at once: the exit itself


@given(fold=st.floats(0.1, 20), balance=st.floats(-0.95, 0.5), t=st.floats(0, 5))
def test_cells_stay_positive_and_mature_ones_follow(fold, balance, t):
    assert all(np.all(v > 0) for v in course(t, fold, balance))


def test_bad_input_is_refused():
    for bad in [dict(t=-1, fold=1, balance=0), dict(t=1, fold=0, balance=0), dict(t=1, fold=1, balance=2)]:
        with pytest.raises(ValueError):
            course(**bad)
    with pytest.raises(ValueError, match="between 0 and 1"):
        course(1, 1, 0, progeny=1.5)
    for bad in [dict(death=-1), dict(removal=-1)]:
        with pytest.raises(ValueError, match="not negative"):
            course(1, 1, 0, **bad)
    with pytest.raises(ValueError, match="different"):
        course(1, 1, 0, rates=Rates(1, 1, 1, 5, 5))
    with pytest.raises(ValueError, match="different"):
        course(1, 1, 0, rates=Rates(1, 1, 1, 5, 20), removal=3)


POPULATION = Population((0.7, 1.1), (-0.2, -0.4), (-0.1, 0.0), 1.0, 0.3, 0.1, (-0.5, -0.2), 0.8, 50.0, 0.04)


def plan(rng, patients=12, colonies=6000, blood=50):
    return design(patients, colonies, blood, 5.0, 0.5, rng)


def test_a_design_spends_what_it_has():
    p = plan(np.random.default_rng(1))
    assert p.seen.sum() == 50 and p.n.sum() == 6000 and not p.n[~p.seen].any()
    last = p.t[np.arange(12), p.seen.sum(1) - 1]
    assert (p.t[:, 0] == 0).all() and np.allclose(last, 5) and p.hom.sum() == 6 and p.dose.sum() == 0
    assert (np.diff(p.t, axis=1)[p.seen[:, 1:]] > 0).all()
    with pytest.raises(ValueError, match="two visits"):
        design(10, 100, 15, 5.0, 0.5, np.random.default_rng(1))


def test_shares_at_the_start_are_the_ratios():
    people = Individuals(np.zeros((1, 2)), np.zeros((1, 2)), np.log([[0.5, 2.0]]))
    for part in shares(np.zeros((1, 1)), np.array([True]), people, 1.0):
        assert np.allclose(part[0, 0], np.array([1, 0.5, 2]) / 3.5)
    without = shares(np.zeros((1, 1)), np.array([False]), people, 1.0)[0]
    assert np.allclose(without[0, 0], np.array([1, 0.5, 0]) / 1.5)


def test_colonies_have_the_mean_and_the_overdispersion_they_should():
    p = plan(np.random.default_rng(1), 400, 400 * 2 * 100, 800)
    share = np.broadcast_to([0.5, 0.3, 0.2], (400, 2, 3))
    got = measure(p, share, share, 20.0, 0.05, np.random.default_rng(2))
    assert np.allclose(got.counts.sum(-1), p.n)
    observed = got.counts[..., 1] / p.n
    variance = 0.3 * 0.7 / 100 * (1 + 99 / 21)  # Dirichlet-multinomial with concentration 20 and 100 colonies
    n = observed.size
    assert abs(observed.mean() - 0.3) < 4 * np.sqrt(variance / n)
    assert abs(observed.var() / variance - 1) < 4 * np.sqrt(2 / n)
    angle = np.arcsin(np.sqrt(allele_frequency(0.3, 0.2)))
    assert abs(got.blood.mean() - angle) < 4 * 0.05 / np.sqrt(n)
    assert abs(got.blood.std() / 0.05 - 1) < 4 / np.sqrt(2 * n)


def test_patients_vary_as_the_population_says():
    dose = np.where(np.arange(4000) % 2, 0.5, -0.5)
    people = draw_individuals(POPULATION, dose, np.random.default_rng(3))
    assert abs(people.exit[:, 0].std() / 0.3 - 1) < 0.05
    assert np.allclose(people.exit[:, 1] - people.exit[:, 0], 0.4)  # alike in both genotypes
    contrast = people.balance[dose > 0].mean(0) - people.balance[dose < 0].mean(0)
    assert np.all(abs(contrast - POPULATION.dose) < 4 * 0.1 * np.sqrt(2 / 2000))


def test_patients_without_the_clone_have_no_such_colony():
    cohort, _ = draw_cohort(POPULATION, plan(np.random.default_rng(1)), np.random.default_rng(4))
    assert not cohort.counts[~cohort.design.hom][..., 2].any() and cohort.counts[cohort.design.hom][..., 2].any()
