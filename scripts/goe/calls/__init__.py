"""Reads, gVCFs and joint VCFs as they came, up to one BCF a region."""
