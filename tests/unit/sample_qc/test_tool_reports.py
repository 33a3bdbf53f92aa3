"""Reports of tools: what is read from them, and what a damaged one says."""

import gzip
import subprocess

import numpy as np
import pytest
from goe.core.errors import GoeError
from goe.sample_qc import tool_reports

# As VerifyBamID2 2.0 writes it.
SELF_SM = (
    "#SEQ_ID\tRG\tCHIP_ID\t#SNPS\t#READS\tAVG_DP\tFREEMIX\tFREELK1\tFREELK0\tFREE_RH\tFREE_RA\tCHIPMIX\tCHIPLK1\t"
    "CHIPLK0\tCHIP_RH\tCHIP_RA\tDPREF\tRDPHET\tRDPALT\n"
    "P1\tNA\tNA\t100000\t2511922\t25.1265\t0.0017266\t-665701\t-667158" + "\tNA" * 10 + "\n"
)


def write(tmp_path, text):
    path = tmp_path / "report.txt"
    path.write_text(text)
    return path


def test_mosdepth_summary(tmp_path):
    rows = "1\t100\t3000\t30\t0\t50\n1_region\t50\t1\t1\t0\t1\ntotal\t100\t3000\t30\t0\t50\n"
    path = write(tmp_path, "chrom\tlength\tbases\tmean\tmin\tmax\n" + rows)
    assert tool_reports.mosdepth_summary(path) == {"1": 3000}


@pytest.mark.parametrize("reader", [tool_reports.mosdepth_summary, tool_reports.samtools_stats, tool_reports.freemix])
@pytest.mark.parametrize("text", ["", "something else\n"])
def test_damaged_report_names_the_file(tmp_path, reader, text):
    with pytest.raises(GoeError, match=r"report\.txt"):
        reader(write(tmp_path, text))


def test_histogram_is_filled_up_with_positions_without_reads(tmp_path):
    depths = tool_reports.depth_histogram(write(tmp_path, "1\t5\n3\t2\n"), 10)
    assert np.array_equal(depths.positions, [3, 5, 0, 2])
    assert depths.total == 10


def test_empty_histogram_is_a_person_without_depth(tmp_path):
    assert np.array_equal(tool_reports.depth_histogram(write(tmp_path, ""), 7).positions, [7])
    assert tool_reports.depth_histogram(write(tmp_path, ""), 0).total == 0


def test_histogram_of_another_reference_is_told(tmp_path):
    with pytest.raises(GoeError, match="has 7 positions where the autosomes have 6"):
        tool_reports.depth_histogram(write(tmp_path, "1\t5\n3\t2\n"), 6)


@pytest.mark.parametrize("text", ["1\n", "1\tx\n", "1\t2\t3\n", "1.5\t2\n", "-1\t2\n", "1\t-2\n"])
def test_damaged_histogram_names_the_line(tmp_path, text):
    with pytest.raises(GoeError, match="line 2"):
        tool_reports.depth_histogram(write(tmp_path, "1\t1\n" + text), 100)


STATS = [
    "SN\tsequences:\t200",
    "SN\treads mapped:\t190",
    "SN\treads properly paired:\t180",
    "SN\treads paired:\t200",
    "SN\treads duplicated:\t10\t# PCR or optical duplicate bit set",
    "SN\tinsert size average:\t350.5",
    "SN\tinsert size standard deviation:\t60.0",
    "SN\treads mapped and paired:\t180\t# paired-end technology bit set + both mates mapped",
    "SN\tpairs on different chromosomes:\t9",
]


def test_samtools_stats(tmp_path):
    # Qualities 0 to 29, then 30 and 31: only these two count.
    quality = ["FFQ\t1\t" + "\t".join(["7"] * 30 + ["5", "6"]), "LFQ\t1\t" + "\t".join(["1"] * 30 + ["4"])]
    path = write(tmp_path, "\n".join(STATS + quality) + "\n")
    assert tool_reports.samtools_stats(path) == tool_reports.Reads(200, 190, 200, 180, 10, 15, 350.5, 60.0, 180, 9)


def test_pairs_apart_of_samtools_itself(tmp_path):
    """Five pairs of mapped reads: on two contigs (one of mapping quality 0, one a duplicate), near, and far apart."""
    sam = ["@SQ\tSN:a\tLN:1000000", "@SQ\tSN:b\tLN:1000000"]
    pairs = [("b", 200, 60, 0), ("=", 300, 60, 2), ("=", 500_000, 60, 0), ("b", 200, 0, 0), ("b", 200, 60, 1024)]
    for i, (contig, pos, quality, flags) in enumerate(pairs):
        there = "a" if contig == "=" else contig
        back = "=" if contig == "=" else "a"
        size = pos - 90 if contig == "=" else 0
        rest = "A" * 10 + "\t" + "I" * 10
        sam.append(f"p{i}\t{97 + flags}\ta\t100\t{quality}\t10M\t{contig}\t{pos}\t{size}\t{rest}")
        sam.append(f"p{i}\t{145 + flags}\t{there}\t{pos}\t{quality}\t10M\t{back}\t100\t{-size}\t{rest}")
    sam.append(f"p9\t73\ta\t100\t60\t10M\t=\t100\t0\t{rest}")
    sam.append(f"p9\t133\ta\t100\t0\t*\t=\t100\t0\t{rest}")
    # A supplementary record is no pair of its own.
    sam.append(f"p0\t2145\tb\t900\t60\t10M\t=\t200\t0\t{rest}")
    source = write(tmp_path, "\n".join(sam) + "\n")
    run = subprocess.run(["samtools", "stats", "-F", "QCFAIL", source], check=True, capture_output=True, text=True)
    (tmp_path / "stats").write_text(run.stdout)
    found = tool_reports.samtools_stats(tmp_path / "stats")
    assert (found.total, found.both_mapped, found.pairs_apart) == (12, 10, 3)


def test_stats_without_qualities_or_pairs(tmp_path):
    path = write(tmp_path, "\n".join(STATS[:2]) + "\n")
    assert tool_reports.samtools_stats(path) == tool_reports.Reads(200, 190, 0, 0, 0, None, 0.0, 0.0)


def test_compressed_report_is_read(tmp_path):
    path = tmp_path / "report.gz"
    path.write_bytes(gzip.compress(SELF_SM.encode()))
    assert tool_reports.freemix(path) == 0.0017266


def test_freemix_is_found_by_its_name(tmp_path):
    assert tool_reports.freemix(write(tmp_path, SELF_SM)) == 0.0017266
    moved = "".join("\t".join(reversed(line.split("\t"))) + "\n" for line in SELF_SM.splitlines())
    assert tool_reports.freemix(write(tmp_path, moved)) == 0.0017266


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SELF_SM.splitlines()[0] + "\n", "has 0 rows"),
        (SELF_SM + SELF_SM.splitlines()[1] + "\n", "has 2 rows"),
        (SELF_SM.replace("0.0017266", "NA"), "FREEMIX is NA, no number"),
        (SELF_SM.replace("0.0017266", "nan"), "not between 0 and 1"),
        (SELF_SM.replace("0.0017266", "-0.1"), "not between 0 and 1"),
        (SELF_SM.replace("\t0.0017266", ""), "FREEMIX is missing"),
        (SELF_SM.replace("FREEMIX", "CHARR"), "no column FREEMIX"),
    ],
)
def test_damaged_self_sm_is_told(tmp_path, text, said):
    with pytest.raises(GoeError, match=said):
        tool_reports.freemix(write(tmp_path, text))
