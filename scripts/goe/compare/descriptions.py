"""What two releases say of themselves, value by value: people, strata, settings, versions, code, and the rest."""

from collections.abc import Iterator, Mapping
from typing import Any

from goe.check.again import leaves
from goe.compare.differences import Differences, Example
from goe.compare.release import Release

# Compared elsewhere, or asked to be the same.
_ELSEWHERE = {"dataset": ("build", "contigs", "made_with", "code_sha256", "strata")}
ENVIRONMENTS = ("envs/", "requirements.lock")


def compare(a: Release, b: Release) -> Differences:
    """Everything but alleles and files."""
    found = Differences()
    _one_by_one(found, "contigs", _there(a.contigs), _there(b.contigs))
    _one_by_one(found, "strata", _there(a.people), _there(b.people))
    _one_by_one(found, "versions", a.versions, b.versions)
    for stratum in a.people.keys() & b.people.keys():
        if a.people[stratum] != b.people[stratum]:
            found.one("people", Example("people", a.people[stratum], b.people[stratum], stratum=stratum))
    _code(found, a, b)
    for name in a.said:
        for place, one, two in _places(a.said[name], b.said[name], _ELSEWHERE.get(name, ())):
            found.one(_kind(name, place), Example(_name(name, place), one, two))
    return found


def _there(names: Mapping[str, Any]) -> dict[str, str]:
    return dict.fromkeys(names, "there")


def _one_by_one(found: Differences, kind: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> None:
    """Names with another value, or in one alone, in the order of a and then b."""
    for name in {**a, **b}:
        if a.get(name) != b.get(name):
            found.one(kind, Example(name, a.get(name), b.get(name)))


def _code(found: Differences, a: Release, b: Release) -> None:
    digests = [release.said["dataset"]["code_sha256"] for release in (a, b)]
    if digests[0] == digests[1]:
        return
    if not (a.code and b.code):
        found.one("code", Example("code_sha256", *digests))
        return
    for kind, wanted in (("environments", True), ("code", False)):
        parts = [
            {path: value for path, value in release.code.items() if path.startswith(ENVIRONMENTS) is wanted}
            for release in (a, b)
        ]
        _one_by_one(found, kind, *parts)


def _places(a: Mapping, b: Mapping, elsewhere: tuple[str, ...]) -> Iterator[tuple[str, Any, Any]]:
    one, two = ({key: value for key, value in document.items() if key not in elsewhere} for document in (a, b))
    return ((place, x, y) for place, x, y in leaves(one, two) if x != y)


def _kind(name: str, place: str) -> str:
    """The kind of a value. name: of the description; place: keys with dots between."""
    first = place.split(".")[0].split("[")[0]
    if name == "config" or (name, first) == ("qc", "sample_qc"):
        return "settings"
    if name == "dataset" and first in ("pseudo_autosomal_regions", "strata_label", "formats"):
        return "settings"
    if (name, first) == ("qc", "people") or place == "number_of_people":
        return "people"
    return "descriptions"


def _name(name: str, place: str) -> str:
    return place if name == "config" else f"{name}: {place}"
