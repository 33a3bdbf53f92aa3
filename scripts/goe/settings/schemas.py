"""The schemas in workflow/schemas: of the config, and of a row of each sheet."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from goe.core.resources import ROOT

# Ten times as fast, where PyYAML was built with it: each job that reads the Snakefile reads the schemas.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def schema(name: str) -> dict[str, Any]:
    """The JSON Schema `workflow/schemas/<name>.schema.yaml`; name: config, samples or inputs."""
    return yaml.load((ROOT / "workflow" / "schemas" / f"{name}.schema.yaml").read_text(), _LOADER)


@dataclass(frozen=True)
class Sheet:
    """What the schema of a row says of each column by itself.

    required, optional: columns in the order of the schema. words, forms, lengths (at most): of a column's cells, where
    it has any.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]]
    forms: Mapping[str, re.Pattern[str]]
    lengths: Mapping[str, int]

    @classmethod
    def of(cls, name: str) -> "Sheet":
        """Of `schema(name)`."""
        columns, required = schema(name)["properties"], tuple(schema(name)["required"])
        return cls(
            required,
            tuple(column for column in columns if column not in required),
            {column: tuple(part["enum"]) for column, part in columns.items() if "enum" in part},
            {column: re.compile(part["pattern"]) for column, part in columns.items() if "pattern" in part},
            {column: part["maxLength"] for column, part in columns.items() if "maxLength" in part},
        )

    def takes(self, column: str, cell: str) -> bool:
        """Whether the cell is one of the words of its column, and of its form."""
        words, form = self.words.get(column), self.forms.get(column)
        return (words is None or cell in words) and (form is None or form.search(cell) is not None)


PEOPLE, INPUTS = Sheet.of("samples"), Sheet.of("inputs")
