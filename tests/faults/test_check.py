"""A release that is wrong in one thing fails `goe check`, which names the thing.

The releases of the module are whole (the first test), and each test breaks a copy. Unless a test is about the manifest,
the metadata and the manifest of the copy are made again, so that no digest tells what was done.
"""

import base64
import gzip
import hashlib
import io
import json
import math
import os
import re
import shutil
import subprocess
import tarfile
import zlib
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pysam
import pytest
from goe import cli
from goe.check import beacon as beacon_check
from goe.check import run as check
from goe.core import code_digest, manifest
from goe.disclosure import control, outcomes
from goe.frequencies import strata as st
from goe.release import table as frequency_table
from goe.release.gdi import format as gdi_format
from helpers import gdi as package
from helpers import release_folder as rf
from helpers import stages

CONTIGS = {"chr20": 1000, "chrX": 700}
KINDS = {
    "minimal": {"contigs": CONTIGS},
    "collapse": {
        "rule": {"min_carriers": 5, "policy": "collapse"},
        "contigs": {"chr20": 800, "chrY": 400, "chrM": 100},
        "embed_up_to": 0,
    },
    "open": {"rule": rf.OPEN, "gdi": False, "contigs": {"chr20": 600, "chrX": 700, "chrY": 500}},
}
ALL_VCF, PASS_VCF = (f"sites/{rf.ID}.{which}.vcf.gz" for which in ("all", "pass"))
TOTAL_VCF, STRATUM_VCF = (f"mini-node/{rf.ID}.{stratum}.vcf.gz" for stratum in ("Total", "LV_M"))
MINI_METADATA = f"mini-node/{rf.ID}.LV_M.yaml"
ANNOTATIONS = f"annotations/{rf.ID}.annotations.vcf.gz"
TAR = f"gdi/{rf.ID}.tar"
LONG, WIDE, NAMES = (f"{folder}/chr20.parquet" for folder in ("frequencies", "frequencies-wide", "allele-names"))
LINES = "beacon/genomicVariations.chr20.jsonl.gz"
CALLABLE, BED = "callable_an/chr20.parquet", f"callable_an/{rf.ID}.callable_an.bed.gz"
TABLES = ("tables", "rows")
# An id of the country's own, of which nothing in a release can remind.
PERSON = "VKGEE0042"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Whole releases of three policies; nobody may change them."""
    return {kind: rf.make(tmp_path_factory.mktemp("release"), **how) for kind, how in KINDS.items()}


@pytest.fixture
def root(whole, tmp_path):
    """A copy of the release with policy `minimal`."""
    return rf.copy(whole["minimal"], tmp_path)


@pytest.fixture
def ids(tmp_path):
    path = tmp_path / "ids.txt"
    path.write_text(f"sample_id\nVKGEE0001\n{PERSON}\nQ7xK\n")
    return path


def found(folder, parts=check.ALL, ids=None):
    """Check that failed -> its problems, as they are told."""
    return {r.part: [str(p) for p in r.problems] for r in check.run(folder, parts, ids=ids) if r.passed is False}


def named(texts, *words):
    """Whether one of the texts has all the words."""
    return any(all(word in text for word in words) for text in texts)


@pytest.mark.parametrize("kind", KINDS)
def test_the_releases_that_are_broken_below_are_whole(whole, tmp_path, kind, ids):
    """Also when their metadata and manifest are made again, as the tests do."""
    assert cli.main(["check", str(whole[kind]), "--ids", str(ids)]) == 0
    copy = rf.copy(whole[kind], tmp_path)
    rf.remake(copy, None if kind == "minimal" else rf.config(KINDS[kind]["rule"], KINDS[kind].get("gdi", True)))
    assert found(copy, ids=ids) == {}


# ---- files


@pytest.mark.parametrize("name", ["README.md", LONG, TAR, TOTAL_VCF, f"{ALL_VCF}.tbi", "dictionary/fields.tsv"])
def test_a_byte_that_was_changed(root, name):
    """The manifest is left as it was, and so is the size."""
    path = root / name
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    (text,) = found(root, ["manifest"])["manifest"]
    assert text.startswith(f"{name}: differs from its digest")


@pytest.mark.parametrize(
    "name",
    [
        "LICENSE",
        "report.html",
        "metadata/healthdcat.ttl",
        "metadata/dataset.json",
        "ledger.json",
        "provenance/Snakefile",
        "dictionary/fields.tsv",
        "beacon/populations.json",
        LINES,
        LONG,
        WIDE,
        TAR,
        PASS_VCF,
        f"{ANNOTATIONS}.tbi",
        STRATUM_VCF,
    ],
)
def test_a_file_that_is_missing(root, name):
    (root / name).unlink()
    assert named(found(root, ["manifest"])["manifest"], f"{name}: is listed but not there")
    rf.sign(root)
    texts = [text for some in found(root, ("files", "descriptions", *TABLES)).values() for text in some]
    assert named(texts, f"{name}: ") and all(name in text for text in texts)


def test_a_missing_manifest(root):
    (root / manifest.NAME).unlink()
    assert found(root, ["manifest"]) == {
        "manifest": ["MANIFEST.sha256: no such file -> the release was not finished: run it again"]
    }


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("notes.txt", "is no file of a release"),
        ("frequencies/chr7.parquet", "is no file of a release"),
        ("report-data/chr20.000.js", "is no file of a release"),
        (".DS_Store", "is no file of a release"),
        ("gdi/other.tar", "is no file of a release"),
        ("restricted/x.c4gh", "is of the restricted product"),
        (f"sites/{rf.ID}.restricted.vcf.gz", "is of the restricted product"),
    ],
)
def test_a_file_that_no_release_has(root, name, what):
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_bytes(b"x\n")
    assert named(found(root, ["manifest"])["manifest"], f"{name}: is not listed in the manifest")
    rf.remake(root)
    assert set(found(root, ["files", "manifest"])) == {"files"}
    assert named(found(root, ["files"])["files"], f"{name}: {what}")


def test_files_that_are_empty(root):
    (root / "provenance/Snakefile").write_text("")
    (root / "LICENSE").write_text("")
    rf.remake(root)
    assert [text.partition(" ->")[0] for text in found(root, ["files"])["files"]] == [
        "LICENSE: is empty",
        "provenance/Snakefile: is empty",
    ]


@pytest.mark.parametrize("name", [LONG, "metadata/dataset.json", manifest.NAME, "sites", "beacon/more"])
def test_a_link_that_leads_outside(root, tmp_path, name):
    """It is named and not followed, be it a file or a folder of the release or beside them."""
    outside = tmp_path / "outside"
    if (root / name).exists():
        shutil.move(root / name, outside)
    (root / name).symlink_to(outside)
    results = found(root)
    assert results["files"] == results["manifest"] == [f"{name}: is a link -> put the file there"]
    details = {r.detail for r in check.run(root) if r.part not in ("files", "manifest")}
    assert details == {f"not made: {name} is a link, and was not opened"}


def test_a_pipe_does_not_stop_the_check(root):
    (root / LONG).unlink()
    os.mkfifo(root / LONG)
    assert found(root)["files"] == [f"{LONG}: is no file -> take it out"]


def test_a_file_name_that_would_forge_the_list(root, capsys):
    for name in (b"x\npassed          Manifest: fine\x1b[2K", b"\xff\xfe"):
        (root / os.fsdecode(name)).write_bytes(b"x")
    assert cli.main(["check", str(root), "--quiet", "--json", str(root.parent / "out.json")]) == 1
    said = capsys.readouterr().out
    assert "\x1b" not in said and r"x\npassed          Manifest: fine\x1b[2K: is no file of a release" in said
    assert not any(line.startswith("passed") for line in said.splitlines())
    assert r"\udcff\udcfe: is no file of a release" in said


# ---- files that cannot be read


def half(data):
    return data[: len(data) // 2]


def without_end(data):
    return data[:-28]


def another(data):
    return b"This is no such file.\n" * 50


@pytest.mark.parametrize(
    ("name", "change", "part", "what"),
    [
        (ALL_VCF, half, "sites", "cannot be read: Truncated compressed stream"),
        (ALL_VCF, without_end, "private", "is cut off, or no BGZF file"),
        (ALL_VCF, another, "sites", "cannot be read"),
        (TOTAL_VCF, half, "mini-node", "cannot be read"),
        (ANNOTATIONS, half, "annotations", "cannot be read"),
        (f"{PASS_VCF}.tbi", half, "headers", "cannot be used"),
        (f"{PASS_VCF}.tbi", another, "headers", "cannot be used"),
        (LINES, half, "beacon", "cannot be read"),
        (LINES, without_end, "private", "is cut off, or no BGZF file"),
        (LONG, half, "tables", "cannot be read"),
        (LONG, lambda d: d[: len(d) // 3] + bytes(50) + d[len(d) // 3 + 50 :], "rows", LONG),
        (WIDE, half, "tables", "cannot be read"),
        (TAR, half, "gdi", "is no uncompressed TAR: unexpected end of data"),
        (TAR, another, "gdi", "is no uncompressed TAR"),
        ("report.html", half, "look-up", "report.html"),
        ("metadata/dataset.json", half, "descriptions", "is no JSON"),
        ("beacon/populations.json", half, "beacon", "is no JSON"),
        ("dictionary/fields.tsv", another, "dictionary", "column file is missing"),
    ],
    ids=lambda x: getattr(x, "__name__", None) or str(x)[-24:],
)
def test_a_file_that_is_cut_off_or_another(root, name, change, part, what):
    """Every other check is made as well, or told that it was not, and nothing is raised."""
    (root / name).write_bytes(change((root / name).read_bytes()))
    rf.sign(root)
    # The shapes of the record take the most time, and have a test of their own.
    parts = [one for one in check.ALL if one != "healthdcat"]
    results = check.run(root, parts)
    assert [r.part for r in results] == parts
    assert named([str(p) for r in results if r.part == part for p in r.problems], name, what)


def test_an_id_record_that_cannot_be_read(root):
    for name in ("metadata/healthdcat.ttl", "metadata/healthdcat.jsonld", "ro-crate-metadata.json"):
        (root / name).write_bytes(half((root / name).read_bytes()))
    rf.sign(root)
    results = found(root, ["healthdcat", "ro-crate"])
    for name in ("metadata/healthdcat.ttl", "metadata/healthdcat.jsonld"):
        assert named(results["healthdcat"], f"{name}: cannot be read")
    assert named(results["ro-crate"], "ro-crate-metadata.json", "is no JSON")


# ---- one format says another number


def allele_of(line):
    contig, pos, _, ref, alt = line.split("\t")[:5]
    return f"{contig}:{pos}:{ref}:{alt}"


def change_info(path, key, value, which=3):
    """Change a number of the record that is `which` among those that have it; its allele."""
    alleles = []

    def change(lines):
        at = [i for i, line in enumerate(lines) if line[0] != "#" and re.search(rf"[\t;]{key}=", line)][which]
        alleles.append(allele_of(lines[at]))
        lines[at] = rf.set_info(lines[at], key, value)
        return lines

    rf.edit_vcf(path, change)
    return alleles[0]


def unpacked(root):
    """The folder of the GDI package."""
    subprocess.run(["tar", "--extract", "--file", root / TAR, "--one-top-level=unpacked"], cwd=root.parent, check=True)
    return root.parent / "unpacked"


def edit_tar(root, change):
    """Change the folder of the GDI package, sign and pack it; `change(folder)`."""
    work = unpacked(root)
    change(work)
    package.sign(work)
    pack(root, work)


def pack(root, work, order=None, mtime=0):
    names = order or [
        gdi_format.MANIFEST,
        *(f"headers/{p.name}" for p in sorted((work / "headers").iterdir())),
        *(p.name for p in sorted(work.glob("*.parquet"))),
    ]
    with tarfile.open(root / TAR, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name in names:
            entry = tarfile.TarInfo(name)
            content = (work / name).read_bytes()
            entry.size, entry.mode, entry.mtime = len(content), 0o644, mtime
            archive.addfile(entry, io.BytesIO(content))


def edit_member(path, change):
    """Change the rows of a data file of the package, which stays one of the format."""
    rows = pq.read_table(path).to_pylist()
    change(rows)
    order = [pq.SortingColumn(gdi_format.SCHEMA.names.index(name)) for name in gdi_format.SORTED_BY]
    table = pa.Table.from_pylist(rows, schema=gdi_format.SCHEMA)
    pq.write_table(table, path, write_page_index=True, store_schema=False, sorting_columns=order)


def more_het(rows, row):
    """One heterozygous person more of those who are called, without breaking a rule of the row."""
    one = rows[row]
    upper = "AC" in one
    key = {name: name.upper() if upper else name for name in ("ac", "an", "ac_het", "af")}
    one[key["ac"]] += 1
    one[key["ac_het"]] += 1
    one[key["af"]] = one[key["ac"]] / one[key["an"]]


def sites_all(root):
    return change_info(root / ALL_VCF, "AC_EE_M_Het", 97)


def sites_pass(root):
    return change_info(root / PASS_VCF, "AN", 77)


def sites_af(root):
    """The last digit of a frequency at full precision."""
    lines = gzip.decompress((root / ALL_VCF).read_bytes()).decode().splitlines()
    line = next(line for line in lines if line[0] != "#" and re.search(r"\bAF_M=0\.\d{17}\b", line))
    value = re.search(r"\bAF_M=([^;]*)", line)[1]
    new = repr(math.nextafter(float(value), 1))
    rf.edit_vcf(
        root / ALL_VCF,
        lambda lines: [x.replace(f"AF_M={value};", f"AF_M={new};", 1) if x == line else x for x in lines],
    )
    return allele_of(line)


def sites_statistic(root):
    return change_info(root / PASS_VCF, "faf95", "0.5")


def sites_no_number(root):
    """A key that is given where the number is withheld, and says that there is none."""
    alleles = []

    def change(lines):
        at = next(i for i, line in enumerate(lines) if line[0] != "#" and ";AC_FI_F=" not in line)
        alleles.append("AC_FI_F")
        lines[at] += ";AC_FI_F=nan"
        return lines

    rf.edit_vcf(root / ALL_VCF, change)
    return alleles[0]


def sites_filter(root):
    """A record that did not pass, in the file of those that did."""
    alleles = []

    def change(lines):
        at = next(i for i, line in enumerate(lines) if line[0] != "#") + 2
        alleles.append(allele_of(lines[at]))
        lines[at] = lines[at].replace("\tPASS\t", "\tVQSRTranche\t")
        return lines

    rf.edit_vcf(root / PASS_VCF, change)
    return alleles[0]


def sites_dropped(root):
    alleles = []

    def change(lines):
        alleles.append(allele_of(lines[-1]))
        return lines[:-1]

    rf.edit_vcf(root / ALL_VCF, change)
    return alleles[0]


def sites_twice(root):
    alleles = []

    def change(lines):
        alleles.append(allele_of(lines[-1]))
        return [*lines, lines[-1]]

    rf.edit_vcf(root / ALL_VCF, change)
    return alleles[0]


def mini_total(root):
    return change_info(root / TOTAL_VCF, "AC_Hom", 1000)


def mini_stratum(root):
    return change_info(root / STRATUM_VCF, "AC", 1)


def mini_metadata(root):
    path = root / MINI_METADATA
    path.write_text(path.read_text().replace("individual_count: 1", "individual_count: 2"))
    return "line"


def annotated(root):
    return change_info(root / ANNOTATIONS, "nhomalt_ee_XY", 250)


def annotated_statistic(root):
    return change_info(root / ANNOTATIONS, "call_rate", "0.5")


def annotated_flag(root):
    """X outside its pseudo-autosomal regions, without the flag."""
    alleles = []

    def change(lines):
        at = next(i for i, line in enumerate(lines) if ";non_par" in line)
        alleles.append(allele_of(lines[at]))
        lines[at] = lines[at].replace(";non_par", "")
        return lines

    rf.edit_vcf(root / ANNOTATIONS, change)
    return alleles[0]


def wide(root):
    alleles = []

    def change(rows):
        row = next(r for r in rows if r["ac_het_LV_M"])
        row["ac_het_LV_M"] += 1
        alleles.append(f"chr20:{row['pos']}:{row['ref']}:{row['alt']}")
        return rows

    rf.edit_parquet(root / WIDE, change)
    return alleles[0]


def another_name(root):
    """A whole identifier of another allele, in both places where it stands."""
    alleles = []

    def change(rows):
        row = next(r for r in rows if len(r["ref"]) == len(r["alt"]) == 1)
        alleles.append((f"chr20:{row['pos']}:{row['ref']}:{row['alt']}", row["vrs_id"]))
        row["vrs_id"] = rows[-1]["vrs_id"]
        return rows

    rf.edit_parquet(root / NAMES, change)
    name = pq.read_table(root / NAMES)["vrs_id"][-1].as_py()
    rf.edit_vcf(root / ANNOTATIONS, lambda lines: [line.replace(alleles[0][1], name) for line in lines])
    return alleles[0][0]


def annotated_name(root):
    name = pq.read_table(root / NAMES)["vrs_id"][3].as_py()
    rf.edit_vcf(root / ANNOTATIONS, lambda lines: [line.replace(name, f"{name[:-4]}0000") for line in lines])
    return name[:-4]


def wide_withheld(root):
    """A number that the long table withholds."""
    alleles = []

    def change(rows):
        row = next(r for r in rows if r["an_FI_F"] is None)
        row |= {f"{name}_FI_F": 0 for name in ("ac", "an", "ac_hom", "ac_het", "ac_hemi", "nhomalt")}
        alleles.append(f"chr20:{row['pos']}:{row['ref']}:{row['alt']}")
        return rows

    rf.edit_parquet(root / WIDE, change)
    return alleles[0]


def tar_member(root):
    alleles = []

    def change(folder):
        path = sorted(folder.glob("*.chr20.*"))[0]

        def rows_of(rows):
            at = next(i for i, r in enumerate(rows) if r["POPULATION"] == "Total" and r["AN"] - 6 > r["AC"] > 100)
            more_het(rows, at)
            alleles.append(f"chr20:{rows[at]['POS'] + 1}:{rows[at]['REF']}:{rows[at]['ALT']}")

        edit_member(path, rows_of)

    edit_tar(root, change)
    return alleles[0]


def beacon_number(root):
    alleles = []

    def change(lines):
        one = json.loads(lines[2])
        alleles.append(one["variantInternalId"].partition(":")[2])
        one["frequencyInPopulations"][0]["frequencies"][0]["alleleCountHeterozygous"] += 1
        lines[2] = json.dumps(one, separators=(",", ":"))
        return lines

    rf.edit_lines(root / LINES, change)
    return alleles[0]


def beacon_bases(root):
    """Another base, wherever the line has it."""
    alleles = []

    def change(lines):
        one = json.loads(lines[2])
        alleles.append(one["variantInternalId"].partition(":")[2])
        new = one["variantInternalId"] + "A"
        lines[2] = (
            lines[2]
            .replace(one["variantInternalId"], new)
            .replace(one["_id"], hashlib.sha256(new.encode()).hexdigest())
            .replace(
                f'"alternateBases":"{one["variation"]["alternateBases"]}"',
                f'"alternateBases":"{one["variation"]["alternateBases"]}A"',
            )
        )
        return lines

    rf.edit_lines(root / LINES, change)
    return alleles[0]


def populations(root):
    def change(content):
        one = next(p for p in content["populations"] if p["population"] == "LV")
        one["alleleCount"] = "AC_LV_M"

    rf.edit_json(root / "beacon/populations.json", change)
    return "population LV: alleleCount is AC_LV_M, not AC_LV"


def page_callable(root):
    """A step of callable AN that is another, and what the page says of its chunk."""
    page_number(root, "chr20.callable")
    return "chunk 0 of chr20.callable is not what callable AN gives"


def page_number(root, track="chr20"):
    """A chunk of the page packed again with another number, and what the page says of it."""
    path = root / "report.html"
    text = path.read_text()
    packed, *_ = re.findall(rf'id="chunk-{re.escape(track)}-0">([^<]*)<', text)
    raw = bytearray(zlib.decompress(base64.b64decode(packed)))
    before = zlib.adler32(bytes(raw))
    raw[-1] += 1
    new = base64.b64encode(zlib.compress(bytes(raw), 9)).decode()
    assert text.count(packed) == 1 and text.count(str(before)) == 1
    path.write_text(text.replace(packed, new).replace(str(before), str(zlib.adler32(bytes(raw)))))
    return "chr20:"


def dataset_number(root):
    rf.edit_json(
        root / "metadata/dataset.json", lambda c: c.update(number_of_pass_records=c["number_of_pass_records"] + 1)
    )
    return "number_of_pass_records is"


def disclosure_number(root):
    def change(content):
        content["alleles_at_which_a_stratum_is_withheld"]["FI"] += 5

    rf.edit_json(root / "disclosure/disclosure.json", change)
    return "alleles_at_which_a_stratum_is_withheld.FI is"


def qc_number(root):
    rf.edit_json(root / "qc/summary.json", lambda c: c["alleles_by_class"]["SNV"].update(PASS=5))
    return "alleles_by_class.SNV.PASS is 5"


def callable_number(root):
    """One person more, in every stratum that holds them: no number that a floor allows."""

    def change(rows):
        for stratum in ("Total", "M", "EE", "EE_M"):
            rows[1][f"an_{stratum}"] += 2
        return rows

    rf.edit_callable(root, "chr20", change)
    return "callable AN of EE, M: is no number of people that may be shown"


def callable_bed(root):
    rf.edit_bed(root / BED, lambda lines: [lines[0], f"{lines[1]}0", *lines[2:]])
    return "differs from the tables at chr20:0: "


def callable_gap(root):
    rf.edit_callable(root, "chr20", lambda rows: rows[:1] + rows[2:])
    return "does not begin where the run before ends"


FORMATS = [
    (sites_all, ALL_VCF, {"sites"}),
    (sites_pass, PASS_VCF, {"sites"}),
    (sites_af, ALL_VCF, {"sites"}),
    (sites_statistic, PASS_VCF, {"sites"}),
    (sites_no_number, ALL_VCF, {"sites"}),
    (sites_filter, PASS_VCF, {"sites"}),
    (sites_dropped, ALL_VCF, {"sites", "headers"}),
    (sites_twice, ALL_VCF, {"sites"}),
    (mini_total, TOTAL_VCF, {"mini-node"}),
    (mini_stratum, STRATUM_VCF, {"mini-node"}),
    (mini_metadata, MINI_METADATA, {"mini-node"}),
    (annotated, ANNOTATIONS, {"annotations"}),
    (annotated_statistic, ANNOTATIONS, {"annotations"}),
    (annotated_flag, ANNOTATIONS, {"annotations"}),
    (callable_number, CALLABLE, {"callable-an"}),
    (callable_gap, CALLABLE, {"callable-an"}),
    (callable_bed, BED, {"callable-an"}),
    (wide, WIDE, {"wide", "mini-node"}),
    (wide_withheld, WIDE, {"wide"}),
    (another_name, NAMES, {"names"}),
    (annotated_name, ANNOTATIONS, {"annotations"}),
    (tar_member, TAR, {"gdi"}),
    (beacon_number, LINES, {"beacon"}),
    (beacon_bases, LINES, {"beacon"}),
    (populations, "beacon/populations.json", {"beacon"}),
    (page_number, "report.html", {"look-up"}),
    (page_callable, "report.html", {"look-up"}),
    (dataset_number, "metadata/dataset.json", {"counts"}),
    (disclosure_number, "disclosure/disclosure.json", {"counts"}),
    (qc_number, "qc/summary.json", {"counts"}),
]


def test_callable_an_above_an_is_found(whole, tmp_path):
    """Everybody callable everywhere, where most SNVs were not seen in somebody."""
    root = rf.copy(whole["open"], tmp_path)
    people = json.loads((root / "metadata/dataset.json").read_text())["strata"]
    rf.edit_callable(
        root, "chr20", lambda rows: [{**rows[0], "end": 600} | {f"an_{s}": 2 * n for s, n in people.items()}]
    )
    (problem,) = found(root, {"callable-an"})["callable-an"]
    assert named([problem], CALLABLE, "callable AN is above AN at ")


@pytest.mark.parametrize(("change", "name", "parts"), FORMATS, ids=[change.__name__ for change, _, _ in FORMATS])
def test_one_format_says_something_else(root, change, name, parts):
    """Only its own check fails, and names the file and the allele or key. The package is of the PASS file's digest."""
    what = change(root)
    rf.remake(root)
    results = found(root)
    if name == PASS_VCF:
        assert named(results.pop("gdi"), TAR, "files: sha256")
    if name == "qc/summary.json":
        assert named(results.pop("texts"), "README.md line ")
    if name == "metadata/dataset.json":
        assert named(results.pop("gdi"), f"{TAR}/manifest.json", "conversion.input.records is ")
    if name in (CALLABLE, WIDE, NAMES):
        # The tables are not written as goe writes them, either.
        assert named(results.pop("packed"), name)
    assert set(results) == parts
    # The files of one stratum are held against the wide table, and name themselves.
    of_others = {"mini-node"} if name == WIDE else set()
    for part in parts - {"headers"} - of_others:
        assert named(results[part], name, what), results[part]
    assert all(name in text for part in parts - of_others for text in results[part])


