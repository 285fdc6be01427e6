"""Vancouver text by the book of the National Library of Medicine."""

import subprocess

import pytest

from sphinx_citable import cite


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (
            {
                "author": [{"family": "Doe", "given": "Jane Ann"}, {"literal": "A Group"}],
                "URL": "https://x.example/t/2345/#11111111.22222222",
                "accessed": {"date-parts": [[2027, 5, 3]]},
            },
            "Doe JA, A Group. A title? In: A Book [Internet]. Edition 1.0. 2026 [cited 2027 May 3]. Text 11111111, "
            "results 22222222. Available from: https://x.example/t/2345/#11111111.22222222",
        ),
        (
            {"edition": "draft of 2026-05-03, commit 0123456789"},
            "A title? In: A Book [Internet]. Draft of 2026-05-03, commit 0123456789. 2026. Text 11111111, results 22222222 "
            "(address pending).",
        ),
        (
            {"type": "book", "title": "A Book [Book 2345]", "container-title": "", "publisher": "A Press"},
            "A Book [Book 2345] [Internet]. Edition 1.0. A Press; 2026. Text 11111111, results 22222222 (address pending).",
        ),
    ],
)
def test_vancouver_text_follows_citing_medicine(item, said):
    """No stop is doubled, none follows an address, a draft is called one, and a lacking address is said."""
    known = {
        "id": "x",
        "type": "chapter",
        "title": "A title?",
        "container-title": "A Book",
        "edition": "1.0",
        "number": "2345",
        "note": "text 11111111, results 22222222",
        "issued": {"date-parts": [[2026]]},
    }
    assert cite.lines([known | item]) == [said]


PART = {
    "tag": "2345", "kind": "figure", "title": "How it ends.", "chapter": "Tides", "page": "tides.html",
    "edition": "", "date": "", "sha256_text": "1" * 64, "sha256_results": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("part", "title", "kind", "edition", "date"),
    [
        ({}, "Tides: How it ends [Figure 2345]", "chapter", "draft of 2026-05-03", [2026, 5, 3]),
        ({"edition": "1.0", "date": "2025-01-02"}, "Tides: How it ends [Figure 2345]", "chapter", "1.0", [2025, 1, 2]),
        ({"chapter": "A Book", "kind": "claim"}, "How it ends [Claim 2345]", "chapter", "draft of 2026-05-03", [2026, 5, 3]),
        ({"chapter": "", "page": "index.html"}, "A Book [Book 2345]", "book", "draft of 2026-05-03", [2026, 5, 3]),
    ],
)  # fmt: skip
def test_a_record_is_of_the_state_it_cites(part, title, kind, edition, date):
    """The edition that holds the part, or the draft; its kind and tag end the title, its hashes the address."""
    book = cite.Book("A Book", "A Group", "draft of 2026-05-03", "2026-05-03", "https://x.example", built="2026-05-03")
    item = cite.part_item(book, PART | part)
    assert (item["title"], item["type"], item["edition"]) == (title, kind, edition)
    assert item["issued"]["date-parts"] == [date] and item["accessed"]["date-parts"] == [[2026, 5, 3]]
    assert item["URL"] == "https://x.example/t/2345/#11111111" and item["note"] == "text 11111111"
    with_results = cite.part_item(book, PART | part | {"sha256_results": "2" * 64})
    assert with_results["URL"] == "https://x.example/t/2345/#11111111.22222222"


def test_a_draft_is_named_by_the_commit_it_is_of_and_never_by_the_clock(tmp_path, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert cite.draft(tmp_path) == ("draft", "")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1764288000")
    assert cite.draft(tmp_path) == ("draft of 2025-11-28", "2025-11-28")
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-02-03T04:05:06Z")

    def git(*args):
        who = ("-c", "user.name=A", "-c", "user.email=a@x.example")
        return subprocess.run(["git", *who, *args], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    (tmp_path / "page").write_text("one")
    git("init", "-q")
    git("add", "page")
    git("commit", "-q", "-m", "Begin")
    commit = git("rev-parse", "HEAD")[:10]
    assert cite.draft(tmp_path) == (f"draft of 2026-02-03, commit {commit}", "2026-02-03")
    (tmp_path / "page").write_text("two")
    assert cite.draft(tmp_path)[0] == f"draft of 2026-02-03, commit {commit} and later changes"
