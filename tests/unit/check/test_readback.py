"""Released files read back and compared: the same number in every format."""

import gzip
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from goe.check import beacon as beacon_check
from goe.check import readback
from goe.core.errors import GoeError
from goe.genome.build import Build
from goe.release import table as frequency_table
from goe.release.formats import annotations, beacon, sites_vcf
from helpers import blocks as some
from helpers import vcf_cells
from hypothesis import given, settings
from hypothesis import strategies as draw


def pieces(table, ends):
    ends = [0, *sorted(ends), table.num_rows]
    return [table.slice(a, b - a) for a, b in pairwise(ends)]


@pytest.fixture(scope="module")
def table():
    block = some.random_block("chr1", some.sequence(300))
    return readback.expected(block, ("ac", "an", "af"), np.ones(len(block), dtype=bool))


@settings(max_examples=50, deadline=None)
@given(draw.data())
def test_how_a_stream_is_cut_does_not_matter_and_one_change_is_found(table, data):
    n = table.num_rows
    cuts = draw.lists(draw.integers(0, n), max_size=5)
    one, two = pieces(table, data.draw(cuts)), pieces(table, data.draw(cuts))
    assert readback.compare(one, two, "x", ("ac", "an", "af", "ac_hom")) == []
    row = data.draw(draw.integers(0, n - 1))
    name = data.draw(draw.sampled_from(["ac", "an", "pos", "stratum"]))
    values = table[name].to_pylist()
    values[row] = values[row] + 1 if name != "stratum" else "XX"
    changed = table.set_column(
        table.schema.get_field_index(name), name, pa.array(values, table.schema.field(name).type)
    )
    problems = readback.compare(pieces(changed, data.draw(cuts)), two, "x", ("ac", "an", "af"))
    place = f"{table['pos'][row]}:{table['ref'][row]}:{table['alt'][row]} {table['stratum'][row]}"
    assert len(problems) == 1
    assert place in problems[0].what and ("stands where" in problems[0].what) == (name in ("pos", "stratum"))


def test_absent_and_present_numbers_differ(table):
    af = table["af"].to_pylist()
    row = next(i for i, x in enumerate(af) if x is None)
    af[row] = 0.5
    changed = table.set_column(table.schema.get_field_index("af"), "af", pa.array(af, pa.float64()))
    (problem,) = readback.compare([changed], [table], "x", ("af",))
    assert "af is 0.5, expected None" in problem.what


def test_one_format_says_what_the_other_says(tmp_path, repo):
    """The Parquet table, the lines of a Beacon, the companion and both sites VCFs, of the files alone."""
    text = some.sequence(800)
    fasta = some.write_fasta(tmp_path / "r.fa", {"chr1": text})
    block = some.random_block("chr1", text)
    fields = sites_vcf.read_fields(repo / "resources/dictionary/fields.tsv")
    plan = SimpleNamespace(strata=block.strata, people=dict.fromkeys(block.strata, 50))
    with frequency_table.Writer(
        tmp_path / "f.parquet", frequency_table.schema(fields, {}, {s: plan.people[s] for s in plan.strata}, "chr1")
    ) as file:
        file.write(block)
    with beacon.Writer(tmp_path / "b.gz", "D", "small", "chr1", fasta) as file:
        file.write(block)
    build = Build("small", {"chr1": len(text)}, [])
    names = annotations.read_fields()
    with annotations.Writer(tmp_path / "a.body", names, block.strata, build, "chr1", {}) as file:
        file.write(block)
    info = sites_vcf.tags(fields, block.strata)
    with sites_vcf.Body(tmp_path / "s.body") as file:
        file.write(sites_vcf.lines(block, info))
    contigs = [{"name": "chr1", "length": len(text)}]
    for name, tags in (("a", annotations.tags(names, block.strata, ["non_par"])), ("s", info)):
        head = sites_vcf.header("small", contigs, ["HWE", "AC0"], {}, tags)
        sites_vcf.join(head, [tmp_path / f"{name}.body"], tmp_path / f"{name}.vcf.gz")

    def parquet(**only):
        return readback.frequency_table(tmp_path / "f.parquet", **only)

    numbers = tuple(beacon.NUMBERS.values())
    cells = beacon_check.numbers(tmp_path / "b.gz")
    assert readback.compare(cells, parquet(only_passed=True, only_with_af=True), "b", numbers) == []
    cells = vcf_cells.annotations_numbers(tmp_path / "a.vcf.gz", block.strata)
    assert readback.compare(cells, parquet(), "a", ("ac", "an", "af", "nhomalt")) == []
    ids = {(tag.key, tag.stratum): tag.id for tag in info if tag.stratum}
    cells = vcf_cells.vcf_cells(tmp_path / "s.vcf.gz", ids, block.strata)
    assert readback.compare(cells, parquet(), "s", numbers) == []
    assert sum(piece.num_rows for piece in parquet()) == int(block.mask.sum())
    # Not only the same rows, but rows at all of every kind.
    assert 0 < sum(p.num_rows for p in beacon_check.numbers(tmp_path / "b.gz")) < int(block.mask.sum())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("chr1\t5\t.\tA\tC\t.\tPASS\n", "cannot be read"),
        ("chr1\tfive\t.\tA\tC\t.\tPASS\tAC=1\n", "cannot be read"),
        ("chr1\t5\t.\tA\tC\t.\tPASS\tAC=one\n", "cannot be read"),
        ("chr1\t5\t.\tA\tC\t.\tPASS\tAC=1;AC=2\n", "chr1:5:A:C has INFO AC twice"),
    ],
)
def test_a_broken_record_is_refused(tmp_path, line, words):
    path = tmp_path / "x.vcf.gz"
    head = "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    path.write_bytes(gzip.compress((head + "chr1\t4\t.\tA\tC\t.\tPASS\tAC=1;AN=2;X\n" + line).encode()))
    with pytest.raises(GoeError, match=words):
        list(vcf_cells.vcf_cells(path, {("ac", "Total"): "AC", ("an", "Total"): "AN"}, ["Total"]))


