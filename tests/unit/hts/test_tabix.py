"""The index that is made while a VCF is written says what tabix says of it."""

import numpy as np
import pysam
import pytest
from goe.check import tabix as reader
from goe.hts import indexes, tabix
from goe.release.formats import sites_vcf

HEAD = "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


def body(path, contig, pos, bases, words, piece):
    """A body of lines, written some at a time, and what is to be told of it."""
    lines = [
        f"{contig}\t{p}\t.\t{'A' * n}\tC\t.\tPASS\tX={w}\n".encode() for p, n, w in zip(pos, bases, words, strict=True)
    ]
    told = tabix.Lines()
    with sites_vcf.Body(path, level=1) as out:
        for i in range(0, len(lines), piece):
            some = lines[i : i + piece]
            out.send(b"".join(some))
            told.add(pos[i : i + piece], bases[i : i + piece], np.array([len(line) for line in some]))
    return contig, told.placed(path)


@pytest.mark.parametrize("piece", [1, 700, 10**6])
def test_an_index_is_that_of_tabix(tmp_path, piece):
    rng = np.random.default_rng(piece)
    lines, bodies = [], []
    # Near each other and apart, a contig without alleles, one with one; REF over one and many windows of 16 kb.
    for contig, n, length, longest in (
        *(("chr1", 20_000, 300_000, 3), ("chr2", 0, 9, 1), ("chr3", 4000, 240_000_000, 40_000)),
        *(("chr4", 1, 1, 1), ("chr5", 500, 2_000_000, 200)),
    ):
        pos = np.sort(rng.integers(1, length + 1, n))
        bases = np.where(rng.random(n) < 0.05, rng.integers(1, longest + 1, n), 1)
        bodies.append(tmp_path / contig)
        words = rng.integers(0, 1 << 60, n)
        lines.append(body(bodies[-1], contig, pos, bases, words, piece))
    path, other = tmp_path / "x.vcf.gz", tmp_path / "tabix.vcf.gz.tbi"
    sites_vcf.join(HEAD, bodies, path, lines=lines)
    pysam.tabix_index(str(path), preset="vcf", force=True, index=str(other))
    mine = tmp_path / "x.vcf.gz.tbi"
    assert reader.read(mine) == reader.read(other)
    assert indexes.read(mine) == indexes.read(other)
    assert indexes.read(mine).names == ["chr1", "chr3", "chr4", "chr5"]


def test_a_file_without_records_has_the_index_of_tabix(tmp_path):
    lines = body(tmp_path / "body", "chr1", np.zeros(0, int), np.zeros(0, int), [], 1)
    path, other = tmp_path / "x.vcf.gz", tmp_path / "tabix.tbi"
    sites_vcf.join(HEAD, [tmp_path / "body"], path, lines=[lines])
    pysam.tabix_index(str(path), preset="vcf", force=True, index=str(other))
    assert reader.read(tmp_path / "x.vcf.gz.tbi") == reader.read(other)
