"""The book on paper and on e-readers, made of its built pages: a handout of the short versions, and the book as EPUB.

Both are made of what a reader of the site sees, not built a second time from the sources; so whatever the pages learn
to show is in them too. Needs html5lib and, for the handout, Chromium.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
import shutil
import subprocess
import tempfile
import zipfile
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree as ET

import html5lib
import yaml

from lib import ROOT
from lib.house import executed
from sphinx_citable import metadata

HANDOUT, EPUB = "short-versions.pdf", "interferon-recomputed.epub"
SAFETY = "Do not stop or change a treatment because of this paper: speak with those who treat you."
FONTS = ROOT / "_static" / "fonts"
_GONE = {"script", "button", "form", "input", "style", "fieldset", "template", "dialog"}
_GONE_CLASSES = {
    "actions", "headerlink", "tip", "scroll-hint", "cite-boxes", "cite-box", "code", "narrow", "rerun-line", "rerun", "choices",
    "needs-script", "code-switch", "full-review",
}  # fmt: skip
"""What only a window can use, and code, which has its own downloads."""


class Book:
    """The built pages, and what ``_config.yml`` says of the book."""

    def __init__(self, site: Path):
        self.site = site
        config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
        ours = config["sphinx"]["config"]
        self.title, self.authors = config["title"], [a.strip() for a in config["author"].split(";") if a.strip()]
        self.address = ours["site_url"]
        self.edition = json.loads((site / "ledger.json").read_text("utf-8"))["edition"]
        self.moment = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "1767225600")), UTC)
        self.pages = dict(executed.contents())

    def article(self, page: str) -> ET.Element:
        """What a page says, without what only a window can use."""
        tree = html5lib.parse((self.site / f"{page}.html").read_text("utf-8"), namespaceHTMLElements=False)
        article = tree.find(".//article")
        _prune(article)
        for part in article.iter():
            if isinstance(part.tag, str) and part.tag.startswith("{"):  # as XHTML wants drawings and formulas
                space, _, name = part.tag[1:].partition("}")
                part.tag = name
                if name in ("svg", "math"):
                    part.set("xmlns", space)
            if part.tag in ("details", "summary"):  # nothing is folded on paper
                part.tag = {"details": "div", "summary": "p"}[part.tag]
                part.attrib.pop("open", None)
            for odd in [name for name in part.attrib if name.startswith("{") or name in ("download", "popover")]:
                del part.attrib[odd]
        return article

    def follow(self, article: ET.Element, page: str, inside) -> None:
        """Lead each link of a page where it can be followed: ``inside`` the work, or at the book's address, or nowhere."""
        for link in article.iter("a"):
            href = link.attrib.pop("href", "")
            parts = urlsplit(href)
            if parts.scheme:
                link.set("href", href)
            elif href:
                there = (
                    posixpath.normpath(posixpath.join(posixpath.dirname(page), parts.path))
                    if parts.path
                    else f"{page}.html"
                )
                if to := inside(there.removesuffix(".html"), parts.fragment):
                    link.set("href", to)
                elif self.address:
                    link.set(
                        "href",
                        urljoin(
                            self.address.rstrip("/") + "/", there + (f"#{parts.fragment}" if parts.fragment else "")
                        ),
                    )


def _prune(node: ET.Element) -> None:
    """Take out what is for a window, and the boxes that it leaves empty."""
    for child in list(node):
        gone = not isinstance(child.tag, str) or child.tag in _GONE or "popover" in child.attrib
        gone = gone or bool(_GONE_CLASSES & set(child.get("class", "").split()))
        if not gone:
            full = len(child) > 0
            _prune(child)
            gone = child.tag == "div" and full and not len(child) and not (child.text or "").strip()
        if gone:
            at = list(node).index(child)
            if child.tail and at:
                node[at - 1].tail = (node[at - 1].tail or "") + child.tail
            elif child.tail:
                node.text = (node.text or "") + child.tail
            node.remove(child)


def _classed(node: ET.Element, name: str) -> ET.Element | None:
    return next((n for n in node.iter("section") if name in n.get("class", "").split()), None)


# The handout ---------------------------------------------------------------------------------------------------------


def short(book: Book, page: str) -> ET.Element | None:
    """The short version of a page under its title; None for a page that has none."""
    top = book.article(page).find("section")
    version = _classed(top, "short-version")
    if version is None:
        return None
    out = ET.Element("section", {"class": "leaf"})
    out.extend([top.find("h1"), version])
    book.follow(out, page, lambda *_: "")
    return out


