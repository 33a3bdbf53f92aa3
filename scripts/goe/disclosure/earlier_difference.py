"""What may be public of alleles beside an earlier release of the cohort that lists them, or others at the same bases.

What the earlier release withheld, the later one could give away: Total then, less countries in which nobody moved, is
the country that was withheld. So

* an allele of which the earlier release shows some strata and not others, and of which Total is another one now, shows
  Total only;
* an allele that the earlier release does not list, at bases at which it lists others, is in no public file: alleles
  of a position bound each other (goe.disclosure.position), those of now and then as well.

Where both show a group, their difference is public: that of the people who joined, less those who left
(goe.disclosure.earlier_release).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.disclosure import earlier_release
from goe.disclosure.earlier_release import AN, Alleles
from goe.disclosure.outcomes import FULL, REDUCED, WITHHELD
from goe.frequencies import strata as st
from goe.rules.policy import Policy
from goe.rules.stratum import TOTAL


class Difference:
    """An earlier release beside the alleles of a contig, which are asked in order.

    path: its long table. strata: published there. now: strata published in this release.
    """

    def __init__(self, path: str | Path, strata: Sequence[str], now: Sequence[str]):
        self.strata, self.now = tuple(strata), tuple(now)
        self._blocks: Iterator[Alleles] = earlier_release.alleles(path, self.strata)
        self._held = next(self._blocks)
        self._reach = 0

    @classmethod
    def of(cls, folder: str | None, contig: str, build: str, now: Sequence[str], rule: Policy) -> "Difference | None":
        """None for an open release, without an earlier one, and where that has another build, or not this contig.

        now: strata published in this release.
        """
        if folder is None or rule.open:
            return None
        before = earlier_release.of_tables(sorted((Path(folder) / "frequencies").glob("*.parquet")), folder)
        if before.build != build or contig not in before.tables:
            return None
        return cls(before.tables[contig], tuple(before.people), now)

    def most(
        self, pos: np.ndarray, ref: pa.Array, alt: pa.Array, people: np.ndarray, leaves: Sequence[str]
    ) -> np.ndarray:
        """uint8 (alleles,): WITHHELD, REDUCED or FULL, what each may be at most.

        Alleles that overlap have to be asked together. people: int array (leaves, 5, alleles) as strata.CALLS.
        """
        if not len(pos):
            return np.empty(0, np.uint8)
        end = pos + pc.binary_length(ref).to_numpy() - 1
        old = self._until(int(end.max()))
        at = pc.index_in(earlier_release.keys(pos, ref, alt), value_set=old.keys)
        there = pc.is_valid(at).to_numpy(zero_copy_only=False)
        out = np.where(there | ~overlapped(old, self._reach, pos, end), FULL, WITHHELD).astype(np.uint8)
        self._reach = max(self._reach, int(old.end.max(initial=0)))
        here = st.expand(people[:, :, there].astype(np.int64), leaves, self.now)
        out[there] = allowed(old.counts[:, :, pc.drop_null(at).to_numpy()], self.strata, here, self.now)
        return out

    def _until(self, last: int) -> Alleles:
        """The earlier alleles that begin at or before `last` and were not asked before."""
        while not len(self._held.pos) or self._held.pos[-1] <= last:
            block = next(self._blocks, None)
            if block is None:
                break
            self._held = self._held.then(block)
        here, self._held = self._held.cut(int(np.searchsorted(self._held.pos, last, "right")))
        return here


def overlapped(old: Alleles, reach: int, pos: np.ndarray, end: np.ndarray) -> np.ndarray:
    """bool (alleles,): whether an earlier allele covers one of the bases pos..end. reach: last base of those before."""
    to = np.maximum.accumulate(np.append(reach, old.end))
    return np.asarray(to[np.searchsorted(old.pos, end, "right")] >= pos)


def allowed(then: np.ndarray, strata: Sequence[str], here: np.ndarray, now: Sequence[str]) -> np.ndarray:
    """uint8 (alleles,): REDUCED or FULL, what alleles that both releases count may be at most.

    then: int64 (4, strata, alleles), people heterozygous, homozygous and hemizygous, and alleles called, as the earlier
    release shows them, -1 where it does not. here: int64 (now, 5, alleles) as strata.CALLS.
    """
    total = here[list(now).index(TOTAL)]
    calls = np.stack([total[st.HET], total[st.HOM], total[st.HEMI], 2 * total[st.DIP] + total[st.HAP]])
    changed = (calls != then[:, list(strata).index(TOTAL)]).any(axis=0)
    return np.where(changed & (then[AN] < 0).any(axis=0), REDUCED, FULL).astype(np.uint8)
