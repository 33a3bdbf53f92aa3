"""A package of a GDI node, brought to the form of the sum.

It holds alleles that passed every filter, above a floor in alleles, and says neither by which rules they were counted
nor what was left out: what it does not list is unknown.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from goe.check import blocks, gdi_numbers, tree
from goe.check import gdi as gdi_check
from goe.check.readback import COUNTS
from goe.collect import form
from goe.collect.dataset import Dataset, File
from goe.collect.sheet import Entry
from goe.core import manifest
from goe.core.errors import Problem
from goe.disclosure.silence import UNKNOWN, Silence
from goe.genome.build import canonical
from goe.hts import crypt4gh, vcf_header
from goe.release import bounds
from goe.release.gdi import format as gdi
from goe.rules.dataset import DatasetId

_TEXT = ("contig", "ref", "alt", "filter", "stratum")
_AGAIN = "get the package again"


def take(one: Dataset, entry: Entry, work: Path) -> list[Problem]:
    """Check the package by the rules of the node, and write its rows as wide tables."""
    package = Path(entry.path)
    if package.is_dir() and (problems := tree.faults(package)):
        return problems
    if package.is_file():
        one.digest = manifest.digest(package)
    if package.suffix == ".c4gh":
        if not entry.key:
            return [Problem(entry.name, "is encrypted, and the sheet names no key", "fill in the column key")]
        plain = work / package.name.removesuffix(".c4gh")
        crypt4gh.decrypt(package, plain, entry.key)
        package = plain
    if problems := gdi_check.check(package):
        return problems
    content = gdi_check.content(package)
    about = content["metadata"]
    if package.is_dir():
        one.digest = manifest.digest(package / gdi.MANIFEST)
    found = DatasetId.parse(about["datasetId"])
    one.id, one.country = about["datasetId"], found.country if found else ""
    contigs = _contigs(gdi_check.headers(package))
    names = {gdi.chromosome(content["config"]["assembly"]["reference"], c["name"], c["length"]): c for c in contigs}
    strata = form.ordered(about["populations"])
    if len(strata) > bounds.STRATA:
        return [Problem(entry.name, f"names {len(strata):,} strata: at most {bounds.STRATA} are read", _AGAIN)]
    one.people = dict.fromkeys(strata, 0)
    tables = work / "wide"
    tables.mkdir()
    data = gdi_check.data_files(package)
    for chromosome in dict.fromkeys(part.chromosome for part, _ in data):
        if chromosome not in names:
            return [Problem(entry.name, f"its headers have no contig for chromosome {chromosome}", _AGAIN)]
        contig = names[chromosome]["name"]
        parts = [content for part, content in data if part.chromosome == chromosome]
        long = work / "long.parquet"
        _long(parts, contig, long)
        target = tables / f"{contig}.parquet"
        with form.Table(target, contig, one.people) as out:
            for table in blocks.whole_alleles(long, len(strata)):
                block = blocks.block(table, blocks.starts(table), strata, contig, entry.name)
                out.write(block)
                for s, stratum in enumerate(strata):
                    most = int(block.numbers.an[s].max(initial=0))
                    one.people[stratum] = max(one.people[stratum], -(-most // 2))
        long.unlink()
        one.tables[contig] = File.of(target)
    one.exact_people, one.silence, one.zygosity = False, Silence(UNKNOWN), tuple(strata)
    one.terms = {"build": content["config"]["assembly"]["reference"], "contigs": contigs}
    one.manner = {
        "min_alleles": content["config"].get("minAlleleCount", 0),
        "policy": None,
        "made_with": one.counted_by,
        "title": about["title"],
        "alleles": about["numberOfRecords"],
    }
    return []


def _contigs(headers: list[list[str]]) -> list[dict]:
    """Primary contigs of the headers, each once: {name, length, md5}."""
    found = {}
    for lines in headers:
        for name, declared in vcf_header.parse(lines).of("contig").items():
            if canonical(name) and declared.length:
                found[name] = {"name": name, "length": declared.length, "md5": declared.values.get("md5")}
    return list(found.values())


def _long(parts: list[pa.Buffer], contig: str, path: Path) -> None:
    """Rows of data files as a long table."""
    writer = None
    for table in gdi_numbers.numbers(parts, contig, "data files"):
        table = table.set_column(table.column_names.index("nhomalt"), "nhomalt", pc.divide(table["ac_hom"], 2))
        table = table.append_column("filter", pa.array(np.full(table.num_rows, "PASS")))
        columns = {name: table[name].cast(pa.int32()) for name in ("pos", *COUNTS)}
        columns |= {name: table[name].dictionary_encode() for name in _TEXT} | {"af": table["af"]}
        coded = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, coded.schema)
        writer.write_table(coded)
    if writer:
        writer.close()
