"""Rule align_index: the index of the reference for bwa."""

from pathlib import Path

from goe.core import logs, seal
from goe.core.processes import tool

with logs.to(snakemake.log), seal.job(snakemake):
    Path(snakemake.output.index).mkdir(parents=True, exist_ok=True)
    tool("bwa", "index", "-p", snakemake.params.prefix, snakemake.input.fasta)
