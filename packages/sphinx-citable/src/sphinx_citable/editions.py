"""Editions: a released state of a book, frozen into an archive; and the promises that outlive it.

The archive is a release file and is never committed. Every anchor ever published arrives somewhere.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from html.parser import HTMLParser
from pathlib import Path

from sphinx_citable.registry import PENDING, SAME, Registry, RegistryError, became
from sphinx_citable.tagpage import template

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold: two freezes of one state are the same bytes


class _Anchors(HTMLParser):
    """The ids of a page, each with the nearest label around it."""

    HELD = {"section", "span", "figure", "div", "h1", "li", "details", "dt"}
    """What links lead to; parts of drawings are none."""
    VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}

    def __init__(self, labels: set[str]):
        super().__init__()
        self.labels, self.open, self.found = labels, [], {}

    def handle_starttag(self, tag, attrs):
        name = dict(attrs).get("id")
        around = next((label for _, label in reversed(self.open) if label), None)
        label = name if name in self.labels else None
        if name and (label or around) and tag in self.HELD:
            self.found[name] = label or around
        if tag not in self.VOID:
            self.open.append((tag, label))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass


def anchors(site: Path, rows: list[dict]) -> list[str]:
    """Every anchor of a built site as ``page#id label``, for the lock."""
    lines = []
    for page in dict.fromkeys(row["page"] for row in rows if row["page"]):
        reader = _Anchors({row["label"] for row in rows if row["page"] == page})
        reader.feed((site / page).read_text("utf-8"))
        lines += [
            f"{page}#{name} {label}" for name, label in reader.found.items() if not name.startswith(("cite-", "pst-"))
        ]
    return lines


def lock(registry: Registry, site: Path, rows: list[dict]) -> int:
    """Append to the registry's ``anchors.lock`` what it lacks; returns how many anchors were new."""
    known = registry.lock.read_text("utf-8").splitlines() if registry.lock.is_file() else []
    places = {line.split(" ")[0] for line in known}
    new = [line for line in anchors(site, rows) if line.split(" ")[0] not in places]
    registry.lock.write_text("".join(f"{line}\n" for line in [*known, *new]), "utf-8", newline="\n")
    return len(new)


def freeze(registry: Registry, site: Path, version: str, target: Path, rows: list[dict]) -> int:
    """Write the built ``site`` of the pending edition as a zip with checksums, lock its anchors, and only then release it.
    How many anchors were new.

    The archive works alone: its tag pages are those of the edition. Each page says which parts it holds and loads ``changes.js``
    of the living book, two folders above the edition's own top and outside its checksums.

    Raises
    ------
    RegistryError
        The edition is not pending, or the site is not of it.
    """
    registry.entered(version)
    listed = site / "sections.json"
    built = json.loads(listed.read_text("utf-8")) if listed.is_file() else []
    if not built or any(p["edition"] != version for p in built if p["state"] in ("current", "draft")):
        raise RegistryError(
            f"{version} is not the edition of the built site: enter it, then build with {PENDING}={version}"
        )
    live = [row for row in rows if row["state"] == "live" and row["tag"]]
    target.parent.mkdir(parents=True, exist_ok=True)
    sums, part = [], target.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in site.rglob("*") if p.is_file()):
            name = path.relative_to(site).as_posix()
            if name == "changes.js" or name.startswith("editions/"):
                continue  # they live in the living book alone
            data = path.read_bytes()
            if name.endswith(".html"):
                data = _tied(data.decode(), name, version, [r for r in live if r["page"] == name]).encode()
            sums.append(f"{hashlib.sha256(data).hexdigest()}  {name}")
            archive.writestr(zipfile.ZipInfo(name, EPOCH), data, zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo("SHA256SUMS", EPOCH), "\n".join(sums) + "\n", zipfile.ZIP_DEFLATED)
    new = lock(registry, site, rows)
    registry.release(version, part.replace(target))
    return new


def _tied(page: str, name: str, version: str, rows: list[dict]) -> str:
    up = "../" * name.count("/")
    page = page.replace(f'href="{up}editions/', f'href="{up}../')  # the others stand beside it
    if name.startswith("t/"):
        canonical = re.search(r'<link rel="canonical" href="([^"]*)">', page)
        living = canonical[1] if canonical else f"{up}../../{name}"
        said = f'<p class="q">This page is of edition {version}. <a href="{living}">What became of it since</a></p>'
        return page.replace('<p id="cited"', f'{said}<p id="cited"', 1)
    parts = " ".join(f"{r['tag']}:{r['label']}" for r in rows)
    head = (
        f'<meta name="book-edition" content="{version}"><meta name="book-parts" content="{parts}">'
        f'<script defer src="{up}../../changes.js"></script>'
    )
    return page.replace("</head>", head + "</head>", 1)


def unpack(registry: Registry, archives: Path, site: Path) -> list[str]:
    """Put every released edition below the built ``site`` from its archive; the versions.

    Raises
    ------
    RegistryError
        An archive is missing or not the one released: all such are named, and nothing is unpacked.
    """
    faults, past = [], [e for e in registry.editions() if "archive" in e]
    for edition in past:
        path = archives / edition["archive"]
        if not path.is_file():
            faults.append(f"edition {edition['version']}: {path.name} is missing")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != edition["sha256"]:
            faults.append(f"edition {edition['version']}: {path.name} is not the archive that was released")
    if faults:
        raise RegistryError("\n".join(faults))
    for edition in past:
        with zipfile.ZipFile(archives / edition["archive"]) as archive:
            archive.extractall(site / "editions" / edition["version"])
    return [edition["version"] for edition in past]


def changes_js(rows: list[dict], past: list[dict]) -> str:
    """The script by which a frozen page says what became of its parts: by edition, the tags that changed, and how."""
    now = {r["tag"]: r for r in rows if r["tag"]}
    changes = {
        e["version"]: {tag: said for tag, then in e["sections"].items() if (said := became(then, now[tag])) != SAME}
        for e in past
    }
    told = json.dumps(changes, ensure_ascii=False, sort_keys=True, separators=(",", ":")).replace("</", "<\\/")
    return template("changes.js").render().replace("@CHANGES@", told) + "\n"


def published(registry: Registry) -> dict[str, list[tuple[str, str]]]:
    """Every anchor ever published, by page: (id, label)."""
    by_page: dict[str, list[tuple[str, str]]] = {}
    for line in registry.lock.read_text("utf-8").splitlines() if registry.lock.is_file() else []:
        anchor, _, label = line.partition(" ")
        page, _, name = anchor.partition("#")
        by_page.setdefault(page, []).append((name, label))
    return by_page


def moved(page: str, anchors: list[tuple[str, str]], rows: list[dict]) -> list[tuple[str, str, str]]:
    """Where the anchors that ``page`` has lost lead now: (id, address from the page, title).

    Raises
    ------
    RegistryError
        A label that the registry no longer knows.
    """
    place, up = {row["label"]: row for row in rows}, "../" * page.count("/")
    found = []
    for name, label in anchors:
        row = place.get(label)
        if row is None:
            raise RegistryError(f"anchors.lock: {label} has no tag; the registry must keep every label")
        target = f"{up}{row['url']}" if row["state"] == "live" else f"{up}t/{row['tag']}/index.html"
        found.append((name, target, row["title"]))
    return found


def leave_links(site: Path, registry: Registry, rows: list[dict]) -> None:
    """Where a whole page has gone, leave a page of links."""
    for page, lost in published(registry).items():
        path = site / page
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(template("moved.html").render(lines=moved(page, lost, rows)), "utf-8", newline="\n")
