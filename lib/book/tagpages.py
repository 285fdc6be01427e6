"""The permanent page of every tag, ``t/<TAG>/``: what it names, where it stands now, its history, and how to cite it.

Plain HTML of a few kilobytes that works without JavaScript and from a folder.
"""

from __future__ import annotations

import base64
import hashlib
import html
from pathlib import Path

from lib import records, registry
from lib.book import cite, metadata

_STYLE = (
    ":root{color-scheme:light dark;--p:#fffdf8;--i:#1f2730;--q:#586270;--r:#d9d5cb;--a:#1d5c91}"
    "@media(prefers-color-scheme:dark){:root{--p:#14181f;--i:#e7e3da;--q:#a9b2be;--r:#3a424d;--a:#8fbdea}}"
    "body{max-width:40rem;margin:2.5rem auto 4rem;padding:0 1.1rem;background:var(--p);color:var(--i);"
    "font:1.1rem/1.55 Charter,'Bitstream Charter','Sitka Text',Cambria,Georgia,serif}a{color:var(--a)}"
    "nav,h2,h3,.q,button{font-family:-apple-system,'Segoe UI',Roboto,'Noto Sans','Liberation Sans',Arial,sans-serif}"
    "nav,.q{font-size:.88rem;color:var(--q)}"
    "nav a{color:inherit;text-decoration-color:var(--r);text-underline-offset:.2em}"
    "h1{margin:1rem 0;font-size:1.55rem;line-height:1.25;text-wrap:balance}h2{margin:2.4rem 0 .4rem;font-size:1.05rem}"
    "h3{display:flex;gap:1rem;align-items:baseline;margin:1.3rem 0 .3rem;padding-top:.7rem;"
    "border-top:1px solid var(--r);font-size:.9rem}h3 *{font-size:.86rem;font-weight:400}"
    "button{padding:0;border:0;background:none;color:var(--a);text-decoration:underline;cursor:pointer}"
    "pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere;font:.78rem/1.5 ui-monospace,Menlo,Consolas,monospace}"
    ".v{font:inherit;font-size:1rem}ul{padding-left:1.1rem}"
)
_COPY = (
    "document.querySelectorAll('pre[id]').forEach(function(p){var b=document.createElement('button');b.type='button';"
    "b.textContent='Copy';b.onclick=function(){var r=document.createRange(),s=getSelection();"
    "r.selectNodeContents(p);s.removeAllRanges();s.addRange(r);"
    "if(document.execCommand('copy'))b.textContent='Copied'};document.getElementById('h-'+p.id).append(b)})"
)
_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_COPY.encode()).digest()).decode()
    + "'"
)


def page(
    book: cite.Book, part: dict, around: list[dict], records: list[dict], past: list[dict], aims: list[dict]
) -> str:
    """The HTML of one tag page.

    Parameters
    ----------
    part, records
        The part and its two records, or one where its page reviews no source.
    around
        The parts it stands in, the outermost first.
    past
        The released editions, the oldest first.
    aims
        Of a tag that is no longer live: the parts to go to instead.
    """
    e = html.escape
    tag, kind = part["tag"], part["kind"]
    trail = [f'<a href="../../index.html">{e(book.title)}</a>', *map(_link, around)]
    two = (
        f"Each format holds two records: this {kind}, and the source it reviews."
        if len(records) > 1
        else "Its page reviews no source, so there is one record."
    )
    texts = "".join(
        f'<h3 id="h-{file[5:]}">{name} <a href="{file}" download>{file}</a></h3>'
        f'<pre id="{file[5:]}"{" class=v" if file == "cite.txt" else ""}>{e(form(records), quote=False)}</pre>'
        for name, file, form in cite.FORMATS
    )
    history = "".join(f"<li>{e(line)}</li>" for line in [*_history(tag, past), f"Now: {_now(part, past)}"])
    head = "".join(
        f'<meta name="{name}" content="{e(value)}">'
        for name, value in metadata.highwire(book.holding(part), part, book.address(tag))
    )
    head += f'<link rel="canonical" href="{e(book.address(tag))}">' if book.site_url else ""
    hashes = f"{part['sha256_text'][: cite.HASH]} {part['sha256_results'][: cite.HASH]}"
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_CSP}">'
        f"<title>{e(tag)}: {e(part['title'])}</title>{head}<style>{_STYLE}</style></head>"
        f'<body><nav aria-label="Where it stands">{" › ".join(trail)}</nav><main><h1>{e(part["title"])}</h1>'
        f"<p>{_said(book, part)}. {_where(part, aims)}</p><h2>Cite</h2><p class=q>{two}</p>{texts}<h2>History</h2>"
        f"<ul>{history}</ul><h2>Verify</h2>"
        f"<p class=q>The hashes of its text and results, for a later look at what became of it:</p>"
        f"<pre>python -m lib verify {tag} {hashes}</pre></main><script>{_COPY}</script></body></html>\n"
    )


