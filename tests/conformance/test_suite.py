"""The shared conformance suite through the whole workflow: every number, every input that has to stop."""

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from goe.core.ledger import total
from helpers.workflow import snakemake, write_config

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def suite(shared) -> Path:
    return shared / "conformance"


def prepare(folder: Path, suite: Path, vcf: Path, sheet: Path, **sections) -> None:
    """A run folder with the suite's reference, one joint VCF (packed and indexed when it is plain) and a sheet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("reference.fa", "reference.fa.fai", "par.bed"):
        shutil.copy(suite / name, folder / name)
    shutil.copy(sheet, folder / "samples.tsv")
    target = folder / (vcf.name if vcf.suffix == ".gz" else f"{vcf.name}.gz")
    if vcf.suffix == ".gz":
        shutil.copy(vcf, target)
    else:
        with target.open("wb") as out:
            subprocess.run(["bgzip", "-c", vcf], stdout=out, check=True)
    # An unsorted or damaged file cannot be indexed: its own fault has to be named, not the index's absence alone.
    subprocess.run(["bcftools", "index", "--tbi", target], stderr=subprocess.DEVNULL, check=False)
    with (folder / "inputs.tsv").open("w") as out:
        out.write(f"sample_id\tinput_type\tpath\n\tjoint_vcf\t{target.name}\n")
    reference = {"fasta": "reference.fa", "build": "toy", "par": "par.bed"}
    write_config(folder, reference=reference, **sections)


def compare(suite: Path, expected: str | Path, candidate: Path, *options: str) -> str:
    command = [sys.executable, suite / "compare.py", suite / expected, candidate, "--quiet", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    return done.stdout


@pytest.fixture(scope="session", params=[100_000, 1000])
def run(request, suite, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp(f"conformance_{request.param}")
    scatter = {"region_size": request.param}
    prepare(folder, suite, suite / "sites.vcf", suite / "samples.tsv", scatter=scatter)
    snakemake(folder, "release/MANIFEST.sha256").ok()
    return folder


MEASURES = "AC,AN,AC_Hom,AC_Het,AC_Hemi"
# The small cohorts have strata without people, which the release leaves out.
EMPTY = ("--skip-absent",)


def table_of(release: Path, target: Path) -> Path:
    """The release's Parquet tables, all contigs, as the wide TSV that compare.py reads."""
    parts = [pq.read_table(path).to_pandas() for path in sorted((release / "frequencies").glob("*.parquet"))]
    names = {"ac": "AC", "an": "AN", "ac_hom": "AC_Hom", "ac_het": "AC_Het", "ac_hemi": "AC_Hemi"}
    rows: dict[tuple, dict] = {}
    for row in pd.concat(parts).to_dict("records"):
        stratum = "" if row["stratum"] == "Total" else f"_{row['stratum']}"
        numbers = rows.setdefault((row["contig"], row["pos"], row["ref"], row["alt"]), {})
        for column, name in names.items():
            head, _, zygosity = name.partition("_")
            numbers[f"{head}{stratum}" + (f"_{zygosity}" if zygosity else "")] = row[column]
        numbers[f"nhomalt{stratum}"] = row["nhomalt"]
    columns = list(next(iter(rows.values())))
    lines = ["\t".join(["contig", "pos", "ref", "alt", *columns])]
    lines += ["\t".join(map(str, [*key, *(n[c] for c in columns)])) for key, n in rows.items()]
    target.write_text("\n".join(lines) + "\n")
    return target


def test_every_number_of_the_release(run, suite):
    [sites] = (run / "release" / "sites").glob("*.all.vcf.gz")
    told = compare(suite, "expected.tsv", sites, "--check-filter", "--measures", MEASURES)
    assert "112 of 112 cases right" in told
    assert "112 of 112" in compare(suite, "expected.tsv", table_of(run / "release", run / "table.tsv"))
    [passed] = (run / "release" / "sites").glob("*.pass.vcf.gz")
    # Site rules other than AC0 (call rate among 12 people, the input's LowQual) keep further alleles out.
    with subprocess.Popen(["bcftools", "view", "-H", passed], stdout=subprocess.PIPE, text=True) as view:
        assert all(line.split("\t")[6] == "PASS" for line in view.stdout)


def test_ledger(run, suite):
    with (suite / "ledger.tsv").open() as handle:
        expected = {row["what"]: int(row["n"]) for row in csv.DictReader(handle, delimiter="\t")}
    ledger = total([run / "work/harmonise/ledger.json"], "harmonise")
    alts = ledger.dropped["alts"]
    assert ledger.taken["records"] == expected["records_in"]
    assert ledger.given["records"] == expected["records_with_site_allele"]
    assert (ledger.taken["alts"], ledger.given["alts"]) == (
        expected["alts_in"],
        expected["alts_with_site_allele"],
    )
    assert ledger.given["site_alleles"] == expected["site_alleles_out"]
    assert ledger.dropped["site_alleles"]["same_within_record"] == expected["same_site_allele_within_record"]
    assert ledger.dropped["site_alleles"]["merged_into_another_record"] == expected["merged_away"]
    assert ledger.dropped["records"]["no_alt"] == expected["dropped_no_alt"]
    for reason in ("star", "symbolic", "non_ref", "breakend", "non_acgt_alt", "non_acgt_ref"):
        assert alts[reason] == expected[f"dropped_{reason}"]


def errors():
    """The suite's table of inputs, when it is there at collection time."""
    table = Path(__file__).resolve().parents[3] / "shared" / "conformance" / "errors" / "errors.tsv"
    if not table.exists():
        return []
    with table.open() as handle:
        return [
            pytest.param(row, id=f"{row['vcf']}+{row['samples']}") for row in csv.DictReader(handle, delimiter="\t")
        ]


@pytest.mark.parametrize("row", errors())
def test_inputs_that_have_to_stop(row, suite, tmp_path):
    folder = suite / "errors"
    prepare(tmp_path, suite, folder / row["vcf"], folder / row["samples"])
    done = snakemake(tmp_path, "release/MANIFEST.sha256")
    if row["outcome"] == "run":
        done.ok()
        name = f"{row['vcf'].split('.')[0]}.expected.tsv"
        if (folder / name).exists():
            [sites] = (tmp_path / "release" / "sites").glob("*.all.vcf.gz")
            compare(suite, folder / name, sites, "--measures", MEASURES, *EMPTY)
        return
    assert done.status != 0
    assert not (tmp_path / "release" / "MANIFEST.sha256").exists()
    assert not list(tmp_path.glob("release/sites/*"))
    for text in row["message_names"].split("|"):
        assert text in done.output, f"{text!r} is not in:\n{done.output[-4000:]}"


@pytest.mark.parametrize("name", ["gt_only", "ad_not_declared"])
def test_absent_fields_kept_on_request(name, suite, tmp_path):
    folder = suite / "errors"
    rule = {"on_absent_fields": "keep"}
    prepare(tmp_path, suite, folder / f"{name}.vcf", folder / "samples.tsv", genotype_filter=rule)
    snakemake(tmp_path, "release/MANIFEST.sha256").ok()
    [sites] = (tmp_path / "release" / "sites").glob("*.all.vcf.gz")
    compare(suite, folder / f"{name}.keep.expected.tsv", sites, "--measures", MEASURES, *EMPTY)
    readme = (tmp_path / "release" / "README.md").read_text()
    assert "AD" in readme
