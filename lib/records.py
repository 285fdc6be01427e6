"""Records of the sources: what was reported, and where it stands.

A record (``seeds/<slug>.yml``) holds a source's citation, the fingerprint of its text, its claims and the numerals that
are no claims. It never holds the text itself and never knows a verdict. Records are data: nothing in them is executed.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cached_property, lru_cache
from keyword import iskeyword
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from lib import ROOT
from lib.words import RATIOS, with_unit
from whichdata.printed import ROUNDINGS, Printed

SEEDS = ROOT / "seeds"

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][\w-]*$")]
"""The key of a work in ``data/references.bib``, or the slug of a source."""
FIGURE_KINDS = ("count", "percentage", "estimate", "p-value", "duration", "dose", "threshold", "characteristic")
"""Kinds of claims about the source's own figures."""
ARGUED = ("finding", "conclusion")
"""Kinds that draw something from figures: they have a predicate in words, and rest on other claims of their source (a
finding may rest on nothing that its source gives)."""
PLAIN = ("background", "citation", "definition", "date", "opinion", "account")
"""Kinds with nothing to check: what others found, what words mean, when it was, what somebody thinks or lived through."""
PERSONAL = ("opinion", "account")
"""Kinds that no later evidence is held against."""
Kind = Literal[(*FIGURE_KINDS, *ARGUED, *PLAIN)]
Reason = Literal["identifier", "citation", "date", "furniture", "duplicate", "grammar"]
RelationKind = Literal[
    "sum-of", "part-of", "percentage-of", "within", "same-patients", "same-clock", "later-than", "equals", "at-least",
]  # fmt: skip
DAYS = {"days": Fraction(1), "weeks": Fraction(7), "months": Fraction(1461, 48), "years": Fraction(1461, 4)}
"""Units of time in days, a year being 365.25 of them: figures in different ones can be compared."""
PEOPLE, _THINGS = (line.split() for line in (ROOT / "data" / "counted.txt").read_text("utf-8").splitlines())
COUNTED = frozenset([*PEOPLE, *_THINGS])
"""Units of what is counted, people and things, a matter of the book's topic: a printed whole number was not rounded."""
CHANGES = frozenset("change decrease difference gain increase rise".split())
"""Words in the role of a percentage that is no share of a whole."""


class SourceError(ValueError):
    """A record that cannot be used; the message is one line a figure."""


