"""Rule align_unit: reads of one unit (a FASTQ pair or an unaligned BAM) to a sorted BAM."""

from pathlib import Path

from goe.calls.unit import Unit
from goe.core import logs, seal
from goe.core.ledger import Ledger

source, output = snakemake.input, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake):
    ledger = Ledger("align_unit")
    index = str(Path(source.index[0]).with_suffix(""))
    number, group = snakemake.wildcards.unit, snakemake.params.read_group
    Unit(list(source.reads), number, group, index, output.bam, snakemake.threads).align(ledger)
    ledger.write(output.ledger)
