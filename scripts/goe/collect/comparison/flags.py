"""What looks like a fault of a laboratory and not like a fact of a people, allele by allele.

ORIGIN: the people of one country of origin differ between two datasets. ONLY_HERE: common in one dataset, and listed by
no other although many alleles are callable there. FILTERED: PASS and common in one, filtered in another. GENOTYPES: far
from Hardy-Weinberg proportions in one dataset alone. A release holds no allele balance of genotypes; too many or too
few homozygotes are what can be seen of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields

import numpy as np
import pyarrow as pa

from goe.collect.comparison import homogeneity
from goe.collect.comparison.cells import Cells, Piece, Source
from goe.collect.comparison.origins import Counts
from goe.collect.comparison.thresholds import Thresholds
from goe.collect.merge import ABSENT, BELOW, FILTERED, LISTED
from goe.variant_qc.statistics import hwe_p, more_heterozygotes

ORIGIN, ONLY_HERE, FILTERED_THERE, GENOTYPES = FAULTS = ("origin", "only_here", "filtered_there", "genotypes")
COUNTRIES = "countries"
"""Countries that differ: no fault, kept with the others since it is listed as they are."""
KINDS = (*FAULTS, COUNTRIES)
_PRUNE = 2


@dataclass(frozen=True)
class Flag:
    """One allele that is flagged, with the numbers that say so.

    dataset, against: names; against is empty where it is all others. ac, an: of `dataset` (of people of `group`);
    against_ac, against_an: of `against`, or of all others together, None where these are not told. p: of the test, None
    where there is none. words: reasons in FILTER, or which genotypes are too many. strength: by which the list is cut.
    """

    kind: str
    contig: str
    pos: int
    ref: str
    alt: str
    dataset: str
    against: str
    group: str
    ac: int
    an: int
    against_ac: int | None
    against_an: int | None
    p: float | None
    words: str
    strength: float

    @property
    def order(self) -> tuple:
        return (-self.strength, self.contig, self.pos, self.ref, self.alt, self.dataset, self.against, self.group)


COLUMNS = tuple(f.name for f in fields(Flag))


@dataclass
class Found:
    """Flags of a contig, the strongest of each kind, and how many there are. tests: bins of p of ORIGIN. different:
    pair of datasets ("number number") -> bins of those that also differ by enough. least: strength below which none is
    listed any more."""

    listed: dict[str, list[Flag]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    tests: dict[int, int] = field(default_factory=dict)
    different: dict[str, dict[int, int]] = field(default_factory=dict)
    least: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, -np.inf))

    def put(self, kind: str, some: Iterable[Flag], most: int) -> None:
        flags = self.listed[kind]
        flags.extend(some)
        if len(flags) > _PRUNE * most:
            self.cut(most)

    def cut(self, most: int) -> None:
        for kind, flags in self.listed.items():
            self.listed[kind] = kept = sorted(flags, key=lambda flag: flag.order)[:most]
            if len(kept) == most:
                self.least[kind] = kept[-1].strength

    def join(self, other: "Found", most: int) -> "Found":
        out = Found({k: [*self.listed[k], *other.listed[k]] for k in KINDS})
        out.counts = {k: self.counts[k] + other.counts[k] for k in KINDS}
        out.tests = homogeneity.joined(self.tests, other.tests)
        pairs = sorted({*self.different, *other.different})
        nothing: dict[int, int] = {}
        out.different = {
            k: homogeneity.joined(self.different.get(k, nothing), other.different.get(k, nothing)) for k in pairs
        }
        out.cut(most)
        return out

    def as_dict(self) -> dict:
        return {
            "listed": {k: [asdict(flag) for flag in some] for k, some in self.listed.items()},
            "counts": self.counts,
            "tests": list(self.tests.items()),
            "different": {k: list(bins.items()) for k, bins in self.different.items()},
        }

    @classmethod
    def of(cls, document: dict) -> "Found":
        """Of what `as_dict` gave, as JSON keeps it."""
        return cls(
            {k: [Flag(**flag) for flag in some] for k, some in document["listed"].items()},
            document["counts"],
            dict(map(tuple, document["tests"])),
            {k: dict(map(tuple, bins)) for k, bins in document["different"].items()},
        )


class Look:
    """Flags of the alleles of a contig. sources: datasets in their order; shared: `origins.shared` of them."""

    def __init__(
        self, sources: Sequence[Source], shared: Sequence[tuple[int, int, tuple[str, ...]]], thresholds: Thresholds
    ):
        self.sources, self.shared, self.t = sources, shared, thresholds
        self.found = Found()

    def add(self, piece: Piece, cells: Cells, counts: Sequence[Counts], autosome: bool) -> None:
        """cells: of the datasets; counts: of each by origin."""
        status = np.stack([piece.status(source) for source in self.sources])
        self._alone(piece, cells, status)
        self._filtered(piece, cells, status, counts)
        for i, j, groups in self.shared:
            self._origin(piece, i, j, groups, counts)
        if autosome:
            self._genotypes(piece, status, counts)

    def of_countries(
        self, piece: Piece, cells: Cells, countries: Sequence[str], tests: homogeneity.Tests
    ) -> dict[str, np.ndarray]:
        """Test of one frequency in all countries: units, chi2, p and apart (largest less smallest AF), (alleles,)."""
        units, chi2, p = tests
        af = np.divide(cells.lo, cells.an, out=np.zeros(cells.lo.shape), where=cells.an > 0)
        high, low = np.where(cells.exact, af, -1.0), np.where(cells.exact, af, 2.0)
        top, bottom = high.argmax(axis=0), low.argmin(axis=0)
        columns = np.arange(len(piece))
        apart = np.where(units >= 2, high[top, columns] - low[bottom, columns], np.nan)
        with np.errstate(invalid="ignore"):
            rows = np.flatnonzero(p <= self.t.fdr)
        numbers = {"ac": cells.lo[top, columns], "an": cells.an[top, columns], "p": p, "strength": apart}
        numbers |= {"against_ac": cells.lo[bottom, columns], "against_an": cells.an[bottom, columns]}
        names = {
            key: {row: countries[of[row]] for row in rows.tolist()}
            for key, of in (("against", bottom), ("dataset", top))
        }
        # Which of them hold is known when all contigs are: counted then.
        self._put(COUNTRIES, piece, rows, None, counted=False, **numbers, **names, group="", words="")
        return {"units": units, "chi2": chi2, "p": p, "apart": apart}

    def _put(
        self, kind: str, piece: Piece, rows: np.ndarray, i: int | None, counted: bool = True, **more: object
    ) -> None:
        """Flags of dataset i at some alleles. more: fields, each a value, (alleles,), or row -> value."""
        more = more if i is None else {"dataset": self.sources[i].name, **more}
        strength = np.asarray(more["strength"])
        self.found.counts[kind] += len(rows) if counted else 0
        # Those that will not be listed anyway: as many are stronger.
        rows = rows[strength[rows] >= self.found.least[kind]]
        if len(rows) > self.t.listed:
            rows = np.sort(rows[np.lexsort((rows, -strength[rows]))[: self.t.listed]])

        def cell(value: object, row: int) -> object:
            if isinstance(value, np.ndarray):
                value = value[row].item()
            elif isinstance(value, list | dict):
                value = value[row]
            return None if isinstance(value, float) and np.isnan(value) else value

        flags = [
            Flag(
                kind=kind,
                contig=piece.contig,
                pos=int(piece.pos[row]),
                ref=piece.ref[row].as_py(),
                alt=piece.alt[row].as_py(),
                **{name: cell(value, row) for name, value in more.items()},  # type: ignore[arg-type]
            )
            for row in rows.tolist()
        ]
        self.found.put(kind, flags, self.t.listed)

    def _alone(self, piece: Piece, cells: Cells, status: np.ndarray) -> None:
        listed, filtered = status == LISTED, status == FILTERED
        callable_an = np.where((status == ABSENT) | (status == BELOW), cells.an, 0).sum(axis=0)
        alone = (listed.sum(axis=0) == 1) & ~filtered.any(axis=0) & (callable_an >= self.t.absent_an)
        # Datasets under a floor may hide a few carriers: their AC is not told to be 0.
        hidden = ((status == BELOW) & (cells.an > 0)).any(axis=0)
        for i in range(len(self.sources)):
            ac, an = cells.lo[i], cells.an[i]
            af = _share(ac, an)
            rows = np.flatnonzero(alone & listed[i] & cells.exact[i] & (af >= self.t.common_af))
            more = {"against": "", "group": "Total", "ac": ac, "an": an, "against_an": callable_an, "strength": af}
            nothing = {row: None if hidden[row] else 0 for row in rows.tolist()}
            self._put(ONLY_HERE, piece, rows, i, **more, against_ac=nothing, p=None, words="")

    def _filtered(self, piece: Piece, cells: Cells, status: np.ndarray, counts: Sequence[Counts]) -> None:
        filtered = status == FILTERED
        for i in range(len(self.sources)):
            af = _share(cells.lo[i], cells.an[i])
            good = (status[i] == LISTED) & cells.exact[i] & (af >= self.t.common_af)
            for j, other in enumerate(self.sources):
                rows = np.flatnonzero(good & filtered[j])
                if len(rows):
                    found = counts[j].filter.take(pa.array(rows)).to_pylist()
                    words = {row: str(word or "") for row, word in zip(rows.tolist(), found, strict=True)}
                    more = {"against": other.name, "group": "Total", "ac": cells.lo[i], "an": cells.an[i]}
                    more |= {"against_ac": None, "against_an": None, "p": None, "words": words, "strength": af}
                    self._put(FILTERED_THERE, piece, rows, i, **more)

    def _origin(self, piece: Piece, i: int, j: int, groups: tuple[str, ...], counts: Sequence[Counts]) -> None:
        rows_i, rows_j = ([counts[n].groups.index(g) for g in groups] for n in (i, j))
        a, n1, c, n2 = counts[i].ac[rows_i], counts[i].an[rows_i], counts[j].ac[rows_j], counts[j].an[rows_j]
        known = counts[i].known[rows_i] & counts[j].known[rows_j]
        _, p = homogeneity.cochran_mantel_haenszel(a, n1, c, n2, known)
        self.found.tests = homogeneity.joined(self.found.tests, homogeneity.binned(p))
        ac1, an1, ac2, an2 = (np.where(known, v, 0).sum(axis=0) for v in (a, n1, c, n2))
        apart = np.abs(_share(ac1, an1) - _share(ac2, an2))
        with np.errstate(invalid="ignore"):
            good = (apart >= self.t.origin_difference) & (p <= self.t.fdr)
        pair = f"{self.sources[i].number} {self.sources[j].number}"
        before = self.found.different.get(pair, {})
        self.found.different[pair] = homogeneity.joined(before, homogeneity.binned(p[good]))
        more = {"against": self.sources[j].name, "group": " ".join(groups), "ac": ac1, "an": an1}
        with np.errstate(divide="ignore"):
            strength = -np.log10(np.maximum(np.nan_to_num(p, nan=1.0), 1e-300))
        more |= {"against_ac": ac2, "against_an": an2, "p": p, "words": "", "strength": strength}
        # Which of them hold is known when all contigs are: counted then.
        self._put(ORIGIN, piece, np.flatnonzero(good), i, counted=False, **more)

    def _genotypes(self, piece: Piece, status: np.ndarray, counts: Sequence[Counts]) -> None:
        ps, whos = [], []
        for i, one in enumerate(counts):
            for g, group in enumerate(one.groups):
                good = one.typed[g] & (status[i] == LISTED)
                het, hom = one.het[g], one.hom[g]
                ref = np.maximum(one.an[g] // 2 - het - hom, 0)
                p = np.full(len(piece), np.nan)
                p[good] = hwe_p(het[good], ref[good], hom[good])
                ps.append(p)
                whos.append((i, g, group, ref))
        if not ps:
            return
        table = np.stack(ps)
        of = np.array([who[0] for who in whos])
        for row, (i, g, group, ref) in enumerate(whos):
            # NaN is below nothing.
            rows = np.flatnonzero(table[row] <= self.t.hwe_p)
            others = table[np.ix_(of != i, rows)]
            rows = rows[(~np.isnan(others)).any(axis=0) & ~(others <= self.t.hwe_others_p).any(axis=0)]
            if len(rows):
                het, hom = counts[i].het[g], counts[i].hom[g]
                many = dict(
                    zip(rows.tolist(), more_heterozygotes(het[rows], ref[rows], hom[rows]).tolist(), strict=True)
                )
                words = {at: f"more {'hetero' if more else 'homo'}zygotes" for at, more in many.items()}
                strength = -np.log10(np.maximum(np.nan_to_num(table[row], nan=1.0), 1e-300))
                more = {"against": "", "group": group, "ac": counts[i].ac[g], "an": counts[i].an[g]}
                more |= {"against_ac": None, "against_an": None, "p": table[row], "strength": strength}
                self._put(GENOTYPES, piece, rows, i, **more, words=words)


def _share(ac: np.ndarray, an: np.ndarray) -> np.ndarray:
    """AC / AN, 0 where AN is."""
    return np.asarray(np.divide(ac, an, out=np.zeros(len(ac)), where=an > 0))
