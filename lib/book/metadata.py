"""What machines read of a page and of the site, and where on a page the *cite* marks go."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from urllib.parse import urlencode

from lib import editions, records, registry
from lib.book import cite, popover
from lib.house import executed
from lib.records import Citation

_LICENSE = "https://creativecommons.org/licenses/by/4.0/"
RATING = {"reproduced": 5, "compatible": 4, "unchecked": 3, "discrepant": 2, "contradicted": 1}
"""ClaimReview wants a number; the word beside it is what counts."""


def highwire(book: cite.Book, part: dict, page_url: str) -> list[tuple[str, str]]:
    """The ``citation_*`` tags of a page, from which Zotero's embedded-metadata rules make a book section."""
    tags = [("citation_title", cite.title(part))]
    tags += [("citation_author", n.get("literal") or f"{n['family']}, {n['given']}") for n in book.names()]
    tags += [
        ("citation_inbook_title", book.title),
        ("citation_publication_date", book.year),
        ("citation_language", "en"),
    ]
    if page_url:
        tags += [("citation_public_url", page_url), ("citation_fulltext_html_url", page_url)]
    return [(name, value) for name, value in tags if value]


def json_ld(book: cite.Book, page: list[dict], rows: dict[str, dict], source: Citation | None) -> dict:
    """A page as schema.org ``Chapter`` with its parts; claims of the ``source`` as ``ClaimReview`` with verdicts."""

    def base(part: dict) -> dict:
        found = {"identifier": part["tag"], "name": part["title"]}
        return found | ({"url": book.address(part["tag"])} if book.site_url else {})

    top, *others = page
    parts = []
    for part in others:
        if part["kind"] == "claim":
            row = rows[part["label"]]
            rating = {
                "@type": "Rating",
                "ratingValue": RATING[row["verdict"]],
                "bestRating": 5,
                "worstRating": 1,
                "alternateName": row["verdict"],
            }
            told = {"claimReviewed": row["says"], "itemReviewed": {"@type": "Claim", "appearance": {"@id": "#source"}}}
            parts.append(
                base(part) | {"@type": "ClaimReview", **told, "reviewRating": rating, "author": _authors(book)}
            )
        else:
            kind = {"section": "CreativeWork", "figure": "ImageObject", "table": "Table"}[part["kind"]]
            parts.append(base(part) | {"@type": kind})
    whole = {"@type": "Book", "name": book.title, "bookEdition": book.edition} | (
        {"url": book.site_url + "/"} if book.site_url else {}
    )
    return (
        base(top)
        | {
            "@context": "https://schema.org",
            "@type": "Chapter",
            "author": _authors(book),
            "isPartOf": whole,
            "hasPart": parts,
            "license": _LICENSE,
            "inLanguage": "en",
        }
        | ({"citation": {"@id": "#source", **_source(source)}} if source else {})
    )


def _source(source: Citation) -> dict:
    """A reviewed source, as far as it is known."""
    kind = "ScholarlyArticle" if source.volume else "Article"
    found = {
        "@type": kind,
        "name": source.title or source.kind,
        "author": [{"@type": "Person", "name": a} for a in source.authors],
        "isPartOf": source.container and {"@type": "Periodical", "name": source.container},
        "url": source.url,
        "datePublished": source.year and str(source.year),
        "sameAs": source.doi and f"https://doi.org/{source.doi}",
    }
    return {k: v for k, v in found.items() if v}


def _authors(book: cite.Book) -> list[dict]:
    return [
        {"@type": "Organization", "name": n["literal"]}
        if "literal" in n
        else {
            "@type": "Person",
            "name": f"{n['given']} {n['family']}",
            "familyName": n["family"],
            "givenName": n["given"],
        }
        for n in book.names()
    ]


def coins(item: dict) -> str:
    """A COinS span: the record as an OpenURL context object."""
    pairs = [
        ("ctx_ver", "Z39.88-2004"),
        ("rft_val_fmt", "info:ofi/fmt:kev:mtx:book"),
        ("rft.genre", "bookitem"),
        ("rft.atitle", item["title"]),
        ("rft.btitle", item["container-title"]),
        ("rft.edition", item["edition"]),
    ]
    pairs += [
        ("rft.aucorp", n["literal"]) if "literal" in n else ("rft.au", f"{n['family']}, {n['given']}")
        for n in item.get("author", [])
    ]
    pairs += [("rft.date", str(item["issued"]["date-parts"][0][0]))] if "issued" in item else []
    pairs += [("rft_id", item["URL"])] if "URL" in item else []
    return f'<span class="Z3988" title="{html.escape(urlencode(pairs))}"></span>'


