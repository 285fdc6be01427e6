"""``sphinx-citable COMMAND``: tags, verification and editions of a Sphinx or Jupyter Book."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import SphinxError

from sphinx_citable import citable, editions
from sphinx_citable.registry import PENDING, RegistryError


def loaded(source: Path, folder: Path) -> Sphinx:
    """The book in ``source``, read but not written: by its ``conf.py``, or as a Jupyter Book by its ``_config.yml``."""
    given = {"srcdir": str(source), "outdir": str(folder), "doctreedir": str(folder / "doctrees")}
    given |= {"buildername": "dummy", "status": None, "warning": None, "freshenv": True}
    if (source / "conf.py").is_file():
        app = Sphinx(confdir=str(source), **given)
    elif (source / "_config.yml").is_file():
        from jupyter_book.config import get_final_config

        cli = {"latex_individualpages": False}  # which it takes out of what its own command line was given
        config, _ = get_final_config(user_yaml=source / "_config.yml", sourcedir=source, cli_config=cli)
        app = Sphinx(confdir=None, confoverrides=config, **given)
    else:
        raise RegistryError(f"{source} holds neither conf.py nor _config.yml: name the folder of a book")
    if "sphinx_citable" not in app.extensions:
        raise RegistryError(f"{source}: add sphinx_citable to the extensions in its configuration")
    app.build()
    return app


def tags(book, args) -> int:
    new = book.registry.assign((row["label"], row["kind"]) for row in book.rows if row["state"] == "live")
    for tag, label in new:
        print(f"{tag}  {label}")
    print(f"{len(new)} new tags" if new else "every label has its tag")
    return 0


def verify(book, args) -> int:
    said = book.registry.verify(book.rows, args.tag, *args.hashes)
    print(f"{args.tag}: {said}")
    return 0 if said.startswith("same text and results") else 1


def edition(book, args) -> int:
    moment = int(os.environ.get("SOURCE_DATE_EPOCH", "0")) or None
    date = (datetime.fromtimestamp(moment, UTC) if moment else datetime.now(UTC)).date().isoformat()
    book.registry.enter(book.rows, args.version, date)
    print(f"edition {args.version} is pending; build the site with {PENDING}={args.version}, then freeze it")
    return 0


def freeze(book, args) -> int:
    new = editions.freeze(book.registry, args.site, args.version, args.archive, book.rows)
    print(f"{new} new anchors locked\n{args.archive}")
    return 0


def unpack(book, args) -> int:
    print(f"unpacked: {', '.join(editions.unpack(book.registry, args.archives, args.site)) or 'none is released'}")
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="sphinx-citable", description=__doc__)
    top.add_argument("--source", type=Path, default=Path("."), help="the folder of the book (default: this one)")
    sub = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, function, text: str) -> argparse.ArgumentParser:
        p = sub.add_parser(name, help=text, description=text)
        p.set_defaults(function=function)
        return p

    command("tags", tags, "give every new label its permanent tag")
    p = command("verify", verify, "say what became of a cited part: same, changed, moved, withdrawn or unknown")
    p.add_argument("tag", metavar="TAG")
    p.add_argument("hashes", nargs="+", metavar="HASH", help="of its text, then of its results")
    p = command("edition", edition, "enter an edition: what every tag is now")
    p.add_argument("version")
    p = command("freeze", freeze, "write the archive of an edition from its built site, lock its anchors, release it")
    p.add_argument("version")
    p.add_argument("site", type=Path, help="the built site")
    p.add_argument("archive", type=Path, help="the zip to write")
    p = command("unpack", unpack, "put every released edition below the built site")
    p.add_argument("site", type=Path, help="the built site")
    p.add_argument("archives", type=Path, help="the folder of the archives")
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 done, 1 a citation no longer holds, 2 it cannot run."""
    args = parser().parse_args(argv)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return args.function(citable(loaded(args.source.resolve(), Path(folder))), args)
    except (RegistryError, SphinxError) as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
