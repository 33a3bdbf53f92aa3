"""Every kind of bad input has its message: the file, the row, what is wrong and the mend."""

import bz2
import dataclasses
import gzip
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pysam
import pytest
import yaml
from crypt4gh.keys import c4gh
from goe.calls import fastq
from goe.core.errors import GoeError
from goe.disclosure import earlier_release as previous_release
from goe.genome import build
from goe.hts import indexes
from goe.intake import lint
from goe.intake import release as release_lint
from goe.intake.load import build_of
from goe.settings import config, sections, sheets
from helpers import warm
from helpers.encrypted import Owner
from helpers.settings import altered
from helpers.workflow import Run, snakemake

CONTIGS = {"chr20": 3000, "chrX": 2000}
SEQUENCES = {"chr20": "ACGTTGCA" * 375, "chrX": "GATTACAC" * 250}
FORMATS = {
    "GT": '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    "DP": '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">',
    "GQ": '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Quality">',
    "AD": '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Reads per allele">',
}
CALL = "GT:DP:GQ:AD\t0/1:30:99:15,15"


def bases(seed: str, n: int = 20) -> str:
    """Bases of a read."""
    return "".join(random.Random(seed).choices("ACGT", k=n))


def people_table(intake: dict) -> list[list[str]]:
    """What intake_people makes of what intake_lint has left."""
    header, *rows = lint.sources_table(intake)
    return lint.people_table([dict(zip(header, row, strict=True)) for row in rows], sheets.read_people("samples.tsv"))


