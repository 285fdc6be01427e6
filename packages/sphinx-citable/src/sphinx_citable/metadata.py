"""What machines read of a page and of the site: Highwire tags, schema.org, COinS, RO-Crate."""

from __future__ import annotations

import html
import json
from urllib.parse import urlencode

from sphinx_citable import cite

SCHEMA = {"section": "CreativeWork", "figure": "ImageObject", "table": "Table", "claim": "Claim"}
"""The schema.org type of each kind of part; other kinds are creative works."""


def highwire(book: cite.Book, part: dict, page_url: str) -> list[tuple[str, str]]:
    """The ``citation_*`` tags of a page, from which Zotero's embedded-metadata rules make a book section.

    A group's name ends in a comma, without which its first words are taken for a given name; the tag is the first page,
    which most styles print.
    """
    book, whole = book.holding(part), book.whole(part)
    tags = [("citation_title", book.cited(part))]
    tags += [("citation_author", n["literal"] + "," if "literal" in n else _sorted(n)) for n in book.names()]
    tags += [
        ("citation_book_title" if whole else "citation_inbook_title", book.title),
        ("citation_publication_date", book.date.replace("-", "/")),
        ("citation_publisher", book.publisher),
        ("prism.edition", book.edition),
        ("citation_firstpage", "" if whole else part["tag"]),
        ("citation_language", book.language),
    ]
    if page_url:
        tags += [("citation_public_url", page_url), ("citation_fulltext_html_url", page_url)]
    return [(name, value) for name, value in tags if value]


def _sorted(name: dict) -> str:
    return f"{name['family']}, {name['given']}"


def json_ld(book: cite.Book, page: list[dict], original: dict | None, license_url: str) -> dict:
    """A page as schema.org ``Chapter`` with its parts, and the work it is about as its citation."""

    def base(part: dict) -> dict:
        found = {"identifier": part["tag"], "name": part["title"]}
        return found | ({"url": book.address(part["tag"])} if book.site_url else {})

    top, *others = page
    book = book.holding(top)
    whole = {"@type": "Book", "name": book.title, "bookEdition": book.edition}
    found = base(top) | {
        "@context": "https://schema.org",
        "@type": "Chapter",
        "author": authors(book),
        "isPartOf": whole | ({"url": book.site_url + "/"} if book.site_url else {}),
        "hasPart": [base(part) | {"@type": SCHEMA.get(part["kind"], "CreativeWork")} for part in others],
        "inLanguage": book.language,
    }
    found |= {"license": license_url} if license_url else {}
    return found | ({"citation": _work(original)} if original else {})


def _work(item: dict) -> dict:
    """A cited work, as far as its CSL-JSON knows it."""
    dated = item.get("issued", {}).get("date-parts", [[None]])[0][0]
    held = item.get("container-title")
    found = {
        "@type": "ScholarlyArticle" if item["type"] == "article-journal" else "Article",
        "name": item.get("title"),
        "author": [{"@type": "Person", "name": _name(a)} for a in item.get("author", [])],
        "isPartOf": held and {"@type": "Periodical", "name": held},
        "url": item.get("URL"),
        "datePublished": dated and str(dated),
        "sameAs": item.get("DOI") and f"https://doi.org/{item['DOI']}",
    }
    return {k: v for k, v in found.items() if v}


def _name(author: dict) -> str:
    return author.get("literal") or f"{author['given']} {author['family']}"


def authors(book: cite.Book) -> list[dict]:
    """The authors of the book as schema.org persons and organisations."""
    return [
        {"@type": "Organization", "name": n["literal"]}
        if "literal" in n
        else {"@type": "Person", "name": _name(n), "familyName": n["family"], "givenName": n["given"]}
        for n in book.names()
    ]


def coins(item: dict) -> str:
    """A COinS span: the record as an OpenURL context object."""
    whole = item["type"] == "book"
    pairs = [("ctx_ver", "Z39.88-2004"), ("rft_val_fmt", "info:ofi/fmt:kev:mtx:book")]
    pairs += [("rft.genre", "book"), ("rft.btitle", item["title"])] if whole else [
        ("rft.genre", "bookitem"), ("rft.atitle", item["title"]), ("rft.btitle", item["container-title"]),
        ("rft.pages", item["number"]),
    ]  # fmt: skip
    pairs += [(f"rft.{key}", item[key]) for key in ("edition", "language") if key in item]
    pairs += [("rft.pub", item["publisher"])] if "publisher" in item else []
    pairs += [
        ("rft.aucorp", n["literal"]) if "literal" in n else ("rft.au", _sorted(n)) for n in item.get("author", [])
    ]
    pairs += [("rft.date", cite.iso(item["issued"]))] if "issued" in item else []
    pairs += [("rft_id", item["URL"])] if "URL" in item else []
    return f'<span class="Z3988" title="{html.escape(urlencode(pairs))}"></span>'


def head(book: cite.Book, page: list[dict], original: dict | None, license_url: str) -> str:
    """The metadata of a page for its head."""
    url = f"{book.site_url}/{page[0]['page']}" if book.site_url else ""
    metas = "".join(
        f'<meta name="{name}" content="{html.escape(value)}">' for name, value in highwire(book, page[0], url)
    )
    data = json.dumps(json_ld(book, page, original, license_url), ensure_ascii=False, sort_keys=True)
    data = data.replace("</", "<\\/")
    site = json.dumps(book.site_url.partition("//")[2] + "/").replace("<", "")
    style = (
        f"<style>:root{{--site:{site}}}</style>" if book.site_url else ""
    )  # on paper a mark is the address of its tag
    return f'{metas}{style}<script type="application/ld+json">{data}</script>'


def ro_crate(book: cite.Book, rows: list[dict], config) -> dict:
    """The site as an RO-Crate 1.1: what the archive of an edition holds, for repositories that read such a file."""
    pages = list(dict.fromkeys(p["page"] for p in rows if p["state"] == "live"))
    names = {p["page"]: p["title"] for p in reversed(rows) if p["kind"] == "section"}
    people = [{"@id": f"#author-{n}"} | who for n, who in enumerate(authors(book), 1)]
    files = [{"@id": p, "@type": "File", "name": names.get(p, p), "encodingFormat": "text/html"} for p in pages]
    files += [
        {"@id": f, "@type": "File", "name": name, "encodingFormat": kind} for f, name, kind in config.citable_data
    ]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": book.title,
        "version": book.edition,
        "datePublished": book.date,
        "description": config.citable_abstract,
        "author": _ids(people),
        "hasPart": _ids(files),
    } | ({"url": book.site_url + "/"} if book.site_url else {})
    about = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
    }
    terms = []
    if config.citable_license:
        address, name, description = config.citable_license
        root["license"] = {"@id": address}
        terms = [{"@id": address, "@type": "CreativeWork", "name": name, "description": description}]
    return {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": [about, root, *terms, *people, *files]}


def _ids(entities: list[dict]) -> list[dict] | dict:
    """References to entities of the graph; of a single one without the list, as the flattened form has it."""
    found = [{"@id": x["@id"]} for x in entities]
    return found[0] if len(found) == 1 else found
