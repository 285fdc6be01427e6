"""The built site: complete, self-contained, linked, described and light; and the checks see planted faults."""

import csv
import gzip
import json
import re
from functools import cache

import html5lib
import pytest

from lib import ROOT, records, verdicts
from lib.evidence import none_found
from lib.house import parts, prose
from pages import (
    ABSENT,
    SITE,
    asks_elsewhere,
    broken,
    known_by,
    read,
    script_asks,
    site,
    skipped,
    style_asks,
    twice,
    unseen,
)
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
    """Every page with all it loads but type: 900 kB raw, 160 KiB compressed, the search with its index 250 kB; the site without downloads: 12 MB."""
    heavy = []
    for path, page in pages.items():
        parts = {path, *((path.parent / x.split("?")[0]).resolve() for x in page.loads)}
        raw, sent = (sum(sizes) for sizes in zip(*map(weight, parts)))
        if raw > 900_000 or sent > (250_000 if path.name == "search.html" else 160 * 1024):
            heavy.append(f"{path.relative_to(SITE)}: {raw:,} bytes, {sent:,} compressed")
    assert not heavy, "\n".join(heavy)
    downloads = {".csv", ".bib", ".ris", ".zip", ".ipynb", ".pdf", ".epub"}
    assert sum(p.stat().st_size for p in SITE.rglob("*") if p.is_file() and p.suffix not in downloads) <= 16_000_000


@built
def test_nothing_is_published_that_no_page_uses():
    left = (".map", ".ttf", ".pickle")
    assert not [p for p in SITE.rglob("*") if p.suffix in left or p.name == ".buildinfo"]
    used = "".join(p.read_text("utf-8") for p in [*SITE.glob("*.html"), *next(SITE.glob("t/*")).glob("*.html")])
    used += "".join(p.read_text("utf-8") for folder in ("chapters", "pages") for p in (SITE / folder).glob("*.html"))
    used += "".join(p.read_text("utf-8") for p in (SITE / "_static").glob("*.css"))
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
    fields = set("id source at kind says reported recomputed verdict_figures verdict_conclusion reason figures".split())
    fields |= set("severity clash later evidence section tag url".split())
    known = {c.id: c for s in slugs for c in records.record(s).claims}
    clashes = {}
    for claim in ledger["claims"]:
        where, kind = claim["id"], claim["kind"]
        assert claim.keys() == fields and claim["source"] in slugs and {"par", "start", "end"} == claim["at"].keys(), (
            where
        )
        assert [f["role"] for f in claim["figures"]] == [
            f.role for f in known[where].figures if kind not in records.PLAIN
        ], where
        of_figures, of_conclusion = claim["verdict_figures"], claim["verdict_conclusion"]
        if kind in records.PLAIN:
            assert of_figures == of_conclusion == verdicts.NOTHING, where
        else:
            assert (of_conclusion in verdicts.CONCLUSIONS) == (kind in records.ARGUED), where
            assert of_figures in verdicts.FIGURES or (of_figures is None and not claim["figures"]), where
            assert claim["reason"], where
        if claim["figures"]:
            assert of_figures == verdicts.gravest(f["verdict"] for f in claim["figures"]), where
            told = [f["severity"] for f in claim["figures"] if f["severity"] is not None]
            assert claim["severity"] == min(told, default=None), where
        if kind in records.PERSONAL or none_found(claim["source"]) is None:  # nobody is said to have searched
            assert claim["later"] is None and not claim["evidence"], where
        else:
            assert claim["later"]["verdict"] in verdicts.LATER, where
            assert bool(claim["later"]["deciding"]) == (claim["later"]["verdict"] != "none-found"), where
        if claim["clash"]:
            clashes.setdefault(claim["clash"], []).append(where)
        page, _, anchor = claim["url"].partition("#")
        assert anchor in pages[SITE / page].ids and claim["section"] in labels, where
    assert all(len(ids) > 1 for ids in clashes.values()), clashes


