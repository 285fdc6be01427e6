"""A small book, released twice: what a citation promised is kept, and what changed is said."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest
import yaml
from bs4 import BeautifulSoup
from browser import browsed, launched

from lib import ROOT
from tests.lib.small import HEAD

pytestmark = pytest.mark.slow
CHAPTER = (
    HEAD
    + """
(cml-stopping)=
# A small chapter

A sentence that will change, with {found}`sum`.

```{source-card} cml-stopping
```

```{code-cell} ipython3
import pandas as pd
from lib.review import Review, bind
from lib.tables import table
review = Review("cml-stopping")
```

(cml-first)=
## First part

```{code-cell} ipython3
bind(sum=7)
_ = review.judge("CML-23", "sum", "a sum", enrolled=review.value("CML-33/analysed") + review.value("CML-32/excluded"))
```

(cml-second)=
## Second part

```{code-cell} ipython3
table(pd.DataFrame({"group": ["a", "b"], "n": [1, 2]}), "tab-cml-small", "Two groups")
```

(cml-reply)=
## Reply of the authors

```{reply} Jane Doe, for the authors
:received: 2026-12-01

You misread our table: 3 of 12 patients, not 4 of 12.

We stand by *every* figure.
```
"""
)
TOC = """format: jb-book
root: index
parts:
  - caption: One
    chapters:
      - file: chapters/cml-stopping.ipynb
      - file: {page}
"""
NOTES = "".join(
    f"({label})=\n{heading}\n\nA note.\n\n"
    for label, heading in (
        ("notes", "# Notes"),
        ("notes-dropped", "## Dropped"),
        ("notes-joined", "## Joined"),
        ("notes-kept", "## Kept"),
    )
)


FOLLOWED = (
    "cml-stopping",
    "cml-first",
    "cml-second",
    "cml-23",
    "tab-cml-small",
    "notes",
    "notes-kept",
    "notes-dropped",
    "notes-joined",
)


class SmallBook:
    """A copy of the code with one chapter of its own, and what is asked of it."""

    def __init__(self, top: Path):
        self.top = top
        for name in ("lib", "packages", "seeds", "data", "_static"):
            shutil.copytree(ROOT / name, top / name, ignore=shutil.ignore_patterns("__pycache__", "draws"))
        for name in ("_config.yml", "CITATION.cff", "requirements.txt", "jupytext.toml", "LICENSE", "LICENSE-text"):
            shutil.copy(ROOT / name, top / name)
        (top / "chapters").mkdir()
        (top / "registry" / "editions").mkdir(parents=True)
        (top / "registry" / "tags.csv").write_text("tag,label,kind,state,note\n")
        (top / "registry" / "verdicts.csv").write_text("id,verdict\n")
        (top / "CHANGELOG.md").write_text("# Changes\n\n## one\n\n## 3.0\n\n## 2.0\n\n## 1.0\n\n## 0.9\n")
        (top / "index.md").write_text(
            "(front)=\n# Small book\n\nOne chapter.\n\n```{people}\n```\n\n```{editions} changes\n```\n"
        )
        self.name = "cml-stopping"
        (top / "chapters" / f"{self.name}.md").write_text(CHAPTER)
        (top / "notes.md").write_text(NOTES)
        (top / "_toc.yml").write_text(TOC.format(page="notes"))
        config = top / "_config.yml"
        text = re.sub(r"(?m)^(\s*site_url: ).*$", r'\1"https://book.example"', config.read_text())
        text = re.sub(r"(?m)^author: .*$", "author: Small Group", text)
        for key, words in (
            ("contact", "us@book.example"),
            ("funding", "None"),
            ("contributors", ""),
            ("interests", ""),
        ):
            text = re.sub(rf"(?m)^(\s*{key}: ).*$", rf'\1"{words}"', text)
        config.write_text(text)

    def lib(self, *args: str) -> subprocess.CompletedProcess:
        env = os.environ | {"PYTHONPATH": str(self.top), "SOURCE_DATE_EPOCH": "1800000000"}
        return subprocess.run(
            [sys.executable, "-m", "lib", *args], cwd=self.top, env=env, capture_output=True, text=True
        )

    def done(self, *args: str) -> str:
        ran = self.lib(*args)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def build(self, edition: str = "") -> Path:
        shutil.rmtree(self.top / "_build", ignore_errors=True)
        env = os.environ | {"PYTHONPATH": str(self.top), "SOURCE_DATE_EPOCH": "1800000000", "CITABLE_EDITION": edition}
        book = Path(sys.executable).with_name("jupyter-book")
        ran = subprocess.run(
            [book, "build", ".", "-W", "-n", "--keep-going"], cwd=self.top, env=env, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stderr[-3000:]
        return self.top / "_build" / "html"

    def edit(self, old: str, new: str, path: str = "") -> None:
        file = self.top / (path or f"chapters/{self.name}.md")
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def section(self, label: str) -> dict:
        rows = json.loads((self.top / "_build" / "html" / "sections.json").read_text())
        return next(r for r in rows if r["label"] == label)

    def said(self, part: dict) -> str:
        hashes = (part[key][:12] for key in ("sha256_text", "sha256_results") if key in part)
        return self.lib("verify", part["tag"], *hashes).stdout.strip()


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The small book after its first edition."""
    small = SmallBook(tmp_path_factory.mktemp("book"))
    small.done("run")
    small.done("tags")
    refused = small.lib("edition", "1.1")
    assert refused.returncode == 2 and not (small.top / "registry" / "pending.json").exists()
    lacking = ("its verdict moved and is not accepted", "CHANGELOG.md has no heading 1.1")
    assert all(words in refused.stderr for words in lacking), "all at once, before anything is written"
    small.done("verdicts", "--accept")
    small.done("edition", "1.0")
    small.build("1.0")
    small.done("edition", "1.0", "--freeze")
    assert "is not pending" in small.lib("edition", "1.0", "--freeze").stderr
    small.first = {label: small.section(label) for label in FOLLOWED}
    return small


