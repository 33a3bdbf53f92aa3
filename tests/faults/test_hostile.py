"""Nothing that is in a folder hurts who checks it: bombs in each format, and indexes of any content.

A bomb is a small file that would take gigabytes or hours. Each is put into a copy of a whole release whose manifest is
made again, and `goe check` is run on it in its own process: it ends in bounds, with a problem that names the file.
"""

import gzip
import hashlib
import io
import json
import os
import re
import socket
import struct
import tarfile
import zlib
from base64 import b64encode
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.core import manifest, tar
from goe.release import bounds, reading
from helpers import release_folder as rf
from helpers.bombs import bgzf, block, sparse_tar
from helpers.checks import Checks

MEMORY = 1000 << 10
"""kB of any process of a check."""
FIRST, WHOLE = 8, 60
"""Seconds of CPU to the first refusal and to the end."""
ALL, PASS = (f"sites/{rf.ID}.{which}.vcf.gz" for which in ("all", "pass"))
CONTIG = "chr20"
LONG, WIDE, NAMES = (f"{folder}/chr20.parquet" for folder in ("frequencies", "frequencies-wide", "allele-names"))
LINES, TAR = "beacon/genomicVariations.chr20.jsonl.gz", f"gdi/{rf.ID}.tar"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A whole release; nobody may change it."""
    return rf.make(tmp_path_factory.mktemp("release"), contigs={"chr20": 300, "chrX": 200})


@pytest.fixture
def root(whole, tmp_path):
    copy = rf.copy(whole, tmp_path)
    yield copy
    # Who removes folders within folders goes into each from the one before, and not into a thousand.
    deep, inner = copy / "d", copy / "e"
    while (deep / "d").is_dir():
        (deep / "d").rename(inner)
        deep.rmdir()
        inner.rename(deep)


# ---- bombs


def header(path):
    return "".join(f"{line}\n" for line in reading.vcf_header(path).lines).encode()


def vcf_line(root):
    bgzf(root / ALL, header(root / ALL) + b"chr20\t5\t.\tA\tC\t.\tPASS\tAC=1", b"A", 2 << 30)
    return ALL


def vcf_header_line(root):
    bgzf(root / ALL, b"##fileformat=VCFv4.3\n##source=", b"A", 2 << 30)
    return ALL


def vcf_header_lines(root):
    bgzf(root / PASS, b"##fileformat=VCFv4.3\n", b'##INFO=<ID=AC,Number=A,Type=Integer,Description="x">\n', 2 << 30)
    return PASS


def vcf_records(root):
    """Short records, each of which has a place in every stratum."""
    bgzf(root / ALL, header(root / ALL), b"chr20\t5\t.\tA\tC\t.\tPASS\t.\n", 2 << 30)
    return ALL


def vcf_as_bcf(root):
    bgzf(root / ALL, b"BCF\2\2" + struct.pack("<I", 0xFFFFFFF0), b"A", 2 << 30)
    return ALL


def vcf_keys(root):
    keys = ";".join(f"K{i}=1" for i in range(5000)).encode()
    bgzf(root / ALL, header(root / ALL), b"chr20\t5\t.\tA\tC\t.\tPASS\t" + keys + b"\n", 64 << 20)
    return ALL


def beacon_line(root):
    bgzf(root / LINES, b'{"variantInternalId":"', b"A", 2 << 30)
    return LINES


def beacon_lines(root):
    first = gzip.decompress((root / LINES).read_bytes()).partition(b"\n")[0] + b"\n"
    bgzf(root / LINES, b"", first, 2 << 30)
    return LINES


def beacon_frequencies(root):
    bgzf(root / LINES, b"", b'{"frequencyInPopulations":[{"frequencies":[' + b"{}," * 300_000 + b"{}]}]}\n", 64 << 20)
    return LINES


def beacon_depth(root):
    bgzf(root / LINES, b"", b"[" * 100_000 + b"\n", 1 << 20)
    return LINES


def like(path, columns, groups=1, **how):
    """Write a table with the schema and metadata of `path`: `columns` of a row group, as often as `groups`."""
    schema = pq.read_schema(path)
    made = pa.schema(schema.remove_metadata())
    with pq.ParquetWriter(path, made, store_schema=False, compression="zstd", **how) as file:
        file.add_key_value_metadata({k.decode(): v.decode() for k, v in schema.metadata.items()})
        for _ in range(groups):
            file.write_table(pa.table(columns(made), schema=made))


def equal_rows(path, n):
    """n times the first row."""
    row = pq.read_table(path).slice(0, 1)

    def columns(schema):
        return [pa.repeat(row[f.name][0], n).cast(f.type) for f in schema]

    return columns


def long_rows(root):
    like(root / LONG, equal_rows(root / LONG, 1 << 20), groups=2)
    return LONG


def long_rows_as_many_as_are_said(root):
    """The dataset says that it has a billion alleles."""
    like(root / LONG, equal_rows(root / LONG, 1 << 20), groups=6)
    rf.edit_json(root / "metadata/dataset.json", lambda said: said.update(number_of_records=bounds.ALLELES))
    return LONG


def wide_rows(root):
    like(root / WIDE, equal_rows(root / WIDE, 1 << 16), groups=2)
    return WIDE


def name_rows(root):
    like(root / NAMES, equal_rows(root / NAMES, 1 << 20), groups=2)
    return NAMES


def of_long_text(path, n):
    """n rows at one place each that have one REF of 8 MB."""
    row = pq.read_table(path).slice(0, 1)

    def columns(schema):
        out = []
        for f in schema:
            if f.name == "ref":
                codes = pa.array(np.zeros(n, dtype=np.int32))
                out.append(pa.DictionaryArray.from_arrays(codes, pa.array(["A" * (8 << 20)])))
            elif f.name == "pos":
                out.append(pa.array(np.arange(1, n + 1), f.type))
            else:
                out.append(pa.repeat(row[f.name][0], n).cast(f.type))
        return out

    return columns


def coded_text(root, name):
    path = root / name
    n, schema = 60, pq.read_schema(path)
    coded = pa.dictionary(pa.int32(), pa.string())
    made = pa.schema([f.with_type(coded) if f.name == "ref" else f for f in schema.remove_metadata()])
    how = {"store_schema": False, "compression": "zstd", "dictionary_pagesize_limit": 1 << 30}
    table = pa.table(of_long_text(path, n)(schema), schema=made)
    with pq.ParquetWriter(path, made, **how) as file:
        file.add_key_value_metadata({k.decode(): v.decode() for k, v in schema.metadata.items()})
        file.write_table(table)
    return name


def long_text(root):
    return coded_text(root, LONG)


def wide_text(root):
    return coded_text(root, WIDE)


def shared_beginnings(root):
    """A page of 8 MB, of texts that each begin as the one before: they unpack to gigabytes."""
    path = root / WIDE
    schema = pq.read_schema(path)
    made = pa.schema(schema.remove_metadata())
    table = pa.table(
        of_long_text(path, 1)(schema),
        schema=pa.schema([f.with_type(pa.dictionary(pa.int32(), pa.string())) if f.name == "ref" else f for f in made]),
    ).cast(made)
    how = {"store_schema": False, "compression": "zstd", "use_dictionary": False}
    with pq.ParquetWriter(path, made, column_encoding={"ref": "DELTA_BYTE_ARRAY"}, **how) as file:
        file.add_key_value_metadata({k.decode(): v.decode() for k, v in schema.metadata.items()})
        file.write_table(pa.concat_tables([table] * 60).combine_chunks())
    return WIDE


def texts_of_one_length(root):
    """A column whose values say by their type how long they are."""
    path = root / WIDE
    table = pq.read_table(path)
    at, n = table.schema.get_field_index("ref"), 1 << 20
    column = pa.repeat(pa.scalar(b"A" * n, pa.binary(n)), table.num_rows)
    pq.write_table(table.set_column(at, "ref", column), path, compression="zstd")
    return WIDE


def callable_text(root):
    """Runs that each name a contig of 8 MB."""
    path = root / f"callable_an/{CONTIG}.parquet"
    schema, row = pq.read_schema(path), pq.read_table(path).slice(0, 1)
    made = schema.remove_metadata()
    coded = pa.schema([f.with_type(pa.dictionary(pa.int32(), pa.string())) if f.name == "contig" else f for f in made])
    n = 120
    codes = pa.array(np.zeros(n, np.int32))
    columns = [
        pa.DictionaryArray.from_arrays(codes, pa.array(["A" * (8 << 20)]))
        if f.name == "contig"
        else pa.repeat(row[f.name][0], n)
        for f in coded
    ]
    how = {"store_schema": False, "compression": "zstd", "dictionary_pagesize_limit": 1 << 30}
    with pq.ParquetWriter(path, coded, **how) as file:
        file.add_key_value_metadata({k.decode(): v.decode() for k, v in schema.metadata.items()})
        file.write_table(pa.table(columns, schema=coded))
    return path.name


def name_text(root):
    return coded_text(root, NAMES)


def long_page(root):
    """A column whose only page unpacks to 512 MB."""
    path = root / LONG
    table = pq.read_table(path)
    at = table.schema.get_field_index("alt")
    big = pa.array(["A" * (512 << 20), *table["alt"].to_pylist()[1:]])
    meta = {k.decode(): v.decode() for k, v in pq.read_schema(path).metadata.items()}
    made = table.set_column(at, table.schema.field(at), big).replace_schema_metadata()
    with pq.ParquetWriter(path, made.schema, store_schema=False, compression="zstd", use_dictionary=False) as file:
        file.add_key_value_metadata(meta)
        file.write_table(made)
    return LONG


def nested(root):
    made = pa.table({"pos": pa.array([[[1] * 10] * 10] * 20)})
    pq.write_table(made, root / LONG)
    return LONG


def many_columns(root):
    pq.write_table(pa.table({f"c{i}": pa.array([1], pa.int8()) for i in range(5000)}), root / WIDE)
    return WIDE


def footer_of_lists(root):
    """A footer that says to have a hundred million row groups."""
    footer = b"\x15\x04\x19\x1c\x48\x01a\x15\x00\x00\x16\x02\x19\xfc\xff\xff\xff\x2f" + bytes(9999)
    (root / LONG).write_bytes(b"PAR1" + footer + struct.pack("<I", len(footer)) + b"PAR1")
    return LONG


def json_depth(root):
    (root / "qc/summary.json").write_text("[" * 200_000)
    return "qc/summary.json"


def json_nested(root):
    """Not too deep for a parser, but for whoever goes down into it."""
    rf.edit_json(root / "qc/summary.json", lambda said: said.update(rounded_to=json.loads("[" * 400 + "]" * 400)))
    return "qc/summary.json"


def json_lists(root):
    (root / "qc/summary.json").write_text("[" + "[]," * 2_600_000 + "[]]")
    return "qc/summary.json"


def json_keys(root):
    rf.edit_json(root / "ledger.json", lambda said: said.update({f"k{i}": 1 for i in range(100_000)}))
    return "ledger.json"


def json_mixed_list(root):
    """Values that cannot be sorted, in a list that has each once."""
    mixed = [i if i % 2 else str(i) for i in range(200_000)]
    rf.edit_json(root / "metadata/dataset.json", lambda said: said.update(formats=mixed))
    return "metadata/dataset.json"


def json_dots(root):
    """A mail address for a slow expression."""
    email = "a@" + "." * 4_000_000 + " "
    rf.edit_json(root / "provenance/config.json", lambda said: said["dataset"]["contact"].update(email=email))
    return "provenance/config.json"


def json_size(root):
    with (root / "metadata/dataset.json").open("a") as out:
        out.write(" " * (9 << 20))
    return "metadata/dataset.json"


def many_contigs(root):
    def change(said):
        said["contigs"] = [{**said["contigs"][0], "name": f"c{i}"} for i in range(50_000)]

    rf.edit_json(root / "metadata/dataset.json", change)
    return "metadata/dataset.json"


def contig_outside(root):
    rf.edit_json(root / "metadata/dataset.json", lambda said: said["contigs"][0].update(name="../../x"))
    return "metadata/dataset.json"


def many_strata(root):
    names = [f"{a}{b}" for a in "ABCDEFGHIJ" for b in "ABCDEFGHIJKLMNOPQRSTUVW"]
    rf.edit_json(root / "metadata/dataset.json", lambda said: said["strata"].update(dict.fromkeys(names, 5)))
    return "metadata/dataset.json"


def text_without_an_address(root):
    """A word of 8 MB and the sign of an address behind it."""
    (root / "README.md").write_text("a" * ((8 << 20) - 10) + " @")
    return "README.md"


def text_of_places(root):
    (root / "README.md").write_text("~/a\n" * (2 << 20))
    return "README.md"


def turtle(root):
    (root / "metadata/healthdcat.ttl").write_text("<a> <b> " + ",".join(map(str, range(2_000_000))) + " .")
    return "metadata/healthdcat.ttl"


def turtle_depth(root):
    (root / "metadata/healthdcat.ttl").write_text("<a> <b> " + "[ <b> " * 100_000)
    return "metadata/healthdcat.ttl"


def crate(root):
    (root / "ro-crate-metadata.json").write_text('{"@graph":[' + "{}," * 5_000_000 + "{}]}")
    return "ro-crate-metadata.json"


def page_chunk(root):
    """A chunk that unpacks to 4 GB."""
    path = root / "report.html"
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = b"\x78\xda" + 256 * (packed.compress(bytes(1 << 24)) + packed.flush(zlib.Z_FULL_FLUSH)) + packed.flush()
    text = path.read_text()
    path.write_text(re.sub(r'(id="chunk-chr20-0">)[^<]*', lambda m: m[1] + b64encode(data).decode(), text))
    return "report.html"


def page_facts(root):
    path = root / "report.html"
    start = '<script type="application/json" id="facts">'
    path.write_text(path.read_text().replace(start, start * 500_000))
    return "report.html"


def page_chunks(root):
    start = '<script type="text/plain" id="chunk-'
    path = root / "report.html"
    path.write_text(path.read_text() + start + "-0" * (12 << 20))
    return "report.html"


def sparse_member(root):
    """A TAR of 10 kB with a member of 8 GB."""
    data = sparse_tar("manifest.json")
    (root / TAR).write_bytes(data)
    return TAR


def pax_header(root):
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 4 << 20
    (root / TAR).write_bytes(info.tobuf(tarfile.GNU_FORMAT) + b"1" * (4 << 20) + bytes(1024))
    return TAR


def many_members(root):
    infos = (tarfile.TarInfo(f"headers/{i:016x}.vcf") for i in range(30_000))
    (root / TAR).write_bytes(b"".join(info.tobuf(tarfile.GNU_FORMAT) for info in infos) + bytes(1024))
    return TAR


def member_rows(root):
    """Millions of equal rows in a data file of the package."""
    with tarfile.open(root / TAR) as archive:
        names = archive.getnames()
        name = next(n for n in names if n.endswith(".parquet"))
        parts = {n: archive.extractfile(n).read() for n in names}
    table = pq.read_table(io.BytesIO(parts[name])).slice(0, 1)
    out, n = io.BytesIO(), 1 << 20
    rows = pa.table([pa.repeat(c[0], n).cast(c.type) for c in table.columns], schema=table.schema)
    with pq.ParquetWriter(out, table.schema, store_schema=False, compression="zstd") as file:
        for _ in range(3):
            file.write_table(rows, row_group_size=n)
    parts[name] = out.getvalue()
    said = json.loads(parts["manifest.json"])
    digest = hashlib.sha256(parts[name]).hexdigest()
    said["payload"]["members"][name] = {"sha256": digest, "size": len(parts[name])}
    parts["manifest.json"] = (json.dumps(said, indent=2, ensure_ascii=False) + "\n").encode()
    (root / TAR).write_bytes(b"".join(tar.stream(parts.items(), tar.GNU)))
    return TAR


def index_bomb(root):
    bgzf(root / f"{ALL}.tbi", b"TBI\1", b"\0", 2 << 30)
    return f"{ALL}.tbi"


def index_counts(root):
    """An index that says to have two billion bins."""
    data = bytearray(gzip.decompress((root / f"{ALL}.tbi").read_bytes()))
    length = struct.unpack_from("<i", data, 32)[0]
    data[36 + length : 40 + length] = struct.pack("<i", 2**31 - 1)
    (root / f"{ALL}.tbi").write_bytes(block(bytes(data)) + block(b""))
    return f"{ALL}.tbi"


def manifest_lines(root):
    (root / manifest.NAME).write_text("".join(f"{i:064x}  f{i}\n" for i in range(2_000_000)))
    return manifest.NAME


def folders(root):
    """1,200 folders within folders, made from inside: no name of the last is short enough."""
    here = Path.cwd()
    try:
        os.chdir(root)
        for _ in range(1200):
            Path("d").mkdir()
            os.chdir("d")
    finally:
        os.chdir(here)
    return "d/"


def files(root):
    (root / "many").mkdir()
    for i in range(bounds.ENTRIES + 1):
        os.mknod(root / f"many/{i}")
    return "files and folders"


def holes(root):
    with (root / ALL).open("r+b") as out:
        out.truncate(1 << 42)
    return ALL


def pipe(root):
    (root / LONG).unlink()
    os.mkfifo(root / LONG)
    return LONG


def a_socket(root):
    (root / ALL).unlink()
    here = Path.cwd()
    try:
        os.chdir(root / "sites")
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(Path(ALL).name)
    finally:
        os.chdir(here)
    return ALL


def link(root):
    (root / TAR).unlink()
    (root / TAR).symlink_to("/dev/zero")
    return TAR


UNSIGNED = (manifest_lines, folders, files, holes, pipe, a_socket, link, json_size)
BOMBS = [
    *(vcf_line, vcf_header_line, vcf_header_lines, vcf_records, vcf_as_bcf, vcf_keys),
    *(beacon_line, beacon_lines, beacon_frequencies, beacon_depth),
    *(shared_beginnings, texts_of_one_length, callable_text),
    *(long_rows, long_rows_as_many_as_are_said, wide_rows, long_text, wide_text, long_page, nested, many_columns),
    *(name_rows, name_text),
    *(
        footer_of_lists,
        json_depth,
        json_nested,
        json_lists,
        json_keys,
        json_mixed_list,
        json_dots,
        many_contigs,
        contig_outside,
    ),
    *(many_strata, text_without_an_address, text_of_places, turtle, turtle_depth, crate),
    *(page_chunk, page_facts, page_chunks, sparse_member, pax_header, many_members, member_rows),
    *(index_bomb, index_counts),
    *UNSIGNED,
]


@pytest.fixture(scope="module")
def checks():
    some = Checks(WHOLE)
    yield some
    some.close()


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.__name__)
def test_a_bomb_ends_in_bounds(checks, root, bomb):
    """It is refused by a problem that names its file, and no process of the check takes a gigabyte."""
    name = bomb(root)
    if bomb not in UNSIGNED:
        rf.sign(root)
    seen = checks(root)
    told = [text for text in seen.problems if name in text]
    print(f"{bomb.__name__}: {seen.first} s, {seen.whole:.1f} s, {seen.peak >> 10} MB: {told[:1]}")
    assert seen.status == 0 and told and all(len(text) < 5000 for text in told)
    assert seen.peak < MEMORY and seen.first < FIRST


# ---- other readers of a folder that somebody else made


def page_of_digits(root):
    """A line of digits, for an expression that looks for sizes."""
    (root / "README.md").write_text("1" * (8 << 20))
    return "README.md"


def half_a_character(root):
    """JSON may name half of a character of 32 bits, which no text has."""
    rf.edit_json(root / "provenance/config.json", lambda said: said["dataset"].update(title="X"))
    path = root / "provenance/config.json"
    path.write_text(path.read_text().replace('"X"', '"\\ud800"'))
    return "provenance/config.json"


def other_encoding(root):
    """A manifest that is no UTF-8."""
    (root / manifest.NAME).write_bytes(b"0" * 64 + b"  \xff\n")
    return manifest.NAME


def words_for_a_terminal(root):
    """A name that clears the screen, another line, and a word that is written from right to left."""
    name = "a\x1b[2J\n0 problems; all 20 checks passed \u202e"
    (root / name).symlink_to("/etc/passwd")
    return "is a link"


def long_filter(root):
    """FILTER of every allele with what a terminal obeys."""
    path = root / WIDE
    table, about = pq.read_table(path), pq.read_schema(path).metadata
    at = table.schema.get_field_index("filter")
    column = pa.repeat(pa.scalar("x\x1b[2J\n"), table.num_rows)
    made = table.set_column(at, table.schema.field(at), column).replace_schema_metadata()
    with pq.ParquetWriter(path, made.schema, store_schema=False) as file:
        file.add_key_value_metadata({"goe": about[b"goe"].decode()})
        file.write_table(made)
    return "x"


def wide_footer(root):
    footer_of_lists(root)
    (root / LONG).replace(root / WIDE)
    return WIDE


def wide_page(root):
    """A column of the wide table whose only page unpacks to 512 MB."""
    path = root / WIDE
    table, about = pq.read_table(path), pq.read_schema(path).metadata
    at = table.schema.get_field_index("alt")
    big = pa.array(["A" * (512 << 20), *table["alt"].to_pylist()[1:]])
    made = table.set_column(at, table.schema.field(at), big).replace_schema_metadata()
    with pq.ParquetWriter(path, made.schema, store_schema=False, compression="zstd", use_dictionary=False) as file:
        file.add_key_value_metadata({"goe": about[b"goe"].decode()})
        file.write_table(made)
    return WIDE


def pipe_of_descriptions(root):
    (root / "qc/summary.json").unlink()
    os.mkfifo(root / "qc/summary.json")
    return "qc/summary.json"


BEFORE = (json_nested, json_lists, pipe_of_descriptions, words_for_a_terminal)
READERS = [
    *((bomb, "lookup") for bomb in (*BEFORE, wide_text, wide_page, wide_footer, wide_rows, callable_text, long_filter)),
    *((bomb, "extract") for bomb in (*BEFORE, wide_text, wide_page, wide_rows, shared_beginnings)),
    *((bomb, "diff") for bomb in (*BEFORE, vcf_line, beacon_line, wide_text, wide_page, long_text, long_page)),
    *((bomb, "diff") for bomb in (callable_text, sparse_member, many_members, page_of_digits, wide_footer, nested)),
    *((bomb, "diff") for bomb in (half_a_character, other_encoding, many_columns, shared_beginnings)),
]


@pytest.mark.parametrize(("bomb", "command"), READERS, ids=lambda one: getattr(one, "__name__", one))
def test_no_command_is_hurt_by_a_release(checks, whole, root, tmp_path, bomb, command):
    """It ends in bounds, in words that a terminal can be given."""
    row = pq.read_table(whole / WIDE).slice(0, 1).to_pylist()[0]
    allele = "-".join(str(row[key]) for key in ("contig", "pos", "ref", "alt"))
    name = bomb(root)
    if bomb not in (*UNSIGNED, words_for_a_terminal, other_encoding, pipe_of_descriptions):
        rf.sign(root)
    if bomb is callable_text:
        allele = "chr20-299-A-C"
    more = {
        "lookup": [root, allele, "--json", tmp_path / "x.json"],
        "extract": [root, "Total", "-o", tmp_path / "x.vcf.gz"],
        "diff": [whole, root, "--json", tmp_path / "x.json"],
    }
    seen = checks.command(command, *more[command])
    said = "\n".join(seen.problems)
    print(f"{bomb.__name__} {command}: {seen.status}, {seen.whole:.1f} s, {seen.peak >> 10} MB: {said[:200]}")
    assert seen.status in (1, 2) and name in said and "Traceback" not in said
    assert all(line.isprintable() and len(line) < 5000 for line in seen.problems)
    assert seen.peak < MEMORY and seen.whole < FIRST
