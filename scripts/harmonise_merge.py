"""One record per site allele of a region, from its own split records and those that crossed its borders."""

from goe.core import logs, seal
from goe.core.ledger import Ledger
from goe.genome import build
from goe.harmonise import files as harmonised

params, output = snakemake.params, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake):
    region = build.Region(*params.region)
    ledger = Ledger(f"harmonise_merge {region.contig}:{region.start}-{region.end}")
    source = snakemake.input
    harmonised.merge(source.snvs, source.moved, build.Build(**params.build), region, params.raw, output.bcf, ledger)
    ledger.write(output.ledger)
