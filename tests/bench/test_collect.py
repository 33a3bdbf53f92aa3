"""CPU and memory of the sum over thirty datasets, with callable AN, of one contig in one process.

GOE_BENCH_COLLECT gives another number of alleles of each dataset than 50,000; thirty of 2,000,000 are in proportion.
Half of them are in every dataset, each of the others in one alone, which is the worst there is: the table has a row
for each and numbers of 93 strata in a row.
"""

import os
import resource
from multiprocessing import get_context

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.collect import folder, form
from goe.collect.dataset import FLOOR, ZERO, Dataset, File, Silence
from goe.collect.sheet import Settings
from goe.frequencies import strata as st
from goe.frequencies.block import Block

pytestmark = pytest.mark.bench

ALLELES = int(os.environ.get("GOE_BENCH_COLLECT", "50000"))
DATASETS, PEOPLE, CONTIG, LENGTH = 30, 2000, "chr20", 64_000_000
# A process, of which there are two on two cores.
MEGABYTES = 1000
SETTINGS = Settings("GOE-EU-EXAMPLE-20260401000000000", "x", {"fn": "A", "email": "a@b"}, ".", "d.tsv")
TERMS = {"build": "toy", "contigs": [{"name": CONTIG, "length": LENGTH, "md5": "a" * 32}], "par": []}
COUNTRIES = [f"{a}{b}" for a in "ABCDE" for b in "ABCDEF"]


def dataset(root, number, alleles, shared):
    """Half of the alleles are in every dataset, the others in it alone; one in two datasets has a floor."""
    rng = np.random.default_rng(number)
    country = COUNTRIES[number - 1]
    people = {"Total": PEOPLE, "M": 1000, "F": 1000, country: PEOPLE, f"{country}_M": 1000, f"{country}_F": 1000}
    pos = np.unique(np.concatenate((shared, rng.integers(1, LENGTH, alleles - len(shared)))))
    n = len(pos)
    ref = pos % 4
    alt = (ref + 1 + (pos // 4) % 3) % 4
    bases = pa.array(list("ACGT"))
    sexes = rng.binomial(1000, rng.beta(0.2, 8, n), (2, n))
    hom = sexes // 20
    counts = {"ac": sexes, "an": np.full((2, n), 2000), "ac_hom": 2 * hom, "nhomalt": hom}
    counts |= {"ac_het": sexes - 2 * hom, "ac_hemi": np.zeros((2, n), int)}
    rows = {name: np.stack([v.sum(axis=0), *v] * 2).astype(np.int32) for name, v in counts.items()}
    words = pa.array(np.where(rng.random(n) < 0.05, "HWE", "PASS"))
    mask, table = np.ones((6, n), bool), root / f"{number}.parquet"
    with form.Table(table, CONTIG, people) as out:
        ref, alt = bases.take(pa.array(ref)), bases.take(pa.array(alt))
        pos = pa.array(pos.astype(np.int32))
        out.write(Block(CONTIG, pos, ref, alt, words, mask, tuple(people), st.Numbers(**rows), {}))
    start = np.unique(rng.integers(1, LENGTH, alleles // 2))
    runs = {"contig": pa.repeat(pa.scalar(CONTIG), len(start)), "start": start, "end": np.append(start[1:], LENGTH)}
    runs |= {f"an_{s}": rng.integers(0, 2 * p, len(start)) for s, p in people.items()}
    track = root / f"{number}.an.parquet"
    pq.write_table(pa.table(runs), track, compression="zstd")
    one = Dataset(number, country, "release", "goe", country, country, "0" * 64, TERMS, {}, people)
    one.silence = Silence(FLOOR, 5, 4) if number % 2 else Silence(ZERO)
    one.zygosity, one.tables, one.callable_an = tuple(people), {CONTIG: File.of(table)}, {CONTIG: File.of(track)}
    return one


def cpu():
    """CPU seconds of this process and of those it waited for."""
    return sum(os.times()[:4])


def added_up(root, number, pipe):
    datasets = folder.load(root / "agreed.json")[:number]
    begun = cpu()
    told = folder.sum_contig(datasets, SETTINGS, CONTIG, root / "sum")
    seconds = cpu() - begun
    pipe.send((told["alleles"], seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def measured(root, number):
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=added_up, args=(root, number, there))
    process.start()
    process.join()
    assert process.exitcode == 0
    return here.recv()


def test_the_sum_of_thirty_datasets(tmp_path, table):
    shared = np.sort(np.random.default_rng(0).choice(LENGTH - 2, ALLELES // 2, replace=False)) + 1
    folder.save([dataset(tmp_path, i, ALLELES, shared) for i in range(1, DATASETS + 1)], tmp_path / "agreed.json")
    measured(tmp_path, 2)
    found = []
    for number in (10, 30):
        alleles, seconds, megabytes = measured(tmp_path, number)
        what = f"{number} datasets of {ALLELES:,} alleles, {alleles:,} in all"
        table.append((what, f"{seconds:.0f} s of CPU", f"{megabytes:.0f} MB"))
        found.append((alleles, seconds))
    # Linear in what is written, alleles by strata, of which there are 33 and 93.
    assert found[1][1] / found[0][1] < 1.5 * (found[1][0] * 93) / (found[0][0] * 33)
    assert megabytes < MEGABYTES
