"""Whatever whichdata offers says where its formula comes from, and every source named stands in the references."""

import ast
import re
from pathlib import Path

import whichdata

ROOT = Path(whichdata.__file__).parent
KEYS = set(re.findall(r"^@\w+\{([^,]+),", (ROOT / "references.bib").read_text("utf-8"), re.MULTILINE))
CITED = re.compile(r"\[([A-Z][A-Za-z]+\d{4}[a-z]?|[A-Z][A-Za-z0-9]+)\]")
OWN = ("by definition", "derived here")
HOLDERS = {"NamedTuple", "Protocol", "ValueError", "Exception"}
"""Bases of classes that only hold results, describe others, or are raised."""
READERS = ("given", "checks", "__init__", "__main__")
"""Modules that read, refuse and hand on; the formulas stand elsewhere."""


def offered():
    """Every public function, and class with behaviour of its own, with its docstring."""
    for path in sorted(ROOT.rglob("*.py")):
        module = path.relative_to(ROOT).with_suffix("").as_posix()
        if module.split("/")[0] in READERS:
            continue
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith(("_", "check_", "read_")):
                yield f"{module}.{node.name}", ast.get_docstring(node) or ""
            elif isinstance(node, ast.ClassDef) and not node.name.startswith("_") and behaves(node):
                yield f"{module}.{node.name}", ast.get_docstring(node) or ""


def behaves(node: ast.ClassDef) -> bool:
    return not {ast.unparse(base) for base in node.bases} & HOLDERS and any(
        isinstance(m, ast.FunctionDef) and m.name not in ("__post_init__", "parts") for m in node.body
    )


def test_every_formula_names_its_source_or_says_that_it_is_our_own():
    silent = [name for name, doc in offered() if not CITED.search(doc) and not any(w in doc.lower() for w in OWN)]
    assert silent == []


def test_every_source_named_stands_in_the_references_and_every_reference_is_named():
    named = {key for path in ROOT.rglob("*.py") for key in CITED.findall(path.read_text("utf-8"))} & (
        KEYS | {key for _, doc in offered() for key in CITED.findall(doc) if re.search(r"\d{4}", key)}
    )
    assert named == KEYS
