"""A GDI package that breaks one rule is found, and the rule and the place are named."""

import json
import os
import tarfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.check import gdi as gdi_check
from goe.release.gdi import format as gdi
from goe.release.gdi import package as gdi_package
from helpers import gdi as make
from helpers.gdi import Allele

PEOPLE = {leaf: (50, 0, 10, 5, 0) for leaf in make.LEAVES}
WRITE = {"write_page_index": True, "store_schema": False}


def sorting(schema):
    return [pq.SortingColumn(schema.names.index(name)) for name in gdi.SORTED_BY if name in schema.names]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    alleles = [Allele(p, "A", "C", PEOPLE) for p in (5, 9, 10_000_001)] + [Allele(10_000_050, "A", "AGG", PEOPLE)]
    return make.package(tmp_path_factory.mktemp("whole"), {"chr1": alleles})


@pytest.fixture
def package(whole, tmp_path):
    return make.copy(whole, tmp_path)


def first(package):
    return sorted(package.glob("*.parquet"))[0]


def rewrite(path, change, **options):
    """Change the rows (a list of dicts) of a data file and write it again."""
    rows = pq.read_table(path).to_pylist()
    rows = change(rows) or rows
    table = pa.Table.from_pylist(rows, schema=gdi.SCHEMA)
    pq.write_table(table, path, **{**WRITE, "sorting_columns": sorting(gdi.SCHEMA), **options})


def found(package):
    return [str(p) for p in gdi_check.check(package)]


def test_the_package_that_is_broken_below_is_whole(package):
    assert found(package) == []
    rewrite(first(package), lambda rows: None)
    make.sign(package)
    assert found(package) == []


def at(row, **values):
    """A change of one row."""

    def change(rows):
        rows[row].update(values)

    return change


def swap(rows):
    rows[0], rows[1] = rows[1], rows[0]


def double(rows):
    return [rows[0], *rows]


def both(name, value):
    """Change a column of the first allele, which has nine rows."""

    def change(rows):
        for row in rows[:9]:
            row[name] = value

    return change


def child_above(name, value):
    """EE of the first allele above Total."""

    def change(rows):
        row = next(r for r in rows if r["POPULATION"] == "EE")
        if name == "AN":
            row.update(AN=value, AF=row["AC"] / value)
        else:
            row.update(AC=value, AC_HET=value - row["AC_HOM"], AF=value / row["AN"])

    return change


def partition(rows):
    """EE and LV make Total in AN, and have one copy more: so much less is in Total."""
    row = next(r for r in rows if r["POPULATION"] == "Total")
    row.update(AC=row["AC"] - 1, AC_HET=row["AC_HET"] - 1, AF=(row["AC"] - 1) / row["AN"])


ROWS = [
    (swap, "is out of order or there twice"),
    (double, "is out of order or there twice"),
    (at(0, POS=10_000_000), "is out of order or there twice"),
    (both("POS", -1), "POS is below 0"),
    (at(-1, POS=10_000_000), "is outside the block of the file's name"),
    (both("REF", "R"), "REF has letters other than"),
    (both("ALT", "c"), "ALT has letters other than"),
    (both("ALT", "C" * 10_001), "ALT is longer than 10000 bases"),
    (both("ALT", "A"), "is no change"),
    (both("VT", "INS"), "VT is not the type of the allele"),
    (both("VT", "SV"), "VT is not the type of the allele"),
    (at(0, POPULATION="EE_U"), "is no population"),
    (at(0, POPULATION="A" * 17), "is no population"),
    (at(0, AC=None), "AC is missing"),
    (at(0, AN=None), "AN is missing"),
    (at(0, AC=-1), "AC is below 0"),
    (at(0, AC_HEMI=1), "AC_HOM + AC_HET + AC_HEMI is not AC"),
    (at(0, AC_HOM=29, AC_HET=31), "AC_HOM is odd"),
    (at(0, AN=50), "AC is above AN"),
    (at(0, AN=0), "AN is 0"),
    (at(0, AF=0.2001), "AF is not AC / AN"),
    (at(0, AF=float("nan")), "AF is not AC / AN"),
    (at(0, AF=round(7 / 30, 4), AC=70, AC_HET=40), "AF is not AC / AN"),
    (at(0, AC=4, AC_HET=4, AC_HOM=0, AF=4 / 300), "is below the floor of 5 alleles"),
    (at(0, AC=296, AC_HET=266, AF=296 / 300), "is below the floor of 5 alleles"),
    (child_above("AN", 501), "AN of EE is above that of Total"),
    (child_above("AC", 101), "AC of EE is above that of Total"),
    (partition, "make Total, but their AC is above its"),
]


