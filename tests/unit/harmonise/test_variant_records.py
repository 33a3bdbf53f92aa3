"""Variants of a person's own file by records: those that the standard's reference implementation takes."""

import random
import subprocess

import numpy as np
import pytest
from goe.calls.own_file import OwnFile
from goe.harmonise import variant_records
from goe.harmonise.schemas import OF_VARIANTS
from helpers import npm_sample_qc

HEAD = """##fileformat=VCFv4.2
##contig=<ID=chr1,length=1000000>
##FILTER=<ID=LowQ,Description="low">
##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">
"""
PLAIN = ["A", "C", "G", "T", "AC", "AG", "CA", "CG", "ACG", "AAG", "ACC", "TACG", "ACAC", "AC" * 30]
OTHERS = ["*", "N", "X", "A[chr1:7[", "]chr1:3]T", ".A", "A."]
SYMBOLS = ["<NON_REF>", "<*>", "<DEL>"]
GENOTYPES = ["0/0", "0|0", "0", "./.", ".|.", ".", "0/.", "./1", "1|.", "1", "0/1", "1|0", "1/1", "1|1"]
GENOTYPES += ["0/0/1", "1/1/1", "0/0/0", "./././."]


def alone(rows, i):
    """One row, with its alleles."""
    first = rows.alleles[:i].sum()
    last = first + rows.alleles[i]
    text = rows.length[:first].sum(), rows.length[:last].sum()
    of_alleles = {"length": slice(first, last), "ad": slice(first, last), "text": slice(*text)}
    return rows._make(getattr(rows, key)[of_alleles.get(key, slice(i, i + 1))] for key in rows._fields)


def counted(path):
    """The same by goe: ids of rows, which are their positions, asked row by row; counts of all of them at once."""
    taken: dict[str, list[str]] = {name: [] for name in npm_sample_qc.COMMANDS}
    total = np.zeros(len(OF_VARIANTS), np.int64)
    for chunk in OwnFile(path, "p", {"chr1": 1_000_000}, {}, False, indexed=False):
        variant_records.add(chunk.rows, total)
        for i in range(len(chunk.rows.pos)):
            one = np.zeros_like(total)
            variant_records.add(alone(chunk.rows, i), one)
            for name, n in zip(OF_VARIANTS, one.tolist(), strict=True):
                if n and name in taken:
                    taken[name].append(str(chunk.rows.pos[i]))
    return taken, dict(zip(OF_VARIANTS, total.tolist(), strict=True))


def written(path, rows):
    """A VCF of one person with rows POS REF ALTs FILTER GT."""
    columns = "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", "p"])
    lines = [
        "\t".join(["chr1", str(pos), str(pos), ref, ",".join(alts), "50", status, ".", "GT", gt])
        for pos, ref, alts, status, gt in rows
    ]
    text = HEAD + "\n".join([columns, *lines, ""])
    path.write_bytes(subprocess.run(["bgzip", "-c"], input=text.encode(), check=True, capture_output=True).stdout)
    return path


@pytest.mark.parametrize(("filters", "passing"), [(["PASS", "PASS", "LowQ"], "PASS"), ([".", "LowQ"], ".,PASS")])
def test_records_are_those_that_the_program_of_the_standard_takes(tmp_path, filters, passing):
    """With a symbolic ALT beside it bcftools 1.16 takes every indel for an insertion too; goe does not."""
    rng = random.Random(1)
    rows = []
    for pos in range(10, 200_000, 100):
        ref = rng.choice(PLAIN)
        alts = rng.sample([a for a in PLAIN if a != ref], rng.choice([1, 1, 1, 2, 3]))
        alts += rng.sample(OTHERS, rng.choice([0, 0, 1, 2]))
        rng.shuffle(alts)
        alleles = range(len(alts) + 1)
        gt = rng.choice([*GENOTYPES, *[f"{rng.choice(alleles)}/{rng.choice(alleles)}"] * len(GENOTYPES)])
        rows.append((pos, ref, alts, rng.choice(filters), gt))
    plain = written(tmp_path / "plain.vcf.gz", rows)
    (expected, changes), (found, total) = npm_sample_qc.records(plain, passing), counted(plain)
    assert {name: set(ids) ^ set(found[name]) for name, ids in expected.items()} == {name: set() for name in expected}
    assert total == {name: len(ids) for name, ids in expected.items()} | changes
    assert min(total.values()) > 20
    rows = [(pos, ref, [*alts, rng.choice(SYMBOLS)], *more) for pos, ref, alts, *more in rows]
    symbolic = written(tmp_path / "symbolic.vcf.gz", rows)
    assert counted(symbolic) == (found, total)
    theirs, _ = npm_sample_qc.records(symbolic, passing)
    assert {name for name, ids in theirs.items() if ids != expected[name]} == {"n_insertion"}
