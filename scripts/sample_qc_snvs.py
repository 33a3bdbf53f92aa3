"""The common autosomal SNVs of everybody that are not in LD: what kinship and ancestry are seen from."""

from pathlib import Path

from goe.core import files, logs, seal
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import plink

with logs.to(snakemake.log), seal.job(snakemake), files.scratch(snakemake.output.bed) as scratch:
    limits = sample_rules.load(snakemake.input.guidelines, snakemake.params.thresholds).parameters
    memory = plink.work_space(snakemake.resources)
    found = plink.collect(snakemake.input.common, f"{scratch}/common")
    stem = Path(snakemake.output.bed).with_suffix("")
    plink.prune(f"{scratch}/common", stem, found, limits, snakemake.threads, memory).write(snakemake.output.about)
