# One pass over each joint file: its index is not believed.
rule joint_file:
    input:
        file=lambda wc: JOINT[int(wc.number)].path,
    output:
        counts=work("joint/file/{number}.json"),
        seal=work("seals/joint_file/{number}.json"),
    log:
        work("logs/joint_file/{number}.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        stage="scanned",
        stamp=lambda wc: STAMPS.scanned(int(wc.number)),
        rename=CFG.reference.rename,
        contigs=BUILD.contigs,
        planned=lambda wc: STAMPS.contigs(int(wc.number)),
        regions=lambda wc: {name: list(region) for name, region in REGIONS.items()},
    script:
        "../../scripts/joint_file.py"


KEPT += JOINT_SEALS
