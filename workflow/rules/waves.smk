# Many people at a time are many bytes at a time: people by waves, and between them what is needed no more is removed.


def made_of_people(batch):
    """Seals of all that is made of the people of a batch alone."""
    people = BATCHES[batch]
    reads = [sample for sample in people if sample in READ_BORN]
    return [
        work(f"seals/harmonise_batch/{batch}.json"),
        *expand(work("seals/align_contamination/{sample}.json"), sample=reads if CONTAMINATION_PANEL else []),
    ]


def of_wave(wildcards):
    """The same of the batches of the wave that is asked for."""
    if CFG.wave is None:
        raise WorkflowError("Say which wave, such as the first of eight: snakemake wave --config wave=1/8")
    number, count = map(int, CFG.wave.split("/"))
    return [seal for batch in list(BATCHES)[number - 1 :: count] for seal in made_of_people(batch)]


def of_calls(batch):
    """CRAMs and gVCFs that were made of the reads of a batch's people, with their indexes."""
    files = ("align/{sample}.cram", "align/{sample}.cram.crai", "call/{sample}.g.vcf.gz", "call/{sample}.g.vcf.gz.tbi")
    return [work(file.format(sample=sample)) for sample in BATCHES[batch] if sample in READ_BORN for file in files]


rule wave:
    input:
        of_wave,


# Not those of people who are not finished. What is there for a withdrawal, and for a person more, stays: the tables of
# people and of batches, and the reports.
rule clean:
    log:
        work("logs/clean.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        groups=lambda wc: [(of_calls(batch), made_of_people(batch)) for batch in BATCHES],
        made_under=lambda wc: {
            "gathered": [STAMPS.gathered(people) for people in BATCHES.values()],
            "contamination": [STAMPS.contamination(sample) for sample in READ_BORN],
        },
    script:
        "../../scripts/clean.py"


localrules:
    clean,
