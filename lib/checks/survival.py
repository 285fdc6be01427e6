"""Checks on survival data and feasible sets."""
