"""The texts of a release folder: README.md, LICENSE, CHANGELOG.md, and the records of the dataset that a Beacon asks.

Each is written from the published descriptions alone (`DESCRIPTIONS`, as read from their files), so that whoever has
the folder and the same goe can write it again: `goe check` does, and a text that says more or less than they do is
found.
"""

import re
import textwrap
from collections.abc import Iterable, Mapping

from goe.disclosure.earlier_release import KEPT
from goe.release import layout
from goe.release.formats import beacon
from goe.release.gdi import metadata as gdi_metadata
from goe.release.metadata import health_dcat
from goe.release.notes import about
from goe.release.report.spectrum import CLASSES
from goe.rules.dataset import COVERAGE_PROXY, GVCF_ADJ, VARIANT_SITES_ONLY
from goe.settings import sections
from goe.settings.sections import Config

DESCRIPTIONS = ("dataset", "disclosure", "qc", "config")
NAMES = {
    "README.md": "readme",
    "LICENSE": "license",
    "CHANGELOG.md": "changelog",
    beacon.DATASETS: "beacon_datasets",
    beacon.CONF: "beacon_conf",
    beacon.PERMISSIONS: "beacon_permissions",
}
"""Path of each text in the folder -> its name among the outputs of the rule that writes them."""


def write(documents: Mapping[str, Mapping]) -> dict[str, str]:
    """Name of each text in the folder -> its content. said: name of a description (`DESCRIPTIONS`) -> its content."""
    texts = {"README.md": readme(documents), "LICENSE": license_text(documents), "CHANGELOG.md": changelog(documents)}
    return texts | beacon.records(documents)


def markdown(text: str) -> str:
    """A text of the configuration as one paragraph of Markdown (CommonMark) that shows its characters."""
    line = re.sub(r"[\\`*_\[\]<>|#~]|&(?=#?\w+;)", r"\\\g<0>", " ".join(text.split()))
    return re.sub(r"^(\d*)([-+=.)])", r"\1\\\2", line)


def country_words(dataset: Mapping) -> str:
    """What the first part of the name of a stratum is. dataset: metadata/dataset.json."""
    label = dataset["strata_label"]
    if label == "country_code":
        return "Country is the country of origin on the sample sheet."
    return f"Country stands for the column {label} of the sample sheet, by which the strata of this release are made."


def callable_words(documents: Mapping[str, Mapping]) -> str:
    """What callable AN is, whose it is, and how exact."""
    method, k = documents["dataset"]["callable_an"]["an_method"], documents["qc"]["rounded_to"]
    parts = [
        "`callable_an/` gives for every base of the contigs above how many alleles would be called there of people "
        "without an allele: the AN of an allele that nobody has."
    ]
    if method[GVCF_ADJ]:
        parts.append(f"It is counted from gVCFs and reads ({', '.join(method[GVCF_ADJ])}): `{GVCF_ADJ}`.")
    if method[VARIANT_SITES_ONLY]:
        parts.append(
            f"People of {' and '.join(f'`{kind}`' for kind in method[VARIANT_SITES_ONLY])} are called where their "
            f"files have rows and add nothing here: `{VARIANT_SITES_ONLY}`."
        )
    if documents["disclosure"]["policy"] == "open":
        parts.append("The numbers are exact.")
    else:
        parts.append(
            f"The numbers are a lower bound. Of each smallest group of people that the strata tell apart they are "
            f"multiples of {k} people, at most {2 * (k - 1)} people below the truth, and change only where {k} people "
            "or more differ; strata are sums of groups. How far below a stratum may be, in alleles, is "
            "`an_at_most_below` in the metadata of each table."
        )
        earlier = documents["disclosure"]["previous_release"]
        if earlier and earlier.get("callable_an") == KEPT:
            parts[-1] = (
                f"The numbers are a lower bound. Of people who were counted in {earlier['dataset']} as well they are "
                f"what it shows, lower where fewer are called today; of those who joined, multiples of {k} people. So "
                "they may be further below the truth than in a release that stands alone; `an_at_most_below` in the "
                "metadata of each table sets no bound."
            )
    return " ".join(parts)


