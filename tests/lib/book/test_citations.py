"""Every export of every tag says the same thing, read back by parsers that did not write it."""

import csv
import html
import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import bibtexparser
import matplotlib.pyplot as plt
import pytest
import yaml
from browser import WIDTHS, browsed, in_both_types, until

from lib import ROOT, records
from lib.house import release
from lib.house.parts import REGISTRY, pages
from pages import SITE, known_by
from sphinx_citable import cite, metadata

pytestmark = pytest.mark.skipif(not (SITE / "sections.json").is_file(), reason="no built site: run `make site` first")


HASHES = ("sha256_text", "sha256_results")


def ris_records(text):
    """A reader of RIS from its definition: two characters, two spaces, a hyphen, a space, the value; ER ends it."""
    records, fields = [], {}
    for line in text.splitlines():
        m = re.match(r"^([A-Z][A-Z0-9])  - ?(.*)$", line)
        if not m:
            continue
        if m[1] == "ER":
            records.append(fields)
            fields = {}
        else:
            fields.setdefault(m[1], []).append(m[2])
    return records


def plain(bibtex):
    return (
        bibtex.replace("{", "")
        .replace("}", "")
        .replace("\\&", "&")
        .replace("\\%", "%")
        .replace("\\_", "_")
        .replace("\\#", "#")
        .replace("\\$", "$")
    )


def rows():
    """Every part that can be cited: not what was gone before any edition."""
    return [row for row in every() if row["sha256_text"]]


def every():
    return json.loads((SITE / "sections.json").read_text()) if SITE.is_dir() else []


def cited() -> dict[str, str]:
    """The title each tag is cited by: its own, behind that of its page but the first, then its kind and tag."""
    book, first, found = yaml.safe_load((ROOT / "_config.yml").read_text())["title"], {}, {}
    for row in rows():
        page = first.setdefault(row["page"], row)
        chapter = "" if page is row or row["page"] == "index.html" else f"{page['title']}: "
        whole = page is row and row["page"] == "index.html"
        kind = "Book" if whole else row["kind"].capitalize()
        found[row["tag"]] = f"{chapter}{book if whole else row['title'].rstrip('.')} [{kind} {row['tag']}]"
    return found


def test_every_tag_has_its_page():
    lacking = [r["tag"] for r in every() if not (SITE / "t" / r["tag"] / "index.html").is_file()]
    assert rows() and not lacking


def test_what_was_gone_before_any_edition_leads_on_and_is_not_cited():
    gone = [row for row in every() if not row["sha256_text"]]
    assert all(row["state"] in ("moved", "withdrawn") for row in gone)
    for row in gone:
        (page,) = (SITE / "t" / row["tag"]).iterdir()
        text = page.read_text()
        assert "in drafts only" in text and "Go to <a href=" in text and "Cite it" not in text, row["label"]


def same_in_all(folder, stem):
    """The one record of a CSL-JSON file, which the BibTeX and RIS files beside it repeat field by field."""
    (item,) = json.loads((folder / f"{stem}.json").read_text())
    (b,) = (
        bibtexparser.bparser.BibTexParser(ignore_nonstandard_types=False)
        .parse((folder / f"{stem}.bib").read_text())
        .entries
    )
    (r,) = ris_records((folder / f"{stem}.ris").read_text())
    assert plain(b["title"]) == item["title"] == r["TI"][0]
    assert item["id"] == b["ID"] == r["ID"][0]
    year = str(item["issued"]["date-parts"][0][0]) if "issued" in item else None
    assert b.get("year") == year == r.get("PY", [None])[0]
    names = [n.get("literal") or ", ".join(filter(None, (n["family"], n.get("given")))) for n in item.get("author", [])]
    assert names == r.get("AU", [])
    names = ["others" if name == "et al." else name for name in names]  # as BibTeX has it
    assert names == ([plain(n) for n in b["author"].split(" and ")] if "author" in b else [])
    held = item.get("container-title")
    assert held == (r.get("T2") or r.get("JO") or [None])[0] and r.get("BT") == r.get("T2")
    assert (held or "") == plain(b.get("booktitle") or b.get("journal") or b.get("howpublished") or "")
    for field, key, tag in (
        ("volume", "volume", "VL"),
        ("issue", "number", "IS"),
        ("DOI", "doi", "DO"),
        ("edition", "edition", "ET"),
        ("URL", "url", "UR"),
        ("publisher", "publisher", "PB"),
    ):
        assert item.get(field) == b.get(key) == r.get(tag, [None])[0], (item["id"], field)
    note = f"In {held}; " if b["ENTRYTYPE"] == "inbook" else ""
    assert ("note" in item) == ("note" in b) and (note + item.get("note", ""), item.get("note")) == (
        b.get("note", ""),
        r.get("N1", [None])[0],
    )
    return item, b, r


