"""People's own files gathered: what a batch of people lists and where they are callable, window by window.

A region then opens a file a batch and not one a person. Every site allele of a window is there once, and rows name it
by its place.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from goe.core.errors import GoeError, Problem
from goe.genome.build import REGION_DIPLOID, REGION_Y_PAR, Build
from goe.harmonise.schemas import ALLELES, COUNTERS, PEOPLE_SCHEMA, RUNS, always
from goe.harmonise.schemas import WINDOW as PERSON_WINDOW
from goe.hts import parquet

if TYPE_CHECKING:
    # Who reads what was gathered needs none of the kernels that make it.
    from goe.harmonise.person import Harmoniser

# Bases of a window: what a region has in memory of everybody at once.
WINDOW = 1 << 20

SITES = pa.schema(
    [
        ("pos", pa.int32()),
        ("ref", pa.string()),
        ("alt", pa.string()),
        ("region_class", pa.int8()),
        ("made", pa.bool_()),
        ("qual", pa.float32()),
    ]
)
"""Site alleles that somebody lists, sorted; region_class, made, qual: of all rows of the batch, as for one person."""

_OF_ROW = ("code", "base", "raw", "raw_base", "region_class", "ft", "gq", "dp", "ad_ref", "ad_alt")
ROWS = pa.schema([always("person", pa.int32()), always("site", pa.int32()), *map(ALLELES.field, _OF_ROW)])
"""Rows of people: person by number in the batch, site by place in the window's SITES; the rest as in ALLELES."""

SPANS = pa.schema([("person", pa.int32()), *RUNS])
"""Callable runs of people, clipped to the window."""

# Columns of these tables that go up: of a person's, or of all.
_RISING = ("pos", "start", "end", "site")

TABLES = {"sites": SITES, "rows": ROWS, "runs": SPANS}


class Tables:
    """Writer of tables in groups of rows, each of a stretch of a contig, which the file's metadata names.

    A group without rows is not written. about: what else the metadata says, in the end.
    """

    def __init__(self, path: str | Path, schema: pa.Schema, about: dict):
        self._about = about
        self._groups: list[list] = []
        self._writer = parquet.writer(path, schema, [name for name in _RISING if name in schema.names])

    def write(self, contig: str, start: int, end: int, table: pa.Table) -> None:
        if table.num_rows:
            self._writer.write_table(table, row_group_size=table.num_rows)
            self._groups.append([contig, start, end])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._writer.add_key_value_metadata({"goe": json.dumps(self._about | {"groups": self._groups})})
        self._writer.close()


class Stretches:
    """Reader of what `Tables` wrote."""

    def __init__(self, path: str | Path, file: pq.ParquetFile):
        self.path, self._file = str(path), file
        about = json.loads(file.metadata.metadata[b"goe"])
        groups = about.pop("groups")
        self.about = about
        if len(groups) != file.metadata.num_row_groups:
            raise GoeError(
                Problem(self.path, "is damaged: its groups are not those it names", "delete it and start again")
            )
        self._of: dict[str, list[tuple[int, int, int]]] = {}
        for number, (contig, start, end) in enumerate(groups):
            self._of.setdefault(contig, []).append((start, end, number))

    def groups(self, contig: str) -> list[tuple[int, int]]:
        """Stretches of the contig that have rows, in order."""
        return [(start, end) for start, end, _ in self._of.get(contig, ())]

    def read(self, contig: str, start: int, end: int, columns: Sequence[str] | None = None) -> pa.Table:
        """The groups that touch start..end of the contig, whole; some of their columns, in the order of the table."""
        numbers = [n for first, last, n in self._of.get(contig, ()) if first <= end and last >= start]
        if numbers:
            return self._file.read_row_groups(numbers, columns)
        nothing = self._file.schema_arrow.empty_table()
        return nothing if columns is None else nothing.select(columns)


class Own(NamedTuple):
    """Files of a person, in the folder of those who are harmonised by one job."""

    alleles: str
    runs: str
    ledger: str

    @classmethod
    def of(cls, folder: str | Path, sample: str) -> "Own":
        return cls(*(f"{folder}/{sample}.{end}" for end in ("alleles.parquet", "runs.parquet", "ledger.json")))


def write_person(one: "Harmoniser", scratch: str | Path, alleles: str | Path, runs: str | Path) -> None:
    """Write the two tables of a person, those of a contig while the next is read. scratch: a folder for files that
    go."""
    about: dict = {}
    with (
        Tables(alleles, ALLELES, about) as listed,
        Tables(runs, RUNS, about) as called,
        ThreadPoolExecutor(1) as writer,
    ):
        contig, written = "", list[Future[None]]()
        for group in one(scratch):
            if group.contig != contig:
                for table in written:
                    table.result()
                contig, written = group.contig, []
            place = group.contig, group.start, group.end
            written += [
                writer.submit(listed.write, *place, group.alleles),
                writer.submit(called.write, *place, group.runs),
            ]
        for table in written:
            table.result()
        about |= one.about()


