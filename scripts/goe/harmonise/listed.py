"""Site alleles that the rows of one person's own file list, in columns: from rows as they came to one row an allele.

The rules are those of goe.genome.alleles and goe.harmonise.genotypes (C3), in kernels: what these say of a whole chunk
is what `split`, `code_of` and `merge_codes` say row by row.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from goe.calls.own_file import MISSING, Rows
from goe.core.ledger import Ledger
from goe.genome.alleles import check_ref
from goe.genome.build import merged_class
from goe.genome.fasta import NOTHING, Reference, Written
from goe.harmonise import genotypes as gt
from goe.hts import parquet
from goe.hts.bcf import END_OF_VECTOR
from goe.hts.kernels import jit, kernel

# Why an ALT gives no site allele, as goe.genome.alleles names it, and counters of the others.
LEFT_OUT = ("star", "non_ref", "symbolic", "breakend", "non_acgt_alt", "non_acgt_ref", "ref_iupac", "alt_is_ref")
_STAR, _NON_REF, _SYMBOLIC, _BREAKEND, _NON_ACGT, _NON_ACGT_REF, _REF_IUPAC, _ALT_IS_REF = range(len(LEFT_OUT))
_PLAIN, _NO_ALT = -1, -2
_COUNTED = (*(f"dropped:{reason}" for reason in LEFT_OUT), "alts_in", "kept", "atoms", "shared")
_ALTS_IN, _KEPT, _ATOMS, _SHARED = range(len(LEFT_OUT), len(_COUNTED))
_UNSEEN = tuple(np.frombuffer(text, np.uint8) for text in (b"<NON_REF>", b"<*>", b"<X>"))
# The bit of a letter's case.
_LOWER = np.uint8(32)
# Bases of the reference that are looked at together.
_BASES = 1 << 19
# Where a site allele is: first or second in the call, in that without the filter, in the genotype as it came, and
# whether that is two of it.
_FIRST, _SECOND, _RAW_FIRST, _RAW_SECOND, _CARRIED, _TWICE = 1, 2, 4, 8, 16, 32


class Sites(NamedTuple):
    """Site alleles. int32 (n,) pos; int64 where the text of REF begins, ALT comes behind it; int32 lengths of both;
    int8 code, code without the filter, region class of the row; bool whether the person makes it one of the cohort;
    float32 qual, NaN for none; int32 reasons of FILTER or FT, a number, 0 for none; float32 (n, 4) gq, dp, reads of
    REF and of ALT of a call homozygous for an SNV alone, NaN where not known. uint8 text."""

    pos: np.ndarray
    at: np.ndarray
    ref: np.ndarray
    alt: np.ndarray
    code: np.ndarray
    raw: np.ndarray
    region_class: np.ndarray
    made: np.ndarray
    qual: np.ndarray
    ft: np.ndarray
    depths: np.ndarray
    text: np.ndarray

    @classmethod
    def room(cls, n: int, text: int) -> "Sites":
        return cls(
            np.empty(n, np.int32), np.empty(n, np.int64), np.empty(n, np.int32), np.empty(n, np.int32),
            np.empty(n, np.int8), np.empty(n, np.int8), np.empty(n, np.int8), np.empty(n, np.bool_),
            np.empty(n, np.float32), np.empty(n, np.int32), np.full((n, 4), np.nan, np.float32),
            np.empty(text, np.uint8),
        )  # fmt: skip

    def texts(self, i: int) -> tuple[str, str]:
        """REF and ALT of one of them."""
        start, middle = int(self.at[i]), int(self.at[i] + self.ref[i])
        return self.text[start:middle].tobytes().decode(), self.text[middle : middle + self.alt[i]].tobytes().decode()


@kernel
def _is_acgt(text: np.ndarray, start: int, stop: int) -> bool:
    for i in range(start, stop):
        c = text[i]
        if c != 65 and c != 67 and c != 71 and c != 84:
            return False
    return True


@kernel
def _compare(one: np.ndarray, a: int, a_size: int, two: np.ndarray, b: int, b_size: int) -> int:
    """Negative, zero or positive as the text one[a : a + a_size] comes before that of the other, is it, or comes after
    it."""
    for i in range(min(a_size, b_size)):
        if one[a + i] != two[b + i]:
            return -1 if one[a + i] < two[b + i] else 1
    return a_size - b_size


@kernel
def _reason(text: np.ndarray, start: int, stop: int, unseen: tuple[np.ndarray, ...]) -> int:
    """`goe.genome.alleles.reason_left_out` of an ALT, as a number; _NO_ALT for `.`."""
    size = stop - start
    if size == 1 and text[start] == 42:
        return _STAR
    if size == 1 and text[start] == 46:
        return _NO_ALT
    if text[start] == 60:
        for word in unseen:
            same = word.size == size
            for i in range(size if same else 0):
                same &= text[start + i] == word[i]
            if same:
                return _NON_REF
        return _SYMBOLIC
    breakend = text[start] == 46 or text[stop - 1] == 46
    for i in range(start, stop):
        breakend |= text[i] == 91 or text[i] == 93
    if breakend:
        return _BREAKEND
    return _PLAIN if _is_acgt(text, start, stop) else _NON_ACGT


@kernel
def _begin(sizes: np.ndarray, begins: np.ndarray) -> None:
    end = 0
    for i in range(sizes.size):
        begins[i] = end
        end += sizes[i]


class Places(NamedTuple):
    """Of a row, the number of its REF among all alleles; of an allele, where its text begins. int64."""

    first: np.ndarray
    where: np.ndarray

    @classmethod
    def of(cls, rows: Rows) -> "Places":
        places = cls(np.empty(len(rows.alleles), np.int64), np.empty(len(rows.length), np.int64))
        _begin(rows.alleles, places.first)
        _begin(rows.length, places.where)
        return places


@kernel
def _look(rows: Rows, places: Places, i: int, start: int, bases: Written, unlike: np.ndarray) -> int:
    """Tell of the rows from i on that have an ALT whether their REF is anything but the A, C, G, T that the reference
    has there; the first row whose REF these bases, from position `start` on, do not hold."""
    begin = i
    while i < rows.pos.size:
        k = places.first[i]
        at, size, offset = places.where[k], rows.length[k], rows.pos[i] - start
        inside = offset + size <= bases.size
        offset += bases.first
        if not inside and i > begin:
            break
        if rows.alleles[i] > 1:
            same = inside and _is_acgt(rows.text, at, at + size)
            for j in range(size if same else 0):
                # The reference has lower case where it repeats itself.
                k = (offset + j) // bases.bases * bases.width + (offset + j) % bases.bases
                same &= rows.text[at + j] == bases.data[k] & ~_LOWER
            unlike[i] = not same
        i += 1
    return i


@kernel
def _hits(number: int, gts: np.ndarray, pair: np.ndarray, raw: np.ndarray) -> int:
    found = 0
    if pair[0] == number:
        found |= _FIRST
    if pair[1] == number:
        found |= _SECOND
    if raw[0] == number:
        found |= _RAW_FIRST
    if raw[1] == number:
        found |= _RAW_SECOND
    copies, alleles = 0, 0
    for k in range(gts.size):
        if gts[k] != END_OF_VECTOR:
            alleles += 1
            copies += gts[k] >> 1 == number + 1
    if copies:
        found |= _CARRIED
    if copies == 2 and alleles == 2:
        found |= _TWICE
    return found


@kernel
def _code(pair: np.ndarray, first: bool, second: bool) -> int:
    """`goe.harmonise.genotypes.code_of`."""
    if pair[0] == gt.NO_CALL:
        return gt.CODE_MISSING
    if pair[1] == gt.HAPLOID:
        return gt.CODE_HEMI if first else gt.CODE_REF1
    return gt.CODE_REF2 + (1 if first else 0) + (1 if second else 0)


@kernel
def _most(rows: Rows, places: Places) -> tuple[int, int]:
    """Site alleles that rows may have, and bytes of their text."""
    n, size = 0, 0
    for i in range(rows.pos.size):
        first = places.first[i]
        ref = rows.length[first]
        for k in range(first + 1, first + rows.alleles[i]):
            alt = rows.length[k]
            n += ref if alt == ref else 1
            size += ref + alt
    return n, size


@kernel
def _split(
    rows: Rows,
    places: Places,
    reasons: np.ndarray,
    ft: np.ndarray,
    of_class: np.ndarray,
    pairs: np.ndarray,
    raw: np.ndarray,
    blocks: bool,
    unseen: tuple[np.ndarray, ...],
    sites: Sites,
    hits: np.ndarray,
    counts: np.ndarray,
) -> tuple[int, int, int, int]:
    """Site alleles of rows, and a count of what happened to their ALTs: how many site alleles, bytes of their text,
    rows with an ALT, rows with a site allele.

    reasons: int8 (n,) why no ALT of a row may be used, a number of LEFT_OUT, or -1; ft: int32, reasons of FILTER or FT;
    of_class: int8; pairs, raw: int32 (n, 2) calls with the filter and without; blocks: whether the file has reference
    blocks. hits: uint8, room as that of `sites`; counts: int64, of _COUNTED, which are added to.
    """
    n, end, with_alt, with_site = 0, 0, 0, 0
    text = rows.text
    for i in range(rows.pos.size):
        ref = places.first[i]
        if rows.alleles[i] < 2:
            continue
        with_alt += 1
        of_row, plain, starred, only = n, 0, False, 0
        ref_at, ref_size = places.where[ref], rows.length[ref]
        for number in range(1, rows.alleles[i]):
            at, size = places.where[ref + number], rows.length[ref + number]
            reason = _reason(text, at, at + size, unseen)
            if reason == _NO_ALT:
                continue
            counts[_ALTS_IN] += 1
            starred |= reason == _STAR
            if reason == _PLAIN:
                plain += 1
                only = number
            if reason < 0:
                reason = reasons[i]
            if reason < 0 and _compare(text, at, size, text, ref_at, ref_size) == 0:
                reason = _ALT_IS_REF
            if reason >= 0:
                counts[reason] += 1
                continue
            counts[_KEPT] += 1
            hit = _hits(number, rows.gt[i], pairs[i], raw[i])
            left, right = 0, 0
            if size != ref_size:
                least = min(size, ref_size) - 1
                while right < least and text[at + size - 1 - right] == text[ref_at + ref_size - 1 - right]:
                    right += 1
                while left < least - right and text[at + left] == text[ref_at + left]:
                    left += 1
            of_alt = n
            for k in range(ref_size if size == ref_size else 1):
                if size == ref_size:
                    if text[at + k] == text[ref_at + k]:
                        continue
                    left, right = k, size - 1 - k
                pos, ref_n, alt_n = rows.pos[i] + left, ref_size - left - right, size - left - right
                counts[_ATOMS] += 1
                known = -1
                for j in range(of_row, of_alt):
                    # Of one row: with the same place and length REF is the same.
                    if sites.pos[j] == pos and sites.ref[j] == ref_n:
                        middle = sites.at[j] + ref_n
                        if _compare(sites.text, middle, sites.alt[j], text, at + left, alt_n) == 0:
                            known = j
                if known >= 0:
                    counts[_SHARED] += 1
                    hits[known] |= hit
                    continue
                hits[n] = hit
                sites.pos[n], sites.at[n], sites.ref[n], sites.alt[n] = pos, end, ref_n, alt_n
                for j in range(ref_n):
                    sites.text[end + j] = text[ref_at + left + j]
                end += ref_n
                for j in range(alt_n):
                    sites.text[end + j] = text[at + left + j]
                end += alt_n
                n += 1
        with_site += n > of_row
        for j in range(of_row, n):
            hit = hits[j]
            carried = hit & _CARRIED != 0
            code = _code(pairs[i], hit & _FIRST != 0, hit & _SECOND != 0)
            sites.code[j] = code
            sites.raw[j] = _code(raw[i], hit & _RAW_FIRST != 0, hit & _RAW_SECOND != 0)
            sites.region_class[j] = of_class[i]
            sites.made[j] = carried or not blocks
            sites.qual[j] = rows.qual[i] if sites.made[j] else np.nan
            sites.ft[j] = ft[i] if code >= gt.CODE_HET else 0
            if hit & _TWICE and ref_size == 1 and sites.alt[j] == 1 and plain == 1 and not starred:
                told = rows.gq[i, 0], rows.dp[i, 0], rows.ad[ref], rows.ad[ref + only]
                for k in range(len(told)):
                    if told[k] != MISSING and told[k] != END_OF_VECTOR:
                        sites.depths[j, k] = told[k]
    return n, end, with_alt, with_site


@jit
def _in_order(order: np.ndarray, sites: Sites) -> np.ndarray:
    """Bring `order`, numbers of site alleles by position, to that by (pos, REF, ALT); bool (n,) whether each is the
    same as the one before."""
    same = np.zeros(order.size, np.bool_)
    text = sites.text
    for i in range(1, order.size):
        me, k = order[i], i
        at, ref, alt = sites.at[me], sites.ref[me], sites.alt[me]
        found = False
        while k and sites.pos[order[k - 1]] == sites.pos[me]:
            it = order[k - 1]
            unlike = _compare(text, sites.at[it], sites.ref[it], text, at, ref)
            if unlike == 0:
                unlike = _compare(text, sites.at[it] + sites.ref[it], sites.alt[it], text, at + ref, alt)
            if unlike <= 0:
                found = unlike == 0
                break
            k -= 1
        for j in range(i, k, -1):
            order[j], same[j] = order[j - 1], same[j - 1]
        order[k], same[k] = me, found
    return same


@kernel
def _gather(text: np.ndarray, at: np.ndarray, size: np.ndarray, offsets: np.ndarray, out: np.ndarray) -> None:
    end = 0
    for i in range(at.size):
        for k in range(size[i]):
            out[end + k] = text[at[i] + k]
        end += size[i]
        offsets[i + 1] = end


def texts(text: np.ndarray, at: np.ndarray, size: np.ndarray, valid: np.ndarray | None = None) -> pa.StringArray:
    """The pieces of `text` (uint8) that begin at `at` and have `size` bytes. valid: bool (n,), where there is one; None
    for all."""
    size = size if valid is None else np.where(valid, size, 0)
    offsets, out = np.zeros(len(at) + 1, np.int32), np.empty(int(size.sum()), np.uint8)
    _gather(text, at, size, offsets, out)
    bits = None if valid is None else parquet.bits(valid)
    return pa.StringArray.from_buffers(len(at), pa.py_buffer(offsets), pa.py_buffer(out), bits)


def reasons_of_ref(rows: Rows, contig: str, reference: Reference, name: str) -> np.ndarray:
    """int8 (n,): why no ALT of a row may be used, a number of LEFT_OUT, or -1; as `goe.genome.alleles.check_ref`, which
    is asked about every REF that is not just the reference's. name: the file, for the message."""
    places = Places.of(rows)
    unlike = np.zeros(len(rows.pos), np.bool_)
    i = 0
    while i < len(rows.pos):
        start = int(rows.pos[i])
        inside = contig in reference.lengths
        bases = reference.written(contig, start - 1, start - 1 + _BASES) if inside else NOTHING
        i = _look(rows, places, i, start, bases, unlike)
    found = np.full(len(rows.pos), -1, np.int8)
    for i in np.flatnonzero(unlike).tolist():
        at = places.where[places.first[i]]
        ref = rows.text[at : at + rows.length[places.first[i]]].tobytes().decode()
        reason = check_ref(reference, name, contig, int(rows.pos[i]), ref)
        if reason:
            found[i] = LEFT_OUT.index(reason)
    return found


