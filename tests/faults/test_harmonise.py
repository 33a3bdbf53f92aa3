"""Damaged records on the way to the harmonised cohort: the job stops, says where, and leaves nothing half made."""

import json
import random
import subprocess

import pysam
import pytest
from goe.core.errors import GoeError
from goe.hts.bcf import open_bcf
from helpers import bgzf_blocks, stages

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
BUILD = {"name": "toy", "contigs": {"chr1": LENGTH}, "par": []}
REGION = ["chr1", 1, LENGTH]


class World:
    """A joint VCF of one region, and the scripts that read it."""

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

    def index(self, source):
        subprocess.run(["bcftools", "index", "-f", source], check=True, capture_output=True)
        return source

    def job(self, script, **parts):
        done = stages.forked(self.folder, script, **parts)
        return done.status, (self.folder / f"{script}.log").read_text() + done.output

    def scan(self, source):
        """Exit status and log of the pass over the whole file."""
        params = {
            "rename": {},
            "contigs": BUILD["contigs"],
            "planned": ["chr1"],
            "regions": {f"chr1_1_{LENGTH}": REGION},
        }
        counts = self.folder / "joint.json"
        return self.job("joint_file.py", input={"file": source}, output={"counts": counts}, params=params)

    def run(self, source, scan=True):
        """Exit status, the log, and the files left of the pass over the file and of the split; scan: False where the
        file was well when the pass was over it."""
        out = self.folder / "out"
        out.mkdir(exist_ok=True)
        if scan:
            status, log = self.scan(source)
            if status:
                return status, log, sorted(path.name for path in out.iterdir())
        files = {"snvs": "snvs.bcf", "moved": "moved.bcf", "people": "people.parquet", "ledger": "split.json"}
        status, log = self.job(
            "harmonise_split.py",
            input={
                **{"file": source, "counts": self.folder / "joint.json"},
                **{"people": self.folder / "people.tsv", "fasta": self.fasta},
            },
            output={name: out / file for name, file in files.items()},
            params=stages.split_params(BUILD, REGION),
        )
        return status, log, sorted(path.name for path in out.iterdir())


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def stops(world, source, *words, scan=True):
    status, log, left = world.run(source, scan)
    assert status != 0
    assert left == []
    for word in (source.name, *words):
        assert word in log, log[-2000:]
    assert "Traceback" not in log and " -> " in log, log[-2000:]
    assert not any(name in log for name in PEOPLE)


@pytest.mark.parametrize("name", ["joint.bcf", "joint.vcf.gz"])
def test_whole_files_run(world, name):
    status, log, left = world.run(world.index(world.write(world.lines(), name)))
    assert (status, left) == (0, ["moved.bcf", "people.parquet", "snvs.bcf", "split.json"]), log


@pytest.mark.parametrize("name", ["joint.bcf", "joint.vcf.gz"])
def test_truncated_file(world, name):
    source = world.index(world.write(world.lines(), name))
    whole = source.read_bytes()
    assert world.scan(source)[0] == 0
    source.write_bytes(whole[: len(whole) * 2 // 3])
    stops(world, source, "could not", scan=False)
    stops(world, source, "damaged or cut off")


@pytest.mark.parametrize("name", ["joint.bcf", "joint.vcf.gz"])
def test_a_block_that_is_gone_and_one_that_is_damaged(world, name):
    # Longer than what is read at once, so that records come before the damage.
    source = world.index(world.write(world.lines(590), name))
    data = source.read_bytes()
    starts = bgzf_blocks.starts(data)
    assert len(starts) > 3
    assert world.scan(source)[0] == 0
    source.write_bytes(data[: starts[-2]] + data[starts[-1] :])
    stops(world, source, scan=False)
    stops(world, source)
    middle = (starts[-2] + starts[-1]) // 2
    source.write_bytes(data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :])
    stops(world, source, scan=False)
    stops(world, source, "damaged or cut off")


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
    source = world.index(world.write(world.lines()))
    raw = bytearray(subprocess.run(["bgzip", "-dc", source], capture_output=True, check=True).stdout)
    at = 9 + int.from_bytes(raw[5:9], "little")
    for _ in range(4):
        at += 8 + int.from_bytes(raw[at : at + 4], "little") + int.from_bytes(raw[at + 4 : at + 8], "little")
    vector = at + 8 + int.from_bytes(raw[at : at + 4], "little")
    # The first FORMAT field's descriptor: two values a person become three.
    assert raw[vector + 2] == 0x21
    raw[vector + 2] = 0x31
    source.write_bytes(subprocess.run(["bgzip", "-c"], input=bytes(raw), capture_output=True, check=True).stdout)
    stops(world, source, "could not be read on after chr1:40")


@pytest.mark.parametrize("name", ["joint.bcf", "joint.vcf.gz"])
def test_unsorted_records(world, name):
    lines = world.lines()
    lines[20], lines[30] = lines[30], lines[20]
    stops(world, world.write(lines, name), "chr1:220 comes after chr1:310: not sorted")


def test_a_contig_that_the_reference_lacks(world):
    lines = world.lines()
    lines[-1][0] = "chr9"
    status, log, left = world.run(world.index(world.write(lines)))
    assert status == 0, log
    assert json.loads((world.folder / "joint.json").read_text())["ledger"]["dropped"] == {
        "records": {"contig_not_counted": 1}
    }
    assert json.loads((world.folder / "out" / "split.json").read_text())["in"]["records"] == 97
    assert len(left) == 4


def test_a_contig_that_the_header_lacks(world):
    source = world.index(world.write(world.lines()))
    raw = bytearray(subprocess.run(["bgzip", "-dc", source], capture_output=True, check=True).stdout)
    at = 9 + int.from_bytes(raw[5:9], "little")
    raw[at + 8 : at + 12] = (7).to_bytes(4, "little")
    source.write_bytes(subprocess.run(["bgzip", "-c"], input=bytes(raw), capture_output=True, check=True).stdout)
    stops(world, source, "record 1: lies on the contig of number 7, which the header does not have")


def test_ref_mismatch(world):
    lines = world.lines()
    lines[7][3] = {"A": "G", "G": "T", "T": "G", "C": "T"}[lines[7][3]]
    source = world.index(world.write(lines))
    stops(world, source, f"chr1:{lines[7][1]}: REF {lines[7][3]} does not match the reference")
