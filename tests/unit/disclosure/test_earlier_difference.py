"""What may be public beside an earlier release: no more than it showed of what it withheld."""

import numpy as np
import pyarrow as pa
import pytest
from goe.disclosure import earlier_release
from goe.disclosure.earlier_difference import Difference
from goe.disclosure.outcomes import FULL, REDUCED, WITHHELD
from goe.rules.policy import Policy

from .test_earlier_release import write

STRATA = ("Total", "EE", "FI")
PEOPLE = {"Total": 45, "EE": 20, "FI": 25}
LEAVES = ("EE_U", "FI_U")
ALL = {"Total": (13, 0, 0, 90), "EE": (5, 0, 0, 40), "FI": (8, 0, 0, 50)}


def counts(*alleles):
    """int (leaves, 5, alleles) from heterozygous people of EE and of FI, everybody called."""
    out = np.zeros((2, 5, len(alleles)), np.int32)
    out[0, 0], out[1, 0] = PEOPLE["EE"], PEOPLE["FI"]
    out[:, 2] = np.array(alleles).reshape(-1, 2).T
    return out


def asked(difference, *alleles):
    """alleles: (pos, ref, alt, people of EE, people of FI)."""
    pos, ref, alt, *_ = zip(*alleles, strict=True)
    people = counts(*(a[3:] for a in alleles))
    return difference.most(np.array(pos), pa.array(ref), pa.array(alt), people, LEAVES).tolist()


@pytest.fixture(params=[1, 3, 1000])
def difference(tmp_path, monkeypatch, request):
    monkeypatch.setattr(earlier_release, "ROWS", request.param)
    part, short = {"Total": ALL["Total"]}, {"Total": ALL["Total"], "FI": ALL["FI"]}
    alleles = [
        (10, "A", "C", ALL),
        (20, "A", "C", part),
        (30, "A", "C", part),
        (40, "A", "C", short),
        (50, "ATATATATAT", "A", ALL),
        (70, "A", "C", ALL),
    ]
    return Difference(write(tmp_path / "old", alleles, PEOPLE, STRATA), STRATA, STRATA)


def test_an_allele_shows_total_only_where_it_did_and_total_is_another(difference):
    assert asked(difference, (10, "A", "C", 6, 8), (20, "A", "C", 5, 8), (30, "A", "C", 6, 8)) == [FULL, FULL, REDUCED]
    assert asked(difference, (40, "A", "C", 5, 9), (70, "A", "C", 9, 9)) == [REDUCED, FULL]


def test_an_allele_that_is_new_at_bases_of_others_is_withheld(difference):
    assert asked(difference, (5, "A", "C", 5, 5), (10, "A", "G", 5, 5)) == [FULL, WITHHELD]
    # Within a longer one that was listed before, though it is not any more, and before one that begins later.
    assert asked(difference, (55, "A", "C", 5, 5), (60, "A", "C", 5, 5)) == [WITHHELD, FULL]
    assert asked(difference, (65, "ATATAT", "A", 5, 5), (66, "A", "C", 5, 5)) == [WITHHELD, FULL]
    assert asked(difference, (90, "A", "C", 5, 5)) == [FULL]
    assert (
        difference.most(np.zeros(0, int), pa.array([], pa.string()), pa.array([], pa.string()), counts(), LEAVES).size
        == 0
    )


def test_there_is_nothing_to_ask(tmp_path):
    folder = tmp_path / "old"
    write(folder / "frequencies/chr1.parquet", [(10, "A", "C", ALL)], PEOPLE, STRATA)

    def of(folder=str(folder), contig="chr1", build="GRCh38", rule=Policy(5)):
        return Difference.of(folder, contig, build, STRATA, rule)

    assert of() is not None
    open_ = Policy(1, name="open", legal_basis="test")
    assert not any((of(folder=None), of(contig="chr2"), of(build="GRCh37"), of(rule=open_)))