def split(
    rows: Rows,
    reasons: np.ndarray,
    ft: np.ndarray,
    of_class: np.ndarray,
    pairs: np.ndarray,
    raw: np.ndarray,
    blocks: bool,
) -> tuple[Sites, Counter[str], int, int]:
    """(site alleles of rows, what `goe.genome.alleles.split` counts, rows with an ALT, rows with a site allele).

    reasons: of `reasons_of_ref`; ft: int32 (n,), number of the reasons of FILTER or FT, 0 where it passes; of_class:
    int8, region classes; pairs, raw: int32 (n, 2) calls with the filter and without; blocks: whether the file has
    reference blocks, so that an allele that nobody carries makes no site allele (C6.1).
    """
    places = Places.of(rows)
    n, size = _most(rows, places)
    room = Sites.room(n, size)
    counts = np.zeros(len(_COUNTED), np.int64)
    n, size, with_alt, with_site = _split(
        rows, places, reasons, ft, of_class, pairs, raw, blocks, _UNSEEN, room, np.empty(n, np.uint8), counts
    )
    found = Sites._make([*(column[:n].copy() for column in room[:-1]), room.text[:size].copy()])
    counted = Counter({name: k for name, k in zip(_COUNTED, counts.tolist(), strict=True) if k})
    return found, counted, with_alt, with_site