@pytest.mark.parametrize(("change", "what"), ROWS)
def test_each_rule_of_the_rows(package, change, what):
    path = first(package)
    rewrite(path, change)
    make.sign(package)
    texts = [t for t in found(package) if path.name in t]
    assert any(what in text for text in texts), texts


def no_column(path):
    table = pq.read_table(path).drop_columns("VT")
    pq.write_table(table, path, **WRITE, sorting_columns=sorting(table.schema))


def wider(path):
    table = pq.read_table(path)
    schema = table.schema.set(6, pa.field("AC", pa.int64()))
    pq.write_table(table.cast(schema), path, **WRITE, sorting_columns=sorting(schema))


def nullable(path):
    table = pq.read_table(path)
    schema = table.schema.set(0, pa.field("POS", pa.int32()))
    pq.write_table(table.cast(schema), path, **WRITE, sorting_columns=sorting(schema))


def more_of_itself(path):
    table = pq.read_table(path)
    with pq.ParquetWriter(path, table.schema, **WRITE, sorting_columns=sorting(table.schema)) as file:
        file.add_key_value_metadata({"note": "x"})
        file.write_table(table)


FILES = [
    (more_of_itself, "says more of itself than that Arrow made it"),
    (no_column, "the eleven columns"),
    (wider, "the eleven columns"),
    (nullable, "the eleven columns"),
    (lambda p: rewrite(p, lambda rows: None, write_page_index=False), "has no index of its pages"),
    (lambda p: rewrite(p, lambda rows: None, write_statistics=False), "has no statistics of POS"),
    (lambda p: rewrite(p, lambda rows: None, sorting_columns=None), "does not say that it is sorted"),
    (lambda p: p.write_bytes(p.read_bytes()[:-100]), "cannot be read as Parquet"),
    (lambda p: p.write_bytes(b""), "cannot be read as Parquet"),
]


@pytest.mark.parametrize(("change", "what"), FILES)
def test_each_rule_of_the_files(package, change, what):
    path = first(package)
    change(path)
    make.sign(package)
    assert any(path.name in text and what in text for text in found(package))


def test_a_file_without_rows_is_found(package):
    path = first(package)
    pq.write_table(gdi.SCHEMA.empty_table(), path, **WRITE)
    make.sign(package)
    assert any(path.name in text and "has no rows" in text for text in found(package))


def test_false_statistics_of_positions_are_found(package):
    path = first(package)
    data = path.read_bytes()
    # Four bytes of a statistic behind their length, in the footer: the smallest POS of the file is 4.
    low, other = (b"\x18\x04" + value.to_bytes(4, "little") for value in (4, 6))
    end = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    assert low in data[end:]
    path.write_bytes(data[:end] + data[end:].replace(low, other))
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).statistics.min == 6
    make.sign(package)
    assert any("the statistics of POS do not hold its rows" in text for text in found(package))


@pytest.mark.parametrize(
    ("limit", "value", "what"),
    [
        ("MAX_FILE", 100, "a node takes 100"),
        ("MAX_UNPACKED", 100, "unpacked, a node takes 100"),
        ("MAX_ROW_GROUP", 100, "row group 0 has"),
        ("MAX_POPULATIONS", 3, "9 populations: 3 are allowed"),
        ("MAX_MANIFEST", 100, "a node reads 100"),
        ("MAX_AT_ONE_POS", 10, "at a position with more bytes"),
    ],
)
def test_sizes_that_a_node_does_not_take(package, monkeypatch, limit, value, what):
    monkeypatch.setattr(gdi, limit, value)
    assert any(what in text for text in found(package))


def set_in(*path, value):
    def change(content):
        part = content
        for key in path[:-1]:
            part = part[key]
        part[path[-1]] = value

    return change


def drop(*path):
    def change(content):
        part = content
        for key in path[:-1]:
            part = part[key]
        del part[path[-1]]

    return change


