"""The released table inside, or beside, `report.html`, packed so that a page opened from a folder can search it.

A browser gives a page that was opened from disk no way to read a neighbouring file but a script tag. So the table is
packed in chunks: inside the page when all of them fit in EMBED_UP_TO characters (some 300,000 alleles of twenty
strata), else in files `report-data/<contig>.<number>.js` that the page loads when a search needs them. Both hold
the same chunks. Which of the two depends on the content alone, and memory on one block alone.

A chunk is base64 of zlib of: length of a header (uint32), the header (JSON), the columns. The header has `n` alleles,
the distinct `pairs` ("A>G") and `filters`, and for each column [base, width, at]: its value is base plus an unsigned
integer of `width` bytes, kept as one plane of n bytes after the other (low bytes first) from byte `at` behind the
header on. Columns: step of pos from the allele before (the first from its own pos: 0), index in pairs, index in
filters, bits of faf95 in single precision, then for each stratum shown (0 or 1), AN, heterozygotes, homozygotes,
hemizygotes, people but for AN. These four are what is left when the values of the stratum's parts (`parts`) are
taken away, which is nearly always 0 for a sum such as Total. A cell that is not public is 0 in all of them.
"""

import base64
import json
import shutil
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from goe.core.errors import GoeError, Problem
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.rules.stratum import parse

FOLDER = "report-data"
# Characters of base64 that are embedded at most: the page can still be sent by mail.
EMBED_UP_TO = 8_000_000
CHUNKS_PER_FILE = 4
LEVEL = 6
_NAN = 0x7FC00000


def parts(strata: Sequence[str]) -> list[list[int]]:
    """For each stratum the indices of the strata that make it up: Total of countries, a country of its sexes, M and
    F of theirs in the countries; empty for the smallest ones. Parts never overlap and never point back."""
    index = {name: i for i, name in enumerate(strata)}
    out = []
    for name in strata:
        out.append([index[s] for s in strata if parse(s).is_part(parse(name))])
    return out


def _column(values: np.ndarray, public: np.ndarray | None = None) -> tuple[int, int, bytes]:
    """Base, width and planes of an integer column (alleles,); 0 where it is not `public`."""
    seen = values if public is None else values[public]
    base = int(seen.min()) if seen.size else 0
    left = values.astype(np.int64) - base
    if public is not None:
        left = np.where(public, left, 0)
    width = (int(left.max()).bit_length() + 7) // 8
    return base, width, np.ascontiguousarray(left.astype("<u4")).view(np.uint8).reshape(-1, 4).T[:width].tobytes()


def pack(block: Block) -> bytes:
    """The chunk of a block that is not empty, before zlib. GoeError when its numbers contradict each other."""
    shown = block.shown()
    n = block.numbers
    wrong = shown & ((n.ac != n.ac_hom + n.ac_het + n.ac_hemi) | (n.ac_hom != 2 * n.nhomalt))
    if wrong.any():
        i = int(np.flatnonzero(wrong.any(axis=0))[0])
        raise GoeError(
            Problem(
                f"{block.contig}:{block.pos[i]}:{block.ref[i]}:{block.alt[i]}",
                "AC is not AC_Hom + AC_Het + AC_Hemi, or AC_Hom is not twice nhomalt",
                "a fault in an earlier stage: please report it with the versions used",
            )
        )
    pos = block.pos.to_numpy().astype(np.int64)
    pairs = pc.binary_join_element_wise(block.ref, block.alt, ">").dictionary_encode()
    filters = block.filter.dictionary_encode()
    faf = block.statistics["faf95"].astype("<f4")
    columns = [
        _column(np.diff(pos, prepend=pos[:1])),
        _column(pairs.indices.to_numpy()),
        _column(filters.indices.to_numpy()),
        _column(np.where(np.isnan(faf), _NAN, faf.view("<u4"))),
    ]
    public = [np.where(shown, x, 0).astype(np.int64) for x in (n.an, n.ac_het, n.nhomalt, n.ac_hemi)]
    for s, made_of in enumerate(parts(block.strata)):
        columns.append(_column(shown[s].astype(np.int64)))
        columns += [_column(x[s] - x[made_of].sum(axis=0), shown[s]) for x in public]
    places = np.cumsum([0] + [len(planes) for _, _, planes in columns]).tolist()
    head = json.dumps(
        {
            "n": len(block),
            "pairs": pairs.dictionary.to_pylist(),
            "filters": filters.dictionary.to_pylist(),
            "columns": [[base, width, at] for (base, width, _), at in zip(columns, places, strict=False)],
        },
        separators=(",", ":"),
    ).encode()
    return struct.pack("<I", len(head)) + head + b"".join(planes for _, _, planes in columns)


