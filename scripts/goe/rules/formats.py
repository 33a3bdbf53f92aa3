"""What keys of the configuration mean for the release, for all who have to agree on it; without a library."""

from pathlib import Path


def people_key(record: str | Path) -> Path:
    """The key of a private record of people (`previous_people`), which lies beside it: people.key of people.tsv."""
    return Path(record).with_suffix(".key")
