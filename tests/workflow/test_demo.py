"""The demo cohort through the whole workflow: against its truth, and afterwards."""

import csv
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pyarrow.parquet as pq
import pytest
from cyvcf2 import VCF
from goe.core import manifest
from goe.core.ledger import total
from helpers import callable_runs, warm
from helpers import plain_people as pp
from helpers.workflow import COUNTERS, REPO, asked_of_network, goe, off_network, snakemake

pytestmark = pytest.mark.slow
DATASET = "GOE-EE-EXAMPLE-20260101000000000"


def test_release_agrees_with_the_truth(run):
    compared = goe("demo", "compare", run, run)
    assert compared.returncode == 0, compared.stdout
    assert "Comparison with the truth: as it must be." in compared.stdout


def test_release_is_whole_and_holds_what_it_promises(run):
    release = run / "release"
    assert manifest.verify(release) == []
    subprocess.run(["sha256sum", "--check", "--quiet", "MANIFEST.sha256"], cwd=release, check=True)
    for which in ("pass", "all"):
        vcf = release / "sites" / f"{DATASET}.{which}.vcf.gz"
        assert vcf.with_name(f"{vcf.name}.tbi").exists()
        view = ["bcftools", "view", "--no-version", "-h", vcf]
        header = subprocess.run(view, capture_output=True, text=True, check=True).stdout
        assert header.splitlines()[-1] == "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
        for tag in ("AC", "AN", "AF", "AC_Hom", "AC_EE", "AC_M", "AC_EE_M", "AC_EE_M_Hom", "AF_FI_F"):
            assert f"##INFO=<ID={tag}," in header
        assert "Command" not in header and str(run) not in header
        normal = ["bcftools", "norm", "--check-ref", "e", "-f", run / "ref.fa", "-m", "-any", "-Ou", vcf]
        said = subprocess.run(normal, capture_output=True, check=True).stderr.decode()
        changed = said.split("Lines")[1].split(":")[-1].strip().split("/")
        assert changed[1:3] == ["0", "0"], f"not normalised: {said}"
    checked = goe("check", release, "--ids", run / "samples.tsv", alone=True)
    assert checked.returncode == 0, checked.stdout
    for contig in ("chr20", "chrX", "chrY", "chrM"):
        table = pq.read_table(release / "frequencies" / f"{contig}.parquet")
        assert table.num_rows and {"pos", "stratum", "ac", "an", "af"} <= set(table.column_names)


def gvcfs(run):
    """(row of the keep list, calls of their gVCF) of everybody who counts and has one, given or made."""
    bases = pp.fasta((run / "ref.fa").read_text())
    with (run / "work/sample_qc/keep.tsv").open() as handle:
        keep = {r["sample_id"]: r for r in csv.DictReader(handle, delimiter="\t") if r["keep"] == "yes"}
    with (run / "inputs.tsv").open() as handle:
        inputs = {r["sample_id"]: r for r in csv.DictReader(handle, delimiter="\t") if r["sample_id"] in keep}
    for person, row in inputs.items():
        if row["input_type"] != "vcf":
            path = run / (row["path"] if row["input_type"] == "gvcf" else f"work/call/{person}.g.vcf.gz")
            text = gzip.decompress(path.read_bytes()).decode()
            text = re.sub(r"^(MT?|20|X|Y)(?=\t)", lambda found: f"chr{found[1].rstrip('T')}", text, flags=re.M)
            (calls,) = pp.calls_of(text, "gvcf", bases).values()
            yield keep[person], calls


def ploidies(contig, length, sex, par):
    """Of each base, which is that of the first after an end of PAR."""
    ends = {0, length, *(end for c, first, last in par if c == contig for end in (first - 1, last))}
    edges = sorted(end for end in ends if end <= length)
    return np.repeat([pp.ploidy(contig, edge + 1, sex, par) for edge in edges[:-1]], np.diff(edges))


