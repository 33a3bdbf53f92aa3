"""The formats of the numbers."""
