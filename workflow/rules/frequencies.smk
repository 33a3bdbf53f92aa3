rule frequencies_count:
    input:
        bcf=work("harmonise/{region}.bcf"),
        keep=work("sample_qc/keep.tsv"),
        seals=[work("seals/harmonise_merge/{region}.json"), work("seals/sample_qc_keep.json")],
    output:
        counts=work("frequencies/{region}.parquet"),
        ledger=work("frequencies/{region}.ledger.json"),
        seal=work("seals/frequencies_count/{region}.json"),
    log:
        work("logs/frequencies_count/{region}.log"),
    benchmark:
        work("benchmarks/frequencies_count/{region}.tsv")
    conda:
        "../../envs/goe.yaml"
    params:
        **made("counts", "genotypes", "keep"),
        raw=CFG.frequencies.raw,
        accept_filters=CFG.variant_qc.accept_filters,
    script:
        "../../scripts/frequencies_count.py"


KEPT += expand(work("seals/frequencies_count/{region}.json"), region=REGIONS)