def test_another_number_in_a_file_beside_the_page(whole, tmp_path):
    root = rf.copy(whole["collapse"], tmp_path)
    path = root / "report-data/chr20.000.js"
    text = path.read_text()
    path.write_text(text.replace('"chr20",0', '"chr20",1'))
    rf.remake(root, rf.config(KINDS["collapse"]["rule"]))
    results = found(root)
    assert set(results) == {"look-up"} and named(results["look-up"], "report-data/chr20.000.js")


def test_another_number_in_the_long_table_is_told_of_every_format(root):
    """All the others disagree with it: what they have in common is in the problems. The files of one stratum are held
    against the wide table."""
    alleles = []

    def change(rows):
        at = next(
            i for i, r in enumerate(rows) if r["stratum"] == "Total" and r["ac_het"] > 100 and r["filter"] == "PASS"
        )
        more_het(rows, at)
        alleles.append(":".join(str(rows[at][key]) for key in ("contig", "pos", "ref", "alt")))
        return rows

    rf.edit_parquet(root / LONG, change)
    rf.remake(root)
    results = found(root)
    for part in ("wide", "sites", "beacon", "annotations", "gdi", "look-up"):
        assert named(results[part], alleles[0]), part


def statements(root, name, old, new):
    path = root / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    rf.sign(root)


