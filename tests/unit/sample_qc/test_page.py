"""The internal cohort page: its numbers are those of the tables, who is left out is found, nothing asks a network."""

import copy
import json
import os
import re
import stat

import pytest
from goe.core import tables
from goe.rules import sample_thresholds as sample_rules
from goe.sample_qc import keep
from goe.sample_qc import page as cohort_page
from goe.sample_qc.page import STATUS
from helpers import browser
from helpers.qc_cohort import GUIDELINES, Cohort

ABOUT = {"id": "GOE-EE-EXAMPLE-20260101000000000", "title": "A made-up cohort", "made_with": "goe"}
PEOPLE = 700


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    made = Cohort(tmp_path_factory.mktemp("cohort"), PEOPLE)
    made.judge()
    made.page()
    return made


@pytest.fixture(scope="module")
def there(cohort):
    """What the page is made of: summary, keep, metrics, pairs, guidelines, pca, assessed."""
    rows = {name: tables.read(path) for name, path in cohort.tables.items() if name != "summary"}
    return {
        "summary": json.loads(cohort.tables["summary"].read_text()),
        "keep": rows["keep"],
        "metrics": rows["metrics"],
        "pairs": tables.read(cohort.files["pairs"]),
        "guidelines": sample_rules.load(GUIDELINES),
        "pca": tables.read(cohort.files["ancestry"]),
        "assessed": {"statement": "4 components", "eigenvalues": [21.5, 3.25, 1.5, 1.25], "people": 300},
    }


@pytest.fixture(scope="module")
def text(cohort):
    return (cohort.folder / "cohort.html").read_text(encoding="utf-8")


def facts(text):
    return json.loads(re.search(r'id="facts">(.*?)</script>', text, re.S)[1])


def cells(column):
    """Cells of a packed column as the text of a table."""
    if "text" in column:
        return column["text"]
    if "at" in column:
        return [column["of"][i] for i in column["at"]]
    if "lists" in column:
        return [";".join(column["of"][i] for i in some) for some in column["lists"]]
    return ["" if v is None else repr(v) for v in column["numbers"]]


def same(a, b):
    return a == b or (a and b and float(a) == float(b))


def test_the_cohort_has_what_the_page_is_for(there):
    """The other tests would be empty on a cohort without people left out, flags, relatives or other ancestry."""
    reasons = there["summary"]["reasons"]
    assert {"withdrawn", "contaminated", "low_coverage", "sex_mismatch", "sex_aneuploid", "related"} <= set(reasons)
    assert there["pairs"] and len(there["keep"]) == PEOPLE > 500


def test_every_cell_is_that_of_its_table(text, there):
    columns = facts(text)["columns"]
    ids = columns["sample_id"]["text"]
    assert sorted(ids) == sorted(row["sample_id"] for row in there["keep"])
    for table in ("keep", "metrics", "pca"):
        by_id = {row["sample_id"]: row for row in there[table]}
        assert by_id
        for name in there[table][0]:
            for sample, mine in zip(ids, cells(columns[name]), strict=True):
                assert same(mine, by_id.get(sample, {}).get(name, "")), (table, name, sample)
    pairs = facts(text)["pairs"]
    for name in there["pairs"][0]:
        assert all(map(same, cells(pairs[name]), (pair[name] for pair in there["pairs"])))


def test_left_out_come_first_then_the_flagged(text):
    columns = facts(text)["columns"]
    places = [STATUS.index(word) for word in cells(columns["status"])]
    assert places == sorted(places) and set(places) == {0, 1, 2}
    for status, kept, reasons in zip(*(cells(columns[n]) for n in ("status", "keep", "reasons")), strict=True):
        assert (status == "left out") == (kept == "no") and (status == "counted") == (kept == "yes" and not reasons)


def table_of(text, caption):
    """Rows of a static table by its caption, cells without markup."""
    found = re.search(rf"<caption[^>]*>{re.escape(caption)}</caption>(.*?)</table>", text, re.S)[1]
    rows = re.findall(r"<tr>(.*?)</tr>", found, re.S)
    return [[re.sub(r"<.*?>", "", c) for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)] for row in rows[1:]]


