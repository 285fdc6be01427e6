"""The records and what reads them: every numeral accounted for, every fault refused by name.

With the source texts at hand the records are held against them; the folder is ``../shared/seeds`` beside the
repository, or the one named by the environment variable INTERFERON_SEEDS.
"""

import copy
import os
import re
from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lib import ROOT, records, relations
from lib.house import census, skeletons

TEXTS = Path(os.environ.get("INTERFERON_SEEDS", ROOT.parent / "shared" / "seeds"))
SLUGS = records.slugs()


def source_text(record: records.Record) -> str:
    path = TEXTS / record.source.file
    if not path.is_file():
        pytest.skip(
            "the source texts are not ours to publish; with copies at hand, name their folder in INTERFERON_SEEDS"
        )
    return path.read_text("utf-8")


# The records -------------------------------------------------------------------------------------------------------


def test_the_sources_stand_in_the_order_of_their_texts_each_with_a_prefix_of_its_own():
    sources = [records.record(slug).source for slug in SLUGS]
    assert sorted(SLUGS) == sorted(path.stem for path in (ROOT / "seeds").glob("*.yml"))
    assert [s.file for s in sources] == sorted(s.file for s in sources)
    assert len({s.prefix for s in sources}) == len({s.short for s in sources}) == len(sources)


@pytest.mark.parametrize("slug", SLUGS)
class TestRecord:
    def test_ids_run_without_gaps_in_reading_order(self, slug):
        record = records.record(slug)
        numbered = [f"{record.source.prefix}-{n:02d}" for n, _ in enumerate(record.claims, 1)]
        assert [c.id for c in record.claims] == numbered
        places = [(c.at.par, c.at.start) for c in record.claims]
        assert places == sorted(places)

    def test_what_is_not_known_is_said_to_be_unknown(self, slug):
        source = records.record(slug).source
        for field in ("title", "authors", "container", "year", "doi", "url"):
            if getattr(source, field):
                assert field not in source.unknown, f"{field} is given and yet called unknown"
            elif field != "doi" or source.volume:  # what stands in a volume may have one
                assert field in source.unknown, f"{field} is not given and not called unknown"

    def test_a_conclusion_says_what_it_rests_on(self, slug):
        bare = [c.id for c in records.record(slug).claims if c.kind == "conclusion" and not c.rests_on]
        assert bare == []

    def test_no_claim_rests_on_itself_even_in_a_round(self, slug):
        record = records.record(slug)

        def below(claim_id, seen):
            assert claim_id not in seen, f"{' rests on '.join([*seen, claim_id])}"
            for other in record[claim_id].rests_on:
                below(other, [*seen, claim_id])

        for claim in record.claims:
            below(claim.id, [])

    def test_relations_hold_but_for_the_findings(self, slug):
        """A relation that fails is a fault of the record, unless the record states it as a finding; and only then."""
        assert relations.unexplained(records.record(slug)) == []

    def test_our_sentences_are_our_own(self, slug):
        record = records.record(slug)
        theirs = runs(source_text(record), 8)
        for claim in record.claims:
            assert not runs(claim.says, 8) & theirs, f"{claim.id} repeats the source"

    def test_it_agrees_with_its_text(self, slug):
        record = records.record(slug)
        source_text(record)
        assert census.verify(record, TEXTS) == []

    def test_every_numeral_is_used_exactly_once(self, slug):
        """By the skeleton of the text, so that it is known where the text is not."""
        record, text = records.record(slug), skeletons.blanked(slug)
        found = census.census(record, text)
        assert found.faults == []
        assert found.unaccounted == []
        assert [(n.par, n.start) for n, _, _ in found.rows] == [(par, start) for par, start, _ in scan(text)]

    def test_the_skeleton_is_that_of_the_text(self, slug):
        text, blanked = source_text(records.record(slug)), skeletons.blanked(slug)
        assert scan(blanked) == scan(text)
        lengths = [len(re.sub(r"\n", " ", p)) for p in re.split(r"\n(?:[ \t]*\n)+", text.strip("\n"))]
        assert [len(p) for p in blanked.split("\n\n")] == lengths

    def test_the_skeleton_holds_no_word_but_numerals(self, slug):
        kept = {w for w in re.findall(r"[^\W\d_]+", skeletons.blanked(slug))}
        assert {w for w in kept if not any(w.lower() == number for _, _, number in scan(w.lower()))} == set()

    def test_a_duplicate_repeats_a_figure_of_the_record(self, slug):
        record = records.record(slug)
        values = {f.value.value for c in record.claims for f in c.figures}
        for other in record.not_claims:
            if other.reason == "duplicate":
                assert records.Printed.parse(other.printed).value in values, f"{other.printed} at {other.at}"


