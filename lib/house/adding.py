"""A review begun: the draft of its record, a chapter with all its parts, and what is left to do of both.

Of the text only its fingerprint, places and figures are written down; every sentence is ours to say, and ``TODO`` until
it is said.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from string import Template
from typing import NamedTuple

import yaml

from lib import ROOT, records
from lib.evidence import LOWERED_FOR
from lib.house import accepted, census, executed, skeletons
from lib.house.execute import LAST, write
from lib.house.parts import REGISTRY
from lib.words import singular
from whichdata.printed import Printed
from whichdata.proportions import count_prints

TEMPLATES = Path(__file__).with_name("templates")
TODO = "TODO"
NEAREST = ("up", "down", "even")
"""Rules of rounding under which a share is usually printed."""
NEARLY = 100
"""A sum that misses a count by less than one in so many may be meant to be it."""
_SENTENCE = re.compile(
    r"\S.*?(?:(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\bv)(?<!\bcf)(?<!\bet al)[.?!][)\"”]*(?=\s+[^a-z\s])|\Z)", re.DOTALL
)

_PEOPLE = "adults cases children controls individuals infants men people persons subjects volunteers women".split()
_PLURALS = dict.fromkeys(_PEOPLE, records.PEOPLE[0]) | {w: u for u in records.COUNTED for w in (u, singular(u))}
# Units, by what stands after a numeral or before it; the first that fits is taken.
_AFTER = (
    ("%", r"\s?(?:%|per ?cent\b)"),
    ("years", r"\s?yrs?\b"),
    ("percentage points", r" percentage points?\b"),
    ("per {0} person-years", r" per (1,?000|100) (?:person|patient)[- ]years?\b"),
    ("person-years", r" (?:person|patient)[- ]years?\b"),
    ("mm Hg", r"\s?mm ?Hg\b"),
    ("parts", r":[1-9]\b"),
    ("{0}s", r"[ -]?(day|week|month|year|hour|minute|second)s?\b"),
    ("{0}/day", r"\s?(mg|µg|g|MU)(?:/d(?:ay)?| daily| a day| per day)\b"),
    ("{0} per {1}", r"\s?(times) (?:per|a|each) (day|week|month|year)\b"),
    ("{0}", r"\s?((?:mg|µg|mcg|g|kg|m[lL]|L|mmol|cm|mm|kcal|MU|IU|U|million units)(?:/(?:m2|\w+))*)\b"),
    ("{0}s", r" (point|degree|cycle)s?\b"),
    ("{0}", rf"(?:\s+[a-z-]+){{0,2}}?\s+({'|'.join(sorted(_PLURALS, reverse=True))})\b"),
)
_BEFORE = (
    ("p", r"\b[pP](?:[ -]value)?\s*(?:of|was|[=<>≤≥:])?\s*$"),
    ("hazard ratio", r"\b(?:HR|hazard ratio)\b[^.;\d]{0,40}$"),
    ("odds ratio", r"\b(?:OR|odds ratio)\b[^.;\d]{0,40}$"),
    ("risk ratio", r"\b(?:RR|relative risk|risk ratio)\b[^.;\d]{0,40}$"),
    ("rate ratio", r"\b(?:IRR|rate ratio)\b[^.;\d]{0,40}$"),
    (records.PEOPLE[0], r"\bn\s*=\s*$"),
    ("{0}s", r"\b(day|week|month|year|cycle)\s$"),
    ("parts", r"\b[1-9]:$"),
    ("points", r"\bscores?\b[^.;%(]{0,40}$"),
)
_ROLES = (("ci-level", r"\A\s?% (?:CI\b|confidence interval)"), ("power", r"\bpower(?: of)?\s$"), ("difference", r"\bdifference\b[^.;\d]{0,60}$"), ("median", r"\bmedian\b[^.;(\[]{0,40}$"),
          ("mean", r"\bmean\b[^.;(\[]{0,60}$"), ("sd", r"(?:\bSD\b|standard deviation|±)[\s=:]*$"))  # fmt: skip
_TO = re.compile(r"\s?(?:%|(?P<unit>\w+))?\s?(?:-|–|to|and|,)\s?[-−–]?")
_IN = re.compile(r"\W*(?:[a-zA-Z/]+ )?(?:in|of|for|among)(?: the| all)?\s+")
_RANDOM = re.compile(r"\brandom(?:ly|i[sz])", re.IGNORECASE)
_ORDER = {"first", "second"}
"""Words that put things in an order; a third may be a share."""
_HEADS = ("median", "mean", "difference")
"""Roles of figures with a spread behind them."""
_SPREADS = {"sd", "low", "q1", "ci-low"}
_CONCLUDES = re.compile(r"\b(?:conclusions?|conclude[sd]?|interpretation)\b", re.IGNORECASE)
_REPORTS = re.compile(r"(?:results?|findings)\b", re.IGNORECASE)
_ENDS = (("low", "high"), ("q1", "q3"), ("ci-low", "ci-high"))
_QUARTILES = re.compile(r"(?:\bIQR|\binterquartile range|\bquartiles)\W*$", re.IGNORECASE)
_NOUN, _WHOLE = r"(?:\s[a-z-]+){0,3}?", r"(?:\s?/\s?|\s(?:out\s)?of\s(?:the\s|all\s)?)"
_SHARES = (  # a sentence with # for each numeral: nine of 12 patients (75%), 75% (9/12), 9 (75%), 75% (n = 9), 9/12
    (rf"#{_NOUN}{_WHOLE}#{_NOUN}\s?[(\[]#\s?%", ("part", "whole", "share")),
    (rf"#\s?%\s?[(\[](?:n\s?=\s?)?#{_WHOLE}#", ("share", "part", "whole")),
    (rf"#{_NOUN}\s?[(\[]#\s?%(?!\s?(?:CI|confidence|credible))", ("part", "share")),
    (r"#\s?%\s?[(\[]n\s?=\s?#", ("share", "part")),
    (rf"#{_NOUN}{_WHOLE}#", ("part", "whole")),
)
_RATIO_OF = {
    "odds ratio": lambda a, n, b, m: Fraction(a * (m - b), b * (n - a)), "risk ratio": lambda a, n, b, m: Fraction(a * m, b * n),
    "percentage points": lambda a, n, b, m: 100 * (Fraction(a, n) - Fraction(b, m)),
}  # fmt: skip
"""What compares a of n with b of m, by its unit."""
_KINDS = (("estimate", records.RATIOS), ("percentage", {"%"}), ("p-value", {"p"}), ("duration", records.DAYS),
          ("count", records.COUNTED))  # fmt: skip


def sentences(paragraph: str) -> Iterator[tuple[int, int]]:
    """Where each sentence of a paragraph begins and ends."""
    return (m.span() for m in _SENTENCE.finditer(paragraph))


class _Guess:
    """A numeral of a sentence and what it may be: a figure with unit and role, or none for a ``reason``."""

    def __init__(self, start: int, end: int, text: str):
        self.start, self.end = start, end
        self.counts: dict[str, _Guess] = {}
        """The part and, if it is told, the whole that it goes with, as a share or as one of them."""
        self.ref = ""
        before, after = text[:start], text[end:]
        sign = skeletons.SIGN.search(before)
        self.printed = (sign[0] if sign else "") + text[start:end]
        unsigned = before[: sign.start()] if sign else before
        self.unit = _unit_after(after) or next(
            (u.format(*m.groups()) for u, p in _BEFORE if (m := re.search(p, unsigned))), ""
        )
        self.role = next((r for r, p in _ROLES if re.search(p, after if p[:2] == r"\A" else before, re.IGNORECASE)), "")
        word = text[start:end].isalpha()
        order = word and (text[start:end].lower() in _ORDER or not _reads(text[start:end]))
        touches = re.search(r"[^\W\d_]$", before) or re.search(r"[^\W\d_]-$", before) and not self.unit
        self.reason = ("citation" if re.search(r"(?:doi|https?:|10\.\d{4,}/)\S*$", before) or after[:1] == "/" and text[start:end].startswith("10.")
                       else "identifier" if touches else "grammar" if order else "date" if re.fullmatch(r"(?:19|20)\d\d", text[start:end]) and not self.unit
                       else "grammar" if re.search(r"\bper\s$", before) and self.unit not in records.DAYS
                       else "grammar" if word and not self.unit and text[start:end].lower() in census.LOOSE else "")  # fmt: skip


def _unit_after(text: str) -> str:
    """The unit with which a text begins, after a numeral; "" if none is known."""
    unit = next((u.format(*m.groups()) for u, p in _AFTER if (m := re.match(p, text))), "")
    return _PLURALS.get(unit, unit)


def guesses(text: str) -> list[_Guess]:
    """The numerals of a sentence, each with what can be told of it."""
    spans = [[n.start, n.end] for n in census.numerals(text)]
    for one, two in list(zip(spans, spans[1:]))[::-1]:  # twenty-five is one number
        if text[one[0] : two[1]].replace("-", "").replace(" ", "").isalpha() and _reads(text[one[0] : two[1]]):
            one[1] = two[1]
            spans.remove(two)
    found = [_Guess(*span, text) for span in spans]
    for one, two in reversed(list(zip(found, found[1:]))):
        between = text[one.end : two.start]
        to = _TO.fullmatch(between)
        if (
            to
            and not (one.reason or two.reason or "ci-level" in (one.role, two.role))
            and one.unit in ("" if not to["unit"] else two.unit, two.unit)
        ):
            one.unit = one.unit or two.unit
            if "and" not in between and "," not in between or re.search(r"range\W*$", text[: one.start]):
                one.role, two.role = one.role or "low", two.role or "high"
    people = next((g.unit for g in found if g.unit in records.PEOPLE), "")
    for one in found:  # of 246 patients 124 had the drug, and 201 (82%) were women
        share = re.match(r"\s?\(\d+(?:\.\d+)?\s?%", text[one.end :])
        spread = re.match(r"\W*(?:SD|±)", text[one.end :])
        if not (one.unit or one.role or one.reason or spread) and one.printed.isalnum() and (share or people):
            one.unit = people or records.PEOPLE[0]
    _link(found, text)
    known, mean, ranged, last, head = "", "", False, 0, None
    for n, one in enumerate(found):  # an interval is in the unit of its estimate, a range in that of its middle
        level = next((k for k in range(max(0, n - 2), n) if found[k].role == "ci-level"), 0)
        then = next((g for g in found[n + 1 :] if not g.reason and g.role != "ci-level"), None)
        if then and then.role == "low" and not one.reason and re.search(r"[(\[]", text[one.end : then.start]):
            if (
                head and not one.counts and one.unit in ("", head.unit)
            ):  # the median was 83 (IQR 64 to 93) and 74 (IQR 52 to 89)
                one.unit, one.role = one.unit or head.unit, one.role or (head.role if head.role in _HEADS else "")
            head = one
        ranged = one.role == "low" and bool(re.search(r"range\W*$", text[: one.start])) or one.role == "high" and ranged
        if level and one.role in ("low", "high"):
            of = next((g for g in reversed(found[:level]) if not g.reason), found[level - 1])
            one.unit, one.role = of.unit, f"ci-{one.role}"
        elif one.role == "sd" and n:
            aside = _unit_after(text[one.end :].lstrip(")]"))  # 76.8 (SD 5.4) years
            known_here = found[n - 1].unit or one.unit or ("" if aside in records.COUNTED else aside)
            found[n - 1].role, mean = "mean", known_here or ("" if ";" in text[last : one.start] else mean)
            one.unit, last = mean, one.end
            for other in (
                found[n - 1],
                *(o for o in found[:n] if known_here and o.role in ("mean", "sd") and not o.unit),
            ):
                other.unit = mean
            for other, then in zip(found[: n - 1], found[1:n]):  # the mean at 12 weeks was 3.4
                other.role = "" if other.role == "mean" and then.role != "sd" else other.role
        elif one.role in ("low", "high"):
            one.unit = known if ranged and known else one.unit or known
            if one.role == "low" and _QUARTILES.search(text[: one.start]):
                one.role = "q1"
            elif one.role == "high" and found[n - 1].role == "q1":
                one.role = "q3"
        elif one.role == "difference":
            one.unit = one.unit or mean
        elif (
            one.unit in records.COUNTED
            and n
            and found[n - 1].role == "sd"
            and _IN.fullmatch(text[found[n - 1].end : one.start])
        ):
            one.role = "n"
        known = one.unit if one.unit and one.role != "ci-level" and not one.reason else known
    return found


def _link(found: list[_Guess], text: str) -> None:
    """Say of shares, parts and wholes which go together, with the unit of people where none is told."""
    shape, at = "", 0
    for g in found:
        shape, at = shape + text[at : g.start].replace("#", " ") + "#", g.end
    shape += text[at:]
    people = next((g.unit for g in found if g.unit in records.PEOPLE), records.PEOPLE[0])
    for pattern, parts in _SHARES:
        for match in re.finditer(pattern, shape):
            first = shape.count("#", 0, match.start())
            of = dict(zip(parts, found[first : first + len(parts)]))
            share, counts = of.pop("share", None), [*of.values()]
            told = {g.unit for g in counts} - {""}
            if (
                any(g.counts or g.unit not in ("", *records.COUNTED) or not _whole_number(g) for g in counts)
                or share
                and share.counts
                or len(told) > 1
                or share is None
                and not told
                and "/" in match[0]
                and _unit_after(shape[match.end() :])
            ):
                continue
            for g in counts:
                g.unit, g.reason, g.role = next(iter(told), people), "", ""
            for g in (*counts, *([share] if share else [])):
                g.counts = of


def _whole_number(figure: _Guess) -> int:
    """A count; 0 if it is none that can be read exactly."""
    value = Printed.parse(figure.printed).value if _reads(figure.printed) else None
    return int(value) if value and value.denominator == 1 else 0


def _reads(text: str) -> bool:
    try:
        return Printed.parse(text).value is not None
    except ValueError:
        return False


def _parted(group: list[_Guess], text: str) -> tuple[list[list[_Guess]], bool]:
    """A total apart from the counts behind it that add up to it, as in "246 patients: 124 and 122"; and if it is one.

    They may miss it by little, behind a bracket or colon by two of however few.
    """
    plain = len(group) > 2 and not any(g.counts or g.unit not in records.COUNTED for g in group)
    values = [_whole_number(g) for g in group] if plain else []
    for n, total in enumerate(values[:-2]):
        behind = re.search(r"[(\[:]", text[group[n].end : group[n + 1].start])
        missed = abs(sum(values[n + 1 :]) - total)
        if all(values[n:]) and missed <= max(total / NEARLY, 2 * bool(behind)) and max(values[n + 1 :]) < total:
            return [group[: n + 1], group[n + 1 :]], True
    return [group], False


def _goes_on(group: list[_Guess], figure: _Guess) -> bool:
    """Whether a figure belongs to the claim of those before it: what can be recomputed stands apart from what cannot."""
    if figure.counts or group[-1].counts:
        return figure.counts is group[-1].counts and figure.unit == group[-1].unit
    if figure.unit == "p":
        estimated = group[0].unit in records.RATIOS or any(g.role == "ci-low" for g in group)
        return estimated and "p" not in (g.unit for g in group)
    if figure.role == "n":
        return group[-1].role == "sd"
    if figure.role in _HEADS and {g.role for g in group} & _SPREADS:
        return False
    return figure.unit == group[-1].unit and (not figure.role or figure.role not in (g.role for g in group))


class _SoFar(NamedTuple):
    """What a text has said up to a sentence: the word for ``people``, whether this is its heading, lengths of time, of which one that comes again is
    taken to be the same, the sizes of groups with the figure that gives each, those that a share was of, and the shares: claim, part, whole.
    """

    people: str
    heading: bool
    times: set[tuple[str, str]]
    sizes: dict[int, str]
    wholes: set[int]
    shares: list[tuple[str, int, int]]


def _claims(prefix: str, first: int, par: int, start: int, text: str, so_far: _SoFar) -> tuple[list[dict], list[dict]]:
    """The drafts of the claims of a sentence, the ``first`` of that number, and the numerals in it that are no figures."""
    found, times = guesses(text), so_far.times
    for g in found:
        g.reason = g.reason or "duplicate" * so_far.heading
        g.unit = so_far.people if g.unit in records.PEOPLE else g.unit
        g.reason = "furniture" if g.role == "ci-level" and g.printed == "95" else g.reason
        if g.unit in records.DAYS and not (g.role or g.reason):
            g.reason = "duplicate" if (g.printed, g.unit) in times else ""
            times.add((g.printed, g.unit))
    groups: list[list[_Guess]] = [[]]
    for g in (g for g in found if not g.reason):
        if groups[-1] and not _goes_on(groups[-1], g):
            groups.append([])
        groups[-1].append(g)
    parted = [
        (part, n and added)
        for group in groups
        for parts, added in [_parted(group, text)]
        for n, part in enumerate(parts)
    ]
    groups = [group for group, _ in parted]
    for n, group in enumerate(groups):
        roles: set[str] = set()
        for g in group:
            unit = re.sub(r"[^a-z]+", "-", {"%": "percentage"}.get(g.unit, g.unit).lower()).strip("-")
            name = g.role or ("of" if g is g.counts.get("whole") else unit or "figure")
            g.role = next(r for r in (name, *(f"{name}-{n}" for n in range(2, 99))) if r not in roles)
            roles.add(g.role)
            g.ref = f"{prefix}-{first + n:02d}/{g.role}"
    edges = [0, *(group[0].end - len(group[0].printed) for group in groups[1:]), len(text)]
    made, shares, means = [], [], []
    for n, ((group, added), begins, ends) in enumerate(zip(parted, edges, edges[1:])):
        claim, roles = f"{prefix}-{first + n:02d}", {g.role for g in group}
        kind = next(
            (k for k, of in _KINDS if {g.unit for g in group} & set(of)), "characteristic" if group else "background"
        )
        aged = kind == "duration" and re.search(r"\bage[ds]?\b", text[max(0, begins - 30) : ends])
        kind = "estimate" if roles & {"mean", "ci-low"} else "characteristic" if aged else kind
        end = start + begins + len(text[begins:ends].rstrip(" \n(,;"))
        one = {"id": claim, "at": {"par": par, "start": start + begins, "end": end}, "kind": kind, "says": TODO}
        if group:
            one["figures"] = [{"printed": g.printed, "unit": g.unit or TODO, "role": g.role} for g in group]
        held = list(_held(group, so_far, {whole for claim, _, whole in so_far.shares if claim in shares}))
        for g in (g for g in group if g.unit in records.PEOPLE):
            so_far.sizes.setdefault(_whole_number(g), g.ref)
        if of := next((relation["of"] for relation in held if relation["kind"] == "percentage-of"), None):
            one["says"] = f"The count of {of[0].partition('/')[0]} as a share."
            shares.append(claim)
        elif roles >= {"mean", "sd"}:
            means.append(claim)
        if held:
            one["relations"] = held
        if added:
            total = groups[n - 1][-1]
            adds = {"kind": "sum-of", "role": total.role, "of": [g.ref for g in group]}
            made[-1].setdefault("relations", []).append(adds)
        compared = means if any(g.role == "difference" for g in group) else shares
        compared = compared if len(compared) == 2 else _compared(group, so_far)
        if kind in ("p-value", "estimate") and compared:
            one["rests_on"] = compared
        made.append(one)
    rest = [{"at": {"par": par, "start": start + g.start, "end": start + g.end}, "printed": text[g.start : g.end],
             "reason": g.reason} for g in found if g.reason]  # fmt: skip
    return made, rest


def _held(group: list[_Guess], so_far: _SoFar, beside: set[int]) -> Iterator[dict]:
    """The relations of a claim: of what a share is, to which group a whole is equal, what lies within a range or interval.

    ``beside``: the sizes of which the shares before it in its sentence were.
    """
    for n, g in enumerate(group):
        part, whole = g.counts.get("part"), g.counts.get("whole")
        if g is whole and _whole_number(g) in so_far.sizes:
            yield {"kind": "equals", "role": g.role, "of": [so_far.sizes[_whole_number(g)]]}
        elif g.unit == "%" and part and (size := _whole_number(whole) if whole else _tied(part, g, so_far, beside)):
            so_far.wholes.add(size)
            so_far.shares.append((g.ref.partition("/")[0], _whole_number(part), size))
            yield {
                "kind": "percentage-of",
                "role": g.role,
                "of": [part.ref, whole.ref if whole else so_far.sizes[size]],
            }
        pair = next((pair for pair in _ENDS if g.role == pair[0]), None)
        if n and g.unit and pair and pair[1] in (later.role for later in group[n:]) and group[n - 1].unit == g.unit:
            yield {
                "kind": "within",
                "role": group[n - 1].role,
                "of": [f"{g.ref.partition('/')[0]}/{role}" for role in pair],
            }


def _compared(group: list[_Guess], so_far: _SoFar) -> list[str]:
    """The claims of the only two shares of the text so far, of the last few, of which an estimate is the ratio or difference."""
    found = set()
    for g in (g for g in group if g.unit in _RATIO_OF and not g.role.startswith("ci-") and _reads(g.printed)):
        for (one, a, n), (two, b, m) in permutations(so_far.shares[-6:], 2):
            if b and a < n and Printed.parse(g.printed).prints(_RATIO_OF[g.unit](a, n, b, m)):
                found.add(tuple(sorted((one, two))))
    return list(min(found)) if len(found) == 1 else []


def _tied(count: _Guess, share: _Guess, so_far: _SoFar, beside: set[int]) -> int:
    """The size of the group of a count beside its share, as in "74 (35.9%)"; 0 if it cannot be told.

    It is the only one that gives that share. Where none does, it is of those that shares before it were of the only one
    that none ``beside`` it was of, else the only one, unless there is a group of about its size.
    """
    part, printed = _whole_number(count), Printed.parse(share.printed)
    fit = {size for size in so_far.sizes if size > part and any(count_prints(part, size, printed, r) for r in NEAREST)}
    alike = any(0 < abs(size - whole) <= whole / 5 for size in so_far.sizes for whole in beside)
    misprinted = (so_far.wholes - beside, so_far.wholes if not alike else set())
    for sizes in (fit, fit & so_far.wholes) if fit else misprinted:
        if len(sizes) == 1 and max(sizes) > part:
            return max(sizes)
    return 0


def draft(raw: bytes, slug: str, prefix: str, file: str) -> dict:
    """The draft of a record: a claim or more for each sentence, every numeral in one or among those that are no claims."""
    claims, rest, text, title = [], [], raw.decode("utf-8"), TODO
    people = max(records.PEOPLE, key=lambda word: len(re.findall(rf"\b{word}\b", text, re.IGNORECASE)))
    so_far = _SoFar(people, False, set(), {}, set(), [])
    for par, paragraph in enumerate(census.paragraphs(text), 1):
        for start, end in sentences(paragraph):
            heading = par == 1 and paragraph[end - 1] not in ".?!"
            made, others = _claims(
                prefix, len(claims) + 1, par, start, paragraph[start:end], so_far._replace(heading=heading)
            )
            compared = [c["id"] for c in claims if c["kind"] in ("estimate", "p-value")
                        and "mean" not in (f["role"] for f in c["figures"])]  # fmt: skip
            resting = compared or [c["id"] for c in claims if c["kind"] == "percentage"]
            if resting and _CONCLUDES.search(paragraph[:end]):
                for claim in made:
                    claim |= {"kind": "conclusion", "predicate": TODO, "rests_on": resting}
            elif made[0]["kind"] == "background" and _REPORTS.match(paragraph):
                made[0] |= {"kind": "finding", "predicate": TODO}
            if heading:
                title, made[0]["says"] = " ".join(paragraph.split()), "The title."
            claims += made
            rest += others
    source = {"slug": slug, "prefix": prefix, "file": file, **dict.fromkeys(("kind", "short"), TODO), "title": title,
              "authors": [{"family": TODO}], "container": TODO, "url": TODO, "rounding": "up_or_down", "unknown": ["year", "doi"]}  # fmt: skip
    return {"source": source, "text": census.fingerprint(raw), "claims": claims, "not_claims": rest}


def new(slug: str, prefix: str, path: Path) -> list[str]:
    """Begin the review of the text at ``path``; says what was written.

    Raises
    ------
    ValueError
        A name or prefix that cannot be, or is taken; a text that is not UTF-8 or holds no sentence.
    """
    taken = {records.record(s).source.prefix: s for s in records.slugs()}
    if not re.fullmatch(r"[a-z][a-z0-9-]*", slug) or not re.fullmatch("[A-Z]{3}", prefix):
        raise ValueError(f"{slug!r}, {prefix!r}: a name is lower-case words joined by hyphens, a prefix three capitals")
    if slug in taken.values() or prefix in taken or (ROOT / "chapters" / f"{slug}.md").exists():
        raise ValueError(f"{slug}, {prefix}: one of them is taken: the book has {', '.join(taken.values())}")
    try:
        raw = path.read_bytes()
        made = draft(raw, slug, prefix, path.name)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 at byte {error.start}: save it as UTF-8") from None
    if not made["claims"]:
        raise ValueError(f"{path}: no sentence in it")
    named = {"slug": slug, "prefix": prefix, "label": prefix.lower()}
    figures = (f"{c['id']}/{f['role']}" for c in made["claims"] for f in c.get("figures", ()))
    named["figure"] = next(figures, f"{prefix}-01")
    checkable = [c["id"] for c in made["claims"] if c["kind"] not in records.PLAIN]
    named["leave"] = "".join(f'    "{claim}": "TODO: what it would take to check it",\n' for claim in checkable)
    dumped = yaml.dump(made, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=150, default_flow_style=None)
    dumped = re.sub(rf"(?m)\b(says|predicate): {TODO}$", rf'\1: "{TODO}"', dumped)  # a sentence may hold a colon
    chapter = Template((TEMPLATES / "chapter.md").read_text("utf-8")).substitute(named)
    files = {
        f"seeds/{slug}.yml": (TEMPLATES / "record.yml").read_text("utf-8") + dumped,
        f"seeds/{slug}.csv": skeletons.text(raw.decode("utf-8")),
        f"chapters/{slug}.md": chapter,
        f"pages/evidence-{slug}.md": f"(evidence-{slug})=\n# Evidence: {TODO} the topic\n\n```{{evidence}} {slug}\n```\n",
        f"data/evidence/{slug}.csv": (TEMPLATES / "evidence.csv").read_text("utf-8"),
        "data/certainty.csv": _certainty(slug, "randomised" if _RANDOM.search(raw.decode("utf-8")) else "other"),
        "_toc.yml": _toc(slug),
    }
    for name, text in files.items():
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        write(ROOT / name, text)
    labels = re.findall(r"(?m)^\(([\w-]+)\)=", chapter + files[f"pages/evidence-{slug}.md"])
    REGISTRY.assign((label, "section") for label in labels)
    return list(files)


class _Dumper(yaml.SafeDumper):
    """Lists below their key are indented, as in the files written by hand."""

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)


def _certainty(slug: str, start: str) -> str:
    domains = [("start", start), *((d, "0") for d in LOWERED_FOR)]
    why = {"inconsistency": "One study: nothing to compare."}
    rows = "".join(
        f'{slug},main,"{TODO}: the outcome",{d},{step},"{why.get(d, f"{TODO}: why")}"\n' for d, step in domains
    )
    return (ROOT / "data" / "certainty.csv").read_text("utf-8") + rows


def _toc(slug: str) -> str:
    """The contents with the chapter in a part of its own, before the synthesis or the last part, and its evidence."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    parts = toc["parts"]
    last = [n for n, p in enumerate(parts) if any(c["file"].endswith(f"{LAST}.ipynb") for c in p["chapters"])]
    evidence = {"file": f"pages/evidence-{slug}"}
    home = [c for p in parts for c in p["chapters"] if c["file"] == "pages/evidence"]
    (home[0].setdefault("sections", []) if home else parts[-1]["chapters"]).append(evidence)
    own = {"caption": f"{TODO} the topic", "numbered": True, "chapters": [{"file": f"chapters/{slug}.ipynb"}]}
    parts.insert(last[0] if last else len(parts) - 1, own)
    return yaml.dump(toc, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def renumber(slug: str) -> dict[str, str]:
    """Number the claims of a record in the order in which they stand, there and wherever else they are named; what moved.

    Raises
    ------
    ValueError
        A number stands twice, or a claim has its tag: numbers that can be cited stay.
    """
    record = ROOT / "seeds" / f"{slug}.yml"
    text = record.read_text("utf-8")
    try:
        yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{record.name}: not readable as YAML: {' '.join(str(error).split())}") from None
    ids = re.findall(r"(?m)^ *- id: *['\"]?([A-Z]{3}-\d+)", text)
    if twice := {claim for claim in ids if ids.count(claim) > 1}:
        raise ValueError(f"{record.name}: {', '.join(sorted(twice))}: twice; give a new claim any other number")
    if tagged := {row["label"].upper() for row in REGISTRY.tags()} & set(ids):
        raise ValueError(
            f"{record.name}: {len(tagged)} claims have tags, {min(tagged)} first: their numbers are permanent"
        )
    moved = {old: new for n, old in enumerate(ids, 1) if (new := f"{old[:3]}-{n:02d}") != old}
    for path in (
        record,
        ROOT / "chapters" / f"{slug}.md",
        ROOT / "data" / "appraisal.csv",
        ROOT / "tests" / "answers.csv",
    ):
        if moved and path.is_file():
            write(path, re.sub(r"\b[A-Z]{3}-\d+\b", lambda m: moved.get(m[0], m[0]), path.read_text("utf-8")))
    return moved


def locate(path: Path, phrases: Iterable[str]) -> dict[str, list[str]]:
    """Where each phrase stands in a text, as locators to paste."""
    found: dict[str, list[str]] = {phrase: [] for phrase in phrases}
    for par, paragraph in enumerate(census.paragraphs(path.read_text("utf-8")), 1):
        for phrase, places in found.items():
            pattern = r"\s+".join(map(re.escape, phrase.split()))
            places += [
                f"at: {{par: {par}, start: {m.start()}, end: {m.end()}}}" for m in re.finditer(pattern, paragraph)
            ]
    return found


def meanings() -> dict[str, str]:
    """What each field of a record means and how it is filled, by model and field."""
    with (TEMPLATES / "how.csv").open(encoding="utf-8", newline="") as file:
        return {row["field"]: row["meaning"] for row in csv.DictReader(file)}


def odd_units(record: records.Record) -> list[str]:
    """Units that would be read as something else than they say: people that are not counted, and ratios of other names."""
    found = []
    for claim, unit in ((c, f.unit) for c in record.claims for f in c.figures):
        place = f"{record.source.slug}.yml: {claim.id}: {unit!r}"
        if unit in _PEOPLE and unit not in records.COUNTED:
            how = f"write {records.PEOPLE[0]}, or add the word to its first line"
            found.append(f"{place} is not in data/counted.txt, and so no exact count: {how}")
        elif re.search(r"\b(?:ratio|risk|odds)$", unit) and unit not in records.RATIOS:
            found.append(f"{place} would be checked as a difference: write one of {', '.join(records.RATIOS)}")
    return found


def left() -> list[str]:
    """What is still to do in records, chapters, tables and contents: a line for each kind of thing, with its first place.

    Where nothing is, what of the claims is not yet in the registry.
    """
    how, found = meanings(), []
    files = [
        p
        for of in ("seeds/*.yml", "chapters/*.md", "pages/evidence-*.md", "data/certainty.csv", "_toc.yml")
        for p in sorted(ROOT.glob(of))
    ]
    for path in files:
        lines = enumerate(path.read_text("utf-8").splitlines(), 1)
        todo = [(_what(line, path), n) for n, line in lines if TODO in line]
        for what in dict.fromkeys(what for what, _ in todo):
            places = [n for of, n in todo if of == what]
            more = f" and {len(places) - 1} more" if len(places) > 1 else ""
            found.append(f"{path.relative_to(ROOT).as_posix()}:{places[0]}{more}: {TODO}: {how.get(what, what)}")
    return found or _unentered()


def _what(line: str, path: Path) -> str:
    """What a line wants: the field of a record or table, else the words after it."""
    field = re.search(rf"(\w+): \[?['\"]?{TODO}", line)
    if path.suffix == ".csv":
        return path.name
    if path.suffix == ".yml" and field:
        of = {"caption": "toc", "says": "claim", "predicate": "claim", "unit": "figure"}.get(field[1], "source")
        return f"{of}.{field[1]}"
    return line.partition(TODO)[2].strip(' :",?')


def _unentered() -> list[str]:
    """Claims of executed chapters that are new to the registry: without a tag, or never accepted."""
    claims = [row["id"] for row in executed.ledger()]
    known = {"tags": {row["label"].upper() for row in REGISTRY.tags()}, "verdicts --accept": set(accepted.before())}
    new = {step: [claim for claim in claims if claim not in of] for step, of in known.items()}
    return [f"{len(of)} new claims, {of[0]} first: run `python3 -m lib {step}`" for step, of in new.items() if of]
