"""The programs that jobs take from PATH: which of them a cohort needs, and whether they are there and new enough."""

import re
import shutil
from collections.abc import Iterable
from typing import NamedTuple

from goe.core import processes
from goe.core.errors import GoeError, Problem
from goe.settings.sheets import Input

_READS = {"fastq", "ubam", "bam", "cram"}
_MEND = "put a newer one first on PATH, or let Snakemake bring the tools: --sdm conda"


class Oldest(NamedTuple):
    """A version below which a tool is refused. why: what is missing there; empty when no older one was ever tried."""

    version: str
    why: str = ""


# Nothing older was run with this workflow; whys are of the tools' own lists of changes.
OLDEST = {
    "samtools": Oldest("1.16", "it lacks `index -o`, and 1.13 to 1.15 refuse `depth --reference`"),
    "bcftools": Oldest("1.16", "below 1.13 `mpileup` realigns base qualities otherwise, and other alleles are called"),
    "bwa": Oldest("0.7.17"),
    "bwa-mem2": Oldest("2.2.1"),
    "fastp": Oldest("0.23.2"),
    "mosdepth": Oldest("0.3.3"),
    "plink2": Oldest("2.00a3.5"),
}


def needed(inputs: Iterable[Input], aligner: str, coverage: bool = False) -> list[str]:
    """The tools of `OLDEST` that jobs call for these inputs, in its order.

    aligner: that of the configuration; coverage: whether the depth of reads beside calls is asked for.
    """
    kinds = {entry.input_type for entry in inputs}
    asked = {"samtools", "bcftools", "plink2"}
    asked |= {"mosdepth"} if coverage or kinds & _READS else set()
    asked |= {aligner} if kinds & {"fastq", "ubam"} else set()
    asked |= {"fastp"} if "fastq" in kinds else set()
    return [tool for tool in OLDEST if tool in asked]


def look(tools: Iterable[str]) -> tuple[list[Problem], list[Problem]]:
    """Problems and notes of tools on PATH: one that is too old, or tells no version, is a problem; one that is not
    there is a note, since not every target calls it."""
    problems, notes = [], []
    for tool in tools:
        oldest = OLDEST[tool]
        if shutil.which(tool) is None:
            mend = _MEND.replace("a newer one", "it")
            notes.append(Problem(tool, "not on PATH: the jobs that call it will fail", mend))
            continue
        try:
            version = processes.version(tool)
        except GoeError as error:
            problems += error.problems
            continue
        if order(tool, version) < order(tool, oldest.version):
            why = oldest.why or "no older one was tried"
            problems.append(Problem(f"{tool} {version}", f"older than {oldest.version}: {why}", _MEND))
    return problems, notes


def order(tool: str, version: str) -> tuple[int, ...]:
    """What versions of a tool are compared by: 1.16.1 -> (1, 16, 1), 0.7.17-r1188 -> (0, 7, 17).

    Of plink2 the number of the alpha, which was 2.00a5.10 and became 2.0.0-a.6.9: 2.00a3.5LM -> (2, 0, 3, 5), and
    (2, 1) of what is no alpha.
    """
    if tool == "plink2":
        alpha = re.search(r"a\.?(\d+(?:\.\d+)*)", version)
        return (2, 0, *_numbers(alpha[1])) if alpha else (2, 1)
    return _numbers(re.split(r"[-+]", version)[0])


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", text)))
