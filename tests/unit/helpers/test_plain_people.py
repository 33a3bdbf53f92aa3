"""The plain counter of people with files of their own, on examples worked out by hand; the cohorts it is used on."""

import subprocess
from collections import Counter
from pathlib import Path

import pytest
from helpers import own_files
from helpers import plain_people as pp

#        1   5    10   15   20   25   30
BASES = "GATTACAGGCCATCGTTTTTACGACGTAGC"
CONTIGS = {name: BASES for name in ("chr20", "chrX", "chrY", "chrM")}
PAR = [("chrX", 1, 18), ("chrY", 1, 18)]
FIELDS = ("GT", "DP", "GQ", "AD", "MIN_DP", "FT", "PL", "LEN")
BLOCK = "chr20 1 G <NON_REF> . END=30 GT:DP:GQ:MIN_DP 0/0:30:60:28"
SNV = "chr20 5 A C,<NON_REF> PASS . GT:DP:GQ:AD"
HET = f"{SNV} 0/1:30:60:15,15,0"
C5 = ("chr20", 5, "A", "C")
G9 = ("chr20", 9, "G", "A")


def vcf(*rows, fields=FIELDS, names=("p",)):
    """Text of a VCF. rows: CHROM POS REF ALT FILTER INFO FORMAT and a column for each name."""
    lines = ["##fileformat=VCFv4.2", *(f"##FORMAT=<ID={key},Number=1>" for key in fields)]
    lines.append("\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names]))
    for row in rows:
        contig, pos, ref, alt, *rest = row.split()
        lines.append("\t".join([contig, pos, ".", ref, alt, ".", *rest]))
    return "".join(f"{line}\n" for line in lines)


def person(*rows, sex="F", kind="gvcf", fields=FIELDS, keep=False):
    return pp.Person("p", sex, "EE", kind, pp.calls_of(vcf(*rows, fields=fields), kind, CONTIGS, keep)["p"])


def code(site, *rows, sex="F", kind="gvcf", fields=FIELDS, **settings):
    """What a person with these rows is for a site allele."""
    one = person(*rows, sex=sex, kind=kind, fields=fields, keep=settings.get("keep", False))
    return one.code(site, PAR, pp.Settings(**settings))


class TestFilter:
    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            ("0/1:30:20:15,15,0", "het"),
            ("0/1:30:19:15,15,0", "missing"),
            ("0/1:30:19.9:15,15,0", "missing"),
            ("0/1:30:45.37:15,15,0", "het"),
            ("0/1:10:60:5,5,0", "het"),
            ("0/1:9:60:5,4,0", "missing"),
            ("0/1:35:60:28,7,0", "het"),
            ("0/1:35:60:29,6,0", "missing"),
            ("0/1:35:60:6,29,0", "missing"),
            ("0/1:50:60:7,9,0", "missing"),
            ("0/1:.:60:5,5,.", "het"),
            ("0/1:.:60:5,4,0", "missing"),
            ("0/1:30:60:15,15", "het"),
            ("0/1:30:60:.", "missing"),
            ("1/1:30:60:.", "hom"),
            ("1/1:.:60:.", "missing"),
            ("0/1:30:.:15,15,0", "missing"),
            ("0/0:30:60:30,0,0", "ref2"),
            ("0/0:.:60:.", "missing"),
        ],
    )
    def test_one_call(self, cell, expected):
        assert code(C5, f"{SNV} {cell}") == expected

    def test_alt_only_and_other_thresholds(self):
        row = f"{SNV} 0/1:8:15:1,7,0"
        assert code(C5, row) == "missing"
        assert code(C5, row, min_gq=15, min_dp=8, alt_only=True) == "het"
        assert code(C5, row, min_gq=15, min_dp=8, min_ab=0.125) == "het"

    @pytest.mark.parametrize(
        ("cell", "expected"), [("0/0:0:60:0,0,0", "missing"), ("0/0:.:60:0,0,0", "missing"), ("0/1:0:0:0,0,0", "het")]
    )
    def test_without_filter(self, cell, expected):
        assert code(C5, f"{SNV} {cell}", on=False) == expected

    def test_absent_fields(self):
        row = "chr20 5 A C . . GT:DP 0/1:30"
        with pytest.raises(ValueError, match="FORMAT AD, GQ not declared"):
            code(C5, row, fields=("GT", "DP"))
        assert code(C5, row, fields=("GT", "DP"), keep=True) == "het"
        assert code(C5, row.replace(":30", ":9"), fields=("GT", "DP"), keep=True) == "missing"
        row = "chr20 5 A C . . GT:GQ:AD 0/1:30:{}"
        assert code(C5, row.format("4,1"), fields=("GT", "GQ", "AD"), keep=True) == "het"
        assert code(C5, row.format("5,1"), fields=("GT", "GQ", "AD"), keep=True) == "missing"

    @pytest.mark.parametrize(
        ("pl", "expected"), [("20,0,300", "het"), ("19,0,300", "missing"), ("27,7,400", "het"), ("26,7,400", "missing")]
    )
    def test_quality_from_likelihoods(self, pl, expected):
        row = "chr20 5 A C . . GT:DP:GQ:AD:PL 0/1:30:.:15,15:"
        assert code(C5, row + pl) == expected
        assert code(C5, f"chr20 5 A C . . GT:DP:AD:PL 0/1:30:15,15:{pl}", fields=("GT", "DP", "AD", "PL")) == expected

    def test_quality_of_likelihoods_is_at_most_99(self):
        row = "chr20 5 A C . . GT:DP:AD:PL 0/1:30:15,15:500,0,600"
        assert code(C5, row, min_gq=99) == "het"
        assert code(C5, row, min_gq=100) == "missing"

    def test_quality_of_strelka(self):
        fields = ("GT", "DP", "GQ", "AD", "GQX")
        call = "chr20 5 A C PASS . GT:GQX:DP:AD 0/1:60:30:15,15"
        block = "chr20 6 C . PASS END=30 GT:GQX:DP 0/0:60:30"
        assert code(C5, call, block, fields=fields) == "het"
        assert code(G9, call, block, fields=fields) == "ref2"
        with_gq = "chr20 6 C . PASS END=30 GT:GQX:DP:GQ 0/0:60:30:50"
        assert code(C5, call, with_gq, fields=fields) == "missing"
        assert code(C5, call, fields=fields, kind="vcf") == "missing"

    def test_local_alleles(self):
        fields = ("GT", "DP", "GQ", "LAA", "LAD", "LGT")
        row = "chr20 5 A C,G,T . . GT:GQ:DP:LAA:LAD 0/2:60:30:2:"
        assert code(("chr20", 5, "A", "G"), row + "15,15", fields=fields) == "het"
        assert code(("chr20", 5, "A", "G"), row + "28,2", fields=fields) == "missing"
        local = "chr20 5 A C,G,T . . LGT:GQ:DP:LAA:LAD 0/1:60:30:3:15,15"
        assert code(("chr20", 5, "A", "T"), local, fields=fields) == "het"

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ("chr20 5 A C . . GT:DP:GQ:AD 0/1:30:60:15,15,0", "AD has 3 values for 2 alleles"),
            ("chr20 5 A C,G . . GT:DP:GQ:AD 0/1:30:60:15,15", "AD has 2 values for 3 alleles"),
            ("chr20 5 A C,G,<*> . . GT:DP:GQ:AD 0/1:30:60:15,15", "AD has 2 values for 4 alleles"),
            ("chr20 5 A C . . GT:DP:GQ:AD 0/2:30:60:15,15", "calls an allele that the record does not have"),
            ("chr20 5 G C . . GT:DP:GQ:AD 0/1:30:60:15,15", "REF does not match"),
        ],
    )
    def test_stops(self, row, message):
        with pytest.raises(ValueError, match=message):
            code(C5, row)

    def test_ft_is_looked_at_when_asked_for(self):
        ft = "chr20 5 A C PASS . GT:DP:GQ:AD:FT 0/1:30:60:15,15:q"
        failing = "chr20 5 A C q . GT:DP:GQ:AD 0/1:30:60:15,15"
        for row in (ft, failing):
            assert code(C5, row) == "het"
            assert code(C5, row, respect_ft=True) == "missing"
            assert code(C5, row, respect_ft=True, on=False) == "het"
        assert code(C5, failing, respect_ft=True, kind="joint_vcf") == "het"
        assert code(C5, failing.replace("0/1", "0/0"), respect_ft=True) == "ref2"


