"""Damaged records on the way to the harmonised cohort: the job stops, says where, and leaves nothing half made."""

import random
import subprocess
import sys

import pysam
import pytest
from goe.core.errors import GoeError
from goe.hts.bcf import open_bcf
from helpers import bgzf_blocks, stages
from helpers.run_script import REPO

PEOPLE = [f"P{i:03d}" for i in range(500)]
BASES = "ACGTTGCATGCCGATCGAATTCCGG" * 240
LENGTH = len(BASES)
HEADER = f"""##fileformat=VCFv4.3
##FORMAT=<ID=GT,Number=1,Type=String,Description="x">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="x">
##contig=<ID=chr1,length={LENGTH}>
##contig=<ID=chr9,length={LENGTH}>
"""


class World:
    """A joint VCF of one region, and the script that harmonises it."""

    def __init__(self, folder):
        self.folder = folder
        self.fasta = folder / "ref.fa"
        self.fasta.write_text(f">chr1\n{BASES}\n")
        pysam.faidx(str(self.fasta))
        people = [[n, "F", "EE", "no", "joint_vcf", "", "joint"] for n in PEOPLE]
        columns = ["sample_id", "sex", "country_code", "withdrawn", "input_type", "absent_fields", "source"]
        (folder / "people.tsv").write_text("".join("\t".join(row) + "\n" for row in [columns, *people]))

    def lines(self, n=98):
        """SNVs at every tenth base; several BGZF blocks."""
        draw = random.Random(1).randint
        lines = []
        for pos in range(10, 10 + 10 * n, 10):
            ref = BASES[pos - 1]
            alt = "A" if ref != "A" else "C"
            calls = [f"0/1:{draw(20, 90)}:{draw(20, 99)}:{draw(5, 40)},{draw(5, 40)}" for _ in PEOPLE]
            lines.append(["chr1", str(pos), ".", ref, alt, ".", "PASS", ".", "GT:DP:GQ:AD", *calls])
        return lines

    def write(self, lines, name="joint.bcf"):
        head = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *PEOPLE]
        text = HEADER + "".join("\t".join(row) + "\n" for row in [head, *lines])
        path = self.folder / name
        kind = "-Ob" if name.endswith("bcf") else "-Oz"
        subprocess.run(["bcftools", "view", "--no-version", kind, "-o", path, "-"], input=text.encode(), check=True)
        return path

    def run(self, source):
        """Exit status, the log, and the files left."""
        out = self.folder / "out"
        out.mkdir()
        files = {"snvs": "snvs.bcf", "moved": "moved.bcf", "people": "people.parquet", "ledger": "split.json"}
        spec = stages.write_spec(
            self.folder,
            "harmonise_split.py",
            input={"bcf": source, "people": self.folder / "people.tsv", "fasta": self.fasta},
            output={name: out / file for name, file in files.items()},
            params=stages.split_params({"name": "toy", "contigs": {"chr1": LENGTH}, "par": []}, ["chr1", 1, LENGTH]),
        )
        command = [sys.executable, "-m", "helpers.run_script", spec]
        done = subprocess.run(command, cwd=REPO, env=stages.ENVIRONMENT, capture_output=True, text=True)
        log = (self.folder / "harmonise_split.py.log").read_text()
        return done.returncode, log + done.stderr, sorted(path.name for path in out.iterdir())


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def stops(world, source, *words):
    status, log, left = world.run(source)
    assert status != 0
    assert left == []
    for word in (source.name, *words):
        assert word in log, log[-2000:]
    assert not any(name in log for name in PEOPLE)


@pytest.mark.parametrize("name", ["joint.bcf", "joint.vcf.gz"])
def test_whole_files_run(world, name):
    status, log, left = world.run(world.write(world.lines(), name))
    assert (status, left) == (0, ["moved.bcf", "people.parquet", "snvs.bcf", "split.json"]), log


