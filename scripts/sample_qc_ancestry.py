"""Principal components of the cohort by plink2, and the distance of everybody from the own country."""

import json
from pathlib import Path

from goe.core import files, logs, seal, tables
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import ancestry, keep, plink, relatedness

source, output = snakemake.input, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake), files.scratch(output.people) as scratch:
    limits = sample_rules.load(source.guidelines, snakemake.params.thresholds).parameters
    sheet = tables.read_people(source.people)
    pairs = [relatedness.pair_of(row) for row in tables.read(source.pairs)]
    snvs = plink.Snvs.read(source.about)
    stem = Path(source.bed).with_suffix("")
    memory = plink.work_space(snakemake.resources)
    columns, rows, said = ancestry.assess(stem, snvs, sheet, pairs, limits, memory, scratch)
    keep.write_tsv(output.people, columns, rows)
    Path(output.statement).write_text(json.dumps(said, indent=1) + "\n")
