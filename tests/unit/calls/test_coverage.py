"""Depth of reads beside calls: mosdepth's classes against every base of every read, counted one by one."""

import gzip
import random
import subprocess
from collections import Counter

import pysam
import pytest
from goe.calls import coverage
from goe.core.errors import GoeError

CONTIGS = {"chr20": 400, "chrX": 300}
# Unmapped, secondary, failed, duplicate: no depth. Supplementary reads are.
LEFT_OUT = (0x4, 0x100, 0x200, 0x400)
CIGARS = ("30M", "5S25M", "10M4D16M", "12M3I15M", "10=1X19=", "15M20N15M", "28M2H")


def read(header, name, contig, start, cigar, flag, quality, mate=-1):
    one = pysam.AlignedSegment(header)
    one.query_name, one.flag, one.mapping_quality = name, flag, quality
    one.reference_name, one.reference_start, one.cigarstring = contig, start, cigar
    if mate >= 0:
        one.next_reference_name, one.next_reference_start = contig, mate
    length = one.infer_query_length() or 30
    one.query_sequence, one.query_qualities = "A" * length, pysam.qualitystring_to_array("I" * length)
    return one


def drawn(rng, header):
    """Reads alone, and proper pairs whose mates mostly overlap."""
    for number in range(220):
        contig = rng.choice([*CONTIGS])
        start, quality = rng.randrange(CONTIGS[contig] - 80), rng.choice([0, 19, 20, 60])
        flag = rng.choice([0, 0, 0, 0x10, 0x800, *LEFT_OUT])
        if flag == 0 and rng.random() < 0.6:
            mate = start + rng.randrange(35)
            yield read(header, f"r{number}", contig, start, rng.choice(CIGARS), 0x63, quality, mate)
            yield read(header, f"r{number}", contig, mate, rng.choice(CIGARS), 0x93, rng.choice([19, 60]), start)
        else:
            yield read(header, f"r{number}", contig, start, rng.choice(CIGARS), flag, quality)


def depth(reads, min_mapq):
    """(contig, base) -> reads that have a base there, of a pair once."""
    seen = {
        (one.query_name if not one.is_supplementary else id(one), one.reference_name, base)
        for one in reads
        if one.mapping_quality >= min_mapq and not any(one.flag & flag for flag in LEFT_OUT)
        for base in one.get_reference_positions()
    }
    return Counter((contig, base) for _, contig, base in seen)


def written(path, reads, header):
    with pysam.AlignmentFile(str(path), "wb", header=header) as file:
        for one in sorted(reads, key=lambda one: (one.reference_id, one.reference_start)):
            file.write(one)
    pysam.index(str(path))
    return str(path)


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "ref.fa"
    path.write_text("".join(f">{name}\n{'A' * n}\n" for name, n in CONTIGS.items()))
    pysam.faidx(str(path))
    return str(path)


HEADER = pysam.AlignmentHeader.from_dict(
    {"HD": {"VN": "1.6", "SO": "coordinate"}, "SQ": [{"SN": name, "LN": n} for name, n in CONTIGS.items()]}
)


def classes(bed):
    with gzip.open(bed, "rt") as rows:
        for contig, start, end, label in (line.rstrip("\n").split("\t") for line in rows):
            yield from ((contig, base, label) for base in range(int(start), int(end)))


@pytest.mark.parametrize(("seed", "kind"), [(0, "bam"), (1, "bam"), (2, "cram"), (3, "cram")])
def test_every_base_is_in_the_class_of_its_depth(tmp_path, fasta, seed, kind):
    rng = random.Random(seed)
    reads = [*drawn(rng, HEADER)]
    path = written(tmp_path / "a.bam", reads, HEADER)
    if kind == "cram":
        cram = str(tmp_path / "a.cram")
        options = ["-C", "-T", fasta, "--output-fmt-option", "version=3.0", "--write-index"]
        subprocess.run(["samtools", "view", *options, "-o", cram, path], check=True)
        path = cram
    depths, min_mapq = ([3], [2, 5])[seed % 2], rng.choice([0, 20])
    bed = coverage.quantised(path, fasta, depths, min_mapq, str(tmp_path / "made"))
    labels = [f"{a}:{b}" for a, b in zip(depths, [*depths[1:], "inf"], strict=True)]
    wanted = {
        (contig, base, labels[sum(n >= least for least in depths) - 1])
        for (contig, base), n in depth(reads, min_mapq).items()
        if n >= depths[0]
    }
    assert {*classes(bed)} == wanted and wanted
    with pysam.TabixFile(bed, index=f"{bed}.csi") as file:
        assert {*file.contigs} == {contig for contig, *_ in wanted}


def test_a_cram_that_mosdepth_cannot_read_is_no_genome_without_depth(tmp_path, fasta):
    """mosdepth 0.3.3 finds nothing in a CRAM 3.1, and ends with 0."""
    reads = [read(HEADER, f"r{n}", "chr20", 100, "30M", 0, 60) for n in range(6)]
    bam, cram = written(tmp_path / "a.bam", reads, HEADER), str(tmp_path / "a.cram")
    options = ["-C", "-T", fasta, "--output-fmt-option", "version=3.1", "--write-index"]
    subprocess.run(["samtools", "view", *options, "-o", cram, bam], check=True)
    try:
        bed = coverage.quantised(cram, fasta, [5], 20, str(tmp_path / "made"))
    except GoeError as error:
        assert "has no base at any depth" in error.problems[0].what and "version=3.0" in error.problems[0].mend
    else:
        assert {*classes(bed)} == {("chr20", base, "5:inf") for base in range(100, 130)}
    with pytest.raises(GoeError, match="has no base at any depth, of reads with a mapping quality of 61 or more"):
        coverage.quantised(bam, fasta, [5], 61, str(tmp_path / "none"))


@pytest.mark.parametrize("kind", ["bam", "cram"])
def test_a_part_that_is_missing_is_found_by_the_index(tmp_path, fasta, kind):
    reads = [read(HEADER, f"r{n}", contig, n, "30M", 0, 60) for n in range(90) for contig in CONTIGS]
    paths = []
    for name, some in (("whole", reads), ("part", [one for one in reads if one.reference_name == "chr20"])):
        path = written(tmp_path / f"{name}.bam", some, HEADER)
        if kind == "cram":
            made = str(tmp_path / f"{name}.cram")
            subprocess.run(["samtools", "view", "-C", "-T", fasta, "--write-index", "-o", made, path], check=True)
            path = made
        paths.append(path)
    end = {"bam": "bai", "cram": "crai"}[kind]
    (tmp_path / f"part.{kind}.{end}").write_bytes((tmp_path / f"whole.{kind}.{end}").read_bytes())
    with pytest.raises(GoeError, match=r"its index .* tells of"):
        coverage.quantised(paths[1], fasta, [5], 20, str(tmp_path / "made"))
    (tmp_path / f"part.{kind}.{end}").unlink()
    with pytest.raises(GoeError, match="no index"):
        coverage.quantised(paths[1], fasta, [5], 20, str(tmp_path / "made"))
