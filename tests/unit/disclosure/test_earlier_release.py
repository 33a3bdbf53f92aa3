"""Two releases of one cohort: who may have joined or left in between, and what stops the run."""

import json
from collections import Counter
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.core import manifest
from goe.core.errors import GoeError
from goe.disclosure import control
from goe.disclosure import earlier_release as pr
from goe.disclosure.plan import choose_strata
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from goe.release import table as frequency_table
from goe.release.formats import sites_vcf
from goe.rules.policy import Policy
from hypothesis import given, settings
from hypothesis import strategies as some

LEAVES = ("EE_F", "EE_M", "EE_U", "LV_F", "LV_M")
BEFORE, NOW = "GOE-EE-EXAMPLE-20250101000000000", "GOE-EE-EXAMPLE-20260101000000000"
TREE = ("Total", "M", "F", "EE", "EE_M", "EE_F", "LV", "LV_M", "LV_F")


def release(people, dataset=NOW, build="GRCh38"):
    return pr.Release(dataset, build, dict(people), {})


def sizes(leaves, strata=None):
    """Published strata -> people, from people by leaf."""
    names = tuple(leaves)
    return {s: sum(leaves[names[i]] for i in st.members(s, names)) for s in strata or st.order(names)}


FULL = {"EE_F": 100, "EE_M": 100, "EE_U": 10, "LV_F": 50, "LV_M": 50}


def changed(**leaves):
    return {leaf: n + leaves.get(leaf, 0) for leaf, n in FULL.items()}


def names(problems):
    return {p.where.removeprefix("stratum ") for p in problems}


def test_countries_under_another_label_need_the_record():
    """EA may be EE and one person more: counts by name do not tell."""
    before = release({"Total": 160, "EE": 100, "LV": 60}, BEFORE)
    now = release({"Total": 160, "EA": 101, "EB": 59})
    contigs = [{"in_both": 1, "only_before": 0, "only_now": 0, "groups": {}}]
    with pytest.raises(GoeError, match=r"strata EA, EB: are new, and EE, LV of .* are gone.*previous_people"):
        pr.check(before, now, Policy(5), contigs)
    pr.check(before, now, Policy(1, legal_basis="x", name="open"), contigs)
    for same in ({"Total": 240, "EE": 100, "LV": 60, "FI": 80}, {"Total": 160, "EE": 100}):
        pr.check(before, release(same), Policy(5), contigs)


# People, from the public numbers alone.


def test_the_same_people_and_many_more_are_no_problem():
    before = release(sizes(FULL), BEFORE)
    assert pr.people_problems(before, release(sizes(FULL)), 5) == []
    grown = changed(EE_F=5, EE_M=7, EE_U=20, LV_F=-5)
    assert pr.people_problems(before, release(sizes(grown)), 5) == []


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("n", [1, 4])
def test_few_people_more_or_less_stop_in_every_stratum_at_once(sign, n):
    before, now = release(sizes(FULL), BEFORE), release(sizes(changed(EE_M=sign * n)))
    told = pr.people_problems(before, now, 5)
    assert names(told) == {"Total", "M", "EE", "EE_M"}
    assert all(f"a difference of {n}, fewer than 5" in p.what and BEFORE in p.what for p in told)
    assert pr.people_problems(before, release(sizes(changed(EE_M=sign * 5))), 5) == []
    assert pr.people_problems(before, now, 1) == []


def test_groups_that_only_a_difference_shows_are_asked_too():
    before = release(sizes(FULL), BEFORE)
    # Three of unknown sex more, three women fewer: Total and EE stay, the group without a sex does not.
    told = pr.people_problems(before, release(sizes(changed(EE_U=3, EE_F=-10, LV_F=7))), 5)
    assert names(told) == {
        "Total without M, F",
        "EE without EE_M, EE_F",
        "F",
    }
    before = release({"Total": 120, "EE": 100}, BEFORE)
    told = pr.people_problems(before, release({"Total": 122, "EE": 100}), 5)
    assert names(told) == {"Total", "Total without EE"}


