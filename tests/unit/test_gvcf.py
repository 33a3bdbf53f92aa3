"""A person's lines: from bcftools to a gVCF, and from any gVCF or VCF to the form that is merged."""

import pytest
from goe.calls import gvcf
from goe.core.errors import GoeError

CONTIGS = {"chr1": 1000}


def line(pos, ref, alt, values, form="GT:DP:GQ:AD", info=".", contig="chr1", qual=".", filters="."):
    return "\t".join([contig, str(pos), ".", ref, alt, qual, filters, info, form, values]).encode()


def body(lines):
    return [out.decode().split("\t") for out in lines if not out.startswith(b"#")]


def uniform(*lines, blocks=True, rename=None, ft=False):
    """(rows, ledger) of a file of person P with these records."""
    head = [b'##FILTER=<ID=LowQual,Description="x">', b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tP"]
    change = gvcf.Uniform("p.vcf", "P", CONTIGS, rename or {}, blocks, base=lambda contig, pos: b"T", respect_ft=ft)
    rows = body(list(change([*head, *lines])))
    change.ledger.check()
    return rows, change.ledger


class TestFromBcftools:
    def called(self, *lines):
        return body(gvcf.from_bcftools(lines, CONTIGS, "P"))

    def ref(self, start, end, dp, rgq, info=""):
        return line(start, "A", ".", f"0/0:{dp}:{rgq}", "GT:DP:RGQ", f"{info}END={end};MinDP={dp}")

    def test_blocks_join_and_carry_the_smallest(self):
        rows = self.called(self.ref(1, 10, 30, 90), self.ref(11, 11, 28, 60), self.ref(12, 20, 33, 99))
        assert rows == [["chr1", "1", ".", "A", "<*>", ".", ".", "END=20", "GT:DP:GQ", "0/0:28:60"]]

    @pytest.mark.parametrize(("dp", "gq"), [(9, 40), (30, 19), (4, 12)])
    def test_no_block_crosses_a_threshold(self, dp, gq):
        rows = self.called(self.ref(1, 10, 11, 40), self.ref(11, 11, dp, gq), self.ref(12, 20, 11, 40))
        assert [row[9] for row in rows] == ["0/0:11:40", f"0/0:{dp}:{gq}", "0/0:11:40"]

    def test_depth_within_a_block_stays_near(self):
        rows = self.called(self.ref(1, 10, 30, 90), self.ref(11, 20, 38, 99), self.ref(21, 30, 41, 99))
        assert [row[9] for row in rows] == ["0/0:30:90", "0/0:41:99"]

    def test_a_gap_and_a_variant_end_a_block(self):
        rows = self.called(
            self.ref(1, 10, 30, 90),
            self.ref(12, 14, 30, 90),
            line(15, "A", "C", "0/1:255,0,255:30:15,15:0:99", "GT:PL:DP:AD:RGQ:GQ", qual="222"),
            self.ref(16, 20, 30, 90),
        )
        assert [(row[1], row[7]) for row in rows] == [("1", "END=10"), ("12", "END=14"), ("15", "."), ("16", "END=20")]
        assert rows[2][8:] == ["GT:DP:GQ:AD", "0/1:30:99:15,15"]

    def test_an_indel_not_called_lowers_the_confidence_at_its_position(self):
        rows = self.called(
            self.ref(1, 9, 30, 90),
            self.ref(10, 10, 30, 90),
            line(10, "ATT", ".", "0/0:25:12", "GT:DP:RGQ", "INDEL;IDV=3"),
            self.ref(11, 20, 30, 90),
        )
        assert [(r[1], r[7], r[9]) for r in rows] == [
            ("1", "END=9", "0/0:30:90"),
            ("10", "END=10", "0/0:25:12"),
            ("11", "END=20", "0/0:30:90"),
        ]

    def test_an_indel_called_takes_its_position_from_the_block(self):
        rows = self.called(
            self.ref(1, 10, 30, 90), line(10, "AT", "A", "0/1:0:30:14,16:0:80", "GT:PL:DP:AD:RGQ:GQ", "INDEL")
        )
        assert [(r[1], r[4], r[7]) for r in rows] == [("1", "<*>", "END=9"), ("10", "A", ".")]

    def test_no_reads_no_block(self):
        assert self.called(self.ref(1, 10, 0, 0)) == []


def test_confidence_is_the_distance_to_the_next_genotype():
    lines = [line(1, "A", "<*>", "0,84,255:28", "PL:DP"), line(2, "A", "C,<*>", "20,0,99,30,99,120:9", "PL:DP")]
    assert [row[9] for row in body(gvcf.with_confidence(lines))] == ["0,84,255:28:84", "20,0,99,30,99,120:9:0"]


@pytest.mark.parametrize(("pl", "gq"), [(b"0,30,200", 30), (b"99,0,40", 40), (b"0,500,900", 127), (b".", None)])
def test_quality_of_likelihoods(pl, gq):
    assert gvcf.quality_of_likelihoods(pl) == gq


class TestUniformGvcf:
    def test_gatk(self):
        rows, ledger = uniform(
            line(1, "A", "<NON_REF>", "0/0:47:99:42:0,117,1341", "GT:DP:GQ:MIN_DP:PL", "END=9"),
            line(10, "A", "C,G,<NON_REF>", "0/2:0,15,15,0:30:99", "GT:AD:DP:GQ", "DP=30", qual="50"),
            line(11, "C", "T,<NON_REF>", "0/0:30,2,0:32:60", "GT:AD:DP:GQ", "DP=30", qual="0", filters="LowQual"),
        )
        assert [r[1:2] + r[3:] for r in rows] == [
            ["1", "A", ".", ".", ".", "END=9", "GT:DP:GQ", "0/0:42:99"],
            ["10", "A", "G", "50", ".", ".", "GT:DP:GQ:AD", "0/1:30:99:0,15"],
            ["11", "C", ".", ".", ".", "END=11", "GT:DP:GQ", "0/0:32:60"],
        ]
        assert ledger.taken["records"] == ledger.given["records"] == 3

    def test_bcftools_blocks_without_gq_take_it_from_pl(self):
        rows, _ = uniform(
            line(1, "A", ".", "0/0:44", "GT:DP", "END=9;MinDP=44"),
            line(10, "A", "<*>", "0/0:12:0,36,255", "GT:DP:PL", "END=20;MinDP=12"),
        )
        assert [r[9] for r in rows] == ["0/0:44:.", "0/0:12:36"]

    def test_blocks_do_not_overlap(self):
        rows, ledger = uniform(
            line(1, "A", "<*>", "0/0:30:90", "GT:DP:GQ", "END=20"),
            line(10, "AT", "A", "0/1:30:90:15,15"),
            line(10, "A", "<*>", "0/0:30:15", "GT:DP:GQ", "END=25"),
            line(22, "A", "<*>", "0/0:30:15", "GT:DP:GQ", "END=24"),
        )
        assert [(r[1], r[3], r[7]) for r in rows] == [("1", "A", "END=9"), ("10", "AT", "."), ("21", "T", "END=25")]
        assert ledger.dropped["records"] == {"covered": 1}

    def test_haploid_and_missing(self):
        rows, ledger = uniform(
            line(1, "A", "<NON_REF>", "0:30:90", "GT:DP:GQ", "END=9"),
            line(10, "A", "C,<NON_REF>", "./.:3:0:1,2,0", "GT:DP:GQ:AD"),
            line(11, "A", "C,<NON_REF>", "1:30:90:0,30,0"),
        )
        assert [r[9] for r in rows] == ["0:30:90", "1:30:90:0,30"]
        assert ledger.dropped["records"] == {"no_call": 1}

    def test_a_spanning_deletion_is_an_allele(self):
        rows, _ = uniform(line(5, "a", "c,*,<NON_REF>", "1|2:30:90:0,15,15,0"))
        assert (rows[0][3], rows[0][4], rows[0][9]) == ("A", "C,*", "1/2:30:90:0,15,15")


class TestUniformVcf:
    def test_every_record_stays(self):
        rows, ledger = uniform(
            line(1, "A", ".", "0/0:30:90:30"),
            line(2, "A", "C,<NON_REF>", "0/0:30:90:30,0,0", filters="LowQual"),
            line(3, "A", "<DEL>", "0/1:30:90:15,15", info="END=90"),
            blocks=False,
        )
        assert [(r[1], r[4], r[6], r[7]) for r in rows] == [
            ("1", ".", ".", "."),
            ("2", "C", ".", "."),
            ("3", "<DEL>", ".", "."),
        ]
        assert ledger.given["records"] == 3

    def test_ft_only_when_asked_for(self):
        one = line(1, "A", "C", "0/1:30:90:15,15:q", "GT:DP:GQ:AD:FT")
        assert uniform(one, blocks=False)[0][0][8] == "GT:DP:GQ:AD"
        assert uniform(one, blocks=False, ft=True)[0][0][9] == "0/1:30:90:15,15:q"

    @pytest.mark.parametrize("blocks", [True, False])
    @pytest.mark.parametrize(
        ("status", "ft", "asked", "expected"),
        [
            ("PASS", "PASS", True, None),
            (".", ".", True, None),
            ("LowQual", "PASS", True, "LowQual"),
            ("LowQual;q", ".", False, "LowQual;q"),
            ("a:b", ".", False, "a%3Ab"),
            ("LowQual", "q", True, "q"),
            ("LowQual", "q", False, "LowQual"),
            ("PASS", "q", False, None),
        ],
    )
    def test_filter_becomes_ft_where_it_fails(self, status, ft, asked, expected, blocks):
        one = line(1, "A", "C", f"0/1:30:90:15,15:{ft}", "GT:DP:GQ:AD:FT", filters=status)
        [row] = uniform(one, blocks=blocks, ft=asked)[0]
        assert row[6] == "."
        values = ["0/1", "30", "90", "15,15"]
        assert row[8:] == (
            ["GT:DP:GQ:AD", ":".join(values)] if expected is None else ["GT:DP:GQ:AD:FT", ":".join([*values, expected])]
        )

    def test_filter_of_a_reference_call_goes(self):
        one = line(1, "A", "C", "0/0:30:90:30,0", filters="RefCall")
        two = line(1, "A", "G", "0/1:30:90:15,15", filters="PASS")
        assert uniform(one, blocks=False)[0][0][8] == "GT:DP:GQ:AD"
        assert uniform(one, two, blocks=False)[0][0][8] == "GT:DP:GQ:AD"


class TestOnePosition:
    def test_two_hets_are_one_genotype(self):
        rows, ledger = uniform(
            line(5, "A", "C", "0/1:30:90:15,15", filters="PASS"),
            line(5, "AT", "A", "0/1:28:80:14,14", filters="LowQual"),
        )
        assert rows[0][3:5] + rows[0][8:] == ["AT", "CT,A", "GT:DP:GQ:AD:FT", "1/2:30:80:14,15,14:LowQual"]
        assert ledger.dropped["records"] == {"same_position": 1}

    @pytest.mark.parametrize(
        ("first", "second", "genotype", "reason"),
        [
            ("0/1:30:90:15,15", "0/0:30:90:30,0", "0/1:30:90:15,15", "same_position"),
            ("./.:.:.:.", "0/1:30:90:15,15", "0/1:30:90:15,15", "same_position"),
            ("0/1:30:90:15,15", "1/1:30:90:0,30", "./.:30:90:15,15", "same_position_contradicts"),
        ],
    )
    def test_one_allele_twice(self, first, second, genotype, reason):
        rows, ledger = uniform(line(5, "A", "C", first), line(5, "A", "C", second), blocks=False)
        assert [r[9] for r in rows] == [genotype]
        assert ledger.dropped["records"] == {reason: 1}

    def test_more_copies_than_the_ploidy(self):
        rows, ledger = uniform(line(5, "A", "C", "0/1:30:90:15,15"), line(5, "A", "AT", "1/1:30:90:0,30"))
        assert rows[0][4] == "C,AT" and rows[0][9].startswith("2/2")
        assert ledger.dropped["records"] == {"same_position_exceeds_ploidy": 1}


class TestErrors:
    def test_contigs_are_renamed_or_left_out_and_counted(self):
        rows, ledger = uniform(
            line(5, "A", "C", "0/1:30:90:15,15", contig="1"),
            line(5, "A", "C", "0/1:30:90:15,15", contig="decoy"),
            rename={"1": "chr1"},
        )
        assert [r[0] for r in rows] == ["chr1"]
        assert ledger.dropped["records"] == {"contig_not_counted": 1}

    def test_another_persons_file(self):
        change = gvcf.Uniform("p.vcf", "Q", CONTIGS, {}, True, base=lambda c, p: b"T")
        with pytest.raises(GoeError, match=r"p\.vcf: holds P where the sheet says Q"):
            list(change([b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tP"]))

    def test_unsorted(self):
        with pytest.raises(GoeError, match=r"chr1:4: stands after position 5"):
            uniform(line(5, "A", "C", "0/1:30:90:15,15"), line(4, "A", "C", "0/1:30:90:15,15"))

    def test_an_allele_that_is_not_there(self):
        with pytest.raises(GoeError, match="calls an allele the record does not have"):
            uniform(line(5, "A", "C", "0/2:30:90:15,15"))
