"""Everybody at the site alleles of a region, window by window: people of joint VCFs and of files of their own (C6).

The union of site alleles is taken here, after each file was harmonised by itself. People of a joint VCF are counted
from its records, one at a time; of the others, who carries what and where each genome is callable is all there is to
know: AN of a stratum is its callable AN, corrected where somebody's own rows list the allele.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.core.errors import GoeError, Problem
from goe.core.ledger import Ledger
from goe.frequencies.strata import DIP, HAP, HEMI, HET, HOM
from goe.genome.build import REGION_DIPLOID, REGION_Y_PAR, Build, Region, merged_class
from goe.genome.classes import Classes
from goe.harmonise import genotypes as gt
from goe.harmonise.batch import SITES, Batch, Piece, windows
from goe.harmonise.records import METRICS, N_CLASSES
from goe.hts import parquet
from goe.hts.bcf import Reader, Record
from goe.hts.kernels import jit

N_MEASURES = 5
_SITES_AT_ONCE = 256
Key = tuple[int, str, str]


@jit
def _count(genotypes: np.ndarray, leaf: np.ndarray, counts: np.ndarray) -> None:
    """Add the genotypes of one record to counts (leaves, measures), which come with everybody as diploid.

    genotypes: uint8 (2 * people,), the bytes of genotypes written with goe.harmonise.genotypes; leaf: int16 (people,),
    -1 for none.
    """
    people = leaf.size
    whole = people // gt.TOGETHER
    for block in range(whole + 1):
        start = block * gt.TOGETHER
        stop = start + gt.TOGETHER
        if block < whole:
            # Most people are 0/0. A fixed length and one type make this a few vector instructions.
            differ = np.uint8(0)
            for i in range(2 * gt.TOGETHER):
                differ |= np.uint8(genotypes[2 * start + i] ^ np.uint8(2))
            if differ == 0:
                continue
        else:
            stop = people
        for p in range(start, stop):
            where, first, second = leaf[p], genotypes[2 * p] >> 1, genotypes[2 * p + 1] >> 1
            if where < 0 or (first == 1 and second == 1):
                continue
            haploid = second == gt.END >> 1
            if first == 0 or second == 0:
                counts[where, DIP] -= 1
            elif haploid:
                counts[where, DIP] -= 1
                counts[where, HAP] += 1
                counts[where, HEMI] += first == 2
            elif first == second:
                counts[where, HOM] += 1
            else:
                counts[where, HET] += 1


class Runs(NamedTuple):
    """Callable runs of a batch's people: number of the person, first and last position, code of the reference call."""

    person: np.ndarray
    start: np.ndarray
    end: np.ndarray
    code: np.ndarray

    @classmethod
    def of(cls, runs: pa.Table, raw: bool = False) -> "Runs":
        """Those of a piece's runs, with the genotype filter or without it."""
        wanted = runs["raw"].to_numpy(zero_copy_only=False) == raw
        return cls(*(runs[name].to_numpy()[wanted] for name in cls._fields))


@jit
def _add_runs(
    runs: Runs, of_class: np.ndarray, first: int, before: np.ndarray, leaf: np.ndarray, counts: np.ndarray
) -> None:
    """Add callable runs to counts int32 (sites, leaves, measures): everybody they hold counts as reference.

    of_class: of the runs; first: position at which the window begins; before: of the window; leaf: int16 (classes,
    people).
    """
    person, start, end, code = runs
    change = np.zeros((counts.shape[0] + 1, counts.shape[1], 2), np.int32)
    for r in range(person.size):
        where = leaf[of_class[r], person[r]]
        if where >= 0:
            kind = HAP if code[r] == gt.CODE_REF1 else DIP
            change[before[start[r] - first], where, kind] += 1
            change[before[end[r] + 1 - first], where, kind] -= 1
    for s in range(counts.shape[0]):
        for where in range(counts.shape[1]):
            for kind in range(2):
                if s:
                    change[s, where, kind] += change[s - 1, where, kind]
                counts[s, where, kind] += change[s, where, kind]