@pytest.mark.parametrize("name", ["metadata/healthdcat.ttl", "metadata/healthdcat.jsonld"])
def test_the_two_records_say_the_same(root, name):
    said = json.loads((root / "metadata/dataset.json").read_text())
    statements(root, name, str(said["number_of_people"]), str(said["number_of_people"] + 1))
    texts = found(root, ["healthdcat"])["healthdcat"]
    assert named(texts, "metadata/healthdcat.ttl and metadata/healthdcat.jsonld", "numberOfUniqueIndividuals")


def test_the_record_says_what_the_dataset_says(root):
    said = json.loads((root / "metadata/dataset.json").read_text())
    old, new = str(said["number_of_people"]), str(said["number_of_people"] + 1)
    for name in ("metadata/healthdcat.ttl", "metadata/healthdcat.jsonld"):
        statements(root, name, old, new)
    (text,) = found(root, ["healthdcat"])["healthdcat"]
    assert f"healthdcatap:numberOfUniqueIndividuals is {new}, metadata/dataset.json gives {old}" in text


def test_a_record_that_does_not_fit_the_shapes(root):
    path = root / "metadata/healthdcat.ttl"
    text = path.read_text()
    path.write_text(re.sub(r"\n[^\n]*dct:publisher[^\n]*", "", text, count=1))
    rf.sign(root)
    texts = found(root, ["healthdcat"])["healthdcat"]
    assert named(texts, "metadata/healthdcat.ttl", "dct:publisher")


