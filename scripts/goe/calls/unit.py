"""Reads of one unit, a FASTQ pair or an unaligned BAM, to a sorted BAM.

A read that failed the sequencer's filter (`1:Y:` in its name, flag 0x200) is left out and counted; those of a BAM or
CRAM that was given stay there with their flag, and no caller and no metric takes them.

Imports nothing outside the standard library and goe: the job has the aligner, samtools and Python.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from goe.calls import alignments, fastq
from goe.calls.aligners import Aligner
from goe.calls.alignments import Flags
from goe.core import files
from goe.core.errors import GoeError, Problem
from goe.core.ledger import Ledger
from goe.core.processes import feeding, pipeline
from goe.hts import plain

FAILED = "failed_the_sequencers_filter"
# Names of the first records, which tell how the file writes them.
_PEEK = 1000


@dataclass(frozen=True)
class Unit:
    """What is aligned, and to what. reads: the FASTQ pair or the unaligned BAM; number: of the unit within the person.

    read_group: fields of the @RG line of FASTQ reads; of an unaligned BAM its LB alone is taken, where a read group of
    the file has none. bam: what is made; threads: of the aligner, and of samtools sort.
    """

    reads: Sequence[str]
    number: str
    read_group: dict[str, str]
    aligner: Aligner
    bam: str
    threads: int = 1

    def align(self, ledger: Ledger) -> None:
        """Make the BAM. GoeError when the two files of a pair hold other numbers of reads, when reads of an unaligned
        BAM have no mate or stand in it twice, and when the aligner did not take every read that was to be aligned."""
        with files.scratch(self.bam) as scratch:
            if len(self.reads) > 1:
                given = self._fastq(scratch, ledger)
            else:
                given = self._unaligned(scratch, ledger)
        out = Flags.of(self.bam)
        ledger.give("reads", out.primary)
        if out.primary != given:
            what = f"{given} reads were to be aligned, and {out.primary} came through"
            mend = "a read in it is damaged, or stands there twice (a file that was merged with itself): mend the file"
            raise GoeError(Problem(self.reads[0], what, mend))
        if out.paired != given:
            what = f"{given - out.paired} of its reads found no mate of the same name"
            raise GoeError(Problem(self.reads[0], what, "give both reads of a pair one name"))

    def _fastq(self, scratch: Path, ledger: Ledger) -> int:
        """Reads that were to be aligned."""
        first, second = self.reads
        held = fastq.held_by_pair(first, second)
        taken = sum(file.reads for file in held)
        ledger.take("reads", taken)
        command = [*self.aligner.mem(self.threads), "-R", alignments.read_group_line(self.read_group)]
        if not any(file.failed for file in held):
            pipeline([*command, self.aligner.index, *map(plain.word, self.reads)], *self._sorted(scratch))
            return taken
        given = 0
        with feeding([*command, "-p", self.aligner.index, "-"], *self._sorted(scratch)) as sink:
            for pair in fastq.passing(first, second):
                sink.write(pair)
                given += 2
        ledger.drop("reads", FAILED, taken - given)
        return given

    def _unaligned(self, scratch: Path, ledger: Ledger) -> int:
        """Reads that were to be aligned."""
        path = self.reads[0]
        flags = alignments.pairs_of(path)
        ledger.take("reads", flags.primary)
        view = ["samtools", "view", "--no-PG", "-h"]
        if flags.failed:
            ledger.drop("reads", FAILED, flags.failed)
            view += ["-F", "QCFAIL"]
        commands: list[Sequence[object]] = [[*view, "-u", plain.word(path)]]
        if alignments.names_tell_ends(path, _PEEK):
            strip = r"/^@[A-Z][A-Z]\t/!s#^([^\t]+)/[12]\t#\1\t#"
            commands = [[*view, plain.word(path)], ["sed", "-E", strip]]
        commands.append(["samtools", "collate", "-u", "-O", "-", f"{scratch}/collate"])

        aligner = self.aligner.mem(self.threads)
        groups = alignments.read_groups_of_unit(path, self.number, self.read_group["LB"])
        if len(groups) > 1:
            lines = scratch / "read_groups.sam"
            lines.write_text("".join(line + "\n" for line in groups))
            commands.append(["samtools", "fastq", "-n", "-T", "RG", "-"])
            # Two files of a person may both have a read group `A`.
            commands.append(["sed", f"s/\\tRG:Z:/&{self.number}./"])
            commands.append([*aligner, "-p", "-C", "-H", str(lines), self.aligner.index, "-"])
        else:
            fields = dict(cell.split(":", 1) for cell in groups[0].split("\t")[1:]) if groups else self.read_group
            commands.append(["samtools", "fastq", "-n", "-"])
            commands.append([*aligner, "-p", "-R", alignments.read_group_line(fields), self.aligner.index, "-"])
        pipeline(*commands, *self._sorted(scratch))
        if strays := alignments.without_group(self.bam, groups):
            what = f"{strays} of its reads are of no read group of its header, so that nothing says their library"
            raise GoeError(Problem(path, what, "samtools addreplacerg, library by library"))
        return flags.primary - flags.failed

    def _sorted(self, scratch: Path) -> list[list[object]]:
        """Commands from SAM to the BAM."""
        # -m is of each thread. What is sorted in parts is merged in the order in which it came.
        sort = ["samtools", "sort", "--no-PG", "-@", self.threads - 1, "-m", "512M", "-T", f"{scratch}/sort"]
        return [
            # The aligner's own @PG line holds the number of threads and paths.
            ["sed", "/^@PG\t/d"],
            ["samtools", "fixmate", "--no-PG", "-m", "-u", "-", "-"],
            [*sort, "-l", "1", "-o", self.bam, "-"],
        ]
