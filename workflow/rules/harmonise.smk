rule harmonise_split:
    input:
        bcf=work("joint/{region}.bcf"),
        people=work("intake/sources.tsv"),
        fasta=CFG.reference.fasta,
        seals=[work("seals/joint_region/{region}.json"), work("seals/intake_lint.json")],
    output:
        snvs=temp(work("harmonise/split/{region}.snvs.bcf")),
        moved=temp(work("harmonise/split/{region}.moved.bcf")),
        people=work("harmonise/{region}.people.parquet"),
        ledger=work("harmonise/split/{region}.ledger.json"),
        seal=work("seals/harmonise_split/{region}.json"),
    log:
        work("logs/harmonise_split/{region}.log"),
    benchmark:
        work("benchmarks/harmonise_split/{region}.tsv")
    conda:
        "../../envs/goe.yaml"
    params:
        **made("genotypes", "genotypes", "joint"),
        build=BUILD_PARAMS,
        region=lambda wc: list(REGIONS[wc.region]),
        filter=GENOTYPE_FILTER,
        respect_ft=CFG.genotype_filter.respect_ft,
        raw=CFG.frequencies.raw,
    script:
        "../../scripts/harmonise_split.py"


rule harmonise_merge:
    input:
        snvs=work("harmonise/split/{region}.snvs.bcf"),
        moved=lambda wc: expand(work("harmonise/split/{region}.moved.bcf"), region=neighbours(wc)),
        seals=lambda wc: expand(work("seals/harmonise_split/{region}.json"), region=neighbours(wc)),
    output:
        bcf=work("harmonise/{region}.bcf"),
        index=work("harmonise/{region}.bcf.csi"),
        ledger=work("harmonise/{region}.ledger.json"),
        seal=work("seals/harmonise_merge/{region}.json"),
    log:
        work("logs/harmonise_merge/{region}.log"),
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
        split=expand(work("harmonise/split/{region}.ledger.json"), region=REGIONS),
        merged=expand(work("harmonise/{region}.ledger.json"), region=REGIONS),
        seals=expand(work("seals/{rule}/{region}.json"), rule=["harmonise_split", "harmonise_merge"], region=REGIONS),
    output:
        ledger=work("harmonise/ledger.json"),
        seal=work("seals/harmonise_ledger.json"),
    log:
        work("logs/harmonise_ledger.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("genotypes", "genotypes"),
    script:
        "../../scripts/harmonise_ledger.py"


KEPT_GENOTYPES += [
    *expand(work("seals/{rule}/{region}.json"), rule=["harmonise_split", "harmonise_merge"], region=REGIONS),
    work("seals/harmonise_ledger.json"),
]
KEPT += KEPT_GENOTYPES
