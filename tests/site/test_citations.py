"""Every export of every tag says the same thing, read back by parsers that did not write it."""

import html
import json
import re
from pathlib import Path
from urllib.parse import parse_qs

import bibtexparser
import pytest
import yaml

from lib import ROOT, registry, sources
from lib.book import cite

SITE = ROOT / "_build" / "html"
pytestmark = pytest.mark.skipif(not (SITE / "sections.json").is_file(), reason="no built site: run `make site` first")


def ris_records(text):
    """A reader of RIS from its definition: two characters, two spaces, a hyphen, a space, the value; ER ends a record."""
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
    return bibtex.replace("{", "").replace("}", "").replace("\\&", "&").replace("\\%", "%").replace("\\_", "_").replace("\\#", "#").replace("\\$", "$")


def rows():
    return json.loads((SITE / "sections.json").read_text()) if SITE.is_dir() else []


def test_every_tag_has_its_page():
    lacking = [r["tag"] for r in rows() if not (SITE / "t" / r["tag"] / "index.html").is_file()]
    assert rows() and not lacking


def test_exports_agree_field_by_field():
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    for row in rows():
        folder = SITE / "t" / row["tag"]
        csl = json.loads((folder / "cite.json").read_text())
        bib = bibtexparser.loads((folder / "cite.bib").read_text()).entries
        ris = ris_records((folder / "cite.ris").read_text())
        assert len(csl) == len(bib) == len(ris) == (2 if Path(row["page"]).stem in sources.slugs() else 1), row["tag"]
        assert csl[0]["title"] == row["title"] and csl[0]["number"] == row["tag"]
        for item, b, r in zip(csl, bib, ris):
            assert plain(b["title"]) == item["title"] == r["TI"][0]
            year = str(item["issued"]["date-parts"][0][0]) if "issued" in item else None
            assert b.get("year") == year == r.get("PY", [None])[0]
            names = [n.get("literal") or f"{n['family']}, {n['given']}" for n in item.get("author", [])]
            assert names == r.get("AU", []) == ([plain(n) for n in b["author"].split(" and ")] if "author" in b else [])
            assert b.get("url") == item.get("URL") == r.get("UR", [None])[0]
            held = item.get("container-title")
            assert held == (r.get("T2") or r.get("JO") or [None])[0] == plain(b.get("booktitle") or b.get("journal") or b.get("howpublished") or "") or held is None
            for field, key, tag in (("volume", "volume", "VL"), ("issue", "number", "IS"), ("DOI", "doi", "DO"), ("edition", "edition", "ET")):
                assert item.get(field) == b.get(key) == r.get(tag, [None])[0], (row["tag"], field)
        assert csl[0]["author"] == cite.Book(config["title"], config["author"], "", "", "", "").names()


def test_vancouver_stands_on_the_tag_page_with_every_field():
    for row in rows():
        folder = SITE / "t" / row["tag"]
        text = html.unescape((folder / "index.html").read_text())
        said = text.split("<dt>Vancouver</dt>")[1].split("</pre>")[0]
        for item in json.loads((folder / "cite.json").read_text()):
            for field in ("title", "container-title", "volume", "number", "URL"):
                if field in item and not (field == "number" and item["type"] != "chapter"):
                    assert " ".join(item[field].split()).rstrip(".") in said, (row["tag"], field)


def test_tag_pages_are_small_and_complete_without_scripts():
    for row in rows():
        page = (SITE / "t" / row["tag"] / "index.html").read_text()
        assert len(page.encode()) <= 8192, f"{row['tag']}: {len(page.encode())} bytes"
        assert f'href="../../{html.escape(row["url"])}"' in page
        assert "<script src" not in page and "http-equiv=\"refresh" not in page.lower()


def test_pages_carry_book_section_metadata():
    """Zotero's embedded-metadata rules make a bookSection of a page that has citation_inbook_title."""
    for page in registry.pages():
        text = (SITE / f"{page}.html").read_text()
        metas = dict(re.findall(r'<meta name="(citation_[a-z_]+)" content="([^"]*)">', text))
        assert {"citation_title", "citation_author", "citation_inbook_title", "citation_publication_date"} <= metas.keys(), page
        data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)[1].replace("<\\/", "</"))
        assert data["@type"] == "Chapter" and data["name"] == html.unescape(metas["citation_title"])
        parts = [r for r in rows() if r["page"] == f"{page}.html"]
        assert [p["identifier"] for p in data["hasPart"]] == [r["tag"] for r in parts[1:]]
        spans = [parse_qs(html.unescape(s)) for s in re.findall(r'class="Z3988" title="([^"]*)"', text)]
        assert [s["rft.atitle"][0] for s in spans] == [r["title"] for r in parts]
        for row in parts:
            assert f'popovertarget="cite-{row["tag"]}"' in text and f'id="cite-{row["tag"]}"' in text, row["label"]


def test_other_books_can_cite_ours_by_label():
    import sphinx.util.inventory

    with (SITE / "objects.inv").open("rb") as file:
        held = sphinx.util.inventory.InventoryFile.load(file, "", lambda base, path: path)
    for row in rows():
        if row["kind"] in ("section", "figure", "table"):
            assert held["std:label"][row["label"]][2] == row["url"], row["label"]