class Cohort:
    """A folder with a reference, sheets and inputs that a test spoils."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.people = {"A": "F", "B": "M"}
        self.rows: list[tuple[str, ...]] = []
        self.reference: dict = {"fasta": "ref.fa", "build": "toy", "par": "par.bed"}
        self.filter: dict = {}
        self.dataset: dict = {}
        self.more: dict = {}
        (folder / "ref.fa").write_text("".join(f">{c}\n{s}\n" for c, s in SEQUENCES.items()))
        pysam.faidx(str(folder / "ref.fa"))
        (folder / "par.bed").write_text("chrX\t100\t400\n")

    def config(self) -> dict:
        return {
            "samples": "samples.tsv",
            "inputs": "inputs.tsv",
            "reference": self.reference,
            "dataset": {
                "prefix": "GOE",
                "country": "EE",
                "org": "TEST",
                "id": "GOE-EE-TEST-20260101000000000",
                "title": "A test",
                "contact": {"fn": "A name", "email": "a@example.org"},
                "description": "Nobody.",
                "publisher": "A test house",
                "license": "CC-BY-4.0",
                "access_url": "https://example.org/data",
                **self.dataset,
            },
            "disclosure": {"open": True, "legal_basis": "a test"},
            "genotype_filter": self.filter,
            "formats": {"gdi": {"enabled": False}},
            **self.more,
        }

    def write(self) -> None:
        sheet = "".join(f"{name}\t{sex}\tEE\n" for name, sex in self.people.items())
        Path("samples.tsv").write_text("sample_id\tsex\tcountry_code\n" + sheet)
        header = "sample_id\tinput_type\tpath\tpath2\tlibrary\tunit\n"
        Path("inputs.tsv").write_text(header + "".join("\t".join(row) + "\n" for row in self.rows))

    def lint(self) -> tuple[list[str], list[str], dict]:
        """What is told: problems and notes as text, and the intake."""
        self.write()
        return self.look()

    def look(self) -> tuple[list[str], list[str], dict]:
        """The same of the sheets as they are."""
        cfg = config.load(self.config())
        try:
            people = sheets.read_people(cfg.samples)
            inputs = sheets.read_inputs(cfg.inputs)
        except GoeError as error:
            return [str(p) for p in error.problems], [], {}
        problems, notes, intake = lint.lint(cfg, people, inputs, build_of(cfg), m5_cache="m5.json")
        return [str(p) for p in problems], [str(n) for n in notes], intake

    def only(self) -> str:
        """The one problem of this cohort."""
        problems, _, _ = self.lint()
        assert len(problems) == 1, problems
        return problems[0]

    def clean(self) -> tuple[list[str], dict]:
        problems, notes, intake = self.lint()
        assert problems == []
        return notes, intake

    def vcf(self, name: str, samples, records=(("chr20", 33, "A", "C"),), contigs=None, **more) -> str:
        """Write a bgzip VCF with its index; records are (contig, pos, ref, alt[, info])."""
        text = vcf_text(samples, records, contigs, **more)
        path = Path(name)
        if name.endswith(".bcf"):
            Path("plain.vcf").write_text(text)
            with pysam.VariantFile("plain.vcf") as source, pysam.VariantFile(name, "wb", header=source.header) as out:
                for record in source:
                    out.write(record)
            pysam.tabix_index(name, preset="bcf", force=True, csi=True)
            return name
        with pysam.BGZFile(str(path), "wb") as out:
            out.write(text.encode())
        if more.get("index", True):
            pysam.tabix_index(str(path), preset="vcf", force=True)
        return name

    def bam(
        self, name: str, sample: str | None = "A", contigs=None, mapped=True, index=True, m5=None, marked=True
    ) -> str:
        contigs = CONTIGS if contigs is None else contigs
        header: dict = {"HD": {"VN": "1.6", "SO": "coordinate"}}
        header["SQ"] = [{"SN": c, "LN": n, **({"M5": m5[c]} if m5 else {})} for c, n in contigs.items()]
        if sample is not None:
            header["RG"] = [{"ID": s, "SM": s} for s in sample.split(",")]
        if marked:
            header["PG"] = [{"ID": "MarkDuplicates", "PN": "MarkDuplicates"}]
        mode = "wc" if name.endswith(".cram") else "wb"
        more = {"reference_filename": "ref.fa"} if mode == "wc" else {}
        with pysam.AlignmentFile(name, mode, header=header, **more) as out:
            for i in range(4):
                read = pysam.AlignedSegment(out.header)
                read.query_name = f"r{i // 2}"
                read.query_sequence = bases(f"{name} {i}", 32)
                read.query_qualities = pysam.qualitystring_to_array("I" * 32)
                read.flag = (77, 141)[i % 2]
                if mapped and contigs:
                    read.flag = 0
                    read.reference_id = 0
                    read.reference_start = 8 * i
                    read.mapping_quality = 60
                    read.cigarstring = "32M"
                out.write(read)
        if index:
            pysam.index(name)
        return name

    def fastq(self, name: str, reads=("r1", "r2"), end: str = "") -> str:
        text = "".join(f"@{read}{end}\n{bases(f'{name} {read}')}\n+\n{'I' * 20}\n" for read in reads)
        with gzip.open(name, "wb") if name.endswith(".gz") else Path(name).open("wb") as handle:
            handle.write(text.encode())
        return name


def vcf_text(samples, records, contigs=None, formats=tuple(FORMATS), header=(), **_) -> str:
    contigs = CONTIGS if contigs is None else contigs
    lines = ["##fileformat=VCFv4.3", *(FORMATS[f] for f in formats), *header]
    lines += [f"##contig=<ID={c},length={n}>" for c, n in contigs.items()]
    lines.append("\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]))
    for contig, pos, ref, alt, *info in records:
        kind, call = CALL.split("\t")
        kept = [i for i, f in enumerate(kind.split(":")) if f in formats]
        kind, call = (":".join(np for i, np in enumerate(text.split(":")) if i in kept) for text in (kind, call))
        cells = [contig, str(pos), ".", ref, alt, "50", "PASS", info[0] if info else ".", kind]
        lines.append("\t".join([*cells, *[call] * len(samples)]))
    return "\n".join(lines) + "\n"


BLOCKS = {
    "header": (
        '##ALT=<ID=NON_REF,Description="Any other allele">',
        '##INFO=<ID=END,Number=1,Type=Integer,Description="End">',
    ),
    "records": (("chr20", 1, "A", "<NON_REF>", "END=32"), ("chr20", 33, "A", "C,<NON_REF>")),
}


@pytest.fixture
def cohort(tmp_path, monkeypatch) -> Cohort:
    monkeypatch.chdir(tmp_path)
    return Cohort(tmp_path)


@pytest.fixture
def joint(cohort) -> Cohort:
    """Two people in one joint VCF, all well."""
    records = [("chr20", 33, "A", "C"), ("chrX", 5, "A", "C")]
    cohort.rows = [("", "joint_vcf", cohort.vcf("joint.vcf.gz", ["A", "B"], records))]
    return cohort


@pytest.fixture
def own(tmp_path, monkeypatch) -> Owner:
    """The key of the environment."""
    return Owner.made(tmp_path / "keys").told(monkeypatch)


@pytest.fixture
def one(cohort) -> Cohort:
    """A cohort of the person A alone."""
    cohort.people = {"A": "F"}
    return cohort


# All is well


def test_a_clean_joint_vcf(joint):
    notes, intake = joint.clean()
    assert notes == []
    assert intake["people"]["A"] == {
        "sex": "F",
        "country": "EE",
        "withdrawn": False,
        "platform": "",
        "input_type": "joint_vcf",
        "inputs": [],
    }
    (entry,) = intake["joint"]
    assert (entry["path"], entry["samples"], entry["contigs"]) == ("joint.vcf.gz", ["A", "B"], ["chr20", "chrX"])
    assert intake["absent_fields"] == {}
    assert people_table(intake)[1] == [
        "A",
        "F",
        "EE",
        "no",
        "joint_vcf",
        "joint_vcf_1",
        "",
        "",
    ]


@pytest.mark.parametrize("name", ["x.vcf.gz", "x.bcf", "x.vcf.gz.c4gh", "x.bcf.c4gh"])
@pytest.mark.parametrize("call", ["1", "0/1"])
def test_calls_of_one_allele_in_a_par_are_a_note(one, own, monkeypatch, name, call):
    """The PAR is chrX:101-400; what starts before it or lies behind it may be haploid in a man."""
    monkeypatch.setitem(globals(), "CALL", CALL.replace("0/1", call))
    bases = SEQUENCES["chrX"]
    records = [
        ("X", pos, bases[pos - 1 : pos + length], "C") for pos, length in ((99, 7), (105, 0), (397, 0), (901, 0))
    ]
    one.reference["rename"] = {"X": "chrX"}
    made = one.vcf(name.removesuffix(".c4gh"), ["A"], records, {"X": CONTIGS["chrX"]})
    one.rows = [("A", "vcf", own.encrypt(made) if made != name else made)]
    notes = [note for note in one.clean()[0] if "pseudo-autosomal" in note]
    if call == "0/1":
        assert not notes
    else:
        assert len(notes) == 1 and f"row 2, {name}: 2 of 2 calls in the first 2 records" in notes[0]


@pytest.mark.parametrize("sealed", [False, True])
def test_every_input_type_at_once(cohort, own, sealed):
    cohort.people = dict.fromkeys(("fq", "ub", "ba", "cr", "gv", "vc", "j1", "j2"), "F")
    m5 = {c: hashlib.md5(s.encode()).hexdigest() for c, s in SEQUENCES.items()}
    cohort.rows = [
        ("fq", "fastq", cohort.fastq("a_1.fq.gz"), cohort.fastq("a_2.fq.gz"), "l", "L1"),
        ("fq", "fastq", cohort.fastq("b_1.fq", end="/1"), cohort.fastq("b_2.fq", end="/2"), "l", "L2"),
        ("ub", "ubam", cohort.bam("u.bam", "ub", contigs={}, index=False)),
        ("ba", "bam", cohort.bam("b.bam", "ba", m5=m5)),
        ("cr", "cram", cohort.bam("c.cram", "cr", m5=m5)),
        ("gv", "gvcf", cohort.vcf("g.vcf.gz", ["gv"], **BLOCKS)),
        ("vc", "vcf", cohort.vcf("v.vcf.gz", ["vc"])),
        ("", "joint_vcf", cohort.vcf("j20.bcf", ["j1", "j2"])),
        ("", "joint_vcf", cohort.vcf("jX.vcf.gz", ["j1", "j2"], [("chrX", 5, "A", "C")])),
    ]
    if sealed:
        cohort.rows = [
            tuple(own.encrypt(cell) if Path(cell).is_file() else cell for cell in row) for row in cohort.rows
        ]
        for index in ("b.bam.bai", "c.cram.crai", "g.vcf.gz.tbi", "j20.bcf.csi"):
            own.encrypt(index)
    notes, intake = cohort.clean()
    assert len(notes) == 1 and "AN counts them only where their file has a record" in notes[0]
    assert "1 people" in notes[0] and "LowCallRate" in notes[0] and "min_call_rate to null" in notes[0]
    assert [j["contigs"] for j in intake["joint"]] == [["chr20"], ["chrX"]]
    assert intake["people"]["cr"]["inputs"][0]["contigs"] == ["chr20"]
    assert [row[4] for row in people_table(intake)[1:]] == [
        "bam",
        "cram",
        "fastq",
        "gvcf",
        "joint_vcf",
        "joint_vcf",
        "ubam",
        "vcf",
    ]
    assert json.loads(Path("m5.json").read_text())["m5"] == m5
    assert cohort.lint()[2] == intake


# Encrypted


@pytest.fixture
def sealed(one, own) -> Path:
    """The VCF of the person A, encrypted, of some segments."""
    chance = random.Random(1)
    records = [("chr20", pos, "A", "C", f"X={chance.getrandbits(400):x}") for pos in range(1, 2900)]
    one.rows = [("A", "vcf", own.encrypt(one.vcf("a.vcf.gz", ["A"], records)))]
    path = Path("a.vcf.gz.c4gh")
    assert path.stat().st_size > 2 * SEALED
    return path


SEALED = 65536 + 28


def test_an_encrypted_file_is_looked_at_as_a_plain_one(one, sealed, own):
    assert one.clean()[1]["people"]["A"]["inputs"][0]["contigs"] == ["chr20"]
    one.people = {"B": "F"}
    one.rows = [("B", "vcf", str(sealed))]
    assert "a.vcf.gz.c4gh: holds the sample A, the sheet says B" in one.only()
    Path("a.vcf.gz.tbi").unlink()
    one.people, one.rows = {"A": "F"}, [("A", "vcf", str(sealed))]
    assert one.only() == (
        "inputs.tsv row 2, a.vcf.gz.c4gh: no index (a.vcf.gz.tbi or a.vcf.gz.csi or a.vcf.gz.tbi.c4gh or "
        "a.vcf.gz.csi.c4gh) -> tabix -p vcf a.vcf.gz, where it is plain; the index may be plain, or encrypted too"
    )


def test_without_a_key_one_problem_is_told(one, own, monkeypatch):
    one.people = {"A": "F", "B": "M"}
    one.rows = [(name, "vcf", own.encrypt(one.vcf(f"{name}.vcf.gz", [name]))) for name in "AB"]
    monkeypatch.delenv("C4GH_SECRET_KEY")
    assert one.only().startswith("inputs encrypted with Crypt4GH: C4GH_SECRET_KEY is not set in the environment -> ")
    monkeypatch.setenv("C4GH_SECRET_KEY", str(own.secret))
    monkeypatch.delenv("C4GH_ASKPASS")
    assert "own.sec: is locked with a passphrase" in one.only()


def test_files_for_another_key(one, own, sealed, tmp_path, monkeypatch):
    Owner.made(tmp_path / "other").told(monkeypatch)
    assert one.only().startswith("inputs.tsv row 2, a.vcf.gz.c4gh: not for this key: none of its 1 recipients is ")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda data: data[:-1], r"its segment (\d) of \1 cannot be decrypted: cut off, or damaged -> copy"),
        (lambda data: data[: 124 + 2 * SEALED], r"truncated: the end-of-file block is missing -> copy"),
        (lambda data: data[:124], r"is empty -> copy"),
        (lambda data: data[:100], r"its header cannot be read"),
        (
            lambda data: data[:300] + bytes([data[300] ^ 1]) + data[301:],
            r"its segment 1 of \d cannot be decrypted: damaged",
        ),
        (lambda data: b"\x1f\x8b" + data, r"is not encrypted with Crypt4GH -> mend its name"),
    ],
)
def test_an_encrypted_file_that_is_damaged(one, sealed, damage, told):
    sealed.write_bytes(damage(sealed.read_bytes()))
    assert re.match(rf"inputs\.tsv row 2, a\.vcf\.gz\.c4gh: {told}", one.only())


@pytest.mark.parametrize("kind", ["fastq", "ubam", "bam", "cram"])
def test_encrypted_reads_that_are_damaged(one, own, kind):
    if kind == "fastq":
        names = [own.encrypt(one.fastq("a_1.fq.gz")), own.encrypt(one.fastq("a_2.fq.gz"))]
    else:
        ubam = {"contigs": {}, "index": False} if kind == "ubam" else {}
        names = [own.encrypt(one.bam(f"a.{kind.removeprefix('u')}", **ubam))]
    one.rows = [("A", kind, *names)]
    one.clean()
    data = bytearray(Path(names[-1]).read_bytes())
    data[-30] ^= 1
    Path(names[-1]).write_bytes(data)
    assert f"row 2, {names[-1]}: its segment 1 of 1 cannot be decrypted: " in one.only()


def test_an_encrypted_file_without_the_ending(one, own):
    name = own.encrypt(one.vcf("a.vcf.gz", ["A"]))
    Path(name).rename("b.vcf.gz")
    one.rows = [("A", "vcf", "b.vcf.gz")]
    assert "encrypted with Crypt4GH, as its name does not say -> call it b.vcf.gz.c4gh" in one.only()


def test_a_file_without_records_is_well(joint):
    joint.vcf("joint.vcf.gz", ["A", "B"], [])
    assert joint.clean()[1]["joint"][0]["contigs"] == []


def test_all_problems_come_at_once(cohort):
    cohort.rows = [
        ("A", "cram", "nowhere.cram"),
        ("C", "vcf", cohort.vcf("c.vcf.gz", ["C"], contigs={"chr20": 2990}, formats=("GT", "DP", "GQ"))),
    ]
    problems, _, _ = cohort.lint()
    told = "\n".join(problems)
    for text in (
        "inputs.tsv row 2, nowhere.cram: no such file",
        "inputs.tsv row 3, c.vcf.gz: FORMAT AD not declared",
        "inputs.tsv row 3, c.vcf.gz: chr20 has 2990 bases where the reference has 3000",
        "inputs.tsv row 3, sample C: not on the sheet samples.tsv",
        "samples.tsv row 3, sample B: no data",
    ):
        assert text in told
    assert len(problems) == 5


# Files


def test_missing_file_and_link(one):
    Path("dangling.bam").symlink_to("gone.bam")
    one.rows = [("A", "ubam", "none.bam"), ("A", "ubam", "dangling.bam")]
    told = one.lint()[0]
    assert "inputs.tsv row 2, none.bam: no such file" in told[0]
    assert "dangling.bam: a symbolic link to a file that is not there" in told[1]


def test_empty_file_and_folder(one):
    Path("empty.bam").touch()
    Path("folder.bam").mkdir()
    one.rows = [("A", "ubam", "empty.bam"), ("A", "ubam", "folder.bam")]
    told = one.lint()[0]
    assert "empty.bam: is empty" in told[0] and "folder.bam: not a file" in told[1]


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_a_file_that_cannot_be_read(joint):
    Path("joint.vcf.gz").chmod(0)
    assert "joint.vcf.gz: cannot be read by you" in joint.only()


def test_not_compressed(joint):
    Path("joint.vcf").write_text(vcf_text(["A", "B"], [("chr20", 33, "A", "C")]))
    joint.rows = [("", "joint_vcf", "joint.vcf")]
    assert "not compressed with bgzip -> bgzip joint.vcf && tabix -p vcf joint.vcf.gz" in joint.only()


def test_gzip_is_not_bgzip(joint):
    with gzip.open("joint.vcf.gz", "wb") as handle:
        handle.write(vcf_text(["A", "B"], [("chr20", 33, "A", "C")]).encode())
    assert "compressed with gzip, not bgzip" in joint.only()


def test_not_a_vcf(one):
    Path("x.vcf.gz").write_text("hello\n")
    one.rows = [("A", "vcf", "x.vcf.gz")]
    assert "x.vcf.gz: neither VCF nor BCF" in one.only()
    one.rows = [("A", "vcf", one.bam("y.bam"))]
    assert "a BAM, not a vcf -> set input_type to bam" in one.only()


def test_no_index(joint):
    Path("joint.vcf.gz.tbi").unlink()
    told = joint.only()
    assert "inputs.tsv row 2, joint.vcf.gz: no index (joint.vcf.gz.tbi or joint.vcf.gz.csi)" in told
    assert "tabix -p vcf joint.vcf.gz" in told


@pytest.mark.parametrize(("name", "suffix"), [("a.bam", "bai"), ("a.cram", "crai")])
def test_no_index_of_reads(one, name, suffix):
    one.rows = [("A", name.split(".")[1], one.bam(name, index=False))]
    told = one.only()
    assert f"{name}.{suffix}" in told and f"samtools index {name}" in told


def test_index_of_another_file(joint):
    Path("joint.vcf.gz.tbi").write_bytes(b"not an index")
    assert "the index joint.vcf.gz.tbi does not belong to it or is damaged" in joint.only()


def test_contigs_of_a_bcf_go_by_their_numbers(joint):
    """`bcftools reheader --fai` takes lines of contigs out and lets the others keep their numbers."""
    contigs = {"chrUn": 500, **CONTIGS}
    joint.rows = [("", "joint_vcf", joint.vcf("a.bcf", ["A", "B"], contigs=contigs))]
    subprocess.run(["bcftools", "reheader", "--fai", "ref.fa.fai", "-o", "b.bcf", "a.bcf"], check=True)
    subprocess.run(["bcftools", "index", "b.bcf"], check=True)
    joint.rows = [("", "joint_vcf", "b.bcf")]
    _, intake = joint.clean()
    assert intake["joint"][0]["contigs"] == ["chr20"]


def test_index_older_than_its_file_is_a_note(joint):
    os.utime("joint.vcf.gz.tbi", (1, 1))
    notes, _ = joint.clean()
    assert "the index joint.vcf.gz.tbi is older than the file" in notes[0]


@pytest.mark.parametrize("kind", ["vcf.gz", "bcf"])
def test_truncated_vcf(joint, kind):
    path = Path(joint.vcf(f"t.{kind}", ["A", "B"]))
    path.write_bytes(path.read_bytes()[:-28])
    joint.rows = [("", "joint_vcf", path.name)]
    assert f"t.{kind}: truncated: the end-of-file block is missing" in joint.only()


@pytest.mark.parametrize(("kind", "cut"), [("bam", 28), ("cram", 38), ("bam", 10)])
def test_truncated_reads(one, kind, cut):
    path = Path(one.bam(f"t.{kind}"))
    path.write_bytes(path.read_bytes()[:-cut])
    one.rows = [("A", kind, path.name)]
    assert f"t.{kind}: truncated" in one.only()


def test_truncated_fastq(one):
    with pysam.BGZFile("a_1.fq.gz", "wb") as out:
        out.write(b"@r1\nACGT\n+\nIIII\n")
    whole = Path("a_1.fq.gz").read_bytes()
    Path("a_1.fq.gz").write_bytes(whole[:-28])
    one.rows = [("A", "fastq", "a_1.fq.gz", one.fastq("a_2.fq.gz"))]
    assert "a_1.fq.gz: truncated" in one.only()


ROWS = {
    "fastq": lambda c: ("A", "fastq", c.fastq("a_1.fq.gz", READS), c.fastq("a_2.fq.gz", READS), "l", "L1"),
    "text": lambda c: ("A", "fastq", c.fastq("b_1.fq", READS), c.fastq("b_2.fq", READS), "l", "L1"),
    "ubam": lambda c: ("A", "ubam", c.bam("u.bam", contigs={}, index=False)),
    "bam": lambda c: ("A", "bam", c.bam("b.bam")),
    "cram": lambda c: ("A", "cram", c.bam("c.cram")),
    "gvcf": lambda c: ("A", "gvcf", c.vcf("g.vcf.gz", ["A"], **BLOCKS)),
    "vcf": lambda c: ("A", "vcf", c.vcf("v.vcf.gz", ["A"])),
    "joint": lambda c: ("", "joint_vcf", c.vcf("j.vcf.gz", ["A"], [("chr20", 33, "A", "C"), ("chrX", 5, "A", "C")])),
    "bcf": lambda c: ("", "joint_vcf", c.vcf("j.bcf", ["A"])),
}
READS = tuple(f"r{i}" for i in range(40))
CUT = {
    **{"a_1.fq.gz": "fastq", "b_1.fq": "text", "u.bam": "ubam", "b.bam": "bam", "b.bam.bai": "bam", "c.cram": "cram"},
    **{"c.cram.crai": "cram", "g.vcf.gz": "gvcf", "g.vcf.gz.tbi": "gvcf", "v.vcf.gz": "vcf", "j.vcf.gz": "joint"},
    **{"j.vcf.gz.tbi": "joint", "j.bcf": "bcf", "j.bcf.csi": "bcf", "ref.fa": "joint", "ref.fa.fai": "joint"},
    **{"samples.tsv": "fastq", "inputs.tsv": "fastq"},
}


def content(name: str):
    """What of a file is used; a whole file and one that lost what says nothing have the same."""
    if name.endswith((".bai", ".tbi", ".csi")):
        read = indexes.read(name)
        return read.names, read.has, read.mapped, read.unmapped
    if name == "ref.fa":
        return Path(name).read_text().split()
    if name == "ref.fa.fai":
        return build.read_fai(name)
    if name == "samples.tsv":
        return sheets.read_people(name)
    return sheets.read_inputs(name) if name == "inputs.tsv" else Path(name).read_bytes().rstrip(b"\n")


@pytest.mark.parametrize("name", CUT)
def test_every_input_cut_off_anywhere_is_seen(one, name):
    """By the lint, but for a FASTQ, whose reads the aligner's job counts before it aligns them."""
    one.rows = [ROWS[CUT[name]](one)]
    if name == "samples.tsv":
        one.people = {"A": "F", "B": "M", "C": "F"}
    one.write()
    if name == "samples.tsv":
        rows = zip(Path(name).read_text().splitlines(), ("withdrawn", "no", "", "yes"), strict=True)
        Path(name).write_text("".join(f"{row}\t{cell}\n" for row, cell in rows))
        Path("inputs.tsv").write_text(Path("inputs.tsv").read_text().replace("A\tfastq", "C\tfastq"))
    whole, used = Path(name).read_bytes(), content(name)
    chance = random.Random(name)
    cuts = range(len(whole)) if len(whole) < 150 else sorted({len(whole) - 1, *chance.sample(range(len(whole)), 15)})
    for cut in cuts:
        Path(name).write_bytes(whole[:cut])
        try:
            problems, _, _ = one.look()
            if CUT[name] in ("fastq", "text") and not problems:
                fastq.held_by_pair(*one.rows[0][2:4])
        except GoeError as error:
            problems = [str(problem) for problem in error.problems]
        if problems:
            assert all(" -> " in problem for problem in problems)
            of = {"ref.fa.fai": "ref"}.get(name, name)
            assert name.endswith(".tsv") or any(of in problem for problem in problems), (cut, problems)
        else:
            assert content(name) == used, cut


