"""A released VCF read back: header, index, and every value of every record against the blocks of the release."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from goe.check import again, readback, tabix
from goe.core.errors import GoeError, Problem, short
from goe.frequencies import strata as st
from goe.frequencies.block import Block, passed
from goe.hts.vcf_header import Declaration, VcfHeader
from goe.release import bounds, notes, reading
from goe.release.formats import annotations, sites_vcf
from goe.release.formats.allele_names import NAMES
from goe.release.formats.sites_vcf import Tag
from goe.rules import site_filters

_AGAIN = "the file was changed, or is not of this release: get it again"
# Where the statistics of a site are read that this file is held against.
_OR_WIDE = "this file or the one in frequencies-wide was changed, or is not of this release: get both again"
_COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
_SOURCE = re.compile(r"##source=goe [0-9A-Za-z.+]+")
_MD5 = re.compile(r"[0-9a-f]{32}")
_PIECE = 8 << 20
_SHOWN = 10


# Keys of a structured line in their order, and those that are in quotes.
_FORM = {
    "contig": (["ID", "length", "assembly", "md5"], set()),
    "FILTER": (["ID", "Description"], {"Description"}),
    "INFO": (["ID", "Number", "Type", "Description"], {"Description"}),
}


def _odd_lines(path: str | Path, found: VcfHeader) -> list[Problem]:
    """Every line of a header that a release does not have: commands, paths, dates, samples."""
    problems = [replace(problem, mend=_AGAIN) for problem in found.problems]
    reported = {problem.where for problem in problems}

    def wrong(line: str, what: str) -> None:
        problems.append(Problem(str(path), f"header line {line[:80]!r} {what}", _AGAIN))

    if found.fileformat != "VCFv4.3":
        wrong(found.lines[0], "is not ##fileformat=VCFv4.3")
    declared = {one.row: one for one in found.declarations}
    seen = set()
    for row, line in enumerate(found.lines[1:-1], 2):
        kind = line.removeprefix("##").partition("=")[0]
        if line in seen:
            wrong(line, "is there twice")
        seen.add(line)
        if kind in _FORM:
            if f"{path} line {row}" not in reported and not _well_formed(declared.get(row)):
                wrong(line, "is no contig with length, assembly and md5" if kind == "contig" else "cannot be read")
        elif kind == "FORMAT":
            wrong(line, "describes genotypes: a release has none")
        elif kind == "source" and not _SOURCE.fullmatch(line):
            wrong(line, "is not ##source=goe and its version")
        elif kind not in ("source", "reference"):
            wrong(line, "is none that a release has (commands, dates and paths are not for the public)")
    if found.lines[-1] != _COLUMNS:
        columns = found.lines[-1].split("\t")
        if columns[:8] == _COLUMNS.split("\t"):
            # Not named: they would be ids of people.
            what = f"line of column names goes on behind INFO ({len(columns) - 8} columns): samples"
            problems.append(Problem(str(path), f"the {what}", "do not pass the file on: it holds data of people"))
        else:
            wrong(found.lines[-1], "is not the eight columns of a VCF without samples")
    return problems


def _well_formed(one: Declaration | None) -> bool:
    if one is None:
        return False
    keys, quoted = _FORM[one.kind]
    right = [*one.values] == keys and one.quoted == quoted
    return right and (one.kind != "contig" or (one.length is not None and bool(_MD5.fullmatch(one.values["md5"]))))


def check_header(
    path: str | Path,
    found: VcfHeader,
    build: str,
    contigs: Sequence[Mapping],
    wanted: Sequence[Tag],
    filters: Iterable[str],
) -> list[Problem]:
    """What is wrong with the header of a file, as it was `found`. contigs: {name, length, md5} of the release; wanted:
    the tags that the file has; filters: those that its records have, but PASS."""
    problems = _odd_lines(path, found)
    where = str(path)
    if f"##reference={build}" not in found.lines:
        problems.append(Problem(where, f"the header has no line ##reference={build}", _AGAIN))
    contig_lines = found.of("contig")
    for contig in contigs:
        line = contig_lines.pop(contig["name"], None)
        if line is None:
            problems.append(Problem(where, f"contig {contig['name']} is missing in the header", _AGAIN))
            continue
        for key, value in (("length", str(contig["length"])), ("md5", contig["md5"]), ("assembly", build)):
            if line.values.get(key) != value:
                what = f"contig {contig['name']}: {key} is {line.values.get(key)}, metadata/dataset.json gives {value}"
                problems.append(Problem(where, what, _AGAIN))
    problems += [Problem(where, f"contig {name} is none of this release", _AGAIN) for name in contig_lines]
    if not problems and [*found.of("contig")] != [c["name"] for c in contigs]:
        problems.append(Problem(where, "the contigs are in another order than in metadata/dataset.json", _AGAIN))
    for name in sorted(set(filters) ^ (found.of("FILTER").keys() - {"PASS"})):
        # One that no public allele has would tell of an allele that is withheld.
        what = "is not declared in the header" if name in filters else "is declared, and no allele of the file has it"
        problems.append(Problem(where, f"FILTER {name} {what}", _AGAIN))
    tags = {name: (tag.number, tag.type) for name, tag in found.of("INFO").items()}
    for tag in wanted:
        if tag.id not in tags:
            problems.append(Problem(where, f"INFO {tag.id} is missing in the header", _AGAIN))
        elif tags[tag.id] != (tag.number, tag.type):
            is_, right = (f"Number={n},Type={t}" for n, t in (tags[tag.id], (tag.number, tag.type)))
            problems.append(Problem(where, f"INFO {tag.id} has {is_}, not {right}", _AGAIN))
    known = {tag.id for tag in wanted}
    problems += [Problem(where, f"INFO {name} is none of this release", _AGAIN) for name in tags if name not in known]
    return problems


def check_words(
    path: str | Path,
    found: VcfHeader,
    build: str,
    contigs: Sequence[Mapping],
    tags: Sequence[Tag],
    filters: Iterable[str],
) -> list[Problem]:
    """The first line of a header that is not as this goe writes it, its words and order included; `check_header` it
    first."""
    actual = "".join(f"{line}\n" for line in found.lines)
    names = notes.filter_order(filters, site_filters.DESCRIPTIONS)
    wanted = sites_vcf.header(build, contigs, names, site_filters.DESCRIPTIONS, tags)
    return again.differs(f"{path} header", actual, wanted, "the release gives")


def check_empty_columns(path: str | Path, found: VcfHeader, most: int = bounds.ALLELES) -> list[Problem]:
    """What stands in the columns that a release leaves empty, ID and QUAL. found: header of the file; most: records
    that it can have."""
    with reading.reading(path), pa.input_stream(str(path), compression="gzip") as stream:
        try:
            reader = pacsv.open_csv(
                stream,
                pacsv.ReadOptions(
                    column_names=list("abcdefgh"), skip_rows=len(found.lines), block_size=_PIECE, use_threads=False
                ),
                pacsv.ParseOptions(delimiter="\t", quote_char=False),
                pacsv.ConvertOptions(
                    include_columns=list("abcdf"),
                    column_types=dict.fromkeys("abcdf", pa.string()),
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid as error:
            if "Empty CSV file" in str(error):
                return []
            raise
        records = 0
        for batch in reader:
            records += batch.num_rows
            if records > most:
                # That they are too many is told where they are compared.
                return []
            for column, name in (("c", "ID"), ("f", "QUAL")):
                bad = pc.not_equal(batch[column], ".")
                if bad.true_count:
                    row = batch.slice(int(np.argmax(bad.to_numpy(zero_copy_only=False))), 1).to_pylist()[0]
                    place = f"{row['a']}:{row['b']}"
                    # The content is not told: it may be an id of a person.
                    what = f"{place} has something in its column {name}"
                    return [Problem(str(path), what, "a release has none: do not pass the file on")]
    return []


def check_index(path: str | Path, ends: Mapping[str, tuple[int, int]]) -> list[Problem]:
    """Whether `<path>.tbi` leads to the records. ends: contig -> position of its first and last record, for the
    contigs that have some."""
    where = f"{path}.tbi"
    try:
        index = tabix.read(where)
    except GoeError as error:
        return error.problems
    if index.names != list(ends):
        return [Problem(where, f"is for the contigs {', '.join(index.names[:50]) or 'none'}", _AGAIN)]
    wrong = (
        Problem(where, f"does not lead to {contig}:{pos}", _AGAIN)
        for contig, places in ends.items()
        for pos in dict.fromkeys(places)
        if not tabix.leads(path, index, contig, pos)
    )
    return list(islice(wrong, _SHOWN))


def compare(
    path: str | Path,
    tags: Sequence[Tag],
    strata: Sequence[str],
    wanted: Iterable[pa.Table],
    others: Iterable[str] = (),
) -> list[Problem]:
    """Differences between the records of a file and `wanted` (tables of `expected`).

    tags: those that are compared; strata: of the release, in order. others: ids of further tags that records may have.
    """
    columns = [name for name in _columns(tags) if name not in readback.KEYS]
    problems = readback.compare(_read(path, tags, strata, others), wanted, str(path), columns)
    return [replace(p, mend=_OR_WIDE) if " Total: INFO " in p.what else p for p in problems]


def _columns(tags: Sequence[Tag]) -> list[str]:
    """Columns that are compared: those of the cells, then FILTER and what the site has."""
    cells = [name for name in readback.COLUMNS.names if name in readback.KEYS or any(t.key == name for t in tags)]
    return [*cells, "FILTER", *(_column(tag) for tag in tags if not tag.stratum)]


def _column(tag: Tag) -> str:
    """Column of a tag of the site: its name may be that of a number, too."""
    return f"INFO {tag.id}"


def _type(tag: Tag) -> pa.DataType:
    kinds = {"Integer": pa.int64(), "Float": pa.float64(), "String": pa.string(), "Flag": pa.bool_()}
    return kinds[tag.type]


def _read(path: str | Path, tags: Sequence[Tag], strata: Sequence[str], others: Iterable[str]) -> Iterator[pa.Table]:
    """Cells of a file, where any number of the stratum is there; what the site has stands in the row of Total."""
    of_strata = [tag for tag in tags if tag.stratum]
    of_site = [tag for tag in tags if not tag.stratum]
    known = {*(tag.id for tag in tags), *others}
    index = {stratum: i for i, stratum in enumerate(strata)}
    for table, found in readback.vcf_records(path, max(1, bounds.CELLS // len(strata))):
        rows = table.num_rows
        strange = sorted(set(found) - known)
        if strange:
            row = int(found[strange[0]][0][0])
            raise GoeError(
                Problem(str(path), f"{_place(table, row)} has INFO {strange[0]}, which is none here", _AGAIN)
            )
        with reading.reading(path):
            values = {key: np.full((len(strata), rows), np.nan) for key in {tag.key for tag in of_strata}}
            for tag, numbers in zip(of_strata, readback.numbers(found, [t.id for t in of_strata], rows), strict=True):
                values[tag.key][index[tag.stratum]] = numbers
            site = {_column(tag): _site(found, tag, rows) for tag in of_site}
        present = ~np.isnan(np.stack(list(values.values())))
        alleles = {name: table[name].combine_chunks() for name in readback.KEYS[:4]}
        cells = readback.cells(alleles, strata, values, present.any(axis=0))
        site["FILTER"] = table["filter"].combine_chunks()
        yield with_site(cells, site, present.any(axis=0)[index[st.TOTAL]])


def _site(found: Mapping, tag: Tag, rows: int) -> pa.Array:
    """Values of a key of the site, null where it is absent (a flag: False)."""
    if tag.type in ("Integer", "Float"):
        values = readback.numbers_of(found, tag.id, rows)
        return pa.array(values, from_pandas=True).cast(_type(tag))
    at, texts = found.get(tag.id, (np.zeros(0, dtype=np.int64), pa.array([], pa.string())))
    if tag.type == "Flag":
        flags = np.zeros(rows, dtype=bool)
        flags[at] = True
        return pa.array(flags)
    order = np.full(rows, -1)
    order[at] = np.arange(len(at))
    return texts.take(pa.array(order, mask=order < 0))


def with_site(cells: pa.Table, site: Mapping[str, pa.Array], has_total: np.ndarray) -> pa.Table:
    """Cells with the columns of the site in the rows of Total, null in the others."""
    total = pc.equal(cells["stratum"], st.TOTAL).to_numpy()
    order = np.full(cells.num_rows, -1, dtype=np.int64)
    order[total] = np.flatnonzero(has_total)
    pick = pa.array(order, mask=~total)
    for name, values in site.items():
        cells = cells.append_column(name, values.take(pick))
    return cells


def _place(table: pa.Table, row: int) -> str:
    one = table.slice(row, 1).to_pylist()[0]
    return short(":".join(str(one[name]) for name in readback.KEYS[:4]))


def expected(
    block: Block, tags: Sequence[Tag], wanted: np.ndarray, flags: Mapping[str, np.ndarray] | None = None
) -> pa.Table:
    """What a file with these tags has of a block. wanted: bool (strata, alleles) or (alleles,), which of the public
    cells. flags: flag -> bool (alleles,)."""
    columns = {tag.key for tag in tags if tag.stratum}
    present = block.shown() & wanted
    site = {_column(tag): _expected_site(block, tag, flags or {}) for tag in tags if not tag.stratum}
    site["FILTER"] = block.filter
    total = present[block.strata.index(st.TOTAL)]
    return with_site(readback.expected(block, columns, wanted), site, total)


def _expected_site(block: Block, tag: Tag, flags: Mapping[str, np.ndarray]) -> pa.Array:
    """What the records of a block have under a key of the site: statistics as their text in single precision."""
    if tag.type == "Flag":
        return pa.array(flags[tag.key])
    if annotations.is_computed(tag):
        values = annotations.computed(block, tag.key)
        # The double that the shortest text of a single-precision number reads as.
        return pc.cast(pc.cast(values, pa.string()), _type(tag))
    if tag.key in NAMES:
        return block.names[tag.key]
    if tag.key == "nhomalt_site":
        return pa.array(block.numbers.nhomalt[block.strata.index(st.TOTAL)].astype(np.int64))
    statistic = block.statistics["call_rate" if tag.key == "f_missing" else tag.key]
    single = (1 - statistic if tag.key == "f_missing" else statistic).astype(np.float32)
    # The double that the shortest text of a single-precision number reads as.
    return pc.cast(pc.cast(pa.array(single, from_pandas=True), pa.string()), pa.float64())


def sites(block: Block, tags: Sequence[Tag], only_passed: bool) -> pa.Table:
    """What a sites VCF has of a block."""
    some = passed(block) if only_passed else np.ones(len(block), dtype=bool)
    return expected(block, tags, some)
