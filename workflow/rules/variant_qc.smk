# BED files that give a FILTER, by flag.
FILTER_REGIONS = {flag: CFG.annotations.regions.given[flag] for flag in CFG.variant_qc.regions}


rule variant_qc_filter:
    input:
        counts=work("frequencies/{region}.parquet"),
        regions=list(FILTER_REGIONS.values()),
        seals=work("seals/frequencies_count/{region}.json"),
    output:
        table=work("variant_qc/{region}.parquet"),
        ledger=work("variant_qc/{region}.ledger.json"),
        seal=work("seals/variant_qc_filter/{region}.json"),
    log:
        work("logs/variant_qc_filter/{region}.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("filters", "counts"),
        rules=plain(CFG.variant_qc),
        regions=FILTER_REGIONS,
        contig=lambda wc: REGIONS[wc.region].contig,
    script:
        "../../scripts/variant_qc_filter.py"


KEPT += expand(work("seals/variant_qc_filter/{region}.json"), region=REGIONS)
