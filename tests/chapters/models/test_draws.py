"""The committed draws: what they must be, and a brief new run of the sampler against them (skipped without jax)."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare

from chapters.models.mpn_stem_cells import draws as samples
from chapters.models.mpn_stem_cells import model as stem_cells

NAME = "mpn-stem-cells"
HEADLINE = samples.DRAWS / f"{NAME}-headline.json"


def test_a_design_of_the_studys_own_shape():
    plan, shape = samples.plan(), samples.study()
    assert plan.t.shape[0] == shape["patients"]
    assert plan.seen.sum() == shape["blood"] and plan.n.sum() == shape["colonies"]


def test_cohorts_are_drawn_alike_whatever_was_drawn_before():
    first = samples.cohort("kill all", 3)
    samples.cohort("exit alone", 0)
    again = samples.cohort("kill all", 3)
    assert np.array_equal(first.counts, again.counts)
    assert not np.array_equal(first.counts, samples.cohort("kill all", 4).counts)


def test_rivals_that_deplete_do_so_at_the_same_pace():
    true = {name: samples.truth_values(t) for name, t in samples.HYPOTHESES.items()}
    reading, kill = true["exit and exhaustion"], true["kill all"]
    assert kill["rate het"] == pytest.approx(reading["rate het"])
    assert kill["rate gap"] == pytest.approx(reading["rate gap"])
    assert true["exit alone"]["rate hom"] == 0 and true["no difference"]["rate gap"] == 0
    fold, balance = np.exp(samples.HYPOTHESES["exit and exhaustion"].population.exit), np.tanh([-0.2, -0.42])
    late = stem_cells.course(np.array([40.0, 41.0])[:, None], fold, balance).active
    assert np.log(late[0] / late[1]) == pytest.approx([reading["rate het"], reading["rate hom"]])


def test_a_better_docstring_asks_for_no_new_run_and_better_code_does():
    code = 'def f(x):\n    """Old."""\n    return x  # why\n'
    assert samples.bare(code) == samples.bare('def f(x):\n    """New words."""\n\n    return x\n')
    assert samples.bare(code) != samples.bare("def f(x):\n    return x + 1\n")


def test_unknown_names_are_refused():
    with pytest.raises(samples.SampleError, match="mpn-stem-cells"):
        samples.sample("nothing", 1.0)


def test_committed_draws_belong_to_this_code():
    for kind in ("headline", "runs"):
        entry = json.loads((samples.DRAWS / f"{NAME}-{kind}.json").read_text("utf-8"))
        assert entry["stamp"] == samples.stamp(), f"{kind}: made by other code; run `python3 -m lib sample {NAME}`"
    assert sum(p.stat().st_size for p in samples.DRAWS.glob(f"{NAME}*")) <= 2_000_000


def test_thinned_draws_agree_with_their_summaries():
    entry, draws = samples.load(f"{NAME}-headline")
    assert len(draws) == entry["thinned"]
    for name in samples.NAMES:
        s = entry["summary"][name]
        effective = min(s["ess bulk"], len(draws))
        assert abs(draws[name].mean() - s["mean"]) < 5 * s["sd"] / np.sqrt(effective)
        assert s["low"] < s["median"] < s["high"]


def test_the_headline_is_fitted_to_the_first_cohort_of_the_study():
    entry, draws = samples.load(f"{NAME}-headline")
    fitted, first = samples.fitted(entry), samples.cohort("exit and exhaustion", 0)
    assert entry["study"] == samples.study()
    assert np.array_equal(fitted.counts, first.counts) and np.array_equal(fitted.blood, first.blood)
    assert {*draws} == {*samples.NAMES, *samples.patient_columns(len(fitted.counts))}


def test_long_runs_are_whole():
    cohorts = pd.read_csv(samples.DRAWS / f"{NAME}-cohorts.csv")
    sizes = cohorts.groupby(["hypothesis", "cohort"]).size()
    assert (sizes == len(samples.NAMES) + len(samples.RATES)).all()
    assert set(cohorts["hypothesis"]) == set(samples.HYPOTHESES)
    calibration = pd.read_csv(samples.DRAWS / f"{NAME}-calibration.csv")
    assert calibration["fit"].is_unique
    ranks = calibration[[*samples.NAMES, *samples.RATES]]
    assert ranks.min().min() >= 0 and ranks.max().max() <= samples.RANK_DRAWS


def test_the_truth_ranks_evenly_among_the_draws():
    """Calibration: no value's ranks depart from uniform, and no more of them lie at the ends than chance puts there."""
    ranks = pd.read_csv(samples.DRAWS / f"{NAME}-calibration.csv")
    places = samples.RANK_DRAWS + 1
    p = [chisquare(np.bincount(ranks[q], minlength=places)).pvalue for q in samples.NAMES]
    assert min(p) * len(p) > 0.001
    ends = ranks[list(samples.NAMES)].isin([0, places - 1]).mean(axis=1)  # fits are independent, their values are not
    assert abs(ends.mean() - 2 / places) < 4 * ends.std() / np.sqrt(len(ends))


