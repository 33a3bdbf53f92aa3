"""One allele of a release, asked for by any of its names."""
