"""Merging of people into one cohort BCF per region, with bcftools.

A region's variant sites are collected first. Every batch of people is then merged with the list of sites as its
first file, so that all batches have the same records, and batches can be pasted whatever their number. The list is
also what keeps bcftools merge right: merging merged gVCFs again loses reference blocks that start inside another
person's deletion, and `-m none` with `-g` never ends (both seen with bcftools 1.16).
"""

import json
import re
import resource
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from goe.core.errors import GoeError, Problem
from goe.core.processes import pipeline, tool
from goe.genome.build import Region
from goe.hts import indexes

# What later stages read; see C1 and the rules of variant_qc.
KEPT_INFO = ("QD", "MQ", "FS", "ReadPosRankSum")
KEPT_FORMAT = ("GT", "DP", "GQ", "AD", "FT")
_ALLELE_DEPTH = '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Reads of each allele">'
_ID = re.compile(r"##(INFO|FORMAT)=<ID=([^,>]+)")


@dataclass(frozen=True)
class JointFile:
    """A joint VCF or BCF. samples in its order, and rename, as the intake found them; records: by contig and region
    (first and last position), as a pass over the whole file counted them (goe.calls.scan)."""

    path: str
    samples: tuple[str, ...]
    rename: dict[str, str]
    records: dict[Region, int]

    def has(self, contig: str) -> bool:
        """Whether the file has a record on a contig that is counted."""
        return any(n for (name, _, _), n in self.records.items() if name == contig)


def check_open_files(n: int, mend: str) -> None:
    """Allow this process n files and their indexes at once; GoeError when the system does not."""
    need = 2 * n + 64
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and need > hard:
        raise GoeError(Problem("bcftools merge", f"needs {need} open files, the system allows {hard}", mend))
    if soft != resource.RLIM_INFINITY and soft < need:
        resource.setrlimit(resource.RLIMIT_NOFILE, (need, hard))


def merge(paths: Sequence[str], scratch: str | Path, region: str = "", *arguments: str) -> list[str]:
    """Command that merges the files, or their records that touch `region`, to its standard output.

    arguments: of `bcftools merge`, such as --gvcf. All ALT alleles of a position become one record (`-m all`), so
    that a person with one of them counts as called for the others. FILTER is the union, of joint files alone: that of
    a person's own file is in FT already (goe.calls.gvcf). One file alone is only viewed, since bcftools merge refuses
    it.
    """
    where = ["-r", region] if region else []
    if len(paths) == 1:
        return ["bcftools", "view", "--no-version", *where, "-Ou", paths[0]]
    check_open_files(len(paths), "set scatter.people_per_batch otherwise, or raise the limit (ulimit -n)")
    listed = Path(scratch) / "merge.list"
    listed.write_text("".join(f"{path}\n" for path in paths))
    return ["bcftools", "merge", "--no-version", "-m", "all", *where, *arguments, "-l", str(listed), "-Ou"]


def count(path: str) -> int:
    """Number of records of an indexed file."""
    run = subprocess.run(["bcftools", "index", "-n", path], check=True, capture_output=True, text=True)
    return int(run.stdout)


def header_of(path: str) -> list[str]:
    """Lines of the header. Bytes that are no UTF-8 (old descriptions in Latin-1) are nobody's genotype."""
    command = ["bcftools", "view", "-h", "--no-version", path]
    run = subprocess.run(command, check=True, capture_output=True, text=True, errors="replace")
    return run.stdout.splitlines()


def with_index(path: str) -> str:
    """The file as htslib is told it together with its index."""
    index = indexes.of_vcf(path)
    return f"{path}##idx##{index}" if index else path


def _unwanted(header: Sequence[str]) -> list[str]:
    kept = {"INFO": KEPT_INFO, "FORMAT": KEPT_FORMAT}
    found = [m.groups() for line in header if (m := _ID.match(line))]
    return [f"{kind}/{name}" for kind, name in found if name not in kept[kind]]


