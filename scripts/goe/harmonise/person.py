"""One person's own gVCF or VCF by itself (C6): the site alleles it lists, and where the genome is callable without one.

Filter, ploidy, atoms and left-alignment are those of joint records (goe.harmonise.genotypes, goe.genome.alleles,
`bcftools norm`). What the person is for a site allele then follows from two tables: the code of the row that lists it,
or else what the runs say of its position.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numba as nb
import numpy as np
import pyarrow as pa

from goe.calls import fields
from goe.calls.own_file import END_OF_VECTOR, GQ_NONE, MISSING, QUALITY_SOURCES, Blocks, Chunk, OwnFile, Row
from goe.core.errors import GoeError, Problem
from goe.core.ledger import Ledger
from goe.core.processes import reading
from goe.genome.alleles import ACGT, SiteAllele, check_ref, split
from goe.genome.build import REGION_DIPLOID, REGION_X, REGION_Y, Build, contig_class, merged_class
from goe.genome.classes import Classes
from goe.genome.fasta import Reference
from goe.harmonise import genotypes as gt
from goe.harmonise.records import account, ploidy_table

# Rows a group of a person's tables: those of this many bases.
WINDOW = 1 << 23

ALLELES = pa.schema(
    [
        ("pos", pa.int32()),
        ("ref", pa.string()),
        ("alt", pa.string()),
        ("code", pa.int8()),
        ("base", pa.int8()),
        ("raw", pa.int8()),
        ("raw_base", pa.int8()),
        ("region_class", pa.int8()),
        ("made", pa.bool_()),
        ("qual", pa.float32()),
        ("ft", pa.string()),
        ("gq", pa.float32()),
        ("dp", pa.float32()),
        ("ad_ref", pa.float32()),
        ("ad_alt", pa.float32()),
    ]
)
"""A site allele that the file lists, normalised, a row each. code: of the call (goe.harmonise.genotypes.CODES) by the
rows that list it; base: what the runs say at pos; raw, raw_base: the same without the filter; region_class: that of
the POS of its row as it came; made: whether it is a site allele of the cohort for this person's sake; qual; ft: reasons
of a carrier whose every row fails, joined by `;`; the last four of a call homozygous for an SNV alone, NaN where not
known."""

RUNS = pa.schema([("start", pa.int32()), ("end", pa.int32()), ("code", pa.int8()), ("raw", pa.bool_())])
"""Positions start..end (1-based, inclusive) at which the person counts as reference for what the file does not list: of
one ploidy class, with the code of that call; raw: without the filter. Runs of a kind do not overlap and are in
order."""


class Group(NamedTuple):
    """A group of rows of both tables: positions start..end of a contig (1-based, inclusive)."""

    contig: str
    start: int
    end: int
    alleles: pa.Table
    runs: pa.Table


@nb.njit(cache=True, nogil=True)
def _union(first: np.ndarray, last: np.ndarray, of_class: np.ndarray) -> int:
    """Union of spans, in place: how many there are afterwards. int64 (n,) first, last, sorted by first; int8 class."""
    n = 0
    for i in range(first.size):
        if n and of_class[i] == of_class[n - 1] and first[i] <= last[n - 1] + 1:
            last[n - 1] = max(last[n - 1], last[i])
        else:
            first[n], last[n], of_class[n] = first[i], last[i], of_class[i]
            n += 1
    return n


@nb.njit(cache=True, nogil=True)
def _add(start: int, end: int, here: int, n: int, starts: np.ndarray, ends: np.ndarray, classes: np.ndarray) -> int:
    if end < start:
        return n
    if n and ends[n - 1] + 1 == start and classes[n - 1] == here:
        ends[n - 1] = end
        return n
    starts[n], ends[n], classes[n] = start, end, here
    return n + 1


@nb.njit(cache=True, nogil=True)
def _runs(
    first: np.ndarray,
    last: np.ndarray,
    of_class: np.ndarray,
    positions: np.ndarray,
    called: np.ndarray,
    classes_at: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    classes: np.ndarray,
) -> int:
    """Fill starts, ends, classes with spans first..last, but for positions, which are in as they are called (C6.3).

    Spans do not overlap and are sorted, and so are positions, each once. How many runs there are: at most spans and
    twice the positions.
    """
    n, p = 0, 0
    for i in range(first.size):
        start, end, here = first[i], last[i], of_class[i]
        while p < positions.size and positions[p] < start:
            if called[p]:
                n = _add(positions[p], positions[p], classes_at[p], n, starts, ends, classes)
            p += 1
        while p < positions.size and positions[p] <= end:
            if not called[p]:
                n = _add(start, positions[p] - 1, here, n, starts, ends, classes)
                start = positions[p] + 1
            p += 1
        n = _add(start, end, here, n, starts, ends, classes)
    while p < positions.size:
        if called[p]:
            n = _add(positions[p], positions[p], classes_at[p], n, starts, ends, classes)
        p += 1
    return n


class _Spans:
    """What is callable on one contig: spans that cover, and positions where rows start."""

    def __init__(self) -> None:
        self.first, self.last, self.of_class = array("i"), array("i"), array("b")
        self.positions: dict[int, tuple[bool, int]] = {}

    def cover(self, first: np.ndarray, last: np.ndarray, of_class: np.ndarray) -> None:
        self.first.frombytes(first.astype(np.int32).tobytes())
        self.last.frombytes(last.astype(np.int32).tobytes())
        self.of_class.frombytes(of_class.astype(np.int8).tobytes())

    def start(self, pos: int, called: bool, of_class: int) -> None:
        self.positions[pos] = (called or self.positions.get(pos, (False, 0))[0], of_class)

    def runs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """int32, int32, int8 (n,): first, last position and region class of the callable runs, sorted."""
        first = np.frombuffer(self.first, np.int32) if self.first else np.empty(0, np.int32)
        order = np.argsort(first, kind="stable")
        first = first[order]
        last = np.frombuffer(self.last, np.int32)[order] if self.last else np.empty(0, np.int32)
        of_class = np.frombuffer(self.of_class, np.int8)[order] if self.of_class else np.empty(0, np.int8)
        n = _union(first, last, of_class)
        positions = np.array(sorted(self.positions), np.int32)
        called = np.array([self.positions[p][0] for p in positions.tolist()], np.bool_)
        classes_at = np.array([self.positions[p][1] for p in positions.tolist()], np.int8)
        room = n + 2 * len(positions)
        starts, ends, classes = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.int8)
        n = _runs(first[:n], last[:n], of_class[:n], positions, called, classes_at, starts, ends, classes)
        return starts[:n], ends[:n], classes[:n]


@dataclass
class _Listed:
    """Site alleles that one contig's rows list, not yet left-aligned."""

    sites: list[tuple[int, str, str]] = field(default_factory=list)
    codes: array = field(default_factory=lambda: array("b"))
    raw: array = field(default_factory=lambda: array("b"))
    classes: array = field(default_factory=lambda: array("b"))
    made: array = field(default_factory=lambda: array("b"))
    quals: array = field(default_factory=lambda: array("f"))
    ft: dict[int, str] = field(default_factory=dict)
    depths: dict[int, list[float]] = field(default_factory=dict)