@pytest.mark.parametrize("name", ["joint.bcf", "joint.vcf.gz"])
def test_truncated_file(world, name):
    source = world.write(world.lines(), name)
    source.write_bytes(source.read_bytes()[: source.stat().st_size * 2 // 3])
    # Without its end block a BCF is not even begun; a VCF is read by bcftools, which tells after the fact.
    stops(world, source, "no BGZF end block" if name == "joint.bcf" else "could not be read")


def test_a_block_that_is_gone_and_one_that_is_damaged(world):
    # Longer than what is read at once, so that records come before the damage.
    source = world.write(world.lines(590))
    data = source.read_bytes()
    starts = bgzf_blocks.starts(data)
    assert len(starts) > 3
    source.write_bytes(data[: starts[-2]] + data[starts[-1] :])
    stops(world, source, "truncated or damaged after chr1:")
    (world.folder / "out").rmdir()
    middle = (starts[-2] + starts[-1]) // 2
    source.write_bytes(data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :])
    stops(world, source, "truncated or damaged after chr1:")


def test_every_flipped_byte_of_a_file_is_seen(world):
    source = world.write(world.lines()[:3])
    data = source.read_bytes()

    def read():
        with open_bcf(source, formats=("GT", "DP", "GQ", "AD")) as reader:
            return [(r.where, r.ref, r.alts, {k: v.tolist() for k, v in r.formats.items()}) for r in reader]

    whole = read()
    # The header of a block (10 bytes of gzip, of which flags and times mean nothing) is outside its checksum.
    for at in range(18, len(data), 7):
        source.write_bytes(data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :])
        try:
            assert read() == whole, f"byte {at}"
        except GoeError as error:
            assert source.name in str(error)


def test_a_format_length_that_does_not_fit(world):
    source = world.write(world.lines())
    raw = bytearray(subprocess.run(["bgzip", "-dc", source], capture_output=True, check=True).stdout)
    at = 9 + int.from_bytes(raw[5:9], "little")
    for _ in range(4):
        at += 8 + int.from_bytes(raw[at : at + 4], "little") + int.from_bytes(raw[at + 4 : at + 8], "little")
    vector = at + 8 + int.from_bytes(raw[at : at + 4], "little")
    # The first FORMAT field's descriptor: two values a person become three.
    assert raw[vector + 2] == 0x21
    raw[vector + 2] = 0x31
    source.write_bytes(subprocess.run(["bgzip", "-c"], input=bytes(raw), capture_output=True, check=True).stdout)
    stops(world, source, "damaged record after chr1:40")


def test_unsorted_records(world):
    lines = world.lines()
    lines[20], lines[30] = lines[30], lines[20]
    stops(world, world.write(lines), "chr1:220: comes after chr1:310: not sorted")


def test_a_contig_that_the_reference_lacks(world):
    lines = world.lines()
    lines[-1][0] = "chr9"
    status, log, left = world.run(world.write(lines))
    assert status == 0, log
    assert '"contig_outside_table": 1' in (world.folder / "out" / "split.json").read_text()
    assert len(left) == 4


def test_a_contig_that_the_header_lacks(world):
    source = world.write(world.lines())
    raw = bytearray(subprocess.run(["bgzip", "-dc", source], capture_output=True, check=True).stdout)
    at = 9 + int.from_bytes(raw[5:9], "little")
    raw[at + 8 : at + 12] = (7).to_bytes(4, "little")
    source.write_bytes(subprocess.run(["bgzip", "-c"], input=bytes(raw), capture_output=True, check=True).stdout)
    stops(world, source, "damaged record after its header", "does not declare")


def test_ref_mismatch(world):
    lines = world.lines()
    lines[7][3] = {"A": "G", "G": "T", "T": "G", "C": "T"}[lines[7][3]]
    stops(world, world.write(lines), f"chr1:{lines[7][1]}: REF {lines[7][3]} does not match the reference")
