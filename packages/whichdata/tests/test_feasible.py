"""Feasible sets against brute force with definitions of its own, and against data that are known to exist."""

import math
import random
from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement, pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from whichdata import lattice, pairs
from whichdata.feasible import FeasibleSet, curve_can_be
from whichdata.pairs import TwoGroups, compared
from whichdata.printed import ROUNDINGS, Interval, Printed, printings
from whichdata.summaries import (
    NOT_REACHED,
    AtRisk,
    DataSet,
    Events,
    EventTimes,
    KMMedian,
    Median,
    NoCensoring,
    Range,
    SurvivalAt,
    Within,
)
from whichdata.survival import kaplan_meier

HALF = Fraction(1, 2)

# -- definitions, written out once more -------------------------------------------------------------------------------
# A data set here is a sorted tuple of (time, status), events before censorings.


def at_risk(data, t):
    return sum(x >= t for x, _ in data)


def survival(data, t):
    """Product over the times of events; all with time ≥ u are at risk at u."""
    s = Fraction(1)
    for u in sorted({x for x, _ in data if x <= t}):
        s *= 1 - Fraction(sum(x == u and e for x, e in data), at_risk(data, u))
    return s


def passes(data, level, convention):
    """The time at which the curve passes a level, or None."""
    values = [(t, survival(data, t)) for t in sorted({t for t, _ in data})]
    at_most = [t for t, s in values if s <= level]
    below = [t for t, s in values if s < level]
    if convention == "lt":
        return below[0] if below else None
    if not at_most:
        return None
    if convention == "midpoint" and below and below[0] != at_most[0]:
        return Fraction(at_most[0] + below[0], 2)
    return Fraction(at_most[0])


def times_of(data, of):
    return sorted(t for t, e in data if of == "all" or e == (of == "events"))


