"""Every figure of a record asked all that ``whichdata`` can answer from the record alone, and the call that judges it.

No statistics of its own: what a chapter would ask figure by figure, asked of all.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.proportion import confint_proportions_2indep

from lib import ROOT, records, relations, verdicts
from lib.house.adding import NEAREST, NEARLY, TODO
from lib.house.roles import WORK
from lib.pictures import icons
from lib.records import COUNTED, PEOPLE, RATIOS, Claim, Figure, Record
from lib.tables import Finding, findings
from lib.values import count, estimate, measure, share
from lib.words import number, rounding_in_words, singular, with_unit
from whichdata.effects import effect_box, symmetric_ends
from whichdata.median_range import bounds_from_median_range, median_possible
from whichdata.printed import ROUNDINGS, Interval, Printed, percentage
from whichdata.proportions import count_prints, possible_counts, proportion_intervals
from whichdata.rank_sets import Group, feasible_ranks
from whichdata.recompute import ReportedP, p_of_statistic, recompute_p
from whichdata.summaries import reading
from whichdata.tables2x2 import tests_2x2
from whichdata.whole_numbers import least_sd, possible_sums

RULES = ROUNDINGS[1:]
LEAST_GROUP = 5
"""A share of fewer is hardly printed."""
COMPARED = ("estimate", "p-value")
"""Kinds of claims that compare groups."""
STATISTICS = {"t": "t", "f": "F", "z": "Z", "r": "r", "chi2": "Chi2"}
"""Roles of a test statistic; its degrees of freedom have the role ``df``, or ``df1`` and ``df2``."""
CALLED = (Finding, findings, icons, count, estimate, measure, share, Fraction, Group, Interval, Table2x2, bounds_from_median_range, confint_proportions_2indep, effect_box, feasible_ranks,
          p_of_statistic, percentage, possible_sums, proportion_intervals, reading, symmetric_ends, tests_2x2)  # fmt: skip
"""What the printed calls call."""
WANTED = {"count": "the list of those counted", "percentage": "the counts behind it"}
"""What it would take to check a claim of a kind, where that is not the data of each patient or the protocol."""
SUMMARIES = {"median", "mean", "difference", "ci-low"}
"""Roles of which one says that a claim sums up data."""
OF_TWO = {"odds ratio": "oddsratio", "risk ratio": "riskratio", "ratio": "riskratio", "percentage points": ""}
"""Units of what compares two shares, and what computes it of a table."""
NO_SHARE = re.compile(r"(?:ci-.*|power.*|(?:median|mean|sd|low|high|q1|q3)(?:-\d+)?)")
"""Roles of percentages that are no shares of people; one with low risk is."""
MIDDLE, SPREAD = ("low", "median", "high"), ("ci-low", "ci-high")


class Found(NamedTuple):
    """What was found of a claim: whether it is at ``odds`` with other figures, in words, and the call that judges it."""

    claim: str
    odds: bool
    says: str
    call: str = ""

    def __str__(self):
        return f"{'!' if self.odds else ' '} {self.claim} {self.says}" + (f" → {self.call}" if self.call else "")


def audit(record: Record) -> list[Found]:
    """Everything found, in the order of the claims."""
    found = [Found(claim, True, f"{role}: {why}") for (claim, role), why in relations.impossible(record).items()]
    for held in relations.relations(record):
        call = _summed(record[held.claim], held.relation) if held.relation.kind == "sum-of" else ""
        if not held.holds and held.relation.kind != "percentage-of":
            why = held.relation.finding or "a fault of the record, or a finding"
            found.append(Found(held.claim, True, f"{held.relation.kind} fails: {held.shows}; {why}", call))
        elif call:
            found.append(Found(held.claim, False, held.shows, call))
    for claim in record.claims:
        for ask in (_sums, _shares, _compared, _groups, _intervals, _medians, _means, _statistics) * (
            claim.kind not in records.PLAIN
        ):
            found += ask(record, claim)
        found += _unasked(claim, [one.call for one in found if one.claim == claim.id])
    return sorted(found, key=lambda one: one.claim.split("-")[1].rjust(3))


def imports(calls: Iterable[str]) -> list[str]:
    """The lines that import what the calls call."""
    calls, by_module = " ".join(calls), {}
    for called in CALLED:
        if re.search(rf"\b{called.__name__}\(|map\({called.__name__},", calls):
            by_module.setdefault(called.__module__, []).append(called.__name__)
    return [f"from {module} import {', '.join(names)}" for module, names in sorted(by_module.items())]


def cells(record: Record, found: Sequence[Found]) -> str:
    """What is found as cells to paste: a call for each figure that one judges, and what is left to be said of the rest.

    Of two calls that judge the same figure the one that is not at odds is taken. No cell has more than ``WORK`` lines.
    """
    judged: dict[str, set[str]] = {}
    chosen: dict[int, str] = {}
    for n, one in sorted(enumerate(found), key=lambda pair: pair[1].odds):
        statements = [] if re.search(r"\bN\b", one.call) else one.call.split("; ")
        taken = judged.setdefault(one.claim, set())
        judges = [s for s in statements if s.startswith("review.judge(") and not taken & set(_roles(s))]
        if judges:
            taken |= {role for s in judges for role in _roles(s)}
            chosen[n] = "\n".join(s for s in statements if s in judges or not s.startswith("review."))
    rest = [c for c in record.claims if c.kind not in records.PLAIN and not _whole(c, judged.get(c.id, ()))]
    compared = _findings(record)
    made: list[list[str]] = []
    alike: dict[str, list[int]] = {}
    for n in sorted(chosen):
        alike.setdefault(chosen[n].replace(f'"{found[n].claim}"', "claim"), []).append(n)
    for call, several in ((call, of) for call, of in alike.items() if len(of) > 2 and "\n" not in call):
        claims = ", ".join(f'"{found[n].claim}"' for n in several)
        made.append(["# The same of several claims", *_formatted(f"for claim in ({claims}):\n    {call}").splitlines()])
        for n in several:
            del chosen[n]
    for n in sorted(chosen):
        call = _formatted(chosen[n]).splitlines()
        if not made or made[-1][0].startswith("# The same") or len(made[-1]) + len(call) > WORK:
            made.append([f"# Judge {found[n].claim} and what follows it"])
        made[-1] += call
    argued = [_concluded(c) for c in rest if c.kind in records.ARGUED]
    for n in range(0, len(argued), WORK // 5):  # filled, one has about five lines
        made.append(["# Conclude what is concluded", *(line for lines in argued[n:][: WORK // 5] for line in lines)])
    leave = [f'    "{c.id}": "{_wanted(c)}",' for c in rest if c.kind not in records.ARGUED]
    made.append(
        [
            "# Leave what cannot be judged, each with what is missing",
            "for claim, missing in {",
            *leave,
            "}.items():",
            "    review.leave(claim, missing)",
        ]
    )
    fence = "```{code-cell} ipython3\n:tags: [hide-input]\n\n%s\n```"
    first = imports([*chosen.values(), *alike, *compared])
    return "\n\n".join(fence % "\n".join(lines) for lines in [first, *map(str.splitlines, compared), *made])


def _people(record: Record) -> str:
    """What a record calls people most often."""
    found = [f.unit for c in record.claims for f in c.figures if f.unit in PEOPLE]
    return max(found, key=found.count, default=PEOPLE[0])


def _findings(record: Record) -> list[str]:
    """The cells for findings and picture, where a claim rests on two shares: of the first such claim."""
    pairs = (_shares_of(record, map(record.__getitem__, c.rests_on)) for c in record.claims if c.kind in COMPARED)
    pair = next((of for of in pairs if len(of) == 2), None)
    if not pair:
        return []
    source, label = record.source, record.source.prefix.lower()
    one, two = (f'review.counts("{ref}")' for ref, _ in pair)
    computed = f"""one, two = {one}, {two}
