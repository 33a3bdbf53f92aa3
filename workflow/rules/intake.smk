# Looks each time, since files may go or change without a change of the sheets; without an output it is never done.
rule lint:
    log:
        work("logs/lint.log"),
    conda:
        "../../envs/goe.yaml"
    threads: 4
    params:
        called=CALLED,
        table=str(OUTDIR / intake.TABLE),
        m5_cache=work("intake/m5.json"),
        looked=lambda wc: LOOKED,
    script:
        "../../scripts/intake_lint.py"


# Where its reader waits for what it says: a cluster would leave that in the log of a job.
localrules:
    lint,


# The same for a run, by what decides genotypes alone: a change of any other cell or key does not repeat what follows.
rule intake_lint:
    output:
        sources=work("intake/sources.tsv"),
        seal=work("seals/intake_lint.json"),
    log:
        work("logs/intake_lint.log"),
    conda:
        "../../envs/goe.yaml"
    threads: 4
    params:
        **made("genotypes"),
        # A list of problems has to stay when the job fails, and Snakemake deletes the outputs of such a job.
        table=str(OUTDIR / intake.TABLE),
        m5_cache=work("intake/m5.json"),
    script:
        "../../scripts/intake_lint.py"


rule intake_people:
    input:
        sources=work("intake/sources.tsv"),
        seals=work("seals/intake_lint.json"),
    output:
        people=work("intake/people.tsv"),
        seal=work("seals/intake_people.json"),
    log:
        work("logs/intake_people.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("keep", "genotypes"),
        samples=CFG.samples,
        strata=plain(CFG.strata),
    script:
        "../../scripts/intake_people.py"


# Every byte of every data file, or some pieces of each (inputs_record), for the record of what the release was made
# from. Nothing else waits for it.
rule intake_digests:
    output:
        table=work("intake/digests/{part}.tsv"),
        seal=work("seals/intake_digests/{part}.json"),
    log:
        work("logs/intake_digests/{part}.log"),
    wildcard_constraints:
        part=r"(coverage[.])?b[0-9]+|joint",
    conda:
        "../../envs/goe.yaml"
    threads: 2
    params:
        stage="hashed",
        stamp=lambda wc: STAMPS.hashed(wc.part),
        inputs=CFG.inputs,
        what=CFG.inputs_record,
        rows=lambda wc: [row.row for row in STAMPS.parts[wc.part]],
    script:
        "../../scripts/intake_digests.py"


INPUT_DIGESTS = expand(work("intake/digests/{part}.tsv"), part=STAMPS.parts)
INPUT_SEALS = expand(work("seals/intake_digests/{part}.json"), part=STAMPS.parts)


KEPT += INPUT_SEALS
KEPT += [work("seals/intake_lint.json"), work("seals/intake_people.json")]
