"""Lines of a VCF from columns, against the same put together by pyarrow."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from goe.collect.lines import Info, content

NAMES = ("AC", "AN", "AF", "faf95", "group")
DIGITS = [0, 9, 10, 99, 100, 2**31 - 1]


def joined(before, columns):
    """As a reader would write it: a tag where there is a value."""
    entries = [
        pc.binary_join_element_wise(f"{name}=", pc.cast(values, pa.string()), "")
        for name, values in zip(NAMES, columns, strict=True)
    ]
    return pc.binary_join_element_wise(
        before, pc.binary_join_element_wise(*entries, ";", null_handling="skip"), "\n", ""
    )


@pytest.mark.parametrize("seed", range(4))
def test_lines_are_those_that_pyarrow_joins(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 200)) if seed else 0
    shown = rng.random((5, n)) < 0.7
    counts = rng.choice(DIGITS, (2, n)).astype(np.int32)
    af = rng.choice([0, 1, 0.1, 1e-7, 0.1 + 0.2, 1 / 3, 1e-300], n)
    single = rng.random(n).astype(np.float32) * rng.integers(0, 2, n).astype(np.float32)
    words = pa.array(rng.choice(["EE", "LV", ""], n).astype(object), pa.string(), mask=~shown[4])
    pos = rng.choice(DIGITS[1:], n).astype(np.int32)
    texts = [pa.array(rng.choice(["A", "CGT", ""], n).astype(object), pa.string()) for _ in range(3)]
    ref, alt, verdict = (column.to_pylist() for column in texts)
    rows = zip(pos, ref, alt, verdict, strict=True)
    before = pa.array([f"chr1\t{p}\t.\t{r}\t{a}\t.\t{v}\t" for p, r, a, v in rows], pa.string())
    put = Info(NAMES, n)
    for i in range(2):
        put.counts(i, counts[i], shown[i])
    put.numbers(2, af, shown[2])
    put.numbers(3, single, shown[3])
    put.texts(4, words)
    columns = [pa.array(v, mask=~s) for v, s in zip((*counts, af, single), shown, strict=False)] + [words]
    wanted = joined(before, columns)
    found = put.lines("chr1", pos, texts)
    assert found.to_pylist() == wanted.to_pylist()
    assert bytes(content(found)).decode() == "".join(wanted.to_pylist())


def test_the_bytes_of_some_of_the_lines():
    lines = pa.array(["a\n", "bc\n", "", "d\n"])
    assert bytes(content(lines.slice(1, 2))) == b"bc\n"
    assert bytes(content(lines.slice(0, 0))) == b""