@jit
def _add_rows(
    person: np.ndarray,
    site: np.ndarray,
    code: np.ndarray,
    base: np.ndarray,
    of_class: np.ndarray,
    place: np.ndarray,
    class_at: np.ndarray,
    leaf: np.ndarray,
    counts: np.ndarray,
) -> int:
    """Put people whose rows list a site allele where these rows say, and out of what `_add_runs` took them for.

    person, site, code, base, of_class: of the rows; place: int64, of the site alleles of their batch among those of the
    cohort, -1 for none; class_at: of the cohort's, the class of the position. How many rows list one of the cohort's.
    """
    listed = 0
    for r in range(person.size):
        s = place[site[r]]
        if s < 0:
            continue
        listed += 1
        where = leaf[class_at[s], person[r]]
        if base[r] and where >= 0:
            counts[s, where, HAP if base[r] == gt.CODE_REF1 else DIP] -= 1
        where = leaf[of_class[r], person[r]]
        what = code[r]
        if what == gt.CODE_MISSING or where < 0:
            continue
        counts[s, where, HAP if what == gt.CODE_REF1 or what == gt.CODE_HEMI else DIP] += 1
        if what == gt.CODE_HET:
            counts[s, where, HET] += 1
        elif what == gt.CODE_HOM:
            counts[s, where, HOM] += 1
        elif what == gt.CODE_HEMI:
            counts[s, where, HEMI] += 1
    return listed


@jit
def _fill(
    person: np.ndarray, first: np.ndarray, stop: np.ndarray, code: np.ndarray, start: int, codes: np.ndarray
) -> None:
    """codes[i - start, person] = code for the i from first to stop of each run; codes: int8 (places, people)."""
    for r in range(person.size):
        for i in range(max(first[r], start), min(stop[r], start + codes.shape[0])):
            codes[i - start, person[r]] = code[r]


class OwnCodes:
    """What the people of a batch are at site alleles that are asked for stretch by stretch.

    people: how many; runs, rows: where they are callable, and what they list; pos: int32, sorted, of the site alleles;
    row: the number among these of each of the rows, -1 for none.
    """

    def __init__(self, people: int, runs: Runs, rows: pa.Table, row: np.ndarray, pos: np.ndarray):
        self._people, self._runs = people, runs
        self._first = np.searchsorted(pos, self._runs.start)
        self._stop = np.searchsorted(pos, self._runs.end, "right")
        listed = np.flatnonzero(row >= 0)
        listed = listed[np.argsort(row[listed], kind="stable")]
        self._row = row[listed]
        self._person, self._code = (rows[name].to_numpy()[listed] for name in ("person", "code"))

    def part(self, start: int, stop: int) -> np.ndarray:
        """int8 (stop - start, people)."""
        codes = np.zeros((stop - start, self._people), np.int8)
        _fill(self._runs.person, self._first, self._stop, self._runs.code, start, codes)
        i, j = np.searchsorted(self._row, [start, stop])
        codes[self._row[i:j] - start, self._person[i:j]] = self._code[i:j]
        return codes


assert (DIP, HAP) == (0, 1)


@dataclass
class Site:
    """A site allele of the cohort. filters: of the joint records that list it; metrics: worst
    value of each of METRICS; n_records: joint records merged into it."""

    pos: int
    ref: str
    alt: str
    region_class: int = 0
    qual: float | None = None
    filters: list[str] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)
    n_records: int = 0

    @property
    def key(self) -> Key:
        return self.pos, self.ref, self.alt


