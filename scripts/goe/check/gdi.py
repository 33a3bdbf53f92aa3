"""A finished GDI dataset package, folder or TAR, read again and held against every rule of the format.

The rules are those a node asks at ingest (GenomicDataInfrastructure/gdi-node-standalone, crates/core/src/ingest.rs,
extract.rs, validate_parquet.rs, validate_pkg.rs), and what its documents say of names, order and TAR headers.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from goe.check import pages
from goe.core import tar
from goe.core.errors import GoeError, Problem
from goe.core.resources import RESOURCES
from goe.release import bounds, reading
from goe.release.gdi import format as gdi
from goe.release.gdi import metadata as gdi_metadata
from goe.release.gdi import rows as gdi_rows
from goe.release.gdi.package import identity_closes

SCHEMA = RESOURCES / "schemas" / "gdi-node-standalone" / "manifest.schema.json"
_AGAIN = "make the package again, or get it again"


def check(package: str | Path) -> list[Problem]:
    """Everything wrong with a package: its folder, named by the dataset id, or its TAR, named `<dataset id>.tar`.

    Memory is that of one row group. Nothing is raised for a broken package.
    """
    root = Path(package)
    problems: list[Problem] = []
    found = _folder(root, problems) if root.is_dir() else _tar(root, problems)
    if gdi.MANIFEST not in found:
        return [*problems, Problem(f"{root}/{gdi.MANIFEST}", "is not there", _AGAIN)]
    content = _manifest(found[gdi.MANIFEST], f"{root}/{gdi.MANIFEST}", problems)
    if content is None:
        return problems
    _payload(found, content, root, problems)
    given = content["metadata"].get("datasetId")
    name = root.name.removesuffix(".tar") if root.is_file() else root.name
    if given != name:
        what = f"is not named by its dataset id {given}"
        problems.append(Problem(str(root), what, "nodes take the id from the name: rename it"))
    data = {member: gdi.data_file(member) for member in found if member.endswith(".parquet")}
    _names(data, content, root, problems)
    _headers(found, content, root, problems)
    _rows(found, data, content, root, problems)
    return problems


def data_files(package: str | Path) -> list[tuple[gdi.DataFile, pa.Buffer]]:
    """The data files of a package (folder or TAR) by chromosome and block, with their bytes; `check` it first."""
    found = members(package)
    named = [(gdi.data_file(name), content) for name, content in found.items()]
    return sorted(
        ((part, content) for part, content in named if part), key=lambda x: (x[0].chromosome, x[0].block, x[0].vcf_id)
    )


def members(package: str | Path) -> dict[str, pa.Buffer]:
    """Member -> bytes of a package that `check` found whole."""
    root = Path(package)
    return _folder(root, []) if root.is_dir() else _tar(root, [])


def content(package: str | Path) -> dict[str, Any]:
    """The manifest of a package that `check` found whole."""
    value: dict[str, Any] = json.loads(members(package)[gdi.MANIFEST].to_pybytes())
    return value


def headers(package: str | Path) -> list[list[str]]:
    """Lines of each header of a package that `check` found whole."""
    found = members(package)
    return [found[name].to_pybytes().decode().splitlines() for name in found if name.startswith("headers/")]


def settings(package: str | Path) -> gdi_metadata.Settings:
    """Settings of a package that `check` found whole."""
    config = content(package)["config"]
    return gdi_metadata.Settings(config["assembly"]["reference"], config.get("minAlleleCount", 0), config["blockRange"])


def _folder(root: Path, problems: list[Problem]) -> dict[str, pa.Buffer]:
    """Member -> bytes of a folder."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            problems.append(Problem(str(path), "is a link or a special file", "put the file there"))
        elif path.is_file():
            if path.stat().st_nlink > 1:
                problems.append(Problem(str(path), "has a second name (hard link)", "copy the file instead"))
            found[name] = reading.mapped(path)
        elif name != "headers":
            problems.append(Problem(str(path), "is no folder of a GDI package", "remove it"))
    return _known(found, root, problems)


