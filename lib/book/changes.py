"""What changed since: on each chapter which verdicts moved and when, and a feed of it where the site has an address.

Both are made of ``registry/changes.csv`` and the released editions, never of the clock.
"""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from lib.book import people
from lib.evidence import in_full, last_searched, searched
from lib.house import accepted, prose
from lib.verdicts import LATER
from sphinx_citable import citable
from sphinx_citable.registry import changes as differences

FEED = "feed.xml"
SHOWN = 5
"""Moves that stand open; older ones are folded."""


def by_chapter() -> dict[str, list[dict]]:
    """The moves of verdicts by chapter, the latest first."""
    found = defaultdict(list)
    for move in sorted(accepted.changes(), key=itemgetter("date"), reverse=True):
        found[prose.slug_of(move["claim"])].append(move)
    return found


def in_words(move: Mapping[str, str]) -> str:
    """How a verdict moved: "later evidence from supported to inconclusive"; the parts that did not are left out."""
    before, after = (move[key].split(" / ") for key in ("from", "to"))
    if len(before) == len(after) and before != after:
        moved = [(a, b) for a, b in zip(before, after) if a != b]
        before, after = ([pair[n] for pair in moved] for n in (0, 1))
    what = "later evidence " if {*before, *after} <= LATER.keys() else ""
    return f"{what}from {' / '.join(before)} to {' / '.join(after)}".replace("-", " ")


def written(day: str) -> str:
    """A day as a reader writes it."""
    return in_full(date.fromisoformat(day))


def box(moves: list[dict], editions: list[tuple[str, str]], uri: str = "") -> str:
    """What changed on a chapter as HTML; ``uri`` leads to how the authors of the source may answer."""
    since = f"Edition {editions[-1][0]} was released on {written(editions[-1][1])}." if editions else (
        "No edition has been released yet; what moved in the draft:" if moves else "No edition has been released yet."
    )  # fmt: skip
    none = "" if moves else " No verdict of this chapter has moved since verdicts were first recorded."
    items = [
        f'<li><a href="#{m["claim"].lower()}">{m["claim"]}</a>: {in_words(m)}, <span class="day">{written(m["date"])}</span></li>'
        for m in moves
    ]
    listed = f"<ul>{''.join(items[:SHOWN])}</ul>" if items else ""
    if items[SHOWN:]:
        listed += f"<details><summary>Earlier changes</summary><ul>{''.join(items[SHOWN:])}</ul></details>"
    reply = f'<p>If you wrote the source: <a href="{html.escape(uri)}">how to reply</a>.</p>' if uri else ""
    return f'<div class="changed" id="changed"><p class="eyebrow">What changed</p><p>{since}{none}</p>{listed}{reply}</div>'


class Editions(SphinxDirective):
    """``{editions}``: the released editions, or that there is none; ``{editions} changes``: each with where it is kept and
    what changed in it, from what to what.
    """

    optional_arguments = 1

    def run(self):
        past = citable(self.env.app).past
        if not past:
            words = "." if self.arguments else ", so there is nothing to correct."
            return [nodes.raw("", f"<p>No edition has been released yet{words}</p>", format="html")]
        if not self.arguments:
            items = "".join(f"<li>Edition {e['version']}, {e['date']}</li>" for e in past)
            return [nodes.raw("", f"<ul>{items}</ul>", format="html")]
        up, told = "../" * self.env.docname.count("/"), list(zip([None, *past], past))
        return [nodes.raw("", "".join(edition(e, before, up) for before, e in reversed(told)), format="html")]


