"""Three countries: each has its own people and no others; a comparison that sees faults."""

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from goe.collect import folder, sheet
from goe.demo import countries
from goe.demo.compare import Report, Truth
from goe.settings import config

STRATA = ["Total", "M", "F", *(f"{c}{s}" for c in countries.COUNTRIES for s in ("", "_M", "_F"))]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    root = tmp_path_factory.mktemp("countries")
    countries.build(root, 7)
    return root


@pytest.fixture(scope="module")
def whole(demo):
    return countries.Whole(Truth.read(demo / "truth"))


def test_each_country_has_its_own_people_and_a_configuration_of_its_own(demo, monkeypatch):
    seen = set()
    for country in countries.COUNTRIES:
        text = (demo / country / "samples.tsv").read_text().splitlines()
        mine = {line.split("\t")[0] for line in text[1:]}
        assert len(mine) == countries.PEOPLE and not mine & seen
        seen |= mine
        files = {p.name for p in (demo / country / "data").glob("*.g.vcf.gz")}
        assert files == {f"{name}.g.vcf.gz" for name in mine}
        monkeypatch.chdir(demo / country)
        assert config.file_problems("config/config.yaml") == []
        cfg = config.load(yaml.safe_load(Path("config/config.yaml").read_text()))
        assert cfg.dataset.id == countries.ID.format(country)
        assert cfg.disclosure.open == (country != "FI")
    assert len(Truth.read(demo / "truth").people) == len(seen)


def test_sheets_and_configurations_of_the_collections_are_good(demo, monkeypatch):
    for name in (countries.PUBLIC, countries.RESTRICTED):
        monkeypatch.chdir(demo / name)
        settings = sheet.read_settings("collect.yaml")
        entries = sheet.read(settings.datasets)
        assert [e.expect for e in entries] == list(countries.COUNTRIES)
        assert settings.open == (name == countries.PUBLIC)
        assert settings.compare["block_size"] == countries.BLOCK
        assert [e.counted_by for e in entries if e.kind == sheet.VCF] == [countries.BY] * (name == countries.PUBLIC)


def test_a_foreign_vcf_has_what_others_give(tmp_path):
    release = tmp_path / "release"
    (release / "sites").mkdir(parents=True)
    head = ["##fileformat=VCFv4.2", '##FILTER=<ID=PASS,Description="p">', '##FILTER=<ID=HWE,Description="h">']
    head += [
        "##goe=1",
        "##reference=demo",
        "##contig=<ID=chr20,length=100>",
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
    ]
    rows = [
        "chr20\t5\t.\tA\tC\t.\tHWE\tAC=2;AN=20;AF=0.1;AC_M=1;AC_LV=2;AN_LV=20",
        "chr20\t6\t.\tA\tC\t.\tPASS\tAC=0;AN=20;AF=0",
    ]
    with gzip.open(release / "sites/x.all.vcf.gz", "wt") as out:
        out.write("\n".join([*head, *rows]) + "\n")
    target = tmp_path / "foreign.vcf.gz"
    assert countries.foreign(release, target) == 1
    text = gzip.decompress(target.read_bytes()).decode()
    assert text.splitlines()[-1] == "chr20\t5\t.\tA\tC\t.\tHWE\tAC=2;AN=20;AF=0.1;AC_LV=2;AN_LV=20"
    assert (
        "##goe" not in text and "##reference=demo" in text and "##FILTER=<ID=HWE" in text and text.count("ID=PASS") == 1
    )


def collection(root, whole, status, change=None):
    """A collection of the cohort's truth, as far as the comparison reads it."""
    numbers = {c: set(w) & set("PAB") for c, w in zip(countries.COUNTRIES, status, strict=True)}
    counted = {c for c, words in numbers.items() if words}
    every = whole.members("Total", set(countries.COUNTRIES))
    rows = []
    for key in whole.truth.expected:
        if key[0] not in countries.CONTIGS or not whole.numbers(key, every)[0]:
            continue
        row = dict(zip(("contig", "pos", "ref", "alt"), key, strict=True)) | {"status": status, "an_floor": 0}
        for s in STRATA:
            end = "" if s == "Total" else f"_{s}"
            ac, an, hom = whole.numbers(key, whole.members(s, counted))
            ends = {"ac_lo": ac, "ac_hi": ac, "an": an, "an_hi": an, "nhomalt_lo": hom, "nhomalt_hi": hom}
            row |= {f"{name}{end}": value for name, value in ends.items()} | {f"n_not_counted{end}": 0}
        rows.append(row)
    rows.sort(key=lambda r: (r["contig"], r["pos"]))
    if change:
        change(rows)
    (root / "metadata").mkdir(parents=True, exist_ok=True)
    (root / "frequencies").mkdir(exist_ok=True)
    for contig in countries.CONTIGS:
        mine = [row for row in rows if row["contig"] == contig]
        pq.write_table(pa.Table.from_pylist(mine), root / f"frequencies/{contig}.parquet")
    sources = [{"country": c} for c in countries.COUNTRIES]
    about = {"sources": sources, "refused": [], "contigs_with_alleles": list(countries.CONTIGS)}
    (root / folder.ABOUT).write_text(json.dumps(about | {"strata": dict.fromkeys(STRATA, 1)}))


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (None, 0),
        (lambda rows: rows[3].update(ac_lo=rows[3]["ac_lo"] + 1), 1),
        (lambda rows: rows[3].update(an_hi_EE_M=rows[3]["an_hi_EE_M"] - 2), 1),
        (lambda rows: rows.pop(0), 1),
        (lambda rows: rows[0].update(alt="ACGTACGT"), 2),
    ],
)
def test_a_restricted_sum_has_to_be_the_cohort(whole, tmp_path, change, wrong):
    collection(tmp_path, whole, "PPA", change)
    report = Report()
    countries._exact(tmp_path, whole, report)
    assert report.wrong == wrong, report.lines


@pytest.mark.parametrize(("status", "low", "wrong"), [("PUB", 0, 0), ("PUB", 5, 1)])
def test_bounds_have_to_hold_the_cohort_that_is_counted(whole, tmp_path, status, low, wrong):
    def change(rows):
        rows[0].update(ac_lo=max(0, rows[0]["ac_lo"] - 1) + low, ac_hi=rows[0]["ac_hi"] + 4 + low)

    collection(tmp_path, whole, status, change)
    report = Report()
    countries._bounded(tmp_path, whole, report)
    assert report.wrong == wrong, report.lines


def test_members_are_those_of_the_stratum_who_are_counted(whole):
    half = countries.PEOPLE // 2
    assert np.count_nonzero(whole.members("EE_M", {"EE", "FI"})) == half
    assert np.count_nonzero(whole.members("EE", {"FI"})) == 0
    assert np.count_nonzero(whole.members("F", {"EE", "FI"})) == 2 * half
