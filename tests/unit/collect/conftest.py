"""Small releases of several countries, made once."""

import pytest
from helpers import release_folder

COLLAPSE = {"min_carriers": 5, "policy": "collapse"}
IDS = {
    "EE": "GOE-EE-EXAMPLE-20260301093000000",
    "LV": "GOE-LV-EXAMPLE-20260302093000000",
    "FI": "GOE-FI-EXAMPLE-20260303093000000",
}


@pytest.fixture(scope="session")
def releases(tmp_path_factory):
    """Country -> folder of a release: EE is open, LV has a floor, FI is open and has a GDI package."""
    made = {}
    cohorts = {
        "EE": ({"EE": (80, 70, 3), "FI": (20, 20, 0)}, release_folder.OPEN),
        "LV": ({"LV": (60, 60, 0)}, COLLAPSE),
        "FI": ({"FI": (50, 40, 0)}, release_folder.OPEN),
    }
    for i, (country, (people, rule)) in enumerate(cohorts.items()):
        with release_folder.named(IDS[country]):
            folder = tmp_path_factory.mktemp(country)
            # One reference, other people: alleles of the same seed are at the same places.
            made[country] = release_folder.make(folder, rule, country == "FI", seed=1 + i, countries=people)
    return made
