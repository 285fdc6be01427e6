"""Who made the book and how to reach them, as ``_config.yml`` says it; what it says and what it leaves open."""

from __future__ import annotations

import html
import re

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from lib.house.parts import REGISTRY
from sphinx_citable import citable

log = logging.getLogger(__name__)

FIELDS = {
    "author": "Authors",
    "contributors": "Contributors",
    "funding": "Funding",
    "interests": "Interests",
    "contact": "Contact",
    "repository": "Repository",
    "site_url": "Address of the book",
}
"""What ``_config.yml`` can say, and how a page names it."""
REACHED = ("contact", "repository")
"""The fields by which a reader reaches somebody."""


def stated(app) -> dict[str, str]:
    """The fields that are set."""
    given = {key: getattr(app.config, key, "") for key in FIELDS}
    given["repository"] = (app.config.html_theme_options or {}).get("repository_url", "")
    return {key: text.strip() for key, text in given.items() if text and text.strip()}


def unset(app) -> str:
    """One line that names the fields that are not set; "" if all are."""
    missing = [key for key in FIELDS if key not in stated(app)]
    return f"Not set in _config.yml, and said so on the pages: {', '.join(missing)}" if missing else ""


def as_link(text: str) -> str:
    """A mail or web address as a link; other words as they are."""
    shown = html.escape(text, quote=False)
    if re.fullmatch(r"https?://\S+", text):
        return f'<a href="{html.escape(text)}">{shown}</a>'
    return f'<a href="mailto:{html.escape(text)}">{shown}</a>' if re.fullmatch(r"[^\s@]+@[^\s@]+", text) else shown


class People(SphinxDirective):
    """``{people}``: every field that is set, and a sentence that names those that are not; ``{people} contact``: how to
    reach somebody.
    """

    optional_arguments = 1

    def run(self):
        given = stated(self.env.app)
        page = reached(given) if self.arguments else listed(given)
        return [nodes.raw("", page, format="html")]


def listed(given: dict[str, str]) -> str:
    """The fields that are set as a list, then those that are not."""
    items = "".join(f"<dt>{FIELDS[key]}</dt><dd>{as_link(text)}</dd>" for key, text in given.items())
    missing = [FIELDS[key].lower() for key in FIELDS if key not in given]
    note = f"<p>Not stated: {', '.join(missing)}.</p>" if missing else ""
    return (f'<dl class="people">{items}</dl>' if items else "") + note


def reached(given: dict[str, str]) -> str:
    """How to reach somebody, or that nobody can be reached yet."""
    ways = {"contact": "Write to {}.", "repository": "Open an issue at {}."}
    said = " ".join(ways[key].format(as_link(given[key])) for key in REACHED if key in given)
    return f"<p>{said or 'No address is set yet: this copy of the book names neither a contact nor a repository.'}</p>"


def released() -> list[tuple[str, str]]:
    """The version and date of each edition, oldest first."""
    return [(e["version"], e["date"]) for e in REGISTRY.editions()]


def standing(version: str) -> str:
    """What the pages are: an edition, or a draft."""
    past = dict(released())
    if version in past:
        return f"edition {version}, {past[version]}"
    return f"draft after edition {list(past)[-1]}" if past else "draft, no edition released yet"


class Reply(SphinxDirective):
    """``{reply} Name, for the authors``: what the authors of a source answer, as received, under a labelled heading.

    Its option ``received`` is the day; the content is printed as it is.
    """

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = {"received": str}

    def run(self):
        if not self.options.get("received") or not self.content:
            raise self.error("{reply} wants :received: YYYY-MM-DD and the words of the reply")
        head = f"Reply by {self.arguments[0]}, received {self.options['received']}"
        box = nodes.container(classes=["reply"])
        box += nodes.paragraph("", head, classes=["eyebrow"])
        self.state.nested_parse(self.content, self.content_offset, box)
        box += nodes.paragraph("", "Printed in full, as received; we have not edited it.", classes=["card-note"])
        return [box]


def place(app, doctree, docname):
    """Above the card of a source, lead to the reply of its authors."""
    reply = next((n for n in doctree.findall(nodes.container) if "reply" in n["classes"]), None)
    card = next((n for n in doctree.findall(nodes.raw) if n.astext().startswith('<div class="source-card">')), None)
    if reply is not None and card is not None:
        label = reply.parent["ids"][0]
        link = f'<p class="replied"><a href="#{label}">The authors of the source have replied.</a></p>'
        card.parent.insert(card.parent.index(card), nodes.raw("", link, format="html"))


def page_context(app, pagename, template, context, doctree):
    context["standing"] = standing(citable(app).standing.edition)


def said(app, exception):
    if not exception and (line := unset(app)):
        log.info("%s", line)


def setup(app):
    for key in ("contributors", "funding", "interests", "contact"):
        app.add_config_value(key, "", "env")
    app.add_directive("people", People)
    app.add_directive("reply", Reply)
    app.connect("doctree-resolved", place)
    app.connect("html-page-context", page_context)
    app.connect("build-finished", said)