def test_not_sorted(joint):
    joint.vcf("joint.vcf.gz", ["A", "B"], [("chr20", 63, "A", "C"), ("chr20", 33, "A", "C")], index=False)
    Path("joint.vcf.gz.tbi").unlink()
    told = joint.only()
    assert "not sorted: chr20:33 comes after chr20:63 -> bcftools sort" in told


# People


def test_sample_not_on_the_sheet(joint):
    joint.vcf("joint.vcf.gz", ["A", "B", "STRANGER"])
    assert "joint.vcf.gz: sample in the file but not on the sheet samples.tsv: STRANGER" in joint.only()


def test_person_without_data(joint):
    joint.people["C"] = "M"
    assert "samples.tsv row 4, sample C: no data" in joint.only()


def test_withdrawn_people_may_lack_data(joint):
    joint.write()
    sheet = "sample_id\tsex\tcountry_code\twithdrawn\nA\tF\tEE\t\nB\tM\tEE\tyes\nC\tM\tEE\tyes\n"
    Path("samples.tsv").write_text(sheet)
    cfg = config.load(joint.config())
    people, inputs = sheets.read_people("samples.tsv"), sheets.read_inputs("inputs.tsv")
    problems, _, intake = lint.lint(cfg, people, inputs, build_of(cfg))
    assert problems == []
    assert people_table(intake)[-1] == ["C", "M", "EE", "yes", "", "C", "", ""]


