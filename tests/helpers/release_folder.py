"""A whole small release folder from made-up counts, through the writers of every format, and ways to break it."""

import gzip
import json
import re
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pysam
from goe.check import folder as check_folder
from goe.check import run as check
from goe.core import code_digest, manifest
from goe.core.ledger import Ledger, total
from goe.disclosure import control, membership
from goe.disclosure.plan import Plan, choose_strata
from goe.frequencies import callable_an as callable_blocks
from goe.frequencies import counts
from goe.frequencies import strata as st
from goe.genome.build import REGION_M, REGION_X, REGION_Y, REGION_Y_PAR, Build
from goe.harmonise.batch import Tables
from goe.harmonise.records import N_CLASSES
from goe.release import callable_an as callable_contig
from goe.release import layout, quantiles
from goe.release import notes as release_notes
from goe.release import texts as release_texts
from goe.release.contig import Places, Release
from goe.release.formats import allele_names, annotations, beacon, callable_an, mini_node, sites_vcf, wide_table
from goe.release.gdi import metadata as gdi_metadata
from goe.release.gdi import package as gdi_package
from goe.release.metadata import health_dcat, ro_crate, sbom
from goe.release.report import page as report_page
from goe.release.report import spectrum as report_spectrum
from goe.release.report.lookup import Tracks
from goe.release.table import kept_people
from goe.rules import sample_thresholds as sample_rules
from goe.rules import site_filters as site_rules
from goe.rules.policy import Policy
from goe.settings import config as settings
from goe.settings.sections import Config
from goe.variant_qc import filters as site_filters

from helpers.blocks import sequence, write_fasta

# Blocks of callable AN of a contig.
PIECES = 5
REPO = Path(__file__).resolve().parents[2]
ID = "GOE-EE-EXAMPLE-20260301093000000"
_TRACKS = ("lookup", "callable", "rs_numbers")
FORMATS = ["sites", "frequencies", "callable_an", "beacon", "mini-node", "annotations", "gdi"]
CONTIGS = {"chr20": 6000, "chrX": 3000, "chrY": 1200, "chrM": 900}
PAR = [("chrX", 1, 600), ("chrX", 2700, 3000), ("chrY", 1, 200), ("chrY", 1100, 1200)]
# Men, women, unknown; LT is published whole, MT is too small to be a stratum by sex.
COUNTRIES = {"EE": (310, 290, 20), "LV": (160, 150, 0), "FI": (90, 120, 12)}
VARIANT_QC = {
    "accept_filters": [],
    "min_call_rate": 0.9,
    "hwe_p": 1e-6,
    "hwe_min_people": 100,
    "inbreeding_coeff": -0.3,
    "min_qual": 30,
    "min_qd": 2,
    "min_mq": 40,
    "max_fs": 60,
    "min_read_pos_rank_sum": -8,
    "regions": [],
}
MINIMAL = {"min_carriers": 5, "policy": "minimal"}
OPEN = {"open": True, "legal_basis": "Decision 12/2026 of the steering board"}


@contextmanager
def named(dataset: str):
    """Releases that are made meanwhile have this id."""
    global ID
    before, ID = ID, dataset
    try:
        yield
    finally:
        ID = before


def config(rule=MINIMAL, gdi=True, proxy=False) -> Config:
    """The config of the release."""
    raw = {
        "samples": "samples.tsv",
        "inputs": "inputs.tsv",
        "reference": {"fasta": "ref.fa", "build": "GRCh38"},
        "dataset": {
            "prefix": "GOE",
            "country": ID.split("-")[1],
            "org": ID.split("-")[2],
            "id": ID,
            "title": "Allele frequencies of an example cohort",
            "description": "Made-up people.",
            "contact": {"fn": "Data office", "email": "data@example.org", "url": None},
            "license": "CC-BY-4.0",
            "publisher": "Example institute",
            "keywords": [],
            "synthetic": True,
        },
        "disclosure": dict(rule),
        "genotype_filter": {
            "profile": "goe",
            "min_gq": 20,
            "min_dp": 10,
            "min_dp_haploid": 5,
            "min_ab": 0.2,
            "respect_ft": False,
        },
        "variant_qc": VARIANT_QC,
        "sample_qc": {"exclude": True, "thresholds": {}},
        "strata": {"label": "country_code"},
        "formats": {"gdi": {"enabled": gdi, "catalog": "goe"}},
        "callable_an": {"coverage_proxy": proxy},
    }
    return settings.load(raw)


