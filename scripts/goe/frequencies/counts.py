"""Counts of people by leaf stratum (country x sex) for every site allele of a region (C4.1)."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numba as nb
import numpy as np
import pyarrow as pa

from goe.core.errors import Problem, stop_on
from goe.genome.build import REGION_X, REGION_Y
from goe.harmonise.genotypes import END, TOGETHER, codes_from_gt, gt_bytes
from goe.harmonise.records import METRICS, N_CLASSES, failing, ploidy_table, reasons
from goe.hts.bcf import Reader

# Columns of a leaf: people called diploid, called haploid, and of those het, hom-alt, hemizygous alt.
MEASURES = ("dip", "hap", "het", "hom", "hemi")
DIP, HAP, HET, HOM, HEMI = range(5)
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
        count outside the PARs, whatever ploidy the calls were given (C2, last column).
        """
        stop_on(
            [Problem(name, f"sample {i} is not in the keep list", "run sample_qc again") for i in ids if i not in keep]
        )
        rows = [keep[i] for i in ids]
        labels = [f"{r['country_code']}_{r['count_sex']}" if r["keep"] == "yes" else None for r in rows]
        names = sorted({label for label in labels if label})
        number = {label: i for i, label in enumerate(names)}
        base = np.array([number.get(label, -1) if label else -1 for label in labels], np.int16)
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
def _count(gt: np.ndarray, leaf: np.ndarray, counts: np.ndarray) -> None:
    """Add the genotypes of one record to counts (leaves, measures), which come with everybody as diploid.

    gt: uint8 (2 * people,), the bytes of genotypes written with goe.harmonise.genotypes; leaf: int16 (people,), -1
    for none.
    """
    people = leaf.size
    whole = people // TOGETHER
    for block in range(whole + 1):
        start = block * TOGETHER
        stop = start + TOGETHER
        if block < whole:
            # Most people are 0/0. A fixed length and one type make this a few vector instructions.
            differ = np.uint8(0)
            for i in range(2 * TOGETHER):
                differ |= np.uint8(gt[2 * start + i] ^ np.uint8(2))
            if differ == 0:
                continue
        else:
            stop = people
        for p in range(start, stop):
            where, first, second = leaf[p], gt[2 * p] >> 1, gt[2 * p + 1] >> 1
            if where < 0 or (first == 1 and second == 1):
                continue
            haploid = second == END >> 1
            if first == 0 or second == 0:
                counts[where, DIP] -= 1
            elif haploid:
                counts[where, DIP] -= 1
                counts[where, HAP] += 1
                counts[where, HEMI] += first == 2
            elif first == second:
                counts[where, HOM] += 1
            else:
                counts[where, HET] += 1


def _bytes(gt: np.ndarray) -> np.ndarray:
    """uint8 (2 * people,) of a GT-only record's genotypes, however they are stored."""
    if gt.dtype != np.int8 or gt.shape[1] != 2:
        gt = gt_bytes(codes_from_gt(gt))
    return gt.reshape(-1).view(np.uint8)


def _reasons_of_carriers(ft: np.ndarray, leaf: np.ndarray, carriers: int, accepted: set[str]) -> list[str]:
    """Reasons for which the own records of all carriers fail, each once; none where somebody's passes.

    ft: bytes (people,); leaf: int16 (people,), -1 for those who do not count; carriers: how many who count have the
    allele; accepted: reasons that count as PASS.
    """
    people = failing(ft, accepted)
    people = people[leaf[people] >= 0]
    if len(people) < carriers:
        return []
    return sorted({reason for text in np.unique(ft[people]).tolist() for reason in reasons(text)})


def count(reader: Reader, leaves: Leaves, raw: bool, accept: Iterable[str] = ()) -> Iterator[pa.RecordBatch]:
    """Counts of a harmonised region, a row for each record, in batches of `schema(leaves, raw)`.

    `filters` of a row are those of the joint VCFs, and those that all who count and carry the allele have in files of
    their own (C3.6). accept: FILTERs of inputs that count as PASS.
    """
    accepted = set(accept)
    table = schema(leaves, raw)
    width = len(leaves.names)
    everybody = [np.bincount(of[of >= 0], minlength=width) for of in leaves.of]
    records = iter(reader)
    while True:
        site: list[tuple] = []
        kinds = 2 if raw else 1
        counted = np.zeros((kinds, ROWS_A_BATCH, width, len(MEASURES)), np.int32)
        for record in _take(records, ROWS_A_BATCH):
            row, region_class = len(site), int(record.info["CLASS"])
            genotypes = [_bytes(record.formats["GT"])]
            if raw:
                genotypes.append(_bytes(gt_bytes(record.formats["RAW"][:, 0])))
            for kind in range(kinds):
                counted[kind, row, :, DIP] = everybody[region_class]
                _count(genotypes[kind], leaves.of[region_class], counted[kind, row])
            metrics = (record.info.get(key) for key in METRIC_COLUMNS)
            filters = [f for f in record.filters if f != "PASS"]
            if "FT" in record.formats:
                carriers = int(counted[0, row, :, HET:].sum())
                own = _reasons_of_carriers(record.formats["FT"], leaves.of[region_class], carriers, accepted)
                filters = list(dict.fromkeys(filters + own))
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
