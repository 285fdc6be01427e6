"""Stepping through the pictures of a figure: by keys and by hand, on both widths, with and without style sheet or
script.
"""

import csv
import re
from itertools import product

import pytest
from browser import WIDTHS, in_both_types, names, needed

from pages import SITE

pytestmark = needed
SHOWN = """() => {
  const seen = e => getComputedStyle(e).visibility === 'visible' && e.getClientRects().length > 0;
  const root = document.querySelector('.stepper');
  const name = e => [...e.classList].filter(c => c !== 'state').join(' ');
  return {chosen: [...root.querySelectorAll('input:checked')].map(i => i.value).join(' '),
          told: [...root.querySelectorAll('p.state')].filter(seen).map(name), drawn: [...root.querySelectorAll('svg .state')].filter(seen).map(name)};
}"""


def pages_with_one():
    return [
        name for name in names() if (SITE / name).is_file() and 'class="stepper"' in (SITE / name).read_text("utf-8")
    ]


def page_with_one():
    return pages_with_one()[0]


on_every_page = pytest.mark.parametrize("name", pages_with_one())


def choices(page):
    """The radio buttons of the first stepper: for each choice the values, in order."""
    return [
        [i.get_attribute("value") for i in field.locator("input").all()]
        for field in page.locator(".stepper").first.locator("fieldset").all()
    ]


@on_every_page
@pytest.mark.parametrize(("width", "script"), [("desk", True), ("phone", False)])
def test_arrow_keys_step_through_every_option(reader, name, width, script):
    page = reader(width=width, java_script_enabled=script).open(name)
    fields = page.locator(".stepper").first.locator("fieldset")
    seen = set()
    for n, values in enumerate(choices(page)):
        fields.nth(n).locator("input:checked").focus()
        for _ in values:
            page.keyboard.press("ArrowRight")
            now = page.evaluate(SHOWN)
            assert now["told"] == [now["chosen"]] and now["drawn"] == [now["chosen"]]
            seen.add(now["chosen"])
        assert fields.nth(n).locator("legend").inner_text().strip()
    assert len(seen) == 1 + sum(len(v) - 1 for v in choices(page)), "each key shows another picture"


@on_every_page
def test_every_combination_shows_its_own_picture_and_says_so(reader, name):
    page = reader().open(name)
    stepper = page.locator(".stepper").first
    told, pictures = [], list(product(*choices(page)))
    for picture in pictures:
        for value in picture:
            stepper.locator(f"input[value={value}]").check()
        now = page.evaluate(SHOWN)
        assert now["told"] == now["drawn"] == [" ".join(picture)]
        told.append(stepper.locator("p.state" + "".join(f".{value}" for value in picture)).inner_text())
    assert len(set(told)) == len(pictures)


@on_every_page
def test_the_data_hold_every_picture(reader, name):
    page = reader().open(name)
    figure = page.locator("figure:has(.stepper)").first
    path = SITE / re.sub(r"^\.\./", "", figure.get_by_role("link", name="data").get_attribute("href"))
    with path.open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)
    options = [[i.inner_text().strip() for i in f.locator("label").all()] for f in figure.locator("fieldset").all()]
    assert {tuple(row[: len(options)]) for row in rows} == set(product(*options))


def test_without_a_style_sheet_the_first_picture_stands_alone(reader):
    page = reader().open(page_with_one())
    first = page.evaluate(SHOWN)["chosen"]
    page.evaluate("document.querySelectorAll('link[rel=stylesheet], style').forEach(e => e.remove())")
    now = page.evaluate(SHOWN)
    assert now["told"] == [first] and set(now["drawn"]) == {first}


def test_on_paper_the_picture_in_view_stands_with_its_finding(reader):
    page = reader().open(page_with_one())
    page.locator(".stepper input[value=a0]").first.check()
    page.emulate_media(media="print")
    now = page.evaluate(SHOWN)
    assert now["chosen"].startswith("a0") and now["told"] == now["drawn"] == [now["chosen"]]
    assert not page.locator(".stepper .choices").first.is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_curve_stands_out_from_the_ground(reader, theme):
    page = reader(theme=theme).open(page_with_one())
    inks = page.evaluate("""() => [...document.querySelectorAll('.stepper svg.wide .state path')].map(p => getComputedStyle(p).stroke)
      .filter(s => s !== 'none')""")
    wanted = {"light": "rgb(176, 64, 28)", "dark": "rgb(242, 162, 125)"}[theme]
    assert inks and set(inks) == {wanted}


@in_both_types
@on_every_page
def test_on_a_phone_each_option_can_be_hit(reader, name):
    page = reader(width="phone").open(name)
    for label in page.locator(".stepper label").all():
        box = label.bounding_box()
        assert box["height"] >= 24 and box["x"] + box["width"] <= WIDTHS["phone"]
