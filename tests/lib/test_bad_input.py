"""Every kind of bad input, from function, command line and record alike: one clear line, never a traceback.

What the author of a record can only have mistyped (an empty group, text that is no number) is refused when it is read.
What a source may have printed, however impossible, is held; then the record says why it cannot be, a relation fails,
and a check finds it discrepant.
"""

import copy
import io
import json
import math
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lib import records, relations, review
from lib.__main__ import main
from lib.house import census
from tests.lib.test_records import RECORD, TEXT
from whichdata import effects, feasible, proportions, reconstruct
from whichdata.survival import kaplan_meier

GRID = range(1, 7)

FUNCTIONS = {
    "n of zero": (lambda: feasible.FeasibleSet(0, GRID, {}), "at least 1"),
    "negative n": (lambda: proportions.possible_counts("50", -3), "at least 1"),
    "percentage over 100": (lambda: proportions.possible_counts("174", 12), "outside 0 to 100"),
    "interval without its estimate": (lambda: effects.effect_box("0.90", "0.46", "0.69"), "does not hold its estimate"),
    "text that is no number": (lambda: proportions.possible_counts("some", 12), "is no printed number"),
    "NaN": (lambda: effects.p_from_interval(math.nan, 0.5, 0.9), "finite number"),
    "empty group": (lambda: kaplan_meier([], []), "no patients"),
    "rising numbers at risk": (lambda: reconstruct.guyot([(3, 0.5)], {0: 5, 2: 6}), "never rise"),
    "more events than patients": (lambda: proportions.count_prints(9, 5, "50"), "more events than patients"),
    "search too large": (lambda: feasible.FeasibleSet(10**4, GRID, {}), "more than the 2,000"),
}

CHECKS = {
    "n of zero": ("km_feasible_count", {"n": 0, "times": "integers 1..6"}, "at least 1"),
    "negative n": ("percent_to_counts", {"percent": "50", "n": -3}, "at least 1"),
    "percentage over 100": ("percent_to_counts", {"percent": "174", "n": 12}, "outside 0 to 100"),
    "interval without its estimate": (
        "ratio_ci_p_consistency", {"estimate": "0.90", "ci95": ["0.46", "0.69"]}, "does not hold its estimate",
    ),
    "text that is no number": ("count_percent", {"count": 1, "n": 2, "percent": "some"}, "is no printed number"),
    "NaN": ("p_from_ci", {"estimate": math.nan, "ci95": [0.5, 0.9]}, "finite number"),
    "empty group": ("mann_whitney", {"x": [], "y": [1]}, "empty"),
    "rising numbers at risk": (
        "km_reconstruction_guyot", {"curve": [[3, "0.5"]], "number_at_risk": {"0": 5, "2": 6}}, "never rise",
    ),
    "more events than patients": ("fragility_index", {"events1": 9, "n1": 5, "events2": 1, "n2": 5}, "more events"),
    "search too large": ("km_feasible_count", {"n": 100, "times": "integers 1..60", "median": 30}, "narrow it with"),
}  # fmt: skip


def record(claim: int = 0, figure: int | None = None, text: tuple[str, str] | None = None, add=(), **change) -> dict:
    """RECORD with one figure (or claim) changed and figures added; ``text`` replaces words of TEXT."""
    made = copy.deepcopy(RECORD)
    entry = made["claims"][claim]
    (entry if figure is None else entry["figures"][figure]).update(change)
    entry["figures"] += [dict(zip(("printed", "unit", "role"), f)) for f in add]
    if text:
        made["text"] = census.fingerprint(TEXT.replace(*text).encode())
    return made


