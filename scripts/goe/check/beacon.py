"""Beacon files as they were released: read back, compared with the blocks, validated with the schemas they answer to,
and held against the names that follow from the release alone.

Apart from goe.release.formats.beacon, which writes them, because only this needs a JSON Schema validator.
"""

import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pajson
from isal import igzip
from jsonschema import Draft202012Validator

from goe.check import readback
from goe.core.errors import GoeError, Problem, stop_on
from goe.core.resources import RESOURCES
from goe.frequencies.block import Block, passed
from goe.genome import hgvs
from goe.release import bounds, reading
from goe.release.formats.beacon import NUMBERS, SOURCE, SOURCE_REFERENCE, WANTED, dumps, populations
from goe.release.formats.sites_vcf import Tag

SCHEMA = RESOURCES / "schemas" / "beacon-v2" / "genomicVariations.defaultSchema.deref.json"
_PIECE = 4 << 20
_AGAIN = "get the file again"
_OTHER = "the file was changed, or is not of this release: get it again"


def check_populations(path: str | Path, ids: Iterable[str]) -> list[Problem]:
    """What the loader would refuse in a populations.json. ids: the INFO ids of the VCF it is for."""
    where, known_ids = str(path), set(ids)
    try:
        content = json.loads(Path(path).read_text())
    except ValueError as error:
        return [Problem(where, f"is no JSON: {error}", _AGAIN)]
    if not isinstance(content, dict) or set(content) != {"source", "sourceReference", "populations"}:
        return [Problem(where, "has not exactly the keys source, sourceReference, populations", _AGAIN)]
    entries = content["populations"]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return [Problem(where, "populations is no list of objects", _AGAIN)]
    problems = [
        Problem(where, f"{key} is {content[key]!r}, not {value!r}", _AGAIN)
        for key, value in (("source", SOURCE), ("sourceReference", SOURCE_REFERENCE))
        if content[key] != value
    ]
    names = [str(entry.get("population")) for entry in entries]
    for name, entry in zip(names, entries, strict=True):
        place = f"{where} population {name}"
        for key in sorted(set(entry) - {"population", *NUMBERS}):
            problems.append(Problem(place, f"the loader does not know the key {key!r}", _AGAIN))
        for key in ("population", *WANTED):
            if key not in entry:
                problems.append(Problem(place, f"{key} is missing", _AGAIN))
        for key in NUMBERS:
            # Also an empty name is asked for in the header.
            if key in entry and not (isinstance(entry[key], str) and entry[key] in known_ids):
                problems.append(Problem(place, f"{key} is {entry[key]!r}, which the VCF does not have", _AGAIN))
    twice = sorted({name for name in names if names.count(name) > 1})
    return problems + [Problem(where, f"population {name} is there twice", _AGAIN) for name in twice]


def compare_populations(path: str | Path, info: Sequence[Tag]) -> list[Problem]:
    """What the loader would refuse, and tags that are not those of the population. info: of the sites VCF."""
    problems = check_populations(path, [tag.id for tag in info])
    if problems:
        return problems
    entries = {entry["population"]: entry for entry in json.loads(Path(path).read_text())["populations"]}
    for wanted in populations(info)["populations"]:
        name = wanted["population"]
        population = entries.pop(name, None)
        if population is None:
            problems.append(Problem(str(path), f"population {name} is missing", _OTHER))
            continue
        for key in sorted({*population, *wanted}):
            if population.get(key) != wanted.get(key):
                what = f"population {name}: {key} is {population.get(key)}, not {wanted.get(key)}"
                problems.append(Problem(str(path), what, _OTHER))
    problems += [Problem(str(path), f"population {name} is no stratum of the release", _OTHER) for name in entries]
    if not problems and Path(path).read_text(encoding="utf-8") != dumps(info):
        problems = [Problem(str(path), "is not written as goe writes it", _OTHER)]
    return problems


_NUMBER = pa.struct([("type", pa.string()), ("value", pa.int64())])
_FREQUENCY = pa.struct(
    [("population", pa.string()), *((key, pa.float64() if n == "af" else pa.int64()) for key, n in NUMBERS.items())]
)
_INTERVAL = pa.struct([("type", pa.string()), ("start", _NUMBER), ("end", _NUMBER)])
_LOCATION = pa.struct([("type", pa.string()), ("sequence_id", pa.string()), ("interval", _INTERVAL)])
_LINE = pa.schema(
    [
        ("_id", pa.string()),
        ("variantInternalId", pa.string()),
        ("datasetId", pa.string()),
        ("length", pa.int64()),
        ("identifiers", pa.struct([("genomicHGVSId", pa.string())])),
        (
            "variation",
            pa.struct(
                [
                    ("location", _LOCATION),
                    ("referenceBases", pa.string()),
                    ("alternateBases", pa.string()),
                    ("variantType", pa.string()),
                ]
            ),
        ),
        (
            "frequencyInPopulations",
            pa.list_(
                pa.struct(
                    [
                        ("source", pa.string()),
                        ("sourceReference", pa.string()),
                        ("frequencies", pa.list_(_FREQUENCY)),
                    ]
                )
            ),
        ),
    ]
)
_CONSTANTS = {
    ("variation", "location", "type"): "SequenceLocation",
    ("variation", "location", "interval", "type"): "SequenceInterval",
    ("variation", "location", "interval", "start", "type"): "Number",
    ("variation", "location", "interval", "end", "type"): "Number",
}


