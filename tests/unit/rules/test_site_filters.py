"""FILTER of site alleles: every rule alone, at its threshold, without a value and switched off; and its account."""

import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from goe.core import usage
from goe.core.ledger import Ledger
from goe.frequencies.counts import METRIC_COLUMNS
from goe.genome.build import REGION_DIPLOID, REGION_X, REGION_Y
from goe.harmonise.records import N_CLASSES
from goe.rules import site_filters as site_rules
from goe.settings import config
from goe.variant_qc.filters import Counted, annotate
from helpers.stages import forked
from hypothesis import given, settings
from hypothesis import strategies as draw

RULES = config.schema()["properties"]["variant_qc"]["properties"]
DEFAULTS = {key: rule["default"] for key, rule in RULES.items()}
METRICS = ("qual", *METRIC_COLUMNS.values())
GOOD = {"qual": 500.0, "qd": 20.0, "mq": 60.0, "fs": 1.0, "read_pos_rank_sum": 0.2}
PEOPLE = {"EE_F": 200, "EE_M": 100, "FI_F": 200}


def allele(people=None, kind=REGION_DIPLOID, filters=(), pos=100, **metrics):
    """A site allele that passes everything unless told otherwise. people: leaf -> (het, hom, called)."""
    people = people or {"EE_F": (20, 1, 200), "FI_F": (20, 1, 200)}
    row = {"pos": pos, "filters": list(filters), "region_class": kind, **GOOD, **metrics}
    for leaf, size in PEOPLE.items():
        het, hom, called = people.get(leaf, (0, 0, size))
        haploid = kind == REGION_Y or (kind == REGION_X and leaf.endswith("_M"))
        cells = {"dip": called, "hap": 0, "het": het, "hom": hom, "hemi": 0}
        if haploid:
            cells = {"dip": 0, "hap": called, "het": 0, "hom": 0, "hemi": hom}
        row |= {f"{measure}_{leaf}": n for measure, n in cells.items()}
    return row


def table(*rows, sizes=None):
    sizes = sizes or PEOPLE
    expected = {
        str(c): {
            leaf: n * (1 if c == REGION_Y or (c == REGION_X and leaf.endswith("_M")) else 2)
            for leaf, n in sizes.items()
        }
        for c in range(1, N_CLASSES)
    }
    about = {"goe": json.dumps({"leaves": list(sizes), "people": sizes, "class_expected": expected})}
    names = list(allele())
    types = dict.fromkeys(METRICS, pa.float32()) | {"filters": pa.list_(pa.string())}
    columns = {name: pa.array([row[name] for row in rows], types.get(name, pa.int32())) for name in names}
    return pa.table(columns).replace_schema_metadata(about)


def judged(*rows, regions=None, **rules):
    ledger = Ledger("variant_qc")
    made = annotate(table(*rows), DEFAULTS | rules, regions, ledger)
    ledger.check()
    return made["filter"].to_pylist(), ledger


# A number of het, hom of 200 women at which HWE fails, with too many or too few heterozygotes.
EXCESS, DEFICIT = (180, 0, 200), (10, 40, 200)


@pytest.mark.parametrize(
    ("row", "filters"),
    [
        (allele(), []),
        (allele({leaf: (0, 0, n) for leaf, n in PEOPLE.items()}), ["AC0"]),
        (allele({"EE_F": (20, 1, 149), "FI_F": (20, 1, 200)}), ["LowCallRate"]),
        (allele({"EE_F": (20, 1, 150), "FI_F": (20, 1, 200)}), []),  # 450 of 500, the threshold itself
        (allele({"EE_F": EXCESS, "FI_F": (20, 1, 200)}), ["HWE", "HetExcess", "InbreedingCoeff"]),
        (allele({"EE_F": (20, 1, 200), "FI_F": DEFICIT}), ["HWE"]),
        (allele({"EE_F": DEFICIT, "FI_F": EXCESS}), ["HWE", "HetExcess", "InbreedingCoeff"]),
        (allele(qual=29.9), ["LowQUAL"]),
        (allele(qual=30.0), []),
        (allele(qd=1.99), ["LowQD"]),
        (allele(mq=39.5), ["LowMQ"]),
        (allele(fs=60.5), ["HighFS"]),
        (allele(fs=60.0), []),
        (allele(read_pos_rank_sum=-8.1), ["LowReadPosRankSum"]),
        (allele(qual=1, qd=1, mq=1, fs=99, read_pos_rank_sum=-9), [*site_rules.RULES][5:10]),
        (allele(filters=["VQSR", "q10"], qd=1), ["LowQD", "VQSR", "q10"]),
    ],
)
def test_a_rule_fails_where_it_says_and_nowhere_else(row, filters):
    assert judged(row)[0] == [filters]


