"""What keys of the configuration mean for the release, for all who have to agree on it; without a library."""

from collections.abc import Mapping
from pathlib import Path


def makes_gdi_package(cfg: Mapping) -> bool:
    """Whether a release has a GDI package: as `formats.gdi.enabled` says, or, when that is null, whether another
    key of `formats.gdi` is set. The smallest config names no catalog, and a catalog has no default.
    """
    section = (cfg.get("formats") or {}).get("gdi") or {}
    if section.get("enabled") is not None:
        return bool(section["enabled"])
    return any(value is not None and value != [] for key, value in section.items() if key != "enabled")


def people_key(record: str | Path) -> Path:
    """The key of a private record of people (`previous_people`), which lies beside it: people.key of people.tsv."""
    return Path(record).with_suffix(".key")
