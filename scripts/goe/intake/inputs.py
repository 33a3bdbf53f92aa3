"""What a release was made from, in a private record: every data file by its content, every person by their row.

No digest of it is in the release. The SHA-256 of a person's file would prove to whoever has that file that the person
is in the cohort, and so would one digest of all files to whoever has all others; a digest under a key would differ from
run to run, and the release with it. So the record stays at home, beside that of the people (`goe.disclosure`), with
keyed digests only (`goe.core.keyed`): who finds it without its key learns how many people and files there were.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from goe.core import keyed, manifest
from goe.core.errors import Problem, stop_on
from goe.settings.sheets import Input, Person

COLUMNS = ("what", "name", "content")
DIGESTS = ("row", "name", "what", "sha256")
PERSON, FILE, PIECES = "person", "file", "pieces"
"""What an entry is of: a person, the whole of a data file, or its size and some pieces of it."""
_MANY, _PIECE = 16, 1 << 16


@dataclass(frozen=True)
class Entry:
    """A person or a data file. name: tells it from others of its kind, wherever it lies; several joint VCFs have the
    same. content: what a change of it changes. row: of its sheet."""

    what: str
    name: str
    content: str
    row: int


def files_of(entry: Input) -> Iterator[tuple[str, str]]:
    """Name and path of each data file of a row of the sheet."""
    where = (entry.sample_id, entry.input_type, entry.library, entry.unit)
    for number, path in enumerate((entry.path, entry.path2), 1):
        if path:
            yield json.dumps([*where, number]), path


def pieces(path: str | Path) -> str:
    """SHA-256 of the size of a file and of 16 pieces of 64 KiB, spread evenly from its first byte to its last.

    Other data show nearly always, one changed byte of a file above 1 MiB seldom."""
    size = Path(path).stat().st_size
    digest = hashlib.sha256(f"{size}\n".encode())
    with Path(path).open("rb") as file:
        for i in range(_MANY):
            file.seek(max(0, size - _PIECE) * i // (_MANY - 1))
            digest.update(file.read(_PIECE))
    return digest.hexdigest()


def digests(inputs: Iterable[Input], threads: int = 1, what: str = FILE) -> list[tuple[str, ...]]:
    """A table of the data files of these rows, the header first: row of the sheet, name, `what`, SHA-256.

    what: FILE or PIECES."""
    wanted = [(entry.row, name, path) for entry in inputs for name, path in files_of(entry)]
    with ThreadPoolExecutor(threads) as pool:
        values = list(pool.map(pieces if what == PIECES else manifest.digest, (path for _, _, path in wanted)))
    return [DIGESTS, *((str(row), name, what, value) for (row, name, _), value in zip(wanted, values, strict=True))]


def entries(people: Iterable[Person], hashed: Iterable[Mapping[str, str]]) -> list[Entry]:
    """Everybody of the sheet, and every data file. hashed: rows of `digests`."""
    sheets = [
        Entry(PERSON, p.sample_id, json.dumps([p.sex, p.country, p.withdrawn, sorted(p.extra.items())]), p.row)
        for p in people
    ]
    return sheets + [Entry(row["what"], row["name"], row["sha256"], int(row["row"])) for row in hashed]


def _rows(listed: Iterable[Entry], key: bytes) -> list[tuple[str, ...]]:
    return [
        (one.what, keyed.digest(key, f"{one.what} name {one.name}"), keyed.digest(key, f"{one.what} {one.content}"))
        for one in listed
    ]


def write_record(listed: Iterable[Entry], path: str | Path, key_file: str | Path) -> None:
    """Write the record under a new key, in the order of the digests."""
    key = keyed.new_key()
    keyed.write(path, [COLUMNS, *sorted(_rows(listed, key))], key, key_file)


@dataclass
class Changes:
    """What differs from a record, of one kind. changed, new: rows of the sheet; gone: how many of the record."""

    changed: list[int] = field(default_factory=list)
    new: list[int] = field(default_factory=list)
    gone: int = 0

    def __bool__(self) -> bool:
        return bool(self.changed or self.new or self.gone)


def compare(listed: Sequence[Entry], path: str | Path, key_file: str | Path) -> dict[str, Changes]:
    """PERSON, and FILE or PIECES -> what differs from the record; of files nothing, where the record is of whole ones
    and `listed` of pieces, or the other way round. GoeError when the record cannot be read."""
    stop_on(
        [
            Problem(str(p), "no such file", "give the record and its key")
            for p in (path, key_file)
            if not Path(p).is_file()
        ]
    )
    key, problems = keyed.read_key(key_file)
    head, *lines = Path(path).read_text().splitlines() or [""]
    rows = [tuple(line.split("\t")) for line in lines]
    if head.split("\t") != list(COLUMNS) or any(len(row) != len(COLUMNS) for row in rows):
        problems.append(Problem(str(path), "is no record of inputs", "give work/release/inputs.tsv of that run"))
    stop_on(problems)
    kinds = {one.what for one in listed} | {row[0] for row in rows} | {PERSON}
    if {FILE, PIECES} <= kinds:
        kinds = {PERSON}
        listed, rows = [one for one in listed if one.what == PERSON], [row for row in rows if row[0] == PERSON]
    before = Counter(rows)
    unknown = []
    for one, row in zip(listed, _rows(listed, key), strict=True):
        if before[row]:
            before[row] -= 1
        else:
            unknown.append((one, row[:2]))
    left = Counter(row[:2] for row in before.elements())
    out = {what: Changes() for what in kinds}
    for one, name in unknown:
        if left[name]:
            left[name] -= 1
            out[one.what].changed.append(one.row)
        else:
            out[one.what].new.append(one.row)
    for what, _ in left.elements():
        out[what].gone += 1
    return out
