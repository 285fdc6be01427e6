"""What a book promised: the labels of its parts, the permanent tag of each, and what each was in every edition.

A registry is a folder. ``tags.csv`` is append-only: a tag is four characters taken from the label's SHA-256, and a label
keeps its tag wherever it moves. ``editions/<version>.json`` keeps what every tag was when an edition was released;
``anchors.lock`` every anchor ever published. ``pending.json`` is an edition not yet released, which only a build with
``CITABLE_EDITION`` set to its version knows.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

ALPHABET = "23456789CFGHJMPQRVWX"
COLUMNS = ["tag", "label", "kind", "state", "note"]
KINDS = ("section", "figure", "table")
PENDING = "CITABLE_EDITION"
"""The environment's name for the edition that is being released."""
SAME = "same text and results"
NO_STATE = "not a state of any edition"
STATES = ("live", "withdrawn", "merged")
LABEL = re.compile(r"[a-z][a-z0-9-]*")
VERSION = re.compile(r"[0-9]+(?:\.[0-9]+){0,2}")
_KEPT = ("label", "kind", "title", "chapter", "page", "url", "within", "sha256_text", "sha256_results", "results")


class RegistryError(ValueError):
    """The registry or a label is not as it must be; one line that says what to do."""


@dataclass
class Part:
    """Something a reader can cite: its label, kind and title, where it stands, its text, and the results it shows.

    ``page`` is the document's name · ``level`` the depth of a section's heading (7 for what is no section) · ``within``
    the label of the section it is part of ("" for none) · ``text`` what the text hash is taken of · ``results`` maps
    the name of each printed result to what is printed, in types that JSON knows.
    """

    label: str
    kind: str
    title: str
    page: str
    level: int
    within: str
    text: str
    results: dict = field(default_factory=dict)


def checked(parts: Iterable[Part]) -> list[Part]:
    """The parts, if their labels can be permanent.

    Raises
    ------
    RegistryError
        A label stands twice, or is not lower-case words joined by hyphens.
    """
    found, seen = list(parts), {}
    for part in found:
        if not LABEL.fullmatch(part.label):
            raise RegistryError(f"{part.page}: label {part.label!r}: use lower-case words joined by hyphens")
        if part.label in seen:
            raise RegistryError(
                f"label {part.label!r} stands twice, on {seen[part.label]} and {part.page}: rename the newer one"
            )
        seen[part.label] = part.page
    return found


def sha256_text(part: Part) -> str:
    """SHA-256 of a part's text with its subsections, white space collapsed."""
    return hashlib.sha256(" ".join(part.text.split()).encode()).hexdigest()


def sha256_results(part: Part) -> str:
    """SHA-256 of the canonical JSON of a part's results with those of its subsections; "" where it prints none."""
    return hashlib.sha256(_canonical(part.results)).hexdigest() if part.results else ""


def _canonical(value) -> bytes:
    """JSON with one form for each number, whoever wrote it: 80.0 is 80, and nought has no sign."""
    value = json.loads(json.dumps(value), parse_float=_number)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _number(text: str) -> float | int:
    x = float(text)
    return int(x) if x.is_integer() else x


def difference(then: dict, now: dict) -> str:
    """What became of a part between two states of it: text, results (which), place, or nothing."""
    said = []
    if then["sha256_text"] != now["sha256_text"]:
        said.append("text changed")
    if then["sha256_results"] != now["sha256_results"]:
        before, after = then["results"], now["results"]
        which = list(filter(None, (_moved(k, before, after) for k in sorted(before.keys() | after.keys()))))
        said.append(f"results changed ({', '.join(which[:12])}{', …' if len(which) > 12 else ''})")
    if then["url"] != now["url"]:
        said.append(f"moved from {then['url']} to {now['url']}")
    return "; ".join(said) or SAME


