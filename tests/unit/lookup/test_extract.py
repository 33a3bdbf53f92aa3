"""`goe extract`: one stratum as a file of its own has that stratum's alleles and numbers, and no others."""

import pyarrow.parquet as pq
import pytest
from cyvcf2 import VCF
from goe import cli
from goe.check import mini_node as mini_node_check
from goe.core.errors import GoeError
from goe.lookup import extract
from helpers import release_folder as rf


def wanted(root, stratum, contigs=("chr20", "chrX")):
    end = "" if stratum == "Total" else f"_{stratum}"
    return {
        (row["contig"], row["pos"], row["ref"], row["alt"]): (row[f"ac{end}"], row[f"an{end}"])
        for contig in contigs
        for row in pq.read_table(root / f"frequencies-wide/{contig}.parquet").to_pylist()
        if row["filter"] == "PASS" and row[f"an{end}"]
    }


@pytest.mark.parametrize("stratum", ["Total", "EE", "EE_M", "M"])
def test_a_stratum_has_its_own_alleles(released, tmp_path, stratum):
    path = tmp_path / "x.vcf.gz"
    said = extract.write(released, stratum, path)
    found = {(v.CHROM, v.POS, v.REF, v.ALT[0]): (v.INFO["AC"], v.INFO["AN"]) for v in VCF(str(path))}
    assert found == wanted(released, stratum) and said == len(found) > 20
    assert mini_node_check.check_header(path) == []
    shipped = VCF(str(released / f"mini-node/{rf.ID}.{stratum}.vcf.gz"))
    assert {(v.CHROM, v.POS, v.REF, v.ALT[0]): (v.INFO["AC"], v.INFO["AN"]) for v in shipped} == found
    assert sum(1 for _ in VCF(str(path))("chrX")) == sum(key[0] == "chrX" for key in found)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.vcf.gz", "x.vcf.gz.tbi"]


def test_a_contig_can_be_left_out(released, tmp_path, capsys):
    path = tmp_path / "x.vcf.gz"
    assert cli.main(["extract", str(released), "EE", "-o", str(path), "--without", "chrX"]) == cli.PASSED
    assert {v.CHROM for v in VCF(str(path))} == {"chr20"} and "chrX" not in VCF(str(path)).seqnames
    assert f"{len(wanted(released, 'EE', ['chr20']))} alleles of EE" in capsys.readouterr().out


def test_every_mistake_is_named_at_once(released, tmp_path):
    (tmp_path / "x.vcf").touch()
    with pytest.raises(GoeError) as error:
        extract.write(released, "SE", tmp_path / "x.vcf", ["chr9"])
    text = str(error.value)
    for words in ("SE: is no published stratum", "chr9: is no contig", "is there already", "is no name for"):
        assert words in text
