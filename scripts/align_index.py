"""Rule align_index: the index of the reference for bwa."""

from goe.core import logs, seal
from goe.core.processes import tool

with logs.to(snakemake.log), seal.job(snakemake):
    tool("bwa", "index", "-p", snakemake.output.amb.removesuffix(".amb"), snakemake.input.fasta)
