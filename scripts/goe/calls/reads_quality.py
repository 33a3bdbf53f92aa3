"""What tools tell of a person's reads: fastp of each FASTQ pair; mosdepth, samtools depth and samtools stats of a CRAM.

Reports alone: nothing is trimmed or left out by them. Imports nothing outside the standard library and goe.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from goe.calls.fastq import Inflated
from goe.core.processes import pipeline, tool
from goe.hts import plain

# The reads are aligned as they came.
_TAKEN_AS_THEY_CAME = (
    *("--disable_adapter_trimming", "--disable_quality_filtering", "--disable_length_filtering"),
    "--disable_trim_poly_g",
    # Duplicates are told of the CRAM, where they are marked; fastp takes a quarter of its time and 1 GB to guess them.
    "--dont_eval_duplication",
)
# Autosomes outside gaps, base quality 20, mapping quality 20, of overlapping mates one, neither duplicates nor other
# than primary records. mosdepth does not look at base qualities.
_COUNTED = ("-q", "20", "-Q", "20", "-s", "-G", "SUPPLEMENTARY,MUNMAP")
# Positions without reads are not written; they are what is left of the intervals.
_BY_DEPTH = '$3 { n[$3]++ } END { for (d in n) printf "%d\\t%.0f\\n", d, n[d] }'


def fastp(pair: Sequence[str], sample: str, report: str, threads: int) -> None:
    """A report on a FASTQ pair. report: its path without `.json` and `.html`."""
    words = [*_TAKEN_AS_THEY_CAME, "--thread", threads, "--json", f"{report}.json", "--html", f"{report}.html"]
    words += ["--report_title", sample]
    if not any(map(plain.is_encrypted, pair)):
        tool("fastp", "--in1", pair[0], "--in2", pair[1], *words)
        return
    # Of a file by any other name than /dev/stdin it reads the beginning, to guess how long reads are, and then begins
    # again.
    first, second = map(Inflated, pair)
    pipeline(["cat", first], ["fastp", "--in1", "/dev/stdin", "--in2", second, *words])


def depth(cram: str, fasta: str, prefix: str, threads: int) -> None:
    """Mean depth of each contig, and its distribution, by mosdepth. prefix: of the files it writes."""
    # Two decimals are too few for a mean over a genome.
    os.environ["MOSDEPTH_PRECISION"] = "6"
    # For the depth of X and Y: duplicates and reads below mapping quality 20 are not depth, and of a pair that overlaps
    # each base counts once (no --fast-mode).
    words = ["mosdepth", "--no-per-base", "--mapq", "20", "--threads", threads, "--fasta", fasta]
    tool(*words, prefix, cram)


def coverage(cram: str, fasta: str, intervals: str, table: str, threads: int) -> None:
    """Number of positions by depth, rows `depth<TAB>positions`, as GA4GH WGS QC defines coverage. intervals: a BED of
    the autosomes' bases."""
    with Path(table).open("wb") as out:
        command = ["samtools", "depth", "-@", threads, *_COUNTED, "-b", intervals, "--reference", fasta, cram]
        pipeline(command, ["awk", _BY_DEPTH], ["sort", "-n"], stdout=out)


def stats(cram: str, fasta: str, report: str, threads: int) -> None:
    """samtools stats."""
    with Path(report).open("wb") as out:
        # Reads that failed the sequencer's own filter are none of the "high quality reads" of GA4GH WGS QC.
        words = ["samtools", "stats", "-@", threads, "-F", "QCFAIL", "--reference", fasta]
        tool(*words, cram, stdout=out)
