"""Checks of a finished release, as `goe check` and the run make them."""
