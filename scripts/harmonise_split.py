"""Filter, ploidy, atoms and splitting of one region's cohort BCF; left-aligned by bcftools norm, sorted."""

import tempfile
from pathlib import Path

import pyarrow.parquet as pq
from goe import build, cohort, genotypes, harmonise, logs
from goe.alleles import Reference
from goe.bcf import open_bcf
from goe.run import feeding

params, output = snakemake.params, snakemake.output
with logs.to(snakemake.log), tempfile.TemporaryDirectory(dir=Path(output.bcf).parent) as scratch:
    norm = ["bcftools", "norm", "--no-version", "-f", snakemake.input.fasta, "--check-ref", "e", "-Ou", "-"]
    sort = ["bcftools", "sort", "-m", "100M", "-T", f"{scratch}/sort", "-Ob", "-o", output.bcf, "-"]
    with (
        open_bcf(snakemake.input.bcf, info=tuple(harmonise.METRICS), formats=harmonise.FIELDS) as reader,
        feeding(norm, sort) as stream,
    ):
        splitter = harmonise.Splitter(
            build.Build(**params.build),
            build.Region(*params.region),
            Reference(snakemake.input.fasta),
            cohort.people_of(reader, snakemake.input.people),
            genotypes.Filter(**params.filter),
            params.respect_ft,
            params.raw,
        )
        out = harmonise.writer(stream, reader.header, splitter.build, params.raw)
        for record in splitter(reader):
            out.write(record)
    pq.write_table(splitter.people_table(), output.people, compression="zstd")
    splitter.ledger.write(output.ledger)