VCF = ("files", 0, "files", 0)
MANIFESTS = [
    (drop("metadata", "license"), "'license' is a required property"),
    (drop("metadata", "numberOfRecords"), "metadata.numberOfRecords is missing"),
    (set_in("metadata", "numberOfRecords", value=5), "metadata.numberOfRecords is 5, the data files have 4"),
    (set_in("metadata", "populations", value=["Total"]), "metadata.populations is ['Total']"),
    (set_in("metadata", "datasetId", value="GOE-EE-X-20260102030405678"), "is not named by its dataset id"),
    (set_in("metadata", "license", value="CC-BY"), "metadata.license"),
    (set_in("metadata", "healthCategory", value=["x"]), "metadata.healthCategory"),
    (set_in("config", "minAlleleCnt", value=5), "minAlleleCnt"),
    (set_in("config", "manifestVersion", value=2), "2 is greater than the maximum of 1"),
    (set_in("config", "mode", value="individual"), "config.mode is not aggregated"),
    (set_in("config", "blockRange", value=5), "is not named for the block range 5"),
    (set_in("config", "minAlleleCount", value=40), "is below the floor of 40 alleles"),
    (set_in("config", "assembly", "reference", value="hg38"), "config.assembly.reference"),
    (drop("internal", "headerPolicy"), "internal.headerPolicy"),
    (drop("payload"), "payload is missing"),
    (set_in("payload", "algorithm", value="md5"), "'md5' is not one of"),
    (set_in(*VCF, "sha256", value="0" * 64), "is named for a VCF that the manifest does not list"),
    (set_in(*VCF, "conversion", value=None), "files names not one VCF with its conversion"),
    (set_in(*VCF, "conversion", "input", "records", value=9), "record identity"),
    (set_in(*VCF, "conversion", "input", "nonPassRecords", value=1), "did not PASS"),
    (set_in(*VCF, "conversion", "input", "populationsRecognized", value=["M"]), "populationsRecognized lacks EE, "),
    (set_in(*VCF, "conversion", "output", "rows", value=9), "conversion.output.rows is 9"),
    (set_in(*VCF, "conversion", "output", "records", value=9), "conversion.output.records is 9"),
    (set_in(*VCF, "conversion", "output", "populations", value=[]), "conversion.output.populations is []"),
]


@pytest.mark.parametrize(("change", "what"), MANIFESTS)
def test_each_rule_of_the_manifest(package, change, what):
    make.sign(package, change)
    texts = found(package)
    assert any(what in text for text in texts), texts


def test_files_that_differ_from_the_manifest(package):
    header = next((package / "headers").iterdir())
    header.write_text(header.read_text() + "\n")
    assert any(header.name in text and "differs from the digest" in text for text in found(package))
    name = first(package).name
    first(package).unlink()
    assert any(name in text and "declared in the manifest but not there" in text for text in found(package))


@pytest.mark.parametrize("name", ["notes.txt", "samples.parquet", "headers/notes.txt", "more/x.parquet"])
def test_files_that_do_not_belong(package, name):
    (package / name).parent.mkdir(exist_ok=True)
    (package / name).write_text("x")
    assert any(name in text and "is no file of a GDI package" in text for text in found(package))


def test_links_are_found(package):
    path = first(package)
    os.link(path, package.parent / "second")
    assert any("hard link" in text for text in found(package))
    path.unlink()
    path.symlink_to(package.parent / "second")
    assert any("is a link" in text for text in found(package))


def test_a_second_file_of_a_block(package):
    path = first(package)
    path.with_name(
        path.name.replace(".br10000000.", ".br10000000.").replace(path.name.split(".")[4], "0" * 16)
    ).write_bytes(path.read_bytes())
    make.sign(package)
    assert any("is not the only file of its block" in text for text in found(package))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            lambda text: text.replace("##reference", "##bcftools_viewCommand=view -s P\n##reference"),
            "no structural line",
        ),
        (lambda text: text.replace("\tINFO\n", "\tINFO\tFORMAT\tPERSON\n"), "no structural line"),
        (lambda text: text + "chr1\t1\t.\tA\tC\t.\tPASS\t.\n", "is no header of a VCF"),
        (lambda text: "", "is no header of a VCF"),
    ],
)
def test_headers_hold_structure_only(package, change, what):
    header = next((package / "headers").iterdir())
    header.write_text(change(header.read_text()))
    make.sign(package)
    assert any(header.name in text and what in text for text in found(package))


