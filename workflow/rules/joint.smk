# One pass over each joint file: its index is not believed.
rule joint_file:
    input:
        file=lambda wc: JOINT[int(wc.number)].path,
    output:
        counts=work("joint/file/{number}.json"),
        seal=work("seals/joint_file/{number}.json"),
    log:
        work("logs/joint_file/{number}.log"),
    benchmark:
        work("benchmarks/joint_file/{number}.tsv")
    conda:
        "../../envs/goe.yaml"
    params:
        stage=lambda wc: "scanned",
        stamp=lambda wc: STAMPS.scanned(int(wc.number)),
        rename=CFG.reference.rename,
        contigs=BUILD.contigs,
        regions=lambda wc: {name: list(region) for name, region in REGIONS.items()},
    script:
        "../../scripts/joint_file.py"


rule joint_person:
    input:
        calls=calls_of,
        fasta=CFG.reference.fasta,
        seals=seal_of_calls,
    output:
        bcf=work("joint/person/{sample}.bcf"),
        index=work("joint/person/{sample}.bcf.csi"),
        sites=work("joint/person_sites/{sample}.bcf"),
        sites_index=work("joint/person_sites/{sample}.bcf.csi"),
        ledger=work("joint/person/{sample}.ledger.json"),
        seal=work("seals/joint_person/{sample}.json"),
    log:
        work("logs/joint_person/{sample}.log"),
    conda:
        "../../envs/bcftools.yaml"
    params:
        **made_of("own", "calls"),
        contigs=BUILD.contigs,
        called=lambda wc: wc.sample in READ_BORN,
        blocks=lambda wc: UNITS[wc.sample][0].input_type != "vcf",
        respect_ft=CFG.genotype_filter.respect_ft,
        rename=CFG.reference.rename,
    script:
        "../../scripts/joint_person.py"


rule joint_batch_sites:
    input:
        sites=lambda wc: expand(work("joint/person_sites/{sample}.bcf"), sample=BATCHES[wc.batch]),
        people=lambda wc: expand(work("joint/person/{sample}.bcf"), sample=BATCHES[wc.batch]),
        seals=lambda wc: expand(work("seals/joint_person/{sample}.json"), sample=BATCHES[wc.batch]),
    output:
        bcf=work("joint/batch_sites/{batch}.bcf"),
        index=work("joint/batch_sites/{batch}.bcf.csi"),
        people=work("joint/batch_sites/{batch}.people.list"),
        seal=work("seals/joint_batch_sites/{batch}.json"),
    log:
        work("logs/joint_batch_sites/{batch}.log"),
    conda:
        "../../envs/bcftools.yaml"
    params:
        **made("joint") | {"trusts": lambda wc: {"own": [STAMPS.own(sample) for sample in BATCHES[wc.batch]]}},
        region=None,
    script:
        "../../scripts/joint_sites.py"


rule joint_sites:
    input:
        sites=expand(work("joint/batch_sites/{batch}.bcf"), batch=BATCHES),
        joint=[entry.path for entry in JOINT],
        intake=work("intake/intake.json"),
        counts=JOINT_COUNTS,
        seals=[
            *expand(work("seals/joint_batch_sites/{batch}.json"), batch=BATCHES),
            work("seals/intake_lint.json"),
            *JOINT_SEALS,
        ],
    output:
        bcf=work("joint/sites/{region}.bcf"),
        index=work("joint/sites/{region}.bcf.csi"),
        seal=work("seals/joint_sites/{region}.json"),
    log:
        work("logs/joint_sites/{region}.log"),
    conda:
        "../../envs/bcftools.yaml"
    params:
        **made("joint", "joint", "genotypes") | {"trusts": trusts_of_joint},
        region=lambda wc: list(REGIONS[wc.region]),
        contigs=BUILD.contigs,
    script:
        "../../scripts/joint_sites.py"


# The list stands for the batch's files: with an edge from every region to every person, planning a run of
# thousands takes many minutes and gigabytes.
rule joint_batch:
    input:
        sites=work("joint/sites/{region}.bcf"),
        people=work("joint/batch_sites/{batch}.people.list"),
        fasta=CFG.reference.fasta,
        seals=[work("seals/joint_sites/{region}.json"), work("seals/joint_batch_sites/{batch}.json")],
    output:
        bcf=temp(work("joint/batch/{batch}/{region}.bcf")),
        index=temp(work("joint/batch/{batch}/{region}.bcf.csi")),
        seal=work("seals/joint_batch/{batch}/{region}.json"),
    log:
        work("logs/joint_batch/{batch}/{region}.log"),
    benchmark:
        work("benchmarks/joint_batch/{batch}/{region}.tsv")
    conda:
        "../../envs/bcftools.yaml"
    params:
        **made("joint", "joint"),
        region=lambda wc: list(REGIONS[wc.region]),
    script:
        "../../scripts/joint_batch.py"


rule joint_region:
    input:
        batches=expand(work("joint/batch/{batch}/{{region}}.bcf"), batch=BATCHES),
        indexes=expand(work("joint/batch/{batch}/{{region}}.bcf.csi"), batch=BATCHES),
        joint=[entry.path for entry in JOINT],
        intake=work("intake/intake.json"),
        counts=JOINT_COUNTS,
        seals=[
            *expand(work("seals/joint_batch/{batch}/{{region}}.json"), batch=BATCHES),
            work("seals/intake_lint.json"),
            *JOINT_SEALS,
        ],
    output:
        bcf=work("joint/{region}.bcf"),
        index=work("joint/{region}.bcf.csi"),
        ledger=work("joint/{region}.ledger.json"),
        seal=work("seals/joint_region/{region}.json"),
    log:
        work("logs/joint_region/{region}.log"),
    benchmark:
        work("benchmarks/joint_region/{region}.tsv")
    conda:
        "../../envs/bcftools.yaml"
    params:
        **made("joint", "joint", "genotypes") | {"trusts": trusts_of_joint},
        region=lambda wc: list(REGIONS[wc.region]),
        contigs=BUILD.contigs,
    script:
        "../../scripts/joint_region.py"


KEPT += JOINT_SEALS
# A cohort of joint VCFs alone has no batches, and nobody asks for its sites.
KEPT_GENOTYPES = [
    *expand(work("seals/joint_person/{sample}.json"), sample=UNITS),
    *expand(work("seals/joint_batch_sites/{batch}.json"), batch=BATCHES),
    *(expand(work("seals/joint_sites/{region}.json"), region=REGIONS) if BATCHES else []),
    *expand(work("seals/joint_batch/{batch}/{region}.json"), batch=BATCHES, region=REGIONS),
    *expand(work("seals/joint_region/{region}.json"), region=REGIONS),
]
