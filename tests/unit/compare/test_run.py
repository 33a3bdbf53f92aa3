"""`goe diff`: each kind of difference is found and named, and nothing else is."""

import gzip
import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pysam
import pytest
from goe import cli
from goe.compare import files
from goe.compare.run import DIFFERENT, OTHERWISE, SAME, compare
from goe.core import manifest
from goe.core.errors import GoeError
from helpers import release_folder as rf

WIDE, LONG = "frequencies-wide/chr20.parquet", "frequencies/chr20.parquet"
VCF = f"sites/{rf.ID}.all.vcf.gz"


def found(a, b):
    """Kinds of difference -> how many, and all of the comparison."""
    one = compare(a, b)
    return {kind: one.differences.found[kind].count for kind in one.differences.kinds}, one


def verdicts(one):
    return {file.path: file.verdict for file in one.files if file.verdict != files.SAME}


def numbers(path):
    return pq.read_table(path).to_pylist()


def change_row(path, row, **values):
    def change(rows):
        rows[row] |= values
        return rows

    rf.edit_parquet(path, change)


def test_a_release_and_its_copy_are_the_same(released, copied):
    kinds, one = found(released, copied)
    assert kinds == {} and one.outcome == SAME and verdicts(one) == {}
    assert one.alleles.both == json.loads((released / "metadata/dataset.json").read_text())["number_of_records"] > 100
    assert one.lines()[-1] == "same: no difference"


def test_other_bytes_of_the_same_content_are_no_difference(released, copied):
    """As another version of pyarrow or zlib writes them."""
    for name in (WIDE, LONG):
        change_row(copied / name, 0)
    rf.edit_vcf(copied / VCF, lambda lines: [line.replace("goe 0.1.0", "goe 0.2.0") for line in lines])
    rf.sign(copied)
    kinds, one = found(released, copied)
    assert (kinds, one.outcome) == ({}, SAME)
    there = verdicts(one)
    assert {there[name] for name in (WIDE, LONG, "sites/{id}.all.vcf.gz")} == {files.CONTENT}
    assert one.alleles.both == compare(released, released).alleles.both


def test_a_number_is_named_with_its_stratum_and_both_values(released, copied):
    row = numbers(copied / WIDE)[7]
    change_row(copied / WIDE, 7, ac_EE=row["ac_EE"] + 3)
    rf.sign(copied)
    kinds, one = found(released, copied)
    assert kinds == {"numbers": 1, "files": 1} and one.outcome == DIFFERENT
    allele = ":".join(str(row[key]) for key in ("contig", "pos", "ref", "alt"))
    (example,) = one.differences.found["numbers"].examples
    assert str(example) == f"{allele} EE ac: {row['ac_EE']} | {row['ac_EE'] + 3}"
    assert (one.alleles.largest["EE"].ac, one.alleles.largest["EE"].alleles, one.alleles.largest["M"].ac) == (3, 1, 0)
    assert one.alleles.differ == 1
    assert f"    {WIDE}: different, row 8 ({allele}): ac_EE {row['ac_EE']} | {row['ac_EE'] + 3}" in one.lines()


def test_alleles_filters_cells_and_statistics(released, copied):
    rows = numbers(copied / WIDE)
    hidden = next(i for i, row in enumerate(rows) if i > 3 and row["an_EE_M"] is not None)
    numbers_of = [name for name in rows[0] if name.endswith("_EE_M")]

    def change(rows):
        rows[0]["filter"] = "LowCallRate"
        rows[1]["call_rate"] = 0.5
        rows[hidden] |= dict.fromkeys(numbers_of)
        gone = rows.pop(2)
        return [*rows, gone | {"pos": rows[-1]["pos"] + 1}]

    rf.edit_parquet(copied / WIDE, change)
    rf.sign(copied)
    kinds, one = found(released, copied)
    assert kinds == {"alleles": 2, "filters": 1, "withheld": 1, "statistics": 1, "files": 1}
    assert (one.alleles.only_a, one.alleles.only_b, one.alleles.differ) == (1, 1, 3)
    there = one.differences.found
    assert str(there["filters"].examples[0]).endswith("filter: PASS | LowCallRate")
    assert str(there["withheld"].examples[0]).endswith("EE_M numbers: shown | withheld")
    assert dict(there["alleles"].by) == {"only in A": 1, "only in B": 1}


