"""Harmonising across region borders, merging, and the input faults that stop it."""

import subprocess
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
from helpers.own_counting import Options, count_folder

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
            depths = ["30"] * len(cells) if alt == "." else depths
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


@pytest.fixture
def own(tmp_path):
    """Counts of people with files of their own, whose FILTER is about their call, and of a joint VCF."""

    def run(*records, site=".", alone="fmug", **options):
        """records: (pos, ref, alt, calls of f m u g), `0/1:Low` with the FILTER of that file; site: FILTER of the joint
        VCF, of those who are not in `alone` and of n, who carries nothing."""
        folder = tmp_path / "own"
        folder.mkdir(exist_ok=True)
        (folder / "ref.fa").write_text("".join(f">{name}\n{CONTIG}\n" for name in ("chr1", "chrX")))
        pysam.faidx(str(folder / "ref.fa"))
        (folder / "par.bed").write_text("chrX\t0\t10\n")
        columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
        files = {name: ([name], []) for name in alone}
        files["joint"] = ([name for name in SHEET if name not in alone] + ["n"], [])
        for pos, ref, alt, calls in records:
            called = dict(zip(SHEET, (call.partition(":")[::2] for call in calls.split()), strict=True)) | {
                "n": ("0/0", "")
            }
            for name, (people, rows) in files.items():
                status = (called[name][1] or "PASS") if name in alone else site
                reads = {"0/0": [30, 0, 0], "1/1": [0, 30, 0], "0/2": [15, 0, 15]}
                depths = [reads.get(called[p][0], [15, 15, 0])[: 2 + alt.count(",")] for p in people]
                cells = [f"{called[p][0]}:30:99:{','.join(map(str, d))}" for p, d in zip(people, depths, strict=True)]
                rows.append("\t".join(["chr1", str(pos), ".", ref, alt, "50", status, ".", "GT:DP:GQ:AD", *cells]))
        sheet, inputs = ["sample_id\tsex\tcountry_code"], ["sample_id\tinput_type\tpath"]
        sheet += [f"{name}\t{sex}\t{country}" for name, (sex, country) in (SHEET | {"n": ("F", "EE")}).items()]
        for name, (people, rows) in files.items():
            header = HEADER.replace("##contig=<ID=chrUn,length=60>\n", "")
            filters = {f for row in rows for f in row.split("\t")[6].split(";")} - {"PASS", ".", "LowQ"}
            header += "".join(f'##FILTER=<ID={f},Description="x">\n' for f in sorted(filters))
            text = header + "".join(f"{row}\n" for row in ["\t".join([*columns, *people]), *rows])
            packed = subprocess.run(["bgzip", "-c"], input=text.encode(), capture_output=True, check=True).stdout
            (folder / f"{name}.vcf.gz").write_bytes(packed)
            subprocess.run(["tabix", "-f", "-p", "vcf", folder / f"{name}.vcf.gz"], check=True)
            inputs.append(f"{name}\tgvcf\t{name}.vcf.gz" if name in alone else f"\tjoint_vcf\t{name}.vcf.gz")
        for name, lines in (("samples", sheet), ("inputs", inputs)):
            (folder / f"{name}.tsv").write_text("".join(f"{line}\n" for line in lines))
        return count_folder(folder, tmp_path / "work", Options(**options))

    return run


