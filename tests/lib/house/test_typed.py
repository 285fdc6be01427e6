"""No quantity is typed into prose: what is caught, what may stand, and that the book has none but the listed few."""

import pytest

from lib.house import typed


def words(prose):
    return [t.words for t in typed.quantities("x", prose)]


@pytest.mark.parametrize(
    "prose",
    [
        "Of 12 patients some relapsed.",
        "Twelve patients were analysed.",
        "It lasted 74%.",
        "A dose of 400 mg was given.",
        "Nine of the patients relapsed.",
        "They relapsed within six months.",
        "It says “more than 5 years”.",
        "The hazard ratio is 0.4.",
        "Half of the patients relapsed.",
        "One patient relapsed, and both groups did.",
        "A third of those left.",
        "Of {found}`n` patients 3 left.",
        "At month 6 it was flat.",
        "Thirty-two patients were seen.",
        "It held in three relapse-free people.",
        "```{source-card} x\n:design: A study\n```\n\n- Two models agree.\n\n```python\nn = 12\n```",
    ],
)
def test_a_typed_number_is_caught(prose):
    assert words(prose)


@pytest.mark.parametrize(
    "prose",
    [
        "Of {found}`n` patients {reported}`CML-36/n` relapsed; `12` is code, as is {eq}`x12`.",
        "It was last searched in November 2026, on 3 May 2009 and in 2012–13.",
        "See chapter 2, [Table 4](#tab-4), Figures 3 and 4 and section 5.",
        "In STOP 2G-TKI, PRISMS-15, MPN‑RC 112, CML-Study IV and Ph+ ALL, alfa-2b and JAK2V617F, MR4.5 and CD34 were used.",
        "The 95% CI and the 95% confidence interval are given per 100.",
        "A phase 2 study; a phase II/III study; the confidence interval includes 1.",
        "One may ask which of the two is meant, and both can be; the one or the other.",
        "(cml-12)=\n# Heading",
        "```{code-cell} ipython3\nn = 12\n```\n\nNone.\n\n```\n5 lines\n```",
    ],
)
def test_names_dates_and_places_may_stand(prose):
    assert words(prose) == []


def test_an_exception_names_its_sentence(monkeypatch):
    found = list(typed.quantities("x", "The level is 5%.\nOf 5% we know nothing."))
    monkeypatch.setattr(typed, "typed", lambda page: [t._replace(page=page) for t in found] if page == "index" else [])
    monkeypatch.setattr(typed, "allowed", lambda: (("index", "level is 5%", "ours"), ("index", "gone 5%", "ours")))
    lines = typed.faults()
    assert len(lines) == 2 and "we know nothing" in lines[0] and "does not say 'gone 5%'" in lines[1]


def test_a_page_has_few_exceptions(monkeypatch):
    found = list(typed.quantities("index", "It is 5%.\n" * (typed.MOST + 1)))
    monkeypatch.setattr(typed, "typed", lambda page: found if page == "index" else [])
    monkeypatch.setattr(typed, "allowed", lambda: (("index", "is 5%", "ours"),))
    assert typed.faults() == [f"registry/typed.csv: {typed.MOST + 1} exceptions in index.md, at most {typed.MOST}"]


def test_no_quantity_is_typed_into_the_book():
    faults = typed.faults()
    assert not faults, f"{len(faults)} typed quantities\n" + "\n".join(faults)


def test_every_exception_has_its_reason():
    assert not [row for row in typed.allowed() if not all(row)]
