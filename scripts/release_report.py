"""report.html: the release on one page."""

import dataclasses
import json
from pathlib import Path

from goe.core import logs, seal
from goe.release import layout
from goe.release.report import page as report_page
from goe.release.report import spectrum as report_spectrum
from goe.release.report.lookup import Tracks
from goe.rules.site_filters import DESCRIPTIONS

params = snakemake.params
with logs.to(snakemake.log), seal.job(snakemake):
    folder = Path(snakemake.output.page).parent
    summaries = [json.loads(Path(path).read_text()) for path in snakemake.input.summaries]
    about, qc, disclosure = (
        json.loads((folder / name).read_text())
        for name in ("metadata/dataset.json", "qc/summary.json", "disclosure/disclosure.json")
    )
    names = layout.planned(params.files, snakemake.input.beside)
    files = [dataclasses.asdict(file) for file in layout.describe(folder, names)]
    # Made after the page, with its digest in them.
    files += [{"path": name, "size": None, "sha256": None} for name in params.later]
    written = report_page.write(
        folder,
        about,
        qc,
        disclosure,
        report_spectrum.combine(summary["spectrum"] for summary in summaries),
        Tracks(snakemake.input.lookups, snakemake.input.callable, snakemake.input.rs_numbers),
        [summary["contig"] for summary in summaries],
        DESCRIPTIONS,
        disclosure["membership_inference"],
        json.loads(Path(snakemake.input.checks).read_text()),
        sorted(files, key=lambda file: file["path"]),
    )
    Path(snakemake.output.written).write_text(json.dumps(written, indent=1) + "\n")
