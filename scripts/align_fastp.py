"""Rule align_fastp: a report on the reads of a FASTQ pair."""

from goe.core import logs, seal
from goe.core.processes import tool

output, (first, second) = snakemake.output, snakemake.input.reads
# Reports only: nothing is trimmed or left out, the reads are aligned as they came.
TAKEN_AS_THEY_CAME = (
    *("--disable_adapter_trimming", "--disable_quality_filtering", "--disable_length_filtering"),
    "--disable_trim_poly_g",
)
with logs.to(snakemake.log), seal.job(snakemake):
    words = ["fastp", "--in1", first, "--in2", second, *TAKEN_AS_THEY_CAME, "--thread", snakemake.threads]
    tool(*words, "--json", output.json, "--html", output.html, "--report_title", snakemake.wildcards.sample)
