"""The bundle of each chapter: complete, the same at every build, and running by itself in an empty folder."""

import html
import io
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile

import nbformat
import pytest
from bs4 import BeautifulSoup

from lib import FIGURE, ROOT
from lib.book import downloads
from lib.house import bundles, execute, rerun
from tests.lib.book.pages import ABSENT, SITE, elsewhere, read
from tests.lib.small import HEAD

SLUGS = [half.stem for half in execute.chapters()]
EXECUTED = ["synthesis", "cml-stopping"]
"""Executed here: the one that reads other chapters, and the cheapest that reads data. The others by their parts."""
built = pytest.mark.skipif(not (SITE / "index.html").is_file(), reason=ABSENT)


def ran(folder, *args):
    """Run Python in a folder that knows nothing of this checkout but its installed packages."""
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHASHSEED")}
    return subprocess.run([sys.executable, *args], cwd=folder, env=env, capture_output=True, text=True)


@pytest.fixture(params=SLUGS)
def slug(request):
    return request.param


def unzipped(slug, folder):
    """The one folder that the bundle makes in an empty folder."""
    with zipfile.ZipFile(io.BytesIO(bundles.zipped(slug))) as archive:
        archive.extractall(folder)
    assert [p.name for p in folder.iterdir()] == [slug]
    return folder / slug


def test_the_same_files_give_the_same_bytes(slug):
    code = f"import sys; from lib.house import bundles; sys.stdout.buffer.write(bundles.zipped({slug!r}))"
    env = os.environ | {"PYTHONPATH": str(ROOT), "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"}
    code = f"import os; os.umask(0o077); {code}"
    again = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, cwd=ROOT)
    assert again.stdout == bundles.zipped(slug)
    with zipfile.ZipFile(io.BytesIO(again.stdout)) as archive:
        entries = archive.infolist()
    assert {e.date_time for e in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {stat.filemode(e.external_attr >> 16) for e in entries} == {"-rw-r--r--"}
    names = [e.filename for e in entries]
    assert names[0] == f"{slug}/README.md" and names[1:] == sorted(names[1:])


def test_a_bundle_holds_what_its_chapter_used_and_no_more(slug):
    names = set(bundles.files(slug))
    stamp = json.loads((ROOT / "chapters" / f"{slug}.ipynb").read_text("utf-8"))["metadata"]["stamp"]
    assert set(stamp) <= names and f"chapters/{slug}.ipynb" in names
    works = {"data/references.bib"} if any(name.startswith("data/evidence/") for name in stamp) else set()
    assert names == {"README.md", f"chapters/{slug}.ipynb", *stamp, *bundles.TOOLS} | works
    assert not [n for n in names if n.startswith(("registry/", "lib/book/", "tests/"))]


ALONE = """
import importlib, sys
from lib import PATHS
sys.path[:0] = PATHS
print(*(importlib.import_module(m).__file__ for m in sys.argv[1:]), sep="\\n")
from lib.__main__ import main
print(int(main(["gate"])), main(["tags"]))
"""


@pytest.mark.parametrize("slug", [pytest.param(s, marks=[] if s in EXECUTED else pytest.mark.slow) for s in SLUGS])
def test_every_module_is_found_and_every_stamp_holds_without_the_book(slug, tmp_path):
    here = unzipped(slug, tmp_path)
    paths = (p.relative_to(here).with_suffix("") for p in sorted(here.rglob("*.py")))
    names = (".".join(p.parts).removeprefix("packages.whichdata.src.") for p in paths)
    modules = [name.removesuffix(".__init__") for name in names]
    alone = ran(here, "-c", ALONE, *modules)
    *files, gate, codes = alone.stdout.splitlines() or ["", ""]
    told = alone.stdout + alone.stderr
    assert len(files) == len(modules) and all(f.startswith(f"{here}{os.sep}") for f in files), told
    assert (gate, codes) == ("1 chapters: pairs agree, stamps hold", "0 2"), told
    assert alone.stderr == "this folder holds one chapter, not what `tags` works on: get the whole book\n"


def test_the_two_commands_are_told_and_the_lock_is_ours(slug):
    files = bundles.files(slug)
    commands = re.findall(r"^    (.+)$", files["README.md"].decode(), re.MULTILINE)
    assert commands == [bundles.SET_UP, bundles.RUN]
    lock = files["requirements.txt"].decode()
    assert lock.encode() == (ROOT / "requirements.txt").read_bytes()
    pinned = re.findall(r"^[a-z0-9][^ =]*==\S+", lock, re.MULTILINE | re.IGNORECASE)
    assert len(pinned) > 50 and lock.count("--hash=sha256:") >= len(pinned) and "file:" not in lock


@pytest.mark.parametrize("slug", EXECUTED)
def test_a_bundle_executes_again_to_the_same_bytes(slug, tmp_path):
    here = unzipped(slug, tmp_path)
    committed = (ROOT / "chapters" / f"{slug}.ipynb").read_bytes()
    again = ran(here, *bundles.RUN.split()[1:])
    same = rf"{slug}: executed in \d+ s; the same notebook, byte for byte\n"
    assert again.returncode == 0 and re.fullmatch(same, again.stdout), again.stdout + again.stderr
    assert (here / "chapters" / f"{slug}.ipynb").read_bytes() == committed


def test_a_bundle_without_a_module_it_needs_fails(tmp_path):
    """What the tests above would say of an incomplete bundle."""
    here = unzipped("cml-stopping", tmp_path)
    (here / "packages" / "whichdata" / "src" / "whichdata" / "ranks.py").unlink()
    gate = ran(here, "-m", "lib", "gate")
    assert gate.returncode == 1 and "packages/whichdata/src/whichdata/ranks.py" in gate.stdout
    assert ran(here, *bundles.RUN.split()[1:]).returncode == 2


PLAIN = (
    HEAD
    + """
# No figure, no review

```{code-cell} ipython3
1 + 1
```
"""
)


def test_the_bundle_of_a_chapter_that_draws_and_judges_nothing_runs(tmp_path, monkeypatch):
    """It uses no module of ours, so that its stamp names none; what executes and compares it comes with it all the same."""
    whole = tmp_path / "whole"
    for name in (*bundles.TOOLS, "requirements.txt"):
        (whole / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, whole / name)
    (whole / "chapters").mkdir()
    (whole / "chapters" / "plain.md").write_text(PLAIN)
    executed = ran(whole, "-m", "lib", "run")
    assert executed.returncode == 0, executed.stderr
    monkeypatch.setattr(bundles, "ROOT", whole)
    (tmp_path / "empty").mkdir()
    here = unzipped("plain", tmp_path / "empty")
    shutil.rmtree(whole)
    again = ran(here, *bundles.RUN.split()[1:])
    assert again.returncode == 0 and "the same notebook, byte for byte" in again.stdout, again.stdout + again.stderr


def test_a_notebook_that_was_never_executed_has_no_bundle(tmp_path, monkeypatch):
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "x.ipynb").write_text('{"cells": [], "metadata": {}}')
    monkeypatch.setattr(bundles, "ROOT", tmp_path)
    with pytest.raises(ValueError, match="carries no stamp: run `python3 -m lib chapter x`"):
        bundles.files("x")


