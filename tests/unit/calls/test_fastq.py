"""Reads of FASTQ files are counted from the files: whole, cut, and with those that failed the sequencer's filter."""

import gzip

import pytest
from goe.calls import fastq
from goe.core.errors import GoeError


def read(i: int, comment: bytes = b"", bases: bytes = b"ACGTN") -> bytes:
    return b"@q%d%s\n%s\n+\n%s\n" % (i, comment, bases, b"I" * len(bases))


def write(path, data: bytes):
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["a.fq", "a.fq.gz"])
@pytest.mark.parametrize("n", [0, 1, 7])
def test_what_a_file_holds(tmp_path, name, n):
    assert fastq.held(write(tmp_path / name, b"".join(map(read, range(n))))) == fastq.Held(n, 0)


def test_several_gzip_members_windows_ends_blank_lines_and_a_last_read_without_bases(tmp_path):
    two = gzip.compress(read(1)) + gzip.compress(read(2))
    (tmp_path / "a.fq.gz").write_bytes(two)
    assert fastq.held(tmp_path / "a.fq.gz").reads == 2
    for data, n in (
        (read(1).replace(b"\n", b"\r\n"), 1),
        (read(1) + b"\n\n", 1),
        (read(1)[:-1], 1),
        (read(1) + read(2, bases=b""), 2),
        (b"@q\n@CGT\n+\n@@@@\n", 1),
    ):
        assert fastq.held(write(tmp_path / "b.fq", data)).reads == n, data


def test_a_file_that_ends_within_a_read(tmp_path):
    whole = read(1) + read(2)
    for end in range(len(read(1)) + 1, len(whole) - 1):
        with pytest.raises(GoeError, match="ends within its read 2 -> copy the file again"):
            fastq.held(write(tmp_path / "a.fq", whole[:end]))


def test_a_gzip_that_is_cut_or_damaged(tmp_path):
    data = gzip.compress(b"".join(map(read, range(5000))))
    for broken in (data[:-200], data[: len(data) // 2] + b"xxxxxxxx" + data[len(data) // 2 + 8 :]):
        (tmp_path / "a.fq.gz").write_bytes(broken)
        with pytest.raises(GoeError, match="cannot be read to its end"):
            fastq.held(tmp_path / "a.fq.gz")


def test_files_of_other_numbers_of_reads_are_no_pair(tmp_path):
    one = write(tmp_path / "1.fq.gz", b"".join(map(read, range(20))))
    two = write(tmp_path / "2.fq.gz", b"".join(map(read, range(18))))
    with pytest.raises(GoeError, match=r"holds 20 reads, and .* the 18 second reads of the pairs"):
        fastq.held_by_pair(one, two)


@pytest.mark.parametrize("chunk", [1, 3, 7, 64, 1 << 20])
def test_reads_that_failed_are_counted_wherever_a_chunk_ends(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr(fastq, "_CHUNK", chunk)
    marks = [b" 1:N:0:ACGT", b" 1:Y:0:ACGT", b"", b" 1:Y:18:ACGT", b" 1:N:0:Y"]
    path = write(tmp_path / "a.fq", b"".join(read(i, mark) for i, mark in enumerate(marks)))
    assert fastq.held(path) == fastq.Held(5, 2)


def test_pairs_that_passed(tmp_path):
    one = write(tmp_path / "1.fq", read(1, b" 1:N:0:A") + read(2, b" 1:Y:0:A") + read(3, b" 1:N:0:A"))
    two = write(tmp_path / "2.fq", read(1, b" 2:N:0:A") + read(2, b" 2:Y:0:A") + read(3, b" 2:N:0:A")[:-1])
    assert b"".join(fastq.passing(one, two)) == b"".join(read(i, b" %d:N:0:A" % end) for i in (1, 3) for end in (1, 2))
