"""Alleles of two wide tables are paired and compared as plain dictionaries of them would be, in pieces of any size."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from goe.compare import tables
from goe.core.errors import GoeError
from goe.release.formats import wide_table
from hypothesis import given, settings
from hypothesis import strategies as st

STRATA = ("Total", "M", "F")
SCHEMA = pa.schema(wide_table.columns(STRATA))
ALLELES = [(pos, ref, alt) for pos in range(1, 8) for ref, alt in (("A", "C"), ("A", "G"), ("AT", "A"))]


def row(allele, numbers, verdict):
    """numbers: of each stratum AC, or None where it is withheld."""
    out = dict.fromkeys(SCHEMA.names) | dict(zip(("pos", "ref", "alt"), allele, strict=True))
    out |= {"contig": "chr1", "filter": verdict, "call_rate": 1.0}
    for stratum, ac in zip(STRATA, numbers, strict=True):
        if ac is not None:
            out |= {wide_table.column(name, stratum): 0 for name in wide_table.COUNTS}
            out |= {wide_table.column("ac", stratum): ac, wide_table.column("an", stratum): 10}
            out[wide_table.column("af", stratum)] = ac / 10
    return out


def write(path, rows):
    about = {"contig": "chr1", "strata": [{"stratum": stratum, "people": 5} for stratum in STRATA]}
    with pq.ParquetWriter(path, SCHEMA, store_schema=False) as file:
        file.add_key_value_metadata({"goe": json.dumps(about)})
        file.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))
    return path


cells = st.tuples(*[st.one_of(st.none(), st.integers(0, 3))] * len(STRATA), st.sampled_from(["PASS", "HWE"]))
contigs = st.dictionaries(st.sampled_from(ALLELES), cells, max_size=len(ALLELES))


@settings(deadline=None, max_examples=30)
@given(one=contigs, two=contigs, same=st.sets(st.sampled_from(ALLELES)), piece=st.integers(1, 9))
def test_as_dictionaries_would_be(tmp_path_factory, one, two, same, piece):
    two = two | {allele: one[allele] for allele in same & one.keys()}
    folder = tmp_path_factory.mktemp("wide")
    paths = [
        write(folder / name, [row(allele, said[allele][:-1], said[allele][-1]) for allele in sorted(said)])
        for name, said in (("a", one), ("b", two))
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "ROWS", piece)
        seen = tables.compare(*paths)
    both = one.keys() & two.keys()
    count = {kind: found.count for kind, found in seen.differences.found.items()}
    assert (seen.both, seen.only_a, seen.only_b) == (len(both), len(one) - len(both), len(two) - len(both))
    assert count["alleles"] == seen.only_a + seen.only_b
    assert seen.differ == sum(one[allele] != two[allele] for allele in both)
    assert count["filters"] == sum(one[allele][-1] != two[allele][-1] for allele in both)
    pairs = [(one[allele][i], two[allele][i]) for allele in both for i in range(len(STRATA))]
    assert count["withheld"] == sum((a is None) != (b is None) for a, b in pairs)
    apart = [(a, b) for a, b in pairs if None not in (a, b) and a != b]
    assert count["numbers"] == 2 * len(apart) and seen.differences.found["numbers"].by["ac"] == len(apart)
    assert max(largest.ac for largest in seen.largest.values()) == max((abs(a - b) for a, b in apart), default=0)
    for example in seen.differences.found["numbers"].examples:
        contig, pos, ref, alt = example.allele.split(":")
        i = STRATA.index(example.stratum)
        values = (one[int(pos), ref, alt][i], two[int(pos), ref, alt][i])
        assert contig == "chr1" and (example.a, example.b) == (
            values if example.what == "ac" else tuple(v / 10 for v in values)
        )


def test_a_contig_of_one_release_alone(tmp_path):
    rows = [row(allele, (1, 1, 0), "PASS") for allele in ALLELES]
    seen = tables.alone(write(tmp_path / "a", rows), in_a=False)
    found = seen.differences.found["alleles"]
    assert (seen.only_b, found.count, len(found.examples)) == (len(ALLELES), len(ALLELES), 10)
    assert str(found.examples[0]) == "chr1:1:A:C allele: - | there"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([ALLELES[3], ALLELES[0]], "not in the order of positions"),
        ([ALLELES[0], ALLELES[0]], "an allele is there twice"),
    ],
)
def test_what_is_not_in_order_or_there_twice_is_refused(tmp_path, rows, words):
    a = write(tmp_path / "a", [row(ALLELES[1], (1, 1, 0), "PASS")])
    b = write(tmp_path / "b", [row(allele, (1, 1, 0), "PASS") for allele in rows])
    with pytest.raises(GoeError, match=words):
        tables.compare(a, b)
