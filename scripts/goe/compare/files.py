"""The files of two releases, each by its class: same bytes, the same content in other bytes, or different.

Exact are tables and counts: rows and values have to be the same, whatever wrote the Parquet. Canonical are texts, JSON
and VCF: what tells who made them (versions, digests and sizes of files, digest of the code, lines `##source`) is taken
out before, since it is a kind of difference of its own. An encrypted file differs each time and is not compared, nor is
the index of a file that has other bytes.
"""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from isal import igzip

from goe.check import pages
from goe.check.again import leaves
from goe.check.readback import equal
from goe.core import tar
from goe.core.errors import GoeError, Problem, short
from goe.release import bounds, layout
from goe.release.metadata import ro_crate
from goe.release.reading import batches, mapped, parsed, reading

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
    # Begins where such characters begin and gives none back, so that a long line of digits is gone over once.
    (re.compile("(?<![\\d.])[\\d.]++\u202f[kMGT]?B".encode()), b"#"),
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
    if re.fullmatch(r"provenance/(Snakefile|workflow/.*|.*\.sha256|sbom\.cdx\.json)", name):
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
            return same_rows(_parquet(one, one), _parquet(two, two))
        if name.endswith(".tar"):
            return _tar(one, two, (a.id, b.id))
        if name.endswith(".gz"):
            return _compressed(one, two, (a.id, b.id))
        if name.endswith(".json") and name != ro_crate.NAME:
            return _json(_Named(one, one.read_bytes()), _Named(two, two.read_bytes()), (a.id, b.id), _JSON_MADE)
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


@dataclass(frozen=True)
class _Named:
    """Bytes, and what they are told by."""

    where: str | Path
    content: bytes

    def json(self, dataset: str) -> Any:
        return parsed(_renamed(dataset)(self.content).decode("utf-8"), str(self.where))


def _json(a: _Named, b: _Named, ids: Ids, made: frozenset[str]) -> str:
    """The first place at which two JSON texts differ. made: keys that say who made it."""
    return _leaf(_without(a.json(ids[0]), made), _without(b.json(ids[1]), made))


def _leaf(a: object, b: object) -> str:
    told = (
        f"{place}: {short(str(one), _SHOWN)} | {short(str(two), _SHOWN)}"
        for place, one, two in leaves(a, b)
        if one != two
    )
    return short(next(told, ""), 4 * _SHOWN)


def _without(value: Any, keys: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(inner, keys) for key, inner in value.items() if key not in keys}
    return [_without(inner, keys) for inner in value] if isinstance(value, list) else value


def _compressed(a: Path, b: Path, ids: Ids) -> str:
    """The first line at which compressed texts differ; `##source` of a VCF is left out, and not counted."""
    with igzip.open(a, "rb") as one, igzip.open(b, "rb") as two:
        left, right = (io.BufferedReader(_Lines(file, where), _CHUNK) for file, where in ((one, a), (two, b)))
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


class _Lines(io.RawIOBase):
    """A text that is given on as it is read, as long as its lines end: whoever takes it by lines holds one of some
    `bounds.LINE` at most. GoeError when one does not."""

    def __init__(self, file: io.IOBase, where: Path):
        self.file, self.where, self.since = file, where, 0

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        n: int = self.file.readinto(room)  # type: ignore[attr-defined]
        end = bytes(room[:n]).rfind(b"\n")
        self.since = self.since + n if end < 0 else n - end - 1
        if self.since > bounds.LINE:
            what = f"has a line of more than {bounds.LINE:,} bytes"
            raise GoeError(Problem(str(self.where), what, "get the release again"))
        return n


def _head(file: "io.BufferedReader[Any]") -> tuple[list[bytes], list[bytes]]:
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
    contents = [mapped(path) for path in (a, b)]
    entries = [
        tar.members(memoryview(content), str(path), bounds.ENTRIES)
        for content, path in zip(contents, (a, b), strict=True)
    ]
    for x, y in zip_longest(*entries):
        names = [_MEMBER.sub("#", entry.name) if entry else "-" for entry in (x, y)]
        if names[0] != names[1]:
            return f"members: {names[0]} | {names[1]}"
        parts = [content.slice(one.content, one.size) for content, one in zip(contents, (x, y), strict=True)]
        wheres = [f"{path}/{one.name}" for path, one in ((a, x), (b, y))]
        if found := _member(names[0], parts, wheres, ids):
            return f"{names[0]}: {found}"
    return ""