ends = confint_proportions_2indep(*one, *two, method="newcomb")
points = [100 * x for x in (one[0] / one[1] - two[0] / two[1], *ends)]
difference = estimate(*(measure(round(x), "percentage points") for x in points), "difference")
shares, heads = (share(Fraction(*one)), share(Fraction(*two))), ("{TODO}: one group", "{TODO}: the other")
bind(one=shares[0], two=shares[1], difference=difference)
row = Finding("main", count(one[1] + two[1], "{_people(record)}"), *shares, difference)
findings("{source.slug}", [row], "tab-{label}-findings", "{TODO}: what the study found", heads=heads)"""
    drawn = f"""icons(dict(zip(heads, shares)), "{TODO}: what happened to those drawn dark", "{TODO}: what came out",
"fig-{label}-people", "{TODO}: who, of 100 in each group.")"""
    return [
        "# The shares that are compared, and their difference by Newcombe's method\n" + _formatted(computed),
        "# The same, drawn\n" + _formatted(drawn),
    ]


def _roles(call: str) -> list[str]:
    """The figures that a call judges."""
    return re.findall(r"(\w+)=", call)


def _concluded(claim: Claim) -> list[str]:
    """The calls that a finding or conclusion wants: for its figures, if it has some, and for what it draws."""
    roles = ", ".join(f'"{f.role}"' for f in claim.figures)
    left = [f'review.leave("{claim.id}", "TODO: what it would take to check this", {roles})'] if roles else []
    return [*left, f'review.conclude("{claim.id}", TODO, "TODO: what was found, with its numbers")']


def _formatted(code: str) -> str:
    """Code as the formatter writes it, or as it is where there is none."""
    command = [sys.executable, "-m", "ruff", "format", "--config", ROOT / "pyproject.toml", "-"]
    ran = subprocess.run(command, input=code, capture_output=True, text=True)
    return code if ran.returncode else ran.stdout.strip()


def _wanted(claim: Claim) -> str:
    """What it would take to check a claim, as far as its kind can tell."""
    sums_up = claim.kind in ("estimate", "p-value") or SUMMARIES & {f.role for f in claim.figures}
    return WANTED.get(claim.kind, f"the data of each {singular(PEOPLE[0])}" if sums_up else "the protocol")


def _whole(claim: Claim, judged: Iterable[str]) -> bool:
    """Whether every figure of a claim is judged, and it draws nothing."""
    roles = {f.role.replace("-", "_") for f in claim.figures}
    return claim.kind not in records.ARGUED and bool(judged) and roles <= {*judged}


def rounding(record: Record) -> tuple[dict[str, int], int, str]:
    """How many shares of two printed counts come out under each rule, of how many, and the rule that the source keeps."""
    shares = [(f.value, *whole) for c in record.claims for f in c.figures if (whole := _stated(record, c, f))]
    kept = {rule: sum(count_prints(part, whole, f, rule) for f, part, whole in shares) for rule in RULES}
    return kept, len(shares), verdicts.source_rule(record)


def _judge(claim: Claim, check: str, how: str, **values) -> str:
    """A call that judges figures by their roles."""
    roles = ", ".join(f"{role.replace('-', '_')}={value}" for role, value in values.items())
    return f'review.judge("{claim.id}", "{check}", "{how}", {roles})'


def _under(rules: Iterable[str]) -> str:
    if set(rules) >= set(NEAREST):
        return "rounded to the nearest"
    return f"only {rounding_in_words(rules)} gives it" if rules else "under no rule"


def _list(values: Iterable[int]) -> str:
    values = list(values)
    return ", ".join(map(str, values)) if len(values) < 5 else f"{values[0]} to {values[-1]} ({len(values)} of them)"


def _stated(record: Record, claim: Claim, figure: Figure) -> tuple[int, int] | None:
    """The part and the whole of a share, where the record states them."""
    try:
        return record.counts(f"{claim.id}/{figure.role}")
    except records.SourceError:
        return None


def _named(claim: Claim, figure: Figure) -> str:
    """A figure as a call names it."""
    return claim.id if len(claim.figures) == 1 else f"{claim.id}/{figure.role}"


def _table(groups: Sequence[tuple[str, tuple[int, int]]]) -> str:
    """The statement that makes a table of two shares, with those who did not among them."""
    of = ", ".join(f'"{ref}"' for ref, _ in groups)
    return f"table = [[part, whole - part] for part, whole in map(review.counts, ({of}))]; "


def _counts(claim: Claim, units: Iterable[str] = COUNTED) -> list[int]:
    exact = (f.value.value for f in claim.figures if f.unit in units and f.value.relation == "=" and f.value.value)
    return [int(value) for value in exact if value.denominator == 1]


def _sizes(claims: Iterable[Claim]) -> dict[int, str]:
    """The source's own counts of people that a share may be of, the largest first, each with the first claim that prints it."""
    found = [
        (n, claim.id)
        for claim in claims
        if claim.kind not in records.PLAIN
        for n in _counts(claim, PEOPLE)
        if n >= LEAST_GROUP
    ]
    return dict(sorted(dict(reversed(found)).items(), reverse=True))