def test_a_value_of_the_input_is_compared_in_its_own_precision():
    """2.1 and 0.1 have no exact single precision: read from a BCF they are a little less and a little more."""
    rules = {"min_qd": 2.1, "max_fs": 0.1, "min_read_pos_rank_sum": -0.7}
    at = {"qd": 2.1, "fs": 0.1, "read_pos_rank_sum": -0.7}
    assert float(np.float32(2.1)) < 2.1 and float(np.float32(0.1)) > 0.1
    assert judged(allele(**at), **rules)[0] == [[]]
    beyond = {"qd": 2.0999, "fs": 0.1001, "read_pos_rank_sum": -0.7001}
    assert judged(allele(**beyond), **rules)[0] == [["LowQD", "HighFS", "LowReadPosRankSum"]]


@pytest.mark.parametrize("absent", [None, math.nan])
def test_an_input_without_any_info_fails_no_rule_and_says_so(absent):
    filters, ledger = judged(allele(**dict.fromkeys(METRICS, absent)), allele())
    assert filters == [[], []]
    for name in ("LowQUAL", "LowQD", "LowMQ", "HighFS", "LowReadPosRankSum"):
        assert ledger.dropped[name] == {"no value": 1, "fails the rule": 0}
        assert (ledger.taken[name], ledger.given[name]) == (2, 1)


def test_a_rule_that_is_off_is_in_no_account():
    off = {RULE["key"]: None for RULE in site_rules.RULES.values() if RULE["default"]}
    bad = allele({"EE_F": EXCESS}, qual=1, qd=1, mq=1, fs=99, read_pos_rank_sum=-9)
    filters, ledger = judged(bad, **off)
    assert filters == [[]]
    assert set(ledger.taken) == {"site_alleles", "AC0"}


def test_the_whole_account():
    _, ledger = judged(
        allele(),
        allele({leaf: (0, 0, n) for leaf, n in PEOPLE.items()}),
        allele({"EE_F": EXCESS}),
        allele({"EE_F": EXCESS}),
        allele({"FI_F": DEFICIT}),
        allele({"EE_F": DEFICIT, "FI_F": EXCESS}, qd=None),
        allele(kind=REGION_Y, fs=70, qual=None),
        allele(filters=["VQSR"], qd=1),
        allele(filters=["VQSR"]),
    )
    assert ledger.as_dict() == {
        "step": "variant_qc",
        "in": dict.fromkeys(sorted({*site_rules.RULES, "site_alleles"} - {"HetExcess", "LCR", "SEGDUP"}), 9),
        "added": {},
        "out": {
            "AC0": 8,
            "HWE": 4,
            "HighFS": 8,
            "InbreedingCoeff": 4,
            "LowCallRate": 9,
            "LowMQ": 9,
            "LowQD": 7,
            "LowQUAL": 8,
            "LowReadPosRankSum": 9,
            "site_alleles": 1,
        },
        "dropped": {
            "AC0": {"fails the rule": 1, "no value": 0},
            "HWE": {
                "heterozygotes in excess": 2,
                "heterozygotes too few": 1,
                "in excess here, too few there": 1,
                "no value": 1,
            },
            "HighFS": {"fails the rule": 1, "no value": 0},
            # Without a value: nobody has the allele, or on Y.
            "InbreedingCoeff": {"fails the rule": 3, "no value": 2},
            "LowCallRate": {"fails the rule": 0, "no value": 0},
            "LowMQ": {"fails the rule": 0, "no value": 0},
            "LowQD": {"fails the rule": 1, "no value": 1},
            "LowQUAL": {"fails the rule": 0, "no value": 1},
            "LowReadPosRankSum": {"fails the rule": 0, "no value": 0},
            "site_alleles": {"AC0": 1, "HWE": 4, "HighFS": 1, "LowQD": 1, "input filter": 1},
        },
    }


