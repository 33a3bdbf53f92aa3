"""What the first reads tell, of the demo's own reads."""

import bz2
import gzip
from dataclasses import replace
from itertools import count
from pathlib import Path

import pysam
import pytest
from goe.demo import genome, people, reads
from goe.intake import first_reads
from goe.settings.sheets import Input

N = 600


@pytest.fixture(scope="module")
def pairs():
    whole = reads.simulate(genome.build(1), [], people.roster()[0], 0, 1)
    return reads.Pairs(whole.name[:N], whole.seq[:N], whole.qual[:N], whole.unit[:N])


def fastq(folder, pairs, name):
    paths = [str(folder / f"{name}_{k}.fq.gz") for k in (1, 2)]
    reads.write_fastq(pairs, *map(folder.joinpath, (path.rpartition("/")[2] for path in paths)))
    return paths


def told(*entries):
    """Problems and notes, as text."""
    row = count(2)
    given = [replace(entry, row=next(row)) for entry in entries]
    problems, notes = first_reads.look(given, "inputs.tsv", 2)
    return [str(p) for p in problems], [str(n) for n in notes]


def test_reads_as_they_should_be(tmp_path, pairs):
    reads.write_ubam(pairs.of(0), tmp_path / "u.bam", "A")
    other = replace(pairs, seq=pairs.seq[::-1])
    assert told(Input("B", "fastq", *fastq(tmp_path, other, "b")), Input("A", "ubam", str(tmp_path / "u.bam"))) == (
        [],
        [],
    )


@pytest.mark.parametrize("kind", ["fastq", "ubam"])
def test_qualities_to_which_64_was_added(tmp_path, pairs, kind):
    old = replace(pairs, qual=pairs.qual + 31)
    reads.write_ubam(old, tmp_path / "u.bam", "A")
    paths = fastq(tmp_path, old, "a") if kind == "fastq" else [str(tmp_path / "u.bam")]
    problems, _ = told(Input("A", kind, *paths))
    assert len(problems) == len(paths)
    assert all("base qualities from L to e in its first reads: 64 was added" in text for text in problems)
    assert all("seqtk seq -V -Q64" in text for text in problems)


@pytest.mark.parametrize("qualities", ["F", "F:,#", "IJK", "I@5S", "~"])
def test_qualities_to_which_33_was_added(tmp_path, qualities):
    """Binned, of Illumina, of AVITI; and one value alone, of which nobody can tell, unless it is too high."""
    line = (qualities * 150)[:150]
    path = tmp_path / "a.fq"
    path.write_text("".join(f"@q{i}\n{'ACGTT' * 30}\n+\n{line}\n" for i in range(50)))
    assert bool(told(Input("A", "fastq", str(path)))[0]) == (qualities == "~")


@pytest.mark.parametrize("kind", ["fastq", "ubam"])
def test_the_same_reads_under_another_name(tmp_path, pairs, kind):
    first = fastq(tmp_path, pairs, "a")
    if kind == "fastq":
        renamed = pairs.name.copy()
        renamed[:, 0] = ord("z")
        second = Input("B", "fastq", *fastq(tmp_path, replace(pairs, name=renamed), "b"))
    else:
        reads.write_ubam(pairs, tmp_path / "u.bam", "B")
        second = Input("B", "ubam", str(tmp_path / "u.bam"))
    problems, _ = told(Input("A", "fastq", *first), second)
    assert f"row 3, {second.path}: its first reads are those of {first[0]} (row 2) -> find out whose" in problems[0]
    assert len(problems) == (2 if kind == "fastq" else 1)


def test_read_1_given_as_read_2_too(tmp_path, pairs):
    one, two = fastq(tmp_path, pairs, "a")
    Path(two).write_bytes(Path(one).read_bytes())
    assert "its first reads are those of" in told(Input("A", "fastq", one, two))[0][0]


def test_single_end_reads_of_an_unaligned_bam(tmp_path, pairs):
    with pysam.AlignmentFile(tmp_path / "u.bam", "wb", header={"HD": {"VN": "1.6"}}) as out:
        read = pysam.AlignedSegment(out.header)
        read.query_name, read.query_sequence, read.flag = "q", "ACGT", 4
        out.write(read)
    assert "single-end reads are not taken" in told(Input("A", "ubam", str(tmp_path / "u.bam")))[0][0]


def test_a_library_of_the_sheet_that_is_not_that_of_the_file(tmp_path, pairs):
    reads.write_ubam(pairs, tmp_path / "u.bam", "A")
    path = str(tmp_path / "u.bam")
    assert told(Input("A", "ubam", path, library="lib1"))[0] == []
    assert (
        "library 'lib2' on the sheet, and lib1 in its read groups" in told(Input("A", "ubam", path, "", "lib2"))[0][0]
    )


@pytest.mark.parametrize("kind", ["bam", "cram"])
@pytest.mark.parametrize("tell", ["nothing", "program", "flag"])
def test_duplicates_that_nobody_marked_are_a_note(tmp_path, kind, tell):
    (tmp_path / "ref.fa").write_text(">chr20\n" + "ACGTT" * 100 + "\n")
    pysam.faidx(str(tmp_path / "ref.fa"))
    header = {"HD": {"VN": "1.6", "SO": "coordinate"}, "SQ": [{"SN": "chr20", "LN": 500}]}
    header["PG"] = [{"ID": "bwa", "PN": "bwa"}]
    if tell == "program":
        header["PG"].append({"ID": "x", "PN": "samtools", "CL": "samtools markdup - -"})
    path = str(tmp_path / f"a.{kind}")
    with pysam.AlignmentFile(
        path, "wb" if kind == "bam" else "wc", header=header, reference_filename=str(tmp_path / "ref.fa")
    ) as out:
        for i in range(5):
            read = pysam.AlignedSegment(out.header)
            read.query_name, read.query_sequence, read.flag = (
                f"q{i}",
                "ACGTT" * 4,
                1024 if tell == "flag" and i == 3 else 0,
            )
            read.reference_id, read.reference_start, read.cigarstring, read.mapping_quality = 0, 5 * i, "20M", 60
            out.write(read)
    (tmp_path / "ref.fa").unlink()
    for given in (kind, "coverage"):
        problems, notes = told(Input("A", given, path))
        assert problems == []
        assert len(notes) == (tell == "nothing")
    assert all("none marked in its first 5 records" in note and "samtools markdup" in note for note in notes)


def test_what_cannot_be_read_is_passed_over(tmp_path):
    (tmp_path / "a.bz2").write_bytes(bz2.compress(b"@q\nA\n+\nI\n"))
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"@q\nA\n+\nI\n" * 900)[:30])
    for kind in ("fastq", "ubam", "bam", "cram", "vcf"):
        assert told(*(Input("A", kind, str(tmp_path / name)) for name in ("a.bz2", "b.gz", "none"))) == ([], [])