def runs(text: str, length: int) -> set[tuple[str, ...]]:
    words = re.findall(r"[^\W_]+", text.lower())
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


def test_runs_are_found_across_case_and_punctuation():
    assert runs("One, two THREE", 2) & runs("(two) three-four", 2) == {("two", "three")}


# Numerals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("thousands in their sixties; two thirds, three quarters", "thousands sixties two thirds three quarters"),
        ("the 2nd visit, the 3rd, the second and the tenth, not the eleventh", "2 3 second tenth"),
        ("doi: 10.1182/blood.V120.21.1684", "10.1182 120.21.1684"),
        ("1,280 patients, p = 0.75, HR 8.6; 1, 3, and 6 months.", "1,280 0.75 8.6 1 3 6"),
        ("p = .05, 5% and 2–5, 3-4, 12//15", "05 5 2 5 3 4 12 15"),
        ("CD8+ JAK2V617F alfa-2a, T2", "8 2 617 2 2"),
        ("often someone attends a tension-free weight clinic; nonetheless bothersome", ""),
        ("Twenty-five, ONE hundred and six", "Twenty five ONE hundred six"),
        ("a single or double dose, once, twice, none, both, half", "single double once twice none both half"),
        ("zero one_two", "zero one two"),
        ("naïve ténth onceé", ""),
        ("a million here, millions there; phase II", "million millions"),
    ],
)  # fmt: skip
def test_numerals(text, expected):
    assert [n.printed for n in census.numerals(text)] == expected.split()


def scan(text: str) -> list[tuple[int, int, str]]:
    """Numerals by walking through the characters, without the expression under test: (paragraph, start, printed)."""
    words = set(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million "
        "first second third fourth fifth sixth seventh eighth ninth tenth once twice single both half quarter double "
        "none zeros ones twos threes fours fives sixes sevens eights nines tens elevens twelves thirteens fourteens "
        "fifteens sixteens seventeens eighteens nineteens twenties thirties forties fifties sixties seventies eighties "
        "nineties hundreds thousands millions halves quarters doubles singles firsts seconds thirds fourths fifths "
        "sixths sevenths eighths ninths tenths".split()
    )
    found, par, base, blank = [], 0, 0, True
    for line in text.split("\n"):
        if not line.strip():
            blank = True
            continue
        base = 0 if blank else base + 1
        par += blank
        blank = False
        i = 0
        while i < len(line):
            j = i
            if line[i] in "0123456789":
                while j < len(line) and (
                    line[j] in "0123456789" or (line[j] in ".," and line[j + 1 : j + 2] in list("0123456789"))
                ):
                    j += 1
                found.append((par, base + i, line[i:j]))
            elif line[i].isalpha():
                while j < len(line) and line[j].isalpha():
                    j += 1
                if line[i:j].lower() in words:
                    found.append((par, base + i, line[i:j]))
            else:
                j = i + 1
            i = j
        base += len(line)
    return found


PIECES = st.sampled_from(
    ["one", "often", "Ten", "second", "nd", "sixes", "7", "40", ".", ",", " ", "  ", "-", "_", "é", "\n", "\n\n", "%"]
)


@given(st.lists(PIECES, max_size=30).map("".join))
def test_numerals_are_those_a_plain_walk_finds(text):
    assert [(n.par, n.start, n.printed) for n in census.numerals(text)] == scan(text)


# Faults ------------------------------------------------------------------------------------------------------------

TEXT = """Nine of 12 patients (75%) answered within 2 years.

In 2019 the three others stopped after 30 months; both groups wrote to CD8.
"""

