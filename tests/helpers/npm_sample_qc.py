"""Variants of one person as the reference implementation of the GA4GH WGS QC standard counts them."""

import subprocess
from pathlib import Path

# What c-BIG/NPM-sample-qc:bin/count_variants.py 0.13.5 asks, word by word but for regions, which
# are all of the file here.
VARIANTS = 'GT="./." | GT=".|." | GT="." | GT="0/0" | GT="0|0" | GT="0"'
COMMANDS = {
    "n_snv": ("-v", "snps"),
    "n_het_snv": ("-v", "snps", "-g", "het"),
    "n_hom_snv": ("-v", "snps", "-g", "hom"),
    "n_het_indel": ("-v", "indels", "-g", "het"),
    "n_hom_indel": ("-v", "indels", "-g", "hom"),
    "n_insertion": ("-v", "indels", "-i", "ILEN>0"),
    "n_deletion": ("-v", "indels", "-i", "ILEN<0"),
}


def records(path: Path, passing: str = "PASS") -> tuple[dict[str, list[str]], dict[str, int]]:
    """Records of a VCF that the standard's program takes for each counter, as the cells of ID; and its counts
    of transitions and transversions. passing: FILTERs that pass."""
    every = subprocess.run(["bcftools", "view", "-e", VARIANTS, "-Ov", path], check=True, capture_output=True).stdout
    taken = {}
    for name, words in COMMANDS.items():
        command = ["bcftools", "view", "-H", "-f", passing, *words, "-"]
        said = subprocess.run(command, input=every, check=True, capture_output=True).stdout.decode()
        taken[name] = [line.split("\t")[2] for line in said.splitlines()]
    stats = subprocess.run(["bcftools", "stats", "-f", passing, "-"], input=every, check=True, capture_output=True)
    (changes,) = (line.split("\t") for line in stats.stdout.decode().splitlines() if line.startswith("TSTV"))
    return taken, {"n_ti": int(changes[2]), "n_tv": int(changes[3])}
