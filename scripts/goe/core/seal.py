"""Seals: what a job made, under which stamp (goe.intake.stamps), with SHA-256 of what stands in each file.

A seal lies beside the files and is written last. Whoever reads the files asks it first: what was made under another
stamp, is not what was made, or stands in no seal stops the run, whatever Snakemake, a clock or a disk says. A seal also
holds the digests of the seals whose files its job read, so that those of a release hold everything it was made of.

A digest is of a piece of a file, so that a job which reads a part of a large file need not read all of it.
"""

import gc
import hashlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from goe.core import manifest
from goe.core.errors import GoeError, Problem, of_machine, stop_on
from goe.core.files import Seekable, write_whole
from goe.core.imports import UNUSED, without

PIECE = 1 << 24
"""Bytes of a piece; a file that is no larger has its SHA-256 in its seal, as `sha256sum` gives it."""

_AGAIN = "run it again; if this stays, remove the file it names and its seal"
_SEALS = "work/seals"  # of a run, from its folder
_MARK = ".snakemake_timestamp"  # which Snakemake leaves in a folder that a job has made
_Pieces = Sequence[str]


def _absolute(path: str | Path) -> str:
    """The path without dots; links stay, as they are the names that jobs use."""
    return os.path.normpath(Path.cwd() / path)


def _files(path: str | Path) -> list[str]:
    """The file, or those of the folder, by their absolute names."""
    folder = _absolute(path)
    if not Path(folder).is_dir():
        return [folder]
    return [str(Path(folder) / name) for name in manifest.files(folder) if name != _MARK]


def pieces(path: str | Path) -> list[str]:
    """SHA-256 (hex) of each piece of a file; of nothing, where the file is empty."""
    with Path(path).open("rb") as handle:
        found = [hashlib.sha256(piece).hexdigest() for piece in iter(lambda: handle.read(PIECE), b"")]
    return found or [hashlib.sha256().hexdigest()]


def write(
    path: str | Path, stage: str, stamp: str, files: Iterable[str | Path], read: Iterable[str | Path] = ()
) -> None:
    """Seal `files`, and all files of those that are folders.

    read: the seals of what they were made of. Names in a seal start from its own folder, so that a run may be moved.
    """
    start = Path(path).parent

    def named(file: str | Path) -> str:
        return os.path.relpath(file, start)

    listed = {named(file): pieces(file) for given in files for file in _files(given) if Path(file).is_file()}
    before = {named(seal): manifest.digest(seal) for seal in read}
    document = {"stage": stage, "stamp": stamp, "files": listed, "read": before}
    write_whole(path, json.dumps(document, indent=1, sort_keys=True) + "\n")


