"""Every export of every tag says the same thing, read back by parsers that did not write it."""

import csv
import html
import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import bibtexparser
import pytest
import yaml
from browser import WIDTHS, browsed, in_both_types, until

from lib import ROOT, records
from lib.house import release
from lib.house.parts import pages
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
    return json.loads((SITE / "sections.json").read_text()) if SITE.is_dir() else []


def cited() -> dict[str, str]:
    """The title each tag is cited by: its own, behind that of the page, which is the page's first part."""
    first, found = {}, {}
    for row in rows():
        page = first.setdefault(row["page"], row)
        found[row["tag"]] = row["title"] if page is row else f"{page['title']}: {row['title']}"
    return found


def test_every_tag_has_its_page():
    lacking = [r["tag"] for r in rows() if not (SITE / "t" / r["tag"] / "index.html").is_file()]
    assert rows() and not lacking


def test_exports_agree_field_by_field():
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    titles = cited()
    every = rows()
    texts = [(SITE / "t" / row["tag"] / "cite.bib").read_text() for row in every]
    entries = iter(bibtexparser.loads("\n".join(texts)).entries)  # one by one it takes four times as long
    for row, text in zip(every, texts):
        folder = SITE / "t" / row["tag"]
        csl = json.loads((folder / "cite.json").read_text())
        bib = [next(entries) for _ in re.findall(r"(?m)^@", text)]
        ris = ris_records((folder / "cite.ris").read_text())
        assert len(csl) == len(bib) == len(ris) == (2 if Path(row["page"]).stem in records.slugs() else 1), row["tag"]
        assert csl[0]["title"] == titles[row["tag"]] and csl[0]["number"] == row["tag"]
        for item, b, r in zip(csl, bib, ris):
            assert plain(b["title"]) == item["title"] == r["TI"][0]
            assert item["id"] == b["ID"] == r["ID"][0]
            year = str(item["issued"]["date-parts"][0][0]) if "issued" in item else None
            assert b.get("year") == year == r.get("PY", [None])[0]
            names = [n.get("literal") or f"{n['family']}, {n['given']}" for n in item.get("author", [])]
            assert names == r.get("AU", []) == ([plain(n) for n in b["author"].split(" and ")] if "author" in b else [])
            assert b.get("url") == item.get("URL") == r.get("UR", [None])[0]
            held = item.get("container-title")
            assert (
                held
                == (r.get("T2") or r.get("JO") or [None])[0]
                == plain(b.get("booktitle") or b.get("journal") or b.get("howpublished") or "")
                or held is None
            )
            for field, key, tag in (
                ("volume", "volume", "VL"),
                ("issue", "number", "IS"),
                ("DOI", "doi", "DO"),
                ("edition", "edition", "ET"),
            ):
                assert item.get(field) == b.get(key) == r.get(tag, [None])[0], (row["tag"], field)
        assert (
            csl[0]["note"]
            == ", ".join(f"{k.partition('_')[2]} {row[k][:8]}" for k in HASHES if k in row)
            == ris[0]["N1"][0]
        )
        assert bib[0]["note"] == f"Section {row['tag']}, {csl[0]['note']}" and ris[0]["SE"] == [row["tag"]]
        assert [r["TY"][0] for r in ris[:1]] + [b["ENTRYTYPE"] for b in bib[:1]] == ["CHAP", "incollection"]
        assert csl[0]["author"] == cite.Book(config["title"], config["author"], "", "", "", "").names()
    assert not list(entries)


def test_vancouver_text_has_every_field():
    for row in rows():
        folder = SITE / "t" / row["tag"]
        said = (folder / "cite.txt").read_text().split("\n\n")
        records = json.loads((folder / "cite.json").read_text())
        assert len(said) == len(records)
        for line, item in zip(said, records):
            for field in ("title", "container-title", "volume", "issue", "number", "note", "URL"):
                assert " ".join(item.get(field, "").split()).rstrip(".") in line, (row["tag"], field)
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
        assert page.count("<script") == 1 and 'http-equiv="refresh' not in page.lower()
        shown = [html.unescape(t) for t in re.findall(r'<pre id="\w+"[^>]*>(.*?)</pre>', page, re.DOTALL)]
        assert shown == [(folder / f"cite.{kind}").read_text() for kind in ("txt", "bib", "ris", "json")], row["tag"]
        assert re.findall(r'<a href="(cite\.\w+)" download>', page) == ["cite.txt", "cite.bib", "cite.ris", "cite.json"]
        state = ".".join(row[k][:8] for k in HASHES if k in row)
        assert f'<a id="{state}" href="#{state}">' in page and "lib verify" not in page


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
    item = {"itemType": "bookSection" if ["rft.genre", "bookitem"] in pairs else "book", "title": told["rft.atitle"]}
    item |= {"publicationTitle": told["rft.btitle"], "edition": told["rft.edition"], "date": told.get("rft.date")}
    return item | {"creators": [unquote(v.replace("+", " ")) for k, v in pairs if k in ("rft.au", "rft.aucorp")]}


