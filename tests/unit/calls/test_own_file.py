"""Rows of a person's own gVCF or VCF, in every dialect, and what must not be read in silence."""

import subprocess

import numpy as np
import pytest
from goe.calls import fields, own_file
from goe.calls.own_file import GQ_FROM_GQX, GQ_FROM_PL, GQ_ITSELF, GQ_NONE, OwnFile
from goe.core.errors import GoeError
from goe.hts.bcf import END_OF_VECTOR, MISSING
from goe.hts.text import padded

CONTIGS = {"chr1": 1000, "chr2": 500}
FORMATS = ("GT", "DP", "GQ", "AD", "MIN_DP", "PL", "FT", "GQX", "LEN", "LAA", "LAD")
HEAD = [
    "##fileformat=VCFv4.2",
    *(f"##FORMAT=<ID={key},Number=1,Type={'String' if key in ('GT', 'FT') else 'Integer'}>" for key in FORMATS),
]


def row(pos, ref, alt, values, form="GT:DP:GQ:AD", info=".", contig="chr1", qual=".", filters="."):
    return "\t".join(map(str, [contig, pos, ".", ref, alt, qual, filters, info, form, values]))


@pytest.fixture
def opened(tmp_path):
    """An `OwnFile` of person P with these rows."""

    def write(*rows, blocks=True, head=HEAD, sample="P", end="\n", last="\n", change=None, **options):
        columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tP"
        text = (end.join([*head, columns, *rows]) + last).encode()
        path = tmp_path / "p.vcf.gz"
        packed = subprocess.run(["bgzip", "-c"], input=text, capture_output=True, check=True).stdout
        path.write_bytes(change(packed) if change else packed)
        rename = options.pop("rename", {})
        return OwnFile(path, sample, CONTIGS, rename, blocks, **options)

    return write


@pytest.fixture
def read(opened):
    """(blocks as tuples, rows) of a file with these rows."""

    def run(*rows, **options):
        return told(opened(*rows, **options))

    return run


def told(file):
    blocks, others = [], []
    for chunk in file:
        b = chunk.blocks
        columns = zip(b.first, b.last, b.gt, b.dp[:, 0], b.gq[:, 0], b.source, b.ft_ok, strict=True)
        blocks += [(chunk.contig, int(f), int(e), tuple(g), d, q, int(s), bool(ok)) for f, e, g, d, q, s, ok in columns]
        others += [(chunk.contig, line) for line in own_file.listed(chunk.rows, file.reasons)]
    return blocks, others


REF2, REF1, HALF, NONE = (2, 2), (2, END_OF_VECTOR), (2, 0), (0, 0)