@pytest.fixture(scope="module")
def engine():
    try:
        return samples.engine()
    except samples.SampleError as missing:
        pytest.skip(str(missing))


def test_the_samplers_curves_are_the_closed_form(engine):
    rng = np.random.default_rng(1)
    t, exit, u = rng.uniform(0, 5, (6, 4)), rng.normal(0.5, 1, (6, 2)), rng.normal(-0.3, 0.5, (6, 2))
    got = engine.curves(t, np.exp(exit), np.tanh(u), 0.4)
    want = stem_cells.course(t[:, :, None], np.exp(exit)[:, None], np.tanh(u)[:, None], 0.4)
    for a, b in zip(got, (want.progenitors, want.mature)):
        assert np.allclose(np.moveaxis(np.asarray(a), 1, 2), b, rtol=1e-9, atol=1e-10)


def test_the_samplers_gamma_function(engine):
    from scipy.special import gammaln

    a = np.concatenate([np.geomspace(1e-8, 1, 40), np.linspace(1, 500, 60)])
    assert np.allclose(engine.log_gamma(a), gammaln(a), rtol=1e-9, atol=1e-9)


def test_the_likelihood_is_the_one_the_cohorts_are_drawn_from(engine):
    """Against scipy's Dirichlet-multinomial and normal, summed visit by visit."""
    from scipy.stats import dirichlet_multinomial, norm

    cohort = samples.cohort("exit and exhaustion", 1)
    plan, rng = cohort.design, np.random.default_rng(2)
    people = stem_cells.draw_individuals(samples.HYPOTHESES["exit and exhaustion"].population, plan.dose, rng)
    young, old = stem_cells.shares(plan.t, plan.hom, people, 0.8)

    def by_hand(kappa, sd):
        total = 0.0
        for i, j in zip(*np.nonzero(plan.seen)):
            k = 3 if plan.hom[i] else 2
            total += dirichlet_multinomial.logpmf(cohort.counts[i, j, :k], kappa * young[i, j, :k], plan.n[i, j])
            angle = np.arcsin(np.sqrt(stem_cells.allele_frequency(old[i, j, 1], old[i, j, 2])))
            total += norm.logpdf(cohort.blood[i, j], angle, sd)
        return total

    def ours(kappa, sd):
        arrays = engine.as_arrays(cohort)
        return float(engine.log_likelihood(arrays, people.exit, people.balance, people.ratio, 0.8, kappa, sd))

    # Both leave out constants of the data: differences between settings must agree.
    assert ours(50.0, 0.04) - ours(20.0, 0.06) == pytest.approx(by_hand(50.0, 0.04) - by_hand(20.0, 0.06), rel=1e-9)


@pytest.mark.parametrize("number", [84, 130])
def test_chains_begin_where_patients_differ(engine, number):
    """In these draws from the prior a search from its middle ends where all patients start alike and noise explains
    the rest.
    """
    rng = samples.seeded(2, number)
    population = engine.draw_prior(rng)
    cohort, _ = stem_cells.draw_cohort(population, samples.plan(), rng)
    shape = engine.laplace(engine.as_arrays(cohort))
    # What the fit takes the log of stands at the end of the population's values.
    logs = slice(samples.NAMES.index("exit sd"), len(samples.NAMES))
    found = dict(zip(samples.NAMES[logs], np.exp(shape.centre[logs])))
    for name, true in zip(samples.NAMES[logs], samples.flat(population)[logs]):
        assert 1 / 3 < found[name] / true < 3, f"{name}: {found[name]:.3g} where {true:.3g} is true"
    assert (np.diag(shape.factor) > 0).all() and not np.triu(shape.factor, 1).any()
    assert ((0 <= shape.centring) & (shape.centring <= 1)).all()


def some_shape(engine, rng, patients: int = 3):
    """Coordinates as crooked as they may be, for few patients."""
    size = 14 + 4 * patients
    factor = np.eye(size) + 0.1 * rng.standard_normal((size, size))
    return engine.Shape(rng.standard_normal(size), factor, rng.uniform(size=4 * patients), rng.standard_normal(3))