def numbers(path: str | Path) -> Iterator[pa.Table]:
    """Cells of a file of lines (`readback.COLUMNS`; nhomalt is null).

    Every line is read against exactly the keys and types that `lines` writes. GoeError when one has others, or
    its id, position, bases and location contradict each other.
    """
    with reading.reading(path), gzip.open(path, "rb") as handle:
        if not handle.read(1):
            return
    try:
        with reading.reading(path), pa.input_stream(str(path), compression="gzip") as handle:
            reader = pajson.open_json(
                handle,
                pajson.ReadOptions(block_size=_PIECE, use_threads=False),
                pajson.ParseOptions(explicit_schema=_LINE, unexpected_field_behavior="error"),
            )
            for batch in reader:
                yield _cells(pa.table(batch), str(path))
    except GoeError as error:
        if isinstance(error.__cause__, pa.ArrowInvalid):
            stop_on(_odd_line(path))
        raise


def _odd_line(path: str | Path) -> list[Problem]:
    """The first line that has not the keys and types of a line, slowly: which line and which key."""
    for row, line in enumerate(reading.lines(path), 1):
        try:
            faults = list(islice(_faults(json.loads(line), pa.struct(list(_LINE)), ""), 10))
        except (ValueError, RecursionError) as error:
            faults = [f"is no JSON: {error}"]
        if faults:
            return [Problem(f"{path} line {row}", fault, _AGAIN) for fault in faults]
    return []


def _faults(value: object, kind: pa.DataType, place: str) -> Iterator[str]:
    if pa.types.is_struct(kind):
        if not isinstance(value, dict):
            yield f"{place or 'the line'} is no object"
            return
        known = {field.name: field.type for field in kind}
        for key, item in value.items():
            name = f"{place}.{key}" if place else key
            if key in known:
                yield from _faults(item, known[key], name)
            else:
                yield f"{name} is no key of a line"
    elif pa.types.is_list(kind):
        if not isinstance(value, list):
            yield f"{place} is no list"
            return
        for item in value:
            yield from _faults(item, kind.value_type, place)
    else:
        types = {pa.string(): (str,), pa.int64(): (int,), pa.float64(): (int, float)}[kind]
        if not isinstance(value, types) or isinstance(value, bool):
            yield f"{place} is {value!r}"


def _cells(table: pa.Table, where: str) -> pa.Table:
    def column(*keys: str) -> pa.Array:
        return pc.struct_field(table["variation"].combine_chunks(), list(keys))

    def stop(bad: pa.Array, what: str) -> None:
        rows = np.flatnonzero(pc.fill_null(bad, True).to_numpy(zero_copy_only=False))
        stop_on([Problem(f"{where} {table['variantInternalId'][int(row)]}", what, _AGAIN) for row in rows[:10]])

    for (_, *keys), value in _CONSTANTS.items():
        stop(pc.not_equal(column(*keys), value), f"variation {'.'.join(keys)} is not {value}")
    internal = table["variantInternalId"].combine_chunks()
    parts = pc.split_pattern(internal, ":")
    stop(pc.not_equal(pc.list_value_length(parts), 5), "variantInternalId is not DATASET:CONTIG:POS:REF:ALT")
    dataset, contig, pos, ref, alt = (pc.list_element(parts, i) for i in range(5))
    start, end = (column("location", "interval", side, "value") for side in ("start", "end"))
    stop(pc.not_equal(dataset, table["datasetId"].combine_chunks()), "variantInternalId is not of the datasetId")
    stop(pc.not_equal(pc.cast(pc.add(start, 1), pa.string()), pos), "the location is not at the position of the id")
    stop(pc.not_equal(pc.subtract(end, start), pc.cast(pc.binary_length(ref), pa.int64())), "the location is not REF")
    stop(pc.not_equal(table["length"].combine_chunks(), pc.subtract(end, start)), "length is not that of the location")
    named = [hashlib.sha256((one or "").encode()).hexdigest() for one in internal.to_pylist()]
    other = pc.not_equal(table["_id"].combine_chunks(), pa.array(named, pa.string()))
    stop(other, "_id is not the SHA-256 of the variantInternalId")
    stop(pc.not_equal(column("referenceBases"), ref), "referenceBases are not those of the id")
    stop(pc.not_equal(column("alternateBases"), alt), "alternateBases are not those of the id")
    sources = table["frequencyInPopulations"].combine_chunks()
    stop(pc.not_equal(pc.list_value_length(sources), 1), "frequencyInPopulations has not exactly one entry")
    sources = sources.flatten()
    for key, value in (("source", SOURCE), ("sourceReference", SOURCE_REFERENCE)):
        stop(pc.not_equal(pc.struct_field(sources, key), value), f"{key} is not {value}")
    frequencies = pc.struct_field(sources, "frequencies")
    stop(pc.less(pc.list_value_length(frequencies), 1), "has no frequency")
    allele = pc.list_parent_indices(frequencies)
    values = frequencies.flatten()
    columns = {"contig": contig, "pos": pc.cast(pos, pa.int32()), "ref": ref, "alt": alt}
    columns = {name: array.take(allele) for name, array in columns.items()}
    columns["stratum"] = pc.struct_field(values, "population")
    for key, number in NUMBERS.items():
        columns[number] = pc.struct_field(values, key)
        if columns[number].null_count:
            row = int(np.flatnonzero(columns[number].is_null().to_numpy(zero_copy_only=False))[0])
            place = f"{where} {table['variantInternalId'][allele[row].as_py()]}"
            stop_on([Problem(f"{place} {columns['stratum'][row]}", f"{key} is missing", _AGAIN)])
    columns["nhomalt"] = pa.nulls(len(values), pa.int64())
    return pa.table([columns[name] for name in readback.COLUMNS.names], schema=readback.COLUMNS)


