"""`aligner: bwa-mem2`: what is planned with it. Its commands are those of tests/unit/calls/test_unit.py."""

import re

import pytest
from helpers import large_cohort
from helpers.workflow import snakemake


@pytest.mark.parametrize(
    ("aligner", "job", "memory"), [("bwa", "align_index", 16000), ("bwa-mem2", "align_index_mem2", 40000)]
)
def test_an_aligner_has_its_index_and_its_memory(tmp_path, aligner, job, memory):
    large_cohort.write(tmp_path / "run", 1)
    said = snakemake(tmp_path / "run", "--dry-run", "--config", f"aligner={aligner}").ok().output
    parts = dict(re.findall(r"^rule (\w+):\n((?: .*\n)+)", said, re.M))
    assert job in parts and len({"align_index", "align_index_mem2"} & parts.keys()) == 1
    assert f"work/reference/{aligner}," in parts[job] and f"work/reference/{aligner}," in parts["align_person"]
    assert f"mem_mb={memory}," in parts["align_person"]
