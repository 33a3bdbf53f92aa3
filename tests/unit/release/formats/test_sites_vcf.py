"""From counted alleles to the frequency table and the sites VCF."""

import gzip
import json
import subprocess

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pysam
import pytest
from goe.core.errors import GoeError
from goe.frequencies import strata as st
from goe.release.formats import sites_vcf
from goe.release.table import STATISTICS, Source, Writer, schema
from goe.rules.policy import Policy

PEOPLE = {"EE_F": 40, "EE_M": 40, "EE_U": 10, "LV_F": 40, "LV_M": 40}
OPEN = Policy(1, legal_basis="a decision")
BASES = "ACGT"


def write(path, alleles, people=PEOPLE, filters=(), **statistics):
    """A file of counted alleles, each (pos, ref, alt, {leaf: (dip, hap, het, hom, hemi)})."""
    columns = {
        "contig": ["chr1"] * len(alleles),
        "pos": pa.array([a[0] for a in alleles], pa.int32()),
        "ref": pa.array([a[1] for a in alleles], pa.string()),
        "alt": pa.array([a[2] for a in alleles], pa.string()),
        "filter": pa.array(list(filters) or [[]] * len(alleles), pa.list_(pa.string())),
    }
    columns["contig"] = pa.array(columns["contig"], pa.string())
    for leaf in people:
        for i, call in enumerate(st.CALLS):
            values = [a[3].get(leaf, (0,) * 5)[i] for a in alleles]
            columns[f"{call}_{leaf}"] = pa.array(values, pa.int32())
    for name in STATISTICS:
        columns[name] = pa.array(statistics.get(name, [None] * len(alleles)), pa.float64())
    about = {"goe": json.dumps({"leaves": list(people), "people": people, "class_expected": {}})}
    pq.write_table(pa.table(columns).replace_schema_metadata(about), path)
    return path


