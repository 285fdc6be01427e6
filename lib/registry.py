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

from lib import ROOT
from lib.house import executed

ALPHABET = "23456789CFGHJMPQRVWX"
TAGS = ROOT / "registry" / "tags.csv"
VERDICTS = ROOT / "registry" / "verdicts.csv"
COLUMNS = ["tag", "label", "kind", "state", "note"]
KINDS = ("section", "figure", "table", "claim")
SAME = "same text and results"
STATES = ("live", "withdrawn", "merged")
LABEL = re.compile(r"[a-z][a-z0-9-]*")


class RegistryError(ValueError):
    """The registry or a label is not as it must be; one line that says what to do."""


@dataclass
class Part:
    """Something a reader can cite: its label, kind and title, where it stands, its text, and the results it shows.

    ``level`` is the depth of a section's heading (7 for what is no section); ``within`` the label of the section it is
    part of; ``results`` maps a name to a printed result: claim rows, bound values, tables and figure data.
    """

    label: str
    kind: str
    title: str
    page: str
    level: int
    within: str
    text: str
    results: dict


def pages() -> list[str]:
    """The pages of the book in reading order, without suffix."""
    return [page for page, _ in executed.contents()]


def parts() -> list[Part]:
    """Everything labelled in the book, in reading order.

    Raises
    ------
    RegistryError
        A label stands twice, or is not lower-case words joined by hyphens.
    """
    found = [part for page in pages() for part in _parts(page)]
    seen: dict[str, str] = {}
    for part in found:
        if not LABEL.fullmatch(part.label):
            raise RegistryError(f"{part.page}: label {part.label!r}: use lower-case words joined by hyphens")
        if part.label in seen:
            raise RegistryError(
                f"label {part.label!r} stands twice, on {seen[part.label]} and {part.page}: rename the newer one"
            )
        seen[part.label] = part.page
    return found


def _parts(page: str) -> list[Part]:
    notebook = ROOT / f"{page}.ipynb"
    if notebook.is_file():
        pieces = executed.pieces(executed.read(notebook))
    else:
        pieces = executed.markdown((ROOT / f"{page}.md").read_text("utf-8"))
    found: list[Part] = []
    open_: list[Part] = []  # the section we are in and those around it
    for piece in pieces:
        if piece.heading:
            label, level, title = piece.heading
            open_ = [s for s in open_ if s.level < level]
            open_.append(Part(label, "section", title, page, level, open_[-1].label if open_ else "", "", {}))
            found.append(open_[-1])
        for section in open_:
            section.text += "\n" + piece.text
        for output in piece.outputs:
            part = _shown(output, piece, page, open_[-1].label if open_ else "")
            if part and part.label:
                found.append(part)
            results = part.results if part else {name: entry["text"] for name, entry in output.entry.items()}
            if part is None or part.label:
                for section in open_:
                    section.results |= results
    return found


def _shown(output: executed.Output, piece: executed.Piece, page: str, within: str) -> Part | None:
    """The figure, table or claim that an output shows; None for bound values, which stand in the prose."""
    label, entry = output.label, output.entry
    if output.kind == "figure":
        set_up = piece.cell["metadata"].get("mystnb", {})
        text = piece.text + str(set_up.get("figure")) + str(set_up.get("image"))
        drawn = {f"figure {label}": [entry["title"], entry["columns"], entry["rows"]]}
        return Part(label, "figure", entry["title"], page, 7, within, text, drawn)
    if output.kind == "table":
        cells = {f"table {label}": [entry["columns"], entry["rows"]]}
        return Part(label, "table", entry["caption"], page, 7, within, piece.text, cells)
    if output.kind == "claim":
        title = f"{entry['id']}: {entry['says']}"
        return Part(label, "claim", title, page, 7, within, entry["says"], {entry["id"]: entry})
    return None


def sha256_text(part: Part) -> str:
    """SHA-256 of the MyST and code of a part with its subsections, white space collapsed."""
    return hashlib.sha256(" ".join(part.text.split()).encode()).hexdigest()


def sha256_results(part: Part) -> str:
    """SHA-256 of the canonical JSON of a part's results with those of its subsections; no SVG, no style."""
    return hashlib.sha256(_canonical(part.results)).hexdigest()


def fingerprints(part: Part) -> dict[str, str]:
    """Eight hexadecimal digits for each result of a part, so that a later reader learns which one moved."""
    return {name: hashlib.sha256(_canonical(value)).hexdigest()[:8] for name, value in sorted(part.results.items())}


