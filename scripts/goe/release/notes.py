"""What a release says of itself for programs: dataset description, QC and disclosure summaries, dictionary, ledger;
`release_texts` says the same in words.

Every count beside the frequencies that is not public is a sum of counts that went through `disclosure.rounded`; the
exact ones stay in the work folder.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from goe import __version__
from goe.core import code_digest
from goe.core.errors import GoeError, Problem
from goe.core.ledger import Ledger
from goe.disclosure import control, outcomes
from goe.disclosure.plan import Plan
from goe.frequencies import strata as st
from goe.release.formats.sites_vcf import Tag
from goe.rules import counting
from goe.rules import sample_thresholds as sample_rules
from goe.rules import site_filters as site_rules
from goe.rules.dataset import AN_METHODS, GVCF_ADJ, VARIANT_SITES_ONLY
from goe.rules.policy import Policy
from goe.rules.stratum import parse
from goe.settings import sections
from goe.settings.sections import Config, GenotypeFilter, VariantQc

_DATASET_KEYS = (
    "prefix",
    "country",
    "org",
    "id",
    "title",
    "description",
    "license",
    "publisher",
    "contact",
    "keywords",
    "synthetic",
)

NOT_COVERED = (
    "people without a call: AN against the number of people of a stratum is not floored",
    "how many men, women and people of neither a stratum has: its AN on X and Y tells them where its sexes are not "
    "published, few as they may be",
    "linked alleles at different positions: rare alleles with equal counts may have the same carriers",
    "FILTER: a rule that is decided per country says on which side of its threshold that country is, and HetExcess "
    "that it has more heterozygotes than expected",
    "people whose genotypes are known to the reader: their part can be taken off a count",
    "membership inference: no floor on counts stops it for someone whose genotypes are known",
)
NO_EARLIER = "earlier releases: none was named, so differences to them were not looked at"


def dumps(value: object) -> str:
    """JSON with sorted keys, so that the bytes depend on the content alone."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def combine(contigs: Sequence[Mapping]) -> dict:
    """Sum of the exact tallies of the contigs (the summaries that `release_contig` leaves)."""
    first = contigs[0]
    differ = [c["contig"]["name"] for c in contigs if c["people"] != first["people"]]
    if differ:
        raise GoeError(
            Problem(
                f"contigs {', '.join(differ)}",
                f"strata or people differ from those of {first['contig']['name']}",
                "the keep list changed between contigs: make the counts of all regions again",
            )
        )
    classes: dict[str, Counter[str]] = {}
    outcome: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    cells: Counter[str] = Counter()
    filters: Counter[str] = Counter()
    for contig in contigs:
        outcome.update(contig["tally"]["outcome"])
        reasons.update(contig["tally"]["reasons"])
        cells.update(contig["tally"]["cells"])
        filters.update(contig["tally"]["filters"])
        for name, counts in contig["tally"]["classes"].items():
            classes.setdefault(name, Counter()).update(counts)
    return {
        "read": sum(c["tally"]["read"] for c in contigs),
        "outcome": {name: outcome[name] for name in ("FULL", "REDUCED", "WITHHELD")},
        "reasons": dict(reasons),
        "cells": dict(cells),
        "classes": {name: dict(counts) for name, counts in classes.items()},
        "filters": dict(filters),
        "people": first["people"],
    }


def filter_order(names: Iterable[str], rules: Iterable[str]) -> list[str]:
    """FILTER names: PASS, those of the variant QC in their order, those of the input sorted."""
    occurring = set(names) - {"PASS"}
    known = [name for name in rules if name in occurring]
    return ["PASS", *known, *sorted(occurring - set(known))]


def account(steps: Sequence[Ledger], tally: Mapping) -> list[Ledger]:
    """The ledgers of the steps with that of the release behind them; GoeError when alleles get lost between
    two.

    steps: harmonise, frequencies, variant_qc. variant_qc drops nothing: what it gives is PASS, what it drops
    has another FILTER, and both go on.
    """
    release = Ledger("release")
    release.take("site_alleles", tally["read"])
    release.drop("site_alleles", "disclosure control", tally["outcome"]["WITHHELD"])
    release.give("site_alleles", _public(tally))
    release.check()
    chain = [*steps, release]
    problems = []
    for before, after in pairwise(chain):
        kept = before.taken if before.step == "variant_qc" else before.given
        if kept["site_alleles"] != after.taken["site_alleles"]:
            problems.append(
                Problem(
                    f"ledgers of {before.step} and {after.step}",
                    f"{kept['site_alleles']} site alleles went out and {after.taken['site_alleles']} came in",
                    "delete the files of the later step and run again",
                )
            )
    if problems:
        raise GoeError(problems)
    return chain


