"""Callable AN read back from its files."""

import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pysam
import pytest
from goe.check import callable_an
from goe.disclosure.audit.callable_an import Runs
from goe.disclosure.audit.table import Stated
from goe.rules.policy import Policy
from helpers import callable_runs as cr

OPEN = Policy(1, name="open", legal_basis="test")
LENGTHS = cr.BUILD.contigs


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return cr.write(tmp_path_factory.mktemp("made") / "open", cr.drawn(1, {"EE_F": 6, "EE_M": 6}), OPEN)


def strata(path):
    return [name.removeprefix("an_") for name in pq.read_schema(path).names[3:]]


def checked(path, contig):
    names = strata(path)
    audit = Runs(tuple(names), dict.fromkeys(names, 12), Stated(1, "carriers", 1), cr.BUILD, contig, str(path))
    return [str(p) for p in callable_an.check(path, contig, LENGTHS[contig], names, audit)]


def changed(path, target, change):
    rows = change(pq.read_table(path).to_pylist())
    pq.write_table(pa.Table.from_pylist(rows, schema=pq.read_schema(path)), target)
    return target


def test_whole_files_pass(made):
    for contig in LENGTHS:
        assert checked(made / f"{contig}.parquet", contig) == []
    paths = [made / f"{contig}.parquet" for contig in LENGTHS]
    assert callable_an.compare(made / "all.bed.gz", paths, strata(paths[0])) == []
    assert callable_an.check_index(made / "all.bed.gz", LENGTHS) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda rows: rows[:5] + rows[6:], "does not begin where the run before ends"),
        (lambda rows: rows[:-1], "of the 1,000 bases of chr20"),
        (
            lambda rows: [*rows[:3], rows[3] | {k: v for k, v in rows[2].items() if k[:3] == "an_"}, *rows[4:]],
            "are one",
        ),
        (lambda rows: [rows[0] | {"contig": "chr21"}, *rows[1:]], "is not on chr20"),
        (lambda rows: [rows[0] | {"end": 0}, rows[1] | {"start": 0}, *rows[2:]], "ends before it begins"),
    ],
)
def test_runs_that_cannot_be_are_found(made, tmp_path, change, what):
    path = changed(made / "chr20.parquet", tmp_path / "x.parquet", change)
    assert any(what in problem for problem in checked(path, "chr20"))


def test_bed_that_says_something_else_is_found(made, tmp_path):
    paths = [made / f"{contig}.parquet" for contig in LENGTHS]
    lines = gzip.decompress((made / "all.bed.gz").read_bytes()).decode().splitlines()

    def told(lines):
        with pysam.BGZFile(str(tmp_path / "x.bed.gz"), "w") as out:
            out.write("".join(f"{line}\n" for line in lines).encode())
        return [str(p) for p in callable_an.compare(tmp_path / "x.bed.gz", paths, strata(paths[0]))]

    assert told(lines) == []
    cells = lines[7].split("\t")
    other = "\t".join([*cells[:4], str(int(cells[4]) + 1), *cells[5:]])
    assert (
        f"an_{strata(paths[0])[1]} differs from the tables at chr20:{cells[1]}"
        in told([*lines[:7], other, *lines[8:]])[0]
    )
    assert "fewer runs" in told(lines[:-1])[0]
    assert "differs from the tables behind" in told([*lines, lines[-1]])[0]
    assert "names of its columns" in told(lines[1:])[0]


def test_an_index_of_another_file_is_found(made, tmp_path):
    bed = tmp_path / "x.bed.gz"
    bed.write_bytes((made / "all.bed.gz").read_bytes())
    assert "cannot be used" in str(callable_an.check_index(bed, LENGTHS)[0])
    lines = gzip.decompress(bed.read_bytes()).decode().splitlines()
    with pysam.BGZFile(str(bed), "w") as out:
        out.write("".join(f"{line}\n" for line in lines if not line.startswith("chrY")).encode())
    pysam.tabix_index(str(bed), preset="bed", force=True)
    assert "is for the contigs chr20, chrX, chrM" in str(callable_an.check_index(bed, LENGTHS)[0])


def test_an_allele_is_compared_at_its_position(made):
    seen = []

    class Audit:
        def beside(self, block, an, alone):
            seen.append((block.pos.to_pylist(), an))

    class Block:
        def __init__(self, pos):
            self.pos = pa.array(pos, pa.int32())

        def __len__(self):
            return len(self.pos)

    path = made / "chr20.parquet"
    callable_an.beside(path, [Block([1, 1, 400]), Block([401, 1000])], strata(path), Audit(), True)
    whole = np.array([*cr.bases(path).values()])
    for pos, an in seen:
        assert (an == whole[:, np.array(pos) - 1]).all()
    assert len(seen) == 2
