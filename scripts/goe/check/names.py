"""Names of the alleles of a release, computed again as far as the folder alone can: how far an insertion or deletion
can be moved is said by the reference, which is no part of it, and by a SPDI, of which everything else is asked."""

import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np

from goe.check.faults import Faults
from goe.frequencies.block import Block
from goe.genome import vrs
from goe.genome.dbsnp import RSID
from goe.genome.hgvs import accession
from goe.release.formats import allele_names


def check(path: str | Path, build: str, contig: str, length: int, blocks: Iterable[Block], faults: Faults) -> None:
    """Faults of the names of `blocks`, which have them."""
    sequence = vrs.in_json(allele_names.origin(path)[0])
    wanted = accession(build, contig, length)
    for block in blocks:
        alleles = (getattr(block, key).to_pylist() for key in ("pos", "ref", "alt"))
        names = (block.names[name].to_pylist() for name in allele_names.NAMES)
        wrong: dict[str, list[bool]] = {name: [] for name in allele_names.NAMES}
        for pos, ref, alt, identifier, spdi, rsid in zip(*alleles, *names, strict=True):
            wrong["rsid"].append(not (rsid is None or RSID.fullmatch(rsid)))
            found = _spread(pos, ref, alt, wanted, spdi)
            wrong["spdi"].append(found is None)
            if found is None or (wanted is None and len(ref) != len(alt)):
                wrong["vrs_id"].append(not vrs.FORM.fullmatch(str(identifier)))
            else:
                wrong["vrs_id"].append(vrs.identifier(sequence, *found) != identifier)
        for key, bad in wrong.items():
            faults.add(f"{key} is not that of the allele", np.array(bad, dtype=bool), partial(_name, block))


def _name(block: Block, row: int) -> str:
    return f"{block.contig}:{block.pos[row]}:{block.ref[row]}:{block.alt[row]}"


def _spread(pos: int, ref: str, alt: str, wanted: str | None, spdi: str | None) -> tuple[int, str, str, int] | None:
    """The allele as its SPDI spreads it (`vrs.justified`); without accession, as if it could not be moved. None where
    the SPDI is not of this allele."""
    start, ref, alt = vrs.alone(pos, ref, alt)
    unit = "" if ref and alt else ref or alt
    if wanted is None:
        return (start, ref, alt, len(unit)) if spdi is None else None
    parts = re.fullmatch(rf"{re.escape(wanted)}:([0-9]{{1,10}}):([ACGT]*):([ACGT]*)", str(spdi))
    if not parts:
        return None
    first, there, new = int(parts[1]), parts[2], parts[3]
    before, room = start - first, min(len(there), len(new))
    if not unit:
        return (start, ref, alt, 0) if (first, there, new) == (start, ref, alt) else None
    fits = 0 <= before <= room and (there, new) == vrs.spread(unit, before, room - before, bool(ref))
    return (first, there, new, len(unit)) if fits else None