class TestBlocks:
    @pytest.mark.parametrize(
        ("alt", "values", "form", "info", "expected"),
        [
            # GATK: the smallest depth, not the median.
            ("<NON_REF>", "0/0:47:99:42:0,117,1341", "GT:DP:GQ:MIN_DP:PL", "END=9", (9, REF2, 42, 99, GQ_ITSELF)),
            # DeepVariant and GLnexus.
            ("<*>", "0/0:50:33:0,96,959", "GT:GQ:MIN_DP:PL", "END=9", (9, REF2, 33, 50, GQ_ITSELF)),
            # Strelka: no GQ.
            (".", "0/0:69:30:2:28", "GT:GQX:DP:DPF:MIN_DP", "END=9", (9, REF2, 28, 69, GQ_FROM_GQX)),
            (".", "0:69:30:2", "GT:GQX:DP:DPF", "END=9;BLOCKAVG_min30p3a", (9, REF1, 30, 69, GQ_FROM_GQX)),
            # bcftools: a depth in INFO, a quality that only the likelihoods tell.
            (".", "0/0:44", "GT:DP", "END=9;MinDP=40", (9, REF2, 44, MISSING, GQ_NONE)),
            ("<*>", "0/0:0,36,255", "GT:PL", "END=9;MinDP=40", (9, REF2, 40, 36, GQ_FROM_PL)),
            ("<*>", "0/0:0,36,255", "GT:PL", "MIN_DP=39;END=9;MinDP=40", (9, REF2, 39, 36, GQ_FROM_PL)),
            # VCF 4.5.
            ("<*>", "0/0:30:50:9", "GT:DP:GQ:LEN", ".", (9, REF2, 30, 50, GQ_ITSELF)),
            ("<*>", "0/0:30:50:9", "GT:DP:GQ:LEN", "END=20", (20, REF2, 30, 50, GQ_ITSELF)),
            # No end: as long as REF.
            ("<NON_REF>", "0/0:30:50", "GT:DP:GQ", ".", (1, REF2, 30, 50, GQ_ITSELF)),
            ("<NON_REF>", "0/0:30:50", "GT:DP:GQ", "END=.", (1, REF2, 30, 50, GQ_ITSELF)),
            # Depth of AD, where there is nothing else.
            ("<*>", "0/0:29,1:50", "GT:AD:GQ", "END=9", (9, REF2, 30, 50, GQ_ITSELF)),
            ("<*>", "0/0:.:.,30:50", "GT:DP:AD:GQ", "END=9", (9, REF2, 30, 50, GQ_ITSELF)),
            ("<*>", "0/0:.:50", "GT:DP:GQ", "END=9", (9, REF2, MISSING, 50, GQ_ITSELF)),
            # A GQ that is there is believed, one of likelihoods is capped.
            ("<*>", "0/0:30:127", "GT:DP:GQ", "END=9", (9, REF2, 30, 127, GQ_ITSELF)),
            ("<*>", "0/0:30:.:0,300,900", "GT:DP:GQ:PL", "END=9", (9, REF2, 30, 99, GQ_FROM_PL)),
            ("<*>", "0/0:30:.:.,.,.", "GT:DP:GQ:PL", "END=9", (9, REF2, 30, MISSING, GQ_NONE)),
            ("<*>", "0/0:30:.:7", "GT:DP:GQ:PL", "END=9", (9, REF2, 30, MISSING, GQ_NONE)),
            ("<*>", "0/0:30:.:40,7,90", "GT:DP:GQ:LPL", "END=9", (9, REF2, 30, 33, GQ_FROM_PL)),
            # As they are written.
            ("<*>", "0/0:30.5:19.95", "GT:DP:GQ", "END=9", (9, REF2, 30.5, 19.95, GQ_ITSELF)),
            # Fields that are left out at the end.
            ("<*>", "0/0", "GT:DP:GQ", "END=9", (9, REF2, MISSING, MISSING, GQ_NONE)),
            ("<*>", "./.:30:50", "GT:DP:GQ", "END=9", (9, NONE, 30, 50, GQ_ITSELF)),
            ("<*>", "0/.:30:50", "GT:DP:GQ", "END=9", (9, HALF, 30, 50, GQ_ITSELF)),
            ("<*>", "0|0:30:50", "GT:DP:GQ", "END=9", (9, REF2, 30, 50, GQ_ITSELF)),
            # A phase before the first allele (VCF 4.4).
            ("<*>", "|0|0:30:50", "GT:DP:GQ", "END=9", (9, REF2, 30, 50, GQ_ITSELF)),
            ("<*>", "/0:30:50", "GT:DP:GQ", "END=9", (9, REF1, 30, 50, GQ_ITSELF)),
        ],
    )
    def test_dialects(self, read, alt, values, form, info, expected):
        blocks, rows = read(row(1, "A", alt, values, form, info))
        assert blocks == [("chr1", 1, *expected, True)] and rows == []

    @pytest.mark.parametrize(
        ("ft", "ok"), [("PASS", True), (".", True), ("", True), ("LowQ", False), ("PASSED", False)]
    )
    def test_ft(self, read, ft, ok):
        [block], _ = read(row(1, "A", "<*>", f"0/0:30:50:{ft}", "GT:DP:GQ:FT", "END=9"))
        assert block[-1] is ok

    def test_blocks_lie_over_each_other_as_they_are(self, read):
        blocks, rows = read(
            row(1, "A", "<*>", "0/0:30:90", "GT:DP:GQ", "END=20"),
            row(10, "AT", "A,<*>", "0/1:30:90:15,15,0"),
            row(10, "A", "<*>", "0/0:30:15", "GT:DP:GQ", "END=25"),
            row(22, "A", "<*>", "0/0:30:15", "GT:DP:GQ", "END=24"),
        )
        assert [(b[1], b[2]) for b in blocks] == [(1, 20), (10, 25), (22, 24)]
        assert [(r.pos, r.alts) for _, r in rows] == [(10, ["A", "<*>"])]

    @pytest.mark.parametrize(
        ("alt", "values"),
        [
            ("C,<*>", "0/0:30:90"),
            ("<DEL>,<*>", "0/0:30:90"),
            ("<*>", "0/1:30:90"),
            ("C", "./.:30:90"),
            ("<*>", "0/0/0:30:90"),
        ],
    )
    def test_what_is_no_block(self, read, alt, values):
        blocks, rows = read(row(1, "A", alt, values, "GT:DP:GQ"))
        assert not blocks and len(rows) == 1

    def test_a_vcf_has_no_blocks(self, read):
        blocks, rows = read(row(1, "A", ".", "0/0:30:90:30"), row(2, "A", "<*>", "0/0:30:90:30,0"), blocks=False)
        assert not blocks and [r.alts for _, r in rows] == [[], ["<*>"]]

    def test_formats_that_change_from_row_to_row(self, read):
        forms = [("GT:DP:GQ", "0/0:30:90"), ("GT:GQ:DP", "0/0:90:30"), ("GT:X:DP:GQ", "0/0:7:30:90")] * 3
        blocks, _ = read(*(row(i, "A", "<*>", values, form) for i, (form, values) in enumerate(forms, 1)))
        assert {b[4:6] for b in blocks} == {(30, 90)} and len(blocks) == 9