def windows(length: int, start: int = 1, end: int | None = None) -> Iterator[tuple[int, int]]:
    """(first, last) of the windows of a contig of this length that touch start..end, cut to it."""
    end = length if end is None else min(end, length)
    first = 1 + (start - 1) // WINDOW * WINDOW
    for at in range(first, end + 1, WINDOW):
        yield max(at, start), min(at + WINDOW - 1, end)


def gather(people: Sequence[tuple[str, str, str]], build: Build, out: dict[str, str]) -> None:
    """Write the tables of a batch to the paths out["sites"], out["rows"], out["runs"], and out["people"]: their
    counters as PEOPLE_SCHEMA has them.

    people: id, file of ALLELES and of RUNS of each.
    """
    about = {"people": [name for name, _, _ in people]}
    with ExitStack() as stack:
        files = [tuple(stack.enter_context(_opened(path)) for path in paths) for _, *paths in people]
        for (name, *_), (alleles, runs) in zip(people, files, strict=True):
            if {alleles.about["person"], runs.about["person"]} != {name}:
                raise GoeError(Problem(alleles.path, "is of somebody else", "delete it and start again"))
        parquet.write(_people(people, [alleles.about for alleles, _ in files]), out["people"])
        tables = {name: stack.enter_context(Tables(out[name], schema, about)) for name, schema in TABLES.items()}
        for contig, length in build.contigs.items():
            held: list[tuple[pa.Table, pa.Table]] = []
            until = 0
            for start, end in windows(length):
                if start > until:
                    held = [(a.read(contig, start, start), r.read(contig, start, start)) for a, r in files]
                    until = start + PERSON_WINDOW - 1
                sites, rows = _rows([a for a, _ in held], start, end)
                tables["sites"].write(contig, start, end, sites)
                tables["rows"].write(contig, start, end, rows)
                tables["runs"].write(contig, start, end, spans([r for _, r in held], start, end))


def _people(people: Sequence[tuple[str, str, str]], told: Sequence[dict]) -> pa.Table:
    rows: list[dict] = []
    for (name, *_), about in zip(people, told, strict=True):
        # Of the whole file, and so with the first of its classes alone.
        qualities = about["qualities"]
        for number, counters in about["counters"].items():
            row = dict(zip(COUNTERS, counters, strict=True))
            taken = {"n_gq_pl": qualities.get("PL", 0), "n_gq_gqx": qualities.get("GQX", 0)}
            rows.append({"sample_id": name, "class": int(number), **row, "n_said": row["n_records"], **taken})
            qualities = {}
    return pa.Table.from_pylist(rows, schema=PEOPLE_SCHEMA)


@contextmanager
def _opened(path: str | Path) -> Iterator[Stretches]:
    with parquet.opened(path) as file:
        yield Stretches(path, file)


def _rows(people: Sequence[pa.Table], start: int, end: int) -> tuple[pa.Table, pa.Table]:
    # Not at the top: who writes a person's tables needs none of it, and it takes 0.06 s to load.
    import pyarrow.compute as pc

    parts = []
    for number, table in enumerate(people):
        i, j = np.searchsorted(table["pos"].to_numpy(), [start, end + 1])
        part = table.slice(i, j - i)
        parts.append(part.append_column("person", parquet.column(np.full(j - i, number, np.int32))))
    every = pa.concat_tables(parts).combine_chunks()
    if not every.num_rows:
        return SITES.empty_table(), ROWS.empty_table()
    keys = every.select(["pos", "ref", "alt"]).append_column("row", parquet.column(np.arange(every.num_rows)))
    order = keys.sort_by([("pos", "ascending"), ("ref", "ascending"), ("alt", "ascending")])
    row = order["row"].to_numpy()
    same = np.zeros(len(row), np.bool_)
    for key in ("pos", "ref", "alt"):
        column = order[key].combine_chunks()
        equal = pc.equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
        same[1:] = equal if key == "pos" else same[1:] & equal
    place = np.empty(len(row), np.int32)
    place[row] = np.cumsum(~same) - 1
    first = np.flatnonzero(~same)
    classes = every["region_class"].to_numpy()[row]
    # Of several classes that of a sex chromosome outside its PARs, as for merged records.
    rank = np.where(np.isin(classes, (REGION_DIPLOID, REGION_Y_PAR)), classes + 100, classes)
    quals = every["qual"].to_numpy(zero_copy_only=False)[row].astype(np.float32)
    highest = np.fmax.reduceat(quals, first)
    lead = order.take(parquet.column(first))
    sites = pa.Table.from_arrays(
        [
            *(lead[name] for name in ("pos", "ref", "alt")),
            parquet.column((np.minimum.reduceat(rank, first) % 100).astype(np.int8)),
            parquet.column(np.logical_or.reduceat(every["made"].to_numpy(zero_copy_only=False)[row], first)),
            parquet.column(highest, ~np.isnan(highest)),
        ],
        schema=SITES,
    )
    told = (every[name] for name in _OF_ROW)
    rows = pa.Table.from_arrays([every["person"], parquet.column(place), *told], schema=ROWS)
    return sites, rows


