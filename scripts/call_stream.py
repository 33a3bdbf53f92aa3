"""Filters in the pipe of rule call_bcftools: `confidence` before bcftools call, `blocks SAMPLE CONTIGS` after it."""

import json
import sys
from functools import partial

from goe.calls import gvcf

change = gvcf.with_confidence
if sys.argv[1] == "blocks":
    change = partial(gvcf.from_bcftools, sample=sys.argv[2], contigs=json.loads(sys.argv[3]))
gvcf.filter_stream(sys.stdin.buffer, sys.stdout.buffer, change)