class TestRows:
    def test_gatk(self, read):
        _, rows = read(
            row(10, "A", "C,G,<NON_REF>", "0/2:0,15,15,0:30:99", "GT:AD:DP:GQ", "DP=30", qual="50"),
            row(11, "c", "t,<NON_REF>", "0|1:30,2,0:32:60", "GT:AD:DP:GQ", qual="0", filters="LowQual;q"),
        )
        one, two = (r for _, r in rows)
        assert (one.ref, one.alts, one.qual, one.filter, one.gt) == ("A", ["C", "G", "<NON_REF>"], 50, ".", [0, 2])
        assert (one.ad, one.dp, one.gq) == ([0, 15, 15, 0], 30, 99)
        assert (two.ref, two.alts, two.qual, two.filter, two.gt) == ("C", ["T", "<NON_REF>"], 0, "LowQual;q", [0, 1])

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("0/1", [0, 1]), ("1|0", [1, 0]), ("./.", [None, None]), (".", [None]), ("1", [1]), ("./1", [None, 1]),
            ("1/.", [1, None]), ("0/0/1", [0, 0, 1]), ("|0|1", [0, 1]), ("/0/1", [0, 1]), ("/1", [1]),
        ],
    )  # fmt: skip
    def test_genotypes(self, read, text, expected):
        [(_, found)] = read(row(5, "A", "C", f"{text}:30:90:15,15"), blocks=False)[1]
        assert found.gt == expected

    def test_a_spanning_deletion_is_an_allele(self, read):
        [(_, found)] = read(row(5, "a", "c,*,<NON_REF>", "1|2:30:90:0,15,15,0"))[1]
        assert (found.ref, found.alts, found.gt) == ("A", ["C", "*", "<NON_REF>"], [1, 2])

    @pytest.mark.parametrize(
        ("values", "form", "expected"),
        [
            ("0/1:20", "GT:GQ", (20, GQ_ITSELF)),
            ("0/1:45.37", "GT:GQ", (45.37, GQ_ITSELF)),
            ("0/1:.:50,0,30", "GT:GQ:PL", (30, GQ_FROM_PL)),
            ("0/1:150,0,180", "GT:PL", (99, GQ_FROM_PL)),
            ("0/1:50,0,.", "GT:PL", (MISSING, GQ_NONE)),
            ("0/1:50,0,30", "GT:LPL", (30, GQ_FROM_PL)),
            ("0/1:31", "GT:GQX", (31, GQ_FROM_GQX)),
            ("0/1:20:31", "GT:GQ:GQX", (20, GQ_ITSELF)),
            ("0/1", "GT:GQ", (MISSING, GQ_NONE)),
        ],
    )
    def test_quality(self, read, values, form, expected):
        [(_, found)] = read(row(5, "A", "C", values, form))[1]
        assert (found.gq, found.source) == expected

    @pytest.mark.parametrize(
        ("alt", "values", "form", "gt", "ad"),
        [
            ("C,G,T", "0/2:2:12,18", "GT:LAA:LAD", [0, 2], [12, MISSING, 18, MISSING]),
            ("C,G,T", "0/1:3:12,18", "LGT:LAA:LAD", [0, 3], [12, MISSING, MISSING, 18]),
            ("C,G,T", "1/2:2,3:1,12,18", "LGT:LAA:LAD", [2, 3], [1, MISSING, 12, 18]),
            ("C,G,T", "0/0:.:30", "LGT:LAA:LAD", [0, 0], [30, MISSING, MISSING, MISSING]),
            ("C,G", "0/1:2:10,10,10:1,1", "GT:LAA:AD:LAD", [0, 1], [10, 10, 10]),
        ],
    )
    def test_local_alleles(self, read, alt, values, form, gt, ad):
        [(_, found)] = read(row(5, "A", alt, values, form))[1]
        assert (found.gt, found.ad) == (gt, ad)

    @pytest.mark.parametrize("values", ["0/2:2:12", "0/2:2:12,18,1", "0/0:.:12,18", "1/2:1,2:12,18", "0/2:2:.,18,."])
    def test_lad_of_another_length_than_laa_stops(self, read, values):
        good = row(9, "A", "C,G", "0/2:2:12,18", "GT:LAA:LAD")
        with pytest.raises(GoeError, match=r"chr1:5: AD \(LAD\) has another number of values .* in 1 records"):
            read(row(5, "A", "C,G", values, "GT:LAA:LAD"), good)

    @pytest.mark.parametrize("values", ["0/2:2:.", "0/2:2:.,.,.", "0/0:.:.,."])
    def test_lad_without_a_value_says_nothing(self, read, values):
        [(_, found)] = read(row(5, "A", "C,G", values, "GT:LAA:LAD"))[1]
        assert set(found.ad or [MISSING]) == {MISSING}

    def test_ad_may_lack_the_symbolic_allele_alone(self, read):
        [(_, found)] = read(row(5, "A", "C,<NON_REF>", "0/1:30:90:15,15"))[1]
        assert found.ad == [15, 15, MISSING]

    @pytest.mark.parametrize(
        ("status", "ft", "expected"),
        [("PASS", "PASS", (".", ".")), (".", ".", (".", ".")), ("LowQual", "PASS", ("LowQual", ".")),
         ("LowQual;q", ".", ("LowQual;q", ".")), ("a:b", "q;r", ("a:b", "q;r"))],
    )  # fmt: skip
    @pytest.mark.parametrize("blocks", [True, False])
    def test_filter_and_ft(self, read, status, ft, expected, blocks):
        one = row(1, "A", "C", f"0/1:30:90:15,15:{ft}", "GT:DP:GQ:AD:FT", filters=status)
        [(_, found)] = read(one, blocks=blocks)[1]
        assert (found.filter, found.ft) == expected

    def test_depth_of_a_reference_row(self, read):
        """MIN_DP stands for DP where no ALT is called; a carrier's DP is its own."""
        rows = read(
            row(5, "A", "C,<*>", "0/0:28:90", "GT:MIN_DP:GQ"), row(6, "A", "C,<*>", "0/1:28:90", "GT:MIN_DP:GQ")
        )[1]
        assert [r.dp for _, r in rows] == [28, MISSING]