# refused when read: the record and what is said of it
REFUSED = {
    "n of zero": (record(0, 1, printed="0"), "small.yml: SML-01.relations[0]: of: SML-01/asked is 0, an empty group"),
    "text that is no number": (record(1, 0, printed="some"), "SML-02.figures.0 (high): 'some' is no printed number"),
    "two numbers": (record(1, 0, printed="2–5"), "SML-02.figures.0 (high): '2–5' holds two numbers"),
    "NaN as text": (record(1, 0, printed="NaN"), "SML-02.figures.0 (high): 'NaN' is no printed number; leave"),
    "NaN": (record(1, 0, printed=math.nan), "SML-02.figures.0.printed (high): Input should be a valid string; put"),
    "a number without quotes": (record(1, 0, printed=2.50), "SML-02.figures.0.printed (high)"),
    "an empty text": (record(1, 0, printed=" "), "SML-02.figures.0.printed (high)"),
    "empty group": (record(0, figures=[]), "SML-01.relations[0]: SML-01 has no figure 'answered'; it has none"),
    "a role that is a word of Python": (
        record(0, 0, role="or"),
        "SML-01.figures.0 (or): role 'or' is a word of Python",
    ),
    "ns of patients": (record(0, 0, printed="ns"), "SML-01.figures.0 (answered): 'ns' is said of a p value"),
    "a bound as a whole": (record(0, 1, printed="< 12"), "SML-01.relations[0]: of: Nine of < 12: a part and a"),
    "resting on itself": (record(2, rests_on=["SML-03"]), "SML-03.rests_on: a claim does not rest on itself"),
    "another slug": ({**RECORD, "source": RECORD["source"] | {"slug": "other"}}, "source.slug: other is not"),
}


def ratio(estimate: str, low: str, high: str) -> list[tuple[str, str, str]]:
    roles = {"hazard-ratio": estimate, "ci-low": low, "ci-high": high}
    return [(printed, "hazard ratio", role) for role, printed in roles.items()]


# held as printed, and reported: the record, the text it is printed in, where and why it cannot be
HELD = {
    "percentage over 100": (
        record(0, 2, printed="174", text=("75", "174")), ("75", "174"), ("SML-01", "percentage"), "from 0 to 100%",
    ),
    "negative n": (record(0, 0, printed="-9"), None, ("SML-01", "answered"), "patients are never negative"),
    "more events than patients": (
        record(0, 1, printed="4", text=("12", "4")), ("12", "4"), ("SML-01", "percentage"), "more events than patients",
    ),
    "interval without its estimate": (
        record(1, figures=[], add=ratio("0.90", "0.46", "0.69")), None, ("SML-02", "hazard-ratio"),
        "0.46 to 0.69 does not hold its estimate 0.90",
    ),
    "interval that ends below its start": (
        record(1, figures=[], add=ratio("0.60", "0.69", "0.46")), None, ("SML-02", "ci-low"), "ends below its start",
    ),
    "p above 1": (record(1, 0, printed="2", unit="p"), None, ("SML-02", "high"), "a p value lies from 0 to 1"),
}  # fmt: skip
for held, *_ in HELD.values():
    held["claims"][2]["relations"] = []  # it compares the figure that some of them replace


@pytest.fixture
def seeds(tmp_path, monkeypatch):
    """A folder of records in the place of seeds/, and of texts."""
    monkeypatch.setattr(records, "SEEDS", tmp_path)

    def put(made: dict, text: tuple[str, str] | None = None):
        (tmp_path / "small.yml").write_text(yaml.safe_dump(made, allow_unicode=True), "utf-8")
        (tmp_path / "small.txt").write_text(TEXT.replace(*text) if text else TEXT, "utf-8")
        return tmp_path

    return put


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_from_a_function(kind):
    call, says = FUNCTIONS[kind]
    with pytest.raises(ValueError, match=says) as refused:
        call()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", CHECKS)
def test_from_the_command_line(kind, monkeypatch, capsys):
    name, inputs, says = CHECKS[kind]
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps({"check": name, "inputs": inputs}) + "\n"))
    assert main(["check"]) == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == 1 and not err and says in json.loads(out)["error"]