def test_input_of_somebody_not_on_the_sheet(joint):
    joint.rows.append(("b", "vcf", joint.vcf("b.vcf.gz", ["b"])))
    assert "inputs.tsv row 3, sample b: not on the sheet samples.tsv -> did you mean B?" in joint.only()


def test_duplicate_rows_of_the_sheets(joint):
    joint.rows *= 2
    assert "inputs.tsv row 3: same as row 2" in joint.only()


def test_wrong_sample_in_a_single_vcf(one):
    one.rows = [("A", "vcf", one.vcf("a.vcf.gz", ["A-old"]))]
    told = one.only()
    assert "holds the sample A-old, the sheet says A" in told and "bcftools reheader" in told


def test_several_samples_in_a_single_vcf(cohort):
    cohort.rows = [
        ("A", "vcf", cohort.vcf("ab.vcf.gz", ["A", "B"])),
        ("B", "vcf", cohort.vcf("b.vcf.gz", ["B"])),
    ]
    assert "ab.vcf.gz: holds 2 samples (A, B) -> set input_type to joint_vcf" in cohort.only()


def test_no_samples(one):
    one.rows = [("A", "vcf", one.vcf("a.vcf.gz", [], []))]
    assert "no sample columns" in one.only()


def test_sample_name_twice(joint):
    text = vcf_text(["A", "B", "B"], [("chr20", 33, "A", "C")])
    with pysam.BGZFile("joint.vcf.gz", "wb") as out:
        out.write(text.encode())
    assert "joint.vcf.gz: sample name twice in the header: B" in joint.only()


def test_one_person_in_two_joint_vcfs(joint):
    joint.rows.append(("", "joint_vcf", joint.vcf("again.vcf.gz", ["B"], [("chr20", 63, "A", "C")])))
    told = joint.only()
    assert "row 3, again.vcf.gz: has records of B on chr20, and so has joint.vcf.gz (row 2)" in told


def test_people_lacking_on_a_contig_are_a_note(cohort):
    joint = cohort
    joint.rows = [("", "joint_vcf", joint.vcf("joint.vcf.gz", ["A", "B"]))]
    joint.rows.append(("", "joint_vcf", joint.vcf("x.vcf.gz", ["A"], [("chrX", 63, "A", "C")])))
    (note,) = joint.clean()[0]
    assert "x.vcf.gz: lacks B, whom other joint VCFs have: not counted on chrX" in note


def test_joint_vcfs_of_other_people_on_one_contig_are_well(joint):
    joint.people["C"] = "M"
    joint.rows.append(("", "joint_vcf", joint.vcf("c.vcf.gz", ["C"])))
    assert joint.clean()[0] == []


def test_mixed_input_types(joint):
    joint.rows.append(("A", "vcf", joint.vcf("a.vcf.gz", ["A"])))
    assert "input type vcf, and a column of joint.vcf.gz (joint_vcf, row 2)" in joint.only()


def test_mixed_input_types_in_rows(one):
    one.rows = [("A", "vcf", one.vcf("a.vcf.gz", ["A"])), ("A", "bam", one.bam("a.bam"))]
    assert "inputs.tsv row 2, sample A: input types vcf and bam (rows 2, 3)" in one.only()


def test_several_files_where_one_is_wanted(one):
    one.rows = [("A", "bam", one.bam("a.bam")), ("A", "bam", one.bam("b.bam"))]
    assert "2 bam files (rows 2, 3) -> make one of them: samtools merge" in one.only()


def test_a_file_given_twice(cohort):
    Path("link.bam").symlink_to(cohort.bam("u.bam", "A", contigs={}, index=False))
    cohort.people = {"A": "F"}
    cohort.rows = [("A", "ubam", "u.bam"), ("A", "ubam", "link.bam")]
    assert "u.bam is given twice (rows 2 and 3)" in cohort.only()


# Reads beside calls


@pytest.fixture
def beside(joint) -> Cohort:
    """A and B in a joint VCF, and reads of A."""
    joint.more["callable_an"] = {"coverage_proxy": True}
    joint.rows.append(("A", "coverage", joint.bam("a.cram")))
    return joint


def test_reads_beside_calls_are_nobodys_kind_of_input(beside):
    notes, intake = beside.clean()
    assert notes == []
    assert intake["people"]["A"]["input_type"] == "joint_vcf" and intake["people"]["A"]["inputs"] == []
    beside.rows.append(("B", "coverage", beside.bam("b.bam", "B")))
    beside.clean()


def test_reads_beside_calls_are_told_of_where_nobody_asks_for_them(beside):
    beside.more["callable_an"] = {"coverage_proxy": False}
    (note,) = beside.clean()[0]
    assert "1 rows of type coverage: nothing is made of them -> set callable_an.coverage_proxy: true" in note


def test_coverage_is_asked_for_and_nobody_has_reads_beside_calls(one):
    one.more["callable_an"] = {"coverage_proxy": True}
    one.rows = [("A", "gvcf", one.vcf("g.vcf.gz", ["A"], **BLOCKS))]
    assert "config callable_an.coverage_proxy: is true, and nobody" in one.only()
    # Whose gVCF tells already where the person is called.
    one.rows.append(("A", "coverage", one.bam("a.bam")))
    problems, notes, _ = one.lint()
    (note,) = [note for note in notes if "type coverage" in note]
    assert len(problems) == 1 and "and input type gvcf, which tells" in note and "take the row out" in note


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda c: Path("a.cram.crai").unlink(), "no index (a.cram.crai or a.crai) -> samtools index a.cram"),
        (lambda c: c.rows.append(("A", "coverage", c.bam("b.bam"))), "row 4, sample A: 2 files of type coverage"),
        (lambda c: c.rows.append(("Z", "coverage", c.bam("z.bam", "Z"))), "row 4, sample Z: not on the sheet"),
        (lambda c: c.rows.append(("B", "coverage", c.bam("b.bam"))), "its read groups say SM:A, the sheet says B"),
        (
            lambda c: c.rows.append(("B", "coverage", c.bam("b.bam", "B", contigs={"20": 3000}))),
            "records on 20, which the reference names chr20",
        ),
        (
            lambda c: c.rows.append(("B", "coverage", c.bam("b.bam", "B", contigs={"chr20": 2999}))),
            "chr20 has 2999 bases where the reference has 3000",
        ),
    ],
)
def test_what_can_be_wrong_with_reads_beside_calls(beside, spoil, says):
    spoil(beside)
    assert says in beside.only()


# Read groups


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        ("Z", "its read groups say SM:Z, the sheet says A"),
        ("A,Z", "read groups of 2 samples: A, Z"),
        (None, "no read group (@RG)"),
    ],
)
@pytest.mark.parametrize("kind", ["bam", "ubam"])
def test_read_groups(one, kind, sample, says):
    contigs = {} if kind == "ubam" else None
    one.rows = [("A", kind, one.bam("a.bam", sample, contigs=contigs, index=kind == "bam"))]
    told = one.only()
    assert says in told and "samtools" in told


def test_ubam_with_alignments(one):
    one.rows = [("A", "ubam", one.bam("a.bam"))]
    assert "a uBAM with aligned reads -> set input_type to bam" in one.only()
    one.rows = [("A", "ubam", one.bam("b.bam", mapped=False, index=False))]
    one.clean()


def test_bam_without_alignments(one):
    one.rows = [("A", "bam", one.bam("a.bam", contigs={}, index=False))]
    assert "reads that are not aligned -> set input_type to ubam" in one.only()


def test_bam_and_cram_mixed_up(one):
    one.rows = [("A", "bam", one.bam("a.cram"))]
    assert "not a BAM -> set input_type to cram" in one.only()
    one.rows = [("A", "cram", one.bam("a.bam"))]
    assert "not a CRAM" in one.only()


# FASTQ


def test_fastq_pair_mismatch(one):
    one.rows = [("A", "fastq", one.fastq("a_1.fq.gz"), one.fastq("b_2.fq.gz", ["q9"]))]
    told = one.only()
    assert "a_1.fq.gz: does not pair with b_2.fq.gz: their first reads are r1 and q9" in told


def test_fastq_same_end_twice(one):
    one.rows = [("A", "fastq", one.fastq("a_1.fq", end=" 1:N:0:A"), one.fastq("b_1.fq", end=" 1:N:0:A"))]
    assert "both hold read 1 of the pairs" in one.only()


def test_fastq_ends_swapped_is_a_note(one):
    one.rows = [("A", "fastq", one.fastq("a_2.fq", end="/2"), one.fastq("a_1.fq", end="/1"))]
    assert "swap them" in one.clean()[0][0]


def test_fastq_file_used_twice(cohort):
    r1, r2 = cohort.fastq("a_1.fq.gz"), cohort.fastq("a_2.fq.gz")
    cohort.rows = [("A", "fastq", r1, r2), ("B", "fastq", cohort.fastq("b_1.fq.gz"), r2)]
    assert "a_2.fq.gz is given twice (rows 2 and 3)" in cohort.only()


