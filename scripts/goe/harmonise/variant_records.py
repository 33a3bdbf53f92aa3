"""Variants of a person's own file as the GA4GH WGS QC standard v1 counts them: by records, as the caller wrote them.

The rules are those of its reference implementation, c-BIG/NPM-sample-qc 0.13.5, `bin/count_variants.py`: which records
`bcftools view` and `bcftools stats` take (version 1.16). A record counts once for each kind of ALT that it lists,
whichever of them the person carries.
"""

import numpy as np

from goe.calls.own_file import Rows
from goe.harmonise.listed import Places
from goe.harmonise.schemas import OF_VARIANTS
from goe.hts.bcf import END_OF_VECTOR
from goe.hts.kernels import kernel

_SNV, _HET_SNV, _HOM_SNV, _INSERTION, _DELETION, _HET_INDEL, _HOM_INDEL, _TI, _TV = range(len(OF_VARIANTS))

_OTHER, _IS_SNV, _IS_INDEL = range(3)
_ABSENT, _UNKNOWN, _HET, _HOM = range(4)
_A, _C, _G, _T = 65, 67, 71, 84
_SYMBOL, _OPEN, _CLOSE, _STAR = 60, 91, 93, 42


@kernel
def _genotype(gt: np.ndarray) -> int:
    """_ABSENT: one or two alleles, all REF or all missing; _UNKNOWN: one that is missing among others. gt: as BCF has
    it."""
    n, missing, reference, first, two = 0, 0, 0, 0, False
    for value in gt:
        if value == END_OF_VECTOR:
            break
        allele = value >> 1
        n += 1
        missing += allele == 0
        reference += allele == 1
        if allele > 1:
            two |= first > 0 and first != allele
            first = allele
    if n < 3 and (missing == n or reference == n):
        return _ABSENT
    if missing:
        return _UNKNOWN
    return _HET if two or (first and reference) else _HOM


@kernel
def _kind(text: np.ndarray, ref: int, ref_size: int, alt: int, size: int) -> int:
    """Kind of the ALT text[alt : alt + size]: bcf_get_variant_type of htslib, MNPs and complex ones as _OTHER."""
    first, last = text[alt], text[alt + size - 1]
    if size == 1 and first == _STAR:
        return _OTHER
    if size == 1 and ref_size == 1:
        # X is an old way to write that there may be another allele.
        return _OTHER if first == text[ref] or first == 46 or first == 88 else _IS_SNV
    if first in (_SYMBOL, _OPEN, _CLOSE) or last in (_OPEN, _CLOSE):
        return _OTHER
    left, least = 0, min(ref_size, size)
    while left < least and text[ref + left] == text[alt + left]:
        left += 1
    if left == least:
        return _OTHER if ref_size == size else _IS_INDEL
    ref_left, alt_left = ref_size - left, size - left
    while ref_left > 1 and alt_left > 1 and text[ref + left + ref_left - 1] == text[alt + left + alt_left - 1]:
        ref_left -= 1
        alt_left -= 1
    if ref_left == 1 and alt_left == 1:
        return _IS_SNV
    if min(ref_left, alt_left) == 1 and text[ref + left + ref_left - 1] == text[alt + left + alt_left - 1]:
        return _IS_INDEL
    return _OTHER


@kernel
def _change(one: int, other: int) -> int:
    """_TI, _TV, or -1 where one of two bases is none or both are the same."""
    for base in (one, other):
        if base != _A and base != _C and base != _G and base != _T:
            return -1
    if one == other:
        return -1
    pair = one + other
    return _TI if pair in (_A + _G, _C + _T) else _TV


@kernel
def _add(rows: Rows, first: np.ndarray, where: np.ndarray, counters: np.ndarray) -> None:
    text = rows.text
    for i in range(rows.pos.size):
        genotype = _ABSENT if rows.filter[i] else _genotype(rows.gt[i])
        if genotype == _ABSENT:
            continue
        ref, ref_size = where[first[i]], rows.length[first[i]]
        snv, indel, longer, shorter = False, False, False, False
        for k in range(first[i] + 1, first[i] + rows.alleles[i]):
            alt, size = where[k], rows.length[k]
            kind = _kind(text, ref, ref_size, alt, size)
            snv |= kind == _IS_SNV
            indel |= kind == _IS_INDEL
            if text[alt] != _SYMBOL:
                longer |= size > ref_size
                shorter |= size < ref_size
            if kind == _IS_SNV:
                change = _change(text[ref], text[alt])
                if change >= 0:
                    counters[change] += 1
        if snv:
            counters[_SNV] += 1
            counters[_HET_SNV] += genotype == _HET
            counters[_HOM_SNV] += genotype == _HOM
        if indel:
            counters[_INSERTION] += longer
            counters[_DELETION] += shorter
            counters[_HET_INDEL] += genotype == _HET
            counters[_HOM_INDEL] += genotype == _HOM


def add(rows: Rows, counters: np.ndarray) -> None:
    """Add the rows of an autosome to counters, int64 (OF_VARIANTS,).

    Left out are rows whose FILTER is a reason and rows of a genotype of REF alone or of nothing. FILTER `.`, as callers
    write it who filter nothing, is taken for PASS (`view -f .,PASS`): the standard's own program would count none.
    """
    _add(rows, *Places.of(rows), counters)