class TestContigs:
    def test_contigs_are_renamed_or_left_out_and_counted(self, opened):
        file = opened(
            row(5, "A", "C", "0/1:30:90:15,15", contig="1"),
            row(5, "A", "C", "0/1:30:90:15,15", contig="decoy"),
            row(6, "A", "<*>", "0/0:30:90", "GT:DP:GQ", contig="decoy"),
            row(5, "A", "C", "0/1:30:90:15,15", contig="chr2"),
            rename={"1": "chr1"},
        )
        assert [name for name, _ in told(file)[1]] == ["chr1", "chr2"]
        assert (file.records, file.left_out) == (4, 2)

    def test_a_contig_that_comes_again(self, read):
        one = row(5, "A", "C", "0/1:30:90:15,15")
        with pytest.raises(GoeError, match="chr1: stands in two places of the file"):
            read(one, row(5, "A", "C", "0/1:30:90:15,15", contig="chr2"), one)

    @pytest.mark.parametrize("alt", ["C", "<*>"])
    def test_unsorted(self, read, alt):
        with pytest.raises(GoeError, match=r"p\.vcf\.gz, chr1:4: stands after a later position.*bcftools sort"):
            read(row(5, "A", "C", "0/1:30:90:15,15"), row(4, "A", alt, "0/0:30:90:15,15"))

    def test_positions_outside_are_told_as_they_are(self, read):
        blocks, rows = read(
            row(0, "A", "<*>", "0/0:30:90", "GT:DP:GQ", "END=4"), row(2000, "A", "C", "0/1:30:90:15,15")
        )
        assert blocks[0][1:3] == (0, 4) and rows[0][1].pos == 2000


