"""From the cohort's records to one GT-only record per site allele (C1 to C3).

Two passes with `bcftools norm` between them: `Splitter` filters the genotypes of the unsplit record, sets ploidy,
takes atoms and splits; after left-alignment `merge_records` brings records of one site allele together. The files
are those of goe.harmonise.files.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import IO

import numpy as np
import pyarrow as pa

from goe.core.errors import GoeError, Problem
from goe.core.ledger import Ledger
from goe.genome.alleles import ACGT, SiteAllele, check_ref, split
from goe.genome.build import (
    REGION_DIPLOID,
    REGION_M,
    REGION_X,
    REGION_Y,
    REGION_Y_PAR,
    Build,
    Region,
    contig_class,
    merged_class,
    region_class,
)
from goe.genome.fasta import Reference
from goe.harmonise import genotypes as gt
from goe.harmonise import local
from goe.harmonise.schemas import OF_VARIANTS, PEOPLE_SCHEMA
from goe.hts.bcf import Header, Reader, Record, Writer
from goe.hts.kernels import jit

# Wanted ploidy by region class and sex; classes and sexes not named are not counted (C2).
PLOIDY = {
    REGION_DIPLOID: {"F": 2, "M": 2, "U": 2},
    REGION_X: {"F": 2, "M": 1, "U": 0},
    REGION_Y: {"F": 0, "M": 1, "U": 0},
    REGION_Y_PAR: {"F": 0, "M": 0, "U": 0},
    REGION_M: {"F": 1, "M": 1, "U": 1},
}
N_CLASSES = 1 + max(PLOIDY)

# Site metrics carried from the input: key -> which of two records' values is the worse one.
METRICS = {"QD": min, "MQ": min, "FS": max, "ReadPosRankSum": min}
INFO = {
    "CLASS": ("Integer", "Region class of the record as it came: 1 diploid, 2 X, 3 Y, 4 Y PAR, 5 M"),
    "NREC": ("Integer", "Input records merged into this site allele"),
    **{key: ("Float", f"{key} of the input record; the worst where records were merged") for key in METRICS},
}
FORMATS = {
    "GT": (1, "String", "Genotype after filter and ploidy"),
}
RAW_FORMAT = {"RAW": (1, "Integer", "Call before the filter: 0 missing, 1 ref1, 2 ref2, 3 het, 4 hom, 5 hemi")}
FIELDS = ("GT", "DP", "GQ", "AD", "FT", *local.FIELDS)


def ploidy_table(sexes: Iterable[str]) -> np.ndarray:
    """int8 (classes, people): wanted ploidy of each person in each region class, 0 = not counted."""
    sexes = list(sexes)
    table = np.zeros((N_CLASSES, len(sexes)), np.int8)
    for number, by_sex in PLOIDY.items():
        table[number] = [by_sex[sex] for sex in sexes]
    return table


@dataclass(frozen=True)
class People:
    """The people of a file's columns. sexes: F, M or U; absent: FORMAT fields their file does not declare."""

    ids: list[str]
    sexes: list[str]
    absent: list[frozenset[str]]

    def tests(self, rule: gt.Filter, respect_ft: bool) -> np.ndarray:
        """uint8 (people,): which tests of the filter apply to whom."""
        return np.array([rule.tests(absent, respect_ft) for absent in self.absent], np.uint8)


# Counters of the people whose calls had to be looked at: no call, called but failed, het, homozygous for an ALT,
# passed but left out by ploidy, passed without a depth, the sum of the depths of those that passed, and neither a call
# nor a depth: nothing is said there, which is not the same as a depth of 0.
# Last, those whose quality was taken from likelihoods, and calls written with one allele, whatever the filter says.
_MISSING, _FAILED, _HET, _HOM, _LEFT_OUT, _NO_DEPTH, _DEPTHS, _SILENT, _FROM_PL, _HAPLOID = range(10)