def example(block: Block, best: tuple[int, list]) -> tuple[int, list]:
    """The first allele that shows most, of a block and those before it: its rank and itself, as in `Writer`.

    best: of the blocks before, (0, []) at first. Rank: 1 for one that was seen, 2 when every stratum is there too.
    """
    shown = block.shown()
    total = block.strata.index(st.TOTAL)
    good = pc.equal(block.filter, "PASS").to_numpy(zero_copy_only=False)
    good = good & shown[total] & (block.numbers.ac[total] > 0)
    for rank, some in ((2, good & shown.all(axis=0)), (1, good)):
        if rank > best[0] and some.any():
            i = int(np.argmax(some))
            best = (rank, [block.pos[i].as_py(), block.ref[i].as_py(), block.alt[i].as_py()])
    return best


class Writer:
    """File of one contig's chunks: a line each, then a line of JSON, the index.

    Index: {contig, strata, characters, example, chunks: [[first pos, last pos, last base that an allele reaches,
    alleles, Adler-32], ...]}; `example` is a PASS allele ["pos", "ref", "alt"] that was seen and, where there is one,
    has numbers of every stratum.
    """

    def __init__(self, path: str | Path, contig: str, strata: Sequence[str]):
        self.contig, self.strata = contig, tuple(strata)
        self.chunks: list[list[int]] = []
        self.characters = 0
        self.example: tuple[int, list] = (0, [])
        self.path = Path(path)
        self.file = self.path.open("wb")

    def write(self, block: Block) -> None:
        """Add a block; blocks come in the order of pos. ValueError for one of another contig or other strata."""
        if (block.contig, block.strata) != (self.contig, self.strata):
            raise ValueError(f"block of {block.contig} {block.strata}, expected {self.contig} {self.strata}")
        if not len(block):
            return
        raw = pack(block)
        text = base64.b64encode(zlib.compress(raw, LEVEL))
        self.file.write(text + b"\n")
        self.characters += len(text)
        pos = block.pos.to_numpy().astype(np.int64)
        reach = int((pos + pc.binary_length(block.ref).to_numpy() - 1).max())
        self.chunks.append([int(pos[0]), int(pos[-1]), reach, len(block), zlib.adler32(raw)])
        self.example = example(block, self.example)

    def close(self) -> None:
        index = {
            "contig": self.contig,
            "strata": list(self.strata),
            "characters": self.characters,
            "example": self.example[1],
            "chunks": self.chunks,
        }
        self.file.write(json.dumps(index, sort_keys=True).encode() + b"\n")
        self.file.close()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is None:
            self.close()
        else:
            self.file.close()


def read_index(path: str | Path) -> dict:
    """The index of a contig's file; GoeError when it has none."""
    last = b""
    with Path(path).open("rb") as file:
        for line in file:
            last = line
    try:
        return json.loads(last)
    except ValueError:
        raise GoeError(Problem(str(path), "has no index: cut off", "delete the file and run again")) from None


def read_chunks(path: str | Path) -> Iterator[str]:
    """The chunks of a contig's file, base64, in order."""
    with Path(path).open("rb") as file:
        for line in file:
            if not line.startswith(b"{"):
                yield line.rstrip(b"\n").decode("ascii")


