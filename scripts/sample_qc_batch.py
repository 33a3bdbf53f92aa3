"""Read metrics of the people of one batch from the reports of mosdepth, samtools stats and fastp."""

from pathlib import Path

from goe import keep, logs, sample_metrics
from goe.sample_metrics import TOOL_METRICS, rounded, text

with logs.to(snakemake.log):
    source, params = snakemake.input, snakemake.params
    bases = sample_metrics.Bases.read(source.reference)
    rows = []
    people = zip(params.people, source.summary, source.dist, source.stats, strict=True)
    for person, summary, dist, stats in people:
        values = sample_metrics.depth_metrics(
            sample_metrics.mosdepth_summary(summary),
            sample_metrics.mosdepth_covered(dist),
            bases,
            params.build["contigs"],
        )
        values |= sample_metrics.samtools_stats(stats)
        # The reads as they came count for the yield; a BAM or CRAM has only those that are left in it.
        from_fastp = sample_metrics.fastp_q30(params.fastp[person])
        if from_fastp is not None:
            values["yield_bp_q30"] = from_fastp
        rows.append((person, *(text(rounded(m, values[m])) for m in TOOL_METRICS)))
    keep.write_tsv(snakemake.output.metrics, ("sample_id", *TOOL_METRICS), sorted(rows))
    # MultiQC calls a report by its file name, so those of the units need one with the person in it.
    files = [(Path(name).name, name) for name in (*source.summary, *source.dist, *source.stats)]
    files += [(f"{person}.{Path(name).name}", name) for person in params.people for name in params.fastp[person]]
    keep.write_tsv(snakemake.output.files, ("name", "path"), files)
