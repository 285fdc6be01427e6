"""Whatever is asked of a check, one clear line of JSON comes back."""

import inspect
import json
import math

import test_drawn_counts
import test_drawn_survival
import test_drawn_toolbox
from hypothesis import given
from hypothesis import strategies as st

from whichdata.checks import CHECKS, answer

CASES = test_drawn_counts.cases | test_drawn_survival.cases | test_drawn_toolbox.cases

words = ["", "NR", "ns", "< 0.05", "12", "0.5", "58%", "1,280", "abc", "integer", "continuous", "ratio", "up", "NaN",
         "integers 1..4"]  # fmt: skip
odd = [None, True, False, math.nan, math.inf, -1, 0, 10**6, 10**30, *words]
keys = st.sampled_from(["n", "min", "max", "median", "hr", "events", "values", "3", "12"])
small = st.integers(-3, 12) | st.floats(-2, 12) | st.sampled_from(odd)
anything = st.recursive(
    small, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=8
)
CRASHES = ("TypeError", "KeyError", "IndexError", "AttributeError", "ZeroDivisionError", "OverflowError")


def one_line_comes_back(name: str, inputs: dict) -> None:
    found = answer(json.dumps({"check": name, "inputs": inputs}))
    assert "\n" not in json.dumps(found, allow_nan=False) and found["check"] == name
    assert ("result" in found) != ("error" in found)
    assert not found.get("error", "").startswith(CRASHES), (inputs, found["error"])


@given(st.sampled_from(sorted(CHECKS)), st.data())
def test_any_inputs_give_one_line_of_json(name, data):
    one_line_comes_back(name, {key: data.draw(anything) for key in inspect.signature(CHECKS[name]).parameters})


@given(st.sampled_from(sorted(CHECKS)), st.data())
def test_one_input_gone_wrong_gives_one_line_of_json(name, data):
    inputs, _ = CASES[name](data.draw)
    key = data.draw(st.sampled_from(sorted(inspect.signature(CHECKS[name]).parameters)))
    one_line_comes_back(name, inputs | {key: data.draw(anything)})
