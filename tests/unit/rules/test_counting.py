"""The version of the counting rules is told the same everywhere."""

import json
import re

from goe.core.resources import RESOURCES, ROOT
from goe.rules import counting


def test_the_document_and_the_releases_name_the_same_version():
    said = re.findall(r"This is version ([0-9]+) of the rules", (ROOT / "docs/counting.md").read_text())
    assert said == [counting.VERSION]
    schema = json.loads((RESOURCES / "schemas/goe/dataset.schema.json").read_text())
    assert "counting_rules" in schema["required"]
    assert re.fullmatch(schema["properties"]["counting_rules"]["pattern"], counting.VERSION)
