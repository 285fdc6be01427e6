"""What becomes of a chapter when one figure of its source is changed.

``python tests/chapters/changed.py SLUG ...`` tries every change of every figure that a chapter judges and prints a line
for each; ``tests/chapters/test_changed_figures.py`` tries a few. A change must move a verdict, or leave all as they
are, or be refused in one line by the record, or stop the chapter in order with a verdict on every claim: there is never
a traceback.

A chapter is executed once; before each cell a copy of the process is made for every change of a figure which that cell
is the first to read, and the copy runs on from there. So all copies share what stands before.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from fractions import Fraction
from functools import wraps
from importlib import import_module
from pathlib import Path
from select import select
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

import lib

sys.path[:0] = lib.PATHS

import jupytext
import matplotlib
import numpy as np

matplotlib.use("agg")
import matplotlib.pyplot as plt

from lib import figures, records, relations, review, tables, verdicts
from lib.records import Claim, Figure, Record, SourceError
from whichdata.printed import decimal_text

SECONDS = 60
"""After so long, and what the chapter as it stands takes, a copy is given up as *slow*."""
HOW: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "one up": lambda value, unit: value + unit,
    "one down": lambda value, unit: value - unit,
    "ten up": lambda value, unit: value + 10 * unit,
    "doubled": lambda value, unit: 2 * value,
    "zero": lambda value, unit: Fraction(0),
    "tenfold": lambda value, unit: 10 * value,
}
"""How a figure is changed, from its value and one in its last place."""
REMEMBERED = {
    "ph-all-maintenance": ("extremes", "shares_alike", "without_effect"),
    "ms-interferon-beta": ("fit",),
}
"""Simulations of the chapters that take long."""
SIGNS = {"=": "", "<": "<", ">": ">", "<=": "≤", ">=": "≥"}


class Change(NamedTuple):
    """One figure that is printed otherwise."""

    claim: str
    role: str
    printed: str
    how: str

    @property
    def figure(self) -> str:
        return f"{self.claim}/{self.role}"

    def __str__(self):
        return f"{self.figure} printed {self.printed} ({self.how})"


def changes(record: Record, how: Iterable[str] = HOW) -> Iterator[Change]:
    """Every change of every figure that is judged."""
    for claim in record.claims:
        for figure in claim.figures if claim.kind not in records.PLAIN else []:
            printed = figure.value
            if printed.value is None or printed.decimals is None:
                continue
            seen = {printed.value}
            for name in how:
                value = HOW[name](printed.value, printed.unit)
                if value >= 0 and value not in seen:
                    seen.add(value)
                    text = SIGNS[printed.relation] + decimal_text(value, max(printed.decimals, 0))
                    yield Change(claim.id, figure.role, text, name)


def changed(record: Record, change: Change) -> Record:
    """The record with one figure printed otherwise; SourceError or ValueError if a record cannot hold it."""
    data = record.model_dump()
    for claim in data["claims"]:
        for figure in claim["figures"] if claim["id"] == change.claim else []:
            if figure["role"] == change.role:
                figure["printed"] = change.printed
    return Record.model_validate(data)


class _Reads:
    """Which claims' figures each cell reads."""

    def __init__(self):
        self.by_claim: dict[str, int] = {}
        self.cell, self.on = 0, True

    def __enter__(self):
        reads, plain = self, Claim.__getattribute__

        def watched(claim, name):
            if name == "figures" and reads.on:
                reads.by_claim.setdefault(plain(claim, "id"), reads.cell)
            return plain(claim, name)

        Claim.__getattribute__ = watched
        for module, name in ((verdicts, "source_rule"), (relations, "impossible")):
            setattr(module, name, self._unseen(getattr(module, name)))
        return self

    def _unseen(self, function):
        def without(record):
            self.on = False
            try:
                return function(record)
            finally:
                self.on = True

        return without

    def __exit__(self, *_):
        del Claim.__getattribute__