def test_life_of_a_citation(book):
    first = book.first
    assert "same text and results" in book.said(first["cml-first"])

    # A word: the chapter's text changed, the sections without it did not, and no results moved.
    for half in (".md", ".ipynb"):
        book.edit("A sentence that will change", "A sentence that has changed", f"chapters/{book.name}{half}")
    assert book.said(first["cml-stopping"]).split(": ", 1)[1].startswith("text changed")
    assert "results changed" not in book.said(first["cml-stopping"])
    assert "same text and results" in book.said(first["cml-first"])

    # The theme: nothing.
    (book.top / "_static" / "book.css").write_text("body { color: red }")
    assert "same text and results" in book.said(first["cml-second"])

    # A datum and a record: the results of the section that shows them, and which; not those of another.
    book.edit("sum=7", "sum=8")
    book.edit("The number of patients who entered the study.", "How many entered.", "seeds/cml-stopping.yml")
    (book.top / f"chapters/{book.name}.ipynb").unlink()  # edited above, and never made anew over an edit
    book.done("run")
    said = book.said(first["cml-first"])
    words = "The number of patients who entered the study."
    assert "text changed" in said and f"results changed (CML-23 says from {words} to How many entered.)" in said
    assert "sum from 7 to 8" in book.said(first["cml-stopping"]), "the prose above the parts prints the sum"
    assert f"results changed (CML-23 says from {words}" in book.said(first["cml-23"])
    assert "same text and results" in book.said(first["tab-cml-small"])

    # A second edition: history on the tag page, the frozen page learns of it.
    book.done("verdicts", "--accept")
    book.done("edition", "2.0")
    site = book.build("2.0")
    book.done("edition", "2.0", "--freeze")
    page = (site / "t" / first["cml-first"]["tag"] / "index.html").read_text()
    assert (
        "Edition 1.0" in page
        and "first stands here" in page
        and "Edition 2.0" in page
        and f"results changed (CML-23 says from {words}" in page
    )
    page = (site / "t" / first["tab-cml-small"]["tag"] / "index.html").read_text()
    assert ">Edition 1.0, 2027-01-15: first stands here; the same in 2.0 <a " in page
    assert 'href="https://book.example/editions/2.0/chapters/cml-stopping.html#tab-cml-small"' in page
    assert book.section("cml-first")["changed"] == "2.0" and book.section("tab-cml-small")["changed"] == "1.0"
    with zipfile.ZipFile(book.top / "dist" / "interferon-recomputed-1.0.zip") as frozen:
        sums = dict(reversed(line.split("  ")) for line in frozen.read("SHA256SUMS").decode().splitlines())
        assert {n: hashlib.sha256(frozen.read(n)).hexdigest() for n in frozen.namelist() if n != "SHA256SUMS"} == sums
        assert "changes.js" not in sums
        for name in (n for n in sums if n.endswith(".html")):
            page, up = frozen.read(name).decode(), "../" * name.count("/")
            tagged = name.startswith("t/")
            assert re.findall(r'src="([^"]*changes.js)"', page) == ([] if tagged else [f"{up}../../changes.js"])
            links = re.findall(r'href="([^"]*\bt/[2-9A-Z]{4}/[\w.]*)"', page)
            assert tagged or name == "search.html" or links
            assert all(x.removeprefix(up) in sums or x.startswith("https://book.example/t/") for x in links), name
    held = {line.split(" ")[0] for line in (book.top / "registry" / "anchors.lock").read_text().splitlines()}
    assert {part["url"] for part in first.values()} <= held, "every part's address is locked"

    # A renamed page and a dropped section: old links arrive, tags keep their pages.
    kept, dropped = book.first["notes-kept"], book.first["notes-dropped"]
    (book.top / "notes.md").rename(book.top / "remarks.md")
    (book.top / "_toc.yml").write_text(TOC.format(page="remarks"))
    book.edit("(notes-dropped)=\n## Dropped\n", "", "remarks.md")
    book.edit("(notes-joined)=\n## Joined\n", "", "remarks.md")
    refused = book.lib("verify", dropped["tag"], dropped["sha256_text"])
    assert refused.returncode == 2 and "notes-dropped" in refused.stderr and "withdrawn" in refused.stderr
    book.edit("notes-dropped,section,live,", "notes-dropped,section,withdrawn,it said nothing", "registry/tags.csv")
    book.edit("notes-joined,section,live,", "notes-joined,section,merged,into the rest", "registry/tags.csv")
    refused = book.lib("edition", "3.0")
    assert (
        refused.returncode == 2
        and refused.stderr.count("\n") == 1
        and "let its note name the tag or label" in refused.stderr
    )
    book.edit("merged,into the rest", "merged,into notes-kept", "registry/tags.csv")
    site = book.build()
    stub = (site / "notes.html").read_text()
    assert 'id="notes-kept"' in stub and 'href="remarks.html#notes-kept"' in stub
    assert f'href="t/{dropped["tag"]}/index.html"' in stub
    gone = (site / "t" / dropped["tag"] / "index.html").read_text()
    assert "Withdrawn</strong>: it said nothing." in gone and "Edition 2.0" in gone and "last in edition 2.0" in gone
    assert json.loads((site / "t" / dropped["tag"] / "cite.json").read_text())[0]["edition"] == "2.0"
    joined = (site / "t" / book.first["notes-joined"]["tag"] / "index.html").read_text()
    assert 'Merged</strong>: into notes-kept. Go to <a href="../../remarks.html#notes-kept">Kept</a>' in joined
    moved = "moved from notes.html#notes-kept to remarks.html#notes-kept"
    assert book.said(kept) == f"{kept['tag']}: {moved} since edition 1.0"
    assert "withdrawn: it said nothing" in book.said(dropped)
    assert "merged: into notes-kept" in book.said(book.first["notes-joined"])
    states = {book.section(label)["state"] for label in ("notes-kept", "notes-dropped", "notes-joined")}
    assert states == {"current", "withdrawn", "moved"}
    for part in (book.section("cml-23"), dropped):
        unheard = book.said(part | {"sha256_text": "0" * 64})
        assert "not a state of any edition up to 2.0, nor of the book as it stands (the results as now" in unheard or (
            part is dropped
            and unheard.startswith(f"{part['tag']}: withdrawn: it said nothing; not a state of any edition")
        )


