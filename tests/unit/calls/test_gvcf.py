"""A person's lines: from bcftools to a gVCF."""

import io
import subprocess

import pytest
from goe.calls import gvcf
from goe.core.errors import GoeError
from helpers import plain_calls, real_genomes

CONTIGS = {"chr1": 1000}


def line(pos, ref, alt, values, form="GT:DP:GQ:AD", info=".", contig="chr1", qual=".", filters="."):
    return "\t".join([contig, str(pos), ".", ref, alt, qual, filters, info, form, values]).encode()


def through(change, lines):
    """The lines that `change` makes of lines."""
    out = io.BytesIO()
    gvcf.filter_stream(io.BytesIO(b"".join(line + b"\n" for line in lines)), out, change)
    return out.getvalue().splitlines()


def body(change, lines):
    return [out.decode().split("\t") for out in through(change, lines) if not out.startswith(b"#")]


class TestBlocks:
    def called(self, *lines, **thresholds):
        return body(gvcf.Blocks(CONTIGS, "P", **thresholds), lines)

    def ref(self, start, end, dp, rgq, info=""):
        return line(start, "A", ".", f"0/0:{dp}:{rgq}", "GT:DP:RGQ", f"{info}END={end};MinDP={dp}")

    def test_blocks_join_and_carry_the_smallest(self):
        rows = self.called(self.ref(1, 10, 30, 90), self.ref(11, 11, 28, 60), self.ref(12, 20, 33, 99))
        assert rows == [["chr1", "1", ".", "A", "<*>", ".", ".", "END=20", "GT:DP:GQ", "0/0:28:60"]]

    @pytest.mark.parametrize(("dp", "gq"), [(9, 40), (30, 19), (4, 12)])
    def test_no_block_crosses_a_threshold(self, dp, gq):
        rows = self.called(self.ref(1, 10, 11, 40), self.ref(11, 11, dp, gq), self.ref(12, 20, 11, 40))
        assert [row[9] for row in rows] == ["0/0:11:40", f"0/0:{dp}:{gq}", "0/0:11:40"]

    @pytest.mark.parametrize(
        ("beside", "within", "thresholds"),
        [
            ((30, 40), (27, 40), {"min_dp": [28]}),
            ((9, 40), (7, 40), {"min_dp": [8, 3]}),
            ((30, 45), (30, 41), {"min_gq": [43]}),
            ((30, 14), (30, 16), {"min_gq": [15]}),
        ],
    )
    def test_no_block_crosses_a_threshold_in_force(self, beside, within, thresholds):
        """C6.5, whatever the config asks for."""
        rows = self.ref(1, 10, *beside), self.ref(11, 11, *within), self.ref(12, 20, *beside)
        assert len(self.called(*rows)) == 1
        assert [row[7][:6] for row in self.called(*rows, **thresholds)] == ["END=10", "END=11", "END=20"]

    def test_a_block_of_a_man_is_not_joined_to_one_of_two_alleles(self):
        """One allele is called where one is expected."""
        haploid = line(11, "A", ".", "0:30:90", "GT:DP:RGQ", "END=20;MinDP=30")
        rows = self.called(self.ref(1, 10, 30, 90), haploid)
        assert [(row[7], row[9]) for row in rows] == [("END=10", "0/0:30:90"), ("END=20", "0:30:90")]

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

    @pytest.mark.parametrize(
        ("sequence", "pos", "ref", "alt", "told"),
        [
            ("ACACNTT", 13, "AC", "A", False),  # as at 3107 of the rCRS
            ("ACCCNTT", 11, "AC", "A", False),  # of the run before the gap, left-aligned
            ("ACCCNTT", 11, "ACCC", "ACC", False),  # the same as bcftools writes it
            ("AGCGCGNTT", 11, "AGC", "A", False),  # a repeat that ends within
            ("AGCGCTNTT", 11, "AGC", "A", True),
            ("ACCTNTT", 11, "AC", "A", True),
            ("ACACNTT", 14, "C", "CG", True),
            ("ACACNTT", 14, "C", "G", True),
            ("ACACTTT", 13, "AC", "A", True),
            ("NACTTT", 12, "AC", "A", True),  # behind a gap it would have begun with the gap's base
            ("ACCRTT", 11, "AC", "A", False),
        ],
    )
    def test_a_deletion_that_may_be_of_an_unknown_base_is_none(self, sequence, pos, ref, alt, told):
        """The sequence starts at 11."""
        gaps = [list(gap) for gap in gvcf.gaps_of(sequence, 11)]
        row = line(pos, ref, alt, "1:255,0:30:0,30:0:99", "GT:PL:DP:AD:RGQ:GQ", info="INDEL;IDV=9")
        [found] = self.called(row, gaps=gaps)
        expected = [ref, alt, ".", "1:30:99:0,30"] if told else [ref[0], "<*>", f"END={pos}", "0:30:99"]
        assert [found[i] for i in (3, 4, 7, 9)] == expected

    def test_no_reads_no_block(self):
        assert self.called(self.ref(1, 10, 0, 0)) == []


def test_confidence_is_the_distance_to_the_next_genotype():
    lines = [line(1, "A", "<*>", "0,84,255:28", "PL:DP"), line(2, "A", "C,<*>", "20,0,99,30,99,120:9", "PL:DP")]
    assert [row[9] for row in body(gvcf.Confidence(), lines)] == ["0,84,255:28:84", "20,0,99,30,99,120:9:0"]


