"""Encrypted inputs as everything that reads them gets them: the same bytes, or a problem, and nothing on a disk."""

import io
import os
import random
import subprocess
import threading
from pathlib import Path

import pysam
import pytest
from crypt4gh import header, lib
from goe.core import processes
from goe.core.errors import GoeError
from goe.core.imports import UNUSED, without
from goe.hts import bgzf, crypt4gh, plain
from helpers.encrypted import WORDS, Owner

SEGMENT, SEALED = 65536, 65536 + 28
CRAM_EOF = bytes.fromhex("0f000000ffffffff0fe0454f4600000000010005bdd94f0001000606010001000100ee63014b")


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Owner.made(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def own(keys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return keys.told(monkeypatch)


def written(own: Owner, content: bytes, name: str = "x") -> str:
    Path(name).write_bytes(content)
    return own.encrypt(name)


def told(path: str) -> str:
    with pytest.raises(GoeError) as error, plain.opened(path) as file:
        file.read()
    return str(error.value)


@pytest.mark.parametrize("size", [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT, 1_000_001])
def test_every_byte_is_where_it_was(own, size):
    content = random.Random(size).randbytes(size)
    path, chance = written(own, content), random.Random(1)
    with plain.opened(path) as file:
        assert file.read() == content and file.seek(0, os.SEEK_END) == size and file.read(1) == b""
        for _ in range(60):
            at, n = chance.randrange(size + 1), chance.choice([1, 100, SEGMENT, 200_000])
            assert file.seek(at) == at and file.read(n) == content[at : at + n] and file.tell() == min(size, at + n)
    assert processes.said("wc", "-c", plain.word(path)).split()[0] == str(size)


def test_a_plain_file_is_itself(own):
    Path("x").write_bytes(b"text")
    assert (plain.word("x"), plain.name("x.bam.c4gh"), plain.name("x.bam")) == ("x", "x.bam", "x.bam")
    with plain.opened("x") as file, plain.piped("x") as source:
        assert (file.read(), source) == (b"text", "x")


def test_a_command_reads_several_files_at_once(own):
    """`paste` takes a line of each in turn: more than a pipe holds waits for the other one."""
    one, two = (written(own, b"".join(b"%d\n" % i for i in range(first, 300_000, 2)), f"{first}") for first in (0, 1))
    with processes.reading("paste", "-d", "\\n", plain.word(one), plain.word(two)) as lines:
        assert lines.read() == b"".join(b"%d\n" % i for i in range(300_000))


def test_files_of_many_threads(own):
    """One key, one log of the package that is quiet meanwhile."""
    content = os.urandom(5 * SEGMENT)
    path, found = written(own, content), []

    def read():
        with plain.opened(path) as file:
            found.append(file.read() == content)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 8


def test_a_job_that_has_no_cffi_decrypts(own):
    """`goe.core.imports`: of what a job imports late."""
    path = written(own, b"content")
    code = f"import sys; sys.path.insert(0, {str(Path(crypt4gh.__file__).parents[2])!r})\n"
    code += "from goe.core.imports import UNUSED, without\nfrom goe.hts import plain\nwith without(*UNUSED):\n"
    code += f" print(plain.opened({path!r}).read())"
    assert subprocess.run(["python", "-c", code], capture_output=True, text=True).stdout == "b'content'\n"
    with without(*UNUSED):
        assert processes.said("cat", plain.word(path)) == "content"


# Keys


def test_without_a_key(own, monkeypatch):
    path = written(own, b"x")
    monkeypatch.delenv("C4GH_SECRET_KEY")
    assert "C4GH_SECRET_KEY is not set in the environment -> export the path" in told(path)
    monkeypatch.setenv("C4GH_SECRET_KEY", "/nowhere.sec")
    assert "C4GH_SECRET_KEY /nowhere.sec: no such file" in told(path)
    monkeypatch.setenv("C4GH_SECRET_KEY", str(own.public))
    assert "cannot be read as a private key" in told(path)
    assert plain.key_problems(["a.bam"]) == []
    assert [p.what for p in plain.key_problems(["a.bam", path])] == ["cannot be read as a private key"]


def test_a_locked_key(own, monkeypatch, capfd):
    path = written(own, b"content")
    monkeypatch.setenv("C4GH_PASSPHRASE", WORDS)
    monkeypatch.delenv("C4GH_ASKPASS")
    assert processes.said("cat", plain.word(path)) == "content"
    monkeypatch.setenv("C4GH_PASSPHRASE", "wrong words")
    assert "cannot be read as a private key -> is the passphrase right?" in told(path)
    monkeypatch.delenv("C4GH_PASSPHRASE")
    assert "is locked with a passphrase -> export C4GH_ASKPASS, a program that prints its passphrase" in told(path)
    monkeypatch.setenv("C4GH_ASKPASS", "/nowhere/ask")
    assert "C4GH_ASKPASS /nowhere/ask: does not start: No such file or directory" in told(path)
    Path("failing").write_text(f"#!/bin/sh\necho '{WORDS}' >&2\nexit 3\n")
    Path("failing").chmod(0o700)
    monkeypatch.setenv("C4GH_ASKPASS", "./failing")
    said = told(path)
    assert "C4GH_ASKPASS ./failing: ended with status 3 -> call it yourself" in said
    assert WORDS not in said + "".join(capfd.readouterr())


def test_the_program_is_asked_once_a_process(own, monkeypatch):
    path = written(own, b"x")
    Path("ask").write_text(f"#!/bin/sh\necho asked >> asked\nprintf '%s' '{WORDS}'\n")
    Path("ask").chmod(0o700)
    monkeypatch.setenv("C4GH_ASKPASS", "./ask")
    for _ in range(3):
        assert processes.said("cat", plain.word(path)) == "x"
    assert Path("asked").read_text() == "asked\n"


def test_a_key_of_somebody_else(own, monkeypatch, tmp_path):
    path = written(own, b"x")
    Owner.made(tmp_path / "other", locked=False).told(monkeypatch)
    said = told(path)
    assert f"{path}: not for this key: none of its 1 recipients is the owner of C4GH_SECRET_KEY" in said


# Files


def test_what_is_no_crypt4gh(own):
    Path("x.c4gh").write_bytes(b"\x1f\x8b" + bytes(100))
    assert "x.c4gh: is not encrypted with Crypt4GH" in told("x.c4gh")
    Path("x.c4gh").write_bytes(b"crypt4gh\2\0\0\0\1\0\0\0")
    assert "is of version 2 of Crypt4GH" in told("x.c4gh")
    Path("x.c4gh").write_bytes(b"crypt4gh\1\0\0\0\1\0\0\0\xff\xff\xff\xff")
    assert "its header cannot be read" in told("x.c4gh")
    whole = Path(written(own, b"x" * 100, "y")).read_bytes()
    for size in (20, 60, 123):
        Path("y.c4gh").write_bytes(whole[:size])
        assert "y.c4gh: its header cannot be read" in told("y.c4gh")


def test_a_part_of_a_file_is_not_taken_for_it(own):
    """`crypt4gh rearrange` leaves an edit list, and the segments that it touches whole."""
    path, key = written(own, os.urandom(3 * SEGMENT)), crypt4gh.own_key()
    me = [(0, key, crypt4gh.public_key(own.public))]
    with Path(path).open("rb") as source, Path("part.c4gh").open("wb") as out:
        lib.rearrange(me, source, out, offset=10, span=100)
    assert "part.c4gh: has an edit list" in told("part.c4gh")


def test_segments_under_several_keys(own):
    """As files that were put together have them."""
    one, two = (Path(written(own, bytes([i]) * SEGMENT, f"{i}")).read_bytes() for i in (1, 2))
    length = len(one) - SEALED
    packets = [packet for file in (one, two) for packet in header.parse(io.BytesIO(file))]
    Path("both.c4gh").write_bytes(header.serialize(packets) + two[length:] + one[length:] + two[length:])
    with plain.opened("both.c4gh") as file:
        assert file.read() == b"\2" * SEGMENT + b"\1" * SEGMENT + b"\2" * SEGMENT


@pytest.mark.parametrize("segment", [0, 2, 3])
def test_a_flipped_bit_stops_before_the_segment_is_given(own, segment):
    content = os.urandom(3 * SEGMENT + 500)
    path = Path(written(own, content))
    data = bytearray(path.read_bytes())
    data[len(data) - (3 * SEALED + 528) + segment * SEALED + 300] ^= 1
    path.write_bytes(data)
    assert f"x.c4gh: its segment {segment + 1} of 4 cannot be decrypted: " in told("x.c4gh")
    with plain.opened(path) as file:
        assert file.read(segment * SEGMENT) == content[: segment * SEGMENT]
    # Whatever the command made of what came before.
    with pytest.raises(GoeError, match=r"x\.c4gh: its segment"):
        processes.said("cat", plain.word("x.c4gh"))
    with pytest.raises(GoeError, match=r"x\.c4gh: its segment"), plain.piped(plain.word("x.c4gh")) as pipe:
        pipe.read()


@pytest.mark.parametrize("left", [1, 28, 29, 1000])
def test_cut_within_a_segment(own, left):
    path = Path(written(own, os.urandom(2 * SEGMENT)))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - SEALED + left])
    assert "x.c4gh: its segment 2 of 2 cannot be decrypted: cut off, or damaged" in told("x.c4gh")


