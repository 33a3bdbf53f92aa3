"""FILTER and statistics of site alleles."""
