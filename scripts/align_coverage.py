"""Rule align_coverage: number of positions by depth, as GA4GH WGS QC defines coverage."""

from pathlib import Path

from goe.core import logs, seal
from goe.core.processes import pipeline

source = snakemake.input
# Autosomes outside gaps, base quality 20, mapping quality 20, of overlapping mates one, neither duplicates nor other
# than primary records. mosdepth does not look at base qualities.
COUNTED = ("-q", "20", "-Q", "20", "-s", "-G", "SUPPLEMENTARY,MUNMAP")
# Positions without reads are not written; they are what is left of the intervals.
BY_DEPTH = '$3 { n[$3]++ } END { for (d in n) printf "%d\\t%.0f\\n", d, n[d] }'
with logs.to(snakemake.log), seal.job(snakemake), Path(snakemake.output.coverage).open("wb") as out:
    depth = ["samtools", "depth", "-@", snakemake.threads, *COUNTED, "-b", source.autosomes]
    pipeline([*depth, "--reference", source.fasta, source.cram], ["awk", BY_DEPTH], ["sort", "-n"], stdout=out)