def handout(site: Path) -> Path:
    """Print the short versions of all chapters into ``site``, as one PDF with the book's own look."""
    book = Book(site)
    leaves = [leaf for page in book.pages if (leaf := short(book, page)) is not None]
    where = book.address or "Draft."
    foot = f"{SAFETY} {where}".replace('"', "”")
    look = (
        f'@page {{ margin: 13mm 16mm 15mm; @top-left {{ content: "{book.title}: the short versions" }}'
        f' @top-right {{ content: "{book.moment:%-d %B %Y}" }}'
        f' @bottom-left {{ content: "{foot}"; width: 88%; font: 8pt "Recomputed Sans", sans-serif; color: #444 }} }}'
        ":root { font-size: 8.6pt } body { font-size: 8.8pt } h1 { font-size: 17pt; margin-bottom: .2em } .leaf h2 { margin: .6em 0 .3em }"
        ".leaf + .leaf { break-before: page } .leaf .drawing { max-height: 58mm }"
        # As on a wide window the picture stands beside the words, so that a short version takes one page.
        ".leaf .short-version { display: grid; grid-template-columns: 1.4fr 1fr; column-gap: 7mm; align-items: start }"
        ".short-version > * { grid-column: 1 } .short-version > .cell:has(figure.drawn) { grid-column: 2; grid-row: 2 / span 4 }"
        ".leaf .short-version > :is(.cell:has(.table-figure), .for-clinicians, h2) { grid-column: 1 / -1; max-width: none }"
        ".leaf :is(.for-clinicians, .table-note) p { max-width: none }"
        ".leaf a:not([href]) { text-decoration: none } .leaf .known::after { content: none }"  # it has no list of works
    )
    body = "".join(ET.tostring(leaf, "unicode", method="html") for leaf in leaves)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "handout.html"
        page.write_text(
            f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{escape(book.title)}: the short versions</title>'
            f'<link rel="stylesheet" href="{(site / "_static" / "book.css").as_uri()}"><style>{look}</style>'
            f'<body class="chapter handout"><main><article>{body}</article></main></body></html>',
            "utf-8",
            newline="\n",
        )
        printed = _chromium(page)
    day = f"{book.moment:%Y%m%d%H%M%S}".encode()
    printed = re.sub(rb"(/(?:Creation|Mod)Date \(D:)\d{14}", rb"\g<1>" + day, printed)
    (site / HANDOUT).write_bytes(printed)
    return site / HANDOUT


def _chromium(page: Path) -> bytes:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        raise RuntimeError("no Chromium: install it (Debian: apt-get install chromium)")
    out = page.with_suffix(".pdf")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={page.parent}/profile"]
    command += ["--no-pdf-header-footer", f"--print-to-pdf={out}", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True)
    if not out.is_file():
        raise RuntimeError(f"Chromium printed nothing: {done.stderr.strip()[-300:]}")
    return out.read_bytes()


# The EPUB ------------------------------------------------------------------------------------------------------------

