"""A cohort of three countries, each for a run of its own, and what their collection is held against: the whole cohort.

Estonia publishes everything; Latvia comes as a sites VCF of another pipeline; Finland has a floor and publishes by it.
It also makes a restricted product, which with what the others publish adds up to the cohort run at once.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pysam
import yaml
from crypt4gh.keys import c4gh

from goe.collect import folder as collection
from goe.core.errors import Problem, stop_on
from goe.demo import calls, cohort, genome, loci, people, writers
from goe.demo.compare import COPIES, PLOIDY, Key, Report, Truth
from goe.demo.people import DemoPerson
from goe.rules.stratum import TOTAL, parse

SEED = 20260102
COUNTRIES = ("EE", "LV", "FI")
FLOOR = 3
PEOPLE = 12
"""People of a country, half of them women: few, since each is jobs of her own in a run, and as many as a floor of three
asks of men and of women (disclosure.min_stratum_size)."""
CONTIGS = ("chr20", "chrX")
BLOCK = 20_000
ID = "GOE-{}-EXAMPLE-20260101000000000"
KEY = "keys/coordinator.sec"
PUBLIC, RESTRICTED = "collect", "restricted"
_LEGAL = "simulated people, no personal data"
_TITLES = {"EE": "Estonia", "LV": "Latvia", "FI": "Finland"}
BY = "another pipeline"


def roster() -> list[DemoPerson]:
    """People of the three countries; Latvians are simulated as Estonians' neighbours of one origin."""
    out = []
    for country in COUNTRIES:
        for i in range(PEOPLE):
            style = ("gatk4", "bcftools_new", "gatk3")[i % 3]
            out.append(DemoPerson(f"{country}{i + 1:03d}", country, "XY" if i % 2 else "XX", "gvcf", style))
    return out


def build(outdir: Path, seed: int = SEED) -> dict[str, int]:
    """Write a folder a country, the sheets of two collections, keys and the truth into `outdir`; a few counts."""
    who = roster()
    ref = genome.build(seed)
    # The simulation knows two populations, in this order.
    sites = people.simulate([replace(p, country="EE" if p.country == "LV" else p.country) for p in who], seed)
    places = loci.make(ref, who, sites, seed)
    seen = {i: calls.look(np.random.default_rng([seed, 4, i]), ref, who, places, i) for i in range(len(who))}
    for name in ("truth", "keys"):
        (outdir / name).mkdir(parents=True, exist_ok=True)
    for name in (KEY, KEY.replace(".sec", ".pub")):
        (outdir / name).unlink(missing_ok=True)
    c4gh.generate(str(outdir / KEY), str(outdir / KEY.replace(".sec", ".pub")), None, None)
    for country in COUNTRIES:
        _country(outdir / country, country, ref, who, places, seen, seed)
    cohort.write_truth(outdir / "truth", who, places, calls.expected(who, places, seen))
    _sheets(outdir)
    return {"people": len(who), "countries": len(COUNTRIES), "loci": sum(x.contig in CONTIGS for x in places)}


