"""A dataset that somebody else sent to be added up, and a collection that somebody else made, hurt nobody.

As tests/faults/test_hostile.py: each is small, and would take gigabytes, hours or the disk.
"""

import json
import os
import shutil
import zlib
from base64 import b64encode

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from crypt4gh.keys import c4gh
from goe.collect import check, folder, public_sum
from goe.collect.comparison import files as comparison_files
from goe.collect.comparison import lookup
from goe.core import manifest
from goe.hts import crypt4gh
from helpers import collection_folder
from helpers import release_folder as rf
from helpers.bombs import bgzf, sparse_tar
from helpers.checks import Checks

COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
MEMORY = 1000 << 10
SECONDS = 10
SUMS, APART, TESTS = (f"{place}/chr20.parquet" for place in ("frequencies", "datasets", "comparison"))


@pytest.fixture(scope="module")
def checks():
    some = Checks(60)
    yield some
    some.close()


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    root = tmp_path_factory.mktemp("keys")
    c4gh.generate(str(root / "a.sec"), str(root / "a.pub"), None, None)
    return root / "a.sec", root / "a.pub"


# ---- datasets


def strata_of_a_header(root, keys):
    """A place for six numbers of two thousand strata at each of a hundred thousand short records."""
    names = [f"{a}{b}{sex}" for a in "ABCDEFGHIJKLM" for b in "ABCDEFGHIJKLMNOPQRSTUVW" for sex in ("", "_M", "_F")]
    tags = ["AC", "AN", *(f"{key}_{name}" for name in names for key in ("AC", "AN"))]
    info = "".join(f'##INFO=<ID={tag},Number=1,Type=Integer,Description="x">\n' for tag in tags)
    head = f"##fileformat=VCFv4.3\n##contig=<ID=chr20,length=64444167>\n{info}{COLUMNS}"
    bgzf(root / "x.vcf.gz", head.encode(), b"chr20\t5\t.\tA\tC\t.\tPASS\t.\n", 64 << 20)
    return root / "x.vcf.gz", "strata"


def a_line_of_a_vcf(root, keys):
    head = b"##fileformat=VCFv4.3\n##contig=<ID=chr20,length=64444167>\n"
    head += (
        b'##INFO=<ID=AC,Number=1,Type=Integer,Description="x">\n##INFO=<ID=AN,Number=1,Type=Integer,Description="x">\n'
    )
    head += COLUMNS.encode() + b"chr20\t5\t.\tA\tC\t.\tPASS\tAC=1"
    bgzf(root / "x.vcf.gz", head, b"A", 200 << 20)
    return root / "x.vcf.gz", "cannot be read"


def length_of_a_contig(root, keys):
    """A number of more digits than Python turns into one."""
    head = f"##fileformat=VCFv4.3\n##contig=<ID=chr20,length={'9' * 5000}>\n".encode()
    head += (
        b'##INFO=<ID=AC,Number=1,Type=Integer,Description="x">\n##INFO=<ID=AN,Number=1,Type=Integer,Description="x">\n'
    )
    bgzf(root / "x.vcf.gz", head + COLUMNS.encode(), b"\n", 100)
    return root / "x.vcf.gz", "no primary contig"


def holes_of_a_vcf(root, keys):
    with (root / "x.vcf.gz").open("wb") as out:
        out.truncate(1 << 42)
    return root / "x.vcf.gz", "were never written"


def a_package_with_a_pipe(root, keys):
    name = "GOE-EE-EXAMPLE-20260301093000000"
    (root / name).mkdir()
    os.mkfifo(root / name / "manifest.json")
    return root / name, "is no file"


def a_package_of_folders(root, keys):
    deep = root / "GOE-EE-EXAMPLE-20260301093000000"
    (deep / "d/" / "/".join("d" * 40)).mkdir(parents=True)
    (deep / "manifest.json").write_text("{}")
    return deep, "folder within folders"


def a_sparse_member(root, keys):
    """A member of 8 GB in a restricted product of 10 kB: unpacked, it is that on the disk."""
    data = sparse_tar("GOE-EE-EXAMPLE-20260301093000000.restricted/frequencies/chr20.parquet")
    target = root / "x.restricted.tar.c4gh"
    crypt4gh.encrypt([data], target, [keys[1]])
    return target, "no plain file inside"


def packets_of_a_header(root, keys):
    target = root / "x.restricted.tar.c4gh"
    target.write_bytes(b"crypt4gh" + (1).to_bytes(4, "little") + b"\xff" * 8 + bytes(1 << 20))
    return target, "cannot be decrypted"


DATASETS = (strata_of_a_header, a_line_of_a_vcf, length_of_a_contig, holes_of_a_vcf, a_package_with_a_pipe)
DATASETS += (a_package_of_folders, a_sparse_member, packets_of_a_header)


@pytest.mark.parametrize("bomb", DATASETS, ids=lambda bomb: bomb.__name__)
def test_a_dataset_is_refused_in_words(checks, keys, tmp_path, bomb):
    (tmp_path / "in").mkdir()
    path, words = bomb(tmp_path / "in", keys)
    out = tmp_path / "out"
    more = ["--counted-by", "x", "--key", keys[0], "--legal-basis", "y"]
    seen = checks.command("merge", f"EE={path}", "-o", out, *more)
    said = "\n".join(seen.problems)
    print(f"{bomb.__name__}: {seen.status}, {seen.whole:.1f} s, {seen.peak >> 10} MB: {said[:200]}")
    assert seen.status == 2 and words in said and "Traceback" not in said
    assert seen.peak < MEMORY and seen.whole < SECONDS
    assert {p.name for p in tmp_path.iterdir()} == {"in"}