class TestPloidy:
    @pytest.mark.parametrize(
        ("contig", "pos", "codes"),
        [
            ("chr20", 21, ("het", "het", "het")),
            ("chrX", 5, ("het", "het", "het")),
            ("chrX", 21, ("het", "missing", "missing")),
            ("chrY", 5, ("missing", "missing", "missing")),
            ("chrY", 21, ("missing", "missing", "missing")),
            ("chrM", 21, ("missing", "missing", "missing")),
        ],
    )
    def test_het(self, contig, pos, codes):
        row = f"{contig} {pos} A C . . GT:DP:GQ:AD 0/1:30:60:15,15"
        assert tuple(code((contig, pos, "A", "C"), row, sex=sex) for sex in "FMU") == codes

    @pytest.mark.parametrize(
        ("contig", "codes"),
        [
            ("chrX", ("hom", "hemi", "missing")),
            ("chrY", ("missing", "hemi", "missing")),
            ("chrM", ("hemi", "hemi", "hemi")),
        ],
    )
    def test_hom(self, contig, codes):
        row = f"{contig} 21 A C . . GT:DP:GQ:AD 1/1:30:60:0,30"
        assert tuple(code((contig, 21, "A", "C"), row, sex=sex) for sex in "FMU") == codes

    @pytest.mark.parametrize(
        ("gt", "one", "two"),
        [
            ("1", "hemi", "missing"),
            ("1/1", "hemi", "hom"),
            ("0/1", "missing", "het"),
            ("1/.", "hemi", "missing"),
            ("./1", "hemi", "missing"),
            ("0/.", "ref1", "missing"),
            ("0", "ref1", "missing"),
            ("./.", "missing", "missing"),
            ("0/0/1", "missing", "missing"),
            ("/0|1", "missing", "het"),
        ],
    )
    def test_codings(self, gt, one, two):
        row = f"chrX 21 A C . . GT:DP:GQ:AD {gt}:30:60:15,15"
        assert code(("chrX", 21, "A", "C"), row, sex="M") == one
        assert code(("chrX", 21, "A", "C"), row, sex="F") == two

    def test_depth_of_one_allele(self):
        row = "chrX 21 A C . . GT:DP:GQ:AD 1/1:{}:60:0,5"
        site = ("chrX", 21, "A", "C")
        assert [code(site, row.format(n), sex="M") for n in (4, 5)] == ["missing", "hemi"]
        assert code(site, row.format(5), sex="F") == "missing"

    def test_names_of_contigs(self):
        bare = [(contig.removeprefix("chr"), start, end) for contig, start, end in PAR]
        assert [pp.ploidy("X", pos, "M", bare) for pos in (18, 19)] == [2, 1]
        assert [pp.ploidy(name, 5, "F", bare) for name in ("MT", "M", "chrM", "20", "Y")] == [1, 1, 1, 2, 0]

    def test_region_is_that_of_the_row_as_it_came(self):
        """A deletion of a T at 19, outside the PAR, is at 15, inside."""
        row = "chrX 19 TT T . . GT:DP:GQ:AD {}:30:60:15,15"
        site = ("chrX", 15, "GT", "G")
        assert code(site, row.format("0/1"), sex="M") == "missing"
        assert code(site, row.format("1"), sex="M") == "hemi"
        # Who does not list it is judged where it is, with two alleles.
        assert code(site, "chrX 1 G <*> . END=18 GT:DP:GQ 0/0:30:60", sex="M") == "ref2"