def coverage_words(documents: Mapping[str, Mapping]) -> str:
    """What callable AN by coverage is, and whose; nothing where there is none."""
    said = documents["dataset"]["callable_an"]
    proxy, methods = said.get(COVERAGE_PROXY), said["an_method"]
    if proxy is None:
        return ""
    strata = documents["disclosure"]["strata"]
    floor = "People whose reads tell, by stratum"
    if documents["disclosure"]["policy"] != "open":
        floor = f"The numbers are a lower bound as those of `callable_an/` are. {floor}, at least"
    share = ", ".join(f"{s} {proxy['people'][s]:,} of {documents['dataset']['strata'][s]:,}" for s in strata)
    return (
        f"`coverage_proxy/` gives, for people of {' and '.join(f'`{kind}`' for kind in methods[COVERAGE_PROXY])} whose "
        f"reads were given too, on how many alleles {proxy['min_dp']} reads lie ({proxy['min_dp_haploid']} where one "
        f"allele is expected), of a mapping quality of {proxy['min_mapq']} or more: `{COVERAGE_PROXY}`. It is an "
        "estimate of where these people could be called: nobody called them there. They are nobody of `callable_an/`, "
        f"no other number has theirs in it, and theirs is not to be added to AN. {floor}: {share}."
    )


def license_text(documents: Mapping[str, Mapping]) -> str:
    """LICENSE of the release folder."""
    d = documents["dataset"]
    if not d.get("license"):
        words = f"No licence is stated. Ask {d['contact']['fn']} ({d['contact']['email']}) before any use."
    else:
        words = (
            f"The data of this release are under the licence {d['license']}.\n{health_dcat.license_url(d['license'])}"
        )
    title = " ".join(d["title"].split())
    return (
        f"{title}\n{d['id']}\n\n{words}\n\nThe workflow in provenance/ is under the MIT licence, "
        "and no part of the data.\n"
    )


def changelog(documents: Mapping[str, Mapping]) -> str:
    """CHANGELOG.md of the release folder."""
    earlier = documents["disclosure"]["previous_release"]
    lines = [f"# {markdown(documents['dataset']['title'])}", "", f"## {documents['dataset']['id']}"]
    if earlier is None:
        return "\n".join([*lines, "No earlier release was named.", ""])
    lines.append(f"Follows {earlier['dataset']}.")
    for key, words in (("strata_only_now", "New strata"), ("strata_only_before", "Strata no longer published")):
        if earlier[key]:
            lines.append(f"- {words}: {', '.join(earlier[key])}.")
    alleles = earlier["alleles"]
    if alleles:
        lines.append(
            f"- Site alleles: {alleles['in_both']:,} in both, {alleles['only_now']:,} new, "
            f"{alleles['only_before']:,} no longer there."
        )
    else:
        lines.append("- Another build: alleles were not compared.")
    return "\n".join([*lines, ""])


def _list(words: Iterable[str]) -> str:
    return "".join(f"- {word}\n" for word in words)


def _wrapped(text: str, indent: str = "") -> str:
    """A paragraph or item of a list in lines; nothing is broken within a word, as names of files are."""
    return textwrap.fill(text, 105, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) + "\n"


