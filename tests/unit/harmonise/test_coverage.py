"""Where reads are deep enough: runs of a person and of a batch against every base by itself."""

import numpy as np
import pysam
import pytest
from goe.genome.build import Build
from goe.harmonise import coverage
from goe.harmonise.batch import WINDOW, Called
from hypothesis import given
from hypothesis import strategies as st

PAR = [("chrX", 1, 30), ("chrX", 80, 95), ("chrY", 1, 20)]
BUILD = Build("toy", {"chr20": 2 * WINDOW + 90, "chrX": 100, "chrY": 60, "chrM": 40}, PAR)
DEPTHS = coverage.Depths(10, 5)


def alleles(contig, base, sex):
    """Of C2, in plain words."""
    par = any(c == contig and first <= base <= last for c, first, last in PAR)
    if contig == "chr20" or (contig == "chrX" and par):
        return 2
    if contig == "chrX":
        return {"F": 2, "M": 1, "U": 0}[sex]
    if contig == "chrY":
        return int(sex == "M" and not par)
    return 1


def wanted(contig, depth, sex):
    """base -> alleles. depth: base -> reads."""
    each = {base: alleles(contig, base, sex) for base in depth}
    return {base: n for base, n in each.items() if n and depth[base] >= {1: 5, 2: 10}[n]}


def rows_of(depth):
    """Runs of equal class, as mosdepth writes them: 0-based, half open."""
    rows = []
    for base in sorted(depth):
        label = "10:inf" if depth[base] >= 10 else "5:10" if depth[base] >= 5 else ""
        if rows and rows[-1][1] == base - 1 and rows[-1][2] == label:
            rows[-1][1] = base
        elif label:
            rows.append([base - 1, base, label])
    return rows


def bases(starts, ends, values):
    """base -> value of runs (1-based, inclusive); each base once, no run that another one goes on."""
    found = {}
    for start, end, value in zip(starts, ends, values, strict=True):
        assert start <= end and not found.keys() & set(range(start, end + 1))
        found |= dict.fromkeys(range(start, end + 1), value)
    return found


@given(st.data())
def test_runs_are_the_bases_that_are_deep_enough(data):
    contig = data.draw(st.sampled_from(["chrX", "chrY", "chrM"]))
    length, sex = BUILD.contigs[contig], data.draw(st.sampled_from("FMU"))
    changes = data.draw(st.lists(st.tuples(st.integers(1, length), st.sampled_from([0, 4, 5, 9, 10, 30])), max_size=12))
    depth, now, at = {}, 0, dict(changes)
    for base in range(1, length + 1):
        now = at.get(base, now)
        depth[base] = now
    rows = rows_of(depth)
    columns = [np.array([row[i] for row in rows], np.int64) for i in (0, 1)]
    least = np.array([int(row[2].split(":")[0]) for row in rows], np.int64)
    found = coverage.deep((*columns, least), BUILD, contig, sex, DEPTHS)
    start, end, code = (found[name].to_pylist() for name in ("start", "end", "code"))
    assert bases(start, end, code) == wanted(contig, depth, sex)
    # As long as they can be within one ploidy class, in order.
    assert all(
        a < b or alleles(contig, a, sex) != alleles(contig, b, sex) for a, b in zip(end, start[1:], strict=False)
    )
    assert start == sorted(start) and not any(found["raw"].to_pylist())


def bed(path, depths, names):
    """A BED as mosdepth leaves it. depths: contig -> depth by base."""
    with pysam.BGZFile(str(path), "wb") as file:
        for contig, depth in depths.items():
            for start, end, label in rows_of(depth):
                file.write(f"{names.get(contig, contig)}\t{start}\t{end}\t{label}\n".encode())
    pysam.tabix_index(str(path), preset="bed", csi=True, force=True)
    return str(path)


@pytest.mark.parametrize("seed", range(3))
def test_a_batch_is_its_people_window_by_window(tmp_path, seed):
    rng = np.random.default_rng(seed)
    stretch = range(WINDOW - 40, WINDOW + 40)
    every = {}
    for name, sex in (("a", "M"), ("b", "F"), ("c", "U")):
        of = {"chr20": [*stretch, *range(2 * WINDOW - 3, 2 * WINDOW + 91)]}
        of |= {contig: range(1, BUILD.contigs[contig] + 1) for contig in ("chrX", "chrY", "chrM")}
        depths = {
            c: {b: int(n) for b, n in zip(of[c], np.repeat(rng.integers(0, 14, len(of[c])), 4), strict=False)}
            for c in of
        }
        # b is from elsewhere, and has nothing on one contig.
        if name == "b":
            del depths["chrM"]
        every[name] = sex, depths, bed(tmp_path / f"{name}.bed.gz", depths, {"chr20": "20"} if name == "b" else {})
    people = [(name, sex, path) for name, (sex, _, path) in every.items()]
    coverage.gather(people, BUILD, {"20": "chr20"}, DEPTHS, tmp_path / "runs.parquet")
    with Called.opened(tmp_path / "runs.parquet") as batch:
        assert batch.ids == ["a", "b", "c"]
        for contig, length in BUILD.contigs.items():
            tables = [
                batch.read(contig, first, min(first + WINDOW - 1, length)) for first in range(1, length + 1, WINDOW)
            ]
            for number, (sex, depths, _) in enumerate(every.values()):
                found = {}
                for table in tables:
                    mine = [row for row in table.to_pylist() if row["person"] == number]
                    found |= bases(*([row[key] for row in mine] for key in ("start", "end", "code")))
                assert found == wanted(contig, depths.get(contig, {}), sex)
