"""Encrypted files that are damaged or cut: whatever reads them stops and names the file, and nothing partial counts.

Every segment of a file has a bit flipped in turn, and every cut between two segments is made, which Crypt4GH itself
cannot tell from a whole file.
"""

import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pysam
import pytest
from goe.calls import alignments, cram_of_person, fastq, joint, scan
from goe.calls.own_file import OwnFile
from goe.core import processes
from goe.core.errors import GoeError
from goe.core.ledger import Ledger
from goe.genome.build import Build, regions
from goe.hts import plain
from helpers import stages
from helpers.encrypted import Owner

SEALED, HEADER = 65536 + 28, 124
LENGTH, READ = 60_000, 100
BUILD = Build("toy", {"chr1": LENGTH}, [])
REGIONS = regions(BUILD, 20_000)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Owner, Path]:
    """A file of each kind, plain and encrypted, of several segments."""
    at = tmp_path_factory.mktemp("encrypted")
    own, chance = Owner.made(at / "keys", locked=False), random.Random(4)
    bases = "".join(chance.choices("ACGT", k=LENGTH))
    (at / "ref.fa").write_text(f">chr1\n{bases}\n>other\n{bases[:900]}\n")
    (at / "short.fa").write_text(f">chr1\n{bases}\n")
    (at / "all.bed").write_text(f"chr1\t0\t{LENGTH}\n")
    for name in ("ref.fa", "short.fa"):
        pysam.faidx(str(at / name))
    sam, raw, ends = [], [], ([], [])
    for i in range(3_000):
        start = 1 + i * 19
        qualities = ["".join(chance.choices("5?I", k=READ)) for _ in range(2)]
        for k, (flag, pos, mate, length) in enumerate(((99, start, start + 150, 250), (147, start + 150, start, -250))):
            text = bases[pos - 1 : pos - 1 + READ]
            sam.append((pos, f"q{i}\t{flag}\tchr1\t{pos}\t60\t{READ}M\t=\t{mate}\t{length}\t{text}\t{qualities[k]}\n"))
            raw.append(f"q{i}\t{77 if k == 0 else 141}\t*\t0\t0\t*\t*\t0\t0\t{text}\t{qualities[k]}\n")
            ends[k].append(f"@q{i}\n{text}\n+\n{qualities[k]}\n")
    head = f"@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:chr1\tLN:{LENGTH}\n@SQ\tSN:other\tLN:900\n"
    text = head + "".join(line for _, line in sorted(sam))
    view = ["samtools", "view", "--no-PG", "-T", at / "ref.fa", "-o"]
    subprocess.run([*view, at / "a.bam", "-b", "-"], input=text.encode(), check=True)
    subprocess.run([*view, at / "u.bam", "-b", "-"], input="".join(["@HD\tVN:1.6\n", *raw]).encode(), check=True)
    for version, name in (("3.0", "a.cram"), ("3.1", "b.cram")):
        options = ["--output-fmt-option", f"version={version}", "--output-fmt-option", "seqs_per_slice=300"]
        subprocess.run([*view, at / name, "-C", *options, "-"], input=text.encode(), check=True)
    for k in (0, 1):
        (at / f"R{k + 1}.fq").write_text("".join(ends[k]))
        subprocess.run(f"gzip -c R{k + 1}.fq > R{k + 1}.fq.gz", cwd=at, shell=True, check=True)
    declared = "".join(f'##FORMAT=<ID={n},Number={m},Type={t},Description="x">\n' for n, m, t in FORMATS)
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tA\n"
    head = f'##fileformat=VCFv4.3\n##FILTER=<ID=PASS,Description="x">\n##contig=<ID=chr1,length={LENGTH}>\n'
    head += declared + columns
    alts = {"A": "C", "C": "A", "G": "A", "T": "A"}
    rows = "".join(
        f"chr1\t{pos}\t{chance.getrandbits(300):x}\t{bases[pos - 1]}\t{alts[bases[pos - 1]]}\t50\tPASS\t.\t"
        f"GT:DP:GQ:AD\t0/1:{chance.randrange(99)}:60:15,15\n"
        for pos in range(1, LENGTH, 12)
    )
    for name, how in (("v.vcf.gz", "-Oz"), ("v.bcf", "-Ob")):
        command = ["bcftools", "view", "--no-version", how, "-o", at / name, "-"]
        subprocess.run(command, input=(head + rows).encode(), check=True)
    for path in ("a.bam", "a.cram", "b.cram"):
        subprocess.run(["samtools", "index", at / path], check=True)
    subprocess.run(["tabix", "-p", "vcf", at / "v.vcf.gz"], check=True)
    subprocess.run(["bcftools", "index", at / "v.bcf"], check=True)
    for path in [p for p in at.iterdir() if p.suffix in (".bam", ".cram", ".gz", ".bcf")]:
        content = path.read_bytes()
        own.encrypt(path)
        path.write_bytes(content)
    return own, at


FORMATS = (("GT", 1, "String"), ("DP", 1, "Integer"), ("GQ", 1, "Integer"), ("AD", "R", "Integer"))


@pytest.fixture
def at(made, monkeypatch) -> Path:
    made[0].told(monkeypatch)
    return made[1]


