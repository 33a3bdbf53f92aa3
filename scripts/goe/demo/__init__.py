"""A made-up cohort with known genotypes: mini genome, people, seven kinds of input file, and the truth beside them."""
