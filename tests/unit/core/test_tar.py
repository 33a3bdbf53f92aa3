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


@settings(max_examples=60, deadline=None)
@given(contents=some.lists(some.binary(max_size=3000), min_size=1, max_size=5), style=some.sampled_from([1, 2]))
def test_the_reader_finds_the_members(contents, style):
    data = b"".join(tar.stream([(f"a/{i}", content) for i, content in enumerate(contents)], style))
    found = tar.members(memoryview(data), "x", 5)
    assert [(m.name, data[m.content : m.content + m.size]) for m in found] == [
        (f"a/{i}", content) for i, content in enumerate(contents)
    ]
    assert all(m.plain and m.owner == (0o644, 0, 0, "", "", 0) for m in found)
    assert not any(data[found[-1].end :])


@settings(max_examples=60, deadline=None)
@given(contents=some.lists(some.binary(max_size=3000), max_size=5), long=some.booleans(), data=some.data())
def test_the_reader_of_what_was_written_takes_nothing_else(contents, long, data):
    """Long names too; where a byte of a header is another, it ends there."""
    names = [("long/" * 40 if long else "") + str(i) for i in range(len(contents))]
    whole = b"".join(tar.stream(zip(names, contents, strict=True)))
    found = list(tar.written(memoryview(whole), "x", 5))
    assert [(name, whole[start : start + size]) for name, start, size in found] == list(
        zip(names, contents, strict=True)
    )
    heads = [
        place
        for end, (_, start, _) in zip([0, *(s + n for _, s, n in found)], found, strict=False)
        for place in range(end + -end % 512, start)
    ]
    if heads:
        place, value = data.draw(some.sampled_from(heads)), data.draw(some.integers(0, 255))
        new = bytes([*whole[:place], value, *whole[place + 1 :]])
        try:
            assert new == whole or [*tar.written(memoryview(new), "x", 5)] != found
        except GoeError as error:
            assert error.problems[0].where.startswith("x")


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_SPARSE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.GNUTYPE_LONGNAME])
def test_nothing_but_files_is_taken_for_written(kind):
    info = tarfile.TarInfo("a")
    info.type, info.mode = kind, 0o644
    with pytest.raises(GoeError, match="no plain file inside"):
        list(tar.written(memoryview(info.tobuf() + bytes(1024)), "x", 5))


def test_a_member_that_is_cut_off_and_too_many(tmp_path):
    whole = b"".join(tar.stream([("a", b"1"), ("b", b"2" * 600)]))
    with pytest.raises(GoeError, match="b is cut off"):
        list(tar.written(memoryview(whole)[: 512 * 4], "x", 5))
    with pytest.raises(GoeError, match="more than 1 members"):
        list(tar.written(memoryview(whole), "x", 1))


def made(**header):
    """A TAR of one member whose header has these."""
    info = tarfile.TarInfo("a")
    for key, value in header.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.USTAR_FORMAT) + bytes(512 * 4)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is no uncompressed TAR: it is empty"),
        (bytes(1024), "is no uncompressed TAR: it is empty"),
        (b"x" * 512, "is no uncompressed TAR: the header at byte 0"),
        (made()[:300], "unexpected end of data at byte 0"),
        (made(size=5000), "unexpected end of data: a is cut off"),
        (made(size=512)[:512] + bytes(512) + made(), "x/a: is there twice"),
        (made(name="../a"), "is outside the folder"),
        (made(name="/a"), "is outside the folder"),
        *(
            (made(type=kind), f"x/a: is no plain file: it is {what}")
            for kind, what in (
                (tarfile.LNKTYPE, "a hard link"),
                (tarfile.SYMTYPE, "a link"),
                (tarfile.CHRTYPE, "a device"),
                (tarfile.FIFOTYPE, "a pipe"),
                (tarfile.GNUTYPE_SPARSE, "a sparse file"),
                (tarfile.XHDTYPE, "an extended header"),
                (tarfile.GNUTYPE_LONGNAME, "a header of GNU tar"),
                (b"?", "nothing that is known"),
            )
        ),
        (b"".join(made(name=f"{i}")[:512] for i in range(6)) + bytes(1024), "it has more than 5 members"),
    ],
)
def test_what_is_no_regular_file_is_refused(data, what):
    with pytest.raises(GoeError) as caught:
        tar.members(memoryview(data), "x", 5)
    assert what in str(caught.value)


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