@built
def test_the_site_offers_notebook_and_bundle(slug):
    path = SITE / "chapters" / f"{slug}.html"
    page = read(path)
    notebook = downloads.reading(f"chapters/{slug}").encode()
    for suffix, wanted in (("ipynb", notebook), ("zip", bundles.zipped(slug))):
        assert page.links.count(f"../downloads/{slug}.{suffix}") == 2
        assert (SITE / "downloads" / f"{slug}.{suffix}").read_bytes() == wanted
    assert "re-execute" in page.ids and page.links.count("#re-execute") == 1


def words(notebook):
    return "\n\n".join("".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown")


def code(notebook):
    return [c for c in notebook["cells"] if c["cell_type"] == "code"]


def test_a_reading_copy_has_no_raw_role_directive_or_label_and_the_chapters_own_code_and_outputs(slug):
    copy = json.loads(downloads.reading(f"chapters/{slug}"))
    committed = json.loads((ROOT / "chapters" / f"{slug}.ipynb").read_text("utf-8"))
    nbformat.validate(copy)
    raw = re.findall(r"\{[a-z:-]+\}`.*|^(?:`{3,}|:{3,})\{.*|^\([\w-]+\)=.*|^:[a-z-]+: .*", words(copy), re.MULTILINE)
    assert raw == [] and copy["metadata"][execute.READING] == slug
    labels = re.findall(r"^\(([\w-]+)\)=", words(committed), re.MULTILINE)
    anchors = re.findall(r'<a id="([\w-]+)">', downloads.reading(f"chapters/{slug}").replace('\\"', '"'))
    assert set(labels) <= set(anchors) and len(anchors) == len(set(anchors))
    assert set(re.findall(r"\]\(#([\w-]+)\)", words(copy))) <= set(anchors), "each link arrives"
    assert "".join(code(copy)[0]["source"]).endswith("".join(code(committed)[0]["source"]))
    assert ["".join(c["source"]) for c in code(copy)[1:]] == ["".join(c["source"]) for c in code(committed)[1:]]
    assert rerun.moved(committed, copy) == []
    shown = [o["data"]["text/html"] for c in code(copy) for o in c["outputs"] if FIGURE in o.get("data", {})]
    assert all("<img alt=" in page and "data:image/svg+xml" in page for page in shown), "images need no trust"


@built
def test_a_reading_copy_says_what_the_page_says(slug):
    """Held against the page, which Sphinx makes of the same roles: every figure of ours and of the source, in order."""
    text = words(json.loads(downloads.reading(f"chapters/{slug}")))
    page = BeautifulSoup((SITE / "chapters" / f"{slug}.html").read_text("utf-8"), "html.parser").select_one("main")
    for unseen in page.select(".hidden"):
        unseen.decompose()
    for tag, css in (("b", "span.recomputed[data-of]"), ("i", "p a.reported, td a.reported, li a.reported")):
        seen = [" ".join(x.text.split()) for x in page.select(css)]
        told = [" ".join(html.unescape(x).split()) for x in re.findall(rf"<{tag}>(.*?)</{tag}>", text)]
        assert [x for x in told if not x.startswith("figures ")] == seen


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["", "chapters"])
def test_a_reading_copy_runs_in_the_folder_of_the_bundle(folder, tmp_path):
    slug = "cml-stopping"
    here = unzipped(slug, tmp_path) / folder
    (here / "mine.ipynb").write_text(downloads.reading(f"chapters/{slug}"), "utf-8")
    run = "import nbclient, nbformat; nb = nbformat.read('mine.ipynb', 4); nb.cells.append(nbformat.v4.new_code_cell('import lib; print(lib.__file__)'))"
    run += "; nbclient.NotebookClient(nb, timeout=600).execute(); nbformat.write(nb, 'mine.ipynb')"
    done = ran(here, "-c", run)
    assert done.returncode == 0, done.stderr[-2000:]
    mine = json.loads((here / "mine.ipynb").read_text("utf-8"))
    assert str(tmp_path) in "".join(code(mine)[-1]["outputs"][0]["text"]), "the modules of the bundle"
    assert rerun.moved(json.loads((ROOT / "chapters" / f"{slug}.ipynb").read_text("utf-8")), mine) == []
    assert rerun.slug(mine, "mine.ipynb") == slug