@pytest.mark.parametrize("end", [bgzf.EOF, CRAM_EOF])
def test_cut_between_segments_what_is_inside_tells(own, end):
    start = bgzf.EOF if end == bgzf.EOF else b"CRAM\3\0" + bytes(30)
    content = (start + os.urandom(2 * SEGMENT))[: 2 * SEGMENT] + bytes(300) + end
    path = Path(written(own, content))
    assert len(processes.said("wc", "-c", plain.word(path)).split()[0]) == 6
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - 28 - 300 - len(end)])
    with plain.opened(path) as file:
        assert not plain.is_whole(file) and file.read() == content[: 2 * SEGMENT]
    with pytest.raises(GoeError, match=r"x\.c4gh: truncated: the end-of-file block is missing"):
        processes.said("cat", plain.word(path))


def test_htslib_reads_from_a_pipe_and_may_leave_early(own):
    text = "@SQ\tSN:c\tLN:9\n" + "".join(f"r{i}\t4\t*\t0\t0\t*\t*\t0\t0\tACGT\tIIII\n" for i in range(200_000))
    subprocess.run(["samtools", "view", "-b", "-o", "x.bam", "-"], input=text.encode(), check=True)
    path = own.encrypt("x.bam")
    with plain.piped(plain.word(path)) as source, pysam.AlignmentFile(source, check_sq=False) as file:
        assert next(iter(file)).query_name == "r0"
    assert processes.said("samtools", "head", "-h", "0", "-n", "1", plain.word(path)).startswith("r0\t")
