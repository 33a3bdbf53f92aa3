"""Filter, ploidy, atoms and splitting of one region of a joint VCF; what can move is left-aligned and sorted."""

from goe.calls import joint
from goe.core import logs, seal
from goe.genome import build
from goe.genome.fasta import Reference
from goe.harmonise import files as harmonised
from goe.harmonise import genotypes
from goe.harmonise import people as cohort
from goe.harmonise import records as harmonise
from goe.hts import parquet

params, output = snakemake.params, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake):
    file = joint.JointFile.counted(snakemake.input.counts, params.rename)
    region = build.Region(*params.region)
    with joint.opened(file, region, tuple(harmonise.METRICS), harmonise.FIELDS) as reader:
        splitter = harmonise.Splitter(
            build.Build(**params.build),
            region,
            Reference(snakemake.input.fasta),
            cohort.people_of(reader, snakemake.input.people),
            genotypes.Filter(**params.filter),
            params.respect_ft,
            params.raw,
            params.starts,
        )
        harmonised.split(reader, splitter, snakemake.input.fasta, output.snvs, output.moved)
    parquet.write(splitter.people_table(), output.people)
    splitter.ledger.write(output.ledger)
