"""A release as study results of the GA4GH VA-Spec: CohortAlleleFrequencyStudyResult, a line of JSON an allele.

Models: ga4gh.va_spec 0.4.4 (base/core.py), which every line is held against in tests/consumers. The cohort is Total;
its subcohorts are men, women and the countries, those of a country its men and women, which stand under Total where
their country is withheld. Alleles are named by their VRS 2 identifier; the numbers are those of the wide table, PASS
alleles at which somebody is called alone, and a stratum that is withheld is no subcohort. Names within
`ancillaryResults` are those of gnomAD's pilot (ga4gh/gk-pilot).
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa

from goe.check import blocks as release_blocks
from goe.check.folder import Facts
from goe.core.errors import GoeError, Problem
from goe.frequencies import strata as st
from goe.frequencies.block import Block, passed
from goe.lookup.release import bounded, opened, table
from goe.release import layout
from goe.release.formats import annotations, sites_vcf
from goe.release.metadata import health_dcat
from goe.rules.stratum import parse
from goe.settings import sections
from goe.settings.sections import Config

TYPE = "CohortAlleleFrequencyStudyResult"


def name(contig: str) -> str:
    """Name of the file of a contig."""
    return f"cohortAlleleFrequency.{contig}.jsonl.gz"


def write(folder: str | Path, target: str | Path) -> int:
    """Write a file for each contig of a release into a new folder; how many alleles they have. GoeError when the folder
    is no release, has no names of alleles, or the target is there already."""
    root, out = Path(folder), Path(target)
    facts = opened(root)
    if out.exists():
        raise GoeError(Problem(str(out), "is there already", "remove it, or give another name"))
    out.mkdir(parents=True)
    alleles = 0
    for contig in facts.lengths:
        records = facts.said["dataset"]["number_of_records"]
        long, names = root / f"frequencies/{contig}.parquet", root / layout.NAMES.format(contig=contig)
        tables = long, table(root, facts, contig)
        bounded(long, records * len(facts.strata), None)
        bounded(names, records, None)
        with ExitStack() as stack:
            body = stack.enter_context(sites_vcf.Body(out / name(contig)))
            for block in release_blocks.named(release_blocks.read(*tables, facts.strata, contig), names):
                text = [json.dumps(one, separators=(",", ":"), ensure_ascii=False) for one in results(block, facts)]
                alleles += len(text)
                body.write(pa.array(text, pa.string()))
    return alleles


def results(block: Block, facts: Facts) -> Iterator[dict[str, Any]]:
    """The study results of the PASS alleles of a block with names."""
    dataset = sections.of(Config, facts.said["config"]).dataset
    source = {
        "id": facts.id,
        "type": "DataSet",
        "name": health_dcat.title(dataset),
        "releaseDate": health_dcat.issued(facts.id).isoformat(),
    }
    index = {stratum: i for i, stratum in enumerate(block.strata)}
    groups = {stratum: _cohort(facts.id, stratum, facts.people[stratum]) for stratum in block.strata}
    af = block.numbers.af()
    of, told, faf = annotations.fafmax(block, "faf95")
    ids = block.names["vrs_id"].to_pylist()

    def result(stratum: str, row: int) -> dict[str, Any]:
        i = index[stratum]
        parts = [result(s, row) for s in block.strata if s != st.TOTAL and shown(s, row) and holder(s, row) == stratum]
        return {
            "type": TYPE,
            "focusAllele": ids[row],
            "focusAlleleCount": int(block.numbers.ac[i, row]),
            "locusAlleleCount": int(block.numbers.an[i, row]),
            "focusAlleleFrequency": float(af[i, row]),
            "cohort": groups[stratum],
            **({"subCohortFrequency": parts} if parts else {}),
            "ancillaryResults": {
                "homozygotes": int(block.numbers.nhomalt[i, row]),
                "hemizygotes": int(block.numbers.ac_hemi[i, row]),
            },
        }

    def shown(stratum: str, row: int) -> bool:
        return bool(block.shown()[index[stratum], row] and block.numbers.an[index[stratum], row])

    def holder(stratum: str, row: int) -> str:
        """The cohort under which a stratum is told: its country, where that is public."""
        country, sex = parse(stratum)
        return country if country and sex and country in index and shown(country, row) else st.TOTAL

    for row in passed(block).nonzero()[0].tolist():
        if not shown(st.TOTAL, row):
            continue
        one = {"id": f"{facts.id}:{ids[row]}", **result(st.TOTAL, row), "sourceDataSet": source}
        if told[row]:
            highest = {"frequency": float(str(faf[of[row], row])), "confidenceInterval": 0.95}
            one["ancillaryResults"] |= {"grpMaxFAF95": highest | {"groupId": groups[block.strata[of[row]]]["id"]}}
        yield one


def _cohort(dataset: str, stratum: str, people: int) -> Mapping[str, Any]:
    words = sites_vcf.group(stratum).removeprefix(", ") or "all people"
    return {"id": f"{dataset}:{stratum}", "type": "StudyGroup", "name": words, "memberCount": people}