def test_a_new_stratum_taken_from_the_old_whole_leaves_few():
    before = release({"Total": 54, "EE": 54}, BEFORE)
    now = release({"Total": 59, "EE": 59, "EE_M": 9, "EE_F": 50})
    (told,) = pr.people_problems(before, now, 5)
    assert told.where == "EE without EE_F" and "54 people before, less 50 of EE_F now: a difference of 4" in told.what
    (told,) = pr.people_problems(release(now.people, BEFORE), release(before.people), 5)
    assert "54 people now, less 50 of EE_F before" in told.what
    # LV is new people, not a part of EE: that their numbers are alike is no difference of people.
    before = release({"Total": 1000, "EE": 1000}, BEFORE)
    assert pr.people_problems(before, release({"Total": 1998, "EE": 1000, "LV": 998}), 5) == []
    # Of those who were in no country before, three are in none now.
    before = release({"Total": 1010, "EE": 1000}, BEFORE)
    told = pr.people_problems(before, release({"Total": 1030, "EE": 1010, "FI": 7, "LV": 13}), 5)
    assert names(told) == {"Total without EE, FI"}


def test_groups_are_those_of_the_tree():
    assert pr.groups(["Total"]) == {"Total": {"Total": 1}}
    assert set(pr.groups(TREE)) - set(TREE) == {
        "Total without EE, LV",
        "Total without M, F",
        "EE without EE_M, EE_F",
        "LV without LV_M, LV_F",
        "M without EE_M, LV_M",
        "F without EE_F, LV_F",
        "people in no stratum but Total",
    }
    people = sizes(changed(), TREE) | {"Total": 317}
    for name, weights in pr.groups(TREE).items():
        n = sum(w * people[s] for s, w in weights.items())
        assert n == {"people in no stratum but Total": 7, "EE without EE_M, EE_F": 10}.get(name, n)
        assert n >= 0


# The record.


def keep_rows(people):
    """Rows of keep.tsv from {id: leaf or None}."""
    return [
        {
            "sample_id": name,
            "country_code": (leaf or "EE_F")[:2],
            "sex": "",
            "count_sex": (leaf or "EE_F")[3:],
            "keep": "yes" if leaf else "no",
        }
        for name, leaf in people.items()
    ]


def test_record_holds_no_id_is_for_its_owner_only_and_is_read_back(tmp_path):
    people = {f"SAMPLE{i:03d}": LEAVES[i % 5] for i in range(50)} | {"SAMPLE999": None}
    for name in ("1", "2"):
        pr.write_record(keep_rows(people), tmp_path / f"{name}.tsv", tmp_path / f"{name}.key")
    text = (tmp_path / "1.tsv").read_text()
    assert "SAMPLE" not in text and text.count("\n") == 51
    assert text != (tmp_path / "2.tsv").read_text()
    assert all((tmp_path / f"1.{x}").stat().st_mode & 0o077 == 0 for x in ("tsv", "key"))
    later = {name: leaf for name, leaf in people.items() if name not in ("SAMPLE000", "SAMPLE001")}
    later |= {"SAMPLE002": "LV_M", "NEW": "EE_F", "SAMPLE999": "EE_U"}
    moved = pr.moves(keep_rows(later), tmp_path / "1.tsv", tmp_path / "1.key")
    assert {pair: n for pair, n in moved.items() if pair[0] != pair[1]} == {
        ("EE_F", None): 1,
        ("EE_M", None): 1,
        ("EE_U", "LV_M"): 1,
        (None, "EE_F"): 1,
        (None, "EE_U"): 1,
    }
    assert moved.total() == 52


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda record, key: key.write_text("abc"), r"x\.key: is no key"),
        (lambda record, key: key.write_text("00" * 32), "nobody in it is counted now"),
        (lambda record, key: key.unlink(), r"x\.key: no such file"),
        (lambda record, key: record.write_text("sample_id\tstratum\na\tEE_F\n"), r"x\.tsv: is no record"),
        (lambda record, key: record.write_text(""), r"x\.tsv: is no record"),
        (lambda record, key: record.write_text(record.read_text().replace("EE_F", "E_F")), "'E_F'"),
    ],
)
def test_a_record_that_cannot_be_right(tmp_path, spoil, message):
    keep = keep_rows({f"P{i}": "EE_F" for i in range(9)})
    record, key = tmp_path / "x.tsv", tmp_path / "x.key"
    pr.write_record(keep, record, key)
    spoil(record, key)
    with pytest.raises(GoeError, match=message):
        pr.moves(keep, record, key)


