rule release_contig:
    input:
        tables=lambda wc: expand(work("variant_qc/{region}.parquet"), region=regions_of(wc.contig)),
        fasta=CFG["reference"]["fasta"],
        fields=FIELDS,
    output:
        table=release("frequencies/{contig}.parquet"),
        all_sites=work("release/{contig}.all.vcf.gz"),
        pass_sites=work("release/{contig}.pass.vcf.gz"),
        summary=work("release/{contig}.json"),
    log:
        work("logs/release_contig/{contig}.log"),
    benchmark:
        work("benchmarks/release_contig/{contig}.tsv")
    conda:
        "../../envs/goe.yaml"
    threads: 2
    params:
        dataset=CFG["dataset"]["id"],
        disclosure=CFG["disclosure"],
        build=BUILD.name,
    script:
        "../../scripts/release_contig.py"


rule release_sites:
    input:
        bodies=expand(work("release/{contig}.{{which}}.vcf.gz"), contig=BUILD.contigs),
        summaries=expand(work("release/{contig}.json"), contig=BUILD.contigs),
        fields=FIELDS,
    output:
        vcf=release(f"sites/{CFG['dataset']['id']}.{{which}}.vcf.gz"),
        index=release(f"sites/{CFG['dataset']['id']}.{{which}}.vcf.gz.tbi"),
    log:
        work("logs/release_sites/{which}.log"),
    wildcard_constraints:
        which="all|pass",
    conda:
        "../../envs/goe.yaml"
    params:
        disclosure=CFG["disclosure"],
        build=BUILD.name,
    script:
        "../../scripts/release_sites.py"


rule release_summary:
    input:
        summaries=expand(work("release/{contig}.json"), contig=BUILD.contigs),
        keep=work("sample_qc/keep.tsv"),
        people=ancient(work("intake/people.tsv")),
        harmonise=work("harmonise/ledger.json"),
        frequencies=expand(work("frequencies/{region}.ledger.json"), region=REGIONS),
        variant_qc=expand(work("variant_qc/{region}.ledger.json"), region=REGIONS),
        fields=FIELDS,
    output:
        readme=report(
            release("README.md"),
            caption="../report/release_readme.rst",
            category="Release",
            labels={"what": "README of the release"},
        ),
        dataset=release("metadata/dataset.json"),
        qc=release("qc/summary.json"),
        disclosure=release("disclosure/disclosure.json"),
        dictionary=release("dictionary/fields.tsv"),
        ledger=release("ledger.json"),
        exact=work("release/ledger.json"),
    log:
        work("logs/release_summary.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        cfg={key: CFG[key] for key in ("dataset", "disclosure", "genotype_filter", "variant_qc")},
        build=BUILD.name,
    script:
        "../../scripts/release_summary.py"


# Nothing else writes the manifest, and it is written last: without it, or when it does not match, a release is not whole.
rule release_manifest:
    input:
        RELEASE_FILES,
    output:
        release("MANIFEST.sha256"),
    log:
        work("logs/release_manifest.log"),
    conda:
        "../../envs/goe.yaml"
    script:
        "../../scripts/release_manifest.py"
