"""Every section, figure and table of a Sphinx or Jupyter Book can be cited for good.

A label gets a permanent tag, every page offers its citations in four formats, every tag has a page of its own, and a
released edition can be verified against the living book. See the README for the quick start.
"""

from __future__ import annotations

import json
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.domains import Domain, ObjType
from sphinx.util import logging

from sphinx_citable import cite, collect, editions, marks, metadata, tagpage
from sphinx_citable.registry import KINDS, Part, Registry, RegistryError

__version__ = "0.1.0"
__all__ = ["Part", "Registry", "RegistryError", "citable", "setup"]

log = logging.getLogger(__name__)

PUBLISHED = ("tag", "label", "kind", "title", "page", "url", "edition", "sha256_text", "sha256_results", "changed")
"""What ``sections.json`` says of a part besides its state: ``sha256_results`` of one that prints any; ``edition`` is the
last that holds it as it is, "" where none does yet."""
STATES = {"merged": "moved", "withdrawn": "withdrawn"}
"""How ``sections.json`` calls the states of the registry; what is live is ``current``, or ``draft`` while in no edition."""
WORDS = {"original": "the work it is about", "alone": "There is one record."}
LISTS = {
    "sections.json": "Every section, figure and table with its tag and hashes",
    "objects.inv": "The labels, for other Sphinx books",
}


class Citable(Domain):
    """The labelled parts of the book: for the marks, for Sphinx's search and inventory (there named by their tags)."""

    name = "citable"
    label = "part of the book"
    object_types = {kind: ObjType(kind) for kind in KINDS}
    initial_data = {"parts": {}}

    def process_doc(self, env, docname, document):
        self.data["parts"][docname] = collect.parts_of(document, docname)

    def clear_doc(self, docname):
        self.data["parts"].pop(docname, None)

    def merge_domaindata(self, docnames, otherdata):
        self.data["parts"] |= {name: otherdata["parts"][name] for name in docnames if name in otherdata["parts"]}

    @cached_property
    def registry(self) -> Registry:
        """The registry that the configuration names."""
        config = self.env.config
        return Registry(
            Path(self.env.app.confdir) / config.citable_registry, config.citable_kinds, config.citable_command
        )

    @cached_property
    def book(self) -> cite.Book:
        """What every citation derives from: the book as a draft."""
        return cite.Book.of(self.env.config, Path(self.env.app.confdir))

    @cached_property
    def standing(self) -> cite.Book:
        """The book as it stands: the last edition if that holds every part as it is, else the draft."""
        live, last = [row for row in self.rows if row["state"] == "live"], self.registry.editions()[-1:]
        whole = last and live and all(row["edition"] == last[0]["version"] for row in live)
        return self.book.holding(live[0]) if whole else self.book

    @cached_property
    def past(self) -> list[dict]:
        """The released editions, each with whether its pages can be linked: from where they will be published, or a disk."""
        config, folder = self.env.config, Path(self.env.app.confdir)
        archives = folder / config.citable_archives
        return [
            e | {"online": bool(config.site_url or ("archive" in e and (archives / e["archive"]).is_file()))}
            for e in self.registry.editions()
        ]

    @cached_property
    def rows(self) -> list[dict]:
        """A row for each part, as ``Registry.sections`` makes them; the event ``citable-parts`` may name the parts."""
        parts = self.env.app.emit_firstresult("citable-parts")
        if parts is None:
            ordered = collect.reading_order(self.env)
            parts = [part for name in ordered for part in self.data["parts"].get(name, [])]
        return self.registry.sections(parts)

    def of_page(self, docname: str) -> list[dict]:
        """The tagged parts of one page, in order."""
        return [row for row in self.rows if row["page"] == f"{docname}.html" and row["tag"]]

    def original(self, docname: str) -> dict | None:
        """The CSL-JSON of the work that a page is about, if the event ``citable-original`` knows one."""
        return self.env.app.emit_firstresult("citable-original", docname)

    def shown(self, row: dict) -> str:
        """What a part says, as HTML for its tag page, if the event ``citable-shown`` knows it."""
        return self.env.app.emit_firstresult("citable-shown", row) or ""

    def get_type_name(self, type, primary=False):
        """The kind alone: a hit reads *figure, in …*."""
        return type.lname

    def resolve_any_xref(self, env, fromdocname, builder, target, node, contnode):
        """Nothing: prose links to labels, not to tags."""
        return []

    def get_objects(self):
        for row in self.rows:
            if row["tag"] and row["state"] == "live":
                page = row["page"].removesuffix(".html")
                yield row["tag"], f"{row['title']} · {row['tag']}", row["kind"], page, row["label"], 1


