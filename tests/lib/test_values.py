"""Values in words, against sentences as a medical journal would print them."""

import pytest

from lib.evidence import Known
from lib.review import bind
from lib.values import (
    WordsError,
    count,
    estimate,
    listed,
    measure,
    opening,
    p_value,
    share,
    simulated,
    span,
    time,
    words,
)
from lib.words import singular


@pytest.mark.parametrize(
    "value, bare, whole",
    [
        (count(9, "patients"), "nine", "nine patients"),
        (count(1, "negative tests"), "one", "one negative test"),
        (count(0, "patients"), "none", "no patients"),
        (count(10, "patients"), "10", "10 patients"),
        (count(1, "losses of response"), "one", "one loss of response"),
        (count(2, "patients", of=2), "both", "both patients"),
        (count(12, "patients", of=12), "all 12", "all 12 patients"),
        (count(0, "patients", of=12), "none of the 12", "none of the 12 patients"),
        (count(0, "patients", of=1), "none of the one", "none of the one patient"),
        (count(9, "patients", of=12), "nine of 12", "nine of 12 patients"),
        (count(13, "patients", of=12), "13 of 12", "13 of 12 patients"),  # reported, and impossible
        (count(-1, "patients"), "−1", "−1 patients"),
        (count(1_166_000, "data sets"), "1.2 million", "1.2 million data sets"),
        (count("106,478", "copies"), "106,478", "106,478 copies"),
        (share(0.6543), "65", "65%"),
        (share("65.4"), "65.4", "65.4%"),
        (share(20 / 27, decimals=2), "74.07", "74.07%"),
        (share(0.0003), "0.03", "0.03%"),
        (share(0.9997), "99.97", "99.97%"),
        (share(1), "100", "100%"),
        (time(1, "months"), "1", "1 month"),
        (time(59.84, "days"), "60", "60 days"),
        (time(3.46, "months"), "3.5", "3.5 months"),
        (time("22.9", "days"), "22.9", "22.9 days"),
        (measure(0.5, "µg"), "0.5", "0.5 µg"),
        (measure(1, "percentage points"), "1", "1 percentage point"),
        (measure(-7.2, "percentage points"), "−7.2", "−7.2 percentage points"),
        (measure(0.5, "hazard ratio"), "0.50", "hazard ratio 0.50"),
        (p_value(0.0090909, "exact"), "0.0091", "exact p = 0.0091"),
        (p_value(0.5), "0.50", "p = 0.50"),
        (p_value(2e-6), "< 0.0001", "p < 0.0001"),
        (p_value("0.91"), "0.91", "p = 0.91"),
        (span(share(0.39), share(0.531)), "39% to 53%", "39% to 53%"),
        (span(time(26, "months"), time(28, "months")), "26 to 28", "26 to 28 months"),
        (span(count(1, "patients"), count(2, "patients")), "one or two", "one or two patients"),
        (span(count(1, "patients"), count(3, "patients")), "one to three", "one to three patients"),
        (span(count(1, "patients"), count(1, "patients")), "one", "one patient"),
        (listed([count(10, "patients"), count(11, "patients")], "patients"), "10 or 11", "10 or 11 patients"),
        (listed([count(1, "patients")], "patients"), "one", "one patient"),
        (listed([], "patients", none="no number of"), "no number of", "no number of"),
        (listed([count(9, "men"), count(6, "women")], "men and women", "and"),
         "nine men and six women", "nine men and six women"),
        (listed([share(0.1), share(0.2), share(0.3)], "%", "and"), "10%, 20% and 30%", "10%, 20% and 30%"),
        (estimate(1.024, 0.679, 1.546, "Cox hazard ratio"), "1.02 (95% CI 0.68 to 1.55)",
         "Cox hazard ratio 1.02 (95% CI 0.68 to 1.55)"),
        (estimate(share(0.75), share(0.43), share(0.95), "share"), "75% (95% CI 43% to 95%)",
         "share 75% (95% CI 43% to 95%)"),
        (simulated(41.3, 1.7, "%"), "41\u00a0±\u00a02", "41\u00a0±\u00a02%"),
        (words("September 2011", "date"), "September 2011", "September 2011"),
    ],
)  # fmt: skip
def test_a_value_reads_as_a_journal_prints_it(value, bare, whole):
    assert (value.bare, str(value)) == (bare, whole)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: count(1.5, "patients"),
        lambda: p_value(1.1),
        lambda: span(share(0.4), time(3, "months")),
        lambda: words("12 patients"),
        lambda: words("75%"),
    ],
)
def test_what_is_no_such_value_is_one_clear_line(wrong):
    with pytest.raises(WordsError) as error:
        wrong()
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "text, begins",
    [
        ("nine of 12 patients", "Nine of 12 patients"),
        ("12 patients", "Twelve patients"),
        ("40 tests", "Forty tests"),
        ("99 tests", "Ninety-nine tests"),
        ("p = 0.05", "p = 0.05"),
        ("75%", "75%"),  # no words: the sentence is to be turned
        ("26 to 28 months", "26 to 28 months"),
        ("41\u00a0±\u00a02", "41\u00a0±\u00a02"),
        ("302 sets", "302 sets"),
        ("2.5 months", "2.5 months"),
    ],
)
def test_a_sentence_begins_with_a_word(text, begins):
    assert opening(text) == begins


@pytest.mark.parametrize(
    "many, one",
    [("patients", "patient"), ("studies", "study"), ("losses", "loss"), ("relapses", "relapse"), ("boxes", "box"),
     ("series", "series"), ("mg", "mg"), ("data sets", "data set"), ("patients with tests", "patient with tests")],
)  # fmt: skip
def test_the_unit_of_one(many, one):
    assert singular(many) == one


def test_a_value_of_evidence_keeps_its_row_and_what_is_computed_from_it_does_not(capsys):
    rows = [
        share(Known("65.4", "x-share")),
        count(Known("45", "x-count"), "patients", of=Known("206", "x-count")),
        estimate(Known("1.02", "x-hr"), Known("0.7", "x-hr"), Known("1.5", "x-hr"), "hazard ratio"),
        share(float(Known("65.4", "x-share")) / 100),
    ]
    assert [v.row for v in rows] == ["x-share", "x-count", "x-hr", ""]


def test_a_bound_value_says_what_it_is(monkeypatch):
    shown = []
    monkeypatch.setattr("lib.review.display", lambda data, raw: shown.append(data))
    bind(kept=count(9, "patients", of=12))
    entry = shown[0]["application/vnd.bound+json"]["kept"]
    assert entry == {
        "value": 9,
        "text": "nine of 12 patients",
        "bare": "nine of 12",
        "kind": "count",
        "unit": "patients",
    }
