"""The BED file of callable AN, or of that by coverage, on all contigs, with its index."""

from goe.core import logs, seal
from goe.release.formats import callable_an, sites_vcf

source, output = snakemake.input, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake):
    track = callable_an.PROXY if getattr(snakemake.params, "coverage", False) else callable_an.CALLED
    sites_vcf.join(callable_an.head(callable_an.strata_of(source.tables[0]), track), source.bodies, output.bed, "bed")