class Strict(BaseModel):
    """A field that is not known here is refused, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Locator(Strict):
    """Characters ``start`` to ``end`` (exclusive) of paragraph ``par``; paragraphs count from 1."""

    par: int = Field(ge=1)
    start: int = Field(ge=0)
    end: int = Field(ge=1)

    @model_validator(mode="after")
    def forwards(self):
        if self.end <= self.start:
            raise ValueError(f"start {self.start} must be before end {self.end}")
        return self

    def __str__(self):
        return f"paragraph {self.par}, characters {self.start}–{self.end}"


class Figure(Strict):
    """One reported number: the string as printed, its unit and the part it plays in its claim."""

    printed: Text
    unit: Text
    role: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")]

    @model_validator(mode="after")
    def readable(self):
        if Printed.parse(self.printed).relation == "ns" and self.unit != "p":
            raise ValueError(f"{self.printed!r} is said of a p value; its unit is p, not {self.unit}")
        if iskeyword(self.role):
            raise ValueError(f"role {self.role!r} is a word of Python, and cannot be named in a call; choose another")
        return self

    @cached_property
    def value(self) -> Printed:
        return Printed.parse(self.printed)

    @property
    def is_share(self) -> bool:
        """A percentage of a whole: any but one whose role names it a change or a difference (which may pass 100)."""
        return self.unit == "%" and not CHANGES & set(self.role.split("-"))

    @property
    def impossible(self) -> str | None:
        """Why no data at all could print this figure; None if some could. What a source prints may be impossible."""
        value = self.value.value
        if value is None:
            return None
        if self.is_share and not 0 <= value <= 100:
            return f"a share lies from 0 to 100% (a change may pass it: its role says {', '.join(sorted(CHANGES))})"
        if self.unit == "p" and not 0 <= value <= 1:
            return "a p value lies from 0 to 1"
        if value < 0 and (self.unit in COUNTED or self.unit in DAYS or self.unit in RATIOS):
            return f"{self.unit} are never negative" if self.unit not in RATIOS else "a ratio is never negative"
        return None


class Relation(Strict):
    """What must hold between this claim's figure ``role`` and the figures named in ``of`` (``CML-07`` or
    ``CML-07/role``). One that fails is a fault of the record, or a finding about the source: ``finding`` then says which.
    """

    kind: RelationKind
    role: str | None = None
    of: list[str] = Field(min_length=1)
    finding: Text | None = None


class Claim(Strict):
    id: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}-[0-9]{2,3}$")]
    at: Locator
    kind: Kind
    says: Text
    figures: list[Figure] = []
    relations: list[Relation] = []
    rests_on: list[str] = []
    predicate: Text | None = None
    readings: dict[str, Text] = {}

    @model_validator(mode="after")
    def argued(self):
        if (self.kind in ARGUED) != (self.predicate is not None):
            wanted = "say under predicate what would have to hold"
            if self.kind not in ARGUED:
                wanted = "only findings and conclusions have a predicate"
            raise ValueError(f"{self.kind}: {wanted}")
        if self.kind == "conclusion" and not self.rests_on:
            raise ValueError("a conclusion rests on other claims; name them under rests_on")
        return self

    @model_validator(mode="after")
    def distinct_roles(self):
        roles = [f.role for f in self.figures]
        twice = {r for r in roles if roles.count(r) > 1}
        if twice:
            raise ValueError(f"roles must differ within a claim; twice: {', '.join(sorted(twice))}")
        return self

    def figure(self, role: str) -> Figure:
        """The figure that plays ``role``; SourceError if there is none."""
        for figure in self.figures:
            if figure.role == role:
                return figure
        roles = ", ".join(f.role for f in self.figures) or "none"
        raise SourceError(f"{self.id} has no figure {role!r}; it has {roles}")

    def __getitem__(self, role: str) -> Printed:
        return self.figure(role).value

    @property
    def reported(self) -> str:
        """The claim's figures as printed, with units, for a table."""
        return "; ".join(with_unit(f.printed, f.unit) for f in self.figures)


class Author(Strict):
    """A person, of whom no more may be known than the family name, or a group; "et al." stands for those not known."""

    family: Text | None = None
    given: Text | None = None
    group: Text | None = None

    @model_validator(mode="after")
    def person_or_group(self):
        if bool(self.family) == bool(self.group) or (self.given and not self.family):
            raise ValueError("an author is a person (family, and given where it is known) or a group")
        return self

    @property
    def csl(self) -> dict[str, str]:
        known = {"family": self.family, "given": self.given, "literal": self.group}
        return {k: v for k, v in known.items() if v}

    def __str__(self):
        initials = "".join(name[0] for name in re.split(r"[\s-]+", self.given or "") if name)
        return self.group or f"{self.family} {initials}".rstrip()


class NotClaim(Strict):
    """A numeral that is no reported figure, and why."""

    at: Locator
    printed: Text
    reason: Reason


