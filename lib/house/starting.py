"""An empty book on another topic: this one's code, with pages, tables and tests of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from string import Template

from lib import ROOT, evidence
from lib.house.adding import TEMPLATES

CODE = ("lib", "packages", "_static")
FILES = ("Makefile", "jupytext.toml", "LICENSE", "LICENSE-text", "requirements*.in", "requirements*.txt")
TABLES = {"certainty": "chapter,outcome,says,domain,judgement,reason", "bias": "chapter,study,tool,domain,judgement,reason",
          "appraisal": ",".join(evidence.APPRAISAL), "search": f"what,date\nlast searched,{date.today()}"}  # fmt: skip


def start(folder: Path, title: str, author: str) -> None:
    """Write an empty book of that title into a new folder.

    Raises
    ------
    ValueError
        There is something in the folder.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder}: not empty; name a new folder")
    shutil.copytree(TEMPLATES / "book", folder, dirs_exist_ok=True)
    for name in ("index.md", "README.md"):
        path = folder / name
        path.write_text(Template(path.read_text("utf-8")).safe_substitute(title=title), "utf-8", newline="\n")
    for name in CODE:
        never = ("__pycache__", "*.egg-info", *(["tests"] if name == "packages" else []))
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(*never))
    for pattern in FILES:
        for path in ROOT.glob(pattern):
            shutil.copy(path, folder / path.name)
    for name, rows in TABLES.items():
        (folder / "data" / f"{name}.csv").write_text(rows + "\n", "utf-8", newline="\n")
    (folder / "_config.yml").write_text(_config(title, author), "utf-8", newline="\n")
    command = [sys.executable, "-m", "lib"]
    for step in ("cff", "tags"):
        subprocess.run([*command, step], cwd=folder, check=True, capture_output=True)


def _config(title: str, author: str) -> str:
    """This book's configuration with another title and people, and nothing said of either."""
    text = (ROOT / "_config.yml").read_text("utf-8")
    said = {"title": title, "project": title, "author": author, "citable_abstract": f"{title}: executable reviews.",
            **dict.fromkeys(("site_url", "contributors", "funding", "interests", "contact", "url"), "")}  # fmt: skip
    for key, words in said.items():
        quoted = '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'
        text = re.sub(rf"(?m)^( *{key}: ).*$", lambda m: m[1] + quoted, text)
    return text