def _canonical(value) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sections() -> list[dict]:
    """One row for each part of the book as it stands (contract C5), tags from the registry (None where one lacks)."""
    registered, past = read(), editions()
    if faults := broken_promises(registered, past):
        raise RegistryError(
            f"registry/tags.csv: {faults[0]}" + (f" (and {len(faults) - 1} more)" if len(faults) > 1 else "")
        )
    tags = {row["label"]: row for row in registered}
    rows, found = [], parts()
    chapters = {part.page: part.title for part in found if part.level == 1}
    for part in found:
        tag = tags.get(part.label)
        if tag and (tag["kind"], tag["state"]) != (part.kind, "live"):
            said = f"{tag['tag']} ({part.label}) is a {tag['state']} {tag['kind']}"
            raise RegistryError(
                f"registry/tags.csv: {said}, and {part.page} has a {part.kind} of that label: give that one a new label"
            )
        row = {
            "tag": tag["tag"] if tag else None,
            "label": part.label,
            "kind": part.kind,
            "title": part.title,
            "chapter": "" if part.level == 1 else chapters[part.page],
            "page": part.page + ".html",
            "url": f"{part.page}.html#{part.label}",
            "within": part.within,
            "sha256_text": sha256_text(part),
            "sha256_results": sha256_results(part),
            "results": fingerprints(part),
            "state": "live",
            "note": "",
        }
        rows.append(row | {"changed": changed(row, past)})
    live = {row["label"] for row in rows}
    gone = [_gone(row, past) for row in tags.values() if row["label"] not in live]
    rows += gone
    for row in gone:
        instead(row, rows)
    return rows


def _gone(row: dict, past: list[dict]) -> dict:
    """A tag whose label no longer stands in the book: what it last was, with the reason the registry gives.

    Raises
    ------
    RegistryError
        The registry gives no reason: a tag never just vanishes.
    """
    if row["state"] == "live" or not row["note"]:
        raise RegistryError(
            f"registry/tags.csv: {row['tag']} ({row['label']}) stands nowhere in the book: "
            "put the label back, or write state withdrawn or merged with a note"
        )
    nothing = {
        "url": "",
        "title": row["label"],
        "chapter": "",
        "page": "",
        "sha256_text": "0" * 64,
        "sha256_results": "0" * 64,
        "results": {},
        "kind": row["kind"],
    }
    last = next((e for e in reversed(past) if row["tag"] in e["sections"]), None)
    then = last["sections"][row["tag"]] | {"edition": last["version"], "date": last["date"]} if last else nothing
    return then | {
        "tag": row["tag"],
        "label": row["label"],
        "within": "",
        "state": row["state"],
        "note": row["note"],
        "changed": "",
    }


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
            f"registry/tags.csv: {part['tag']} ({part['label']}) is merged: "
            "let its note name the tag or label it is now part of"
        )
    return named or [next((row for row in live if row["page"] == part["page"]), live[0])]


def editions() -> list[dict]:
    """The released editions, oldest first: version, date, and what each tag then was."""
    found = [json.loads(p.read_text("utf-8")) for p in (ROOT / "registry" / "editions").glob("*.json")]
    return sorted(found, key=lambda e: [int(n) if n.isdigit() else n for n in e["version"].split(".")])


def difference(then: dict, now: dict) -> str:
    """What became of a part between two states of it: text, results (which), place, or nothing."""
    said = []
    if then["sha256_text"] != now["sha256_text"]:
        said.append("text changed")
    if then["sha256_results"] != now["sha256_results"]:
        before, after = then.get("results", {}), now.get("results", {})
        which = sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k))
        said.append(
            "results changed" + (f" ({', '.join(which[:12])}{', …' if len(which) > 12 else ''})" if which else "")
        )
    if then["url"] != now["url"]:
        said.append(f"moved from {then['url']} to {now['url']}")
    return "; ".join(said) or SAME


def became(then: dict, now: dict) -> str:
    """What became of a part since ``then``: its difference, or why it no longer stands."""
    return difference(then, now) if now["state"] == "live" else f"{now['state']}: {now['note']}"


def changed(row: dict, past: list[dict]) -> str:
    """The edition since which a part has its present text and results; "" if none yet shows it so."""
    since = ""
    for edition in reversed(past):
        then = edition["sections"].get(row["tag"] or "")
        if not then or (then["sha256_text"], then["sha256_results"]) != (row["sha256_text"], row["sha256_results"]):
            break
        since = edition["version"]
    return since


