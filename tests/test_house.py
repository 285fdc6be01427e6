"""The house stands as DESIGN and README say: who may import whom, what is shared, and no code for tests alone."""

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import jupytext
import pytest

from lib import ROOT
from lib.house import roles

PACKAGES = {"whichdata": ROOT / "packages/whichdata/src", "sphinx_citable": ROOT / "packages/sphinx-citable/src"}
CORE = ("records", "relations", "words", "evidence", "review", "tables", "figures")
"""The modules of ``lib`` that a reader of a chapter meets."""
FLOORS = {
    "whichdata": ("whichdata",),
    "sphinx_citable": ("sphinx_citable",),
    "core": ("lib", "lib.core", "whichdata"),
    "house": ("lib", "lib.core", "lib.house", "whichdata", "sphinx_citable"),
    "book": ("lib", "lib.core", "lib.house", "lib.book", "whichdata", "sphinx_citable"),
    "models": ("lib", "lib.core", "whichdata", "chapters.models"),
}
"""What each floor may import of ours."""
HANDED_ON = {("lib/review.py", "lib.house")}
"""By contract C4 ``lib.review.ledger`` reads the notebooks back; only a chapter that calls it depends on their reader."""


def files(floor: str) -> list[Path]:
    places = {
        "core": ROOT / "lib",
        "house": ROOT / "lib/house",
        "book": ROOT / "lib/book",
        "models": ROOT / "chapters/models",
    } | PACKAGES
    return [p for p in sorted(places[floor].rglob("*.py")) if floor != "core" or p.parent == places["core"]]


def imported(path: Path) -> set[str]:
    """The rooms of ours that a module imports: the package, and below ``lib`` and ``chapters`` the floor."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        found |= {room(name) for name in names}
    return found - {None}


def room(name: str) -> str | None:
    parts = name.split(".")
    if parts[0] in PACKAGES:
        return parts[0]
    if parts[0] == "chapters":
        return "chapters.models"
    if parts[0] != "lib":
        return None
    if parts[1] in ("house", "book"):
        return f"lib.{parts[1]}"
    return "lib.core" if parts[1] in CORE else "lib"


@pytest.mark.parametrize("floor", FLOORS)
def test_nothing_imports_from_a_floor_above(floor):
    above = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in files(floor)
        if path.name != "__main__.py" or floor != "core"
        for name in imported(path) - set(FLOORS[floor])
    }
    assert above - HANDED_ON == set()


def code_of(chapter: Path) -> ast.Module:
    cells = jupytext.read(chapter).cells
    return ast.parse("\n".join(c.source for c in cells if c.cell_type == "code"))


ONE_CHAPTER: dict[str, str] = {}
"""Names of ``lib`` that one chapter uses, and why they are not its own."""


def test_what_lib_offers_is_shared():
    """Each public name of the core is used by two chapters or more, or by the rest of ``lib``, which makes the site."""
    by_chapter = Counter()
    for chapter in sorted((ROOT / "chapters").glob("*.md")):
        by_chapter.update({f"{node.module.removeprefix('lib.')}.{alias.name}"
                           for node in ast.walk(code_of(chapter)) if isinstance(node, ast.ImportFrom)
                           for alias in node.names if node.module.startswith("lib.")})  # fmt: skip
    trees = {p: ast.parse(p.read_text("utf-8")) for p in (ROOT / "lib").rglob("*.py")}
    trees |= {p: ast.parse(p.read_text("utf-8")) for p in (ROOT / "chapters/models").rglob("*.py")}
    unshared = set()
    for module in CORE:
        path = ROOT / "lib" / f"{module}.py"
        for name in public(trees[path]):
            elsewhere = any(name in used(tree) for p, tree in trees.items() if p != path)
            if by_chapter[f"{module}.{name}"] < 2 and not elsewhere and name not in used(trees[path]):
                unshared.add(f"{module}.{name}")
    assert unshared == set(ONE_CHAPTER)


def public(tree: ast.Module) -> set[str]:
    return {name for name in defined(tree.body) if not name.startswith("_")}


def defined(body: list[ast.stmt]) -> list[str]:
    found = []
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.append(node.name)
        elif isinstance(node, ast.Assign):
            found += [n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)]
        elif isinstance(node, ast.AnnAssign):
            found.append(node.target.id)
    return found


def used(tree: ast.AST) -> set[str]:
    """Every name that is read, attribute that is asked for, and keyword that is given."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.keyword) and node.arg:
            found.add(node.arg)
    return found


BY_OTHERS = re.compile(r"__\w+__|_ipython_display_|visit_\w+|depart_\w+|handle_\w+")
"""Names that Python, IPython, docutils or the parser of HTML calls."""


def test_no_code_is_there_for_tests_alone():
    """Every function, class, method and constant is used by code that is not a test, or offered by a package."""
    sources = [p for folder in ("lib", "packages", "chapters", "bench") for p in (ROOT / folder).rglob("*.py")
               if "tests" not in p.parts]  # fmt: skip
    trees = {p: ast.parse(p.read_text("utf-8")) for p in sources}
    seen = set().union(*map(used, trees.values()), *(used(code_of(c)) for c in (ROOT / "chapters").glob("*.md")))
    offered = {name for p, tree in trees.items() if p.name == "__init__.py" for name in strings(tree)}
    templates = " ".join(p.read_text("utf-8") for p in ROOT.glob("packages/*/src/*/templates/*"))
    seen |= offered | set(re.findall(r"\w+", templates))
    alone = sorted(
        f"{path.relative_to(ROOT)}: {name}"
        for path, tree in trees.items()
        if path.parts[len(ROOT.parts)] != "bench"
        for name in members(tree)
        if name not in seen and not BY_OTHERS.fullmatch(name)
    )
    assert alone == []


def strings(tree: ast.Module) -> set[str]:
    return {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def members(tree: ast.Module) -> list[str]:
    """Names defined in a module and in its classes; not what a decorator registers, nor what a base class calls."""
    found = []
    for node in tree.body:
        decorated = getattr(node, "decorator_list", []) and isinstance(node, ast.FunctionDef)
        if not decorated:
            found += defined([node])
        if isinstance(node, ast.ClassDef) and not set(map(ast.unparse, node.bases)) & CALLED:
            found += [m.name for m in node.body if isinstance(m, ast.FunctionDef)]
    return found


CALLED = {"Domain", "HTMLParser", "SphinxTransform", "SphinxDirective", "SphinxRole", "Role", "Strict", "Writer",
          "rispy.RisWriter", "Protocol"}  # fmt: skip
"""Base classes whose methods others call."""


def test_code_is_written_as_the_formatter_does():
    """Of the chapters too, whose cells it reads in the notebooks."""
    places = ["lib", "packages", "chapters", "tests", "bench", "conftest.py"]
    ran = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--check", *places], cwd=ROOT, capture_output=True, text=True
    )
    how = "a chapter: `python3 -m lib format NAME`, then execute it; else `ruff format` of the file"
    assert ran.returncode == 0, f"{ran.stdout}{ran.stderr}{how}"


@pytest.mark.parametrize("path", sorted((ROOT / "chapters").glob("*.md")), ids=lambda path: path.stem)
def test_cells_are_short_and_ask_about_what_the_record_has(path):
    """What is longer is one statement: a table, a picture, or a function with a name."""
    assert list(roles.code(path)) == []
