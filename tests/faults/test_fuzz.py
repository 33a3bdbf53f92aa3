"""No VCF that the lint passed ends in a traceback: headers, declarations and values are changed at random."""

import random
import re
import subprocess
from dataclasses import asdict
from pathlib import Path

import pysam
import pytest
from goe.calls.own_file import OwnFile
from goe.core.errors import GoeError
from goe.genome.build import Build, regions
from goe.harmonise.batch import TABLES
from goe.harmonise.genotypes import Filter
from goe.harmonise.person import Harmoniser
from goe.intake import lint
from goe.intake.load import build_of
from goe.settings import config, sections, sheets
from helpers.run_script import REPO, run_spec
from helpers.stages import person_params
from helpers.workflow import DATASET

LENGTH = 2000
BASES = ("ACGTTGCATGCCGATCGAATTCCGG" * 80)[:LENGTH]
PEOPLE = {"A": "F", "B": "M", "C": "U"}
ROUNDS = 60
GUIDELINES = [str(REPO / "resources" / "guidelines" / name) for name in ("sample_qc.tsv", "inference.tsv")]

META = [
    "##fileformat=VCFv4.3",
    '##FILTER=<ID=LowQual,Description="x">',
    '##INFO=<ID=END,Number=1,Type=Integer,Description="x">',
    '##INFO=<ID=MLEAC,Number=A,Type=Integer,Description="x">',
    '##ALT=<ID=NON_REF,Description="x">',
    '##ALT=<ID=DEL,Description="x">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="x">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">',
    '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="x">',
    '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="x">',
    '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="x">',
    '##FORMAT=<ID=FT,Number=1,Type=String,Description="x">',
    f"##contig=<ID=chr1,length={LENGTH}>",
    f"##contig=<ID=chrX,length={LENGTH}>",
]
TYPES = ("Integer", "Float", "String", "Character", "Flag", "integer", "")
NUMBERS = ("0", "1", "2", "A", "R", "G", ".", "P", "-1", "")
LINES = (
    "##",
    "##x",
    "##=",
    "##contig=<ID=chrUn>",
    "##contig=<length=5>",
    "##contig=<ID=chr1,length=x>",
    "##FORMAT=<ID=GQX,Number=1,Type=Integer>",
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="again">',
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="a \\"word\\", <and> a = sign">',
    "##SAMPLE=<ID=A,Description=b\xe4r>",
    "##ALT=<ID=*,Description=x>",
    '##FILTER=<ID=0,Description="x">',
)
VALUES = (
    *(".", "", "0", "1", "-1", "30", "1.5", "1e3", "nan", "inf", "x", "2147483647", "2147483648", "99999999999999"),
    *(",", "1,2", "1,2,3", ".,.", ".,5", "1,x", "0,0,0,0", "PASS", "LowQual", "a;b", "a b"),
    *("0/0", "0/1", "1/1", "0|1", "./.", ".|1", "./1", "0/", "/1", "0/1/1", "2/3", "0", "1", "1|", "0/x", "-1/0"),
)
REFS = ("A", "C", "N", "a", "R", "ACGT", "", ".", "*", "<DEL>", "A" * 60)
ALTS = (
    "A",
    "C",
    "C,T",
    "T,T",
    ".",
    "*",
    "C,*",
    "<NON_REF>",
    "C,<NON_REF>",
    "<DEL>",
    "<*>",
    "G]chr1:5]",
    "c",
    "",
    "N",
    "C,,T",
)
FILTERS = (".", "PASS", "LowQual", "PASS;LowQual", "", "0", "low")
INFOS = (".", "", "END=9", "END=x", "END=.", "END=99999", "MLEAC=1,2,3", "X", "END", "END=1;END=2", "DP=5", ";", "=1")


def plain(chance: random.Random, people: list[str], gvcf: bool) -> list[list[str]]:
    rows = []
    for contig in ("chr1", "chrX"):
        pos = 1
        for _ in range(6):
            pos += chance.randrange(1, 90)
            ref = BASES[pos - 1]
            alt = chance.choice([b for b in "ACGT" if b != ref] + [ref + "AT", "*"])
            info = "."
            if gvcf and chance.random() < 0.5:
                alt, info = "<NON_REF>", f"END={pos + 20}"
            calls = []
            for _ in people:
                gt = chance.choice(["0/0"] if alt == "<NON_REF>" else ["0/0", "0/1", "1/1", "./.", "0|1"])
                calls.append(f"{gt}:{chance.randrange(60)}:{chance.randrange(99)}:{chance.randrange(30)},9")
            rows.append([contig, str(pos), ".", ref, alt, "50", "PASS", info, "GT:DP:GQ:AD", *calls])
            pos += 21
    return rows


