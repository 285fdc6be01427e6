"""The built site: complete, self-contained, linked, described and light; and the checks see planted faults."""

import csv
import gzip
import json
import re
from functools import cache

import html5lib
import pytest

from lib import evidence, records, review
from lib.house import parts
from pages import ABSENT, SITE, asks_elsewhere, broken, read, script_asks, site, skipped, style_asks, twice, unseen
from sphinx_citable.registry import ALPHABET

built = pytest.mark.skipif(not (SITE / "index.html").is_file(), reason=ABSENT)


@pytest.fixture(scope="module")
def pages():
    return site()


@pytest.fixture(scope="module")
def contents(pages):
    """The pages that the contents list, by name."""
    return {name: pages[SITE / f"{name}.html"] for name in parts.pages() if SITE / f"{name}.html" in pages}


def listing(faults):
    """Faults by page, for a message that can be read."""
    return "\n".join(f"{path.relative_to(SITE)}: {x}" for path, found in faults.items() for x in found)


def each(pages, check, *args):
    faults = {path: found for path, page in pages.items() if (found := check(page, *args))}
    assert not faults, listing(faults)


@built
def test_every_page_of_the_contents_is_there_and_says_something(contents):
    assert set(contents) == set(parts.pages())
    assert not [name for name, page in contents.items() if len(page.text.split()) < 40]


@built
def test_links_and_anchors_lead_somewhere(pages):
    each(pages, broken, pages)


@built
def test_nothing_is_asked_of_another_host(pages):
    each(pages, asks_elsewhere)
    for path in SITE.rglob("*.css"):
        assert not style_asks(path.read_text("utf-8")), path
    for path in SITE.rglob("*.js"):
        assert not script_asks(path.read_text("utf-8")), path


@built
def test_images_and_drawings_are_described(pages):
    each(pages, unseen)


@built
def test_ids_stand_once(pages):
    each(pages, twice)


@built
def test_headings_are_in_order(contents):
    each({page.path: page for page in contents.values()}, skipped)


@built
def test_every_page_declares_its_language(pages):
    assert not [str(path) for path, page in pages.items() if page.lang != "en"]


@built
def test_policy_forbids_other_hosts_and_inline_scripts(contents):
    for name, page in contents.items():
        assert "default-src 'none'" in page.policy and "script-src 'self';" in page.policy, name
        assert "http" not in page.policy and not page.inline_scripts, name


@built
def test_html_is_well_formed(contents):
    """A strict HTML 5 parser; attributes newer than the parser's tables are not its business."""
    for name, page in contents.items():
        parser = html5lib.HTMLParser()
        parser.parse(page.path.read_text("utf-8"))
        assert not parser.errors, (name, parser.errors[:5])


@cache
def weight(path):
    """Bytes of a file, raw and compressed."""
    data = path.read_bytes()
    return len(data), len(gzip.compress(data))


@built
def test_first_view_is_light(pages):
    """Every page with all it loads: 900 kB raw, 250 kB compressed; the site without downloads: 12 MB."""
    heavy = []
    for path, page in pages.items():
        parts = {path, *((path.parent / x.split("?")[0]).resolve() for x in page.loads)}
        raw, sent = (sum(sizes) for sizes in zip(*map(weight, parts)))
        if raw > 900_000 or sent > 250_000:
            heavy.append(f"{path.relative_to(SITE)}: {raw:,} bytes, {sent:,} compressed")
    assert not heavy, "\n".join(heavy)
    downloads = {".csv", ".bib", ".ris", ".zip", ".ipynb"}
    assert sum(p.stat().st_size for p in SITE.rglob("*") if p.is_file() and p.suffix not in downloads) <= 12_000_000


@built
def test_nothing_is_published_that_no_page_uses():
    left = (".map", ".ttf", ".woff2", ".pickle")
    assert not [p for p in SITE.rglob("*") if p.suffix in left or p.name == ".buildinfo"]
    used = "".join(p.read_text("utf-8") for p in SITE.glob("*.html"))
    used += "".join(p.read_text("utf-8") for folder in ("chapters", "pages") for p in (SITE / folder).glob("*.html"))
    assert not [p.name for p in (SITE / "_static").rglob("*") if p.is_file() and p.name not in used]


def published(name):
    return json.loads((SITE / name).read_text("utf-8"))


@built
def test_every_claim_of_every_chapter_has_a_verdict(contents):
    slugs = [s for s in records.slugs() if f"chapters/{s}" in contents]
    assert slugs
    wanted = {c.id for s in slugs for c in records.record(s).claims}
    claims = published("ledger.json")["claims"]
    assert {c["id"] for c in claims} == wanted and len(claims) == len(wanted)


