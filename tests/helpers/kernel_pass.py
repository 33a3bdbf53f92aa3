"""One pass of the filter and splitting over a BCF, nothing written: RUN_FOLDER BCF FASTA CORES.

Leaves the seconds of the pass, after numba has started, in RUN_FOLDER/kernel_seconds.
"""

import os
import sys
import time
from itertools import islice
from pathlib import Path

from goe.genome.build import Build, Region, read_fai
from goe.genome.fasta import Reference
from goe.harmonise import genotypes
from goe.harmonise import people as cohort
from goe.harmonise import records as harmonise
from goe.hts.bcf import open_bcf


def records(folder: str, bcf: str, fasta: str, n: int | None) -> None:
    lengths = read_fai(f"{fasta}.fai")
    [(contig, length)] = lengths.items()
    with open_bcf(bcf, info=tuple(harmonise.METRICS), formats=harmonise.FIELDS) as reader:
        people = cohort.people_of(reader, Path(folder) / "people.tsv")
        region = Region(contig, 1, length)
        splitter = harmonise.Splitter(Build("toy", lengths, []), region, Reference(fasta), people, genotypes.Filter())
        for _ in islice(splitter(reader), n):
            pass


def main(folder: str, bcf: str, fasta: str, cores: str) -> None:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(cores)])
    records(folder, bcf, fasta, 1)
    start = time.perf_counter()
    records(folder, bcf, fasta, None)
    (Path(folder) / "kernel_seconds").write_text(f"{time.perf_counter() - start}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
