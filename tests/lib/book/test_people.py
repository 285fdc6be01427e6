"""What the configuration says of people is shown, what it does not say is named, and moved verdicts are listed."""

import csv
import re
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup

from lib.book import changes, people
from lib.house import accepted, prose, typed
from pages import ABSENT, SITE

built = pytest.mark.skipif(not (SITE / "index.html").is_file(), reason=ABSENT)


def app(**fields):
    theme = {"repository_url": fields.pop("repository", "")}
    return SimpleNamespace(
        config=SimpleNamespace(html_theme_options=theme, **dict.fromkeys(people.FIELDS, "") | fields)
    )


def test_unset_fields_are_named_in_one_line():
    assert people.unset(app(author="A", contact="a@b.org", repository="https://c.org/d", site_url="https://e.org")) == (
        "Not set in _config.yml, and said so on the pages: contributors, funding, interests"
    )
    assert people.unset(app(**dict.fromkeys(people.FIELDS, "x"))) == ""


def test_a_field_is_shown_or_named_as_not_stated():
    given = people.stated(app(author="A <B>", contact="a@b.org"))
    assert given == {"author": "A <B>", "contact": "a@b.org"}
    shown = people.listed(given)
    assert "<dd>A &lt;B&gt;</dd>" in shown and "Not stated: contributors, funding, interests, repository" in shown
    assert people.reached(given) == '<p>Write to <a href="mailto:a@b.org">a@b.org</a>.</p>'
    assert "No address is set yet" in people.reached({}) and "Not stated" not in people.listed(people.FIELDS)


def test_a_book_is_an_edition_or_a_draft(monkeypatch):
    monkeypatch.setattr(people, "released", lambda: [])
    assert people.standing("0.1") == "draft, no edition released yet"
    monkeypatch.setattr(people, "released", lambda: [("1.0", "2027-01-15")])
    assert people.standing("1.0") == "edition 1.0, 2027-01-15" and people.standing("1.1") == "draft after edition 1.0"


@built
def test_pages_say_what_is_known_of_people_and_editions():
    about, errata = (BeautifulSoup((SITE / f"pages/{p}.html").read_text("utf-8"), "lxml") for p in ("about", "errata"))
    assert about.select_one(".people") or "Not stated" in about.text
    for page in (about, errata):
        assert any(words in page.text for words in ("Write to", "Open an issue", "No address is set yet"))
        assert ("draft" in page.footer.text) == (people.standing("") in page.footer.text)
    assert ("No edition has been released" in errata.article.text) == (not people.released())


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A registry of its own, in which two claims were accepted before, and a day to accept on."""
    monkeypatch.setattr(accepted, "ACCEPTED", tmp_path / "verdicts.csv")
    monkeypatch.setattr(accepted, "CHANGES", tmp_path / "changes.csv")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    accepted.ACCEPTED.write_text("id,verdict\nCML-01,compatible / follows / supported\nCML-02,reproduced\n")
    return tmp_path


def test_accepting_keeps_how_verdicts_moved(registry, monkeypatch):
    now = {"CML-01": "compatible / follows / mixed", "CML-02": "reproduced", "CML-03": "restated"}
    monkeypatch.setattr(accepted, "now", lambda: now)
    assert accepted.changes() == []
    accepted.accept()
    first = {"date": "2027-01-15", "claim": "CML-01", "from": "compatible / follows / supported", "to": now["CML-01"]}
    assert accepted.changes() == [first], "a claim judged for the first time has not moved"
    accepted.accept()
    assert accepted.changes() == [first] and accepted.moved() == []
    monkeypatch.setattr(accepted, "now", lambda: now | {"CML-02": "discrepant"})
    accepted.accept()
    assert accepted.changes()[0] == first and accepted.changes()[1]["to"] == "discrepant"


def test_moves_are_told_in_words():
    assert changes.in_words(
        {"from": "compatible / follows / supported", "to": "compatible / follows / none-found"}
    ) == ("later evidence from supported to none found")
    assert changes.in_words({"from": "reproduced", "to": "not-checkable"}) == "from reproduced to not checkable"
    assert (
        changes.in_words({"from": "reproduced", "to": "reproduced / mixed"}) == "from reproduced to reproduced / mixed"
    )


def test_the_box_lists_the_latest_and_folds_the_rest():
    moves = [
        {"date": "2027-01-15", "claim": f"CML-{n:02}", "from": "reproduced", "to": "discrepant"} for n in range(1, 8)
    ]
    page = BeautifulSoup(changes.box(moves, [("1.0", "2027-01-02")], "a.html#r"), "lxml")
    assert "Edition 1.0 was released on 2 January 2027." in page.text
    assert len(page.select("details li")) == len(moves) - changes.SHOWN
    assert page.select_one("li a")["href"] == "#cml-01" and page.select_one('a[href="a.html#r"]')
    assert "No verdict of this chapter has moved" in changes.box([], [])


@built
def test_each_chapter_lists_what_moved():
    rows = accepted.changes()
    for slug, name in prose.pages().items():
        box = re.search(r'<div class="changed".*?</div>', (SITE / f"{name}.html").read_text("utf-8"), re.DOTALL)[0]
        shown = sorted(re.findall(r'<a href="#\S+">([A-Z]{3}-\d+)</a>', box))
        assert shown == sorted(row["claim"] for row in rows if prose.slug_of(row["claim"]) == slug)


def test_changes_are_a_history():
    with accepted.CHANGES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["date"] for r in rows] == sorted(r["date"] for r in rows)
    latest = {row["claim"]: row["to"] for row in rows}
    assert latest.items() <= accepted.before().items(), "the last move of a claim ends at its accepted verdict"


def test_numbers_of_a_reply_are_its_own():
    page = "Three patients.\n\n```{reply} A\n:received: 2027-01-01\n\nNo: 4 patients of 12.\n```\n"
    assert [t.words for t in typed.quantities("chapters/x", page)] == ["Three patients"]


@built
def test_no_feed_without_an_address():
    linked = "application/atom+xml" in (SITE / "index.html").read_text("utf-8")
    assert linked == (SITE / changes.FEED).is_file()
