"""The VCF profiles for gdi-mini-node."""

import gzip
import subprocess

import numpy as np
import pysam
import pytest
from goe.check import mini_node as mini_node_check
from goe.core.errors import GoeError
from goe.frequencies import strata as st
from goe.release import reading
from goe.release.formats import mini_node, sites_vcf
from helpers import blocks as some
from helpers import mini_node_reader as reader
from helpers import vcf_cells


@pytest.fixture
def fields(repo):
    return sites_vcf.read_fields(repo / "resources/dictionary/fields.tsv")


def finish(folder, fields, blocks, profile, strata=None):
    """The finished VCF of a profile, as the workflow makes it: a body for each contig, then the file of all."""
    strata = strata or blocks[0].strata
    contigs = list(dict.fromkeys(block.contig for block in blocks))
    bodies = []
    for contig in contigs:
        bodies.append(folder / f"{profile}.{contig}.body")
        with mini_node.Writer(bodies[-1], fields, strata, profile) as writer:
            for block in blocks:
                if block.contig == contig:
                    writer.write(block)
    head = sites_vcf.header(
        "GRCh38",
        [{"name": c, "length": 5000, "md5": "0" * 32} for c in contigs],
        [],
        {},
        mini_node.tags(fields, strata, profile),
    )
    sites_vcf.join(head, bodies, folder / f"{profile}.vcf.gz")
    return folder / f"{profile}.vcf.gz"


@pytest.fixture
def blocks():
    return [some.random_block(f"chr{n}", some.sequence(600, seed=n), seed=n) for n in (1, 2)]


def test_the_full_sites_vcf_stops_the_reader(fields):
    info = [(tag.id, tag.number) for tag in sites_vcf.tags(fields, st.order(some.LEAVES))]
    with pytest.raises(IndexError):
        reader.populations(info)
    with pytest.raises(IndexError):
        reader.populations([("AC_XX", "A")])


@pytest.mark.parametrize("profile", mini_node.PROFILES)
@pytest.mark.parametrize("strata", [["Total"], ["Total", "EE"], st.order(some.LEAVES), ["Total", "F", "LV", "LV_F"]])
def test_no_header_line_stops_the_reader(fields, strata, profile):
    tags = mini_node.tags(fields, strata, profile)
    assert not [tag.id for tag in tags if len(tag.id.split("_")) == 2 and tag.id not in reader.STANDARD]
    assert [tag.id for tag in tags[:6]] == ["AC", "AN", "AF", "AC_Hom", "AC_Het", "AC_Hemi"]
    found = reader.populations([(tag.id, tag.number) for tag in tags], label="Total")
    labels = mini_node.populations(strata, profile)
    assert list(found) == (labels or ["Total"])
    for ids in found.values():
        assert sorted(ids.values()) == sorted(reader.STANDARD)


def test_total_profile_loads_every_number_of_total(fields, blocks, tmp_path):
    path = finish(tmp_path, fields, blocks, "total")
    asked, written = reader.rows(path, "EE")
    assert asked == written
    expected = []
    for block in blocks:
        af = block.numbers.af()[0]
        for i in range(len(block)):
            if block.filter[i].as_py() == "PASS" and not np.isnan(af[i]):
                values = {name.upper(): getattr(block.numbers, name)[0, i] for name in ("ac", "an")}
                values |= {f"AC_{z.capitalize()}": getattr(block.numbers, f"ac_{z}")[0, i] for z in ("hom", "het")}
                values |= {"AC_Hemi": block.numbers.ac_hemi[0, i], "AF": pytest.approx(af[i], rel=1e-6)}
                place = (block.contig, block.pos[i].as_py() - 1, block.ref[i].as_py(), block.alt[i].as_py())
                expected.append((*place, "EE", values))
    assert len(expected) > 50 and asked == expected


def test_strata_profile_has_an_af_for_every_population_of_every_allele(fields, blocks, tmp_path):
    path = finish(tmp_path, fields, blocks, "strata")
    asked, written = reader.rows(path)
    labels = ["EE_M", "EE_F", "LV_M", "LV_F"]
    assert len(asked) == 4 * len(written) > 40
    assert [row[4] for row in asked[:4]] == labels
    # The server fails on an allele without AF, so none may be missing.
    assert all(row[5]["AF"] is not None for row in asked)
    assert {row[4] for row in written} == {"LV_F"}
    got = {row[:4] for row in asked}
    for block in blocks:
        s = [block.strata.index(label) for label in labels]
        for i in range(len(block)):
            place = (block.contig, block.pos[i].as_py() - 1, block.ref[i].as_py(), block.alt[i].as_py())
            whole = block.mask[s, i].all() and (block.numbers.an[s, i] > 0).all()
            assert (place in got) == (whole and block.filter[i].as_py() == "PASS")


def test_without_country_and_sex_the_strata_profile_has_no_alleles(fields, blocks, tmp_path):
    path = finish(
        tmp_path, fields, [some.block("chr1", [(3, "A", "C")], np.full((5, 5, 1), 2), strata=["Total", "EE"])], "strata"
    )
    with pytest.raises(RuntimeError, match="does not contain GDI populations"):
        reader.rows(path)
    assert reader.rows(path, "EE") == ([], [])
    assert list(vcf_cells.mini_node_numbers(path)) == [] and mini_node_check.check_header(path, "strata") == []


