"""Bounds from a median and a range of follow-up; one follow-up that is typical of them; which rates of other trials compare.

Bounds: what a median and a range of follow-up bound, whoever of the patients it was that kept the response. Follow-up counts in whole months. Of ``n`` patients, three or more, ``kept`` kept their response; the range and the
median are those of all ``n``, and with an even ``n`` the median is the mean of the two middle values.

Every bound comes from the same step. Given the middle values, each value below them may be as low as the shortest or as
high as the lower middle one, each above them as low as the upper middle one or as high as the longest, one value being
the shortest and one the longest. All at their lowest, or all at their highest, is a follow-up that can be reported so,
and no other has a lower, or a higher, value in any place. What remains is to try every pair of middle values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

import numpy as np
import pandas as pd
from scipy.stats import binom

from chapters.models.pooling import Pooled, pool_shares


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


def evenly(n: int, shortest: float, median: float, longest: float) -> list[float]:
    """``n`` follow-ups with this median and range, rising in even steps below the median and above it; ``n`` odd."""
    half = n // 2
    return [*np.linspace(shortest, median, half + 1), *np.linspace(median, longest, half + 1)[1:]]


def needed(n: int, rate: float, level: float) -> int:
    """The fewest successes of ``n`` whose one-sided exact binomial p under ``rate`` is at most ``level``; n + 1 if none."""
    return next(k for k in range(n + 2) if binom.sf(k - 1, n, rate) <= level)


def false_alarm(rate: float, level: float, first: int, last: int) -> float:
    """The chance that some look, after every patient from ``first`` to ``last``, is significant while ``rate`` is true.

    The chance of each number of successes is carried from patient to patient; what reaches ``needed`` is taken out.
    """
    alive, alarm = np.array([1.0]), 0.0
    for n in range(1, last + 1):
        alive = np.convolve(alive, [1 - rate, rate])
        if n >= first:
            bar = needed(n, rate, level)
            alarm += float(alive[bar:].sum())
            alive[bar:] = 0
    return alarm


MAJOR, ANY, UNSTATED = "major response lost", "any transcript", "not stated"
TRIALS = {"ENDURE": "ENDURE, observation", "EURO-SKI": "EURO-SKI", "JALSG-STIM213": "STIM213", "STOP 2G-TKI": "STOP 2G-TKI",
          "A-STIM": "A-STIM", "HOVON 51": "HOVON 51", "TWISTER": "TWISTER", "French pilot": "French pilot",
          "STIM": "STIM, STIM1", "TFR meta-analysis": "a quoted meta-analysis"}  # fmt: skip
"""How the study of a row of evidence begins, and what its trial is called; reports of one trial have one name."""
OUTCOMES = ("relapse-free|recurrence-free|remained in MMR|treatment-free (?:remission|survival)|persistent complete|loss of MMR"
            "|relapses, as treated|relapsed within|^molecular relapse$")  # fmt: skip


def stop_rates(known: pd.DataFrame) -> pd.DataFrame:
    """Every row of evidence with a rate of relapse or of response at a stated time after the stop, nothing given instead.

    Added are ``trial``, ``months`` after the stop (NaN if not stated), ``failure`` (``MAJOR``, ``ANY``, ``UNSTATED``),
    and ``free``, the share free of failure, from 0 to 1.

    Raises
    ------
    ValueError
        A study with such a row that ``TRIALS`` does not name.
    """
    rates = known[
        known.quantity.str.contains(OUTCOMES)
        & ~known.quantity.str.contains("hazard|fluctuating")
        & ~known.arm.str.contains("ropeginterferon|prior IFN|continued")
        & known.unit.isin(["%", ""])
    ].copy()
    rates["trial"] = [next((name for start, name in TRIALS.items() if s.startswith(start)), "") for s in rates.study]
    if (rates.trial == "").any():
        raise ValueError(f"name the trial of {', '.join(rates.study[rates.trial == ''].unique())}")
    size = rates.time_horizon.str.extract(r"(\d+) ?(month|year)|month (\d+)")
    rates["months"] = size[0].fillna(size[2]).astype(float) * np.where(size[1] == "year", 12, 1)
    any_found = rates.note.str.contains("positivity") | rates.quantity.str.contains("complete molecular")
    lost = rates.note.str.contains(": loss of (?:MMR|major)") | rates.quantity.str.contains("MMR")
    rates["failure"] = np.select([any_found, lost], [ANY, MAJOR], UNSTATED)
    printed = pd.to_numeric(rates.value).div(100)
    counted = pd.to_numeric(rates.numerator).div(pd.to_numeric(rates.denominator))
    share, failed = printed.fillna(counted), rates.quantity.str.contains("relapses|relapsed|molecular relapse$|loss of")
    rates["free"] = share.where(~failed, 1 - share)
    return rates


def entering(rates: pd.DataFrame, target: float, within: float) -> tuple[dict[str, pd.Series], pd.DataFrame]:
    """The one rate of each trial that enters a comparison at ``target`` months, and every trial with why it is in or not.

    It is the rate nearest to ``target`` and no further than ``within`` from it that counts loss of major response and
    nothing less as failure.
    """
    chosen, listed = {}, []
    for name, rows in rates.groupby("trial", sort=False):
        near = rows[(rows.failure == MAJOR) & ((rows.months - target).abs() <= within)]
        if rows.design.str.contains("meta-analysis").all():
            why = "not a trial: it may include the others"
        elif not (rows.failure == MAJOR).any():
            why = (
                "failure: any transcript"
                if (rows.failure == ANY).any()
                else "what counts as failure is not in our table"
            )
        elif near.empty:
            why = f"no rate within {within:g} months of {target:g}"
        else:
            chosen[name], why = near.loc[(near.months - target).abs().idxmin()], "in"
        row = chosen.get(name)
        cited = " ".join([name, *dict.fromkeys(f"[{key}]" for key in rows.reference)])
        free = ("–", "–") if row is None else (f"{100 * row.free:.4g}", f"{row.months:g}")
        listed.append(
            (cited, "randomised" if rows.design.str.startswith("randomised").any() else "single arm", *free, why)
        )
    return chosen, pd.DataFrame(listed, columns=["trial", "design", "in response", "at", "in, or why not"])


def pooled_rate(rows: Mapping[str, pd.Series], sizes: Mapping[str, int]) -> Pooled:
    """The rate without interferon in %, pooled from one row of each trial: by its 95% interval, or else by its patients.

    ``sizes``: how many patients, for a trial whose row has neither interval nor denominator.
    """
    given = [(float(r.ci_low) / 100, float(r.ci_high) / 100) if r.ci_low else None for r in rows.values()]
    n = [0 if r.ci_low else int(r.denominator or sizes[name]) for name, r in rows.items()]
    return pool_shares([r.free for r in rows.values()], given, n).on(lambda share: 100 * share)