@dataclass
class Window:
    """Site alleles of a stretch of a contig, sorted, and everybody there.

    counts: int32 (kinds, sites, leaves, 5), people of each leaf by call as goe.frequencies.strata.CALLS; kinds: with
    the genotype filter, and without where asked for. pieces: what each batch of people with own files has there;
    places: for each piece int64, the place in `sites` of its site alleles, -1 for those that nobody makes one; failing:
    for each piece the rows of ROWS that have reasons of FILTER or FT. ledger: of site alleles, from those of each file
    to those of the cohort."""

    contig: str
    start: int
    end: int
    sites: list[Site]
    counts: np.ndarray
    pieces: list[Piece]
    places: list[np.ndarray]
    failing: list[pa.Table] = field(default_factory=list)
    ledger: Ledger = field(default_factory=lambda: Ledger("frequencies"))

    @cached_property
    def pos(self) -> np.ndarray:
        return np.array([site.pos for site in self.sites], np.int32)

    @cached_property
    def before(self) -> np.ndarray:
        """int64 (bases + 1,): how many site alleles stand before each base of the window and the one behind it."""
        return np.cumsum(np.bincount(self.pos - self.start + 1, minlength=self.end - self.start + 2))


def _bytes(genotypes: np.ndarray) -> np.ndarray:
    """uint8 (2 * people,) of a GT-only record's genotypes, however they are stored."""
    if genotypes.dtype != np.int8 or genotypes.shape[1] != 2:
        genotypes = gt.gt_bytes(gt.codes_from_gt(genotypes))
    return genotypes.reshape(-1).view(np.uint8)


def _genotypes(record: Record, raw: bool) -> np.ndarray:
    return _bytes(gt.gt_bytes(record.formats["RAW"][:, 0]) if raw else record.formats["GT"])


