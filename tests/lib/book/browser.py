"""A browser for the tests: the system's Chromium on the built files, cut off from every network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import matplotlib
import pytest
from pypdf import PdfReader

from lib.house.parts import pages
from pages import ABSENT, SITE

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def _lacking() -> str:
    """What keeps the browser from starting, and how to get it; "" where nothing does."""
    if CHROMIUM is None:
        return "no Chromium: install it (Debian: apt-get install chromium)"
    driver = subprocess.run([sys.executable, "-m", "playwright", "--version"], capture_output=True, text=True)
    if driver.returncode:
        said = driver.stderr.strip().rpartition("\n")[2]
        return f"the browser's driver does not start: {said} (Debian: apt-get install libatomic1)"
    return ""


LACKING = _lacking()
browsed = pytest.mark.skipif(bool(LACKING), reason=LACKING)
needed = [pytest.mark.skipif(not (SITE / "index.html").is_file(), reason=ABSENT), browsed]
WIDTHS = {"desk": 1280, "phone": 375}
# What fits must not depend on the machine: beside the book's own type, the widest that a reader who takes no fonts from
# pages has instead. It comes with matplotlib: the files' names, em to a digit.
FONTS = {"own type": None, "wide type": ("DejaVu", 0.636)}
in_both_types = pytest.mark.parametrize("chromium", FONTS, indirect=True)


def on_paper(pdf: bytes) -> tuple[list[str], list[tuple[float, float]]]:
    """What each page of a PDF says, in words one space apart, and its width and height in points."""
    pages = PdfReader(BytesIO(pdf)).pages
    return [" ".join(p.extract_text().split()) for p in pages], [(p.mediabox.width, p.mediabox.height) for p in pages]


def names() -> list[str]:
    """The pages of the contents, and the search."""
    return [*(f"{name}.html" for name in pages()), "search.html"]


@contextmanager
def launched(**variables):
    """Chromium, once for a module, with ``variables`` added to its environment."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        arguments, variables = ["--no-sandbox", "--disable-gpu"], os.environ | variables
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=arguments, env=variables)
        yield chromium
        chromium.close()


def only_fonts(name: str, folder: Path) -> str:
    """Write into ``folder`` a configuration of fontconfig that knows no font but one set of FONTS; its path."""
    (folder / "fonts").mkdir()
    for file in Path(matplotlib.get_data_path(), "fonts", "ttf").glob(f"{FONTS[name][0]}*.ttf"):
        (folder / "fonts" / file.name).symlink_to(file)
    # Debian names one for monospace too; without it code would be set in the narrower sans-serif.
    mono = "<alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>"
    known = f"<dir>{folder}/fonts</dir><cachedir>{folder}/cache</cachedir>{mono}"
    (folder / "fonts.conf").write_text(f"<fontconfig>{known}</fontconfig>", "utf-8")
    return str(folder / "fonts.conf")


def digit(chromium) -> float:
    """Em that a digit of the browser's sans-serif takes."""
    page = chromium.new_page()
    page.set_content('<span style="font: 100px sans-serif">0123456789</span>')
    width = page.evaluate("document.querySelector('span').getBoundingClientRect().width")
    page.close()
    return width / 1000


def until(page, expression: str, within: float = 30):
    """Wait for ``expression`` to hold. Playwright's own waiting evaluates text in the page, which the policy of ours forbids."""
    end = time.monotonic() + within
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never: {expression}"
        page.wait_for_timeout(50)


class Reader:
    """One reader with an own window; what the pages ask of the network and say on the console is held against them."""

    def __init__(self, chromium, width="desk", theme="light", height=900, own_type=True, **options):
        window = {"width": WIDTHS.get(width, width), "height": height}
        self.context = chromium.new_context(viewport=window, color_scheme=theme, **options)
        self.context.set_offline(True)
        if not own_type:  # an empty file is no font, and no fault on the console either
            self.context.route("**/*.woff2", lambda route: route.fulfill(body=""))
        self.faults: list[str] = []
        self.page = self.context.new_page()
        self.page.on("request", self._asked)
        self.page.on("console", lambda m: m.type == "error" and self.faults.append(f"console: {m.text}"))
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))

    def _asked(self, request):
        if urlsplit(request.url).scheme not in ("file", "data"):
            self.faults.append(f"asked for {request.url}")

    def open(self, address: str):
        """Open a page of the site, as ``chapters/x.html#label``; its window."""
        self.page.goto(f"{SITE.as_uri()}/{address}")
        return self.page

    def close(self):
        self.context.close()
        assert not self.faults, self.faults
