"""`snakemake collect` on three countries, one of them as a sites VCF of others, and two that cannot be added up."""

import json
import shutil

import pyarrow.parquet as pq
import pytest
import yaml
from crypt4gh.keys import c4gh
from goe.collect import folder, public_sum
from helpers import three_releases
from helpers.three_releases import IDS
from helpers.workflow import goe, snakemake

pytestmark = pytest.mark.slow

ID = "GOE-EU-EXAMPLE-20260401000000000"


def test_datasets_are_collected_each_by_itself(tmp_path, tmp_path_factory):
    releases = three_releases.of(tmp_path_factory)
    run = tmp_path / "run"
    run.mkdir()
    broken = shutil.copytree(releases["FI"], tmp_path / "broken")
    (broken / "LICENSE").write_text("other")
    vcf = releases["FI"] / f"sites/{IDS['FI']}.all.vcf.gz"
    rows = [
        ("path", "expect", "counted_by"),
        (releases["EE"], "EE", ""),
        (releases["LV"], IDS["LV"], ""),
        (vcf, "FI", "pgx_pilot"),
        (broken, "FI", ""),
        (tmp_path / "nothing", "PT", ""),
    ]
    (run / "datasets.tsv").write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    about = {"id": ID, "title": "Three countries", "contact": {"fn": "A", "email": "a@example.org"}}
    (run / "collect.yaml").write_text(yaml.safe_dump({"datasets": "datasets.tsv", "collection": about}))
    # The default target of such a configuration.
    collect = ("--configfile", str(run / "collect.yaml"))
    snakemake(run, *collect).ok()

    out = run / "collection"
    said = json.loads((out / folder.ABOUT).read_text())
    counted_by = [(source["country"], source["counted_by"]) for source in said["sources"]]
    assert counted_by == [("EE", "goe"), ("LV", "goe"), ("FI", "pgx_pilot")]
    assert [one["name"] for one in said["refused"]] == ["FI (row 4)", "PT (row 5)"]
    assert str(tmp_path_factory.getbasetemp()) not in json.dumps(said)
    assert goe("check", out).returncode == 0
    assert json.loads((out / "comparison/statistics.json").read_text())["countries"]["units"]
    assert (out / "collection.html").is_file()
    for contig in said["contigs_with_alleles"]:
        parts = [rows_of(releases[c] / f"frequencies-wide/{contig}.parquet") for c in ("EE", "LV", "FI")]
        for key, row in rows_of(out / f"frequencies/{contig}.parquet").items():
            counted = [part[key] for part in parts if key in part and part[key]["filter"] in ("PASS", "AC0")]
            assert row["ac_lo"] == sum(one["ac"] for one in counted)

    # Nothing to do again; another file in place of a dataset is looked at, and the folder is made again.
    assert "Nothing to be done" in snakemake(run, *collect).ok().output
    shutil.rmtree(broken)
    shutil.copytree(releases["FI"], broken)
    sheet = run / "datasets.tsv"
    sheet.write_text(sheet.read_text().replace(str(vcf), str(tmp_path / "gone.vcf.gz")))
    snakemake(run, *collect).ok()
    said = json.loads((out / folder.ABOUT).read_text())
    assert [source["id"] for source in said["sources"]] == [IDS["EE"], IDS["LV"], IDS["FI"]]


def test_of_restricted_products_a_public_sum_is_made_beside_the_restricted_one(tmp_path):
    keys = tmp_path / "a.sec", tmp_path / "a.pub"
    c4gh.generate(*map(str, keys), None, None)
    made = three_releases.with_floors(tmp_path / "made", keys)
    run = tmp_path / "run"
    run.mkdir()
    rows = [("path", "expect", "key", "public"), *((a, c, keys[0], b) for c, (a, b) in made.items())]
    (run / "datasets.tsv").write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    about = {"id": ID, "title": "Three countries", "contact": {"fn": "A", "email": "a@example.org"}}
    agreed = {"legal_basis": "Agreement 7", "public_sum": {"min_carriers": 3}}
    said = {"datasets": "datasets.tsv", "collection": about, "restricted": agreed}
    (run / "collect.yaml").write_text(yaml.safe_dump(said))
    snakemake(run, "--configfile", str(run / "collect.yaml")).ok()
    assert public_sum.check(run / public_sum.FOLDER) == []
    told = json.loads((run / public_sum.FOLDER / public_sum.ABOUT).read_text())
    assert told["number_of_records"] > 0 and not (run / "collection").exists()
    for contig in told["contigs_with_alleles"]:
        whole = rows_of(run / f"restricted-collection/frequencies/{contig}.parquet")
        for key, row in rows_of(run / public_sum.FOLDER / f"frequencies/{contig}.parquet").items():
            sums = [row["ac"], row["ac"], row["an"], row["an"]]
            assert [whole[key][x] for x in ("ac_lo", "ac_hi", "an", "an_hi")] == sums


def rows_of(path):
    return {(row["pos"], row["ref"], row["alt"]): row for row in pq.read_table(path).to_pylist()}
