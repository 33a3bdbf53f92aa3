"""The public sum of restricted products, from their tables and the public ones."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.collect import check, form, public_sum
from goe.collect.dataset import Dataset, File
from goe.collect.sheet import RELEASE, RESTRICTED, Settings
from goe.core.errors import GoeError
from goe.disclosure import sums
from goe.disclosure.silence import ZERO, Silence
from goe.frequencies import strata as st
from goe.frequencies.block import Block
from helpers import collection_folder
from helpers import summed_countries as made

CONTIG, POSITIONS = "chr20", 60
LENGTH = 10 * POSITIONS + 10
SETTINGS = Settings(
    **(vars(collection_folder.SETTINGS) | {"restricted": "Agreement 7", "sum_floor": 3, "sum_protect": "carriers"})
)


def world(seed=1, floors=(3,), countries=4, alleles=(1, 1, 2)):
    """Countries at each position; one or two alleles at each."""
    rng = np.random.default_rng(seed)
    them = made.draw(rng, countries, 1, 30, list(floors))
    return [(10 * (i + 1), made.at_a_position(rng, them, n), n) for i, n in enumerate(rng.choice(alleles, POSITIONS))]


def _table(path, places, number, public):
    rows = []
    for pos, them, n in places:
        one = them[number]
        people = one.people(n)
        strata, shown = (
            one.released(n)
            if public
            else (st.order(list(one.cells)), np.ones((len(st.order(list(one.cells))), n), bool))
        )
        numbers = st.numbers(st.expand(people, list(one.cells), strata))
        for a in range(n):
            if people[:, st.HET :, a].any() and shown[0, a]:
                rows.append((pos, "CG"[a], numbers, shown, a))
    shape = (len(strata), len(rows))
    names = ("ac", "an", "ac_hom", "ac_het", "ac_hemi", "nhomalt")
    counts = {name: np.zeros(shape, np.int32) for name in names}
    mask = np.zeros(shape, bool)
    for j, (_, _, numbers, shown, a) in enumerate(rows):
        mask[:, j] = shown[:, a]
        for name in names:
            counts[name][:, j] = np.where(shown[:, a], getattr(numbers, name)[:, a], 0)
    cells = places[0][1][number].cells
    sizes = {s: sum(cells[list(cells)[i]] for i in st.members(s, list(cells))) for s in strata}
    with form.Table(path, CONTIG, sizes) as out:
        if rows:
            pos, alt = ([row[i] for row in rows] for i in range(2))
            texts = (pa.array(["A"] * len(rows)), pa.array(alt), pa.array(["PASS"] * len(rows)))
            block = (pa.array(pos, pa.int32()), *texts, mask, tuple(strata), st.Numbers(**counts), {})
            out.write(Block(CONTIG, *block))
    return sizes


def _track(path, places, number):
    """Callable AN, at the positions alone."""
    an = [2 * sum(map(len, them[number].genotypes.values())) for _, them, _ in places]
    runs = {"contig": [CONTIG] * len(an), "start": [p - 1 for p, _, _ in places], "end": [p for p, _, _ in places]}
    pq.write_table(pa.table(runs | {"an_Total": an}), path)


def pairs(folder, places, settings=SETTINGS):
    folder.mkdir(exist_ok=True)
    restricted, publics = [], {}
    for number, one in enumerate(places[0][1]):
        name = f"GOE-{one.name}"
        for public in (False, True) if one.floor else (False,):
            table = folder / f"{one.name}.{public}.parquet"
            people = _table(table, places, number, public)
            kind = RELEASE if public else RESTRICTED
            silence = Silence(ZERO if one.floor <= 1 or not public else "floor", max(1, one.floor) if public else 1)
            dataset = Dataset(number + 1, name, kind, "goe", id=name, country="EE", people=people, silence=silence)
            contigs = [{"name": CONTIG, "length": LENGTH, "md5": "a" * 32}]
            dataset.terms = {"build": "toy", "contigs": contigs, "par": []}
            dataset.tables = {CONTIG: File.of(table)}
            if public:
                publics[number + 1] = dataset
                continue
            track = folder / f"{one.name}.an.parquet"
            _track(track, places, number)
            dataset.callable_an = {CONTIG: File.of(track)}
            restricted.append(dataset)
    return public_sum.pairs(restricted, publics, settings)


def told(found, path, settings=SETTINGS):
    public_sum.sum_contig(found, settings, CONTIG, path)
    return {(row["pos"], row["alt"]): row for row in pq.read_table(path).to_pylist()}


@pytest.mark.parametrize(("seed", "floors"), [(1, (3,)), (2, (0, 1, 3)), (3, (1, 2, 3, 5))])
def test_exactly_what_may_be_told_is_told_and_is_the_truth(tmp_path, seed, floors):
    places = world(seed, floors)
    rows = told(pairs(tmp_path / "in", places), tmp_path / "sum.parquet")
    new = 0
    for pos, them, n in places:
        carried = [bool(sum(one.people(n)[:, st.HET :, a].sum() for one in them)) for a in range(n)]
        decided, _ = made.decided(them, 3, n)
        if n > 1 and not all(carried):
            continue
        for a in range(n):
            row = rows.get((pos, "CG"[a]))
            assert (row is not None) == (decided[a] <= sums.FOLLOWS and carried[a])
            if row:
                new += decided[a] == sums.TOLD
                whole = sum(one.people(n)[:, :, a].sum(axis=0) for one in them)
                right = (2 * whole[st.DIP], whole[st.HET], 2 * whole[st.HOM], 0, whole[st.HOM], len(them))
                assert tuple(row[x] for x in ("an", "ac_het", "ac_hom", "ac_hemi", "nhomalt", "n_datasets")) == right
    assert new > 3 or seed > 1


def test_neither_order_nor_windows_change_what_is_told(tmp_path, monkeypatch):
    places = world(4, (2, 3))
    rows = told(pairs(tmp_path / "in", places), tmp_path / "one.parquet")
    monkeypatch.setattr(public_sum.totals, "_ROWS", 1)
    turned = [(pos, them[::-1], n) for pos, them, n in places]
    assert told(pairs(tmp_path / "turned", turned), tmp_path / "two.parquet") == rows
    assert len(rows) > 10


@pytest.mark.parametrize("seed", [1, 5])
def test_the_audit_stops_a_sum_that_tells_too_much(tmp_path, monkeypatch, seed):
    found = pairs(tmp_path / "in", world(seed, (3, 3, 4)))
    monkeypatch.setattr(sums, "decide", lambda rest, *_: np.zeros(rest.known.shape[1], np.uint8))
    with pytest.raises(GoeError, match="public sum chr20:"):
        told(found, tmp_path / "sum.parquet")


def test_a_public_release_of_other_people_is_found(tmp_path):
    found = pairs(tmp_path / "a", world(1))
    other = pairs(tmp_path / "b", world(6))
    mixed = [public_sum.Pair(one.restricted, two.public) for one, two in zip(found, other, strict=True)]
    with pytest.raises(GoeError, match="says otherwise than its restricted product"):
        told(mixed, tmp_path / "sum.parquet")
    restricted, publics = [p.restricted for p in found], {p.restricted.number: p.public for p in found}
    wrong = {1: replace(publics[1], id="GOE-X"), 2: replace(publics[2], people={"Total": 7})}
    with pytest.raises(GoeError) as caught:
        public_sum.pairs([replace(restricted[0], kind=RELEASE), *restricted[1:]], publics | wrong, SETTINGS)
    assert "is no restricted product" in str(caught.value) and "is of" in str(caught.value)
    few = [replace(restricted[0], people={"Total": 5}), *restricted[1:]]
    with pytest.raises(GoeError, match="5 people have no public release"):
        public_sum.pairs(few, {n: one for n, one in publics.items() if n > 1}, SETTINGS)
    with pytest.raises(GoeError, match="its public release is GOE-X"):
        public_sum.pairs(restricted, publics | {1: replace(publics[1], id="GOE-X")}, SETTINGS)


def test_without_callable_an_or_where_one_has_it_filtered_nothing_is_told(tmp_path):
    places = world(1)
    found = pairs(tmp_path / "in", places)
    rows = told(found, tmp_path / "sum.parquet")
    bare = [public_sum.Pair(replace(p.restricted, callable_an={}), p.public) for p in found]
    listed = told(bare, tmp_path / "bare.parquet")
    assert 0 < len(listed) < len(rows) and listed.items() <= rows.items()
    # The same alleles, of which a dataset that withholds them has some filtered.
    restricted = found[0].restricted
    table = pq.read_table(restricted.tables[CONTIG].path)
    public = {
        tuple(r.values())
        for r in pq.read_table(found[0].public.tables[CONTIG].path, columns=["pos", "alt"]).to_pylist()
    }
    keys = [tuple(r.values()) for r in table.select(["pos", "alt"]).to_pylist()]
    words = ["PASS" if key in public else "HWE" for key in keys]
    place = table.schema.get_field_index("filter")
    path = tmp_path / "filtered.parquet"
    pq.write_table(table.set_column(place, table.schema.field("filter"), pa.array(words)), path)
    one = replace(restricted, tables={CONTIG: File.of(path)})
    mine = told([public_sum.Pair(one, found[0].public), *found[1:]], tmp_path / "two.parquet")
    hidden = {key for key in keys if key not in public}
    assert mine.keys() == rows.keys() - hidden and hidden & rows.keys()


def test_the_folder_says_whose_it_is_and_is_checked(tmp_path):
    found = pairs(tmp_path / "in", world(2, (0, 1, 3)))
    path = tmp_path / "chr20.parquet"
    said = public_sum.sum_contig(found, SETTINGS, CONTIG, path)
    root = tmp_path / "public-sum"
    public_sum.finish(found, SETTINGS, {CONTIG: path}, [said], root)
    assert not public_sum.check(root)
    about = json.loads((root / public_sum.ABOUT).read_text())
    assert about["number_of_records"] == pq.read_table(path).num_rows == said["alleles"]
    assert {one["public_release"] is None for one in about["sources"]} <= {True, False}
    assert "**An allele that is not here is unknown**" in (root / "README.md").read_text()
    assert check.is_collection(root) and all(result.passed for result in check.run(root))
    (root / "README.md").write_text("other")
    assert public_sum.check(root) and [result.passed for result in check.run(root)] == [True, False]