@pytest.mark.parametrize("kind", REFUSED)
def test_from_a_record_that_is_mistyped(kind, seeds, capsys):
    made, says = REFUSED[kind]
    folder = seeds(made)
    with pytest.raises(records.SourceError) as refused:
        records.load(folder / "small.yml")
    assert says in str(refused.value) and "\n" not in str(refused.value)
    for command in (["verify-sources", str(folder)], ["census", str(folder)]):
        assert main(command) == 2
        out, err = capsys.readouterr()
        assert says in err and err.count("\n") == 1 and not out
    with pytest.raises(ValueError) as refused:
        review.Review("small")
    assert says in str(refused.value)


@pytest.mark.parametrize("kind", HELD)
def test_from_a_source_that_printed_it(kind, seeds, capsys, monkeypatch):
    made, text, (claim, role), why = HELD[kind]
    folder = seeds(made, text)
    read = records.load(folder / "small.yml")
    assert why in relations.impossible(read)[claim, role]
    main(["verify-sources", str(folder)])
    said = [line for line in capsys.readouterr().out.splitlines() if "as printed, cannot be" in line]
    assert len(said) == 1 and said[0].startswith(f"small.yml: {claim}: figures.{role}: ") and why in said[0]
    # whatever a chapter computes, even the printed number itself, the verdict is discrepant and says why
    monkeypatch.setattr(review, "display", lambda *_, **__: None)
    chapter = review.Review("small")
    assert (
        chapter.judge(claim, "estimate", "as given", **{role.replace("-", "_"): read[claim][role].value})
        == "discrepant"
    )
    if claim not in chapter.rows:
        chapter.leave(claim, "the rest")
    assert why in chapter.rows[claim].reason


def test_a_change_may_pass_100_percent(seeds):
    made = record(0, 2, printed="174", role="increase", text=("75", "174"))
    made["claims"][0]["relations"] = []
    assert relations.impossible(records.load(seeds(made) / "small.yml")) == {}


def test_numbers_at_risk_that_rise_fail_their_relation(seeds):
    """A table of numbers at risk is stated as each row being at least the next."""
    made = copy.deepcopy(RECORD)
    made["claims"][0]["relations"] = [{"kind": "at-least", "role": "answered", "of": ["SML-01/asked"]}]
    failing = [h for h in relations.relations(records.load(seeds(made) / "small.yml")) if not h.holds]
    assert [(h.claim, h.shows) for h in failing] == [("SML-01", "Nine ≥ 12")]


def test_the_sources_print_nothing_impossible():
    assert not any(relations.impossible(records.record(slug)) for slug in records.slugs())


odd = st.sampled_from(
    [None, True, -1, 0, 10**30, 2.5, math.nan, math.inf, "", "NaN", "ns", "< 5", "174", "-3", "0", "1e999", "SML-01",
     "SML-01/asked", "SML-02/", [], {}, [7], ["SML-01", "SML-01/asked"], {"par": 9}, "%", "p", "percentage-of"]
)  # fmt: skip


def places(node, way=()):
    """Every way into a record."""
    yield way
    for key in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield from places(node[key], (*way, key))


@given(st.sampled_from([w for w in places(RECORD) if w]), odd)
def test_one_entry_gone_wrong_is_named_or_held(tmp_path_factory, way, value):
    """Wherever something odd stands, reading names it in one line a fault, or everything that reads a record works."""
    made = copy.deepcopy(RECORD)
    node = made
    for key in way[:-1]:
        node = node[key]
    node[way[-1]] = value
    path = tmp_path_factory.mktemp("odd") / "small.yml"
    path.write_text(yaml.safe_dump(made), "utf-8")
    try:
        read = records.load(path)
    except records.SourceError as error:
        assert all(line.startswith("small.yml: ") for line in str(error).splitlines())
        return
    held = [*relations.relations(read), *relations.impossible(read), *census.census(read, TEXT).faults]
    assert "\n" not in "".join(map(str, held))
