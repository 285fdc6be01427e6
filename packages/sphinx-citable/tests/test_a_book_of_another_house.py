"""A small Sphinx book that has nothing to do with interferon: tags, citations, verification, two editions."""

import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

CONF = """project = "Tides of the Wadden Sea"
author = "Jansen, Wiebke; Harbour Office"
extensions = ["sphinx_citable"]
site_url = "https://tides.example"
html_theme = "alabaster"
"""
INDEX = """Tides
=====

.. toctree::

   harbours
"""
HARBOURS = """.. _harbours:

Harbours
========

Every harbour has its hour.

.. _high-water:

High water
----------

It comes twice a day.

.. _mean-heights:

.. table:: Mean heights

   ========  ======
   harbour   metres
   ========  ======
   Büsum     3.5
   Husum     3.4
   ========  ======

.. _low-water:

Low water
---------

It comes twice a day, too.
"""


class Book:
    """The book in a folder, and what is asked of it."""

    def __init__(self, top: Path):
        self.top, self.site = top, top / "out"
        (top / "conf.py").write_text(CONF)
        (top / "index.rst").write_text(INDEX)
        (top / "harbours.rst").write_text(HARBOURS)

    def ran(self, *args: str) -> subprocess.CompletedProcess:
        env = os.environ | {"SOURCE_DATE_EPOCH": "1764288000"}
        return subprocess.run([sys.executable, "-m", *args], cwd=self.top, env=env, capture_output=True, text=True)

    def done(self, *args: str) -> str:
        ran = self.ran(*args)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def build(self, edition: str = "") -> dict[str, dict]:
        """The site built afresh, for an edition that is pending: its parts by label."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CITABLE_EDITION", edition)
            self.done("sphinx", "-E", "-a", "-W", "-q", "-b", "html", ".", "out")
        return {row["label"]: row for row in json.loads((self.site / "sections.json").read_text())}

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.top / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def cited(self, row: dict) -> str:
        return (self.site / "t" / row["tag"] / "cite.txt").read_text()

    def verify(self, row: dict) -> str:
        hashes = [row[key][:8] for key in ("sha256_text", "sha256_results") if key in row]
        return self.ran("sphinx_citable", "verify", row["tag"], *hashes).stdout.partition(": ")[2].strip()


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("tides"))
    book.done("sphinx_citable", "tags")
    book.first = book.build()
    return book


def test_labels_get_tags_once(book):
    assert list(book.first) == ["harbours", "high-water", "mean-heights", "low-water"]
    assert [row["kind"] for row in book.first.values()] == ["section", "section", "table", "section"]
    assert book.done("sphinx_citable", "tags") == "every label has its tag\n"
    rows = (book.top / "registry" / "tags.csv").read_text().splitlines()
    assert len(rows) == 5 and all(row["tag"] in "".join(rows) for row in book.first.values())


def test_a_label_without_a_tag_is_a_warning_that_says_what_to_do(tmp_path):
    book = Book(tmp_path)
    ran = book.ran("sphinx", "-q", "-b", "html", ".", "out")
    assert "label harbours has no tag: run `sphinx-citable tags`" in ran.stderr


def test_every_part_has_a_mark_a_box_and_a_page_of_its_own(book):
    page = (book.site / "harbours.html").read_text()
    for row in book.first.values():
        assert page.count(f'data-tag="{row["tag"]}"') == 1 and page.count(f'id="cite-{row["tag"]}"') == 1
        folder = book.site / "t" / row["tag"]
        assert f'href="../../{row["url"]}"' in (folder / "index.html").read_text()
        (item,) = json.loads((folder / "cite.json").read_text())
        state = ".".join(row[key][:8] for key in ("sha256_text", "sha256_results") if key in row)
        assert item["URL"] == f"https://tides.example/t/{row['tag']}/#{state}"
        assert item["edition"] == "draft of 2025-11-28" and row["edition"] == "" and row["state"] == "draft"
        assert item["author"] == [{"family": "Jansen", "given": "Wiebke"}, {"literal": "Harbour Office"}]
        assert {p.name for p in folder.iterdir()} == {"index.html", "cite.txt", "cite.bib", "cite.ris", "cite.json"}
    row = book.first["high-water"]
    said = book.cited(row)
    start = (
        f"Jansen W, Harbour Office. Harbours: High water [Section {row['tag']}]. In: Tides of the Wadden Sea [Internet]"
    )
    assert said.startswith(start)
    assert "interferon" not in page.lower()


def test_a_part_that_prints_no_result_cites_none(book):
    rows = book.first
    with_results = {label for label, row in rows.items() if "sha256_results" in row}
    assert with_results == {"harbours", "high-water", "mean-heights"}
    page = (book.site / "harbours.html").read_text()
    for label, row in rows.items():
        folder, text = book.site / "t" / row["tag"], row["sha256_text"][:8]
        results = row["sha256_results"][:8] if label in with_results else ""
        note = f"text {text}, results {results}" if results else f"text {text}"
        for name in ("cite.txt", "cite.bib", "cite.ris", "cite.json", "index.html"):
            said = (folder / name).read_text()
            assert note in said.replace("Text", "text") and ("results" in said) is bool(results), (label, name)
        assert f'href="#{text}{"." * bool(results)}{results}">Link to this state' in said
        (box,) = re.findall(f'<div popover id="cite-{row["tag"]}".*?</div>', page)
        assert ("data-results" in box) is ("results" in box) is bool(results)


def test_pages_tell_machines_what_they_are(book):
    page = (book.site / "harbours.html").read_text()
    row = book.first["harbours"]
    assert f'<meta name="citation_title" content="Harbours [Section {row["tag"]}]">' in page
    data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)[1])
    assert [p["@type"] for p in data["hasPart"]] == ["CreativeWork", "Table", "CreativeWork"]
    crate = json.loads((book.site / "ro-crate-metadata.json").read_text())
    assert {x["@id"] for x in crate["@graph"]} >= {"./", "harbours.html", "sections.json"}


def test_the_search_and_the_inventory_know_parts_by_tag(book):
    index = (book.site / "searchindex.js").read_text()
    assert all(row["tag"] in index for row in book.first.values())


def test_two_editions_and_what_became_of_each_part(book):
    for _ in range(2):  # what was interrupted is begun again, and nothing was promised
        assert book.done("sphinx_citable", "edition", "1.0").startswith("edition 1.0 is pending")
    assert {row["state"] for row in book.build().values()} == {"draft"}
    assert not (book.top / "registry" / "editions").exists()
    refused = book.ran("sphinx_citable", "freeze", "1.0", "out", "dist/tides-1.0.zip")
    assert refused.returncode == 2 and "not the edition of the built site" in refused.stderr
    first = book.build("1.0")
    assert {(row["edition"], row["state"]) for row in first.values()} == {("1.0", "current")}
    assert ". Edition 1.0. 2025 [cited 2025 Nov 28]. " in book.cited(first["low-water"])
    said = book.done("sphinx_citable", "freeze", "1.0", "out", "dist/tides-1.0.zip")
    assert said.splitlines()[-1] == "dist/tides-1.0.zip"
    with zipfile.ZipFile(book.top / "dist" / "tides-1.0.zip") as archive:
        sums = dict(reversed(line.split("  ")) for line in archive.read("SHA256SUMS").decode().splitlines())
        assert all(hashlib.sha256(archive.read(name)).hexdigest() == value for name, value in sums.items())
        assert 'content="1.0"' in archive.read("harbours.html").decode()
        tag = f"t/{first['low-water']['tag']}/"
        page = archive.read(f"{tag}index.html").decode()
        assert "This page is of edition 1.0." in page and f'href="https://tides.example/{tag}">What became' in page
    (entry,) = (json.loads(p.read_text()) for p in (book.top / "registry" / "editions").iterdir())
    assert entry["sha256"] == hashlib.sha256((book.top / "dist" / entry["archive"]).read_bytes()).hexdigest()
    assert not (book.top / "registry" / "pending.json").exists()
    assert book.verify(first["high-water"]) == "same text and results (as in edition 1.0)"

    book.edit("harbours.rst", "3.4", "3.6")
    book.edit("harbours.rst", "twice a day, too", "after six hours")
    second = book.build()
    moved = book.verify(first["mean-heights"])
    assert moved == "results changed (table mean-heights from 3.4 to 3.6) since edition 1.0"
    assert book.verify(first["low-water"]) == "text changed since edition 1.0"
    assert book.verify(second["low-water"]) == "same text and results (a draft: no edition holds it)"
    assert book.verify(first["low-water"] | {"sha256_text": "0" * 64}).startswith(
        "not a state of any edition up to 1.0"
    )
    assert (second["low-water"]["edition"], second["low-water"]["state"]) == ("", "draft")
    assert ". Draft of 2025-11-28. 2025 [cited 2025 Nov 28]. " in book.cited(first["low-water"])
    assert second["mean-heights"]["changed"] == "" and second["mean-heights"]["tag"] == first["mean-heights"]["tag"]
    history = (book.site / "t" / first["low-water"]["tag"] / "index.html").read_text()
    assert "Edition 1.0, 2025-11-28: first stands here" in history and "since edition 1.0: text changed" in history
    assert first["low-water"]["tag"] in (book.site / "changes.js").read_text()

    assert book.done("sphinx_citable", "unpack", "out", "dist") == "unpacked: 1.0\n"
    assert (book.site / "editions" / "1.0" / "harbours.html").is_file()
    with (book.top / "dist" / "tides-1.0.zip").open("ab") as archive:
        archive.write(b"!")
    refused = book.ran("sphinx_citable", "unpack", "out", "dist")
    assert refused.returncode == 2 and "tides-1.0.zip is not the archive that was released" in refused.stderr
    refused = book.ran("sphinx_citable", "edition", "1.0")
    assert refused.returncode == 2 and refused.stderr.startswith("edition 1.0 exists")


def test_a_part_that_goes_needs_a_reason_and_its_old_address_arrives(book):
    start = (book.top / "harbours.rst").read_text()
    cut = start[: start.index(".. _low-water:")]
    (book.top / "harbours.rst").write_text(cut)
    ran = book.ran("sphinx", "-E", "-q", "-b", "html", ".", "out")
    assert ran.returncode and "stands nowhere in the book" in ran.stderr
    tags = book.top / "registry" / "tags.csv"
    tags.write_text(
        tags.read_text().replace("low-water,section,live,", "low-water,section,merged,now part of high-water")
    )
    rows = book.build()
    gone, page = rows["low-water"], (book.site / "harbours.html").read_text()
    assert gone["state"] == "moved" and f'<p id="low-water" class="moved">Moved: <a href="t/{gone["tag"]}/' in page
    said = (book.site / "t" / gone["tag"] / "index.html").read_text()
    assert "<strong>Merged</strong>: now part of high-water" in said and 'href="../../harbours.html#high-water"' in said


SET = """citable_publisher = "Harbour Press"
citable_editors = "Weiß, Eva"
citable_funder = "Tidal Fund"
citable_doi = "10.5072/tides"
citable_orcid = {"Jansen, Wiebke": "0000-0002-1825-0097"}
citable_license = ["https://creativecommons.org/licenses/by/4.0/", "CC BY 4.0", "Attribution"]
citable_abstract = "When the water comes."
"""
ORCID = "https://orcid.org/0000-0002-1825-0097"


@pytest.fixture(scope="module", params=["set", "unset"])
def told(request, tmp_path_factory):
    """Whether the optional fields are set, the book, and what its machine-readable files hold."""
    made = Book(tmp_path_factory.mktemp("told"))
    if request.param == "set":
        (made.top / "conf.py").write_text(CONF + SET)
        made.edit("index.rst", "Tides\n", ".. _tides:\n\nTides\n")
    else:
        made.edit("conf.py", 'site_url = "https://tides.example"\n', "")
    made.done("sphinx_citable", "tags")
    made.rows = made.build()
    held = {name: json.loads((made.site / name).read_text()) for name in ("codemeta.json", "datacite.json")}
    held["CITATION.cff"] = yaml.safe_load((made.site / "CITATION.cff").read_text())
    crate = json.loads((made.site / "ro-crate-metadata.json").read_text())
    held["crate"] = {x["@id"]: x for x in crate["@graph"]}
    return request.param == "set", made, held


def linked(page: str) -> list[tuple[str, str]]:
    """The typed links in the head of a page, in order."""
    tags = re.findall(r"<link [^>]*>", page)
    found = [(re.search(r'rel="([^"]*)"', x)[1], re.search(r'href="([^"]*)"', x)[1]) for x in tags]
    return [
        (rel, to) for rel, to in found if rel in ("cite-as", "author", "license", "type", "describedby", "collection")
    ]


def test_whoever_deposits_or_indexes_the_book_is_told_the_same(told):
    set_, _, held = told
    code, data, cff, root = *list(held.values())[:3], held["crate"]["./"]
    assert {code["name"], data["titles"][0]["title"], cff["title"], root["name"]} == {"Tides of the Wadden Sea"}
    assert {code["version"], data["version"], cff["version"], root["version"]} == {"draft of 2025-11-28"}
    day = {code["datePublished"], data["dates"][0]["date"], cff["date-released"], root["datePublished"]}
    assert day == {"2025-11-28"} and data["publicationYear"] == "2025" and cff["preferred-citation"]["year"] == 2025
    person, group = code["author"]
    assert (person["familyName"], person["givenName"], group["name"]) == ("Jansen", "Wiebke", "Harbour Office")
    assert [a.get("family-names", a.get("name")) for a in cff["authors"]] == ["Jansen", "Harbour Office"]
    assert [c["nameType"] for c in data["creators"]] == ["Personal", "Organizational"]
    people = [held["crate"][x["@id"]] for x in root["author"]]
    assert [x["@type"] for x in people] == ["Person", "Organization"]
    orcids = {person.get("@id"), cff["authors"][0].get("orcid"), people[0]["@id"] if set_ else None}
    orcids |= {(data["creators"][0].get("nameIdentifiers") or [{}])[0].get("nameIdentifier")}
    assert orcids == ({ORCID} if set_ else {None})
    assert {data.get("doi"), cff.get("doi")} == ({"10.5072/tides"} if set_ else {None})
    fields = {"publisher", "funder", "editor", "license", "url", "@id", "abstract"}
    assert fields & code.keys() == (fields if set_ else set()), "what is not set is left out"
    fields = {"publisher", "funder", "editor", "license", "url", "identifier", "description"}
    assert fields & root.keys() == (fields if set_ else set())
    optional = {"publisher", "fundingReferences", "contributors", "rightsList", "url", "doi", "descriptions"}
    assert optional & data.keys() == (optional if set_ else set())
    if set_:
        assert cff["license"] == "CC-BY-4.0" and data["rightsList"][0]["rightsIdentifier"] == "cc-by-4.0"
        assert data["contributors"][0] == {
            "name": "Weiß, Eva", "nameType": "Personal", "givenName": "Eva", "familyName": "Weiß",
            "contributorType": "Editor",
        }  # fmt: skip


def test_pages_and_tags_name_themselves_and_lead_on(told):
    set_, book, _ = told
    row = book.rows["harbours"]
    tag, site = row["tag"], "https://tides.example/"
    for name, up in (("harbours.html", ""), (f"t/{tag}/index.html", "../../")):
        page = (book.site / name).read_text()
        links, here = linked(page), f"{up}t/{tag}/cite"
        described = [("describedby", f"{here}.{kind}") for kind in ("json", "bib", "ris")]
        wanted = [
            ("cite-as", f"{site}t/{tag}/"),
            ("author", ORCID),
            ("license", "https://creativecommons.org/licenses/by/4.0/"),
        ]
        wanted = (wanted if set_ else []) + [("type", "https://schema.org/CreativeWork"), *described]
        assert links == [*wanted, ("collection", f"{up}index.html")], name
        assert all(
            (book.site / name).parent.joinpath(to).resolve().is_file() for rel, to in links if rel == "describedby"
        )
        data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)[1])
        assert data["@id"] == (f"{site}t/{tag}/" if set_ else f"{up}t/{tag}/") and data["@type"] == "Chapter"
        assert [p["identifier"] for p in data.get("hasPart", [])] == (
            [] if up else [r["tag"] for label, r in book.rows.items() if label not in ("harbours", "tides")]
        )
        graph = dict(re.findall(r'<meta property="(og:\w+)" content="([^"]*)">', page))
        assert bool(graph) is set_
        if set_:
            url = site + (f"t/{tag}/" if up else name)
            assert (graph["og:title"], graph["og:url"], graph["og:type"]) == ("Harbours", url, "article")
            assert data["isPartOf"]["@id"] == "https://doi.org/10.5072/tides"
    table = book.rows["mean-heights"]
    page = (book.site / "t" / table["tag"] / "index.html").read_text()
    assert json.loads(re.search(r"ld\+json\">(.*?)</script>", page, re.DOTALL)[1])["@type"] == "Table"


def test_the_site_lists_its_addresses_where_it_has_any_and_the_crate_its_files(told):
    set_, book, held = told
    assert (book.site / "sitemap.xml").is_file() is set_
    if set_:
        found = re.findall("<loc>(.*?)</loc>", (book.site / "sitemap.xml").read_text())
        pages = ["https://tides.example/index.html", "https://tides.example/harbours.html"]
        assert found == [*pages, *(f"https://tides.example/t/{r['tag']}/" for r in book.rows.values())]
        front = linked((book.site / "index.html").read_text())
        assert front[0] == ("cite-as", "https://doi.org/10.5072/tides") and ("describedby", "datacite.json") in front
        (item,) = json.loads((book.site / "t" / book.rows["tides"]["tag"] / "cite.json").read_text())
        assert (item["type"], item["DOI"], item["publisher"]) == ("book", "10.5072/tides", "Harbour Press")
    files = {x["@id"] for x in held["crate"].values() if x["@type"] == "File"}
    on_disk = {p.relative_to(book.site).as_posix() for p in book.site.rglob("*") if p.is_file()}
    alone = {f for f in on_disk if not f.startswith(("t/", "_static/"))}
    assert files == alone - {"ro-crate-metadata.json", "changes.js"}
    names = [held["crate"][f]["name"] for f in ("harbours.html", "sections.json")]
    assert names == ["Harbours", "Every section, figure and table with its tag and hashes"]


@pytest.mark.parametrize(
    "args, says",
    [
        (["verify", "ZZZZ", "12345678"], "unknown: no such tag"),
        (["verify", "2345", "xyz"], "no hash"),
        (["edition", "one"], "no version"),
        (["--source", "nowhere", "tags"], "neither conf.py nor _config.yml"),
    ],
)
def test_bad_input_gets_one_clear_line(book, args, says):
    ran = book.ran("sphinx_citable", *args)
    assert ran.returncode in (1, 2)
    assert says in ran.stdout + ran.stderr and len((ran.stdout + ran.stderr).strip().splitlines()) == 1


def test_a_jupyter_book(tmp_path):
    """The same by ``_config.yml`` and ``_toc.yml``: tags from the command line, marks in the built pages."""
    (tmp_path / "_config.yml").write_text(
        "title: Tides\nauthor: Harbour Office\nsphinx:\n  extra_extensions: [sphinx_citable]\n"
        "  config: {edition: '0.1', html_permalinks_icon: '#'}\n"
    )
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: index\n")
    (tmp_path / "index.md").write_text("(tides)=\n# Tides\n\n(ebb)=\n## Ebb\n\nThe water goes.\n")

    def ran(*args):
        return subprocess.run([sys.executable, "-m", *args], cwd=tmp_path, capture_output=True, text=True)

    told = ran("sphinx_citable", "tags")
    assert told.returncode == 0 and told.stdout.splitlines()[-1] == "2 new tags", told.stderr
    command = "from jupyter_book.cli.main import main; main(['build', '.', '-q'])"
    built = subprocess.run([sys.executable, "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    page = (tmp_path / "_build" / "html" / "index.html").read_text()
    tags = [line.split()[0] for line in told.stdout.splitlines()[:2]]
    assert re.findall(r'class="cite-mark" data-tag="(\w+)"', page) == tags
