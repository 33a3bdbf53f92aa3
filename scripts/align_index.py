"""Rules align_index and align_index_mem2: the index of the reference for the aligner."""

from pathlib import Path

from goe.calls.aligners import Aligner
from goe.core import logs, seal

params = snakemake.params
with logs.to(snakemake.log), seal.job(snakemake):
    Path(snakemake.output.index).mkdir(parents=True, exist_ok=True)
    Aligner(params.aligner, params.prefix).make_index(snakemake.input.fasta)
