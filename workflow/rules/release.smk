import json
from importlib.metadata import version as version_of

from goe.core import code_digest
from goe.release import layout

# The dictionary of published fields.
FIELDS = str(SCRIPTS.parent / "resources" / "dictionary" / "fields.tsv")
ID = CFG.dataset.id
SNAKEMAKE_VERSION = version_of("snakemake")

# What of the config the scripts of the release may know: nothing of inputs or places.
PUBLIC_CFG = {
    key: plain(getattr(CFG, key))
    for key in (
        "dataset",
        "disclosure",
        "genotype_filter",
        "variant_qc",
        "strata",
        "caller",
        "frequencies",
        "callable_an",
        "formats",
    )
} | {
    "reference": {"build": CFG.reference.build, "contigs": list(CFG.reference.contigs)},
    "sample_qc": {"exclude": CFG.sample_qc.exclude, "thresholds": CFG.sample_qc.thresholds},
}
GDI = CFG.formats.gdi.made
FORMATS = ["sites", "frequencies", "callable_an", "beacon", "mini-node", "annotations"]
FORMATS += [*(["coverage_proxy"] if COVERED else []), *(["gdi"] if GDI else [])]
EARLIER = Path(CFG.previous_release or "") / "metadata" / "dataset.json"
PAST_VERSION = json.loads(EARLIER.read_text())["id"] if CFG.previous_release and EARLIER.is_file() else ""

# The workflow as it is released: its main file and the rules.
WORKFLOW_NAMES = [
    "Snakefile",
    *sorted(f"workflow/rules/{p.name}" for p in (SCRIPTS.parent / "workflow/rules").glob("*.smk")),
]
WORKFLOW_FILES = [str(SCRIPTS.parent / name) for name in WORKFLOW_NAMES]
REPORT_RESOURCES = resources_of("pages", "report")

# The numbers, what is said of them, what describes both.
DATA_NAMES, NOTE_NAMES, METADATA_NAMES = (
    layout.files(ID, list(BUILD.contigs), [kind], GDI, bool(CFG.formats.gdi.recipients), proxy=bool(COVERED))
    for kind in (layout.DATA, layout.NOTE, layout.METADATA)
)
DATA_FILES = [release(path) for path in DATA_NAMES]
NOTE_FILES = [release(path) for path in (*NOTE_NAMES, *(f"provenance/{name}" for name in WORKFLOW_NAMES))]
RELEASE_FILES = [*DATA_FILES, *NOTE_FILES, release("report.html"), *map(release, METADATA_NAMES)]
# Lists of files that are written beside those, by what is in the data.
WRITTEN = [work("release/mini-node.json"), work("release/report.json")]
RESTRICTED = [str(OUTDIR / "restricted" / f"{ID}.restricted.tar.c4gh")] if CFG.restricted else []

SUMMARY_SEALS = [
    *expand(work("seals/release_contig/{contig}.json"), contig=BUILD.contigs),
    *expand(work("seals/{rule}/{region}.json"), rule=["frequencies_count", "variant_qc_filter"], region=REGIONS),
    *expand(
        work("seals/{rule}.json"), rule=["intake_people", "sample_qc_keep", "sample_qc_variants", "harmonise_ledger"]
    ),
    *([work("seals/release_compare.json")] if CFG.previous_release else []),
    *COVERAGE_SEALS,
]
# Of everything that `goe check` reads before page and metadata are written.
RELEASE_SEALS = [
    *expand(work("seals/release_contig/{contig}.json"), contig=BUILD.contigs),
    *(work(f"seals/release_vcf/{name}.json") for name in ("sites.pass", "sites.all", "annotations.annotations")),
    work("seals/release_mini_node.json"),
    *expand(work("seals/release_callable_an/{contig}.json"), contig=BUILD.contigs),
    work("seals/release_callable_bed.json"),
    *(expand(work("seals/release_coverage_proxy/{contig}.json"), contig=BUILD.contigs) if COVERED else []),
    *([work("seals/release_coverage_bed.json")] if COVERED else []),
    work("seals/release_summary.json"),
    *([work("seals/release_gdi.json")] if GDI else []),
]
KEPT += [
    *RELEASE_SEALS,
    *expand(
        work("seals/release_{action}.json"), action=["people_record", "inputs_record", "check", "report", "metadata"]
    ),
]


