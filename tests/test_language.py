"""The words of the built pages keep the rules of the book's language: terms of the field, numbers as people write them,
estimates and p values with their names; the search finds the terms, the glossary explains them.

What is read is what a reader of ``_build/html`` reads: paragraphs, list items, headings, captions, notes, check boxes
and tables; not code, and not what a source says in quotation marks. Marks on the page say whose a figure is. Of a chapter
that was executed since the pages were built, what is read is its words and check boxes, before it takes a build to see them.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, NavigableString, Tag
from markdown_it import MarkdownIt

from lib import LEDGER, ROOT, records
from lib.book import downloads, glossary
from lib.house import building, parts

HERE = Path(__file__).parent
SITE = ROOT / "_build" / "html"
built = pytest.mark.skipif(not (SITE / "index.html").is_file(), reason="no built site: run `make site` first")

PAGES = parts.pages()
MARKS = {"reported": "r", "recomputed": "c", "said": "c", "known": "k"}
"""Whose a figure is, by the class of its mark: the source's, ours, other work's."""
UNREAD = (
    "script style svg pre button .cite-box .Z3988 .cite-files .actions .headerlink .hidden .caption-number .section-number \
details.code .codebook>*>code .citation .cited .references select option .pad .rerun-line .reply nav".split()
)
"""Elements whose words are no running text: code, drawings, tools, titles of other work."""
BLOCKS = "p li dt dd h1 h2 h3 h4 h5 h6 figcaption caption summary legend th td".split()
CELLS = ("th", "td")
LISTED = ("check-head", "check-values", "tally", "tally-head", "check-id", "legend", "eyebrow", "ledger-total")
"""Paragraphs that are rows of values, not sentences."""


@dataclass(frozen=True)
class Passage:
    """A stretch of words without a break: on which page, whether it is a row of values, and whose each letter is.

    ``whose`` is as long as ``text``: "r" reported, "c" recomputed, "k" known, " " unmarked. ``around`` is the text of
    the table or check box it stands in, and its own elsewhere.
    """

    page: str
    text: str
    whose: str
    cell: bool = False
    around: str = ""

    def sentences(self) -> Iterator[Passage]:
        """Its sentences; a cell is one."""
        ends = (
            []
            if self.cell
            else [m.end() for m in _STOP.finditer(self.text) if not _SHORT.search(self.text[: m.start() + 1])]
        )
        for start, end in zip([0, *ends], [*ends, len(self.text)]):
            if self.text[start:end].strip():
                yield Passage(self.page, self.text[start:end], self.whose[start:end], self.cell, self.around)

    def ours(self, match: re.Match, group: int | str = 0) -> bool:
        """Whether what matched is neither the source's figure nor other work's."""
        return not set(self.whose[match.start(group) : match.end(group)]) & set("rk")


_STOP = re.compile(r"[.?!][”’)]*\s+(?=[“‘(]*[A-ZÀ-Þ0-9])")
_SHORT = re.compile(r"(?:\b(?:et al|e\.g|i\.e|vs|cf|Fig|No|[A-Z])\.)$")


def text_of(element: Tag) -> tuple[str, str]:
    """The words of an element with whose they are, white space collapsed, hyphens of one kind; code and formulas as one
    sign.
    """
    words, whose = [], []

    def add(text: str, mark: str) -> None:
        for letter in text:
            if letter in " \n\t":
                if not words or words[-1] == " ":
                    continue
                letter = " "
            words.append("-" if letter == "‑" else letter)
            whose.append(mark)

    def walk(node, mark: str) -> None:
        if isinstance(node, NavigableString):
            if type(node) is NavigableString:
                add(str(node), mark)
            return
        if node.name in BLOCKS and node is not element:
            add(" ", mark)
            return
        if node.name in ("code", "math"):
            add("◻", mark)
            return
        mark = next((MARKS[c] for c in node.get("class", []) if c in MARKS), mark)
        for child in node.children:
            walk(child, mark)

    walk(element, next((MARKS[c] for c in element.get("class", []) if c in MARKS), " "))
    text = "".join(words)
    return text.rstrip(), "".join(whose)[: len(text.rstrip())]


def read(page: str, html: str) -> list[Passage]:
    """The passages of a page of the site."""
    body = BeautifulSoup(html, "lxml")
    body = body.find("article") or body
    for element in body.select(", ".join(UNREAD)):
        element.decompose()
    if page == "pages/ledger" or page.startswith("pages/evidence-"):  # rows as in the check boxes, or in other work
        for element in body.select("tbody"):
            element.decompose()
    found = []
    for element in body.find_all(BLOCKS):
        text, whose = text_of(element)
        if not text:
            continue
        if text.startswith("Later evidence:"):  # figures of other work, as reported
            whose = "k" * len(text)
        box = element.find_parent(class_=["check", "table-figure"]) or element.find_parent("table")
        classes = {c for e in (element, element.parent) if e for c in e.get("class", [])}
        cell = element.name in CELLS or element.find_parent(CELLS) is not None or bool(classes & set(LISTED))
        found.append(Passage(page, text, whose, cell, box.get_text(" ") if box else text))
    return found


MARKDOWN = MarkdownIt("commonmark", {"html": True, "typographer": True}).enable(["table", "smartquotes"])
MARKED = {
    "<i>": '<i class="reported">',
    "<b>": '<b class="recomputed">',
    '<a href="#ref': '<a class="known" href="#ref',
}
"""How a reading copy says whose a figure is, and how the page does."""


def as_executed(page: str, boxes: bool = True) -> str:
    """The words of an executed chapter, its values in them, and its check boxes: a page before there is one."""
    found = []
    for cell in json.loads(downloads.reading(page))["cells"]:
        words = re.sub(r"(?ms)^\*\*The source\.\*\*.*?^$", "", "".join(cell["source"]))
        if cell["cell_type"] == "markdown" and cell["id"] not in ("reading-copy", "references"):
            found.append(re.sub("|".join(MARKED), lambda m: MARKED[m[0]], MARKDOWN.render(words)))
        judged = (output["data"] for output in cell.get("outputs", ()) if boxes and LEDGER in output.get("data", ()))
        found += ["".join(data["text/html"]) for data in judged]
    return "\n".join(found)


@cache
def passages(page: str) -> list[Passage]:
    return read(page, (SITE / f"{page}.html").read_text("utf-8"))


CURRENT = building.current()


def passages_now(page: str) -> list[Passage]:
    """Those of a page, or of a chapter as executed where the pages are older."""
    if not CURRENT and page.startswith("chapters/") and (ROOT / f"{page}.ipynb").is_file():
        return read(page, as_executed(page))
    if not (SITE / f"{page}.html").is_file():
        pytest.skip(f"{page} is not built yet: run `make book` first")
    return passages(page)


def unquoted(sentence: Passage) -> str:
    """A sentence with what it quotes blotted out, letter for letter."""
    return re.sub(r"“[^”]*”|‘[^’]*’", lambda m: "◻" * len(m[0]), sentence.text)


# The rules: each yields its faults in a sentence.

with (HERE / "language.csv").open(encoding="utf-8", newline="") as file:
    PHRASES = list(csv.DictReader(file))


def phrases(sentence: Passage) -> Iterator[str]:
    """A phrase of ``language.csv`` where its row does not allow it."""
    text, page = unquoted(sentence), f"{sentence.page}: "
    for row in PHRASES:
        spared = [m.span() for m in re.finditer(row["allowed"], page + text, re.IGNORECASE)] if row["allowed"] else []
        for hit in re.finditer(row["pattern"], text, re.IGNORECASE):
            at = hit.start() + len(page)
            if not any(start <= at < end for start, end in spared):
                yield f"{hit[0]!r}: write {row['replacement']}"


def begins_with_digit(sentence: Passage) -> Iterator[str]:
    if not sentence.cell and (m := re.match(r"[“‘(]*\d", sentence.text)):
        yield sentence.text[m.end() - 1 :][:12]


UNITS = set(
    """% percent percentage point points year years month months week weeks day days hour hours minute minutes second seconds
