"""Stamps: everything that decides a stage's numbers changes its stamp and those of the stages after it."""

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from goe.core import code_digest
from goe.core.resources import ROOT
from goe.genome.build import Build
from goe.intake import stamps
from goe.intake.stamps import Stamps
from goe.settings import config
from goe.settings.sheets import Input, Person
from helpers.settings import altered
from helpers.workflow import DATASET

STAGES = ("sources", "genotypes", "metrics", "keep", "counts", "filters", "release")
# Beside the counts, and like them before the release.
ASIDE = "callable_an"
REPO = ROOT


@pytest.fixture
def run(tmp_path, monkeypatch):
    """(cfg, people, inputs, build) of two people with data of their own and two of a joint VCF."""
    monkeypatch.chdir(tmp_path)
    for name in ("ref.fa", "ref.fa.fai", "r1.fq.gz", "r2.fq.gz", "g.vcf.gz", "j.vcf.gz"):
        Path(name).write_text(name)
    cfg, problems = config.read(
        {
            "samples": "samples.tsv",
            "inputs": "inputs.tsv",
            "reference": {"fasta": "ref.fa", "build": "toy"},
            "dataset": DATASET,
            "disclosure": {"min_carriers": 5, "policy": "collapse"},
        }
    )
    assert problems == []
    people = {name: Person(name, "F", "EE", extra={"platform": ""}) for name in ("a", "b", "c", "d")}
    inputs = [
        Input("a", "fastq", "r1.fq.gz", "r2.fq.gz", unit="1"),
        Input("b", "gvcf", "g.vcf.gz"),
        Input("", "joint_vcf", "j.vcf.gz"),
    ]
    return cfg, people, inputs, Build("toy", {"chr1": 100}, [])


def planned(run):
    """The stamps of a run, all of them computed."""
    stamps = Stamps(*run)
    assert all(stamps.stamp(stage) for stage in STAGES)
    return stamps


def changed(one, two):
    return [stage for stage in STAGES if one.stamp(stage) != two.stamp(stage)]


def test_the_same_run_has_the_same_stamps(run):
    assert changed(Stamps(*run), Stamps(*run)) == []


@pytest.mark.parametrize("name", ["ref.fa", "r2.fq.gz", "g.vcf.gz", "j.vcf.gz"])
@pytest.mark.parametrize("how", ["content", "size", "older"])
def test_a_file_replaced_in_place_changes_all(run, name, how):
    before = planned(run)
    path = Path(name)
    if how == "older":
        os.utime(path, (1, 1))
    else:
        status = path.stat()
        path.write_text(path.read_text().upper() if how == "content" else path.read_text() + "x")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert changed(Stamps(*run), before) == list(STAGES)


def parts(stamps):
    """Stamps of what is made of one file, one person, one batch."""
    return {
        "reads of a": stamps.reads("a"),
        "contamination of a": stamps.contamination("a"),
        "calls of a": stamps.calls("a"),
        "own of a": stamps.own("a"),
        "own of b": stamps.own("b"),
        "batch of a": stamps.gathered(["a"]),
        "batch of b": stamps.gathered(["b"]),
        "batch of both": stamps.gathered(["a", "b"]),
        "joint": stamps.scanned(0),
    }


def changed_parts(one, two):
    """Names of the parts that differ, of two answers of `parts`."""
    return {name for name in one if one[name] != two[name]}


OWN_OF_A, OWN_OF_B = ({f"own of {i}", f"batch of {i}", "batch of both"} for i in "ab")


READS_OF_A = {"reads of a", "contamination of a", "calls of a", *OWN_OF_A}


@pytest.mark.parametrize(
    ("name", "made_again"),
    [
        ("r1.fq.gz", READS_OF_A),
        ("g.vcf.gz", OWN_OF_B),
        ("j.vcf.gz", {"joint"}),
    ],
)
def test_only_what_is_made_of_a_file_is_made_again(run, name, made_again):
    before = parts(Stamps(*run))
    Path(name).write_text("another")
    assert changed_parts(before, parts(Stamps(*run))) == made_again


