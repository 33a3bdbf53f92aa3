"""Rules that give a site allele its FILTER: names, thresholds' keys, sources, and how a release tells of them."""

from collections.abc import Mapping
from typing import Any

from goe.core import tables
from goe.core.resources import RESOURCES

RULES = {row["filter"]: row for row in tables.read(RESOURCES / "dictionary" / "filters.tsv")}
"""FILTER name -> row of resources/dictionary/filters.tsv, in the order of the reasons in FILTER.

key: of `variant_qc` in the config, empty for a rule without a threshold, `regions.<flag>` for one that takes a BED
file; default: of that key; words, description: for people and for the header of a VCF; no_value: when an allele
cannot be judged; source: of the default.
"""
DESCRIPTIONS = {name: row["description"] for name, row in RULES.items()}
REGION_FILTERS = {
    row["key"].removeprefix("regions."): name for name, row in RULES.items() if row["key"].startswith("regions.")
}
"""Flag of `annotations.regions` -> FILTER name that it gives when `variant_qc.regions` names it."""
STEP = "variant_qc"
NO_VALUE, FAILED = "no value", "fails the rule"
EXCESS, DEFICIT, BOTH = "heterozygotes in excess", "heterozygotes too few", "in excess here, too few there"
"""Reasons in the ledger of the step; the last three are those of HWE, by the countries in which it fails."""

_BY_COUNTRY = ("HWE", "InbreedingCoeff")


def applies(name: str, rules: Mapping[str, Any]) -> bool:
    """Whether the config, of which `rules` is the section variant_qc, applies the rule."""
    key = RULES[name]["key"]
    if key.startswith("regions."):
        return key.removeprefix("regions.") in rules["regions"]
    return not key or rules[key] is not None


def words(rules: Mapping[str, Any], countries: Mapping[str, int] | None = None) -> list[str]:
    """The rules that apply, with threshold and source; for README and reports.

    countries: published country -> people, to say where HWE and InbreedingCoeff could be judged; None says nothing.
    """
    sentences = []
    for name, row in RULES.items():
        if not applies(name, rules):
            continue
        limit = rules.get(row["key"])
        own = row["default"] and limit != float(row["default"])
        source = f"set for this cohort, default {row['default']}" if own else row["source"]
        sentences.append(f"{name}: {row['words'].format(limit)} [{source}]")
    by_country = [name for name in _BY_COUNTRY if applies(name, rules)]
    if by_country and countries is not None:
        sentences.append(_where_judged(" and ".join(by_country), rules["hwe_min_people"], countries))
    if rules["accept_filters"]:
        sentences.append(f"filters of the input that count as PASS: {', '.join(rules['accept_filters'])}")
    return sentences


def _where_judged(names: str, least: int, countries: Mapping[str, int]) -> str:
    enough = [country for country, people in countries.items() if people >= least]
    few = [country for country in countries if country not in enough]
    if not enough:
        return f"{names} could be judged in no published country: none has {least} people (hwe_min_people)"
    rest = f"; not in {', '.join(few)}, which have fewer" if few else ""
    return f"{names} are judged by country, in {', '.join(enough)} ({least} people or more called){rest}"


def counts(ledger: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """FILTER name -> alleles that passed, had no value, and failed by reason, as a ledger of a release has them.

    ledger: `release_notes.public_ledger`, whose figures are rounded. HetExcess is told by the reasons of HWE.
    """
    out: dict[str, dict[str, Any]] = {}
    for step in ledger["steps"]:
        if step["step"] == STEP:
            for name in RULES:
                if name in step["in"]:
                    reasons = dict(step["dropped"].get(name, {}))
                    no_value = reasons.pop(NO_VALUE, 0)
                    out[name] = {"passed": step["out"].get(name, 0), "no_value": no_value, "failed": reasons}
    return out
