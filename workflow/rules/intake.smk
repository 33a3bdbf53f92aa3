# Looks each time, since files may go or change without a change of the sheets; without an output it is never done.
rule lint:
    input:
        samples=CFG["samples"],
        inputs=CFG["inputs"],
        fai=CFG["reference"]["fasta"] + ".fai",
    log:
        work("logs/lint.log"),
    conda:
        "../../envs/goe.yaml"
    threads: 4
    params:
        cfg=CFG,
        table=str(OUTDIR / intake.TABLE),
        m5_cache=work("intake/m5.json"),
    script:
        "../../scripts/intake_lint.py"


# Where its reader waits for what it says: a cluster would leave that in the log of a job.
localrules:
    lint,


# The same for a run, once; what it leaves is what the other stages know of the inputs.
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
        table=str(OUTDIR / intake.TABLE),
        m5_cache=work("intake/m5.json"),
    script:
        "../../scripts/intake_lint.py"