@pytest.mark.parametrize(
    ("calls", "site", "expected", "options"),
    [
        ("0/1:Low 0/0 0/0 0/1:Low", "PASS", ["Low"], {}),
        ("0/1:Low 0/0 0/0 0/1:Old;Low", ".", ["Low", "Old"], {}),
        ("0/1:Low 0/0 0/0 0/1", ".", [], {}),
        ("0/1:Low 0/0 0/0 0/1:Low", "LowQ", ["LowQ", "Low"], {}),
        ("0/1:Low 0/0 0/0 0/1", "LowQ", ["LowQ"], {}),
        ("0/1:a%3Ab 0/0 0/0 0/0", ".", ["a%3Ab"], {}),
        ("0/1:a-b 0/0 0/0 0/1:Old", ".", [], {"accept": ("a-b",)}),
        # One passes by what the config accepts; what is accepted of all is taken away later.
        ("0/1:Low 0/0 0/0 0/1:Old", ".", [], {"accept": ("Low",)}),
        ("0/1:Low;Old 0/0 0/0 0/1:Old", ".", ["Low", "Old"], {"accept": ("Low",)}),
        # Nobody of a joint VCF has a FILTER of their own.
        ("0/1:Low 0/0 0/0 0/1", ".", [], {"alone": "f"}),
        ("0/1:Low 0/0 0/0 0/0", ".", ["Low"], {"alone": "f"}),
        ("0/1:Low 0/0 0/0 0/1", "LowQ", ["LowQ"], {"alone": "fmu"}),
        # Who does not count decides nothing.
        ("0/1:Low ./. 0/0 0/1", ".", ["Low"], {"out": ("g",)}),
        ("0/1 ./. 0/0 0/1:Low", ".", ["Low"], {"out": ("f",)}),
        ("0/1:Low 0/0 0/0 0/1:Low", ".", [], {"respect_ft": True}),
    ],
)
@pytest.mark.parametrize("batch", [1000, 1])
def test_a_filter_of_people_holds_where_no_carrier_passes(own, calls, site, expected, options, batch):
    [row] = own((20, "C", "G", calls), site=site, people_per_batch=batch, **options)
    assert row["filters"] == expected


def test_ft_of_a_joint_vcf_is_no_filter_of_the_allele(world):
    """There FT is another thing."""
    [row] = world(("chr1", 20, "C", "G", "0/1:Low 0/0 0/0 0/1:Low", "."))[0].to_pylist()
    assert (row["filters"], row["het_EE_F"]) == ([], 1)
    [row] = world(("chr1", 20, "C", "G", "0/1:Low 0/0 0/0 0/1:Low", "."), respect_ft=True)[0].to_pylist()
    assert (row["filters"], row["het_EE_F"], row["dip_EE_F"]) == ([], 0, 0)


def test_a_filter_of_people_is_that_of_the_allele(own):
    """Two ALTs of one position: the one whose only carrier fails does not pass by the other."""
    rows = own((20, "C", "G,T", "0/1:Low 0/2 0/0 0/0"))
    assert [(r["alt"], r["filters"]) for r in rows] == [("G", ["Low"]), ("T", [])]


@pytest.mark.parametrize("size", [1000, 12])
def test_filters_of_people_are_merged_with_their_rows(own, size):
    """The deletion of one, written elsewhere by the other's caller."""

    def filters(first, second):
        [row] = own((6, "CA", "C", first), (15, "AA", "A", second), size=size)
        return row["filters"]

    assert filters("0/1:Low 0/0 0/0 0/0", "0/0 0/0 0/1 0/0") == []
    assert filters("0/1:Low 0/0 0/0 0/0", "0/0 0/0 0/1:Old 0/0") == ["Low", "Old"]
    assert filters("0/1:Low 0/0 0/0 0/0", "0/1 0/0 0/0 0/0") == []
    assert filters("0/1:Low 0/0 0/0 0/0", "0/1:Old 0/0 0/0 0/0") == ["Low", "Old"]
    assert filters("0/1:Low 0/0 0/0 0/0", "0/0 0/0 0/0 0/0") == ["Low"]
    assert filters("0/1:Low 0/0 0/0 0/0", "1/1:Old 0/0 0/0 0/0") == []


class Reader(list):
    """Records as if they were read from a file."""

    name = "x.bcf"


def test_a_record_that_says_nothing_of_anybody_counts_for_nobody():
    def record(pos, calls, depths):
        formats = {"GT": np.array(calls, np.int8), "DP": np.array(depths, np.int8)[:, None]}
        formats["GQ"] = np.array([[99]] * 2, np.int8)
        return Record("chr1", pos, None, "A", ["C"], [], {}, formats)

    class Reference:
        lengths: ClassVar[dict[str, int]] = {"chr1": 60}

        def bases(self, contig, start, end):
            return "A" * (end - start)

    no, ref, none = [0, 0], [2, 2], -128
    people = People(list("ab"), ["F"] * 2, [frozenset()] * 2)
    splitter = Splitter(Build("toy", {"chr1": 60}, []), Region("chr1", 1, 60), Reference(), people, Filter(min_ab=0))
    records = [record(1, [ref, no], [30, none]), record(2, [no, no], [none, 0]), record(3, [no, no], [none, none])]
    list(splitter(Reader(records)))
    table = splitter.people_table().to_pylist()
    assert [r["n_records"] for r in table] == [2, 2]
    assert [r["n_called"] for r in table] == [1, 0]
    assert [r["n_missing_in"] for r in table] == [1, 2]
    assert [r["n_said"] for r in table] == [1, 1], "a depth of 0 is something said"


