"""The figures behind each chapter's conclusion, computed a second time and held against those on the page.

Each row of a chapter names values of its executed notebook and computes them from the record and the evidence table by
another route: first principles, SciPy or statsmodels, or a simulation of its own (``slack``: its Monte Carlo error).
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from fractions import Fraction
from itertools import combinations, permutations, product

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, optimize, stats
from statsmodels.duration.hazard_regression import PHReg

from lib import ROOT
from tests.chapters.second import (
    Z,
    clopper_pearson,
    evidence,
    kaplan_meier,
    power,
    ratio_seen,
    reported,
    rounds_to,
    shown,
    wilson,
)

TABLES: dict[str, dict] = {}


def figures(slug: str, *names: str, slack: float = 0.0):
    """Register a computation of the values that a chapter binds to these names, in their order."""

    def register(compute):
        TABLES.setdefault(slug, {})[names] = compute, slack
        return compute

    return register


# --- cml-stopping -----------------------------------------------------------------------------------------------------
CML = "cml-stopping"


def cml() -> tuple[int, int, int]:
    """Kept the response, analysed, enrolled."""
    return tuple(int(reported(r)) for r in ("CML-36", "CML-33", "CML-23"))


@figures(CML, "cp", "best-rate", "best", "long-low")
def limits_of_the_share():
    kept, analysed, _ = cml()
    others = kept / (analysed - 1), *clopper_pearson(kept, analysed - 1)
    return [100 * x for x in (*clopper_pearson(kept, analysed), *others, clopper_pearson(kept, kept)[0])]


@figures(CML, "no-early", "one-early", "two-early")
def curve_with_none_one_and_two_censored_before_the_last_relapse():
    kept, analysed, _ = cml()
    ends = []
    for early in range(3):
        times = [*(reported(f"CML-35/month-{k}") for k in (1, 2, 3)), *[5.5] * early, *[24] * (kept - early)]
        ends.append(100 * kaplan_meier(times, [1] * 3 + [0] * kept)[-1][1])
    return ends


def in_order(lost: int, kept: int) -> tuple[list[float], list[float]]:
    """Two groups completely separated, no two values equal."""
    return list(range(lost)), list(range(lost, lost + kept))


@figures(CML, "exact-p", "cc-p", "plain-p", "tied-p")
def p_of_the_rank_test():
    kept, analysed, _ = cml()
    low, high = in_order(analysed - kept, kept)
    tied = [20, 20, 20, 20, 21, 22, 23, 24, 24]  # four equal values and two equal values
    mann_whitney = stats.mannwhitneyu
    return [
        mann_whitney(low, high, method="exact").pvalue,
        mann_whitney(low, high, method="asymptotic", use_continuity=True).pvalue,
        mann_whitney(low, high, method="asymptotic", use_continuity=False).pvalue,
        mann_whitney(low, tied, method="asymptotic", use_continuity=True).pvalue,
    ]


def at_least(kept: int, n: int, rate: Fraction) -> Fraction:
    """The chance of so many of n or more, term by term."""
    return sum(math.comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(kept, n + 1))


@figures(CML, "chance-stim", "chance-stim-all", "nine-cited")
def chance_at_the_cited_rate():
    kept, analysed, enrolled = cml()
    rate = Fraction(int(reported("CML-02/percentage")), 100)
    return [float(at_least(kept, analysed, rate)), float(at_least(kept, enrolled, rate)), float(100 * rate**kept)]


SAME_FAILURE = ("euroski-final-mmr06", "euroski-mrfs24", "stim213-tfr12", "stop2g-tfr12", "endure-mrfs06-obs",
                "endure-mrfs12-obs", "endure-mrfs25-obs")  # fmt: skip
"""Rates without interferon that count loss of major response, up to the source's longest follow-up."""


@figures(CML, "same", "chance-same", "nine-same", "nine-alike")
def chance_at_rates_that_count_the_same_failure():
    kept, analysed, _ = cml()
    rates = []
    for row in (evidence(CML)[i] for i in SAME_FAILURE):
        kept_there = row["value"] and float(row["value"])
        rates.append(kept_there or 100 * (1 - int(row["numerator"]) / int(row["denominator"])))
    ends = [f(rates) for f in (min, max)]
    alike = [float(evidence(CML)[row]["value"]) for row in ("stop2g-tfr12", "stim213-tfr12")]
    found = [100 * float(at_least(kept, n, r / 100)) for n in (analysed, kept) for r in ends]
    return ends + found + [100 * (r / 100) ** kept for r in alike]


@figures(CML, "inferred-stim")
def hazard_ratio_against_the_cited_rate():
    kept, analysed, _ = cml()
    times = [1, 3, 6, 5, *[24] * (kept - 1)]
    _, survival, greenwood = kaplan_meier(times, [1] * 3 + [0] * kept)[-1]
    error = Z * math.sqrt(greenwood) / -math.log(survival)  # of log(−log S)
    of = math.log(reported("CML-02/percentage") / 100)
    cumulative = -math.log(survival)
    low, high = (cumulative * math.exp(side * error) / -of for side in (-1, 1))
    return [math.log(reported("CML-37/percentage") / 100) / of, low, high]


