"""Quantities typed into prose: where a text half, the front page or a page says a number that nothing holds to its source.

A number in prose is bound (``{found}``, ``{reported}``). What may be typed is a name (Ph+, STOP 2G-TKI, 95% CI, phase 2), a date, the
number of a section, and the few of ``registry/typed.csv``, each with its reason: constants of design that are ours.
"""

from __future__ import annotations

import ast
import csv
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import jupytext

from lib import ROOT
from lib.house import executed

ALLOWED = ROOT / "registry" / "typed.csv"
MOST = 20
"""Exceptions a page may have."""


class Typed(NamedTuple):
    """A quantity typed into a page: its words, and the sentence they stand in."""

    page: str
    words: str
    sentence: str


_DROPPED = re.compile(
    r"\A---\n.*?^---$|\$\$.*?\$\$|^\([\w-]+\)=$|^:[\w-]+:"
    r"|(?:\{[\w:-]+\})?`[^`\n]+`|\]\([^)\n]*\)|\{\.[\w-]+\}|<https?:[^>\n]*>|\$[^$\n]+\$",
    re.MULTILINE | re.DOTALL,
)
"""What is no prose: the head of a file, formulas, labels, options of a directive, roles, code, addresses."""
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_NAME = re.compile(
    rf"\b(?:\d{{1,2}} )?(?:{_MONTHS})(?: (?:19|20)\d\d)?\b|\b(?:19|20)\d\d;[\d():–-]+|\b(?:19|20)\d\d(?:[–-]\d\d)?\b|\barXiv [\d.]+|\b\d+\(\d+\):[\d–-]+"
    r"|\b(?:[Cc]hapters?|[Ss]ections?|[Tt]ables?|[Ff]igures?|[Pp]aragraphs?|[Pp]ages?|[Rr]eferences?|[Pp]hase|[Tt]ype|[Gg]rade|[Vv]olume) [\dIVX]+(?:(?:/| and | to |–)\d+)?\b"
    r"|\b\d\d% (?=(?:CI|confidence|credible|prediction|Monte Carlo)\b)|\bper (?:100|1,000)\b|\b(?:(?:in|ex)clud(?:es?|ing)|above|below) 1(?=[.,;:)])|\b(?:in|ex)clud(?:es?|ing) 1\b|\btwo-sided\b|\bone-sided\b|\b(?:RoB|Risk of Bias) 2\b|\btwo by two\b"
    r"|[A-Z][\w‑-]*[A-Z+][\w‑+-]* \d[\w.-]*(?:;[\w():–-]+)?|[\w+‑-]*[A-Za-z+]‑?-?\d[\w.]*(?:[-‑]\w+)*|\d+[A-Z][\w-]*|\d+-[A-Z]{2,}\w*|\b[Ff]irst one\b"
)
"""Dates, places in a text, and names with a number in them."""
_SMALL = "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = (
    "twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million hundreds thousands millions dozen"
)
_WORDS = "|".join(f"{_SMALL} {_TENS}".split())
_NO_NOUN = "|".join(
    """and or is are was were be can may must have has had do does did which that who in at to from on by with as than but not if
would will could should it they for apart left fall fell remain lie lies""".split()
)
_COUNTED = """patients? people persons? women men participants? doctors? relapses? events? deaths? failures? lesions? claims? stud(?:y|ies) trials? series
cohorts? arms? groups? tables? values? tests? months? years? weeks? days? hours? points? times? sources? chapters? figures? models? methods? questions? rates?
estimates? intervals? reports? rows? curves? sets? parts? percent""".split()
_ONE = "patient relapse event death failure year month week day hour percent".split()
"""What "one" counts; before other nouns it may be no number."""
_QUANTITY = re.compile(
    rf"(?<![\w.])\d[\d,.]*(?<![.,])(?:\s?%| \w+)?"
    rf"|\b(?:{_WORDS})(?:-(?:{_WORDS}|one))?\b(?:(?: of(?: (?:the|them|these|those))?)? (?!(?:{_NO_NOUN})\b)[A-Za-z][\w-]*|-[a-z]+)"
    rf"|\b(?<!any )one (?:{'|'.join(_ONE)})\b|\b(?:both|single|half an?) (?:{'|'.join(_COUNTED)})\b|\b(?:a|one|two|three) (?:half|halves|thirds?|quarters?|fifths?|tenths?)(?= of\b)|\bhalf (?:of )?(?:the|these|them|a)\b",
    re.IGNORECASE,
)  # fmt: skip


def fenced(prose: str) -> Iterator[str]:
    """The lines of Markdown, those of code, of replies and the fences as empty ones; what else a directive holds is prose."""
    inside = ""
    for line in prose.split("\n"):
        fence = line.startswith("```")
        if fence:
            inside = "" if inside else "prose" if re.match(r"```+\{(?!code-cell|reply)", line) else "code"
        yield "" if fence or inside == "code" else line


def quantities(page: str, prose: str) -> Iterator[Typed]:
    """The quantities typed into Markdown."""
    prose = "\n".join(fenced(prose))
    text = _NAME.sub(lambda m: "·" * len(m[0]), _DROPPED.sub(lambda m: re.sub(r"[^\n]", "·", m[0]), prose))
    for found in _QUANTITY.finditer(text):
        start = max(m.end() for m in re.finditer(r"^|\n|[.?!] ", text[: found.start()]))
        end = re.compile(r"\n|[.?!] |$").search(text, found.end()).start()
        yield Typed(page, found[0], prose[start:end].strip())


def typed(page: str) -> list[Typed]:
    """The quantities typed into a page: its prose, and the captions and alternative texts of its figures."""
    path = ROOT / f"{page}.md"
    if not (ROOT / f"{page}.ipynb").is_file():
        return list(quantities(page, path.read_text("utf-8")))
    found: list[Typed] = []
    for cell in jupytext.read(path).cells:
        if cell.cell_type == "markdown":
            found += quantities(page, cell.source)
            continue
        calls = (node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call))
        for argument in (a for call in calls for a in call.keywords if a.arg in ("caption", "alt")):
            if isinstance(argument.value, ast.Constant):
                found += quantities(page, argument.value.value)
    return found


@cache
def allowed() -> tuple[tuple[str, str, str], ...]:
    """The exceptions: page, the words as they stand with enough around them to be found once, and why."""
    with ALLOWED.open(encoding="utf-8", newline="") as file:
        return tuple((row["page"], row["words"], row["why"]) for row in csv.DictReader(file))


def faults() -> list[str]:
    """Typed quantities that are no exception, exceptions that no page has, and pages with too many; one line each."""
    pages = [page for page, _ in executed.contents()]
    found = [t for page in pages for t in typed(page)]
    rows = allowed()
    used: Counter[tuple[str, str]] = Counter()
    lines = []
    for one in found:
        row = next(
            ((p, words) for p, words, _ in rows if p == one.page and one.words in words and words in one.sentence), None
        )
        if row:
            used[row] += 1
        else:
            lines.append(
                f"{one.page}.md: {one.words!r} is typed: bind it, or enter it in registry/typed.csv: {one.sentence[:120]}"
            )
    lines += [
        f"registry/typed.csv: {page}.md does not say {words!r}" for page, words, _ in rows if not used[page, words]
    ]
    for page in pages:
        n = sum(times for (where, _), times in used.items() if where == page)
        if n > MOST:
            lines.append(f"registry/typed.csv: {n} exceptions in {page}.md, at most {MOST}")
    return lines