def test_zotero_reads_book_sections():
    """A page is its first section, by COinS too; the page of a tag is that part alone."""
    config, titles = yaml.safe_load((ROOT / "_config.yml").read_text()), cited()
    title, edition, year = (
        config["title"],
        config["sphinx"]["config"]["edition"],
        config["sphinx"]["config"]["edition_year"],
    )
    names = [
        n.get("literal") or f"{n['family']}, {n['given']}"
        for n in cite.Book(title, config["author"], "", "", "", "").names()
    ]
    common = {"itemType": "bookSection", "publicationTitle": title, "date": year, "creators": names}
    for page in pages():
        text = (SITE / f"{page}.html").read_text()
        parts = [r for r in rows() if r["page"] == f"{page}.html"]
        assert zotero_embedded(text).items() >= (common | {"title": parts[0]["title"]}).items(), page
        spans = [zotero_coins(html.unescape(s)) for s in re.findall(r'class="Z3988" title="([^"]*)"', text)]
        assert spans == [common | {"title": titles[parts[0]["tag"]], "edition": edition}], page
    for row in rows():
        text = (SITE / "t" / row["tag"] / "index.html").read_text()
        assert zotero_embedded(text).items() >= (common | {"title": titles[row["tag"]]}).items(), row["tag"]


def test_json_ld_names_each_part():
    for page in pages():
        text = (SITE / f"{page}.html").read_text()
        data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)[1])
        first, *parts = [r for r in rows() if r["page"] == f"{page}.html"]
        assert (data["@context"], data["@type"]) == ("https://schema.org", "Chapter")
        assert (data["name"], data["identifier"]) == (first["title"], first["tag"])
        assert data["isPartOf"]["@type"] == "Book" and data["author"]
        assert [(p["identifier"], p["name"]) for p in data["hasPart"]] == [(r["tag"], r["title"]) for r in parts]
        assert [p["@type"] for p in data["hasPart"]] == [metadata.SCHEMA[r["kind"]] for r in parts]
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
    assert files == {x["@id"] for x in root["hasPart"]} and not [f for f in files if not (SITE / f).is_file()]
    assert {f"{page}.html" for page in pages()} <= files


def test_citation_cff_is_in_step():
    assert release.CFF.read_text("utf-8") == release.citation_cff(), (
        "CITATION.cff is behind _config.yml: `python -m lib cff` writes it"
    )


def test_sections_have_the_keys_of_the_contract():
    keys = set("tag label kind title page url edition sha256_text changed state".split())
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
          copies: [...box.querySelectorAll(".cite-copy")].length,
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
            assert box["said"] == (folder / "cite.txt").read_text()
            assert dict(box["formats"]) == {n: (folder / f).read_text() for n, f, _ in cite.FORMATS[1:]}, box["tag"]
            assert box["links"] == [
                f"{up}t/{box['tag']}/{f}" for f in ("index.html", "cite.txt", "cite.bib", "cite.ris", "cite.json")
            ]
            assert box["copies"] == len(json.loads((folder / "cite.json").read_text())) + 3
            seen.append(box["tag"])
    assert sorted(seen) == sorted(r["tag"] for r in rows() if r["state"] == "live")


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
def test_a_box_opens_without_scripts(reader):
    row = next(r for r in rows() if r["kind"] == "figure")
    page = reader(java_script_enabled=False).open(row["page"])
    page.locator(f".cite-mark[data-tag='{row['tag']}']").focus()
    page.keyboard.press("Enter")
    box = page.locator(f"#cite-{row['tag']}")
    said = (SITE / "t" / row["tag"] / "cite.txt").read_text().split("\n\n")
    assert all(line.strip() in " ".join(box.inner_text().split()) for line in said)
    box.get_by_role("link", name=f"t/{row['tag']}").click()
    page.locator("summary", has_text="BibTeX").click()
    assert page.locator("pre").count() == 4 and "@incollection" in page.locator("#bib").inner_text()


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
