# Versions of the tools and packages that had a part in the numbers, as each environment has them.
VERSIONS = {
    "goe": {
        "tools": ["bcftools", "samtools"],
        "packages": ["crypt4gh", "numba", "numpy", "pyarrow", "pysam", "scipy"],
    },
    **({"bwa": {"tools": ["bwa"]}} if {i.input_type for i in INPUTS} & {"fastq", "ubam"} else {}),
    **({"mosdepth": {"tools": ["mosdepth"]}} if READ_BORN else {}),
    **({"verifybamid2": {"tools": ["verifybamid2"]}} if READ_BORN and CONTAMINATION_PANEL else {}),
    "plink2": {"tools": ["plink2"]},
}

for environment, asked in VERSIONS.items():

    rule:
        name:
            f"provenance_{environment}"
        output:
            work(f"provenance/{environment}.json"),
        log:
            work(f"logs/provenance_{environment}.log"),
        conda:
            f"../../envs/{environment}.yaml"
        params:
            tools=asked["tools"],
            packages=asked.get("packages", []),
        script:
            "../../scripts/provenance_versions.py"
