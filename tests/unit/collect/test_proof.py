"""A cohort cut into three countries, each given out by itself and added up again, against the cohort as a whole."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.collect import form, merge
from goe.collect.dataset import Dataset, File
from goe.disclosure import control, outcomes
from goe.disclosure.silence import of as silence
from goe.frequencies import strata as st
from goe.genome.build import Build
from goe.release import restricted
from goe.release.table import Source
from helpers import release_folder
from helpers.blocks import sequence

COUNTRIES = {"EE": (60, 50, 0), "LV": (30, 35, 0), "FI": (40, 25, 11)}
CONTIGS = {"chr20": 3000, "chrX": 2400, "chrY": 900, "chrM": 600}
PAR = [("chrX", 1, 600), ("chrX", 2100, 2400), ("chrY", 1, 200), ("chrY", 800, 900)]
BUILD = Build("toy", CONTIGS, PAR)


def cohort(folder, contig):
    """Counts of everybody, one allele a position, all of them without a filter."""
    text = sequence(CONTIGS[contig], seed=3)
    path = release_folder.counted(folder / f"{contig}.parquet", BUILD, contig, text, 5, 3, COUNTRIES)
    table = pq.read_table(path)
    first = np.concatenate(([True], np.diff(table["pos"].to_numpy()) > 0))
    table = table.filter(pa.array(first))
    nothing = pa.array([[]] * table.num_rows, table.schema.field("filter").type)
    return table.set_column(table.schema.get_field_index("filter"), "filter", nothing)


def people_of(table, leaves):
    return np.array([[table[f"{call}_{leaf}"].to_numpy() for call in st.CALLS] for leaf in leaves])


def given_out(table, country, number, contig, policy, folder):
    """What the country publishes of its people: alleles that somebody of it carries, and its callable AN."""
    about = json.loads(table.schema.metadata[b"goe"])
    leaves = [leaf for leaf in about["leaves"] if leaf.startswith(country)]
    folder.mkdir(exist_ok=True)
    mine = people_of(table, leaves)
    own = table.filter(pa.array(mine[:, st.HET :].sum(axis=(0, 1)) > 0))
    told = about | {"leaves": leaves, "people": {leaf: about["people"][leaf] for leaf in leaves}}
    counts = folder / f"{contig}.{country}.counts"
    pq.write_table(own.replace_schema_metadata({"goe": json.dumps(told)}), counts)
    source = Source([counts], contig, CONTIGS[contig], policy)
    people = {s: source.plan.people[s] for s in source.plan.strata}
    wide = folder / f"{contig}.{country}.parquet"
    with form.Table(wide, contig, people) as out:
        for block in source:
            out.write(block)
    an = st.numbers(st.expand(mine, leaves, source.plan.strata)).an
    pos = table["pos"].to_numpy()
    # A lower bound under a floor, up to k - 1 people below.
    an = np.maximum(an - (1 if contig in ("chrY", "chrM") else 2) * (pos % policy.k), 0)
    runs = {"contig": [contig] * len(pos), "start": pos - 1, "end": pos}
    runs |= {f"an_{s}": row for s, row in zip(source.plan.strata, an, strict=True)}
    track = folder / f"{contig}.{country}.an.parquet"
    pq.write_table(pa.table(runs), track)
    reasons = {name: n for name, n in source.tally.reasons.items() if n and name not in outcomes.IN_PART}
    rule = {"policy": policy.name, "protect": policy.protect, "alleles_withheld_by_reason": reasons}
    rule["min_carriers"] = None if policy.open else policy.k
    if policy.name == restricted.LEVEL:
        rule["policy"] = "open"
    one = Dataset(number, country, "release", "goe", people=people, silence=silence(rule), zygosity=tuple(people))
    one.tables, one.callable_an = {contig: File.of(wide)}, {contig: File.of(track)}
    return one


def added(table, contig, policy, folder):
    """Allele (by position) -> what is told of it; the strata; the numbers of the cohort, also by stratum."""
    datasets = [given_out(table, c, i, contig, policy, folder) for i, c in enumerate(COUNTRIES, 1)]
    run = merge.Merge(datasets, BUILD, contig)
    (window,) = list(run)
    told = merge.tell(window.sums, run.strata.index("Total"))
    leaves = json.loads(table.schema.metadata[b"goe"])["leaves"]
    whole = st.numbers(st.expand(people_of(table, leaves), leaves, run.strata))
    place = np.searchsorted(table["pos"].to_numpy(), window.pos)
    return window, told, whole, place, run.strata


@pytest.mark.parametrize("contig", CONTIGS)
def test_restricted_products_add_up_to_the_whole_cohort_in_every_cell(tmp_path, contig):
    table = cohort(tmp_path, contig)
    window, told, whole, place, strata = added(table, contig, restricted.policy("Agreement 7"), tmp_path / "out")
    carried = np.flatnonzero(whole.ac[strata.index("Total")] > 0)
    assert np.array_equal(place, carried) and len(carried) > 50
    for low, high, right in (
        (told.ac_lo, told.ac_hi, whole.ac),
        (told.an, told.an_hi, whole.an),
        (told.nhomalt_lo, told.nhomalt_hi, whole.nhomalt),
    ):
        assert np.array_equal(low, right[:, place]) and np.array_equal(high, right[:, place])
    assert (window.counts()["n_absent"] > 0).any()


@pytest.mark.parametrize("name", ["collapse", "minimal"])
@pytest.mark.parametrize("contig", CONTIGS)
def test_bounds_of_public_releases_hold_the_whole_cohort(tmp_path, contig, name):
    table = cohort(tmp_path, contig)
    policy = control.Policy(3, name=name)
    window, told, whole, place, strata = added(table, contig, policy, tmp_path / "out")
    total = strata.index("Total")
    floor, seen = window.sums.floor[total], 0
    for i, stratum in enumerate(strata):
        rows = np.flatnonzero(told.n_not_counted[i] == 0)
        ac, an, hom = (getattr(whole, key)[i, place[rows]] for key in ("ac", "an", "nhomalt"))
        assert (told.an[i, rows] <= an).all() and (an <= told.an_hi[i, rows]).all(), stratum
        assert (told.ac_lo[i, rows] <= ac).all() and (told.nhomalt_lo[i, rows] <= hom).all(), stratum
        # Rarer than one half and nearly fixed where it is not listed: no real allele, and told apart.
        assert (ac <= told.ac_hi[i, rows] + floor[rows]).all(), stratum
        within = ac <= told.ac_hi[i, rows]
        assert within.mean() > 0.97 and (hom[within] <= told.nhomalt_hi[i, rows][within]).all(), stratum
        seen += (window.counts()["n_floor"][rows] > 0).sum() if stratum == "Total" else 0
    assert seen > 10 or contig == "chrX"
