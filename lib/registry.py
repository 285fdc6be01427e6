"""What the book promised: labels of sections, figures, tables and claims, and the permanent tag of each.

``registry/tags.csv`` is append-only. A tag is four characters taken from the label's SHA-256; a label keeps its tag
wherever it moves.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from lib import ROOT
from lib.figures import FIGURE
from lib.review import LEDGER, ledger
from lib.tables import TABLE

ALPHABET = "23456789CFGHJMPQRVWX"
TAGS = ROOT / "registry" / "tags.csv"
VERDICTS = ROOT / "registry" / "verdicts.csv"
COLUMNS = ["tag", "label", "kind", "state", "note"]
KINDS = ("section", "figure", "table", "claim")
LABEL = re.compile(r"[a-z][a-z0-9-]*")
_SECTION = re.compile(r"^\(([^)\n]+)\)=\s*\n+(#{1,6})\s+(.+)$", re.MULTILINE)


class RegistryError(ValueError):
    """The registry or a label is not as it must be; one line that says what to do."""


@dataclass(frozen=True)
class Labelled:
    """Something a reader can cite: its label, kind, title, and the page it stands on."""

    label: str
    kind: str
    title: str
    page: str


def pages() -> list[str]:
    """The pages of the book in reading order, as ``_toc.yml`` names them, without suffix."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    found = [toc["root"]]

    def walk(entries):
        for entry in entries:
            if "file" in entry:
                found.append(entry["file"].removesuffix(".ipynb").removesuffix(".md"))
            for key in ("chapters", "sections"):
                walk(entry.get(key, []))

    for part in toc.get("parts", [toc]):
        walk(part.get("chapters", []))
    return found


def labels() -> list[Labelled]:
    """Everything labelled in the text halves and executed notebooks, in reading order.

    Raises
    ------
    RegistryError
        A label stands twice, or is not lower-case words joined by hyphens.
    """
    found: list[Labelled] = []
    for page in pages():
        text = (ROOT / f"{page}.md").read_text("utf-8")
        prose = re.sub(r"^(`{3,}).*?^\1\s*$", "", text, flags=re.MULTILINE | re.DOTALL)
        found += [Labelled(m[1], "section", m[3].strip(), page) for m in _SECTION.finditer(prose)]
        notebook = ROOT / f"{page}.ipynb"
        if notebook.is_file():
            found += _in_notebook(json.loads(notebook.read_text("utf-8")), page)
    seen: dict[str, str] = {}
    for item in found:
        if not LABEL.fullmatch(item.label):
            raise RegistryError(f"{item.page}: label {item.label!r}: use lower-case words joined by hyphens")
        if item.label in seen:
            raise RegistryError(f"label {item.label!r} stands twice, on {seen[item.label]} and {item.page}: rename the newer one")
        seen[item.label] = item.page
    return found


def _in_notebook(notebook: dict, page: str) -> list[Labelled]:
    found = []
    for cell in notebook["cells"]:
        name = cell["metadata"].get("mystnb", {}).get("figure", {}).get("name")
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if FIGURE in data and name:
                found.append(Labelled(name, "figure", data[FIGURE]["title"], page))
            if TABLE in data:
                found.append(Labelled(data[TABLE]["label"], "table", data[TABLE]["caption"], page))
            if LEDGER in data:
                row = data[LEDGER]
                found.append(Labelled(row["id"].lower(), "claim", f"{row['id']}: {row['says']}", page))
    return found


def read(path: Path = TAGS) -> list[dict]:
    """The registry's rows.

    Raises
    ------
    RegistryError
        A hole, a malformed or repeated tag, a repeated label, or an unknown kind.
    """
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    if reader.fieldnames != COLUMNS:
        raise RegistryError(f"{path.name}: columns are {', '.join(reader.fieldnames or [])}; expected {', '.join(COLUMNS)}")
    tags, names = set(), set()
    for n, row in enumerate(rows, 2):
        if not re.fullmatch(f"[{ALPHABET}]{{4}}", row["tag"] or ""):
            raise RegistryError(f"{path.name}, line {n}: {row['tag']!r} is no tag: four of {ALPHABET}")
        if row["kind"] not in KINDS or not row["label"]:
            raise RegistryError(f"{path.name}, line {n}: label and kind ({', '.join(KINDS)}) must stand")
        if row["tag"] in tags or row["label"] in names:
            raise RegistryError(f"{path.name}, line {n}: tag {row['tag']} or label {row['label']} stands twice")
        tags.add(row["tag"])
        names.add(row["label"])
    return rows


def tag_of() -> dict[str, str]:
    """The tag of every registered label."""
    return {row["label"]: row["tag"] for row in read()}


def tag_for(label: str, taken: set[str]) -> str:
    """Four characters from the label's SHA-256, the next free ones where they are taken."""
    base = len(ALPHABET)
    n = int(hashlib.sha256(label.encode()).hexdigest(), 16) % base**4
    for step in range(base**4):
        rest, text = (n + step) % base**4, ""
        for _ in range(4):
            rest, digit = divmod(rest, base)
            text = ALPHABET[digit] + text
        if text not in taken:
            return text
    raise RegistryError("no free tag is left")


def assign() -> list[tuple[str, str]]:
    """Append a tag for every label that has none; returns the new (tag, label) pairs."""
    rows = read()
    taken, known = {r["tag"] for r in rows}, {r["label"] for r in rows}
    new = []
    with TAGS.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for item in labels():
            if item.label not in known:
                tag = tag_for(item.label, taken)
                taken.add(tag)
                writer.writerow([tag, item.label, item.kind, "live", ""])
                new.append((tag, item.label))
    return new


def verdicts_now() -> dict[str, str]:
    """The verdict on every claim, from the executed notebooks."""
    return {row["id"]: row["verdict"] for row in ledger()}


def verdicts_moved() -> list[str]:
    """How the verdicts differ from those last accepted, one line a claim."""
    with VERDICTS.open(encoding="utf-8", newline="") as file:
        before = {row["id"]: row["verdict"] for row in csv.DictReader(file)}
    now = verdicts_now()
    return [
        f"{claim}: {before.get(claim, 'not judged')} → {now.get(claim, 'not judged')}"
        for claim in sorted(before.keys() | now.keys())
        if before.get(claim) != now.get(claim)
    ]


def accept_verdicts() -> None:
    """Record the verdicts of the executed notebooks as the accepted ones."""
    with VERDICTS.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "verdict"])
        writer.writerows(sorted(verdicts_now().items()))
