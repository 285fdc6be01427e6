"""Every figure of a record asked all that ``whichdata`` can answer from the record alone, and the call that judges it.

No statistics of its own: what a chapter would ask figure by figure, asked of all.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from lib import records, relations, verdicts
from lib.records import COUNTED, PEOPLE, RATIOS, Claim, Figure, Record
from lib.words import number, rounding_in_words, with_unit
from whichdata.effects import effect_box
from whichdata.median_range import bounds_from_median_range, median_possible
from whichdata.printed import ROUNDINGS, Printed
from whichdata.proportions import count_prints, possible_counts, proportion_intervals
from whichdata.rank_sets import Group, feasible_ranks
from whichdata.recompute import ReportedP, recompute_p
from whichdata.tables2x2 import tests_2x2
from whichdata.whole_numbers import least_sd, possible_sums

NEAREST = ("up", "down", "even")
STATISTICS = {"t": "t", "f": "F", "z": "Z", "r": "r", "chi2": "Chi2"}
"""Roles of a test statistic; its degrees of freedom have the roles ``df``, or ``df1`` and ``df2``."""


class Found(NamedTuple):
    """What was found of a claim: whether it is at ``odds`` with other figures, in words, and the call that judges it."""

    claim: str
    odds: bool
    says: str
    call: str

    def __str__(self):
        return f"{'!' if self.odds else ' '} {self.claim} {self.says}" + (f" → {self.call}" if self.call else "")


def audit(record: Record) -> list[Found]:
    """Everything found, in the order of the claims."""
    asked = (_cannot, _shares, _intervals, _medians, _means, _tests)
    found = [
        one for claim in record.claims if claim.kind not in records.PLAIN for ask in asked for one in ask(record, claim)
    ]
    return found + [
        Found(h.claim, True, f"{h.relation.kind} fails: {h.shows}; {h.relation.finding or 'a fault of the record, or a finding'}", "")
        for h in relations.relations(record) if not h.holds and h.relation.kind != "percentage-of"
    ]  # fmt: skip


def rounding(record: Record) -> tuple[dict[str, int], int, str]:
    """How many shares of two printed counts come out under each rule, of how many, and the rule that the source keeps."""
    shares = [(f, *whole) for c in record.claims for f in c.figures if (whole := _stated(record, c, f))]
    kept = {
        rule: sum(count_prints(_int(part), _int(of), f.value, rule) for f, part, of in shares) for rule in ROUNDINGS[1:]
    }
    return kept, len(shares), verdicts.source_rule(record)


def _int(figure: Figure) -> int:
    return int(figure.value.value)


def _rules(holds) -> tuple[str, ...]:
    return tuple(rule for rule in ROUNDINGS[1:] if holds(rule))


def _under(rules: tuple[str, ...]) -> str:
    nearest = "rounded to the nearest" if set(rules) >= set(NEAREST) else ""
    return nearest or (f"only {rounding_in_words(rules)} gives it" if rules else "under no rule")


def _stated(record: Record, claim: Claim, figure: Figure) -> tuple[Figure, Figure] | None:
    """The part and the whole of a share, where the record states them."""
    for relation in claim.relations:
        if relation.kind == "percentage-of" and (relation.role or claim.figures[0].role) == figure.role:
            return tuple(record.entry(ref) for ref in relation.of)
    return None


def _is_count(figure: Figure) -> bool:
    value = figure.value
    return figure.unit in COUNTED and value.relation == "=" and value.value is not None and value.value.denominator == 1


LEAST_GROUP = 5
"""A share of fewer is hardly printed."""


def _sizes(record: Record, claims: list[Claim]) -> dict[int, str]:
    """The counts of people that a share may be of, the largest first, each with the first claim that prints it."""
    sizes: dict[int, str] = {}
    for claim in claims:
        for figure in filter(_is_count, claim.figures):
            if figure.unit in PEOPLE and _int(figure) >= LEAST_GROUP:
                sizes.setdefault(_int(figure), claim.id)
    return dict(sorted(sizes.items(), reverse=True))


def _same(record: Record, claim: Claim) -> list[Claim]:
    """The claims that are said to be of the same patients."""
    return [record[ref.partition("/")[0]] for r in claim.relations if r.kind == "same-patients" for ref in r.of]


def _n(record: Record, claim: Claim) -> int | None:
    """The size of the group that a claim is of: its one count, else that of the one claim of the same patients."""
    same = _same(record, claim)
    for figures in (claim.figures, *(other.figures for other in same if len(same) == 1)):
        counts = [_int(f) for f in figures if _is_count(f)]
        if len(counts) == 1:
            return counts[0]
    return None


def _group(record: Record, claim: Claim) -> tuple[str, tuple[tuple, dict]] | None:
    """A group as ``rank_sets.Group`` takes it, with words for it: its median and range, or each of its values."""
    by_role = {f.role: f.printed for f in claim.figures}
    if by_role.keys() >= {"median", "low", "high"} and (n := _n(record, claim)):
        low, middle, high = (by_role[r] for r in ("low", "median", "high"))
        return f"{middle} ({low} to {high})", ((n, low, middle, high), {})
    values = [text for role, text in by_role.items() if role.startswith("event-")]
    if len(values) > 1 and len(values) == len(by_role) == _n(record, claim):
        return ", ".join(values), (
            (len(values),),
            {"values": tuple(map(int, values)) if all(v.isdigit() for v in values) else ()},
        )
    return None


def _call(args: tuple, named: dict) -> str:
    return f"Group({', '.join([*map(repr, args), *(f'{k}={v!r}' for k, v in named.items())])})"


def _cannot(record: Record, claim: Claim) -> Iterator[Found]:
    for (of, role), why in relations.impossible(record).items():
        if of == claim.id:
            yield Found(of, True, f"{claim.figure(role).printed}: {why}", "")


def _shares(record: Record, claim: Claim) -> Iterator[Found]:
    """Each percentage against its stated whole, the counts beside it, and every count of the record."""
    for figure in (f for f in claim.figures if f.is_share and f.value.relation == "=" and not f.role.startswith("ci-")):
        printed, shown = figure.value, with_unit(figure.printed, figure.unit)
        key, judge = figure.role.replace("-", "_"), f'review.judge("{claim.id}", "share", '
        if stated := _stated(record, claim, figure):
            part, whole = map(_int, stated)
            rules = _rules(lambda rule: count_prints(part, whole, printed, rule))
            call = f'{judge}"a share of head counts", {key}=percentage({part}, {whole}))'
            yield Found(claim.id, not set(rules) & set(NEAREST), f"{shown} = {part} of {whole}: {_under(rules)}", call)
            ends = [f for f in claim.figures if f.role in ("ci-low", "ci-high")]
            if len(ends) == 2:
                found = proportion_intervals(part, whole)
                agree = [
                    name
                    for name, pair in found.items()
                    if all(f.value.prints(Fraction(100 * x)) for f, x in zip(ends, pair))
                ]
                says = f"interval {ends[0].printed} to {ends[1].printed} of {part} of {whole}: {', '.join(agree) or 'by no usual method'}"
                values = [{name: 100 * pair[i] for name, pair in found.items()} for i in (0, 1)]
                yield Found(
                    claim.id,
                    not agree,
                    says,
                    f'review.judge("{claim.id}", "estimate", "95% CI", ci_low={values[0]}, ci_high={values[1]})',
                )
            continue
        everywhere, same = _sizes(record, record.claims), _sizes(record, _same(record, claim))
        if beside := list(_beside(claim, figure, f'{judge}"a share of head counts", {key}=', everywhere)):
            yield from beside
            continue
        told, odd = [], []
        for n, where in (same or everywhere).items():
            if n > 2 * 100 * 10 ** max(printed.decimals or 0, 0):
                continue  # any share is a count of so many
            near = _near(printed, n)
            cut = _rules(lambda rule: len(possible_counts(printed, n, rule)))
            told.append(f"{_list(near)} of {n} ({where})" if near else f"no count of {n} ({where})" if not cut
                        else f"of {n} ({where}) {_list(sorted({k for r in cut for k in possible_counts(printed, n, r)}))}, {_under(cut)}")  # fmt: skip
            odd += [] if near else [n]
        if told:
            n = odd[0] if odd else next(iter(same or everywhere))
            call = f'{judge}"any count of {n}", {key}=[percentage(k, {n}) for k in range({n + 1})])'
            yield Found(claim.id, bool(same) and len(odd) == len(told), f"{shown}: {'; '.join(told)}", call)


def _beside(claim: Claim, figure: Figure, judge: str, sizes: dict[int, str]) -> Iterator[Found]:
    """A percentage and each count of its claim: a count that stands elsewhere too may be its whole, another is a part."""
    printed, largest = figure.value, max(sizes, default=0)
    for part in dict.fromkeys(_int(f) for f in claim.figures if _is_count(f)):
        shown = f"{with_unit(figure.printed, figure.unit)} beside {part}: "
        if sizes.get(part, claim.id) != claim.id and (of_it := _near(printed, part)):
            yield Found(claim.id, False, f"{shown}{_list(of_it)} of {part}", f"{judge}percentage({of_it[0]}, {part}))")
            continue
        wholes = {r: [n for n in range(part, largest + 1) if count_prints(part, n, printed, r)] for r in ROUNDINGS[1:]}
        near = sorted({n for rule in NEAREST for n in wholes[rule]})
        says = (
            f"{shown}{part} of {_list(near)}" if near else f"{shown}of no whole up to {largest} rounded to the nearest"
        )
        cut = {tuple(of): [r for r in wholes if wholes[r] == of] for of in wholes.values() if of and not near}
        says += "".join(f"; of {_list(of)}, only {rounding_in_words(rules)}" for of, rules in cut.items())
        n = next((n for n in near if n in sizes), (near or [*next(iter(cut), ()), "N"])[0])
        yield Found(claim.id, not near, says, f"{judge}percentage({part}, {n}))")


def _near(printed: Printed, n: int) -> list[int]:
    """The counts of ``n`` that print as a percentage, rounded to the nearest."""
    return sorted({k for rule in NEAREST for k in possible_counts(printed, n, rule)})


def _list(values) -> str:
    values = list(values)
    return ", ".join(map(str, values)) if len(values) < 5 else f"{values[0]} to {values[-1]} ({len(values)} of them)"


def _intervals(record: Record, claim: Claim) -> Iterator[Found]:
    """Each estimate against its interval, and the p value beside it."""
    ends = {f.role: f for f in claim.figures if f.role in ("ci-low", "ci-high")}
    for figure in claim.figures if len(ends) == 2 else ():
        if (
            figure.role in ends
            or figure.unit != ends["ci-low"].unit
            or figure.unit == "%"
            and _stated(record, claim, figure)
        ):
            continue
        scale, level = (
            ("ratio" if figure.unit in RATIOS else "difference"),
            [f for f in claim.figures if f.role == "ci-level"],
        )
        texts = [f.printed for f in (figure, ends["ci-low"], ends["ci-high"])]
        try:
            box = effect_box(*texts, scale=scale, level=float(level[0].value.value) / 100 if level else 0.95)
        except ValueError as error:
            yield Found(claim.id, True, str(error), "")
            continue
        says = (
            f"{with_unit(texts[0], figure.unit)} ({texts[1]} to {texts[2]}): "
            + ("" if box.central else "not ")
            + "the middle of its interval"
        )
        says += f"; p from {number(box.p_lowest)} to {number(box.p_highest)}"
        beside = [f for f in claim.figures if f.unit == "p"]
        agrees = all(box.may_print(f.value) for f in beside)
        says += "".join(f", printed {f.printed}" for f in beside)
        call = f"box = effect_box({', '.join(map(repr, texts))}, scale={scale!r})"
        for f in beside:
            call += f'; review.judge("{claim.id}", "test", "p of the interval", {f.role.replace("-", "_")}=Interval(Fraction(box.p_lowest), Fraction(box.p_highest)))'
        yield Found(claim.id, not (box.central and agrees), says, call)


def _medians(record: Record, claim: Claim) -> Iterator[Found]:
    """Each median against its range: what mean and SD it leaves."""
    by_role = {f.role: f for f in claim.figures}
    if not by_role.keys() >= {"median", "low", "high"} or (n := _n(record, claim)) is None:
        return
    middle, low, high = (by_role[r] for r in ("median", "low", "high"))
    if len({f.unit for f in (middle, low, high)}) > 1 or any(f.value.relation != "=" for f in (middle, low, high)):
        return
    texts = [f.printed for f in (low, middle, high)]
    try:
        bounds = bounds_from_median_range(n, *texts, data="continuous")
    except ValueError as error:
        yield Found(claim.id, True, str(error), "")
        return
    spread = f"mean {number(bounds.mean[0])} to {number(bounds.mean[1])}, SD {number(bounds.sd[0])} to {number(bounds.sd[1])}"
    whole = all("." not in t for t in texts) or median_possible(middle.value, n)
    says = f"median {texts[1]} ({texts[0]} to {texts[2]}) of {n}: {spread}" + (
        "" if whole else "; no median of whole numbers"
    )
    yield Found(
        claim.id, False, says, f"bounds_from_median_range({n}, {', '.join(map(repr, texts))}, data='continuous')"
    )


def _means(record: Record, claim: Claim) -> Iterator[Found]:
    """Each mean against the size of its group, and its SD against the least there can be, if the data are whole numbers."""
    for mean in (f for f in claim.figures if f.role.startswith("mean") and f.value.relation == "="):
        sd = next((f for f in claim.figures if f.role == "sd" + mean.role.removeprefix("mean")), None)
        n = _n(record, claim)
        if n is None or not mean.value.decimals or n >= 10**mean.value.decimals:
            continue
        sums = possible_sums(mean.value, n)
        least = least_sd(mean.value, n) if sums and sd else None
        says = f"mean {mean.printed} of {n}: {'a' if sums else 'no'} mean of whole numbers (GRIM)"
        says += f"; their SD is at least {number(least)}, printed {sd.printed}" if least is not None else ""
        yield Found(
            claim.id,
            False,
            says,
            f'review.judge("{claim.id}", "estimate", "whole numbers", {mean.role.replace("-", "_")}=[Fraction(s, {n}) for s in possible_sums({mean.printed!r}, {n})])',
        )


def _tests(record: Record, claim: Claim) -> Iterator[Found]:
    """Each p value against its test statistic, or against the two shares that its claim or those of the same patients compare."""
    near = {c.id: c for c in (claim, *_same(record, claim), *(record[ref] for ref in claim.rests_on))}
    shares = [tuple(map(_int, s)) for c in near.values() for f in c.figures if (s := _stated(record, c, f))]
    for p in (f for f in claim.figures if f.unit == "p"):
        role = p.role.replace("-", "_")
        by_role = {f.role: f for f in claim.figures}
        for name, test in STATISTICS.items():
            if name in by_role and p.value.relation in ("=", "<", ">"):
                degrees = [float(by_role[d].value.value) if d in by_role else None for d in ("df1", "df2")]
                degrees[0] = (
                    degrees[0] if degrees[0] is not None or "df" not in by_role else float(by_role["df"].value.value)
                )
                value = by_role[name].value
                got = recompute_p(
                    test,
                    float(value.value),
                    value.decimals or 0,
                    ReportedP(p.value.relation, float(p.value.value), p.value.decimals or 0),
                    *degrees,
                )
                says = f"{test} = {by_role[name].printed}: p {number(got.p)}, printed {p.printed}"
                yield Found(
                    claim.id,
                    got.error,
                    says,
                    f'review.judge("{claim.id}", "test", "p of the statistic", {role}=p_of_statistic({test!r}, {float(value.value)}, {degrees[0]}, {degrees[1]}))',
                )
        groups = [g for c in _same(record, claim) if (g := _group(record, c))]
        if len(groups) == 2 and not any("." in text for text, _ in groups):
            calls = [call for _, call in groups]
            try:
                ranks = feasible_ranks(*(Group(*args, **named) for args, named in calls), p.printed)
            except ValueError:
                continue
            prints = [name for name, of in ranks.by_convention.items() if of and of.n_printing]
            says = f"p {p.printed} by Mann–Whitney of {groups[0][0]} v {groups[1][0]}: {', '.join(prints) or 'no data have both the summaries and this p'}"
            yield Found(
                claim.id, not prints, says, f"feasible_ranks({', '.join(_call(*c) for c in calls)}, {p.printed!r})"
            )
        if len(shares) == 2:
            table = [[part, whole - part] for part, whole in shares]
            prints = [
                test for test, x in tests_2x2(table)._asdict().items() if x is not None and p.value.prints(Fraction(x))
            ]
            says = f"p {p.printed} of {' v '.join(f'{part}/{whole}' for part, whole in shares)}: {', '.join(prints) or 'by no usual test'}"
            yield Found(
                claim.id,
                not prints,
                says,
                f'review.judge("{claim.id}", "test", "2×2 tests", {role}=tests_2x2({table})._asdict())',
            )
