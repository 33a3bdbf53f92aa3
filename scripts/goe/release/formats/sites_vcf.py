"""Sites-only VCF 4.3 with the numbers of every published stratum, through bgzip, indexed by tabix.

INFO tags are what all readers of Genome of Europe allele frequencies take: metric, country, sex, zygosity, in
this order (`AC_EE_M_Hom`), the AN family Number=1, the others Number=A. Beside them only tags that do not
begin with AC_, AN_ or AF_ are allowed: a two-token tag of that form that is no population stops some readers.

A file is made of one body per contig (BGZF without header) and a header that is put before them, so that
contigs can be written apart and the bytes do not depend on how the work was cut.
"""

import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pysam

from goe import __version__
from goe.core import tables
from goe.core.errors import GoeError, Problem, stop_on
from goe.core.files import Closes
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.hts.bgzf import EOF
from goe.rules.stratum import parse

LEVEL = 4
_COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
_INPUT_FILTER = "Filter of the input data"


@dataclass(frozen=True)
class Tag:
    """An INFO tag: `key` names the number of a stratum or the statistic of the site that it holds."""

    id: str
    number: str
    type: str
    description: str
    key: str
    stratum: str = ""


def read_fields(path: str | Path) -> list[dict[str, str]]:
    """Rows of the dictionary of published fields (resources/dictionary/fields.tsv)."""
    return tables.read(path)


def tag_name(base: str, stratum: str) -> str:
    """`AC_Hom` of `EE_M` -> `AC_EE_M_Hom`; Total has the bare names."""
    if stratum == st.TOTAL:
        return base
    metric, _, zygosity = base.partition("_")
    return "_".join(filter(None, (metric, stratum, zygosity)))


def group(stratum: str) -> str:
    """Whom a stratum is of, in words behind others: `, male people of EE`; nothing for Total."""
    country, sex = parse(stratum)
    who = {"M": "male people", "F": "female people"}.get(sex, "people")
    return f", {who} of {country}" if country else f", {who}" if sex else ""


def tags(fields: Sequence[Mapping[str, str]], strata: Iterable[str]) -> list[Tag]:
    """INFO tags in the order of the file: those of each stratum, then those of the site."""
    out = []
    for stratum in strata:
        for f in fields:
            if f["scope"] == "stratum" and f["vcf"]:
                text = f"{f['description']}{group(stratum)} ({f['unit']})"
                name = tag_name(f["vcf"], stratum)
                out.append(Tag(name, f["number"], f["type"], text, f["field"], stratum))
    for f in fields:
        if f["scope"] == "site":
            out.append(Tag(f["vcf"], f["number"], f["type"], f"{f['description']} ({f['unit']})", f["field"]))
    stop_on(
        [
            Problem("INFO tags", f"{tag.id} reads like a population to other programs", "rename it")
            for tag in out
            if not tag.stratum and re.match("A[CNF]_", tag.id)
        ]
    )
    return out


def header(
    build: str,
    contigs: Sequence[Mapping],
    filters: Iterable[str],
    descriptions: Mapping[str, str],
    info: Sequence[Tag],
) -> str:
    """The whole header, with the line of column names.

    contigs: {name, length, md5} of every contig of the release, in the order of the reference. filters: names
    that stand in the file, in their order after PASS; `descriptions` of those that are ours.
    """

    def text(words: str) -> str:
        return words.replace("\\", "\\\\").replace('"', '\\"')

    lines = ["##fileformat=VCFv4.3", f"##source=goe {__version__}", f"##reference={build}"]
    for contig in contigs:
        md5 = f",md5={contig['md5']}" if contig.get("md5") else ""
        lines.append(f"##contig=<ID={contig['name']},length={contig['length']},assembly={build}{md5}>")
    lines.append('##FILTER=<ID=PASS,Description="All filters passed">')
    for name in filters:
        if name != "PASS":
            description = text(descriptions.get(name, _INPUT_FILTER))
            lines.append(f'##FILTER=<ID={name},Description="{description}">')
    for tag in info:
        description = text(tag.description)
        lines.append(f'##INFO=<ID={tag.id},Number={tag.number},Type={tag.type},Description="{description}">')
    return "\n".join(lines) + "\n" + _COLUMNS


