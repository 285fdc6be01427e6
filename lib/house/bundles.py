"""One chapter as an archive that runs by itself: what its stamp says it used, and the tools to run it again."""

from __future__ import annotations

import io
import json
import zipfile
from functools import cache

from lib import ROOT
from lib.house import environment

TOOLS = (
    "lib/__init__.py", "lib/__main__.py", "lib/house/environment.py", "lib/house/execute.py", "lib/house/executed.py", "lib/house/rerun.py", "lib/records.py", "lib/words.py",
    "packages/whichdata/src/whichdata/__init__.py", "packages/whichdata/src/whichdata/printed.py",
    "data/counted.txt", "jupytext.toml", "CITATION.cff", "LICENSE", "LICENSE-text",
)  # fmt: skip
"""What runs and compares a chapter, whatever it uses itself, and what a copy must carry; the stamp names the rest."""
SET_UP = "python3 -m lib setup"
RUN = "python3 -m lib rerun"

_README = """# {title}

One chapter of *Interferon, Recomputed*, with everything its execution uses.
It needs Python {pythons} with its venv module, the network once for the packages of the lock, about 1 GB of disk
and a few minutes.

In this folder:

    {set_up}
    {run}

The first command makes an environment of its own in `.venv`; every package must have the hash that the lock gives it.
The second executes `chapters/{slug}.md` from its first cell and compares every byte with the notebook that came with
it, `chapters/{slug}.ipynb`. Where bytes differ it lists the printed figures that moved, and keeps its own notebook in
`_build/again/`.
On Windows write `py` for `python3`. To work in an editor of notebooks, let it run them with the Python of `.venv`.

To try something, change the text half and run the second command again: it lists what your change moves.

| folder | holds |
|---|---|
{rows}

Code: MIT (`LICENSE`). Prose and figures: CC BY 4.0 (`LICENSE-text`). To cite: `CITATION.cff`. Not medical advice.
"""
_HOLDS = {
    "chapters": "the text half, which is the source of the chapter, and the executed notebook{others}{models}",
    "data": "published figures used for context with their citations; judgements on them; stored draws",
    "lib": "the modules that the chapter imports, and those that execute and compare it",
    "packages": "the library that asks which data could have printed a figure",
    "seeds": "what the source printed: every claim with its figures",
}


def files(slug: str) -> dict[str, bytes]:
    """What the bundle of a chapter holds, by path within it, in order.

    Raises
    ------
    ValueError
        The chapter's notebook was never executed.
    """
    notebook = f"chapters/{slug}.ipynb"
    read = json.loads((ROOT / notebook).read_text("utf-8"))
    if "stamp" not in read["metadata"]:
        raise ValueError(f"{notebook} carries no stamp: run `python3 -m lib chapter {slug}`")
    names = {notebook, *read["metadata"]["stamp"], *TOOLS}
    if any(name.startswith("data/evidence/") for name in names):
        names.add("data/references.bib")  # what the rows of evidence refer to
    names = sorted(names)
    found = {name: (ROOT / name).read_bytes() for name in names}
    return {"README.md": _readme(slug, read, names).encode()} | found


def _readme(slug: str, notebook: dict, names: list[str]) -> str:
    heading = next(line for line in "".join(notebook["cells"][0]["source"]).splitlines() if line.startswith("# "))
    others = sum(name.endswith(".ipynb") for name in names) > 1
    folders = [folder for folder in _HOLDS if any(name.startswith(f"{folder}/") for name in names)]
    extra = {
        "others": "; those of the chapters it reads" if others else "",
        "models": "; the models it argues from" if any(name.startswith("chapters/models/") for name in names) else "",
    }
    rows = [f"| `{folder}/` | {_HOLDS[folder].format(**extra)} |" for folder in folders]
    told = {"slug": slug, "pythons": environment.RANGE, "set_up": SET_UP, "run": RUN, "rows": "\n".join(rows)}
    return _README.format(title=heading.removeprefix("# "), **told)


@cache
def zipped(slug: str) -> bytes:
    """The bundle as a zip with one folder, named as the chapter; the same files give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files(slug).items():
            entry = zipfile.ZipInfo(f"{slug}/{name}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o100644 << 16  # as from Unix, wherever it was made
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED, 9)
    return out.getvalue()
