"""Rule align_person: one person's CRAM, from aligned units, or from the BAM or CRAM that was given."""

from goe.calls import cram_of_person
from goe.core import logs, seal
from goe.core.ledger import Ledger

source, params, output = snakemake.input, snakemake.params, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake):
    ledger = Ledger("align_person")
    target = cram_of_person.Target(output.cram, source.fasta, snakemake.threads)
    if params.adopted:
        cram_of_person.adopt(
            source.reads, params.sample, params.cram, params.rename, params.ignore_contigs, target, ledger
        )
    else:
        cram_of_person.from_units(source.reads, target, ledger)
    target.index(output.crai, ledger)
    ledger.write(output.ledger)
