"""Rule coverage_person: how deep the reads beside a person's calls lie, by the genotype filter's thresholds."""

import shutil

from goe.calls import coverage
from goe.core import files, logs, seal

source, params, output = snakemake.input, snakemake.params, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake), files.scratch(output.bed) as scratch:
    prefix = f"{scratch}/{snakemake.wildcards.sample}"
    made = coverage.quantised(params.reads, source.fasta, params.depths, params.min_mapq, prefix, snakemake.threads)
    shutil.move(made, output.bed)
    shutil.move(f"{made}.csi", output.index)
