"""A release held against a second run: `snakemake audit`."""
