"""A region of an encrypted VCF or BCF is what bcftools cuts out of the plain one."""

import random
import subprocess
from pathlib import Path

import pytest
from goe.core import processes
from goe.core.errors import GoeError
from goe.hts import indexes
from goe.hts.by_index import Part
from helpers.encrypted import Owner

CONTIGS = {"1": 400_000, "2": 90_000, "empty": 5000, "X": 300_000}
KINDS = {
    "tbi": (["-Oz"], ["tabix", "-p", "vcf"], ".vcf.gz.tbi"),
    "csi": (["-Oz"], ["bcftools", "index", "--csi", "-m", "12"], ".vcf.gz.csi"),
    "bcf": (["-Ob"], ["bcftools", "index", "--csi"], ".bcf.csi"),
}


def rows(seed: int) -> list[str]:
    """Records in clusters with gaps between, some long: what linear indexes and bins of all sizes are for."""
    chance, found = random.Random(seed), []
    for contig, length in CONTIGS.items():
        if contig == "empty":
            continue
        places = [min(length, chance.randrange(1, length) + chance.randrange(300)) for _ in range(40)]
        starts = sorted(min(length, p + chance.randrange(50)) for p in places for _ in range(chance.randrange(1, 60)))
        for start in starts:
            ref = "A" * chance.choice([1, 1, 1, 20, 3000])
            found.append(f"{contig}\t{start}\t.\t{ref}\tC\t.\tPASS\t.\tGT:DP\t0/1:{chance.randrange(99)}\n")
    return found


@pytest.mark.parametrize("sealed_index", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_regions(tmp_path, monkeypatch, kind, sealed_index):
    monkeypatch.chdir(tmp_path)
    own = Owner.made(tmp_path / "keys", locked=False).told(monkeypatch)
    how, index, end = KINDS[kind]
    head = "##fileformat=VCFv4.3\n" + "".join(f"##contig=<ID={c},length={n}>\n" for c, n in CONTIGS.items())
    head += '##FILTER=<ID=PASS,Description="x">\n'
    head += "".join(
        f'##FORMAT=<ID={f},Number=1,Type={t},Description="x">\n' for f, t in (("GT", "String"), ("DP", "Integer"))
    )
    head += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tA\n"
    path = "x" + end.rpartition(".")[0]
    Path("x.vcf").write_text(head + "".join(rows(7)))
    subprocess.run(["bcftools", "view", "--no-version", *how, "-o", path, "x.vcf"], check=True)
    subprocess.run([*index, path], check=True)
    chance = random.Random(3)
    regions = [(c, 1, n) for c, n in CONTIGS.items()] + [("1", 399_999, 400_000), ("X", 1, 1)]
    for contig, length in list(CONTIGS.items()) * 8:
        start = chance.randrange(1, length)
        regions.append((contig, start, min(length, start + chance.choice([0, 10, 5000, 100_000]))))
    view = ["bcftools", "view", "-H", "--no-version"]
    wanted = [
        processes.said(*view, "--regions-overlap", "pos", "-r", f"{c}:{start}-{stop}", path)
        for c, start, stop in regions
    ]
    assert sum(map(len, wanted)) > 100_000
    sealed = own.encrypt(path)
    if sealed_index:
        own.encrypt(f"x{end}")
    found = indexes.of_vcf(sealed)
    assert found == f"x{end}" + ".c4gh" * sealed_index
    for region, lines in zip(regions, wanted, strict=True):
        assert processes.said(*view, Part(sealed, found, *region)) == lines, region


def test_what_cannot_be_decrypted_stops(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = Owner.made(tmp_path / "keys", locked=False).told(monkeypatch)
    head = "##fileformat=VCFv4.3\n##contig=<ID=1,length=9000000>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    chance = random.Random(1)
    lines = (f"1\t{i}\t{chance.getrandbits(256):x}\tA\tC\t.\t.\t.\n" for i in range(1, 20_000))
    Path("x.vcf").write_text(head + "".join(lines))
    subprocess.run("bgzip x.vcf && tabix -p vcf x.vcf.gz", shell=True, check=True)
    path = Path(own.encrypt("x.vcf.gz"))
    data = bytearray(path.read_bytes())
    data[-40_000] ^= 1
    path.write_bytes(data)
    first, whole = (Part(str(path), "x.vcf.gz.tbi", "1", 1, end) for end in (100, 20_000))
    assert processes.said("bcftools", "view", "-H", first).count("\n") == 100
    with pytest.raises(GoeError, match=r"x\.vcf\.gz\.c4gh: its segment \d+ of \d+ cannot be decrypted"):
        processes.said("bcftools", "view", "-H", whole)
