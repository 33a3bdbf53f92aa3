rule harmonise_split:
    input:
        bcf=work("joint/{region}.bcf"),
        people=ancient(work("intake/people.tsv")),
        fasta=CFG["reference"]["fasta"],
    output:
        snvs=temp(work("harmonise/split/{region}.snvs.bcf")),
        moved=temp(work("harmonise/split/{region}.moved.bcf")),
        people=work("harmonise/{region}.people.parquet"),
        ledger=work("harmonise/split/{region}.ledger.json"),
    log:
        work("logs/harmonise_split/{region}.log"),
    benchmark:
        work("benchmarks/harmonise_split/{region}.tsv")
    conda:
        "../../envs/goe.yaml"
    params:
        build=BUILD_PARAMS,
        region=lambda wc: list(REGIONS[wc.region]),
        filter=GENOTYPE_FILTER,
        respect_ft=CFG["genotype_filter"]["respect_ft"],
        raw=CFG["frequencies"]["raw"],
        people=PLOIDY_DIGEST,
    script:
        "../../scripts/harmonise_split.py"


rule harmonise_merge:
    input:
        snvs=work("harmonise/split/{region}.snvs.bcf"),
        moved=lambda wc: expand(work("harmonise/split/{region}.moved.bcf"), region=neighbours(wc)),
    output:
        bcf=work("harmonise/{region}.bcf"),
        index=work("harmonise/{region}.bcf.csi"),
        ledger=work("harmonise/{region}.ledger.json"),
    log:
        work("logs/harmonise_merge/{region}.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        build=BUILD_PARAMS,
        region=lambda wc: list(REGIONS[wc.region]),
        raw=CFG["frequencies"]["raw"],
    script:
        "../../scripts/harmonise_merge.py"


rule harmonise_ledger:
    input:
        split=expand(work("harmonise/split/{region}.ledger.json"), region=REGIONS),
        merged=expand(work("harmonise/{region}.ledger.json"), region=REGIONS),
    output:
        work("harmonise/ledger.json"),
    log:
        work("logs/harmonise_ledger.log"),
    conda:
        "../../envs/goe.yaml"
    script:
        "../../scripts/harmonise_ledger.py"