def painted(calls, contig, ploidy):
    """bool (bases,): where somebody is callable, base by base from the rows of their gVCF (C6.3, C6.4)."""
    called, starts = np.zeros(len(ploidy), bool), {}
    for call in (c for c in calls if c.contig == contig):
        passes = np.array([False, *(call.code(n, (), pp.Settings()) != "missing" for n in (1, 2))])
        first = call.pos - 1 if call.block else call.pos
        called[first : call.end] |= passes[ploidy[first : call.end]]
        starts.setdefault(call.pos, []).append((call.block, passes[ploidy[call.pos - 1]]))
    for pos, rows in starts.items():
        if not all(block for block, _ in rows):
            called[pos - 1] = any(good for _, good in rows)
    return called


def test_callable_an_is_that_of_every_base_and_of_alleles_that_others_have(run):
    """Painted from the gVCFs; and AN of a site allele that no gVCF lists is callable AN and that of people whom a joint
    or single VCF calls there (C4.6)."""
    par = [(c, int(start) + 1, int(end)) for c, start, end in (line.split()[:3] for line in (run / "par.bed").open())]
    people = list(gvcfs(run))
    listed = {(call.contig, *allele) for _, calls in people for call in calls for allele in call.listed}
    compared = 0
    for path in sorted((run / "release/callable_an").glob("*.parquet")):
        contig, found = path.stem, callable_runs.bases(path)
        length = len(found["Total"])
        truth = {stratum: np.zeros(length, int) for stratum in found}
        ploidy = {sex: ploidies(contig, length, sex, par) for sex in "MFU"}
        for row, calls in people:
            mine = np.where(painted(calls, contig, ploidy[row["sex"]]), ploidy[row["count_sex"]], 0)
            for stratum in truth:
                if callable_runs.is_of(stratum, row["country_code"], row["count_sex"]):
                    truth[stratum] += mine
        for stratum, an in found.items():
            assert (an == truth[stratum]).all(), (contig, stratum)
        if contig != "chr20":
            continue
        totals = pq.read_table(run / f"release/frequencies/{contig}.parquet", filters=[("stratum", "==", "Total")])
        an_of = {(r["contig"], r["pos"], r["ref"], r["alt"]): r["an"] for r in totals.to_pylist()}
        for file in (run / "work/harmonised").glob(f"{contig}_*.bcf"):
            with (run / "work/sample_qc/keep.tsv").open() as handle:
                kept = {r["sample_id"] for r in csv.DictReader(handle, delimiter="\t") if r["keep"] == "yes"}
            others = kept - {row["sample_id"] for row, _ in people}
            vcf = VCF(str(file))
            columns = [i for i, name in enumerate(vcf.samples) if name in others]
            for record in vcf:
                key = (contig, record.POS, record.REF, record.ALT[0])
                if key in an_of and key not in listed:
                    theirs = sum(a >= 0 for i in columns for a in record.genotypes[i][:-1])
                    assert an_of[key] == found["Total"][record.POS - 1] + theirs, key
                    compared += 1
    assert len(people) == 10 and compared > 20, compared


def test_no_id_and_no_path_leaves(run):
    with (run / "samples.tsv").open() as handle:
        ids = [row["sample_id"] for row in csv.DictReader(handle, delimiter="\t")]
    texts = [p for p in (run / "release").rglob("*") if p.suffix in (".md", ".json", ".tsv", ".sha256")]
    assert len(texts) > 5
    for path in texts:
        text = path.read_text()
        assert str(run) not in text
        assert not [i for i in ids if len(i) > 3 and i in text], path
    for vcf in (run / "release" / "sites").glob("*.vcf.gz"):
        text = subprocess.run(["bgzip", "-dc", vcf], capture_output=True, text=True, check=True).stdout
        assert not [i for i in ids if len(i) > 3 and i in text], vcf


