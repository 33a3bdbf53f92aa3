"""The packed look-up table holds every public number, and nothing of the others."""

import base64
import json
import struct
import zlib
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from goe.core.errors import GoeError
from goe.disclosure.silence import ZERO, Silence
from goe.frequencies import strata as st
from goe.pages import packed
from goe.release.report import callable_steps, rs_numbers
from goe.release.report import lookup as report_lookup
from helpers.blocks import LEAVES, block, random_block, sequence, with_other_hidden_numbers
from hypothesis import given, settings
from hypothesis import strategies as some

TEXT = sequence(3000)
ABOUT = {"id": "GOE-EE-X-20260101000000000", "strata": {"Total": 10}}


def unpack(raw):
    """Alleles of a chunk as plain Python, read as the module's text says: {(pos, pair): (filter, faf95, cells)}."""
    (length,) = struct.unpack_from("<I", raw)
    head = json.loads(raw[4 : 4 + length])
    data, n = raw[4 + length :], head["n"]

    def column(c):
        base, width, at = head["columns"][c]
        planes = [data[at + p * n : at + (p + 1) * n] for p in range(width)]
        assert all(len(plane) == n for plane in planes)
        return [base + sum(plane[i] << 8 * p for p, plane in enumerate(planes)) for i in range(n)]

    columns = [column(c) for c in range(len(head["columns"]))]
    faf = [struct.unpack("<f", struct.pack("<I", x))[0] for x in columns[3]]
    return head, np.cumsum(columns[0]).tolist(), columns, faf


def cells(columns, strata, i):
    """Stratum -> (AC, AN, het, hom, hemi) of allele i, None where it is withheld."""
    made_of = report_lookup.parts(strata)

    def number(s, which):
        if not columns[4 + 5 * s][i]:
            return 0
        return columns[4 + 5 * s + 1 + which][i] + sum(number(p, which) for p in made_of[s])

    out = {}
    for s, name in enumerate(strata):
        an, het, hom, hemi = (number(s, which) for which in range(4))
        out[name] = (2 * hom + het + hemi, an, het, hom, hemi) if columns[4 + 5 * s][i] else None
    return out


@pytest.mark.parametrize("seed", range(4))
def test_every_public_number_comes_back(seed):
    one = random_block("chr1", TEXT, seed=seed)
    head, steps, columns, faf = unpack(report_lookup.pack(one))
    assert [one.pos[0].as_py() + step for step in steps] == one.pos.to_pylist()
    assert [head["pairs"][x] for x in columns[1]] == [
        f"{ref}>{alt}" for ref, alt in zip(one.ref.to_pylist(), one.alt.to_pylist(), strict=True)
    ]
    assert [head["filters"][x] for x in columns[2]] == one.filter.to_pylist()
    np.testing.assert_array_equal(np.array(faf, "f4"), one.statistics["faf95"].astype("f4"))
    n = one.numbers
    for i in range(len(one)):
        for s, (_, found) in enumerate(cells(columns, one.strata, i).items()):
            expected = tuple(int(x[s, i]) for x in (n.ac, n.an, n.ac_het, n.nhomalt, n.ac_hemi))
            assert found == (expected if one.mask[s, i] else None)


@settings(max_examples=60, deadline=None)
@given(some.integers(0, 10_000), some.floats(0, 1), some.integers(0, 2**20))
def test_any_mask_and_size_of_numbers_comes_back(seed, hidden, size):
    """Also masks that hide Total or the parts of a sum, and people who are in no part."""
    rng = np.random.default_rng(seed)
    people = rng.integers(0, size + 1, (len(LEAVES), 5, 6)).astype(np.int32)
    one = block("chr1", [(5 + i, "A", "C") for i in range(6)], people)
    one = replace(one, mask=rng.random(one.mask.shape) >= hidden)
    _, _, columns, _ = unpack(report_lookup.pack(one))
    n = one.numbers
    for i in range(6):
        for s, found in enumerate(cells(columns, one.strata, i).values()):
            expected = tuple(int(x[s, i]) for x in (n.ac, n.an, n.ac_het, n.nhomalt, n.ac_hemi))
            assert found == (expected if one.mask[s, i] else None)