class Cohort:
    """The files of a region, harmonised.

    joint: readers over goe.harmonise.files, one for each joint VCF that has the contig; own: batches of people with
    files of their own; everybody: people of the cohort, of whom those in none of these files are not called in the
    region. `ids` are the people in this order."""

    def __init__(
        self,
        joint: Sequence[Reader],
        own: Sequence[Batch],
        build: Build,
        region: Region,
        raw: bool = False,
        everybody: Iterable[str] = (),
    ):
        self.joint, self.own, self.build, self.region, self.kinds = joint, own, build, region, 1 + raw
        self.ids = [name for reader in joint for name in reader.header.samples]
        self.ids += [name for batch in own for name in batch.ids]
        twice = len(self.ids) - len(set(self.ids))
        if twice:
            what = f"{twice} people are in two files of {region.name}"
            raise GoeError(Problem("joint VCFs", what, "keep one, or join pieces of a contig with bcftools concat"))
        self.ids += sorted(set(everybody) - set(self.ids))
        self._classes = Classes(build, region.contig)

    @property
    def n_joint(self) -> int:
        """People of joint files, who come first in `ids`."""
        return sum(reader.people for reader in self.joint)

    @property
    def columns(self) -> list[slice]:
        """Where in `ids` the people of each joint file and of each batch are."""
        ends = np.cumsum([len(r.header.samples) for r in self.joint] + [len(batch.ids) for batch in self.own]).tolist()
        return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]

    def windows(self, leaf: np.ndarray, n_leaves: int) -> Iterator[Window]:
        """Windows of the region, in order. leaf: int16 (classes, people of `ids`), -1 for those who do not count."""
        columns = self.columns
        of_joint = [np.ascontiguousarray(leaf[:, c]) for c in columns[: len(self.joint)]]
        of_own = [np.ascontiguousarray(leaf[:, c]) for c in columns[len(self.joint) :]]
        streams = [Positions(reader) for reader in self.joint]
        contig, start, end = self.region
        for first, last in windows(end, start, end):
            pieces = [batch.read(contig, first, last) for batch in self.own]
            union = _Union.of_pieces(pieces)
            sites, counts, listed = self._sites(streams, last, union.made(), of_joint, n_leaves)
            places = union.places(sites)
            window = Window(contig, first, last, sites, counts, pieces, places)
            self._account(window, listed, self._own(window, of_own))
            yield window

    def _sites(
        self,
        streams: Sequence["Positions"],
        last: int,
        made: Mapping[int, set[tuple[str, str]]],
        leaves: Sequence[np.ndarray],
        n_leaves: int,
    ) -> tuple[list[Site], np.ndarray, int]:
        """(site alleles up to position `last`, counts of the people of joint files, how many joint records list one).

        made: (REF, ALT) by position, of own files; leaves: int16 (classes, people) of each joint file.
        """
        everybody = [
            np.stack([np.bincount(row[row >= 0], minlength=n_leaves) for row in leaf]).astype(np.int32)
            for leaf in leaves
        ]
        sites: list[Site] = []
        counts: dict[int, np.ndarray] = {}
        listed = 0
        waiting = iter(sorted(made))
        own = next(waiting, None)
        while True:
            heads = [stream.pos for stream in streams if stream.pos is not None and stream.pos <= last]
            pos = min(heads if own is None else [own, *heads], default=None)
            if pos is None:
                break
            by_stream = [stream.take(pos) for stream in streams]
            alleles = [(r.ref, r.alts[0]) for records in by_stream for r in records if r.alts]
            listed += len(alleles)
            keys = set(alleles)
            if own == pos:
                keys |= made[pos]
                own = next(waiting, None)
            for ref, alt in sorted(keys):
                site = Site(pos, ref, alt)
                if any(by_stream):
                    counted = counts[len(sites)] = np.zeros((self.kinds, n_leaves, N_MEASURES), np.int32)
                    for records, leaf, all_of in zip(by_stream, leaves, everybody, strict=True):
                        self._joint(site, records, leaf, all_of, counted)
                sites.append(site)
        whole = np.zeros((self.kinds, len(sites), n_leaves, N_MEASURES), np.int32)
        for at, counted in counts.items():
            whole[:, at] = counted
        return sites, whole, listed

    def _joint(
        self, site: Site, records: list[Record], leaf: np.ndarray, everybody: np.ndarray, counted: np.ndarray
    ) -> None:
        """Count the people of one joint file at a site allele, by its record or by the rows that start there."""
        record = _record_of(records, site)
        if record is None:
            return
        region_class = int(record.info["CLASS"])
        if record.alts:
            site.region_class = merged_class({region_class, site.region_class} - {0})
            site.n_records += int(record.info["NREC"])
            site.filters += [f for f in record.filters if f != "PASS" and f not in site.filters]
            if record.qual is not None:
                site.qual = record.qual if site.qual is None else max(site.qual, record.qual)
            for key, worse in METRICS.items():
                if key in record.info:
                    known = [site.metrics[key]] if key in site.metrics else []
                    site.metrics[key] = worse([*known, record.info[key]])
        for kind in range(self.kinds):
            tally = np.zeros_like(counted[kind])
            tally[:, DIP] = everybody[region_class]
            _count(_genotypes(record, bool(kind)), leaf[region_class], tally)
            counted[kind] += tally

    def _own(self, window: Window, of_own: list[np.ndarray]) -> tuple[int, int]:
        """Add the people with files of their own, batch by batch: how many rows they have, and those that list a site
        allele of the cohort."""
        at = self._classes.at(window.pos)
        kinds = (("code", "base"), ("raw", "raw_base"))[: self.kinds]
        n = listed = 0
        for piece, place, leaf in zip(window.pieces, window.places, of_own, strict=True):
            rows = piece.read_rows(["region_class", "ft", *(name for kind in kinds for name in kind)])
            n += len(rows)
            window.failing.append(rows.filter(rows["ft"].is_valid()))
            if not window.sites:
                continue
            runs, carried = piece.read_runs(), 0
            person, site, of_class = (rows[name].to_numpy() for name in ("person", "site", "region_class"))
            for kind, names in enumerate(kinds):
                called = Runs.of(runs, bool(kind))
                of_runs = self._classes.at(called.start)
                _add_runs(called, of_runs, window.start, window.before, leaf, window.counts[kind])
                code, base = (rows[name].to_numpy() for name in names)
                carried = _add_rows(person, site, code, base, of_class, place, at, leaf, window.counts[kind])
            listed += carried
        return n, listed

    def _account(self, window: Window, of_joint: int, of_own: tuple[int, int]) -> None:
        """Site alleles that joint records and people's own rows list, and the union of those that count as one."""
        (own, carried), ledger = of_own, window.ledger
        ledger.take("site_alleles", of_joint + own)
        ledger.drop("site_alleles", "carried_by_nobody", own - carried)
        ledger.drop("site_alleles", "listed_by_others_too", of_joint + carried - len(window.sites))
        ledger.give("site_alleles", len(window.sites))

    def genotypes(self, beside: Sequence[Reader]) -> Iterator[tuple[Window, int, np.ndarray]]:
        """(window, place of a site allele, int8 (people,) codes of everybody), site allele by site allele.

        beside: readers over the joint files, read a second time.
        """
        streams = [Positions(reader) for reader in beside]
        nobody = np.full((N_CLASSES, len(self.ids)), -1, np.int16)
        for window in self.windows(nobody, 1):
            records: list[list[Record]] = [[] for _ in streams]
            last = 0
            batches = []
            for piece, place in zip(window.pieces, window.places, strict=True):
                rows = piece.read_rows(["code"])
                runs = Runs.of(piece.read_runs())
                batches.append(OwnCodes(piece.people, runs, rows, place[rows["site"].to_numpy()], window.pos))
            for start in range(0, len(window.sites), _SITES_AT_ONCE):
                at = range(start, min(start + _SITES_AT_ONCE, len(window.sites)))
                parts = [np.zeros((len(at), 0), np.int8), *(batch.part(at.start, at.stop) for batch in batches)]
                for i, own in zip(at, np.concatenate(parts, axis=1), strict=True):
                    site = window.sites[i]
                    if site.pos != last:
                        records = [stream.take(site.pos) for stream in streams]
                        last = site.pos
                    codes = np.zeros(len(self.ids), np.int8)
                    for r, stream, columns in zip(records, streams, self.columns, strict=False):
                        codes[columns] = codes_at(r, site, stream.people)
                    codes[self.n_joint : self.n_joint + len(own)] = own
                    yield window, i, codes

    def own_reasons(self, window: Window, leaf: np.ndarray, accepted: set[str]) -> dict[int, list[str]]:
        """FILTERs of own files that a site allele has, by its place: those of all carriers, where every one has some
        (C3.6). leaf: as for `windows`; accepted: FILTERs that count as PASS."""
        failed: dict[int, int] = {}
        found: dict[int, set[str]] = {}
        columns = self.columns[len(self.joint) :]
        for fails, place, column in zip(window.failing, window.places, columns, strict=True):
            names = ("person", "site", "code", "region_class", "ft")
            for person, site, code, region_class, ft in zip(*(fails[n].to_pylist() for n in names), strict=True):
                at = int(place[site])
                if (
                    at < 0
                    or code < gt.CODE_HET
                    or accepted.issuperset(ft.split(";"))
                    or leaf[region_class, column.start + person] < 0
                ):
                    continue
                failed[at] = failed.get(at, 0) + 1
                found.setdefault(at, set()).update(ft.split(";"))
        carriers = window.counts[0, :, :, HET:].sum(axis=(1, 2))
        return {at: sorted(found[at]) for at, n in failed.items() if n >= carriers[at]}