@pytest.mark.parametrize("key", ["contentSize", "datePublished", "mainEntity", "license"])
def test_a_key_of_the_crate_that_is_missing(root, key):
    def change(content):
        for entity in content["@graph"]:
            entity.pop(key, None)

    rf.edit_json(root / "ro-crate-metadata.json", change)
    rf.sign(root)
    results = found(root, ["ro-crate", "healthdcat"])
    words = {"contentSize": LONG}.get(key, key)
    assert set(results) == {"ro-crate"} and named(results["ro-crate"], words)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("metadata/dataset.json", "strata"),
        ("disclosure/disclosure.json", "min_carriers"),
        ("qc/summary.json", "alleles_by_filter"),
        ("ledger.json", "steps"),
        ("provenance/config.json", "variant_qc"),
    ],
)
def test_a_key_that_is_missing(root, name, key, capsys):
    """What needs the descriptions is not made, and fails; the rest is."""
    rf.edit_json(root / name, lambda content: content.pop(key))
    rf.sign(root)
    assert cli.main(["check", str(root), "--quiet"]) == 1
    said = capsys.readouterr().out
    assert f"{name}: '{key}' is a required property" in said
    assert "Frequency tables: every row: not made" in said and "Manifest:" not in said


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda one: one.pop("alleleNumber"), "population LV: alleleNumber is missing"),
        (lambda one: one.update(median="x"), "the loader does not know the key 'median'"),
        (lambda one: one.update(alleleNumber="AN_ZZ"), "alleleNumber is 'AN_ZZ', which the VCF does not have"),
        (lambda one: one.update(population="ZZ"), "population LV is missing"),
    ],
)
def test_populations_that_a_loader_would_refuse(root, change, what):
    rf.edit_json(
        root / "beacon/populations.json",
        lambda content: change(next(p for p in content["populations"] if p["population"] == "LV")),
    )
    assert named(found(root, ["beacon"])["beacon"], "beacon/populations.json", what)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda one: one["frequencyInPopulations"][0]["frequencies"][1].pop("alleleNumber"), "alleleNumber is missing"),
        (lambda one: one.update(caseLevelData=[]), "caseLevelData is no key of a line"),
        (lambda one: one["variation"].pop("referenceBases"), "referenceBases are not those of the id"),
        (lambda one: one.update(length=one["length"] + 1), "length is not that of the location"),
        (lambda one: one.pop("length"), "length is not that of the location"),
        (lambda one: one.update(_id="0" * 64), "_id is not the SHA-256 of the variantInternalId"),
        (lambda one: one.update(datasetId="GOE-EE-OTHER-1"), "variantInternalId is not of the datasetId"),
        (lambda one: one["variation"]["location"].update(sequence_id="x"), "is not named for this dataset and contig"),
        (lambda one: one["frequencyInPopulations"].clear(), "frequencyInPopulations has not exactly one entry"),
    ],
)
def test_a_line_of_the_beacon_without_what_it_needs(root, change, what):
    def edit(lines):
        one = json.loads(lines[1])
        change(one)
        lines[1] = json.dumps(one, separators=(",", ":"))
        return lines

    rf.edit_lines(root / LINES, edit)
    assert named(found(root, ["beacon"])["beacon"], LINES, what)


def test_the_schema_of_the_beacon_is_asked(root):
    """What the reader of lines lets pass and the schema does not."""

    def edit(lines):
        return [re.sub(r'"value":\d+', '"value":-1', lines[0], count=1), *lines[1:]]

    rf.edit_lines(root / LINES, edit)
    assert named([str(p) for p in beacon_check.validate(root / LINES)], f"{LINES} line 1", "-1")


# ---- rules of the counts, broken in the long table


def row_of(rows, **wanted):
    return next(i for i, r in enumerate(rows) if all(r[k] == v for k, v in wanted.items()) and r["ac"] > 20)


def at_total(**values):
    """Change numbers of the first Total; `lambda row` for those that depend on it."""

    def change(rows):
        at = row_of(rows, stratum="Total")
        rows[at] |= {key: value(rows[at]) if callable(value) else value for key, value in values.items()}
        return rows

    return change


def swap_alleles(rows):
    keys = [(r["pos"], r["ref"], r["alt"]) for r in rows]
    second = next(i for i, key in enumerate(keys) if key != keys[0])
    third = next(i for i, key in enumerate(keys) if key not in (keys[0], keys[second]))
    return rows[second:third] + rows[:second] + rows[third:]


def swap_strata(rows):
    rows[1], rows[2] = rows[2], rows[1]
    return rows


def repeat_allele(rows):
    keys = [(r["pos"], r["ref"], r["alt"]) for r in rows]
    end = len(rows) - keys.index(keys[-1])
    return rows + rows[-end:]


def without_total(rows):
    return rows[1:]


def alleles(**values):
    """Change the first allele in all its rows."""

    def change(rows):
        key = (rows[0]["pos"], rows[0]["ref"], rows[0]["alt"])
        return [r | values if (r["pos"], r["ref"], r["alt"]) == key else r for r in rows]

    return change


def one_filter(rows):
    rows[1]["filter"] = "VQSRTranche"
    return rows


def nobody(rows):
    """PASS though nobody carries it."""
    key = (rows[0]["pos"], rows[0]["ref"], rows[0]["alt"])
    zero = {"ac": 0, "af": 0.0, "ac_hom": 0, "ac_het": 0, "ac_hemi": 0, "nhomalt": 0, "filter": "PASS"}
    return [r | zero if (r["pos"], r["ref"], r["alt"]) == key else r for r in rows]


def family(rows, parent, least):
    """Rows of the first allele with so many rows of countries, as stratum -> row."""
    at = {}
    for row in rows:
        at.setdefault((row["pos"], row["ref"], row["alt"]), {})[row["stratum"]] = row
    return next(some for some in at.values() if least <= set(some) and some[parent]["ac_het"] > 20)


def country_above(rows):
    some = family(rows, "EE", {"Total", "EE"})
    for key in ("ac_het", "ac"):
        some["EE"][key] += some["Total"]["ac"]
    some["EE"]["an"] = 10 * some["EE"]["an"]
    some["EE"]["af"] = some["EE"]["ac"] / some["EE"]["an"]
    return rows


def total_above(rows):
    """One person more in Total than in all countries, who have everybody."""
    some = family(rows, "Total", {"Total", "EE", "FI", "LV"})
    more_het([some["Total"]], 0)
    return rows


def more_called(rows):
    some = family(rows, "Total", {"Total", "EE", "FI", "LV"})
    some["EE"]["an"] -= 2
    some["EE"]["af"] = some["EE"]["ac"] / some["EE"]["an"]
    return rows