million mg g kg µg μg ml mm cm m log logs MIU MU IU kb degrees times fold decimal decimals digit digits significant bits""".split()
)
"""What a measurement is in, and parts of a number; digits stand before them."""
FUNCTION = set(
    """a an the and or nor but so if than then that which who whom whose when where while as at by for from in into of off on out over
per to up with without within is are was were be been has have had do does did can could may might must shall should will would it its they
their there this these those we our not no only about between before after because both each either more less least most also too exceeds
equals means lies corresponds includes excludes would against under above below until since because""".split()
)
NAMED = re.compile(
    r"(?:\b(?:[Mm]onths?|[Ww]eeks?|[Yy]ears?|[Dd]ays?|[Pp]hases?|[Tt]ypes?|[Gg]rades?|[Ss]tages?|[Tt]ables?|[Ff]igures?|[Ff]ig\.|[Cc]hapters?|[Ss]ections?|paragraphs?|[Pp]ar\."
    r"|[Ss]cores?|EDSS|[Rr]ows?|[Vv]ersion|level|log|ratios?|value|steps?|factor|[Rr]eferences?|parameter|model|part|size|MEDA|includes?|excludes?|above|below)"
    r"(?: (?:of|is|was|from|above|below|at least|at most|up to|over|than))?(?: \d+(?:,| and| or))*|[=<>≤≥±×+−–/·^√]|\d to)\s?$"
)
COUNT = re.compile(
    r"(?<![\w.,/–−-])(?P<n>[0-9])(?P<more>(?: to | or | and |–)\d{1,2})?(?![\w.,–/-]*\d|[%‰\w–/-])(?P<rest>\s+(?P<of>of\b)|\s+in (?=\d)|\s+(?P<next>[^\s\d]+))?"
)
ALL = re.compile(r"\b(?:all|all the|of the|only|these|those|other|remaining|another|the first|the last|in|each of) $")


def small_counts(sentence: Passage) -> Iterator[str]:
    """A bare count below ten in digits, where it counts things in running text."""
    if sentence.cell:
        return
    text = unquoted(sentence)
    for hit in COUNT.finditer(text):
        before = text[: hit.start()]
        if NAMED.search(before):
            continue
        in_brackets = "(" in before.rpartition(")")[2]
        if hit["of"]:
            fault = not in_brackets
        elif hit["rest"] and not hit["next"]:
            fault = True
        elif hit["next"]:
            word = hit["next"].strip("(),.;:?!")
            if word in ("more", "fewer") and " 100 " in text:  # a difference of risks per 100
                continue
            fault = (
                word[:1].isalpha()
                and word.lower() not in FUNCTION
                and word not in UNITS
                and not re.match(r"[A-Z0-9]", word)
            )
            fault = fault or bool(ALL.search(before) and word.lower() not in UNITS and not in_brackets)
        else:
            fault = bool(ALL.search(before))
        if fault:
            yield f"{text[max(0, hit.start() - 15) : hit.end() + 10]!r}: a count below ten in words"


PERCENT = re.compile(r"\d+\.\d+(?=(?:(?: to |–| and | or )\d+(?:\.\d+)?)? ?%)")
LEVELS = ("2.5", "97.5")
"""Of tests and of intervals: chosen, not computed."""


def percent_decimals(sentence: Passage) -> Iterator[str]:
    """A percentage of ours with decimals in running text; one near 0 or 100, one with its error, and one beside a
    reported percentage of as many decimals, with which it is compared, need them.
    """
    if sentence.cell:
        return
    beside = {len(m[0].partition(".")[2]) for m in PERCENT.finditer(sentence.text) if not sentence.ours(m)}
    for hit in PERCENT.finditer(sentence.text):
        if (
            not sentence.ours(hit)
            or re.search(r"±\s?$", sentence.text[: hit.start()])
            or re.match(r"\s?±", sentence.text[hit.end() :])
        ):
            continue
        if (
            round(float(hit[0])) not in (0, 100)
            and hit[0] not in LEVELS
            and len(hit[0].partition(".")[2]) not in beside
        ):
            yield f"{hit[0]}%: a percentage of ours is whole"


def percent_space(sentence: Passage) -> Iterator[str]:
    yield from (f"{m[0]!r}: no space before %" for m in re.finditer(r"\d\s%", sentence.text))


RATIO = re.compile(
    r"\b(?:hazard|odds|risk|rate)[ -]ratios?\b(?P<between>[^.;()]{0,60}?)\s(?P<x>\d+(?:\.\d+)?)(?![\d%]|\.\d)"
)


def ratios(sentence: Passage) -> Iterator[str]:
    """A ratio of ours not to two decimals; 1, no effect, stands alone."""
    for hit in RATIO.finditer(sentence.text):
        x, after = hit["x"], sentence.text[hit.end() :]
        if (
            sentence.cell
            or not sentence.ours(hit, "x")
            or re.match(r"\s?±|\d| (?:of|in|years|months|patients|tests|studies|events|more|fewer|per)\b", after)
        ):
            continue
        if re.search(r"±|\b(?:of|in|at|with) (?:\w+ )?$", hit["between"]) and "." not in x:
            continue
        if x not in ("1", "2") and len(x.partition(".")[2]) != 2:
            yield f"{hit[0][-40:]!r}: a ratio stands with two decimals"


P_VALUE = re.compile(
    r"(?<![\w-])p(?: values?)?(?: of| is| was| lies| from| about| under| below| above|:)*\s?(?P<sign>[=<>≤≥≈]\s?)?(?P<x>0?\.\d+)(?:(?: to | or |–)(?P<y>0?\.\d+))?"
)


def p_digits(sentence: Passage) -> Iterator[str]:
    """A p value of ours with more than two significant digits."""
    for hit in P_VALUE.finditer(sentence.text):
        for which in "xy":
            if hit[which] and sentence.ours(hit, which) and len(hit[which].lstrip("0.")) > 2 and not sentence.cell:
                yield f"p {hit[which]}: two significant digits"


THINGS = """patients people persons women men participants doctors relapses events deaths failures lesions claims studies trials series cohorts arms groups
cells mice samples tables counts sets values tests rows curves methods readings conventions rates estimates intervals years months weeks days
times points rules models chapters sources figures parts comments controls cases""".split()
_ONE = "|".join(THINGS)
_MANY = "|".join({"patients": "patient", "people": "person", "relapses": "relapse", "events": "event", "claims": "claim", "studies": "study", "trials": "trial",
                  "tables": "table", "arms": "arm", "groups": "group", "deaths": "death", "lesions": "lesion", "curves": "curve"}.values())  # fmt: skip
PLURAL = re.compile(
    rf"(?<![\w.,–−-])(?<!or )(?<!to )(?<!than )(?:1|[Oo]ne) (?:{_ONE})\b|(?<![\w.,–/-])(?:[2-9]|\d\d+|two|three|four|five|six|seven|eight|nine|ten|twelve) (?:{_MANY})\b(?![-–]| \w+s\b)"
)


def plurals(sentence: Passage) -> Iterator[str]:
    for hit in PLURAL.finditer(unquoted(sentence)):
        if (
            not re.search(
                r"\b(?:[Mm]onth|[Pp]hase|[Cc]hapter|[Tt]able|[Ff]igure|per|in|of|of the|%) $",
                sentence.text[: hit.start()],
            )
            or hit[0][0] not in "1234567890"
        ):
            yield f"{hit[0]!r}: singular and plural"


TESTS = re.compile(
    r"\b(?:Cox|Peto|log survival|log-?rank|Mantel|Fisher|chi-squared|Pearson|Mann|Wilcoxon|rank tests?|rank-sum|sum of ranks|t tests?|Wald|score test|(?:partial|exact|maximum|restricted) likelihood|likelihood ratio|exact (?:test|p|conditional)|exact[^.;]{0,20}test|binomial|Poisson|sign test"
    r"|Gray|Fine|permutation|Kruskal|z test|O/E|cumulative hazards?|exponential|logistic|Cochran|regression|mid-p|Barnard|Boschloo|Spearman|Kendall|Schoenfeld|DerSimonian|REML|Welch)\b"
    r"|χ²|(?:estimator|test|model)s?(?: that)?(?: is| are| was| were)? not (?:named|reported|stated|given)|\bunnamed\b|names (?:no|neither) (?:test|estimator)"
    r"|no (?:test|estimator) (?:is )?named|without naming (?:its|the) (?:test|estimator)|does not name",
    re.IGNORECASE,
)  # fmt: skip
HAZARD = re.compile(r"\b[Hh]azard ratios?\b[^.;]*?\d|\bHRs?\b[^.;]*?\d")
P_GIVEN = re.compile(
    r"(?<![\w-])p(?: values?)?(?: of| is| was| lies| from| about| under| below| above| values?|:)*\s?[=<>≤≥≈]?\s?0?\.\d|(?<![\w-])p\s?[=<>≤≥≈]"
)


def unnamed(sentence: Passage) -> Iterator[str]:
    """A hazard ratio or p value with its number, without its estimator or test; a cell looks to its table or box."""
    where = sentence.around if sentence.cell else sentence.text
    for what, given in (("hazard ratio", HAZARD), ("p value", P_GIVEN)):
        if given.search(sentence.text) and not TESTS.search(where):
            lacks = "estimator" if what == "hazard ratio" else "test"
            yield f"{what} without its {lacks} (where it is not known: “{lacks} not named”): {sentence.text[:150]!r}"


RULES = {
    phrases: (None, None),
    begins_with_digit: ("12 patients were analysed.", "Of 12 patients, nine were analysed."),
    small_counts: ("Of the patients, 9 of 12 relapsed.", "Nine of 12 patients (9 of 12) relapsed by month 6, within 3 years."),
    percent_decimals: ('A share of <span class="recomputed">74.1%</span> is ours.', 'Theirs is <span class="reported">74.1%</span>.'),
    percent_space: ("It is 74 %.", "It is 74%."),
    ratios: ("The Cox hazard ratio is 0.4.", 'The Cox hazard ratio is 0.40 (95% CI 0.20 to 0.80); theirs is an odds ratio of <a class="known">1.024</a>.'),
    p_digits: ("By the log-rank test p = 0.0142.", 'By the log-rank test p = 0.014; they report p = <span class="reported">0.0142</span>.'),
    plurals: ("It takes 1 patients.", "It takes 1 patient and 12 patients."),
    unnamed: ("The hazard ratio is 0.40.", "Cox’s hazard ratio is 0.40, and by the log-rank test p = 0.03."),
}  # fmt: skip
"""Each rule with a sentence that must fail and one that must pass."""
MORE = [
    (
        percent_decimals,
        'It is 18.4%, and <span class="reported">20%</span> is reported.',
        'It is 18.4%, and <span class="reported">20.4%</span> is reported.',
    ),
    (begins_with_digit, "Nobody knows. 9 of them left.", "Nobody knows. Nine of them left."),
    (small_counts, "There were 3 relapses.", "The hazard ratio includes 1, and EDSS rose by 1 point."),
    (small_counts, "There were 9 fewer.", "Of 100 people, 9 fewer to 48 more relapse."),
    (small_counts, "We took all 9.", "It was given at month 6 or later."),
    (small_counts, "One in which 4 to 9 of 19 stayed.", "This is 75% (9 of 12)."),
    (p_digits, "The Wald p values lie from p = 0.123 to 0.2.", "By Fisher’s exact test p = 0.12 to 0.20."),
    (plurals, "In 12 patient there was none.", "One patient died; a 12-patient series; month 1 patients."),
    (
        unnamed,
        "The difference was significant (p = 0.03).",
        "The difference was significant (p = 0.03, test not named).",
    ),
    (unnamed, "They give a hazard ratio of 1.02.", "They give a hazard ratio of 1.02, its estimator not named."),
]


def faults(rule, page: str, html: str) -> list[str]:
    return [f for passage in read(page, html) for sentence in passage.sentences() for f in rule(sentence)]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.__name__)
def test_the_page_keeps_the_rule(rule, page):
    found = [
        f"{f}\n      in: {s.text.strip()[:220]}" for p in passages_now(page) for s in p.sentences() for f in rule(s)
    ]
    assert not found, f"{page}: {len(found)} against {rule.__name__}\n" + "\n".join(found)


@pytest.mark.skipif(not CURRENT, reason="pages older than what they are made of: run `make book` first")
@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("chapters/")])
def test_a_chapter_as_executed_says_what_its_page_says(page):
    """Its sentences, but for how the page joins the words of references, formulas and verdicts."""
    said = {s.text.strip() for p in passages(page) for s in p.sentences()}
    copy = [s.text.strip() for p in read(page, as_executed(page, boxes=False)) for s in p.sentences()]
    assert copy and sum(text in said for text in copy) > 0.6 * len(copy), [text for text in copy if text not in said]


@pytest.mark.parametrize("row", PHRASES, ids=lambda r: r["phrase"])
def test_each_phrase_is_noticed_and_its_replacement_is_not(row):
    said = [f for f in faults(phrases, "x", f"<p>{row['fails']}</p>")]
    assert any(re.search(row["pattern"], f, re.IGNORECASE) for f in said), row["fails"]
    assert not faults(phrases, "x", f"<p>{row['passes']}</p>")
    assert not faults(phrases, "x", f"<p>They say “{row['fails']}”</p>"), "a source's own words may stand"


@pytest.mark.parametrize(
    ("rule", "bad", "good"),
    [(r, *pair) for r, pair in RULES.items() if r is not phrases] + MORE,
    ids=lambda x: getattr(x, "__name__", None),
)
def test_each_rule_notices_its_fault(rule, bad, good):
    assert faults(rule, "x", f"<p>{bad}</p>")
    assert not faults(rule, "x", f"<p>{good}</p>")


# Search, glossary and abbreviations.

with (HERE / "terms.csv").open(encoding="utf-8", newline="") as file:
    TERMS = list(csv.DictReader(file))
"""Terms of the field that the book needs; ``said``: the form in which it says one, if another; ``explained``: whether
the glossary explains it.
"""
GLOSSARY = glossary.PAGE
READ = [page for page in PAGES if page != GLOSSARY]
NAMES = set((HERE / "names.txt").read_text("utf-8").split("\n"))
"""Names in capitals that stand for themselves: trials, registers, journals, genes."""
ABBREVIATION = re.compile(r"(?<![\w+‑-])[A-Z][A-Z0-9]*[A-Z][A-Z0-9]*(?:[-‑][A-Z0-9]+)*(?=s?(?![\w+]|\.\d))")
PREFIXES = "|".join(records.record(slug).source.prefix for slug in records.slugs())
NO_ABBREVIATION = re.compile(rf"(?:{PREFIXES})[-‑]\d+|[IVX]+")


@cache
def index() -> dict:
    text = (SITE / "_static" / "search-index.js").read_text("utf-8")
    return json.loads(text.removeprefix("var BOOK = ").rstrip(";\n"))


def found_by_search(term: str, stored: dict) -> set[str]:
    """The pages of the parts that hold every word of a term, as the site's search has them, a plural apart."""
    wanted = [re.compile(rf"\b{re.escape(w)}", re.IGNORECASE) for w in re.split(r"\W+", term) if w]
    return {
        stored["pages"][page][0].removesuffix(".html")
        for _, _, _, page, _, *fields in stored["parts"]
        if all(word.search(" ".join(fields)) for word in wanted)
    }


