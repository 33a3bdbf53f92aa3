"""Compares a run on the demo cohort with the cohort's truth, by plain loops apart from the counting code."""

import csv
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from cyvcf2 import VCF

from goe.core.errors import Problem, stop_on
from goe.demo import floor as under_floor
from goe.demo.calls import CALLS
from goe.demo.genome import LENGTHS, N, is_par
from goe.demo.loci import ABSENT

Key = tuple[str, int, str, str]
"""(contig, pos, ref, alt) of a normalised site allele."""

COPIES = np.array([0, 0, 1, 0, 1, 2])
"""Copies of the allele by call code (index into CALLS)."""

PLOIDY = np.array([0, 1, 1, 2, 2, 2])
"""Called alleles by call code."""

REASON_OF = {
    "duplicate_of": "duplicate",
    "child_of": "related",
    "wrong_sex": "sex",
    "contaminated": "contaminated",
    "low_coverage": "coverage",
    "aneuploid": "sex",
}
"""Word that a reason of keep.tsv holds when it names the planted fault."""


@dataclass
class Truth:
    """people: rows of people.tsv; alleles: rows of alleles.tsv by key; copies: uint8[people, 2] of 0, 1, ABSENT and
    expected: uint8[people] call codes, both by key, in the order of `people`."""

    people: list[dict[str, str]]
    alleles: dict[Key, dict[str, str]]
    copies: dict[Key, np.ndarray]
    expected: dict[Key, np.ndarray]

    @classmethod
    def read(cls, folder: Path) -> "Truth":
        people = _rows(folder / "people.tsv")
        rows = _rows(folder / "alleles.tsv")
        keys = [(r["contig"], int(r["pos"]), r["ref"], r["alt"]) for r in rows]
        copies = np.load(folder / "genotypes.npz")["copies"]
        table = pq.read_table(folder / "expected.parquet")
        born = [i for i, p in enumerate(people) if p["input_type"] in ("gvcf", "vcf", "joint_vcf")]
        number = {name: i for i, name in enumerate(CALLS)}
        codes = np.array([number[c] for c in table["call"].to_pylist()], dtype=np.uint8).reshape(len(keys), len(born))
        assert table["sample_id"].to_pylist()[: len(born)] == [people[i]["sample_id"] for i in born]
        expected = np.zeros((len(keys), len(people)), dtype=np.uint8)
        expected[:, born] = codes
        return cls(
            people,
            dict(zip(keys, rows, strict=True)),
            dict(zip(keys, copies, strict=True)),
            dict(zip(keys, expected, strict=True)),
        )

    def mask(self, *input_types: str) -> np.ndarray:
        """bool[people]: who came as one of the input types."""
        return np.array([p["input_type"] in input_types for p in self.people])


@dataclass
class Report:
    """Lines to print, and how many guaranteed numbers were wrong."""

    lines: list[str] = field(default_factory=list)
    wrong: int = 0

    def say(self, text: str = "") -> None:
        self.lines.append(text)

    def must(self, what: str, wrong: int, of: int) -> None:
        """A guarantee: `wrong` has to be 0."""
        self.wrong += wrong
        self.say(f"  {what + ':':<44}{wrong:>8,} of {of:,}{'' if not wrong else '   <-- must be 0'}")

    def give(self, what: str, value: object) -> None:
        self.say(f"  {what + ':':<44}{value:>8}")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE))


def read_harmonised(folder: Path, samples: list[str]) -> tuple[dict[Key, np.ndarray], int]:
    """Call codes uint8[people] of each site allele, in the order of `samples` (who is not in a file is missing), and
    how many site alleles came more than once."""
    paths = sorted(folder.glob("*.bcf"))
    stop_on([] if paths else [Problem(str(folder), "there is no BCF", "run the workflow to `harmonised` first")])
    out: dict[Key, np.ndarray] = {}
    again = 0
    for path in paths:
        vcf = VCF(str(path))
        place = {s: i for i, s in enumerate(vcf.samples)}
        columns = np.array([place.get(s, -1) for s in samples])
        for record in vcf:
            genotypes = record.genotype.array()[:, :-1]
            a = genotypes[:, 0]
            b = genotypes[:, 1] if genotypes.shape[1] > 1 else np.full(len(a), -2)
            codes = np.where(a < 0, 0, np.where(b == -2, 1 + a, np.where(b < 0, 0, 3 + a + b)))
            key = (record.CHROM, record.POS, record.REF, record.ALT[0])
            again += key in out
            out[key] = np.where(columns < 0, 0, codes[columns]).astype(np.uint8)
        vcf.close()
    return out, again