def _same(record: Record, claim: Claim) -> list[Claim]:
    """The claims that are said to be of the same patients, with the figure alone that is named."""
    named = [ref.partition("/") for r in claim.relations if r.kind == "same-patients" for ref in r.of]
    return [
        record[of].model_copy(update={"figures": [record[of].figure(role)]} if role else {}) for of, _, role in named
    ]


def _n(record: Record, claim: Claim) -> int | None:
    """The size of the group that a claim is of: its one count, else that of the one claim of the same patients."""
    same = _same(record, claim)
    counts = (_counts(of) for of in (claim, *(same if len(same) == 1 else ())))
    return next((found[0] for found in counts if len(found) == 1), None)


def _texts(claim: Claim, roles: Iterable[str]) -> list[str] | None:
    """The figures of these roles as printed, if the claim has all of them, in one unit and none a bound."""
    found = [f for role in roles for f in claim.figures if f.role == role]
    alike = len(found) == len(tuple(roles)) and len({f.unit for f in found}) == 1
    return [f.printed for f in found] if alike and all(f.value.relation == "=" for f in found) else None


def _near(printed: Printed, n: int) -> list[int]:
    """The counts of ``n`` that print as a percentage, rounded to the nearest."""
    return sorted({k for rule in NEAREST for k in possible_counts(printed, n, rule)})


