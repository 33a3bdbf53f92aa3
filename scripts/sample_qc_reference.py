"""Bases of the reference that are not N, by contig and region class."""

import pysam
from goe import build, keep, logs, sample_metrics

with logs.to(snakemake.log):
    with pysam.FastaFile(snakemake.input.fasta) as fasta:
        rows = sample_metrics.count_bases(build.Build(**snakemake.params.build), fasta.fetch)
    columns = ("contig", "class", "length", "bases")
    keep.write_tsv(snakemake.output[0], columns, [tuple(map(str, row)) for row in rows])
