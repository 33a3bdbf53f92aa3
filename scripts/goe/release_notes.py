"""What a release says of itself: README, dataset description, QC and disclosure summaries, dictionary,
ledger.

Every count beside the frequencies goes through `disclosure.rounded`; the exact ones stay in the work folder.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from goe import __version__, disclosure
from goe import strata as st
from goe.errors import GoeError, Problem
from goe.ledger import Ledger
from goe.sites_vcf import Tag

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
    "ranges: a hidden count may still be bounded by the public ones",
    "earlier releases: differences to them are not compared",
    "linked alleles: rare alleles with equal counts may have the same carriers",
    "FILTER: a rule that is decided per country says on which side of its threshold that country is",
    "alleles with AC 0: somebody who is not counted, or whose genotype was filtered, has each that is listed",
    "membership inference: no floor on counts stops it for someone whose genotypes are known",
)


def dumps(value) -> str:
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
    visibility: Counter[str] = Counter()
    filters: Counter[str] = Counter()
    for contig in contigs:
        visibility.update(contig["tally"]["visibility"])
        filters.update(contig["tally"]["filters"])
        for name, counts in contig["tally"]["classes"].items():
            classes.setdefault(name, Counter()).update(counts)
    return {
        "read": sum(c["tally"]["read"] for c in contigs),
        "visibility": {name: visibility[name] for name in ("FULL", "ONLY_TOTAL", "WITHHELD")},
        "classes": {name: dict(counts) for name, counts in classes.items()},
        "filters": dict(filters),
        "people": first["people"],
    }


def filter_order(names: Iterable[str], ours: Iterable[str]) -> list[str]:
    """FILTER names: PASS, those of the variant QC in their order, those of the input sorted."""
    there = set(names) - {"PASS"}
    known = [name for name in ours if name in there]
    return ["PASS", *known, *sorted(there - set(known))]


def account(steps: Sequence[Ledger], tally: Mapping) -> list[Ledger]:
    """The ledgers of the steps with that of the release behind them; GoeError when alleles get lost between
    two.

    steps: harmonise, frequencies, variant_qc. variant_qc drops nothing: what it gives is PASS, what it drops
    has another FILTER, and both go on.
    """
    release = Ledger("release")
    release.take("site_alleles", tally["read"])
    release.drop("site_alleles", "disclosure control", tally["visibility"]["WITHHELD"])
    release.give("site_alleles", tally["visibility"]["FULL"] + tally["visibility"]["ONLY_TOTAL"])
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


def public_ledger(chain: Sequence[Ledger], k: int) -> dict:
    """Totals of the steps, rounded. Without people, whom a step counts once for every region."""
    steps = []
    for ledger in chain:
        step = ledger.as_dict()
        for part in ("in", "added", "out", "dropped"):
            step[part].pop("people", None)
            step[part] = disclosure.rounded_tree(step[part], k)
        steps.append(step)
    return {"rounded_to": k, "steps": steps}


def reason_code(reason: str, ids: set[str]) -> str:
    """The code of an exclusion reason without its detail; `other` when it could name a person."""
    code = re.split(r"[:=( ]", reason.strip(), maxsplit=1)[0]
    names = any(i in code for i in ids if len(i) > 3) or bool({code, *code.split("_")} & ids)
    return code if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", code) and not names else "other"


def people_summary(keep: Sequence[Mapping[str, str]], k: int) -> dict:
    """People on the sheet, kept, left out and why, from the rows of keep.tsv; counts rounded to multiples of
    k.

    A person with several reasons counts in each.
    """
    ids = {row["sample_id"] for row in keep}
    kept = sum(row["keep"] == "yes" for row in keep)
    reasons: Counter[str] = Counter()
    for row in keep:
        if row["keep"] != "yes":
            codes = {reason_code(r, ids) for r in row["reasons"].split(";") if r.strip()}
            reasons.update(codes or {"other"})
    return {
        "on_the_sheet": disclosure.rounded(len(keep), k),
        "kept": kept if kept >= k else disclosure.rounded(kept, k),
        "left_out": disclosure.rounded(len(keep) - kept, k),
        "left_out_by_reason": {name: disclosure.rounded(n, k) for name, n in sorted(reasons.items())},
    }


def absent_fields(people: Sequence[Mapping[str, str]], keep: Sequence[Mapping[str, str]], k: int) -> dict:
    """Genotype field -> people kept whose data lack it and were not tested on it, rounded."""
    kept = {row["sample_id"] for row in keep if row["keep"] == "yes"}
    lacking = Counter(
        name
        for row in people
        if row["sample_id"] in kept
        for name in sorted(set(filter(None, row["absent_fields"].split(","))))
    )
    return {name: disclosure.rounded(n, k) for name, n in sorted(lacking.items())}


def genotype_rules(rules: Mapping, absent: Mapping[str, int]) -> list[str]:
    """The genotype filter in words, as applied."""
    words = []
    if rules["min_gq"]:
        words.append(f"GQ at least {rules['min_gq']}")
    if rules["min_dp"] or rules["min_dp_haploid"]:
        words.append(f"DP at least {rules['min_dp']}, {rules['min_dp_haploid']} where one allele is expected")
    if rules["min_ab"]:
        which = "alternate allele" if rules["profile"] == "gnomad" else "called allele"
        words.append(f"in a heterozygote, AD / DP of every {which} at least {rules['min_ab']}")
    if rules["respect_ft"]:
        words.append("FORMAT/FT is PASS")
    if not words:
        words.append("none")
    for name, n in absent.items():
        words.append(f"{name} is absent from the data of {n} people and was not tested for them")
    return words


def site_rules(rules: Mapping) -> list[str]:
    """The thresholds of the variant QC in words, by FILTER name."""
    each = (
        ("LowCallRate", "min_call_rate", "called part of the expected alleles below {}"),
        ("HWE", "hwe_p", "Hardy-Weinberg exact test p below {} in a country"),
        ("InbreedingCoeff", "inbreeding_coeff", "inbreeding coefficient below {} in a country"),
        ("LowQUAL", "min_qual", "QUAL below {}"),
        ("LowQD", "min_qd", "QD below {}"),
        ("LowMQ", "min_mq", "MQ below {}"),
        ("HighFS", "max_fs", "FS above {}"),
        ("LowReadPosRankSum", "min_read_pos_rank_sum", "ReadPosRankSum below {}"),
    )
    words = ["AC0: nobody who counts has the allele"]
    words += [f"{name}: {text.format(rules[key])}" for name, key, text in each if rules[key] is not None]
    if rules["accept_filters"]:
        words.append(f"filters of the input that count as PASS: {', '.join(rules['accept_filters'])}")
    return words


def dataset(cfg: Mapping, build: str, plan: disclosure.Plan, tally: Mapping, k: int) -> dict:
    """Plain description of the dataset."""
    return {
        **{key: cfg["dataset"][key] for key in _DATASET_KEYS if cfg["dataset"].get(key) not in (None, [])},
        "build": build,
        "made_with": f"goe {__version__}",
        "number_of_records": tally["visibility"]["FULL"] + tally["visibility"]["ONLY_TOTAL"],
        "number_of_people": _people(plan, st.TOTAL, k),
        "strata": {stratum: _people(plan, stratum, k) for stratum in plan.strata},
    }


def _people(plan: disclosure.Plan, stratum: str, k: int) -> int:
    """Exact: the plan leaves out what is below k. Only Total can be, and it is rounded then."""
    n = plan.people[stratum]
    return n if n >= k else disclosure.rounded(n, k)


def disclosure_summary(policy: disclosure.Policy, plan: disclosure.Plan, tally: Mapping) -> dict:
    """The policy and what it withheld, without a withheld number."""
    return {
        "policy": policy.name,
        "unit": "people",
        "min_carriers": None if policy.open else policy.k,
        "legal_basis": policy.legal_basis or None,
        "strata": list(plan.strata),
        "strata_not_published": disclosure.rounded(len(plan.hidden), policy.k),
        "alleles_with_all_strata": tally["visibility"]["FULL"],
        "alleles_with_total_only": tally["visibility"]["ONLY_TOTAL"],
        "alleles_withheld": disclosure.rounded(tally["visibility"]["WITHHELD"], policy.k),
        "counts_beside_the_frequencies_rounded_to": policy.k,
        "not_covered": list(NOT_COVERED) if not policy.open else [],
    }


def dictionary(fields: Sequence[Mapping[str, str]], info: Sequence[Tag]) -> str:
    """Table of every published field: file, name, type, Number, unit, stratum, description, rule."""
    rule = {f["field"]: f for f in fields}
    rows = [("file", "name", "type", "number", "unit", "stratum", "description", "rule")]
    for tag in info:
        f = rule[tag.key]
        rows.append(("sites VCF", tag.id, tag.type, tag.number, f["unit"], tag.stratum, f["description"], f["rule"]))
    for f in fields:
        if f["column"]:
            stratum = "as the row says" if f["scope"] == "stratum" else ""
            rows.append(
                (
                    "frequencies Parquet",
                    f["column"],
                    f["column_type"],
                    "",
                    f["unit"],
                    stratum,
                    f["description"],
                    f["rule"],
                )
            )
    return "".join("\t".join(row) + "\n" for row in rows)


def _list(words: Iterable[str]) -> str:
    return "".join(f"- {word}\n" for word in words)


def readme(
    cfg: Mapping,
    about: Mapping,
    people: Mapping,
    absent: Mapping[str, int],
    tally: Mapping,
    policy: disclosure.Policy,
    contigs: Sequence[Mapping],
) -> str:
    """README.md of the release folder."""
    d, name = cfg["dataset"], cfg["dataset"]["id"]
    kinds = "".join(f"| {kind} | {c['PASS']:,} | {c['filtered']:,} |\n" for kind, c in tally["classes"].items())
    filters = "".join(f"| {f} | {n:,} |\n" for f, n in sorted(tally["filters"].items()))
    strata = "".join(f"| {s} | {n:,} |\n" for s, n in about["strata"].items())
    visible = tally["visibility"]
    withheld = disclosure.rounded(visible["WITHHELD"], policy.k)
    if policy.open:
        control = (
            f"Open: every count is published. Legal basis: {policy.legal_basis}\n\n"
            "No count is withheld and none is rounded.\n"
        )
    else:
        control = f"""Policy `{policy.name}`, at least {policy.k} people.

