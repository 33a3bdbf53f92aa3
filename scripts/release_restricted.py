"""The restricted product: one TAR, encrypted while it is made."""

import json
from pathlib import Path

from goe.core import logs, seal
from goe.release import restricted
from goe.release.formats import sites_vcf
from goe.settings import sections
from goe.settings.sections import Config

params, source = snakemake.params, snakemake.input
with logs.to(snakemake.log), seal.job(snakemake):
    cfg, folder = sections.of(Config, params.cfg), Path(params.folder)
    contigs = [json.loads(Path(path).read_text()) for path in source.summaries]
    fields = sites_vcf.read_fields(source.fields)
    members = {
        f"frequencies/{contig}.parquet": path for contig, path in zip(params.contigs, source.tables, strict=True)
    }
    members |= {
        f"callable_an/{contig}.parquet": path for contig, path in zip(params.contigs, source.callable_an, strict=True)
    }
    for which, bodies in (("all", source.every), ("pass", source.passed)):
        name = f"{cfg.dataset.id}.{which}.vcf.gz"
        restricted.write_sites(contigs, bodies, fields, params.build, folder / name, which == "all")
        members |= {f"sites/{name}{tail}": folder / f"{name}{tail}" for tail in ("", ".tbi")}
    described = folder / "dataset.json"
    about = restricted.describe(cfg, params.build, contigs, params.legal_basis, params.recipients, params.par)
    described.write_text(about)
    members |= {"metadata/dataset.json": described, "dictionary/fields.tsv": source.dictionary}
    content = restricted.package(members, cfg.dataset.id, snakemake.output.package, params.recipients)
    Path(snakemake.output.content).write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
