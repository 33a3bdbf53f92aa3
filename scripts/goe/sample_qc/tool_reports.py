"""Reports of tools on one person's reads, each as the numbers that the metrics are made of."""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from goe.core.errors import GoeError, Problem
from goe.hts import bgzf


def _lines(path: str | Path) -> list[str]:
    data = Path(path).read_bytes()
    return (gzip.decompress(data) if bgzf.is_packed(data) else data).decode().splitlines()


def _damaged(path: str | Path, what: str) -> GoeError:
    return GoeError(Problem(str(path), what, "remove the file and run again; its log says what the tool met"))


def mosdepth_summary(path: str | Path) -> dict[str, int]:
    """contig -> sum of per-base depths, from `*.mosdepth.summary.txt` (`total` and `_region` rows left out)."""
    lines = _lines(path)
    if not lines or not lines[0].startswith("chrom\tlength\tbases"):
        raise _damaged(path, "is not a mosdepth summary")
    rows = (line.split("\t") for line in lines[1:])
    return {row[0]: int(row[2]) for row in rows if row[0] != "total" and not row[0].endswith("_region")}


@dataclass(frozen=True)
class Depths:
    """Positions of the autosomes outside gaps by their depth: `positions[d]` (int64) have depth d."""

    positions: np.ndarray

    @property
    def total(self) -> int:
        """Positions, those of depth 0 among them."""
        return int(self.positions.sum())


def depth_histogram(path: str | Path, bases: int) -> Depths:
    """From the table of rule align_coverage, rows `depth<TAB>positions` without depth 0.

    bases: positions looked at; those that the table does not hold have depth 0. GoeError when it holds more.
    """
    found: dict[int, int] = {}
    for number, line in enumerate(_lines(path), 1):
        try:
            depth, positions = map(int, line.split("\t"))
        except ValueError:
            raise _damaged(path, f"line {number} is not a depth and a number of positions") from None
        if depth < 0 or positions < 0:
            raise _damaged(path, f"line {number} holds a negative number")
        found[depth] = found.get(depth, 0) + positions
    counts = np.zeros(max(found, default=0) + 1, np.int64)
    for depth, positions in found.items():
        counts[depth] = positions
    missing = bases - int(counts.sum())
    if missing < 0:
        raise _damaged(path, f"has {counts.sum()} positions where the autosomes have {bases}: another reference?")
    counts[0] += missing
    return Depths(counts)


@dataclass(frozen=True)
class Reads:
    """Counts of a person's reads (primary records, duplicates too, none that failed the sequencer's own filter).

    q30: bases of quality 30 or more, None when the reads carry no qualities; insert sizes in bases, 0 without pairs.
    both_mapped: reads of pairs of which both are mapped; pairs_apart: such pairs whose two are on different contigs.
    """

    total: int
    mapped: int
    paired: int
    properly_paired: int
    duplicates: int
    q30: int | None
    insert_mean: float
    insert_sd: float
    both_mapped: int = 0
    pairs_apart: int = 0


def samtools_stats(path: str | Path) -> Reads:
    """From `samtools stats -F QCFAIL`; it counts neither secondary nor supplementary records."""
    numbers: dict[str, float] = {}
    q30 = None
    for line in _lines(path):
        row = line.split("\t")
        if row[0] == "SN":
            numbers[row[1].rstrip(":")] = float(row[2])
        elif row[0] in ("FFQ", "LFQ"):
            # Cycle, then the number of bases of quality 0, 1, 2, ...
            q30 = (q30 or 0) + sum(map(int, row[2 + 30 :]))
    if "sequences" not in numbers:
        raise _damaged(path, "is not a report of samtools stats")

    def count(key: str) -> int:
        return int(numbers.get(key, 0))

    return Reads(
        total=count("sequences"),
        mapped=count("reads mapped"),
        paired=count("reads paired"),
        properly_paired=count("reads properly paired"),
        duplicates=count("reads duplicated"),
        q30=q30,
        insert_mean=numbers.get("insert size average", 0.0),
        insert_sd=numbers.get("insert size standard deviation", 0.0),
        both_mapped=count("reads mapped and paired"),
        pairs_apart=count("pairs on different chromosomes"),
    )


def freemix(path: str | Path) -> float:
    """Column FREEMIX (0..1) of the single row of a `.selfSM` report of VerifyBamID2."""
    lines = [line for line in _lines(path) if line.strip()]
    columns = lines[0].split("\t") if lines else []
    if "FREEMIX" not in columns:
        raise _damaged(path, "is not a .selfSM report of VerifyBamID2: no column FREEMIX")
    if len(lines) != 2:
        raise _damaged(path, f"has {len(lines) - 1} rows where one person has one")
    cells = lines[1].split("\t")
    text = cells[columns.index("FREEMIX")] if len(cells) == len(columns) else ""
    try:
        value = float(text)
    except ValueError:
        raise _damaged(path, f"FREEMIX is {text or 'missing'}, no number") from None
    if not 0 <= value <= 1:
        raise _damaged(path, f"FREEMIX is {text}, not between 0 and 1")
    return value
