"""The released table inside, or beside, `report.html`, packed so that a page opened from a folder can search it.

It is inside the page when all chunks (`goe.pages.packed`) fit in EMBED_UP_TO characters (some 300,000 alleles of
twenty strata), else in files `report-data/<contig>.<number>.js`, which the page loads when a search needs them. Both
hold the same chunks. Which of the two depends on the content alone, and memory on one block alone.

A chunk is of a block. Words: the distinct `pairs` ("A>G") and `filters`. Columns: step of pos from the allele before
(the first from its own pos: 0), index in pairs, index in filters, bits of faf95 in single precision, then for each
stratum shown (0 or 1), AN, heterozygotes, homozygotes, hemizygotes, people but for AN. These four are what is left
when the values of the stratum's parts (`parts`) are taken away, which is nearly always 0 for a sum such as Total. A
cell that is not public is 0 in all of them.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc

from goe.core.errors import GoeError, Problem
from goe.disclosure.silence import UNHEARD, Silence
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.genome import hgvs
from goe.genome.build import Build
from goe.pages import packed
from goe.release.report import callable_steps, rs_numbers
from goe.rules.stratum import parse

FOLDER = "report-data"
# Characters of base64 that are embedded at most: the page can still be sent by mail.
EMBED_UP_TO = 8_000_000
_NAN = 0x7FC00000


def parts(strata: Sequence[str]) -> list[list[int]]:
    """For each stratum the indices of the strata that make it up: Total of countries, a country of its sexes, M and
    F of theirs in the countries; empty for the smallest ones. Parts never overlap and never point back."""
    index = {name: i for i, name in enumerate(strata)}
    out = []
    for name in strata:
        out.append([index[s] for s in strata if parse(s).is_part(parse(name))])
    return out


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
        packed.column(np.diff(pos, prepend=pos[:1])),
        packed.column(pairs.indices.to_numpy()),
        packed.column(filters.indices.to_numpy()),
        packed.column(np.where(np.isnan(faf), _NAN, faf.view("<u4"))),
    ]
    public = [np.where(shown, x, 0).astype(np.int64) for x in (n.an, n.ac_het, n.nhomalt, n.ac_hemi)]
    for s, made_of in enumerate(parts(block.strata)):
        columns.append(packed.column(shown[s].astype(np.int64)))
        columns += [packed.column(x[s] - x[made_of].sum(axis=0), shown[s]) for x in public]
    words = {"pairs": pairs.dictionary.to_pylist(), "filters": filters.dictionary.to_pylist()}
    return packed.chunk(len(block), words, columns)


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
    """File of one contig's chunks (`goe.pages.packed.Track`).

    Index: chunks are [first pos, last pos, last base that an allele reaches, alleles, Adler-32]; besides `strata` and
    `example`, a PASS allele ["pos", "ref", "alt"] that was seen and, where there is one, has numbers of every stratum.
    """

    def __init__(self, path: str | Path, contig: str, strata: Sequence[str]):
        self.contig, self.strata = contig, tuple(strata)
        self.example: tuple[int, list] = (0, [])
        self._track = packed.Track(path, contig)

    def write(self, block: Block) -> None:
        """Add a block; blocks come in the order of pos. ValueError for one of another contig or other strata."""
        if (block.contig, block.strata) != (self.contig, self.strata):
            raise ValueError(f"block of {block.contig} {block.strata}, expected {self.contig} {self.strata}")
        if not len(block):
            return
        pos = block.pos.to_numpy().astype(np.int64)
        reach = int((pos + pc.binary_length(block.ref).to_numpy() - 1).max())
        self._track.add(pack(block), int(pos[0]), int(pos[-1]), reach, len(block))
        self.example = example(block, self.example)

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._track.close(error is None, strata=list(self.strata), example=self.example[1])


class Tracks(NamedTuple):
    """Files that a look-up table is made of, one a contig each, in release order. alleles: of `Writer`; callable: of
    `callable_steps.Writer`; rs_numbers: of `rs_numbers.Writer`."""

    alleles: Sequence[str | Path]
    callable: Sequence[str | Path]
    rs_numbers: Sequence[str | Path]


@dataclass(frozen=True)
class Table:
    """The look-up table of a release: files of tracks with their indices, those of alleles first. contigs: how many."""

    tracks: tuple[tuple[Path, dict], ...]
    contigs: int
    embedded: bool

    @property
    def indices(self) -> list[dict]:
        """Those of alleles, in release order."""
        return [index for _, index in self.tracks[: self.contigs]]

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
        return [n for _, index in self.tracks for n in packed.names(FOLDER, index["track"], len(index["chunks"]))]


def table(files: Tracks, embed_up_to: int = EMBED_UP_TO) -> Table:
    """The table of these files; embedded when it has at most `embed_up_to` characters.

    GoeError when files differ in their strata or a contig is there twice, or not in all of them.
    """
    every = [(Path(path), packed.read_index(path)) for paths in files for path in paths]
    alleles = every[: len(files.alleles)]
    problems = []
    contigs: list[str] = []
    for path, index in alleles:
        if index["strata"] != alleles[0][1]["strata"]:
            problems.append(
                Problem(str(path), f"strata differ from those of {alleles[0][0]}", "make all contigs again")
            )
        if index["track"] in contigs:
            problems.append(Problem(str(path), f"{index['track']} is there twice", "give each contig once"))
        contigs.append(index["track"])
    if not alleles:
        problems.append(Problem("look-up table", "no contig", "make the release of the contigs first"))
    others = [track(contig) for track in (callable_steps.track, rs_numbers.track) for contig in contigs]
    if [index["track"] for _, index in every[len(alleles) :]] != others:
        what = "callable AN or rs numbers are of other contigs"
        problems.append(Problem("look-up table", what, "make all contigs again"))
    if problems:
        raise GoeError(problems)
    return Table(tuple(every), len(alleles), sum(index["characters"] for _, index in every) <= embed_up_to)


def embedded(found: Table) -> Iterator[tuple[str, int, str]]:
    """(track, number of the chunk, base64) of every chunk, for the page; nothing when files are beside it."""
    if found.embedded:
        for path, index in found.tracks:
            for number, text in enumerate(packed.read_chunks(path)):
                yield index["track"], number, text


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
    for path, index in found.tracks:
        chunks = packed.read_chunks(path)
        for number, name in enumerate(packed.names(FOLDER, index["track"], len(index["chunks"]))):
            some = [*islice(chunks, packed.CHUNKS_PER_FILE)]
            (root / name).write_text(packed.call(dataset, index["track"], number, some))
    return found.names()


def facts(found: Table, about: Mapping, contigs: Sequence[Mapping], quiet: Silence) -> dict:
    """What the page's script has to know of the table.

    about: description of the dataset (`release_notes.dataset`). contigs: {name, length} of the release. quiet: what it
    means that an allele is not listed. GoeError when the table lacks a contig of the release.
    """
    by_name = {index["track"]: index for index in found.indices}
    missing = [c["name"] for c in contigs if c["name"] not in by_name]
    if missing or len(by_name) != len(contigs):
        raise GoeError(
            Problem(
                "look-up table",
                f"its contigs are {', '.join(by_name)}, those of the release {', '.join(c['name'] for c in contigs)}",
                "make the release of all contigs again",
            )
        )
    tracks = {index["track"]: index for _, index in found.tracks}
    build = Build(
        about["build"],
        {c["name"]: c["length"] for c in contigs},
        [tuple(region) for region in about["pseudo_autosomal_regions"]],
    )
    return {
        "kind": "release",
        "owner": about["id"],
        "folder": None if found.embedded else FOLDER,
        "chunks_per_file": packed.CHUNKS_PER_FILE,
        "strata": [
            {"name": name, "people": about["strata"].get(name), "parts": made_of}
            for name, made_of in zip(found.strata, parts(found.strata), strict=True)
        ],
        "contigs": [
            {
                "name": c["name"],
                "length": c["length"],
                "accession": hgvs.accession(about["build"], c["name"], c["length"]),
                "example": by_name[c["name"]]["example"],
                "chunks": by_name[c["name"]]["chunks"],
                "callable": {key: tracks[callable_steps.track(c["name"])][key] for key in ("edges", "chunks")},
                "rs_numbers": {"chunks": tracks[rs_numbers.track(c["name"])]["chunks"]},
                "odd": quiet.odd_places(build, c["name"]),
            }
            for c in contigs
        ],
        "silence": {
            "unheard": None if any(about["callable_an"]["people"].values()) else UNHEARD,
            "not_callable": quiet.not_callable,
            "callable": quiet.callable("{an}"),
            "odd": quiet.callable("{an}", quiet.unbounded(odd=True, overlapped=False)),
            "overlapped": quiet.callable("{an}", quiet.unbounded(odd=False, overlapped=True)),
        },
    }
