"""PLINK 1 filesets of made genotypes, as goe.sample_qc.plink names people and SNVs."""

from pathlib import Path

import numpy as np

# By the number of ALT alleles (A1); the last is missing.
CODES = np.array([3, 2, 0, 1], np.uint8)


def write(stem: Path, alleles: np.ndarray) -> None:
    """STEM.bed, .bim and .fam; alleles: int8[SNVs, people], the number of ALT alleles or -1, SNVs 1 kb apart."""
    n, people = alleles.shape
    values = np.zeros((n, -(-people // 4) * 4), np.uint8)
    values[:, :people] = CODES[alleles]
    four = values.reshape(n, values.shape[1] // 4, 4)
    packed = four[:, :, 0] | four[:, :, 1] << 2 | four[:, :, 2] << 4 | four[:, :, 3] << 6
    Path(f"{stem}.bed").write_bytes(b"\x6c\x1b\x01" + packed.astype(np.uint8).tobytes())
    Path(f"{stem}.bim").write_text("".join(f"1\ts{i}\t0\t{1000 * i + 1}\tG\tA\n" for i in range(n)))
    Path(f"{stem}.fam").write_text("".join(f"0\tp{i}\t0\t0\t0\t-9\n" for i in range(people)))
