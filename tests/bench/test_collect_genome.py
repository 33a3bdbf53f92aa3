"""Thirty datasets of a whole genome collected as the workflow does: each contig a job of its own, two at a time.

`GOE_BENCH_GENOME=2000000 .venv/bin/python -m pytest tests/bench/test_collect_genome.py -m bench -s` makes as many
alleles in each dataset over the 25 contigs, by their lengths, as alike as those of Europe's countries (helpers.thirty),
and callable AN of each; 30 GB in TMPDIR. GOE_BENCH_CONTIGS=chr1 does some contigs alone.

Callable AN is that of 8 Mb of a release of 2,000 people with a floor of 5 (tests/bench/test_callable_an.py: 350,410
runs, 129 million for a genome), laid end to end. All thirty datasets have the same runs, each in files of its own under
the names of its own strata: what is read, and what its digest takes, is that of thirty releases.
"""

import json
import os
import resource
import shutil
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from bench import test_callable_an as people_of_one_release
from goe.collect import check, folder
from goe.collect.dataset import File
from goe.collect.sheet import Settings
from goe.core import environment
from goe.core.errors import stop_on
from goe.release.formats import callable_an
from helpers import thirty
from helpers.large_cohort import GRCH38
from helpers.stages import measure, tree_memory, write_spec

pytestmark = pytest.mark.bench

ALLELES = int(os.environ.get("GOE_BENCH_GENOME", "0"))
CONTIGS = {name: GRCH38[name] for name in os.environ.get("GOE_BENCH_CONTIGS", ",".join(GRCH38)).split(",")}
CORES = 2
# Of both jobs at a time, for all that there is.
MEGABYTES = 2000
SETTINGS = Settings("GOE-EU-EXAMPLE-20260401000000000", "x", {"fn": "A", "email": "a@b"}, ".", "d.tsv")
TERMS = {
    "build": "GRCh38",
    "contigs": [{"name": name, "length": length, "md5": "a" * 32} for name, length in GRCH38.items()],
    "par": [["chrX", 10_001, 2_781_479], ["chrX", 155_701_383, 156_030_895]],
}


# ---- what is collected