@pytest.mark.parametrize(
    ("key", "of_calls"),
    [
        # Blocks end at the thresholds.
        *((f"genotype_filter.{name}", {"calls of a"}) for name in ("min_gq", "min_dp", "min_dp_haploid")),
        ("genotype_filter.min_ab", set()),
        ("genotype_filter.on_absent_fields", set()),
        ("frequencies.raw", set()),
    ],
)
def test_the_filter_is_part_of_everybody_by_themselves(run, key, of_calls):
    """People are filtered before they are gathered; what a joint VCF holds is as it was."""
    cfg, *more = run
    other = parts(Stamps(altered(cfg, key, "another"), *more))
    assert changed_parts(parts(Stamps(*run)), other) == OWN_OF_A | OWN_OF_B | of_calls


@pytest.fixture
def covered(run):
    """The same run, with reads beside the calls of one person of the joint VCF, and of the one with a gVCF."""
    cfg, people, inputs, build = run
    Path("c.cram").write_text("c")
    cfg = replace(cfg, callable_an=replace(cfg.callable_an, coverage_proxy=True))
    return cfg, people, [*inputs, Input("c", "coverage", "c.cram"), Input("b", "coverage", "b.cram")], build


def of_coverage(stamps):
    return {"person": stamps.coverage("c"), "batch": stamps.covered(["c"]), "cohort": stamps.coverage_proxy}


def test_reads_beside_calls_are_part_of_no_other_number(run, covered):
    one, two = Stamps(*run), Stamps(*covered)
    assert changed(one, two) == ["release"] and parts(one) == parts(two)
    assert one.stamp(ASIDE) == two.stamp(ASIDE) and one.coverage_proxy == ""
    # Where nobody asks for them they are part of nothing.
    assert changed(one, Stamps(run[0], *covered[1:])) == []
    assert "coverage.b0000" in two.parts and "coverage.b0000" not in Stamps(run[0], *covered[1:]).parts
    assert [row.sample_id for row in two.parts["coverage.b0000"]] == ["c"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("genotype_filter.min_dp", 12),
        ("genotype_filter.min_dp_haploid", 6),
        ("caller.min_mapq", 30),
        ("file", "another"),
    ],
)
def test_what_depth_is_asked_and_the_reads_are_part_of_a_person(covered, key, value):
    cfg, *more = covered
    before = of_coverage(Stamps(*covered))
    if key == "file":
        Path("c.cram").write_text(value)
    after = of_coverage(Stamps(cfg if key == "file" else altered(cfg, key, value), *more))
    assert changed_parts(before, after) == {"person", "batch", "cohort"}


def test_a_sex_is_part_of_a_batch_and_a_floor_of_the_cohort(covered):
    cfg, people, inputs, build = covered
    before = of_coverage(Stamps(*covered))
    man = Stamps(cfg, people | {"c": replace(people["c"], sex="M")}, inputs, build)
    assert changed_parts(before, of_coverage(man)) == {"batch", "cohort"}
    gone = Stamps(cfg, people | {"c": replace(people["c"], withdrawn=True)}, inputs, build)
    assert changed_parts(before, of_coverage(gone)) == {"cohort"}
    floor = Stamps(altered(cfg, "disclosure.min_carriers", 7), people, inputs, build)
    assert changed_parts(before, of_coverage(floor)) == {"cohort"}


def test_jobs_take_the_stamps_of_coverage_of_the_process_that_planned(covered, tmp_path):
    plan = Stamps(*covered)
    plan.save(tmp_path / "stamps.json")
    Path("c.cram").write_text("replaced while the run goes on")
    later = Stamps(*covered, kept=tmp_path / "stamps.json")
    assert later.coverage_proxy == plan.coverage_proxy and later.covered(["c"]) == plan.covered(["c"])


def test_a_sex_is_part_of_its_person_alone(run):
    cfg, people, inputs, build = run
    other = people | {"a": replace(people["a"], sex="M")}
    assert changed_parts(parts(Stamps(*run)), parts(Stamps(cfg, other, inputs, build))) == OWN_OF_A


def test_a_batch_is_its_people_in_order(run):
    stamps = Stamps(*run)
    assert len({stamps.gathered(ids) for ids in (["a"], ["b"], ["a", "b"], ["b", "a"])}) == 4


def test_other_regions_are_other_counts_of_a_joint_file_and_nobody_by_themselves(run):
    cfg, *more = run
    other = parts(Stamps(altered(cfg, "scatter.region_size", 5), *more))
    assert changed_parts(parts(Stamps(*run)), other) == {"joint"}


