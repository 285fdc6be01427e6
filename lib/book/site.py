"""The pages as a whole: their template, what they load, and what the site leaves out."""

from __future__ import annotations

import re
from pathlib import Path

from docutils import nodes

from lib.house import executed

OURS = ("book.css", "citable.css", "book.js", "citable.js")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'"
)
FOOTER = (("pages/about", "About"), ("pages/errata", "Errata"))
_VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1" />'
_HERE = re.compile(r'<a class="current[^"]*" href="#">.*?</a>')
"""This page, in the contents."""
_CITED = re.compile(r"<button.*?</button>")
_LOADED = re.compile(r"_static/([\w./-]+)")
_NAMED = re.compile(r"url\(([\w./-]+)\)")


def config_inited(app, config):
    config.templates_path = [str(Path(__file__).with_name("templates")), *config.templates_path]
    config.html_use_index = False
    if not config.html_baseurl and config.site_url:
        config.html_baseurl = config.site_url


class Corner(nodes.entry):
    """An empty cell in the head of a table: it heads nothing."""


def visit_corner(self, node):
    node.parent.column += 1
    self.body.append("<td></td>")
    raise nodes.SkipNode


def resolved(app, doctree, docname):
    """Take out what the theme puts into every page and none of ours uses, and heads that head nothing."""
    for raw in [n for n in doctree.findall(nodes.raw) if "thebe" in n.astext() or "kernelName" in n.astext()]:
        raw.parent.remove(raw)
    for head in doctree.findall(nodes.thead):
        for cell in [n for n in head.findall(nodes.entry) if not n.astext()]:
            cell.replace_self(Corner("", **cell.attributes))


def page_context(app, pagename, template, context, doctree):
    for key in ("script_files", "css_files"):
        named = {str(getattr(f, "filename", "")).rpartition("/")[2]: f for f in context.get(key, [])}
        context[key] = [named[name] for name in OURS if name in named]
    context["content_policy"] = POLICY
    context["metatags"] = context.get("metatags", "").replace(_VIEWPORT, "")  # the template has its own
    context["description"] = _description(doctree) if doctree else ""
    context["eyebrow"] = dict(executed.contents()).get(pagename, "")
    context["page_kind"] = "chapter" if pagename.startswith("chapters/") else Path(pagename).name
    sections = len(list(doctree.findall(nodes.section))) if doctree else 0
    if sections > 2 and pagename != "pages/ledger":
        context["toctree"] = _with_sections(context["toctree"], context["toc"])
    context["footer_pages"] = [(page, words) for page, words in FOOTER if page in app.env.all_docs]


def _with_sections(toctree, toc: str):
    """The contents of the book with the sections of this page under its name; the table of contents knows pages alone."""
    sections = _CITED.sub("", toc[toc.index("</a>") + 4 : toc.rindex("</li>")])
    return lambda **options: _HERE.sub(lambda m: m[0] + sections, toctree(**options), count=1)


def _description(doctree: nodes.document) -> str:
    """The first paragraph of a page, for search engines and link previews."""
    paragraphs = (p for s in doctree.findall(nodes.section) for p in s.children if isinstance(p, nodes.paragraph))
    first = next(paragraphs, None)
    return " ".join(first.astext().split())[:300] if first else ""


def tidy(app):
    """Leave out of the site what no page loads."""
    out = Path(app.outdir)
    static = out / "_static"
    # The theme leaves fragments of its own pages among its files: they do not count as pages.
    pages = [page for page in out.rglob("*.html") if static not in page.parents]
    loaded = set()
    for page in pages:
        text = page.read_text("utf-8")
        page.write_bytes(text.encode())  # Sphinx writes it with the machine's own line ends
        loaded |= set(_LOADED.findall(text))
    for sheet in [static / name for name in loaded if name.endswith(".css")]:
        beside = sheet.parent.relative_to(static)
        loaded |= {(beside / name).as_posix() for name in _NAMED.findall(sheet.read_text("utf-8"))}
    for file in sorted(static.rglob("*"), reverse=True):  # files before their folders
        if file.is_file() and file.relative_to(static).as_posix() not in loaded:
            file.unlink()
        elif file.is_dir() and not any(file.iterdir()):
            file.rmdir()
    # Sphinx notes here what the build was made with; it differs between machines and no reader needs it.
    (out / ".buildinfo").unlink(missing_ok=True)


def setup(app):
    app.connect("config-inited", config_inited)
    app.add_node(Corner, html=(visit_corner, None))
    app.connect("doctree-resolved", resolved)
    app.connect("html-page-context", page_context, priority=900)  # after the theme, whose files it takes out again
