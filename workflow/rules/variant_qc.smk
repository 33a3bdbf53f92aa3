rule variant_qc_filter:
    input:
        counts=work("frequencies/{region}.parquet"),
    output:
        table=work("variant_qc/{region}.parquet"),
        ledger=work("variant_qc/{region}.ledger.json"),
    log:
        work("logs/variant_qc_filter/{region}.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        rules=CFG["variant_qc"],
    script:
        "../../scripts/variant_qc_filter.py"
