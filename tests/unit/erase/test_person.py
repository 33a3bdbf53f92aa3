"""What a run keeps of one person: found by name, by content and by the seals of jobs, and nothing of others alone."""

import base64
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.core.errors import GoeError
from goe.erase import person
from helpers.workflow import goe

VCF = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{}\nchr1\t1\t.\tA\tC\n"
CONFIG = "samples: samples.tsv\ninputs: sheets/inputs.tsv\n"
SAMPLES = "sample_id\tsex\nEE1\tF\nEE1.2\tF\nEE10\tM\n007\tM\nJ1\tF\nEE1-b\tF\n"
INPUTS = """input_type\tsample_id\tpath\tpath2
fastq\tEE1\tdata/EE1_R1.fastq.gz\tdata/EE1_R2.fastq.gz
gvcf\tEE1.2\tdata/other.g.vcf.gz\t
gvcf\tEE10\tdata/ten.g.vcf.gz\t
vcf\t007\tdata/bond.vcf.gz\t
joint_vcf\t\tdata/joint.vcf.gz\t
"""


def kept(path):
    return base64.b64encode(path.encode()).decode()


@pytest.fixture
def run(tmp_path):
    """A run with a file of each kind. Of EE1 alone `own`; with EE1 in them `shared`; all else is of others."""
    folder = tmp_path / "run"

    def put(name, content=""):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    def table(name, columns, about=None):
        path = folder / put(name)
        made = pa.table(columns).replace_schema_metadata(about)
        with pq.ParquetWriter(path, made.schema) as writer:
            writer.write_table(made)
            writer.add_key_value_metadata(about or {})

    def seal(name, *files):
        up = "../" * (name.count("/") + 1)
        put(f"work/seals/{name}.json", json.dumps({"files": {f"{up}{file}": ["0"] for file in files}, "read": {}}))

    put("config/config.yaml", CONFIG)
    put("samples.tsv", SAMPLES)
    put("sheets/inputs.tsv", INPUTS)
    put("data/joint.vcf.gz", gzip.compress(VCF.format("J1\tJ2").encode()))
    put("work/intake/people.tsv", SAMPLES)
    table("work/frequencies/chr1.parquet", {"pos": [1], "stratum": ["Total"]})
    put("work/harmonise/batch/b7.rows.parquet", b"PAR1 cut off")
    for one in ("EE1", "EE1.2", "EE10", "007", "EE1-b"):
        put(f"work/align/{one}.cram", b"\0EE1 EE10")
        put(f"work/align/reports/{one}/L1.fastp.json", "{}")
        put(f"work/logs/align_person/{one}.log", f"{one} beside EE1")
        put(f".snakemake/metadata/{kept(f'work/align/{one}.cram')}", "{}")
        seal(f"align_person/{one}", f"align/{one}.cram")
    put("work/align/EE1.cram.scratch/3.bam", b"left over")
    put("work/harmonise/batch/b0.scratch/3", b"left over")
    table("work/harmonise/people/b0.00/EE1.alleles.parquet", {"pos": [1]})
    table("work/harmonise/people/b0.00/EE10.alleles.parquet", {"pos": [1]})
    seal("harmonise_people/b0.00", *(f"harmonise/people/b0.00/{s}.alleles.parquet" for s in ("EE1", "EE10")))
    table("work/harmonise/batch/b0.rows.parquet", {"pos": [1]}, {"goe": '{"people": ["EE1", "EE10"]}'})
    put("work/harmonise/batch/b0.ledger.json", "{}")
    seal("harmonise_batch/b0", "harmonise/batch/b0.rows.parquet", "harmonise/batch/b0.ledger.json")
    table("work/harmonise/batch/b1.rows.parquet", {"pos": [1]}, {"goe": '{"people": ["007"]}'})
    seal("harmonise_batch/b1", "harmonise/batch/b1.rows.parquet")
    table("work/sample_qc/region/chr1.parquet", {"sample_id": ["EE10", "EE1"]})
    put("work/sample_qc/pca.png", b"picture")
    put("work/sample_qc/batch/b9.jsonl", '{"sample_id": "EE10"}')
    put("work/harmonised/chr1.bcf", gzip.compress(VCF.format("EE10\tEE1").encode()))
    put("work/joint/0.vcf.gz", gzip.compress(VCF.format("J1\tJ2").encode()))
    put(".snakemake/log/1.log", "wildcards: sample=EE1\n")
    put(".snakemake/log/2.log", "wildcards: sample=EE1_x EE10\n")
    put(".snakemake/conda/EE1/bin", "a tool")
    put("release/README.md", "sums")
    return folder