def _link(part: dict) -> str:
    return f'<a href="../../{html.escape(part["url"])}">{html.escape(part["title"])}</a>'


def _said(book: cite.Book, part: dict) -> str:
    """The one sentence on what a tag names."""
    name = f"{part['kind']} <strong>{part['tag']}</strong> of <em>{html.escape(book.title)}</em>"
    if part["state"] == "live":
        return f"This is {name}, edition {html.escape(book.edition)}; the tag stays with it wherever it moves"
    return f"This was {name}, last in edition {html.escape(book.holding(part).edition)}"


def _where(part: dict, aims: list[dict]) -> str:
    """The link to where a part stands; of one that does not, what became of it and where to go."""
    if part["state"] == "live":
        return f'<a href="../../{html.escape(part["url"])}">Read it in the book</a>.'
    became = f"<strong>{part['state'].capitalize()}</strong>: {html.escape(part['note'])}"
    return f"{became}. Go to {' or '.join(map(_link, aims))}."


def _history(tag: str, past: list[dict]) -> list[str]:
    """A line for each edition in which a part changed, with the later ones that left it as it was."""
    lines: list[list[str]] = []
    then = None
    for edition in past:
        now = edition["sections"].get(tag)
        if now is None:
            continue
        said = registry.difference(then, now) if then else "first stands here"
        if said == registry.SAME:
            lines[-1].append(edition["version"])
        else:
            lines.append([f"Edition {edition['version']}, {edition['date']}: {said}"])
        then = now
    return [line + (f"; the same in {', '.join(same)}" if same else "") for line, *same in lines]


def _now(part: dict, past: list[dict]) -> str:
    then = next((v for v in reversed(past) if part["tag"] in v["sections"]), None)
    if then is None:
        return "in no released edition yet" if part["state"] == "live" else f"{part['state']}, before any edition"
    return f"since edition {then['version']}: {registry.became(then['sections'][part['tag']], part)}"


def write(app, parts: list[dict]) -> None:
    """Write the page and the citation files of every tag, also of those withdrawn."""
    book = cite.Book.of(app.config)
    out = Path(app.outdir) / "t"
    past = registry.editions()
    reviewed = {s: records.record(s).source for s in records.slugs()}
    by_label = {p["label"]: p for p in parts}
    for part in parts:
        if part["tag"] is None:
            continue
        around, at = [], part
        while at["within"]:
            at = by_label[at["within"]]
            around.insert(0, at)
        cited = cite.records(book, part, reviewed)
        folder = out / part["tag"]
        folder.mkdir(parents=True, exist_ok=True)
        for _, file, form in cite.FORMATS:
            (folder / file).write_text(form(cited), "utf-8")
        (folder / "index.html").write_text(
            page(book, part, around, cited, past, registry.instead(part, parts)), "utf-8"
        )