def _shares(record: Record, claim: Claim) -> Iterator[Found]:
    """Each percentage against its stated whole; else against the counts beside it; else every count of the record."""
    everywhere, same = _sizes(record.claims), _sizes(_same(record, claim))
    for figure in claim.figures:
        if not figure.is_share or figure.value.relation != "=" or NO_SHARE.fullmatch(figure.role):
            continue
        if stated := _stated(record, claim, figure):
            yield from _of_counts(claim, figure, *stated)
        elif beside := dict.fromkeys(_counts(claim), claim.id) or ({} if same else _just_before(record, claim)):
            yield from (_beside(claim, figure, part, of, everywhere) for part, of in beside.items())
        elif tried := [n for n in same or everywhere if n <= 200 * 10 ** max(figure.value.decimals or 0, 0)]:
            told = [f"{_of(figure.value, n)} ({everywhere[n]})" for n in tried]  # of more people any share is a count
            odd = [n for n in tried if not _near(figure.value, n)]
            n = tried[0] if same and odd in ([], tried) else "N"
            says = f"{with_unit(figure.printed, figure.unit)}: {'; '.join(told)}"
            any_of = {figure.role: f"[percentage(k, {n}) for k in range({n} + 1)]"}
            yield Found(
                claim.id, bool(same) and odd == tried, says, _judge(claim, "share", f"any count of {n}", **any_of)
            )


def _just_before(record: Record, claim: Claim) -> dict[int, str]:
    """The one count of the claim that ends where this one begins, as in "seven patients (15%)", with that claim."""
    before = [c for c in record.claims if c.at.par == claim.at.par and 0 <= claim.at.start - c.at.end <= 2]
    counts = _counts(before[-1]) if before else []
    return dict.fromkeys(counts, before[-1].id) if len(counts) == 1 else {}


def _of(printed: Printed, n: int) -> str:
    rules = [rule for rule in RULES if possible_counts(printed, n, rule)]
    if set(rules) & set(NEAREST):
        return f"{_list(_near(printed, n))} of {n}"
    counts = sorted({k for rule in rules for k in possible_counts(printed, n, rule)})
    return f"of {n} {_list(counts)}, {_under(rules)}" if rules else f"no count of {n}"


