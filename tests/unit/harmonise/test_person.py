"""A person by itself, rule by rule of C1 to C3 and C6: what the rows and blocks of a file are for a site allele."""

import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pyarrow.parquet as pq
import pysam
import pytest
from goe.calls.own_file import OwnFile
from goe.core.errors import GoeError
from goe.genome.build import Build
from goe.harmonise import batch, person, schemas
from goe.harmonise.genotypes import CODES, Filter
from helpers import own_files

#        1   5    10   15   20   25   30
BASES = "GATTACAGGCCATCGTTTTTACGACGTAGC"
CONTIGS = ("chr20", "chrX", "chrY", "chrM", "chrUn")
BUILD = Build("toy", dict.fromkeys(CONTIGS[:4], len(BASES)), [("chrX", 1, 18), ("chrY", 1, 18)])
FIELDS = ("GT", "DP", "GQ", "AD", "MIN_DP", "FT", "PL", "LEN", "LAA", "LAD")
BLOCK = "chr20 1 G <NON_REF> . END=30 GT:DP:GQ:MIN_DP 0/0:30:60:28"
SNV = "chr20 5 A C,<NON_REF> PASS . GT:DP:GQ:AD"
C5, G9 = ("chr20", 5, "A", "C"), ("chr20", 9, "G", "A")
NONE = Filter(0, 0, 0, 0)


class Found:
    """Tables of a person, asked by site allele."""

    def __init__(self, one, groups):
        self.one = one
        self.alleles = {(g.contig, r["pos"], r["ref"], r["alt"]): r for g in groups for r in g.alleles.to_pylist()}
        runs = [(g.contig, r) for g in groups for r in g.runs.to_pylist()]
        self.runs = [(contig, r["start"], r["end"], CODES[r["code"]], r["raw"]) for contig, r in runs]
        assert len(self.alleles) == sum(g.alleles.num_rows for g in groups)
        for r in self.alleles.values():
            r["code"], r["base"], r["raw"], r["raw_base"] = (CODES[r[k]] for k in ("code", "base", "raw", "raw_base"))

    def code(self, site, raw=False):
        if site in self.alleles:
            return self.alleles[site]["raw" if raw else "code"]
        return self.at(site[0], site[1], raw)

    def at(self, contig, pos, raw=False):
        codes = [code for c, start, end, code, kind in self.runs if c == contig and start <= pos <= end and kind is raw]
        assert len(codes) < 2, "runs overlap"
        return codes[0] if codes else "missing"

    @property
    def made(self):
        return {site for site, row in self.alleles.items() if row["made"]}


@pytest.fixture(scope="module")
def fasta(tmp_path_factory):
    path = tmp_path_factory.mktemp("reference") / "ref.fa"
    path.write_text("".join(f">{name}\n{BASES[:20]}\n{BASES[20:].lower()}\n" for name in CONTIGS))
    pysam.faidx(str(path))
    return str(path)


@pytest.fixture
def judged(fasta, tmp_path):
    """`Found` of a person with rows CHROM POS REF ALT FILTER INFO FORMAT VALUES."""

    def run(*rows, sex="F", kind="gvcf", fields=FIELDS, rule=Filter(), keep=False, respect_ft=False, raw=False):
        lines = ["##fileformat=VCFv4.2", *(f"##FORMAT=<ID={key},Number=1>" for key in fields)]
        lines.append("\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", "p"]))
        for row in sorted(rows, key=lambda row: (CONTIGS.index(row.split()[0]), int(row.split()[1]))):
            contig, pos, ref, alt, *rest = row.split()
            lines.append("\t".join([contig, pos, ".", ref, alt, "50", *rest]))
        packed = subprocess.run(
            ["bgzip", "-c"], input="\n".join([*lines, ""]).encode(), capture_output=True, check=True
        )
        (tmp_path / "p.vcf.gz").write_bytes(packed.stdout)
        file = OwnFile(tmp_path / "p.vcf.gz", "p", BUILD.contigs, {}, kind == "gvcf")
        one = person.Harmoniser(file, BUILD, fasta, sex, rule, keep, respect_ft, raw)
        groups = list(one(tmp_path))
        one.ledger.check()
        return Found(one, groups)

    return run