RULES = [
    (at_total(ac_het=lambda r: r["ac_het"] + 1), "Total: ac is not ac_hom + ac_het + ac_hemi"),
    (at_total(ac_hom=lambda r: r["ac_hom"] + 1, ac=lambda r: r["ac"] + 1), "Total: ac_hom is not twice nhomalt"),
    (at_total(nhomalt=lambda r: r["nhomalt"] + 1), "Total: ac_hom is not twice nhomalt"),
    (at_total(an=lambda r: r["ac"] - 1), "Total: ac is above an"),
    (at_total(an=5000), "Total: an is above twice its people"),
    (at_total(af=lambda r: r["af"] + 1e-9), "Total: af is not ac / an"),
    (at_total(af=None), "Total: af is not ac / an"),
    (at_total(an=lambda r: r["an"] + 1), "Total: af is not ac / an"),
    (at_total(ac=lambda r: -r["ac"]), "Total: ac is missing or below 0"),
    (at_total(ac_hemi=lambda r: r["ac_het"], ac_het=0), "Total: ac_hemi where everybody is diploid"),
    (country_above, "Total: ac is below the sum of EE"),
    (total_above, "Total: carriers are more than the sum of EE, FI, LV"),
    (more_called, "Total: an is more than the sum of EE, FI, LV"),
    (swap_alleles, "is out of order or there twice"),
    (repeat_allele, "has the stratum Total twice"),
    (swap_strata, "is out of order among the strata"),
    (without_total, "is not where Total of the allele should be"),
    (alleles(stratum="Total"), "Total: is out of order among the strata, or there twice"),
    (alleles(ref="N"), "has letters other than A, C, G, T in ref"),
    (alleles(ref="a"), "has letters other than A, C, G, T in ref"),
    (alleles(ref="C", alt="C"), "is no change"),
    (alleles(ref="CA", alt="CTT"), "is not trimmed"),
    (alleles(ref="CA", alt="GT"), "is several SNVs in one"),
    (alleles(pos=0), "is not within the 600 bases of chr20"),
    (alleles(contig="chr21"), "is not on chr20"),
    (alleles(filter=""), "has a filter that is neither PASS nor names joined by ';'"),
    (alleles(filter="PASS;LowQUAL"), "has a filter that is neither PASS nor names joined by ';'"),
    (alleles(filter="A,B"), "has a filter that is neither PASS nor names joined by ';'"),
    (one_filter, "has another filter than the allele's Total"),
    (nobody, "is PASS though nobody carries it"),
]


def test_the_open_release_is_whole_when_its_rows_are_written_again(whole, tmp_path):
    root = rf.copy(whole["open"], tmp_path)
    assert found(root, TABLES) == {}
    rf.edit_parquet(root / LONG, lambda rows: rows)
    assert found(root, TABLES) == {}


@pytest.mark.parametrize(("change", "what"), RULES, ids=[what[:40] for _, what in RULES])
def test_each_rule_of_the_counts(whole, tmp_path, change, what):
    """In the open release, whose cells are all given and which no audit looks at."""
    root = rf.copy(whole["open"], tmp_path)
    rf.edit_parquet(root / LONG, change)
    results = found(root, TABLES)
    assert set(results) == {"rows"} and named(results["rows"], f"{LONG}: chr2", what), results


@pytest.mark.parametrize(
    ("contig", "stratum", "what"),
    [
        ("chrX", "F", "F: ac_hemi where everybody is diploid"),
        ("chrY", "M", "M: ac_hom or ac_het where everybody is haploid"),
        ("chrY", "F", "F: an on Y"),
    ],
)
def test_rules_of_the_sex_chromosomes(whole, tmp_path, contig, stratum, what):
    root = rf.copy(whole["open"], tmp_path)

    def change(rows):
        row = next(r for r in rows if r["stratum"] == stratum and (r["ac"] > 4 or (stratum, contig) == ("F", "chrY")))
        if what.endswith("diploid"):
            row |= {"ac_hemi": row["ac_hemi"] + row["ac_het"], "ac_het": 0}
        elif what.endswith("haploid"):
            row |= {"ac_het": row["ac_het"] + row["ac_hemi"], "ac_hemi": 0}
        else:
            row |= {"an": 4, "af": 0.0}
        return rows

    name = f"frequencies/{contig}.parquet"
    rf.edit_parquet(root / name, change)
    assert named(found(root, TABLES)["rows"], f"{name}: {contig}:", what)


def test_columns_of_the_tables(root):
    table = pq.read_table(root / LONG)
    meta = {k.decode(): v.decode() for k, v in pq.read_schema(root / LONG).metadata.items()}

    def write(changed, more=None):
        with pq.ParquetWriter(root / LONG, changed.schema.remove_metadata(), store_schema=False) as file:
            file.add_key_value_metadata({**meta, **(more or {})})
            file.write_table(changed)

    def spoiled(key, value):
        return {"goe": json.dumps({**json.loads(meta["goe"]), key: value})}

    at = table.schema.get_field_index("an")
    for change, what in (
        ((table.drop_columns("an"),), "column an is missing"),
        ((table.set_column(at, "an", table["an"].cast(pa.int64())),), "column an is int64"),
        ((table.append_column("note", table["ref"]),), "column note is none of a release"),
        ((table, {"user": "x"}), "metadata 'user' is none of a release"),
        ((table, {"goe": "x"}), "metadata goe are missing or no JSON object"),
        ((table, spoiled("dataset", "GOE-EE-OTHER-1")), "metadata goe: dataset is not that of"),
        ((table, spoiled("strata", [])), "metadata goe: strata is not that of"),
        ((table, spoiled("host", "x")), "metadata goe: key host is none of a release"),
    ):
        write(*change)
        assert named(found(root, ["tables"])["tables"], LONG, what), what


# ---- headers


def header(old, new):
    return lambda lines: [re.sub(old, new, line) if line.startswith("#") else line for line in lines]


def also(line):
    return lambda lines: [lines[0], line, *lines[1:]]


def columns_of_people(lines):
    return [
        line if line.startswith("##") else line + ("\tFORMAT\t" + PERSON if line.startswith("#") else "\tGT\t0/1")
        for line in lines
    ]


def with_rs_number(lines):
    at = next(i for i, line in enumerate(lines) if line[0] != "#")
    cells = lines[at].split("\t")
    cells[2] = PERSON
    return [*lines[:at], "\t".join(cells), *lines[at + 1 :]]


HEADERS = [
    (header("VCFv4.3", "VCFv4.2"), "is not ##fileformat=VCFv4.3"),
    (also("##bcftools_viewCommand=view -S x"), "is none that a release has"),
    (also("##fileDate=20260301"), "is none that a release has"),
    (also('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">'), "describes genotypes"),
    (header("length=1000", "length=1001"), "contig chr20: length is 1001"),
    (header("md5=[0-9a-f]", "md5=g"), "is no contig with length, assembly and md5"),
    (header("##reference=GRCh38", "##reference=GRCh37"), "has no line ##reference=GRCh38"),
    (lambda lines: [x for x in lines if not x.startswith("##contig=<ID=chrX")], "contig chrX is missing"),
    (lambda lines: [x for x in lines if not x.startswith("##INFO=<ID=AC_EE_M,")], "INFO AC_EE_M is missing"),
    (header("ID=AC_EE_M,Number=A", "ID=AC_EE_M,Number=1"), "INFO AC_EE_M has Number=1"),
    (also('##INFO=<ID=XX,Number=1,Type=Float,Description="x">'), "INFO XX is none of this release"),
    (also('##FILTER=<ID=HighFS,Description="x">'), "FILTER HighFS is declared, and no allele of the file has it"),
    (
        lambda lines: [x for x in lines if not x.startswith("##FILTER=<ID=VQSRTranche")],
        "FILTER VQSRTranche is not declared",
    ),
    (with_rs_number, "has something in its column ID"),
    (columns_of_people, "goes on behind INFO (2 columns): samples"),
]


@pytest.mark.parametrize(("change", "what"), HEADERS, ids=[what[:30] for _, what in HEADERS])
def test_lines_of_a_header(root, change, what):
    rf.edit_vcf(root / ALL_VCF, change)
    texts = found(root, ["headers"])["headers"]
    assert named(texts, ALL_VCF, what), texts
    # The people are not told on.
    assert not named(texts, PERSON)


def test_an_index_of_another_file(root):
    shutil.copy(root / f"{TOTAL_VCF}.tbi", root / f"{ALL_VCF}.tbi")
    texts = found(root, ["headers"])["headers"]
    assert named(texts, f"{ALL_VCF}.tbi: does not lead to chr") or named(texts, f"{ALL_VCF}.tbi: cannot be used")
    lines = gzip.decompress((root / ALL_VCF).read_bytes()).decode().splitlines()
    few = root / "few.vcf.gz"
    with pysam.BGZFile(str(few), "w") as file:
        file.write("".join(f"{x}\n" for x in lines if not x.startswith("chrX\t")).encode())
    pysam.tabix_index(str(few), preset="vcf")
    shutil.move(f"{few}.tbi", root / f"{ALL_VCF}.tbi")
    assert named(found(root, ["headers"])["headers"], f"{ALL_VCF}.tbi: is for the contigs chr20 ->")


def test_fields_that_the_dictionary_lacks(root):
    path = root / "dictionary/fields.tsv"
    text = path.read_text()
    line = next(x for x in text.splitlines() if "\tAC_EE_M_Hom\t" in f"\t{x}\t")
    path.write_text(text.replace(f"{line}\n", ""))
    assert named(found(root, ["dictionary"])["dictionary"], "dictionary/fields.tsv: AC_EE_M_Hom of", "is missing")
    path.write_text(text.replace(line, line.replace("alleles", "people", 1)))
    assert named(found(root, ["dictionary"])["dictionary"], "AC_EE_M_Hom", "is 'people', not 'alleles'")
    path.write_text(text + line.replace("AC_EE_M_Hom", "AC_ZZ") + "\n")
    assert named(found(root, ["dictionary"])["dictionary"], "AC_ZZ of", "is no published field")


