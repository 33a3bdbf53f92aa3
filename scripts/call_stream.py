"""Filters in the pipe of rule call_bcftools: `confidence PLOIDY` before bcftools call, `blocks SAMPLE FILE` after."""

import json
import sys
from functools import partial
from pathlib import Path

from goe.calls import gvcf

if sys.argv[1] == "blocks":
    change = partial(gvcf.from_bcftools, sample=sys.argv[2], **json.loads(Path(sys.argv[3]).read_text()))
else:
    change = partial(gvcf.with_confidence, haploid=sys.argv[2] == "1")
gvcf.filter_stream(sys.stdin.buffer, sys.stdout.buffer, change)
