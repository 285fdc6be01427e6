"""Figures: what the clean-up of an SVG may change, and what it may not; the pictures of a stepper."""

import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from lxml import html

from lib import ROOT, figures
from lib.book import outputs
from lib.figures import FIGURE, drawing, figure, stepper, tidy

CHOICES = {"Zeal": ["low", "high"], "Age": ["young", "middling", "old"]}  # not in the order of the alphabet
HEIGHTS = {
    ("low", "young"): 1,
    ("low", "middling"): 3,
    ("low", "old"): 9,
    ("high", "young"): 30,
    ("high", "middling"): 100,
    ("high", "old"): 300,
}


def test_coordinates_are_rounded_but_labels_are_not():
    svg = '<svg><path d="M 1.2345 6.789 L -0 -0.001 L -0.5 0"/><text x="10.123">0.006</text></svg>'
    assert tidy(svg) == '<svg><path d="M 1.2 6.8 L 0 0 L -0.5 0"/><text x="10.1">0.006</text></svg>'


def frame(ax):
    ax.set(xscale="log", yscale="log", xlim=(1, 100), ylim=(1, 1000), xticks=[1, 10, 100], yticks=[1, 10, 100, 1000])


def draw(ax, zeal, age):
    height = HEIGHTS.get((zeal, age), 10)
    ax.plot([1, 100], [height] * 2, color=figures.RECOMPUTED)
    ax.plot([10], [height], "s", color=figures.REPORTED)


def made(monkeypatch, **other):
    """What a stepper emits, as it stands in a notebook: JSON with its keys sorted."""
    emitted = []
    monkeypatch.setattr(figures, "display", lambda data, raw: emitted.append(data))
    given = {
        "tell": lambda zeal, age: (f"{zeal} zeal, {age}", f"A line at a height for {zeal} and {age}"), "choices": CHOICES,
        "first": ("high", "young"), "title": "It differs", "data": pd.DataFrame({"x": [1, 2]}),
        "label": "fig-x", "caption": "Lines by zeal.", "alt": "Lines",
    }  # fmt: skip
    stepper(frame, draw, **(given | other))
    return json.loads(json.dumps(emitted[0], sort_keys=True))


def pictures(svg):
    """The layers of a drawing by name: how high each line lies, and whether it is shown without a style sheet."""
    found = {}
    for g in ET.fromstring(svg).iter():
        kind, _, name = g.get("class", "").partition(" ")
        if kind == "state":
            line = next(p for p in g.iter() if p.tag.endswith("path") and "fill: none" in p.get("style", ""))
            x, y = np.array(re.findall(r"[ML] (\S+) (\S+)", line.get("d")), float).T
            assert y[0] == y[1]
            mark = next(u for u in g.iter() if u.tag.endswith("use"))
            assert float(mark.get("y")) == pytest.approx(y[0], abs=0.11)
            assert float(mark.get("x")) == pytest.approx(x.mean(), abs=0.2), (
                "the middle of one and a hundred is ten, on a log scale"
            )
            found[name] = (y[0], g.get("visibility") != "hidden")
    return found


def ticks(svg):
    """Where the horizontal axis lines of the frame lie, top first."""
    lines = re.findall(r'<path d="M (\S+) (\S+) L (\S+) (\S+) " clip-path[^>]*stroke: #d9d5cb', svg)
    return sorted({float(y0) for _, y0, _, y1 in lines if y0 == y1})


@pytest.mark.parametrize("width", ["wide", "narrow"])
def test_every_picture_is_drawn_once_to_the_scale_of_its_frame(monkeypatch, width):
    data = made(monkeypatch)
    svg = drawing(data["text/html"]) if width == "wide" else data[FIGURE]["narrow"]
    drawn = pictures(svg)
    assert list(drawn) == ["a0 b0", "a0 b1", "a0 b2", "a1 b0", "a1 b1", "a1 b2"]
    assert [name for name, (_, shown) in drawn.items() if shown] == ["a1 b0"]
    thousand, hundred, ten, one = ticks(svg)
    for (height, _), wanted in zip(drawn.values(), HEIGHTS.values()):
        assert height == pytest.approx(one + (thousand - one) * np.log10(wanted) / 3, abs=0.15)


