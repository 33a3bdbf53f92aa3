"""Genotype filter, ploidy, splitting and left-alignment: the cohort in one form."""
