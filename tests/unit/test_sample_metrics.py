"""Metrics from tool reports and from genotypes."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.genome.build import Build
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import keep
from goe.sample_qc import metrics as sm
from goe.sample_qc.tool_reports import Depths, Reads
from hypothesis import given, settings
from hypothesis import strategies as draw


@pytest.fixture(scope="module")
def limits(repo):
    folder = repo / "resources/guidelines"
    return sample_rules.load([folder / "sample_qc.tsv", folder / "inference.tsv"]).parameters


BUILD = Build("toy", {"1": 100, "X": 50, "Y": 40}, [("X", 1, 10), ("Y", 1, 10)])


def bases(tmp_path, y_par_masked):
    sequence = {"1": "N" * 20 + "A" * 80, "X": "A" * 50, "Y": ("N" if y_par_masked else "A") * 10 + "A" * 30}
    rows = sm.count_bases(BUILD, lambda contig, start, end: sequence[contig][start:end])
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


@pytest.mark.parametrize("chunk", [100, 7])
def test_runs_of_the_autosomes_hold_their_bases(monkeypatch, chunk):
    sequence = {"1": "NN" + "A" * 40 + "n" + "C" * 30 + "N" * 17 + "G" * 10, "X": "A" * 50, "Y": "A" * 40}

    def fetch(contig, start, end):
        # The reference is read in pieces; a run that goes over a border is one.
        return sequence[contig][start:end]

    monkeypatch.setattr(sm, "PIECE", chunk)
    assert list(sm.autosome_runs(BUILD, fetch)) == [("1", 2, 42), ("1", 43, 73), ("1", 90, 100)]


def test_reference_without_autosomes_has_no_runs():
    assert list(sm.autosome_runs(Build("toy", {"X": 50}, []), lambda *_: "A" * 50)) == []


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


def record(pos, alt, genotypes, ref="A", filters=()):
    gt = np.array([[(a + 1) << 1 for a in g] for g in genotypes], np.int8)
    return SimpleNamespace(contig="1", pos=pos, ref=ref, alts=[alt], filters=list(filters), formats={"GT": gt})


def counted(records, people=2, **options):
    counts = sm.count_variants(records, people, **options)
    return [dict(zip(sm.COUNTS, map(int, row), strict=True)) for row in counts]


def test_counts_of_site_alleles():
    first, second = counted(
        [
            record(1, "G", [(0, 1), (0, 0)]),
            record(2, "C", [(1, 1), (0, 1)]),
            record(3, "AT", [(0, 1), (-1, -1)]),
            record(4, "A", [(1, 1), (0, 1)], ref="AC"),
            record(5, "G", [(0, 1), (0, 1)], filters=["LowQual"]),
        ]
    )
    expected = {"n_snv": 2, "n_insertion": 1, "n_deletion": 1, "n_ti": 1, "n_tv": 1, "n_het_snv": 1, "n_hom_snv": 1}
    assert expected.items() <= first.items()
    assert {"n_het_indel": 1, "n_hom_indel": 1, "n_singleton": 2}.items() <= first.items()
    assert {"n_snv": 1, "n_deletion": 1, "n_ti": 0, "n_singleton": 0}.items() <= second.items()


@pytest.mark.parametrize(("size", "kind"), [(49, "counted"), (50, "passed over")])
def test_indels_of_fifty_bases_are_not_short(size, kind):
    long = "A" * (size + 1)
    (first,) = counted([record(3, long, [(0, 1)]), record(9, "A", [(1, 1)], ref=long)], people=1)
    expected = 1 if kind == "counted" else 0
    assert [first[n] for n in ("n_insertion", "n_deletion", "n_het_indel", "n_hom_indel")] == [expected] * 4


def test_accepted_filters_count():
    (first, _) = counted([record(5, "G", [(0, 1), (0, 0)], filters=["Ok"])], accept=["Ok"])
    assert first["n_snv"] == 1


def test_a_person_is_counted_by_the_filter_of_their_own_record():
    """However many others carry the allele, and whether their records pass or not."""
    one, two = (record(pos, "G", [(0, 1), (0, 1)]) for pos in (5, 9))
    one.formats["FT"] = np.array([b".", b"LowQual"])
    two.formats["FT"] = np.array([b"Ok;Also", b"Ok"])
    assert [p["n_snv"] for p in counted([one, two])] == [1, 0]
    assert [p["n_snv"] for p in counted([one, two], accept=["Ok"])] == [1, 1]


def common(people, spacing=1, vcf=()):
    absent = np.array([i in vcf for i in range(people)])
    return sm.CommonSnvs(spacing, 0.05, 0.95, absent)


def test_common_snvs_are_alone_at_their_position_and_in_their_bin():
    chosen = common(2, spacing=10)
    het = [(0, 1), (0, 1)]
    counted(
        [
            record(11, "G", het),
            record(11, "T", het),
            record(12, "G", [(0, 0), (0, 0)]),
            record(13, "G", [(0, 1), (-1, -1)]),
            record(14, "G", het),
            record(15, "G", het),
            record(21, "GT", het),
            record(25, "G", [(1, 1), (0, 1)]),
        ],
        common=chosen,
    )
    assert [s[1] for s in chosen.sites] == [14, 25]
    # PLINK 1 .bed, A1 = ALT: het 2, hom-alt 0; the first person in the lowest bits; the rest of the byte padded.
    assert [row[0] & 0b1111 for row in chosen.rows] == [0b1010, 0b1000]


def test_absent_site_of_a_single_vcf_is_reference_for_kinship_only():
    chosen = common(2, vcf={1})
    (_, second) = counted([record(11, "G", [(1, 1), (-1, -1)])], common=chosen)
    assert [s[1] for s in chosen.sites] == [11]
    assert chosen.rows[0][0] & 0b1111 == 0b1100
    assert second["n_snv"] == 0


def charr_of(records, people, limits, absent=None):
    counts = np.zeros((people, len(sm.COUNTS)), np.int64)
    sm.add_charr(records, counts, limits, absent)
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
    sm.add_charr([SimpleNamespace(ref="A", alts=["<*>", "G"], formats=formats)], counts, limits, absent)
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
    sm.add_charr([SimpleNamespace(ref="A", alts=alts, formats=formats)], counts, limits)
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
    found, why = sm.variant_metrics(classes(), counts, "gvcf", limits, 30)
    assert (found["call_rate"], found["mean_dp"], found["count_snvs"]) == (0.9, 30, 30)
    assert found["pass_rate"] == pytest.approx(90 / 94)
    assert found["ratio_heterozygous_homzygous_snv"] == 2
    assert found["charr"] is None
    assert "50 are needed" in why["charr"]
    assert why["ratio_insertion_deletion"] == "no deletion"


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
    assert why["count_snvs"] == why["n_singleton"] == sm.NO_SITES
    found, why = sm.variant_metrics(classes(called=0, missing=100), zero, "gvcf", limits, 30)
    assert (found["call_rate"], found["count_snvs"], why["count_snvs"]) == (0, None, sm.NO_SITES)
    found, _ = sm.variant_metrics(classes(), zero, "gvcf", limits, 30)
    assert found["count_snvs"] == 0


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