@pytest.mark.skipif(not off_network(), reason="no namespace without interfaces can be made here")
def test_a_run_asks_nothing_of_the_network(run):
    """It was made without an interface; each try to connect, or to look up a name, would have been counted."""
    assert asked_of_network((run / COUNTERS).read_text()) == 0


@pytest.mark.skipif(not off_network(), reason="no namespace without interfaces can be made here")
def test_who_asks_the_network_is_counted():
    ask = "import socket; socket.socket(type=socket.SOCK_DGRAM).connect(('192.0.2.1', 53))"
    words = ["unshare", "--net", "sh", "-c", f'{sys.executable} -c "{ask}"; cat /proc/net/snmp /proc/net/snmp6']
    told = subprocess.run(words, capture_output=True, text=True)
    assert "Network is unreachable" in told.stderr and asked_of_network(told.stdout) == 1


def test_personal_data_is_for_its_owner_only(run):
    for path in (run / "work", *(run / "work").rglob("*"), run / ".snakemake"):
        assert path.is_symlink() or path.stat().st_mode & 0o077 == 0, path


def test_what_snakemake_keeps_is_for_its_owner_only(tmp_path):
    """Under the umask that most machines have, with a folder that an older run may have made."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text("samples: samples.tsv\n")
    (tmp_path / ".snakemake/log").mkdir(parents=True, mode=0o755)
    before = os.umask(0o022)
    try:
        assert snakemake(tmp_path, "lint", "-n").status
    finally:
        os.umask(before)
    assert (tmp_path / ".snakemake").stat().st_mode & 0o077 == 0


def test_planted_faults_are_found_and_nobody_else_is_out(run):
    with (run / "work/sample_qc/keep.tsv").open() as handle:
        keep = {r["sample_id"]: r for r in csv.DictReader(handle, delimiter="\t")}
    with (run / "truth/people.tsv").open() as handle:
        planted = {r["sample_id"]: r["planted"] for r in csv.DictReader(handle, delimiter="\t") if r["planted"]}
    out = {s: r["reasons"] for s, r in keep.items() if r["keep"] == "no"}
    marks = {s: r["reasons"] for s, r in keep.items() if r["keep"] == "yes" and r["reasons"]}
    names = {kind.split(":")[0]: s for s, kind in planted.items()}
    pair, family = ({names[k], planted[names[k]].split(":")[1]} for k in ("duplicate_of", "child_of"))
    assert len(pair & out.keys()) == 1 and len(family & out.keys()) == 1
    assert out[names["contaminated"]].split(";")[0] == "contaminated"
    assert "low_coverage" in out[names["low_coverage"]]
    assert len(out) == 4
    assert marks == {names["wrong_sex"]: "sex_mismatch", names["aneuploid"]: "sex_aneuploid"}
    table = {s: (r["keep"], r["count_sex"], r["reasons"]) for s, r in keep.items() if r["reasons"]}
    assert table == {
        "EE010": ("no", "F", "duplicate"),
        "EE011": ("yes", "U", "sex_mismatch"),
        "EE012": ("no", "M", "contaminated"),
        "FI010": ("no", "F", "related"),
        "FI011": ("yes", "U", "sex_aneuploid"),
        "FI012": ("no", "F", "low_coverage;low_call_rate"),
    }


def test_relatives_are_those_of_the_pedigree(run):
    with (run / "truth/people.tsv").open() as handle:
        planted = [(r["sample_id"], r["planted"].partition(":")) for r in csv.DictReader(handle, delimiter="\t")]
    named = {"duplicate_of": "duplicate", "child_of": "parent_child"}
    true = {(*sorted((s, other)), named[kind]) for s, (kind, _, other) in planted if kind in named}
    with (run / "work/sample_qc/kinship.tsv").open() as handle:
        found = {(r["sample_a"], r["sample_b"], r["relation"]) for r in csv.DictReader(handle, delimiter="\t")}
    assert found == true and len(true) == 2


def test_ledgers_close(run):
    ledgers = sorted((run / "work").rglob("*ledger.json"))
    assert len(ledgers) > 50
    for path in ledgers:
        if "step" in json.loads(path.read_text()):
            total([path], path.name)


def test_nothing_to_do_a_second_time_and_in_another_place(run, tmp_path):
    assert "Nothing to be done" in snakemake(run, "--dry-run").ok().output
    moved = tmp_path / "moved"
    shutil.copytree(run, moved, symlinks=True)
    assert "Nothing to be done" in snakemake(moved, "--dry-run").ok().output


def test_a_withdrawn_person_is_recounted_and_nothing_upstream_is_repeated(run, tmp_path):
    shutil.copytree(run, tmp_path, symlinks=True, dirs_exist_ok=True)
    rows = (tmp_path / "samples.tsv").read_text().splitlines()
    gone = next(r.split("\t")[0] for r in rows if r.startswith("EE014"))
    lines = [f"{rows[0]}\twithdrawn"] + [f"{r}\t{'yes' if r.split(chr(9))[0] == gone else ''}" for r in rows[1:]]
    (tmp_path / "samples.tsv").write_text("\n".join(lines) + "\n")
    assert "clean: " in snakemake(tmp_path, "clean").ok().output
    assert not [*tmp_path.glob("work/align/*.cram*"), *tmp_path.glob("work/call/*")]
    planned = snakemake(tmp_path, "--dry-run", "--quiet", "host").ok().output
    names = {line.split()[1].rstrip(":") for line in planned.splitlines() if line.startswith(("rule ", "localrule "))}
    assert {"intake_people", "sample_qc_keep", "frequencies_count", "release_manifest"} <= names
    assert not {n for n in names if n.startswith(("align", "call", "joint", "harmonise"))}


def test_report(run):
    snakemake(run, "--report", "report.html").ok()
    text = (run / "report.html").read_text()
    assert all(word in text for word in ("Sample QC", "Keep list", "Sex chromosomes"))
    assert (run / "work/sample_qc/multiqc.html").stat().st_size > 100_000


def test_as_a_module(run, tmp_path):
    """Another workflow uses this one by `module`."""
    shutil.copytree(run, tmp_path, symlinks=True, dirs_exist_ok=True)
    (tmp_path / "Snakefile").write_text(
        'configfile: "config/config.yaml"\n\n'
        f"module goe:\n    snakefile: {str(REPO / 'Snakefile')!r}\n    config: config\n\n"
        "use rule * from goe as goe_*\n\n"
        "rule all:\n    default_target: True\n    input: rules.goe_release.input\n"
    )
    options = ["--directory", str(tmp_path), "--snakefile", str(tmp_path / "Snakefile")]
    options += ["--dry-run", "--cores", "1", "--forceall"]
    status, said = warm.snakemake(options, os.environ, 600)
    assert status == 0, said
    for rule in ("goe_harmonise_people", "goe_harmonise_split"):
        assert rule in said


def test_regions_cover_every_contig_once(run):
    spans: dict[str, list[tuple[int, int]]] = {}
    for path in (run / "work/frequencies").glob("*.parquet"):
        contig, start, end = path.stem.rsplit("_", 2)
        spans.setdefault(contig, []).append((int(start), int(end)))
    for line in (run / "ref.fa.fai").read_text().splitlines():
        contig, length = line.split("\t")[:2]
        here = sorted(spans[contig])
        assert here[0][0] == 1 and here[-1][1] == int(length)
        assert all(a[1] + 1 == b[0] for a, b in pairwise(here))


def test_demo_is_the_same_each_time(cohort, tmp_path):
    assert goe("demo", "make", tmp_path, alone=True).returncode == 0

    def digests(folder):
        files = (p for p in sorted(folder.rglob("*")) if p.is_file())
        return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}

    assert digests(tmp_path) == digests(cohort)
