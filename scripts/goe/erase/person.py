"""One person's data in the folder of a run: every file that is theirs or holds them, and what cannot be erased there.

Files named after the person are theirs. Files of more people hold the person where the id stands in them: as a word
of their text, in the header of a VCF or BCF, or in the metadata and texts of a Parquet file. What one job made goes
together, by its seal, since it is made again together; so does the seal, which makes the next run do it.
"""

import base64
import binascii
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from isal import igzip

from goe.core import tables
from goe.core.errors import Problem, stop_on
from goe.hts.bcf import BROKEN
from goe.rules.dataset import COVERAGE

_PIECE = 1 << 22
# Alignments and indexes have the name of their person; of the others nothing tells who they are of.
_SILENT = (".cram", ".crai", ".bam", ".tbi", ".csi", ".amb", ".ann", ".bwt", ".pac", ".sa")
_CALLS = (".vcf.gz", ".bcf")
# Where a folder, and not only a file, is named after a person.
_FOLDERS = ("work/align/reports",)
# What a killed job leaves beside its files.
_SCRATCH = ".scratch"
_OF_SNAKEMAKE = ("metadata", "incomplete")


@dataclass
class Found:
    """Of a person, names from the folder of the run. own: files of this person alone; shared: those of
    more people; seals: rule -> how many jobs of more people the next run does again; left: what is not erased, a line
    each."""

    own: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    again: Counter[str] = field(default_factory=Counter)
    left: list[str] = field(default_factory=list)


def find(folder: Path, person: str) -> Found:
    """Look at every file of `work/` and `.snakemake/` of the run in `folder`. GoeError when a run is at work there, or
    nobody of this id was ever in it."""
    work = folder / "work"
    locks = list((folder / ".snakemake/locks").glob("*"))
    problems = [] if work.is_dir() else [Problem(str(work), "is not there", "name the folder of a run")]
    if locks:
        problems.append(Problem(str(folder), "is locked: a run is at work there", "wait for it, or --unlock"))
    stop_on(problems)
    sheets = _sheets(folder)
    people = {row[0] for row in sheets["samples"]}
    if (work / "intake/people.tsv").exists():
        people |= {row["sample_id"] for row in tables.read(work / "intake/people.tsv")}
    found, known = Found(), person in people
    people.add(person)
    own, shared = set(), set()
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        owner = _owner(name, people)
        if owner == person:
            own.add(name)
        elif owner is None and (said := _drawn(name) or _mentions(path, person)) is not False:
            shared.add(name)
            known |= said is True and not _drawn(name)
    unknown = Problem(person, "is on no sheet and in no file of this run", "give an id as it stands on the sheet")
    stop_on([] if known or own else [unknown])
    for seal in sorted((work / "seals").rglob("*.json")):
        name = seal.relative_to(folder).as_posix()
        files = json.loads(seal.read_text())["files"]
        made = {os.path.normpath(f"{name.rpartition('/')[0]}/{file}") for file in files}
        if made & shared or (made & own and not made <= own and _owner(name, people) != person):
            shared |= {file for file in made - own if (folder / file).exists()} | {name}
            found.again[name.split("/")[2].removesuffix(".json")] += 1
        elif made & own:
            own.add(name)
    # Of a folder that a job made nothing can stay.
    for top in {file.rpartition("/")[0] for file in own | shared if file.startswith("work/harmonise/people/")}:
        shared |= {p.relative_to(folder).as_posix() for p in (folder / top).iterdir()} - own
    found.own, found.shared = sorted(own), sorted(shared - own)
    found.left = list(_left(folder, person, sheets))
    return found


def erase(folder: Path, found: Found) -> int:
    """Delete what was found; how many files. Seals go first: what is left of a run that is cut off is made again."""
    names = sorted(found.own + found.shared, key=lambda name: not name.startswith("work/seals/"))
    for name in names:
        (folder / name).unlink(missing_ok=True)
    # Some folders are named after a person.
    for name in sorted({file.rpartition("/")[0] for file in found.own}, key=len, reverse=True):
        if (folder / name).is_dir() and not any((folder / name).iterdir()):
            (folder / name).rmdir()
    return len(names)


def _files(folder: Path) -> Iterator[Path]:
    for top in ("work", ".snakemake"):
        for root, folders, names in os.walk(folder / top):
            # Environments of Snakemake and compiled kernels are of no person.
            folders[:] = [f for f in folders if f not in ("conda", "conda-archive", "singularity", "cache")]
            yield from (Path(root) / name for name in names)


def _owner(name: str, people: set[str]) -> str | None:
    """Whose a file is by its name; None where it is of no one person."""
    if name.startswith(tuple(f".snakemake/{kind}/" for kind in _OF_SNAKEMAKE)):
        # A long name is cut into folders.
        text = "".join(part.removeprefix("@") for part in name.split("/")[2:])
        try:
            name = base64.b64decode(text, altchars=b"-_").decode()
        except (binascii.Error, ValueError):
            return None
    parts = name.split("/")
    folders = enumerate(parts[:-1])
    named = [parts[-1]] + [p for i, p in folders if "/".join(parts[:i]) in _FOLDERS or p.endswith(_SCRATCH)]
    for part in named:
        # The longest id that the name begins with.
        for end in [len(part), *(i for i in reversed(range(len(part))) if part[i] == ".")]:
            if part[:end] in people:
                return part[:end]
    return None