def test_people_whose_calls_in_the_pars_have_one_allele_are_named_by_their_number(there):
    rows = [
        keep.Row(str(i), "EE", "M", "gvcf", False, metrics={"par_haploid_rate": v}) for i, v in enumerate((1, 0.1, 0))
    ]
    made = cohort_page.page(
        ABOUT, **there | {"summary": there["summary"] | {"not_assessed": keep.haploid_in_par(rows)}}
    )
    assert "2 of 3 people: calls are written with one allele and are missing, of 1 of them most calls" in made
    assert "one allele and are missing" not in cohort_page.page(ABOUT, **there)


def test_numbers_of_the_summary_are_those_of_the_keep_list(text, there):
    rows = there["keep"]
    *countries, everybody = table_of(text, "People by country and counted sex")
    for country, people, counted, female, male, unknown, out, flagged in countries:
        mine = [r for r in rows if r["country_code"] == country]
        kept = [r for r in mine if r["keep"] == "yes"]
        sexes = [sum(r["count_sex"] == s for r in kept) for s in "FMU"]
        flags = sum(bool(r["reasons"]) for r in kept)
        assert [int(x) for x in (people, counted, female, male, unknown, out, flagged)] == [
            len(mine), len(kept), *sexes, len(mine) - len(kept), flags
        ]  # fmt: skip
    assert {row[0] for row in countries} == {r["country_code"] for r in rows}
    assert int(everybody[1]) == PEOPLE and int(everybody[2]) == sum(r["keep"] == "yes" for r in rows)
    *reasons, total = table_of(text, "People by reason")
    assert int(total[1]) == sum(r["keep"] == "no" for r in rows)
    for name, out, also, flag in reasons:
        having = [r for r in rows if name in r["reasons"].split(";")]
        first = [r for r in having if r["keep"] == "no" and r["reasons"].split(";")[0] == name]
        gone = sum(r["keep"] == "no" for r in having)
        assert [int(out) + int(also), int(flag)] == [gone, len(having) - gone]
        assert int(out) <= len(first) or name == "withdrawn"


def test_limits_in_mad_are_those_of_the_strata(text, there):
    said = facts(text)
    limits = said["limits"]
    by_id = {row["sample_id"]: row for row in there["metrics"]}
    place = {
        sample: limits["of"][i] for sample, i in zip(said["columns"]["sample_id"]["text"], limits["at"], strict=True)
    }
    flagged = [r["sample_id"] for r in there["keep"] if "het_hom_outlier" in r["reasons"]]
    assert flagged
    metric = "adj_ratio_heterozygous_homzygous_snv"
    for row in there["keep"]:
        sample, value = row["sample_id"], by_id[row["sample_id"]][metric]
        low, high = map(float, re.search(r"\((.*) to (.*)\)", place[sample][metric][0]).groups())
        outside = not low <= float(value) <= high
        # The limits are told with four digits.
        close = min(abs(float(value) - low), abs(float(value) - high)) < 0.005
        assert close or "withdrawn" in row["reasons"] or outside == (sample in flagged), (sample, value, low, high)
    fixed = {tuple(one["mean_autosome_coverage"]) for one in limits["of"]}
    assert fixed == {("<30", "<25")}


def test_depth_is_of_reads_where_most_have_them():
    rows = [{"mean_autosome_coverage": "30", "mean_dp": "29"}, {"mean_autosome_coverage": "", "mean_dp": "29"}]
    assert cohort_page.depth_metric(rows) == "mean_autosome_coverage"
    assert cohort_page.depth_metric([*rows, rows[1]]) == "mean_dp"
    assert cohort_page.depth_metric([]) == "mean_autosome_coverage"