def spoil(chance: random.Random, meta: list[str], rows: list[list[str]]) -> None:
    """One change of one place."""
    what = chance.randrange(12)
    row = chance.choice(rows)
    if what == 0:
        i = chance.randrange(len(meta))
        meta[i] = re.sub("Type=[A-Za-z]+", f"Type={chance.choice(TYPES)}", meta[i])
    elif what == 1:
        i = chance.randrange(len(meta))
        for number in ("Number=1", "Number=R", "Number=G"):
            meta[i] = meta[i].replace(number, f"Number={chance.choice(NUMBERS)}")
    elif what == 2:
        del meta[chance.randrange(len(meta))]
    elif what == 3:
        meta.insert(chance.randrange(len(meta) + 1), chance.choice(LINES))
    elif what == 4:
        row[3] = chance.choice(REFS)
    elif what == 5:
        row[4] = chance.choice(ALTS)
    elif what == 6:
        row[5] = chance.choice(VALUES)
    elif what == 7:
        row[6] = chance.choice(FILTERS)
    elif what == 8:
        row[7] = chance.choice(INFOS)
    elif what == 9:
        row[8] = chance.choice(
            [
                "GT",
                "GT:DP",
                "DP:GT",
                "GT:AD",
                "GT:GQ:DP:AD",
                "DP",
                ".",
                "",
                "GT:GT",
                "GT:DP:GQ:AD:FT",
                "GT:PL",
                "GT:MIN_DP:GQ:AD",
                "GT:DP:GQ:LEN",
                "LGT:DP:LAA:LAD",
                "GT:DP:PL:LAA",
                "GT:DP:DP:AD",
            ]
        )
    elif what == 10:
        row[1] = chance.choice(["0", "1", str(LENGTH), str(LENGTH + 1), "x", "", "-5", "99999999999", row[1]])
    else:
        column = chance.randrange(9, len(row))
        cells = row[column].split(":")
        cells[chance.randrange(len(cells))] = chance.choice(VALUES)
        row[column] = ":".join(cells[: chance.choice([1, 2, 3, 4, 4, 4])])


