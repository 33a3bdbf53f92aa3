AUTOSOME_REGIONS = [name for name, region in REGIONS.items() if build.contig_class(region.contig) == "autosome"]
AUTOSOME_LENGTH = sum(n for contig, n in BUILD.contigs.items() if build.contig_class(contig) == "autosome")
COHORT_RESOURCES = [*resources_of("pages", "cohort"), str(SCRIPTS.parent / "resources" / "report" / "page.css")]
MULTIQC_CONFIG = str(SCRIPTS.parent / "resources" / "multiqc" / "multiqc_config.yaml")


rule sample_qc_reference:
    input:
        fasta=CFG.reference.fasta,
    output:
        bases=work("sample_qc/reference.tsv"),
        autosomes=work("sample_qc/autosomes.bed"),
        seal=work("seals/sample_qc_reference.json"),
    log:
        work("logs/sample_qc_reference.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("bases"),
        build=BUILD_PARAMS,
    script:
        "../../scripts/sample_qc_reference.py"


rule sample_qc_batch:
    input:
        reference=work("sample_qc/reference.tsv"),
        reports=lambda wc: reports_of(READ_BATCHES[wc.batch]),
        freemix=lambda wc: (
            expand(work("align/contamination/{sample}.selfSM"), sample=READ_BATCHES[wc.batch])
            if CFG.sample_qc.contamination_panel
            else []
        ),
    output:
        metrics=work("sample_qc/batch/{batch}.jsonl"),
        files=work("sample_qc/batch/{batch}.files.txt"),
        seal=work("seals/sample_qc_batch/{batch}.json"),
    log:
        work("logs/sample_qc_batch/{batch}.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("metrics") | {"trusts": lambda wc: {"bases": STAMPS.bases, **trusts_of_reports(READ_BATCHES[wc.batch])}},
        build=BUILD_PARAMS,
        people=lambda wc: READ_BATCHES[wc.batch],
        seals=lambda wc: [work("seals/sample_qc_reference.json"), *report_seals_of(READ_BATCHES[wc.batch])],
    script:
        "../../scripts/sample_qc_batch.py"


rule sample_qc_region:
    input:
        unpack(genotypes_of_region),
        files=lambda wc: [JOINT[i].path for i in joint_of(wc.region)],
        counted=lambda wc: [JOINT_COUNTS[i] for i in joint_of(wc.region)],
        people=work("intake/sources.tsv"),
        guidelines=GUIDELINE_FILES,
        further_seals=lambda wc: [work("seals/intake_lint.json"), *(JOINT_SEALS[i] for i in joint_of(wc.region))],
    output:
        counts=work("sample_qc/region/{region}.parquet"),
        common=work("sample_qc/region/{region}.common.parquet"),
        seal=work("seals/sample_qc_region/{region}.json"),
    log:
        work("logs/sample_qc_region/{region}.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("metrics") | {"trusts": trusts_of_genotypes},
        **gathered(*OWN_TABLES),
        build=BUILD_PARAMS,
        region=lambda wc: list(REGIONS[wc.region]),
        rename=CFG.reference.rename,
        thresholds=CFG.sample_qc.thresholds,
        accept_filters=CFG.variant_qc.accept_filters,
        autosome_length=AUTOSOME_LENGTH,
    script:
        "../../scripts/sample_qc_region.py"


rule sample_qc_variants:
    input:
        people=lambda wc: [
            *joint_parts("harmonise/joint/{}/{}.people.parquet"),
            *expand(work("harmonise/batch/{batch}.people.parquet"), batch=BATCHES),
        ],
        counts=expand(work("sample_qc/region/{region}.parquet"), region=AUTOSOME_REGIONS),
        seals=lambda wc: [
            *joint_parts("seals/harmonise_split/{}/{}.json"),
            *expand(work("seals/harmonise_batch/{batch}.json"), batch=BATCHES),
            *expand(work("seals/sample_qc_region/{region}.json"), region=AUTOSOME_REGIONS),
        ],
    output:
        variants=work("sample_qc/variants.jsonl"),
        seal=work("seals/sample_qc_variants.json"),
    log:
        work("logs/sample_qc_variants.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("metrics") | {"trusts": lambda wc: {**trusts_of_genotypes(wc), "metrics": STAMPS.metrics}},
    script:
        "../../scripts/sample_qc_variants.py"


rule sample_qc_snvs:
    input:
        common=expand(work("sample_qc/region/{region}.common.parquet"), region=AUTOSOME_REGIONS),
        guidelines=GUIDELINE_FILES,
        seals=expand(work("seals/sample_qc_region/{region}.json"), region=AUTOSOME_REGIONS),
    output:
        bed=work("sample_qc/snvs.bed"),
        bim=work("sample_qc/snvs.bim"),
        fam=work("sample_qc/snvs.fam"),
        about=work("sample_qc/snvs.json"),
        seal=work("seals/sample_qc_snvs.json"),
    log:
        work("logs/sample_qc_snvs.log"),
    conda:
        "../../envs/plink2.yaml"
    threads: 2
    params:
        **made("metrics", "metrics"),
        thresholds=CFG.sample_qc.thresholds,
    script:
        "../../scripts/sample_qc_snvs.py"


rule sample_qc_kinship:
    input:
        bed=work("sample_qc/snvs.bed"),
        bim=work("sample_qc/snvs.bim"),
        fam=work("sample_qc/snvs.fam"),
        about=work("sample_qc/snvs.json"),
        guidelines=GUIDELINE_FILES,
        seals=work("seals/sample_qc_snvs.json"),
    output:
        pairs=work("sample_qc/kinship.tsv"),
        statement=work("sample_qc/kinship.json"),
        seal=work("seals/sample_qc_kinship.json"),
    log:
        work("logs/sample_qc_kinship.log"),
    conda:
        "../../envs/plink2.yaml"
    threads: 2
    params:
        **made("metrics", "metrics"),
        thresholds=CFG.sample_qc.thresholds,
        autosomes=len(AUTOSOME_REGIONS),
    script:
        "../../scripts/sample_qc_kinship.py"


rule sample_qc_ancestry:
    input:
        bed=work("sample_qc/snvs.bed"),
        bim=work("sample_qc/snvs.bim"),
        fam=work("sample_qc/snvs.fam"),
        about=work("sample_qc/snvs.json"),
        pairs=work("sample_qc/kinship.tsv"),
        people=work("intake/people.tsv"),
        guidelines=GUIDELINE_FILES,
        seals=expand(work("seals/{rule}.json"), rule=["sample_qc_snvs", "sample_qc_kinship", "intake_people"]),
    output:
        people=work("sample_qc/ancestry.tsv"),
        statement=work("sample_qc/ancestry.json"),
        seal=work("seals/sample_qc_ancestry.json"),
    log:
        work("logs/sample_qc_ancestry.log"),
    conda:
        "../../envs/plink2.yaml"
    params:
        **made("keep", "keep", "metrics"),
        thresholds=CFG.sample_qc.thresholds,
    script:
        "../../scripts/sample_qc_ancestry.py"


rule sample_qc_keep:
    input:
        people=work("intake/people.tsv"),
        reference=work("sample_qc/reference.tsv"),
        batches=expand(work("sample_qc/batch/{batch}.jsonl"), batch=READ_BATCHES),
        variants=work("sample_qc/variants.jsonl"),
        pairs=work("sample_qc/kinship.tsv"),
        statement=work("sample_qc/kinship.json"),
        ancestry=work("sample_qc/ancestry.tsv"),
        ancestry_statement=work("sample_qc/ancestry.json"),
        guidelines=[*GUIDELINE_FILES, *OWN_GUIDELINES],
        seals=[
            *expand(
                work("seals/{rule}.json"),
                rule=[
                    "intake_people",
                    "sample_qc_reference",
                    "sample_qc_variants",
                    "sample_qc_kinship",
                    "sample_qc_ancestry",
                ],
            ),
            *expand(work("seals/sample_qc_batch/{batch}.json"), batch=READ_BATCHES),
        ],
    output:
        keep=report(
            work("sample_qc/keep.tsv"),
            caption="../report/sample_qc_keep.rst",
            category="Sample QC",
            labels={"what": "Keep list, a person a row"},
        ),
        metrics=report(
            work("sample_qc/metrics.tsv"),
            caption="../report/sample_qc_metrics.rst",
            category="Sample QC",
            labels={"what": "Metrics, a person a row"},
        ),
        ga4gh=directory(work("sample_qc/ga4gh")),
        ledger=work("sample_qc/keep.ledger.json"),
        summary=work("sample_qc/summary.json"),
        seal=work("seals/sample_qc_keep.json"),
    log:
        work("logs/sample_qc_keep.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("keep", "keep", "metrics", "bases"),
        thresholds=CFG.sample_qc.thresholds,
        exclude=CFG.sample_qc.exclude,
    script:
        "../../scripts/sample_qc_keep.py"


rule sample_qc_plots:
    input:
        metrics=work("sample_qc/metrics.tsv"),
        keep=work("sample_qc/keep.tsv"),
        ancestry=work("sample_qc/ancestry.tsv"),
        guidelines=GUIDELINE_FILES,
        seals=expand(work("seals/{rule}.json"), rule=["sample_qc_keep", "sample_qc_ancestry"]),
    output:
        coverage=report(
            work("sample_qc/plots/coverage.svg"),
            caption="../report/sample_qc_coverage.rst",
            category="Sample QC",
            labels={"what": "Coverage by country"},
        ),
        het_hom=report(
            work("sample_qc/plots/het_hom.svg"),
            caption="../report/sample_qc_het_hom.rst",
            category="Sample QC",
            labels={"what": "Heterozygosity by country"},
        ),
        pca=report(
            work("sample_qc/plots/pca.svg"),
            caption="../report/sample_qc_pca.rst",
            category="Sample QC",
            labels={"what": "Principal components"},
        ),
        sex=report(
            work("sample_qc/plots/sex.svg"),
            caption="../report/sample_qc_sex.rst",
            category="Sample QC",
            labels={"what": "Sex chromosomes"},
        ),
        call_rate=report(
            work("sample_qc/plots/call_rate.svg"),
            caption="../report/sample_qc_call_rate.rst",
            category="Sample QC",
            labels={"what": "Call rate and depth"},
        ),
        pictures=expand(work("sample_qc/plots/{plot}_mqc.png"), plot=["coverage", "het_hom", "pca", "sex", "call_rate"]),
        seal=work("seals/sample_qc_plots.json"),
    log:
        work("logs/sample_qc_plots.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("pages", "keep", "metrics"),
        thresholds=CFG.sample_qc.thresholds,
    script:
        "../../scripts/sample_qc_plots.py"


# Personal data: readable for its owner alone, and never in a release.
rule sample_qc_cohort:
    input:
        keep=work("sample_qc/keep.tsv"),
        metrics=work("sample_qc/metrics.tsv"),
        summary=work("sample_qc/summary.json"),
        pairs=work("sample_qc/kinship.tsv"),
        ancestry=work("sample_qc/ancestry.tsv"),
        ancestry_statement=work("sample_qc/ancestry.json"),
        guidelines=GUIDELINE_FILES,
        resources=COHORT_RESOURCES,
        seals=expand(work("seals/{rule}.json"), rule=["sample_qc_keep", "sample_qc_kinship", "sample_qc_ancestry"]),
    output:
        report(
            work("sample_qc/cohort.html"),
            caption="../report/sample_qc_cohort.rst",
            category="Sample QC",
            labels={"what": "The cohort on one page"},
        ),
    log:
        work("logs/sample_qc_cohort.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("pages", "keep", "metrics"),
        id=CFG.dataset.id,
        title=CFG.dataset.title,
        thresholds=CFG.sample_qc.thresholds,
    script:
        "../../scripts/sample_qc_cohort.py"


rule sample_qc_multiqc_tables:
    input:
        metrics=work("sample_qc/metrics.tsv"),
        keep=work("sample_qc/keep.tsv"),
        summary=work("sample_qc/summary.json"),
        pictures=rules.sample_qc_plots.output.pictures,
        files=expand(work("sample_qc/batch/{batch}.files.txt"), batch=READ_BATCHES),
        seals=[
            *expand(work("seals/{rule}.json"), rule=["sample_qc_keep", "sample_qc_plots"]),
            *expand(work("seals/sample_qc_batch/{batch}.json"), batch=READ_BATCHES),
        ],
    output:
        folder=directory(work("sample_qc/multiqc")),
        seal=work("seals/sample_qc_multiqc_tables.json"),
    log:
        work("logs/sample_qc_multiqc_tables.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("pages", "pages", "keep", "metrics"),
        title=CFG.dataset.title,
    script:
        "../../scripts/sample_qc_multiqc_tables.py"


rule sample_qc_multiqc:
    input:
        tables=work("sample_qc/multiqc"),
        config=MULTIQC_CONFIG,
        seals=work("seals/sample_qc_multiqc_tables.json"),
    output:
        report(
            work("sample_qc/multiqc.html"),
            caption="../report/sample_qc_multiqc.rst",
            category="Sample QC",
            labels={"what": "MultiQC report"},
        ),
    log:
        work("logs/sample_qc_multiqc.log"),
    conda:
        "../../envs/multiqc.yaml"
    params:
        # Of everybody with reads, for whom the jobs of batches have waited.
        reports=lambda wc: reports_of(READ_BORN),
        seals=lambda wc: report_seals_of(READ_BORN),
        beside=["reports"],
        trusts=lambda wc: {"pages": STAMPS.pages, **trusts_of_reports(READ_BORN)},
    script:
        "../../scripts/sample_qc_multiqc.py"


KEPT_SAMPLE_QC = [
    *expand(work("seals/sample_qc_batch/{batch}.json"), batch=READ_BATCHES),
    *expand(work("seals/sample_qc_region/{region}.json"), region=AUTOSOME_REGIONS),
    *expand(
        work("seals/sample_qc_{action}.json"),
        action=["reference", "variants", "snvs", "kinship", "ancestry", "keep", "plots", "multiqc_tables"],
    ),
]
KEPT += KEPT_SAMPLE_QC