def _moved(name: str, before: dict, after: dict) -> str:
    """How a result changed, "mean height from 3.4 to 3.6"; of a table or record the first change, and how many more."""
    if name not in before or name not in after:
        return f"{name} {'new' if name in after else 'gone'}"
    found = list(_leaves([], before[name], after[name]))
    more = f" and {len(found) - 1} more" if found[1:] else ""
    return "".join(f"{' '.join([name, *where])} from {_said(a)} to {_said(b)}{more}" for where, a, b in found[:1])


def _leaves(where: list[str], a, b) -> Iterator[tuple[list[str], object, object]]:
    """The values in which two results differ, with the names of the fields that lead to them; None stands for no value."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            yield from _leaves([*where, key], a.get(key), b.get(key))
    elif isinstance(a, list) and isinstance(b, list):
        for x, y in zip_longest(a, b):
            yield from _leaves(where, x, y)
    elif _canonical(a) != _canonical(b):
        yield where, a, b


def _said(value) -> str:
    said = "nothing" if value in (None, "") else value if isinstance(value, str) else _canonical(value).decode()
    return said if len(said) <= 60 else f"{said[:59]}…"


def changes(then: dict[str, dict], now: dict[str, dict]) -> Iterator[tuple[dict, str]]:
    """What became of the parts of one edition in another, both by tag: each part that changed, and how.

    What a section shows its own parts show too: a change is told of the innermost alone.
    """
    inside: dict[str, set[str]] = {}
    for tag, part in (*then.items(), *now.items()):
        inside.setdefault(part["within"], set()).add(tag)
    for tag, here in now.items():
        if (was := then.get(tag)) is None:
            yield here, "new"
            continue
        below = [(then.get(t), now.get(t)) for t in inside.get(here["label"], ())]
        told = {name for pair in below for part in pair if part for name in part["results"]}
        if any(not (a and b) or a["sha256_text"] != b["sha256_text"] for a, b in below):
            was = was | {"sha256_text": here["sha256_text"]}
        if (said := difference(_own(was, told), _own(here, told))) != SAME:
            yield here, said


def _own(part: dict, told: set[str]) -> dict:
    """A part without the results that are told of another."""
    results = {name: value for name, value in part["results"].items() if name not in told}
    return part | {"results": results, "sha256_results": _canonical(results)}


def became(then: dict, now: dict) -> str:
    """What became of a part since ``then``: its difference, or why it no longer stands."""
    return difference(then, now) if now["state"] == "live" else f"{now['state']}: {now['note']}"


def held(row: dict, past: list[dict]) -> dict:
    """The last edition in which a part has its present text and results, its date, and the
    edition since which it has them (``changed``); "" where there is none.
    """
    found = {"edition": "", "date": "", "changed": ""}
    for edition in past:
        then = edition["sections"].get(row["tag"] or "")
        if then and (then["sha256_text"], then["sha256_results"]) == (row["sha256_text"], row["sha256_results"]):
            since = found["changed"] or edition["version"]
            found = {"edition": edition["version"], "date": edition["date"], "changed": since}
        else:
            found["changed"] = ""
    return found


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


def broken_promises(rows: list[dict], past: list[dict]) -> list[str]:
    """What the registry's ``rows`` no longer keep of past editions, a line each: tags gone, or of another part."""
    now = {row["tag"]: row for row in rows}
    faults = {}
    for edition in past:
        for tag, then in edition["sections"].items():
            row = now.get(tag)
            if row is None:
                faults[tag] = (
                    f"tag {tag} ({then['label']}) of edition {edition['version']} has vanished: restore its line"
                )
            elif (row["label"], row["kind"]) != (then["label"], then["kind"]):
                was, is_ = f"{then['kind']} {then['label']}", f"{row['kind']} {row['label']}"
                faults[tag] = f"tag {tag} was {was} in edition {edition['version']} and now is {is_}: restore its line"
    return list(faults.values())


