"""How deep a person's reads lie, by mosdepth: of a BAM or CRAM that is there for its depth alone.

Imports nothing outside the standard library and goe.
"""

from collections.abc import Sequence
from pathlib import Path

from goe.core.errors import GoeError, Problem
from goe.core.processes import said, tool
from goe.hts import cram, indexes


def quantised(path: str, fasta: str, depths: Sequence[int], min_mapq: int, prefix: str, threads: int = 1) -> str:
    """Write the runs of bases that are of one class of depth; the path of the BED, which has a CSI beside it.

    depths: where classes begin, rising; a row is contig, start and end (0-based, half open), and `5:10` or `10:inf`;
    bases below the first class are in none. Depth is how many reads have a base there (M, = and X of CIGAR): those of a
    mapping quality of min_mapq or more, neither duplicates, nor failed, nor secondary; mates that overlap count once.
    prefix: of the files that mosdepth writes.
    GoeError when the file does not hold as many records as its index or its containers tell, and when mosdepth finds no
    base in it, as 0.3.3 does in a CRAM 3.1 without a word.
    """
    _hold(path)
    words = ["mosdepth", "--no-per-base", "--mapq", min_mapq, "--quantize", ":".join([*map(str, depths), ""])]
    tool(*words, "--threads", threads, "--fasta", fasta, prefix, path)
    total = Path(f"{prefix}.mosdepth.summary.txt").read_text().splitlines()[-1].split("\t")
    if total[0] != "total" or not int(total[2]):
        what = f"has no base at any depth, of reads with a mapping quality of {min_mapq} or more"
        mend = "look at its reads; of a CRAM 3.1 make a 3.0: samtools view -C --output-fmt-option version=3.0"
        raise GoeError(Problem(path, what, mend))
    return f"{prefix}.quantized.bed.gz"


def _hold(path: str) -> None:
    """GoeError where a part of the file is missing, as its index tells."""
    with Path(path).open("rb") as handle:
        is_cram = handle.read(4) == b"CRAM"
    index = next((c for c in indexes.of_reads(path, "cram" if is_cram else "bam") if Path(c).is_file()), "")
    if not index:
        raise GoeError(Problem(path, "no index", f"samtools index {path}"))
    if is_cram:
        cram.hold(path, index, cram.records(path)[1])
    else:
        indexes.hold(path, index, int(said("samtools", "view", "-c", path)))