def _alleles(text: str, seed: int, every: int) -> list[tuple[int, str, str]]:
    """SNVs, insertions, deletions and a few complex alleles, sorted; some share a position."""
    rng = np.random.default_rng(seed)
    found = set()
    for pos in range(2, len(text) - 20, every):
        at = pos + int(rng.integers(0, every))
        ref = text[at - 1]
        others = [b for b in "ACGT" if b != ref]
        alt = others[int(rng.integers(3))]
        size = int(rng.integers(1, 6))
        kind = rng.choice(4, p=[0.7, 0.12, 0.12, 0.06])
        longer = text[at - 1 : at + size]
        last = next(b for b in "ACGT" if b != longer[-1])
        found.add(
            [
                (at, ref, alt),
                (at, ref, ref + alt * size),
                (at, longer, ref),
                (at, longer, alt + "".join(rng.choice(list("ACGT"), size)) + last),
            ][kind]
        )
        if rng.random() < 0.1:
            found.add((at, ref, others[0]))
    return sorted(found)


def counted(path: Path, build: Build, contig: str, text: str, seed: int = 1, every: int = 5, countries=None) -> Path:
    """Counts of a contig with FILTER and statistics, as the stage before the release leaves them."""
    countries = countries or COUNTRIES
    rng = np.random.default_rng([seed, *contig.encode()])
    alleles = _alleles(text, seed, every)
    n = len(alleles)
    names = sorted(f"{c}_{sex}" for c, sizes in countries.items() for sex, m in zip("MFU", sizes, strict=True) if m)
    sizes = {name: countries[name[:2]]["MFU".index(name[3])] for name in names}
    classes = np.array([build.region_class(contig, pos) for pos, _, _ in alleles])
    expected = np.zeros((N_CLASSES, len(names)), np.int64)
    cells = np.zeros((len(names), len(st.CALLS), n), np.int32)
    # Many rare alleles, some common, some that nobody has.
    af = np.where(rng.random(n) < 0.08, 0, 10 ** rng.uniform(-3.2, -0.1, n))
    missing = rng.beta(0.3, 40, n)
    for i, name in enumerate(names):
        sex, people = name[3], sizes[name]
        drift = np.clip(af * rng.lognormal(0, 0.4, n), 0, 0.98)
        for region in range(1, N_CLASSES):
            here = classes == region
            haploid = region == REGION_M or (region in (REGION_X, REGION_Y) and sex == "M")
            absent = (
                region == REGION_Y_PAR or (region == REGION_Y and sex != "M") or (region == REGION_X and sex == "U")
            )
            if absent:
                continue
            expected[region, i] = people * (1 if haploid else 2)
            called = rng.binomial(people, 1 - missing[here])
            p = drift[here]
            if haploid:
                cells[i, st.HAP, here] = called
                cells[i, st.HEMI, here] = rng.binomial(called, p)
            else:
                cells[i, st.DIP, here] = called
                hom = rng.binomial(called, p * p)
                cells[i, st.HOM, here] = hom
                cells[i, st.HET, here] = rng.binomial(called - hom, 2 * p * (1 - p) / np.maximum(1 - p * p, 1e-9))
    leaves = counts.Leaves(names, sizes, np.zeros((N_CLASSES, 0), np.int16), expected)
    schema = counts.schema(leaves, raw=False)
    columns = {
        "contig": [contig] * n,
        "pos": [pos for pos, _, _ in alleles],
        "ref": [ref for _, ref, _ in alleles],
        "alt": [alt for _, _, alt in alleles],
        "filters": [["VQSRTranche"] if x < 0.04 else [] for x in rng.random(n)],
        "qual": rng.choice([20.0, 50.0, 90.0], n, p=[0.05, 0.5, 0.45]),
        **{name: np.full(n, np.nan) for name in counts.METRIC_COLUMNS.values()},
        "region_class": classes,
        "n_records": np.ones(n),
        **{f"{m}_{name}": cells[i, j] for i, name in enumerate(names) for j, m in enumerate(counts.MEASURES)},
    }
    arrays = [pa.array(columns[f.name], f.type, from_pandas=True) for f in schema]
    ledger = Ledger(f"variant_qc {contig}")
    pq.write_table(site_filters.annotate(pa.table(arrays, schema=schema), VARIANT_QC, ledger=ledger), path)
    ledger.write(path.with_suffix(".ledger.json"))
    return path


