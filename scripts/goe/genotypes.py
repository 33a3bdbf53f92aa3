"""The genotype filter and the ploidy rule, on the unsplit record (COUNTING 1 and 2).

A *call* is a pair of allele numbers (a, b) of the record: a = -1 for missing, b = -2 for a haploid call.
A *code* is what a call is for one site allele: see CODES.
"""

from dataclasses import dataclass

import numba as nb
import numpy as np

from goe.bcf import END_OF_VECTOR, MISSING

NO_CALL, HAPLOID = -1, -2

CODES = ("missing", "ref1", "ref2", "het", "hom", "hemi")
CODE_MISSING, CODE_REF1, CODE_REF2, CODE_HET, CODE_HOM, CODE_HEMI = range(6)
# BCF genotype bytes of each code: (allele + 1) << 1, 0 for missing, -127 for end of vector.
_GT_PAIRS = np.array([[0, 0], [2, -127], [2, 2], [2, 4], [4, 4], [4, -127]], np.int8).view(np.int16).ravel()

TEST_GQ, TEST_DP, TEST_AD, TEST_FT = 1, 2, 4, 8


@dataclass(frozen=True)
class Filter:
    """Thresholds of the genotype filter (COUNTING 1.1). Depths in reads, GQ on the Phred scale.

    A threshold of 0 switches its test off. alt_only: test only the ALT alleles of a het, as gnomAD does.
    """

    min_gq: int = 20
    min_dp: int = 10
    min_dp_haploid: int = 5
    min_ab: float = 0.2
    alt_only: bool = False

    def tests(self, absent: frozenset[str] = frozenset(), respect_ft: bool = False) -> int:
        """TEST_* bits for a person whose input does not declare the FORMAT fields `absent` (COUNTING 1.3)."""
        wanted = {
            TEST_GQ: self.min_gq > 0 and "GQ" not in absent,
            TEST_DP: max(self.min_dp, self.min_dp_haploid) > 0 and "DP" not in absent,
            TEST_AD: self.min_ab > 0 and "AD" not in absent,
            TEST_FT: respect_ft,
        }
        return sum(bit for bit, on in wanted.items() if on)


@nb.njit(cache=True, nogil=True)
def _call(gt, dp, gq, ad, ft_fail, wanted, tests, min_gq, min_dp, min_dp_haploid, min_ab, alt_only, calls, seen):
    """Fill calls[person] = (a, b) and seen[person] = (called before ploidy a, b, passed the filter, depth).

    gt: int32 (people, ploidy) of raw BCF values; dp, gq: int32 (people,); ad: int32 (people, alleles), width 0
    when absent; wanted: int8 ploidy by person, 0 = not counted; tests: uint8 by person, TEST_* bits;
    ft_fail: bool (people,).
    """
    people, width = gt.shape
    for p in range(people):
        a = b = NO_CALL
        n = called = 0
        for k in range(width):
            value = gt[p, k]
            if value == END_OF_VECTOR:
                break
            n += 1
            allele = -1 if value == MISSING else (value >> 1) - 1
            if allele >= 0:
                called += 1
                if n > 2:
                    continue
                if a == NO_CALL:
                    a = allele
                else:
                    b = allele
        depth = dp[p]
        if depth == MISSING:
            total = 0
            there = False
            for k in range(ad.shape[1]):
                if ad[p, k] == END_OF_VECTOR:
                    break
                if ad[p, k] != MISSING:
                    total += ad[p, k]
                    there = True
            if there:
                depth = total
        # Rule 1.5: a reference call without a single read is no data, whatever its quality says.
        if called > 0 and depth == 0:
            reference = True
            for k in range(width):
                if gt[p, k] == END_OF_VECTOR:
                    break
                if gt[p, k] != MISSING and (gt[p, k] >> 1) - 1 > 0:
                    reference = False
            if reference:
                a = b = NO_CALL
                called = 0
        ok = called > 0
        if ok and tests[p]:
            test = tests[p]
            if test & TEST_GQ and (gq[p] == MISSING or gq[p] < min_gq):
                ok = False
            least = min_dp_haploid if wanted[p] == 1 else min_dp
            if test & TEST_DP and (depth == MISSING or depth < least):
                ok = False
            if test & TEST_FT and ft_fail[p]:
                ok = False
            if ok and test & TEST_AD and a >= 0 and b >= 0 and a != b:
                for allele in (a, b):
                    if alt_only and allele == 0:
                        continue
                    # A quotient, since 0.2 * 35 is above 7 in floating point and 7 / 35 is 0.2.
                    if allele >= ad.shape[1] or ad[p, allele] < 0 or depth <= 0 or ad[p, allele] / depth < min_ab:
                        ok = False
        seen[p, 0] = a
        seen[p, 1] = HAPLOID if n == 1 else (b if called == n else NO_CALL)
        seen[p, 2] = ok
        seen[p, 3] = depth
        calls[p, 0] = NO_CALL
        calls[p, 1] = NO_CALL
        if not ok or wanted[p] == 0 or n > 2:
            continue
        if wanted[p] == 1:
            if b == NO_CALL or a == b:
                calls[p, 0] = a
                calls[p, 1] = HAPLOID
        elif n == 2 and called == 2:
            calls[p, 0] = a
            calls[p, 1] = b


