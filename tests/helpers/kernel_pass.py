"""One pass of the filter and splitting over a BCF, nothing written: RUN_FOLDER BCF FASTA.

Leaves the seconds of the pass, without the start of the interpreter, in RUN_FOLDER/kernel_seconds.
"""

import sys
import time
from pathlib import Path

from goe import cohort, genotypes, harmonise
from goe.alleles import Reference
from goe.bcf import open_bcf
from goe.build import Build, Region, read_fai


def main(folder: str, bcf: str, fasta: str) -> None:
    lengths = read_fai(f"{fasta}.fai")
    [(contig, length)] = lengths.items()
    start = time.perf_counter()
    with open_bcf(bcf, info=tuple(harmonise.METRICS), formats=harmonise.FIELDS) as reader:
        people = cohort.people_of(reader, Path(folder) / "people.tsv")
        region = Region(contig, 1, length)
        splitter = harmonise.Splitter(Build("toy", lengths, []), region, Reference(fasta), people, genotypes.Filter())
        for _ in splitter(reader):
            pass
    (Path(folder) / "kernel_seconds").write_text(f"{time.perf_counter() - start}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
