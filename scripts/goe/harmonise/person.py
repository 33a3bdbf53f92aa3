"""One person's own gVCF or VCF by itself (C6): the site alleles it lists, and where the genome is callable without one.

Filter, ploidy, atoms and left-alignment are those of joint records (goe.harmonise.genotypes, goe.genome.alleles,
`bcftools norm`). What the person is for a site allele then follows from two tables: the code of the row that lists it,
or else what the runs say of its position.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from goe.calls import fields
from goe.calls.own_file import GQ_NONE, QUALITY_SOURCES, Blocks, Chunk, OwnFile, Rows
from goe.core.errors import GoeError, Problem
from goe.core.ledger import Ledger
from goe.core.processes import reading
from goe.genome.alleles import ACGT
from goe.genome.build import REGION_DIPLOID, REGION_X, REGION_Y, Build, contig_class
from goe.genome.classes import Classes
from goe.genome.fasta import Reference
from goe.harmonise import genotypes as gt
from goe.harmonise import variant_records
from goe.harmonise.listed import Listed, Sites, may_move, merged, reasons_of_ref, split, texts, with_texts
from goe.harmonise.records import account, ploidy_table
from goe.harmonise.schemas import ALLELES, COUNTERS, OF_CALLS, RUNS, WINDOW
from goe.hts import parquet
from goe.hts.bcf import END_OF_VECTOR
from goe.hts.kernels import kernel, within

# The greatest value that BCF has for a missing or a reference allele; the lowest bit is its phase.
_LAST_REF = 3


class Group(NamedTuple):
    """A group of rows of both tables: positions start..end of a contig (1-based, inclusive)."""

    contig: str
    start: int
    end: int
    alleles: pa.Table
    runs: pa.Table


@kernel
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


@kernel
def _add(start: int, end: int, here: int, n: int, starts: np.ndarray, ends: np.ndarray, classes: np.ndarray) -> int:
    if end < start:
        return n
    if n and ends[n - 1] + 1 == start and classes[n - 1] == here:
        ends[n - 1] = end
        return n
    starts[n], ends[n], classes[n] = start, end, here
    return n + 1


@kernel
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
        self._spans: list[tuple[np.ndarray, ...]] = []
        self._starts: list[tuple[np.ndarray, ...]] = []

    def cover(self, first: np.ndarray, last: np.ndarray, of_class: np.ndarray) -> None:
        self._spans.append((first.astype(np.int32), last.astype(np.int32), of_class.astype(np.int8)))

    def start(self, pos: np.ndarray, called: np.ndarray, of_class: np.ndarray) -> None:
        """Rows that start at these positions, and whether each is a call; one that is one is enough."""
        self._starts.append((pos.astype(np.int32), called, of_class.astype(np.int8)))

    def runs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """int32, int32, int8 (n,): first, last position and region class of the callable runs, sorted."""
        first, last, of_class = _sorted(self._spans, (np.int32, np.int32, np.int8))
        n = _union(first, last, of_class)
        pos, called, classes_at = _sorted(self._starts, (np.int32, np.bool_, np.int8))
        edges = np.flatnonzero(np.diff(pos, prepend=-1))
        if edges.size:
            pos, called, classes_at = pos[edges], np.logical_or.reduceat(called, edges), classes_at[edges]
        room = n + 2 * len(pos)
        starts, ends, classes = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.int8)
        n = _runs(first[:n], last[:n], of_class[:n], pos, called, classes_at, starts, ends, classes)
        return starts[:n], ends[:n], classes[:n]


def _sorted(parts: Sequence[tuple[np.ndarray, ...]], kinds: Sequence[type]) -> list[np.ndarray]:
    """Columns of all parts, sorted by the first."""
    nothing: tuple[np.ndarray, ...] = tuple(np.empty(0, kind) for kind in kinds)
    first, *others = map(np.concatenate, zip(nothing, *parts, strict=True))
    if len(first) and (np.diff(first) < 0).any():
        order = np.argsort(first, kind="stable")
        return [first[order], *(column[order] for column in others)]
    return [first, *others]


_RECORDS, _CALLED, _HET, _HOM_ALT, _MISSING_IN, _FAILED, _COUNTED, _SUM_DP, _DP, _PAR, _PAR_HAPLOID = range(
    len(OF_CALLS)
)


@within
def _count_one(
    a: int, b: int, passed: bool, depth: int, counts: bool, here: int, n: int, on_x: bool, counters: np.ndarray
) -> None:
    """Add a call of n bases of a class to the counters. a, b, passed: as it was seen; depth: of all of its bases
    together, negative where there is none; counts: whether it does by ploidy; on_x: whether it is of X."""
    of = counters[here]
    if a >= 0 or depth >= 0:
        of[_RECORDS] += n
    if a >= 0 and passed:
        of[_CALLED] += n
    if a < 0 and depth >= 0:
        of[_MISSING_IN] += n
    if a >= 0 and not passed:
        of[_FAILED] += n
    if counts:
        of[_COUNTED] += n
    if depth >= 0:
        of[_SUM_DP] += depth
        of[_DP] += n
    if a >= 0 and on_x and here == REGION_DIPLOID:
        of[_PAR] += n
        of[_PAR_HAPLOID] += n * (b == gt.HAPLOID)
    if passed and b >= 0 and a != b:
        of[_HET] += 1
    # One allele of two is all that some callers write of a man's X and Y; elsewhere a half call says little.
    elif passed and a > 0 and (b != gt.NO_CALL or here in (REGION_X, REGION_Y)):
        of[_HOM_ALT] += 1


@kernel
def _count(seen: np.ndarray, calls: np.ndarray, of_class: np.ndarray, on_x: bool, counters: np.ndarray) -> None:
    """Add calls of a base each to the counters."""
    for i in range(seen.shape[0]):
        a, b, passed, depth = seen[i, 0], seen[i, 1], seen[i, 2] > 0, np.int64(seen[i, 3])
        _count_one(a, b, passed, depth, calls[i, 0] != gt.NO_CALL, of_class[i], 1, on_x, counters)


@kernel
def _covered(
    blocks: Blocks,
    length: int,
    borders: np.ndarray,
    of_border: np.ndarray,
    ploidy: np.ndarray,
    respect_ft: bool,
    test: int,
    thresholds: Any,
    at_rows: np.ndarray,
    on_x: bool,
    counted: bool,
    counters: np.ndarray,
    sources: np.ndarray,
    spans: Any,
    starts: Any,
) -> tuple[int, int, int]:
    """Judge blocks; add them to the counters, where they are `counted`; fill spans (first, last, class) with those that
    are called, joined where one follows another, and starts (position, class) with those that begin where a row does:
    how many there are of both, and how many blocks are outside of the contig.

    length: of the contig; borders, of_border: where its classes begin, and which they are; ploidy: by class; test:
    TEST_* bits; thresholds: of goe.harmonise.genotypes.judge; at_rows: positions of rows, sorted as the blocks are;
    sources: int64, to which is added how many blocks have their quality from where.
    """
    min_gq, min_dp, min_dp_haploid, min_ab, alt_only = thresholds
    n, m, row, outside, border = 0, 0, 0, 0, 0
    begins, ends, classes = spans
    none = blocks.gq[:, :0]
    # A block that passed, what it was seen as, and the least depth and quality of those that are as it is and passed:
    # whoever has as much of both passes too. Of these the bases and reads that no counter has yet.
    like, class_like, seen_like, second_like, counts_like = 0, of_border[0], gt.NO_CALL, gt.NO_CALL, False
    least_dp, least_gq, bases, reads = np.inf, np.inf, np.int64(0), np.int64(0)
    for i in range(blocks.first.size):
        start, stop = blocks.first[i], min(blocks.last[i], length)
        if start < 1 or stop < start:
            outside += 1
            continue
        sources[blocks.source[i]] += 1
        dp, gq = blocks.dp[i, 0], blocks.gq[i, 0]
        of_kind = blocks.ft_ok[i] == blocks.ft_ok[like]
        of_kind &= blocks.gt[i, 0] == blocks.gt[like, 0] and blocks.gt[i, 1] == blocks.gt[like, 1]
        while border + 1 < borders.size and borders[border + 1] <= start:
            border += 1
        piece, first = border, start
        while first <= stop:
            here, last = of_border[piece], stop
            piece += 1
            if piece < borders.size:
                last = min(last, borders[piece] - 1)
            size, alike = last - first + 1, of_kind and here == class_like
            if alike and dp >= least_dp and gq >= least_gq:
                bases += size
                reads += size * np.int64(dp)
                counts = counts_like
            else:
                fails = respect_ft and not blocks.ft_ok[i]
                a, _, seen, second, passed, depth = gt.judge(
                    i, blocks.gt, blocks.dp, blocks.gq, none, fails, ploidy[here], test, min_gq, min_dp, min_dp_haploid,
                    min_ab, alt_only,
                )  # fmt: skip
                counts = a != gt.NO_CALL
                if counted:
                    _count_one(seen, second, passed, size * np.int64(depth), counts, here, size, on_x, counters)
                if passed and dp > 0:
                    if not alike:
                        if counted and bases:
                            _count_one(
                                seen_like, second_like, True, reads, counts_like, class_like, bases, on_x, counters
                            )
                        least_dp, least_gq, bases, reads = np.inf, np.inf, np.int64(0), np.int64(0)
                    like, class_like, seen_like, second_like, counts_like = i, here, seen, second, counts
                    least_dp, least_gq = min(dp, least_dp), min(gq, least_gq)
            if counts:
                if n and here == classes[n - 1] and begins[n - 1] <= first <= ends[n - 1] + 1:
                    ends[n - 1] = max(ends[n - 1], last)
                else:
                    begins[n], ends[n], classes[n] = first, last, here
                    n += 1
                # A block that starts where a row does is one of the rows that start there (C6.3).
                if first == start:
                    while row < at_rows.size and at_rows[row] < first:
                        row += 1
                    if row < at_rows.size and at_rows[row] == first:
                        starts[0][m], starts[1][m] = first, here
                        m += 1
            first = last + 1
    if counted and bases:
        _count_one(seen_like, second_like, True, reads, counts_like, class_like, bases, on_x, counters)
    return n, m, outside


@kernel
def _look(rows: Rows, first_of: np.ndarray, respect_ft: bool, end: np.ndarray, ft: np.ndarray) -> None:
    """Tell of rows where they end, and the reasons of FILTER or FT, 0 where they pass. first_of: int64, the number of
    the REF of each among all alleles; end: int64; ft: int32."""
    for i in range(rows.pos.size):
        end[i] = rows.pos[i] + rows.length[first_of[i]] - 1
        # FILTER is about the person's call, where it carries an ALT; FT is not looked at unless it is asked for (C1.6).
        carries = False
        for k in range(rows.gt.shape[1]):
            carries |= rows.gt[i, k] > _LAST_REF
        ft[i] = rows.filter[i] if carries else 0
        if respect_ft and rows.ft[i] > 0:
            ft[i] = rows.ft[i]


@kernel
def _judged(
    rows: Rows,
    number: np.ndarray,
    first_of: np.ndarray,
    fails: np.ndarray,
    of_class: np.ndarray,
    ploidy: np.ndarray,
    test: int,
    thresholds: Any,
    depths: np.ndarray,
    calls: np.ndarray,
    seen: np.ndarray,
) -> None:
    """Fill int32 calls (n, 2) after filter and ploidy, and seen (n, 4) as goe.harmonise.genotypes.call does, of rows by
    their numbers, each where it is of a class. depths: float64 (1, most alleles), which is written over."""
    min_gq, min_dp, min_dp_haploid, min_ab, alt_only = thresholds
    for n in range(number.size):
        i = number[n]
        for k in range(depths.shape[1]):
            depths[0, k] = rows.ad[first_of[i] + k] if k < rows.alleles[i] else END_OF_VECTOR
        one = slice(i, i + 1)
        calls[n, 0], calls[n, 1], seen[n, 0], seen[n, 1], seen[n, 2], seen[n, 3] = gt.judge(
            0, rows.gt[one], rows.dp[one], rows.gq[one], depths, fails[i], ploidy[of_class[n]], test, min_gq, min_dp,
            min_dp_haploid, min_ab, alt_only,
        )  # fmt: skip


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
        self._thresholds = rule.min_gq, rule.min_dp, rule.min_dp_haploid, float(rule.min_ab), rule.alt_only
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
        listed = Listed()
        for chunk in self.file:
            if chunk.contig != contig:
                if contig:
                    self._hold_quality(contig)
                    yield from self._groups(contig, spans, listed, scratch)
                contig, spans, listed = chunk.contig, [_Spans(), _Spans()], Listed()
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
            mend = (
                f'nobody is called there: set reference.leave_out: {{"{contig}": "no GQ"}}, or give files that have GQ'
            )
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
        self, rows: Rows, number: np.ndarray, first_of: np.ndarray, fails: np.ndarray, of_class: np.ndarray, raw: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """int32 (n, 2) calls after filter and ploidy, and (n, 4) what was seen, of `_judged`."""
        calls, seen = np.empty((len(number), 2), np.int32), np.empty((len(number), 4), np.int32)
        depths, test = np.empty((1, int(rows.alleles.max()))), 0 if raw else self.tests
        _judged(rows, number, first_of, fails, of_class, self.ploidy, test, self._thresholds, depths, calls, seen)
        return calls, seen

    def _chunk(self, chunk: Chunk, spans: list[_Spans], listed: Listed) -> None:
        length = self.build.contigs[chunk.contig]
        rows, blocks = chunk.rows, chunk.blocks
        here = (rows.pos >= 1) & (rows.pos <= length)
        if not here.all():
            rows = rows.where(here)
        outside = self._blocks(blocks, length, rows.pos, spans)
        self.ledger.drop("rows", "outside_of_contig", len(here) - len(rows.pos) + outside)
        self.ledger.drop("rows", "reference_block", len(blocks.first) - outside)
        self.ledger.give("rows", len(rows.pos))
        if len(rows.pos):
            self._rows(chunk.contig, rows, spans, listed)

    def _blocks(self, blocks: Blocks, length: int, at_rows: np.ndarray, spans: list[_Spans]) -> int:
        """How many of the blocks are outside of the contig, which is so long."""
        # Each may reach over all borders.
        room, outside = len(blocks.first) * len(self._classes.starts), 0
        called = tuple(np.empty(room, kind) for kind in (np.int32, np.int32, np.int8))
        starts = tuple(np.empty(len(blocks.first), kind) for kind in (np.int32, np.int8))
        for raw in (False, True) if self.raw else (False,):
            sources = np.zeros(GQ_NONE + 1, np.int64)
            n, m, outside = _covered(
                blocks, length, self._classes.starts, self._classes.of, self.ploidy, self.respect_ft,
                0 if raw else self.tests, self._thresholds, at_rows, self._on_x, not raw, self.counters, sources,
                called, starts,
            )  # fmt: skip
            spans[raw].cover(*(column[:n] for column in called))
            spans[raw].start(starts[0][:m], np.ones(m, np.bool_), starts[1][:m])
        self._qualities(sources)
        return outside

    def _rows(self, contig: str, rows: Rows, spans: list[_Spans], listed: Listed) -> None:
        n = len(rows.pos)
        first_of = np.cumsum(rows.alleles) - rows.alleles
        end, ft = np.empty(n, np.int64), np.empty(n, np.int32)
        _look(rows, first_of, self.respect_ft, end, ft)
        fails = (ft > 0) & self.respect_ft
        # What a longer row covers behind its position.
        number, first, last = self._pieces(rows.pos + 1, end)
        long = (first <= last) & self.file.blocks
        number, first, last = number[long], first[long], last[long]
        of_class, behind = self._classes.at(rows.pos), self._classes.at(first)
        pairs: list[np.ndarray] = []
        for raw in (False, True) if self.raw else (False,):
            calls, seen = self._call(rows, np.arange(n), first_of, fails, of_class, raw)
            covering, _ = self._call(rows, number, first_of, fails, behind, raw)
            ok = covering[:, 0] != gt.NO_CALL
            spans[raw].cover(first[ok], last[ok], behind[ok])
            spans[raw].start(rows.pos, calls[:, 0] != gt.NO_CALL, of_class)
            pairs.append(calls)
            if not raw:
                _count(seen, calls, of_class, self._on_x, self.counters)
        self._qualities(np.bincount(rows.source, minlength=GQ_NONE + 1))
        if contig_class(contig) == "autosome":
            variant_records.add(rows, self.counters[REGION_DIPLOID, len(OF_CALLS) :])
        reasons = reasons_of_ref(rows, contig, self.reference, self.file.path)
        sites, counts, with_alt, with_site = split(rows, reasons, ft, of_class, pairs[0], pairs[-1], self.file.blocks)
        listed.add(sites)
        self.ledger.take("records", n)
        if with_alt < n:
            self.ledger.drop("records", "no_alt", n - with_alt)
        if with_alt:
            account(self.ledger, counts, with_alt, with_site, whole=False)

    def _qualities(self, found: np.ndarray) -> None:
        """Count where the qualities of calls are from: int64 (GQ_NONE + 1,), how many are from where."""
        self._silent[0] += int(found.sum())
        self._silent[1] += int(found[GQ_NONE])
        for name, n in zip(QUALITY_SOURCES, found, strict=False):
            self.qualities[name] += int(n)

    # From what a contig's rows said to tables

    def _groups(self, contig: str, spans: list[_Spans], listed: Listed, scratch: str | Path) -> Iterator[Group]:
        runs = [kind.runs() for kind in (spans if self.raw else spans[:1])]
        sites, reasons = merged(self._aligned(contig, listed.whole(), scratch), self.file.reasons, self.ledger)
        table = self._table(sites, reasons, [self._classes_of(sites.pos, *kind) for kind in runs])
        length = self.build.contigs[contig]
        for start in range(1, length + 1, WINDOW):
            end = min(start + WINDOW - 1, length)
            i, j = np.searchsorted(sites.pos, np.array([start, end + 1], np.int32))
            yield Group(contig, start, end, table.slice(i, j - i), self._clipped(runs, start, end))

    def _aligned(self, contig: str, sites: Sites, scratch: str | Path) -> Sites:
        """The site alleles left-aligned, without those that then have a base that is not known."""
        moving = may_move(sites).tolist()
        if not moving:
            return sites
        path = Path(scratch) / "moving.vcf"
        with path.open("w") as out:
            out.write("##fileformat=VCFv4.3\n")
            out.writelines(f"##contig=<ID={name},length={n}>\n" for name, n in self.build.contigs.items())
            out.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
            out.writelines("\t".join([contig, str(sites.pos[i]), str(i), *sites.texts(i), ".\t.\t.\n"]) for i in moving)
        moved = []
        with reading("bcftools", "norm", "--no-version", "-f", self.fasta, "--check-ref", "e", "-Ov", path) as lines:
            for line in lines:
                if not line.startswith(b"#"):
                    cells = line.decode().split("\t", 5)
                    moved.append((int(cells[2]), int(cells[1]), cells[3].upper(), cells[4].upper()))
        path.unlink()
        if len(moved) != len(moving):
            what = f"{len(moving)} alleles of {contig} went into bcftools norm, and {len(moved)} came out"
            raise GoeError(Problem(self.file.path, what, "a fault in goe: please report it with the versions used"))
        sites = with_texts(sites, moved)
        # Only REF beside a gap of the reference, which the allele moved to, can have another base.
        unknown = [i for i, _, ref, alt in moved if not ACGT.issuperset(ref + alt)]
        if unknown:
            self.ledger.drop("site_alleles", "non_acgt_after_aligning", len(unknown))
            sites = Sites._make([*(np.delete(column, unknown, axis=0) for column in sites[:-1]), sites.text])
        return sites

    def _table(self, sites: Sites, reasons: Sequence[str], bases: list[np.ndarray]) -> pa.Table:
        refs, alts = texts(sites.text, sites.at, sites.ref), texts(sites.text, sites.at + sites.ref, sites.alt)
        bases = [self._codes_of(base) for base in bases]
        values = sites.code, bases[0], sites.raw, bases[-1], sites.region_class, sites.made
        words = [text.encode() for text in reasons]
        sizes = np.array([*map(len, words)])
        begins = np.cumsum(sizes) - sizes
        told = np.frombuffer(b"".join(words), np.uint8), begins[sites.ft], sizes[sites.ft]
        ft = texts(*told, sites.ft > 0)
        arrays = [parquet.column(sites.pos), refs, alts, *map(parquet.column, values)]
        arrays += [parquet.column(sites.qual, ~np.isnan(sites.qual)), ft, *map(parquet.column, sites.depths.T)]
        return pa.Table.from_arrays(arrays, schema=ALLELES)

    @staticmethod
    def _classes_of(positions: np.ndarray, *runs: np.ndarray) -> np.ndarray:
        found = np.empty(len(positions), np.int8)
        _at(positions, *runs, found)
        return found

    def _codes_of(self, classes: np.ndarray) -> np.ndarray:
        """Codes of a reference call by region class, 0 where there is none."""
        return np.where(classes > 0, self.ploidy[classes], gt.CODE_MISSING).astype(np.int8)

    def _clipped(self, runs: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], start: int, end: int) -> pa.Table:
        """`RUNS` from start to end, of both kinds."""
        parts = []
        for raw, (starts, ends, classes) in enumerate(runs):
            # Of another type, all of them would be made of it first.
            i, j = np.searchsorted(ends, np.int32(start)), np.searchsorted(starts, np.int32(end), "right")
            columns = [np.maximum(starts[i:j], start), np.minimum(ends[i:j], end), self._codes_of(classes[i:j])]
            columns.append(np.full(j - i, bool(raw)))
            parts.append(pa.Table.from_arrays([*map(parquet.column, columns)], schema=RUNS))
        return pa.concat_tables(parts)


@kernel
def _at(positions: np.ndarray, starts: np.ndarray, ends: np.ndarray, classes: np.ndarray, found: np.ndarray) -> None:
    """Fill int8 `found` with the region class of the run that holds each position, 0 where none does. Positions and
    runs are sorted."""
    n = 0
    for i in range(positions.size):
        while n < starts.size and ends[n] < positions[i]:
            n += 1
        found[i] = classes[n] if n < starts.size and starts[n] <= positions[i] else 0
