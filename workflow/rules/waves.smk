# Many people at a time are many bytes at a time: people by waves, and between them what is needed no more is removed.


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
