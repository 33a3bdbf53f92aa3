"""What a release says of how it was made, against what the second run is made with."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from goe import __version__
from goe.check.again import leaves
from goe.compare.descriptions import ENVIRONMENTS
from goe.compare.release import Release
from goe.core import code_digest
from goe.intake.inputs import FILE, PERSON, PIECES, Changes

ASKED = {
    "reference": "Reference: build, and MD5 of every contig",
    "settings": "Settings that decide numbers, with the files that they name",
    "people": "Sheet of people",
    "inputs": "Data files",
    "code": "Files of the code",
    "environments": "Environment files and the lock",
    "versions": "Versions of tools and packages that ran",
}
"""What is asked, in the order in which it is told."""
EXTENT = {FILE: "every byte", PIECES: "size and 16 pieces of 64 KiB of each"}
"""How far a record tells of data files."""


@dataclass(frozen=True)
class Cause:
    """One thing that is not as it was. release, here: its values, None where there is none."""

    kind: str
    what: str
    release: Any
    here: Any

    def __str__(self) -> str:
        return f"{self.kind}, {self.what}: {_word(self.release)} | {_word(self.here)}"


def _word(value: Any) -> str:
    return "-" if value is None else str(value)[:100]


@dataclass(frozen=True)
class Provenance:
    """The differences; what could not be asked: kind -> why; and of what was asked how much: kind -> words."""

    causes: tuple[Cause, ...]
    not_asked: Mapping[str, str] = field(default_factory=dict)
    extent: Mapping[str, str] = field(default_factory=dict)

    def of(self, kind: str) -> list[Cause]:
        return [cause for cause in self.causes if cause.kind == kind]

    def as_dict(self) -> dict[str, Any]:
        return {"causes": [asdict(cause) for cause in self.causes], "not_asked": dict(self.not_asked)} | {
            "extent": dict(self.extent)
        }

    @classmethod
    def of_dict(cls, document: Mapping[str, Any]) -> "Provenance":
        return cls(tuple(Cause(**cause) for cause in document["causes"]), document["not_asked"], document["extent"])


@dataclass(frozen=True)
class Repeat:
    """What the second run is made with.

    build, contigs: of the reference, contig -> (length, MD5). settings: as provenance/config.json has them. versions:
    tool or package -> version. code: path -> SHA-256. changes: of people and data files against the record of the
    inputs (`goe.intake.inputs.compare`), None where none was given.
    """

    build: str
    contigs: Mapping[str, tuple[int, str]]
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    code: Mapping[str, str]
    changes: Mapping[str, Changes] | None


def compare(release: Release, repeat: Repeat) -> Provenance:
    """Everything that is not as the release says it was."""
    causes = []
    build = release.said["dataset"]["build"]
    if build != repeat.build:
        causes.append(Cause("reference", "build", build, repeat.build))
    causes += _values("reference", {name: list(v) for name, v in release.contigs.items()}, _listed(repeat.contigs))
    for place, one, two in leaves(release.said["config"], repeat.settings):
        if one != two:
            causes.append(Cause("settings", place, one, two))
    not_asked, extent = {}, {}
    if repeat.changes is None:
        why = "no record of the inputs was given (audit_record)"
        not_asked = {"people": why, "inputs": why}
    else:
        causes += _changes("people", repeat.changes[PERSON])
        found = [what for what in (FILE, PIECES) if what in repeat.changes]
        if not found:
            not_asked["inputs"] = "the record was made with another inputs_record than this run has"
        for what in found:
            extent["inputs"] = EXTENT[what]
            causes += _changes("inputs", repeat.changes[what])
    causes += _code(release, repeat.code)
    causes += _values("versions", release.versions, {"goe": __version__, **repeat.versions})
    return Provenance(tuple(causes), not_asked, extent)


def _listed(contigs: Mapping[str, tuple[int, str]]) -> dict[str, list]:
    return {name: list(value) for name, value in contigs.items()}


def _values(kind: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterable[Cause]:
    return [Cause(kind, name, a.get(name), b.get(name)) for name in {**a, **b} if a.get(name) != b.get(name)]


def _changes(kind: str, found: Changes) -> list[Cause]:
    """Rows of the sheets, which tell nobody without them who or what it is."""
    out = [Cause(kind, f"row {row} of the sheet", "as recorded", "changed") for row in sorted(found.changed)]
    out += [Cause(kind, f"row {row} of the sheet", None, "not recorded") for row in sorted(found.new)]
    return out + ([Cause(kind, "no longer there", found.gone, None)] if found.gone else [])


def _code(release: Release, here: Mapping[str, str]) -> list[Cause]:
    if not release.code:
        digests = release.said["dataset"]["code_sha256"], code_digest.digest()
        return [Cause("code", "code_sha256", *digests)] if digests[0] != digests[1] else []
    return [
        Cause("environments" if cause.what.startswith(ENVIRONMENTS) else "code", cause.what, cause.release, cause.here)
        for cause in _values("code", release.code, here)
    ]