def cells(slug: str) -> list[str]:
    """The code cells of a chapter, in order."""
    text_half = jupytext.read(lib.ROOT / "chapters" / f"{slug}.md")
    return [cell.source for cell in text_half.cells if cell.cell_type == "code"]


def _remembered(function: Callable) -> Callable:
    """The same simulation again is taken from memory, and leaves the generator of random numbers as it would."""
    memory: dict[bytes, tuple] = {}

    @wraps(function)
    def run(*args, **kwargs):
        key = pickle.dumps((args, kwargs))
        streams = [a for a in (*args, *kwargs.values()) if isinstance(a, np.random.Generator)]
        if key not in memory:
            memory[key] = function(*args, **kwargs), [s.bit_generator.state for s in streams]
        found, states = memory[key]
        for stream, state in zip(streams, states):
            stream.bit_generator.state = state
        return deepcopy(found)

    return run


def _draw(draw, panels, size, stacked):
    """Draw without rendering, which takes longest and depends on no figure."""
    fig, axes = plt.subplots(1, panels, figsize=size, squeeze=False)
    draw(axes[0][0] if panels == 1 else list(axes.flat))
    plt.close(fig)
    return "<svg>"


class _Chapter:
    """A chapter in this process: its cells, the names they made, and what was shown."""

    def __init__(self, slug: str):
        os.chdir(lib.ROOT / "chapters")
        figures._render, figures._one_shown = _draw, lambda svg, first: svg
        for module in (figures, review, tables):
            module.display = lambda data, raw=True: self.shown.append(data)
        for name in REMEMBERED.get(slug, ()):
            module = import_module(f"chapters.models.{slug.replace('-', '_')}")
            setattr(module, name, _remembered(getattr(module, name)))
        self.cells = [compile(code, f"{slug}.md, cell {n}", "exec") for n, code in enumerate(cells(slug), 1)]
        self.reset()

    def reset(self) -> None:
        self.shown: list[dict] = []
        self.names: dict = {"__name__": "__main__"}

    def run(self, first: int, last: int | None = None) -> None:
        for cell in self.cells[first:last]:
            exec(cell, self.names)

    def told(self) -> dict:
        """The verdicts of each claim, and all that is recomputed or bound."""
        rows = [data[lib.LEDGER] for data in self.shown if lib.LEDGER in data]
        bound = [value["text"] for data in self.shown for value in data.get(lib.BOUND, {}).values()]
        return {
            "verdicts": {
                r["id"]: [r["verdict_figures"], r["verdict_conclusion"], *(f["verdict"] for f in r["figures"])]
                for r in rows
            },
            "values": [[r["recomputed"], r["reason"]] for r in rows] + bound,
        }


