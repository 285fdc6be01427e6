"""``python3 -m lib COMMAND``: a thin command line over the rooms of ``lib``."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
from pathlib import Path

from lib import PATHS, ROOT

sys.path[:0] = [path for path in PATHS if path not in sys.path]  # a bundle has no path file

FEW = 3
"""Results that can be named within a line."""


def setup(args) -> int:
    from lib.house import environment

    environment.note_paths()
    print(f"ready: {sys.prefix}")
    return 0


def book(args) -> int:
    args.names, args.force = [], False
    run(args)
    site(args)
    print(f"The book: {(ROOT / '_build' / 'html' / 'index.html').as_uri()}")
    return 0


def site(args) -> int:
    from lib.house import building

    building.site()
    return 0


def test(args) -> int:
    print("Gate: pairs and stamps ...", flush=True)
    if gate(args):
        return 1
    site(args)
    print("Tests: units, records, every output of every chapter, the built site ...", flush=True)
    return _python("-m", "pytest", "-q", "-m", "not slow")


def test_long(args) -> int:
    return _python("-m", "pytest", "-q", "-m", "slow")


def _python(*args: str) -> int:
    """Run another program of this environment in the book's folder; its exit code."""
    import subprocess

    env = os.environ | {"PYTHONPATH": os.pathsep.join(PATHS)}
    return subprocess.run([sys.executable, *args], cwd=ROOT, env=env).returncode


def chapter(args) -> int:
    args.names, args.force = [args.name], True
    return run(args)


def lab(args) -> int:
    """JupyterLab on the chapters: it opens text halves as notebooks, and asks nobody for news."""
    settings = ROOT / "lib" / "house" / "lab"
    options = ["--ServerApp.root_dir=chapters", f"--LabApp.app_settings_dir={settings}"]
    return _python("-m", "jupyterlab", *options)


def bench(args) -> int:
    site(args)
    for path in sorted((ROOT / "bench").glob("bench_*.py")):
        print(f"== {path.relative_to(ROOT).as_posix()}", flush=True)
        code = _python(str(path))
        if code:
            return code
    return 0


def serve(args) -> int:
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    book(args)
    pages = partial(SimpleHTTPRequestHandler, directory=ROOT / "_build" / "html")
    try:
        server = ThreadingHTTPServer(("127.0.0.1", 8000), pages)
    except OSError:  # someone has that one
        server = ThreadingHTTPServer(("127.0.0.1", 0), pages)
    print(f"http://127.0.0.1:{server.server_port} (Ctrl-C ends it)", flush=True)
    server.serve_forever()


def lock(args) -> int:
    from lib.house import environment

    environment.lock(args.upgrade)
    return 0


def clean(args) -> int:
    import shutil

    for name in ("_build", ".pytest_cache"):
        shutil.rmtree(ROOT / name, ignore_errors=True)
    return 0


def verify_sources(args) -> int:
    from lib import records, relations
    from lib.house import census

    faults, wanted = [], [args.source] if args.source else records.slugs()
    for slug in wanted:
        try:
            record = records.record(slug)
            faults += census.verify(record, args.folder)
            for (claim, role), why in relations.impossible(record).items():
                printed = record[claim].figure(role).printed
                print(f"{slug}.yml: {claim}: figures.{role}: {printed}, as printed, cannot be: {why}")
        except FileNotFoundError as error:
            print(error, file=sys.stderr)
            return 2
    for fault in faults:
        print(fault)
    if not faults:
        print(f"{len(wanted)} records agree with their texts")
    return bool(faults)


def census(args) -> int:
    from lib import records
    from lib.house import census

    wanted = [args.source] if args.source else records.slugs()
    short = 0
    for slug in wanted:
        record = records.record(slug)
        path = args.folder / record.source.file
        if not path.is_file():
            print(
                f"no text {record.source.file} in {args.folder}: put the source texts there, or name their folder",
                file=sys.stderr,
            )
            return 2
        found = census.census(record, path.read_text("utf-8"))
        claims = sum(who.startswith(record.source.prefix) for _, who, _ in found.rows)
        print(
            f"{slug}: {claims} numerals in {len(record.claims)} claims, {len(found.rows) - claims} not claims, {len(found.unaccounted)} unaccounted"
        )
        for fault in found.faults:
            print(f"  {fault}")
        for n in found.unaccounted:
            print(f"  unaccounted: {n.printed!r}, paragraph {n.par}, characters {n.start}–{n.end}")
        if args.rows:
            for n, who, what in found.rows:
                print(f"  {n.par}:{n.start}–{n.end}  {n.printed:<12} {who} {what}")
        short += len(found.unaccounted) + len(found.faults)
    return bool(short)