def test_more_differences_than_are_shown_are_counted(released, copied):
    rf.edit_parquet(copied / WIDE, lambda rows: [row | {"ac": row["ac"] + 1} for row in rows])
    rf.sign(copied)
    kinds, one = found(released, copied)
    assert kinds["numbers"] == len(numbers(released / WIDE)) and len(one.differences.found["numbers"].examples) == 10


def test_the_long_table_and_a_vcf_are_compared_too(released, copied):
    """Each by its own content: a change of one alone is a file that differs, with the row."""
    row = numbers(copied / LONG)[4]
    change_row(copied / LONG, 4, an=row["an"] + 1)
    rf.edit_vcf(copied / VCF, lambda lines: [*lines[:-1], rf.set_info(lines[-1], "AC", 7)])
    rf.sign(copied)
    kinds, one = found(released, copied)
    assert kinds == {"files": 2} and one.outcome == DIFFERENT
    first = {file.path: file.first for file in one.files}
    assert first[LONG].startswith("row 5 (chr20:") and first[LONG].endswith(f"an {row['an']} | {row['an'] + 1}")
    assert "AC=7" in first["sites/{id}.all.vcf.gz"]


def test_a_threshold_a_person_and_a_version_are_named(released, copied):
    rf.edit_json(copied / "provenance/config.json", lambda said: said["genotype_filter"].update(min_gq=30))
    rf.edit_json(copied / "metadata/dataset.json", lambda said: said["strata"].update(EE=said["strata"]["EE"] - 1))
    path = copied / "ro-crate-metadata.json"
    path.write_text(path.read_text().replace('"softwareVersion": "1.21"', '"softwareVersion": "1.22"', 1))
    rf.sign(copied)
    kinds, one = found(released, copied)
    there = {kind: [str(e) for e in one.differences.found[kind].examples] for kind in kinds}
    assert there["settings"] == ["genotype_filter.min_gq: 20 | 30"]
    assert there["people"] == ["EE people: 620 | 619"]
    assert there["versions"] == ["bcftools: 1.21 | 1.22"]
    assert set(there) == {"settings", "people", "versions", "files"}
    assert one.outcome == DIFFERENT


def test_a_version_alone_leaves_the_numbers_the_same(released, copied):
    path = copied / "ro-crate-metadata.json"
    path.write_text(path.read_text().replace('"softwareVersion": "1.21"', '"softwareVersion": "1.22"', 1))
    rf.sign(copied)
    kinds, one = found(released, copied)
    assert (kinds, one.outcome) == ({"versions": 1}, OTHERWISE)


def test_code_and_environments_are_told_by_their_files(released, copied):
    path = copied / "provenance/code.sha256"
    lines = path.read_text().splitlines()
    changed = [f"{'0' * 64}{line[64:]}" if line.endswith(("envs/align.yaml", "goe/cli.py")) else line for line in lines]
    path.write_text("\n".join(changed) + "\n")
    rf.edit_json(copied / "metadata/dataset.json", lambda said: said.update(code_sha256=manifest.digest(path)))
    rf.sign(copied)
    kinds, one = found(released, copied)
    assert (kinds, one.outcome) == ({"environments": 1, "code": 1}, OTHERWISE)
    assert one.differences.found["code"].examples[0].what == "scripts/goe/cli.py"


def test_texts_are_compared_but_for_what_follows_from_other_bytes(released, copied):
    path = copied / "README.md"
    path.write_text(path.read_text().replace("goe 0.1.0", "goe 0.2.0"))
    page = copied / "report.html"
    page.write_text(page.read_text().replace("Frequenc", "frequenc", 1))
    rf.sign(copied)
    _, one = found(released, copied)
    assert verdicts(one) == {"README.md": files.CONTENT, "report.html": files.DIFFERENT}


def test_another_dataset_id_is_told_and_files_are_paired_all_the_same(released, tmp_path, monkeypatch):
    new = "GOE-EE-EXAMPLE-20270301093000000"
    monkeypatch.setattr(rf, "ID", new)
    later = rf.make(tmp_path / "later", contigs={"chr20": 600, "chrX": 400})
    kinds, one = found(released, later)
    assert set(kinds) <= {"settings", "descriptions", "files"} and one.differences.found["settings"].by == {
        "dataset.id": 1
    }
    there = {file.path: file.verdict for file in one.files}
    assert there["sites/{id}.pass.vcf.gz"] == files.SAME
    assert there["beacon/genomicVariations.chr20.jsonl.gz"] == files.CONTENT
    assert not {files.ONLY_A, files.ONLY_B} & set(there.values())


