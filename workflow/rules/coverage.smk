# People of joint and single-sample VCFs who also have reads, which tell how deep they lie and nothing else: for the
# release's coverage_proxy/ alone (callable_an.coverage_proxy).
COVERAGE_BATCHES = batches.make(COVERED, CFG.scatter.people_per_batch)
COVERAGE_DEPTHS = [CFG.coverage_rule["min_dp"], CFG.coverage_rule["min_dp_haploid"]]
COVERAGE_RUNS = expand(work("coverage/{batch}.runs.parquet"), batch=COVERAGE_BATCHES)
COVERAGE_SEALS = expand(work("seals/coverage_batch/{batch}.json"), batch=COVERAGE_BATCHES)


if COVERED:

    rule coverage_person:
        input:
            fasta=CFG.reference.fasta,
        output:
            bed=work("coverage/{sample}.bed.gz"),
            index=work("coverage/{sample}.bed.gz.csi"),
            seal=work("seals/coverage_person/{sample}.json"),
        log:
            work("logs/coverage_person/{sample}.log"),
        conda:
            "../../envs/align.yaml"
        threads: 4
        params:
            **made_of("coverage"),
            reads=lambda wc: COVERED[wc.sample].path,
            depths=sorted({*COVERAGE_DEPTHS}),
            min_mapq=CFG.coverage_rule["min_mapq"],
        script:
            "../../scripts/coverage_person.py"

    rule coverage_batch:
        input:
            beds=lambda wc: expand(work("coverage/{sample}.bed.gz"), sample=COVERAGE_BATCHES[wc.batch]),
            indexes=lambda wc: expand(work("coverage/{sample}.bed.gz.csi"), sample=COVERAGE_BATCHES[wc.batch]),
            seals=lambda wc: expand(work("seals/coverage_person/{sample}.json"), sample=COVERAGE_BATCHES[wc.batch]),
        output:
            runs=work("coverage/{batch}.runs.parquet"),
            seal=work("seals/coverage_batch/{batch}.json"),
        log:
            work("logs/coverage_batch/{batch}.log"),
        conda:
            "../../envs/goe.yaml"
        params:
            stage=lambda wc: "covered",
            stamp=lambda wc: STAMPS.covered(COVERAGE_BATCHES[wc.batch]),
            trusts=lambda wc: {"coverage": [STAMPS.coverage(sample) for sample in COVERAGE_BATCHES[wc.batch]]},
            people=lambda wc: [(sample, PEOPLE[sample].sex) for sample in COVERAGE_BATCHES[wc.batch]],
            depths=COVERAGE_DEPTHS,
            rename=CFG.reference.rename,
            build=BUILD_PARAMS,
        script:
            "../../scripts/coverage_batch.py"

    # The same as callable AN, of these people.
    rule frequencies_coverage_proxy:
        input:
            keep=work("sample_qc/keep.tsv"),
            people=work("intake/people.tsv"),
            runs=COVERAGE_RUNS,
            seals=[work(f"seals/{job}.json") for job in ("sample_qc_keep", "intake_people")],
        output:
            blocks=work("coverage_proxy/{region}.parquet"),
            seal=work("seals/frequencies_coverage_proxy/{region}.json"),
        log:
            work("logs/frequencies_coverage_proxy/{region}.log"),
        conda:
            "../../envs/goe.yaml"
        params:
            **made("coverage_proxy") | {"trusts": trusts_of_coverage},
            seals=COVERAGE_SEALS,
            in_parts=["runs"],
            coverage=True,
            build=BUILD_PARAMS,
            region=lambda wc: list(REGIONS[wc.region]),
            disclosure=plain(CFG.disclosure),
        script:
            "../../scripts/frequencies_callable_an.py"

    KEPT += [
        *expand(work("seals/coverage_person/{sample}.json"), sample=COVERED),
        *COVERAGE_SEALS,
        *expand(work("seals/frequencies_coverage_proxy/{region}.json"), region=REGIONS),
    ]
