"""What machines read of a page, of a tag and of the book: Highwire tags, schema.org, Open Graph, Signposting, COinS,
RO-Crate, and the files of those who deposit, index or cite. All of it derives from ``cite.Book`` through ``schema``.
"""

from __future__ import annotations

import html
import json
import mimetypes
from pathlib import Path
from urllib.parse import urlencode

import yaml

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
    tags += [("citation_author", n["literal"] + "," if "literal" in n else cite.sorted_name(n)) for n in book.names()]
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


def known(fields: dict) -> dict:
    """The fields that hold something."""
    return {k: v for k, v in fields.items() if v}


def agents(book: cite.Book, given: str | None = None) -> list[dict]:
    """The authors, or others as ``given``, as schema.org persons and organisations; who has an ORCID iD is named by it."""
    found = []
    for name in book.names(given):
        orcid = book.orcid.get(cite.sorted_name(name), "")
        person = {"@type": "Person", "name": _name(name), "familyName": name.get("family"), "givenName": name.get("given")}  # fmt: skip
        group = {"@type": "Organization", "name": name.get("literal")}
        found.append(known({"@id": orcid and f"https://orcid.org/{orcid}"} | (group if "literal" in name else person)))
    return found


def schema(book: cite.Book) -> dict:
    """The book as schema.org describes it: what every other description of the whole derives from."""
    firm = book.publisher and {"@type": "Organization", "name": book.publisher}
    funders = [{"@type": "Organization", "name": _name(n)} for n in book.names(book.funder)]
    address = book.site_url and f"{book.site_url}/"
    return known({
        "@type": "Book", "@id": f"https://doi.org/{book.doi}" if book.doi else address, "name": book.title,
        "abstract": book.abstract, "bookEdition": book.edition, "datePublished": book.date, "author": agents(book),
        "editor": agents(book, book.editors), "publisher": firm, "funder": funders,
        "license": book.license and book.license[0], "inLanguage": book.language, "url": address,
    })  # fmt: skip


def named(book: cite.Book, part: dict, up: str) -> dict:
    """A part by its address, or while there is none by the way to it through ``up``."""
    kind = "Book" if book.whole(part) else SCHEMA.get(part["kind"], "CreativeWork") if part["chapter"] else "Chapter"
    place = book.address(part["tag"]) or f"{up}t/{part['tag']}/"
    return {"@id": place, "@type": kind, "identifier": part["tag"], "name": part["title"]}


def json_ld(book: cite.Book, parts: list[dict], original: dict | None, up: str, outer: dict | None = None) -> dict:
    """The first of ``parts``, a chapter or the book itself, with the others in it and the work it is about, as schema.org
    has it; of a part alone, as its tag has it, no more than what it is and what ``outer`` part or book it stands in.
    """
    top, *others = parts
    book = book.holding(top)
    whole, found = schema(book), {"@context": "https://schema.org"} | named(book, top, up)
    whole["@id"] = whole.get("@id") or f"{up}{book.root}"
    if outer:
        return found | {"isPartOf": {"@id": named(book, outer, up)["@id"]}}
    if book.whole(top):
        found |= whole
    else:
        held = known({k: whole.get(k) for k in ("@type", "@id", "name", "bookEdition", "publisher", "url")})
        own = known({k: whole.get(k) for k in ("author", "datePublished", "inLanguage", "license")})
        found |= own | {"isPartOf": held} | known({"url": book.address(top["tag"])})
    inside = [named(book, part, up) for part in others]
    return found | known({"hasPart": inside, "citation": original and _work(original)})


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
    return author.get("literal") or " ".join(author[k] for k in ("given", "family") if k in author)


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
    pairs += [("rft.aucorp" if "literal" in n else "rft.au", cite.sorted_name(n)) for n in item.get("author", [])]
    pairs += [("rft.date", cite.iso(item["issued"]))] if "issued" in item else []
    pairs += [("rft_id", item["URL"])] if "URL" in item else []
    return f'<span class="Z3988" title="{html.escape(urlencode(pairs))}"></span>'


