"""The sample_qc rules on a made cohort with planted faults, run by Snakemake as in the workflow."""

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.calls.reports import Reports
from goe.core import seal
from goe.genome.build import Build
from goe.harmonise import batch, schemas
from goe.harmonise import genotypes as gt
from helpers import browser, warm
from helpers.workflow import Run

CONTIGS = {"chr1": 400_000, "chrX": 100_000, "chrY": 60_000}
SITES = {"chr1": 2500, "chrX": 300, "chrY": 40}
PAR = [("chrX", 1, 10_000), ("chrY", 1, 10_000)]
REGIONS = {
    "chr1_1_200000": ("chr1", 1, 200_000),
    "chr1_200001_400000": ("chr1", 200_001, 400_000),
    "chrX_1_100000": ("chrX", 1, 100_000),
    "chrY_1_60000": ("chrY", 1, 60_000),
}
FOUNDERS = 24
DUPLICATE, CHILD, CONTAMINATED, WRONG_SEX, XXY, LOW, GONE = "NA", "child.1", "007", "1", "xxy_1", "low", "gone"

SNAKEFILE = """
import sys
def work(path):
    return "work/" + path
sys.path.insert(0, {scripts!r})
from goe.genome import build
from goe.settings import sections
from pathlib import Path
from types import SimpleNamespace
CFG = sections.of(sections.Config, {cfg!r})
REPO = Path({repo!r})
REGIONS = {{k: build.Region(*v) for k, v in {regions!r}.items()}}
BUILD_PARAMS = {build!r}
BUILD = build.Build(**BUILD_PARAMS)
SCRIPTS = REPO / "scripts"
READ_BATCHES = {batches!r}
BATCHES = {own_batches!r}
STAMPS = SimpleNamespace(metrics="test", bases="test", pages="test")
READ_BORN = [person for people in READ_BATCHES.values() for person in people]
JOINT = [SimpleNamespace(path="joint.bcf")] if {has_joint} else []
JOINT_COUNTS = [work("joint/file/0.json")] if JOINT else []
JOINT_SEALS = [work("seals/joint_file/0.json")] if JOINT else []
GUIDELINE_FILES = [str(REPO / "resources/guidelines" / f) for f in ("sample_qc.tsv", "inference.tsv")]
OWN_GUIDELINES = [*{own!r}]
KEPT = []
def made(stage, *trusted):
    return {{"stage": stage, "stamp": "test", "trusts": dict.fromkeys(trusted, "test")}}
def resources_of(*folders):
    return sorted(str(path) for folder in folders for path in (REPO / "resources" / folder).iterdir())
def joint_of(region):
    return list(range(len(JOINT)))
def joint_parts(path):
    return [work(path.format(0, region)) for region in REGIONS for _ in JOINT]
def trusts_of_genotypes(wildcards):
    return dict.fromkeys(("genotypes", "gathered", "scanned"), "test")
def genotypes_of_region(wildcards):
    found = {{"joint": [work(f"harmonise/joint/0/{{wildcards.region}}.bcf") for _ in JOINT]}}
    return found | {{"seals": [work(f"seals/harmonise_merge/0/{{wildcards.region}}.json") for _ in JOINT]}}
def gathered(*tables):
    batches = expand(work("harmonise/batch/{{batch}}"), batch=BATCHES)
    found = {{table: [f"{{start}}.{{table}}.parquet" for start in batches] for table in tables}}
    seals = expand(work("seals/harmonise_batch/{{batch}}.json"), batch=BATCHES)
    return found | {{"seals": seals, "beside": list(tables), "in_parts": list(tables)}}
def report_seals_of(people):
    return [work(f"seals/reports/{{sample}}.json") for sample in people]
def reports_of(people):
    return [work(f"align/reports/{{sample}}") for sample in people]
def trusts_of_reports(people):
    return {{"reports": "test"}}
OWN_TABLES = ["sites", "rows", "runs"]
include: str(REPO / "workflow/rules/sample_qc.smk")
rule all:
    default_target: True
    input: work("sample_qc/multiqc.html"), work("sample_qc/cohort.html")
"""