class TestForms:
    ROWS = (
        row(1, "A", "<*>", "0/0:30:90", "GT:DP:GQ", "END=4"),
        row(5, "A", "C,<*>", "0/1:30:90:15,15,0", filters="q"),
        row(6, "A", "<*>", "0/0:30:90:q", "GT:DP:GQ:FT", "END=9"),
    )

    def test_crlf(self, opened):
        assert told(opened(*self.ROWS, end="\r\n", last="\r\n")) == told(opened(*self.ROWS))

    @pytest.mark.parametrize("n", [1, 2, 3])
    def test_a_last_line_without_its_end(self, opened, n):
        whole = told(opened(*self.ROWS[:n]))
        assert told(opened(*self.ROWS[:n], last="")) == whole and sum(map(len, whole)) == n

    def test_no_rows(self, opened):
        file = opened()
        assert told(file) == ([], []) and file.records == 0

    @pytest.mark.parametrize("kind", ["-Ob", "-Ov", "-Oz", "-Ou"])
    def test_other_kinds_of_file(self, opened, tmp_path, kind):
        head = [*HEAD, "##contig=<ID=chr1,length=1000>", '##ALT=<ID=*,Description="x">',
                '##FILTER=<ID=q,Description="x">', '##INFO=<ID=END,Number=1,Type=Integer,Description="x">']  # fmt: skip
        head = [line.replace("Number=1", "Number=R") if "ID=AD" in line else line for line in head]
        head = [line[:-1] + ',Description="x">' if "FORMAT" in line else line for line in head]
        whole = told(opened(*self.ROWS, head=head))
        path = tmp_path / "other"
        subprocess.run(["bcftools", "view", kind, "-o", path, tmp_path / "p.vcf.gz"], check=True)
        assert told(OwnFile(path, "P", CONTIGS, {}, True)) == whole

    @pytest.mark.parametrize("chunk", [1, 7, 100, 1000])
    @pytest.mark.parametrize("rows", [1, 2, 3])
    def test_what_is_read_at_once_changes_nothing(self, opened, monkeypatch, chunk, rows):
        lines = [row(p, "A", "<*>", "0/0:30:90", "GT:DP:GQ", f"END={p + 1}") for p in range(1, 30, 2)]
        lines[3:3] = self.ROWS[1:2]
        lines += [row(p, "A", "C", "0/1:30:90:15,15", contig="chr2") for p in (3, 3, 4)]
        lines[4:] = sorted(lines[4:], key=lambda line: (line.split("\t")[0], int(line.split("\t")[1])))
        whole = told(opened(*lines, blocks=True))
        monkeypatch.setattr(own_file, "_CHUNK", chunk)
        monkeypatch.setattr(own_file, "_ROWS", rows)
        assert told(opened(*lines, blocks=True)) == whole and sum(map(len, whole)) == len(lines)


