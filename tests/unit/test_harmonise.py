"""Harmonising across region borders, merging, and the input faults that stop it."""

from typing import ClassVar

import numpy as np
import pysam
import pytest
from goe.core.errors import GoeError
from goe.genome.build import Build, Region
from goe.harmonise.genotypes import Filter
from goe.harmonise.records import People, Splitter
from goe.hts.bcf import Record
from goe.variant_qc.filters import annotate
from helpers.counting import count_vcf

CONTIG = "GATTACAAAAAAAAAACGTCACACACAGTTGCATGCCGATCGATTTACGGCATCCTAGGA"
SHEET = {"f": ("F", "EE"), "m": ("M", "EE"), "u": ("U", "FI"), "g": ("F", "FI")}
HEADER = """##fileformat=VCFv4.3
##FILTER=<ID=LowQ,Description="x">
##FORMAT=<ID=GT,Number=1,Type=String,Description="x">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="x">
##FORMAT=<ID=FT,Number=1,Type=String,Description="x">
##INFO=<ID=QD,Number=1,Type=Float,Description="x">
##contig=<ID=chr1,length=60>
##contig=<ID=chrX,length=60>
##contig=<ID=chrUn,length=60>
"""


@pytest.fixture
def world(tmp_path):
    fasta = tmp_path / "ref.fa"
    fasta.write_text("".join(f">{name}\n{CONTIG}\n" for name in ("chr1", "chrX", "chrUn")))
    pysam.faidx(str(fasta))
    build = Build("toy", {"chr1": 60, "chrX": 60}, [("chrX", 1, 10)])

    def run(*records, size=1000, **options):
        """records: (contig, pos, ref, alt, genotypes of f m u g[, filter[, qd]]); `0/1:Low` is one with its FT."""
        ad = {"0/0": "30,0", "0/1": "15,15", "1/1": "0,30", "./.": "0,0", "1": "0,30", "0": "30,0"}
        lines = ["\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *SHEET])]
        for contig, pos, ref, alt, calls, *rest in records:
            status = rest[0] if rest else "PASS"
            info = f"QD={rest[1]}" if len(rest) > 1 else "."
            cells = [c.partition(":")[::2] for c in calls.split()]
            depths = [ad.get(c, "15,15") if "," not in alt else "15,15,15" for c, _ in cells]
            people = [f"{c}:30:99:{d}:{ft or '.'}" for (c, ft), d in zip(cells, depths, strict=True)]
            lines.append("\t".join([contig, str(pos), ".", ref, alt, "50", status, info, "GT:DP:GQ:AD:FT", *people]))
        vcf = tmp_path / "in.vcf"
        vcf.write_text(HEADER + "\n".join(lines) + "\n")
        return count_vcf(vcf, fasta, build, SHEET, size, tmp_path, **options)

    return run


def rows(table):
    return [(r["contig"], r["pos"], r["ref"], r["alt"]) for r in table.to_pylist()]


def test_an_allele_that_left_aligns_over_borders_is_merged_with_its_twin(world):
    records = (
        ("chr1", 6, "CA", "C", "0/1 0/0 0/0 0/0"),
        ("chr1", 15, "AA", "A", "0/0 0/0 1/1 ./."),
    )
    whole, _ = world(*records)
    assert rows(whole) == [("chr1", 6, "CA", "C")]
    [row] = whole.to_pylist()
    assert (row["het_EE_F"], row["hom_FI_U"], row["dip_FI_F"], row["n_records"]) == (1, 1, 1, 2)
    assert world(*records, size=12)[0].equals(whole)


def test_an_allele_that_moves_over_a_whole_region_is_seen(world):
    _, ledgers = world(("chr1", 15, "AA", "A", "0/1 0/0 0/0 0/0"), size=4)
    made = sum(x.given["site_alleles"] for x in ledgers if x.step.startswith("harmonise"))
    met = sum(x.taken["site_alleles"] for x in ledgers if not x.step.startswith("harmonise"))
    assert (made, met) == (1, 0)


@pytest.mark.parametrize("size", [1000, 35, 34])
def test_atoms_that_cross_a_border_to_the_right(world, size):
    table, _ = world(("chr1", 35, "GC", "AT", "0/1 0/1 0/0 0/0"), ("chr1", 36, "C", "T", "1/1 0/0 0/0 0/1"), size=size)
    assert rows(table) == [("chr1", 35, "G", "A"), ("chr1", 36, "C", "T")]
    second = table.to_pylist()[1]
    assert (second["dip_EE_F"], second["het_EE_M"], second["het_FI_F"]) == (0, 1, 1)


def test_sex_chromosomes_and_a_sex_found_wrong_later(world):
    records = (("chrX", 5, "A", "C", "0/1 0/1 0/1 0/0"), ("chrX", 31, "G", "C", "0/1 1/1 1/1 0/0"))
    par, x = world(*records)[0].to_pylist()
    assert (par["region_class"], par["het_EE_M"], par["het_FI_U"]) == (1, 1, 1)
    assert (x["region_class"], x["hemi_EE_M"], x["hap_EE_M"], x["dip_FI_U"], x["het_EE_F"]) == (2, 1, 1, 0, 1)
    par, x = world(*records, count_sex={"m": "U"})[0].to_pylist()
    assert (par["het_EE_U"], x["hap_EE_U"], x["hemi_EE_U"]) == (1, 0, 0)


def test_filters_and_metrics_of_merged_records_are_the_worst(world):
    table, _ = world(
        ("chr1", 20, "C", "G", "0/1 0/0 0/0 0/0", "PASS", 12.5),
        ("chr1", 20, "C", "G", "0/1 0/0 0/0 0/0", "LowQ", 1.5),
    )
    [row] = table.to_pylist()
    assert (row["filters"], row["qd"], row["n_records"]) == (["LowQ"], 1.5, 2)
    rules = {
        "accept_filters": [], "min_call_rate": 0.9, "hwe_p": 1e-6, "hwe_min_people": 2, "inbreeding_coeff": -0.3,
        "min_qual": 60, "min_qd": 2, "min_mq": 40, "max_fs": 60, "min_read_pos_rank_sum": -8, "regions": [],
    }  # fmt: skip
    [row] = annotate(table, rules).to_pylist()
    assert row["filter"] == ["LowQUAL", "LowQD", "LowQ"] or row["filter"] == [
        "InbreedingCoeff",
        "LowQUAL",
        "LowQD",
        "LowQ",
    ]
    [row] = annotate(table, rules | {"accept_filters": ["LowQ"], "min_qual": None, "min_qd": 1}).to_pylist()
    assert "LowQ" not in row["filter"] and "LowQUAL" not in row["filter"] and "LowQD" not in row["filter"]
    assert (row["af"], row["call_rate"]) == (1 / 8, 1.0)


@pytest.mark.parametrize(
    ("calls", "site", "expected", "options"),
    [
        ("0/1:Low 0/0 0/0 0/1:Low", "PASS", ["Low"], {}),
        ("0/1:Low 0/0 0/0 0/1:Old;Low", ".", ["Low", "Old"], {}),
        ("0/1:Low 0/0 0/0 0/1", ".", [], {}),
        ("0/1:Low 0/0 0/0 0/1:Low", "LowQ", ["LowQ", "Low"], {}),
        ("0/1:Low 0/0 0/0 0/1", "LowQ", ["LowQ"], {}),
        ("0/1:a%3Ab 0/0 0/0 0/0", ".", ["a:b"], {}),
        ("0/1:a%3Ab 0/0 0/0 0/1:Old", ".", [], {"accept": ["a:b"]}),
        # One passes by what the config accepts; what is accepted of all is taken away later.
        ("0/1:Low 0/0 0/0 0/1:Old", ".", [], {"accept": ["Low"]}),
        ("0/1:Low;Old 0/0 0/0 0/1:Old", ".", ["Low", "Old"], {"accept": ["Low"]}),
        # Nobody of a joint VCF has a FILTER of their own: FT there is another thing.
        ("0/1:Low 0/0 0/0 0/1:Low", ".", [], {"alone": "f"}),
        ("0/1:Low 0/0 0/0 0/0:Low", ".", ["Low"], {"alone": "f"}),
        ("0/1:Low 0/0 0/0 0/1", ".", [], {"alone": "f"}),
        # Who does not count decides nothing.
        ("0/1:Low ./. 0/0 0/1", ".", ["Low"], {"out": "g"}),
        ("0/1:Low 0/0 0/0 0/1:Low", ".", [], {"respect_ft": True}),
    ],
)
def test_a_filter_of_people_holds_where_no_carrier_passes(world, calls, site, expected, options):
    [row] = world(("chr1", 20, "C", "G", calls, site), **{"alone": "fmug"} | options)[0].to_pylist()
    assert row["filters"] == expected


def test_a_filter_of_people_is_that_of_the_allele(world):
    """Two ALTs of one position are one record after merging; the one whose only carrier fails does not pass by it."""
    table, _ = world(("chr1", 20, "C", "G,T", "0/1:Low 0/2 0/0 0/0"), alone="fmug")
    assert [(r["alt"], r["filters"]) for r in table.to_pylist()] == [("G", ["Low"]), ("T", [])]


@pytest.mark.parametrize("size", [1000, 12])
def test_filters_of_people_are_merged_with_their_records(world, size):
    """The deletion of one, written elsewhere by the other's caller."""

    def filters(first, second):
        records = (("chr1", 6, "CA", "C", first), ("chr1", 15, "AA", "A", second))
        [row] = world(*records, size=size, alone="fmug")[0].to_pylist()
        return row["filters"]

    assert filters("0/1:Low 0/0 0/0 0/0", "0/0 0/0 0/1 0/0") == []
    assert filters("0/1:Low 0/0 0/0 0/0", "0/0 0/0 0/1:Old 0/0") == ["Low", "Old"]
    assert filters("0/1:Low 0/0 0/0 0/0", "0/1 0/0 0/0 0/0") == []
    assert filters("0/1:Low 0/0 0/0 0/0", "0/1:Old 0/0 0/0 0/0") == ["Low", "Old"]
    assert filters("0/1:Low 0/0 0/0 0/0", "0/0 0/0 0/0 0/0") == ["Low"]
    assert filters("0/1:Low 0/0 0/0 0/0", "1/1:Old 0/0 0/0 0/0") == []


def test_a_record_counts_for_the_people_of_the_sources_that_have_it():
    def record(pos, calls, depths):
        formats = {"GT": np.array(calls, np.int8), "DP": np.array(depths, np.int8)[:, None]}
        formats["GQ"] = np.array([[99]] * 4, np.int8)
        return Record("chr1", pos, None, "A", ["C"], [], {}, formats)

    class Reader(list):
        name = "x.bcf"

    class Reference:
        lengths: ClassVar[dict[str, int]] = {"chr1": 60}

        def bases(self, contig, start, end):
            return "A" * (end - start)

    no, ref, none = [0, 0], [2, 2], -128
    people = People(list("abcd"), ["F"] * 4, [frozenset()] * 4, ["", "joint", "joint", "single"])
    splitter = Splitter(Build("toy", {"chr1": 60}, []), Region("chr1", 1, 60), Reference(), people, Filter(min_ab=0))
    records = [record(1, [no, ref, no, no], [none, 30, none, none]), record(2, [no, no, no, no], [none, none, 0, none])]
    list(splitter(Reader(records)))
    table = splitter.people_table().to_pylist()
    assert [r["n_records"] for r in table] == [2, 2, 2, 0]
    assert [r["n_called"] for r in table] == [0, 1, 0, 0]
    assert [r["n_missing_in"] for r in table] == [2, 1, 2, 0]
    assert [r["n_said"] for r in table] == [0, 1, 1, 0], "a depth of 0 is something said"


def test_ref_mismatch_stops_and_names_the_place(world):
    with pytest.raises(GoeError, match=r"chr1:20: REF A does not match the reference, which has C"):
        world(("chr1", 20, "A", "G", "0/1 0/0 0/0 0/0"))


def test_unsorted_records_stop(world):
    class Reader(list):
        name = "x.bcf"

    build, people = Build("toy", {"chr1": 60}, []), People([], [], [], [])
    records = Reader(Record("chr1", pos, None, "C", ["."], [], {}) for pos in (20, 10))
    with pytest.raises(GoeError, match=r"chr1:10: comes after chr1:20: not sorted"):
        list(Splitter(build, Region("chr1", 1, 60), None, people, Filter())(records))


@pytest.mark.parametrize("call", ["2/2", "0/2", "1/4", "9/9", "./33", "127/127"])
def test_a_call_of_an_allele_that_the_record_does_not_have_stops(world, call):
    record = ("chr1", 20, "C", "G", f"0/0 {call} 0/0 0/1")
    with pytest.raises(GoeError, match=r"chr1:20.*sample columns 2 .*does not have: it has 1 ALT"):
        world(record)


@pytest.mark.parametrize("key", ["DP", "GQ", "AD"])
def test_numbers_that_are_declared_as_text_stop(world, monkeypatch, key):
    number = "R" if key == "AD" else "1"
    was = f"ID={key},Number={number},Type=Integer"
    monkeypatch.setattr(f"{__name__}.HEADER", HEADER.replace(was, f"ID={key},Number={number},Type=String"))
    with pytest.raises(GoeError, match=rf"chr1:20: FORMAT {key} is declared as text"):
        world(("chr1", 20, "C", "G", "0/0 0/1 0/0 0/1"))
