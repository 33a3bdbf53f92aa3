"""The GDI package and the frequency table of one release say the same, or the difference is named."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.check import gdi as gdi_check
from goe.check import gdi_numbers
from goe.release.gdi import package as gdi_package
from goe.release.gdi.metadata import Settings
from helpers import gdi as make
from helpers.gdi import Allele


def long_table(path, alleles, contig):
    """The long table of a contig, a row for each public cell, strata in the order of the release."""
    one = make.block(alleles, contig)
    af = one.numbers.af()
    rows = []
    for i, allele in enumerate(alleles):
        for s, stratum in enumerate(one.strata):
            if one.mask[s, i]:
                row = {"contig": contig, "pos": allele.pos, "ref": allele.ref, "alt": allele.alt}
                row |= {"filter": allele.filter, "stratum": stratum, "af": None if np.isnan(af[s, i]) else af[s, i]}
                row |= {name: int(values[s, i]) for name, values in vars(one.numbers).items()}
                rows.append(row)
    types = {"pos": pa.int32(), "af": pa.float64()} | dict.fromkeys(vars(one.numbers), pa.int32())
    names = ["contig", "pos", "ref", "alt", "filter", "stratum", "af", *vars(one.numbers)]
    schema = pa.schema([(name, types.get(name, pa.string())) for name in names])
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, row_group_size=50)
    return path


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """(package, its TAR, {contig: frequency table})"""
    folder = tmp_path_factory.mktemp("release")
    people = {leaf: (50, 0, 10, 5, 0) for leaf in make.LEAVES}
    contigs = {
        "chr1": [*make.random_alleles(120, seed=4, start=9_999_700), Allele(40_000_000, "A", "C" * 10_001, people)],
        "chrX": make.random_alleles(40, seed=6, haploid=True),
        "chrM": [],
    }
    root = make.package(folder, contigs)
    gdi_package.pack(root, folder / f"{make.ID}.tar")
    tables = {contig: long_table(folder / f"{contig}.parquet", alleles, contig) for contig, alleles in contigs.items()}
    return root, folder / f"{make.ID}.tar", tables


def test_folder_and_tar_agree_with_the_frequency_table(release):
    root, tar, tables = release
    for package in (root, tar):
        assert gdi_check.settings(package) == Settings("GRCh38", 5)
        assert gdi_numbers.compare(package, tables, make.LENGTHS, gdi_check.settings(package)) == []
    got = pa.concat_tables(
        gdi_numbers.numbers([content for _, content in gdi_check.data_files(root)], "chr1", "package")
    )
    assert got.num_rows == sum(map(len, make.read_rows(root).values())) > 300


def change(path, target, **values):
    rows = pq.read_table(path).to_pylist()
    row = next(r for r in rows if r["filter"] == "PASS" and r["stratum"] == "Total" and r["ac"] > 5 and r["an"] > 90)
    row.update(values)
    pq.write_table(pa.Table.from_pylist(rows, schema=pq.read_schema(path)), target)
    return f"{row['contig']}:{row['pos']}:{row['ref']}"


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"ac_het": 1}, "ac_het is"),
        ({"an": 99_999}, "an is"),
        ({"filter": "HWE"}, "stands where"),
        ({"stratum": "SE"}, "stands where"),
        ({"alt": "CCCC"}, "stands where"),
    ],
)
def test_a_difference_is_named(release, tmp_path, values, what):
    root, _, tables = release
    place = change(tables["chr1"], tmp_path / "other.parquet", **values)
    other = tables | {"chr1": tmp_path / "other.parquet"}
    texts = [str(p) for p in gdi_numbers.compare(root, other, make.LENGTHS, Settings("GRCh38", 5))]
    assert texts and what in texts[0] and place in texts[0], texts


def test_contigs_of_one_only(release):
    root, _, tables = release
    rest = {contig: path for contig, path in tables.items() if contig != "chrX"}
    texts = [str(p) for p in gdi_numbers.compare(root, rest, make.LENGTHS, Settings("GRCh38", 5))]
    assert len(texts) == 1 and "has data of chrX" in texts[0]
    texts = [str(p) for p in gdi_numbers.compare(root, tables, make.LENGTHS, Settings("GRCh38", 9))]
    assert texts, "another floor gives other rows"
    more = tables | {"chrM": tables["chrX"]}
    assert any("is missing" in str(p) for p in gdi_numbers.compare(root, more, make.LENGTHS, Settings("GRCh38", 5)))
