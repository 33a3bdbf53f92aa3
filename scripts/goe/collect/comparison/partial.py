"""What one contig adds to the comparison of countries and of datasets: sums, so that contigs can be done apart.

Memory is that of a piece of the tables and of the sums, whatever the contig holds. Statistics of populations are of
the autosomes, where everybody has two alleles; flags are of all contigs.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from goe.collect.comparison import homogeneity, hudson
from goe.collect.comparison.cells import COUNTRY, DATASET, KINDS, Cells, Piece, Source, of_countries, of_datasets
from goe.collect.comparison.thresholds import Thresholds
from goe.pages.svg import EDGES

AC_EDGES = (1, 2, 3, 4, 5, *(step * 10**power for power in range(1, 7) for step in (1, 2, 5)))
"""Upper ends of the bins of AC."""
CLASSES = ("SNV", "other")
KNOWN = ("seen", "absent", "seen_in_bounds", "may_be_there", "unknown")
"""What a unit knows of an allele: AC above 0; 0; above 0, not exactly; withheld; nothing."""


@dataclass
class Kind:
    """Sums over alleles, of units of one kind (countries or datasets), all but `blocks` additive.

    known: int64 (units, KNOWN). ac, af: int64 (units, CLASSES, bins), alleles seen, by AC and AF. sharing: int64 (2, 3,
    units, units), `hudson.add_sharing`. lone: int64 (units, 2, 2): of alleles seen in the unit, and of those seen in
    one copy, how many every other unit has not, and how many no other is known to have. doubletons: int64 (units,
    units), alleles of two copies in all by where these are. complete: int64 (1,), alleles exact in every unit; sizes:
    int64 (units,), AN of these added up. ends, ended, spread, alike: `hudson.add_pairs`. tests: bins of p of
    `homogeneity`; untested: int64 (2,), alleles exact in fewer than two units, and others that are not tested.
    blocks: contig -> sums (blocks, units, units, 2) and alleles (blocks, units, units).
    """

    known: np.ndarray
    ac: np.ndarray
    af: np.ndarray
    sharing: np.ndarray
    lone: np.ndarray
    doubletons: np.ndarray
    complete: np.ndarray
    sizes: np.ndarray
    ends: np.ndarray
    ended: np.ndarray
    spread: np.ndarray
    alike: np.ndarray
    untested: np.ndarray
    tests: dict[int, int] = field(default_factory=dict)
    blocks: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    @classmethod
    def nothing(cls, n: int) -> "Kind":
        whole: Callable[..., np.ndarray] = lambda *shape: np.zeros(shape, np.int64)  # noqa: E731
        return cls(
            known=whole(n, len(KNOWN)),
            ac=whole(n, len(CLASSES), len(AC_EDGES) + 1),
            af=whole(n, len(CLASSES), len(EDGES)),
            sharing=whole(2, 3, n, n),
            lone=whole(n, 2, 2),
            doubletons=whole(n, n),
            complete=whole(1),
            sizes=whole(n),
            ends=np.zeros((n, n, 2, 2)),
            ended=whole(n, n),
            spread=np.zeros((n, n)),
            alike=whole(1),
            untested=whole(2),
        )

    def join(self, other: "Kind") -> "Kind":
        sums = {name: getattr(self, name) + getattr(other, name) for name in _ARRAYS}
        tests = homogeneity.joined(self.tests, other.tests)
        return Kind(**sums, tests=tests, blocks={**self.blocks, **other.blocks})

    # ---- what a piece adds

    def add(self, piece: Piece, cells: Cells, block_size: int, thresholds: Thresholds) -> homogeneity.Tests:
        """Alleles of a piece that a dataset lists as PASS, on an autosome. cells: of its alleles. Returns the tests of
        all of them."""
        tests = homogeneity.homogeneity(cells.lo, cells.an, cells.exact, thresholds.fdr)
        cells, p = cells.take(piece.passed), tests.p[piece.passed]
        pos, snv = piece.pos[piece.passed], piece.snv[piece.passed]
        exact, seen, absent = cells.exact, cells.seen, cells.absent
        self._spectrum(cells, snv)
        af = np.divide(cells.lo, cells.an, out=np.ones(cells.lo.shape), where=cells.an > 0)
        hudson.add_sharing(seen, absent, exact & (af <= thresholds.rare_af), self.sharing)
        self._lone(cells)
        self._pairs(piece.contig, cells.take(snv), (pos[snv] - 1) // block_size, thresholds.common_af)
        self.tests = homogeneity.joined(self.tests, homogeneity.binned(p))
        varies = seen.any(axis=0)
        two = exact.sum(axis=0) >= 2
        self.untested += np.array([(varies & ~two).sum(), (varies & two & np.isnan(p)).sum()])
        return tests

    def _spectrum(self, cells: Cells, snv: np.ndarray) -> None:
        exact, seen, absent, present = cells.exact, cells.seen, cells.absent, cells.state > 0
        outcomes = (exact & seen, absent, ~exact & seen, present & ~exact & ~seen, ~present)
        self.known += np.stack([some.sum(axis=1) for some in outcomes], axis=1)
        af = np.divide(cells.lo, cells.an, out=np.zeros(cells.lo.shape), where=cells.an > 0)
        for unit in range(len(exact)):
            for c, of_class in enumerate((snv, ~snv)):
                rows = exact[unit] & seen[unit] & of_class
                for bins, values, edges in ((self.ac, cells.lo, AC_EDGES), (self.af, af, EDGES)):
                    place = np.searchsorted(edges, values[unit, rows])
                    bins[unit, c] += np.bincount(place, minlength=bins.shape[2])

    def _lone(self, cells: Cells) -> None:
        exact, seen, absent = cells.exact, cells.seen, cells.absent
        units = len(exact)
        none, nobody = seen.sum(axis=0), absent.sum(axis=0)
        single = exact & (cells.lo == 1)
        for which, some in enumerate((seen, single)):
            self.lone[:, which, 0] += (some & (nobody == units - 1)).sum(axis=1)
            self.lone[:, which, 1] += (some & (none == 1)).sum(axis=1)
        complete = exact.all(axis=0) & (units > 0)
        self.complete += complete.sum()
        self.sizes += cells.an[:, complete].sum(axis=1)
        for j in np.flatnonzero(complete & (cells.lo.sum(axis=0) == 2)):
            held = np.repeat(np.arange(units), cells.lo[:, j])
            self.doubletons[held[0], held[1]] += 1

    def _pairs(self, contig: str, cells: Cells, block: np.ndarray, common: float) -> None:
        sums, used = self.blocks[contig]
        ac, an = cells.lo.sum(axis=0), cells.an.sum(axis=0)
        p = np.divide(ac, an, out=np.zeros(len(ac)), where=an > 0)
        good = cells.exact.all(axis=0) & (np.minimum(p, 1 - p) >= common) & (cells.an >= 2).all(axis=0)
        weight = np.divide(1.0, p * (1 - p), out=np.zeros(len(p)), where=good)
        hudson.add_pairs(
            *(cells.state, cells.lo, cells.hi, cells.an, block, weight),
            *(sums, used, self.ends, self.ended, self.spread, self.alike),
        )

    def room(self, contig: str, length: int, block_size: int) -> None:
        """Make room for the blocks of a contig."""
        n, many = len(self.known), (length - 1) // block_size + 1
        self.blocks[contig] = (np.zeros((many, n, n, 2)), np.zeros((many, n, n), np.int64))


_ARRAYS = [name for name in Kind.__dataclass_fields__ if name not in ("tests", "blocks")]


@dataclass
class Partial:
    """Sums of some contigs: of countries and of datasets, and how many alleles took no part (`left`: on X, Y and M;
    not PASS in any dataset)."""

    countries: tuple[str, ...]
    sources: tuple[Source, ...]
    kinds: dict[str, Kind]
    left: np.ndarray

    @classmethod
    def nothing(cls, countries: Sequence[str], sources: Sequence[Source]) -> "Partial":
        kinds = {COUNTRY: Kind.nothing(len(countries)), DATASET: Kind.nothing(len(sources))}
        return cls(tuple(countries), tuple(sources), kinds, np.zeros(2, np.int64))

    def join(self, other: "Partial") -> "Partial":
        kinds = {kind: self.kinds[kind].join(other.kinds[kind]) for kind in KINDS}
        return Partial(self.countries, self.sources, kinds, self.left + other.left)

    def room(self, contig: str, length: int, block_size: int) -> None:
        for kind in self.kinds.values():
            kind.room(contig, length, block_size)

    def cells(self, piece: Piece) -> dict[str, Cells]:
        return {COUNTRY: of_countries(piece.sums, self.countries), DATASET: of_datasets(piece.apart, self.sources)}

    def add(
        self, piece: Piece, cells: dict[str, Cells], autosome: bool, thresholds: Thresholds
    ) -> dict[str, homogeneity.Tests]:
        """A piece whose contig has `room` where it is an autosome, whose alleles are tested: tests by kind of units."""
        self.left += np.array([0 if autosome else piece.passed.sum(), (~piece.passed).sum()])
        kinds = KINDS if autosome else ()
        return {kind: self.kinds[kind].add(piece, cells[kind], thresholds.block_size, thresholds) for kind in kinds}

    def save(self, path: str | Path) -> None:
        """As NPZ, for `load`."""
        arrays: dict[str, np.ndarray] = {"left": self.left}
        for name, kind in self.kinds.items():
            arrays |= {f"{name}.{a}": getattr(kind, a) for a in _ARRAYS}
            arrays[f"{name}.tests"] = np.array(list(kind.tests.items()), np.int64).reshape(-1, 2)
            for contig, (sums, used) in kind.blocks.items():
                arrays |= {f"{name}.blocks.{contig}.sums": sums, f"{name}.blocks.{contig}.used": used}
        about = {"countries": self.countries, "sources": [vars(s) for s in self.sources]}
        arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
        with Path(path).open("wb") as out:
            np.savez_compressed(out, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: str | Path) -> "Partial":
        with np.load(path, allow_pickle=False) as held:
            arrays = dict(held)
        about = json.loads(arrays["about"].tobytes())
        kinds = {}
        for name in KINDS:
            tests = {int(a): int(b) for a, b in arrays[f"{name}.tests"]}
            begin, end = f"{name}.blocks.", ".sums"
            contigs = [k[len(begin) : -len(end)] for k in arrays if k.startswith(begin) and k.endswith(end)]
            blocks = {c: (arrays[f"{begin}{c}.sums"], arrays[f"{begin}{c}.used"]) for c in contigs}
            kinds[name] = Kind(**{a: arrays[f"{name}.{a}"] for a in _ARRAYS}, tests=tests, blocks=blocks)
        return cls(tuple(about["countries"]), tuple(Source(**s) for s in about["sources"]), kinds, arrays["left"])
