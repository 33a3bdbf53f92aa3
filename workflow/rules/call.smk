rule call_bcftools:
    input:
        cram=work("align/{sample}.cram"),
        crai=work("align/{sample}.cram.crai"),
        fasta=CFG["reference"]["fasta"],
    output:
        gvcf=work("call/{sample}.g.vcf.gz"),
        index=work("call/{sample}.g.vcf.gz.tbi"),
    log:
        work("logs/call_bcftools/{sample}.log"),
    benchmark:
        work("benchmarks/call_bcftools/{sample}.tsv")
    conda:
        "../../envs/bcftools.yaml"
    threads: 4
    params:
        caller=CFG["caller"],
        contigs=BUILD.contigs,
        regions=CALL_REGIONS,
    script:
        "../../scripts/call_bcftools.py"
