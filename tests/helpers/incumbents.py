"""The hazards through the command chains that others publish: what each makes of every case.

Two chains of bcftools commands, with the options and expressions of their repositories:

- `pilot`: Genome-of-Europe/pgx_pilot, Snakefile at db63f17 with its config.yaml, both modes being the same commands;
- `ega`: EGA-archive/AF_bcftools_pipeline, main.nf 3.0.0 (669883e) with nextflow.config (d31fa6a).

Their ploidy tables hold GRCh38 coordinates; here they hold the same intervals of the toy build, with the same gaps.
What only marks or drops whole sites or people (QC tags, variant and sample QC, renaming) is left out.

    PYTHONPATH=scripts:tests .venv/bin/python -m helpers.incumbents docs/conformance.md
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cyvcf2
from goe.core.errors import GoeError
from goe.frequencies import strata
from goe.genome.build import Build

from helpers import hazards
from helpers.counting import count_vcf

NUMBERS = ("AC", "AN", "AC_Hom", "AC_Het", "AC_Hemi")
# Ids of three or more letters for the chains, whose grouping refuses shorter ones.
LONG = {s: f"person_{s}" for s in hazards.SAMPLES}
KNOWN = tuple(s for s in hazards.SAMPLES if hazards.SEX[s] != "U")

MIN_GQ, MIN_DP, MIN_AB = 20, 10, 0.2
PILOT_MASK = (
    f'FMT/GQ < {MIN_GQ} | FMT/DP < {MIN_DP} | (GT="het" & (FMT/AD[*:0] + FMT/AD[*:1]) > 0 & '
    f"((FMT/AD[*:1])/(FMT/AD[*:0]+FMT/AD[*:1]) < {MIN_AB} | (FMT/AD[*:1])/(FMT/AD[*:0]+FMT/AD[*:1]) > {1 - MIN_AB}))"
)
# Order of bash's own associative array; with `||` it does not matter.
EGA_MASK = (
    f'FMT/GQ < {MIN_GQ} || FMT/DP < {MIN_DP} || GT="het" && (FMT/AD[*:0]+FMT/AD[*:1])>0 && '
    f"(FMT/AD[*:1]/(FMT/AD[*:0]+FMT/AD[*:1])) < {MIN_AB}"
)
EARLIER_EGA_MASK = (
    f"FMT/GQ < {MIN_GQ} || FMT/DP < {MIN_DP} || (FMT/AD[0]+FMT/AD[1])>0 && (FMT/AD[1]/(FMT/AD[0]+FMT/AD[1])) < {MIN_AB}"
)
PILOT_TAGS = ("AC,AN,AF,AC_Het,AC_Hom,AC_Hemi,MAF", "HWE,NS,F_MISSING,ExcHet")


def _ploidy(pilot: bool) -> str:
    """Ploidy rules on the toy build: the pilot's leave out the last base before each PAR of X, the other's are those
    built into bcftools; neither says anything after PAR2."""
    (x1, x2), (n_y, n_m) = [(s, e) for c, s, e in hazards.PAR if c == "chrX"], (hazards.LENGTHS["chrY"], 700)
    rows = [f"chrX 1 {x1[0] - (2 if pilot else 1)} M 1", f"chrX {x1[1] + 1} {x2[0] - (2 if pilot else 1)} M 1"]
    rows += [f"chrY 1 {n_y} M 1", f"chrY 1 {n_y} F 0", f"chrM 1 {n_m} M 1", f"chrM 1 {n_m} F 1"]
    return "\n".join([*rows, "* * * M 2", "* * * F 2"]) + "\n"


@dataclass
class Files:
    """What a chain reads besides the VCF."""

    fasta: Path
    groups: Path
    sexes: dict[str, Path]
    ploidy: dict[str, Path]


def write_files(folder: Path, made: hazards.Book, samples, names: dict[str, str]) -> Files:
    """Group, sex and ploidy files for the columns `names[s]` of `samples`."""
    fasta, groups = folder / "ref.fa", folder / "groups.txt"
    hazards.write_fasta(fasta, made)
    rows = {s: [g for g in hazards.STRATA[1:] if hazards.in_stratum(g, s)] for s in samples}
    groups.write_text("".join(f"{names[s]}\t{','.join(g)}\n" for s, g in rows.items()))
    sexes, ploidy = ({n: folder / f"{n}.{kind}" for n in ("pilot", "ega")} for kind in ("sexes", "ploidy"))
    for name, path in ploidy.items():
        path.write_text(_ploidy(name == "pilot"))
        # An unknown sex leaves the cell empty in the pilot's file, and the row out of the other's.
        listed = [s for s in samples if name == "pilot" or hazards.SEX[s] != "U"]
        sexes[name].write_text("".join(f"{names[s]}\t{hazards.SEX[s].replace('U', '')}\n" for s in listed))
    return Files(fasta, groups, sexes, ploidy)


def pilot(vcf: Path, files: Files) -> list[list[str]]:
    """Commands of the pilot's chain, each reading the one before; the last writes BCF to its standard output."""
    fill = [["bcftools", "+fill-tags", "-Ou", "--", "-S", str(files.groups), "-t", tags] for tags in PILOT_TAGS]
    return [
        ["bcftools", "view", str(vcf), "-Ou"],
        ["bcftools", "view", "-t", ",".join(hazards.TABLE), "-e", 'ALT="*"', "-Ou"],
        ["bcftools", "norm", "--force", "-m", "-any", "-f", str(files.fasta), "-Ou"],
        ["bcftools", "annotate", "-x", "ID", "-I", "+%CHROM:%POS:%REF:%ALT", "-Ou"],
        ["bcftools", "norm", "--rm-dup", "exact", "-Ou"],
        *fill,
        ["bcftools", "+setGT", "-Ou", "--", "-t", "q", "-n", ".", "-i", PILOT_MASK],
        ["bcftools", "+fixploidy", "-Ou", "--", "-s", str(files.sexes["pilot"]), "-p", str(files.ploidy["pilot"])],
        *fill,
    ]