def citable(app: Sphinx) -> Citable:
    """The domain that knows the citable parts of the book being built."""
    return app.env.get_domain("citable")


def _configured(app, config):
    Citable.object_types = {kind: ObjType(kind) for kind in config.citable_kinds}
    config.html_static_path.append(str(files("sphinx_citable") / "static"))


def _started(app):
    if app.builder.format != "html":
        return
    name = app.builder.name
    known = app.registry.translators.get(name, app.builder.default_translator_class)
    app.set_translator(name, type(known.__name__, (marks.CiteMarks, known), {}), override=True)


def _resolved(app, doctree, docname):
    if app.builder.format == "html":
        marks.place(doctree, citable(app).of_page(docname))


def _page(app, pagename, template, context, doctree):
    domain = citable(app)
    body = context.get("body", "")
    if doctree is not None and (rows := domain.of_page(pagename)):
        book, original, up = domain.book, domain.original(pagename), "../" * pagename.count("/")
        url = f"{book.site_url}/{pagename}.html" if book.site_url else ""
        context["metatags"] = context.get("metatags", "") + metadata.head(book, rows, original, url, up)
        if book.site_url:  # on paper a mark is the address of its tag
            site = json.dumps(book.site_url.partition("//")[2] + "/").replace("<", "")
            context["metatags"] += f"<style>:root{{--site:{site}}}</style>"
        body += marks.boxes(doctree, rows, domain.book, original, WORDS | app.config.citable_words)
    lost = [a for a in editions.published(domain.registry).get(f"{pagename}.html", []) if f'id="{a[0]}"' not in body]
    if lost:
        links = editions.moved(f"{pagename}.html", lost, domain.rows)
        body += tagpage.template("lost.html").render(lines=links)
    context["body"] = body
    whole = next((row["tag"] for row in domain.rows if row["state"] == "live" and domain.book.whole(row)), None)
    context["citable_book"] = f"t/{whole}/index.html" if whole else ""


def _finished(app, exception):
    if exception or app.builder.name != "html":
        return
    domain, out = citable(app), Path(app.outdir)
    rows, past = domain.rows, domain.past
    for row in rows:
        if row["tag"] is None:
            wanted = "label %s has no tag: run `%s tags`"
            log.warning(wanted, row["label"], app.config.citable_command, type="citable", subtype="tag")
    words, styles = WORDS | app.config.citable_words, app.config.citable_styles
    tagpage.write(out, rows, past, domain.book, domain.original, domain.shown, words, styles)
    editions.leave_links(out, domain.registry, rows)
    (out / "changes.js").write_text(editions.changes_js(rows, past), "utf-8", newline="\n")
    listed = [
        {k: row[k] for k in PUBLISHED if row[k] or k != "sha256_results"}
        | {"state": STATES.get(row["state"]) or ("current" if row["edition"] else "draft")}
        for row in rows
    ]
    (out / "sections.json").write_text(
        json.dumps(listed, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8", newline="\n"
    )
    metadata.write(out, domain.standing, "codemeta.json", "datacite.json", "CITATION.cff")
    if domain.book.site_url:
        (out / "sitemap.xml").write_text(metadata.sitemap(domain.book, rows), "utf-8", newline="\n")
    crate = metadata.ro_crate(domain.standing, rows, app.config.citable_data)
    (out / metadata.CRATE).write_text(json.dumps(crate), "utf-8", newline="\n")


def _described(app, exception):
    """List what the site holds once all that writes into it has done so."""
    if not exception and app.builder.name == "html":
        metadata.files(Path(app.outdir))


def setup(app: Sphinx) -> dict:
    for name, unset in cite.SET.items():
        app.add_config_value(name, unset, "html")
    app.add_config_value("citable_archives", "dist", "html")
    app.add_config_value("citable_registry", "registry", "html")
    app.add_config_value("citable_command", "sphinx-citable", "html")
    app.add_config_value("citable_labels_required", False, "env")
    app.add_config_value("citable_kinds", list(KINDS), "env")
    app.add_config_value("citable_words", {}, "html")
    app.add_config_value("citable_styles", [], "html")
    app.add_config_value("citable_data", LISTS, "html")
    app.add_event("citable-parts")
    app.add_event("citable-original")
    app.add_event("citable-shown")
    app.add_domain(Citable)
    app.add_transform(collect.ExplicitIdFirst)
    app.add_css_file("citable.css")
    app.add_js_file("citable.js")
    app.connect("config-inited", _configured)
    app.connect("builder-inited", _started)
    app.connect("doctree-resolved", _resolved)
    app.connect("html-page-context", _page)
    app.connect("build-finished", _finished)
    app.connect("build-finished", _described, priority=999)
    return {"version": __version__, "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
