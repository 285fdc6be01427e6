"""Formulas as MathML at build time: no script, no font, nothing from another host."""

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

log = logging.getLogger(__name__)


def _mathml(node: nodes.Element, display: str) -> str:
    try:
        return convert(node.astext(), display=display)
    except Exception as error:  # the converter has no common base class for what it cannot read
        log.warning("formula: %s: %s", type(error).__name__, error, location=node, type="book", subtype="math")
        return nodes.Text(node.astext()).astext()


def inline(self, node):
    self.body.append(_mathml(node, "inline"))
    raise nodes.SkipNode


def block(self, node):
    self.body.append(self.starttag(node, "div", CLASS="math"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})</span>')
    self.body.append(_mathml(node, "block") + "</div>")
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