class World:
    def __init__(self, folder: Path):
        self.folder = folder
        (folder / "ref.fa").write_text(f">chr1\n{BASES}\n>chrX\n{BASES}\n")
        pysam.faidx(str(folder / "ref.fa"))
        (folder / "par.bed").write_text("chrX\t100\t400\n")
        (folder / "samples.tsv").write_text(
            "sample_id\tsex\tcountry_code\n" + "".join(f"{p}\t{sex}\tEE\n" for p, sex in PEOPLE.items())
        )
        columns = ["sample_id", "country_code", "sex", "inferred_sex", "count_sex", "keep", "reasons"]
        rows = [columns, *([p, "EE", sex, sex, sex, "yes", ""] for p, sex in PEOPLE.items())]
        (folder / "keep.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))

    def lint(self, kind: str, people: list[str]) -> list[str]:
        """Problems of the lint."""
        f = self.folder
        whose = "" if kind == "joint_vcf" else people[0]
        (f / "inputs.tsv").write_text(f"sample_id\tinput_type\tpath\n{whose}\t{kind}\t{f / 'in.vcf.gz'}\n")
        sheet = (f / "samples.tsv").read_text().splitlines(keepends=True)
        (f / "some.tsv").write_text("".join([sheet[0], *(s for s in sheet if s.split("\t")[0] in people)]))
        self.cfg = config.load(
            {
                "samples": str(f / "some.tsv"),
                "inputs": str(f / "inputs.tsv"),
                "reference": {"fasta": str(f / "ref.fa"), "build": "toy", "par": str(f / "par.bed")},
                "dataset": {
                    **DATASET,
                    **{"description": "D", "publisher": "P", "license": "CC-BY-4.0"},
                    "access_url": "https://example.org/data",
                },
                "disclosure": {"open": True, "legal_basis": "a test"},
                "formats": {"gdi": {"enabled": False}},
            }
        )
        every = sheets.read_people(self.cfg.samples), sheets.read_inputs(self.cfg.inputs)
        self.build = build_of(self.cfg)
        problems, *_ = lint.lint(self.cfg, *every, self.build, m5_cache=str(f / "m5.json"))
        rows = [[p, PEOPLE[p], "EE", "no", kind, "", "joint" if kind == "joint_vcf" else "own"] for p in people]
        columns = ["sample_id", "sex", "country_code", "withdrawn", "input_type", "absent_fields", "source"]
        (f / "people.tsv").write_text("".join("\t".join(row) + "\n" for row in [columns, *rows]))
        return [str(p) for p in problems]

    def job(self, script: str, inputs: dict, outputs: dict, params: dict, **more) -> bool:
        """Whether the script ended well; it must not end in a traceback, and say why where it stops."""
        f = self.folder
        spec = {
            **{"script": script, "log": str(f / "log"), "params": params, **more},
            "input": {k: str(v) if isinstance(v, Path) else v for k, v in inputs.items()},
            "output": {k: str(f / v) for k, v in outputs.items()},
        }
        try:
            run_spec(spec)
        except SystemExit as stop:
            said = (f / "log").read_text(errors="replace")
            assert "Traceback" not in said, f"{script}: {said}"
            assert stop.code == 1 and "goe: " in said and " -> " in said, f"{script}: {said}"
            return False
        return True

    @property
    def by(self) -> dict:
        return {"name": self.build.name, "contigs": self.build.contigs, "par": self.build.par}

    def cohort(self, contig: str, joint: list[str], counted: list[str], batches: list[dict[str, str]]) -> bool:
        """From harmonised files to counts of a contig, their filters, and the quality of people."""
        f = self.folder
        tables = {name: [str(f / batch[name]) for batch in batches] for name in TABLES}
        region = {"build": self.by, "region": [contig, 1, LENGTH], **tables}
        source = {"joint": [str(f / name) for name in joint]}
        made = {"counts": "counts.parquet", "ledger": "count.json"}
        params = {**region, "raw": True, "accept_filters": []}
        done = self.job("frequencies_count.py", {**source, "keep": f / "keep.tsv"}, made, params)
        made = {"table": "filtered.parquet", "ledger": "filter.json"}
        params = {"rules": sections.plain(self.cfg.variant_qc), "regions": {}, "contig": contig}
        done = done and self.job("variant_qc_filter.py", {"counts": f / "counts.parquet"}, made, params)
        done = done and self.job(
            "harmonise_cohort.py",
            {**source, "people": f / "people.tsv"},
            {"bcf": "everybody.bcf", "index": "everybody.bcf.csi"},
            region,
        )
        if contig == "chr1":
            more = {
                "counted": [str(f / name) for name in counted],
                "people": f / "people.tsv",
                "guidelines": GUIDELINES,
            }
            made = {"counts": "region.parquet", "common": "common.parquet"}
            params = {**region, "rename": {}, "thresholds": {}, "accept_filters": [], "autosome_length": LENGTH}
            done = done and self.job("sample_qc_region.py", {**source, **more}, made, params)
        return done


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def pack(path: Path, meta: list[str], people: list[str], rows: list[list[str]]) -> bool:
    """Whether tabix took the file."""
    head = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *people]
    text = "".join(line + "\n" for line in [*meta, "\t".join(head), *("\t".join(row) for row in rows)])
    packed = subprocess.run(["bgzip", "-c"], input=text.encode("latin-1"), capture_output=True, check=True).stdout
    path.write_bytes(packed)
    done = subprocess.run(["tabix", "-f", "-p", "vcf", path], capture_output=True)
    return not done.returncode and not done.stderr


