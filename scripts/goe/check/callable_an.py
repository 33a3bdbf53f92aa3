"""Callable AN of a release read back: every run of the tables, the same numbers in the BED file, and beside AN."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pysam

from goe.check.faults import Faults
from goe.core.errors import Problem
from goe.disclosure.audit.callable_an import Runs
from goe.frequencies.block import Block
from goe.release.reading import batches, reading

_ROWS = 1 << 17
_PIECE = 8 << 20
_AGAIN = "the file was changed, or is not of this release: get it again"


def read(path: str | Path) -> Iterator[pa.RecordBatch]:
    """Runs of a table, in pieces."""
    for table in batches(path, str(path), ["contig"], _ROWS, None):
        yield from table.combine_chunks().to_batches()


def _numbers(batch: pa.RecordBatch, strata: Sequence[str], prefix: str = "an_") -> np.ndarray:
    return np.array([batch[f"{prefix}{s}"].to_numpy(zero_copy_only=False) for s in strata]).astype(np.int64)


def check(
    path: str | Path, contig: str, length: int, strata: Sequence[str], audit: Runs, prefix: str = "an_"
) -> list[Problem]:
    """What is wrong with the runs of a contig: they go from its first base to its last, each as long as can be."""
    faults = Faults(str(path))
    last, before = 0, np.full((len(strata), 1), -1, np.int64)
    for batch in read(path):
        start, end = (batch[name].to_numpy().astype(np.int64) for name in ("start", "end"))
        an = _numbers(batch, strata, prefix)

        def name(row: int, start: np.ndarray = start) -> str:
            return f"{contig}:{start[row]}"

        names = pc.not_equal(batch["contig"], contig).to_numpy(zero_copy_only=False)
        faults.add(f"is not on {contig}", names, name)
        faults.add("does not begin where the run before ends", start != np.append(last, end[:-1]), name)
        faults.add("ends before it begins", end <= start, name)
        same = (np.hstack([before, an[:, :-1]]) == an).all(axis=0)
        faults.add("has the numbers of the run before: both are one", same, name)
        if not faults.problems:
            audit.look(start + 1, end, an)
        last, before = int(end[-1]), an[:, -1:]
    if last != length:
        return [*faults.problems, Problem(str(path), f"ends at {last:,} of the {length:,} bases of {contig}", _AGAIN)]
    return faults.problems


def beside(path: str | Path, blocks: Iterable[Block], strata: Sequence[str], audit: Runs, gvcfs_alone: bool) -> None:
    """Give the audit each allele of a contig with callable AN at its position."""
    runs = read(path)
    batch = next(runs)
    for block in blocks:
        pos = block.pos.to_numpy().astype(np.int64)
        an = np.zeros((len(strata), len(pos)), np.int64)
        done = 0
        while done < len(pos):
            end = batch["end"].to_numpy()
            upto = int(np.searchsorted(pos, end[-1], "right"))
            if upto > done:
                run = np.searchsorted(end, pos[done:upto])
                an[:, done:upto] = _numbers(batch, strata)[:, run]
                done = upto
            if done < len(pos):
                batch = next(runs)
        audit.beside(block, an, gvcfs_alone)


def of_total(path: str | Path) -> Iterator[pa.Table]:
    """Starts of the runs of a table, and numbers of Total."""
    yield from batches(path, str(path), (), _ROWS, ["start", "an_Total"])


def compare(bed: str | Path, paths: Sequence[str | Path], strata: Sequence[str], prefix: str = "an_") -> list[Problem]:
    """Differences between the BED file and the tables of its contigs, in order."""
    names = ["contig", "start", "end", *(f"{prefix}{s}" for s in strata)]
    head = "\t".join([f"#{names[0]}", *names[1:]])
    wanted = (batch for path in paths for batch in read(path))
    rest = pa.table(next(wanted))
    with reading(bed), pa.input_stream(str(bed), compression="gzip") as stream:
        line = b""
        while not line.endswith(b"\n") and len(line) < 1 << 16:
            byte = stream.read(1)
            if not byte:
                break
            line += byte
        if line.decode().rstrip("\n") != head:
            return [Problem(str(bed), f"begins with {line[:80]!r}, not with the names of its columns", _AGAIN)]
        kinds = {name: pa.string() if name == "contig" else pa.int32() for name in names}
        rows = pacsv.open_csv(
            stream,
            pacsv.ReadOptions(column_names=names, block_size=_PIECE, use_threads=False),
            pacsv.ParseOptions(delimiter="\t", quote_char=False),
            pacsv.ConvertOptions(column_types=kinds, strings_can_be_null=False),
        )
        for batch in rows:
            found = pa.table(batch)
            while rest.num_rows < found.num_rows:
                more = next(wanted, None)
                if more is None:
                    break
                rest = pa.concat_tables([rest, pa.table(more).select(names)])
            part = rest.slice(0, found.num_rows).select(names)
            for name in names:
                if not found[name].equals(part[name]):
                    return [Problem(str(bed), f"{name} differs from the tables{_first(found, part, name)}", _AGAIN)]
            rest = rest.slice(found.num_rows)
    if rest.num_rows or next(wanted, None) is not None:
        return [Problem(str(bed), "has fewer runs than the tables", _AGAIN)]
    return []


def _first(found: pa.Table, expected: pa.Table, name: str) -> str:
    n = min(found.num_rows, expected.num_rows)
    for i, (a, b) in enumerate(zip(found[name].to_pylist(), expected[name].to_pylist(), strict=False)):
        if a != b:
            return f" at {expected['contig'][i]}:{expected['start'][i]}: {a}, not {b}"
    return f" behind {n} runs"


def check_index(bed: str | Path, lengths: dict[str, int]) -> list[Problem]:
    """Whether `<bed>.tbi` leads to the first and the last base of each contig."""
    pysam.set_verbosity(0)
    index = Path(f"{bed}.tbi")
    problems = []
    try:
        with pysam.TabixFile(str(bed), index=str(index)) as file:
            if list(file.contigs) != list(lengths):
                contigs = ", ".join(file.contigs) or "none"
                return [Problem(str(index), f"is for the contigs {contigs}", _AGAIN)]
            for contig, length in lengths.items():
                for start in (0, length - 1):
                    lines = [line.split("\t") for line in file.fetch(contig, start, start + 1)]
                    if len(lines) != 1 or not int(lines[0][1]) <= start < int(lines[0][2]):
                        problems.append(Problem(str(index), f"does not lead to {contig}:{start + 1}", _AGAIN))
    except (OSError, ValueError) as error:
        return [Problem(str(index), f"cannot be used: {' '.join(str(error).split())[:200]}", _AGAIN)]
    return problems
