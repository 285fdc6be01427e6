"""What a median and a range of follow-up bound, whoever of the patients it was that kept the response.

Follow-up counts in whole months. Of ``n`` patients, three or more, ``kept`` kept their response; the range and the
median are those of all ``n``, and with an even ``n`` the median is the mean of the two middle values.

Every bound comes from the same step. Given the middle values, each value below them may be as low as the shortest or as
high as the lower middle one, each above them as low as the upper middle one or as high as the longest, one value being
the shortest and one the longest. All at their lowest, or all at their highest, is a follow-up that can be reported so,
and no other has a lower, or a higher, value in any place. What remains is to try every pair of middle values.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction


def least_tests(n: int, kept: int, shortest: int, median: int | Fraction, longest: int) -> int:
    """The fewest monthly tests of those who kept their response: the others are those with the longest follow-up."""
    return min(sum(lowest[:kept]) for lowest, _ in _extremes(n, shortest, median, longest))


def still_followed(
    n: int, kept: int, shortest: int, median: int | Fraction, longest: int, at: int, early: int = 0
) -> tuple[int, int]:
    """The fewest and the most of those who kept their response whose follow-up reached month ``at``.

    ``early`` of them are known not to have reached it, one of them being the patient with the shortest follow-up.
    Fewest: those who did not keep their response are among the patients who reached it; most: they are not.
    """
    extremes = list(_extremes(n, shortest, median, longest))
    fewest = min(sum(months >= at for months in lowest) for lowest, _ in extremes) - (n - kept)
    most = max(sum(months >= at for months in highest) for _, highest in extremes)
    return max(fewest, 0), min(most, kept - early)


def _extremes(n: int, shortest: int, median: int | Fraction, longest: int) -> Iterator[tuple[list[int], list[int]]]:
    """The lowest and the highest follow-ups, sorted, for every pair of middle values (one value, if ``n`` is odd)."""
    outside = (n - 1) // 2  # how many values lie on either side of the middle
    for upper in range(shortest, longest + 1):
        lower = upper if n % 2 else int(2 * median) - upper
        if shortest <= lower <= upper and lower + upper == 2 * median:
            middle = [lower] if n % 2 else [lower, upper]
            yield (
                [shortest] * outside + middle + [upper] * (outside - 1) + [longest],
                [shortest] + [lower] * (outside - 1) + middle + [longest] * outside,
            )
