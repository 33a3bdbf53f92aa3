rule frequencies_count:
    input:
        unpack(genotypes_of_region),
        keep=work("sample_qc/keep.tsv"),
        further_seals=work("seals/sample_qc_keep.json"),
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
        **made("counts") | {"trusts": lambda wc: {**trusts_of_genotypes(wc), "keep": STAMPS.keep}},
        in_parts=OWN_TABLES,
        build=BUILD_PARAMS,
        region=lambda wc: list(REGIONS[wc.region]),
        raw=CFG.frequencies.raw,
        accept_filters=CFG.variant_qc.accept_filters,
    script:
        "../../scripts/frequencies_count.py"


KEPT += expand(work("seals/frequencies_count/{region}.json"), region=REGIONS)
