"""Rule release_callable_bed: the BED file of all contigs, with its index."""

from goe.core import logs, seal
from goe.release.formats import callable_an, sites_vcf

source, output = snakemake.input, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake):
    sites_vcf.join(callable_an.head(callable_an.strata_of(source.tables[0])), source.bodies, output.bed, "bed")