def said(term: str) -> re.Pattern:
    """A term in running text: its words with hyphens or spaces between them, and a plural."""
    return re.compile(r"\b" + r"[\s‑-]+".join(map(re.escape, re.split(r"[\s-]", term))), re.IGNORECASE)


@built
@pytest.mark.parametrize("term", [row["said"] or row["term"] for row in TERMS])
def test_the_search_finds_the_term_where_it_is_used(term):
    pages = found_by_search(term, index()) - {GLOSSARY}
    assert [p for p in pages if any(said(term).search(x.text) for x in passages(p))], (
        f"no page but the glossary says {term!r}"
    )


def test_a_term_that_no_page_has_is_not_found():
    stored = {"pages": [["a.html", "A"], ["b.html", "B"]], "names": []}
    stored["parts"] = [
        ["section", "", "x", 0, -1, "Confidence", "", "None."],
        ["section", "", "y", 1, -1, "Intervals", "", "Of confidence."],
    ]
    assert found_by_search("confidence interval", stored) == {"b"}
    assert not found_by_search("prediction interval", stored)


def explained(page: str) -> set[str]:
    """The terms that a definition list explains, in lower case, what stands in brackets apart."""
    body = BeautifulSoup(page, "lxml").find("article") or BeautifulSoup(page, "lxml")
    found = {
        re.sub(r"\s*\([^)]*\)", "", dt.get_text(" ")).strip().lower()
        for dt in body.find_all("dt")
        if not dt.find_parent(class_="abbreviations")
    }
    return {part.strip() for entry in found for part in entry.split(";")}