class TestAlleles:
    def test_mnvs_are_taken_apart_and_indels_aligned(self):
        one = person("chr20 5 ACA GCG,<*> . . GT:DP:GQ:AD 0/1:30:60:15,15,0")
        assert one.sites() == {("chr20", 5, "A", "G"), ("chr20", 7, "A", "G")}
        assert person("chr20 19 TTA TA . . GT:DP:GQ:AD 0/1:30:60:15,15").sites() == {("chr20", 15, "GT", "G")}
        assert person("chr20 5 ac ag . . GT:DP:GQ:AD 0/1:30:60:15,15").sites() == {("chr20", 6, "C", "G")}

    def test_another_alt_is_a_called_allele(self):
        row = "chr20 5 A C,*,G,<NON_REF> . . GT:DP:GQ:AD"
        assert code(C5, f"{row} 1/3:30:60:0,15,0,15,0") == "het"
        assert code(C5, f"{row} 2/3:30:60:0,0,15,15,0") == "ref2"
        assert code(C5, f"{row} 1/2:30:60:0,15,15,0,0") == "het"

    def test_copies_add_up_within_a_row(self):
        row = "chr20 5 AC GT,GC . . GT:DP:GQ:AD 1/2:30:60:0,15,15"
        assert code(("chr20", 5, "A", "G"), row) == "hom"
        assert code(("chr20", 6, "C", "T"), row) == "het"

    @pytest.mark.parametrize(
        ("first", "second", "expected"),
        [
            ("0/1:30:60:15,15", "0/0:30:60:30,0", "het"),
            ("0/0:30:60:30,0", "0/1:30:19:15,15", "ref2"),
            ("0/1:30:60:15,15", "1/1:30:60:0,30", "missing"),
            ("0/1:30:60:15,15", "1|0:30:60:15,15", "het"),
            ("./.:.:.:.", "0/1:30:60:15,15", "het"),
        ],
    )
    def test_rows_that_list_it_are_merged(self, first, second, expected):
        one, two = f"chr20 5 A C . . GT:DP:GQ:AD {first}", f"chr20 4 TA TC . . GT:DP:GQ:AD {second}"
        for kind in ("gvcf", "vcf", "joint_vcf"):
            assert code(C5, one, two, kind=kind) == code(C5, two, one, kind=kind) == expected

    @pytest.mark.parametrize(
        ("kind", "gt", "arises"),
        [
            ("gvcf", "0/0", False),
            ("gvcf", "./1", True),
            ("gvcf", "0/1", True),
            ("vcf", "0/0", True),
            ("joint_vcf", "./.", True),
        ],
    )
    def test_a_site_allele_is_what_somebody_carries(self, kind, gt, arises):
        row = f"chr20 5 A C . . GT:DP:GQ:AD {gt}:3:2:15,15"
        assert (C5 in person(row, kind=kind).sites()) is arises


