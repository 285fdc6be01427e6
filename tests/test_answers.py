"""No answer is harder or softer than what it rests on: each sentence of an answer, which the front page repeats, is bound
to an estimate or a verdict by direction (``tests/answers.csv``)."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from lib import ROOT
from lib.house import executed, prose

ROWS = list(csv.DictReader(Path(__file__).with_name("answers.csv").open(encoding="utf-8")))
SENTENCE = re.compile(r"(?<=[.?!]) +(?=[A-Z·])")


def sentences(slug: str) -> list[str]:
    """The sentences of a chapter's answer, each value a dot; what it says of certainty left out."""
    words, _ = prose.printed(executed.parse(prose.answer(slug)[1]), "index")
    return [s for s in SENTENCE.split(words) if not s.startswith("Certainty")]


def numbers(slug: str, by: str) -> list[float]:
    """The estimate and the ends of its interval: of one value that has them, or of several values in a row."""
    found: list[float] = []
    for name in by.split():
        if "/" in name:
            found.append(float(prose.record(slug).figure(name).value))
            continue
        value = executed.bound(slug)[name]
        found += value.get("ends") or [
            float(x.replace("−", "-")) for x in re.findall(r"−?\d+(?:\.\d+)?", value["text"])
        ]
    assert len(found) == 3 and found[1] <= found[0] <= found[2], (
        f"{slug} {by}: {found} is no estimate with its interval"
    )
    return found


def holds(says: str, found, no_effect: float) -> bool:
    """Whether what a sentence says is so: of an interval, or of a verdict."""
    if isinstance(found, str):
        return says == found
    assert says in ("open", "more", "less"), f"tests/answers.csv: {says!r}: of an estimate write open, more or less"
    _, low, high = found
    return {"open": low <= no_effect <= high, "more": low > no_effect, "less": high < no_effect}[says]


def rests_on(row: dict):
    if re.fullmatch(r"[A-Z]{3}-\w+(/later)?", row["by"]):
        claim, verdict = prose.verdict(row["by"].removesuffix("/later"))
        return claim["later"]["verdict"] if row["by"].endswith("/later") else verdict
    return numbers(row["chapter"], row["by"])


JUDGED = [row for row in ROWS if row["by"]]
NAMED = [f"{row['chapter']}: {row['sentence'][:40]}" for row in JUDGED]


@pytest.mark.parametrize("slug", list(prose.pages()))
def test_every_sentence_of_an_answer_is_bound(slug):
    said, rows = sentences(slug), [row["sentence"] for row in ROWS if row["chapter"] == slug]
    unbound = [s for s in said if not any(s.startswith(row) for row in rows)]
    wanted = "a row for each: its first words, the bound value or the three figures that show it, more, less or open, and the value of no effect; or the claim whose verdict it gives, and that verdict"
    assert not unbound, f"{slug}: enter in tests/answers.csv what shows {unbound}: {wanted}"
    assert not [row for row in rows if not any(s.startswith(row) for s in said)], f"{slug} does not say that any more"
    chapter = (ROOT / "chapters" / f"{slug}.md").read_text("utf-8")
    for row in (r for r in ROWS if r["chapter"] == slug and not r["by"]):
        if row["says"] == "cited":
            assert re.search(re.escape(row["sentence"]) + r"[^.\n]*\{cite\}", chapter), row["sentence"]
        else:
            assert "·" in next(s for s in said if s.startswith(row["sentence"])), (
                f"no value in {row['sentence']}: bind it"
            )


@pytest.mark.parametrize("row", JUDGED, ids=NAMED)
def test_an_answer_is_neither_harder_nor_softer_than_what_it_rests_on(row):
    assert holds(row["says"], rests_on(row), float(row["no effect"] or 1)), f"{row['by']} is {rests_on(row)}"


@pytest.mark.parametrize("row", JUDGED, ids=NAMED)
def test_it_would_turn_red(row):
    """The same sentence fails where the verdict is another, or the interval lies on the other side of no effect."""
    found, no_effect = rests_on(row), float(row["no effect"] or 1)
    if isinstance(found, str):
        assert not holds(row["says"], "follows" if found != "follows" else "overstated", no_effect)
        return
    _, low, high = found
    wide = high - low
    there, here = (no_effect + wide / 4, no_effect + wide), (no_effect - wide / 2, no_effect + wide / 2)
    moved = there if row["says"] == "open" else here
    assert not holds(row["says"], (sum(moved) / 2, *moved), no_effect)


@pytest.mark.parametrize("slug", list(prose.pages()))
def test_certainty_is_a_computed_word(slug):
    certainty = [p for p in prose.answer(slug)[1].split("\n\n") if p.startswith("Certainty")]
    assert certainty and not re.search(
        r"\b(high|moderate|low|very low)\b", re.sub(r"\{found\}`[^`]*`", "", " ".join(certainty))
    )