@built
def test_ledger_keeps_its_contract(pages):
    ledger = published("ledger.json")
    labels = {p["label"] for p in published("sections.json")}
    assert {"edition", "sources", "claims"} <= ledger.keys()
    slugs = {s["slug"] for s in ledger["sources"]}
    fields = set("id source at kind says reported recomputed verdict reason convention clash".split())
    fields |= set("evidence external section tag url".split())
    for claim in ledger["claims"]:
        assert fields <= claim.keys(), claim["id"]
        assert claim["verdict"] in review.MARKS and claim["source"] in slugs, claim["id"]
        assert {"par", "start", "end"} == claim["at"].keys(), claim["id"]
        if claim["verdict"] == "unchecked":
            assert claim["reason"] in review.REASONS, claim["id"]
            assert claim["reason"] != "no-inputs" or claim["missing"], claim["id"]
        else:
            assert claim["convention"], claim["id"]
        assert claim["external"] in evidence.EXTERNAL, claim["id"]
        assert claim["external"] == "none-found" or claim["evidence"], claim["id"]
        page, _, anchor = claim["url"].partition("#")
        assert anchor in pages[SITE / page].ids and claim["section"] in labels, claim["id"]
    clashes = {}
    for claim in ledger["claims"]:
        if claim["clash"]:
            clashes.setdefault(claim["clash"], []).append(claim["verdict"])
    assert all(set(v) == {"discrepant"} and len(v) > 1 for v in clashes.values()), clashes


@built
def test_sections_keep_their_contract(pages):
    rows = published("sections.json")
    fields = set("tag label kind title page url edition sha256_text sha256_results changed state".split())
    assert len({r["tag"] for r in rows}) == len(rows)
    for row in rows:
        assert fields <= row.keys(), row["label"]
        assert row["kind"] in parts.REGISTRY.kinds and re.fullmatch(f"[{ALPHABET}]{{4}}", row["tag"]), row["label"]
        assert all(re.fullmatch("[0-9a-f]{64}", row[k]) for k in ("sha256_text", "sha256_results")), row["label"]
        if row["state"] == "live":
            page, _, anchor = row["url"].partition("#")
            assert page == row["page"] and anchor == row["label"] and anchor in pages[SITE / page].ids, row["label"]


@built
def test_ledger_page_lists_every_claim_without_scripts(contents):
    claims = published("ledger.json")["claims"]
    page = (SITE / "pages" / "ledger.html").read_text("utf-8")
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    listed = re.findall(r'<th scope="row"><a href="([^"]+)">([^<]+)</a>', body)
    gravity = ["contradicted", "discrepant", "compatible", "reproduced", "unchecked"]
    shown = sorted(ordered(claims), key=lambda c: gravity.index(c["verdict"]))
    assert listed == [(f"../{c['url']}", c["id"]) for c in shown]
    with (SITE / "ledger.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["id"], r["verdict"], r["url"]) for r in rows] == [(c["id"], c["verdict"], c["url"]) for c in claims]


def ordered(claims):
    """The claims in the reading order of their chapters."""
    order = {f"{page}.html": n for n, page in enumerate(parts.pages())}
    return sorted(claims, key=lambda c: order[c["url"].partition("#")[0]])


@built
def test_drawn_counts_are_those_of_the_ledger(contents):
    """The words of each drawing on the front page, and the number of its shapes, against the published ledger."""
    claims = published("ledger.json")["claims"]
    page = (SITE / "index.html").read_text("utf-8")
    card = r'<li class="card">.*?href="chapters/([a-z-]+)\.html".*?aria-label="Verdicts: ([^"]*)">(.*?)</svg>'
    cards = re.findall(card, page, re.DOTALL)
    assert {slug for slug, _, _ in cards} == {c["source"] for c in claims}
    for slug, said, drawn in cards:
        counts = {v: sum(c["source"] == slug and c["verdict"] == v for c in claims) for v in review.MARKS}
        assert said == ", ".join(f"{n} {v}" for v, n in counts.items())
        shapes = {v: len(re.findall(r"M\d+ \d+", d)) for v, d in re.findall(r'<path class="(\w+)" d="([^"]+)"', drawn)}
        assert shapes == {v: n for v, n in counts.items() if n}


GOOD = (
    '<html lang="en"><body><main><h1 id="a">A</h1><h2 id="b">B</h2><a href="#b">b</a>'
    '<svg role="img" aria-label="A line"></svg></main></body></html>'
)


@pytest.mark.parametrize(
    ("check", "old", "new"),
    [
        (lambda p: broken(p, {}), 'href="#b"', 'href="#c"'),
        (lambda p: broken(p, {}), 'href="#b"', 'href="nowhere.html"'),
        (asks_elsewhere, "<h2", '<img src="https://host.example/x.png" alt="x"><h2'),
        (asks_elsewhere, "<h2", '<link rel="stylesheet" href="//host.example/x.css"><h2'),
        (asks_elsewhere, "<h2", "<style>@font-face{src:url('https://host.example/f')}</style><h2"),
        (asks_elsewhere, "<h2", '<p style="background:url(http://host.example/b)"></p><h2'),
        (unseen, "<h2", '<img src="x.png"><h2'),
        (unseen, "<h2", '<img src="x.png" alt="figures/x.png"><h2'),
        (unseen, ' aria-label="A line"', ""),
        (unseen, "A line", "curve.svg"),
        (twice, 'id="b"', 'id="a"'),
        (skipped, "h2", "h3"),
        (skipped, "h2", "h1"),
    ],
)
def test_checks_see_planted_faults(tmp_path, check, old, new):
    path = tmp_path / "page.html"
    path.write_text(GOOD)
    assert check(read(path)) == []
    path.write_text(GOOD.replace(old, new))
    assert check(read(path))


def test_scripts_that_ask_elsewhere_are_seen():
    assert script_asks('fetch("https://host.example/x")') and script_asks("import('//host.example/x.js')")
    assert not script_asks('// see https://host.example\nvar ns = "http://www.w3.org/2000/svg"; fetch(requestUrl)')