def new(args) -> int:
    from lib.house import adding

    written = adding.new(args.name, args.prefix, args.text)
    print(*written, "next: `python3 -m lib gate` says what is left", sep="\n")
    return 0


def renumber(args) -> int:
    from lib.house import adding

    moved = adding.renumber(args.name)
    print(*(f"{old} → {new}" for old, new in moved.items()), f"{len(moved)} claims have new numbers", sep="\n")
    return 0


def locate(args) -> int:
    from lib.house import adding

    found = adding.locate(args.file, args.phrases)
    for phrase, places in found.items():
        print(*(f"{place}  # {phrase}" for place in places or ["not in the text"]), sep="\n")
    return 0 if all(found.values()) else 1


def skeleton(args) -> int:
    from lib import records
    from lib.house import execute, skeletons

    text = (args.folder / records.record(args.name).source.file).read_text("utf-8")
    execute.write(skeletons.path(args.name), skeletons.text(text))
    return 0


def audit(args) -> int:
    from lib import records
    from lib.house import audit

    record = records.record(args.name)
    found = audit.audit(record)
    if args.cells:
        print(audit.cells(record, found))
        return 0
    print(*found, "the calls want:", *(f"  {line}" for line in audit.imports(one.call for one in found)), sep="\n")
    kept, shares, rule = audit.rounding(record)
    told = ", ".join(f"{name} {n}" for name, n in kept.items()) if shares else "none can tell"
    print(
        f"rounding: of {shares} shares of printed counts {told}; the book takes it to be {rule}, and nothing is to be entered"
    )
    odds = sum(one.odds for one in found)
    print(f"{len(found)} findings, {odds} of them at odds (!)")
    return bool(odds)


def start(args) -> int:
    from lib.house import starting

    starting.start(args.folder, args.title, args.author)
    print(f"{args.folder}: an empty book; `make book` and `make test` there are green, `make new` begins a review")
    return 0


def check(args) -> int:
    from whichdata.checks import answers

    if sys.stdin.isatty():
        print("a check a line, as `python -m whichdata check --help` says; Ctrl-D ends it", file=sys.stderr)
    for line in answers(sys.stdin):
        print(line, flush=True)
    return 0


def run(args) -> int:
    from lib.house import execute, executed, rerun

    halves = [execute.chapter(n) for n in args.names] if args.names else execute.chapters()

    def roles(check: str, of) -> None:
        if of and (ROOT / "registry").is_dir():  # a bundle has none
            from lib.house import roles

            getattr(roles, check)(of)

    done = execute.run(halves, args.force, lambda due: roles("before", due))
    found = {name: rerun.moved(before, executed.chapter(name)) for name, before in done.items() if before}
    moves = [move for of_one in found.values() for move in of_one]
    if found:  # what is executed for the first time moves nothing
        where = ", ".join(f"chapters/{name}.ipynb" for name, of_one in found.items() if of_one)
        told = f"{rerun.counted(moves)} (`python3 -m lib diff` lists them: {where})" if moves else "nothing"
        print(f"moved: {told}")
    roles("after", done)
    return 0


def take(args) -> int:
    from lib.house import execute

    print(execute.take(execute.chapter(args.name)))
    return 0


def format_(args) -> int:
    from lib.house import execute, roles

    half = execute.chapter(args.name)
    print(execute.formatted(half), *(fault for fault, _ in roles.code(half)), sep="\n")
    return 0


def gate(args) -> int:
    from lib.house import execute, executed

    faults = [f for half in execute.chapters() for f in (*execute.faults(half), *execute.stopped(half))]
    if (ROOT / "registry").is_dir():  # a bundle has none
        from lib import records, relations
        from lib.house import adding, roles, skeletons, typed

        faults += adding.left()
        faults += [fault for slug in records.slugs() for fault in skeletons.faults(slug)]
        faults += [f"{s}.yml: {fault}" for s in records.slugs() for fault in relations.unexplained(records.record(s))]
        faults += [fault for slug in records.slugs() for fault in adding.odd_units(records.record(slug))]
        faults += [fault for half in execute.chapters() for fault, _ in roles.code(half)]
        faults += [fault for page, _ in executed.contents() for fault in roles.faults(page)]
        faults += typed.faults()
    for fault in faults:
        print(fault)
    if not faults:
        print(f"{len(execute.chapters())} chapters: pairs agree, stamps hold")
    return bool(faults)