A genotype class (reference, heterozygous, homozygous, hemizygous) of an allele holds nobody or at least
{policy.k} people, in every published stratum and in every difference of published strata. An allele for which
this fails in a stratum has its Total only; one for which it fails in Total is in no file. A row or tag that
is not there is withheld, it is not 0; an allele that is not there is unknown. HWE and InbreedingCoeff are
given only where all counts they follow from are.

| alleles | |
|---|---:|
| with all strata | {visible["FULL"]:,} |
| with Total only | {visible["ONLY_TOTAL"]:,} |
| withheld | {withheld:,} |

Strata were chosen so that each, and each difference of them, has at least {policy.k} people. Counts beside
the frequencies (people left out, alleles withheld, ledger) are rounded to multiples of {policy.k}, and never
to 0.

Not covered:

{_list(NOT_COVERED)}"""
    description = f"\n{d['description']}\n" if d.get("description") else ""
    synthetic = "\nThe people of this dataset are made up: the data are synthetic.\n" if d.get("synthetic") else ""
    licence = d.get("license") or "not stated: ask the contact before use"
    sites = f"sites/{name}"
    listed = ", ".join(c["name"] for c in contigs)
    return f"""# {d["title"]}
{description}{synthetic}
Allele frequencies of a cohort of whole genomes, in aggregate. No file holds data of a single person.