def test_lad_of_another_length_than_laa_stops_and_is_counted():
    """C1.1, as AD of another length than the alleles; where AD is not tested, it says nothing."""

    def record(pos, lad):
        laa = np.array([[2], [2]], np.int8)
        formats = {"GT": np.array([[2, 6]] * 2, np.int8), "LAA": laa, "LAD": np.array(lad, np.int8)}
        formats |= {key: np.array([[40]] * 2, np.int8) for key in ("DP", "GQ")}
        return Record("chr1", pos, None, "A", ["C", "G"], [], {}, formats)

    class Reference:
        lengths: ClassVar[dict[str, int]] = {"chr1": 60}

        def bases(self, contig, start, end):
            return "A" * (end - start)

    end = -127
    records = [record(1, [[20, 20], [20, 20]]), record(2, [[20, end], [20, 20]]), record(3, [[20, 20], [9, end]])]
    people = People(list("ab"), ["F"] * 2, [frozenset()] * 2)
    build, region = Build("toy", {"chr1": 60}, []), Region("chr1", 1, 60)
    with pytest.raises(GoeError, match=r"chr1:2: AD \(LAD\) has another number of values .* in 2 records"):
        list(Splitter(build, region, Reference(), people, Filter())(Reader(records)))
    untested = Splitter(build, region, Reference(), people, Filter(min_ab=0))
    assert len(list(untested(Reader(records)))) == 6


@pytest.mark.parametrize(("contig", "expected"), [("chrX", [(3, 3), (3, 0), (2, 1)]), ("chr1", [(0, 0)] * 3)])
def test_calls_of_one_allele_in_a_par_are_counted(contig, expected):
    """Of each person, whether they pass or not; a man's calls behind the PAR are of one allele by right."""
    no, end = 0, -127
    calls = {
        5: [[2, end], [2, 2], [no, end]],
        6: [[4, end], [2, 4], [4, end]],
        7: [[4, end], [4, 4], [2, 2]],
        30: [[4, end], [2, 2], [4, end]],
    }

    class Reference:
        lengths: ClassVar[dict[str, int]] = {contig: 60}

        def bases(self, contig, start, end):
            return "A" * (end - start)

    def record(pos, gts):
        formats = {"GT": np.array(gts, np.int8), "GQ": np.array([[99]] * 3, np.int8)}
        formats["DP"] = np.array([[3], [30], [30]], np.int8)
        return Record(contig, pos, None, "A", ["C"], [], {}, formats)

    build = Build("toy", {contig: 60}, [(contig, 1, 10)] if contig == "chrX" else [])
    people = People(list("mfn"), list("MFM"), [frozenset()] * 3)
    splitter = Splitter(build, Region(contig, 1, 60), Reference(), people, Filter(min_ab=0))
    list(splitter(Reader(record(pos, gts) for pos, gts in calls.items())))
    table = splitter.people_table().to_pylist()
    assert [(r["n_par"], r["n_par_haploid"]) for r in table if r["class"] == 1] == expected
    assert all(r["n_par"] == r["n_par_haploid"] == 0 for r in table if r["class"] != 1)


def test_a_position_where_rows_start_tells_what_people_are_for_alleles_of_other_files(world):
    """C6.3 and C6.6: each person by the rows that start there, as if they were reference; also rows without ALT."""
    records = (
        ("chr1", 20, "C", "G", "0/1 0/0 ./. 1/1"),
        ("chr1", 20, "C", "T", "./. 0/0 0/1 ./."),
        ("chr1", 30, "T", ".", "0/0 ./. 0/0 0/0"),
        ("chr1", 40, "T", "A", "./. ./. ./. ./."),
    )
    table, ledgers = world(*records, starts=True)
    assert table.equals(world(*records)[0]), "they are no site alleles"
    assert sum(x.dropped.get("records", {}).get("no_alt", 0) for x in ledgers) == 1


def test_ref_mismatch_stops_and_names_the_place(world):
    with pytest.raises(GoeError, match=r"chr1:20: REF A does not match the reference, which has C"):
        world(("chr1", 20, "A", "G", "0/1 0/0 0/0 0/0"))


def test_unsorted_records_stop():
    build, people = Build("toy", {"chr1": 60}, []), People([], [], [])
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
