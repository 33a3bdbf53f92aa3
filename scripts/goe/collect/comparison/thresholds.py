"""What the comparison takes for common, rare, absent and different: section `compare` of collect.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """Defaults are those of workflow/schemas/collect.schema.yaml, which tells what each means and where it is from."""

    block_size: int = 5_000_000
    common_af: float = 0.05
    rare_af: float = 0.01
    fdr: float = 0.05
    origin_difference: float = 0.05
    absent_an: int = 200
    hwe_p: float = 1e-6
    hwe_others_p: float = 0.01
    inbreeding: float = 0.05
    listed: int = 200

    @classmethod
    def of(cls, given: Mapping[str, float]) -> "Thresholds":
        """Of the section, as it stands there; what is not there has its default."""
        return cls(**given)  # type: ignore[arg-type]