@built
def test_the_glossary_explains_the_terms():
    there = explained((SITE / f"{GLOSSARY}.html").read_text("utf-8"))
    lacking = [row["term"] for row in TERMS if row["explained"] == "yes" and row["term"].lower() not in there]
    assert not lacking, f"pages/glossary.md explains no {', '.join(lacking)}"


def abbreviated(text: str, known: set[str]) -> set[str]:
    """Abbreviations of a text that are neither known nor names."""
    for names in (NAMES - {""}, known):
        longest_first = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
        text = re.sub(rf"(?<![\w+‑-])(?:{longest_first})s?(?![\w+]|\.\d|[‑-][A-Z\d])", " ", text)
    return {m[0] for m in ABBREVIATION.finditer(text) if not NO_ABBREVIATION.fullmatch(m[0])}


@built
def test_every_abbreviation_of_the_book_is_in_the_glossary():
    known = set(glossary.abbreviations())
    unknown = {
        page: found for page in READ if (found := set().union(*(abbreviated(p.text, known) for p in passages(page))))
    }
    assert not unknown, "\n".join(f"{page}: {', '.join(sorted(found))}" for page, found in unknown.items())


@built
def test_every_abbreviation_of_the_glossary_is_in_the_book():
    text = "\n".join(p.text for page in READ for p in passages(page))
    unused = [short for short in glossary.abbreviations() if not glossary.whole_words([short]).search(text)]
    assert not unused, f"pages/glossary.md explains {', '.join(unused)}, which no page uses"


@built
def test_every_name_is_in_the_book():
    text = "\n".join(p.text for page in READ for p in passages(page))
    assert not [name for name in NAMES - {""} if name not in text]


def test_an_unknown_abbreviation_is_noticed():
    assert abbreviated("In RFS, by the XYZ-2 and CML-07 of phase III in DALIAH.", {"CML"}) == {"RFS", "XYZ-2"}
    assert abbreviated("The TKIs and MR4.5 of JAK2.", {"TKI", "JAK2"}) == set()