def links(book: cite.Book, part: dict, up: str, folder: str) -> list[dict[str, str]]:
    """Signposting as links of a page, for a site that sends no headers: how to cite a part, by whom it is, on what terms,
    what it is and where machines read of it. ``up`` leads to the top of the site, ``folder`` to the part's own.
    """
    whole = book.whole(part)
    pid = f"https://doi.org/{book.doi}" if whole and book.doi else book.address(part["tag"])
    found = [{"rel": "cite-as", "href": pid}]
    found += [{"rel": "author", "href": who.get("@id", "")} for who in agents(book)]
    found += [{"rel": "license", "href": book.license[0] if book.license else ""}]
    found += [{"rel": "type", "href": f"https://schema.org/{'Book' if whole else 'CreativeWork'}"}]
    found += [{"rel": "describedby", "type": kind, "href": folder + file} for file, kind in CITED.items()]
    if whole:
        found += [{"rel": "describedby", "type": kind, "href": up + file} for file, kind in WHOLE.items()]
    else:
        found += [{"rel": "collection", "href": f"{up}{book.root}"}]
    return [link for link in found if link["href"]]


CITED = {"cite.json": "application/vnd.citationstyles.csl+json", "cite.bib": "application/x-bibtex",
         "cite.ris": "application/x-research-info-systems"}  # fmt: skip
WHOLE = {"ro-crate-metadata.json": "application/ld+json", "codemeta.json": "application/ld+json",
         "datacite.json": "application/vnd.datacite.datacite+json"}  # fmt: skip
"""What describes a part, and what the book, with its media type."""


def open_graph(book: cite.Book, part: dict, url: str) -> list[tuple[str, str]]:
    """What whoever shows a link to a page asks for; nothing while the site has no address, for it must be whole."""
    tags = [("og:type", "book" if book.whole(part) else "article"), ("og:title", part["title"]), ("og:url", url)]
    return [*tags, ("og:site_name", book.title)] if url else []


def head(book: cite.Book, page: list[dict], original: dict | None, url: str, up: str, outer: dict | None = None) -> str:
    """The metadata of a page, or of the page of a tag that stands in an ``outer`` part, for its head; ``url`` is the page's
    address, "" while it has none.
    """
    top, folder = page[0], "" if outer else f"{up}t/{page[0]['tag']}/"
    tags = [("name", *pair) for pair in highwire(book, top, url)]
    tags += [("property", *pair) for pair in open_graph(book, top, url.partition("#")[0])]
    metas = "".join(f'<meta {kind}="{name}" content="{html.escape(value)}">' for kind, name, value in tags)
    for link in links(book, top, up, folder):
        metas += "<link " + " ".join(f'{key}="{html.escape(value)}"' for key, value in link.items()) + ">"
    data = json.dumps(json_ld(book, page, original, up, outer), ensure_ascii=False, sort_keys=True).replace(
        "</", "<\\/"
    )
    return f'{metas}<script type="application/ld+json">{data}</script>'


