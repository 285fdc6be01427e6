"""The helpers of these tests stand beside them; the browser is started once for a module."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="module")
def chromium():
    from browser import launched

    with launched() as browser:
        yield browser


@pytest.fixture
def reader(chromium):
    """Open a reader: ``reader(width="phone", theme="dark")``; each must end without fault."""
    from browser import Reader

    readers = []

    def new(**options):
        readers.append(Reader(chromium, **options))
        return readers[-1]

    yield new
    for one in readers:
        one.close()