class TestBlocks:
    @pytest.mark.parametrize(
        ("row", "expected"),
        own_files.ONE_BLOCK,
    )
    def test_one(self, row, expected):
        assert code(C5, row) == expected

    def test_ploidy_and_depth_are_those_of_the_position(self):
        row = "chrX 1 G <*> . END=30 GT:DP:GQ {}:{}:60"
        inside, outside = ("chrX", 5, "A", "C"), ("chrX", 21, "A", "C")
        assert [code(s, row.format("0/0", 5), sex="M") for s in (inside, outside)] == ["missing", "ref1"]
        assert [code(s, row.format("0", 30), sex="M") for s in (inside, outside)] == ["missing", "ref1"]
        assert [code(s, row.format("0/0", 30), sex="F") for s in (inside, outside)] == ["ref2", "ref2"]

    def test_no_reads(self):
        assert code(C5, "chr20 1 G <*> . END=5 GT:GQ:DP:MIN_DP 0/0:20:3:0", on=False) == "missing"
        assert code(C5, "chr20 1 G <*> . END=5 GT:GQ:DP 0/0:0:3", on=False) == "ref2"

    def test_goes_on_beneath_rows(self):
        insertion = "chr20 7 A AT,<NON_REF> . . GT:DP:GQ:AD 0/1:3:1:15,15,0"
        assert code(G9, BLOCK, insertion) == "ref2"

    def test_a_block_that_starts_there_is_no_more_than_one_that_covers(self):
        failing = "chr20 5 A <NON_REF> . END=12 GT:DP:GQ 0/0:3:3"
        assert code(C5, BLOCK, failing) == "ref2"

    def test_a_passing_one_of_two_is_enough(self):
        failing = "chr20 3 T <NON_REF> . END=12 GT:DP:GQ 0/0:3:3"
        assert code(C5, failing, BLOCK) == code(C5, BLOCK, failing) == "ref2"


class TestOwnRows:
    def test_who_lists_it_is_judged_by_that_alone(self):
        assert code(C5, BLOCK, f"{SNV} 0/1:30:19:15,15,0") == "missing"
        assert code(C5, BLOCK, f"{SNV} ./.:30:19:15,15,0") == "missing"

    def test_rows_that_start_there_come_before_what_covers(self):
        other = "chr20 5 A G,<NON_REF> . . GT:DP:GQ:AD"
        assert code(C5, BLOCK, f"{other} 0/1:30:60:15,15,0") == "ref2"
        assert code(C5, BLOCK, f"{other} 0/1:30:19:15,15,0") == "missing"
        assert code(C5, BLOCK, f"{other} 0/1:30:19:15,15,0", "chr20 5 A T . . GT:DP:GQ:AD 1/1:30:60:0,30") == "ref2"

    def test_a_block_that_starts_at_such_a_row_counts_among_them(self):
        other = "chr20 5 A G,<NON_REF> . . GT:DP:GQ:AD 0/1:30:19:15,15,0"
        assert code(C5, other, "chr20 5 A <NON_REF> . . GT:DP:GQ 0/0:30:60") == "ref2"

    def test_start_is_the_pos_as_written(self):
        """`CAG>CAT` at 6 is at 8: it covers 8, where nothing starts."""
        padded = "chr20 6 CAG CAT . . GT:DP:GQ:AD 0/1:30:{}:15,15"
        site = ("chr20", 8, "G", "A")
        assert code(site, padded.format(60)) == "ref2"
        assert code(site, BLOCK, padded.format(19)) == "ref2"
        assert code(("chr20", 6, "C", "A"), BLOCK, padded.format(19)) == "missing"

    @pytest.mark.parametrize("alt", ["A", "ACAGT", "TCAGG", "TGTCA"])
    @pytest.mark.parametrize(("pos", "expected"), [(5, "ref2"), (6, "ref2"), (9, "ref2"), (10, "missing")])
    def test_a_longer_row_covers_its_bases(self, alt, pos, expected):
        row = f"chr20 5 ACAGG {alt},<NON_REF> . . GT:DP:GQ:AD 0/1:30:60:15,15,0"
        site = ("chr20", pos, BASES[pos - 1], "N")
        assert code(site, row) == expected
        assert code(site, row.replace(":60:", ":19:")) == "missing"
        assert code(site, row, kind="vcf") == ("ref2" if pos == 5 else "missing")

    def test_a_deletion_is_a_call_by_the_ploidy_of_the_position(self):
        """A man's deletion over the end of the PAR, het: two alleles are expected at 18, one at 19."""
        row = "chrX 15 GTTTT G . . GT:DP:GQ:AD {}:30:60:15,15"
        sites = [("chrX", pos, "T", "C") for pos in (18, 19)]
        assert [code(s, row.format("0/1"), sex="M") for s in sites] == ["ref2", "missing"]
        assert [code(s, row.format("1/1"), sex="M") for s in sites] == ["ref2", "ref1"]
        assert [code(s, row.format("1"), sex="M") for s in sites] == ["missing", "ref1"]

    def test_a_reference_row_with_an_snv_inside(self):
        deletion = "chr20 5 ACAGG A,<NON_REF> . . GT:DP:GQ:AD 0/0:30:60:30,0,0"
        snv = "chr20 7 A T,<NON_REF> . . GT:DP:GQ:AD 0/1:30:60:15,15,0"
        assert code(("chr20", 7, "A", "T"), deletion, snv) == "het"
        assert code(("chr20", 7, "A", "G"), deletion, snv.replace(":60:", ":1:")) == "missing"
        assert code(("chr20", 8, "G", "T"), deletion, snv) == "ref2"

    @pytest.mark.parametrize("kind", ["vcf", "joint_vcf"])
    def test_others_are_called_where_rows_start(self, kind):
        reference = "chr20 5 A . . . GT:DP:GQ:AD 0/0:30:60:30"
        assert code(C5, reference, kind=kind) == "ref2"
        assert code(C5, "chr20 5 A G . . GT:DP:GQ:AD 0/1:30:60:15,15", kind=kind) == "ref2"
        assert code(C5, "chr20 4 T . . END=9 GT:DP:GQ:AD 0/0:30:60:30", kind=kind) == "missing"
        assert code(C5, "chr20 4 TA GC . . GT:DP:GQ:AD 0/1:30:60:15,15", kind=kind) == "het"


