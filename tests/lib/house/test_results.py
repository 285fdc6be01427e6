"""A results hash covers what a part prints, where it prints it: every value is moved in turn, and only its readers change."""

import re
from time import perf_counter

import pytest

from lib import ROOT, canonical, records
from lib.house import executed, parts, prose
from sphinx_citable.registry import sha256_results, sha256_text

CHAPTERS = [page.rpartition("/")[2] for page in parts.pages() if (ROOT / f"{page}.ipynb").is_file()]
BOUND = {slug: executed.bound(slug) for slug in CHAPTERS}


@pytest.fixture(scope="module")
def before():
    return {page: {part.label: part for part in parts._parts(page)} for page in parts.pages()}


def source(page):
    """The Markdown of a page in reading order, code left out, the answers of the front page in their place; of a chapter
    from its text half.
    """
    text = re.sub(r"(?ms)^```\{code-cell\}.*?^```$", "", (ROOT / f"{page}.md").read_text("utf-8"))
    return text.replace("```{sources}\n```", "\n\n".join(prose.answer(slug)[1] for slug in prose.pages()))


def readers(page, role):
    """The labels of the sections that write each use of a role, by its text: found line by line, without a parser."""
    open_, label, found = [], "", {}
    for line in source(page).splitlines():
        if target := re.fullmatch(r"\(([a-z0-9-]+)\)=", line):
            label = target[1]
        elif (heading := re.match(r"(#+) ", line)) and label:
            level = len(heading[1])
            open_ = [s for s in open_ if s[0] < level] + [(level, label)]
            label = ""
        for name in re.findall(rf"\{{{role}\}}`([^`]+)`", line):
            found.setdefault(name.partition(" ")[0], set()).update(s for _, s in open_)  # without a unit
    return found


def changed(page, before):
    """The parts whose results hash is another; equal results have equal hashes, and the rest are hashed."""
    pairs = [(before[page][part.label], part) for part in parts._parts(page)]
    assert len(pairs) == len(before[page])
    return {b.label for a, b in pairs if a.results != b.results and sha256_results(a) != sha256_results(b)}


@pytest.mark.parametrize("slug", CHAPTERS)
def test_each_bound_value_moves_the_sections_that_print_it_and_no_other(slug, before, monkeypatch):
    own = next(page for page in parts.pages() if page.rpartition("/")[2] == slug)
    printed = {page: readers(page, "found") for page in parts.pages()}
    for name, entry in BOUND[slug].items():
        moved = BOUND | {slug: BOUND[slug] | {name: entry | {"text": "moved", "bare": "moved"}}}
        monkeypatch.setattr(prose, "bound", moved.__getitem__)
        wanted = {page: found.get(name, set()) if page == own else set() for page, found in printed.items()}
        for page, found in printed.items():
            wanted[page] = wanted[page] | found.get(f"{slug}:{name}", set())
        for page in {own, *(page for page, labels in wanted.items() if labels)}:
            assert changed(page, before) == wanted[page], (name, page)


@pytest.mark.parametrize("page", parts.pages())
def test_each_reported_figure_moves_the_sections_that_print_it(page, before, monkeypatch):
    was = prose.reported
    for ref, labels in readers(page, "reported").items():
        monkeypatch.setattr(prose, "reported", lambda text: "moved" if text == ref else was(text))
        assert changed(page, before) == labels, ref


@pytest.mark.parametrize("slug", records.slugs())
def test_each_row_of_an_evidence_table_moves_the_page_that_prints_it_and_no_other(slug, before, monkeypatch):
    tables = {name: prose.evidence(name) for name in records.slugs()}
    mine = tables[slug]
    page = f"pages/evidence-{slug}"
    (label,) = (label for label, part in before[page].items() if part.level == 1)
    others = [f"pages/evidence-{name}" for name in records.slugs() if name != slug]
    monkeypatch.setattr(prose, "evidence", tables.__getitem__)
    assert all(changed(p, before) == set() for p in (page, *others))
    for n, key in enumerate(mine.index):  # the columns in turn, for a build reads all of a row
        column = mine.columns[n % len(mine.columns)]
        tables[slug] = mine.copy()
        tables[slug].loc[key, column] = "moved"
        assert changed(page, before) == {label}, (key, column)
        (moved,) = (p for p in parts._parts(page) if p.label == label)
        names = [name for name in moved.results if moved.results[name] != before[page][label].results[name]]
        assert names == [f"evidence {slug} {key}"]


