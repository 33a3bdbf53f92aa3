"""Rule align_depth: mean depth of each contig, and its distribution, by mosdepth."""

import os
from pathlib import Path

from goe.core import logs, seal
from goe.core.processes import tool

source, output = snakemake.input, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake):
    # Two decimals are too few for a mean over a genome.
    os.environ["MOSDEPTH_PRECISION"] = "6"
    # For the depth of X and Y: duplicates and reads below mapping quality 20 are not depth, and of a pair that overlaps
    # each base counts once (no --fast-mode).
    words = ["mosdepth", "--no-per-base", "--mapq", "20", "--threads", snakemake.threads, "--fasta", source.fasta]
    tool(*words, Path(output.summary).parent / snakemake.wildcards.sample, source.cram)