@built
def test_sections_keep_their_contract(pages):
    rows = published("sections.json")
    fields = set("tag label kind title page url edition sha256_text changed state".split())
    assert len({r["tag"] for r in rows}) == len(rows)
    for row in rows:
        assert fields <= row.keys(), row["label"]
        assert row["kind"] in parts.REGISTRY.kinds and re.fullmatch(f"[{ALPHABET}]{{4}}", row["tag"]), row["label"]
        if row["state"] in ("moved", "withdrawn") and not row["sha256_text"]:
            continue  # gone before any edition
        assert all(re.fullmatch("[0-9a-f]{64}", row[k]) for k in row if k.startswith("sha256")), row["label"]
        assert row["kind"] == "section" or "sha256_results" in row, row["label"]
        if row["state"] in ("current", "draft"):
            page, _, anchor = row["url"].partition("#")
            assert page == row["page"] and anchor == row["label"] and anchor in pages[SITE / page].ids, row["label"]


@built
def test_ledger_page_lists_every_claim_without_scripts(contents):
    claims = published("ledger.json")["claims"]
    page = (SITE / "pages" / "ledger.html").read_text("utf-8")
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    listed = re.findall(r'<th scope="row"><a href="([^"]+)">([^<]+)</a>', body)
    gravity = ["does-not-follow", "discrepant", "overstated", "compatible", "follows", "reproduced", "restated",
               "not-checkable", "nothing-to-check"]  # fmt: skip
    shown = sorted(ordered(claims), key=lambda c: gravity.index(known_by(c)))
    assert listed == [(f"../{c['url']}", c["id"]) for c in shown]
    with (SITE / "ledger.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    both = ("id", "verdict_figures", "verdict_conclusion", "url")
    assert [[r[k] for k in both] for r in rows] == [[c[k] or "" for k in both] for c in claims]


def ordered(claims):
    """The claims in the reading order of their chapters."""
    order = {f"{page}.html": n for n, page in enumerate(parts.pages())}
    return sorted(claims, key=lambda c: order[c["url"].partition("#")[0]])


@built
def test_each_verdict_is_explained_by_a_claim_that_has_it():
    claims = {c["id"]: c for c in published("ledger.json")["claims"]}
    page = (ROOT / "pages" / "verdicts.md").read_text("utf-8")
    figures, conclusions = page.index("(verdicts-five)="), page.index("(verdicts-conclusions)=")
    found = re.findall(r"^{mark}`([^`]+)`\n:(?:.*\n)+?.*Example: {claim}`([A-Z]{3}-\d+)`", page, re.MULTILINE)
    told = [word.replace(" ", "-") for word, _ in found]
    assert told == [*("reproduced compatible discrepant restated not-checkable".split()), *verdicts.CONCLUSIONS]
    for (word, claim), at in zip(found, (page.index(f"{{claim}}`{claim}`") for _, claim in found)):
        of = "verdict_conclusion" if at > conclusions > figures else "verdict_figures"
        assert claims[claim][of] == word.replace(" ", "-"), claim


@built
def test_drawn_counts_are_those_of_the_ledger(contents):
    """The words of each drawing on the page of the ledger, and the number of its shapes, against the published ledger."""
    claims = published("ledger.json")["claims"]
    page = (SITE / "pages/ledger.html").read_text("utf-8")
    pictures = re.search(r'<dl class="ledger-picture">(.*?)</dl>', page, re.DOTALL)[1].split("<dt>")[1:]
    sources = list(prose.pages())
    assert len(pictures) == len(sources) == len({c["source"] for c in claims})
    for slug, picture in zip(sources, pictures):
        found = verdicts.summary(c for c in claims if c["source"] == slug)
        drawings = re.findall(r'aria-label="(Figures|Conclusions): ([^"]*)">(.*?)</svg>', picture, re.DOTALL)
        assert [what for what, *_ in drawings] == [
            w for w in ("Figures", "Conclusions") if any(found[w.lower()].values())
        ]
        for what, said, drawn in drawings:
            counts = {v: n for v, n in found[what.lower()].items() if n}
            assert said == ", ".join(f"{n} {v.replace('-', ' ')}" for v, n in counts.items())
            shapes = {
                v: len(re.findall(r"M\d+ \d+", d)) for v, d in re.findall(r'<path class="([\w-]+)" d="([^"]+)"', drawn)
            }
            assert shapes == counts


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
