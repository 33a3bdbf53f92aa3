"""The reader of tabix indexes: every record is found, and no content of an index ends the process."""

import gzip
import random
import struct

import pysam
import pytest
from goe.check import tabix, vcf
from helpers.bombs import block

HEAD = b"##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


@pytest.fixture(scope="module")
def places():
    """Positions of the records of two contigs."""
    chance = random.Random(1)
    return {c: sorted(chance.sample(range(1, 3_000_000), 1500)) for c in ("chr1", "chr2")}


@pytest.fixture
def path(places, tmp_path):
    """A VCF of them with its index. Deletions stand in bins above the smallest, and blocks cut records."""
    chance = random.Random(2)
    path = tmp_path / "x.vcf.gz"
    with pysam.BGZFile(str(path), "w") as out:
        out.write(HEAD)
        for contig, some in places.items():
            for pos in some:
                ref = "A" * chance.choice([1, 1, 1, 200, 40_000 if chance.random() < 0.02 else 5])
                out.write(f"{contig}\t{pos}\t.\t{ref}\tC\t.\tPASS\tAC=1\n".encode())
    pysam.tabix_index(str(path), preset="vcf")
    return path


def test_every_record_is_found_and_none_where_there_is_none(places, path):
    chance = random.Random(3)
    index = tabix.read(f"{path}.tbi")
    assert index.names == list(places)
    for contig, some in places.items():
        for pos in (some[0], some[-1], *chance.sample(some, 100)):
            assert tabix.leads(path, index, contig, pos)
        for pos in chance.sample(sorted(set(range(1, 3_000_000)) - set(some)), 50):
            assert not tabix.leads(path, index, contig, pos)


def spoiled(chance, data):
    """The content of an index with one thing changed."""
    data = bytearray(data)
    at = chance.randrange(len(data))
    how = chance.randrange(5)
    if how == 0:
        data[at] ^= 1 << chance.randrange(8)
    elif how == 1:
        number = chance.choice([0, -1, 1, 37450, 2**31 - 1, -(2**31), chance.getrandbits(31)])
        data[at // 4 * 4 : at // 4 * 4 + 4] = struct.pack("<i", number)
    elif how == 2:
        data[at // 4 * 4 : at // 4 * 4 + 8] = chance.randbytes(8)
    elif how == 3:
        del data[at:]
    else:
        data[at:at] = data[at : at + chance.randrange(1, 64)]
    return bytes(data)


def test_an_index_of_any_content_leads_or_is_refused(places, path):
    """A few hundred of them, in one process: each is refused in words, or leads to the records all the same."""
    index = path.with_name(f"{path.name}.tbi")
    ends = {contig: (some[0], some[-1]) for contig, some in places.items()}
    data = gzip.decompress(index.read_bytes())
    assert vcf.check_index(path, ends) == []
    chance = random.Random(13)
    refused = 0
    for round_ in range(500):
        # Four in five within the packed content, the others in the packed bytes.
        packed = block(data) + block(b"")
        index.write_bytes(spoiled(chance, packed) if round_ % 5 == 0 else block(spoiled(chance, data)) + block(b""))
        problems = vcf.check_index(path, ends)
        assert all(p.where == str(index) and p.what and p.mend for p in problems)
        refused += bool(problems)
    assert refused > 200
