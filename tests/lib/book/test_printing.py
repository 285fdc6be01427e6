"""What `make print` makes: a handout that is short, dated, numbered and safe, and an EPUB that readers of EPUB accept."""

import json
import re
import subprocess
import zipfile
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from browser import LACKING, on_paper

from lib import ROOT, records
from lib.house import printing
from lib.house.parts import pages
from pages import SITE

pytestmark = pytest.mark.skipif(not (SITE / printing.EPUB).is_file(), reason="nothing printed: run `make print` first")
EPUBCHECK = Path("/usr/bin/epubcheck")
XHTML = "{http://www.w3.org/1999/xhtml}"


@pytest.fixture(scope="module")
def epub():
    with zipfile.ZipFile(SITE / printing.EPUB) as archive:
        yield archive


@pytest.mark.skipif(not EPUBCHECK.is_file(), reason="no epubcheck: install it (Debian: apt-get install epubcheck)")
def test_epubcheck_accepts_the_book():
    # Debian's command is the archive itself, which not every machine starts by its name.
    done = subprocess.run(["java", "-jar", EPUBCHECK, SITE / printing.EPUB], capture_output=True, text=True)
    assert done.returncode == 0 and "0 errors / 0 warnings" in done.stdout, done.stdout + done.stderr


def test_epub_is_the_same_from_the_same_pages(tmp_path, monkeypatch):
    first = (SITE / printing.EPUB).read_bytes()
    (tmp_path / "ledger.json").symlink_to(SITE / "ledger.json")
    for name in pages():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.html").write_bytes((SITE / f"{name}.html").read_bytes())
    made = []
    for moment in ("1767225600", "1767225600", "1767312000"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", moment)
        made.append(printing.epub(tmp_path).read_bytes())
    assert made[0] == made[1] != made[2]
    names = zipfile.ZipFile(tmp_path / printing.EPUB).namelist()
    assert names == zipfile.ZipFile(SITE / printing.EPUB).namelist() and abs(len(made[0]) - len(first)) < 100


def test_epub_holds_the_pages_and_nothing_for_a_window(epub):
    for name in pages():
        tree = ET.fromstring(epub.read(f"book/{name.replace('/', '-')}.xhtml"))
        tags = {node.tag for node in tree.iter()}
        assert not tags & {f"{XHTML}{tag}" for tag in ("script", "button", "input", "details", "form")}, name
        assert not [n.get("href") for n in tree.iter(f"{XHTML}a") if ".html" in (n.get("href") or "").rpartition("//")[2]
                    and "//" not in n.get("href")], name  # fmt: skip
        assert "var(--" not in ET.tostring(tree, "unicode"), name
    chapter = epub.read("book/chapters-cml-stopping.xhtml").decode()
    assert "<svg" in chapter and chapter.count("<table") == (SITE / "chapters/cml-stopping.html").read_text(
        "utf-8"
    ).count("<table")
    told = ET.fromstring(epub.read("book/nav.xhtml"))
    assert [a.get("href") for a in told.iter(f"{XHTML}a") if "#" not in a.get("href")] == [
        f"{name.replace('/', '-')}.xhtml" for name in pages()
    ]


def test_handout_is_short_and_says_what_it_is():
    pdf = (SITE / printing.HANDOUT).read_bytes()
    said, sizes = on_paper(pdf)
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["sphinx"]["config"]
    where = config["site_url"] or "Draft."
    assert len(said) == len(records.slugs()), "a page for each, none half empty"
    assert {tuple(map(round, s)) for s in sizes} == {(595, 842)}
    for n, words in enumerate(said, 1):
        assert printing.SAFETY in words and where in words and f"{n} / {len(said)}" in words and len(words) > 400, n
    for slug in records.slugs():
        title = printing.Book(SITE).article(f"chapters/{slug}").find(".//h1")
        assert " ".join("".join(title.itertext()).split()).partition(" ")[2] in " ".join(said), slug
    assert b"file:/" not in pdf, "the handout names a place on the machine it was made on"


@pytest.mark.skipif(bool(LACKING), reason=LACKING)
def test_handout_is_the_same_from_the_same_pages(tmp_path, monkeypatch):
    made = (SITE / printing.HANDOUT).read_bytes()
    day = datetime.strptime(re.search(rb"CreationDate \(D:(\d{14})", made)[1].decode() + "+0000", "%Y%m%d%H%M%S%z")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(day.timestamp())))
    for name in (*pages(), "_static", "ledger.json"):
        place = tmp_path / (name if name in ("_static", "ledger.json") else f"{name}.html")
        place.parent.mkdir(exist_ok=True)
        place.symlink_to(SITE / place.relative_to(tmp_path))
    assert on_paper(printing.handout(tmp_path).read_bytes()) == on_paper(made)


def test_a_short_version_takes_the_place_of_the_first_section(tmp_path):
    name, first = "chapters/synthesis", '<section id="syn-glance">'
    page = (SITE / f"{name}.html").read_text("utf-8")
    assert first in page
    (tmp_path / "ledger.json").symlink_to(SITE / "ledger.json")
    (tmp_path / "chapters").mkdir()
    new = f'<section class="short-version" id="short"><h2>The short version</h2><p>Nine of 12.</p></section>{first}'
    (tmp_path / f"{name}.html").write_text(page.replace(first, new), "utf-8")
    assert printing.short(printing.Book(SITE), name) is None, "the synthesis has no short version"
    said = "".join(printing.short(printing.Book(tmp_path), name).itertext())
    assert "Nine of 12." in said and "At a glance" not in said


def test_the_pages_name_what_is_there_and_nothing_else(tmp_path):
    (tmp_path / "pages").mkdir()
    for name in ("index.html", "pages/about.html", "ro-crate-metadata.json"):
        (tmp_path / name).write_bytes((SITE / name).read_bytes())
    printing.announce(tmp_path)
    assert "on-paper" not in (tmp_path / "index.html").read_text("utf-8")
    (tmp_path / printing.EPUB).touch()
    for _ in range(2):
        printing.announce(tmp_path)
    assert (tmp_path / "pages" / "about.html").read_text("utf-8").count(f'href="../{printing.EPUB}"') == 1
    assert printing.HANDOUT not in (tmp_path / "index.html").read_text("utf-8")
    crate = json.loads((tmp_path / "ro-crate-metadata.json").read_text("utf-8"))["@graph"]
    assert {x["@id"] for x in crate if x["@type"] == "File"} == {"index.html", "pages/about.html", printing.EPUB}