def test_no_alleles_at_all():
    made = annotate(table(), DEFAULTS, ledger=(ledger := Ledger("x")))
    ledger.check()
    assert made.num_rows == 0 and made["filter"].type == pa.list_(pa.string())
    assert set(ledger.taken.values()) == {0}


def test_a_country_with_three_people_judges_nothing_and_is_named():
    """All three heterozygous is no evidence; where it is the only country the rules by country have no value."""
    rows = [allele({"EE_F": (100, 0, 200), "EE_M": (0, 0, 100), "FI_F": (3, 0, 3)})]
    sizes = {"EE_F": 200, "EE_M": 100, "FI_F": 3}
    made = annotate(table(*rows, sizes=sizes), DEFAULTS | {"hwe_min_people": 3}).to_pylist()[0]
    assert made["inbreeding_coeff"] == -1
    [made] = annotate(table(*rows, sizes=sizes), DEFAULTS).to_pylist()
    assert made["inbreeding_coeff"] == pytest.approx(1 - 100 / (600 * (1 / 6) * (5 / 6)))
    ledger = Ledger("x")
    [made] = annotate(table(*rows, sizes=sizes), DEFAULTS | {"hwe_min_people": 1000}, ledger=ledger).to_pylist()
    assert made["hwe_p"] is None and made["inbreeding_coeff"] is None
    assert ledger.dropped["HWE"]["no value"] == ledger.dropped["InbreedingCoeff"]["no value"] == 1
    counted = Counted.of(table(*rows, sizes=sizes))
    assert counted.too_small(100) == {"FI": 3}
    assert counted.too_small(1000) == {"EE": 300, "FI": 3}


def test_on_x_outside_the_par_only_women_are_tested():
    """Men of Estonia all carry the allele: that is no deficit of heterozygotes among them."""
    men = {"EE_F": (20, 1, 200), "EE_M": (0, 100, 100), "FI_F": (20, 1, 200)}
    with_men, without = (allele(men | {"EE_M": m}, REGION_X) for m in ((0, 100, 100), (0, 0, 100)))
    first, second = annotate(table(with_men, without), DEFAULTS).to_pylist()
    assert first["hwe_p"] == second["hwe_p"] and first["filter"] == second["filter"] == []
    pooled = annotate(table(allele(men)), DEFAULTS).to_pylist()[0]
    assert "HWE" in pooled["filter"]  # the same people as diploids


def test_regions_are_a_filter_only_where_the_config_asks():
    rows = [allele(pos=p) for p in (99, 100, 120, 121)]
    where = {"lcr": np.array([[100, 120]]), "segdup": np.array([[121, 130]])}
    assert judged(*rows, regions=where)[0] == [[]] * 4
    ledger = Ledger("variant_qc")
    made = annotate(table(*rows), DEFAULTS | {"regions": ["lcr", "segdup"]}, where, ledger)
    assert made["filter"].to_pylist() == [[], ["LCR"], ["LCR"], ["SEGDUP"]]
    assert ledger.dropped["LCR"] == {"no value": 0, "fails the rule": 2}
    assert ledger.dropped["SEGDUP"] == {"no value": 0, "fails the rule": 1}


