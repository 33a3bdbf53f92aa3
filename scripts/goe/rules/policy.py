"""What a controller can choose to protect, and what the choice means for strata."""

from dataclasses import dataclass

from goe.core.errors import Problem

POLICIES = ("collapse", "minimal")
PROTECT = ("carriers", "genotypes")


@dataclass(frozen=True)
class Policy:
    """What the controller chose.

    k: min_carriers, at least 1, in people; 1 hides nothing, which is an open release, and has a legal basis.
    name: collapse, minimal or open. protect: carriers or genotypes. least: people below which a stratum is not
    published, None for the default.
    """

    k: int
    legal_basis: str = ""
    name: str = "collapse"
    protect: str = "carriers"
    least: int | None = None

    @property
    def open(self) -> bool:
        """Whether every count is public."""
        return self.k <= 1

    @property
    def min_stratum_size(self) -> int:
        """People below which a stratum is not published.

        The default is 2k. Below that a cell cannot have k carriers and k non-carriers at once, so the stratum
        would fail at every allele that some but not all of its people carry, and take others with it.
        """
        if self.least is not None:
            return self.least
        return 1 if self.open else 2 * self.k


def stratum_size_problem(k: int, least: int | None) -> Problem | None:
    """What is wrong with a min_stratum_size: a stratum of fewer than k people holds fewer carriers and others."""
    if least is None or least >= k:
        return None
    return Problem(
        "config disclosure.min_stratum_size",
        f"{least} is below min_carriers, {k}",
        f"set it to {k} or more, or leave it out for {2 * k}",
    )