def codes_at(records: Sequence[Record], site: Site, people: int) -> np.ndarray:
    """int8 (people,): codes of a joint file's people at a site allele, by its records at that position."""
    record = _record_of(records, site)
    return np.zeros(people, np.int8) if record is None else gt.codes_from_gt(record.formats["GT"])


def _record_of(records: Sequence[Record], site: Site) -> Record | None:
    """What a joint file says at a site allele, by its records at that position: the record that lists it, else the one
    of the rows that start there, which has no ALT."""
    listed = (r for r in records if r.alts and (r.ref, r.alts[0]) == (site.ref, site.alt))
    return next(listed, None) or next((r for r in records if not r.alts), None)


class Positions:
    """Records of a reader, position by position."""

    def __init__(self, reader: Reader):
        self.people = reader.people
        self._groups = groupby(reader, attrgetter("pos"))
        self.pos: int | None = None
        self._records: list[Record] = []
        self._next()

    def _next(self) -> None:
        self.pos, records = next(self._groups, (None, iter(())))
        self._records = list(records)

    def upto(self, last: int) -> Iterator[list[Record]]:
        """Records of each position up to and with `last`."""
        while self.pos is not None and self.pos <= last:
            yield self.take(self.pos)

    def take(self, pos: int) -> list[Record]:
        """Records at `pos`; [] where there are none. Those before it are passed over."""
        while self.pos is not None and self.pos < pos:
            self._next()
        if self.pos != pos:
            return []
        records = self._records
        self._next()
        return records


