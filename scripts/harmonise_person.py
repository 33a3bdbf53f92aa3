"""Rule harmonise_person: one person's gVCF or VCF as site alleles it lists, and where the genome is callable."""

from goe.calls.own_file import OwnFile
from goe.core import files, logs, seal
from goe.genome.build import Build
from goe.harmonise import batch
from goe.harmonise.genotypes import Filter
from goe.harmonise.person import Harmoniser

params, output, source = snakemake.params, snakemake.output, snakemake.input
with logs.to(snakemake.log), seal.job(snakemake), files.scratch(output.runs) as scratch:
    build = Build(**params.build)
    rename = {} if params.called else params.rename
    file = OwnFile(
        source.calls, snakemake.wildcards.sample, build.contigs, rename, params.blocks, indexed=not params.called
    )
    one = Harmoniser(
        file,
        build,
        source.fasta,
        params.sex,
        Filter(**params.filter),
        params.keep_absent,
        params.respect_ft,
        params.raw,
    )
    batch.write_person(one, scratch, output.alleles, output.runs)
    one.ledger.write(output.ledger)