def _of_counts(claim: Claim, figure: Figure, part: int, whole: int) -> Iterator[Found]:
    rules = [rule for rule in RULES if count_prints(part, whole, figure.value, rule)]
    says = f"{with_unit(figure.printed, figure.unit)} = {part} of {whole}: {_under(rules)}"
    counts = f'percentage(*review.counts("{_named(claim, figure)}"))'
    call = _judge(claim, "share", "a share of head counts", **{figure.role: counts})
    yield Found(claim.id, not set(rules) & set(NEAREST), says, call)
    ends = _texts(claim, SPREAD)
    if ends and claim.figure("ci-low").unit == figure.unit:
        by_name = {how: [Fraction(100 * x) for x in pair] for how, pair in proportion_intervals(part, whole).items()}
        agree = [how for how, pair in by_name.items() if all(Printed.parse(t).prints(x) for t, x in zip(ends, pair))]
        says = f"interval {ends[0]} to {ends[1]} of {part} of {whole}: {', '.join(agree) or 'by no usual method'}"
        call = f'proportion_intervals(*review.counts("{_named(claim, figure)}"))'
        yield Found(claim.id, not agree, says, call)


def _beside(claim: Claim, figure: Figure, part: int, of: str, sizes: dict[int, str]) -> Found:
    """A percentage and a count beside it, of the claim ``of``: one that stands elsewhere too may be its whole, another is a part."""
    printed, most = figure.value, max(sizes, default=0)
    shown = f"{with_unit(figure.printed, figure.unit)} beside {part}: "

    def call(k: int, n: int | str) -> str:
        return _judge(claim, "share", "a share of head counts", **{figure.role: f"percentage({k}, {n})"})

    if sizes.get(part, of) != of and (of_it := _near(printed, part)):
        return Found(claim.id, False, f"{shown}{_list(of_it)} of {part}", call(of_it[0], part))
    wholes = {r: [n for n in range(part, most + 1) if count_prints(part, n, printed, r)] for r in RULES}
    near = sorted({n for rule in NEAREST for n in wholes[rule]})
    if near:
        own = [n for n in near if n in sizes]
        told = ", no size that the source gives" if not own else f", of its own counts {_list(own)}" * (len(near) > 4)
        says = f"{shown}{part} of {_list(near)}{told}"
        return Found(claim.id, not own, says, call(part, own[0] if len(own) == 1 else "N"))
    cut = {tuple(of): [r for r in RULES if wholes[r] == of] for of in wholes.values() if of}
    told = "".join(f"; of {_list(of)}, only {rounding_in_words(rules)}" for of, rules in cut.items())
    return Found(claim.id, True, f"{shown}of no whole up to {most} rounded to the nearest{told}", call(part, "N"))


def _shares_of(record: Record, claims: Iterable[Claim]) -> list[tuple[str, tuple[int, int]]]:
    """The shares of counts that claims report, as calls name them."""
    return [(_named(c, f), counts) for c in claims for f in c.figures if (counts := _stated(record, c, f))]


def _compared(record: Record, claim: Claim) -> Iterator[Found]:
    """Each ratio of odds or risks, and each difference of shares, against the two groups that the claim rests on."""
    groups = _shares_of(record, (record[ref] for ref in claim.rests_on))
    ends = [claim.figure(role) for role in SPREAD] if _texts(claim, SPREAD) else []
    for figure in claim.figures if len(groups) == 2 else ():
        if figure.unit not in OF_TWO or figure in ends:
            continue
        figures = [figure, *ends]
        tried = [(*_of_two(figure.unit, *(counts for _, counts in order)), order) for order in (groups, groups[::-1])]
        values, code, order = next((one for one in tried if figure.value.prints(one[0][0])), tried[0])
        told, call = " ".join(map(number, values[: len(figures)])), _table(order)
        shares = " v ".join(f"{a}/{n}" for _, (a, n) in order)
        says = f"{figure.unit} of {shares}: {told}, printed {' '.join(f.printed for f in figures)}"
        if not figure.value.prints(values[0]):
            call += _judge(claim, "estimate", "of the counts", **{figure.role: code[0]})
            yield Found(claim.id, True, f"{says}; if it is not adjusted", call)
        elif all(f.value.prints(x) for f, x in zip(figures, values)):
            how = "of the counts, the interval by Wald" if ends else "of the counts"
            call += _judge(claim, "estimate", how, **{f.role: of for f, of in zip(figures, code)})
            yield Found(claim.id, False, says, call)
        else:  # other methods give other ends: no reason to judge them by this one
            yield Found(claim.id, False, f"{says}: not by Wald")