@nb.njit(cache=True, nogil=True)
def _codes(calls, copies, codes):
    """codes[person] for a site allele; copies[allele] = how many copies that allele number of the record has."""
    for p in range(calls.shape[0]):
        a, b = calls[p, 0], calls[p, 1]
        if a == NO_CALL:
            codes[p] = CODE_MISSING
        elif b == HAPLOID:
            codes[p] = CODE_HEMI if copies[a] else CODE_REF1
        else:
            codes[p] = CODE_REF2 + copies[a] + copies[b]


def widen(vector: np.ndarray) -> np.ndarray:
    """A raw BCF integer array as int32, its missing and end-of-vector values those of int32."""
    wide = vector.astype(np.int32)
    if vector.dtype != np.int32:
        low = np.iinfo(vector.dtype).min
        wide[vector == low] = MISSING
        wide[vector == low + 1] = END_OF_VECTOR
    return wide


class Caller:
    """Genotype calls of one cohort's records.

    people: number of people, in the order of the file; ploidy: int8 (classes, people), wanted ploidy by region
    class (goe.build) with 0 for not counted; tests: uint8 (people,), TEST_* bits of what may be tested for each.
    """

    def __init__(self, people: int, ploidy: np.ndarray, tests: np.ndarray, rule: Filter):
        self.people, self.ploidy, self.tests, self.rule = people, ploidy, tests, rule
        self._none = np.full(people, MISSING, np.int32)
        self._no_ad = np.empty((people, 0), np.int32)
        self._no_ft = np.zeros(people, np.bool_)
        self._untested = np.zeros(people, np.uint8)

    def _scalar(self, formats: dict[str, np.ndarray], key: str) -> np.ndarray:
        return widen(formats[key][:, 0]) if key in formats and formats[key].shape[1] else self._none

    def calls(
        self,
        formats: dict[str, np.ndarray],
        region_class: int,
        ft_fail: np.ndarray | None = None,
        raw: bool = False,
    ) -> tuple[np.ndarray, np.ndarray]:
        """(calls, seen): int32 (people, 2) after filter and ploidy, int32 (people, 4) before ploidy.

        raw: without the filter (COUNTING 1.4); ploidy and rule 1.5 hold.
        """
        gt = formats.get("GT")
        gt = np.full((self.people, 1), MISSING, np.int32) if gt is None or not gt.shape[1] else _genotype(gt)
        ad = widen(formats["AD"]) if "AD" in formats else self._no_ad
        # A missing AD vector is stored as one missing value for all alleles.
        calls = np.empty((self.people, 2), np.int32)
        seen = np.empty((self.people, 4), np.int32)
        rule = self.rule
        _call(
            gt, self._scalar(formats, "DP"), self._scalar(formats, "GQ"), ad,
            self._no_ft if ft_fail is None else ft_fail,
            self.ploidy[region_class], self._untested if raw else self.tests,
            rule.min_gq, rule.min_dp, rule.min_dp_haploid, rule.min_ab, rule.alt_only, calls, seen,
        )  # fmt: skip
        return calls, seen


def _genotype(gt: np.ndarray) -> np.ndarray:
    """GT as int32; its only special value is end of vector (0 is the missing allele)."""
    wide = gt.astype(np.int32)
    if gt.dtype != np.int32:
        wide[gt == np.iinfo(gt.dtype).min + 1] = END_OF_VECTOR
        wide[gt == np.iinfo(gt.dtype).min] = 0
    else:
        wide[gt == MISSING] = 0
    return wide


def codes_of(calls: np.ndarray, n_alleles: int, holders: tuple[int, ...]) -> np.ndarray:
    """int8 (people,) codes of the site allele that the record's allele numbers `holders` carry."""
    copies = np.zeros(n_alleles, np.int32)
    copies[list(holders)] = 1
    codes = np.empty(calls.shape[0], np.int8)
    _codes(calls, copies, codes)
    return codes


# Rank of a code when records of one site allele are merged: a carrier beats a reference call beats missing (3.4).
_RANK = np.array([0, 1, 1, 2, 2, 2], np.int8)


def merge_codes(stack: list[np.ndarray]) -> np.ndarray:
    """One code a person from those of several records of the same site allele (COUNTING 3.4).

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


@nb.njit(cache=True, nogil=True)
def _decode(gt, end, codes):
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
