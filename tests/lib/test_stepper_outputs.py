"""A point moved in a picture that is not even shown makes the notebook of a stepper fail."""

import base64
import copy
import json
import os
import re
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from lib import FIGURE, ROOT
from lib.figures import drawing

CELL = """\
import pandas as pd
from lib.figures import stepper
stepper(lambda ax: ax.set(xlim=(0, 2), ylim=(0, 9)), lambda ax, a, b: ax.plot([0, 1, 2], [int(a), int(b), 5], color="#b0401c"),
        lambda a, b: (f"{a} then {b}", f"A line from {a} by {b}"), {"From": ["1", "2"], "By": ["3", "4"]}, ("1", "3"), "Lines",
        pd.DataFrame({"x": [0, 1, 2]}), label="fig-lines", caption="Two lines.", alt="Lines", height=2)
"""


@pytest.fixture(scope="module")
def executed():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    return NotebookClient(
        notebook, kernel_name="python3", timeout=120, resources={"metadata": {"path": str(ROOT)}}
    ).execute()


def moved(svg, name):
    """The drawing with the middle point of one picture three pixels higher."""
    at = svg.index(f'<g class="state {name}"')
    point = re.compile(r"L \S+ (\S+)").search(svg, at)
    return svg[: point.start(1)] + f"{float(point[1]) - 3:g}" + svg[point.end(1) :]


def test_only_what_was_executed_passes(executed, tmp_path):
    """One cell for each place in which a point or a word is moved, after one in which nothing is."""
    whole = json.loads(nbformat.writes(executed))
    cells = [copy.deepcopy(whole["cells"][0]) for _ in range(4)]
    _, picture, phone, finding = (cell["outputs"][0]["data"] for cell in cells)
    page = "".join(picture["text/html"])
    wide = drawing(page)
    drawn, changed = (base64.b64encode(svg.encode()).decode() for svg in (wide, moved(wide, "a1 b1")))
    assert drawn in page and drawn != changed
    picture["text/html"] = page.replace(drawn, changed)
    phone[FIGURE]["narrow"] = moved(phone[FIGURE]["narrow"], "a1 b0")
    finding[FIGURE]["told"][2][0] = "2 then 4"
    for n, cell in enumerate(cells):
        cell["id"] = f"c{n}"
    (tmp_path / "one.ipynb").write_text(json.dumps(whole | {"cells": cells}), "utf-8")
    options = ["--nbval", "--nbval-current-env", "-p", "no:cacheprovider", "-p", "no:xdist", "-q", "-rA", "one.ipynb"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    told = re.findall(r"(?m)^(PASSED|FAILED) \S*one\.ipynb::Cell (\d)", ran.stdout)
    said = {int(n): word for word, n in told}
    assert said == {0: "PASSED", 1: "FAILED", 2: "FAILED", 3: "FAILED"}, ran.stdout[-2000:] + ran.stderr[-500:]
