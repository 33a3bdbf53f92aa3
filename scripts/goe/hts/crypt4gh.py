"""Files encrypted for named recipients in the crypt4gh format (GA4GH File Encryption Standard, version 1).

Each file gets a fresh sender key and session key, which live in memory only: what is encrypted can be read by the
recipients and by nobody else, not even by who wrote it. The content is that of the source; the envelope differs
every time, as the standard asks.
"""

import base64
import binascii
import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crypt4gh import SEGMENT_SIZE, header, lib
from crypt4gh.keys import get_private_key

from goe.core.errors import GoeError, Problem, stop_on
from goe.core.files import draft

PIECE = 1 << 20
KEY_BYTES = 32
# A header packet of X25519 and ChaCha20-Poly1305: length, method, sender's key, nonce, type, method, key, MAC.
_HEAD, _PACKET = 16, 4 + 4 + 32 + 12 + 4 + 4 + 32 + 16
_MAKE = "ask the recipient for the public key that crypt4gh-keygen made"


def encrypt(
    source: str | Path | Iterable[bytes], target: str | Path, recipients: Sequence[str | Path]
) -> tuple[str, int]:
    """Encrypt a file, or a stream of bytes, for the owners of the public keys `recipients`.

    Returns SHA-256 (hex) and size in bytes of the content. Memory is that of one piece. `target` is there only
    when everything was written: GoeError for keys that cannot be used, and whatever the source raises, leave none
    behind, nor a part of one.
    """
    stop_on(recipients_problems(recipients))
    keys = [(0, os.urandom(KEY_BYTES), public_key(path)) for path in recipients]
    reader = _Reader(_pieces(Path(source)) if isinstance(source, str | Path) else source)
    target = Path(target)
    with _quiet(), draft(target) as part:
        with part.open("wb") as out:
            _loud(lib.encrypt, keys, reader, out)
        size = _HEAD + _PACKET * len(keys) + reader.size + lib.CIPHER_DIFF * -(-reader.size // SEGMENT_SIZE)
        if not reader.finished or part.stat().st_size != size:
            raise GoeError(Problem(str(target), "was not written whole", "a fault in crypt4gh: please report it"))
    return reader.digest.hexdigest(), reader.size


def decrypt(source: str | Path, target: str | Path, secret_key: str | Path, passphrase: str = "") -> None:
    """Decrypt a file with the private key file `secret_key`.

    GoeError when the key cannot be read or does not fit, or a byte was changed; there is no target then. The format
    does not say how long its content is: a file that was cut between two segments of 64 KiB decrypts without an
    error, so what is inside has to tell its own end (as a TAR with a manifest does).
    """
    source, target = Path(source), Path(target)
    stop_on([Problem(str(p), "no such file", "give its path") for p in (source, Path(secret_key)) if not p.is_file()])
    with _quiet(), draft(target) as part:
        try:
            # The package ends the process when the passphrase is wrong.
            key = get_private_key(str(secret_key), lambda: passphrase)
        except (SystemExit, Exception) as error:
            raise GoeError(
                Problem(str(secret_key), "cannot be read as a private key", "is the passphrase right?")
            ) from error
        with source.open("rb") as cipher, part.open("wb") as plain:
            try:
                _loud(lib.decrypt, [(0, bytes(key), None)], cipher, plain)
            except (ValueError, AssertionError) as error:
                raise GoeError(
                    Problem(
                        str(source),
                        "cannot be decrypted: damaged, or not for this key",
                        "compare its SHA-256 with the sender's, and the key with the recipients it was made for",
                    )
                ) from error


def recipients_problems(paths: Sequence[str | Path]) -> list[Problem]:
    """Everything that is wrong with a list of public key files; empty when all can be encrypted for."""
    if not paths:
        return [Problem("recipients", "there is none", "name at least one public key, or take the section out")]
    problems = []
    seen: dict[bytes, str | Path] = {}
    for path in paths:
        try:
            key = public_key(path)
        except GoeError as error:
            problems += error.problems
            continue
        if key in seen:
            problems.append(Problem(str(path), f"is the same key as {seen[key]}", "name each recipient once"))
        else:
            seen[key] = path
    return problems


def public_key(path: str | Path) -> bytes:
    """The 32 bytes of a crypt4gh public key file; GoeError when it is none."""
    where = str(path)
    if not Path(path).is_file():
        raise GoeError(Problem(where, "no such file", f"give the path of a public key; {_MAKE}"))
    # A key file has three short lines: a data file named by mistake is not read whole.
    with Path(path).open("rb") as handle:
        lines = [line.strip() for line in handle.read(10_000).splitlines() if line.strip()]
    if any(b"PRIVATE KEY" in line for line in lines):
        raise GoeError(
            Problem(where, "is a private key", "name the public key, and see that nobody else can read this file")
        )
    fault = GoeError(Problem(where, "is no crypt4gh public key", _MAKE))
    if len(lines) < 3 or lines[0] != b"-----BEGIN CRYPT4GH PUBLIC KEY-----" or not lines[-1].startswith(b"-----END "):
        raise fault
    try:
        key = base64.b64decode(b"".join(lines[1:-1]), validate=True)
    except binascii.Error:
        raise fault from None
    if len(key) != KEY_BYTES:
        raise fault
    try:
        # Points of small order give a shared key that everybody knows; the library refuses them.
        with _quiet():
            header.encrypt_X25519_Chacha20_Poly1305(b"", os.urandom(KEY_BYTES), key)
    except Exception:
        raise fault from None
    return key


def fingerprint(path: str | Path) -> str:
    """SHA-256 (hex) of a public key: names a recipient without a path or a person."""
    return hashlib.sha256(public_key(path)).hexdigest()


class _Reader:
    """What `lib.encrypt` reads from: its buffer is always filled, since it takes a short read for the end."""

    def __init__(self, pieces: Iterable[bytes]):
        self.pieces = iter(pieces)
        self.rest = memoryview(b"")
        self.digest = hashlib.sha256()
        self.size = 0
        self.finished = False

    def readinto(self, buffer: bytearray) -> int:
        view = memoryview(buffer)
        n = 0
        while n < len(view):
            if not self.rest:
                piece = next(self.pieces, None)
                if piece is None:
                    self.finished = True
                    break
                self.rest = memoryview(piece).cast("B")
                continue
            taken = min(len(view) - n, len(self.rest))
            view[n : n + taken] = self.rest[:taken]
            self.rest = self.rest[taken:]
            n += taken
        self.digest.update(view[:n])
        self.size += n
        return n


class _Watched:
    """A file or reader that keeps the error its user may have swallowed."""

    def __init__(self, file: Any):
        self.file = file
        self.error: Exception | None = None

    def __getattr__(self, name: str) -> Callable:
        method = getattr(self.file, name)

        def call(*arguments: Any) -> Any:
            try:
                return method(*arguments)
            except Exception as error:
                self.error = error
                raise

        return call


def _loud(work: Callable, keys: list, source: Any, target: Any) -> None:
    """Run a function of the package, which takes every OSError, a full disk as well, for a reader that went away."""
    watched = _Watched(source), _Watched(target)
    work(keys, *watched)
    for file in watched:
        if file.error is not None:
            raise file.error


def _pieces(path: Path) -> Iterator[bytes]:
    stop_on([] if path.is_file() else [Problem(str(path), "no such file", "it was to be encrypted")])
    with path.open("rb") as handle:
        while piece := handle.read(PIECE):
            yield piece


@contextmanager
def _quiet() -> Iterator[None]:
    """The package's log has session keys in it at its debug level, and an error for each packet not for us."""
    log = logging.getLogger("crypt4gh")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)
