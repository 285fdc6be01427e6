"""Bounds from a median and a range of follow-up, against every follow-up of small groups and known counterexamples."""

from chapters.models.cml_stopping import least_tests, still_followed


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