# ---- collections


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return collection_folder.whole(tmp_path_factory.mktemp("collection"))


@pytest.fixture
def root(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "copy")
    return tmp_path / "copy"


def _table(path, change, **how):
    """Write a table again with other columns, by `change(name, column) -> column`."""
    table, about = pq.read_table(path), pq.read_schema(path).metadata
    made = pa.table({name: change(name, table[name]) for name in table.column_names})
    with pq.ParquetWriter(path, made.schema, store_schema=False, compression="zstd", **how) as file:
        file.add_key_value_metadata({"goe": about[b"goe"].decode()})
        file.write_table(made)


def _long(name):
    """Makes the column of a table one of 8 MB a row, and the others those of the first row."""

    def change(column, values):
        if column != name:
            return pa.repeat(values[0], len(values))
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(values), np.int32)), pa.array(["A" * (8 << 20)]))

    return change


def text_of_sums(root):
    _table(root / SUMS, _long("ref"), dictionary_pagesize_limit=1 << 30)
    return SUMS


def text_of_datasets(root):
    _table(root / APART, _long("alt"), dictionary_pagesize_limit=1 << 30)
    return APART


def text_of_tests(root):
    _table(root / TESTS, _long("ref"), dictionary_pagesize_limit=1 << 30)
    return TESTS


def rows_of_sums(root):
    _table(root / SUMS, lambda name, values: pa.repeat(values[0], 1 << 20))
    return SUMS


def columns_of_datasets(root):
    table = pa.table({f"c{i}": pa.array([1], pa.int8()) for i in range(5000)})
    pq.write_table(table, root / APART)
    return APART


def a_contig_outside(root):
    rf.edit_json(root / folder.ABOUT, lambda said: said.update(contigs_with_alleles=[".."]))
    return folder.ABOUT


def many_datasets(root):
    def change(said):
        said["sources"] = [{**said["sources"][0], "number": i + 1} for i in range(3000)]

    rf.edit_json(root / folder.ABOUT, change)
    return folder.ABOUT


def depth_of_the_description(root):
    (root / folder.ABOUT).write_text("[" * 100_000)
    return folder.ABOUT


def a_long_contig(root):
    """So many blocks of the genome that their sums are terabytes."""
    rf.edit_json(root / folder.ABOUT, lambda said: said["contigs"][0].update(length=1 << 50))
    return folder.ABOUT


def small_blocks(root):
    rf.edit_json(root / folder.ABOUT, lambda said: said["contigs"][0].update(length=(1 << 31) - 1))
    rf.edit_json(root / comparison_files.STATISTICS, lambda said: said["thresholds"].update(block_size=10_000))
    return "collection.html"


def depth_of_statistics(root):
    (root / comparison_files.STATISTICS).write_text("[" * 100_000)
    return comparison_files.STATISTICS


def a_chunk(root):
    """A chunk of the page of a billion alleles that take no bytes."""
    said = json.loads((root / comparison_files.STATISTICS).read_text())
    head = {"n": 10**9, "pairs": ["A>C"], "filters": ["PASS"], "status": ["P"], "columns": [[1, 0, 0]] * 100}
    text = json.dumps(head).encode()
    raw = len(text).to_bytes(4, "little") + text
    index = said["page"][0]
    index["chunks"][0][4] = zlib.adler32(raw)
    path = root / lookup.names(index)[0]
    before = path.read_text()
    *_, chunks = json.loads("[" + before.removeprefix("goeLookup(").removesuffix(");\n") + "]")
    path.write_text(before.replace(chunks[0], b64encode(zlib.compress(raw)).decode()))
    rf.edit_json(root / comparison_files.STATISTICS, lambda said: said.update(page=[index]))
    return "no size of a chunk"


def words_for_a_terminal(root):
    (root / "a\x1b[2J").write_text("x")
    return "a\\x1b[2J"


def a_pipe(root):
    (root / SUMS).unlink()
    os.mkfifo(root / SUMS)
    return SUMS


def public_text(root):
    """A folder that says to be a public sum."""
    (root / public_sum.ABOUT).write_text(json.dumps({"contigs_with_alleles": ["chr20"], "number_of_records": 10**12}))
    text_of_sums(root)
    return SUMS


COLLECTIONS = (text_of_sums, text_of_datasets, text_of_tests, rows_of_sums, columns_of_datasets, a_contig_outside)
COLLECTIONS += (many_datasets, depth_of_the_description, a_long_contig, small_blocks, depth_of_statistics, a_chunk)
COLLECTIONS += (words_for_a_terminal, a_pipe, public_text)


@pytest.mark.parametrize("bomb", COLLECTIONS, ids=lambda bomb: bomb.__name__)
def test_a_collection_is_refused_in_words(checks, root, bomb):
    name = bomb(root)
    if bomb is not a_pipe:
        (root / manifest.NAME).unlink()
        manifest.write(root, manifest.files(root))
    seen = checks.command("check", root)
    said = "\n".join(seen.problems)
    told = [line for line in seen.problems if name in line]
    print(f"{bomb.__name__}: {seen.status}, {seen.whole:.1f} s, {seen.peak >> 10} MB: {told[:1]}")
    assert seen.status == 1 and told and "Traceback" not in said
    assert all(line.isprintable() and len(line) < 5000 for line in seen.problems)
    assert seen.peak < MEMORY and seen.whole < SECONDS


def test_the_collection_is_whole(root):
    assert all(result.passed for result in check.run(root))