@dataclass
class Parts:
    """What the writers leave for the whole release. summaries: one a contig, as `release_contig` leaves them."""

    build: Build
    cfg: Config
    work: Path
    summaries: list[dict]
    plan: Plan
    policy: Policy
    proxy: bool = False


def make(
    folder: Path,
    rule=MINIMAL,
    gdi=True,
    contigs=None,
    embed_up_to=8_000_000,
    seed=1,
    block=400,
    countries=None,
    proxy=False,
):
    """Write the release folder `folder / "release"` and return it.

    contigs: name -> bases. embed_up_to: as in `report_page.write`; 0 puts the look-up table beside the page. proxy:
    whether half of the people come in a joint VCF and have reads beside it.
    """
    contigs = contigs or CONTIGS
    cfg = config(rule, gdi, proxy)
    work, root = folder / "work", folder / "release"
    work.mkdir(parents=True)
    par = [region for region in PAR if region[0] in contigs]
    build = Build(name="GRCh38", contigs=dict(contigs), par=par, all_contigs=dict(contigs))
    text = {name: sequence(length, seed=i) for i, (name, length) in enumerate(contigs.items())}
    fasta = write_fasta(work / "ref.fa", text)
    policy = control.policy(cfg.disclosure)
    places = (
        "sites",
        "frequencies",
        "frequencies-wide",
        "allele-names",
        "callable_an",
        "beacon",
        "mini-node",
        "annotations",
        "gdi",
        "metadata",
        *(["coverage_proxy"] if proxy else []),
    )
    for place in (*places, "dictionary"):
        (root / place).mkdir(parents=True)
    (work / "gdi").mkdir()
    release = Release(
        dataset=ID,
        build=build,
        fasta=fasta,
        fields=REPO / "resources/dictionary/fields.tsv",
        disclosure=cfg.disclosure,
        regions={},
        gdi=gdi_metadata.settings(cfg) if gdi else None,
        block=block,
    )
    summaries = []
    for contig in contigs:
        table = counted(work / f"{contig}.parquet", build, contig, text[contig], seed, countries=countries)
        summaries.append(_contig(release, root, work, contig, table))
    plan = choose_strata(summaries[-1]["people"], policy.min_stratum_size)
    parts = Parts(build, cfg, work, summaries, plan, policy, proxy)
    if proxy:
        for contig in contigs:
            _by_coverage(root, parts, contig)
    _vcfs(root, parts)
    _bed(root, parts)
    _descriptions(root, parts)
    if gdi:
        _package(root, parts)
    finish(root, parts, embed_up_to)
    return root


def _contig(release: Release, root: Path, work: Path, contig: str, table: Path) -> dict:
    """Write every format of a contig; what `release_contig` leaves of it for the whole."""
    summary = work / f"{contig}.summary.json"
    places = Places(
        table=root / f"frequencies/{contig}.parquet",
        wide=root / f"frequencies-wide/{contig}.parquet",
        names=root / f"allele-names/{contig}.parquet",
        beacon=root / f"beacon/genomicVariations.{contig}.jsonl.gz",
        every=work / f"{contig}.all.vcf.gz",
        passed=work / f"{contig}.pass.vcf.gz",
        mini_node=work / f"mini-node/{contig}",
        annotations=work / f"{contig}.annotations.vcf.gz",
        lookup=work / f"{contig}.lookup",
        rs_numbers=work / f"{contig}.rs_numbers",
        membership=work / f"{contig}.membership.parquet",
        summary=summary,
        gdi=work / f"gdi/{contig}" if release.gdi else None,
    )
    release.write(contig, [table], places)
    blocks = work / f"{contig}.blocks.parquet"
    callable_of(blocks, table, release, contig)
    policy, body = control.policy(release.disclosure), work / f"{contig}.callable_an.bed.gz"
    runs, steps = root / f"callable_an/{contig}.parquet", work / f"{contig}.callable"
    callable_contig.write([blocks], contig, release.build, ID, policy, runs, body, steps)
    return json.loads(summary.read_text())