def test_exports_agree_field_by_field():
    config, titles, past = yaml.safe_load((ROOT / "_config.yml").read_text()), cited(), REGISTRY.editions()
    site = config["sphinx"]["config"]["site_url"].rstrip("/")
    for row in rows():
        item, b, r = same_in_all(SITE / "t" / row["tag"], "cite")
        assert item["title"] == titles[row["tag"]] and item["number"] == row["tag"] == r["SE"][0]
        hashes = [row[k][:8] for k in HASHES if k in row]
        assert item["note"] == ", ".join(map(" ".join, zip(("text", "results"), hashes)))
        assert item.get("URL", "") == (f"{site}/t/{row['tag']}/#{'.'.join(hashes)}" if site else "")
        whole = "[Book" in item["title"]
        assert (r["TY"], b["ENTRYTYPE"]) == ((["BOOK"], "book") if whole else (["CHAP"], "inbook"))
        assert ("container-title" in item) != whole
        assert item["author"] == cite.Book(config["title"], config["author"]).names()
        assert (item["language"], b["langid"], r["LA"]) == ("en", "english", ["en"])
        assert "-".join(f"{n:02}" for n in item["accessed"]["date-parts"][0]) == r["Y2"][0].replace("/", "-")
        if row["edition"]:  # an edition is cited where it holds the part so, and no other
            then = next(e for e in past if e["version"] == row["edition"])
            assert [then["sections"][row["tag"]][k] for k in HASHES] == [row.get(k, "") for k in HASHES]
            assert item["edition"] == row["edition"]
        else:
            assert re.fullmatch(
                r"draft of \d{4}-\d\d-\d\d(, commit [0-9a-f]{10}( and later changes)?)?", item["edition"]
            )


def test_the_source_of_a_chapter_stands_alone_in_files_of_its_own():
    """So two tags of a chapter bring no key twice, and what was cited beside them is one file."""
    for slug in records.slugs():
        assert same_in_all(SITE / "t" / "source", slug)[0]["id"] == slug
    keys = [re.findall(r"(?m)^@\w+\{(.+),$", path.read_text()) for path in (SITE / "t").glob("*/*.bib")]
    assert all(len(found) == 1 for found in keys) and len({key for (key,) in keys}) == len(keys)
    for row in rows():
        page = (SITE / "t" / row["tag"] / "index.html").read_text()
        slug = Path(row["page"]).stem
        assert (f'href="../source/{slug}.bib"' in page) == (slug in records.slugs()), row["tag"]


def test_vancouver_text_has_every_field():
    for row in rows():
        folder = SITE / "t" / row["tag"]
        line = (folder / "cite.txt").read_text()
        (item,) = json.loads((folder / "cite.json").read_text())
        for field in ("title", "container-title", "edition", "number", "note", "URL"):
            words = " ".join(item.get(field, "").split())
            assert words[1:] in line, (row["tag"], field)  # a draft and a text begin with a capital there
        assert all(n.get("literal", n.get("family")) in line for n in item.get("author", [])), row["tag"]


