"""What it costs to decide alleles of a position together: CPU, and numbers that are withheld.

Reading, disclosure control and the audit of site alleles of which one in ten stands at the position of another: each
allele by itself, and all of a position together. GOE_BENCH_ALLELES gives another number of site alleles than 1,000,000.
"""

import os
import time

import pytest
from goe.disclosure import control
from goe.disclosure.audit.audit import Audit, public_build
from goe.disclosure.audit.positions import Positions
from goe.disclosure.audit.table import Stated
from goe.release.table import Source
from goe.rules.policy import POLICIES, Policy
from helpers import site_tables
from helpers.release_stage import Stage

pytestmark = pytest.mark.bench

ALLELES = int(os.environ.get("GOE_BENCH_ALLELES", "1000000"))
TIMES = 1.5


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    fasta = site_tables.write_reference(folder / "reference.fa")
    return Stage(folder / "stage", fasta, ALLELES, {"min_carriers": 10, "policy": "collapse"})


def cost(stage, rule, contigs):
    """CPU seconds of reading and deciding, and of the audit, and the numbers that are public."""
    start = time.process_time()
    auditing, shown, audit = 0.0, 0, None
    for contig in contigs:
        paths = [stage.work / f"{region}.parquet" for region in stage.regions[contig]]
        source = Source(paths, contig, stage.build.contigs[contig], rule)
        if audit is None:
            plan, stated = source.plan, Stated(rule.k, rule.protect, rule.min_stratum_size)
            build = public_build(stage.build.name, stage.build.contigs)
            audit = Audit(plan.strata, {s: plan.people[s] for s in plan.strata}, stated, build)
        for block in source:
            shown += int(block.mask.sum())
            before = time.process_time()
            audit.look(block)
            auditing += time.process_time() - before
    before = time.process_time()
    problems = audit.finish()
    now = time.process_time()
    auditing += now - before
    assert not problems
    return now - start - auditing, auditing, shown


@pytest.mark.parametrize("k", [5, 10])
@pytest.mark.parametrize("name", POLICIES)
def test_alleles_of_a_position_together(name, k, stage, table, monkeypatch):
    rule = Policy(k, name=name)
    cost(stage, rule, stage.contigs[-1:])  # kernels are compiled
    *together, shown = cost(stage, rule, stage.contigs)
    monkeypatch.setattr(control, "_settle", lambda *_: None)
    monkeypatch.setattr(Positions, "look", lambda *_: iter(()))
    monkeypatch.setattr(Positions, "finish", lambda *_: iter(()))
    *apart, of_all = cost(stage, rule, stage.contigs)
    times = sum(together) / sum(apart)
    table.append((f"{name}, k = {k}: read and decided, audited", "each by itself", "together"))
    table.append(("  CPU", *(f"{a:.1f} s, {b:.1f} s" for a, b in (apart, together))))
    table.append(
        ("  numbers that are public", str(of_all), f"{shown}: {1 - shown / of_all:.2%} fewer, {times:.2f} times")
    )
    assert shown < of_all
    assert times < TIMES
