"""The rules that the rows of a GDI package keep, checked in numbers of a row group at a time.

They are those of GenomicDataInfrastructure/gdi-node-standalone (validate_parquet.rs, subcounts.rs, hierarchy.rs,
kanon.rs), asked more strictly where this release can promise more: rows are sorted by all four keys and not by
POS alone, no count is missing, and AF is AC / AN in single precision, where the node allows the rounding of six
digits (max(1, ceil(AN x 6e-7)) alleles).
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.core.errors import Problem
from goe.release.gdi import format as gdi
from goe.rules.stratum import PUBLISHED, parse

_SHOWN = 3


def below_floor(ac: np.ndarray, an: np.ndarray, floor: int) -> np.ndarray:
    """Whether a cell has 1 to floor-1 copies of the allele, or of all others: kanon.rs, `classify_row`."""
    other = an - ac
    return ((ac > 0) & (ac < floor)) | ((other > 0) & (other < floor))


class Rows:
    """Checks the rows of one data file, in their order.

    where: names the file in the problems. name: the file's name, None when it is no name of a data file.
    After `close`: problems; rows, records (distinct alleles) and populations seen.
    """

    def __init__(self, where: str, name: gdi.DataFile | None, floor: int):
        self.where, self.name, self.floor = where, name, floor
        self.rows = self.records = 0
        self.populations: set[str] = set()
        self._found: dict[str, tuple[int, list[str]]] = {}
        self._rest: pa.Table | None = None
        self._last: tuple | None = None
        self._at_pos = (-1, 0)

    def add(self, table: pa.Table) -> None:
        """The next rows, with the columns of gdi_format.SCHEMA; text may be coded."""
        if not table.num_rows:
            return
        if self._rest is not None:
            table = pa.concat_tables([self._rest, table])
        table = _coded(table)
        starts = _starts(table)
        # The last allele may go on in the next rows.
        end = int(starts[-1])
        if table.num_rows - end > gdi.MAX_POPULATIONS:
            # No allele has so many rows: they are out of order, and not kept.
            self._rest = None
            self._check(table, starts)
            return
        self._rest = table.slice(end)
        if end:
            self._check(table.slice(0, end), starts[:-1])

    def close(self) -> None:
        if self._rest is not None:
            table = _coded(self._rest)
            self._check(table, _starts(table))
            self._rest = None

    @property
    def problems(self) -> list[Problem]:
        """A problem for each kind of fault, with the first few rows that have it."""
        out = []
        for what, (count, examples) in self._found.items():
            more = f" and {count - len(examples)} more rows" if count > len(examples) else ""
            out.append(
                Problem(
                    self.where,
                    f"{'; '.join(examples)}{more}: {what}",
                    "make the package again; if it stays, report it with the versions used",
                )
            )
        return out

    def _fail(self, table: pa.Table, rows: np.ndarray, what: str) -> None:
        """rows: indices or a mask of the rows at fault."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        if not len(rows):
            return
        count, examples = self._found.setdefault(what, (0, []))
        for row in rows[: _SHOWN - len(examples)]:
            one = table.slice(int(row), 1).select(list(gdi.SORTED_BY)).to_pylist()[0]
            allele = ":".join(_short(one[key]) for key in ("POS", "REF", "ALT"))
            examples.append(f"{allele} (POS from 0) {_short(one['POPULATION'])}")
        self._found[what] = (count + len(rows), examples)

    def _check(self, table: pa.Table, starts: np.ndarray) -> None:
        """Rows of whole alleles; starts: index of the first row of each."""
        self.rows += table.num_rows
        self.records += len(starts)
        nulls = [name for name in table.column_names if table[name].null_count]
        for name in nulls:
            empty = pc.is_null(table[name].combine_chunks()).to_numpy(zero_copy_only=False)
            self._fail(table, empty, f"{name} is missing")
        if nulls:
            return
        numbers = {name: table[name].to_numpy().astype(np.int64) for name in ("POS", *gdi.COUNTS)}
        self._order(table, numbers["POS"])
        self._alleles(table, starts)
        self._place(table, numbers["POS"])
        self._counts(table, numbers)
        self._people(table, numbers, starts)

    def _order(self, table: pa.Table, pos: np.ndarray) -> None:
        """Sorted by the four keys, each once, also against the rows before."""
        keys = [pos, *(_ranks(table[name]) for name in gdi.SORTED_BY[1:])]
        above = np.zeros(len(pos) - 1, dtype=bool)
        for key in reversed(keys):
            step = np.diff(key)
            above = (step > 0) | ((step == 0) & above)
        self._fail(table, np.flatnonzero(~above) + 1, "is out of order or there twice")
        first, last = (_key(table, row) for row in (0, table.num_rows - 1))
        if self._last is not None and first <= self._last:
            self._fail(table, np.array([0]), "is out of order or there twice")
        self._last = last

    def _alleles(self, table: pa.Table, starts: np.ndarray) -> None:
        rows = pa.array(starts)
        ref, alt, kind = (_codes(table[name]).take(rows) for name in ("REF", "ALT", "VT"))
        for name, column in (("REF", ref), ("ALT", alt)):
            words = column.dictionary
            letters = pc.match_substring_regex(words, "^[ACGTN]+$").to_numpy(zero_copy_only=False)
            length = pc.binary_length(words).to_numpy()
            codes = column.indices.to_numpy()
            self._fail(table, starts[~letters[codes]], f"{name} has letters other than A, C, G, T, N")
            self._fail(table, starts[length[codes] > gdi.MAX_ALLELE], f"{name} is longer than {gdi.MAX_ALLELE} bases")
        plain_ref, plain_alt, plain_kind = (column.dictionary_decode() for column in (ref, alt, kind))
        both = np.stack([pc.binary_length(a).to_numpy() for a in (plain_ref, plain_alt)])
        same = pc.equal(plain_ref, plain_alt).to_numpy(zero_copy_only=False)
        self._fail(table, starts[same], "is no change")
        snv = (both == 1).all(axis=0)
        is_snp = pc.equal(plain_kind, "SNP").to_numpy(zero_copy_only=False)
        wrong = snv & ~is_snp
        rest = np.flatnonzero(~snv & ~same)
        pick = pa.array(rest)
        refs, alts, kinds = (a.take(pick).to_pylist() for a in (plain_ref, plain_alt, plain_kind))
        untrimmed = []
        for row, one, other, label in zip(rest, refs, alts, kinds, strict=True):
            wrong[row] = label != gdi.variant_type(one, other)
            if len(one) > 1 and len(other) > 1 and (one[0] == other[0] or one[-1] == other[-1]):
                untrimmed.append(starts[row])
        self._fail(table, starts[wrong], "VT is not the type of the allele")
        self._fail(table, np.array(untrimmed, dtype=np.int64), "is not trimmed")

        names = _codes(table["POPULATION"])
        words = names.dictionary.to_pylist()
        used = np.unique(names.indices.to_numpy())
        self.populations |= {words[code] for code in used}
        strange = [code for code in used if not PUBLISHED.fullmatch(words[code])]
        if strange:
            rows_at = np.isin(names.indices.to_numpy(), strange)
            self._fail(table, rows_at, "is no population: Total, M, F, a country, or a country and M or F")

    def _place(self, table: pa.Table, pos: np.ndarray) -> None:
        """Within the block of the file's name, and not too much at one position."""
        self._fail(table, pos < 0, "POS is below 0")
        if self.name is not None:
            span = self.name.block_range
            block = pos // span if span else np.zeros_like(pos)
            self._fail(table, block != self.name.block, "is outside the block of the file's name")
        size = sum(_lengths(table[name]) for name in ("REF", "ALT", "POPULATION"))
        first = np.flatnonzero(np.diff(pos, prepend=pos[0] - 1))
        total = np.add.reduceat(size, first)
        if pos[0] == self._at_pos[0]:
            total[0] += self._at_pos[1]
        self._at_pos = (int(pos[-1]), int(total[-1]))
        self._fail(table, first[total > gdi.MAX_AT_ONE_POS], "is at a position with more bytes than the node takes")

    def _counts(self, table: pa.Table, n: dict[str, np.ndarray]) -> None:
        af = table["AF"].to_numpy()
        ac, an = n["AC"], n["AN"]
        for name in gdi.COUNTS:
            self._fail(table, n[name] < 0, f"{name} is below 0")
        self._fail(table, n["AC_HOM"] + n["AC_HET"] + n["AC_HEMI"] != ac, "AC_HOM + AC_HET + AC_HEMI is not AC")
        self._fail(table, n["AC_HOM"] % 2 == 1, "AC_HOM is odd")
        self._fail(table, ac > an, "AC is above AN")
        self._fail(table, an == 0, "AN is 0: there is no AF")
        with np.errstate(invalid="ignore", divide="ignore"):
            right = (ac / an).astype(np.float32)
        self._fail(table, ~(af == right) & (an > 0), "AF is not AC / AN")
        self._fail(table, below_floor(ac, an, self.floor), f"is below the floor of {self.floor} alleles")

    def _people(self, table: pa.Table, n: dict[str, np.ndarray], starts: np.ndarray) -> None:
        """No part above its whole, and parts that are a whole not above it (hierarchy.rs)."""
        many = np.diff(starts, append=table.num_rows) > 1
        if not many.any():
            return
        names = _codes(table["POPULATION"])
        words = names.dictionary.to_pylist()
        allele = np.repeat(np.arange(len(starts)), np.diff(starts, append=table.num_rows))
        place = np.cumsum(many) - 1
        rows = np.flatnonzero(many[allele])
        codes = names.indices.to_numpy()
        shape = (len(words), int(many.sum()))
        ac, an = np.full(shape, -1, dtype=np.int64), np.full(shape, -1, dtype=np.int64)
        at = codes[rows], place[allele[rows]]
        ac[at], an[at] = n["AC"][rows], n["AN"][rows]
        where = starts[many]
        used = [i for i, word in enumerate(words) if PUBLISHED.fullmatch(word) and (an[i] >= 0).any()]
        index = {words[i]: i for i in used}
        parts: dict[tuple[str, str], list[int]] = {}
        for child, i in index.items():
            for parent in parse(child).parents:
                if parent not in index:
                    continue
                p = index[parent]
                both = (an[i] >= 0) & (an[p] >= 0)
                for name, values in (("AC", ac), ("AN", an)):
                    bad = both & (values[i] > values[p])
                    if bad.any():
                        self._fail(table, where[bad], f"{name} of {child} is above that of {parent}")
                parts.setdefault((parent, gdi.axis(child)), []).append(i)
        for (parent, axis), children in parts.items():
            p = index[parent]
            shown = an[children] >= 0
            whole = shown.any(axis=0) & (np.where(shown, an[children], 0).sum(axis=0) == an[p])
            bad = whole & (np.where(shown, ac[children], 0).sum(axis=0) > ac[p])
            if bad.any():
                self._fail(table, where[bad], f"the populations by {axis} make {parent}, but their AC is above its")