COUNTERS = (
    *("n_records", "n_called", "n_het", "n_hom_alt", "n_missing_in", "n_failed", "n_counted", "sum_dp", "n_dp"),
    *("n_par", "n_par_haploid"),
)
"""Counters of a person's own file by region class, in bases of a gVCF and rows of a VCF: those it speaks of, with a
call that passes, without a call, with one that fails, and that count by ploidy; het and homozygous calls of ALT
alleles that pass; the sum of depths, over those with a depth; those of the pseudo-autosomal regions of X with a call,
and of these written with one allele, whatever the filter says."""


class Harmoniser:
    """The way from the rows of one person's file to `ALLELES` and `RUNS`.

    file: its rows; build; fasta: the reference, to check REF and for left-alignment; sex: F, M or U, of the sheet;
    rule: genotype filter; keep_absent: FORMAT fields that the file does not declare are not tested (C1.3); respect_ft:
    whether FT (FILTER, where there is none) decides about a call; raw: whether to tell also what the filter takes away.
    After iterating, `ledger` has the accounts, `counters` int64 (region classes, COUNTERS) and `qualities` how many
    calls had their quality from where.
    """

    def __init__(
        self,
        file: OwnFile,
        build: Build,
        fasta: str,
        sex: str,
        rule: gt.Filter,
        keep_absent: bool = False,
        respect_ft: bool = False,
        raw: bool = False,
    ):
        self.file, self.build, self.fasta, self.rule, self.raw = file, build, fasta, rule, raw
        self.reference = Reference(fasta)
        self.keep_absent, self.respect_ft = keep_absent, respect_ft
        self.ploidy = ploidy_table([sex])[:, 0]
        self.tests: int | None = None
        self.ledger = Ledger("harmonise_person")
        self.counters = np.zeros((len(self.ploidy), len(COUNTERS)), np.int64)
        self.qualities: Counter[str] = Counter()
        # Rows of the present contig, and those of them without any quality.
        self._silent = [0, 0]

    def __call__(self, scratch: str | Path) -> Iterator[Group]:
        """Groups of both tables, contig by contig in the order of the file. scratch: a folder for files that go."""
        contig = ""
        spans = [_Spans(), _Spans()]
        listed = _Listed()
        for chunk in _whole_positions(self.file):
            if chunk.contig != contig:
                if contig:
                    self._hold_quality(contig)
                    yield from self._groups(contig, spans, listed, scratch)
                contig, spans, listed = chunk.contig, [_Spans(), _Spans()], _Listed()
                self._classes = Classes(self.build, contig)
                self._on_x = contig_class(contig) == "X"
            if self.tests is None:
                self.tests = self._tests()
            self._chunk(chunk, spans, listed)
        if contig:
            self._hold_quality(contig)
            yield from self._groups(contig, spans, listed, scratch)
        self.ledger.take("rows", self.file.records)
        self.ledger.drop("rows", "contig_not_counted", self.file.left_out)

    def about(self) -> dict:
        """What is known of the person after the last group, for the tables' metadata: who it is, counters by region
        class, where genotype qualities were taken from."""
        counters = {str(number): row for number, row in enumerate(self.counters.tolist()) if any(row)}
        return {"person": self.file.sample, "counters": counters, "qualities": dict(sorted(self.qualities.items()))}

    def _hold_quality(self, contig: str) -> None:
        """GoeError when no row of a gVCF on M has a quality, as some callers write it: nobody would be called there."""
        silent, self._silent = self._silent, [0, 0]
        tested = self.file.blocks and contig_class(contig) == "M" and (self.tests or 0) & gt.TEST_GQ
        if tested and silent[0] and silent[0] == silent[1]:
            what = f"none of its {silent[0]} rows on {contig} has a genotype quality (GQ, PL or GQX)"
            mend = f'nobody is called there: set reference.ignore_contigs: ["{contig}"], or give files that have GQ'
            raise GoeError(Problem(self.file.path, what, mend))

    # Calls

    def _tests(self) -> int:
        absent = fields.absent(self.file.declared, self.file.blocks)
        tests = self.rule.tests(frozenset(), self.respect_ft)
        kept = self.rule.tests(frozenset(absent), self.respect_ft)
        if kept != tests and not self.keep_absent:
            mend = "give a file that has them, or set genotype_filter.on_absent_fields: keep"
            what = f"FORMAT {', '.join(absent)} not declared, so the genotype filter cannot test them"
            raise GoeError(Problem(self.file.path, what, mend))
        return kept

    def _pieces(self, first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(number of the span, first, last) of spans cut at the borders of region classes."""
        number = np.arange(len(first))
        for start in self._classes.starts[1:].tolist():
            over = np.flatnonzero((first < start) & (last >= start))
            if over.size:
                first = np.concatenate([first, np.full(over.size, start, first.dtype)])
                last = np.concatenate([last, last[over]])
                last[over] = start - 1
                number = np.concatenate([number, number[over]])
        return number, first, last

    def _call(
        self,
        gts: np.ndarray,
        dp: np.ndarray,
        gq: np.ndarray,
        ad: np.ndarray,
        ft_fail: np.ndarray,
        of_class: np.ndarray,
        raw: bool,
    ) -> tuple[np.ndarray, np.ndarray]:
        """int32 (n, 2) calls after filter and ploidy, and (n, 4) what was seen, of n calls as if of n people."""
        n = len(gts)
        tests = np.full(n, 0 if raw else self.tests, np.uint8)
        calls, seen = np.empty((n, 2), np.int32), np.empty((n, 4), np.int32)
        rule = self.rule
        gt.call(
            np.arange(n, dtype=np.int32), gts, dp, gq, ad, ft_fail, self.ploidy[of_class], tests,
            rule.min_gq, rule.min_dp, rule.min_dp_haploid, rule.min_ab, rule.alt_only, calls, seen,
        )  # fmt: skip
        return calls, seen

    def _chunk(self, chunk: Chunk, spans: list[_Spans], listed: _Listed) -> None:
        length = self.build.contigs[chunk.contig]
        rows = [row for row in chunk.rows if 1 <= row.pos <= length]
        blocks = chunk.blocks
        inside = (blocks.first >= 1) & (blocks.first <= length) & (blocks.last >= blocks.first)
        outside = len(chunk.rows) - len(rows) + int((~inside).sum())
        self.ledger.drop("rows", "outside_of_contig", outside)
        self.ledger.drop("rows", "reference_block", len(chunk.blocks.first) - int((~inside).sum()))
        self.ledger.give("rows", len(rows))
        if not inside.all():
            blocks = Blocks(*(column[inside] for column in blocks))
        np.minimum(blocks.last, length, out=blocks.last)
        self._blocks(blocks, rows, spans)
        if rows:
            self._rows(chunk.contig, rows, spans, listed)

    def _blocks(self, blocks: Blocks, rows: list[Row], spans: list[_Spans]) -> None:
        # A block that starts where a row does is one of the rows that start there (C6.3).
        at_rows = list({row.pos for row in rows})
        number, first, last = self._pieces(blocks.first, blocks.last)
        of_class = self._classes.at(first)
        ft_fail = ~blocks.ft_ok[number] if self.respect_ft else np.zeros(len(number), np.bool_)
        empty = np.empty((len(number), 0))
        told = blocks.gt[number], blocks.dp[number], blocks.gq[number], empty, ft_fail, of_class
        for raw in (False, True) if self.raw else (False,):
            calls, seen = self._call(*told, raw=raw)
            ok = calls[:, 0] != gt.NO_CALL
            spans[raw].cover(first[ok], last[ok], of_class[ok])
            if at_rows:
                for k in np.flatnonzero(ok & (first == blocks.first[number]) & np.isin(first, at_rows)).tolist():
                    spans[raw].start(int(first[k]), True, int(of_class[k]))
            if not raw:
                self._count(seen, ok, of_class, last - first + 1)
        self._silent[0] += len(blocks.source)
        self._silent[1] += int((blocks.source == GQ_NONE).sum())
        for source, found in enumerate(np.bincount(blocks.source, minlength=4)[: len(QUALITY_SOURCES)].tolist()):
            self.qualities[QUALITY_SOURCES[source]] += found

    def _count(self, seen: np.ndarray, counted: np.ndarray, of_class: np.ndarray, weight: np.ndarray) -> None:
        """Add calls, each `weight` bases long, to the counters."""
        called, passed, depth = seen[:, 0] >= 0, seen[:, 2] > 0, seen[:, 3]
        two = passed & (seen[:, 1] >= 0) & (seen[:, 0] != seen[:, 1])
        # One allele of two is all that some callers write of a man's X and Y; elsewhere a half call says little.
        half = (seen[:, 1] == gt.NO_CALL) & ~np.isin(of_class, (REGION_X, REGION_Y))
        alt = passed & (seen[:, 0] > 0) & ~half
        in_par = self._on_x & (of_class == REGION_DIPLOID)
        columns = (
            weight * (called | (depth >= 0)), weight * (called & passed), two, alt & ~two,
            weight * (~called & (depth >= 0)), weight * (called & ~passed), weight * counted,
            weight * np.where(depth >= 0, depth, 0), weight * (depth >= 0),
            weight * (called & in_par), weight * (called & in_par & (seen[:, 1] == gt.HAPLOID)),
        )  # fmt: skip
        for i, column in enumerate(columns):
            self.counters[:, i] += np.bincount(of_class, column, len(self.counters)).astype(np.int64)

    def _rows(self, contig: str, rows: list[Row], spans: list[_Spans], listed: _Listed) -> None:
        pos = np.array([row.pos for row in rows], np.int64)
        end = pos + np.array([len(row.ref) for row in rows], np.int64) - 1
        width = max(2, *(len(row.gt) for row in rows)) if rows else 2
        n_ad = max((len(row.ad) for row in rows if row.ad), default=0)
        gts = np.full((len(rows), width), END_OF_VECTOR, np.int32)
        ad = np.full((len(rows), n_ad), float(END_OF_VECTOR))
        for i, row in enumerate(rows):
            gts[i, : len(row.gt)] = [0 if a is None else (a + 1) << 1 for a in row.gt]
            if row.ad:
                ad[i, : len(row.ad)] = row.ad
        dp = np.array([[row.dp] for row in rows])
        gq = np.array([[row.gq] for row in rows])
        # FILTER is about the person's call, where it carries an ALT; FT is not looked at unless it is asked for (C1.6).
        fts = [row.ft if self.respect_ft and row.ft != "." else row.filter if any(row.gt) else "." for row in rows]
        ft_fail = np.array([self.respect_ft and ft != "." for ft in fts], np.bool_)
        # The position of the row, and what a longer row covers behind it.
        number, first, last = self._pieces(pos + 1, end)
        long = (first <= last) & self.file.blocks
        number, first, last = number[long], first[long], last[long]
        every = np.concatenate([np.arange(len(rows)), number])
        of_class = self._classes.at(np.concatenate([pos, first]))
        told = gts[every], dp[every], gq[every], ad[every], ft_fail[every], of_class
        pairs: list[np.ndarray] = []
        n = len(rows)
        for raw in (False, True) if self.raw else (False,):
            calls, seen = self._call(*told, raw=raw)
            ok = calls[:, 0] != gt.NO_CALL
            spans[raw].cover(first[ok[n:]], last[ok[n:]], of_class[n:][ok[n:]])
            for p, good, here in zip(pos.tolist(), ok[:n].tolist(), of_class[:n].tolist(), strict=True):
                spans[raw].start(p, good, here)
            pairs.append(calls[:n])
            if not raw:
                self._count(seen[:n], ok[:n], of_class[:n], np.ones(n, np.int64))
        self._silent[0] += n
        self._silent[1] += sum(row.source == GQ_NONE for row in rows)
        for row in rows:
            if row.source < len(QUALITY_SOURCES):
                self.qualities[QUALITY_SOURCES[row.source]] += 1
        for i, row in enumerate(rows):
            if row.alts:
                self._list(contig, row, fts[i], int(of_class[i]), [tuple(p[i].tolist()) for p in pairs], listed)
            else:
                self.ledger.drop("records", "no_alt")
            self.ledger.take("records")

    def _list(
        self, contig: str, row: Row, ft: str, of_class: int, pairs: Sequence[tuple[int, int]], listed: _Listed
    ) -> None:
        reason = check_ref(self.reference, self.file.path, contig, row.pos, row.ref)
        sites, counts = split(row.pos, row.ref, row.alts, reason)
        account(self.ledger, counts, bool(sites), whole=False)
        for site in sites:
            code = gt.code_of(pairs[0], site.of)
            carried = any(a in site.of for a in row.gt if a is not None)
            if ft != "." and code >= gt.CODE_HET:
                listed.ft[len(listed.sites)] = ft
            if _is_hom_snv(row, site):
                listed.depths[len(listed.sites)] = self._depths(row, site)
            listed.sites.append((site.pos, site.ref, site.alt))
            listed.codes.append(code)
            listed.raw.append(gt.code_of(pairs[-1], site.of))
            listed.classes.append(of_class)
            listed.made.append(carried or not self.file.blocks)
            listed.quals.append(row.qual if row.qual is not None and (carried or not self.file.blocks) else np.nan)

    def _depths(self, row: Row, site: SiteAllele) -> list[float]:
        known = [np.nan if v == MISSING else v for v in (row.gq, row.dp)]
        ad = row.ad or []
        sides = [ad[a] if a < len(ad) and ad[a] != MISSING else np.nan for a in (0, site.of[0])]
        return [*known, *sides]

    # From what a contig's rows said to tables

    def _groups(self, contig: str, spans: list[_Spans], listed: _Listed, scratch: str | Path) -> Iterator[Group]:
        runs = [kind.runs() for kind in (spans if self.raw else spans[:1])]
        alleles = self._merged(contig, listed, scratch)
        bases = [_at(alleles[0], *kind) for kind in runs]
        table = self._table(alleles, bases)
        length = self.build.contigs[contig]
        for start in range(1, length + 1, WINDOW):
            end = min(start + WINDOW - 1, length)
            i, j = np.searchsorted(alleles[0], [start, end + 1])
            yield Group(contig, start, end, table.slice(i, j - i), self._clipped(runs, start, end))

    def _aligned(self, contig: str, listed: _Listed, scratch: str | Path) -> list[tuple[int, str, str]]:
        """The site alleles left-aligned; SNVs stay where they are."""
        sites = list(listed.sites)
        moving = [i for i, (_, ref, alt) in enumerate(sites) if len(ref) != 1 or len(alt) != 1]
        if not moving:
            return sites
        path = Path(scratch) / "moving.vcf"
        with path.open("w") as out:
            out.write("##fileformat=VCFv4.3\n")
            out.writelines(f"##contig=<ID={name},length={n}>\n" for name, n in self.build.contigs.items())
            out.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
            for i in sorted(moving, key=lambda i: sites[i][0]):
                pos, ref, alt = sites[i]
                out.write(f"{contig}\t{pos}\t{i}\t{ref}\t{alt}\t.\t.\t.\n")
        n = 0
        with reading("bcftools", "norm", "--no-version", "-f", self.fasta, "--check-ref", "e", "-Ov", path) as lines:
            for line in lines:
                if not line.startswith(b"#"):
                    cells = line.decode().split("\t", 5)
                    sites[int(cells[2])] = (int(cells[1]), cells[3].upper(), cells[4].upper())
                    n += 1
        path.unlink()
        if n != len(moving):
            what = f"{len(moving)} alleles of {contig} went into bcftools norm, and {n} came out"
            raise GoeError(Problem(self.file.path, what, "a fault in goe: please report it with the versions used"))
        return sites

    def _merged(self, contig: str, listed: _Listed, scratch: str | Path) -> list[Any]:
        """Columns of `ALLELES` but for the two bases: an allele a row, sorted, rows of one allele merged (C3.4)."""
        sites = self._aligned(contig, listed, scratch)
        kept = []
        for i, (_, ref, alt) in enumerate(sites):
            if ACGT.issuperset(ref) and ACGT.issuperset(alt):
                kept.append(i)
            else:
                self.ledger.drop("site_alleles", "non_acgt_after_aligning")
        kept.sort(key=sites.__getitem__)
        first = [n for n, i in enumerate(kept) if n == 0 or sites[i] != sites[kept[n - 1]]]
        self.ledger.drop("site_alleles", "merged_into_another_record", len(kept) - len(first))
        self.ledger.give("site_alleles", len(first))
        lead = np.array([kept[n] for n in first], np.int64)
        codes, raw = (
            np.frombuffer(a, np.int8)[lead].copy() if len(a) else np.empty(0, np.int8)
            for a in (listed.codes, listed.raw)
        )
        classes, made = (
            np.frombuffer(a, np.int8)[lead].copy() if len(a) else np.empty(0, np.int8)
            for a in (listed.classes, listed.made)
        )
        quals = np.frombuffer(listed.quals, np.float32)[lead].copy() if len(listed.quals) else np.empty(0, np.float32)
        ft: list[str | None] = [listed.ft.get(i) for i in lead.tolist()]
        depths = np.full((4, len(lead)), np.nan, np.float32)
        for n, i in enumerate(lead.tolist()):
            if i in listed.depths:
                depths[:, n] = listed.depths[i]
        for n, (start, stop) in enumerate(zip(first, [*first[1:], len(kept)], strict=False)):
            if stop - start == 1:
                continue
            rows = kept[start:stop]
            stacks = [[np.array([a[i]], np.int8) for i in rows] for a in (listed.codes, listed.raw)]
            codes[n], raw[n] = (gt.merge_codes(stack)[0] for stack in stacks)
            # Of the rows that decide: somebody may be called in a PAR by one, and not be counted outside by another.
            deciding = {listed.classes[i] for i in rows if listed.codes[i] == codes[n]}
            classes[n] = merged_class(deciding or {listed.classes[i] for i in rows})
            made[n] = any(listed.made[i] for i in rows)
            known = [listed.quals[i] for i in rows if listed.quals[i] == listed.quals[i]]
            quals[n] = max(known, default=np.nan)
            chosen = [listed.ft.get(i, "") for i in rows if listed.codes[i] == codes[n]]
            fails = codes[n] >= gt.CODE_HET and all(chosen)
            ft[n] = ";".join(sorted({r for text in chosen for r in text.split(";")})) if fails else None
            depths[:, n] = np.nan
        place = [sites[i] for i in lead.tolist()]
        pos = np.array([p for p, _, _ in place], np.int32)
        return [pos, [r for _, r, _ in place], [a for _, _, a in place], codes, raw, classes, made, quals, ft, depths]

    def _table(self, columns: list, bases: list[np.ndarray]) -> pa.Table:
        pos, refs, alts, codes, raw, classes, made, quals, ft, depths = columns
        bases = [self._codes_of(base) for base in bases]
        values = [pos, refs, alts, codes, bases[0], raw, bases[-1], classes, made.astype(np.bool_)]
        arrays = [pa.array(v, f.type) for v, f in zip(values, ALLELES, strict=False)]
        arrays.append(pa.array(quals, pa.float32(), mask=np.isnan(quals)))
        arrays.append(pa.array(ft, pa.string()))
        arrays += [pa.array(column, pa.float32()) for column in depths]
        return pa.Table.from_arrays(arrays, schema=ALLELES)

    def _codes_of(self, classes: np.ndarray) -> np.ndarray:
        """Codes of a reference call by region class, 0 where there is none."""
        return np.where(classes > 0, self.ploidy[classes], gt.CODE_MISSING).astype(np.int8)

    def _clipped(self, runs: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], start: int, end: int) -> pa.Table:
        """`RUNS` from start to end, of both kinds."""
        parts = []
        for raw, (starts, ends, classes) in enumerate(runs):
            i, j = np.searchsorted(ends, start), np.searchsorted(starts, end, "right")
            columns = [np.maximum(starts[i:j], start), np.minimum(ends[i:j], end), self._codes_of(classes[i:j])]
            parts.append(
                pa.Table.from_arrays([*map(pa.array, columns), pa.array(np.full(j - i, bool(raw)))], schema=RUNS)
            )
        return pa.concat_tables(parts)


def _is_hom_snv(row: Row, site: SiteAllele) -> bool:
    """Whether the row calls two copies of the SNV that is the only allele it lists."""
    plain = [a for a in row.alts if ACGT.issuperset(a)]
    return (
        len(row.ref) == len(site.alt) == len(plain) == 1
        and "*" not in row.alts
        and len(row.gt) == 2
        and all(a in site.of for a in row.gt)
    )


def _whole_positions(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """The same chunks, but with all rows of a position in one."""
    held: Chunk | None = None
    for chunk in chunks:
        if held is not None and held.contig == chunk.contig:
            pairs = zip(held.blocks, chunk.blocks, strict=True)
            chunk = Chunk(chunk.contig, Blocks(*map(np.concatenate, pairs)), [*held.rows, *chunk.rows])
        elif held is not None:
            yield held
        blocks, rows = chunk.blocks, chunk.rows
        last = max([*blocks.first[-1:].tolist(), *(row.pos for row in rows[-1:])])
        i = int(np.searchsorted(blocks.first, last))
        j = next((n for n in range(len(rows), 0, -1) if rows[n - 1].pos < last), 0)
        held = Chunk(chunk.contig, Blocks(*(column[i:] for column in blocks)), rows[j:])
        if i or j:
            yield Chunk(chunk.contig, Blocks(*(column[:i] for column in blocks)), rows[:j])
    if held is not None:
        yield held


def _at(positions: np.ndarray, starts: np.ndarray, ends: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """int8: the region class of the run that holds each position, 0 where none does."""
    i = np.searchsorted(starts, positions, "right") - 1
    found = np.zeros(len(positions), np.int8)
    inside = i >= 0
    inside[inside] = positions[inside] <= ends[i[inside]]
    found[inside] = classes[i[inside]]
    return found
