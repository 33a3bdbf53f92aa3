"""Speed and memory of `goe diff`: two releases of 2,000,000 site alleles in 21 strata, on two cores.

The rows of a small release are laid one behind the other, which is enough for who only compares. Once the second
release has other numbers at every thousandth allele, once the same content in other bytes, which has to be read whole.
GOE_BENCH_ALLELES gives another number of site alleles.
"""

import gzip
import os
import shutil
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pysam
import pytest
from goe.core import manifest
from goe.release.formats import wide_table
from helpers import release_folder as rf
from helpers.stages import measure, told

pytestmark = pytest.mark.bench
ALLELES = int(os.environ.get("GOE_BENCH_ALLELES", "2000000"))
SECONDS, MEGABYTES = 120, 1000
COUNTRIES = {name: (310 + i, 290 + i, 0) for i, name in enumerate(("DK", "EE", "FI", "LT", "LV", "SE"))}
LONG, WIDE = "frequencies/chr20.parquet", "frequencies-wide/chr20.parquet"
VCFS = [f"sites/{rf.ID}.{which}.vcf.gz" for which in ("all", "pass")]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return rf.make(tmp_path_factory.mktemp("bench"), rf.OPEN, gdi=False, contigs={"chr20": 9000}, countries=COUNTRIES)


def grown(path, target, times, change=None, **options):
    """A table with its rows `times` over, at positions of their own. change: of a piece, by its number."""
    table = pq.read_table(path)
    step = table["pos"][-1].as_py() + 1
    with pq.ParquetWriter(target, table.schema.remove_metadata(), store_schema=False, **options) as file:
        file.add_key_value_metadata({"goe": table.schema.metadata[b"goe"].decode()})
        # Row groups as large as those of a release: their number is what the footer of a file holds.
        waiting = []
        for i in range(times):
            pos = pa.array(table["pos"].to_numpy() + np.int32(i * step))
            piece = table.set_column(table.schema.get_field_index("pos"), table.schema.field("pos"), pos)
            waiting.append(change(piece) if change else piece)
            if sum(one.num_rows for one in waiting) >= wide_table.ROW_GROUP or i == times - 1:
                file.write_table(pa.concat_tables(waiting))
                waiting = []


def bodies(root, small, times, level):
    """VCFs with the records `times` over."""
    for name in VCFS:
        lines = gzip.decompress((small / name).read_bytes()).splitlines(keepends=True)
        head = [line for line in lines if line.startswith(b"#")]
        with pysam.BGZFile(str(root / name), f"w{level}") as file:
            file.write(b"".join(head))
        part = root / "part.gz"
        with pysam.BGZFile(str(part), f"w{level}") as file:
            file.write(b"".join(lines[len(head) :]))
        with (root / name).open("ab") as file:
            for _ in range(times):
                file.write(part.read_bytes())
        part.unlink()


def released(folder, small, alleles, change=None, level=6, **options):
    root = rf.copy(small, folder)
    times = alleles // pq.read_metadata(small / WIDE).num_rows
    for name in (LONG, WIDE):
        grown(small / name, root / name, times, change, compression="zstd", **options)
    bodies(root, small, times, level)
    (root / manifest.NAME).unlink()
    rf.sign(root)
    return root


def every_thousandth(piece):
    """A piece with another AC at one allele of it, and without its last one."""
    ac = piece["ac"].to_numpy().copy()
    pos = piece["pos"].to_numpy()
    ac[pos == pos[0]] += 1
    column = piece.schema.get_field_index("ac")
    return piece.set_column(column, piece.schema.field(column), pa.array(ac)).filter(pa.array(pos != pos[-1]))


def diff(a, b, status):
    code = f"import sys; from goe import cli; sys.exit(cli.main(['diff', {str(a)!r}, {str(b)!r}]) - {status})"
    return measure([sys.executable, "-c", code])


def test_diff(small, tmp_path, table):
    costs = {}
    for n in (ALLELES // 10, ALLELES):
        first = released(tmp_path / "a", small, n)
        others = {
            "numbers differ": (released(tmp_path / "b", small, n, every_thousandth), 1),
            "same content": (
                released(tmp_path / "c", small, n, level=1, compression_level=9, data_page_size=1 << 14),
                0,
            ),
        }
        for name, (other, status) in others.items():
            cost = costs[name, n] = diff(first, other, status)
            table.append((f"goe diff, {n} alleles, {name}", told(cost), f"target {SECONDS} s, {MEGABYTES} MB"))
        for name in "abc":
            shutil.rmtree(tmp_path / name)
    for name in others:
        few, many = costs[name, ALLELES // 10], costs[name, ALLELES]
        assert many.megabytes < min(MEGABYTES, 1.5 * few.megabytes)
        assert many.seconds < SECONDS * max(1, ALLELES / 2_000_000)
