"""Metrics, sex and relatives of every person against the thresholds: the keep list and its account."""

import json
from pathlib import Path

from goe import keep, logs, relatedness, sample_metrics, tables

with logs.to(snakemake.log):
    source, params, output = snakemake.input, snakemake.params, snakemake.output
    guidelines = keep.load(snakemake.input.guidelines, params.thresholds)
    limits = guidelines.parameters
    tools = {
        row.pop("sample_id"): {metric: float(value) if value else None for metric, value in row.items()}
        for path in source.batches
        for row in tables.read(path)
    }
    classes, counts = {}, {}
    with Path(source.variants).open() as handle:
        for line in handle:
            person = json.loads(line)
            classes[person["sample_id"]] = {int(k): v for k, v in person["classes"].items()}
            counts[person["sample_id"]] = person["counts"]
    pairs = [
        relatedness.Pair(row["sample_a"], row["sample_b"], int(row["n_snvs"]), float(row["kinship"]))
        for row in tables.read(source.pairs)
    ]
    relatives = json.loads(Path(source.statement).read_text())
    bases = sample_metrics.Bases.read(source.reference)
    whole_genome = bases.autosomes >= limits["whole_genome_min_bases"]
    rows = keep.gather(tables.read_people(source.people), tools, classes, counts, guidelines)
    unable = keep.decide(rows, pairs, guidelines, params.exclude, whole_genome)
    columns, cells = keep.metric_rows(rows, pairs, limits)
    keep.write_tsv(output.metrics, columns, cells)
    keep.write_tsv(output.keep, keep.KEEP_COLUMNS, keep.keep_rows(rows, params.exclude))
    ledger, flags = keep.account(rows, params.exclude)
    ledger.check()
    Path(output.ledger).write_text(json.dumps({**ledger.as_dict(), "flags": flags}, indent=1) + "\n")
    said = keep.summary(rows, guidelines, params.exclude, whole_genome, relatives, unable)
    Path(output.summary).write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n")
