"""The permanent page of every tag, ``t/<TAG>/``: what it names, where it stands now, its history, and how to cite it.

Plain HTML of a few kilobytes that works without JavaScript and from a folder.
"""

from __future__ import annotations

import base64
import hashlib
import html
from pathlib import Path

from sphinx.util import logging

from lib import registry, sources
from lib.book import cite

log = logging.getLogger(__name__)

_STYLE = (
    "body{font:1.05rem/1.55 Charter,'Bitstream Charter','Sitka Text',Cambria,Georgia,serif;max-width:42rem;margin:3rem auto;padding:0 1rem;"
    "color:#1f2730;background:#fffdf8}a{color:#1d5c91}h1{font-size:1.5rem;line-height:1.25}nav,dt,.q{font-family:system-ui,sans-serif;font-size:.85rem}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.8rem;padding:.6rem;border-left:2px solid #b0401c}"
    "button{font:inherit}@media(prefers-color-scheme:dark){body{color:#e7e3da;background:#14181f}a{color:#8fbdea}}"
)
_COPY = (
    "document.querySelectorAll('pre').forEach(function(p){var b=document.createElement('button');b.textContent='Copy';b.onclick=function(){"
    "var r=document.createRange();r.selectNodeContents(p);var s=getSelection();s.removeAllRanges();s.addRange(r);document.execCommand('copy');"
    "b.textContent='Copied'};p.after(b)})"
)
_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_COPY.encode()).digest()).decode()
    + "'"
)
FORMATS = (("BibTeX", "cite.bib", cite.bibtex), ("RIS", "cite.ris", cite.ris), ("CSL-JSON", "cite.json", cite.csl_json))


def items(book: cite.Book, part: dict, reviewed: dict[str, sources.Citation]) -> list[dict]:
    """The two records of a part: itself, and the source its page reviews (the first alone where it reviews none)."""
    slug = Path(part["page"]).stem
    found = [cite.part_item(book, part)]
    return [*found, cite.source_item(reviewed[slug])] if slug in reviewed else found


def page(book: cite.Book, part: dict, trail: list[str], texts: list[tuple[str, str]], past: list[dict]) -> str:
    """The HTML of one tag page."""
    e = html.escape
    tag = part["tag"]
    history = [f"<li>Edition {e(v['version'])}, {e(v['date'])}: {e(_said(v, past[:n], tag))}</li>" for n, v in enumerate(past) if tag in v["sections"]]
    history.append(f"<li>Now: {e(_now(part, past))}</li>")
    blocks = "".join(f"<dt>{name}</dt><dd><pre>{e(text.strip())}</pre></dd>" for name, text in texts)
    files = " · ".join(f'<a href="{file}" download>{name}</a>' for name, file, _ in FORMATS)
    where = f'<a href="../../{e(part["url"])}">Read it in the book</a>' if part["state"] == "live" else f"<strong>{e(part['state'])}</strong>: {e(part['note'])}"
    canonical = f'<link rel="canonical" href="{e(book.address(tag))}">' if book.site_url else ""
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" content="{_CSP}">'
        f"<title>{e(tag)}: {e(part['title'])}</title>{canonical}<style>{_STYLE}</style></head><body><nav>{' › '.join(map(e, trail))}</nav><main>"
        f"<h1>{e(part['title'])}</h1><p>This is {e(part['kind'])} <strong>{e(tag)}</strong> of <em>{e(book.title)}</em>, edition {e(book.edition)}; "
        f"the tag is permanent. {where}.</p><h2>Cite</h2><p class=q>Two records: this {e(part['kind'])}, and the source it reviews. Files: {files}.</p>"
        f"<dl>{blocks}</dl><h2>History</h2><ul>{''.join(history)}</ul>"
        f"<p class=q>text {part['sha256_text'][:12]} · results {part['sha256_results'][:12]}</p></main><script>{_COPY}</script></body></html>\n"
    )


def _said(edition: dict, before: list[dict], tag: str) -> str:
    now = edition["sections"][tag]
    then = next((v["sections"][tag] for v in reversed(before) if tag in v["sections"]), None)
    if then is None:
        return "first stands here"
    return registry.difference(then, now)


def _now(part: dict, past: list[dict]) -> str:
    then = next((v for v in reversed(past) if part["tag"] in v["sections"]), None)
    if then is None:
        return "in no released edition yet"
    return f"since edition {then['version']}: {registry.difference(then['sections'][part['tag']], part)}"


def write(app, parts: list[dict]) -> None:
    """Write the page and the citation files of every tag, also of those withdrawn."""
    book = cite.Book.of(app.config)
    out = Path(app.outdir) / "t"
    past = registry.editions()
    reviewed = {s: sources.record(s).source for s in sources.slugs()}
    by_label = {p["label"]: p for p in parts}
    for part in parts:
        if part["tag"] is None:
            continue
        trail, at = [], part
        while at["within"]:
            at = by_label[at["within"]]
            trail.insert(0, at["title"])
        records = items(book, part, reviewed)
        folder = out / part["tag"]
        folder.mkdir(parents=True, exist_ok=True)
        texts = [("Vancouver", "\n\n".join(cite.vancouver(records)))]
        for name, file, form in FORMATS:
            texts.append((name, form(records)))
            (folder / file).write_text(texts[-1][1], "utf-8")
        (folder / "index.html").write_text(page(book, part, [book.title, *trail], texts, past), "utf-8")
