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
    conda:
        "../../envs/goe.yaml"
    params:
        **made("counts") | {"trusts": lambda wc: {**trusts_of_genotypes(wc), "keep": STAMPS.keep}},
        **gathered(*OWN_TABLES),
        build=BUILD_PARAMS,
        region=lambda wc: list(REGIONS[wc.region]),
        raw=CFG.frequencies.raw,
        accept_filters=CFG.variant_qc.accept_filters,
    script:
        "../../scripts/frequencies_count.py"


KEPT += expand(work("seals/frequencies_count/{region}.json"), region=REGIONS)


# Disclosure control is a part of this: what is stored of a genome is what may be shown of it, or a number a base.
rule frequencies_callable_an:
    input:
        keep=work("sample_qc/keep.tsv"),
        people=work("intake/people.tsv"),
        seals=[work(f"seals/{job}.json") for job in ("harmonise_ledger", "sample_qc_keep", "intake_people")],
    output:
        blocks=work("callable_an/{region}.parquet"),
        seal=work("seals/frequencies_callable_an/{region}.json"),
    log:
        work("logs/frequencies_callable_an/{region}.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("callable_an") | {"trusts": lambda wc: {**trusts_of_genotypes(wc), "keep": STAMPS.keep}},
        **gathered("runs"),
        build=BUILD_PARAMS,
        region=lambda wc: list(REGIONS[wc.region]),
        disclosure=plain(CFG.disclosure),
        previous=CFG.previous_release,
        record=CFG.previous_people,
    script:
        "../../scripts/frequencies_callable_an.py"


KEPT += expand(work("seals/frequencies_callable_an/{region}.json"), region=REGIONS)


if CFG.restricted:

    # The same of every stratum, exact: for the restricted product alone.
    rule frequencies_exact_callable_an:
        input:
            keep=work("sample_qc/keep.tsv"),
            people=work("intake/people.tsv"),
            seals=[work(f"seals/{job}.json") for job in ("harmonise_ledger", "sample_qc_keep", "intake_people")],
        output:
            blocks=work("restricted/blocks/{region}.parquet"),
            seal=work("seals/frequencies_exact_callable_an/{region}.json"),
        log:
            work("logs/frequencies_exact_callable_an/{region}.log"),
        conda:
            "../../envs/goe.yaml"
        params:
            **made("callable_an") | {"trusts": lambda wc: {**trusts_of_genotypes(wc), "keep": STAMPS.keep}},
            **gathered("runs"),
            build=BUILD_PARAMS,
            region=lambda wc: list(REGIONS[wc.region]),
            disclosure={"open": True, "legal_basis": CFG.restricted.legal_basis},
        script:
            "../../scripts/frequencies_callable_an.py"

    KEPT += expand(work("seals/frequencies_exact_callable_an/{region}.json"), region=REGIONS)