def middle(values, convention):
    low, high = values[(len(values) - 1) // 2], values[len(values) // 2]
    return {"low": Fraction(low), "high": Fraction(high), "average": Fraction(low + high, 2)}[convention]


@cache
def every_data_set(n, last):
    cells = [(t, e) for t in range(1, last + 1) for e in (1, 0)]
    return list(combinations_with_replacement(cells, n))


# -- summaries of a data set, each with what it says ------------------------------------------------------------------


def figure(value, draw, rounding):
    """A value as it may be printed under a rounding rule, or the number itself; and what it admits."""
    if draw(("printed", "exact")) == "exact":
        return value, lambda x: x == value
    text = draw(printings(value, draw((0, 0, 1)), rounding))
    return text, lambda x: Printed.parse(text).prints(x, rounding)


def summary_of(data, last, draw, rounding):
    """A random summary that ``data`` print, with its meaning: a predicate on data sets by the definitions above."""
    n, of = len(data), draw(("all", "events", "censored"))
    kind = draw(
        ("survival", "survival", "survival", "at_risk", "events", "events_by", "median", "median", "range")
        + ("within", "middle", "uncensored", "event_times")
    )
    t = draw(range(1, last + 1))
    mine = times_of(data, of)
    if kind == "survival":
        shown, admits = figure(100 * survival(data, t), draw, rounding)
        return SurvivalAt(t, shown, rounding=rounding), lambda x: admits(100 * survival(x, t))
    if kind == "at_risk":
        return AtRisk(t, at_risk(data, t)), lambda x: at_risk(x, t) == at_risk(data, t)
    if kind == "events":
        d = sum(e for _, e in data)
        return Events(d), lambda x: sum(e for _, e in x) == d
    if kind == "events_by":
        d = sum(e for u, e in data if u <= t)
        low, high = draw(((d, None), (d, min(d + 1, n)), (max(d - 1, 0), d)))
        most = low if high is None else high
        return Events(low, high, by=t), lambda x: low <= sum(e for u, e in x if u <= t) <= most
    if kind == "median":
        convention, level = draw(("le", "lt", "midpoint")), draw((HALF, HALF, Fraction(3, 4), Fraction(1, 3)))
        value = passes(data, level, convention)
        if value is None:
            return KMMedian(NOT_REACHED, convention, level), lambda x: passes(x, level, convention) is None
        shown, admits = figure(value, draw, rounding)
        return (
            KMMedian(shown, convention, level, rounding),
            lambda x: (v := passes(x, level, convention)) is not None and admits(v),
        )
    if kind == "range" and mine:
        low, high = draw((None, mine[0])), draw((None, mine[-1]))
        return Range(
            of, low, high
        ), lambda x: bool(own := times_of(x, of)) and (low in (None, own[0]) and high in (None, own[-1]))
    if kind == "within":
        low, high = (mine or [0])[0], (mine or [0])[-1]
        return Within(of, low, high), lambda x: all(low <= u <= high for u in times_of(x, of))
    if kind == "middle" and mine:
        convention = draw(("average", "average", "low", "high"))
        shown, admits = figure(middle(mine, convention), draw, rounding)
        return (
            Median(of, shown, convention, rounding),
            lambda x: bool(own := times_of(x, of)) and admits(middle(own, convention)),
        )
    if kind == "uncensored":
        before = draw((None, *times_of(data, "censored")[:1])) if times_of(data, "censored") else None
        if before is None and times_of(data, "censored"):
            before = times_of(data, "censored")[0]
        return NoCensoring(before), lambda x: all(before is not None and u >= before for u in times_of(x, "censored"))
    events = times_of(data, "events")
    return EventTimes(tuple(events), rounding), lambda x: times_of(x, "events") == events


def summaries_of(data, last, draw, rounding):
    """Up to four summaries."""
    chosen = {}
    for i in range(draw((1, 2, 3, 4))):
        summary, means = summary_of(data, last, draw, rounding)
        chosen[f"{i}: {summary}"] = (summary, means)
    return chosen


def as_pairs(data: DataSet):
    return tuple((int(t), e) for t, e in zip(*data))


# -- brute force ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("merge_from", [1, 32])
@pytest.mark.parametrize("seed", range(25))
def test_every_answer_agrees_with_brute_force(seed, merge_from, monkeypatch):
    """Random mixes of summaries of one data set, or of two (which mostly clash), on all small sets."""
    monkeypatch.setattr(lattice, "MERGE_FROM", merge_from)
    rng = random.Random(1000 * merge_from + seed)
    for _ in range(4):
        n, last = rng.choice([(1, 3), (2, 6), (3, 4), (4, 4), (4, 5), (5, 3), (5, 4)])
        every = every_data_set(n, last)
        sources = rng.choices(every, k=rng.choice((1, 2)))
        mixes = [summaries_of(data, last, rng.choice, rng.choice(ROUNDINGS)) for data in sources]
        chosen = {f"{i} {k}": v for i, mix in enumerate(mixes) for k, v in mix.items()}
        rows = sorted((s.time, s.count) for s, _ in chosen.values() if isinstance(s, AtRisk))
        if any(b > a for (_, a), (_, b) in pairwise(rows)):
            continue  # refused as bad input
        wanted = [x for x in every if all(means(x) for _, means in chosen.values())]
        check_all_answers(FeasibleSet(n, range(1, last + 1), {k: s for k, (s, _) in chosen.items()}), wanted, rng)


def check_all_answers(found: FeasibleSet, wanted, rng):
    assert found.count() == len(wanted)
    assert found.is_empty == (not wanted)
    assert {as_pairs(x) for x in found.enumerate()} == set(wanted) and len(found.enumerate()) == len(wanted)
    assert found.by_events() == dict(sorted(Counter(sum(e for _, e in x) for x in wanted).items()))
    if not wanted:
        assert found.witness() is None
        return
    assert as_pairs(found.witness()) in wanted
    assert all(as_pairs(x) in wanted for x in found.sample(5, 1))
    t = rng.choice(found.times)
    assert found.counts_by("at_risk", t) == dict(sorted(Counter(at_risk(x, t) for x in wanted).items()))
    early = Counter(sum(not e and u <= t for u, e in x) for x in wanted)
    assert found.counts_by("censored", t) == dict(sorted(early.items()))
    values = [survival(x, t) for x in wanted]
    assert found.survival_range(t) == (min(values), max(values))


@pytest.mark.parametrize("seed", range(25))
def test_a_clash_is_a_smallest_set(seed):
    rng = random.Random(seed)
    every = every_data_set(3, 4)
    while True:
        mixes = [summaries_of(rng.choice(every), 4, rng.choice, "up") for _ in range(3)]
        chosen = {f"{i} {k}": v for i, mix in enumerate(mixes) for k, v in mix.items()}
        rows = [s for s, _ in chosen.values() if isinstance(s, AtRisk)]
        if not rows and not any(all(m(x) for _, m in chosen.values()) for x in every):
            break

    def possible(names):
        return any(all(chosen[name][1](x) for name in names) for x in every)

    clash = FeasibleSet(3, range(1, 5), {k: s for k, (s, _) in chosen.items()}).clash()
    assert not possible(clash.names)
    assert all(possible([other for other in clash.names if other != name]) for name in clash.names)
    subsets = [[k for k, keep in zip(chosen, bits) if keep] for bits in product((0, 1), repeat=len(chosen))]
    smaller = [s for s in subsets if len(s) < len(clash.names) and not possible(s)]
    assert not (clash.smallest and smaller)


def test_no_clash_where_data_exist():
    assert FeasibleSet(3, range(1, 4), {"s": SurvivalAt(2, "67")}).clash() is None


def test_draws_are_uniform():
    few = FeasibleSet(4, range(1, 5), {"median": KMMedian(3, "midpoint"), "all": Range("all", 1, 4)})
    members = few.enumerate()
    assert len(members) > 10
    drawn = Counter(few.sample(4000, 7))
    assert set(drawn) <= set(members)
    assert chisquare([drawn[m] for m in members]).pvalue > 1e-3
    assert few.sample(20, 3) == few.sample(20, 3)


def test_draws_are_uniform_beyond_int64():
    """Nobody censored, 30 events on 400 days: the first of them is the smallest of 30 of a multiset."""
    days = FeasibleSet(30, range(1, 401), {"none": NoCensoring()})
    assert days.count() == math.comb(429, 30) > 2**63
    first = [x.time[0] for x in days.sample(300, 5)]
    # P(min > k) = C(429 − k, 30) / C(429, 30); its mean is the sum over k
    mean = sum(math.comb(429 - k, 30) / math.comb(429, 30) for k in range(400))
    spread = math.sqrt(sum((2 * k + 1) * math.comb(429 - k, 30) / math.comb(429, 30) for k in range(400)) - mean**2)
    assert abs(np.mean([float(t) for t in first]) - mean) < 4 * spread / math.sqrt(300)


# -- whatever was drawn is never called impossible --------------------------------------------------------------------


@given(st.data())
def test_data_that_exist_are_never_impossible(data):
    n, last = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 14))
    cell = st.tuples(st.integers(1, last), st.integers(0, 1))
    rows = tuple(sorted(data.draw(st.lists(cell, min_size=n, max_size=n)), key=lambda c: (c[0], -c[1])))
    rounding = data.draw(st.sampled_from(ROUNDINGS))
    chosen = summaries_of(rows, last, lambda options: data.draw(st.sampled_from(list(options))), rounding)
    found = FeasibleSet(n, range(1, last + 1), {k: s for k, (s, _) in chosen.items()})
    assert all(means(rows) for _, means in chosen.values())
    assert not found.is_empty and found.count() >= 1 and found.clash() is None
    assert all(means(as_pairs(found.witness())) for _, means in chosen.values())