@browsed
def test_a_frozen_page_says_what_has_changed(book, tmp_path):
    """The first edition, unpacked two folders below the living book and opened from disk."""
    living = shutil.copytree(book.top / "_build" / "html", tmp_path / "book")
    frozen = living / "editions" / "1.0"
    with zipfile.ZipFile(book.top / "dist" / "interferon-recomputed-1.0.zip") as archive:
        archive.extractall(frozen)
    with launched() as chromium:
        page = chromium.new_page()
        said = {}
        for name in ("chapters/cml-stopping.html", "notes.html"):
            page.goto((frozen / name).as_uri())
            said |= {
                note.split(",")[1].split(":")[0].strip(): note
                for note in page.locator(".changed-since").all_inner_texts()
            }
        tag = {label: part["tag"] for label, part in book.first.items()}
        assert (
            "results changed (CML-23 says from The" in said[tag["cml-first"]]
            and "Since edition 1.0" in said[tag["cml-first"]]
        )
        assert "results changed (CML-23 says from The" in said[tag["cml-23"]]
        assert "sum from 7 to 8" in said[tag["cml-stopping"]]
        assert tag["cml-second"] not in said and tag["tab-cml-small"] not in said
        assert "moved from notes.html" in said[tag["notes-kept"]]
        assert "withdrawn: it said nothing" in said[tag["notes-dropped"]]
        page.goto((frozen / "chapters/cml-stopping.html").as_uri())
        page.locator("#cml-first .changed-since a").first.click()
        assert page.url == (living / "t" / tag["cml-first"] / "index.html").as_uri()
        page.goto((living / "notes.html").as_uri() + "#notes-kept")
        page.wait_for_url("**/remarks.html#notes-kept")
        page.goto((living / "notes.html").as_uri() + "#notes-dropped")
        page.wait_for_url(f"**/t/{tag['notes-dropped']}/index.html")
        page.goto((living / "chapters/cml-stopping.html").as_uri())
        assert page.locator(".changed-since").count() == 0, "the living book carries no such notes"


