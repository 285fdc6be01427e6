"""Write ``goldens.jsonl.gz``: requests to the checks and their answers, as they stand.

The requests are the cases of the drawn tests, drawn with a fixed seed, and the same cases with one input gone wrong.
They guard a change of the engine that should leave its answers alone; a change that should not makes them anew and says
which answers moved, and why.
"""

import gzip
import inspect
import json
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from test_checks_lines import CASES, anything

from whichdata.checks import CHECKS, answer

STORE = Path(__file__).with_name("goldens.jsonl.gz")
DRAWN, WRONG = 28, 5
"""Requests for each check: as drawn, and with one input gone wrong."""


def draws(make, number: int) -> list[dict]:
    """The first ``number`` different things that ``make`` draws."""
    found: dict[str, dict] = {}

    @seed(20261128)
    @settings(max_examples=4 * number, database=None, phases=[Phase.generate], deadline=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.data())
    def collect(data):
        inputs = make(data.draw)
        found.setdefault(json.dumps(inputs, sort_keys=True), inputs)

    collect()
    return list(found.values())[:number]


def requests():
    """Every request, in the order of the checks' names."""
    for name in sorted(CHECKS):

        def gone_wrong(draw, name=name):
            key = draw(st.sampled_from(sorted(inspect.signature(CHECKS[name]).parameters)))
            return CASES[name](draw)[0] | {key: draw(anything)}

        for inputs in [*draws(lambda draw: CASES[name](draw)[0], DRAWN), *draws(gone_wrong, WRONG)]:
            yield {"check": name, "inputs": inputs}


if __name__ == "__main__":
    lines = [json.dumps({**r, "answer": answer(json.dumps(r))}, sort_keys=True) for r in requests()]
    STORE.write_bytes(gzip.compress("\n".join(lines).encode() + b"\n", 9, mtime=0))
    print(f"{len(lines)} requests")
