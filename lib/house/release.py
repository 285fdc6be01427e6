"""An edition of the book: entered in the registry and in what describes the book, then frozen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import yaml

from lib import ROOT
from lib.house import accepted, execute
from lib.house.parts import REGISTRY, sections
from sphinx_citable import cite, editions, metadata
from sphinx_citable.registry import RegistryError

CONFIG = ROOT / "_config.yml"
DESCRIPTIONS = ("CITATION.cff", "codemeta.json", ".zenodo.json")
"""What hosts of code and archives read of the book at its top."""
CHANGELOG = ROOT / "CHANGELOG.md"
ERRATA = ROOT / "pages" / "errata.md"


def faults(version: str) -> list[str]:
    """All that keeps an edition from being released, a line each."""
    found = [f for half in execute.chapters() for f in (*execute.faults(half), *execute.stopped(half))]
    found += [f"{claim}: its verdict moved and is not accepted" for claim, *_ in accepted.moved()]
    ours = (f":!{name}" for name in (*DESCRIPTIONS, "registry/anchors.lock"))  # of a release that was interrupted
    if cite.git(ROOT, "status", "--porcelain", "--", ".", *ours):
        found.append("the tree holds what is not committed: an edition is of a commit")
    if f"\n## {version}\n" not in CHANGELOG.read_text("utf-8"):
        found.append(f"CHANGELOG.md has no heading {version}")
    last, errata = next(reversed(REGISTRY.editions()), None), ERRATA.read_text("utf-8") if ERRATA.is_file() else ""
    since = {move["claim"] for move in accepted.changes() if last and move["date"] >= last["date"]}
    found += [f"{claim}: its verdict moved since edition {last['version']}, and the errata do not say so"
              for claim in sorted(since) if claim not in errata]  # fmt: skip
    try:
        found += [f"label {row['label']} has no tag" for row in sections() if not row["tag"]]
    except RegistryError as error:
        found.append(str(error))
    try:
        REGISTRY.check_version(version)
    except RegistryError as error:
        found.append(str(error))
    return found


def open_edition(version: str) -> None:
    """Enter an edition as pending; the site is to be built for it.

    Raises
    ------
    RegistryError
        All that keeps it from being released.
    """
    if found := faults(version):
        raise RegistryError("\n".join(found))
    describe()  # anew, if a release was interrupted that had described itself
    REGISTRY.enter(sections(), version, accepted.today(), cite.git(ROOT, "rev-parse", "HEAD"))


def freeze(site: Path, version: str, folder: Path) -> tuple[int, Path]:
    """Release the pending edition from its built ``site``: how many anchors were new, and the archive. What was interrupted
    is done again from the start, for the entry in the registry is the last that is written.
    """
    describe(REGISTRY.entered(version))
    archive = folder / f"interferon-recomputed-{version}.zip"
    return editions.freeze(REGISTRY, site, version, archive, sections()), archive


def book(edition: dict | None = None) -> cite.Book:
    """The book as ``_config.yml`` has it, in an ``edition``: the last, once one is released, if none is given."""
    config = yaml.safe_load(CONFIG.read_text("utf-8"))
    given = cite.SET | {"language": "en", "root_doc": "index"} | config["sphinx"]["config"]
    given |= {"author": config["author"], "html_theme_options": {"repository_url": config["repository"]["url"]}}
    of = edition or next(reversed(REGISTRY.editions()), {"version": "", "date": ""})
    return replace(cite.Book.of(SimpleNamespace(**given), ROOT), edition=of["version"], date=of["date"])


def describe(edition: dict | None = None) -> None:
    """Write ``DESCRIPTIONS`` of the book in an ``edition``, as ``book`` takes it."""
    metadata.write(ROOT, book(edition), *DESCRIPTIONS)
