"""What the audit says of releases with one fault, and of those without."""

import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from goe.core.errors import GoeError
from goe.disclosure.audit.audit import Audit, audit, public_build
from goe.disclosure.audit.exact import Exact
from goe.disclosure.audit.table import Stated, Table
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.genome.build import REGION_DIPLOID, Build
from goe.release import table as frequency_table

LEAVES = ("EE_F", "EE_M", "LV_F", "LV_M")
STRATA = st.order(LEAVES)
SIZE = 40
PEOPLE = {s: SIZE * len(st.members(s, LEAVES)) for s in STRATA}
BUILD = Build(
    name="small",
    contigs={c: 100_000 for c in ("chr1", "chrX", "chrY", "chrM")},
    par=[("chrX", 0, 1000), ("chrY", 0, 1000)],
)
CARRIERS, GENOTYPES = Stated(5, "carriers", 10), Stated(5, "genotypes", 10)


def autosome(*carriers, hom=0):
    """Calls of (EE_F, EE_M, LV_F, LV_M) with these carriers, `hom` of them of the first leaf homozygous."""
    return [(SIZE, 0, n - (hom if i == 0 else 0), hom if i == 0 else 0, 0) for i, n in enumerate(carriers)]


def block(calls, hidden=(), contig="chr1", pos=5000, strata=STRATA):
    counts = np.array(calls, dtype=np.int32)[:, :, None]
    shown = np.array([[s not in hidden] for s in strata])
    return Block(
        contig=contig,
        pos=pa.array([pos], pa.int32()),
        ref=pa.array(["A"]),
        alt=pa.array(["C"]),
        filter=pa.array(["PASS"]),
        mask=shown,
        strata=tuple(strata),
        numbers=st.numbers(st.expand(counts, LEAVES, strata)),
        statistics={name: np.array([np.nan]) for name in frequency_table.STATISTICS},
    )


def said(one, stated=CARRIERS, people=PEOPLE):
    problems, _ = audit([one], people, stated, BUILD)
    return [f"{p.where}: {p.what}" for p in problems]


SEXES = ("M", "F", "EE_M", "EE_F", "LV_M", "LV_F")


@pytest.mark.parametrize(
    ("calls", "hidden"),
    [
        (autosome(9, 9, 9, 9), ()),
        (autosome(2, 9, 9, 9), SEXES),
        (autosome(2, 9, 9, 9), ("EE_M", "EE_F", "M", "F")),
        (autosome(1, 2, 9, 9), tuple(s for s in STRATA if s != "Total")),
    ],
)
def test_what_is_hidden_is_accepted(calls, hidden):
    assert said(block(calls, hidden)) == []


@pytest.mark.parametrize(
    ("calls", "hidden", "what"),
    [
        (autosome(2, 9, 9, 9), (), "stratum EE_F: carriers: only 2 is possible"),
        (autosome(38, 9, 9, 9), (), "stratum EE_F: people called without it: only 2 is possible"),
        # Withheld, and the difference of EE and EE_M.
        (autosome(2, 9, 9, 9), ("EE_F",), "stratum EE_F: carriers: only 2 is possible"),
        # Withheld with the men, but M and LV_M tell them.
        (autosome(2, 9, 9, 9), ("EE_F", "EE_M"), "stratum EE_F: carriers: only 2 is possible"),
        # A country too, but Total and LV tell it.
        (autosome(2, 9, 9, 9), ("EE_F", "EE_M", "EE"), "stratum EE_F: carriers: only 2 is possible"),
        # The sum is 3, so the range is 4 values wide.
        (autosome(1, 2, 9, 9), ("EE_F", "EE_M", "M", "F"), "stratum EE: carriers: only 3 is possible"),
        # The sum of the two is 5, and one of them fails, or they would be given: 1 to 4, not 0 to 5.
        (autosome(2, 3, 9, 9), ("EE_F", "EE_M", "M", "F"), "one of the two fails the rule"),
    ],
)
def test_a_cell_that_is_given_or_follows_is_named(calls, hidden, what):
    found = said(block(calls, hidden))
    assert found and all(line.startswith("chr1:5000:A:C: ") for line in found)
    assert any(what in line for line in found), found


def test_genotypes_are_asked_for_when_the_release_says_so():
    calls = autosome(9, 9, 9, 9, hom=2)
    assert said(block(calls)) == []
    [*found] = said(block(calls), GENOTYPES)
    assert any("stratum EE_F: homozygous or hemizygous people: only 2 is possible" in line for line in found)


def test_x_tells_its_men():
    calls = [(SIZE, 0, 9, 0, 0), (0, SIZE, 0, 0, 3), (SIZE, 0, 9, 0, 0), (0, SIZE, 0, 0, 9)]
    assert any("3 men who carry it" in line for line in said(block(calls, ("EE_M", "EE_F"), "chrX")))
    fine = [(SIZE, 0, 9, 0, 0), (0, SIZE, 0, 0, 8), (SIZE, 0, 9, 0, 0), (0, SIZE, 0, 0, 9)]
    assert said(block(fine, (), "chrX")) == []