def _country(
    root: Path,
    country: str,
    ref: genome.Genome,
    who: list[DemoPerson],
    places: list[loci.Locus],
    seen: dict[int, calls.Seen],
    seed: int,
) -> None:
    for name in ("config", "data"):
        (root / name).mkdir(parents=True, exist_ok=True)
    genome.write(ref, root / "ref.fa")
    pysam.faidx(str(root / "ref.fa"))
    genome.write_par(root / "par.bed")
    members = [(i, p) for i, p in enumerate(who) if p.country == country]
    for i, p in members:
        writers.write_gvcf(root / f"data/{p.sample_id}.g.vcf.gz", ref, who, places, seen[i], i, seed)
    rows = [(p.sample_id, p.sheet, p.country) for _, p in members]
    cohort.write_table(root / "samples.tsv", ("sample_id", "sex", "country_code"), rows)
    inputs = [(p.sample_id, "gvcf", f"data/{p.sample_id}.g.vcf.gz") for _, p in members]
    cohort.write_table(root / "inputs.tsv", ("sample_id", "input_type", "path"), inputs)
    floor = {"min_carriers": FLOOR, "policy": "collapse"} if country == "FI" else {"open": True, "legal_basis": _LEGAL}
    config = {
        "samples": "samples.tsv",
        "inputs": "inputs.tsv",
        "reference": {"fasta": "ref.fa", "build": "demo", "par": "par.bed", "contigs": list(CONTIGS)},
        "dataset": {
            "prefix": "GOE",
            "country": country,
            "org": "EXAMPLE",
            "id": ID.format(country),
            "title": f"Simulated people of {_TITLES[country]}",
            "description": "Simulated people on a mini genome; a demonstration without any personal data.",
            "license": "CC0-1.0",
            "publisher": "Example Biobank",
            "access_url": "https://example.org/goe-demo",
            "keywords": ["demonstration"],
            "synthetic": True,
            "contact": {"fn": "Example Biobank", "email": "data@example.org"},
        },
        "disclosure": floor,
        "sample_qc": {"exclude": False},
        "formats": {"gdi": {"enabled": False}},
        "scatter": {"region_size": 200_000, "people_per_batch": 100},
    }
    if country == "FI":
        config["restricted"] = {"recipients": [f"../{KEY.replace('.sec', '.pub')}"], "legal_basis": _LEGAL}
    (root / "config/config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def _sheets(outdir: Path) -> None:
    """Two collections, each in a folder of its own: of what is public, and with the restricted product of Finland."""
    public = [(f"../{c}/release", c, "", "") for c in ("EE", "FI")]
    public.insert(1, ("../LV/foreign.vcf.gz", "LV", BY, ""))
    closed = [(f"../{c}/release", c, "", "") for c in ("EE", "LV")]
    closed.append((f"../FI/restricted/{ID.format('FI')}.restricted.tar.c4gh", "FI", "", f"../{KEY}"))
    contact = {"fn": "Coordination office", "email": "office@example.org"}
    for folder, rows in ((PUBLIC, public), (RESTRICTED, closed)):
        root = outdir / folder
        root.mkdir(exist_ok=True)
        cohort.write_table(root / "datasets.tsv", ("path", "expect", "counted_by", "key"), rows)
        about = {"id": ID.format("EU"), "title": "Allele frequencies of three simulated countries", "contact": contact}
        # Small as the genome is: a block of the jackknife, and what is callable where an allele is absent.
        compare = {"block_size": BLOCK, "absent_an": 4 * PEOPLE}
        config = {"datasets": "datasets.tsv", "collection": about, "compare": compare}
        if folder == RESTRICTED:
            config["restricted"] = {"legal_basis": _LEGAL}
        (root / "collect.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def foreign(release: Path, target: Path) -> int:
    """Write the sites VCF of a release of Latvia as another pipeline gives it; how many records.

    It has AC and AN of everybody and of the country, and lists only what somebody carries."""
    (source,) = release.glob("sites/*.all.vcf.gz")
    lines = [
        "##fileformat=VCFv4.2",
        '##FILTER=<ID=PASS,Description="All filters passed">',
        '##INFO=<ID=AC,Number=A,Type=Integer,Description="Allele count">',
        '##INFO=<ID=AN,Number=1,Type=Integer,Description="Allele number">',
        '##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency">',
        '##INFO=<ID=AC_LV,Number=A,Type=Integer,Description="Allele count, Latvian">',
        '##INFO=<ID=AN_LV,Number=1,Type=Integer,Description="Allele number, Latvian">',
    ]
    records = []
    with gzip.open(source, "rt") as handle:
        for line in handle:
            if line.startswith(("##reference", "##contig", "##FILTER=<ID=")) and "ID=PASS" not in line:
                lines.append(line.rstrip("\n"))
            elif not line.startswith("#"):
                cells = line.rstrip("\n").split("\t")
                info = dict(entry.split("=", 1) for entry in cells[7].split(";") if "=" in entry)
                if int(info["AC"]):
                    tags = ("AC", "AN", "AF", "AC_LV", "AN_LV")
                    kept = ";".join(f"{key}={info[key]}" for key in tags if key in info)
                    records.append("\t".join([*cells[:7], kept]))
    head = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
    writers.save([*lines, head, *records], target)
    return len(records)


# ---- comparison with the truth


class Whole:
    """The cohort run at once: AC, AN and homozygotes of each country and sex at every allele, from what the people's
    files must count as (`calls.expected`)."""

    def __init__(self, truth: Truth):
        self.truth = truth
        self.country = np.array([p["country"] for p in truth.people])
        self.sex = np.array([p["sheet_sex"] for p in truth.people])
        self._members: dict[tuple[str, frozenset[str]], np.ndarray] = {}

    def members(self, stratum: str, countries: set[str]) -> np.ndarray:
        """bool (people,): those of a stratum who are of the countries that are counted. Asked at every allele."""
        asked = stratum, frozenset(countries)
        if asked not in self._members:
            country, sex = parse(stratum)
            selected = np.isin(self.country, sorted(countries))
            if country:
                selected &= self.country == country
            self._members[asked] = np.asarray(selected & (self.sex == sex) if sex else selected)
        return self._members[asked]

    def numbers(self, key: Key, who: np.ndarray) -> tuple[int, int, int]:
        codes = self.truth.expected[key][who]
        return int(COPIES[codes].sum()), int(PLOIDY[codes].sum()), int((COPIES[codes] == 2).sum())


def rows(root: Path, about: dict) -> Iterator[tuple[Key, dict]]:
    for contig in about["contigs_with_alleles"]:
        for batch in pq.ParquetFile(root / f"frequencies/{contig}.parquet", pre_buffer=False).iter_batches():
            for row in batch.to_pylist():
                yield (row["contig"], row["pos"], row["ref"], row["alt"]), row


def compare(demo: Path) -> Report:
    """Both collections of a folder of `build` against the cohort as a whole."""
    report = Report()
    whole = Whole(Truth.read(demo / "truth"))
    report.say("1. Open releases and the restricted product added up: the whole cohort run at once, in every cell")
    _exact(demo / RESTRICTED / "restricted-collection", whole, report)
    report.say()
    report.say("2. Public ones added up: one open, one a sites VCF of others, one under a floor")
    _bounded(demo / PUBLIC / "collection", whole, report)
    report.say()
    verdict = "as it must be" if not report.wrong else f"{report.wrong:,} numbers that must be right are wrong"
    report.say(f"Comparison with the whole cohort: {verdict}.")
    return report


def _about(root: Path) -> dict:
    path = root / collection.ABOUT
    stop_on([] if path.is_file() else [Problem(str(root), "is no collection", "collect first: make demo-collect")])
    return dict(json.loads(path.read_text()))


def _exact(root: Path, whole: Whole, report: Report) -> None:
    about = _about(root)
    wrong: Counter[str] = Counter()
    cells = alleles = complete = strange = 0
    found = set()
    for key, row in rows(root, about):
        alleles += 1
        found.add(key)
        if key not in whole.truth.expected:
            strange += 1
            continue
        counted = _counted(about, row)
        complete += len(counted) == len(COUNTRIES)
        for stratum in about["strata"]:
            end = "" if stratum == TOTAL else f"_{stratum}"
            ac, an, hom = whole.numbers(key, whole.members(stratum, counted))
            right = {"ac_lo": ac, "ac_hi": ac, "an": an, "an_hi": an, "nhomalt_lo": hom, "nhomalt_hi": hom}
            for name, value in right.items():
                if f"{name}{end}" in row:
                    cells += 1
                    wrong[name[:2]] += row[f"{name}{end}"] != value
    every = whole.members(TOTAL, set(COUNTRIES))
    carried = {k for k in whole.truth.expected if k[0] in CONTIGS and whole.numbers(k, every)[0]}
    report.must("alleles of the cohort that are not in the sum", len(carried - found), len(carried))
    report.must("alleles that nobody's file has", strange, alleles)
    for name, words in (("ac", "AC"), ("an", "AN"), ("nh", "homozygotes")):
        report.must(f"wrong cells, {words}", wrong[name], cells // 3)
    report.must("datasets refused", len(about["refused"]), len(about["sources"]) + len(about["refused"]))
    report.give("alleles that all three are counted at", f"{complete:,}")


def _counted(about: dict, row: dict) -> set[str]:
    """Countries that are counted at an allele."""
    return {s["country"] for s, word in zip(about["sources"], row["status"], strict=True) if word in "PAB"}


def _bounded(root: Path, whole: Whole, report: Report) -> None:
    about = _about(root)
    outside: Counter[str] = Counter()
    words: Counter[str] = Counter()
    cells = alleles = exact = 0
    for key, row in rows(root, about):
        counted = _counted(about, row)
        alleles += 1
        words.update(row["status"])
        exact += row["ac_lo"] == row["ac_hi"] and row["an"] == row["an_hi"]
        for stratum in about["strata"]:
            end = "" if stratum == TOTAL else f"_{stratum}"
            # Bounds are of those whose numbers are told; a stratum that is not counted is told as such.
            if stratum != TOTAL and row[f"n_not_counted{end}"]:
                continue
            ac, an, hom = whole.numbers(key, whole.members(stratum, counted))
            ends = {
                "ac": (ac, "ac_lo", "ac_hi"),
                "an": (an, "an", "an_hi"),
                "nhomalt": (hom, "nhomalt_lo", "nhomalt_hi"),
            }
            for name, (value, low, high) in ends.items():
                if f"{low}{end}" in row:
                    cells += 1
                    # Nearly fixed where a floor withholds it, though rare elsewhere: what the table tells apart.
                    more = {"ac": row["an_floor"], "an": 0, "nhomalt": row["an_floor"] // 2}[name]
                    outside[name] += not row[f"{low}{end}"] <= value <= row[f"{high}{end}"] + more
    for name, word in (("ac", "AC"), ("an", "AN"), ("nhomalt", "homozygotes")):
        report.must(f"bounds that do not hold the truth, {word}", outside[name], cells // 3)
    report.must("datasets refused", len(about["refused"]), len(about["sources"]) + len(about["refused"]))
    report.give("alleles", f"{alleles:,}")
    report.give("of these exact", f"{exact:,}")
    meanings = {"P": "listed", "A": "absent, callable", "B": "under the floor", "F": "filtered", "N": "not callable"}
    meanings["U"] = "unknown"
    for letter, name in meanings.items():
        report.give(f"dataset and allele: {name}", f"{words[letter]:,}")