def test_hidden_numbers_change_no_byte(tmp_path):
    one = random_block("chr1", TEXT, seed=5)
    other = with_other_hidden_numbers(one)
    assert not np.array_equal(one.numbers.ac, other.numbers.ac)
    for name, content in (("one", one), ("other", other)):
        with report_lookup.Writer(tmp_path / name, "chr1", one.strata) as writer:
            writer.write(content)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_sums_take_no_room():
    """Total and the countries of two sexes are their sums: what is left of them is 0, which needs no byte."""
    rng = np.random.default_rng(0)
    people = rng.integers(0, 200, (len(LEAVES), 5, 50)).astype(np.int32)
    people[LEAVES.index("EE_U")] = 0
    one = block("chr1", [(1 + i, "A", "C") for i in range(50)], people)
    head, _, _, _ = unpack(report_lookup.pack(one))
    width = {s: sum(head["columns"][4 + 5 * i + 1 + w][1] for w in range(4)) for i, s in enumerate(one.strata)}
    assert {s for s, bytes_ in width.items() if not bytes_} == {"Total", "M", "F", "EE", "LV"}


def test_contradicting_numbers_are_refused():
    one = random_block("chr1", TEXT, mask=False)
    numbers = replace(one.numbers, ac=one.numbers.ac + (np.arange(len(one)) == 3))
    where = f"chr1:{one.pos[3]}:{one.ref[3]}:{one.alt[3]}"
    with pytest.raises(GoeError, match=where):
        report_lookup.pack(replace(one, numbers=numbers))
    hidden = np.ones_like(one.mask)
    hidden[:, 3] = False
    report_lookup.pack(replace(one, numbers=numbers, mask=hidden))


def write(path, contig, *blocks):
    with report_lookup.Writer(path, contig, blocks[0].strata) as writer:
        for one in blocks:
            writer.write(one)
    return path


def tracks(paths):
    """These files, callable AN of one run each, and no rs numbers."""
    steps, numbers = ([path.with_suffix(f".{of}") for path in paths] for of in ("callable", "rs"))
    for path, step, number in zip(paths, steps, numbers, strict=True):
        contig = packed.read_index(path)["track"]
        with callable_steps.Writer(step, contig, 10) as writer:
            writer.write(pa.table({"start": pa.array([0], pa.int32()), "an_Total": pa.array([7], pa.int32())}))
        with rs_numbers.Writer(number, contig):
            pass
    return report_lookup.Tracks(paths, steps, numbers)


def several(contig, n, **changes):
    """Blocks of one contig, in order."""
    whole = random_block(contig, TEXT, **changes)
    cuts = np.linspace(0, len(whole), n + 1).astype(int)
    return [part(whole, a, b) for a, b in pairwise(cuts)]


def part(one, a, b):
    names = ("ac", "an", "ac_hom", "ac_het", "ac_hemi", "nhomalt")
    return replace(
        one,
        **{name: getattr(one, name).slice(a, b - a) for name in ("pos", "ref", "alt", "filter")},
        numbers=st.Numbers(**{name: getattr(one.numbers, name)[:, a:b] for name in names}),
        statistics={name: values[a:b] for name, values in one.statistics.items()},
        mask=one.mask[:, a:b],
    )


def test_index_tells_where_alleles_are(tmp_path):
    blocks = several("chr1", 3)
    empty = part(blocks[0], 0, 0)
    path = write(tmp_path / "a", "chr1", *blocks, empty)
    index = packed.read_index(path)
    chunks = list(packed.read_chunks(path))
    assert len(chunks) == len(index["chunks"]) == 3
    assert index["characters"] == sum(map(len, chunks))
    for one, text, (first, last, reach, n, check) in zip(blocks, chunks, index["chunks"], strict=True):
        raw = base64.b64decode(text)
        assert zlib.decompress(raw) == report_lookup.pack(one)
        assert int.from_bytes(raw[-4:], "big") == check
        ends = [p + len(r) - 1 for p, r in zip(one.pos.to_pylist(), one.ref.to_pylist(), strict=True)]
        assert (first, last, reach, n) == (one.pos[0].as_py(), one.pos[-1].as_py(), max(ends), len(one))


def test_index_tells_how_far_a_long_deletion_reaches(tmp_path):
    people = np.ones((len(LEAVES), 5, 2), np.int32)
    one = block("chr1", [(10, "A" * 50, "A"), (20, "C", "G")], people)
    assert packed.read_index(write(tmp_path / "a", "chr1", one))["chunks"][0][:3] == [10, 20, 59]


def test_example_is_the_first_allele_that_shows_everything(tmp_path):
    one = random_block("chr1", TEXT, seed=2)
    total = one.strata.index("Total")
    expected = next(
        [one.pos[i].as_py(), one.ref[i].as_py(), one.alt[i].as_py()]
        for i in range(len(one))
        if one.mask[:, i].all() and one.filter[i].as_py() == "PASS" and one.numbers.ac[total, i] > 0
    )
    assert packed.read_index(write(tmp_path / "a", "chr1", one))["example"] == expected
    hidden = replace(one, mask=np.zeros_like(one.mask))
    assert packed.read_index(write(tmp_path / "b", "chr1", hidden))["example"] == []