RECORD = {
    "source": {"slug": "small", "prefix": "SML", "file": "small.txt", "kind": "letter", "rounding": "up_or_down"},
    "text": census.fingerprint(TEXT.encode()),
    "claims": [
        {
            "id": "SML-01", "at": {"par": 1, "start": 0, "end": 35}, "kind": "percentage", "says": "Most replied.",
            "figures": [
                {"printed": "Nine", "unit": "patients", "role": "answered"},
                {"printed": "12", "unit": "patients", "role": "asked"},
                {"printed": "75", "unit": "%", "role": "percentage"},
            ],
            "relations": [
                {"kind": "percentage-of", "role": "percentage", "of": ["SML-01/answered", "SML-01/asked"]},
                {"kind": "sum-of", "role": "asked", "of": ["SML-01/answered", "SML-03/others"]},
            ],
        },
        {
            "id": "SML-02", "at": {"par": 1, "start": 26, "end": 49}, "kind": "duration", "says": "It took some years.",
            "figures": [{"printed": "2", "unit": "years", "role": "high"}],
        },
        {
            "id": "SML-03", "at": {"par": 2, "start": 8, "end": 48}, "kind": "count", "says": "The rest gave up later.",
            "figures": [
                {"printed": "three", "unit": "patients", "role": "others"},
                {"printed": "30", "unit": "months", "role": "time"},
            ],
            "relations": [{"kind": "later-than", "role": "time", "of": ["SML-02"]}],
            "rests_on": ["SML-01"],
        },
    ],
    "not_claims": [
        {"at": {"par": 2, "start": 3, "end": 7}, "printed": "2019", "reason": "date"},
        {"at": {"par": 2, "start": 50, "end": 54}, "printed": "both", "reason": "grammar"},
        {"at": {"par": 2, "start": 73, "end": 74}, "printed": "8", "reason": "identifier"},
    ],
}  # fmt: skip


def held(folder: Path, record: dict) -> tuple[list[str], list[str]]:
    """Faults and unaccounted numerals of ``record`` against TEXT, both written to ``folder`` first."""
    (folder / "small.txt").write_text(TEXT, "utf-8")
    (folder / "small.yml").write_text(yaml.safe_dump(record), "utf-8")
    read = records.load(folder / "small.yml")
    return census.verify(read, folder), [n.printed for n in census.census(read, TEXT).unaccounted]


def changed(path: str, value) -> dict:
    """RECORD with the entry at ``path`` ("claims.0.id") set to ``value``; a path that ends one past a list appends."""
    record = copy.deepcopy(RECORD)
    *way, last = [int(k) if k.isdigit() else k for k in path.split(".")]
    node = record
    for key in way:
        node = node[key]
    if isinstance(node, list) and last == len(node):
        node.append(value)
    else:
        node[last] = value
    return record


