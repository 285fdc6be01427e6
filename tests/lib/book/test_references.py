"""Each row of evidence has one record, each publication one, and each page numbers the works it mentions."""

import csv
import re
from itertools import zip_longest
from types import SimpleNamespace

import pytest
from docutils import nodes

from lib import ROOT, evidence, records
from lib.book import marks, references
from lib.book.references import Work, works
from pages import ABSENT, SITE

built = pytest.mark.skipif(not (SITE / "index.html").is_file(), reason=ABSENT)

MENTION = re.compile(
    r'<a class="(?:known tipped" data-number="(\d+)"|cited tipped") href="#(ref-[^"]+)">(?:\[(\d+)\]</a>)?'
)
ENTRY = re.compile(r'<li id="(ref-[^"]+)">(.*?)</li>', re.DOTALL)
TYPED = re.compile(r"\b(?:19|20)\d\d;\s?\d|\bdoi[ :]\s?10\.|\d\(\d+\):\d")
"""What only a citation has: a volume after a year, a DOI, a page after an issue."""
CHAPTERS = sorted((ROOT / "chapters").glob("*.md"))


def test_every_row_of_evidence_has_a_record():
    assert references.lacking() == []


def test_no_two_records_are_one_publication():
    assert references.alike() == []


def test_every_record_is_used():
    rows = (
        row["reference"]
        for path in (ROOT / "data/evidence").glob("*.csv")
        for row in csv.DictReader(path.open(encoding="utf-8"))
    )
    texts = [*CHAPTERS, *(ROOT / "pages").glob("*.md"), ROOT / "index.md", *(ROOT / "chapters/models").rglob("*.py")]
    named = (k for path in texts for pair in NAMED.findall(path.read_text("utf-8")) for k in pair)
    unused = works().keys() - {*rows, *named} - set(marks.records.slugs())
    assert not unused, f"no row of evidence, page or model names {', '.join(sorted(unused))}"


NAMED = re.compile(r"\{cite\}`([^`]+)`|\[([A-Z][\w-]+)\]")


def test_keys_in_models_and_chapters_have_records():
    texts = [*CHAPTERS, *(ROOT / "chapters/models").rglob("*.py")]
    keys = {k for path in texts for k in re.findall(r"\[([A-Z][A-Za-z]+\d{4}\w*)\]", path.read_text("utf-8"))}
    assert keys <= works().keys(), keys - works().keys()


def test_addresses_of_works_do_not_differ_by_case_alone():
    assert len({references.anchor(key) for key in works()}) == len(works())


def test_fields_are_plain():
    text = references.FILE.read_text("utf-8")
    assert "\\" not in text, "letters are written as they are read"
    assert all(w.title or w.container for w in works().values())
    assert not [k for k, w in works().items() if w.doi and not w.doi.startswith("10.")]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_no_citation_is_typed(path):
    lines = enumerate(path.read_text("utf-8").splitlines(), 1)
    typed = [f"{path.name}:{n}: {match[0]}" for n, line in lines for match in [TYPED.search(line)] if match]
    assert not typed, f"write a record in data/references.bib and cite its key: {'; '.join(typed)}"


@pytest.mark.parametrize(
    "typed", ["(Blood 2004;103:4408-4415)", "Blood 2005;106(11):1107", "doi 10.1038/x", "Blood Adv 4(13):3034"]
)
def test_typed_citations_are_seen(typed):
    assert TYPED.search(typed)


WORK = Work(["Doe J, Roe R, et al"], "Does it work?", "Blood", "2004", "103", "12", "4408–4415", "10.1/x", "")


@pytest.mark.parametrize(
    "changed, line",
    [
        ({}, "Doe J, Roe R, et al. Does it work? Blood 2004;103(12):4408–4415."),
        ({"authors": [], "title": ""}, "Blood 2004;103(12):4408–4415."),
        ({"year": ""}, "Doe J, Roe R, et al. Does it work? Blood 103(12):4408–4415."),
        ({"volume": "", "issue": ""}, "Doe J, Roe R, et al. Does it work? Blood 2004:4408–4415."),
        ({"container": "", "volume": "", "issue": "", "pages": ""}, "Doe J, Roe R, et al. Does it work? 2004."),
    ],
)
def test_what_is_unknown_is_left_out(changed, line):
    assert marks.citation_line(WORK._replace(**changed)) == line


def test_names_become_initials(tmp_path, monkeypatch):
    seven = " and ".join(f"Name{n}, A. B." for n in "abcdefg")
    file = tmp_path / "references.bib"
    file.write_text(
        "@article{A1, author={Altman, Douglas G. and van der Berg, Jean-Luc and {WHO Group} and others}, journal={X}}\n"
        f"@article{{B1, author={{{seven}}}, journal={{X}}, pages={{1--2}}}}",
        "utf-8",
    )
    monkeypatch.setattr(references, "FILE", file)
    made = works.__wrapped__()
    assert made["A1"].authors == ["Altman DG, van der Berg JL, WHO Group, et al"]
    assert made["B1"].authors[0].endswith("Namef AB, et al") and made["B1"].pages == "1–2"


def page():
    return SimpleNamespace(document=nodes.document(None, None), builder=SimpleNamespace(current_docname="chapters/x"))


def shown(text):
    return re.sub(r"<[^>]*>", "", text)