def _of_two(unit: str, one: tuple[int, int], two: tuple[int, int]) -> tuple[list[float], list[str]]:
    """What compares two shares, with the ends of its interval by Wald, and the code of each, of their ``table``."""
    (a, n), (b, m) = one, two
    if unit == "percentage points":
        ends = [100 * x for x in confint_proportions_2indep(a, n, b, m, method="wald")]
        rows = "table[0][0], sum(table[0]), table[1][0], sum(table[1])"
        of_it, code = "percentage(table[0][0], sum(table[0])) - percentage(table[1][0], sum(table[1]))", (
            f'100 * confint_proportions_2indep({rows}, method="wald")')  # fmt: skip
        value = float(percentage(a, n) - percentage(b, m))
    else:
        table, name = Table2x2([[a, n - a], [b, m - b]]), OF_TWO[unit]
        value, ends = getattr(table, name), getattr(table, f"{name}_confint")()
        of_it, code = f"Table2x2(table).{name}", f"Table2x2(table).{name}_confint()"
    return [value, *ends], [of_it, f"{code}[0]", f"{code}[1]"]


def _of_means(record: Record, claim: Claim, figure: Figure) -> tuple[str, str] | None:
    """The two means that a claim rests on, in the order of its difference."""
    means = [text for ref in claim.rests_on if (text := _texts(record[ref], ["mean"]))]
    if figure.role != "difference" or len(means) != 2:
        return None
    values = [Printed.parse(text).value for (text,) in means]
    (one,), (two,) = means if (figure.value.value < 0) == (values[0] < values[1]) else means[::-1]
    return one, two


def _intervals(record: Record, claim: Claim) -> Iterator[Found]:
    """Each estimate against its interval, and the p value beside it."""
    ends, level = _texts(claim, SPREAD), _texts(claim, ["ci-level"])
    for figure in claim.figures if ends else ():
        alike = figure.unit == claim.figure("ci-low").unit and figure.role not in SPREAD
        if not alike or _stated(record, claim, figure):
            continue
        texts, scale = [figure.printed, *ends], "ratio" if figure.unit in RATIOS else "difference"
        try:
            box = effect_box(*texts, scale=scale, level=float(level[0]) / 100 if level else 0.95)
        except ValueError as error:
            yield Found(claim.id, True, str(error))
            continue
        beside = [f for f in claim.figures if f.unit == "p"]
        says = f"{with_unit(texts[0], figure.unit)} ({' to '.join(ends)}): {'' if box.central else 'not '}the middle of its interval"
        says += f"; p from {number(box.p_lowest)} to {number(box.p_highest)}" + "".join(
            f", printed {f.printed}" for f in beside
        )
        given = f"({', '.join(map(repr, texts))}, {scale!r})"
        ends_by_role = dict(zip(SPREAD, ("low", "high")))
        call = f"box, (low, high) = effect_box{given}, symmetric_ends{given}; "
        means, how, agrees = _of_means(record, claim, figure), "an interval symmetric around it", True
        middle = {figure.role: "Interval(Fraction(box.middle_lowest), Fraction(box.middle_highest))"}
        if means:
            differ = reading(means[0]) + reading(means[1]).scaled(-1)
            agrees = not differ.intersection(figure.value.interval()).empty
            middle, how = (
                {figure.role: "reading({!r}) + reading({!r}).scaled(-1)".format(*means)},
                f"the difference of the means, and {how}",
            )
            says += f"; {' less '.join(means)} is {number(float(differ.lower))} to {number(float(differ.upper))}"
        call += _judge(claim, "estimate", how, **middle, **ends_by_role)
        p = {f.role: "Interval(Fraction(box.p_lowest), Fraction(box.p_highest))" for f in beside}
        call += f"; {_judge(claim, 'test', 'p of the interval', **p)}" if p else ""
        yield Found(claim.id, not (agrees and box.central and all(box.may_print(f.value) for f in beside)), says, call)