@pytest.mark.parametrize("profile", mini_node.PROFILES)
def test_hidden_cells_change_no_byte(fields, blocks, tmp_path, profile):
    path = finish(tmp_path, fields, blocks, profile)
    (tmp_path / "b").mkdir()
    other = finish(tmp_path / "b", fields, [some.with_other_hidden_numbers(b) for b in blocks], profile)
    assert other.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("profile", mini_node.PROFILES)
def test_bcftools_reads_and_indexes_it(fields, blocks, tmp_path, profile):
    path = finish(tmp_path, fields, blocks, profile)
    n = sum(int(mini_node.loadable(block, profile).sum()) for block in blocks)
    run = subprocess.run(["bcftools", "view", "-H", str(path)], capture_output=True, text=True, check=True)
    assert run.stderr == "" and len(run.stdout.splitlines()) == n
    command = ["bcftools", "index", "-f", "-t", "-o", str(tmp_path / "own.tbi"), str(path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stderr == ""
    with pysam.VariantFile(str(path)) as vcf:
        assert len(list(vcf.fetch("chr2"))) > 0


@pytest.mark.parametrize("profile", mini_node.PROFILES)
def test_numbers_read_back_are_those_of_the_blocks(fields, blocks, tmp_path, profile):
    path = finish(tmp_path, fields, blocks, profile)
    assert vcf_cells.check_mini_node(path, blocks, profile) == []
    table = next(vcf_cells.mini_node_numbers(path))
    assert set(table["stratum"].to_pylist()) == {"Total", *mini_node.populations(blocks[0].strata, profile)}
    assert table["nhomalt"].null_count == len(table)


def changed(path, old, new):
    text = gzip.decompress(path.read_bytes()).decode()
    assert old in text
    with pysam.BGZFile(str(path), "w") as file:
        file.write(text.replace(old, new, 1).encode())


def test_check_names_what_was_changed(fields, blocks, tmp_path):
    path = finish(tmp_path, fields, blocks, "strata")
    with pysam.VariantFile(str(path)) as vcf:
        record = next(vcf)
        place = f"{record.chrom}:{record.pos}:{record.ref}:{record.alts[0]}"
        old = record.info["AC_EE_M"][0]
    changed(path, f";AC_EE_M={old};", ";AC_EE_M=777;")
    (problem,) = vcf_cells.check_mini_node(path, blocks, "strata")
    assert problem.what == f"{place} EE_M: ac is 777, expected {old}"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("ID=AF_EE_M,", "ID=AF_EE,", "INFO AF_EE is not for gdi-mini-node"),
        ("ID=AF_EE_M,", "ID=AF_XX,", "INFO AF_EE_M is missing"),
        ("ID=AN_EE_M,Number=1", "ID=AN_EE_M,Number=A", "INFO AN_EE_M has Number=A, not 1"),
        ("ID=AC_Hom,", "ID=nhomalt,", "INFO nhomalt is not for gdi-mini-node"),
        ("##INFO=<ID=AC_Hom,", "##INFO=<Number=A,ID=AC_Hom,", "cannot be read"),
        ("ID=AN_EE_M,", "ID=AN_EE_M_Hom,", "INFO AN_EE_M_Hom is not"),
    ],
)
def test_check_of_the_header_finds(fields, blocks, tmp_path, old, new, words):
    path = finish(tmp_path, fields, blocks, "strata")
    changed(path, old, new)
    assert any(words in problem.what for problem in mini_node_check.check_header(path, "strata"))


def test_total_profile_has_no_population(fields, blocks, tmp_path):
    path = finish(tmp_path, fields, blocks, "strata")
    assert {p.what for p in mini_node_check.check_header(path, "total")} >= {"INFO AF_EE_M is not for gdi-mini-node"}
    with pytest.raises(ValueError, match="no profile"):
        mini_node.populations(["Total"], "x")


def test_a_file_that_is_no_vcf_is_refused(tmp_path):
    path = tmp_path / "x.vcf.gz"
    path.write_bytes(gzip.compress(b"##fileformat=VCFv4.3\nchr1\t1\n"))
    with pytest.raises(GoeError, match="no line of column names"):
        list(vcf_cells.mini_node_numbers(path))
    path.write_bytes(gzip.compress(b"#CHROM\tPOS\nchr1\t1\n"))
    with pytest.raises(GoeError, match="cannot be read"):
        list(vcf_cells.mini_node_numbers(path))
    path.write_bytes(b"no gzip")
    with pytest.raises(GoeError, match="cannot be read"):
        reading.vcf_header(path)


def test_dictionary_names_every_tag(fields):
    strata = st.order(some.LEAVES)
    rows = mini_node.dictionary(fields, strata, "strata")
    assert [row[1] for row in rows] == [tag.id for tag in mini_node.tags(fields, strata, "strata")]
    assert all(len(row) == 8 and row[4] and row[7] for row in rows)
