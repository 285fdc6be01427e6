"""What a reviewer has to know, generated: the format of a record from its models, the workbench from its methods."""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Callable, Mapping

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from lib import pictures, records, review, tables, values, verdicts
from lib.book.ledger import codes
from lib.house.adding import meanings
from whichdata.tables2x2 import tests_2x2

MODELS = {"source": records.Citation, "text": records.Fingerprint, "claim": records.Claim, "figure": records.Figure,
          "relation": records.Relation, "not_claim": records.NotClaim}  # fmt: skip


def fields(name: str) -> dict[str, str]:
    """The fields of a model, each with what it means, whether it must stand there, and the words or pattern it takes."""
    schema, said = MODELS[name].model_json_schema(), meanings()
    found = {}
    for field, of in schema["properties"].items():
        of = next((one for one in of.get("anyOf", ()) if one.get("type") != "null"), of)
        takes = ", ".join(f"`{word}`" for word in of.get("enum", ())) or (
            f"`{of['pattern']}`" if "pattern" in of else ""
        )
        must = "" if field in schema["required"] else "if wanted: "
        found[field] = f"{must}{said[f'{name}.{field}']}" + (f"; {takes}" if takes else "")
    return found


def calls() -> dict[str, str]:
    """Each public method of a review with its arguments, what it does, and the words that some take."""
    asked = {f"review.{name}": f for name, f in vars(review.Review).items() if inspect.isfunction(f) and name[0] != "_"}
    words = {"check": sorted(verdicts.CHECKS), "fault": sorted(verdicts.FAULTS)}
    return _said(asked | {"bind": review.bind}) | {name: f"one of: {'; '.join(of)}" for name, of in words.items()}


def shown() -> dict[str, str]:
    """What makes a value of a figure, in a clause each, and what shows values."""
    made = [f for name, f in vars(values).items() if inspect.isfunction(f) and f.__module__ == values.__name__ and name[0] != "_"]  # fmt: skip
    clauses = {name: re.split("[:;.](?= )", said)[0] for name, said in _said({f.__name__: f for f in made}).items()}
    tests = {"tests_2x2(table)._asdict()": f"p by each of {', '.join(tests_2x2([[1, 1], [1, 1]])._fields)}"}
    return clauses | _said({f.__name__: f for f in (tables.Finding, tables.findings, pictures.icons)}) | tests


def _said(of: Mapping[str, Callable]) -> dict[str, str]:
    """Names with their arguments, and what stands before what is raised."""
    found = {}
    for name, function in of.items():
        named = (str(p).partition(":")[0] for p in inspect.signature(function).parameters.values() if p.name != "self")
        said = inspect.getdoc(function).partition("\n\nRaises")[0]
        said = re.sub(r"\*(\w+)\*", r"\1", said.replace("``", "`"))  # a word in italics
        found[f"{name}({', '.join(named)})"] = " ".join(said.split())
    return found


def listed(entries: Mapping[str, str]) -> nodes.raw:
    """Names in code, each with its meaning."""
    lines = "".join(
        f"<dt><code>{html.escape(name)}</code></dt><dd>{codes(said)}</dd>" for name, said in entries.items()
    )
    return nodes.raw("", f'<dl class="codebook">{lines}</dl>', format="html")


class Format(SphinxDirective):
    """``{record-format} claim``: the fields of that part of a record."""

    required_arguments = 1

    def run(self):
        return [listed(fields(self.arguments[0]))]


class Calls(SphinxDirective):
    """``{review-calls}``: what a chapter asks of its review."""

    def run(self):
        return [listed(calls())]


class Values(SphinxDirective):
    """``{value-calls}``: what makes and shows values."""

    def run(self):
        return [listed(shown())]


def setup(app):
    app.add_directive("record-format", Format)
    app.add_directive("review-calls", Calls)
    app.add_directive("value-calls", Values)