BINDER = "https://mybinder.org/v2/{}/main?labpath=chapters%2Fx.ipynb"
COLAB = "https://colab.research.google.com/github/group/book/blob/main/chapters/x.ipynb"
HOSTS = [
    ("", {}),
    ("https://github.com/group/book", {"Binder": BINDER.format("gh/group/book"), "Colab": COLAB}),
    ("https://gitlab.com/group/part/book.git", {"Binder": BINDER.format("gl/group%2Fpart%2Fbook")}),
    ("https://code.example/book/", {"Binder": BINDER.format("git/https%3A%2F%2Fcode.example%2Fbook")}),
]


@pytest.mark.parametrize(("repository", "services"), HOSTS)
def test_services_follow_from_the_repository(tmp_path, repository, services):
    assert downloads.hosted(repository, "main", "x") == services
    path = tmp_path / "page.html"
    path.write_text(f"<main>{downloads.tiers('x', {'ipynb': 10**6, 'zip': 10**5}, repository, 'main')}</main>")
    page = read(path)
    outside = [link for link in page.links if elsewhere(link)]
    assert outside == [*services.values(), *([repository] if repository else [])]
    assert ("Binder" in page.text, "Colab" in page.text) == ("Binder" in services, "Colab" in services)
    assert ".ipynb, 1,000 kB" in page.text and ".zip, 100 kB" in page.text
