"""Editions: a released state of the book, frozen into an archive; and the promises that outlive it.

``registry/editions/<version>.json`` keeps what every tag then was, ``registry/anchors.lock`` every anchor published.
The archive itself is a release file and never committed.
"""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
import zipfile
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import yaml

from lib import ROOT, registry

VERSION = re.compile(r"[0-9]+(?:\.[0-9]+){0,2}")
LOCK = ROOT / "registry" / "anchors.lock"
CONFIG = ROOT / "_config.yml"
CFF = ROOT / "CITATION.cff"
ABSTRACT = (
    "Executable reviews of five sources on interferon: "
    "every reported figure accounted for, recomputed where it can be, and judged."
)
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold: two freezes of one state are the same bytes


def open_edition(version: str) -> Path:
    """Enter an edition in the registry, in ``_config.yml`` and in ``CITATION.cff``; the site is to be built after it.

    Raises
    ------
    RegistryError
        A version that is no version, is not later than the last, or exists.
    """
    past = registry.editions()
    if not VERSION.fullmatch(version):
        raise registry.RegistryError(f"{version!r} is no version: write VERSION=1.0 or 1.0.2")
    if any(e["version"] == version for e in past):
        raise registry.RegistryError(f"edition {version} exists: an edition never changes; take the next number")
    if past and _key(version) <= _key(past[-1]["version"]):
        raise registry.RegistryError(f"edition {version} would come before {past[-1]['version']}: take a later number")
    rows = registry.sections()
    if lacking := [row["label"] for row in rows if not row["tag"]]:
        raise registry.RegistryError(
            f"label {lacking[0]} has no tag: run `python -m lib tags` and commit registry/tags.csv first"
        )
    moment = int(os.environ.get("SOURCE_DATE_EPOCH", "0")) or None
    date = (datetime.fromtimestamp(moment, UTC) if moment else datetime.now(UTC)).date().isoformat()
    config = CONFIG.read_text("utf-8")
    for key, value in (("edition", version), ("edition_year", date[:4])):
        config, n = re.subn(rf"(?m)^(\s*{key}: ).*$", rf'\g<1>"{value}"', config)
        if n != 1:
            raise registry.RegistryError(f"_config.yml: expected one line for {key}, found {n}")
    kept = ("label", "kind", "title", "chapter", "page", "url", "sha256_text", "sha256_results", "results")
    state = {row["tag"]: {k: row[k] for k in kept} for row in rows if row["state"] == "live"}
    path = ROOT / "registry" / "editions" / f"{version}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        json.dumps({"version": version, "date": date, "sections": state}, ensure_ascii=False, indent=1, sort_keys=True)
        + "\n",
        "utf-8",
    )
    CONFIG.write_text(config, "utf-8")
    CFF.write_text(citation_cff(), "utf-8")
    return path


def citation_cff() -> str:
    """What ``CITATION.cff`` is to say: the book as ``_config.yml`` has it, with the date once released."""
    config = yaml.safe_load(CONFIG.read_text("utf-8"))
    ours, authors = config["sphinx"]["config"], []
    for name in filter(None, (n.strip() for n in config["author"].split(";"))):
        family, comma, given = (part.strip() for part in name.partition(","))
        authors.append({"family-names": family, "given-names": given} if comma else {"name": name})
    entries = {
        "cff-version": "1.2.0",
        "message": "If you use this book, cite the section you used; its citation stands beside its heading.",
        "type": "dataset",
        "title": config["title"],
        "abstract": ABSTRACT,
        "authors": authors,
        "license": "CC-BY-4.0",
        "version": ours["edition"],
        "date-released": next((e["date"] for e in registry.editions() if e["version"] == ours["edition"]), ""),
        "url": ours["site_url"],
        "repository-code": config["repository"]["url"],
    }
    return yaml.safe_dump({k: v for k, v in entries.items() if v}, sort_keys=False, allow_unicode=True, width=120)


def _key(version: str) -> list[int]:
    return [int(n) for n in version.split(".")]


class _Anchors(HTMLParser):
    """The ids of a page, each with the nearest label around it."""

    HELD = {
        "section",
        "span",
        "figure",
        "div",
        "h1",
        "li",
        "details",
        "dt",
    }  # what links lead to; parts of drawings are none
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


def anchors(site: Path) -> list[str]:
    """Every anchor of a built site as ``page#id label``, for the lock."""
    live = registry.sections()
    lines = []
    for page in dict.fromkeys(row["page"] for row in live if row["page"]):
        reader = _Anchors({row["label"] for row in live if row["page"] == page})
        reader.feed((site / page).read_text("utf-8"))
        lines += [
            f"{page}#{name} {label}" for name, label in reader.found.items() if not name.startswith(("cite-", "pst-"))
        ]
    return lines


def lock(site: Path) -> int:
    """Append to ``registry/anchors.lock`` what it lacks; returns how many anchors were new."""
    known = LOCK.read_text("utf-8").splitlines() if LOCK.is_file() else []
    places = {line.split(" ")[0] for line in known}
    new = [line for line in anchors(site) if line.split(" ")[0] not in places]
    LOCK.write_text("".join(f"{line}\n" for line in [*known, *new]), "utf-8")
    return len(new)


