"""The common autosomal SNVs of the cohort as a PLINK 1 fileset, and what plink2 makes of it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from goe.core.errors import GoeError, Problem
from goe.core.processes import tool
from goe.hts import parquet


@dataclass(frozen=True)
class Snvs:
    """What a fileset holds.

    people: sample ids in its order, where the fileset itself says p0, p1, ...; contigs: number of them, which it
    calls 1, 2, ...; candidates: common SNVs found; used: those in it; pruned: whether LD decided which.
    """

    people: list[str]
    contigs: int
    candidates: int
    used: int
    pruned: bool

    @classmethod
    def read(cls, path: str | Path) -> "Snvs":
        return cls(**json.loads(Path(path).read_text()))

    def write(self, path: str | Path) -> None:
        Path(path).write_text(json.dumps(asdict(self), indent=1) + "\n")

    @property
    def basis(self) -> str:
        """The SNVs in words, for a statement."""
        return f"{self.used} common autosomal SNVs{'' if self.pruned else ', not pruned for LD'}"


def collect(paths: Iterable[str | Path], stem: str | Path) -> Snvs:
    """Write STEM.bed, .bim and .fam from the tables of the regions (`sample_metrics.CommonSnvs`), in their order.

    Of two SNVs of one bin, which a border between regions lets through, the first is taken. plink2 sees numbers in
    place of ids and contig names, so that none of them can mean something to it. One region in memory at a time.
    """
    people: list[str] | None = None
    n = 0
    numbers: dict[str, int] = {}
    last = ("", -1)
    with Path(f"{stem}.bed").open("wb") as bed, Path(f"{stem}.bim").open("w") as bim:
        bed.write(b"\x6c\x1b\x01")
        for path in paths:
            table = parquet.read(path)
            meta = json.loads(table.schema.metadata[b"goe"])
            if people is not None and meta["samples"] != people:
                raise GoeError(Problem(str(path), "other people, or another order, than in the regions before"))
            people = meta["samples"]
            for contig, pos, ref, alt, row in zip(*(c.to_pylist() for c in table.columns), strict=True):
                place = (contig, pos // meta["spacing"])
                if place == last:
                    continue
                last = place
                number = numbers.setdefault(contig, len(numbers) + 1)
                bim.write(f"{number}\ts{n}\t0\t{pos}\t{alt}\t{ref}\n")
                bed.write(row)
                n += 1
    people = people or []
    Path(f"{stem}.fam").write_text("".join(f"0\tp{i}\t0\t0\t0\t-9\n" for i in range(len(people))))
    return Snvs(people, len(numbers), n, n, False)


def work_space(resources: Mapping) -> int:
    """MB that a job gives plink2, which takes them at once: its `mem_mb`, less what Python itself holds."""
    return int(resources.get("mem_mb", 4000) * 0.8)


def command(stem: str | Path, snvs: Snvs, threads: int, memory: int) -> list[str]:
    """plink2 on a fileset; memory in MB, which it takes at once."""
    chosen = ["--bfile", str(stem), "--chr-set", str(max(1, snvs.contigs)), "--threads", str(threads)]
    return ["plink2", *chosen, "--memory", str(max(640, memory)), "--seed", "1"]


def prune(
    stem: str | Path, out: str | Path, snvs: Snvs, limits: Mapping[str, float], threads: int, memory: int
) -> Snvs:
    """The fileset OUT: the SNVs of STEM that are not in LD with one another, or all of them where few people or
    SNVs (`ld_min_people`, `kinship_min_snvs`) leave nothing to prune by."""
    if len(snvs.people) < limits["ld_min_people"] or snvs.used < limits["kinship_min_snvs"]:
        for end in ("bed", "bim", "fam"):
            Path(f"{stem}.{end}").replace(f"{out}.{end}")
        return snvs
    plink = command(stem, snvs, threads, memory)
    tool(*plink, "--indep-pairwise", f"{limits['ld_window_kb']:g}kb", f"{limits['ld_max_r2']:g}", "--out", str(stem))
    kept = f"{stem}.prune.in"
    tool(*plink, "--extract", kept, "--make-bed", "--out", str(stem) + ".pruned")
    for end in ("bed", "bim", "fam"):
        Path(f"{stem}.pruned.{end}").replace(f"{out}.{end}")
    used = len(Path(kept).read_text().split())
    return Snvs(snvs.people, snvs.contigs, snvs.candidates, used, True)
