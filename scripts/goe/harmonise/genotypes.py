"""The genotype filter and the ploidy rule, on the unsplit record (C1 and C2).

A *call* is a pair of allele numbers (a, b) of the record: a = -1 for missing, b = -2 for a haploid call.
A *code* is what a call is for one site allele: see CODES.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from goe.hts.bcf import END_OF_VECTOR, MISSING
from goe.hts.kernels import jit, kernel, within

NO_CALL, HAPLOID = -1, -2

CODES = ("missing", "ref1", "ref2", "het", "hom", "hemi")
CODE_MISSING, CODE_REF1, CODE_REF2, CODE_HET, CODE_HOM, CODE_HEMI = range(6)
# BCF genotype bytes of each code: (allele + 1) << 1, 0 for missing, -127 for end of vector (END as uint8).
_GT_PAIRS = np.array([[0, 0], [2, -127], [2, 2], [2, 4], [4, 4], [4, -127]], np.int8).view(np.int16).ravel()

END = 0x81

TEST_GQ, TEST_DP, TEST_AD, TEST_FT = 1, 2, 4, 8


@dataclass(frozen=True)
class Filter:
    """Thresholds of the genotype filter (C1.1). Depths in reads, GQ on the Phred scale.

    A threshold of 0 switches its test off. alt_only: test only the ALT alleles of a het, as gnomAD does.
    """

    min_gq: int = 20
    min_dp: int = 10
    min_dp_haploid: int = 5
    min_ab: float = 0.2
    alt_only: bool = False

    def tests(self, absent: frozenset[str] = frozenset(), respect_ft: bool = False) -> int:
        """TEST_* bits for a person whose input does not declare the FORMAT fields `absent` (C1.3)."""
        wanted = {
            TEST_GQ: self.min_gq > 0 and "GQ" not in absent,
            TEST_DP: max(self.min_dp, self.min_dp_haploid) > 0 and "DP" not in absent,
            TEST_AD: self.min_ab > 0 and "AD" not in absent,
            TEST_FT: respect_ft,
        }
        return sum(bit for bit, on in wanted.items() if on)


# People looked at together: when all of them are a passing 0/0 nobody of them is looked at alone.
TOGETHER = 32


@jit
def _unlike(
    gt: np.ndarray,
    dp: np.ndarray,
    gq: np.ndarray,
    least_dp: int,
    least_gq: int,
    ft_fail: np.ndarray,
    depths: np.ndarray,
    odd: np.ndarray,
) -> int:
    """Write to `odd` the numbers of the people who may not be a 0/0 that passes every test; how many they are.

    gt: uint8 (2 * people,), the bytes of diploid genotypes; dp, gq: integers (people,); ft_fail: bool (people,);
    depths: int64 (people,), to which the depth of everybody else is added.
    """
    n = 0
    people = dp.size
    whole = people // TOGETHER
    for block in range(whole + 1):
        start = block * TOGETHER
        stop = start + TOGETHER
        if block < whole:
            # Loops over one type and of a fixed length: they become a few vector instructions.
            differ = np.uint8(0)
            for i in range(2 * TOGETHER):
                differ |= np.uint8((gt[2 * start + i] & np.uint8(0xFE)) ^ np.uint8(2))
            lowest_dp, lowest_gq = dp[start], gq[start]
            for i in range(TOGETHER):
                lowest_dp = min(lowest_dp, dp[start + i])
            for i in range(TOGETHER):
                lowest_gq = min(lowest_gq, gq[start + i])
            failed = False
            for i in range(TOGETHER):
                failed |= ft_fail[start + i]
            if differ == 0 and lowest_dp >= least_dp and lowest_gq >= least_gq and not failed:
                for i in range(TOGETHER):
                    depths[start + i] += dp[start + i]
                continue
        else:
            stop = people
        for p in range(start, stop):
            # The lowest bit of a GT byte is its phase.
            reference = gt[2 * p] >> 1 == 1 and gt[2 * p + 1] >> 1 == 1
            if reference and dp[p] >= least_dp and gq[p] >= least_gq and not ft_fail[p]:
                depths[p] += dp[p]
            else:
                odd[n] = p
                n += 1
    return n


@jit
def _take(values: np.ndarray, rows: np.ndarray, low: int, wide: np.ndarray) -> None:
    """wide[i] = values[rows[i]] as int32, with missing (low) and end of vector (low + 1) those of int32."""
    for i in range(rows.size):
        for k in range(values.shape[1]):
            value = np.int32(values[rows[i], k])
            if value == low:
                value = np.int32(MISSING)
            elif value == low + 1:
                value = np.int32(END_OF_VECTOR)
            wide[i, k] = value


@within
def judge(
    i: int,
    gt: np.ndarray,
    dp: np.ndarray,
    gq: np.ndarray,
    ad: np.ndarray,
    ft_fails: bool,
    wanted: int,
    test: int,
    min_gq: int,
    min_dp: int,
    min_dp_haploid: int,
    min_ab: float,
    alt_only: bool,
) -> tuple[Any, ...]:
    """(a, b, called before ploidy a, b, whether it passed the filter, depth) of call i of the columns of `call`.
    wanted: ploidy of whom it is of; test: TEST_* bits for whom."""
    a = b = NO_CALL
    n = called = 0
    alt = False
    for k in range(gt.shape[1]):
        value = gt[i, k]
        if value == END_OF_VECTOR:
            break
        n += 1
        allele = -1 if value == MISSING else (value >> 1) - 1
        if allele >= 0:
            called += 1
            alt |= allele > 0
            if n > 2:
                continue
            if a == NO_CALL:
                a = allele
            else:
                b = allele
    depth = dp[i, 0] if dp.shape[1] else MISSING
    if depth == MISSING:
        total = 0
        there = False
        for k in range(ad.shape[1]):
            if ad[i, k] == END_OF_VECTOR:
                break
            if ad[i, k] != MISSING:
                total += ad[i, k]
                there = True
        if there:
            depth = total
    # C1.5: a reference call without a single read is no data, whatever its quality says.
    if called > 0 and depth == 0 and not alt:
        a = b = NO_CALL
        called = 0
    ok = called > 0
    if ok and test:
        quality = gq[i, 0] if gq.shape[1] else MISSING
        if test & TEST_GQ and (quality == MISSING or quality < min_gq):
            ok = False
        least = min_dp_haploid if wanted == 1 else min_dp
        if test & TEST_DP and (depth == MISSING or depth < least):
            ok = False
        if test & TEST_FT and ft_fails:
            ok = False
        if ok and test & TEST_AD and a >= 0 and b >= 0 and a != b:
            for allele in (a, b):
                if alt_only and allele == 0:
                    continue
                # A quotient, since 0.2 * 35 is above 7 in floating point and 7 / 35 is 0.2.
                if allele >= ad.shape[1] or ad[i, allele] < 0 or depth <= 0 or ad[i, allele] / depth < min_ab:
                    ok = False
    second = HAPLOID if n == 1 else (b if called == n else NO_CALL)
    if ok and wanted == 1 and n < 3 and (b == NO_CALL or a == b):
        return a, HAPLOID, a, second, ok, depth
    if ok and wanted == 2 and n == 2 and called == 2:
        return a, b, a, second, ok, depth
    return NO_CALL, NO_CALL, a, second, ok, depth


@kernel
def call(
    people: np.ndarray,
    gt: np.ndarray,
    dp: np.ndarray,
    gq: np.ndarray,
    ad: np.ndarray,
    ft_fail: np.ndarray,
    wanted: np.ndarray,
    tests: np.ndarray,
    min_gq: int,
    min_dp: int,
    min_dp_haploid: int,
    min_ab: float,
    alt_only: bool,
    calls: np.ndarray,
    seen: np.ndarray,
) -> None:
    """Fill calls[i] = (a, b) and seen[i] = (called before ploidy a, b, passed the filter, depth) of people[i].

    gt: int32 (n, ploidy) of raw BCF values; dp, gq: int32 or float64 (n, 1), or width 0 when absent; ad: int32 or
    float64 (n, alleles), or width 0. Of everybody: wanted, int8 ploidy, 0 = not counted; tests, uint8, TEST_* bits;
    ft_fail, bool.
    """
    for i in range(people.size):
        p = people[i]
        calls[i, 0], calls[i, 1], seen[i, 0], seen[i, 1], seen[i, 2], seen[i, 3] = judge(
            i, gt, dp, gq, ad, ft_fail[p], wanted[p], tests[p], min_gq, min_dp, min_dp_haploid, min_ab, alt_only
        )


@jit
def _codes(people: np.ndarray, calls: np.ndarray, copies: np.ndarray, stored: np.ndarray, out: np.ndarray) -> None:
    """out[people[i]] = stored[code]; copies[allele] = how many copies of the site allele that allele number is."""
    for i in range(people.size):
        a, b = calls[i, 0], calls[i, 1]
        if a == NO_CALL:
            code = CODE_MISSING
        elif b == HAPLOID:
            code = CODE_HEMI if copies[a] else CODE_REF1
        else:
            code = CODE_REF2 + copies[a] + copies[b]
        out[people[i]] = stored[code]


@dataclass(frozen=True)
class Calls:
    """The calls of one record. Whoever is not in `people` is 0/0 and passes every test.

    people: int32 (n,), numbers of the others; pairs: int32 (n, 2), calls after filter and ploidy; raw: the same
    without the filter (C1.4), or None; seen: int32 (n, 4), before ploidy: a, b, passed the filter, depth.
    """

    region_class: int
    people: np.ndarray
    pairs: np.ndarray
    raw: np.ndarray | None
    seen: np.ndarray

    def beyond(self, n_alleles: int) -> np.ndarray:
        """Numbers of the people whose call has an allele that a record of `n_alleles` (REF included) does not have."""
        return self.people[(self.seen[:, :2] >= n_alleles).any(axis=1)]


def code_of(pair: tuple[int, int], holders: tuple[int, ...]) -> int:
    """What one call is for the site allele that the allele numbers `holders` carry."""
    a, b = pair
    if a == NO_CALL:
        return CODE_MISSING
    if b == HAPLOID:
        return CODE_HEMI if a in holders else CODE_REF1
    return CODE_REF2 + (a in holders) + (b in holders)


class Caller:
    """Genotype calls of one cohort's records.

    people: number of people, in the order of the file; ploidy: int8 (classes, people), wanted ploidy by region
    class (goe.genome.build) with 0 for not counted; tests: uint8 (people,), TEST_* bits of what may be tested for each.

    Most calls of a cohort are 0/0 with enough reads: those are found without being unpacked, and the rules of
    `call` are asked about everybody else. `depths` (int64, classes x people) sums the depths of the former.
    """

    def __init__(self, people: int, ploidy: np.ndarray, tests: np.ndarray, rule: Filter):
        self.people, self.ploidy, self.tests, self.rule = people, ploidy, tests, rule
        self.depths = np.zeros(ploidy.shape, np.int64)
        self._everybody = np.arange(people, dtype=np.int32)
        self._plenty = np.full(people, 127, np.int8)
        self._no_ft = np.zeros(people, np.bool_)
        self._untested = np.zeros(people, np.uint8)
        self._tested = int(np.bitwise_or.reduce(tests, initial=0))
        # Codes of a passing 0/0 by wanted ploidy: not counted, haploid, diploid.
        self._reference = np.array([CODE_MISSING, CODE_REF1, CODE_REF2], np.int8)[ploidy]
        self._reference_pairs = _GT_PAIRS[self._reference]

    def calls(
        self,
        formats: dict[str, np.ndarray],
        region_class: int,
        ft_fail: np.ndarray | None = None,
        raw: bool = False,
    ) -> Calls:
        """The calls of a record's raw FORMAT arrays; `raw` also gives those without the filter."""
        ft_fail = self._no_ft if ft_fail is None else ft_fail
        people = self._odd(formats, region_class, ft_fail)
        wanted = (("GT", None), ("DP", 1), ("GQ", 1), ("AD", None))
        gts, dp, gq, ad = (_wide(formats.get(key), people, width) for key, width in wanted)
        if not gts.shape[1]:
            gts = np.full((len(people), 1), MISSING, np.int32)
        rule = self.rule
        found = []
        for tests in (self.tests, self._untested) if raw else (self.tests,):
            calls, seen = np.empty((len(people), 2), np.int32), np.empty((len(people), 4), np.int32)
            call(
                people, gts, dp, gq, ad, ft_fail, self.ploidy[region_class], tests,
                rule.min_gq, rule.min_dp, rule.min_dp_haploid, float(rule.min_ab), rule.alt_only, calls, seen,
            )  # fmt: skip
            found.append((calls, seen))
        return Calls(region_class, people, found[0][0], found[1][0] if raw else None, found[0][1])

    def _odd(self, formats: dict[str, np.ndarray], region_class: int, ft_fail: np.ndarray) -> np.ndarray:
        """Numbers of the people who may not be a passing 0/0; all of them where the fields do not tell at a glance."""
        gt, rule = formats.get("GT"), self.rule
        dp, gq = _column(formats.get("DP")), _column(formats.get("GQ"))
        if gq is None and not self._tested & TEST_GQ:
            gq = self._plenty
        if gt is None or dp is None or gq is None or gt.dtype != np.int8 or gt.shape[1] != 2:
            return self._everybody
        odd = np.empty(self.people, np.int32)
        # A depth of at least 1, since a reference call without a read is no data (C1.5).
        least_dp = max(1, rule.min_dp, rule.min_dp_haploid)
        pairs = gt.reshape(-1).view(np.uint8)
        n = _unlike(pairs, dp, gq, least_dp, rule.min_gq, ft_fail, self.depths[region_class], odd)
        return odd[:n]

    def genotypes(self, calls: Calls, n_alleles: int, holders: tuple[int, ...]) -> np.ndarray:
        """int8 (people, 2): BCF genotypes for the site allele that the record's allele numbers `holders` carry."""
        out = self._reference_pairs[calls.region_class].copy()
        _codes(calls.people, calls.pairs, _copies(n_alleles, holders), _GT_PAIRS, out)
        return out.view(np.int8).reshape(-1, 2)

    def codes(self, calls: Calls, n_alleles: int, holders: tuple[int, ...], raw: bool = False) -> np.ndarray:
        """int8 (people,): codes for the site allele that the record's allele numbers `holders` carry."""
        out = self._reference[calls.region_class].copy()
        pairs = calls.raw if raw else calls.pairs
        assert pairs is not None, "calls were made without those before the filter"
        _codes(calls.people, pairs, _copies(n_alleles, holders), _IDENTITY, out)
        return out