@pytest.mark.parametrize("kind", ["joint_vcf", "gvcf", "vcf"])
def test_what_the_lint_passed_ends_well_or_says_why(world, kind):
    chance = random.Random(kind + "2")
    passed = ended = 0
    people = list(PEOPLE) if kind == "joint_vcf" else ["A"]
    for _ in range(ROUNDS if kind == "joint_vcf" else ROUNDS // 2):
        meta, rows = list(META), plain(chance, people, kind == "gvcf")
        for _ in range(chance.choice([1, 1, 2, 3])):
            spoil(chance, meta, rows)
        if not pack(world.folder / "in.vcf.gz", meta, people, rows):
            continue
        problems = world.lint(kind, people)
        assert all(" -> " in problem for problem in problems)
        if problems:
            continue
        passed += 1
        ended += joint(world) if kind == "joint_vcf" else person(world, kind)
    assert passed > ROUNDS // 8 and ended > ROUNDS // 16, (passed, ended)


def joint(world: World) -> bool:
    f = world.folder
    cut = {name: list(region) for name, region in regions(world.build, LENGTH).items()}
    params = {"rename": {}, "contigs": world.build.contigs, "planned": list(world.build.contigs), "regions": cut}
    if not world.job("joint_file.py", {"file": f / "in.vcf.gz"}, {"counts": "file.json"}, params):
        return False
    ends = True
    for contig in ("chr1", "chrX"):
        region = {"build": world.by, "region": [contig, 1, LENGTH], "raw": True}
        source = {"file": f / "in.vcf.gz", "counts": f / "file.json", "people": f / "people.tsv", "fasta": f / "ref.fa"}
        made = {"snvs": "snvs.bcf", "moved": "moved.bcf", "people": "people.parquet", "ledger": "split.json"}
        params = {**region, "filter": asdict(Filter()), "respect_ft": True, "rename": {}, "starts": True}
        done = world.job("harmonise_split.py", source, made, params)
        made = {"bcf": "whole.bcf", "index": "whole.bcf.csi", "ledger": "merge.json"}
        source = {"snvs": f / "snvs.bcf", "moved": [str(f / "moved.bcf")]}
        done = done and world.job("harmonise_merge.py", source, made, region)
        ends = done and world.cohort(contig, ["whole.bcf"], ["file.json"], []) and ends
    return ends


def person(world: World, kind: str) -> bool:
    f = world.folder
    params = person_params(world.by, f / "in.vcf.gz", "A", PEOPLE["A"], kind == "gvcf")
    params |= {"respect_ft": True, "raw": True}
    if not world.job("harmonise_people.py", {"fasta": f / "ref.fa"}, {"tables": "own"}, params):
        return False
    source = {"tables": [str(f / "own")]}
    batch = {name: f"batch.{name}.parquet" for name in (*TABLES, "people")}
    params = {"people": [["A"]], "build": world.by}
    done = world.job("harmonise_batch.py", source, {**batch, "ledger": "batch.json"}, params)
    for contig in ("chr1", "chrX"):
        done = done and world.cohort(contig, [], [], [batch])
    return done


@pytest.mark.parametrize("kind", ["gvcf", "vcf"])
def test_an_own_file_that_nobody_looked_at_is_read_or_stops(world, kind):
    """The same without the lint: whatever is in the file, it is read, or the error says where and what to do."""
    chance = random.Random(kind)
    build = Build("toy", {"chr1": LENGTH, "chrX": LENGTH}, [("chrX", 101, 400)])
    read = 0
    for _ in range(2 * ROUNDS):
        meta, rows = list(META), plain(chance, ["A"], kind == "gvcf")
        for _ in range(chance.choice([1, 1, 2, 4])):
            spoil(chance, meta, rows)
        pack(world.folder / "in.vcf.gz", meta, ["A"], rows)
        file = OwnFile(world.folder / "in.vcf.gz", "A", build.contigs, {}, kind == "gvcf")
        rule = chance.choice([Filter(), Filter(0, 0, 0, 0)])
        one = Harmoniser(file, build, str(world.folder / "ref.fa"), chance.choice("FMU"), rule, True, True, True)
        try:
            groups = list(one(world.folder))
        except GoeError as error:
            assert "in.vcf.gz" in str(error) and " -> " in str(error)
            continue
        one.ledger.check()
        assert file.records == len(rows)
        for group in groups:
            runs = group.runs.to_pylist()
            assert all(group.start <= run["start"] <= run["end"] <= group.end for run in runs)
        read += 1
    assert read > ROUNDS // 2