@figures(CML, "open-above", "open-after-all", "sceptical-above", "sceptical-before")
def belief_by_integration():
    kept, analysed, enrolled = cml()
    target = float(evidence(CML)["endure-mrfs25-obs"]["value"]) / 100
    centre = float(evidence(CML)["euroski-mrfs24"]["value"]) / 100

    def above(a: float, b: float) -> float:
        weight = lambda p: p ** (a - 1) * (1 - p) ** (b - 1)
        return 100 * integrate.quad(weight, target, 1)[0] / integrate.quad(weight, 0, 1)[0]

    sceptical = 20 * centre, 20 * (1 - centre)
    return [above(1 + kept, 1 + analysed - kept), above(1 + kept, 1 + enrolled - kept),
            above(sceptical[0] + kept, sceptical[1] + analysed - kept), above(*sceptical)]  # fmt: skip


@figures(CML, "diff25", "gain6")
def differences_of_the_randomised_trial():
    found = []
    for month, ends in (("25", (0, -Z, Z)), ("06", (Z,))):
        shares, variances = [], []
        for arm in ("ropeg", "obs"):
            row = evidence(CML)[f"endure-mrfs{month}-{arm}"]
            s, low, high = (float(row[c]) / 100 for c in ("value", "ci_low", "ci_high"))
            on_scale = [math.log(-math.log(x)) for x in (high, low)]
            shares.append(s)
            variances.append(((on_scale[1] - on_scale[0]) / (2 * Z) * s * math.log(s)) ** 2)
        gap, error = shares[0] - shares[1], math.sqrt(sum(variances))
        found += [100 * (gap + k * error) for k in ends]
    return found


@figures(CML, "better100", "worse100", "endure-p", "implied-events")
def hazard_ratio_of_the_randomised_trial():
    row = evidence(CML)["endure-hr"]
    value, low, high = (float(row[c]) for c in ("value", "ci_low", "ci_high"))
    free = float(evidence(CML)["endure-mrfs25-obs"]["value"]) / 100
    error = math.log(high / low) / (2 * Z)
    sizes = [int(evidence(CML)[f"endure-n-{arm}"]["value"]) for arm in ("ropeg", "obs")]
    share = sizes[0] / sum(sizes)
    return [100 * (free**low - free), 100 * (free - free**high), 2 * stats.norm.sf(abs(math.log(value)) / error),
            1 / (error**2 * share * (1 - share))]  # fmt: skip


@figures(CML, "alarm")
def false_alarm_over_every_sequence_of_outcomes():
    """Each of the 2ⁿ sequences of kept and lost, with its chance under the cited rate."""
    _, _, enrolled = cml()
    rate = reported("CML-02/percentage") / 100
    sequences = (np.arange(2**enrolled)[:, None] >> np.arange(enrolled)) & 1
    kept = sequences.cumsum(axis=1)
    weight = rate ** kept[:, -1] * (1 - rate) ** (enrolled - kept[:, -1])
    looks = range(5, enrolled + 1)
    alarm = np.zeros(len(sequences), bool)
    for n in looks:
        tail = np.array([float(at_least(k, n, rate)) for k in range(n + 1)])
        alarm |= tail[kept[:, n - 1]] <= 0.025
    return [100 * float(weight[alarm].sum())]


# --- ph-all-maintenance -----------------------------------------------------------------------------------------------
PHA = "ph-all-maintenance"


def pha() -> dict[str, tuple[int, int]]:
    """Still in remission, of how many."""
    return {"ifn": (int(reported("PHA-27/ongoing")), int(reported("PHA-16"))),
            "im": (int(reported("PHA-37/ongoing")), int(reported("PHA-18")))}  # fmt: skip


@figures(PHA, "lasting-difference", "lasting-low", "lasting-high", "ifn-low", "ifn-high")
def difference_of_lasting_remission():
    (x, n), (y, m) = pha().values()
    p, q = x / n, y / m
    (l1, u1), (l2, u2) = wilson(x, n), wilson(y, m)
    newcombe = (p - q - math.hypot(p - l1, u2 - q), p - q + math.hypot(u1 - p, q - l2))
    return [100 * v for v in (p - q, *newcombe, *clopper_pearson(x, n))]


@figures(PHA, "lasting-p", "relapse-p", "death-p")
def fishers_p():
    (x, n), (y, m) = pha().values()
    relapsed, im_relapsed, died = (int(reported(r)) for r in ("PHA-30", "PHA-39/relapsed", "PHA-29"))
    tables = [
        [[x, n - x], [y, m - y]],
        [[relapsed, n - relapsed], [im_relapsed, m - im_relapsed]],
        [[died, n - died], [0, m]],
    ]
    return [stats.fisher_exact(t).pvalue for t in tables]