def read_release(folder: Path, strata: list[str]) -> tuple[dict[Key, np.ndarray], int]:
    """AC and AN of each published site allele, int[strata, 2] ("" is Total), -1 where they are not given, and how many
    came more than once."""
    paths = sorted(folder.glob("*.all.vcf.gz"))
    stop_on([] if paths else [Problem(str(folder), "there is no *.all.vcf.gz", "run the workflow to `release` first")])
    out: dict[Key, np.ndarray] = {}
    again = 0
    for path in paths:
        vcf = VCF(str(path))
        for record in vcf:
            numbers = [
                [record.INFO.get(f"AC_{s}" if s else "AC"), record.INFO.get(f"AN_{s}" if s else "AN")] for s in strata
            ]
            key = (record.CHROM, record.POS, record.REF, record.ALT[0])
            again += key in out
            out[key] = np.array([[-1 if v is None else int(v) for v in pair] for pair in numbers])
        vcf.close()
    return out, again


def fixed_ploidy(contig: str, pos: int) -> bool:
    """Whether people of unknown sex are counted there."""
    return contig in ("chr20", "chrM") or (contig == "chrX" and bool(is_par(contig, pos)))


def harmonised_calls(truth: Truth, seen: dict[Key, np.ndarray], again: int, report: Report) -> None:
    """Every harmonised call of VCF-born people against what their files must count as."""
    by_type = {
        "gVCF": truth.mask("gvcf"),
        "single VCF": truth.mask("vcf"),
        "joint VCF": truth.mask("joint_vcf"),
    }
    n: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    lost = sum(row["in_a_vcf"] == "yes" and key not in seen for key, row in truth.alleles.items())
    for key, want in truth.expected.items():
        if key in seen:
            differs = seen[key] != want
            for name, who in by_type.items():
                n[name] += int(who.sum())
                wrong[name] += int((differs & who).sum())
    born = truth.mask("gvcf", "vcf", "joint_vcf")
    extra = [key for key in seen if key not in truth.expected]
    invented = sum(int((COPIES[seen[key]][born] > 0).sum()) for key in extra)
    report.must("alleles of VCF input that are lost", lost, sum(r["in_a_vcf"] == "yes" for r in truth.alleles.values()))
    report.must("alleles harmonised more than once", again, len(seen))
    for name, who in by_type.items():
        report.must(f"wrong calls, {name} people ({int(who.sum())})", wrong[name], n[name])
    report.must("calls of alleles that no VCF holds", invented, len(extra) * int(born.sum()))


def wrong_calls(truth: Truth, seen: dict[Key, np.ndarray], limit: int = 20) -> list[str]:
    """Lines that name wrong harmonised calls, with ids: for the developer's eyes, not for a report."""
    born = truth.mask("gvcf", "vcf", "joint_vcf")
    out = []
    for key, want in truth.expected.items():
        if key in seen:
            for i in np.flatnonzero((seen[key] != want) & born):
                name = truth.people[i]["sample_id"]
                out.append(f"{key} {truth.alleles[key]['kind']} {name} {CALLS[seen[key][i]]} for {CALLS[want[i]]}")
    return out[:limit]


def released_counts(
    truth: Truth,
    seen: dict[Key, np.ndarray],
    keep: dict[str, dict[str, str]],
    release: Path,
    report: Report,
    floor: int | None,
) -> None:
    """AC and AN of the release, less what read-born people add by their harmonised calls, against the expectation; and
    what a floor must keep to itself. floor: None where every number has to be there."""
    people = [p["sample_id"] for p in truth.people]
    country = np.array([keep[i]["country_code"] for i in people])
    sex = np.array([keep[i]["count_sex"] for i in people])
    kept = np.array([keep[i]["keep"] == "yes" for i in people])
    born = truth.mask("gvcf", "vcf", "joint_vcf")
    groups = {"": kept} | {c: kept & (country == c) for c in sorted(set(country))}
    groups |= {s: kept & (sex == s) for s in ("M", "F")}
    published, again = read_release(release, list(groups))
    names = [name or "Total" for name in groups]
    members = np.stack(list(groups.values()))
    given: Counter[str] = Counter()
    wrong_ac: Counter[str] = Counter()
    wrong_an: Counter[str] = Counter()
    added = 0
    for key, numbers in published.items():
        if key not in seen:
            added += 1
            continue
        counts_here = kept if fixed_ploidy(key[0], key[1]) else kept & (sex != "U")
        # Where no VCF holds the allele, the gVCF people's reference calls are taken as harmonised.
        own = np.where(born, truth.expected.get(key, seen[key]), 0)
        reads = np.where(born, 0, seen[key])
        for g, name in enumerate(names):
            who = members[g] & counts_here
            ac, an = (int(t[own][who].sum()) for t in (COPIES, PLOIDY))
            ac_reads, an_reads = (int(t[reads][who].sum()) for t in (COPIES, PLOIDY))
            if floor is None or (numbers[g] >= 0).all():
                given[name] += 1
                wrong_ac[name] += int(numbers[g, 0] - ac_reads != ac)
                wrong_an[name] += int(numbers[g, 1] - an_reads != an)
    lost = sum(row["in_a_vcf"] == "yes" and key not in published for key, row in truth.alleles.items())
    report.must("released alleles that nobody harmonised", added, len(published))
    if floor is None:
        of_vcf = sum(row["in_a_vcf"] == "yes" for row in truth.alleles.values())
        report.must("alleles of VCF input not released", lost, of_vcf)
    report.must("alleles released more than once", again, len(published))
    for name in names:
        report.must(f"wrong AC, {name}", wrong_ac[name], given[name])
        report.must(f"wrong AN, {name}", wrong_an[name], given[name])
    if floor is not None:
        _floor(truth, seen, kept, under_floor.groups(country, sex), sex, release, report, floor)