class Listed:
    """Site alleles of a contig, chunk by chunk."""

    def __init__(self) -> None:
        self._parts: list[Sites] = [Sites.room(0, 0)]

    def add(self, sites: Sites) -> None:
        self._parts.append(sites)

    def whole(self) -> Sites:
        """All of them, in the order in which they were added."""
        begins = np.cumsum([len(part.text) for part in self._parts]) - [len(part.text) for part in self._parts]
        parts = [part._replace(at=part.at + begin) for part, begin in zip(self._parts, begins, strict=True)]
        return Sites(*map(np.concatenate, zip(*parts, strict=True)))


def may_move(sites: Sites) -> np.ndarray:
    """Numbers of the site alleles that left-alignment may change, by position.

    An allele that shares no last base with its REF is at its leftmost place already, and trimmed to it (Tan, Abecasis
    and Kang 2015).
    """
    if not len(sites.pos):
        return np.empty(0, np.int64)
    middle = sites.at + sites.ref
    found = np.flatnonzero(sites.text[middle - 1] == sites.text[middle + sites.alt - 1])
    return found[np.argsort(sites.pos[found], kind="stable")]


def with_texts(sites: Sites, moved: Sequence[tuple[int, int, str, str]]) -> Sites:
    """The site alleles with other places: (number, position, REF, ALT)."""
    pos, at, ref, alt = (column.copy() for column in (sites.pos, sites.at, sites.ref, sites.alt))
    end = len(sites.text)
    for i, there, one, two in moved:
        pos[i], at[i], ref[i], alt[i] = there, end, len(one), len(two)
        end += len(one) + len(two)
    more = "".join(one + two for _, _, one, two in moved).encode()
    text = np.concatenate([sites.text, np.frombuffer(more, np.uint8)])
    return sites._replace(pos=pos, at=at, ref=ref, alt=alt, text=text)