rule release_contig:
    input:
        tables=lambda wc: expand(work("variant_qc/{region}.parquet"), region=regions_of(wc.contig)),
        fasta=CFG.reference.fasta,
        fields=FIELDS,
        regions=list(CFG.annotations.regions.given.values()),
        dbsnp=[CFG.annotations.dbsnp] if CFG.annotations.dbsnp else [],
        seals=lambda wc: expand(work("seals/variant_qc_filter/{region}.json"), region=regions_of(wc.contig)),
    output:
        **({"gdi": directory(work("release/gdi/{contig}"))} if GDI else {}),
        table=release("frequencies/{contig}.parquet"),
        wide=release("frequencies-wide/{contig}.parquet"),
        names=release("allele-names/{contig}.parquet"),
        beacon=release("beacon/genomicVariations.{contig}.jsonl.gz"),
        every=work("release/{contig}.all.vcf.gz"),
        passed=work("release/{contig}.pass.vcf.gz"),
        mini_node=directory(work("release/mini-node/{contig}")),
        annotations=work("release/{contig}.annotations.vcf.gz"),
        lookup=work("release/{contig}.lookup"),
        rs_numbers=work("release/{contig}.rs_numbers"),
        membership=work("release/{contig}.membership.parquet"),
        summary=work("release/{contig}.json"),
        seal=work("seals/release_contig/{contig}.json"),
    log:
        work("logs/release_contig/{contig}.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("release", "filters"),
        dataset=CFG.dataset.id,
        disclosure=plain(CFG.disclosure),
        build=BUILD_PARAMS,
        regions=CFG.annotations.regions.given,
        gdi={key: PUBLIC_CFG[key] for key in ("formats", "disclosure", "reference")} if GDI else None,
        previous=CFG.previous_release,
    script:
        "../../scripts/release_contig.py"


rule release_vcf:
    input:
        bodies=expand(work("release/{contig}.{{which}}.vcf.gz"), contig=BUILD.contigs),
        summaries=expand(work("release/{contig}.json"), contig=BUILD.contigs),
        fields=FIELDS,
        seals=expand(work("seals/release_contig/{contig}.json"), contig=BUILD.contigs),
    output:
        vcf=release(f"{{place}}/{ID}.{{which}}.vcf.gz"),
        index=release(f"{{place}}/{ID}.{{which}}.vcf.gz.tbi"),
        seal=work("seals/release_vcf/{place}.{which}.json"),
    log:
        work("logs/release_vcf/{place}.{which}.log"),
    wildcard_constraints:
        place="sites|annotations",
        which="all|pass|annotations",
    conda:
        "../../envs/goe.yaml"
    params:
        **made("release", "release"),
        disclosure=plain(CFG.disclosure),
        build=BUILD.name,
        regions=CFG.annotations.regions.given,
    script:
        "../../scripts/release_vcf.py"


# Which strata are published is known when everybody is counted: the files of those beside Total are listed in `written`.
rule release_mini_node:
    input:
        bodies=expand(work("release/mini-node/{contig}"), contig=BUILD.contigs),
        summaries=expand(work("release/{contig}.json"), contig=BUILD.contigs),
        fields=FIELDS,
        dataset=release("metadata/dataset.json"),
        config=release("provenance/config.json"),
        seals=[
            *expand(work("seals/release_contig/{contig}.json"), contig=BUILD.contigs),
            work("seals/release_summary.json"),
        ],
    output:
        vcf=release(f"mini-node/{ID}.Total.vcf.gz"),
        index=release(f"mini-node/{ID}.Total.vcf.gz.tbi"),
        metadata=release(f"mini-node/{ID}.Total.yaml"),
        written=work("release/mini-node.json"),
        seal=work("seals/release_mini_node.json"),
    log:
        work("logs/release_mini_node.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("release", "release"),
    script:
        "../../scripts/release_mini_node.py"


rule release_callable_an:
    input:
        blocks=lambda wc: expand(work("callable_an/{region}.parquet"), region=regions_of(wc.contig)),
        seals=lambda wc: expand(work("seals/frequencies_callable_an/{region}.json"), region=regions_of(wc.contig)),
    output:
        table=release("callable_an/{contig}.parquet"),
        body=work("release/{contig}.callable_an.bed.gz"),
        lookup=work("release/{contig}.callable"),
        seal=work("seals/release_callable_an/{contig}.json"),
    log:
        work("logs/release_callable_an/{contig}.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("release", "callable_an"),
        dataset=ID,
        disclosure=plain(CFG.disclosure),
        build=BUILD_PARAMS,
    script:
        "../../scripts/release_callable_an.py"


rule release_callable_bed:
    input:
        bodies=expand(work("release/{contig}.callable_an.bed.gz"), contig=BUILD.contigs),
        tables=expand(release("callable_an/{contig}.parquet"), contig=BUILD.contigs),
        seals=expand(work("seals/release_callable_an/{contig}.json"), contig=BUILD.contigs),
    output:
        bed=release(f"callable_an/{ID}.callable_an.bed.gz"),
        index=release(f"callable_an/{ID}.callable_an.bed.gz.tbi"),
        seal=work("seals/release_callable_bed.json"),
    log:
        work("logs/release_callable_bed.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("release", "release"),
    script:
        "../../scripts/release_callable_bed.py"


if COVERED:

    # The same of those whose reads tell where they could be called, in files of its own: an estimate.
    rule release_coverage_proxy:
        input:
            blocks=lambda wc: expand(work("coverage_proxy/{region}.parquet"), region=regions_of(wc.contig)),
            seals=lambda wc: expand(
                work("seals/frequencies_coverage_proxy/{region}.json"), region=regions_of(wc.contig)
            ),
        output:
            table=release("coverage_proxy/{contig}.parquet"),
            body=work("release/{contig}.coverage_proxy.bed.gz"),
            seal=work("seals/release_coverage_proxy/{contig}.json"),
        log:
            work("logs/release_coverage_proxy/{contig}.log"),
        conda:
            "../../envs/goe.yaml"
        params:
            **made("release", "coverage_proxy"),
            dataset=ID,
            disclosure=plain(CFG.disclosure),
            build=BUILD_PARAMS,
            coverage=CFG.coverage_rule,
        script:
            "../../scripts/release_callable_an.py"

    rule release_coverage_bed:
        input:
            bodies=expand(work("release/{contig}.coverage_proxy.bed.gz"), contig=BUILD.contigs),
            tables=expand(release("coverage_proxy/{contig}.parquet"), contig=BUILD.contigs),
            seals=expand(work("seals/release_coverage_proxy/{contig}.json"), contig=BUILD.contigs),
        output:
            bed=release(f"coverage_proxy/{ID}.coverage_proxy.bed.gz"),
            index=release(f"coverage_proxy/{ID}.coverage_proxy.bed.gz.tbi"),
            seal=work("seals/release_coverage_bed.json"),
        log:
            work("logs/release_coverage_bed.log"),
        conda:
            "../../envs/goe.yaml"
        params:
            **made("release", "release"),
            coverage=True,
        script:
            "../../scripts/release_callable_bed.py"


# Personal data: with its key it tells a later run who was counted here.
rule release_people_record:
    input:
        keep=work("sample_qc/keep.tsv"),
        seals=work("seals/sample_qc_keep.json"),
    output:
        record=work("release/people.tsv"),
        key=work("release/people.key"),
        seal=work("seals/release_people_record.json"),
    log:
        work("logs/release_people_record.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("release", "keep"),
    script:
        "../../scripts/release_people_record.py"


# Personal data as well: with its key it tells an auditor whether data files and sheets are those of this release.
rule release_inputs_record:
    input:
        digests=INPUT_DIGESTS,
        people=CFG.samples,
        seals=INPUT_SEALS,
    output:
        record=work("release/inputs.tsv"),
        key=work("release/inputs.key"),
        seal=work("seals/release_inputs_record.json"),
    log:
        work("logs/release_inputs_record.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        stage="release",
        stamp=lambda wc: STAMPS.release,
        trusts=trusts_of_digests,
        strata=plain(CFG.strata),
    script:
        "../../scripts/release_inputs_record.py"


rule release_compare:
    input:
        tables=expand(release("frequencies/{contig}.parquet"), contig=BUILD.contigs),
        callable_an=expand(release("callable_an/{contig}.parquet"), contig=BUILD.contigs),
        keep=work("sample_qc/keep.tsv"),
        seals=[
            *expand(
                work("seals/{rule}/{contig}.json"),
                rule=["release_contig", "release_callable_an"],
                contig=BUILD.contigs,
            ),
            work("seals/sample_qc_keep.json"),
        ],
    output:
        compare=work("release/compare.json"),
        seal=work("seals/release_compare.json"),
    log:
        work("logs/release_compare.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("release", "release", "keep"),
        disclosure=plain(CFG.disclosure),
        build=BUILD_PARAMS,
        previous=CFG.previous_release,
        people=CFG.previous_people,
    script:
        "../../scripts/release_compare.py"


rule release_summary:
    input:
        summaries=expand(work("release/{contig}.json"), contig=BUILD.contigs),
        membership=expand(work("release/{contig}.membership.parquet"), contig=BUILD.contigs),
        keep=work("sample_qc/keep.tsv"),
        keep_ledger=work("sample_qc/keep.ledger.json"),
        metrics=work("sample_qc/metrics.tsv"),
        people=work("intake/people.tsv"),
        variants=work("sample_qc/variants.jsonl"),
        harmonise=work("harmonise/ledger.json"),
        frequencies=expand(work("frequencies/{region}.ledger.json"), region=REGIONS),
        variant_qc=expand(work("variant_qc/{region}.ledger.json"), region=REGIONS),
        fields=FIELDS,
        guidelines=[*GUIDELINE_FILES, *OWN_GUIDELINES],
        own_guidelines=OWN_GUIDELINES,
        panel=CONTAMINATION_PANEL,
        regions=list(CFG.annotations.regions.given.values()),
        compare=[work("release/compare.json")] if CFG.previous_release else [],
        coverage=COVERAGE_RUNS,
        workflow=WORKFLOW_FILES,
        seals=SUMMARY_SEALS,
    output:
        readme=report(
            release("README.md"),
            caption="../report/release_readme.rst",
            category="Release",
            labels={"what": "README of the release"},
        ),
        license=release("LICENSE"),
        changelog=release("CHANGELOG.md"),
        dataset=release("metadata/dataset.json"),
        qc=release("qc/summary.json"),
        disclosure=release("disclosure/disclosure.json"),
        dictionary=release("dictionary/fields.tsv"),
        populations=release("beacon/populations.json"),
        beacon_datasets=release("beacon/datasets.json"),
        beacon_conf=release("beacon/datasets_conf.yml"),
        beacon_permissions=release("beacon/datasets_permissions.yml"),
        ledger=release("ledger.json"),
        config=release("provenance/config.json"),
        code=release(code_digest.RELEASED),
        workflow=[release(f"provenance/{path}") for path in WORKFLOW_NAMES],
        exact=work("release/ledger.json"),
        about=work("release/about.json"),
        seal=work("seals/release_summary.json"),
    log:
        work("logs/release_summary.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("release") | {"trusts": trusts_of_summary},
        cfg=PUBLIC_CFG,
        build=BUILD.name,
        par=BUILD.par,
        # The release says which code made it: another code writes that again.
        code=lambda wc: code_digest.digest(SCRIPTS.parent),
        formats=FORMATS,
        regions=CFG.annotations.regions.given,
    script:
        "../../scripts/release_summary.py"


rule release_gdi:
    input:
        parts=expand(work("release/gdi/{contig}"), contig=BUILD.contigs),
        vcf=release(f"sites/{ID}.pass.vcf.gz"),
        about=work("release/about.json"),
        recipients=CFG.formats.gdi.recipients,
        seals=[
            *expand(work("seals/release_contig/{contig}.json"), contig=BUILD.contigs),
            work("seals/release_vcf/sites.pass.json"),
            work("seals/release_summary.json"),
        ],
    output:
        **({"encrypted": release(f"gdi/{ID}.tar.c4gh")} if CFG.formats.gdi.recipients else {}),
        tar=release(f"gdi/{ID}.tar"),
        seal=work("seals/release_gdi.json"),
    log:
        work("logs/release_gdi.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("release", "release"),
        cfg=PUBLIC_CFG,
        folder=work(f"release/gdi_package/{ID}"),
        recipients=CFG.formats.gdi.recipients,
        past_version=PAST_VERSION,
    script:
        "../../scripts/release_gdi.py"


# The data files, by what stands in them: what follows is written only when every check passes.
rule release_check:
    input:
        DATA_FILES,
        NOTE_FILES,
        seals=RELEASE_SEALS,
    output:
        checks=work("release/checks.json"),
        seal=work("seals/release_check.json"),
    log:
        work("logs/release_check.log"),
    conda:
        "../../envs/check.yaml"
    threads: 2
    params:
        **made("release", "release"),
        folder=lambda wc: release(""),
    script:
        "../../scripts/release_check.py"


rule release_report:
    input:
        DATA_FILES,
        NOTE_FILES,
        summaries=expand(work("release/{contig}.json"), contig=BUILD.contigs),
        lookups=expand(work("release/{contig}.lookup"), contig=BUILD.contigs),
        callable=expand(work("release/{contig}.callable"), contig=BUILD.contigs),
        rs_numbers=expand(work("release/{contig}.rs_numbers"), contig=BUILD.contigs),
        checks=work("release/checks.json"),
        beside=[work("release/mini-node.json")],
        resources=REPORT_RESOURCES,
        seals=[*RELEASE_SEALS, work("seals/release_check.json")],
    output:
        page=report(
            release("report.html"),
            caption="../report/release_page.rst",
            category="Release",
            labels={"what": "The release on one page"},
        ),
        written=work("release/report.json"),
        seal=work("seals/release_report.json"),
    log:
        work("logs/release_report.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("release", "release"),
        files=[Path(path).relative_to(release("")).as_posix() for path in DATA_FILES + NOTE_FILES],
        later=METADATA_NAMES,
    script:
        "../../scripts/release_report.py"


rule release_metadata:
    input:
        DATA_FILES,
        NOTE_FILES,
        page=release("report.html"),
        beside=WRITTEN,
        about=work("release/about.json"),
        summaries=expand(work("release/{contig}.json"), contig=BUILD.contigs),
        versions=expand(work("provenance/{environment}.json"), environment=VERSIONS),
        seals=[
            *RELEASE_SEALS,
            work("seals/release_report.json"),
            *expand(work("seals/provenance_{environment}.json"), environment=VERSIONS),
        ],
    output:
        metadata=[release(name) for name in METADATA_NAMES],
        seal=work("seals/release_metadata.json"),
    log:
        work("logs/release_metadata.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("release", "release", "versions"),
        cfg=PUBLIC_CFG,
        files=[Path(path).relative_to(release("")).as_posix() for path in DATA_FILES + NOTE_FILES],
        snakemake=SNAKEMAKE_VERSION,
        code=lambda wc: code_digest.digest(SCRIPTS.parent),
    script:
        "../../scripts/release_metadata.py"


# Nothing else writes the manifest, and it is written last: without it, or when it does not match, a release is not whole.
rule release_manifest:
    input:
        RELEASE_FILES,
        work("release/people.tsv"),
        people=work("intake/people.tsv"),
        beside=WRITTEN,
        seals=[
            *RELEASE_SEALS,
            *(work(f"seals/release_{action}.json") for action in ("people_record", "check", "report", "metadata")),
            work("seals/intake_people.json"),
        ],
    output:
        manifest=release("MANIFEST.sha256"),
        seal=work("seals/release_manifest.json"),
    log:
        work("logs/release_manifest.log"),
    conda:
        "../../envs/check.yaml"
    params:
        **made("release", "release", "keep"),
        files=[Path(path).relative_to(release("")).as_posix() for path in RELEASE_FILES],
    script:
        "../../scripts/release_manifest.py"


if CFG.restricted:

    rule release_restricted_contig:
        input:
            tables=lambda wc: expand(work("variant_qc/{region}.parquet"), region=regions_of(wc.contig)),
            fasta=CFG.reference.fasta,
            fields=FIELDS,
            seals=lambda wc: expand(work("seals/variant_qc_filter/{region}.json"), region=regions_of(wc.contig)),
        output:
            table=work("restricted/{contig}.parquet"),
            every=work("restricted/{contig}.all.vcf.gz"),
            passed=work("restricted/{contig}.pass.vcf.gz"),
            summary=work("restricted/{contig}.json"),
            seal=work("seals/release_restricted_contig/{contig}.json"),
        log:
            work("logs/release_restricted_contig/{contig}.log"),
        conda:
            "../../envs/goe.yaml"
        params:
            **made("release", "filters"),
            dataset=ID,
            build=BUILD.name,
            legal_basis=CFG.restricted.legal_basis,
        script:
            "../../scripts/release_restricted_contig.py"

    rule release_restricted_callable_an:
        input:
            blocks=lambda wc: expand(work("restricted/blocks/{region}.parquet"), region=regions_of(wc.contig)),
            seals=lambda wc: expand(
                work("seals/frequencies_exact_callable_an/{region}.json"), region=regions_of(wc.contig)
            ),
        output:
            table=work("restricted/callable_an/{contig}.parquet"),
            seal=work("seals/release_restricted_callable_an/{contig}.json"),
        log:
            work("logs/release_restricted_callable_an/{contig}.log"),
        conda:
            "../../envs/goe.yaml"
        params:
            **made("release", "callable_an"),
            dataset=ID,
            disclosure={"open": True, "legal_basis": CFG.restricted.legal_basis},
            build=BUILD_PARAMS,
        script:
            "../../scripts/release_callable_an.py"

    rule release_restricted:
        input:
            callable_an=expand(work("restricted/callable_an/{contig}.parquet"), contig=BUILD.contigs),
            tables=expand(work("restricted/{contig}.parquet"), contig=BUILD.contigs),
            every=expand(work("restricted/{contig}.all.vcf.gz"), contig=BUILD.contigs),
            passed=expand(work("restricted/{contig}.pass.vcf.gz"), contig=BUILD.contigs),
            summaries=expand(work("restricted/{contig}.json"), contig=BUILD.contigs),
            fields=FIELDS,
            dictionary=release("dictionary/fields.tsv"),
            recipients=CFG.restricted.recipients,
            # Only beside a release that passed its checks.
            manifest=release("MANIFEST.sha256"),
            seals=[
                *expand(work("seals/release_restricted_contig/{contig}.json"), contig=BUILD.contigs),
                *expand(work("seals/release_restricted_callable_an/{contig}.json"), contig=BUILD.contigs),
                work("seals/release_summary.json"),
                work("seals/release_manifest.json"),
            ],
        output:
            package=str(OUTDIR / "restricted" / f"{ID}.restricted.tar.c4gh"),
            content=work("restricted/content.json"),
        log:
            work("logs/release_restricted.log"),
        conda:
            "../../envs/goe.yaml"
        params:
            trusts=lambda wc: {"release": STAMPS.release},
            cfg=PUBLIC_CFG,
            build=BUILD.name,
            par=BUILD.par,
            contigs=list(BUILD.contigs),
            legal_basis=CFG.restricted.legal_basis,
            recipients=CFG.restricted.recipients,
            folder=work("restricted"),
        script:
            "../../scripts/release_restricted.py"
