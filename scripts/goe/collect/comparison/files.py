"""The files of a comparison in the folder of a collection: statistics, tests of alleles, the page and its numbers."""

import json
import shutil
from collections.abc import Mapping, Sequence
from functools import partial, reduce
from pathlib import Path

from goe.collect.comparison import lookup, page, statistics
from goe.collect.comparison.contig import TESTED, TESTS, Compared
from goe.collect.comparison.thresholds import Thresholds
from goe.core.files import write_whole
from goe.release.notes import dumps

FOLDER = "comparison"
STATISTICS = f"{FOLDER}/statistics.json"
TABLES = ("doubletons", "flags", "fst", "pca", "sharing", "spectrum")


def names(compared: Mapping) -> list[str]:
    """Files of a comparison, by its statistics."""
    contigs = [index["contig"] for index in compared["page"]]
    shown = [name for index in compared["page"] for name in lookup.names(index)]
    tables = [f"{FOLDER}/{name}.tsv" for name in TABLES]
    return [STATISTICS, *tables, *(f"{FOLDER}/{contig}.parquet" for contig in contigs), page.NAME, *shown]


def write(about: Mapping, parts: Sequence[str | Path], root: str | Path, thresholds: Thresholds) -> list[str]:
    """Write the files from what `contig.compare` left in `parts`, in the order of contigs; their relative names.

    about: metadata/collection.json.
    """
    where = Path(root)
    compared = reduce(partial(_join, thresholds.listed), map(Compared.load, parts))
    said = statistics.told(compared, {s["number"]: s for s in about["sources"]}, thresholds)
    # As they are read again, when the page is held against them.
    said, about = (json.loads(dumps(one)) for one in (said, about))
    (where / FOLDER).mkdir(parents=True, exist_ok=True)
    shutil.rmtree(where / lookup.FOLDER, ignore_errors=True)
    (where / lookup.FOLDER).mkdir()
    write_whole(where / STATISTICS, dumps(said))
    for name, text in statistics.tables(said).items():
        write_whole(where / FOLDER / name, text)
    for index, part in zip(said["page"], parts, strict=True):
        shutil.copyfile(Path(part) / TESTS, where / FOLDER / f"{index['contig']}.parquet")
        for name in lookup.names(index):
            shutil.copyfile(Path(part) / name, where / name)
    write_whole(where / page.NAME, page.make(about, said))
    return names(said)


def _join(most: int, one: Compared, two: Compared) -> Compared:
    return one.join(two, most)


def dictionary() -> list[tuple[str, ...]]:
    """Rows of the dictionary of a collection for the tests of alleles."""
    kinds = {"countries": ("int16", "countries"), "chi2": ("float64", ""), "p": ("float64", "probability")}
    kinds["af_apart"] = ("float64", "frequency")
    return [("comparison Parquet", name, *kinds[name], "", words) for name, words in TESTED.items()]