def read(path: Path = TAGS) -> list[dict]:
    """The registry's rows.

    Raises
    ------
    RegistryError
        A hole, a malformed or repeated tag, a repeated label, or an unknown kind.
    """
    with path.open(encoding="utf-8", newline="") as file:
        head, *body = csv.reader(file)
    if head != COLUMNS:
        raise RegistryError(f"{path.name}: columns are {', '.join(head)}; expected {', '.join(COLUMNS)}")
    rows, tags, names = [], set(), set()
    for n, cells in enumerate(body, 2):
        if len(cells) != len(COLUMNS):
            raise RegistryError(
                f"{path.name}, line {n}: {len(cells)} cells where {len(COLUMNS)} must stand; "
                "a note with a comma is put in quotes"
            )
        row = dict(zip(COLUMNS, cells))
        if not re.fullmatch(f"[{ALPHABET}]{{4}}", row["tag"] or ""):
            raise RegistryError(f"{path.name}, line {n}: {row['tag']!r} is no tag: four of {ALPHABET}")
        if row["kind"] not in KINDS or not row["label"]:
            raise RegistryError(f"{path.name}, line {n}: label and kind ({', '.join(KINDS)}) must stand")
        if row["state"] not in STATES or (row["state"] != "live" and not row["note"]):
            raise RegistryError(
                f"{path.name}, line {n}: state is {', '.join(STATES)}, the last two with a note that gives the reason"
            )
        if row["tag"] in tags or row["label"] in names:
            raise RegistryError(f"{path.name}, line {n}: tag {row['tag']} or label {row['label']} stands twice")
        tags.add(row["tag"])
        names.add(row["label"])
        rows.append(row)
    return rows


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
        for item in parts():
            if item.label not in known:
                tag = tag_for(item.label, taken)
                taken.add(tag)
                writer.writerow([tag, item.label, item.kind, "live", ""])
                new.append((tag, item.label))
    return new


def verdicts_now() -> dict[str, str]:
    """The verdict on every claim, from the executed notebooks."""
    return {row["id"]: row["verdict"] for row in executed.ledger()}


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


def verify(tag: str, *hashes: str) -> str:
    """What became of a cited part, in one line; ``hashes`` of its text, or of text and results, as cited.

    Raises
    ------
    RegistryError
        A malformed hash (at least eight hexadecimal digits), or more than two.
    """
    tag, hashes = tag.upper(), tuple(given.lower() for given in hashes)
    for given in hashes:
        if not re.fullmatch(r"[0-9a-f]{8,64}", given):
            raise RegistryError(f"{given!r} is no hash: eight to 64 of 0-9a-f, as the tag's page gives it")
    if not 1 <= len(hashes) <= 2:
        raise RegistryError("give the hash of the text, or of the text and of the results")
    now = next((row for row in sections() if row["tag"] == tag), None)
    if now is None:
        return "unknown: no such tag was ever given"
    past = [e["sections"][tag] | {"version": e["version"]} for e in editions() if tag in e["sections"]]
    then = next((s for s in [now | {"version": ""}, *reversed(past)] if _is(s, hashes)), None)
    if then is not None:  # as it first stood so, for a part may have moved since without a change
        exact = (then["sha256_text"], then["sha256_results"])
        then = next((s for s in past if _is(s, exact)), then)
    if then is not None or now["state"] != "live":
        place = f" (as in edition {then['version']})" if then and then["version"] and now["state"] == "live" else ""
        return became(then, now) + place
    alone = [
        "text" if now["sha256_text"].startswith(hashes[0]) else "",
        "results" if now["sha256_results"].startswith(hashes[-1]) else "",
    ]
    if len(hashes) == 2 and any(alone):
        same = "text" if alone[0] else "results"
        other = "results" if alone[0] else "text"
        which = f"; they now are {', '.join(now['results'])}" if other == "results" else ""
        return f"same {same}, {other} changed (no edition holds the cited {other}{which})"
    return "text changed" + ("; results changed" if len(hashes) == 2 else "") + " (no edition holds the cited state)"


def _is(state: dict, hashes: tuple[str, ...]) -> bool:
    return state["sha256_text"].startswith(hashes[0]) and (
        len(hashes) == 1 or state["sha256_results"].startswith(hashes[1])
    )
