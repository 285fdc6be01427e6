"""A table of the book as HTML: what it says to a screen reader, and which tables become blocks on a phone."""

import io
from dataclasses import replace

import pandas as pd
import pytest
from lxml import html

from lib.evidence import Known, certainty
from lib.tables import TABLE, UNSEEN, Finding, findings, table
from lib.values import count, estimate, measure, share


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


TRIAL = {"n": count(203, "patients"), "treated": share("56"), "control": share("59"),
         "difference": estimate(*(measure(x, "percentage points") for x in (-3, -17, 11)), "difference")}  # fmt: skip
ALONE = estimate(share(0.75), share(0.43), share(0.95), "share in response")


@pytest.fixture
def summary(monkeypatch):
    outputs = []
    monkeypatch.setattr("lib.tables.display", lambda data, raw: outputs.append(data))

    def show(*rows):
        findings("cml-stopping", rows, "tab-findings", "What is known", "n, patients.")
        return outputs[-1]

    return show


def test_a_finding_stands_per_100_with_its_interval_and_a_certainty_that_nobody_typed(summary):
    ratio = estimate("1.024", "0.679", "1.546", "hazard ratio")
    data = summary(Finding("trial", **TRIAL), Finding("source", count(12, "patients"), ALONE, says="still in response"),
                   Finding("conventional", count(203, "patients"), difference=ratio))  # fmt: skip
    judged = certainty("cml-stopping")
    assert data[TABLE]["columns"] == ["outcome", "with interferon", "without", "effect", "95% CI", "certainty", "n"]
    trial, alone, conventional = data[TABLE]["rows"]
    assert trial[1:] == ["56 per 100", "59 per 100", "−3 per 100", "−17 to 11", judged["trial"].word, "203"]
    assert alone == ["Still in response", "75 per 100", "–", "–", "43 to 95", judged["source"].word, "12"]
    assert conventional[1:5] == ["–", "–", "hazard ratio 1.02", "0.68 to 1.55"]
    assert trial[0].lower() == judged["trial"].outcome.lower()


def test_what_is_reported_recomputed_and_quoted_differs_in_a_summary(summary):
    quoted = estimate(*(Known(text, "a-row") for text in ("0.5", "0.2", "0.9")), "hazard ratio")
    data = summary(Finding("trial", count(203, "patients"), share("56"), share(Known("59", "a-row")), TRIAL["difference"]),
                   Finding("conventional", count(203, "patients"), difference=quoted))  # fmt: skip
    kinds = [
        [c.get("class") for c in row.xpath("./td")[:4]]
        for row in html.fromstring(data["text/html"]).xpath("//tbody/tr")
    ]
    assert kinds == [["reported", None, "recomputed", "recomputed"], [None] * 4]


def test_one_cell_alone_has_a_colour_of_its_own(shown):
    column = NARROW.columns[1]
    data = shown(NARROW, reported=[column], cells={(0, column): "recomputed"})
    kinds = [
        row.xpath("./td")[0].get("class").split() for row in html.fromstring(data["text/html"]).xpath("//tbody/tr")
    ]
    assert "recomputed" in kinds[0] and "reported" not in kinds[0] and all("reported" in k for k in kinds[1:])


def test_the_reasons_for_a_certainty_fold_below_and_are_part_of_what_is_cited(summary):
    data, judged = summary(Finding("trial", **TRIAL)), certainty("cml-stopping")["trial"]
    page = html.fromstring(data["text/html"])
    assert page.find(".//details/summary").text == "Why this certainty"
    assert judged.why in page.find(".//details").text_content() and judged.why in data[TABLE]["note"]
    assert page.get("class") == "book-table stacks two findings"


def test_a_row_without_an_interval_gives_its_reason(summary):
    entry = summary(Finding("source", count(12, "patients"), share(0.75), lacking="none reported"))[TABLE]
    assert entry["columns"] == ["outcome", "with interferon", "interval", "certainty", "n"], "nothing is compared"
    assert entry["rows"][0][1:3] == ["75 per 100", "none reported"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "one to 5 rows, not 0"),
        ([Finding("trial", **TRIAL)] * 6, "one to 5 rows, not 6: keep those that decide"),
        ([Finding("moderate", **TRIAL)], "no outcome 'moderate' in data/certainty.csv: name one of source, trial"),
        ([Finding("source", count(12, "patients"), share(0.75))], "source has no interval: give an estimate, or say in lacking"),
        ([Finding("trial", count(12, "patients"), ALONE, ALONE)], "trial has no interval"),
        ([Finding("source", 12, ALONE)], "give n and what was found as values"),
        ([Finding("source", count(12, "patients"), "75%", lacking="none")], "give n and what was found as values"),
        ([Finding("source", count(12, "patients"))], "give n and what was found as values"),
        ([Finding("trial", **TRIAL), Finding("source", count(12, "patients"), replace(ALONE, interval="95% credible interval"))],
         "intervals of one kind"),
    ],
)  # fmt: skip
def test_a_summary_that_hides_something_is_refused_in_one_line(summary, rows, said):
    with pytest.raises(ValueError, match=said) as refused:
        summary(*rows)
    assert "\n" not in str(refused.value)