@jit
def _tally(people: np.ndarray, seen: np.ndarray, calls: np.ndarray, half_counts: bool, counters: np.ndarray) -> int:
    """Add a record to the counters (people, 10) of `people`, who are all that is not a passing 0/0; whether it counts.

    It does not where the file has nothing to say of anybody, neither a call nor a depth. half_counts: whether one
    allele of two is a call, as some callers write a man's X and Y.
    """
    silent = 0
    for i in range(people.size):
        silent += seen[i, 0] < 0 and seen[i, 3] < 0
    if silent == counters.shape[0]:
        return 0
    for i in range(people.size):
        p = people[i]
        a, b, ok, depth = seen[i, 0], seen[i, 1], seen[i, 2], seen[i, 3]
        if a < 0:
            counters[p, _MISSING] += 1
            if depth < 0:
                counters[p, _SILENT] += 1
            continue
        if b == gt.HAPLOID:
            counters[p, _HAPLOID] += 1
        if not ok:
            counters[p, _FAILED] += 1
            continue
        if b >= 0 and a != b:
            counters[p, _HET] += 1
        elif a > 0 and (b != -1 or half_counts):
            counters[p, _HOM] += 1
        if calls[i, 0] < 0:
            counters[p, _LEFT_OUT] += 1
        if depth >= 0:
            counters[p, _DEPTHS] += depth
        else:
            counters[p, _NO_DEPTH] += 1
    return 1


def account(ledger: Ledger, counts: Counter[str], records: int, with_site: int, whole: bool = True) -> None:
    """Enter what `goe.genome.alleles.split` made of records in the ledger. with_site: how many of them have a site
    allele; whole: whether the site alleles are given out as they are, with nothing between."""
    if with_site:
        ledger.give("records", with_site)
    if records > with_site:
        ledger.drop("records", "no_site_allele", records - with_site)
    ledger.take("alts", counts["alts_in"])
    ledger.give("alts", counts["kept"])
    for key, n in counts.items():
        if key.startswith("dropped:"):
            ledger.drop("alts", key.removeprefix("dropped:"), n)
    ledger.take("site_alleles", counts["kept"])
    ledger.add("site_alleles", "atoms", counts["atoms"] - counts["kept"])
    ledger.drop("site_alleles", "same_within_record", counts["shared"])
    if whole:
        ledger.give("site_alleles", counts["atoms"] - counts["shared"])


@dataclass
class _Started:
    """The first record of a position, and everybody's calls as reference calls in each that starts there."""

    record: Record
    codes: list[np.ndarray]
    raw: list[np.ndarray]