def folder(tmp_path: Path, **files: tuple[str, str, list[str]]) -> Path:
    """A folder of people. files: name -> (sex, kind, rows); those of kind joint_vcf are one file, of names a_b."""
    sheet, inputs = ["sample_id\tsex\tcountry_code"], ["sample_id\tinput_type\tpath"]
    for name, (sexes, kind, rows) in files.items():
        names = name.split("_")
        (tmp_path / f"{name}.vcf").write_text(vcf(*rows, names=names))
        sheet += [f"{n}\t{sex}\tEE" for n, sex in zip(names, sexes, strict=True)]
        inputs.append(f"{'' if kind == 'joint_vcf' else name}\t{kind}\t{name}.vcf.gz")
    (tmp_path / "samples.tsv").write_text("".join(f"{row}\n" for row in sheet))
    (tmp_path / "inputs.tsv").write_text("".join(f"{row}\n" for row in inputs))
    (tmp_path / "ref.fa").write_text("".join(f">{c}\n{b[:20]}\n{b[20:].lower()}\n" for c, b in CONTIGS.items()))
    (tmp_path / "par.bed").write_text("chrX\t0\t18\tPAR1\nchrY\t0\t18\tPAR1\n")
    return tmp_path


class TestFolder:
    def test_people_meet_at_site_alleles(self, tmp_path):
        deletion = "chr20 15 GT G,<NON_REF> . . GT:DP:GQ:AD 0/1:30:60:15,15,0"
        moved = "chr20 19 TT T . . GT:DP:GQ:AD 1/1:30:60:0,30"
        made = folder(
            tmp_path,
            a=("F", "gvcf", [deletion]),
            b=("M", "vcf", [moved]),
            c=("U", "gvcf", [BLOCK]),
            d=("U", "gvcf", ["chr20 17 T C,<*> . . GT:DP:GQ:AD 0/1:30:2:15,15,0"]),
            e_f=("FM", "joint_vcf", [f"{SNV} 0/0:30:60:30,0,0 0/1:30:60:15,15,0"]),
        )
        got = pp.count(made)
        assert set(got) == {("chr20", 15, "GT", "G"), C5, ("chr20", 17, "T", "C")}
        assert got["chr20", 15, "GT", "G"] == {
            "EE_F": [1, 0, 1, 0, 0],
            "EE_M": [1, 0, 0, 1, 0],
            "EE_U": [1, 0, 0, 0, 0],
        }
        assert pp.totals(got["chr20", 15, "GT", "G"]) == (3, 6)
        assert got[C5] == {"EE_F": [1, 0, 0, 0, 0], "EE_M": [1, 0, 1, 0, 0], "EE_U": [1, 0, 0, 0, 0]}
        # d fails and a's deletion ends before 17; c's block covers.
        assert got["chr20", 17, "T", "C"] == {"EE_F": [0] * 5, "EE_M": [0] * 5, "EE_U": [1, 0, 0, 0, 0]}
        assert pp.count(made, on=False)["chr20", 17, "T", "C"]["EE_U"] == [2, 0, 1, 0, 0]

    def test_one_allele_people(self, tmp_path):
        call = "chrX 21 A C . . GT:DP:GQ:AD {}:30:60:0,30"
        made = folder(tmp_path, a=("M", "gvcf", [call.format("1")]), b=("M", "gvcf", [call.format("0/0")]))
        assert pp.count(made) == {("chrX", 21, "A", "C"): {"EE_M": [0, 2, 0, 0, 1]}}

    @pytest.mark.parametrize(
        ("a", "b", "expected"),
        [
            ("q 0/1:30:60:15,15", "r;s 0/1:30:60:15,15", ["q", "r", "s"]),
            ("q 0/1:30:60:15,15", "PASS 0/1:30:60:15,15", []),
            ("q 0/1:30:60:15,15", ". 0/1:30:60:15,15", []),
            ("q 0/1:30:60:15,15", "PASS 0/1:30:19:15,15", ["q"]),
            ("q 0/1:30:60:15,15", "PASS 0/0:30:60:30,0", ["q"]),
            ("PASS 0/0:30:60:30,0", "q 0/1:30:19:15,15", []),
            ("q 0/1:30:60:15,15", "ok 0/1:30:60:15,15", []),
        ],
    )
    def test_filters_of_own_files(self, tmp_path, a, b, expected):
        rows = [f"chr20 5 A C {f} . GT:DP:GQ:AD {c}" for f, c in (a.split(), b.split())]
        made = folder(tmp_path, a=("F", "gvcf", rows[:1]), b=("M", "gvcf", rows[1:]))
        assert pp.filters(made, accept=["ok"]) == {C5: expected}

    @pytest.mark.parametrize(("call", "expected"), [("0/1:30:60:15,15", ["t"]), ("0/0:30:60:30,0", ["q", "t"])])
    def test_filters_of_a_joint_vcf_stand(self, tmp_path, call, expected):
        own = "chr20 5 A C q . GT:DP:GQ:AD 0/1:30:60:15,15"
        rows = [f"chr20 5 A C t . GT:DP:GQ:AD {call}", "chr20 5 A G u . GT:DP:GQ:AD 0/1:30:60:15,15"]
        made = folder(tmp_path, a=("F", "gvcf", [own]), e=("F", "joint_vcf", rows))
        assert pp.filters(made)[C5] == expected

    def test_a_row_that_passes_is_enough(self, tmp_path):
        rows = [f"chr20 5 A C {f} . GT:DP:GQ:AD 0/1:30:60:15,15" for f in ("q", "PASS")]
        assert pp.filters(folder(tmp_path, a=("F", "gvcf", rows)))[C5] == []
        assert pp.filters(folder(tmp_path, a=("F", "gvcf", rows[:1] * 2)))[C5] == ["q"]
        rows[1] = rows[1].replace("0/1", "0/0")
        assert pp.filters(folder(tmp_path, a=("F", "gvcf", rows)))[C5] == ["q"]

    def test_pars_are_read_as_bed(self, tmp_path):
        assert pp.read(folder(tmp_path), pp.Settings())[1] == PAR


