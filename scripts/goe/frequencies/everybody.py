"""The harmonised files of everybody in a region, as the rules name them, and the cohort as one BCF."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from goe.core.processes import tool, whole_or_none
from goe.frequencies.cohort import Cohort
from goe.genome.build import Build, Region
from goe.harmonise import files as harmonised
from goe.harmonise import genotypes as gt
from goe.harmonise import records as harmonise
from goe.harmonise.batch import TABLES, Batch
from goe.hts.bcf import Reader, Record


@contextmanager
def opened(
    joint: str | Sequence[str],
    tables: Any,
    build: Build,
    region: Region,
    people: Iterable[str],
    raw: bool = False,
) -> Iterator[Cohort]:
    """The cohort in a region. joint: its harmonised BCFs; tables: what has those of the batches as attributes; people:
    everybody with data."""
    with ExitStack() as stack, again(joint) as readers:
        paths = zip(*(getattr(tables, name) for name in TABLES), strict=True)
        own = [stack.enter_context(Batch.opened(dict(zip(TABLES, some, strict=True)))) for some in paths]
        yield Cohort(readers, own, build, region, raw, people)


@contextmanager
def again(joint: str | Sequence[str]) -> Iterator[list[Reader]]:
    """Readers over the joint files alone."""
    with ExitStack() as stack:
        yield [stack.enter_context(harmonised.open_harmonised(path)) for path in _listed(joint)]


def _listed(paths: str | Sequence[str]) -> list[str]:
    return [paths] if isinstance(paths, str) else list(paths)


def write(cohort: Cohort, beside: Sequence[Reader], target: str | Path) -> None:
    """Write the genotypes of everybody, columns sorted by id, as BCF with an index.

    beside: readers over the cohort's joint files, read a second time.
    """
    order = np.argsort(np.array(cohort.ids))
    header = harmonised.header_of([reader.header for reader in cohort.joint], [cohort.ids[i] for i in order])
    with whole_or_none(target, f"{target}.csi"), harmonised.bgzf(target) as stream:
        out = harmonise.writer(stream, header, cohort.build, raw=False)
        for window, at, codes in cohort.genotypes(beside):
            site = window.sites[at]
            info = {"CLASS": site.region_class, "NREC": max(1, site.n_records), **site.metrics}
            formats = {"GT": gt.gt_bytes(codes[order])}
            out.write(Record(window.contig, site.pos, site.qual, site.ref, [site.alt], site.filters, info, formats))
    tool("bcftools", "index", "--csi", "--force", target)
