"""Roles that name nothing, cells that cannot run and records that cannot be read, a line each with its place, before a kernel starts."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

import jupytext
from IPython.core.inputtransformer2 import TransformerManager

from lib import ROOT, records
from lib.house import execute, executed, prose
from lib.house.parts import REGISTRY
from lib.house.typed import fenced
from lib.review import Review
from lib.verdicts import LATER, MARKS

WORK = 15
"""The most lines of a cell with several statements."""
JUDGING = ("judge", "restate", "leave", "test", "conclude")
"""What a chapter asks its review about a claim."""
_ROLE = re.compile(r"\{([a-z:-]+)\}`([^`]+)`")
_TIME = re.compile(rf"\b({'|'.join(unit[:-1] for unit in records.DAYS)})s?\b")
_CLAIM = re.compile(r"(?P<file>[\w-]+\.yml): (?P<claim>[A-Z]{3}-\d+)")


def _claim(text: str) -> None:
    prose.record(prose.slug_of(text.partition("/")[0]))[text.partition("/")[0]]


def _known(words: Callable, what: str) -> Callable:
    def check(text: str) -> None:
        word = re.sub(r".*<(.*)>", r"\1", text)
        if word not in words():
            raise ValueError(f"no {what} {word}: {_near(word, words())}")

    return check


def _near(word: str, words) -> str:
    return ", ".join(get_close_matches(word, words, n=3)) or "nothing of a like name"


def _works() -> list[str]:
    bib = (ROOT / "data" / "references.bib").read_text("utf-8")
    return [*re.findall(r"(?m)^@\w+\{([^,\s]+)", bib), *records.slugs()]


def _labels() -> list[str]:
    pages = [(ROOT / f"{page}.md").read_text("utf-8") for page, _ in executed.contents()]
    return [row["label"] for row in REGISTRY.tags()] + re.findall(r"(?m)^\(([\w-]+)\)=", "\n".join(pages))


_ROLES = {
    "claim": _claim,
    "verdict": _claim,
    "reported": prose.reported,
    "mark": _known(lambda: [word.replace("-", " ") for word in MARKS | LATER], "verdict"),
    "cite": _known(_works, "record in data/references.bib of"),
    "ref": _known(_labels, "label"),
}
"""What each role must name, of which a text can be held to before anything is computed."""


def faults(page: str, computed: bool = True) -> Iterator[str]:
    """The roles of a page that name nothing, each with its file and line; {found} only if the values are ``computed``."""
    text = "\n".join(fenced((ROOT / f"{page}.md").read_text("utf-8")))
    for role in _ROLE.finditer(text):
        name, of = role.groups()
        try:
            if name == "found":
                if computed:
                    prose.found(of, page)
            elif name in _ROLES:
                _ROLES[name](of)
                if name == "reported":
                    _timed(of, text[: role.start()].rpartition("\n")[2], text[role.end() :].partition("\n")[0])
            else:
                raise ValueError(f"no such role: {_near(name, ['found', *_ROLES])}")
        except executed.NotExecuted:
            continue  # nothing to hold it to yet
        except ValueError as error:
            yield f"{page}.md:{text.count(chr(10), 0, role.start()) + 1}: {role[0]}: {error}"


def _timed(of: str, before: str, after: str) -> None:
    """ValueError unless a length of time has its unit in the sentence: the next that follows it, or one before it."""
    unit = prose.record(prose.slug_of(of)).entry(of).unit
    names, later = ([m[1] for m in _TIME.finditer(_ROLE.sub(_of, words))] for words in (before, after))
    if unit in records.DAYS and unit[:-1] not in [*names, *later[:1]]:
        raise ValueError(f"it prints the number alone, and the sentence does not say {unit}")


def _of(role: re.Match) -> str:
    """What is printed of a role that may print a unit."""
    return role[2] if role[1] == "found" else ""


def code(text_half: Path) -> Iterator[tuple[str, bool]]:
    """What is wrong with the cells of a chapter before they run, each with its line, and whether it can be executed so.

    A cell is no Python, has several statements and more than ``WORK`` lines, or asks about claims and figures that the
    record does not have.
    """
    text, at = text_half.read_text("utf-8"), 0
    record = records.record(text_half.stem) if text_half.stem in records.slugs() else None
    for cell in jupytext.read(text_half).cells:
        if cell.cell_type != "code":
            continue
        at = text.index(cell.source, at)
        first = text.count("\n", 0, at)
        try:
            tree = ast.parse(TransformerManager().transform_cell(cell.source))
        except SyntaxError as error:
            yield f"chapters/{text_half.name}:{first + (error.lineno or 1)}: no Python: {error.msg}", False
            continue
        lines = [line for line in cell.source.split("\n") if line.strip() and not line.lstrip().startswith("#")]
        if len(lines) > WORK and len(tree.body) > 1:
            how = f"split it, or make a function of what is longer than {WORK}"
            yield f"chapters/{text_half.name}:{first + 1}: a cell of {len(lines)} lines: {how}", True
        for asked in ast.walk(tree):
            try:
                _holds(asked, record)
            except records.SourceError as error:
                yield f"chapters/{text_half.name}:{first + asked.lineno}: {error}", False


def _holds(asked: ast.AST, record: records.Record | None) -> None:
    """SourceError if this asks a review about what its record does not have, as far as it is spelt out."""
    match asked:
        case ast.Call(ast.Attribute(ast.Name("review"), name), [ast.Constant(str(claim)), *rest]) if (
            record and name in JUDGING
        ):
            own = inspect.signature(getattr(Review, name)).parameters
            figures = [k.arg for k in asked.keywords if k.arg and k.arg not in own]
            figures += [r.value for r in rest[1:] if isinstance(r, ast.Constant)] if name == "leave" else []
            of = record[claim]
            for role in figures:
                of.figure(role.replace("_", "-"))


def unreadable() -> list[str]:
    """What is wrong with records, a line for each fault, with the place of its claim."""
    found = []
    for path in sorted(records.SEEDS.glob("*.yml")):
        try:
            records.record(path.stem)
        except records.SourceError as error:
            found += [_CLAIM.sub(_placed, line) for line in str(error).splitlines()]
    return found


def _placed(said: re.Match) -> str:
    text = (records.SEEDS / said["file"]).read_text("utf-8")
    stands = re.search(rf"\bid: *['\"]?{said['claim']}\b", text)
    line = f":{text.count(chr(10), 0, stands.start()) + 1}" if stands else ""
    return f"seeds/{said['file']}{line}: {said['claim']}"


def before(halves: list[Path]) -> None:
    """Refuse chapters that cannot be executed: for their records, or for roles as far as they can be known before.

    Raises
    ------
    prose.ProseError
        One line for each fault.
    """
    _refuse(
        unreadable()
        or [fault for half in halves for fault, fit in code(half) if not fit]
        or [f for h in halves for f in faults(f"chapters/{h.stem}", execute.same_code(h))]
    )


def after(names: Iterable[str]) -> None:
    """Refuse executed chapters in which a role names nothing."""
    prose.bound.cache_clear()
    _refuse([fault for name in names for fault in faults(f"chapters/{name}")])


def _refuse(found: list[str]) -> None:
    if found:
        raise prose.ProseError("\n".join(found))
