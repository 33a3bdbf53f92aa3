"""Ploidy classes of many positions at once."""

import numpy as np

from goe.genome.build import Build, class_breaks


class Classes:
    """Ploidy classes along a contig. starts: int64, the first position of each run of one class; of: int8, which it
    is."""

    def __init__(self, build: Build, contig: str):
        breaks = np.array(class_breaks(build, contig), np.int64)
        self.starts, self.of = breaks[:, 0], breaks[:, 2].astype(np.int8)

    def at(self, positions: np.ndarray) -> np.ndarray:
        """int8: REGION_* of each of the 1-based positions."""
        if len(self.of) == 1:
            return np.full(len(positions), self.of[0])
        return self.of[np.searchsorted(self.starts, positions, "right") - 1]
