"""Pictures against counts by hand: who is filled, who is at risk, what is said to those who do not see it; no word on another."""

import json
import re
import xml.etree.ElementTree as ET
from fractions import Fraction
from functools import lru_cache
from itertools import combinations

import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from lib import FIGURE, figures
from lib.evidence import last_searched
from lib.figures import BAND, INK, RECOMPUTED, REPORTED, RULE, STYLE, drawing
from lib.pictures import DRAWN, forest, icons, survival, survival_rows, swimmer, timeline
from lib.values import count, estimate, measure, share
from whichdata.survival import kaplan_meier

SAID = {"title": "A sentence says it", "label": "fig-x", "caption": "What is drawn."}
# Six patients by hand: events at 2 (two) and 5, censored at 2, 4 and 8.
SIX = kaplan_meier([2, 2, 2, 4, 5, 8], [1, 1, 0, 0, 1, 0])
OTHERS = kaplan_meier([1, 3, 6, 7], [1, 1, 1, 0])


def people():
    """Two groups of 100, one with an interval, the other with a name that is broken on a phone."""
    one = estimate(share(0.56), share(0.45), share(0.66), "relapse-free survival")
    icons(
        {"no treatment": one, "ropeginterferon alfa-2b for 15 months": share(0.2)},
        "free of relapse at 25 months",
        **SAID,
    )


def years():
    """Reports as close as one year, and words too long for one line of a phone."""
    timeline(
        [("2012", "this study, an interim report of twelve patients", "source"), ("2010", "STIM: nothing given instead", "other"),
         ("2014", "its final report, which was not reviewed here", "report"), ("2013", "a trial that went on with imatinib", "randomised"),
         ("2026", "a trial of ropeginterferon against no treatment", "randomised")], **SAID)  # fmt: skip


def curves():
    survival({"interferon": SIX, "imatinib alone": OTHERS}, "in remission", "months", **SAID, at=[0, 2, 4, 6])


def estimates():
    rows = [("with", "another trial", "95", 73, 62, 81, ""), ("with", "this study", "9/12", 74, 43, 95, "source"),
            ("without", "a trial of the same failure", "108", 67, 57, 75, ""), ("without", "pooled: two trials", "", 59, 51, 67, "pooled"),
            ("without", "a further trial", "", None, 40, 76, "prediction")]  # fmt: skip
    columns = ["group", "study", "n", "value", "low", "high", "mark"]
    forest(pd.DataFrame(rows, columns=columns), "in major response", "%", **SAID)


def swimmers():
    """A relapse that is treated again and one that is not, a patient who is censored and one still followed."""
    rows = [("interferon", "A", 0, 6, "in response", "relapse"), ("interferon", "A", 6, 11, "back on imatinib", "response regained"),
            ("interferon", "B", 0, 5.5, "in response", "censored"), ("imatinib alone", "C", 0, 3, "in response", "relapse"),
            ("imatinib alone", "D", 0, 27, "in response", "ongoing")]  # fmt: skip
    columns = ["group", "patient", "start", "end", "state", "mark"]
    swimmer(pd.DataFrame(rows, columns=columns), "months", **SAID, at=[0, 6, 12, 24])


KINDS = {"icons": people, "timeline": years, "survival": curves, "forest": estimates, "swimmer": swimmers}


@pytest.fixture(scope="module")
def shown():
    """What a picture emits, as it is read back from a notebook: its entry, both drawings, and how large they were made."""
    emitted, sizes, render = [], [], figures._render

    def rendered(draw, panels, size, stacked):
        sizes.append(size)
        return render(draw, panels, size, stacked)

    @lru_cache
    def show(kind):
        KINDS[kind]()
        data = json.loads(json.dumps(emitted[-1]))
        return data[FIGURE], {"wide": drawing(data["text/html"]), "narrow": data[FIGURE]["narrow"]}, sizes[-2]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "display", lambda data, raw: emitted.append(data))
        patch.setattr(figures, "_render", rendered)
        yield show


def words(svg):
    """The words of a drawing, each with the box it takes in the widest type: left, top, right, bottom in points."""
    found = []
    for text in ET.fromstring(svg).findall(".//{*}text"):
        style = text.get("style")
        size, bold = float(re.search(r"([\d.]+)px", style)[1]), "700" in style or "bold" in style
        prop = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
        ink = TextPath((0, 0), text.text.strip(), size=size, prop=prop).get_extents()
        move = re.search(r"translate\(([-\d.]+) ([-\d.]+)\)", text.get("transform") or "")
        x, y = (float(move[1]), float(move[2])) if move else (float(text.get("x")), float(text.get("y")))
        anchor = re.search(r"text-anchor: (\w+)", style)
        x -= {"end": 1, "middle": 0.5}.get(anchor[1] if anchor else "start", 0) * ink.width
        found.append((text.text.strip(), x, y - ink.y1, x + ink.width, y - ink.y0))
    return found