def runs_of(release, contig, length, path):
    """Callable AN of a contig: that of `release` end to end, of the strata of a dataset of EE."""
    table = pq.read_table(release)
    strata = ("Total", "M", "F", "EE", "EE_M", "EE_F")
    start, end, *an = (table[name].to_numpy() for name in ("start", "end", *(f"an_{s}" for s in strata)))
    span = int(end[-1])
    if contig in ("chrY", "chrM"):
        an = [values // 2 for values in an]
    wanted = callable_an.schema({}, dict.fromkeys(strata, 1000), contig, "gvcf_adj", dict.fromkeys(strata, 8))

    def tiles():
        for first in range(0, length, span):
            n = int((end <= length - first).sum())
            yield start[:n] + first + 1, end[:n] + first, [values[:n] for values in an]

    with callable_an.Writer(path, wanted) as out:
        for some in callable_an.tables(tiles(), wanted):
            out.group(some)


def renamed(path, country, target):
    """A copy of a table of EE as that of a country: names stand at its end alone."""
    data = path.read_bytes()
    at = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    end = data[at:].replace(b"_EE", f"_{country}".encode()).replace(b'"EE', f'"{country}'.encode())
    target.write_bytes(data[:at] + end)
    return target


def made(root, release, contig):
    """The thirty datasets of a contig, as they are when they were looked at."""
    place, length = root / contig, CONTIGS[contig]
    place.mkdir()
    runs_of(release, contig, length, place / "runs.parquet")
    every, datasets = thirty.alike(round(ALLELES * length / sum(GRCH38.values())), length, length), []
    for number, sites in enumerate(every, 1):
        table = thirty.written(place / f"{number}.parquet", number, thirty.block(contig, number, *sites))
        runs = renamed(place / "runs.parquet", thirty.COUNTRIES[number - 1], place / f"{number}.an.parquet")
        datasets.append(thirty.dataset(number, TERMS, {contig: File.of(table)}, {contig: File.of(runs)}))
    folder.save(datasets, place / "agreed.json")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    if not ALLELES:
        pytest.skip("GOE_BENCH_GENOME gives the alleles of a dataset: see the head of this file")
    root = tmp_path_factory.mktemp("thirty")
    people_of_one_release.made(root / "release", thirty.PEOPLE, people_of_one_release.FLOOR)
    with get_context("spawn").Pool(CORES, maxtasksperchild=1) as pool:
        pool.starmap(made, [(root, root / "release/table.parquet", contig) for contig in CONTIGS], chunksize=1)
    yield root
    shutil.rmtree(root)


# ---- what is done


def cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def taken(table, what):
    """A row of clock, CPU and memory of the processes of the body. Yields a list, for the memory of each."""
    begun, before, most, done, each = time.perf_counter(), cpu(), [0], threading.Event(), []

    def watch():
        while not done.wait(0.05):
            own = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            most[0] = max(most[0], tree_memory(os.getpid()) - own)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield each
    finally:
        done.set()
        watcher.join()
    clock, used = time.perf_counter() - begun, cpu() - before
    memory = f"{max(each, default=most[0] / 1e6):.0f} MB of a process, {most[0] / 1e6:.0f} MB at a time"
    table.append((what, f"{clock:.0f} s by the clock, {used:.0f} s of CPU", memory))
    assert most[0] / 1e6 < MEGABYTES


def jobs(table, what, root, script, **parts):
    """A job of each contig, the longest first, as many at a time as there are cores."""

    def job(contig):
        place = root / contig
        files = {name: str(place / value) for name, value in parts.items()}
        summed = {"sums": files.pop("sums"), "datasets": files.pop("datasets")}
        given, put = {"agreed": str(place / "agreed.json")}, files
        (put if "told" in put else given).update(summed)
        settings, wildcards = {"settings": vars(SETTINGS)}, {"contig": contig}
        spec = write_spec(place, script, input=given, output=put, params=settings, wildcards=wildcards)
        return measure([sys.executable, "-m", "helpers.run_script", spec]).megabytes

    with taken(table, what) as each, ThreadPoolExecutor(CORES) as pool:
        each += pool.map(job, sorted(CONTIGS, key=CONTIGS.get, reverse=True))


def whole(root):
    """The datasets with the files of all contigs, and what the sums told."""
    every = [folder.load(root / contig / "agreed.json") for contig in CONTIGS]
    datasets = [
        replace(
            of[0],
            tables={name: file for one in of for name, file in one.tables.items()},
            callable_an={name: file for one in of for name, file in one.callable_an.items()},
        )
        for of in zip(*every, strict=True)
    ]
    return datasets, [json.loads((root / contig / "told.json").read_text()) for contig in CONTIGS]


def finished(root):
    environment.streams()
    datasets, told = whole(root)
    parts = {contig: root / contig / "sum" for contig in CONTIGS}
    compared = {contig: root / contig / "compared" for contig in CONTIGS}
    folder.finish(SETTINGS, datasets, parts, told, root / "collection", compared)


def checked(root):
    environment.streams()
    stop_on([problem for result in check.run(root / "collection") for problem in result.problems])


def test_thirty_datasets_of_a_genome(root, table):
    sums = {"sums": "sum/sums.parquet", "datasets": "sum/datasets.parquet"}
    jobs(table, "sums", root, "collect_contig.py", **sums, told="told.json")
    jobs(table, "comparison", root, "collect_compare.py", **sums, compared="compared")
    for what, task in (("folder", finished), ("check", checked)):
        with taken(table, what):
            process = get_context("spawn").Process(target=task, args=(root,))
            process.start()
            process.join()
            assert process.exitcode == 0
    alleles = sum(one["alleles"] for one in whole(root)[1])
    rows, runs = (
        sum(pq.read_metadata(root / contig / f"1.{end}").num_rows for contig in CONTIGS)
        for end in ("parquet", "an.parquet")
    )
    size = sum(path.stat().st_size for path in (root / "collection").rglob("*") if path.is_file())
    first = f"{rows:,} alleles and {runs:,} runs in the first"
    table.append((first, f"{alleles:,} alleles in all", f"{size / 1e9:.1f} GB"))
