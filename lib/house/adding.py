"""A review begun: the draft of its record, a chapter with all its parts, and what is left to do of both.

Of the text only its fingerprint, places and figures are written down; every sentence is ours to say, and ``TODO`` until
it is said.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
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
_SENTENCE = re.compile(
    r"\S.*?(?:(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\bcf)(?<!\bet al)[.?!][)\"”]*(?=\s+[^a-z\s])|\Z)", re.DOTALL
)

_PEOPLE = "adults cases children controls individuals infants men people persons subjects volunteers women".split()
_PLURALS = dict.fromkeys(_PEOPLE, records.PEOPLE[0]) | {w: u for u in records.COUNTED for w in (u, singular(u))}
# Units, by what stands after a numeral or before it; the first that fits is taken.
_AFTER = (
    ("%", r"\s?(?:%|per ?cent\b)"),
    ("years", r"\s?yrs?\b"),
    ("percentage points", r" percentage points?\b"),
    ("parts", r":[1-9]\b"),
    ("{0}s", r"[ -]?(day|week|month|year|hour|minute|second)s?\b"),
    ("{0}/day", r"\s?(mg|µg|g|MU)(?:/d(?:ay)?| daily| a day| per day)\b"),
    ("{0} per {1}", r"\s?(times) (?:per|a|each) (day|week|month|year)\b"),
    ("{0}", r"\s?((?:mg|µg|mcg|g|kg|ml|MU|IU|U|million units)(?:/(?:m2|\w+))*)\b"),
    ("{0}s", r" (point|degree|cycle)s?\b"),
    ("{0}", rf"(?:\s+[a-z-]+){{0,2}}?\s+({'|'.join(sorted(_PLURALS, reverse=True))})\b"),
)
_BEFORE = (
    ("p", r"\bp(?:[ -]value)?\s*(?:of|was|[=<>≤≥:])?\s*$"),
    ("hazard ratio", r"\b(?:HR|hazard ratio)\b[^.;\d]{0,40}$"),
    ("odds ratio", r"\b(?:OR|odds ratio)\b[^.;\d]{0,40}$"),
    ("ratio", r"\b(?:RR|relative risk|(?:risk|rate) ratio)\b(?: of| was)?[\s:=,(\]]*$"),
    (records.PEOPLE[0], r"\bn\s*=\s*$"),
    ("{0}s", r"\b(day|week|month|year|cycle)\s$"),
    ("parts", r"\b[1-9]:$"),
    ("points", r"\bscores?\b[^.;%(]{0,40}$"),
)
_ROLES = (("ci-level", r"\A\s?% (?:CI\b|confidence interval)"), ("power", r"\bpower(?: of)?\s$"), ("difference", r"\bdifference\b[^.;\d]{0,30}$"), ("median", r"\bmedian\b[^.;(\[]{0,40}$"),
          ("mean", r"\bmean\b[^.;(\[]{0,60}$"), ("sd", r"(?:\bSD\b|standard deviation|±)[\s=:]*$"))  # fmt: skip
_TO = re.compile(r"\s?(?:%|(?P<unit>\w+))?\s?(?:-|–|to|and|,)\s?[-−–]?")
_OF = re.compile(r"(?:\s+[a-z-]+){0,2}\s*(?:/|of|out of)(?: the| all)?\s+|/")
_IN = re.compile(r"\W*(?:in|of|for|among)(?: the| all)?\s+")
_ORDER = {"first", "second", "fourth"}
"""Words that put things in an order; a third may be a share."""
_CONCLUDES = re.compile(r"\b(?:conclusions?|conclude[sd]?|interpretation)\b", re.IGNORECASE)
_REPORTS = re.compile(r"(?:results?|findings)\b", re.IGNORECASE)
_ENDS = (("low", "high"), ("ci-low", "ci-high"))
_KINDS = (("estimate", records.RATIOS), ("percentage", {"%"}), ("p-value", {"p"}), ("duration", records.DAYS),
          ("count", records.COUNTED))  # fmt: skip


def sentences(paragraph: str) -> Iterator[tuple[int, int]]:
    """Where each sentence of a paragraph begins and ends."""
    return (m.span() for m in _SENTENCE.finditer(paragraph))


class _Guess:
    """A numeral of a sentence and what it may be: a figure with unit and role, or none for a ``reason``."""

    def __init__(self, start: int, end: int, text: str):
        self.start, self.end = start, end
        before, after = text[:start], text[end:]
        sign = skeletons.SIGN.search(before)
        self.printed = (sign[0] if sign else "") + text[start:end]
        unsigned = before[: sign.start()] if sign else before
        self.unit = _unit_after(after) or next(
            (u.format(*m.groups()) for u, p in _BEFORE if (m := re.search(p, unsigned))), ""
        )
        self.role = next((r for r, p in _ROLES if re.search(p, after if p[:2] == r"\A" else before)), "")
        word = text[start:end].isalpha()
        order = word and (text[start:end].lower() in _ORDER or not _reads(text[start:end]))
        touches = re.search(r"[^\W\d_]$", before) or re.search(r"[^\W\d_]-$", before) and not self.unit
        self.reason = ("citation" if re.search(r"(?:doi|https?:|10\.\d{4,}/)\S*$", before) or after[:1] == "/" and text[start:end].startswith("10.")
                       else "identifier" if touches else "grammar" if order else "date" if re.fullmatch(r"(?:19|20)\d\d", text[start:end]) and not self.unit
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
        elif _OF.fullmatch(between) and two.unit in records.COUNTED:
            one.unit, one.reason = one.unit or two.unit, ""
    people = next((g.unit for g in found if g.unit in records.PEOPLE), "")
    for one in found:  # of 246 patients 124 had the drug, and 201 (82%) were women
        share = re.match(r"\s?\(\d+(?:\.\d+)?\s?%", text[one.end :])
        spread = re.match(r"\W*(?:SD|±)", text[one.end :])
        if not (one.unit or one.role or one.reason or spread) and one.printed.isalnum() and (share or people):
            one.unit = people or records.PEOPLE[0]
    known, mean, ranged, last = "", "", False, 0
    for n, one in enumerate(found):  # an interval is in the unit of its estimate, a range in that of its middle
        level = next((k for k in range(max(0, n - 2), n) if found[k].role == "ci-level"), 0)
        ranged = one.role == "low" and bool(re.search(r"range\W*$", text[: one.start])) or one.role == "high" and ranged
        if level and one.role in ("low", "high"):
            of = next((g for g in reversed(found[:level]) if not g.reason), found[level - 1])
            one.unit, one.role = of.unit, f"ci-{one.role}"
        elif one.role == "sd" and n:
            aside = re.match(r"[)\]]( [a-z/]+)", text[one.end :])  # 76.8 (SD 5.4) years
            known_here = found[n - 1].unit or one.unit or (_unit_after(aside[1]) if aside else "")
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


def _reads(text: str) -> bool:
    try:
        return Printed.parse(text).value is not None
    except ValueError:
        return False


def _parted(group: list[_Guess]) -> list[list[_Guess]]:
    """A total apart from the counts that add up to it, as in "246 patients: 124 and 122"."""
    counts = len(group) > 2 and group[0].unit in records.COUNTED and all(_reads(g.printed) for g in group)
    values = [Printed.parse(g.printed).value for g in group] if counts else []
    return [group[:1], group[1:]] if values and values[0] == sum(values[1:]) else [group]


def _goes_on(group: list[_Guess], figure: _Guess) -> bool:
    """Whether a figure belongs to the claim of those before it: what can be recomputed stands apart from what cannot."""
    if figure.unit == "p":
        estimated = group[0].unit in records.RATIOS or any(g.role == "ci-low" for g in group)
        return estimated and "p" not in (g.unit for g in group)
    if figure.role == "n":
        return group[-1].role == "sd"
    return figure.unit == group[-1].unit and (not figure.role or figure.role not in (g.role for g in group))


class _SoFar(NamedTuple):
    """What a text has said up to a sentence: the word for ``people``, lengths of time, of which one that comes again is
    taken to be the same, the sizes of groups with the figure that gives each, and those that a share was of.
    """

    people: str
    times: set[tuple[str, str]]
    sizes: dict[int, str]
    wholes: set[int]


def _claims(prefix: str, first: int, par: int, start: int, text: str, so_far: _SoFar) -> tuple[list[dict], list[dict]]:
    """The drafts of the claims of a sentence, the ``first`` of that number, and the numerals in it that are no figures."""
    found, times = guesses(text), so_far.times
    for g in found:
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
    groups = [part for group in groups for part in _parted(group)]
    edges = [0, *(group[0].end - len(group[0].printed) for group in groups[1:]), len(text)]
    made, shares, means = [], [], []
    for n, (group, begins, ends) in enumerate(zip(groups, edges, edges[1:])):
        claim, roles = f"{prefix}-{first + n:02d}", set()
        for before, g in zip([None, *group], group):
            unit = re.sub(r"[^a-z]+", "-", {"%": "percentage"}.get(g.unit, g.unit).lower()).strip("-")
            whole = before and g.unit in records.COUNTED and _OF.fullmatch(text[before.end : g.start])
            name = g.role or ("of" if whole else unit or "figure")
            g.role = next(r for r in (name, *(f"{name}-{n}" for n in range(2, 99))) if r not in roles)
            roles.add(g.role)
        kind = next(
            (k for k, of in _KINDS if {g.unit for g in group} & set(of)), "characteristic" if group else "background"
        )
        aged = kind == "duration" and re.search(r"\bage[ds]?\b", text[begins:ends])
        kind = "estimate" if roles & {"mean", "ci-low"} else "characteristic" if aged else kind
        end = start + begins + len(text[begins:ends].rstrip(" \n(,;"))
        one = {"id": claim, "at": {"par": par, "start": start + begins, "end": end}, "kind": kind, "says": TODO}
        if group:
            one["figures"] = [{"printed": g.printed, "unit": g.unit or TODO, "role": g.role} for g in group]
        counted = {f"{claim}/{g.role}": _whole_number(g) for g in group if g.unit in records.PEOPLE}
        for ref, size in counted.items():
            so_far.sizes.setdefault(size, ref)
        held: list[dict] = []
        share = n and group[0].unit == "%"
        if share and (of := _stated(groups[n - 1], group[0], text)):
            so_far.wholes.add(_whole_number(of[1]))
            of = [f"{made[-1]['id']}/{g.role}" for g in of]
        elif share and (size := _tied(groups[n - 1][-1], group[0], text, so_far)):
            so_far.wholes.add(size)
            of = [f"{made[-1]['id']}/{groups[n - 1][-1].role}", so_far.sizes[size]]
        if share and of:
            held.append({"kind": "percentage-of", "role": group[0].role, "of": of})
            one["says"] = "Their share."
            shares.append(claim)
        elif roles >= {"mean", "sd"}:
            means.append(claim)
        for pair in _ENDS:
            bounds = [g for g in group if g.role in pair]
            inner = [g.role for g in group if g.role not in pair and {g.unit} == {b.unit for b in bounds}]
            if len(bounds) == 2 and inner:
                held.append({"kind": "within", "role": inner[0], "of": [f"{claim}/{role}" for role in pair]})
        if held:
            one["relations"] = held
        compared = means if any(g.role == "difference" for g in group) else shares
        if kind in ("p-value", "estimate") and len(compared) == 2:
            one["rests_on"] = compared
        made.append(one)
    rest = [{"at": {"par": par, "start": start + g.start, "end": start + g.end}, "printed": text[g.start : g.end],
             "reason": g.reason} for g in found if g.reason]  # fmt: skip
    return made, rest


def _stated(counts: list[_Guess], share: _Guess, text: str) -> list[_Guess]:
    """The part and the whole that stand before a share, as in "9 of 12 patients (75%)"; empty where none do."""
    part, whole = counts[-2:] if len(counts) > 1 else (None, None)
    stated = part and whole.unit in ("", *records.COUNTED) and part.unit == whole.unit and share.start - whole.end < 30
    stated = stated and _OF.fullmatch(text[part.end : whole.start]) and _reads(whole.printed)
    return [part, whole] if stated and Printed.parse(whole.printed).value else []


def _whole_number(figure: _Guess) -> int:
    """A count; 0 if it is none that can be read exactly."""
    value = Printed.parse(figure.printed).value if _reads(figure.printed) else None
    return int(value) if value and value.denominator == 1 else 0


def _tied(count: _Guess, share: _Guess, text: str, so_far: _SoFar) -> int:
    """The size of the group of a count with its share behind it, as in "74 (35.9%)": the only one that gives that share,
    else the only one that shares before it were of; 0 if there is none.
    """
    part, printed = _whole_number(count), Printed.parse(share.printed)
    if (
        not part
        or count.unit not in records.COUNTED
        or not re.fullmatch(r"(?: [a-z]+)?\s?[(\[]", text[count.end : share.start])
    ):
        return 0
    fit = {size for size in so_far.sizes if size > part and any(count_prints(part, size, printed, r) for r in NEAREST)}
    for sizes in (fit, fit & so_far.wholes, set() if fit else so_far.wholes):
        if len(sizes) == 1 and max(sizes) > part:
            return max(sizes)
    return 0


def draft(raw: bytes, slug: str, prefix: str, file: str) -> dict:
    """The draft of a record: a claim or more for each sentence, every numeral in one or among those that are no claims."""
    claims, rest, text, title = [], [], raw.decode("utf-8"), TODO
    people = max(records.PEOPLE, key=lambda word: len(re.findall(rf"\b{word}\b", text, re.IGNORECASE)))
    so_far = _SoFar(people, set(), {}, set())
    for par, paragraph in enumerate(census.paragraphs(text), 1):
        for start, end in sentences(paragraph):
            made, others = _claims(prefix, len(claims) + 1, par, start, paragraph[start:end], so_far)
            compared = [c["id"] for c in claims if c["kind"] in ("estimate", "p-value")
                        and "mean" not in (f["role"] for f in c["figures"])]  # fmt: skip
            resting = compared or [c["id"] for c in claims if c["kind"] == "percentage"]
            if resting and _CONCLUDES.search(paragraph[:end]):
                for claim in made:
                    claim |= {"kind": "conclusion", "predicate": TODO, "rests_on": resting}
            elif made[0]["kind"] == "background" and _REPORTS.match(paragraph):
                made[0] |= {"kind": "finding", "predicate": TODO}
            if par == 1 and paragraph[end - 1] not in ".?!":
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
    chapter = Template((TEMPLATES / "chapter.md").read_text("utf-8")).substitute(named)
    files = {
        f"seeds/{slug}.yml": (TEMPLATES / "record.yml").read_text("utf-8") + dumped,
        f"seeds/{slug}.csv": skeletons.text(raw.decode("utf-8")),
        f"chapters/{slug}.md": chapter,
        f"pages/evidence-{slug}.md": f"(evidence-{slug})=\n# Evidence: {TODO} the topic\n\n```{{evidence}} {slug}\n```\n",
        f"data/evidence/{slug}.csv": (TEMPLATES / "evidence.csv").read_text("utf-8"),
        "data/certainty.csv": _certainty(slug),
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


def _certainty(slug: str) -> str:
    domains = [("start", "other"), *((d, "0") for d in LOWERED_FOR)]
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
    field = re.search(rf"(\w+): \[?'?{TODO}", line)
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