def test_fastq_copied_under_another_name(cohort):
    r1, r2 = cohort.fastq("a_1.fq.gz"), cohort.fastq("a_2.fq.gz")
    shutil.copy(r2, "b_2.fq.gz")
    cohort.rows = [("A", "fastq", r1, r2), ("B", "fastq", cohort.fastq("b_1.fq.gz"), "b_2.fq.gz")]
    assert "row 3, b_2.fq.gz: its first reads are those of a_2.fq.gz (row 2)" in cohort.only()


@pytest.mark.parametrize("kind", ["fastq", "ubam", "joint_vcf"])
def test_another_compression_has_its_own_message(one, kind):
    Path("x.bz2").write_bytes(bz2.compress(b"@q\nA\n+\nI\n"))
    one.rows = [("" if kind == "joint_vcf" else "A", kind, "x.bz2", one.fastq("b_2.fq") if kind == "fastq" else "")]
    assert "x.bz2: compressed with bzip2; gzip and bgzip are taken -> bunzip2 -c x.bz2 | bgzip" in one.lint()[0][0]


def test_not_a_fastq(one):
    Path("a_1.fq").write_text(">r1\nACGT\n>r2\nACGT\n")
    one.rows = [("A", "fastq", "a_1.fq", one.fastq("a_2.fq"))]
    assert "a_1.fq: not a FASTQ" in one.only()


def test_fastq_without_reads(one):
    one.rows = [("A", "fastq", one.fastq("a_1.fq.gz", []), one.fastq("a_2.fq.gz"))]
    assert "a_1.fq.gz: holds no reads" in one.only()


# Fields, and what the file is


def test_absent_fields_stop(joint):
    joint.vcf("joint.vcf.gz", ["A", "B"], formats=("GT",))
    told = joint.only()
    assert "FORMAT GQ, DP, AD not declared" in told and "genotype_filter.on_absent_fields" in told


def test_absent_fields_kept_are_recorded(joint):
    joint.vcf("joint.vcf.gz", ["A", "B"], formats=("GT", "DP", "GQ"))
    joint.filter = {"on_absent_fields": "keep"}
    notes, intake = joint.clean()
    assert "AD not declared; not tested" in notes[0]
    assert intake["absent_fields"] == {"A": ["AD"], "B": ["AD"]}
    assert people_table(intake)[1][6] == "AD"


@pytest.mark.parametrize("kind", ["String", "Character", "Flag", "integer"])
def test_a_field_that_is_declared_as_text_is_told(joint, kind, monkeypatch):
    monkeypatch.setitem(FORMATS, "GQ", FORMATS["GQ"].replace("Integer", kind))
    joint.vcf("joint.vcf.gz", ["A", "B"])
    told = joint.only()
    assert f"FORMAT declared with Type GQ {kind}" in told and "-> declare Integer or Float" in told


def test_fields_nobody_tests_may_be_absent(joint):
    joint.vcf("joint.vcf.gz", ["A", "B"], formats=("GT", "DP"))
    joint.filter = {"profile": "none", "min_dp": 8}
    assert joint.clean()[1]["absent_fields"] == {}


def test_info_that_is_not_declared(joint):
    lines = ('##INFO=<ID=QD,Number=1,Type=Float,Description="x">', '##INFO=<ID=DB,Number=0,Type=Flag,Description="x">')
    records = (("chr20", 33, "A", "C", "QD=2;DB"), ("chr20", 35, "A", "C", "XYZ=1;FLAG"))
    joint.vcf("joint.vcf.gz", ["A", "B"], records, header=lines)
    assert "INFO FLAG, XYZ in its first records, and no ##INFO line for it" in joint.only()
    joint.vcf("joint.vcf.gz", ["A", "B"], records[:1], header=lines)
    joint.clean()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("\tPASS\t", "\tLowQ;PASS\t", "FILTER LowQ in its first records, and no ##FILTER line for it"),
        ("\tGT:DP:GQ:AD", "\tGT:DP:GQ:AD:PGT", "FORMAT PGT in its first records, and no ##FORMAT line for it"),
    ],
)
def test_filter_and_format_that_are_not_declared(joint, old, new, said):
    text = vcf_text(["A", "B"], (("chr20", 33, "A", "C"),)).replace(old, new)
    Path("joint.vcf.gz").write_bytes(subprocess.run(["bgzip", "-c"], input=text.encode(), capture_output=True).stdout)
    subprocess.run(["tabix", "-f", "-p", "vcf", "joint.vcf.gz"], check=True)
    assert said in joint.only()


def test_no_genotypes(joint):
    joint.vcf("joint.vcf.gz", ["A", "B"], [], formats=("DP", "GQ", "AD"))
    assert "FORMAT/GT is not declared" in joint.only()


@pytest.mark.parametrize(("others", "least", "said"), [(8, 0.9, True), (10, 0.9, False), (0, None, False)])
def test_low_call_rate_of_single_vcfs_is_said(cohort, others, least, said):
    """One person in nine without calls is more than the tenth that min_call_rate allows, one in eleven is not."""
    names = [f"g{i}" for i in range(others)]
    cohort.people = dict.fromkeys([*names, "vc"], "F")
    cohort.rows = [(name, "gvcf", cohort.vcf(f"{name}.vcf.gz", [name], **BLOCKS)) for name in names]
    cohort.rows.append(("vc", "vcf", cohort.vcf("v.vcf.gz", ["vc"])))
    cohort.more = {"variant_qc": {"min_call_rate": least}}
    (note,) = [n for n in cohort.clean()[0] if "single-sample" in n]
    assert ("LowCallRate" in note) == said


def test_vcf_that_is_a_gvcf_and_the_reverse(one):
    one.rows = [("A", "vcf", one.vcf("g.vcf.gz", ["A"], **BLOCKS))]
    assert "a gVCF: it has reference blocks -> set input_type to gvcf" in one.only()
    one.rows = [("A", "gvcf", one.vcf("v.vcf.gz", ["A"]))]
    assert "ALT . with INFO/END) in its first" in one.only() and "a record for every base and no END" in one.only()
    # GATK leaves the header lines of a gVCF in the VCF it makes of it.
    one.rows = [("A", "vcf", one.vcf("w.vcf.gz", ["A"], header=BLOCKS["header"]))]
    one.clean()


def test_gvcf_of_bcftools(one):
    header = (
        '##ALT=<ID=*,Description="Any other allele">',
        '##INFO=<ID=END,Number=1,Type=Integer,Description="End">',
    )
    records = [("chr20", 1, "A", ".", "END=32"), ("chr20", 33, "A", "C")]
    for name in ("g.vcf.gz", "g.bcf"):
        one.rows = [("A", "gvcf", one.vcf(name, ["A"], records, header=header))]
        one.clean()


# Contigs and builds


def test_contig_length(joint):
    joint.vcf("joint.vcf.gz", ["A", "B"], contigs={"chr20": 2990, "chrX": 2000})
    assert "chr20 has 2990 bases where the reference has 3000" in joint.only()


def test_wrong_build_is_named(joint):
    grch37 = {"chr20": 63025520, "chrX": 155270560}
    joint.vcf("joint.vcf.gz", ["A", "B"], contigs=grch37)
    assert "(and 1 more contigs); it looks like GRCh37" in joint.only()


def test_no_contig_lines(joint):
    joint.vcf("joint.vcf.gz", ["A", "B"], contigs={})
    told = joint.only()
    assert "the header has no ##contig lines" in told and "ref.fa.fai" in told


def test_contig_without_its_line(joint):
    joint.vcf("joint.vcf.gz", ["A", "B"], contigs={"chrX": 2000})
    assert "records on chr20, and no ##contig line for it" in joint.only()


def test_unknown_contig(joint):
    records = [("chr20", 33, "A", "C"), ("HLA-A", 5, "A", "C")]
    joint.vcf("joint.vcf.gz", ["A", "B"], records, contigs={**CONTIGS, "HLA-A": 500, "HLA-B": 500})
    told = joint.only()
    assert "records on HLA-A, unknown to the reference" in told and 'ignore_contigs: ["HLA-A"]' in told
    joint.reference["ignore_contigs"] = ["HLA*"]
    joint.clean()


@pytest.mark.parametrize("name", ["23", "chr23"])
def test_numbers_of_plink_are_named_and_never_ignored(joint, name):
    joint.vcf("joint.vcf.gz", ["A", "B"], [(name, 33, "A", "C")], contigs={name: 2000})
    joint.reference["ignore_contigs"] = ["*"]
    told = joint.only()
    assert f"records on {name}, which the reference names chrX" in told
    assert f'reference.rename: {{"{name}": chrX}}' in told


@pytest.mark.parametrize("name", ["X", "23"])
def test_a_contig_of_another_length_is_no_other_name_of_it(joint, name):
    """As chrM of hg19 for that of the rCRS."""
    joint.vcf("joint.vcf.gz", ["A", "B"], [(name, 33, "A", "C")], contigs={name: 2100})
    told = joint.only()
    assert f"{name} has 2100 bases where chrX of the reference has 2000" in told and "rename" not in told