class TestFilter:
    """C1."""

    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            ("0/1:30:20:15,15,0", "het"), ("0/1:30:19:15,15,0", "missing"), ("0/1:30:19.9:15,15,0", "missing"),
            ("0/1:30:45.37:15,15,0", "het"), ("0/1:10:60:5,5,0", "het"), ("0/1:9:60:5,4,0", "missing"),
            ("0/1:35:60:28,7,0", "het"), ("0/1:35:60:29,6,0", "missing"), ("0/1:35:60:6,29,0", "missing"),
            ("0/1:50:60:7,9,0", "missing"), ("0/1:.:60:5,5,.", "het"), ("0/1:.:60:5,4,0", "missing"),
            ("0/1:30:60:15,15", "het"), ("0/1:30:60:.", "missing"), ("1/1:30:60:.", "hom"), ("1/1:.:60:.", "missing"),
            ("0/1:30:.:15,15,0", "missing"), ("0/0:30:60:30,0,0", "ref2"), ("0/0:.:60:.", "missing"),
        ],
    )  # fmt: skip
    def test_one_call(self, judged, cell, expected):
        found = judged(f"{SNV} {cell}", "chr20 20 T <*> . . GT:DP:GQ 0/0:30:60")
        assert found.code(C5) == found.alleles[C5]["code"] == expected

    def test_other_thresholds(self, judged):
        row = f"{SNV} 0/1:8:15:1,7,0"
        assert judged(row).code(C5) == "missing"
        assert judged(row, rule=Filter(15, 8, 5, 0.2, alt_only=True)).code(C5) == "het"
        assert judged(row, rule=Filter(15, 8, 5, 0.125)).code(C5) == "het"

    def test_raw_is_told_beside(self, judged):
        found = judged(f"{SNV} 0/1:3:5:1,2,0", "chr20 6 C <*> . END=9 GT:DP:GQ 0/0:3:5", raw=True)
        assert (found.code(C5), found.code(C5, raw=True)) == ("missing", "het")
        assert (found.code(G9), found.code(G9, raw=True)) == ("missing", "ref2")
        assert not any(kind for *_, kind in judged(BLOCK).runs)

    @pytest.mark.parametrize(
        ("cell", "expected"), [("0/0:0:60:0,0,0", "missing"), ("0/0:.:60:0,0,0", "missing"), ("0/1:0:0:0,0,0", "het")]
    )
    def test_no_reads(self, judged, cell, expected):
        assert judged(f"{SNV} {cell}", rule=NONE).code(C5) == expected
        assert judged(f"{SNV} {cell}", raw=True).code(C5, raw=True) == expected
        assert judged("chr20 1 G <*> . END=5 GT:GQ:DP:MIN_DP 0/0:20:3:0", rule=NONE).code(C5) == "missing"
        assert judged("chr20 1 G <*> . END=5 GT:GQ:DP 0/0:0:3", rule=NONE).code(C5) == "ref2"

    def test_absent_fields(self, judged):
        row = "chr20 5 A C . . GT:DP 0/1:30"
        with pytest.raises(GoeError, match=r"FORMAT GQ, AD not declared.*on_absent_fields: keep"):
            judged(row, fields=("GT", "DP"))
        assert judged(row, fields=("GT", "DP"), keep=True).code(C5) == "het"
        assert judged(row, fields=("GT", "DP"), rule=Filter(min_gq=0, min_ab=0)).code(C5) == "het"
        assert judged(row.replace(":30", ":9"), fields=("GT", "DP"), keep=True).code(C5) == "missing"
        row = "chr20 5 A C . . GT:GQ:AD 0/1:30:{}"
        assert judged(row.format("4,1"), fields=("GT", "GQ", "AD"), keep=True).code(C5) == "het"
        assert judged(row.format("5,1"), fields=("GT", "GQ", "AD"), keep=True).code(C5) == "missing"

    @pytest.mark.parametrize(
        ("pl", "expected"), [("20,0,300", "het"), ("19,0,300", "missing"), ("27,7,400", "het"), ("26,7,400", "missing")]
    )
    def test_quality_from_likelihoods(self, judged, pl, expected):
        assert judged(f"chr20 5 A C . . GT:DP:GQ:AD:PL 0/1:30:.:15,15:{pl}").code(C5) == expected
        fields = ("GT", "DP", "AD", "PL")
        assert judged(f"chr20 5 A C . . GT:DP:AD:PL 0/1:30:15,15:{pl}", fields=fields).code(C5) == expected

    def test_quality_of_likelihoods_is_at_most_99(self, judged):
        row = "chr20 5 A C . . GT:DP:AD:PL 0/1:30:15,15:500,0,600"
        assert judged(row, rule=Filter(min_gq=99)).code(C5) == "het"
        assert judged(row, rule=Filter(min_gq=100)).code(C5) == "missing"

    def test_quality_of_strelka(self, judged):
        fields = ("GT", "DP", "GQ", "AD", "GQX")
        call = "chr20 5 A C PASS . GT:GQX:DP:AD 0/1:60:30:15,15"
        found = judged(call, "chr20 6 C . PASS END=30 GT:GQX:DP 0/0:60:30", fields=fields)
        assert (found.code(C5), found.code(G9)) == ("het", "ref2")

    def test_gqx_stands_only_where_blocks_have_no_gq(self, judged):
        fields = ("GT", "DP", "GQ", "AD", "GQX")
        call = "chr20 5 A C PASS . GT:GQX:DP:AD 0/1:60:30:15,15"
        with_gq = "chr20 6 C . PASS END=30 GT:GQX:DP:GQ 0/0:60:30:50"
        assert judged(call, with_gq, fields=fields).code(C5) == "missing"
        assert judged(call, fields=fields, kind="vcf").code(C5) == "missing"

    def test_local_alleles(self, judged):
        row = "chr20 5 A C,G,T . . GT:GQ:DP:LAA:LAD 0/2:60:30:2:"
        g5 = ("chr20", 5, "A", "G")
        assert judged(row + "15,15").code(g5) == "het"
        assert judged(row + "28,2").code(g5) == "missing"
        assert judged("chr20 5 A C,G,T . . LGT:GQ:DP:LAA:LAD 0/1:60:30:2:15,15").code(g5) == "het"

    def test_where_qualities_come_from_is_counted(self, judged):
        found = judged(
            "chr20 1 G <*> . END=4 GT:DP:PL 0/0:30:0,40,400",
            f"{SNV} 0/1:30:60:15,15,0",
            "chr20 6 C <*> . END=8 GT:DP:GQX 0/0:30:40",
            "chr20 9 G <*> . END=12 GT:DP:GQ 0/0:30:40",
        )
        assert found.one.about()["qualities"] == {"GQ": 2, "GQX": 1, "PL": 1}
        assert found.at("chr20", 3) == "ref2"

    def test_ft_and_filter_are_looked_at_when_asked_for(self, judged):
        ft = "chr20 5 A C PASS . GT:DP:GQ:AD:FT 0/1:30:60:15,15:q"
        failing = "chr20 5 A C q . GT:DP:GQ:AD 0/1:30:60:15,15"
        for row in (ft, failing):
            assert judged(row).code(C5) == "het"
            assert judged(row, respect_ft=True).code(C5) == "missing"
            assert judged(row, respect_ft=True, raw=True).code(C5, raw=True) == "het"
        assert judged(failing.replace("0/1", "0/0"), respect_ft=True).code(C5) == "ref2"
        block = "chr20 1 G <*> . END=9 GT:DP:GQ:FT 0/0:30:60:q"
        assert (judged(block).code(C5), judged(block, respect_ft=True).code(C5)) == ("ref2", "missing")


