"""Stable groups of people, so that one person more or less leaves the other groups as they are."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence


def count(people: int, size: int) -> int:
    """The smallest power of two of groups of at most `size` people, if all were alike."""
    parts = 1
    while parts * size < people:
        parts *= 2
    return parts


def make(ids: Iterable[str], size: int) -> dict[str, list[str]]:
    """Groups of about `size` people, by a hash of the id.

    The number of groups is a power of two, so it changes only when the cohort doubles. Empty groups are left out;
    ids are sorted within a group.
    """
    ids = sorted(ids)
    parts = count(len(ids), size)
    groups: dict[str, list[str]] = {}
    for name in ids:
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % parts
        groups.setdefault(f"b{number:04d}", []).append(name)
    return dict(sorted(groups.items()))


def split(groups: Mapping[str, Sequence[str]], parts: int) -> dict[str, list[str]]:
    """Each group cut into as many as `parts` (a power of two) by the same hash, as `<group>.<number>`; ids sorted."""
    found: dict[str, list[str]] = {}
    for group, ids in groups.items():
        for name in ids:
            number = int.from_bytes(hashlib.sha256(name.encode()).digest()[8:16], "big") % parts
            found.setdefault(f"{group}.{number:02d}", []).append(name)
    return dict(sorted(found.items()))


def digest(lines: Iterable[str]) -> str:
    """SHA-256 (hex) of the sorted lines; tells whether a part of a sheet has changed."""
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