_IDENTITY = np.arange(len(CODES), dtype=np.int8)


def _copies(n_alleles: int, holders: tuple[int, ...]) -> np.ndarray:
    copies = np.zeros(n_alleles, np.int32)
    copies[list(holders)] = 1
    return copies


_LOWEST = {np.dtype(kind).itemsize: int(np.iinfo(kind).min) for kind in (np.int8, np.int16, np.int32)}


def _column(field: np.ndarray | None) -> np.ndarray | None:
    """A field of one value a person as (people,); None for others."""
    return field.reshape(-1) if field is not None and field.shape[1] == 1 else None


def _wide(field: np.ndarray | None, people: np.ndarray, width: int | None) -> np.ndarray:
    """Rows of a raw BCF integer array as int32, with the special values of int32; at most `width` columns.

    Those of a field that is declared Float stay float64: they are compared as they are written (C1.1).
    """
    if field is None:
        return np.empty((len(people), 0), np.int32)
    if width is not None and field.shape[1] > width:
        field = np.ascontiguousarray(field[:, :width])
    if field.dtype == np.float64:
        return field[people]
    wide = np.empty((len(people), field.shape[1]), np.int32)
    _take(field, people, _LOWEST[field.dtype.itemsize], wide)
    return wide


def widen(vector: np.ndarray) -> np.ndarray:
    """A raw BCF array of numbers as int32 or float64, its missing and end-of-vector values those of int32."""
    everybody = np.arange(len(vector), dtype=np.int32)
    width = int(np.prod(vector.shape[1:]))
    return _wide(np.ascontiguousarray(vector).reshape(len(vector), width), everybody, None).reshape(vector.shape)


