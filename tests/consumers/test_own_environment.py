"""Clients that need packages which the tests do not have: asked in an environment of their own (`make consumers`)."""

import json
import os
import random
import re
import shutil
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pysam
import pytest
from consumers.test_clients import from_info, long_rows, wide_rows
from goe.genome import vrs
from goe.genome.fasta import Reference
from goe.lookup import va_spec

REPO = Path(__file__).resolve().parents[2]
ASKED = Path(__file__).with_name("asked.py")


def asked_of(python):
    """Asks clients that this Python has: the answer of one to what is in a path."""

    def answer(client, path):
        done = subprocess.run([python, ASKED, client, path], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return answer


@pytest.fixture(scope="module")
def ask():
    python = Path(os.environ.get("GOE_CONSUMERS", REPO / ".venv/consumers/bin/python"))
    if not python.is_file():
        pytest.skip("no environment of clients: make consumers")
    return asked_of(python)


@pytest.mark.skipif("GOE_HAIL" not in os.environ, reason="GOE_HAIL: no Python that has hail, and Java")
@pytest.mark.parametrize("which", ["all", "pass"])
def test_hail_reads_the_sites_vcf(folder, cells, which, tmp_path):
    """Half a gigabyte with PySpark, so neither in the lock nor in CI: GOE_HAIL=<its python> make consumers."""
    (path,) = (folder / "sites").glob(f"*.{which}.vcf.gz")
    copy = shutil.copy(path, tmp_path)
    wanted, found = cells if which == "all" else cells.passed(), {}
    for row in asked_of(os.environ["GOE_HAIL"])("hail", copy)["rows"]:
        key = tuple(row[name] for name in ("contig", "pos", "ref", "alt"))
        if key in wanted.of:
            found[key] = from_info(row["info"].get, cells.strata)
    assert found == wanted.of


def test_duckdb_reads_the_folders(ask, folder, cells):
    found = ask("duckdb", folder)
    assert long_rows(found["long"], cells) == cells.of
    assert wide_rows(found["wide"], cells) == cells.of


def test_the_example_of_duckdb_runs(ask, folder, tmp_path):
    (example,) = re.findall(r"^```sql\n(.*?)^```", (REPO / "docs/release.md").read_text(), re.M | re.S)
    query = example.replace("'frequencies/", f"'{folder}/frequencies/").replace("BETWEEN 100000 AND 150000", "> 0")
    (tmp_path / "example.sql").write_text(query)
    found = ask("duckdb_query", tmp_path / "example.sql")
    assert found["columns"] == ["contig", "pos", "ref", "alt", "ac", "an", "af"]
    assert found["rows"] and all(af == ac / an for *_, ac, an, af in found["rows"] if an)


def left_aligned(sequence, pos, ref, alt):
    """A VCF allele trimmed and as far to the left as it can be; None where it has no base before it."""
    while ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
        if not ref or not alt:
            if pos == 1:
                return None
            pos -= 1
            ref, alt = sequence[pos - 1] + ref, sequence[pos - 1] + alt
    while min(len(ref), len(alt)) > 1 and ref[0] == alt[0]:
        pos, ref, alt = pos + 1, ref[1:], alt[1:]
    return pos, ref, alt


def alleles(sequence, rng, n):
    """SNVs, deletions, insertions of copies and of others, and changes of several bases, half of them in repeats."""
    found = []
    while len(found) < n:
        pos, size = rng.randint(2, len(sequence) - 30), rng.randint(1, 9)
        base, there = sequence[pos - 1], sequence[pos - 1 : pos + size]
        kind = rng.choice(["snv", "deletion", "copies", "insertion", "change"])
        new = "".join(rng.choices("ACGT", k=size))
        ref = there if kind in ("deletion", "change") else base
        alt = {"snv": new[0], "deletion": base, "copies": base + sequence[pos : pos + size] * rng.randint(1, 3)}
        allele = (pos, ref, alt.get(kind, new if kind == "change" else base + new))
        if allele[1] != allele[2] and (one := left_aligned(sequence, *allele)):
            found.append(one)
    return found


def test_identifiers_of_vrs_are_those_of_ga4gh_vrs(ask, tmp_path):
    rng = random.Random(5)
    units = ["".join(rng.choices("ACGT", k=rng.randint(1, 4))) * rng.randint(1, 12) for _ in range(150)]
    sequence = "".join(unit + "".join(rng.choices("ACGT", k=20)) for unit in units)
    (tmp_path / "ref.fa").write_text(f">chr1\n{sequence}\n")
    pysam.faidx(str(tmp_path / "ref.fa"))
    with Reference(tmp_path / "ref.fa") as reference:
        names = vrs.Names("GRCh38", "chr1", reference)
        asked = alleles(sequence, rng, 3000)
        given = {"sequence": sequence, "refget": names.refget, "alleles": asked}
        (tmp_path / "alleles.json").write_text(json.dumps(given))
        assert [names.of(*allele)[0] for allele in asked] == ask("vrs", tmp_path / "alleles.json")["ids"]


def test_identifiers_in_a_release_are_those_of_ga4gh_vrs(ask, folder, cells, tmp_path):
    fasta = folder.parent / "work/ref.fa"
    if not fasta.is_file():
        pytest.skip("the reference of this release is not beside it")
    asked = 0
    with Reference(fasta) as reference:
        for contig in {key[0] for key in cells.of}:
            table = pq.read_table(folder / f"allele-names/{contig}.parquet").to_pylist()
            ids = {(row["pos"], row["ref"], row["alt"]): row["vrs_id"] for row in table}
            alleles = [key[1:] for key in cells.of if key[0] == contig]
            sequence = reference.bases(contig, 0, reference.lengths[contig])
            given = {"sequence": sequence, "refget": reference.refget(contig), "alleles": alleles}
            (tmp_path / "alleles.json").write_text(json.dumps(given))
            assert [ids[allele] for allele in alleles] == ask("vrs", tmp_path / "alleles.json")["ids"]
            asked += len(alleles)
    assert asked == 200


def test_every_line_of_va_spec_is_a_study_result(ask, folder, tmp_path):
    alleles = va_spec.write(folder, tmp_path / "va")
    assert ask("va_spec", tmp_path / "va") == {"lines": alleles} and alleles > 200