def _drawn(name: str) -> bool:
    """Whether a file is a picture or a page of everybody, or left over: there an id is not written as a word."""
    page = name.startswith("work/sample_qc/") and name.endswith((".html", ".png", ".svg"))
    return page or f"{_SCRATCH}/" in name


def _mentions(path: Path, person: str) -> bool | None:
    """Whether the id stands in a file; None of one that cannot be read, as a killed job leaves it."""
    word = re.compile(rb"(?<![A-Za-z0-9])" + re.escape(person.encode()) + rb"(?![A-Za-z0-9])")
    tail = b""
    try:
        for piece in _texts(path):
            data = tail + piece
            if word.search(data):
                return True
            tail = data[-len(person) - 2 :]
    except (*BROKEN, pa.ArrowException):
        return None
    return False


def _texts(path: Path) -> Iterator[bytes]:
    """What of a file can hold an id. Names of files that jobs read stand in what Snakemake keeps."""
    if path.name.endswith(_SILENT) or path.is_symlink():
        yield os.fsencode(path.readlink()) if path.is_symlink() else b""
    elif path.suffix == ".parquet":
        yield from _parquet(path)
    elif path.name.endswith(_CALLS):
        with igzip.open(path, "rb") as handle:
            yield from _header(handle)
    elif path.suffix == ".gz":
        with igzip.open(path, "rb") as handle:
            yield from iter(lambda: handle.read(_PIECE), b"")
    else:
        with path.open("rb") as handle:
            yield from iter(lambda: handle.read(_PIECE), b"")


def _header(handle: IO[bytes]) -> Iterator[bytes]:
    data = b""
    while piece := handle.read(_PIECE):
        data += piece
        start = data.find(b"#CHROM")
        if start >= 0 and (end := data.find(b"\n", start)) >= 0:
            data = data[:end]
            break
    yield data


def _parquet(path: Path) -> Iterator[bytes]:
    with pq.ParquetFile(path, pre_buffer=False) as file:
        for value in (file.metadata.metadata or {}).values():
            yield b"\n" + value + b"\n"
        texts = [one.name for one in file.schema_arrow if one.type == pa.string() and one.name not in ("ref", "alt")]
        for batch in file.iter_batches(columns=texts) if texts else ():
            for column in batch.columns:
                yield ("\n" + "\n".join(filter(None, column.unique().to_pylist())) + "\n").encode()


def _sheets(folder: Path) -> dict[str, list[list[str]]]:
    """Rows of the sheets that the configuration names, cells by place; none where one cannot be read."""
    rows: dict[str, list[list[str]]] = {"samples": [], "inputs": []}
    path = folder / "config/config.yaml"
    named = yaml.safe_load(path.read_text()) if path.exists() else {}
    for sheet in rows:
        file = folder / str((named or {}).get(sheet, ""))
        if file.is_file():
            lines = [line.split("\t") for line in file.read_text(encoding="utf-8-sig").splitlines()]
            order = [*lines[0]] if lines else []
            at = [order.index(c) for c in ("sample_id", "input_type", "path", "path2") if c in order]
            rows[sheet] = [[line[i] if i < len(line) else "" for i in at] for line in lines[1:]]
    return rows


def _left(folder: Path, person: str, sheets: dict[str, list[list[str]]]) -> Iterator[str]:
    own = [row for row in sheets["inputs"] if row[0] == person]
    # Who has reads beside calls may have these in a joint VCF.
    calls = any(row[1] != COVERAGE for row in own)
    joint = [] if calls else sorted({r[2] for r in sheets["inputs"] if not r[0] and _mentions(folder / r[2], person)})
    if own:
        files = sorted({cell for row in own for cell in row[2:] if cell})
        yield f"inputs, which are not this run's to delete: {', '.join(files)}"
    if own and not joint:
        yield "rows of samples.tsv and inputs.tsv: take them out, or the next run makes all of it again"
    if joint:
        yield f"joint VCFs, to be made again without the person by whoever made them: {', '.join(joint)}"
        yield "until then the row of samples.tsv stays, withdrawn: yes, and a new run splits these files again"
    if own and joint:
        yield "the row of inputs.tsv: take it out, or the next run looks at the depth of these reads again"
    if (folder / "work/frequencies").is_dir():
        yield "counts with the person in them and no id (work/frequencies, work/release): the next run makes new ones"
    if (folder / "work/release/people.tsv").exists():
        yield "work/release/people.tsv, people.key: a keyed digest of the person, by which the next release is compared"
    if (folder / "release").exists() or (folder / "restricted").exists():
        yield "release/, restricted/: sums of everybody; who got them has them (docs/disclosure.md, Earlier releases)"
    yield "scratch folders on other nodes (goe-*.scratch), logs of the cluster and backups: ask who keeps them"
