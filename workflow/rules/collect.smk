# A path that leads to nothing refuses its dataset and not the run, so it is no input.
rule collect_dataset:
    output:
        said=collect_work("{number}.json"),
        taken=directory(collect_work("taken/{number}")),
    log:
        collect_work("logs/collect_dataset/{number}.log"),
    conda:
        "../../envs/check.yaml"
    threads: 2
    params:
        entry=lambda wc: vars(DATASETS[wc.number]),
        identity=lambda wc: sheet.identity(DATASETS[wc.number].path),
        code=lambda wc: code_digest.digest(SCRIPTS.parent),
    script:
        "../../scripts/collect_dataset.py"


checkpoint collect_agree:
    input:
        LOOKED_AT,
    output:
        agreed=collect_work("agreed.json"),
    log:
        collect_work("logs/collect_agree.log"),
    conda:
        "../../envs/check.yaml"
    params:
        settings=vars(COLLECTION),
        code=lambda wc: code_digest.digest(SCRIPTS.parent),
    script:
        "../../scripts/collect_agree.py"


rule collect_contig:
    input:
        agreed=collect_work("agreed.json"),
        taken=expand(collect_work("taken/{number}"), number=DATASETS),
    output:
        sums=collect_work("sum/{contig}/sums.parquet"),
        datasets=collect_work("sum/{contig}/datasets.parquet"),
        absent=collect_work("sum/{contig}/absent.parquet"),
        every=collect_work("sum/{contig}/all.vcf.gz"),
        passed=collect_work("sum/{contig}/pass.vcf.gz"),
        told=collect_work("sum/{contig}.json"),
    log:
        collect_work("logs/collect_contig/{contig}.log"),
    conda:
        "../../envs/check.yaml"
    params:
        settings=vars(COLLECTION),
    script:
        "../../scripts/collect_contig.py"


rule collect_compare:
    input:
        agreed=collect_work("agreed.json"),
        taken=expand(collect_work("taken/{number}"), number=DATASETS),
        sums=collect_work("sum/{contig}/sums.parquet"),
        datasets=collect_work("sum/{contig}/datasets.parquet"),
        absent=collect_work("sum/{contig}/absent.parquet"),
    output:
        compared=directory(collect_work("compare/{contig}")),
    log:
        collect_work("logs/collect_compare/{contig}.log"),
    conda:
        "../../envs/check.yaml"
    params:
        settings=vars(COLLECTION),
    script:
        "../../scripts/collect_compare.py"


# The manifest is written last, when the finished folder has passed its check.
rule collect_folder:
    input:
        agreed=collect_work("agreed.json"),
        told=sums_of_contigs,
        compared=comparisons_of_contigs,
    output:
        manifest=str(Path(COLLECTION.outdir) / "{place}" / MANIFEST),
    log:
        collect_work("logs/collect_folder/{place}.log"),
    conda:
        "../../envs/check.yaml"
    threads: 2
    params:
        settings=vars(COLLECTION),
        made=collect_work("folder"),
    script:
        "../../scripts/collect_folder.py"


if COLLECTION.sum_floor:

    rule collect_public_release:
        output:
            said=collect_work("public/{number}.json"),
        log:
            collect_work("logs/collect_public_release/{number}.log"),
        conda:
            "../../envs/check.yaml"
        threads: 2
        params:
            entry=lambda wc: vars(public_sum.release_of(DATASETS[wc.number])),
            identity=lambda wc: sheet.identity(DATASETS[wc.number].public),
            code=lambda wc: code_digest.digest(SCRIPTS.parent),
            work=lambda wc: collect_work(f"public/{wc.number}"),
        script:
            "../../scripts/collect_public_release.py"

    rule collect_public_sum_contig:
        input:
            agreed=collect_work("agreed.json"),
            taken=expand(collect_work("taken/{number}"), number=DATASETS),
            publics=PUBLIC_RELEASES,
        output:
            table=collect_work("public_sum/{contig}.parquet"),
            told=collect_work("public_sum/{contig}.json"),
        log:
            collect_work("logs/collect_public_sum_contig/{contig}.log"),
        conda:
            "../../envs/check.yaml"
        params:
            settings=vars(COLLECTION),
        script:
            "../../scripts/collect_public_sum_contig.py"

    # Beside a collection that passed its check.
    rule collect_public_sum:
        input:
            agreed=collect_work("agreed.json"),
            publics=PUBLIC_RELEASES,
            told=public_sums_of_contigs,
            whole=lambda wc: str(collection.place(COLLECTION, collection.taken(agreed())) / MANIFEST),
        output:
            manifest=str(Path(COLLECTION.outdir) / public_sum.FOLDER / MANIFEST),
        log:
            collect_work("logs/collect_public_sum.log"),
        conda:
            "../../envs/check.yaml"
        params:
            settings=vars(COLLECTION),
            made=collect_work("public_sum_folder"),
        script:
            "../../scripts/collect_public_sum.py"