OWN = {
    "work/align/EE1.cram",
    "work/align/reports/EE1/L1.fastp.json",
    "work/align/EE1.cram.scratch/3.bam",
    "work/logs/align_person/EE1.log",
    "work/harmonise/people/b0.00/EE1.alleles.parquet",
    "work/seals/align_person/EE1.json",
    f".snakemake/metadata/{kept('work/align/EE1.cram')}",
}
SHARED = {
    "work/harmonise/people/b0.00/EE10.alleles.parquet",
    "work/seals/harmonise_people/b0.00.json",
    "work/harmonise/batch/b0.rows.parquet",
    "work/harmonise/batch/b0.ledger.json",
    "work/seals/harmonise_batch/b0.json",
    "work/harmonise/batch/b7.rows.parquet",
    "work/harmonise/batch/b0.scratch/3",
    "work/sample_qc/region/chr1.parquet",
    "work/sample_qc/pca.png",
    "work/harmonised/chr1.bcf",
    "work/intake/people.tsv",
    ".snakemake/log/1.log",
}


def everything(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_own_and_shared_files_are_found_and_what_stays_is_named(run):
    found = person.find(run, "EE1")
    assert set(found.own) == OWN
    # A word of an id with a sign behind it is no other id: .snakemake/log/2.log has EE1_x.
    assert set(found.shared) - {".snakemake/log/2.log"} == SHARED
    assert found.again == {"harmonise_people": 1, "harmonise_batch": 1}
    said = "\n".join(found.left)
    for words in ("data/EE1_R1.fastq.gz, data/EE1_R2.fastq.gz", "rows of samples.tsv", "counts", "release/", "scratch"):
        assert words in said


def test_nothing_goes_before_it_is_said_and_then_all_of_it_and_no_more(run):
    before = everything(run)
    first = goe("erase", run, "EE1")
    assert first.returncode == 0 and "would be deleted" in first.stdout and everything(run) == before
    gone = goe("erase", run, "EE1", "--yes")
    assert gone.returncode == 0, gone.stdout
    assert before - everything(run) - {".snakemake/log/2.log"} == OWN | SHARED
    assert not (run / "work/align/reports/EE1").exists() and (run / "work/align/reports/EE10").exists()
    assert person.find(run, "EE1").own == person.find(run, "EE1").shared == []


@pytest.mark.parametrize("one", ["EE1.2", "EE10", "007"])
def test_whose_id_begins_alike_is_somebody_else(run, one):
    own = person.find(run, one).own
    assert f"work/align/{one}.cram" in own
    assert all(one in name or kept(f"work/align/{one}.cram") in name for name in own)


def test_reads_beside_calls_are_the_persons_and_the_row_of_the_sheet_of_people_stays(run):
    (run / "work/coverage").mkdir()
    for name in ("J1.bed.gz", "J1.bed.gz.csi", "J2.bed.gz"):
        (run / "work/coverage" / name).write_bytes(gzip.compress(b"1\t0\t5\t10:inf\n"))
    with (run / "sheets/inputs.tsv").open("a") as sheet:
        sheet.write("coverage\tJ1\tdata/J1.cram\t\n")
    found = person.find(run, "J1")
    assert found.own == ["work/coverage/J1.bed.gz", "work/coverage/J1.bed.gz.csi"]
    said = "\n".join(found.left)
    assert "data/J1.cram" in said and "data/joint.vcf.gz" in said and "until then the row of samples.tsv stays" in said
    assert "the row of inputs.tsv: take it out" in said and "rows of samples.tsv and inputs.tsv" not in said


def test_of_a_joint_vcf_the_file_itself_is_named(run):
    found = person.find(run, "J1")
    assert found.own == [] and "work/joint/0.vcf.gz" in found.shared
    assert "data/joint.vcf.gz" in found.left[0] and "withdrawn" in found.left[1]


def test_who_was_never_there_and_a_run_at_work_are_refused(run):
    with pytest.raises(GoeError, match="is on no sheet"):
        person.find(run, "EE9")
    (run / ".snakemake/locks").mkdir()
    (run / ".snakemake/locks/0.input.lock").touch()
    with pytest.raises(GoeError, match="a run is at work"):
        person.find(run, "EE1")
    with pytest.raises(GoeError, match="is not there"):
        person.find(run / "release", "EE1")