def test_small_tables_are_embedded_and_large_ones_lie_beside(tmp_path):
    blocks = several("chr1", 9)
    paths = [
        write(tmp_path / "1", "chr1", *blocks),
        write(tmp_path / "2", "chr2", replace(part(blocks[0], 0, 0), contig="chr2")),
    ]
    files = tracks(paths)
    size = sum(packed.read_index(path)["characters"] for path in [*files.alleles, *files.callable])
    inside = report_lookup.table(files, embed_up_to=size)
    assert inside.embedded and inside.names() == []
    chunks = list(report_lookup.embedded(inside))
    of_steps = ["chr1.callable", "chr2.callable"]
    assert [chunk[:2] for chunk in chunks] == [*(("chr1", i) for i in range(9)), *((track, 0) for track in of_steps)]

    beside = report_lookup.table(files, embed_up_to=size - 1)
    assert not beside.embedded and not list(report_lookup.embedded(beside))
    assert beside.alleles == sum(map(len, blocks))
    folder = tmp_path / "release"
    names = report_lookup.write_beside(beside, folder, "GOE-EE-X-1")
    expected = [("chr1", 0), ("chr1", 1), ("chr1", 2), *((track, 0) for track in of_steps)]
    assert names == beside.names() == [f"report-data/{track}.{i:03d}.js" for track, i in expected]
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.js")) == sorted(names)
    found = []
    for (track, number), name in zip(expected, names, strict=True):
        text = (folder / name).read_text()
        arguments = json.loads("[" + text.removeprefix("goeLookup(").removesuffix(");\n") + "]")
        assert arguments[:3] == ["GOE-EE-X-1", track, number]
        found += arguments[3]
    assert found == [text for _, _, text in chunks]

    # A later, smaller release into the same folder leaves no old file.
    assert report_lookup.write_beside(inside, folder, "GOE-EE-X-1") == []
    assert not (folder / "report-data").exists()


def test_files_that_do_not_belong_together_are_refused(tmp_path):
    one = random_block("chr1", TEXT)
    paths = [write(tmp_path / "1", "chr1", one), write(tmp_path / "1b", "chr1", one)]
    with pytest.raises(GoeError, match="chr1 is there twice"):
        report_lookup.table(tracks(paths))
    with pytest.raises(GoeError, match="no contig"):
        report_lookup.table(report_lookup.Tracks([], [], []))
    people = np.zeros((len(LEAVES), 5, 1), np.int32)
    fewer = write(tmp_path / "3", "chr3", block("chr3", [(1, "A", "C")], people, strata=("Total", "EE")))
    with pytest.raises(GoeError, match="strata differ"):
        report_lookup.table(tracks([paths[0], fewer]))
    with pytest.raises(GoeError, match="callable AN or rs numbers are of other contigs"):
        report_lookup.table(tracks(paths[:1])._replace(rs_numbers=[]))
    contigs = [{"name": "chr1", "length": 3000}, {"name": "chr2", "length": 10}]
    with pytest.raises(GoeError, match=r"chr1, those of the release chr1, chr2"):
        report_lookup.facts(report_lookup.table(tracks(paths[:1])), ABOUT, contigs, Silence(ZERO))


def test_a_file_that_was_cut_off_is_refused(tmp_path):
    path = write(tmp_path / "1", "chr1", random_block("chr1", TEXT))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(GoeError, match="has no index"):
        packed.read_index(path)
    with pytest.raises(RuntimeError), report_lookup.Writer(path, "chr1", ("Total",)):
        raise RuntimeError
    with pytest.raises(GoeError, match="has no index"):
        packed.read_index(path)


def test_blocks_of_another_contig_are_refused(tmp_path):
    one = random_block("chr1", TEXT)
    with report_lookup.Writer(tmp_path / "a", "chr2", one.strata) as writer, pytest.raises(ValueError, match="chr1"):
        writer.write(one)


def test_parts_are_the_next_smaller_strata():
    strata = ("Total", "M", "F", "EE", "EE_M", "EE_F", "LV", "LV_M", "LV_F", "FI")
    named = {s: [strata[i] for i in made_of] for s, made_of in zip(strata, report_lookup.parts(strata), strict=True)}
    assert named == {
        "Total": ["EE", "LV", "FI"],
        "M": ["EE_M", "LV_M"],
        "F": ["EE_F", "LV_F"],
        "EE": ["EE_M", "EE_F"],
        "LV": ["LV_M", "LV_F"],
        "FI": [],
        **{leaf: [] for leaf in ("EE_M", "EE_F", "LV_M", "LV_F")},
    }
