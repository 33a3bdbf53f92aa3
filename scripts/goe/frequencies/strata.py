"""Strata of the release: who is summed into which published number.

A leaf stratum is a country and a sex, `EE_M`, `EE_F` or `EE_U` (sex unknown or aneuploid). Every parent is a
sum of leaves: `Total` of all, `M` and `F` of that sex in all countries, `EE` of all sexes of the country.
People of unknown sex count in `Total` and in their country only; no stratum of theirs is ever published.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from goe.core.errors import Problem, stop_on
from goe.rules.stratum import LEAF, parse
from goe.rules.stratum import SEXES as SEXES
from goe.rules.stratum import TOTAL as TOTAL

# People of a leaf at one site allele: called diploid, called haploid, heterozygous, homozygous for the allele
# (diploid), hemizygous for it (haploid). The order of the second axis of every array of people here.
CALLS = ("dip", "hap", "het", "hom", "hemi")
DIP, HAP, HET, HOM, HEMI = range(5)


def check_leaves(leaves: Iterable[str], where: str) -> None:
    """GoeError that lists every leaf whose name is not `CC_M`, `CC_F` or `CC_U`."""
    stop_on(
        [
            Problem(
                where,
                f"stratum {leaf!r} is not a country code and a sex (EE_M, EE_F, EE_U)",
                "name strata by ISO 3166-1 alpha-2 codes on the sheet; XX and XY cannot be used",
            )
            for leaf in leaves
            if not LEAF.fullmatch(leaf)
        ]
    )


def countries(leaves: Iterable[str]) -> list[str]:
    """Country codes of the leaves, sorted."""
    return sorted({parse(leaf).country for leaf in leaves})


def published_countries(strata: Iterable[str]) -> list[str]:
    """Those of a release's strata that are a country, in their order."""
    return [stratum for stratum in strata if parse(stratum).is_country]


def order(leaves: Iterable[str]) -> list[str]:
    """Strata the leaves can give, in their order: Total, M, F, then by country CC, CC_M, CC_F."""
    strata = [TOTAL, *SEXES]
    for country in countries(leaves):
        strata += [country, *(f"{country}_{sex}" for sex in SEXES)]
    return strata


def members(stratum: str, leaves: Sequence[str]) -> list[int]:
    """Indices of the leaves that are summed into `stratum`."""
    return [i for i, leaf in enumerate(leaves) if parse(stratum).holds(parse(leaf))]


def expand(people: np.ndarray, leaves: Sequence[str], strata: Sequence[str]) -> np.ndarray:
    """Sums of leaves.

    people: int array (leaves, 5, alleles), second axis as CALLS, in people.
    Returns an int array (strata, 5, alleles), in people.
    """
    out = np.zeros((len(strata), *people.shape[1:]), dtype=people.dtype)
    for s, stratum in enumerate(strata):
        for leaf in members(stratum, leaves):
            out[s] += people[leaf]
    return out


@dataclass(frozen=True)
class Numbers:
    """Published numbers, each an int array (strata, alleles); nhomalt in people, the others in alleles."""

    ac: np.ndarray
    an: np.ndarray
    ac_hom: np.ndarray
    ac_het: np.ndarray
    ac_hemi: np.ndarray
    nhomalt: np.ndarray

    def af(self) -> np.ndarray:
        """AC / AN as float64 (strata, alleles); NaN where AN is 0."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.ac / self.an)


def numbers(people: np.ndarray) -> Numbers:
    """Allele counts of strata from people (strata, 5, alleles).

    AN = 2 dip + hap; AC_Hom = 2 hom, AC_Het = het, AC_Hemi = hemi, AC their sum.
    """
    ac_hom = 2 * people[:, HOM]
    return Numbers(
        ac=ac_hom + people[:, HET] + people[:, HEMI],
        an=2 * people[:, DIP] + people[:, HAP],
        ac_hom=ac_hom,
        ac_het=people[:, HET],
        ac_hemi=people[:, HEMI],
        nhomalt=people[:, HOM],
    )


def shown(fewest: np.ndarray, people: np.ndarray | int, k: int) -> np.ndarray:
    """What a floor of k people leaves of `fewest` of `people`, at least: int64, the multiple of k at or below, and at
    most the one that leaves k - 1 of them, so that k numbers or more are shown as the same."""
    return np.asarray(np.maximum(np.minimum(fewest, np.asarray(people) - k + 1), 0) // k * k)


def called(people: np.ndarray) -> np.ndarray:
    """People with a call: (..., alleles) from people (..., 5, alleles)."""
    return np.asarray(people[..., DIP, :] + people[..., HAP, :])
