"""An edition of the book: entered in the registry and in ``CITATION.cff``, then frozen."""

from __future__ import annotations

from pathlib import Path

import yaml

from lib import ROOT
from lib.house import accepted, execute
from lib.house.parts import REGISTRY, sections
from sphinx_citable import cite, editions
from sphinx_citable.registry import RegistryError

CONFIG = ROOT / "_config.yml"
CFF = ROOT / "CITATION.cff"
CHANGELOG = ROOT / "CHANGELOG.md"
ERRATA = ROOT / "pages" / "errata.md"


def faults(version: str) -> list[str]:
    """All that keeps an edition from being released, a line each."""
    found = [f for half in execute.chapters() for f in (*execute.faults(half), *execute.stopped(half))]
    found += [f"{claim}: its verdict moved and is not accepted" for claim, *_ in accepted.moved()]
    if cite.git(ROOT, "status", "--porcelain"):
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
    REGISTRY.enter(sections(), version, accepted.today(), cite.git(ROOT, "rev-parse", "HEAD"))


def freeze(site: Path, version: str, folder: Path) -> tuple[int, Path]:
    """Release the pending edition from its built ``site``: how many anchors were new, and the archive. What was interrupted
    is done again from the start.
    """
    archive = folder / f"interferon-recomputed-{version}.zip"
    new = editions.freeze(REGISTRY, site, version, archive, sections())
    execute.write(CFF, citation_cff())
    return new, archive


def citation_cff() -> str:
    """What ``CITATION.cff`` is to say: the book as ``_config.yml`` has it, with its last edition once one is released."""
    config = yaml.safe_load(CONFIG.read_text("utf-8"))
    ours, authors = config["sphinx"]["config"], []
    last = next(reversed(REGISTRY.editions()), {"version": "", "date": ""})
    for name in filter(None, (n.strip() for n in config["author"].split(";"))):
        family, comma, given = (part.strip() for part in name.partition(","))
        authors.append({"family-names": family, "given-names": given} if comma else {"name": name})
    entries = {
        "cff-version": "1.2.0",
        "message": "If you use this book, cite the section you used; its citation stands beside its heading.",
        "type": "dataset",
        "title": config["title"],
        "abstract": ours["citable_abstract"],
        "authors": authors,
        "license": "CC-BY-4.0",
        "version": last["version"],
        "date-released": last["date"],
        "url": ours["site_url"],
        "repository-code": config["repository"]["url"],
    }
    return yaml.safe_dump({k: v for k, v in entries.items() if v}, sort_keys=False, allow_unicode=True, width=120)
