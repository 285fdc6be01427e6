"""Checks on rounding, counts, effects, ranks and design."""
