"""The plain facts of a made-up release, as the summaries of goe have them, for `goe.release.report.page`."""

import hashlib
from dataclasses import replace

import numpy as np
import pyarrow as pa
from goe.disclosure.membership import CHANGES
from goe.release.report import callable_steps, rs_numbers
from goe.release.report.lookup import Tracks, Writer
from goe.release.report.spectrum import Spectrum, combine
from goe.rules.site_filters import DESCRIPTIONS

from helpers import public_blocks

DATASET = "GOE-EE-UTARTU-20260301093000000"
CONTIGS = ({"name": "chr20", "length": 64_444_167}, {"name": "chrX", "length": 156_040_895})


def _file(path: str, size: int) -> dict:
    return {"path": path, "size": size, "sha256": hashlib.sha256(path.encode()).hexdigest()}


def _power(stratum: str, people: int, power: float) -> dict:
    return {
        "stratum": stratum,
        "people": people,
        "sites_published": 48_102,
        "sites_used": 21_450,
        "power": power,
        "power_by_formula": power,
        "power_if_all_sites_were_independent": 1.0,
        "power_with": {key: round(power / (2 + i), 2) for i, (key, _) in enumerate(CHANGES)},
    }


def runs(length: int) -> list[pa.Table]:
    """Callable AN of a contig in two tables of runs of 1 kb: nobody in one of five, in the others 300 apart."""
    start = np.arange(0, length, 1000)
    an = np.where(
        np.arange(len(start)) % 5 == 0, 0, (np.arange(len(start)) * 300) % (2 * public_blocks.people()["Total"])
    )
    table = pa.table({"start": start.astype(np.int32), "an_Total": an.astype(np.int32)})
    return [table.slice(0, 7001), table.slice(7001)]


def rs_number(pos: int) -> str | None:
    """Of the alleles of a position, whatever the contig; two of three have one, falling and rising."""
    return f"rs{(pos * 7919) % 1_000_003 + 2_600_000_000}" if pos % 3 else None