def _head(book: cite.Book, page: list[dict], rows: dict[str, dict], source: Citation | None) -> str:
    url = f"{book.site_url}/{page[0]['page']}" if book.site_url else ""
    metas = "".join(
        f'<meta name="{name}" content="{html.escape(value)}">' for name, value in highwire(book, page[0], url)
    )
    data = json.dumps(json_ld(book, page, rows, source), ensure_ascii=False, sort_keys=True).replace("</", "<\\/")
    return f'{metas}<script type="application/ld+json">{data}</script>'


def mark_page(text: str, book: cite.Book, page: list[dict], rows: dict[str, dict], reviewed: dict) -> str:
    """A built page with its metadata in the head, a mark at each part and the citations at the end of the article."""
    up = "../" * page[0]["page"].count("/")
    forms = popover.forms(book, page[0]["page"], reviewed)
    boxes = [popover.templates(forms)]
    for part in page:
        label, mark = part["label"], popover.mark(part)
        link = re.compile(rf'(<a class="headerlink" href="#{re.escape(label)}"[^>]*>.*?</a>)', re.DOTALL)
        claim = re.compile(
            rf'(<div class="check" data-label="{re.escape(label)}".*?<span class="check-id">.*?</span>)', re.DOTALL
        )
        text, n = (claim if part["kind"] == "claim" else link).subn(lambda m: m[1] + mark, text, count=1)
        if n:
            records = cite.records(book, part, reviewed)
            boxes += [popover.box(part, records, forms, up), coins(records[0])]
    text = text.replace("</head>", _head(book, page, rows, reviewed.get(Path(page[0]["page"]).stem)) + "</head>", 1)
    if book.site_url:  # on paper a mark is the address of its tag
        site = html.escape(json.dumps(book.site_url.partition("//")[2] + "/"))
        text = text.replace("<article>", f'<article style="--site: {site}">', 1)
    return re.sub(r"(</article>)", lambda m: f'<div class="cite-boxes">{"".join(boxes)}</div>' + m[1], text, count=1)


def ro_crate(book: cite.Book, parts: list[dict], past: list[dict]) -> dict:
    """The site as an RO-Crate 1.1: what the archive of an edition holds, for repositories that read such a file."""
    pages = list(dict.fromkeys(p["page"] for p in parts if p["state"] == "live"))
    names = {p["page"]: p["title"] for p in reversed(parts) if p["kind"] == "section"}
    authors = [{"@id": f"#author-{n}"} | who for n, who in enumerate(_authors(book), 1)]
    files = [{"@id": p, "@type": "File", "name": names[p], "encodingFormat": "text/html"} for p in pages]
    files += [{"@id": f, "@type": "File", "name": name, "encodingFormat": kind} for f, name, kind in _DATA]
    released = next((e["date"] for e in past if e["version"] == book.edition), book.year)
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": book.title,
        "version": book.edition,
        "datePublished": released,
        "description": editions.ABSTRACT,
        "license": {"@id": _LICENSE},
        "author": _ids(authors),
        "hasPart": _ids(files),
    } | ({"url": book.site_url + "/"} if book.site_url else {})
    about = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
    }
    terms = {
        "@id": _LICENSE,
        "@type": "CreativeWork",
        "name": "CC BY 4.0",
        "description": "Creative Commons Attribution 4.0 International",
    }
    return {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": [about, root, terms, *authors, *files]}


_DATA = (
    ("sections.json", "Every section, figure, table and claim with its tag and hashes", "application/json"),
    ("ledger.json", "Every claim with its verdict", "application/json"),
    ("ledger.csv", "Every claim with its verdict, as a table", "text/csv"),
    ("objects.inv", "The labels, for other Sphinx books", "application/octet-stream"),
)


def _ids(entities: list[dict]) -> list[dict] | dict:
    """References to entities of the graph; of a single one without the list, as the flattened form has it."""
    found = [{"@id": x["@id"]} for x in entities]
    return found[0] if len(found) == 1 else found


def write(app, parts: list[dict]) -> None:
    """Mark every built page and write the RO-Crate file."""
    book, out = cite.Book.of(app.config), Path(app.outdir)
    reviewed = {s: records.record(s).source for s in records.slugs()}
    rows = {r["id"].lower(): r for r in executed.ledger()}
    for name in registry.pages():
        page = [p for p in parts if p["page"] == f"{name}.html" and p["tag"]]
        path = out / f"{name}.html"
        if page and path.is_file():
            path.write_text(mark_page(path.read_text("utf-8"), book, page, rows, reviewed), "utf-8")
    (out / "ro-crate-metadata.json").write_text(
        json.dumps(ro_crate(book, parts, registry.editions()), ensure_ascii=False, indent=1) + "\n", "utf-8"
    )
