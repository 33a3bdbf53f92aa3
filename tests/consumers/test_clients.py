"""Clients that the environment of the tests has load a whole release, and show its numbers: the same as the text of the
sites VCF in every stratum, and nothing where it has nothing."""

import gzip
import json
import shutil
import subprocess

import cyvcf2
import pandas as pd
import pyarrow.dataset as ds
import pysam
import pytest
from helpers import mini_node_reader
from helpers.release_cells import NUMBERS, Cells

KEY = ["contig", "pos", "ref", "alt"]


def long_rows(rows, cells):
    """Rows of the long table as `Cells.of`."""
    found = {}
    for row in rows:
        key = tuple(row[name] for name in KEY)
        if key in cells.of:
            assert row["stratum"] not in found.setdefault(key, {}), (key, row["stratum"])
            found[key][row["stratum"]] = {name: int(row[name]) for name in NUMBERS}
    return found


def wide_rows(rows, cells):
    """Rows of the wide table as `Cells.of`."""
    found = {}
    for row in rows:
        key = tuple(row[name] for name in KEY)
        if key in cells.of:
            found[key] = {}
            for stratum in cells.strata:
                end = "" if stratum == "Total" else f"_{stratum}"
                if row[f"an{end}"] is not None:
                    found[key][stratum] = {name: int(row[f"{name}{end}"]) for name in NUMBERS}
    return found


def test_there_are_cells_to_compare(cells):
    """All of them together have every stratum, withheld cells under the floor and none in the open release."""
    assert len(cells.of) == 200 and {key[0] for key in cells.of} >= {"chr20", "chrX"}
    assert {stratum for of in cells.of.values() for stratum in of} == set(cells.strata)


def test_pandas_reads_the_folder(folder, cells):
    rows = pd.read_parquet(folder / "frequencies").to_dict("records")
    assert long_rows(rows, cells) == cells.of


def test_polars_reads_the_folder(folder, cells):
    pl = pytest.importorskip("polars")
    assert long_rows(pl.read_parquet(folder / "frequencies/*.parquet").to_dicts(), cells) == cells.of
    assert wide_rows(pl.read_parquet(folder / "frequencies-wide/*.parquet").to_dicts(), cells) == cells.of


def test_pyarrow_reads_the_folders(folder, cells):
    assert long_rows(ds.dataset(folder / "frequencies").to_table().to_pylist(), cells) == cells.of
    assert wide_rows(ds.dataset(folder / "frequencies-wide").to_table().to_pylist(), cells) == cells.of


def tag(metric, stratum):
    base, _, zygosity = metric.partition("_")
    return "_".join(filter(None, (base, "" if stratum == "Total" else stratum, zygosity)))


METRICS = dict(zip(("AC", "AN", "AC_Hom", "AC_Het", "AC_Hemi"), NUMBERS, strict=True))


def from_info(get, strata, names=tag, metrics=METRICS):
    """Numbers by stratum from a record's INFO. get: id -> value or None."""
    found = {}
    for stratum in strata:
        values = {number: get(names(metric, stratum)) for metric, number in metrics.items()}
        if values["an"] is not None:
            found[stratum] = {
                number: value[0] if isinstance(value, tuple) else value for number, value in values.items()
            }
    return found


@pytest.mark.parametrize("which", ["all", "pass"])
def test_cyvcf2_reads_the_sites_vcf(folder, cells, which):
    (path,) = (folder / "sites").glob(f"*.{which}.vcf.gz")
    wanted = cells if which == "all" else cells.passed()
    for (contig, pos, ref, alt), there in wanted.of.items():
        (record,) = [
            v for v in cyvcf2.VCF(str(path))(f"{contig}:{pos}-{pos}") if (pos, ref, [alt]) == (v.POS, v.REF, v.ALT)
        ]
        assert from_info(record.INFO.get, cells.strata) == there