def test_confidence_where_one_allele_is_expected_asks_genotypes_of_one_allele():
    """0/1 of two alleles and 0/1, 0/2, 1/2 of three are no calls there."""
    lines = [line(1, "A", "<*>", "0,5,255:28", "PL:DP"), line(2, "A", "C,<*>", "0,3,99,4,5,120:9", "PL:DP")]
    assert [row[9] for row in body(gvcf.Confidence(haploid=True), lines)] == [
        "0,5,255:28:127",
        "0,3,99,4,5,120:9:99",
    ]
    assert [row[9].split(":")[-1] for row in body(gvcf.Confidence(), lines)] == ["5", "3"]


@pytest.mark.parametrize(("pl", "gq"), [(".", 0), ("0", 0), ("0,500,900", 127), ("9,0,40", 0)])
def test_confidence_without_likelihoods_and_at_its_cap(pl, gq):
    [row] = body(gvcf.Confidence(), [line(1, "A", "<*>", f"{pl}:28", "PL:DP")])
    assert row[9] == f"{pl}:28:{gq}"


def test_the_header_is_that_of_the_contigs_and_the_person():
    header = through(gvcf.Blocks({"chr1": 1000, "chrM": 16569}, "P"), [b"##fileformat=VCFv4.2", b"#CHROM\tPOS"])
    assert header[0] == b"##fileformat=VCFv4.2" and header[-1].endswith(b"\tFORMAT\tP")
    assert [row for row in header if row.startswith(b"##contig")] == [
        b"##contig=<ID=chr1,length=1000>",
        b"##contig=<ID=chrM,length=16569>",
    ]


def test_rgq_is_declared():
    lines = [b"##fileformat=VCFv4.2", b"#CHROM\tPOS"]
    assert [row[:19] for row in through(gvcf.Confidence(), lines)] == [lines[0][:19], b"##FORMAT=<ID=RGQ,Nu", lines[1]]


@pytest.mark.parametrize(
    "bad",
    [
        b"chr1\t1\t.\tA\t.\t.\t.\t.\tGT:DP:RGQ",
        line(1, "A", ".", "30:90", "DP:RGQ"),
        line(1, "A", ".", "0/0:x:90", "GT:DP:RGQ"),
        line(1, "A", ".", "0/0:30:90", "GT:DP:RGQ", "END=x"),
        line("x", "A", ".", "0/0:30:90", "GT:DP:RGQ"),
        line("x", "A", "C", "0/1:30:90", "GT:DP:GQ"),
        b"chr1",
    ],
)
def test_a_damaged_line_is_no_call(bad):
    with pytest.raises(GoeError, match="bcftools wrote a line in which"):
        through(gvcf.Blocks(CONTIGS, "P"), [line(1, "A", ".", "0/0:30:90", "GT:DP:RGQ"), bad])


@pytest.mark.parametrize("values", ["30", "0,x,3:30", "0;1:30", "0,,3:30"])
def test_no_likelihoods_no_confidence(values):
    with pytest.raises(GoeError, match="likelihoods of one person are expected"):
        through(gvcf.Confidence(), [line(1, "A", "<*>", values, "DP" if values == "30" else "PL:DP")])


def test_lines_longer_than_what_is_read_at_a_time():
    longer = "ACGT" * 200_000
    [row] = body(gvcf.Confidence(), [line(1, longer, "<*>", "0,9,99:28", "PL:DP")])
    assert row[3] == longer and row[9] == "0,9,99:28:9"
    [row] = body(gvcf.Blocks(CONTIGS, "P"), [line(1, longer, "A", "0/1:30:90", "GT:DP:GQ")])
    assert row[3] == longer


@pytest.mark.parametrize("haploid", [False, True])
def test_real_reads_are_told_as_plain_python_tells_them(shared, tmp_path, haploid):
    """20 kb at 30x."""
    fasta = tmp_path / "ref.fa"
    real_genomes.pad_reference(shared / "data/reference/hg19.chr20.1_10200000.fa.gz", fasta, "20", 63025520)
    [reads] = (shared / "data/reads").glob("HG002*.bam")
    mpileup = ["bcftools", "mpileup", "--no-version", "-f", fasta, "-r", "20:10020000-10040000", "-a", "AD,DP", "-Ov"]
    mpileup += ["-g", ",".join(map(str, gvcf.PILEUP_EDGES)), reads]
    pileup = subprocess.run(mpileup, capture_output=True, check=True).stdout.splitlines()
    confident = through(gvcf.Confidence(haploid), pileup)
    assert confident == list(plain_calls.with_confidence(pileup, haploid))
    call = ["bcftools", "call", "--no-version", "-m", "-a", "GQ", *["--ploidy", "1"] * haploid, "-Ov", "-"]
    text = b"".join(row + b"\n" for row in confident)
    called = subprocess.run(call, input=text, capture_output=True, check=True).stdout.splitlines()
    made = [row for row in through(gvcf.Blocks({}, "P", [5, 10], [20]), called) if not row.startswith(b"#")]
    assert made == list(plain_calls.from_bcftools(called, [5, 10], [20])) and len(made) > 200