def spans(people: Sequence[pa.Table], start: int, end: int) -> pa.Table:
    """SPANS of start..end. people: RUNS of each."""
    parts = []
    for number, table in enumerate(people):
        first, last = table["start"].to_numpy(), table["end"].to_numpy()
        inside = np.flatnonzero((first <= end) & (last >= start))
        columns = [
            np.full(len(inside), number, np.int32),
            np.maximum(first[inside], start),
            np.minimum(last[inside], end),
            table["code"].to_numpy()[inside],
            table["raw"].to_numpy(zero_copy_only=False)[inside],
        ]
        parts.append(pa.Table.from_arrays([*map(parquet.column, columns)], schema=SPANS))
    return pa.concat_tables(parts).combine_chunks()


class Batch:
    """The gathered files of a batch of people. ids: who they are, in the order of `person`."""

    def __init__(self, files: dict[str, Stretches]):
        self._files = files
        self.ids: list[str] = files["sites"].about["people"]
        if any(file.about["people"] != self.ids for file in files.values()):
            raise GoeError(Problem(files["rows"].path, "is of other people than its sites", "run the batch again"))

    @classmethod
    @contextmanager
    def opened(cls, paths: dict[str, str]) -> Iterator["Batch"]:
        with ExitStack() as stack:
            yield cls({name: stack.enter_context(_opened(paths[name])) for name in TABLES})

    def read(self, contig: str, start: int, end: int) -> "Piece":
        """start..end lie in one window."""
        return Piece(len(self.ids), self._files, contig, start, end)


class Piece:
    """What a batch has of a window, of start..end alone. people: how many they are; sites: SITES.

    Rows and runs are of everybody in the batch, and are read when they are asked for: who asks batch by batch and
    keeps nothing needs memory for one of them.
    """

    def __init__(self, people: int, files: Mapping[str, Stretches], contig: str, start: int, end: int):
        self.people = people
        self._files, self._where = files, (contig, start, end)
        sites = files["sites"].read(contig, start, end)
        pos = sites["pos"].to_numpy()
        self._first, self._stop = np.searchsorted(pos, [start, end + 1]).tolist()
        self._whole = self._stop - self._first == len(pos)
        self.sites = sites.slice(self._first, self._stop - self._first)

    def read_rows(self, columns: Sequence[str] | None = None) -> pa.Table:
        """ROWS, or `person`, `site` and these columns of them."""
        wanted = None if columns is None else ["person", "site", *columns]
        rows = self._files["rows"].read(*self._where, wanted)
        if self._whole:
            return rows
        place = rows["site"].to_numpy()
        rows = rows.filter(parquet.column((place >= self._first) & (place < self._stop)))
        return rows.set_column(1, ROWS.field("site"), parquet.column(rows["site"].to_numpy() - np.int32(self._first)))

    def read_runs(self) -> pa.Table:
        """SPANS."""
        _, start, end = self._where
        return _cut(self._files["runs"].read(*self._where), start, end)


class Called:
    """Where the people of a batch are callable, and nothing else of them. ids: as those of a `Batch`."""

    def __init__(self, file: Stretches):
        self._file = file
        self.ids: list[str] = file.about["people"]

    @classmethod
    @contextmanager
    def opened(cls, path: str | Path) -> Iterator["Called"]:
        """path: the table `runs` of the batch."""
        with _opened(path) as file:
            yield cls(file)

    def read(self, contig: str, start: int, end: int) -> pa.Table:
        """SPANS of start..end, which lie in one window."""
        return _cut(self._file.read(contig, start, end), start, end)


def _cut(runs: pa.Table, start: int, end: int) -> pa.Table:
    first, last = runs["start"].to_numpy(), runs["end"].to_numpy()
    if not len(first) or (first.min() >= start and last.max() <= end):
        return runs
    runs = runs.filter(parquet.column((first <= end) & (last >= start)))
    first, last = np.maximum(runs["start"].to_numpy(), start), np.minimum(runs["end"].to_numpy(), end)
    for i, name, column in ((1, "start", first), (2, "end", last)):
        runs = runs.set_column(i, SPANS.field(name), parquet.column(column))
    return runs
