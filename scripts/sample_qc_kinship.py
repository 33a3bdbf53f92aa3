"""Kinship of every pair of people from the common autosomal SNVs, by plink2 (KING-robust)."""

import json
from pathlib import Path

from goe.core import files, logs, seal
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import keep, kinship, plink, relatedness

source, params, output = snakemake.input, snakemake.params, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake), files.scratch(output.pairs) as scratch:
    limits = sample_rules.load(source.guidelines, params.thresholds).parameters
    snvs = plink.Snvs.read(source.about)
    stem = Path(source.bed).with_suffix("")
    memory = plink.work_space(snakemake.resources)
    pairs, said = kinship.find(stem, snvs, params.autosomes, limits, snakemake.threads, memory, scratch)
    keep.write_tsv(output.pairs, relatedness.COLUMNS, [relatedness.row(p, limits) for p in pairs])
    Path(output.statement).write_text(json.dumps(said, indent=1) + "\n")
