"""Public alleles of one contig with the numbers of the published strata: every format is written from such blocks."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.frequencies import strata as st


@dataclass(frozen=True)
class Block:
    """Public alleles of one contig, in order.

    pos int32, ref, alt, filter string arrays (alleles,), `filter` is PASS or reasons joined by ';'.
    mask: bool (strata, alleles), which cells are public; Total always is. numbers: arrays (strata, alleles) for
    the published strata, to be shown only where `shown` says. statistics: float64 (alleles,), NaN where there is
    none or it must not be shown. names: kind of name -> text (alleles,), null where there is none; what wants none
    gives none.
    """

    contig: str
    pos: pa.Array
    ref: pa.Array
    alt: pa.Array
    filter: pa.Array
    mask: np.ndarray
    strata: tuple[str, ...]
    numbers: st.Numbers
    statistics: dict[str, np.ndarray]
    names: dict[str, pa.Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.pos)

    @property
    def nbytes(self) -> int:
        """Bytes of its columns, about."""
        texts = (self.pos, self.ref, self.alt, self.filter, *self.names.values())
        arrays = (self.mask, *vars(self.numbers).values(), *self.statistics.values())
        return sum(column.nbytes for column in (*texts, *arrays))

    def shown(self) -> np.ndarray:
        """bool (strata, alleles): whether the cell is public."""
        return self.mask


def passed(block: Block) -> np.ndarray:
    """bool (alleles,): whether FILTER is PASS."""
    return np.asarray(pc.equal(block.filter, "PASS").to_numpy(zero_copy_only=False))