class Splitter:
    """First pass over the records of one region.

    build, region: where they lie; reference: to check REF; people: columns of the file, in its order;
    rule: genotype filter; raw: also carry the calls without the filter; starts: also give a record without ALT for each
    position where records start, with everybody's call there as if it were reference: what its people are for site
    alleles that only other files have (C6.6).
    """

    def __init__(
        self,
        build: Build,
        region: Region,
        reference: Reference,
        people: People,
        rule: gt.Filter,
        respect_ft: bool = False,
        raw: bool = False,
        starts: bool = False,
    ):
        self.build, self.region, self.reference, self.raw = build, region, reference, raw
        self.starts = starts
        self.people = people
        self.respect_ft = respect_ft
        self.caller = gt.Caller(len(people.ids), ploidy_table(people.sexes), people.tests(rule, respect_ft), rule)
        self.ledger = Ledger(f"harmonise {region.contig}:{region.start}-{region.end}")
        self._records = np.zeros(N_CLASSES, np.int64)
        self._tested_ad = bool(rule.min_ab)
        self._odd_ad: list[str] = []
        self._counters = np.zeros((N_CLASSES, len(people.ids), _HAPLOID + 1), np.int64)

    def __call__(self, reader: Reader) -> Iterator[tuple[Record, bool]]:
        """Records of the site alleles, each with whether it is final.

        Final is an SNV at the position of its input record: left-alignment cannot move it, its REF has been
        looked at, and it comes in order.
        """
        ledger = self.ledger
        last: Record | None = None
        started: _Started | None = None
        for record in reader:
            ledger.take("records")
            self._in_order(reader.name, last, record)
            last = record
            if record.contig not in self.build.contigs:
                ledger.drop("records", "contig_outside_table")
                continue
            if not self.region.start <= record.pos <= self.region.end:
                raise GoeError(
                    Problem(
                        f"{reader.name}, {record.where}",
                        f"lies outside the region {self.region}",
                        "see `joint`",
                    )
                )
            if started and started.record.pos != record.pos:
                yield self._start(started), True
                started = None
            sites: list[SiteAllele] = []
            if not record.alts or record.alts == ["."]:
                ledger.drop("records", "no_alt")
            else:
                reason = check_ref(self.reference, reader.name, record.contig, record.pos, record.ref)
                sites, counts = split(record.pos, record.ref, record.alts, reason)
                account(ledger, counts, 1, bool(sites))
            if not sites and not self.starts:
                continue
            calls = self._calls(reader.name, record)
            if self.starts:
                started = started or _Started(record, [], [])
                started.codes.append(self.caller.codes(calls, 1 + len(record.alts), ()))
                if self.raw:
                    started.raw.append(self.caller.codes(calls, 1 + len(record.alts), (), raw=True))
            if sites:
                yield from self._site_records(record, sites, calls)
        if started:
            yield self._start(started), True
        if self._odd_ad:
            what = "AD (LAD) has another number of values than the record (LAA) has alleles, "
            what += f"in {len(self._odd_ad)} records"
            mend = "make the file again: bcftools norm keeps AD right where it is declared Number=R"
            raise GoeError(Problem(f"{reader.name}, {self._odd_ad[0]}", what, mend))

    def _start(self, started: "_Started") -> Record:
        contig, pos = started.record.contig, started.record.pos
        formats = {"GT": gt.gt_bytes(gt.merge_codes(started.codes))}
        if self.raw:
            formats["RAW"] = gt.merge_codes(started.raw)[:, None]
        base = self.reference.bases(contig, pos, 1) or "N"
        return Record(contig, pos, None, base, [], [], {"CLASS": region_class(self.build, contig, pos)}, formats)

    def _in_order(self, name: str, last: Record | None, record: Record) -> None:
        if last is not None and last.contig == record.contig and record.pos < last.pos:
            raise GoeError(
                Problem(
                    f"{name}, {record.where}",
                    f"comes after {last.where}: not sorted",
                    "bcftools sort the file",
                )
            )

    def _calls(self, name: str, record: Record) -> gt.Calls:
        for key in ("DP", "GQ", "AD"):
            if key in record.formats and record.formats[key].dtype.kind == "S":
                mend = f"declare {key} Integer or Float, as its values are (bcftools reheader, or annotate)"
                raise GoeError(Problem(f"{name}, {record.where}", f"FORMAT {key} is declared as text", mend))
        number = region_class(self.build, record.contig, record.pos)
        told = local.resolve(name, record)
        if told is not None:
            self._counters[number, told, _FROM_PL] += 1
        ft = record.formats.get("FT")
        failed = None if ft is None or not self.respect_ft else ~np.isin(ft, [b"PASS", b".", b""])
        calls = self.caller.calls(record.formats, number, failed, self.raw)
        self._within_record(name, record, calls)
        if self._tested_ad and local.wrong_length(record, calls.people):
            self._odd_ad.append(record.where)
        return calls

    def _site_records(self, record: Record, sites: list[SiteAllele], calls: gt.Calls) -> Iterator[tuple[Record, bool]]:
        number = calls.region_class
        half_counts = number in (REGION_X, REGION_Y)
        self._records[number] += _tally(calls.people, calls.seen, calls.pairs, half_counts, self._counters[number])
        info: dict[str, float] = {"CLASS": number, "NREC": 1, **{k: v for k, v in record.info.items() if k in METRICS}}
        n_alleles = 1 + len(record.alts)
        for site in sites:
            formats = {"GT": self.caller.genotypes(calls, n_alleles, site.of)}
            if self.raw:
                formats["RAW"] = self.caller.codes(calls, n_alleles, site.of, raw=True)[:, None]
            made = Record(record.contig, site.pos, record.qual, site.ref, [site.alt], record.filters, info, formats)
            yield made, len(site.ref) == len(site.alt) == 1 and site.pos == record.pos

    def _within_record(self, name: str, record: Record, calls: gt.Calls) -> None:
        """GoeError for a call of an allele that the record does not have: its number is no index of anything."""
        beyond = calls.beyond(1 + len(record.alts))
        if beyond.size:
            columns = ", ".join(str(p + 1) for p in beyond[:5]) + (f" and {beyond.size - 5} more" * (beyond.size > 5))
            raise GoeError(
                Problem(
                    f"{name}, {record.where}",
                    f"genotypes of sample columns {columns} (in the order of their ids) call an allele the record does "
                    f"not have: it has {len(record.alts)} ALT",
                    "make the file again: somebody took ALT alleles out without mending GT",
                )
            )

    def people_table(self) -> pa.Table:
        """The counters of PEOPLE_SCHEMA, a row for each person and region class that has records."""
        present = np.flatnonzero(self._records)
        ids = pa.array(self.people.ids * len(present), pa.string())
        classes = pa.array(np.repeat(present.astype(np.int8), len(self.people.ids)), pa.int8())
        records = np.repeat(self._records[present, None], len(self.people.ids), axis=1)
        missing, failed, het, hom, left_out, no_depth, depths, silent, from_pl, haploid = np.moveaxis(
            self._counters[present], 2, 0
        )
        called = records - missing - failed
        counted = np.where(self.caller.ploidy[present] > 0, called - left_out, 0)
        depths = depths + self.caller.depths[present]
        # What is diploid of X are its pseudo-autosomal regions.
        in_par = (present == REGION_DIPLOID)[:, None] & (contig_class(self.region.contig) == "X")
        columns = (
            *(records, called, het, hom, missing, failed, counted, depths, called - no_depth, records - silent),
            *(from_pl, np.zeros_like(from_pl), in_par * (records - missing), in_par * haploid),
            *[np.zeros_like(from_pl)] * len(OF_VARIANTS),
        )
        return pa.table([ids, classes, *(pa.array(c.ravel()) for c in columns)], schema=PEOPLE_SCHEMA)


