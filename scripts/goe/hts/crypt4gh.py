"""Files encrypted for named recipients in the crypt4gh format (GA4GH File Encryption Standard, version 1).

Each file gets a fresh sender key and session key, which live in memory only: what is encrypted can be read by the
recipients and by nobody else, not even by who wrote it. The content is that of the source; the envelope differs
every time, as the standard asks.

What is read stays in memory (`Decrypted`), with the secret key that the environment names: `C4GH_SECRET_KEY` and
`C4GH_PASSPHRASE` as the package's own command has them, and `C4GH_ASKPASS`, a program that prints the passphrase, as
SSH_ASKPASS of ssh(1) is.
"""

import base64
import binascii
import hashlib
import io
import logging
import os
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from crypt4gh import CIPHER_DIFF, CIPHER_SEGMENT_SIZE, SEGMENT_SIZE, header, lib
from crypt4gh.keys import get_private_key
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from goe.core.errors import GoeError, Problem, stop_on
from goe.core.files import Seekable, draft

PIECE = 1 << 20
KEY_BYTES = 32
# A header packet of X25519 and ChaCha20-Poly1305: length, method, sender's key, nonce, type, method, key, MAC.
_HEAD, _PACKET = 16, 4 + 4 + 32 + 12 + 4 + 4 + 32 + 16
_MAKE = "ask the recipient for the public key that crypt4gh-keygen made"
SECRET_KEY, PASSPHRASE, ASKPASS = "C4GH_SECRET_KEY", "C4GH_PASSPHRASE", "C4GH_ASKPASS"
_MAGIC, _VERSION = b"crypt4gh", 1
# Some eight thousand recipients.
_HEADER_AT_MOST = 1 << 20
_NONCE = 12
_AGAIN = "copy the file again and compare checksums"


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
    key = _private_key(secret_key, lambda: passphrase)
    with _quiet(), draft(target) as part, source.open("rb") as cipher, part.open("wb") as plain:
        try:
            _loud(lib.decrypt, [(0, key, None)], cipher, plain)
        except (ValueError, AssertionError) as error:
            raise GoeError(
                Problem(
                    str(source),
                    "cannot be decrypted: damaged, or not for this key",
                    "compare its SHA-256 with the sender's, and the key with the recipients it was made for",
                )
            ) from error


def _private_key(path: str | Path, passphrase: Callable[[], str], where: str = "") -> bytes:
    """The key in a private key file. passphrase: asked where it is locked; its GoeError goes on. where: how the file is
    told of."""
    told: list[GoeError] = []

    def asked() -> str:
        try:
            return passphrase()
        except GoeError as error:
            told.append(error)
            raise

    try:
        # The package ends the process when the passphrase is wrong.
        with _quiet():
            return bytes(get_private_key(str(path), asked))
    except (SystemExit, Exception) as error:
        if told:
            raise told[0] from None
        what = "cannot be read as a private key"
        raise GoeError(Problem(where or str(path), what, "is the passphrase right?")) from error


_own_key: dict[tuple[str, ...], bytes] = {}
_one_asks, _one_is_quiet = threading.Lock(), threading.RLock()


def own_key() -> bytes:
    """The secret key that the environment names, read and unlocked once a process. GoeError without one."""
    told = tuple(os.environ.get(name, "") for name in (SECRET_KEY, PASSPHRASE, ASKPASS))
    with _one_asks:
        if told not in _own_key:
            _own_key[told] = _named(*told)
        return _own_key[told]


def _named(path: str, passphrase: str, program: str) -> bytes:
    if not path:
        what = f"{SECRET_KEY} is not set in the environment"
        raise GoeError(Problem("inputs encrypted with Crypt4GH", what, "export the path of your secret key in it"))
    where = f"{SECRET_KEY} {path}"
    if not Path(path).expanduser().is_file():
        raise GoeError(Problem(where, "no such file", "give the path of the secret key that your data are for"))

    def asked() -> str:
        if passphrase:
            return passphrase
        if program:
            return _asked(program, path)
        mend = f"export {ASKPASS}, a program that prints its passphrase, or {PASSPHRASE}"
        raise GoeError(Problem(where, "is locked with a passphrase", mend))

    return _private_key(Path(path).expanduser(), asked, where)


def _asked(program: str, path: str) -> str:
    """What a program prints. Its messages are passed over: they may hold what it is asked for."""
    where, quiet = f"{ASKPASS} {program}", subprocess.DEVNULL
    try:
        command = [program, f"Passphrase for {path}: "]
        run = subprocess.run(command, stdin=quiet, stdout=subprocess.PIPE, stderr=quiet, text=True)
    except OSError as error:
        raise GoeError(Problem(where, f"does not start: {error.strerror}", "give the path of a program")) from error
    if run.returncode:
        what = f"ended with status {run.returncode}"
        raise GoeError(Problem(where, what, "call it yourself: it has to print the passphrase, and ask nobody"))
    return run.stdout.rstrip("\r\n")


