"""The Sphinx side of the book: what only the site needs, and what no chapter may depend on."""

from lib.book import (
    adding,
    cards,
    changes,
    citing,
    downloads,
    front,
    glossary,
    layers,
    ledger,
    marks,
    math,
    outputs,
    people,
    references,
    search,
    site,
    studies,
)


def finished(app, exception):
    """What the book adds to the built site, then what the site leaves out."""
    if exception or app.builder.format != "html":
        return
    for write in (
        outputs.write_data,
        downloads.write,
        references.write,
        studies.write,
        changes.write,
        ledger.write,
        search.write,
        site.tidy,
    ):
        write(app)


def setup(app):
    app.setup_extension("sphinx_citable")
    for module in (
        outputs,
        marks,
        layers,
        ledger,
        front,
        glossary,
        citing,
        math,
        downloads,
        references,
        search,
        studies,
        people,
        changes,
        site,
        cards,
        adding,
    ):
        module.setup(app)
    app.connect(
        "build-finished", finished, priority=900
    )  # the theme writes a style sheet at the end that no page loads
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
