from dataclasses import asdict

import pytest
from goe.collect import sheet
from goe.collect.comparison.thresholds import Thresholds
from goe.core.errors import GoeError
from goe.settings import schemas

ABOUT = {"id": "GOE-EU-EXAMPLE-20260401000000000", "title": "x", "contact": {"fn": "A", "email": "a@b.c"}}


def test_defaults_are_those_of_the_schema_and_each_is_told():
    wanted = schemas.schema("collect")["properties"]["compare"]["properties"]
    assert {name: one["default"] for name, one in wanted.items()} == asdict(Thresholds())
    assert all(one["description"] for one in wanted.values())


def test_a_configuration_changes_them_and_a_wrong_one_is_told():
    given = {"datasets": "d.tsv", "collection": ABOUT, "compare": {"common_af": 0.1}}
    assert Thresholds.of(sheet.settings(given).compare) == Thresholds(common_af=0.1)
    with pytest.raises(GoeError) as error:
        sheet.settings({**given, "compare": {"common_af": 2, "comon": 1}})
    assert "compare.common_af" in str(error.value) and "comon" in str(error.value)
