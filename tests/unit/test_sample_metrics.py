"""Metrics from tool reports and from genotypes."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from goe import keep
from goe import sample_metrics as sm
from goe.build import Build
from goe.errors import GoeError


@pytest.fixture(scope="module")
def limits(repo):
    folder = repo / "resources/guidelines"
    return keep.load([folder / "sample_qc.tsv", folder / "inference.tsv"]).parameters


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


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize(("x", "y"), [(2, 0), (1, 1), (2, 1), (1, 0)])
def test_depth_ratios_leave_the_par_out(tmp_path, masked, x, y):
    # A PAR that is not masked on Y has no read of mapping quality 20 on either of the two.
    depth = 30
    on_x = 10 * depth if masked else 0
    summed = {"1": 80 * depth, "X": 40 * depth * x // 2 + on_x, "Y": 30 * depth * y // 2}
    found = sm.depth_metrics(summed, {"1": 0.78}, bases(tmp_path, masked), BUILD.contigs)
    assert found["mean_autosome_coverage"] == depth
    assert found["pct_autosomes_15x"] == pytest.approx(97.5)
    assert found["x_depth_ratio"] == pytest.approx(x / 2)
    assert found["y_depth_ratio"] == pytest.approx(y / 2)


def test_mosdepth_reports(tmp_path):
    summary = tmp_path / "s.txt"
    rows = "1\t100\t3000\t30\t0\t50\n1_region\t50\t1\t1\t0\t1\ntotal\t100\t3000\t30\t0\t50\n"
    summary.write_text("chrom\tlength\tbases\tmean\tmin\tmax\n" + rows)
    assert sm.mosdepth_summary(summary) == {"1": 3000}
    dist = tmp_path / "d.txt"
    dist.write_text("1\t40\t0.10\n1\t16\t0.93\n1\t14\t0.97\n1\t0\t1.00\nX\t3\t0.5\ntotal\t16\t0.9\n")
    assert sm.mosdepth_covered(dist) == {"1": 0.93, "X": 0.0}


@pytest.mark.parametrize("reader", [sm.mosdepth_summary, sm.samtools_stats, lambda p: sm.fastp_q30([p])])
def test_damaged_report_names_the_file(tmp_path, reader):
    path = tmp_path / "broken.txt"
    path.write_text("")
    with pytest.raises(GoeError, match=r"broken\.txt"):
        reader(path)


def test_samtools_stats(tmp_path):
    path = tmp_path / "s.txt"
    lines = ["SN\tsequences:\t200", "SN\treads mapped:\t190", "SN\treads properly paired:\t180"]
    lines += ["SN\treads paired:\t200", "SN\treads duplicated:\t10\t# of the primary"]
    lines += ["SN\tinsert size average:\t350.5", "SN\tinsert size standard deviation:\t60.0"]
    lines += ["FFQ\t1\t" + "\t".join(["7"] * 30 + ["5", "6"]), "LFQ\t1\t" + "\t".join(["1"] * 30 + ["4"])]
    path.write_text("\n".join(lines) + "\n")
    assert sm.samtools_stats(path) == {
        "yield_bp_q30": 15,
        "pct_reads_mapped": 95,
        "pct_reads_properly_paired": 90,
        "pct_duplicates": 5,
        "mean_insert_size": 350.5,
        "insert_size_std_deviation": 60,
    }


def test_yield_is_summed_over_units(tmp_path):
    for n in (1, 2):
        (tmp_path / f"{n}.json").write_text(json.dumps({"summary": {"before_filtering": {"q30_bases": n * 100}}}))
    assert sm.fastp_q30([tmp_path / "1.json", tmp_path / "2.json"]) == 300
    assert sm.fastp_q30([]) is None


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


def test_accepted_filters_count():
    (first, _) = counted([record(5, "G", [(0, 1), (0, 0)], filters=["Ok"])], accept=["Ok"])
    assert first["n_snv"] == 1


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


def test_charr_recovers_a_planted_contamination(limits):
    rng = np.random.default_rng(2)
    people, alpha = 30, 0.08
    records = []
    for _ in range(3000):
        frequency = rng.uniform(0.1, 0.9)
        alleles = (rng.random((people, 2)) < frequency).astype(np.int8)
        ad = np.zeros((people, 2), np.int32)
        for i in range(people):
            share = 1 - alleles[i].mean()
            if i == 0:
                share = (1 - alpha) * share + alpha * (1 - frequency)
            ad[i, 0] = rng.binomial(40, share)
        ad[:, 1] = 40 - ad[:, 0]
        formats = {
            "GT": ((alleles + 1) << 1).astype(np.int8),
            "AD": ad,
            "GQ": np.full((people, 1), 60, np.int8),
            "DP": np.full((people, 1), 40, np.int8),
        }
        records.append(SimpleNamespace(ref="A", alts=["G"], formats=formats))
    counts = np.zeros((people, len(sm.COUNTS)), np.int64)
    sm.add_charr(records, counts, limits)
    at = sm.COUNTS.index
    charr = counts[:, at("charr_sum")] / sm.CHARR_UNIT / counts[:, at("charr_n")]
    assert charr[0] == pytest.approx(alpha, rel=0.15)
    assert charr[1:].max() == 0


@pytest.mark.parametrize("broken", ["AD", "GQ", "alts", "ploidy"])
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
    else:
        del formats[broken]
    counts = np.zeros((30, len(sm.COUNTS)), np.int64)
    sm.add_charr([SimpleNamespace(ref="A", alts=alts, formats=formats)], counts, limits)
    assert not counts.any()


def classes(records=100, called=90, missing=6, depth=30):
    counters = dict.fromkeys(sm.PASS_COLUMNS, 0)
    counters |= {"n_records": records, "n_called": called, "n_missing_in": missing}
    return {1: counters | {"sum_dp": called * depth, "n_dp": called if depth else 0}}


def test_variant_metrics(limits):
    counts = dict.fromkeys(sm.COUNTS, 0) | {"n_snv": 30, "n_het_snv": 20, "n_hom_snv": 10, "n_ti": 20, "n_tv": 10}
    found, why = sm.variant_metrics(classes(), counts, "gvcf", limits)
    assert (found["call_rate"], found["mean_dp"], found["n_snv"]) == (0.9, 30, 30)
    assert found["pass_rate"] == pytest.approx(90 / 94)
    assert found["ratio_heterozygous_homzygous_snv"] == 2
    assert found["charr"] is None
    assert "50 are needed" in why["charr"]
    assert why["ratio_insertion_deletion"] == "n_deletion is 0"


def test_single_vcf_has_no_call_rate(limits):
    found, why = sm.variant_metrics(classes(missing=6), dict.fromkeys(sm.COUNTS, 0), "vcf", limits)
    assert found["call_rate"] is None
    assert why["call_rate"] == sm.VCF_ABSENT


def test_every_null_has_a_reason(limits):
    found, why = sm.variant_metrics({}, {}, "cram", limits)
    assert set(found) == set(sm.VARIANT_METRICS)
    assert all(value is None for value in found.values())
    assert set(why) == set(sm.VARIANT_METRICS)


@pytest.mark.parametrize(("value", "expected"), [(None, ""), (1.0, "1"), (0.5, "0.5"), (85e9, "85000000000"), (3, "3")])
def test_cells(value, expected):
    assert sm.text(value) == expected
