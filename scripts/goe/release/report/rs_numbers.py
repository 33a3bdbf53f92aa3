"""rs numbers of a contig's alleles, for the look-up of `report.html`.

Chunks are those of `goe.pages.packed`, of the track `<contig>.rs`, in the order of the numbers: step of the number from
the one before, and which allele of the contig it names, from 0, in the order of the table.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.frequencies.block import Block
from goe.pages import packed

# A question loads a file of each contig.
ROWS = 1 << 12


def track(contig: str) -> str:
    """What the files and chunks of a contig are called by."""
    return f"{contig}.rs"


class Numbers:
    """The numbers of a contig, brought to chunks: (first number, last number, chunk before zlib)."""

    def __init__(self) -> None:
        self._alleles = 0
        self._number: list[np.ndarray] = []
        self._allele: list[np.ndarray] = []

    def add(self, names: pa.Array | pa.ChunkedArray) -> None:
        """names: `rs123`, or null, of the next alleles."""
        number = pc.fill_null(pc.utf8_slice_codeunits(names, 2).cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
        # What a column holds; dbSNP is at 2.7 thousand million.
        known = np.flatnonzero((number > 0) & (number < 1 << 32))
        self._number.append(number[known])
        self._allele.append((self._alleles + known).astype(np.uint32))
        self._alleles += len(names)

    def chunks(self) -> Iterator[tuple[int, int, bytes]]:
        """All of them, when all names were added."""
        number = np.concatenate([np.zeros(0, np.int64), *self._number])
        order = np.argsort(number, kind="stable")
        number, allele = number[order], np.concatenate([np.zeros(0, np.uint32), *self._allele])[order]
        for at in range(0, len(number), ROWS):
            some, of = number[at : at + ROWS], allele[at : at + ROWS]
            columns = [packed.column(np.diff(some, prepend=some[:1])), packed.column(of)]
            yield int(some[0]), int(some[-1]), packed.chunk(len(some), {}, columns)


class Writer:
    """File of one contig's chunks (`goe.pages.packed.Track`). Index: chunks are [first, last number, Adler-32]."""

    def __init__(self, path: str | Path, contig: str):
        self._numbers, self._track = Numbers(), packed.Track(path, track(contig))

    def write(self, block: Block) -> None:
        """Add a block with its names."""
        self._numbers.add(block.names["rsid"])

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        for first, last, raw in self._numbers.chunks() if error is None else ():
            self._track.add(raw, first, last)
        self._track.close(error is None)
