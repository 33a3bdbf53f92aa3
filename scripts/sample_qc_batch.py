"""Read metrics of the people of one batch from the reports of mosdepth, samtools and VerifyBamID2."""

import json
from pathlib import Path

from goe.calls.reports import Reports
from goe.core import logs, seal
from goe.sample_qc import keep, tool_reports
from goe.sample_qc import metrics as sample_metrics

with logs.to(snakemake.log), seal.job(snakemake):
    source, params = snakemake.input, snakemake.params
    given = zip(source.reports, params.people, strict=True)
    reports = [(person, Reports.of(folder, person)) for folder, person in given]
    bases = sample_metrics.Bases.read(source.reference)
    with Path(snakemake.output.metrics).open("w") as out:
        for i, (person, one) in enumerate(reports):
            values, why = sample_metrics.read_metrics(
                tool_reports.samtools_stats(one.stats),
                tool_reports.depth_histogram(one.coverage, bases.autosomes),
                tool_reports.freemix(source.freemix[i]) if source.freemix else None,
                tool_reports.mosdepth_summary(one.summary),
                bases,
            )
            metrics = {m: sample_metrics.rounded(m, value) for m, value in values.items()}
            out.write(json.dumps({"sample_id": person, "metrics": metrics, "why": why}, sort_keys=True) + "\n")
    # MultiQC calls a report by its file name, so those of the units need one with the person in it.
    files = [(Path(name).name, name) for _, one in reports for name in (one.summary, one.dist, one.stats)]
    files += [(f"{person}.{Path(name).name}", name) for person, one in reports for name in one.of_units()]
    keep.write_tsv(snakemake.output.files, ("name", "path"), files)
