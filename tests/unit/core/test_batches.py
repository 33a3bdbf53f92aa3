"""Groups of people: which one a person is in depends on the person, and on how many groups there are."""

import pytest
from goe.core import batches

PEOPLE = [f"P{i:04d}" for i in range(1000)]


@pytest.mark.parametrize(("people", "size", "parts"), [(0, 1, 1), (1, 1, 1), (2, 1, 2), (256, 16, 16), (257, 16, 32)])
def test_count_is_the_smallest_power_of_two_that_is_enough(people, size, parts):
    assert batches.count(people, size) == parts


def test_a_split_holds_everybody_once_and_within_the_group():
    groups = batches.make(PEOPLE, 256)
    found = batches.split(groups, 16)
    for group, ids in groups.items():
        inside = [name for part, names in found.items() if part.startswith(f"{group}.") for name in names]
        assert sorted(inside) == ids
    assert sum(map(len, found.values())) == len(PEOPLE) and 16 * len(groups) >= len(found) > 8 * len(groups)
    assert all(names == sorted(names) and len(names) < 40 for names in found.values())


def test_one_person_less_leaves_the_other_parts_as_they_are():
    before = batches.split(batches.make(PEOPLE, 256), 16)
    after = batches.split(batches.make(PEOPLE[1:], 256), 16)
    assert len([part for part in before if before[part] != after.get(part)]) == 1
