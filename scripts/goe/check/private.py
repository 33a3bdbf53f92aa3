"""What must not leave the house in a release, as far as the folder alone can tell.

Texts, VCF headers, the metadata of Parquet files and the headers of compressed files are looked through for absolute
paths, home folders, user@host and points in time. Whether ids of people are in a release only their country can ask:
goe.check.ids.
"""

import re
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO

import pyarrow as pa
from markupsafe import escape

from goe.check import pages
from goe.check.faults import safely
from goe.check.lookup import without_chunks
from goe.core import tar
from goe.core.errors import GoeError, Problem
from goe.hts.bgzf import EOF
from goe.release import bounds, reading

TEXTS = (".md", ".json", ".jsonld", ".ttl", ".tsv", ".html", ".smk", ".txt", ".sha256", ".yaml", ".yml", "")
_MEND = "take it out, and find out how it came in"

_ROOTS = (
    "home|Users|root|mnt|data|tmp|scratch|srv|var|opt|media|proj|projects|work|storage|cluster|lustre|gpfs|nfs|nfs4|"
    "export|net|run|private|nobackup|groups?|users?|usr|etc|share|shared|vol|volumes?|beegfs|ceph|dss|archive|hpc"
)
_NAME = r"[\w.+@%-]+"


def _begins(character: str) -> str:
    """A character in front of which no part of a name or address stands, which is asked last: what begins with a
    character is soon found."""
    return rf"{character}(?<![\w:/.<)\]~%-]{character})"


PATTERNS = {
    "an absolute path": re.compile(rf"{_begins('/')}(?:(?:{_ROOTS})/{_NAME}|(?:{_NAME}/){{2,}}{_NAME})"),
    "a path of a home folder": re.compile(rf"{_begins('~')}\w*/{_NAME}"),
    "a path of Windows": re.compile(r"\b[A-Za-z]:\\{1,2}\w|\\\\\w+\\\w"),
    "a file address": re.compile(r"\bfile:/"),
    "a point in time": re.compile(
        r"\b(?:19|20)\d\d-[01]\d-[0-3]\d[T ][0-2]\d:[0-5]\d"
        r"|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +[0-3]?\d [0-2]\d:"
    ),
}
_HAVE = {
    "an absolute path": "/",
    "a path of a home folder": "~",
    "a path of Windows": "\\",
    "a file address": "file:/",
    "a point in time": ":",
}
# Begins where such characters begin and gives none back, so that a long line without @ is gone over once.
_ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)*")

# A package and its version, as the bill of materials names them: no machine's name begins with a number and a point.
_PACKAGE = re.compile(r'"pkg:(?:pypi|generic)/[\w.-]+@[0-9]+\.[0-9a-zA-Z.%-]*"')


def faults(text: str, addresses: Iterable[str] = ()) -> Iterator[tuple[int, str]]:
    """(line from 1, what) of everything in a text that leads to a machine or a person.

    addresses: mail addresses that the release gives as its contacts.
    """
    allowed = {address.casefold() for address in addresses}
    # An apostrophe stands in a page as an entity.
    written = "|".join(re.escape(form) for address in allowed for form in {address, str(escape(address))})
    known = re.compile(rf"(?<![\w.+'-])(?:{written})(?![\w-]|\.\w)", re.IGNORECASE)
    # A text or line without what each of them has is soon told from others, however long it is.
    asked = [(what, _HAVE[what], pattern.search) for what, pattern in PATTERNS.items() if _HAVE[what] in text]
    for number, line in enumerate(text.splitlines(), 1):
        for what, have, search in asked:
            if have in line and search(line):
                yield number, what
        if "@" in line:
            line = _PACKAGE.sub(" ", line)
            for match in _ADDRESS.finditer(known.sub(" ", line) if allowed else line):
                if match[0].casefold().rstrip(".") not in allowed:
                    yield number, "user@host, or a mail address that is no contact of the release"
                    break


def check(root: Path, names: Iterable[str], addresses: Iterable[str]) -> list[Problem]:
    """Everything found in the files `names` (relative to root); their contents are not told, only where they are."""
    known = list(addresses)
    problems = []
    for name in names:
        problems += safely(str(root / name), partial(_file, root / name, known))
    return problems


def _file(path: Path, addresses: Iterable[str]) -> list[Problem]:
    problems = [
        Problem(f"{where} line {number}", f"holds {what}", _MEND)
        for where, text in _texts(path)
        for number, what in islice(faults(text, addresses), bounds.PROBLEMS)
    ]
    return problems + (check_bgzf(path) if path.suffix in (".gz", ".tbi") else [])


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """What a person can read of a file: (where, text)."""
    with reading.reading(path):
        if path.name.endswith(".vcf.gz"):
            yield f"{path} header", "\n".join(reading.vcf_header(path).lines)
        elif path.suffix == ".parquet":
            with path.open("rb") as handle:
                yield f"{path} metadata", _metadata(handle, str(path))
        elif path.suffix == ".tar":
            yield from _members(path)
        elif path.suffix == ".html":
            yield str(path), without_chunks(path.read_text(encoding="utf-8"))
        elif path.suffix in TEXTS:
            yield str(path), path.read_text(encoding="utf-8")


def _metadata(source: IO[bytes], where: str) -> str:
    about = pages.footer(source, where, bounds.CHUNKS)
    return "\n".join([about.created_by or "", *(f"{k!r} {v!r}" for k, v in (about.metadata or {}).items())])


def _members(path: Path) -> Iterator[tuple[str, str]]:
    """Texts of a TAR, among them what its Parquet files say of themselves."""
    content = reading.mapped(path)
    for entry in tar.members(memoryview(content), str(path), bounds.ENTRIES):
        where = f"{path}/{entry.name}"
        part = content.slice(entry.content, entry.size)
        if entry.name.endswith(".parquet"):
            yield f"{where} metadata", _metadata(pa.BufferReader(part), where)
        elif entry.size > bounds.TEXT_FILE:
            what = f"has {entry.size:,} bytes: a text has at most {bounds.TEXT_FILE:,}"
            raise GoeError(Problem(where, what, "get the file again"))
        else:
            yield where, part.to_pybytes().decode("utf-8")


def check_bgzf(path: Path) -> list[Problem]:
    """Whether a file is made of whole BGZF blocks (SAM specification, section 4.1), without names or times in their
    headers, and with the end block."""
    where = str(path)
    size = path.stat().st_size
    cut = [Problem(where, "is cut off, or no BGZF file", "get the file again")]
    with reading.reading(path), path.open("rb") as handle:
        at = 0
        head = b""
        while at < size:
            handle.seek(at)
            head = handle.read(len(EOF))
            if len(head) < 18 or head[:4] != EOF[:4] or head[10:16] != EOF[10:16]:
                return cut
            if head[4:8] != bytes(4):
                return [Problem(where, f"block at byte {at} holds a point in time", _MEND)]
            at += int.from_bytes(head[16:18], "little") + 1
    return [] if at == size and head == EOF else cut
