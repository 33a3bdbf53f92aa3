from goe.core import manifest

# A finished release made again and compared: with `audit` in the config, outdir is a folder of the second run alone.
AUDITED = [str(Path(CFG.audit) / name) for name in (manifest.NAME, "metadata/dataset.json")] if CFG.audit else []


rule audit_provenance:
    input:
        release=audited,
        versions=expand(work("provenance/{environment}.json"), environment=VERSIONS),
        digests=INPUT_DIGESTS,
        people=CFG.samples,
        fasta=CFG.reference.fasta,
        guidelines=OWN_GUIDELINES,
        panel=CONTAMINATION_PANEL,
        regions=list(CFG.annotations.regions.given.values()),
        seals=[*INPUT_SEALS, *expand(work("seals/provenance_{environment}.json"), environment=VERSIONS)],
    output:
        provenance=work("audit/provenance.json"),
        seal=work("seals/audit_provenance.json"),
    log:
        work("logs/audit_provenance.log"),
    conda:
        "../../envs/goe.yaml"
    params:
        **made("release") | {"trusts": lambda wc: {**trusts_of_digests(wc), "versions": STAMPS.stamp("versions")}},
        folder=CFG.audit,
        record=CFG.audit_record,
        cfg=PUBLIC_CFG,
        strata=plain(CFG.strata),
        build=BUILD.name,
        contigs=list(BUILD.contigs),
        regions=CFG.annotations.regions.given,
        snakemake=SNAKEMAKE_VERSION,
        code=lambda wc: code_digest.digest(SCRIPTS.parent),
    script:
        "../../scripts/audit_provenance.py"


rule audit_report:
    input:
        release=audited,
        second=release("MANIFEST.sha256"),
        provenance=work("audit/provenance.json"),
        keep=work("sample_qc/keep.tsv"),
        people=work("intake/people.tsv"),
        seals=[
            work(f"seals/{job}.json")
            for job in ("audit_provenance", "release_manifest", "sample_qc_keep", "intake_people")
        ],
    output:
        json=str(OUTDIR / "audit.json"),
        markdown=str(OUTDIR / "audit.md"),
    log:
        work("logs/audit_report.log"),
    conda:
        "../../envs/goe.yaml"
    threads: 2
    params:
        **made("release", "release", "keep"),
        folder=CFG.audit,
    script:
        "../../scripts/audit_report.py"


# Without an output, so that the verdict is told each time; it fails where the release does not stand.
rule audit:
    input:
        lambda wc: KEPT,
        json=str(OUTDIR / "audit.json"),
    log:
        work("logs/audit.log"),
    conda:
        "../../envs/goe.yaml"
    script:
        "../../scripts/audit.py"


localrules:
    audit,
