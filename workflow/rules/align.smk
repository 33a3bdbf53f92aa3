rule align_index:
    input:
        CFG.reference.fasta,
    output:
        multiext(work("reference/bwa"), amb=".amb", ann=".ann", bwt=".bwt", pac=".pac", sa=".sa"),
    log:
        work("logs/align_index.log"),
    benchmark:
        work("benchmarks/align_index.tsv")
    conda:
        "../../envs/bwa.yaml"
    params:
        prefix=lambda wc, output: output.amb.removesuffix(".amb"),
        made_under=lambda wc: STAMPS.reference,
    shell:
        "bwa index -p {params.prefix:q} {input:q} 2> {log:q}"


rule align_fastp:
    input:
        reads=reads_of_unit,
    output:
        json=work("align/fastp/{sample}/{unit}.fastp.json"),
        html=work("align/fastp/{sample}/{unit}.fastp.html"),
    log:
        work("logs/align_fastp/{sample}/{unit}.log"),
    conda:
        "../../envs/fastp.yaml"
    threads: 2
    # Reports only: nothing is trimmed or left out, the reads are aligned as they came.
    params:
        made_under=lambda wc: STAMPS.reads(wc.sample),
    shell:
        "fastp --in1 {input.reads[0]:q} --in2 {input.reads[1]:q} --disable_adapter_trimming --disable_quality_filtering"
        " --disable_length_filtering --disable_trim_poly_g --thread {threads} --json {output.json:q}"
        " --html {output.html:q} --report_title {wildcards.sample:q} 2> {log:q}"


rule align_unit:
    input:
        reads=reads_of_unit,
        fastp=fastp_of_unit,
        index=multiext(work("reference/bwa"), ".amb", ".ann", ".bwt", ".pac", ".sa"),
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
        **made_of("reads"),
        read_group=read_group,
        unaligned_bam=lambda wc: unit_row(wc).input_type == "ubam",
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
        libraries=lambda wc: [row.library for row in UNITS[wc.sample]],
        rename=CFG.reference.rename,
        ignore_contigs=CFG.reference.ignore_contigs,
        unread=lambda wc, output: output.cram,
    script:
        "../../scripts/align_person.py"


rule align_depth:
    input:
        cram=work("align/{sample}.cram"),
        crai=work("align/{sample}.cram.crai"),
        fasta=CFG.reference.fasta,
    output:
        summary=work("align/depth/{sample}.mosdepth.summary.txt"),
        dist=work("align/depth/{sample}.mosdepth.global.dist.txt"),
    log:
        work("logs/align_depth/{sample}.log"),
    conda:
        "../../envs/mosdepth.yaml"
    threads: 2
    # For the depth of X and Y: duplicates and reads below mapping quality 20 are not depth, and of a pair that
    # overlaps each base counts once (no --fast-mode). Two decimals are too few for a mean over a genome.
    shell:
        "MOSDEPTH_PRECISION=6 mosdepth --no-per-base --mapq 20 --threads {threads} --fasta {input.fasta:q}"
        " $(dirname {output.summary:q})/{wildcards.sample:q} {input.cram:q} 2> {log:q}"


rule align_coverage:
    input:
        cram=work("align/{sample}.cram"),
        crai=work("align/{sample}.cram.crai"),
        fasta=CFG.reference.fasta,
        autosomes=work("sample_qc/autosomes.bed"),
    output:
        work("align/coverage/{sample}.tsv"),
    log:
        work("logs/align_coverage/{sample}.log"),
    benchmark:
        work("benchmarks/align_coverage/{sample}.tsv")
    conda:
        "../../envs/samtools.yaml"
    threads: 2
    # Number of positions by depth, as GA4GH WGS QC defines coverage: autosomes outside gaps, base quality 20, mapping
    # quality 20, of overlapping mates one, neither duplicates nor other than primary records. mosdepth does not look
    # at base qualities. Positions without reads are not written; they are what is left of the intervals.
    shell:
        "samtools depth -@ {threads} -q 20 -Q 20 -s -G SUPPLEMENTARY,MUNMAP -b {input.autosomes:q}"
        " --reference {input.fasta:q} {input.cram:q} 2> {log:q}"
        " | awk '$3 {{ n[$3]++ }} END {{ for (d in n) printf \"%d\\t%.0f\\n\", d, n[d] }}'"
        " | sort -n > {output:q}"


rule align_contamination:
    input:
        cram=work("align/{sample}.cram"),
        crai=work("align/{sample}.cram.crai"),
        fasta=CFG.reference.fasta,
        panel=CONTAMINATION_PANEL,
    output:
        freemix=work("align/contamination/{sample}.selfSM"),
        ancestry=work("align/contamination/{sample}.Ancestry"),
    log:
        work("logs/align_contamination/{sample}.log"),
    benchmark:
        work("benchmarks/align_contamination/{sample}.tsv")
    conda:
        "../../envs/verifybamid2.yaml"
    threads: 2
    params:
        panel=CFG.sample_qc.contamination_panel,
        prefix=lambda wc, output: output.freemix.removesuffix(".selfSM"),
    # Four principal components, as GA4GH WGS QC asks for; the seed is the program's own, a fixed one.
    shell:
        "verifybamid2 --NumPC 4 --NumThread {threads} --SVDPrefix {params.panel:q} --Reference {input.fasta:q}"
        " --BamFile {input.cram:q} --Output {params.prefix:q} > {log:q} 2>&1"


rule align_stats:
    input:
        cram=work("align/{sample}.cram"),
        crai=work("align/{sample}.cram.crai"),
        fasta=CFG.reference.fasta,
    output:
        work("align/stats/{sample}.stats.txt"),
    log:
        work("logs/align_stats/{sample}.log"),
    conda:
        "../../envs/samtools.yaml"
    threads: 2
    # Reads that failed the sequencer's own filter are none of the "high quality reads" of GA4GH WGS QC.
    shell:
        "samtools stats -@ {threads} -F QCFAIL --reference {input.fasta:q} {input.cram:q} > {output:q} 2> {log:q}"


KEPT_READS = [
    *expand(work("seals/align_person/{sample}.json"), sample=READ_BORN),
    *(seal for sample in READ_BORN for seal in unit_seals_of(sample)),
    *(path for sample in READ_BORN for path in fastp_reports(sample)),
    *expand(work("align/depth/{sample}.mosdepth.summary.txt"), sample=READ_BORN),
    *expand(work("align/coverage/{sample}.tsv"), sample=READ_BORN),
    *expand(work("align/stats/{sample}.stats.txt"), sample=READ_BORN),
    *(expand(work("align/contamination/{sample}.selfSM"), sample=READ_BORN) if CONTAMINATION_PANEL else []),
]
KEPT += KEPT_READS