class TestStops:
    def test_another_persons_file(self, read):
        with pytest.raises(GoeError, match=r"p\.vcf\.gz: holds P where the sheet says Q.*reheader"):
            read(sample="Q")

    def test_a_file_without_its_header(self, read):
        with pytest.raises(GoeError, match="its header"):
            read(head=["no header"])

    def test_a_header_without_its_last_line(self, tmp_path):
        path = tmp_path / "p.vcf.gz"
        path.write_bytes(subprocess.run(["bgzip", "-c"], input=b"##x\n", capture_output=True, check=True).stdout)
        with pytest.raises(GoeError, match="has no #CHROM line"):
            told(OwnFile(path, "P", CONTIGS, {}, True))

    @pytest.mark.parametrize("key", ["DP", "GQ", "AD"])
    def test_numbers_that_are_declared_as_text(self, read, key):
        head = [line.replace("Integer", "String") if f"ID={key}," in line else line for line in HEAD]
        with pytest.raises(GoeError, match=f"FORMAT {key} is declared as text"):
            read(head=head)

    @pytest.mark.parametrize("alt", ["C", "<*>"])
    @pytest.mark.parametrize("form", ["GT:DP:GQ:DP", "GT:GT:DP:GQ", "GT:GQ:AD:AD"])
    def test_a_field_twice(self, read, form, alt):
        with pytest.raises(GoeError, match="twice"):
            read(row(5, "A", alt, "0/0:30:90:30", form))

    @pytest.mark.parametrize("alt", ["C", "<*>"])
    @pytest.mark.parametrize("cut", [0, 4, 9])
    def test_a_row_that_has_not_ten_columns(self, read, alt, cut):
        line = "\t".join(row(5, "A", alt, "0/0:30:90", "GT:DP:GQ").split("\t")[:cut])
        with pytest.raises(GoeError, match="is no row of ten columns"):
            read(line)
        with pytest.raises(GoeError, match="is no row of ten columns"):
            read(row(5, "A", alt, "0/0:30:90", "GT:DP:GQ") + "\t0/0")

    @pytest.mark.parametrize(
        ("pos", "alt", "values", "form", "info"),
        [
            ("x", "<*>", "0/0:30:90", "GT:DP:GQ", "."), ("", "C", "0/1:30:90", "GT:DP:GQ", "."),
            ("5", "<*>", "0/0:x:90", "GT:DP:GQ", "."), ("5", "<*>", "0/0:30:1e3", "GT:DP:GQ", "."),
            ("5", "<*>", "0/0:30:90", "GT:DP:GQ", "END=x"), ("5", "<*>", "0/0:30:90:x", "GT:DP:GQ:LEN", "."),
            ("5", "<*>", "0/0:30:90:x", "GT:DP:GQ:MIN_DP", "."), ("5", "<*>", "0/0:3,x:90", "GT:AD:GQ", "."),
            ("5", "C", "0/1:x:90", "GT:DP:GQ", "."), ("5", "C", "0/1:30:x", "GT:DP:GQ", "."),
            ("5", "C", "0/1:30:90:15,x", "GT:DP:GQ:AD", "."), ("5", "C", "0/x:30:90", "GT:DP:GQ", "."),
            ("5", "C", "0/1:30:.:1,x,3", "GT:DP:GQ:PL", "."), ("5", "<*>", "0/0:30:--5", "GT:DP:GQ", "."),
        ],
    )  # fmt: skip
    def test_a_number_that_cannot_be_read(self, read, pos, alt, values, form, info):
        with pytest.raises(GoeError, match=rf"p\.vcf\.gz, chr1:{pos}: a number cannot be read"):
            read(row(pos, "A", alt, values, form, info))

    @pytest.mark.parametrize(
        ("alt", "values"), [("C", "0/2"), ("C,<*>", "3/3"), ("<*>", "0/2"), (".", "0/1"), ("C", "-1/0")]
    )
    def test_an_allele_that_is_not_there(self, read, alt, values):
        with pytest.raises(GoeError, match=f"chr1:5: genotype {values} calls an allele the record does not have"):
            read(row(5, "A", alt, f"{values}:30:90", "GT:DP:GQ"))

    @pytest.mark.parametrize(("ref", "alt"), [("", "C"), ("A", ""), ("A", "C,,T"), ("A", "C,")])
    def test_an_empty_allele(self, read, ref, alt):
        with pytest.raises(GoeError, match="chr1:5: REF or an ALT is empty"):
            read(row(5, ref, alt, "0/1:30:90", "GT:DP:GQ"))

    def test_a_local_allele_that_is_not_there(self, read):
        with pytest.raises(GoeError, match="LAA names allele 2, which the record does not have"):
            read(row(5, "A", "C", "0/1:2:15,15", "GT:LAA:LAD"))
        with pytest.raises(GoeError, match="calls an allele the record does not have"):
            read(row(5, "A", "C", "0/1:2:15,15", "LGT:LAA:LAD"))
        for call in ("0/2:1:15,15", "0/1:.:15,15"):
            with pytest.raises(GoeError, match="calls an allele"):
                read(row(5, "A", "C,G", call, "LGT:LAA:LAD"))

    @pytest.mark.parametrize(
        ("alt", "ad"),
        [("C,G", "15,15"), ("C", "15"), ("C", "15,15,0"), ("C,<*>", "15"), ("C,<*>", "15,15,0,0"), (".", "1,2")],
    )
    def test_ad_of_another_length_stops_after_they_are_counted(self, read, alt, ad):
        rows = [row(5 + i, "A", alt, f"0/0:30:90:{ad}") for i in range(3)]
        with pytest.raises(GoeError, match=r"chr1:5: AD .*has another number of values .* in 3 records"):
            read(*rows, blocks=False)

    LONG = tuple(row(p, "A", "C", f"0/1:{100 + p * p}:{p % 99}:15,{p % 40}") for p in range(1, 990))

    def test_damage_stops_wherever_it_is(self, opened):
        """A bit flipped anywhere, or cut anywhere with an end block behind it: the same rows, or a stop with a mend."""
        whole = told(opened(*self.LONG))
        sizes = []
        opened(*self.LONG, change=lambda data: sizes.append(len(data)) or data)
        for at in range(18, sizes[0] - 28, sizes[0] // 40):
            flipped = opened(*self.LONG, change=lambda data, at=at: data[:at] + bytes([data[at] ^ 8]) + data[at + 1 :])
            try:
                assert told(flipped) == whole
            except GoeError as error:
                assert "p.vcf.gz" in str(error) and " -> " in str(error)
            with pytest.raises(GoeError, match=r"truncated or damaged|is no row of ten columns|could not"):
                told(opened(*self.LONG, change=lambda data, at=at: data[:at] + data[-28:]))

    @pytest.mark.parametrize("gone", [1, 28, 29, 500])
    def test_a_file_without_its_end_block(self, opened, gone):
        with pytest.raises(GoeError, match="has no BGZF end block"):
            told(opened(*self.LONG, change=lambda data: data[:-gone]))

    def test_an_index_of_another_file(self, opened, tmp_path):
        head = [*HEAD, "##contig=<ID=chr1,length=1000>"]
        rows = [row(p, "A", "C", "0/1:30:90:15,15") for p in range(1, 50)]
        opened(*rows, head=head)
        subprocess.run(["tabix", "-p", "vcf", tmp_path / "p.vcf.gz"], check=True)
        assert len(told(opened(*rows, head=head, indexed=True))[1]) == 49
        with pytest.raises(GoeError, match="index"):
            told(opened(*rows[:30], head=head, indexed=True))
        assert len(told(opened(*rows[:30], head=head))[1]) == 30


@pytest.mark.parametrize(
    ("declared", "own", "joint"),
    [
        ("GQ DP AD", [], []),
        ("", ["GQ", "DP", "AD"], ["GQ", "DP", "AD"]),
        ("PL DP LAA LAD", [], []),
        ("PL DP LAD", ["AD"], ["AD"]),
        ("LPL DP AD", [], []),
        ("GQX DP AD", [], ["GQ"]),
        ("GQ MIN_DP AD", ["DP"], ["DP"]),
        ("GQ DP", ["AD"], ["AD"]),
    ],
)
def test_fields_that_are_absent(declared, own, joint):
    declared = {"GT", *declared.split()}
    assert (fields.absent(declared, gvcf=True), fields.absent(declared, gvcf=False)) == (own, joint)


def test_numbers_are_read_as_python_does():
    chance = np.random.default_rng(3)
    texts = [f"{v:.{d}f}" for v, d in zip(chance.uniform(-1e6, 1e6, 500), chance.integers(0, 9, 500), strict=True)]
    for text in [*texts, "0", "-0", "19.95", "0.1", "2147483647", "007", "5.", ".5"]:
        value, good = own_file._number(padded(text.encode()), 0, len(text))
        assert good and value == float(text), text
