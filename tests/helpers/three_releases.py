"""Small releases of three countries: EE is open, LV has a floor, FI is open and has a GDI package."""

from helpers import release_folder

COLLAPSE = {"min_carriers": 5, "policy": "collapse"}
IDS = {
    "EE": "GOE-EE-EXAMPLE-20260301093000000",
    "LV": "GOE-LV-EXAMPLE-20260302093000000",
    "FI": "GOE-FI-EXAMPLE-20260303093000000",
}
_COHORTS = {
    "EE": ({"EE": (80, 70, 3), "FI": (20, 20, 0)}, release_folder.OPEN),
    "LV": ({"LV": (60, 60, 0)}, COLLAPSE),
    "FI": ({"FI": (50, 40, 0)}, release_folder.OPEN),
}


def make(folder):
    """Country -> folder of its release, below `folder`. One reference, other people and other alleles."""
    made = {}
    for seed, (country, (people, rule)) in enumerate(_COHORTS.items(), 1):
        with release_folder.named(IDS[country]):
            made[country] = release_folder.make(folder / country, rule, country == "FI", seed=seed, countries=people)
    return made
