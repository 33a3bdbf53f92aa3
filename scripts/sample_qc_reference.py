"""Bases of the reference that are not N, by contig and region class, and where they are on the autosomes."""

from pathlib import Path

from goe.core import logs, seal
from goe.genome import bases, build
from goe.genome.fasta import Reference
from goe.sample_qc import keep

with logs.to(snakemake.log), seal.job(snakemake):
    what = build.Build(**snakemake.params.build)
    with Reference(snakemake.input.fasta) as reference:
        rows = bases.count_bases(what, reference.bases)
        with Path(snakemake.output.autosomes).open("w") as bed:
            bed.writelines(f"{c}\t{start}\t{end}\n" for c, start, end in bases.autosome_runs(what, reference.bases))
    columns = ("contig", "class", "length", "bases")
    keep.write_tsv(snakemake.output.bases, columns, [tuple(map(str, row)) for row in rows])