class _Union(NamedTuple):
    """Site alleles that batches list, each once. of: int64, for each piece, the numbers of its own; makes: bool,
    whether somebody makes it one of the cohort; region_class, int8, and qual, float32 with NaN for none, of all."""

    keys: list[Key]
    of: list[np.ndarray]
    makes: np.ndarray
    region_class: np.ndarray
    qual: np.ndarray

    @classmethod
    def of_pieces(cls, pieces: Sequence[Piece]) -> "_Union":
        every = pa.concat_tables([SITES.empty_table(), *(piece.sites for piece in pieces)]).combine_chunks()
        text = pc.binary_join_element_wise(every["pos"].cast(pa.string()), every["ref"], every["alt"], " ")
        encoded = pa.chunked_array(text).combine_chunks().dictionary_encode()
        number, n = encoded.indices.to_numpy().astype(np.int64), len(encoded.dictionary)
        first = np.empty(n, np.int64)
        first[number[::-1]] = np.arange(len(number))[::-1]
        lead = every.take(parquet.column(first))
        keys = list(zip(*(lead[name].to_pylist() for name in ("pos", "ref", "alt")), strict=True))
        makes, region_class, qual = np.zeros(n, np.bool_), np.full(n, 127, np.int8), np.full(n, np.nan, np.float32)
        makes[number[every["made"].to_numpy(zero_copy_only=False)]] = True
        classes = every["region_class"].to_numpy()
        # Of several that of a sex chromosome outside its PARs (goe.genome.build.merged_class).
        rank = np.where(np.isin(classes, (REGION_DIPLOID, REGION_Y_PAR)), classes + 100, classes).astype(np.int8)
        np.minimum.at(region_class, number, rank)
        np.fmax.at(qual, number, every["qual"].to_numpy(zero_copy_only=False).astype(np.float32))
        ends = np.cumsum([len(piece.sites) for piece in pieces])
        return cls(keys, np.split(number, ends[:-1]) if pieces else [], makes, region_class % 100, qual)

    def made(self) -> dict[int, set[tuple[str, str]]]:
        """(REF, ALT) of the site alleles that own files make, by position."""
        found: dict[int, set[tuple[str, str]]] = {}
        for key, makes in zip(self.keys, self.makes.tolist(), strict=True):
            if makes:
                found.setdefault(key[0], set()).add(key[1:])
        return found

    def places(self, sites: Sequence[Site]) -> list[np.ndarray]:
        """For each piece the place of its site alleles in `sites`, -1 for none. These get what the rows of batches say
        of them beside counts: region class and quality."""
        number = {site.key: n for n, site in enumerate(sites)}
        place = np.array([number.get(key, -1) for key in self.keys], np.int64)
        columns = place.tolist(), self.region_class.tolist(), self.qual.tolist()
        for at, region_class, qual in zip(*columns, strict=True):
            if at >= 0:
                site = sites[at]
                site.region_class = merged_class({region_class, site.region_class} - {0})
                if qual == qual:
                    site.qual = qual if site.qual is None else max(site.qual, qual)
        return [place[own] for own in self.of]
