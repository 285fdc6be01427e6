"""The Sphinx side of the book: what only the site needs, and what no chapter may depend on."""

from lib.book import downloads, glossary, ledger, marks, math, outputs, search, sections, site


def setup(app):
    for module in (outputs, marks, ledger, glossary, search, sections, math, downloads, site):
        module.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
