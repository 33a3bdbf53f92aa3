"""What MultiQC is given of a cohort that is too large for a line a person."""

import json
import re
from pathlib import Path

import pytest
import yaml
from goe.core import tables
from goe.sample_qc import multiqc_page
from helpers.qc_cohort import Cohort

PEOPLE = 2500


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    made = Cohort(tmp_path_factory.mktemp("cohort"), PEOPLE)
    made.judge()
    made.multiqc()
    return made


@pytest.fixture(scope="module")
def sections(cohort):
    """Sections by id, in the order of the list of files."""
    names = (cohort.folder / "multiqc/files.txt").read_text().split()
    assert sorted(names) == sorted(map(str, (cohort.folder / "multiqc").glob("*_mqc.json")))
    said = [json.loads(Path(name).read_text()) for name in names]
    return {one["id"]: one for one in said}


def test_sections_are_in_reading_order_and_each_has_its_place(sections, repo):
    config = yaml.safe_load((repo / "resources/multiqc/multiqc_config.yaml").read_text())
    order = config["custom_content"]["order"]
    assert set(order) == set(sections) and order[:2] == ["goe_summary", "goe_reasons"]
    assert config["module_order"][0] == "custom_content"


def test_summary_and_reasons_are_those_of_the_keep_list(sections, cohort):
    rows = tables.read(cohort.tables["keep"])
    kept = sum(row["keep"] == "yes" for row in rows)
    assert f"{kept} of {PEOPLE} people are counted" in sections["goe_summary"]["data"]
    text = sections["goe_reasons"]["data"]
    lines = re.findall(r"<tr><td>(\w+)</td><td>(\d+)</td><td>(\d+)</td><td>(\d+)</td></tr>", text)
    assert sum(int(out) for _, out, _, _ in lines) == PEOPLE - kept > 0
    for name, out, also, flag in lines:
        assert int(out) + int(also) + int(flag) == sum(name in row["reasons"].split(";") for row in rows)


def test_no_section_grows_with_the_people(sections, cohort):
    ids = {row["sample_id"] for row in tables.read(cohort.tables["keep"])}
    for name, section in sections.items():
        if section["plot_type"] == "html":
            named = ids & set(re.findall(r"[A-Z]{2}\d{6}", re.sub(r"base64,[^\"]*", "", section["data"])))
            assert len(named) <= (300 if name == "goe_marked" else 0), name
    lines = sections["goe_marked"]["data"].count("<tr>") - 1
    assert lines == 100 and "The first 100 of" in sections["goe_marked"]["description"]
    assert sections["goe_people"]["plot_type"] == "violin"
    assert not {s["plot_type"] for s in sections.values()} - {"html", "violin"}


def test_distributions_are_of_everybody_with_a_value(sections, cohort):
    section = sections["goe_people"]
    metrics = tables.read_people(cohort.tables["metrics"])
    assert set(section["data"]) == set(metrics)
    for metric in section["headers"]:
        mine = {s: row[metric] for s, row in metrics.items() if row[metric]}
        assert {s: v[metric] for s, v in section["data"].items() if metric in v} == {
            s: float(v) for s, v in mine.items()
        }
        assert section["headers"][metric]["max"] == max(map(float, mine.values()))


def test_a_closed_page_has_no_address_but_names_of_xml():
    page = """<html><head lang="en"><title>x</title></head><body>
    <p>See <a class="a" href="https://youtu.be/x?y=1" target="x"><b>a video</b></a> or <a href='//seqera.io'>us</a>.</p>
    <a href="#cohort">here</a> <img src="https://example.org/pixel.png"> text http://multiqc.info/. end
    <script>fetch("https://api.openai.com/v1/chat"); s = "http://www.w3.org/2000/svg"; q = 'a \\"http://b\\" c'</script>
    <svg xmlns="http://www.w3.org/2000/svg"></svg></body></html>"""
    found = multiqc_page.closed(page)
    assert re.findall(r"(?:https?:)?//[^\s\"'<]*", found) == ["http://www.w3.org/2000/svg"] * 2
    assert "See <b>a video</b> or us." in found and '<a href="#cohort">here</a>' in found
    assert """fetch(""); s =""" in found and found.index("Content-Security-Policy") < found.index("<title>")