@browsed
def test_the_page_of_a_tag_says_what_became_of_the_state_cited(book, tmp_path):
    """From disk: as it was in either edition, as it is, of no state at all; and the link to the page as it was cited."""
    living = shutil.copytree(book.top / "_build" / "html", tmp_path / "book")
    for page in living.rglob("*.html"):  # a reader of the unpacked site
        page.write_text(page.read_text().replace("https://book.example/editions", "../../editions"))
    with zipfile.ZipFile(book.top / "dist" / "interferon-recomputed-1.0.zip") as archive:
        archive.extractall(living / "editions" / "1.0")
    first, now = book.first["cml-stopping"], book.section("cml-stopping")
    states = [".".join(row[k][:8] for k in ("sha256_text", "sha256_results")) for row in (first, now)]
    same = book.section("tab-cml-small")
    with launched() as chromium:
        page = chromium.new_page()

        def told(tag, state):
            page.goto("about:blank")
            page.goto((living / "t" / tag / "index.html").as_uri() + f"#{state}")
            return page.locator("#cited").inner_text() if page.locator("#cited").is_visible() else ""

        assert told(now["tag"], states[1]).startswith(
            "The state that you cite is that of edition 2.0. It still stands so."
        )
        was = told(now["tag"], states[0])
        assert "is that of edition 1.0. Since then: text changed; results changed (" in was and "sum from 7 to 8" in was
        page.locator("#cited a").click()
        assert page.url == (living / "editions/1.0/chapters/cml-stopping.html").as_uri() + "#cml-stopping"
        assert "with 7." in page.locator("article").inner_text()
        table = ".".join(same[k][:8] for k in ("sha256_text", "sha256_results"))
        assert "edition 2.0. It still stands so" in told(same["tag"], table), "the last edition that holds it"
        assert "is none this page knows. It knows the editions up to 2.0" in told(same["tag"], "00000000.11111111")
        assert told(same["tag"], "") == "" == told(same["tag"], "bib")


