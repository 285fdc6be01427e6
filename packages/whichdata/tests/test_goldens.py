"""The checks answer as they did when ``goldens.py`` last wrote down their answers."""

import gzip
import json
import math
from itertools import groupby

import pytest
from goldens import STORE

from whichdata.checks import answer

KEPT = [json.loads(line) for line in gzip.decompress(STORE.read_bytes()).decode().splitlines()]
BY_CHECK = {name: list(rows) for name, rows in groupby(KEPT, lambda row: row["check"])}


def same(a, b, near: float) -> bool:
    """Equal but for the last digits of floats."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k], near) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y, near) for x, y in zip(a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=near, abs_tol=1e-12)
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("name", sorted(BY_CHECK))
def test_the_answers_are_those_kept(name):
    for row in BY_CHECK[name]:
        kept, now = row["answer"], answer(json.dumps({"check": name, "inputs": row["inputs"]}))
        refused = "error" in kept and "error" in now  # in whatever words
        # What was searched for says how near it is; on another processor the search ends elsewhere within that.
        near = 1e-6 if "±" in kept.get("convention", "") else 1e-9
        assert refused or same(kept, now, near), (row["inputs"], kept, now)