class Citation(Strict):
    """Who said it and where. ``unknown`` names the fields that could not be established.

    ``short`` names the source in a row of a table. ``begins`` is as much of an unknown title as its address spells. ``discusses`` and ``fuller_report`` are keys of
    ``data/references.bib``: the work that the text is about, and a fuller report of the same study that was not
    reviewed; a source whose own full text was not read names itself there.
    """

    slug: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")]
    prefix: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    file: Text
    kind: Text
    short: Text | None = None
    title: Text | None = None
    begins: Annotated[str, StringConstraints(pattern=r"^\S.{0,78}…$")] | None = None
    discusses: Key | None = None
    fuller_report: Key | None = None
    authors: list[Author] = []
    container: Text | None = None
    year: int | None = None
    volume: Text | None = None
    issue: Text | None = None
    pages: Text | None = None
    doi: Text | None = None
    url: Text | None = None
    read_in: list[Text] = []
    rounding: Literal[ROUNDINGS]
    unknown: list[Text] = []
    note: Text | None = None

    @model_validator(mode="after")
    def titled_once(self):
        if self.title and self.begins:
            raise ValueError("begins: the title is known; give one of the two")
        return self

    @property
    def not_known(self) -> str:
        """What could not be established, as a reader calls it; "" if nothing."""
        names = {"doi": "DOI", "url": "URL"} | ({"title": "the rest of the title"} if self.begins else {})
        return ", ".join(names.get(u, u) for u in self.unknown)


class Fingerprint(Strict):
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    bytes: int = Field(gt=0)
    paragraphs: list[Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}$")]]


class Record(Strict):
    source: Citation
    text: Fingerprint
    claims: list[Claim] = Field(min_length=1)
    not_claims: list[NotClaim] = []

    @cached_property
    def by_id(self) -> dict[str, Claim]:
        return {c.id: c for c in self.claims}

    def __getitem__(self, claim_id: str) -> Claim:
        try:
            return self.by_id[claim_id]
        except KeyError:
            raise SourceError(
                f"{self.source.slug} has no claim {claim_id}; it has {self.claims[0].id} to {self.claims[-1].id}"
            ) from None

    def figure(self, ref: str) -> Printed:
        """The figure named ``CML-07/role``, or the only one of ``CML-07``."""
        return self.entry(ref).value

    def entry(self, ref: str) -> Figure:
        claim_id, _, role = ref.partition("/")
        claim = self[claim_id]
        if role:
            return claim.figure(role)
        if len(claim.figures) != 1:
            raise SourceError(f"{ref} has {len(claim.figures)} figures: name one as {claim_id}/role")
        return claim.figures[0]

    def counts(self, ref: str) -> tuple[int, int]:
        """The part and the whole of the share ``CML-37``, or ``CML-37/percentage``, as its claim relates them."""
        share, claim = self.entry(ref), self[ref.partition("/")[0]]
        for relation in claim.relations:
            if relation.kind == "percentage-of" and (relation.role or claim.figures[0].role) == share.role:
                part, whole = (int(self.figure(of).value) for of in relation.of)
                return part, whole
        raise SourceError(
            f"{ref}: state what it is a share of, as a relation: {{kind: percentage-of, role: {share.role}, of: [part, whole]}}"
        )

    def _check(self, claim: Claim, relation: Relation) -> None:
        """SourceError if a relation names what is not there, or figures that cannot be compared."""
        for ref in relation.of:
            claim_id, _, role = ref.partition("/")
            other = self[claim_id]
            if role:
                other.figure(role)
        if relation.kind in ("same-patients", "same-clock"):
            return
        needs = {"percentage-of": "a part and a whole", "within": "a lower and an upper figure"}.get(relation.kind)
        if needs and len(relation.of) != 2:
            raise SourceError(f"of: {relation.kind} takes {needs}, not {len(relation.of)} figures")
        if relation.kind == "percentage-of":
            part, whole = (self.entry(ref) for ref in relation.of)
            if any(f.value.relation != "=" for f in (part, whole)):
                raise SourceError(f"of: {part.printed} of {whole.printed}: a part and a whole are numbers, not bounds")
            if not whole.value.value:
                raise SourceError(f"of: {relation.of[1]} is {whole.printed}, an empty group; give the group's size")
        units = [self.entry(f"{claim.id}/{relation.role}" if relation.role else claim.id).unit]
        units += [self.entry(ref).unit for ref in relation.of]
        if relation.kind == "percentage-of" and units.pop(0) != "%":
            raise SourceError("role: percentage-of is stated of a figure in %")
        if len(set(units)) > 1 and not DAYS.keys() >= set(units):
            raise SourceError(f"of: units {', '.join(units)} cannot be compared")

    @model_validator(mode="after")
    def consistent(self):
        seen: set[str] = set()
        for claim in self.claims:
            if claim.id in seen:
                raise ValueError(f"{claim.id}: claim id stands twice; ids are permanent and unique")
            seen.add(claim.id)
            if not claim.id.startswith(self.source.prefix + "-"):
                raise ValueError(f"{claim.id}: id must begin with {self.source.prefix}-, the prefix of its source")
        for claim in self.claims:
            for other in claim.rests_on:
                if other not in seen:
                    raise ValueError(f"{claim.id}.rests_on: no claim {other}; name one of this record")
                if other == claim.id:
                    raise ValueError(f"{claim.id}.rests_on: a claim does not rest on itself; name the others")
            for n, relation in enumerate(claim.relations):
                try:
                    self._check(claim, relation)
                except SourceError as error:
                    raise ValueError(f"{claim.id}.relations[{n}]: {error}") from None
        return self