def ega(vcf: Path, files: Files, mask: str = EGA_MASK) -> list[list[str]]:
    """Commands of EGA's chain, which puts a file between them; the same bytes pass here."""
    return [
        ["bcftools", "norm", "-m", "-any", str(vcf), "-Ou"],
        ["bcftools", "+setGT", "-Ou", "--", "-t", "q", "-n", ".", "-e", mask],
        ["bcftools", "+fixploidy", "-Ou", "--", "-s", str(files.sexes["ega"]), "-p", str(files.ploidy["ega"])],
        ["bcftools", "+fill-tags", "-Ou", "--", "-S", str(files.groups)],
    ]


@dataclass
class Outcome:
    """numbers: (contig, pos, ref, alt) -> stratum -> five numbers; refused: the first failing command's last word."""

    numbers: dict
    refused: str = ""
    rows: int = 0


def run(commands: list[list[str]], folder: Path) -> Outcome:
    """Run a chain; the numbers of what it wrote, or which command refused and what it said."""
    out = folder / "out.bcf"
    processes, logs = [], []
    with out.open("wb") as target:
        for i, command in enumerate(commands):
            logs.append(folder / f"{i}.log")
            with logs[-1].open("wb") as log:
                stdin = processes[-1].stdout if processes else None
                stdout = target if i == len(commands) - 1 else subprocess.PIPE
                processes.append(subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=log))
            if stdin:
                stdin.close()
        codes = [p.wait() for p in processes]
    # Those that stopped by themselves, not those that lost their input or their reader.
    refused = []
    for command, code, log in zip(commands, codes, logs, strict=True):
        told = [t for t in log.read_text(errors="replace").splitlines() if not t.startswith(("Lines", "Filled"))]
        if code and code != -13 and not any("Failed to read from standard input" in t for t in told):
            words = told[-1].split(" in header", 1)[0].strip() if told else f"status {code}"
            refused.append(f"`{' '.join(command[:2])}`: {words}")
    if refused:
        return Outcome({}, "; ".join(dict.fromkeys(refused)))
    found: dict = {}
    rows = 0
    for record in cyvcf2.VCF(str(out)):
        rows += 1
        if not record.ALT:
            continue
        key = (record.CHROM, record.POS, record.REF, record.ALT[0])
        for stratum in hazards.STRATA:
            suffix = "" if stratum == "Total" else f"_{stratum}"
            names = [f"AC{suffix}", f"AN{suffix}", *(f"AC_{z}{suffix}" for z in ("Hom", "Het", "Hemi"))]
            values = tuple(record.INFO.get(name) for name in names)
            found.setdefault(key, {}).setdefault(stratum, []).append(values)
    return Outcome({k: {s: v[0] if len(v) == 1 else v for s, v in by.items()} for k, by in found.items()}, rows=rows)