class Quiet(SimpleHTTPRequestHandler):
    """A server that keeps its requests to itself."""

    def log_message(self, *args):
        pass


@contextmanager
def served(site: Path, where: str):
    """The address of a site from disk, or below a path of a server; its absolute links lead there."""
    folder = site.parents[1]  # served as deep/book
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    Thread(target=server.serve_forever, daemon=True).start()
    address = site.as_uri() if where == "disk" else f"http://127.0.0.1:{server.server_port}/{site.relative_to(folder)}"
    for path in site.rglob("*.html"):
        text = path.read_text("utf-8")
        if where == "disk":  # which opens no folder
            text = re.sub(r'href="https://book\.example/(t/\w+/)"', r'href="https://book.example/\1index.html"', text)
        path.write_text(text.replace("https://book.example", address), "utf-8")
    yield address
    server.shutdown()


@pytest.fixture(scope="module")
def released(book, tmp_path_factory):
    """What the workflow publishes: its steps run with the releases at hand, on the built site."""
    top = shutil.copytree(book.top, tmp_path_factory.mktemp("deep") / "deep" / "book")
    steps = yaml.safe_load((ROOT / ".github" / "workflows" / "publish.yml").read_text())["jobs"]["publish"]["steps"]
    runs = [step.get("run", step.get("uses", "")).strip() for step in steps]
    download, unpack = (next(n for n, run in enumerate(runs) if words in run) for words in ("gh release", "lib unpack"))
    build, upload = runs.index("make book"), next(n for n, run in enumerate(runs) if "upload-pages" in run)
    assert download < build < unpack < upload and steps[upload]["with"]["path"] == "_build/html"
    for version in ("1.0", "2.0"):
        (release := top / "releases" / f"v{version}").mkdir(parents=True)
        (top / "dist" / f"interferon-recomputed-{version}.zip").rename(release / f"interferon-recomputed-{version}.zip")
    (top / "gh").write_text('#!/bin/sh\n[ "$1 $2" = "release download" ] && cp "releases/$3"/$5 "$7"\n')
    (top / "gh").chmod(0o755)
    env = os.environ | {"PYTHONPATH": str(top), "PATH": f"{top}:{os.environ['PATH']}"}
    for step in (runs[download], runs[unpack].replace(".venv/bin/python", sys.executable)):
        ran = subprocess.run(["bash", "-e", "-c", step], cwd=top, env=env, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "unpacked: 1.0, 2.0\n"
    return top / "_build" / "html"


def test_every_link_of_what_is_published_arrives(released):
    """Of the living book and of both editions below it, relative or absolute, to the anchor."""
    ids, dead = {}, []
    for page in sorted(released.rglob("*.html")):
        for link in re.findall(
            r'(?:href|src)="([^"]*)"', re.sub(r"<template.*?</template>", "", page.read_text(), flags=re.S)
        ):
            place = urlsplit(link)
            if link.startswith("https://book.example/"):
                target = released / unquote(place.path).lstrip("/")
            elif place.scheme or link.startswith("@"):
                continue
            else:
                target = (page.parent / unquote(place.path)) if place.path else page
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                dead.append((page.relative_to(released).as_posix(), link))
            elif place.fragment and target.suffix == ".html":
                ids[target] = ids.get(target) or set(re.findall(r'id="([^"]*)"', target.read_text()))
                if place.fragment not in ids[target] and not re.fullmatch(r"[0-9a-f.]{8,17}", place.fragment):
                    dead.append((page.relative_to(released).as_posix(), link))
    assert not dead, (len(dead), dead[:10])


def test_an_edition_alone_is_whole(book, tmp_path):
    """The archive in a folder of its own, as it is deposited: each file that a page of it needs is in it."""
    with zipfile.ZipFile(book.top / "dist" / "interferon-recomputed-1.0.zip") as archive:
        archive.extractall(tmp_path)
    dead = set()
    for page in tmp_path.rglob("*.html"):
        for link in re.findall(
            r'(?:href|src)="([^"]*)"', re.sub(r"<template.*?</template>", "", page.read_text(), flags=re.S)
        ):
            place = urlsplit(link)
            if not place.scheme and place.path and not (page.parent / unquote(place.path)).exists():
                dead.add((page.parent / place.path).resolve().relative_to(tmp_path.parents[1]).as_posix())
    assert dead == {"changes.js"}, "which lives in the living book alone"
    crate = json.loads((tmp_path / "ro-crate-metadata.json").read_text())["@graph"]
    files = [x["@id"] for x in crate if x["@type"] == "File"]
    assert files and all((tmp_path / name).is_file() for name in files)
    assert json.loads((tmp_path / "codemeta.json").read_text())["version"] == "1.0"


@browsed
@pytest.mark.parametrize("where", ["disk", "below a path"])
def test_every_citation_of_the_first_edition_leads_to_what_was_cited(book, released, tmp_path, where):
    """Its old address arrives, its hash is told what became of it, and the frozen page still shows what was cited."""
    site = shutil.copytree(released, tmp_path / "deep" / "book")
    became = {
        "cml-stopping": "edition 1.0. Since then: text changed; results changed (",
        "cml-first": "edition 1.0. Since then: text changed; results changed (CML-23 says from The",
        "cml-second": "edition 2.0. It still stands so.",
        "cml-23": "edition 1.0. Since then: text changed; results changed (CML-23 says from The",
        "tab-cml-small": "edition 2.0. It still stands so.",
        "notes": "edition 2.0. Since then: text changed; moved from notes.html#notes to remarks.html#notes.",
        "notes-kept": "edition 2.0. Since then: moved from notes.html#notes-kept to remarks.html#notes-kept.",
        "notes-dropped": "edition 2.0. Since then: withdrawn: it said nothing.",
        "notes-joined": "edition 2.0. Since then: merged: into notes-kept.",
    }
    with served(site, where) as address, launched() as chromium:
        page = chromium.new_page()
        for label, part in book.first.items():
            page.goto(f"{address}/{part['url']}")
            gone = label in ("notes-dropped", "notes-joined")
            at = f"t/{part['tag']}/index.html" if gone else part["url"].replace("notes.html", "remarks.html")
            page.wait_for_url(f"{address}/{at}")
            assert gone or page.locator(f"#{label}").count() == 1, label
            state = ".".join(part[k][:8] for k in ("sha256_text", "sha256_results") if k in part)
            page.goto("about:blank")
            page.goto(f"{address}/t/{part['tag']}/index.html#{state}")
            assert became[label] in page.locator("#cited").inner_text(), label
            editions = page.locator(".states a").all_inner_texts()
            assert editions == ["Read it in edition 1.0", "Read it in edition 2.0"], label
            page.locator(".states a").first.click()
            page.wait_for_url(f"{address}/editions/1.0/{part['url']}")
            assert page.locator(f"#{label}").count() == 1, label
        assert "Dropped" in page.locator("article").inner_text() and "Joined" in page.locator("article").inner_text()
        page.goto(f"{address}/index.html")
        listed = page.locator("#edition-2\\.0 ~ details").first
        told = listed.locator("li").all_text_contents()
        first = book.first["cml-23"]["tag"]
        assert any(line.startswith(f"{first} CML-23") and "CML-23 says from The number" in line for line in told)
        assert any("sum from 7 to 8" in line for line in told)
        assert sum("CML-23 says" in line for line in told) == 1, "said once, of the part that shows it"
        page.get_by_role("link", name="Read it").last.click()
        assert page.url == f"{address}/editions/1.0/index.html"


def test_the_edition_stands_wherever_it_is_named(book):
    cff = yaml.safe_load((book.top / "CITATION.cff").read_text())
    assert (cff["version"], str(cff["date-released"])) == ("2.0", "2027-01-15")
    site = book.top / "_build" / "html"
    crate = {x["@id"]: x for x in json.loads((site / "ro-crate-metadata.json").read_text())["@graph"]}["./"]
    assert (crate["version"], crate["datePublished"]) == ("draft of 2027-01-15", "2027-01-15"), "notes changed since"
    editions = {r["label"]: r["edition"] for r in json.loads((site / "sections.json").read_text())}
    assert (editions["notes"], editions["notes-kept"], editions["cml-first"]) == ("", "2.0", "2.0")
    assert json.loads((site / "t" / book.first["cml-first"]["tag"] / "cite.json").read_text())[0]["edition"] == "2.0"


def test_people_replies_and_changes_are_shown_as_they_are(book):
    site = book.top / "_build" / "html"
    front = BeautifulSoup((site / "index.html").read_text(), "lxml")
    listed = {dt.text: dt.find_next("dd") for dt in front.select(".people dt")}
    assert {k: v.text for k, v in listed.items()} == {
        "Authors": "Small Group", "Funding": "None", "Contact": "us@book.example", "Address of the book": "https://book.example",
    }  # fmt: skip
    assert listed["Contact"].a["href"] == "mailto:us@book.example"
    assert "Not stated: contributors, interests, repository." in front.article.text
    assert "Edition 1.0, 15 January 2027" in front.article.text and "draft after edition 2.0" in front.footer.text

    chapter = BeautifulSoup((site / "chapters" / "cml-stopping.html").read_text(), "lxml")
    reply = chapter.select_one("#cml-reply .reply")
    words = [p.text for p in reply.select("p")]
    assert words[0] == "Reply by Jane Doe, for the authors, received 2026-12-01"
    assert words[1:3] == ["You misread our table: 3 of 12 patients, not 4 of 12.", "We stand by every figure."]
    assert "not edited" in words[3]
    assert chapter.select_one(".replied a")["href"] == "#cml-reply", "the head of the review leads to it"
    tag = book.section("cml-reply")["tag"]
    assert (site / "t" / tag / "cite.txt").is_file() and tag != book.section("cml-stopping")["tag"]
    assert "Edition 2.0 was released on 15 January 2027" in chapter.select_one("#changed").text

    told = ElementTree.parse(site / "feed.xml").getroot()
    atom = "{http://www.w3.org/2005/Atom}"
    entries = told.findall(f"{atom}entry")
    assert [e.findtext(f"{atom}title") for e in entries] == ["Edition 2.0", "Edition 1.0", "Other work searched"]
    for one in (told, *entries):
        assert re.fullmatch(r"https://book\.example/\S*", one.findtext(f"{atom}id"))
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", one.findtext(f"{atom}updated"))
    assert (
        len({e.findtext(f"{atom}id") for e in entries}) == len(entries) and told.find(f"{atom}author/{atom}name").text
    )
    assert chapter.select_one("link[type='application/atom+xml']")["href"] == "../feed.xml"


def test_canonical_links_lead_to_the_site(book):
    site = book.top / "_build" / "html"
    for name in ("index.html", "chapters/cml-stopping.html"):
        page = (site / name).read_text()
        assert re.findall(r'<link rel="canonical" href="([^"]*)">', page) == [f"https://book.example/{name}"]
        assert re.findall(r'name="citation_public_url" content="([^"]*)"', page) == [f"https://book.example/{name}"]
    tag = book.first["cml-first"]["tag"]
    page = (site / "t" / tag / "index.html").read_text()
    assert re.findall(r'<link rel="canonical" href="([^"]*)">', page) == [f"https://book.example/t/{tag}/"]


def test_two_builds_are_the_same_bytes_and_a_moved_site_changes_every_export(book, tmp_path):
    site = book.top / "_build" / "html"
    before = {p.relative_to(site).as_posix(): p.read_bytes() for p in site.rglob("*") if p.is_file()}
    again = book.build()
    after = {p.relative_to(again).as_posix(): p.read_bytes() for p in again.rglob("*") if p.is_file()}
    assert sorted(k for k in before.keys() | after.keys() if before.get(k) != after.get(k)) == []
    book.edit("https://book.example", "https://elsewhere.example", "_config.yml")
    book.edit("author: Small Group", "author: Doe, Jane; Roe, Richard", "_config.yml")
    moved = book.build()
    for row in json.loads((moved / "sections.json").read_text()):
        for name in ("cite.txt", "cite.bib", "cite.ris", "cite.json", "index.html"):
            text = (moved / "t" / row["tag"] / name).read_text()
            assert (
                "elsewhere.example" in text and "//book.example" not in text and "Doe" in text and "Group" not in text
            ), (row["tag"], name)
    for name in ("chapters/cml-stopping.html", "ro-crate-metadata.json"):
        text = (moved / name).read_text()
        assert (
            "elsewhere.example" in text
            and "//book.example" not in text
            and "Roe" in text
            and "Recomputed Group" not in text
        ), name
    book.done("cff")
    cff = yaml.safe_load((book.top / "CITATION.cff").read_text())
    assert cff["url"] == "https://elsewhere.example" and [a["family-names"] for a in cff["authors"]] == ["Doe", "Roe"]


@pytest.mark.parametrize(
    "args, says",
    [
        (["edition", "one"], "no version"),
        (["edition", "1.0"], "exists"),
        (["edition", "0.9"], "later number"),
        (["edition", "7.0", "--freeze"], "not pending"),
        (["verify", "ZZZZ", "12345678"], "unknown"),
        (["verify", "2222", "xyz"], "no hash"),
        (["verify", "2222", "1234567"], "no hash"),
        (["verify", "2222", "12345678", "12345678", "12345678"], "give the hash"),
    ],
)
def test_bad_input_gets_one_clear_line(book, args, says):
    ran = book.lib(*args)
    assert ran.returncode in (1, 2)
    assert says in ran.stdout + ran.stderr and len((ran.stdout + ran.stderr).strip().splitlines()) == 1


@pytest.mark.parametrize(
    "spoil, says",
    [
        (lambda lines: [*lines[:2], "", *lines[2:]], "line 3"),
        (lambda lines: [*lines[:2], lines[2].rpartition(",")[0], *lines[3:]], "line 3"),
        (lambda lines: [*lines[:2], *lines[3:]], "has vanished"),
        (lambda lines: [*lines[:2], lines[2].replace(",section,", ",figure,"), *lines[3:]], "is section|was section"),
        (lambda lines: [*lines[:2], lines[2].replace(",", ",another-", 1), *lines[3:]], "now is"),
        (lambda lines: [*lines[:2], lines[2].replace(",live,", ",lost,"), *lines[3:]], "state is"),
        (lambda lines: [*lines[:2], lines[2].replace(",live,", ",withdrawn,"), *lines[3:]], "reason"),
        (lambda lines: [*lines[:2], lines[2].replace(",live,", ",withdrawn,no more"), *lines[3:]], "new label"),
    ],
)
def test_a_registry_with_a_hole_is_refused(book, spoil, says):
    path = book.top / "registry" / "tags.csv"
    kept = path.read_text()
    path.write_text("\n".join(spoil(kept.splitlines())) + "\n")
    try:
        ran = book.lib("verify", book.first["cml-stopping"]["tag"], "12345678")
    finally:
        path.write_text(kept)
    assert ran.returncode == 2 and re.search(says, ran.stderr) and len(ran.stderr.strip().splitlines()) == 1, ran.stderr


def test_a_label_that_stands_twice_is_refused(book):
    chapter = book.top / "chapters" / f"{book.name}.md"
    kept = chapter.read_text()
    index = book.top / "index.md"
    index.write_text(index.read_text() + "\n(cml-first)=\n## Again\n")
    ran = book.lib("tags")
    assert ran.returncode == 2 and "stands twice" in ran.stderr and len(ran.stderr.strip().splitlines()) == 1
    assert chapter.read_text() == kept