def cut(file: JointFile, contig: str, start: int, end: int, out: str, scratch: str | Path) -> None:
    """Write the records of a joint file with POS in the region to `out` (BCF) with its index.

    Contigs get the reference's names; INFO and FORMAT nobody reads later go. Records, alleles, FILTER and QUAL stay
    as they are. AD that is not declared Number=R (GATK 3) is, since a merge would not
    reorder it otherwise. GoeError when the file holds another number of records there than its index led to.
    """
    header = header_of(file.path)
    there = {new: old for old, new in file.rename.items()}.get(contig, contig)
    where = f"{there}:{start}-{end}"
    commands = [["bcftools", "view", "--no-version", "-r", where, "--regions-overlap", "pos", "-Ou"]]
    commands[0].append(with_index(file.path))
    annotate = ["bcftools", "annotate", "--no-version"]
    if unwanted := _unwanted(header):
        annotate += ["-x", ",".join(unwanted)]
    if file.rename:
        names = Path(scratch) / f"{Path(out).name}.rename"
        names.write_text("".join(f"{old} {new}\n" for old, new in file.rename.items()))
        annotate += ["--rename-chrs", str(names)]
    if len(annotate) > 3:
        commands.append([*annotate, "-Ou", "-"])
    depth = next((line for line in header if line.startswith("##FORMAT=<ID=AD,")), "")
    if depth and "Number=R" not in depth:
        commands[-1][commands[-1].index("-Ou")] = "-Ov"
        commands.append(["sed", f"s/^##FORMAT=<ID=AD,.*/{_ALLELE_DEPTH}/"])
    pipeline(*commands, ["bcftools", "view", "--no-version", "-Ob", "-o", out, "-"])
    tool("bcftools", "index", "-f", out)
    held, got = file.records.get(Region(contig, start, end), 0), count(out)
    if held != got:
        what = f"holds {held} records in {contig}:{start}-{end}, and by its index there are {got}"
        raise GoeError(Problem(file.path, what, "the index is of another file or cut off: make it again"))


def nobody_called(samples: Sequence[str], contigs: dict[str, int], out: str, scratch: str | Path) -> None:
    """Write a BCF without records, with index: people of a joint file that has nothing on a contig."""
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]
    lines = ["##fileformat=VCFv4.2", *(f"##contig=<ID={c},length={n}>" for c, n in contigs.items())]
    text = Path(scratch) / f"{Path(out).name}.vcf"
    text.write_text("\n".join([*lines, "\t".join(columns)]) + "\n")
    tool("bcftools", "view", "--no-version", "-Ob", "-o", out, str(text))
    tool("bcftools", "index", "-f", out)


def joint_files(intake: str | Path, counts: Sequence[str | Path]) -> list[JointFile]:
    """The joint VCFs of intake.json, with what `joint_file` counted in each, in the same order."""
    files = []
    for said, found in zip(json.loads(Path(intake).read_text())["joint"], counts, strict=True):
        counted = json.loads(Path(found).read_text())
        if counted["path"] != said["path"]:
            raise GoeError(Problem(str(found), f"is of {counted['path']}, not of {said['path']}", "run it again"))
        records = {Region.parse(name): n for name, n in counted["regions"].items()}
        files.append(JointFile(said["path"], tuple(said["samples"]), said["rename"], records))
    return files


def cut_all(
    files: Sequence[JointFile],
    region: tuple[str, int, int],
    contigs: dict[str, int],
    scratch: str | Path,
) -> list[str]:
    """Paths of the region's slices of the joint files, in which everybody of any joint file has one column."""
    contig, start, end = region
    paths: list[str] = []
    covered: set[str] = set()
    for file in files:
        if file.has(contig):
            paths.append(f"{scratch}/joint{len(paths)}.bcf")
            cut(file, contig, start, end, paths[-1], scratch)
            covered.update(file.samples)
    if rest := sorted({name for file in files for name in file.samples} - covered):
        paths.append(f"{scratch}/nobody.bcf")
        nobody_called(rest, contigs, paths[-1], scratch)
    return paths