def readme(documents: Mapping[str, Mapping]) -> str:
    """README.md of the release folder."""
    d, rule, qc = documents["dataset"], documents["disclosure"], documents["qc"]
    name, people, k = d["id"], qc["people"], qc["rounded_to"]
    sheet = f"{'about ' if people['left_out'] and k > 1 else ''}{people['on_the_sheet']:,}"
    classes = sorted(qc["alleles_by_class"].items(), key=lambda c: CLASSES.index(c[0]))
    kinds = "".join(f"| {kind} | {c['PASS']:,} | {c['filtered']:,} |\n" for kind, c in classes)
    filters = "".join(f"| {f} | {n:,} |\n" for f, n in sorted(qc["alleles_by_filter"].items()))
    called = d["callable_an"]["people"]
    strata = "".join(f"| {s} | {d['strata'][s]:,} | {called[s]:,} |\n" for s in rule["strata"])
    if rule["policy"] == "open":
        control = (
            f"Open: every count is published. Legal basis: {rule['legal_basis']}\n\n"
            "No count is withheld and none is rounded.\n"
        )
    else:
        least = rule["min_carriers"]
        asked = {
            "carriers": f"carriers are nobody or at least {least} people, and so are those called who do not carry it",
            "genotypes": f"every genotype (reference, heterozygous, homozygous, hemizygous) has nobody or at least "
            f"{least} people",
        }[rule["protect"]]
        hidden = {
            "collapse": "An allele for which this fails in one of them has its Total only",
            "minimal": "Where this fails, the stratum is withheld, and as few others as keep its numbers unknown",
        }[rule["policy"]]
        control = f"""Policy `{rule["policy"]}`, at least {least} people.

Of an allele, {asked}, in every published stratum and in every difference of
published strata. {hidden}; one for which it fails in Total is in no file, and neither is one that nobody who
counts carries. A row or tag that is not there is withheld, it is not 0; an allele that is not there is
unknown. HWE and InbreedingCoeff are given only where all counts they follow from are.

| alleles | |
|---|---:|
| with all strata | {rule["alleles_with_all_strata"]:,} |
| with some strata, Total always | {rule["alleles_with_some_strata"]:,} |
| withheld | {about(rule["alleles_withheld"], k)} |

Strata were chosen so that each, and each difference of them, has at least {rule["min_stratum_size"]} people.
Counts beside the frequencies (people left out, alleles withheld, ledger) are rounded to multiples of
{k}, and never to 0.

Not covered:

{_list(rule["not_covered"])}"""
    description = f"\n{markdown(d['description'])}\n" if d.get("description") else ""
    synthetic = "\nThe people of this dataset are made up: the data are synthetic.\n" if d.get("synthetic") else ""
    licence = d.get("license") or "not stated: ask the contact before use"
    gdi = "gdi" in d["formats"]
    by_coverage = coverage_words(documents)
    files = layout.told(name, gdi, bool(by_coverage))
    if not gdi:
        # The published settings tell it: a key that they leave out would have had the package made.
        why = "; ".join(str(problem) for problem in gdi_metadata.missing(sections.of(Config, documents["config"])))
        files.append("There is no package for a GDI node" + (f": {why}." if why else "."))
    files.append(
        "`MANIFEST.sha256`: written last. The folder is whole when `sha256sum -c MANIFEST.sha256` passes and every "
        "file is listed; `goe check` looks at everything in it."
    )
    contigs = _wrapped(f"`<contig>` is one of {', '.join(c['name'] for c in d['contigs'])}.")
    return f"""# {markdown(d["title"])}
{description}{synthetic}
Allele frequencies of a cohort of whole genomes, in aggregate. No file holds data of a single person.

| | |
|---|---|
| Dataset | {name} |
| Build | {d["build"]} |
| People | {d["number_of_people"]:,} |
| Site alleles | {d["number_of_records"]:,} |
| Licence | {licence} |
| Contact | {markdown(d["contact"]["fn"])}, {d["contact"]["email"]} |
| Made with | {d["made_with"]} |

## Files

{"".join(_wrapped(f"- {item}", "  ") for item in files)}
{contigs}
## Strata

{country_words(d)} People of unknown sex, or whose sex chromosomes are not
XX or XY, count in Total and in their country on autosomes, pseudo-autosomal regions and M; they are not in M
or F.

| stratum | people | who can be callable{"" if k <= 1 else ", at least"} |
|---|---:|---:|
{strata}
People on the sheet: {sheet}. Left out: {about(people["left_out"], k)}, for the
reasons in `qc/summary.json`.

## Callable AN

{_wrapped(callable_words(documents))}
{_wrapped(by_coverage) + chr(10) if by_coverage else ""}## Alleles

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
  AF. AN of an allele that is absent here is that of `callable_an/` at its position; where numbers are
  withheld, do not take it as AC 0.

Genotype filter, before anything is split; a genotype that fails is missing:

{_list(qc["genotype_filter"])}
FILTER:

{_list(qc["variant_qc"])}
## Disclosure control

{control}
## INFO tags

`AC AN AF AC_Hom AC_Het AC_Hemi` are those of Total. The other strata have country, then sex, then zygosity:
`AC_EE`, `AN_EE_M`, `AC_EE_M_Hom`. Tags of the site: `nhomalt faf95 faf99 HWE InbreedingCoeff F_MISSING`.
"""
