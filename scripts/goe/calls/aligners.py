"""The programs that align reads: they take the same arguments and, their authors say, give the same alignments."""

from dataclasses import dataclass

from goe.core.processes import tool

# Names of the configuration, and how the programs are called.
_PROGRAMS: dict[str, list[object]] = {"bwa": ["bwa"], "bwa-mem2": ["bwa-mem2"]}


@dataclass(frozen=True)
class Aligner:
    """name: `aligner` of the configuration; index: prefix of the files of its index, which no other program reads."""

    name: str
    index: str

    def make_index(self, fasta: str) -> None:
        tool(*_PROGRAMS[self.name], "index", "-p", self.index, fasta)

    def mem(self, threads: int) -> list[object]:
        """The command up to its options that tell reads apart.

        -K fixes how many bases are aligned at a time, without which the number of threads changes the alignments.
        """
        return [*_PROGRAMS[self.name], "mem", "-t", threads, "-K", "100000000", "-Y"]