def test_the_small_record_holds(tmp_path):
    assert held(tmp_path, RECORD) == ([], [])
    assert all(h.holds for h in relations.relations(records.load(tmp_path / "small.yml")))


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("claims.1.surprise", 1, ["SML-02.surprise", "not permitted"]),
        ("source.surprise", 1, ["source.surprise", "not permitted"]),
        ("claims.1.figures.0.printed", "some", ["SML-02.figures.0", "'some'", "is no printed number; give digits"]),
        ("claims.1.figures.0.printed", 2, ["SML-02.figures.0.printed", "valid string"]),
        ("claims.1.figures.0.role", "High", ["SML-02.figures.0.role", "match pattern"]),
        ("claims.0.figures.1.role", "answered", ["SML-01", "roles must differ", "answered"]),
        ("claims.1.kind", "rumour", ["SML-02.kind", "'finding'"]),
        ("claims.1.at", {"par": 1, "start": 9, "end": 9}, ["SML-02.at", "start 9 must be before end 9"]),
        ("claims.1.at.par", 0, ["SML-02.at.par", "greater than or equal to 1"]),
        ("claims.1.id", "SML-01", ["SML-01", "stands twice"]),
        ("claims.1.id", "XYZ-02", ["XYZ-02", "must begin with SML-"]),
        ("claims.1.id", "second", ["second.id", "match pattern"]),
        ("claims.2.rests_on", ["SML-09"], ["SML-03.rests_on", "no claim SML-09"]),
        ("claims.2.relations.0.of", ["SML-09"], ["SML-03.relations[0]", "no claim SML-09", "SML-01 to SML-03"]),
        ("claims.2.relations.0.of", ["SML-02/low"], ["SML-03.relations[0]", "SML-02 has no figure 'low'", "high"]),
        ("claims.2.relations.0.of", ["SML-01"], ["SML-03.relations[0]", "SML-01 has 3 figures", "SML-01/role"]),
        ("claims.2.relations.0.of", ["SML-01/asked"], ["SML-03.relations[0]", "months, patients cannot be compared"]),
        ("claims.2.relations.0.role", "low", ["SML-03.relations[0]", "SML-03 has no figure 'low'", "others, time"]),
        ("claims.2.relations.0.kind", "like", ["SML-03.relations.0.kind", "'sum-of'"]),
        ("claims.0.relations.0.of", ["SML-01/asked"], ["SML-01.relations[0]", "a part and a whole, not 1"]),
        ("claims.0.relations.0.role", "asked", ["SML-01.relations[0]", "of a figure in %"]),
        ("claims.2.relations.0.kind", "within", ["SML-03.relations[0]", "a lower and an upper figure, not 1"]),
        ("not_claims.0.reason", "dull", ["not_claims.0.reason", "'identifier'"]),
        ("text.sha256", "0" * 63, ["text.sha256", "match pattern"]),
        ("source.rounding", "upwards", ["source.rounding", "'up_or_down'"]),
        ("claims", None, ["claims", "valid list"]),
        ("claims", [], ["claims", "at least 1 item"]),
    ],
)
def test_a_record_that_cannot_be_used_is_refused(tmp_path, path, value, says):
    with pytest.raises(records.SourceError) as refused:
        held(tmp_path, changed(path, value))
    message = str(refused.value)
    assert message.startswith("small.yml: ")
    for part in says:
        assert part in message


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        # wrong locators
        ("claims.1.at", {"par": 1, "start": 0, "end": 30}, "SML-02: figures.high: '2' expected in paragraph 1, char"),
        ("claims.1.at", {"par": 2, "start": 8, "end": 48}, "SML-02: figures.high: '2' expected in paragraph 2"),
        ("claims.1.at.par", 3, "SML-02: at.par: paragraph 3; the text has 2"),
        ("claims.1.at.end", 500, "SML-02: at.end: character 500; paragraph 1 has 50"),
        ("not_claims.0.at.start", 4, "not_claims[0]: printed: '2019' in the record, '019' in the text"),
        # a figure that the text does not print so
        ("claims.1.figures.0.printed", "2.0", "SML-02: figures.high: '2.0' expected"),
        ("claims.2.figures.1.printed", "3", "SML-03: figures.time: '3' expected"),
        ("claims.1.figures.0.printed", "two", "SML-02: figures.high: 'two' expected"),
        ("claims.2.figures.1.printed", "0", "SML-03: figures.time: '0' expected"),
        # a numeral used twice
        ("not_claims.3", {"at": {"par": 1, "start": 8, "end": 10}, "printed": "12", "reason": "grammar"},
         "not_claims[3]: grammar: the numeral '12' in paragraph 1 at 8 is used twice; SML-01 has it already"),
        ("not_claims.3", {"at": {"par": 2, "start": 71, "end": 73}, "printed": "CD", "reason": "identifier"},
         "not_claims[3]: identifier: no numeral at paragraph 2, characters 71–73"),
        ("not_claims.0", {"at": {"par": 2, "start": 3, "end": 6}, "printed": "201", "reason": "date"},
         "not_claims[0]: date: covers only part of the numeral '2019' at 3–7"),
        # another text
        ("text.sha256", "0" * 64, f"text.sha256: {'0' * 64} in the record, {RECORD['text']['sha256']} in the text"),
        ("text.bytes", 7, f"text.bytes: 7 in the record, {len(TEXT)} in the text"),
        ("text.paragraphs.1", "00000000", "text.paragraphs: paragraph 2 differs from the record; expected 2"),
        ("text.paragraphs", RECORD["text"]["paragraphs"][:1], "text.paragraphs: paragraph 2 differs"),
    ],
)  # fmt: skip
def test_a_record_that_does_not_fit_its_text_is_named(tmp_path, path, value, says):
    faults, _ = held(tmp_path, changed(path, value))
    assert any(f.startswith(f"small.yml: {says}") for f in faults), faults