def _tar(path: Path, problems: list[Problem]) -> dict[str, pa.Buffer]:
    """Member -> bytes of a TAR, which is not unpacked."""
    found: dict[str, pa.Buffer] = {}
    try:
        content = reading.mapped(path)
        entries = tar.members(memoryview(content), str(path), bounds.ENTRIES)
    except GoeError as error:
        problems += error.problems
        return found
    except OSError as error:
        problems.append(Problem(str(path), f"is no uncompressed TAR: {error}", _AGAIN))
        return found
    for entry in entries:
        where = f"{path}/{entry.name}"
        if entry.owner != _OWNER:
            what = "has a mode, owner or time in its TAR header: 0644, 0, no names and 0 are the rule"
            problems.append(Problem(where, what, _AGAIN))
        elif not entry.plain:
            what = "has something in or before its TAR header, or behind its content, that is no part of it"
            problems.append(Problem(where, what, _AGAIN))
        found[entry.name] = content.slice(entry.content, entry.size)
    problems += _end(path, content, entries)
    names = [entry.name for entry in entries]
    headers = sorted(name for name in names if name.startswith("headers/"))
    data = sorted(name for name in names if name.endswith(".parquet"))
    if [name for name in names if name in {gdi.MANIFEST, *headers, *data}] != [gdi.MANIFEST, *headers, *data]:
        what = f"members are not in the order of the format: {gdi.MANIFEST}, headers, data files, each sorted"
        problems.append(Problem(str(path), what, _AGAIN))
    return _known(found, path, problems)


_OWNER = (0o644, 0, 0, "", "", 0)
"""Mode, owner, group, their names and time of every member."""
_BLOCK, _RECORD = 512, 10_240
"""Bytes of a TAR block, and of a record, to which tar fills the file (POSIX pax, ustar interchange format)."""


def _zeros(content: pa.Buffer, start: int, end: int) -> bool:
    return not np.frombuffer(content, np.uint8)[start:end].any()


def _padded(size: int) -> int:
    return -(-size // _RECORD) * _RECORD


def _end(path: Path, content: pa.Buffer, entries: list[tar.Member]) -> list[Problem]:
    """Whether a TAR ends as tar ends it: two zero blocks, and zeros to the end of the record."""
    end = entries[-1].end
    if not _zeros(content, end, content.size):
        return [Problem(str(path), f"has bytes behind its last member, from byte {end} on", _AGAIN)]
    whole = (end + 2 * _BLOCK, _padded(end + 2 * _BLOCK))
    if content.size not in whole:
        return [Problem(str(path), f"has {content.size} bytes, tar would end it at {whole[0]} or {whole[1]}", _AGAIN)]
    return []


def _known(found: dict[str, pa.Buffer], root: Path, problems: list[Problem]) -> dict[str, pa.Buffer]:
    known = {}
    for name, content in found.items():
        if name == gdi.MANIFEST or gdi.data_file(name) or re.fullmatch(r"headers/[0-9a-f]{16}\.vcf", name):
            known[name] = content
        else:
            problems.append(Problem(f"{root}/{name}", "is no file of a GDI package", "remove it"))
    return known


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA.read_text()))


def _manifest(content: pa.Buffer, where: str, problems: list[Problem]) -> dict[str, Any] | None:
    """The manifest, when it is one that the schema takes."""

    def fail(what: str, mend: str = _AGAIN) -> None:
        problems.append(Problem(where, what, mend))

    if content.size > gdi.MAX_MANIFEST:
        fail(f"has {content.size} bytes, a node reads {gdi.MAX_MANIFEST}")
        return None
    try:
        value = reading.parsed(content.to_pybytes().decode("utf-8"), where)
    except (GoeError, UnicodeDecodeError) as error:
        fail(error.problems[0].what if isinstance(error, GoeError) else f"is no JSON: {error}")
        return None
    broken = [best_match([error]) for error in islice(_validator().iter_errors(value), bounds.PROBLEMS)]
    for one in sorted(broken, key=lambda e: e.json_path):
        fail(f"{one.json_path}: {one.message[:300]}")
    if broken:
        return None
    for field, what, mend in gdi_metadata.faults(value["metadata"]):
        fail(f"metadata.{field} {what}", mend)
    for field in ("numberOfRecords", "populations"):
        if value["metadata"].get(field) is None:
            fail(f"metadata.{field} is missing")
    config = value["config"]
    if config["mode"] != "aggregated":
        fail("config.mode is not aggregated")
    if config["assembly"]["reference"] not in gdi.ASSEMBLIES:
        fail(f"config.assembly.reference is none of {', '.join(gdi.ASSEMBLIES)}")
    if value.get("internal", {}).get("headerPolicy") != "minimal":
        fail("internal.headerPolicy is not minimal")
    if value.get("payload") is None:
        fail("payload is missing")
        return None
    return value


