"""The files of two releases, each by its class: same bytes, the same content in other bytes, or different.

Exact are tables and counts: rows and values have to be the same, whatever wrote the Parquet. Canonical are texts, JSON
and VCF: what tells who made them (versions, digests and sizes of files, digest of the code, lines `##source`) is taken
out before, since it is a kind of difference of its own. An encrypted file differs each time and is not compared, nor is
the index of a file that has other bytes.
"""

import io
import json
import re
import tarfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from isal import igzip

from goe.check.again import leaves
from goe.check.readback import equal
from goe.core.errors import GoeError, Problem
from goe.release import layout
from goe.release.metadata import ro_crate
from goe.release.reading import reading

SAME, CONTENT, DIFFERENT, NOT_COMPARED = "same bytes", "same content", "different", "not compared"
ONLY_A, ONLY_B = "only in A", "only in B"
EXACT, CANONICAL, CODE, NEITHER = "exact", "canonical", "code", "not compared"
_CHUNK = 1 << 20
_ROWS = 1 << 15
_SHOWN = 200
# What tells who made a text, or follows from the bytes of other files.
_MADE = (
    (re.compile(rb"\bgoe \d+\.\d+[\w.+-]*"), b"goe #"),
    (re.compile(rb"\b[0-9a-f]{64}\b"), b"#"),
    (re.compile(rb"sha256-[A-Za-z0-9+/]{43}="), b"#"),
    (re.compile(rb'(<code title="#">)[0-9a-f]+'), rb"\1#"),
    (re.compile("[\\d.]+\u202f[kMGT]?B".encode()), b"#"),
    (re.compile(rb'("contentSize"|"(?:software)?[vV]ersion"): "[^"]*"'), rb"\1: #"),
    (re.compile(rb'(byteSize(?:": \[\s*\{\s*"@value":)?) "\d+"'), rb"\1 #"),
)
# Of a line for a Beacon: the SHA-256 of the allele's name, which begins with the dataset id.
_KEY = re.compile(rb'"_id":"[0-9a-f]{64}"')
_JSON_MADE = frozenset({"made_with", "code_sha256"})
# Of the manifest of a GDI package, for the sites VCF and the tool.
_TAR_MADE = frozenset({"sha256", "size", "version"})
_MEMBER = re.compile(r"\b[0-9a-f]{16}\b")
_PLACE = ("contig", "pos", "ref", "alt", "stratum")

Ids: TypeAlias = tuple[str, str]
"""Dataset ids of the two releases."""


@dataclass(frozen=True)
class Verdict:
    """What came of a file. path: with {id} for the dataset. first: the first difference, where there is one."""

    path: str
    kind: str
    verdict: str
    first: str = ""


@dataclass(frozen=True)
class Side:
    """A release folder. files: path with {id} for the dataset id -> path, SHA-256."""

    root: Path
    id: str
    files: dict[str, tuple[str, str]]

    def path(self, name: str) -> Path:
        return self.root / self.files[name][0]

    @classmethod
    def of(cls, root: Path, dataset: str, digests: Mapping[str, str]) -> "Side":
        """digests: of the manifest."""
        return cls(root, dataset, {path.replace(dataset, "{id}"): (path, value) for path, value in digests.items()})


def kind_of(name: str) -> str:
    """The class by which a file is compared."""
    if name.endswith(layout.ENCRYPTED) or name.endswith((".tbi", ".csi")):
        return NEITHER
    if re.fullmatch(r"provenance/(Snakefile|workflow/.*|.*\.sha256)", name):
        return CODE
    return EXACT if name.endswith(".parquet") else CANONICAL


def names(a: Side, b: Side) -> list[str]:
    """Files of either, sorted. No manifest lists itself."""
    return sorted({*a.files, *b.files})


def verdict(a: Side, b: Side, name: str) -> Verdict:
    """What comes of a file. Parquet is compared row by row and value by value; GoeError when it cannot be read."""
    kind = kind_of(name)
    if name not in b.files or name not in a.files:
        return Verdict(name, kind, ONLY_A if name in a.files else ONLY_B)
    if a.files[name][1] == b.files[name][1]:
        return Verdict(name, kind, SAME)
    if kind == NEITHER:
        return Verdict(name, kind, NOT_COMPARED)
    first = _difference(name, a, b)
    return Verdict(name, kind, DIFFERENT if first else CONTENT, first)


def _difference(name: str, a: Side, b: Side) -> str:
    """The first difference of two files of a name, empty when there is none."""
    one, two = a.path(name), b.path(name)
    with reading(one), reading(two):
        if name.endswith(".parquet"):
            return same_rows(one, two)
        if name.endswith(".tar"):
            return _tar(one, two, (a.id, b.id))
        if name.endswith(".gz"):
            return _compressed(one, two, (a.id, b.id))
        if name.endswith(".json") and name != ro_crate.NAME:
            return _json(one.read_bytes(), two.read_bytes(), (a.id, b.id), _JSON_MADE)
        texts = one.read_bytes(), two.read_bytes()
    if kind_of(name) == CODE:
        return _lines(texts[0].splitlines(), texts[1].splitlines())
    return _text(*texts, (a.id, b.id))


def _text(a: bytes, b: bytes, ids: Ids) -> str:
    """The first line in which two texts differ, but for what tells who made them."""
    return _lines(_canonical(a, ids[0]).splitlines(), _canonical(b, ids[1]).splitlines())


def _canonical(text: bytes, dataset: str) -> bytes:
    for pattern, instead in _MADE:
        text = pattern.sub(instead, text)
    return _renamed(dataset)(text)


def _renamed(dataset: str) -> Callable[[bytes], bytes]:
    name = dataset.encode()
    return lambda text: _KEY.sub(b'"_id":""', text.replace(name, b"{id}"))


