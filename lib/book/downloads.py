"""How to run a chapter again: its notebook and its bundle beside the page, and what each way needs."""

from __future__ import annotations

import html
from pathlib import Path
from urllib.parse import quote, urlsplit

from docutils import nodes
from sphinx.util import logging

from lib import ROOT
from lib.house import bundles
from lib.house.parts import pages

log = logging.getLogger(__name__)


READ = """To read: every cell with its output, in any viewer of notebooks.
By itself it does not run, for it imports the book’s modules."""
BUNDLE = """The notebook, its text half, and the modules, data, records and lock that its execution used.
Needs Python 3.11 to 3.14, the network once, about 1 GB of disk and a few minutes. Unzip it, and in its folder:
<ol><li><code>{set_up}</code></li><li><code>{run}</code></li></ol>
The second command executes the chapter anew and says whether every byte came out the same;
if not, which figures moved."""
BINDER = """Nothing to install and no account. Needs the network throughout; the first start takes several minutes,
and what you change is lost at the end."""
COLAB = """Needs an account, and the network throughout. Runs on Colab’s versions of Python and packages,
not on those of the lock, so that a figure may move. Run this in a cell of its own first:
<pre><code>!git clone -q --depth 1 -b {branch} {repository} book
import sys; sys.path.insert(0, "book")</code></pre>"""
WHOLE = """To change anything and see it on these pages:
<code>make chapter NAME={slug}</code> and <code>make book</code> in a clone."""


def hosted(repository: str, branch: str, slug: str) -> dict[str, str]:
    """Where a chapter opens in the browser, by service, for a public repository; empty while there is none.

    Binder takes any git address and has short forms for two hosts; Colab reads notebooks from GitHub alone.
    """
    if not repository:
        return {}
    repository = repository.rstrip("/").removesuffix(".git")
    notebook = f"chapters/{slug}.ipynb"
    host, path = urlsplit(repository).netloc, urlsplit(repository).path.strip("/")
    short = {"github.com": f"gh/{path}", "gitlab.com": "gl/" + quote(path, safe="")}
    place = short.get(host, "git/" + quote(repository, safe=""))
    book = f"https://mybinder.org/v2/{place}/{quote(branch, safe='')}"
    found = {"Binder": f"{book}?labpath={quote(notebook, safe='')}"}
    if host == "github.com":
        found["Colab"] = f"https://colab.research.google.com/github/{path}/blob/{branch}/{notebook}"
    return found


def head(slug: str) -> str:
    """The quiet line under a chapter's question."""
    return (
        f'<p class="rerun-line">To run it yourself: <a href="../downloads/{slug}.ipynb" download>notebook</a>, '
        f'<a href="../downloads/{slug}.zip" download>bundle</a>, <a href="#re-execute">what each needs</a>.</p>'
    )


def tiers(slug: str, sizes: dict[str, int], repository: str, branch: str) -> str:
    """Every way to run a chapter again, each with what it needs; ``sizes`` in bytes by suffix."""
    e = html.escape

    def file(suffix: str, words: str) -> str:
        link = f'<a href="../downloads/{slug}.{suffix}" download>{words}</a>'
        return f'{link} <span class="size">.{suffix}, {sizes[suffix] / 1e3:,.0f} kB</span>'

    rows = [
        (file("ipynb", "The executed notebook"), READ),
        (file("zip", "A bundle that runs by itself"), BUNDLE.format(set_up=e(bundles.SET_UP), run=e(bundles.RUN))),
    ]
    says = {"Binder": BINDER, "Colab": COLAB.format(branch=e(branch), repository=e(repository))}
    for service, address in hosted(repository, branch, slug).items():
        rows.append((f'<a href="{e(address)}">In the browser, on {service}</a>', says[service]))
    if repository:
        rows.append((f'<a href="{e(repository)}">The whole book</a>', WHOLE.format(slug=slug)))
    items = "".join(f"<dt>{name}</dt><dd>{words}</dd>" for name, words in rows)
    return f'<div class="rerun" id="re-execute"><p class="eyebrow">Run it again</p><dl>{items}</dl></div>'


def place(app, doctree, docname):
    """Put the line under the question or the short version, and the ways at the end of the page's last section."""
    source = ROOT / f"{docname}.ipynb"
    if app.builder.name != "html" or not source.is_file():
        return
    try:
        sizes = {"ipynb": source.stat().st_size, "zip": len(bundles.zipped(source.stem))}
    except ValueError as error:
        log.warning("%s", error, location=docname, type="book", subtype="bundle")
        return
    theme = app.config.html_theme_options
    repository = theme.get("repository_url", ""), theme.get("repository_branch", "")
    top = doctree.next_node(nodes.section)
    line = nodes.raw("", head(source.stem), format="html")
    if short := next((s for s in top.findall(nodes.section) if "short-version" in s["classes"]), None):
        short += line
    else:
        top.insert(top.first_child_matching_class(nodes.paragraph) + 1, line)
    last = top.children[-1] if isinstance(top.children[-1], nodes.section) else top
    last += nodes.raw("", tiers(source.stem, sizes, *repository), format="html")


def write(app):
    """Write ``downloads/<slug>.ipynb`` and ``.zip`` for every executed page."""
    folder = Path(app.outdir) / "downloads"
    folder.mkdir(exist_ok=True)
    for page in pages():
        source = ROOT / f"{page}.ipynb"
        if source.is_file():
            (folder / source.name).write_bytes(source.read_bytes())
            (folder / f"{source.stem}.zip").write_bytes(bundles.zipped(source.stem))


def setup(app):
    app.connect("doctree-resolved", place)
