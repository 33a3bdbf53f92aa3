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
        "../../envs/bwa.yaml"
    params:
        **made("index"),
    script:
        "../../scripts/align_index.py"


# A report alone: the reads are aligned as they came.
rule align_fastp:
    input:
        reads=reads_of_unit,
    output:
        json=work("align/fastp/{sample}/{unit}.fastp.json"),
        html=work("align/fastp/{sample}/{unit}.fastp.html"),
        seal=work("seals/align_fastp/{sample}/{unit}.json"),
    log:
        work("logs/align_fastp/{sample}/{unit}.log"),
    conda:
        "../../envs/fastp.yaml"
    threads: 2
    params:
        **made_of("reports"),
    script:
        "../../scripts/align_fastp.py"


rule align_unit:
    input:
        reads=reads_of_unit,
        index=list(BWA_INDEX.values()),
        seals=work("seals/align_index.json"),
    output:
        bam=temp(work("align/unit/{sample}/{unit}.bam")),
        ledger=work("align/unit/{sample}/{unit}.ledger.json"),
        seal=work("seals/align_unit/{sample}/{unit}.json"),
    log:
        work("logs/align_unit/{sample}/{unit}.log"),
    benchmark:
        work("benchmarks/align_unit/{sample}/{unit}.tsv")
    conda:
        "../../envs/bwa.yaml"
    threads: 8
    params:
        **made_of("reads") | {"trusts": lambda wc: {"index": STAMPS.index}},
        read_group=read_group,
    script:
        "../../scripts/align_unit.py"


rule align_person:
    input:
        reads=aligned_reads,
        fasta=CFG.reference.fasta,
        seals=unit_seals,
    output:
        cram=work("align/{sample}.cram"),
        crai=work("align/{sample}.cram.crai"),
        ledger=work("align/{sample}.ledger.json"),
        seal=work("seals/align_person/{sample}.json"),
    log:
        work("logs/align_person/{sample}.log"),
    benchmark:
        work("benchmarks/align_person/{sample}.tsv")
    conda:
        "../../envs/samtools.yaml"
    threads: 4
    params:
        **made_of("reads", "reads"),
        sample="{sample}",
        adopted=lambda wc: UNITS[wc.sample][0].input_type in ("bam", "cram"),
        cram=lambda wc: UNITS[wc.sample][0].input_type == "cram",
        rename=CFG.reference.rename,
        ignore_contigs=CFG.reference.ignored,
    script:
        "../../scripts/align_person.py"


rule align_depth:
    input:
        cram=work("align/{sample}.cram"),
        crai=work("align/{sample}.cram.crai"),
        fasta=CFG.reference.fasta,
        seals=work("seals/align_person/{sample}.json"),
    output:
        summary=work("align/depth/{sample}.mosdepth.summary.txt"),
        dist=work("align/depth/{sample}.mosdepth.global.dist.txt"),
        seal=work("seals/align_depth/{sample}.json"),
    log:
        work("logs/align_depth/{sample}.log"),
    conda:
        "../../envs/mosdepth.yaml"
    threads: 2
    params:
        **made_of("reports", "reads"),
    script:
        "../../scripts/align_depth.py"


rule align_coverage:
    input:
        cram=work("align/{sample}.cram"),
        crai=work("align/{sample}.cram.crai"),
        fasta=CFG.reference.fasta,
        autosomes=work("sample_qc/autosomes.bed"),
        seals=[work("seals/align_person/{sample}.json"), work("seals/sample_qc_reference.json")],
    output:
        coverage=work("align/coverage/{sample}.tsv"),
        seal=work("seals/align_coverage/{sample}.json"),
    log:
        work("logs/align_coverage/{sample}.log"),
    benchmark:
        work("benchmarks/align_coverage/{sample}.tsv")
    conda:
        "../../envs/samtools.yaml"
    threads: 2
    params:
        **made_of("reports") | {"trusts": lambda wc: {"reads": STAMPS.reads(wc.sample), "bases": STAMPS.bases}},
    script:
        "../../scripts/align_coverage.py"


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


rule align_stats:
    input:
        cram=work("align/{sample}.cram"),
        crai=work("align/{sample}.cram.crai"),
        fasta=CFG.reference.fasta,
        seals=work("seals/align_person/{sample}.json"),
    output:
        stats=work("align/stats/{sample}.stats.txt"),
        seal=work("seals/align_stats/{sample}.json"),
    log:
        work("logs/align_stats/{sample}.log"),
    conda:
        "../../envs/samtools.yaml"
    threads: 2
    params:
        **made_of("reports", "reads"),
    script:
        "../../scripts/align_stats.py"


KEPT_READS = [
    *expand(work("seals/align_person/{sample}.json"), sample=READ_BORN),
    *(seal for sample in READ_BORN for seal in (*unit_seals_of(sample), *report_seals_of(sample))),
]
KEPT += KEPT_READS