def _floor(
    truth: Truth,
    seen: dict[Key, np.ndarray],
    kept: np.ndarray,
    members: dict[str, np.ndarray],
    sex: np.ndarray,
    release: Path,
    report: Report,
    floor: int,
) -> None:
    born = truth.mask("gvcf", "vcf", "joint_vcf")
    carriers, others = {}, {}
    for key, codes in seen.items():
        here = kept if fixed_ploidy(key[0], key[1]) else kept & (sex != "U")
        calls = np.where(born, truth.expected.get(key, codes), codes)
        carriers[key] = here & (COPIES[calls] > 0)
        others[key] = here & (PLOIDY[calls] > 0) & (COPIES[calls] == 0)
    published, _ = read_release(release, list(members))
    published = {key: numbers for key, numbers in published.items() if key in seen}
    guarantees, figures = under_floor.judge(published, carriers, others, members, floor)
    for guarantee in guarantees:
        report.must(*guarantee)
    for what, n in figures:
        report.give(what, f"{n:,}")


def sites_found(truth: Truth, keep: dict[str, dict[str, str]], published: set[Key], report: Report) -> None:
    """Truth alleles that kept people carry, in the release and not."""
    kept = np.array([keep[p["sample_id"]]["keep"] == "yes" for p in truth.people])
    carried = {k for k, c in truth.copies.items() if ((c == 1).any(axis=1) & kept).any()}
    found = carried & published
    extra = {key for key in published if key not in truth.alleles}
    report.give("alleles carried by people who are kept", f"{len(carried):,}")
    report.give("of these in the release", f"{len(found):,}")
    report.give("missed", f"{len(carried) - len(found):,}")
    report.give("released alleles that are not in the truth", f"{len(extra):,}")
    for kind, names in (("SNV", ("snv", "mnv", "star", "mixed")), ("indel", ("ins", "del", "run"))):
        some = [k for k in carried if truth.alleles[k]["kind"] in names]
        report.give(f"found, {kind}", f"{sum(k in published for k in some):,} of {len(some):,}")


def read_born(truth: Truth, seen: dict[Key, np.ndarray], callable_bp: int, report: Report) -> None:
    """Genotypes that the caller found in reads against the truth, at every truth allele and every allele it made up."""
    who = np.flatnonzero(~truth.mask("gvcf", "vcf", "joint_vcf"))
    if not len(who):
        report.say("  nobody")
        return
    sheet = [truth.people[i]["sheet_sex"] for i in who]
    table: Counter[tuple[str, str]] = Counter()
    per_kind: Counter[tuple[str, bool]] = Counter()
    missed = 0
    for key, copies in truth.copies.items():
        codes = seen.get(key)
        indel = len(key[2]) != len(key[3])
        for i, sex in zip(who.tolist(), sheet, strict=True):
            if not fixed_ploidy(key[0], key[1]) and (sex not in ("M", "F") or (key[0] == "chrY" and sex == "F")):
                continue
            haps = copies[i][copies[i] != ABSENT]
            if not len(haps):
                continue
            dose = int((haps == 1).sum())
            want = CALLS[1 + 2 * (len(haps) == 2) + dose]
            if codes is None:
                missed += dose > 0
                # An allele nobody reported is a reference call that was never written down.
                continue
            got = CALLS[codes[i]]
            table[want, got] += 1
            if got != "missing":
                per_kind["indel" if indel else "SNV", got == want] += 1
    called = {k: v for k, v in table.items() if k[1] != "missing"}
    report.say(f"  {'truth / called':<16}" + "".join(f"{c:>9}" for c in CALLS[1:]) + f"{'missing':>9}")
    for want in CALLS[1:]:
        row = "".join(f"{table[want, got]:>9,}" for got in (*CALLS[1:], "missing"))
        report.say(f"  {want:<16}{row}")
    n = sum(called.values())
    errors = sum(v for (want, got), v in called.items() if want != got)
    report.give("called genotypes at truth alleles", f"{n:,}")
    report.give("wrong", f"{errors:,} ({100 * errors / max(n, 1):.3f} %)")
    for kind in ("SNV", "indel"):
        total = per_kind[kind, True] + per_kind[kind, False]
        report.give(f"wrong, {kind}", f"{per_kind[kind, False]:,} of {total:,}")
    carried = sum(v for (want, _), v in table.items() if want in ("hemi", "het", "hom"))
    found = sum(
        v for (want, got), v in table.items() if want in ("hemi", "het", "hom") and got in ("hemi", "het", "hom")
    )
    extra = sum(int((COPIES[codes][who] > 0).sum()) for key, codes in seen.items() if key not in truth.expected) + sum(
        v for (want, got), v in called.items() if want in ("ref1", "ref2") and got in ("hemi", "het", "hom")
    )
    mb = callable_bp * len(who) / 1e6
    carried += missed
    share = 100 * found / max(carried, 1)
    report.give("carried alleles found", f"{found:,} of {carried:,} ({share:.2f} %)")
    report.give("missed alleles a person and Mb", f"{(carried - found) / mb:.1f}")
    report.give("extra alleles a person and Mb", f"{extra / mb:.1f}")


