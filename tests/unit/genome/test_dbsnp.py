"""rs numbers come from rows of dbSNP as it writes them, for the allele that was asked and no other."""

import pysam
import pytest
from goe.genome.dbsnp import RsNumbers, check

LENGTHS = {"chr20": 64_444_167, "chrX": 156_040_895}
ROWS = """\
NC_000020.11\t100\trs3\tA\tC,G\t.\t.\tRS=3
NC_000020.11\t100\trs2;rs9\tA\tG\t.\t.\tRS=2
NC_000020.11\t200\trs4\tACCC\tA,ACC,ACCCC\t.\t.\tRS=4
NC_000020.11\t300\trs5\tGTA\tGTC\t.\t.\tRS=5
NC_000020.11\t400\tother\tA\tT\t.\t.\t.
NC_000020.11\t500\trs7\tA\t.\t.\t.\t.
"""


@pytest.fixture
def dbsnp(tmp_path):
    def write(rows, name="dbsnp.vcf"):
        path = tmp_path / name
        path.write_text(
            "##fileformat=VCFv4.2\n##dbSNP_BUILD_ID=156\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n" + rows
        )
        return pysam.tabix_index(str(path), preset="vcf", force=True)

    return write


def test_each_allele_has_its_own(dbsnp):
    numbers = RsNumbers(dbsnp(ROWS), "GRCh38", "chr20", LENGTHS["chr20"])
    asked = {
        (100, "A", "C"): "rs3",
        (100, "A", "G"): "rs2",
        (100, "A", "T"): None,
        (200, "A", "AC"): "rs4",
        (200, "AC", "A"): "rs4",
        (200, "ACC", "A"): None,
        (200, "ACCC", "A"): "rs4",
        (302, "A", "C"): "rs5",
        (400, "A", "T"): None,
        (500, "A", "T"): None,
    }
    assert numbers.of(*map(list, zip(*asked, strict=True))) == list(asked.values())
    # A record that begins before the first allele.
    assert numbers.of([302], ["A"], ["C"]) == ["rs5"] and numbers.of([], [], []) == []
    assert numbers.release == "156"
    numbers.close()


@pytest.mark.parametrize("name", ["chr20", "20"])
def test_contigs_may_have_their_own_names(dbsnp, name):
    path = dbsnp(ROWS.replace("NC_000020.11", name))
    assert check(path, "GRCh38", LENGTHS) == []
    assert RsNumbers(path, "GRCh38", "chr20", LENGTHS["chr20"]).of([100], ["A"], ["C"]) == ["rs3"]
    assert RsNumbers(path, "GRCh38", "chrX", LENGTHS["chrX"]).of([100], ["A"], ["C"]) == [None]


def test_a_file_that_gives_no_numbers_is_refused(dbsnp, tmp_path):
    assert check(dbsnp(ROWS), "GRCh38", LENGTHS) == []
    (problem,) = check(dbsnp(ROWS.replace("NC_000020.11", "NC_000020.10")), "GRCh38", LENGTHS)
    assert "has no contig of the release" in problem.what and "NC_000020.10" in problem.what
    assert check(tmp_path / "none.gz", "GRCh38", LENGTHS)[0].what == "no such file"
    (tmp_path / "plain.vcf").write_text(ROWS)
    assert check(tmp_path / "plain.vcf", "GRCh38", LENGTHS)[0].what == "cannot be read by its index"
