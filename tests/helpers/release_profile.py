"""CPU seconds of each format within release_contig.py: python -m helpers.release_profile SPEC.json.

Written as JSON beside the spec, `.profile`.

Time inside a format's writer is that format's, whatever it calls; bgzip is counted by its file, when it ends.
"""

import json
import resource
import sys
import time
from collections import Counter
from pathlib import Path

from goe.disclosure import membership
from goe.genome.fasta import Reference
from goe.release import table as frequency_table
from goe.release.formats import annotations, beacon, mini_node, sites_vcf, wide_table
from goe.release.gdi import package as gdi_package
from goe.release.report import lookup as report_lookup
from goe.release.report import spectrum as report_spectrum

from helpers import run_script

spent: Counter[str] = Counter()
active: list[str] = []

WATCHED = (
    (frequency_table.Writer, "long Parquet", ("write", "close")),
    (wide_table.Writer, "wide Parquet", ("write", "close")),
    (gdi_package.Writer, "GDI package", ("write", "close")),
    (beacon.Writer, "Beacon", ("__init__", "write", "close")),
    (mini_node.Writer, "mini-node", ("write", "close")),
    (annotations.Writer, "annotations", ("write", "close")),
    (report_lookup.Writer, "report look-up", ("write", "__exit__")),
    (report_spectrum.Spectrum, "report spectrum", ("add",)),
    (membership.Sites, "membership", ("write", "save")),
    (sites_vcf.Body, "sites VCF", ("write", "close")),
)


def _timed(name: str, function):
    def call(*arguments, **named):
        if active:
            return function(*arguments, **named)
        active.append(name)
        start = time.process_time()
        try:
            return function(*arguments, **named)
        finally:
            spent[name] += time.process_time() - start
            active.pop()

    return call


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _bgzip(close):
    def call(body):
        before = _children()
        close(body)
        spent[f"bgzip of {active[0] if active else 'sites VCF'}"] += _children() - before

    return call


def _blocks(iterate):
    def blocks(source):
        each = iterate(source)
        while True:
            start = time.process_time()
            block = next(each, None)
            spent["read, check, disclosure control"] += time.process_time() - start
            if block is None:
                return
            yield block

    return blocks


def main(spec: str) -> None:
    sites_vcf.Body.close = _bgzip(sites_vcf.Body.close)
    for kind, name, methods in WATCHED:
        for method in methods:
            setattr(kind, method, _timed(name, getattr(kind, method)))
    # Other writers use this function as well.
    sites_vcf.lines = _timed("sites VCF", sites_vcf.lines)
    Reference.m5 = _timed("M5 of the contig", Reference.m5)
    frequency_table.Source.__iter__ = _blocks(frequency_table.Source.__iter__)
    start = time.process_time()
    run_script.run(spec)
    spent["everything else"] = (
        time.process_time() - start - sum(seconds for name, seconds in spent.items() if not name.startswith("bgzip"))
    )
    Path(spec).with_suffix(".profile").write_text(json.dumps(spent))


if __name__ == "__main__":
    main(sys.argv[1])
