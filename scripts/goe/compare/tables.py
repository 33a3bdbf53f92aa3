"""The frequency tables of two releases side by side, contig by contig in the order of their alleles.

Both wide tables are read a few thousand alleles at a time and cut such that the same positions come together; pieces
that are equal are passed over, in the others alleles are paired by position and bases. Memory is that of a few pieces.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.check import pages
from goe.check.readback import equal
from goe.compare.differences import Differences, Example
from goe.core.errors import GoeError, Problem, short
from goe.release import bounds
from goe.release.formats import wide_table
from goe.release.reading import batches, reading

ROWS = 16_384
_KEYS = ("pos", "ref", "alt")
_AGAIN = "the file was changed, or is no table of goe: get it again"


@dataclass
class Largest:
    """Of a stratum: alleles at which its numbers differ, and by how much AC and AN do at most."""

    alleles: int = 0
    ac: int = 0
    an: int = 0

    def add(self, other: "Largest") -> None:
        self.alleles += other.alleles
        self.ac, self.an = max(self.ac, other.ac), max(self.an, other.an)


@dataclass
class Compared:
    """What was seen of site alleles: in both releases, of these at how many anything differs, in one alone.

    largest: stratum that both publish -> how far its numbers are apart.
    """

    both: int = 0
    differ: int = 0
    only_a: int = 0
    only_b: int = 0
    largest: dict[str, Largest] = field(default_factory=dict)
    differences: Differences = field(default_factory=Differences)

    def join(self, other: "Compared") -> None:
        """Add those of another contig, which comes behind."""
        self.both, self.differ = self.both + other.both, self.differ + other.differ
        self.only_a, self.only_b = self.only_a + other.only_a, self.only_b + other.only_b
        for stratum, largest in other.largest.items():
            self.largest.setdefault(stratum, Largest()).add(largest)
        self.differences.join(other.differences)


def compare(a: str | Path, b: str | Path) -> Compared:
    """The wide tables of one contig. GoeError when one is none, or not in order."""
    strata = [[entry["stratum"] for entry in wide_table.facts(path)["strata"]] for path in (a, b)]
    common = [stratum for stratum in strata[0] if stratum in strata[1]]
    seen = Compared(largest={stratum: Largest() for stratum in common})
    for one, two in together(_pieces(a, common), _pieces(b, common), (str(a), str(b))):
        if one.equals(two):
            seen.both += one.num_rows
        else:
            _look(one, two, common, seen, (str(a), str(b)))
    return seen


def same(path: str | Path) -> Compared:
    """A wide table that both releases have, value by value, and of which no value is read."""
    with reading(path), Path(path).open("rb") as file:
        return Compared(both=pages.footer(file, str(path), bounds.COLUMNS).num_rows)


def alone(path: str | Path, in_a: bool) -> Compared:
    """The wide table of a contig that the other release does not have."""
    wide_table.facts(path)
    n = pages.check(path, str(path), bounds.COLUMNS, bounds.ALLELES).num_rows
    first = next(batches(path, str(path), wide_table.TEXT, 10, ["contig", *_KEYS]), None)
    seen = Compared()
    if first is not None:
        _only(first, np.arange(first.num_rows), in_a, seen, n)
    return seen


def _pieces(path: str | Path, strata: Sequence[str]) -> Iterator[pa.Table]:
    names = ["contig", *_KEYS, "filter", *wide_table.STATISTICS]
    names += [wide_table.column(name, stratum) for stratum in strata for name in wide_table.NUMBERS]
    for table in batches(path, str(path), wide_table.TEXT, ROWS, names):
        # The order in the file is that of its own strata.
        yield table.select(names)


def together(
    a: Iterator[pa.Table], b: Iterator[pa.Table], names: tuple[str, str]
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Both streams, cut such that the same positions come together. names: of the files, for messages."""
    sources = (a, b)
    first = [next(source, None) for source in sources]
    empty = next((table.slice(0, 0) for table in first if table is not None), None)
    if empty is None:
        return
    held = [empty if table is None else table for table in first]
    more = [table is not None for table in first]
    while any(more) or any(table.num_rows for table in held):
        places = [table["pos"].to_numpy() for table in held]
        for pos, name in zip(places, names, strict=True):
            if len(pos) and (np.diff(pos) < 0).any():
                raise GoeError(Problem(name, "alleles are not in the order of positions", _AGAIN))
        ends = [int(pos[-1]) if len(pos) else -1 for pos in places]
        # A position is complete once a later one was read.
        until = min((end for end, going in zip(ends, more, strict=True) if going), default=None)
        cuts = [len(pos) if until is None else int(np.searchsorted(pos, until)) for pos in places]
        if any(cuts):
            yield held[0].slice(0, cuts[0]), held[1].slice(0, cuts[1])
        for i, cut in enumerate(cuts):
            held[i] = held[i].slice(cut)
            if more[i] and ends[i] == until:
                following = next(sources[i], None)
                more[i] = following is not None
                if following is not None:
                    held[i] = pa.concat_tables([held[i], following])