# ---- GDI package


def test_the_order_of_the_members(root):
    work = unpacked(root)
    with tarfile.open(root / TAR) as archive:
        names = archive.getnames()
    pack(root, work)
    assert found(root, ["gdi"]) == {}
    pack(root, work, order=[*names[1:], names[0]])
    assert named(found(root, ["gdi"])["gdi"], TAR, "members are not in the order of the format")
    pack(root, work, mtime=1)
    assert named(found(root, ["gdi"])["gdi"], f"{TAR}/manifest.json", "has a mode, owner or time in its TAR header")
    pack(root, work, order=[*names, names[-1]])
    assert named(found(root, ["gdi"])["gdi"], f"{TAR}/{names[-1]}", "is there twice")
    (work / "../evil.txt").write_text("x")
    pack(root, work, order=[*names, "../evil.txt"])
    assert named(found(root, ["gdi"])["gdi"], f"{TAR}/../evil.txt", "is outside the folder")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda c: c["metadata"].update(datasetId="GOE-EE-OTHER-20260301093000000"), "is not named by its dataset id"),
        (lambda c: c["metadata"].update(numberOfUniqueIndividuals=7), "metadata.numberOfUniqueIndividuals is 7"),
        (lambda c: c["config"]["assembly"].update(reference="GRCh37"), "config.assembly.reference is GRCh37"),
        (lambda c: c["metadata"].update(numberOfRecords=7), "metadata.numberOfRecords is 7"),
        (lambda c: c.pop("config"), "'config' is a required property"),
    ],
)
def test_what_the_package_says_of_itself(root, change, what):
    work = unpacked(root)
    package.sign(work, change)
    pack(root, work)
    assert named(found(root, ["gdi"])["gdi"], TAR, what)


# ---- disclosure control that fails, in releases that agree with themselves in everything


def leaking(monkeypatch, choose, tmp_path, rule=rf.MINIMAL):
    """A release in which one allele of chr20 shows more than it may: `choose(shown, carriers, strata, outcome)` gives
    (allele, strata to show as well) or None. Returns the release and the allele."""
    real, leaks = control.apply, []

    def apply(people, plan, policy, *span):
        decision = real(people, plan, policy, *span)
        numbers = st.numbers(st.expand(people, plan.leaves, plan.strata))
        carriers = numbers.nhomalt + numbers.ac_het + numbers.ac_hemi
        for i in range(people.shape[-1]):
            if leaks:
                break
            shown = dict(zip(plan.strata, decision.shown[:, i], strict=True))
            people_of = dict(zip(plan.strata, map(int, carriers[:, i]), strict=True))
            more = choose(shown, people_of, int(decision.outcome[i]))
            if more:
                leaks.append((more, i))
                for stratum in more:
                    decision.shown[plan.strata.index(stratum), i] = True
                outcome = outcomes.FULL if decision.shown[:, i].all() else outcomes.REDUCED
                decision.outcome[i] = outcome
                decision = replace(decision)
        return decision

    with monkeypatch.context() as patch:
        patch.setattr(frequency_table.control, "apply", apply)
        root = rf.make(tmp_path / "leak", rule=rule, contigs={"chr20": 1500})
    assert leaks
    return root, leaks[0][0]


def small(n):
    return 0 < n < 5


def a_small_cell(shown, carriers, outcome):
    """A withheld cell of 1 to 4 carriers."""
    return next(([s] for s in shown if shown["Total"] and not shown[s] and small(carriers[s])), None)


def a_cell_that_tells_another(shown, carriers, outcome):
    """Of two withheld cells of a known sum, the one that is large: the other follows."""
    women = [s for s in shown if s.endswith("_F")]
    hidden = [s for s in women if not shown[s]]
    if len(hidden) == 2 and shown["F"] and all(shown[s] or s in hidden for s in women):
        for one, other in (hidden, hidden[::-1]):
            if small(carriers[other]) and not small(carriers[one]):
                return [one]
    return None


def a_small_total(shown, carriers, outcome):
    """An allele that 1 to 4 people carry."""
    return ["Total"] if small(carriers["Total"]) else None


def an_allele_of_nobody(shown, carriers, outcome):
    return list(shown) if carriers["Total"] == 0 else None


@pytest.mark.parametrize(
    ("choose", "rule", "what"),
    [
        (a_small_cell, rf.MINIMAL, "possible, the rule asks for 5 numbers or none"),
        (a_cell_that_tells_another, rf.MINIMAL, "possible, the rule asks for 5 numbers or none"),
        (a_small_total, rf.MINIMAL, "possible, the rule asks for 5 numbers or none"),
        (a_small_cell, {"min_carriers": 5, "policy": "collapse"}, "possible, the rule asks for 5 numbers or none"),
        (a_small_total, {"min_carriers": 5, "policy": "collapse"}, "possible, the rule asks for 5 numbers or none"),
        (an_allele_of_nobody, rf.MINIMAL, "is given, and nobody who counts carries it"),
    ],
)
def test_the_audit_finds_what_can_be_derived(monkeypatch, tmp_path, choose, rule, what):
    """All formats agree, every number is right, every count of the descriptions too: only the audit can tell."""
    root, _ = leaking(monkeypatch, choose, tmp_path, rule)
    results = found(root)
    assert set(results) == {"disclosure"}
    assert all(text.startswith("chr20:") for text in results["disclosure"])
    assert len({text.split(" ")[0] for text in results["disclosure"]}) == 1
    assert named(results["disclosure"], what)


