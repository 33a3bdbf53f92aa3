"""The writer of TARs."""

import hashlib
import io
import os
import subprocess
import tarfile

import pytest
from goe.core import tar
from goe.core.errors import GoeError
from hypothesis import given, settings
from hypothesis import strategies as some


@settings(max_examples=60, deadline=None)
@given(
    contents=some.lists(some.binary(max_size=3000), max_size=5),
    long=some.booleans(),
    style=some.sampled_from([tar.POSIX, tar.GNU]),
)
def test_any_members_are_what_tarfile_writes(tmp_path_factory, contents, long, style):
    """Byte for byte, long names and names that are no ASCII included."""
    folder = tmp_path_factory.mktemp("tar")
    buffer, members = io.BytesIO(), []
    with tarfile.open(fileobj=buffer, mode="w", format=style) as archive:
        for i, data in enumerate(contents):
            name = ("l\u00f6ng/" * 40 if long else "") + str(i)
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
            (folder / str(i)).write_bytes(data)
            os.utime(folder / str(i), (5, 5))
            members.append((name, data if i % 2 else folder / str(i)))
    assert b"".join(tar.stream(members, style)) == buffer.getvalue()


def test_tar_reads_it(tmp_path):
    (tmp_path / "x").write_bytes(b"x" * 3_000_000)
    with (tmp_path / "x.tar").open("wb") as out:
        out.writelines(tar.stream([("a", b"first"), ("b/c", tmp_path / "x")]))
    run = subprocess.run(["tar", "tvf", "x.tar"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in run.stdout.splitlines()] == ["-rw-r--r--"] * 2
    assert [line.split()[-1] for line in run.stdout.splitlines()] == ["a", "b/c"]


def test_a_file_that_changed_is_told_and_nothing_ends_the_archive(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"right")
    digests = {"x": hashlib.sha256(b"right").hexdigest()}
    whole = b"".join(tar.stream([("x", path)], digests=digests))
    assert whole == b"".join(tar.stream([("x", path)]))
    path.write_bytes(b"wrong")
    with pytest.raises(GoeError, match="x: changed while it was packed"):
        b"".join(tar.stream([("x", path)], digests=digests))
    path.write_bytes(b"long" * 1000)
    pieces = tar.stream([("x", path)])
    next(pieces)
    path.write_bytes(b"short")
    with pytest.raises(GoeError, match="x: changed while it was packed"):
        list(pieces)
