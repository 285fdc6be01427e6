"""What the search finds besides words: every section, figure, table and claim, by name or tag, with its kind."""

from __future__ import annotations

from sphinx.domains import Domain, ObjType

from lib import registry


class Parts(Domain):
    """The labelled parts of the book as objects of Sphinx's own search index and inventory, named by their tags."""

    name = "book"
    label = "part of the book"
    object_types = {kind: ObjType(kind) for kind in ("section", "figure", "table", "claim")}

    def get_type_name(self, type, primary=False):
        """The kind alone: a hit reads *claim, in …*."""
        return type.lname

    def resolve_any_xref(self, env, fromdocname, builder, target, node, contnode):
        """Nothing: prose links to labels, not to tags."""
        return []

    def get_objects(self):
        tags = registry.tag_of()
        for part in registry.parts():
            if tag := tags.get(part.label):
                yield tag, f"{part.title} · {tag}", part.kind, part.page, part.label, 1


def setup(app):
    app.add_domain(Parts)