class TestPloidy:
    """C2."""

    @pytest.mark.parametrize(
        ("contig", "pos", "codes"),
        [
            ("chr20", 21, ("het", "het", "het")), ("chrX", 5, ("het", "het", "het")),
            ("chrX", 21, ("het", "missing", "missing")), ("chrY", 5, ("missing", "missing", "missing")),
            ("chrY", 21, ("missing", "missing", "missing")), ("chrM", 21, ("missing", "missing", "missing")),
        ],
    )  # fmt: skip
    def test_het(self, judged, contig, pos, codes):
        row = f"{contig} {pos} A C . . GT:DP:GQ:AD 0/1:30:60:15,15"
        assert tuple(judged(row, sex=sex).code((contig, pos, "A", "C")) for sex in "FMU") == codes

    @pytest.mark.parametrize(
        ("contig", "hom", "block"),
        [
            ("chrX", ("hom", "hemi", "missing"), ("ref2", "ref1", "missing")),
            ("chrY", ("missing", "hemi", "missing"), ("missing", "ref1", "missing")),
            ("chrM", ("hemi", "hemi", "hemi"), ("ref1", "ref1", "ref1")),
        ],
    )
    def test_hom_and_blocks(self, judged, contig, hom, block):
        row = f"{contig} 21 A C . . GT:DP:GQ:AD 1/1:30:60:0,30"
        assert tuple(judged(row, sex=sex).code((contig, 21, "A", "C")) for sex in "FMU") == hom
        row = f"{contig} 1 G <*> . END=30 GT:DP:GQ 0/0:30:60"
        assert tuple(judged(row, sex=sex).at(contig, 21) for sex in "FMU") == block

    @pytest.mark.parametrize(
        ("gt", "one", "two"),
        [
            ("1", "hemi", "missing"), ("1/1", "hemi", "hom"), ("0/1", "missing", "het"), ("1/.", "hemi", "missing"),
            ("./1", "hemi", "missing"), ("0/.", "ref1", "missing"), ("0", "ref1", "missing"),
            ("./.", "missing", "missing"), ("0/0/1", "missing", "missing"), ("/0|1", "missing", "het"),
        ],
    )  # fmt: skip
    def test_codings(self, judged, gt, one, two):
        row = f"chrX 21 A C . . GT:DP:GQ:AD {gt}:30:60:15,15"
        site = ("chrX", 21, "A", "C")
        assert (judged(row, sex="M").code(site), judged(row, sex="F").code(site)) == (one, two)

    def test_depth_of_one_allele(self, judged):
        row = "chrX 21 A C . . GT:DP:GQ:AD 1/1:{}:60:0,5"
        site = ("chrX", 21, "A", "C")
        assert [judged(row.format(n), sex="M").code(site) for n in (4, 5)] == ["missing", "hemi"]
        assert judged(row.format(5), sex="F").code(site) == "missing"

    def test_region_is_that_of_the_row_as_it_came(self, judged):
        """A deletion of a T at 19, outside the PAR, is at 15, inside (C2.4)."""
        site = ("chrX", 15, "GT", "G")
        for gt, expected in (("0/1", "missing"), ("1", "hemi")):
            found = judged(f"chrX 19 TT T . . GT:DP:GQ:AD {gt}:30:60:15,15", sex="M")
            assert found.code(site) == expected and found.alleles[site]["region_class"] == 2
        # Who does not list it is judged where it is, with two alleles.
        assert judged("chrX 1 G <*> . END=18 GT:DP:GQ 0/0:30:60", sex="M").code(site) == "ref2"

    def test_blocks_are_cut_at_the_borders_of_pars(self, judged):
        row = "chrX 1 G <*> . END=30 GT:DP:GQ {}:{}:60"
        assert judged(row.format("0/0", 30), sex="M").runs == [
            ("chrX", 1, 18, "ref2", False),
            ("chrX", 19, 30, "ref1", False),
        ]
        # Five reads are enough for one allele, and one allele is no two.
        assert judged(row.format("0/0", 5), sex="M").runs == [("chrX", 19, 30, "ref1", False)]
        assert judged(row.format("0", 30), sex="M").runs == [("chrX", 19, 30, "ref1", False)]
        assert [r[3] for r in judged(row.format("0/0", 30), sex="F").runs] == ["ref2", "ref2"]