def _lines(a: Iterable[bytes], b: Iterable[bytes], start: int = 1) -> str:
    for number, (one, two) in enumerate(zip_longest(a, b), start):
        if one != two:
            return f"line {number}: {_told(one)} | {_told(two)}"
    return ""


def _told(line: bytes | None) -> str:
    if line is None:
        return "-"
    text = line[:_SHOWN].decode("utf-8", "backslashreplace").rstrip("\n")
    return text + ("..." if len(line) > _SHOWN else "")


def _json(a: bytes, b: bytes, ids: Ids, made: frozenset[str]) -> str:
    """The first place at which two JSON texts differ. made: keys that say who made it."""
    try:
        one, two = json.loads(_renamed(ids[0])(a)), json.loads(_renamed(ids[1])(b))
    except ValueError as error:
        raise GoeError(Problem("JSON of a release", f"cannot be read: {error}", "get the release again")) from None
    return _leaf(_without(one, made), _without(two, made))


def _leaf(a: object, b: object) -> str:
    return next((f"{place}: {one} | {two}" for place, one, two in leaves(a, b) if one != two), "")


def _without(value: Any, keys: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(inner, keys) for key, inner in value.items() if key not in keys}
    return [_without(inner, keys) for inner in value] if isinstance(value, list) else value


def _compressed(a: Path, b: Path, ids: Ids) -> str:
    """The first line at which compressed texts differ; `##source` of a VCF is left out, and not counted."""
    with igzip.open(a, "rb") as one, igzip.open(b, "rb") as two:
        left, right = (io.BufferedReader(file, _CHUNK) for file in (one, two))
        (head, first), (other_head, other_first) = _head(left), _head(right)
        rename, other_rename = map(_renamed, ids)
        if found := _lines(map(rename, head), map(other_rename, other_head)):
            return found
        number = len(head) + 1
        if ids[0] != ids[1]:
            bodies = map(rename, chain(first, left)), map(other_rename, chain(other_first, right))
            return _lines(*bodies, start=number)
        # The same, many lines at a time.
        while first == other_first:
            number += len(first)
            first, other_first = left.readlines(_CHUNK), right.readlines(_CHUNK)
            if not (first or other_first):
                return ""
        return _lines(first, other_first, number)


def _head(file: io.BufferedReader) -> tuple[list[bytes], list[bytes]]:
    """Lines of a header that do not say who made the file, and the line after it."""
    kept: list[bytes] = []
    for line in file:
        if not line.startswith(b"#"):
            return kept, [line]
        if not line.startswith(b"##source="):
            kept.append(line)
    return kept, []


def _tar(a: Path, b: Path, ids: Ids) -> str:
    """The first member of two TARs that differs. They are paired in their order, since a name holds the digest of
    another file."""
    with tarfile.open(a, "r:") as one, tarfile.open(b, "r:") as two:
        for x, y in zip_longest(one, two):
            names = [_MEMBER.sub("#", entry.name) if entry else "-" for entry in (x, y)]
            files = [archive.extractfile(entry) if entry else None for archive, entry in ((one, x), (two, y))]
            left, right = files
            if names[0] != names[1] or left is None or right is None:
                return f"members: {names[0]} | {names[1]}"
            if found := _member(names[0], left, right, ids):
                return f"{names[0]}: {found}"
    return ""


def _member(name: str, a: IO[bytes], b: IO[bytes], ids: Ids) -> str:
    if name.endswith(".parquet"):
        return same_rows(a, b)
    if name.endswith(".json"):
        return _json(a.read(), b.read(), ids, _TAR_MADE)
    return _text(a.read(), b.read(), ids)


def same_rows(a: Path | IO[bytes], b: Path | IO[bytes]) -> str:
    """The first row and column in which two Parquet files differ, or what else does; empty when nothing does."""
    with pq.ParquetFile(a, pre_buffer=False) as one, pq.ParquetFile(b, pre_buffer=False) as two:
        if not one.schema_arrow.equals(two.schema_arrow):
            return f"columns: {', '.join(one.schema_arrow.names)} | {', '.join(two.schema_arrow.names)}"
        if found := _leaf(_about(one), _about(two)):
            return f"metadata {found}"
        if one.metadata.num_rows != two.metadata.num_rows:
            return f"rows: {one.metadata.num_rows} | {two.metadata.num_rows}"
        row, held = 0, [one.schema_arrow.empty_table()] * 2
        sources = [file.iter_batches(_ROWS) for file in (one, two)]
        while row < one.metadata.num_rows:
            for i, source in enumerate(sources):
                if not held[i].num_rows:
                    held[i] = pa.table(next(source))
            n = min(table.num_rows for table in held)
            left, right = (table.slice(0, n) for table in held)
            if not left.equals(right):
                return _first_row(left, right, row)
            held, row = [table.slice(n) for table in held], row + n
    return ""


def _about(file: pq.ParquetFile) -> Any:
    """What a table of goe says of itself, without dataset and words of description; empty for any other."""
    try:
        return _without(json.loads((file.schema_arrow.metadata or {})[b"goe"]), frozenset({"dataset", "description"}))
    except (KeyError, ValueError):
        return {}


def _first_row(a: pa.Table, b: pa.Table, before: int) -> str:
    """Where two pieces differ. before: rows of the file that come before them."""
    apart = {name: ~equal(a[name], b[name]) for name in a.column_names if not a[name].equals(b[name])}
    row, name = min((int(np.argmax(rows)), name) for name, rows in apart.items())
    place = ":".join(str(a[key][row]) for key in _PLACE if key in a.column_names)
    return f"row {before + row + 1}{f' ({place})' if place else ''}: {name} {a[name][row]} | {b[name][row]}"
