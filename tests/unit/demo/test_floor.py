"""What a release under a floor must not tell of the demo: small numbers, given or left by a subtraction, are found."""

import numpy as np
import pytest
from goe.core.errors import GoeError
from goe.demo import cohort, floor

COUNTRY = np.repeat(["EE", "FI"], 20)
SEX = np.array(["M", "F"] * 20)
MEMBERS = floor.groups(COUNTRY, SEX)
KEY = ("chr20", 5, "A", "C")
NAMES = list(MEMBERS)


def judged(carrying, hidden, members=MEMBERS, k=3):
    """Broken guarantees (given, subtracted), and figures, of one allele of which the strata `hidden` are not given."""
    carriers = np.zeros(40, bool)
    carriers[carrying] = True
    numbers = np.array([[-1, -1] if name in hidden else [1, 40] for name in members])
    must, figures = floor.judge({KEY: numbers}, {KEY: carriers}, {KEY: ~carriers}, members, k)
    return [broken for _, broken, _ in must], dict(figures)


def test_groups_and_sums_are_those_of_a_release():
    assert NAMES == ["", "EE", "FI", "M", "F", "EE_M", "EE_F", "FI_M", "FI_F"]
    assert [(whole, parts) for whole, parts in floor.sums(NAMES)] == [
        ("", ["EE", "FI"]),
        ("", ["M", "F", "rest"]),
        ("EE", ["EE_M", "EE_F", "rest"]),
        ("FI", ["FI_M", "FI_F", "rest"]),
        ("M", ["EE_M", "FI_M"]),
        ("F", ["EE_F", "FI_F"]),
    ]


@pytest.mark.parametrize(
    ("carrying", "hidden", "expected"),
    [
        # Three carriers of each sex in each country: nothing is small.
        ([*range(6), *range(20, 26)], [], [0, 0]),
        # Two in FI, all of them women: FI and FI_F are small where given.
        ([*range(6), 21, 23], [], [2, 0]),
        # FI and its sexes are not given, but Total and EE are, and all women and those of EE.
        ([*range(6), 21, 23], ["FI", "FI_M", "FI_F"], [0, 2]),
        ([*range(6), 21, 23], NAMES[1:], [0, 0]),
        # Nobody of them has it: no number of 1 or 2.
        ([*range(6)], ["FI"], [0, 0]),
        # Two who do not carry it are small too.
        ([*range(18)], ["EE_M", "EE_F", "M", "F"], [1, 0]),
    ],
)
def test_small_numbers_are_found(carrying, hidden, expected):
    assert judged(carrying, hidden)[0] == expected


def test_people_of_unknown_sex_are_what_is_left_of_men_and_women():
    sex = SEX.copy()
    sex[[0, 1]] = "U"
    members = floor.groups(COUNTRY, sex)
    assert judged([*range(8), *range(20, 26)], [], members)[0] == [0, 2]
    assert judged([*range(8), *range(20, 26)], ["M", "F", "EE_M", "EE_F"], members)[0] == [0, 0]


def test_figures_say_what_was_withheld():
    """Of four alleles: with all strata that are published, with two, with Total alone, in no file."""
    keys = [("chr20", pos, "A", "C") for pos in range(4)]
    shown = (["", "EE", "FI"], ["", "EE"], [""])
    published = {
        key: np.array([[1, 40] if name in some else [-1, -1] for name in MEMBERS])
        for key, some in zip(keys, shown, strict=False)
    }
    everybody = dict.fromkeys(keys, np.ones(40, bool))
    nobody = dict.fromkeys(keys, np.zeros(40, bool))
    assert floor.judge(published, everybody, nobody, MEMBERS, 3)[1] == [
        ("alleles with all strata", 1),
        ("alleles with a part of the strata", 1),
        ("alleles with Total alone", 1),
        ("in no public file", 1),
    ]


def test_the_next_run_of_the_demo_has_a_floor_and_the_open_release_stays(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text(cohort.CONFIG)
    with pytest.raises(GoeError, match="run it first"):
        cohort.under_floor(tmp_path)
    (tmp_path / "release").mkdir()
    (tmp_path / "release/README.md").write_text("open")
    cohort.under_floor(tmp_path)
    assert (tmp_path / "config/config.yaml").read_text() == cohort.CONFIG.replace(cohort.OPEN, cohort.FLOOR)
    assert (tmp_path / "open/README.md").read_text() == "open" and not (tmp_path / "release").exists()
    (tmp_path / "release").mkdir()
    with pytest.raises(GoeError, match="has another disclosure"):
        cohort.under_floor(tmp_path)