def _look(one: pa.Table, two: pa.Table, strata: Sequence[str], seen: Compared, names: tuple[str, str]) -> None:
    """Add what differs in a piece of both."""
    rows = _paired(one, two, names)
    for table, matched, in_a in ((one, rows[0], True), (two, rows[1], False)):
        left = np.ones(table.num_rows, dtype=bool)
        left[matched] = False
        _only(table, np.flatnonzero(left), in_a, seen, int(left.sum()))
    a, b = (table.take(pa.array(matched)) for table, matched in zip((one, two), rows, strict=True))
    piece = _Piece(a.combine_chunks(), b.combine_chunks(), seen.differences)
    touched = piece.differ("filters", "filter")
    for name in wide_table.STATISTICS:
        touched |= piece.differ("statistics", name)
    for stratum in strata:
        shown = [table[wide_table.column("an", stratum)].is_valid().to_numpy() for table in (a, b)]
        apart, both = shown[0] != shown[1], shown[0] & shown[1]
        piece.withheld(stratum, apart, shown[0])
        cells = np.zeros(a.num_rows, dtype=bool)
        for name in wide_table.NUMBERS:
            cells |= piece.differ("numbers", wide_table.column(name, stratum), name, stratum, both)
        largest = Largest(int(cells.sum()), *(piece.largest(n, stratum, cells) for n in ("ac", "an")))
        seen.largest[stratum].add(largest)
        touched |= cells | apart
    seen.both += a.num_rows
    seen.differ += int(touched.sum())


def _paired(one: pa.Table, two: pa.Table, names: tuple[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the alleles that are in both, of each. GoeError when an allele is there twice."""
    if all(one[name].equals(two[name]) for name in _KEYS):
        rows = np.arange(one.num_rows)
        return rows, rows
    keys = []
    for table, name in ((one, names[0]), (two, names[1])):
        text = [pc.cast(table[key], pa.string()) for key in _KEYS]
        keys.append(pc.binary_join_element_wise(*text, ":"))
        if len(pc.unique(keys[-1])) < table.num_rows:
            raise GoeError(Problem(name, f"an allele is there twice, at {table['pos'][0]} or behind", _AGAIN))
    at = pc.index_in(keys[1], value_set=keys[0].combine_chunks())
    return pc.drop_null(at).to_numpy(), np.flatnonzero(at.is_valid().to_numpy())


def _only(table: pa.Table, rows: np.ndarray, in_a: bool, seen: Compared, n: int) -> None:
    """Add n alleles of which `rows` are the first."""
    word = "only in A" if in_a else "only in B"
    a, b = ("there", None) if in_a else (None, "there")
    wanted = map(int, rows[: seen.differences.room("alleles")])
    seen.differences.add("alleles", word, n, [Example("allele", a, b, _allele(table, row)) for row in wanted])
    if in_a:
        seen.only_a += n
    else:
        seen.only_b += n


def _allele(table: pa.Table, row: int) -> str:
    return short(":".join(str(table[name][row]) for name in ("contig", *_KEYS)), 1000)


@dataclass(frozen=True)
class _Piece:
    """The same alleles of both releases, in the same rows."""

    a: pa.Table
    b: pa.Table
    differences: Differences

    def differ(
        self, kind: str, column: str, what: str = "", stratum: str = "", where: np.ndarray | None = None
    ) -> np.ndarray:
        """bool (alleles,): another value, or in one alone, at the alleles `where`."""
        one, two = self.a[column], self.b[column]
        if one.equals(two):
            return np.zeros(len(one), dtype=bool)
        other = ~equal(one, two)
        other &= True if where is None else where
        what = what or column
        rows = map(int, np.flatnonzero(other)[: self.differences.room(kind)])
        examples = [Example(what, one[row].as_py(), two[row].as_py(), _allele(self.a, row), stratum) for row in rows]
        self.differences.add(kind, what, int(other.sum()), examples)
        return other

    def withheld(self, stratum: str, apart: np.ndarray, in_a: np.ndarray) -> None:
        """Add the alleles `apart` at which one release alone shows a stratum."""
        rows = map(int, np.flatnonzero(apart)[: self.differences.room("withheld")])
        words = {True: "shown", False: "withheld"}
        examples = [
            Example("numbers", words[bool(in_a[row])], words[not in_a[row]], _allele(self.a, row), stratum)
            for row in rows
        ]
        self.differences.add("withheld", "numbers", int(apart.sum()), examples)

    def largest(self, name: str, stratum: str, cells: np.ndarray) -> int:
        """How far apart a number is at most, at alleles where both show the stratum."""
        if not cells.any():
            return 0
        column = wide_table.column(name, stratum)
        one, two = (table[column].to_numpy()[cells].astype(np.int64) for table in (self.a, self.b))
        return int(np.abs(one - two).max())
