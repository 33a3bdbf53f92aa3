"""The one table that every release format is written from: site alleles with the numbers that may be public.

`Source` streams the counted alleles of one contig, checks every invariant a consumer relies on, applies
disclosure control and hands out blocks of a fixed number of public alleles, whatever the regions were. Memory
is that of one block. `schema` and `rows` give the long Parquet table: one row per site allele and published
stratum.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from goe.core.errors import GoeError, Problem, stop_on
from goe.core.files import Closes
from goe.disclosure import control, outcomes
from goe.disclosure.earlier_difference import Difference
from goe.disclosure.plan import choose_strata
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.hts import parquet
from goe.rules.policy import Policy
from goe.rules.stratum import parse

# Blocks are cut after disclosure control: their borders say nothing about how many alleles were withheld
# between.
BLOCK = 16_384
STATISTICS = ("call_rate", "hwe_p", "inbreeding_coeff", "faf95", "faf99")
_SHOWN = 10
_FAULT = "a fault in an earlier stage: please report it with the versions used"


@dataclass
class Tally:
    """What passed through a Source, exact: not for the public folder.

    alleles read; outcome (outcomes.OUTCOMES) -> alleles; reason (outcomes.REASONS) -> alleles;
    stratum -> public alleles at which it is withheld; class -> PASS or filtered -> public alleles; FILTER name ->
    public alleles.
    """

    read: int = 0
    outcome: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    cells: Counter[str] = field(default_factory=Counter)
    classes: dict[str, Counter[str]] = field(default_factory=dict)
    filters: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict:
        return {
            "read": self.read,
            "outcome": dict(sorted(self.outcome.items())),
            "reasons": dict(sorted(self.reasons.items())),
            "cells": dict(self.cells),
            "classes": {name: dict(sorted(count.items())) for name, count in sorted(self.classes.items())},
            "filters": dict(sorted(self.filters.items())),
        }


def _span(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """First and last base of REF, int64 (alleles,)."""
    pos = table["pos"].to_numpy().astype(np.int64)
    return pos, pos + pc.binary_length(table["ref"]).to_numpy() - 1


def whole_positions(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same alleles, cut only where none before reaches the next: those that overlap are in one table."""
    waiting: pa.Table | None = None
    for table in tables:
        waiting = table if waiting is None else pa.concat_tables([waiting, table])
        pos, end = _span(waiting)
        starts = np.flatnonzero(pos[1:] > np.maximum.accumulate(end)[:-1]) + 1
        if len(starts):
            yield waiting.slice(0, int(starts[-1]))
            waiting = waiting.slice(int(starts[-1]))
    if waiting is not None and waiting.num_rows:
        yield waiting


def kept_people(path: str | Path) -> dict[str, int]:
    """Leaf stratum -> people kept, from the metadata of a counts file."""
    about = json.loads(pq.read_schema(path).metadata[b"goe"])
    return {leaf: int(about["people"][leaf]) for leaf in about["leaves"]}


