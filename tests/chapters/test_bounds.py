"""What a page says that no data can exceed: every case of a small study, or a search for a counterexample.

Bounds whose code stands in a module have their tests beside it (``tests/chapters/models``, ``test_cml_bounds.py`` and
the tests of ``whichdata``: feasible sets, orders, rank sets and tie patterns are held against every data set there).
Here stand those that a chapter derives itself. Values are those on the page.
"""

from __future__ import annotations

import calendar
import math
from fractions import Fraction
from itertools import combinations, combinations_with_replacement, permutations, product

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.duration.hazard_regression import PHReg

from chapters.models.mpn_interferon import inflammation
from chapters.models.mpn_stem_cells.model import ASSUMED, course, depletion_rate
from chapters.models.ms_interferon_beta import STRUCTURES, Setting, arm, fit, more_active, ratio
from chapters.models.ph_all_maintenance import coxes
from lib import ROOT, TABLE
from lib.house import executed
from tests.chapters.second import Z, evidence, power, reported, round_to, rounds_to, shown, wilson


def one(slug: str, name: str) -> float:
    (number,) = shown(slug, name)
    return float(number)


def text(slug: str, name: str) -> str:
    return executed.bound(slug)[name]["text"]


# --- cml-stopping -----------------------------------------------------------------------------------------------------
CML = "cml-stopping"
KEPT, LOST, ANALYSED, ENROLLED = (int(reported(f"CML-{r}")) for r in ("36", "35/lost", "33", "23"))


def test_only_one_group_can_have_the_ratio_of_men_to_women():
    can = {
        n
        for n in range(ANALYSED, ENROLLED + 1)
        for men in range(1, n)
        if abs(men / (n - men) - reported("CML-25")) <= 0.05
    }
    assert can == {int(one(CML, "ratio-group"))}


def test_high_scores_and_earlier_interferon_among_those_left_out():
    """Every patient by name: three are left out, of whom one was transplanted; all those analysed had a low score."""
    high, withdrew, before = (int(reported(f"CML-{r}")) for r in ("26/high-risk", "31", "27"))
    out = range(ENROLLED - ANALYSED)
    scores = {sum(who < withdrew for who in chosen) for chosen in combinations(out, high)}
    assert sorted(scores) == shown(CML, "withdrawn-high")
    analysed = {
        sum(who not in out for who in chosen) for chosen in combinations(range(ENROLLED), before) if withdrew in chosen
    }
    assert [min(analysed), max(analysed)] == shown(CML, "pretreated")


def in_words(start: tuple[int, int], months: float) -> str:
    """The month so many months after the beginning of another."""
    year, month = divmod(12 * start[0] + start[1] - 1 + math.floor(months), 12)
    return f"{calendar.month_name[month + 1]} {year}"


def test_no_closing_date_fits_both_ends_and_none_lies_outside_those_named():
    """Every entry and closing date in eighths of a month; the clock starts at enrolment."""
    eighth, last = Fraction(1, 8), 27  # December two years after September
    low, high = (reported(f"CML-34/{end}") for end in ("low", "high"))
    closings = [k * eighth for k in range(8 * 20, 8 * 40)]
    first = {c for c in closings for k in range(9) if abs(c - k * eighth - Fraction(high)) <= Fraction(1, 2)}
    final = {c for c in closings for k in range(9) if abs(c - last - k * eighth - Fraction(low)) <= Fraction(1, 2)}
    assert not first & final
    recruitment = int(reported("CML-09/start")), 9  # its first month
    assert [in_words(recruitment, f(first)) for f in (min, max)] == [text(CML, f"first-{e}") for e in ("from", "to")]
    assert [in_words(recruitment, f(final)) for f in (min, max)] == [text(CML, f"last-{e}") for e in ("from", "to")]
    assert max(a - b for a in (high + 0.5, high - 0.5) for b in (low - 0.5, low + 0.5)) == one(CML, "spread-most")
    assert last - 1 - (high + 0.5 - (low - 0.5)) == one(CML, "least-delay")


def test_half_the_patients_entered_within_the_months_named():
    """With one closing date, in every small group of even size with that median and longest follow-up."""
    median, longest = 5, 7
    for follow_up in product(range(1, longest + 1), repeat=4):
        ordered = sorted(follow_up)
        if ordered[1] + ordered[2] == 2 * median and ordered[-1] == longest:
            assert sum(longest - f <= longest - median for f in ordered) >= 2
    assert reported("CML-34/high") + 0.5 - (reported("CML-34/median") - 0.5) == one(CML, "half-within")


