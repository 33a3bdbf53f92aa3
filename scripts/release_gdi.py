"""The dataset package for a GDI node: checked, packed, and encrypted for the recipients there are."""

import json
import shutil
from pathlib import Path

from goe.check import gdi as gdi_check
from goe.core import logs, seal
from goe.core.errors import stop_on
from goe.hts import crypt4gh
from goe.release.gdi import package as gdi_package
from goe.release.metadata import health_dcat
from goe.settings import sections
from goe.settings.sections import Config

params, output = snakemake.params, snakemake.output
with logs.to(snakemake.log), seal.job(snakemake):
    about = health_dcat.About(**json.loads(Path(snakemake.input.about).read_text()))
    folder = Path(params.folder)
    shutil.rmtree(folder, ignore_errors=True)
    cfg = sections.of(Config, params.cfg)
    gdi_package.assemble(snakemake.input.parts, snakemake.input.vcf, cfg, about, folder, params.past_version)
    stop_on(gdi_check.check(folder))
    gdi_package.pack(folder, output.tar)
    shutil.rmtree(folder)
    if params.recipients:
        crypt4gh.encrypt(output.tar, output.encrypted, params.recipients)
