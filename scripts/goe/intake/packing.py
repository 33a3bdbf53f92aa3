"""Files that are compressed in a way which is not taken, told by their first bytes."""

from pathlib import Path

from goe.core.errors import Problem
from goe.hts import plain

# First bytes -> name of the format, and the command that inflates a file to standard output.
_PACKINGS = {
    b"BZh": ("bzip2", "bunzip2 -c"),
    b"\xfd7zXZ\0": ("xz", "xz -dc"),
    b"\x28\xb5\x2f\xfd": ("zstd", "zstd -dc"),
    b"PK\3\4": ("zip", "unzip -p"),
}


def problem(path: str | Path) -> Problem | None:
    """What is told of a file that is compressed otherwise than with gzip or bgzip; `where` is empty."""
    with plain.opened(path) as handle:
        start = handle.read(8)
    if start == b"crypt4gh":
        what = "encrypted with Crypt4GH, as its name does not say"
        return Problem("", what, f"call it {path}{plain.ENDING}, which is decrypted as it is read")
    for magic, (name, command) in _PACKINGS.items():
        if start.startswith(magic):
            mend = f"{command} {path} | bgzip > new.gz, and give that"
            return Problem("", f"compressed with {name}; gzip and bgzip are taken", mend)
    return None