def writer(stream: IO[bytes], header: Header | list[Header], build: Build, raw: bool) -> Writer:
    """Writer of harmonised records for the people and FILTERs of `header`(s)."""
    headers = [header] if isinstance(header, Header) else header
    filters = {name: line for h in headers for name, line in h.filters.items()}
    formats = FORMATS | (RAW_FORMAT if raw else {})
    return Writer(stream, headers[0].samples, build.contigs, filters, INFO, formats)


def merge_records(readers: list[Reader], region: Region, ledger: Ledger, raw: bool) -> Iterator[Record]:
    """Second pass: one record per site allele of `region`, sorted by (pos, ref, alt).

    readers: records of this region and those that may come over its borders, normalised, each sorted by position;
    those that normalised to another region are that region's to merge. Upper case (C3.1, C3.4). A record
    that is as it was read keeps its `raw` bytes.
    """
    for _, here in groupby(_by_position(readers, region), key=attrgetter("pos")):
        alleles: dict[tuple[str, str], list[Record]] = {}
        for record in here:
            if not record.alts:
                yield record
                continue
            ledger.take("site_alleles")
            alleles.setdefault((record.ref.upper(), record.alts[0].upper()), []).append(record)
        for (ref, alt), records in sorted(alleles.items()):
            if not ACGT.issuperset(ref + alt):
                # An indel that left-aligns to a gap of the reference takes the N beside it as its first base.
                ledger.drop("site_alleles", "non_acgt_after_aligning", len(records))
                continue
            ledger.give("site_alleles")
            ledger.drop("site_alleles", "merged_into_another_record", len(records) - 1)
            yield _merged(ref, alt, records, raw)


def _by_position(readers: list[Reader], region: Region) -> Iterator[Record]:
    """Records of the region from all readers, in order of position."""

    def inside(reader: Reader) -> Iterator[Record]:
        return (r for r in reader if region.start <= r.pos <= region.end)

    # Not heapq.merge: only the borders hold records of more than one reader, and the streams are few.
    streams = [inside(r) for r in readers]
    heads = [next(s, None) for s in streams]
    while waiting := [(head.pos, i, head) for i, head in enumerate(heads) if head]:
        _, i, head = min(waiting, key=lambda x: x[:2])
        yield head
        heads[i] = next(streams[i], None)


def _merged(ref: str, alt: str, records: list[Record], raw: bool) -> Record:
    first = records[0]
    if len(records) == 1 and (ref, alt) == (first.ref, first.alts[0]):
        return first
    formats = first.formats
    if len(records) > 1:
        codes = [gt.codes_from_gt(r.formats["GT"]) for r in records]
        merged = gt.merge_codes(codes)
        formats = {"GT": gt.gt_bytes(merged)}
        if raw:
            formats["RAW"] = gt.merge_codes([r.formats["RAW"][:, 0] for r in records])[:, None]
    quals = [r.qual for r in records if r.qual is not None]
    filters = sorted({f for r in records for f in r.filters} - {"PASS"})
    if not filters and any("PASS" in r.filters for r in records):
        filters = ["PASS"]
    # The class decides whose calls count when a sex proves unknown later: the sex-chromosomal one does.
    classes = {int(r.info["CLASS"]) for r in records}
    info: dict[str, float] = {"CLASS": merged_class(classes), "NREC": len(records)}
    for key, worse in METRICS.items():
        values = [r.info[key] for r in records if key in r.info]
        if values:
            info[key] = worse(values)
    return Record(first.contig, first.pos, min(quals, default=None), ref, [alt], filters, info, formats)