def adopted(path: Path) -> list[str]:
    """Reads of the CRAM that is made of a BAM or CRAM; the account too."""
    target, ledger = cram_of_person.Target(str(path.parent / "made.cram"), str(path.parent / "ref.fa")), Ledger("x")
    cram_of_person.adopt([str(path)], "A", ".cram" in path.name, {}, [], target, ledger)
    target.index(f"{target.path}.crai", ledger)
    ledger.check()
    reads = processes.said("samtools", "view", "-T", target.fasta, target.path)
    Path(target.path).unlink()
    return [reads, str(ledger.as_dict())]


def of_own_file(path: Path) -> list[int]:
    file = OwnFile(path, "A", BUILD.contigs, {}, False, indexed=True)
    return [int(chunk.rows.dp.sum()) for chunk in file] + [file.records]


def scanned(path: Path) -> list:
    found, ledger = scan.scan(str(path), {}, BUILD.contigs, REGIONS)
    return [dict(found), ledger.as_dict()]


def of_regions(path: Path) -> list:
    found = []
    whole = plain.name(path)
    counted = joint.JointFile(str(path), {}, {REGIONS[n]: k for n, k in scanned(Path(whole))[0].items()})
    for region in REGIONS.values():
        with joint.opened(counted, region, (), ("GT", "DP")) as reader:
            found += [(record.pos, record.alts) for record in reader]
    return found


def flags(path: Path) -> alignments.Flags:
    return alignments.pairs_of(str(path))


def held(path: Path) -> tuple:
    return fastq.held_by_pair(path.with_name(path.name.replace("R2", "R1")), path)


READERS: dict[str, tuple[str, Callable]] = {
    "bam": ("a.bam", adopted),
    "cram": ("a.cram", adopted),
    "cram 3.1": ("b.cram", adopted),
    "ubam": ("u.bam", flags),
    "fastq": ("R2.fq.gz", held),
    "own vcf": ("v.vcf.gz", of_own_file),
    "own bcf": ("v.bcf", of_own_file),
    "joint vcf": ("v.vcf.gz", scanned),
    "joint bcf": ("v.bcf", scanned),
    "regions of a vcf": ("v.vcf.gz", of_regions),
    "regions of a bcf": ("v.bcf", of_regions),
}


def spoiled(data: bytes) -> Iterator[tuple[str, bytes]]:
    assert len(data) > HEADER + SEALED
    for start in range(HEADER, len(data), SEALED):
        flipped = bytearray(data)
        flipped[start + min(SEALED, len(data) - start) // 2] ^= 1
        yield "cannot be decrypted", bytes(flipped)
        if start > HEADER:
            yield "", data[:start]


@pytest.mark.parametrize("kind", READERS)
def test_what_is_read_is_that_of_the_plain_file_or_nothing(at, kind, tmp_path):
    name, read = READERS[kind]
    path = at / f"{name}.c4gh"
    told = read(at / name)
    assert read(path) == told
    whole = path.read_bytes()
    try:
        for said, data in spoiled(whole):
            path.write_bytes(data)
            with pytest.raises(GoeError) as error:
                read(path)
            assert path.name in str(error.value) and said in str(error.value) and " -> " in str(error.value)
    finally:
        path.write_bytes(whole)


def test_a_job_of_a_damaged_file_leaves_nothing(at, tmp_path):
    path = tmp_path / "a.bam.c4gh"
    data = bytearray((at / path.name).read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    out = tmp_path / "out"
    out.mkdir()
    done = stages.forked(
        tmp_path,
        "align_person.py",
        input={"index": [], "fasta": at / "ref.fa", "autosomes": at / "all.bed", "seals": []},
        output={"cram": out / "a.cram", "crai": out / "a.cram.crai", "reports": out, "seal": tmp_path / "seal.json"},
        params={
            "person": {
                "units": [{"reads": [str(path)], "read_group": {}}],
                **{"sample": "A", "adopted": True, "cram": False},
            },
            **{"rename": {}, "ignore_contigs": []},
            **{"stage": "reads", "stamp": "x", "trusts": {}},
        },
    )
    assert done.status == 1 and "a.bam.c4gh: its segment" in done.output
    assert list(out.iterdir()) == [] and not (tmp_path / "seal.json").exists()


def test_contigs_of_an_encrypted_cram_that_the_reference_lacks(at):
    """Those without a record go from the header; where there are records, a pipe cannot go around them."""
    target = cram_of_person.Target(str(at / "made.cram"), str(at / "short.fa"))
    cram_of_person.adopt([str(at / "a.cram.c4gh")], "A", True, {}, ["other"], target, Ledger("x"))
    assert "SN:other" not in processes.said("samtools", "view", "-H", target.path)
    Path(target.path).unlink()
    fasta = at / "only.fa"
    fasta.write_text(">other\n" + (at / "ref.fa").read_text().partition(">other\n")[2])
    pysam.faidx(str(fasta))
    target = cram_of_person.Target(str(at / "made.cram"), str(fasta))
    with pytest.raises(
        GoeError, match=r"a\.cram\.c4gh: has records on chr1, which the reference does not have, and no"
    ):
        cram_of_person.adopt([str(at / "a.cram.c4gh")], "A", True, {}, ["chr1"], target, Ledger("x"))
