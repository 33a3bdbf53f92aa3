"""From the cohort's records to one GT-only record per site allele (C1 to C3).

Two passes with `bcftools norm` between them: `Splitter` filters the genotypes of the unsplit record, sets ploidy,
takes atoms and splits; after left-alignment `merge_records` brings records of one site allele together. The files
are those of goe.harmonise.files.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

import numba as nb
import numpy as np
import pyarrow as pa

from goe.core.errors import GoeError, Problem
from goe.core.ledger import Ledger
from goe.genome.alleles import ACGT, check_ref, split
from goe.genome.build import REGION_DIPLOID, REGION_M, REGION_X, REGION_Y, REGION_Y_PAR, Build, Region, region_class
from goe.genome.fasta import Reference
from goe.harmonise import genotypes as gt
from goe.hts.bcf import Header, Reader, Record, Writer

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
    "FT": (1, "String", "Reasons for which a carrier's own record fails; only of people with a file of their own"),
}
RAW_FORMAT = {"RAW": (1, "Integer", "Call before the filter: 0 missing, 1 ref1, 2 ref2, 3 het, 4 hom, 5 hemi")}
FIELDS = ("GT", "DP", "GQ", "AD", "FT")

PEOPLE_SCHEMA = pa.schema(
    [("sample_id", pa.string()), ("class", pa.int8())]
    + [
        (name, pa.int64())
        for name in (
            "n_records",
            "n_called",
            "n_het",
            "n_hom_alt",
            "n_missing_in",
            "n_failed",
            "n_counted",
            "sum_dp",
            "n_dp",
            "n_said",
        )
    ]
)


def ploidy_table(sexes: Iterable[str]) -> np.ndarray:
    """int8 (classes, people): wanted ploidy of each person in each region class, 0 = not counted."""
    sexes = list(sexes)
    table = np.zeros((N_CLASSES, len(sexes)), np.int8)
    for number, by_sex in PLOIDY.items():
        table[number] = [by_sex[sex] for sex in sexes]
    return table


@dataclass(frozen=True)
class People:
    """The people of a file's columns.

    sexes: F, M or U; absent: FORMAT fields their input does not declare; sources: name of the file set that lists
    only some positions (a joint or single VCF), shared by its people, or empty for one that speaks of all; alone:
    whether the person has a file of their own, whose FILTER is in FT (goe.calls.gvcf); empty for nobody.
    """

    ids: list[str]
    sexes: list[str]
    absent: list[frozenset[str]]
    sources: list[str]
    alone: list[bool] = field(default_factory=list)

    def tests(self, rule: gt.Filter, respect_ft: bool) -> np.ndarray:
        """uint8 (people,): which tests of the filter apply to whom."""
        return np.array([rule.tests(absent, respect_ft) for absent in self.absent], np.uint8)

    def source_numbers(self) -> np.ndarray:
        """int32 (people,): number of the source, 0 for those that speak of all positions."""
        number = {name: i for i, name in enumerate(sorted({""} | set(self.sources)))}
        return np.array([number[name] for name in self.sources], np.int32)


# Counters of the people whose calls had to be looked at: no call, called but failed, het, homozygous for an ALT,
# passed but left out by ploidy, passed without a depth, the sum of the depths of those that passed, and neither a call
# nor a depth: nothing is said there, which is not the same as a depth of 0.
_MISSING, _FAILED, _HET, _HOM, _LEFT_OUT, _NO_DEPTH, _DEPTHS, _SILENT = range(8)


@nb.njit(cache=True, nogil=True)
def _tally(people, seen, calls, source, size, others, counters, records):
    """Add a record to the counters (people, 8) of `people`, and to records (sources,) where it counts.

    A record counts for the people of a source that has anything to say of it: where all of them are without call
    and depth, it came from another source. size: people by source; others: int64 (sources,), scratch.
    """
    others[:] = size
    others[0] += 1
    for i in range(people.size):
        if seen[i, 0] < 0 and seen[i, 3] < 0:
            others[source[people[i]]] -= 1
    for s in range(size.size):
        if others[s] > 0:
            records[s] += 1
    for i in range(people.size):
        p = people[i]
        if others[source[p]] <= 0:
            continue
        a, b, ok, depth = seen[i, 0], seen[i, 1], seen[i, 2], seen[i, 3]
        if a < 0:
            counters[p, _MISSING] += 1
            if depth < 0:
                counters[p, _SILENT] += 1
            continue
        if not ok:
            counters[p, _FAILED] += 1
            continue
        if b >= 0 and a != b:
            counters[p, _HET] += 1
        elif a > 0 and b != -1:
            counters[p, _HOM] += 1
        if calls[i, 0] < 0:
            counters[p, _LEFT_OUT] += 1
        if depth >= 0:
            counters[p, _DEPTHS] += depth
        else:
            counters[p, _NO_DEPTH] += 1


class Splitter:
    """First pass over the records of one region.

    build, region: where they lie; reference: to check REF; people: columns of the file, in its order;
    rule: genotype filter; raw: also carry the calls without the filter.
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
    ):
        self.build, self.region, self.reference, self.raw = build, region, reference, raw
        self.people = people
        self.respect_ft = respect_ft
        self._alone = np.array(people.alone, np.bool_) if any(people.alone) else None
        self.caller = gt.Caller(len(people.ids), ploidy_table(people.sexes), people.tests(rule, respect_ft), rule)
        self.ledger = Ledger(f"harmonise {region.contig}:{region.start}-{region.end}")
        self._source = people.source_numbers()
        self._source_size = np.bincount(self._source, minlength=1)
        self._scratch = np.empty_like(self._source_size)
        self._records = np.zeros((N_CLASSES, len(self._source_size)), np.int64)
        self._counters = np.zeros((N_CLASSES, len(people.ids), 8), np.int64)

    def __call__(self, reader: Reader) -> Iterator[tuple[Record, bool]]:
        """Records of the site alleles, each with whether it is final.

        Final is an SNV at the position of its input record: left-alignment cannot move it, its REF has been
        looked at, and it comes in order.
        """
        ledger = self.ledger
        last: Record | None = None
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
            if not record.alts or record.alts == ["."]:
                ledger.drop("records", "no_alt")
                continue
            reason = check_ref(self.reference, reader.name, record.contig, record.pos, record.ref)
            sites, counts = split(record.pos, record.ref, record.alts, reason)
            self._account(counts, bool(sites))
            if sites:
                yield from self._site_records(reader.name, record, sites)

    def _in_order(self, name: str, last: Record | None, record: Record) -> None:
        if last is not None and last.contig == record.contig and record.pos < last.pos:
            raise GoeError(
                Problem(
                    f"{name}, {record.where}",
                    f"comes after {last.where}: not sorted",
                    "bcftools sort the file",
                )
            )

    def _account(self, counts: Counter[str], has_site: bool) -> None:
        ledger = self.ledger
        if has_site:
            ledger.give("records")
        else:
            ledger.drop("records", "no_site_allele")
        ledger.take("alts", counts["alts_in"])
        ledger.give("alts", counts["kept"])
        for key, n in counts.items():
            if key.startswith("dropped:"):
                ledger.drop("alts", key.removeprefix("dropped:"), n)
        ledger.take("site_alleles", counts["kept"])
        ledger.add("site_alleles", "atoms", counts["atoms"] - counts["kept"])
        ledger.drop("site_alleles", "same_within_record", counts["shared"])
        ledger.give("site_alleles", counts["atoms"] - counts["shared"])

    def _site_records(self, name: str, record: Record, sites) -> Iterator[tuple[Record, bool]]:
        number = region_class(self.build, record.contig, record.pos)
        for key in ("DP", "GQ", "AD"):
            if key in record.formats and record.formats[key].dtype.kind == "S":
                mend = f"declare {key} Integer or Float, as its values are (bcftools reheader, or annotate)"
                raise GoeError(Problem(f"{name}, {record.where}", f"FORMAT {key} is declared as text", mend))
        ft = record.formats.get("FT")
        failed = None if ft is None or not self.respect_ft else ~np.isin(ft, [b"PASS", b".", b""])
        calls = self.caller.calls(record.formats, number, failed, self.raw)
        self._within_record(name, record, calls)
        _tally(
            calls.people, calls.seen, calls.pairs, self._source, self._source_size, self._scratch,
            self._counters[number], self._records[number],
        )  # fmt: skip
        info = {"CLASS": number, "NREC": 1, **{k: v for k, v in record.info.items() if k in METRICS}}
        n_alleles = 1 + len(record.alts)
        own = None
        if ft is not None and self._alone is not None:
            own = np.flatnonzero((self._alone & fails(ft))[calls.people])
        for site in sites:
            formats = {"GT": self.caller.genotypes(calls, n_alleles, site.of)}
            if own is not None and own.size:
                carriers = calls.people[own[np.isin(calls.pairs[own], site.of).any(axis=1)]]
                if carriers.size:
                    formats["FT"] = np.full(len(ft), b".", ft.dtype)
                    formats["FT"][carriers] = ft[carriers]
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
        present = [c for c in range(N_CLASSES) if self._records[c][self._source].any()]
        ids = pa.array(self.people.ids * len(present), pa.string())
        classes = pa.array(np.repeat(np.array(present, np.int8), len(self.people.ids)), pa.int8())
        records = self._records[present][:, self._source]
        missing, failed, het, hom, left_out, no_depth, depths, silent = np.moveaxis(self._counters[present], 2, 0)
        called = records - missing - failed
        counted = np.where(self.caller.ploidy[present] > 0, called - left_out, 0)
        depths = depths + self.caller.depths[present]
        columns = (records, called, het, hom, missing, failed, counted, depths, called - no_depth, records - silent)
        return pa.table([ids, classes, *(pa.array(c.ravel()) for c in columns)], schema=PEOPLE_SCHEMA)