def test_tag_pages_are_small_and_complete_without_scripts():
    for row in rows():
        folder = SITE / "t" / row["tag"]
        page = (folder / "index.html").read_text()
        size = len(
            re.sub(r'<svg.*?</svg>|<fieldset.*?</fieldset>|<p class="state.*?</p>', "", page, flags=re.DOTALL).encode()
        )
        assert size <= 16_384, f"{row['tag']}: {size} bytes besides its drawing"
        assert f'href="../../{html.escape(row["url"])}"' in page
        assert (
            page.count("<script") == 2
            and page.count('<script type="application/ld+json">') == 1
            and 'http-equiv="refresh' not in page.lower()
        )
        shown = [html.unescape(t) for t in re.findall(r'<pre id="\w+"[^>]*>(.*?)</pre>', page, re.DOTALL)]
        assert shown == [(folder / f"cite.{kind}").read_text() for kind in ("txt", "bib", "ris", "json")], row["tag"]
        assert re.findall(r'<a href="(cite\.\w+)" download>', page) == ["cite.txt", "cite.bib", "cite.ris", "cite.json"]
        state = ".".join(row[k][:8] for k in HASHES if k in row)
        assert page.count(f'id="{state}"') == 1 and f'href="#{state}"' in page and "lib verify" not in page


def zotero_embedded(text):
    """Zotero's "Embedded Metadata" on Highwire tags: the item type from the container's tag, then the fields."""
    metas = [(n, html.unescape(v)) for n, v in re.findall(r'<meta name="([^"]*)" content="([^"]*)">', text) if v]
    kinds = {
        "citation_journal_title": "journalArticle",
        "citation_technical_report_institution": "report",
        "citation_conference_title": "conferencePaper",
        "citation_conference": "conferencePaper",
        "citation_book_title": "bookSection",
        "citation_inbook_title": "bookSection",
        "citation_dissertation_institution": "thesis",
    }
    fields = {
        "citation_title": "title",
        "citation_publication_date": "date",
        "citation_inbook_title": "publicationTitle",
        "citation_public_url": "url",
        "citation_language": "language",
        "citation_firstpage": "pages",
        "prism.edition": "edition",
    }
    item = {"itemType": "journalArticle" if any(n == "citation_title" for n, _ in metas) else "webpage"}
    item |= {"itemType": kinds[n] for n, _ in metas if n in kinds}
    item |= {fields[n]: v for n, v in reversed(metas) if n in fields}  # of repeated tags the first counts
    return item | {"creators": [v for n, v in metas if n == "citation_author"]}


def zotero_coins(title):
    """Zotero's reading of a COinS span: a book's item of genre bookitem is a book section."""
    pairs = [part.split("=", 1) for part in title.split("&")]
    told = {k: unquote(v.replace("+", " ")) for k, v in pairs}
    assert told["ctx_ver"] == "Z39.88-2004" and told["rft_val_fmt"] == "info:ofi/fmt:kev:mtx:book"
    if ["rft.genre", "bookitem"] in pairs:
        item = {"itemType": "bookSection", "title": told["rft.atitle"], "publicationTitle": told["rft.btitle"]}
        item |= {"pages": told["rft.pages"]}
    else:
        item = {"itemType": "book", "title": told["rft.btitle"]}
    item |= {"edition": told["rft.edition"], "date": told.get("rft.date")}
    return item | {"creators": [unquote(v.replace("+", " ")) for k, v in pairs if k in ("rft.au", "rft.aucorp")]}


def test_zotero_reads_book_sections():
    """A page is its first section, by COinS too, the front page the book; the page of a tag is that part alone."""
    config, titles = yaml.safe_load((ROOT / "_config.yml").read_text()), cited()
    title, names = config["title"], cite.Book(config["title"], config["author"]).names()
    highwire = [f"{n['literal']}," if "literal" in n else f"{n['family']}, {n['given']}" for n in names]
    coins = [n.get("literal") or f"{n['family']}, {n['given']}" for n in names]
    for row in rows():
        (item,) = json.loads((SITE / "t" / row["tag"] / "cite.json").read_text())
        day = "-".join(f"{n:02}" for n in item["issued"]["date-parts"][0])
        known = {"title": titles[row["tag"]], "edition": item["edition"]}
        section = {"itemType": "bookSection", "publicationTitle": title, "pages": row["tag"]}
        wanted = known | ({} if item["type"] == "book" else section)
        texts = [(SITE / "t" / row["tag"] / "index.html").read_text()]
        if row == next(r for r in rows() if r["page"] == row["page"]):
            texts.append((SITE / row["page"]).read_text())
            spans = [zotero_coins(html.unescape(x)) for x in re.findall(r'class="Z3988" title="([^"]*)"', texts[1])]
            kind = {"itemType": "book"} if item["type"] == "book" else section
            assert spans == [kind | known | {"date": day, "creators": coins}], row["page"]
        for text in texts:
            found = zotero_embedded(text)
            assert found.items() >= (wanted | {"date": day.replace("-", "/"), "creators": highwire}).items(), row["tag"]


