"""Filter, ploidy, atoms and splitting of one region's cohort BCF; what can move is left-aligned and sorted."""

from goe import build, cohort, genotypes, harmonise, logs, parquet, seal, spine
from goe.alleles import Reference

params, output = snakemake.params, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake):
    with spine.open_split(snakemake.input.bcf) as reader:
        splitter = harmonise.Splitter(
            build.Build(**params.build),
            build.Region(*params.region),
            Reference(snakemake.input.fasta),
            cohort.people_of(reader, snakemake.input.people),
            genotypes.Filter(**params.filter),
            params.respect_ft,
            params.raw,
        )
        spine.split(reader, splitter, snakemake.input.fasta, output.snvs, output.moved)
    parquet.write(splitter.people_table(), output.people)
    splitter.ledger.write(output.ledger)
