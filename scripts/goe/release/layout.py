"""The files of a release folder as its metadata describe them: size, digest, media type, meaning."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

from goe.core import manifest
from goe.core.errors import Problem, stop_on

ENCRYPTED = ".c4gh"
"""End of the names of Crypt4GH files: their bytes differ from run to run, for the session key is drawn anew."""

# Media types as IANA lists them (www.iana.org/assignments/media-types); the first rule that fits holds.
_MEDIA_TYPES = (
    (r"\.(b?gz|bgzf)$", "application/gzip"),
    (r"\.parquet$", "application/vnd.apache.parquet"),
    (r"\.jsonld$|(^|/)ro-crate-metadata\.json$", "application/ld+json"),
    (r"\.json$", "application/json"),
    (r"\.ya?ml$", "application/yaml"),
    (r"\.ttl$", "text/turtle"),
    (r"\.tsv$", "text/tab-separated-values"),
    (r"\.csv$", "text/csv"),
    (r"\.md$", "text/markdown"),
    (r"\.html$", "text/html"),
    (r"\.svg$", "image/svg+xml"),
    (r"\.png$", "image/png"),
    (r"\.zst$", "application/zstd"),
    (r"\.(txt|bed|vcf|smk|py|sha256|jsonl)$|(^|/)[A-Za-z]+$", "text/plain"),
)
_UNKNOWN = "application/octet-stream"

_MEANINGS = (
    (r"sites/[^/]*\.pass\.vcf\.gz$", "site alleles that passed every filter, VCF"),
    (r"sites/[^/]*\.all\.vcf\.gz$", "site alleles, filtered ones with their reasons, VCF"),
    (r".*\.(tbi|csi)$", "index of the file of the same name"),
    (r"frequencies/", "allele frequencies, Parquet"),
    (r"callable_an/", "allele numbers of callable positions"),
    (r"gdi/.*\.c4gh$", "dataset package for a node of the Genomic Data Infrastructure, encrypted for it"),
    (r"gdi/", "dataset package for a node of the Genomic Data Infrastructure"),
    (r"beacon/populations\.json$", "populations and their INFO tags, for Beacon tools"),
    (r"beacon/", "genomic variations for a Beacon v2"),
    (r"mini[-_]node/", "site alleles for the GDI mini-node"),
    (r"annotations/", "allele counts under the names of gnomAD, for annotation"),
    (r"metadata/", "description of the dataset"),
    (r"dictionary/", "every published field with its type, unit and rule"),
    (r"qc/", "quality control, in aggregate"),
    (r"disclosure/", "disclosure control and its audit"),
    (r"provenance/", "how the release was made"),
    (r"report\.html$", "report, one page"),
    (r"README", "what is in the folder"),
    (r"LICENSE", "licence"),
    (r"CHANGELOG", "changes against earlier releases"),
    (r"ledger\.json$", "account of the site alleles by step"),
)


@dataclass(frozen=True, order=True)
class File:
    """A file of the release.

    path: relative to the release folder, POSIX. size: bytes. sha256: hexadecimal; None for an encrypted file,
    whose bytes no second run repeats (MANIFEST.sha256 has its digest).
    """

    path: str
    size: int
    sha256: str | None

    @property
    def media_type(self) -> str:
        return next((name for rule, name in _MEDIA_TYPES if re.search(rule, self.path)), _UNKNOWN)

    @property
    def title(self) -> str:
        """Path and meaning."""
        meaning = next((text for rule, text in _MEANINGS if re.match(rule, self.path)), "")
        return f"{self.path}: {meaning}" if meaning else self.path

    @property
    def url(self) -> str:
        """The path as a relative URL."""
        return quote(self.path, safe="/")


def describe(folder: str | Path, paths: Iterable[str], digests: Mapping[str, str] | None = None) -> list[File]:
    """The files `paths` (relative to `folder`), sorted by path.

    digests: path -> SHA-256 where it is known already. GoeError that names every path that is no file, is a
    link, is outside the folder or is there twice.
    """
    root, known = Path(folder), digests or {}
    wanted = sorted(paths)
    problems = []
    for before, path in pairwise(["", *wanted]):
        parts = Path(path).parts
        if path == before:
            problems.append(Problem(path, "is listed twice", "list every file once"))
        elif Path(path).is_absolute() or ".." in parts or Path(path).as_posix() != path:
            problems.append(Problem(path, "is no path within the release folder", "give it relative to the folder"))
        elif (root / path).is_symlink() or not (root / path).is_file():
            problems.append(Problem(str(root / path), "is no file", "make it before the metadata"))
    stop_on(problems)
    return [_file(root, path, known) for path in wanted]


def _file(root: Path, path: str, known: Mapping[str, str]) -> File:
    digest = None if path.endswith(ENCRYPTED) else known.get(path) or manifest.digest(root / path)
    return File(path, (root / path).stat().st_size, digest)


def differences(folder: str | Path, said: File, where: str, digests: Mapping[str, str] | None = None) -> list[Problem]:
    """What differs between a file and what the metadata file `where` says of it.

    digests: path -> SHA-256 where it is known already.
    """
    root, mend = Path(folder), "get the release again"
    if Path(said.path).is_absolute() or ".." in Path(said.path).parts:
        return [Problem(where, f"{said.path} is outside the folder", "do not use it")]
    if not (root / said.path).is_file() or (root / said.path).is_symlink():
        return [Problem(where, f"{said.path} is described but not there", mend)]
    there = _file(root, said.path, digests or {})
    problems = []
    if said.size != there.size:
        problems.append(Problem(where, f"{said.path} has {there.size} bytes, not {said.size}", mend))
    if there.sha256 is None and said.sha256 is not None:
        problems.append(Problem(where, f"{said.path} is encrypted and has a digest", "leave it to the manifest"))
    elif there.sha256 is not None and (said.sha256 or "").lower() != there.sha256:
        what = "has another SHA-256" if said.sha256 else "has no SHA-256 in the metadata"
        problems.append(Problem(where, f"{said.path} {what}", mend))
    return problems
