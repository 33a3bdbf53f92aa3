"""Statistics of a site computed again from public counts, against what the stage of variant QC writes of people."""

import json

import numpy as np
import pyarrow as pa
import pytest
from goe.check import statistics
from goe.check.faults import Faults
from goe.frequencies import counts
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.genome.build import REGION_DIPLOID, REGION_M, REGION_X, REGION_Y
from goe.release.table import STATISTICS
from goe.variant_qc.filters import annotate
from helpers.release_folder import VARIANT_QC

PEOPLE = {"EE_F": 60, "EE_M": 70, "EE_U": 4, "FI_F": 50, "FI_M": 45, "LV_F": 8, "LV_M": 9}
# Class -> contig, and people called diploid and haploid by sex.
CLASSES = {
    "autosome": ("chr20", REGION_DIPLOID, "FMU", ""),
    "PAR": ("chrX", REGION_DIPLOID, "FMU", ""),
    "X": ("chrX", REGION_X, "F", "M"),
    "Y": ("chrY", REGION_Y, "", "M"),
    "M": ("chrM", REGION_M, "", "FMU"),
}
N = 300


def block(name, least=40, seed=1):
    """Alleles of random people of three countries, with the statistics of the stage in the precision of the release."""
    contig, region_class, diploid, haploid = CLASSES[name]
    rng = np.random.default_rng(seed)
    people = np.zeros((len(PEOPLE), 5, N), np.int64)
    f = rng.random(N) ** 3
    for i, (leaf, size) in enumerate(PEOPLE.items()):
        called = size - rng.binomial(size, 0.05, N)
        if leaf[-1] in diploid:
            two = rng.binomial(called, f * f)
            people[i, [st.DIP, st.HET, st.HOM]] = called, rng.binomial(called - two, 2 * f / (1 + f)), two
        if leaf[-1] in haploid:
            people[i, [st.HAP, st.HEMI]] = called, rng.binomial(called, f)
    expected = {leaf: (2 * (leaf[-1] in diploid) + (leaf[-1] in haploid)) * n for leaf, n in PEOPLE.items()}
    about = {"leaves": list(PEOPLE), "people": PEOPLE, "class_expected": {str(region_class): expected}}
    columns = {
        "pos": pa.array(range(1, N + 1), pa.int32()),
        "filters": pa.array([[]] * N, pa.list_(pa.string())),
        "region_class": pa.array([region_class] * N, pa.int8()),
        **{key: pa.array([None] * N, pa.float32()) for key in ("qual", *counts.METRIC_COLUMNS.values())},
        **{
            f"{measure}_{leaf}": pa.array(people[i, j])
            for i, leaf in enumerate(PEOPLE)
            for j, measure in enumerate(st.CALLS)
        },
    }
    table = pa.table(columns).replace_schema_metadata({"goe": json.dumps(about)})
    table = annotate(table, VARIANT_QC | {"hwe_min_people": least})
    values = {key: table[key].to_numpy().astype(np.float64) for key in STATISTICS}
    written = {key: v if key == "call_rate" else v.astype(np.float32).astype(np.float64) for key, v in values.items()}
    strata = tuple(st.order(PEOPLE))
    numbers = st.numbers(st.expand(people, list(PEOPLE), strata))
    text = pa.array(["A"] * N)
    mask = np.ones((len(strata), N), bool)
    return Block(contig, table["pos"].combine_chunks(), text, text, text, mask, strata, numbers, written)


def told(one, least=40):
    people = {
        stratum: sum(list(PEOPLE.values())[i] for i in st.members(stratum, list(PEOPLE))) for stratum in one.strata
    }
    faults = Faults("wide")
    statistics.differing(one, people, least, faults)
    return [problem.what for problem in faults.problems]


@pytest.mark.parametrize("least", [1, 40, 1000])
@pytest.mark.parametrize("name", CLASSES)
def test_what_the_stage_writes_follows_from_the_counts(name, least):
    assert told(block(name, least), least) == []


@pytest.mark.parametrize("change", [lambda v: v * (1 + 2e-6) + 1e-9, lambda v: v / 2, lambda v: v * np.nan])
@pytest.mark.parametrize("key", STATISTICS)
@pytest.mark.parametrize("name", CLASSES)
def test_another_number_or_none_does_not(name, key, change):
    one = block(name)
    there = np.flatnonzero(one.statistics[key] > 0.01)
    if not len(there):
        assert key in ("hwe_p", "inbreeding_coeff") and name in ("Y", "M")
        return
    allele = there[7]
    one.statistics[key][allele] = change(one.statistics[key][allele])
    hidden = np.isnan(one.statistics[key][allele])
    # Nothing tells that these were given.
    of_sexes = {"X", "PAR", "Y"} if key == "call_rate" else {"X", "PAR"} if key in ("hwe_p", "inbreeding_coeff") else ()
    unknown = hidden and name in of_sexes
    said = told(one)
    assert (
        (said == [])
        if unknown
        else (len(said) == 1 and said[0].startswith(f"{one.contig}:{allele + 1}:A:A {key} does"))
    )


@pytest.mark.parametrize("key", ["hwe_p", "inbreeding_coeff"])
def test_what_follows_from_a_withheld_country_is_left(key):
    one = block("autosome")
    allele = np.flatnonzero(one.statistics[key] > 0.01)[3]
    one.statistics[key][allele] = 0.5
    assert len(told(one)) == 1
    one.mask[one.strata.index("LV"), allele] = False
    assert told(one) == []
