from snakemake.utils import min_version

min_version("9.27")


include: "workflow/rules/config_files.smk"


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


# A coordinator's configuration (collect.yaml) names datasets, that of a country names people.
if "datasets" in config:

    include: "workflow/rules/collect_common.smk"
    include: "workflow/rules/collect.smk"

    rule collect:
        default_target: True
        input:
            whole_collection,

    onstart:
        rounds.one_timer(workflow.scheduler)

else:

    include: "workflow/rules/common.smk"
    include: "workflow/rules/intake.smk"
    include: "workflow/rules/align.smk"
    include: "workflow/rules/call.smk"
    include: "workflow/rules/joint.smk"
    include: "workflow/rules/harmonise.smk"
    include: "workflow/rules/sample_qc.smk"
    include: "workflow/rules/frequencies.smk"
    include: "workflow/rules/coverage.smk"
    include: "workflow/rules/variant_qc.smk"
    include: "workflow/rules/provenance.smk"
    include: "workflow/rules/release.smk"
    include: "workflow/rules/audit.smk"
    include: "workflow/rules/waves.smk"

    onstart:
        planning.end()
        look_at_inputs()
        keep_what_is_to_do()
        rounds.one_timer(workflow.scheduler)

    onsuccess:
        say_what_was_made()
        say_how_it_went(True)

    onerror:
        say_how_it_went(False)

    # Every kept file of every job is asked for. One that failed has lost its files, and Snakemake makes a file that is
    # missing in the middle of a run again only when it is asked for. By functions, which no job calls: each job of a
    # cluster reads this file, and a list takes it seconds where there are tens of thousands of people.
    rule release:
        default_target: True
        input:
            lambda wc: KEPT,
            release("MANIFEST.sha256"),
            work("sample_qc/cohort.html"),
            work("sample_qc/multiqc.html"),
            RESTRICTED,

    rule harmonised:
        input:
            lambda wc: KEPT_GENOTYPES,
            expand(work("harmonised/{region}.bcf"), region=REGIONS),

    rule qc:
        input:
            lambda wc: KEPT_GENOTYPES,
            lambda wc: KEPT_SAMPLE_QC,
            work("sample_qc/keep.tsv"),
            work("sample_qc/cohort.html"),
            work("sample_qc/multiqc.html"),

    rule frequencies:
        input:
            lambda wc: KEPT_GENOTYPES,
            lambda wc: KEPT_SAMPLE_QC,
            expand(work("frequencies/{region}.parquet"), region=REGIONS),