def test_works_are_numbered_as_they_are_first_mentioned(monkeypatch):
    monkeypatch.setattr(references, "works", lambda: {"B2004": WORK, "A2003": WORK, "cml-stopping": WORK})
    one = page()
    text = references.mentions(one, "<i title='[B2004]'>p [0, 1] [sic]</i> [B2004], [A2003]; [B2004] [cml-stopping]")
    assert shown(text) == "p [0, 1] [sic] [1], [2]; [1] [3]"
    assert [m[1:] for m in MENTION.findall(text)] == [
        ("ref-b2004", "1"), ("ref-a2003", "2"), ("ref-b2004", "1"), ("ref-cml-stopping", "3"),
    ]  # fmt: skip
    assert shown(references.mention(one, "A2003", "0.62")) == "0.62"
    assert shown(references.mentions(page(), "[A2003]")) == "[1]", "each page counts for itself"


def test_a_key_without_a_record_is_one_clear_line(monkeypatch):
    said = []
    monkeypatch.setattr(references.log, "warning", lambda text, *args, **_: said.append(text % args))
    assert references.mentions(page(), "[Nobody1999]") == "[Nobody1999]"
    assert said == ["no record 'Nobody1999' in data/references.bib: write one, or correct the key"]
    role = references.Cite()
    role.text = "Nobody1999"
    with pytest.raises(KeyError, match="no record 'Nobody1999' in data/references.bib"):
        role.make()


def test_a_row_without_a_record_is_named(tmp_path, monkeypatch):
    folder = tmp_path / "data/evidence"
    folder.mkdir(parents=True)
    (folder / "x.csv").write_text("id,reference\nold,Etienne2017\nnew,Nobody1999\nbare,\n", "utf-8")
    monkeypatch.setattr(references, "ROOT", tmp_path)
    assert [fault.partition(";")[0] for fault in references.lacking()] == [
        "data/evidence/x.csv: row new names no record",
        "data/evidence/x.csv: row bare names no record",
    ]


@pytest.mark.parametrize("same", [{"doi": "10.1/X"}, {"doi": ""}])
def test_one_publication_with_two_records_is_seen(monkeypatch, same):
    other = WORK._replace(title="Another title", **same)
    if same["doi"]:
        other = other._replace(pages="9", volume="1")
    monkeypatch.setattr(references, "works", lambda: {"A": WORK, "B": other, "C": WORK._replace(doi="", pages="1")})
    assert references.alike() == ["data/references.bib: A and B are one publication: keep one of them"]


def test_a_file_of_its_own_cites_in_full(monkeypatch):
    monkeypatch.setattr(references, "works", lambda: {"B2004": WORK})
    told = references.in_full("p < 0.05 [B2004] > [sic]")
    assert told == "p < 0.05 (Doe J, Roe R, et al. Does it work? Blood 2004;103(12):4408–4415.) > [sic]"


def faults(text: str) -> list[str]:
    """Mentions on a page and entries of its list that do not belong together, or are not numbered as first mentioned."""
    entries = dict(ENTRY.findall(text))
    found = MENTION.findall(text)
    odd = len(re.findall(r'<a class="[^"]*(?:known|cited) ', text)) - len(found)
    said = [f"{odd} mentions in another form"] if odd else []
    first = list(dict.fromkeys((target, int(known or cited or 0)) for known, target, cited in found))
    wanted = [(entry, n) for n, entry in enumerate(entries, 1)]
    said += [
        f"{f or 'nothing'} is mentioned where {w or 'nothing'} is listed"
        for f, w in zip_longest(first, wanted)
        if f != w
    ]
    if found and text.find('<section class="references"') < max(m.end() for m in MENTION.finditer(text)):
        said.append("a mention below the list")
    return said


@built
def test_every_mention_leads_to_its_entry():
    said = {
        path.relative_to(SITE): found
        for path in SITE.rglob("*.html")
        for found in [faults(path.read_text("utf-8"))]
        if found
    }
    assert not said


def made() -> str:
    """A page that mentions two works, one of them twice."""
    one = page()
    text = references.mentions(one, "[B2004] [A2003] [B2004]") + references.mention(one, "A2003", "0.62")
    listed = "".join(map(references.entry, one.document["mentions"]))
    return f'{text}<section class="references"><ol>{listed}</ol></section>'


@pytest.mark.parametrize(
    "old, new",
    [
        ("", ""),
        ('<li id="ref-a2003">', "<li>"),
        ('href="#ref-a2003"', 'href="#ref-b2004"'),
        ("[2]", "[3]"),
        ("</ol>", '<li id="ref-c1999"></li></ol>'),
        ('class="cited tipped"', 'class="tipped cited "'),
        ('<a class="known tipped" data-number="2"', '<a class="known tipped"'),
    ],
)
def test_planted_faults_are_seen(monkeypatch, old, new):
    monkeypatch.setattr(references, "works", lambda: {"B2004": WORK, "A2003": WORK})
    assert old in made()
    assert bool(faults(made().replace(old, new, 1) if old else made())) == bool(old)


@built
def test_every_chapter_that_has_other_work_lists_it():
    for path in CHAPTERS:
        if path.stem in records.slugs() and evidence.evidence(path.stem).empty:
            continue
        text = (SITE / "chapters" / f"{path.stem}.html").read_text("utf-8")
        assert ENTRY.search(text), path.stem