def _summed(claim: Claim, relation: records.Relation) -> str:
    """The call that judges a count by the counts that it is said to be the sum of."""
    figure = claim.figure(relation.role) if relation.role else claim.figures[0]
    total = " + ".join(f'int(review.value("{ref}"))' for ref in relation.of)
    return _judge(claim, "sum", "the sum of the groups", **{figure.role: total}) if figure.unit in COUNTED else ""


def _sums(record: Record, claim: Claim) -> Iterator[Found]:
    """Each count that the counts of another claim add up to or miss by little, or that stands in an earlier claim too."""
    stated = {r.role or claim.figures[0].role for r in claim.relations if r.kind == "sum-of"}
    for figure in (f for f in claim.figures if f.unit in COUNTED and f.value.relation == "="):
        others = [
            (c, [f for f in c.figures if f.unit == figure.unit and f.value.relation == "="]) for c in record.claims
        ]
        for other, parts in (
            (c, of) for c, of in others if c.id != claim.id and len(of) > 1 and figure.role not in stated
        ):
            off = sum(f.value.value for f in parts) - figure.value.value
            relation = records.Relation(kind="sum-of", role=figure.role, of=[f"{other.id}/{f.role}" for f in parts])
            adds = f"{' + '.join(f.printed for f in parts)} ({other.id})"
            if not off:
                yield Found(claim.id, False, f"{figure.printed} = {adds}", _summed(claim, relation))
            elif abs(off) <= figure.value.value / NEARLY and max(f.value.value for f in parts) < figure.value.value:
                state = f"{{kind: sum-of, role: {figure.role}, of: [{', '.join(relation.of)}]}}"
                says = f"{figure.printed} is nearly {adds}: if it is their sum, state {state}, which then fails and has a finding"
                yield Found(claim.id, False, says)
        before = [(c, f) for c, of in others for f in of if c.id < claim.id and f.value.value == figure.value.value]
        for other, same in before[:1]:
            ref = f"{other.id}/{same.role}"
            call = f'review.restate("{claim.id}", {figure.role.replace("-", "_")}="{ref}")'
            yield Found(claim.id, False, f"{figure.printed} {figure.unit} stands in {ref} too; if it is the same", call)


def _unasked(claim: Claim, calls: list[str]) -> Iterator[Found]:
    """The figures of a claim that no call asks about, where one asks about others: they make all of it not checkable."""
    calls = [call for call in calls if "review.judge" in call]
    asked = [f.role for f in claim.figures if any(f"{f.role.replace('-', '_')}=" in call for call in calls)]
    rest = [f.role for f in claim.figures if f.role not in asked]
    if asked and rest:
        says = f"{', '.join(rest)}: no call checks it, and so the claim is not checkable: a claim of its own?"
        yield Found(claim.id, False, says)


def _medians(record: Record, claim: Claim) -> Iterator[Found]:
    """Each median against its range: what mean and SD it leaves."""
    texts, n = _texts(claim, MIDDLE), _n(record, claim)
    if not texts or n is None:
        return
    try:
        bounds = bounds_from_median_range(n, *texts, data="continuous")
    except ValueError as error:
        yield Found(claim.id, True, str(error))
        return
    mean, sd = (" to ".join(map(number, ends)) for ends in (bounds.mean, bounds.sd))
    whole = "" if median_possible(texts[1], n) else "; no median of whole numbers"
    says = f"median {texts[1]} ({texts[0]} to {texts[2]}) of {n}: mean {mean}, SD {sd}{whole}"
    yield Found(
        claim.id, False, says, f"bounds_from_median_range({n}, {', '.join(map(repr, texts))}, data='continuous')"
    )


def _means(record: Record, claim: Claim) -> Iterator[Found]:
    """A mean against the size of its group, and its SD against the least there can be, if the data are whole numbers."""
    mean, sd, n = _texts(claim, ["mean"]), _texts(claim, ["sd"]), _n(record, claim)
    if not mean or n is None or n >= 10 ** (Printed.parse(mean[0]).decimals or 0):
        return
    sums = possible_sums(mean[0], n)
    says = f"mean {mean[0]} of {n}: {'a' if sums else 'no'} mean of whole numbers (GRIM)"
    says += f"; their SD is at least {number(least_sd(mean[0], n))}, printed {sd[0]}" if sums and sd else ""
    call = _judge(
        claim, "estimate", "whole numbers", mean=f"[Fraction(s, {n}) for s in possible_sums({mean[0]!r}, {n})]"
    )
    yield Found(claim.id, False, says, call)