def test_the_hashes_of_a_build_take_seconds(before):
    start = perf_counter()
    rows = parts.sections()
    assert len(rows) > 500 and perf_counter() - start < 10


def test_a_verdict_moves_its_readers_and_the_counts_that_hold_it(before, monkeypatch):
    """A claim of one source: the sections with its lozenge, the ledger, and every count of verdicts of that source."""
    rows = prose.ledger()
    row = next(r for r in rows if r["source"] == "cml-stopping" and r["verdict_conclusion"] == "overstated")
    other = [r | {"verdict_conclusion": "follows"} if r is row else r for r in rows]
    monkeypatch.setattr(prose, "ledger", lambda: other)
    assert "cml-says" in changed("chapters/cml-stopping", before)
    assert changed("index", before) == set()
    assert changed("pages/ledger", before) == {"ledger"}
    assert changed("chapters/ms-interferon-beta", before) == set()
    lozenges = readers("chapters/cml-stopping", "verdict").get(row["id"], set())
    assert changed("chapters/cml-stopping", before) == {"cml-stopping", "cml-says"} | lozenges


def test_a_claim_that_no_section_prints_moves_nothing(before, monkeypatch):
    spare = {"id": "XYZ-01", "source": "no-chapter", "says": "Nobody reads this.", "verdict_figures": "discrepant"}
    rows = [*prose.ledger(), spare]
    monkeypatch.setattr(prose, "ledger", lambda: rows)
    assert all(changed(page, before) == set() for page in parts.pages())


def test_a_part_that_prints_no_result_has_none():
    found = {part.label: part for part in parts.parts()}
    for label in ("about-advice", "cml-cite", "glossary"):
        assert found[label].results == {} and sha256_results(found[label]) == ""
    assert all(part.results for part in found.values() if part.kind in ("figure", "table", "claim"))
    assert found["cml-glance"].results and found["front-findings"].results and found["ledger"].results


def test_the_text_hash_is_of_words_and_code_alone():
    def text(markdown, name="x"):
        words, _ = prose.printed(executed.markdown(markdown)[0].tokens, "chapters/cml-stopping")
        return sha256_text(parts.Part(name, "section", "", "", 1, "", words))

    plain = text("(a)=\n## A title\n\nOf {reported}`CML-33` patients *some* were [lost](cml-says).")
    assert plain == text(
        "(b)=\n# A title\n\nOf {found}`late-relapses (recurrences)`\npatients some   were [lost](cml-who)."
    )
    assert plain != text("(a)=\n## A title\n\nOf {reported}`CML-33` patients some were lost, too.")
    assert plain != text("(a)=\n## A title\n\nOf patients some were lost.")


def test_styles_and_drawings_move_nothing_but_a_point_of_the_data_does(before):
    page = "chapters/cml-stopping"
    pieces = list(executed.pieces(executed.read(ROOT / f"{page}.ipynb")))
    piece = next(p for p in pieces if any(o.kind == "figure" for o in p.outputs))
    (output,) = (o for o in piece.outputs if o.kind == "figure")
    was = sha256_results(parts._shown(output, piece, page, ""))

    def part(**entry):
        return parts._shown(output._replace(entry=output.entry | entry), piece, page, "")

    assert sha256_results(before[page][output.label]) == was == sha256_results(part(narrow="<svg/>", alt="Other words"))
    rows = canonical(output.entry["rows"])
    at = next(i for i, value in enumerate(rows[0]) if isinstance(value, (int, float)) and value)
    for factor, same in ((1 + 1e-6, True), (1.01, False)):
        moved = [[v * factor if i == at else v for i, v in enumerate(rows[0])], *rows[1:]]
        assert (sha256_results(part(rows=moved)) == was) is same
