"""Callable AN and rs numbers of the page against the tables that the release has of them."""

import pyarrow as pa
import pytest
from goe.check import lookup as check_lookup
from goe.release.report import page as report_page
from helpers import public_blocks, report_facts

PEOPLE = public_blocks.people()["Total"]
ALLELES = 3000


@pytest.fixture(scope="module", params=[10**9, 0], ids=["inside", "beside"])
def folder(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("release")
    facts = report_facts.facts(tmp_path_factory.mktemp("parts"), alleles=ALLELES, size=1024)
    report_page.write(root, **facts, embed_up_to=request.param)
    return root


def names(contig):
    blocks = public_blocks.blocks(contig, ALLELES, size=700)
    return [pa.table({"rsid": pa.array(map(report_facts.rs_number, one.pos.to_pylist()))}) for one in blocks]


@pytest.mark.parametrize("contig", report_facts.CONTIGS, ids=lambda contig: contig["name"])
def test_the_same_numbers_pass_and_others_are_found(folder, contig):
    page, name = check_lookup.read(folder), contig["name"]
    runs = report_facts.runs(contig["length"])
    assert check_lookup.compare_callable(folder, page, name, PEOPLE, runs) == []
    assert check_lookup.compare_rs_numbers(folder, page, name, names(name)) == []

    an = runs[1]["an_Total"].to_pylist()
    an[-1] = 0 if an[-1] else PEOPLE
    other = [runs[0], runs[1].set_column(1, "an_Total", pa.array(an, pa.int32()))]
    (problem,) = check_lookup.compare_callable(folder, page, name, PEOPLE, other)
    assert f"{name}.callable is not what callable AN gives" in problem.what
    *first, last = names(name)
    (problem,) = check_lookup.compare_rs_numbers(folder, page, name, [*first, last.slice(1)])
    assert f"{name}.rs is not what the table of names gives" in problem.what
    (problem,) = check_lookup.compare_rs_numbers(
        folder, page, name, first + [last, pa.table({"rsid": ["rs4294967295"]})]
    )
    assert f"{name}.rs is not what" in problem.what


def test_chunks_that_are_too_many_or_too_few_are_found(folder):
    page = check_lookup.read(folder)
    runs = report_facts.runs(report_facts.CONTIGS[0]["length"])
    (problem,) = check_lookup.compare_callable(folder, page, "chr20", PEOPLE, [])
    assert "chunk 0 of chr20.callable" in problem.what
    assert check_lookup.compare_callable(folder, page, "chr20", PEOPLE + 1, runs)
