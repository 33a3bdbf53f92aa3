"""Records of a BAM in the names of another reference."""

import gzip
import io
import random
import subprocess

import pytest
from goe.core.errors import GoeError
from goe.hts import bam
from helpers import plain_reads

CONTIGS = {"1": 5000, "decoy": 900, "MT": 600, "HLA": 400}
NAMES = {"MT": "chrM", "1": "chr1"}
HEADER = [
    "@HD\tVN:1.6\tSO:unsorted",
    *(f"@SQ\tSN:{name}\tLN:{n}\tM5:x\tUR:/a/path\tAS:b37" for name, n in CONTIGS.items()),
    "@RG\tID:a\tSM:Õ",
    "@PG\tID:bwa\tPN:bwa\tCL:bwa /a/path",
    "@CO\tas it came",
]


def records(n):
    """SAM lines of reads and mates on any contig or none, of all flags."""
    chance = random.Random(n)
    for i in range(n):
        contig, mate = (chance.choice([*CONTIGS, "*"]) for _ in range(2))
        size = chance.choice([0, 1, 100, 9000])
        bases = "".join(chance.choices("ACGTN", k=size)) or "*"
        cigar = f"{size}M" if size and contig != "*" else "*"
        mate = "=" if mate == contig and mate != "*" else mate
        cells = [f"r{i}", chance.randrange(1 << 12), contig, chance.randrange(1, 300), 60, cigar, mate, 7, -9, bases]
        quality = "I" * size or "*"
        yield "\t".join(map(str, [*cells, quality, "RG:Z:a", "XA:Z:decoy,+7,1M", "XB:B:s,-3,400", "NM:i:-70000"]))


def viewed(data, *options):
    words = ["samtools", "view", "--no-PG", *options, "-"]
    return subprocess.run(words, input=data, capture_output=True, check=True).stdout


def packed(lines, *options):
    text = "\n".join([*lines, ""]).encode()
    return subprocess.run(
        ["samtools", "view", "--no-PG", *options, "-"], input=text, capture_output=True, check=True
    ).stdout


def text(data):
    return subprocess.run(
        ["samtools", "view", "-h", "--no-PG", "-"], input=data, capture_output=True, check=True
    ).stdout


@pytest.mark.parametrize("names", [NAMES, {name: name for name in CONTIGS}, {}])
@pytest.mark.parametrize("n", [0, 3000])
def test_records_are_those_of_the_text(names, n):
    """Of BGZF blocks of several sizes, each record cut by the end of one or of what is read at a time."""
    given, plain = packed([*HEADER, *records(n)], "-b"), plain_reads.Renamer(names)
    moved, out = bam.Moved(names), io.BytesIO()
    moved(io.BytesIO(given), out)
    told = list(plain(text(given).splitlines()))
    # As samtools reads the text: contigs in the order of the header.
    assert text(out.getvalue()) == text(b"".join(line + b"\n" for line in told))
    assert (moved.records, moved.kept, dict(moved.dropped)) == (plain.records, plain.kept, plain.dropped)
    assert len(names) != 2 or n == 0 or (moved.dropped.keys() == {"decoy", "HLA"} and moved.kept > 400)


def test_a_header_is_passed_on_without_the_paths_of_others():
    out = io.BytesIO()
    bam.Moved(NAMES)(io.BytesIO(packed(HEADER, "-b")), out)
    assert text(out.getvalue()).decode().splitlines() == [
        "@HD\tVN:1.6\tSO:unsorted",
        "@SQ\tSN:chr1\tLN:5000\tAS:b37",
        "@SQ\tSN:chrM\tLN:600\tAS:b37",
        "@RG\tID:a\tSM:Õ",
        "@CO\tas it came",
    ]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda data: data[:-100], "cannot be read"),
        (lambda data: data[: len(data) // 2], "cannot be read"),
        (lambda data: b"\x1f\x8b" + data[:9], "cannot be read"),
        (lambda data: b"", "cannot be read"),
    ],
)
def test_what_is_cut_off_is_no_bam(change, what):
    with pytest.raises(GoeError, match=what):
        bam.Moved(NAMES)(io.BytesIO(change(packed([*HEADER, *records(300)], "-b"))), io.BytesIO())


@pytest.mark.parametrize("damage", ["length", "contig", "end", "magic"])
def test_a_record_that_is_none(damage):
    """In blocks whose checksums hold."""
    data = bytearray(gzip.decompress(packed([*HEADER[:-1], *records(3)], "-b")))
    begin = data.index(b"r0\0") - 36
    if damage == "length":
        data[begin : begin + 4] = (31).to_bytes(4, "little")
    elif damage == "contig":
        data[begin + 4 : begin + 8] = (4).to_bytes(4, "little")
    elif damage == "end":
        del data[-1]
    else:
        data[:4] = b"SAM\1"
    with pytest.raises(GoeError, match="cannot be read"):
        bam.Moved(NAMES)(io.BytesIO(gzip.compress(bytes(data))), io.BytesIO())