@given(st.lists(st.tuples(st.integers(0, 24), st.integers(0, 1)), min_size=1, max_size=6), st.integers(0, 24))
def test_times_need_not_be_whole(rows, t):
    """The same figures on a grid of twelfths (months in years) describe the same number of data sets."""
    whole = kaplan_meier(*zip(*rows))
    printed = printings(100 * whole.at(t), 0)[0]
    months = FeasibleSet(len(rows), range(25), {"s": SurvivalAt(t, printed), "d": Events(sum(whole.events))})
    years = FeasibleSet(
        len(rows),
        [Fraction(k, 12) for k in range(25)],
        {"s": SurvivalAt(Fraction(t, 12), printed), "d": Events(sum(whole.events))},
    )
    assert months.count() == years.count() >= 1


@given(st.integers(1, 14), st.integers(0, 100), st.booleans(), st.sampled_from(ROUNDINGS))
def test_percentages_of_a_curve(n, percent, censoring, rounding):
    values = Printed.parse(str(percent)).interval(rounding).scaled(Fraction(1, 100))
    products = {Fraction(1)}
    for m in range(n, 0, -1):
        products |= {s * Fraction(m - 1, m) for s in products if (s * Fraction(m - 1, m)) > Fraction(percent - 2, 100)}
    possible = products if censoring else {Fraction(k, n) for k in range(n + 1)}
    assert curve_can_be(n, values, censoring) == any(s in values for s in possible)


