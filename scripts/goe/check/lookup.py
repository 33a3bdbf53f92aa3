"""The look-up table of `report.html`, unpacked again: what the page says of its chunks, and every number in them.

Read as goe.release.report.lookup tells, by other code than packs it.
"""

import base64
import json
import re
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from goe.check import readback
from goe.core.errors import GoeError, Problem
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.release import bounds, reading
from goe.release.report import callable_steps, rs_numbers
from goe.rules.stratum import parse

PAGE = "report.html"
NUMBERS = ("ac", "an", "ac_hom", "ac_het", "ac_hemi", "nhomalt")
_FACTS, _END = '<script type="application/json" id="facts">', "</script>"
# No part of it can take what another one may begin with, so that nothing is gone over twice.
_CHUNK = re.compile(r'<script type="text/plain" id="chunk-([^"]*+)">([A-Za-z0-9+/=\s]*+)</script>')
_AGAIN = "the page was changed, or is not of this release: get the release again"
_NAN = 0x7FC00000


@dataclass(frozen=True)
class Page:
    """The table as the page has it. facts: what its script knows; chunks: (contig, number) -> base64, of a page that
    holds its table; files: relative paths of the files beside another."""

    facts: dict
    chunks: dict[tuple[str, int], str]
    files: list[str]


def read(folder: str | Path) -> Page:
    """The page of a release folder. GoeError when it has no table."""
    where = Path(folder) / PAGE
    with reading.reading(where):
        text = where.read_text(encoding="utf-8")
    _, _, facts_text = text.partition(_FACTS)
    facts_text, _, _ = facts_text.partition(_END)
    try:
        if len(facts_text) > bounds.FACTS:
            raise ValueError(f"{len(facts_text):,} characters")
        facts = reading.parsed(facts_text or "null", str(where))
        named = facts["folder"]
        files = []
        for track, stated, _ in tracks(facts):
            names = range(-(-len(stated) // facts["chunks_per_file"]))
            files += [f"{named}/{track}.{number:03d}.js" for number in names] if named else []
        _ = facts["owner"], [s["name"] for s in facts["strata"]], [c["length"] for c in facts["contigs"]]
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        what = f"does not say what is in its look-up table ({type(error).__name__}: {error})"
        raise GoeError(Problem(str(where), what, _AGAIN)) from None
    chunks = {}
    for name, data in _CHUNK.findall(text):
        contig, _, number = name.rpartition("-")
        if not re.fullmatch("[0-9]{1,9}", number):
            raise GoeError(Problem(str(where), f"chunk {name[:80]!r} has no number", _AGAIN))
        chunks[contig, int(number)] = data
    return Page(facts, chunks, files)


def tracks(facts: Mapping) -> Iterator[tuple[str, list, dict]]:
    """What the page has chunks of, what it says of each chunk, and more: alleles of each contig, then steps of callable
    AN along each, then rs numbers of each."""
    yield from ((contig["name"], contig["chunks"], {}) for contig in facts["contigs"])
    for contig in facts["contigs"]:
        steps = contig["callable"]
        yield f"{contig['name']}.callable", steps["chunks"], {"edges": steps["edges"]}
    yield from ((f"{contig['name']}.rs", contig["rs_numbers"]["chunks"], {}) for contig in facts["contigs"])


def without_chunks(text: str) -> str:
    """A page without the packed chunks of its table."""
    return _CHUNK.sub("", text)


def check(folder: str | Path, page: Page, dataset: str, people: Mapping[str, int], contigs: Sequence[Mapping]) -> list:
    """Whether the page is of this dataset, with its strata and contigs, and holds or names all its chunks."""
    where = str(Path(folder) / PAGE)
    facts = page.facts

    def differs(what: str, actual: object, wanted: object) -> list[Problem]:
        return [] if actual == wanted else [Problem(where, f"{what}: {actual}, expected {wanted}", _AGAIN)]

    problems = differs("dataset", facts["owner"], dataset)
    problems += differs("strata", {s["name"]: s.get("people") for s in facts["strata"]}, dict(people))
    problems += differs(
        "contigs", [(c["name"], c["length"]) for c in facts["contigs"]], [(c["name"], c["length"]) for c in contigs]
    )
    wanted = [(t, i) for t, chunks, _ in tracks(facts) for i in range(len(chunks))] if not page.files else []
    problems += [
        Problem(where, f"chunk {number} of {track} is not in the page", _AGAIN)
        for track, number in wanted
        if (track, number) not in page.chunks
    ]
    strange = sorted(set(page.chunks) - set(wanted))
    return problems + [Problem(where, f"chunk {n} of {track} is none of its table", _AGAIN) for track, n in strange]


def numbers(folder: str | Path, page: Page, contig: str, strata: Sequence[str]) -> Iterator[pa.Table]:
    """Cells of one contig, with FILTER and faf95 in the row of Total. GoeError when a chunk is not what the page
    says of it."""
    (about,) = [c for c in page.facts["contigs"] if c["name"] == contig]
    texts = _texts(folder, page, contig, len(about["chunks"]))
    for number, (stated, (text, where)) in enumerate(zip(about["chunks"], texts, strict=True)):
        try:
            raw = _inflated(text, bounds.lookup_chunk(len(strata)))
            table, found = _unpack(raw, contig, stated[0], strata, where)
        except _NO_CHUNK as error:
            what = f"chunk {number} of {contig} cannot be unpacked: {type(error).__name__}"
            raise GoeError(Problem(where, what, _AGAIN)) from None
        if list(stated) != [*found, zlib.adler32(raw)]:
            what = f"chunk {number} of {contig} is not what the page says of it, so that alleles are not found"
            raise GoeError(Problem(where, what, _AGAIN))
        yield table


_NO_CHUNK = (ValueError, ArithmeticError, zlib.error, struct.error, KeyError, TypeError, IndexError)


def _inflated(text: str, most: int) -> bytes:
    """A chunk of at most so many bytes; one of _NO_CHUNK where it is none."""
    packed = zlib.decompressobj()
    raw = packed.decompress(base64.b64decode(text, validate=True), most)
    if packed.unused_data or packed.unconsumed_tail or not packed.eof:
        raise ValueError("bytes behind its end")
    return raw


def _texts(folder: str | Path, page: Page, track: str, many: int) -> Iterator[tuple[str, str]]:
    """Base64 of the chunks of a track in order, and the file each is in."""
    if not page.files:
        for number in range(many):
            text = page.chunks.get((track, number))
            if text is None:
                what = f"chunk {number} of {track} is not in the page"
                raise GoeError(Problem(str(Path(folder) / PAGE), what, _AGAIN))
            yield text, str(Path(folder) / PAGE)
        return
    each = page.facts["chunks_per_file"]
    for number in range(-(-many // each)):
        where = Path(folder) / page.facts["folder"] / f"{track}.{number:03d}.js"
        with reading.reading(where):
            content = where.read_text(encoding="ascii")
        call_arguments = content.removeprefix("goeLookup(").removesuffix(");\n")
        try:
            dataset, name, its_number, texts = json.loads(f"[{call_arguments}]")
            wanted = [page.facts["owner"], track, number, min(each, many - number * each)]
            right = [dataset, name, its_number, len(texts)] == wanted and all(isinstance(t, str) for t in texts)
            arguments = ",".join(json.dumps(x) for x in (dataset, name, its_number, texts))
            right = right and content == f"goeLookup({arguments});\n"
        except (TypeError, ValueError, RecursionError):
            right = False
        if not right:
            raise GoeError(Problem(str(where), "is not the file of the look-up table that it should be", _AGAIN))
        for text in texts:
            yield text, str(where)


def _unpack(raw: bytes, contig: str, first: int, strata: Sequence[str], where: str) -> tuple[pa.Table, list[int]]:
    """Cells of a chunk; first and last position, last base that an allele reaches, alleles.

    first: position of the first allele, which only the page says.
    """
    (size,) = struct.unpack_from("<I", raw)
    if size > bounds.CHUNK_HEAD:
        raise ValueError("a long header")
    head = json.loads(raw[4 : 4 + size])
    data = np.frombuffer(raw, np.uint8, offset=4 + size)
    n = head["n"]
    if not 0 < n <= bounds.CHUNK_ALLELES or any(not 0 <= width <= 4 for _, width, _ in head["columns"]):
        raise ValueError("no size of a chunk")
    if json.dumps(head, separators=(",", ":")).encode() != raw[4 : 4 + size]:
        raise ValueError("another notation")
    places = np.cumsum([0] + [width * n for _, width, _ in head["columns"]]).tolist()
    if set(head) != {"n", "pairs", "filters", "columns"} or [at for *_, at in head["columns"]] != places[:-1]:
        raise ValueError("more than its columns")
    if len(data) != places[-1]:
        raise ValueError("bytes behind its columns")

    def column(number: int) -> np.ndarray:
        base, width, at = head["columns"][number]
        planes = data[at : at + width * n].reshape(width, n).astype(np.int64)
        return base + sum((plane << (8 * i) for i, plane in enumerate(planes)), np.zeros(n, np.int64))

    if len(head["columns"]) != 4 + 5 * len(strata):
        raise GoeError(Problem(where, f"a chunk of {contig} is not of the strata of this release", _AGAIN))
    if any(len(np.unique(column(i))) != len(head[key]) for i, key in ((1, "pairs"), (2, "filters"))):
        raise ValueError("names that no allele has")
    pairs = pa.array(head["pairs"], pa.string())
    if not pc.all(pc.match_substring_regex(pairs, "^[ACGT]+>[ACGT]+$")).as_py():
        raise ValueError("no alleles")
    pairs = pc.split_pattern(_taken(pairs, column(1), "alleles", where), ">")
    alleles = {
        "contig": pa.repeat(pa.scalar(contig), n),
        "pos": pa.array(first + np.cumsum(column(0)), pa.int32()),
        "ref": pc.list_element(pairs, 0),
        "alt": pc.list_element(pairs, 1),
    }
    shown = np.array([column(4 + 5 * s) for s in range(len(strata))]) == 1
    an, het, hom, hemi = (_whole(column, strata, shown, part) for part in range(4))
    values = {"ac": 2 * hom + het + hemi, "an": an, "ac_hom": 2 * hom, "ac_het": het, "ac_hemi": hemi, "nhomalt": hom}
    cells = readback.cells(alleles, strata, values, shown)
    bits = column(3)
    faf = np.where(bits == _NAN, np.nan, bits.astype("<u4").view("<f4"))
    total = pc.equal(cells["stratum"], st.TOTAL).to_numpy()
    order = np.full(cells.num_rows, -1, dtype=np.int64)
    order[total] = np.flatnonzero(shown[list(strata).index(st.TOTAL)])
    pick = pa.array(order, mask=~total)
    filters = _taken(pa.array(head["filters"], pa.string()), column(2), "filters", where)
    cells = cells.append_column("FILTER", filters.take(pick))
    cells = cells.append_column("faf95", pa.array(faf, pa.float64(), from_pandas=True).take(pick))
    pos = alleles["pos"].to_numpy()
    reach = pos + pc.binary_length(alleles["ref"]).to_numpy() - 1
    return cells, [int(pos[0]), int(pos[-1]), int(reach.max()), n]


def _taken(words: pa.Array, codes: np.ndarray, name: str, where: str) -> pa.Array:
    coded = pa.DictionaryArray.from_arrays(pa.array(codes), words)
    reading.check_text(pa.chunked_array([coded]), name, where)
    return coded.dictionary_decode()


def _whole(column: Callable[[int], np.ndarray], strata: Sequence[str], shown: np.ndarray, part: int) -> np.ndarray:
    """One number of all strata, int64 (strata, alleles): what is kept of each, and with it those of its parts."""
    out = np.zeros(shown.shape, dtype=np.int64)
    # Parts never point back, so the last strata are whole already.
    for s in range(len(strata) - 1, -1, -1):
        inside = [i for i, name in enumerate(strata) if parse(name).is_part(parse(strata[s]))]
        out[s] = np.where(shown[s], column(4 + 5 * s + 1 + part) + out[inside].sum(axis=0), 0)
    return out


def expected(block: Block) -> pa.Table:
    """What the table has of a block."""
    everywhere = np.ones(len(block), dtype=bool)
    cells = readback.expected(block, NUMBERS, everywhere)
    total = pc.equal(cells["stratum"], st.TOTAL).to_numpy()
    order = np.full(cells.num_rows, -1, dtype=np.int64)
    order[total] = np.flatnonzero(block.shown()[block.strata.index(st.TOTAL)])
    pick = pa.array(order, mask=~total)
    single = block.statistics["faf95"].astype(np.float32).astype(np.float64)
    cells = cells.append_column("FILTER", block.filter.take(pick))
    return cells.append_column("faf95", pa.array(single, from_pandas=True).take(pick))


def compare(
    folder: str | Path, page: Page, contig: str, strata: Sequence[str], wanted: Iterator[Block]
) -> list[Problem]:
    """Differences between the look-up table of a contig and the blocks of the release."""
    columns = (*NUMBERS, "FILTER", "faf95")
    got = numbers(folder, page, contig, strata)
    where = str(Path(folder) / (page.facts["folder"] or PAGE))
    return readback.compare(got, map(expected, wanted), f"{where} {contig}", columns)


def compare_callable(
    folder: str | Path, page: Page, contig: str, people: int, runs: Iterable[pa.Table]
) -> list[Problem]:
    """Differences between the steps of callable AN of a contig and those of its released runs. people: of Total."""
    steps = callable_steps.Steps(people)
    wanted = chain(chain.from_iterable(map(steps.add, runs)), steps.rest())
    return _compare_track(folder, page, f"{contig}.callable", wanted, "callable AN gives")


def compare_rs_numbers(folder: str | Path, page: Page, contig: str, names: Iterable[pa.Table]) -> list[Problem]:
    """Differences between the rs numbers of a contig and those of its table of names. names: pieces with rsid."""
    numbers = rs_numbers.Numbers()
    try:
        for piece in names:
            numbers.add(piece["rsid"])
    except pa.ArrowInvalid:
        return [Problem(f"allele-names/{contig}.parquet", "has rs numbers that are none", _AGAIN)]
    return _compare_track(folder, page, f"{contig}.rs", numbers.chunks(), "the table of names gives")


def _compare_track(folder: str | Path, page: Page, track: str, wanted: Iterable[tuple], words: str) -> list[Problem]:
    """wanted: of each chunk what the page has to say of it, and the chunk before zlib."""
    (told,) = [chunks for name, chunks, _ in tracks(page.facts) if name == track]
    where = str(Path(folder) / (page.facts["folder"] or PAGE))
    every = zip_longest(told, _texts(folder, page, track, len(told)), wanted)
    for number, (stated, text, one) in enumerate(every):
        try:
            *about, raw = one
            same = stated == [*about, zlib.adler32(raw)] and _inflated(text[0], len(raw) + 1) == raw
        except _NO_CHUNK:
            same = False
        if not same:
            return [Problem(where, f"chunk {number} of {track} is not what {words}", _AGAIN)]
    return []
