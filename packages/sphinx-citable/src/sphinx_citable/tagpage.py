"""The permanent page of every tag, ``t/<TAG>/``: what it names, where it stands now, its history, and how to cite it.

Plain HTML of a few kilobytes that works without JavaScript and from a folder.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, Template

from sphinx_citable import cite, metadata
from sphinx_citable.registry import SAME, became, difference, instead


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


def _history(part: dict, past: list[dict], book: cite.Book) -> list[dict]:
    """The states of a part, the oldest first: each with what is said of it, its frozen pages, and what a reader who
    cites it is told. Editions that left the part as it was share one; the last is as it stands now.
    """
    found: list[dict] = []
    then = None
    for edition in past:
        here = edition["sections"].get(part["tag"])
        if here is None:
            continue
        said = difference(then, here) if then else "first stands here"
        if said == SAME:
            found[-1]["same"].append(edition["version"])
        else:
            line = f"Edition {edition['version']}, {edition['date']}: {said}"
            found.append({"line": line, "same": [], "was": here})
        found[-1] |= {"last": edition["version"]}
        found[-1].setdefault("frozen", []).extend([(edition["version"], here["url"])] * edition["online"])
        then = here
    for one in found:
        since = became(one["was"], part)
        one["state"] = ".".join(cite.hashes(one["was"]))
        one["line"] += f"; the same in {', '.join(one['same'])}" if one["same"] else ""
        one["told"] = f"The state that you cite is that of edition {one['last']}. " + (
            "It still stands so." if since == SAME else f"Since then: {since}."
        )
    if then is None:
        line = "in no released edition yet" if part["state"] == "live" else f"{part['state']}, before any edition"
    else:
        line = f"since edition {found[-1]['last']}: {became(then, part)}"
    now = {"line": f"Now: {line}", "state": ".".join(cite.hashes(part)), "frozen": []}
    now["told"] = f"The state that you cite is that of this page: {book.edition}, in no released edition yet."
    if part["edition"] or part["state"] != "live":
        now["state"] = ""
    for n, one in enumerate(found):
        if one["state"] in (later["state"] for later in found[n + 1 :]):
            one["state"] = ""  # it came back: the last edition with it is the one cited
    return [*found, now]


def write(
    out: Path,
    rows: list[dict],
    past: list[dict],
    book: cite.Book,
    original_of: Callable[[str], dict | None],
    shown_of: Callable[[dict], str],
    words: dict,
    styles: list[str],
) -> None:
    """Write the page and the citation files of every tag into ``out/t``, also of those withdrawn.

    ``original_of(page)`` is the CSL-JSON of the work that a page is about, or None; ``shown_of(row)`` what a part that
    stands in the book says, as HTML; ``past`` the released editions, each with whether its pages can be linked (``online``);
    ``words`` and ``styles`` as in the configuration.
    """
    by_label = {p["label"]: p for p in rows}
    up_to = f"It knows the editions up to {past[-1]['version']}" if past else "It knows no edition"
    unknown = f"The state that you cite is none this page knows. {up_to}, and the book as it stood on {book.built or 'its last day'}."

    def files(place: Callable[[str], str], item: dict) -> None:
        for _, file, form in cite.FORMATS:
            path = out / "t" / place(file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(form([item]), "utf-8", newline="\n")

    for part in rows:
        if part["tag"] is None:
            continue
        around, at = [], part
        while at["within"]:
            at = by_label[at["within"]]
            around.insert(0, at)
        item, original = cite.part_item(book, part), original_of(part["page"].removesuffix(".html"))
        formats = cite.FORMATS if part["sha256_text"] else ()
        if formats:
            files(lambda file: f"{part['tag']}/{file}", item)
        if original:
            files(lambda file: cite.source(original, file), original)
        text = template("tag.html").render(
            book=book,
            was=book.holding(part),
            part=part,
            kind=book.kind(part),
            around=around,
            aims=instead(part, rows),
            source=original
            and (cite.lines([original])[0], [(n, cite.source(original, f)) for n, f, _ in cite.FORMATS]),
            words=words,
            formats=[(name, file, form([item])) for name, file, form in formats],
            history=_history(part, past, book),
            unknown=unknown,
            head=metadata.head(book, [part], original, item.get("URL", ""), "../../", (around or [None])[-1])
            if formats
            else "",
            state=".".join(cite.hashes(part)),
            shown=shown_of(part) if part["state"] == "live" else "",
            inside=[p for p in rows if p["within"] == part["label"] and p["tag"]],
            styles=styles,
            policy=POLICY,
        )
        path = out / "t" / part["tag"] / "index.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="\n")
