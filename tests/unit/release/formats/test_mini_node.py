"""The VCFs for gdi-mini-node, one a stratum."""

import gzip
import json
import subprocess

import numpy as np
import pysam
import pytest
import yaml
from goe.check import mini_node as mini_node_check
from goe.core.errors import GoeError
from goe.frequencies import strata as st
from goe.release import reading
from goe.release.formats import mini_node, sites_vcf
from helpers import blocks as some
from helpers import mini_node_reader as reader
from helpers import release_folder as rf
from helpers import vcf_cells

STRATA = ("Total", "M", "EE", "EE_M")


@pytest.fixture
def fields(repo):
    return sites_vcf.read_fields(repo / "resources/dictionary/fields.tsv")


def finish(folder, fields, blocks):
    """The finished VCFs, stratum -> path, as the workflow makes them: bodies of each contig, then the files of all."""
    strata = blocks[0].strata
    contigs = list(dict.fromkeys(block.contig for block in blocks))
    for contig in contigs:
        (folder / contig).mkdir()
        with mini_node.Writer(folder / contig, fields, strata) as writer:
            for block in blocks:
                if block.contig == contig:
                    writer.write(block)
    named = [{"name": c, "length": 5000, "md5": "0" * 32} for c in contigs]
    head = sites_vcf.header("GRCh38", named, [], {}, mini_node.tags(fields))
    for stratum in strata:
        bodies = [mini_node.body(folder / contig, stratum) for contig in contigs]
        sites_vcf.join(head, bodies, folder / f"{stratum}.vcf.gz")
    return {stratum: folder / f"{stratum}.vcf.gz" for stratum in strata}


@pytest.fixture
def blocks():
    return [some.random_block(f"chr{n}", some.sequence(600, seed=n), seed=n) for n in (1, 2)]


@pytest.fixture
def files(tmp_path, fields, blocks):
    return finish(tmp_path, fields, blocks)


def test_the_full_sites_vcf_stops_the_reader(fields):
    info = [(tag.id, tag.number) for tag in sites_vcf.tags(fields, st.order(some.LEAVES))]
    with pytest.raises(IndexError):
        reader.populations(info)
    with pytest.raises(IndexError):
        reader.populations([("AC_XX", "A")])


def test_no_header_line_stops_the_reader(fields):
    tags = mini_node.tags(fields)
    assert [tag.id for tag in tags] == ["AC", "AN", "AF", "AC_Hom", "AC_Het", "AC_Hemi"]
    ((label, ids),) = reader.populations([(tag.id, tag.number) for tag in tags], label="EE_M").items()
    assert label == "EE_M" and sorted(ids.values()) == sorted(reader.STANDARD)


@pytest.mark.parametrize("stratum", STRATA)
def test_the_reader_loads_every_public_allele_of_a_stratum_with_its_numbers(files, blocks, stratum):
    asked, written = reader.rows(files[stratum], stratum)
    # One row an allele, so that none is lost behind another population; the server fails on one without AF.
    assert asked == written and all(row[5]["AF"] is not None for row in asked)
    expected = []
    for block in blocks:
        s, af = block.strata.index(stratum), block.numbers.af()
        for i in range(len(block)):
            if block.filter[i].as_py() == "PASS" and block.mask[s, i] and not np.isnan(af[s, i]):
                values = {name.upper(): getattr(block.numbers, name)[s, i] for name in ("ac", "an")}
                values |= {f"AC_{z.capitalize()}": getattr(block.numbers, f"ac_{z}")[s, i] for z in ("hom", "het")}
                values |= {"AC_Hemi": block.numbers.ac_hemi[s, i], "AF": pytest.approx(af[s, i], rel=1e-6)}
                place = (block.contig, block.pos[i].as_py() - 1, block.ref[i].as_py(), block.alt[i].as_py())
                expected.append((*place, stratum, values))
    assert len(expected) > 30 and asked == expected


def test_a_stratum_has_alleles_that_another_withholds(files):
    alleles = {stratum: {row[:4] for row in reader.rows(path, stratum)[1]} for stratum, path in files.items()}
    assert alleles["EE_M"] - alleles["LV_F"] and alleles["LV_F"] - alleles["EE_M"]


