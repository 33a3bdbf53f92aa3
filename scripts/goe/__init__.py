"""Allele-frequency datasets of national genome cohorts: the library behind the workflow."""

__version__ = "0.1.0"