def diff(args) -> int:
    from lib.house import rerun

    moves = rerun.diff(args.notebook)
    _tell(moves, args.rows)
    print(f"moved: {rerun.counted(moves)}" if moves else "no printed figure moved")
    return bool(moves)


def _tell(moves, rows: bool) -> None:
    """A line for each verdict, value, table or figure that moved, or for each row of it."""
    for move in moves:
        print(*(move.rows if rows else [move.line]), sep="\n")


def rerun(args) -> int:
    from lib.house import execute, rerun

    halves = [execute.chapter(n) for n in args.names] if args.names else execute.chapters()
    moves = [move for half in halves for move in rerun.rerun(half)]
    _tell(moves, args.rows)
    return bool(moves)


def sample(args) -> int:
    from importlib import import_module

    import_module(f"chapters.models.{args.name.replace('-', '_')}.draws").sample(args.name, args.minutes)
    return 0


def tags(args) -> int:
    from lib.house.parts import REGISTRY, parts
    from sphinx_citable.registry import checked

    new = REGISTRY.assign((part.label, part.kind) for part in checked(parts()))
    for tag, label in new:
        print(f"{tag}  {label}")
    print(f"{len(new)} new tags" if new else "every label has its tag")
    return 0


def verify(args) -> int:
    from lib.house.parts import REGISTRY, sections

    said = REGISTRY.verify(sections(), args.tag, *args.hashes)
    listed = re.search(r"(results changed \(|it now prints )([^;)]+)\)", said)
    names = listed[2].split(", ") if listed else []
    if len(names) <= FEW:
        print(f"{args.tag}: {said}")
    else:
        print(f"{args.tag}: {said.replace(listed[2], f'{len(names)} results')}")
        if args.rows or "changed" in listed[1]:
            print(*(f"  {name}" for name in names), sep="\n")
    return 0 if said.startswith("same text and results") else 1


def edition(args) -> int:
    from lib.house import release

    if not args.freeze:
        release.open_edition(args.version)
        print(f"edition {args.version} is pending")
        return 0
    new, archive = release.freeze(ROOT / "_build" / "html", args.version, ROOT / "dist")
    print(f"{new} new anchors locked")
    print(archive.relative_to(ROOT))
    return 0


def unpack(args) -> int:
    from lib.house.parts import REGISTRY
    from sphinx_citable import editions

    found = editions.unpack(REGISTRY, ROOT / "dist", ROOT / "_build" / "html")
    print(f"unpacked: {', '.join(found) or 'no edition is released'}")
    return 0


def print_(args) -> int:
    from lib.house import printing

    site(args)
    pages = ROOT / "_build" / "html"
    for made in (printing.epub(pages), printing.handout(pages)):
        print(made.relative_to(ROOT))
    printing.announce(pages)
    return 0


def cff(args) -> int:
    from lib.house import release

    release.describe()
    return 0


def verdicts(args) -> int:
    from lib.house import accepted

    moved = accepted.moved()
    for claim, before, now in moved:
        print(f"{claim}: {before or 'not judged'} → {now or 'not judged'}")
    if args.accept:
        accepted.accept()
        print(f"{len(moved)} verdicts accepted")
        return 0
    if not moved:
        print("no verdict moved")
    return bool(moved)


def ledger(args) -> int:
    from collections import Counter

    from lib import review
    from lib.house import executed

    rows = [r for r in executed.ledger() if args.source in (None, r["source"])]
    for row in rows:
        print(review.row_text(row))
    for what in ("verdict_figures", "verdict_conclusion"):
        counts = Counter(r[what] for r in rows if r[what])
        print(f"{what.replace('_', ' on ')}: " + ", ".join(f"{n} {v}" for v, n in counts.most_common()))
    counts = Counter(r["later"]["verdict"] for r in rows if r["later"])
    print("later evidence: " + ", ".join(f"{n} {v}" for v, n in counts.most_common()))
    return 0


def _one_of(folder: str, pattern: str, what: str):
    """A reader of names: of a file in ``folder`` or its path, as tab completion gives it; and the names there are."""
    known = sorted(path.stem for path in (ROOT / folder).glob(pattern))

    def name(given: str) -> str:
        slug = Path(given).stem if given.endswith((".md", ".ipynb", ".yml")) else given
        if slug not in known:
            raise argparse.ArgumentTypeError(f"no {what} {given!r}; there are {', '.join(known)}")
        return slug

    return name, f"one of {', '.join(known)}, or the path of its file"


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        """Refuse in one line."""
        self.exit(2, f"{self.prog}: {message}\n")