class Source:
    """The public alleles of one contig.

    paths: Parquet files with counts and FILTER of the contig's regions, in the order of their positions.
    length: of the contig, in bases. earlier: gives what of an earlier release is beside these strata. Iterate to get
    Blocks; `tally` is complete after that. Raises GoeError that names the file and the alleles, by contig:pos:ref:alt,
    when an invariant does not hold.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        contig: str,
        length: int,
        policy: Policy,
        block: int = BLOCK,
        earlier: Callable[[Sequence[str]], Difference | None] | None = None,
    ):
        if not paths:
            raise ValueError(f"no region of {contig}")
        self.paths = [Path(p) for p in paths]
        self.contig, self.length, self.policy, self.block = contig, length, policy, block
        self.people = kept_people(self.paths[0])
        stop_on(
            [
                Problem(
                    str(path),
                    f"strata or people differ from those of {self.paths[0]}",
                    "the keep list changed between regions: make the counts of all regions again",
                )
                for path in self.paths[1:]
                if kept_people(path) != self.people
            ]
        )
        st.check_leaves(self.people, str(self.paths[0]))
        self.plan = choose_strata(self.people, policy.min_stratum_size)
        self.earlier = earlier(self.plan.strata) if earlier else None
        self.tally = Tally()
        self._last: tuple[int, str, str] = (0, "", "")
        self._columns = ["contig", "pos", "ref", "alt", "filter", *STATISTICS]
        self._counts = [f"{call}_{leaf}" for leaf in self.plan.leaves for call in st.CALLS]

    def __iter__(self) -> Iterator[Block]:
        waiting: list[pa.Table] = []
        n = 0
        for public in self._public():
            waiting.append(public)
            n += public.num_rows
            while n >= self.block:
                table = pa.concat_tables(waiting)
                yield self._block(table.slice(0, self.block))
                waiting = [table.slice(self.block)]
                n -= self.block
        if n:
            yield self._block(pa.concat_tables(waiting))

    def _public(self) -> Iterator[pa.Table]:
        """Checked alleles that are not withheld, with `filter` as text and `shown`, lists of a bool by stratum."""
        strata = len(self.plan.strata)
        for table in whole_positions(self._checked()):
            pos, end = _span(table)
            people, most = self._people(table), None
            if self.earlier is not None:
                most = self.earlier.most(pos, table["ref"], table["alt"], people, self.plan.leaves)
            decision = control.apply(people, self.plan, self.policy, pos, end, most)
            self._count_decision(decision)
            shown = pa.array(np.ascontiguousarray(decision.shown.T).ravel())
            table = table.append_column("shown", pa.FixedSizeListArray.from_arrays(shown, strata))
            yield table.filter(pa.array(decision.outcome != outcomes.WITHHELD))

    def _checked(self) -> Iterator[pa.Table]:
        """Alleles as they are counted, in batches, with `filter` as text."""
        for path in self.paths:
            with parquet.opened(path) as file:
                columns = set(file.schema_arrow.names)
                missing = [c for c in self._columns + self._counts if c not in columns]
                stop_on([Problem(str(path), f"column {name} is missing", _FAULT) for name in missing])
                for batch in file.iter_batches(self.block, columns=self._columns + self._counts):
                    table = pa.table(batch)
                    reasons = _filters(table["filter"].combine_chunks(), str(path))
                    self._check(table, self._people(table), str(path))
                    yield table.set_column(table.schema.get_field_index("filter"), "filter", reasons)

    def _people(self, table: pa.Table) -> np.ndarray:
        leaves = self.plan.leaves
        people = np.empty((len(leaves), len(st.CALLS), table.num_rows), dtype=np.int32)
        for i, leaf in enumerate(leaves):
            for j, call in enumerate(st.CALLS):
                people[i, j] = table[f"{call}_{leaf}"].to_numpy()
        return people

    def _check(self, table: pa.Table, people: np.ndarray, where: str) -> None:
        """Order, alleles and counts of one batch; GoeError with a few examples of every kind of fault."""
        n = table.num_rows
        problems: list[Problem] = []

        def fail(bad: np.ndarray | np.bool_, what: str, mend: str = _FAULT) -> None:
            rows = np.flatnonzero(bad)
            for row in rows[:_SHOWN]:
                one = table.slice(int(row), 1).select(["contig", "pos", "ref", "alt"]).to_pylist()[0]
                problems.append(Problem(where, f"{one['contig']}:{one['pos']}:{one['ref']}:{one['alt']} {what}", mend))
            if len(rows) > _SHOWN:
                problems.append(Problem(where, f"and {len(rows) - _SHOWN} more alleles: {what}", mend))

        if not n:
            return
        pos = table["pos"].to_numpy()
        ref, alt = table["ref"].combine_chunks(), table["alt"].combine_chunks()
        for allele in (ref, alt):
            fail(~_bool(pc.match_substring_regex(allele, "^[ACGT]+$")), "has letters other than A, C, G, T")
        fail(_bool(pc.equal(ref, alt)), "is no change")
        fail(~_bool(pc.equal(table["contig"].combine_chunks(), self.contig)), f"is not on {self.contig}")
        end = pos.astype(np.int64) + pc.binary_length(ref).to_numpy() - 1
        fail((pos < 1) | (end > self.length), f"is not within the {self.length} bases of {self.contig}")
        fail(self._unordered(pos, ref, alt), "is out of order or there twice")

        dip, hap, het, hom, hemi = (people[:, i] for i in range(len(st.CALLS)))
        size = np.array(list(self.people.values()), dtype=np.int64)[:, None]
        fail((people < 0).any(axis=(0, 1)), "has a count below 0")
        fail((het + hom > dip).any(axis=0), "has more diploid carriers than diploid calls")
        fail((hemi > hap).any(axis=0), "has more haploid carriers than haploid calls")
        fail((dip + hap > size).any(axis=0), "has more calls than people")
        stop_on(problems)

    def _unordered(self, pos: np.ndarray, ref: pa.Array, alt: pa.Array) -> np.ndarray:
        """bool (alleles,): not behind the allele before by (pos, ref, alt), also across batches and files."""
        before = np.concatenate(([self._last[0]], pos[:-1]))
        bad = pos < before
        ties = np.flatnonzero(pos == before)
        refs, alts = ref.take(pa.array(ties)).to_pylist(), alt.take(pa.array(ties)).to_pylist()
        previous = pa.array(np.maximum(ties - 1, 0))
        refs_before, alts_before = ref.take(previous).to_pylist(), alt.take(previous).to_pylist()
        for i, row in enumerate(ties):
            last = (refs_before[i], alts_before[i]) if row else self._last[1:]
            bad[row] = (refs[i], alts[i]) <= last
        self._last = (int(pos[-1]), ref[-1].as_py(), alt[-1].as_py())
        return bad

    def _block(self, table: pa.Table) -> Block:
        table = table.combine_chunks()
        shown = _array(table["shown"]).flatten().to_numpy(zero_copy_only=False)
        mask = np.ascontiguousarray(shown.reshape(-1, len(self.plan.strata)).T)
        numbers = st.numbers(st.expand(self._people(table), self.plan.leaves, self.plan.strata))
        self._agree(table, numbers)
        public = control.open_statistics(mask, self.plan, self.contig)
        statistics = {
            name: np.where(public[name], table[name].to_numpy().astype(np.float64), np.nan) for name in STATISTICS
        }
        block = Block(
            contig=self.contig,
            pos=_array(table["pos"]),
            ref=_array(table["ref"]),
            alt=_array(table["alt"]),
            filter=_array(table["filter"]),
            mask=mask,
            strata=self.plan.strata,
            numbers=numbers,
            statistics=statistics,
        )
        self._count(block)
        return block

    def _agree(self, table: pa.Table, numbers: st.Numbers) -> None:
        """What the strictest consumer asks: the parts give AC, AC within AN, no part above its whole."""
        strata = self.plan.strata
        bad = ((numbers.ac_hom + numbers.ac_het + numbers.ac_hemi != numbers.ac) | (numbers.ac > numbers.an)).any(
            axis=0
        )
        for s, stratum in enumerate(strata):
            for parent in parse(stratum).parents:
                if parent in strata:
                    p = strata.index(parent)
                    bad |= (numbers.ac[s] > numbers.ac[p]) | (numbers.an[s] > numbers.an[p])
        if bad.any():
            row = table.slice(int(np.flatnonzero(bad)[0]), 1).select(["pos", "ref", "alt"]).to_pylist()[0]
            raise GoeError(
                Problem(
                    f"{self.contig}:{row['pos']}:{row['ref']}:{row['alt']}",
                    f"numbers of strata contradict each other ({int(bad.sum())} alleles in this block)",
                    _FAULT,
                )
            )

    def _count_decision(self, decision: control.Decision) -> None:
        self.tally.read += len(decision.outcome)
        for name, count in zip(outcomes.OUTCOMES, np.bincount(decision.outcome, minlength=3), strict=True):
            self.tally.outcome[name] += int(count)
        reasons = np.bincount(decision.reason, minlength=len(outcomes.REASONS))
        for name, count in zip(outcomes.REASONS[1:], reasons[1:], strict=True):
            self.tally.reasons[name] += int(count)
        reduced = (~decision.shown & (decision.outcome == outcomes.REDUCED)).sum(axis=1)
        for stratum, count in zip(self.plan.strata, reduced, strict=True):
            self.tally.cells[stratum] += int(count)

    def _count(self, block: Block) -> None:
        passed = _bool(pc.equal(block.filter, "PASS"))
        ref, alt = pc.binary_length(block.ref).to_numpy(), pc.binary_length(block.alt).to_numpy()
        kind = np.select(
            [(ref == 1) & (alt == 1), (ref == 1) & (alt > 1), (ref > 1) & (alt == 1)], [0, 1, 2], default=3
        )
        for i, name in enumerate(("SNV", "insertion", "deletion", "complex")):
            count = self.tally.classes.setdefault(name, Counter())
            count["PASS"] += int((passed & (kind == i)).sum())
            count["filtered"] += int((~passed & (kind == i)).sum())
        for entry in pc.value_counts(block.filter).to_pylist():
            for name in entry["values"].split(";"):
                self.tally.filters[name] += entry["counts"]


def _bool(array: pa.Array) -> np.ndarray:
    """A boolean Arrow array as NumPy, null as False."""
    return pc.fill_null(array, False).to_numpy(zero_copy_only=False)


def _array(column: pa.ChunkedArray) -> pa.Array:
    chunks = column.combine_chunks()
    return chunks.chunk(0) if isinstance(chunks, pa.ChunkedArray) else chunks


def _filters(reasons: pa.Array, where: str) -> pa.Array:
    """Lists of reasons as FILTER text: each reason once, in its order, PASS when there is none."""
    coded = pc.binary_join(reasons, ";").dictionary_encode()
    texts = []
    problems = []
    if reasons.null_count:
        problems.append(Problem(where, f"{reasons.null_count} alleles have no FILTER", _FAULT))
    for text in coded.dictionary.to_pylist():
        names = list(dict.fromkeys(filter(None, text.split(";"))))
        problems += [
            Problem(where, f"filter name {name!r} cannot stand in a VCF", "rename it in the input")
            for name in names
            if name in ("0", "PASS", ".") or any(c.isspace() or c in ',"<>=' or not c.isprintable() for c in name)
        ]
        texts.append(";".join(names) or "PASS")
    stop_on(problems)
    return pa.array(texts, pa.string()).take(coded.indices)


_TYPES = {"string": pa.string(), "int32": pa.int32(), "float64": pa.float64()}


def schema(fields: Sequence[Mapping[str, str]], about: Mapping, people: Mapping[str, int], contig: str) -> pa.Schema:
    """Schema of the long table of one contig.

    fields: rows of the dictionary of published fields, whose `column` names the columns in their order.
    about: further facts (dataset, build). people: published strata in the order of the release -> the number of
    people that the release states, which may be rounded. Metadata `goe` is JSON: the facts, contig, strata with
    their people, and what the columns hold in which unit.
    """
    columns = [f for f in fields if f["column"]]
    goe = {
        **about,
        "contig": contig,
        "strata": [{"stratum": stratum, "people": n} for stratum, n in people.items()],
        "columns": {f["column"]: {"description": f["description"], "unit": f["unit"]} for f in columns},
    }
    return pa.schema(
        [pa.field(f["column"], _TYPES[f["column_type"]], nullable=f["column"] == "af") for f in columns],
        metadata={"goe": json.dumps(goe, sort_keys=True)},
    )


def rows(block: Block, wanted: pa.Schema) -> pa.Table:
    """The long table of a block: alleles in order, their public strata in the order of the release."""
    s = len(block.strata)
    shown = np.flatnonzero(block.shown().T.ravel())
    allele = pa.array((shown // s).astype(np.int32))
    af = block.numbers.af()
    columns: dict[str, pa.Array] = {
        "contig": pa.DictionaryArray.from_arrays(
            pa.array(np.zeros(len(shown), dtype=np.int32)), pa.array([block.contig])
        ),
        "pos": block.pos.take(allele),
        "stratum": pa.DictionaryArray.from_arrays(
            pa.array((shown % s).astype(np.int32)), pa.array(block.strata, pa.string())
        ),
    }
    for name in ("ref", "alt", "filter"):
        coded = getattr(block, name).dictionary_encode()
        columns[name] = pa.DictionaryArray.from_arrays(coded.indices.take(allele), coded.dictionary)
    for name in ("ac", "an", "ac_hom", "ac_het", "ac_hemi", "nhomalt"):
        columns[name] = pa.array(getattr(block.numbers, name).T.ravel()[shown], pa.int32())
    values = af.T.ravel()[shown]
    columns["af"] = pa.array(values, pa.float64(), mask=np.isnan(values))
    return pa.table([columns[f.name] for f in wanted], names=wanted.names)


class Writer(Closes):
    """Parquet file of one contig's long table, a row group per block; text reads back as plain strings."""

    def __init__(self, path: str | Path | IO[bytes], wanted: pa.Schema):
        self.wanted = wanted
        # Text goes in as codes, which saves making the same string again for every stratum.
        coded = pa.schema(
            [
                pa.field(f.name, pa.dictionary(pa.int32(), f.type), f.nullable) if f.type == pa.string() else f
                for f in wanted
            ]
        )
        self.coded = coded
        self.file = parquet.released(path, coded, wanted.metadata[b"goe"].decode(), write_statistics=True)

    def write(self, block: Block) -> None:
        self.group(rows(block, self.wanted))

    def group(self, table: pa.Table) -> None:
        """Write a row group."""
        self.file.write_table(table.cast(self.coded), row_group_size=table.num_rows)

    def close(self) -> None:
        self.file.close()
