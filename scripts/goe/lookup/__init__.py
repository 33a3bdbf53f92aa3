"""Parts of a release: one allele, asked for by any of its names, and one stratum as a file of its own."""
