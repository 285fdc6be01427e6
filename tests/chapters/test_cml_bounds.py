"""Bounds from a median and a range of follow-up, against every follow-up of small groups and known counterexamples; the
months of entry on the page, against a search; the rule by which rates enter a comparison, against rows picked by hand.
"""

from fractions import Fraction
from math import comb
from statistics import median

import pandas as pd
import pytest

from chapters.models.cml_stopping import ANY, MAJOR, UNSTATED, entering, evenly, least_tests, needed, still_followed
from chapters.models.cml_stopping import stop_rates
from lib.house import executed
from tests.chapters.second import evidence, reported


def rising(n: int, low: int, high: int):
    """Every sorted list of ``n`` whole numbers from ``low`` to ``high``."""
    if not n:
        yield []
        return
    for first in range(low, high + 1):
        for rest in rising(n - 1, first, high):
            yield [first, *rest]


def twice_the_median(follow_up: list[int]) -> int:
    n = len(follow_up)
    return follow_up[(n - 1) // 2] + follow_up[n // 2]


def groups():
    """Every follow-up of three to six patients over up to six months, as (n, shortest, twice the median, longest)."""
    found: dict = {}
    for n in (3, 4, 5, 6):
        for follow_up in rising(n, 1, 6):
            found.setdefault((n, follow_up[0], twice_the_median(follow_up), follow_up[-1]), []).append(follow_up)
    return found


def half(twice: int):
    return twice // 2 if twice % 2 == 0 else twice / 2


def test_no_follow_up_has_fewer_tests_and_one_has_as_many():
    for (n, shortest, twice, longest), all_follow_ups in groups().items():
        for kept in range(1, n + 1):
            fewest = min(sum(follow_up[:kept]) for follow_up in all_follow_ups)
            assert least_tests(n, kept, shortest, half(twice), longest) == fewest


def test_no_follow_up_has_fewer_or_more_still_followed():
    for (n, shortest, twice, longest), all_follow_ups in groups().items():
        for kept in range(1, n + 1):
            for at in range(shortest + 1, longest + 1):
                reached = [sum(months >= at for months in follow_up) for follow_up in all_follow_ups]
                fewest, most = max(min(reached) - (n - kept), 0), min(max(reached), kept)
                assert still_followed(n, kept, shortest, half(twice), longest, at) == (fewest, most)


def test_equal_middle_values_have_fewer_tests_than_values_wide_apart():
    follow_up = [6] * 5 + [23] * 6 + [27]
    assert twice_the_median(follow_up) == 2 * 23 and sum(follow_up[:9]) == 122
    assert least_tests(12, 9, 6, 23, 27) == 122


def test_who_left_early_is_not_among_those_still_followed():
    assert still_followed(12, 9, 6, 23, 27, at=12) == (4, 9)
    assert still_followed(12, 9, 6, 23, 27, at=12, early=1) == (4, 8)
    assert still_followed(12, 9, 6, 23, 27, at=24, early=1) == (0, 6)


@pytest.mark.parametrize("n", [3, 5, 9])
def test_the_follow_up_shown_has_the_reported_median_and_range(n):
    follow_up = evenly(n, 6, 23, 27)
    assert len(follow_up) == n and follow_up == sorted(follow_up)
    assert (min(follow_up), median(follow_up), max(follow_up)) == (6, 23, 27)


def month(name: str) -> int:
    """The month of a bound date, in months since September 2009, when recruitment began."""
    day = pd.Timestamp(executed.bound("cml-stopping")[name]["text"])
    return 12 * (day.year - 2009) + day.month - 9


def test_nobody_analysed_was_enrolled_outside_the_months_named():
    """Every cut-off and entry on a grid of a quarter of a month: when did those with the ends of follow-up enter?"""
    grid = [Fraction(k, 4) for k in range(4 * 45)]
    shortest, longest = reported("CML-34/low"), reported("CML-34/high")
    entries = [e for e in grid if e <= 28]  # September 2009 to the end of December 2011
    near = lambda follow_up, printed: abs(follow_up - printed) <= 0.5  # noqa: E731
    pairs = [
        (first, last)
        for cut in grid
        for first in [e for e in entries if near(cut - e, longest)]
        for last in [e for e in entries if near(cut - e, shortest)]
    ]
    if_last_in = [first for first, last in pairs if last >= 27]
    assert int(min(if_last_in)) == month("entry-from") and max(if_last_in) <= month("entry-to") + 1
    assert max(last for first, last in pairs if first <= 1) == month("excluded-from")


@pytest.mark.parametrize(
    ("n", "rate", "level"), [(12, 0.41, 0.025), (15, 0.41, 0.025), (9, 0.59, 0.05), (3, 0.6, 0.025)]
)
def test_one_success_fewer_is_not_significant(n, rate, level):
    def p(k: int) -> float:
        return sum(comb(n, i) * rate**i * (1 - rate) ** (n - i) for i in range(k, n + 1))

    bar = needed(n, rate, level)
    assert p(bar) <= level < p(bar - 1)


def known() -> pd.DataFrame:
    return pd.DataFrame(evidence("cml-stopping")).T


def test_each_rate_without_interferon_is_read_as_its_row_says():
    rates = stop_rates(known())
    hand = {
        "endure-mrfs25-obs": (25, MAJOR, 0.59),
        "stim2008-pilot": (6, ANY, 8 / 15),
        "stim2009-m9": (9, ANY, 0.46),
        "hovon51-astreated-2y": (24, UNSTATED, 0.39),
        "stim213-tfs36": (36, MAJOR, 0.646),
        "astim-tfr7": (84, MAJOR, 0.456),
    }
    for row, (months, failure, free) in hand.items():
        assert (rates.months[row], rates.failure[row]) == (months, failure)
        assert rates.free[row] == pytest.approx(free)
    assert not {"endure-mrfs25-ropeg", "endure-hr", "hovon51-continue", "stim2009-m9-ifn"} & set(rates.index)


def test_one_rate_of_each_trial_enters_and_the_others_have_a_reason():
    chosen, listed = entering(stop_rates(known()), 23, 12)
    assert {name: row.name for name, row in chosen.items()} == {
        "ENDURE, observation": "endure-mrfs25-obs",
        "EURO-SKI": "euroski-mrfs24",
        "STOP 2G-TKI": "stop2g-tfr12",
        "STIM213": "stim213-tfr12",
    }
    why = {name.split(" [")[0]: reason for name, reason in zip(listed.trial, listed["in, or why not"])}
    assert why["STIM, STIM1"] == "failure: any transcript" and why["A-STIM"] == "no rate within 12 months of 23"
    assert why["HOVON 51"] == why["TWISTER"] == "what counts as failure is not in our table"
    assert list(listed.trial[listed.design == "randomised"].str.split(" \\[").str[0]) == [
        "ENDURE, observation",
        "HOVON 51",
    ]
    with pytest.raises(ValueError, match="name the trial of Another"):
        stop_rates(known().assign(study="Another"))