def people():
    """(id, sheet sex, true karyotype, country, input type, column of the haplotypes, or those of the parents)

    With a third number after the parents, a child has one or the other haplotype of each at every site.
    """
    some = []
    for i in range(FOUNDERS):
        sex = "MF"[i % 2]
        kind = ("cram", "gvcf", "joint_vcf", "vcf")[i // 6]
        some.append([f"p{i:02d}", sex, {"M": "XY", "F": "XX"}[sex], ("EE", "PT")[i % 4 // 2], kind, i])
    some[6][0] = WRONG_SEX
    some[6][1] = "F"
    some[1][0] = CONTAMINATED
    some[12][0:3] = [XXY, "M", "XXY"]
    some[3][0] = LOW
    some[8][0] = GONE
    some.append([DUPLICATE, "M", "XY", "EE", "gvcf", 10])
    some.append([CHILD, "F", "XX", "EE", "cram", (2, 5)])
    return some


def make(folder: Path) -> None:
    rng = np.random.default_rng(5)
    cast = people()
    ids = [p[0] for p in cast]

    def haplotypes(contig):
        """(positions, alleles of shape (sites, 2 x founders)): unlinked sites, frequencies as f ~ 1/x."""
        n = SITES[contig]
        positions = np.sort(rng.choice(CONTIGS[contig] // 2, n, replace=False)) * 2 + 1
        frequency = 0.02 * 48 ** rng.random(n)
        return positions, (rng.random((n, 2 * FOUNDERS)) < frequency[:, None]).astype(int)

    whole, depths = {}, {}
    for contig in CONTIGS:
        positions, haps = haplotypes(contig)
        columns = []
        for _, _, karyotype, _, _, who in cast:
            if isinstance(who, tuple):  # a child has one allele of each parent at every site
                pick = np.random.default_rng(who[2]).integers(0, 2, (2, len(haps))) if who[2:] else (0, 1)
                a, b = (haps[np.arange(len(haps)), 2 * parent + one] for parent, one in zip(who, pick, strict=False))
            else:
                a, b = haps[:, 2 * who], haps[:, 2 * who + 1]
            if contig == "chrX" and karyotype == "XY":
                b = a
            if contig == "chrY":
                a = b = a if "Y" in karyotype else np.full(len(a), -1)
            columns.append(np.where(a < 0, 0, np.where(a != b, 3, np.where(a == 1, 4, 2))))
        codes = np.stack(columns, axis=1)  # records x people: 0 missing, 2 ref, 3 het, 4 hom
        vcf = np.array([p[4] == "vcf" for p in cast])
        codes[:, vcf] = np.where(codes[:, vcf] == 2, 0, codes[:, vcf])
        whole[contig] = positions, codes
        depths[contig] = reads_of(positions, codes, cast, rng)
    write_everybody(folder, whole, ids)
    joint = np.array([i for i, p in enumerate(cast) if p[4] == "joint_vcf"], int)
    if joint.size:
        write_joint(folder, whole, depths, cast, joint)
    for name, people_of in own_batches().items():
        write_batch(folder, name, whole, depths, cast, people_of)
    (folder / "work/intake").mkdir(parents=True)
    rows = ["sample_id\tsex\tcountry_code\twithdrawn\tinput_type\tsource\tabsent_fields"]
    for p in sorted(cast):
        source = "joint_vcf_1" if p[4] == "joint_vcf" else p[0]
        rows.append(f"{p[0]}\t{p[1]}\t{p[3]}\t{'yes' if p[0] == GONE else 'no'}\t{p[4]}\t{source}\t")
    for name in ("people", "sources"):
        (folder / f"work/intake/{name}.tsv").write_text("\n".join(rows) + "\n")
    (folder / "ref.fa").write_text("".join(f">{c}\n{'A' * n}\n" for c, n in CONTIGS.items()))
    subprocess.run(["samtools", "faidx", str(folder / "ref.fa")], check=True)
    for p in cast:
        if p[4] == "cram":
            reports(folder / "work/align/reports", p[0], 12 if p[0] == LOW else 32, p[2])
    assert len(set(ids)) == len(ids)


def seal_what_came_before(folder: Path) -> None:
    """The seals of the jobs whose files the tests write."""

    def of(name: str, stage: str, *patterns: str) -> None:
        files = [path for pattern in patterns for path in (folder / "work").glob(pattern)]
        seal.write(folder / f"work/seals/{name}.json", stage, "test", files)

    of("intake_lint", "genotypes", "intake/sources.tsv")
    of("intake_people", "keep", "intake/people.tsv")
    of("joint_file/0", "scanned", "joint/file/0.json")
    for name in own_batches():
        of(f"harmonise_batch/{name}", "gathered", f"harmonise/batch/{name}.*")
    for region in REGIONS:
        of(f"harmonise_split/0/{region}", "genotypes", f"harmonise/joint/0/{region}.people.parquet")
        of(f"harmonise_merge/0/{region}", "genotypes", f"harmonise/joint/0/{region}.bcf*")
    for p in people():
        if p[4] == "cram":
            of(f"reports/{p[0]}", "reports", f"align/reports/{p[0]}/*", f"align/contamination/{p[0]}.*")


def own_batches() -> dict[str, list[str]]:
    """Everybody with a file of their own, in two batches."""
    own = sorted(p[0] for p in people() if p[4] != "joint_vcf")
    return {"b0000": own[::2], "b0001": own[1::2]}


def bcf(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    command = ["bcftools", "view", "--no-version", "-Ob", "-o", str(path), "-"]
    subprocess.run(command, input="\n".join(lines) + "\n", text=True, check=True)


def alt(pos: int) -> str:
    return "GGC"[pos % 3]


def reads_of(positions, codes, cast, rng) -> np.ndarray:
    """int (records, people, 2): reads of REF and of ALT."""
    depth = np.where(np.array([p[0] for p in cast]) == LOW, 12, 30)
    found = np.zeros((*codes.shape, 2), int)
    for record, row in enumerate(codes):
        reference = 1 - (np.maximum(row, 2) - 2).mean() / 2
        for i, code in enumerate(row):
            d = int(depth[i])
            # Of the contaminated person every tenth read is somebody else's.
            of_hom = rng.binomial(d, 0.1 * reference if cast[i][0] == CONTAMINATED else 0.001) if code == 4 else 0
            ref = {0: 0, 2: d, 3: d // 2, 4: int(of_hom)}[code]
            found[record, i] = ref, d - ref if code else 0
    return found


CELLS = {0: "./.", 2: "0/0", 3: "0/1", 4: "1/1"}


def harmonised_lines(contig, positions, codes, ids) -> list[str]:
    region_class = {"chr1": 1, "chrX": 2, "chrY": 3}[contig]
    head = ["##fileformat=VCFv4.3", *(f"##contig=<ID={c},length={n}>" for c, n in CONTIGS.items())]
    head += [f'##INFO=<ID={key},Number=1,Type=Integer,Description="{key}">' for key in ("CLASS", "NREC")]
    head += ['##FORMAT=<ID=GT,Number=1,Type=String,Description="GT">']
    head += ["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + "\t".join(ids)]
    for pos, row in zip(positions, codes, strict=True):
        site = f"{contig}\t{pos}\t.\tA\t{alt(pos)}\t50\t.\tCLASS={region_class};NREC=1\tGT\t"
        head.append(site + "\t".join(CELLS[int(code)] for code in row))
    return head


def inside(positions, name) -> np.ndarray:
    _, start, end = REGIONS[name]
    return (positions >= start) & (positions <= end)


def write_everybody(folder, whole, ids) -> None:
    """The whole cohort region by region, which no rule reads."""
    for name, (contig, _, _) in REGIONS.items():
        positions, codes = whole[contig]
        here = inside(positions, name)
        bcf(folder / f"work/everybody/{name}.bcf", harmonised_lines(contig, positions[here], codes[here], ids))


def counters_of(contig, karyotype, codes, depth, own: bool) -> dict[str, int]:
    """Of the genotype pass of one person. own: a single-sample VCF speaks of its calls alone."""
    copies = {"chr1": 2, "chrX": karyotype.count("X"), "chrY": karyotype.count("Y")}[contig]
    n, called = len(codes), int((codes > 0).sum())
    told = {"n_records": called if own else n, "n_called": called, "n_missing_in": 0 if own else n - called}
    told |= {"n_het": int((codes == 3).sum()), "n_hom_alt": int((codes == 4).sum()), "n_counted": called}
    return told | {"sum_dp": called * (depth * copies // 2), "n_dp": called}


def depth_of(person) -> int:
    return 12 if person[0] == LOW else 30


def write_joint(folder, whole, depths, cast, joint) -> None:
    """The joint VCF, and what is made of it region by region. joint: who of `cast` is in it."""
    ids = [cast[i][0] for i in joint]
    lines = ["##fileformat=VCFv4.2", *(f"##contig=<ID={c},length={n}>" for c, n in CONTIGS.items())]
    for key, number in (("GT", "1"), ("DP", "1"), ("GQ", "1"), ("AD", "R")):
        kind = "String" if key == "GT" else "Integer"
        lines.append(f'##FORMAT=<ID={key},Number={number},Type={kind},Description="{key}">')
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + "\t".join(ids))
    for contig, (positions, codes) in whole.items():
        for pos, row, reads in zip(positions, codes[:, joint], depths[contig][:, joint], strict=True):
            cells = [
                f"{CELLS[int(code)]}:{ref + other}:60:{ref},{other}" if code else "./.:.:.:."
                for code, (ref, other) in zip(row, reads.tolist(), strict=True)
            ]
            lines.append(f"{contig}\t{pos}\t.\tA\t{alt(pos)}\t50\t.\t.\tGT:DP:GQ:AD\t" + "\t".join(cells))
    bcf(folder / "joint.bcf", lines)
    subprocess.run(["bcftools", "index", str(folder / "joint.bcf")], check=True)
    held = {}
    for name, (contig, _, _) in REGIONS.items():
        positions, codes = whole[contig]
        here = inside(positions, name)
        held[name] = int(here.sum())
        target = folder / f"work/harmonise/joint/0/{name}.bcf"
        bcf(target, harmonised_lines(contig, positions[here], codes[here][:, joint], ids))
        region_class = {"chr1": 1, "chrX": 2, "chrY": 3}[contig]
        rows = []
        for i in joint:
            told = counters_of(contig, cast[i][2], codes[here, i], depth_of(cast[i]), False)
            told |= {"sample_id": cast[i][0], "class": region_class, "n_said": held[name]}
            rows.append(dict.fromkeys(schemas.PEOPLE_SCHEMA.names, 0) | told)
        table = pa.Table.from_pylist(rows, schema=schemas.PEOPLE_SCHEMA)
        pq.write_table(table, target.parent / f"{name}.people.parquet")
    (folder / "work/joint/file").mkdir(parents=True)
    (folder / "work/joint/file/0.json").write_text(json.dumps({"path": "joint.bcf", "regions": held}))


def write_batch(folder, name, whole, depths, cast, people_of) -> None:
    """A batch of people: each by itself, callable but where it is missing, and gathered."""
    files = []
    scratch = folder / "own"
    scratch.mkdir(exist_ok=True)
    for one in people_of:
        i = next(i for i, p in enumerate(cast) if p[0] == one)
        about = {"person": one, "counters": {}, "qualities": {}}
        paths = [str(scratch / f"{one}.{table}.parquet") for table in ("alleles", "runs")]
        with (
            batch.Tables(paths[0], schemas.ALLELES, about) as listed,
            batch.Tables(paths[1], schemas.RUNS, about) as runs,
        ):
            for number, (contig, (positions, codes)) in enumerate(whole.items(), 1):
                mine = codes[:, i]
                own = cast[i][4] == "vcf"
                told = counters_of(contig, cast[i][2], mine, depth_of(cast[i]), own)
                about["counters"][str(number)] = [told.get(key, 0) for key in schemas.COUNTERS]
                rows = [
                    allele(pos, code, reads, number, 0 if own else gt.CODE_REF2)
                    for pos, code, reads in zip(
                        positions.tolist(), mine.tolist(), depths[contig][:, i].tolist(), strict=True
                    )
                    if code > 2
                ]
                spans = [] if own else between(positions[mine == 0].tolist(), CONTIGS[contig])
                spans = [{"start": a, "end": b, "code": gt.CODE_REF2, "raw": False} for a, b in spans]
                length = CONTIGS[contig]
                listed.write(contig, 1, length, pa.Table.from_pylist(rows, schema=schemas.ALLELES))
                runs.write(contig, 1, length, pa.Table.from_pylist(spans, schema=schemas.RUNS))
        files.append((one, *paths))
    (folder / "work/harmonise/batch").mkdir(parents=True, exist_ok=True)
    out = {t: str(folder / f"work/harmonise/batch/{name}.{t}.parquet") for t in ("sites", "rows", "runs", "people")}
    batch.gather(files, Build("test", CONTIGS, PAR), out)


def allele(pos: int, code: int, reads: list[int], region_class: int, base: int) -> dict:
    nothing = dict.fromkeys(("gq", "dp", "ad_ref", "ad_alt"), float("nan"))
    told = dict(zip(nothing, (60, sum(reads), *reads), strict=True)) if code == 4 else nothing
    call = gt.CODE_HET if code == 3 else gt.CODE_HOM
    calls = {"code": call, "base": base, "raw": call, "raw_base": base, "region_class": region_class}
    return {"pos": pos, "ref": "A", "alt": alt(pos), **calls, "made": True, "qual": 50, "ft": None, **told}


def between(holes: list[int], length: int) -> list[tuple[int, int]]:
    """Runs of 1..length without the holes, which are sorted."""
    edges = zip([0, *holes], [*holes, length + 1], strict=True)
    return [(a + 1, b - 1) for a, b in edges if b - a > 1]


def reports(folder: Path, sample: str, depth: int, karyotype: str) -> None:
    """Those of a person, in a folder of its own in `folder`."""
    folder = folder / sample
    folder.mkdir(parents=True)
    of_reads = Reports.of(folder, sample)
    of = {"chr1": 2, "chrX": karyotype.count("X"), "chrY": karyotype.count("Y")}
    lines = ["chrom\tlength\tbases\tmean\tmin\tmax"]
    dist = []
    for contig, length in CONTIGS.items():
        inner = sum(end for c, _, end in PAR if c == contig)
        # The PAR of Y is not masked here: no read maps to one of the two places alone.
        bases = int(depth * (length - inner) * of[contig] / 2)
        lines.append(f"{contig}\t{length}\t{bases}\t{bases / length:.2f}\t0\t60")
        dist += [f"{contig}\t{depth + 8}\t0.01", f"{contig}\t{depth}\t0.60"]
        dist += [f"{contig}\t15\t{0.97 if depth > 20 else 0.30}", f"{contig}\t0\t1.00"]
    lines.append("total\t560000\t1\t30\t0\t60")
    Path(of_reads.summary).write_text("\n".join(lines) + "\n")
    Path(of_reads.dist).write_text("\n".join(dist) + "\n")
    length = CONTIGS["chr1"]
    at = {depth: length * 97 // 100, 10: length * 3 // 100} if depth > 20 else {depth: length}
    Path(of_reads.coverage).write_text("".join(f"{d}\t{n}\n" for d, n in sorted(at.items())))
    numbers = {
        "raw total sequences": 100_000, "filtered sequences": 0, "sequences": 100_000, "reads mapped": 99_500,
        "reads mapped and paired": 99_400, "reads unmapped": 500, "reads properly paired": 98_000,
        "reads paired": 100_000, "reads duplicated": 4_000, "reads MQ0": 10, "total length": 15_000_000,
        "error rate": 0.001, "average length": 150, "average quality": 36.0, "insert size average": 420.1,
        "insert size standard deviation": 80.0,
    }  # fmt: skip
    stats = ["# This file was produced by samtools stats (1.16.1+htslib-1.16) and can be plotted"]
    stats += [f"SN\t{key}:\t{value}" for key, value in numbers.items()]
    stats += [f"FFQ\t1\t{chr(9).join(['0'] * 30 + ['70', '30'])}", f"LFQ\t1\t{chr(9).join(['5'] * 30 + ['9', '1'])}"]
    Path(of_reads.stats).write_text("\n".join(stats) + "\n")
    side = {"total_reads": 1000, "total_bases": 150_000, "q20_bases": 148_000, "q30_bases": 140_000}
    side |= {"q20_rate": 0.98, "q30_rate": 0.93, "gc_content": 0.4, "read1_mean_length": 150}
    report = {
        "summary": {"before_filtering": side, "after_filtering": side},
        "filtering_result": {"passed_filter_reads": 1000, "low_quality_reads": 0},
        "duplication": {"rate": 0.01},
        "command": "fastp",
    }
    for unit in (1, 2):
        (folder / f"{unit}.fastp.json").write_text(json.dumps(report, indent=1))


def run(
    folder: Path,
    repo: Path,
    exclude: bool = True,
    thresholds: object = None,
    target: str = "all",
    panel: object = None,
    regions: dict = REGIONS,
    own: tuple[str, ...] = (),
) -> Run:
    cfg = {
        "reference": {"fasta": "ref.fa"},
        "dataset": {"id": "GOE-EE-TEST-20260101000000000", "title": "Test cohort"},
        "sample_qc": {"exclude": exclude, "thresholds": thresholds or {}, "contamination_panel": panel},
        "variant_qc": {"accept_filters": []},
    }
    reads = sorted(p[0] for p in people() if p[4] == "cram")
    text = SNAKEFILE.format(
        scripts=str(repo / "scripts"), repo=str(repo), cfg=cfg, regions=regions, own=own,
        build={"name": "test", "contigs": CONTIGS, "par": PAR}, batches={"b0000": reads[:4], "b0001": reads[4:]},
        own_batches=own_batches(), has_joint=any(p[4] == "joint_vcf" for p in people()),
    )  # fmt: skip
    (folder / "Snakefile").write_text(text)
    seal_what_came_before(folder)
    options = ["--cores", "2", "--directory", str(folder), "--snakefile", str(folder / "Snakefile")]
    env_path = f"{Path(sys.executable).parent}:/usr/bin:/bin:/usr/local/bin"
    return Run(*warm.snakemake([*options, target, "--quiet", "rules"], {"PATH": env_path, "HOME": str(folder)}, 600))


def table(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="") as handle:
        return {r["sample_id"]: r for r in csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE)}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory, repo):
    folder = tmp_path_factory.mktemp("sample_qc")
    make(folder)
    run(folder, repo).ok()
    return folder / "work/sample_qc"


def again(cohort: Path, folder: Path) -> None:
    """A copy of the run that is done, to go on from."""
    shutil.copytree(cohort.parent, folder / "work", symlinks=True)
    shutil.copytree(cohort.parents[1] / ".snakemake", folder / ".snakemake")
    for name in ("ref.fa", "ref.fa.fai", "joint.bcf", "joint.bcf.csi"):
        shutil.copy2(cohort.parents[1] / name, folder / name)


def test_every_planted_fault_is_found_and_nobody_else_is_marked(cohort):
    marked = {
        s: (r["keep"], r["count_sex"], r["reasons"]) for s, r in table(cohort / "keep.tsv").items() if r["reasons"]
    }
    assert marked == {
        CONTAMINATED: ("no", "F", "contaminated"),
        LOW: ("no", "F", "low_coverage"),
        GONE: ("no", "M", "withdrawn"),
        WRONG_SEX: ("yes", "U", "sex_mismatch"),
        XXY: ("yes", "U", "sex_aneuploid"),
        "p10": ("no", "M", "duplicate"),
        CHILD: ("no", "F", "related"),
    }


def test_each_person_of_the_sheet_has_a_row_and_ids_are_untouched(cohort):
    ids = sorted(p[0] for p in people())
    assert list(table(cohort / "keep.tsv")) == ids
    assert list(table(cohort / "metrics.tsv")) == ids


def test_ledger_closes(cohort):
    ledger = json.loads((cohort / "keep.ledger.json").read_text())
    assert ledger["in"] == {"people": len(people())}
    assert ledger["dropped"] == {
        "people": {"contaminated": 1, "duplicate": 1, "low_coverage": 1, "related": 1, "withdrawn": 1}
    }
    assert ledger["flags"] == {"sex_aneuploid": 1, "sex_mismatch": 1}


def per_person(folder: Path, *view: str) -> dict[str, np.ndarray]:
    """nNonRefHom, nHets, nTransitions, nTransversions of `bcftools stats`, over the autosomal regions."""
    found: dict[str, np.ndarray] = {}
    for name in [n for n in REGIONS if n.startswith("chr1_")]:
        chosen = subprocess.run(
            ["bcftools", "view", "-Ou", *view, str(folder / f"{name}.bcf")], capture_output=True, check=True
        ).stdout
        said = subprocess.run(["bcftools", "stats", "-s", "-", "-"], input=chosen, capture_output=True, check=True)
        for line in said.stdout.decode().splitlines():
            row = line.split("\t")
            if row[0] == "PSC":
                found[row[2]] = found.get(row[2], np.zeros(4, int)) + np.array([int(v) for v in row[4:8]])
    return found


def test_metrics_agree_with_bcftools_stats(cohort):
    mine = table(cohort / "metrics.tsv")
    folder = cohort.parent / "everybody"
    for sample, (hom, het, ti, tv) in per_person(folder).items():
        assert int(mine[sample]["adj_count_snvs"]) == hom + het
        assert float(mine[sample]["adj_ratio_transitions_transversions_snv"]) == round(ti / tv, 2)
        assert float(mine[sample]["adj_ratio_heterozygous_homzygous_snv"]) == round(het / hom, 2)
    for sample, (_, het, _, _) in per_person(folder, "-c", "1", "-C", "1").items():
        assert int(mine[sample]["n_singleton"]) == het


def test_what_an_input_cannot_give_is_empty_with_its_reason(cohort):
    rows = table(cohort / "metrics.tsv")
    assert rows["p18"]["call_rate"] == ""
    assert "call_rate: single-sample VCF" in rows["p18"]["not_assessed"]
    assert "mean_autosome_coverage: no reads: the person came as vcf" in rows["p18"]["not_assessed"]
    assert "inferred_sex: by X alone" in rows["p18"]["not_assessed"]


def test_each_person_has_the_json_of_the_standard(cohort):
    rows = table(cohort / "metrics.tsv")
    assert sorted(p.name for p in (cohort / "ga4gh").glob("*.json")) == sorted(f"{s}.metrics.json" for s in rows)
    for sample, row in rows.items():
        said = json.loads((cohort / f"ga4gh/{sample}.metrics.json").read_text())
        assert said["biosample"] == {"id": sample}
        for metric, value in {k: v for group in said["wgs_qc_metrics"].values() for k, v in group.items()}.items():
            assert row[metric] == ("" if value is None else f"{value:.6f}".rstrip("0").rstrip(".")), metric
            assert (value is None) == (metric in said["not_available"]), metric


def test_what_is_null_says_why(cohort):
    def reasons(sample):
        return json.loads((cohort / f"ga4gh/{sample}.metrics.json").read_text())["not_available"]

    assert reasons("p00") == {
        "cross_contamination_rate": "no reference panel: sample_qc.contamination_panel is not set",
        # The tables of this person's file tell no variants.
        "ratio_heterozygous_homzygous_snv": "no homozygous SNV",
        "ratio_heterozygous_homzygous_indel": "no homozygous indel",
        "ratio_insertion_deletion": "no deletion",
        "ratio_transitions_transversions_snv": "no transversion",
    }
    assert reasons("p13")["count_snvs"] == "joint VCF: the standard counts the records of a person's own file"
    assert reasons("p18")["mean_autosome_coverage"] == "no reads: the person came as vcf"


def test_contamination_of_the_reads_is_judged(cohort, repo, tmp_path):
    again(cohort, tmp_path)
    folder = tmp_path / "work/align/contamination"
    folder.mkdir()
    for p in people():
        if p[4] == "cram":
            rate = "0.0312" if p[0] == "p04" else "0.00012"
            (folder / f"{p[0]}.selfSM").write_text(f"#SEQ_ID\tRG\tFREEMIX\n{p[0]}\tNA\t{rate}\n")
    run(tmp_path, repo, target="work/sample_qc/keep.tsv", panel="panel").ok()
    before, after = (table(f / "sample_qc/keep.tsv") for f in (cohort.parent, tmp_path / "work"))
    assert after["p04"]["reasons"] == "contaminated"
    assert after["p04"]["keep"] == "no"
    assert table(tmp_path / "work/sample_qc/metrics.tsv")["p04"]["cross_contamination_rate"] == "0.0312"
    assert {s for s in before if before[s] != after[s]} == {"p04"}


def test_report_holds_the_people_left_out_and_the_tools(cohort):
    text = (cohort / "multiqc.html").read_text()
    for expected in ("People left out or flagged", "sex_mismatch", "Thresholds", 'href="#fastp"', 'href="#mosdepth"'):
        assert expected in text
    assert "Found 14 reports" in (cohort.parent / "logs/sample_qc_multiqc.log").read_text()
    assert (cohort / "multiqc.html").stat().st_size < 15_000_000


def test_report_has_no_way_out(cohort):
    """It names people: no address but names of XML; in a browser its plots are drawn and nothing is asked."""
    text = (cohort / "multiqc.html").read_text()
    assert not re.findall(r"https?://(?!www\.w3\.org/)", text)
    assert "default-src 'none'" in text
    if browser.there():
        with browser.Browser() as page:
            page.open(cohort / "multiqc.html")
            page.wait("document.querySelector('svg.main-svg')")
            asked = [
                address for address in page.requests if not address.startswith(("data:", "file:", "about:", "blob:"))
            ]
            links = page.run("[...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))")
            assert (asked, page.troubles) == ([], [])
            assert all(link == "" or link.startswith("#") for link in links)


def test_page_holds_everybody_left_out_for_its_owner_alone(cohort):
    page = cohort / "cohort.html"
    columns = json.loads(re.search(r'id="facts">(.*?)</script>', page.read_text(), re.S)[1])["columns"]
    outcome = dict(zip(columns["sample_id"]["text"], columns["status"]["at"], strict=True))
    gone = {s for s, at in outcome.items() if columns["status"]["of"][at] == "left out"}
    assert gone == {s for s, row in table(cohort / "keep.tsv").items() if row["keep"] == "no"} >= {LOW, GONE}
    assert page.stat().st_mode & 0o777 == 0o600


def test_same_people_give_the_same_bytes(cohort, repo, tmp_path):
    make(tmp_path)
    run(tmp_path, repo, target="work/sample_qc/plots/sex.svg").ok()
    for name in (
        "keep.tsv",
        "metrics.tsv",
        "kinship.tsv",
        "ancestry.tsv",
        "ancestry.json",
        "summary.json",
        "keep.ledger.json",
        "plots/sex.svg",
        "plots/coverage.svg",
        "plots/pca.svg",
    ):
        assert (tmp_path / "work/sample_qc" / name).read_bytes() == (cohort / name).read_bytes(), name


def test_without_exclusion_only_the_withdrawn_are_out(cohort, repo, tmp_path):
    again(cohort, tmp_path)
    run(tmp_path, repo, exclude=False, target="work/sample_qc/keep.tsv").ok()
    rows = table(tmp_path / "work/sample_qc/keep.tsv")
    assert [s for s, r in rows.items() if r["keep"] == "no"] == [GONE]
    assert rows[CONTAMINATED]["reasons"] == "contaminated"
    ledger = json.loads((tmp_path / "work/sample_qc/keep.ledger.json").read_text())
    assert ledger["dropped"] == {"people": {"withdrawn": 1}}


def test_relatives_are_told_by_their_relation(cohort):
    with (cohort / "kinship.tsv").open() as handle:
        told = {(r["sample_a"], r["sample_b"]): r["relation"] for r in csv.DictReader(handle, delimiter="\t")}
    assert told == {
        (DUPLICATE, "p10"): "duplicate",
        (CHILD, "p02"): "parent_child",
        (CHILD, "p05"): "parent_child",
    }
    assert table(cohort / "metrics.tsv")[CHILD]["relatives"] == "p02=parent_child;p05=parent_child"


def test_what_small_countries_do_not_allow_is_said(cohort):
    said = json.loads((cohort / "summary.json").read_text())
    outliers = [text for key, text in said["not_assessed"].items() if key.startswith("outliers of")]
    assert outliers == ["not assessed in EE, PT: fewer than 20 people with a value, or no spread"]
    assert said["ancestry"]["components"] == 10 and said["ancestry"]["not_assessed"] == ["EE", "PT"]
    assert said["not_assessed"]["ancestry"] == said["ancestry"]["statement"]
    # Relatives and the withdrawn make no component; everybody but the withdrawn has coordinates.
    rows = table(cohort / "ancestry.tsv")
    assert set(rows) == {p[0] for p in people()} - {GONE}
    assert sum(r["basis"] == "projected" for r in rows.values()) == 2


def summary_and_keep(folder: Path) -> tuple[dict, dict[str, str]]:
    place = folder / "work/sample_qc"
    left_out = {s: r["reasons"] for s, r in table(place / "keep.tsv").items() if r["keep"] == "no"}
    return json.loads((place / "summary.json").read_text()), left_out


def test_without_common_snvs_the_rest_is_judged_and_it_is_said(cohort, repo, tmp_path):
    again(cohort, tmp_path)
    run(tmp_path, repo, thresholds={"kinship_min_call_rate": 1.01}, target="work/sample_qc/keep.tsv").ok()
    said, left_out = summary_and_keep(tmp_path)
    assert left_out == {CONTAMINATED: "contaminated", LOW: "low_coverage", GONE: "withdrawn"}
    assert said["relatedness"]["statement"].startswith("not assessed: 0 common autosomal SNVs, 200 are needed")
    assert said["not_assessed"]["ancestry"] == "not assessed: 0 common autosomal SNVs, 500 are needed"
    assert table(tmp_path / "work/sample_qc/ancestry.tsv") == {}


SIBLINGS = [[f"c{i}", "F", "XX", "EE", "gvcf", (2, 5, i)] for i in range(8)]
PARENTS = [["mother", "F", "XX", "EE", "cram", 2], ["father", "M", "XY", "EE", "gvcf", 5]]


@pytest.mark.parametrize(("cast", "kept"), [(SIBLINGS, 1), (PARENTS + SIBLINGS, 2)], ids=["siblings", "parents too"])
def test_a_cohort_of_one_family_keeps_the_unrelated_and_says_so(repo, tmp_path, monkeypatch, cast, kept):
    monkeypatch.setattr(sys.modules[__name__], "people", lambda: [list(person) for person in cast])
    make(tmp_path)
    run(tmp_path, repo, target="work/sample_qc/keep.tsv").ok()
    said, left_out = summary_and_keep(tmp_path)
    n = len(cast)
    assert set(left_out.values()) == {"related"} and len(left_out) == n - kept == n - said["kept"]
    assert not {p[0] for p in PARENTS} & left_out.keys()
    told = said["relatedness"]["statement"]
    assert told.startswith("assessed down to the second degree")
    assert f"every one of {n} people has a relative among the others, {n - kept} are left out" in told
    assert said["ancestry"]["statement"] == f"not assessed: {kept} unrelated people, 10 are needed"


def test_without_x_and_y_sex_is_that_of_the_sheet_and_it_is_said(cohort, repo, tmp_path):
    again(cohort, tmp_path)
    for path in (tmp_path / "work/align/reports").glob("*/*.mosdepth.summary.txt"):
        path.write_text("".join(x for x in path.read_text().splitlines(True) if not x.startswith(("chrX", "chrY"))))
        path.parent.touch()
    for path in (tmp_path / "work/harmonise/batch").glob("*.people.parquet"):
        found = pq.read_table(path)
        pq.write_table(found.filter(pa.array([number == 1 for number in found["class"].to_pylist()])), path)
    autosomes = {name: region for name, region in REGIONS.items() if region[0] == "chr1"}
    run(tmp_path, repo, regions=autosomes, target="work/sample_qc/keep.tsv").ok()
    said, left_out = summary_and_keep(tmp_path)
    assert said["not_assessed"]["sex"] == "18 of 26 people: no X data; 7 of 26 people: no X data, Y alone is not enough"
    rows = table(tmp_path / "work/sample_qc/keep.tsv")
    assert {(r["inferred_sex"], r["sex"] == r["count_sex"]) for r in rows.values()} == {("unknown", True)}
    assert set(left_out.values()) == {"contaminated", "low_coverage", "withdrawn", "duplicate", "related"}


@pytest.mark.parametrize("fault", ["own gVCF without Y", "joint VCF without DP on Y"])
def test_nobody_loses_the_sex_strata_for_lack_of_data_on_y(cohort, repo, tmp_path, fault):
    again(cohort, tmp_path)
    cast = {p[0]: p for p in people()}
    hit = [s for s, p in cast.items() if p[4] == "gvcf" and p[2] == "XY" and s != GONE and s != WRONG_SEX][:1]
    paths = list((tmp_path / "work/harmonise/batch").glob("*.people.parquet"))
    if fault.startswith("joint"):
        hit = [s for s, p in cast.items() if p[4] == "joint_vcf"]
        paths = [tmp_path / "work/harmonise/joint/0/chrY_1_60000.people.parquet"]
    for path in paths:
        found = pq.read_table(path).to_pylist()
        for row in found:
            if row["sample_id"] in hit and row["class"] == 3:
                row["sum_dp"] = row["n_dp"] = 0
                if fault.startswith("own"):
                    row |= dict.fromkeys(
                        ("n_records", "n_called", "n_hom_alt", "n_counted", "n_said", "n_missing_in"), 0
                    )
        pq.write_table(pa.Table.from_pylist(found, schema=pq.read_schema(path)), path)
    run(tmp_path, repo, target="work/sample_qc/keep.tsv").ok()
    rows = table(tmp_path / "work/sample_qc/keep.tsv")
    for sample in set(hit) - {XXY}:
        expected = {"M": "XY", "F": "XX"}[cast[sample][1]], cast[sample][1]
        assert (rows[sample]["inferred_sex"], rows[sample]["count_sex"]) == expected, sample
    before = table(cohort / "keep.tsv")
    assert all(rows[s] == before[s] for s in rows if s not in hit)
    said = json.loads((tmp_path / "work/sample_qc/summary.json").read_text())["not_assessed"]["sex"]
    assert "by X alone, no Y data" in said


def without(folder: Path, *fields: str) -> None:
    """Take FORMAT fields from the joint VCF, and what was kept of them from everybody else."""
    path = folder / "joint.bcf"
    cut = ["bcftools", "annotate", "--no-version", "-x", ",".join(f"FORMAT/{f}" for f in fields), "-Ob"]
    subprocess.run([*cut, "-o", f"{path}.cut", str(path)], check=True)
    Path(f"{path}.cut").replace(path)
    subprocess.run(["bcftools", "index", "--force", str(path)], check=True)
    columns = {"AD": ("ad_ref", "ad_alt"), "GQ": ("gq",), "DP": ("dp",)}
    for path in (folder / "work/harmonise/batch").glob("*.rows.parquet"):
        file = pq.ParquetFile(path)
        groups = [file.read_row_group(n).to_pylist() for n in range(file.num_row_groups)]
        with pq.ParquetWriter(path, file.schema_arrow) as out:
            for rows in groups:
                for row in rows:
                    row |= dict.fromkeys((c for f in fields for c in columns[f]), float("nan"))
                out.write_table(pa.Table.from_pylist(rows, schema=file.schema_arrow))
            out.add_key_value_metadata({"goe": file.metadata.metadata[b"goe"].decode()})


def test_without_ad_contamination_is_not_judged_and_it_is_said(cohort, repo, tmp_path):
    again(cohort, tmp_path)
    without(tmp_path, "AD")
    folder = tmp_path / "work/align/contamination"
    folder.mkdir()
    reads = [p[0] for p in people() if p[4] == "cram"]
    for sample in reads:
        (folder / f"{sample}.selfSM").write_text(f"#SEQ_ID\tRG\tFREEMIX\n{sample}\tNA\t0.0001\n")
    run(tmp_path, repo, panel="panel").ok()
    said, left_out = summary_and_keep(tmp_path)
    assert CONTAMINATED not in left_out
    # Of those without reads, less the one withdrawn.
    expected = f"{len(people()) - len(reads) - 1} of {len(people())} people: no AD"
    assert said["not_assessed"]["contamination"] == expected
    assert re.fullmatch(r"no AD: at (\d+) of \1 hom-alt sites", why_of(tmp_path, "p10")["charr"])
    for page in ("cohort.html", "multiqc.html"):
        assert f"contamination: {expected}" in (tmp_path / "work/sample_qc" / page).read_text(), page


def why_of(folder: Path, sample: str) -> dict[str, str]:
    cell = table(folder / "work/sample_qc/metrics.tsv")[sample]["not_assessed"]
    return dict(reason.split(": ", 1) for reason in cell.split(";"))


def test_ad_alone_is_enough_for_contamination(cohort, repo, tmp_path):
    """Genotypes without GQ and DP: the same CHARR, since every call here has them within limits or AD as low as DP."""
    again(cohort, tmp_path)
    without(tmp_path, "GQ", "DP")
    run(tmp_path, repo, target="work/sample_qc/keep.tsv").ok()
    before, after = (table(f / "sample_qc/metrics.tsv") for f in (cohort.parent, tmp_path / "work"))
    assert {s: r["charr"] for s, r in after.items()} == {s: r["charr"] for s, r in before.items()}
    said, left_out = summary_and_keep(tmp_path)
    assert left_out[CONTAMINATED] == "contaminated"
    # The person of low depth has no call deep enough; the withdrawn is not spoken of.
    assert said["not_assessed"]["contamination"] == (
        "1 of 26 people: too few hom-alt sites with AD, and GQ and DP within limits"
    )


def test_own_table_of_thresholds_decides(cohort, repo, tmp_path):
    again(cohort, tmp_path)
    own = tmp_path / "own.tsv"
    own.write_text(
        "metric\tstratum\twarn\tfail\tsource\tstatus\n"
        "charr\tall\t\t\tnational board\tnational\n"
        "sex_mismatch\tcountry:PT\t\tis yes\tnational board\tnational\n"
    )
    run(tmp_path, repo, own=(str(own),), target="work/sample_qc/keep.tsv").ok()
    said, left_out = summary_and_keep(tmp_path)
    assert CONTAMINATED not in left_out and left_out[WRONG_SEX] == "sex_mismatch"
    assert {"national board"} == {t["source"] for t in said["thresholds"] if t["status"] == "national"}


def test_damaged_report_stops_and_names_the_file(cohort, repo, tmp_path):
    again(cohort, tmp_path)
    folder = tmp_path / "work/align/reports/p00"
    (folder / "p00.mosdepth.summary.txt").write_text("")
    folder.touch()
    done = run(tmp_path, repo, target="work/sample_qc/keep.tsv")
    assert done.status
    assert "p00.mosdepth.summary.txt: is not a mosdepth summary" in done.output


def test_unknown_threshold_stops_with_the_nearest_name(cohort, repo, tmp_path):
    again(cohort, tmp_path)
    done = run(tmp_path, repo, thresholds={"cal_rate": 0.9}, target="work/sample_qc/kinship.tsv")
    assert done.status
    assert "config sample_qc.thresholds.cal_rate: no such metric -> did you mean `call_rate`?" in done.output