def writer(stream, header: Header | list[Header], build: Build, raw: bool) -> Writer:
    """Writer of harmonised records for the people and FILTERs of `header`(s)."""
    headers = [header] if isinstance(header, Header) else header
    filters = {name: line for h in headers for name, line in h.filters.items()}
    formats = FORMATS | (RAW_FORMAT if raw else {})
    return Writer(stream, headers[0].samples, build.contigs, filters, INFO, formats)


def fails(ft: np.ndarray) -> np.ndarray:
    """bool (people,): whether FT, which never says PASS here, has a reason; by its first letter, as `.` is none."""
    first = ft.view(np.uint8).reshape(len(ft), -1)[:, 0]
    return (first != ord(".")) & (first != 0)


def reasons(text: bytes) -> list[str]:
    """The FILTERs in a person's FT (goe.calls.gvcf)."""
    return text.decode().replace("%3A", ":").split(";")


def failing(ft: np.ndarray, accepted: set[str]) -> np.ndarray:
    """Numbers of the people whose FT has a reason that is not accepted."""
    people = np.flatnonzero(fails(ft))
    if not accepted:
        return people
    refused = [text for text in np.unique(ft[people]) if not accepted.issuperset(reasons(text))]
    return people[np.isin(ft[people], refused)]


def _own_filters(records: list[Record], codes: list[np.ndarray], merged: np.ndarray) -> np.ndarray | None:
    """FT of the merged record: of a carrier whose every record with that call fails, all their reasons; else None."""
    left: dict[int, bytes] = {}
    vectors = [r.formats.get("FT") for r in records]
    people = {p for ft in vectors if ft is not None for p in np.flatnonzero(fails(ft)).tolist()}
    for person in sorted(p for p in people if merged[p] >= gt.CODE_HET):
        chosen = [ft for ft, code in zip(vectors, codes, strict=True) if code[person] == merged[person]]
        if all(ft is not None and fails(ft[person : person + 1])[0] for ft in chosen):
            left[person] = b";".join(sorted({r for ft in chosen for r in ft[person].split(b";")}))
    if not left:
        return None
    found = np.full(len(merged), b".", f"S{max(map(len, left.values()))}")
    found[list(left)] = list(left.values())
    return found