def both(moved, k=5, strata=TREE):
    """Releases that agree with the moves, and what is wrong with these."""
    sides = [Counter(), Counter()]
    for leaves, n in moved.items():
        for side, leaf in zip(sides, leaves, strict=True):
            if leaf:
                side[leaf] += n
    before, now = (
        release(sizes({x: s[x] for x in LEAVES}, strata), i) for s, i in zip(sides, (BEFORE, NOW), strict=True)
    )
    return pr.move_problems(moved, before, now, k)


STAYED = {(leaf, leaf): n for leaf, n in FULL.items()}


def test_an_exchange_of_few_stops_though_no_number_of_people_changed():
    moved = STAYED | {("EE_M", None): 4, (None, "EE_M"): 4}
    assert names(both(moved)) == {"strata Total, M, EE, EE_M"}
    assert sorted(p.what for p in both(moved)) == [
        f"4 people joined since {BEFORE}",
        f"4 people left since {BEFORE}",
    ]
    assert both(STAYED | {("EE_M", None): 5, (None, "EE_M"): 5}) == []
    assert both(moved, k=4) == []


def test_one_who_joins_is_not_hidden_by_many_who_left():
    (told,) = both(STAYED | {("EE_M", None): 40, (None, "EE_M"): 1})
    assert told.what == f"1 people joined since {BEFORE}"


def test_a_mended_label_is_a_move():
    (told,) = both(STAYED | {("EE_U", "EE_F"): 2})
    assert told.where == "strata F, EE_F" and "2 people went from EE to EE_F" in told.what
    (told,) = both(STAYED | {("EE_M", "LV_M"): 1})
    assert told.where == "strata EE, EE_M, LV, LV_M"
    # Where the release does not tell them apart, nothing moved.
    assert both(STAYED | {("EE_M", "EE_F"): 1}, strata=("Total", "EE", "LV")) == []


def test_few_who_were_a_whole_published_stratum_before_are_not_asked_again():
    """The floor was raised: what the earlier release said of them cannot be taken back, and nothing is added."""
    before = release(sizes({"EE_F": 50, "EE_M": 3, "EE_U": 0, "LV_F": 0, "LV_M": 0}, ("Total", "EE", "EE_M", "EE_F")))
    now = release({"Total": 53, "EE": 53})
    assert pr.move_problems({("EE_F", "EE_F"): 50, ("EE_M", "EE_M"): 3}, before, now, 5) == []


def test_a_record_of_another_release_is_noticed():
    before, now = release(sizes(FULL), BEFORE), release(sizes(changed(EE_F=9)))
    moved = STAYED | {(None, "EE_F"): 9, ("EE_F", "EE_F"): 99}
    told = pr.move_problems(moved, before, now, 5)
    assert "record of people, stratum EE_F" in {p.where for p in told}
    assert any("99 people, and 100 in" in p.what for p in told)
    assert "keep list, stratum EE_F" in {p.where for p in told}


@some.composite
def two_cohorts(draw):
    k = draw(some.integers(2, 4))
    few = some.sampled_from([0, 0, 0, 1, k - 1, k, k + 3])
    moved = {(leaf, leaf): draw(some.sampled_from([0, k, 4 * k, 1])) for leaf in LEAVES}
    ends = [*LEAVES, None]
    for _ in range(draw(some.integers(0, 4))):
        pair = (draw(some.sampled_from(ends)), draw(some.sampled_from(ends)))
        if pair[0] != pair[1]:
            moved[pair] = draw(few)
    return k, {pair: n for pair, n in moved.items() if n}


