"""An edition of the book: entered in the registry and in ``CITATION.cff``, then frozen."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import yaml

from lib import ROOT
from lib.house import execute
from lib.house.parts import REGISTRY, sections
from sphinx_citable import editions
from sphinx_citable.registry import RegistryError

CONFIG = ROOT / "_config.yml"
CFF = ROOT / "CITATION.cff"


def today() -> str:
    """The day on which something enters the registry: that of ``SOURCE_DATE_EPOCH``, else this one."""
    moment = int(os.environ.get("SOURCE_DATE_EPOCH", "0")) or None
    return (datetime.fromtimestamp(moment, UTC) if moment else datetime.now(UTC)).date().isoformat()


def open_edition(version: str) -> Path:
    """Enter an edition; the site is to be built after it.

    Raises
    ------
    RegistryError
        A version that is no version, is not later than the last, or exists; or a chapter that stopped.
    """
    if stopped := [line for half in execute.chapters() for line in execute.stopped(half)]:
        raise RegistryError("\n".join(stopped))
    path = REGISTRY.enter(sections(), version, today())
    CFF.write_text(citation_cff(), "utf-8")
    return path


def freeze(site: Path, version: str, folder: Path) -> tuple[int, Path]:
    """Lock the anchors of the built ``site`` and write its archive: how many anchors were new, and the archive."""
    rows = sections()
    archive = editions.freeze(site, version, folder / f"interferon-recomputed-{version}.zip", rows)
    return editions.lock(REGISTRY, site, rows), archive


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
