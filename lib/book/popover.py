"""The quiet *cite* mark beside every part of a page, and the box with its citation that the mark opens in place.

The box is a native popover; it holds both records as Vancouver text, the link to the tag's page and those to the files.
Written out for every part, the other formats would make a page half as heavy again. They differ between the parts of
a page in title, tag and hashes alone; so the page holds each format once, made by the same processors from a part of
marks, and the script puts a part's own words in their place. ``spelled`` refuses a part for which that is not its file
to the letter.
"""

from __future__ import annotations

import html

from lib.book import cite
from lib.records import Citation

MARKS = {"title": "@TITLE@", "tag": "@TAG@", "sha256_text": "@OFTEXT@", "sha256_results": "@RESULT@"}
"""What stands in a format for a part's own words; the two for hashes as long as a hash in a citation."""


def mark(part: dict) -> str:
    """The button beside a part."""
    tag, kind = part["tag"], part["kind"]
    return (
        f'<button type="button" class="cite-mark" data-tag="{tag}" popovertarget="cite-{tag}" '
        f'aria-label="Cite {kind} {tag}">cite</button>'
    )


def forms(book: cite.Book, page: str, reviewed: dict[str, Citation]) -> dict[str, tuple[str, str]]:
    """Name and text of each format but Vancouver, by its file's suffix, with marks for the words of a part."""
    found = cite.records(book, MARKS | {"chapter": "", "page": page}, reviewed)
    return {file.partition(".")[2]: (name, form(found)) for name, file, form in cite.FORMATS[1:]}


def spelled(form: str, text: str, part: dict) -> str:
    """The title as a format spells it, from the format's ``form`` and its ``text`` for the part.

    Raises
    ------
    ValueError
        The two differ in more than the marks.
    """
    for key in ("tag", "sha256_text", "sha256_results"):
        form = form.replace(MARKS[key], part[key][: cite.HASH])
    before, _, after = form.partition(MARKS["title"])
    title = text[len(before) : len(text) - len(after)]
    if text != before + title + after or MARKS["title"] in after:
        raise ValueError(
            f"{part['label']}: its citation does not follow the page's form; lib/book/popover.py needs a mark more"
        )
    return title


def templates(found: dict[str, tuple[str, str]]) -> str:
    """The formats of a page, for the script."""
    texts = "".join(
        f'<pre data-form="{key}" title="{name}">{html.escape(text, quote=False)}</pre>'
        for key, (name, text) in found.items()
    )
    return f'<template id="cite-forms">{texts}</template>'


def box(part: dict, records: list[dict], found: dict[str, tuple[str, str]], up: str) -> str:
    """The box that a part's mark opens; ``up`` leads from its page to the top of the site."""
    tag, kind, e = part["tag"], part["kind"], html.escape
    words = {
        "title": cite.title(part),
        "text": part["sha256_text"][: cite.HASH],
        "results": part["sha256_results"][: cite.HASH],
    }
    for name, file, form in cite.FORMATS[1:]:
        key = file.partition(".")[2]
        title = spelled(found[key][1], form(records), part)
        words |= {key: title} if title != words["title"] else {}
    data = "".join(f' data-{key}="{e(value)}"' for key, value in words.items())
    names = (f"This {kind}, Vancouver style", "The source it reviews")
    said = "".join(f"<dt>{name}</dt><dd>{e(line, quote=False)}</dd>" for name, line in zip(names, cite.lines(records)))
    files = " ".join(f'<a href="{up}t/{tag}/{file}" download>{name}</a>' for name, file, _ in cite.FORMATS)
    return (
        f'<div popover id="cite-{tag}" class="cite-box" role="dialog" aria-label="Cite {kind} {tag}"{data}>'
        f'<dl>{said}</dl><p class="cite-files"><a href="{up}t/{tag}/index.html">t/{tag}, its permanent page</a> '
        f"<span>Files {files}</span></p></div>"
    )
