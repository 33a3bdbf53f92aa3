rule variant_qc_filter:
    input:
        counts=work("frequencies/{region}.parquet"),
    output:
        table=work("variant_qc/{region}.parquet"),
        ledger=work("variant_qc/{region}.ledger.json"),
    params:
        rules=CFG["variant_qc"],
    log:
        work("logs/variant_qc_filter/{region}.log"),
    conda:
        "../../envs/goe.yaml"
    script:
        "../../scripts/variant_qc_filter.py"
