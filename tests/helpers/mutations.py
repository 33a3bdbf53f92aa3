"""Every field of a release changed, one at a time: keys of JSON, cells and columns, INFO and headers, lines of texts.

A mutation has a name, `<file>: <field>`, and a function that makes it in a copy of the release. Who changed the file
makes manifest and metadata again, so that no digest tells; and of a package, the digests of its members.
"""

import gzip
import hashlib
import io
import json
import random
import re
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pysam
from goe.core import manifest, tar
from goe.release.notes import dumps

from helpers import release_folder as rf
from helpers.bombs import block

REMADE = ("provenance/sbom.cdx.json", "metadata/healthdcat.ttl", "metadata/healthdcat.jsonld", "ro-crate-metadata.json")


@dataclass(frozen=True)
class Mutation:
    """make: changes the copy of a release that it is given."""

    file: str
    field: str
    make: Callable[[Path], None]

    @property
    def name(self) -> str:
        return f"{self.file}: {self.field}"

    def __call__(self, root: Path) -> None:
        self.make(root)
        if self.file == manifest.NAME:
            return
        if self.file in REMADE:
            rf.sign(root)
            return
        try:
            rf.remake(root)
        except Exception:  # a description that nothing can be made of
            rf.sign(root)


def of_release(root: Path) -> list[Mutation]:
    """All of them, in a fixed order."""
    return [one for name in [*manifest.files(root), manifest.NAME] for one in _of_file(root, name)]


