"""Metrics from tool reports and from genotypes."""

import json
import weakref
from collections import Counter
from contextlib import ExitStack
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.frequencies.cohort import Cohort
from goe.genome.bases import count_bases
from goe.genome.build import REGION_DIPLOID, Build, Region
from goe.harmonise import batch
from goe.harmonise import files as harmonised
from goe.harmonise import genotypes as gt
from goe.harmonise.schemas import ALLELES, RUNS
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import charr, keep
from goe.sample_qc import metrics as sm
from goe.sample_qc.region import RegionCounts
from goe.sample_qc.tool_reports import Depths, Reads
from helpers import own_counting, own_files
from hypothesis import given, settings
from hypothesis import strategies as draw


@pytest.fixture(scope="module")
def limits(repo):
    folder = repo / "resources/guidelines"
    return sample_rules.load([folder / "sample_qc.tsv", folder / "inference.tsv"]).parameters


BUILD = Build("toy", {"1": 100, "X": 50, "Y": 40}, [("X", 1, 10), ("Y", 1, 10)])


def bases(tmp_path, y_par_masked):
    sequence = {"1": "N" * 20 + "A" * 80, "X": "A" * 50, "Y": ("N" if y_par_masked else "A") * 10 + "A" * 30}
    rows = count_bases(BUILD, lambda contig, start, end: sequence[contig][start:end])
    path = tmp_path / "reference.tsv"
    keep.write_tsv(path, ("contig", "class", "length", "bases"), [tuple(map(str, r)) for r in rows])
    return sm.Bases.read(path)