| | |
|---|---|
| Dataset | {name} |
| Build | {about["build"]} |
| People | {about["number_of_people"]:,} |
| Site alleles | {about["number_of_records"]:,} |
| Licence | {licence} |
| Contact | {d["contact"]["fn"]}, {d["contact"]["email"]} |
| Made with | {about["made_with"]} |

## Files

- `{sites}.pass.vcf.gz` and its `.tbi`: the alleles to use, FILTER is PASS. VCF 4.3 without genotypes.
- `{sites}.all.vcf.gz` and its `.tbi`: these and the filtered ones, with the reasons in FILTER.
- `frequencies/<contig>.parquet`: the same numbers as a table, one row per site allele and stratum, for
  {listed}.
- `dictionary/fields.tsv`: every tag and column with type, unit and rule.
- `metadata/dataset.json`, `qc/summary.json`, `disclosure/disclosure.json`, `ledger.json`: what this page
  says, for programs.
- `MANIFEST.sha256`: written last. The folder is whole when `sha256sum -c MANIFEST.sha256` passes and every
  file is listed.

## Strata

Country is the country of origin on the sample sheet. People of unknown sex, or whose sex chromosomes are not
XX or XY, count in Total and in their country on autosomes, pseudo-autosomal regions and M; they are not in M
or F.

| stratum | people |
|---|---:|
{strata}
People on the sheet: {people["on_the_sheet"]:,}. Left out: {people["left_out"]:,}, for the reasons in
`qc/summary.json`.

## Alleles

| class | PASS | filtered |
|---|---:|---:|
{kinds}
| FILTER | alleles |
|---|---:|
{filters}
An allele with several reasons counts in each.

## How it was counted

- One row per allele, split to one ALT, atomised to SNVs where REF and ALT have the same length, trimmed and
  left-aligned against the reference. Spanning deletions, symbolic alleles and letters other than A, C, G, T
  give no row; a called allele that is one of them, or another ALT, still counts in AN.
- AC, AN, AC_Hom, AC_Het and AC_Hemi count alleles, nhomalt counts people. AC = AC_Hom + AC_Het + AC_Hemi; a
  homozygous person adds 2 to AC_Hom and 1 to nhomalt; haploid calls are in AC_Hemi. AF = AC / AN, not
  rounded; no AF where AN is 0.
- X outside the pseudo-autosomal regions: 2 alleles of XX, 1 of XY. Y outside them: 1 of XY. M: 1 of
  everybody. A heterozygous call where one allele is expected is missing. The pseudo-autosomal regions are
  counted on X only.
- A stratum is the sum of its countries and sexes. Add up several releases by AC and AN, never by averaging
  AF. An allele that is absent here has no AN here: do not take it as AC 0.

Genotype filter, before anything is split; a genotype that fails is missing:

{_list(genotype_rules(cfg["genotype_filter"], absent))}
FILTER:

{_list(site_rules(cfg["variant_qc"]))}
## Disclosure control

{control}
## INFO tags

`AC AN AF AC_Hom AC_Het AC_Hemi` are those of Total. The other strata have country, then sex, then zygosity:
`AC_EE`, `AN_EE_M`, `AC_EE_M_Hom`. Tags of the site: `nhomalt faf95 faf99 HWE InbreedingCoeff F_MISSING`.
"""
