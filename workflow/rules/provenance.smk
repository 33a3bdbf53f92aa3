# Versions of the tools and packages that had a part in the numbers, as each environment has them.
VERSIONS = {
    "goe": {
        "tools": ["bcftools", "samtools"],
        "packages": ["crypt4gh", "numba", "numpy", "pyarrow", "pysam", "scipy"],
    },
    **(
        {"align": {"tools": [*([CFG.aligner] if READ_BORN.keys() - ADOPTED else []), "mosdepth"]}}
        if READ_BORN or COVERED
        else {}
    ),
    **({"verifybamid2": {"tools": ["verifybamid2"]}} if READ_BORN and CONTAMINATION_PANEL else {}),
    "plink2": {"tools": ["plink2"]},
}

for env, asked in VERSIONS.items():

    rule:
        name:
            f"provenance_{env}"
        output:
            versions=work(f"provenance/{env}.json"),
            seal=work(f"seals/provenance_{env}.json"),
        log:
            work(f"logs/provenance_{env}.log"),
        conda:
            f"../../envs/{env}.yaml"
        params:
            **made("versions"),
            tools=asked["tools"],
            packages=asked.get("packages", []),
        script:
            "../../scripts/provenance_versions.py"