def test_the_job_of_a_region_reads_the_bed_and_names_small_countries_in_its_log(tmp_path):
    """Through the script, over two row groups: the same rows as at once, the ledger of both, the log in words."""
    rows = [allele(pos=p) for p in (99, 100, 121)] + [allele({"EE_F": EXCESS}, pos=130)]
    counts = tmp_path / "counts.parquet"
    whole = table(*rows).append_column("contig", pa.array(["chr20"] * 4))
    pq.write_table(whole, counts, row_group_size=3)
    # Not sorted, overlapping, another contig.
    (tmp_path / "lcr.bed").write_text(
        "chr21\t0\t500\nchr20\t120\t125\nchr20\t99\t110\nchr20\t90\t91\nchr20\t100\t105\n"
    )
    rules = DEFAULTS | {"regions": ["lcr"], "hwe_min_people": 250}
    forked(
        tmp_path,
        "variant_qc_filter.py",
        input={"counts": counts},
        output={"table": tmp_path / "out.parquet", "ledger": tmp_path / "ledger.json"},
        params={"rules": rules, "regions": {"lcr": str(tmp_path / "lcr.bed")}, "contig": "chr20"},
    ).ok()
    made = pq.read_table(tmp_path / "out.parquet")
    assert made["filter"].to_pylist() == [[], ["LCR"], ["LCR"], ["HWE", "HetExcess", "InbreedingCoeff"]]
    ledger = json.loads((tmp_path / "ledger.json").read_text())
    assert ledger["dropped"]["LCR"] == {"fails the rule": 2, "no value": 0}
    assert ledger["in"]["HWE"] == 4 and ledger["dropped"]["HWE"]["heterozygotes in excess"] == 1
    [log] = tmp_path.glob("*.log")
    words, took = log.read_text().splitlines()
    assert words == "HWE and InbreedingCoeff cannot be judged in FI: 200 people, 250 needed"
    assert took.startswith(usage.MARK)


# --- against a plain implementation ---


def plain(row, rules):
    """FILTER of an allele as the rules read, one value at a time."""

    def p_of(het, ref, hom):
        n, rare = het + ref + hom, 2 * hom + het

        def weight(h):
            r = (rare - h) // 2
            return math.comb(n, h) * math.comb(n - h, r) * 2**h

        ways = {h: weight(h) for h in range(rare % 2, min(rare, 2 * n - rare) + 1, 2)}
        return sum(w for w in ways.values() if w <= ways[het]) / math.comb(2 * n, rare)

    countries = {}
    for leaf in PEOPLE:
        mine = countries.setdefault(leaf[:2], [0, 0, 0])
        for i, measure in enumerate(("dip", "het", "hom")):
            mine[i] += row[f"{measure}_{leaf}"]
    out = []
    carriers = sum(row[f"{m}_{leaf}"] for m in ("het", "hom", "hemi") for leaf in PEOPLE)
    if not carriers:
        out.append("AC0")
    called = sum(2 * row[f"dip_{leaf}"] + row[f"hap_{leaf}"] for leaf in PEOPLE)
    if called / (2 * sum(PEOPLE.values())) < rules["min_call_rate"]:
        out.append("LowCallRate")
    failing, coefficients = [], []
    for dip, het, hom in countries.values():
        if dip < rules["hwe_min_people"]:
            continue
        alt = 2 * hom + het
        expected = 2 * alt / (2 * dip) * (1 - alt / (2 * dip)) * dip if dip else 0
        if p_of(het, dip - het - hom, hom) < rules["hwe_p"]:
            failing.append(het > expected)
        if expected:
            coefficients.append(1 - het / expected)
    if failing:
        out.append("HWE")
    if any(failing):
        out.append("HetExcess")
    if coefficients and min(coefficients) < rules["inbreeding_coeff"]:
        out.append("InbreedingCoeff")
    for name, key, low in (
        ("LowQUAL", "qual", rules["min_qual"]),
        ("LowQD", "qd", rules["min_qd"]),
        ("LowMQ", "mq", rules["min_mq"]),
        ("LowReadPosRankSum", "read_pos_rank_sum", rules["min_read_pos_rank_sum"]),
    ):
        if row[key] is not None and np.float32(row[key]) < np.float32(low):
            out.append(name)
    if row["fs"] is not None and np.float32(row["fs"]) > np.float32(rules["max_fs"]):
        out.append("HighFS")
    return sorted(out) + [f for f in row["filters"] if f not in rules["accept_filters"]]


@draw.composite
def alleles(data):
    people = {}
    for leaf, size in PEOPLE.items():
        called = data(draw.integers(0, size))
        hom = data(draw.integers(0, called))
        people[leaf] = (data(draw.integers(0, called - hom)), hom, called)
    metrics = {key: data(draw.none() | draw.floats(-10, 80, width=32)) for key in METRICS}
    return allele(people, filters=data(draw.lists(draw.sampled_from(["a", "b"]), unique=True)), **metrics)