def test_the_samplers_coordinates_keep_the_posterior(engine):
    """The density gained on the way is the log determinant of the way, by differentiation."""
    import jax

    rng = np.random.default_rng(3)
    shape = some_shape(engine, rng)
    for y in rng.standard_normal((5, len(shape.centre))):
        slope = np.asarray(jax.jacobian(lambda y: engine.place(y, shape)[0])(y))
        want = np.linalg.slogdet(slope)[1] - np.linalg.slogdet(shape.factor)[1]
        assert float(engine.place(y, shape)[1]) == pytest.approx(want, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("centring", [0.0, 1.0])
def test_departures_divided_by_their_spread_or_left(engine, centring):
    """Wholly uncentred a departure is u times its spread, about its genotype's mean; wholly centred it is u."""
    rng = np.random.default_rng(4)
    shape = some_shape(engine, rng)._replace(centring=np.full(12, centring), spreads=np.zeros(3))
    u = shape.centre
    x = np.asarray(engine.place(np.zeros_like(u), shape)[0])
    spread, mean = np.exp(u[[9, 10, 11, 11]] * (1 - centring)), np.array([0, 0, u[6], u[7]])
    own, start = u[14:20].reshape(3, 2), u[20:].reshape(3, 2)
    want = np.concatenate([(own * spread[:2]).ravel(), (mean[2:] + (start - mean[2:]) * spread[2:]).ravel()])
    assert np.allclose(x[:14], u[:14]) and np.allclose(x[14:], want)


def test_curvature_by_differences(engine):
    import jax

    cohort = engine.as_arrays(samples.cohort("exit and exhaustion", 2))
    shape = engine.plain(len(engine.starts(cohort)[0]))._replace(centre=engine.starts(cohort)[3])
    size = len(shape.centre)
    along = jax.jit(
        lambda v: jax.jvp(jax.grad(lambda y: engine.potential(y, cohort, shape)), (np.zeros(size),), (v,))[1]
    )
    found = engine._curvature(cohort, shape)
    for v in np.random.default_rng(3).standard_normal((size, size)):
        want = np.asarray(along(v))
        assert np.allclose(found @ v, want, rtol=1e-3, atol=1e-3 * abs(found).max())


def test_pilot_draws_mend_what_is_wide_and_nothing_else(engine):
    """Draws of unit variance but for two directions: the new coordinates have unit variance there, and noise elsewhere
    is left.
    """
    rng = np.random.default_rng(5)
    size, draws = 26, 300
    shape = some_shape(engine, rng)
    turn = np.linalg.qr(rng.standard_normal((size, size)))[0]
    spread = np.array([5.0, 3.0, *np.ones(size - 2)])
    y = 0.5 + (rng.standard_normal((draws, size)) * spread) @ turn.T
    mended = engine.stretch(y, shape)
    assert np.allclose(mended.centre, shape.centre + shape.factor @ y.mean(0))
    # What one step in the new coordinates is in the old ones: stretched as the truth, within what 300 draws know.
    step = np.linalg.solve(shape.factor, mended.factor)
    variances = np.sort(np.linalg.eigvalsh(step @ step.T))
    assert np.allclose(variances[:-2], 1) and np.allclose(variances[-2:], [9, 25], rtol=0.25)
    assert np.allclose(engine.stretch(rng.standard_normal((draws, size)), shape).factor, shape.factor)


def test_a_brief_run_agrees_with_the_committed_summaries(engine):
    entry = json.loads(HEADLINE.read_text("utf-8"))
    got = samples.Fitter(1, 400)(samples.cohort("exit and exhaustion", 0), 77)
    table = samples.quality(samples.with_rates(got.population))
    assert got.divergent == 0
    for name, row in zip(samples.NAMES + samples.RATES, table.itertuples()):
        committed = entry["summary"][name]
        error = np.hypot(row.mcse, committed["mcse"])
        assert abs(row.mean - committed["mean"]) < 4 * error, f"{name}: {row.mean:.4g} against {committed['mean']:.4g}"


def test_only_the_second_visit_moves_and_comes_between_its_neighbours():
    even = samples.plan()
    for month in samples.SECOND_VISITS:
        moved = samples.visited(month)
        assert np.allclose(12 * moved.t[:, 1], month) and (np.diff(moved.t[:, :3]) > 0).all()
        assert np.array_equal(np.delete(moved.t, 1, 1), np.delete(even.t, 1, 1)) and np.array_equal(moved.n, even.n)
    assert np.array_equal(samples.visited(0).t, even.t)


def test_draws_by_the_second_visit_are_of_this_code_and_whole():
    entry = json.loads((samples.DRAWS / f"{NAME}-visits.json").read_text("utf-8"))
    assert entry["stamp"] == samples.visits_stamp(), f"made by other code; run `python3 -m lib sample {NAME}`"
    rows = pd.read_csv(samples.DRAWS / f"{NAME}-visits.csv")
    keys = ["hypothesis", "setting", "month", "cohort"]
    assert (rows.groupby(keys).size() == len(samples.PARTS)).all()
    assert set(rows[keys[:3]].itertuples(index=False, name=None)) == set(samples.SCENARIOS)
    assert rows["above"].between(0, 1).all() and rows["cohort"].max() < samples.VISITS
