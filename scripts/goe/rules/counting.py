"""The version of the counting rules, which every release says: numbers made by different ones are never added up."""

VERSION = "1"
"""Of docs/counting.md. One more whenever a rule changes what a genotype counts as; thresholds are told apart."""
