"""FORMAT fields that the genotype filter asks for, and those that can stand for them (C1.1, C1.7)."""

from collections.abc import Collection

TESTED = ("GQ", "DP", "AD")
MAX_GQ = 99
"""Cap of a quality from likelihoods, as callers cap GQ."""


def absent(declared: Collection[str], gvcf: bool) -> list[str]:
    """Those of TESTED that a file which declares these FORMAT fields has in no form. gvcf: whether it is one,
    where blocks may have GQX alone."""
    fields = set(declared)
    known = {
        "GQ": bool(fields & ({"GQ", "PL", "LPL", "GQX"} if gvcf else {"GQ", "PL", "LPL"})),
        "DP": "DP" in fields,
        "AD": "AD" in fields or {"LAA", "LAD"} <= fields,
    }
    return [name for name in TESTED if not known[name]]
