"""A table of the book as HTML: what it says to a screen reader, and which tables become blocks on a phone."""

import io

import pandas as pd
import pytest
from lxml import html

from lib.tables import TABLE, table


@pytest.fixture
def shown(monkeypatch):
    outputs = []
    monkeypatch.setattr("lib.tables.display", lambda data, raw: outputs.append(data))

    def show(frame, **options):
        table(frame, "tab-test", "A caption", **options)
        return outputs[-1]

    return show


NARROW = pd.DataFrame({"month": [6, 12], "share": ["0.5", "0.25"]})
WIDE = pd.DataFrame({f"published share {k}": ["from 0.125 to 0.375", "none"] for k in range(6)})


def test_only_a_table_too_wide_for_a_phone_stacks(shown):
    assert 'class="book-table"' in shown(NARROW)["text/html"]
    assert 'class="book-table stacks"' in shown(WIDE)["text/html"]


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
        io.StringIO(data["text/html"].replace('aria-hidden="true">0', ">")),
        converters=dict.fromkeys(frame.columns, str),
    )[0]
    assert (
        read.to_numpy().tolist()
        == data[TABLE]["rows"]
        == [[str(v) for v in row] for row in frame.itertuples(index=False)]
    )


def test_a_bad_label_or_an_empty_frame_is_one_clear_line():
    with pytest.raises(ValueError, match="label is tab- and lower-case words"):
        table(NARROW, "months", "A caption")
    with pytest.raises(ValueError, match="tab-empty: the table has no rows"):
        table(NARROW.iloc[:0], "tab-empty", "A caption")
