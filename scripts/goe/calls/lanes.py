"""A person's units (FASTQ pairs, or unaligned BAMs) to one CRAM, every read counted."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from goe.calls import cram_of_person, reads_quality
from goe.calls.aligners import Aligner
from goe.calls.unit import Unit
from goe.core import logs
from goe.core.ledger import Ledger


def to_cram(
    units: Sequence[Mapping[str, Any]],
    aligner: Aligner,
    reports: str,
    sample: str,
    scratch: Path,
    target: cram_of_person.Target,
    ledger: Ledger,
) -> None:
    """The CRAM of all units.

    units: reads and read_group of each (`Unit`). reports: a folder for those of fastp, by
    the number of the unit from 1. ledger: of the reads that the units hold. Sorted BAMs are made in the folder
    `scratch`. GoeError when a read is lost.
    """
    bams = {}
    for number, unit in enumerate(units, 1):
        reads, bam = unit["reads"], f"{scratch}/{number}.bam"
        if len(reads) > 1:
            with logs.stage(f"fastp of unit {number}"):
                reads_quality.fastp(reads, sample, f"{reports}/{number}.fastp", target.threads)
        lane = Ledger(f"align_person, unit {number}")
        with logs.stage(f"alignment of unit {number}"):
            Unit(reads, str(number), unit["read_group"], aligner, bam, target.threads).align(lane)
        lane.check()
        for reason, n in lane.dropped.get("reads", {}).items():
            ledger.take("reads", n)
            ledger.drop("reads", reason, n)
        bams[bam] = lane.given["reads"]
    with logs.stage("duplicates and CRAM"):
        cram_of_person.from_units(bams, target, ledger)