def _public(tally: Mapping) -> int:
    return tally["outcome"]["FULL"] + tally["outcome"]["REDUCED"]


ENDED, SHARED, _ = outcomes.IN_PART


def withheld(tally: Mapping, k: int) -> dict[str, int]:
    """Reason -> site alleles withheld, rounded; their number, as every page says it, is the sum of these."""
    reasons = sorted(tally["reasons"].items())
    return {reason: control.rounded(n, k) for reason, n in reasons if n and reason not in outcomes.IN_PART}


def release_step(records: int, hidden: int) -> dict:
    """The account of the release in a public ledger. hidden: alleles withheld, as they are shown."""
    return {
        "step": "release",
        "in": {"site_alleles": records + hidden},
        "added": {},
        "out": {"site_alleles": records},
        "dropped": {"site_alleles": {"disclosure control": hidden}},
    }


def public_ledger(chain: Sequence[Ledger], tally: Mapping, k: int) -> dict:
    """The accounts of the steps. Without people, whom a step counts once for every region.

    What is added and dropped is rounded. What went in and out follows by sums, from the public number of records
    backwards, so that no account gives an exact number of alleles that are withheld.
    """
    hidden = sum(withheld(tally, k).values())
    alleles = _public(tally) + hidden
    steps = [release_step(_public(tally), hidden)]
    for ledger in reversed(chain[:-1]):
        step = ledger.as_dict()
        for part in step.values():
            if isinstance(part, dict):
                part.pop("people", None)
        for part in ("added", "dropped"):
            step[part] = {
                unit: {reason: control.rounded(n, k) for reason, n in reasons.items()}
                for unit, reasons in step[part].items()
            }
        for unit in step["in"]:
            change = sum(step["added"].get(unit, {}).values()) - sum(step["dropped"].get(unit, {}).values())
            # variant_qc sorts the alleles by rule and drops none, the steps before it give what it takes.
            if ledger.step == site_rules.STEP:
                step["in"][unit] = alleles
                step["out"][unit] = max(0, alleles + change)
            elif unit == "site_alleles":
                step["out"][unit] = alleles
                step["in"][unit] = alleles = max(0, alleles - change)
            else:
                step["in"][unit] = control.rounded(step["in"][unit], k)
                step["out"][unit] = max(0, step["in"][unit] + change)
        steps.insert(0, step)
    return {"rounded_to": k, "steps": steps}


def reason_code(reason: str, ids: set[str]) -> str:
    """The code of an exclusion reason without its detail; `other` when it is none of goe, or could name a person."""
    code = re.split(r"[:=( ]", reason.strip(), maxsplit=1)[0]
    names = any(i in code for i in ids if len(i) > 3) or bool({code, *code.split("_")} & ids)
    return code if code in sample_rules.REASONS and not names else "other"


def people_summary(sample_qc: Ledger, ids: set[str], k: int) -> dict:
    """People on the sheet, kept, left out and why. sample_qc: ledger of the keep list; ids: those of its people.

    A person with several reasons counts under the first. The number kept is public; those left out are rounded to
    multiples of k by reason, and the other two figures are sums of what is shown: a sum that was rounded by itself
    would tell, with the number kept, how many were left out.
    """
    given = sample_qc.given["people"]
    kept = given if given >= k else control.rounded(given, k)
    reasons: Counter[str] = Counter()
    for reason, n in sample_qc.dropped.get("people", {}).items():
        reasons[reason_code(reason, ids)] += n
    shown = {name: control.rounded(n, k) for name, n in sorted(reasons.items()) if n}
    left_out = sum(shown.values())
    return {"on_the_sheet": kept + left_out, "kept": kept, "left_out": left_out, "left_out_by_reason": shown}


def absent_fields(people: Sequence[Mapping[str, str]], keep: Sequence[Mapping[str, str]], k: int) -> dict:
    """Genotype field -> people kept whose data lack it and were not tested on it; rounded, but for everybody."""
    kept = {row["sample_id"] for row in keep if row["keep"] == "yes"}
    lacking = Counter(
        name
        for row in people
        if row["sample_id"] in kept
        for name in sorted(set(filter(None, row["absent_fields"].split(","))))
    )
    return {name: control.rounded_part(n, len(kept), k) for name, n in sorted(lacking.items())}


def other_qualities(variants: Iterable[Mapping], keep: Sequence[Mapping[str, str]], k: int) -> dict:
    """Where else GQ was taken from (C1.7) -> people kept of whom it was; rounded, but for everybody.

    variants: of work/sample_qc/variants.jsonl, a person each.
    """
    kept = {row["sample_id"] for row in keep if row["keep"] == "yes"}
    found = Counter(
        name
        for person in variants
        if person["sample_id"] in kept
        for name in ("PL", "GQX")
        if any(counts.get(f"n_gq_{name.lower()}") for counts in person["classes"].values())
    )
    return {name: control.rounded_part(n, len(kept), k) for name, n in sorted(found.items())}


