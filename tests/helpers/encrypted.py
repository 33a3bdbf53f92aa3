"""Files as EGA hands them out: encrypted with Crypt4GH for a key that the environment names."""

import base64
import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

from crypt4gh.keys import c4gh, get_private_key
from goe.hts import crypt4gh

WORDS = "open sesame, says nobody"
"""The passphrase of a locked key."""


@dataclass(frozen=True)
class Owner:
    """A pair of keys, and a program that prints the passphrase."""

    folder: Path
    locked: bool = True

    @classmethod
    def made(cls, folder: Path, locked: bool = True) -> "Owner":
        folder.mkdir(parents=True, exist_ok=True)
        own = cls(folder, locked)
        with contextlib.redirect_stderr(io.StringIO()):
            c4gh.generate(str(own.secret), str(own.public), WORDS.encode() if locked else None, None)
        own.program.write_text(f"#!/bin/sh\necho '{WORDS}'\n")
        own.program.chmod(0o700)
        return own

    @property
    def secret(self) -> Path:
        return self.folder / "own.sec"

    @property
    def public(self) -> Path:
        return self.folder / "own.pub"

    @property
    def program(self) -> Path:
        return self.folder / "ask"

    def told(self, monkeypatch) -> "Owner":
        """The environment of who owns the key."""
        for name in (crypt4gh.SECRET_KEY, crypt4gh.PASSPHRASE, crypt4gh.ASKPASS):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(crypt4gh.SECRET_KEY, str(self.secret))
        if self.locked:
            monkeypatch.setenv(crypt4gh.ASKPASS, str(self.program))
        return self

    def secrets(self) -> list[bytes]:
        """What nobody may find anywhere: the passphrase, the key as it is and in the ways that it is written."""
        key = bytes(get_private_key(str(self.secret), lambda: WORDS))
        body = self.secret.read_bytes().splitlines()[1]
        return [WORDS.encode(), key, key.hex().encode(), base64.b64encode(key), body]

    def encrypt(self, path: str | Path) -> str:
        """The file in the other's place; its name."""
        name = f"{path}.c4gh"
        crypt4gh.encrypt(Path(path), name, [self.public])
        Path(path).unlink()
        return name
