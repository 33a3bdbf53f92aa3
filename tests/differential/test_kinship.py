"""Relatives found by plink2 against the pedigree they were made from, on the haplotypes of the demo cohort."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from goe.demo import people
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import plink, relatedness
from helpers import stages
from helpers.plink_files import write

SEED = 20260101
REPO = Path(__file__).resolve().parents[2]
GUIDELINES = [str(REPO / "resources/guidelines" / name) for name in ("sample_qc.tsv", "inference.tsv")]

# Child: its parents, founders of the demo or people above. None is somebody outside the cohort.
PEDIGREE = {
    "kid": ("EE013", "EE016"),
    "sibling": ("EE013", "EE016"),
    "half": ("EE013", "FI013"),
    "grandchild": ("kid", "FI014"),
    "alone": ("FI016", None),
}
TRUE = {
    "duplicate": {("EE005", "EE010")},
    "parent_child": {
        ("FI004", "FI010"),
        *((p, child) for child, parents in PEDIGREE.items() for p in parents if p),
    },
    "siblings": {("kid", "sibling")},
    "second_degree": {
        ("half", "kid"),
        ("half", "sibling"),
        ("EE013", "grandchild"),
        ("EE016", "grandchild"),
        ("grandchild", "sibling"),
    },
}

THIRD = {("grandchild", "half")}
"""Of the third degree (kinship 1/16): with the SNVs of so small a genome they may lie on either side of the limit."""


def pairs_of(relation):
    return {tuple(sorted(pair)) for pair in TRUE[relation]}


@pytest.fixture(scope="module")
def cohort():
    """(ids, int8[SNVs, people]) of the demo's people, its duplicate and child among them, and the pedigree.

    Both haplotypes that the demo simulates of chr20 and of chrX are taken as autosomal. Its pieces of 250 bp have a
    genealogy each, so a child takes of each piece one of the two haplotypes of each parent.
    """
    who = people.roster()
    sites = people.simulate(who, SEED)
    people.relate(who, sites, SEED)
    ids = [p.sample_id for p in who]
    carried = np.concatenate([sites[c].carried for c in ("chr20", "chrX")])
    piece = np.concatenate([sites["chr20"].pos // people.PIECE, 10**6 + sites["chrX"].pos // people.PIECE])
    rng = np.random.default_rng(SEED)
    haplotypes = {name: carried[:, i] for i, name in enumerate(ids)}
    for child, parents in PEDIGREE.items():
        strands = []
        for parent in parents:
            _, of_piece = np.unique(piece, return_inverse=True)
            pick = rng.integers(0, 2, of_piece.max() + 1)[of_piece]
            # Somebody outside the cohort: of every piece a haplotype of anybody.
            anybody = rng.integers(0, len(ids), of_piece.max() + 1)[of_piece]
            rows = np.arange(len(carried))
            strands.append(haplotypes[parent][rows, pick] if parent else carried[rows, anybody, pick])
        haplotypes[child] = np.stack(strands, axis=1)
    alleles = np.stack([haplotypes[name].sum(axis=1) for name in haplotypes], axis=1).astype(np.int8)
    share = alleles.mean(axis=1) / 2
    return list(haplotypes), alleles[(share >= 0.05) & (share <= 0.95)]


def kinship(folder, ids, alleles):
    """sample_qc_kinship.py on made genotypes: the pairs, the statement and the text of the table."""
    write(folder / "snvs", alleles)
    plink.Snvs(ids, 1, len(alleles), len(alleles), False).write(folder / "snvs.json")
    stages.forked(
        folder,
        "sample_qc_kinship.py",
        input={"bed": folder / "snvs.bed", "about": folder / "snvs.json", "guidelines": GUIDELINES},
        output={"pairs": folder / "kinship.tsv", "statement": folder / "kinship.json"},
        params={"thresholds": {}, "autosomes": 2},
    ).ok()
    with (folder / "kinship.tsv").open(newline="") as handle:
        rows = [relatedness.pair_of(row) for row in csv.DictReader(handle, delimiter="\t")]
    return rows, json.loads((folder / "kinship.json").read_text()), (folder / "kinship.tsv").read_text()


@pytest.fixture(scope="module")
def found(cohort, tmp_path_factory):
    return kinship(tmp_path_factory.mktemp("kinship"), *cohort)


def test_the_pedigree_is_found_and_nothing_else(found):
    rows, said, text = found
    limits = sample_rules.load(GUIDELINES).parameters
    assert said["statement"].startswith("assessed down to the second degree")
    by_relation = {}
    for pair in rows:
        if (pair.a, pair.b) not in THIRD:
            by_relation.setdefault(relatedness.relation(pair, limits), set()).add((pair.a, pair.b))
    assert by_relation == {relation: pairs_of(relation) for relation in TRUE}
    assert [line.split("\t")[-1] for line in text.splitlines()[1:]] == [relatedness.relation(p, limits) for p in rows]


def test_kinship_and_k0_are_those_of_the_pedigree(found):
    """Coefficients by definition: kinship 1/2, 1/4, 1/4, 1/8 and k0 0, 0, 1/4, 1/2."""
    expected = {
        "duplicate": (0.5, 0),
        "parent_child": (0.25, 0),
        "siblings": (0.25, 0.25),
        "second_degree": (0.125, 0.5),
    }
    by_pair = {(p.a, p.b): p for p in found[0]}
    for relation, (kinship, none) in expected.items():
        mine = [by_pair[pair] for pair in pairs_of(relation)]
        assert np.mean([p.kinship for p in mine]) == pytest.approx(kinship, abs=0.03), relation
        assert np.mean([p.k0 for p in mine]) == pytest.approx(none, abs=0.08), relation


def test_unrelated_people_are_left_and_as_many_as_can_be(found, cohort):
    """By the definition of the pedigree: one of each duplicate, parents rather than their children."""
    ranks = relatedness.rank(cohort[0], {})
    gone = relatedness.removals(found[0], ranks, sample_rules.load(GUIDELINES).parameters)
    # kid, sibling and half are three of a clique with a parent each; grandchild hangs on kid and both of its
    # grandparents; so the three and the grandchild go, and one of each of the three pairs beside them.
    assert {"kid", "sibling", "half", "grandchild"} <= gone.keys()
    assert len(gone) == 7
    assert len(gone.keys() & {"EE005", "EE010"}) == len(gone.keys() & {"FI004", "FI010"}) == 1
    assert len(gone.keys() & {"FI016", "alone"}) == 1
    assert not {"EE013", "EE016", "FI013", "FI014"} & gone.keys()


SEGMENT = 300
"""SNVs of a made genome that a child has of one haplotype of a parent before the other may follow."""


def unrelated(rng, n, snvs=9000, block=1):
    """int8[SNVs, 2] for each of n people; `block` SNVs in a row are in full LD (one of them, again and again)."""
    share = np.repeat(rng.uniform(0.06, 0.5, snvs // block), block)
    of_block = rng.random((snvs // block, n, 2)).repeat(block, axis=0)
    return list(np.moveaxis((of_block < share[:, None, None]).astype(np.int8), 1, 0))


def child_of(rng, mother, father):
    rows = np.arange(len(mother))
    picks = (rng.integers(0, 2, len(rows) // SEGMENT + 1).repeat(SEGMENT)[: len(rows)] for _ in range(2))
    return np.stack([p[rows, pick] for p, pick in zip((mother, father), picks, strict=True)], axis=1)


def made_cohort(name, rng):
    """(haplotypes of everybody, how many of them can be counted)"""
    founders = unrelated(rng, 40)
    children = [child_of(rng, *founders[:2]) for _ in range(8)]
    if name == "8 siblings":
        return children, 1
    if name == "parents and 8 children":
        return founders[:2] + children, 2
    if name == "4 families of 11":
        return [
            p for i in range(0, 8, 2)
            for p in (*founders[i : i + 2], *(child_of(rng, *founders[i : i + 2]) for _ in range(9)))
        ], 8  # fmt: skip
    if name == "10 trios":
        trios = ((a, b, child_of(rng, a, b)) for a, b in zip(founders[:20:2], founders[1:20:2], strict=True))
        return [p for trio in trios for p in trio], 20
    return founders, 40


@pytest.mark.parametrize(
    "name", ["8 siblings", "parents and 8 children", "4 families of 11", "10 trios", "40 unrelated"]
)
def test_relatives_are_left_out_however_many_of_the_cohort_they_are(tmp_path, name):
    """Fewer than 50 people, so no pruning: how exact kinship is must not be taken from those who are kin."""
    people_of, unrelated_people = made_cohort(name, np.random.default_rng(11))
    alleles = np.stack(people_of, axis=1).sum(axis=2).astype(np.int8)
    share = alleles.mean(axis=1) / 2
    ids = [f"s{i:02d}" for i in range(len(people_of))]
    rows, said, _ = kinship(tmp_path, ids, alleles[(share >= 0.05) & (share <= 0.95)])
    assert said["statement"].startswith("assessed down to the second degree"), said
    gone = relatedness.removals(rows, relatedness.rank(ids, {}), sample_rules.load(GUIDELINES).parameters)
    assert len(ids) - len(gone) == unrelated_people
    if name.startswith("parents"):
        assert gone.keys() == set(ids[2:])


@pytest.mark.parametrize(("block", "told"), [(1, "second degree"), (25, "first degree"), (150, "duplicates")])
def test_linked_snvs_make_no_relatives_of_unrelated_people(tmp_path, block, told):
    """`block` SNVs in a row say the same, so kinship is as rough as by fewer SNVs, whatever their number."""
    rng = np.random.default_rng(4)
    alleles = np.stack(unrelated(rng, 45, 9000, block), axis=1).sum(axis=2).astype(np.int8)
    rows, said, _ = kinship(tmp_path, [f"s{i:02d}" for i in range(45)], alleles)
    assert rows == []
    assert told in said["statement"]
    if block == 1:
        return
    het, hom, ref = ((alleles == copies).astype(float) for copies in (1, 2, 0))
    shared, opposite, mine = het.T @ het, hom.T @ ref + ref.T @ hom, het.sum(axis=0)
    least = np.minimum(mine[:, None], mine)
    # KING-robust, Manichaikul et al. 2010, equation 11.
    king = ((shared - 2 * opposite) / (2 * least) + 0.5 - (mine[:, None] + mine) / (4 * least))[np.triu_indices(45, 1)]
    error = float(said["statement"].split("standard error of kinship ")[1].split(",")[0])
    assert error == pytest.approx(np.median(king[king > 0]) / 0.6745, rel=0.15)


def test_above_two_thousand_people_only_relatives_are_written(tmp_path):
    rng = np.random.default_rng(7)
    alleles = rng.binomial(2, rng.uniform(0.2, 0.8, 2500), (2001, 2500)).T.astype(np.int8)
    alleles[:, 1999] = alleles[:, 3]
    ids = [f"s{i:04d}" for i in range(2001)]
    rows, said, _ = kinship(tmp_path, ids, alleles)
    assert [(p.a, p.b, p.kinship) for p in rows] == [("s0003", "s1999", 0.5)]
    assert said["statement"].startswith("assessed down to the second degree, 2500 common autosomal SNVs")


@pytest.mark.parametrize(("people", "snvs", "said"), [(1, 900, "fewer than two people"), (30, 0, "0 common autosomal")])
def test_what_cannot_be_assessed_is_said(tmp_path, people, snvs, said):
    rows, statement, _ = kinship(tmp_path, [f"s{i}" for i in range(people)], np.ones((snvs, people), np.int8))
    assert rows == [] and statement["lowest_kinship"] is None
    assert said in statement["statement"]
