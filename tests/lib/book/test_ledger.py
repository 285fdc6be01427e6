"""The ledger: its files and codebook, its filters and orders, its rows as addresses, on a screen and on paper."""

import csv
import json
from collections import Counter

import pytest
from browser import WIDTHS, browsed, until

from lib import records
from lib.book import ledger
from lib.words import WITHHELD
from pages import ABSENT, SITE, known_by, read

built = pytest.mark.skipif(not (SITE / "index.html").is_file(), reason=ABSENT)
HOME = "pages/ledger.html"


def claims():
    return json.loads((SITE / "ledger.json").read_text("utf-8"))["claims"]


def table(name):
    with (SITE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@built
def test_every_figure_of_every_claim_has_a_row_with_its_unit_and_value():
    rows = table("ledger-figures.csv")
    wanted = [(c["id"], f.role, f.unit) for c in claims() for f in records.record(c["source"])[c["id"]].figures]
    assert [(r["id"], r["role"], r["unit"]) for r in rows] == wanted and len(wanted) == len(set(wanted))
    judged = {(c["id"], f["role"]): f for c in claims() for f in c["figures"]}
    for row in rows:
        key, figure = (row["id"], row["role"]), records.record(row["source"])[row["id"]].figure(row["role"])
        if row["unit"] == WITHHELD:
            assert not row["reported"] and not row["value"], key
            continue
        assert row["reported"] == figure.printed and row["verdict"], key
        assert row["verdict"] == judged[key]["verdict"] if key in judged else "nothing-to-check", key
        assert bool(row["value"]) == (figure.value.value is not None), key
        assert not row["value"] or float(row["value"]) == pytest.approx(float(figure.value.value), rel=1e-5), key


@built
def test_the_codebook_explains_every_column_of_every_file():
    page = (SITE / "pages" / "codebook.html").read_text("utf-8")
    for name, (_, columns) in ledger.FILES.items():
        section = page[page.index(f'id="codebook-{NAMED[name]}"') :]
        section = section[: section.index("</dl>")]
        explained = [part.partition("<")[0] for part in section.split("<dt><code>")[1:]]
        found = claims()[0] if name.endswith(".json") else table(name)[0]
        assert explained == list(columns) and set(explained) == set(found), name
        assert all(columns.values()), name


NAMED = {"ledger.csv": "claims", "ledger-figures.csv": "figures", "ledger.json": "json"}


def test_a_column_that_the_codebook_does_not_explain_is_refused(tmp_path):
    with pytest.raises(ValueError, match="surprise"):
        ledger._table(tmp_path / "ledger.csv", [{"id": "CML-01", "surprise": 1}])


@built
def test_each_row_is_an_address_of_its_own():
    page = read(SITE / HOME)
    assert {c["id"].lower() for c in claims()} <= set(page.ids) and len(page.ids) == len(set(page.ids))


@built
@browsed
@pytest.mark.parametrize("width", WIDTHS)
def test_files_and_codebook_stand_in_the_first_screen(reader, width):
    page = reader(width=width).open(HOME)
    for name in [*ledger.FILES, "Codebook"]:
        box = page.locator("article").get_by_role("link", name=name, exact=True).bounding_box()
        assert box["y"] + box["height"] <= 812, name


@built
@browsed
@pytest.mark.parametrize("width", WIDTHS)
def test_ledger_filters_searches_and_sorts(reader, width):
    found = claims()
    page = reader(width=width).open("pages/ledger.html")
    rows = page.locator("table.ledger tbody tr:visible")
    assert rows.count() == len(found)
    for verdict, n in Counter(map(known_by, found)).items():
        page.get_by_label("Verdict", exact=True).select_option(verdict)
        assert rows.count() == n and page.get_by_role("status").inner_text() == f"{n} of {len(found)} claims"
    kind = found[0]["kind"]
    page.get_by_label("Kind", exact=True).select_option(kind)
    both = sum(known_by(c) == verdict and c["kind"] == kind for c in found)
    assert rows.count() == both
    page.reload()
    assert rows.count() == both, "the address keeps the view"
    page.get_by_role("button", name="Clear").click()
    everything = f"{len(found)} of {len(found)} claims"
    until(page, f"document.querySelector('.ledger-count').textContent === '{everything}'")
    last = found[-1]["id"]
    page.get_by_label("Search", exact=True).fill(last)
    assert last in rows.first.inner_text() and rows.count() < len(found)
    rows.first.get_by_role("link", name=last).click()
    assert page.url.endswith(found[-1]["url"])


ORDERS = """() => [...document.querySelectorAll("table.ledger tbody tr")].map(r => [r.id, r.dataset.verdict, r.dataset.later, r.dataset.unit, r.dataset.value])"""


@built
@browsed
def test_ledger_orders_are_honest_both_ways_and_kept_in_the_address(reader):
    page = reader().open(HOME)

    def ordered(name):
        page.locator(f"table.ledger th[data-key={name}] button").click()
        return page.evaluate(ORDERS)

    up, down = ordered("id"), ordered("id")
    numbers = [(i.partition("-")[0], int(i.partition("-")[2])) for i, *_ in up]
    assert numbers == sorted(numbers) and [r[0] for r in down] == [r[0] for r in up][::-1]

    gravity = list(ledger._GRAVEST_FIRST)
    up = [gravity.index(v) for _, v, *_ in ordered("verdict")]
    assert up == sorted(up) and [gravity.index(v) for _, v, *_ in ordered("verdict")] == up[::-1]

    for _ in "up", "down":
        shown = ["" if later == "" else "x" for *_, later, _, _ in ordered("later")]
        assert shown == sorted(shown, reverse=True), "an empty cell stands before the last"
    assert page.url.endswith("#sort=-later")
    later = page.evaluate(ORDERS)
    page.reload()
    assert page.evaluate(ORDERS) == later and page.locator("th[aria-sort=descending]").count() == 1

    for sign in 1, -1:
        rows = ordered("reported")
        figures = [(unit, float(value)) for *_, unit, value in rows if unit]
        assert all(sign * (b[1] - a[1]) >= 0 for a, b in zip(figures, figures[1:]) if a[0] == b[0])
        units = [unit for n, (unit, _) in enumerate(figures) if not n or figures[n - 1][0] != unit]
        assert len(units) == len(set(units)), "figures of one unit stand together"
        assert not any(unit for *_, unit, _ in rows[len(figures) :]), "rows without a figure come last"
    page.get_by_role("button", name="Clear").click()
    until(page, "location.hash === ''")
    assert page.locator("th[aria-sort]").count() == 0 and page.evaluate(ORDERS)[0][1] == gravity[0]


@built
@browsed
def test_on_paper_the_ledger_is_a_table_without_its_form(reader):
    page = reader().open(HOME)
    page.emulate_media(media="print")
    assert not page.locator("form.ledger-tools").is_visible()
    assert page.locator("table.ledger").evaluate("t => getComputedStyle(t).display") == "table"


@built
@browsed
def test_the_ledger_takes_the_width_of_the_window(reader):
    page = reader().open(HOME)
    assert page.locator("table.ledger").bounding_box()["width"] > 1150
    page.get_by_role("button", name="Contents").click()
    assert page.locator("nav#contents").get_by_role("link", name="Glossary").is_visible()
