"""A table of the book as HTML: what it says to a screen reader, and which tables become blocks on a phone."""

import io

import pandas as pd
import pytest
from lxml import html

from lib.tables import TABLE, UNSEEN, table


@pytest.fixture
def shown(monkeypatch):
    outputs = []
    monkeypatch.setattr("lib.tables.display", lambda data, raw: outputs.append(data))

    def show(frame, **options):
        table(frame, "tab-test", "A caption", **options)
        return outputs[-1]

    return show


NARROW = pd.DataFrame({"month": [6, 12], "share": ["0.5", "0.25"]})
TIGHT = pd.DataFrame(
    [["a heterozygous one", *["0.125"] * 4]], columns=["value", "alone", "both", "3 months", "1 month"]
)
WIDE = pd.DataFrame({f"published share {k}": ["from 0.125 to 0.375", "none"] for k in range(6)})


def test_only_a_table_too_wide_for_a_phone_stacks(shown):
    assert 'class="book-table"' in shown(NARROW)["text/html"]
    assert 'class="book-table stacks"' in shown(WIDE)["text/html"]


def test_what_only_bold_or_wide_type_pushes_off_a_phone_stacks(shown):
    assert 'class="book-table"' in shown(TIGHT)["text/html"]
    assert 'class="book-table stacks two"' in shown(TIGHT, strong=[0])["text/html"]
    assert 'class="book-table stacks two"' in shown(TIGHT.assign(value="heterozygously"))["text/html"]


def test_what_no_break_space_joins_takes_more_than_a_third_of_a_phone(shown):
    joined = pd.DataFrame(
        [["between the groups above", *["0.443\xa0±\xa00.005"] * 3]], columns=["curve", "wait", "no wait", "insight"]
    )
    assert 'class="book-table stacks two"' in shown(joined)["text/html"]
    assert 'class="book-table stacks"' in shown(joined.replace("\xa0", " ", regex=True))["text/html"]


def test_a_stacked_cell_names_its_column_and_unit_and_keeps_its_role(shown):
    page = html.fromstring(shown(WIDE, units={"published share 2": "%"})["text/html"])
    heads = [cell.get("data-head") for cell in page.xpath("//tbody/tr[1]/*")]
    assert heads == [c + (", %" if c.endswith("2") else "") for c in WIDE.columns]
    assert [r.get("role") for r in page.iter("table", "thead", "tr", "tbody")] == [
        "table",
        "rowgroup",
        "row",
        "rowgroup",
        "row",
        "row",
    ]
    assert {c.get("role") for c in page.iter("td")} == {"cell"} and {c.get("role") for c in page.iter("th")} == {
        "columnheader",
        "rowheader",
    }


@pytest.mark.parametrize("frame", [NARROW, WIDE])
def test_the_html_holds_the_same_cells_as_the_data(shown, frame):
    data = shown(frame)
    read = pd.read_html(
        io.StringIO(data["text/html"].replace(f"{UNSEEN}>0", ">")),
        converters=dict.fromkeys(frame.columns, str),
    )[0]
    assert (
        read.to_numpy().tolist()
        == data[TABLE]["rows"]
        == [[str(v) for v in row] for row in frame.itertuples(index=False)]
    )


def test_a_notebook_shows_the_caption_and_no_digit_that_only_aligns(shown):
    page = html.fromstring(shown(NARROW, note="n = 3")["text/html"])
    assert page.find(".//table/caption").text == "A caption" and page.find("p").text == "n = 3"
    hidden = page.xpath("//span[@class='pad']")
    assert [p.text for p in hidden] == ["0"] and {p.get("style") for p in hidden} == {"visibility:hidden"}


def test_a_bad_label_or_an_empty_frame_is_one_clear_line():
    with pytest.raises(ValueError, match="label is tab- and lower-case words"):
        table(NARROW, "months", "A caption")
    with pytest.raises(ValueError, match="tab-empty: the table has no rows"):
        table(NARROW.iloc[:0], "tab-empty", "A caption")
