"""The package for a node of the Genomic Data Infrastructure."""