def described(book: cite.Book) -> dict[str, dict]:
    """The whole book for those who deposit, index or cite it, by the name of the file each of them reads.

    A field that is not known is left out: a draft of no edition has no version, and none has an invented DOI.
    """
    whole = schema(book)
    persons = {"author": agents(book), "editor": agents(book, book.editors)}
    spdx = book.license[1].replace(" ", "-") if book.license else ""

    def listed(who: dict) -> str:
        return f"{who['familyName']}, {who['givenName']}" if "familyName" in who else who["name"]

    def orcid(who: dict) -> str:
        return who.get("@id", "").rpartition("/")[2]

    def zenodo(who: dict) -> dict:
        return known({"name": listed(who), "orcid": orcid(who)})

    def datacite(who: dict) -> dict:
        kind = "Personal" if "familyName" in who else "Organizational"
        names = {"givenName": who.get("givenName"), "familyName": who.get("familyName")}
        identifier = {
            "nameIdentifier": who.get("@id"),
            "nameIdentifierScheme": "ORCID",
            "schemeUri": "https://orcid.org",
        }
        return known({"name": listed(who), "nameType": kind, **names, "nameIdentifiers": orcid(who) and [identifier]})

    def cff(who: dict) -> dict:
        names = {"family-names": who.get("familyName"), "given-names": who.get("givenName"), "orcid": who.get("@id")}
        return known(names) if "familyName" in who else {"name": who["name"]}

    shared = {
        "title": book.title,
        "authors": [cff(w) for w in persons["author"]],
        "doi": book.doi,
        "url": book.site_url,
    }
    created, edited = (list(map(zenodo, persons[key])) for key in ("author", "editor"))
    made, corrected = (list(map(datacite, persons[key])) for key in ("author", "editor"))
    address, _, terms = book.license or ("", "", "")
    code = {"@context": "https://w3id.org/codemeta/3.0", **whole, "@type": "SoftwareSourceCode", "description": book.abstract,
            "version": book.edition, "codeRepository": book.repository}  # fmt: skip
    deposit = {
        "upload_type": "publication", "publication_type": "book", "title": book.title, "description": book.abstract,
        "creators": created, "contributors": [who | {"type": "Editor"} for who in edited], "version": book.edition,
        "publication_date": book.date, "license": spdx.lower(), "imprint_publisher": book.publisher,
        "related_identifiers": book.site_url and [{"identifier": f"{book.site_url}/", "relation": "isIdenticalTo", "scheme": "url"}],
    }  # fmt: skip
    registered = {
        "schemaVersion": "http://datacite.org/schema/kernel-4", "doi": book.doi, "url": whole.get("url"),
        "types": {"resourceTypeGeneral": "Book", "resourceType": "Book of executable chapters"},
        "titles": [{"title": book.title, "lang": book.language}], "creators": made,
        "contributors": [who | {"contributorType": "Editor"} for who in corrected],
        "publisher": book.publisher and {"name": book.publisher}, "publicationYear": book.year,
        "dates": book.date and [{"date": book.date, "dateType": "Issued"}], "version": book.edition, "language": book.language,
        "descriptions": book.abstract and [{"description": book.abstract, "descriptionType": "Abstract"}],
        "rightsList": address and [{"rightsUri": address, "rights": terms, "rightsIdentifier": spdx.lower()}],
        "fundingReferences": [{"funderName": who["name"]} for who in whole.get("funder", [])],
    }  # fmt: skip
    preferred = {
        "type": "book", **shared, "editors": [cff(w) for w in persons["editor"]], "edition": book.edition,
        "publisher": book.publisher and {"name": book.publisher}, "year": book.date and int(book.year),
    }  # fmt: skip
    citation = {
        "cff-version": "1.2.0", "type": "dataset",
        "message": "If you use this book, cite the section you used; its citation stands beside its heading.",
        **shared, "abstract": book.abstract, "license": spdx, "version": book.edition, "date-released": book.date,
        "repository-code": book.repository, "preferred-citation": known(preferred),
    }  # fmt: skip
    named = {"codemeta.json": code, ".zenodo.json": deposit, "datacite.json": registered, "CITATION.cff": citation}
    return {name: known(fields) for name, fields in named.items()}


FORMATS = {".json": lambda found: json.dumps(found, ensure_ascii=False, indent=1) + "\n",
           ".cff": lambda found: yaml.safe_dump(json.loads(json.dumps(found)), sort_keys=False, allow_unicode=True, width=120)}  # fmt: skip


def write(folder: Path, book: cite.Book, *names: str) -> None:
    """Write the descriptions of the whole book into ``folder``: all of them, or those named."""
    for name, found in described(book).items():
        if not names or name in names:
            path = folder / name
            path.write_text(FORMATS[path.suffix](found), "utf-8", newline="\n")