def test_y_and_m_are_haploid():
    men = [(0, 0, 0, 0, 0), (0, SIZE, 0, 0, 9), (0, 0, 0, 0, 0), (0, SIZE, 0, 0, 9)]
    everybody = [(0, SIZE, 0, 0, 9)] * 4
    assert said(block(men, (), "chrY")) == []
    assert said(block(everybody, (), "chrM")) == []
    few = [men[0], (0, SIZE, 0, 0, 2), men[2], men[3]]
    assert any("stratum EE_M: carriers: only 2" in line for line in said(block(few, (), "chrY")))


def test_numbers_that_contradict_each_other():
    one = block(autosome(9, 9, 9, 9))
    one.numbers.ac_het[STRATA.index("EE_F")] += 1
    assert said(one) == ["chr1:5000:A:C: the numbers of its strata contradict each other"]
    one = block(autosome(9, 9, 9, 9))
    one.numbers.an[STRATA.index("LV")] = 4 * SIZE + 2
    assert said(one) == ["chr1:5000:A:C: the numbers of its strata contradict each other"]


def test_alleles_that_must_not_be_there():
    assert said(block(autosome(9, 9, 9, 9), ("Total",))) == ["chr1:5000:A:C: has no Total"]
    assert said(block(autosome(0, 0, 0, 0))) == ["chr1:5000:A:C: is given, and nobody who counts carries it"]


def test_an_open_release_is_not_asked():
    assert said(block(autosome(1, 1, 1, 1)), Stated(1, "carriers", 1)) == []


def test_strata_of_few_people_are_named_also_when_they_follow():
    few = PEOPLE | {"EE": 47, "EE_M": 40, "EE_F": 7, "Total": 127, "F": 47}
    assert said(block(autosome(0, 0, 0, 0)), people=few) == ["stratum EE_F: 7 people"]
    follows = PEOPLE | {"EE": 83, "Total": 163}
    assert said(block(autosome(0, 0, 0, 0)), people=follows) == ["people of unknown sex of EE: 3 people"]
    rest = PEOPLE | {"Total": 163, "M": 83}
    assert said(block(autosome(0, 0, 0, 0)), people=rest) == ["men of the countries not published: 3 people"]
    wrong = PEOPLE | {"M": 20}
    assert said(block(autosome(0, 0, 0, 0)), people=wrong) == [
        "strata of the release: M is not the sum of its countries"
    ]


def test_reported_faults_end_and_the_rest_is_counted():
    one = Audit(STRATA, PEOPLE, CARRIERS, BUILD)
    for pos in range(2000, 2030):
        one.look(block(autosome(0, 0, 0, 0), pos=pos))
    problems = one.finish()
    assert len(problems) == 21 and problems[-1].what == "10 more alleles are not hidden"
    assert one.summary()["alleles_not_proved"] == 30


def test_integer_programs_give_what_listing_gives():
    """Total and EE given, of two countries of 3 and 4 people without sexes."""
    table = Table(("Total", "EE"), {"Total": 7, "EE": 3})
    exact = Exact(table, REGION_DIPLOID, {"Total": (2, 3, 0, 14)})
    # 3 het and 1 hom among 7: in the first three people 0 to 3 het, carriers 0 to 3, and 4 are at most in the rest.
    rest = [cell for cells in table.groups.values() for cell in cells if cell[0] == 1][:1]
    assert exact.possible(table.cells("EE"), ("het", "hom"), 10) == (0, 3, [0, 1, 2, 3])
    assert exact.possible(rest, ("het", "hom"), 10) == (1, 4, [1, 2, 3, 4])
    assert exact.possible(table.cells("EE"), ("hom",), 10) == (0, 1, [0, 1])
    assert not exact.impossible
    assert Exact(table, REGION_DIPLOID, {"Total": (2, 3, 0, 16)}).impossible


def test_a_check_loads_the_solver_when_an_allele_needs_it(repo):
    """In a job, too, which does without a part of scipy."""
    code = """
import sys
from types import SimpleNamespace as Names
from goe.check import run
from goe.core import seal
from goe.disclosure.audit.exact import Exact
from goe.disclosure.audit.table import Table
from goe.genome.build import REGION_DIPLOID
print([name for name in ("scipy.optimize", "pandas") if name in sys.modules])
with seal.job(Names(params=Names(), input=Names(), output=Names())):
    table = Table(("Total", "EE"), {"Total": 7, "EE": 3})
    exact = Exact(table, REGION_DIPLOID, {"Total": (2, 3, 0, 14)})
    print(exact.possible(table.cells("EE"), ("het", "hom"), 10))
"""
    env = {**os.environ, "PYTHONPATH": str(repo / "scripts")}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert run.stdout == "[]\n(0, 3, [0, 1, 2, 3])\n", run.stderr


def test_regions_of_a_build_that_is_not_built_in_have_to_be_given():
    with pytest.raises(GoeError, match="pseudo-autosomal regions of X and Y are not known"):
        public_build("own", {"1": 100, "X": 100, "Y": 100})
    assert public_build("own", {"1": 100}).par == []
    assert public_build("GRCh38", {"chrX": 156_040_895}).par
