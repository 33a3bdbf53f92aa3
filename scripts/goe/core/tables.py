"""Tab-separated tables between the stages: a header, then rows in which every cell is text."""

import csv
from collections.abc import Iterable
from pathlib import Path


def read(path: str | Path) -> list[dict[str, str]]:
    """Rows of a table, by column name. Nothing is quoted, and `007` and `NA` stay what they are."""
    with Path(path).open(newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE))


def read_people(path: str | Path) -> dict[str, dict[str, str]]:
    """sample_id -> row, of a table of people (people.tsv, keep.tsv)."""
    return {row["sample_id"]: row for row in read(path)}


def write(path: str | Path, rows: Iterable[Iterable[str]]) -> None:
    """Write rows of text, the header being the first."""
    Path(path).write_text("".join("\t".join(row) + "\n" for row in rows))
