"""The quiet *cite* mark beside every part of a page, and the box with its citation that the mark opens in place.

The translator writes a mark wherever it writes the permalink of a part. The box is a native popover; it holds the record
as Vancouver text and the link to the tag's page, which has all else, and works without a script.

Written out for every part, the other formats would make a page half as heavy again. They differ between the parts of a
page in title, tag and hashes alone, once they are of the same edition; so the page holds each format once for each
edition, made by the same processors from a part of marks, and the script puts a part's own words in their place.
``spelled`` refuses a part for which that is not its file to the letter.
"""

from __future__ import annotations

import html
import re

from docutils import nodes

from sphinx_citable import cite, metadata

WORDS = {"title": "@TITLE@", "tag": "@TAG@", "sha256_text": "@OFTEXT@", "sha256_results": "@RESULT@"}
"""What stands in a format for a part's own words; the two for hashes as long as a hash in a citation."""
RESULTS = re.compile(rf"(, results |\.){WORDS['sha256_results']}")
"""What is left out of a format for a part that prints no result."""


class CiteMarks:
    """What is mixed into the HTML translator: after the permalink of a part, its mark."""

    def add_permalink_ref(self, node, title):
        super().add_permalink_ref(node, title)
        self.body.append(mark(node))


def mark(node: nodes.Element) -> str:
    """The button beside a part; nothing for a node that is none."""
    if "cite_tag" not in node:
        return ""
    tag, kind = node["cite_tag"], node["cite_kind"]
    return (
        f'<button type="button" class="cite-mark" data-tag="{tag}" popovertarget="cite-{tag}" '
        f'aria-label="Cite {kind} {tag}">cite</button>'
    )


def place(doctree: nodes.document, rows: list[dict]) -> None:
    """Tell the nodes of a page which part each of them is."""
    by_label = {row["label"]: row for row in rows if row["tag"]}
    for node in doctree.findall(nodes.Element):
        row = next((by_label[i] for i in node.get("ids", ()) if i in by_label), None)
        if row and not isinstance(node, nodes.target):
            node["cite_tag"], node["cite_kind"] = row["tag"], row["kind"]


def boxes(doctree: nodes.document, rows: list[dict], book: cite.Book, original: dict | None, words: dict) -> str:
    """The boxes of the parts marked on a page, at its end; ``words`` as in the configuration."""
    marked = {node["cite_tag"] for node in doctree.findall(nodes.Element) if "cite_tag" in node}
    up = "../" * rows[0]["page"].count("/")
    boxed = [(row, cite.part_item(book, row)) for row in rows if row["tag"] in marked]
    forms: dict[tuple, dict[str, str]] = {}  # of each edition, and of the book as a whole
    found = []
    for row, item in boxed:
        key = (row["edition"], item["type"])
        forms[key] = forms.get(key) or _forms(book, row)
        found.append(_box(row, item, forms[key], list(forms).index(key), up))
    texts = "".join(
        f'<pre data-set="{n}" data-form="{file.partition(".")[2]}" title="{name}">{html.escape(one[file], quote=False)}</pre>'
        for n, one in enumerate(forms.values())
        for name, file, _ in cite.FORMATS[1:]
    )
    texts += "<span>Files " + " ".join(
        f'<a data-to="{up}t/@TAG@/{file}" download>{name}</a>' for name, file, _ in cite.FORMATS
    ) + "</span>"  # fmt: skip
    if original:
        other = words["original"][:1].upper() + words["original"][1:]
        files = " ".join(
            f'<a href="{up}t/{cite.source(original, file)}" download>{name}</a>' for name, file, _ in cite.FORMATS[1:]
        )
        line = html.escape(cite.lines([original])[0], quote=False)
        texts += f"<dt>{other}</dt><dd>{line}</dd><span>{other} {files}</span>"
    found += [metadata.coins(item) for _, item in boxed[:1]]  # the page as one item for a reference manager
    return f'<div class="cite-boxes"><template id="cite-forms">{texts}</template>{"".join(found)}</div>'


def _forms(book: cite.Book, part: dict) -> dict[str, str]:
    """Each format but Vancouver, by its file, with marks for the words of a part."""
    item = cite.part_item(book, part | WORDS) | {"title": WORDS["title"]}
    return {file: form([item]) for _, file, form in cite.FORMATS[1:]}


def spelled(form: str, text: str, part: dict) -> str:
    """The title as a format spells it, from the format's ``form`` and its ``text`` for the part.

    Raises
    ------
    ValueError
        The two differ in more than the marks.
    """
    form = form if part["sha256_results"] else RESULTS.sub("", form)
    for key in ("tag", "sha256_text", "sha256_results"):
        form = form.replace(WORDS[key], part[key][: cite.HASH])
    before, _, after = form.partition(WORDS["title"])
    title = text[len(before) : len(text) - len(after)]
    if text != before + title + after or WORDS["title"] in after:
        raise ValueError(f"{part['label']}: its citation does not follow the page's form; it needs a mark more")
    return title


def _box(part: dict, item: dict, forms: dict, n: int, up: str) -> str:
    """The box that a part's mark opens, filled from the ``n``th set of ``forms``; ``up`` leads to the top of the site."""
    tag, e = part["tag"], html.escape
    kind = "book" if item["type"] == "book" else part["kind"]
    words = {"set": str(n), "title": item["title"]} | dict(zip(("text", "results"), cite.hashes(part)))
    for _, file, form in cite.FORMATS[1:]:
        title = spelled(forms[file], form([item]), part)
        words |= {file.partition(".")[2]: title} if title != item["title"] else {}
    data = "".join(f' data-{key}="{e(value)}"' for key, value in words.items())
    line = e(cite.lines([item])[0], quote=False)
    return (
        f'<div popover id="cite-{tag}" class="cite-box" role="dialog" aria-label="Cite {kind} {tag}"{data}>'
        f"<dl><dt>This {kind}, Vancouver style</dt><dd>{line}</dd></dl>"
        f'<p class="cite-files"><a href="{up}t/{tag}/index.html">t/{tag}, its permanent page</a></p></div>'
    )