@pytest.mark.parametrize("pattern", ["*", "?0", "2*", "20"])
def test_no_pattern_takes_a_primary_contig(joint, pattern):
    joint.vcf("joint.vcf.gz", ["A", "B"], [("20", 33, "A", "C")], contigs={"20": 3000})
    joint.reference["ignore_contigs"] = [pattern]
    assert "records on 20, which the reference names chr20" in joint.only()
    joint.reference["leave_out"] = {"chr20": "a test of what is left"}
    joint.clean()


def test_a_primary_contig_that_is_left_out_has_a_reason(joint):
    joint.reference["ignore_contigs"] = ["chr20"]
    told = joint.only()
    assert "chr20 is a primary contig" in told and 'reference.leave_out: {"chr20": "the reason"}' in told
    joint.reference |= {"ignore_contigs": [], "leave_out": {"chr21": "x"}}
    with pytest.raises(GoeError, match=r"reference.leave_out: chr21 is no primary contig that would be counted"):
        joint.lint()
    joint.reference["leave_out"] = {"chr20": "x", "chrX": "x"}
    with pytest.raises(GoeError, match=r"leaves no contig to count"):
        joint.lint()


@pytest.mark.parametrize("name", ["chrX", "X"])
def test_a_contig_of_another_length_is_ignored_by_its_name(joint, name):
    """As chrM of hg19, which is another sequence than that of GRCh38."""
    records = [("chr20", 33, "A", "C"), (name, 33, "A", "C")]
    joint.vcf("joint.vcf.gz", ["A", "B"], records, contigs={"chr20": 3000, name: 2100})
    joint.reference["ignore_contigs"] = [name]
    joint.clean()
    joint.vcf("joint.vcf.gz", ["A", "B"], records, contigs={"chr20": 3000, name: 2000})
    assert ("primary contig" if name == "chrX" else "which the reference names chrX") in joint.only()


@pytest.mark.parametrize("kind", ["vcf", "bam", "cram"])
def test_other_names_need_a_rename(one, kind):
    if kind == "vcf":
        path = one.vcf("a.vcf.gz", ["A"], [("20", 33, "A", "C")], contigs={"20": 3000, "X": 2000})
    elif kind == "bam":
        path = one.bam("a.bam", contigs={"20": 3000, "X": 2000})
    else:
        Path("other.fa").write_text(f">20\n{SEQUENCES['chr20']}\n>X\n{SEQUENCES['chrX']}\n")
        path = one.bam("a.bam", contigs={"20": 3000, "X": 2000})
        pysam.view("-C", "-T", "other.fa", "-o", "a.cram", path, catch_stdout=False)
        pysam.index("a.cram")
        path = "a.cram"
    one.rows = [("A", kind, path)]
    told = one.only()
    assert "records on 20, which the reference names chr20" in told
    assert 'reference.rename: {"20": chr20}' in told
    one.reference["rename"] = {"20": "chr20", "X": "chrX"}
    (entry,) = one.clean()[1]["people"]["A"]["inputs"]
    assert entry["rename"] == {"20": "chr20", "X": "chrX"} and entry["contigs"] == ["chr20"]


def test_rename_to_nowhere_and_onto_another(joint):
    joint.reference["rename"] = {"20": "chr21"}
    assert "config reference.rename.20: chr21 is not a contig of the reference" in joint.only()
    joint.reference["rename"] = {"20": "chr20"}
    joint.vcf("joint.vcf.gz", ["A", "B"], contigs={"chr20": 3000, "20": 3000})
    assert "chr20 and 20 would both be chr20" in joint.only()


@pytest.mark.parametrize("kind", ["bam", "cram"])
def test_other_sequence_of_the_same_length(one, kind):
    wrong = {"chr20": "0" * 32, "chrX": hashlib.md5(SEQUENCES["chrX"].encode()).hexdigest()}
    if kind == "bam":
        path = one.bam("a.bam", m5=wrong)
    else:
        Path("other.fa").write_text(f">chr20\n{'N' * 100}{SEQUENCES['chr20'][100:]}\n>chrX\n{SEQUENCES['chrX']}\n")
        wrong["chr20"] = hashlib.md5(("N" * 100 + SEQUENCES["chr20"][100:]).encode()).hexdigest()
        pysam.view("-C", "-T", "other.fa", "-o", "a.cram", one.bam("b.bam"), catch_stdout=False)
        pysam.index("a.cram")
        path = "a.cram"
    one.rows = [("A", kind, path)]
    told = one.only()
    assert "the sequence of chr20 is not the reference's" in told and wrong["chr20"] in told


def test_md5_cache_follows_the_fasta(one):
    one.rows = [("A", "cram", one.bam("a.cram"))]
    one.clean()
    kept = json.loads(Path("m5.json").read_text())
    assert set(kept["m5"]) == set(CONTIGS)
    Path("ref.fa").write_text(Path("ref.fa").read_text().replace("ACGTTGCA", "ACGTTGCC", 1))
    os.utime("ref.fa", (5, 5))
    assert "the sequence of chr20 is not the reference's" in one.only()


# What the release will need


def test_what_the_release_needs_is_told_with_the_rest(joint):
    """Mistakes in several parts of the config, and one in an input, at once."""
    Path("bad.bed").write_text("chr20\t5\n")
    Path("far.bed").write_text("chr20\t5\t4000\n")
    Path("no.pub").write_text("no key")
    joint.people["C"] = "M"
    joint.dataset = {"license": "ask us", "id": "GOE-EE-TEST-20269999000000000"}
    joint.more = {
        "annotations": {"regions": {"lcr": "bad.bed", "segdup": "far.bed"}},
        "variant_qc": {"regions": ["lcr", "segdup"]},
        "restricted": {"recipients": ["gone.pub", "no.pub"], "legal_basis": "Agreement 1"},
        "previous_release": "old",
        "previous_people": "people.tsv",
    }
    problems, _, _ = joint.lint()
    told = "\n".join(problems)
    for text in (
        "sample C: no data",
        "config dataset.license: 'ask us'",
        "config dataset.id: 20269999000000000 is no point in time",
        "bad.bed line 1: not a BED interval",
        "config annotations.regions.segdup far.bed: chr20 ends at 3000, an interval at 4000",
        "config restricted.recipients gone.pub: no such file",
        "config restricted.recipients no.pub: is no crypt4gh public key",
        "config previous_release old: no such folder",
        "config previous_people people.tsv: people.tsv: no such file",
        "config previous_people people.tsv: people.key: no such file",
    ):
        assert told.count(text) == 1, text


def test_what_the_gdi_package_needs_is_told_with_the_rest(joint):
    Path("no.pub").write_text("no key")
    joint.dataset = {"license": None, "title": "x" * 256}
    joint.write()
    cfg = config.load(joint.config())
    gdi = sections.of(sections.Gdi, {"enabled": True, "recipients": ["no.pub"]})
    cfg = altered(altered(cfg, "reference.build", "GRCh38"), "formats.gdi", gdi)
    problems, _ = release_lint.look(cfg, {}, build_of(config.load(joint.config())))
    assert [p.where for p in problems] == [
        "config formats.gdi.catalog",
        "config dataset.title",
        "config dataset.license",
        "config formats.gdi.recipients no.pub",
    ]


def test_what_the_release_would_like_is_a_note(joint):
    joint.dataset = {"description": None, "publisher": None, "license": None, "access_url": None}
    joint.more = {"disclosure": {"min_carriers": 5, "policy": "collapse"}, "formats": {}}
    notes, _ = joint.clean()
    assert [n.split(": ")[0] for n in notes] == [
        "samples.tsv",
        "config formats.gdi",
        "config dataset.publisher",
        "config dataset.description",
        "config dataset.license",
        "config dataset.access_url",
    ]
    assert "2 people to count, fewer than 10 (disclosure.min_stratum_size): no allele will be published" in notes[0]


def test_people_who_withdrew_are_not_counted_for_the_note(joint):
    joint.more = {"disclosure": {"min_carriers": 2, "policy": "collapse", "min_stratum_size": 2}}
    joint.write()
    cfg = config.load(joint.config())
    people = sheets.read_people(cfg.samples)
    people["A"] = dataclasses.replace(people["A"], withdrawn=True)
    _, notes = release_lint.look(cfg, people, build_of(cfg))
    assert "1 people to count" in str(notes[0])


@pytest.mark.parametrize(
    ("leaves", "least", "hidden"),
    [
        ({"EE_M": 20, "EE_F": 20}, None, ""),
        ({"EE_M": 20, "EE_F": 20, "FI_M": 3}, None, "EE, EE_M, EE_F, FI, FI_M"),
        ({"EE_M": 20, "EE_F": 20, "EE_U": 3}, None, "M, F, EE_M, EE_F"),
        ({"EE_M": 20, "EE_F": 20, "EE_U": 7}, 5, ""),
    ],
)
def test_strata_that_will_not_be_published_are_a_note(joint, leaves, least, hidden):
    joint.more = {"disclosure": {"min_carriers": 5, "policy": "minimal", "min_stratum_size": least}}
    joint.write()
    cfg = config.load(joint.config())
    people = {
        f"{leaf}{i}": sheets.Person(f"{leaf}{i}", leaf[3:], leaf[:2]) for leaf, n in leaves.items() for i in range(n)
    }
    _, notes = release_lint.look(cfg, people, build_of(cfg))
    told = [note.what for note in notes if "will not be published" in note.what]
    assert len(told) == bool(hidden)
    if hidden:
        assert told[0].startswith(f"{hidden} will not be published")


