"""Huge pages for forks."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import huge

HELPERS = Path(huge.__file__).parents[1]
TOLD = """
import re
from pathlib import Path
from helpers import huge

def there():
    return int(re.search(r"AnonHugePages: *(\\d+) kB", Path("/proc/self/smaps_rollup").read_text())[1])

kept = [bytes(1000) + bytes([n % 256]) for n in range(50_000)]
before = there()
gathered = huge.collapse()
print(before, there(), gathered, sum(text[-1] for text in kept))
"""


@pytest.mark.skipif(
    tuple(map(int, re.findall(r"\d+", os.uname().release)[:2])) < (6, 1)
    or "[never]" in Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text(),
    reason="this kernel gathers no huge pages when asked",
)
def test_what_is_there_is_gathered_and_stays_what_it_is():
    env = {"PYTHONPATH": str(HELPERS), "PATH": os.environ["PATH"]}
    told = subprocess.run([sys.executable, "-c", TOLD], env=env, capture_output=True, text=True, check=True).stdout
    before, after, gathered, words = map(int, told.split())
    assert after > before + 20_000 and gathered > 20 << 20
    assert words == sum(n % 256 for n in range(50_000))