def _statistics(record: Record, claim: Claim) -> Iterator[Found]:
    """Each p value against the test statistic beside it."""
    by_role = {f.role: f.value for f in claim.figures}
    df = [float(by_role[d].value) for d in ("df", "df1", "df2") if d in by_role]
    for p in (f for f in claim.figures if f.unit == "p" and f.value.relation in ("=", "<", ">")):
        for role in by_role.keys() & STATISTICS.keys():
            test, x = STATISTICS[role], by_role[role]
            reported = ReportedP(p.value.relation, float(p.value.value), p.value.decimals or 0)
            got = recompute_p(test, float(x.value), x.decimals or 0, reported, *df)
            args = ", ".join(map(repr, (test, float(x.value), *df)))
            call = _judge(claim, "test", "p of the statistic", **{p.role: f"p_of_statistic({args})"})
            yield Found(claim.id, got.error, f"{test} = {x.text}: p {number(got.p)}, printed {p.printed}", call)


def _groups(record: Record, claim: Claim) -> Iterator[Found]:
    """Each p value against the two groups that it compares: shares of counts, or medians, ranges and single values.

    That of a hazard ratio is of times, which shares do not tell.
    """
    near = {c.id: c for c in (claim, *_same(record, claim), *(record[ref] for ref in claim.rests_on))}
    shares = _shares_of(record, near.values())
    ranked = [g for c in _same(record, claim) if (g := _group(record, c))]
    for p in (f for f in claim.figures if f.unit == "p"):
        if len(shares) == 2 and not any(f.unit == "hazard ratio" for f in claim.figures):
            table = [[part, whole - part] for _, (part, whole) in shares]
            by_test, tests = tests_2x2(table)._asdict(), "tests_2x2(table)._asdict()"
            for ratio in {OF_TWO[f.unit] for f in claim.figures if f.unit in RATIOS and f.unit in OF_TWO}:
                by_test["wald"] = getattr(Table2x2(table), f"log_{ratio}_pvalue")()
                tests += f' | {{"wald": Table2x2(table).log_{ratio}_pvalue()}}'
            prints = [test for test, x in by_test.items() if x is not None and p.value.prints(Fraction(x))]
            of = " v ".join(f"{a}/{n}" for _, (a, n) in shares)
            says = f"p {p.printed} of {of}: {', '.join(prints) or 'by no usual test'}"
            call = _table(shares) + _judge(claim, "test", "tests of two shares", **{p.role: tests})
            yield Found(claim.id, not prints, says, call)
        if len(ranked) == 2:
            try:
                by_name = feasible_ranks(*(Group(*args, **named) for args, named in ranked), p.printed).by_convention
            except ValueError:  # too many data sets to go through
                continue
            prints = [name for name, of in by_name.items() if of and of.n_printing]
            says = f"p {p.printed} by Mann–Whitney: {', '.join(prints) or 'no data have the summaries and this p'}"
            groups = (
                f"Group({', '.join([*map(repr, a), *(f'{k}={v}' for k, v in named.items())])})" for a, named in ranked
            )
            yield Found(claim.id, not prints, says, f"feasible_ranks({', '.join(groups)}, {p.printed!r})")


def _group(record: Record, claim: Claim) -> tuple[tuple, dict] | None:
    """A group as ``rank_sets.Group`` takes it, of whole numbers: its median and range, or each of its values."""
    middle, n = _texts(claim, MIDDLE), _n(record, claim)
    values = _texts(claim, [f.role for f in claim.figures if f.role.startswith("event-")])
    if middle and n and not any("." in text for text in middle):
        return (n, *middle), {}
    if values and n == len(values) == len(claim.figures) and all(v.isdigit() for v in values):
        return (n,), {"values": tuple(map(int, values))}
    return None