def merge_records(readers: list[Reader], region: Region, ledger: Ledger, raw: bool) -> Iterator[Record]:
    """Second pass: one record per site allele of `region`, sorted by (pos, ref, alt).

    readers: records of this region and those that may come over its borders, normalised, each sorted by position;
    those that normalised to another region are that region's to merge. Upper case (C3.1, C3.4). A record
    that is as it was read keeps its `raw` bytes.
    """
    for _, here in groupby(_by_position(readers, region), key=attrgetter("pos")):
        alleles: dict[tuple[str, str], list[Record]] = {}
        for record in here:
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
    while any(heads):
        i = min((h.pos, i) for i, h in enumerate(heads) if h)[1]
        yield heads[i]
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
        own = _own_filters(records, codes, merged)
        if own is not None:
            formats["FT"] = own
        if raw:
            formats["RAW"] = gt.merge_codes([r.formats["RAW"][:, 0] for r in records])[:, None]
    quals = [r.qual for r in records if r.qual is not None]
    filters = sorted({f for r in records for f in r.filters} - {"PASS"})
    if not filters and any("PASS" in r.filters for r in records):
        filters = ["PASS"]
    # The class decides whose calls count when a sex proves unknown later: the sex-chromosomal one does.
    classes = {int(r.info["CLASS"]) for r in records}
    info = {"CLASS": min(classes - {REGION_DIPLOID, REGION_Y_PAR} or classes), "NREC": len(records)}
    for key, worse in METRICS.items():
        values = [r.info[key] for r in records if key in r.info]
        if values:
            info[key] = worse(values)
    return Record(first.contig, first.pos, min(quals, default=None), ref, [alt], filters, info, formats)