def genotype_rules(
    rules: GenotypeFilter, absent: Mapping[str, int], k: int = 1, others: Mapping[str, int] | None = None
) -> list[str]:
    """The genotype filter in words, as applied. absent: `absent_fields`: multiples of k, or everybody; others:
    `other_qualities` likewise."""
    words = []
    if rules.min_gq:
        words.append(f"GQ at least {rules.min_gq}")
    if rules.min_dp or rules.min_dp_haploid:
        words.append(f"DP at least {rules.min_dp}, {rules.min_dp_haploid} where one allele is expected")
    if rules.min_ab:
        which = "alternate allele" if rules.profile == "gnomad" else "called allele"
        words.append(f"in a heterozygote, AD / DP of every {which} at least {rules.min_ab}")
    if rules.respect_ft:
        words.append("FORMAT/FT is PASS")
    if not words:
        words.append("none")
    for name, n in absent.items():
        words.append(f"{name} is absent from the data of {about(n, k)} people and was not tested for them")
    if rules.min_gq:
        for name, n in (others or {}).items():
            words.append(f"for {about(n, k)} people, {name} stood for GQ where there was none")
    return words


def about(n: int, k: int) -> str:
    """A count that was rounded to a multiple of k, said to be so; 0, others and those of an open release are exact."""
    return f"about {n:,} (rounded to multiples of {k})" if n and k > 1 and n % k == 0 else f"{n:,}"


def filter_rules(rules: VariantQc, described: Mapping) -> list[str]:
    """The rules of FILTER in words, with the published countries in which those by country could be judged.

    described: `dataset`.
    """
    return site_rules.words(
        sections.plain(rules), {s: described["strata"][s] for s in st.published_countries(described["strata"])}
    )


def dataset(
    cfg: Config,
    build: str,
    plan: Plan,
    tally: Mapping,
    k: int,
    formats: Sequence[str] = (),
    par: Sequence[Sequence] = (),
    contigs: Sequence[Mapping] = (),
    callable_an: Mapping | None = None,
) -> dict:
    """Plain description of the dataset.

    formats: what the folder holds beside its descriptions. par: pseudo-autosomal regions (contig, first and last
    base), which say how many alleles of X and Y a person has. contigs: {name, length, md5} of the release.
    callable_an: `callable_people`, None where there is no such file.
    """
    given = sections.plain(cfg.dataset)
    return {
        **{key: given[key] for key in _DATASET_KEYS if given[key] not in (None, [])},
        "build": build,
        "counting_rules": counting.VERSION,
        "contigs": list(contigs),
        "pseudo_autosomal_regions": [list(region) for region in par],
        "made_with": f"goe {__version__}",
        "code_sha256": code_digest.digest(),
        **({"callable_an": callable_an} if callable_an else {}),
        "formats": list(formats),
        "number_of_records": _public(tally),
        "number_of_pass_records": sum(count["PASS"] for count in tally["classes"].values()),
        "number_of_people": public_people(plan, k)[st.TOTAL],
        "strata": public_people(plan, k),
        "strata_label": cfg.strata.label,
    }


def public_people(plan: Plan, k: int) -> dict[str, int]:
    """Published stratum -> people. Exact: the plan leaves out what is below k; only Total can be, and is rounded."""
    return {s: plan.people[s] if plan.people[s] >= k else control.rounded(plan.people[s], k) for s in plan.strata}


def callable_people(
    keep: Sequence[Mapping[str, str]], people: Sequence[Mapping[str, str]], plan: Plan, policy: Policy
) -> dict:
    """Where callable AN comes from, and of how many people: `an_method`, kinds of input by method; `people`, stratum ->
    people who can be callable at all, at least.

    keep: rows of the keep list. people: rows of the sheet with their kind of input. Numbers are sums of those of the
    smallest groups, rounded as callable people are.
    """
    kind = {row["sample_id"]: row["input_type"] for row in people}
    kept = [row for row in keep if row["keep"] == "yes"]
    used = {kind[row["sample_id"]] for row in kept}
    return {
        "an_method": {method: [k for k in kinds if k in used] for method, kinds in AN_METHODS.items()},
        "people": _in_groups(_called(keep, kind), plan, policy),
    }


