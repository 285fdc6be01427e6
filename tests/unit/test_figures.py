"""Figures: what the clean-up of an SVG may change, and what it may not."""

from lib.figures import tidy


def test_coordinates_are_rounded_but_labels_are_not():
    svg = '<svg><path d="M 1.2345 6.789"/><text x="10.123">0.006</text></svg>'
    assert tidy(svg) == '<svg><path d="M 1.2 6.8"/><text x="10.1">0.006</text></svg>\n'
