"""Bill of materials, HealthDCAT-AP record and RO-Crate: what describes all other files of the release."""

import json
from pathlib import Path

from goe.core import logs, seal
from goe.release import layout
from goe.release.metadata import health_dcat, ro_crate, sbom
from goe.settings import sections
from goe.settings.sections import Config

params = snakemake.params
with logs.to(snakemake.log), seal.job(snakemake):
    folder = Path(snakemake.input.page).parent
    cfg = sections.of(Config, params.cfg)
    about = health_dcat.About(**json.loads(Path(snakemake.input.about).read_text()))
    contigs = [json.loads(Path(path).read_text())["contig"] for path in snakemake.input.summaries]
    tools = {}
    for path in snakemake.input.versions:
        tools |= json.loads(Path(path).read_text())
    files = layout.describe(folder, layout.planned(params.files, snakemake.input.beside))
    bill = sbom.document(sbom.installed(sbom.NEEDED), tools, params.snakemake)
    (folder / sbom.NAME).write_text(sbom.dumps(bill), encoding="utf-8")
    files += layout.describe(folder, [sbom.NAME])
    health_dcat.write(folder, cfg, about, [f for f in files if f.path not in health_dcat.NOT_DESCRIBED])
    described = layout.describe(folder, [health_dcat.TURTLE, health_dcat.JSON_LD])
    ro_crate.write(
        folder,
        cfg,
        about,
        [*files, *described],
        [ro_crate.Contig(**contig) for contig in contigs],
        [ro_crate.Tool(name, version) for name, version in sorted(tools.items())],
        params.snakemake,
    )
