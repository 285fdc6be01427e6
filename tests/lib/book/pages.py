"""The built pages as the tests read them, and the checks on them; each check lists its faults."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lib import ROOT

SITE = ROOT / "_build" / "html"
ABSENT = "no built site in _build/html: run `make site` first"
LED = {"prev", "next", "search", "describedby", "collection"}
"""Links of a page's head that lead to files of the site."""
NAMED = {"canonical", "cite-as", "author", "license", "type"}
"""Those that name what is elsewhere and load nothing."""
HEADINGS = {f"h{n}": n for n in range(1, 7)}


def known_by(claim: dict) -> str:
    """The verdict a claim is filtered and sorted by: on its conclusion where it draws one, else on its figures."""
    return claim["verdict_conclusion"] or claim["verdict_figures"]


@dataclass
class Page:
    """One HTML file: what it names, links to, loads, draws and says."""

    path: Path
    lang: str = ""
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    images: list[dict] = field(default_factory=list)
    drawings: list[dict] = field(default_factory=list)
    headings: list[int] = field(default_factory=list)
    policy: str = ""
    inline_scripts: int = 0
    styles: str = ""
    text: str = ""


class _Reader(HTMLParser):
    def __init__(self, page: Page):
        super().__init__()
        self.page, self.open, self.drawing = page, [], 0

    def handle_starttag(self, tag, attrs):
        a = {k: v or "" for k, v in attrs}
        p = self.page
        self.open.append(tag)
        if "id" in a:
            p.ids.append(a["id"])
        p.styles += a.get("style", "") + ";"
        if tag == "html":
            p.lang = a.get("lang", "")
        elif tag in ("a", "area") and "href" in a:
            p.links.append(a["href"])
        elif tag == "form" and a.get("action"):
            p.links.append(a["action"])
        elif tag == "link" and a.get("rel") in LED | NAMED:
            p.links += [a["href"]] if a["rel"] in LED else []
        elif tag == "link":
            p.loads.append(a.get("href", ""))
        elif tag in ("script", "img", "iframe", "source", "video", "audio", "embed", "object", "image", "use"):
            asked = [a[k] for k in ("src", "data", "href", "xlink:href") if a.get(k)]
            p.loads += [x for x in asked if not (tag == "use" and x.startswith("#"))]
            if tag == "script" and "src" not in a and a.get("type") != "application/ld+json":
                p.inline_scripts += 1
            if tag == "img":
                p.images.append(a)
        elif tag == "meta" and a.get("http-equiv", "").lower() == "content-security-policy":
            p.policy = a["content"]
        elif tag == "svg":
            p.drawings.append(a)
        elif tag in HEADINGS and "nav" not in self.open:
            p.headings.append(HEADINGS[tag])

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.page.styles += data
        elif "main" in self.open:
            self.page.text += data


def read(path: Path, text: str | None = None) -> Page:
    """The page at ``path``, or ``text`` as if it stood there."""
    page = Page(path)
    _Reader(page).feed(path.read_text("utf-8") if text is None else text)
    return page


def site() -> dict[Path, Page]:
    """Every HTML page of the built site."""
    return {path: read(path) for path in sorted(SITE.rglob("*.html"))}


def elsewhere(address: str) -> bool:
    """Whether an address leads to another host."""
    return bool(urlsplit(address).netloc) or urlsplit(address).scheme in ("http", "https", "ws", "wss", "ftp")


def broken(page: Page, pages: dict[Path, Page]) -> list[str]:
    """Links within the site that lead nowhere: no such file, or no such id on the page."""
    faults = []
    for address in [*page.links, *page.loads]:
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
        target = target / "index.html" if target.is_dir() else target
        if not target.is_file():
            faults.append(f"{address}: no such file")
        elif parts.fragment and target.suffix == ".html":
            there = pages.get(target) or read(target)
            if unquote(parts.fragment) not in there.ids and "=" not in parts.fragment:
                faults.append(f"{address}: no such id")
    return faults


def asks_elsewhere(page: Page) -> list[str]:
    """What a page loads, or its styles name, from another host."""
    return [x for x in page.loads if elsewhere(x)] + style_asks(page.styles)


def style_asks(css: str) -> list[str]:
    """Addresses of other hosts that a style sheet would fetch."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    found = re.findall(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)", css)
    return [x for pair in found for x in pair if x and elsewhere(x)]


def script_asks(js: str) -> list[str]:
    """Addresses of other hosts that a script holds, comments and XML names apart."""
    js = re.sub(r"/\*.*?\*/|(?<![:'\"])//[^\n]*", "", js, flags=re.DOTALL)
    return [x for x in re.findall(r"""['"`]((?:https?:|wss?:)?//[^'"`\s]+)""", js) if "www.w3.org" not in x]


def unseen(page: Page) -> list[str]:
    """Images and drawings that a reader who cannot see them is told nothing of."""
    faults = []
    for image in page.images:
        if not image.get("alt", "").strip() or file_name(image["alt"]):
            faults.append(f"img {image.get('src', '')[:60]}: alt {image.get('alt')!r}")
    for drawing in page.drawings:
        if drawing.get("aria-hidden") == "true":
            continue
        said = drawing.get("aria-label", "")
        if drawing.get("role") != "img" or not said.strip() or file_name(said):
            faults.append(f"svg {drawing.get('class', '')}: aria-label {said!r}")
    return faults


def file_name(words: str) -> bool:
    """Whether an alternative text is the name of a file."""
    return bool(re.fullmatch(r"\S*\.(?:svg|png|jpe?g|gif|webp)", words.strip(), re.IGNORECASE))


def twice(page: Page) -> list[str]:
    """Ids that stand more than once."""
    return [i for i, n in Counter(page.ids).items() if n > 1]


def skipped(page: Page) -> list[str]:
    """Where the outline of a page has no single first heading or skips a level."""
    faults = [] if page.headings.count(1) == 1 else [f"{page.headings.count(1)} first-level headings"]
    return faults + [f"level {b} after {a}" for a, b in zip(page.headings, page.headings[1:]) if b > a + 1]
