"""AD and GQ of a joint record where it writes them in another way: local alleles and likelihoods (C1.7)."""

import numpy as np

from goe.calls.fields import MAX_GQ
from goe.core.errors import GoeError, Problem
from goe.harmonise.genotypes import widen
from goe.hts.bcf import END_OF_VECTOR, MISSING, Record
from goe.hts.kernels import jit

# FORMAT fields that AD and GQ can be had from.
FIELDS = ("PL", "LPL", "LAA", "LAD")


@jit
def _length(vector: np.ndarray) -> tuple[int, bool]:
    """(values of a vector, a missing one of several included; whether one of them is not missing)."""
    n, known = 0, False
    for value in vector:
        if value == END_OF_VECTOR:
            break
        n += 1
        known |= value != MISSING
    return (n, known) if n > 1 or known else (0, False)


@jit
def _spread(laa: np.ndarray, lad: np.ndarray, ad: np.ndarray) -> int:
    """Fill ad (people, alleles) with LAD at the places LAA gives, REF first; the first person with a place that is no
    allele, or -1. Of whom LAD has values but not one for each of these, there is nothing in ad, not even a missing one:
    nobody can say whose they are (C1.1)."""
    for p in range(ad.shape[0]):
        places, _ = _length(laa[p])
        values, known = _length(lad[p])
        if known and values != 1 + places:
            ad[p, :] = END_OF_VECTOR
        for k in range(places):
            allele = laa[p, k]
            if allele == MISSING:
                continue
            if allele < 0 or allele >= ad.shape[1]:
                return p
            if values == 1 + places:
                ad[p, allele] = lad[p, k + 1]
        if values == 1 + places:
            ad[p, 0] = lad[p, 0]
    return -1


@jit
def _margins(pl: np.ndarray, gq: np.ndarray) -> None:
    """Where gq (people, 1) is missing, the second smallest of pl (people, genotypes) less the smallest."""
    for p in range(gq.shape[0]):
        if gq[p, 0] != MISSING:
            continue
        low, second, n = np.int64(1) << 40, np.int64(1) << 40, 0
        whole = True
        for k in range(pl.shape[1]):
            value = np.int64(pl[p, k])
            if value == END_OF_VECTOR:
                break
            whole &= value != MISSING
            n += 1
            if value < low:
                low, second = value, low
            elif value < second:
                second = value
        if whole and n > 1:
            gq[p, 0] = min(second - low, MAX_GQ)


def resolve(name: str, record: Record) -> np.ndarray | None:
    """Put AD and GQ that the record has in other fields in their place, in `record.formats`; numbers of the people who
    have their quality from likelihoods, or None.

    name: the file, for the message. GoeError where LAA names an allele that the record does not have.
    """
    formats = record.formats
    if "AD" not in formats and "LAA" in formats and "LAD" in formats:
        laa, lad = widen(formats["LAA"]), widen(formats["LAD"])
        ad = np.full((len(laa), 1 + len(record.alts)), MISSING, np.int32)
        if _spread(laa, lad, ad) >= 0:
            what = "LAA names an allele that the record does not have"
            raise GoeError(Problem(f"{name}, {record.where}", what, "make the file again"))
        formats["AD"] = ad
    likelihoods = formats.get("PL", formats.get("LPL"))
    if likelihoods is None or likelihoods.dtype.kind == "S":
        return None
    gq = formats.get("GQ")
    if gq is not None and not (gq == _missing(gq)).any():
        return None
    wide = np.full((len(likelihoods), 1), MISSING, np.int32) if gq is None else widen(gq).copy()
    missing = wide[:, 0] == MISSING
    _margins(widen(likelihoods), wide)
    formats["GQ"] = wide
    return np.flatnonzero(missing & (wide[:, 0] != MISSING))


def _missing(field: np.ndarray) -> int:
    """The value that stands for a missing one in a raw array of a record."""
    return int(np.iinfo(field.dtype).min) if field.dtype.kind == "i" else MISSING


def wrong_length(record: Record, people: np.ndarray) -> bool:
    """Whether AD has another number of values than the record has alleles (C1.1), where only <NON_REF> may lack one, or
    was had from a LAD of another number than LAA names.

    people: numbers of those who are looked at one by one.
    """
    ad = record.formats.get("AD")
    if ad is None or ad.dtype.kind == "S":
        return False
    n = 1 + len(record.alts)
    least = n - 1 if record.alts and record.alts[-1] in ("<NON_REF>", "<*>") else n
    values = ad[people]
    ends = values == _missing(ad) + 1
    if ad.shape[1] in (least, n) and not ends.any():
        return False
    lengths = (~ends).sum(axis=1)
    none = (lengths == 1) & (values[:, 0] == _missing(ad))
    return bool((((lengths < least) | (lengths > n)) & ~none).any())
