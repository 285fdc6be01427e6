"""The helpers of these tests stand beside them; the browser is started once for a module."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="module")
def chromium(request, tmp_path_factory):
    """The browser with the machine's fonts, or with those alone of the set in FONTS that a test asks for.

    ``own_type`` on it says whether the readers it opens have the book's own faces.
    """
    from browser import FONTS, digit, launched, only_fonts

    name, fonts = getattr(request, "param", None), {}
    own_type = not FONTS.get(name)
    if not own_type:
        if sys.platform != "linux":
            pytest.skip("a browser's fonts can be set on Linux only")
        fonts["FONTCONFIG_FILE"] = only_fonts(name, tmp_path_factory.mktemp("fonts"))
    with launched(**fonts) as browser:
        browser.own_type = own_type
        if not own_type:
            assert digit(browser) == pytest.approx(FONTS[name][1], rel=0.02), "the browser uses other fonts"
        yield browser


@pytest.fixture
def reader(chromium):
    """Open a reader: ``reader(width="phone", theme="dark")``; each must end without fault."""
    from browser import Reader

    readers = []

    def new(**options):
        readers.append(Reader(chromium, own_type=chromium.own_type, **options))
        return readers[-1]

    yield new
    for one in readers:
        one.close()
