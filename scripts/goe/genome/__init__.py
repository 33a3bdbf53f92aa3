"""The reference: builds, regions, ploidy classes, alleles and their names."""