@pytest.mark.parametrize("width", ["wide", "narrow"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_word_stands_on_another_or_outside(shown, kind, width):
    svg = shown(kind)[1][width]
    _, _, right, bottom = map(float, ET.fromstring(svg).get("viewBox").split())
    found = words(svg)
    assert len(found) > 5
    for a, b in combinations(found, 2):
        apart = a[3] <= b[1] or b[3] <= a[1] or a[4] <= b[2] or b[4] <= a[2]
        assert apart, f"{a[0]!r} and {b[0]!r}"
    for text, x0, y0, x1, y1 in found:
        assert -1 <= x0 and x1 <= right + 1 and -1 <= y0 and y1 <= bottom + 1, text


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_drawn_again_from_its_data_alone(shown, kind):
    entry, drawn, size = shown(kind)
    data = pd.DataFrame(entry["rows"], columns=entry["columns"])
    assert entry["kind"] == kind
    with plt.rc_context(STYLE):
        again = figures._render(lambda ax: DRAWN[kind](ax, data, **entry["how"]), 1, size, stacked=False)
    assert again == drawn["wide"].replace(' style="background:#fff"', "", 1)


@pytest.mark.parametrize("width", ["wide", "narrow"])
def test_as_many_people_are_filled_as_have_the_outcome(shown, width):
    entry, drawn, _ = shown("icons")
    marks = re.findall(r'<use href="#\w+" x="([-\d.]+)" y="[-\d.]+" style="([^"]*)"', drawn[width])
    filled = [float(x) for x, style in marks if f"fill: {INK}" in style]
    bare = [x for x, style in marks if "fill: none" in style]
    middle = float(ET.fromstring(drawn[width]).get("viewBox").split()[2]) / 2
    assert (len([x for x in filled if x < middle]), len([x for x in filled if x > middle])) == (
        56 + 1,
        20,
    )  # one in the key
    assert len(bare) == 200 - 56 - 20
    assert sum(f"fill: {BAND}" in style for _, style in marks) == 3 + 1, "46 to 66 lie in three rows; one in the key"
    assert entry["rows"] == [
        ["no treatment", 56, 100, 45, 66],
        ["ropeginterferon alfa-2b for 15 months", 20, 100, 20, 20],
    ]
    assert entry["alt"] == (
        "People, free of relapse at 25 months: no treatment, 56 of 100 (95% CI 45 to 66); ropeginterferon alfa-2b for 15 months, 20 of 100."
    )


def test_numbers_at_risk_are_those_counted_by_hand(shown):
    entry, drawn, _ = shown("survival")
    for svg in drawn.values():
        said = [text for text, *_ in words(svg)]
        first, second = said.index("Number at risk, interferon"), said.index("Number at risk, imatinib alone")
        assert said[first + 1 : first + 5] == ["6", "6", "3", "1"], "at 0, 2, 4 and 6: all, all, all but three, one"
        assert said[second + 1 : second + 5] == ["4", "3", "2", "2"]
    assert "interferon, 6 at risk, 3 with an event, 3 censored, at the end 33% (95% CI " in entry["alt"]
    assert "imatinib alone, 4 at risk, 3 with an event, 1 censored, at the end 25% (95% CI " in entry["alt"]


def test_a_curve_starts_whole_and_falls_as_by_hand():
    rows = survival_rows({"interferon": SIX})
    fall = [1, Fraction(4, 6), Fraction(4, 6), Fraction(4, 6) * Fraction(1, 2), Fraction(4, 6) * Fraction(1, 2)]
    assert list(rows.time) == [0, 2, 4, 5, 8] and list(rows.survival) == pytest.approx([100 * float(s) for s in fall])
    assert list(rows["at risk"]) == [6, 6, 3, 2, 1] and list(rows.censored) == [0, 1, 1, 0, 1]
    assert (
        rows.low.iloc[0] == rows.high.iloc[0] == 100
        and (rows.low <= rows.survival).all()
        and (rows.survival <= rows.high).all()
    )


@pytest.mark.parametrize("width", ["wide", "narrow"])
def test_each_censoring_has_a_mark_on_its_curve(shown, width):
    svg = shown("survival")[1][width]
    ticks = re.findall(r'<path id="(\w+)" d="M 0 4 L 0 -4 "', svg)
    assert sum(len(re.findall(f'<use href="#{t}"', svg)) for t in ticks) == 3 + 1


def test_a_time_line_is_in_order_of_time_and_ends_at_the_last_search(shown):
    entry, *_ = shown("timeline")
    assert [row[2] for row in entry["rows"]] == ["other", "source", "randomised", "report", "randomised", "search"]
    told = entry["alt"]
    assert "2012, this study, an interim report of twelve patients (the source); 2013, a trial" in told
    assert told.endswith(f"(randomised); last searched {last_searched()}.")


@pytest.mark.parametrize("width", ["wide", "narrow"])
def test_no_upright_line_of_a_time_line_strikes_out_a_word(shown, width):
    svg = shown("timeline")[1][width]
    upright = [tuple(map(float, ends)) for ends in re.findall(r'd="M ([\d.]+) ([\d.]+) L \1 ([\d.]+) ?', svg)]
    assert upright
    for text, left, top, right, bottom in words(svg):
        for x, *ends in upright:
            assert not (left < x < right and min(ends) < bottom and top < max(ends)), text


def test_a_forest_shows_what_we_recompute_of_the_source_in_that_colour_and_first(monkeypatch):
    emitted = []
    monkeypatch.setattr(figures, "display", lambda data, raw: emitted.append(data))
    rows = pd.DataFrame(
        [("another", 60, 50, 70, ""), ("this study", 75, 43, 95, "recomputed")],
        columns=["study", "value", "low", "high", "mark"],
    )
    forest(rows, "in major response", "%", **SAID)
    svg = drawing(emitted[0]["text/html"])
    assert RECOMPUTED in svg and REPORTED not in svg
    assert [row[1] for row in emitted[0][FIGURE]["rows"]] == ["this study", "another"]


def test_a_forest_says_each_estimate_in_figures_and_puts_the_source_first(shown):
    entry, drawn, _ = shown("forest")
    for svg in drawn.values():
        said = " ".join(text for text, *_ in words(svg)).replace("%", "")
        for figure in ("74 (43–95)", "73 (62–81)", "67 (57–75)", "59 (51–67)", "40–76"):
            assert figure in said
        assert said.index("this study") < said.index("another trial")
    assert entry["alt"] == (
        "A forest plot, in major response: this study, 74% (43–95); pooled: two trials, 59% (51–67); a further trial, 40–76; "
        "another trial, 73% (62–81); a trial of the same failure, 67% (57–75)."
    )


def parts(**given):
    return pd.DataFrame({"patient": [*"pqrs"], "start": 0} | given)


@pytest.mark.parametrize("width", ["wide", "narrow"])
def test_each_patient_has_a_bar_as_long_as_followed_with_its_marks(shown, width):
    entry, drawn, _ = shown("swimmer")
    ground = re.findall(
        r'<path d="M ([-\d.]+) [-\d.]+ L ([-\d.]+) [^"]*z " clip-path="[^"]*" style="fill: (#\w+)"', drawn[width]
    )
    lengths = [(float(b) - float(a), fill) for a, b, fill in ground]
    month = lengths[-1][0] / 27  # the last bar is the longest
    assert [(round(wide / month, 1), fill) for wide, fill in lengths] == [
        (6, BAND),
        (5, RULE),
        (5.5, BAND),
        (3, BAND),
        (27, BAND),
    ]
    assert float(ground[1][0]) == float(ground[0][1]), "a part begins where the one before it ends"
    said = [text for text, *_ in words(drawn[width])]
    assert {*"ABCD", "in response", "back on imatinib", "relapse", "response regained", "censored", "ongoing"} <= set(
        said
    )
    assert entry["alt"] == (
        "A swimmer plot, from 0 to 27 months: interferon: 2 patients; relapse at 6; response regained at 11; censored at 5.5. "
        "imatinib alone: 2 patients; relapse at 3; ongoing at 27."
    )


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: icons({"all": count(3, "patients")}, "well", **SAID),
            "all is three patients: 100 people show a share",
        ),
        (lambda: icons({"all": measure("0.5", "hazard ratio")}, "well", **SAID), "100 people show a share"),
        (lambda: timeline([("2012", "this", "origin")], **SAID), "roles source, report, randomised, other"),
        (lambda: timeline([], **SAID), "give events"),
        (lambda: swimmer(parts(end=2, mark="lost"), "months", **SAID), "one of the marks relapse, response regained"),
        (lambda: swimmer(parts(end=-1), "months", **SAID), "parts that end after they start"),
        (lambda: swimmer(parts(end=1, state=[*"abcd"]), "months", **SAID), "4 states: at most 3 can be told apart"),
        (lambda: survival(dict.fromkeys("abcd", SIX), "well", "months", **SAID), "at most 3 can be told apart"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(make, said):
    with pytest.raises(ValueError, match=said) as refused:
        make()
    assert "\n" not in str(refused.value)