@settings(max_examples=300, deadline=None)
@given(two_cohorts())
def test_attack_sums_and_differences_of_both_releases_never_point_at_few(drawn):
    """Whatever is added up from both, the people who come in with one sign are nobody or at least k."""
    k, moved = drawn
    sides = [Counter({leaf: 0 for leaf in LEAVES}) for _ in range(2)]
    for leaves, n in moved.items():
        for side, leaf in zip(sides, leaves, strict=True):
            if leaf:
                side[leaf] += n
    plans = [choose_strata({x: side[x] for x in LEAVES}, k) for side in sides]
    if any(plan.people[st.TOTAL] < k for plan in plans):
        return
    before, now = (
        release({s: plan.people[s] for s in plan.strata}, i) for plan, i in zip(plans, (BEFORE, NOW), strict=True)
    )
    told = pr.move_problems(moved, before, now, k)
    held = [{leaf: {s for s in plan.strata if st.members(s, [leaf])} for leaf in LEAVES} for plan in plans]
    atoms = [sorted({tuple(sorted(v)) for v in by_leaf.values()}) for by_leaf in held]
    smallest = np.inf
    # Every group that no stratum divides can be had from the release; it counts with one weight for each.
    for weights in product((0, 1), repeat=len(atoms[0]) + len(atoms[1])):
        weight = [
            dict(zip(atoms[0], weights, strict=False)),
            dict(zip(atoms[1], weights[len(atoms[0]) :], strict=True)),
        ]
        people = Counter()
        for (old, new), n in moved.items():
            have = new and weight[1][tuple(sorted(held[1][new]))]
            had = old and weight[0][tuple(sorted(held[0][old]))]
            people[(have or 0) - (had or 0)] += n
        for sign in (1, -1):
            if people[sign]:
                smallest = min(smallest, people[sign])
    if not told:
        assert smallest >= k
    elif all(old and new for old, new in moved) or any("joined" in p.what or "left" in p.what for p in told):
        assert smallest < k


# Counts, from the tables.


def write(path, alleles, people, strata, dataset=NOW, contig="chr1", build="GRCh38"):
    """A long table. alleles: [(pos, ref, alt, {stratum: (het, hom, hemi, an)})]; a stratum not there is not shown."""
    rows = [
        {"pos": pos, "ref": ref, "alt": alt, "stratum": s, "ac_het": v[0], "nhomalt": v[1], "ac_hemi": v[2], "an": v[3]}
        for pos, ref, alt, cells in alleles
        for s, v in ((s, cells[s]) for s in strata if s in cells)
    ]
    about = {
        "dataset": dataset,
        "build": build,
        "contig": contig,
        "strata": [{"stratum": s, "people": people[s]} for s in strata],
    }
    table = pa.Table.from_pylist(
        rows,
        pa.schema(
            [
                (c, pa.string() if c in ("ref", "alt", "stratum") else pa.int32())
                for c in ("pos", "ref", "alt", "stratum", "ac_het", "nhomalt", "ac_hemi", "an")
            ]
        ),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata({"goe": json.dumps(about)}), path, row_group_size=11)
    return path