def test_a_missing_header(package):
    next((package / "headers").iterdir()).unlink()
    make.sign(package)
    assert any("headers/" in text and "is missing" in text for text in found(package))


def test_a_manifest_that_cannot_be_read(package):
    (package / gdi.MANIFEST).write_text("{")
    assert any("is no JSON" in text for text in found(package))
    (package / gdi.MANIFEST).unlink()
    assert any("is not there" in text for text in found(package))


def repack(package, target, names=None, **header):
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as archive:
        for name in names or gdi_package.members(package):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = (package / name).stat().st_size, 0o644
            for key, value in header.items():
                setattr(entry, key, value)
            with (package / name).open("rb") as handle:
                archive.addfile(entry, handle)
    return target


@pytest.mark.parametrize(
    "header", [{"mode": 0o600}, {"uid": 5}, {"gid": 5}, {"uname": "me"}, {"gname": "us"}, {"mtime": 1_700_000_000}]
)
def test_tar_headers_that_tell_of_a_machine(package, tmp_path, header):
    tar = repack(package, tmp_path / f"{make.ID}.tar", **header)
    texts = found(tar)
    assert len(texts) == len(gdi_package.members(package))
    assert all("mode, owner or time" in text for text in texts)


def test_order_and_repetition_in_the_tar(package, tmp_path):
    names = gdi_package.members(package)
    tar = tmp_path / f"{make.ID}.tar"
    assert found(repack(package, tar)) == []
    for order in ([*names[1:], names[0]], [*names[:2], *names[:1:-1]]):
        assert any("not in the order" in text for text in found(repack(package, tar, order)))
    assert any("is there twice" in text for text in found(repack(package, tar, [*names, names[-1]])))
    assert any("is not there" in text for text in found(repack(package, tar, names[1:])))
    wrong = tmp_path / "package.tar"
    assert any("is not named by its dataset id" in text for text in found(repack(package, wrong)))


def test_archives_that_are_no_plain_tar(package, tmp_path):
    tar = tmp_path / f"{make.ID}.tar"
    with tarfile.open(tar, "w:gz") as archive:
        archive.add(package / gdi.MANIFEST, gdi.MANIFEST)
    assert any("is no uncompressed TAR" in text for text in found(tar))
    repack(package, tar)
    tar.write_bytes(tar.read_bytes()[:-11_000])
    assert found(tar)
    with tarfile.open(tar, "w") as archive:
        entry = tarfile.TarInfo(gdi.MANIFEST)
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(entry)
    assert any("is no plain file" in text for text in found(tar))
    tar.write_bytes(b"")
    assert any("is no uncompressed TAR" in text for text in found(tar))


def test_many_faults_of_one_kind_are_one_problem(package):
    def change(rows):
        for row in rows:
            row["AF"] = 0.5

    rewrite(first(package), change)
    make.sign(package)
    texts = [text for text in found(package) if "AF is not" in text]
    assert len(texts) == 1 and "and 15 more rows" in texts[0]


def test_no_row_of_a_large_file_is_missed(tmp_path):
    """Faults at the borders of row groups, which the check reads apart."""
    alleles = [Allele(5 + i // 2, "A", "CG"[i % 2], PEOPLE) for i in range(200)]
    package = make.package(tmp_path, {"chr1": alleles})
    path = first(package)
    total = 9 * len(alleles)
    for size in (7, 9, 100):
        rewrite(path, lambda rows: None, row_group_size=size)
        make.sign(package)
        assert found(package) == []
    for row in (0, 8, 9, 99, 100, 899, total - 1):
        rewrite(path, at(row, AF=0.9), row_group_size=100)
        make.sign(package)
        assert sum("AF is not AC / AN" in text for text in found(package)) == 1, row
        rewrite(path, at(row, AF=0.2), row_group_size=100)
    rewrite(path, lambda rows: [*rows[:100], rows[99], *rows[100:]], row_group_size=100)
    make.sign(package)
    assert any("out of order or there twice" in text for text in found(package))


def test_manifest_schema_is_the_one_of_the_format():
    schema = json.loads(gdi_check.SCHEMA.read_text())
    assert schema["$defs"]["ManifestConfig"]["properties"]["manifestVersion"]["maximum"] == gdi.MANIFEST_VERSION
    assert schema["$defs"]["ManifestConfig"]["additionalProperties"] is False
    assert (gdi_check.SCHEMA.parent / "README.md").is_file()