def test_the_page_is_for_its_owner_alone(cohort, tmp_path):
    assert stat.S_IMODE((cohort.folder / "cohort.html").stat().st_mode) == 0o600
    before = os.umask(0)
    try:
        path = tmp_path / "page.html"
        path.write_text("older")
        path.chmod(0o666)
        cohort_page.write(path, "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and path.read_text() == "x"


def test_the_same_cohort_gives_the_same_bytes(cohort, text):
    (cohort.folder / "cohort.html").unlink()
    cohort.page()
    assert (cohort.folder / "cohort.html").read_text(encoding="utf-8") == text


def test_it_says_that_it_is_personal_and_when_there_is_no_pca(text, there):
    assert "Personal data" in text and "never part of a release" in text
    none = cohort_page.page(ABOUT, **there | {"pca": [], "assessed": {"statement": "not assessed: 3 <b>SNVs</b>"}})
    assert "There is no PCA of this cohort: not assessed: 3 &lt;b&gt;SNVs&lt;/b&gt;." in none
    assert 'id="plot-pca"' in text and 'id="plot-pca"' not in none


def test_axes_have_their_variance_and_medians_say_of_whom(there):
    made = cohort_page.page(ABOUT, **there)
    assert facts(made)["axes"] == {
        "pc1": "pc1, eigenvalue 21.5",
        "pc2": "pc2, eigenvalue 3.25",
        "pc3": "pc3, eigenvalue 1.5",
        "pc4": "pc4, eigenvalue 1.25",
    }
    words = " ".join(re.sub("<[^>]*>", " ", made).split())
    assert "Axis Eigenvalue pc1 21.5 pc2 3.25 pc3 1.5 pc4 1.25" in words and "people who made them, 300." in words
    for of_whom in (
        "A line is the median of the people who are counted",
        "at the medians of all its people who have components, counted or not",
        "Of everybody, whether counted or not.",
    ):
        assert of_whom in words
    assert facts(cohort_page.page(ABOUT, **there | {"assessed": {"statement": "x"}}))["axes"] == {}


EVIL = "</script><script>window.pwned=1</script><img src=x onerror='window.pwned=1'>"


def evil(there):
    spoiled = copy.deepcopy({key: value for key, value in there.items() if key != "guidelines"})
    spoiled["guidelines"] = there["guidelines"]
    for row in spoiled["metrics"]:
        row["warnings"], row["not_assessed"] = f"charr=1 fails: {EVIL}", f"charr: {EVIL}"
    for row in spoiled["keep"]:
        row["reasons"] = row["reasons"] and EVIL.replace(";", "")
    spoiled["assessed"] = {"statement": EVIL, "eigenvalues": [2.0, 1.0], "people": 3}
    return cohort_page.page(ABOUT | {"title": EVIL}, **spoiled)


def test_nothing_of_the_tables_is_markup(there):
    assert EVIL not in evil(there)


SMALL = {
    "nobody out": lambda rows: [r | {"keep": "yes", "reasons": ""} for r in rows],
    "everybody out": lambda rows: [r | {"keep": "no", "reasons": "withdrawn"} for r in rows],
    "one person": lambda rows: rows[:1],
    "nobody": lambda rows: [],
}


def small(there, name):
    rows = SMALL[name](there["keep"])
    ids = {row["sample_id"] for row in rows}
    summary = there["summary"] | {"people": len(rows), "reasons": {}, "by_country": {}, "by_input_type": {}}
    summary["kept"] = sum(row["keep"] == "yes" for row in rows)
    metrics = [row for row in there["metrics"] if row["sample_id"] in ids]
    parts = {"keep": rows, "metrics": metrics, "pairs": [], "pca": [], "assessed": None, "summary": summary}
    return cohort_page.page(ABOUT, **there | parts)


# ---- in the browser

in_browser = browser.needed

LIST = "[...document.querySelectorAll('#list tbody tr')].map((r) => [...r.cells].map((c) => c.textContent))"


RECORD = """[...document.querySelectorAll('#person tbody tr')].map(
  (row) => [row.className, ...[...row.cells].map((cell) => cell.textContent)])"""


def search(page, words):
    page.run(f"document.getElementById('find').value = {json.dumps(words)}")
    page.run("document.getElementById('find').dispatchEvent(new Event('input'))")
    return page.run(LIST)


@in_browser
def test_everybody_left_out_is_found_with_reasons_metrics_and_limits(watched, cohort, there):
    watched.open(cohort.folder / "cohort.html")
    metrics = {row["sample_id"]: row for row in there["metrics"]}
    gone = [row for row in there["keep"] if row["keep"] == "no"]
    assert len(gone) > 10
    for row in gone:
        sample = row["sample_id"]
        (found,) = search(watched, sample.lower())
        assert found[:2] == [sample, "left out"]
        watched.run("document.querySelector('#list tbody a').click()")
        watched.wait(f"document.querySelector('#person h3')?.textContent === {json.dumps(sample)}")
        chips = watched.run(
            "[...document.querySelectorAll('#person .answerline .chips .chip')].map((c) => c.textContent)"
        )
        assert chips == row["reasons"].split(";")
        lines = watched.run(RECORD)
        seen = {name: (cls, value, warn, fail, said) for cls, name, value, warn, fail, said in lines}
        mine = metrics[sample]
        numbers = [m for m in keep.METRIC_COLUMNS if any(other[m] for other in metrics.values())]
        for metric in numbers:
            assert same(seen[metric][1].replace(",", "").replace("–", ""), mine[metric]), (sample, metric)
        for warning in filter(None, mine["warnings"].split(";")):
            metric, limit = warning.split("=")[0], warning.split(":", 1)[1].strip()
            cls, *_, said = seen[metric]
            assert cls == ("fails" if " fails: " in warning else "warns") and said.endswith(limit)
        for reason in filter(None, mine["not_assessed"].split(";")):
            metric, why = reason.split(": ", 1)
            assert metric not in seen or seen[metric][4] == why


@in_browser
def test_the_table_is_paged_sorted_and_filtered(watched, cohort, there):
    watched.open(cohort.folder / "cohort.html")
    assert len(watched.run(LIST)) == 50
    assert "1 to 50 of 700 people" in watched.run("document.querySelector('#list .pager').textContent")
    assert watched.run("document.getElementsByTagName('*').length") < 5000
    watched.run("[...document.querySelectorAll('#list .pager button')].at(-1).click()")
    assert "51 to 100 of 700" in watched.run("document.querySelector('#list .pager').textContent")
    for select, name in (("by-status", "status"), ("by-reason-name", "reasons"), ("by-country-name", "country_code")):
        value = {"status": "left out", "reasons": "low_coverage", "country_code": "PT"}[name]
        watched.open(cohort.folder / "cohort.html")
        watched.run(f"document.getElementById('{select}').value = '{value}'")
        watched.run(f"document.getElementById('{select}').dispatchEvent(new Event('change'))")
        expected = [
            r for r in there["keep"] if value in (cohort_page.status(r), r["country_code"], *r["reasons"].split(";"))
        ]
        assert f"of {len(expected)} people" in watched.run("document.querySelector('#list .pager').textContent")
    watched.open(cohort.folder / "cohort.html")
    depth = "[...document.querySelectorAll('#list thead button')].find((b) => b.textContent === 'mean dp')"
    for expected in ("ascending", "descending"):
        watched.run(f"{depth}.click()")
        assert watched.run(f"{depth}.closest('th').getAttribute('aria-sort')") == expected
        at = watched.run(f"{depth}.closest('th').cellIndex")
        shown = [float(row[at]) for row in watched.run(LIST)]
        every = sorted((float(r["mean_dp"]) for r in there["metrics"]), reverse=expected == "descending")
        assert shown == every[:50]


@in_browser
def test_several_ids_and_nobody(watched, cohort, there):
    watched.open(cohort.folder / "cohort.html")
    some = [row["sample_id"] for row in there["keep"][:3]]
    assert sorted(row[0] for row in search(watched, " ".join(some))) == sorted(some)
    assert search(watched, "nobody-of-this-name") == []
    watched.open(cohort.folder / "cohort.html", "#person=%3Cimg%20src%3Dx%3E")
    watched.wait("document.querySelector('#person p')")
    assert watched.run("document.querySelector('#person').textContent") == "<img src=x> is nobody of this cohort."


PAINTED = """(() => {
  const canvas = document.querySelector('#plot-%s canvas');
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const inks = new Set();
  for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200) inks.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
  return [...inks];
})()"""


POINT = """(() => {
  const canvas = document.querySelector('#plot-coverage canvas');
  const frame = canvas.getBoundingClientRect();
  const tip = document.querySelector('#plot-coverage .tip');
  for (let y = 0; y < frame.height; y += 3) for (let x = 60; x < frame.width / 2; x += 3) {
    const at = {clientX: frame.left + x, clientY: frame.top + y, bubbles: true};
    canvas.dispatchEvent(new MouseEvent('mousemove', at));
    if (!tip.hidden && tip.textContent.startsWith('WANTED:')) {
      canvas.dispatchEvent(new MouseEvent('click', at));
      return tip.textContent;
    }
  }
  return null;
})()"""


@in_browser
def test_plots_are_drawn_and_a_point_leads_to_its_person(watched, cohort, there):
    watched.open(cohort.folder / "cohort.html")
    for name in ("coverage", "hethom", "sex", "kin"):
        inks = watched.run(PAINTED % name)
        # Left out (#a32a1e) is in every one.
        assert "163,42,30" in inks, name
    key = watched.run(
        "[...document.querySelectorAll('#pca-key li')].map((li) => [li.textContent, li.firstChild.style.color])"
    )
    assert [text.split()[-1] for text, _ in key] == sorted({row["country_code"] for row in there["keep"]})
    inks = watched.run(PAINTED % "pca")
    # Of each country somebody is left out or flagged, and so drawn in its whole colour.
    assert sum(colour.removeprefix("rgb(").rstrip(")").replace(" ", "") in inks for _, colour in key) >= 5
    assert len({colour for _, colour in key}) == len(key) == 10
    gone = next(row for row in there["metrics"] if float(row["mean_autosome_coverage"] or 99) < 20)
    found = watched.run(POINT.replace("WANTED", gone["sample_id"]))
    assert found == f"{gone['sample_id']}: {gone['mean_autosome_coverage']}"
    watched.wait(f"document.querySelector('#person h3')?.textContent === '{gone['sample_id']}'")
    choice = "document.querySelector('select[data-metric=coverage]')"
    watched.run(f"{choice}.value = 'charr'; {choice}.dispatchEvent(new Event('change'))")
    assert watched.run(f"{choice}.closest('figure').querySelector('figcaption').textContent").startswith(
        "charr by country"
    )


@in_browser
@pytest.mark.parametrize("name", SMALL)
def test_small_and_odd_cohorts(watched, there, tmp_path, name):
    (tmp_path / "cohort.html").write_text(small(there, name), encoding="utf-8")
    watched.open(tmp_path / "cohort.html")
    rows = SMALL[name](there["keep"])
    assert len(watched.run(LIST)) == min(50, len(rows))
    assert "There is no PCA of this cohort" in watched.run("document.body.textContent")


@in_browser
def test_text_of_the_tables_stays_text_on_a_phone_in_the_dark(there, tmp_path):
    (tmp_path / "cohort.html").write_text(evil(there), encoding="utf-8")
    gone = next(row["sample_id"] for row in there["keep"] if row["keep"] == "no")
    with browser.Browser(width=360, height=800, dark=True) as phone:
        phone.open(tmp_path / "cohort.html", f"#person={gone}")
        phone.wait("document.querySelector('#person tbody')")
        assert EVIL in phone.run("document.getElementById('person').textContent")
        assert phone.run("window.pwned === undefined")
        assert phone.run("document.querySelectorAll('#person img').length") == 0
        assert phone.run("document.documentElement.scrollWidth") <= 360
        assert phone.troubles == []
