"""Where the reports of a person's reads are, for those who make and those who read them."""

from pathlib import Path
from typing import NamedTuple


class Reports(NamedTuple):
    """Paths of the reports of a person's reads, in the folder that has them."""

    summary: str
    dist: str
    coverage: str
    stats: str
    ledger: str

    @classmethod
    def of(cls, folder: str | Path, sample: str) -> "Reports":
        # MultiQC calls a report by its file's name.
        named = (f"{sample}.mosdepth.summary.txt", f"{sample}.mosdepth.global.dist.txt")
        rest = ("coverage.tsv", f"{sample}.stats.txt", "ledger.json")
        return cls(*(f"{folder}/{name}" for name in (*named, *rest)))

    def of_units(self) -> list[str]:
        """What fastp reported of each FASTQ pair, by number; nothing of other inputs."""
        found = Path(self.ledger).parent.glob("*.fastp.json")
        return [str(path) for path in sorted(found, key=lambda path: int(path.name.partition(".")[0]))]
