BWA_INDEX = {end: work(f"reference/bwa.{end}") for end in ("amb", "ann", "bwt", "pac", "sa")}


rule align_index:
    input:
        fasta=CFG.reference.fasta,
    output:
        **BWA_INDEX,
        seal=work("seals/align_index.json"),
    log:
        work("logs/align_index.log"),
    benchmark:
        work("benchmarks/align_index.tsv")
    conda:
        "../../envs/align.yaml"
    params:
        **made("index"),
    script:
        "../../scripts/align_index.py"


# From its lanes, or the file that was given, to a CRAM and what tools tell of it, by one job: what is between goes with it.
rule align_person:
    input:
        reads=reads_of,
        index=lambda wc: [] if wc.sample in ADOPTED else list(BWA_INDEX.values()),
        fasta=CFG.reference.fasta,
        autosomes=work("sample_qc/autosomes.bed"),
        seals=lambda wc: [
            work("seals/sample_qc_reference.json"),
            *([] if wc.sample in ADOPTED else [work("seals/align_index.json")]),
        ],
    output:
        cram=work("align/{sample}.cram"),
        crai=work("align/{sample}.cram.crai"),
        ledger=work("align/{sample}.ledger.json"),
        fastp=directory(work("align/fastp/{sample}")),
        summary=work("align/depth/{sample}.mosdepth.summary.txt"),
        dist=work("align/depth/{sample}.mosdepth.global.dist.txt"),
        coverage=work("align/coverage/{sample}.tsv"),
        stats=work("align/stats/{sample}.stats.txt"),
        seal=work("seals/align_person/{sample}.json"),
    log:
        work("logs/align_person/{sample}.log"),
    benchmark:
        work("benchmarks/align_person/{sample}.tsv")
    conda:
        "../../envs/align.yaml"
    threads: 8
    params:
        **made_of("reads") | {"trusts": lambda wc: {"index": STAMPS.index, "bases": STAMPS.bases}},
        sample="{sample}",
        units=units_of,
        adopted=lambda wc: wc.sample in ADOPTED,
        cram=lambda wc: UNITS[wc.sample][0].input_type == "cram",
        rename=CFG.reference.rename,
        ignore_contigs=CFG.reference.ignored,
    script:
        "../../scripts/align_person.py"


rule align_contamination:
    input:
        cram=work("align/{sample}.cram"),
        crai=work("align/{sample}.cram.crai"),
        fasta=CFG.reference.fasta,
        panel=CONTAMINATION_PANEL,
        seals=work("seals/align_person/{sample}.json"),
    output:
        freemix=work("align/contamination/{sample}.selfSM"),
        ancestry=work("align/contamination/{sample}.Ancestry"),
        seal=work("seals/align_contamination/{sample}.json"),
    log:
        work("logs/align_contamination/{sample}.log"),
    benchmark:
        work("benchmarks/align_contamination/{sample}.tsv")
    conda:
        "../../envs/verifybamid2.yaml"
    threads: 2
    params:
        **made_of("contamination", "reads"),
        panel=CFG.sample_qc.contamination_panel,
    script:
        "../../scripts/align_contamination.py"


KEPT_READS = [
    *expand(work("seals/align_person/{sample}.json"), sample=READ_BORN),
    *(expand(work("seals/align_contamination/{sample}.json"), sample=READ_BORN) if CONTAMINATION_PANEL else []),
]
KEPT += KEPT_READS