def test_a_withdrawn_person_is_counted_again_and_nothing_before(run):
    cfg, people, inputs, build = run
    gone = people | {"c": replace(people["c"], withdrawn=True)}
    assert changed(Stamps(*run), Stamps(cfg, gone, inputs, build)) == ["keep", "counts", "filters", "release"]


def test_a_sex_changes_the_genotypes(run):
    cfg, people, inputs, build = run
    other = people | {"c": replace(people["c"], sex="M")}
    assert changed(Stamps(*run), Stamps(cfg, other, inputs, build)) == list(STAGES)


def leaves(schema, path=()):
    """Dotted paths of the configuration's keys, from its schema."""
    for name, part in schema.get("properties", {}).items():
        if part.get("properties"):
            yield from leaves(part, (*path, name))
        elif "properties" not in part:
            yield (*path, name)


# Where files and jobs lie, and how a cohort is cut: the stamps hold what stands in the sheets, and that no number
# depends on the cut is a test of the workflow.
NO_NUMBER = {("samples",), ("inputs",), ("outdir",), ("scatter", "region_size"), ("scatter", "people_per_batch")}
NO_NUMBER |= {("scatter", "people_per_job"), ("scratch",), ("wave",), ("container",)}
# What a finished release is compared with.
NO_NUMBER |= {("audit",), ("audit_record",)}
# What is kept at home of the data files.
NO_NUMBER |= {("inputs_record",)}


def test_other_digests_of_data_files_are_taken_again(run):
    cfg, *more = run
    for part in Stamps(*run).parts:
        assert Stamps(*run).hashed(part) != Stamps(altered(cfg, "inputs_record", "pieces"), *more).hashed(part)


@pytest.mark.parametrize("path", [pytest.param(p, id=".".join(p)) for p in leaves(config.schema())])
def test_every_key_of_the_configuration_is_part_of_a_stamp(run, path):
    """Generated from the schema, so that a new key cannot be forgotten."""
    cfg, people, inputs, build = run
    other = altered(cfg, ".".join(path), "another")
    if path not in NO_NUMBER:
        assert "release" in changed(Stamps(*run), Stamps(other, people, inputs, build))


@pytest.mark.parametrize("column", ["sample_id", "sex", "country", "withdrawn", "platform", "birth_year", "batch"])
def test_every_cell_of_the_sheet_of_people_is_part_of_a_stamp(run, column):
    cfg, people, inputs, build = run
    person = people["c"]
    if column in ("platform", "birth_year", "batch"):
        other = replace(person, extra=person.extra | {column: "another"})
    else:
        other = replace(person, **{column: True if column == "withdrawn" else "X"})
    assert "counts" in changed(Stamps(*run), Stamps(cfg, people | {"c": other}, inputs, build))


@pytest.mark.parametrize("column", ["sample_id", "input_type", "path", "path2", "library", "unit"])
def test_every_cell_of_the_sheet_of_inputs_is_part_of_a_stamp(run, column):
    cfg, people, inputs, build = run
    other = [replace(inputs[1], **{column: "another"}), inputs[0], inputs[2]]
    assert "sources" in changed(Stamps(*run), Stamps(cfg, people, other, build))


def test_the_order_of_the_sheets_changes_nothing(run):
    cfg, people, inputs, build = run
    other = dict(reversed(people.items()))
    assert changed(Stamps(*run), Stamps(cfg, other, inputs[::-1], build)) == []


