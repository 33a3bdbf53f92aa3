rule call_bcftools:
    input:
        cram=work("align/{sample}.cram"),
        fasta=CFG.reference.fasta,
    output:
        gvcf=work("call/{sample}.g.vcf.gz"),
        index=work("call/{sample}.g.vcf.gz.tbi"),
        seal=work("seals/call_bcftools/{sample}.json"),
    log:
        work("logs/call_bcftools/{sample}.log"),
    conda:
        "../../envs/bcftools.yaml"
    threads: 4
    params:
        **made_of("calls", "reads"),
        **OF_CRAM,
        caller=plain(CFG.caller),
        min_dp=sorted({CFG.genotype_filter.min_dp, CFG.genotype_filter.min_dp_haploid}),
        min_gq=[CFG.genotype_filter.min_gq],
        contigs=BUILD.contigs,
        regions=CALL_REGIONS,
    script:
        "../../scripts/call_bcftools.py"


KEPT += expand(work("seals/call_bcftools/{sample}.json"), sample=READ_BORN)
