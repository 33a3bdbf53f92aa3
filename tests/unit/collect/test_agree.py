"""Which datasets are added up."""

import copy

import pytest
from goe.collect import agree
from goe.collect.dataset import Dataset
from goe.collect.sheet import RELEASE, RESTRICTED, VCF, Settings
from goe.core.errors import Problem

OPEN = Settings("GOE-EU-EXAMPLE-20260401000000000", "", {}, ".", "d.tsv")
TERMS = {
    "build": "GRCh38",
    "contigs": [{"name": "chr1", "length": 100, "md5": "a" * 32}, {"name": "chrX", "length": 50, "md5": "b" * 32}],
    "counting_rules": "1",
    "genotype_filter": {"min_gq": 20, "min_dp": 10},
    "normalisation": "C3",
    "par": [["chrX", 1, 10]],
}


def some(n=4, kind=RELEASE):
    return [
        Dataset(
            i,
            f"D{i}",
            kind,
            "goe",
            id=f"GOE-EE-ORG{chr(65 + i)}-20260101000000000",
            terms=copy.deepcopy(TERMS),
            numbers=str(i),
        )
        for i in range(1, n + 1)
    ]


def refused(datasets, settings=OPEN):
    agree.judge(datasets, settings)
    return {d.name: "; ".join(p.what for p in d.problems) for d in datasets if d.refused}


def test_those_that_agree_are_taken():
    assert refused(some()) == {}


@pytest.mark.parametrize(
    ("term", "value", "words"),
    [
        ("build", "GRCh37", "build is GRCh37, that of the others is GRCh38"),
        ("counting_rules", "2", "version of the counting rules is 2"),
        ("genotype_filter", {"min_gq": 10, "min_dp": 10}, "filter of genotypes is min_dp 10, min_gq 10"),
        ("normalisation", "other", "normalisation is other"),
        ("par", [], "table of pseudo-autosomal regions"),
        ("contigs", [{"name": "chr1", "length": 100, "md5": "c" * 32}], f"contig chr1 of 100 bases, MD5 {'c' * 32}"),
        ("contigs", [{"name": "chr1", "length": 99, "md5": None}], "contig chr1 of 99 bases"),
        ("contigs", [{"name": "1", "length": 100, "md5": "a" * 32}], "contig 1 of 100 bases"),
    ],
)
@pytest.mark.parametrize("place", [0, 3])
def test_the_one_that_says_otherwise_is_refused_wherever_it_stands(term, value, words, place):
    datasets = some()
    datasets[place].terms[term] = value
    found = refused(datasets)
    assert list(found) == [f"D{place + 1}"] and words in found[f"D{place + 1}"]


def test_of_two_that_differ_the_first_of_the_sheet_stays():
    datasets = some(2)
    datasets[0].terms["build"] = "GRCh37"
    assert list(refused(datasets)) == ["D2"]


def test_what_is_not_said_is_not_compared_and_a_contig_less_is_no_fault():
    datasets = some()
    datasets[2].kind = VCF
    datasets[2].terms = {"build": "GRCh38", "contigs": [{"name": "chr1", "length": 100, "md5": None}]}
    assert refused(datasets) == {}


def test_a_refused_dataset_has_no_say():
    datasets = some(3)
    for one in datasets[:2]:
        one.terms["build"] = "GRCh37"
        one.problems.append(Problem(one.name, "failed its check"))
    assert list(refused(datasets)) == ["D1", "D2"]


def test_two_releases_of_one_dataset_are_both_refused():
    datasets = some()
    datasets[2].id = datasets[0].id.replace("20260101", "20270101")
    found = refused(datasets)
    assert list(found) == ["D1", "D3"] and "same country and organisation as D3" in found["D1"]


def test_the_same_people_under_two_ids_are_both_refused():
    datasets = some()
    datasets[3].numbers = datasets[1].numbers
    found = refused(datasets)
    assert list(found) == ["D2", "D4"] and "the same numbers as D4" in found["D2"]
    nothing = some(2)
    for one in nothing:
        one.numbers = ""
    assert refused(nothing) == {}


def test_a_restricted_product_needs_an_agreement():
    datasets = some(3)
    datasets[1].kind = RESTRICTED
    assert list(refused(datasets)) == ["D2"]
    datasets = some(3)
    datasets[1].kind = RESTRICTED
    assert refused(datasets, Settings("", "", {}, ".", "", "Agreement 7")) == {}