def freeze(site: Path, version: str, folder: Path) -> Path:
    """The built ``site`` as a zip with checksums, its pages tied to the living book.

    Each page links to the living pages of its tags and loads ``changes.js`` of the living book, two folders above the
    edition's own top and outside its checksums.

    Raises
    ------
    RegistryError
        The archive exists, or the site is not of that edition.
    """
    listed = site / "sections.json"
    built = json.loads(listed.read_text("utf-8"))[0]["edition"] if listed.is_file() else "none"
    if built != version:
        raise registry.RegistryError(
            f"{version} is not the edition of the built site ({built}): use `make edition VERSION={version}`"
        )
    target = folder / f"interferon-recomputed-{version}.zip"
    if target.exists():
        raise registry.RegistryError(f"{target.name} exists: an edition is frozen once")
    rows = [row for row in registry.sections() if row["state"] == "live" and row["tag"]]
    folder.mkdir(parents=True, exist_ok=True)
    sums = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in site.rglob("*") if p.is_file()):
            name = path.relative_to(site).as_posix()
            if name.startswith("t/") or name == "changes.js":
                continue  # the tag pages and the changes live in the living book alone
            data = path.read_bytes()
            if name.endswith(".html"):
                data = _tied(data.decode(), name, version, [r for r in rows if r["page"] == name]).encode()
            sums.append(f"{hashlib.sha256(data).hexdigest()}  {name}")
            archive.writestr(zipfile.ZipInfo(name, EPOCH), data, zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo("SHA256SUMS", EPOCH), "\n".join(sums) + "\n", zipfile.ZIP_DEFLATED)
    return target


def _tied(page: str, name: str, version: str, rows: list[dict]) -> str:
    up = "../" * name.count("/")
    page = page.replace(f'href="{up}t/', f'href="{up}../../t/')
    parts = " ".join(f"{r['tag']}:{r['label']}" for r in rows)
    head = (
        f'<meta name="book-edition" content="{version}"><meta name="book-parts" content="{parts}">'
        f'<script defer src="{up}../../changes.js"></script>'
    )
    return page.replace("</head>", head + "</head>", 1)


CHANGES = """/* What has changed since each edition: loaded by frozen pages, written anew with every build. */
(function () {
  var base = document.currentScript.src.replace(/changes\\.js.*$/, "");
  var meta = document.querySelector('meta[name="book-parts"]');
  var edition = document.querySelector('meta[name="book-edition"]');
  var changes = meta && edition && (%s)[edition.content];
  if (!changes) return;
  meta.content.split(" ").forEach(function (part) {
    var p = part.split(":"), said = changes[p[0]], at = document.getElementById(p[1]);
    if (!said || !at) return;
    var note = document.createElement("div"), link = document.createElement("a");
    note.className = "changed-since";
    note.setAttribute("role", "note");
    note.textContent = "Since edition " + edition.content + ", " + p[0] + ": " + said + ". ";
    link.href = base + "t/" + p[0] + "/index.html";
    link.textContent = "As it stands now";
    note.appendChild(link);
    var head = at.querySelector(":scope > :is(h2, h3, h4, h5, h6)");
    if (head) head.after(note);
    else if (/SECTION|LI/.test(at.tagName)) at.prepend(note);
    else at.before(note);
  });
})();
"""


def changes_js(rows: list[dict]) -> str:
    """The script by which a frozen page says what became of its parts: by edition, the tags that changed, and how."""
    now = {r["tag"]: r for r in rows if r["tag"]}
    changes = {
        e["version"]: {
            tag: said
            for tag, then in e["sections"].items()
            if (said := registry.became(then, now[tag])) != registry.SAME
        }
        for e in registry.editions()
    }
    return CHANGES % json.dumps(changes, ensure_ascii=False, sort_keys=True, separators=(",", ":")).replace(
        "</", "<\\/"
    )


def arrivals(site: Path, rows: list[dict]) -> None:
    """Make every anchor ever published arrive: a moved page leaves a page of links, a lost anchor a line with one."""
    if not LOCK.is_file():
        return
    place = {row["label"]: row for row in rows}
    by_page: dict[str, list[tuple[str, str]]] = {}
    for line in LOCK.read_text("utf-8").splitlines():
        anchor, _, label = line.partition(" ")
        page, _, name = anchor.partition("#")
        by_page.setdefault(page, []).append((name, label))
    for page, named in by_page.items():
        path = site / page
        up = "../" * page.count("/")
        text = path.read_text("utf-8") if path.is_file() else ""
        lost = [(name, label) for name, label in named if f'id="{name}"' not in text]
        lines = "".join(
            f'<p id="{name}" class="moved">{_arrow(place.get(label), label, up)}</p>' for name, label in lost
        )
        if not text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_moved(lines), "utf-8")
        elif lost:
            path.write_text(text.replace("</article>", lines + "</article>", 1), "utf-8")


def _arrow(row: dict | None, label: str, up: str) -> str:
    if row is None:
        raise registry.RegistryError(f"registry/anchors.lock: {label} has no tag; the registry must keep every label")
    target = f"{up}{row['url']}" if row["state"] == "live" else f"{up}t/{row['tag']}/index.html"
    return f'Moved: <a href="{target}">{html.escape(row["title"])}</a>'


def _moved(lines: str) -> str:
    """A page that stands where a page was: it sends a reader on at once with a script, and shows the links without."""
    script = (
        "var a=document.getElementById(location.hash.slice(1))||document.querySelector('p.moved');"
        "if(a)location.replace(a.querySelector('a').href)"
    )
    style = "body{max-width:40rem;margin:2.5rem auto;padding:0 1.1rem;font:1.1rem/1.55 Georgia,serif}"
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Moved</title><style>:root{{color-scheme:light dark}}{style}</style>"
        f"</head><body><main><h1>This page moved</h1>{lines}</main><script>{script}</script></body></html>\n"
    )