def test_hidden_cells_change_no_byte(fields, blocks, files, tmp_path):
    (tmp_path / "b").mkdir()
    others = finish(tmp_path / "b", fields, [some.with_other_hidden_numbers(b) for b in blocks])
    assert {s: path.read_bytes() for s, path in files.items()} == {s: path.read_bytes() for s, path in others.items()}


def test_bcftools_reads_and_indexes_it(blocks, files, tmp_path):
    path = files["EE_M"]
    n = sum(int(mini_node.loadable(mini_node.alone(block, "EE_M")).sum()) for block in blocks)
    run = subprocess.run(["bcftools", "view", "-H", str(path)], capture_output=True, text=True, check=True)
    assert run.stderr == "" and len(run.stdout.splitlines()) == n
    command = ["bcftools", "index", "-f", "-t", "-o", str(tmp_path / "own.tbi"), str(path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stderr == ""
    with pysam.VariantFile(str(path)) as vcf:
        assert len(list(vcf.fetch("chr2"))) > 0


@pytest.mark.parametrize("stratum", STRATA)
def test_numbers_read_back_are_those_of_the_blocks(files, blocks, stratum):
    assert vcf_cells.check_mini_node(files[stratum], blocks, stratum) == []


def changed(path, old, new):
    text = gzip.decompress(path.read_bytes()).decode()
    assert old in text
    with pysam.BGZFile(str(path), "w") as file:
        file.write(text.replace(old, new, 1).encode())


def test_check_names_what_was_changed(files, blocks):
    path = files["EE_M"]
    with pysam.VariantFile(str(path)) as vcf:
        record = next(vcf)
        place = f"{record.chrom}:{record.pos}:{record.ref}:{record.alts[0]}"
        old = record.info["AC"][0]
    changed(path, f"\tAC={old};", "\tAC=777;")
    (problem,) = vcf_cells.check_mini_node(path, blocks, "EE_M")
    assert problem.what == f"{place} Total: ac is 777, expected {old}"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("ID=AF,", "ID=AF_EE,", "INFO AF_EE is not for gdi-mini-node"),
        ("ID=AF,", "ID=AF_EE_M,", "INFO AF is missing"),
        ("ID=AN,Number=1", "ID=AN,Number=A", "INFO AN has Number=A, not 1"),
        ("ID=AC_Hom,", "ID=nhomalt,", "INFO nhomalt is not for gdi-mini-node"),
        ("##INFO=<ID=AC_Hom,", "##INFO=<Number=A,ID=AC_Hom,", "cannot be read"),
    ],
)
def test_check_of_the_header_finds(files, old, new, words):
    assert mini_node_check.check_header(files["EE_M"]) == []
    changed(files["EE_M"], old, new)
    assert any(words in problem.what for problem in mini_node_check.check_header(files["EE_M"]))


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
    rows = mini_node.dictionary(fields)
    assert [row[1] for row in rows] == [tag.id for tag in mini_node.tags(fields)]
    assert all(len(row) == 8 and row[4] and row[7] for row in rows)


# Keys of FdpDataset (mini_node/fdp/config.py, gdi-mini-node 0.9.1) without a default, and those with one.
ASKED = {"title", "description", "catalog_id", "since", "updated", "record_count", "data_provider_name"}
TAKEN = ASKED | {"keywords", "min_age", "max_age", "individual_count"}


def test_each_stratum_has_the_metadata_that_the_node_asks(released):
    said = json.loads((released / "metadata/dataset.json").read_text())
    for stratum, people in said["strata"].items():
        path = released / f"mini-node/{rf.ID}.{stratum}.yaml"
        found = yaml.safe_load(path.read_text())
        assert found.keys() >= ASKED and found.keys() <= TAKEN
        assert found["individual_count"] == people and found["catalog_id"] == "synthetic-data"
        rows = reader.rows(path.with_suffix(".vcf.gz"), stratum)[1]
        assert found["record_count"] == len(rows) > 20
    assert found["title"].endswith(", female people of LV") or "female" not in found["title"]
    assert not list((released / "mini-node").glob("*strata*"))