def _of_file(root: Path, name: str) -> Iterator[Mutation]:
    path = root / name
    if name.endswith(".json") and name not in REMADE:
        yield from _json(name, json.loads(path.read_text()))
    elif name.endswith(".vcf.gz"):
        yield from _vcf(name, gzip.decompress(path.read_bytes()).decode().splitlines())
    elif name.endswith(".tbi"):
        size = len(gzip.decompress(path.read_bytes()))
        for at in range(0, size, max(1, size // 24)):
            yield Mutation(name, f"byte {at}", partial(_index, name, at))
    elif name.endswith(".jsonl.gz"):
        lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        row = len(lines) // 2
        for steps, _ in _leaves(json.loads(lines[row])):
            yield Mutation(name, f"line {_word(steps)}", partial(_beacon, name, row, steps))
        for word, change in NOTATIONS.items():
            yield Mutation(name, word, partial(_text_line, name, row, change))
    elif name.endswith(".bed.gz"):
        lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        for row in (0, len(lines) // 2):
            for column in range(lines[0].count("\t") + 1):
                yield Mutation(name, f"row {row} column {column}", partial(_bed, name, row, column))
    elif name.endswith(".parquet"):
        table = pq.read_table(path)
        for column in table.column_names:
            yield Mutation(name, f"column {column}", partial(_parquet, name, column))
        for steps, _ in _leaves(json.loads(pq.read_schema(path).metadata[b"goe"])):
            yield Mutation(name, f"metadata {_word(steps)}", partial(_about, name, steps))
        yield Mutation(name, "packing: other pages", partial(_packed, name))
        for column in table.column_names:
            if not pa.types.is_string(table[column].type) and table[column].null_count < table.num_rows:
                yield Mutation(name, f"packing: statistics of {column}", partial(_statistics, name, column))
    elif name.endswith(".tar"):
        yield from _tar(name, path)
    elif path.suffix in (".tsv",):
        for row, line in enumerate(path.read_text().splitlines()):
            for column in range(line.count("\t") + 1):
                yield Mutation(name, f"row {row} column {column}", partial(_cell, name, row, column))
    else:
        yield from _text(name, path.read_text())


# ---- JSON


def _leaves(value: object, steps: tuple = ()) -> Iterator[tuple[tuple, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*steps, key))
    elif isinstance(value, list) and value:
        for i, inner in enumerate(value):
            yield from _leaves(inner, (*steps, i))
    else:
        yield steps, value


def _word(steps: tuple) -> str:
    return ".".join(map(str, steps))


def other(value: object) -> object:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 5
    if isinstance(value, float):
        return value * 0.9375
    if isinstance(value, str):
        digits = re.fullmatch(r"[0-9a-f]{8,}", value)
        return value[:-1] + ("0" if value[-1] != "0" else "1") if digits else f"{value}x"
    return ["x"] if isinstance(value, list) else {"x": 1} if isinstance(value, dict) else 5


def _set(content: object, steps: tuple, gone: bool = False) -> None:
    for step in steps[:-1]:
        content = content[step]  # type: ignore[index]
    if gone:
        del content[steps[-1]]  # type: ignore[attr-defined]
    else:
        content[steps[-1]] = other(content[steps[-1]])  # type: ignore[index]


def _json(name: str, content: object) -> Iterator[Mutation]:
    for steps, _ in _leaves(content):
        for gone in (False, True):
            yield Mutation(name, f"{_word(steps)}{' gone' if gone else ''}", partial(_leaf, name, steps, gone))
    yield Mutation(name, "notation", partial(_replaced, name, lambda text: text.replace("\n ", "\n  ", 1)))


def _leaf(name: str, steps: tuple, gone: bool, root: Path) -> None:
    content = json.loads((root / name).read_text())
    _set(content, steps, gone)
    (root / name).write_text(dumps(content))


# ---- compressed texts

NOTATIONS = {
    "notation: a space": lambda line: line.replace(":", ": ", 1),
    "notation: another form of a number": lambda line: re.sub(r"(\d)([,}\]])", r"\1e0\2", line, count=1),
}


def _gz(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    rf.edit_lines(path, change)


def _vcf(name: str, lines: list[str]) -> Iterator[Mutation]:
    head = [i for i, line in enumerate(lines) if line.startswith("#")]
    for i in head:
        yield Mutation(
            name, f"header {i} {lines[i][:30]}", partial(_vcf_line, name, i, lambda s: s[:-2] + "x" + s[-2:])
        )
    yield Mutation(name, "header: a line gone", partial(_vcf_lines, name, lambda x: [*x[:3], *x[4:]]))
    yield Mutation(name, "a record gone", partial(_vcf_lines, name, lambda x: x[:-1]))
    yield Mutation(name, "a record twice", partial(_vcf_lines, name, lambda x: [*x, x[-1]]))
    row = next(i for i in range(len(lines) - 1, 0, -1) if lines[i].split("\t")[6] == "PASS")
    for column in range(7):
        yield Mutation(name, f"column {column}", partial(_vcf_line, name, row, partial(_vcf_cell, column)))
    for entry in lines[row].split("\t")[7].split(";"):
        key, equals, value = entry.partition("=")
        if equals:
            # Another number that could be there, and none.
            number = f"{value}x"
            with suppress(ValueError):
                number = str(int(value) + 1) if re.fullmatch(r"\d+", value) else repr(float(value) / 2 + 1e-3)
            yield Mutation(
                name, f"INFO {key}", partial(_vcf_line, name, row, partial(rf.set_info, key=key, value=number))
            )
        yield Mutation(name, f"INFO {key} gone", partial(_vcf_line, name, row, partial(_without, key)))
        if re.fullmatch(r"0\.\d+", value):
            yield Mutation(
                name,
                f"notation: {key}",
                partial(_vcf_line, name, row, partial(rf.set_info, key=key, value=f"{value}0")),
            )
    yield Mutation(name, "notation: order of INFO", partial(_vcf_line, name, row, _turned))


def _vcf_cell(column: int, line: str) -> str:
    cells = line.split("\t")
    cells[column] = str(int(cells[1]) + 1) if column == 1 else f"{cells[column]}A"
    return "\t".join(cells)


def _without(key: str, line: str) -> str:
    *before, info = line.split("\t")
    return "\t".join([*before, ";".join(e for e in info.split(";") if e.partition("=")[0] != key) or "."])


def _turned(line: str) -> str:
    *before, info = line.split("\t")
    return "\t".join([*before, ";".join(reversed(info.split(";")))])


def _vcf_line(name: str, row: int, change: Callable[[str], str], root: Path) -> None:
    _vcf_lines(name, lambda lines: [*lines[:row], change(lines[row]), *lines[row + 1 :]], root)


def _vcf_lines(name: str, change: Callable[[list[str]], list[str]], root: Path) -> None:
    path = root / name
    _gz(path, change)
    index = path.with_name(f"{path.name}.tbi")
    before = index.read_bytes()
    try:
        pysam.tabix_index(str(path), preset="vcf", force=True)
    except OSError:
        index.write_bytes(before)


def _text_line(name: str, row: int, change: Callable[[str], str], root: Path) -> None:
    _gz(root / name, lambda lines: [*lines[:row], change(lines[row]), *lines[row + 1 :]])


def _beacon(name: str, row: int, steps: tuple, root: Path) -> None:
    def change(line: str) -> str:
        content = json.loads(line)
        _set(content, steps)
        return json.dumps(content, separators=(",", ":"), ensure_ascii=False)

    _text_line(name, row, change, root)


def _bed(name: str, row: int, column: int, root: Path) -> None:
    def change(line: str) -> str:
        cells = line.split("\t")
        cells[column] = str(int(cells[column]) + 1) if cells[column].isdigit() else f"{cells[column]}x"
        return "\t".join(cells)

    _gz(root / name, lambda lines: [*lines[:row], change(lines[row]), *lines[row + 1 :]])
    with suppress(OSError):
        pysam.tabix_index(str(root / name), preset="bed", force=True)


def _index(name: str, at: int, root: Path) -> None:
    data = bytearray(gzip.decompress((root / name).read_bytes()))
    data[at] ^= 1 << at % 8
    (root / name).write_bytes(block(bytes(data)) + block(b""))


# ---- Parquet


def _written(path: Path | io.BytesIO, table: pa.Table, about: dict, **how) -> None:
    how = {"compression": "zstd", "store_schema": False, "write_page_index": True} | how
    with pq.ParquetWriter(path, table.schema.remove_metadata(), **how) as file:
        file.add_key_value_metadata({k.decode(): v.decode() for k, v in about.items()})
        if table.num_rows:
            file.write_table(table)


def changed(table: pa.Table, column: str) -> pa.Table:
    """One value of a column another one: of the first row from the middle on that has one."""
    values = table[column].to_pylist()
    row = next(i % len(values) for i in range(len(values) // 2, 2 * len(values)) if values[i % len(values)] is not None)
    values[row] = other(values[row]) if not isinstance(values[row], int) else values[row] + 1
    at = table.schema.get_field_index(column)
    return table.set_column(at, table.schema.field(at), pa.array(values, table.schema.field(at).type))


def _parquet(name: str, column: str, root: Path) -> None:
    path = root / name
    about = pq.read_schema(path).metadata
    _written(path, changed(pq.read_table(path), column), about)


def _about(name: str, steps: tuple, root: Path) -> None:
    path = root / name
    content = json.loads(pq.read_schema(path).metadata[b"goe"])
    _set(content, steps)
    _written(path, pq.read_table(path), {b"goe": json.dumps(content, sort_keys=True).encode()})


def _packed(name: str, root: Path) -> None:
    path = root / name
    _written(path, pq.read_table(path), pq.read_schema(path).metadata, compression_level=1, use_dictionary=False)


def _statistics(name: str, column: str, root: Path) -> None:
    """Statistics and page index of a column that are those of other values: a reader that trusts them skips rows."""
    path = root / name
    table, about = pq.read_table(path), pq.read_schema(path).metadata
    at = table.schema.get_field_index(column)
    kind = table.schema.field(at).type
    # The same file with other values of the same size has other statistics; its pages are put in from the true one.
    true = io.BytesIO()
    how = {"use_dictionary": False, "compression": "none", "write_page_index": False, "data_page_version": "1.0"}
    _written(true, table, about, **how)
    values = [None if v is None else v + 1_000 if isinstance(v, int) else v / 2 for v in table[column].to_pylist()]
    wrong = table.set_column(at, table.schema.field(at), pa.array(values, kind))
    false = io.BytesIO()
    _written(false, wrong, about, **how)
    data, lies = true.getvalue(), false.getvalue()
    footer = int.from_bytes(lies[-8:-4], "little") + 8
    assert len(data) == len(lies)
    path.write_bytes(data[:-footer] + lies[-footer:])


# ---- packages, texts, tables


def _tar(name: str, path: Path) -> Iterator[Mutation]:
    with tarfile.open(path) as archive:
        parts = {n: archive.extractfile(n).read() for n in archive.getnames()}
    for steps, _ in _leaves(json.loads(parts["manifest.json"])):
        yield Mutation(name, f"manifest {_word(steps)}", partial(_tar_leaf, name, steps))
    header = next(n for n in parts if n.startswith("headers/"))
    for row in range(parts[header].count(b"\n")):
        yield Mutation(name, f"header {row}", partial(_tar_header, name, header, row))
    for member in (n for n in parts if n.endswith(".parquet")):
        for column in pq.read_schema(io.BytesIO(parts[member])).names:
            yield Mutation(name, f"{member} {column}", partial(_tar_column, name, member, column))
        yield Mutation(name, f"{member} packing", partial(_tar_column, name, member, None))


def _tar_parts(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {n: archive.extractfile(n).read() for n in archive.getnames()}


def _tar_write(path: Path, parts: dict[str, bytes], changed_member: str = "") -> None:
    if changed_member:
        said = json.loads(parts["manifest.json"])
        digest = hashlib.sha256(parts[changed_member]).hexdigest()
        there = said["payload"]["members"][changed_member]
        said["payload"]["members"][changed_member] = there | {"sha256": digest, "size": len(parts[changed_member])}
        parts["manifest.json"] = (json.dumps(said, indent=2, ensure_ascii=False) + "\n").encode()
    path.write_bytes(b"".join(tar.stream(parts.items(), tar.GNU)))


def _tar_leaf(name: str, steps: tuple, root: Path) -> None:
    parts = _tar_parts(root / name)
    content = json.loads(parts["manifest.json"])
    _set(content, steps)
    parts["manifest.json"] = (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
    _tar_write(root / name, parts)


def _tar_header(name: str, member: str, row: int, root: Path) -> None:
    parts = _tar_parts(root / name)
    lines = parts[member].decode().split("\n")
    lines[row] = lines[row][:-2] + "x" + lines[row][-2:]
    parts[member] = "\n".join(lines).encode()
    _tar_write(root / name, parts, member)


def _tar_column(name: str, member: str, column: str | None, root: Path) -> None:
    parts = _tar_parts(root / name)
    table = pq.read_table(io.BytesIO(parts[member]))
    out = io.BytesIO()
    pq.write_table(changed(table, column) if column else table, out, compression="zstd", store_schema=False)
    parts[member] = out.getvalue()
    _tar_write(root / name, parts, member)


def _cell(name: str, row: int, column: int, root: Path) -> None:
    def change(text: str) -> str:
        lines = text.split("\n")
        cells = lines[row].split("\t")
        cells[column] += "x"
        return "\n".join([*lines[:row], "\t".join(cells), *lines[row + 1 :]])

    _replaced(name, change, root)


def _text(name: str, text: str) -> Iterator[Mutation]:
    lines = text.split("\n")
    rows = range(len(lines)) if len(lines) < 400 else sorted(random.Random(name).sample(range(len(lines)), 400))
    for row in rows:
        if lines[row].strip():
            yield Mutation(name, f"line {row}", partial(_line, name, row))
    yield Mutation(name, "line ends", partial(_replaced, name, lambda text: text.replace("\n", "\r\n")))
    yield Mutation(name, "a line more", partial(_replaced, name, lambda text: f"{text}\n"))


def _line(name: str, row: int, root: Path) -> None:
    def change(text: str) -> str:
        lines = text.split("\n")
        at = max(i for i, c in enumerate(lines[row]) if not c.isspace())
        return "\n".join([*lines[:row], f"{lines[row][:at]}x{lines[row][at:]}", *lines[row + 1 :]])

    _replaced(name, change, root)


def _replaced(name: str, change: Callable[[str], str], root: Path) -> None:
    path = root / name
    text = path.read_bytes().decode()
    path.write_bytes(change(text).encode())
