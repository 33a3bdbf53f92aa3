"""Read metrics of the people of one batch from the reports of mosdepth, samtools and VerifyBamID2."""

import json
from pathlib import Path

from goe.core import logs, seal
from goe.sample_qc import keep, tool_reports
from goe.sample_qc import metrics as sample_metrics

with logs.to(snakemake.log), seal.job(snakemake):
    source, params = snakemake.input, snakemake.params
    bases = sample_metrics.Bases.read(source.reference)
    with Path(snakemake.output.metrics).open("w") as out:
        for i, person in enumerate(params.people):
            values, why = sample_metrics.read_metrics(
                tool_reports.samtools_stats(source.stats[i]),
                tool_reports.depth_histogram(source.coverage[i], bases.autosomes),
                tool_reports.freemix(source.freemix[i]) if source.freemix else None,
                tool_reports.mosdepth_summary(source.summary[i]),
                bases,
            )
            metrics = {m: sample_metrics.rounded(m, value) for m, value in values.items()}
            out.write(json.dumps({"sample_id": person, "metrics": metrics, "why": why}, sort_keys=True) + "\n")
    # MultiQC calls a report by its file name, so those of the units need one with the person in it.
    files = [(Path(name).name, name) for name in (*source.summary, *source.dist, *source.stats)]
    files += [(f"{person}.{Path(name).name}", name) for person in params.people for name in params.fastp[person]]
    keep.write_tsv(snakemake.output.files, ("name", "path"), files)
