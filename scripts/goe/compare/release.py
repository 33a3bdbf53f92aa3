"""A release folder opened to be compared: whole by its manifest, with what it says of itself.

It may be of another version of goe, so its descriptions are taken as they are, as long as they say what is asked here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goe.check import tree
from goe.check.folder import DATASET, DESCRIPTIONS, read_json
from goe.compare.files import Side
from goe.core import code_digest, manifest
from goe.core.errors import GoeError, Problem, short, stop_on
from goe.release.metadata import ro_crate
from goe.rules.dataset import DatasetId

_AGAIN = "get the release again"


@dataclass(frozen=True)
class Release:
    """said: name of a description (`DESCRIPTIONS`) -> its content. crate: ro-crate-metadata.json. code: path -> SHA-256
    of the files of the code, empty where the release does not list them."""

    root: Path
    side: Side
    said: dict[str, dict]
    crate: dict
    code: dict[str, str]

    @property
    def id(self) -> str:
        return self.said["dataset"]["id"]

    @property
    def contigs(self) -> dict[str, tuple[int, str]]:
        """Contig -> length, MD5."""
        return {contig["name"]: (contig["length"], contig["md5"]) for contig in self.said["dataset"]["contigs"]}

    @property
    def people(self) -> dict[str, int]:
        """Published stratum -> people."""
        return self.said["dataset"]["strata"]

    @property
    def versions(self) -> dict[str, str]:
        """Tool or package -> version, goe and Snakemake among them."""
        tools = {
            str(entity["name"]): str(entity.get("softwareVersion", entity.get("version", "")))
            for entity in self.crate.get("@graph", ())
            if entity.get("@type") in ("SoftwareApplication", "ComputerLanguage") and "name" in entity
        }
        return {"goe": self.said["dataset"]["made_with"].removeprefix("goe "), **tools}

    @property
    def about(self) -> dict[str, Any]:
        """What a report says of it."""
        dataset = self.said["dataset"]
        return {key: dataset[key] for key in ("id", "build", "made_with", "code_sha256")} | {
            "manifest_sha256": manifest.digest(self.root / manifest.NAME),
        }


def read(folder: str | Path) -> Release:
    """A release folder; GoeError with everything that keeps it from being compared."""
    root = Path(folder)
    if not root.is_dir():
        raise GoeError(Problem(str(root), "is no folder", "give the folder of a release"))
    stop_on(tree.faults(root))
    stop_on(manifest.verify(root))
    digests = manifest.listed(root / manifest.NAME)
    lacking = [path for path in (*DESCRIPTIONS.values(), ro_crate.NAME) if path not in digests]
    stop_on(
        [
            Problem(str(root / path), "is missing: this is no release", "give the folder of a release")
            for path in lacking
        ]
    )
    documents = {name: read_json(root / path) for name, path in DESCRIPTIONS.items()}
    try:
        release = Release(
            root,
            Side.of(root, documents["dataset"]["id"], digests),
            documents,
            read_json(root / ro_crate.NAME),
            _code(root),
        )
        if DatasetId.parse(release.id) is None:
            raise ValueError(f"id {release.id}")
        release.about, release.contigs, release.versions, dict(release.people)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"is not what it should be: {short(repr(error))}"
        raise GoeError(Problem(str(root / DATASET), what, _AGAIN)) from None
    return release


def _code(root: Path) -> dict[str, str]:
    path = root / code_digest.RELEASED
    return manifest.listed(path) if path.is_file() else {}


def comparable(a: Release, b: Release) -> list[Problem]:
    """Why the numbers of two releases cannot be set side by side: another build, or other sequences."""
    mend = "compare releases of one reference"
    if a.said["dataset"]["build"] != b.said["dataset"]["build"]:
        builds = [release.said["dataset"]["build"] for release in (a, b)]
        return [Problem(str(b.root), f"its build is {builds[1]}, that of the other is {builds[0]}", mend)]
    common = [name for name in a.contigs if name in b.contigs]
    if not common:
        return [Problem(str(b.root), "has no contig of the other", mend)]
    return [
        Problem(str(b.root), f"{name} has {_sequence(b, name)}, in the other {_sequence(a, name)}", mend)
        for name in common
        if a.contigs[name] != b.contigs[name]
    ]


def _sequence(release: Release, contig: str) -> str:
    length, md5 = release.contigs[contig]
    return f"{length} bases, MD5 {md5}"
