"""The permanent page of every tag, ``t/<TAG>/``: what it names, where it stands now, its history, and how to cite it.

Plain HTML of a few kilobytes that works without JavaScript and from a folder.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
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


@cache
def _static(name: str) -> str:
    return (files("sphinx_citable") / "static" / name).read_text("utf-8").strip()


def policy() -> str:
    """The content policy of a tag page: its own script, its own style, nothing else."""
    digest = hashlib.sha256(_static("tag.js").encode()).digest()
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{base64.b64encode(digest).decode()}'"


def page(
    book: cite.Book,
    part: dict,
    around: list[dict],
    records: list[dict],
    past: list[dict],
    aims: list[dict],
    words: dict,
    command: str,
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
    words, command
        As in the configuration.
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
        verify=" ".join([command, "verify", part["tag"], *cite.hashes(part)]),
        policy=policy(),
        style=_static("tag.css"),
        script=_static("tag.js"),
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


def write(out: Path, rows: list[dict], registry: Registry, book: cite.Book, original_of, words: dict) -> None:
    """Write the page and the citation files of every tag into ``out/t``, also of those withdrawn.

    ``original_of(page)`` is the CSL-JSON of the work that a page is about, or None.
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
        text = page(book, part, around, records, past, instead(part, rows), words, registry.command)
        (folder / "index.html").write_text(text, "utf-8")