# Of the shared cases those that are about rules of counting and not about files that are refused.
NUMBERS = (
    "G12_gvcf_float_gq", "G14b_half_phased", "G1_strelka_gqx", "G46_pl_only_gvcf", "G4_vcf45_len", "G5_block_goes_on",
    "G9_deletion_spans", "J1_gq_float", "J5_dragen_msvcf", "M1_gvcf_and_split_joint", "I1_stale_csi",
)  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_the_shared_cases(shared, name):
    case = shared / "intake-cases" / name
    got = pp.count(case)
    wanted = [line.split("\t") for line in (case / "want.tsv").read_text().splitlines()[2:]]
    assert wanted
    for contig, pos, ref, alt, ac, an, *n in wanted:
        if pos == "*":
            mine = [pp.totals(leaves) for site, leaves in got.items() if site[0] == contig]
            assert mine == [(int(ac), int(an))] * int(n[0])
        else:
            assert pp.totals(got[contig, int(pos), ref, alt]) == (int(ac), int(an))


@pytest.mark.parametrize("name", ["G48_gvcf_split_ad_dot", "J3_ad_not_split", "S4b_allele_beyond_hom"])
def test_what_the_shared_cases_want_refused(shared, name):
    with pytest.raises(ValueError, match="chr20:500"):
        pp.count(shared / "intake-cases" / name)