@dataclass(frozen=True)
class Table:
    """The look-up table of a release: files of contigs (`Writer`) in release order, with their indices."""

    paths: tuple[Path, ...]
    indices: tuple[dict, ...]
    embedded: bool

    @property
    def alleles(self) -> int:
        return sum(chunk[3] for index in self.indices for chunk in index["chunks"])

    @property
    def strata(self) -> list[str]:
        return self.indices[0]["strata"]

    def names(self) -> list[str]:
        """Relative paths of the files beside the page; none when the table is embedded."""
        if self.embedded:
            return []
        return [
            file_name(index["contig"], number)
            for index in self.indices
            for number in range(-(-len(index["chunks"]) // CHUNKS_PER_FILE))
        ]


def table(paths: Sequence[str | Path], embed_up_to: int = EMBED_UP_TO) -> Table:
    """The table of the contigs' files; embedded when it has at most `embed_up_to` characters.

    GoeError when files differ in their strata or a contig is there twice.
    """
    indices = [read_index(path) for path in paths]
    problems = []
    contigs: set[str] = set()
    for path, index in zip(paths, indices, strict=True):
        if index["strata"] != indices[0]["strata"]:
            problems.append(Problem(str(path), f"strata differ from those of {paths[0]}", "make all contigs again"))
        if index["contig"] in contigs:
            problems.append(Problem(str(path), f"{index['contig']} is there twice", "give each contig once"))
        contigs.add(index["contig"])
    if not indices:
        problems.append(Problem("look-up table", "no contig", "make the release of the contigs first"))
    if problems:
        raise GoeError(problems)
    size = sum(index["characters"] for index in indices)
    return Table(tuple(map(Path, paths)), tuple(indices), size <= embed_up_to)


def file_name(contig: str, number: int) -> str:
    """`report-data/chr20.003.js`"""
    return f"{FOLDER}/{contig}.{number:03d}.js"


def embedded(found: Table) -> Iterator[tuple[str, int, str]]:
    """(contig, number of the chunk, base64) of every chunk, for the page; nothing when files are beside it."""
    if found.embedded:
        for path, index in zip(found.paths, found.indices, strict=True):
            for number, text in enumerate(read_chunks(path)):
                yield index["contig"], number, text


def write_beside(found: Table, folder: str | Path, dataset: str) -> list[str]:
    """Write the files beside the page into `folder`, replacing older ones; their relative paths.

    When the table is embedded, none, and older ones are removed.
    """
    root = Path(folder)
    if (root / FOLDER).exists():
        shutil.rmtree(root / FOLDER)
    if found.embedded:
        return []
    (root / FOLDER).mkdir(parents=True)
    for path, index in zip(found.paths, found.indices, strict=True):
        waiting: list[str] = []
        number = 0
        for text in read_chunks(path):
            waiting.append(text)
            if len(waiting) == CHUNKS_PER_FILE:
                _write_file(root, dataset, index["contig"], number, waiting)
                waiting, number = [], number + 1
        if waiting:
            _write_file(root, dataset, index["contig"], number, waiting)
    return found.names()


def _write_file(root: Path, dataset: str, contig: str, number: int, chunks: Sequence[str]) -> None:
    arguments = ",".join(json.dumps(x) for x in (dataset, contig, number, list(chunks)))
    (root / file_name(contig, number)).write_text(f"goeLookup({arguments});\n")


def facts(found: Table, about: Mapping, contigs: Sequence[Mapping]) -> dict:
    """What the page's script has to know of the table.

    about: description of the dataset (`release_notes.dataset`). contigs: {name, length} of the release.
    GoeError when the table lacks a contig of the release.
    """
    by_name = {index["contig"]: index for index in found.indices}
    missing = [c["name"] for c in contigs if c["name"] not in by_name]
    if missing or len(by_name) != len(contigs):
        raise GoeError(
            Problem(
                "look-up table",
                f"its contigs are {', '.join(by_name)}, those of the release {', '.join(c['name'] for c in contigs)}",
                "make the release of all contigs again",
            )
        )
    return {
        "dataset": about["id"],
        "folder": None if found.embedded else FOLDER,
        "chunks_per_file": CHUNKS_PER_FILE,
        "strata": [
            {"name": name, "people": about["strata"].get(name), "parts": made_of}
            for name, made_of in zip(found.strata, parts(found.strata), strict=True)
        ],
        "contigs": [
            {
                "name": c["name"],
                "length": c["length"],
                "example": by_name[c["name"]]["example"],
                "chunks": by_name[c["name"]]["chunks"],
            }
            for c in contigs
        ],
    }
