"""Rule align_stats: samtools stats of a person's reads."""

from pathlib import Path

from goe.core import logs, seal
from goe.core.processes import tool

source = snakemake.input
with logs.to(snakemake.log), seal.job(snakemake), Path(snakemake.output.stats).open("wb") as out:
    # Reads that failed the sequencer's own filter are none of the "high quality reads" of GA4GH WGS QC.
    words = ["samtools", "stats", "-@", snakemake.threads, "-F", "QCFAIL", "--reference", source.fasta]
    tool(*words, source.cram, stdout=out)