def goe(case_vcf: Path, files: Files, folder: Path, samples, names) -> Outcome:
    """The same by this project."""
    sheet = {names[s]: (hazards.SEX[s], hazards.COUNTRY[s]) for s in samples}
    build = Build("toy", hazards.TABLE, hazards.PAR, hazards.LENGTHS)
    try:
        table, _ = count_vcf(case_vcf, files.fasta, build, sheet, 10**6, folder)
    except GoeError as error:
        return Outcome({}, str(error))
    found = {}
    for row in table.to_pylist():
        leaves = sorted({name.split("_", 1)[1] for name in row if name.startswith("dip_")})
        by = found[row["contig"], row["pos"], row["ref"], row["alt"]] = {}
        for stratum in hazards.STRATA:
            inside = [leaves[i] for i in strata.members(stratum, leaves)]
            dip, hap, het, hom, hemi = (
                sum(row[f"{m}_{leaf}"] for leaf in inside) for m in ("dip", "hap", "het", "hom", "hemi")
            )
            by[stratum] = (2 * hom + het + hemi, 2 * dip + hap, 2 * hom, het, hemi)
    return Outcome(found, rows=table.num_rows)


def verdict(outcome: Outcome, wanted: dict) -> str:
    """`right`, or how the outcome differs from `wanted` (site allele -> stratum -> numbers)."""
    if outcome.refused:
        return f"refused: {outcome.refused}"
    faults = []
    for key in sorted(wanted | outcome.numbers):
        _, pos, ref, alt = key
        name = f"{pos} {ref}>{alt}" if len(ref + alt) < 12 else f"{pos}"
        have, want = outcome.numbers.get(key), wanted.get(key)
        if want is None:
            faults.append(f"extra {name}")
        elif have is None:
            faults.append(f"no {name}")
        elif any(isinstance(v, list) for v in have.values()):
            faults.append(f"{name} twice")
        elif have != want:
            stratum = next(s for s in hazards.STRATA if have[s] != want[s])
            i = next(i for i in range(5) if have[stratum][i] != want[stratum][i])
            kind = NUMBERS[i] if stratum == "Total" else f"{NUMBERS[i]} of {stratum}"
            number = "none" if have[stratum][i] is None else have[stratum][i]
            faults.append(f"{name} {kind} {number} for {want[stratum][i]}")
    return "right" if not faults else "; ".join(faults[:2]) + (f"; {len(faults) - 2} more" if len(faults) > 2 else "")


def matrix(made: hazards.Book) -> tuple[list[tuple[hazards.Case, str, str, str]], dict[str, str]]:
    """(case, goe, pilot, EGA) for every case alone, without the person of unknown sex, and what happened to the
    whole file as it is."""
    whole: dict[str, str] = {}
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asis = {s: s for s in hazards.SAMPLES}
        vcf = folder / "whole.vcf"
        vcf.write_text(hazards.vcf_text(made.cases))
        files = write_files(folder, made, hazards.SAMPLES, asis)
        whole["the file as it is"] = _whole(vcf, files, folder)
        files = write_files(folder, made, hazards.SAMPLES, LONG)
        vcf.write_text(hazards.vcf_text(made.cases, names=LONG))
        whole["ids made longer"] = _whole(vcf, files, folder)
        files = write_files(folder, made, KNOWN, LONG)
        vcf.write_text(hazards.vcf_text(made.cases, KNOWN, LONG))
        whole["and the person of unknown sex taken out"] = _whole(vcf, files, folder)
        bare = [case for case in made.cases if case.name != "REF_IUPAC"]
        vcf.write_text(hazards.vcf_text(bare, KNOWN, LONG))
        whole["and the record on an ambiguous reference base"] = _whole(vcf, files, folder)
        for case in made.cases:
            samples = hazards.SAMPLES if case.name.endswith("UNKNOWN_SEX") else KNOWN
            files = write_files(folder, made, samples, LONG)
            vcf.write_text(hazards.vcf_text([case], samples, LONG))
            wanted = hazards.expected([case], made, samples)
            told = [verdict(goe(vcf, files, folder, samples, LONG), wanted)]
            for chain in (pilot, ega):
                told.append(verdict(run(chain(vcf, files), folder), wanted))
            rows.append((case, *told))
    return rows, whole


