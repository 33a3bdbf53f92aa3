"""What it means that a release does not list an allele, in numbers and in words.

It was carried by nobody only where the release publishes everything. Under a floor it may also have been carried by 1
to k-1 people, or by all but 1 to k-1; where more than that can have been withheld, its absence says nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from goe.disclosure.outcomes import BELOW_FLOOR, NO_CARRIER, PLOIDY, REASONS, TOGETHER, TOO_NARROW
from goe.genome.build import REGION_X, Build, class_breaks, contig_class

ZERO, FLOOR, UNKNOWN = "zero", "floor", "unknown"
"""What it means that an allele is not listed: nobody carries it; few or nearly all may; nothing."""

# Why an allele is withheld under a floor: nobody carries it; Total has 1 to k-1 carriers or others; Total would tell
# its two parts, which is so for k carriers or others too (goe.disclosure.search, `_alone`) and, where hardly anybody of
# a part is called, for any number; ploidies that no region explains, which X and Y alone have; what it would tell with
# other alleles that cover a base of it, whatever its carriers are, of which one is listed. Where none is (the reason
# behind that one), nobody sees where it was, and silence says nothing anywhere.
_NOBODY, _SMALL, _TELLS, _ODD, _TOGETHER = (REASONS[i] for i in (NO_CARRIER, BELOW_FLOOR, TOO_NARROW, PLOIDY, TOGETHER))

UNHEARD = (
    "not listed, and that says nothing: nobody in this release came as gVCF or reads, and joint and single VCFs say "
    "nothing between their rows"
)
_MORE = "more than the floor can be withheld"
_SEXES = f"on X and Y {_MORE}"
_TOTAL = "Total may have been withheld since it would tell its parts"
_OVERLAP = "an allele is listed that overlaps it, and both together may have told too much"


@dataclass(frozen=True)
class Silence:
    """What it means that an allele is not listed.

    means: ZERO, FLOOR or UNKNOWN. k: people of the floor, 1 for none. few: under a floor, carriers at most, or as many
    others; where it is k, only at positions at which more than k people of each part are called. sexes: whether that
    holds on X and Y too. beside: whether it holds where the dataset lists another allele that overlaps.
    """

    means: str
    k: int = 1
    few: int = 0
    sexes: bool = True
    beside: bool = True

    @property
    def not_callable(self) -> str:
        """Of an allele where callable AN of Total is 0."""
        who = "nobody" if self.k <= 1 else "nobody, or of each group fewer than may be told,"
        return f"not listed: outside of the callable genome, {who} is called there"

    def callable(self, an: str, unbounded: str = "") -> str:
        """Of one where it is not. an: callable AN of Total, in words; unbounded: what `unbounded` says there."""
        if self.means == ZERO:
            return f"not listed, and callable: nobody carries it, AC 0 of AN {an}"
        if self.means == UNKNOWN or unbounded:
            return f"callable, and not listed: {unbounded or _MORE}, so that says nothing"
        return (
            f"callable, and not listed: nobody carries it, or it is withheld, and then 1 to {self.few} people carry it "
            f"or all but 1 to {self.few} of those who are called (AN {an})"
        )

    def unbounded(self, odd: bool, overlapped: bool) -> str:
        """Why more may have been withheld at a place than the floor says, empty where no more (docs/collect.md).

        odd: whether it lies in one of `odd_places`; overlapped: whether an allele is listed that overlaps it.
        """
        if self.means != FLOOR:
            return ""
        if odd:
            return _SEXES
        if self.few >= self.k:
            return _TOTAL
        return _OVERLAP if overlapped and not self.beside else ""

    def odd_places(self, build: Build, contig: str) -> list[tuple[int, int]]:
        """Stretches of a contig, 1-based, inclusive, on which more may have been withheld than the floor says."""
        sex = contig_class(contig) in ("X", "Y")
        breaks = class_breaks(build, contig) if self.means == FLOOR else []
        return [(start, end) for start, end, of in breaks if of == REGION_X or (sex and not self.sexes)]


def of(rule: Mapping[str, Any]) -> Silence:
    """What the silence of a release means, by `disclosure/disclosure.json`."""
    k = rule["min_carriers"] or 1
    if rule["policy"] == "open" or k <= 1:
        return Silence(ZERO)
    reasons = set(rule["alleles_withheld_by_reason"])
    if rule["protect"] != "carriers" or reasons - {_NOBODY, _SMALL, _TELLS, _ODD, _TOGETHER}:
        return Silence(UNKNOWN, k)
    return Silence(FLOOR, k, k if _TELLS in reasons else k - 1, _ODD not in reasons, _TOGETHER not in reasons)
