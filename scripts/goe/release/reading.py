"""Files of a release read back: what cannot be read is a problem of the file, by its name."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from goe.core.errors import GoeError, Problem


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """GoeError that names the file when it turns out not to be what it should be."""
    try:
        yield
    except (pa.ArrowInvalid, pa.ArrowKeyError, EOFError, OSError, zlib.error, UnicodeDecodeError) as error:
        words = " ".join(str(error).split())[:300] or type(error).__name__
        raise GoeError(Problem(str(path), f"cannot be read: {words}", "get the file again")) from error


def vcf_header(path: str | Path) -> list[str]:
    """Header lines of a compressed VCF, without line ends, up to and with #CHROM. GoeError when there is none."""
    return _head(path)[0]


def _head(path: str | Path) -> tuple[list[str], bool]:
    """Header lines, and whether a record follows."""
    lines, more = [], False
    with reading(path), gzip.open(path, "rt") as handle:
        for line in handle:
            if not line.startswith("#"):
                more = True
                break
            lines.append(line.rstrip("\n"))
    if not lines or not lines[-1].startswith("#CHROM\t"):
        raise GoeError(Problem(str(path), "no line of column names (#CHROM)", "get the file again"))
    return lines, more
