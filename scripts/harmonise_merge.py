"""One record per site allele of a region, from its own split records and those that crossed its borders."""

from goe import build, logs, seal, spine
from goe.ledger import Ledger

params, output = snakemake.params, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake):
    region = build.Region(*params.region)
    ledger = Ledger(f"harmonise_merge {region.contig}:{region.start}-{region.end}")
    source = snakemake.input
    spine.merge(source.snvs, source.moved, build.Build(**params.build), region, params.raw, output.bcf, ledger)
    ledger.write(output.ledger)