def test_callable_an_is_compared_by_base(released, copied, tmp_path):
    first = rf.copy(released, tmp_path / "first")
    for root, runs in ((first, [(0, 100, 10), (100, 300, 20)]), (copied, [(0, 50, 10), (50, 120, 10), (120, 300, 20)])):
        shutil.rmtree(root / "callable_an")
        (root / "callable_an").mkdir()
        table = {
            "contig": ["chr20"] * len(runs),
            **dict(zip(("start", "end", "an_EE"), zip(*runs, strict=True), strict=True)),
        }
        pq.write_table(pa.table(table), root / "callable_an/chr20.parquet")
        rf.sign(root)
    kinds, one = found(first, copied)
    assert kinds == {"callable_an": 20, "files": 1} and one.outcome == DIFFERENT
    assert str(one.differences.found["callable_an"].examples[0]) == "chr20:100-120 EE an: 20 | 10"


def test_a_file_of_one_alone_and_an_encrypted_one(released, copied):
    (copied / "beacon/genomicVariations.chrX.jsonl.gz").unlink()
    (copied / f"gdi/{rf.ID}.tar.c4gh").write_bytes(b"x")
    rf.sign(copied)
    _, one = found(released, copied)
    assert verdicts(one) == {
        "beacon/genomicVariations.chrX.jsonl.gz": files.ONLY_A,
        "gdi/{id}.tar.c4gh": files.ONLY_B,
    }


def refused(a, b, words):
    with pytest.raises(GoeError, match=words):
        compare(a, b)


def test_what_cannot_be_compared_is_refused(released, copied, tmp_path, capsys):
    refused(released, tmp_path / "none", "is no folder")
    (tmp_path / "empty").mkdir()
    refused(released, tmp_path / "empty", "the release was not finished")
    (copied / LONG).write_bytes(b"x")
    refused(released, copied, f"{LONG}: differs from its digest")
    report = tmp_path / "report.json"
    assert cli.main(["diff", str(released), str(copied), "--json", str(report)]) == 2
    assert "differs from its digest" in capsys.readouterr().err
    said = json.loads(report.read_text())
    assert said["comparable"] is False and said["problems"][0]["what"] == "differs from its digest"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda said: said.update(build="GRCh37"), "its build is GRCh37, that of the other is GRCh38"),
        (lambda said: said["contigs"][0].update(md5="0" * 32), f"chr20 has 600 bases, MD5 {'0' * 32}"),
        (lambda said: said["contigs"][0].update(length=601), "chr20 has 601 bases"),
        (lambda said: [contig.update(name=contig["name"][3:]) for contig in said["contigs"]], "has no contig of"),
        (lambda said: said.pop("strata"), "is not what it should be"),
    ],
)
def test_other_references_are_refused(released, copied, change, words):
    rf.edit_json(copied / "metadata/dataset.json", change)
    rf.sign(copied)
    refused(released, copied, words)


def test_a_folder_that_leads_elsewhere_is_refused(released, copied, tmp_path):
    (copied / "sites" / "more").symlink_to(tmp_path)
    refused(released, copied, "is a link")


def test_the_command_tells_people_and_programs(released, copied, tmp_path, capsys):
    report = tmp_path / "report.json"
    assert cli.main(["diff", str(released), str(released), "--json", str(report)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "same: no difference"
    said = json.loads(report.read_text())
    assert (said["comparable"], said["outcome"], said["alleles"]["only_in_a"]) == (True, "same", 0)
    change_row(copied / WIDE, 0, ac=1)
    rf.sign(copied)
    assert cli.main(["diff", str(released), str(copied), "--quiet", "--json", str(report)]) == 1
    assert capsys.readouterr().out == "different\n"
    said = json.loads(report.read_text())
    assert said["differences"]["numbers"]["count"] == 1 and said["differences"]["numbers"]["by"] == {"ac": 1}
    assert said["differences"]["numbers"]["examples"][0]["b"] == 1
    assert len(said["files"]) == len(manifest.files(released))


def test_metadata_follow_from_other_bytes(released, copied):
    """Sizes and digests of a file that another zlib has written."""
    path = copied / VCF
    with gzip.open(path) as file:
        text = file.read()
    with pysam.BGZFile(str(path), "w1") as file:
        file.write(text)
    rf.remake(copied)
    kinds, one = found(released, copied)
    assert (kinds, one.outcome) == ({}, SAME)
    names = ["ro-crate-metadata.json", "sites/{id}.all.vcf.gz"]
    assert verdicts(one) == dict.fromkeys(names, files.CONTENT)
