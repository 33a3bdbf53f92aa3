"""Callable AN beside an earlier release: what is known of those who were counted there, and the audit of both.

With a floor, and with the record of who was counted, the numbers of the earlier release are kept
(`goe.frequencies.callable_before`). `problems` holds the finished tables of both against each other.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from goe.core.errors import Problem
from goe.disclosure import earlier_release
from goe.disclosure.audit import earlier as audit
from goe.frequencies.beside_earlier import EARLIER, LOWERED
from goe.frequencies.callable_before import Before
from goe.genome.build import Build
from goe.hts import parquet
from goe.rules.formats import people_key
from goe.rules.policy import Policy
from goe.rules.stratum import TOTAL

ROWS = 1 << 17


def table(folder: str | Path, contig: str, build: str) -> Path | None:
    """Callable AN of a contig in the folder of an earlier release of this build, if it has it."""
    path = Path(folder) / f"callable_an/{contig}.parquet"
    return path if path.is_file() and _said(path)["build"] == build else None


def _said(path: Path) -> dict[str, Any]:
    with parquet.opened(path) as file:
        said: dict[str, Any] = json.loads(file.metadata.metadata[b"goe"])
    return said


def _people(said: Mapping[str, Any]) -> dict[str, int]:
    return {entry["stratum"]: int(entry["people"]) for entry in said["strata"]}


def before(
    folder: str | None, record: str | None, keep: Iterable[Mapping[str, str]], policy: Policy, build: str, contig: str
) -> Before | None:
    """What to keep of an earlier release in callable AN of a contig; None for an open release, without a record, and
    where the earlier release has no such table.

    keep: rows of keep.tsv. GoeError when the record cannot be read.
    """
    path = table(folder, contig, build) if folder and record and not policy.open else None
    if path is None or record is None:
        return None
    leaf, people = earlier_release.counted_before(list(keep), record, people_key(record))
    return Before(leaf, people, _people(_said(path)), path)


def problems(
    folder: str | Path,
    now: Mapping[str, str | Path],
    policy: Policy,
    moved: audit.Moved | None,
    build: Build,
) -> list[Problem] | None:
    """What callable AN of both releases tells of those who joined or left, by the finished tables; None where the two
    are not held against each other: of an open release, or where the earlier one has no such tables of this build.

    folder: of the earlier release. now: contig -> table of this release. moved: None without a record.
    """
    there = {contig: table(folder, contig, build.name) for contig in now}
    pairs = [(contig, old, Path(now[contig])) for contig, old in there.items() if old is not None]
    if policy.open or not pairs:
        return None
    floor = json.loads((Path(folder) / "disclosure/disclosure.json").read_text())["min_carriers"] or 1
    found = []
    for contig, old, path in pairs:
        said = _said(path)
        first, second = _side(old, floor), _side(path, policy.k)
        if second.strata[TOTAL] >= policy.min_stratum_size:
            lowered = said.get(EARLIER) == LOWERED
            found += audit.problems(first, second, moved, build, contig, f"callable_an/{contig}.parquet", lowered)
    return found


def _side(path: Path, k: int) -> audit.Side:
    strata = _people(_said(path))
    return audit.Side(strata, k, _pieces(path, list(strata)))


def _pieces(path: Path, strata: Sequence[str]) -> Iterator[audit.Piece]:
    with pq.ParquetFile(path, pre_buffer=False) as file:
        for batch in file.iter_batches(ROWS):
            an = np.array([batch[f"an_{s}"].to_numpy() for s in strata], np.int64)
            yield batch["start"].to_numpy().astype(np.int64) + 1, batch["end"].to_numpy().astype(np.int64), an
