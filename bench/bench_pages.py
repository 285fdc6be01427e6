"""Bytes and requests of each page's first view beside a stock Jupyter Book of the same content; Lighthouse with Node.

The stock book has the same text and the same executed notebooks and nothing else of ours: its pages show the fallbacks
that every output carries (HTML, SVG), our roles as plain words, the ledger as a plain table. Both are served compressed
over local HTTP to a Chromium that starts cold for each page. What a page asks of another host is blocked and counted,
not weighed; nor is the icon, which browsers fetch at leisure.
"""

import gzip
import json
import mimetypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd
import yaml
from playwright.sync_api import sync_playwright

from lib import ROOT, records
from lib.house import executed
from lib.house.parts import pages

SITE = ROOT / "_build" / "html"
LIGHT = {"sent": 250, "raw": 900}
"""The most a first view may weigh in kB, compressed and raw."""
TIMES = ("largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift")
LISTED = ("id", "says", "reported", "recomputed", "verdict", "convention")
PACKED = ("text/", "application/javascript", "application/json", "image/svg+xml")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SCORED = ("index", "chapters/cml-stopping", "pages/ledger")
OUR_ROLE = re.compile(r"\{(found|reported|verdict|claim|mark|cite)\}`([^`]+)`")
OUR_BLOCK = re.compile(
    r"^```\{(source-card|sources|ledger|ledger-files|codebook|abbreviations)\}(.*?)\n(.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
DEVICES = {"phone": [], "desk": ["--preset=desktop"]}


# The stock book ----------------------------------------------------------------------------------------------------

bound = cache(executed.bound)
record = cache(records.record)


def cited(slug: str) -> str:
    source = record(slug).source
    return " ".join(filter(None, (source.title, source.container, source.doi)))


def plain(text: str, slug: str) -> str:
    """The text with our roles as the words they print, and our directives as plain Markdown."""

    def word(match: re.Match) -> str:
        role, said = match.groups()
        if role == "found":
            where, _, name = said.rpartition(":")
            return bound(where or slug)[name]["text"]
        if role == "reported":
            prefix = said.partition("-")[0]
            return next(r for s in records.slugs() if (r := record(s)).source.prefix == prefix).figure(said).text
        return said

    def block(match: re.Match) -> str:
        name, argument, body = match.groups()
        if name == "source-card":
            return cited(argument.split()[0])
        if name == "ledger":
            cells = ([str(row[c] or "").replace("|", "/") for c in LISTED] for row in executed.ledger())
            rows = [LISTED, ["---"] * len(LISTED), *cells]
            return "\n".join(f"| {' | '.join(row)} |" for row in rows)
        return (
            body
            if name in ("abbreviations", "ledger-files", "codebook")
            else "\n".join(f"- {cited(s)}" for s in records.slugs())
        )

    return OUR_BLOCK.sub(block, OUR_ROLE.sub(word, text))


def stock(folder: Path) -> Path:
    """Build the stock book in a folder; its pages."""
    found = [f"{p}.md" for p in pages() if not p.startswith("chapters/")]
    for name in ("_toc.yml", *found):
        (folder / name).parent.mkdir(exist_ok=True)
        text = (ROOT / name).read_text("utf-8")
        (folder / name).write_text(plain(text, "") if name.endswith(".md") else text, "utf-8")
    (folder / "chapters").mkdir()
    for path in (ROOT / "chapters").glob("*.ipynb"):
        notebook = json.loads(path.read_text("utf-8"))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = plain("".join(cell["source"]), path.stem)
        (folder / "chapters" / path.name).write_text(json.dumps(notebook), "utf-8")
    ours = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    kept = {k: ours[k] for k in ("title", "author", "only_build_toc_files", "execute", "parse")}
    (folder / "_config.yml").write_text(yaml.safe_dump(kept), "utf-8")
    tool = Path(sys.executable).with_name("jupyter-book")
    built = subprocess.run([tool, "build", "."], cwd=folder, capture_output=True, text=True)
    if built.returncode:
        sys.exit("the stock book cannot be built:\n" + (built.stdout + built.stderr)[-2000:])
    return folder / "_build" / "html"


# Serving and counting ----------------------------------------------------------------------------------------------


class Files(BaseHTTPRequestHandler):
    """The files of a folder, text compressed; ``server.sent`` lists the raw and sent bytes of each but the icon."""

    def do_GET(self):
        path = self.server.folder / unquote(urlsplit(self.path).path).lstrip("/")
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            self.send_error(404)
            return
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        raw, packed = packing(path, kind.startswith(PACKED))
        if "favicon" not in path.name:  # asked for at leisure, sometimes after the page is closed
            self.server.sent.append((len(raw), len(packed)))
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
        self.send_header("Cache-Control", "max-age=3600")
        self.send_header("Content-Length", str(len(packed)))
        if packed is not raw:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(packed)

    def log_message(self, *args):
        pass


@cache
def packing(path: Path, text: bool) -> tuple[bytes, bytes]:
    raw = path.read_bytes()
    return raw, gzip.compress(raw, mtime=0) if text else raw


@contextmanager
def served(folder: Path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    server.folder, server.sent = folder, []
    server.handle_error = lambda *_: None  # a page closed while it was still fetching its icon
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def first_view(chromium, server, address: str) -> dict:
    """What a cold browser fetches for one page until the network rests: files, kB, and files of other hosts."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    outside = set()

    def gate(route):
        url = route.request.url
        if urlsplit(url).netloc == urlsplit(address).netloc or url.startswith("data:"):
            route.continue_()
        else:
            outside.add(url)
            route.abort()

    context.route("**/*", gate)
    server.sent.clear()
    context.new_page().goto(address, wait_until="networkidle")
    context.close()
    raw, sent = (sum(sizes) / 1e3 for sizes in zip(*server.sent))
    return {"requests": len(server.sent), "raw": raw, "sent": sent, "outside": len(outside)}


def views(chromium, folder: Path) -> dict[str, dict]:
    with served(folder) as (server, top):
        return {page: first_view(chromium, server, f"{top}/{page}.html") for page in pages()}


def weigh() -> bool:
    """Print the table; whether every chapter keeps the limits."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        other = stock(Path(folder))
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        ours, theirs = views(chromium, SITE), views(chromium, other)
        chromium.close()
        size = {top: sum(p.stat().st_size for p in top.rglob("*") if p.is_file()) / 1e6 for top in (SITE, other)}
    kinds = ["requests", "raw", "sent"]
    ours, theirs = (pd.DataFrame(found).T for found in (ours, theirs))
    table = pd.concat({"this book": ours[kinds], "stock": theirs}, axis="columns")
    table["", "sent, % of stock"] = 100 * ours["sent"] / theirs["sent"]
    print("kB, but for requests and those to other hosts, which are blocked")
    print(table.to_string(float_format="{:.0f}".format))
    saved = sum(p.stat().st_size for p in (SITE / "downloads").iterdir()) / 1e6
    print(f"whole site {size[SITE]:.1f} MB, of which bundles and notebooks {saved:.1f} MB; stock {size[other]:.1f} MB")
    heavy = [f"{page}: {view[k]:.0f} kB {k}" for page, view in ours.iterrows() for k in LIGHT if view[k] > LIGHT[k]]
    heavy += [f"{page}: {n:.0f} requests to other hosts" for page, n in ours["outside"].items() if n]
    print("\n".join(heavy) or "every first view is within the limits and asks nothing of another host")
    return not heavy


# Lighthouse --------------------------------------------------------------------------------------------------------


def lighthouse() -> None:
    """Scores of three pages on a slow phone and at a desk, and every audit that costs points."""
    if not shutil.which("npm"):
        print("Lighthouse: skipped, no Node: install it (Debian: apt-get install nodejs npm) and run this again")
        return
    with tempfile.TemporaryDirectory() as folder, served(SITE) as (_, top):
        install = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", folder, "lighthouse@12"]
        got = subprocess.run(install, capture_output=True, text=True)
        if got.returncode:
            print(f"Lighthouse: skipped, npm cannot install lighthouse@12: {got.stderr.strip()[-200:]}")
            return
        report = Path(folder) / "report.json"
        chrome = "--chrome-flags=--headless=new --no-sandbox --disable-gpu"
        tool = [f"{folder}/node_modules/.bin/lighthouse", "--quiet", "--output=json", f"--output-path={report}", chrome]
        for page in SCORED:
            for device, options in DEVICES.items():
                ran = [*tool, *options, f"{top}/{page}.html"]
                subprocess.run(ran, env=os.environ | {"CHROME_PATH": CHROMIUM}, check=True, capture_output=True)
                told = json.loads(report.read_text("utf-8"))
                audits, kinds = told["audits"], told["categories"]
                scores = ", ".join(f"{kind} {100 * c['score']:.0f}" for kind, c in kinds.items())
                times = ", ".join(f"{audits[k]['title']} {audits[k]['displayValue']}" for k in TIMES)
                print(f"{page:<24}{device:<7}{scores}; {times}")
                refs = {r["id"] for c in kinds.values() for r in c["auditRefs"] if r["weight"]}
                for audit in (audits[n] for n in sorted(refs)):
                    if audit["score"] is not None and audit["score"] < 0.9:
                        print(f"{'':<31}{audit['title']} {audit.get('displayValue', '')}")


if __name__ == "__main__":
    if not (SITE / "index.html").is_file():
        sys.exit("no built site in _build/html: run `make site` first")
    if CHROMIUM is None:
        print("pages: skipped, no Chromium: install it (Debian: apt-get install chromium)")
        sys.exit(0)
    kept = weigh()
    lighthouse()
    sys.exit(not kept)