def random_alleles(n, start=1, seed=0):
    rng = np.random.default_rng(seed)
    out = []
    for i in range(n):
        ref = BASES[i % 4]
        cells = {}
        for leaf, size in PEOPLE.items():
            dip = size - int(rng.integers(0, 3))
            hom = int(rng.integers(0, dip // 4))
            cells[leaf] = (dip, 0, int(rng.integers(0, dip - hom + 1)), hom, 0)
        out.append((start + 3 * i, ref, BASES[(i + 1) % 4], cells))
    return out


@pytest.fixture
def fields(repo):
    return sites_vcf.read_fields(repo / "resources/dictionary/fields.tsv")


def make(folder, fields, tables, policy=OPEN, block=1000, threads=1):
    """Write table and both VCFs of one contig as the workflow does; returns the Source after it was read."""
    folder.mkdir(exist_ok=True)
    source = Source(tables, "chr1", 100_000, policy, block=block)
    info = sites_vcf.tags(fields, source.plan.strata)
    wanted = schema(
        fields,
        {"dataset": "GOE-EE-X-1", "build": "GRCh38"},
        {s: source.plan.people[s] for s in source.plan.strata},
        "chr1",
    )
    with (
        Writer(folder / "chr1.parquet", wanted) as table,
        sites_vcf.Body(folder / "all.body", threads) as every,
        sites_vcf.Body(folder / "pass.body", threads) as passed,
    ):
        for part in source:
            text = sites_vcf.lines(part, info)
            table.write(part)
            every.write(text)
            passed.write(text.filter(pc.equal(part.filter, "PASS")))
    contigs = [{"name": "chr1", "length": 100_000, "md5": "0" * 32}, {"name": "chr2", "length": 50}]
    for which, names in (("all", sorted(source.tally.filters)), ("pass", ["PASS"])):
        head = sites_vcf.header("GRCh38", contigs, names, {"HWE": 'the "test"'}, info)
        sites_vcf.join(head, [folder / f"{which}.body"], folder / f"{which}.vcf.gz")
    return source


def test_tag_names_have_the_zygosity_last():
    assert sites_vcf.tag_name("AC_Hom", "EE_M") == "AC_EE_M_Hom"
    assert sites_vcf.tag_name("AC_Hom", "M") == "AC_M_Hom"
    assert sites_vcf.tag_name("AN", "EE") == "AN_EE"
    assert sites_vcf.tag_name("AC_Hom", "Total") == "AC_Hom"


def test_tags_have_an_as_one_number_and_the_rest_per_allele(fields):
    tags = sites_vcf.tags(fields, ["Total", "M", "EE_M"])
    assert [t.id for t in tags][:12] == (
        ["AC", "AN", "AF", "AC_Hom", "AC_Het", "AC_Hemi", "AC_M", "AN_M", "AF_M", "AC_M_Hom", "AC_M_Het", "AC_M_Hemi"]
    )
    assert {t.number for t in tags if t.id.startswith("AN")} == {"1"}
    assert {t.number for t in tags if t.id.startswith(("AC", "AF"))} == {"A"}
    others = {t.id for t in tags if not t.stratum}
    assert others == {"nhomalt", "faf95", "faf99", "HWE", "InbreedingCoeff", "F_MISSING"}
    bad = [{**f, "vcf": "AC_raw"} if f["field"] == "faf95" else f for f in fields]
    with pytest.raises(GoeError, match="AC_raw"):
        sites_vcf.tags(bad, ["Total"])


def test_numbers_in_table_and_vcf(tmp_path, fields):
    cells = {"EE_F": (40, 0, 3, 2, 0), "EE_M": (0, 39, 0, 0, 7), "LV_F": (1, 0, 0, 1, 0)}
    table = write(
        tmp_path / "r.parquet",
        [(5, "A", "C", cells), (5, "A", "G", {}), (9, "AT", "A", {"EE_U": (10, 0, 10, 0, 0)})],
        filters=[[], ["AC0"], ["HWE", "q10", "HWE"]],
        call_rate=[0.9, None, 1.0],
        hwe_p=[0.25, None, 1e-9],
        faf95=[0.0123, None, 0.1],
    )
    source = make(tmp_path / "out", fields, [table])
    rows = pq.read_table(tmp_path / "out/chr1.parquet").to_pylist()
    assert len(rows) == 3 * 9
    assert [r["stratum"] for r in rows[:9]] == st.order(PEOPLE)
    first = {r["stratum"]: r for r in rows[:9]}
    assert (first["Total"]["ac"], first["Total"]["an"]) == (3 + 4 + 7 + 2, 80 + 39 + 2)
    assert first["Total"]["af"] == 16 / 121
    assert (first["F"]["ac_hom"], first["F"]["ac_het"], first["F"]["nhomalt"]) == (6, 3, 3)
    assert (first["EE_M"]["ac_hemi"], first["EE_M"]["an"]) == (7, 39)
    assert first["LV_M"]["af"] is None and first["LV_M"]["an"] == 0
    assert rows[-9]["filter"] == "HWE;q10" and rows[0]["filter"] == "PASS"

    with pysam.VariantFile(str(tmp_path / "out/all.vcf.gz")) as vcf:
        assert list(vcf.header.samples) == []
        assert vcf.header.contigs["chr1"].length == 100_000
        records = list(vcf)
        assert [r.filter.keys() for r in records] == [["PASS"], ["AC0"], ["HWE", "q10"]]
        info = records[0].info
        assert info["AC"] == (16,) and info["AN"] == 121 and info["AC_EE_M_Hemi"] == (7,)
        assert info["nhomalt"] == (3,) and "AF_LV_M" not in info
        assert "AF" not in records[1].info and records[1].info["AN"] == 0
        assert [r.pos for r in vcf.fetch("chr1", 8, 9)] == [9]
    lines = gzip.decompress((tmp_path / "out/all.vcf.gz").read_bytes()).decode().splitlines()
    line = next(x for x in lines if x.startswith("chr1\t5\t.\tA\tC"))
    text = dict(entry.split("=") for entry in line.split("\t")[7].split(";"))
    assert float(text["AF"]) == 16 / 121
    assert text["F_MISSING"] == "0.1" and text["HWE"] == "0.25" and text["faf95"] == "0.0123"
    assert '##FILTER=<ID=HWE,Description="the \\"test\\"">' in lines
    assert any(x.endswith("assembly=GRCh38>") for x in lines if x.startswith("##contig"))
    with pysam.VariantFile(str(tmp_path / "out/pass.vcf.gz")) as vcf:
        assert [r.pos for r in vcf] == [5]
    assert source.tally.as_dict()["classes"]["deletion"] == {"PASS": 0, "filtered": 1}


def test_bcftools_reads_it_without_a_word(tmp_path, fields):
    make(tmp_path / "out", fields, [write(tmp_path / "r.parquet", random_alleles(50))])
    for which in ("all", "pass"):
        command = ["bcftools", "view", "-H", str(tmp_path / "out" / f"{which}.vcf.gz")]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        assert run.stderr == ""
        assert len(run.stdout.splitlines()) == 50


def test_af_reads_back_as_the_quotient(tmp_path, fields):
    make(tmp_path / "out", fields, [write(tmp_path / "r.parquet", random_alleles(300))])
    with gzip.open(tmp_path / "out/all.vcf.gz", "rt") as handle:
        for line in handle:
            if not line.startswith("#"):
                text = dict(entry.split("=") for entry in line.split("\t")[7].strip().split(";"))
                for stratum in ("", "_M", "_EE_F"):
                    af = float(text[f"AF{stratum}"])
                    assert af == int(text[f"AC{stratum}"]) / int(text[f"AN{stratum}"])


def test_regions_threads_and_reading_do_not_change_a_byte(tmp_path, fields):
    alleles = random_alleles(300)
    whole = [write(tmp_path / "whole.parquet", alleles)]
    cut = [write(tmp_path / f"{i}.parquet", alleles[i : i + 97]) for i in range(0, 300, 97)]
    cut.insert(2, write(tmp_path / "empty.parquet", []))
    for policy in (OPEN, Policy(5)):
        make(tmp_path / "a", fields, whole, policy, block=64)
        make(tmp_path / "b", fields, cut, policy, block=64, threads=2)
        for path in (tmp_path / "a").iterdir():
            assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_suppressed_strata_are_absent_everywhere(tmp_path, fields):
    fine = {leaf: (size, 0, 0, 0, 0) for leaf, size in PEOPLE.items()}
    alleles = [
        (1, "A", "C", fine | {"EE_F": (40, 0, 6, 0, 0)}),
        (2, "A", "C", fine | {"EE_F": (40, 0, 4, 0, 0), "LV_M": (40, 0, 12, 0, 0)}),
        (3, "A", "C", fine | {"EE_F": (40, 0, 4, 0, 0)}),
    ]
    table = write(tmp_path / "r.parquet", alleles, hwe_p=[0.5] * 3, inbreeding_coeff=[0.1] * 3, faf95=[0.1] * 3)
    source = make(tmp_path / "out", fields, [table], Policy(5))
    rows = pq.read_table(tmp_path / "out/chr1.parquet").to_pylist()
    assert [(r["pos"], r["stratum"]) for r in rows] == [
        *((1, s) for s in st.order(PEOPLE)),
        (2, "Total"),
    ]
    with pysam.VariantFile(str(tmp_path / "out/all.vcf.gz")) as vcf:
        first, second = list(vcf)
    assert "HWE" in first.info and "AC_EE_F" in first.info
    # What stays is Total and what follows from it.
    assert list(second.info) == ["AC", "AN", "AF", "AC_Hom", "AC_Het", "AC_Hemi", "nhomalt", "faf95"]
    tally = source.tally.as_dict()
    assert tally["outcome"] == {"FULL": 1, "REDUCED": 1, "WITHHELD": 1}
    assert {r: n for r, n in tally["reasons"].items() if n} == {"carriers or non-carriers of Total are too few": 1}
    assert tally["cells"] == {s: int(s != "Total") for s in source.plan.strata}


def test_broken_counts_stop_and_are_all_named(tmp_path):
    ok = {"EE_F": (40, 0, 1, 1, 0)}
    alleles = [
        (5, "A", "C", ok),
        (5, "A", "C", ok),
        (4, "A", "C", ok),
        (6, "N", "C", ok),
        (7, "A", "A", ok),
        (8, "A", "C", {"EE_F": (10, 0, 9, 2, 0)}),
        (9, "A", "C", {"EE_F": (41, 0, 0, 0, 0)}),
        (10, "A", "C", {"EE_M": (0, 3, 0, 0, 4)}),
        (11, "A", "C", {"EE_M": (5, 0, -1, 0, 0)}),
        (100_001, "A", "C", ok),
    ]
    table = write(tmp_path / "r.parquet", alleles)
    with pytest.raises(GoeError) as error:
        list(Source([table], "chr1", 100_000, OPEN))
    text = str(error.value)
    for place, what in (
        ("chr1:5:A:C", "there twice"),
        ("chr1:4:A:C", "out of order"),
        ("chr1:6:N:C", "letters other"),
        ("chr1:7:A:A", "no change"),
        ("chr1:8:A:C", "more diploid carriers"),
        ("chr1:9:A:C", "more calls than people"),
        ("chr1:10:A:C", "more haploid carriers"),
        ("chr1:11:A:C", "below 0"),
        ("chr1:100001:A:C", "not within"),
    ):
        assert any(place in line and what in line for line in text.splitlines()), (place, what)


def test_order_is_checked_across_files(tmp_path):
    ok = {"EE_F": (40, 0, 1, 1, 0)}
    one = write(tmp_path / "1.parquet", [(5, "A", "C", ok)])
    two = write(tmp_path / "2.parquet", [(5, "A", "C", ok), (6, "A", "G", ok)])
    with pytest.raises(GoeError, match="chr1:5:A:C is out of order or there twice"):
        list(Source([one, two], "chr1", 100_000, OPEN))
    other = write(tmp_path / "3.parquet", [(9, "A", "C", ok)], people={**PEOPLE, "EE_F": 39})
    with pytest.raises(GoeError, match="keep list changed"):
        Source([one, other], "chr1", 100_000, OPEN)


def test_filter_names_that_break_a_vcf_are_refused(tmp_path):
    table = write(tmp_path / "r.parquet", [(5, "A", "C", {})], filters=[["low quality"]])
    with pytest.raises(GoeError, match="'low quality' cannot stand in a VCF"):
        list(Source([table], "chr1", 100_000, OPEN))


def test_no_alleles_give_whole_empty_files(tmp_path, fields):
    make(tmp_path / "out", fields, [write(tmp_path / "r.parquet", [])])
    table = pq.read_table(tmp_path / "out/chr1.parquet")
    assert table.num_rows == 0 and table.column_names[:2] == ["contig", "pos"]
    with pysam.VariantFile(str(tmp_path / "out/all.vcf.gz")) as vcf:
        assert list(vcf) == []


def test_join_refuses_a_cut_body(tmp_path, fields):
    make(tmp_path / "out", fields, [write(tmp_path / "r.parquet", random_alleles(20))])
    body = tmp_path / "out/all.body"
    body.write_bytes(body.read_bytes()[:-5])
    with pytest.raises(GoeError, match="cut off"):
        sites_vcf.join("##fileformat=VCFv4.3\n", [body], tmp_path / "x.vcf.gz")


def test_table_of_parquet_carries_its_meaning(tmp_path, fields):
    make(tmp_path / "out", fields, [write(tmp_path / "r.parquet", random_alleles(5))])
    about = json.loads(pq.read_schema(tmp_path / "out/chr1.parquet").metadata[b"goe"])
    assert about["strata"][0] == {"stratum": "Total", "people": sum(PEOPLE.values())}
    assert about["columns"]["nhomalt"]["unit"] == "people" and about["columns"]["ac_hom"]["unit"] == "alleles"