class Registry:
    """The promises kept in ``folder``; ``kinds`` of parts that may have tags, ``command`` as messages name it."""

    def __init__(self, folder: Path, kinds: Iterable[str] = KINDS, command: str = "sphinx-citable"):
        self.folder, self.kinds, self.command = Path(folder), tuple(kinds), command
        self.tags_csv = self.folder / "tags.csv"
        self.lock, self.pending = self.folder / "anchors.lock", self.folder / "pending.json"

    def tags(self) -> list[dict]:
        """The rows of ``tags.csv``; none where there is no such file yet.

        Raises
        ------
        RegistryError
            A hole, a malformed or repeated tag, a repeated label, or an unknown kind.
        """
        if not self.tags_csv.is_file():
            return []
        with self.tags_csv.open(encoding="utf-8", newline="") as file:
            head, *body = list(csv.reader(file)) or [[]]
        if head != COLUMNS:
            raise RegistryError(f"tags.csv: columns are {', '.join(head)}; expected {', '.join(COLUMNS)}")
        rows, tags, labels = [], set(), set()
        for n, cells in enumerate(body, 2):
            row = self._row(n, cells)
            if row["tag"] in tags or row["label"] in labels:
                raise RegistryError(f"tags.csv, line {n}: tag {row['tag']} or label {row['label']} stands twice")
            tags.add(row["tag"])
            labels.add(row["label"])
            rows.append(row)
        return rows

    def _row(self, n: int, cells: list[str]) -> dict:
        if len(cells) != len(COLUMNS):
            raise RegistryError(
                f"tags.csv, line {n}: {len(cells)} cells where {len(COLUMNS)} must stand; "
                "a note with a comma is put in quotes"
            )
        row = dict(zip(COLUMNS, cells))
        if not re.fullmatch(f"[{ALPHABET}]{{4}}", row["tag"]):
            raise RegistryError(f"tags.csv, line {n}: {row['tag']!r} is no tag: four of {ALPHABET}")
        if row["kind"] not in self.kinds or not row["label"]:
            raise RegistryError(f"tags.csv, line {n}: label and kind ({', '.join(self.kinds)}) must stand")
        if row["state"] not in STATES or (row["state"] != "live" and not row["note"]):
            raise RegistryError(
                f"tags.csv, line {n}: state is {', '.join(STATES)}, the last two with a note that gives the reason"
            )
        return row

    def assign(self, parts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Append a tag for every (label, kind) that has none; the new (tag, label) pairs."""
        rows = self.tags()
        taken, known = {r["tag"] for r in rows}, {r["label"] for r in rows}
        new = [(label, kind) for label, kind in parts if label not in known]
        self.folder.mkdir(parents=True, exist_ok=True)
        begun = self.tags_csv.is_file()
        pairs = []
        with self.tags_csv.open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            if not begun:
                writer.writerow(COLUMNS)
            for label, kind in new:
                tag = tag_for(label, taken)
                taken.add(tag)
                writer.writerow([tag, label, kind, "live", ""])
                pairs.append((tag, label))
        return pairs

    def sections(self, parts: Iterable[Part]) -> list[dict]:
        """One row for each part as it stands and each tag that is gone, tags from the registry (None where one lacks).

        Raises
        ------
        RegistryError
            A label or the registry is not as it must be, or a promise of a past edition is broken.
        """
        registered, past = self.tags(), self.editions()
        if faults := broken_promises(registered, past):
            raise RegistryError(
                f"tags.csv: {faults[0]}" + (f" (and {len(faults) - 1} more)" if len(faults) > 1 else "")
            )
        tags = {row["label"]: row for row in registered}
        found = checked(parts)
        chapters = {part.page: part.title for part in found if part.level == 1}
        rows = []
        for part in found:
            tag = tags.get(part.label)
            if tag and (tag["kind"], tag["state"]) != (part.kind, "live"):
                said = f"{tag['tag']} ({part.label}) is a {tag['state']} {tag['kind']}"
                raise RegistryError(
                    f"tags.csv: {said}, and {part.page} has a {part.kind} of that label: give that one a new label"
                )
            row = {
                "tag": tag["tag"] if tag else None,
                "label": part.label,
                "kind": part.kind,
                "title": part.title,
                "chapter": "" if part.level == 1 else chapters.get(part.page, ""),
                "page": part.page + ".html",
                "url": f"{part.page}.html#{part.label}",
                "within": part.within,
                "sha256_text": sha256_text(part),
                "sha256_results": sha256_results(part),
                "results": part.results,
                "state": "live",
                "note": "",
            }
            rows.append(row | held(row, past))
        live = {row["label"] for row in rows}
        gone = [_gone(row, past) for row in registered if row["label"] not in live]
        rows += gone
        for row in gone:
            instead(row, rows)
        return rows

    def editions(self) -> list[dict]:
        """The released editions, oldest first: version, date, and what each tag then was with the results it printed."""
        found = [json.loads(p.read_text("utf-8")) for p in (self.folder / "editions").glob("*.json")]
        if self.pending.is_file() and (entry := json.loads(self.pending.read_text("utf-8"))):
            found += [entry] if entry["version"] == os.environ.get(PENDING) else []
        for edition in found:
            for then in edition["sections"].values():
                then["results"] = {name: edition["values"][key] for name, key in then["results"].items()}
        return sorted(found, key=lambda e: _key(e["version"]))

    def check_version(self, version: str) -> None:
        """RegistryError unless ``version`` is one, is not taken, and is later than the last."""
        past = self.editions()
        if not VERSION.fullmatch(version):
            raise RegistryError(f"{version!r} is no version: write 1.0 or 1.0.2")
        if any(e["version"] == version for e in past):
            raise RegistryError(f"edition {version} exists: an edition never changes; take the next number")
        if past and _key(version) <= _key(past[-1]["version"]):
            raise RegistryError(f"edition {version} would come before {past[-1]['version']}: take a later number")

    def enter(self, rows: list[dict], version: str, date: str, commit: str = "") -> Path:
        """Enter an edition, what every live tag is now, as pending: nothing else knows of it. The file written.

        Raises
        ------
        RegistryError
            The version will not do, or a part has no tag.
        """
        self.check_version(version)
        if lacking := [row["label"] for row in rows if not row["tag"]]:
            raise RegistryError(f"label {lacking[0]} has no tag: run `{self.command} tags` and commit tags.csv first")
        state = {row["tag"]: {k: row[k] for k in _KEPT} for row in rows if row["state"] == "live"}
        values = {}  # each once, however many parts print it
        for then in state.values():
            keys = {name: hashlib.sha256(_canonical(v)).hexdigest()[:12] for name, v in then["results"].items()}
            values |= {key: then["results"][name] for name, key in keys.items()}
            then["results"] = keys
        entry = {"version": version, "date": date, "commit": commit, "sections": state, "values": values}
        self.pending.write_text(
            json.dumps(entry, ensure_ascii=False, indent=0, sort_keys=True) + "\n", "utf-8", newline="\n"
        )
        return self.pending

    def entered(self, version: str) -> dict:
        """The pending edition; RegistryError if there is none of this version."""
        entry = json.loads(self.pending.read_text("utf-8")) if self.pending.is_file() else {}
        if entry.get("version") != version:
            raise RegistryError(f"edition {version} is not pending: enter it first")
        return entry

    def release(self, version: str, archive: Path) -> Path:
        """Make the pending edition a released one, with the checksum of its archive, in one step. The file written."""
        entry = self.entered(version)
        entry |= {"archive": archive.name, "sha256": hashlib.sha256(archive.read_bytes()).hexdigest()}
        self.pending.write_text(
            json.dumps(entry, ensure_ascii=False, indent=0, sort_keys=True) + "\n", "utf-8", newline="\n"
        )
        path = self.folder / "editions" / f"{entry['version']}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        return self.pending.replace(path)

    def verify(self, rows: list[dict], tag: str, *hashes: str) -> str:
        """What became of a cited part, in one line; ``hashes`` of its text, or of text and results, as cited.

        Raises
        ------
        RegistryError
            A malformed hash (at least eight hexadecimal digits), or more than two.
        """
        tag, hashes = tag.upper(), tuple(h for given in hashes for h in given.lower().split("."))
        for given in hashes:
            if not re.fullmatch(r"[0-9a-f]{8,64}", given):
                raise RegistryError(f"{given!r} is no hash: eight to 64 of 0-9a-f, as the tag's page gives it")
        if not 1 <= len(hashes) <= 2:
            raise RegistryError("give the hash of the text, or of the text and of the results")
        now = next((row for row in rows if row["tag"] == tag), None)
        if now is None:
            return "unknown: no such tag was ever given"
        editions = self.editions()
        past = [e["sections"][tag] | {"version": e["version"]} for e in editions if tag in e["sections"]]
        then = next((s for s in [now | {"version": ""}, *reversed(past)] if _is(s, hashes)), None)
        if then is None:
            told = (
                NO_STATE + (f" up to {editions[-1]['version']}" if editions else "") + ", nor of the book as it stands"
            )
            halves = zip(("text", "results"), ("sha256_text", "sha256_results"), hashes)
            kept = [name for name, key, given in halves if now[key].startswith(given)]
            return (f"{became(now, now)}; " if now["state"] != "live" else "") + told + (
                f" (the {kept[0]} as now, not the {'results' if kept == ['text'] else 'text'})" if kept else ""
            )  # fmt: skip
        # As it first stood so, for a part may have moved since without a change.
        exact = (then["sha256_text"], then["sha256_results"])
        then = next((s for s in past if _is(s, exact)), then)
        said = became(then, now)
        if now["state"] != "live":
            return said
        if not then["version"]:
            return f"{said} (a draft: no edition holds it)"
        return said + (f" (as in edition {then['version']})" if said == SAME else f" since edition {then['version']}")


def _is(state: dict, hashes: tuple[str, ...]) -> bool:
    return state["sha256_text"].startswith(hashes[0]) and (
        len(hashes) == 1 or state["sha256_results"].startswith(hashes[1])
    )


def _key(version: str) -> list[int]:
    return [int(n) for n in version.split(".")]


def _gone(row: dict, past: list[dict]) -> dict:
    """A tag whose label no longer stands in the book: what it last was, with the reason the registry gives.

    Raises
    ------
    RegistryError
        The registry gives no reason: a tag never just vanishes.
    """
    if row["state"] == "live" or not row["note"]:
        raise RegistryError(
            f"tags.csv: {row['tag']} ({row['label']}) stands nowhere in the book: "
            "put the label back, or write state withdrawn or merged with a note"
        )
    last = next((e for e in reversed(past) if row["tag"] in e["sections"]), None)
    then = {"kind": row["kind"], "title": row["label"], "chapter": "", "page": "", "url": "", "results": {}}
    then |= {"sha256_text": "", "sha256_results": ""}  # gone before any edition: no state that could be cited
    if last:
        then = last["sections"][row["tag"]]
    then = then | held(then | {"tag": row["tag"]}, past)
    now = {"tag": row["tag"], "label": row["label"], "within": "", "state": row["state"], "note": row["note"]}
    return then | now | {"changed": ""}


def instead(part: dict, rows: list[dict]) -> list[dict]:
    """Where a reader of a tag that is gone is sent: what its note names by tag or label, or else its last page.

    Raises
    ------
    RegistryError
        A merged tag whose note names nothing that stands in the book.
    """
    if part["state"] == "live":
        return []
    live = [row for row in rows if row["state"] == "live"]
    words = set(re.findall(r"[A-Za-z0-9-]+", part["note"]))
    named = [row for row in live if row["tag"] in words or row["label"] in words]
    if part["state"] == "merged" and not named:
        raise RegistryError(
            f"tags.csv: {part['tag']} ({part['label']}) is merged: let its note name the tag or label it is now part of"
        )
    return named or [next((row for row in live if row["page"] == part["page"]), live[0])]
