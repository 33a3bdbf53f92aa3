"""Encrypted files: read back by their recipients, by crypt4gh's own command, and by nobody else."""

import base64
import errno
import hashlib
import io
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from crypt4gh.keys import c4gh
from goe.core.errors import GoeError
from goe.hts import crypt4gh as c4
from hypothesis import given, settings
from hypothesis import strategies as some

SEGMENT = 65536


def make_key(folder: Path, name: str, passphrase: bytes | None = None) -> tuple[Path, Path]:
    """A pair of keys; (secret, public)."""
    secret, public = folder / f"{name}.sec", folder / f"{name}.pub"
    c4gh.generate(str(secret), str(public), passphrase, None)
    return secret, public


def write_key(path: Path, key: bytes, kind: str = "CRYPT4GH PUBLIC") -> Path:
    path.write_bytes(
        b"-----BEGIN %s KEY-----\n%s\n-----END %s KEY-----\n" % (kind.encode(), base64.b64encode(key), kind.encode())
    )
    return path


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return [make_key(folder, name) for name in ("a", "b", "c")]


def files(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


@pytest.mark.parametrize("size", [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT, 2_500_000])
def test_every_recipient_reads_what_was_written(tmp_path, keys, size):
    (tmp_path / "plain").write_bytes(content := os.urandom(size))
    said = c4.encrypt(tmp_path / "plain", tmp_path / "x.c4gh", [keys[0][1], keys[1][1]])
    assert said == (hashlib.sha256(content).hexdigest(), size)
    for secret, _ in keys[:2]:
        c4.decrypt(tmp_path / "x.c4gh", tmp_path / "back", secret)
        assert (tmp_path / "back").read_bytes() == content
    with pytest.raises(GoeError, match="not for this key"):
        c4.decrypt(tmp_path / "x.c4gh", tmp_path / "never", keys[2][0])
    assert files(tmp_path) == {"plain", "x.c4gh", "back"}


@settings(max_examples=60, deadline=None)
@given(pieces=some.lists(some.integers(0, 3 * SEGMENT), max_size=6))
def test_a_stream_in_any_pieces_is_the_same_content(tmp_path_factory, keys, pieces):
    """crypt4gh takes a short read for the end of its input: pieces must not shorten the file."""
    folder = tmp_path_factory.mktemp("pieces")
    parts = [bytes([i]) * n for i, n in enumerate(pieces)]
    c4.encrypt(iter(parts), folder / "x.c4gh", [keys[0][1]])
    c4.decrypt(folder / "x.c4gh", folder / "back", keys[0][0])
    assert (folder / "back").read_bytes() == b"".join(parts)


def test_the_command_line_of_crypt4gh_reads_it_and_we_read_its_files(tmp_path, keys):
    command = shutil.which("crypt4gh", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert command, "the package brings its command"
    content = os.urandom(3 * SEGMENT + 5)
    c4.encrypt([content], tmp_path / "x.c4gh", [keys[0][1], keys[1][1]])
    for secret, _ in keys[:2]:
        with (tmp_path / "x.c4gh").open("rb") as handle:
            done = subprocess.run([command, "decrypt", "--sk", secret], stdin=handle, capture_output=True, check=True)
        assert done.stdout == content
    with (tmp_path / "theirs").open("wb") as out:
        subprocess.run([command, "encrypt", "--recipient_pk", keys[2][1]], input=content, stdout=out, check=True)
    c4.decrypt(tmp_path / "theirs", tmp_path / "back", keys[2][0])
    assert (tmp_path / "back").read_bytes() == content


def test_the_envelope_is_new_every_time_and_shows_nothing(tmp_path, keys):
    content = b"carriers of a rare allele " * 5000
    for name in ("1", "2"):
        c4.encrypt([content], tmp_path / name, [keys[0][1]])
    one, two = ((tmp_path / name).read_bytes() for name in ("1", "2"))
    assert one != two and len(one) == len(two)
    assert one[16:] and b"carriers" not in one
    # The sender's public key stands behind length and method of the packet: it is new as well.
    assert one[24:56] != two[24:56]


def test_no_secret_reaches_a_log(tmp_path, keys, caplog):
    caplog.set_level(logging.DEBUG)
    c4.encrypt([b"x"], tmp_path / "x.c4gh", [keys[0][1]])
    c4.decrypt(tmp_path / "x.c4gh", tmp_path / "back", keys[0][0])
    assert not [r for r in caplog.records if r.name.startswith("crypt4gh")]
    assert logging.getLogger("crypt4gh").level == logging.NOTSET


def test_a_key_with_a_passphrase(tmp_path):
    secret, public = make_key(tmp_path, "locked", b"open sesame")
    c4.encrypt([b"content"], tmp_path / "x.c4gh", [public])
    c4.decrypt(tmp_path / "x.c4gh", tmp_path / "back", secret, "open sesame")
    assert (tmp_path / "back").read_bytes() == b"content"
    with pytest.raises(GoeError, match=r"locked\.sec.*passphrase"):
        c4.decrypt(tmp_path / "x.c4gh", tmp_path / "never", secret, "wrong")
    assert not (tmp_path / "never").exists() and not (tmp_path / "never.part").exists()


def test_a_source_that_fails_leaves_nothing_and_keeps_what_was_there(tmp_path, keys):
    (tmp_path / "x.c4gh").write_bytes(b"before")

    def source():
        yield b"x" * 200_000
        raise OSError("disk is gone")

    with pytest.raises(OSError, match="disk is gone"):
        c4.encrypt(source(), tmp_path / "x.c4gh", [keys[0][1]])
    with pytest.raises(GoeError, match="no such file"):
        c4.encrypt(tmp_path / "absent", tmp_path / "y.c4gh", [keys[0][1]])
    assert files(tmp_path) == {"x.c4gh"} and (tmp_path / "x.c4gh").read_bytes() == b"before"


class Full(io.BytesIO):
    """A disk with room for one write."""

    def write(self, data):
        if self.tell():
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def test_a_full_disk_is_an_error_both_ways(tmp_path, keys, monkeypatch):
    """The package takes any OSError for a pipe whose reader went away, and returns."""
    c4.encrypt([b"x" * 300_000], tmp_path / "x.c4gh", [keys[0][1]])
    real = Path.open

    def opened(path, mode="r", **more):
        if path.suffix == ".part" and "w" in mode:
            path.touch()
            return Full()
        return real(path, mode, **more)

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(OSError, match="No space left"):
        c4.decrypt(tmp_path / "x.c4gh", tmp_path / "back", keys[0][0])
    with pytest.raises(OSError, match="No space left"):
        c4.encrypt([b"x" * 300_000], tmp_path / "y.c4gh", [keys[0][1]])
    assert files(tmp_path) == {"x.c4gh"}


def test_a_writer_that_stops_early_is_noticed(tmp_path, keys, monkeypatch):
    monkeypatch.setattr(c4.lib, "encrypt", lambda keys, source, out: out.write(b"crypt4gh"))
    with pytest.raises(GoeError, match="not written whole"):
        c4.encrypt([b"x"], tmp_path / "x.c4gh", [keys[0][1]])
    assert files(tmp_path) == set()


@pytest.mark.parametrize("where", [0, 20, 60, 200, -1])
def test_a_changed_byte_is_noticed(tmp_path, keys, where):
    c4.encrypt([os.urandom(100_000)], tmp_path / "x.c4gh", [keys[0][1]])
    data = bytearray((tmp_path / "x.c4gh").read_bytes())
    data[where] ^= 1
    (tmp_path / "x.c4gh").write_bytes(data)
    with pytest.raises(GoeError, match=r"x\.c4gh: cannot be decrypted"):
        c4.decrypt(tmp_path / "x.c4gh", tmp_path / "back", keys[0][0])
    assert files(tmp_path) == {"x.c4gh"}


def test_a_cut_file_is_noticed_within_a_segment(tmp_path, keys):
    c4.encrypt([os.urandom(100_000)], tmp_path / "x.c4gh", [keys[0][1]])
    data = (tmp_path / "x.c4gh").read_bytes()
    for size in (10, 100, 1000, len(data) - 5):
        (tmp_path / "x.c4gh").write_bytes(data[:size])
        with pytest.raises(GoeError, match="cannot be decrypted"):
            c4.decrypt(tmp_path / "x.c4gh", tmp_path / "back", keys[0][0])


def test_every_wrong_recipient_is_named_at_once(tmp_path, keys):
    secret, public = keys[0]
    (tmp_path / "text").write_text("hello\n")
    (tmp_path / "ssh.pub").write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVzZXIga2V5IG9mIHNvbWVib2R5IGVs me\n")
    shutil.copy(public, tmp_path / "again.pub")
    paths = [
        public,
        tmp_path / "absent.pub",
        secret,
        tmp_path / "text",
        tmp_path / "ssh.pub",
        write_key(tmp_path / "short.pub", b"x" * 31),
        write_key(tmp_path / "zero.pub", bytes(32)),
        write_key(tmp_path / "one.pub", b"\x01" + bytes(31)),
        write_key(tmp_path / "other.pub", b"x" * 32, "PUBLIC"),
        write_key(tmp_path / "openssh", b"x" * 32, "OPENSSH PRIVATE"),
        tmp_path / "again.pub",
    ]
    (tmp_path / "letters.pub").write_text(public.read_text().replace("\n", "\n*", 1))
    paths.append(tmp_path / "letters.pub")
    told = {Path(p.where).name: p.what for p in c4.recipients_problems(paths)}
    assert told == {
        "absent.pub": "no such file",
        "a.sec": "is a private key",
        "openssh": "is a private key",
        "again.pub": f"is the same key as {public}",
        **dict.fromkeys(
            ("text", "ssh.pub", "short.pub", "zero.pub", "one.pub", "other.pub", "letters.pub"),
            "is no crypt4gh public key",
        ),
    }
    with pytest.raises(GoeError, match="11 problems"):
        c4.encrypt([b"x"], tmp_path / "x.c4gh", paths)
    assert not (tmp_path / "x.c4gh").exists()


def test_nobody_is_no_recipient(tmp_path):
    with pytest.raises(GoeError, match="there is none"):
        c4.encrypt([b"x"], tmp_path / "x.c4gh", [])
    assert files(tmp_path) == set()


def test_good_recipients_have_no_problem_and_a_name(keys):
    assert c4.recipients_problems([public for _, public in keys]) == []
    assert len({c4.fingerprint(public) for _, public in keys}) == 3
    assert c4.fingerprint(keys[0][1]) == hashlib.sha256(c4.public_key(keys[0][1])).hexdigest()


@pytest.mark.parametrize("text", ["", "nothing", "-----BEGIN X-----\nAAAA\n-----END X-----\n"])
def test_what_is_no_private_key(tmp_path, keys, text):
    c4.encrypt([b"x"], tmp_path / "x.c4gh", [keys[0][1]])
    (tmp_path / "key").write_text(text)
    with pytest.raises(GoeError, match="private key"):
        c4.decrypt(tmp_path / "x.c4gh", tmp_path / "back", tmp_path / "key")
    with pytest.raises(GoeError, match="no such file"):
        c4.decrypt(tmp_path / "x.c4gh", tmp_path / "back", tmp_path / "absent")
