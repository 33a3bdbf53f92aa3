"""Blocks of made-up alleles with any mask of public cells, and what release files need beside them."""

from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pysam
from goe.frequencies import strata as st
from goe.release.table import STATISTICS

LEAVES = ("EE_F", "EE_M", "EE_U", "LV_F", "LV_M")


@dataclass(frozen=True)
class FakeBlock:
    """Whatever the writers use of goe.release.table.Block, with the mask given."""

    contig: str
    pos: pa.Array
    ref: pa.Array
    alt: pa.Array
    filter: pa.Array
    strata: tuple[str, ...]
    numbers: st.Numbers
    statistics: dict
    mask: np.ndarray
    names: dict = field(default_factory=dict)

    def __len__(self):
        return len(self.pos)

    def shown(self):
        return self.mask.copy()


def block(contig, alleles, people, mask=None, filters=None, strata=None, **statistics):
    """alleles: (pos, ref, alt). people: int (leaves, 5, alleles) as strata.CALLS, of LEAVES."""
    strata = tuple(strata or st.order(LEAVES))
    n = len(alleles)
    return FakeBlock(
        contig=contig,
        pos=pa.array([a[0] for a in alleles], pa.int32()),
        ref=pa.array([a[1] for a in alleles], pa.string()),
        alt=pa.array([a[2] for a in alleles], pa.string()),
        filter=pa.array(filters or ["PASS"] * n, pa.string()),
        strata=strata,
        numbers=st.numbers(st.expand(people, LEAVES, strata)),
        statistics={name: np.array(statistics.get(name, [np.nan] * n), dtype=np.float64) for name in STATISTICS},
        mask=np.ones((len(strata), n), dtype=bool) if mask is None else mask,
    )


def with_other_hidden_numbers(one, seed=0):
    """The same block with other numbers in every cell that is not public."""
    rng = np.random.default_rng(seed)
    numbers = {}
    for name in ("ac", "an", "ac_hom", "ac_het", "ac_hemi", "nhomalt"):
        values = getattr(one.numbers, name)
        numbers[name] = np.where(one.mask, values, rng.integers(1, 1000, values.shape).astype(values.dtype))
    return replace(one, numbers=st.Numbers(**numbers))


def sequence(length, seed=0):
    """Bases with many short repeats."""
    rng = np.random.default_rng(seed)
    out = ""
    while len(out) < length:
        unit = "".join(rng.choice(list("ACGT"), int(rng.integers(1, 4))))
        out += unit * int(rng.integers(1, 6))
    return out[:length]


def write_fasta(path, contigs):
    path.write_text("".join(f">{name}\n{text}\n" for name, text in contigs.items()))
    pysam.faidx(str(path))
    return path


def random_block(contig, text, seed=0, every=7, mask=True, **changes):
    """SNVs, insertions and deletions over a sequence, with random people, mask (Total is public), FILTER."""
    rng = np.random.default_rng(seed)
    alleles = []
    for pos in range(2, len(text) - 20, every):
        ref = text[pos - 1]
        alt = "ACGT"[("ACGT".index(ref) + 1) % 4]
        length = int(rng.integers(1, 8))
        alleles.append(
            [(pos, ref, alt), (pos, ref, ref + alt * length), (pos, text[pos - 1 : pos + length], ref)][
                int(rng.choice(3, p=[0.7, 0.15, 0.15]))
            ]
        )
    n = len(alleles)
    people = np.zeros((len(LEAVES), 5, n), dtype=np.int32)
    people[:, st.DIP] = rng.integers(0, 60, (len(LEAVES), n)) * (rng.random((len(LEAVES), n)) < 0.9)
    people[:, st.HET] = rng.integers(0, people[:, st.DIP] + 1)
    people[:, st.HOM] = rng.integers(0, people[:, st.DIP] - people[:, st.HET] + 1)
    strata = st.order(LEAVES)
    hidden = rng.random((len(strata), n)) < 0.2 if mask else np.zeros((len(strata), n), dtype=bool)
    hidden[0] = False
    made = block(
        contig,
        alleles,
        people,
        mask=~hidden,
        filters=[str(rng.choice(["PASS", "PASS", "PASS", "HWE;AC0"])) for _ in range(n)],
        call_rate=rng.random(n),
        faf95=np.where(rng.random(n) < 0.8, rng.random(n), np.nan),
        faf99=rng.random(n),
        inbreeding_coeff=np.where(rng.random(n) < 0.5, rng.random(n) - 0.5, np.nan),
        hwe_p=rng.random(n),
    )
    return replace(made, **changes)