_PAGE = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en">
<head><title>{title}</title><link rel="stylesheet" type="text/css" href="book.css"/></head>
<body>{body}</body>
</html>
"""
_CONTAINER = """<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book/content.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
_PACKAGE = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:{identity}</dc:identifier>
<dc:title>{title}</dc:title>
<dc:language>en</dc:language>
{authors}<dc:date>{moment:%Y-%m-%d}</dc:date>
<dc:rights>Text and figures CC BY 4.0; type SIL Open Font License 1.1</dc:rights>
<meta property="dcterms:modified">{moment:%Y-%m-%dT%H:%M:%SZ}</meta>
</metadata>
<manifest>
{files}</manifest>
<spine>
{spine}</spine>
</package>
"""


def epub(site: Path) -> Path:
    """Write the book into ``site`` as EPUB 3: the same bytes for the same pages."""
    book = Book(site)
    articles = {page: book.article(page) for page in book.pages}
    ids = {page: {n.get("id") for n in article.iter()} for page, article in articles.items()}

    def inside(page: str, fragment: str) -> str:
        known = page in articles and (not fragment or fragment in ids[page])
        return _name(page) + (f"#{fragment}" if fragment else "") if known else ""

    inks = dict(
        re.findall(r"(--[\w-]+): (#\w+);", (ROOT / "_static" / "book.css").read_text("utf-8").partition("@media")[0])
    )
    files = {"book.css": _sheet(inks), "nav.xhtml": _nav(book, articles)}
    files |= {face.name: face.read_bytes() for face in FONTS.glob("*.woff2")} | {
        "OFL.txt": (FONTS / "OFL.txt").read_bytes()
    }
    for page, article in articles.items():
        book.follow(article, page, inside)
        text = ET.tostring(article, "unicode", short_empty_elements=True)
        text = re.sub(r"var\((--[\w-]+)\)", lambda m: inks.get(m[1], "inherit"), text)  # few e-readers know variables
        files[_name(page)] = _PAGE.format(title=escape(_heading(article)), body=text).encode()
    package = _PACKAGE.format(
        identity=uuid5(NAMESPACE_URL, f"{book.title} {book.edition}"),
        title=escape(book.title),
        authors="".join(f"<dc:creator>{escape(name)}</dc:creator>\n" for name in book.authors),
        moment=book.moment,
        files="".join(_item(name, data) for name, data in sorted(files.items())),
        spine="".join(f'<itemref idref="{_name(page)}"/>\n' for page in articles),
    )
    out = site / EPUB
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        _put(archive, "mimetype", b"application/epub+zip", zipfile.ZIP_STORED)  # first and plain, by the standard
        _put(archive, "META-INF/container.xml", _CONTAINER.encode())
        for name, data in sorted({**files, "content.opf": package.encode()}.items()):
            _put(archive, f"book/{name}", data)
    return out


def _put(archive: zipfile.ZipFile, name: str, data: bytes, how: int = zipfile.ZIP_DEFLATED) -> None:
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type, entry.external_attr = how, 0o644 << 16
    archive.writestr(entry, data)


def _name(page: str) -> str:
    return page.replace("/", "-") + ".xhtml"


def _heading(article: ET.Element) -> str:
    return " ".join("".join(article.find(".//h1").itertext()).split())


def _item(name: str, data: bytes) -> str:
    kinds = {".xhtml": "application/xhtml+xml", ".css": "text/css", ".woff2": "font/woff2", ".txt": "text/plain"}
    holds = [word for word in ("svg", "mathml") if f"<{word.removesuffix('ml')}".encode() in data]
    holds += ["nav"] if name == "nav.xhtml" else []
    properties = f' properties="{" ".join(holds)}"' if holds and name.endswith("xhtml") else ""
    return f'<item id="{name}" href="{name}" media-type="{kinds[Path(name).suffix]}"{properties}/>\n'


def _nav(book: Book, articles: dict[str, ET.Element]) -> bytes:
    """The contents: the parts of the book, their pages, and the sections of each."""
    lines, open_part = [], None
    for page, part in book.pages.items():
        if part != open_part:
            lines.append(("</ol></li>" if open_part else "") + (f"<li><span>{escape(part)}</span><ol>" if part else ""))
            open_part = part
        top = articles[page].find("section")
        inner = "".join(
            f'<li><a href="{_name(page)}#{s.get("id")}">{escape(" ".join("".join(s.find("h2").itertext()).split()))}</a></li>'
            for s in top.findall("section") if s.find("h2") is not None
        )  # fmt: skip
        lines.append(
            f'<li><a href="{_name(page)}">{escape(_heading(articles[page]))}</a>{inner and f"<ol>{inner}</ol>"}</li>'
        )
    listed = "\n".join(lines) + ("</ol></li>" if open_part else "")
    body = f'<nav epub:type="toc" id="toc"><h1>Contents</h1><ol>{listed}</ol></nav>'
    return _PAGE.format(title="Contents", body=body).encode()


def _sheet(inks: dict[str, str]) -> bytes:
    """The look of an e-book: its own few rules, with the book's faces and inks."""
    sheet = Path(__file__).with_name("epub.css").read_text("utf-8")
    return re.sub(r"var\((--[\w-]+)\)", lambda m: inks[m[1]], sheet).encode()


# Where they are found ------------------------------------------------------------------------------------------------


def announce(site: Path) -> None:
    """Name both at the foot of the front page and of the page about the book; only where they are present."""
    made = [(HANDOUT, "The short versions on paper (PDF)"), (EPUB, "The book for e-readers (EPUB)")]
    for page in ("index", "pages/about"):
        path = site / f"{page}.html"
        up = "../" * page.count("/")
        links = "".join(
            f' <a class="on-paper" href="{up}{name}">{words}</a>' for name, words in made if (site / name).is_file()
        )
        text = re.sub(r' <a class="on-paper".*?</a>', "", path.read_text("utf-8"))
        path.write_text(text.replace("</p>\n</footer>", f"{links}</p>\n</footer>"), "utf-8", newline="\n")
    metadata.files(site)
