"""Metrics, sex and relatives of every person against the thresholds: the keep list and its account."""

import json
from pathlib import Path

from goe.core import logs, seal, tables
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import ga4gh, keep, relatedness
from goe.sample_qc import metrics as sample_metrics

with logs.to(snakemake.log), seal.job(snakemake):
    source, params, output = snakemake.input, snakemake.params, snakemake.output
    guidelines = sample_rules.load(snakemake.input.guidelines, params.thresholds)
    limits = guidelines.parameters
    tools, tools_why = {}, {}
    for path in source.batches:
        with Path(path).open() as handle:
            for line in handle:
                person = json.loads(line)
                tools[person["sample_id"]] = person["metrics"]
                tools_why[person["sample_id"]] = person["why"]
    classes, counts = {}, {}
    with Path(source.variants).open() as handle:
        for line in handle:
            person = json.loads(line)
            classes[person["sample_id"]] = {int(k): v for k, v in person["classes"].items()}
            counts[person["sample_id"]] = person["counts"]
    pairs = [relatedness.pair_of(row) for row in tables.read(source.pairs)]
    far = {
        row["sample_id"]: float(row["ancestry_distance"]) if row["ancestry_distance"] else None
        for row in tables.read(source.ancestry)
    }
    relatives, ancestry = (json.loads(Path(name).read_text()) for name in (source.statement, source.ancestry_statement))
    bases = sample_metrics.Bases.read(source.reference)
    whole_genome = bases.autosomes >= limits["whole_genome_min_bases"]
    rows = keep.gather(tables.read_people(source.people), tools, classes, counts, guidelines, far, tools_why)
    unable = keep.decide(rows, pairs, guidelines, params.exclude, whole_genome)
    columns, cells = keep.metric_rows(rows, pairs, limits)
    keep.write_tsv(output.metrics, columns, cells)
    keep.write_tsv(output.keep, keep.KEEP_COLUMNS, keep.keep_rows(rows, params.exclude))
    folder = Path(output.ga4gh)
    folder.mkdir()
    for row in rows:
        (folder / f"{row.sample_id}.metrics.json").write_text(ga4gh.document(row.sample_id, row.metrics, row.why))
    ledger, flags = keep.account(rows, params.exclude)
    ledger.check()
    Path(output.ledger).write_text(json.dumps({**ledger.as_dict(), "flags": flags}, indent=1) + "\n")
    if not ancestry["components"] or ancestry["not_assessed"]:
        unable["ancestry"] = ancestry["statement"]
    relatives = keep.relatives_account(rows, pairs, relatives, params.exclude, limits)
    said = keep.summary(rows, guidelines, params.exclude, whole_genome, relatives, unable, ancestry)
    Path(output.summary).write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n")