@figures(PHA, "five-ifn", "five-im")
def in_remission_at_five_years():
    """More than half had ended by the median, some end later, and nobody is censored by then."""
    (x, n), (y, m) = pha().values()
    after_im = m - y - m // 2  # the later of the middle two, and what may end with or after it
    return [100 * x_ / n_ for x_, n_ in ((x + 1, n), (n - (n // 2 + 1), n), (y, m), (y + after_im - 1, m))]


@figures(PHA, "best-low", "best-high", "needed-all", "needed-relapse", "os-power", "os-seen")
def what_so_few_events_can_show():
    (x, n), (y, m) = pha().values()
    events, relapsed = n - x, int(reported("PHA-30"))
    best = math.exp(Z / math.sqrt(events / 4))
    ratio, deaths, share = reported("PHA-22/median") / reported("PHA-21/median"), n - x + m - y, n / (n + m)
    return [1 / best, best, ratio_seen(events), ratio_seen(relapsed), 100 * power(ratio, deaths, share),
            1 / ratio_seen(deaths, share)]  # fmt: skip


@figures(PHA, "planned", "planned-as-here")
def events_that_a_trial_needs():
    wanted = [2 / 3, float(shown(PHA, "hr-middle")[0])]
    least = [next(d for d in range(2, 2000) if power(h, d) >= 0.8) for h in wanted]
    return least


@figures(PHA, "censored-least", "censored-most")
def relapse_with_deaths_censored():
    """Kaplan–Meier over every place of the deaths among the endings, and of the ongoing remissions after the median."""
    (x, n), died, found = pha()["ifn"], int(reported("PHA-29")), []
    endings = n - x
    for first, second in product(range(n // 2 + 1, endings), repeat=2):  # endings before each of the shorter ongoing
        if first <= second:
            kinds = ["ended"] * endings
            kinds.insert(second, "goes on"), kinds.insert(first, "goes on"), kinds.append("goes on")
            places = [k for k, kind in enumerate(kinds) if kind == "ended"]
            steps = 1 - 1 / np.arange(n, 0, -1)
            whole = np.prod(steps[places])
            for dead in combinations(places, died):
                found.append(100 * (1 - whole / np.prod(steps[list(dead)])))
    return [min(found), max(found)]


@figures(PHA, "order-chance", "early-few", "early-many")
def chances_of_orders():
    (x, n), (y, m) = pha().values()
    orders = list(permutations("i" * x + "c" * y))
    first = sum(o[:x] == ("i",) * x for o in orders)
    few, many = (stats.hypergeom(n + m, m, k).pmf(k) for k in (1, m // 2))
    return [1, len(orders) / first, 100 * few, 100 * many]


@figures(PHA, "as-few", "expected-medians")
def what_one_hazard_ratio_would_leave():
    (x, n), (y, m) = pha().values()
    half = 0.05
    ends = [(reported("PHA-25/median") + s * half / 10) / (reported("PHA-24/median") - s * half) for s in (-1, 1)]
    left = [(y / m) ** ratio for ratio in ends]
    most = n - (n // 2 + 1)
    chances = sorted(100 * sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(most + 1)) for p in left)
    return [*chances, *sorted(n * p for p in left)]


def risk_sets(time, event, treated) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """At each event, of times without ties: whether it was a treated patient's, and how many of either group were at
    risk."""
    order = np.argsort(time)
    event, treated = np.asarray(event, bool)[order], np.asarray(treated, float)[order]
    first = treated[::-1].cumsum()[::-1]
    return treated[event], first[event], (np.arange(len(time), 0, -1) - first)[event]


def log_rank_p(whose, first, second) -> float:
    """The two-sided p of the log-rank test."""
    share = first / (first + second)
    return math.erfc(abs((whose - share).sum()) / math.sqrt(2 * (share * (1 - share)).sum()))


def cox(whose, first, second) -> float:
    """Cox's hazard ratio, where its score is 0."""
    score = lambda beta: (whose - first / (first + second * math.exp(-beta))).sum()
    return math.exp(optimize.brentq(score, -15, 15, xtol=1e-6))


def a_pair_of_groups(rng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times of both groups that print every reported time of remission, days without ties."""
    near = lambda ref, half=0.05: reported(ref) + rng.uniform(-half, half)
    bend = rng.uniform(0.2, 5, 4)
    first, middle, last = near("PHA-24/low"), near("PHA-24/median"), near("PHA-24/high")
    ifn = [first, *(first + (middle - first) * rng.random(8) ** bend[0]), middle,
           *(middle + (last - middle) * rng.random(5) ** bend[1]), last]  # fmt: skip
    first, half, last = near("PHA-25/low"), near("PHA-25/median", 0.005), reported("PHA-38/event-2") + 0.05
    gap = rng.uniform(0, 0.5) ** 2
    im = [first, *(first + (half - gap - first) * rng.random(4) ** bend[2]), half - gap, half + gap,
          *(half + gap + (last - half - gap) * rng.random(3) ** bend[3])]  # fmt: skip
    going_on = [near(f"PHA-28/event-{k}") for k in (1, 2, 3)], [near(f"PHA-38/event-{k}") for k in (1, 2)]
    time = np.array([*ifn, *going_on[0], *im, *going_on[1]])
    return time, np.repeat([1, 0, 1, 0], [16, 3, 10, 2]), np.repeat([1, 0], [19, 12])


def test_no_data_drawn_pass_the_searched_ends_of_the_hazard_ratio():
    """Pairs of groups with every reported time and a log-rank p that prints as reported: none passes the ends on the
    page, and some come near both. A sample of them is fitted by statsmodels as well."""
    rng, found = np.random.default_rng(5), []
    printed = reported("PHA-26")
    for _ in range(6000):
        time, event, treated = a_pair_of_groups(rng)
        at_risk = risk_sets(time, event, treated)
        if abs(log_rank_p(*at_risk) - printed) <= 0.005:
            found.append(ratio := cox(*at_risk))
            if len(found) % 20 == 1:
                fit = PHReg(time, treated.astype(float), status=event, ties="efron").fit()
                assert math.exp(fit.params[0]) == pytest.approx(ratio, rel=1e-5)
    low, high = (float(shown(PHA, name)[0]) for name in ("hr-low", "hr-high"))
    assert len(found) > 100
    assert low - 0.005 <= min(found) and max(found) <= high + 0.005
    assert min(found) < low + 0.02 and max(found) > high - 0.02


def frailty_through(points) -> tuple[float, float]:
    """Rate and log-normal spread of constant hazards whose pooled curve passes through two points."""
    grid = np.linspace(-8, 8, 4001)
    weight = stats.norm.pdf(grid) / stats.norm.pdf(grid).sum()
    survival = lambda x, t: float((np.exp(-t * np.exp(x[0] + x[1] * grid)) * weight).sum())
    found = optimize.root(lambda x: [survival(x, t) - s for t, s in points], [0.0, 2.0], tol=1e-10)
    assert found.success
    return math.exp(found.x[0]), found.x[1]


@figures(PHA, "hr-waited", "hr-dropped", "hr-insight", slack=0.03)
def median_hazard_ratio_where_interferon_does_nothing():
    """One candidate after another, filed until both groups are full; Cox by its score equation."""
    (x, n), (y, m) = pha().values()
    middle = math.sqrt(reported("PHA-24/median") * reported("PHA-25/median"))
    rate, spread = frailty_through([(middle, 0.5), (7.0, (x + y) / (n + m))])
    wait, rng, found = reported("PHA-24/low"), np.random.default_rng(6), []
    for waiting, insight, early in ((wait, 0.0, "control"), (wait, 0.0, "nowhere"), (0.0, 0.4, "control")):
        ratios = []
        for _ in range(600):
            groups: tuple[list, list] = [], []
            while len(groups[0]) < n or len(groups[1]) < m:
                z = rng.standard_normal()
                sign = insight * z + math.sqrt(1 - insight**2) * rng.standard_normal()
                time = rng.standard_exponential() / (rate * math.exp(spread * z))
                chosen, early_end = sign <= stats.norm.ppf(n / (n + m)), time <= waiting
                if chosen and early_end and early == "nowhere":
                    continue
                group, size = (groups[0], n) if chosen and not early_end else (groups[1], m)
                if len(group) < size:
                    group.append(time)
            time = np.array(groups[0] + groups[1])
            end = rng.uniform(reported("PHA-38/event-1"), reported("PHA-28/event-3"), n + m)
            ratios.append(cox(*risk_sets(np.minimum(time, end), time <= end, np.repeat([1, 0], [n, m]))))
        found.append(float(np.median(ratios)))
    return [x for ratio in found for x in (ratio, None)]  # each is printed with its Monte Carlo error


# --- mpn-interferon ---------------------------------------------------------------------------------------------------
MPI = "mpn-interferon"


def row(name: str, column: str = "value") -> float:
    return float(evidence(MPI)[name][column])


@figures(MPI, "hu-pooled", "hu-pooled-ends")
def any_dose_of_hydroxyurea():
    """The common log ratio as a regression on a constant, its correlated errors made independent by Cholesky."""
    names = [f"bjorkholm2011-hu-{k}" for k in ("low", "mid", "high")]
    logs = np.log([row(n) for n in names])
    errors = np.array([math.log(row(n, "ci_high") / row(n, "ci_low")) / (2 * Z) for n in names])
    covariance = np.outer(errors, errors) * np.where(np.eye(3), 1, 0.5)
    whiten = np.linalg.inv(np.linalg.cholesky(covariance))
    x, y = whiten @ np.ones(3), whiten @ logs
    mean, error = x @ y / (x @ x), 1 / math.sqrt(x @ x)
    return [math.exp(mean), *(math.exp(mean + k * error) for k in (-Z, Z))]


@figures(MPI, "excess", "excess-ends", "wang-risk", "wang-risk-ends")
def leukaemia_per_hundred():
    users, others, cases = (row(f"wang2023-{k}") for k in ("hu-users", "hu-nonusers", "myeloid"))

    def more(ratio: float, cases: float) -> float:
        base = optimize.brentq(lambda r: others * r + users * ratio * r - cases, 0, 1)
        return 100 * base * (ratio - 1)

    low, high = clopper_pearson(int(cases), int(users + others))
    ends = [more(row("wang2023-hr", end), cases) for end in ("ci_low", "ci_high")]
    return [more(row("wang2023-hr"), cases), -min(ends), max(ends),
            100 * cases / (users + others), 100 * low, 100 * high]  # fmt: skip


@figures(MPI, "et-from", "et-until", "pv-from", "pv-until")
def years_until_the_stated_share_has_stopped():
    found = []
    for disease in ("et", "pv"):
        rate = row(f"bewersdorf2020-aestop-{disease}") / 100
        for share in (reported("MPI-06/low"), reported("MPI-06/high")):
            left = lambda t: integrate.quad(lambda u: rate * math.exp(-rate * u), 0, t)[0] - share / 100
            found.append(optimize.brentq(left, 0, 50))
    return found


@figures(MPI, "clots")
def clots_that_a_trial_must_see():
    return [next(d for d in range(2, 2000) if power(2 / 3, d) >= 0.8)]


@figures(MPI, "vaccine-upper", "combi-ae-interval", "deep-interval")
def exact_limits_of_small_trials():
    treated, combi = int(row("calrvax-clinical", "denominator")), int(row("combi-final-n"))
    stopped = [k for k in range(combi + 1) if rounds_to(100 * k / combi, shown(MPI, "combi-ae")[0])]
    assert len(stopped) == 1
    deep = clopper_pearson(int(row("larsen2013-deep")), int(row("larsen2013-n")))
    return [100 * x for x in (clopper_pearson(0, treated)[1], *clopper_pearson(stopped[0], combi), *deep)]


@figures(MPI, "korea-completers", "korea-all", "rc-worst")
def who_is_counted():
    k = int(row("korea-ropeg-chr-w108", "numerator"))
    hu, share = int(row("mpnrc112-aestop-hu", "denominator")), row("mpnrc112-aestop-hu")
    stopped = round(share * hu / 100)
    missing = int(row("mpnrc112-n")) - hu - int(row("mpnrc112-aestop-peg", "denominator"))
    return [100 * k / row("korea-ropeg-chr-w108", "denominator"), 100 * k / row("korea-ropeg-n"),
            100 * (stopped + missing) / (hu + missing)]  # fmt: skip


@figures(MPI, "rise-one", "rise-two", "ratio-printed")
def rises_between_the_printed_years():
    said = [row("andersen2017-said-year-et"), 0, row("andersen2017-said-year-pmf")]
    said[1] = said[0] + row("andersen2017-said-step-pv")
    logit = [math.log(q / (1 - q)) for q in (row(f"andersen2017-vaf-{k}") / 100 for k in ("et", "pv", "pmf"))]
    one, two = ((b - a) / (t - s) for a, b, s, t in zip(logit, logit[1:], said, said[1:]))
    return [one, two, one / two]


def conditional_odds(a: int, n: int, c: int, m: int) -> list[float]:
    """The ratio at which a of n, against c of m, is expected given the margins, and those at which so few or so many have
    a chance of 2.5%: the noncentral hypergeometric term by term."""
    values = range(max(0, a + c - m), min(n, a + c) + 1)
    ways = [math.comb(n, k) * math.comb(m, a + c - k) for k in values]

    def solved(of, goal: float) -> float:
        def gap(log_ratio: float) -> float:
            weights = [w * math.exp(log_ratio * k) for w, k in zip(ways, values)]
            return sum(w * of(k) for w, k in zip(weights, values)) / sum(weights) - goal

        return math.exp(optimize.brentq(gap, -8, 8))

    return [solved(lambda k: k, a), solved(lambda k: k >= a, 0.025), solved(lambda k: k <= a, 0.025)]


def newcombe(a: int, n: int, c: int, m: int) -> list[float]:
    """A difference of shares per 100 and its limits, from those of each share by Wilson."""

    def wilson(k: int, size: int) -> list[float]:
        middle, half = k + Z**2 / 2, Z * math.sqrt(k * (size - k) / size + Z**2 / 4)
        return [(middle - half) / (size + Z**2), (middle + half) / (size + Z**2)]

    p, q, (p_low, p_high), (q_low, q_high) = a / n, c / m, wilson(a, n), wilson(c, m)
    ends = math.hypot(p - p_low, q_high - q), math.hypot(p_high - p, q - q_low)
    return [100 * (p - q), 100 * (p - q - ends[0]), 100 * (p - q + ends[1])]


@figures(MPI, "cr12-gap", "cr36-gap", "severe-gap")
def differences_in_mpn_rc_112():
    """As printed: sizes of differences, each with its hundred; the hydroxyurea arm is all treated but the others."""
    n = int(row("mpnrc112-aestop-peg", "denominator"))
    m = int(row("mpnrc112-n")) - n
    found = []
    for what in ("cr12", "cr36", "ae34"):
        a, c = (round(row(f"mpnrc112-{what}-{arm}") * size / 100) for arm, size in (("peg", n), ("hu", m)))
        gap, *ends = newcombe(a, n, c, m)
        found += [abs(gap), 100, *map(abs, ends)]
    return found


@figures(MPI, "against-trials", "stop-rest")
def stopping_against_hydroxyurea():
    """In how many trials more stopped interferon, and the odds ratio of the others than DALIAH with its widest limits."""
    more, others = 0, []
    for drug, other in (("mpnrc112-aestop-peg", "mpnrc112-aestop-hu"), ("daliah-aestop-peg", "daliah-aestop-hu"),
                        ("proudpv-aestop-ropeg", "proudpv-aestop-hu")):  # fmt: skip
        tables = []
        for name in (drug, other):
            n, share = int(row(name, "denominator")), evidence(MPI)[name]["value"]
            decimals = len(share.partition(".")[2])
            tables.append([(k, n - k) for k in range(n + 1) if abs(100 * k / n - float(share)) <= 0.5 * 10**-decimals])
        more += row(drug) > row(other)
        if not drug.startswith("daliah"):
            ratios, low, high = zip(*(conditional_odds(a, a + b, c, c + d) for (a, b), (c, d) in product(*tables)))
            others += [float(np.mean(ratios)), min(low), max(high)]
    return [more, *others]


# --- mpn-stem-cells ---------------------------------------------------------------------------------------------------
MSC = "mpn-stem-cells"


@figures(MSC, "several-years", "twice-years", "per-sample", "full-two", "full-three")
def how_often_blood_was_taken():
    patients, years, blood = reported("MSC-05"), reported("MSC-06/low"), reported("MSC-09/mature")
    full = []
    for each in (
        2 * years,
        3 * years,
    ):  # so many samples for each patient followed for all the years, one for the others
        count = 0
        while (count + 1) * each + (patients - count - 1) <= blood:
            count += 1
        full.append(count)
    return [blood / patients / 3, blood / patients / 2, reported("MSC-08") / blood, *full]


@figures(MSC, "worth-modest")
def what_the_colonies_are_worth():
    """The variance of a mean of clustered values, in units of that of independent ones."""
    patients, colonies, likeness = reported("MSC-05"), reported("MSC-08"), 0.05
    each = colonies / patients
    variance = (1 / each + (each - 1) / each * likeness) / patients
    return [1 / variance]


def cohorts() -> pd.DataFrame:
    return pd.read_csv(ROOT / "data" / "draws" / f"{MSC}-cohorts.csv")


def posteriors(hypotheses) -> list[dict[str, float]]:
    """The posterior probability that each quantity is above its mark, for every cohort of some hypotheses."""
    runs = cohorts()
    found: dict = {}
    for run in runs[runs.hypothesis.isin(hypotheses)].itertuples():
        found.setdefault((run.hypothesis, run.cohort), {})[run.quantity] = run.above
    return list(found.values())


READING = ("exit and exhaustion", "no difference")
RIVALS = ("kill all", "kill active", "kill active, other rates", "exit alone")


@figures(MSC, "right-3", "right-10", "right-30", "wrong-3", "wrong-10", "n-three", "rivals-n")
def cohorts_in_which_all_three_are_found():
    def found(p: dict, cut: float) -> bool:
        return all(p[f"exit {g}"] > cut and p[f"balance {g}"] < 1 - cut for g in ("het", "hom")) and p["progeny"] > cut

    groups = [posteriors(READING), posteriors(RIVALS)]
    cuts = (3 / 4, 10 / 11, 30 / 31), (3 / 4, 10 / 11)
    return [sum(found(p, c) for p in g) for g, of in zip(groups, cuts) for c in of] + [len(g) for g in groups]


@figures(MSC, "right-even", "right-early", "wrong-visits", "right-half", "right-twice", "right-noisy", "right-quiet", "wrong-noisy",
         "missed-10", "only-progeny")  # fmt: skip
def cohorts_by_the_month_of_the_second_visit():
    """All parts at posterior odds above ten, from the stored draws row by row; and what the misses lack."""
    with (ROOT / "data" / "draws" / f"{MSC}-visits.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    cohorts_: dict = {}
    for r in rows:
        key = r["hypothesis"], r["setting"], int(r["month"]), int(r["cohort"])
        cohorts_.setdefault(key, {})[r["quantity"]] = float(r["above"])

    def odds(p: dict) -> list[float]:
        sides = (
            [p[f"exit {g}"] for g in ("het", "hom")] + [1 - p[f"balance {g}"] for g in ("het", "hom")] + [p["progeny"]]
        )
        return [x / (1 - x) if x < 1 else math.inf for x in sides]

    found = lambda *key: sum(min(odds(p)) > 10 for k, p in cohorts_.items() if k[:3] == key)
    missed = [odds(p) for p in posteriors(READING) if min(odds(p)) <= 10]
    return [sum(min(odds(p)) > 10 for p in posteriors(["exit and exhaustion"])), found("exit and exhaustion", "as assumed", 3),
            sum(found("kill all", "as assumed", m) for m in (4, 3, 1)) + found("kill active", "as assumed", 3), found("exit and exhaustion", "half", 0),
            found("exit and exhaustion", "twice", 0), found("exit and exhaustion", "more scatter", 0), found("exit and exhaustion", "less scatter", 0),
            found("kill all", "more scatter", 0), len(missed), sum(min(o[:4]) > 10 for o in missed)]  # fmt: skip


@figures(MSC, "exit-wrong", "no-progeny", "active-exit", "other-exit", "gap-right", "dose-right")
def what_single_parts_say():
    woken = lambda p: p["exit het"] > 0.975 and p["exit hom"] > 0.975
    killed, true = posteriors(["kill all"]), posteriors(["exit and exhaustion"])
    return [sum(map(woken, killed)), sum(p["progeny"] < 1 / 11 for p in killed), sum(map(woken, posteriors(["kill active"]))),
            sum(map(woken, posteriors(["kill active, other rates"]))), sum(p["rate gap"] > 0.975 for p in true),
            sum(p["dose het"] < 0.025 for p in true)]  # fmt: skip


@figures(MSC, "middle-true", "middle-all", "middle-active")
def median_probability_that_lost_cells_mature():
    return [100 * np.median([p["progeny"] for p in posteriors(h)]) for h in (READING, ["kill all"], ["kill active"])]


@figures(MSC, "right-10-limits", "gap-limits")
def limits_of_simulated_counts():
    whole, n = int(shown(MSC, "right-10")[0]), int(shown(MSC, "n-three")[0])
    right, of = int(shown(MSC, "gap-right")[0]), int(shown(MSC, "n-reading")[0])
    return [100 * x for x in (*wilson(whole, n), *wilson(right, of))]


@figures(MSC, "cover")
def coverage_of_the_intervals():
    runs = cohorts()
    held = [run.low <= run.truth <= run.high for run in runs.itertuples()
            if run.hypothesis in READING and run.quantity != "progeny"]  # fmt: skip
    return [100 * sum(held) / len(held)]


@figures(MSC, "flip", "flip-back", "seen-half", slack=0.02)
def slope_of_a_dose_given_by_prognosis():
    """Least squares on one large simulated cohort for each tendency."""
    rng = np.random.default_rng(7)
    own, chance = rng.standard_normal((2, 400_000))

    def seen(k: float) -> float:
        dose = chance - k * own
        return float(np.cov(dose, 0.3 * dose + own)[0, 1] / dose.var())

    return [optimize.brentq(seen, 0, 1), optimize.brentq(seen, 1, 10), seen(0.5)]


@figures(MSC, "type-all", "type-few")
def difference_that_two_groups_show():
    def t_power(n: int, d: float) -> float:
        bar = stats.t.isf(0.025, 2 * n - 2)
        of = stats.nct(2 * n - 2, d * math.sqrt(n / 2))
        return of.sf(bar) + of.cdf(-bar)

    return [optimize.brentq(lambda d: t_power(n, d) - 0.8, 0.1, 20) for n in (int(reported("MSC-05")) // 2, 5)]


# --- ms-interferon-beta -----------------------------------------------------------------------------------------------
MSB = "ms-interferon-beta"
RISKS = ("MSB-40/percentage", "MSB-43", "MSB-46"), ("MSB-41", "MSB-44", "MSB-48")


def risks() -> tuple[list[float], list[float]]:
    """Of failure and of worse disability, in the low, middle and high group."""
    return tuple([reported(r) / 100 for r in refs] for refs in RISKS)


def standard_error(claim: str) -> float:
    return math.log(reported(f"{claim}/ci-high") / reported(f"{claim}/ci-low")) / (2 * Z)


@figures(MSB, "lesion-p", "gap-p")
def p_of_the_two_estimates():
    logs = [math.log(reported(f"{c}/hazard-ratio")) for c in ("MSB-36", "MSB-38")]
    errors = [standard_error(c) for c in ("MSB-36", "MSB-38")]
    one = stats.chi2.sf((logs[1] / errors[1]) ** 2, 1)
    return [one, stats.chi2.sf((logs[0] - logs[1]) ** 2 / (errors[0] ** 2 + errors[1] ** 2), 1)]


@figures(MSB, "lesion-events", "relapse-events")
def failures_behind_an_interval():
    """The smaller count d with 1/d + 1/(all − d) equal to the variance, over the rounding of both ends."""
    failure, found = risks()[0], []
    totals = [reported("MSB-34") * failure[k] for k in (0, 2)]
    for claim in ("MSB-38", "MSB-36"):
        counts = []
        for total, side in product(totals, (-1, 1)):
            low, high = reported(f"{claim}/ci-low") - side * 0.005, reported(f"{claim}/ci-high") + side * 0.005
            variance = (math.log(high / low) / (2 * Z)) ** 2
            counts.append(optimize.brentq(lambda d: 1 / d + 1 / (total - d) - variance, 1e-3, total / 2))
        found += [min(counts), max(counts)]
    return found


@figures(MSB, "excess-points", "excess-switch-points", "switch-of-excess")
def what_the_extra_failures_are():
    failure, worse = risks()
    extra, worsened = failure[2] - failure[0], worse[2] - worse[0]
    return [100 * extra, 100 * (extra - worsened), 100 * (1 - worsened / extra)]


@figures(MSB, "excess-until", "switch-times", slack=0.5)
def what_the_extra_failures_begin_with():
    """Two independent constant hazards, the incidence of a change of drug by numerical integration to three years."""
    failure, worse = risks()
    t = np.linspace(0, 3, 30_001)
    first = []
    for f, w in zip(failure, worse):
        worsening, all_ = -math.log(1 - w) / 3, -math.log(1 - f) / 3
        first.append((integrate.trapezoid((all_ - worsening) * np.exp(-all_ * t), t), all_ - worsening))
    extra = failure[2] - failure[0]
    return [100 * (first[2][0] - first[0][0]) / extra, first[2][1] / first[0][1]]


@figures(MSB, "product", "product-ci", "middle-ratio")
def both_signs_multiplied():
    failure = risks()[0]
    logs = sum(math.log(reported(f"{c}/hazard-ratio")) for c in ("MSB-36", "MSB-38"))
    error = math.hypot(standard_error("MSB-36"), standard_error("MSB-38"))
    return [math.exp(logs), *(math.exp(logs + k * error) for k in (-Z, Z)),
            math.log1p(-failure[1]) / math.log1p(-failure[0])]  # fmt: skip


@figures(MSB, "missed-relapse", "missed-lesions", slack=0.5)
def trials_whose_placebo_arm_misses_what_is_there():
    events = int(evidence(MSB)["rudick2004-n"]["value"]) // 2 * 0.3
    return [100 * (1 - power(reported(f"{c}/hazard-ratio"), events)) for c in ("MSB-36", "MSB-38")]


@figures(MSB, "bermel")
def p_of_the_difference_between_the_arms():
    """Wald: each standard error from its odds ratio and p, the lower placebo ratio having the higher p."""
    table, found = evidence(MSB), []
    placebo = [[float(x) for x in table["bermel2013-placebo"][k].split("-")] for k in ("value", "p_value")]
    for row in ("bermel2013-relapse-ifn", "bermel2013-t2-ifn"):
        pairs = [(float(table[row]["value"]), float(table[row]["p_value"])), *zip(placebo[0], reversed(placebo[1]))]
        (x, sx), *others = [(math.log(o), math.log(o) / stats.norm.ppf(1 - p / 2)) for o, p in pairs]
        found += [stats.chi2.sf((x - y) ** 2 / (sx**2 + sy**2), 1) for y, sy in others]
    return [min(found), max(found)]


@figures(MSB, "meda-share", "prisms-share", "half-sure", "half-never")
def share_of_failures_in_the_low_group():
    failure, table = risks()[0], evidence(MSB)
    found = []
    for sizes in (
        [table[f"meda-{g}"]["denominator"] for g in ("low", "medium", "high")],
        [table[f"prisms15-n-{k}"]["value"] for k in range(3)],
    ):
        failed = [float(n) * f for n, f in zip(sizes, failure)]
        found.append(100 * failed[0] / sum(failed))
    sure, never = (optimize.brentq(lambda a: a * failure[0] - (1 - a) * failure[k], 0, 1) for k in (2, 1))
    return [*found, 100 * sure, 100 * never]


@figures(MSB, "saved-from", "saved-to", "most-from", "most-to")
def worsening_that_the_drug_may_have_prevented():
    """Bounds from the two margins alone: at least the difference, at most as many as get worse without the drug."""
    ratio, found = 1 - float(evidence(MSB)["sormani2011-edss"]["value"]) / 100, []
    for on_drug in (risks()[1][0], risks()[1][2]):
        without = optimize.brentq(lambda r: on_drug * (1 - r) / (r * (1 - on_drug)) - ratio, 1e-6, 1 - 1e-6)
        found.append((100 * (without - on_drug), 100 * min(without, 1 - on_drug)))
    return [found[0][0], found[1][0], found[0][1], found[1][1]]


@figures(MSB, "trial-small", slack=5)
def people_to_randomise_after_induction():
    ratio, risk = 0.67, 0.1
    events = optimize.brentq(lambda d: power(ratio, d) - 0.8, 2, 5000)
    return [events / ((risk + 1 - (1 - risk) ** ratio) / 2)]


@figures(MSB, "true-low", "true-high", slack=0.5)
def risk_of_everybody_behind_that_of_those_who_stayed():
    """Leaving at 5 per 100 a year before failing and 50 after, those counted being followed for two years or more."""
    t = np.linspace(0, 3, 6001)

    def seen(hazard: float, early: float = 0.05, late: float = 0.5, need: float = 2.0) -> float:
        """Failure by three years among those still there at the required time."""
        in_time = t <= need
        failed = integrate.trapezoid(
            hazard * np.exp(-(hazard + early) * t[in_time]) * np.exp(-late * (need - t[in_time])), t[in_time]
        )
        well = math.exp(-(hazard + early) * need)
        return (failed + well * (1 - math.exp(-hazard * (3 - need)))) / (failed + well)

    return [100 * (1 - math.exp(-3 * optimize.brentq(lambda h: seen(h) - risks()[0][k], 1e-6, 3))) for k in (0, 2)]


CASES = [(slug, names) for slug, table in TABLES.items() for names in table]


@pytest.mark.parametrize("slug, names", CASES, ids=lambda x: x if isinstance(x, str) else x[0])
def test_a_second_computation_gives_the_figure_on_the_page(slug: str, names: tuple[str, ...]) -> None:
    compute, slack = TABLES[slug][names]
    printed = [(name, number) for name in names for number in shown(slug, name)]
    computed = list(compute())
    assert len(computed) == len(printed), f"{names}: {computed} computed, {printed} on the page"
    off = [(name, float(number), value) for (name, number), value in zip(printed, computed)
           if value is not None and not rounds_to(value, number, slack)]  # fmt: skip
    assert off == []


def test_every_review_has_ten_figures_recomputed() -> None:
    counted = Counter(slug for slug, names in CASES for _ in names)
    assert set(counted) == {CML, PHA, MPI, MSC, MSB} and min(counted.values()) >= 10