# -- the shapes of question that were asked ---------------------------------------------------------------------------


def test_known_events_and_unknown_censoring():
    """Twelve patients, events at 1, 3 and 6, the rest censored: 74% at 6 takes exactly one loss from 3 to 5."""
    figures = {"events": EventTimes((1, 3, 6)), "74% at 6": SurvivalAt(6, "74")}
    found = FeasibleSet(12, range(28), figures)
    assert found.counts_by("censored", Fraction(11, 2)) == {1: found.count()}
    assert not found.adding(late=Within("censored", earliest=3)).is_empty
    assert found.adding(later=Within("censored", earliest=6)).is_empty
    # without losses before 6 it is 9 of 12
    unlost = {**figures, "74% at 6": SurvivalAt(6, "75"), "later": Within("censored", 6)}
    assert not FeasibleSet(12, range(28), unlost).is_empty
    with_range = found.adding(range=Range("censored", 6, 27))
    # then nobody is lost before 6, and a count of twelve is 67, 75 or 83 percent
    assert with_range.is_empty and with_range.clash() == (("74% at 6", "range"), True)


def test_two_groups_are_compared_pair_by_pair():
    grid = range(1, 6)
    first = FeasibleSet(3, grid, {"median": KMMedian(4), "d": Events(2)})
    second = FeasibleSet(3, grid, {"median": KMMedian(2)})
    every = [compared(a, b).p for a in first.enumerate() for b in second.enumerate()]
    printed = Printed.parse("0.14").interval()
    groups = TwoGroups(first, second)
    found = groups.log_rank_p(printed)
    assert found.exact and groups.n_pairs == len(every) == found.evaluated
    assert math.isclose(found.low, min(every)) and math.isclose(found.high, max(every))
    assert found.compatible == sum(p in printed for p in every) > 0


def test_drawn_pairs_stay_inside_and_say_so(monkeypatch):
    grid = range(1, 6)
    pair = TwoGroups(FeasibleSet(3, grid, {"median": KMMedian(4)}), FeasibleSet(3, grid, {"median": KMMedian(2)}))
    whole = pair.log_rank_p(Interval(Fraction(0), Fraction(1, 5)))
    drawn = pair.log_rank_p(Interval(Fraction(0), Fraction(1, 5)), limit=10, draws=4000, rng=1)
    assert whole.exact and not drawn.exact and drawn.evaluated == 4000
    assert whole.low <= drawn.low <= drawn.high <= whole.high
    assert abs(drawn.share - whole.share) < 4 * drawn.share_se
    monkeypatch.setattr(pairs, "BATCH", 7)
    assert pair.log_rank_p(Interval(Fraction(0), Fraction(1, 5))).compatible == whole.compatible


def test_large_sets_are_not_listed():
    months = FeasibleSet(12, range(1, 49), {"s": SurvivalAt(24, "58"), "d": Events(7)})
    with pytest.raises(ValueError, match="holds about 10.*narrow it"):
        months.enumerate()


def test_a_block_of_columns_counts_as_if_walked_one_by_one():
    """Days do not cost more than the patients: 3,650 columns, checked against a coarse grid by its polynomial."""

    def count(last):
        return FeasibleSet(4, range(1, 2 * last + 1), {"s": SurvivalAt(last, "50"), "d": Events(3)}).count()

    # a polynomial of degree at most 4 in the number of columns: its fifth difference is zero
    values = [count(k) for k in range(10, 16)]
    assert np.diff(values, 5) == 0
    days = np.polynomial.Polynomial.fit(range(10, 15), values[:5], 4)
    assert math.isclose(count(60), days(60), rel_tol=1e-6)