def callable_of(path: Path, table: Path, release: Release, contig: str) -> None:
    """Blocks of a contig in which nobody is callable who is not called at an allele there."""
    rows, people = pq.read_table(table), kept_people(table)
    policy, length = control.policy(release.disclosure), release.build.contigs[contig]
    groups = control.published_groups(choose_strata(people, policy.min_stratum_size), policy)
    parts = callable_blocks.parts(groups, people, contig)
    called = [
        sum(rows[f"{call}_{leaf}"].to_numpy() for leaf in part.leaves for call in ("dip", "hap")) for part in parts
    ]
    starts = [1 + length * i // PIECES for i in range(PIECES)]
    place = np.searchsorted(starts, rows["pos"].to_numpy(), "right") - 1
    found = [
        {"part": number, "start": start, "end": end, "low": low, "high": low}
        for number, counts in enumerate(called)
        for i, (start, end) in enumerate(zip(starts, [*(s - 1 for s in starts[1:]), length], strict=True))
        for low in [int(min(counts[place == i], default=0))]
    ]
    about = callable_blocks.about(people, parts, policy.k, True)
    with Tables(path, callable_blocks.BLOCKS, about) as out:
        out.write(contig, 1, length, pa.Table.from_pylist(found, schema=callable_blocks.BLOCKS))


def _by_coverage(root: Path, parts: Parts, contig: str) -> None:
    """Callable AN by coverage of a contig: of every second person who has a joint VCF, from half of the contig on."""
    length, k = parts.build.contigs[contig], parts.policy.k
    groups = control.published_groups(parts.plan, parts.policy)
    leaves = {leaf: parts.plan.people[leaf] for leaf in parts.plan.leaves}
    found, kept = [], []
    for number, part in enumerate(callable_blocks.parts(groups, leaves, contig)):
        n = [sum((leaves[leaf] + 1 - which) // 2 for leaf in part.leaves) for which in (0, 1)]
        kept.append(replace(part, people=part.people - int(st.shown(np.array(n[0]), part.people, k))))
        for start, end, low in ((1, length // 2, 0), (length // 2 + 1, length, n[1])):
            found.append({"part": number, "start": start, "end": end, "low": low, "high": low})
    blocks = parts.work / f"{contig}.coverage.parquet"
    with Tables(blocks, callable_blocks.BLOCKS, callable_blocks.about(leaves, kept, k, True)) as out:
        out.write(contig, 1, length, pa.Table.from_pylist(found, schema=callable_blocks.BLOCKS))
    table, body = root / f"coverage_proxy/{contig}.parquet", parts.work / f"{contig}.coverage_proxy.bed.gz"
    rule = parts.cfg.coverage_rule
    callable_contig.write([blocks], contig, parts.build, ID, parts.policy, table, body, coverage=rule)


def _vcfs(root: Path, parts: Parts) -> None:
    fields = sites_vcf.read_fields(REPO / "resources/dictionary/fields.tsv")
    strata = parts.plan.strata
    tally = release_notes.combine(parts.summaries)
    info = {
        "all": sites_vcf.tags(fields, strata),
        "pass": sites_vcf.tags(fields, strata),
        "annotations": annotations.tags(annotations.read_fields(), strata, ["non_par"]),
    }
    for place, which in (
        ("sites", "all"),
        ("sites", "pass"),
        ("annotations", "annotations"),
    ):
        used = tally["filters"] if which in ("all", "annotations") else {}
        filters = release_notes.filter_order(used, site_rules.DESCRIPTIONS)
        contigs = [s["contig"] for s in parts.summaries]
        head = sites_vcf.header(parts.build.name, contigs, filters, site_rules.DESCRIPTIONS, info[which])
        bodies = [parts.work / f"{s['contig']['name']}.{which}.vcf.gz" for s in parts.summaries]
        sites_vcf.join(head, bodies, root / f"{place}/{ID}.{which}.vcf.gz")


def _bed(root: Path, parts: Parts) -> None:
    for track in (callable_an.CALLED, callable_an.PROXY)[: 1 + parts.proxy]:
        bodies = [parts.work / f"{contig}.{track.name}.bed.gz" for contig in parts.build.contigs]
        sites_vcf.join(callable_an.head(parts.plan.strata, track), bodies, root / track.bed(ID), "bed")


def _about(root: Path) -> health_dcat.About:
    said = json.loads((root / "metadata/dataset.json").read_text())
    countries = [s for s in said["strata"] if len(s) == 2]
    return health_dcat.About(said["number_of_pass_records"], said["number_of_people"], countries, said["build"])


def _metrics(said: dict, k: int) -> dict:
    """Quantiles of the call rate of made-up people of the countries."""
    people = [(c, f"{c}{i}") for c, n in said["strata"].items() if len(c) == 2 for i in range(n)]
    keep = [{"sample_id": sample, "keep": "yes"} for _, sample in people]
    metrics = [
        {"sample_id": sample, "country_code": c, "call_rate": f"{0.95 + i % 50 / 1000:g}"}
        for i, (c, sample) in enumerate(people)
    ]
    return quantiles.summary(keep, metrics, sorted({c for c, _ in people}), k)


def _callable(parts: Parts) -> dict:
    """Everybody but one has a gVCF."""
    keep = [
        {"sample_id": f"{leaf}{i}", "country_code": leaf[:2], "count_sex": leaf[3], "keep": "yes", "input_type": "gvcf"}
        for leaf in parts.plan.leaves
        for i in range(parts.plan.people[leaf])
    ]
    keep[0]["input_type"] = "joint_vcf"
    if not parts.proxy:
        return release_notes.callable_people(keep, keep, parts.plan, parts.policy)
    for row in keep:
        row["input_type"] = ("gvcf", "joint_vcf")[int(row["sample_id"][4:]) % 2]
    said = release_notes.callable_people(keep, keep, parts.plan, parts.policy)
    covered = {row["sample_id"] for row in keep if row["input_type"] == "joint_vcf"}
    kinds, people = release_notes.covered_people(keep, keep, covered, parts.plan, parts.policy)
    said["an_method"]["coverage_proxy"] = kinds
    return said | {"coverage_proxy": {"people": people, **parts.cfg.coverage_rule}}


def _descriptions(root: Path, parts: Parts) -> None:
    cfg, plan, policy, build = parts.cfg, parts.plan, parts.policy, parts.build
    fields = sites_vcf.read_fields(REPO / "resources/dictionary/fields.tsv")
    tally = release_notes.combine(parts.summaries)
    k = policy.k
    formats = [name for name in FORMATS if name != "gdi" or cfg.formats.gdi.made]
    formats += ["coverage_proxy"] if parts.proxy else []
    said = release_notes.dataset(cfg, build.name, plan, tally, k, formats, build.par, callable_an=_callable(parts))
    said["contigs"] = [summary["contig"] for summary in parts.summaries]
    kept = said["number_of_people"]
    sheet = Ledger("sample_qc")
    sheet.give("people", kept)
    for reason, n in (("related", 11), ("withdrawn", 2)):
        sheet.drop("people", reason, n)
    people = release_notes.people_summary(sheet, set(), k)
    step = Ledger("release")
    step.take("site_alleles", tally["read"])
    step.give("site_alleles", said["number_of_records"])
    step.drop("site_alleles", "disclosure control", tally["read"] - said["number_of_records"])
    filtered = total(sorted(parts.work.glob("*.ledger.json")), "variant_qc")
    public = release_notes.public_ledger([filtered, step], tally, k)
    qc = {
        "people": people,
        "genotype_filter": release_notes.genotype_rules(cfg.genotype_filter, {}),
        "variant_qc": release_notes.filter_rules(cfg.variant_qc, said),
        "alleles_by_class": tally["classes"],
        "alleles_by_filter": tally["filters"],
        "alleles_by_rule": site_rules.counts(public),
        "metrics": _metrics(said, k),
        "sample_qc": sample_rules.published(
            sample_rules.load(sample_rules.TABLES), True, [c for c in said["strata"] if len(c) == 2]
        ),
        "rounded_to": k,
    }
    figure = membership.figure(
        [parts.work / f"{contig}.membership.parquet" for contig in build.contigs], said["strata"], ID
    )
    others = chain(
        wide_table.dictionary(fields, plan.strata),
        allele_names.dictionary(),
        callable_an.dictionary(plan.strata),
        callable_an.dictionary(plan.strata, callable_an.PROXY) if parts.proxy else (),
        beacon.dictionary(),
        mini_node.dictionary(fields),
        annotations.dictionary(annotations.read_fields(), plan.strata, ["non_par"]),
    )
    info = sites_vcf.tags(fields, plan.strata)
    texts = {
        "ledger.json": release_notes.dumps(public),
        "metadata/dataset.json": release_notes.dumps(said),
        "qc/summary.json": release_notes.dumps(qc),
        "disclosure/disclosure.json": release_notes.dumps(
            release_notes.disclosure_summary(policy, plan, tally, figure)
        ),
        "dictionary/fields.tsv": release_notes.dictionary(fields, info, others),
        "provenance/config.json": release_notes.dumps(ro_crate.snapshot(cfg, ro_crate.file_digests([], [], {}))),
        code_digest.RELEASED: code_digest.listing(),
        "provenance/Snakefile": (REPO / "Snakefile").read_text(),
        **{
            f"provenance/workflow/rules/{path.name}": path.read_text()
            for path in sorted((REPO / "workflow/rules").glob("*.smk"))
        },
    }
    read = {name: json.loads(texts[check_folder.DESCRIPTIONS[name]]) for name in release_texts.DESCRIPTIONS}
    for name, text in (texts | release_texts.write(read)).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    beacon.write_populations(root / "beacon/populations.json", info)
    folders = [parts.work / f"mini-node/{contig}" for contig in build.contigs]
    contigs = [summary["contig"] for summary in parts.summaries]
    mini_node.join(root / "mini-node", read, contigs, folders, fields)


def _package(root: Path, parts: Parts) -> None:
    folders = [parts.work / f"gdi/{contig}" for contig in parts.build.contigs]
    package = parts.work / f"package/{ID}"
    gdi_package.assemble(folders, root / f"sites/{ID}.pass.vcf.gz", parts.cfg, _about(root), package)
    gdi_package.pack(package, root / f"gdi/{ID}.tar")


def finish(root: Path, parts: Parts, embed_up_to: int = 8_000_000) -> None:
    """The page, the metadata and the manifest."""
    said, qc, rule = (
        json.loads((root / name).read_text())
        for name in ("metadata/dataset.json", "qc/summary.json", "disclosure/disclosure.json")
    )
    names = [name for name in manifest.files(root)]
    files = [asdict(file) for file in layout.describe(root, names)]
    later = (sbom.NAME, health_dcat.TURTLE, health_dcat.JSON_LD, health_dcat.CRATE)
    files += [{"path": name, "size": None, "sha256": None} for name in later]
    report_page.write(
        root,
        said,
        qc,
        rule,
        # As the stage has them, from JSON with sorted keys.
        report_spectrum.combine(json.loads(release_notes.dumps(s["spectrum"])) for s in parts.summaries),
        Tracks(*([parts.work / f"{contig}.{of}" for contig in parts.build.contigs] for of in _TRACKS)),
        [s["contig"] for s in parts.summaries],
        site_rules.DESCRIPTIONS,
        rule["membership_inference"],
        check.told(check.run(root, check.BEFORE_METADATA)),
        files,
        embed_up_to,
    )
    describe(root, parts.cfg, [s["contig"] for s in parts.summaries])
    sign(root)


PACKAGES = [
    sbom.Package("numba", "0.62.1", sbom.UNKNOWN, ("numpy",)),
    sbom.Package("numpy", "2.3.4", "BSD-3-Clause AND MIT"),
]


def describe(root: Path, cfg: Config, contigs: list[dict]) -> None:
    """Write the metadata of the files that are there."""
    for name in (sbom.NAME, health_dcat.TURTLE, health_dcat.JSON_LD, health_dcat.CRATE):
        (root / name).unlink(missing_ok=True)
    about = _about(root)
    bill = sbom.document(PACKAGES, {"samtools": "1.21", "bcftools": "1.21"}, "9.27.1")
    (root / sbom.NAME).write_text(sbom.dumps(bill))
    health_dcat.write(root, cfg, about, layout.describe(root, manifest.files(root)))
    tools = [ro_crate.Tool("samtools", "1.21"), ro_crate.Tool("bcftools", "1.21")]
    files = layout.describe(root, manifest.files(root))
    ro_crate.write(root, cfg, about, files, [ro_crate.Contig(**contig) for contig in contigs], tools, "9.27.1")


def sign(root: Path) -> None:
    """The manifest of what is there."""
    (root / manifest.NAME).unlink(missing_ok=True)
    manifest.write(root, manifest.files(root))


def remake(root: Path, cfg: Config | None = None) -> None:
    """Metadata and manifest of what is there, so that a change is not found by its digest."""
    said = json.loads((root / "metadata/dataset.json").read_text())
    describe(root, cfg or config(), said["contigs"])
    sign(root)


# ---- ways to break it


def copy(root: Path, target: Path) -> Path:
    """A copy that may be broken: contents alone, for no test asks when a file was made."""
    shutil.copytree(root, target / "release", copy_function=shutil.copyfile)
    return target / "release"


def edit_json(path: Path, change) -> None:
    """Change the content of a JSON file."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def edit_vcf(path: Path, change) -> None:
    """Change the text of a VCF: `change(lines) -> lines`; the index is made anew."""
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    with pysam.BGZFile(str(path), "w") as file:
        file.write("".join(f"{line}\n" for line in change(lines)).encode())
    pysam.tabix_index(str(path), preset="vcf", force=True)


def edit_callable(root: Path, contig: str, change) -> None:
    """Change the runs of a contig, in its table and in the BED file."""
    edit_parquet(root / f"callable_an/{contig}.parquet", change)
    tables = [
        pq.read_table(root / f"callable_an/{one['name']}.parquet")
        for one in json.loads((root / "metadata/dataset.json").read_text())["contigs"]
    ]
    rows = [line for table in tables for line in callable_an.lines(table).to_pylist()]
    edit_bed(root / f"callable_an/{ID}.callable_an.bed.gz", lambda lines: [lines[0], *rows])


def edit_bed(path: Path, change) -> None:
    """Change the lines of a BED file: `change(lines) -> lines`; the index is made anew."""
    edit_lines(path, change)
    pysam.tabix_index(str(path), preset="bed", force=True)


def edit_lines(path: Path, change) -> None:
    """Change the lines of a BGZF text: `change(lines) -> lines`."""
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    with pysam.BGZFile(str(path), "w") as file:
        file.write("".join(f"{line}\n" for line in change(lines)).encode())


def edit_parquet(path: Path, change) -> None:
    """Change the rows of a frequency table: `change(rows) -> rows`, dicts in order; schema and metadata stay."""
    schema = pq.read_schema(path)
    made = pa.Table.from_pylist(change(pq.read_table(path).to_pylist()), schema=schema.remove_metadata())
    with pq.ParquetWriter(path, made.schema, store_schema=False, compression="zstd") as file:
        file.add_key_value_metadata({k.decode(): v.decode() for k, v in schema.metadata.items()})
        file.write_table(made)


def set_info(line: str, key: str, value) -> str:
    """A VCF line with another value under an INFO key that it has; None takes the key out."""
    new = "" if value is None else f"{key}={value};"
    text, n = re.subn(rf"(?<=[\t;]){key}=[^;]*(;|$)", new, line)
    assert n == 1, (key, line[:80])
    return text.rstrip(";")