def _coded(table: pa.Table) -> pa.Table:
    """The table with text columns coded, one code list each, and one chunk a column."""
    for name in gdi.TEXT:
        column = table[name]
        if not pa.types.is_dictionary(column.type):
            table = table.set_column(table.column_names.index(name), name, column.dictionary_encode())
    return table.unify_dictionaries().combine_chunks()


def _codes(column: pa.ChunkedArray) -> pa.DictionaryArray:
    return column.chunk(0)


def _ranks(column: pa.ChunkedArray) -> np.ndarray:
    """Place of each value in the byte order of the column's words; int64 (rows,)."""
    coded = _codes(column)
    order = pc.sort_indices(coded.dictionary).to_numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[coded.indices.to_numpy()]


def _lengths(column: pa.ChunkedArray) -> np.ndarray:
    """Bytes of each value, int64 (rows,)."""
    coded = _codes(column)
    return pc.binary_length(coded.dictionary).to_numpy().astype(np.int64)[coded.indices.to_numpy()]


def _starts(table: pa.Table) -> np.ndarray:
    """Index of the first row of each run of one allele."""
    change = np.zeros(table.num_rows, dtype=bool)
    change[0] = True
    for values in (
        pc.fill_null(table["POS"], -1).to_numpy(),
        *(pc.fill_null(_codes(table[name]).indices, -1).to_numpy() for name in ("REF", "ALT")),
    ):
        change[1:] |= values[1:] != values[:-1]
    return np.flatnonzero(change)


def _key(table: pa.Table, row: int) -> tuple:
    one = table.slice(row, 1).select(list(gdi.SORTED_BY)).to_pylist()[0]
    return one["POS"], *(one[name].encode() for name in gdi.SORTED_BY[1:])


def _short(value: object, most: int = 30) -> str:
    text = str(value)
    return text if len(text) <= most else f"{text[:most]}... ({len(text)})"