def covered_people(
    keep: Sequence[Mapping[str, str]],
    people: Sequence[Mapping[str, str]],
    covered: Collection[str],
    plan: Plan,
    policy: Policy,
) -> tuple[list[str], dict[str, int]]:
    """Kinds of input of the people whose reads tell where they could be called, and stratum -> how many these are, at
    least: of each smallest group, with those who can be callable, all but k - 1 at most."""
    kind = {row["sample_id"]: row["input_type"] for row in people}
    kept = [row for row in keep if row["keep"] == "yes" and row["sample_id"] in covered]
    used = {kind[row["sample_id"]] for row in kept}
    sums = _in_groups(kept, plan, policy, _called(keep, kind))
    return [k for k in AN_METHODS[VARIANT_SITES_ONLY] if k in used], sums


def _called(keep: Sequence[Mapping[str, str]], kind: Mapping[str, str]) -> list[Mapping[str, str]]:
    return [row for row in keep if row["keep"] == "yes" and kind[row["sample_id"]] in AN_METHODS[GVCF_ADJ]]


def _in_groups(
    rows: Sequence[Mapping[str, str]], plan: Plan, policy: Policy, others: Sequence[Mapping[str, str]] = ()
) -> dict[str, int]:
    """Stratum -> how many people these rows of the keep list are: sums of those of the smallest groups, as a floor
    shows them. others: who are told already, so that both leave k - 1 of a group."""
    some, told = (Counter(f"{row['country_code']}_{row['count_sex']}" for row in part) for part in (rows, others))
    sums = dict.fromkeys(plan.strata, 0)
    for group in control.published_groups(plan, policy):
        n, taken, size = (sum(counts.get(leaf, 0) for leaf in group) for counts in (some, told, plan.people))
        size -= int(st.shown(np.array(taken), size, policy.k))
        for s in plan.strata:
            if all(parse(s).holds(parse(leaf)) for leaf in group):
                sums[s] += int(st.shown(np.array(n), size, policy.k))
    return sums


def published_countries(cfg: Config, plan: Plan) -> list[str]:
    """Countries of the published strata; none when the label of the strata is another column than the country."""
    if cfg.strata.label != "country_code":
        return []
    return st.published_countries(plan.strata)


def disclosure_summary(
    policy: Policy,
    plan: Plan,
    tally: Mapping,
    membership: Mapping | None = None,
    earlier: Mapping | None = None,
) -> dict:
    """The policy and what it withheld, without a withheld number.

    membership: `membership.figure`. earlier: what `previous_release.check` found, None when no earlier release
    was named.
    """
    k = policy.k
    return {
        "policy": policy.name,
        "unit": "people",
        "min_carriers": None if policy.open else k,
        "protect": None if policy.open else policy.protect,
        "min_stratum_size": None if policy.open else policy.min_stratum_size,
        "legal_basis": policy.legal_basis or None,
        "strata": list(plan.strata),
        "strata_not_published": control.rounded(len(plan.hidden), k),
        "alleles_with_all_strata": tally["outcome"]["FULL"],
        "alleles_with_some_strata": tally["outcome"]["REDUCED"],
        "alleles_withheld": sum(withheld(tally, k).values()),
        "alleles_withheld_by_reason": withheld(tally, k),
        "alleles_at_which_the_search_was_ended": control.rounded(tally["reasons"].get(ENDED, 0), k),
        "alleles_with_total_only_for_their_position": control.rounded(tally["reasons"].get(SHARED, 0), k),
        "alleles_at_which_a_stratum_is_withheld": {s: tally["cells"].get(s, 0) for s in plan.strata},
        "counts_beside_the_frequencies_rounded_to": k,
        "not_covered": [] if policy.open else [*NOT_COVERED, *([] if earlier else [NO_EARLIER])],
        "membership_inference": membership,
        "previous_release": earlier,
    }


def dictionary(fields: Sequence[Mapping[str, str]], info: Sequence[Tag], others: Iterable[Sequence[str]] = ()) -> str:
    """Table of every published field: file, name, type, Number, unit, stratum, description, rule.

    others: rows of the other formats, which they make themselves.
    """
    rule = {f["field"]: f for f in fields}
    rows: list[tuple[str, ...]] = [("file", "name", "type", "number", "unit", "stratum", "description", "rule")]
    for tag in info:
        f = rule[tag.key]
        rows.append(("sites VCF", tag.id, tag.type, tag.number, f["unit"], tag.stratum, f["description"], f["rule"]))
    for f in fields:
        if f["column"]:
            stratum = "as the row says" if f["scope"] == "stratum" else ""
            kept = (f["column"], f["column_type"], "", f["unit"], stratum, f["description"], f["rule"])
            rows.append(("frequencies Parquet", *kept))
    rows += [tuple(row) for row in others]
    return "".join("\t".join(row) + "\n" for row in rows)
