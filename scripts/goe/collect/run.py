"""A whole collection in one process, for small things; the workflow makes the same folder from the same steps."""

from collections.abc import Sequence
from pathlib import Path

from goe.collect import agree, check, folder
from goe.collect.dataset import Dataset
from goe.collect.sheet import Entry, Settings
from goe.collect.take import take
from goe.core import files
from goe.core.errors import Problem, stop_on


def merge(entries: Sequence[Entry], settings: Settings, out: str | Path, threads: int = 1) -> list[Dataset]:
    """Look at the datasets, add up those that can be, and write the folder `out`, which must not be there.

    Returns all of them, refused ones with their problems. GoeError when none is left, or a check of the finished
    folder fails; there is no folder then.
    """
    target = Path(out)
    stop_on([Problem(str(target), "is there already", "name a new folder")] if target.exists() else [])
    target.absolute().parent.mkdir(parents=True, exist_ok=True)
    with files.scratch(target.absolute()) as root:
        datasets = [take(entry, root / str(entry.number), threads) for entry in entries]
        agree.judge(datasets, settings)
        taken_in = folder.taken(datasets)
        parts = {contig: root / "sum" / contig for contig in folder.contigs_of(taken_in)}
        by_contig = [folder.sum_contig(taken_in, settings, contig, part) for contig, part in parts.items()]
        compared = {contig: root / "compare" / contig for contig in parts}
        for contig, part in compared.items():
            folder.compare_contig(taken_in, settings, contig, parts[contig], part)
        made = root / "collection"
        folder.finish(settings, datasets, parts, by_contig, made, compared)
        stop_on([problem for result in check.run(made, threads) for problem in result.problems])
        made.rename(target)
    return datasets
