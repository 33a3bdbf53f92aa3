rule intake_lint:
    input:
        samples=CFG["samples"],
        inputs=CFG["inputs"],
        fai=CFG["reference"]["fasta"] + ".fai",
    output:
        intake=work("intake/intake.json"),
        people=work("intake/people.tsv"),
    log:
        work("logs/intake/lint.log"),
    conda:
        "../../envs/goe.yaml"
    threads: 4
    params:
        cfg=CFG,
        # A list of problems has to stay when the job fails, and Snakemake deletes the outputs of such a job.
        table=work("intake/lint.tsv"),
        m5_cache=work("intake/m5.json"),
    script:
        "../../scripts/intake_lint.py"