def test_the_audit_does_not_say_who_is_who(monkeypatch, tmp_path, capsys):
    root, (stratum,) = leaking(monkeypatch, a_small_cell, tmp_path)
    assert cli.main(["check", str(root), "--quiet"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("FAILED          Disclosure audit") and stratum in said
    assert said.splitlines()[-1].endswith("1 of 27 checks failed")


def test_statistics_of_a_withheld_stratum(monkeypatch, tmp_path):
    """The Hardy-Weinberg test is one of the countries: where one is withheld it may tell of it."""
    real = control.open_statistics

    def every(*args):
        return {name: np.ones_like(told) for name, told in real(*args).items()}

    with monkeypatch.context() as patch:
        patch.setattr(frequency_table.control, "open_statistics", every)
        root = rf.make(tmp_path / "leak", contigs={"chr20": 1500})
    results = found(root)
    assert set(results) == {"disclosure"}
    assert named(results["disclosure"], f"{WIDE}: chr20:", "is given though a country it follows from is withheld")


@pytest.fixture(scope="module")
def other_statistics(tmp_path_factory):
    """A release, open or not, whose statistics are others at one allele each, alike in every format."""

    def make(contig, rule):
        real, changed = rf.site_filters.annotate, {}

        def annotate(*args, **options):
            table = real(*args, **options)
            names = ("call_rate", "hwe_p", "inbreeding_coeff", "faf95", "faf99")
            there = [
                i for i in range(table.num_rows) if table["faf95"][i].as_py() and table["call_rate"][i].as_py() < 1
            ]
            for name, step in zip(names, (17, 29, 41, 53, 65), strict=True):
                rows = [i for i in there[step:] if table[name][i].as_py() is not None]
                values = table[name].to_pylist()
                for row in rows[:12]:
                    # As little as shows in single precision.
                    values[row] *= 1 + 1e-5
                column = table.schema.get_field_index(name)
                table = table.set_column(column, table.schema.field(column), pa.array(values, pa.float64()))
                changed[name] = {table["pos"][row].as_py() for row in rows[:12]}
            return table

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rf.site_filters, "annotate", annotate)
            return rf.make(tmp_path_factory.mktemp("other"), rule=rule, gdi=False, contigs={contig: 1500}), changed

    return make


@pytest.mark.parametrize(("contig", "rule"), [("chr20", rf.OPEN), ("chrX", rf.OPEN), ("chr20", rf.MINIMAL)])
def test_statistics_that_do_not_follow_from_the_counts(other_statistics, contig, rule):
    root, changed = other_statistics(contig, rule)
    results = found(root)
    assert set(results) == {"wide"}
    for name, positions in changed.items():
        told = [text for text in results["wide"] if f" {name} does not follow from" in text]
        said = {int(text.split(f"{contig}:")[1].split(":")[0]) for text in told if "more: " not in text}
        assert said and said <= positions, name


# ---- ids of people


def in_text(root, name):
    (root / "README.md").write_text((root / "README.md").read_text() + f"Thanks to {name}.\n")
    return "README.md: "


def in_json(root, name):
    rf.edit_json(root / "qc/summary.json", lambda c: c["genotype_filter"].append(f"without {name}"))
    return "qc/summary.json: "


def in_compressed(root, name):
    rf.edit_vcf(root / STRATUM_VCF, header("##source=goe [^ ]*", f"##source=goe 1{name}"))
    return f"{STRATUM_VCF} (decompressed): "


def in_lines(root, name):
    rf.edit_lines(root / LINES, lambda lines: [*lines, json.dumps({"who": name})])
    return f"{LINES} (decompressed): "


def in_file_name(root, name):
    (root / f"sites/{name}.g.vcf").write_text("x")
    return f"name of sites/{name}.g.vcf: "


def in_folder_name(root, name):
    (root / name).mkdir()
    return f"name of {name}: "


def in_parquet_metadata(root, name):
    table = pq.read_table(root / WIDE)
    pq.write_table(table.replace_schema_metadata({"made_by": name}), root / WIDE)
    return f"{WIDE}: "


def in_parquet_column(root, name):
    table = pq.read_table(root / LONG)
    at = table.schema.get_field_index("filter")
    values = [name, *table["filter"].to_pylist()[1:]]
    pq.write_table(table.set_column(at, "filter", pa.array(values)), root / LONG, compression="zstd")
    return f"{LONG}: "


def in_member(root, name):
    def change(folder):
        path = next((folder / "headers").iterdir())
        path.write_text(f"##who={name}\n{path.read_text()}")

    edit_tar(root, change)
    return f"{TAR}/headers/"


def in_gzip_header(root, name):
    path = root / LINES
    content = gzip.decompress(path.read_bytes())
    with path.open("wb") as out, gzip.GzipFile(f"{name}.jsonl", "wb", fileobj=out, mtime=0) as file:
        file.write(content)
    return f"{LINES}: "


def in_lookup(root, name):
    """In a packed chunk of the page."""
    import base64
    import zlib

    chunk = base64.b64encode(zlib.compress(b"\0" * 90 + name.encode() + bytes(range(90)))).decode()
    path = root / "report.html"
    path.write_text(path.read_text() + f"<!-- {chunk} -->")
    return "report.html look-up table: "


def in_manifest(root, name):
    path = root / manifest.NAME
    path.write_text(path.read_text() + f"# {name}\n")
    return f"{manifest.NAME}: "


PLACES = [
    in_text,
    in_json,
    in_compressed,
    in_lines,
    in_file_name,
    in_folder_name,
    in_parquet_metadata,
    in_parquet_column,
    in_member,
    in_gzip_header,
    in_lookup,
    in_manifest,
]


@pytest.mark.parametrize("put", PLACES, ids=[put.__name__ for put in PLACES])
def test_an_id_that_leaked(root, ids, put):
    """The place is told and the line of the list, and the id only where it is in the name of the file."""
    place = put(root, PERSON)
    texts = found(root, ["ids"], ids)["ids"]
    assert named(texts, place, f"holds 1 of the ids of {ids}: line 3 ->"), texts
    assert "name" in put.__name__ or not named(texts, PERSON)


def test_a_run_does_not_finish_a_release_with_an_id(whole, tmp_path):
    """The last script of a run, with a FILTER that is named after somebody, and without."""
    root = rf.copy(whole["open"], tmp_path)
    files = manifest.files(root)
    written = tmp_path / "report.json"
    written.write_text("[]")
    people = tmp_path / "people.tsv"
    people.write_text(f"sample_id\tsex\nTotal\tF\nVKG7\tF\n{PERSON}\tM\n")

    def finish():
        (root / manifest.NAME).unlink()
        given, made = {"beside": [written], "people": people}, {"manifest": root / manifest.NAME}
        return stages.forked(tmp_path, "release_manifest.py", input=given, output=made, params={"files": files})

    done = finish()
    assert done.status == 0 and manifest.verify(root) == [], done.output
    rf.edit_vcf(root / ALL_VCF, header("##source=goe", '##FILTER=<ID=VKG7_low,Description="x">\n##source=goe'))
    done = finish()
    assert done.status == 1 and not (root / manifest.NAME).exists()
    assert "holds 1 of the ids of" in done.output and "line 3" in done.output and "VKG7" not in done.output


def test_the_command_looks_for_ids(root, ids, capsys):
    in_text(root, PERSON)
    rf.remake(root)
    assert cli.main(["check", str(root), "--ids", str(ids), "--quiet"]) == 1
    # The line is none of the text that goe writes, either.
    *texts, first, second, last = capsys.readouterr().out.splitlines()
    assert texts[0].startswith("FAILED          Texts and workflow") and len(texts) == 2
    assert first == "FAILED          Ids of people: 1 problem" and last == "2 problems; 2 of 27 checks failed"
    assert second.split(" -> ")[0].strip() == f"README.md: holds 1 of the ids of {ids}: line 3"


def test_a_short_id_is_searched_where_it_cannot_be_chance(root, ids):
    in_text(root, "Q7xK")
    in_compressed(root, "Q7xK")
    texts = found(root, ["ids"], ids)["ids"]
    assert [text.partition(": holds")[0] for text in texts] == ["README.md", f"{STRATUM_VCF} (decompressed)"]
    assert all("line 4" in text for text in texts)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("made by anna@node17 in /scratch/anna/run3", "an absolute path"),
        ("made by anna@node17 in /scratch/anna/run3", "user@host"),
        ("2026-03-01 09:30:12", "a point in time"),
    ],
)
@pytest.mark.parametrize("name", ["README.md", STRATUM_VCF, LONG, TAR])
def test_paths_places_and_times(root, name, line, what):
    path = root / name
    if name == "README.md":
        path.write_text(path.read_text() + line)
    elif name == STRATUM_VCF:
        rf.edit_vcf(path, also(f"##note={line}"))
    elif name == LONG:
        pq.write_table(pq.read_table(path).replace_schema_metadata({"note": line}), path)
    else:

        def change(folder):
            header = next((folder / "headers").iterdir())
            header.write_text(f"##note={line}\n{header.read_text()}")

        edit_tar(root, change)
    assert named(found(root, ["private"])["private"], name, f"holds {what}")


# ---- descriptions and texts


def put(*steps):
    """A change of a JSON file: what stands at the steps is set to the last of them."""

    def change(content):
        *path, key, value = steps
        for step in path:
            content = content[step]
        content[key] = value

    return change


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("metadata/dataset.json", ("note",)),
        ("metadata/dataset.json", ("contact", "note")),
        ("metadata/dataset.json", ("contigs", 0, "note")),
        ("qc/summary.json", ("note",)),
        ("qc/summary.json", ("people", "note")),
        ("qc/summary.json", ("alleles_by_class", "SNV", "note")),
        ("qc/summary.json", ("alleles_by_rule", "HWE", "note")),
        ("qc/summary.json", ("sample_qc", "note")),
        ("ledger.json", ("note",)),
        ("ledger.json", ("steps", 0, "note")),
        ("provenance/config.json", ("samples",)),
        ("provenance/config.json", ("dataset", "note")),
        ("provenance/config.json", ("sample_qc", "note")),
        ("disclosure/disclosure.json", ("note",)),
        ("disclosure/disclosure.json", ("membership_inference", "note")),
        ("disclosure/disclosure.json", ("membership_inference", "strata", 0, "note")),
    ],
)
def test_a_key_that_no_release_has(root, name, steps):
    rf.edit_json(root / name, put(*steps, "1 carrier"))
    assert named(found(root, ["descriptions"])["descriptions"], name, f"'{steps[-1]}' was unexpected")


@pytest.mark.parametrize(
    ("name", "steps", "what"),
    [
        ("qc/summary.json", ("people", "left_out_by_reason", "Jaan_Tamm", 5), "'Jaan_Tamm' is no reason of goe"),
        ("disclosure/disclosure.json", ("alleles_withheld_by_reason", "Jaan", 5), "'Jaan' is no reason of goe"),
        ("qc/summary.json", ("sample_qc", "thresholds", 0, "metric", "Jaan"), "'Jaan' is no metric of goe"),
        ("qc/summary.json", ("sample_qc", "thresholds", 0, "warn", "1 carrier"), "'1 carrier' is no threshold"),
        ("qc/summary.json", ("sample_qc", "parameters", "Jaan", 1), "'Jaan' is no parameter of goe"),
        ("provenance/config.json", ("sample_qc", "thresholds", {"Jaan": 1}), "'Jaan' is no parameter of goe"),
    ],
)
def test_a_name_that_no_release_has(root, name, steps, what):
    rf.edit_json(root / name, put(*steps))
    assert named(found(root, ["descriptions"])["descriptions"], name, what)


@pytest.mark.parametrize("name", ["metadata/dataset.json", "qc/summary.json", "ledger.json", "provenance/config.json"])
def test_a_key_that_stands_twice(root, name):
    """Readers take the second, and nobody sees the first."""
    key = next(iter(json.loads((root / name).read_text())))
    edit(root / name, swapped("{", f'{{"{key}": "Jaan Tamm", '))
    rf.remake(root)
    assert named(found(root, ["descriptions"])["descriptions"], f"{name} line 1", "is not what goe writes")


# ---- the GDI package as a file


