"""Who the columns of a cohort's file are, by the table that intake leaves (work/intake/people.tsv)."""

from pathlib import Path

from goe.core.errors import Problem, stop_on
from goe.core.tables import read_people
from goe.harmonise.records import People
from goe.hts.bcf import Reader


def people_of(reader: Reader, path: str | Path) -> People:
    """The people of a file's columns, in its order; GoeError that names those who are not on the sheet."""
    sheet = read_people(path)
    ids = reader.header.samples
    stop_on(
        [
            Problem(reader.name, f"sample {name} is not on the sheet", "add a row for it to the sample sheet")
            for name in ids
            if name not in sheet
        ]
    )
    rows = [sheet[name] for name in ids]
    absent = [frozenset(filter(None, row["absent_fields"].split(","))) for row in rows]
    return People(ids, [row["sex"] for row in rows], absent)