def hazards_of_person(one: pp.Person, bases: dict[str, str], par: list, sites: list[pp.Site]) -> Counter:
    """How often this person's rows have each hazard, read from the calls."""
    seen: Counter = Counter()
    for contig in bases:
        calls = [c for c in one.calls if c.contig == contig]
        blocks, rows = [c for c in calls if c.block], [c for c in calls if not c.block]
        covered = {p for b in blocks for p in range(b.pos, b.end + 1)}
        covered |= {p for r in rows for p in range(r.pos, r.end + 1)}
        others = [s for s in sites if s[0] == contig and len(s[2]) == len(s[3])]
        others = [s for s in others if not any(s[1:] in c.listed or s[1] == c.pos for c in rows)]
        wanted = lambda pos, contig=contig: pp.ploidy(contig, pos, one.sex, par)  # noqa: E731
        seen["gap"] += bool(blocks) and len(covered) < len(bases[contig])
        for b in blocks:
            seen[f"block GQ {b.gq:.0f}" if b.gq is not None else "block without GQ"] += 1
            seen[f"block DP {b.depth:.0f}" if b.depth is not None else "block without DP"] += 1
            seen["block beneath an insertion"] += any(
                b.pos < r.pos < b.end and len(ref) < len(alt) for r in rows for _, ref, alt in r.listed
            )
            seen["block beneath a longer row"] += any(b.pos < r.pos <= b.end and len(r.ref) > 1 for r in rows)
            seen["block at the POS of a row"] += any(b.pos == r.pos for r in rows)
            seen["blocks over each other"] += any(b.pos < other.pos <= b.end for other in blocks)
            seen["block over a PAR border"] += wanted(b.pos) != wanted(b.end)
            seen["haploid block in a diploid part"] += len(b.alleles) == 1 and wanted(b.end) == 2
            seen["block ./."] += not any(a is not None for a in b.alleles)
        for r in rows:
            gt = "/".join("." if a is None else str(min(a, 1)) for a in r.alleles)
            beside = [other for other in rows if other is not r and other.pos == r.pos]
            twins = [other for other in beside if other.listed.keys() & r.listed.keys()]
            lengths = {(len(ref) == len(alt), len(ref) > len(alt)) for _, ref, alt in r.listed}
            seen["half call"] += None in r.alleles and any(a is not None for a in r.alleles)
            seen["./."] += r.alleles == [None, None]
            seen["DP 0"] += r.depth == 0
            seen["no depth"] += r.depth is None
            seen["AD ."] += r.ad is None
            seen["AD . of one allele"] += r.ad is not None and None in r.ad
            seen["several rows at one POS"] += bool(beside)
            seen["twins that agree"] += any(o.alleles == r.alleles and o.carried for o in twins)
            seen["twins that contradict"] += any(
                o.carried and r.carried and sorted(o.alleles, key=str) != sorted(r.alleles, key=str) for o in twins
            )
            seen["REF of several lengths at one POS"] += any(len(o.ref) != len(r.ref) for o in beside)
            seen["SNV and deletion in one row"] += {(True, False), (False, True)} <= lengths
            seen["MNV"] += len({pos for pos, ref, alt in r.listed if len(ref) == len(alt)}) > 1
            seen["padded or moved"] += any(pos != r.pos for pos, _, _ in r.listed)
            seen["neither insertion nor deletion"] += any(
                min(len(ref), len(alt)) > 1 and len(ref) != len(alt) for _, ref, alt in r.listed
            )
            seen["aligned over a PAR border"] += any(wanted(pos) != wanted(r.pos) for pos, _, _ in r.listed)
            seen["own deletion over another's site"] += any(r.pos < s[1] <= r.end for s in others) and bool(r.carried)
            seen["0/0 deletion over an own SNV"] += not r.carried and any(
                r.pos < o.pos <= r.end and o.carried for o in rows if len(o.ref) == 1
            )
            seen["listed, not carried"] += bool(r.listed) and r.alleles == [0, 0]
            seen["failing FILTER of a carrier"] += bool(r.reasons and r.carried)
            seen["FT"] += r.ft is not None
            seen["rows without ALT"] += not r.listed
            if contig in ("chrX", "chrY") and wanted(r.pos) == 1:
                seen[f"haploid part: {gt}"] += 1
    return seen


HAZARDS = {
    "gvcf": [
        "gap", "block beneath an insertion", "block beneath a longer row", "block at the POS of a row",
        "blocks over each other", "block over a PAR border", "haploid block in a diploid part", "block ./.",
        "half call", "./.", "DP 0", "no depth", "AD .", "AD . of one allele", "several rows at one POS",
        "twins that agree", "twins that contradict", "REF of several lengths at one POS", "SNV and deletion in one row",
        "MNV", "padded or moved", "neither insertion nor deletion", "aligned over a PAR border",
        "own deletion over another's site", "0/0 deletion over an own SNV", "listed, not carried",
        "failing FILTER of a carrier", "FT",
        *(f"block GQ {n}" for n in own_files.BORDER_QUALITIES), *(f"block DP {n}" for n in own_files.BORDER_DEPTHS),
        *(f"haploid part: {gt}" for gt in ("1", "1/1", "0/1", "1/.", "0/.", "0")),
    ],
    "vcf": ["half call", "several rows at one POS", "aligned over a PAR border", "rows without ALT", "AD .", "DP 0"],
    "joint_vcf": [
        "several rows at one POS", "rows without ALT", "SNV and deletion in one row", "MNV", "padded or moved",
        "aligned over a PAR border", "half call", "AD .", "FT", "twins that contradict",
    ],
}  # fmt: skip