def test_the_page_names_each_picture_as_it_was_drawn(monkeypatch):
    data = made(monkeypatch)
    page = outputs.inline(data[FIGURE], {"wide": drawing(data["text/html"]), "narrow": data[FIGURE]["narrow"]})
    labels = re.findall(r'name="(fig-x-\w)" value="(\w\d)"( checked)?> <span>(\w+)</span>', page)
    assert [(name, option) for name, _, _, option in labels] == [
        (f"fig-x-{k}", o) for k, os in zip("ab", CHOICES.values()) for o in os
    ]
    assert [value for _, value, checked, _ in labels if checked] == ["a1", "b0"]
    assert re.findall("<legend>(.*?)</legend>", page) == list(CHOICES)
    option = {value: word for _, value, _, word in labels}
    told = re.findall(r'<p class="state (\w\d \w\d)"( hidden)?>(.*?)<span class="hidden"> (.*?)</span></p>', page)
    assert [name for name, hidden, _, _ in told if not hidden] == ["a1 b0"]
    for name, _, finding, seen in told:
        zeal, age = (option[v] for v in name.split())
        assert finding == f"{zeal} zeal, {age}" and seen.endswith(f"for {zeal} and {age}")
    assert set(re.findall(r'<g class="state ([^"]+)"', page)) == {name for name, *_ in told}
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(set(ids)) == len(ids) and set(re.findall(r'(?:url\(|href=")#([^")]+)', page)) == set(ids)


def test_many_options_stand_along_a_scale(monkeypatch):
    many = {"Zeal": list("abcdef"), "Age": ["young", "old"]}
    data = made(
        monkeypatch,
        choices=many,
        first=("a", "young"),
        tell=lambda *o: ("finding " + " ".join(o), "seen " + " ".join(o)),
    )
    page = outputs.inline(data[FIGURE], {"wide": drawing(data["text/html"]), "narrow": data[FIGURE]["narrow"]})
    assert re.findall(r"<fieldset(.*?)><legend>(\w+)", page) == [(' class="scale"', "Zeal"), ("", "Age")]


def test_a_stepper_is_the_same_twice(monkeypatch):
    assert made(monkeypatch) == made(monkeypatch)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"choices": {}}, "one to 3 choices"),
        ({"choices": {"Zeal": ["low"]}}, "two to 8 options"),
        ({"choices": {"Zeal": list("abcdefghi")}}, "two to 8 options"),
        ({"first": ("high", "ancient")}, "none of the 6"),
        ({"tell": lambda zeal, age: (zeal, f"{zeal} {age}")}, "finding of its own"),
        ({"tell": lambda zeal, age: (f"{zeal} {age}", "a line")}, "description of its own"),
        ({"label": "x"}, "label is fig-"),
        ({"caption": " "}, "fig-x: say in caption"),
        ({"alt": ""}, "fig-x: say in caption what is drawn, and in alt"),
        ({"alt": "curve.svg"}, "fig-x: say in caption"),
    ],
)
def test_a_bad_stepper_is_refused(monkeypatch, fault, said):
    with pytest.raises(ValueError, match=said):
        made(monkeypatch, **fault)


def test_the_style_sheet_knows_every_option():
    sheet = (ROOT / "_static" / "book.css").read_text("utf-8")
    hides = set(re.findall(r"\[value=(\w\d)\]:checked\) \.state:not\(\.(\w\d)\)", sheet))
    assert hides == {(f"{k}{n}",) * 2 for k in "abc"[: figures.MOST_CHOICES] for n in range(figures.MOST_OPTIONS)}


def test_a_figure_reads_in_a_notebook(monkeypatch):
    """Everything that the page says of it stands in HTML without styles, and the drawing is an image on white."""
    emitted = []
    monkeypatch.setattr(figures, "display", lambda data, raw: emitted.append(data))
    said = {"title": "5 < 6", "caption": "Lines & dots.", "alt": 'A "rising" line', "note": "n = 6."}
    figure(lambda ax: ax.plot([1, 2]), data=pd.DataFrame({"x": [80.0, -0.0, 0.5]}), label="fig-x", **said)
    (data,) = emitted
    assert set(data) == {FIGURE, "text/html", "text/plain"}
    shown = html.fromstring(data["text/html"])
    image = shown.find(".//img")
    assert shown.tag == "figure" and image.get("alt") == said["alt"]
    assert [p.text_content() for p in shown.iter("b")] == [said["title"]]
    assert list(shown.find("figcaption").itertext()) == [said["caption"], said["note"]]
    assert image.get("src").startswith("data:image/svg+xml;base64,")
    drawn = ET.fromstring(drawing(data["text/html"]))
    assert drawn.get("style") == "background:#fff" and drawn.find(".//{*}text") is not None
    assert json.dumps(data[FIGURE]["rows"]) == "[[80], [0], [0.5]]"