@settings(max_examples=100, deadline=None)
@given(draw.lists(draw.dictionaries(draw.sampled_from("ABC"), draw.sampled_from(["1", "0.5", "nan", "", "x", None]))))
def test_numbers_read_together_are_those_read_one_by_one(records):
    """So is what is said of the first that is none."""
    found = {}
    for key in "ABC":
        there = [(row, record[key]) for row, record in enumerate(records) if key in record]
        if there:
            rows, texts = zip(*there, strict=True)
            found[key] = np.array(rows), pa.array(texts, pa.string())
    keys = ("C", "A", "D", "B")
    try:
        right = np.array([readback.numbers_of(found, key, len(records)) for key in keys])
    except pa.ArrowInvalid as error:
        with pytest.raises(pa.ArrowInvalid) as caught:
            readback.numbers(found, keys, len(records))
        assert str(caught.value) == str(error)
    else:
        np.testing.assert_array_equal(readback.numbers(found, keys, len(records)), right)


words = draw.text("ABC=_19é", max_size=4)


@settings(max_examples=200, deadline=None)
@given(draw.lists(draw.dictionaries(words.filter(lambda w: "=" not in w), draw.none() | words, min_size=1), min_size=1))
def test_info_is_read_as_it_stands(records):
    text = [";".join(k if v is None else f"{k}={v}" for k, v in record.items()) for record in records]
    column = pa.chunked_array([pa.array(["behind", *text], pa.string()).slice(1)])
    found = readback._info(pa.table({"info": column}), "x")
    expected = {}
    for row, record in enumerate(records):
        for key, value in record.items():
            expected.setdefault(key, []).append((row, value))
    assert {
        k: list(zip(rows.tolist(), texts.to_pylist(), strict=True)) for k, (rows, texts) in found.items()
    } == expected
    for _, texts in found.values():
        texts.validate(full=True)


def test_more_keys_than_any_release_has_are_refused():
    table = pa.table({"info": pa.array([";".join(f"K{i}" for i in range(n)) for n in (10, 5000)])})
    with pytest.raises(GoeError, match="more than 4096 INFO keys"):
        readback._info(table, "x")


def test_flags_and_keys_without_a_value(tmp_path):
    path = tmp_path / "x.vcf.gz"
    head = "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    records = "chr1\t4\t.\tA\tC\t.\tPASS\tAC=1;X\nchr1\t5\t.\tA\tC\t.\tq;r\tX;Y=a=b\n"
    path.write_bytes(gzip.compress((head + records).encode()))
    ((table, found),) = readback.vcf_records(path)
    assert table["filter"].to_pylist() == ["PASS", "q;r"]
    assert {key: (rows.tolist(), texts.to_pylist()) for key, (rows, texts) in found.items()} == {
        "AC": ([0], ["1"]),
        "X": ([0, 1], [None, None]),
        "Y": ([1], ["a=b"]),
    }
    path.write_bytes(gzip.compress(head.encode()))
    assert list(readback.vcf_records(path)) == []