def _whole(vcf: Path, files: Files, folder: Path) -> dict[str, str]:
    outcomes = {"pilot": run(pilot(vcf, files), folder), "EGA": run(ega(vcf, files), folder)}
    outcomes["EGA, earlier version (d31fa6a)"] = run(ega(vcf, files, EARLIER_EGA_MASK), folder)
    return {k: f"stops: {o.refused}" if o.refused else f"runs, {o.rows} rows" for k, o in outcomes.items()}


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


INTRODUCTION = """\
# Conformance: the hazards, here and in other chains

Every hazard of `tests/helpers/hazards.py` through this workflow's counting and through the bcftools commands
that two other pipelines publish. Made by a run ({version}), not by reading:

    PYTHONPATH=scripts:tests .venv/bin/python -m helpers.incumbents docs/conformance.md

A cell says `right` when AC, AN, AC_Hom, AC_Het and AC_Hemi of all strata are those of the rules (`counting.md`), and
no row lacks or is too many; else the first difference, `have for want`.

- **pilot**: [pgx_pilot](https://github.com/Genome-of-Europe/pgx_pilot), `Snakefile` at db63f17: view, norm, annotate,
  norm --rm-dup, fill-tags twice, setGT, fixploidy, fill-tags twice.
- **EGA**: [AF_bcftools_pipeline](https://github.com/EGA-archive/AF_bcftools_pipeline), `main.nf` 3.0.0 (669883e):
  norm, setGT, fixploidy, fill-tags. Its ploidy file was not at hand; the built-in rules of bcftools stand for it.

The ploidy tables have the intervals of the toy build with the gaps of the originals: the pilot's leaves out the last
base before each PAR of X, neither says anything after PAR2, both call Y haploid in its PARs. QC of sites and people
is left out: it marks or drops, and does not count.

## The whole file
| what | pilot | EGA | EGA, earlier version (d31fa6a) |
|---|---|---|---|"""

CASE_BY_CASE = """
## Case by case
Each case is a file of its own here, so that one refusal does not hide the others. Ids are made longer, and the person
of unknown sex is taken out but where the case is about that person (the pilot stops, EGA's chain takes one for a
woman). In GRCh38 the bases before PAR1 and after PAR2 of X are N, so `X_BEFORE_PAR1` and `X_AFTER_PAR2` cost nobody a
number there; `X_BEFORE_PAR2` does.

| case | hazard | goe | pilot | EGA |
|---|---|---|---|---|"""


def document(rows, whole) -> str:
    """The page."""
    version = subprocess.run(["bcftools", "--version"], check=True, capture_output=True, text=True).stdout.split("\n")[
        0
    ]
    right = [Counter(r[i].split(":")[0] for r in rows) for i in (1, 2, 3)]
    score = [f"{c['right']} of {len(rows)}" + (f", {c['refused']} refused" if c["refused"] else "") for c in right]
    lines = [INTRODUCTION.format(version=version)]
    lines += [f"| {k} | " + " | ".join(_cell(t) for t in v.values()) + " |" for k, v in whole.items()]
    lines += [CASE_BY_CASE, f"| **right** | | **{score[0]}** | **{score[1]}** | **{score[2]}** |"]
    for case, *told in rows:
        lines.append("| " + " | ".join([f"`{case.name}`", _cell(case.what), *map(_cell, told)]) + " |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Write the conformance matrix.")
    parser.add_argument("page", type=Path)
    page = parser.parse_args(arguments).page
    if not shutil.which("bcftools"):
        return 1
    page.write_text(document(*matrix(hazards.book())))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
