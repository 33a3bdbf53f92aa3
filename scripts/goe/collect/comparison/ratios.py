"""Ratios of sums over blocks of the genome, by a key: Fst of people of one origin in two datasets, and the balance of
genotypes in each dataset."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from goe.collect.comparison import hudson
from goe.collect.comparison.cells import Piece, Source
from goe.collect.comparison.origins import Counts
from goe.collect.comparison.thresholds import Thresholds

ORIGIN, BALANCE = "origin", "balance"


@dataclass
class Ratios:
    """sums: key -> contig -> float64 (blocks, 3): numerator, denominator and alleles. A key is ORIGIN, the numbers of
    two datasets and the origin, or BALANCE, the number of a dataset and the origin, with spaces between."""

    sums: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)

    def add(
        self,
        piece: Piece,
        counts: Sequence[Counts],
        sources: Sequence[Source],
        shared: Sequence[tuple[int, int, tuple[str, ...]]],
        length: int,
        t: Thresholds,
    ) -> None:
        """SNVs of an autosome. length: of the contig."""
        blocks = (length - 1) // t.block_size + 1
        block = (piece.pos - 1) // t.block_size
        use = piece.snv & piece.passed
        for i, j, groups in shared:
            for group in groups:
                a, b = counts[i], counts[j]
                g, h = a.groups.index(group), b.groups.index(group)
                rows = np.flatnonzero(use & a.known[g] & b.known[h] & (a.an[g] > 1) & (b.an[h] > 1))
                above, below = hudson.parts_of(*(v[rows] for v in (a.ac[g], a.an[g], b.ac[h], b.an[h])))
                key = f"{ORIGIN} {sources[i].number} {sources[j].number} {group}"
                self._put(key, piece.contig, blocks, block[rows], above, below)
        for i, one in enumerate(counts):
            for g, group in enumerate(one.groups):
                ac, an = one.ac[g], one.an[g]
                rare = np.minimum(ac, an - ac)
                rows = np.flatnonzero(use & one.typed[g] & (an > 2) & (rare >= t.common_af * an))
                n, p = an[rows] / 2, ac[rows] / np.maximum(an[rows], 1)
                # Expected heterozygotes in n people, of the frequencies seen in them (Nei 1978, Genetics 89:583).
                expected = 2 * n * p * (1 - p) * 2 * n / (2 * n - 1)
                key = f"{BALANCE} {sources[i].number} {group}"
                self._put(key, piece.contig, blocks, block[rows], expected - one.het[g, rows], expected)

    def _put(self, key: str, contig: str, blocks: int, at: np.ndarray, above: np.ndarray, below: np.ndarray) -> None:
        by_contig = self.sums.setdefault(key, {})
        if contig not in by_contig:
            by_contig[contig] = np.zeros((blocks, 3))
        good = below > 0
        for n, values in enumerate((above, below, np.ones(len(above)))):
            by_contig[contig][:, n] += np.bincount(at[good], values[good], minlength=blocks)

    def join(self, other: "Ratios") -> "Ratios":
        keys = [*self.sums, *(key for key in other.sums if key not in self.sums)]
        return Ratios({key: {**self.sums.get(key, {}), **other.sums.get(key, {})} for key in keys})

    def told(self, key: str) -> tuple[float, float, int, int]:
        """Ratio, standard error, alleles and blocks with alleles of a key."""
        every = np.concatenate([np.zeros((0, 3)), *self.sums[key].values()])
        ratio, error = hudson.jackknife(*every.T)
        return ratio, error, int(every[:, 2].sum()), int((every[:, 2] > 0).sum())

    def as_dict(self) -> dict:
        return {key: {c: values.tolist() for c, values in by_contig.items()} for key, by_contig in self.sums.items()}

    @classmethod
    def of(cls, document: Mapping) -> "Ratios":
        """Of what `as_dict` gave, as JSON keeps it."""
        return cls(
            {key: {c: np.array(v).reshape(-1, 3) for c, v in by_contig.items()} for key, by_contig in document.items()}
        )