def _payload(found: Mapping[str, pa.Buffer], content: Mapping, root: Path, problems: list[Problem]) -> None:
    declared = content["payload"]["members"]
    if list(declared) != sorted(declared):
        problems.append(Problem(f"{root}/{gdi.MANIFEST}", "payload.members are not sorted", _AGAIN))
    members = set(found) - {gdi.MANIFEST}
    for name in sorted(members | set(declared)):
        where = f"{root}/{name}"
        if name not in members:
            problems.append(Problem(where, "is declared in the manifest but not there", _AGAIN))
        elif name not in declared:
            problems.append(Problem(where, "is not declared in the manifest", _AGAIN))
        else:
            size, digest = declared[name]["size"], declared[name]["sha256"]
            if found[name].size != size or hashlib.sha256(found[name]).hexdigest() != digest:
                problems.append(Problem(where, "differs from the digest or size in the manifest", _AGAIN))


def _sources(content: Mapping) -> list[dict]:
    return [
        entry for group in content.get("files", []) if group["category"].upper() == "VCF" for entry in group["files"]
    ]


def _names(data: Mapping[str, gdi.DataFile | None], content: Mapping, root: Path, problems: list[Problem]) -> None:
    """Data files: named for the manifest's block range and VCF, one for each block."""
    if not data:
        problems.append(Problem(str(root), "has no data file", _AGAIN))
    ids = {(entry.get("sha256") or "")[:16] for entry in _sources(content)}
    blocks = Counter((part.chromosome, part.block) for part in data.values() if part)
    for name, part in data.items():
        where = f"{root}/{name}"
        if part is None:
            problems.append(Problem(where, "is no name of a data file", _AGAIN))
            continue
        if part.block_range != content["config"]["blockRange"]:
            what = f"is not named for the block range {content['config']['blockRange']} of the manifest"
            problems.append(Problem(where, what, _AGAIN))
        if part.vcf_id not in ids:
            problems.append(Problem(where, "is named for a VCF that the manifest does not list", _AGAIN))
        if blocks[part.chromosome, part.block] > 1:
            problems.append(Problem(where, "is not the only file of its block", _AGAIN))


def _headers(found: Mapping[str, pa.Buffer], content: Mapping, root: Path, problems: list[Problem]) -> None:
    """Headers: one for each VCF, structural lines only."""
    wanted = {f"headers/{(entry.get('sha256') or '')[:16]}.vcf" for entry in _sources(content)}
    present = {name for name in found if name.startswith("headers/")}
    for name in sorted(wanted ^ present):
        what = "is missing" if name in wanted else "belongs to no VCF of the manifest"
        problems.append(Problem(f"{root}/{name}", what, _AGAIN))
    for name in sorted(present):
        if found[name].size > bounds.HEADER_BYTES:
            problems.append(Problem(f"{root}/{name}", f"has {found[name].size:,} bytes: no header has", _AGAIN))
            continue
        lines = found[name].to_pybytes().decode(errors="replace").splitlines()
        if not lines or not lines[0].startswith("##fileformat=VCFv4") or not lines[-1].startswith("#CHROM\t"):
            problems.append(Problem(f"{root}/{name}", "is no header of a VCF", _AGAIN))
        kept = set(gdi.minimal_header(lines).splitlines())
        strange = [number for number, line in enumerate(lines, 1) if line not in kept]
        if strange:
            what = f"line {strange[0]} is no structural line of a header ({len(strange)} such lines)"
            problems.append(Problem(f"{root}/{name}", what, "remove it and make the package again"))


