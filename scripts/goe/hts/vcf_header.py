"""The header of a VCF or BCF: its lines, what it declares, its samples, and what is wrong with it.

Structured lines are read by the specification of VCF 4.3 (section 1.4; 4.4 and 4.5 have the same): values with
commas stand in double quotes, in which a backslash escapes a quote and itself. Older files are read as far as they
keep to that; like htslib, the first of two lines with one id counts.
"""

import re
import struct
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BufferedIOBase
from types import MappingProxyType

from goe.core.errors import Problem

KINDS = ("contig", "FILTER", "INFO", "FORMAT", "ALT")
"""Kinds of structured lines that declare what records use."""

_STRUCTURED = re.compile(rf"##({'|'.join(KINDS)})=<(.*)")
_PAIR = re.compile(r' *([^\s=,"<>]+)=("(?:[^"\\]|\\.)*"|[^",]*)(?:,|$)')
_NEXT = re.compile(r",(?=[A-Za-z_][A-Za-z0-9_]*=)")
_ESCAPED = re.compile(r'\\(["\\])')
_AGAIN = "bcftools view -h shows the header; mend it with bcftools reheader -h"
# A file that is no VCF may be one long line.
_LONGEST_FIRST_LINE = 1 << 22
# Lines that are longer are read again each time.
_LONGEST_KEPT = 1 << 9


@dataclass(frozen=True)
class Declaration:
    """A line `##kind=<ID=id,...>`.

    values: key -> value, in the order of the line, without quotes and escapes. quoted: keys whose values are quoted.
    line: the line as it stands; row: its number in the header, from 1.
    """

    kind: str
    id: str
    values: Mapping[str, str]
    quoted: frozenset[str]
    line: str
    row: int

    @property
    def number(self) -> str:
        return self.values.get("Number", "")

    @property
    def type(self) -> str:
        return self.values.get("Type", "")

    @property
    def length(self) -> int | None:
        """Bases of a contig, None where the line gives no number."""
        return _whole(self.values.get("length", ""))


def _whole(text: str) -> int | None:
    """A whole number of 64 bits; None for any other text."""
    return int(text) if text.isdecimal() and len(text) < 19 else None


@dataclass(frozen=True)
class VcfHeader:
    """lines: as they stand, without line ends. declarations: in their order, doubled ones too. samples: as they stand.
    columns: whether there is a line of column names. problems: lines that cannot be read and doubled declarations;
    no sample is named."""

    lines: list[str]
    declarations: list[Declaration]
    samples: list[str]
    columns: bool
    problems: list[Problem]

    @property
    def fileformat(self) -> str:
        """`VCFv4.3` of the first line, empty where that is another one."""
        key, _, value = (self.lines[0] if self.lines else "").partition("=")
        return value if key == "##fileformat" else ""

    def of(self, kind: str) -> dict[str, Declaration]:
        """id -> declaration of one of KINDS."""
        found: dict[str, Declaration] = {}
        for one in self.declarations:
            if one.kind == kind:
                found.setdefault(one.id, one)
        return found

    def contig_numbers(self) -> dict[int, str]:
        """Number of a contig in a BCF and its index -> its name (VCF 4.3, section 6.2.2).

        `bcftools reheader --fai` leaves holes: it takes lines out and lets the others keep their IDX.
        """
        return _numbered(self.of("contig").values(), {})

    def strings(self) -> dict[int, str]:
        """Number in the dictionary of a BCF -> id of a FILTER, INFO or FORMAT (VCF 4.3, section 6.2.1)."""
        return _numbered((one for one in self.declarations if one.kind in ("FILTER", "INFO", "FORMAT")), {0: "PASS"})


def _numbered(declarations: Iterable[Declaration], numbers: dict[int, str]) -> dict[int, str]:
    seen = set(numbers.values())
    for one in declarations:
        if one.id not in seen:
            index = _whole(one.values.get("IDX", ""))
            numbers[len(numbers) if index is None else index] = one.id
            seen.add(one.id)
    return numbers