def advice(joint, sizes: dict[str, tuple[int, int, int]], **disclosure) -> list[str]:
    """Notes of the release on a cohort of these men, women and people of unknown sex by country."""
    joint.more = {"disclosure": {"min_carriers": 5, "policy": "collapse", **disclosure}}
    joint.write()
    cfg = config.load(joint.config())
    people = {
        f"{country}{sex}{i}": sheets.Person(f"{country}{sex}{i}", sex, country)
        for country, numbers in sizes.items()
        for sex, n in zip("MFU", numbers, strict=True)
        for i in range(n)
    }
    problems, notes = release_lint.look(cfg, people, build_of(cfg))
    assert problems == []
    return [str(note) for note in notes]


@pytest.mark.parametrize("policy", ["collapse", "minimal"])
@pytest.mark.parametrize(
    ("sizes", "x", "y"),
    [
        # Nothing, little, and as much as elsewhere, as disclosure control itself decides for made-up alleles.
        ({"EE": (310, 290, 0), "LV": (4, 12, 0)}, "no allele of X", "no allele of Y"),
        ({"EE": (310, 290, 0), "LV": (12, 4, 0)}, "no allele of X", ""),
        ({"EE": (310, 290, 0), "LV": (5, 11, 0)}, "few alleles of X", "few alleles of Y"),
        ({"EE": (310, 4, 0)}, "no allele of X", ""),
        # Few who are called, with callable AN: nothing, whoever else is in the cohort.
        ({"EE": (310, 290, 0), "FI": (50, 50, 0), "LV": (4, 12, 0)}, "no allele of X", "no allele of Y"),
        ({"EE": (310, 290, 0), "LV": (0, 16, 0)}, "", ""),
        ({"EE": (310, 290, 0), "LV": (9, 9, 0)}, "", ""),
    ],
)
def test_few_men_or_women_of_a_country_are_a_note_where_they_cost_x_or_y(joint, sizes, x, y, policy):
    told = [note for note in advice(joint, sizes, policy=policy) if "outside the PAR" in note]
    assert len(told) == bool(x) + bool(y)
    for wanted in filter(None, (x, y)):
        (one,) = (note for note in told if wanted in note)
        country = [*sizes][-1]
        assert f"of {country}" in one and "strata.label" in one and "open" in one


def test_few_people_of_unknown_sex_are_a_note(joint):
    (told,) = (n for n in advice(joint, {"EE": (300, 300, 2), "FI": (40, 40, 6)}) if "unknown sex, " in n)
    assert "people of unknown sex, 2 of EE: fewer than 5 (disclosure.min_carriers)" in told
    assert advice(joint, {"EE": (300, 300, 20)}) == []


def test_too_few_people_are_a_problem_where_a_gdi_package_is_wanted(joint):
    joint.more = {"disclosure": {"min_carriers": 5, "policy": "collapse"}}
    joint.write()
    cfg = config.load(joint.config())
    cfg = altered(altered(cfg, "formats.gdi.enabled", True), "formats.gdi.catalog", "goe")
    people = sheets.read_people("samples.tsv")
    problems, _ = release_lint.look(cfg, people, build_of(cfg))
    (told,) = (str(p) for p in problems if p.where == "samples.tsv")
    assert "2 people to count, fewer than 10 (disclosure.min_stratum_size): no allele will be published" in told
    assert "a GDI package cannot be empty -> take in more people, or set formats.gdi.enabled to false" in told


def whole_release(joint, names: dict[str, str]) -> None:
    """What a run left that counted people of EE, by sex, and its keep list."""
    keep = [{"sample_id": n, "country_code": "EE", "count_sex": s, "keep": "yes"} for n, s in names.items()]
    Path("release").mkdir()
    Path("release/MANIFEST.sha256").touch()
    Path("work/release").mkdir(parents=True)
    previous_release.write_record(keep, "work/release/people.tsv", "work/release/people.key")


@pytest.mark.parametrize(
    ("before", "gone", "n"),
    [
        ({"A": "F", "B": "M"}, "", 0),
        ({"A": "F", "B": "M"}, "B", 1),
        ({"A": "F"}, "", 1),
        ({"A": "F"}, "B", 0),
        ({"A": "F", "B": "U", "C": "F"}, "", 2),
    ],
)
def test_other_people_than_those_of_a_whole_release_stop(joint, before, gone, n):
    """Written over it under the same id, the two could be subtracted."""
    joint.more = {"disclosure": {"min_carriers": 2, "policy": "collapse"}}
    joint.write()
    cfg = config.load(joint.config())
    whole_release(joint, before)
    people = {s: dataclasses.replace(p, withdrawn=s == gone) for s, p in sheets.read_people("samples.tsv").items()}
    problems, _ = release_lint.look(cfg, people, build_of(cfg))
    assert len(problems) == bool(n)
    if n:
        assert f"{n} {'person' if n == 1 else 'people'} withdrew, joined or moved" in problems[0].what
        assert "previous_release and previous_people" in problems[0].mend
    # Every count is public anyhow: the controller is told, and decides.
    opened = sections.of(sections.Disclosure, {"open": True, "legal_basis": "a test"})
    cfg = altered(cfg, "disclosure", opened)
    problems, notes = release_lint.look(cfg, people, build_of(cfg))
    assert problems == [] and sum("is the whole release" in note.what for note in notes) == bool(n)


def test_people_left_out_by_qc_have_not_joined_since(joint):
    """Their row is as it was, and so is the other sex they were counted under."""
    joint.more = {"disclosure": {"min_carriers": 2, "policy": "collapse"}}
    joint.write()
    cfg = config.load(joint.config())
    whole_release(joint, {"A": "U"})
    Path("work/sample_qc").mkdir()
    head = "sample_id\tcountry_code\tsex\tinferred_sex\tcount_sex\tkeep\treasons\n"
    rows = "A\tEE\tF\tX0\tU\tyes\tsex_aneuploid\nB\tEE\tM\tM\tM\tno\tcharr\n"
    Path("work/sample_qc/keep.tsv").write_text(head + rows)
    people = sheets.read_people("samples.tsv")
    assert release_lint.look(cfg, people, build_of(cfg))[0] == []
    moved = people | {"A": dataclasses.replace(people["A"], country="FI")}
    assert "1 person withdrew" in release_lint.look(cfg, moved, build_of(cfg))[0][0].what
    # The record is put away after a release, with its key elsewhere.
    Path("work/release/people.key").unlink()
    assert release_lint.look(cfg, people, build_of(cfg))[0] == []
    assert "1 person withdrew" in release_lint.look(cfg, moved, build_of(cfg))[0][0].what


def test_fewer_than_the_floor_who_withdrew_since_the_earlier_release_are_a_note(joint):
    keep = [{"sample_id": s, "country_code": "EE", "count_sex": "F", "keep": "yes"} for s in ("A", "B", "C")]
    previous_release.write_record(keep, "old.tsv", "old.key")
    joint.people["B"] = "F"
    floor = {"disclosure": {"min_carriers": 5, "policy": "collapse"}}
    joint.more = floor | {"previous_release": earlier_release(Path("old")), "previous_people": "old.tsv"}
    assert any(
        "1 person of the earlier release withdrew or left the sheet, fewer than 5" in n for n in joint.clean()[0]
    )


def test_the_record_of_people_is_not_the_one_this_run_writes(joint):
    whole_release(joint, {"A": "F", "B": "M"})
    Path("release/MANIFEST.sha256").unlink()
    joint.more = {"previous_release": earlier_release(Path("old")), "previous_people": "work/release/people.tsv"}
    assert "is the record that this run writes -> keep it and its .key elsewhere" in joint.only()


def test_keys_and_region_files_that_are_well_are_no_problem(joint):
    for name in "ab":
        c4gh.generate(f"{name}.sec", f"{name}.pub", None, None)
    Path("lcr.bed").write_text("chr20\t5\t40\n")
    joint.more = {
        "annotations": {"regions": {"lcr": "lcr.bed"}},
        "restricted": {"recipients": ["a.pub", "b.pub"], "legal_basis": "Agreement 1"},
    }
    assert joint.clean()[0] == []
    joint.more["restricted"]["recipients"] = ["a.pub", "a.sec"]
    assert "config restricted.recipients a.sec: is a private key" in joint.only()


def test_a_file_that_is_not_text_is_named(joint):
    Path("lcr.bed").write_bytes(b"\xff\xfe\x00")
    joint.more = {"annotations": {"regions": {"lcr": "lcr.bed"}}}
    assert "config annotations.regions.lcr lcr.bed: cannot be read" in joint.only()


def earlier_release(folder: Path, dataset="GOE-EE-TEST-20250101000000000", **about) -> str:
    """A release folder as far as the intake looks at it."""
    facts = {"dataset": dataset, "build": "toy", "contig": "chr20", "strata": [{"stratum": "Total", "people": 9}]}
    columns = ("pos", "ref", "alt", "stratum", "ac_het", "nhomalt", "ac_hemi", "an")
    (folder / "frequencies").mkdir(parents=True)
    schema = pa.schema([(name, pa.string()) for name in columns], {"goe": json.dumps({**facts, **about})})
    pq.write_table(schema.empty_table(), folder / "frequencies/chr20.parquet")
    (folder / "MANIFEST.sha256").write_text("")
    return str(folder)


def test_an_earlier_release_of_the_same_cohort_is_well(joint):
    joint.more = {"previous_release": earlier_release(Path("old"))}
    assert joint.clean()[0] == []