def test_fewer_than_half_are_among_the_shortest():
    """Where twice the median less the longest exceeds the shortest, fewer than n/2 have the shortest follow-up."""
    for n, longest in ((4, 6), (6, 5)):
        for follow_up in product(range(1, longest + 1), repeat=n):
            ordered = sorted(follow_up)
            twice = ordered[n // 2 - 1] + ordered[n // 2]
            if twice - ordered[-1] > ordered[0]:
                assert ordered.count(ordered[0]) <= n // 2 - 1


def product_limit(n: int, before: tuple[int, int, int]) -> Fraction:
    """Three relapses, so many censored before each and after the one before it."""
    at_risk, survival = n, Fraction(1)
    for early in before:
        at_risk -= early
        survival *= Fraction(at_risk - 1, at_risk)
        at_risk -= 1
    return survival


def test_ways_to_the_percentage_are_all_there_are():
    """Each patient who did not relapse is censored in one of four stretches of time; the nine analysed in the last two,
    five of them at most before the last relapse."""
    ways = set()
    for left_out in range(ENROLLED - ANALYSED + 1):
        for places in product(range(4), repeat=left_out):
            for early in range(ANALYSED // 2):
                before = tuple(places.count(k) + (early if k == 2 else 0) for k in range(3))
                survival = 100 * product_limit(ANALYSED + left_out, before)
                if abs(survival - Fraction(int(reported("CML-37/percentage")))) <= Fraction(1, 2):
                    ways.add((ANALYSED + left_out, before))
    assert len(ways) == one(CML, "ways")
    assert sum(n == ANALYSED for n, _ in ways) == one(CML, "ways-analysed")
    assert sum(not any(before) for _, before in ways) == one(CML, "ways-nobody")


def test_other_estimators_need_at_least_so_many_censored():
    within = lambda s: abs(100 * s - reported("CML-37/percentage")) <= 0.5
    found = []
    for censored in range(KEPT + 1):
        life_table = (1 - 1 / ANALYSED) * (1 - 1 / (ANALYSED - 1)) * (1 - 1 / (ANALYSED - 2 - censored / 2))
        nelson = math.exp(-(1 / ANALYSED + 1 / (ANALYSED - 1) + 1 / (ANALYSED - 2 - censored)))
        found += [censored] * (within(life_table) + within(nelson))
    assert min(found) == one(CML, "others-least")


def test_pairs_that_may_stand_the_wrong_way_round():
    """Every way to place three among twelve: two-sided exact p below 5% only up to the number named."""
    below = [sum(place - k for k, place in enumerate(chosen)) for chosen in combinations(range(ANALYSED), LOST)]
    p = {u: min(1, 2 * sum(b <= u for b in below) / len(below)) for u in range(LOST * KEPT // 2)}
    pairs = LOST * KEPT
    assert [max(u for u, value in p.items() if value < 0.05), pairs] == shown(CML, "smallest-u")
    least = min(u for u, value in p.items() if value >= 0.05)
    assert round_to((100 * least / pairs, 100 * (pairs - least) / pairs), shown(CML, "short-of"))


def partitions(n: int, most: int | None = None):
    for first in range(min(n, most or n), 0, -1):
        if first == n:
            yield (n,)
        else:
            for rest in partitions(n - first, first):
                yield (first, *rest)


def tied_p(lost: int, pattern: tuple[int, ...], corrected: bool) -> float:
    values = [value for value, size in enumerate(pattern, lost) for _ in range(size)]
    return stats.mannwhitneyu(list(range(lost)), values, method="asymptotic", use_continuity=corrected).pvalue


def test_one_pattern_of_ties_and_one_other_size_print_the_p():
    prints = lambda p: abs(p - reported("CML-40")) <= 0.00005
    patterns = [t for t in partitions(KEPT) if len(t) >= 3]  # shortest, median and longest differ
    hits = [t for t in patterns if prints(tied_p(LOST, t, True))]
    assert [len(hits), len(patterns)] == shown(CML, "patterns")
    assert [s for s in hits[0] if s > 1] == [4, 2] == shown(CML, "tied")
    untied = [
        n for n in range(KEPT - 2, ENROLLED - LOST + 1) if any(prints(tied_p(LOST, (1,) * n, c)) for c in (True, False))
    ]
    assert untied == [one(CML, "untied-sustained")]


def test_sets_of_whole_months_and_those_with_the_pattern():
    """Nine whole months with the reported median and range, counted by the values below and above the median."""
    low, median, high = (int(reported(f"CML-38/{r}")) for r in ("low", "median", "high"))
    chosen = lambda values, k: math.comb(values + k - 1, k)
    every = chosen(median - low + 1, 3) * chosen(high - median + 1, 3)
    assert every == executed.bound(CML)["n-sets"]["value"] and rounds_to(every, shown(CML, "n-sets")[0])
    tally = 0
    below = [(low, *b, median) for b in combinations_with_replacement(range(low, median + 1), 3)]
    above: dict[tuple, int] = {}
    for a in combinations_with_replacement(range(median, high + 1), 3):
        sizes = pattern((*a, high), median)
        above[sizes] = above.get(sizes, 0) + 1
    for b in below:
        rest, at_median = pattern(b, median)
        tally += sum(count for (more, also), count in above.items()
                     if sorted([s for s in (*rest, *more, at_median + also) if s > 1]) == [2, 4])  # fmt: skip
    assert tally == one(CML, "n-sets-printing")


def pattern(values, median) -> tuple[tuple[int, ...], int]:
    """How many values are equal, without the median's, and how many are the median."""
    return tuple(sorted(values.count(v) for v in set(values) - {median})), values.count(median)


def test_recovery_ends_by_the_month_named_in_every_order():
    relapses = [reported(f"CML-35/month-{k}") + reported("CML-17") - 1 for k in (1, 2, 3)]
    regained = [reported(f"CML-42/month-{k}") for k in (1, 2, 3)]
    assert max(max(map(sum, zip(relapses, order))) for order in permutations(regained)) == one(CML, "regain-latest")


def test_a_positive_test_has_at_most_the_chance_named():
    tests = [int(one(CML, name)) for name in ("least-tests", "least-tests-rounded")]
    for n, printed in zip(tests, shown(CML, "most-positive"), strict=True):
        chance = optimize.brentq(lambda p: stats.binom.pmf(0, n, p) - 0.05, 1e-9, 0.5)
        assert rounds_to(100 * chance, printed)


def test_at_risk_later_over_every_follow_up_in_half_months():
    """The reported follow-up is of the nine who kept the response, or of all twelve, of whom any nine are they; one of the
    nine is censored by the last relapse. Only the order to 12 and 24 months counts, so one value stands for each stretch
    between the values that matter."""
    grid = [5.5, 6.5, 12, 18.5, 23, 24, 27]
    found = {12: set(), 24: set()}
    for n in (KEPT, ANALYSED):
        for rest in combinations_with_replacement(grid, n - 1):
            follow_up = (5.5, *rest)
            middle = (follow_up[(n - 1) // 2] + follow_up[n // 2]) / 2
            if abs(middle - 23) <= 0.5 and abs(follow_up[-1] - 27) <= 0.5:
                for kept in set(combinations(follow_up, KEPT)):
                    if kept[0] < 6.5:
                        for month, counts in found.items():
                            counts.add(sum(f >= month for f in kept))
    assert {m: [min(c), max(c)] for m, c in found.items()} == {m: shown(CML, f"at-risk-{m}") for m in found}


def test_so_many_patients_are_needed_for_the_width_and_no_more():
    """From that number on every Wilson interval of the share is narrow enough, and with one patient fewer it is not."""
    width = lambda n: np.subtract(*wilson(round(KEPT / ANALYSED * n), n)[::-1])
    wide = 2 * one(CML, "half-width") / 100
    enough = int(one(CML, "enough"))
    assert width(enough - 1) > wide and all(width(n) <= wide for n in range(enough, 2000))


def test_a_hazard_ratio_nearer_to_one_than_named_is_missed_too_often():
    events, sizes = (
        int(one(CML, "lost-printed")),
        [int(evidence(CML)[f"endure-n-{a}"]["value"]) for a in ("ropeg", "obs")],
    )
    share = sizes[0] / sum(sizes)
    reliable = [h for h in np.arange(0.3, 1, 0.005) if power(h, events, share) >= 0.8]
    assert rounds_to(max(reliable), shown(CML, "detectable")[0], slack=0.005)


# --- ph-all-maintenance -----------------------------------------------------------------------------------------------
PHA = "ph-all-maintenance"
IFN, IM = int(reported("PHA-16")), int(reported("PHA-18"))


def test_somebody_outlived_remission_by_what_is_named():
    """In every small group of odd size, nobody censored: remission on one clock, survival on one that starts up to a
    known time earlier. Half had left remission by its median, half were alive at that of survival."""
    for n, grid in ((3, (1, 2, 4, 6)), (5, (1, 3, 6))):
        for ended in product(grid, repeat=n):
            for survived in product(grid, repeat=n):
                lead = 1
                if all(s + lead >= e for e, s in zip(ended, survived)):
                    median_ended, median_survived = sorted(ended)[n // 2], sorted(survived)[n // 2] + lead
                    longest = max(s - e for e, s in zip(ended, survived))
                    assert longest >= median_survived - median_ended - lead
    bound = reported("PHA-21/median") - 0.05 - reported("PHA-24/median") - 0.05 - 1.1
    assert rounds_to(bound, shown(PHA, "past-median")[0]) and rounds_to(1.1, shown(PHA, "lead-ifn")[0])


def test_means_of_ages_with_a_median_and_a_range():
    """The least and the greatest mean of every small group of whole ages with the reported ends and middle."""
    for n in (4, 5, 6):
        low, middle, high = 1, 3, 6
        means = [Fraction(sum(ages), n) for ages in combinations_with_replacement(range(low, high + 1), n)
                 if ages[0] == low and ages[-1] == high and ages[(n - 1) // 2] + ages[n // 2] == 2 * middle]  # fmt: skip
        below = (n - 1) // 2
        assert min(means) == Fraction(below * low + (n - below - 1) * middle + high, n)
        assert max(means) == Fraction(low + (n - below - 1) * middle + below * high, n)


def test_few_remissions_end_between_two_medians():
    """A group in two parts as equal as they can be, all remissions ending, the whole with the median of its better part:
    no order of the endings has more between the medians of the parts than is named."""
    for n in (5, 7, 9):
        most = 0
        for worse in combinations(range(n), n // 2):
            better = [k for k in range(n) if k not in worse]
            middle = lambda part: part[math.ceil(len(part) / 2) - 1]
            if middle(better) == n // 2 and middle(worse) < middle(better):
                most = max(most, middle(better) - middle(worse) - 1)
        assert most == n // 2 - math.ceil((n // 2) / 2)
    assert IFN // 2 - math.ceil((IFN // 2) / 2) == one(PHA, "between-medians")


def test_no_split_of_the_group_tells_more_than_a_quarter_of_its_events():
    """Splits of 19 patients with 16 events drawn at random, and the most even ones: the error of Cox's log ratio is never
    below 2/√events, so that no interval is narrower than the one named."""
    rng = np.random.default_rng(8)
    event = np.ones((3000, IFN), bool)
    event[:, -3:] = False
    treated = rng.permuted(np.tile(np.arange(IFN) % 2 == 0, (3000, 1)), axis=1)
    errors = coxes(np.tile(np.arange(1.0, IFN + 1), (3000, 1)), event, treated).se
    assert errors.min() >= 2 / math.sqrt(16)
    assert rounds_to(math.exp(Z * 2 / math.sqrt(16)), shown(PHA, "best-high")[0])


def in_tenths(rng) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Both groups in tenths of a year, each time with whether remission ended, with every reported figure."""
    some = lambda n, low, high: [
        round(low + (high - low) * x) for x in rng.random(n) ** rng.choice([0.01, 0.3, 1, 3, 100])
    ]
    lower = rng.integers(1, 8)
    ifn = [4, *some(8, 4, 22), 22, *some(5, 22, 95), 95]
    im = [1, *some(4, 1, lower), lower, 15 - lower, *some(3, 15 - lower, 76)]
    return [*((t, 1) for t in ifn), (79, 0), (86, 0), (104, 0)], [*((t, 1) for t in im), (65, 0), (76, 0)]


def curve(data, until: int) -> tuple[float, float]:
    """The Kaplan–Meier share just after ``until`` tenths, and the area under the curve up to it in years, by definition."""
    share, area, last = 1.0, 0.0, 0
    for t in sorted({t for t, _ in data if t <= until}):
        area, last = area + share * (t - last), t
        share *= 1 - sum(e for x, e in data if x == t) / sum(x >= t for x, _ in data)
    return share, (area + share * (until - last)) / 10


def table_rows(slug: str, label: str) -> list[list[str]]:
    """The cells of a table on a page."""
    cells = executed.read(ROOT / "chapters" / f"{slug}.ipynb")["cells"]
    outputs = (o["data"] for c in cells for o in c.get("outputs", []) if TABLE in o.get("data", {}))
    return next(o[TABLE]["rows"] for o in outputs if o[TABLE]["label"] == label)


def test_no_groups_pass_the_bounds_at_common_times():
    """Groups drawn with every reported figure: shares in remission and mean times stay within the table, and reach its ends."""
    rng, found = np.random.default_rng(14), {}
    for _ in range(4000):
        for k, data in enumerate(in_tenths(rng)):
            for until in (50, 65, 76):
                found.setdefault((until, k), []).append(curve(data, until))
    for row, of_means in zip(table_rows(PHA, "tab-pha-horizon"), table_rows(PHA, "tab-pha-means"), strict=True):
        until = round(10 * float(row[0]))
        assert row[0] == of_means[0]
        for k in (0, 1):
            shares, means = zip(*found[until, k])
            low, high = (float(x.strip(" %")) for x in row[1 + k].split(" to "))
            assert low - 0.5 <= 100 * min(shares) < low + 1 and high - 1 < 100 * max(shares) <= high + 0.5
            low, high = (float(x) for x in of_means[1 + k].split("\u00a0to\u00a0"))
            assert low - 0.05 <= min(means) < low + 0.15 and high - 0.15 < max(means) <= high + 0.05


def test_side_effects_may_overlap_as_named():
    """Nine and nine of eighteen: every overlap of two sets of that size."""
    reduced, mood, of = (int(reported(r)) for r in ("PHA-41/reduced", "PHA-42", "PHA-41/evaluable"))
    either = {
        reduced + mood - both for both in range(of + 1) if both <= min(reduced, mood) and reduced + mood - both <= of
    }
    assert (min(either), max(either)) == (one(PHA, "either-least"), one(PHA, "either-most"))


def test_so_many_of_the_series_are_in_neither_group():
    n = int(evidence(PHA)["gmall2608-n"]["value"])
    remitted = [k for k in range(n + 1) if abs(100 * k / n - one(PHA, "series-cr")) <= 0.5]
    assert min(remitted) - IFN - IM == one(PHA, "elsewhere-least") and remitted == [
        int(x) for x in shown(PHA, "remitted")
    ]


def test_no_group_has_the_percentage_of_relapses():
    cns, percentage = int(reported("PHA-31/cns")), reported("PHA-31/percentage")
    assert not [n for n in range(cns, IFN + IM + 1) if abs(100 * cns / n - percentage) <= 0.5]
    cut = [n for n in range(cns, IFN + IM + 1) if math.floor(100 * cns / n) == percentage]
    assert cut == [one(PHA, "cut-from")]


def test_times_that_cannot_be_nearer_than_named():
    """The least distance of two reported times over everything that their rounding admits."""
    year = lambda ref, end: reported(ref) + end * 0.05
    month = lambda ref, end: reported(ref) + end * 0.5
    least = {
        "past-end": year("PHA-28/event-3", -1) - year("PHA-24/high", 1),
        "outlast": month("PHA-20/low", -1) - 12 * year("PHA-25/low", 1),
        "off-treatment": 12 * year("PHA-28/event-3", -1) - month("PHA-20/high", 1),
        "off-ended": 12 * year("PHA-24/high", -1) - month("PHA-20/high", 1),
        "off-first": 12 * year("PHA-24/low", -1) - month("PHA-20/low", 1),
        "outlived": year("PHA-21/low", -1) - 1.1 - year("PHA-24/low", 1),
    }
    assert {name: value for name, value in least.items() if not rounds_to(value, shown(PHA, name)[0])} == {}


# --- mpn-interferon ---------------------------------------------------------------------------------------------------
MPI = "mpn-interferon"


def test_no_size_of_the_shared_group_leaves_the_widest_interval_named():
    """Dose groups that share a reference of any size, from a very large one to one a fifth smaller than the largest of
    them: each pair then correlates in its own way, and the pooled ratio stays within what is named for all readings."""
    rows = [evidence(MPI)[f"bjorkholm2011-hu-{k}"] for k in ("low", "mid", "high")]
    ends = [[float(r[c]) for c in ("ci_low", "ci_high")] for r in rows]
    values = [float(r["value"]) for r in rows]
    middle = [math.sqrt(ends[0][0] * ends[0][1]), *values[1:]]
    ratios, (lowest, highest) = [one(MPI, f"hu-{k}") for k in ("least", "most")], map(float, shown(MPI, "hu-widest"))
    for (estimates, start), part in product(((values, 0), (middle, 0), (values, 1)), np.linspace(0, 0.6, 61)):
        errors = np.array([math.log(high / low) / (2 * Z) for low, high in ends])
        shared = part * errors.min() ** 2  # the variance that the reference adds to each of them
        covariance = (np.diag(errors**2 - shared) + shared)[start:, start:]
        weights = np.linalg.solve(covariance, np.ones(3 - start))
        mean, error = weights @ np.log(estimates[start:]) / weights.sum(), 1 / math.sqrt(weights.sum())
        assert ratios[0] - 0.005 <= math.exp(mean) <= ratios[1] + 0.005
        assert lowest - 0.005 <= math.exp(mean - Z * error) and math.exp(mean + Z * error) <= highest + 0.005


def test_groups_no_larger_than_the_one_they_share_correlate_by_a_half_at_most():
    rng = np.random.default_rng(10)
    shared = rng.uniform(0.01, 1, 2000)
    own = shared * rng.uniform(1, 20, (2, 2000))  # variances: 1/cases + 1/controls, larger in smaller groups
    assert (shared / np.sqrt((shared + own[0]) * (shared + own[1]))).max() <= 0.5


def test_the_rise_needs_the_ratios_named():
    """The clone's log odds rise by (ratio − 1) d a year at most and (1 − 1/ratio) d at least: the smallest ratio that
    reaches the middle rise and the greatest that allows the last, by trial."""
    d = 365.25 * inflammation.Cancitis().dy0
    ratios = np.arange(1, 4, 0.001)
    reach, allow = (
        ratios[(ratios - 1) * d >= one(MPI, "rise-one") - 0.005],
        ratios[(1 - 1 / ratios) * d <= one(MPI, "rise-two") + 0.005],
    )
    assert reach.min() == pytest.approx(one(MPI, "least-ratio"), abs=0.02)
    assert allow.max() == pytest.approx(one(MPI, "most-ratio"), abs=0.02)
    assert reach.min() > allow.max()


def test_no_pair_of_values_comes_closer_to_the_printed_years():
    """Pairs of renewal and mutation drawn far beyond the chapter's grid and close to its best ones."""
    rng, normal = np.random.default_rng(11), inflammation.healthy(inflammation.Cancitis())
    row = lambda name: float(evidence(MPI)[f"andersen2017-{name}"]["value"])
    said = np.array([row("said-year-et"), row("said-year-et") + row("said-step-pv"), row("said-year-pmf")])
    shares = [row(f"vaf-{d}") / 100 for d in ("et", "pv", "pmf")]
    renewal, mutation = 10 ** rng.uniform(-3.05, -2, 6000), 10 ** rng.uniform(-14, -3, 6000)
    best = math.inf
    for _ in range(3):
        grid = inflammation.solve_reduced(
            np.linspace(0, 60, 121), inflammation.Cancitis(ry=renewal, rm=mutation), x0=normal.stem, step=0.5
        )
        miss = np.abs(np.array([inflammation.years_to(grid, q) for q in shares]) - said[:, None]).max(axis=0)
        miss = np.where(np.isfinite(miss), miss, math.inf)
        best = min(best, miss.min())
        near = np.argsort(miss)[:20].repeat(50)
        renewal, mutation = (
            renewal[near] * np.exp(rng.normal(0, 0.02, 1000)),
            mutation[near] * np.exp(rng.normal(0, 0.3, 1000)),
        )
    assert best >= one(MPI, "best-miss") - 0.02
    assert best < one(MPI, "best-miss") + 0.3


def test_exact_limit_of_a_trial_without_response():
    treated = int(one(MPI, "vaccinated"))
    rates = np.arange(0, 1, 0.0005)
    admitted = rates[(1 - rates) ** treated >= 0.025]
    assert rounds_to(100 * admitted.max(), shown(MPI, "vaccine-upper")[0], slack=0.05)


# --- mpn-stem-cells ---------------------------------------------------------------------------------------------------
MSC = "mpn-stem-cells"


def test_so_many_patients_can_have_been_followed_throughout():
    """Samples dealt out one by one: each patient has one, and as many as can are then filled up."""
    patients, blood, years = int(reported("MSC-05")), int(reported("MSC-09")), int(reported("MSC-06/low"))
    for a_year, name in ((2, "full-two"), (3, "full-three")):
        for first, of in ((0, name), (1, name.replace("full", "first"))):
            left, full = blood - patients, 0
            while left >= a_year * years + first - 1 and full < patients:
                left, full = left - (a_year * years + first - 1), full + 1
            assert full == one(MSC, of)


EFFECTS = [(fold, balance) for fold in np.geomspace(1, 60, 25) for balance in np.linspace(-1, 0, 21)]


def test_no_loss_of_active_cells_takes_the_clone_faster_than_its_cells_leave_quiescence():
    for fold, balance in EFFECTS:
        assert depletion_rate(fold, balance) <= fold * ASSUMED.exit
    assert depletion_rate(1.0, -50.0) < ASSUMED.exit  # harder than any balance can be
    assert rounds_to(math.log(2) / ASSUMED.exit, shown(MSC, "quickest")[0])
    half_lives = [math.log(2) / float(depletion_rate(1.0, b)) for b in np.linspace(-1, -0.01, 100)]
    assert rounds_to(min(half_lives), shown(MSC, "reached")[0])


def test_waking_alone_never_lowers_progenitors_and_killing_active_cells_never_raises_them():
    t = np.linspace(0, 20, 2001)
    for fold in np.geomspace(1, 60, 25):
        assert course(t, fold, 0.0).progenitors.min() >= 1 - 1e-9
    for balance in np.linspace(-1, 0, 21):  # killing of active cells: what is lost leaves no progenitors
        assert course(t, 1.0, balance, progeny=0.0).progenitors.max() <= 1 + 1e-9


def test_a_heterozygous_clone_needs_at_least_so_much_waking():
    """No balance at a slower waking halves the share in blood by the published time."""
    least, share = one(MSC, "het-from"), 2 * one(MSC, "kil-start") / 100
    target = (share / 2) / (1 - share / 2) / (share / (1 - share))
    at = one(MSC, "halving") / 12
    reached = lambda fold: min(course(at, fold, b).mature.item() for b in np.linspace(-1, 0, 201)) <= target
    assert not any(reached(f) for f in np.linspace(1, least - 0.06, 60)) and reached(least + 0.06)


def test_a_balance_is_never_known_better_than_patients_differ():
    """The mean of patients whose own balances are known without error."""
    spread, patients = 0.1, int(reported("MSC-05"))
    means = np.random.default_rng(12).normal(0, spread, (40_000, patients)).mean(axis=1)
    assert rounds_to(means.std(), shown(MSC, "floor")[0], slack=0.0003)


# --- ms-interferon-beta -----------------------------------------------------------------------------------------------
MSB = "ms-interferon-beta"


def box(ref: str, points: int = 5) -> np.ndarray:
    """A reported figure over what its rounding admits."""
    half = {"%": 0.5}.get(unit(ref), 0.005)
    return reported(ref) + np.linspace(-half, half, points)


def unit(ref: str) -> str:
    return "%" if "ratio" not in ref and "ci" not in ref else ""


LOW, MIDDLE, HIGH = "MSB-40/percentage", "MSB-43", "MSB-46"
WORSE_LOW, WORSE_HIGH = "MSB-41", "MSB-48"


def by_ratio(risk: float, ratio: float) -> float:
    return 1 - (1 - risk) ** ratio


@pytest.mark.parametrize("with_lesions", [0.03, 0.12])
def test_the_variance_of_a_cox_coefficient_is_one_over_the_failures_with_and_without_it(with_lesions):
    """In cohorts of the size and ratios reported, a quarter with a relapse."""
    rng, off = np.random.default_rng(2830), []
    hr, n = [reported(f"{c}/hazard-ratio") for c in ("MSB-36", "MSB-38")], int(reported("MSB-34"))
    for _ in range(4):
        x = (rng.random((n, 2)) < (0.25, with_lesions)).astype(float)
        t = rng.exponential(1 / (-math.log1p(-reported(LOW) / 100) * np.prod(np.array(hr) ** x, axis=1)))
        error = PHReg(np.minimum(t, 1), x, status=t <= 1, ties="efron").fit().bse[1]
        failed = [(t <= 1)[x[:, 1] == k].sum() for k in (0, 1)]
        off.append(error / math.sqrt(sum(1 / d for d in failed)) - 1)
    assert abs(np.mean(off)) < 0.01


def test_failures_behind_the_width_over_the_whole_box():
    for claim, name in (("MSB-38", "lesion"), ("MSB-36", "relapse")):
        found = []
        for low, high, risk in product(
            box(f"{claim}/ci-low"), box(f"{claim}/ci-high"), np.linspace(*(reported(r) / 100 for r in (LOW, HIGH)), 9)
        ):
            total, variance = reported("MSB-34") * risk, (math.log(high / low) / (2 * Z)) ** 2
            found.append(optimize.brentq(lambda d: 1 / d + 1 / (total - d) - variance, 1e-3, total / 2))
        assert round_to((min(found), max(found)), shown(MSB, f"{name}-events"))


def incidence_of_change(f: float, w: float) -> float:
    """Failing first by a change, with constant hazards behind both risks (%), a change ending the count of worsening."""
    return f * (1 - math.log1p(-w / 100) / math.log1p(-f / 100))


def test_changes_among_the_extra_failures_over_the_whole_box():
    share, times = [], []
    for f1, w1, f0, w0 in product(box(HIGH), box(WORSE_HIGH), box(LOW), box(WORSE_LOW)):
        share += [
            (f1 - w1 - f0 + w0) / (f1 - f0),
            (incidence_of_change(f1, w1) - incidence_of_change(f0, w0)) / (f1 - f0),
        ]
        rate = lambda f, w: math.log1p(-w / 100) - math.log1p(-f / 100)
        times.append(rate(f1, w1) / rate(f0, w0))
    assert round_to((100 * min(share), 100 * max(share)), shown(MSB, "excess"))
    assert round_to((min(times), max(times)), shown(MSB, "switch-range"))


def test_without_independence_a_switch_may_come_first_in_few_or_in_all_of_the_extra_failures():
    """Every order of the two events in people who have both, whatever links them: switches first in each group from none
    to all of those who get worse too, as far as the reported risks allow."""
    found = []
    for f1, w1, f0, w0, first1, first0 in (
        (*(reported(r) for r in (HIGH, WORSE_HIGH, LOW, WORSE_LOW)), a, b)
        for a, b in product(np.linspace(0, 1, 11), repeat=2)
    ):
        high, low = (f - w + first * w for f, w, first in ((f1, w1, first1), (f0, w0, first0)))
        found.append(100 * (high - low) / (f1 - f0))
    assert round_to((min(found), max(found)), [*shown(MSB, "first-least"), *shown(MSB, "first-most")])


def test_most_failures_are_in_the_low_group_from_the_size_named_and_never_below_the_other():
    """Every division of the cohort in whole per cents."""
    risk = [reported(r) for r in (LOW, MIDDLE, HIGH)]
    sure, never = one(MSB, "half-sure"), one(MSB, "half-never")
    for low in range(1, 100):
        shares = []
        for middle in range(101 - low):
            failed = [size * r for size, r in zip((low, middle, 100 - low - middle), risk)]
            shares.append(failed[0] / sum(failed))
        assert min(shares) > 0.5 or low < sure + 0.5
        assert max(shares) < 0.5 or low > never - 0.5


def test_what_two_margins_admit_of_prevented_worsening():
    """Every joint distribution of worsening on and off the drug with given margins."""
    for on, off in ((0.15, 0.2), (0.29, 0.37), (0.6, 0.8)):
        prevented = [off - both for both in np.linspace(0, min(on, off), 200) if on + off - both <= 1]
        assert min(prevented) == pytest.approx(off - on, abs=0.005)
        assert max(prevented) == pytest.approx(min(off, 1 - on), abs=0.005)


def test_every_combination_of_signs_has_one_group_if_the_or_excludes_both():
    cells = list(product(range(4), range(6)))
    groups = [[r == 0 and m < 3, (r == 1) != (m >= 3) and r <= 1, (r == 1 and m >= 3) or r > 1] for r, m in cells]
    inclusive = [[r == 0 and m < 3, r == 1 or m >= 3, (r == 1 and m >= 3) or r > 1] for r, m in cells]
    assert [sum(sum(g) != 1 for g in groups), len(cells)] == shown(MSB, "cells-unclear")
    assert sum(sum(g) != 1 for g in inclusive) == one(MSB, "cells-unclear-inclusive")


def test_the_map_is_searched_between_its_points_too():
    """No setting drawn at random within the map gives a contrast greater than the page says, nor less prediction off the
    drug where harm is delayed."""
    known = evidence(MSB)
    cut, relapses, odds = (float(known[f"sormani2011-{k}"]["value"]) / 100 for k in ("lesions", "relapses", "edss"))
    rng, most, off_late = np.random.default_rng(17), {}, []
    for structure in STRUCTURES:
        for _ in range(40):
            at = Setting(math.exp(rng.uniform(math.log(0.05), 0)), rng.uniform(cut, 1), cut, 1 - odds, relapses)
            if found := fit(structure, at):
                off, on = (ratio(a, more_active(a.part)) for a in (arm(found, False), arm(found, True)))
                most[structure.harm] = max(most.get(structure.harm, 0), on / off)
                off_late += [off] * (structure.name == "delayed harm")
    for harm, contrast in most.items():
        assert contrast <= one(MSB, f"contrast-{harm}") + 0.051
    assert min(off_late) >= one(MSB, "late-off") - 0.005


def test_where_the_drug_works_alike_in_all_only_a_ceiling_lets_lesions_predict_more_on_it():
    known = evidence(MSB)
    cut, relapses, odds = (float(known[f"sormani2011-{k}"]["value"]) / 100 for k in ("lesions", "relapses", "edss"))
    for structure in STRUCTURES:
        for spread in (0.05, 0.2, 0.6, 1.0):
            found = fit(structure, Setting(spread, 1.0, cut, 1 - odds, relapses))
            off, on = (ratio(a, more_active(a.part)) for a in (arm(found, False), arm(found, True)))
            assert (on > off + 1e-6) == (structure.name == "a ceiling")


def test_no_smaller_ratio_would_show_in_the_low_group_whatever_its_division():
    """The events of the low group without enhancing lesions, divided at will: the power is greatest with halves."""
    events = one(MSB, "meda-events")
    seen = one(MSB, "meda-sees")
    assert max(power(seen - 0.1, events, share) for share in np.linspace(0.01, 0.99, 99)) < 0.8
    assert power(seen + 0.1, events) > 0.8