def ro_crate(book: cite.Book, rows: list[dict], names: dict[str, str]) -> dict:
    """The site as an RO-Crate 1.1, for repositories that read such a file; ``files`` adds what the site holds.

    Pages are named by their titles and other files as in ``names``.
    """
    names = {p["page"]: p["title"] for p in reversed(rows) if p["kind"] == "section" and p["state"] == "live"} | names
    whole = schema(book)
    graph: dict[str, dict] = {}

    def held(entities: list[dict], kind: str) -> list[dict] | dict:
        found = [entity | {"@id": entity.get("@id") or f"#{kind}-{n}"} for n, entity in enumerate(entities, 1)]
        graph.update({entity["@id"]: entity for entity in found})
        return _ids(found)

    root = known({k: whole.get(k) for k in ("name", "datePublished", "inLanguage", "url")}) | known(
        {
            "@type": "Dataset",
            "version": book.edition,
            "description": book.abstract,
            "identifier": book.doi and f"https://doi.org/{book.doi}",
            "author": held(whole["author"], "author"),
            "editor": held(whole.get("editor", []), "editor"),
            "publisher": held([whole["publisher"]], "publisher") if book.publisher else None,
            "funder": held(whole.get("funder", []), "funder"),
        }
    )
    if book.license:
        address, name, description = book.license
        terms = {"@id": address, "@type": "CreativeWork", "name": name, "description": description}
        root["license"] = held([terms], "license")
    about = {
        "@id": CRATE,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
    }
    files = [{"@id": name, "@type": "File", "name": words} for name, words in names.items()]
    graph = {CRATE: about, "./": {"@id": "./"} | root, **graph}
    return {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": [*graph.values(), *files]}


CRATE = "ro-crate-metadata.json"
FOLDERS = {
    "t/": "The page of every tag, with its citation in four formats",
    "_static/": "What the pages load",
    "editions/": "",
}
"""Folders described as a whole; that without words belongs to the living site and not to the crate."""


def files(site: Path) -> None:
    """Describe in the crate of a finished ``site`` every file that it holds, and none that it does not."""
    path = site / CRATE
    crate = json.loads(path.read_text("utf-8"))
    names = {x["@id"]: x["name"] for x in crate["@graph"] if x["@type"] == "File"}
    kinds, found = mimetypes.MimeTypes(), {}  # those of Python alone, not of the machine
    for file in sorted(p.relative_to(site).as_posix() for p in site.rglob("*") if p.is_file()):
        folder = next((name for name in FOLDERS if file.startswith(name)), "")
        if folder and FOLDERS[folder]:
            found[folder] = {"@id": folder, "@type": "Dataset", "name": FOLDERS[folder]}
        elif not folder and file not in (CRATE, "changes.js"):
            kind = kinds.guess_type(file)[0] or "application/octet-stream"
            found[file] = {"@id": file, "@type": "File", "name": names.get(file, file), "encodingFormat": kind}
    others = [x for x in crate["@graph"] if x["@type"] != "File" and x["@id"] not in FOLDERS]
    next(x for x in others if x["@id"] == "./")["hasPart"] = _ids(list(found.values()))
    crate["@graph"] = [*others, *found.values()]
    path.write_text(json.dumps(crate, ensure_ascii=False, indent=1) + "\n", "utf-8", newline="\n")


def _ids(entities: list[dict]) -> list[dict] | dict:
    """References to entities of the graph; of a single one without the list, as the flattened form has it."""
    found = [{"@id": x["@id"]} for x in entities]
    return found[0] if len(found) == 1 else found


def sitemap(book: cite.Book, rows: list[dict]) -> str:
    """The addresses of the pages and of the tags as search engines read them."""
    pages = dict.fromkeys(f"{book.site_url}/{row['page']}" for row in rows if row["state"] == "live")
    tags = (book.address(row["tag"]) for row in rows if row["tag"])
    urls = "".join(f"<url><loc>{html.escape(url)}</loc></url>\n" for url in (*pages, *tags))
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return f"{head}{urls}</urlset>\n"
