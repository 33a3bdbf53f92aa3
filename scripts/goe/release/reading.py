"""Files of a release read back: what cannot be read is a problem of the file, by its name."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from goe.core.errors import GoeError, Problem
from goe.hts.vcf_header import VcfHeader, lines_of, parse


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """GoeError that names the file when it turns out not to be what it should be."""
    try:
        yield
    except (pa.ArrowInvalid, pa.ArrowKeyError, EOFError, OSError, zlib.error, UnicodeDecodeError) as error:
        words = " ".join(str(error).split())[:300] or type(error).__name__
        raise GoeError(Problem(str(path), f"cannot be read: {words}", "get the file again")) from error


def vcf_header(path: str | Path) -> VcfHeader:
    """Header of a compressed VCF, up to and with #CHROM. GoeError when there is none."""
    return parse(_head(path)[0], str(path))


def _head(path: str | Path) -> tuple[list[str], bool]:
    """Header lines, and whether a record follows."""
    with reading(path), gzip.open(path, "rb") as handle:
        lines, bcf = lines_of(handle, "strict")
        following = handle.read(1)
    if bcf or not lines or not lines[-1].startswith("#CHROM\t") or following == b"#":
        raise GoeError(Problem(str(path), "no line of column names (#CHROM)", "get the file again"))
    return lines, bool(following)
