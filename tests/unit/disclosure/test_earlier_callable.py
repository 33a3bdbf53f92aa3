"""Callable AN beside an earlier release: by its folder and the record of who was counted."""

import json
from collections import Counter

import pyarrow.parquet as pq
import pytest
from goe.core.errors import GoeError
from goe.disclosure import earlier_callable, earlier_release
from goe.rules.policy import Policy
from helpers import callable_runs as cr

SIZES = {"EE_F": 12, "EE_M": 13, "FI_F": 11, "FI_M": 12}
FLOOR, OPEN = Policy(3, least=3), Policy(1, name="open", legal_basis="test")
NEW = 5


@pytest.fixture
def then(tmp_path):
    """An earlier release without the last men of EE, its record, and everybody: (folder, record, cohort)."""
    cohort = cr.drawn(3, SIZES)
    new = [i for i, (country, sex, _) in cohort.people.items() if (country, sex) == ("EE", "M")][:NEW]
    cohort.out = frozenset(new)
    folder = tmp_path / "old"
    (folder / "disclosure").mkdir(parents=True)
    cr.write(folder / "callable_an", cohort, FLOOR)
    (folder / "disclosure/disclosure.json").write_text(json.dumps({"min_carriers": FLOOR.k}))
    record = tmp_path / "people.tsv"
    earlier_release.write_record(rows(cohort), record, tmp_path / "people.key")
    cohort.out = frozenset()
    return folder, record, cohort


def rows(cohort):
    return [{"sample_id": i, **row} for i, row in cohort.keep.items()]


def before(folder, record, cohort, policy=FLOOR, build="toy"):
    return lambda contig: earlier_callable.before(folder, record, rows(cohort), policy, build, contig)


def held(folder, now, moved, policy=FLOOR, build=cr.BUILD):
    tables = {contig: now / f"{contig}.parquet" for contig in cr.BUILD.contigs}
    found = earlier_callable.problems(folder, tables, policy, moved, build)
    return found if found is None else [str(problem) for problem in found]


def test_who_was_counted_is_kept_and_who_joined_is_by_himself(then, tmp_path):
    folder, record, cohort = then
    one = before(folder, record, cohort)("chr20")
    assert len(one.leaf) == len(cohort.people) - NEW and one.people == Counter(SIZES) - Counter({"EE_M": NEW})
    now = cr.write(tmp_path / "now", cohort, FLOOR, before=before(folder, record, cohort))
    moved = earlier_release.moves(rows(cohort), record, record.with_suffix(".key"))
    assert moved[None, "EE_M"] == NEW and held(folder, now, moved) == []
    old, new = (cr.bases(root / "chr20.parquet") for root in (folder / "callable_an", now))
    assert (old["FI"] == new["FI"]).all() and (old["EE_F"] == new["EE_F"]).all()
    gained = set((new["EE_M"] - old["EE_M"]).tolist())
    assert gained == {0, 2 * 3}


def test_without_the_record_other_people_stop_the_run(then, tmp_path):
    folder, _, cohort = then
    assert before(folder, None, cohort)("chr20") is None
    now = cr.write(tmp_path / "now", cohort, FLOOR)
    said = held(folder, now, None)
    assert "chr20: people of the groups are not those" in said[0] and "previous_people" in said[0]


def test_what_is_not_compared(then, tmp_path):
    folder, record, cohort = then
    assert before(folder, record, cohort, OPEN)("chr20") is None
    assert before(folder, record, cohort, build="GRCh38")("chr20") is None
    assert before(tmp_path, record, cohort)("chr20") is None
    now = cr.write(tmp_path / "now", cohort, OPEN)
    assert held(folder, now, None, OPEN) is None and held(tmp_path, now, None) is None


def test_a_table_that_does_not_go_over_the_contig_stops(then, tmp_path):
    folder, record, cohort = then
    path = folder / "callable_an/chr20.parquet"
    table = pq.read_table(path)
    pq.write_table(table.slice(0, table.num_rows - 1), path)
    with pytest.raises(GoeError, match=r"is no callable AN of the 1,000 bases of chr20.*get the earlier release again"):
        cr.write(tmp_path / "now", cohort, FLOOR, before=before(folder, record, cohort))


def test_the_report_says_how_callable_an_was_made():
    release = earlier_release.Release("GOE-EE-A-20250101000000000", "toy", {"Total": 30}, {})
    now = earlier_release.Release("GOE-EE-A-20260101000000000", "toy", {"Total": 30}, {})
    moved = Counter({("EE_M", "EE_M"): 30})
    said = {
        (policy.k, compared is None, record): earlier_release.check(
            release, now, policy, [], moved if record else None, compared
        )["callable_an"]
        for policy, compared, record in ((FLOOR, [], True), (FLOOR, [], False), (FLOOR, None, True), (OPEN, None, True))
    }
    assert said == {
        (3, False, True): earlier_release.KEPT,
        (3, False, False): "the same numbers as in the earlier release",
        (3, True, True): "not compared: the earlier release has none of this build",
        (1, True, True): "not asked: the release is open",
    }
