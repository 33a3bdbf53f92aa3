"""Strata: the part of the cohort that a number is of, `Total`, `M`, `EE` or `EE_M`.

A country is a label of two capital letters, of ISO 3166-1 alpha-2 unless `strata.label` names another column. XX and XY
have that form and are karyotypes to every consumer of allele frequencies, so they are none. A leaf is a country and a
sex, `EE_U` those of unknown sex: they count in their country and in Total, and no stratum of theirs is published.
"""

import re
from functools import lru_cache
from typing import NamedTuple

TOTAL = "Total"
SEXES = ("M", "F")
UNKNOWN = "U"
LABEL = r"(?!XX|XY)[A-Z]{2}"
"""Pattern of a country label."""
PUBLISHED = re.compile(rf"{TOTAL}|[MF]|{LABEL}(?:_[MF])?")
"""Names of published strata."""
LEAF = re.compile(rf"{LABEL}_[MFU]")
"""Names of leaves."""


class Stratum(NamedTuple):
    """country: empty for all of them. sex: M, F, U, or empty for all."""

    country: str
    sex: str

    @property
    def name(self) -> str:
        return "_".join(filter(None, self)) or TOTAL

    @property
    def is_country(self) -> bool:
        """A country, both sexes and people of unknown sex together."""
        return bool(self.country and not self.sex)

    @property
    def is_leaf(self) -> bool:
        return bool(self.country and self.sex)

    def holds(self, other: "Stratum") -> bool:
        """Whether everybody of the other stratum is in this one."""
        return self.country in ("", other.country) and self.sex in ("", other.sex)

    def is_part(self, whole: "Stratum") -> bool:
        """Whether it is one of those that another is the sum of, people of unknown sex and of no published country
        aside:
        countries are parts of Total, sexes of their country, and those of a sex in the countries of that sex."""
        if not whole.country and not whole.sex:
            return self.is_country
        return self.is_leaf and not whole.is_leaf and whole.holds(self)

    @property
    def parents(self) -> tuple[str, ...]:
        """Names of the other strata that hold everybody of this one."""
        if not self.country and not self.sex:
            return ()
        return (TOTAL, self.country, self.sex) if self.is_leaf else (TOTAL,)


@lru_cache(maxsize=4096)
def parse(name: str) -> Stratum:
    """The stratum of a name; whether it is one that may be is what PUBLISHED and LEAF tell."""
    if name == TOTAL:
        return Stratum("", "")
    if name in SEXES:
        return Stratum("", name)
    country, _, sex = name.partition("_")
    return Stratum(country, sex)


def label_problem(label: str) -> str:
    """What is wrong with the country label of a person; empty when nothing is."""
    if re.fullmatch(LABEL, label):
        return ""
    if label in ("XX", "XY"):
        return "is a sex karyotype to whoever reads allele frequencies"
    return "is not two capital letters"