def merged(sites: Sites, reasons: Sequence[str], ledger: Ledger) -> tuple[Sites, list[str]]:
    """The site alleles sorted by (pos, REF, ALT), rows of one of them merged (C3.4), and the reasons of FILTER or FT
    that their numbers are of. reasons: those of the numbers that come in."""
    order = np.argsort(sites.pos, kind="stable")
    same = _in_order(order, sites)
    first = np.flatnonzero(~same)
    ledger.drop("site_alleles", "merged_into_another_record", len(order) - len(first))
    ledger.give("site_alleles", len(first))
    # Mostly they come in this order, and each once.
    lead = order[first] if len(first) < len(order) or (np.diff(order) < 0).any() else slice(None)
    found = Sites._make([*(column[lead] for column in sites[:-1]), sites.text])
    told = list(reasons)
    sizes = np.diff(first, append=len(order))
    for n in np.flatnonzero(sizes > 1).tolist():
        rows = order[first[n] : first[n] + sizes[n]]
        found.code[n], found.raw[n] = (gt.merge_codes(list(a[rows, None]))[0] for a in (sites.code, sites.raw))
        # Of the rows that decide: somebody may be called in a PAR by one, and not be counted outside by another.
        deciding = rows[sites.code[rows] == found.code[n]]
        classes = sites.region_class[deciding if len(deciding) else rows]
        found.region_class[n] = merged_class(set(classes.tolist()))
        found.made[n] = sites.made[rows].any()
        found.qual[n] = np.fmax.reduce(sites.qual[rows])
        chosen = sites.ft[deciding]
        found.ft[n] = 0
        if found.code[n] >= gt.CODE_HET and (chosen > 0).all():
            found.ft[n] = len(told)
            told.append(";".join(sorted({r for k in chosen.tolist() for r in reasons[k].split(";")})))
        found.depths[n] = np.nan
    return found, told