def _member(name: str, parts: Sequence[pa.Buffer], wheres: Sequence[str], ids: Ids) -> str:
    if name.endswith(".parquet"):
        return same_rows(*map(_parquet, parts, wheres))
    for part, where in zip(parts, wheres, strict=True):
        if part.size > bounds.TEXT_FILE:
            what = f"has {part.size:,} bytes: a text has at most {bounds.TEXT_FILE:,}"
            raise GoeError(Problem(where, what, "get the release again"))
    a, b = (_Named(where, part.to_pybytes()) for part, where in zip(parts, wheres, strict=True))
    return _json(a, b, ids, _TAR_MADE) if name.endswith(".json") else _text(a.content, b.content, ids)


@dataclass(frozen=True)
class _Parquet:
    """A Parquet file whose pages were looked at. source: where it is, not mapped, since what was read of it would count
    as memory; or its bytes in a TAR. schema: with its metadata."""

    source: Path | pa.Buffer
    where: str
    schema: pa.Schema
    rows: int

    def batches(self) -> Iterator[pa.Table]:
        text = [field.name for field in self.schema if pa.types.is_string(field.type)]
        source = pa.BufferReader(self.source) if isinstance(self.source, pa.Buffer) else self.source
        return batches(source, self.where, text, _ROWS, None)


def _parquet(source: Path | pa.Buffer, where: str | Path) -> _Parquet:
    """GoeError when it is none that a release could have."""
    about = pages.check(source, str(where), bounds.COLUMNS, bounds.ALLELES * bounds.STRATA)
    with reading(where):
        schema = about.schema.to_arrow_schema()
    for field in schema:
        if not (pa.types.is_string(field.type) or pa.types.is_primitive(field.type)):
            what = f"column {field.name} is {field.type}, which no table of a release has"
            raise GoeError(Problem(str(where), what, "get the release again"))
    return _Parquet(source, str(where), schema.with_metadata(about.metadata), about.num_rows)


def same_rows(a: _Parquet, b: _Parquet) -> str:
    """The first row and column in which two Parquet files differ, or what else does; empty when nothing does."""
    if not a.schema.equals(b.schema):
        return f"columns: {', '.join(a.schema.names)} | {', '.join(b.schema.names)}"
    if found := _leaf(_about(a), _about(b)):
        return f"metadata {found}"
    if a.rows != b.rows:
        return f"rows: {a.rows} | {b.rows}"
    row, held = 0, [a.schema.empty_table()] * 2
    sources = [a.batches(), b.batches()]
    while row < a.rows:
        for i, source in enumerate(sources):
            if not held[i].num_rows:
                held[i] = next(source)
        n = min(table.num_rows for table in held)
        left, right = (table.slice(0, n) for table in held)
        if not left.equals(right):
            return _first_row(left, right, row)
        held, row = [table.slice(n) for table in held], row + n
    return ""


def _about(file: _Parquet) -> Any:
    """What a table of goe says of itself, without dataset and words of description; empty for any other."""
    try:
        about = parsed((file.schema.metadata or {})[b"goe"].decode("utf-8"), file.where)
    except (KeyError, UnicodeDecodeError):
        return {}
    return _without(about, frozenset({"dataset", "description"}))


def _first_row(a: pa.Table, b: pa.Table, before: int) -> str:
    """Where two pieces differ. before: rows of the file that come before them."""
    apart = {name: ~equal(a[name], b[name]) for name in a.column_names if not a[name].equals(b[name])}
    row, name = min((int(np.argmax(rows)), name) for name, rows in apart.items())
    place = ":".join(str(a[key][row]) for key in _PLACE if key in a.column_names)
    values = " | ".join(short(str(table[name][row]), _SHOWN) for table in (a, b))
    return f"row {before + row + 1}{f' ({short(place)})' if place else ''}: {name} {values}"