def behind(data):
    return data + b"/home/jaan/EE00012 carries it".ljust(512, b"\0")


def within_the_end(data):
    return data[:-600] + b"EE00012" + data[-593:]


def link_name(data):
    """In the header of the first member, with its checksum made anew."""
    block = bytearray(data[:512])
    block[200:204] = b"Jaan"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + data[512:]


def padding(data):
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        entry = next(e for e in archive if e.size % 512)
    at = entry.offset_data + entry.size
    return data[:at] + b"J" + data[at + 1 :]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (behind, "has bytes behind its last member"),
        (within_the_end, "has bytes behind its last member"),
        (lambda data: data + bytes(512), "tar would end it at"),
        (lambda data: data[:-1], "tar would end it at"),
        (link_name, f"{gdi_format.MANIFEST}: has something in or before its TAR header"),
        (padding, "behind its content, that is no part of it"),
    ],
)
def test_a_package_with_bytes_of_no_member(root, change, what):
    path = root / TAR
    path.write_bytes(change(path.read_bytes()))
    rf.remake(root)
    assert named(found(root, [*TABLES, "gdi"])["gdi"], TAR, what)


# ---- what can be written again


def added(text):
    return lambda content: f"{content}\n{text}\n"


def swapped(before, after):
    def change(content):
        assert before in content
        return content.replace(before, after, 1)

    return change


def edit(path, change):
    path.write_text(change(path.read_text()))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("README.md", swapped("Left out: about 15", "Left out: about 13")),
        ("README.md", added("LV has 1 carrier of chr20:55:A:T")),
        ("CHANGELOG.md", added("LV has 1 carrier")),
        ("LICENSE", added("1 carrier")),
        ("provenance/workflow/rules/call.smk", added("# 1 carrier in LV of chr20:55")),
        ("provenance/Snakefile", added("# 1 carrier in LV of chr20:55")),
    ],
)
def test_a_text_that_says_more_than_the_release(root, name, change):
    edit(root / name, change)
    rf.remake(root)
    (text,) = found(root, ["texts"])["texts"]
    assert text.startswith(f"{name} line ")


@pytest.mark.parametrize(
    ("name", "key", "change"),
    [
        ("qc/summary.json", "genotype_filter", lambda lines: [*lines, "DP is absent from the data of Jaan"]),
        ("qc/summary.json", "variant_qc", lambda lines: [*lines, "HWE: Jaan Tamm"]),
        ("qc/summary.json", "variant_qc", lambda lines: lines[1:]),
        ("disclosure/disclosure.json", "not_covered", lambda lines: [*lines, "1 carrier in LV"]),
    ],
)
def test_words_that_do_not_follow_from_the_settings(root, name, key, change):
    rf.edit_json(root / name, lambda said: said.update({key: change(said[key])}))
    rf.remake(root)
    assert named(found(root, ["texts"])["texts"], name, f"{key} ")


def test_a_rule_that_the_workflow_does_not_have(root):
    (root / "provenance/workflow/rules/extra.smk").write_text("# 1 carrier in LV of chr20:55\n")
    rf.remake(root)
    (text,) = found(root, ["files"])["files"]
    assert text.startswith("provenance/workflow/rules/extra.smk: is not included by provenance/Snakefile")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "change",
    [
        swapped("</main>", "<p>Withheld allele chr20:55:A:T, 1 carrier in LV</p></main>"),
        swapped('"example":[', '"example":[7,"A","T"],"was":['),
        swapped("</html>", "</html><!-- Jaan Tamm -->"),
        added(""),
    ],
)
def test_a_page_that_says_more_than_the_release(whole, tmp_path, kind, change):
    root = rf.copy(whole[kind], tmp_path)
    edit(root / "report.html", change)
    rf.remake(root, rf.config(KINDS[kind].get("rule", rf.MINIMAL), KINDS[kind].get("gdi", True)))
    assert named(found(root)["page"], "report.html line ", "is not what the release gives")


@pytest.mark.parametrize(
    ("steps", "what"),
    [
        (("strata", 0, "power"), "strata[0].power"),
        (("strata", 0, "sites_used"), "strata[0].sites_used"),
        (("strata", 0, "power_with", "ten_times_the_people"), "strata[0].power_with.ten_times_the_people"),
        (("in_words", 0), "in_words[0]"),
        (("test",), "test"),
    ],
)
def test_a_figure_of_membership_that_the_tables_do_not_give(root, steps, what):
    old = json.loads((root / "disclosure/disclosure.json").read_text())["membership_inference"]
    for step in steps:
        old = old[step]
    new = f"{old} Jaan" if isinstance(old, str) else old + 1 if isinstance(old, int) else 1.0 if old < 0.5 else 0.01
    rf.edit_json(root / "disclosure/disclosure.json", put("membership_inference", *steps, new))
    rf.remake(root)
    assert named(found(root, ["rows", "membership"])["membership"], f"membership_inference.{what} is ")


def _listed(root, change):
    """Change the list of the code, and code_sha256 with it, as another code would have them."""
    path = root / code_digest.RELEASED
    path.write_text("".join(f"{line}\n" for line in change(path.read_text().splitlines())))
    rf.edit_json(root / "metadata/dataset.json", put("code_sha256", manifest.digest(path)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda lines: [*lines, f"{'0' * 64}  Jaan Tamm"], "code.sha256 line"),
        (lambda lines: [*lines, f"{'0' * 64}  scripts/../x"], "code.sha256 line"),
        (
            lambda lines: [f"{'0' * 64}{line[64:]}" if "call.smk" in line else line for line in lines],
            "provenance/workflow/rules/call.smk: is not that of provenance/code.sha256",
        ),
    ],
)
def test_a_list_of_the_code_that_is_none_or_of_another_workflow(root, change, words):
    """Any goe finds this, also one that is not the code that made the release."""
    _listed(root, change)
    rf.remake(root)
    assert named(found(root, ["files"])["files"], words)


def test_a_list_that_is_not_that_of_the_digest(root):
    edit(root / code_digest.RELEASED, lambda text: text.replace("a", "b", 1))
    rf.remake(root)
    assert named(found(root, ["files"])["files"], "its SHA-256 is not code_sha256")


@pytest.mark.parametrize("key", ["code_sha256", "made_with"])
def test_another_code_compares_no_texts_and_says_so(root, key):
    """What follows from tables alone is held all the same."""
    other = {"code_sha256": "0" * 64, "made_with": "goe 99"}[key]
    rf.edit_json(root / "metadata/dataset.json", put(key, other))
    edit(root / "README.md", added("other words"))
    results = {r.part: r for r in check.run(root)}
    for part in ("texts", "page"):
        assert results[part].passed is None and results[part].detail.startswith("not compared: made with goe ")
        assert other[:12] in results[part].detail
    assert results["membership"].passed is True


def repack(root, change):
    """Change the first packed chunk of the page: `change(raw) -> raw`, or the bytes behind the packed ones."""
    path = root / "report.html"
    text = path.read_text()
    facts = json.loads(re.search(r'id="facts">(.*?)</script>', text)[1])
    match = re.search(r'id="chunk-chr20-0">([^<]*)<', text)
    raw = zlib.decompress(base64.b64decode(match[1]))
    new, behind = change(raw)
    packed = base64.b64encode(zlib.compress(new) + behind).decode()
    text = text.replace(match[1], packed)
    old, new = (json.dumps(zlib.adler32(data)) for data in (raw, new))
    assert any(chunk[4] == int(old) for c in facts["contigs"] for chunk in c["chunks"])
    path.write_text(text.replace(old, new))


def head_of(raw, change):
    """A chunk with another head: `change(head)`."""
    size = int.from_bytes(raw[:4], "little")
    head = json.loads(raw[4 : 4 + size])
    change(head)
    text = json.dumps(head, separators=(",", ":")).encode()
    return len(text).to_bytes(4, "little") + text + raw[4 + size :]


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: (raw, b"Jaan"),
        lambda raw: (raw + b"Jaan", b""),
        lambda raw: (head_of(raw, lambda head: head.update(note="Jaan")), b""),
        lambda raw: (head_of(raw, lambda head: head["pairs"].append("Jaan>Tamm")), b""),
        lambda raw: (head_of(raw, lambda head: head["filters"].append("Jaan")), b""),
    ],
)
def test_a_packed_table_that_holds_more_than_its_alleles(root, change):
    repack(root, change)
    rf.remake(root)
    assert named(found(root, ["rows", "look-up"])["look-up"], "report.html", "chunk 0 of chr20 cannot be unpacked")


def test_a_file_of_the_look_up_with_more_than_its_chunks(whole, tmp_path):
    root = rf.copy(whole["collapse"], tmp_path)
    edit(root / "report-data/chr20.000.js", added(""))
    rf.remake(root, rf.config(KINDS["collapse"]["rule"]))
    texts = found(root, ["rows", "look-up"])["look-up"]
    assert named(texts, "report-data/chr20.000.js", "is not the file of the look-up table that it should be")
