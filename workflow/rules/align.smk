# A folder of the aligner's name, whose index no other one reads, and the rule that makes it.
INDEX = work(f"reference/{CFG.aligner}")
INDEX_PREFIX = f"{INDEX}/reference"
INDEXED_BY = {"bwa": "align_index", "bwa-mem2": "align_index_mem2"}[CFG.aligner]


rule align_index:
    input:
        fasta=CFG.reference.fasta,
    output:
        index=directory(work("reference/bwa")),
        seal=work("seals/align_index.json"),
    log:
        work("logs/align_index.log"),
    conda:
        "../../envs/align.yaml"
    params:
        **made("index"),
        aligner=CFG.aligner,
        prefix=INDEX_PREFIX,
    script:
        "../../scripts/align_index.py"


# By itself, since it takes ten times the memory.
rule align_index_mem2:
    input:
        fasta=CFG.reference.fasta,
    output:
        index=directory(work("reference/bwa-mem2")),
        seal=work("seals/align_index_mem2.json"),
    log:
        work("logs/align_index_mem2.log"),
    conda:
        "../../envs/align.yaml"
    params:
        **made("index"),
        aligner=CFG.aligner,
        prefix=INDEX_PREFIX,
    script:
        "../../scripts/align_index.py"


# From its lanes, or the file that was given, to a CRAM and what tools tell of it, by one job: what is between goes with it.
# People's files are parameters here and elsewhere: a stamp has what they are, and planning would ask for each again.
rule align_person:
    input:
        index=lambda wc: [] if wc.sample in ADOPTED else INDEX,
        fasta=CFG.reference.fasta,
        autosomes=work("sample_qc/autosomes.bed"),
    output:
        cram=work("align/{sample}.cram"),
        crai=work("align/{sample}.cram.crai"),
        reports=directory(work("align/reports/{sample}")),
        seal=work("seals/align_person/{sample}.json"),
    log:
        work("logs/align_person/{sample}.log"),
    conda:
        "../../envs/align.yaml"
    threads: 8
    params:
        **made_of("reads") | {"trusts": lambda wc: {"index": STAMPS.index, "bases": STAMPS.bases}},
        seals=lambda wc: [
            work(f"seals/{job}.json")
            for job in ["sample_qc_reference", *([] if wc.sample in ADOPTED else [INDEXED_BY])]
        ],
        person=told_of_reads,
        aligner=CFG.aligner,
        prefix=INDEX_PREFIX,
        rename=CFG.reference.rename,
        ignore_contigs=CFG.reference.ignored,
    script:
        "../../scripts/align_person.py"


rule align_contamination:
    input:
        cram=work("align/{sample}.cram"),
        fasta=CFG.reference.fasta,
        panel=CONTAMINATION_PANEL,
    output:
        freemix=work("align/contamination/{sample}.selfSM"),
        ancestry=work("align/contamination/{sample}.Ancestry"),
        seal=work("seals/align_contamination/{sample}.json"),
    log:
        work("logs/align_contamination/{sample}.log"),
    conda:
        "../../envs/verifybamid2.yaml"
    threads: 2
    params:
        **made_of("contamination", "reads"),
        **OF_CRAM,
        panel=CFG.sample_qc.contamination_panel,
    script:
        "../../scripts/align_contamination.py"


KEPT_READS = [
    *([work(f"seals/{INDEXED_BY}.json")] if READ_BORN.keys() - ADOPTED else []),
    *expand(work("seals/align_person/{sample}.json"), sample=READ_BORN),
    *(expand(work("seals/align_contamination/{sample}.json"), sample=READ_BORN) if CONTAMINATION_PANEL else []),
]
KEPT += KEPT_READS