def test_bases_that_are_not_n(tmp_path):
    found = bases(tmp_path, True)
    assert found.autosomes == 80
    assert found.of("X") == (40, 10)
    assert found.of("Y") == (30, 0)
    assert found.par_masked
    assert not bases(tmp_path, False).par_masked


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize(("x", "y"), [(2, 0), (1, 1), (2, 1), (1, 0)])
def test_depth_ratios_leave_the_par_out(tmp_path, masked, x, y):
    # A PAR that is not masked on Y has no read of mapping quality 20 on either of the two.
    depth = 30
    on_x = 10 * depth if masked else 0
    summed = {"1": 80 * depth, "X": 40 * depth * x // 2 + on_x, "Y": 30 * depth * y // 2}
    found = sm.depth_ratios(summed, bases(tmp_path, masked))
    assert found == {"x_depth_ratio": pytest.approx(x / 2), "y_depth_ratio": pytest.approx(y / 2)}


def test_no_depth_on_autosomes_gives_no_ratio(tmp_path):
    assert sm.depth_ratios({"1": 0, "X": 10}, bases(tmp_path, True)) == {"x_depth_ratio": None, "y_depth_ratio": None}


READS = Reads(200, 190, 200, 180, 10, 15, 350.5, 60.0, 180, 9)


def test_read_metrics(tmp_path):
    depths = Depths(np.array([20, 0, 60]))
    found, why = sm.read_metrics(READS, depths, 0.0123, {"1": 120, "X": 60}, bases(tmp_path, False))
    assert set(found) == set(sm.TOOL_METRICS)
    assert (found["pct_duplicates"], found["pct_chimeras"], found["mean_autosome_coverage"]) == (5, 10, 1.5)
    assert found["cross_contamination_rate"] == 0.0123
    assert not why


def test_every_null_of_the_reads_has_a_reason(tmp_path):
    nothing = Reads(0, 0, 0, 0, 0, None, 0.0, 0.0)
    found, why = sm.read_metrics(nothing, Depths(np.array([0])), None, {}, bases(tmp_path, False))
    assert set(found) == set(sm.TOOL_METRICS) == set(why)
    assert all(value is None for value in found.values())
    assert why["cross_contamination_rate"] == sm.NO_PANEL


LENGTH = 9000
PLAIN = Build("toy", {"1": LENGTH}, [])


def record(pos, alt, genotypes, ref="A", filters=()):
    """Of a harmonised joint file."""
    gt = np.array([[(a + 1) << 1 for a in g] for g in genotypes], np.int8)
    info = {"CLASS": REGION_DIPLOID, "NREC": 1}
    return SimpleNamespace(
        contig="1", pos=pos, ref=ref, alts=[alt], filters=list(filters), qual=None, info=info, formats={"GT": gt}
    )


class Joint:
    """A reader over harmonised records of people j0, j1, ..."""

    def __init__(self, records, people):
        self.records, self.people = records, people
        self.header = SimpleNamespace(samples=[f"j{i}" for i in range(people)])

    def __iter__(self):
        return iter(self.records)


def row(pos, alt, code, ref="A", ft=None, base=0, **depths):
    """Of a person's own table; base: of the run at pos; depths: gq, dp, ad_ref, ad_alt."""
    known = dict.fromkeys(("gq", "dp", "ad_ref", "ad_alt"), np.nan) | depths
    calls = {"code": code, "base": base, "raw": code, "raw_base": base, "region_class": REGION_DIPLOID}
    return {"pos": pos, "ref": ref, "alt": alt, **calls, "made": True, "qual": None, "ft": ft, **known}


def gathered(folder, people):
    """A batch: people are id -> (rows, callable runs as (start, end)), each written by itself."""
    files = []
    for name, (rows, runs) in people.items():
        about = {"person": name, "counters": {}, "qualities": {}}
        paths = [str(folder / f"{name}.{table}.parquet") for table in ("alleles", "runs")]
        spans = [{"start": a, "end": b, "code": gt.CODE_REF2, "raw": False} for a, b in runs]
        for path, schema, made in zip(paths, (ALLELES, RUNS), (rows, spans), strict=True):
            with batch.Tables(path, schema, about) as out:
                out.write("1", 1, LENGTH, pa.Table.from_pylist(made, schema=schema))
        files.append((name, *paths))
    out = {name: str(folder / f"{name}.parquet") for name in ("sites", "rows", "runs", "people")}
    batch.gather(files, PLAIN, out)
    return out


def region_of(limits, records=(), people=0, own=None, vcf=(), accept=(), spacing=1):
    """RegionCounts, after its run, of people of a joint file, and of those of a batch (of `gathered`); vcf: ids."""
    with ExitStack() as stack:
        batches = [stack.enter_context(batch.Batch.opened(own))] if own else []
        joint = [Joint(list(records), people)] if people else []
        cohort = Cohort(joint, batches, PLAIN, Region("1", 1, LENGTH))
        length = spacing * int(limits["kinship_max_candidates"])
        found = RegionCounts(
            cohort, [Joint(list(records), people)] * len(joint), [i in vcf for i in cohort.ids], limits, length
        )
        found.run(accept)
    return found


def counted(limits, *given, **options):
    found = region_of(limits, *given, **options)
    return [dict(zip(sm.COUNTS, map(int, row), strict=True)) for row in found.counts]


def test_counts_of_site_alleles(limits):
    first, second = counted(
        limits,
        [
            record(1, "G", [(0, 1), (0, 0)]),
            record(2, "C", [(1, 1), (0, 1)]),
            record(3, "AT", [(0, 1), (-1, -1)]),
            record(4, "A", [(1, 1), (0, 1)], ref="AC"),
            record(5, "G", [(0, 1), (0, 1)], filters=["LowQual"]),
        ],
        2,
    )
    expected = {"n_snv": 2, "n_insertion": 1, "n_deletion": 1, "n_ti": 1, "n_tv": 1, "n_het_snv": 1, "n_hom_snv": 1}
    assert expected.items() <= first.items()
    assert {"n_het_indel": 1, "n_hom_indel": 1, "n_singleton": 2}.items() <= first.items()
    assert {"n_snv": 1, "n_deletion": 1, "n_ti": 0, "n_singleton": 0}.items() <= second.items()


def test_the_same_alleles_of_people_with_files_of_their_own(limits, tmp_path):
    """The cohort of the test above, of whom the second is a person by itself."""
    het, hom = gt.CODE_HET, gt.CODE_HOM
    rows = [row(2, "C", het), row(4, "A", hom - 1, ref="AC"), row(5, "G", het, ft="LowQual")]
    records = [
        record(1, "G", [(0, 1)]),
        record(2, "C", [(1, 1)]),
        record(3, "AT", [(0, 1)]),
        record(4, "A", [(1, 1)], ref="AC"),
        record(5, "G", [(0, 1)], filters=["LowQual"]),
    ]
    first, second = counted(limits, records, 1, own=gathered(tmp_path, {"b": (rows, [(1, 1)])}))
    both = counted(
        limits,
        [
            record(r.pos, r.alts[0], [r.formats["GT"][0] // 2 - 1, other], ref=r.ref, filters=r.filters)
            for r, other in zip(records, [(0, 0), (0, 1), (-1, -1), (0, 1), (0, 1)], strict=True)
        ],
        2,
    )
    sites = {"n_sites": 5, "n_sites_called": 4}
    assert [first, second] == [both[0], both[1] | sites]


@pytest.mark.parametrize(("size", "kind"), [(49, "counted"), (50, "passed over")])
def test_indels_of_fifty_bases_are_not_short(limits, size, kind):
    long = "A" * (size + 1)
    (first,) = counted(limits, [record(3, long, [(0, 1)]), record(9, "A", [(1, 1)], ref=long)], 1)
    expected = 1 if kind == "counted" else 0
    assert [first[n] for n in ("n_insertion", "n_deletion", "n_het_indel", "n_hom_indel")] == [expected] * 4


def test_accepted_filters_count(limits):
    (first, _) = counted(limits, [record(5, "G", [(0, 1), (0, 0)], filters=["Ok"])], 2, accept=["Ok"])
    assert first["n_snv"] == 1


def test_a_person_is_counted_by_the_filter_of_their_own_record(limits, tmp_path):
    """However many others carry the allele, and whether their records pass or not."""
    het = gt.CODE_HET
    people = {
        "a": ([row(5, "G", het), row(9, "G", het, ft="Also;Ok")], []),
        "b": ([row(5, "G", het, ft="LowQual"), row(9, "G", het, ft="Ok")], []),
    }
    own = gathered(tmp_path, people)
    assert [p["n_snv"] for p in counted(limits, own=own)] == [1, 0]
    assert [p["n_snv"] for p in counted(limits, own=own, accept=["Ok"])] == [1, 1]
    joint = [record(pos, "G", [(0, 1)]) for pos in (5, 9)]
    assert [p["n_snv"] for p in counted(limits, joint, 1, own=own)] == [2, 1, 0]


def test_a_singleton_is_one_copy_in_the_whole_cohort(limits, tmp_path):
    """In whatever files the other people are."""
    het, hom = gt.CODE_HET, gt.CODE_HOM
    own = gathered(
        tmp_path,
        {"a": ([row(5, "G", het), row(9, "G", het), row(13, "G", hom)], []), "b": ([row(9, "G", het)], [])},
    )
    records = [record(17, "G", [(0, 1), (0, 0)]), record(21, "G", [(0, 1), (0, 1)])]
    assert [p["n_singleton"] for p in counted(limits, records, 2, own=own)] == [1, 0, 1, 0]
    records.insert(0, record(5, "G", [(0, 0), (0, 1)]))
    assert [p["n_singleton"] for p in counted(limits, records, 2, own=own)] == [1, 0, 0, 0]


def test_call_rate_of_a_gvcf_is_over_every_site_allele_of_the_cohort(limits, tmp_path):
    """Covered by a run, an own row that passes, an own row that fails within a run, and nothing at all."""
    rows = [row(20, "G", gt.CODE_HET, base=gt.CODE_REF2), row(30, "G", gt.CODE_MISSING, base=gt.CODE_REF2)]
    people = {"a": (rows, [(1, 35)]), "b": ([row(50, "G", gt.CODE_HET)], [])}
    records = [record(pos, "G", [(0, 1)]) for pos in (10, 30, 40)]
    joint, a, b = counted(limits, records, 1, own=gathered(tmp_path, people))
    # Site alleles at 10, 20, 30, 40 and 50.
    assert (a["n_sites"], a["n_sites_called"]) == (5, 2)
    assert (b["n_sites"], b["n_sites_called"]) == (5, 1)
    assert (joint["n_sites"], joint["n_sites_called"]) == (0, 0)


def test_what_nobody_carries_is_no_site(limits, tmp_path):
    """A person who lists an allele that is none of the cohort's, alone and beside a site allele."""
    listed = row(9, "G", gt.CODE_HOM, dp=40, ad_ref=0, ad_alt=40) | {"made": False}
    (nobody,) = counted(limits, own=gathered(tmp_path, {"a": ([listed], [(1, LENGTH)])}))
    assert not any(nobody.values())
    (some,) = counted(limits, own=gathered(tmp_path, {"a": ([listed, row(30, "C", gt.CODE_HET)], [(1, 29)])}))
    assert {name: n for name, n in some.items() if n} == {
        **dict.fromkeys(("n_snv", "n_tv", "n_het_snv", "n_singleton", "n_sites", "n_sites_called"), 1)
    }


def test_common_snvs_are_alone_at_their_position_and_in_their_bin(limits):
    het = [(0, 1), (0, 1)]
    records = [
        record(11, "G", het),
        record(11, "T", het),
        record(12, "G", [(0, 0), (0, 0)]),
        record(13, "G", [(0, 1), (-1, -1)]),
        record(14, "G", het),
        record(15, "G", het),
        record(21, "GT", het),
        record(25, "G", [(1, 1), (0, 1)]),
        record(35, "G", het, filters=["LowQual"]),
    ]
    chosen = region_of(limits, records, 2, spacing=10).common
    assert [s[1] for s in chosen.sites] == [14, 25]
    # PLINK 1 .bed, A1 = ALT: het 2, hom-alt 0; the first person in the lowest bits; the rest of the byte padded.
    assert [row[0] & 0b1111 for row in chosen.rows] == [0b1010, 0b1000]


@pytest.mark.parametrize(
    ("people", "called", "alleles", "wanted"),
    [(100, 100, 10, True), (100, 100, 9, False), (100, 100, 190, True), (100, 100, 191, False)]
    + [(100, 95, 50, True), (100, 94, 50, False), (0, 0, 0, False)],
)
def test_what_is_common_and_well_called(people, called, alleles, wanted):
    assert sm.CommonSnvs(1, 0.05, 0.95).wants("1", 7, people, called, alleles) == wanted


def test_a_bin_has_one_snv_and_a_contig_its_own_bins():
    chosen = sm.CommonSnvs(10, 0.05, 0.95)
    chosen.sites.append(("1", 15, "A", "G"))
    assert [chosen.wants(c, p, 2, 2, 2) for c, p in (("1", 19), ("1", 20), ("2", 15))] == [False, True, True]


def test_a_row_of_plink_has_every_code():
    chosen = sm.CommonSnvs(1, 0.05, 0.95)
    chosen.add(np.array([gt.CODE_HOM, gt.CODE_MISSING, gt.CODE_HET, gt.CODE_REF2, gt.CODE_HET], np.int8))
    assert chosen.rows == [bytes([0b11100100, 0b00000010])]


def test_absent_site_of_a_single_vcf_is_reference_for_kinship_only(limits, tmp_path):
    own = gathered(tmp_path, {"v": ([row(13, "G", gt.CODE_HOM)], [])})
    found = region_of(limits, [record(11, "G", [(1, 1)])], 1, own=own, vcf={"v"})
    # At 13 the person of the joint VCF is not called.
    assert [s[1] for s in found.common.sites] == [11]
    assert found.common.rows[0][0] & 0b1111 == 0b1100
    assert found.counts[1, sm.COUNTS.index("n_snv")] == 1
    assert region_of(limits, [record(11, "G", [(1, 1)])], 1, own=own).common.sites == []


def test_common_snvs_of_a_joint_file_and_of_people_by_themselves_are_sorted_by_id(limits, tmp_path):
    """Ids: a and z by themselves, j0 of the joint file; a row that fails by its own FILTER is missing."""
    people = {
        "z": ([row(11, "G", gt.CODE_HOM)], [(1, LENGTH)]),
        "a": ([row(31, "G", gt.CODE_HET, ft="LowQual", base=gt.CODE_REF2)], [(1, LENGTH)]),
    }
    records = [record(11, "G", [(0, 1)]), record(31, "G", [(1, 1)])]
    limits = limits | {"kinship_min_call_rate": 0.5}
    table = region_of(limits, records, 1, own=gathered(tmp_path, people)).common_table()
    assert json.loads(table.schema.metadata[b"goe"]) == {"samples": ["a", "j0", "z"], "spacing": 1}
    assert table["pos"].to_pylist() == [11, 31]
    assert [row[0] & 0b111111 for row in table["bed"].to_pylist()] == [0b001011, 0b110001]


def dense(cohort, beside, accepted, vcf, chooser):
    """Counters but those of CHARR, and common SNVs, from everybody's genotype at each site allele: plain and slow."""
    counts = {name: dict.fromkeys(sm.COUNTS, 0) for name in cohort.ids}
    sites, pos_of = [], Counter()
    for window, at, codes in cohort.genotypes(beside):
        site = window.sites[at]
        of_own = cohort.columns[len(beside) :]
        fails = set()
        for piece, place, columns in zip(window.pieces, window.places, of_own, strict=True):
            for one in piece.read_rows().to_pylist():
                if place[one["site"]] == at and one["ft"] and not accepted.issuperset(one["ft"].split(";")):
                    fails.add(columns.start + one["person"])
        pos_of[site.pos] += 1
        sites.append((site, codes.copy(), fails))
    own = {name for columns in of_own for name in cohort.ids[columns]}
    for site, codes, fails in sites:
        kind = sm.allele_kind(site.ref, site.alt)
        passing = [gt.CODE_MISSING if i in fails else int(c) for i, c in enumerate(codes)]
        copies = sum({gt.CODE_HET: 1, gt.CODE_HOM: 2}.get(c, 0) for c in passing)
        good = accepted.issuperset(site.filters)
        for i, (name, code) in enumerate(zip(cohort.ids, codes.tolist(), strict=True)):
            mine = counts[name]
            mine["n_sites"] += name in own
            mine["n_sites_called"] += name in own and code != gt.CODE_MISSING
            if not good or i in fails or kind == "other" or code not in (gt.CODE_HET, gt.CODE_HOM):
                continue
            mine[f"n_{kind}"] += 1
            zygosity = "het" if code == gt.CODE_HET else "hom"
            mine[f"n_{zygosity}_{'snv' if kind == 'snv' else 'indel'}"] += 1
            mine["n_singleton"] += copies == 1
            if kind == "snv":
                mine["n_ti" if {site.ref, site.alt} in ({"A", "G"}, {"C", "T"}) else "n_tv"] += 1
        if kind == "snv" and good and pos_of[site.pos] == 1:
            filled = [gt.CODE_REF2 if v and c == gt.CODE_MISSING else c for v, c in zip(vcf, passing, strict=True)]
            called = sum(c != gt.CODE_MISSING for c in filled)
            if chooser.wants("chr20", site.pos, len(filled), called, copies):
                chooser.sites.append(("chr20", *site.key))
                order = sorted(range(len(filled)), key=cohort.ids.__getitem__)
                chooser.add(np.array([filled[i] for i in order], np.int8))
    return counts


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_mixed_cohort_counts_as_everybody_at_each_site_allele(limits, tmp_path, seed):
    """gVCFs of five dialects, single-sample VCFs and a joint VCF, in batches of three."""
    made = own_files.write(tmp_path / "cohort", seed, people=6)
    work = tmp_path / "work"
    own_counting.count_folder(tmp_path / "cohort", work, own_counting.Options(people_per_batch=3))
    limits = limits | {"kinship_min_call_rate": 0.5}
    contigs = {name: len(bases) for name, bases in made.bases.items()}
    build, region = Build("toy", contigs, made.par), Region("chr20", 1, contigs["chr20"])
    vcf_ids = {
        r["sample_id"] for r in own_counting.sheet(tmp_path / "cohort", "inputs.tsv") if r["input_type"] == "vcf"
    }
    joint = work / f"0.{region.name}.bcf"
    paths = [{t: str(work / f"b{start}.{t}.parquet") for t in batch.TABLES} for start in (0, 3, 6)]

    def opened(stack):
        own = [stack.enter_context(batch.Batch.opened(p)) for p in paths]
        readers = [[stack.enter_context(harmonised.open_harmonised(joint))] for _ in range(2)]
        return Cohort(readers[0], own, build, region), readers[1]

    accept = ("LowQual",) if seed == 3 else ()
    with ExitStack() as stack:
        cohort, beside = opened(stack)
        vcf = [name in vcf_ids for name in cohort.ids]
        mine = RegionCounts(cohort, beside, vcf, limits, 20 * int(limits["kinship_max_candidates"]))
        mine.run(accept)
    with ExitStack() as stack:
        chooser = sm.CommonSnvs(20, limits["kinship_min_maf"], limits["kinship_min_call_rate"])
        expected = dense(*opened(stack), {"PASS", *accept}, vcf, chooser)
    at = [i for i, name in enumerate(sm.COUNTS) if not name.startswith("charr")]
    found = {name: [int(row[i]) for i in at] for name, row in zip(cohort.ids, mine.counts, strict=True)}
    assert found == {name: [row[sm.COUNTS[i]] for i in at] for name, row in expected.items()}
    assert sum(row["n_snv"] for row in expected.values()) > 20
    assert mine.common.sites == chooser.sites and mine.common.rows == chooser.rows
    assert len(chooser.sites) > 2


def test_a_region_holds_rows_and_runs_of_one_batch_at_a_time(limits, tmp_path, monkeypatch):
    met, together = [], []
    read = batch.Piece.read_rows

    def watched(piece, *columns):
        table = read(piece, *columns)
        # Counting has read some columns of them before.
        if not columns:
            met.append(weakref.ref(table))
            together.append(sum(there() is not None for there in met))
        return table

    monkeypatch.setattr(batch.Piece, "read_rows", watched)
    people = {n: ([row(20, "C", gt.CODE_HET)], [(1, LENGTH)]) for n in "abcdef"}
    with ExitStack() as stack:
        own = []
        for n in people:
            (tmp_path / n).mkdir()
            own.append(stack.enter_context(batch.Batch.opened(gathered(tmp_path / n, {n: people[n]}))))
        found = RegionCounts(Cohort([], own, PLAIN, Region("1", 1, LENGTH)), [], [False] * 6, limits, 10**6)
        found.run()
    assert found.counts[:, sm.COUNTS.index("n_snv")].tolist() == [1] * 6
    assert together == [1] * 6


def charr_of(records, people, limits, absent=None):
    counts = np.zeros((people, len(sm.COUNTS)), np.int64)
    charr.add_charr(records, counts, limits, absent)
    at = sm.COUNTS.index
    return counts[:, at("charr_sum")] / sm.CHARR_UNIT / np.maximum(counts[:, at("charr_n")], 1)


def contaminated(people, alpha, sites, absent, fields=("AD", "GQ", "DP")):
    """Records of a cohort whose first person has a share `alpha` of reads of anybody; absent: bool[people], who have
    no call where they carry no ALT."""
    rng = np.random.default_rng(2)
    for _ in range(sites):
        frequency = 0.02 * 48 ** rng.random()
        alleles = (rng.random((people, 2)) < frequency).astype(np.int8)
        share = 1 - alleles.mean(axis=1)
        share[0] = (1 - alpha) * share[0] + alpha * (1 - frequency)
        ref = rng.binomial(40, share).astype(np.int32)
        gt = ((alleles + 1) << 1).astype(np.int8)
        gt[absent & (alleles.sum(axis=1) == 0)] = 0
        formats = {
            "AD": np.stack([ref, 40 - ref], axis=1),
            "GQ": np.full((people, 1), 60, np.int8),
            "DP": np.full((people, 1), 40, np.int8),
        }
        yield SimpleNamespace(ref="A", alts=["G"], formats={"GT": gt} | {k: formats[k] for k in fields})


@pytest.mark.parametrize("came_as", ["joint VCF", "single-sample VCFs", "half of them so"])
def test_charr_recovers_a_planted_contamination(limits, came_as):
    """3.5 % in truth, in whatever files people came; a person of a single-sample VCF has a call only with ALT."""
    people, alpha = 30, 0.035
    absent = np.arange(people) % 2 == 0
    absent = {"joint VCF": absent & False, "single-sample VCFs": absent | True}.get(came_as, absent)
    found = charr_of(contaminated(people, alpha, 3000, absent), people, limits, absent)
    assert found[0] == pytest.approx(alpha, rel=0.12)
    assert found[1:].max() == 0
    assert found[0] == charr_of(contaminated(people, alpha, 3000, absent & False), people, limits)[0]
    if came_as != "joint VCF":
        assert charr_of(contaminated(people, alpha, 3000, absent), people, limits)[0] > 1.07 * found[0], "what it mends"


@pytest.mark.parametrize("kind", ["gvcf", "vcf"])
def test_charr_of_people_by_themselves_is_that_of_a_joint_vcf(limits, tmp_path, kind):
    """The same calls as rows of their own and callable runs; of a single-sample VCF, its rows alone."""
    people, sites = 12, 400
    nobody = np.zeros(people, np.bool_)
    expected = charr_of(contaminated(people, 0.1, sites, nobody), people, limits)
    rows = [[] for _ in range(people)]
    for pos, one in enumerate(contaminated(people, 0.1, sites, nobody), 1):
        for i, copies in enumerate((one.formats["GT"] // 2 - 1).sum(axis=1).tolist()):
            near, far = map(int, one.formats["AD"][i])
            told = {"gq": 60, "dp": 40, "ad_ref": near, "ad_alt": far} if copies == 2 else {}
            code = (gt.CODE_REF2, gt.CODE_HET, gt.CODE_HOM)[copies]
            if copies:
                base = gt.CODE_REF2 if kind == "gvcf" else gt.CODE_MISSING
                rows[i].append(row(pos, "G", code, base=base, **told))
    own = {f"p{i:02d}": (mine, [(1, LENGTH)] if kind == "gvcf" else []) for i, mine in enumerate(rows)}
    found = region_of(limits, own=gathered(tmp_path, own), vcf=own if kind == "vcf" else ()).counts
    at = sm.COUNTS.index
    shares = found[:, at("charr_sum")] / sm.CHARR_UNIT / np.maximum(found[:, at("charr_n")], 1)
    assert shares.tolist() == expected.tolist() and expected[0] > 0.05
    assert (found[:, at("charr_sites")] >= found[:, at("charr_n")]).all() and not found[:, at("charr_no_ad")].any()


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"gq": 60, "dp": 40, "ad_ref": 4, "ad_alt": 36}, {"charr_sites": 1, "charr_n": 1}),
        ({"ad_ref": 4, "ad_alt": 36}, {"charr_sites": 1, "charr_n": 1}),
        ({"gq": 19, "dp": 40, "ad_ref": 4, "ad_alt": 36}, {"charr_sites": 1}),
        ({"gq": 60, "dp": 19, "ad_ref": 4, "ad_alt": 36}, {"charr_sites": 1}),
        ({"gq": 60, "dp": 101, "ad_ref": 4, "ad_alt": 36}, {"charr_sites": 1}),
        ({"ad_ref": 0, "ad_alt": 0}, {"charr_sites": 1}),
        ({"gq": 60, "dp": 40}, {"charr_sites": 1, "charr_no_ad": 1}),
    ],
)
def test_a_hom_alt_call_of_an_own_file_counts_for_charr(limits, tmp_path, told, expected):
    """Of ten people, nine of whom are callable there: eighteen alleles, half of them REF."""
    covered = ([row(50, "G", gt.CODE_HET, base=gt.CODE_REF2)], [(1, LENGTH)])
    people = {f"p{i}": covered for i in range(9)} | {"x": ([row(50, "G", gt.CODE_HOM, **told)], [])}
    found = dict(zip(sm.COUNTS, region_of(limits, own=gathered(tmp_path, people)).counts[9].tolist(), strict=True))
    term = {"charr_sum": round(0.1 / 0.5 * sm.CHARR_UNIT)} if "charr_n" in expected else {}
    assert {name: n for name, n in found.items() if name.startswith("charr") and n} == expected | term


def test_charr_of_an_own_file_asks_snvs_alone_at_their_position(limits, tmp_path):
    told = {"gq": 60, "dp": 40, "ad_ref": 4, "ad_alt": 36}
    other = [row(50, "G", gt.CODE_HET), row(50, "T", gt.CODE_MISSING), row(60, "G", gt.CODE_HET)]
    people = {f"p{i}": (other, [(1, LENGTH)]) for i in range(11)}
    people["x"] = ([row(50, "G", gt.CODE_HOM, **told), row(60, "G", gt.CODE_HOM, **told)], [])
    found = region_of(limits, own=gathered(tmp_path, people)).counts
    assert found[11, sm.COUNTS.index("charr_sites")] == 1


@pytest.mark.parametrize("fields", [("AD",), ("AD", "DP"), ("AD", "GQ")])
def test_charr_needs_no_field_but_ad(limits, fields):
    """GQ is not tested where it is absent, DP is then the sum of AD: here the same calls and the same number."""
    nobody = np.zeros(12, np.bool_)
    found = charr_of(contaminated(12, 0.1, 600, nobody, fields), 12, limits)
    assert found[0] == charr_of(contaminated(12, 0.1, 600, nobody), 12, limits)[0] > 0.05


def test_ten_people_are_enough_for_charr(limits):
    """The frequency of eighteen other alleles makes it a tenth too high on average, and nine people have none."""
    for people, expected in ((10, pytest.approx(0.11, rel=0.15)), (9, 0)):
        nobody = np.zeros(people, np.bool_)
        assert charr_of(contaminated(people, 0.1, 6000, nobody), people, limits)[0] == expected


@settings(max_examples=60, deadline=None)
@given(draw.integers(0, 2**32 - 1), draw.sampled_from([np.int8, np.int16, np.int32]))
def test_charr_is_that_of_its_definition(limits, seed, width):
    """Missing alleles, short vectors, missing values and single-sample VCFs among the people, beside a plain loop."""
    rng = np.random.default_rng(seed)
    people, missing = 40, np.iinfo(width).min
    alleles = rng.choice([-1, 0, 1, 2], (people, 2), p=(0.05, 0.35, 0.05, 0.55))
    gt = ((alleles + 1) << 1 | rng.integers(0, 2, (people, 2))).astype(width)
    gt[rng.random(people) < 0.1, 1] = missing + 1
    ad = rng.choice([0, 0, 1, 30, 45, missing], (people, 3)).astype(width)
    gq, dp = (rng.choice([5, 20, 60, 101, missing], (people, 1)).astype(width) for _ in range(2))
    counts = np.zeros((people, len(sm.COUNTS)), np.int64)
    formats = {"GT": gt, "AD": ad, "GQ": gq, "DP": dp}
    absent = rng.random(people) < 0.3
    charr.add_charr([SimpleNamespace(ref="A", alts=["<*>", "G"], formats=formats)], counts, limits, absent)
    called = [i for i in range(people) if all(g >= 2 for g in gt[i])]
    without = sum(absent[i] and all(int(g) in (0, 1) for g in gt[i]) for i in range(people))
    n_ref = sum(int(g >> 1) == 1 for i in called for g in gt[i]) + 2 * without
    expected = np.zeros_like(counts)
    others = 2 * (len(called) + without) - 2
    if n_ref and others >= limits["charr_min_alleles"]:
        frequency = n_ref / others
        within = limits["charr_min_ref_af"] < frequency < limits["charr_max_ref_af"]
        for i in called:
            near, far = int(ad[i, 0]), int(ad[i, 2])
            if not within or not all(int(g >> 1) == 3 for g in gt[i]):
                continue
            expected[i, sm.COUNTS.index("charr_sites")] = 1
            if near < 0 or far < 0:
                expected[i, sm.COUNTS.index("charr_no_ad")] = 1
                continue
            depth = int(dp[i, 0]) if dp[i, 0] >= 0 else sum(int(n) for n in ad[i] if n > 0)
            good = near + far > 0 and limits["charr_min_dp"] <= depth <= limits["charr_max_dp"]
            if good and (gq[i, 0] < 0 or gq[i, 0] >= limits["charr_min_gq"]):
                expected[i, sm.COUNTS.index("charr_sum")] = round(near / (near + far) / frequency * sm.CHARR_UNIT)
                expected[i, sm.COUNTS.index("charr_n")] = 1
    assert (counts == expected).all()


@pytest.mark.parametrize("broken", ["AD", "alts", "ploidy", "all het", "low quality", "no depth"])
def test_charr_asks_only_records_that_can_answer(limits, broken):
    formats = {
        "GT": np.full((30, 2), 4, np.int8),
        "AD": np.tile(np.array([2, 38], np.int32), (30, 1)),
        "GQ": np.full((30, 1), 60, np.int8),
        "DP": np.full((30, 1), 40, np.int8),
    }
    formats["GT"][:10] = 2
    alts = ["G"]
    if broken == "alts":
        alts = ["G", "T"]
    elif broken == "ploidy":
        formats["GT"] = formats["GT"][:, :1]
    elif broken == "all het":
        formats["GT"][:, 0] = 2
    elif broken == "low quality":
        formats["GQ"][:] = 3
    elif broken == "no depth":
        formats["AD"][:] = 0
    else:
        del formats[broken]
    counts = np.zeros((30, len(sm.COUNTS)), np.int64)
    charr.add_charr([SimpleNamespace(ref="A", alts=alts, formats=formats)], counts, limits)
    said = {name: int(column.sum()) for name, column in zip(sm.COUNTS, counts.T, strict=True) if column.any()}
    could = {key: {"charr_sites": 20} for key in ("low quality", "no depth")}
    could["AD"] = {"charr_sites": 20, "charr_no_ad": 20}
    assert said == could.get(broken, {})


@pytest.mark.parametrize(
    ("people", "n", "sites", "without", "expected"),
    [
        (9, 0, 0, 0, "too few people for a reference allele frequency: 9, 10 are needed"),
        (10, 0, 400, 400, "no AD: at 400 of 400 hom-alt sites"),
        (10, 9, 12, 2, "too few hom-alt sites with a reference allele frequency within limits: 12, 50 are needed"),
        (10, 9, 400, 2, "too few hom-alt sites with AD, and GQ and DP within limits: 9 of 400, 50 are needed"),
        (10, 50, 400, 300, None),
    ],
)
def test_why_there_is_no_charr(limits, people, n, sites, without, expected):
    counts = dict.fromkeys(sm.COUNTS, 0) | {"charr_n": n, "charr_sites": sites, "charr_no_ad": without}
    found, why = sm.variant_metrics(classes(), counts, "gvcf", limits, people)
    assert (found["charr"], why.get("charr")) == (None if expected else 0, expected)


def classes(records=100, called=90, missing=6, depth=30):
    counters = dict.fromkeys(sm.PASS_COLUMNS, 0)
    counters |= {"n_records": records, "n_called": called, "n_missing_in": missing}
    return {1: counters | {"sum_dp": called * depth, "n_dp": called if depth else 0, "n_said": records - missing}}


def test_variant_metrics(limits):
    counts = dict.fromkeys(sm.COUNTS, 0) | {"n_snv": 30, "n_het_snv": 20, "n_hom_snv": 10, "n_ti": 20, "n_tv": 10}
    counts |= {"n_sites": 200, "n_sites_called": 150}
    found, why = sm.variant_metrics(classes(), counts, "gvcf", limits, 30)
    assert (found["call_rate"], found["mean_dp"], found["adj_count_snvs"]) == (0.75, 30, 30)
    assert found["pass_rate"] == pytest.approx(90 / 94)
    assert found["adj_ratio_heterozygous_homzygous_snv"] == 2
    assert found["charr"] is None
    assert "50 are needed" in why["charr"]
    assert why["adj_ratio_insertion_deletion"] == "no deletion"


def test_metrics_of_the_standard_are_of_the_persons_own_file(limits):
    mine = classes()
    mine[1] |= {"n_snv": 40, "n_het_snv": 24, "n_hom_snv": 16, "n_insertion": 3, "n_deletion": 2, "n_ti": 7, "n_tv": 2}
    counts = dict.fromkeys(sm.COUNTS, 0) | {"n_snv": 30}
    found, why = sm.variant_metrics(mine, counts, "gvcf", limits, 30)
    names = ("count_snvs", "count_insertions", "ratio_heterozygous_homzygous_snv", "adj_count_snvs")
    assert [found[name] for name in names] == [40, 3, 1.5, 30]
    assert (found["ratio_insertion_deletion"], found["ratio_transitions_transversions_snv"]) == (1.5, 3.5)
    found, why = sm.variant_metrics(mine, counts, "joint_vcf", limits, 30)
    assert [found[name] for name in names] == [None, None, None, 30]
    assert why["count_snvs"] == sm.OF_JOINT


def test_call_rate_of_a_joint_vcf_is_over_its_own_records(limits):
    counts = dict.fromkeys(sm.COUNTS, 0) | {"n_sites": 200, "n_sites_called": 150}
    found, _ = sm.variant_metrics(classes(), counts, "joint_vcf", limits, 30)
    assert found["call_rate"] == 0.9


@pytest.mark.parametrize("kind", ["gvcf", "cram"])
def test_without_a_site_allele_there_is_no_call_rate(limits, kind):
    found, why = sm.variant_metrics(classes(), dict.fromkeys(sm.COUNTS, 0), kind, limits, 30)
    assert (found["call_rate"], why["call_rate"]) == (None, sm.NO_SITES)


def test_single_vcf_has_no_call_rate(limits):
    found, why = sm.variant_metrics(classes(missing=6), dict.fromkeys(sm.COUNTS, 0), "vcf", limits, 30)
    assert found["call_rate"] is None
    assert why["call_rate"] == sm.VCF_ABSENT


def test_every_null_has_a_reason(limits):
    found, why = sm.variant_metrics({}, {}, "cram", limits, 0)
    assert set(found) == set(sm.VARIANT_METRICS)
    assert all(value is None for value in found.values())
    assert set(why) == set(sm.VARIANT_METRICS)


def test_no_record_on_the_autosomes_is_no_count_of_zero(limits):
    """Every region of somebody else's records gives this person counters of zero."""
    zero = dict.fromkeys(sm.COUNTS, 0)
    found, why = sm.variant_metrics({2: classes()[1]}, zero, "gvcf", limits, 30)
    assert set(found.values()) == {None}
    assert why["count_snvs"] == why["adj_count_snvs"] == why["n_singleton"] == sm.NO_SITES
    sites = zero | {"n_sites": 100}
    found, why = sm.variant_metrics(classes(called=0, missing=100), sites, "gvcf", limits, 30)
    assert (found["call_rate"], found["count_snvs"], why["count_snvs"]) == (0, None, sm.NO_SITES)
    found, _ = sm.variant_metrics(classes(), zero, "gvcf", limits, 30)
    assert found["count_snvs"] == found["adj_count_snvs"] == 0


@pytest.mark.parametrize(("value", "expected"), [(None, ""), (1.0, "1"), (0.5, "0.5"), (85e9, "85000000000"), (3, "3")])
def test_cells(value, expected):
    assert sm.text(value) == expected


def test_sums_do_not_depend_on_the_order_of_the_people(tmp_path):
    """Region files with people in any order, or with others, beside a sum by hand."""
    rng = np.random.default_rng(3)
    ids = [f"p{i}" for i in range(6)]
    expected, passes, counted = {}, [], []
    for number in range(5):
        some = list(ids) if number < 3 else [str(i) for i in rng.permutation(ids)[: 6 - number % 2]]
        region_class = rng.integers(1, 6, len(some))
        names = sm.PASS_COLUMNS
        values = rng.integers(0, 50, (len(some), len(names)))
        path = tmp_path / f"{number}.people.parquet"
        columns = {"sample_id": some, "class": pa.array(region_class, pa.int8()), "n_counted": [0] * len(some)}
        pq.write_table(pa.table(columns | dict(zip(names, values.T, strict=True))), path)
        passes.append(path)
        counts = rng.integers(0, 9, (len(some), len(sm.COUNTS)))
        path = tmp_path / f"{number}.parquet"
        pq.write_table(pa.table({"sample_id": some} | dict(zip(sm.COUNTS, counts.T, strict=True))), path)
        counted.append(path)
        for sample, kind, row, mine in zip(some, region_class, values, counts, strict=True):
            place = expected.setdefault(sample, ({}, np.zeros(len(sm.COUNTS), int)))
            place[0][int(kind)] = place[0].get(int(kind), 0) + row
            place[1][:] += mine
    found = sm.sum_people(passes)
    assert found == {
        sample: {k: dict(zip(names, row.tolist(), strict=True)) for k, row in classes.items() if row.any()}
        for sample, (classes, _) in expected.items()
    }
    totals = {s: dict(zip(sm.COUNTS, row.tolist(), strict=True)) for s, (_, row) in expected.items()}
    assert sm.sum_regions(counted) == totals
    assert sm.sum_people([]) == {} == sm.sum_regions([])
