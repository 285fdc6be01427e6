"""Checks of the wider toolbox: means and standard deviations, categorical tests, duplicates."""