def _apart(work: Callable[[], dict], limit: int):
    """Start ``work`` in a copy of this process; its number and where to read its answer."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    signal.alarm(limit)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    try:
        answer = work()
    except BaseException as error:
        trace, at = error.__traceback__, "?"
        while trace:
            name = trace.tb_frame.f_code.co_filename
            at = f"{name}, line {trace.tb_lineno}" if ".md, cell" in name else at
            trace = trace.tb_next
        answer = {"crashed": f"{type(error).__name__}: {' '.join(str(error).split())[:160]} [{at}]"}
    with os.fdopen(writing, "w") as pipe:
        json.dump(answer, pipe)
    os._exit(0)


def _answer(child: int, reading: int) -> dict:
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else {"slow": "given up"}


def _strict():
    """As chapters are executed: what warns is a fault."""
    warnings.simplefilter("error")
    for quiet in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
        warnings.simplefilter("ignore", quiet)


def sweep(
    slug: str, wanted: Iterable[Change], side_by_side: int = 1, compare: bool = True
) -> Iterator[tuple[Change, str, str]]:
    """Try changes: each with *noticed* (a verdict changed), *moved* (a recomputed or bound value did), *same*, *stopped*
    in order, *refused* by the record, *slow* or *crashed*, and what was said. Without ``compare`` the chapter as it stands
    is not executed first: that is quick for changes that stop it early, and tells only whether they do.
    """
    record = records.record(slug)
    chapter = _Chapter(slug)
    _strict()

    start = time.monotonic()
    with _Reads() as reads:
        for reads.cell in range(len(chapter.cells) if compare else 0):
            chapter.run(reads.cell, reads.cell + 1)
    before = json.loads(json.dumps(chapter.told() | {"reads": reads.by_claim}))
    limit = SECONDS + round(time.monotonic() - start)
    chapter.reset()
    rule, impossible = verdicts.source_rule(record), relations.impossible(record)
    due: dict[int, list[tuple[Change, Record]]] = {}
    for change in wanted:
        try:
            new = changed(record, change)
        except (SourceError, ValueError) as error:
            yield change, "refused", " ".join(str(error).partition("[type=")[0].split())
            continue
        touched = {change.claim} | {claim for claim, _ in impossible.keys() ^ relations.impossible(new).keys()}
        start = min((before["reads"].get(claim, 0) for claim in touched), default=0)
        if verdicts.source_rule(new) != rule:
            start = 0
        due.setdefault(start, []).append((change, new))

    def with_change(new: Record, change: Change, start: int) -> dict:
        figure: Figure = new[change.claim].figure(change.role)
        claim = record[change.claim]
        claim.__dict__["figures"] = [figure if f.role == change.role else f for f in claim.figures]
        if "review" in chapter.names:
            chapter.names["review"]._impossible = relations.impossible(record)
        try:
            chapter.run(start)
        except review.Impossible as stop:
            chapter.names["review"].stop(str(stop))
            return chapter.told() | {"stopped": str(stop)}
        return chapter.told()

    def verdict(answer: dict) -> tuple[str, str]:
        for word in answer.keys() & {"crashed", "slow"}:
            return word, answer[word]
        old, now = before["verdicts"], answer["verdicts"]
        if "stopped" in answer:
            left = sorted({claim.id for claim in record.claims} - now.keys())
            return ("crashed", f"no verdict on {', '.join(left)}") if left else ("stopped", answer["stopped"])
        if not compare:
            return "same", "it runs to its end"
        other = sorted(claim for claim in old.keys() | now.keys() if old.get(claim) != now.get(claim))
        if other:
            return "noticed", ", ".join(other)
        return ("same" if answer["values"] == before["values"] else "moved"), ""

    for start in range(len(chapter.cells)):
        left, running = due.get(start, [])[::-1], {}
        while left or running:
            while left and len(running) < side_by_side:
                change, new = left.pop()
                child, pipe = _apart(lambda new=new, change=change: with_change(new, change, start), limit)
                running[pipe] = change, child
            for pipe in select(list(running), [], [])[0]:
                change, child = running.pop(pipe)
                yield change, *verdict(_answer(child, pipe))
        if not any(later > start for later in due):
            break
        chapter.run(start, start + 1)


def main() -> int:
    parser = argparse.ArgumentParser(description="Change each figure that a chapter judges, and see what it says.")
    parser.add_argument("slugs", nargs="+")
    parser.add_argument("--how", nargs="+", choices=HOW, default=list(HOW))
    parser.add_argument("--only", nargs="+", default=[], help="claims, or figures as CML-34/median")
    parser.add_argument(
        "--stops", action="store_true", help="see only whether the chapter stops: quick if it does early"
    )
    args = parser.parse_args()
    crashed = 0
    for slug in args.slugs:
        wanted = [
            c for c in changes(records.record(slug), args.how) if not args.only or {c.claim, c.figure} & {*args.only}
        ]
        found = Counter()
        for change, word, said in sweep(slug, wanted, side_by_side=2, compare=not args.stops):
            found[word] += 1
            print(f"{change}: {word}{f': {said}' if said else ''}", flush=True)
        print(f"{slug}: {sum(found.values())} changes: {', '.join(f'{n} {word}' for word, n in found.items())}")
        crashed += found["crashed"]
    return bool(crashed)


if __name__ == "__main__":
    sys.exit(main())
