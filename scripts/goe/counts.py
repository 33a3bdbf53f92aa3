"""Counts of people by leaf stratum (country x sex) for every site allele of a region (COUNTING 4.1)."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numba as nb
import numpy as np
import pyarrow as pa

from goe import genotypes as gt
from goe.bcf import Reader
from goe.build import REGION_X, REGION_Y
from goe.errors import Problem, stop_on
from goe.harmonise import METRICS, N_CLASSES, ploidy_table

# Columns of a leaf: people called diploid, called haploid, and of those het, hom-alt, hemizygous alt.
MEASURES = ("dip", "hap", "het", "hom", "hemi")
METRIC_COLUMNS = {"QD": "qd", "MQ": "mq", "FS": "fs", "ReadPosRankSum": "read_pos_rank_sum"}
ROWS_A_BATCH = 16384

assert set(METRIC_COLUMNS) == set(METRICS)


@dataclass(frozen=True)
class Leaves:
    """Who counts where. names: leaves such as EE_M, sorted; people: number of people by leaf.

    of: int16 (classes, people): number of the leaf a person counts in by region class, -1 for none;
    expected: int64 (classes, leaves): AN when nobody is missing, from the ploidy table.
    """

    names: list[str]
    people: dict[str, int]
    of: np.ndarray
    expected: np.ndarray

    @classmethod
    def of_keep(cls, ids: list[str], keep: dict[str, dict[str, str]], name: str) -> "Leaves":
        """Leaves for the columns `ids` of the file `name`, by the rows of the keep list (sample_qc/keep.tsv).

        A person whose count_sex is U (unknown, aneuploid or contradicting the sheet) is in no sex-chromosomal
        count outside the PARs, whatever ploidy the calls were given (COUNTING 2, last column).
        """
        stop_on(
            [Problem(name, f"sample {i} is not in the keep list", "run sample_qc again") for i in ids if i not in keep]
        )
        rows = [keep[i] for i in ids]
        labels = [f"{r['country_code']}_{r['count_sex']}" if r["keep"] == "yes" else None for r in rows]
        names = sorted({label for label in labels if label})
        number = {label: i for i, label in enumerate(names)}
        base = np.array([number.get(label, -1) for label in labels], np.int16)
        unknown = np.array([r["count_sex"] == "U" for r in rows], np.bool_)
        of = np.repeat(base[None, :], N_CLASSES, axis=0)
        for region_class in (REGION_X, REGION_Y):
            of[region_class, unknown] = -1
        ploidy = ploidy_table([r["count_sex"] for r in rows])
        expected = np.zeros((N_CLASSES, len(names)), np.int64)
        for region_class in range(N_CLASSES):
            inside = of[region_class] >= 0
            np.add.at(expected[region_class], of[region_class][inside], ploidy[region_class][inside])
        people = {name: labels.count(name) for name in names}
        return cls(names, people, of, expected)


def schema(leaves: Leaves, raw: bool) -> pa.Schema:
    """Arrow schema of a region's counts; metadata `goe`: JSON of leaves, people and expected AN by class."""
    fields = [
        ("contig", pa.string()),
        ("pos", pa.int32()),
        ("ref", pa.string()),
        ("alt", pa.string()),
        ("filters", pa.list_(pa.string())),
        ("qual", pa.float32()),
        *((column, pa.float32()) for column in METRIC_COLUMNS.values()),
        ("region_class", pa.int8()),
        ("n_records", pa.int16()),
    ]
    for prefix in ("", "raw_") if raw else ("",):
        fields += [(f"{prefix}{m}_{leaf}", pa.int32()) for leaf in leaves.names for m in MEASURES]
    about = {
        "leaves": leaves.names,
        "people": leaves.people,
        "class_expected": {
            str(c): dict(zip(leaves.names, map(int, leaves.expected[c]), strict=True)) for c in range(1, N_CLASSES)
        },
        "raw": raw,
    }
    return pa.schema(fields, metadata={"goe": json.dumps(about, sort_keys=True)})


@nb.njit(cache=True, nogil=True)
def _count(codes, leaf, counts):
    """Add each person's code to counts[leaf, measure]."""
    for p in range(codes.shape[0]):
        where = leaf[p]
        code = codes[p]
        if where < 0 or code == 0:
            continue
        haploid = code == gt.CODE_REF1 or code == gt.CODE_HEMI
        counts[where, 1 if haploid else 0] += 1
        if code == gt.CODE_HET:
            counts[where, 2] += 1
        elif code == gt.CODE_HOM:
            counts[where, 3] += 1
        elif code == gt.CODE_HEMI:
            counts[where, 4] += 1


def count(reader: Reader, leaves: Leaves, raw: bool) -> Iterator[pa.RecordBatch]:
    """Counts of a harmonised region, a row for each record, in batches of `schema(leaves, raw)`."""
    table = schema(leaves, raw)
    width = len(leaves.names)
    records = iter(reader)
    while True:
        site: list[tuple] = []
        kinds = 2 if raw else 1
        counted = np.zeros((kinds, ROWS_A_BATCH, width, len(MEASURES)), np.int32)
        for record in _take(records, ROWS_A_BATCH):
            row, region_class = len(site), int(record.info["CLASS"])
            codes = [gt.codes_from_gt(record.formats["GT"])]
            if raw:
                codes.append(record.formats["RAW"][:, 0])
            for kind in range(kinds):
                _count(codes[kind], leaves.of[region_class], counted[kind, row])
            metrics = (record.info.get(key) for key in METRIC_COLUMNS)
            filters = [f for f in record.filters if f != "PASS"]
            site.append(
                (record.contig, record.pos, record.ref, record.alts[0], filters, record.qual)
                + (*metrics, region_class, int(record.info["NREC"]))
            )
        if not site:
            return
        columns = [pa.array(values, table.field(i).type) for i, values in enumerate(zip(*site, strict=True))]
        numbers = counted[:, : len(site)].transpose(0, 2, 3, 1).reshape(-1, len(site))
        columns += [pa.array(np.ascontiguousarray(values)) for values in numbers]
        yield pa.RecordBatch.from_arrays(columns, schema=table)


def _take(items: Iterable, n: int) -> Iterator:
    for _, item in zip(range(n), items, strict=False):
        yield item