def plainly(before, now, strata, k):
    """What `compare_contig` says, by dictionaries."""
    old, new = ({(p, r, a): cells for p, r, a, cells in alleles} for alleles in (before, now))
    out = {"in_both": len(old.keys() & new.keys())}
    out |= {"only_before": len(old.keys() - new.keys()), "only_now": len(new.keys() - old.keys()), "groups": {}}
    for name, weights in pr.groups(strata).items():
        figure = dict.fromkeys(("compared", "differ", "people_at_least", "small"), 0)
        for key in old.keys() & new.keys():
            if all(s in old[key] and s in new[key] for s in weights):
                change = [sum(w * (new[key][s][i] - old[key][s][i]) for s, w in weights.items()) for i in range(4)]
                up, down = (sum(max(0, sign * x) for x in change[:3]) for sign in (1, -1))
                people = max(up, down, -(-abs(change[3]) // 2))
                figure["compared"] += 1
                figure["differ"] += people > 0
                figure["people_at_least"] = max(figure["people_at_least"], people)
                figure["small"] += 0 < abs(sum(change[:3])) < k
        out["groups"][name] = figure
    covered = {at for pos, ref, _ in old for at in range(pos, pos + len(ref))}
    told = {
        key
        for key, cells in new.items()
        if (set(cells) - set(old[key]) and cells["Total"] != old[key]["Total"] if key in old else reaches(key, covered))
    }
    return out | {"since": len(told)}, {":".join(map(str, key)) for key in told}


def reaches(key, covered):
    return bool(covered & set(range(key[0], key[0] + len(key[1]))))


@some.composite
def two_tables(draw):
    strata = draw(some.sampled_from([("Total",), ("Total", "EE", "LV"), TREE]))
    tables = []
    for _ in range(2):
        keys = draw(
            some.sets(
                some.tuples(some.integers(1, 9), some.sampled_from(["A", "C", "ATG"]), some.sampled_from(["G", "GT"]))
            )
        )
        cell = some.tuples(*(some.integers(0, 9),) * 3, some.integers(0, 40))
        tables.append(
            [
                (*key, {s: draw(cell) for s in strata if s == "Total" or draw(some.integers(0, 3))})
                for key in sorted(keys)
            ]
        )
    return strata, tables, draw(some.sampled_from([1, 2, 7, 1000]))


@settings(max_examples=150, deadline=None)
@given(drawn=two_tables())
def test_comparison_is_that_of_dictionaries_in_any_pieces(tmp_path_factory, drawn):
    strata, (before, now), rows = drawn
    folder = tmp_path_factory.mktemp("tables")
    people = dict.fromkeys(strata, 100)
    paths = [
        write(folder / f"{i}.parquet", a, people, strata[::-1] if i else strata) for i, a in enumerate((before, now))
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pr, "ROWS", rows)
        found = pr.compare_contig(*paths, strata, 5)
        examples = found.pop("examples")
        wanted, told = plainly(before, now, strata, 5)
        assert found == wanted and set(examples) <= told and len(examples) == len(set(examples)) == min(5, len(told))
        alone = pr.compare_contig(None, paths[1], strata, 5)
        assert (alone["in_both"], alone["only_before"], alone["only_now"]) == (0, 0, len(now))


@settings(max_examples=60, deadline=None)
@given(
    seed=some.integers(0, 2**32 - 1),
    joined=some.integers(0, 4),
    left=some.integers(0, 4),
    recalled=some.integers(0, 4),
)
def test_the_bound_is_never_above_the_people_in_whom_the_releases_differ(
    tmp_path_factory, seed, joined, left, recalled
):
    rng = np.random.default_rng(seed)
    # Calls: 0 none, 1 reference, 2 het, 3 hom, 4 haploid reference, 5 hemizygous.
    calls = rng.integers(0, 6, (30, 40))
    before = calls.copy()
    calls[:recalled] = rng.integers(0, 6, (recalled, 40))
    now = np.vstack((calls[left:], rng.integers(0, 6, (joined, 40)))) if recalled + left <= 30 else calls
    folder = tmp_path_factory.mktemp("bound")

    def table(name, people):
        alleles = []
        for i in range(40):
            n = np.bincount(people[:, i], minlength=6)
            an = 2 * (n[1] + n[2] + n[3]) + n[4] + n[5]
            alleles.append((i + 1, "A", "C", {"Total": (int(n[2]), int(n[3]), int(n[5]), int(an))}))
        return write(folder / name, alleles, {"Total": len(people)}, ("Total",))

    figure = pr.compare_contig(table("before", before), table("now", now), ("Total",), 5)["groups"]["Total"]
    different = joined + left + max(0, recalled - left)
    assert figure["people_at_least"] <= different
    if joined == 1 and left == recalled == 0 and figure["differ"]:
        assert figure["people_at_least"] == 1


def contigs(**groups):
    return [
        {
            "in_both": 9,
            "only_before": 1,
            "only_now": 2,
            "groups": {
                name: {"compared": 9, "differ": 3 if n else 0, "people_at_least": n, "small": 1}
                for name, n in groups.items()
            },
        }
    ]


def test_counts_that_differ_by_few_stop_without_a_record_and_are_told_with_one():
    before, now = release(sizes(FULL), BEFORE), release(sizes(FULL))
    policy = Policy(5)
    for n in (1, 4):
        with pytest.raises(GoeError) as error:
            pr.check(before, now, policy, [*contigs(Total=1, EE=0, LV=0), *contigs(Total=0, EE=n, LV=5)])
        # The largest bound of all contigs counts.
        assert {p.where for p in error.value.problems} == {"stratum Total", "stratum EE"}
        assert "previous_people" in str(error.value)
    assert pr.check(before, now, policy, contigs(Total=9, EE=0, LV=5))["alleles"]["in_both"] == 9
    said = pr.check(before, now, policy, contigs(Total=1, EE=1, LV=1), STAYED)
    assert "private record" in said["exchanged"]
    assert said["alleles_with_a_small_difference"] == {"Total": 1, "EE": 1, "LV": 1}


def test_an_open_release_is_described_and_nothing_stops_it():
    policy = Policy(1, legal_basis="a decision")
    before, now = release(sizes(FULL), BEFORE), release(sizes(changed(EE_F=1)))
    said = pr.check(before, now, policy, contigs(Total=1))
    assert said["dataset"] == BEFORE and "open" in said["exchanged"]
    json.dumps(said)


def test_everything_wrong_is_said_at_once():
    before = release(sizes(FULL), "GOE-LV-OTHER-20250101000000000")
    now = release(sizes(changed(EE_F=1)))
    with pytest.raises(GoeError) as error:
        pr.check(before, now, Policy(5), contigs(LV=2))
    where = {p.where for p in error.value.problems}
    assert {
        "config previous_release",
        "stratum EE_F",
        "stratum EE",
        "stratum F",
        "stratum Total",
        "stratum LV",
    } <= where
    with pytest.raises(GoeError, match="the id of the earlier release"):
        pr.check(release(sizes(FULL)), release(sizes(FULL)), Policy(5), [])
    # GOE and GDI are two catalogues, not two cohorts.
    pr.check(release(sizes(FULL), BEFORE.replace("GOE", "GDI")), release(sizes(FULL)), Policy(5), contigs(Total=0))


def test_other_builds_need_the_record():
    before, now = release(sizes(FULL), BEFORE, "GRCh37"), release(sizes(FULL))
    with pytest.raises(GoeError, match=r"GRCh37, not GRCh38.*previous_people"):
        pr.check(before, now, Policy(5), [])
    said = pr.check(before, now, Policy(5), [], STAYED)
    assert said["alleles"] is None and said["alleles_with_a_small_difference"] is None


def folder_of(root, dataset, people, alleles=()):
    strata = tuple(people)
    cells = {s: (6, 0, 0, 2 * people[s]) for s in strata}
    rows = [(5, "A", "C", cells), *alleles]
    for contig in ("chr1", "chr2"):
        write(root / "frequencies" / f"{contig}.parquet", rows, people, strata, dataset, contig)
    pq.write_table(pa.table({"pos": [1]}), root / "frequencies" / "chr1.wide.parquet")
    manifest.write(root, manifest.files(root))
    return root


def test_folder_is_read_whole_or_not_at_all(tmp_path):
    folder = folder_of(tmp_path / "a", BEFORE, sizes(FULL))
    found = pr.read(folder)
    assert (found.dataset, found.build, found.people) == (BEFORE, "GRCh38", sizes(FULL))
    assert {c: p.name for c, p in found.tables.items()} == {"chr1": "chr1.parquet", "chr2": "chr2.parquet"}
    with pytest.raises(GoeError, match="no such folder"):
        pr.read(tmp_path / "absent")
    (folder / "frequencies/chr2.parquet").unlink()
    with pytest.raises(GoeError, match=r"chr2\.parquet: is listed but not there"):
        pr.read(folder)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/README.md").write_text("Nothing.\n")
    manifest.write(tmp_path / "empty", ["README.md"])
    with pytest.raises(GoeError, match="there is no frequency table"):
        pr.read(tmp_path / "empty")


def test_tables_that_do_not_belong_together(tmp_path):
    one = write(tmp_path / "1.parquet", [], {"Total": 9}, ("Total",))
    two = write(tmp_path / "2.parquet", [], {"Total": 8}, ("Total",), contig="chr2")
    three = write(tmp_path / "3.parquet", [], {"Total": 9}, ("Total",), contig="chr1")
    bare = tmp_path / "4.parquet"
    pq.write_table(pa.table({"stratum": ["Total"]}), bare)
    with pytest.raises(GoeError, match=r"2\.parquet: strata differs"):
        pr.of_tables([one, two])
    with pytest.raises(GoeError, match=r"3\.parquet: chr1 is also in 1\.parquet"):
        pr.of_tables([one, three])
    with pytest.raises(GoeError, match="column pos is missing"):
        pr.of_tables([bare])
    with pytest.raises(GoeError, match="do not say dataset"):
        pr.of_tables([bare])
    unsorted = write(
        tmp_path / "5.parquet",
        [(9, "A", "C", {"Total": (1,) * 4}), (2, "A", "C", {"Total": (1,) * 4})],
        {"Total": 9},
        ("Total",),
    )
    with pytest.raises(GoeError, match=r"5\.parquet: rows are not in the order"):
        pr.compare_contig(unsorted, None, ("Total",), 5)


def test_tables_of_the_release_itself(tmp_path, repo):
    """The table as the release writes it, before and after one woman joined."""
    fields = sites_vcf.read_fields(repo / "resources/dictionary/fields.tsv")
    found = []
    for i, (dataset, women) in enumerate(((BEFORE, 40), (NOW, 41))):
        people = {"EE_F": women, "EE_M": 40}
        plan = choose_strata(people, 5)
        counts = np.zeros((2, 5, 300), dtype=np.int32)
        counts[:, st.DIP] = [[women], [40]]
        counts[:, st.HET] = 10
        counts[0, st.HET] += i
        block = Block(
            contig="chr1",
            pos=pa.array(np.arange(1, 301), pa.int32()),
            ref=pa.array(["A"] * 300),
            alt=pa.array(["C"] * 300),
            filter=pa.array(["PASS"] * 300),
            mask=control.apply(counts, plan, Policy(5)).shown,
            strata=plan.strata,
            numbers=st.numbers(st.expand(counts, plan.leaves, plan.strata)),
            statistics={name: np.full(300, np.nan) for name in frequency_table.STATISTICS},
        )
        about = {"dataset": dataset, "build": "GRCh38"}
        path = tmp_path / f"{i}.parquet"
        with frequency_table.Writer(
            path, frequency_table.schema(fields, about, {s: plan.people[s] for s in plan.strata}, "chr1")
        ) as out:
            out.write(block)
        found.append(pr.of_tables([path]))
    before, now = found
    strata = [s for s in now.people if s in before.people]
    said = pr.compare_contig(before.tables["chr1"], now.tables["chr1"], strata, 5)
    assert said["in_both"] == 300
    assert {g: f["people_at_least"] for g, f in said["groups"].items()}["EE_F"] == 1
    assert said["groups"]["EE_M"] == {"compared": 300, "differ": 0, "people_at_least": 0, "small": 0}
    with pytest.raises(GoeError) as error:
        pr.check(before, now, Policy(5), [said])
    assert {p.where for p in error.value.problems} >= {f"stratum {s}" for s in ("Total", "F", "EE", "EE_F")}
    assert "EE_M" not in {p.where.removeprefix("stratum ") for p in error.value.problems}


def test_what_tells_an_earlier_release_s_withheld_numbers_stops(tmp_path):
    """EE was withheld, FI stayed as it was, and now both are given: Total then, less FI, was EE."""
    people = {"Total": 45, "EE": 20, "FI": 25}
    strata = tuple(people)
    total, ee, fi = (4, 0, 0, 80), (5, 0, 0, 50), (8, 0, 0, 50)
    old = [(5, "ATG", "A", {"Total": total}), (20, "A", "C", {"Total": total})]
    now = [
        (6, "T", "C", {"Total": (9, 0, 0, 90)}),
        (20, "A", "C", {"Total": (13, 0, 0, 100), "EE": ee, "FI": fi}),
        (30, "A", "C", {"Total": (13, 0, 0, 100), "EE": ee, "FI": fi}),
    ]
    paths = [write(tmp_path / name, alleles, people, strata) for name, alleles in (("old", old), ("now", now))]
    found = pr.compare_contig(*paths, strata, 5)
    releases = release(people, BEFORE), release(people)
    with pytest.raises(GoeError, match=rf"2 alleles tell numbers that {BEFORE} withheld: 6:T:C, 20:A:C"):
        pr.check(*releases, Policy(5), [found], Counter())
    same = pr.compare_contig(paths[0], paths[0], strata, 5)
    assert (same["since"], same["examples"]) == (0, [])
