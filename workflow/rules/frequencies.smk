rule frequencies_count:
    input:
        bcf=work("harmonise/{region}.bcf"),
        keep=work("sample_qc/keep.tsv"),
    output:
        counts=work("frequencies/{region}.parquet"),
        ledger=work("frequencies/{region}.ledger.json"),
    log:
        work("logs/frequencies_count/{region}.log"),
    benchmark:
        work("benchmarks/frequencies_count/{region}.tsv")
    conda:
        "../../envs/goe.yaml"
    params:
        raw=CFG["frequencies"]["raw"],
        accept_filters=CFG["variant_qc"]["accept_filters"],
    script:
        "../../scripts/frequencies_count.py"