def test_a_numeral_of_one_claim_is_not_another_s(tmp_path):
    record = changed("claims.1.at", {"par": 1, "start": 10, "end": 49})
    record["claims"][1]["figures"].insert(0, {"printed": "75", "unit": "%", "role": "again"})
    record["claims"][2]["relations"] = []
    faults, _ = held(tmp_path, record)
    assert faults == [
        "small.yml: SML-02: again: the numeral '75' in paragraph 1 at 21 is used twice; SML-01 has it already"
    ]


def test_figures_are_looked_for_from_left_to_right(tmp_path):
    record = changed("claims.0.figures", RECORD["claims"][0]["figures"][::-1])
    faults, unaccounted = held(tmp_path, record)
    assert [f.split(": ")[2] for f in faults] == ["figures.asked", "figures.answered"]
    assert unaccounted == ["Nine", "12"]


def test_a_dropped_figure_leaves_its_numeral_unaccounted(tmp_path):
    record = changed("claims.2.figures", RECORD["claims"][2]["figures"][:1])
    record["claims"][2]["relations"] = []
    assert held(tmp_path, record) == ([], ["30"])


def test_a_dropped_not_claim_leaves_its_numeral_unaccounted(tmp_path):
    assert held(tmp_path, changed("not_claims", RECORD["not_claims"][1:])) == ([], ["2019"])


def test_a_figure_in_words_does_not_begin_inside_another_word(tmp_path):
    text = "Often someone has ten."
    record = {
        **RECORD,
        "text": census.fingerprint(text.encode()),
        "claims": [
            {
                "id": "SML-01", "at": {"par": 1, "start": 0, "end": 22}, "kind": "count", "says": "Some number.",
                "figures": [{"printed": "ten", "unit": "patients", "role": "had"}],
            }
        ],
        "not_claims": [],
    }  # fmt: skip
    (tmp_path / "small.yml").write_text(yaml.safe_dump(record), "utf-8")
    found = census.census(records.load(tmp_path / "small.yml"), text)
    assert (found.faults, found.unaccounted) == ([], [])


def test_without_the_text_it_says_where_to_put_it(tmp_path):
    (tmp_path / "small.yml").write_text(yaml.safe_dump(RECORD), "utf-8")
    with pytest.raises(FileNotFoundError, match=r"no text small\.txt in .*: put the source texts there, or name their"):
        census.verify(records.load(tmp_path / "small.yml"), tmp_path)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ("source: {slug: small, slug: large}", "key 'slug' stands twice"),
        ("source: [unclosed", "not readable as YAML"),
        ("", "record"),
        ("- a\n- list", "record"),
        ("claims: 7", "claims"),
        ("claims: [7]", "claims[0]"),
    ],
)
def test_what_is_no_record_is_refused_in_one_line_a_fault(tmp_path, raw, says):
    (tmp_path / "small.yml").write_text(raw, "utf-8")
    with pytest.raises(records.SourceError) as refused:
        records.load(tmp_path / "small.yml")
    assert says in str(refused.value)
    assert all(line.startswith("small.yml: ") for line in str(refused.value).splitlines())


def test_nothing_a_record_holds_is_executed(tmp_path):
    marker = tmp_path / "ran"
    (tmp_path / "small.yml").write_text(f"source: !!python/object/apply:os.system ['touch {marker}']\n", "utf-8")
    with pytest.raises(records.SourceError, match=r"^small\.yml: not readable as YAML: .*python/object/apply"):
        records.load(tmp_path / "small.yml")
    assert not marker.exists()


# Relations ---------------------------------------------------------------------------------------------------------


def relation(kind: str, own: str, *others: str) -> relations.Held:
    """A relation ``kind`` between figures written "12 patients", the first being the one it is stated of."""
    claims = []
    for n, text in enumerate((own, *others), 1):
        printed, _, unit = text.rpartition(" ")
        figure = {"printed": printed, "unit": unit, "role": "value"}
        claims.append({**RECORD["claims"][1], "id": f"SML-{n:02d}", "figures": [figure]})
    of = [f"SML-{n:02d}" for n in range(2, len(claims) + 1)]
    claims[0] = {**claims[0], "relations": [{"kind": kind, "of": of}]}
    return relations.relations(records.Record.model_validate({**RECORD, "claims": claims}))[0]


