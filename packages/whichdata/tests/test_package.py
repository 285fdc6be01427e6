"""What a stranger gets: a package that stands alone, loads quickly, and runs from its wheel in an empty environment."""

import ast
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from test_checks_counts import EXAMPLES

import whichdata

PACKAGE = Path(__file__).parents[1]
SOURCES = sorted((PACKAGE / "src").rglob("*.py"))
LOCK = PACKAGE.parents[1] / "requirements.txt"
MAY_IMPORT = {"whichdata", "numpy", "scipy", "statsmodels"}


def imported(tree: ast.AST) -> set[str]:
    """The packages that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_a_module_imports_its_dependencies_alone(path):
    found = imported(ast.parse(path.read_text("utf-8")))
    assert found <= MAY_IMPORT | sys.stdlib_module_names


def test_every_public_name_is_there():
    assert all(getattr(whichdata, name) is not None for name in whichdata.__all__)
    assert set(whichdata.__all__) <= set(dir(whichdata))
    with pytest.raises(AttributeError, match="no attribute 'lib'"):
        whichdata.lib  # noqa: B018
    from whichdata import design  # a module is no name of the list, and can be imported all the same

    assert design.__name__ == "whichdata.design"


def test_the_package_and_printed_numbers_load_without_numpy():
    loaded = "import sys, whichdata; whichdata.Printed; print({'numpy', 'scipy', 'statsmodels'} & {*sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", loaded],
        env=os.environ | {"PYTHONPATH": str(PACKAGE / "src")},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().strip() == "set()"


# -- the wheel -------------------------------------------------------------------------------------------------------


def run(*command, **options) -> str:
    """What a command prints, run without the paths of this process."""
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        list(map(str, command)), env=clean, capture_output=True, encoding="utf-8", check=False, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built by the setuptools of this environment from a copy of the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = shutil.copytree(
        PACKAGE, folder / "source", ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    )
    run(sys.executable, "-c", "from setuptools import build_meta; build_meta.build_wheel('..')", cwd=copy)
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_holds_the_modules_and_what_goes_with_them(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    here = [str(path.relative_to(PACKAGE / "src")) for path in (PACKAGE / "src").rglob("*") if path.is_file()]
    expected = [name for name in here if "__pycache__" not in name and ".egg-info" not in name]
    inside = [name for name in names if not name.startswith(f"whichdata-{whichdata.__version__}.dist-info/")]
    assert sorted(inside) == sorted(expected)
    assert f"whichdata-{whichdata.__version__}.dist-info/licenses/LICENSE" in names


@pytest.mark.slow
def test_the_wheel_runs_in_an_empty_environment(wheel, tmp_path):
    """Installed with its dependencies at the versions of the lock, and used from a folder outside the repository."""
    venv, uv = tmp_path / "venv", shutil.which("uv")
    python = venv / ("Scripts" if os.name == "nt" else "bin") / "python"
    pinned = tmp_path / "constraints.txt"
    # without the hashes, for pip wants one for the wheel as well where there is any
    pinned.write_text(re.sub(r"\s*\\\n\s*--hash=\S+", "", LOCK.read_text("utf-8")) if LOCK.exists() else "")
    run(*([uv, "venv", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]), venv)
    pip = [uv, "pip"] if uv else [python, "-m", "pip"]
    target = ["--python", python] if uv else []
    run(*pip, "install", *target, "--only-binary", ":all:", "-c", pinned, wheel)
    run(*pip, "check", *target)

    away = {"cwd": tmp_path}
    where = run(python, "-c", "import whichdata; print(whichdata.__file__, whichdata.__version__)", **away)
    assert where.startswith(str(venv)) and where.split()[-1] == whichdata.__version__
    command = python.with_name("whichdata")
    assert run(command, "--version", **away).split() == ["whichdata", whichdata.__version__]
    asked = EXAMPLES.read_text("utf-8")
    assert run(command, "check", input=asked, **away).splitlines() == list(whichdata.answers(asked.splitlines()))
