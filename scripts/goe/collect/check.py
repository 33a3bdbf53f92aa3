"""A finished collection held against what it says, by whoever receives it: the folder alone is needed.

The table of sums is held against the table of datasets, row by row, and the VCFs against the table of sums.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from goe.check import apart as in_bounds
from goe.check import folder as check_folder
from goe.check import pages, readback, tree
from goe.check import run as check_run
from goe.check.faults import Faults, safely
from goe.collect import folder, form, public_sum, table
from goe.collect.comparison import again
from goe.collect.comparison import contig as contig_tests
from goe.collect.comparison import files as comparison_files
from goe.collect.merge import ABSENT, BELOW, LISTED, STATES
from goe.core import manifest
from goe.core.errors import Problem
from goe.core.resources import RESOURCES
from goe.release import bounds
from goe.release.formats.wide_table import column
from goe.release.reading import reading, vcf_header
from goe.release.restricted import MARK

SCHEMA = RESOURCES / "schemas" / "goe" / "collection.schema.json"
_ROWS = 1 << 14
_ALLELE = ("pos", "ref", "alt")
_AGAIN = "get the collection again"


@dataclass(frozen=True)
class Result(check_run.Result):
    """What came of a check, as that of a release is told, under a title of its own."""

    title: str = ""

    @property
    def name(self) -> str:
        return self.title


def is_collection(root: str | Path) -> bool:
    return any((Path(root) / about).is_file() for about in (folder.ABOUT, public_sum.ABOUT))


def run(root: str | Path, threads: int = 2) -> list[Result]:
    """Check a folder, so many parts at a time. Nothing is raised for one that is broken."""
    where = Path(root)
    found: list[Result] = []

    def put(part: str, name: str, problems: list[Problem], detail: str) -> bool:
        start = f"{where}/"
        shown = tuple(check_run.relative(problem, start) for problem in problems[: bounds.PROBLEMS])
        if (n := len(problems)) > len(shown):
            shown = (*shown, Problem(name, f"and {n - len(shown):,} more problems"))
        found.append(Result(part, not shown, f"{n} problems" if shown else detail, shown, name))
        return not shown

    special = tree.faults(where)
    if not put("files", "Files", special, "files and folders alone"):
        return found
    if (where / public_sum.ABOUT).is_file():
        problems = safely(public_sum.ABOUT, lambda: public_sum.check(where))
        put("public sum", "Public sum", problems, "digests, columns, order and counts")
        return found
    put("manifest", "Manifest", safely(str(where), lambda: manifest.verify(where)), "every digest agrees")
    about: dict = {}
    problems = in_bounds.apart(folder.ABOUT, lambda: _fitting(where)) or safely(
        folder.ABOUT, lambda: _about(where, about)
    )
    if not put("description", "Description", problems, "keys, strata, datasets and files"):
        return found
    problems = safely("frequencies", lambda: _tables(where, about))
    if not put("tables", "Tables: columns", problems, "columns, types and sizes"):
        return found
    with ThreadPoolExecutor(threads) as pool:

        def look(name: str, *parts: Callable[[], list[Problem]]) -> Callable[[], list[Problem]]:
            begun = [pool.submit(safely, name, part) for part in parts]
            return lambda: [problem for one in begun for problem in one.result()]

        # The longest begin first.
        sites = look("sites", *(partial(_vcf, where, about, which) for which in ("all", "pass")))
        compared = look("comparison", lambda: again.check(where, about))
        page = look("collection.html", lambda: again.page(where, about))
        rows = {name: look(name, partial(_rows, where, about, name)) for name in about["contigs_with_alleles"]}
        for contig, problems_of in rows.items():
            put(f"rows {contig}", f"Sums of {contig}: every row", problems_of(), "bounds, datasets and their sums")
        put("sites", "Sites VCF: same numbers", sites(), "alleles, filters and every number")
        put("comparison", "Comparison of countries: made again", compared(), "statistics, tests of alleles, tables")
        put("page", "Page: same numbers", page(), "the page, and every number it looks up")
    return found


def _fitting(root: Path) -> list[Problem]:
    """What the schema, and what any collection is larger than, have against the description."""
    said = check_folder.read_json(root / folder.ABOUT)
    validator = check_folder.Validator(json.loads(SCHEMA.read_text()))
    errors = islice(validator.iter_errors(said), bounds.PROBLEMS)
    if problems := [Problem(folder.ABOUT, f"{e.json_path}: {e.message[:200]}", _AGAIN) for e in errors]:
        return sorted(problems)
    for key, n, most in (
        ("strata", len(said["strata"]), bounds.STRATA),
        ("sources", len(said["sources"]), bounds.SOURCES),
        ("contigs", len(said["contigs"]), bounds.CONTIGS),
        ("number_of_records", said["number_of_records"], bounds.ALLELES),
        ("length of a contig", max(contig["length"] for contig in said["contigs"]), bounds.BASES),
    ):
        if n > most:
            problems.append(Problem(folder.ABOUT, f"{key}: {n:,}, a collection has at most {most:,}", _AGAIN))
    named = [contig["name"] for contig in said["contigs"]]
    if strange := [
        name for name in said["contigs_with_alleles"] if name not in named or not check_folder.plain_name(name)
    ]:
        problems.append(Problem(folder.ABOUT, f"has alleles on {strange[0][:80]!r}, which is no contig of it", _AGAIN))
    return problems


def _tables(root: Path, about: dict) -> list[Problem]:
    """Tables that are not of the columns and types of a collection, or larger than one of it can be."""
    strata, numbers = _strata(about), [source["number"] for source in about["sources"]]
    kinds = {
        "frequencies": {f.name: f.type for f, _, _ in table.fields(strata)},
        "datasets": {f.name: f.type for f in table.datasets_schema(numbers, {})},
        comparison_files.FOLDER: dict(contig_tests.KINDS),
    }
    problems = []
    for contig in about["contigs_with_alleles"]:
        for place, wanted in kinds.items():
            path = root / f"{place}/{contig}.parquet"
            look = partial(pages.table, path, wanted, about["number_of_records"])
            problems += safely(str(path), lambda look=look: look() or [])  # type: ignore[misc]
    return problems


def _about(root: Path, about: dict) -> list[Problem]:
    about |= check_folder.read_json(root / folder.ABOUT)
    document = about
    problems = []
    compared = again.read(root)
    wanted = {*folder.names(document["id"], document["contigs_with_alleles"]), *comparison_files.names(compared)}
    for name in sorted(wanted ^ set(manifest.files(root))):
        problems.append(Problem(name, "is missing" if name in wanted else "is no file of a collection", _AGAIN))
    restricted = any(source["kind"] == "restricted" for source in document["sources"])
    if restricted != (document["level"] != folder.PUBLIC):
        problems.append(Problem(folder.ABOUT, f"level is {document['level']}: its datasets say otherwise", _AGAIN))
    for name, text in (
        ("README.md", folder.readme(document)),
        (folder.DICTIONARY, folder.dictionary(_strata(document))),
    ):
        if (root / name).is_file() and (root / name).read_text() != text:
            problems.append(Problem(name, "is not what the description gives", _AGAIN))
    return problems


def _strata(about: dict) -> list[str]:
    return form.ordered(about["strata"])


def _pairs(root: Path, contig: str) -> Iterator[tuple[pa.Table, pa.Table]]:
    paths = [root / f"{kind}/{contig}.parquet" for kind in ("frequencies", "datasets")]
    with (
        reading(paths[0]),
        pq.ParquetFile(paths[0], pre_buffer=False) as sums,
        pq.ParquetFile(paths[1], pre_buffer=False) as apart,
    ):
        if sums.metadata.num_rows != apart.metadata.num_rows:
            raise ValueError("the tables of sums and of datasets have not the same alleles")
        for one, two in zip(*(file.iter_batches(_ROWS, use_threads=False) for file in (sums, apart)), strict=True):
            yield pa.table(one), pa.table(two)


def _rows(root: Path, about: dict, contig: str) -> list[Problem]:
    strata, numbers = _strata(about), [source["number"] for source in about["sources"]]
    length = next(c["length"] for c in about["contigs"] if c["name"] == contig)
    faults = Faults(f"frequencies/{contig}.parquet", "the file was changed: get it again")
    last: tuple = (0, "", "")
    for sums, apart in _pairs(root, contig):
        wanted = [f.name for f, _, _ in table.fields(strata)]
        if sums.column_names != wanted:
            return [Problem(faults.where, "has not the columns of its strata", _AGAIN)]
        pos = _n(sums, "pos")

        def name(row: int, sums: pa.Table = sums) -> str:
            return ":".join([contig, *(str(sums[key][row].as_py()) for key in _ALLELE)])

        for key in ("contig", "pos", "ref", "alt"):
            faults.add(f"{key} is not that of the table of datasets", ~_equal(sums[key], apart[key]), name)
        faults.add("is out of order or there twice", _unordered(sums, pos, last), name)
        faults.add("is not within its contig", (pos < 1) | (pos > length), name)
        last = _key(sums, sums.num_rows - 1)
        _states(sums, apart, numbers, faults, name)
        for s in strata:
            _bounds(sums, s, faults, name)
    return faults.problems


def _key(sums: pa.Table, row: int) -> tuple:
    return tuple(sums[key][row].as_py() for key in _ALLELE)


def _unordered(sums: pa.Table, pos: np.ndarray, last: tuple) -> np.ndarray:
    """bool (alleles,): alleles that do not follow the one before. last: the one before the first."""
    before = np.concatenate(([last[0]], pos[:-1]))
    bad = pos < before
    for row in np.flatnonzero(pos == before):
        bad[row] = _key(sums, int(row)) <= (_key(sums, int(row) - 1) if row else last)
    return bad


def _equal(one: pa.ChunkedArray, two: pa.ChunkedArray | pa.Array) -> np.ndarray:
    return np.asarray(pc.fill_null(pc.equal(one, two), False).to_numpy())


def _n(sums: pa.Table, name: str) -> np.ndarray:
    return np.asarray(pc.fill_null(sums[name], -1).to_numpy().astype(np.int64))


def _states(sums: pa.Table, apart: pa.Table, numbers: list[int], faults: Faults, name: Callable[[int], str]) -> None:
    """What each dataset says, against the counts of datasets and the sums of those that are exact."""
    letters = np.concatenate([table.letters(apart[f"status_{n}"], 1) for n in numbers])
    joined = table.letters(sums["status"], len(numbers))
    faults.add("status is not what the datasets say", (joined != letters).any(axis=0), name)
    for key, state in STATES.items():
        faults.add(f"{key} is not the number of such datasets", _n(sums, key) != (letters == state).sum(axis=0), name)
    exact = np.isin(letters, (LISTED, ABSENT))
    ac, an = (np.stack([_n(apart, f"{key}_{n}") for n in numbers]) for key in ("ac", "an"))
    faults.add("ac_lo is not the sum of the datasets", np.where(exact, ac, 0).sum(axis=0) != _n(sums, "ac_lo"), name)
    # Those under a floor add what is callable.
    counted = np.isin(letters, (LISTED, ABSENT, BELOW))
    faults.add("an is not the sum of the datasets", np.where(counted, an, 0).sum(axis=0) != _n(sums, "an"), name)
    right = table.filters(_n(sums, "n_datasets") > 0, _n(sums, "n_filtered") > 0)
    faults.add("filter is not what the datasets say", ~_equal(sums["filter"], right), name)


def _bounds(sums: pa.Table, stratum: str, faults: Faults, name: Callable[[int], str]) -> None:
    keys = ("ac_lo", "ac_hi", "an", "an_hi", "nhomalt_lo", "nhomalt_hi")
    columns = set(sums.column_names)
    n = {key: _n(sums, column(key, stratum)) for key in keys if column(key, stratum) in columns}
    for key, values in n.items():
        faults.add(f"{stratum}: {key} is missing or below 0", values < 0, name)
    for low, high in (("ac_lo", "ac_hi"), ("an", "an_hi"), ("ac_hi", "an_hi")):
        faults.add(f"{stratum}: {low} is above {high}", n[low] > n[high], name)
    if "nhomalt_lo" not in n:
        return
    faults.add(f"{stratum}: nhomalt_lo is above nhomalt_hi", n["nhomalt_lo"] > n["nhomalt_hi"], name)
    faults.add(f"{stratum}: more homozygotes than AC allows", 2 * n["nhomalt_hi"] > n["ac_hi"], name)
    with np.errstate(divide="ignore", invalid="ignore"):
        af = {"af_lo": n["ac_lo"] / n["an_hi"], "af_hi": np.minimum(n["ac_hi"] / n["an"], 1)}
    for key, right in af.items():
        stated = sums[column(key, stratum)].to_numpy()
        good = np.where(n["an"] > 0, stated == right, np.isnan(stated))
        faults.add(f"{stratum}: {key} does not follow from its counts", ~good, name)
    if column("faf95", stratum) in columns:
        right = np.where(n["an"] > 0, table.faf95(np.maximum(n["ac_lo"], 0), n["an_hi"]), np.nan).astype(np.float32)
        stated = sums[column("faf95", stratum)].to_numpy()
        faults.add(f"{stratum}: faf95 does not follow from its counts", ~((stated == right) | np.isnan(right)), name)


def _vcf(root: Path, about: dict, which: str) -> list[Problem]:
    info = table.tags(_strata(about))
    path = root / f"sites/{about['id']}.{which}.vcf.gz"
    problems = []
    if (MARK.strip() in vcf_header(path).lines) != (about["level"] != folder.PUBLIC):
        problems.append(Problem(str(path), "its mark is not that of its level", _AGAIN))
    wanted = _expected(root, about, info, which == "pass")
    return problems + readback.compare(_read(path, info), wanted, str(path), [t.id for t in info], _KEYS)


_KEYS = ("contig", "pos", "ref", "alt", "filter")


def _read(path: Path, info: list[table.Tag]) -> Iterator[pa.Table]:
    for records, found in readback.vcf_records(path):
        rows = records.num_rows
        columns = {key: records[key] for key in _KEYS}
        for tag in info:
            if tag.type == "String":
                at, texts = found.get(tag.id, (np.zeros(0, np.int64), pa.array([], pa.string())))
                order = np.full(rows, -1)
                order[at] = np.arange(len(at))
                columns[tag.id] = texts.take(pa.array(order, mask=order < 0))
            else:
                columns[tag.id] = pa.array(readback.numbers_of(found, tag.id, rows), from_pandas=True)
        strange = set(found) - {tag.id for tag in info}
        if strange:
            raise ValueError(f"INFO {sorted(strange)[0]} is none of a collection")
        yield pa.table(columns)


def _expected(root: Path, about: dict, info: list[table.Tag], passed: bool) -> Iterator[pa.Table]:
    strata = {tag.stratum for tag in info if tag.stratum}
    names = {*_KEYS, *(tag.key for tag in info), *(column(key, s) for key in table.EXACT for s in strata)}
    for contig in about["contigs_with_alleles"]:
        path = root / f"frequencies/{contig}.parquet"
        with reading(path), pq.ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(_ROWS, columns=sorted(names), use_threads=False):
                sums = pa.table(batch)
                if passed:
                    sums = sums.filter(pc.equal(sums["filter"], table.PASS))
                columns = {key: sums[key] for key in _KEYS}
                for tag in info:
                    values = table.shown(sums, tag)
                    columns[tag.id] = values if tag.type == "String" else _as_text(values)
                yield pa.table(columns)


def _as_text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """The double that the shortest text of a number reads as: another one in single precision alone."""
    return pc.cast(pc.cast(values, pa.string()) if values.type == pa.float32() else values, pa.float64())