def test_pysam_reads_the_companion_for_annotation(folder, cells):
    """Under the names of gnomAD, in which women have nothing on Y."""
    (path,) = (folder / "annotations").glob("*.vcf.gz")

    def gnomad(metric, stratum):
        country, _, sex = stratum.rpartition("_") if stratum[-2:] in ("_M", "_F") else (stratum, "", "")
        country, sex = ("", stratum) if stratum in ("M", "F") else (country, sex)
        group = "" if country in ("", "Total") else f"_{country.lower()}"
        return metric + group + {"M": "_XY", "F": "_XX", "": ""}[sex]

    with pysam.VariantFile(str(path)) as vcf:
        for (contig, pos, ref, alt), there in cells.of.items():
            (record,) = [r for r in vcf.fetch(contig, pos - 1, pos) if (r.pos, r.ref, r.alts) == (pos, ref, (alt,))]
            found = from_info(record.info.get, cells.strata, gnomad, {"AC": "ac", "AN": "an", "nhomalt": "people"})
            women = contig == "chrY"
            assert found == {
                stratum: {"ac": n["ac"], "an": n["an"], "people": n["ac_hom"] // 2}
                for stratum, n in there.items()
                if not (women and stratum.split("_")[-1] == "F")
            }


def test_gdi_mini_node_loads_each_stratum(folder, cells):
    """Its reader is no package: this is the transcription of tests/helpers/mini_node_reader.py."""
    passed = cells.passed()
    for stratum in cells.strata:
        (path,) = (folder / "mini-node").glob(f"*.{stratum}.vcf.gz")
        found = {}
        for contig, pos, ref, alt, label, values in mini_node_reader.rows(path, stratum)[1]:
            assert label == stratum
            key = (contig, pos + 1, ref, alt)
            if key in passed.of:
                found[key] = {name: values[metric] for metric, name in METRICS.items()}
                assert values["AF"] == pytest.approx(values["AC"] / values["AN"], rel=1e-6)
        assert found == {key: of[stratum] for key, of in passed.of.items() if of.get(stratum, {"an": 0})["an"]}


def test_a_beacon_reads_the_lines(folder, cells):
    passed = cells.passed()
    names = {"alleleCount": "ac", "alleleNumber": "an", "alleleCountHomozygous": "ac_hom"}
    names |= {"alleleCountHeterozygous": "ac_het", "alleleCountHemizygous": "ac_hemi"}
    for contig in {key[0] for key in passed.of}:
        lines = gzip.decompress((folder / f"beacon/genomicVariations.{contig}.jsonl.gz").read_bytes()).splitlines()
        # By the ends of REF: letters that REF and ALT share stay in both.
        found = {}
        for line in map(json.loads, lines):
            variation = line["variation"]
            (source,) = line["frequencyInPopulations"]
            key = (
                variation["location"]["interval"]["start"]["value"] + 1,
                variation["referenceBases"],
                variation["alternateBases"],
            )
            found[(contig, *key)] = {
                one["population"]: {number: one[name] for name, number in names.items()}
                for one in source["frequencies"]
            }
        for key, of in passed.of.items():
            if key[0] == contig and (there := {s: n for s, n in of.items() if n["an"]}):
                assert found[key] == there


def test_vcftools_reads_the_sites_vcf_with_the_first_line_of_an_older_version(folder, tmp_path):
    if not shutil.which("vcftools"):
        pytest.skip("vcftools is not on PATH")
    (path,) = (folder / "sites").glob("*.pass.vcf.gz")
    command = ["vcftools", "--gzvcf", str(path), "--stdout", "--recode", "--recode-INFO-all"]
    assert "VCF version must be v4.0, v4.1 or v4.2" in subprocess.run(command, capture_output=True, text=True).stderr
    plain = tmp_path / "older.vcf"
    plain.write_text(gzip.decompress(path.read_bytes()).decode().replace("VCFv4.3", "VCFv4.2", 1))
    command[1:3] = ["--vcf", str(plain)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"kept {len(Cells.read(folder, 'pass').of)} out of" in done.stderr