def facts(folder, alleles=40_000, k=5, contigs=CONTIGS, size=16_384, **changes) -> dict:
    """Arguments of `report_page.write` but for the folder of the release; look-up files go into `folder`."""
    spectra, lookups, steps, numbers = [], [], [], []
    for contig in contigs:
        blocks = list(public_blocks.blocks(contig["name"], alleles, k=k, size=size))
        spectrum, strata = Spectrum(blocks[0].strata), blocks[0].strata
        lookups.append(folder / f"{contig['name']}.lookup")
        with Writer(lookups[-1], contig["name"], strata) as writer:
            for block in blocks:
                spectrum.add(block)
                writer.write(block)
        spectra.append(spectrum.as_dict())
        steps.append(folder / f"{contig['name']}.callable")
        with callable_steps.Writer(steps[-1], contig["name"], public_blocks.people()["Total"]) as writer:
            for table in runs(contig["length"]):
                writer.write(table)
        numbers.append(folder / f"{contig['name']}.rs_numbers")
        with rs_numbers.Writer(numbers[-1], contig["name"]) as writer:
            for block in blocks:
                writer.write(replace(block, names={"rsid": pa.array(map(rs_number, block.pos.to_pylist()))}))
    people = {s: n for s, n in public_blocks.people().items() if s in spectra[0]["strata"]}
    spectrum = combine(spectra)
    return {
        "about": {
            "prefix": "GOE",
            "country": "EE",
            "org": "UTARTU",
            "id": DATASET,
            "title": "Allele frequencies of the Baltic reference cohort",
            "description": "Whole genomes of adults of Estonia and its neighbours, sequenced at 30x for the Genome of "
            "Europe, counted with one set of rules.",
            "license": "https://creativecommons.org/licenses/by/4.0/",
            "publisher": "University of Tartu",
            "contact": {
                "fn": "Data access office",
                "email": "data@example.org",
                "url": "https://example.org/access",
            },
            "keywords": ["allele frequencies", "whole genomes"],
            "synthetic": True,
            "build": "GRCh38",
            "pseudo_autosomal_regions": [["chrX", 10_001, 2_781_479], ["chrX", 155_701_383, 156_030_895]],
            "callable_an": {"people": dict.fromkeys(("Total",), people["Total"])},
            "made_with": "goe 0.1.0",
            "strata_label": "country_code",
            "number_of_records": sum(c["alleles"] for c in spectrum["contigs"].values()),
            "number_of_people": people["Total"],
            "strata": people,
        },
        "qc": {
            "people": {
                "on_the_sheet": 4175,
                "kept": people["Total"],
                "left_out": 65,
                "left_out_by_reason": {"contamination": 10, "mean_dp": 20, "related": 35, "withdrawn": 5},
            },
            "genotype_filter": [
                "GQ at least 20",
                "DP at least 10, 5 where one allele is expected",
                "in a heterozygote, AD / DP of every called allele at least 0.2",
            ],
            "variant_qc": [
                "AC0: nobody who counts has the allele",
                "LowCallRate: called part of the expected alleles below 0.9",
                "HWE: Hardy-Weinberg exact test p below 1e-06 in a country",
                "LowQUAL: QUAL below 30",
                "HighFS: FS above 60",
            ],
            "alleles_by_rule": {
                "AC0": {"passed": 812_340, "no_value": 0, "failed": {"fails the rule": 9_415}},
                "HWE": {
                    "passed": 790_000,
                    "no_value": 21_755,
                    "failed": {
                        "heterozygotes in excess": 6_500,
                        "heterozygotes too few": 3_495,
                        "in excess here, too few there": 5,
                    },
                },
                "LowQD": {"passed": 0, "no_value": 821_755, "failed": {"fails the rule": 0}},
            },
            "metrics": {
                "mean_autosome_coverage": {
                    "Total": {"people": 4110, "p05": 30.1, "p25": 32.6, "p50": 34.2, "p75": 35.9, "p95": 38.4},
                    "EE": {"people": 2000, "p05": 30.4, "p25": 32.8, "p50": 34.5, "p75": 36.1, "p95": 38.5},
                    "LT": {"people": 10, "p50": 33.9},
                },
                "call_rate": {
                    "Total": {"people": 4110, "p05": 0.981, "p25": 0.995, "p50": 0.998, "p75": 0.999, "p95": 1.0}
                },
            },
            "rounded_to": k,
        },
        "disclosure": {
            "policy": "open" if k <= 1 else "collapse",
            "unit": "people",
            "min_carriers": None if k <= 1 else k,
            "protect": None if k <= 1 else "carriers",
            "alleles_withheld_by_reason": {},
            "legal_basis": "Decision 12/2026 of the steering board" if k <= 1 else None,
            "strata": spectrum["strata"],
            "strata_not_published": 0,
            "alleles_withheld": 0 if k <= 1 else 23_405,
            "counts_beside_the_frequencies_rounded_to": k,
            "not_covered": []
            if k <= 1
            else [
                "people without a call: AN against the number of people of a stratum is not floored",
                "linked alleles: rare alleles with equal counts may have the same carriers",
                "membership inference: no floor on counts stops it for someone whose genotypes are known",
            ],
        },
        "spectrum": spectrum,
        "lookups": Tracks(lookups, steps, numbers),
        "contigs": list(contigs),
        "filters": DESCRIPTIONS,
        "membership": {
            "test": "likelihood ratio of a known genome",
            "false_positives": 0.05,
            "simulated": {"members": 5000, "non_members": 5000},
            "sites": "autosomal alleles with FILTER PASS",
            "strata": [_power("Total", people["Total"], 0.83), _power("LT_M", people["LT_M"], 0.995)],
            "in_words": ["A floor on counts does not stop membership inference.", "What lowers it is more people."],
        },
        "checks": [
            {"name": "Manifest", "passed": True, "detail": "27 files, every digest agrees"},
            {"name": "Disclosure audit", "passed": True, "detail": "no hidden cell can be pinned down"},
            {"name": "Sites VCF", "passed": True, "detail": "sorted, biallelic, no sample ids in the header"},
            {"name": "Agreement of the formats", "passed": True, "detail": "the same number in every format"},
            {"name": "HealthDCAT-AP", "passed": True, "detail": ""},
        ],
        "files": [
            _file("README.md", 8123),
            _file("LICENSE", 812),
            _file(f"sites/{DATASET}.pass.vcf.gz", 48_123_456),
            _file(f"sites/{DATASET}.pass.vcf.gz.tbi", 80_123),
            _file(f"sites/{DATASET}.all.vcf.gz", 51_987_654),
            *(_file(f"frequencies/chr{c}.parquet", 9_000_000 - 100_000 * c) for c in range(1, 23)),
            _file("metadata/dataset.json", 1205),
            _file("dictionary/fields.tsv", 15_322),
        ],
        **changes,
    }
