"""Speed and memory of sample QC: the pass over a region beside counting it, and what is gathered for 20,000 people."""

import pytest
from helpers import simulate
from helpers.qc_cohort import Cohort
from helpers.stages import REPO, Cost, Stages, measure, told

pytestmark = pytest.mark.bench

PEOPLE, SITES, LENGTH = 10_000, 20_000, 1_100_000
GATHERED, REGIONS, SECONDS, MEGABYTES = 20_000, 310, 120, 1000


def test_region(tmp_path, table):
    warm = simulate.cohort(tmp_path / "warm", 50, 50, 50_000)
    run = Stages(warm, tmp_path / "warm" / "run")
    run.all(warm.bcf)
    run.metrics()
    big = simulate.cohort(tmp_path / "big", PEOPLE, SITES, LENGTH)
    run = Stages(big, tmp_path / "big" / "run")
    harmonise, count = run.scan(big.bcf) + run.split(big.bcf) + run.merge(), run.count()
    mine = run.metrics()
    table.append((f"{PEOPLE} people, {big.sites} sites, full BCF", ""))
    table.append(("  harmonise", told(harmonise)))
    table.append(("  count", told(count)))
    table.append(("  metrics of every person", told(mine)))
    both = harmonise + count
    table.append(
        (
            "  against harmonise and count",
            f"{mine.seconds / both.seconds:.2f} of the clock, {mine.cpu / both.cpu:.2f} of CPU",
        )
    )
    table.append(
        ("  against count alone", f"{mine.seconds / count.seconds:.1f} x, {mine.cpu / count.cpu:.1f} x by CPU")
    )


def test_gathering(tmp_path, table):
    made = Cohort(tmp_path, GATHERED, REGIONS, measured=True).gather()
    report = ["multiqc", "--file-list", tmp_path / "multiqc/files.txt", "--config"]
    report += [REPO / "resources/multiqc/multiqc_config.yaml", "--config", tmp_path / "multiqc/title.yaml"]
    report += ["--outdir", tmp_path, "--filename", "multiqc.html", "--force", "--no-data-dir", "--no-ansi"]
    made.costs["multiqc"] = measure(report)
    table.append((f"gathering of {GATHERED} people, {REGIONS} regions", ""))
    table.extend(
        (f"  {script.removeprefix('sample_qc_').removesuffix('.py')}", told(c)) for script, c in made.costs.items()
    )
    every = sum(made.costs.values(), Cost())
    table.append(("  together", told(every)))
    for name in ("cohort.html", "multiqc.html", "metrics.tsv"):
        table.append((f"  {name}", f"{(tmp_path / name).stat().st_size / 1e6:.1f} MB"))
    assert every.seconds < SECONDS and every.megabytes < MEGABYTES