def test_the_earlier_release_has_an_id_of_its_own(joint):
    joint.more = {"previous_release": earlier_release(Path("old"), "GOE-EE-TEST-20260101000000000")}
    assert "config dataset.id: GOE-EE-TEST-20260101000000000 is the id of the earlier release" in joint.only()


def test_the_earlier_release_is_not_of_others(joint):
    joint.more = {"previous_release": earlier_release(Path("old"), "GOE-FI-OTHER-20250101000000000")}
    assert "is a release of FI-OTHER, not of EE-TEST" in joint.only()


def test_the_earlier_release_is_not_where_this_one_goes(joint):
    joint.more = {"previous_release": earlier_release(Path("out/release")), "outdir": "out"}
    assert "config previous_release out/release: is the folder that this run writes" in joint.only()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda p: (p / "MANIFEST.sha256").unlink(), "config previous_release old: has no MANIFEST.sha256"),
        (lambda p: shutil.rmtree(p / "frequencies"), "old/frequencies: there is no frequency table"),
        (
            lambda p: (p / "frequencies/chr20.parquet").write_text("x"),
            "config previous_release old: cannot be read: ",
        ),
    ],
)
def test_a_folder_that_is_no_release(joint, spoil, says):
    joint.more = {"previous_release": earlier_release(Path("old"))}
    spoil(Path("old"))
    assert says in joint.only()


def test_the_record_of_people_goes_with_its_key(joint):
    keep = [{"sample_id": "A", "country_code": "EE", "count_sex": "F", "keep": "yes"}]
    previous_release.write_record(keep, "people.tsv", "people.key")
    joint.more = {"previous_release": earlier_release(Path("old")), "previous_people": "people.tsv"}
    assert joint.clean()[0] == []
    Path("people.key").write_text("no key")
    assert "config previous_people people.tsv: people.key: is no key of a record" in joint.only()
    previous_release.write_record(keep, "people.tsv", "people.key")
    Path("people.tsv").write_text("sample_id\tstratum\nA\tEE_F\n")
    assert "config previous_people people.tsv: people.tsv: is no record of people" in joint.only()


# The conformance suite


def _stops(shared: Path):
    for line in (shared / "conformance/errors/errors.tsv").read_text().splitlines()[1:]:
        yield line.split("\t")


def test_conformance_errors(shared, tmp_path, monkeypatch):
    """Inputs that have to stop a run: all but a REF that is not the reference's, which needs the records."""
    monkeypatch.chdir(tmp_path)
    suite = shared / "conformance"
    cohort = Cohort(tmp_path)
    cohort.reference = {
        "fasta": str(suite / "reference.fa"),
        "build": "toy",
        "par": str(suite / "par.bed"),
    }
    for vcf, sheet, outcome, _, names in _stops(shared):
        source = suite / "errors" / vcf
        path = Path(vcf if vcf.endswith(".gz") else f"{vcf}.gz")
        if vcf.endswith(".gz"):
            shutil.copyfile(source, path)
        else:
            with pysam.BGZFile(str(path), "wb") as out:
                out.write(source.read_bytes())
            if "unsorted" not in vcf:
                pysam.tabix_index(str(path), preset="vcf", force=True)
        cohort.rows = [("", "joint_vcf", str(path))]
        cohort.write()
        shutil.copyfile(suite / "errors" / sheet, "samples.tsv")
        cfg = config.load(cohort.config())
        try:
            people, inputs = sheets.read_people("samples.tsv"), sheets.read_inputs("inputs.tsv")
            problems, _, _ = lint.lint(cfg, people, inputs, build_of(cfg))
        except GoeError as error:
            problems = error.problems
        told = "\n".join(str(p) for p in problems)
        if outcome == "run" or vcf == "ref_mismatch.vcf":
            assert told == "", vcf
        else:
            for name in names.split("|"):
                assert name in told, (vcf, name, told)


def test_thousands_of_contigs_are_kept_once_and_not_for_each_file(cohort):
    """A gVCF on the whole of GRCh38 has 3,366 contigs: 0.9 MB a file, were each to keep its own."""
    contigs = CONTIGS | {f"chrUn_{i:06d}v1": 1000 + i for i in range(3364)}
    names = [f"P{i}" for i in range(24)]
    cohort.people = dict.fromkeys(names, "F")
    for name in names:
        cohort.vcf(f"{name}.vcf.gz", [name], contigs=contigs, index=name == "P0", **BLOCKS)
        if name != "P0":
            shutil.copyfile("P0.vcf.gz.tbi", f"{name}.vcf.gz.tbi")
    cohort.rows = [(name, "gvcf", f"{name}.vcf.gz") for name in names]
    tracemalloc.start()
    try:
        _, intake = cohort.clean()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert intake["people"]["P23"]["inputs"][0]["contigs"] == ["chr20"]
    assert peak < 14_000_000


# Snakemake


def of_this_folder(repo: Path, *arguments: str) -> Run:
    """`snakemake` where one is, without profile and `--directory`."""
    options = ["--snakefile", str(repo / "Snakefile"), "--cores", "1", *arguments]
    return Run(*warm.snakemake(options, os.environ, 600))


@pytest.mark.slow
def test_snakemake_lint(cohort, repo):
    """The target `lint`: status 1, every problem on stderr and in lint.tsv; looks again each time; notes are shown."""
    records = [("chr20", 33, "A", "C"), ("chrX", 5, "A", "C")]
    cohort.rows = [("", "joint_vcf", cohort.vcf("joint.vcf.gz", ["A", "B", "STRANGER"], records))]
    cohort.people["C"] = "M"
    cohort.write()
    Path("config").mkdir()
    Path("config/config.yaml").write_text(yaml.safe_dump(cohort.config()))

    def run(target="lint") -> Run:
        return of_this_folder(repo, target)

    done = run()
    assert done.status == 1
    for text in ("STRANGER", "samples.tsv row 4, sample C: no data"):
        assert done.output.count(text) == 1
    # What Snakemake says of a job that failed is not about the inputs.
    for noise in ("RuleException", "CalledProcessError", "Error in rule"):
        assert noise not in done.output
    table = Path("work/intake/lint.tsv").read_text().splitlines()
    assert table[0] == "level\twhere\twhat\tmend" and len(table) == 3
    done = run("work/intake/sources.tsv")
    assert done.status == 1 and "STRANGER" in done.output
    assert not Path("work/intake/sources.tsv").exists()

    del cohort.people["C"]
    cohort.people["STRANGER"] = "U"
    cohort.write()
    os.utime("joint.vcf.gz.tbi", (1, 1))
    done = run()
    assert done.status == 0, done.output
    assert "note: inputs.tsv row 2, joint.vcf.gz: the index joint.vcf.gz.tbi is older than the file" in done.output
    assert "lint: no problem; notes: 1, also in work/intake/lint.tsv" in done.output
    assert run("work/intake/people.tsv").status == 0
    assert Path("work/intake/people.tsv").read_text().splitlines()[1] == "A\tF\tEE\tno\tjoint_vcf\tjoint_vcf_1\t\t"

    assert run("work/intake/people.tsv").status == 0
    assert "Nothing to be done" in run("work/intake/people.tsv").output
    Path("joint.vcf.gz").unlink()
    done = run("work/intake/people.tsv")
    assert done.status == 1 and "inputs.tsv row 2, joint.vcf.gz: no such file" in done.output
    done = run()
    assert done.status == 1 and "inputs.tsv row 2, joint.vcf.gz: no such file" in done.output


@pytest.mark.slow
def test_snakemake_without_a_home_and_with_an_old_samtools(cohort, monkeypatch):
    """Caches of Snakemake and libraries need no HOME; the tool is told with the rest."""
    cohort.rows = [("", "joint_vcf", cohort.vcf("joint.vcf.gz", ["A", "B", "STRANGER"]))]
    cohort.write()
    Path("config").mkdir()
    Path("config/config.yaml").write_text(yaml.safe_dump(cohort.config()))
    old = Path("old")
    old.mkdir()
    (old / "samtools").write_text("#!/bin/sh\necho samtools 1.7\n")
    (old / "samtools").chmod(0o755)
    monkeypatch.setenv("PATH", f"{old.absolute()}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", "/proc/none")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for target in ("lint", "harmonised"):
        told = snakemake(Path.cwd(), target, alone=target == "lint")
        assert told.status == 1 and "Traceback" not in told.output, told.output
        assert "samtools 1.7: older than 1.16" in told.output and "STRANGER" in told.output, told.output
    assert not Path("work/harmonise").exists()


@pytest.mark.slow
def test_snakemake_on_config_files_that_are_none(cohort, repo):
    """Line and mend, before Snakemake reads the file in its own way."""
    cohort.rows = [("", "joint_vcf", cohort.vcf("joint.vcf.gz", ["A", "B"]))]
    cohort.write()
    Path("config").mkdir()

    def told(text: str | None, *more: str) -> str:
        if text is not None:
            Path("config/config.yaml").write_text(text)
        done = of_this_folder(repo, "--dry-run", "lint", *more)
        assert done.status == (0 if more else 1), done.output
        return done.output

    assert "There is no config/config.yaml in" in told(None) and "--directory" in told(None)
    whole = yaml.safe_dump(cohort.config())
    assert "config/config.yaml line" in told(f"{whole}disclosure: {{min_carriers: 5, policy: collapse}}\n")
    assert "config/config.yaml line 2: is no YAML" in told("samples: a\n  inputs: b\n")
    Path("config/config.yaml").unlink()
    Path("other.yaml").write_text(whole)
    told(None, "--configfile", "other.yaml")