def stamp(path: str | Path) -> str:
    """The stamp of a seal; empty where there is none that can be read."""
    try:
        return str(json.loads(Path(path).read_text())["stamp"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


class Held:
    """What seals say of the files that they hold, by absolute name. problems: what is wrong with the seals themselves.

    stamps: stage -> the stamp, or stamps, that this run gives it.
    """

    def __init__(self, seals: Iterable[str | Path], stamps: Mapping[str, str | Iterable[str]]):
        self.problems: list[Problem] = []
        self._of: dict[str, tuple[_Pieces, str]] = {}
        for seal in map(Path, seals):
            try:
                document = json.loads(seal.read_text())
                stage, stamp, listed = document["stage"], document["stamp"], document["files"]
                self._of |= {_absolute(seal.parent / name): (tuple(of), str(seal)) for name, of in listed.items()}
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                what = "is no seal of a job: the job was not finished, or it is damaged"
                self.problems.append(Problem(str(seal), what, _AGAIN))
                continue
            current = stamps.get(stage, ())
            if stamp not in ({current} if isinstance(current, str) else set(current)):
                what = f"made by the stage {stage} under other settings, inputs or code than those of this run"
                self.problems.append(Problem(str(seal), what, _AGAIN))

    def of(self, path: str | Path) -> dict[str, tuple[_Pieces, str]]:
        """Digests and seal of the file, or of each that seals hold of the folder."""
        whole = _absolute(path)
        if whole in self._of or not Path(whole).is_dir():
            return {whole: self._of[whole]} if whole in self._of else {}
        return {name: of for name, of in self._of.items() if name.startswith(f"{whole}{os.sep}")}

    def faults(self, path: str | Path) -> Iterator[Problem]:
        """What of a file, or of the files of a folder, is not as its seal holds it, or in no seal."""
        wanted = self.of(path)
        if not wanted:
            yield _unsealed(str(path))
        for name, (digests, seal) in wanted.items():
            if not Path(name).is_file() or tuple(pieces(name)) != digests:
                yield _differs(os.path.normpath(Path(path) / os.path.relpath(name, _absolute(path))), seal)
        yield from (_unsealed(name) for name in _files(path) if wanted and name not in wanted)


def _differs(path: str, seal: str) -> Problem:
    return Problem(path, "is not what its job made: its digest differs", f"remove it and {seal}, and run again")


def _unsealed(path: str) -> Problem:
    return Problem(path, "is in no seal of the jobs that it should be from", "remove it and run again")


def chain(seals: Iterable[str | Path]) -> list[Problem]:
    """Seals, of all that went before `seals`, that are not the ones which the jobs behind them have read."""
    found, todo, seen = [], [Path(seal) for seal in seals], set()
    while todo:
        seal = todo.pop()
        if (name := _absolute(seal)) in seen:
            continue
        seen.add(name)
        for before, digest in json.loads(seal.read_text()).get("read", {}).items():
            path = Path(_absolute(seal.parent / before))
            if not path.is_file() or manifest.digest(path) != digest:
                what = f"is not the seal after which {seal} was made"
                found.append(Problem(str(path), what, f"remove {seal}, and run again"))
            else:
                todo.append(path)
    return found


class _Verified(Seekable):
    """A file whose pieces are held against their digests when they are first read."""

    _descriptor = -1

    def __init__(self, path: str, digests: _Pieces, seal: str):
        self._path, self._digests, self._seal = path, digests, seal
        self._descriptor = os.open(path, os.O_RDONLY)
        self._size = os.fstat(self._descriptor).st_size
        self._known = set[int]()
        if max(1, -(-self._size // PIECE)) != len(digests):
            raise GoeError(_differs(path, seal))

    def readinto(self, buffer: Any) -> int:
        wanted = max(0, min(len(buffer), self._size - self._at))
        for number in range(self._at // PIECE, -(-(self._at + wanted) // PIECE)):
            if number not in self._known:
                piece = os.pread(self._descriptor, PIECE, number * PIECE)
                if hashlib.sha256(piece).hexdigest() != self._digests[number]:
                    raise GoeError(_differs(self._path, self._seal))
                self._known.add(number)
        read = os.preadv(self._descriptor, [memoryview(buffer)[:wanted]], self._at) if wanted else 0
        self._at += read
        return read

    def close(self) -> None:
        if not self.closed and self._descriptor >= 0:
            os.close(self._descriptor)
        super().close()


# Of the job that this process is: files that are verified when they are read.
_in_parts: dict[str, tuple[_Pieces, str]] = {}


def source(path: str | Path) -> str | io.RawIOBase:
    """What a reader opens: a file that verifies what is read of it, where the job reads it in parts; the path, where
    the job has verified the whole, or there is none."""
    held = _in_parts.get(_absolute(path))
    return _Verified(str(path), *held) if held else str(path)


def _flat(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str | os.PathLike):
            yield str(value)
        else:
            yield from _flat(value)


def _made_here(seals: Sequence[str], paths: Iterable[str]) -> Iterator[str]:
    """Those of `paths` that a job of the run has made, whose seals are under work/seals."""
    run = Path(_absolute(seals[0]).rpartition(f"/{_SEALS}/")[0])
    for path in paths:
        if {run / "work", run / "release"} & set(Path(_absolute(path)).parents):
            yield path


@contextmanager
def job(snakemake: Any) -> Iterator[None]:
    """Around a job: ask the seals of its input first, and seal its output last.

    Of the rule: input `seals` (and `further_seals`) are those of the jobs whose files it reads, and the parameter
    `trusts` gives the stamps that they must have; output `seal` is the own, with the parameters `stage` and `stamp`.
    Snakemake takes time for each file that it is told of. So what is made before an input anyway may be a parameter:
    `seals`, and the files that the parameter `beside` names.
    The parameter `in_parts` names those of all these that are verified as they are read, by readers that open `source`
    of them.
    A job outside of a workflow has no seals, and none is asked for."""
    params, given, output = snakemake.params, snakemake.input, snakemake.output
    beside = {name: getattr(params, name) for name in getattr(params, "beside", ())}
    of_input = [getattr(given, name, []) for name in ("seals", "further_seals")]
    seals = list(_flat([*of_input, getattr(params, "seals", [])]))
    if seals:
        held = Held(seals, params.trusts)
        in_parts = getattr(params, "in_parts", ())
        later = set(_flat(beside[name] if name in beside else getattr(given, name) for name in in_parts))
        others, every = later.union(seals), _flat([*given, *beside.values()])
        now = [path for path in dict.fromkeys(_made_here(seals, every)) if path not in others]
        missing = [_unsealed(path) for path in later if not held.of(path)]
        stop_on(held.problems)
        stop_on([*missing, *(fault for path in now for fault in held.faults(path))])
        for path in later:
            _in_parts.update(held.of(path))
    # What was imported stays; looking through it for garbage takes a tenth of a second and more.
    gc.freeze()
    try:
        with without(*UNUSED):
            yield
        own = getattr(output, "seal", None)
        if own:
            write(own, params.stage, params.stamp, [path for path in _flat(output) if path != own], seals)
    except (OSError, MemoryError) as error:
        # A write that fails does not say of which file.
        if problem := of_machine(error, ", ".join(islice(_flat(output), 3))):
            raise GoeError(problem) from error
        raise
    finally:
        _in_parts.clear()
