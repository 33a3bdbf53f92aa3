"""Counters of the genotype pass and of the harmonised cohort, summed over the regions: a person a row."""

import json
from pathlib import Path

from goe.core import logs, seal
from goe.sample_qc import metrics as sample_metrics

with logs.to(snakemake.log), seal.job(snakemake):
    classes = sample_metrics.sum_people(snakemake.input.people)
    counts = sample_metrics.sum_regions(snakemake.input.counts)
    with Path(snakemake.output[0]).open("w") as out:
        for sample in sorted({*classes, *counts}):
            row = {"sample_id": sample, "classes": classes.get(sample, {}), "counts": counts.get(sample, {})}
            out.write(json.dumps(row, sort_keys=True) + "\n")