# Rank of a code when records of one site allele are merged: a carrier beats a reference call beats missing (3.4).
_RANK = np.array([0, 1, 1, 2, 2, 2], np.int8)


def merge_codes(stack: list[np.ndarray]) -> np.ndarray:
    """One code a person from those of several records of the same site allele (C3.4).

    The calls of the highest rank decide; where they differ the person is missing. Independent of the order.
    """
    codes = np.stack(stack)
    rank = _RANK[codes]
    best = rank.max(axis=0)
    top = rank == best
    highest = np.where(top, codes, -1).max(axis=0)
    lowest = np.where(top, codes, len(CODES)).min(axis=0)
    return np.where(highest == lowest, highest, CODE_MISSING).astype(np.int8)


def gt_bytes(codes: np.ndarray) -> np.ndarray:
    """int8 (people, 2): BCF genotypes of the codes."""
    return np.take(_GT_PAIRS, codes).view(np.int8).reshape(-1, 2)


@jit
def _decode(gt: np.ndarray, end: int, codes: np.ndarray) -> None:
    for p in range(gt.shape[0]):
        first = gt[p, 0] >> 1
        if gt.shape[1] == 1 or gt[p, 1] == end:
            codes[p] = CODE_MISSING if first <= 0 else (CODE_REF1 if first == 1 else CODE_HEMI)
        else:
            second = gt[p, 1] >> 1
            codes[p] = CODE_MISSING if first <= 0 or second <= 0 else first + second


def codes_from_gt(gt: np.ndarray) -> np.ndarray:
    """int8 (people,) codes of a biallelic GT-only record written with `gt_bytes` (any phase)."""
    codes = np.empty(gt.shape[0], np.int8)
    _decode(gt, np.iinfo(gt.dtype).min + 1, codes)
    return codes