def test_merging_changes_no_count(monkeypatch):
    """Figures of sixteen patients of whom many states are merged; without merging the same number comes out."""
    rows = [(t, int(t % 3 > 0)) for t in range(1, 17)]
    curve = kaplan_meier(*zip(*rows))
    figures = {
        "a": SurvivalAt(10, printings(100 * curve.at(10), 0)[0]),
        "b": SurvivalAt(14, printings(100 * curve.at(14), 0)[0]),
        "m": KMMedian(curve.median("lt"), "lt"),
    }
    merged = FeasibleSet(16, range(1, 17), figures)
    count, states = merged.count(), sum(x.n_states for x in merged._lattices)
    monkeypatch.setattr(lattice, "MERGE_FROM", 10**9)
    plain = FeasibleSet(16, range(1, 17), figures)
    assert plain.count() == count > 0
    assert sum(x.n_states for x in plain._lattices) > states


@pytest.mark.parametrize(
    "figures",
    [
        {},
        {"s": SurvivalAt(20, "80")},
        {"s": SurvivalAt(20, "80"), "t": SurvivalAt(40, "60")},
        {"s": SurvivalAt(20, "80"), "d": Events(9), "r": AtRisk(30, 22)},
        {"m": KMMedian(30), "c": NoCensoring()},
        {"m": KMMedian(30, "midpoint")},
    ],
)
def test_the_forecast_is_near_the_number_of_states(figures, monkeypatch):
    """At ranks where nothing is merged; curve values that coincide are one state, but forecast apart."""
    made = []
    fill = lattice.Lattice._fill

    def counted(self, block, end, starts):
        fill(self, block, end, starts)
        made.append(sum(k for r, k in block.counts.items() if r > lattice.MERGED_RANKS))

    monkeypatch.setattr(lattice.Lattice, "_fill", counted)
    found = FeasibleSet(34, range(60), figures)
    (built,) = found._build(track_events=True)
    states, steps = built.forecast()
    assert 0.7 * sum(made) <= states <= 1.7 * sum(made) + 20 and steps >= states


def test_a_search_too_large_is_refused_before_it_starts(monkeypatch):
    monkeypatch.setattr(lattice, "STATE_LIMIT", 1000)
    with pytest.raises(ValueError, match="about [0-9,]+ states for 40 patients.*narrow it with the number of events"):
        FeasibleSet(40, range(60), {"a": SurvivalAt(20, "50")}).count()


# -- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: FeasibleSet(0, range(5), {}), "at least 1"),
        (lambda: FeasibleSet(-2, range(5), {}), "at least 1"),
        (lambda: FeasibleSet(3, [], {}), "no times"),
        (lambda: FeasibleSet(10**6, range(5), {}), "more than"),
        (lambda: FeasibleSet(3, range(5), {"a": AtRisk(1, 2), "b": AtRisk(3, 3)}), "never rise"),
        (lambda: FeasibleSet(3, range(5), {"a": AtRisk(1, 4)}).count(), "at most 3"),
        (lambda: FeasibleSet(3, range(5), {"a": Events(4)}).count(), "at most 3"),
        (lambda: FeasibleSet(3, range(5), {"a": EventTimes((1, 2, 3, 4))}).count(), "at most 3"),
        (lambda: SurvivalAt(3, "120"), "outside 0 to 100"),
        (lambda: SurvivalAt(3, "70", "share"), "percent or as a proportion"),
        (lambda: SurvivalAt(3, "seventy-ish"), "no printed number"),
        (lambda: KMMedian(3, "average"), "no median convention"),
        (lambda: Median("patients", 3), "not of 'patients'"),
        (lambda: FeasibleSet(3, range(5), {"a": SurvivalAt(2, "40")}).sample(1, 1), "set is empty"),
        (lambda: FeasibleSet(3, range(5), {"a": SurvivalAt(2, "40")}).survival_range(2), "set is empty"),
        (lambda: TwoGroups(FeasibleSet(3, range(5), {}), FeasibleSet(3, range(6), {})), "same grid"),
    ],
)
def test_bad_input_is_refused_with_one_clear_line(call, says):
    with pytest.raises(ValueError, match=says) as refused:
        call()
    assert "\n" not in str(refused.value)