def parse(lines: Iterable[str], name: str = "") -> VcfHeader:
    """The header of its lines, #CHROM the last. name: of the file, for problems."""
    lines = list(lines)
    declarations: list[Declaration] = []
    samples: list[str] = []
    columns = False
    problems: list[Problem] = []
    seen: set[tuple[str, str]] = set()

    def wrong(row: int, what: str) -> None:
        problems.append(Problem(f"{name} line {row}".strip(), what, _AGAIN))

    for row, line in enumerate(lines, 1):
        if line.startswith("#CHROM"):
            samples, columns = line.split("\t")[9:], True
        elif found := _structured(line) if len(line) < _LONGEST_KEPT else _structured.__wrapped__(line):
            kind, values, quoted, whole = found
            if not whole:
                wrong(row, f"is no ##{kind}=<ID=...> of the specification: {line[:80]}")
            if not values.get("ID"):
                continue
            if (kind, values["ID"]) in seen:
                wrong(row, f"declares {kind} {values['ID']} a second time")
            seen.add((kind, values["ID"]))
            declarations.append(Declaration(kind, values["ID"], values, quoted, line, row))
    return VcfHeader(lines, declarations, samples, columns, problems)


# The files of a cohort mostly declare the same, thousands of lines in each.
@lru_cache(1 << 13)
def _structured(line: str) -> tuple[str, Mapping[str, str], frozenset[str], bool] | None:
    """Kind of a structured line, and what `_values` tells of it; None for another line."""
    match = _STRUCTURED.match(line)
    if not match:
        return None
    values, quoted, whole = _values(match[2])
    return match[1], MappingProxyType(values), quoted, whole


def _values(body: str) -> tuple[dict[str, str], frozenset[str], bool]:
    """Values of `ID=a,Description="b">`, the keys of those in quotes, and whether all of it is as specified.

    What cannot be read (a quote that is not escaped, a comma outside of quotes) is left out up to the next key.
    """
    whole = body.endswith(">")
    body = body.rstrip().removesuffix(">")
    values: dict[str, str] = {}
    quoted: set[str] = set()
    at = 0
    while at < len(body):
        if match := _PAIR.match(body, at):
            key, value = match.groups()
            whole = whole and key not in values
            if value.startswith('"'):
                quoted.add(key)
                value = _ESCAPED.sub(r"\1", value[1:-1])
            values.setdefault(key, value)
            at = match.end()
        else:
            whole = False
            following = _NEXT.search(body, at)
            at = following.end() if following else len(body)
    return values, frozenset(quoted), whole and bool(values.get("ID"))


def lines_of(stream: BufferedIOBase, errors: str = "replace", most: int = sys.maxsize) -> tuple[list[str], bool]:
    """Lines of the header of an uncompressed VCF or BCF stream, and whether it is a BCF; leaves the records to be read.

    errors: what bytes that are no UTF-8 become, as in `bytes.decode`. most: bytes of the header; EOFError when it
    has more. A stream that is cut off: struct.error, or fewer lines. Lines that do not begin with `#` are no header:
    the first one is read and left out.
    """
    start = stream.read(3)
    if start == b"BCF":
        stream.read(2)
        (length,) = struct.unpack("<I", stream.read(4))
        if length > most:
            raise EOFError("the header does not end where one would")
        # Not `splitlines`, which also ends lines at characters that a description may hold.
        return stream.read(length).rstrip(b"\0\n").decode(errors=errors).split("\n"), True
    lines = []
    line = start + stream.readline(min(most, _LONGEST_FIRST_LINE))
    while line.startswith(b"#"):
        most -= len(line)
        if most < 0:
            raise EOFError("the header does not end where one would")
        lines.append(line.decode(errors=errors).rstrip("\r\n"))
        if line.startswith(b"#CHROM"):
            break
        line = stream.readline(most + 1)
    return lines, False
