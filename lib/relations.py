"""What must hold between the printed figures of a record, and figures that no data could print."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lib.records import COUNTED, DAYS, Claim, Figure, Record, Relation
from whichdata.printed import Interval


@dataclass(frozen=True)
class Held:
    """A relation of a record held against its figures: ``holds`` is False where no value the rounding admits keeps
    it.
    """

    claim: str
    relation: Relation
    holds: bool
    shows: str


def relations(rec: Record) -> list[Held]:
    """Every relation stated in a record, checked under the record's rounding rule."""
    return [_hold(rec, claim, relation) for claim in rec.claims for relation in claim.relations]


def unexplained(rec: Record) -> list[str]:
    """The relations that fail though the record does not say what that shows, and those that hold though it does."""
    how = "correct the record, or say under finding what it shows of the source"
    return [
        f"{held.claim}: {held.relation.kind} {f'holds: {held.shows}: drop its finding' if held.holds else f'fails: {held.shows}: {how}'}"
        for held in relations(rec)
        if held.holds != (held.relation.finding is None)
    ]


def impossible(rec: Record) -> dict[tuple[str, str], str]:
    """Figures no data could print as they stand, by claim and role, and why: a share above 100%, an interval that does
    not hold its estimate, more events than patients. A record holds what was printed; a check then finds it discrepant.
    """
    found = {(c.id, f.role): f.impossible for c in rec.claims for f in c.figures if f.impossible}
    for claim in rec.claims:
        found |= {(claim.id, role): why for role, why in _interval_faults(rec, claim)}
        for relation in claim.relations:
            if relation.kind in ("percentage-of", "within"):
                low, high = (rec.entry(ref) for ref in relation.of)
                role = relation.role or claim.figures[0].role
                if _box(low, rec.source.rounding).lower > _box(high, rec.source.rounding).upper:
                    found[claim.id, role] = (
                        f"{low.printed} of {high.printed}: there are more events than patients"
                        if relation.kind == "percentage-of"
                        else f"{low.printed} to {high.printed}: the range ends below its start"
                    )
    return found


def _interval_faults(rec: Record, claim: Claim) -> Iterator[tuple[str, str]]:
    """Estimates outside their confidence interval (figures ``ci-low`` and ``ci-high`` of one claim), and why."""
    ends = {f.role: f for f in claim.figures if f.role in ("ci-low", "ci-high")}
    if len(ends) < 2:
        return
    low, high = (_box(ends[role], rec.source.rounding) for role in ("ci-low", "ci-high"))
    interval = f"{ends['ci-low'].printed} to {ends['ci-high'].printed}"
    if low.lower > high.upper:
        yield "ci-low", f"the interval {interval} ends below its start"
        return
    for figure in claim.figures:
        if figure.role not in ends and figure.unit == ends["ci-low"].unit:
            box = _box(figure, rec.source.rounding)
            if box.upper < low.lower or box.lower > high.upper:
                yield figure.role, f"the interval {interval} does not hold its estimate {figure.printed}"


def _hold(rec: Record, claim: Claim, relation: Relation) -> Held:
    involved = [claim, *(rec[ref.partition("/")[0]] for ref in relation.of)]
    if relation.kind in ("same-patients", "same-clock"):
        timed = [any(f.unit in DAYS for f in c.figures) for c in involved]
        units = {f.unit for c in involved for f in c.figures}
        holds = relation.kind == "same-patients" or all(timed)
        return Held(claim.id, relation, holds, f"units: {', '.join(sorted(units)) or 'none'}")
    own = rec.entry(f"{claim.id}/{relation.role}" if relation.role else claim.id)
    others = [rec.entry(ref) for ref in relation.of]
    names = [f.printed for f in others]
    if len({f.unit for f in (own, *others)}) > 1 and relation.kind != "percentage-of":
        own_name, *names = [f"{f.printed} {f.unit}" for f in (own, *others)]
    else:
        own_name = own.printed
    mine, *boxes = [_box(f, rec.source.rounding) for f in (own, *others)]
    match relation.kind:
        case "sum-of":
            low, high = sum(o.lower for o in boxes), sum(o.upper for o in boxes)
            holds, sign, joint = mine.lower <= high and low <= mine.upper, "=", " + "
        case "percentage-of":
            part, whole = (f.value.value for f in others)
            holds = 100 * part / whole in own.value.interval(rec.source.rounding)
            own_name, sign, joint = f"{own.printed}%", "=", " of "
        case "within":
            holds = mine.upper >= boxes[0].lower and mine.lower <= boxes[1].upper
            return Held(claim.id, relation, holds, f"{names[0]} ≤ {own_name} ≤ {names[1]}")
        case "equals":
            holds, sign, joint = all(not mine.intersection(o).empty for o in boxes), "=", ", "
        case "part-of":
            holds, sign, joint = all(mine.lower <= o.upper for o in boxes), "≤", ", "
        case "at-least":
            holds, sign, joint = all(mine.upper >= o.lower for o in boxes), "≥", ", "
        case "later-than":
            holds, sign, joint = all(mine.upper > o.lower for o in boxes), ">", ", "
    return Held(claim.id, relation, holds, f"{own_name} {sign} {joint.join(names)}")


def agree(one: Figure, other: Figure, rounding: str) -> bool:
    """Can two printed figures stand for one value, under a rounding rule?"""
    same = one.unit == other.unit or {one.unit, other.unit} <= DAYS.keys()
    return same and not _box(one, rounding).intersection(_box(other, rounding)).empty


def _box(figure: Figure, rounding: str) -> Interval:
    """The values a figure may stand for, in days if it is a time; a count of things is exact."""
    if figure.unit in COUNTED and figure.value.relation == "=":
        return Interval(figure.value.value, figure.value.value)
    return figure.value.interval(rounding).scaled(DAYS.get(figure.unit, 1))