@cache
def _validator(schema: Path) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema.read_text()))


def validate(path: str | Path, schema: str | Path = SCHEMA, every: int = 1000) -> list[Problem]:
    """What the Beacon schema has against the first line and each further one of `every`; 1 asks all lines.

    The schema costs about a millisecond a line; `numbers` reads every line against the same keys.
    """
    validator = _validator(Path(schema))
    problems = []
    for row, line in enumerate(reading.lines(path)):
        if row % every == 0:
            try:
                errors = sorted(islice(validator.iter_errors(json.loads(line)), 10), key=str)
            except (ValueError, RecursionError) as error:
                problems.append(Problem(f"{path} line {row + 1}", f"is no JSON: {error}", _AGAIN))
                continue
            for one in errors:
                place = ".".join(str(part) for part in one.absolute_path) or "the line"
                problems.append(Problem(f"{path} line {row + 1}", f"{place}: {one.message[:200]}", _AGAIN))
        if len(problems) >= 10:
            break
    return problems


def check(path: str | Path, blocks: Iterable[Block]) -> list[Problem]:
    """Differences between a finished file and the blocks of its contig."""
    columns = tuple(NUMBERS.values())
    wanted = (readback.expected(block, columns, passed(block) & ~np.isnan(block.numbers.af())) for block in blocks)
    return readback.compare(numbers(path), wanted, str(path), columns)


def check_names(path: str | Path, dataset: str, build: str, contig: str, length: int) -> list[Problem]:
    """The first line that is not named for this dataset and contig: ids, accession, HGVS name, order of the keys.

    length: of the contig, in bases. Which HGVS name an insertion or deletion has depends on the reference, which a
    release does not hold; that of a substitution is held against its position and bases.
    """
    prefix = hgvs.prefix(build, contig, length)
    name = re.escape(f"{dataset}:{contig}:")
    if prefix:
        named = (
            rf',"identifiers":\{{"genomicHGVSId":"{re.escape(prefix)}'
            r'(?:(?P=pos)(?P=ref)>(?P=alt)|[0-9]+(?:_[0-9]+)?(?:del|dup|ins[ACGT]+|delins[ACGT]+))"\}'
        )
        sequence = re.escape(f"refseq:{prefix.partition(':')[0]}")
    else:
        named, sequence = "", _digest(path)
    pattern = re.compile(
        (
            rf'\{{"_id":"[0-9a-f]{{64}}","variantInternalId":"{name}(?P<pos>[0-9]+):(?P<ref>[ACGT]+):(?P<alt>[ACGT]+)",'
            rf'"datasetId":"{re.escape(dataset)}","length":[0-9]+{named},'
            rf'"variation":\{{"location":\{{"type":"SequenceLocation","sequence_id":"{sequence}",'
            r'[^\n]*"variantType":"(?:SNP|MNP|INS|DEL|DELINS)"\}[^\n]*\n'
        ).encode()
    )
    row, rest = 0, b""
    with reading.reading(path), igzip.open(path, "rb") as handle:
        while piece := handle.read(_PIECE):
            data = rest + piece
            at, end = 0, data.rfind(b"\n") + 1
            while at < end:
                match = pattern.match(data, at, end)
                row += 1
                if match is None:
                    return [_odd(path, row)]
                at = match.end()
            rest = data[end:]
            if len(rest) > bounds.LINE:
                break
    return [_odd(path, row + 1)] if rest else []


def _digest(path: str | Path) -> str:
    """The digest of the sequence in the first line, as an expression: it depends on the reference, and is the same in
    all."""
    first = next(reading.lines(path), b"").decode(errors="replace")
    found = re.search(r'"sequence_id":"(ga4gh:SQ\.[A-Za-z0-9_-]{32})"', first)
    return re.escape(found[1]) if found else r"(?!)"


def _odd(path: str | Path, row: int) -> Problem:
    what = "is not named for this dataset and contig (ids, sequence, HGVS name), or its keys are in another order"
    return Problem(f"{path} line {row}", what, _OTHER)
