"""How to run a chapter again: a notebook to read and a bundle beside the page, and what each way needs.

The notebook is a reading copy: what roles and directives put on the page stands in its words, so that any viewer shows
it; its code and outputs are those of the chapter.
"""

from __future__ import annotations

import html
import json
import re
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlsplit

from docutils import nodes
from sphinx.util import logging

from lib import FIGURE, LEDGER, ROOT, TABLE, evidence
from lib.book import layers, marks, references
from lib.house import bundles, environment, prose
from lib.house.execute import READING
from lib.house.parts import pages, parts
from lib.values import opening
from lib.verdicts import LATER, summary
from lib.verdicts import MARKS as SHAPES

log = logging.getLogger(__name__)


READ = """To read: the words with their figures, and every cell with its output, in any viewer of notebooks.
It runs where the book’s modules are: in the folder of the bundle, or of the whole book."""
BUNDLE = """The chapter as committed, its text half, and the modules, data, records and lock that its execution used.
Needs Python {pythons}, the network once, about 1 GB of disk and a few minutes. Unzip it, and in its folder:
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
        (
            file("zip", "A bundle that runs by itself"),
            BUNDLE.format(pythons=environment.RANGE, set_up=e(bundles.SET_UP), run=e(bundles.RUN)),
        ),
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
        sizes = {"ipynb": len(reading(docname).encode()), "zip": len(bundles.zipped(source.stem))}
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
            (folder / source.name).write_text(reading(page), "utf-8", newline="\n")
            (folder / f"{source.stem}.zip").write_bytes(bundles.zipped(source.stem))


_ROLE = re.compile(r"\{([a-z]+)\}`([^`]+)`")
_DIRECTIVE = re.compile(r"^(`{3,}|:{3,})\{([a-z-]+)\} *(.*)\n((?::[a-z-]+:.*\n)*)((?:.*\n)*?)\1 *$", re.MULTILINE)
_LABEL = re.compile(r"^\(([\w-]+)\)=\n", re.MULTILINE)
_LINK = re.compile(r"\[([^\]\n]+)\]\(#?([a-z][a-z0-9-]*)\)")
_PARAGRAPH = re.compile(r"\n\s*\n|^\s*(?:[-*+]|\d+\.|#+)\s+|\|", re.MULTILINE)
"""What stands before the first word of a paragraph."""
_HEAD = """> **{safety}** {reach}
>
> A reading copy: <i>figures of the source in italics</i>, <b>figures recomputed here in bold</b>, figures of other works as
> links to the references at its end. Who wants to change the chapter edits `chapters/{slug}.md`."""
_FIND = """# Find the book's modules, in a folder around this notebook
import sys
from pathlib import Path

_top = next((p for p in Path("x").absolute().parents if (p / "lib" / "__main__.py").is_file()), None)
assert _top, "put this notebook into the folder of the bundle, or of the whole book"
sys.path[:0] = [str(_top), str(_top / "packages" / "whichdata" / "src")]

"""


@cache
def _titles() -> dict[str, tuple[str, str]]:
    """The page and title of every label."""
    return {part.label: (part.page, part.title) for part in parts()}


def _to(page: str, label: str, words: str) -> str:
    """Words that lead to a label, if it stands in the same notebook."""
    where, title = _titles().get(label, ("", label))
    return f"[{words or title}](#{label})" if where == page else words or title


def _worded(page: str, name: str, text: str, begins: bool) -> str:
    """What a role prints, as Markdown that any viewer shows; as a sentence ``begins``, if it begins one."""

    def placed(words: str) -> str:
        return html.escape(opening(words) if begins else words, quote=False)

    if name == "found":
        slug, _, value, words = prose.found(text, page)
        if "evidence" in value:
            key = marks.evidence(slug).loc[value["evidence"], "reference"]
            return f"[{placed(words)}](#{references.anchor(key)})"
        said = value.get("kind") == "words" or not any(c.isdigit() for c in value["text"])
        return placed(words) if said else f"<b>{placed(words)}</b>"
    if name == "reported":
        return f"<i>{placed(prose.reported(text))}</i>"
    if name == "cite":
        return f"[[{text}]](#{references.anchor(text)})"
    if name == "verdict":
        row, word = prose.verdict(text)
        return f"{SHAPES[word]} {_to(page, row['id'].lower(), word.replace('-', ' '))}"
    if name == "mark":
        word = text.replace(" ", "-")
        return f"{(SHAPES | LATER)[word]} {text}"
    if name == "claim":
        return _to(page, text.lower(), text)
    if name == "ref":
        words, label = re.fullmatch(r"(?:(.*?) *<)?([\w-]+)>?", text).groups()
        return _to(page, label, words or "")
    raise ValueError(f"{page}: say in lib.book.downloads what {{{name}}} prints")


def _directive(match: re.Match) -> str:
    """What a directive holds, under its name; the card of a source as lines."""
    _, name, argument, options, content = match.groups()
    if name in ("short-version", "audit"):
        return "*Audit trail*" if name == "audit" else ""
    if name == "source-card":
        found, source = summary(prose.of_source(argument)), prose.record(argument).source
        lines = [
            f"**The source.** {marks.citation_line(source)}",
            *re.findall(r":design: (.*)", options),
        ]
        lines += [f"{what.capitalize()}: {marks.in_words(found[what])}." for what in ("figures", "conclusions")]
        return "  \n".join(lines) + f"\n\n{marks.besides(source)}\n"
    head = "" if name == "answer" else f"**{name.replace('-', ' ').capitalize()}{' ' * bool(argument)}{argument}.** "
    return head + content.strip()


def _markdown(page: str, text: str) -> str:
    """The words of a page without roles, directives and labels."""
    text = _DIRECTIVE.sub(_directive, text)

    def put(role: re.Match) -> str:
        before = _PARAGRAPH.split(text[: role.start()])[-1].rstrip(" \n*_")
        return _worded(page, *role.groups(), begins=not before or before[-1] in ".?!")

    text = _LINK.sub(lambda m: _to(page, m[2], m[1]) if m[2] in _titles() else m[0], _ROLE.sub(put, text))
    return _LABEL.sub(lambda m: f'<a id="{m[1]}"></a>\n\n', text).strip()


@cache
def reading(page: str) -> str:
    """The notebook of a page as a reading copy, the same at every build."""
    slug, notebook = page.rpartition("/")[2], json.loads((ROOT / f"{page}.ipynb").read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    code[0]["source"] = _FIND + "".join(code[0]["source"])
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = _markdown(page, "".join(cell["source"]))
        for data in (output.get("data", {}) for output in cell.get("outputs", [])):
            for entry in (data[mime] for mime in (TABLE, FIGURE, LEDGER) if mime in data):
                label = entry.get("label") or entry["id"].lower()
                data["text/html"] = f'<a id="{label}"></a>' + "".join(data["text/html"])
    head = _HEAD.format(safety=layers.SAFETY, reach=evidence.reach(slug), slug=slug)
    notebook["cells"].insert(1, _cell("reading-copy", head))
    said = json.dumps(notebook, ensure_ascii=False)
    works = [key for key in references.works() if f"[{key}]" in said or f"(#{references.anchor(key)})" in said]
    lines = [
        f'- <a id="{references.anchor(key)}"></a>[{key}] {marks.citation_line(references.works()[key])}'
        for key in works
    ]
    if works:
        notebook["cells"].append(_cell("references", "\n".join(["## References", "", *lines])))
    notebook["metadata"][READING] = slug
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _cell(name: str, text: str) -> dict:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text}


def setup(app):
    app.connect("doctree-resolved", place)