class _NoDuplicates(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Safe YAML in which a key that stands twice is an error instead of the last one winning."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(k, deep=True) for k, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


_WHAT_TO_DO = {
    "extra_forbidden": "; remove it or correct its name",
    "missing": ": add it",
    "string_type": "; put it in quotes, as printed",
}


def load(path: Path) -> Record:
    """The record at ``path``.

    Raises
    ------
    SourceError
        One line per fault: file, claim id, field, what was expected.
    """
    try:
        data = yaml.load(path.read_text("utf-8"), Loader=_NoDuplicates)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise SourceError(f"{path.name}: not readable as YAML: {' '.join(str(error).split())}") from None
    try:
        found = Record.model_validate(data)
    except ValidationError as error:
        lines = []
        for fault in error.errors():
            where = list(fault["loc"])
            if len(where) > 1 and where[0] == "claims" and isinstance(where[1], int):
                entry = data["claims"][where[1]]
                where[:2] = [
                    entry.get("id", f"claims[{where[1]}]") if isinstance(entry, dict) else f"claims[{where[1]}]"
                ]
            role = _role_at(data, fault["loc"])
            named = ".".join(map(str, where)) + (f" ({role})" if role else "")
            said = " ".join(fault["msg"].removeprefix("Value error, ").split()) + _WHAT_TO_DO.get(fault["type"], "")
            if not named and fault["type"] != "value_error":  # those of the whole record name their claim themselves
                named = "record"
            lines.append(": ".join(filter(None, [path.name, named, said])))
        raise SourceError("\n".join(lines)) from None
    if found.source.slug != path.stem:
        raise SourceError(f"{path.name}: source.slug: {found.source.slug} is not the file's name; give both the same")
    return found


def _role_at(data, place: tuple) -> str | None:
    """The role of the figure in which a fault stands, to name it by."""
    if len(place) < 4 or place[2] != "figures":
        return None
    figure = data["claims"][place[1]]["figures"][place[3]]
    return figure.get("role") if isinstance(figure, dict) and isinstance(figure.get("role"), str) else None


def record(slug: str) -> Record:
    """The record of the source ``slug``, read once for each state of its file."""
    path = SEEDS / f"{slug}.yml"
    if not path.is_file():
        raise SourceError(f"no record seeds/{slug}.yml; there are {', '.join(slugs())}")
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _read(path: Path, changed: int) -> Record:
    return load(path)


def slugs() -> list[str]:
    """All sources, in the order of their text files."""
    return sorted((p.stem for p in SEEDS.glob("*.yml")), key=lambda s: record(s).source.file)