def hazards_of_text(text: str) -> Counter:
    """How often the rows of a file have what calls do not show."""
    seen: Counter = Counter()
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        row = line.split("\t")
        values = dict(zip(row[8].split(":"), row[9].split(":"), strict=False))
        alts = row[4].split(",")
        seen["*"] += "*" in alts
        seen["* called"] += "*" in alts and str(1 + alts.index("*")) in values["GT"]
        seen["GQ from PL"] += values.get("GQ", ".") == "." and values.get("PL", ".") != "."
        seen["GQ from GQX"] += values.get("GQ", ".") == "." and "GQX" in values
        seen["depth of MinDP"] += "DP" not in values and "MinDP=" in row[7]
        seen["depth of AD in a block"] += "LEN" in values and "DP" not in values and "AD" in values
        seen["MIN_DP below DP"] += int(values.get("MIN_DP", 0)) < int(values.get("DP", ".").replace(".", "0"))
        seen["LEN"] += "LEN" in values
        seen["GQ with decimals"] += "." in values.get("GQ", ".").strip(".")
        seen["lower case"] += row[3].islower()
        seen["RefCall"] += row[6] == "RefCall"
        seen["phased"] += "|" in values["GT"]
        seen["several ALTs"] += len([a for a in alts if a[0] not in "<*"]) > 1
        seen["fields dropped at the end"] += len(values) < len(row[8].split(":"))
    return seen


def test_cohorts_have_every_hazard(tmp_path):
    of_kind = {kind: Counter() for kind in HAZARDS}
    of_text, met = Counter(), Counter()
    dialects, sexes = set(), Counter()
    for seed in range(20):
        place = tmp_path / str(seed)
        made = own_files.write(place, seed)
        people, par = pp.read(place, pp.Settings())
        dialects |= {p.dialect for p in own_files.cohort(seed)}
        sexes.update(p.sex for p in people)
        arisen = pp.sites(people)
        for one in people:
            of_kind[one.kind] += hazards_of_person(one, made.bases, par, arisen)
        for path in place.glob("*.vcf"):
            of_text += hazards_of_text(path.read_text())
        if seed < 3:
            for leaves in pp.count(place).values():
                ac, an = pp.totals(leaves)
                met["carried by several"] += sum(sum(column[2:]) for column in leaves.values()) > 2
                met["AC 0"] += ac == 0
                met["AN differs"] += an < 2 * len(people)
            met["with FILTER"] += sum(map(bool, pp.filters(place).values()))
    assert dialects == {*own_files.DIALECTS, ""}
    assert set(sexes) == {"F", "M", "U"}
    absent = [(kind, name) for kind, names in HAZARDS.items() for name in names if not of_kind[kind][name]]
    assert absent == []
    texts = (
        "*", "* called", "GQ from PL", "GQ from GQX", "depth of MinDP", "depth of AD in a block", "MIN_DP below DP",
        "LEN", "GQ with decimals", "lower case", "RefCall", "phased", "several ALTs", "fields dropped at the end",
    )  # fmt: skip
    assert [name for name in texts if not of_text[name]] == []
    assert min(met[name] for name in ("carried by several", "AC 0", "AN differs", "with FILTER")) > 20


@pytest.mark.parametrize("seed", range(3))
def test_bcftools_reads_the_files(tmp_path, seed):
    """Without a word, as many rows as the text has, from end to end and by index."""
    made = own_files.write(tmp_path, seed)
    for path in sorted(tmp_path.glob("*.vcf.gz")):
        text = path.with_name(path.name.removesuffix(".gz")).read_text()
        rows = [line for line in text.splitlines() if not line.startswith("#")]
        for where in ([], ["-r", ",".join(made.bases)]):
            done = subprocess.run(["bcftools", "view", "-H", *where, path], capture_output=True, text=True, check=True)
            assert done.stderr == ""
            assert len(done.stdout.splitlines()) == len(rows)
        norm = ["bcftools", "norm", "-c", "e", "-f", tmp_path / "ref.fa", "-o", "/dev/null", path]
        subprocess.run(norm, capture_output=True, check=True)


def test_the_same_seed_gives_the_same_lines():
    one = own_files.Person("p", "M", "EE", "gvcf", "strelka")
    assert own_files.person_lines(3, one) == own_files.person_lines(3, one)
    assert own_files.person_lines(3, one) != own_files.person_lines(4, one)


@pytest.mark.parametrize("dialect", own_files.DIALECTS)
def test_one_persons_lines_without_files(dialect):
    one = own_files.Person("p", "M", "EE", "gvcf", dialect)
    text = "\n".join(own_files.person_lines(5, one))
    calls = pp.calls_of(text, "gvcf", own_files.world(5).bases)["p"]
    assert {c.contig for c in calls} == set(own_files.CONTIGS)
    assert sum(c.block for c in calls) > 50 < sum(not c.block for c in calls)