@settings(max_examples=60, deadline=None)
@given(draw.lists(alleles(), min_size=1, max_size=8), draw.integers(0, 8), draw.floats(0, 1), draw.integers(1, 300))
def test_any_alleles_get_what_the_rules_read(rows, cut, hwe_p, least):
    rules = DEFAULTS | {"hwe_p": hwe_p, "hwe_min_people": least, "accept_filters": ["b"], "min_call_rate": 0.5}
    whole, parts = Ledger("x"), Ledger("x")
    made = annotate(table(*rows), rules, ledger=whole)
    halves = [annotate(table(*part), rules, ledger=parts) for part in (rows[:cut], rows[cut:])]
    assert pa.concat_tables(halves).equals(made)
    whole.check()
    assert whole.as_dict() == parts.as_dict()
    ours = [
        sorted(f for f in x if f in site_rules.RULES) + [f for f in x if f == "a"] for x in made["filter"].to_pylist()
    ]
    assert ours == [plain(row, rules) for row in rows]


# --- names, sources and words ---


def test_every_rule_has_its_default_and_a_source():
    asked = {row["key"] for row in site_rules.RULES.values()}
    for name, row in site_rules.RULES.items():
        assert row["source"] and row["description"] and row["words"] and row["no_value"], name
        if row["default"]:
            assert float(row["default"]) == RULES[row["key"]]["default"], name
            assert "{}" in row["words"]
    thresholds = {key for key in RULES if key not in ("accept_filters", "hwe_min_people", "regions")}
    assert thresholds == {key for key in asked if key and not key.startswith("regions.")}
    flags = config.schema()["properties"]["annotations"]["properties"]["regions"]["properties"]
    assert set(site_rules.REGION_FILTERS) == set(flags) == set(RULES["regions"]["items"]["enum"])


def test_the_page_on_quality_control_has_every_rule(repo):
    page = (repo / "docs/qc.md").read_text().split("## Site filters")[1].split("\n## ")[0]
    for name, row in site_rules.RULES.items():
        [line] = [line for line in page.splitlines() if line.startswith("|") and f"`{name}`" in line]
        assert (row["default"].replace("1e-06", "1e-6") or "|") in line, name


def test_the_words_tell_thresholds_sources_and_where_there_were_too_few(repo):
    written = yaml.safe_load((repo / "config/config.yaml").read_text())["variant_qc"]
    assert written == DEFAULTS
    said = site_rules.words(DEFAULTS | {"min_qd": 3, "max_fs": None}, {"EE": 300, "FI": 99, "LV": 100})
    text = "\n".join(said)
    assert "LowQUAL: QUAL below 30 [Genome-of-Europe/pgx_pilot: scripts/tag_variant_qc.py]" in said
    assert "LowQD: QD below 3 [set for this cohort, default 2]" in said
    assert "HighFS" not in text and "LCR" not in text
    [line] = [s for s in said if s.startswith("HWE and")]
    assert "in EE, LV (100 people or more" in line and "not in FI" in line
    assert "judged in no published country: none has 100 people" in "\n".join(site_rules.words(DEFAULTS, {"FI": 3}))
    off = DEFAULTS | {"hwe_p": None, "inbreeding_coeff": None, "regions": ["lcr"], "accept_filters": ["q10"]}
    text = "\n".join(site_rules.words(off, {"FI": 3}))
    assert "judged" not in text and "LCR: POS" in text and "count as PASS: q10" in text


def test_counts_are_those_of_the_ledger():
    _, ledger = judged(allele({"EE_F": EXCESS}), allele(qd=None))
    found = site_rules.counts({"steps": [{"step": "harmonise", "in": {}}, ledger.as_dict()]})
    assert found["LowQD"] == {"passed": 1, "no_value": 1, "failed": {"fails the rule": 0}}
    assert found["HWE"]["failed"]["heterozygotes in excess"] == 1 and "HetExcess" not in found
    assert list(found) == [name for name in site_rules.RULES if name in found]
