"""The GDI package: its rows against a plain reading of the sites VCF, its bytes, its manifest, its TAR."""

import gzip
import json
import tarfile
from itertools import pairwise

import numpy as np
import pyarrow.parquet as pq
import pytest
from crypt4gh.keys import c4gh
from goe.check import gdi as gdi_check
from goe.core.errors import GoeError
from goe.hts import crypt4gh
from goe.release.gdi import format as gdi
from goe.release.gdi import package as gdi_package
from goe.release.gdi.metadata import Settings
from helpers import gdi as make
from helpers import page_index
from helpers.gdi import Allele
from helpers.settings import altered
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as some

ALL = (50, 0, 10, 5, 0)


def write(folder, alleles, settings=None, size=100, contig="chr1", length=None):
    settings = settings or Settings("GRCh38", 0)
    with gdi_package.Writer(folder, contig, length or make.LENGTHS[contig], settings) as writer:
        for block in make.blocks(alleles, size, contig):
            writer.write(block)
    return json.loads((folder / "summary.json").read_text())


def rows(folder):
    return [row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


@pytest.fixture(scope="module")
def contigs():
    return {
        "chr1": make.random_alleles(300, seed=1, start=9_999_000),
        "chrX": make.random_alleles(60, seed=2, haploid=True),
        "chrM": [],
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory, contigs):
    """(folder of the work, folder of the package)"""
    folder = tmp_path_factory.mktemp("made")
    return folder, make.package(folder, contigs)


def test_rows_are_those_that_the_formats_tool_makes_of_the_sites_vcf(made):
    folder, root = made
    wanted, counts = make.converted(folder / "sites" / f"{make.ID}.pass.vcf.gz", floor=5)
    assert make.read_rows(root) == wanted
    assert len(wanted) == 3 and counts["below"] and counts["collapsed"] and counts["withheld"] and counts["emitted"]
    conversion = json.loads((root / gdi.MANIFEST).read_text())["files"][0]["files"][0]["conversion"]
    assert conversion["input"]["records"] == counts["records"]
    assert conversion["discarded"]["recordsAllRowsWithheld"] == counts["withheld"]
    assert conversion["discarded"]["recordsNoAf"] == counts["no_af"]
    assert conversion["suppressed"] == {
        "rowsBelowFloor": counts["below"],
        "rowsCollapsedToTotal": counts["collapsed"],
        "variantsCollapsedToTotal": counts["variants"],
    }
    assert conversion["output"]["recordsEmitted"] == counts["emitted"]
    assert conversion["output"]["rows"] == sum(len(part) for part in wanted.values())


@given(seed=some.integers(0, 10_000), floor=some.integers(0, 40), size=some.integers(1, 70))
@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_and_counts_for_any_floor_mask_and_blocks(tmp_path_factory, seed, floor, size):
    folder = tmp_path_factory.mktemp("any")
    alleles = make.random_alleles(60, seed=seed, start=9_999_900, haploid=bool(seed % 2))
    summary = write(folder / "chr1", alleles, Settings("GRCh38", floor), size)
    wanted, counts = make.converted(make.write_vcf(folder / "x" / "x.vcf.gz", {"chr1": alleles}), floor)
    got = {
        ("1", entry["block"]): pq.read_table(folder / "chr1" / entry["file"]).to_pylist() for entry in summary["files"]
    }
    assert got == wanted
    flat = [row for part in wanted.values() for row in part]
    assert summary["input"]["records"] == counts["records"]
    assert summary["discarded"]["recordsAllRowsWithheld"] == counts["withheld"]
    assert summary["discarded"]["recordsNoAf"] == counts["no_af"]
    assert list(summary["suppressed"].values()) == [counts["below"], counts["collapsed"], counts["variants"]]
    assert summary["output"] == {"records": counts["emitted"], "recordsEmitted": counts["emitted"], "rows": len(flat)}
    assert summary["populations"] == sorted({row["POPULATION"] for row in flat})


def test_a_package_has_no_problem_as_folder_and_as_tar(made, tmp_path):
    _, root = made
    assert gdi_check.check(root) == []
    tar = tmp_path / f"{make.ID}.tar"
    gdi_package.pack(root, tar)
    assert gdi_check.check(tar) == []


def test_manifest_says_what_the_package_is(made):
    folder, root = made
    content = json.loads((root / gdi.MANIFEST).read_text())
    assert list(content) == ["metadata", "files", "internal", "payload", "config"]
    assert content["config"] == {
        "mode": "aggregated",
        "blockRange": 10_000_000,
        "afSource": "The Genome of Europe",
        "afSourceReference": "https://genomeofeurope.eu/",
        "minAlleleCount": 5,
        "assembly": {"reference": "GRCh38"},
        "manifestVersion": 1,
        "generatedBy": content["config"]["generatedBy"],
    }
    every = [(key, row) for key, part in make.read_rows(root).items() for row in part]
    alleles = {(key[0], row["POS"], row["REF"], row["ALT"]) for key, row in every}
    assert content["metadata"]["numberOfRecords"] == len(alleles)
    assert content["metadata"]["populations"] == sorted({row["POPULATION"] for _, row in every})
    source = content["files"][0]["files"][0]
    assert source["path"] == f"sites/{make.ID}.pass.vcf.gz"
    assert str(folder) not in (root / gdi.MANIFEST).read_text()
    header = root / "headers" / f"{source['sha256'][:16]}.vcf"
    assert {p.name for p in (root / "headers").iterdir()} == {header.name}
    assert "##source" not in header.read_text() and header.read_text().startswith("##fileformat=VCFv4.3\n")
    assert content["internal"] == {"headerPolicy": "minimal"}


def test_past_version_is_carried(made, tmp_path, contigs):
    folder, _ = made
    parts = [folder / "parts" / contig for contig in contigs]
    vcf = folder / "sites" / f"{make.ID}.pass.vcf.gz"
    earlier = "GOE-EE-EXAMPLE-20250102030405678"
    content = gdi_package.assemble(parts, vcf, make.config(), make.ABOUT, tmp_path / make.ID, earlier)
    assert content["internal"]["pastVersion"] == earlier
    assert gdi_check.check(tmp_path / make.ID) == []


def test_tar_has_the_members_in_order_and_nothing_of_this_machine(made, tmp_path):
    _, root = made
    tar = tmp_path / f"{make.ID}.tar"
    gdi_package.pack(root, tar)
    with tarfile.open(tar, "r:") as archive:
        entries = archive.getmembers()
    assert [e.name for e in entries] == gdi_package.members(root)
    names = [e.name for e in entries]
    assert names[0] == gdi.MANIFEST and names[1].startswith("headers/") and names[2:] == sorted(names[2:])
    assert {(e.mode, e.uid, e.gid, e.uname, e.gname, e.mtime, e.isreg()) for e in entries} == {
        (0o644, 0, 0, "", "", 0, True)
    }


def test_encrypted_package_holds_the_same_tar(made, tmp_path):
    _, root = made
    tar, sealed = tmp_path / f"{make.ID}.tar", tmp_path / f"{make.ID}.tar.c4gh"
    gdi_package.pack(root, tar)
    c4gh.generate(tmp_path / "node.sec", tmp_path / "node.pub", b"", b"")
    crypt4gh.encrypt(tar, sealed, [tmp_path / "node.pub"])
    crypt4gh.decrypt(sealed, tmp_path / "again.tar", tmp_path / "node.sec")
    assert (tmp_path / "again.tar").read_bytes() == tar.read_bytes()


def test_blocks_and_repetition_do_not_change_a_byte(made, contigs, tmp_path):
    _, root = made
    for size in (1, 37, 100_000):
        again = make.package(tmp_path / str(size), contigs, size=size)
        gdi_package.pack(again, tmp_path / f"{size}.tar")
        names = gdi_package.members(root)
        assert gdi_package.members(again) == names
        for name in names:
            assert (again / name).read_bytes() == (root / name).read_bytes(), name
    assert len({(tmp_path / f"{size}.tar").read_bytes() for size in (1, 37, 100_000)}) == 1


def test_row_groups_do_not_depend_on_the_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(gdi_package, "ROW_GROUP", 50)
    monkeypatch.setattr(gdi_package, "_GROUP_BYTES", 200)
    alleles = make.random_alleles(200, seed=5)
    alleles.insert(0, Allele(1, "A" + "C" * 300, "A", {leaf: ALL for leaf in make.LEAVES}))
    for size in (3, 41, 1000):
        write(tmp_path / str(size), alleles, size=size)
    files = [(tmp_path / str(size) / "chr1.0.parquet").read_bytes() for size in (3, 41, 1000)]
    assert files[0] == files[1] == files[2]
    about = pq.ParquetFile(tmp_path / "3" / "chr1.0.parquet").metadata
    sizes = [about.row_group(i).num_rows for i in range(about.num_row_groups)]
    assert len(sizes) > 10 and max(sizes) <= 50 and sizes[0] == 9


def test_hidden_cells_and_filtered_alleles_change_no_byte(tmp_path):
    alleles = make.random_alleles(80, seed=7)
    write(tmp_path / "a", alleles)
    for allele in alleles:
        if allele.filter != "PASS":
            allele.people = {"EE_F": (9, 0, 3, 3, 0)}
    blocks = make.blocks(alleles, 100)
    for block in blocks:
        for values in vars(block.numbers).values():
            values[~block.mask] = 77
    with gdi_package.Writer(tmp_path / "b", "chr1", make.LENGTHS["chr1"], Settings("GRCh38", 0)) as writer:
        for block in blocks:
            writer.write(block)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_files_are_cut_at_every_ten_million_bases_from_zero(tmp_path):
    people = {"EE_F": ALL}
    alleles = [Allele(p, "A", "C", people) for p in (1, 10_000_000, 10_000_001, 30_000_001)]
    summary = write(tmp_path / "x", alleles)
    assert [(e["block"], e["records"]) for e in summary["files"]] == [(0, 2), (1, 1), (3, 1)]
    assert [r["POS"] for r in rows(tmp_path / "x") if r["POPULATION"] == "Total"] == [0, 9_999_999, 10**7, 3 * 10**7]
    one = write(tmp_path / "y", alleles, Settings("GRCh38", 0, block_range=0))
    assert [(e["block"], e["records"]) for e in one["files"]] == [(0, 4)]


def test_strata_nobody_is_called_in_have_no_row_and_take_none_with_them(tmp_path):
    summary = write(tmp_path / "x", [Allele(5, "A", "C", {"EE_F": ALL})])
    got = {r["POPULATION"]: r for r in rows(tmp_path / "x")}
    assert sorted(got) == ["EE", "EE_F", "F", "Total"]
    assert got["EE_F"]["AF"] == np.float32(20 / 100)
    assert summary["discarded"]["recordsNoAf"] == 0
    nobody = write(tmp_path / "y", [Allele(5, "A", "C")])
    assert nobody["discarded"]["recordsNoAf"] == 1 and nobody["files"] == []


def test_some_strata_may_be_withheld_without_the_others(tmp_path):
    people = {leaf: ALL for leaf in make.LEAVES}
    write(tmp_path / "x", [Allele(5, "A", "C", people, shown=("Total", "EE", "LV", "LV_M"))], Settings("GRCh38", 5))
    assert [r["POPULATION"] for r in rows(tmp_path / "x")] == ["EE", "LV", "LV_M", "Total"]


def test_a_cell_below_the_floor_leaves_total_alone(tmp_path):
    # LV has 4 copies; in the second allele everybody but for 3 copies has it.
    few = {"EE_F": ALL, "LV_F": (50, 0, 4, 0, 0)}
    nearly = {"EE_F": ALL, "LV_M": (50, 0, 3, 47, 0)}
    total = {"EE_F": (50, 0, 4, 0, 0)}
    alleles = [Allele(1, "A", "C", few), Allele(2, "A", "C", nearly), Allele(3, "A", "C", total)]
    summary = write(tmp_path / "x", alleles, Settings("GRCh38", 5))
    assert [(r["POS"], r["POPULATION"]) for r in rows(tmp_path / "x")] == [(0, "Total"), (1, "Total")]
    assert summary["suppressed"]["variantsCollapsedToTotal"] == 2
    assert summary["discarded"]["recordsAllRowsWithheld"] == 1
    assert summary["output"]["recordsEmitted"] == 2


def test_what_the_format_does_not_take_is_left_out_and_counted(tmp_path):
    people = {"EE_F": ALL}
    long, longest = "A" + "C" * 10_000, "A" + "C" * 9_999
    alleles = [Allele(1, "A", longest, people), Allele(2, "A", long, people), Allele(3, longest, "A", people)]
    summary = write(tmp_path / "x", alleles)
    assert summary["discarded"]["recordsNoSupportedAlt"] == 1 and summary["output"]["recordsEmitted"] == 2
    # What the node calls M of GRCh37 has two bases more than the M that most have.
    other = write(tmp_path / "m", [Allele(5, "A", "C", people)], Settings("GRCh37", 0), contig="chrM")
    assert other["discarded"]["recordsUnsupportedContig"] == 1 and other["files"] == []
    right = write(tmp_path / "n", [Allele(5, "A", "C", people)], Settings("GRCh37", 0), contig="chrM", length=16_571)
    assert [e["chromosome"] for e in right["files"]] == ["M"]


def test_columns_and_pages_are_as_a_node_wants_them(tmp_path):
    alleles = make.random_alleles(2500, seed=3)
    alleles.insert(0, Allele(1, "A" + "CT" * 4000, "A", {leaf: ALL for leaf in make.LEAVES}))
    write(tmp_path / "x", alleles, size=700)
    path = tmp_path / "x" / "chr1.0.parquet"
    assert pq.read_schema(path).equals(gdi.SCHEMA, check_metadata=True)
    data = path.read_bytes()
    footer = page_index.footer(data)
    # Fields of FileMetaData and its structs that crates/core/src/parquet_bounds.rs lets through.
    assert set(footer) <= set(range(1, 8))
    assert all(set(e) <= set(range(1, 11)) for e in footer[2]) and all(5 not in e for e in footer[2][1:])
    assert all(set(c[3]) <= set(range(1, 17)) for g in footer[4] for c in g[1])
    assert all(set(g) <= set(range(1, 8)) for g in footer[4])
    groups = page_index.chunks(data)
    assert sum(group[0]["rows"] for group in groups) == len(rows(tmp_path / "x"))
    pos = pq.read_table(path, columns=["POS"])["POS"].to_numpy()
    at = 0
    for group in groups:
        for chunk in group:
            # parquet_pages.rs: the pages named are the whole chunk, one behind the other.
            place = chunk["first_data"]
            assert chunk["start"] <= place
            firsts = [first for _, _, first in chunk["offsets"]]
            assert firsts[0] == 0 and max(np.diff([*firsts, chunk["rows"]])) <= gdi_package.PAGE
            for offset, size, _ in chunk["offsets"]:
                assert offset == place
                place += size
            assert place == chunk["end"]
        _, low, high = group[0]["index"]
        firsts = [first for _, _, first in group[0]["offsets"]] + [group[0]["rows"]]
        for page, (first, last) in enumerate(pairwise(firsts)):
            part = pos[at + first : at + last]
            assert int.from_bytes(low[page], "little") == part.min()
            assert int.from_bytes(high[page], "little") == part.max()
        at += group[0]["rows"]


def test_files_are_read_by_polars_as_they_are_by_arrow(made):
    polars = pytest.importorskip("polars")
    _, root = made
    for path in root.glob("*.parquet"):
        assert polars.read_parquet(path).to_dicts() == pq.read_table(path).to_pylist()


def broken(alleles, **numbers):
    """A block of the alleles with numbers of Total put in by hand."""
    one = make.block(alleles)
    for name, value in numbers.items():
        getattr(one.numbers, name)[0, :] = value
    return one


GOOD = [Allele(5, "A", "C", {leaf: ALL for leaf in make.LEAVES})]


@pytest.mark.parametrize(
    ("numbers", "what"),
    [
        ({"ac": 101}, "AC_HOM + AC_HET + AC_HEMI is not AC"),
        ({"an": 90}, "AC is above AN"),
        ({"an": 299}, "AN of EE is above that of Total"),
        ({"ac": 40, "ac_hom": 20, "ac_het": 20}, "AC of EE is above that of Total"),
        ({"ac": 99, "ac_het": 49}, "make Total, but their AC is above its"),
        ({"ac": 101, "ac_hom": 51}, "AC_HOM is odd"),
        ({"ac": -5, "ac_het": -55}, "AC is below 0"),
    ],
)
def test_numbers_that_contradict_each_other_are_never_written(tmp_path, numbers, what):
    writer = gdi_package.Writer(tmp_path / "x", "chr1", 1000, Settings("GRCh38", 0))
    with pytest.raises(GoeError) as error:
        writer.write(broken(GOOD, **numbers))
        writer.close()
    assert what in str(error.value) and "chr1.0.parquet" in str(error.value)
    assert not (tmp_path / "x" / "summary.json").exists()


@pytest.mark.parametrize(
    ("alleles", "what"),
    [
        ([Allele(5, "A", "C"), Allele(5, "A", "C")], "out of order or there twice"),
        ([Allele(6, "A", "C"), Allele(5, "A", "C")], "out of order or there twice"),
        ([Allele(5, "A", "T"), Allele(5, "A", "C")], "out of order or there twice"),
        ([Allele(5, "R", "C")], "REF has letters"),
        ([Allele(5, "A", "A")], "is no change"),
        ([Allele(5, "AC", "AG")], "is not trimmed"),
        ([Allele(5, "GC", "AAC")], "is not trimmed"),
        ([Allele(0, "A", "C")], "POS is below 0"),
    ],
)
def test_alleles_that_break_a_rule_are_never_written(tmp_path, alleles, what):
    for allele in alleles:
        allele.people = {"EE_F": ALL}
    with pytest.raises(GoeError) as error:
        write(tmp_path / "x", alleles, size=1)
    assert what in str(error.value)


def test_strata_that_are_no_population_stop_the_writer(tmp_path):
    writer = gdi_package.Writer(tmp_path / "x", "chr1", 1000, Settings("GRCh38", 0))
    with pytest.raises(GoeError, match="stratum EE_U: is no population"):
        writer.write(make.block(GOOD, strata=("Total", "EE_U")))
    many = tuple(f"{a}{b}" for a in "ABCDEFGHIJKLMNOPQRST" for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")[:513]
    with pytest.raises(GoeError, match="513 strata"):
        writer.write(make.block([], strata=many))
    with pytest.raises(ValueError, match="among those of chr1"):
        writer.write(make.block(GOOD, contig="chr2"))


def test_a_folder_that_is_not_empty_is_not_written_into(tmp_path):
    (tmp_path / "old.parquet").write_text("")
    with pytest.raises(GoeError, match="is not empty"):
        gdi_package.Writer(tmp_path, "chr1", 1000, Settings("GRCh38", 0))


def test_assemble_names_everything_that_is_wrong(made, tmp_path, contigs):
    folder, _ = made
    parts = [folder / "parts" / contig for contig in contigs]
    vcf = folder / "sites" / f"{make.ID}.pass.vcf.gz"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("")
    cfg = altered(make.config(), "disclosure.min_carriers", 7)
    with pytest.raises(GoeError) as error:
        gdi_package.assemble([parts[2]], vcf, cfg, make.ABOUT, tmp_path / "other")
    text = str(error.value)
    for what in ("other settings", "is not named GOE-EE", "no public PASS allele", "is not empty"):
        assert what in text
    with pytest.raises(GoeError, match=r"config dataset.license: is missing"):
        gdi_package.assemble(parts, vcf, make.config(license=None), make.ABOUT, tmp_path / make.ID)


def test_assemble_notices_files_that_changed_and_a_vcf_of_other_strata(tmp_path):
    contigs = {"chr1": make.random_alleles(50)}
    root = make.package(tmp_path, contigs)
    part, vcf = tmp_path / "parts" / "chr1", tmp_path / "sites" / f"{make.ID}.pass.vcf.gz"
    path = part / "chr1.0.parquet"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(GoeError, match=r"chr1.0.parquet: changed since it was written"):
        gdi_package.assemble([part], vcf, make.config(), make.ABOUT, tmp_path / "a" / root.name)
    text = gzip.decompress(vcf.read_bytes()).decode()
    vcf.write_bytes(gzip.compress(text.replace("_LV_M", "_SE_M").encode()))
    with pytest.raises(GoeError, match="no tags of stratum LV_M"):
        gdi_package.assemble([part], vcf, make.config(), make.ABOUT, tmp_path / "b" / root.name)