@pytest.mark.parametrize(
    ("kind", "figures", "holds", "shows"),
    [
        ("sum-of", ["15 patients", "12 patients", "3 patients"], True, "15 = 12 + 3"),
        ("sum-of", ["Fifteen patients", "12 patients", "4 patients"], False, "Fifteen = 12 + 4"),
        ("sum-of", ["3 years", "first years", "2 years"], True, "3 = first + 2"),
        ("sum-of", ["3 years", "18 months", "18 months"], True, "3 years = 18 months + 18 months"),
        ("sum-of", ["3 years", "18 months", "10 months"], False, "3 years = 18 months + 10 months"),
        ("sum-of", ["0.9 months", "0.4 months", "0.4 months"], True, "0.9 = 0.4 + 0.4"),
        ("part-of", ["3 patients", "3 patients"], True, "3 ≤ 3"),
        ("part-of", ["4 patients", "3 patients"], False, "4 ≤ 3"),
        ("part-of", ["15 %", "14.6 %"], True, "15 ≤ 14.6"),
        ("percentage-of", ["75 %", "9 patients", "12 patients"], True, "75% = 9 of 12"),
        ("percentage-of", ["74 %", "9 patients", "12 patients"], False, "74% = 9 of 12"),
        ("percentage-of", ["16 %", "2 patients", "12 patients"], False, "16% = 2 of 12"),
        ("percentage-of", ["12 %", "1 patients", "8 patients"], True, "12% = 1 of 8"),
        ("within", ["50 years", "28 years", "67 years"], True, "28 ≤ 50 ≤ 67"),
        ("within", ["69 years", "28 years", "67 years"], False, "28 ≤ 69 ≤ 67"),
        ("within", ["2.2 years", "16 months", "26 months"], True, "16 months ≤ 2.2 years ≤ 26 months"),
        ("within", ["2.4 years", "16 months", "26 months"], False, "16 months ≤ 2.4 years ≤ 26 months"),
        ("equals", ["≥3 lesions", "3 lesions"], True, "≥3 = 3"),
        ("equals", ["600 mg", "400 mg"], False, "600 = 400"),
        ("equals", ["2 years", "24 months", "25 months"], True, "2 years = 24 months, 25 months"),
        ("at-least", ["9.5 years", "7.9 years", "10.4 years"], False, "9.5 ≥ 7.9, 10.4"),
        ("at-least", ["10 years", "10.4 years"], True, "10 ≥ 10.4"),
        ("later-than", ["3 months", "1 months"], True, "3 > 1"),
        ("later-than", ["2 patients", "2 patients"], False, "2 > 2"),
        ("later-than", ["6 weeks", "1 months"], True, "6 weeks > 1 months"),
        ("later-than", ["3 weeks", "1 months"], True, "3 weeks > 1 months"),
        ("later-than", ["1 weeks", "1 months"], False, "1 weeks > 1 months"),
        ("same-clock", ["3 weeks", "1 months"], True, "units: months, weeks"),
        ("same-clock", ["3 weeks", "1 patients"], False, "units: patients, weeks"),
        ("same-patients", ["3 weeks", "1 patients"], True, "units: patients, weeks"),
    ],
)
def test_relations(kind, figures, holds, shows):
    found = relation(kind, *figures)
    assert (found.holds, found.shows) == (holds, shows)


COUNTS = st.integers(0, 400)


@given(COUNTS, COUNTS, st.integers(-3, 3))
def test_a_sum_of_counts_is_exact(a, b, off):
    whole = max(a + b + off, 0)
    assert relation("sum-of", f"{whole} patients", f"{a} patients", f"{b} patients").holds == (whole == a + b)


@given(COUNTS, st.integers(1, 400), st.integers(0, 2))
def test_a_percentage_rightly_rounded_is_never_called_wrong(part, more, decimals):
    share = round(Fraction(100 * part, part + more), decimals)
    printed = f"{float(share):.{decimals}f}"
    assert relation("percentage-of", f"{printed} %", f"{part} patients", f"{part + more} patients").holds


@given(st.fractions(0, 40, max_denominator=1000), st.integers(0, 1), st.integers(0, 1))
def test_one_time_printed_in_two_units_is_never_two_times(years, in_years, in_months):
    a = f"{float(round(years, in_years)):.{in_years}f} years"
    b = f"{float(round(years * 12, in_months)):.{in_months}f} months"
    assert relation("equals", a, b).holds
    assert relation("at-least", a, b).holds
    assert relation("part-of", a, b).holds