def test_json_ld_names_each_part():
    for page in pages():
        text = (SITE / f"{page}.html").read_text()
        data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)[1])
        first, *parts = [r for r in rows() if r["page"] == f"{page}.html"]
        whole = page == "index"
        assert (data["@context"], data["@type"]) == ("https://schema.org", "Book" if whole else "Chapter")
        title = yaml.safe_load((ROOT / "_config.yml").read_text())["title"] if whole else first["title"]
        assert (data["name"], data["identifier"]) == (title, first["tag"])
        assert (whole or data["isPartOf"]["@type"] == "Book") and data["author"]
        inside = data.get("hasPart", [])
        assert [(p["identifier"], p["name"]) for p in inside] == [(r["tag"], r["title"]) for r in parts]
        assert [p["@type"] for p in inside] == [metadata.SCHEMA[r["kind"]] for r in parts]
        assert ("citation" in data) == (Path(page).stem in records.slugs())


def test_other_books_can_cite_ours_by_label(tmp_path):
    """A book of another house, with our ``objects.inv`` and Sphinx's own extension, nothing of ours."""
    sections = [r for r in rows() if r["kind"] == "section"][:3]
    drawn = [next(r for r in rows() if r["kind"] == kind) for kind in ("figure", "table")]
    (tmp_path / "conf.py").write_text(
        "extensions = ['sphinx.ext.intersphinx']\n"
        f"intersphinx_mapping = {{'ir': ('https://book.example', {str(SITE / 'objects.inv')!r})}}\n"
    )
    said = [f":ref:`ir:{r['label']}`" for r in sections] + [f":ref:`see <ir:{r['label']}>`" for r in drawn]
    (tmp_path / "index.rst").write_text("Another\n=======\n\n" + "\n\n".join(said) + "\n")
    args = [sys.executable, "-m", "sphinx", "-W", "-n", "-q", "-b", "html", str(tmp_path), str(tmp_path / "out")]
    ran = subprocess.run(args, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    page = (tmp_path / "out" / "index.html").read_text()
    for row in [*sections, *drawn]:
        assert f'href="https://book.example/{row["url"]}"' in page, row["label"]


def test_every_label_is_in_the_inventory():
    import sphinx.util.inventory

    with (SITE / "objects.inv").open("rb") as file:
        held = sphinx.util.inventory.InventoryFile.load(file, "", lambda base, path: path)
    for row in rows():
        if row["kind"] in ("section", "figure", "table"):
            assert held["std:label"][row["label"]][2] == row["url"], row["label"]


def test_a_copied_heading_link_is_the_label():
    for page in pages():
        text = (SITE / f"{page}.html").read_text()
        links = re.findall(r'<a class="headerlink" href="#([^"]*)"', text)
        assert sorted(links) == sorted(
            r["label"] for r in rows() if r["page"] == f"{page}.html" and r["kind"] != "claim"
        ), page


def test_the_crate_keeps_the_specification():
    """RO-Crate 1.1: the two entities that must stand, their properties, a flat graph, and files that exist."""
    crate = json.loads((SITE / "ro-crate-metadata.json").read_text())
    assert crate["@context"] == "https://w3id.org/ro/crate/1.1/context"
    graph = {x["@id"]: x for x in crate["@graph"]}
    assert len(graph) == len(crate["@graph"]) and all("@type" in x for x in graph.values())
    about = graph["ro-crate-metadata.json"]
    assert (
        about["@type"] == "CreativeWork"
        and about["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
        and about["about"] == {"@id": "./"}
    )
    root = graph["./"]
    assert root["@type"] == "Dataset" and root["name"] and root["description"]
    assert re.fullmatch(r"\d{4}(-\d\d-\d\d)?", root["datePublished"])
    assert graph[root["license"]["@id"]].keys() >= {"name", "description"}
    for entity in crate["@graph"]:
        for key, value in entity.items():
            for x in value if isinstance(value, list) else [value]:
                assert not isinstance(x, dict) or x.keys() == {"@id"}, (entity["@id"], key)
                if isinstance(x, dict) and key != "conformsTo":
                    assert x["@id"] in graph, x
            assert not (isinstance(value, list) and len(value) == 1), (entity["@id"], key)
    files = {x["@id"] for x in crate["@graph"] if x["@type"] == "File"}
    folders = {x["@id"] for x in crate["@graph"] if x["@type"] == "Dataset"} - {"./"}
    assert files | folders == {x["@id"] for x in root["hasPart"]} and folders == {"t/", "_static/"}
    held = {p.relative_to(SITE).as_posix() for p in SITE.rglob("*") if p.is_file()}
    alone = {f for f in held if not f.startswith((*folders, "editions/"))}
    assert files == alone - {"ro-crate-metadata.json", "changes.js"}, "every file, and no other"


def test_what_describes_the_book_at_its_top_is_in_step(tmp_path):
    metadata.write(tmp_path, release.book(), *release.DESCRIPTIONS)
    behind = [n for n in release.DESCRIPTIONS if (ROOT / n).read_bytes() != (tmp_path / n).read_bytes()]
    assert not behind, f"{behind} behind _config.yml: `python3 -m lib cff` writes them"


def test_sections_have_the_keys_of_the_contract():
    keys = set("tag label kind title page url edition sha256_text changed state".split())
    assert {r["state"] for r in rows()} <= {"current", "draft", "moved", "withdrawn"}
    assert rows() and all(r.keys() - {"sha256_results"} == keys for r in rows())


@browsed
def test_every_mark_opens_its_files_in_place(reader):
    """What the script puts together in each box of each page is the tag's files to the letter; the links lead there."""
    opened = """() => [...document.querySelectorAll(".cite-mark")].map(mark => {
        mark.click();
        const box = document.querySelector(".cite-box:popover-open");
        const found = {
          tag: mark.dataset.tag, said: [...box.querySelectorAll("dd")].map(e => e.textContent).join("\\n\\n") + "\\n",
          formats: [...box.querySelectorAll("details")].map(
            d => [d.querySelector("summary").textContent, d.querySelector("pre").textContent]),
          copies: [...box.querySelectorAll(".cite-copy")].filter(b => b.textContent === "Copy").length,
          links: [...box.querySelectorAll("a")].map(a => a.getAttribute("href")),
        };
        box.hidePopover();
        return found;
      })"""
    here, seen = reader(), []
    for page in pages():
        up = "../" * page.count("/")
        for box in here.open(f"{page}.html").evaluate(opened):
            folder = SITE / "t" / box["tag"]
            source = SITE / "t" / "source" / f"{Path(page).name}.txt"
            own = [(folder / "cite.txt").read_text(), *([source.read_text()] if source.is_file() else [])]
            assert box["said"] == "\n".join(own)
            assert dict(box["formats"]) == {n: (folder / f).read_text() for n, f, _ in cite.FORMATS[1:]}, box["tag"]
            files = [f"{box['tag']}/{f}" for f in ("index.html", "cite.txt", "cite.bib", "cite.ris", "cite.json")]
            files += [f"source/{source.stem}.{kind}" for kind in ("bib", "ris", "json") if own[1:]]
            assert box["links"] == [f"{up}t/{file}" for file in files]
            assert box["copies"] == len(own) + 4  # and the link
            seen.append(box["tag"])
    assert sorted(seen) == sorted(r["tag"] for r in rows() if r["state"] in ("current", "draft"))


@browsed
@in_both_types
@pytest.mark.parametrize("width", WIDTHS)
def test_a_box_is_worked_by_keyboard_and_copies(reader, width):
    row = next(r for r in rows() if r["kind"] == "section" and Path(r["page"]).stem in records.slugs())
    page = reader(width=width, permissions=["clipboard-read", "clipboard-write"]).open(row["page"])
    mark, box = page.locator(f".cite-mark[data-tag='{row['tag']}']"), page.locator(f"#cite-{row['tag']}")
    mark.focus()
    page.keyboard.press("Enter")
    assert box.is_visible()
    names = []
    for _ in range(5):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.textContent")
        )
    assert names[2:] == ["BibTeX", "Copy BibTeX", "RIS"] and all(n.startswith("Copy") for n in names[:2])
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert box.locator("pre").first.is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    until(page, "document.activeElement.textContent === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()") == (SITE / "t" / row["tag"] / "cite.bib").read_text()
    wide = page.evaluate("(box => box.scrollWidth - box.clientWidth)(document.querySelector('.cite-box:popover-open'))")
    assert wide == 0
    page.keyboard.press("Escape")
    assert not box.is_visible() and page.evaluate("document.activeElement.dataset.tag") == row["tag"]


@browsed
def test_a_box_gives_the_link_to_the_state_and_the_drawing_as_a_file(reader, tmp_path):
    """From disk: the SVG with citation, licence and the inks of the page, the PNG three times as wide as drawn."""
    row = next(r for r in rows() if r["kind"] == "figure" and r["page"].startswith("chapters/"))
    page = reader(permissions=["clipboard-read", "clipboard-write"], accept_downloads=True).open(row["page"])
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.locator(f".cite-mark[data-tag='{row['tag']}']").click()
    box = page.locator(f"#cite-{row['tag']}")
    box.get_by_role("button", name=f"Copy link to {row['tag']}").click()
    until(page, f"document.querySelector('#cite-{row['tag']} .cite-files .cite-copy').textContent === 'Copied'")
    state = ".".join(row[k][:8] for k in HASHES if k in row)
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(rf"\S+/t/{row['tag']}/(index\.html)?#{state}", copied)
    got = {}
    for kind in ("svg", "png"):
        with page.expect_download() as download:
            box.get_by_role("button", name=f"Save as {kind.upper()}").click()
        got[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(got[kind])
        assert got[kind].name == f"{row['tag']}.{kind}"
    drawn = ElementTree.parse(got["svg"]).getroot()
    kept = drawn.findtext("{http://www.w3.org/2000/svg}metadata")
    assert (SITE / "t" / row["tag"] / "cite.txt").read_text().strip() in kept and copied in kept
    assert "creativecommons.org/licenses/by/4.0" in kept
    text = got["svg"].read_text("utf-8")
    assert "var(--" not in text and "rgb(31, 39, 48)" in text, "the inks are written out"
    height, width = plt.imread(got["png"]).shape[:2]
    assert (width, height) == tuple(int(3 * float(drawn.get(k))) for k in ("width", "height"))


@browsed
def test_a_box_opens_without_scripts(reader):
    row = next(r for r in rows() if r["kind"] == "figure")
    page = reader(java_script_enabled=False).open(row["page"])
    page.locator(f".cite-mark[data-tag='{row['tag']}']").focus()
    page.keyboard.press("Enter")
    box = page.locator(f"#cite-{row['tag']}")
    assert (SITE / "t" / row["tag"] / "cite.txt").read_text().strip() in " ".join(box.inner_text().split())
    box.get_by_role("link", name=f"t/{row['tag']}").click()
    page.locator("summary", has_text="BibTeX").click()
    assert page.locator("pre").count() == 4 and "@inbook" in page.locator("#bib").inner_text()
    source = (SITE / "t" / "source" / f"{Path(row['page']).stem}.txt").read_text().strip()
    assert source in " ".join(page.locator("main").inner_text().split())


@browsed
def test_a_tag_page_copies(reader):
    row = rows()[0]
    page = reader(permissions=["clipboard-read", "clipboard-write"]).open(f"t/{row['tag']}/index.html")
    page.locator("summary", has_text="RIS").click()
    page.get_by_role("button", name="Copy RIS").click()
    assert page.locator("details[open] button").inner_text() == "Copied"
    assert (
        page.evaluate("navigator.clipboard.readText()").strip()
        == (SITE / "t" / row["tag"] / "cite.ris").read_text().strip()
    )


@browsed
def test_a_tag_page_says_first_what_a_visitor_comes_for(reader):
    claim = next(c for c in json.loads((SITE / "ledger.json").read_text("utf-8"))["claims"] if c["id"] == "CML-37")
    page = reader(java_script_enabled=False).open(f"t/{claim['tag']}/index.html")
    said = page.locator(".shown").inner_text()
    assert all(
        words in said for words in (known_by(claim), claim["later"]["verdict"], claim["reported"], claim["recomputed"])
    )
    assert claim["reason"].rstrip(".") in said
    assert page.locator(".shown").bounding_box()["y"] < page.locator("summary").first.bounding_box()["y"]
    assert not page.locator("pre").first.is_visible(), "the formats are folded"
    parts = rows()
    table = next(r for r in parts if r["label"] == "tab-mpi-kinds")
    page.goto(f"{SITE.as_uri()}/t/{table['tag']}/index.html")
    with (SITE / "data" / f"{table['label']}.csv").open(encoding="utf-8") as file:
        cells = [cell for line in csv.reader(file) for cell in line]
    assert (
        page.locator(".shown a[download]").is_visible()
        and cells[0].split(" (")[0] in page.locator(".shown").inner_text()
    )
    section = next(r for r in parts if r["label"] == "cml-steps")
    page.goto(f"{SITE.as_uri()}/t/{section['tag']}/index.html")
    assert page.locator(".inside a", has_text="CML-37").count() == 1 and len(page.locator(".shown").inner_text()) > 100
    chapter = next(r for r in parts if r["label"] == "cml-stopping")
    page.goto(f"{SITE.as_uri()}/t/{chapter['tag']}/index.html")
    assert page.locator(".shown").inner_text().endswith("?"), "the question, and not what stands below the sections"


@browsed
@pytest.mark.parametrize("width", WIDTHS)
def test_the_tag_page_of_a_figure_draws_it(reader, width):
    page, drawn = reader(width=width).open("index.html"), "[role=img].drawing:visible"
    figures = [r for r in rows() if r["kind"] == "figure"]
    for row in (figures[0], figures[-1]):
        page.goto(f"{SITE.as_uri()}/{row['url']}")
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        said = page.locator(f"#{row['label']} {drawn}").get_attribute("aria-label")
        page.goto(f"{SITE.as_uri()}/t/{row['tag']}/index.html")
        drawing = page.locator(f".shown {drawn}")
        assert drawing.count() == 1 and drawing.get_attribute("aria-label") == said
        inks = drawing.evaluate(
            "s => [...new Set([...s.querySelectorAll('path, use, text')].map(e => getComputedStyle(e).fill))]"
        )
        assert len(inks) > 2, "the inks of the page"


@browsed
def test_a_tag_page_takes_the_theme_of_the_reader(reader):
    page = reader(theme="light").open("index.html")
    page.get_by_role("button", name="Dark theme").click()
    page.goto(f"{SITE.as_uri()}/t/{rows()[0]['tag']}/index.html", wait_until="commit")
    page.wait_for_selector("h1")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 31)"


@browsed
def test_on_paper_a_mark_is_the_address_of_its_tag(reader):
    row = next(r for r in rows() if r["kind"] == "section" and r["page"].startswith("chapters/"))
    page = reader().open(row["page"])
    page.emulate_media(media="print")
    shown = page.evaluate(
        f"getComputedStyle(document.querySelector('.cite-mark[data-tag=\"{row['tag']}\"]'), '::after').content"
    )
    site = yaml.safe_load((ROOT / "_config.yml").read_text())["sphinx"]["config"]["site_url"].partition("//")[2]
    assert "".join(re.findall(r'"([^"]*)"', shown)) == (f"{site}/" if site else "") + f"t/{row['tag']}"
