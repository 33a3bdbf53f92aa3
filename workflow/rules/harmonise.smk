# People of a joint VCF are counted where its records start; where there are other files, each tells that to them.
SEVERAL_SOURCES = len(JOINT) + len(BATCHES) > 1
OWN_TABLES = ["sites", "rows", "runs"]


# Each person by itself: what it counts as depends on nobody else, and on no region.
rule harmonise_people:
    input:
        called=called_of,
        fasta=CFG.reference.fasta,
    output:
        tables=directory(work("harmonise/people/{people}")),
        seal=work("seals/harmonise_people/{people}.json"),
    log:
        work("logs/harmonise_people/{people}.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        stage="own",
        stamp=lambda wc: STAMPS.own_of(JOBS[wc.people]),
        trusts=lambda wc: {"calls": [STAMPS.calls(sample) for sample in JOBS[wc.people] if sample in READ_BORN]},
        seals=seals_of_calls,
        people=told_of,
        build=BUILD_PARAMS,
        filter=GENOTYPE_FILTER,
        keep_absent=CFG.genotype_filter.on_absent_fields == "keep",
        respect_ft=CFG.genotype_filter.respect_ft,
        raw=CFG.frequencies.raw,
        rename=CFG.reference.rename,
    script:
        "../../scripts/harmonise_people.py"


# A region opens a file a batch, not one a person.
rule harmonise_batch:
    input:
        tables=lambda wc: expand(work("harmonise/people/{people}"), people=JOBS_OF[wc.batch]),
        seals=lambda wc: expand(work("seals/harmonise_people/{people}.json"), people=JOBS_OF[wc.batch]),
    output:
        sites=work("harmonise/batch/{batch}.sites.parquet"),
        rows=work("harmonise/batch/{batch}.rows.parquet"),
        runs=work("harmonise/batch/{batch}.runs.parquet"),
        people=work("harmonise/batch/{batch}.people.parquet"),
        ledger=work("harmonise/batch/{batch}.ledger.json"),
        seal=work("seals/harmonise_batch/{batch}.json"),
    log:
        work("logs/harmonise_batch/{batch}.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        stage="gathered",
        stamp=lambda wc: STAMPS.gathered(BATCHES[wc.batch]),
        trusts=lambda wc: {"own": [STAMPS.own_of(JOBS[people]) for people in JOBS_OF[wc.batch]]},
        people=lambda wc: [JOBS[people] for people in JOBS_OF[wc.batch]],
        build=BUILD_PARAMS,
    script:
        "../../scripts/harmonise_batch.py"


rule harmonise_split:
    input:
        file=lambda wc: JOINT[int(wc.number)].path,
        counts=work("joint/file/{number}.json"),
        people=work("intake/sources.tsv"),
        fasta=CFG.reference.fasta,
        seals=[work("seals/joint_file/{number}.json"), work("seals/intake_lint.json")],
    output:
        snvs=temp(work("harmonise/split/{number}/{region}.snvs.bcf")),
        moved=temp(work("harmonise/split/{number}/{region}.moved.bcf")),
        people=work("harmonise/joint/{number}/{region}.people.parquet"),
        ledger=work("harmonise/split/{number}/{region}.ledger.json"),
        seal=work("seals/harmonise_split/{number}/{region}.json"),
    log:
        work("logs/harmonise_split/{number}/{region}.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        stage="genotypes",
        stamp=lambda wc: STAMPS.genotypes,
        trusts=lambda wc: {"genotypes": STAMPS.genotypes, "scanned": STAMPS.scanned(int(wc.number))},
        build=BUILD_PARAMS,
        region=lambda wc: list(REGIONS[wc.region]),
        filter=GENOTYPE_FILTER,
        respect_ft=CFG.genotype_filter.respect_ft,
        raw=CFG.frequencies.raw,
        rename=CFG.reference.rename,
        starts=SEVERAL_SOURCES,
    script:
        "../../scripts/harmonise_split.py"


rule harmonise_merge:
    input:
        snvs=work("harmonise/split/{number}/{region}.snvs.bcf"),
        moved=lambda wc: [work(f"harmonise/split/{wc.number}/{region}.moved.bcf") for region in neighbours(wc)],
        seals=lambda wc: [work(f"seals/harmonise_split/{wc.number}/{region}.json") for region in neighbours(wc)],
    output:
        bcf=work("harmonise/joint/{number}/{region}.bcf"),
        index=work("harmonise/joint/{number}/{region}.bcf.csi"),
        ledger=work("harmonise/joint/{number}/{region}.ledger.json"),
        seal=work("seals/harmonise_merge/{number}/{region}.json"),
    log:
        work("logs/harmonise_merge/{number}/{region}.log"),
    # Before further files are split: what is split goes when it is merged.
    priority: 1
    conda:
        "../../envs/goe.yaml"
    params:
        **made("genotypes", "genotypes"),
        build=BUILD_PARAMS,
        region=lambda wc: list(REGIONS[wc.region]),
        raw=CFG.frequencies.raw,
    script:
        "../../scripts/harmonise_merge.py"


rule harmonise_ledger:
    input:
        split=lambda wc: joint_parts("harmonise/split/{}/{}.ledger.json"),
        merged=lambda wc: joint_parts("harmonise/joint/{}/{}.ledger.json"),
        own=expand(work("harmonise/batch/{batch}.ledger.json"), batch=BATCHES),
        # Not read here: jobs of regions wait for this one.
        tables=expand(work("harmonise/batch/{batch}.{table}.parquet"), batch=BATCHES, table=OWN_TABLES),
        seals=lambda wc: [
            *joint_parts("seals/harmonise_split/{}/{}.json"),
            *joint_parts("seals/harmonise_merge/{}/{}.json"),
            *expand(work("seals/harmonise_batch/{batch}.json"), batch=BATCHES),
        ],
    output:
        ledger=work("harmonise/ledger.json"),
        seal=work("seals/harmonise_ledger.json"),
    log:
        work("logs/harmonise_ledger.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("genotypes") | {"trusts": trusts_of_genotypes},
    script:
        "../../scripts/harmonise_ledger.py"


# Everybody in one BCF of the region, for whoever wants it: nothing is made of it.
rule harmonise_cohort:
    input:
        unpack(genotypes_of_region),
        people=work("intake/sources.tsv"),
        further_seals=work("seals/intake_lint.json"),
    output:
        bcf=work("harmonised/{region}.bcf"),
        index=work("harmonised/{region}.bcf.csi"),
    log:
        work("logs/harmonise_cohort/{region}.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **gathered(*OWN_TABLES),
        trusts=trusts_of_genotypes,
        build=BUILD_PARAMS,
        region=lambda wc: list(REGIONS[wc.region]),
    script:
        "../../scripts/harmonise_cohort.py"


KEPT_GENOTYPES = [
    *expand(work("seals/harmonise_people/{people}.json"), people=JOBS),
    *expand(work("seals/harmonise_batch/{batch}.json"), batch=BATCHES),
    *joint_parts("seals/harmonise_split/{}/{}.json"),
    *joint_parts("seals/harmonise_merge/{}/{}.json"),
    work("seals/harmonise_ledger.json"),
]
KEPT += KEPT_GENOTYPES