def _rows(
    found: Mapping[str, pa.Buffer],
    data: Mapping[str, gdi.DataFile | None],
    content: Mapping,
    root: Path,
    problems: list[Problem],
) -> None:
    """The data files, and the numbers of the manifest that follow from them."""
    records = rows = 0
    populations: set[str] = set()
    for name, part in data.items():
        seen = _file(found[name], part, f"{root}/{name}", content["config"].get("minAlleleCount", 0), problems)
        if seen is None:
            return
        records, rows = records + seen.records, rows + seen.rows
        populations |= seen.populations
    where = f"{root}/{gdi.MANIFEST}"

    def agree(field: str, declared: Any, counted: Any) -> None:
        if declared != counted:
            problems.append(Problem(where, f"{field} is {declared}, the data files have {counted}", _AGAIN))

    agree("metadata.numberOfRecords", content["metadata"].get("numberOfRecords"), records)
    agree("metadata.populations", content["metadata"].get("populations"), sorted(populations))
    if len(populations) > gdi.MAX_POPULATIONS:
        problems.append(
            Problem(str(root), f"{len(populations)} populations: {gdi.MAX_POPULATIONS} are allowed", _AGAIN)
        )
    sources = _sources(content)
    if len(sources) != 1 or not sources[0].get("conversion"):
        problems.append(Problem(where, "files names not one VCF with its conversion", _AGAIN))
        return
    conversion = sources[0]["conversion"]
    agree("conversion.output.records", conversion["output"]["records"], records)
    agree("conversion.output.rows", conversion["output"]["rows"], rows)
    agree("conversion.output.populations", conversion["output"]["populations"], sorted(populations))
    if not identity_closes(conversion):
        problems.append(Problem(where, "the record identity of the conversion does not close", _AGAIN))
    if conversion["input"]["nonPassRecords"]:
        problems.append(Problem(where, "records that did not PASS were converted", _AGAIN))
    strangers = set(conversion["output"]["populations"]) - set(conversion["input"]["populationsRecognized"])
    if strangers:
        what = f"conversion.input.populationsRecognized lacks {', '.join(sorted(strangers))}"
        problems.append(Problem(where, what, _AGAIN))


def _file(
    content: pa.Buffer, part: gdi.DataFile | None, where: str, floor: int, problems: list[Problem]
) -> gdi_rows.Rows | None:
    """Columns, sizes, page index, statistics and rows of one data file."""

    def fail(what: str) -> None:
        problems.append(Problem(where, what, _AGAIN))

    if content.size > gdi.MAX_FILE:
        fail(f"has {content.size} bytes, a node takes {gdi.MAX_FILE}")
    seen = gdi_rows.Rows(where, part, floor)
    try:
        pages.check(content, where, len(gdi.SCHEMA.names) + 100, bounds.ALLELES)
        if not pq.read_schema(pa.BufferReader(content)).remove_metadata().equals(gdi.SCHEMA):
            fail("does not have the eleven columns of the format, with their names, types and nullability")
            return None
        file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=list(gdi.TEXT), pre_buffer=False)
        about = file.metadata
        if about.metadata or not pages.MADE_BY.fullmatch(about.created_by or ""):
            fail("says more of itself than that Arrow made it")
        for group in range(about.num_row_groups):
            rows = about.row_group(group).num_rows
            if rows > bounds.CELLS:
                fail(f"row group {group} has {rows:,} rows: at most {bounds.CELLS:,} are read")
                return None
            table = file.read_row_group(group)
            for name in gdi.TEXT:
                reading.check_text(table[name], name, where)
            seen.add(table)
            _group(about.row_group(group), table, group, fail)
        unpacked = sum(about.row_group(group).total_byte_size for group in range(about.num_row_groups))
        if unpacked > gdi.MAX_UNPACKED:
            fail(f"has {unpacked} bytes unpacked, a node takes {gdi.MAX_UNPACKED}")
    except GoeError as error:
        problems += error.problems
        return None
    except (pa.ArrowException, OSError) as error:
        fail(f"cannot be read as Parquet: {str(error).splitlines()[0]}")
        return None
    seen.close()
    if not seen.rows:
        fail("has no rows")
    problems += seen.problems
    return seen


def _group(about: pq.RowGroupMetaData, table: pa.Table, group: int, fail: Callable[[str], None]) -> None:
    if about.total_byte_size > gdi.MAX_ROW_GROUP:
        fail(f"row group {group} has {about.total_byte_size} bytes unpacked, a node takes {gdi.MAX_ROW_GROUP}")
    columns = [about.column(i) for i in range(about.num_columns)]
    if not all(column.has_offset_index for column in columns):
        fail(f"row group {group} has no index of its pages")
    # Nodes skip row groups and pages by these, so wrong ones would hide alleles.
    statistics = columns[0].statistics
    pos = table["POS"].drop_null().to_numpy()
    if len(pos) and statistics is not None and statistics.has_min_max:
        low, high = statistics.min, statistics.max
        if low > pos.min() or high < pos.max():
            fail(f"row group {group}: the statistics of POS do not hold its rows")
    elif len(pos):
        fail(f"row group {group} has no statistics of POS")
    order = [(c.column_index, c.descending) for c in about.sorting_columns]
    if order != [(gdi.SCHEMA.names.index(name), False) for name in gdi.SORTED_BY]:
        fail(f"row group {group} does not say that it is sorted by {', '.join(gdi.SORTED_BY)}")