class TestAlleles:
    """C3."""

    @pytest.mark.parametrize("seed", range(8))
    @pytest.mark.parametrize("rule", [Filter(), Filter(min_gq=0), Filter(min_dp=0, min_dp_haploid=0), NONE])
    def test_blocks_are_judged_as_if_each_were_the_only_one(self, judged, seed, rule):
        """Whatever passed before it: below and above thresholds, of other genotypes, FT and classes, over a border."""
        draw = np.random.default_rng(seed).choice
        blocks = []
        for pos, base in enumerate(BASES, 1):
            values = draw(["0/0", "0/0", "0/0", "0", "./.", "0/."]), draw(["0", "4", "5", "9", "10", "30", ".", "9.5"])
            values += draw(["0", "19", "20", "60", "."]), draw(["PASS", "PASS", "q"])
            end = min(pos + draw([0, 0, 3]), len(BASES))
            blocks.append(f"chrX {pos} {base.upper()} <NON_REF> . END={end} GT:DP:GQ:FT {':'.join(values)}")
        settings = {"sex": "FM"[seed % 2], "rule": rule, "respect_ft": seed % 4 < 2, "raw": True}
        together, alone = judged(*blocks, **settings), [judged(block, **settings) for block in blocks]
        assert together.one.counters.tolist() == sum(one.one.counters for one in alone).tolist()
        assert together.one.qualities == sum((one.one.qualities for one in alone), Counter())
        for pos in range(1, len(BASES) + 1):
            for raw in (False, True):
                codes = {one.at("chrX", pos, raw) for one in alone} - {"missing"}
                assert codes == {together.at("chrX", pos, raw)} - {"missing"}

    def test_mnvs_are_taken_apart_and_indels_aligned(self, judged):
        found = judged("chr20 5 ACA GCG,<*> . . GT:DP:GQ:AD 0/1:30:60:15,15,0")
        assert set(found.alleles) == {("chr20", 5, "A", "G"), ("chr20", 7, "A", "G")}
        assert set(judged("chr20 19 TTA TA . . GT:DP:GQ:AD 0/1:30:60:15,15").alleles) == {("chr20", 15, "GT", "G")}
        assert set(judged("chr20 5 ac ag . . GT:DP:GQ:AD 0/1:30:60:15,15").alleles) == {("chr20", 6, "C", "G")}

    def test_another_alt_is_a_called_allele(self, judged):
        row = "chr20 5 A C,*,G,<NON_REF> . . GT:DP:GQ:AD"
        assert judged(f"{row} 1/3:30:60:0,15,0,15,0").code(C5) == "het"
        assert judged(f"{row} 2/3:30:60:0,0,15,15,0").code(C5) == "ref2"
        assert judged(f"{row} 1/2:30:60:0,15,15,0,0").code(C5) == "het"

    def test_copies_add_up_within_a_row(self, judged):
        found = judged("chr20 5 AC GT,GC . . GT:DP:GQ:AD 1/2:30:60:0,15,15")
        assert found.code(("chr20", 5, "A", "G")) == "hom"
        assert found.code(("chr20", 6, "C", "T")) == "het"

    @pytest.mark.parametrize(
        ("first", "second", "expected"),
        [
            ("0/1:30:60:15,15", "0/0:30:60:30,0", "het"), ("0/0:30:60:30,0", "0/1:30:19:15,15", "ref2"),
            ("0/1:30:60:15,15", "1/1:30:60:0,30", "missing"), ("0/1:30:60:15,15", "1|0:30:60:15,15", "het"),
            ("./.:.:.:.", "0/1:30:60:15,15", "het"),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("kind", ["gvcf", "vcf"])
    def test_rows_that_list_it_are_merged(self, judged, kind, first, second, expected):
        for one, two in ((first, second), (second, first)):
            rows = f"chr20 5 A C . . GT:DP:GQ:AD {one}", f"chr20 4 TA TC . . GT:DP:GQ:AD {two}"
            assert judged(*rows, kind=kind).alleles[C5]["code"] == expected
            # The same at one POS.
            rows = rows[0], f"chr20 5 A C . . GT:DP:GQ:AD {two}"
            assert judged(*rows, kind=kind).alleles[C5]["code"] == expected

    def test_a_third_row_does_not_mend_two_that_contradict(self, judged):
        rows = [f"chr20 5 A C . . GT:DP:GQ:AD {c}" for c in ("0/1:30:60:15,15", "1/1:30:60:0,30", "0/1:30:60:15,15")]
        assert judged(*rows).code(C5) == "missing"

    def test_ref_mismatch_stops(self, judged):
        with pytest.raises(GoeError, match=r"chr20:5: REF G does not match the reference, which has A"):
            judged("chr20 5 G C . . GT:DP:GQ:AD 0/1:30:60:15,15")

    def test_ledger(self, judged):
        found = judged(
            BLOCK,
            "chr20 5 A C,*,<DEL>,<*> . . GT:DP:GQ:AD 0/1:30:60:15,15,0,0,0",
            "chr20 7 A <DEL>,<*> . . GT:DP:GQ 0/0:30:60",
            "chr20 12 ATC GTG . . GT:DP:GQ:AD 0/1:30:60:15,15",
            "chr20 14 C G . . GT:DP:GQ:AD 0/1:30:60:15,15",
            "chr20 31 A C . . GT:DP:GQ:AD 0/1:30:60:15,15",
            "chrUn 5 A C . . GT:DP:GQ:AD 0/1:30:60:15,15",
        )
        ledger = found.one.ledger
        assert (ledger.taken["rows"], ledger.given["rows"]) == (7, 4)
        assert ledger.dropped["rows"] == {"contig_not_counted": 1, "outside_of_contig": 1, "reference_block": 1}
        assert (ledger.taken["records"], ledger.dropped["records"]) == (4, {"no_site_allele": 1})
        assert ledger.dropped["alts"] == {"star": 1, "symbolic": 2, "non_ref": 2}
        assert ledger.dropped["site_alleles"]["merged_into_another_record"] == 1
        assert ledger.given["site_alleles"] == len(found.alleles) == 3


class TestSites:
    """C6.1: which site alleles arise."""

    @pytest.mark.parametrize(
        ("kind", "gt", "arises"),
        [("gvcf", "0/0", False), ("gvcf", "./.", False), ("gvcf", "./1", True), ("gvcf", "0/1", True),
         ("vcf", "0/0", True), ("vcf", "./.", True)],
    )  # fmt: skip
    def test_what_somebody_carries(self, judged, kind, gt, arises):
        found = judged(f"chr20 5 A C . . GT:DP:GQ:AD {gt}:3:2:15,15", kind=kind)
        assert (C5 in found.made) is arises and C5 in found.alleles

    def test_of_several_alts_only_those_in_the_genotype(self, judged):
        found = judged("chr20 5 AC GT,GC,TC,<*> . . GT:DP:GQ:AD 0/2:30:60:15,0,15,0,0")
        assert found.made == {("chr20", 5, "A", "G")}
        assert set(found.alleles) - found.made == {("chr20", 6, "C", "T"), ("chr20", 5, "A", "T")}


class TestListed:
    """C6.2: who lists it is judged by these rows alone."""

    def test_a_failing_carrier_is_missing(self, judged):
        for cell in ("0/1:30:19:15,15,0", "./.:30:60:15,15,0"):
            found = judged(BLOCK, f"{SNV} {cell}")
            assert found.code(C5) == "missing"
        assert judged(BLOCK, f"{SNV} 0/1:30:19:15,15,0", raw=True).code(C5, raw=True) == "het"

    def test_two_rows_at_one_pos_are_judged_one_by_one(self, judged):
        """An SNV that is homozygous beside an insertion that is not: both are what their own row says."""
        snv = "chr20 5 A C,<*> . . GT:DP:GQ:AD 1/1:{}:60:0,30,0"
        insertion = "chr20 5 A AT,<*> . . GT:DP:GQ:AD 0/1:30:{}:15,15,0"
        t5 = ("chr20", 5, "A", "AT")
        found = judged(snv.format(30), insertion.format(60))
        assert (found.code(C5), found.code(t5)) == ("hom", "het")
        found = judged(snv.format(30), insertion.format(19))
        assert (found.code(C5), found.code(t5)) == ("hom", "missing")
        found = judged(insertion.format(60), snv.format(9))
        assert (found.code(C5), found.code(t5)) == ("missing", "het")

    def test_two_hets_at_one_pos(self, judged):
        rows = "chr20 5 A C PASS . GT:DP:GQ:AD 0/1:30:90:15,15", "chr20 5 AC A LowQual . GT:DP:GQ:AD 0/1:28:80:14,14"
        found = judged(*rows)
        assert [found.code(("chr20", 5, *a)) for a in (("A", "C"), ("AC", "A"))] == ["het", "het"]
        # For what neither lists, both are reference calls.
        assert found.at("chr20", 5) == "ref2"

    def test_half_calls_of_rows_that_were_split_are_missing(self, judged):
        """1/2 as `bcftools norm -m-` writes it."""
        calls = ("C", "1/."), ("G", "./1")
        found = judged(*(f"chr20 5 A {alt} . . GT:DP:GQ:AD {gt}:30:60:15,15" for alt, gt in calls))
        assert {site: row["code"] for site, row in found.alleles.items()} == {
            C5: "missing", ("chr20", 5, "A", "G"): "missing",
        }  # fmt: skip


class TestStarts:
    """C6.3: who does not list it is judged by the own rows that start at its position."""

    def test_they_come_before_what_covers(self, judged):
        other = "chr20 5 A G,<NON_REF> . . GT:DP:GQ:AD"
        assert judged(BLOCK, f"{other} 0/1:30:60:15,15,0").code(C5) == "ref2"
        assert judged(BLOCK, f"{other} 0/1:30:19:15,15,0").code(C5) == "missing"
        again = "chr20 5 A T . . GT:DP:GQ:AD 1/1:30:60:0,30"
        assert judged(BLOCK, f"{other} 0/1:30:19:15,15,0", again).code(C5) == "ref2"

    def test_a_block_that_starts_at_such_a_row_counts_among_them(self, judged):
        other = "chr20 5 A G,<NON_REF> . . GT:DP:GQ:AD 0/1:30:19:15,15,0"
        assert judged(other, "chr20 5 A <NON_REF> . . GT:DP:GQ 0/0:30:60").code(C5) == "ref2"
        assert judged(other, "chr20 5 A <NON_REF> . . GT:DP:GQ 0/0:30:9").code(C5) == "missing"

    def test_start_is_the_pos_as_written(self, judged):
        """`CAG>CAT` at 6 is at 8: it covers 8, where nothing starts."""
        padded = "chr20 6 CAG CAT . . GT:DP:GQ:AD 0/1:30:{}:15,15"
        site = ("chr20", 8, "G", "A")
        assert judged(padded.format(60)).code(site) == "ref2"
        assert judged(BLOCK, padded.format(19)).code(site) == "ref2"
        assert judged(BLOCK, padded.format(19)).code(("chr20", 6, "C", "A")) == "missing"

    def test_no_data_is_missing(self, judged):
        assert judged("chr20 1 G <*> . END=4 GT:DP:GQ 0/0:30:60").code(C5) == "missing"

    def test_the_base_of_a_listed_allele_is_told_too(self, judged):
        """So that counts can take out again whom the runs have counted."""
        found = judged(BLOCK, f"{SNV} 0/1:30:60:15,15,0", "chr20 9 G T,<*> . . GT:DP:GQ:AD 0/1:30:19:15,15,0", raw=True)
        assert found.alleles[C5]["base"] == found.at("chr20", 5) == "ref2"
        assert found.alleles["chr20", 9, "G", "T"]["base"] == found.at("chr20", 9) == "missing"
        assert found.alleles["chr20", 9, "G", "T"]["raw_base"] == found.at("chr20", 9, raw=True) == "ref2"


class TestCovers:
    """C6.4: what covers a position."""

    @pytest.mark.parametrize(
        ("row", "expected"),
        own_files.ONE_BLOCK,
    )
    def test_one_block(self, judged, row, expected):
        assert judged(row).code(C5) == expected

    def test_blocks_go_on_beneath_rows(self, judged):
        insertion = "chr20 7 A AT,<NON_REF> . . GT:DP:GQ:AD 0/1:3:1:15,15,0"
        found = judged(BLOCK, insertion)
        assert found.code(G9) == "ref2"
        assert found.runs == [("chr20", 1, 6, "ref2", False), ("chr20", 8, 30, "ref2", False)]

    @pytest.mark.parametrize("pos", [1, 3, 5])
    def test_a_call_beats_missing(self, judged, pos):
        failing = f"chr20 {pos} {BASES[pos - 1]} <NON_REF> . END=12 GT:DP:GQ 0/0:3:3"
        assert judged(BLOCK, failing).code(C5) == "ref2"

    @pytest.mark.parametrize("alt", ["A", "ACAGT", "TCAGG", "TGTCA"])
    @pytest.mark.parametrize(("pos", "expected"), [(5, "ref2"), (6, "ref2"), (9, "ref2"), (10, "missing")])
    def test_a_longer_row_covers_its_bases(self, judged, alt, pos, expected):
        row = f"chr20 5 ACAGG {alt},<NON_REF> . . GT:DP:GQ:AD 0/1:30:60:15,15,0"
        assert judged(row).at("chr20", pos) == expected
        assert judged(row.replace(":60:", ":19:")).at("chr20", pos) == "missing"
        # C6.6: a VCF has calls where its rows start.
        assert judged(row, kind="vcf").at("chr20", pos) == ("ref2" if pos == 5 else "missing")

    def test_a_deletion_is_a_call_by_the_ploidy_of_the_position(self, judged):
        """A man's deletion over the end of the PAR: two alleles are expected at 18, one at 19."""
        for gt, expected in (("0/1", ["ref2", "missing"]), ("1/1", ["ref2", "ref1"]), ("1", ["missing", "ref1"])):
            found = judged(f"chrX 15 GTTTT G . . GT:DP:GQ:AD {gt}:30:60:15,15", sex="M")
            assert [found.at("chrX", pos) for pos in (18, 19)] == expected

    def test_a_reference_row_with_an_snv_inside(self, judged):
        deletion = "chr20 5 ACAGG A,<NON_REF> . . GT:DP:GQ:AD 0/0:30:60:30,0,0"
        snv = "chr20 7 A T,<NON_REF> . . GT:DP:GQ:AD 0/1:30:{}:15,15,0"
        assert judged(deletion, snv.format(60)).code(("chr20", 7, "A", "T")) == "het"
        assert judged(deletion, snv.format(1)).code(("chr20", 7, "A", "G")) == "missing"
        assert judged(deletion, snv.format(60)).code(("chr20", 8, "G", "T")) == "ref2"

    def test_blocks_that_meet_are_one_run(self, judged):
        spans = ((1, 9, 30), (10, 20, 90), (19, 25, 12))
        rows = [f"chr20 {p} {BASES[p - 1]} <*> . END={e} GT:DP:GQ 0/0:{n}:60" for p, e, n in spans]
        assert judged(*rows).runs == [("chr20", 1, 25, "ref2", False)]

    def test_blocks_on_the_mitochondrion(self, judged):
        found = judged("chrM 1 G <*> . END=9 GT:DP:GQ 0/0:5:60", "chrM 10 C <*> . END=12 GT:DP:GQ 0:4:60", sex="U")
        assert found.runs == [("chrM", 1, 9, "ref1", False)]


class TestVcf:
    """C6.6: a single-sample VCF has no blocks."""

    def test_people_are_called_where_rows_start(self, judged):
        reference = "chr20 5 A . . . GT:DP:GQ:AD 0/0:30:60:30"
        assert judged(reference, kind="vcf").code(C5) == "ref2"
        assert judged("chr20 5 A G . . GT:DP:GQ:AD 0/1:30:60:15,15", kind="vcf").code(C5) == "ref2"
        assert judged("chr20 4 T . . END=9 GT:DP:GQ:AD 0/0:30:60:30", kind="vcf").code(C5) == "missing"
        assert judged("chr20 4 TA GC . . GT:DP:GQ:AD 0/1:30:60:15,15", kind="vcf").code(C5) == "het"

    def test_a_symbolic_allele_is_no_block(self, judged):
        found = judged("chr20 4 T <*> . END=9 GT:DP:GQ:AD 0/0:30:60:30,0", kind="vcf")
        assert found.runs == [("chr20", 4, 4, "ref2", False)]


class TestFilters:
    """C3.6: FILTER of the file is about the call."""

    @pytest.mark.parametrize(
        ("rows", "expected"),
        [
            (["PASS . GT:DP:GQ:AD 0/1:30:60:15,15"], None),
            ([". . GT:DP:GQ:AD 0/1:30:60:15,15"], None),
            (["q;r . GT:DP:GQ:AD 0/1:30:60:15,15"], "q;r"),
            (["a:b . GT:DP:GQ:AD 0/1:30:60:15,15"], "a:b"),
            # Who does not carry it, or does not count, has none.
            (["RefCall . GT:DP:GQ:AD 0/0:30:60:30,0"], None),
            (["q . GT:DP:GQ:AD 0/1:30:19:15,15"], None),
            # One row that passes is enough; one that does not carry it decides nothing.
            (["q . GT:DP:GQ:AD 0/1:30:60:15,15", "PASS . GT:DP:GQ:AD 0/1:30:60:15,15"], None),
            (["q . GT:DP:GQ:AD 0/1:30:60:15,15", "r . GT:DP:GQ:AD 0/1:30:60:15,15"], "q;r"),
            (["q . GT:DP:GQ:AD 0/1:30:60:15,15", "PASS . GT:DP:GQ:AD 0/0:30:60:30,0"], "q"),
            (["q . GT:DP:GQ:AD 0/1:30:60:15,15", "PASS . GT:DP:GQ:AD 1/1:30:60:0,30"], None),
            # FT is another thing, not asked.
            (["PASS . GT:DP:GQ:AD:FT 0/1:30:60:15,15:q"], None),
        ],
    )
    @pytest.mark.parametrize("kind", ["gvcf", "vcf"])
    def test_of_one_allele(self, judged, kind, rows, expected):
        assert judged(*(f"chr20 5 A C {row}" for row in rows), kind=kind).alleles[C5]["ft"] == expected

    def test_qual_is_that_of_rows_that_make_it(self, judged):
        found = judged("chr20 5 A C,G,<*> . . GT:DP:GQ:AD 0/2:30:60:15,0,15,0")
        assert found.alleles["chr20", 5, "A", "G"]["qual"] == 50 and found.alleles[C5]["qual"] is None


def test_counters_of_a_person(judged):
    rows = BLOCK.replace("END=30", "END=10"), f"{SNV} 0/1:30:60:15,15,0", "chrX 21 A C . . GT:DP:GQ:AD 1:9:9:0,9"
    found = judged(*rows, sex="M")
    counters = {
        number: dict(zip(schemas.COUNTERS, row, strict=True)) for number, row in found.one.about()["counters"].items()
    }
    assert counters["1"] == {
        "n_records": 11, "n_called": 11, "n_het": 1, "n_hom_alt": 0, "n_missing_in": 0, "n_failed": 0, "n_counted": 11,
        "sum_dp": 28 * 10 + 30, "n_dp": 11, "n_par": 0, "n_par_haploid": 0,
        **dict.fromkeys(schemas.OF_VARIANTS, 0), "n_snv": 1, "n_het_snv": 1, "n_tv": 1,
    }  # fmt: skip
    assert (counters["2"]["n_failed"], counters["2"]["n_counted"]) == (1, 0)


def test_variants_of_the_standard_are_of_autosomes_and_before_the_genotype_filter(judged):
    rows = (
        f"{SNV} 0/1:3:9:2,1,0",
        "chr20 9 G T . . GT:DP:GQ:AD 1/1:30:60:0,30",
        "chr20 11 CA C q . GT:DP:GQ:AD 1/1:30:60:0,30",
        "chr20 12 A AG,G PASS . GT:DP:GQ:AD 1/2:2:3:0,1,1",
        "chrX 21 A C PASS . GT:DP:GQ:AD 1/1:30:60:0,30",
    )
    told = judged(*rows).one.about()["counters"]
    counters = [dict(zip(schemas.COUNTERS, row, strict=True)) for row in told.values()]
    found = {name: sum(row[name] for row in counters) for name in schemas.OF_VARIANTS}
    assert found == {
        **{"n_snv": 3, "n_het_snv": 2, "n_hom_snv": 1, "n_insertion": 1, "n_deletion": 0},
        **{"n_het_indel": 1, "n_hom_indel": 0, "n_ti": 1, "n_tv": 2},
    }


@pytest.mark.parametrize(
    ("kind", "coding", "expected"),
    [
        ("gvcf", ("0", "1", "."), (11, 11)),
        ("gvcf", ("0/0", "1", "./."), (11, 1)),
        ("gvcf", ("0/0", "0/1", "./."), (11, 0)),
        ("vcf", ("0", "1", "."), (2, 2)),
        ("vcf", ("0/.", "1", "."), (2, 1)),
    ],
)
def test_calls_of_one_allele_in_a_par_are_counted(judged, kind, coding, expected):
    """Bases of blocks and rows before the end of the PAR, whether they pass or not; no call is none of either."""
    block, snv, none = coding
    rows = (
        f"chrX 9 G <NON_REF> . END=30 GT:DP:GQ {block}:30:60",
        f"chrX 9 G A . . GT:DP:GQ:AD {snv}:3:60:0,3",
        f"chrX 12 A T . . GT:DP:GQ:AD {none}:30:60:0,30",
        "chrX 21 A C . . GT:DP:GQ:AD 1:30:60:0,30",
        "chrY 9 G A . . GT:DP:GQ:AD 1:30:60:0,30",
        "chr20 9 G A . . GT:DP:GQ:AD 1:30:60:0,30",
    )
    found = judged(*rows, sex="M", kind=kind)
    counters = {n: dict(zip(schemas.COUNTERS, row, strict=True)) for n, row in found.one.about()["counters"].items()}
    assert (counters["1"]["n_par"], counters["1"]["n_par_haploid"]) == expected
    assert all(not row["n_par"] for number, row in counters.items() if number != "1")


def test_depths_of_what_is_homozygous(judged):
    row = "chr20 5 A C,<*> . . GT:DP:GQ:AD 1/1:30:60:1,29,0"
    found = judged(row, "chr20 9 G T,<*> . . GT:DP:GQ:AD 0/1:30:60:15,15,0")
    row = found.alleles[C5]
    assert [row[k] for k in ("gq", "dp", "ad_ref", "ad_alt")] == [60, 30, 1, 29]
    assert np.isnan(found.alleles["chr20", 9, "G", "T"]["dp"])


@pytest.mark.parametrize("chunk", [1, 50, 400])
@pytest.mark.parametrize("rows", [1, 2])
def test_what_is_read_at_once_changes_nothing(judged, monkeypatch, chunk, rows):
    lines = [BLOCK, "chr20 5 A <NON_REF> . END=6 GT:DP:GQ 0/0:3:3", f"{SNV} 0/1:30:60:15,15,0",
             "chr20 5 A G . . GT:DP:GQ:AD 0/1:30:19:15,15", "chr20 5 A <NON_REF> . END=12 GT:DP:GQ 0/0:30:60",
             "chr20 7 A T . . GT:DP:GQ:AD 0/1:30:19:15,15", "chrM 5 A C . . GT:DP:GQ:AD 1:30:60:0,15"]  # fmt: skip
    whole = judged(*lines, raw=True)
    monkeypatch.setattr("goe.calls.own_file._CHUNK", chunk)
    monkeypatch.setattr("goe.calls.own_file._ROWS", rows)
    again = judged(*lines, raw=True)
    assert str(again.alleles) == str(whole.alleles) and again.runs == whole.runs
    assert again.at("chr20", 5) == "ref2"


def test_groups_are_stretches_of_a_contig(judged, monkeypatch):
    lines = BLOCK, f"{SNV} 0/1:30:60:15,15,0", "chr20 19 TT T . . GT:DP:GQ:AD 0/1:30:60:15,15"
    whole = judged(*lines, raw=True)
    monkeypatch.setattr(person, "WINDOW", 7)
    again = judged(*lines, raw=True)
    assert str(again.alleles) == str(whole.alleles)
    for raw in (False, True):
        for pos in range(1, 31):
            assert again.at("chr20", pos, raw) == whole.at("chr20", pos, raw)


def test_tables_of_a_person_who_is_another_stop(judged, tmp_path):
    one = judged(BLOCK).one
    one = person.Harmoniser(OwnFile(one.file.path, "p", BUILD.contigs, {}, True), BUILD, one.fasta, "F", Filter())
    paths = str(tmp_path / "a.parquet"), str(tmp_path / "r.parquet")
    batch.write_person(one, tmp_path, *paths)
    out = {name: str(tmp_path / f"{name}.parquet") for name in ("sites", "rows", "runs", "people")}
    batch.gather([("p", *paths)], BUILD, out)
    with pytest.raises(GoeError, match="is of somebody else"):
        batch.gather([("q", *paths)], BUILD, out)


def test_a_job_does_without_what_is_loaded_for_one_column(repo, fasta, tmp_path):
    """0.06 s and 8 MB of each job of people's own files."""
    code = f"""
import sys
from goe.calls.own_file import OwnFile
from goe.genome.build import Build
from goe.harmonise import batch
from goe.harmonise.genotypes import Filter
from goe.harmonise.person import Harmoniser
build = Build("toy", {{"chr20": {len(BASES)}}}, [])
one = Harmoniser(OwnFile("p.vcf", "p", build.contigs, {{}}, True), build, {fasta!r}, "F", Filter())
batch.write_person(one, ".", "alleles.parquet", "runs.parquet")
print("pyarrow.compute" in sys.modules)
"""
    header = "##fileformat=VCFv4.2\n##contig=<ID=chr20>\n##FILTER=<ID=q,Description=q>\n"
    header += "".join(f'##FORMAT=<ID={key},Number=1,Type=String,Description="{key}">\n' for key in ("GT", "FT"))
    header += "".join(f'##FORMAT=<ID={key},Number=.,Type=Integer,Description="{key}">\n' for key in ("DP", "GQ", "AD"))
    row = "chr20\t5\t.\tA\tC\t50\tq\t.\tGT:DP:GQ:AD:FT\t0/1:30:60:15,15:q\n"
    (tmp_path / "p.vcf").write_text(f"{header}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tp\n{row}")
    env = {**os.environ, "PYTHONPATH": str(repo / "scripts")}
    run = [sys.executable, "-c", code]
    assert subprocess.run(run, capture_output=True, text=True, check=True, env=env, cwd=tmp_path).stdout == "False\n"
    assert pq.read_table(tmp_path / "alleles.parquet")["ft"].to_pylist() == ["q"]
