"""Bases of the reference that are not N, by contig and region class, and where they are on the autosomes."""

from pathlib import Path

import pysam
from goe.core import logs, seal
from goe.genome import build
from goe.sample_qc import keep
from goe.sample_qc import metrics as sample_metrics

with logs.to(snakemake.log), seal.job(snakemake):
    what = build.Build(**snakemake.params.build)
    with pysam.FastaFile(snakemake.input.fasta) as fasta:
        rows = sample_metrics.count_bases(what, fasta.fetch)
        with Path(snakemake.output.autosomes).open("w") as bed:
            bed.writelines(
                f"{c}\t{start}\t{end}\n" for c, start, end in sample_metrics.autosome_runs(what, fasta.fetch)
            )
    columns = ("contig", "class", "length", "bases")
    keep.write_tsv(snakemake.output.bases, columns, [tuple(map(str, row)) for row in rows])
