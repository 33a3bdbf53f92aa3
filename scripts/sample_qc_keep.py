"""Metrics, sex and relatives of every person against the thresholds: the keep list and its account."""

import json
from pathlib import Path

from goe.core import logs, seal, tables
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import keep, relatedness
from goe.sample_qc import metrics as sample_metrics

with logs.to(snakemake.log), seal.job(snakemake):
    source, exclude, output = snakemake.input, snakemake.params.exclude, snakemake.output
    guidelines = sample_rules.load(source.guidelines, snakemake.params.thresholds)
    limits = guidelines.parameters
    tools, tools_why = keep.read_tools(source.batches)
    classes, counts = keep.read_variants(source.variants)
    pairs = [relatedness.pair_of(row) for row in tables.read(source.pairs)]
    far = keep.read_distances(source.ancestry)
    relatives, ancestry = (json.loads(Path(name).read_text()) for name in (source.statement, source.ancestry_statement))
    whole_genome = sample_metrics.Bases.read(source.reference).autosomes >= limits["whole_genome_min_bases"]
    rows = keep.gather(tables.read_people(source.people), tools, classes, counts, guidelines, far, tools_why)
    unable = keep.decide(rows, pairs, guidelines, exclude, whole_genome)
    if not ancestry["components"] or ancestry["not_assessed"]:
        unable["ancestry"] = ancestry["statement"]
    keep.write_tsv(output.metrics, *keep.metric_rows(rows, pairs, limits))
    keep.write_tsv(output.keep, keep.KEEP_COLUMNS, keep.keep_rows(rows, exclude))
    keep.write_ga4gh(output.ga4gh, rows)
    ledger, flags = keep.account(rows, exclude)
    ledger.check()
    Path(output.ledger).write_text(json.dumps({**ledger.as_dict(), "flags": flags}, indent=1) + "\n")
    relatives = keep.relatives_account(rows, pairs, relatives, exclude, limits)
    said = keep.summary(rows, guidelines, exclude, whole_genome, relatives, unable, ancestry)
    Path(output.summary).write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n")
