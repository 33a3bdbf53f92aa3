"""Speed and memory of the release stage: all formats, the check and the audit, from the tables of the variant QC.

The scripts of the rules run as processes on two cores, as many at a time as the threads of their rules allow, on counts
of a made-up cohort of 12,000 people in 21 strata: with every number public, which is the most that there is to write,
and under a floor by either policy. GOE_BENCH_ALLELES gives another number of site alleles than 1,000,000.
"""

import os
import time
from pathlib import Path

import pytest
from helpers import site_tables
from helpers.release_stage import CORES, Stage, public_alleles
from helpers.stages import told

pytestmark = pytest.mark.bench

# Of the release of 1,000,000 site alleles x 20 strata on 2 cores; of more in proportion; memory whatever the number.
SECONDS, MEGABYTES = 300, 2000
ALLELES = int(os.environ.get("GOE_BENCH_ALLELES", "1000000"))
DISCLOSURE = {
    "open": {"open": True, "legal_basis": "the people are made up"},
    "collapse": {"min_carriers": 10, "policy": "collapse"},
    "minimal": {"min_carriers": 10, "policy": "minimal"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def fasta(folder):
    """The reference. The first run compiles kernels, so a few alleles go through before."""
    path = site_tables.write_reference(folder / "reference.fa")
    made(folder / "warm", path, 1000, "minimal")
    return path


def busy():
    """CPU seconds of the whole machine: user, nice, system, and both kinds of interrupts (proc(5))."""
    user, nice, system, _, _, irq, softirq = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def made(folder, fasta, alleles, rule):
    """A finished release of about so many site alleles: the stage, its cost, its jobs, CPU seconds of others."""
    stage = Stage(folder, fasta, alleles, DISCLOSURE[rule])
    phases = stage.phases()
    before = busy() - time.process_time()
    cost = stage.run(phases)
    others = busy() - time.process_time() - before - cost.cpu
    return stage, cost, [job for phase in phases for job in phase], max(0, others)


@pytest.mark.parametrize("rule", DISCLOSURE)
def test_release(rule, folder, fasta, table):
    # What a release costs that has next to no alleles does not depend on their number.
    _, fixed, _, _ = made(folder / f"{rule}_few", fasta, 1000, rule)
    _, tenth, _, _ = made(folder / f"{rule}_tenth", fasta, ALLELES // 10, rule)
    stage, whole, jobs, others = made(folder / f"{rule}_whole", fasta, ALLELES, rule)
    n, public = sum(stage.alleles.values()), public_alleles(stage)
    assert 0.95 * ALLELES < n <= ALLELES
    assert public == n if rule == "open" else 0.2 * n < public < n

    target = SECONDS * max(1, ALLELES / 1_000_000)
    growth = (whole.cpu - fixed.cpu) / (tenth.cpu - fixed.cpu)
    ratio = f"{whole.seconds / tenth.seconds:.1f} by the clock, {whole.cpu / tenth.cpu:.1f} by CPU"
    table.append((f"release, {rule}, {len(site_tables.strata())} strata", "", f"{public} of {n} alleles public"))
    table.append((f"  {ALLELES} site alleles", told(whole), f"target {target:.0f} s, {MEGABYTES} MB on {CORES} cores"))
    table.append(("  other work on the machine meanwhile", f"{others:.0f} s CPU", ""))
    table.append((f"  {ALLELES // 10} site alleles", told(tenth), ""))
    table.append(("  1000 site alleles", told(fixed), ""))
    table.append(("  growth, ten times the alleles", f"{growth:.1f} by CPU", f"with what 1000 cost: {ratio}"))
    for job in jobs:
        table.append((f"    {job.name}", told(job.cost), ""))
    table.append(("  CPU seconds for each 1,000,000 site alleles read", "", ""))
    profiles = [job.profile for job in jobs]
    for name in dict.fromkeys(name for profile in profiles for name in profile):
        seconds = sum(profile.get(name, 0) for profile in profiles) * 1e6 / n
        table.append((f"    {name}", f"{seconds:.1f} s", ""))

    assert whole.megabytes < MEGABYTES
    assert growth < 12
    # Without the share of the cores that others had.
    assert whole.seconds - others / CORES < target