def edition(one: dict, before: dict | None, up: str) -> str:
    """An edition as HTML: where it is kept, and what changed in it since the one ``before``, by chapter; ``up`` leads to
    the top of the site.
    """
    version, released = one["version"], "archive" in one
    kept = [f"Commit <code>{one['commit'][:10]}</code>."] if one["commit"] else []
    kept += [f"Archive {one['archive']}, SHA-256 <code>{one['sha256']}</code>."] if released else []
    kept += [f'<a href="{up}editions/{version}/index.html">Read it</a>.'] if released and one["online"] else []
    page = f'<h2 id="edition-{version}">Edition {version}, {written(one["date"])}</h2><p>{" ".join(kept)}</p>'
    if before is None:
        return page
    found = [*differences(before["sections"], one["sections"])]
    found += [(before["sections"][tag], "gone") for tag in before["sections"] if tag not in one["sections"]]
    by_page: dict[str, list[str]] = {}
    tags = {part["label"]: tag for state in (before, one) for tag, part in state["sections"].items()}
    for part, said in found:
        tag, name = tags[part["label"]], html.escape(part["title"], quote=False)
        line = f'<li><a href="{up}t/{tag}/index.html">{tag}</a> {name}: {html.escape(said, quote=False)}</li>'
        by_page.setdefault(part["chapter"] or part["title"], []).append(line)
    lists = "".join(
        f"<dt>{html.escape(name)}</dt><dd><ul>{''.join(lines)}</ul></dd>" for name, lines in by_page.items()
    )
    words = f"What changed since edition {before['version']}"
    return (
        f"{page}<details><summary>{words}</summary><dl>{lists}</dl></details>"
        if found
        else f"{page}<p>Nothing changed.</p>"
    )


def place(app, doctree, docname):
    """Put the box below the text of each chapter on a source."""
    slug, top = docname.rpartition("/")[2], doctree.next_node(nodes.section)
    if app.builder.format != "html" or docname != prose.pages().get(slug):
        return
    page = "pages/about"
    reply = app.builder.get_relative_uri(docname, page) + "#about-reply" if page in app.env.all_docs else ""
    top += nodes.raw("", box(by_chapter()[slug], people.released(), reply), format="html")


def page_context(app, pagename, template, context, doctree):
    context["feed"] = FEED if app.config.site_url else ""


def feed(site: str, title: str, author: str, titles: Mapping[str, str]) -> str:
    """The changes as an Atom feed: an entry for each edition, for each day on which verdicts of a chapter moved, and for
    the last search. ``titles`` are those of the chapters by slug.
    """
    site, entries = site.rstrip("/"), []
    for slug, moves in by_chapter().items():
        for day, moved in groupby(moves, key=itemgetter("date")):
            address = f"{site}/{prose.pages()[slug]}.html#changed"
            said = "; ".join(f"{m['claim']}: {in_words(m)}" for m in moved)
            entries.append((day, f"{address}-{day}", address, f"{titles[slug]}: verdicts moved", said))
    for version, day in people.released():
        entries.append(
            (day, f"{site}/#edition-{version}", f"{site}/", f"Edition {version}", f"{title}, edition {version}")
        )
    day = searched().isoformat()
    entries.append(
        (day, f"{site}/#searched-{day}", f"{site}/", "Other work searched", f"Last searched on {last_searched()}.")
    )
    entries.sort(key=lambda e: (e[0], e[1]), reverse=True)
    body = "".join(
        f"<entry><id>{escape(name)}</id><title>{escape(head)}</title><updated>{day}T00:00:00Z</updated>"
        f"<link href={quoteattr(address)}/><content>{escape(said)}</content></entry>\n"
        for day, name, address, head, said in entries
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>{escape(site)}/</id><title>{escape(title)}: what changed</title><updated>{entries[0][0]}T00:00:00Z</updated>"
        f'<link rel="self" href={quoteattr(f"{site}/{FEED}")}/><link href={quoteattr(f"{site}/")}/>'
        f"<author><name>{escape(author)}</name></author>\n{body}</feed>\n"
    )


def write(app):
    """Write the feed, whose addresses must be absolute: only where the site has one."""
    if app.config.site_url:
        titles = {slug: app.env.titles[page].astext() for slug, page in prose.pages().items() if page in app.env.titles}
        text = feed(app.config.site_url, app.config.project, app.config.author, titles)
        (Path(app.outdir) / FEED).write_text(text, "utf-8", newline="\n")


def setup(app):
    app.add_directive("editions", Editions)
    app.connect("doctree-resolved", place, priority=550)  # above the references
    app.connect("html-page-context", page_context)