class Decrypted(Seekable):
    """The content of a file that is encrypted for the key of the environment, to be read anywhere, in memory alone.

    Segments of 64 KiB are sealed one by one, and each is looked at before its content is given. GoeError for what is no
    such file, for another key, and for a segment that was changed or cut. One that was cut between two segments looks
    whole: whoever reads it has to know its end.
    """

    def __init__(self, path: str | Path):
        self._path = str(path)
        with ExitStack() as stack:
            self._file = stack.enter_context(Path(path).open("rb"))
            self._keys, self._body = _session(self._path, self._file)
            stack.pop_all()
        sealed = max(0, os.fstat(self._file.fileno()).st_size - self._body)
        self._segments = -(-sealed // CIPHER_SEGMENT_SIZE)
        self._size = max(0, sealed - self._segments * CIPHER_DIFF)
        self._last = -1, b""

    def readinto(self, buffer: Any) -> int:
        view, n = memoryview(buffer).cast("B"), 0
        number, begin = divmod(self._at, SEGMENT_SIZE)
        wanted = min(self._segments - number, -(-(begin + len(view)) // SEGMENT_SIZE))
        for content in self._content(number, wanted):
            piece = content[begin : begin + len(view) - n]
            view[n : n + len(piece)] = piece
            n, begin = n + len(piece), 0
        self._at += n
        return n

    def _content(self, number: int, wanted: int) -> Iterator[bytes]:
        """Content of some segments, one after the other; the last one is kept for who reads on in it."""
        if wanted > 0 and self._last[0] == number:
            yield self._last[1]
            number, wanted = number + 1, wanted - 1
        if wanted <= 0:
            return
        sealed = os.pread(self._file.fileno(), wanted * CIPHER_SEGMENT_SIZE, self._body + number * CIPHER_SEGMENT_SIZE)
        for i in range(wanted):
            segment = sealed[i * CIPHER_SEGMENT_SIZE : (i + 1) * CIPHER_SEGMENT_SIZE]
            self._last = number + i, self._open(number + i, segment)
            yield self._last[1]

    def _open(self, number: int, segment: bytes) -> bytes:
        for i, key in enumerate(self._keys):
            try:
                content = key.decrypt(segment[:_NONCE], segment[_NONCE:], None)
            except (InvalidTag, ValueError):
                continue
            if i:
                self._keys.insert(0, self._keys.pop(i))
            return content
        cut = number + 1 == self._segments and len(segment) < CIPHER_SEGMENT_SIZE
        what = f"its segment {number + 1} of {self._segments} cannot be decrypted: "
        raise GoeError(Problem(self._path, what + ("cut off, or damaged" if cut else "damaged"), _AGAIN))

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _session(path: str, file: BinaryIO) -> tuple[list[ChaCha20Poly1305], int]:
    """The keys of a file's segments, and where these begin."""
    head = io.BytesIO(file.read(_HEADER_AT_MOST))
    start = head.getvalue()[:16]
    if start[:8] != _MAGIC:
        raise GoeError(Problem(path, "is not encrypted with Crypt4GH", "mend its name, or give the file that has it"))
    if len(start) == 16 and (version := int.from_bytes(start[8:12], "little")) != _VERSION:
        raise GoeError(Problem(path, f"is of version {version} of Crypt4GH", "encrypt it with version 1"))
    key = own_key()
    with _quiet():
        try:
            packets = list(header.parse(head))
            opened, _ = header.decrypt(packets, [(0, key, None)])
            data, edits = header.partition_packets(opened)
            keys = [ChaCha20Poly1305(bytes(header.parse_enc_packet(packet))) for packet in data]
        except (ValueError, AssertionError) as error:
            raise GoeError(Problem(path, f"its header cannot be read: {error}", _AGAIN)) from error
    if not keys:
        what = f"not for this key: none of its {len(packets)} recipients is the owner of {SECRET_KEY}"
        mend = "name the key that it was encrypted for, or have it encrypted for yours (crypt4gh reencrypt)"
        raise GoeError(Problem(path, what, mend))
    if edits is not None:
        what = "has an edit list: its content is a part of what is in it"
        raise GoeError(Problem(path, what, "crypt4gh decrypt | crypt4gh encrypt, which leaves the part alone"))
    return keys, head.tell()


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
    with _one_is_quiet:
        before = log.level
        log.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            log.setLevel(before)