_CODES = "Exit codes: 0 done, 1 something was found wrong or moved, 2 it cannot run, 130 interrupted."


def parser() -> argparse.ArgumentParser:
    """The command line."""
    plain = argparse.RawDescriptionHelpFormatter
    top = _Parser(prog="python3 -m lib", usage="python3 -m lib COMMAND ...", formatter_class=plain, description=(
        "Interferon, Recomputed. Every command runs in the book's own environment, .venv, and makes it if need be; where\n"
        "there is make, `make COMMAND` does the same. COMMAND --help says more."))  # fmt: skip
    sub = top.add_subparsers(
        dest="command", required=True, metavar="COMMAND", help="as below, each with its own --help"
    )
    lines: list[str] = []

    def group(title: str) -> None:
        lines.append(f"\n{title}:")

    def command(name: str, function, text: str, *sets: str) -> argparse.ArgumentParser:
        """``sets`` are those of lib.house.environment that it needs beside the book's; None for no environment at all."""
        p = sub.add_parser(name, description=f"{text[0].upper()}{text[1:]}.", epilog=_CODES)
        p.set_defaults(function=function, sets=sets)
        lines.append(f"  {name:<15} {text}")
        return p

    chapter_name, chapters = _one_of("chapters", "*.md", "chapter")
    source_name, sources = _one_of("seeds", "*.yml", "source")
    draws = sorted(p.parent.name.replace("_", "-") for p in (ROOT / "chapters" / "models").glob("*/draws.py"))

    def names(p) -> None:
        p.add_argument("names", nargs="*", metavar="CHAPTER", type=chapter_name, help=f"these alone: {chapters}")

    group("To read and to re-execute")
    command("book", book, "set up, execute what is stale, build the pages; prints the address of the first")
    command("serve", serve, "do the same, and serve the pages on this machine")
    p = command("chapter", chapter, "execute one chapter, stale or not")
    p.add_argument("name", metavar="CHAPTER", type=chapter_name, help=chapters)
    p = command("rerun", rerun, "execute chapters apart from their committed notebooks, and list what moved")
    names(p)
    p.add_argument("--rows", action="store_true", help="list each row of a table or figure that moved")
    p = command("diff", diff, "list what moved between a re-executed notebook and the committed one")
    p.add_argument("notebook", type=Path, metavar="NOTEBOOK")
    p.add_argument("--rows", action="store_true", help="list each row of a table or figure that moved")
    command("lab", lab, "open JupyterLab on the chapters", "lab")
    p = command("setup", setup, "make the environment, or add to it, and do no more")
    also = {"dev": "the tests", "lab": "JupyterLab", "models": "the sampler"}
    for name, what in also.items():
        p.add_argument(f"--{name}", dest="also", action="append_const", const=name, help=f"also for {what}")

    group("To ask and to cite")
    p = command("ledger", ledger, "print the verdict on every claim")
    p.add_argument("--source", metavar="SOURCE", type=source_name, help=f"one source only: {sources}")
    p = command("verify", verify, "say what became of a cited section: same, changed, moved, withdrawn or unknown")
    p.add_argument("tag", metavar="TAG")
    p.add_argument("hashes", nargs="+", metavar="HASH", help="of its text, then of its results")
    p.add_argument("--rows", action="store_true", help="list what it prints now, where what changed is not known")
    command("check", check, "answer checks, one JSON object a line, from standard input")
    p = command("verify-sources", verify_sources, "hold the records against the source texts in a folder")
    p.add_argument("folder", type=Path)
    p.add_argument("--source", metavar="SOURCE", type=source_name, help=f"one source only: {sources}")
    p = command("census", census, "show that every numeral of the source texts is accounted for")
    p.add_argument("folder", type=Path)
    p.add_argument("--source", metavar="SOURCE", type=source_name, help=f"one source only: {sources}")
    p.add_argument("--rows", action="store_true", help="list every numeral with its owner")

    group("To write and to test")
    p = command("run", run, "execute the chapters that are stale, and say what moved")
    names(p)
    p.add_argument("--force", action="store_true", help="execute even what is up to date")
    p = command("take", take, "write what was edited in a chapter's notebook into its text half")
    p.add_argument("name", metavar="CHAPTER", type=chapter_name, help=chapters)
    p = command("format", format_, "write the code of a chapter as the formatter does", "dev")
    p.add_argument("name", metavar="CHAPTER", type=chapter_name, help=chapters)
    command("gate", gate, "list missing, hollow, drifted and stale chapters, and quantities typed into prose")
    command("site", site, "build the pages, if something that they are made of has changed")
    command("test", test, "all that guards a change: the gate, the pages, the tests but the long ones", "dev")
    command("test-long", test_long, "the tests that take long", "dev")
    command("tags", tags, "give every new label its permanent tag")
    p = command("verdicts", verdicts, "list the verdicts that differ from those last accepted")
    p.add_argument("--accept", action="store_true", help="record the verdicts as they are now")
    p = command("sample", sample, "write the draws of a hierarchical fit; goes on where it stopped", "models")
    p.add_argument("name", choices=draws)
    p.add_argument("--minutes", type=float, default=90, help="stop the long runs after so long (default: 90)")
    command("bench", bench, "measure times, and the weight of every page", "dev")
    p = command("clean", clean, "remove what was built; the environment stays")

    group("To add a review")
    p = command("new", new, "begin a review: the draft of a record, a chapter with all its parts, what else they need")
    p.add_argument("name", metavar="SLUG")
    p.add_argument("--prefix", required=True, metavar="ABC", help="three capitals that no other source has")
    p.add_argument("--text", required=True, type=Path, metavar="FILE", help="the text, UTF-8; it stays where it is")
    p = command("locate", locate, "say where phrases stand in a text, as locators to paste")
    p.add_argument("file", type=Path)
    p.add_argument("phrases", nargs="+", metavar="PHRASE", help='words in quotes, as "26 of 37 children"')
    p = command("renumber", renumber, "number the claims of a record, and wherever they are named, as they stand in it")
    p.add_argument("name", metavar="SOURCE", type=source_name, help=sources)
    p = command(
        "audit", audit, "hold every figure of a record against all that the record says of it; 1 if some are at odds"
    )
    p.add_argument("name", metavar="SOURCE", type=source_name, help=sources)
    p.add_argument("--cells", action="store_true", help="the calls as cells of a chapter, and what is left of the rest")
    p = command(
        "skeleton", skeleton, "write the skeleton of a source's text beside its record, for the census without it"
    )
    p.add_argument("name", metavar="SOURCE", type=source_name, help=sources)
    p.add_argument("folder", type=Path)
    p = command("start", start, "write an empty book on another topic into a new folder")
    p.add_argument("folder", type=Path)
    p.add_argument("--title", required=True)
    p.add_argument("--author", required=True)

    group("To release")
    command("print", print_, "make the handout of the short versions (PDF) and the EPUB beside the pages", "dev")
    p = command(
        "edition", edition, "make an edition pending; after its build, freeze and release it (make edition does both)"
    )
    p.add_argument("version")
    p.add_argument(
        "--freeze", action="store_true", help="write the archive of the built site, lock its anchors, release it"
    )
    command("unpack", unpack, "put every released edition below the built site, from its archive in dist")
    command("cff", cff, "write CITATION.cff, codemeta.json and .zenodo.json anew from _config.yml")
    p = command("lock", lock, "write the locks from what the book asks for, and try their wheels (needs uv)")
    p.add_argument("--upgrade", action="store_true", help="take the newest releases")
    for name in ("clean", "lock"):
        sub.choices[name].set_defaults(sets=None)
    top.epilog = "\n".join([*lines, "", _CODES]).strip()
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 done, 1 something was found wrong, 2 it cannot run, 130 interrupted."""
    argv = sys.argv[1:] if argv is None else argv
    args = parser().parse_args(argv)
    try:
        if args.sets is not None:
            from lib.house import environment

            environment.enter([*args.sets, *(getattr(args, "also", None) or ())], argv)
        return args.function(args)
    except (ValueError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 2
    except ImportError:
        if (ROOT / "registry").is_dir():
            raise
        print(f"this folder holds one chapter, not what `{args.command}` works on: get the whole book", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    except OSError as error:
        print(f"{error.filename or args.command}: {error.strerror or error}; nothing half was written", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: nothing half was written; the same command goes on", file=sys.stderr)
        return 130


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # whatever the locale
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    code = main()
    sys.stdout.flush()
    if code == 130:
        os._exit(code)  # without waiting for what was at work
    sys.exit(code)
