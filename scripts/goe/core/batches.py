"""Stable groups of people, so that one person more or less leaves the other groups as they are."""

import hashlib
from collections.abc import Iterable


def make(ids: Iterable[str], size: int) -> dict[str, list[str]]:
    """Groups of about `size` people, by a hash of the id.

    The number of groups is a power of two, so it changes only when the cohort doubles. Empty groups are left out;
    ids are sorted within a group.
    """
    ids = sorted(ids)
    count = 1
    while count * size < len(ids):
        count *= 2
    groups: dict[str, list[str]] = {}
    for name in ids:
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % count
        groups.setdefault(f"b{number:04d}", []).append(name)
    return dict(sorted(groups.items()))


def digest(lines: Iterable[str]) -> str:
    """SHA-256 (hex) of the sorted lines; tells whether a part of a sheet has changed."""
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
