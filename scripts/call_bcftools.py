"""Rule call_bcftools: reads of one person to a gVCF, region by region in `threads` pipes."""

from goe.calls.calling import Caller
from goe.core import logs, seal

source, params = snakemake.input, snakemake.params
with logs.to(snakemake.log), seal.job(snakemake):
    caller = Caller(source.fasta, params.contigs, params.caller, params.min_dp, params.min_gq)
    sample, target = snakemake.wildcards.sample, snakemake.output.gvcf
    caller.person(source.cram, sample, params.regions, target, snakemake.threads, snakemake.config.get("scratch"))
