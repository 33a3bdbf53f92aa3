"""The page of a collection: texts of others stay texts, numbers are found, nothing is asked of a network."""

import json
import re

import pytest
from goe.collect.comparison import again, page
from helpers import browser, collection_folder
from helpers import compared as made
from helpers.collection_folder import collect

MARKUP = '<img src=x onerror="document.title=1">&lt;'


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    tmp = tmp_path_factory.mktemp("page")
    found = collection_folder.datasets(tmp)
    refused = collection_folder.datasets(tmp)[0]
    refused.number, refused.name = 4, f"LT {MARKUP}"
    refused.problems = [collection_folder.Problem("LT", f"AC is above AN {MARKUP}")]
    found[0].name, found[1].counted_by = f"D1 {MARKUP}", f"them {MARKUP}"
    found[2].manner = {"policy": MARKUP, "site_filters": {"hwe_p": MARKUP}, "date": None}
    return collect([*found, refused], tmp)


def test_texts_of_others_are_no_markup(root):
    text = (root / page.NAME).read_text()
    assert "<img" not in text and "onerror=" in text
    # In the facts of the script too.
    facts = text.partition('id="facts">')[2].partition("</script>")[0]
    assert "<" not in facts and json.loads(facts)["datasets"][0]["name"] == f"D1 {MARKUP}"
    assert text.count("<script") == 2 and "default-src &#39;none&#39;" in text


def test_every_section_is_there_and_says_who_was_refused(root):
    text = (root / page.NAME).read_text()
    for key in page.TITLES:
        assert f'<section id="{key}"' in text and f'href="#{key}"' in text
    assert "AC is above AN" in text and "at most where silence says" in " ".join(text.split())
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_a_restricted_collection_says_so(root):
    about, said = made.about(root), again.read(root)
    assert "Restricted: personal data" not in page.make(about, said)
    assert "Restricted: personal data" in page.make({**about, "level": "restricted"}, said)


def test_every_country_of_the_map_has_a_place_of_its_own():
    tiles = page._tiles()
    assert len({(column, row) for _, column, row in tiles}) == len({code for code, *_ in tiles}) == len(tiles)
    members = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
    assert {*members.split(), "NO", "IS", "CH", "GB"} <= {code for code, *_ in tiles}


@browser.needed
def test_the_page_in_a_browser(root, tmp_path):
    said = again.read(root)
    with browser.Browser() as one:
        one.open(root / page.NAME)
        one.wait("document.querySelector('#numbers')")
        assert one.run("document.querySelector('#answer h3').textContent") == "-".join(map(str, said["example"]))
        assert one.run("document.querySelectorAll('.map .tile').length") >= 1
        assert one.run("document.querySelectorAll('img').length") == 0
        one.open(root / page.NAME, "#q=chr20:1-60")
        one.wait("document.querySelector('#answer .list')")
        first = one.run("document.querySelector('#answer .list a').textContent")
        one.open(root / page.NAME, f"#q={first}")
        one.wait("document.querySelector('#numbers')")
        assert one.run("document.querySelector('#answer h3').textContent") == first
        one.open(root / page.NAME, "#q=chr20-59-A-TTTTT")
        one.wait("document.querySelector('#nothere')")
        one.open(root / page.NAME, "#q=<b>")
        one.wait("document.querySelector('#trouble')")
        assert one.troubles == [] and all(r.startswith(("file:", "about:", "data:")) for r in one.requests)
        assert one.run("document.documentElement.scrollWidth <= window.innerWidth")