def changed_checkout(folder: Path, file: str) -> Path:
    """A copy of the code in which one file is another."""
    other = folder / "checkout"
    other.mkdir()
    for part in code_digest.PARTS:
        if (REPO / part).is_dir():
            shutil.copytree(REPO / part, other / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(REPO / part, other / part)
    with (other / file).open("a") as handle:
        handle.write("\n# another\n")
    return other


@pytest.mark.parametrize(
    ("file", "first"),
    [
        ("scripts/goe/calls/alignments.py", "sources"),
        ("scripts/goe/calls/gvcf.py", "sources"),
        ("scripts/goe/calls/own_file.py", "sources"),
        ("scripts/goe/harmonise/genotypes.py", "sources"),
        ("scripts/goe/calls/joint.py", "genotypes"),
        ("scripts/goe/calls/reads_quality.py", "sources"),
        ("scripts/goe/genome/bases.py", "sources"),
        ("scripts/align_contamination.py", "metrics"),
        ("scripts/sample_qc_reference.py", "sources"),
        ("scripts/harmonise_batch.py", "genotypes"),
        ("scripts/goe/sample_qc/metrics.py", "metrics"),
        ("resources/guidelines/sample_qc.tsv", "metrics"),
        ("scripts/goe/sample_qc/keep.py", "keep"),
        ("scripts/goe/frequencies/counts.py", "counts"),
        ("scripts/goe/variant_qc/filters.py", "filters"),
        ("scripts/goe/disclosure/control.py", "release"),
    ],
)
def test_other_code_changes_its_stage_and_what_follows(run, tmp_path, file, first):
    other = changed_checkout(tmp_path, file)
    assert changed(Stamps(*run), Stamps(*run, root=other)) == list(STAGES[STAGES.index(first) :])


@pytest.mark.parametrize(
    ("file", "made_again"),
    [
        ("scripts/goe/calls/reads_quality.py", READS_OF_A),
        ("scripts/goe/sample_qc/metrics.py", set()),
        ("scripts/align_contamination.py", {"contamination of a"}),
        ("scripts/goe/calls/gvcf.py", {"calls of a", *OWN_OF_A}),
        ("scripts/goe/calls/own_file.py", OWN_OF_A | OWN_OF_B),
        ("scripts/harmonise_batch.py", {"batch of a", "batch of b", "batch of both"}),
        ("scripts/goe/calls/scan.py", {"joint"}),
        ("scripts/goe/calls/joint.py", set()),
    ],
)
def test_other_code_makes_its_part_again_alone(run, tmp_path, file, made_again):
    other = changed_checkout(tmp_path, file)
    assert changed_parts(parts(Stamps(*run)), parts(Stamps(*run, root=other))) == made_again


@pytest.mark.parametrize(
    "file",
    [
        "scripts/goe/sample_qc/plots.py",
        "scripts/goe/pages/html.py",
        "resources/pages/parts.html.j2",
        "resources/cohort/page.js",
        "resources/report/page.css",
    ],
)
def test_pages_are_made_again_and_nothing_is_made_of_them(run, tmp_path, file):
    other = changed_checkout(tmp_path, file)
    one, two = Stamps(*run), Stamps(*run, root=other)
    assert one.pages != two.pages and changed(one, two) == ["release"]


def test_every_file_of_the_code_is_part_of_a_stage():
    """A module that no stage lists could change numbers that are taken as made by this code."""
    groups = [
        value for name, value in vars(stamps).items() if re.fullmatch("_[A-Z]+", name) and isinstance(value, tuple)
    ]
    listed = {name for group in groups for name in group}
    # What is written from the counts has the stamp of all of the code; what carries words and files between stages
    # decides no number, nor does what nothing is made of.
    later = re.compile(
        r"goe/(core|rules/(formats|policy)|disclosure|release|check|compare|collect|lookup|erase|progress|audit|demo|__|cli)"
        r"|goe/(settings/(config|schemas|sections)|intake/(release|stamps))"
        r"|goe/hts/parquet|goe/genome/(dbsnp|hgvs|vrs)|.*/__init__|harmonise_cohort\.py"
        r"|(collect|release|provenance|audit)|(audit|collect|collect_common|common|config_files|release|provenance)\.smk"
        r"|waves\.smk|clean\.py"
    )
    files = [
        *(path.relative_to(REPO / "scripts").as_posix() for path in (REPO / "scripts").rglob("*.py")),
        *(path.name for path in (REPO / "workflow/rules").glob("*.smk")),
    ]
    missing = [name for name in files if name not in listed and f"{name.rpartition('/')[0]}/" not in listed]
    assert sorted(name for name in missing if not later.match(name)) == []


def test_jobs_take_the_stamps_of_the_process_that_planned(run, tmp_path):
    plan = Stamps(*run)
    plan.save(tmp_path / "stamps.json")
    Path("j.vcf.gz").write_text("replaced while the run goes on")
    assert changed(Stamps(*run, kept=tmp_path / "stamps.json"), plan) == []
    cfg, people, inputs, build = run
    other = altered(cfg, "strata.columns", ("x",))
    assert "sources" in changed(Stamps(other, people, inputs, build, kept=tmp_path / "stamps.json"), plan)