def planted_faults(truth: Truth, keep: dict[str, dict[str, str]], report: Report) -> None:
    """Whether keep.tsv names what was planted; either of two related or equal people will do."""
    for person in truth.people:
        for fault in filter(None, person["planted"].split(",")):
            kind, _, other = fault.partition(":")
            pair = [person["sample_id"]] + ([other] if kind in ("duplicate_of", "child_of") else [])
            reasons = [keep[i]["reasons"] for i in pair if i in keep]
            named = any(REASON_OF[kind] in r for r in reasons)
            out = sum(keep[i]["keep"] == "no" for i in pair if i in keep)
            reason = "; ".join(r for r in reasons if r) or "no reason given"
            report.say(f"  {kind:<16}{'found' if named else 'NOT FOUND':<12}{out} left out   {reason}")
    planted = {p["sample_id"] for p in truth.people if p["planted"]}
    planted |= {f.partition(":")[2] for p in truth.people for f in p["planted"].split(",")}
    others = [r for i, r in keep.items() if i not in planted and r["keep"] == "no"]
    report.give("others left out", f"{len(others)} of {len(keep) - len(planted & set(keep))}")
    for listed, n in sorted(Counter(r["reasons"] for r in others).items()):
        report.say(f"    {listed}: {n}")


def _floor_of(release: Path) -> int | None:
    """The floor of a release; None of an open one, or before it says so."""
    path = release / "disclosure" / "disclosure.json"
    return json.loads(path.read_text()).get("min_carriers") if path.exists() else None


def compare(demo: Path, run: Path) -> Report:
    """Compare the run in folder `run` (with work/ and release/) with the truth of the cohort in `demo`."""
    truth = Truth.read(demo / "truth")
    keep = {row["sample_id"]: row for row in _rows(run / "work" / "sample_qc" / "keep.tsv")}
    kept = [i for i, p in enumerate(truth.people) if p["sample_id"] in keep]
    truth.people = [truth.people[i] for i in kept]
    truth.copies = {k: v[kept] for k, v in truth.copies.items()}
    truth.expected = {k: v[kept] for k, v in truth.expected.items()}
    seen, again = read_harmonised(run / "work" / "harmonised", [p["sample_id"] for p in truth.people])
    published, _ = read_release(run / "release" / "sites", [""])
    sequence = (demo / "ref.fa").read_bytes()
    known = sum(LENGTHS.values()) - sequence.count(bytes([N]))
    report = Report()
    report.say("1. Alleles of the truth in the release")
    sites_found(truth, keep, set(published), report)
    report.say()
    report.say("2. People who came as gVCF, VCF or joint VCF: nothing may be wrong")
    harmonised_calls(truth, seen, again, report)
    released_counts(truth, seen, keep, run / "release" / "sites", report, _floor_of(run / "release"))
    report.say()
    report.say(f"3. People who came as reads ({int((~truth.mask('gvcf', 'vcf', 'joint_vcf')).sum())})")
    read_born(truth, seen, known, report)
    report.say()
    report.say("4. Planted faults")
    planted_faults(truth, keep, report)
    report.say()
    verdict = "as it must be" if not report.wrong else f"{report.wrong:,} numbers that must be right are wrong"
    report.say(f"Comparison with the truth: {verdict}.")
    return report
