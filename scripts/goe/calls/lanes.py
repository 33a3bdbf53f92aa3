"""Reads of units (FASTQ pairs, or unaligned BAMs) to sorted BAMs and one person's CRAM, every read counted.

Imports nothing outside the standard library and goe: the job has its tools and Python.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from goe.calls import alignments, cram_of_person, reads_quality
from goe.core import logs
from goe.core.ledger import Ledger
from goe.core.processes import pipeline


@dataclass(frozen=True)
class Unit:
    """reads: the two files of a FASTQ pair, or an unaligned BAM. read_group: fields of its @RG line (ID, SM, ...), for
    reads that have none of their own. library: within which duplicates are marked."""

    reads: Sequence[str]
    read_group: Mapping[str, str]
    library: str

    @property
    def fastq(self) -> bool:
        return len(self.reads) == 2

    def align(self, bam: str, index: str, threads: int, report: str) -> None:
        """Write the sorted BAM.

        index: prefix of that of bwa; report: of fastp, which has counted the reads of a FASTQ pair. Files that go lie
        beside the BAM. GoeError when a read is lost.
        """
        ledger = Ledger("align_unit")
        # -K fixes how many bases are aligned at a time, without which the number of threads changes the alignments.
        bwa = ["bwa", "mem", "-t", threads, "-K", "100000000", "-Y"]
        group = alignments.read_group_line(dict(self.read_group))
        if self.fastq:
            commands = [[*bwa, "-R", group, index, *self.reads]]
            ledger.take("reads", json.loads(Path(report).read_text())["summary"]["before_filtering"]["total_reads"])
        else:
            (source,) = self.reads
            commands = [["samtools", "collate", "-u", "-O", source, f"{bam}.collate"]]
            commands.append(["samtools", "fastq", "-n", "-T", "RG", "-"])
            if groups := alignments.read_groups(source):
                lines = Path(f"{bam}.read_groups.sam")
                lines.write_text("".join(line + "\n" for line in groups))
                commands.append([*bwa, "-p", "-C", "-H", str(lines), index, "-"])
            else:
                commands.append([*bwa, "-p", "-R", group, index, "-"])
            ledger.take("reads", alignments.count_pairs(source))
        pipeline(
            *commands,
            # bwa's own @PG line holds the number of threads and paths.
            ["sed", "/^@PG\t/d"],
            ["samtools", "fixmate", "--no-PG", "-m", "-u", "-", "-"],
            ["samtools", "sort", "--no-PG", "-m", "512M", "-T", f"{bam}.sort", "-l", "1", "-o", bam, "-"],
        )
        ledger.give("reads", alignments.count_primary(bam))
        ledger.check()


def to_cram(
    units: Sequence[Unit],
    index: str,
    reports: str,
    sample: str,
    scratch: Path,
    target: cram_of_person.Target,
    ledger: Ledger,
) -> None:
    """The CRAM of all units. reports: a folder for those of fastp, by the number of the unit from 1; ledger: of the
    reads of the sorted BAMs, which are in the folder `scratch`."""
    bams = []
    for number, unit in enumerate(units, 1):
        report, bam = f"{reports}/{number}.fastp", f"{scratch}/{number}.bam"
        if unit.fastq:
            with logs.stage(f"fastp of unit {number}"):
                reads_quality.fastp(unit.reads, sample, report, target.threads)
        with logs.stage(f"alignment of unit {number}"):
            unit.align(bam, index, target.threads, f"{report}.json")
        bams.append(bam)
    with logs.stage("duplicates and CRAM"):
        cram_of_person.from_units(bams, [unit.library for unit in units], target, ledger)
