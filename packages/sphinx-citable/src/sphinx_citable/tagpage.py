"""The permanent page of every tag, ``t/<TAG>/``: what it names, where it stands now, its history, and how to cite it.

Plain HTML of a few kilobytes that works without JavaScript and from a folder.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, Template

from sphinx_citable import cite, metadata
from sphinx_citable.registry import SAME, Registry, became, difference, instead


@cache
def template(name: str) -> Template:
    """A page of our own, whose white space between tags is for its writers alone."""
    pages = Environment(loader=PackageLoader("sphinx_citable"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    pages.filters["upper_first"] = lambda text: text[:1].upper() + text[1:]
    return pages.get_template(name)


POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; base-uri 'none'"
)
"""The content policy of a tag page: nothing but files of the site."""


def page(
    book: cite.Book,
    part: dict,
    around: list[dict],
    records: list[dict],
    past: list[dict],
    aims: list[dict],
    words: dict,
    shown: str,
    inside: list[dict],
    styles: list[str],
) -> str:
    """The HTML of one tag page.

    Parameters
    ----------
    part, records
        The part and its two records, or one where its page is about no other work.
    around
        The parts it stands in, the outermost first.
    past
        The released editions, the oldest first.
    aims
        Of a tag that is no longer live: the parts to go to instead.
    words, styles
        As in the configuration.
    shown
        What the part says, as HTML; "" where nothing more than its title is known.
    inside
        The parts that stand in it.
    """
    return template("tag.html").render(
        book=book,
        was=book.holding(part),
        part=part,
        around=around,
        aims=aims,
        two=len(records) > 1,
        words=words,
        formats=[(name, file, form(records)) for name, file, form in cite.FORMATS],
        history=[*_history(part["tag"], past), f"Now: {_now(part, past)}"],
        metas=metadata.highwire(book.holding(part), part, book.address(part["tag"])),
        state=".".join(cite.hashes(part)),
        shown=shown,
        inside=inside,
        styles=styles,
        policy=POLICY,
    )


def _history(tag: str, past: list[dict]) -> list[str]:
    """A line for each edition in which a part changed, with the later ones that left it as it was."""
    lines: list[list[str]] = []
    then = None
    for edition in past:
        now = edition["sections"].get(tag)
        if now is None:
            continue
        said = difference(then, now) if then else "first stands here"
        if said == SAME:
            lines[-1].append(edition["version"])
        else:
            lines.append([f"Edition {edition['version']}, {edition['date']}: {said}"])
        then = now
    return [line + (f"; the same in {', '.join(same)}" if same else "") for line, *same in lines]


def _now(part: dict, past: list[dict]) -> str:
    then = next((v for v in reversed(past) if part["tag"] in v["sections"]), None)
    if then is None:
        return "in no released edition yet" if part["state"] == "live" else f"{part['state']}, before any edition"
    return f"since edition {then['version']}: {became(then['sections'][part['tag']], part)}"


def write(
    out: Path,
    rows: list[dict],
    registry: Registry,
    book: cite.Book,
    original_of: Callable[[str], dict | None],
    shown_of: Callable[[dict], str],
    words: dict,
    styles: list[str],
) -> None:
    """Write the page and the citation files of every tag into ``out/t``, also of those withdrawn.

    ``original_of(page)`` is the CSL-JSON of the work that a page is about, or None; ``shown_of(row)`` what a part that
    stands in the book says, as HTML.
    """
    past = registry.editions()
    by_label = {p["label"]: p for p in rows}
    for part in rows:
        if part["tag"] is None:
            continue
        around, at = [], part
        while at["within"]:
            at = by_label[at["within"]]
            around.insert(0, at)
        records = cite.records(book, part, original_of(part["page"].removesuffix(".html")))
        folder = out / "t" / part["tag"]
        folder.mkdir(parents=True, exist_ok=True)
        for _, file, form in cite.FORMATS:
            (folder / file).write_text(form(records), "utf-8")
        live = part["state"] == "live"
        shown, inside = shown_of(part) if live else "", [p for p in rows if p["within"] == part["label"] and p["tag"]]
        text = page(book, part, around, records, past, instead(part, rows), words, shown, inside, styles)
        (folder / "index.html").write_text(text, "utf-8")