def lines(block: Block, info: Sequence[Tag]) -> pa.Array:
    """The VCF lines of a block, each with its line end.

    Numbers that are not public, and AF where AN is 0, are not in INFO at all. AF is the shortest decimal that
    reads back as the same double; the statistics are single precision, which is what BCF and its tools keep.
    """
    shown = block.shown()
    full = None if shown.all() else {s: pa.array(~shown[i]) for i, s in enumerate(block.strata)}
    af = block.numbers.af()
    entries = []
    for tag in info:
        if tag.stratum:
            s = block.strata.index(tag.stratum)
            values = af[s] if tag.key == "af" else getattr(block.numbers, tag.key)[s]
            values = pa.array(np.ascontiguousarray(values), from_pandas=tag.key == "af")
            if full and tag.stratum != st.TOTAL:
                values = pc.if_else(full[tag.stratum], pa.scalar(None, values.type), values)
        elif tag.key == "nhomalt_site":
            values = pa.array(np.ascontiguousarray(block.numbers.nhomalt[block.strata.index(st.TOTAL)]))
        elif tag.key == "f_missing":
            # From the rate as it is, in double: 1 - 0.9 in single precision would show as 0.100000024.
            values = pa.array((1 - block.statistics["call_rate"]).astype(np.float32), from_pandas=True)
        else:
            values = pa.array(block.statistics[tag.key].astype(np.float32), from_pandas=True)
        entries.append(pc.binary_join_element_wise(f"{tag.id}=", pc.cast(values, pa.string()), ""))
    return pc.binary_join_element_wise(
        block.contig,
        pc.cast(block.pos, pa.string()),
        ".",
        block.ref,
        block.alt,
        ".",
        block.filter,
        pc.binary_join_element_wise(*entries, ";", null_handling="skip"),
        "\t",
    )


def data(text: pa.Array) -> bytes | memoryview:
    """The lines of a string array, each with a line end."""
    if not len(text):
        return b""
    ended = pc.binary_join_element_wise(text, "", "\n")
    offsets = np.frombuffer(ended.buffers()[1], dtype=np.int32)[ended.offset : ended.offset + len(ended) + 1]
    return memoryview(ended.buffers()[2])[offsets[0] : offsets[-1]]


class Body(Closes):
    """BGZF file of VCF lines without a header, by `bgzip`; the number of threads does not change a byte."""

    def __init__(self, path: str | Path, threads: int = 1, level: int = LEVEL):
        self.path = Path(path)
        self.command = ["bgzip", "-c", "-l", str(level), "-@", str(max(1, threads))]
        self.file = self.path.open("wb")
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=self.file)
        assert self.process.stdin
        self.stdin = self.process.stdin

    def write(self, text: pa.Array) -> None:
        self.send(data(text))

    def send(self, content: bytes | memoryview) -> None:
        """Lines as bytes, each with its line end."""
        try:
            self.stdin.write(content)
        except BrokenPipeError:
            self.close()

    def close(self) -> None:
        try:
            self.stdin.close()
        except BrokenPipeError:
            pass
        finally:
            status = self.process.wait()
            self.file.close()
        if status:
            raise GoeError(
                Problem(str(self.path), f"{' '.join(self.command)} ended with status {status}", "see its message")
            )


def join(head: str, bodies: Sequence[str | Path], path: str | Path, preset: Literal["vcf", "bed"] = "vcf") -> None:
    """Write header and bodies as one BGZF file with one end block, and its index `<path>.tbi`.

    preset: of tabix.
    """
    # pysam dies where a file cannot be made.
    Path(path).touch()
    with pysam.BGZFile(str(path), f"w{LEVEL}", None) as file:  # type: ignore[arg-type]
        file.write(head.encode())
    target = Path(path)
    with target.open("r+b") as out:
        out.seek(-len(EOF), 2)
        if out.read() != EOF:
            raise GoeError(Problem(str(path), "the header has no BGZF end block", "a fault in goe: please report it"))
        out.seek(-len(EOF), 2)
        for body in bodies:
            with Path(body).open("rb") as part:
                size = Path(body).stat().st_size - len(EOF)
                if size >= 0:
                    part.seek(size)
                if size < 0 or part.read() != EOF:
                    raise GoeError(Problem(str(body), "no BGZF end block: cut off", "delete the file and run again"))
                part.seek(0)
                _copy(part, out, size)
        out.write(EOF)
        out.truncate()
    try:
        pysam.tabix_index(str(path), preset=preset, force=True)
    except OSError as error:
        mend = "make room on its disk, if that is full, and run again"
        raise GoeError(Problem(f"{path}.tbi", f"could not be written: {error}", mend)) from error


def _copy(source: IO[bytes], target: IO[bytes], size: int, piece: int = 1 << 20) -> None:
    while size:
        chunk = source.read(min(piece, size))
        if not chunk:
            raise GoeError(Problem(source.name, "shorter than its size", "did it change while it was read?"))
        target.write(chunk)
        size -= len(chunk)
