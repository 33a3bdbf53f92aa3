"""Mini reference genome with the features that trouble callers and counters, and none of a real person's sequence."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

BASES = np.frombuffer(b"ACGT", dtype=np.uint8)
N = ord("N")

LENGTHS = {"chr20": 200_000, "chrX": 100_000, "chrY": 50_000, "chrM": 5_000}
"""Contig lengths, bp. The names carry the real ploidy classes; nothing else of the real chromosomes."""

PAR = (("chrX", 1, 10_000), ("chrX", 95_001, 100_000), ("chrY", 1, 10_000), ("chrY", 45_001, 50_000))
"""Pseudoautosomal regions, 1-based inclusive. On chrY they are hard-masked with N, as in analysis sets of GRCh38."""

REGION_SIZE = 50_000
"""Scatter size of the demo's config; it divides the contigs, so region borders are known here."""

BORDER_MNV = ("chr20", 50_000)
"""First base of an MNV whose second base lies in the next region."""

BORDER_RUN = ("chr20", 99_996, 100_005)
"""Homopolymer across a region border: the same indel can be written on either side of it."""

RUN_MIN = 6
"""Shortest run of one letter counted as a homopolymer, bp."""


@dataclass(frozen=True)
class Genome:
    """Upper-case sequences (uint8 arrays of ASCII letters) and the soft-mask (bool arrays), by contig name."""

    seq: dict[str, np.ndarray]
    soft: dict[str, np.ndarray]

    def text(self, contig: str, start: int, end: int) -> str:
        """Letters from `start` to `end`, 1-based inclusive."""
        return self.seq[contig][start - 1 : end].tobytes().decode()


def _background(rng: np.random.Generator, length: int) -> np.ndarray:
    """Random sequence whose GC content drifts from window to window (33 to 57 %)."""
    windows = -(-length // 2_000)
    gc = np.clip(0.42 + np.cumsum(rng.normal(0, 0.03, windows)), 0.33, 0.57)
    p = np.repeat(gc, 2_000)[:length]
    strong = rng.random(length) < p
    first = rng.random(length) < 0.5
    return BASES[np.where(strong, np.where(first, 1, 2), np.where(first, 0, 3))].copy()


def _repeats(rng: np.random.Generator, seq: np.ndarray) -> None:
    """Put homopolymers (6-13 bp, mostly A/T) about every 700 bp and dinucleotide repeats about every 5 kb, in place."""
    n = len(seq)
    for start in range(300, n - 300, 700):
        at = start + int(rng.integers(0, 600))
        run = int(min(RUN_MIN + rng.geometric(0.35) - 1, 13))
        seq[at : at + run] = BASES[rng.choice(4, p=(0.4, 0.1, 0.1, 0.4))]
    for start in range(2_000, n - 2_000, 5_000):
        at = start + int(rng.integers(0, 2_000))
        unit = BASES[np.array([(1, 0), (2, 0), (3, 0)][rng.integers(0, 3)])]
        size = 2 * int(rng.integers(8, 18))
        seq[at : at + size] = np.resize(unit, size)


def build(seed: int) -> Genome:
    """The genome of `seed`."""
    rng = np.random.default_rng([seed, 1])
    seq = {}
    for name, length in LENGTHS.items():
        seq[name] = _background(rng, length)
        _repeats(rng, seq[name])
    _copy(rng, seq["chr20"], 30_000, seq["chr20"], 152_000, 2_000, 0.02)
    _copy(rng, seq["chrX"], 62_000, seq["chrY"], 21_000, 2_500, 0.05)
    contig, start, end = BORDER_RUN
    seq[contig][start - 3 : end + 2] = np.frombuffer(b"GC" + b"A" * (end - start + 1) + b"CG", dtype=np.uint8)
    contig, pos = BORDER_MNV
    seq[contig][pos - 3 : pos + 3] = np.frombuffer(b"GTACTG", dtype=np.uint8)
    seq["chr20"][131_000:131_600] = N
    seq["chr20"][199_000:] = N
    for contig, start, end in PAR:
        if contig == "chrY":
            seq[contig][start - 1 : end] = N
    soft = {}
    for name, length in LENGTHS.items():
        soft[name] = np.zeros(length, dtype=bool)
        for start in range(4_000, length - 1_000, 9_000):
            soft[name][start : start + int(rng.integers(200, 900))] = True
    return Genome(seq, soft)


def _copy(
    rng: np.random.Generator, source: np.ndarray, start: int, target: np.ndarray, at: int, size: int, divergence: float
) -> None:
    """Copy `size` bp of `source` (0-based `start`) to `target` at `at`, a share `divergence` of letters changed."""
    piece = source[start : start + size].copy()
    change = np.flatnonzero(rng.random(size) < divergence)
    code = np.searchsorted(BASES, piece[change])
    piece[change] = BASES[(code + rng.integers(1, 4, len(change))) % 4]
    target[at : at + size] = piece


def homopolymers(seq: np.ndarray) -> list[tuple[int, int]]:
    """Runs of one letter ACGT of at least RUN_MIN bp: (start, end), 1-based inclusive."""
    edges = np.flatnonzero(np.diff(seq)) + 1
    starts = np.concatenate(([0], edges))
    ends = np.concatenate((edges, [len(seq)]))
    keep = (ends - starts >= RUN_MIN) & (seq[starts] != N)
    return [(int(s) + 1, int(e)) for s, e in zip(starts[keep], ends[keep], strict=True)]


def write(genome: Genome, path: Path) -> None:
    """FASTA of 60 letters a line, soft-masked stretches in lower case."""
    with path.open("wb") as out:
        for name, seq in genome.seq.items():
            letters = np.where(genome.soft[name], seq + 32, seq).astype(np.uint8)
            whole = len(letters) // 60 * 60
            out.write(b">" + name.encode() + b"\n")
            lines = np.full((whole // 60, 61), ord("\n"), dtype=np.uint8)
            lines[:, :60] = letters[:whole].reshape(-1, 60)
            out.write(lines.tobytes())
            if whole < len(letters):
                out.write(letters[whole:].tobytes() + b"\n")


def write_par(path: Path) -> None:
    """BED (0-based, half-open) of PAR, with names."""
    names = {1: "PAR1"}
    rows = [f"{c}\t{s - 1}\t{e}\t{names.get(s, 'PAR2')}\n" for c, s, e in PAR]
    path.write_text("".join(rows))


def write_runs(genome: Genome, path: Path) -> None:
    """BED (0-based, half-open) of the homopolymers."""
    runs = ((name, *run) for name, seq in genome.seq.items() for run in homopolymers(seq))
    path.write_text("".join(f"{name}\t{start - 1}\t{end}\n" for name, start, end in runs))


def is_par(contig: str, pos: np.ndarray | int) -> np.ndarray:
    """Whether 1-based `pos` of `contig` is pseudoautosomal."""
    hit = np.zeros(np.shape(pos), dtype=bool)
    for name, start, end in PAR:
        if name == contig:
            hit |= (np.asarray(pos) >= start) & (np.asarray(pos) <= end)
    return hit
