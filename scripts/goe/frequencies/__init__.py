"""Counts of alleles by stratum."""
